package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trygg/store"
	"trygg/store/storetest"
)

// S53: however many processes draw, a second's rate is never exceeded, and the
// next second begins anew.
func TestBucketIsSharedAndNeverOverdrawn(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := storetest.NewMemory(func() time.Time { return now })
	b := store.Buckets{Store: s, Rate: 30}
	for second := range 3 {
		at := now.Add(time.Duration(second) * time.Second)
		var drawn atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for {
					n, err := b.Draw(t.Context(), "bot", 4, at)
					if err != nil {
						t.Error(err)
					}
					if n == 0 {
						return
					}
					drawn.Add(int64(n))
				}
			})
		}
		all.Wait()
		if drawn.Load() != 30 {
			t.Errorf("second %d: %d drawn, want 30", second, drawn.Load())
		}
	}
}
