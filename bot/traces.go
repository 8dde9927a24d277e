package bot

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// Removable is how old a message on a phone may be to still be removed (S30).
const Removable = 48 * time.Hour

// With adds a message to the hide list. Those too old to be removed anyway are
// dropped, and the oldest past the cap; t is left as it was.
func (t Traces) With(id int, at time.Time) Traces {
	t.Messages = slices.DeleteFunc(slices.Clone(t.Messages), func(m Trace) bool { return m.ID == id || at.Sub(m.At) > Removable })
	t.Messages = append(t.Messages, Trace{id, at})
	if n := len(t.Messages) - MaxTraces; n > 0 {
		t.Messages = t.Messages[n:]
	}
	return t
}

// Without takes messages off the hide list.
func (t Traces) Without(ids ...int) Traces {
	t.Messages = slices.DeleteFunc(slices.Clone(t.Messages), func(m Trace) bool { return slices.Contains(ids, m.ID) })
	if slices.Contains(ids, t.Live) {
		t.Live = 0
	}
	return t
}

// Sent is what showing an answer changed on the phone.
type Sent struct {
	Live    int   // the message that is the live one now; 0 = as before
	Added   []int // messages of ours that are new there
	Removed []int // messages that are gone
}

func (s Sent) none() bool { return s.Live == 0 && len(s.Added) == 0 && len(s.Removed) == 0 }

func (s Sent) apply(t Traces, at time.Time) Traces {
	for _, id := range s.Added {
		t = t.With(id, at)
	}
	t = t.Without(s.Removed...)
	if s.Live != 0 {
		t.Live = s.Live
	}
	return t
}

// Shown is told by a channel that an answer has reached the phone. It
// acknowledges the outbox entry and keeps the hide list; for an answer that was
// not committed it also sets the update's mark. While the store is away it is
// kept in memory and tried again (S2), so it never fails.
func (b *Bot) Shown(ctx context.Context, u Update, a Answer, sent Sent) {
	if a.Erased || a.Erases && a.Entry == (EntryID{}) || a.Outcome == Repeated && sent.none() {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), StoreBudget)
	defer done()
	n := note{u: u, entry: a.Entry, marked: a.Entry != EntryID{}, erases: a.Erases, sent: sent}
	n.u.Words = u.Words.Gone()
	if err := b.note(ctx, n, a.Chat); err != nil {
		b.notes.later(n)
	}
}

// note is what is still to be written down about an answer that was shown.
type note struct {
	u      Update // without its words
	entry  EntryID
	marked bool // the update's mark is set already
	erases bool // nothing stays behind, unless a new conversation began (S38)
	sent   Sent
}

// note writes one note. known is the chat as it was last seen, and read again
// when it changed since or its hide list is not at hand.
func (b *Bot) note(ctx context.Context, n note, known Chat) error {
	box, ok := b.chats.(Outbox)
	if !ok {
		return nil
	}
	for try := range conflicts {
		if n.marked && n.sent.none() {
			return box.Shown(ctx, n.u.Chat, n.entry, known.Version, nil)
		}
		if try > 0 || !n.marked || len(known.Traces.Messages) == 0 {
			var err error
			if known, err = b.chats.Read(ctx, n.u.Chat, Want{Traces: true}); err != nil {
				return err
			}
		}
		t := n.sent.apply(known.Traces, n.u.At)
		if n.erases && known.Session.Schema != 0 {
			t.Live = known.Traces.Live
		}
		var err error
		if n.marked {
			err = box.Shown(ctx, n.u.Chat, n.entry, known.Version, &t)
		} else {
			if n.u.Message != 0 {
				t = t.With(n.u.Message, n.u.At)
			}
			// The session stays as it is: a card leaves the place where it was.
			_, _, err = b.chats.Commit(ctx, Change{
				Chat: n.u.Chat, Version: known.Version, Session: known.Session, End: known.Session.Schema == 0,
				Until: ending(n.u.Chat, known.Session, n.u.At), Update: n.u.ID, Traces: &t,
				Tidy: n.u.At.Add(quiet(n.u.Chat, known.Session)), Locale: cmp.Or(known.Session.Locale, n.u.Locale),
			})
		}
		switch {
		case errors.Is(err, ErrRepeated):
			n.marked = true
		case !errors.Is(err, ErrConflict):
			return err
		}
	}
	return ErrConflict
}

