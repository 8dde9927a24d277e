package search

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

type tq struct {
	id, text, lang, role string
	want                 []string
	cv                   bool
}

func tuneSetup(t *testing.T) ([]Document, []Term) {
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c, problems := routine.Embedded(d)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	docs, terms := Documents(c)
	return docs, terms
}

func foldOf(id string) int { h := fnv.New32(); h.Write([]byte(id)); return int(h.Sum32() % 5) }

type comp struct{ like, second, words, cues float64 }

type scored struct {
	q       tq
	c       []comp
	ids     []string
	outside float64
	inside  float64
	core    bool
}

func components(ix *Index, q tq) scored {
	a := ix.x.analyse(q.text, q.lang, false)
	out := make([]found, len(ix.entries))
	segs := segments(a.tokens)
	s := scored{q: q}
	for _, e := range ix.entries {
		s.ids = append(s.ids, e.id)
	}
	for _, tk := range a.tokens {
		for _, c := range tk.concepts {
			s.core = s.core || ix.x.core[c]
		}
	}
	s.outside = ix.segment(segs[0], out)
	s.inside = ix.belongs(a.tokens)
	for _, o := range out {
		s.c = append(s.c, comp{o.like, o.runner, o.words, o.cues})
	}
	return s
}

func TestTune(t *testing.T) {
	if os.Getenv("TUNE") == "" {
		t.Skip()
	}
	docs, terms := tuneSetup(t)
	var all []scored
	files, _ := filepath.Glob("testdata/dev/*.jsonl")
	full, err := New(docs, Options{Terms: terms})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, _ := os.ReadFile(f)
		for _, l := range strings.Split(strings.TrimSpace(string(b)), "\n") {
			var q struct {
				ID, Lang, Role, Text string
				Want                 []string
			}
			json.Unmarshal([]byte(l), &q)
			if len(strings.Fields(q.Text)) > 40 {
				continue
			}
			all = append(all, components(full, tq{q.ID, q.Text, q.Lang, q.Role, q.Want, false}))
		}
	}
	bare := slices.Clone(docs)
	for i := range bare {
		bare[i].Asked = nil
	}
	b := builder{ix: &Index{x: full.x, byID: map[string]int{}}, docs: map[string]*Document{}}
	if err := b.load(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for k := range 5 {
		ix, err := build(bare, Options{Terms: terms, Crisis: full.crisis}, func(id string) bool { return foldOf(id) != k })
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range b.lists {
			if foldOf(l.id) != k || seen[l.text] {
				continue
			}
			seen[l.text] = true
			q := tq{id: l.id, text: l.text, lang: l.lang, cv: true}
			if l.entry >= 0 {
				q.want = []string{b.ix.entries[l.entry].id}
			}
			all = append(all, components(ix, q))
		}
	}
	type params struct{ like, second, words, cues, high, least, noncore, out, in float64 }
	eval := func(p params, show bool) (float64, string) {
		var n, hit, three, rej [2]float64
		var on, oh [2]float64
		for _, s := range all {
			k := 0
			if s.q.cv {
				k = 1
			}
			best, bi := -1.0, -1
			var sc []float64
			for i, c := range s.c {
				v := p.like*(c.like+p.second*c.second) + p.words*c.words + p.cues*c.cues + p.high*max(0, c.like-0.5)
				sc = append(sc, v)
				if v > best {
					best, bi = v, i
				}
			}
			f := s.c[bi]
			v := best - s.outside*p.out + p.in*s.inside
			ok := v >= p.noncore
			if s.core {
				ok = v >= p.least
			}
			if len(s.q.want) == 0 {
				on[k]++
				if !ok {
					oh[k]++
				} else if show {
					fmt.Printf("OUT %-18s %s -> %s %.2f out=%.2f core=%v\n", s.q.id, s.q.text, s.ids[bi], best, s.outside, s.core)
				}
				continue
			}
			n[k]++
			if !ok {
				rej[k]++
				if show {
					fmt.Printf("REJ %-26s %s (%s %.2f out=%.2f core=%v like=%.2f)\n", s.q.id, s.q.text, s.ids[bi], best, s.outside, s.core, f.like)
				}
				continue
			}
			w := slices.IndexFunc(s.ids, func(id string) bool { return slices.Contains(s.q.want, id) })
			bw := -1.0
			for i, id := range s.ids {
				if slices.Contains(s.q.want, id) && sc[i] > bw {
					bw, w = sc[i], i
				}
			}
			if slices.Contains(s.q.want, s.ids[bi]) {
				hit[k]++
			} else if show {
				fmt.Printf("MIS %-26s %s | %s %.2f(%.2f/%.2f/%.2f) want %s %.2f(%.2f/%.2f/%.2f)\n", s.q.id, s.q.text, s.ids[bi], best, f.like, f.words, f.cues, s.ids[w], bw, s.c[w].like, s.c[w].words, s.c[w].cues)
			}
			above := 0
			for _, v := range sc {
				if v > bw {
					above++
				}
			}
			if above < 3 {
				three[k]++
			}
		}
		d := func(a, b float64) float64 { return a / math.Max(b, 1) }
		score := d(hit[0], n[0]) + 1.0*d(hit[1], n[1]) + 0.6*d(oh[0], on[0]) + 0.6*d(oh[1], on[1]) + 0.5*d(three[1], n[1])
		return score, fmt.Sprintf("dev %.3f/%.3f rej %.0f out %.3f | cv %.3f/%.3f rej %.0f/%.0f out %.3f", d(hit[0], n[0]), d(three[0], n[0]), rej[0], d(oh[0], on[0]), d(hit[1], n[1]), d(three[1], n[1]), rej[1], n[1], d(oh[1], on[1]))
	}
	cur := params{1, .15, .55, .5, 0, .3, .5, 0.5, 0.2}
	s, line := eval(cur, false)
	fmt.Println("start", cur, s, line)
	r := rand.New(rand.NewSource(1))
	for range 1500 {
		p := cur
		j := func(v *float64, by float64) {
			if r.Float64() < 0.4 {
				*v = math.Max(0, *v+r.NormFloat64()*by)
			}
		}
		j(&p.second, .1)
		j(&p.words, .1)
		j(&p.cues, .07)
		j(&p.high, .3)
		j(&p.least, .06)
		j(&p.noncore, .1)
		j(&p.out, .2)
		j(&p.in, .06)
		if s2, l2 := eval(p, false); s2 > s {
			s, cur, line = s2, p, l2
		}
	}
	fmt.Println("END", fmt.Sprintf("%.2f", cur), s, line)
	eval(cur, os.Getenv("TUNE") == "show")
}
