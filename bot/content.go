package bot

import (
	"time"

	"trygg/flows"
	"trygg/flows/card"
)

// Content is one published snapshot: conversations, texts, card and the
// municipalities' switches, checked together and swapped in together (D3).
type Content struct {
	Library *flows.Library
	Texts   Texts
	Card    *card.Card
	// Switches gives the switches of a municipality that are on; nil = none.
	Switches func(tenant string) map[string]bool
	// Locales are the languages that may be chosen.
	Locales map[string]bool
	// Ask reads what a professional typed at the desk; nil = nobody does. It is
	// pure, and a part of the content, since it knows the routines.
	Ask func(flows.Words, flows.Session) flows.Understanding
	// Hash names this snapshot.
	Hash string
}

// UI are the texts the bot says by itself, besides the engine's and the card's.
var UI = []string{"engine.fallback", "engine.stateless", "engine.erase_later"}

// Texts is all words, as bot needs them.
type Texts interface {
	// Lookup gives a text in a language or the nearest it falls back to, and
	// the tag it is in; "" when it exists nowhere.
	Lookup(locale, id, band string) (text, tag string)
}

// Reader turns typed words into what they mean. It is pure (S10).
type Reader interface {
	Read(flows.Words) flows.Understanding
}

// Meter counts what happened. It hears of classes and outcomes only (S40).
type Meter interface {
	Update(channel string, outcome Outcome, took time.Duration)
	Step(took time.Duration)
	Commit(took time.Duration, err error)
	Card(level flows.Level)
	Panic()
}

type noMeter struct{}

func (noMeter) Update(string, Outcome, time.Duration) {}
func (noMeter) Step(time.Duration)                    {}
func (noMeter) Commit(time.Duration, error)           {}
func (noMeter) Card(flows.Level)                      {}
func (noMeter) Panic()                                {}
