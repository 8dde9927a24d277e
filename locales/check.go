package locales

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Kind says what a text is on the screen, which decides what is asked of it.
type Kind uint8

const (
	Bubble Kind = iota // a message of its own: one idea, so many words (S66)
	Label  Kind = iota // of a button
	Part   Kind = iota // of something larger, or a notice
)

// Use is how a text is used.
type Use struct {
	Kind  Kind
	Topic string   // what is read together, for the reading level
	Adult bool     // for professionals: no limits of S66, no rule of S14
	Bands []string // who reads it; nil = every band
	// Safety says that somebody else tells where a language lacks it: a program
	// with such a hole does not start (S68).
	Safety bool
}

// limits are those of S66 and the facts (8.2), by band.
var limits = map[string]struct {
	words    int     // of one message
	lix      float64 // of a topic in nb and nn
	sentence float64 // words a sentence, of a topic in other languages
}{
	"6-9":   {20, 20, 8},
	"10-12": {40, 25, 10},
	"13-15": {60, 30, 12},
	"16-18": {80, 32, 14},
}

const (
	maxCharacters = 300
	maxLabel      = 28  // in the languages the content is written in
	maxLongLabel  = 40  // in the others, whose words are longer
	enough        = 100 // words under which a reading level says nothing (S66)
)

// Inspect looks at every text of every language: what nothing uses, what a
// language lacks of what nb has, what is longer, harder or said otherwise than a
// child can bear, what was not brought along when its source changed. uses says
// what each text is for. Notes are for a person to know; findings are wrong.
//
// The work grows with the number of words. Everything comes at once, in the
// order of the files.
func (b *Bundle) Inspect(fsys fs.FS, r *Rules, uses map[string]Use) (findings, notes []Problem) {
	for _, l := range b.languages {
		i := inspection{b: b, r: r, uses: uses, lang: l, t: b.byTag[l.Tag], topics: map[string]*topic{}}
		i.entries()
		i.lacks()
		i.readingLevels()
		stale, unrecorded := b.stale(fsys, l.Tag, func(id string) bool { u, ok := uses[id]; return ok && !u.Safety })
		if l.Tag != Source {
			i.found = append(i.found, stale...)
			notes = append(notes, unrecorded...)
		}
		findings = append(findings, i.found...)
	}
	return findings, notes
}

// inspection is one language being looked at.
type inspection struct {
	b      *Bundle
	r      *Rules
	uses   map[string]Use
	lang   Language
	t      *texts
	topics map[string]*topic
	wanted []string // used and not written, filled in when asked for
	found  []Problem
}

// topic collects what is read together by one band.
type topic struct {
	file        string
	words, long int
	sentences   int
	adult       bool
	name, band  string
	hardest     []judged
}

type judged struct {
	key string
	lix float64
}

func (i *inspection) tell(e Entry, rule, suggestion, format string, args ...any) {
	if i.r.Excuses(i.lang.Tag, e.ID, rule) {
		return
	}
	text := fmt.Sprintf("%q ", e.Key()) + fmt.Sprintf(format, args...)
	if suggestion != "" {
		text += fmt.Sprintf("; did you mean %q?", suggestion)
	}
	i.found = append(i.found, Problem{File: e.File, Line: e.Line, Column: e.Column, Rule: rule, Suggestion: suggestion, Text: text})
}

func (i *inspection) entries() {
	for _, e := range i.t.entries {
		use, used := i.uses[e.ID]
		if !used {
			meant := i.meant(e.ID)
			if meant == "" || i.lang.Tag != Source { // else told where it is used
				i.tell(e, "unused", meant, "is used by nothing: take it away")
			}
			continue
		}
		if e.broken {
			continue
		}
		i.shape(e)
		i.variants(e)
		i.placeholders(e)
		for _, text := range e.texts() {
			i.numbers(e, text, use)
			i.emoji(e, text, use)
			if !use.Adult {
				i.phrases(e, text, use)
			}
		}
		i.length(e, use)
	}
}

// texts gives the raw text, or each of its plural forms.
func (e Entry) texts() []string {
	if e.Forms == nil {
		return []string{e.Raw}
	}
	return slices.Collect(maps.Values(e.Forms))
}

