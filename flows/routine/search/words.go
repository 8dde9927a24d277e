package search

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/norwegian"
	"golang.org/x/text/unicode/norm"
)

// Two languages are read: bokmål, nynorsk and dialect count as one.
type tongue uint8

const (
	no tongue = iota
	en
)

// maxText is how much of a question is read.
const maxText = 8000

// fold puts text into one written form: NFKC, small letters, no zero-width
// signs, no combining marks, ä and ö as æ and ø.
func fold(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
		for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-4):]) && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
	}
	s = norm.NFKC.String(strings.ToValidUTF8(s, " "))
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´', unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
			continue
		}
		switch r = unicode.ToLower(r); r {
		case 'ä':
			r = 'æ'
		case 'ö':
			r = 'ø'
		case 'é', 'è', 'ê':
			r = 'e'
		case 'ó', 'ò', 'ô':
			r = 'o'
		case 'à', 'á':
			r = 'a'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// cut divides folded text into words; an empty word is the end of a sentence.
func cut(s string) []string {
	var out []string
	rs := []rune(s)
	for i := 0; i < len(rs); {
		r := rs[i]
		switch {
		case r == '§':
			out = append(out, "§")
			i++
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			j := i
			for j < len(rs) && (unicode.IsLetter(rs[j]) || unicode.IsDigit(rs[j])) {
				j++
			}
			// 13-2 and 24-3 are sections, one word.
			if unicode.IsDigit(rs[i]) && j+1 < len(rs) && (rs[j] == '-' || rs[j] == '–') && unicode.IsDigit(rs[j+1]) && j-i < 3 {
				k := j + 1
				for k < len(rs) && unicode.IsDigit(rs[k]) {
					k++
				}
				if k-j <= 3 {
					out = append(out, string(rs[i:j])+"-"+string(rs[j+1:k]))
					i = k
					continue
				}
			}
			out = append(out, squeeze(rs[i:j]))
			i = j
		case r == '.' || r == '!' || r == '?' || r == '\n' || r == ';':
			// plikt.no is a name, not the end of a sentence.
			if r == '.' && i+1 < len(rs) && unicode.IsLetter(rs[i+1]) {
				i++
				continue
			}
			if n := len(out); n > 0 && out[n-1] != "" {
				out = append(out, "")
			}
			i++
		default:
			i++
		}
	}
	if n := len(out); n > 0 && out[n-1] == "" {
		out = out[:n-1]
	}
	return out
}

// squeeze writes "sååå" as "så": three letters and more become one.
func squeeze(rs []rune) string {
	out := make([]rune, 0, len(rs))
	for i := 0; i < len(rs); {
		j := i
		for j < len(rs) && rs[j] == rs[i] {
			j++
		}
		n := min(j-i, 2)
		if j-i > 2 && !unicode.IsDigit(rs[i]) {
			n = 1
		}
		if unicode.IsDigit(rs[i]) {
			n = j - i
		}
		for range n {
			out = append(out, rs[i])
		}
		i = j
	}
	return string(out)
}

func stem(w string, t tongue) string {
	if len(w) < 4 || !unicode.IsLetter([]rune(w)[0]) {
		return w
	}
	env := snowballstem.NewEnv(w)
	if t == en {
		english.Stem(env)
	} else {
		norwegian.Stem(env)
	}
	return env.Current()
}

// element is one place in a phrase.
type element struct {
	word, stem string
	begins     bool
}

type phrase struct {
	elements []element
	concepts []int32
}

// lexicon is what words mean.
type lexicon struct {
	names    []string
	byName   map[string]int32
	core     []bool
	implied  [][]int32
	instead  []bool // a phrase of it means nothing else
	stop     [2]map[string]bool
	pairs    map[string]string
	parts    [][2]string
	exact    [2]map[string][]int32
	begins   [2]map[string][]int32
	ends     [2]map[string][]int32
	stems    [2]map[string][]int32
	phrases  [2]map[string][]phrase // by the first bytes of the first word
	known    map[string]bool        // every word of the lexicon and of the documents
	features map[string]int32
	couples  map[[2]int32]int32 // two concepts close together
	near     map[rune][]string  // known words by their first letter, for typing errors
	heads    map[string]bool    // words that compounds are made of
}

func loadLexicon(fsys fs.FS) (*lexicon, error) {
	var f wordsFile
	if err := read(fsys, "words.yaml", &f); err != nil {
		return nil, err
	}
	x := &lexicon{byName: map[string]int32{}, pairs: map[string]string{}, known: map[string]bool{}, features: map[string]int32{}, couples: map[[2]int32]int32{}, near: map[rune][]string{}, heads: map[string]bool{}}
	for t := range 2 {
		x.exact[t], x.begins[t], x.ends[t], x.stems[t], x.phrases[t] = map[string][]int32{}, map[string][]int32{}, map[string][]int32{}, map[string][]int32{}, map[string][]phrase{}
		x.stop[t] = map[string]bool{}
		for _, w := range strings.Fields(fold(f.Stop[[]string{"no", "en"}[t]])) {
			x.stop[t][w] = true
		}
	}
	for _, p := range strings.Fields(fold(f.Pairs)) {
		from, to, ok := strings.Cut(p, "=")
		if !ok {
			return nil, fmt.Errorf("words.yaml: pairs: %q: want nynorsk=bokmål", p)
		}
		x.pairs[from] = to
	}
	for _, p := range strings.Fields(fold(f.Parts)) {
		from, to, ok := strings.Cut(p, "=")
		if !ok {
			return nil, fmt.Errorf("words.yaml: parts: %q: want nynorsk=bokmål", p)
		}
		x.parts = append(x.parts, [2]string{from, to})
	}
	x.names = slices.Sorted(maps.Keys(f.Concepts))
	for i, name := range x.names {
		x.byName[name] = int32(i)
		x.core = append(x.core, f.Concepts[name].Core)
		x.instead = append(x.instead, f.Concepts[name].Instead)
	}
	x.implied = make([][]int32, len(x.names))
	for i, name := range x.names {
		all, err := x.closure(f, name, nil)
		if err != nil {
			return nil, err
		}
		x.implied[i] = all
	}
	for i, name := range x.names {
		c := f.Concepts[name]
		for t, forms := range []string{c.NO, c.EN} {
			for _, form := range strings.Fields(fold(forms)) {
				x.enter(tongue(t), form, int32(i))
			}
		}
	}
	return x, nil
}

// closure gives a concept and all that follow from it.
func (x *lexicon) closure(f wordsFile, name string, have []int32) ([]int32, error) {
	i, ok := x.byName[name]
	if !ok {
		return nil, fmt.Errorf("words.yaml: also: %q is not a concept", name)
	}
	if slices.Contains(have, i) {
		return have, nil
	}
	have = append(have, i)
	for _, a := range f.Concepts[name].Also {
		var err error
		if have, err = x.closure(f, a, have); err != nil {
			return nil, err
		}
	}
	return have, nil
}

// enter files one form of a concept.
func (x *lexicon) enter(t tongue, form string, c int32) {
	add := func(m map[string][]int32, k string) {
		for _, i := range x.implied[c] {
			if !slices.Contains(m[k], i) {
				m[k] = append(m[k], i)
			}
		}
	}
	fields := strings.FieldsFunc(form, func(r rune) bool { return r == '_' || r == '-' && !unicode.IsDigit([]rune(form)[0]) || r == '.' })
	if len(fields) > 1 {
		p := phrase{concepts: x.implied[c]}
		for _, w := range fields {
			body, begins := strings.CutSuffix(w, "*")
			p.elements = append(p.elements, element{word: body, stem: stem(x.plain(body), t), begins: begins})
			x.learn(body)
		}
		key := initial(p.elements[0].word)
		x.phrases[t][key] = append(x.phrases[t][key], p)
		return
	}
	form = strings.Trim(form, "-")
	switch {
	case strings.HasPrefix(form, "="):
		add(x.exact[t], form[1:])
		x.learn(form[1:])
	case strings.HasSuffix(form, "*"):
		body := strings.TrimSuffix(form, "*")
		add(x.begins[t], body)
		x.learn(body)
		x.heads[body] = true
		if len(body) >= 4 {
			add(x.stems[t], stem(x.plain(body), t))
		}
	case strings.HasPrefix(form, "*"):
		add(x.ends[t], form[1:])
	default:
		add(x.exact[t], form)
		x.learn(form)
		if len(form) >= 3 {
			x.heads[form] = true
		}
		if s := stem(x.plain(form), t); len(s) >= 4 {
			add(x.stems[t], s)
		}
	}
}

// learn makes a word known, so that misspellings find it.
func (x *lexicon) learn(w string) {
	if x.known[w] || w == "" {
		return
	}
	x.known[w] = true
	if r, n := utf8.DecodeRuneInString(w); n > 0 && len(w) >= 4 {
		x.near[r] = append(x.near[r], w)
	}
}

// plain writes a nynorsk or dialect word as bokmål, as well as rules can.
func (x *lexicon) plain(w string) string {
	if p, ok := x.pairs[w]; ok {
		return p
	}
	for _, p := range x.parts {
		w = strings.ReplaceAll(w, p[0], p[1])
	}
	return w
}

// feature gives the number of a feature; -1 when it is not of the index.
func (x *lexicon) feature(name string, make bool) int32 {
	if f, ok := x.features[name]; ok {
		return f
	}
	if !make {
		return -1
	}
	f := int32(len(x.names) + len(x.features) + len(x.couples))
	x.features[name] = f
	return f
}

// token is a word of a text with what is known of it.
type token struct {
	word     string
	plain    string    // as bokmål
	stems    [2]string // by the rules of each language
	stem     int32     // feature; -1 unknown, -2 nothing (a stop word)
	weight   float64
	concepts []int32
	parts    []int32 // features of the parts of a compound
	stop     bool
	end      bool // the end of a sentence
	mended   bool // a misspelling; short ones may be other words
}

// analysis is a text as the search reads it.
type analysis struct {
	tongue tongue
	tokens []token
}

// speaks tells the language of words, with the one that is set as a hint.
func (x *lexicon) speaks(words []string, lang string) tongue {
	n, e := 0.0, 0.0
	for _, w := range words {
		if w == "" {
			continue
		}
		isNo, isEn := x.stop[no][w], x.stop[en][w]
		switch {
		case isNo && !isEn:
			n++
		case isEn && !isNo:
			e++
		case strings.ContainsAny(w, "æøå"):
			n++
		default:
			inNo, inEn := x.means(w, no) != nil, x.means(w, en) != nil
			if inNo && !inEn {
				n += 0.7
			} else if inEn && !inNo {
				e += 0.7
			}
		}
	}
	if lang == "en" {
		e += 1
	} else if lang != "" {
		n += 1
	}
	if e > n {
		return en
	}
	return no
}

// means gives the concepts of a word as it stands.
func (x *lexicon) means(w string, t tongue) []int32 {
	if c := x.exact[t][w]; c != nil {
		return c
	}
	for i := len(w); i >= 3; i-- {
		if c := x.begins[t][w[:i]]; c != nil {
			return c
		}
	}
	for i := 2; i <= len(w)-4; i++ {
		if c := x.ends[t][w[i:]]; c != nil {
			return c
		}
	}
	return nil
}

// meansStem gives the concepts of a word by its stem.
func (x *lexicon) meansStem(w string, t tongue) []int32 {
	if p := x.plain(w); p != w {
		if c := x.means(p, t); c != nil {
			return c
		}
		w = p
	}
	if s := stem(w, t); len(s) >= 4 {
		return x.stems[t][s]
	}
	return nil
}

// analyse reads a text. With grow, unknown words become known: that is how the
// index learns its vocabulary.
func (x *lexicon) analyse(text, lang string, grow bool) analysis {
	words := cut(fold(text))
	a := analysis{tongue: x.speaks(words, lang)}
	t := a.tongue
	fuel := 24 // unknown words that are looked for among the known
	for _, w := range words {
		if w == "" {
			a.tokens = append(a.tokens, token{end: true})
			continue
		}
		p := x.plain(w)
		tok := token{word: w, plain: p, stems: [2]string{stem(p, no), stem(p, en)}, weight: 1}
		tok.concepts = x.means(w, t)
		if tok.concepts == nil {
			tok.concepts = x.meansStem(w, t)
		}
		if tok.concepts == nil && utf8.RuneCountInString(w) >= 4 {
			if tok.concepts = x.means(w, 1-t); tok.concepts != nil {
				t = 1 - t
			}
		}
		tok.stop = x.stop[t][w] || x.stop[t][p] || utf8.RuneCountInString(w) == 1 && w != "§" && !unicode.IsDigit([]rune(w)[0])
		s := tok.stems[t]
		switch {
		case tok.stop:
			tok.stem = -2
		case grow:
			x.learn(w)
			x.heads[w] = x.heads[w] || utf8.RuneCountInString(w) >= 4
			tok.stem = x.feature(s, true)
			tok.parts = x.split(w, t, true)
		default:
			tok.stem = x.feature(s, false)
			if tok.stem < 0 || tok.concepts == nil {
				tok.parts = x.split(w, t, false)
			} else if utf8.RuneCountInString(w) >= 9 {
				tok.parts = x.split(w, t, false)
			}
			if tok.stem < 0 && tok.concepts == nil && tok.parts == nil && fuel > 0 {
				fuel--
				if v := x.mend(w); v != "" {
					tok.word, tok.plain, tok.mended = v, x.plain(v), true
					tok.stems = [2]string{stem(tok.plain, no), stem(tok.plain, en)}
					tok.weight = 0.8
					if utf8.RuneCountInString(w) <= 6 {
						tok.weight = 0.6
					}
					for _, l := range []tongue{t, 1 - t} {
						if tok.concepts = x.means(v, l); tok.concepts == nil {
							tok.concepts = x.meansStem(v, l)
						}
						if f := x.feature(stem(x.plain(v), l), false); f >= 0 {
							tok.stem = f
						}
						if tok.concepts != nil || tok.stem >= 0 {
							break
						}
					}
				}
			}
		}
		t = a.tongue
		a.tokens = append(a.tokens, tok)
	}
	a.trust()
	x.phrase(&a)
	return a
}

// trust drops what short misspellings were taken for when little else in the
// text is known: "oppskrift på brød" is not about a bride.
func (a *analysis) trust() {
	known, words := 0, 0
	for i := range a.tokens {
		t := &a.tokens[i]
		if !t.end {
			words++
		}
		if !t.mended && len(t.concepts) > 0 {
			known++
		}
	}
	if known >= 2 || words == 1 {
		return
	}
	for i := range a.tokens {
		if t := &a.tokens[i]; t.mended && utf8.RuneCountInString(t.word) <= 6 {
			t.concepts, t.stem = nil, -1
		}
	}
}

// initial is what phrases are filed under: the first two bytes of their first word.
func initial(w string) string { return w[:min(2, len(w))] }

// phrase gives the concepts of several words together to the last of them.
func (x *lexicon) phrase(a *analysis) {
	done := 0 // up to where a phrase has taken the words for itself
	for i := range a.tokens {
		if a.tokens[i].end || i < done {
			continue
		}
		key := initial(a.tokens[i].word)
		for t := range tongue(2) {
			for _, p := range x.phrases[t][key] {
				if j := x.matches(a, p, i, t); j >= 0 {
					if x.instead[p.concepts[0]] {
						for k := i; k <= j; k++ {
							a.tokens[k].concepts = nil
						}
						done = j + 1
					}
					tok := &a.tokens[j]
					tok.concepts = union(tok.concepts, p.concepts)
				}
			}
		}
	}
}

// matches tells where a phrase that begins at token i ends; -1 when it does not
// stand there. Between two of its words one stop word may stand.
func (x *lexicon) matches(a *analysis, p phrase, i int, t tongue) int {
	at := i
	for k, e := range p.elements {
		ok := false
		for skip := 0; skip <= 1 && at < len(a.tokens); skip++ {
			tok := &a.tokens[at]
			if tok.end {
				return -1
			}
			if e.fits(tok, t) {
				ok = true
				break
			}
			if k == 0 || skip == 1 || !tok.stop {
				return -1
			}
			at++
		}
		if !ok {
			return -1
		}
		at++
	}
	return at - 1
}

func (e element) fits(t *token, l tongue) bool {
	switch {
	case t.word == e.word:
		return true
	case e.begins:
		return strings.HasPrefix(t.word, e.word)
	case len(e.stem) < 3 || t.word[0] != e.word[0]:
		return t.plain == e.word
	}
	return t.stems[l] == e.stem
}

func union(a, b []int32) []int32 {
	out := slices.Clone(a)
	for _, c := range b {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// split finds the parts of a compound: bekymring+s+melding.
func (x *lexicon) split(w string, t tongue, grow bool) []int32 {
	if t == en || len(w) < 8 {
		return nil
	}
	for i := len(w) - 3; i >= 3; i-- {
		if !utf8.RuneStart(w[i]) {
			continue
		}
		head, tail := w[:i], w[i:]
		if utf8.RuneCountInString(tail) < 3 || !x.isPart(tail, t) {
			continue
		}
		glue := head
		for _, g := range []string{"", "s", "e"} {
			h, ok := strings.CutSuffix(glue, g)
			if !ok || utf8.RuneCountInString(h) < 3 || !x.isPart(h, t) {
				continue
			}
			var out []int32
			for _, part := range []string{h, tail} {
				cs := x.means(part, t)
				if cs == nil {
					cs = x.meansStem(part, t)
				}
				out = union(out, cs)
				if f := x.feature(stem(x.plain(part), t), grow); f >= 0 {
					out = union(out, []int32{f})
				}
			}
			return out
		}
	}
	return nil
}

func (x *lexicon) isPart(w string, t tongue) bool {
	if x.heads[w] || x.heads[x.plain(w)] {
		return true
	}
	if len(w) < 5 {
		return false
	}
	s := stem(x.plain(w), t)
	return len(s) >= 4 && (x.stems[t][s] != nil || x.heads[s])
}

// mend finds the known word that a word was probably meant to be: one letter off
// from four letters on, two from ten. "" when there is none.
func (x *lexicon) mend(w string) string {
	rs := []rune(w)
	n := len(rs)
	if n < 4 || n > 24 || !unicode.IsLetter(rs[0]) {
		return ""
	}
	most := 1
	if n >= 10 {
		most = 2
	}
	best, cost := "", most*10+9
	try := func(list []string) {
		for _, v := range list {
			m := utf8.RuneCountInString(v)
			if m < 4 || m-n > most || n-m > most {
				continue
			}
			d := distance(rs, []rune(v), most)
			if d > most {
				continue
			}
			c := d * 10
			// A word that means something is the better guess.
			if x.means(v, no) == nil && x.means(v, en) == nil {
				c += 4
			}
			if n == 4 {
				c += 3
			}
			if c < cost || c == cost && v < best {
				best, cost = v, c
			}
		}
	}
	try(x.near[rs[0]])
	if best == "" && n >= 5 && rs[1] != rs[0] {
		try(x.near[rs[1]])
	}
	return best
}

// distance is the number of letters to change, add, leave out or swap with the
// next; above most it need not be exact.
func distance(a, b []rune, most int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 0 || len(b) == 0 {
		return len(a) + len(b)
	}
	if len(a)-len(b) > most || len(b)-len(a) > most || len(b) > 30 {
		return most + 1
	}
	var rows [3][32]int
	for j := 0; j <= len(b); j++ {
		rows[0][j] = j
	}
	prev2, prev, cur := &rows[2], &rows[0], &rows[1]
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			c := 1
			if a[i-1] == b[j-1] {
				c = 0
			}
			d := min(prev[j]+1, cur[j-1]+1, prev[j-1]+c)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, prev2[j-2]+1)
			}
			cur[j] = d
			least = min(least, d)
		}
		if least > most {
			return most + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
