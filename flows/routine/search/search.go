// Package search finds the routine, law, time limits, resource or word that a
// typed question asks for, in bokmål, nynorsk and English at once. Documents and
// hand-written examples go in when it is built; a question goes in, ids come
// out, the best first, with the phrases and examples that decided. It is a pure
// function of its data: no network, no store, nothing generated, and nothing of
// a question outlives the answer. Personal data is taken out before anything
// else is done (D10, inv-4).
//
// The method can be followed by hand. Words are folded, nynorsk and dialect
// written as bokmål, compounds taken apart, misspellings mended, endings cut by
// a stemmer, and given concepts such as "hit" or "parent" by data/words.yaml.
// Four things then speak for an entry: the words it has in common with the
// question (BM25 over title, examples and text), the example most like it, what
// its examples have in common (learned.go), and cues, which are concepts that
// stand close together. Examples of what does not belong here speak against all:
// "nothing fits" is an answer.
//
// What a person in danger, or a child, is shown is for others to say; the result
// only tells that it was noticed (S10).
package search

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"trygg/flows"
	"trygg/flows/crisis"
)

// Document is something that can be found. Fields are in all languages at once.
// One with a Tenant is a municipality's own, for those who stand there only; it
// may have the id of a national one, and is then found together with it.
type Document struct {
	ID     string // sit-…, law-…, deadlines, resource:res-…, term
	Tenant string // municipality number, "" = everywhere
	Roles  []string
	Title  []string
	Asked  []string // how people ask for it
	Signs  []string // when to use it
	Text   []string // the rest
}

// Term is a word of the field with what people type for it. A question that is
// nothing but such a word, or asks what it means, finds the entry "term".
type Term struct {
	ID    string
	Words []string
	See   []string // what the word leads to first
}

// Options are what an index is built from besides its own data.
type Options struct {
	Crisis *crisis.Reader // reads danger; nil = a reader of its own
	Terms  []Term
}

// Query is a question. Lang and Role are hints: the language that is set, and
// who asks ("role-skole"). Tenant is the municipality whose own routines are
// looked through too.
type Query struct {
	Text   flows.Words
	Lang   string
	Role   string
	Tenant string
}

// Result is what fits a question: closed lists only, never its words.
type Result struct {
	IDs    []string // the best first; empty = nothing fits
	Scores []float64
	Unsure bool // IDs are two or three to choose from
	Danger bool // the words tell of danger now (S10)
	// FirstPerson tells that the question is worded as by somebody it happens
	// to: then the child's card is offered.
	FirstPerson bool
	Terms       []string // words of the field that were asked for
	Dropped     []string // kinds of personal data taken out
	Why         []string // the cues and examples that decided
}

// Understanding is what the answer means for a flow: danger is acute, and every
// word of the field that was asked for is a way on, "term:" and its id.
func (r Result) Understanding() flows.Understanding {
	u := flows.Understanding{Unsure: r.Unsure, Self: r.FirstPerson, Personal: r.Dropped, Why: r.Why}
	if r.Danger {
		u.Level = flows.Acute
	}
	for _, id := range r.IDs {
		if id != TermID {
			u.Routines = append(u.Routines, id)
			continue
		}
		for _, t := range r.Terms {
			u.Routines = append(u.Routines, "term:"+t)
		}
	}
	u.Routines = slices.Compact(u.Routines)
	return u
}

// The ids that are no document's own.
const (
	Danger    = "sit-acute-danger"
	Suicide   = "sit-suicidal"
	Concern   = "sit-concern"
	Abroad    = "sit-abroad"
	FGM       = "sit-fgm"
	TermID    = "term"
	Deadlines = "deadlines"
)

// most is how many entries an answer has.
const most = 5

// weights are how much the parts of a score count. They were set on the examples
// of data/asked with each fifth of them left out.
var weights = struct {
	like, second, high, words, cues, more, role, exact, learned float64 // what speaks for an entry
	title, asked, signs, text                                   float64 // the fields of a document
	concept, stem, part, pair                                   float64 // the features of a text
	unknown, whole                                              float64
	least, unclear, outside, belongs, strange                   float64 // when anything fits at all
	sure, near, danger                                          float64
}{
	like: 1, second: 0.05, high: 0.1, words: 0.5, cues: 0.08, more: 0.09, role: 0.04, exact: 1, learned: 1.6,
	title: 2.5, asked: 2, signs: 1, text: 0.25,
	concept: 1, stem: 0.6, part: 0.4, pair: 0.8,
	unknown: 0.25, whole: 0.5,
	least: 1.05, unclear: 1.9, outside: 1.8, belongs: 0.65, strange: 1.9,
	sure: 1, near: 0.2, danger: 0.9,
}