// meant gives the text something uses and nobody has written, when its name is
// near an unused one.
func (i *inspection) meant(id string) string {
	if i.wanted == nil {
		i.wanted = []string{}
		if !i.lang.Always { // a translation lacks much, and rightly so
			return ""
		}
		for want := range i.uses {
			if !i.has(want) {
				i.wanted = append(i.wanted, want)
			}
		}
		slices.Sort(i.wanted)
	}
	return nearest(id, i.wanted)
}

func (i *inspection) has(id string) bool {
	_, ok := i.b.Find(i.lang.Tag, id)
	return ok
}

// serves gives the bands that read an entry.
func (i *inspection) serves(e Entry, use Use) []string {
	bands := i.b.serves(i.lang.Tag, e)
	if use.Bands == nil {
		return bands
	}
	return slices.DeleteFunc(bands, func(band string) bool { return !slices.Contains(use.Bands, band) })
}

// shape looks at the letters.
func (i *inspection) shape(e Entry) {
	for _, text := range e.texts() {
		for _, c := range text {
			switch {
			case c == '\n':
			case c == '\u200e' || c == '\u200f':
				if !i.lang.RTL {
					i.tell(e, "mark", "", "holds a direction mark (U+%04X), which nobody sees: take it away", c)
				}
			case c == '\u200d' && holdsEmoji(text):
			case c == '\ufeff', c == '\u00ad', unicode.Is(unicode.Bidi_Control, c), unicode.Is(unicode.Cf, c), unicode.IsControl(c):
				i.tell(e, "mark", "", "holds a character nobody sees (U+%04X): take it away", c)
			}
		}
		if !norm.NFC.IsNormalString(text) {
			i.tell(e, "mark", "", "has letters put together of parts, which some phones show wrongly: type the letters anew")
		}
		if w := mixed(text); w != "" {
			i.tell(e, "mark", "", "mixes letters of two alphabets in %q: they look alike but are not the same", w)
		}
	}
}

// mixed finds a word of Latin letters with a look-alike of another alphabet.
func mixed(text string) string {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		latin, other := false, false
		for _, c := range w {
			latin = latin || unicode.Is(unicode.Latin, c)
			other = other || unicode.Is(unicode.Cyrillic, c) || unicode.Is(unicode.Greek, c)
		}
		if latin && other {
			return w
		}
	}
	return ""
}

// variants looks at a text's variants for the bands.
func (i *inspection) variants(e Entry) {
	if e.Band == "" && len(i.b.serves(i.lang.Tag, e)) == 0 {
		i.tell(e, "variant", "", "is never read: every band has a text of its own")
	}
	lacks := i.b.Lacks(i.lang.Tag, e.ID)
	if i.b.told[e.ID] {
		return
	}
	if i.lang.Tag != Source && !i.uses[e.ID].Safety && len(lacks) > 0 && i.first(e) {
		i.tell(e, "variant", "", "has no text for the %s %s: write %s, or one without a band for all who have none", one(len(lacks), "band", "bands"), and(lacks), e.ID+"@"+lacks[0])
	}
}

// Lacks gives the bands for which a language has no text of this ID.
func (b *Bundle) Lacks(tag, id string) []string {
	t := b.byTag[tag]
	if t == nil {
		return Bands
	}
	var lacks []string
	for _, band := range Bands {
		if text, ok := t.text(id, band); !ok || text == "" {
			lacks = append(lacks, band)
		}
	}
	return lacks
}

// Find gives the first entry of an ID in a language.
func (b *Bundle) Find(tag, id string) (Entry, bool) {
	t := b.byTag[tag]
	if t == nil {
		return Entry{}, false
	}
	first := -1
	for _, band := range append([]string{""}, Bands...) {
		if at, ok := t.at[Entry{ID: id, Band: band}.Key()]; ok && (first < 0 || at < first) {
			first = at
		}
	}
	if first < 0 {
		return Entry{}, false
	}
	return t.entries[first], true
}

// first tells whether an entry is the first of its ID.
func (i *inspection) first(e Entry) bool {
	first, _ := i.b.Find(i.lang.Tag, e.ID)
	return first.Key() == e.Key()
}

var fields = regexp.MustCompile(`\{\{\s*\.([A-Za-z0-9_]+)\s*\}\}`)

func placeholdersOf(text string) []string {
	var names []string
	for _, m := range fields.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names
}

