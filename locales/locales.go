// Package locales holds all texts. Message files of go-i18n go in; plain maps
// come out, one a language and age band, so that a look-up at run time costs
// nothing and cannot fail in a new way. Which language a text falls back to is
// our own table, never a neighbour language (tech: go-i18n answers Russian with
// Ukrainian and Persian with Arabic).
package locales

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.yaml */*.yaml
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
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
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
}

// texts is one language. A band's map holds only what differs from base.
type texts struct {
	lang   Language
	base   map[string]string
	byBand map[string]map[string]string
	chain  []*texts // fallbacks
	counts *i18n.Localizer
	// approved says that a native reader has approved every file.
	approved bool
}

// Load reads languages.yaml and <tag>/*.yaml. numbers are what placeholders
// such as {{.number_112}} stand for (D12). With any problem the bundle is nil.
func Load(fsys fs.FS, numbers map[string]string) (*Bundle, []Problem) {
	b := &Bundle{byTag: map[string]*texts{}, alias: map[string]string{}}
	raw, err := fs.ReadFile(fsys, "languages.yaml")
	if err != nil {
		return nil, []Problem{{File: "languages.yaml", Text: "is missing: it lists the languages"}}
	}
	if err := yaml.UnmarshalWithOptions(raw, &b.languages, yaml.DisallowUnknownField()); err != nil {
		return nil, []Problem{problemOf("languages.yaml", err)}
	}
	var problems []Problem
	data := make(map[string]any, len(numbers))
	for k, v := range numbers {
		data[k] = v
	}
	for _, l := range b.languages {
		t, ps := b.load(fsys, l, data)
		problems = append(problems, ps...)
		b.byTag[l.Tag] = t
		b.alias[l.Tag] = l.Tag
		for _, a := range l.Alias {
			b.alias[a] = l.Tag
		}
	}
	for _, t := range b.byTag {
		for _, f := range t.lang.Fallback {
			if b.byTag[f] == nil {
				problems = append(problems, Problem{File: "languages.yaml", Text: fmt.Sprintf("%s falls back to %q, which is not a language here", t.lang.Tag, f)})
				continue
			}
			t.chain = append(t.chain, b.byTag[f])
		}
	}
	if b.byTag[Source] == nil {
		problems = append(problems, Problem{File: "languages.yaml", Text: "nb is missing: every text falls back to it"})
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return b, nil
}

func (b *Bundle) load(fsys fs.FS, l Language, data map[string]any) (*texts, []Problem) {
	t := &texts{approved: true, lang: l, base: map[string]string{}, byBand: map[string]map[string]string{}}
	for _, band := range Bands {
		t.byBand[band] = map[string]string{}
	}
	var problems []Problem
	bundle := i18n.NewBundle(language.Make(l.Tag))
	names, _ := fs.Glob(fsys, l.Tag+"/*.yaml")
	from := map[string]string{}
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			problems = append(problems, Problem{File: name, Text: err.Error()})
			continue
		}
		info := FileInfo{Path: name}
		// go-i18n reads the messages; the header is ours and taken out first.
		bundle.RegisterUnmarshalFunc("yaml", func(raw []byte, v any) error {
			m := map[string]any{}
			if err := yaml.Unmarshal(raw, &m); err != nil {
				return err
			}
			if h, ok := m["file"]; ok {
				delete(m, "file")
				hb, _ := yaml.Marshal(h)
				if err := yaml.UnmarshalWithOptions(hb, &info, yaml.DisallowUnknownField()); err != nil {
					return fmt.Errorf("file: want status, reviewed_by, reviewed_on: %w", err)
				}
			}
			for k, val := range m {
				if s, ok := val.(string); ok {
					m[k] = strings.TrimSpace(s)
				}
			}
			*(v.(*any)) = m
			return nil
		})
		mf, err := bundle.ParseMessageFileBytes(raw, path.Base(strings.TrimSuffix(name, ".yaml"))+"."+l.Tag+".yaml")
		if err != nil {
			problems = append(problems, problemOf(name, err))
			continue
		}
		if info.Status != "draft" && info.Status != "approved" {
			problems = append(problems, Problem{File: name, Text: "file: status is missing: want draft, or approved with reviewed_by and reviewed_on"})
		}
		b.infos = append(b.infos, info)
		t.approved = t.approved && info.Status == "approved"
		for _, m := range mf.Messages {
			if first, twice := from[m.ID]; twice {
				problems = append(problems, Problem{File: name, Text: fmt.Sprintf("%q stands twice, also in %s: keep one", m.ID, first)})
				continue
			}
			from[m.ID] = name
			text, err := render(m, data)
			if err != nil {
				problems = append(problems, Problem{File: name, Text: fmt.Sprintf("%q: %v", m.ID, err)})
				continue
			}
			id, band, variant := strings.Cut(m.ID, "@")
			switch {
			case !variant:
				t.base[id] = text
			case t.byBand[band] == nil:
				problems = append(problems, Problem{File: name, Text: fmt.Sprintf("%q: %q is not a band: want %s", m.ID, band, strings.Join(Bands, ", "))})
			default:
				t.byBand[band][id] = text
			}
		}
	}
	t.counts = i18n.NewLocalizer(bundle, l.Tag)
	return t, problems
}

// render fills in the placeholders. A placeholder nobody knows is an error,
// never "<no value>" on a child's screen.
func render(m *i18n.Message, data map[string]any) (string, error) {
	text := m.Other
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	if m.One != "" || m.Few != "" || m.Many != "" || m.Two != "" || m.Zero != "" {
		return text, nil // counted texts are rendered with their count
	}
	tpl, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("placeholder: %v", err)
	}
	var out bytes.Buffer
	if err := tpl.Execute(&out, data); err != nil {
		_, why, _ := strings.Cut(err.Error(), "map has no entry for key ")
		return "", fmt.Errorf("placeholder %s is not known: numbers and addresses come from contacts.yaml", why)
	}
	return out.String(), nil
}

func problemOf(file string, err error) Problem {
	p := Problem{File: file, Text: strings.SplitN(err.Error(), "\n", 2)[0]}
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &at) {
		p.Text = at.GetMessage()
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

// Infos gives the headers of all message files.
func (b *Bundle) Infos() []FileInfo { return slices.Clone(b.infos) }
