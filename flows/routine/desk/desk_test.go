package desk_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"trygg/flows"
	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/desk"
)

var shared = sync.OnceValues(func() (*routine.Catalogue, []routine.Problem) {
	d, err := data.Embedded()
	if err != nil {
		panic(err)
	}
	return routine.Embedded(d)
})

func mustDesk(t testing.TB) (*desk.Desk, *routine.Catalogue) {
	t.Helper()
	c, problems := shared()
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	return desk.New(c), c
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, data.Oslo)

// A page fits what a message of Telegram holds, with room for the line that says
// which language it is in; its buttons fit a keyboard, its name a session.
const (
	most     = 4096 - 200
	mostRows = 90
)

// everyPage walks from the first page along every choice.
func everyPage(t testing.TB, d *desk.Desk, s flows.Session, visit func(name string, p flows.Page)) int {
	t.Helper()
	type place struct{ page, role string }
	seen := map[place]bool{{"", s.Role}: true}
	queue := []place{{"", s.Role}}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		s := s
		s.Role = at.role
		p, ok := d.Page(at.page, s, flows.Env{Now: noon})
		if !ok {
			t.Fatalf("a choice leads to %q, which is no page", at.page)
		}
		visit(at.page, p)
		for _, row := range p.Rows {
			for _, f := range row {
				// Roles and chips are tried on their own: every mixture of them is
				// more than can be walked.
				if f.Role != "" || strings.HasPrefix(at.page, "x.") {
					continue
				}
				if to := (place{f.To, at.role}); !seen[to] {
					seen[to] = true
					queue = append(queue, to)
				}
			}
		}
	}
	return len(seen)
}

func TestEveryPageFitsForEveryRoleAndLanguage(t *testing.T) {
	d, c := mustDesk(t)
	roles := []string{""}
	for _, r := range c.Roles() {
		roles = append(roles, r.ID)
	}
	tenants := append([]string{""}, c.Tenants()...)
	if testing.Short() {
		roles = roles[:2]
	}
	for _, locale := range []string{"nb", "nn", "en", "uk"} {
		// All there is for anybody, and the pages of the routines for every role.
		n := everyPage(t, d, flows.Session{Locale: locale}, func(name string, p flows.Page) { fits(t, locale+"/"+name, p) })
		if n < 500 {
			t.Errorf("%s: only %d pages", locale, n)
		}
		for i, role := range roles {
			s := flows.Session{Locale: locale, Role: role, Tenant: tenants[i%len(tenants)]}
			for _, name := range d.Pages() {
				p, ok := d.Page(name, s, flows.Env{Now: noon})
				if ok {
					fits(t, locale+"/"+role+"/"+name, p)
				} else if !strings.HasPrefix(name, "r.") {
					t.Errorf("%s/%s/%s: no page", locale, role, name)
				}
			}
		}
	}
}

func fits(t testing.TB, name string, p flows.Page) {
	t.Helper()
	if len(p.Lines)+len(p.Say) == 0 {
		t.Errorf("%s: says nothing", name)
	}
	size := 0
	for _, l := range p.Lines {
		size += len(utf16.Encode([]rune(l.Text))) + 2
		if strings.TrimSpace(l.Text) == "" || strings.Contains(l.Text, "{{") {
			t.Errorf("%s: %q", name, l.Text)
		}
	}
	if size > most {
		t.Errorf("%s: %d characters, a message holds %d", name, size, most)
	}
	if len(p.Rows) > mostRows {
		t.Errorf("%s: %d rows of buttons", name, len(p.Rows))
	}
	events := map[string]bool{}
	for _, row := range p.Rows {
		if len(row) == 0 {
			t.Errorf("%s: an empty row", name)
		}
		for _, f := range row {
			if key := f.To + "\x00" + f.Role; events[key] {
				t.Errorf("%s: %q stands twice", name, f.To)
			} else {
				events[key] = true
			}
			if f.Label == "" && f.Text == "" || utf8.RuneCountInString(f.Text) > 64 {
				t.Errorf("%s: a button says %q", name, f.Text)
			}
			if len(f.To) > 64 {
				t.Errorf("%s: %q is too long a name", name, f.To)
			}
		}
	}
}

// The nine invariants of the tree hold for the tree itself (flows/routine); here
// they are looked for on the pages a professional sees.
func TestDangerAndTheRoutineAreOnePressAwayFromEveryQuestion(t *testing.T) {
	d, c := mustDesk(t)
	s := flows.Session{Locale: "nb"}
	questions, ends := 0, 0
	everyPage(t, d, s, func(name string, p flows.Page) {
		kind, answers, _ := strings.Cut(name, ".")
		switch kind {
		case "t":
			questions++
			if len(answers) > 5 {
				t.Errorf("%s: more than six questions", name)
			}
			if !leads(p, "r."+strings.TrimPrefix(c.Tree().Danger, "sit-")) {
				t.Errorf("%s: danger is not one press away (inv-1)", name)
			}
			if !slices.ContainsFunc(p.Rows, func(r []flows.Leaf) bool {
				return slices.ContainsFunc(r, func(f flows.Leaf) bool { return strings.HasPrefix(f.To, "n.") || f.To == "n" })
			}) {
				t.Errorf("%s: the routine is not one press away", name)
			}
		case "n":
			if !strings.Contains(answers, ".") && !says(p, stopWords(t, c)) {
				t.Errorf("%s: without the stop rule (inv-7)", name)
			}
		case "o", "e":
			ends++
		}
	})
	if questions < 20 || ends < 50 {
		t.Errorf("%d questions, %d ends: the tree was not walked", questions, ends)
	}
}

