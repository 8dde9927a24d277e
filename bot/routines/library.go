package routines

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

// limit is a time limit in the list.
type limit struct {
	ID           string
	Title, Limit routine.Line
	Who          []routine.Line
	Law          []routine.LawView
	Check        bool
}

// due is a counted date.
type due struct {
	Title   routine.Line
	Note    routine.Line
	Limit   routine.Line // of the law, in words
	Day     string
	Iso     string
	Holiday string // text id; "" = none
	Free    bool
	Work    string
	Check   bool
}

type deadlinesPage struct {
	Limits []limit
	Events []choice
	Today  string
	Day    string // as it was given, when it can be read
	Time   string

	Counted bool
	Wrong   string // a text id
	From    string // the moment it is counted from
	Clock   bool   // no time was given, and hours are counted
	Dues    []due
}

// deadlines lists the time limits and counts dates out. The day that is given is
// kept nowhere.
func (v *visit) deadlines() {
	v.path = Prefix + "frister"
	x := v.context()
	p := deadlinesPage{Today: v.now.In(data.Oslo).Format(time.DateOnly)}
	for _, d := range v.cat.Deadlines() {
		p.Limits = append(p.Limits, limit{
			ID: d.ID, Title: v.Line(d.Title), Limit: v.Line(d.Limit), Who: v.cat.Who(x, d.Who), Law: v.cat.Refs(x, d.Law), Check: d.Uncertain(),
		})
	}
	var event string
	status := http.StatusOK
	if v.r.Method == http.MethodPost {
		if !v.read() {
			return
		}
		event = v.form.Get("h")
		if !slices.ContainsFunc(v.cat.Events(), func(e routine.Named) bool { return e.ID == event }) {
			event = ""
		}
		v.count(&p, event)
		if p.Wrong != "" {
			status = http.StatusUnprocessableEntity
		}
	}
	for _, e := range v.cat.Events() {
		p.Events = append(p.Events, choice{ID: e.ID, Line: v.Line(e.Title), On: e.ID == event})
	}
	v.site.Count(Event{Read, "deadlines"})
	v.send(status, "deadlines", page{Title: v.T("pages.deadlines"), Body: p})
}

func (v *visit) count(p *deadlinesPage, event string) {
	day, clock := strings.TrimSpace(v.form.Get("d")), strings.TrimSpace(v.form.Get("t"))
	at, ok := parseDay(day)
	if !ok {
		p.Wrong = "pages.count.day"
		return
	}
	p.Day = at.Format(time.DateOnly)
	if event == "" {
		p.Wrong = "pages.count.event"
		return
	}
	if clock != "" {
		t, ok := parseClock(clock)
		if !ok {
			p.Wrong = "pages.count.time"
			return
		}
		at = time.Date(at.Year(), at.Month(), at.Day(), t.Hour(), t.Minute(), 0, 0, data.Oslo)
		p.Time = t.Format("15:04")
	}
	p.Counted = true
	p.From = v.day(at)
	if clock != "" {
		p.From = v.moment(at)
	}
	for _, d := range v.cat.Dates(event, at) {
		u := due{
			Title: v.Line(d.Rule.Title), Limit: v.Line(d.Deadline.Limit), Day: v.day(d.At), Iso: d.At.Format(time.DateOnly),
			Free: d.Free(), Work: v.day(d.Work), Check: d.Rule.Uncertain() || d.Deadline.Uncertain(),
		}
		if !d.Rule.Note.Empty() {
			u.Note = v.Line(d.Rule.Note)
		}
		if d.Holiday != "" {
			u.Holiday = "pages.holiday." + d.Holiday
		}
		if d.Exact {
			u.Day = v.moment(d.At)
			p.Clock = p.Clock || clock == ""
		}
		p.Dues = append(p.Dues, u)
	}
}

// The years that are counted: holidays are those of today's law.
const firstYear, lastYear = 2000, 2099

// parseDay reads a day as a browser's field gives it, or as it is typed here.
func parseDay(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2/1/2006"} {
		if t, err := time.ParseInLocation(layout, s, data.Oslo); err == nil && len(s) <= 10 && t.Year() >= firstYear && t.Year() <= lastYear {
			return t, true
		}
	}
	return time.Time{}, false
}

