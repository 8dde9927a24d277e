package crisis

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"trygg/flows"
)

// pattern is a row of words and concepts. What it marks when it is found:
// concepts of its own, or that the harm words it covers mean no harm, or that
// they are denied.
type pattern struct {
	id       string
	elements []element
	marks    set
	langs    langs // of the file it stands in
	kind     patternKind
	ask      string // what is asked, for kind asking
	anchor   int    // the element it is looked up by
	others   []int  // the rest of what it cannot do without
}

type patternKind uint8

const (
	compound patternKind = iota // several words that are one: "kle-av"
	denial
	phrase
	everyday
	asking // a question that has an answer of its own
	kinds  // they are applied in this order
)

// element is one place in a pattern: any of its words or concepts.
type element struct {
	entries  []int32
	rows     [][]int32 // words that belong together: "under-senga"
	concepts set
	optional bool
	gap      int // at most so many tokens of any kind instead
	without  set // ... but none of these
	exactly  bool
}

// compile enters the patterns of one language.
func (x *lexicon) compile(f languageFile, l langs) error {
	add := func(id, text string, marks set, kind patternKind) error {
		p := pattern{id: id, marks: marks, kind: kind, langs: family(l)}
		for _, field := range strings.Fields(text) {
			e, err := x.element(field, l)
			if err != nil {
				return fmt.Errorf("%s: %q: %w", id, text, err)
			}
			if kind == everyday && e.gap > 0 {
				// What is done to me is never everyday by what stands behind it.
				e.without.or(&x.object)
			}
			p.elements = append(p.elements, e)
		}
		x.patterns = append(x.patterns, p)
		return nil
	}
	for _, names := range sorted(f.Words) {
		marks, err := x.set(names, " ")
		if err != nil {
			return err
		}
		n := 0
		for _, form := range strings.Fields(f.Words[names]) {
			if strings.Contains(form, "-") && form != scoreForm {
				n++
				if err := add(fmt.Sprintf("%s/%s.word.%d", f.Language, names, n), strings.ReplaceAll(form, "-", " "), marks, compound); err != nil {
					return err
				}
			}
		}
	}
	for _, names := range sorted(f.Phrases) {
		marks, err := x.set(names, " ")
		if err != nil {
			return err
		}
		for i, text := range f.Phrases[names] {
			if err := add(fmt.Sprintf("%s/%s.%d", f.Language, strings.ReplaceAll(names, " ", "+"), i+1), text, marks, phrase); err != nil {
				return err
			}
		}
	}
	for i, text := range f.Everyday {
		if err := add(fmt.Sprintf("%s/everyday.%d", f.Language, i+1), text, set{}, everyday); err != nil {
			return err
		}
	}
	for _, name := range sorted(f.Asks) {
		for i, text := range f.Asks[name] {
			if err := add(fmt.Sprintf("%s/asks.%s.%d", f.Language, name, i+1), text, set{}, asking); err != nil {
				return err
			}
			x.patterns[len(x.patterns)-1].ask = name
		}
	}
	for i, text := range f.Denials {
		if err := add(fmt.Sprintf("%s/denial.%d", f.Language, i+1), text, set{}, denial); err != nil {
			return err
		}
	}
	return nil
}

func topicOf(name string) int { return slices.Index(topics[:], name) }

func (x *lexicon) element(field string, l langs) (element, error) {
	var e element
	switch field {
	case "..":
		e.gap, e.optional = 4, true
		return e, nil
	case "~":
		// As .., but nobody else comes in between: "jeg [har ofte] slått".
		e.gap, e.optional = 4, true
		e.without = x.groups["person"]
		if c, ok := x.concepts["passive"]; ok {
			e.without.add(c)
		}
		return e, nil
	case "_":
		e.gap, e.exactly = 1, true
		return e, nil
	}
	if body, ok := strings.CutSuffix(field, "?"); ok {
		field, e.optional = body, true
	}
	for _, alt := range strings.Split(field, "|") {
		if name, ok := strings.CutPrefix(alt, "<"); ok {
			name, ok = strings.CutSuffix(name, ">")
			if !ok {
				return e, fmt.Errorf("%q is not closed", alt)
			}
			s, err := x.set(name, " ")
			if err != nil {
				return e, err
			}
			e.concepts.or(&s)
			continue
		}
		forms, err := expand(alt)
		if err != nil {
			return e, err
		}
		if l&unmarked != 0 {
			for _, w := range forms {
				if plain := strings.Map(bare, w); plain != w && !slices.Contains(forms, plain) {
					forms = append(forms, plain)
				}
			}
		}
		for _, w := range forms {
			var row []int32
			for _, part := range strings.Split(w, "-") {
				id, err := x.enter(part)
				if err != nil {
					return e, err
				}
				for int(id) >= len(x.literal) {
					x.literal = append(x.literal, 0)
				}
				x.literal[id] |= l
				row = append(row, id)
			}
			if len(row) == 1 {
				e.entries = append(e.entries, row[0])
			} else {
				e.rows = append(e.rows, row)
			}
		}
	}
	return e, nil
}

