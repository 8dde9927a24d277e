package desk

import (
	"strconv"

	"trygg/flows"
	"trygg/flows/content/data"
	"trygg/flows/routine"
)

func itoa(n int) string { return strconv.Itoa(n) }

// walk follows answers, a letter each, from the start of the tree.
func (v *view) walk(answers string) (routine.Path, routine.Question, *routine.Outcome, bool) {
	t := v.c.Tree()
	var p routine.Path
	for i, a := range answers {
		q, ok := t.Question(p)
		n := int(a - 'a')
		if !ok || n < 0 || n >= len(q.Answers) {
			return p, q, nil, false
		}
		next, out, err := t.Answer(p, q.Answers[n].ID)
		if err != nil || out != nil && i != len(answers)-1 {
			return p, q, nil, false
		}
		if p = next; out != nil {
			return p, q, out, true
		}
	}
	q, ok := t.Question(p)
	return p, q, nil, ok
}

// question asks the next question of the tree. Danger and the routine as far as
// it is known are one press away from each (inv-1, inv-7).
func (v *view) question(answers string) bool {
	_, q, out, ok := v.walk(answers)
	if !ok || out != nil {
		return false
	}
	v.add(v.c.Render(v.x, routine.Facts{}, q.Ask)[0].Text)
	for i, a := range q.Answers {
		path := answers + string(rune('a'+i))
		_, _, out, _ := v.walk(path)
		to := page(treePage, path)
		switch {
		case out != nil && out.Routine != "":
			to = page(outcomePage, path)
		case out != nil:
			to = page(endPage, path)
		}
		v.row(named(to, a.Label.In(v.x.Locale)))
	}
	v.row(to(page(nowPage, answers), "work.now"), to(page(routinePage, short(v.c.Tree().Danger)), "work.danger"))
	return true
}

// end is a way out of the tree that is no routine.
func (v *view) end(answers string) bool {
	_, _, out, ok := v.walk(answers)
	if !ok || out == nil || out.End == "" {
		return false
	}
	e, ok := v.c.Tree().End(out.End)
	if !ok {
		return false
	}
	v.add(v.list(e.Title.In(v.x.Locale).Text, v.c.Render(v.x, e.Facts, e.Lines...)))
	for _, id := range e.Call {
		if c, ok := v.c.Call(id, v.x); ok {
			v.call(c)
		}
	}
	if e.Law {
		for _, l := range v.c.Laws() {
			v.row(named(page(lawPage, l.ID), l.Title.In(v.x.Locale)))
		}
	}
	return true
}

// deadlines lists the time limits, or reads one.
func (v *view) deadlines(rest string) bool {
	if rest == "" {
		v.say("work.deadlines.text")
		v.row(to(datePage, "work.dates"))
		for _, d := range v.c.Deadlines() {
			v.row(named(page(deadlinePage, d.ID), d.Title.In(v.x.Locale)))
		}
		return true
	}
	d, ok := v.c.Deadline(rest)
	if !ok {
		return false
	}
	v.add(d.Title.In(v.x.Locale).Text + "\n" + v.text(v.c.Render(v.x, d.Facts, d.Limit)[0]))
	for _, r := range v.c.Refs(v.x, d.Law) {
		v.add(r.Text.Text + "\n" + r.Web)
	}
	return true
}

// days are the days the calculator offers: how long ago it happened. Other days
// are for the browser's page, where a date can be given; no date is kept here.
var days = []int{0, 1, 2, 3, 7, 14}

// dates counts out what follows by law: cal, cal.<event>, cal.<event>.<days ago>.
func (v *view) dates(rest string) bool {
	if rest == "" {
		v.say("work.dates.text")
		for _, e := range v.c.Events() {
			v.row(named(page(datePage, e.ID), e.Title.In(v.x.Locale)))
		}
		return true
	}
	for _, e := range v.c.Events() {
		title := e.Title.In(v.x.Locale).Text
		if rest == e.ID {
			v.add(title)
			v.say("work.dates.when", "work.dates.kept")
			var leaves []flows.Leaf
			for _, n := range days {
				leaves = append(leaves, to(page(datePage, e.ID, itoa(n)), "work.day"+itoa(n)))
			}
			v.pairs(leaves)
			return true
		}
		for _, n := range days {
			if rest != page(e.ID, itoa(n)) {
				continue
			}
			v.say("work.day" + itoa(n))
			v.add(title)
			for _, d := range v.c.Dates(e.ID, v.env.Now.In(data.Oslo).AddDate(0, 0, -n)) {
				v.due(d)
			}
			return true
		}
	}
	return false
}

// due adds one counted date, and tells when it is no working day.
func (v *view) due(d routine.Due) {
	form := "2.1.2006"
	if d.Exact {
		form = "2.1.2006 15:04"
	}
	text := v.text(d.Rule.Title.In(v.x.Locale)) + ": " + d.At.Format(form)
	if d.Free() {
		text += "\n" + v.label("last-workday") + ": " + d.Work.Format("2.1.2006")
	}
	if !d.Rule.Note.Empty() {
		text += "\n" + v.text(v.c.Render(v.x, d.Rule.Facts, d.Rule.Note)[0])
	}
	for _, r := range v.c.Refs(v.x, d.Deadline.Law) {
		text += "\n" + r.Text.Text
	}
	v.add(text)
}