// placeholders holds the numbers a translation names against those of nb: a
// number must not get lost on the way.
func (i *inspection) placeholders(e Entry) {
	if i.lang.Tag == Source {
		return
	}
	if i.b.told[e.ID] {
		return
	}
	own := map[string]bool{}
	for _, text := range e.texts() {
		for _, n := range placeholdersOf(text) {
			own[n] = e.Forms == nil || n != "n"
		}
	}
	source := map[string]bool{}
	known := false
	for _, band := range i.b.serves(i.lang.Tag, e) {
		if s, ok := i.b.raw(e.ID, band); ok {
			known = true
			for _, n := range placeholdersOf(s) {
				source[n] = true
			}
		}
	}
	if !known {
		return
	}
	var lost, added []string
	for _, n := range slices.Sorted(maps.Keys(source)) {
		if !own[n] {
			lost = append(lost, "{{."+n+"}}")
		}
	}
	for _, n := range slices.Sorted(maps.Keys(own)) {
		if own[n] && !source[n] {
			added = append(added, "{{."+n+"}}")
		}
	}
	if len(lost) > 0 {
		i.tell(e, "placeholder", "", "lacks %s, which the text in nb has", and(lost))
	}
	if len(added) > 0 {
		i.tell(e, "placeholder", "", "has %s, which the text in nb has not", and(added))
	}
}

var (
	digits  = regexp.MustCompile(`\p{Nd}+`)
	address = regexp.MustCompile(`(?i)https?:\S*|www\.\S*|[\p{L}\p{N}_-]+@[\p{L}\p{N}_-]+|[\p{L}\p{N}-]+\.(?:no|com|org|net|info|eu|se|dk|uk|me)(?:$|[^\p{L}\p{N}])`)
	clock   = regexp.MustCompile(`\p{Nd}{1,2}[.:]\p{Nd}{2}`)
)

// numbers finds numbers, addresses and opening hours of a text's own: they come
// from the data file (D12). What may stand in a text (ages, deadlines,
// paragraphs) is a list in rules.yaml.
func (i *inspection) numbers(e Entry, text string, use Use) {
	bare := fields.ReplaceAllString(text, " ")
	if a := address.FindString(bare); a != "" {
		i.tell(e, "address", "", "holds an address of its own, %q: put it into contacts.yaml and write {{.web_…}}", strings.TrimSpace(a))
		bare = address.ReplaceAllString(bare, " ")
	}
	if h := clock.FindString(bare); h != "" {
		i.tell(e, "number", "", "holds a time of day, %q: opening hours stand in contacts.yaml", h)
		return
	}
	own := digits.FindAllStringIndex(bare, -1)
	if len(own) == 0 || i.r.missing {
		return
	}
	var allowed [][]int
	for _, p := range i.r.Numbers {
		if p.re != nil && in(p.In, i.lang.Tag) {
			allowed = append(allowed, p.re.FindAllStringIndex(bare, -1)...)
		}
	}
	for _, d := range own {
		if !slices.ContainsFunc(allowed, func(a []int) bool { return a[0] <= d[0] && d[1] <= a[1] }) {
			i.tell(e, "number", "", "holds a number of its own, %q: put it into contacts.yaml and write {{.number_…}}, or name an age or a deadline as years, weeks, § ...", bare[d[0]:d[1]])
			return
		}
	}
}

// phrases finds what no text for children says (S14).
func (i *inspection) phrases(e Entry, text string, use Use) {
	for _, h := range i.r.said(i.lang.Tag, text) {
		p := h.phrase
		if len(p.Bands) > 0 && !slices.ContainsFunc(i.serves(e, use), func(band string) bool { return slices.Contains(p.Bands, band) }) {
			continue
		}
		i.tell(e, "forbidden/"+p.ID, "", "says %q: %s", h.said, p.Reason)
	}
}

func (i *inspection) emoji(e Entry, text string, use Use) {
	n := emojis(text)
	switch {
	case n > 1:
		i.tell(e, "emoji", "", "holds %d emoji: at most one", n)
	case n == 1 && !slices.Contains(i.r.Emoji, use.Topic):
		i.tell(e, "emoji", "", "holds an emoji, and this topic is too hard for one: take it away")
	}
}

func holdsEmoji(text string) bool { return emojis(text) > 0 }

