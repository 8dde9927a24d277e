package routines

import (
	"slices"
	"strings"

	"net/http"

	"trygg/flows"
	"trygg/flows/routine"
	"trygg/flows/routine/search"
)

// theme is a theme with its routines.
type theme struct {
	ID    string
	Title routine.Line
	Cards []card
}

// card is a routine in a list.
type card struct {
	ID    string
	Title routine.Line
	Acute string
	When  []routine.Line
	Local bool
	Mine  bool // among those for the chosen role first of all
}

func (v *visit) card(r *routine.Routine) card {
	c := card{ID: r.ID, Title: v.Line(r.Title), Acute: r.Acute.Level, Local: r.Local}
	c.Title.Local = r.Local
	c.When = v.cat.Render(v.context(), routine.Facts{}, r.When...)
	c.Mine = v.Role != nil && len(r.Roles) > 0 && r.Uses(v.Role.ID)
	return c
}

func (v *visit) cards(ids ...string) []card {
	var out []card
	for _, id := range ids {
		if r, ok := v.cat.Routine(id); ok {
			out = append(out, v.card(r))
		}
	}
	return out
}

// startPage is the first page.
type startPage struct {
	Themes []theme
	Mine   []card // for the chosen role
	Own    bool   // the municipality has routines of its own
}

func (v *visit) start() {
	v.site.Count(Event{Read, "start"})
	var p startPage
	for _, t := range v.cat.Themes() {
		th := theme{ID: t.ID, Title: v.Line(t.Title)}
		for _, r := range v.cat.ByTheme(t.ID) {
			c := v.card(r)
			th.Cards = append(th.Cards, c)
			if c.Mine {
				p.Mine = append(p.Mine, c)
			}
		}
		if len(th.Cards) > 0 {
			p.Themes = append(p.Themes, th)
		}
	}
	p.Own = v.Town != nil && slices.Contains(v.cat.Tenants(), v.Town.Number)
	v.send(http.StatusOK, "start", page{Title: v.T("pages.title"), Body: p})
}

// foundPage is the answer to a question. Nothing in it is anybody's words.
type foundPage struct {
	Danger   *card // first of all (S10)
	Self     bool
	Personal []string // text ids of what was left out
	Best     []found  // one when it is clear, else two or three to choose from
	More     []found
	Unsure   bool
	Empty    bool
	Calls    []call // when nothing fits: whom to ask
	Ask      []card // and which routine helps to ask
}

// found is one thing that fits: one of its fields is set.
type found struct {
	Card      *card
	Law       *named
	Deadlines bool
	Call      *call
	Terms     []term
}

// find answers a question. It is read here, once, and goes nowhere else.
func (v *visit) find() {
	if !v.read() {
		return
	}
	text := v.form.Get("q")
	if runes := []rune(text); len(runes) > maxWords {
		text = string(runes[:maxWords])
	}
	if strings.TrimSpace(text) == "" {
		v.move(Prefix)
		return
	}
	clean, kinds := search.Strip(text)
	r := v.c.Index.Find(search.Query{Text: flows.NewWords(clean), Lang: v.Locale, Role: v.context().Role, Tenant: v.context().Tenant})
	p := foundPage{Self: r.FirstPerson, Unsure: r.Unsure}
	for _, k := range union(kinds, r.Dropped) {
		p.Personal = append(p.Personal, "pages.personal."+k)
	}
	ids := r.IDs
	if r.Danger {
		if cs := v.cards(search.Danger); len(cs) > 0 {
			p.Danger = &cs[0]
			ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == search.Danger })
		}
	}
	var all []found
	for _, id := range ids {
		if f, ok := v.found(id, r.Terms); ok {
			all = append(all, f)
		}
	}
	n := min(1, len(all))
	if r.Unsure {
		n = min(3, len(all))
	}
	p.Best, p.More = all[:n], all[n:]
	p.Empty = len(all) == 0
	if p.Empty {
		for _, id := range []string{"res-bv", "res-bvv", "res-02800", "res-barnehus"} {
			if c := v.Call(id); c != nil {
				p.Calls = append(p.Calls, *c)
			}
		}
		p.Ask = v.cards("sit-anon", "sit-concern")
	}
	v.countQuestion(r, ids, p)
	v.path = Prefix
	v.send(http.StatusOK, "found", page{Title: v.T("pages.found"), Body: p})
}

// countQuestion counts a question by topic, and what was special about it.
func (v *visit) countQuestion(r search.Result, ids []string, p foundPage) {
	kind, topic := Nothing, ""
	if len(ids) > 0 {
		kind, topic = Asked, v.topic(ids[0])
		if r.Unsure {
			kind = Unsure
		}
	}
	if p.Danger != nil {
		v.site.Count(Event{Danger, ""})
	}
	if p.Danger == nil || kind != Nothing {
		v.site.Count(Event{kind, topic})
	}
	if p.Self {
		v.site.Count(Event{Self, ""})
	}
	if len(p.Personal) > 0 {
		v.site.Count(Event{Personal, ""})
	}
}

// topic is what is counted for something that was found: never the thing itself.
func (v *visit) topic(id string) string {
	if r, ok := v.c.Catalogue.Routine(id); ok {
		return r.Theme
	}
	switch {
	case id == search.Deadlines, id == search.TermID:
		return id
	case strings.HasPrefix(id, "resource:"):
		return "resource"
	case strings.HasPrefix(id, "law-"):
		return "law"
	}
	return ""
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (v *visit) found(id string, terms []string) (found, bool) {
	if cs := v.cards(id); len(cs) > 0 {
		return found{Card: &cs[0]}, true
	}
	if l, ok := v.cat.Law(id); ok {
		return found{Law: &named{l.ID, v.Line(l.Title).Text}}, true
	}
	if res, ok := strings.CutPrefix(id, "resource:"); ok {
		c := v.Call(res)
		return found{Call: c}, c != nil
	}
	switch id {
	case search.Deadlines:
		return found{Deadlines: true}, true
	case search.TermID:
		var f found
		for _, t := range terms {
			if term, ok := v.cat.Term(t); ok {
				f.Terms = append(f.Terms, v.term(*term))
			}
		}
		return f, len(f.Terms) > 0
	}
	return found{}, false
}
