// Package flows is the conversation engine. A session and an input go in; the
// next session and the effects come out. It reads no clock, no store and no
// network, so the same session and input give the same answer every time (D4).
// Conversations are data (flows/content); performing effects is left to bot.
package flows

import (
	"errors"
	"slices"
	"time"
)

// Schema is the version of the stored form of a Session. A session of any
// other schema counts as absent (F14, F15).
const Schema = 1

// Bands are the age bands texts and choices may depend on (S43). The empty
// band is "not said" and reads the texts of DefaultBand.
var Bands = []string{"6-9", "10-12", "13-15", "16-18"}

// DefaultBand is the band whose texts a child sees that skipped the question.
const DefaultBand = "10-12"

// ErrStale says that a button of an old screen was pressed: nothing changed,
// the effects show the present screen again.
var ErrStale = errors.New("stale button")

// Topic begins the event of a button that leads to a topic: q-rights.
const Topic = "q-"

// The events every child state understands because the engine adds them.
// Flows may not use these names for buttons of their own.
const (
	Back     = "back"     // one step back
	Home     = "home"     // the main menu, choices kept
	Restart  = "restart"  // start over: a neutral first screen, only the language kept
	Language = "language" // choose another language, then come back
	Help     = "help"     // the help card; answered before the engine is asked (D5)
	Hide     = "hide"     // hide or exit, by the channel's means
	Erase    = "erase"    // erase everything (S38)
	Privacy  = "privacy"  // who can know what, then come back
	Typed    = "words"    // something was typed
	Idle     = "idle"     // nothing happened for long: the session ends (S31)
	Show     = "show"     // the present screen again, nothing changes
)

// System are the engine's own events in the order they are offered.
var System = []string{Help, Back, Home, Language, Hide, Erase, Privacy, Restart}

// Place is a state of a flow and, where that is a desk, the page that lies on it.
type Place struct {
	Flow  string `json:"f"`
	State string `json:"s"`
	Page  string `json:"d,omitempty"`
}

func (p Place) String() string {
	if p.Page != "" {
		return p.Flow + "/" + p.State + ":" + p.Page
	}
	return p.Flow + "/" + p.State
}

// Crumb is a step of the path: a place left behind, and whether it was left by calling
// another flow, which comes back here when it is done.
type Crumb struct {
	Place
	Call bool `json:"c,omitempty"`
}

// Session is a chat's place in a conversation, and the few choices that shape
// the wording. It holds nothing a child typed.
type Session struct {
	Schema int `json:"v"`
	Place
	Path []Crumb `json:"p,omitempty"` // the way back, oldest first

	Locale string `json:"l,omitempty"` // "" until known: the channel's hint is used
	Band   string `json:"b,omitempty"`
	Tenant string `json:"t,omitempty"` // municipality number, "" = national
	Area   string `json:"a,omitempty"` // a part of it with numbers of its own

	Role string `json:"w,omitempty"` // a professional's, as the desk names it

	Fresh  bool `json:"r,omitempty"` // wants new messages instead of edits, for screen readers (S70)
	Linger bool `json:"g,omitempty"` // wants to be tidied after two hours of silence only (S31)

	// Screen names the screen that is shown. A press carries the screen it was
	// made on; any other value is stale.
	Screen string `json:"n,omitempty"`

	StartedAt time.Time `json:"0,omitzero"`
	UpdatedAt time.Time `json:"1,omitzero"`
}

// Input is one thing that happened to a session. Time, chance and
// circumstances come in here, so that Step stays a function.
type Input struct {
	Event         string // a button's event, or one of the engine's
	Screen        string // the screen it was pressed on; "" = not from a screen (a command, typed words)
	Understanding Understanding
	At            time.Time
	Next          string // the name the next screen gets, random
	Env           Env
}

// Env is what choices may depend on besides the session.
type Env struct {
	Channel  string          // "web", "telegram"
	Switches map[string]bool // the municipality's switches that are on
	Locales  map[string]bool // languages that may be chosen; nil = all
	Now      time.Time       // for who is open; zero = not said
}

// Effect is something the world should do because of a step. Effects are
// data: flows lists them, bot performs them.
type Effect interface{ effect() }

// Say shows a screen: bubbles and a keyboard. The engine's own buttons are
// part of it.
type Say struct {
	Before   []string   // messages ahead of the screen's own, for this once
	Messages []string   // message IDs, a bubble each
	Lines    []Line     // what a desk's page says, a bubble each
	Buttons  [][]Button // the author's choices
	System   []string   // the engine's events offered here, Help always first (D5)
	Typing   bool       // the screen asks for typed words
}

// Button is one choice.
type Button struct {
	Event string
	Label string // message ID: flow.state.event, or button.event when that has no text
	Text  string // the label itself, where it is a name and not a message
}

// Toast is a short notice that leaves nothing in the chat.
type Toast struct{ Message string }

// Clear asks the channel to hide what it can of the conversation (S23, S30).
type Clear struct{}

// Forget asks the store to erase everything about this chat (S38).
type Forget struct{}

func (Say) effect()    {}
func (Toast) effect()  {}
func (Clear) effect()  {}
func (Forget) effect() {}

// clone copies what Step may write.
func (s Session) clone() Session {
	s.Path = slices.Clone(s.Path)
	return s
}
