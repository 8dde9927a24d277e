package search

import (
	"regexp"

	"trygg/flows/routine"
)

// Documents makes documents of a catalogue: routines, law, time limits, resources
// and the words of the field, and what municipalities have of their own.
func Documents(c *routine.Catalogue) ([]Document, []Term) {
	var docs []Document
	add := func(tenant string, r *routine.Routine) {
		d := Document{Tenant: tenant, ID: r.ID, Roles: r.Roles, Title: texts(r.Title), Asked: r.Asked, Signs: texts(r.When...)}
		d.Signs = append(d.Signs, texts(r.Acute.Text)...)
		for _, s := range r.Steps {
			d.Text = append(d.Text, texts(s.Text)...)
		}
		for _, part := range [][]routine.Text{r.DoNot, r.Write, r.Child, r.Parents} {
			d.Text = append(d.Text, texts(part...)...)
		}
		docs = append(docs, d)
	}
	c = c.For("")
	for _, r := range c.Routines() {
		add("", r)
	}
	for _, tenant := range c.Tenants() {
		for _, r := range c.For(tenant).Routines() {
			if r.Local {
				add(tenant, r)
			}
		}
	}
	for _, l := range c.Laws() {
		d := Document{ID: l.ID, Title: texts(l.Title), Text: texts(l.Lines...)}
		for _, list := range l.Lists {
			d.Text = append(d.Text, texts(list.Items...)...)
		}
		for _, ref := range l.Refs {
			if a, ok := c.Act(ref.Act()); ok {
				for _, name := range texts(a.Name) {
					d.Text = append(d.Text, name+" "+ref.Section())
				}
			}
		}
		docs = append(docs, d)
	}
	limits := Document{ID: Deadlines}
	for _, t := range c.Deadlines() {
		limits.Signs = append(limits.Signs, texts(t.Title)...)
		limits.Text = append(limits.Text, texts(t.Limit)...)
	}
	docs = append(docs, limits)
	for _, r := range c.Resources() {
		docs = append(docs, Document{ID: "resource:" + r.ID, Title: texts(r.Name), Text: texts(r.Offers)})
	}
	var terms []Term
	for _, t := range c.Terms() {
		words := []string{t.SE}
		for _, w := range append([]string{t.NB, t.NN, t.EN}, t.Also...) {
			w = bracket.ReplaceAllString(w, "")
			words = append(words, slash.Split(w, -1)...)
		}
		terms = append(terms, Term{ID: t.ID, Words: words, See: t.See})
	}
	return append(docs, Document{ID: TermID}), terms
}

var (
	bracket     = regexp.MustCompile(`\([^)]*\)`)
	slash       = regexp.MustCompile(` */ *|, *`)
	placeholder = regexp.MustCompile(`\{\{[^}]*\}\}`)
)

func texts(ts ...routine.Text) []string {
	var out []string
	for _, t := range ts {
		for _, s := range []string{t.NB, t.NN, t.EN} {
			if s != "" {
				out = append(out, placeholder.ReplaceAllString(s, " "))
			}
		}
	}
	return out
}
