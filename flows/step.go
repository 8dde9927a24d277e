package flows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/looplab/fsm"
)

// Caps on what a session may hold, so that it stays below 1 kB (F16).
const (
	maxPath  = 12
	maxCalls = 4
)

// UI are the texts the engine says by itself.
var UI = []string{"engine.erased", "engine.topic", "engine.choose", "engine.unsure"}

// New gives the session of a chat that is not known, or not known any more.
// Nothing in it tells of earlier use (S33).
func (l *Library) New(locale string, in Input) Session {
	return Session{Schema: Schema, Place: l.index.start, Locale: locale, Screen: in.Next, StartedAt: in.At, UpdatedAt: in.At}
}

// Step moves a session by one input. It reads no clock, no store and no
// network, so the same session and input give the same answer every time; s is
// left as it was. A session of another schema starts anew. The error is nil or
// ErrStale, and the effects can be shown in both cases. A session that ends
// comes back as the zero Session.
func (l *Library) Step(s Session, in Input) (Session, []Effect, error) {
	in.Env = in.Env.at(in.At)
	if s.Schema != Schema {
		s = l.New(s.Locale, in)
	}
	s = l.settle(s.clone())
	stale := in.Screen != "" && in.Screen != s.Screen

	// Leaving works from any screen, also from an old one.
	switch in.Event {
	case Erase:
		return Session{}, []Effect{Forget{}, Clear{}, Toast{"engine.erased"}}, nil
	case Hide:
		return Session{}, []Effect{Clear{}}, nil
	case Idle:
		return Session{}, []Effect{Clear{}}, nil
	}
	if stale {
		return s, l.Show(s, in.Env), ErrStale
	}
	next := s
	switch in.Event {
	case Show, Help:
		// Help is answered by the card; whoever asks the engine gets the screen
		// that the card leaves in place.
		return s, l.Show(s, in.Env), nil
	case Back:
		next = l.back(next)
	case Home:
		next.Place, next.Path = l.homeOf(s), nil
	case Restart:
		next = l.New(s.Locale, in)
	case Language:
		next = l.enter(next, l.index.language)
	case Privacy:
		next = l.enter(next, l.index.privacy)
	case Typed:
		return l.typed(s, in)
	default:
		if do := l.state(s.Place).by[in.Event].Do.Name; do == Erase || do == Hide {
			in.Event = do
			return l.Step(s, in)
		}
		var err error
		if next, err = l.press(s, in); err != nil {
			return s, l.Show(s, in.Env), err
		}
	}
	return l.arrive(next, in, nil)
}

// arrive stamps the session and shows where it is now.
func (l *Library) arrive(s Session, in Input, before []string) (Session, []Effect, error) {
	s.Screen, s.UpdatedAt = in.Next, in.At
	show := l.Show(s, in.Env)
	if len(before) > 0 {
		say := show[0].(Say)
		say.Before = before
		show[0] = say
	}
	return s, show, nil
}

// press moves along an edge of the present state.
func (l *Library) press(s Session, in Input) (Session, error) {
	event := in.Event
	if id, ok := strings.CutPrefix(event, Topic); ok {
		to, known := l.leads(id)
		if !known {
			return s, fmt.Errorf("%s: no topic: %w", s.Place, ErrStale)
		}
		return l.enter(s, to), nil
	}
	state := l.state(s.Place)
	if number, ok := strings.CutPrefix(event, listPick); ok && state.List != "" && l.numbers[number] {
		event = placeNamed
		in.Understanding.Place, in.Understanding.Area = number, ""
	}
	if state.Desk && strings.HasPrefix(event, deskPick) {
		if next, ok := l.pick(s, in); ok {
			return next, nil
		}
		return s, fmt.Errorf("%s: no such choice: %w", s.Place, ErrStale)
	}
	edge, ok := state.by[event]
	if !ok || !state.offers(event, s, in.Env) {
		return s, fmt.Errorf("%s: %w", s.Place, ErrStale)
	}
	f := l.flows[s.Flow]
	to, err := f.machines.fire(s.State, event)
	if err != nil {
		return s, fmt.Errorf("%s: %w", s.Place, err)
	}
	return l.follow(act(s, edge.Do, in.Understanding), l.lay(to, edge.Do, in.Understanding)), nil
}

