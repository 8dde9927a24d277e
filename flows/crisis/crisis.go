// Package crisis reads what a child typed. Words go in; an Understanding comes
// out: how serious it is, what it is about, in which language it was said, and
// the ids of the rules and phrases that decided (S10-S12, S18). It reads all
// eight languages at once, whatever language is set.
//
// The method can be followed by hand. Text is folded into one written form and
// cut into words (fold.go). Each word is looked up in the word lists of
// data/*.yaml, which know dialects, endings and typing errors, and gets concepts
// such as "hit", "dad" or "me". Patterns of everyday speech take the harm out of
// words ("slå plenen"), phrases add concepts ("tør ikke gå hjem"), and the rules
// of data/shared.yaml decide over concepts that stand close to each other. What
// they decide is weighed against hand-written examples (evidence.go), which find
// what no rule foresaw and take back a rule that everyday speech has caught.
//
// Nothing is stored, logged or learnt. What to do about a level is for flows and
// bot to say.
package crisis

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"unicode"

	"trygg/flows"
)

// Reader reads typed words. It may be used by many goroutines at once.
type Reader struct {
	x       *lexicon
	ev      *evidence
	scratch sync.Pool
}

// New makes a reader from the data the program carries.
func New() (*Reader, error) {
	x, err := load(embedded)
	if err != nil {
		return nil, fmt.Errorf("crisis: %w", err)
	}
	r := newReader(x)
	if r.ev, err = recall(learned); err != nil {
		return nil, fmt.Errorf("crisis: %w", err)
	}
	return r, nil
}

func newReader(x *lexicon) *Reader {
	r := &Reader{x: x}
	r.scratch.New = func() any { return &scratch{} }
	return r
}

// scratch is the memory of one reading. It is wiped before it is used again
// (S9), and does not grow beyond what one message can need.
type scratch struct {
	runes    []rune
	spans    []span
	tokens   []token
	a, b     []rune
	hits     []hit
	present  []bool  // entries the message has
	tried    []uint8 // patterns: untried, possible, impossible
	whole    set     // concepts the message has
	features []int32
	seen     []bool // features already listed
	scores   [8]float32

	soft             bool // the rules found no more than hints
	lowered          bool // they found harm that is denied
	worded           bool // among them a phrase, word for word
	ask              string
	askAll           bool // hardly a word stands around what is asked
	words            int  // words of the message, without full stops
	rowEnd, rowTries int  // the row of single letters that is being tried
}

// hit is a rule or an example that held.
type hit struct {
	level  flows.Level
	topic  int
	also   int
	prio   int
	token  int
	rule   *rule
	phrase int32
	id     string
	langs  langs
}

func (s *scratch) wipe() {
	clear(s.runes[:cap(s.runes)])
	clear(s.spans[:cap(s.spans)])
	clear(s.tokens)
	clear(s.a[:cap(s.a)])
	clear(s.b[:cap(s.b)])
	clear(s.hits)
	clear(s.present)
	clear(s.tried)
	s.whole = set{}
	clear(s.features[:cap(s.features)])
	s.runes, s.spans, s.tokens, s.a, s.b, s.hits = s.runes[:0], s.spans[:0], s.tokens[:0], s.a[:0], s.b[:0], s.hits[:0]
	s.scores, s.rowEnd, s.rowTries = [8]float32{}, 0, 0
	s.ask, s.askAll = "", false
}

// Read makes an Understanding of typed words. The same words always give the
// same answer.
func (r *Reader) Read(w flows.Words) flows.Understanding {
	s := r.scratch.Get().(*scratch)
	defer func() {
		s.wipe()
		r.scratch.Put(s)
	}()
	return r.read(s, w.Read())
}

func (r *Reader) read(s *scratch, text string) flows.Understanding {
	var u flows.Understanding
	r.analyse(s, text)
	u.Personal = personal(s.runes)
	r.rules(s, &u)
	level, why := u.Level, u.Why
	r.compare(s, &u)
	if s.ask != "" && s.askAll && level == flows.None {
		u.Level, u.Why = level, why // it asks that and says nothing else
	}
	if u.Level == flows.None {
		u.Ask = s.ask
	}
	return u
}

