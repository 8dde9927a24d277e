package desk

import (
	"slices"
	"strings"
	"unicode/utf8"

	"trygg/flows"
	"trygg/flows/routine"
)

// view is a page being made for one session.
type view struct {
	*Desk
	c    *routine.Catalogue // as the municipality has it
	x    routine.Context
	s    flows.Session
	env  flows.Env
	page flows.Page
	// there: only whether the page is there is asked, so that it is not made.
	there bool
}

// say adds a message of the locales.
func (v *view) say(ids ...string) { v.page.Say = append(v.page.Say, ids...) }

// add adds a bubble.
func (v *view) add(text string) {
	if text != "" {
		v.page.Lines = append(v.page.Lines, flows.Line{Text: text, Locale: v.x.Locale})
	}
}

// row adds choices side by side.
func (v *view) row(leaves ...flows.Leaf) { v.page.Rows = append(v.page.Rows, leaves) }

// pairs adds choices two by two.
func (v *view) pairs(leaves []flows.Leaf) {
	for pair := range slices.Chunk(leaves, 2) {
		v.row(pair...)
	}
}

// to is a choice with a label of the locales, named one with its own.
func to(page, label string) flows.Leaf { return flows.Leaf{To: page, Label: label} }

func named(page string, l routine.Line) flows.Leaf { return flows.Leaf{To: page, Text: clip(l.Text)} }

// clip shortens a name to what a button shows on a phone; the page it leads to
// says it whole.
func clip(name string) string {
	const most = 60
	if utf8.RuneCountInString(name) <= most {
		return name
	}
	short := string([]rune(name)[:most])
	return strings.TrimRight(short[:max(strings.LastIndexByte(short, ' '), 0)], " ,.:;") + " …"
}

// text gives a line with its marks: in which language it is when not in the one
// asked for, and whether the municipality must check it.
func (v *view) text(l routine.Line) string {
	var marks []string
	if l.Locale != "" && l.Locale != v.x.Locale {
		marks = append(marks, v.label("only-"+l.Locale))
	}
	if l.Check {
		marks = append(marks, v.label("check"))
	}
	if l.Local {
		marks = append(marks, v.label("local"))
	}
	if len(marks) == 0 {
		return l.Text
	}
	return l.Text + " [" + strings.Join(marks, "; ") + "]"
}

func (v *view) label(id string) string { return v.c.Label(id, v.x.Locale).Text }

// lines gives lines as a list under a heading, with a mark that holds for all of
// them said once.
func (v *view) list(title string, ls []routine.Line) string {
	all := func(is func(routine.Line) bool) bool {
		return len(ls) > 1 && !slices.ContainsFunc(ls, func(l routine.Line) bool { return !is(l) })
	}
	foreign := all(func(l routine.Line) bool { return l.Locale != "" && l.Locale == ls[0].Locale })
	check := all(func(l routine.Line) bool { return l.Check })
	head := routine.Line{Text: title, Check: check}
	if foreign {
		head.Locale = ls[0].Locale
	}
	var b strings.Builder
	if title != "" {
		b.WriteString(v.text(head))
	}
	for _, l := range ls {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if foreign && title != "" {
			l.Locale = ""
		}
		l.Check = l.Check && !(check && title != "")
		if len(ls) > 1 || title != "" {
			b.WriteString("• ")
		}
		b.WriteString(v.text(l))
	}
	return b.String()
}

// section adds a section of a routine as one bubble.
func (v *view) section(s routine.Section) {
	if len(s.Lines) > 0 {
		v.add(v.list(s.Title.Text, s.Lines))
	}
}

// front is the first page: ask, or choose a way in.
func (v *view) front(rest string) bool {
	if rest != "" {
		return false
	}
	v.say("work.front", "work.ask")
	if v.env.Channel == "web" {
		v.say("work.front.pages")
	}
	v.row(to(page(routinePage, short(v.c.Tree().Danger)), "work.danger"))
	v.row(to(treePage, "work.tree"))
	v.row(to(themePage, "work.themes"), to(byPage, "work.by"))
	v.row(to(peoplePage, "work.people"), to(lawPage, "work.law"))
	v.row(to(deadlinePage, "work.deadlines"), to(meetingPage, "work.meeting"))
	v.row(to(termPage, "work.terms"), to(rolePage, "work.role"))
	return true
}