// Index answers questions. It never changes; any number of goroutines may use it.
type Index struct {
	x       *lexicon
	crisis  *crisis.Reader
	names   *names
	entries []entry
	byID    map[string]int
	learner *learner
	idf     []float32
	odds    []float32   // how much a feature speaks for belonging here
	words   [][]posting // feature -> entries with their weight
	likes   [][]posting // feature -> examples
	example []example
	exact   map[string]int    // whole questions, by their folded words
	terms   map[string][]Term // by the folded word
	danger  int               // entry
}

type entry struct {
	id     string
	tenant string
	roles  []string
	cues   []cue
}

type example struct {
	id      string
	entry   int32 // -1 = outside
	norm    float32
	content int
}

type posting struct {
	of     int32
	weight float32
}

// New builds an index in memory from documents and the data the program carries.
// The same documents give the same index: content is published again and again
// with the routines unchanged, and building takes a second.
func New(docs []Document, o Options) (*Index, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(struct {
		Docs  []Document
		Terms []Term
	}{docs, o.Terms}); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	key := [sha256.Size]byte(h.Sum(nil))
	last.Lock()
	defer last.Unlock()
	ix := last.index
	if ix == nil || last.key != key {
		var err error
		if ix, err = build(docs, o, func(string) bool { return true }); err != nil {
			return nil, err
		}
		last.index, last.key = ix, key
	}
	if o.Crisis != nil && o.Crisis != ix.crisis {
		other := *ix
		other.crisis = o.Crisis
		ix = &other
	}
	return ix, nil
}

// last is the index that was built last. An index never changes, so that any
// number of callers may have the same.
var last struct {
	sync.Mutex
	key   [sha256.Size]byte
	index *Index
}

