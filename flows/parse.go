package flows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Flow is one conversation, as its file says it.
type Flow struct {
	Name   string
	For    string // Child or Professional
	Start  string
	States []*State // in the order of the file

	file     string
	at       node
	state    map[string]*State
	was      map[string]string // earlier name -> state
	wasAt    map[string]node
	machines *machines
}

// Whom a flow is for. It decides what typed words do first (S10).
const (
	ForChild        = "child"
	ForProfessional = "professional"
)

// State is a point in a flow: what is shown on entering it, and where each
// answer leads.
type State struct {
	Name   string
	Say    []string   // message IDs, a bubble each
	Rows   [][]Choice // the author's buttons
	Go     []Edge
	Typing bool   // asks for typed words
	List   string // a list of the data that is offered as buttons: "municipalities"
	Desk   bool   // shows pages of the desk

	at     node
	saidAt []node
	by     map[string]Edge
	// lost are events whose target cannot be read: already told, so nothing
	// more is said about where they lead.
	lost map[string]bool
}

// At is where the state stands in its file, SaidAt where its i-th message does.
func (s *State) At() Spot          { return s.at.spot() }
func (s *State) SaidAt(i int) Spot { return s.saidAt[i].spot() }

// Edge gives where an event leads from here.
func (s *State) Edge(event string) (Edge, bool) {
	e, ok := s.by[event]
	return e, ok
}

// Choice is a button and when it is offered.
type Choice struct {
	Event string
	When  When
	at    node
}

// At is where the button stands in its file.
func (c Choice) At() Spot { return c.at.spot() }

// When says for whom a choice is offered. The zero value is for everybody.
type When struct {
	Bands    []string
	Channels []string
	Switch   string // a municipality's switch that must be on
}

// Edge is where an event leads, and the named action on the way.
type Edge struct {
	Event  string
	Target Target
	Do     Action
	at     node
}

// At is where the edge stands in its file.
func (e Edge) At() Spot { return e.at.spot() }

// Target is where an edge leads.
type Target struct {
	Place
	Call bool // another flow, which comes back here
	Done bool // back to whoever called
}

// Action is something a session does by name.
type Action struct{ Name, Arg string }

// actions are what content may do on an edge, with the arguments each takes;
// nil = free.
var actions = map[string]func(arg string) bool{
	"locale":   func(a string) bool { return localeTag.MatchString(a) },
	"band":     func(a string) bool { return a == "none" || slices.Contains(Bands, a) },
	"tenant":   func(a string) bool { return a == "none" || a == "named" || tenantNumber.MatchString(a) },
	"look":     func(a string) bool { return pageName.MatchString(a) },
	"messages": func(a string) bool { return a == "new" || a == "edit" },
	"tidy":     func(a string) bool { return a == "soon" || a == "late" },
	"erase":    func(a string) bool { return a == "" },
	"hide":     func(a string) bool { return a == "" },
}

var (
	localeTag    = regexp.MustCompile(`^[a-z]{2,3}$`)
	tenantNumber = regexp.MustCompile(`^[0-9]{4}$`)
	pageName     = regexp.MustCompile(`^[a-z0-9.-]{1,40}$`)
	nameForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
)

// The events a state may handle besides its buttons.
const placeNamed = "place" // a municipality was typed or picked from the list

const (
	done     = "done"
	listPick = "t-" // event of a generated municipality button: t-0301
	deskPick = "d-" // event of a choice on a desk's page: d-1x2y3z
)

var reserved = append(slices.Clone(System), Typed, Idle, Show, done, "other", "event", "state")

// ours are names no flow can have: help is compiled in and reached before any
// flow (D5, F66).
var ours = []string{Help, "card"}

