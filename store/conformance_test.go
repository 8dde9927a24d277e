package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"trygg/store"
	"trygg/store/storetest"
)

// openRedis opens a server as the program does.
func openRedis(tb testing.TB, url string, now func() time.Time) *store.Redis {
	tb.Helper()
	r, err := store.OpenRedis(tb.Context(), url, store.RedisOptions{Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

func openEmbedded(tb testing.TB, path string, now func() time.Time) *store.Embedded {
	tb.Helper()
	e, err := store.OpenEmbedded(path, store.EmbeddedOptions{Now: now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(_ testing.TB, now func() time.Time) store.Store { return storetest.NewMemory(now) })
}

func TestEmbedded(t *testing.T) {
	storetest.Run(t, func(tb testing.TB, now func() time.Time) store.Store {
		return openEmbedded(tb, filepath.Join(tb.TempDir(), "trygg.db"), now)
	})
}

func TestRedis(t *testing.T) {
	server := storetest.Redis(t)
	storetest.Run(t, func(tb testing.TB, now func() time.Time) store.Store {
		return openRedis(tb, server.URL(), now)
	})
}

func TestCluster(t *testing.T) {
	url, _ := storetest.Cluster(t)
	storetest.Run(t, func(tb testing.TB, now func() time.Time) store.Store {
		return openRedis(tb, url, now)
	})
}

func TestSentinel(t *testing.T) {
	url := storetest.Sentinel(t, storetest.Redis(t, storetest.Password("a-password-of-the-test")))
	storetest.Run(t, func(tb testing.TB, now func() time.Time) store.Store {
		return openRedis(tb, url, now)
	})
}

// A breaker in front of a store that is well changes nothing.
func TestBreaker(t *testing.T) {
	storetest.Run(t, func(_ testing.TB, now func() time.Time) store.Store {
		return store.NewBreaker(storetest.NewMemory(now), store.BreakerOptions{})
	})
}
