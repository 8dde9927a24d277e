package bot

import (
	"hash/maphash"
	"sync"
	"time"

	"trygg/flows"
	"trygg/flows/card"
)

// window keeps the last two texts of a chat for two minutes, in memory only, so
// that a cry for help split over several messages is still understood (S9,
// F101). It holds a bounded number of chats; the oldest is forgotten first.
type window struct {
	seed maphash.Seed

	mu    sync.Mutex
	chats map[uint64]*heard
	order []uint64 // ring of the chats in the order they came
	next  int
}

type heard struct {
	at    time.Time
	text  [2]string
	level flows.Level // the highest that was understood in this window

	// The card that stands before the child since it typed, so that what is typed
	// next can answer it; nil = none. It holds closed lists only.
	card *card.Request
}

const (
	windowTime  = 2 * time.Minute
	windowChats = 4096
	windowText  = 1000 // bytes kept of each text
)

func newWindow() *window {
	return &window{seed: maphash.MakeSeed(), chats: map[uint64]*heard{}, order: make([]uint64, windowChats)}
}

// understand reads what was typed. Together with what was typed just before it
// may say more than alone, which counts once.
func (w *window) understand(r Reader, chat ChatID, words flows.Words, now time.Time) flows.Understanding {
	u := r.Read(words)
	all, before := w.add(chat, words, now)
	if all.Empty() {
		w.note(chat, u.Level)
		return u
	}
	if more := r.Read(all); more.Level > u.Level && more.Level > before {
		more.Place, more.Area, more.Help = u.Place, u.Area, u.Help
		u = more
	}
	w.note(chat, u.Level)
	return u
}

func (w *window) note(chat ChatID, level flows.Level) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.chats[maphash.Comparable(w.seed, chat)]; h != nil {
		h.level = max(h.level, level)
	}
}

// add notes what was typed. It gives it together with what was typed just
// before, empty when there was nothing, and the level of that.
func (w *window) add(chat ChatID, words flows.Words, now time.Time) (all flows.Words, before flows.Level) {
	text := words.Read()
	key := maphash.Comparable(w.seed, chat)
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.chats[key]
	if h == nil {
		delete(w.chats, w.order[w.next])
		w.order[w.next] = key
		w.next = (w.next + 1) % len(w.order)
		h = &heard{}
		w.chats[key] = h
	}
	if now.Sub(h.at) > windowTime || now.Before(h.at) {
		h.text, h.level, h.card = [2]string{}, flows.None, nil
	}
	joined := text
	for _, t := range h.text {
		if t != "" {
			joined = t + " " + joined
		}
	}
	if h.text[0] != "" {
		all = flows.NewWords(joined)
	}
	h.text[1], h.text[0], h.at = h.text[0], text[:min(len(text), windowText)], now
	return all, h.level
}

// show notes the card that an answer to typed words puts before the child; nil:
// something else was pressed since.
func (w *window) show(chat ChatID, r *card.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.chats[maphash.Comparable(w.seed, chat)]; h != nil {
		h.card = r
	}
}

// shown gives the card that stands before the child; nil = none.
func (w *window) shown(chat ChatID) *card.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.chats[maphash.Comparable(w.seed, chat)]; h != nil {
		return h.card
	}
	return nil
}

// forget drops what was typed in a chat.
func (w *window) forget(chat ChatID) {
	w.mu.Lock()
	delete(w.chats, maphash.Comparable(w.seed, chat))
	w.mu.Unlock()
}

// sweep forgets what is older than the window; called now and then.
func (w *window) sweep(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k, h := range w.chats {
		if now.Sub(h.at) > windowTime {
			delete(w.chats, k)
		}
	}
}