// themes lists themes, or the routines of one.
func (v *view) themes(rest string) bool {
	for _, t := range v.c.Themes() {
		l := t.Title.In(v.x.Locale)
		switch rest {
		case "":
			v.row(named(page(themePage, t.ID), l))
		case t.ID:
			v.add(l.Text)
			v.routines(v.c.ByTheme(t.ID))
			return true
		}
	}
	if rest == "" {
		v.say("work.themes.text")
	}
	return rest == ""
}

func (v *view) routines(rs []*routine.Routine) {
	for _, r := range rs {
		v.row(named(page(routinePage, short(r.ID)), r.Title.In(v.x.Locale)))
	}
}

// by lists the roles, or the routines of one.
func (v *view) by(rest string) bool {
	var leaves []flows.Leaf
	for _, r := range v.c.Roles() {
		l := r.Name.In(v.x.Locale)
		switch rest {
		case "":
			leaves = append(leaves, flows.Leaf{To: page(byPage, r.ID), Role: r.ID, Text: l.Text})
		case r.ID:
			v.add(l.Text)
			// Those that are for this role first of all come before those for everybody.
			rs := slices.Clone(v.c.ByRole(r.ID))
			slices.SortStableFunc(rs, func(a, b *routine.Routine) int { return general(a) - general(b) })
			v.routines(rs)
			return true
		}
	}
	if rest != "" {
		return false
	}
	v.say("work.by.text")
	v.pairs(leaves)
	return true
}

func general(r *routine.Routine) int {
	if len(r.Roles) == 0 {
		return 1
	}
	return 0
}

// roles offers the roles as a chip, and goes on where it was called.
func (v *view) roles(rest string) bool {
	if rest != "" && !v.leads(rest) {
		return false
	}
	v.say("work.role.text")
	var leaves []flows.Leaf
	for _, r := range v.c.Roles() {
		leaves = append(leaves, flows.Leaf{To: rest, Role: r.ID, Text: r.Name.In(v.x.Locale).Text})
	}
	v.pairs(leaves)
	v.row(flows.Leaf{To: rest, Role: flows.NoRole, Label: "work.no_role"})
	return true
}

// leads tells whether there is such a page of a routine.
func (v *view) leads(name string) bool {
	kind, _, _ := strings.Cut(name, ".")
	if kind != routinePage && kind != outcomePage && kind != nowPage {
		return false
	}
	only := view{Desk: v.Desk, c: v.c, x: v.x, s: v.s, there: true}
	_, rest, _ := strings.Cut(name, ".")
	return kinds[kind](&only, rest)
}

// law lists the subjects of the law, or reads one.
func (v *view) law(rest string) bool {
	if rest == "" {
		v.say("work.law.text")
		for _, l := range v.c.Laws() {
			v.row(named(page(lawPage, l.ID), l.Title.In(v.x.Locale)))
		}
		return true
	}
	l, ok := v.c.Law(rest)
	if !ok {
		return false
	}
	v.add(v.list(l.Title.In(v.x.Locale).Text, v.c.Render(v.x, l.Facts, l.Lines...)))
	for _, li := range l.Lists {
		v.add(v.list(li.Title.In(v.x.Locale).Text, v.c.Render(v.x, l.Facts, li.Items...)))
	}
	var refs []string
	for _, r := range v.c.Refs(v.x, l.Refs) {
		refs = append(refs, strings.TrimSpace(r.Text.Text+" "+r.Web))
	}
	v.add(strings.Join(refs, "\n"))
	return true
}

// people lists whom to call, or shows one with the numbers of this place.
func (v *view) people(rest string) bool {
	if rest == "" {
		v.say("work.people.text")
		var leaves []flows.Leaf
		for _, r := range v.c.Resources() {
			leaves = append(leaves, named(page(peoplePage, r.ID), r.Name.In(v.x.Locale)))
		}
		v.pairs(leaves)
		return true
	}
	call, ok := v.c.Call(rest, v.x)
	if !ok {
		return false
	}
	v.call(call)
	return true
}

// terms lists the words of the field, or explains where one leads.
func (v *view) terms(rest string) bool {
	if rest == "" {
		v.say("work.terms.text")
		return true
	}
	t, ok := v.c.Term(rest)
	if !ok {
		return false
	}
	var names []string
	for _, n := range []struct{ tag, text string }{{"nb", t.NB}, {"nn", t.NN}, {"en", t.EN}} {
		if n.text != "" {
			names = append(names, n.tag+": "+n.text)
		}
	}
	v.add(strings.Join(names, "\n"))
	for _, see := range t.See {
		if f, ok := v.leaf(see); ok {
			v.row(f)
		}
	}
	return true
}