// analyse folds, cuts and looks up text, and applies the patterns.
func (r *Reader) analyse(s *scratch, text string) {
	x := r.x
	s.runes = fold(s.runes[:0], text)
	s.spans = split(s.spans[:0], s.runes)
	r.lookup(s)
	r.languages(s)
	for len(s.present) < len(x.entries) {
		s.present = append(s.present, false)
	}
	for len(s.tried) < len(x.patterns) {
		s.tried = append(s.tried, untried)
	}
	for i := range s.tokens {
		t := &s.tokens[i]
		for _, id := range t.ids[:t.n] {
			s.present[id] = true
		}
	}
	for kind := range kinds {
		x.apply(s, kind)
	}
}

// lookup turns spans into tokens.
func (r *Reader) lookup(s *scratch) {
	spans := s.spans
	for i := 0; i < len(spans); i++ {
		if spans[i].stop() {
			// A full stop after one or two words is how some write; it does not
			// end anything.
			before, after := 0, 0
			for k := i - 1; k >= 0 && !spans[k].stop() && before < 3; k-- {
				before++
			}
			for k := i + 1; k < len(spans) && !spans[k].stop() && after < 3; k++ {
				after++
			}
			if before > 2 && after > 2 {
				s.tokens = append(s.tokens, token{stop: true}, token{stop: true})
			}
			continue
		}
		if n := r.spaced(s, i); n > 0 {
			i += n - 1
			continue
		}
		// Five times the same word says no more than twice.
		if i >= 2 && same(s.runes, spans[i], spans[i-1]) && same(s.runes, spans[i], spans[i-2]) {
			continue
		}
		r.word(s, spans[i].from, spans[i].to)
	}
}

func same(rs []rune, a, b span) bool {
	return slices.Equal(rs[a.from:a.to], rs[b.from:b.to])
}

// spaced reads letters that stand alone, "s l å r", as one word or several run
// together, and answers how many spans it used.
func (r *Reader) spaced(s *scratch, i int) int {
	const most, tries = 100, 6
	j := i
	for j < len(s.spans) && j-i < most && s.spans[j].to-s.spans[j].from == 1 && unicode.IsLetter(s.runes[s.spans[j].from]) {
		// A wider gap between two letters is the gap between two words.
		if j > i && s.spans[j].from-s.spans[j-1].to > 2 {
			break
		}
		j++
	}
	if j-i < 3 {
		return 0
	}
	// The row may begin with words of one letter: "æ e i f a r e".
	if i >= s.rowEnd {
		s.rowEnd, s.rowTries = j, 0
	}
	if s.rowTries++; s.rowTries > tries {
		return 0
	}
	s.a = s.a[:0]
	for _, sp := range s.spans[i:j] {
		s.a = append(s.a, s.runes[sp.from])
	}
	return r.run(s, s.a, s.spans[i].from, j-i, true)
}

