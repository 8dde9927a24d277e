package crisis

import (
	"math"

	"trygg/flows"
)

// The rules know what was foreseen. For the rest a message is compared with the
// sentences of data/examples, all written by hand: which rules, concepts, pairs
// of concepts and words stand in sentences about danger, and which in everyday
// ones? Each has a weight, fitted beforehand from those sentences alone, in an
// order that is always the same, so that the sum tells them apart; the weights
// are data/learned.bin, which learned.go reads. Nothing is fitted in the program,
// nothing is kept between messages, and every decision names the example that
// shares most of its weight and the pair that weighed most (S18).

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

// asideWeight is how much the margin of acute weighs beside the sum of weights.
const asideWeight = 2

// needed is the weight it takes to say worry, disclosure and acute after what the
// rules found: much where they found nothing, little where they are sure. With
// less than that a rule was caught by everyday speech. Chosen by leaving the
// sentences of one writer out in turn.
var needed = [...]weight{
	foundNothing:    {0.0, -1.8, -2.7},
	foundHint:       {-0.2, -2.3, -2.6},
	foundPhrase:     {-0.2, -1.9, -2.7},
	foundHarm:       {-0.2, -2.0, -3.0},
	foundDisclosure: {0.0, -1.8, -3.0},
	foundAcute:      {0.0, -1.6, -2.6},
}

// For every word that a message has less than these, a rule that held is so much
// harder to take back, and it takes so much more to be a disclosure or acute where
// no rule says so: few words are little to weigh.
const (
	briefWords = 7
	briefRule  = 0.2
	brief      = 0.3
)

// deniedStays is as needed, for what is denied to stay a worry (S11).
const deniedStays = -2.5

const (
	// Two words are for the rules alone, and in a long story one sentence may
	// tell what all the others do not.
	fewestWords = 3
	fewWords    = 16
)

const (
	chunk     = 18 // tokens weighed together
	chunkStep = 9

	sentences = 4 // at most so many are weighed by themselves

	inside = 4 // letters of a word looked at together
)

// weight is what a feature adds towards worry or more, disclosure or more, acute.
type weight [3]float32

// example is a hand-written sentence, kept as numbers of features.
type example struct {
	id       string
	grade    grade
	may      uint32 // the topics it can be about, a bit each; 0 = not known
	langs    langs
	features []int32
}

// asideAcute is the place behind the topics, where a feature speaks for what is
// acute among all danger.
const asideAcute = len(topics)

// speaks is how much a feature speaks for each topic and for what is acute, in
// steps of 1/speakStep. What few sentences have counts more (rare), and all that
// is known of a message together counts as much as in a message of any length.
type speaks struct {
	rare float32
	by   [len(topics) + 1]int8
}

const (
	speakStep = 6
	rareStep  = 16
)

// evidence is the table of features. The number of a feature is one more than
// its place; 0 is none.
type evidence struct {
	concepts [maxConcepts]int32
	together []int32          // two concepts in one stretch, the smaller first
	ordered  []int32          // one concept right before another, or nearly
	words    map[uint64]int32 // by wordKey
	weights  []weight
	names    [][2]int16 // the concepts of a feature; -1 = none
	topics   []speaks
	speaker  []int32 // the place of a feature in topics, or -1
	bias     weight
	ahead    [len(topics) + 1]float32 // what a topic, or acute, has before a word is read
	examples []example                // named in reasons
	named    []int32                  // the examples of all features, one feature after the other
	upTo     []int32                  // where those of a feature end
}

// wordKey is as much of the hash of a word as is kept: few enough bits for a
// small table, enough for no two of its words to meet.
const wordKey = 1<<40 - 1

func newEvidence() *evidence {
	return &evidence{
		together: make([]int32, maxConcepts*maxConcepts),
		ordered:  make([]int32, maxConcepts*maxConcepts),
		words:    map[uint64]int32{},
	}
}

