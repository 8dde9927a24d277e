package crisis

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"trygg/flows"
)

//go:embed data/*.yaml
var embedded embed.FS

// The languages that are read, all at once (S10). Bokmål and nynorsk share most
// words, so they count as one when a word has to be told apart by its neighbours.
var languages = []string{"nb", "nn", "en", "se", "uk", "pl", "ar", "so"}

type langs uint8

const (
	norwegian = langs(0b011)
	english   = langs(0b100)
	// unmarked languages are often typed without the marks on their letters:
	// "zabije sie" for "zabiję się", "cahppe" for "čáhppe".
	unmarked = langs(0b0010_1000)
)

// topics is the closed list of what a message can be about, in the order that
// breaks ties.
var topics = [...]string{
	"suicide-selfharm", "sexual-abuse", "abuse-online", "fgm", "forced-marriage", "violence-by-professional",
	"dating-violence", "sibling-violence", "violence-witness", "violence-physical", "negative-social-control",
	"neglect", "violence-psychological", "bullying", "i-hurt-someone", "friend-in-trouble",
	"what-happens-if-i-tell", "who-can-help", "rights", "feedback", "smalltalk", "other",
}

// maxConcepts is how many concepts a set can hold.
const maxConcepts = 320

// set is a set of concepts.
type set [5]uint64

func (s *set) add(c int) { s[c>>6] |= 1 << (c & 63) }
func (s *set) or(o *set) { s[0] |= o[0]; s[1] |= o[1]; s[2] |= o[2]; s[3] |= o[3]; s[4] |= o[4] }
func (s *set) without(o *set) {
	s[0] &^= o[0]
	s[1] &^= o[1]
	s[2] &^= o[2]
	s[3] &^= o[3]
	s[4] &^= o[4]
}
func (s *set) empty() bool { return s[0]|s[1]|s[2]|s[3]|s[4] == 0 }
func (s *set) meets(o *set) bool {
	return s[0]&o[0]|s[1]&o[1]|s[2]&o[2]|s[3]&o[3]|s[4]&o[4] != 0
}

// sense is what a word means in some languages.
type sense struct {
	langs    langs
	concepts set
}

// entry is a word, or the beginning of words, that the data knows.
type entry struct {
	runes  []rune
	stem   bool
	senses []sense
}

// sharedFile is data/shared.yaml: the concepts, their groups, and the rules that
// hold in every language.
type sharedFile struct {
	Concepts map[string]string `yaml:"concepts"`
	Groups   map[string]string `yaml:"groups"`
	Rules    []ruleFile        `yaml:"rules"`
}

type ruleFile struct {
	ID    string   `yaml:"id"`
	Level string   `yaml:"level"`
	Topic string   `yaml:"topic"`
	Also  string   `yaml:"also"`
	Core  string   `yaml:"core"`
	Near  []string `yaml:"near"`  // within four tokens, either side
	Left  []string `yaml:"left"`  // within four tokens before
	Right []string `yaml:"right"` // within four tokens after
	Wide  []string `yaml:"wide"`  // within nine tokens, either side
	Any   []string `yaml:"any"`   // anywhere in the message
	None  string   `yaml:"none"`  // not in the same sentence within nine tokens
	Never string   `yaml:"never"` // not within two tokens
	Lower string   `yaml:"lower"` // in the same sentence within nine tokens: only a worry
	Short int      `yaml:"short"` // only messages of at most so many words
	Help  bool     `yaml:"help"`
	Prio  int      `yaml:"prio"`
}

// languageFile is data/<tag>.yaml: the words of one language.
type languageFile struct {
	Language string              `yaml:"language"`
	Words    map[string]string   `yaml:"words"`    // concept(s): forms
	Phrases  map[string][]string `yaml:"phrases"`  // concept(s): patterns
	Asks     map[string][]string `yaml:"asks"`     // question of index.yaml: patterns
	Everyday []string            `yaml:"everyday"` // patterns in which harm words mean no harm
	Denials  []string            `yaml:"denials"`  // patterns in which a harm word is denied
	Known    string              `yaml:"known"`    // words that mean nothing here, so that they are not taken for others
}

// scoreForm is how the data writes a score.
const scoreForm = "0-0"

// lexicon is the compiled data.
type lexicon struct {
	concepts map[string]int
	names    []string // concept -> its name
	groups   map[string]set

	next    map[uint64]int32 // node and rune -> node; node 0 is the root
	exact   []int32          // node -> entry, -1 = none
	stems   []int32
	entries []entry

	// looser ways to find an entry: the skeleton of a word, and its skeleton
	// with a letter left out
	bones   map[uint64]int32
	near    map[uint64]int32
	nearest []neighbour

	patterns  []pattern
	byEntry   [kinds][][]int32 // entry -> patterns anchored in it
	byConcept [kinds][][]int32
	rules     []rule
	byCore    [][]int32

	literal  []langs // entry -> languages whose patterns use it
	score    int32   // the entry of a score such as 3-0
	harm     set
	helps    set
	mistyped set // the words worth finding with a letter wrong
	self     set // I, where a language leaves the word out
	object   set // me, us
	persons  set
	past     set // long ago
	present  set // now
}

