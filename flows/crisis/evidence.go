package crisis

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"sync"

	"trygg/flows"
)

// The rules know what was foreseen. For the rest a message is compared with the
// sentences of data/examples, all written by hand: which concepts, pairs of
// concepts and words stand in sentences about danger, and which in everyday
// ones? Each gets a weight, fitted when the program starts, in an order that is
// always the same, so that the sum tells the example sentences apart. Nothing
// else is fitted, nothing is kept between messages, and every decision names the
// example that shares most of its weight and the pair that weighed most (S18).

// grade is what an example stands for.
type grade uint8

const (
	gradeNone grade = iota
	gradeWorry
	gradeDisclosure
	gradeAcute
)

var gradeOf = map[string]grade{
	KindAcute: gradeAcute, KindDisclosure: gradeDisclosure, KindIndirect: gradeWorry, KindWorry: gradeWorry,
	KindHard: gradeNone, KindInfo: gradeNone, KindEveryday: gradeNone,
}

// What rules can have made of a message.
const (
	foundNothing    = iota
	foundHint       // concepts that may mean something
	foundPhrase     // a phrase that hints
	foundHarm       // harm that is denied, joked about, or far off
	foundDisclosure // a rule for disclosure
	foundAcute
)

// needed is the weight it takes to say worry, disclosure and acute after what the
// rules found: much where they found nothing, little where they are sure. With
// less than that a rule was caught by everyday speech. Chosen by leaving examples
// out in turn.
var needed = [...]weight{
	foundNothing:    {0.7, -0.3, -1.5},
	foundHint:       {0.7, -1.0, -1.4},
	foundPhrase:     {-0.4, -0.8, -1.0},
	foundHarm:       {-0.5, -0.4, -1.6},
	foundDisclosure: {-1.2, -1.5, -2.2},
	foundAcute:      {-1.6, -2.2, -3.3},
}

// deniedStays is as needed, for what is denied to stay a worry (S11).
const deniedStays = -2.5

const (
	// Two words are for the rules alone, and in a long story one sentence may
	// tell what all the others do not.
	fewestWords = 3
	fewWords    = 16
)

// How the weights are fitted.
const (
	rounds    = 8
	rate      = 0.1
	shrinking = 0.03

	// A sentence with {several|ways} to say it is written out so many times its
	// longest list.
	mostWays = 2

	topicRounds = 5
	topicRate   = 0.06
)

const (
	chunk     = 18 // tokens weighed together
	chunkStep = 9
)

// weight is what a feature adds towards worry or more, disclosure or more, acute.
type weight [3]float32

// example is a hand-written sentence, kept as numbers of features.
type example struct {
	id       string
	grade    grade
	topic    int
	langs    langs
	features []int32
}

type evidence struct {
	concepts [maxConcepts]int32
	together []int32 // two concepts in one stretch, the smaller first
	ordered  []int32 // one concept right before another, or nearly
	words    map[uint64]int32
	weights  []weight
	names    [][2]int16 // the concepts of a feature; -1 = none
	topics   [][]float32
	bias     weight
	examples []example
	postings [][]int32
}

