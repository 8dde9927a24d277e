package flows

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Replay runs a transcript: a conversation in lines that an author can write
// and read.
//
//	# A child reads about being heard.
//	> start band=6-9 channel=web
//	< start.hello [next]
//	> next
//	< menu.main [rights] [tell]
//	> "is it allowed to hit?"
//	< engine.topic + violence.physical [more]
//
// A line with > is what the child does: the event of a button, a button of an
// earlier screen as state/event, an engine's event such as back, or typed words
// in quotes. The lines after it are what comes of it: < the messages and the
// author's buttons, = a toast, ! stale, ~ what can be removed is removed, and
// . where the session ended. A line with # is a remark. The first > line begins
// a new chat and may set band, channel, locale, tenant, switch and at
// (flow/state to begin in).
//
// On the desk a choice is the page it leads to, @r.injury, with the role it
// chooses where it does, @r.injury=role-skole; the page that lies there stands
// first among what is said.
//
// Replay gives the transcript as it really went; it went as written when that
// is the same text. The error is about lines nobody can carry out.
func (l *Library) Replay(script []byte, read func(Words, Session) Understanding) ([]byte, error) {
	var out bytes.Buffer
	r := replay{l: l, read: read, out: &out, screens: map[string]string{}}
	lines := bufio.NewScanner(bytes.NewReader(script))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), " \t")
		switch {
		case strings.HasPrefix(line, "#"), line == "":
			fmt.Fprintln(&out, line)
		case strings.HasPrefix(line, ">"):
			fmt.Fprintln(&out, line)
			if err := r.does(strings.TrimSpace(line[1:])); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		case strings.ContainsAny(line[:1], "<=!~."):
			// What was expected; what really came was written above.
		default:
			return nil, fmt.Errorf("line %d: want >, <, =, !, ~, . or # first, got %q", n, line)
		}
	}
	if r.steps == 0 {
		return nil, errors.New("nothing happens: want a line with > start")
	}
	return out.Bytes(), lines.Err()
}

type replay struct {
	l       *Library
	read    func(Words, Session) Understanding
	out     *bytes.Buffer
	s       Session
	env     Env
	steps   int
	screens map[string]string // state -> the screen it last had
}

func (r *replay) does(what string) error {
	r.steps++
	in := Input{At: time.Unix(0, 0).Add(time.Duration(r.steps) * time.Second), Next: fmt.Sprint("s", r.steps)}
	if what == "start" || strings.HasPrefix(what, "start ") {
		return r.start(strings.Fields(what)[1:], in)
	}
	if r.env.Channel == "" {
		return errors.New("want > start first")
	}
	in.Env, in.Event, in.Screen = r.env, what, r.s.Screen
	if words, ok := strings.CutPrefix(what, `"`); ok {
		in.Event, in.Screen = Typed, ""
		in.Understanding = r.read(NewWords(strings.TrimSuffix(words, `"`)), r.s)
		if u := in.Understanding; u.Help || u.Level > None && r.l.For(r.s) == ForChild {
			// The card answers before the engine is asked (D5).
			fmt.Fprintf(r.out, "< help card, %s\n", u.Level)
			return nil
		}
	} else if what == Help {
		fmt.Fprintln(r.out, "< help card, none")
		return nil
	} else if strings.HasPrefix(what, "@") {
		event, ok := r.leaves()[what]
		if !ok {
			return fmt.Errorf("%s is not on this page", what)
		}
		in.Event = event
	} else if state, event, old := strings.Cut(what, "/"); old {
		screen, ok := r.screens[state]
		if !ok {
			return fmt.Errorf("no screen of %q was shown before", state)
		}
		in.Event, in.Screen = event, screen
	}
	next, effects, err := r.l.Step(r.s, in)
	if err != nil {
		fmt.Fprintln(r.out, "! stale")
	}
	r.s = next
	r.show(effects)
	return nil
}

func (r *replay) start(options []string, in Input) error {
	r.env = Env{Channel: "web", Switches: map[string]bool{}}
	r.s = r.l.New("nb", in)
	for _, o := range options {
		key, value, _ := strings.Cut(o, "=")
		switch key {
		case "band":
			r.s.Band = value
		case "channel":
			r.env.Channel = value
		case "locale":
			r.s.Locale = value
		case "tenant":
			r.s.Tenant = value
		case "switch":
			r.env.Switches[value] = true
		case "at":
			flow, state, _ := strings.Cut(value, "/")
			r.s.Place = r.l.resolve(Place{Flow: flow, State: state})
			if r.l.state(r.s.Place) == nil {
				return fmt.Errorf("at: %q is not a state", value)
			}
		default:
			return fmt.Errorf("%q is not an option: want band, channel, locale, tenant, switch or at", key)
		}
	}
	r.show(r.l.Show(r.s, r.env))
	return nil
}

// leaves are the choices of the page on the desk: how a transcript writes them,
// and their events.
func (r *replay) leaves() map[string]string {
	out := map[string]string{}
	if state := r.l.state(r.s.Place); state == nil || !state.Desk {
		return out
	}
	for _, row := range r.l.page(r.s, r.env).Rows {
		for _, f := range row {
			name := "@" + f.To
			if f.Role != "" {
				name += "=" + f.Role
			}
			out[name] = f.event()
		}
	}
	return out
}

func (r *replay) show(effects []Effect) {
	names := map[string]string{}
	for name, event := range r.leaves() {
		names[event] = name
	}
	for _, e := range effects {
		switch e := e.(type) {
		case Say:
			said := append(append([]string{}, e.Before...), e.Messages...)
			if state := r.l.state(r.s.Place); state != nil && state.Desk {
				said = append([]string{"@" + r.s.Page}, said...)
			}
			fmt.Fprint(r.out, "< ", strings.Join(said, " + "))
			for _, row := range e.Buttons {
				for _, b := range row {
					fmt.Fprintf(r.out, " [%s]", cmp.Or(names[b.Event], b.Event))
				}
			}
			fmt.Fprintln(r.out)
		case Toast:
			fmt.Fprintln(r.out, "=", e.Message)
		case Clear:
			fmt.Fprintln(r.out, "~ clear")
		}
	}
	if r.s.Schema == 0 {
		fmt.Fprintln(r.out, ". the session ended")
		r.s = r.l.New(r.s.Locale, Input{Next: "again"})
		return
	}
	r.screens[r.s.State] = r.s.Screen
}