func parseFlow(file string, b []byte) (*Flow, []Problem) {
	src := &source{name: file}
	root, ok := src.parse(b)
	if !ok {
		return nil, src.problems
	}
	f := &Flow{file: file, at: root, For: ForChild, state: map[string]*State{}, was: map[string]string{}, wasAt: map[string]node{}}
	var states, start node
	if pairs := root.pairs("flow file", "flow", "for", "start", "states"); len(pairs) == 0 && len(src.problems) > 0 {
		return f, src.problems // it is no flow at all
	}
	src.problems = nil
	for _, p := range root.pairs("flow file", "flow", "for", "start", "states") {
		switch p.key {
		case "flow":
			f.Name, _ = p.value.text("flow")
		case "for":
			if f.For, ok = p.value.text("for"); ok && f.For != ForChild && f.For != ForProfessional {
				p.value.problem("for: want child or professional, got %q", f.For)
			}
		case "start":
			f.Start, _ = p.value.text("start")
			start = p.value
		case "states":
			states = p.value
		}
	}
	if f.Name != "" || len(src.problems) == 0 {
		f.checkName(root)
	}
	if states.n == nil {
		root.problem("states: is missing: a flow needs at least one state")
		return f, src.problems
	}
	for _, p := range states.pairs("states") {
		f.parseState(p)
	}
	if len(f.States) == 0 {
		root.problem("states: is empty: a flow needs at least one state")
	}
	if _, ok := f.state[f.Start]; !ok && len(f.States) > 0 {
		if start.n == nil {
			start = root
		}
		start.problem("start: %q is not a state of this flow%s", f.Start, suggest(f.Start, f.stateNames()))
	}
	return f, src.problems
}

func (f *Flow) checkName(root node) {
	switch want := nameOf(f.file); {
	case f.Name != want:
		root.problem("flow: want %q, the name of the file, got %q", want, f.Name)
	case has(ours, f.Name):
		root.problem("flow: %q belongs to the help card, which is compiled in: choose another name", f.Name)
	case !nameForm.MatchString(f.Name):
		root.problem("flow: %q: want small letters a-z, digits and _, beginning with a letter", f.Name)
	}
}

// nameOf is what the flow of a file is called.
func nameOf(file string) string {
	return strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".yaml")
}

func (f *Flow) stateNames() []string {
	names := make([]string, len(f.States))
	for i, s := range f.States {
		names[i] = s.Name
	}
	return names
}

func (f *Flow) parseState(p pair) {
	s := &State{Name: p.key, at: p.at, by: map[string]Edge{}, lost: map[string]bool{}}
	if !nameForm.MatchString(s.Name) {
		p.at.problem("state %q: want small letters a-z, digits and _, beginning with a letter", s.Name)
	}
	if has(reserved, s.Name) {
		p.at.problem("state %q: this name belongs to the engine: choose another", s.Name)
	}
	f.States = append(f.States, s)
	f.state[s.Name] = s
	what := "state " + s.Name
	var goes, does []pair
	says := false
	for _, q := range p.value.pairs(what, "say", "buttons", "go", "do", "was", "typing", "list", "desk") {
		switch q.key {
		case "say":
			says = true
			for _, it := range q.value.list(what + ": say") {
				if id, ok := it.text(what + ": say"); ok {
					s.Say, s.saidAt = append(s.Say, id), append(s.saidAt, it)
				}
			}
		case "buttons":
			for _, row := range q.value.list(what + ": buttons") {
				s.Rows = append(s.Rows, parseRow(what, row))
			}
		case "go":
			goes = q.value.pairs(what + ": go")
		case "do":
			does = q.value.pairs(what + ": do")
		case "was":
			for _, old := range q.value.words(what + ": was") {
				if now, twice := f.was[old]; twice {
					q.value.problem("%s: was: %q is also an earlier name of state %q: keep one", what, old, now)
					continue
				}
				f.was[old], f.wasAt[old] = s.Name, q.value
			}
		case "typing":
			s.Typing = q.value.yes(what + ": typing")
		case "desk":
			s.Desk = q.value.yes(what + ": desk")
		case "list":
			if s.List, _ = q.value.text(what + ": list"); s.List != "municipalities" {
				q.value.problem("%s: list: want municipalities, got %q", what, s.List)
			}
		}
	}
	if len(s.Say) == 0 && !says {
		p.at.problem("%s: say is missing: every state says something", what)
	}
	for _, g := range goes {
		to, ok := g.value.text(what + ": go")
		if !ok {
			s.lost[g.key] = true
			continue
		}
		if t, err := f.target(to); err != "" {
			g.value.problem("%s sends %q to %q, %s", what, g.key, to, err)
			s.lost[g.key] = true
		} else {
			s.addEdge(Edge{Event: g.key, Target: t, at: g.value})
		}
	}
	for _, row := range s.Rows {
		for _, c := range row {
			switch {
			case !nameForm.MatchString(c.Event):
				c.at.problem("button %q: want small letters a-z, digits and _, beginning with a letter, at most 32", c.Event)
				s.lost[c.Event] = true
			case has(reserved, c.Event):
				c.at.problem("button %q: this name belongs to the engine, which puts it on every screen: choose another", c.Event)
				s.lost[c.Event] = true
			}
			if _, ok := s.by[c.Event]; !ok && !s.lost[c.Event] {
				// An event goes to the state of its name, where nothing else is said.
				s.addEdge(Edge{Event: c.Event, Target: Target{Place: Place{Flow: f.Name, State: c.Event}}, at: c.at})
			}
		}
	}
	for _, d := range does {
		text, ok := d.value.text(what + ": do")
		if !ok {
			continue
		}
		verb, arg, _ := strings.Cut(text, " ")
		takes, known := actions[verb]
		switch e, ok := s.by[d.key]; {
		case !known:
			d.value.problem("%s: do: %q is not an action%s", what, verb, suggest(verb, keys(actions)))
		case !takes(arg):
			d.value.problem("%s: do: %q does not take %q", what, verb, arg)
		case !ok && s.lost[d.key]:
		case !ok:
			d.at.problem("%s: do: %q is neither a button nor under go%s", what, d.key, suggest(d.key, keys(s.by)))
		default:
			e.Do = Action{verb, arg}
			s.by[d.key] = e
			i := slices.IndexFunc(s.Go, func(x Edge) bool { return x.Event == d.key })
			s.Go[i] = e
		}
	}
}