// build is New with a choice of the examples to learn from, by what they say:
// tests leave some out and ask for them.
func build(docs []Document, o Options, keep func(text string) bool) (*Index, error) {
	x, err := loadLexicon(embedded)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	ix := &Index{x: x, crisis: o.Crisis, byID: map[string]int{}, terms: map[string][]Term{}, exact: map[string]int{}, danger: -1}
	if ix.names, err = loadNames(embedded); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if ix.crisis == nil {
		if ix.crisis, err = crisis.New(); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
	}
	b := builder{ix: ix, docs: map[int]*Document{}}
	for _, d := range docs {
		if d.Tenant == "" {
			ix.byID[d.ID] = len(ix.entries)
			b.docs[len(ix.entries)] = &d
			ix.entries = append(ix.entries, entry{id: d.ID, roles: d.Roles})
		}
	}
	if err := b.load(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	b.national = len(ix.entries)
	for _, d := range docs {
		if d.Tenant != "" {
			b.own(&d)
		}
	}
	b.lists = slices.DeleteFunc(b.lists, func(l list) bool { return !keep(l.text) })
	b.build()
	for _, t := range o.Terms {
		for _, w := range t.Words {
			if w = termKey(w); w != "" {
				ix.terms[w] = append(ix.terms[w], t)
			}
		}
	}
	if i, ok := ix.byID[Danger]; ok {
		ix.danger = i
	}
	return ix, nil
}

// IDs lists what can be found.
func (ix *Index) IDs() []string {
	ids := make([]string, len(ix.entries))
	for i, e := range ix.entries {
		ids[i] = e.id
	}
	return ids
}

// builder is what is needed only while building.
type builder struct {
	ix    *Index
	docs  map[int]*Document // by entry
	lists []list            // the examples, in order
	grids []list            // what only the learner reads
	// national is how many entries are everybody's. Those of municipalities come
	// after them, and change nothing for anybody else.
	national int
}

// own takes in a municipality's own document. Nobody has written examples for it,
// so that its title, and when it is used, are its examples.
func (b *builder) own(d *Document) {
	at := len(b.ix.entries)
	b.docs[at] = d
	b.ix.entries = append(b.ix.entries, entry{id: d.ID, tenant: d.Tenant, roles: d.Roles})
	for k, text := range slices.Concat(d.Title, d.Asked, d.Signs) {
		b.lists = append(b.lists, list{fmt.Sprintf("%s/%s.%d", d.ID, d.Tenant, k+1), int32(at), "", text})
	}
}

type list struct {
	id    string
	entry int32
	lang  string
	text  string
}

// load reads the entries of the data and joins them with the documents.
func (b *builder) load() error {
	ix := b.ix
	for _, name := range entryFiles {
		var f entriesFile
		if err := read(embedded, name, &f); err != nil {
			return err
		}
		for _, e := range f.Entries {
			id := e.ID
			if strings.HasPrefix(id, "res-") {
				id = "resource:" + id
			}
			at, ok := ix.byID[id]
			if !ok {
				at = len(ix.entries)
				ix.byID[id] = at
				ix.entries = append(ix.entries, entry{id: id})
			}
			for i, text := range e.Cues {
				c, err := ix.x.cue(fmt.Sprintf("%s/cue.%d", id, i+1), text)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				ix.entries[at].cues = append(ix.entries[at].cues, c)
			}
			b.asked(id, int32(at), asked{e.NB, e.NN, e.EN})
		}
		b.asked("outside", -1, f.Outside)
	}
	questions, err := askedQuestions(embedded)
	if err != nil {
		return err
	}
	for _, q := range questions {
		if len(q.Want) == 0 {
			b.lists = append(b.lists, list{"asked/" + q.ID, -1, q.Lang, q.Text.Read()})
			continue
		}
		at, ok := ix.byID[q.Want[0]]
		if !ok {
			return fmt.Errorf("asked/%s: %q is not an entry", q.ID, q.Want[0])
		}
		b.lists = append(b.lists, list{"asked/" + q.ID, int32(at), q.Lang, q.Text.Read()})
	}
	grids, want, err := gridQuestions(embedded)
	if err != nil {
		return err
	}
	for i, g := range grids {
		g.entry = -1
		if want[i] != "outside" {
			at, ok := ix.byID[want[i]]
			if !ok {
				return fmt.Errorf("grids.yaml: %q is not an entry", want[i])
			}
			g.entry = int32(at)
		}
		b.grids = append(b.grids, g)
	}
	for i := range ix.entries {
		if d := b.docs[i]; d != nil {
			for k, text := range d.Asked {
				b.lists = append(b.lists, list{fmt.Sprintf("%s/asked.%d", d.ID, k+1), int32(i), "", text})
			}
		}
	}
	return nil
}

func (b *builder) asked(id string, at int32, a asked) {
	for _, l := range []struct {
		lang  string
		texts []string
	}{{"nb", a.NB}, {"nn", a.NN}, {"en", a.EN}} {
		for i, text := range l.texts {
			b.lists = append(b.lists, list{fmt.Sprintf("%s/%s.%d", id, l.lang, i+1), at, l.lang, text})
		}
	}
}

// build makes the postings.
func (b *builder) build() {
	ix, x := b.ix, b.ix.x
	// All words first, so that compounds are taken apart the same way everywhere.
	for _, l := range b.lists {
		for _, w := range cut(fold(l.text)) {
			x.learn(w)
			x.heads[w] = x.heads[w] || len(w) >= 5
		}
	}
	per := make([]map[int32]float64, len(ix.entries))
	for i := range per {
		per[i] = map[int32]float64{}
	}
	add := func(at int, texts []string, lang string, w float64, most float64) {
		sum := map[int32]float64{}
		for _, t := range texts {
			a := x.analyse(t, lang, true)
			for f, v := range x.vector(a.tokens, true) {
				sum[f] += v
			}
		}
		for f, v := range sum {
			per[at][f] += w * min(v, most)
		}
	}
	vectors := make([]map[int32]float64, len(b.lists))
	read := make([]analysis, len(b.lists))
	for i, l := range b.lists {
		a := x.analyse(l.text, l.lang, true)
		read[i] = a
		vectors[i] = x.vector(a.tokens, true)
		ix.example = append(ix.example, example{id: l.id, entry: l.entry, content: len(vectors[i])})
		if l.entry >= 0 {
			if int(l.entry) < b.national {
				ix.exact[termKey(l.text)] = int(l.entry)
			}
			for f, v := range vectors[i] {
				per[l.entry][f] += weights.asked * v
			}
		}
	}
	for i := range ix.entries {
		d := b.docs[i]
		if d == nil {
			continue
		}
		for _, t := range d.Title {
			if key := termKey(t); i < b.national && (!strings.Contains(key, " ") || len(key) > 5) {
				ix.exact[key] = i
			}
		}
		add(i, d.Title, "", weights.title, 3)
		add(i, d.Signs, "", weights.signs, 3)
		add(i, d.Text, "", weights.text, 3)
	}
	n := len(x.names) + len(x.features) + len(x.couples)
	b.teach(int32(n), read)
	ix.idf = make([]float32, n)
	ix.words = make([][]posting, n)
	ix.likes = make([][]posting, n)
	// How telling a feature is, is counted over examples of different entries.
	seen := make([]map[int32]bool, n)
	for i, l := range b.lists {
		if int(l.entry) >= b.national {
			continue
		}
		for f := range vectors[i] {
			if seen[f] == nil {
				seen[f] = map[int32]bool{}
			}
			e := l.entry
			if e < 0 {
				e = int32(-1 - i/4)
			}
			seen[f][e] = true
		}
	}
	b.odds(vectors)
	N := float64(b.national)
	for f := range ix.idf {
		df := float64(len(seen[f]))
		if df == 0 {
			df = 2
		}
		ix.idf[f] = float32(math.Log(1 + N/(df+0.5)))
	}
	var average float64
	length := make([]float64, len(per))
	for i, m := range per {
		for _, v := range m {
			length[i] += v
		}
		if i < b.national {
			average += length[i] / float64(b.national)
		}
	}
	for i, m := range per {
		for _, f := range sortedKeys(m) {
			tf := m[f] / (0.35 + 0.65*length[i]/average)
			ix.words[f] = append(ix.words[f], posting{int32(i), float32(tf * 2.2 / (tf + 3))})
		}
	}
	for i, v := range vectors {
		var norm float64
		for _, f := range sortedKeys(v) {
			w := v[f] * float64(ix.idf[f])
			norm += w * w
			ix.likes[f] = append(ix.likes[f], posting{int32(i), float32(w)})
		}
		ix.example[i].norm = float32(math.Sqrt(norm))
	}
}

// teach lets the learner learn from all examples, read already, and the grids.
func (b *builder) teach(from int32, read []analysis) {
	ix := b.ix
	ix.learner = &learner{pieces: map[string]int32{}, from: from}
	all := slices.Concat(b.lists, b.grids)
	samples := make([]sample, 0, len(all))
	of := make([]int, 0, len(all))
	for i, l := range all {
		if int(l.entry) < b.national {
			var a analysis
			if i < len(read) {
				a = read[i]
			} else {
				a = ix.x.analyse(l.text, l.lang, false)
			}
			samples = append(samples, ix.learner.sample(ix.x, a.tokens, true))
			of = append(of, int(l.entry)+1)
		}
	}
	ix.learner.learn(samples, of, b.national+1)
}

// odds counts how much more often a feature stands in examples that belong here
// than in those that do not.
func (b *builder) odds(vectors []map[int32]float64) {
	ix := b.ix
	ix.odds = make([]float32, len(ix.idf))
	in, out := make([]float64, len(ix.idf)), make([]float64, len(ix.idf))
	var ins, outs float64
	for i, l := range b.lists {
		if int(l.entry) >= b.national {
			continue
		}
		to := in
		if l.entry < 0 {
			to = out
			outs++
		} else {
			ins++
		}
		for f := range vectors[i] {
			to[f]++
		}
	}
	for f := range ix.odds {
		if in[f]+out[f] == 0 {
			continue
		}
		const prior = 0.6
		ix.odds[f] = float32(math.Log((in[f]+prior)/(ins+1)) - math.Log((out[f]+prior*outs/ins)/(outs+1)))
	}
}

// belongs tells how much the words of a text speak for belonging here, above 0,
// or not, below.
func (ix *Index) belongs(tokens []token) float64 {
	v := ix.x.vector(tokens, false)
	sum, n := -0.6*unknown(tokens), unknown(tokens)
	for _, f := range sortedKeys(v) {
		if int(f) < len(ix.x.names) || ix.odds[f] != 0 {
			sum += v[f] * max(-2.5, min(2.5, float64(ix.odds[f])))
			n += v[f]
		}
	}
	if n == 0 {
		return 0
	}
	return sum / math.Sqrt(n)
}

func sortedKeys(m map[int32]float64) []int32 {
	ks := make([]int32, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

// vector gives the features of words with their weight. What is not known to the
// index is left out.
func (x *lexicon) vector(tokens []token, grow bool) map[int32]float64 {
	v := map[int32]float64{}
	put := func(f int32, w float64) {
		if f >= 0 && w > v[f] {
			v[f] = w
		}
	}
	for i := range tokens {
		t := &tokens[i]
		if t.end {
			continue
		}
		for _, c := range t.concepts {
			put(c, weights.concept*t.weight)
		}
		s := 1.0
		if len(t.concepts) > 0 {
			s = weights.stem
		}
		put(t.stem, s*t.weight)
		for _, p := range t.parts {
			put(p, weights.part*t.weight)
		}
	}
	if weights.pair > 0 {
		x.pairsOf(tokens, grow, put)
	}
	return v
}

// pairsOf gives the pairs of concepts that stand close together, as features of
// their own: "parent" and "hit" say more than each by itself.
func (x *lexicon) pairsOf(tokens []token, grow bool, put func(int32, float64)) {
	for i := range tokens {
		for j := i + 1; j < len(tokens) && j-i <= 9; j++ {
			if tokens[j].end {
				break
			}
			w := weights.pair * min(tokens[i].weight, tokens[j].weight)
			if j-i > 5 {
				w *= 0.7
			}
			for _, a := range tokens[i].concepts {
				for _, b := range tokens[j].concepts {
					if a == b || !x.core[a] && !x.core[b] {
						continue
					}
					key := [2]int32{min(a, b), max(a, b)}
					f, ok := x.couples[key]
					if !ok {
						if !grow {
							continue
						}
						f = int32(len(x.names) + len(x.features) + len(x.couples))
						x.couples[key] = f
					}
					put(f, w)
				}
			}
		}
	}
}

// unknown counts the words that the index knows nothing of.
func unknown(tokens []token) float64 {
	n := 0.0
	for i := range tokens {
		t := &tokens[i]
		if !t.end && t.stem == -1 && len(t.concepts) == 0 && len(t.parts) == 0 {
			n++
		}
	}
	return n
}

// segment is a part of a question that is read by itself.
type segment struct{ tokens []token }

// segments cuts a question: short ones are one; long ones are windows of about
// twenty words that end where sentences do.
func segments(tokens []token) []segment {
	words := 0
	for _, t := range tokens {
		if !t.end {
			words++
		}
	}
	if words <= 26 {
		return []segment{{tokens}}
	}
	var out []segment
	var sentences [][]token
	from := 0
	for i := 0; i <= len(tokens); i++ {
		if i == len(tokens) || tokens[i].end || i-from >= 24 {
			if i > from {
				sentences = append(sentences, tokens[from:i])
			}
			from = i
			if i < len(tokens) && tokens[i].end {
				from++
			}
		}
	}
	for i := range sentences {
		s := slices.Clone(sentences[i])
		if i+1 < len(sentences) && len(s)+len(sentences[i+1]) <= 34 {
			s = append(append(s, token{end: true}), sentences[i+1]...)
		}
		out = append(out, segment{s})
	}
	return out
}

// found is what speaks for one entry.
type found struct {
	score, like, words, cues float64
	runner                   float64 // the second best example
	why                      []string
	example                  int32
}

// Find answers a question.
func (ix *Index) Find(q Query) Result {
	var r Result
	text, kinds := ix.names.strip(q.Text.Read())
	r.Dropped = kinds
	a := ix.x.analyse(text, q.Lang, false)
	u := ix.crisis.Read(flows.NewWords(text))

	r.FirstPerson = ix.firstPerson(a, u)
	scores := make([]found, len(ix.entries))
	outside, strange := ix.score(a, scores)
	if i, ok := ix.exact[termKey(text)]; ok {
		scores[i].score += weights.exact
	}
	for i := range scores {
		if slices.Contains(ix.entries[i].roles, q.Role) && scores[i].score > 0 {
			scores[i].score += weights.role
		}
	}
	order := ix.within(q.Tenant, scores)
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j].score, scores[i].score) })
	order = order[:min(len(order), most)]

	if len(order) > 0 && ix.fits(a, scores[order[0]].score, outside, strange*(1-ix.local(order[0], scores))) {
		best := scores[order[0]].score
		for _, i := range order {
			if s := scores[i].score; (len(r.IDs) < 3 || s >= best*0.35) && s > 0.25 {
				r.add(ix.entries[i].id, s)
				if len(r.IDs) <= 2 {
					r.Why = append(r.Why, scores[i].why...)
				}
			}
		}
	}
	ix.ask(a, text, &r)
	if len(r.IDs) > 1 && (r.Scores[0] < weights.sure || r.Scores[0]-r.Scores[1] < weights.near) {
		r.Unsure = true
		r.cut(3)
	}
	ix.offer(u, &r)
	own := 0.0
	if ix.danger >= 0 {
		own = scores[ix.danger].cues
	}
	ix.warn(a, u, own, &r)
	return r
}

