package webchat

import (
	"strconv"
	"testing"
	"time"
)

func TestMemory_isBoundedAndForgetsTheOldestFirst(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	m := memory{life: time.Hour}
	for i := range 5 * maxMarks {
		m.first(strconv.Itoa(i), now)
	}
	if n := len(m.now) + len(m.old); n > 2*maxMarks {
		t.Errorf("holds %d values, at most %d", n, 2*maxMarks)
	}
	if m.has("0") || !m.has(strconv.Itoa(5*maxMarks-1)) {
		t.Error("the oldest are to go first")
	}
	m = memory{life: time.Hour}
	m.first("a", now)
	for range 59 {
		now = now.Add(time.Minute)
		m.first(now.String(), now)
	}
	if at, seen := m.first("a", now); !seen || now.Sub(at) != 59*time.Minute {
		t.Error("forgot before its time")
	}
	for range 3 {
		now = now.Add(61 * time.Minute)
		m.first(now.String(), now)
	}
	if m.has("a") {
		t.Error("remembers for ever")
	}
}

func TestBucket_fillsWithTimeAndNotWithClocksThatGoBack(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	b := bucket{perMinute: 2}
	for i, c := range []struct {
		pass time.Duration
		want bool
	}{{0, true}, {0, true}, {0, false}, {30 * time.Second, true}, {0, false}, {-time.Hour, false}, {time.Minute, true}, {time.Hour, true}, {0, true}, {0, false}} {
		now = now.Add(c.pass)
		if got := b.take(now); got != c.want {
			t.Errorf("step %d: %v, want %v", i+1, got, c.want)
		}
	}
}
