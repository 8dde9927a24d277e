package storetest

import (
	"path/filepath"
	"testing"

	"trygg/store"
)

// Keys makes a keys file for a test and gives its path.
func Keys(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "keys")
	if err := store.NewKeys(path); err != nil {
		tb.Fatal(err)
	}
	return path
}

// Ring loads a keys file; without a path a new one is made.
func Ring(tb testing.TB, path ...string) *store.Ring {
	tb.Helper()
	if len(path) == 0 {
		path = []string{Keys(tb)}
	}
	r, err := store.LoadKeys(path[0])
	if err != nil {
		tb.Fatal(err)
	}
	return r
}