// emojis counts pictures; those put together of several count once.
func emojis(text string) int {
	n, joined, flag := 0, false, false
	for _, c := range text {
		switch {
		case c == '\u200d':
			joined = true
			continue
		case c == '\ufe0f', c == '\u20e3', c >= 0x1F3FB && c <= 0x1F3FF:
			continue
		case c >= 0x1F1E6 && c <= 0x1F1FF: // flags come in pairs
			if flag = !flag; flag {
				n++
			}
		case c >= 0x1F000 && c <= 0x1FAFF, c >= 0x2600 && c <= 0x27BF, c >= 0x2B00 && c <= 0x2BFF, c >= 0x2300 && c <= 0x23FF:
			if !joined {
				n++
			}
		}
		joined = false
	}
	return n
}

// length holds a text against its limits, and gives it to its topic.
func (i *inspection) length(e Entry, use Use) {
	longest := 0
	for _, text := range append(slices.Collect(maps.Values(e.Forms)), e.Text) {
		longest = max(longest, utf8.RuneCountInString(text))
	}
	if use.Kind == Label {
		most := maxLongLabel
		if i.lang.Always {
			most = maxLabel
		}
		if longest > most {
			i.tell(e, "label", "", "has %d characters: a button has room for %d", longest, most)
		}
		return
	}
	bands := i.serves(e, use)
	if use.Adult {
		i.judge(e, use, "")
		return
	}
	if longest > maxCharacters {
		i.tell(e, "characters", "", "has %d characters: at most %d, so split it into several", longest, maxCharacters)
	}
	if use.Kind != Bubble || len(bands) == 0 {
		return
	}
	youngest := bands[0]
	if !i.lang.Always && e.Band == "" {
		// A translation has one text for all, made from that of the middle.
		youngest = cmp.Or(firstOf(bands, "10-12"), bands[0])
	}
	if n := len(words(e.Text)); n > limits[youngest].words {
		or := ""
		if e.Band == "" {
			or = fmt.Sprintf(" or write %s@%s", e.ID, youngest)
		}
		i.tell(e, "words", "", "has %d words, and the band %s reads it: at most %d, so split it%s", n, youngest, limits[youngest].words, or)
	}
	if !i.lang.Always && e.Band == "" {
		bands = []string{youngest}
	}
	for _, band := range bands {
		i.judge(e, use, band)
	}
}

func firstOf(list []string, want string) string {
	if slices.Contains(list, want) {
		return want
	}
	return ""
}

// judge adds a text to what is read together.
func (i *inspection) judge(e Entry, use Use, band string) {
	if use.Topic == "" || use.Kind != Bubble {
		return
	}
	key := use.Topic + "@" + band
	t := i.topics[key]
	if t == nil {
		t = &topic{file: e.File, name: use.Topic, band: band, adult: use.Adult}
		i.topics[key] = t
	}
	w, l, s := i.count(e.Text)
	t.words, t.long, t.sentences = t.words+w, t.long+l, t.sentences+s
	if w > 0 {
		t.hardest = append(t.hardest, judged{e.Key(), lix(w, l, s)})
	}
}

// readingLevels judges every topic that has enough words (S66).
func (i *inspection) readingLevels() {
	for _, key := range slices.Sorted(maps.Keys(i.topics)) {
		t := i.topics[key]
		if t.words < enough || t.sentences == 0 {
			continue
		}
		slices.SortStableFunc(t.hardest, func(a, b judged) int { return cmp.Compare(b.lix, a.lix) })
		var hard []string
		for _, h := range t.hardest[:min(3, len(t.hardest))] {
			hard = append(hard, fmt.Sprintf("%q (%.0f)", h.key, h.lix))
		}
		whom, most, longest := " for the band "+t.band, limits[t.band].lix, limits[t.band].sentence
		if t.adult {
			whom, most, longest = "", 45, 17
		}
		id := t.name + "@" + t.band
		switch level := lix(t.words, t.long, t.sentences); {
		case i.lang.Tag == "nb" || i.lang.Tag == "nn":
			if level > most && !i.r.Excuses(i.lang.Tag, id, "lix") {
				i.found = append(i.found, Problem{File: t.file, Rule: "lix", Text: fmt.Sprintf(
					"reading level (LIX) of %s%s is %.1f, at most %.0f: shorter sentences and words; the hardest are %s", t.name, whom, level, most, and(hard))})
			}
		default:
			if mean := float64(t.words) / float64(t.sentences); mean > longest && !i.r.Excuses(i.lang.Tag, id, "sentence") {
				i.found = append(i.found, Problem{File: t.file, Rule: "sentence", Text: fmt.Sprintf(
					"a sentence of %s%s has %.1f words on average, at most %.0f: make them shorter; the hardest are %s", t.name, whom, mean, longest, and(hard))})
			}
		}
	}
}

