package main

import (
	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/flows/crisis"
)

// readers are the pure readers of typed words, one after another over the same
// text (S10). The words stay in here.
type readers struct {
	crisis *crisis.Reader
	places func() *data.Data
}

func (r readers) Read(w flows.Words) flows.Understanding {
	u := r.crisis.Read(w)
	if card.IsHelp(w.Read()) {
		// A word for help says nothing of what it is about: the card for everybody.
		u = flows.Understanding{Help: true, Language: u.Language}
	}
	if p, ok := r.places().Find(w.Read()); ok {
		u.Place, u.Area = p.Number, p.Area
	}
	return u
}

var _ bot.Reader = readers{}
