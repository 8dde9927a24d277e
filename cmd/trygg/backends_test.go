package main

import (
	"testing"

	"trygg/store/storetest"
)

type backend struct {
	name  string
	set   map[string]string
	redis *storetest.Server // nil for the embedded file
}

// backends are the stores the program runs on: one file, and a real Redis where
// there is one.
func backends(t testing.TB) []backend {
	t.Helper()
	r := storetest.Redis(t, storetest.AppendOnly())
	return []backend{
		{name: "one file", set: map[string]string{}},
		{name: "redis", set: map[string]string{"TRYGG_REDIS_URL": r.URL()}, redis: r},
	}
}