// Room for what the data holds, so that it is not copied while it grows.
const (
	roomNodes   = 160_000
	roomEntries = 92_000
	roomNear    = 162_000
)

func load(fsys fs.FS) (*lexicon, error) {
	x := &lexicon{
		concepts: map[string]int{}, groups: map[string]set{}, next: make(map[uint64]int32, roomNodes),
		exact: append(make([]int32, 0, roomNodes), -1), stems: append(make([]int32, 0, roomNodes), -1),
		entries: make([]entry, 0, roomEntries), bones: make(map[uint64]int32, roomEntries), near: make(map[uint64]int32, roomNear),
		nearest: make([]neighbour, 0, roomNear+roomNear/4),
	}
	var shared sharedFile
	if err := read(fsys, "data/shared.yaml", &shared); err != nil {
		return nil, err
	}
	for _, name := range sorted(shared.Concepts) {
		x.concepts[name] = len(x.concepts)
		x.names = append(x.names, name)
	}
	if len(x.concepts) > maxConcepts {
		return nil, fmt.Errorf("data/shared.yaml: %d concepts, at most %d", len(x.concepts), maxConcepts)
	}
	for _, name := range sorted(shared.Groups) {
		s, err := x.set(shared.Groups[name], " ")
		if err != nil {
			return nil, fmt.Errorf("data/shared.yaml: group %s: %w", name, err)
		}
		if _, ok := x.concepts[name]; ok {
			return nil, fmt.Errorf("data/shared.yaml: %s is both a concept and a group", name)
		}
		x.groups[name] = s
	}
	x.harm = x.groups["harm"]
	if x.harm.empty() {
		return nil, errors.New(`data/shared.yaml: group "harm" is missing`)
	}
	x.persons = x.groups["person"]
	x.helps, x.mistyped = x.groups["helps"], x.groups["mistyped"]
	if c, ok := x.concepts["i"]; ok {
		x.self.add(c)
	}
	if c, ok := x.concepts["past"]; ok {
		x.past.add(c)
	}
	if c, ok := x.concepts["now"]; ok {
		x.present.add(c)
	}
	for _, name := range [...]string{"me", "us"} {
		if c, ok := x.concepts[name]; ok {
			x.object.add(c)
		}
	}
	var err error
	if x.score, err = x.enter(scoreForm); err != nil {
		return nil, err
	}
	if c, ok := x.concepts["score"]; ok {
		s := sense{langs: 0xff}
		s.concepts.add(c)
		x.mean(x.score, s)
	}
	x.byCore = make([][]int32, len(x.concepts))

	files := make([]languageFile, len(languages))
	for i, tag := range languages {
		name := path.Join("data", tag+".yaml")
		if err := read(fsys, name, &files[i]); err != nil {
			return nil, err
		}
		if files[i].Language != tag {
			return nil, fmt.Errorf("%s: language is %q, want %q", name, files[i].Language, tag)
		}
		if err := x.words(files[i], langs(1)<<i); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for i, tag := range languages {
		if err := x.compile(files[i], langs(1)<<i); err != nil {
			return nil, fmt.Errorf("data/%s.yaml: %w", tag, err)
		}
	}
	for len(x.literal) < len(x.entries) {
		x.literal = append(x.literal, 0)
	}
	x.anchor()
	x.loosen()
	for i, f := range shared.Rules {
		if err := x.rule(f); err != nil {
			return nil, fmt.Errorf("data/shared.yaml: rule %d (%s): %w", i+1, f.ID, err)
		}
	}
	return x, nil
}

func read(fsys fs.FS, name string, into any) error {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	if len(b) > 1<<20 {
		return fmt.Errorf("%s: larger than 1 MiB", name)
	}
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.DisallowUnknownField())
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// set reads names of concepts and groups.
func (x *lexicon) set(names, sep string) (set, error) {
	var s set
	for _, name := range strings.Split(names, sep) {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if c, ok := x.concepts[name]; ok {
			s.add(c)
		} else if g, ok := x.groups[name]; ok {
			s.or(&g)
		} else {
			return s, fmt.Errorf("%q is not a concept", name)
		}
	}
	return s, nil
}

// words enters the word lists of one language.
func (x *lexicon) words(f languageFile, l langs) error {
	for _, names := range sorted(f.Words) {
		s, err := x.set(names, " ")
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, form := range strings.Fields(f.Words[names]) {
			if strings.Contains(form, "-") && form != scoreForm {
				continue // several words; compile makes a pattern of them
			}
			forms, err := expand(form)
			if err != nil {
				return fmt.Errorf("%s: %w", names, err)
			}
			for _, w := range forms {
				if seen[w] {
					continue
				}
				seen[w] = true
				e, err := x.enter(w)
				if err != nil {
					return fmt.Errorf("%s: %w", names, err)
				}
				x.mean(e, sense{l, s})
			}
		}
	}
	for _, form := range strings.Fields(f.Known) {
		forms, err := expand(form)
		if err != nil {
			return fmt.Errorf("known: %w", err)
		}
		for _, w := range forms {
			e, err := x.enter(w)
			if err != nil {
				return fmt.Errorf("known: %w", err)
			}
			x.mean(e, sense{l, set{}})
		}
	}
	return nil
}

// mean adds a sense to an entry. Meanings a word has in one language are joined.
func (x *lexicon) mean(e int32, s sense) {
	senses := x.entries[e].senses
	for i := range senses {
		if senses[i].langs == s.langs {
			senses[i].concepts.or(&s.concepts)
			return
		}
	}
	x.entries[e].senses = append(senses, s)
}

// expand writes out {a,b,c}: alternatives inside a word, any number of times.
func expand(form string) ([]string, error) {
	open := strings.IndexByte(form, '{')
	if open < 0 {
		if strings.ContainsAny(form, "}<>|?") {
			return nil, fmt.Errorf("%q: a stray sign", form)
		}
		return []string{form}, nil
	}
	shut := strings.IndexByte(form, '}')
	if shut < open {
		return nil, fmt.Errorf("%q: a bracket is not closed", form)
	}
	tails, err := expand(form[shut+1:])
	if err != nil {
		return nil, err
	}
	var out []string
	for _, mid := range strings.Split(form[open+1:shut], ",") {
		for _, tail := range tails {
			out = append(out, form[:open]+mid+tail)
		}
	}
	if len(out) > 400 {
		return nil, fmt.Errorf("%q: more than 400 forms", form)
	}
	return out, nil
}

// enter finds or makes the entry of a word. A star at the end makes it the
// beginning of words.
func (x *lexicon) enter(w string) (int32, error) {
	body, stem := strings.CutSuffix(w, "*")
	runes := fold(nil, body)
	spans := split(nil, runes)
	if len(spans) != 1 || spans[0].stop() || spans[0].to-spans[0].from != len(runes) {
		return 0, fmt.Errorf("%q is not one word", w)
	}
	node := int32(0)
	for _, r := range runes {
		key := uint64(node)<<21 | uint64(r)
		to, ok := x.next[key]
		if !ok {
			to = int32(len(x.exact))
			x.next[key] = to
			x.exact, x.stems = append(x.exact, -1), append(x.stems, -1)
		}
		node = to
	}
	at := &x.exact[node]
	if stem {
		at = &x.stems[node]
	}
	if *at < 0 {
		*at = int32(len(x.entries))
		x.entries = append(x.entries, entry{runes: runes, stem: stem})
	}
	return *at, nil
}

// loosen builds the two looser indexes. Only the words that matter most can be
// found with a letter wrong; all can be found by their skeleton, known words
// too, which keeps those from being taken for others.
func (x *lexicon) loosen() {
	var bone []rune
	for i := range x.entries {
		e := &x.entries[i]
		if e.stem || len(e.senses) == 0 {
			continue
		}
		bone = skeleton(bone, e.runes)
		if len(bone) >= 3 {
			h := hash(bone, -1)
			if old, ok := x.bones[h]; !ok || !x.meaning(old) && x.meaning(int32(i)) {
				x.bones[h] = int32(i)
			}
		}
		if len(e.runes) < 6 || !x.meets(int32(i), &x.mistyped) {
			continue
		}
		x.closeTo(hash(e.runes, -1), int32(i))
		for k := range e.runes {
			x.closeTo(hash(e.runes, k), int32(i))
		}
	}
}

// meets tells whether an entry means any of the concepts.
func (x *lexicon) meets(e int32, of *set) bool {
	for i := range x.entries[e].senses {
		if x.entries[e].senses[i].concepts.meets(of) {
			return true
		}
	}
	return false
}

func (x *lexicon) meaning(e int32) bool {
	for i := range x.entries[e].senses {
		if !x.entries[e].senses[i].concepts.empty() {
			return true
		}
	}
	return false
}

// neighbour is an entry close to a form, and the place of the next one, or -1.
type neighbour struct{ entry, next int32 }

func (x *lexicon) closeTo(h uint64, e int32) {
	first, ok := x.near[h]
	if !ok {
		first = -1
	}
	for at := first; at >= 0; at = x.nearest[at].next {
		if x.nearest[at].entry == e {
			return
		}
	}
	x.near[h] = int32(len(x.nearest))
	x.nearest = append(x.nearest, neighbour{e, first})
}

// hash is FNV-1a over runes, one of them left out when skip is not negative.
func hash(rs []rune, skip int) uint64 {
	h := uint64(14695981039346656037)
	for i, r := range rs {
		if i == skip {
			continue
		}
		h = (h ^ uint64(r)) * 1099511628211
	}
	return h
}

func level(name string) (flows.Level, error) {
	for l := flows.None; l <= flows.Acute; l++ {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("%q is not a level", name)
}
