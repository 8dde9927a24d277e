// Package desk is the routines as a conversation reads them: pages with a few
// lines and choices, on Telegram and in the web chat. A catalogue goes in, and a
// flows.Desk comes out, which is pure and knows no channel. The name of a page
// says all there is to know about it in closed words, so nothing about a case can
// be in it (D10, inv-4), and every part of it is looked up, since it may come
// from outside. Pages for a browser of their own are bot/routines.
package desk

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"trygg/flows"
	"trygg/flows/routine"
)

// UI are the texts of the desk's own, Labels those on its buttons.
var (
	UI = []string{
		"work.front", "work.ask", "work.front.pages", "work.themes.text", "work.by.text", "work.deadlines.text", "work.dates.text", "work.dates.when",
		"work.dates.kept", "work.law.text", "work.people.text", "work.terms.text", "work.meeting.text", "work.role.text", "work.chips.text",
		"work.found", "work.found.unsure", "work.found.none", "work.found.danger", "work.found.self", "work.found.personal",
	}
	Labels = []string{
		"work.danger", "work.tree", "work.themes", "work.by", "work.deadlines", "work.dates", "work.law", "work.people", "work.terms",
		"work.meeting", "work.role", "work.no_role", "work.chips", "work.now",
		"work.day0", "work.day1", "work.day2", "work.day3", "work.day7", "work.day14",
		"work.part.steps", "work.part.do_not", "work.part.call", "work.part.write", "work.part.child", "work.part.parents",
		"work.part.law", "work.part.role", "work.part.here", "work.part.blocks", "work.part.when", "work.part.standing",
	}
)

// Desk shows a catalogue.
type Desk struct {
	c     *routine.Catalogue
	codes map[string]string // of what can be found: code -> id
	pages []string
}

// New lays a catalogue on a desk.
func New(c *routine.Catalogue) *Desk {
	d := &Desk{c: c, codes: map[string]string{}}
	ids := []string{deadlines}
	for _, r := range c.Routines() {
		ids = append(ids, r.ID)
		d.pages = append(d.pages, page(routinePage, short(r.ID)))
		for _, p := range parts {
			d.pages = append(d.pages, page(routinePage, short(r.ID), p))
		}
	}
	for _, l := range c.Laws() {
		ids = append(ids, l.ID)
		d.pages = append(d.pages, page(lawPage, l.ID))
	}
	for _, r := range c.Resources() {
		ids = append(ids, resource+r.ID)
		d.pages = append(d.pages, page(peoplePage, r.ID))
	}
	for _, t := range c.Terms() {
		ids = append(ids, term+t.ID)
	}
	for _, b := range c.Blocks() {
		d.pages = append(d.pages, page(blockPage, b.ID))
	}
	for _, t := range c.Themes() {
		d.pages = append(d.pages, page(themePage, t.ID))
	}
	for _, t := range c.Deadlines() {
		d.pages = append(d.pages, page(deadlinePage, t.ID))
	}
	d.pages = append(d.pages, "", treePage, themePage, byPage, deadlinePage, datePage, lawPage, peoplePage, termPage, meetingPage, rolePage)
	for _, id := range ids {
		for sum := hash(id); ; sum++ {
			code := strconv.FormatUint(uint64(sum), 36)
			if _, taken := d.codes[code]; !taken {
				d.codes[code] = id
				break
			}
		}
	}
	return d
}

func hash(id string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(id))
	return h.Sum32()
}

// The kinds of pages: the first part of a name.
const (
	routinePage  = "r"   // r.injury, r.injury_ac.call: a routine, chips, a part
	outcomePage  = "o"   // o.bca.call: a routine that the tree led to
	nowPage      = "n"   // n.bc: "show the routine now" in the middle of the tree
	treePage     = "t"   // t.bc: a question of the tree after these answers
	endPage      = "e"   // e.bc: the tree ends without a routine
	themePage    = "th"  // th, th.told
	byPage       = "by"  // by, by.role-skole
	rolePage     = "w"   // w.r.injury: choose a role, then go on there
	chipsPage    = "x"   // x.r.injury_a: what holds besides
	lawPage      = "law" // law, law.law-taushetsplikt
	peoplePage   = "who" // who, who.res-bv
	deadlinePage = "dl"  // dl, dl.frist
	datePage     = "cal" // cal, cal.report, cal.report.3
	termPage     = "ord" // ord, ord.barnehus
	meetingPage  = "m"   // m, m.p.part, m.t.template
	blockPage    = "b"   // b.blk-listen
	foundPage    = "f"   // f.du.1abc.2def: what typed words led to
)

// The ids of what the search finds, beside routines and law.
const (
	deadlines = "deadlines"
	resource  = "resource:"
	term      = "term:"
)

func page(parts ...string) string { return strings.Join(parts, ".") }

// short is a routine's id as a page's name says it.
func short(id string) string { return strings.TrimPrefix(id, "sit-") }
func long(s string) string   { return "sit-" + s }

// Pages implements flows.Desk.
func (d *Desk) Pages() []string { return slices.Clone(d.pages) }

// Found implements flows.Desk. The search's ids are routines, law, "deadlines",
// "resource:…" and "term:…"; others are left out.
func (d *Desk) Found(u flows.Understanding) string {
	marks := ""
	for _, m := range []struct {
		mark string
		on   bool
	}{{"d", u.Level == flows.Acute}, {"s", u.Self}, {"p", len(u.Personal) > 0}, {"u", u.Unsure}} {
		if m.on {
			marks += m.mark
		}
	}
	name := page(foundPage, marks)
	n := 0
	for _, id := range u.Routines {
		for code, known := range d.codes {
			if known == id && n < mostFound {
				name, n = name+"."+code, n+1
			}
		}
	}
	return name
}

// mostFound is how many results are offered: a choice, not a list.
const mostFound = 4

// Page implements flows.Desk.
func (d *Desk) Page(name string, s flows.Session, env flows.Env) (flows.Page, bool) {
	v := view{Desk: d, c: d.c.For(s.Tenant), x: context(s), s: s, env: env}
	kind, rest, _ := strings.Cut(name, ".")
	show, ok := kinds[kind]
	if len(name) > longest || !ok {
		return flows.Page{}, false
	}
	if !show(&v, rest) {
		return flows.Page{}, false
	}
	return v.page, true
}

// longest is the longest name of a page.
const longest = 64

var kinds map[string]func(v *view, rest string) bool

func init() {
	kinds = map[string]func(*view, string) bool{
		"": (*view).front, routinePage: (*view).routine, outcomePage: (*view).outcome, nowPage: (*view).shown, treePage: (*view).question,
		endPage: (*view).end, themePage: (*view).themes, byPage: (*view).by, rolePage: (*view).roles, chipsPage: (*view).chips,
		lawPage: (*view).law, peoplePage: (*view).people, deadlinePage: (*view).deadlines, datePage: (*view).dates,
		termPage: (*view).terms, meetingPage: (*view).meeting, blockPage: (*view).block, foundPage: (*view).found,
	}
}

// context is a session as the routines know it.
func context(s flows.Session) routine.Context {
	x := routine.Context{Role: s.Role, Locale: "nb", Tenant: s.Tenant, Area: s.Area}
	if slices.Contains(routine.Locales, s.Locale) {
		x.Locale = s.Locale
	}
	return x
}
