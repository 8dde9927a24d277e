package main

import (
	"fmt"

	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/search"
)

// asks reads what professionals type: the search over the routines that are
// published together with it. The words stay in here (D10).
type asks struct {
	index *search.Index
	data  *data.Data
}

// newAsks builds the search over routines.
func newAsks(c *routine.Catalogue, d *data.Data) (*asks, error) {
	words, err := crisisReader()
	if err != nil {
		return nil, fmt.Errorf("crisis words: %w", err)
	}
	docs, terms := search.Documents(c)
	index, err := search.New(docs, search.Options{Terms: terms, Crisis: words})
	if err != nil {
		return nil, err
	}
	return &asks{index, d}, nil
}

// Read gives what a question at the desk means for whoever stands there.
func (a *asks) Read(w flows.Words, s flows.Session) flows.Understanding {
	u := a.index.Find(search.Query{Text: w, Lang: s.Locale, Role: s.Role, Tenant: s.Tenant}).Understanding()
	u.Help = card.IsHelp(w.Read())
	if p, ok := a.data.Find(w.Read()); ok {
		u.Place, u.Area = p.Number, p.Area
	}
	return u
}