// within lists the entries that a municipality has: everybody's, and its own. Of
// an own one with the id of a national one, the better counts, once.
func (ix *Index) within(tenant string, scores []found) []int {
	var order []int
	for i, e := range ix.entries {
		switch at, ok := ix.byID[e.id]; {
		case e.tenant == "":
			order = append(order, i)
		case e.tenant != tenant:
		case ok:
			scores[at].score = max(scores[at].score, scores[i].score)
		default:
			order = append(order, i)
		}
	}
	return order
}

// local tells how like its examples a question is that a municipality's own entry
// fits best: there the learner cannot say that it is strange.
func (ix *Index) local(i int, scores []found) float64 {
	if ix.entries[i].tenant == "" {
		return 0
	}
	return scores[i].like
}

// fits tells whether the best entry is good enough for an answer at all: how well
// it fits, against how like the question is to what does not belong here. A
// question without a word that belongs here must fit better.
func (ix *Index) fits(a analysis, best, outside, strange float64) bool {
	least := weights.unclear
	for i := range a.tokens {
		for _, c := range a.tokens[i].concepts {
			if ix.x.core[c] {
				least = weights.least
			}
		}
	}
	return best-weights.outside*outside-weights.strange*strange+weights.belongs*ix.belongs(a.tokens) >= least
}

