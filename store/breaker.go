package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// BreakerOptions adjust NewBreaker; the zero value is good.
type BreakerOptions struct {
	Failures int              // in a row, until it opens; 3
	Pause    time.Duration    // from opening to the next try; 500 ms
	Now      func() time.Time // time.Now
}

// Breaker is a Store in front of another. After some failures in a row it
// answers ErrUnavailable at once, so that children do not wait and goroutines do
// not gather behind a store that hangs (F3, F4); then it lets one call through
// at a time to see whether the store is back. Refused writes do not open it,
// since reading still works (F6, F8).
type Breaker struct {
	store Store
	o     BreakerOptions

	mu       sync.Mutex
	failures int
	until    time.Time // open until then; zero = closed
	trying   bool
	refused  bool
}

var _ Store = (*Breaker)(nil)

// NewBreaker puts a breaker in front of a store, which it closes with itself.
func NewBreaker(s Store, o BreakerOptions) *Breaker {
	if o.Failures <= 0 {
		o.Failures = 3
	}
	if o.Pause <= 0 {
		o.Pause = 500 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Breaker{store: s, o: o}
}

// Degraded tells whether the store is away, or refused the last write.
func (b *Breaker) Degraded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.until.IsZero() || b.refused
}

var errOpen = errors.New("breaker is open")

// enter asks whether a call may go through.
func (b *Breaker) enter(doing string) (try bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return false, nil
	}
	if b.trying || b.o.Now().Before(b.until) {
		return false, &Error{Doing: doing, Class: "breaker", kind: ErrUnavailable, cause: errOpen}
	}
	b.trying = true
	return true, nil
}

// leave takes what came of a call.
func (b *Breaker) leave(try, write bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if try {
		b.trying = false
	}
	refused := errors.Is(err, ErrRefused)
	switch {
	case errors.Is(err, ErrUnavailable) && !refused:
		b.failures++
		if try || b.failures >= b.o.Failures {
			b.until = b.o.Now().Add(b.o.Pause)
		}
		return
	case errors.Is(err, context.Canceled), errors.Is(err, ErrBatch):
		return // says nothing about the store
	}
	if !try && !b.until.IsZero() {
		return // a call from before it opened; the try decides
	}
	b.failures, b.until = 0, time.Time{}
	if refused {
		b.refused = true
	} else if write && err == nil {
		b.refused = false
	}
}

// through makes one call. The try is given back even when the call panics.
func through[T any](b *Breaker, doing string, write bool, call func() (T, error)) (got T, err error) {
	try, err := b.enter(doing)
	if err != nil {
		return got, err
	}
	err = context.Canceled // what leave hears of a panic
	defer func() { b.leave(try, write, err) }()
	got, err = call()
	return got, err
}

// Read reads unless the breaker is open.
func (b *Breaker) Read(ctx context.Context, keys ...Key) ([]Record, error) {
	return through(b, "read", false, func() ([]Record, error) { return b.store.Read(ctx, keys...) })
}

// Commit commits unless the breaker is open.
func (b *Breaker) Commit(ctx context.Context, batch *Batch) error {
	_, err := through(b, "commit", true, func() (struct{}, error) { return struct{}{}, b.store.Commit(ctx, batch) })
	return err
}

// Queue reads a queue unless the breaker is open.
func (b *Breaker) Queue(ctx context.Context, q Key, by time.Time, most int) ([]Item, error) {
	return through(b, "read queue", false, func() ([]Item, error) { return b.store.Queue(ctx, q, by, most) })
}

// Counts reads a counter unless the breaker is open.
func (b *Breaker) Counts(ctx context.Context, k Key) (map[string]int64, error) {
	return through(b, "read counter", false, func() (map[string]int64, error) { return b.store.Counts(ctx, k) })
}

// Page reads a page unless the breaker is open.
func (b *Breaker) Page(ctx context.Context, kind Kind, cursor string, most int) (keys []Key, next string, err error) {
	keys, err = through(b, "page", false, func() (keys []Key, err error) {
		keys, next, err = b.store.Page(ctx, kind, cursor, most)
		return keys, err
	})
	return keys, next, err
}

// Lease asks for a lease unless the breaker is open.
func (b *Breaker) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	return through(b, "lease", true, func() (bool, error) { return b.store.Lease(ctx, name, ttl) })
}

// Status goes past the breaker: who asks wants to hear it from the store.
func (b *Breaker) Status(ctx context.Context) (Status, error) { return b.store.Status(ctx) }

// Close closes the store behind.
func (b *Breaker) Close() error { return b.store.Close() }
