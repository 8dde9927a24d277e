// Package bot handles one update at a time: an update comes in from a channel,
// one step is made, one write is committed, and the answer goes out. Help is
// answered first, from the program itself, whatever else is broken (D5).
package bot

import (
	"fmt"
	"log/slog"
	"time"

	"trygg/flows"
	"trygg/flows/card"
)

// Channel names a way to reach people.
const (
	Web      = "web"
	Telegram = "telegram"
)

// ChatID is one partner on one channel. It identifies a child, so it cannot be
// printed or logged; below the channel only its pseudonym is used (S34, S40).
type ChatID struct {
	Channel string // Web, Telegram
	Bot     string // which bot or site
	User    string // the platform's id of the chat, or the random value of a web session
}

func (ChatID) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[chat]") }
func (ChatID) LogValue() slog.Value       { return slog.StringValue("[chat]") }

// Update is one thing that reached us: a press, a command or typed words.
type Update struct {
	// ID is unique for its channel and bot; a repeated ID changes nothing (S51).
	// Empty where the screen itself guards against repeats (the web).
	ID   string
	Chat ChatID
	At   time.Time

	Event  string // what was pressed or commanded; "" with Words
	Screen string // the screen the press was made on; "" = not from a screen
	Words  flows.Words

	// Help is the request a help button carries; nil for anything else. It is
	// answered without a session (S2).
	Help *card.Request

	Locale string // the phone's language as one of our tags; "" = unknown
	Tenant string // municipality named by a poster's link; "" = none

	// Message is the channel's id of a message the child left in the chat, to
	// be hidden later (S30); 0 = none.
	Message int
}

// Reply is what a channel shows.
type Reply struct {
	Locale  string // BCP 47 tag of the texts
	Bubbles []Bubble
	Rows    [][]Button // the author's choices
	System  []Button   // the engine's: Help is always the first (D5)
	Screen  string     // what presses on this reply must carry
	Typing  bool       // the screen asks for typed words
	Card    bool       // this is the help card: it leaves the screen behind it in place
	Toast   string     // short notice that leaves nothing; may come alone, without bubbles
	Clear   bool       // hide or exit now (S23, S30)
}

// Bubble is one message: one idea.
type Bubble struct {
	Text   string
	Locale string // tag of this text where it differs from the reply's; "" = the same

	// Of the card only: ways to reach somebody. Number is shown, Dial is what a
	// phone dials, Web is an https address; each may be empty.
	Number, Dial, Web, WebLabel string
}

// Button is one choice, with its label in the chat's language.
type Button struct {
	Event string
	Label string
	Help  *card.Request // set on every button that leads to the card or further inside it
}

// Outcome says how an update was dealt with; it is what is counted (S3, S40).
type Outcome string

const (
	Committed Outcome = "committed" // the step is stored
	Stateless Outcome = "stateless" // answered without the store
	Repeated  Outcome = "repeated"  // seen before: nothing changed
	Stale     Outcome = "stale"     // an old button: the present screen again
	Helped    Outcome = "helped"    // the card, nothing else needed
	Failed    Outcome = "failed"    // neither committed nor answered
)

// Answer is what Handle gives back for one update.
type Answer struct {
	Reply   Reply
	Outcome Outcome
	Entry   EntryID // the outbox entry that Shown acknowledges; zero = none
	Erased  bool    // everything about the chat is gone: nothing is written down any more (S38)
	Erases  bool    // the same as soon as the answer is shown: only the hide list is still there for it
	Chat    Chat    // as it is after the update; its Traces only where they were needed
}