// lix is words a sentence, and the share of long words in percent (facts 8.1).
func lix(words, long, sentences int) float64 {
	return float64(words)/float64(max(1, sentences)) + 100*float64(long)/float64(words)
}

// words gives the words of a text: what has a letter or a digit in it.
func words(text string) []string {
	return slices.DeleteFunc(strings.Fields(text), func(w string) bool {
		return strings.IndexFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) < 0
	})
}

// count gives the words of a text, those with more than six letters, and its
// sentences. Words that children need and know are not counted as long.
func (i *inspection) count(text string) (all, long, sentences int) {
	for _, w := range words(text) {
		all++
		w = strings.TrimFunc(strings.ToLower(w), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		letters := 0
		for _, r := range w {
			if unicode.IsLetter(r) {
				letters++
			}
		}
		if letters > 6 && !i.r.easy[i.lang.Tag][w] {
			long++
		}
	}
	return all, long, sentencesOf(text)
}

// sentencesOf counts sentences: what ends with . ! ? or : before a space, a
// line or the end. A number's point and an abbreviation's, followed by a small
// letter, end nothing.
func sentencesOf(text string) int {
	n := 0
	for _, line := range strings.Split(text, "\n") {
		open := false
		runes := []rune(line)
		for i, r := range runes {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				open = true
			}
			if !open || !strings.ContainsRune(".!?:…؟", r) {
				continue
			}
			next := strings.TrimLeftFunc(string(runes[i+1:]), func(r rune) bool { return strings.ContainsRune("»”\")]' \u00a0", r) })
			gap := i+1 == len(runes) || strings.ContainsRune(" »”\")]'", runes[i+1])
			first, _ := utf8.DecodeRuneInString(next)
			if gap && (next == "" || r != '.' || !unicode.IsLower(first)) {
				n++
				open = false
			}
		}
		if open {
			n++
		}
	}
	return n
}

// lacks finds what a language has not of what nb has. The languages the content
// is written in have the same texts for the same bands; a translation may have
// fewer, and nb stands in.
func (i *inspection) lacks() {
	if i.lang.Tag == Source || !i.lang.Always {
		return
	}
	source := i.b.byTag[Source]
	files := map[string]bool{}
	for _, e := range i.t.entries {
		files[path.Base(e.File)] = true
	}
	gone := map[string]int{}
	for _, e := range source.entries {
		use, used := i.uses[e.ID]
		if _, ok := i.t.at[e.Key()]; ok || !used || i.b.told[e.ID] || use.Safety && len(i.b.Lacks(i.lang.Tag, e.ID)) > 0 {
			continue
		}
		file := i.lang.Tag + "/" + path.Base(e.File)
		if !files[path.Base(e.File)] {
			gone[file]++
			continue
		}
		if i.r.Excuses(i.lang.Tag, e.ID, "variant") {
			continue
		}
		i.found = append(i.found, Problem{File: file, Rule: "missing", Text: fmt.Sprintf("%q is missing: nb has it (%s:%d)", e.Key(), e.File, e.Line)})
	}
	for _, file := range slices.Sorted(maps.Keys(gone)) {
		i.found = append(i.found, Problem{File: file, Rule: "missing", Text: fmt.Sprintf("the file is missing: nb has %d %s in it", gone[file], one(gone[file], "text", "texts"))})
	}
	for _, e := range i.t.entries {
		if _, used := i.uses[e.ID]; !used || e.Band == "" || i.b.told[e.ID] {
			continue
		}
		if _, ok := source.at[e.Key()]; !ok && i.b.hasSource(e.ID) {
			i.tell(e, "variant", "", "has no text in nb to be made from: write %s there, too", e.Key())
		}
	}
}

func (b *Bundle) hasSource(id string) bool {
	_, ok := b.raw(id, defaultBand)
	return ok
}
