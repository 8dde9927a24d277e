package routines

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"regexp"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

// What templates show of the catalogue: texts with the language they are in and
// the marks that belong to them, in words (never by colour alone).

// mark is a remark on a text: to be checked, the municipality's own, only in one
// language.
type mark struct{ Class, Text string }

// said is a text as it is shown.
type said struct {
	Text, Lang string
	Marks      []mark
}

// saidList is a list of texts. What holds for all of them is said once.
type saidList struct {
	Items []said
	Marks []mark
	Lang  string
}

func (v *visit) checked() mark { return mark{"check", v.Label("check")} }

func (v *visit) only(locale string) mark { return mark{"only", v.Label("only-" + locale)} }

// Say gives a text with its marks.
func (v *visit) Say(l routine.Line) said {
	s := said{Text: l.Text, Lang: l.Locale}
	if l.Local {
		s.Marks = append(s.Marks, mark{"local", v.Label("local")})
	}
	if l.Check {
		s.Marks = append(s.Marks, v.checked())
	}
	if l.Locale != "" {
		s.Marks = append(s.Marks, v.only(l.Locale))
	}
	return s
}

// List gives texts; a mark that all of them have stands above them.
func (v *visit) List(ls []routine.Line) saidList {
	var out saidList
	check, locale := len(ls) > 0, ""
	for i, l := range ls {
		check = check && l.Check
		switch {
		case i == 0:
			locale = l.Locale
		case l.Locale != locale:
			locale = ""
		}
	}
	if check {
		out.Marks = append(out.Marks, v.checked())
	}
	if locale != "" {
		out.Lang = locale
		out.Marks = append(out.Marks, v.only(locale))
	}
	for _, l := range ls {
		if check {
			l.Check = false
		}
		if locale != "" {
			l.Locale = ""
		}
		out.Items = append(out.Items, v.Say(l))
	}
	return out
}

// calling is somebody to call, ready for the template.
type calling struct {
	C            call
	Name, Offers said
	Instead      string
	How          *said
	Open         string
	Marks        []mark
}

// Calling prepares somebody to call.
func (v *visit) Calling(c call) calling {
	out := calling{C: c, Instead: v.Label("instead")}
	out.Name, out.Offers = v.Say(c.Name), v.Say(c.Offers)
	if c.How.Text != "" {
		how := v.Say(c.How)
		out.How = &how
	}
	if c.Main.Open != "" {
		out.Open = v.T(c.Main.Open)
	}
	if c.Main.Check && !c.Offers.Check {
		out.Marks = append(out.Marks, v.checked())
	}
	return out
}

// cardView is a routine in a list, ready for the template.
type cardView struct {
	To    string
	Title said
	Hurry string
	When  *said
}

// Card prepares a routine in a list; full = with when it is for.
func (v *visit) Card(c card, full bool) cardView {
	out := cardView{To: v.Link("rutine/" + c.ID), Title: v.Say(c.Title)}
	if c.Acute == "yes" {
		out.Hurry = v.T("pages.hurry")
	}
	if full && len(c.When) > 0 {
		when := v.Say(c.When[0])
		out.When = &when
	}
	return out
}

// foundView is something that fits a question, ready for the template.
type foundView struct {
	Card               *cardView
	Law, Limits        *link
	Call               *calling
	Terms              []term
	LawWord, LimitWord string
}

// Find prepares something that fits a question.
func (v *visit) Find(f found, full bool) foundView {
	out := foundView{LawWord: v.T("pages.law"), LimitWord: v.T("pages.count"), Terms: f.Terms}
	switch {
	case f.Card != nil:
		c := v.Card(*f.Card, full)
		out.Card = &c
	case f.Law != nil:
		l, _ := v.see(f.Law.ID)
		out.Law = &l
	case f.Deadlines:
		l, _ := v.see("deadlines")
		out.Limits = &l
	case f.Call != nil:
		c := v.Calling(*f.Call)
		out.Call = &c
	}
	return out
}

// stepsView is a list of steps, ready for the template.
type stepsView struct {
	Start              int
	Steps              []stepView
	LimitWord, WasWord string
}

type stepView struct {
	routine.StepView
	Done  string
	Said  said
	Limit *said
	Was   *said
	Calls []dial
	Law   []lawView
}

// dial is whom a step says to call: all who have the same number.
type dial struct {
	ID, Name, Number string
	Instead          string // who answers instead of them
	Dial             template.URL
}

// add adds somebody to call.
func add(ds []dial, d dial) []dial {
	for i := range ds {
		if d.Dial != "" && ds[i].Dial == d.Dial && ds[i].Instead == d.Instead {
			ds[i].Name += " / " + d.Name
			return ds
		}
	}
	return append(ds, d)
}

