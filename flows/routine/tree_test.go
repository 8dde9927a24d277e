package routine_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trygg/flows/routine"
)

// walk goes every path of the tree.
func walk(t *testing.T, tree *routine.Tree, visit func(p routine.Path), end func(trail []string, o routine.Outcome)) {
	t.Helper()
	var go_ func(p routine.Path, trail []string)
	go_ = func(p routine.Path, trail []string) {
		visit(p)
		q, ok := tree.Question(p)
		if !ok {
			t.Fatalf("%v: no question", trail)
		}
		for _, a := range q.Answers {
			next, o, err := tree.Answer(p, a.ID)
			if err != nil {
				t.Fatalf("%v %s: %v", trail, a.ID, err)
			}
			step := append(slices.Clone(trail), q.ID+"="+a.ID)
			if o == nil {
				go_(next, step)
				continue
			}
			end(step, *o)
		}
	}
	go_(routine.Path{}, nil)
}

// unclear tells whether the one who may have done it can be at home.
func unclear(p routine.Path) bool {
	return p.Set["perp"] == "home" || p.Set["perp"] == "unknown" || p.Set["kind"] == "control"
}

// informs finds an instruction to tell the parents in a text.
var (
	informs = regexp.MustCompile(`(?i)\b(ring|kontakt|informer|orienter|inviter|kall inn|si fra til|snakk med|spør|varsle)\b.{0,30}\b(foreldre|foreldrene|foresatte|hjem til|familien)\b`)
	before  = regexp.MustCompile(`(?i)\b(ikke|ingen|aldri|uten|politiet|barnevernet)\b`)
)

var instructed = map[string]bool{}

// instructs tells whether a text says to tell, call or invite the parents before
// the police or child welfare. The same lines come back on every path.
func instructs(text string) bool {
	yes, known := instructed[text]
	if known {
		return yes
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".!?;:", r) }) {
		yes = yes || informs.MatchString(part) && !before.MatchString(part)
	}
	instructed[text] = yes
	return yes
}

func TestEveryPathOfTheTreeKeepsTheInvariants(t *testing.T) {
	c := mustLoad(t)
	tree := c.Tree()
	paths := 0
	ends := map[string]int{}
	walk(t, tree, func(p routine.Path) {
		if got := tree.InDanger(p).Routine; got != "sit-acute-danger" {
			t.Errorf("%+v: danger leads to %s (inv-1)", p, got)
		}
		if now := tree.ShowNow(p); now.Routine != "sit-concern" || !now.Path.Stop {
			t.Errorf("%+v: show now gives %+v (inv-7)", p, now)
		}
		q, _ := tree.Question(p)
		if !slices.ContainsFunc(q.Answers, func(a routine.Answer) bool { return a.Unsure }) {
			t.Errorf("%s: nobody may be unsure (inv-6)", q.ID)
		}
	}, func(trail []string, o routine.Outcome) {
		paths++
		at := strings.Join(trail, " ")
		ends[o.Routine+o.End]++
		if o.Path.Asked > 6 {
			t.Errorf("%s: %d questions (inv-7)", at, o.Path.Asked)
		}
		if o.Path.Unsure && !slices.Contains(o.Also, "sit-anon") && o.Routine != "sit-anon" && o.Routine != "sit-acute-danger" {
			t.Errorf("%s: unsure, and no way to talk it over without a name (inv-6)", at)
		}
		if o.Routine == "" {
			if _, ok := tree.End(o.End); !ok {
				t.Errorf("%s leads nowhere", at)
			}
			return
		}
		if unclear(o.Path) && !o.Path.Stop {
			t.Errorf("%s: the stop rule is off (inv-2)", at)
		}
		for _, role := range append(slices.Collect(roleIDs(c)), "") {
			x := o.Context()
			x.Role = role
			v, ok := c.View(o.Routine, x)
			if !ok {
				t.Fatalf("%s: no routine %s", at, o.Routine)
			}
			keep(t, c, fmt.Sprintf("%s %s", at, role), v, x, o.Path)
		}
	})
	t.Logf("%d paths, %d ends", paths, len(ends))
	for _, id := range facts {
		// Chips and the deeper routines are reached from a routine.
		if ends[id] == 0 && !slices.Contains([]string{"sit-secret", "sit-interpreter", "sit-disability", "sit-asylum"}, id) {
			t.Errorf("no path leads to %s", id)
		}
	}
}