// features lists what a stretch of tokens is weighed by, each thing once: its
// concepts, every two of them, those close to each other in their order, and how
// its words begin. With grow set, what is new gets a number.
func (ev *evidence) features(x *lexicon, s *scratch, tokens []token, grow bool) []int32 {
	dst := s.features[:0]
	for len(s.seen) < len(ev.weights) {
		s.seen = append(s.seen, false)
	}
	add := func(at *int32, a, b int) {
		if *at == 0 {
			if !grow {
				return
			}
			ev.weights = append(ev.weights, weight{})
			ev.names = append(ev.names, [2]int16{int16(a), int16(b)})
			s.seen = append(s.seen, false)
			*at = int32(len(ev.weights))
		}
		if f := *at - 1; !s.seen[f] {
			s.seen[f] = true
			dst = append(dst, f)
		}
	}
	var all set
	var buf [96]int
	before := uint64(0) // the word before
	for i := range tokens {
		t := &tokens[i]
		if t.stop {
			before = 0
			continue
		}
		all.or(&t.base)
		for d := 1; d <= 2 && i+d < len(tokens); d++ {
			next := &tokens[i+d]
			if next.stop || next.base.empty() {
				continue
			}
			for a := range each(&t.base) {
				for b := range each(&next.base) {
					add(&ev.ordered[a*maxConcepts+b], a, b)
				}
			}
		}
		raw := s.runes[t.from:t.to]
		if len(raw) == 0 {
			continue
		}
		word := raw
		if t.n > 0 {
			word = x.entries[t.ids[0]].runes
		}
		// The word itself, its beginnings as the lists have it and as it was typed,
		// long for what it is, short for what its endings hide; and with the word
		// before it.
		pair := hash(raw[:min(len(raw), 6)], -1)
		of := [...]uint64{hash(word[:min(len(word), 6)], -1), ^hash(raw[:min(len(raw), 4)], -1), hash(raw, -1) * 31, before*1000003 ^ pair*7}
		n := len(of)
		if before == 0 {
			n--
		}
		for _, h := range of[:n] {
			at := ev.words[h]
			add(&at, -1, -1)
			if grow {
				ev.words[h] = at
			}
		}
		before = pair
	}
	list := buf[:0]
	for c := range each(&all) {
		add(&ev.concepts[c], c, -1)
		if len(list) < cap(list) {
			list = append(list, c)
		}
	}
	for i, a := range list {
		for _, b := range list[i+1:] {
			add(&ev.together[a*maxConcepts+b], a, b)
		}
	}
	for _, f := range dst {
		s.seen[f] = false
	}
	s.features = dst
	return dst
}

// learn reads the examples and fits the weights.
func (r *Reader) learn(fsys fs.FS) error {
	x := r.x
	ev := &evidence{
		together: make([]int32, maxConcepts*maxConcepts),
		ordered:  make([]int32, maxConcepts*maxConcepts),
		words:    map[uint64]int32{},
	}
	names, err := fs.Glob(fsys, "data/examples/*.txt")
	if err != nil {
		return err
	}
	s := &scratch{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		base := strings.TrimSuffix(path.Base(name), ".txt")
		tag, _, _ := strings.Cut(base, "-")
		l := slices.Index(languages, tag)
		if l < 0 {
			return fmt.Errorf("%s: %q is not a language", name, tag)
		}
		sentences, err := ParseSentences(bytes.NewReader(b), tag, base)
		if err != nil {
			return err
		}
		for _, sn := range written(sentences) {
			e := example{id: "example/" + sn.ID, grade: gradeOf[sn.Kind], topic: -1, langs: 1 << l}
			s.wipe()
			r.analyse(s, sn.Words.Read())
			n := len(s.tokens)
			e.features = slices.Clone(ev.features(x, s, s.tokens[:min(n, 2*chunk)], true))
			// Every stretch of an everyday story is an everyday example.
			for from := chunkStep; e.grade == gradeNone && from+chunkStep < n; from += chunkStep {
				more := e
				more.features = slices.Clone(ev.features(x, s, s.tokens[from:min(from+chunk, n)], true))
				ev.examples = append(ev.examples, more)
			}
			// Where a heading names several topics, the rules choose among them.
			var u flows.Understanding
			r.rules(s, &u)
			for _, topic := range append(u.Topics, sn.Topics...) {
				if slices.Contains(sn.Topics, topic) {
					e.topic = topicOf(topic)
					break
				}
			}
			if e.topic < 0 && e.grade == gradeNone {
				e.topic = topicOf("other")
			}
			ev.examples = append(ev.examples, e)
		}
	}
	var fits sync.WaitGroup
	fits.Go(ev.fit)
	fits.Go(ev.fitTopics)
	fits.Wait()
	ev.postings = make([][]int32, len(ev.weights))
	for i, e := range ev.examples {
		for _, f := range e.features {
			ev.postings[f] = append(ev.postings[f], int32(i))
		}
	}
	r.ev = ev
	return nil
}

