package routines

import (
	"net/http"
	"slices"
	"strings"

	"trygg/flows/routine"
)

// way is a way through the tree, as far as its answers belong to their questions.
type way struct {
	path     routine.Path
	ids      []string // the answers
	answered []answered
	outcome  *routine.Outcome
}

// most answers are read from an address; the tree has fewer.
const mostAnswers = 12

// walk follows the answers of an address from the start. What does not belong is
// left out with all that comes after it.
func (v *visit) walk(given string) way {
	var w way
	tree := v.cat.Tree()
	for i, id := range strings.Split(given[:min(len(given), 400)], ".") {
		if given == "" || i == mostAnswers || w.outcome != nil {
			break
		}
		q, ok := tree.Question(w.path)
		if !ok {
			break
		}
		next, o, err := tree.Answer(w.path, id)
		if err != nil {
			break
		}
		at := slices.IndexFunc(q.Answers, func(a routine.Answer) bool { return a.ID == id })
		w.answered = append(w.answered, answered{v.Line(q.Answers[at].Label), v.Link("tre", "q", strings.Join(w.ids, "."))})
		w.ids = append(w.ids, id)
		w.path, w.outcome = next, o
	}
	return w
}

// treePage is a question of the tree, or an end of it that is no routine.
type treePage struct {
	Number  int
	Ask     routine.Line
	Answers []choice
	Path    []answered
	Back    string // "" = this is the first question
	Danger  string
	Now     string

	End   []routine.Line // of an end
	Calls []call
	Laws  []named
	Also  []routine.Link
}

func (v *visit) tree() {
	v.path = Prefix + "tre"
	w := v.walk(v.r.URL.Query().Get("q"))
	tree := v.cat.Tree()
	q := strings.Join(w.ids, ".")
	if q != "" {
		v.more = []pair{{"q", q}}
	}
	p := treePage{Number: len(w.ids) + 1, Path: w.answered}
	if n := len(w.answered); n > 0 {
		p.Back = w.answered[n-1].To
	}
	p.Danger = v.Link("rutine/"+tree.Danger, "q", q)
	p.Now = v.Link("rutine/"+tree.Now, "q", q)
	v.site.Count(Event{Read, "tree"})
	if o := w.outcome; o != nil {
		if o.Routine != "" {
			v.seeOther(v.Link("rutine/"+o.Routine, "q", q))
			return
		}
		e, _ := tree.End(o.End)
		x := v.context()
		p.End = v.cat.Render(x, e.Facts, e.Lines...)
		for _, id := range e.Call {
			if c := v.Call(id); c != nil {
				p.Calls = append(p.Calls, *c)
			}
		}
		if e.Law {
			for _, l := range v.cat.Laws() {
				p.Laws = append(p.Laws, named{l.ID, v.Line(l.Title).Text})
			}
		}
		for _, id := range o.Also {
			if r, ok := v.cat.Routine(id); ok {
				p.Also = append(p.Also, routine.Link{ID: id, Title: v.Line(r.Title)})
			}
		}
		v.send(http.StatusOK, "end", page{Title: v.Line(e.Title).Text, Body: p})
		return
	}
	question, _ := tree.Question(w.path)
	p.Ask = v.Line(question.Ask)
	for _, a := range question.Answers {
		next := strings.Join(append(slices.Clone(w.ids), a.ID), ".")
		to := v.Link("tre", "q", next)
		if _, o, err := tree.Answer(w.path, a.ID); err == nil && o != nil && o.Routine != "" {
			to = v.Link("rutine/"+o.Routine, "q", next)
		}
		p.Answers = append(p.Answers, choice{ID: a.ID, Line: v.Line(a.Label), To: to})
	}
	v.send(http.StatusOK, "tree", page{Title: p.Ask.Text, Lang: p.Ask.Locale, Body: p})
}

// seeOther leads to an address of ours, made by Link.
func (v *visit) seeOther(to string) {
	v.w.Header().Set("Location", to)
	v.w.Header().Set("Content-Length", "0")
	v.w.WriteHeader(http.StatusSeeOther)
}
