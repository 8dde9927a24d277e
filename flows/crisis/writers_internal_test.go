//go:build writers

package crisis

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// round finds which round of writers a file of examples is from: nb-17a,
// nb-everyday17 and so-17 were written at the same time, some by the same hand.
var round = regexp.MustCompile(`-[a-z]*([0-9]+)[a-z]?$`)

func roundOf(base string) string {
	if m := round.FindStringSubmatch(base); m != nil {
		return m[1]
	}
	return ""
}

// TestCrisisWriters leaves out all sentences of one round of writers in turn, fits
// the weights to the others and measures on those: what is found of people whose
// words nothing was learned from. It takes minutes and only prints: make
// crisis-writers.
func TestCrisisWriters(t *testing.T) {
	x, err := load(embedded)
	if err != nil {
		t.Fatal(err)
	}
	files, err := readExamples(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	left := map[string][]Sentence{}
	for _, file := range files {
		for _, s := range file.sentences {
			if r := roundOf(file.base); r != "" && !strings.Contains(s.Words.Read(), "{") {
				left[r] = append(left[r], s)
			}
		}
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	two := make(chan struct{}, 2)
	for r, sentences := range left {
		if len(sentences) < 500 {
			continue
		}
		all.Go(func() {
			two <- struct{}{}
			defer func() { <-two }()
			reader := newReader(x)
			ev := reader.gather(slices.DeleteFunc(slices.Clone(files), func(f exampleFile) bool { return roundOf(f.base) == r }))
			ev.fitAll()
			var err error
			reader.ev, err = recall(ev.pack(make([]byte, sumSize)))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			t.Logf("round %s left out:\n%s", r, Evaluate(reader, sentences))
		})
	}
	all.Wait()
}