func (r *Result) add(id string, score float64) {
	r.IDs = append(r.IDs, id)
	r.Scores = append(r.Scores, math.Round(score*1000)/1000)
}

func (r *Result) cut(n int) {
	r.IDs, r.Scores = r.IDs[:min(n, len(r.IDs))], r.Scores[:min(n, len(r.Scores))]
}

// first puts an id in a place, unless it stands there or before.
func (r *Result) first(id string, at int) {
	if i := slices.Index(r.IDs, id); i >= 0 {
		if i <= at {
			return
		}
		r.IDs, r.Scores = slices.Delete(r.IDs, i, i+1), slices.Delete(r.Scores, i, i+1)
	}
	at = min(at, len(r.IDs))
	score := 1.0
	if at < len(r.Scores) {
		score = r.Scores[at]
	} else if at > 0 {
		score = r.Scores[at-1]
	}
	r.IDs = slices.Insert(r.IDs, at, id)
	r.Scores = slices.Insert(r.Scores, at, score)
	r.cut(most)
}

// score fills in what speaks for every entry. It answers how much the question is
// like an example of what does not belong here, and how strange the learner
// finds it.
func (ix *Index) score(a analysis, out []found) (outside, strange float64) {
	segs := segments(a.tokens)
	for i := range out {
		out[i].example = -1
	}
	sum := make([]float64, len(out))
	one := make([]found, len(out))
	for _, s := range segs {
		clear(one)
		o := ix.segment(s, one)
		outside = max(outside, o)
		for i := range one {
			sum[i] += one[i].score
			if one[i].score > out[i].score {
				out[i] = one[i]
			}
		}
	}
	if len(segs) > 1 {
		// A story speaks for what many of its parts speak for.
		outside = 0
		for i := range out {
			out[i].score += weights.whole * (sum[i] - out[i].score) / math.Sqrt(float64(len(segs)))
		}
	}
	p := make([]float32, ix.learner.classes)
	total := make([]float64, len(p))
	read := func(tokens []token, weight float64) {
		s := ix.learner.sample(ix.x, tokens, false)
		ix.learner.fit(s)
		ix.learner.classify(s, p)
		for c, v := range p {
			total[c] += weight * float64(v)
		}
	}
	if len(segs) == 1 {
		read(a.tokens, 1)
	} else {
		// A story is read as a whole and in parts.
		read(a.tokens, 0.5)
		for _, s := range segs {
			read(s.tokens, 0.5/float64(len(segs)))
		}
	}
	for i := range out {
		if i+1 < len(total) {
			out[i].score += weights.learned * total[i+1]
		} else {
			// The learner knows nothing of a municipality's own: the example
			// speaks for it twice.
			out[i].score += weights.learned * out[i].like
		}
	}
	return outside, total[0]
}

