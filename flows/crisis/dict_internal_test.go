package crisis

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"trygg/flows"
)

func TestDict(t *testing.T) {
	name := os.Getenv("DICT")
	if name == "" {
		t.Skip()
	}
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	x := r.x
	f, _ := os.Open(name)
	sc := bufio.NewScanner(f)
	s := &scratch{}
	n, loose, lvl := 0, 0, map[flows.Level]int{}
	by := map[string][]string{}
	rules := map[string][]string{}
	for sc.Scan() {
		w := sc.Text()
		if len(os.Getenv("LATIN1")) > 0 {
			w, _ = charmap.ISO8859_1.NewDecoder().String(w)
		}
		n++
		s.wipe()
		s.runes = fold(s.runes[:0], w)
		s.spans = split(s.spans[:0], s.runes)
		r.lookup(s)
		if len(s.tokens) == 1 {
			tk := &s.tokens[0]
			if tk.n > 0 {
				var tt token
				if !x.walk(s.runes[tk.from:tk.to], &tt) {
					e := &x.entries[tk.ids[0]]
					if x.meaning(tk.ids[0]) {
						loose++
						by[string(e.runes)] = append(by[string(e.runes)], w)
					}
				}
			}
		}
		u := r.Read(flows.NewWords(w))
		lvl[u.Level]++
		if u.Level > 0 {
			k := "?"
			if len(u.Why) > 0 {
				k = u.Why[0]
			}
			rules[fmt.Sprint(u.Level, " ", k)] = append(rules[fmt.Sprint(u.Level, " ", k)], w)
		}
	}
	fmt.Println(n, "loose", loose, lvl)
	pr := func(m map[string][]string, top int) {
		var ks []string
		for k := range m {
			ks = append(ks, k)
		}
		sort.Slice(ks, func(i, j int) bool { return len(m[ks[i]]) > len(m[ks[j]]) })
		for i, k := range ks {
			if i > top {
				break
			}
			v := m[k]
			fmt.Println(k, len(v), v[:min(len(v), 8)])
		}
	}
	pr(by, 60)
	fmt.Println("----")
	pr(rules, 40)
	if out := os.Getenv("OUT"); out != "" {
		o, _ := os.Create(out)
		for k, v := range by {
			for _, w := range v {
				fmt.Fprintln(o, k, w)
			}
		}
		o.Close()
	}
}