// notes are kept in memory only, and only so many.
type notes struct {
	mu   sync.Mutex
	list []note
}

const maxNotes = 4096

func (n *notes) later(x note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.list) < maxNotes {
		n.list = append(n.list, x)
	}
}

// forget drops what is waiting about a chat.
func (n *notes) forget(chat ChatID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = slices.DeleteFunc(n.list, func(x note) bool { return x.u.Chat == chat })
}

// RetryNotes tries once to write down what could not be written, and gives how
// much is still waiting. It is called every few seconds.
func (b *Bot) RetryNotes(ctx context.Context) int {
	b.notes.mu.Lock()
	list := b.notes.list
	b.notes.list = nil
	b.notes.mu.Unlock()
	for _, n := range list {
		one, done := context.WithTimeout(ctx, StoreBudget)
		if err := b.note(one, n, Chat{}); err != nil && b.now().Sub(n.u.At) < Removable {
			b.notes.later(n)
		}
		done()
	}
	b.notes.mu.Lock()
	defer b.notes.mu.Unlock()
	return len(b.notes.list)
}

// RetryErasures tries once to erase what could not be erased, and gives how
// many chats are still waiting. It is called every few seconds.
func (b *Bot) RetryErasures(ctx context.Context) int {
	b.erase.mu.Lock()
	waiting := maps.Clone(b.erase.chats)
	b.erase.mu.Unlock()
	for chat, e := range waiting {
		one, done := context.WithTimeout(ctx, EraseBudget)
		_, _, err := b.forget(one, chat, e.at, e.locale, "")
		done()
		if err == nil || b.now().Sub(e.at) > Removable {
			b.erase.mu.Lock()
			delete(b.erase.chats, chat)
			b.erase.mu.Unlock()
		}
	}
	b.erase.mu.Lock()
	defer b.erase.mu.Unlock()
	return len(b.erase.chats)
}

// erasures are the chats that asked to be erased while the store could not do
// it. They are kept in memory only and tried again until done, or until every
// record of the chat has ended by itself (S37, F8).
type erasures struct {
	mu    sync.Mutex
	chats map[ChatID]erasure
}

type erasure struct {
	at     time.Time // when it was asked for
	locale string
}

const maxErasures = 10_000

func (e *erasures) later(chat ChatID, x erasure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.chats == nil {
		e.chats = map[ChatID]erasure{}
	}
	if len(e.chats) < maxErasures {
		e.chats[chat] = x
	}
}

// forget erases everything about a chat. Where its messages stand on a phone,
// the list of them stays with an outbox entry until they are taken away, so
// that a crash in between leaves none there (S30, S38); the channel shows the
// entry, and Shown drops the list. A conversation that began after it was asked
// for goes on.
func (b *Bot) forget(ctx context.Context, chat ChatID, at time.Time, locale, update string) (Chat, EntryID, error) {
	if chat.Channel != Telegram {
		return Chat{}, EntryID{}, b.chats.Erase(ctx, chat)
	}
	for range conflicts {
		known, err := b.chats.Read(ctx, chat, Want{Traces: true})
		if err != nil {
			return Chat{}, EntryID{}, err
		}
		s := known.Session
		c := Change{
			Chat: chat, Version: known.Version, End: true,
			Update: update, Show: &Entry{Chat: chat, Clear: true, Erase: true, Locale: locale, At: at},
		}
		if s.StartedAt.After(at) {
			c.End, c.Session, c.Until = false, s, ending(chat, s, s.UpdatedAt)
			c.Tidy, c.Locale = c.Until, s.Locale
		}
		v, id, err := b.chats.Commit(ctx, c)
		switch {
		case errors.Is(err, ErrRepeated):
			return Chat{}, EntryID{}, nil // another process does it
		case errors.Is(err, ErrConflict):
			continue
		case err != nil:
			return Chat{}, EntryID{}, err
		}
		return Chat{Version: v, Traces: known.Traces}, id, nil
	}
	return Chat{}, EntryID{}, ErrConflict
}

// Sweep forgets what was typed longer ago than the window; called every minute.
func (b *Bot) Sweep() { b.window.sweep(b.now()) }
