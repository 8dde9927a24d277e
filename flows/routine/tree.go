package routine

import (
	"errors"
	"maps"
	"slices"

	"trygg/flows/yamlfile"
)

// ErrStale says that an answer does not belong to the question.
var ErrStale = errors.New("no such answer here")

// Tree is the decision tree: at most six questions to the routine (facts 3).
// The role is not among them, it is a chip on the routine.
type Tree struct {
	Start     string     `yaml:"start"`
	Danger    string     `yaml:"danger"` // the routine for "danger now", from every question
	Now       string     `yaml:"now"`    // the routine for "show the routine now"
	Unsure    []string   `yaml:"unsure"` // what is offered besides to whoever is unsure
	Questions []Question `yaml:"questions"`
	Ends      []End      `yaml:"ends"`
	Flags     []Flag     `yaml:"flags"`
	Ages      []Age      `yaml:"ages"`
	At        yamlfile.Place
}

// Question is a state of the tree. It has answers to choose from and no place
// to type: nothing about a case can be said (inv-4).
type Question struct {
	ID      string   `yaml:"id"`
	Ask     Text     `yaml:"ask"`
	Answers []Answer `yaml:"answers"`
	At      yamlfile.Place
}

// Answer is one way on.
type Answer struct {
	ID     string            `yaml:"id"`
	Label  Text              `yaml:"label"`
	Set    map[string]string `yaml:"set"` // what is known now: danger, age, kind, source, perp, recent
	Stop   bool              `yaml:"stop"`
	Unsure bool              `yaml:"unsure"`
	Flags  []string          `yaml:"flags"` // chips it sets
	To     string            `yaml:"to"`    // a question, a routine or an end
	Also   []string          `yaml:"also"`
	At     yamlfile.Place
}

// End is a way out of the tree that is no routine.
type End struct {
	ID    string   `yaml:"id"`
	Title Text     `yaml:"title"`
	Lines []Text   `yaml:"lines"`
	Call  []string `yaml:"call"`
	Law   bool     `yaml:"law"` // the list of the subjects of the law
	Facts
	At yamlfile.Place
}

// Flag is a chip on every routine: something that holds besides.
type Flag struct {
	ID      string `yaml:"id"`
	Label   Text   `yaml:"label"`
	Hidden  bool   `yaml:"hidden"`  // set by an answer, not offered as a chip
	Routine string `yaml:"routine"` // the routine it adds
	Stop    bool   `yaml:"stop"`    // the stop rule holds from now on
	Notes   []Text `yaml:"notes"`
	At      yamlfile.Place
}

// Age is an age band of the child with what the law says of it.
type Age struct {
	ID    string `yaml:"id"`
	Label Text   `yaml:"label"`
	Notes []Text `yaml:"notes"`
	Facts
	At yamlfile.Place
}

// Path is a place in the tree and what is known on the way there. The zero Path
// is the start. It holds closed words only.
type Path struct {
	Question string            // "" = the start
	Asked    int               // questions answered
	Set      map[string]string // danger, age, kind, source, perp, recent
	Flags    []string          // chips that answers have set
	Stop     bool              // the stop rule holds
	Unsure   bool              // somebody was unsure on the way
}

// Outcome is where the tree leads: a routine with what is known, or an end.
type Outcome struct {
	Routine string
	End     string
	Also    []string // other routines to offer
	Path    Path
}

// Question gives the question at a path.
func (t *Tree) Question(p Path) (Question, bool) {
	id := p.Question
	if id == "" {
		id = t.Start
	}
	for _, q := range t.Questions {
		if q.ID == id {
			return q, true
		}
	}
	return Question{}, false
}

// Answer goes one step: to the next question, or with an outcome to the end.
func (t *Tree) Answer(p Path, answer string) (Path, *Outcome, error) {
	q, ok := t.Question(p)
	if !ok {
		return p, nil, ErrStale
	}
	i := slices.IndexFunc(q.Answers, func(a Answer) bool { return a.ID == answer })
	if i < 0 {
		return p, nil, ErrStale
	}
	a := q.Answers[i]
	next := p
	next.Asked++
	next.Set = maps.Clone(p.Set)
	if next.Set == nil {
		next.Set = map[string]string{}
	}
	maps.Copy(next.Set, a.Set)
	next.Flags = slices.Concat(p.Flags, a.Flags)
	next.Stop = p.Stop || a.Stop
	next.Unsure = p.Unsure || a.Unsure
	if _, more := t.Question(Path{Question: a.To}); more {
		next.Question = a.To
		return next, nil, nil
	}
	next.Question = q.ID
	o := &Outcome{Path: next}
	if t.end(a.To) != nil {
		o.End = a.To
	} else {
		o.Routine = a.To
	}
	also := slices.Clone(a.Also)
	if next.Unsure {
		also = append(also, t.Unsure...)
	}
	for _, id := range also {
		if id != o.Routine && !slices.Contains(o.Also, id) {
			o.Also = append(o.Also, id)
		}
	}
	return next, o, nil
}

// InDanger is where "danger now" leads from any question (inv-1).
func (t *Tree) InDanger(p Path) Outcome {
	return Outcome{Routine: t.Danger, Path: p}
}

// ShowNow is where "show the routine now" leads from any question: the routine
// for whoever does not know more, with the stop rule on (inv-7).
func (t *Tree) ShowNow(p Path) Outcome {
	p.Stop = true
	return Outcome{Routine: t.Now, Also: slices.Clone(t.Unsure), Path: p}
}

// End gives an end by id.
func (t *Tree) End(id string) (End, bool) {
	if e := t.end(id); e != nil {
		return *e, true
	}
	return End{}, false
}

func (t *Tree) end(id string) *End {
	for i := range t.Ends {
		if t.Ends[i].ID == id {
			return &t.Ends[i]
		}
	}
	return nil
}

// Context gives what the path has settled, for a View.
func (o Outcome) Context() Context {
	return Context{Age: o.Path.Set["age"], Kind: o.Path.Set["kind"], Flags: slices.Clone(o.Path.Flags), Stop: o.Path.Stop}
}