func parseClock(s string) (time.Time, bool) {
	for _, layout := range []string{"15:04", "15.04", "1504", "15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

var days = [...]string{"pages.sunday", "pages.monday", "pages.tuesday", "pages.wednesday", "pages.thursday", "pages.friday", "pages.saturday"}

// day writes a day as it is written in Norway, with its name.
func (v *visit) day(t time.Time) string {
	t = t.In(data.Oslo)
	return v.T(days[t.Weekday()]) + " " + t.Format("2.1.2006")
}

func (v *visit) moment(t time.Time) string {
	return v.day(t) + " " + v.T("pages.clock") + " " + t.In(data.Oslo).Format("15.04")
}

// lawEntry is a subject of the law.
type lawEntry struct {
	ID    string
	Title routine.Line
	Lines []routine.Line
	Lists []list
	Refs  []routine.LawView
	Check bool
}

type list struct {
	Title routine.Line
	Items []routine.Line
}

func (v *visit) law() {
	v.path = Prefix + "lov"
	x := v.context()
	var p []lawEntry
	for _, l := range v.cat.Laws() {
		e := lawEntry{ID: l.ID, Title: v.Line(l.Title), Lines: v.cat.Render(x, routine.Facts{}, l.Lines...), Refs: v.cat.Refs(x, l.Refs), Check: l.Uncertain()}
		for _, s := range l.Lists {
			e.Lists = append(e.Lists, list{v.Line(s.Title), v.cat.Render(x, routine.Facts{}, s.Items...)})
		}
		p = append(p, e)
	}
	v.site.Count(Event{Read, "law"})
	v.send(http.StatusOK, "law", page{Title: v.T("pages.law"), Body: p})
}

// term is a word of the field in all languages.
type term struct {
	routine.Term
	See []link
}

// link leads somewhere on these pages.
type link struct {
	To   string
	Line routine.Line
}

func (v *visit) term(t routine.Term) term {
	out := term{Term: t}
	for _, id := range t.See {
		if l, ok := v.see(id); ok {
			out.See = append(out.See, l)
		}
	}
	return out
}

// see gives the page of something in the catalogue.
func (v *visit) see(id string) (link, bool) {
	if r, ok := v.cat.Routine(id); ok {
		return link{v.Link("rutine/" + id), v.Line(r.Title)}, true
	}
	if l, ok := v.cat.Law(id); ok {
		return link{v.Link("lov#" + id), v.Line(l.Title)}, true
	}
	if r, ok := v.cat.Resource(id); ok {
		return link{v.Link("hvem#" + id), v.Line(r.Name)}, true
	}
	if id == "deadlines" {
		return link{v.Link("frister"), routine.Line{Text: v.T("pages.deadlines")}}, true
	}
	if b, ok := v.cat.Block(id); ok {
		return link{v.Link("tekst#" + id), v.Line(b.Title)}, true
	}
	return link{}, false
}

type termsPage struct {
	Terms []term
	Asked bool
	None  bool
}

// terms shows the words of the field. A word that is looked for is compared and
// forgotten.
func (v *visit) terms() {
	v.path = Prefix + "ord"
	want := ""
	var p termsPage
	if v.r.Method == http.MethodPost {
		if !v.read() {
			return
		}
		want = strings.ToLower(strings.TrimSpace(v.form.Get("o")))
		want = want[:min(len(want), 100)]
		p.Asked = want != ""
	}
	for _, t := range v.cat.Terms() {
		words := append([]string{t.NB, t.NN, t.EN, t.SE}, t.Also...)
		if want == "" || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(strings.ToLower(w), want) }) {
			p.Terms = append(p.Terms, v.term(t))
		}
	}
	if len(p.Terms) == 0 {
		p.None = true
		for _, t := range v.cat.Terms() {
			p.Terms = append(p.Terms, v.term(t))
		}
	}
	v.site.Count(Event{Read, "term"})
	v.send(http.StatusOK, "terms", page{Title: v.T("pages.terms"), Body: p})
}

type whoPage struct {
	Staff []call
	Child []call
	Here  []routine.HereView
}

func (v *visit) who() {
	v.path = Prefix + "hvem"
	var p whoPage
	for _, r := range v.cat.Resources() {
		c := v.Call(r.ID)
		if r.Child {
			p.Child = append(p.Child, *c)
		} else {
			p.Staff = append(p.Staff, *c)
		}
	}
	p.Here = v.cat.Here(v.context())
	v.site.Count(Event{Read, "resource"})
	v.send(http.StatusOK, "who", page{Title: v.T("pages.who"), Body: p})
}

func (v *visit) meeting() {
	v.path = Prefix + "mote"
	p := v.cat.Guide(v.context())
	v.site.Count(Event{Read, "meeting"})
	v.send(http.StatusOK, "meeting", page{Title: p.Title.Text, Lang: p.Title.Locale, Body: p})
}

// blocks shows all texts to use: what to say to the child, what to write.
func (v *visit) blocks() {
	v.path = Prefix + "tekst"
	var p []routine.BlockView
	for _, b := range v.cat.Blocks() {
		view, _ := v.cat.BlockView(b.ID, v.context())
		p = append(p, view)
	}
	v.site.Count(Event{Read, "blocks"})
	v.send(http.StatusOK, "blocks", page{Title: v.T("pages.blocks"), Body: p})
}

// ownRoutine is a routine a municipality has written or changed.
type ownRoutine struct {
	card
	Elements []element
	Lacks    int
	Changes  []change
	New      bool
}

// element is one of the twelve, there or not.
type element struct {
	Title routine.Line
	Has   bool
}

type ownPage struct {
	Towns    []named // those with a file of their own, when none was chosen
	Routines []ownRoutine
	Elements []routine.Line
	Count    int // elements in all
}

// own shows what a municipality has changed, and which of the twelve elements
// its routines lack.
func (v *visit) own() {
	v.path = Prefix + "egne"
	x := v.context()
	var p ownPage
	for _, e := range v.cat.Elements() {
		p.Elements = append(p.Elements, v.cat.Render(x, e.Facts, e.Title)...)
	}
	p.Count = len(p.Elements)
	if v.Town == nil {
		for _, t := range v.cat.Tenants() {
			if m, ok := v.c.Data.Municipality(t); ok {
				p.Towns = append(p.Towns, named{t, m.Name})
			}
		}
	} else {
		for _, r := range v.cat.Routines() {
			if !r.Local {
				continue
			}
			o := ownRoutine{card: v.card(r)}
			missing := v.cat.Missing(r.ID)
			o.Lacks = len(missing)
			for _, e := range v.cat.Elements() {
				lacks := slices.ContainsFunc(missing, func(m routine.Element) bool { return m.ID == e.ID })
				o.Elements = append(o.Elements, element{v.Line(e.Title), !lacks})
			}
			for _, c := range v.cat.Diff(v.Town.Number) {
				if c.Routine == r.ID {
					o.Changes = append(o.Changes, v.change(r.ID, c))
					o.New = o.New || c.Part == "routine"
				}
			}
			p.Routines = append(p.Routines, o)
		}
	}
	v.site.Count(Event{Read, "own"})
	v.send(http.StatusOK, "own", page{Title: v.T("pages.own"), Body: p})
}