// anchor chooses for every pattern the element that is seldom met, and files
// the pattern under it.
func (x *lexicon) anchor() {
	for k := range x.byEntry {
		x.byEntry[k] = make([][]int32, len(x.entries))
		x.byConcept[k] = make([][]int32, len(x.concepts))
	}
	usage := make([]int, len(x.entries))
	spread := make([]int, maxConcepts)
	for i := range x.entries {
		for j := range x.entries[i].senses {
			for c := range each(&x.entries[i].senses[j].concepts) {
				spread[c]++
			}
		}
	}
	for i := range x.patterns {
		for _, e := range x.patterns[i].elements {
			for _, id := range e.entries {
				usage[id]++
			}
		}
	}
	for i := range x.patterns {
		p := &x.patterns[i]
		best := 1 << 30
		for k, e := range p.elements {
			if e.optional || e.gap > 0 {
				continue
			}
			cost := 0
			for _, id := range e.entries {
				cost += usage[id]
			}
			for _, row := range e.rows {
				cost += 20 + usage[row[0]]
			}
			for c := range each(&e.concepts) {
				cost += 20 + spread[c]
			}
			if cost < best {
				best, p.anchor = cost, k
			}
		}
		for k, e := range p.elements {
			if k != p.anchor && !e.optional && e.gap == 0 {
				p.others = append(p.others, k)
			}
		}
		e := p.elements[p.anchor]
		byEntry, byConcept := x.byEntry[p.kind], x.byConcept[p.kind]
		for _, id := range e.entries {
			byEntry[id] = append(byEntry[id], int32(i))
		}
		for _, row := range e.rows {
			byEntry[row[0]] = append(byEntry[row[0]], int32(i))
		}
		for c := range each(&e.concepts) {
			byConcept[c] = append(byConcept[c], int32(i))
		}
	}
}

