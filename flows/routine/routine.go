// Package routine holds the violence routines that professionals look up: what to
// do now, in which order, by when, under which law, whom to call, what to write,
// what the child is told, and when the parents must not be told. YAML files go in,
// one checked *Catalogue comes out; a View of it is a routine as one person in
// one municipality reads it. Finding the right routine for typed words and
// showing it on a channel are left to others. Nothing about a case is asked for
// or kept (D10).
package routine

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"trygg/flows/content/data"
	"trygg/flows/yamlfile"
)

//go:embed data
var embedded embed.FS

// Files are the routines compiled into the program.
var Files = mustSub(embedded, "data")

func mustSub(fsys fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err) // dir is a constant
	}
	return sub
}

// Locales are the languages of the routines. Bokmål and nynorsk are complete;
// English has titles, steps and stop rules, and the rest falls back visibly.
var Locales = []string{"nb", "nn", "en"}

// Text is something said in the languages of the routines.
type Text struct {
	NB string `yaml:"nb"`
	NN string `yaml:"nn"`
	EN string `yaml:"en"`

	At yamlfile.Place
}

// Empty tells whether nothing is said.
func (t Text) Empty() bool { return t.NB == "" && t.NN == "" && t.EN == "" }

// In gives the text in a language, else in bokmål, else in nynorsk, and says
// which language it is when that is not the one asked for.
func (t Text) In(locale string) Line {
	want := t.NB
	switch locale {
	case "nn":
		want = t.NN
	case "en":
		want = t.EN
	}
	switch {
	case want != "":
		return Line{Text: want}
	case t.NB != "":
		return Line{Text: t.NB, Locale: "nb"}
	case t.NN != "":
		return Line{Text: t.NN, Locale: "nn"}
	}
	return Line{Text: t.EN, Locale: "en"}
}

// Line is a text as it is shown.
type Line struct {
	Text   string
	Locale string // the language it is in, where that is not the one asked for
	Check  bool   // to be checked by the municipality: general knowledge, no source was read
	Local  bool   // the municipality's own words
}

// Facts says how sure something is.
type Facts struct {
	Source []string `yaml:"source"` // keys of sources.yaml
	Mark   string   `yaml:"mark"`   // S read in a source, S-old an old one, K general knowledge, R a recommendation
	Check  string   `yaml:"check"`  // what a person must still find out
}

// Uncertain tells whether the municipality must check it before use.
func (f Facts) Uncertain() bool { return f.Mark == "K" || f.Mark == "S-old" || f.Check != "" }

// Ref points to a law: the key of an act and the place in it, "strl §§ 196, 287".
type Ref string

// Act is the key of the act.
func (r Ref) Act() string {
	act, _, _ := strings.Cut(string(r), " ")
	return act
}

// Section is the place in the act; "" = the act as a whole.
func (r Ref) Section() string {
	_, at, _ := strings.Cut(string(r), " ")
	return at
}

// Routine is what to do in one situation.
type Routine struct {
	ID    string   `yaml:"id"`
	Title Text     `yaml:"title"`
	Theme string   `yaml:"theme"`
	Roles []string `yaml:"roles"` // whom it is for first of all; none = everybody
	Asked []string `yaml:"asked"` // how people ask for it, for the search
	When  []Text   `yaml:"when"`  // when to use it
	Acute Acute    `yaml:"acute"`
	Stop  Stop     `yaml:"stop"`

	Steps   []Step   `yaml:"steps"`
	DoNot   []Text   `yaml:"do_not"`
	Law     []Ref    `yaml:"law"`
	Call    []string `yaml:"call"` // resources, the first first
	Write   []Text   `yaml:"write"`
	Child   []Text   `yaml:"child"`   // what the child is told and decides
	Parents []Text   `yaml:"parents"` // who tells the parents, and when

	Blocks   []string  `yaml:"blocks"`
	Overlays []Overlay `yaml:"overlays"`
	See      []string  `yaml:"see"` // other routines that often follow

	Owner      string `yaml:"owner"`
	Version    string `yaml:"version"`     // the day it was written or last changed
	ValidUntil string `yaml:"valid_until"` // the day it must have been gone through
	Facts

	Local bool `yaml:"-"` // written or changed by a municipality
	At    yamlfile.Place
}

// Acute says how much it hurries.
type Acute struct {
	Level string `yaml:"level"` // yes, maybe or no
	Text  Text   `yaml:"text"`  // when it is acute, where that depends
	At    yamlfile.Place
}

// Stop is the stop rule: the parents are not told before the police or child
// welfare have said when and by whom (facts 1.6).
type Stop struct {
	Applies string `yaml:"applies"` // always, sometimes or no
	Text    Text   `yaml:"text"`    // else the words of the block blk-stop-parents
	At      yamlfile.Place
}

