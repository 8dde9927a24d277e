package crisis_test

import (
	"os"
	"strings"
	"testing"

	"trygg/flows/crisis"
)

func TestBlind(t *testing.T) {
	name := os.Getenv("BLIND")
	if name == "" {
		t.Skip()
	}
	r := mustReader(t)
	b, _ := os.ReadFile(name)
	lang := os.Getenv("LANG1")
	s, err := crisis.ParseSentences(strings.NewReader(string(b)), lang, "x")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", crisis.Evaluate(r, s))
	for _, s := range s {
		rep := crisis.Evaluate(r, []crisis.Sentence{s})
		if len(rep.Misses) > 0 {
			u := r.Read(s.Words)
			t.Logf("%-10s %v -> %-10s %v %v | %s", s.Kind, s.Topics, u.Level, u.Topics, u.Why, s.Words.Read())
		}
	}
}