// Steps prepares steps of a routine.
func (v *visit) Steps(p routinePage, steps []routine.StepView) stepsView {
	out := stepsView{LimitWord: v.Label("deadline"), WasWord: v.Label("was")}
	for _, s := range steps {
		w := stepView{StepView: s, Done: v.T("pages.done"), Said: v.Say(s.Text), Law: v.Laws(s.Law)}
		if limit, ok := p.Limits[s.ID]; ok {
			l := v.Say(limit)
			w.Limit = &l
		}
		if s.Was.Text != "" {
			was := v.Say(s.Was)
			w.Was = &was
		}
		for _, k := range p.Names(s.Calls) {
			c := v.call(k)
			d := dial{ID: k.ID, Name: k.Name.Text, Number: c.Main.Number, Dial: c.Main.Dial}
			if k.Instead {
				d.Instead = c.Main.Name + " " + v.Label("instead")
			}
			w.Calls = add(w.Calls, d)
		}
		out.Steps = append(out.Steps, w)
	}
	if len(steps) > 0 {
		out.Start = steps[0].Number
	}
	return out
}

// lawView is a place in the law, ready for the template.
type lawView struct {
	said
	Web string
}

// Laws prepares places in the law.
func (v *visit) Laws(ls []routine.LawView) []lawView {
	var out []lawView
	for _, l := range ls {
		l.Text.Check = l.Check
		out = append(out, lawView{v.Say(l.Text), l.Web})
	}
	return out
}

// blockView is a text to use, ready for the template.
type blockView struct {
	ID           string
	Title        said
	Stop         *saidList
	Heading      string
	Lines, Say   saidList
	SayWord      string
	Copy, Copied string
}

// Block prepares a text to use.
func (v *visit) Block(b routine.BlockView) blockView {
	return blockView{
		ID: b.ID, Title: v.Say(b.Title), Lines: v.List(b.Lines), Say: v.List(b.Say), SayWord: v.Label("say"),
		Copy: v.T("pages.copy"), Copied: v.T("pages.copied"),
	}
}

// Template prepares a template of the meeting guide, with the stop rule above it
// where it calls people together.
func (v *visit) Template(t routine.TemplateView) blockView {
	b := v.Block(routine.BlockView{ID: t.ID, Title: t.Title, Lines: t.Lines})
	if len(t.Stop) > 0 {
		stop := v.List(t.Stop)
		b.Stop, b.Heading = &stop, v.Heading("stop")
	}
	return b
}

type changeView struct {
	Part, Kind string
	Was, Now   []said
}

// Diff prepares what a municipality has changed.
func (v *visit) Diff(cs []change) []changeView {
	var out []changeView
	for _, c := range cs {
		w := changeView{Part: c.Part, Kind: v.T(c.Kind)}
		for _, l := range c.Was {
			w.Was = append(w.Was, v.Say(l))
		}
		for _, l := range c.Now {
			w.Now = append(w.Now, v.Say(l))
		}
		out = append(out, w)
	}
	return out
}

// Date writes a day of the catalogue as it is written in Norway.
func (v *visit) Date(day string) string {
	if t, err := time.Parse(time.DateOnly, day); err == nil {
		return t.Format("2.1.2006")
	}
	return day
}

// Today is the day a page was made, for what is printed.
func (v *visit) Today() string { return v.now.In(data.Oslo).Format("2.1.2006") }

var (
	//go:embed pages/*.html
	pageFiles embed.FS
	//go:embed page.css
	rawCSS string
	//go:embed page.js
	rawJS string

	pageCSS = bare(rawCSS)
	pageJS  = bare(rawJS)

	// policy lets a page use our own style and script and nothing else.
	policy = "default-src 'none'; style-src '" + hash(pageCSS) + "'; script-src '" + hash(pageJS) + "'; img-src data:; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

	pages = parse()
)

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// parse makes a set of templates a page: the layout, and its own part.
func parse() map[string]*template.Template {
	funcs := template.FuncMap{
		"style":  func() template.CSS { return template.CSS(pageCSS) },
		"script": func() template.JS { return template.JS(pageJS) },
	}
	layout := template.Must(template.New("").Funcs(funcs).ParseFS(pageFiles, "pages/layout.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"start", "found", "routine", "tree", "end", "deadlines", "law", "terms", "who", "meeting", "blocks", "own", "place", "problem"} {
		all[name] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return all
}

var (
	comment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	indent  = regexp.MustCompile(`(?m)^\s+`)
)

// bare leaves out comments and indentation: they are for those who read this
// tree. Comments in page.js and page.css stand on lines of their own.
func bare(s string) string {
	return indent.ReplaceAllString(comment.ReplaceAllString(s, ""), "")
}