// run reads word as known words without gaps. It answers n when it could.
func (r *Reader) run(s *scratch, word []rune, from, n int, spaced bool) int {
	x := r.x
	const longest = 24
	type step struct {
		score int
		prev  int
		entry int32
	}
	if len(word) > 120 {
		return 0
	}
	var best [121]step
	for i := range best[:len(word)+1] {
		best[i] = step{score: -1}
	}
	best[0].score = 0
	for i := range word {
		if best[i].score < 0 {
			continue
		}
		node := int32(0)
		for j := i; j < len(word) && j-i < longest; j++ {
			to, ok := x.next[uint64(node)<<21|uint64(word[j])]
			if !ok {
				break
			}
			node = to
			n := j - i + 1
			e := x.exact[node]
			if e < 0 || len(x.entries[e].senses) == 0 || n < 2 {
				continue
			}
			score := best[i].score + n*n
			if x.meaning(e) {
				score += n
			}
			if score > best[j+1].score {
				best[j+1] = step{score, i, e}
			}
		}
	}
	if best[len(word)].score < 0 {
		return 0
	}
	var cuts [61]int32
	k, harm, person, spoken := 0, false, false, langs(0xff)
	persons := x.groups["pronoun"]
	for at := len(word); at > 0; at = best[at].prev {
		if k == len(cuts) {
			return 0
		}
		e := best[at].entry
		cuts[k] = e
		k++
		var l langs
		for i := range x.entries[e].senses {
			c := &x.entries[e].senses[i].concepts
			l |= x.entries[e].senses[i].langs
			harm = harm || c.meets(&x.harm) || c.meets(&x.helps)
			person = person || c.meets(&persons)
		}
		spoken &= family(l)
	}
	// Words run together are in one language, and somebody is among them. Two
	// alone make a compound, and many that are short are found in any long word.
	if !harm || !spaced && (k < 3 || 5*len(word) < 13*k || !person || spoken == 0) {
		return 0
	}
	for k--; k >= 0; k-- {
		s.tokens = append(s.tokens, r.token(from, from, cuts[k]))
	}
	return n
}

func (r *Reader) token(from, to int, ids ...int32) token {
	t := token{from: from, to: to}
	for _, id := range ids {
		t.add(id)
	}
	return t
}

func (t *token) add(id int32) {
	if id < 0 || int(t.n) == len(t.ids) || t.has(id) {
		return
	}
	t.ids[t.n] = id
	t.n++
}

// walk looks word up as written: the word itself and the beginnings it has.
func (x *lexicon) walk(word []rune, t *token) bool {
	node, found := int32(0), false
	var stems [4]int32
	n := 0
	for i, c := range word {
		to, ok := x.next[uint64(node)<<21|uint64(c)]
		if !ok {
			break
		}
		node = to
		if e := x.stems[node]; e >= 0 {
			copy(stems[1:], stems[:3]) // the longest first
			stems[0] = e
			n = min(n+1, len(stems))
		}
		if i == len(word)-1 {
			if e := x.exact[node]; e >= 0 {
				t.add(e)
				found = true
			}
		}
	}
	for _, e := range stems[:n] {
		t.add(e)
		found = true
	}
	return found
}

// word looks one word up, first as it stands, then ever more loosely, and adds
// its token.
func (r *Reader) word(s *scratch, from, to int) {
	x := r.x
	word := s.runes[from:to]
	t := token{from: from, to: to}
	defer func() {
		if !t.stop {
			s.tokens = append(s.tokens, t)
		}
	}()
	if len(word) > 40 || digits(word) {
		if len(word) <= 40 {
			x.walk(word, &t)
		}
		return
	}
	if len(word) > 2 && (digit(word[0]) || digit(word[1])) && slices.Contains(word, '-') {
		t.add(x.score)
		return
	}
	if x.walk(word, &t) {
		t.guessed = x.entries[t.ids[0]].stem
		return
	}
	t.guessed = true
	if r.variants(s, word, &t) {
		return
	}
	var letters, numbers, signs, stars, latin, cyrillic int
	for _, c := range word {
		switch {
		case c == '*' || c == '#':
			stars++
		case digit(c):
			numbers++
		case unicode.IsLetter(c):
			letters++
			if c < 0x250 {
				latin++
			} else if c >= 0x370 && c < 0x530 {
				cyrillic++
			}
		default:
			signs++
		}
	}
	if len(word) >= 3 && letters >= numbers && (numbers > 0 || signs > 0) {
		for i := range leet {
			s.b = mapped(s.b, word, leet[i])
			if x.walk(s.b, &t) || r.variants(s, s.b, &t) {
				return
			}
		}
	}
	if cyrillic > 0 && (latin > 0 || numbers > 0) {
		s.b = mapped(s.b, word, toCyrillic)
		if latin <= cyrillic && (x.walk(s.b, &t) || r.variants(s, s.b, &t)) {
			return
		}
	}
	if cyrillic > 0 || hasForeign(word) {
		s.b = mapped(s.b, word, toLatin)
		if x.walk(s.b, &t) || r.variants(s, s.b, &t) {
			return
		}
	}
	if stars > 0 && stars <= 2 && letters >= 2 && len(word) <= 12 && r.starred(s, word, &t) {
		return
	}
	if len(word) >= 6 && numbers == 0 && r.run(s, word, from, 1, false) > 0 {
		t.stop = true // its parts are in already
		return
	}
	if len(word) >= 5 && numbers == 0 {
		x.typo(word, &t)
	}
}