// features lists what the tokens from..to are weighed by, each thing once: the
// rules that held there, what phrases say, the concepts, every two of them, those
// close to each other in their order, and how the words begin. With grow set,
// what is new gets a number.
func (ev *evidence) features(x *lexicon, s *scratch, from, to int, grow bool) []int32 {
	tokens, dst := s.tokens[from:to], s.features[:0]
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
	hashed := func(h uint64) {
		h &= wordKey
		at := ev.words[h]
		add(&at, -1, -1)
		if grow {
			ev.words[h] = at
		}
	}
	for i := range s.hits {
		if h := &s.hits[i]; from <= h.token && h.token < to {
			hashed(h.rule.key + uint64(h.level))
		}
	}
	var all, said set
	var buf [96]int
	before := uint64(0) // the word before
	for i := range tokens {
		t := &tokens[i]
		if t.stop {
			before = 0
			continue
		}
		all.or(&t.base)
		told := t.all
		told.without(&t.base)
		said.or(&told)
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
			e := &x.entries[t.ids[0]]
			word = e.runes
			if t.guessed && !e.stem {
				raw = word // a disguise, or a typing error
			}
		}
		// The word itself, its beginnings as the lists have it and as it was typed,
		// long for what it is, short for what its endings hide; with the word before
		// it; and every four letters further in, for what it is put together of.
		pair := hash(raw[:min(len(raw), 6)], -1)
		of := [...]uint64{hash(word[:min(len(word), 6)], -1), ^hash(raw[:min(len(raw), 4)], -1), hash(raw, -1) * 31, before*1000003 ^ pair*7}
		n := len(of)
		if before == 0 {
			n--
		}
		for _, h := range of[:n] {
			hashed(h)
		}
		for k := 1; k+inside <= len(raw); k++ {
			hashed(hash(raw[k:k+inside], -1) * 131)
		}
		before = pair
	}
	for c := range each(&said) {
		hashed(uint64(c)*1000000009 + 77)
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

// of lists the examples a feature names.
func (ev *evidence) of(f int32) []int32 {
	from := int32(0)
	if f > 0 {
		from = ev.upTo[f-1]
	}
	return ev.named[from:ev.upTo[f]]
}

// weighing is the evidence found in a message.
type weighing struct {
	score    weight
	from, to int
}

// weigh finds the stretch of the message with the most weight: every chunk of it,
// and every sentence by itself, so that what is asked first ("are you a robot?")
// does not hide what is told next.
func (r *Reader) weigh(s *scratch) weighing {
	n, ev := len(s.tokens), r.ev
	best := weighing{score: weight{-99, -99, -99}}
	windows := 0
	look := func(from, to int) {
		windows++
		w := ev.bias
		var known, acute float32
		for _, f := range ev.features(r.x, s, from, to, false) {
			fw := &ev.weights[f]
			w[0], w[1], w[2] = w[0]+fw[0], w[1]+fw[1], w[2]+fw[2]
			if row := ev.speaker[f]; row >= 0 {
				says := &ev.topics[row]
				known += says.rare * says.rare
				acute += float32(says.by[asideAcute])
			}
		}
		w[2] += asideWeight * ev.margin(asideAcute, acute, known)
		// How bad it is counts only where it is danger at all.
		switch {
		case w[0] > best.score[0] && best.score[0] < 0:
			best = weighing{w, from, to}
		case w[0] > best.score[0]:
			best.from, best.to = from, to
			fallthrough
		case w[0] > 0:
			for k := range w {
				best.score[k] = max(best.score[k], w[k])
			}
		}
	}
	step := chunkStep
	if n > 8*chunk {
		step = chunk // a very long message is read in stretches side by side
	}
	for from := 0; from < n; from += step {
		to := min(from+chunk, n)
		look(from, to)
		if to == n {
			break
		}
	}
	for from, told := 0, 0; from < n && told < sentences; {
		to := from
		for to < n && !s.tokens[to].stop {
			to++
		}
		if to-from >= fewestWords && to-from < min(n, chunk)-1 {
			told++
			look(from, to)
		}
		from = to + 1
	}
	// Of many stretches one always looks worst.
	for k := range best.score {
		best.score[k] -= 0.7 * float32(math.Log(float64(max(windows, 1))))
	}
	return best
}

// margin is how far a stretch is on the side of a topic, or of acute: what its
// features say for it, by all that is known of the stretch.
func (ev *evidence) margin(of int, says, known float32) float32 {
	if known == 0 {
		return ev.ahead[of]
	}
	return ev.ahead[of] + says/speakStep/float32(math.Sqrt(float64(known)))
}

// reason names the example of at least that grade that shares the most weight
// with the stretch, and the two concepts that weighed most.
func (r *Reader) reason(s *scratch, w weighing, least grade) (id, pair string) {
	ev := r.ev
	features := ev.features(r.x, s, w.from, w.to, false)
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
		for _, e := range ev.of(f) {
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

// What a topic has ahead of the others: one that a rule named; "other" and small
// talk where nothing is wrong; harm before rights and helpers where harm is told.
const (
	sayOfRules    = 0.05
	otherAhead    = 0
	smallAhead    = 0.1
	harmAhead     = 0.5
	firstQuestion = "what-happens-if-i-tell" // it and the topics behind it are no harm
)

// topic puts the one first that the stretch and the rules together speak for
// most; the other topics that rules named stay behind it.
func (r *Reader) topic(s *scratch, w weighing, u *flows.Understanding) {
	ev := r.ev
	if u.Level == flows.Acute && len(u.Topics) > 0 && topicOf(u.Topics[0]) == 0 {
		return // a wish to die goes before everything
	}
	var sums [len(topics)]float32
	var known float32
	for _, f := range ev.features(r.x, s, w.from, w.to, false) {
		if row := ev.speaker[f]; row >= 0 {
			says := &ev.topics[row]
			known += says.rare * says.rare
			for i := range sums {
				sums[i] += float32(says.by[i])
			}
		}
	}
	if known == 0 {
		return
	}
	for i := range sums {
		sums[i] = ev.margin(i, sums[i], known)
	}
	named := u.Topics
	if len(named) == 1 && named[0] == "other" {
		named = nil
	}
	for k, name := range named {
		sums[topicOf(name)] += sayOfRules / float32(1+k)
	}
	at, other := 0, topicOf("other")
	switch {
	case u.Level == flows.None:
		sums[other] += otherAhead
		sums[topicOf("smalltalk")] += smallAhead
	case u.Level >= flows.Disclosure:
		for i := topicOf(firstQuestion); i < other; i++ {
			sums[i] -= harmAhead
		}
	}
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
