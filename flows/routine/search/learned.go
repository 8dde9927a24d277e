package search

import (
	"math"
	"math/rand"
	"slices"
)

// learner is what the examples teach: for every feature of a text, how much it
// speaks for each entry and for nothing fitting (multinomial logistic regression).
// Where the nearest example asks "who said something like this", the learner adds
// up everything that many examples have in common. It learns when the index is
// built, in a second, always the same from the same examples.
type learner struct {
	pieces  map[string]int32 // pieces of words and pairs of words, as features
	from    int32            // the first feature that is a piece
	scale   []float32        // how telling a feature is
	weights []float32        // by feature, then class; class 0 = outside
	classes int
}

// lessons are what the learner is set to. They were chosen on questions whose
// examples had been left out.
var lessons = struct {
	piece, couple, telling, length, rate, least float64
	rounds                                      int
}{piece: 1, couple: 0.8, telling: 0.7, length: 3, rate: 0.5, least: 0.01, rounds: 4}

// sample is a text as the learner sees it.
type sample struct {
	features []int32
	values   []float32
}

// sample gives the features of words: those of the index, pieces of four letters,
// and words that follow each other. Pieces read forms and compounds that no list has.
func (l *learner) sample(x *lexicon, tokens []token, grow bool) sample {
	v := x.vector(tokens, false)
	var s sample
	for _, f := range sortedKeys(v) {
		if f < l.from {
			s.put(f, float32(v[f]))
		}
	}
	own := map[int32]bool{}
	piece := func(name string, w float64) {
		f, ok := l.pieces[name]
		if !ok {
			if !grow {
				return
			}
			f = l.from + int32(len(l.pieces))
			l.pieces[name] = f
		}
		if !own[f] {
			own[f] = true
			s.put(f, float32(w))
		}
	}
	before := ""
	for i := range tokens {
		t := &tokens[i]
		if t.end {
			before = ""
			continue
		}
		word := []rune("^" + t.plain + "$")
		for from := 0; from+4 <= len(word); from++ {
			piece(string(word[from:from+4]), lessons.piece)
		}
		if before != "" {
			piece(before+" "+t.plain, lessons.couple)
		}
		before = t.plain
	}
	return s
}

func (s *sample) put(f int32, w float32) {
	s.features, s.values = append(s.features, f), append(s.values, w)
}

// fit gives a sample its final values: telling features count more, and long
// texts no more than short ones.
func (l *learner) fit(s sample) {
	var sum float64
	for i, f := range s.features {
		s.values[i] *= l.scale[f]
		sum += float64(s.values[i] * s.values[i])
	}
	if sum == 0 {
		return
	}
	by := float32(lessons.length / math.Sqrt(sum))
	for i := range s.values {
		s.values[i] *= by
	}
}

// forget drops the pieces that stand in one sample only: they teach nothing and
// are most of them.
func (l *learner) forget(samples []sample) {
	seen := make([]int32, int(l.from)+len(l.pieces))
	for _, s := range samples {
		for _, f := range s.features {
			seen[f]++
		}
	}
	now := make([]int32, len(seen))
	n := l.from
	for f := range now {
		switch {
		case int32(f) < l.from:
			now[f] = int32(f)
		case seen[f] > 1:
			now[f] = n
			n++
		default:
			now[f] = -1
		}
	}
	for i, s := range samples {
		var kept sample
		for k, f := range s.features {
			if now[f] >= 0 {
				kept.put(now[f], s.values[k])
			}
		}
		samples[i] = kept
	}
	pieces := make(map[string]int32, n-l.from)
	for name, f := range l.pieces {
		if now[f] >= 0 {
			pieces[name] = now[f]
		}
	}
	l.pieces = pieces
}

// learn sets the weights from samples and the classes they are examples of.
func (l *learner) learn(samples []sample, of []int, classes int) {
	l.forget(samples)
	n := int(l.from) + len(l.pieces)
	l.classes = classes
	l.scale = make([]float32, n)
	l.weights = make([]float32, n*classes)
	for _, s := range samples {
		for _, f := range s.features {
			l.scale[f]++
		}
	}
	for f, df := range l.scale {
		if df > 0 {
			l.scale[f] = float32(math.Pow(math.Log(1+float64(len(samples))/float64(df)), lessons.telling))
		}
	}
	for _, s := range samples {
		l.fit(s)
	}
	p := make([]float32, classes)
	random := rand.New(rand.NewSource(1)) // an order, the same every time
	order := random.Perm(len(samples))
	active := make([]int, 0, classes)
	for round := range lessons.rounds {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		rate := float32(lessons.rate / (1 + 0.3*float64(round)))
		for _, i := range order {
			s := samples[i]
			l.classify(s, p)
			p[of[i]]--
			active = active[:0]
			for c, v := range p {
				if v > float32(lessons.least) || v < -float32(lessons.least) {
					active = append(active, c)
				}
			}
			for k, f := range s.features {
				row := l.weights[int(f)*classes:][:classes]
				step := rate * s.values[k]
				for _, c := range active {
					row[c] -= step * p[c]
				}
			}
		}
	}
}

// classify fills in how likely each class is.
func (l *learner) classify(s sample, p []float32) {
	clear(p)
	for k, f := range s.features {
		v := s.values[k]
		row := l.weights[int(f)*l.classes:][:l.classes]
		for c, w := range row {
			p[c] += v * w
		}
	}
	top := slices.Max(p)
	var sum float32
	for c, v := range p {
		p[c] = float32(math.Exp(float64(v - top)))
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
}
