package flows

import (
	"cmp"
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

// Channels are those a choice may depend on.
var Channels = []string{"web", "telegram"}

// check looks at all flows together. What it says is for the author of the
// file. Dead ends and loops are judged without the engine's buttons (D16).
// broken are flows that cannot be read, told already; with unsure, something
// that could lead anywhere was told already, so nothing is called unreachable.
// The work grows with the number of edges, not with its square.
func (l *Library) check(broken map[string]bool, unsure bool) []Problem {
	for _, n := range l.order {
		l.flows[n].at.src.problems = nil
	}
	for _, n := range l.order {
		if l.flows[n].checkStates(l, broken) {
			unsure = true
		}
	}
	w := l.whoComes(unsure)
	if !unsure {
		l.checkReach(w)
	}
	l.checkDeadEnds(w)
	l.checkWaysOut(w)
	l.readers = w.readers()
	var all []Problem
	for _, n := range l.order {
		all = append(all, l.flows[n].at.src.problems...)
	}
	return all
}

// checkStates looks at the states one by one. It is true when some edge leads
// nobody knows where.
func (f *Flow) checkStates(l *Library, broken map[string]bool) (lost bool) {
	if len(f.States) > maxStates {
		f.at.problem("more than %d states: split the flow", maxStates)
	}
	for _, old := range keys(f.was) {
		if f.state[old] != nil {
			f.wasAt[old].problem("was: %q is still a state of this flow: an earlier name must be gone", old)
		}
	}
	for _, s := range f.States {
		what := fmt.Sprintf("state %q", s.Name)
		lost = lost || len(s.lost) > 0
		for i := range s.Go {
			if !f.checkEdge(l, s, &s.Go[i], what, broken) {
				lost = true
			}
		}
		f.checkKeyboard(s, what)
		seen := map[string]bool{}
		for i, id := range s.Say {
			if seen[id] {
				s.saidAt[i].problem("%s says %q twice", what, id)
			}
			seen[id] = true
		}
	}
	return lost
}

// checkEdge is false when the edge leads nobody knows where. A misspelt target
// counts as the one that was probably meant, so that one mistake is told once.
func (f *Flow) checkEdge(l *Library, s *State, e *Edge, what string, broken map[string]bool) bool {
	switch a := e.Do; {
	case a.Name == "tenant" && a.Arg == "named" && e.Event != placeNamed:
		e.at.problem("%s: do: %q cannot be tenant named: only place knows which municipality was named", what, e.Event)
	case a.Name == "tenant" && tenantNumber.MatchString(a.Arg) && len(l.numbers) > 0 && !l.numbers[a.Arg]:
		e.at.problem("%s: do: tenant %s is not a municipality of the data", what, a.Arg)
	}
	t := &e.Target
	if t.Done || broken[t.Flow] {
		return !broken[t.Flow]
	}
	defer func() { s.by[e.Event] = *e }()
	to, meant := l.flows[t.Flow], guess("")
	switch {
	case t.Call && has(ours, t.Flow), !t.Call && t.State == Help && f.state[Help] == nil:
		e.at.problem("%s sends %q to help, which is no place of a flow: its button stands on every screen by itself, so take this one away", what, e.Event)
		return false
	case to == nil:
		meant = suggest(t.Flow, l.order)
		e.at.problem("%s sends %q to %q, which is not a flow%s", what, e.Event, t.Flow, meant)
		if meant == "" {
			return false
		}
		t.Flow = string(meant)
		return t.State == "" || l.flows[t.Flow].state[t.State] != nil
	case t.State == "" && t.Call, to.state[t.State] != nil:
		return true
	case t.Call:
		meant = suggest(t.State, to.stateNames())
		e.at.problem("%s sends %q to %q, which is not a state of %s%s", what, e.Event, t.Place, t.Flow, meant)
	case t.State == e.Event:
		meant = suggest(e.Event, f.stateNames())
		e.at.problem("button %q leads nowhere: add it under go%s", e.Event, meant)
	default:
		meant = suggest(t.State, f.stateNames())
		e.at.problem("%s sends %q to %q, which is not a state of this flow%s", what, e.Event, t.State, meant)
	}
	t.State = string(meant)
	return meant != ""
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
	for _, row := range s.Rows {
		if len(row) > maxInRow {
			s.at.problem("%s has %d buttons in one row: at most %d", what, len(row), maxInRow)
		}
		for _, c := range row {
			if seen[c.Event] {
				c.at.problem("%s has the button %q twice", what, c.Event)
			}
			seen[c.Event] = true
		}
	}
	for _, e := range s.Go {
		if !seen[e.Event] && e.Event != Typed && e.Event != placeNamed {
			e.at.problem("%s: %q under go is no button of this state: add the button, or take it away", what, e.Event)
		}
	}
	place, asks := s.by[placeNamed], s.Typing || s.List != ""
	typed, named := s.by[Typed], place.Event != ""
	switch {
	case s.List != "" && !named && !s.lost[placeNamed]:
		s.at.problem("%s offers municipalities but has no place under go: say where a chosen one leads", what)
	case named && !asks:
		place.at.problem("%s: place under go is never used: the state needs typing: true, or list: municipalities", what)
	}
	if typed.Event != "" && !s.Typing {
		typed.at.problem("%s: words under go is never used: the state needs typing: true", what)
	}
	if s.Typing && typed.Event == "" && !named && len(s.lost) == 0 {
		s.at.problem("%s asks for typed words and does nothing with them: say under go where words or place lead", what)
	}
}

// reader is one kind of child a choice may depend on: the band it said, the
// channel it is on, and the municipality's switches.
type reader struct {
	band, channel string
	on            *map[string]bool
}

// standing is a reader in a place.
type standing struct {
	Place
	reader
}

// walked is who can come where.
type walked struct {
	l    *Library
	here map[standing]bool
	all  []reader
}

// kinds are the readers there are: every band and none, every channel, and the
// switches that content names all off, all on, and each alone.
func (l *Library) kinds() (all []reader) {
	names := l.Switches()
	sets := []map[string]bool{{}}
	for _, n := range names {
		sets = append(sets, map[string]bool{n: true})
	}
	if len(names) > 1 {
		every := map[string]bool{}
		for _, n := range names {
			every[n] = true
		}
		sets = append(sets, every)
	}
	for i := range sets {
		for _, channel := range Channels {
			for _, band := range append([]string{""}, Bands...) {
				all = append(all, reader{band, channel, &sets[i]})
			}
		}
	}
	return all
}

// Switches are the municipalities' switches that choices depend on.
func (l *Library) Switches() []string {
	names := map[string]bool{}
	for _, n := range l.order {
		for _, s := range l.flows[n].States {
			for _, row := range s.Rows {
				for _, c := range row {
					if c.When.Switch != "" {
						names[c.When.Switch] = true
					}
				}
			}
		}
	}
	return keys(names)
}

// sees tells whether a reader is offered a choice.
func (r reader) sees(c Choice) bool {
	return c.When.holds(Session{Band: r.band}, Env{Channel: r.channel, Switches: *r.on})
}

// goes gives the edges of a state a reader can take.
func (s *State) goes(r reader) []Edge {
	hidden := map[string]bool{}
	for _, row := range s.Rows {
		for _, c := range row {
			if !r.sees(c) {
				hidden[c.Event] = true
			}
		}
	}
	if len(hidden) == 0 {
		return s.Go
	}
	return slices.DeleteFunc(slices.Clone(s.Go), func(e Edge) bool { return hidden[e.Event] })
}

// whoComes finds who can come where: from the start, from the main menu, language,
// privacy and the topics, which can be reached from everywhere, along every
// edge. A band that is said on the way is carried on, also back to the callers.
func (l *Library) whoComes(unsure bool) *walked {
	w := &walked{l: l, here: map[standing]bool{}, all: l.kinds()}
	if unsure {
		for _, n := range l.order {
			for _, s := range l.flows[n].States {
				for _, r := range w.all {
					w.here[standing{Place{Flow: n, State: s.Name}, r}] = true
				}
			}
		}
		return w
	}
	var queue []standing
	come := func(p Place, r reader) {
		at := standing{l.resolve(p), r}
		if l.state(at.Place) != nil && !w.here[at] {
			w.here[at] = true
			queue = append(queue, at)
		}
	}
	roots := []Place{l.index.home, l.index.language, l.index.privacy}
	for _, p := range l.index.topics {
		roots = append(roots, p)
	}
	type call struct {
		flow string
		r    reader
	}
	callers, finished := map[call]map[Place]bool{}, map[call]map[string]bool{}
	// A flow that is done goes back to whoever called it, with the band it has by
	// then.
	back := func(flow string, from reader, p Place) {
		for band := range finished[call{flow, from.anyBand()}] {
			to := from
			to.band = band
			come(p, to)
		}
	}
	rooted := map[reader]bool{}
	for _, r := range w.all {
		if r.band == "" {
			come(l.index.start, r)
		}
	}
	for len(queue) > 0 {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if !rooted[at.reader] {
			rooted[at.reader] = true
			for _, p := range roots {
				come(p, at.reader)
			}
		}
		for _, e := range l.state(at.Place).goes(at.reader) {
			to := at.reader
			if e.Do.Name == "band" {
				to.band = given(e.Do.Arg)
			}
			switch {
			case e.Target.Done:
				come(l.index.home, to)
				key := call{at.Flow, at.reader.anyBand()}
				if finished[key] == nil {
					finished[key] = map[string]bool{}
				}
				if !finished[key][to.band] {
					finished[key][to.band] = true
					for p := range callers[key] {
						come(p, to)
					}
				}
			case e.Target.Call:
				key := call{e.Target.Flow, at.reader.anyBand()}
				if callers[key] == nil {
					callers[key] = map[Place]bool{}
				}
				callers[key][at.Place] = true
				back(e.Target.Flow, at.reader, at.Place)
				come(e.Target.Place, to)
			default:
				come(e.Target.Place, to)
			}
		}
	}
	return w
}

// anyBand is the reader without its band, which may change on the way.
func (r reader) anyBand() reader {
	r.band = ""
	return r
}

// checkReach finds states nobody can come to, across flows, and buttons nobody
// is offered.
func (l *Library) checkReach(w *walked) {
	reached := map[Place]bool{}
	for at := range w.here {
		reached[at.Place] = true
	}
	for _, n := range l.order {
		f := l.flows[n]
		var lost []string
		for _, s := range f.States {
			if !reached[Place{Flow: n, State: s.Name}] {
				lost = append(lost, s.Name)
				continue
			}
			for _, row := range s.Rows {
				for _, c := range row {
					if !slices.ContainsFunc(w.all, func(r reader) bool { return w.here[standing{Place{Flow: n, State: s.Name}, r}] && r.sees(c) }) {
						c.at.problem("button %q of state %q is offered to nobody who comes here: change its when, or take it away", c.Event, s.Name)
					}
				}
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

// checkDeadEnds finds screens without a choice of the author's.
func (l *Library) checkDeadEnds(w *walked) {
	for _, n := range l.order {
		for _, s := range l.flows[n].States {
			if s.List != "" {
				continue
			}
			w.tell(s, Place{Flow: n, State: s.Name}, fmt.Sprintf("state %q is a dead end", s.Name), "it offers no button (the engine's own do not count)", func(r reader) bool {
				for _, row := range s.Rows {
					if slices.ContainsFunc(row, r.sees) {
						return false
					}
				}
				return true
			})
		}
	}
}

// checkWaysOut finds loops that a child can only leave by the engine's buttons.
// A flow is left by done, by the main menu, or by calling a flow that is not
// part of the loop.
func (l *Library) checkWaysOut(w *walked) {
	if l.state(l.index.home) == nil {
		return // told
	}
	for _, n := range l.order {
		f := l.flows[n]
		stuckIn := map[string]int{} // state -> for how many kinds of reader
		out := make([]map[string]bool, len(w.all))
		for i, r := range w.all {
			out[i] = f.leaves(l, r)
			for _, s := range f.States {
				if w.here[standing{Place{Flow: n, State: s.Name}, r}] && !out[i][s.Name] {
					stuckIn[s.Name]++
				}
			}
		}
		var always []string
		for _, s := range f.States {
			if !slices.ContainsFunc(out, func(o map[string]bool) bool { return o[s.Name] }) {
				always = append(always, s.Name)
				stuckIn[s.Name] = 0
			}
		}
		if len(always) > 0 {
			f.state[always[0]].at.problem("no way out of %s: lead one of them to done or to the main menu (%s)", quoted(always), l.index.home)
		}
		for _, s := range f.States {
			if stuckIn[s.Name] == 0 || !w.offers(s, Place{Flow: n, State: s.Name}) {
				continue
			}
			w.tell(s, Place{Flow: n, State: s.Name}, fmt.Sprintf("no way out of state %q", s.Name), fmt.Sprintf("lead it to done or to the main menu (%s)", l.index.home), func(r reader) bool {
				return !out[slices.Index(w.all, r)][s.Name]
			})
			break // the others of the loop are let out with it
		}
	}
}

// leaves gives the states of a flow that a reader can get out of.
func (f *Flow) leaves(l *Library, r reader) map[string]bool {
	out := map[string]bool{}
	from := map[string][]string{} // state -> the states that lead to it
	var queue []string
	for _, s := range f.States {
		dead := len(s.Rows) == 0 && s.List == "" // told as a dead end
		here := Place{Flow: f.Name, State: s.Name}
		leaves := here == l.index.home || here == l.index.work || len(s.lost) > 0 || dead
		for _, e := range s.goes(r) {
			t := e.Target
			switch {
			case t.Done, l.resolve(t.Place) == l.index.home, l.flows[t.Flow] == nil, !t.Call && f.state[t.State] == nil:
				leaves = true
			case !t.Call:
				from[t.State] = append(from[t.State], s.Name)
			}
		}
		if leaves {
			out[s.Name] = true
			queue = append(queue, s.Name)
		}
	}
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, b := range from[s] {
			if !out[b] {
				out[b] = true
				queue = append(queue, b)
			}
		}
	}
	return out
}

// offers tells whether everybody who comes to a state is offered a button; where
// not, the dead end has been told.
func (w *walked) offers(s *State, p Place) bool {
	return !slices.ContainsFunc(w.all, func(r reader) bool { return w.here[standing{p, r}] && len(s.goes(r)) == 0 })
}

// tell says what is wrong with a state, and for whom when not for all who can
// come there.
func (w *walked) tell(s *State, p Place, what, remedy string, wrong func(reader) bool) {
	var bands, channels, switches []string
	come, hit := 0, 0
	for _, r := range w.all {
		if !w.here[standing{p, r}] {
			continue
		}
		come++
		if !wrong(r) {
			continue
		}
		hit++
		if b := cmp.Or(r.band, DefaultBand); !has(bands, b) {
			bands = append(bands, b)
		}
		if !has(channels, r.channel) {
			channels = append(channels, r.channel)
		}
		for n := range *r.on {
			if !has(switches, n) {
				switches = append(switches, n)
			}
		}
	}
	if hit == 0 {
		return
	}
	whom := ""
	if hit < come {
		if len(bands) < len(Bands) {
			slices.SortFunc(bands, byAge)
			whom += " for the band " + strings.Join(bands, ", ")
		}
		if len(channels) == 1 {
			whom += " on " + channels[0]
		}
		if whom == "" {
			whom = " where a switch is off"
			if len(switches) > 0 {
				whom = " for some switches"
			}
		}
	}
	s.at.problem("%s%s: %s", what, whom, remedy)
}

// Readers are those who can come to a place.
type Readers struct{ Bands, Channels []string }

// Readers gives who can come to a place; a band that was not said counts as
// DefaultBand, whose texts it reads.
func (l *Library) Readers(p Place) Readers { p.Page = ""; return l.readers[p] }

func (w *walked) readers() map[Place]Readers {
	out := map[Place]Readers{}
	for _, n := range w.l.order {
		for _, s := range w.l.flows[n].States {
			p, r := Place{Flow: n, State: s.Name}, Readers{}
			for _, k := range w.all {
				if !w.here[standing{p, k}] {
					continue
				}
				if b := cmp.Or(k.band, DefaultBand); !has(r.Bands, b) {
					r.Bands = append(r.Bands, b)
				}
				if !has(r.Channels, k.channel) {
					r.Channels = append(r.Channels, k.channel)
				}
			}
			slices.SortFunc(r.Bands, byAge)
			out[p] = r
		}
	}
	return out
}

func byAge(a, b string) int { return slices.Index(Bands, a) - slices.Index(Bands, b) }

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
