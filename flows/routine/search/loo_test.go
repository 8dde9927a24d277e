package search

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"testing"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

func TestLOO(t *testing.T) {
	if os.Getenv("LOO") == "" {
		t.Skip()
	}
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c, problems := routine.Embedded(d)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	docs, terms := Documents(c)
	for i := range docs {
		docs[i].Asked = nil
	}
	ix, err := New(docs, Options{Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	b := builder{ix: &Index{x: ix.x, byID: map[string]int{}}, docs: map[string]*Document{}}
	for _, e := range ix.entries {
		b.ix.byID[e.id] = len(b.ix.entries)
		b.ix.entries = append(b.ix.entries, entry{id: e.id})
	}
	if err := b.load(); err != nil {
		t.Fatal(err)
	}
	n, hit, three, core0 := 0, 0, 0, 0
	for i, l := range b.lists {
		if l.entry < 0 {
			continue
		}
		a := ix.x.analyse(l.text, l.lang, false)
		e := ix.example[i]
		ix.example[i].norm = 0
		out := make([]found, len(ix.entries))
		saved := weights.words
		weights.words = 0.15
		o, core := ix.score(a, out)
		weights.words = saved
		ix.example[i] = e
		order := make([]int, len(out))
		for k := range order {
			order[k] = k
		}
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(out[j].score, out[i].score) })
		n++
		place := slices.Index(order, int(l.entry))
		if place == 0 {
			hit++
		}
		if place < 3 {
			three++
		}
		if !core {
			core0++
		}
		if place > 0 {
			top := ""
			for _, k := range order[:3] {
				top += fmt.Sprintf(" %s %.2f(%.2f/%.2f/%.2f)", ix.entries[k].id, out[k].score, out[k].like, out[k].words, out[k].cues)
			}
			f := out[l.entry]
			fmt.Printf("%-28s %d core=%v out=%.2f own=%.2f(%.2f/%.2f/%.2f)| %s |%s\n", l.id, place+1, core, o, f.score, f.like, f.words, f.cues, l.text, top)
		}
	}
	fmt.Println("LOO", n, float64(hit)/float64(n), float64(three)/float64(n), "no core", core0)
}