// written writes out the sentences that hold {one|or|another}. Every way of
// saying each part is used, together with ever other ways of saying the rest,
// but not all that could be put together.
func written(sentences []Sentence) []Sentence {
	out := make([]Sentence, 0, len(sentences))
	next := uint64(1)
	for _, s := range sentences {
		text := s.Words.Read()
		if !strings.Contains(text, "{") {
			out = append(out, s)
			continue
		}
		var fixed []string
		var parts [][]string
		most, all := 1, 1
		for {
			before, rest, ok := strings.Cut(text, "{")
			fixed = append(fixed, before)
			if !ok {
				break
			}
			inside, after, _ := strings.Cut(rest, "}")
			part := strings.Split(inside, "|")
			parts = append(parts, part)
			most, all = max(most, len(part)), min(all*len(part), 1<<20)
			text = after
		}
		ways := min(all, mostWays*most)
		for i := range ways {
			var b strings.Builder
			for k, part := range parts {
				n := len(part)
				if all > ways && i%n == 0 || i == 0 {
					for at := n - 1; at > 0; at-- { // a shuffle that is always the same
						next = next*6364136223846793005 + 1442695040888963407
						j := int(next>>33) % (at + 1)
						part[at], part[j] = part[j], part[at]
					}
				}
				at := i % n
				if all <= ways {
					at = i / every(parts[:k]) % n
				}
				b.WriteString(fixed[k])
				b.WriteString(part[at])
			}
			b.WriteString(fixed[len(parts)])
			way := s
			way.Words = flows.NewWords(b.String())
			out = append(out, way)
		}
	}
	return out
}

// every is in how many ways parts can be put together.
func every(parts [][]string) int {
	n := 1
	for _, part := range parts {
		n *= len(part)
	}
	return n
}

