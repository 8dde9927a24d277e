package crisis_test

import (
	"testing"

	"trygg/flows/crisis"
)

func mustReader(t testing.TB) *crisis.Reader {
	t.Helper()
	r, err := crisis.New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNew(t *testing.T) { mustReader(t) }
