package locales

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Rules are what no program can know by itself: which phrases hurt, which
// numbers may stand in a text, which long words children need, and where a rule
// is wrong for a text. They are rules.yaml. The limits themselves stand here in
// the program, since nobody may loosen them for a town (S14, S66).
type Rules struct {
	Emoji      []string            `yaml:"emoji"`     // topics in which a text may hold one
	Easy       map[string][]string `yaml:"easy"`      // by language: long words that count as short ones
	Forbidden  []Phrase            `yaml:"forbidden"` // what no text for children says
	Numbers    []Phrase            `yaml:"numbers"`   // digits that may stand in a text
	Exceptions []Exception         `yaml:"exceptions"`

	easy    map[string]map[string]bool
	hits    map[[2]string][]hit // what is found in a text of a language, so that each is read once
	missing bool                // told; nothing is held against rules that are not there
}

// Phrase is a pattern with what it is for. \b is the edge of a word in any
// script; case does not matter.
type Phrase struct {
	ID      string   `yaml:"id"`
	In      []string `yaml:"in"`    // languages; none = all
	Bands   []string `yaml:"bands"` // only what these bands read; none = all
	Pattern string   `yaml:"pattern"`
	Reason  string   `yaml:"reason"`

	re *regexp.Regexp
}

// Exception excuses a text from a rule.
type Exception struct {
	Text   string   `yaml:"text"` // an ID; with * at its end, all that begin so
	In     []string `yaml:"in"`   // languages; none = all
	Rule   string   `yaml:"rule"`
	Reason string   `yaml:"reason"`

	line, column int
	used         bool
}

const rulesFile = "rules.yaml"

// ruleNames are the rules an exception may be made from.
var ruleNames = []string{"words", "characters", "label", "lix", "sentence", "emoji", "forbidden", "number", "address", "unused", "same_label", "same_words", "placeholder", "variant"}

// LoadRules reads rules.yaml. What cannot be read is left out, so that the rest
// still counts.
func LoadRules(fsys fs.FS) (*Rules, []Problem) {
	r := &Rules{easy: map[string]map[string]bool{}}
	f := &file{name: rulesFile}
	raw, err := fs.ReadFile(fsys, rulesFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.missing = true
		f.tell(0, 0, "", "is missing: it says what texts may not say")
		return r, f.problems
	case err != nil:
		f.tell(0, 0, "", "cannot be read: %v", err)
		return r, f.problems
	case !f.bounded(raw):
		return r, f.problems
	}
	doc, err := parser.ParseBytes(raw, 0)
	if err == nil && (len(doc.Docs) != 1 || doc.Docs[0].Body == nil) {
		err = errors.New("want one document")
	}
	if err == nil {
		err = yaml.NodeToValue(doc.Docs[0].Body, r, yaml.Strict())
	}
	if err != nil {
		f.problems = append(f.problems, problemOf(rulesFile, err))
		return r, f.problems
	}
	for lang, words := range r.Easy {
		r.easy[lang] = map[string]bool{}
		for _, w := range words {
			r.easy[lang][strings.ToLower(w)] = true
		}
	}
	for _, list := range []struct {
		name string
		all  []Phrase
	}{{"forbidden", r.Forbidden}, {"numbers", r.Numbers}} {
		for i := range list.all {
			p := &list.all[i]
			line, column := lineOf(doc.Docs[0].Body, list.name, i)
			for _, band := range p.Bands {
				if !slices.Contains(Bands, band) {
					f.tell(line, column, "", "%s %q: %q is not a band: want %s", list.name, p.ID, band, strings.Join(Bands, ", "))
				}
			}
			if p.ID == "" || p.Reason == "" {
				f.tell(line, column, "", "%s: an entry without id or reason: say what it is for", list.name)
			}
			if p.re, err = regexp.Compile("(?i)" + strings.ReplaceAll(p.Pattern, `\b`, `(?:^|$|[^\p{L}\p{N}])`)); err != nil || p.Pattern == "" {
				var why *syntax.Error
				reason := "it is empty"
				if errors.As(err, &why) {
					reason = why.Code.String()
				}
				f.tell(line, column, "", "%s %q: the pattern cannot be read: %s", list.name, p.ID, reason)
				p.re = nil
			}
		}
	}
	for i := range r.Exceptions {
		e := &r.Exceptions[i]
		e.line, e.column = lineOf(doc.Docs[0].Body, "exceptions", i)
		rule, _, _ := strings.Cut(e.Rule, "/")
		switch {
		case !slices.Contains(ruleNames, rule):
			e.used = true // told
			f.tell(e.line, e.column, nearest(rule, ruleNames), "exception for %q: %q is not a rule: want %s", e.Text, e.Rule, strings.Join(ruleNames, ", "))
		case e.Text == "" || e.Reason == "":
			f.tell(e.line, e.column, "", "an exception without text or reason: say which text and why")
		}
	}
	return r, f.problems
}

// lineOf gives where the i-th item of a list stands.
func lineOf(n ast.Node, name string, i int) (line, column int) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return 0, 0
	}
	for _, v := range m.Values {
		if key, _ := scalar(v.Key); key == name {
			if s, ok := v.Value.(*ast.SequenceNode); ok && i < len(s.Values) {
				item := s.Values[i]
				if m, ok := item.(*ast.MappingNode); ok && len(m.Values) > 0 {
					item = m.Values[0].Key
				}
				return where(item)
			}
		}
	}
	return 0, 0
}

// hit is a forbidden phrase in a text.
type hit struct {
	phrase *Phrase
	said   string
}

// said finds the forbidden phrases of a text.
func (r *Rules) said(tag, text string) []hit {
	key := [2]string{tag, text}
	if hs, ok := r.hits[key]; ok {
		return hs
	}
	var hs []hit
	for i := range r.Forbidden {
		p := &r.Forbidden[i]
		if p.re == nil || !in(p.In, tag) {
			continue
		}
		if s := p.re.FindString(text); s != "" {
			hs = append(hs, hit{p, strings.Trim(s, " .,:;!?«»\"()\n")})
		}
	}
	if r.hits == nil {
		r.hits = map[[2]string][]hit{}
	}
	r.hits[key] = hs
	return hs
}

func in(languages []string, tag string) bool {
	return len(languages) == 0 || slices.Contains(languages, tag)
}

// Excuses tells whether a text is excused from a rule; rule may name a pattern
// as forbidden/why.
func (r *Rules) Excuses(tag, id, rule string) bool {
	excused := false
	whole, _, _ := strings.Cut(rule, "/")
	for i := range r.Exceptions {
		e := &r.Exceptions[i]
		prefix, all := strings.CutSuffix(e.Text, "*")
		if (e.Rule == rule || e.Rule == whole) && in(e.In, tag) && (e.Text == id || all && strings.HasPrefix(id, prefix)) {
			e.used, excused = true, true
		}
	}
	return excused
}

// Idle tells of exceptions that have excused nothing, so that the list stays
// honest; it is asked when everything has been looked at.
func (r *Rules) Idle() []Problem {
	var ps []Problem
	for _, e := range r.Exceptions {
		if !e.used {
			ps = append(ps, Problem{File: rulesFile, Line: e.line, Column: e.column, Rule: "exception", Text: fmt.Sprintf("the exception of %q from %s excuses nothing: take it away", e.Text, e.Rule)})
		}
	}
	return ps
}
