package crisis

import (
	"fmt"
	"os"
	"testing"
)

func TestDebug(t *testing.T) {
	text := os.Getenv("DBG")
	if text == "" {
		t.Skip()
	}
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 320)
	for n, c := range r.x.concepts {
		names[c] = n
	}
	s := &scratch{}
	r.analyse(s, text)
	var whole set
	windows(s.tokens, &whole)
	for _, tk := range s.tokens {
		fmt.Printf("%-15s quiet=%v denied=%v langs=%08b base:", string(s.runes[tk.from:tk.to]), tk.quiet, tk.denied, tk.langs)
		for c := range each(&tk.base) {
			fmt.Print(" ", names[c])
		}
		fmt.Print(" | +")
		for c := range each(&tk.all) {
			if set := tk.base; set[c>>6]&(1<<(c&63)) == 0 {
				fmt.Print(" ", names[c])
			}
		}
		for _, id := range tk.ids[:tk.n] {
			fmt.Print(" [", string(r.x.entries[id].runes), "]")
		}
		fmt.Println()
	}
	q := &scratch{}
	q.runes = fold(q.runes, text)
	q.spans = split(q.spans, q.runes)
	r.lookup(q)
	r.languages(q)
	r.x.apply(q, compound)
	for i := range r.x.patterns {
		p := &r.x.patterns[i]
		for k := range q.tokens {
			if _, _, ok := p.at(q.tokens, k); ok && p.kind != phrase {
				fmt.Println("pattern:", p.id)
			}
		}
	}
	var u = r.read(&scratch{}, text)
	fmt.Println(u.Level, u.Topics, u.Why)
}