// segment scores one part of a question.
func (ix *Index) segment(s segment, out []found) (outside float64) {
	v := ix.x.vector(s.tokens, false)
	if len(v) == 0 {
		return 0
	}
	var norm, mass float64
	keys := sortedKeys(v)
	likes := make([]float32, len(ix.example))
	for _, f := range keys {
		idf := float64(ix.idf[f])
		w := v[f] * idf
		norm += w * w
		mass += w
		for _, p := range ix.likes[f] {
			likes[p.of] += float32(w) * p.weight
		}
		for _, p := range ix.words[f] {
			out[p.of].words += w * float64(p.weight)
		}
	}
	lost := unknown(s.tokens)
	top := float64(5)
	norm = math.Sqrt(norm + weights.unknown*lost*top*top)
	mass += weights.unknown * lost * top
	for i := range likes {
		if likes[i] == 0 || ix.example[i].norm == 0 {
			continue
		}
		e := &ix.example[i]
		sim := float64(likes[i]) / (norm * float64(e.norm))
		if e.entry < 0 {
			outside = max(outside, sim)
			continue
		}
		o := &out[e.entry]
		if sim > o.like {
			o.runner = o.like
			o.like, o.example = sim, int32(i)
		} else {
			o.runner = max(o.runner, sim)
		}
	}
	places := positions(s.tokens, len(ix.x.names))
	for i := range out {
		o := &out[i]
		if o.like > 0 {
			o.why = append(o.why, ix.example[o.example].id)
		}
		cues := 0.0
		for _, c := range ix.entries[i].cues {
			if m := c.match(places); m > 0 {
				if m > cues {
					cues, m = m, cues
				}
				cues += weights.more * min(m, 1)
				o.why = append(o.why, c.id)
			}
		}
		o.cues = min(cues, 3.4)
		o.words /= mass
		o.score = weights.like*(o.like+weights.second*o.runner) + weights.high*max(0, o.like-0.5) + weights.words*o.words + weights.cues*o.cues
	}
	return outside
}