// When the stop rule applies.
const (
	Always    = "always"
	Sometimes = "sometimes"
	No        = "no"
)

// Step is one thing to do.
type Step struct {
	ID    string   `yaml:"id"`
	Who   []string `yaml:"who"`      // words.yaml, who; any of them
	When  string   `yaml:"when"`     // words.yaml, times
	Limit string   `yaml:"deadline"` // the deadline that binds it
	Text  Text     `yaml:"text"`
	Law   []Ref    `yaml:"law"`
	Call  []string `yaml:"call"`

	// Duty marks what the law demands: a municipality can say it in its own
	// words but cannot take it away.
	Duty bool `yaml:"duty"`
	// Informs marks a step that tells, calls or invites parents. It is left out
	// where the stop rule holds (inv-2).
	Informs bool `yaml:"informs_parents"`

	Covers []string `yaml:"covers"` // elements of a routine it meets
	After  string   `yaml:"after"`  // added steps: the step it follows; "" = first
	Facts

	Local bool `yaml:"-"`
	At    yamlfile.Place
}

// Overlay is what a routine adds in some circumstances. All that is given must
// hold; in one list any is enough.
type Overlay struct {
	Roles []string `yaml:"roles"`
	Kinds []string `yaml:"kinds"` // what it is about: words.yaml, kinds
	Ages  []string `yaml:"ages"`
	Flags []string `yaml:"flags"` // chips of the tree
	Stop  bool     `yaml:"stop"`  // the stop rule holds
	Steps []Step   `yaml:"steps"`
	Notes []Text   `yaml:"notes"`
	At    yamlfile.Place
}

// Block is a piece of text that many routines use, ready to copy.
type Block struct {
	ID     string   `yaml:"id"`
	Title  Text     `yaml:"title"`
	Lines  []Text   `yaml:"lines"`
	Say    []Text   `yaml:"say"` // sentences to say or send, word for word
	Covers []string `yaml:"covers"`
	Facts
	At yamlfile.Place
}

// Role is a profession or post, and what it adds to every routine.
type Role struct {
	ID     string `yaml:"id"`
	Name   Text   `yaml:"name"`
	Leader Text   `yaml:"leader"` // what the leader is called
	Line   Text   `yaml:"line"`   // from the leader upwards
	Duty   Text   `yaml:"duty"`   // the duty to report, in a sentence
	Report []Ref  `yaml:"report"` // where that duty stands
	Steps  []Text `yaml:"steps"`
	Traps  []Text `yaml:"traps"`
	Facts
	At yamlfile.Place
}

// Law is a subject of the law in force.
type Law struct {
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	Lines []Text `yaml:"lines"`
	Lists []List `yaml:"lists"`
	Refs  []Ref  `yaml:"refs"`
	Facts
	At yamlfile.Place
}

// List is a titled list inside a subject of the law.
type List struct {
	Title Text   `yaml:"title"`
	Items []Text `yaml:"items"`
	At    yamlfile.Place
}

// Act is an act or regulation. References name it by key, so that the day a new
// act takes over one line changes.
type Act struct {
	ID     string `yaml:"id"`
	Name   Text   `yaml:"name"`
	Number string `yaml:"number"` // as the public register has it
	Web    string `yaml:"web"`
	Facts
	At yamlfile.Place
}

// Resource is somebody to call or something to read, for professionals.
type Resource struct {
	ID      string   `yaml:"id"`
	Name    Text     `yaml:"name"`
	Offers  Text     `yaml:"offers"`
	Contact []string `yaml:"contacts"` // contacts and services of flows/content/data, the best first
	Local   Text     `yaml:"local"`    // who knows the way to it, where no number is kept
	Child   bool     `yaml:"child"`    // for the child itself
	Facts
	At yamlfile.Place
}

// Term is a word of the field in the languages, with what people type for it.
type Term struct {
	ID   string   `yaml:"id"`
	NB   string   `yaml:"nb"`
	NN   string   `yaml:"nn"`
	EN   string   `yaml:"en"`
	SE   string   `yaml:"se"` // Northern Sámi, where the facts have it; draft
	Also []string `yaml:"also"`
	See  []string `yaml:"see"` // routines, laws, resources, blocks, "deadlines"
	At   yamlfile.Place
}

// Text gives the term in the languages.
func (t Term) Text() Text { return Text{NB: t.NB, NN: t.NN, EN: t.EN, At: t.At} }

// Note is something a person must still settle.
type Note = data.Note

// Uses tells whether the routine is among those for a role first of all.
func (r Routine) Uses(role string) bool {
	return len(r.Roles) == 0 || slices.Contains(r.Roles, role)
}