func leads(p flows.Page, to string) bool {
	return slices.ContainsFunc(p.Rows, func(r []flows.Leaf) bool {
		return slices.ContainsFunc(r, func(f flows.Leaf) bool { return f.To == to })
	})
}

func stopWords(t testing.TB, c *routine.Catalogue) string {
	t.Helper()
	b, ok := c.BlockView("blk-stop-parents", routine.Context{Locale: "nb"})
	if !ok {
		t.Fatal("no stop rule")
	}
	return b.Lines[0].Text
}

func says(p flows.Page, text string) bool {
	return slices.ContainsFunc(p.Lines, func(l flows.Line) bool { return strings.Contains(l.Text, text) })
}

func TestTheStopRuleComesBeforeWhatToDo(t *testing.T) {
	d, c := mustDesk(t)
	for _, r := range c.Routines() {
		v, _ := c.View(r.ID, routine.Context{Locale: "nb"})
		if len(v.Stop) == 0 {
			continue
		}
		for _, part := range []string{"", ".steps", ".call", ".write", ".child", ".parents"} {
			name := "r." + strings.TrimPrefix(r.ID, "sit-") + part
			p, ok := d.Page(name, flows.Session{Locale: "nb"}, flows.Env{Now: noon})
			if !ok {
				t.Errorf("%s: no page", name)
				continue
			}
			if len(p.Lines) < 2 || !strings.Contains(p.Lines[1].Text, v.Stop[0].Text) {
				t.Errorf("%s: the stop rule does not stand first", name)
			}
		}
	}
}

func TestFoundPages(t *testing.T) {
	d, _ := mustDesk(t)
	for _, tt := range []struct {
		name  string
		u     flows.Understanding
		says  []string
		leads []string
	}{
		{"one that fits", flows.Understanding{Routines: []string{"sit-injury"}}, []string{"work.found"}, []string{"r.injury"}},
		{"several to choose from", flows.Understanding{Routines: []string{"sit-injury", "sit-neglect"}, Unsure: true}, []string{"work.found.unsure"}, []string{"r.injury", "r.neglect"}},
		{"nothing", flows.Understanding{}, []string{"work.found.none"}, []string{"t", "r.anon", "who"}},
		{"danger comes first", flows.Understanding{Level: flows.Acute, Routines: []string{"sit-acute-danger", "sit-injury"}}, []string{"work.found.danger", "work.found"}, []string{"r.acute-danger", "r.injury"}},
		{"in the first person", flows.Understanding{Self: true, Routines: []string{"sit-injury"}}, []string{"work.found.self", "work.found"}, []string{"r.injury"}},
		{"with a name in it", flows.Understanding{Personal: []string{"name"}, Routines: []string{"sit-injury"}}, []string{"work.found.personal", "work.found"}, []string{"r.injury"}},
		{"law, limits, people and words", flows.Understanding{Routines: []string{"law-taushetsplikt", "deadlines", "resource:res-bv", "term:barnehus"}}, []string{"work.found"}, []string{"law.law-taushetsplikt", "dl", "who.res-bv"}},
		{"what nobody knows is left out", flows.Understanding{Routines: []string{"sit-nothing", "<b>"}}, []string{"work.found.none"}, []string{"t"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := d.Found(tt.u)
			p, ok := d.Page(name, flows.Session{Locale: "nb"}, flows.Env{Now: noon})
			if !ok {
				t.Fatalf("%q is no page", name)
			}
			if !slices.Equal(p.Say, tt.says) {
				t.Errorf("says %v, want %v", p.Say, tt.says)
			}
			for _, to := range tt.leads {
				if !leads(p, to) {
					t.Errorf("does not lead to %s: %v", to, p.Rows)
				}
			}
		})
	}
}

func TestDatesAreCountedAndTheDayIsNotKept(t *testing.T) {
	d, c := mustDesk(t)
	for _, e := range c.Events() {
		p, ok := d.Page("cal."+e.ID+".3", flows.Session{Locale: "nb"}, flows.Env{Now: noon})
		if !ok || len(p.Lines) < 2 {
			t.Errorf("%s: %v", e.ID, p.Lines)
		}
	}
	p, _ := d.Page("cal.report.0", flows.Session{Locale: "nb"}, flows.Env{Now: noon})
	if !says(p, "30.11.2026") {
		t.Errorf("a week after 23.11.2026 is not among %v", p.Lines)
	}
}

func FuzzPage(f *testing.F) {
	d, _ := mustDesk(f)
	for _, s := range append(d.Pages(), "r.injury_ac.call", "o.bca.steps", "n.", "w.r.injury", "x.r.injury_a", "f.du.1.2", "cal.report.3", "m.p.", "r..", "x.x.x.r.a", "w.w.w") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, ok := d.Page(name, flows.Session{Locale: "en", Role: "role-skole", Tenant: "5501"}, flows.Env{Now: noon})
		if !ok {
			return
		}
		fits(t, name, p)
		for _, row := range p.Rows {
			for _, leaf := range row {
				if _, ok := d.Page(leaf.To, flows.Session{Locale: "en"}, flows.Env{Now: noon}); !ok {
					t.Errorf("%q leads to %q, which is no page", name, leaf.To)
				}
			}
		}
	})
}

func BenchmarkPage(b *testing.B) {
	d, _ := mustDesk(b)
	s := flows.Session{Locale: "nn", Role: "role-skole"}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Page("r.told-violence-home", s, flows.Env{Now: noon}); !ok {
			b.Fatal("no page")
		}
	}
}