// positions tells where each concept stands.
func positions(tokens []token, n int) [][]int16 {
	at := make([][]int16, n)
	k := int16(0)
	for i := range tokens {
		if tokens[i].end {
			k += 3
			continue
		}
		for _, c := range tokens[i].concepts {
			at[c] = append(at[c], k)
		}
		k++
	}
	return at
}

// apart is how many words may lie between the concepts of a cue.
const apart = 16

// match gives the weight of the cue when its concepts stand close together, less
// when they are further apart; 0 when they do not.
func (c *cue) match(at [][]int16) float64 {
	for _, n := range c.not {
		if len(at[n]) > 0 {
			return 0
		}
	}
	best := 0.0
	for _, concept := range c.groups[0] {
		for _, p := range at[concept] {
			used := [8]int16{p}
			n, far := 1, int16(0)
			for _, group := range c.groups[1:] {
				near, d := int16(-1), int16(apart+1)
				for _, other := range group {
					for _, q := range at[other] {
						if slices.Contains(used[:n], q) {
							continue
						}
						if e := max(p-q, q-p); e < d {
							near, d = q, e
						}
					}
				}
				if near < 0 || n == len(used) {
					n = 0
					break
				}
				used[n] = near
				n++
				far = max(far, d)
			}
			if n == 0 {
				continue
			}
			best = max(best, c.weight*(1-0.35*float64(far)/apart))
		}
	}
	return best
}
