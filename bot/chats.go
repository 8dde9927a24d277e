package bot

import (
	"context"
	"errors"
	"time"

	"trygg/flows"
)

// What Bot needs of a store. store.Chats fulfils it on any backend.
var (
	// ErrConflict: the chat changed since it was read; read again and repeat.
	ErrConflict = errors.New("chat changed meanwhile")
	// ErrRepeated: an update with this ID was committed before (S51).
	ErrRepeated = errors.New("update seen before")
	// ErrTooLarge: the record is over its cap and was not written (F16).
	ErrTooLarge = errors.New("record too large")
)

// Chat is what is stored about one chat. The zero Chat is an absent one.
type Chat struct {
	Session flows.Session // zero (Schema 0) = absent, expired, damaged or of another schema
	Version Version       // what Commit expects to still be there
	Traces  Traces        // only when asked for
	Seen    bool          // the update that was asked about was committed before
}

// Want says what Read shall give besides the session; all of it in the same
// round trip.
type Want struct {
	Traces bool
	Update string // an update's ID: Chat.Seen tells whether it was committed; "" = do not look
}

// Version is an opaque mark of what was read.
type Version struct {
	Session, Traces uint64
	// Key is the key under which the record was found, when it is not the
	// active one; Commit then moves the chat to the active key (F85).
	Key byte
}

// Traces is what of a conversation stands on a phone and can still be removed
// (S30, S31). Message ids are kept sealed for 48 hours.
type Traces struct {
	Live     int     // the live message, 0 = none
	Messages []Trace // oldest first, at most MaxTraces
}

// MaxTraces bounds the hide list of one chat.
const MaxTraces = 600

// Trace is one message on the phone.
type Trace struct {
	ID int
	At time.Time
}

// Change is one commit: all of it is written, or none.
type Change struct {
	Chat    ChatID
	Version Version

	Session flows.Session
	End     bool      // drop the session instead of writing it
	Until   time.Time // when the session ends by itself; at most 24 h after StartedAt (S37)

	Update string  // seen-mark to set; ErrRepeated when it is there already
	Traces *Traces // replaces the hide list when not nil
	Tidy   time.Time
	// Tidy is when the live message returns to the neutral start (S31), in the
	// language Locale; zero = leave as it is. An earlier due time of the chat is
	// replaced.
	Locale string

	Show *Entry // to be shown; goes to the outbox until Shown acknowledges it
}

// Entry is a screen written but perhaps not yet shown. It names the screen and
// not its words: what is shown is made anew from the session, so an overtaken
// entry shows nothing.
type Entry struct {
	Chat   ChatID
	Screen string   // the session's screen when it was written
	Before []string // message IDs ahead of it
	Toast  string   // message ID
	Help   string   // a card request, when the card is what is to be shown
	Clear  bool     // what can be removed from the phone is still to be removed
	Erase  bool     // and nothing about the chat stays: what else there is goes with this commit
	Locale string   // the language of what stands there afterwards, with Clear
	At     time.Time
}

// EntryID finds an entry again.
type EntryID struct {
	Shard int
	ID    string
}

// Due is a chat whose live message is to be tidied.
type Due struct {
	Chat    ChatID
	Session uint64 // version of the session the time was set for; another version: not due any more
	Locale  string // of the neutral start; the session may have ended before
	At      time.Time
}

// Chats is the store as Handle sees it.
type Chats interface {
	// Read gives what is stored about a chat; absent, expired and damaged
	// records come back as zero, never as an error.
	Read(ctx context.Context, chat ChatID, want Want) (Chat, error)
	// Commit writes a change. Errors: ErrConflict, ErrRepeated, ErrTooLarge, or
	// the store's own. The new version and outbox entry come back.
	Commit(ctx context.Context, c Change) (Version, EntryID, error)
	// Erase removes everything under all pseudonyms of a chat but its seen-marks
	// (S38). Erasing twice is the same as once.
	Erase(ctx context.Context, chat ChatID) error
}

// Outbox is the store as the resender and the tidier see it.
type Outbox interface {
	// Pending gives entries of a shard not yet acknowledged, oldest first.
	Pending(ctx context.Context, shard, most int) ([]EntryID, []Entry, error)
	// Shown acknowledges an entry (none when id is zero) and, when traces is not
	// nil, replaces the chat's hide list; ErrConflict when that changed since v.
	Shown(ctx context.Context, chat ChatID, id EntryID, v Version, traces *Traces) error
	// Due gives chats whose tidy time has passed. Claim takes one of them, so
	// that only one replica does it: false when somebody else did or it changed.
	Due(ctx context.Context, shard, most int, now time.Time) ([]Due, error)
	Claim(ctx context.Context, d Due) (bool, error)
	// Lease makes this process the one that works on name until ttl has passed.
	Lease(ctx context.Context, name string, ttl time.Duration) (bool, error)
}

// Shards is the number of shards every store has (D13).
const Shards = 64
