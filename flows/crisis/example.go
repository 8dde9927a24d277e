package crisis

import (
	"fmt"
	"math"
	"slices"

	"trygg/flows"
)

// example is a sentence written by hand, with what it means. It speaks where no
// rule does: for sentences much like it (S18). Everyday examples speak against.
type example struct {
	id       string
	text     string
	level    flows.Level
	topic    int
	langs    langs
	features []int32
	norm     float32
}

type posting struct{ example int32 }

// A sentence must share this much of its weight with an example, and so many
// words, to be taken for the same.
const (
	alike     = 0.66
	fewest    = 3
	mostWords = 24
)

// learn prepares the examples: the same reading that messages get.
func (r *Reader) learn() error {
	x := r.x
	x.postings, x.weights = map[int32][]posting{}, map[int32]float32{}
	count := map[int32]int{}
	for i := range x.examples {
		e := &x.examples[i]
		s := &scratch{}
		r.analyse(s, e.text)
		for _, part := range sentences(s.tokens) {
			e.features = x.features(e.features, s, part)
		}
		if len(e.features) < fewest {
			return fmt.Errorf("%s: too few known words", e.id)
		}
		for _, f := range e.features {
			count[f]++
		}
		e.text = ""
	}
	for f, n := range count {
		x.weights[f] = float32(math.Log(1 + float64(len(x.examples))/float64(n)))
	}
	for i := range x.examples {
		e := &x.examples[i]
		for _, f := range e.features {
			w := x.weights[f]
			e.norm += w * w
			x.postings[f] = append(x.postings[f], posting{int32(i)})
		}
		e.norm = float32(math.Sqrt(float64(e.norm)))
	}
	return nil
}

// sentences cuts tokens at the full stops.
func sentences(tokens []token) [][2]int {
	var out [][2]int
	from := 0
	for i := 0; i <= len(tokens); i++ {
		if i == len(tokens) || tokens[i].stop {
			if i > from {
				out = append(out, [2]int{from, i})
			}
			from = i + 1
		}
	}
	return out
}

// features lists what a sentence is compared by: concepts where a word has any,
// else the word itself.
func (x *lexicon) features(dst []int32, s *scratch, part [2]int) []int32 {
	add := func(f int32) {
		if !slices.Contains(dst, f) {
			dst = append(dst, f)
		}
	}
	for i := part[0]; i < part[1] && len(dst) < 2*mostWords; i++ {
		t := &s.tokens[i]
		if t.stop {
			continue
		}
		if t.base.empty() {
			if w := s.runes[t.from:t.to]; len(w) > 0 {
				// The first six letters stand for a word and its endings.
				if len(w) > 6 {
					w = w[:6]
				}
				add(int32(hash(w, -1)&0x7fffff) + maxConcepts)
			}
			continue
		}
		for c := range each(&t.base) {
			add(int32(c))
		}
	}
	return dst
}

// nearest finds the example most like one of the sentences of the message.
func (r *Reader) nearest(s *scratch, _ *set, words int) (hit, bool) {
	x := r.x
	if words > 120 || len(x.examples) == 0 {
		return hit{}, false
	}
	var best float32
	at, where := -1, 0
	var buf [2 * mostWords]int32
	dots := make(map[int32]float32, 32)
	for _, part := range sentences(s.tokens) {
		if part[1]-part[0] > mostWords {
			continue
		}
		features := x.features(buf[:0], s, part)
		if len(features) < fewest {
			continue
		}
		var norm float32
		clear(dots)
		unknown := float32(math.Log(1 + float64(len(x.examples))))
		for _, f := range features {
			w, ok := x.weights[f]
			if !ok {
				w = unknown
			}
			norm += w * w
			for _, p := range x.postings[f] {
				dots[p.example] += w * w
			}
		}
		norm = float32(math.Sqrt(float64(norm)))
		for e, dot := range dots {
			sim := dot / (norm * x.examples[e].norm)
			if sim > best || sim == best && int(e) < at {
				best, at, where = sim, int(e), part[0]
			}
		}
	}
	if at < 0 || best < alike || x.examples[at].level == flows.None && x.examples[at].topic < 0 {
		return hit{}, false
	}
	e := &x.examples[at]
	return hit{level: e.level, topic: e.topic, also: -1, prio: -1, token: where, id: e.id, langs: e.langs}, true
}
