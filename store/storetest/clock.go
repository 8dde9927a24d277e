package storetest

import (
	"sync"
	"time"
)

// Clock is a clock that only moves when it is told to.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock gives a clock that stands at a moment, to the millisecond.
func NewClock(t time.Time) *Clock { return &Clock{t: t.Truncate(time.Millisecond)} }

// Now reads the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
