package search_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/search"
)

var built = sync.OnceValues(func() (*search.Index, error) {
	d, err := data.Embedded()
	if err != nil {
		return nil, err
	}
	c, problems := routine.Embedded(d)
	if len(problems) > 0 {
		return nil, problemError(problems[0].String())
	}
	docs, terms := search.Documents(c)
	return search.New(docs, search.Options{Terms: terms})
})

type problemError string

func (e problemError) Error() string { return string(e) }

func mustIndex(t testing.TB) *search.Index {
	t.Helper()
	ix, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return ix
}

func mustQuestions(t testing.TB, half string) []search.Question {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", half, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no questions in %s: %v", half, err)
	}
	var all []search.Question
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		qs, err := search.ReadQuestions(f, strings.TrimSuffix(filepath.Base(name), ".jsonl"))
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, qs...)
	}
	return all
}
