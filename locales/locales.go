// Package locales holds all texts. Message files of go-i18n go in; plain maps
// come out, one a language and age band, so that a look-up at run time costs
// nothing and cannot fail in a new way. Which language a text falls back to is
// our own table, never a neighbour language (tech: go-i18n answers Russian with
// Ukrainian and Persian with Arabic).
package locales

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.yaml */*.yaml sources
var files embed.FS

// Files are the texts compiled into the program.
var Files fs.FS = files

// Bands are the age bands a text may have variants for: id@band.
var Bands = []string{"6-9", "10-12", "13-15", "16-18"}

// defaultBand is read by those who did not say their age (S43).
const defaultBand = "10-12"

// Source is the language every text exists in, and the last fallback but one.
const Source = "nb"

// Language is one language the program speaks.
type Language struct {
	Tag  string `yaml:"tag"`  // BCP 47
	Name string `yaml:"name"` // its own name for itself
	RTL  bool   `yaml:"rtl"`  // written from right to left
	// Always says that it is offered without being switched on: the languages
	// the content is written in. The others are drafts until a native reader
	// has approved them, and off until somebody turns them on (S68).
	Always   bool     `yaml:"always"`
	Fallback []string `yaml:"fallback"` // in this order, for a text that is missing
	Alias    []string `yaml:"alias"`    // tags phones send for it
}

// Problem is something wrong in a message file, told to its author.
type Problem struct {
	File         string
	Line, Column int
	Text         string
	Suggestion   string // the name that was meant, for a misspelt one; Text says it too
	Rule         string // the rule it breaks, as rules.yaml names it; "" = the file itself
}

func (p Problem) String() string {
	switch {
	case p.Line == 0:
		return p.File + ": " + p.Text
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// FileInfo is the header of a message file: who stands for its words (D11).
type FileInfo struct {
	Path       string `yaml:"-"`
	Status     string `yaml:"status"` // draft or approved
	ReviewedBy string `yaml:"reviewed_by"`
	ReviewedOn string `yaml:"reviewed_on"`
}

// Bundle is all texts in all languages. It is immutable.
type Bundle struct {
	languages []Language
	byTag     map[string]*texts
	alias     map[string]string
	infos     []FileInfo
	// told are IDs with a mistake in some language, or a line that could not be
	// read: what is missing of them is not told again.
	told map[string]bool
}

// Entry is one message as its file has it.
type Entry struct {
	ID   string
	Band string // "" = for every band without a text of its own
	Raw  string // with its placeholders; of a counted text the form other
	Text string // with them filled in
	// Forms are the plural forms of a counted text: one, few, other ...
	Forms map[string]string

	File         string
	Line, Column int

	broken bool // told, so nothing more is concluded from it
}

// Key names the entry in its file.
func (e Entry) Key() string {
	if e.Band == "" {
		return e.ID
	}
	return e.ID + "@" + e.Band
}

// texts is one language. A band's map holds only what differs from base.
type texts struct {
	lang    Language
	entries []Entry        // in the order of the files
	at      map[string]int // key -> its place in entries
	base    map[string]string
	byBand  map[string]map[string]string
	chain   []*texts // fallbacks
	counts  *i18n.Localizer
	// approved says that a native reader has approved every file.
	approved bool
}

// Load reads languages.yaml and <tag>/*.yaml. numbers are what placeholders
// such as {{.number_112}} stand for (D12). With any problem the bundle is nil.
func Load(fsys fs.FS, numbers map[string]string) (*Bundle, []Problem) {
	if numbers == nil {
		numbers = map[string]string{}
	}
	b, problems := Check(fsys, numbers)
	if len(problems) > 0 {
		return nil, problems
	}
	return b, nil
}

// Check reads texts as Load does and gives what could be read of them together
// with the problems, for checks that look further. A bundle that has problems is
// for looking at, not for running. With nil for numbers placeholders are left as
// they are, for when the numbers themselves cannot be read.
func Check(fsys fs.FS, numbers map[string]string) (*Bundle, []Problem) {
	b := &Bundle{byTag: map[string]*texts{}, alias: map[string]string{}, told: map[string]bool{}}
	problems := b.readLanguages(fsys)
	for _, l := range b.languages {
		t, ps := b.load(fsys, l, numbers)
		problems = append(problems, ps...)
		b.byTag[l.Tag] = t
		b.alias[l.Tag] = l.Tag
		for _, a := range l.Alias {
			b.alias[a] = l.Tag
		}
	}
	for _, l := range b.languages {
		t := b.byTag[l.Tag]
		for _, f := range l.Fallback {
			if b.byTag[f] == nil {
				problems = append(problems, Problem{File: languagesFile, Text: fmt.Sprintf("%s falls back to %q, which is not a language here", l.Tag, f)})
				continue
			}
			t.chain = append(t.chain, b.byTag[f])
		}
	}
	if b.byTag[Source] == nil {
		if len(problems) == 0 {
			problems = append(problems, Problem{File: languagesFile, Text: "nb is missing: every text falls back to it"})
		}
		b.byTag[Source] = newTexts(Language{Tag: Source})
	}
	return b, problems
}

const languagesFile = "languages.yaml"

func (b *Bundle) readLanguages(fsys fs.FS) []Problem {
	raw, err := fs.ReadFile(fsys, languagesFile)
	if err != nil {
		return []Problem{{File: languagesFile, Text: "is missing: it lists the languages"}}
	}
	f := &file{name: languagesFile}
	if !f.bounded(raw) {
		return f.problems
	}
	if err := yaml.UnmarshalWithOptions(raw, &b.languages, yaml.DisallowUnknownField()); err != nil {
		return []Problem{problemOf(languagesFile, err)}
	}
	seen := map[string]bool{}
	for i, l := range b.languages {
		switch {
		case !tagForm.MatchString(l.Tag):
			f.tell(0, 0, "", "language %d: tag: want two or three small letters, got %q", i+1, l.Tag)
		case seen[l.Tag]:
			f.tell(0, 0, "", "language %q stands twice: keep one", l.Tag)
		case l.Name == "":
			f.tell(0, 0, "", "language %q has no name: want its own name for itself", l.Tag)
		}
		seen[l.Tag] = true
	}
	if len(f.problems) > 0 {
		b.languages = nil
	}
	return f.problems
}

var tagForm = regexp.MustCompile(`^[a-z]{2,3}$`)

func newTexts(l Language) *texts {
	t := &texts{approved: true, lang: l, at: map[string]int{}, base: map[string]string{}, byBand: map[string]map[string]string{}}
	for _, band := range Bands {
		t.byBand[band] = map[string]string{}
	}
	t.counts = i18n.NewLocalizer(i18n.NewBundle(language.Make(l.Tag)), l.Tag)
	return t
}

func (b *Bundle) load(fsys fs.FS, l Language, numbers map[string]string) (*texts, []Problem) {
	t := newTexts(l)
	var problems []Problem
	tag := language.Make(l.Tag)
	bundle := i18n.NewBundle(tag)
	names, _ := fs.Glob(fsys, l.Tag+"/*.yaml")
	if len(names) == 0 {
		problems = append(problems, Problem{File: l.Tag, Text: fmt.Sprintf("there are no texts in %s: want %s/*.yaml, or take the language off %s", l.Name, l.Tag, languagesFile)})
	}
	from := map[string]Entry{}
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			problems = append(problems, Problem{File: name, Text: "cannot be read: " + err.Error()})
			continue
		}
		f := &file{name: name}
		info, entries := f.read(raw)
		b.infos = append(b.infos, info)
		t.approved = t.approved && info.Status == "approved"
		for _, e := range entries {
			if first, twice := from[e.Key()]; twice {
				f.tell(e.Line, e.Column, "", "%q stands twice, also in %s:%d: keep one", e.Key(), first.File, first.Line)
				continue
			}
			from[e.Key()] = e
			if e.broken = !f.render(&e, l, numbers) || e.broken; e.broken {
				b.told[e.ID] = true
			} else if e.Forms != nil {
				if err := bundle.AddMessages(tag, message(e)); err != nil {
					f.tell(e.Line, e.Column, "", "%q: %v", e.Key(), err)
				}
			}
			t.at[e.Key()] = len(t.entries)
			t.entries = append(t.entries, e)
			if e.Band == "" {
				t.base[e.ID] = e.Text
			} else if m := t.byBand[e.Band]; m != nil {
				m[e.ID] = e.Text
			}
		}
		problems = append(problems, f.problems...)
		for _, id := range f.lost {
			b.told[id] = true
		}
	}
	t.counts = i18n.NewLocalizer(bundle, l.Tag)
	return t, problems
}

func problemOf(file string, err error) Problem {
	p := Problem{File: file, Text: "not valid YAML: " + strings.SplitN(err.Error(), "\n", 2)[0]}
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &at) {
		p.Text = "not valid YAML: " + at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	return p
}

// Text gives a text in just this language. False: it has none.
func (b *Bundle) Text(locale, id, band string) (string, bool) {
	t := b.byTag[locale]
	if t == nil {
		return "", false
	}
	return t.text(id, band)
}

func (t *texts) text(id, band string) (string, bool) {
	if band == "" {
		band = defaultBand
	}
	if s, ok := t.byBand[band][id]; ok {
		return s, true
	}
	s, ok := t.base[id]
	return s, ok
}

// Lookup gives a text in this language or the nearest it falls back to, and the
// tag of the language it is in. An ID that exists nowhere gives "".
func (b *Bundle) Lookup(locale, id, band string) (text, tag string) {
	t := b.byTag[locale]
	if t == nil {
		t = b.byTag[Source]
	}
	if s, ok := t.text(id, band); ok {
		return s, t.lang.Tag
	}
	for _, c := range t.chain {
		if s, ok := c.text(id, band); ok {
			return s, c.lang.Tag
		}
	}
	return "", ""
}

// Count gives a counted text with the right plural form for n.
func (b *Bundle) Count(locale, id string, n int) string {
	t := b.byTag[locale]
	if t == nil {
		t = b.byTag[Source]
	}
	for _, c := range append([]*texts{t}, t.chain...) {
		if s, err := c.counts.Localize(&i18n.LocalizeConfig{MessageID: id, PluralCount: n, TemplateData: map[string]any{"n": n}}); err == nil {
			return s
		}
	}
	return ""
}

// Pick gives our tag for a language tag from outside: the exact base language
// or an alias, never a relative. False: we do not speak it.
func (b *Bundle) Pick(tag string) (string, bool) {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	t, ok := b.alias[base]
	return t, ok
}

// Approved tells whether a language may stand alone on the help card: it is one
// the content is written in, or a native reader has approved all its files
// (S68).
func (b *Bundle) Approved(locale string) bool {
	t := b.byTag[locale]
	return t != nil && (t.lang.Always || t.approved)
}

// Languages gives all languages in the order they are offered.
func (b *Bundle) Languages() []Language { return slices.Clone(b.languages) }

// Language gives one; the source language for a tag we do not have.
func (b *Bundle) Language(tag string) Language {
	if t := b.byTag[tag]; t != nil {
		return t.lang
	}
	return b.byTag[Source].lang
}

// IDs gives the IDs a language has, without their bands, sorted.
func (b *Bundle) IDs(tag string) []string {
	t := b.byTag[tag]
	if t == nil {
		return nil
	}
	all := maps.Clone(t.base)
	for _, m := range t.byBand {
		maps.Copy(all, m)
	}
	return slices.Sorted(maps.Keys(all))
}

// Entries gives the messages of a language as their files have them, in order.
// They are not to be changed.
func (b *Bundle) Entries(tag string) []Entry {
	if t := b.byTag[tag]; t != nil {
		return t.entries
	}
	return nil
}

// Infos gives the headers of all message files.
func (b *Bundle) Infos() []FileInfo { return slices.Clone(b.infos) }