func mapped(dst, word []rune, m map[rune]rune) []rune {
	dst = dst[:0]
	for _, c := range word {
		if to, ok := m[c]; ok {
			c = to
		}
		dst = append(dst, c)
	}
	return dst
}

func hasForeign(word []rune) bool {
	for _, c := range word {
		if _, ok := toLatin[c]; ok {
			return true
		}
	}
	return false
}

// variants tries a word with long runs of a letter shortened, with digraphs for
// letters, with an Arabic particle taken off, and by its skeleton.
func (r *Reader) variants(s *scratch, word []rune, t *token) bool {
	x := r.x
	for _, keep := range [...]int{1, 2} {
		s.a = s.a[:0]
		for i, c := range word {
			run := 0
			for k := i; k >= 0 && word[k] == c; k-- {
				run++
			}
			total := run
			for k := i + 1; k < len(word) && word[k] == c; k++ {
				total++
			}
			if total >= 3 && run > keep {
				continue
			}
			s.a = append(s.a, c)
		}
		if len(s.a) == len(word) {
			break
		}
		if x.walk(s.a, t) {
			return true
		}
	}
	s.a = s.a[:0]
	for i := 0; i < len(word); i++ {
		c := word[i]
		if i+1 < len(word) {
			switch {
			case c == 'a' && word[i+1] == 'a':
				c = 'å'
			case c == 'a' && word[i+1] == 'e':
				c = 'æ'
			case c == 'o' && word[i+1] == 'e':
				c = 'ø'
			}
			if c != word[i] {
				i++
			}
		}
		s.a = append(s.a, c)
	}
	if len(s.a) != len(word) && x.walk(s.a, t) {
		return true
	}
	for _, p := range particles {
		if len(word) >= len(p)+3 && slices.Equal(word[:len(p)], p) && x.walk(word[len(p):], t) {
			return true
		}
	}
	if len(word) >= 3 {
		s.a = skeleton(s.a, word)
		if len(s.a) >= 3 {
			if e, ok := x.bones[hash(s.a, -1)]; ok && t.n == 0 {
				t.add(e)
				return true
			}
		}
	}
	return false
}

// particles are written together with the next word in Arabic.
var particles = [][]rune{
	[]rune("وال"), []rune("بال"), []rune("فال"), []rune("كال"), []rune("لل"), []rune("ال"), []rune("و"), []rune("ف"), []rune("ب"), []rune("ل"), []rune("ك"),
}

// starred reads "sl*r": each star stands for a vowel.
func (r *Reader) starred(s *scratch, word []rune, t *token) bool {
	x := r.x
	const vowels = "aåeioøæuy"
	s.a = append(s.a[:0], word...)
	var fill func(i int) bool
	fill = func(i int) bool {
		for i < len(s.a) && s.a[i] != '*' && s.a[i] != '#' {
			i++
		}
		if i == len(s.a) {
			var found token
			if !x.walk(s.a, &found) {
				return false
			}
			for _, id := range found.ids[:found.n] {
				if x.meaning(id) {
					*t = token{from: t.from, to: t.to, ids: found.ids, n: found.n}
					return true
				}
			}
			return false
		}
		old := s.a[i]
		for _, v := range vowels {
			s.a[i] = v
			if fill(i + 1) {
				return true
			}
		}
		s.a[i] = old
		return false
	}
	return fill(0)
}