func keep(t *testing.T, c *routine.Catalogue, at string, v routine.View, x routine.Context, p routine.Path) {
	t.Helper()
	steps := slices.Concat(v.Now, v.Steps)
	if x.Stop {
		all := c.Sections(v, x)
		if len(v.Stop) == 0 || all[0].ID != "stop" {
			t.Errorf("%s: the stop rule does not stand first (inv-2)", at)
		}
		for _, s := range all {
			for _, l := range s.Lines {
				if s.ID != "stop" && instructs(l.Text) {
					t.Errorf("%s: %s: %q (inv-2)", at, s.ID, l.Text)
				}
			}
		}
	}
	abuse := p.Set["kind"] == "sexual" || p.Set["kind"] == "violence" && p.Set["perp"] == "home"
	if abuse && v.ID != "sit-acute-danger" {
		calls := ""
		for _, s := range steps[:min(4, len(steps))] {
			calls += " " + strings.Join(s.Calls, " ")
		}
		police := strings.Contains(calls, "res-02800") || strings.Contains(calls, "res-112")
		welfare := strings.Contains(calls, "res-bv")
		if !police || !welfare {
			t.Errorf("%s: police %v, child welfare %v within the first four steps (inv-3)", at, police, welfare)
		}
	}
	notes := ""
	for _, l := range v.Notes {
		notes += l.Text
	}
	switch p.Set["age"] {
	case "12-15":
		if !strings.Contains(notes, "15 år er barnet part") {
			t.Errorf("%s: a child of 15 is a party, and nobody says so (inv-8)", at)
		}
	case "16-17":
		if !strings.Contains(notes, "16 år bestemmer barnet selv om helsen") {
			t.Errorf("%s: from 16 the child decides on its health, and nobody says so (inv-8)", at)
		}
	}
	if p.Set["danger"] == "unsure" && !strings.Contains(notes, "02800") || p.Set["danger"] == "going-home" && !strings.Contains(notes, "hjem") {
		t.Errorf("%s: nothing is said about the danger: %q", at, notes)
	}
}

func TestAnAnswerThatIsNotThereChangesNothing(t *testing.T) {
	tree := mustLoad(t).Tree()
	for _, p := range []routine.Path{{}, {Question: "q-what"}, {Question: "q-none"}} {
		next, o, err := tree.Answer(p, "nothing")
		if !errors.Is(err, routine.ErrStale) || o != nil || next.Question != p.Question {
			t.Errorf("%+v: %+v, %+v, %v", p, next, o, err)
		}
	}
}

// A chip adds its routine and its note, and may turn the stop rule on.
func TestEveryChipAddsSomethingToEveryRoutine(t *testing.T) {
	c := mustLoad(t)
	for _, r := range c.Routines() {
		for _, f := range c.Tree().Flags {
			x := routine.Context{Flags: []string{f.ID}}
			v, _ := c.View(r.ID, x)
			if len(v.Notes) == 0 {
				t.Errorf("%s with %s says nothing", r.ID, f.ID)
			}
			if f.Routine != "" && f.Routine != r.ID && v.Also[0].ID != f.Routine {
				t.Errorf("%s with %s: the first routine beside it is %v", r.ID, f.ID, v.Also)
			}
			if f.Stop && (len(v.Stop) == 0 || len(v.Parents) == 0) {
				t.Errorf("%s with %s: no stop rule", r.ID, f.ID)
			}
		}
	}
}