// each walks the members of a set.
func each(s *set) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(i<<6 | bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

// rule is a decision over concepts around a core.
type rule struct {
	id     string
	level  flows.Level
	topic  int
	also   int
	core   set
	near   []set
	left   []set
	right  []set
	wide   []set
	any    []set
	none   set
	never  set
	lower  set
	short  int
	help   bool
	prio   int
	key    uint64 // its number among the features
	harmed bool   // the core is a harm word, which can be denied
}

func (x *lexicon) rule(f ruleFile) error {
	r := rule{id: f.ID, short: f.Short, help: f.Help, prio: f.Prio, topic: -1, also: -1}
	var err error
	if f.ID == "" {
		return fmt.Errorf("no id")
	}
	for _, other := range x.rules {
		if other.id == f.ID {
			return fmt.Errorf("the id is taken")
		}
	}
	if r.level, err = level(f.Level); err != nil {
		return err
	}
	if r.topic = topicOf(f.Topic); r.topic < 0 && f.Topic != "" {
		return fmt.Errorf("%q is not a topic", f.Topic)
	}
	if r.also = topicOf(f.Also); r.also < 0 && f.Also != "" {
		return fmt.Errorf("%q is not a topic", f.Also)
	}
	one := func(names string) set {
		s, e := x.set(strings.ReplaceAll(names, "|", " "), " ")
		if e != nil && err == nil {
			err = e
		}
		return s
	}
	many := func(list []string) (out []set) {
		for _, names := range list {
			out = append(out, one(names))
		}
		return out
	}
	r.core, r.none, r.never, r.lower = one(f.Core), one(f.None), one(f.Never), one(f.Lower)
	r.near, r.left, r.right, r.wide, r.any = many(f.Near), many(f.Left), many(f.Right), many(f.Wide), many(f.Any)
	if err != nil {
		return err
	}
	if r.core.empty() {
		return fmt.Errorf("no core")
	}
	r.key = hash([]rune(r.id), -1) * 31337
	r.harmed = r.core.meets(&x.harm)
	for c := range each(&r.core) {
		x.byCore[c] = append(x.byCore[c], int32(len(x.rules)))
	}
	x.rules = append(x.rules, r)
	return nil
}

// token is a word of the message with what the data knows of it.
type token struct {
	from, to int // in the folded runes
	ids      [6]int32
	n        int8
	stop     bool
	quiet    bool // an everyday pattern covers it
	denied   bool
	guessed  bool // found by its beginning, or loosely
	langs    langs
	base     set // concepts of the word itself
	all      set // with those of the phrases that cover it
	phrase   int32
	l2, r2   set
	l4, r4   set
	l9, r9   set
	same     set // within nine tokens of the same sentence, itself left out
}

func (t *token) has(id int32) bool {
	for _, have := range t.ids[:t.n] {
		if have == id {
			return true
		}
	}
	return false
}

// fits tells whether t can stand in this place of a pattern of these languages. A
// word has to be one in those languages there ("i" is another word in Somali);
// what a word means may be said in any.
func (e *element) fits(t *token, l langs) bool {
	if t.stop {
		return false
	}
	if e.gap > 0 {
		return true
	}
	if t.base.meets(&e.concepts) {
		return true
	}
	if t.langs&l == 0 {
		return false
	}
	for _, id := range e.entries {
		if t.has(id) {
			return true
		}
	}
	return false
}

// forward matches elements from k on against tokens from i on and answers the
// first token behind the match, or -1.
func (p *pattern) forward(tokens []token, k, i int, fuel *int) int {
	if k == len(p.elements) {
		return i
	}
	if *fuel--; *fuel < 0 {
		return -1
	}
	e := &p.elements[k]
	if e.gap > 0 && !e.exactly {
		for n := 0; n <= e.gap && i+n <= len(tokens); n++ {
			if n > 0 && (tokens[i+n-1].stop || tokens[i+n-1].base.meets(&e.without)) {
				return -1
			}
			if end := p.forward(tokens, k+1, i+n, fuel); end >= 0 {
				return end
			}
		}
		return -1
	}
	if i < len(tokens) && e.fits(&tokens[i], p.langs) {
		if end := p.forward(tokens, k+1, i+1, fuel); end >= 0 {
			return end
		}
	}
	for _, row := range e.rows {
		if n := len(row); together(tokens, i, row) {
			if end := p.forward(tokens, k+1, i+n, fuel); end >= 0 {
				return end
			}
		}
	}
	if e.optional {
		return p.forward(tokens, k+1, i, fuel)
	}
	return -1
}

// backward is forward's mirror: elements k down to 0, tokens i downwards. It
// answers the first token of the match, or -1.
func (p *pattern) backward(tokens []token, k, i int, fuel *int) int {
	if k < 0 {
		return i + 1
	}
	if *fuel--; *fuel < 0 {
		return -1
	}
	e := &p.elements[k]
	if e.gap > 0 && !e.exactly {
		for n := 0; n <= e.gap && i-n >= -1; n++ {
			if n > 0 && (tokens[i-n+1].stop || tokens[i-n+1].base.meets(&e.without)) {
				return -1
			}
			if start := p.backward(tokens, k-1, i-n, fuel); start >= 0 {
				return start
			}
		}
		return -1
	}
	if i >= 0 && e.fits(&tokens[i], p.langs) {
		if start := p.backward(tokens, k-1, i-1, fuel); start >= 0 {
			return start
		}
	}
	for _, row := range e.rows {
		if n := len(row); together(tokens, i-n+1, row) {
			if start := p.backward(tokens, k-1, i-n, fuel); start >= 0 {
				return start
			}
		}
	}
	if e.optional {
		return p.backward(tokens, k-1, i, fuel)
	}
	return -1
}

// possible tells whether the message has what the pattern cannot do without.
func (p *pattern) possible(s *scratch) bool {
	for _, k := range p.others {
		e := &p.elements[k]
		if s.whole.meets(&e.concepts) {
			continue
		}
		found := false
		for _, id := range e.entries {
			if s.present[id] {
				found = true
				break
			}
		}
		for i := 0; i < len(e.rows) && !found; i++ {
			found = s.present[e.rows[i][0]]
		}
		if !found {
			return false
		}
	}
	return true
}

// together tells whether the words of row stand at token i, one after another.
func together(tokens []token, i int, row []int32) bool {
	if i < 0 || i+len(row) > len(tokens) {
		return false
	}
	for k, id := range row {
		if !tokens[i+k].has(id) {
			return false
		}
	}
	return true
}

// at matches the pattern with its anchor on token i.
func (p *pattern) at(tokens []token, i int) (from, to int, ok bool) {
	// In a sentence of another language a row of meanings alone says nothing.
	if tokens[i].langs&p.langs == 0 {
		return 0, 0, false
	}
	fuel := 200
	if to = p.forward(tokens, p.anchor, i, &fuel); to <= i {
		return 0, 0, false
	}
	if from = p.backward(tokens, p.anchor-1, i-1, &fuel); from < 0 {
		return 0, 0, false
	}
	return from, to, true
}

// holds tells whether the rule's conditions hold around its core t.
func (r *rule) holds(t *token, whole *set, words int) bool {
	if r.short > 0 && words > r.short {
		return false
	}
	for i := range r.near {
		if !t.l4.meets(&r.near[i]) && !t.r4.meets(&r.near[i]) && !t.all.meets(&r.near[i]) {
			return false
		}
	}
	for i := range r.left {
		if !t.l4.meets(&r.left[i]) {
			return false
		}
	}
	for i := range r.right {
		if !t.r4.meets(&r.right[i]) {
			return false
		}
	}
	for i := range r.wide {
		if !t.l9.meets(&r.wide[i]) && !t.r9.meets(&r.wide[i]) && !t.all.meets(&r.wide[i]) {
			return false
		}
	}
	for i := range r.any {
		if !whole.meets(&r.any[i]) {
			return false
		}
	}
	if t.same.meets(&r.none) {
		return false
	}
	if t.all.meets(&r.never) || t.l2.meets(&r.never) || t.r2.meets(&r.never) {
		return false
	}
	return true
}