// typo finds a word that is one letter off: left out, added, changed, or two
// changed places. The first letter has to be right.
func (x *lexicon) typo(word []rune, t *token) {
	best, bestCost := int32(-1), 9
	consider := func(h uint64) {
		at, ok := x.near[h]
		if !ok {
			return
		}
		for ; at >= 0; at = x.nearest[at].next {
			e := x.nearest[at].entry
			w := x.entries[e].runes
			if w[0] != word[0] || len(w)-len(word) > 1 || len(word)-len(w) > 1 {
				continue
			}
			cost := off(word, w)
			if cost < bestCost || cost == bestCost && e < best {
				best, bestCost = e, cost
			}
		}
	}
	consider(hash(word, -1))
	for k := range word {
		consider(hash(word, k))
	}
	if bestCost <= 3 {
		t.add(best)
	}
}

// off tells how far b is from a: 0 the same, 1 two letters changed places, 2 a
// letter left out or added, 3 a letter changed, 9 more.
func off(a, b []rune) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	j, k := len(a), len(b)
	for j > i && k > i && a[j-1] == b[k-1] {
		j--
		k--
	}
	switch {
	case i == j && i == k:
		return 0
	case j-i == 2 && k-i == 2 && a[i] == b[i+1] && a[i+1] == b[i]:
		return 1
	case j-i+k-i == 1:
		return 2
	case j-i == 1 && k-i == 1:
		return 3
	}
	return 9
}

// family is the languages counted as one when words are told apart.
func family(l langs) langs {
	if l&norwegian != 0 {
		l |= norwegian
	}
	return l
}

// languages gives every token its concepts. A word that means different things
// in different languages means what it does in the language around it.
func (r *Reader) languages(s *scratch) {
	x := r.x
	for i := range s.tokens {
		t := &s.tokens[i]
		for _, id := range t.ids[:t.n] {
			e := &x.entries[id]
			for k := range e.senses {
				t.langs |= e.senses[k].langs
			}
			t.langs |= x.literal[id]
		}
		if t.langs == 0 {
			continue
		}
		w := 1 / float32(groups(t.langs))
		for l := range 8 {
			if t.langs&(1<<l) != 0 {
				s.scores[l] += w * w
			}
		}
	}
	for i := range s.tokens {
		t := &s.tokens[i]
		if t.n == 0 {
			continue
		}
		if t.guessed && r.stray(s, t) {
			t.langs = 0
			continue
		}
		allowed := t.langs
		if groups(t.langs) > 1 {
			allowed = r.choose(s, i)
		}
		var done langs
		for _, id := range t.ids[:t.n] {
			e := &x.entries[id]
			for k := range e.senses {
				if l := e.senses[k].langs; l&allowed != 0 && l&done == 0 {
					t.base.or(&e.senses[k].concepts)
				}
			}
			for k := range e.senses {
				done |= e.senses[k].langs
			}
		}
		if l := t.langs & allowed; l != 0 {
			t.langs = l
		}
		t.all = t.base
	}
}

// stray tells whether a word that was only guessed, by its beginning or with a
// letter wrong, is guessed to be in a language the rest of the message is not in.
func (r *Reader) stray(s *scratch, t *token) bool {
	own, other := float32(0), float32(0)
	l := family(t.langs)
	for b := range 8 {
		if l&(1<<b) != 0 {
			own = max(own, s.scores[b])
		} else {
			other = max(other, s.scores[b])
		}
	}
	w := 1 / float32(groups(t.langs))
	own -= w * w
	if own <= 0.01 && other <= 0.01 {
		// Alone, a guess takes a good part of the word.
		e := &r.x.entries[t.ids[0]]
		return e.stem && len(e.runes) < 5 && s.runes[t.from] < 0x250
	}
	return own < other*0.3
}

func groups(l langs) int {
	n := bits.OnesCount8(uint8(l))
	if l&norwegian == norwegian {
		n--
	}
	return n
}

