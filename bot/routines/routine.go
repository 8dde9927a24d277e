package routines

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"trygg/flows/routine"
)

// routinePage is a routine as it is read.
type routinePage struct {
	routine.View
	Aspect  routine.Aspect // one of the four views; "" = all of it
	Tabs    []choice
	Calls   []call
	Blocks  []routine.BlockView
	Law     []lawRef
	Lead    []lawRef // where the role's duty stands
	Flags   []choice
	Chosen  []routine.Line // what it is adapted to
	Path    []answered     // the answers that led here
	Also    []routine.Link
	Old     bool // its day of review has passed
	Changes []change
	Limits  map[string]routine.Line // of the deadlines in steps
}

// lawRef is a place in the law with its mark.
type lawRef = routine.LawView

// change is what a municipality did to a routine.
type change struct {
	Part string
	Kind string // a text id
	Was  []routine.Line
	Now  []routine.Line
}

// answered is an answer on the way through the tree, and the address to change it.
type answered struct {
	Line routine.Line
	To   string
}

func (v *visit) routine() {
	id := v.r.PathValue("id")
	if _, ok := v.cat.Routine(id); !ok {
		v.lost()
		return
	}
	v.path = Prefix + "rutine/" + id
	q := v.r.URL.Query()
	x := v.context()
	p := routinePage{}

	// The way through the tree says what is known.
	var also []string
	if given := q.Get("q"); given != "" {
		w := v.walk(given)
		o := w.outcome
		tree := v.cat.Tree()
		switch {
		case o != nil && (o.Routine == id || slices.Contains(o.Also, id)):
		case id == tree.Danger:
			d := tree.InDanger(w.path)
			o = &d
		default:
			n := tree.ShowNow(w.path)
			o = &n
		}
		known := o.Context()
		x.Age, x.Kind, x.Flags, x.Stop = known.Age, known.Kind, known.Flags, known.Stop
		also = o.Also
		p.Path = w.answered
		if len(w.ids) > 0 {
			v.more = append(v.more, pair{"q", strings.Join(w.ids, ".")})
		}
	}
	var chips []string
	for _, f := range v.cat.Tree().Flags {
		if !f.Hidden && slices.Contains(strings.Split(q.Get("f"), "."), f.ID) {
			chips = append(chips, f.ID)
			x.Flags = append(x.Flags, f.ID)
		}
	}
	a := routine.Aspect(q.Get("v"))
	if !slices.Contains(routine.Aspects, a) {
		a = ""
	}
	// The parameters of this page, in the order they stand in its links.
	if len(chips) > 0 {
		v.more = append(v.more, pair{"f", strings.Join(chips, ".")})
	}
	if a != "" {
		v.more = append(v.more, pair{"v", string(a)})
	}

	view, _ := v.cat.View(id, x)
	p.View, p.Aspect = view, a
	p.Tabs = append(p.Tabs, choice{ID: "all", Line: routine.Line{Text: v.T("pages.view.all")}, On: a == "", To: v.Here("v", "")})
	for _, t := range routine.Aspects {
		p.Tabs = append(p.Tabs, choice{ID: string(t), Line: routine.Line{Text: v.T("pages.view." + string(t))}, On: a == t, To: v.Here("v", string(t))})
	}
	for _, f := range v.cat.Tree().Flags {
		if f.Hidden {
			continue
		}
		on := slices.Contains(chips, f.ID)
		next := slices.DeleteFunc(slices.Clone(chips), func(c string) bool { return c == f.ID })
		if !on {
			next = append(next, f.ID)
		}
		p.Flags = append(p.Flags, choice{ID: f.ID, Line: v.Line(f.Label), On: on, To: v.Here("f", strings.Join(next, "."))})
	}
	if v.Role != nil {
		p.Chosen = append(p.Chosen, v.Line(v.Role.Name))
	}
	for _, f := range p.Flags {
		if f.On {
			p.Chosen = append(p.Chosen, f.Line)
		}
	}
	p.Calls = v.calls(view.Calls)
	p.Law = view.Law
	p.Blocks = view.Blocks
	if a != "" {
		p.Blocks = v.aspectBlocks(id, a, x)
	}
	p.Also = view.Also
	for _, id := range also {
		if r, ok := v.cat.Routine(id); ok && id != view.ID && !slices.ContainsFunc(p.Also, func(l routine.Link) bool { return l.ID == id }) {
			p.Also = append(p.Also, routine.Link{ID: id, Title: v.Line(r.Title)})
		}
	}
	p.Old = view.ValidUntil < v.now.Format(time.DateOnly)
	for _, c := range view.Changes {
		p.Changes = append(p.Changes, v.change(view.ID, c))
	}
	p.Limits = map[string]routine.Line{}
	for _, s := range slices.Concat(view.Now, view.Steps) {
		if s.Limit != nil {
			p.Limits[s.ID] = v.Line(s.Limit.Limit)
		}
	}
	v.site.Count(Event{Read, view.Theme.ID})
	v.send(http.StatusOK, "routine", page{Title: view.Title.Text, Lang: view.Title.Locale, Body: p})
}

// aspectBlocks are the pieces of text that belong to one of the four views.
func (v *visit) aspectBlocks(id string, a routine.Aspect, x routine.Context) []routine.BlockView {
	sections, _ := v.cat.Aspect(id, a, x)
	var out []routine.BlockView
	for _, s := range sections {
		if b, ok := v.cat.BlockView(s.ID, x); ok {
			out = append(out, b)
		}
	}
	return out
}

// change puts a change of a municipality into words.
func (v *visit) change(id string, c routine.Change) change {
	out := change{Kind: "pages.change." + c.Kind}
	x := v.context()
	if len(c.Was) > 0 {
		out.Was = v.cat.Render(x, routine.Facts{}, c.Was...)
	}
	if len(c.Now) > 0 {
		out.Now = v.cat.Render(x, routine.Facts{}, c.Now...)
	}
	part, _, _ := strings.Cut(c.Part, " ")
	switch part {
	case "routine", "title":
		out.Part = v.T("pages.change.whole")
	case "step":
		out.Part = v.T("pages.step")
	case "do_not":
		out.Part = v.Heading("do-not")
	default:
		out.Part = v.Heading(part)
	}
	return out
}

// Shows tells whether a part belongs to the view that was chosen.
func (p routinePage) Shows(part string) bool {
	switch p.Aspect {
	case "":
		return true
	case routine.TheLaw:
		return part == "law" || part == "role"
	}
	return part == string(p.Aspect)
}

// Names gives the names of those a step says to call.
func (p routinePage) Names(ids []string) []routine.Call {
	var out []routine.Call
	for _, id := range ids {
		for _, k := range p.View.Calls {
			if k.ID == id {
				out = append(out, k)
			}
		}
	}
	return out
}