func (s *State) addEdge(e Edge) {
	s.Go = append(s.Go, e)
	s.by[e.Event] = e
}

func parseRow(what string, row node) []Choice {
	var cs []Choice
	for _, it := range row.list(what + ": buttons") {
		c := Choice{at: it}
		if s, ok := scalar(it.n); ok {
			c.Event = s
			cs = append(cs, c)
			continue
		}
		for _, p := range it.pairs(what+": button", "event", "when") {
			switch p.key {
			case "event":
				c.Event, _ = p.value.text("event")
			case "when":
				for _, w := range p.value.pairs(what+": when", "band", "channel", "switch") {
					switch w.key {
					case "band":
						c.When.Bands = w.value.words("band")
						for _, b := range c.When.Bands {
							if !slices.Contains(Bands, b) {
								w.value.problem("%s: when: band: %q is not a band: want %s", what, b, strings.Join(Bands, ", "))
							}
						}
					case "channel":
						c.When.Channels = w.value.words("channel")
						for _, ch := range c.When.Channels {
							if ch != "web" && ch != "telegram" {
								w.value.problem("%s: when: channel: %q is not a channel: want web or telegram", what, ch)
							}
						}
					case "switch":
						c.When.Switch, _ = w.value.text("switch")
					}
				}
			}
		}
		cs = append(cs, c)
	}
	return cs
}

// target reads what stands under go: a state, flow/, flow/state or done.
func (f *Flow) target(s string) (Target, string) {
	if s == done {
		return Target{Done: true}, ""
	}
	flow, state, call := strings.Cut(s, "/")
	if !call {
		flow, state = f.Name, s
		if flow == "" {
			flow = nameOf(f.file) // told; the others of the file are still looked at
		}
	}
	if !nameForm.MatchString(flow) || state != "" && !nameForm.MatchString(state) {
		return Target{}, "which is no place: want a state, flow/, flow/state or done"
	}
	return Target{Place: Place{Flow: flow, State: state}, Call: call}, ""
}

// guess is the name that was probably meant, "" when there is none near. In a
// sentence it is a question at its end.
type guess string

func (g guess) String() string {
	if g == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", string(g))
}

// suggest names the known word nearest to s, as a colleague would.
func suggest(s string, known []string) guess { return guess(Nearest(s, known)) }

// Nearest gives the known word a misspelt one is nearest to; "" when none is
// near.
func Nearest(s string, known []string) string {
	best, near := "", 3
	for _, k := range known {
		if len(k)-len(s) >= near || len(s)-len(k) >= near {
			continue
		}
		if d := levenshtein.ComputeDistance(s, k); d < near && d < max(len(s), len(k)) {
			best, near = k, d
		}
	}
	return best
}

func has(list []string, s string) bool { return slices.Contains(list, s) }

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