// choose answers the languages of token i that its neighbours speak best.
func (r *Reader) choose(s *scratch, i int) langs {
	var score [8]float32
	for k := max(0, i-5); k < len(s.tokens) && k <= i+5; k++ {
		n := &s.tokens[k]
		if k == i || n.langs == 0 {
			continue
		}
		l := family(n.langs)
		w := 1 / float32(groups(l))
		for b := range 8 {
			if l&(1<<b) != 0 {
				score[b] += w * w
			}
		}
	}
	t := &s.tokens[i]
	l := family(t.langs)
	best := float32(0)
	score[0] += 0.02 // where nothing else speaks, the language of the country does
	score[1] += 0.02
	for b := range 8 {
		if l&(1<<b) != 0 {
			score[b] += s.scores[b] * 0.1
			best = max(best, score[b])
		}
	}
	var out langs
	for b := range 8 {
		if l&(1<<b) != 0 && score[b] >= best*0.7 {
			out |= 1 << b
		}
	}
	return family(out)
}

// apply looks for the patterns of one kind and does what they say.
func (x *lexicon) apply(s *scratch, kind patternKind) {
	s.whole = set{}
	for i := range s.tokens {
		s.whole.or(&s.tokens[i].base)
	}
	try := func(list []int32, i int) {
		for _, at := range list {
			if s.tried[at] == impossible {
				continue
			}
			p := &x.patterns[at]
			if s.tried[at] == untried {
				if !p.possible(s) {
					s.tried[at] = impossible
					continue
				}
				s.tried[at] = possible
			}
			if from, to, ok := p.at(s.tokens, i); ok {
				x.found(s, p, at, from, to)
			}
		}
	}
	byEntry, byConcept := x.byEntry[kind], x.byConcept[kind]
	for i := range s.tokens {
		t := &s.tokens[i]
		for _, id := range t.ids[:t.n] {
			try(byEntry[id], i)
		}
		for c := range each(&t.base) {
			try(byConcept[c], i)
		}
	}
	if kind == everyday {
		for i := range s.tokens {
			if t := &s.tokens[i]; t.quiet {
				t.base.without(&x.harm)
				t.all = t.base
			}
		}
	}
}

// What is known of a pattern during one reading.
const (
	untried = iota
	possible
	impossible
)

// askMore is how many words may stand around a question for it to be all that is
// asked: "hei", "du", "egentlig".
const askMore = 3

// found does what pattern p, number at, says about the tokens it covers. What a
// phrase says stands on its last word.
func (x *lexicon) found(s *scratch, p *pattern, at int32, from, to int) {
	if p.kind == asking {
		if s.ask == "" {
			s.ask, s.askAll = p.ask, to-from+askMore >= len(s.tokens)
		}
		return
	}
	if p.kind == phrase {
		last := &s.tokens[to-1]
		last.all.or(&p.marks)
		last.phrase = at + 1
		for k := from; k < to; k++ {
			last.denied = last.denied || s.tokens[k].denied
		}
		return
	}
	for k := from; k < to; k++ {
		t := &s.tokens[k]
		if t.stop {
			continue
		}
		switch p.kind {
		case everyday:
			t.quiet = t.quiet || t.base.meets(&x.harm)
		case denial:
			t.denied = t.denied || t.base.meets(&x.harm)
		case compound:
			// "mammas kjæreste" is neither mamma nor a sweetheart of mine.
			if p.marks.meets(&x.persons) {
				t.base.without(&x.persons)
			}
			t.base.or(&p.marks)
			t.all = t.base
		}
	}
}