// typed answers typed words: what the state waits for, else the topic that
// fits, else the present screen with a kind line. Never a dead end (F40, F47).
func (l *Library) typed(s Session, in Input) (Session, []Effect, error) {
	u, state := in.Understanding, l.state(s.Place)
	try := func(event string) (Session, []Effect, bool) {
		if _, ok := state.by[event]; !ok {
			return s, nil, false
		}
		in := in
		in.Event = event
		next, err := l.press(s, in)
		if err != nil {
			return s, nil, false
		}
		n, fx, _ := l.arrive(next, in, nil)
		return n, fx, true
	}
	if u.Place != "" && l.numbers[u.Place] {
		if n, fx, ok := try(placeNamed); ok {
			return n, fx, nil
		}
	}
	if n, fx, ok := try(Typed); ok {
		return n, fx, nil
	}
	if to, ok := l.index.asks[u.Ask]; ok {
		return l.arrive(l.enter(s, to), in, []string{"engine.topic"})
	}
	var topics []string
	for _, t := range u.Topics {
		if _, ok := l.index.topics[t]; ok && !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	switch {
	case len(topics) == 1:
		next := l.enter(s, l.index.topics[topics[0]])
		return l.arrive(next, in, []string{"engine.topic"})
	case len(topics) > 1:
		n, fx, _ := l.arrive(s, in, []string{"engine.choose"})
		say := fx[0].(Say)
		var rows [][]Button
		for _, t := range topics[:min(3, len(topics))] {
			rows = append(rows, []Button{{Event: Topic + t, Label: "topic." + t}})
		}
		say.Buttons = append(rows, say.Buttons...)
		fx[0] = say
		return n, fx, nil
	}
	return l.arrive(s, in, []string{"engine.unsure"})
}

// follow goes where an edge leads.
func (l *Library) follow(s Session, to Target) Session {
	switch {
	case to.Done:
		return l.finish(s)
	case to.Call:
		return l.enter(s, l.resolve(to.Place))
	}
	return l.walk(s, to.Place)
}

// walk goes to a state of the same flow. A state on the way here is returned
// to, so that the way back never goes round in circles.
func (l *Library) walk(s Session, to Place) Session {
	if to == s.Place {
		return s
	}
	for i := len(s.Path) - 1; i >= 0 && !s.Path[i].Call; i-- {
		if s.Path[i].Place == to {
			s.Path = s.Path[:i]
			s.Place = to
			return s
		}
	}
	return trim(leave(s, to, false))
}

// enter calls another flow; the main menu is not called but returned to.
func (l *Library) enter(s Session, to Place) Session {
	if to == l.index.home || to == l.index.work {
		s.Place, s.Path = to, nil
		return s
	}
	if to.Flow == s.Flow {
		return l.walk(s, to)
	}
	return trim(leave(s, to, true))
}

func leave(s Session, to Place, call bool) Session {
	s.Path = append(slices.Clip(s.Path), Crumb{s.Place, call})
	s.Place = to
	return s
}

// finish goes back to whoever called this flow; to the main menu if nobody did.
func (l *Library) finish(s Session) Session {
	for i := len(s.Path) - 1; i >= 0; i-- {
		if s.Path[i].Call {
			s.Place, s.Path = s.Path[i].Place, s.Path[:i]
			return s
		}
	}
	s.Place, s.Path = l.homeOf(s), nil
	return s
}

// homeOf is the menu of whoever stands there: a professional has one too.
func (l *Library) homeOf(s Session) Place {
	if work, ok := l.Work(); ok && l.For(s) == ForProfessional {
		return work
	}
	return l.index.home
}

func (l *Library) back(s Session) Session {
	if n := len(s.Path); n > 0 {
		s.Place, s.Path = s.Path[n-1].Place, s.Path[:n-1]
	}
	return s
}

// trim keeps the path short by forgetting its oldest steps, and calls at most
// maxCalls deep.
func trim(s Session) Session {
	calls := 0
	for i := len(s.Path) - 1; i >= 0; i-- {
		if s.Path[i].Call {
			calls++
		}
		if calls > maxCalls || len(s.Path)-i > maxPath {
			s.Path = slices.Clone(s.Path[i+1:])
			break
		}
	}
	return s
}

// act performs a named action on the session; erase and hide are the engine's.
func act(s Session, a Action, u Understanding) Session {
	switch a.Name {
	case "locale":
		s.Locale = a.Arg
	case "band":
		s.Band = given(a.Arg)
	case "tenant":
		if s.Tenant, s.Area = given(a.Arg), ""; a.Arg == "named" {
			s.Tenant, s.Area = u.Place, u.Area
		}
	case "messages":
		s.Fresh = a.Arg == "new"
	case "tidy":
		s.Linger = a.Arg == "late"
	}
	return s
}

func given(arg string) string {
	if arg == "none" {
		return ""
	}
	return arg
}

// Settle gives the session as this library would go on with it.
func (l *Library) Settle(s Session) Session { return l.settle(s.clone()) }

// settle moves a session whose state does not exist any more to the nearest
// place that does: the state's later name, the flow's start, the last place on
// the way here, the start (F28).
func (l *Library) settle(s Session) Session {
	s.Path = slices.DeleteFunc(s.Path, func(c Crumb) bool { return l.state(c.Place) == nil })
	if l.state(s.Place) != nil {
		return s
	}
	if f := l.flows[s.Flow]; f != nil {
		if now, ok := f.was[s.State]; ok {
			s.State = now
		} else {
			s.State = f.Start
		}
		return s
	}
	if n := len(s.Path); n > 0 {
		return l.back(s)
	}
	s.Place = l.index.start
	return s
}

// Show gives the screen a session stands on. Help is on it because it is put
// there here, not because an author remembered (D5, S1).
func (l *Library) Show(s Session, env Env) []Effect {
	state := l.state(s.Place)
	if state == nil {
		s = l.settle(s.clone())
		state = l.state(s.Place)
	}
	say := Say{Messages: slices.Clone(state.Say), Typing: state.Typing}
	for _, row := range state.Rows {
		var bs []Button
		for _, c := range row {
			if state.shown(c, s, env) {
				bs = append(bs, Button{Event: c.Event, Label: s.Flow + "." + s.State + "." + c.Event})
			}
		}
		if len(bs) > 0 {
			say.Buttons = append(say.Buttons, bs)
		}
	}
	if state.List != "" {
		var rows [][]Button
		for i, m := range l.named {
			b := Button{Event: listPick + m.Number, Text: m.Name}
			if i%2 == 0 {
				rows = append(rows, []Button{b})
			} else {
				rows[i/2] = append(rows[i/2], b)
			}
		}
		say.Buttons = append(rows, say.Buttons...)
	}
	if state.Desk {
		page := l.page(s, env)
		say.Messages, say.Lines = append(say.Messages, page.Say...), page.Lines
		say.Buttons = append(page.buttons(), say.Buttons...)
	}
	say.System = l.system(s)
	return []Effect{say}
}

// system lists the engine's events that do something here; Help always.
func (l *Library) system(s Session) []string {
	out := make([]string, 0, len(System))
	for _, e := range System {
		switch {
		case e == Back && len(s.Path) == 0,
			e == Home && (s.Place == l.homeOf(s) || s.Place == l.index.start),
			e == Restart && s.Place == l.index.start,
			e == Language && s.Flow == l.index.language.Flow,
			e == Privacy && s.Flow == l.index.privacy.Flow:
			continue
		}
		out = append(out, e)
	}
	return out
}

// offers tells whether an event may happen here: a hidden button may not be
// pressed by hand (S52).
func (st *State) offers(event string, s Session, env Env) bool {
	for _, row := range st.Rows {
		for _, c := range row {
			if c.Event == event {
				return st.shown(c, s, env)
			}
		}
	}
	return true
}

// shown tells whether a choice is offered: by its own rule, and a language only
// where it is switched on (S68).
func (st *State) shown(c Choice, s Session, env Env) bool {
	if do := st.by[c.Event].Do; do.Name == "locale" && env.Locales != nil && !env.Locales[do.Arg] {
		return false
	}
	return c.When.holds(s, env)
}

func (w When) holds(s Session, env Env) bool {
	band := s.Band
	if band == "" {
		band = DefaultBand
	}
	return (len(w.Bands) == 0 || slices.Contains(w.Bands, band)) &&
		(len(w.Channels) == 0 || slices.Contains(w.Channels, env.Channel)) &&
		(w.Switch == "" || env.Switches[w.Switch])
}

// machines is a pool of state machines of one flow. A machine costs a hundred
// microseconds to build and two to use; one that met an error may be stuck and
// is dropped.
type machines struct {
	pool sync.Pool
	// targets gives back what a machine's state names stand for.
	targets map[string]Target
}

func newMachines(f *Flow) *machines {
	m := &machines{targets: map[string]Target{}}
	var events []fsm.EventDesc
	for _, s := range f.States {
		for _, e := range s.Go {
			dst := e.Target.name()
			m.targets[dst] = e.Target
			events = append(events, fsm.EventDesc{Name: e.Event, Src: []string{s.Name}, Dst: dst})
		}
	}
	m.pool.New = func() any { return fsm.NewFSM(f.Start, events, nil) }
	return m
}

// name is the state a machine is in after this edge: a state of the flow, or a
// stand-in for another flow, which no state can be called.
func (t Target) name() string {
	switch {
	case t.Done:
		return "done!"
	case t.Call:
		return t.Place.String()
	}
	return t.State
}

// fire asks a machine where an event leads from a state.
func (m *machines) fire(from, event string) (Target, error) {
	machine := m.pool.Get().(*fsm.FSM)
	machine.SetState(from)
	err := machine.Event(context.Background(), event)
	var stayed fsm.NoTransitionError
	if err != nil && !(errors.As(err, &stayed) && stayed.Err == nil) {
		return Target{}, fmt.Errorf("%w: %w", ErrStale, err)
	}
	to := m.targets[machine.Current()]
	m.pool.Put(machine)
	return to, nil
}
