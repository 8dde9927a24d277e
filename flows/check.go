package flows

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a screen, on every channel.
const (
	maxRows   = 8
	maxInRow  = 3
	maxSay    = 4
	maxStates = 400
)

// check looks at all flows together. What it says is for the author of the
// file. Dead ends and loops are judged without the engine's buttons (D16).
func (l *Library) check() []Problem {
	src := map[string]*source{}
	for _, f := range l.flows {
		f.at.src.problems = nil
		src[f.file] = f.at.src
	}
	for _, n := range l.order {
		f := l.flows[n]
		f.checkStates(l)
	}
	l.checkReach()
	l.checkWaysOut()
	var all []Problem
	for _, n := range l.order {
		all = append(all, l.flows[n].at.src.problems...)
	}
	return all
}

func (f *Flow) checkStates(l *Library) {
	if len(f.States) > maxStates {
		f.at.problem("more than %d states: split the flow", maxStates)
	}
	for old, now := range f.was {
		if f.state[old] != nil {
			f.state[now].at.problem("was: %q is still a state of this flow: an earlier name must be gone", old)
		}
	}
	for _, s := range f.States {
		what := fmt.Sprintf("state %q", s.Name)
		for _, e := range s.Go {
			t := e.Target
			if t.Done {
				continue
			}
			to := l.flows[t.Flow]
			switch {
			case to == nil:
				e.at.problem("%s sends %q to %q, which is not a flow%s", what, e.Event, t.Flow, suggest(t.Flow, l.order))
			case t.State == "" && t.Call:
			case to.state[t.State] != nil:
			case t.Call:
				e.at.problem("%s sends %q to %q, which is not a state of %s%s", what, e.Event, t.Place, t.Flow, suggest(t.State, to.stateNames()))
			case t.State == e.Event:
				e.at.problem("button %q leads nowhere: add it under go%s", e.Event, suggest(e.Event, f.stateNames()))
			default:
				e.at.problem("%s sends %q to %q, which is not a state of this flow%s", what, e.Event, t.State, suggest(t.State, f.stateNames()))
			}
		}
		f.checkKeyboard(s, what)
	}
}

func (f *Flow) checkKeyboard(s *State, what string) {
	if len(s.Say) > maxSay {
		s.at.problem("%s says %d messages at once: at most %d, the rest on a next screen", what, len(s.Say), maxSay)
	}
	rows := len(s.Rows)
	if rows > maxRows {
		s.at.problem("%s has %d rows of buttons: at most %d", what, rows, maxRows)
	}
	seen := map[string]bool{}
	offered := map[string]bool{}
	for _, row := range s.Rows {
		if len(row) > maxInRow {
			s.at.problem("%s has %d buttons in one row: at most %d", what, len(row), maxInRow)
		}
		for _, c := range row {
			if seen[c.Event] {
				c.at.problem("%s has the button %q twice", what, c.Event)
			}
			seen[c.Event] = true
			if c.When.Bands != nil && len(c.When.Bands) == 0 || c.When.Channels != nil && len(c.When.Channels) == 0 {
				c.at.problem("button %q is offered to nobody: leave `when` out or name a band", c.Event)
			}
			for _, b := range Bands {
				for _, ch := range []string{"web", "telegram"} {
					if c.When.Switch == "" && c.When.holds(Session{Band: b}, Env{Channel: ch}) {
						offered[b+" on "+ch] = true
					}
				}
			}
		}
	}
	for _, e := range s.Go {
		if !seen[e.Event] && e.Event != Typed && e.Event != placeNamed {
			e.at.problem("%s: %q under go is no button of this state: add the button, or take it away", what, e.Event)
		}
	}
	if (s.by[placeNamed].Event != "") != (s.List != "" || s.Typing) {
		if s.List != "" {
			s.at.problem("%s offers municipalities but has no place under go: say where a chosen one leads", what)
		}
	}
	if s.List != "" {
		return
	}
	for _, b := range Bands {
		for _, ch := range []string{"web", "telegram"} {
			if !offered[b+" on "+ch] {
				s.at.problem("%s is a dead end for the band %s on %s: it offers no button (the engine's own do not count)", what, b, ch)
				return
			}
		}
	}
}

// checkReach finds states nobody can come to, across flows.
func (l *Library) checkReach() {
	reached := map[Place]bool{}
	var visit func(p Place)
	visit = func(p Place) {
		p = l.resolve(p)
		s := l.state(p)
		if s == nil || reached[p] {
			return
		}
		reached[p] = true
		for _, e := range s.Go {
			if !e.Target.Done {
				visit(e.Target.Place)
			}
		}
	}
	for _, p := range []Place{l.index.start, l.index.home, l.index.language, l.index.privacy} {
		visit(p)
	}
	for _, p := range l.index.topics {
		visit(p)
	}
	for _, n := range l.order {
		f := l.flows[n]
		lost := []string{}
		for _, s := range f.States {
			if !reached[Place{n, s.Name}] {
				lost = append(lost, s.Name)
			}
		}
		if len(lost) == len(f.States) {
			f.at.problem("nothing leads to the flow %q: call it from another flow (%s/), or name it in %s", n, n, indexFile)
			continue
		}
		for _, s := range lost {
			f.state[s].at.problem("nothing leads to state %q: add a button for it, or take it away", s)
		}
	}
}

// checkWaysOut finds loops that a child can only leave by the engine's buttons.
// A flow is left by done, by the main menu, or by calling a flow that is not
// part of the loop.
func (l *Library) checkWaysOut() {
	for _, n := range l.order {
		f := l.flows[n]
		out := map[string]bool{}
		for grew := true; grew; {
			grew = false
			for _, s := range f.States {
				if out[s.Name] {
					continue
				}
				if (Place{n, s.Name}) == l.index.home || slices.ContainsFunc(s.Go, func(e Edge) bool {
					t := e.Target
					return t.Done || l.resolve(t.Place) == l.index.home || !t.Call && out[t.State]
				}) {
					out[s.Name], grew = true, true
				}
			}
		}
		var stuck []string
		for _, s := range f.States {
			if !out[s.Name] {
				stuck = append(stuck, s.Name)
			}
		}
		if len(stuck) > 0 {
			f.state[stuck[0]].at.problem("no way out of %s: lead one of them to done or to the main menu (%s)", quoted(stuck), l.index.home)
		}
	}
}

func quoted(names []string) string {
	const most = 5
	q := make([]string, 0, most)
	for i, n := range names {
		if i == most {
			return strings.Join(q, ", ") + fmt.Sprintf(" and %d more", len(names)-most)
		}
		q = append(q, fmt.Sprintf("state %q", n))
	}
	return strings.Join(q, ", ")
}