// windows gathers what stands around each token.
func windows(tokens []token, whole *set) (words int) {
	for i := range tokens {
		t := &tokens[i]
		whole.or(&t.all)
		if !t.stop && (i == 0 || t.from != tokens[i-1].from) {
			words++
		}
		clear9 := true
		for d := 1; d <= 9 && i-d >= 0; d++ {
			o := &tokens[i-d]
			if o.stop {
				clear9 = false
				continue
			}
			if d <= 2 {
				t.l2.or(&o.all)
			}
			if d <= 4 {
				t.l4.or(&o.all)
			}
			t.l9.or(&o.all)
			if clear9 {
				t.same.or(&o.all)
			}
		}
		clear9 = true
		for d := 1; d <= 9 && i+d < len(tokens); d++ {
			o := &tokens[i+d]
			if o.stop {
				clear9 = false
				continue
			}
			if d <= 2 {
				t.r2.or(&o.all)
			}
			if d <= 4 {
				t.r4.or(&o.all)
			}
			t.r9.or(&o.all)
			if clear9 {
				t.same.or(&o.all)
			}
		}
	}
	return words
}

// Past is among the reasons of a message that tells about long ago (S16).
const Past = "mark/past"

// ownChild is the rule that holds when an adult tells that it hurts its own child.
const ownChild = "own-child"

// maxWhy bounds the ids that are named for one message.
const maxWhy = 6

// rules decides by the rules and fills in the Understanding.
func (r *Reader) rules(s *scratch, u *flows.Understanding) {
	x := r.x
	var whole set
	words := windows(s.tokens, &whole)
	s.words = words
	if x.dropsI(s) {
		// The verb says I; there is no word for it.
		whole.or(&x.self)
		for i := range s.tokens {
			s.tokens[i].l4.or(&x.self)
			s.tokens[i].l9.or(&x.self)
		}
	}
	s.lowered = false
	var held [512]bool // a rule that held at its full level is done
	for i := range s.tokens {
		t := &s.tokens[i]
		for c := range each(&t.all) {
			for _, at := range x.byCore[c] {
				rl := &x.rules[at]
				if held[at] || !rl.holds(t, &whole, words) {
					continue
				}
				h := hit{level: rl.level, topic: rl.topic, also: rl.also, prio: rl.prio, token: i, rule: rl, phrase: t.phrase, id: rl.id, langs: t.langs}
				denied := t.denied && (rl.harmed || !t.base.meets(&rl.core))
				if (denied || t.same.meets(&rl.lower)) && h.level > flows.Worry {
					h.level = flows.Worry
					s.lowered = s.lowered || denied
				} else {
					held[at] = true
				}
				s.hits = append(s.hits, h)
				if len(s.hits) > 256 {
					break
				}
			}
		}
	}
	slices.SortStableFunc(s.hits, func(a, b hit) int {
		if a.level != b.level {
			return int(b.level) - int(a.level)
		}
		return b.prio - a.prio
	})
	s.soft, s.worded = true, false
	for i := range s.hits {
		s.worded = s.worded || s.hits[i].level > flows.None && s.hits[i].phrase > 0
		if h := &s.hits[i]; h.level > flows.None && (h.rule.harmed || h.rule.help) {
			s.soft = false
		}
	}
	if len(s.hits) > 0 {
		u.Level = s.hits[0].level
		u.Language = r.language(s, &s.hits[0])
	}
	r.name(s, u)
	if len(s.hits) > 0 && u.Level > flows.None {
		t := &s.tokens[s.hits[0].token]
		if (t.l9.meets(&x.past) || t.r9.meets(&x.past)) && !whole.meets(&x.present) {
			u.Why = append(u.Why[:min(len(u.Why), maxWhy-1)], Past)
		}
	}
	if u.Language == "" {
		u.Language = r.language(s, nil)
	}
}