// leaf leads to something by the id the data and the search use for it.
func (v *view) leaf(id string) (flows.Leaf, bool) {
	switch {
	case id == deadlines:
		return to(deadlinePage, "work.deadlines"), true
	case strings.HasPrefix(id, term):
		t, ok := v.c.Term(id[len(term):])
		if !ok {
			return flows.Leaf{}, false
		}
		return named(page(termPage, t.ID), t.Text().In(v.x.Locale)), true
	}
	id = strings.TrimPrefix(id, resource)
	if r, ok := v.c.Routine(id); ok {
		return named(page(routinePage, short(id)), r.Title.In(v.x.Locale)), true
	}
	if l, ok := v.c.Law(id); ok {
		return named(page(lawPage, id), l.Title.In(v.x.Locale)), true
	}
	if r, ok := v.c.Resource(id); ok {
		return named(page(peoplePage, id), r.Name.In(v.x.Locale)), true
	}
	if b, ok := v.c.Block(id); ok {
		return named(page(blockPage, id), b.Title.In(v.x.Locale)), true
	}
	return flows.Leaf{}, false
}

// meeting is the meeting guide, a part or a template of it.
func (v *view) meeting(rest string) bool {
	g := v.c.Guide(v.x)
	if rest == "" {
		v.add(g.Title.Text)
		v.say("work.meeting.text")
		v.add(v.list(v.heading("stop"), g.Stop))
		for _, p := range g.Parts {
			v.row(named(page(meetingPage, "p", p.ID), p.Title))
		}
		for _, t := range g.Templates {
			v.row(named(page(meetingPage, "t", t.ID), t.Title))
		}
		return true
	}
	kind, id, _ := strings.Cut(rest, ".")
	for _, p := range g.Parts {
		if kind == "p" && p.ID == id {
			v.section(p)
			return true
		}
	}
	for _, t := range g.Templates {
		if kind != "t" || t.ID != id {
			continue
		}
		if len(t.Stop) > 0 {
			v.add(v.list(v.heading("stop"), t.Stop))
		}
		v.add(t.Title.Text)
		var text []string
		for _, l := range t.Lines {
			text = append(text, l.Text)
		}
		v.add(strings.Join(text, "\n"))
		return true
	}
	return false
}

func (v *view) heading(part string) string { return v.c.Heading(part, v.x.Locale).Text }

// block is a piece of text to copy.
func (v *view) block(rest string) bool {
	b, ok := v.c.BlockView(rest, v.x)
	if !ok {
		return false
	}
	v.add(v.list(b.Title.Text, b.Lines))
	if len(b.Say) > 0 {
		v.add(v.list(v.label("say"), b.Say))
	}
	return true
}

// found is what typed words led to: danger first, then what fits, best first.
func (v *view) found(rest string) bool {
	marks, codes, _ := strings.Cut(rest, ".")
	if strings.Trim(marks, "dspu") != "" {
		return false
	}
	var ids []string
	for _, code := range strings.Split(codes, ".") {
		id, ok := v.codes[code]
		if !ok && codes != "" {
			return false
		}
		if ok {
			ids = append(ids, id)
		}
	}
	if len(ids) > mostFound {
		return false
	}
	for _, m := range []struct{ mark, text string }{{"d", "work.found.danger"}, {"s", "work.found.self"}, {"p", "work.found.personal"}} {
		if strings.Contains(marks, m.mark) {
			v.say(m.text)
		}
	}
	switch {
	case len(ids) == 0:
		v.say("work.found.none")
		v.row(to(treePage, "work.tree"))
		v.row(named(page(routinePage, short(v.c.Tree().Now)), v.title(v.c.Tree().Now)))
		for _, id := range v.c.Tree().Unsure {
			v.row(named(page(routinePage, short(id)), v.title(id)))
		}
		v.row(to(peoplePage, "work.people"), to(themePage, "work.themes"))
		return true
	case strings.Contains(marks, "u"):
		v.say("work.found.unsure")
	default:
		v.say("work.found")
	}
	for _, id := range ids {
		if f, ok := v.leaf(id); ok {
			v.row(f)
		}
	}
	v.row(to(treePage, "work.tree"))
	return true
}

func (v *view) title(id string) routine.Line {
	r, ok := v.c.Routine(id)
	if !ok {
		return routine.Line{}
	}
	return r.Title.In(v.x.Locale)
}