// fit finds the weights by logistic regression: example after example, each
// weight is moved a little towards what would have told the example right, by
// less the more often it has been moved.
func (ev *evidence) fit() {
	n := len(ev.examples)
	if n == 0 {
		return
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	moved := make([]weight, len(ev.weights))
	next := uint64(1)
	for range rounds {
		for i := n - 1; i > 0; i-- { // a shuffle that is always the same
			next = next*6364136223846793005 + 1442695040888963407
			j := int(next>>33) % (i + 1)
			order[i], order[j] = order[j], order[i]
		}
		for _, at := range order {
			e := &ev.examples[at]
			sum := ev.bias
			for _, f := range e.features {
				w := &ev.weights[f]
				sum[0], sum[1], sum[2] = sum[0]+w[0], sum[1]+w[1], sum[2]+w[2]
			}
			var miss weight
			for k := range miss {
				miss[k] = float32(1 / (1 + math.Exp(-float64(sum[k]))))
				if int(e.grade) > k {
					miss[k]--
				}
				ev.bias[k] -= 0.05 * miss[k]
			}
			for _, f := range e.features {
				w, m := &ev.weights[f], &moved[f]
				for k := range w {
					g := miss[k] + shrinking*w[k]
					m[k] += g * g
					w[k] -= rate * g / float32(math.Sqrt(float64(m[k])+1e-8))
				}
			}
		}
	}
}

// fitTopics fits, in the same way, how much each feature speaks for each topic.
func (ev *evidence) fitTopics() {
	n := len(topics)
	seen := make([]int, len(ev.weights))
	for _, e := range ev.examples {
		if e.topic >= 0 {
			for _, f := range e.features {
				seen[f]++
			}
		}
	}
	ev.topics = make([][]float32, len(ev.weights))
	for f := range seen {
		if seen[f] > 1 {
			ev.topics[f] = make([]float32, n)
		}
	}
	sums := make([]float64, n)
	for round := range topicRounds {
		step := float32(topicRate / float64(1+round))
		for _, e := range ev.examples {
			if e.topic < 0 {
				continue
			}
			clear(sums)
			for _, f := range e.features {
				for i, w := range ev.topics[f] {
					sums[i] += float64(w)
				}
			}
			total := 0.0
			for i, sum := range sums {
				sums[i] = math.Exp(min(sum, 30))
				total += sums[i]
			}
			for i := range sums {
				miss := float32(sums[i] / total)
				if i == e.topic {
					miss--
				}
				if miss > 0.01 || miss < -0.01 {
					for _, f := range e.features {
						if w := ev.topics[f]; w != nil {
							w[i] -= step * miss
						}
					}
				}
			}
		}
	}
}

// weighing is the evidence found in a message.
type weighing struct {
	score    weight
	from, to int
}

// weigh finds the stretch of the message with the most weight.
func (r *Reader) weigh(s *scratch) weighing {
	n, ev := len(s.tokens), r.ev
	best := weighing{score: weight{-99, -99, -99}}
	windows, step := 0, chunkStep
	if n > 8*chunk {
		step = chunk // a very long message is read in stretches side by side
	}
	for from := 0; from < n; from += step {
		to := min(from+chunk, n)
		windows++
		w := ev.bias
		for _, f := range ev.features(r.x, s, s.tokens[from:to], false) {
			fw := &ev.weights[f]
			w[0], w[1], w[2] = w[0]+fw[0], w[1]+fw[1], w[2]+fw[2]
		}
		if w[0] > best.score[0] {
			best.from, best.to = from, to
		}
		for k := range w {
			best.score[k] = max(best.score[k], w[k])
		}
		if to == n {
			break
		}
	}
	// Of many stretches one always looks worst.
	for k := range best.score {
		best.score[k] -= 0.7 * float32(math.Log(float64(max(windows, 1))))
	}
	return best
}

// reason names the example of at least that grade that shares the most weight
// with the stretch, and the two concepts that weighed most.
func (r *Reader) reason(s *scratch, w weighing, least grade) (id, pair string) {
	ev := r.ev
	features := ev.features(r.x, s, s.tokens[w.from:w.to], false)
	shared := map[int32]float32{}
	split := max(int(least)-1, 0)
	var heavy float32
	for _, f := range features {
		fw := ev.weights[f][split]
		if fw <= 0 {
			continue
		}
		if names := ev.names[f]; fw > heavy && names[0] >= 0 {
			heavy, pair = fw, r.x.names[names[0]]
			if names[1] >= 0 {
				pair += "+" + r.x.names[names[1]]
			}
		}
		for _, e := range ev.postings[f] {
			if ev.examples[e].grade >= least {
				shared[e] += fw
			}
		}
	}
	best, most := int32(-1), float32(0)
	for e, sum := range shared {
		if sum > most || sum == most && e < best {
			best, most = e, sum
		}
	}
	if best < 0 {
		return "", pair
	}
	return ev.examples[best].id, pair
}

// sayOfRules is what a topic that a rule named has ahead of the others.
const sayOfRules = 2

// topic puts the one first that the stretch and the rules together speak for
// most; the other topics that rules named stay behind it.
func (r *Reader) topic(s *scratch, w weighing, u *flows.Understanding) {
	ev := r.ev
	var sums [32]float32
	known := 0
	if u.Level == flows.Acute && len(u.Topics) > 0 && topicOf(u.Topics[0]) == 0 {
		return // a wish to die goes before everything
	}
	for _, f := range ev.features(r.x, s, s.tokens[w.from:w.to], false) {
		if tw := ev.topics[f]; tw != nil {
			known++
			for i := range tw {
				sums[i] += tw[i]
			}
		}
	}
	if known == 0 {
		return
	}
	named := u.Topics
	if len(named) == 1 && named[0] == "other" {
		named = nil
	}
	for k, name := range named {
		sums[topicOf(name)] += sayOfRules / float32(1+k)
	}
	at, other := 0, topicOf("other")
	for i := range topics {
		if sums[i] > sums[at] && (i != other || u.Level == flows.None) {
			at = i
		}
	}
	if at == other || len(named) > 0 && named[0] == topics[at] {
		return
	}
	all := append(make([]string, 0, 3), topics[at])
	for _, name := range named {
		if name != topics[at] && len(all) < 3 {
			all = append(all, name)
		}
	}
	u.Topics = all
}