// name fills in the topics and the reasons of the hits that count.
func (r *Reader) name(s *scratch, u *flows.Understanding) {
	x := r.x
	u.Topics, u.Why = nil, nil
	var seen [32]bool
	for i := range s.hits {
		h := &s.hits[i]
		if h.level > u.Level {
			continue // taken back
		}
		u.Help = u.Help || h.rule.help
		u.Parent = u.Parent || h.id == ownChild
		for _, topic := range [...]int{h.topic, h.also} {
			if topic >= 0 && !seen[topic] && len(u.Topics) < 3 {
				seen[topic] = true
				u.Topics = append(u.Topics, topics[topic])
			}
		}
		if len(u.Why) < maxWhy && !slices.Contains(u.Why, h.id) {
			u.Why = append(u.Why, h.id)
			if h.phrase > 0 && len(u.Why) < maxWhy {
				if id := x.patterns[h.phrase-1].id; !slices.Contains(u.Why, id) {
					u.Why = append(u.Why, id)
				}
			}
		}
	}
	if len(u.Topics) == 0 && len(s.tokens) > 0 {
		u.Topics = []string{"other"}
	}
}

// compare adds what the examples say to what the rules said.
func (r *Reader) compare(s *scratch, u *flows.Understanding) {
	if s.spelt() < fewestWords {
		return
	}
	w := r.weigh(s)
	need := &needed[s.found(u.Level)]
	level := flows.None
	few := float32(max(0, briefWords-s.words))
	if u.Level > flows.None {
		w.score[0] += briefRule * few
	}
	for l := max(u.Level+1, flows.Disclosure); l <= flows.Acute; l++ {
		w.score[l-flows.Worry] -= brief * few
	}
	// What does not even weigh as a worry is nothing more, and so on.
	for l := flows.Worry; l <= flows.Acute && w.score[l-flows.Worry] > need[l-flows.Worry]; l++ {
		level = l
	}
	if s.lowered && s.words <= fewWords {
		level = min(level, flows.Worry) // what is denied stays so
		if w.score[0] > deniedStays {
			level = flows.Worry
		}
	}
	switch {
	case level > u.Level:
		u.Level = level
		id, pair := r.reason(s, w, grade(level))
		why := make([]string, 0, maxWhy)
		for _, w := range [...]string{id, pair} {
			if w != "" {
				why = append(why, w)
			}
		}
		past := slices.Contains(u.Why, Past)
		u.Why = append(why, u.Why[:min(len(u.Why), maxWhy-1-len(why))]...)
		if past && !slices.Contains(u.Why, Past) {
			u.Why = append(u.Why, Past)
		}
	case level < u.Level && s.words <= fewWords:
		u.Level = level
		if level == flows.None {
			r.name(s, u)
		}
	}
	r.topic(s, w, u)
}

// spelt counts the words that have letters: pictures and marks are for the rules.
func (s *scratch) spelt() int {
	n := 0
	for i := range s.tokens {
		t := &s.tokens[i]
		if slices.ContainsFunc(s.runes[t.from:t.to], unicode.IsLetter) {
			n++
		}
	}
	return n
}

// found tells what the rules made of the message, by how much it is worth.
func (s *scratch) found(l flows.Level) int {
	switch {
	case l == flows.Worry && s.soft && !s.worded:
		return foundHint
	case l == flows.Worry && s.soft:
		return foundPhrase
	case l == flows.Worry:
		return foundHarm
	case l == flows.Disclosure:
		return foundDisclosure
	case l == flows.Acute:
		return foundAcute
	}
	return foundNothing
}

// dropsI tells whether most of the message is in a language that leaves the
// word for I out.
func (x *lexicon) dropsI(s *scratch) bool {
	var with, without float32
	for l, score := range s.scores {
		if langs(1<<l)&(norwegian|english) != 0 {
			with = max(with, score)
		} else {
			without = max(without, score)
		}
	}
	return without > with
}

// language names the language of a decision: that of its words, and among the
// languages that share those words the one most of the message is in.
func (r *Reader) language(s *scratch, h *hit) string {
	l := langs(0xff)
	if h != nil && h.langs != 0 {
		l = h.langs
	}
	best, at := float32(0), -1
	for b := range 8 {
		if l&(1<<b) != 0 && s.scores[b] > best {
			best, at = s.scores[b], b
		}
	}
	if at < 0 {
		return ""
	}
	return languages[at]
}
