package store

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"trygg/bot"
	"trygg/flows"
)

// MaxRecord is the largest sealed record of a chat, in bytes (F16).
const MaxRecord = 8 << 10

// claimed is how long a claimed chat is not due for anybody else. Should the
// claimer die, another one does it after that.
const claimed = time.Minute

// Chats keeps what is stored about chats, on any Store (D13). It implements
// bot.Chats and bot.Outbox.
//
// A chat has a session and a list of messages to hide, each a record under its
// pseudonym, at most one entry in its shard's list of chats to tidy, and entries
// in its shard's outbox while replies are not shown. Reading is one round trip
// and a commit another. Records are looked for under all keys of the ring and
// written under the active one. What cannot be opened counts as absent: a child
// meets the start, never an error (S36, F11-F15).
type Chats struct {
	store Store
	ring  *Ring
	now   func() time.Time

	damaged, unknown atomic.Uint64
}

// NewChats keeps chats in a store, sealed with the keys of a ring. The clock
// must be the store's; nil is time.Now.
func NewChats(s Store, r *Ring, now func() time.Time) *Chats {
	if now == nil {
		now = time.Now
	}
	return &Chats{store: s, ring: r, now: now}
}

// Damage counts records that were treated as absent since the start.
type Damage struct {
	Damaged uint64 // broken, copied to a wrong place, or of another schema (F11-F15)
	Unknown uint64 // sealed with a key that is not in the ring (F86)
}

// Damage gives the counts, for metrics and the alarm.
func (c *Chats) Damage() Damage { return Damage{c.damaged.Load(), c.unknown.Load()} }

// open opens a sealed value and counts what cannot be opened.
func (c *Chats) open(b Bind, now time.Time, sealed []byte) ([]byte, bool) {
	content, _, err := c.ring.Open(b, now, sealed)
	switch {
	case err == nil:
		return content, true
	case errors.Is(err, ErrNoKey):
		c.unknown.Add(1)
	case !errors.Is(err, ErrEnded):
		c.damaged.Add(1)
	}
	return nil, false
}

// seal seals a value and holds it to the cap.
func (c *Chats) seal(b Bind, until time.Time, content []byte) ([]byte, error) {
	if len(content) > MaxRecord {
		return nil, bot.ErrTooLarge
	}
	sealed, err := c.ring.Seal(b, until, content)
	if err == nil && len(sealed) > MaxRecord {
		return nil, bot.ErrTooLarge
	}
	return sealed, err
}

// The versions of the forms below. That of a session is flows.Schema.
const (
	tracesSchema = 1
	entrySchema  = 1
	tidySchema   = 1
)

// Where a chat's records stand: under the active key first.
type where struct {
	shard int
	names []string
}

func (c *Chats) where(chat bot.ChatID) where {
	return where{c.ring.Shard(chat), c.ring.pseudonyms(chat)}
}

func (w where) sessions() []Key { return w.keys(sessionKey) }
func (w where) traces() []Key   { return w.keys(tracesKey) }

func (w where) keys(key func(int, string) Key) []Key {
	keys := make([]Key, len(w.names), 2*len(w.names))
	for i, n := range w.names {
		keys[i] = key(w.shard, n)
	}
	return keys
}

// Read reads a chat in one round trip.
func (c *Chats) Read(ctx context.Context, chat bot.ChatID, want bot.Want) (bot.Chat, error) {
	w, now := c.where(chat), c.now()
	n := len(w.names)
	keys := w.sessions()
	if want.Traces {
		keys = append(keys, w.traces()...)
	}
	if want.Update != "" {
		keys = append(keys, seenKey(w.shard, c.ring.mark(chat, want.Update)))
	}
	records, err := c.store.Read(ctx, keys...)
	if err != nil {
		return bot.Chat{}, fmt.Errorf("read chat: %w", err)
	}
	var out bot.Chat
	if want.Update != "" {
		out.Seen = records[len(records)-1].Version != 0
	}
	var at int
	at, out.Version.Session = c.pick(w.names, records[:n], func(name string, r Record) bool {
		text, ok := c.open(Bind{KindSession, flows.Schema, name}, now, r.Value)
		if !ok {
			return false
		}
		var s flows.Session
		if err := json.Unmarshal(text, &s); err != nil || s.Schema != flows.Schema {
			c.damaged.Add(1)
			return false
		}
		out.Session = s
		return true
	})
	if at > 0 {
		out.Version.Key = c.ring.keys[at].id
	}
	if want.Traces {
		at, out.Version.Traces = c.pick(w.names, records[n:2*n], func(name string, r Record) bool {
			raw, ok := c.open(Bind{KindTraces, tracesSchema, name}, now, r.Value)
			if !ok {
				return false
			}
			t, err := parseTraces(raw, now)
			if err != nil {
				c.damaged.Add(1)
				return false
			}
			out.Traces = t
			return true
		})
		if at > 0 && out.Version.Key == 0 && out.Version.Session == 0 {
			out.Version.Key = c.ring.keys[at].id
		}
	}
	return out, nil
}

// pick takes the first record that can be used, and tells where it stood and
// its version. When none can, it is the version of one that is there all the
// same, so that Commit writes over it.
func (c *Chats) pick(names []string, records []Record, use func(string, Record) bool) (at int, version uint64) {
	for i, r := range records {
		if r.Version == 0 {
			continue
		}
		if use(names[i], r) {
			return i, r.Version
		}
		if version == 0 {
			at, version = i, r.Version
		}
	}
	return at, version
}

// sessionEnd is when a session ends: as asked, but not later than two hours
// from now and a day from its start (S37).
func sessionEnd(asked, started, now time.Time) time.Time {
	row := KindSession.Row()
	end := now.Add(row.Life)
	if !asked.IsZero() && asked.Before(end) {
		end = asked
	}
	if last := started.Add(row.Total); !started.IsZero() && last.Before(end) {
		end = last
	}
	return end
}

// Commit writes a change in one round trip: all of it, or none.
func (c *Chats) Commit(ctx context.Context, ch bot.Change) (bot.Version, bot.EntryID, error) {
	none := func(err error) (bot.Version, bot.EntryID, error) { return bot.Version{}, bot.EntryID{}, err }
	w, now := c.where(ch.Chat), c.now()
	b := NewBatch(w.shard, now)
	v := bot.Version{Traces: ch.Version.Traces}

	// The mark is looked at first: a repeat of an update that was handled is a
	// repeat, also when the chat went on since (S51).
	mark := -1
	if ch.Update != "" {
		k := seenKey(w.shard, c.ring.mark(ch.Chat, ch.Update))
		mark = b.Expect(0, k)
		b.Put(k, nil, now.Add(KindSeen.Row().Life))
	}

	sessions := w.sessions()
	b.Expect(ch.Version.Session, sessions[0], sessions[1:]...)
	end := sessionEnd(ch.Until, ch.Session.StartedAt, now)
	if ch.End || !end.After(now) {
		b.Delete(sessions[0])
	} else {
		text, err := json.Marshal(ch.Session)
		if err != nil {
			return none(fmt.Errorf("commit chat: %w", err))
		}
		sealed, err := c.seal(Bind{KindSession, flows.Schema, w.names[0]}, end, text)
		if err != nil {
			return none(fmt.Errorf("commit chat: %w", err))
		}
		b.Put(sessions[0], sealed, end)
		v.Session = b.Stamp
	}
	for _, k := range sessions[1:] {
		b.Delete(k)
	}

	if ch.Traces != nil {
		put, err := c.putTraces(b, w, ch.Version.Traces, *ch.Traces)
		if err != nil {
			return none(fmt.Errorf("commit chat: %w", err))
		}
		v.Traces = 0
		if put {
			v.Traces = b.Stamp
		}
	}

	tidy := tidyKey(w.shard)
	if !ch.Tidy.IsZero() || ch.End {
		for _, id := range w.names {
			b.Acknowledge(tidy, id)
		}
	}
	if !ch.Tidy.IsZero() {
		until := now.Add(KindTidy.Row().Life)
		raw, err := json.Marshal(tidyText{chatOf(ch.Chat), b.Stamp, ch.Locale})
		if err != nil {
			return none(fmt.Errorf("commit chat: %w", err))
		}
		sealed, err := c.seal(Bind{KindTidy, tidySchema, w.names[0]}, until, raw)
		if err != nil {
			return none(fmt.Errorf("commit chat: %w", err))
		}
		b.SetDue(tidy, w.names[0], ch.Tidy, sealed, until)
	}

	var entry bot.EntryID
	if ch.Show != nil {
		e := *ch.Show
		e.Chat = ch.Chat
		if e.At.IsZero() {
			e.At = now
		}
		id := string(binary.BigEndian.AppendUint64([]byte(w.names[0]), b.Stamp))
		until := now.Add(KindOutbox.Row().Life)
		raw, err := json.Marshal(entryText{chatOf(e.Chat), e.Screen, e.Before, e.Toast, e.Help, e.Clear, e.Erase, e.Locale, e.At})
		if err != nil {
			return none(fmt.Errorf("commit chat: %w", err))
		}
		sealed, err := c.seal(Bind{KindOutbox, entrySchema, id}, until, raw)
		if err != nil {
			return none(fmt.Errorf("commit chat: %w", err))
		}
		if e.Erase {
			w.dropUnshown(b)
		}
		b.Append(outboxKey(w.shard), id, sealed, until)
		entry = entryID(w.shard, id)
	}

	err := c.store.Commit(ctx, b)
	if conflict := (*ConflictError)(nil); errors.As(err, &conflict) {
		if mark >= 0 && conflict.Op == mark {
			return none(bot.ErrRepeated)
		}
		return none(bot.ErrConflict)
	} else if err != nil {
		return none(fmt.Errorf("commit chat: %w", err))
	}
	return v, entry, nil
}

// putTraces adds the replacing of a hide list to a batch. It tells whether a
// list is there afterwards.
func (c *Chats) putTraces(b *Batch, w where, version uint64, t bot.Traces) (bool, error) {
	keys := w.traces()
	b.Expect(version, keys[0], keys[1:]...)
	for _, k := range keys[1:] {
		b.Delete(k)
	}
	raw, until := formatTraces(t, b.Now)
	if !until.After(b.Now) {
		b.Delete(keys[0])
		return false, nil
	}
	sealed, err := c.seal(Bind{KindTraces, tracesSchema, w.names[0]}, until, raw)
	if err != nil {
		return false, err
	}
	b.Put(keys[0], sealed, until)
	return true, nil
}

// Erase removes everything about a chat but its seen-marks, in one batch, so
// that it is gone or the caller knows that it is not (S38, F87).
func (c *Chats) Erase(ctx context.Context, chat bot.ChatID) error {
	w := c.where(chat)
	b := NewBatch(w.shard, c.now())
	for _, k := range append(w.sessions(), w.traces()...) {
		b.Delete(k)
	}
	for _, n := range w.names {
		b.Acknowledge(tidyKey(w.shard), n)
	}
	w.dropUnshown(b)
	if err := c.store.Commit(ctx, b); err != nil {
		return fmt.Errorf("erase chat: %w", err)
	}
	return nil
}

// dropUnshown removes a chat's answers that were not shown yet.
func (w where) dropUnshown(b *Batch) {
	for _, n := range w.names {
		b.Drop(outboxKey(w.shard), n)
	}
}

// chatText is a chat's raw id as it is sealed in outbox and due list: the two
// places that must reach the chat without having heard from it.
type chatText struct {
	Channel string `json:"c"`
	Bot     string `json:"b,omitempty"`
	User    string `json:"u"`
}

func chatOf(c bot.ChatID) chatText  { return chatText{c.Channel, c.Bot, c.User} }
func (t chatText) chat() bot.ChatID { return bot.ChatID{Channel: t.Channel, Bot: t.Bot, User: t.User} }

type entryText struct {
	Chat   chatText  `json:"i"`
	Screen string    `json:"n,omitempty"`
	Before []string  `json:"b,omitempty"`
	Toast  string    `json:"t,omitempty"`
	Help   string    `json:"h,omitempty"`
	Clear  bool      `json:"x,omitempty"`
	Erase  bool      `json:"e,omitempty"`
	Locale string    `json:"l,omitempty"`
	At     time.Time `json:"a"`
}

type tidyText struct {
	Chat    chatText `json:"i"`
	Session uint64   `json:"v"`
	Locale  string   `json:"l,omitempty"`
}

// entryID is the ID of an outbox entry for the world outside; within it is the
// chat's pseudonym and the stamp of its commit.
func entryID(shard int, id string) bot.EntryID {
	return bot.EntryID{Shard: shard, ID: base64.RawURLEncoding.EncodeToString([]byte(id))}
}

// Pending gives entries of a shard's outbox, oldest first.
func (c *Chats) Pending(ctx context.Context, shard, most int) ([]bot.EntryID, []bot.Entry, error) {
	var ids []bot.EntryID
	var out []bot.Entry
	err := c.queue(ctx, outboxKey(shard), entrySchema, time.Time{}, most, func(it Item, text []byte) bool {
		var e entryText
		if json.Unmarshal(text, &e) != nil {
			return false
		}
		ids = append(ids, entryID(shard, it.ID))
		out = append(out, bot.Entry{Chat: e.Chat.chat(), Screen: e.Screen, Before: e.Before, Toast: e.Toast, Help: e.Help, Clear: e.Clear, Erase: e.Erase, Locale: e.Locale, At: e.At})
		return true
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read outbox: %w", err)
	}
	return ids, out, nil
}

// queue reads sealed entries and removes those that nobody will ever open.
func (c *Chats) queue(ctx context.Context, q Key, schema byte, by time.Time, most int, use func(Item, []byte) bool) error {
	items, err := c.store.Queue(ctx, q, by, most)
	if err != nil {
		return err
	}
	now := c.now()
	b := NewBatch(q.Shard, now)
	for _, it := range items {
		text, ok := c.open(Bind{q.Kind, schema, it.ID}, now, it.Value)
		if ok && !use(it, text) {
			c.damaged.Add(1)
			ok = false
		}
		if !ok {
			b.Acknowledge(q, it.ID)
		}
	}
	if len(b.Ops) > 0 {
		// When it fails they are still there next time.
		_ = c.store.Commit(ctx, b)
	}
	return nil
}

// Shown acknowledges an entry, and replaces the hide list when traces is not
// nil. Without an entry only the list is replaced.
func (c *Chats) Shown(ctx context.Context, chat bot.ChatID, id bot.EntryID, v bot.Version, traces *bot.Traces) error {
	w := c.where(chat)
	b := NewBatch(w.shard, c.now())
	if traces != nil {
		if _, err := c.putTraces(b, w, v.Traces, *traces); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	if id.ID != "" {
		raw, err := base64.RawURLEncoding.DecodeString(id.ID)
		if err != nil || id.Shard != w.shard || len(raw) == 0 {
			return fmt.Errorf("acknowledge: %w: not an entry of this chat", ErrBatch)
		}
		b.Acknowledge(outboxKey(w.shard), string(raw))
	}
	if len(b.Ops) == 0 {
		return nil
	}
	err := c.store.Commit(ctx, b)
	if errors.Is(err, ErrConflict) {
		return bot.ErrConflict
	} else if err != nil {
		return fmt.Errorf("acknowledge: %w", err)
	}
	return nil
}

// Due gives chats of a shard whose tidy time has passed, the earliest first.
func (c *Chats) Due(ctx context.Context, shard, most int, now time.Time) ([]bot.Due, error) {
	var out []bot.Due
	err := c.queue(ctx, tidyKey(shard), tidySchema, now, most, func(it Item, text []byte) bool {
		var t tidyText
		if json.Unmarshal(text, &t) != nil || t.Session == 0 {
			return false
		}
		out = append(out, bot.Due{Chat: t.Chat.chat(), Session: t.Session, Locale: t.Locale, At: it.At})
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("read due list: %w", err)
	}
	return out, nil
}

// Claim takes a due chat for a minute. The chat leaves the list when a commit
// ends its session or sets another time; should the claimer die before that, it
// is due again. A session that ended by itself is still to be tidied; one that
// went on is not, and its entry is removed.
func (c *Chats) Claim(ctx context.Context, d bot.Due) (bool, error) {
	if d.Session == 0 {
		return false, nil
	}
	w, now := c.where(d.Chat), c.now()
	q, sessions := tidyKey(w.shard), w.sessions()
	for _, id := range w.names {
		b := NewBatch(w.shard, now)
		here := b.ExpectDue(q, id, d.At)
		b.ExpectGone(d.Session, sessions[0], sessions[1:]...)
		b.Postpone(q, id, now.Add(claimed))
		err := c.store.Commit(ctx, b)
		if err == nil {
			return true, nil
		}
		conflict := (*ConflictError)(nil)
		if !errors.As(err, &conflict) {
			return false, fmt.Errorf("claim: %w", err)
		}
		if conflict.Op == here {
			continue // set under an older key, or not due any more
		}
		b = NewBatch(w.shard, now)
		b.ExpectDue(q, id, d.At)
		b.Acknowledge(q, id)
		if err := c.store.Commit(ctx, b); err != nil && !errors.Is(err, ErrConflict) {
			return false, fmt.Errorf("claim: %w", err)
		}
		return false, nil
	}
	return false, nil
}

// Lease makes this process the one that works on name until ttl has passed; ttl
// 0 gives it up.
func (c *Chats) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	ok, err := c.store.Lease(ctx, name, ttl)
	if err != nil {
		return false, fmt.Errorf("lease: %w", err)
	}
	return ok, nil
}

// Status is the store's, with what Chats knows: damaged records, and how many of
// the first sessions found were sealed with keys that are not in the ring.
func (c *Chats) Status(ctx context.Context) (Status, error) {
	s, err := c.store.Status(ctx)
	if err != nil {
		return s, err
	}
	s.Damage = c.Damage()
	for cursor := ""; ; {
		keys, next, err := c.store.Page(ctx, KindSession, cursor, 100)
		if err != nil {
			return s, err
		}
		for _, k := range keys {
			r, err := c.store.Read(ctx, k)
			if err != nil {
				return s, err
			}
			if len(r[0].Value) < sealHead {
				continue
			}
			s.Looked++
			if _, ok := c.ring.sealer[r[0].Value[1]]; !ok {
				s.Unknown++
			}
		}
		if cursor = next; cursor == "" || s.Looked >= 200 {
			break
		}
	}
	if s.Unknown > 0 {
		s.Unsafe = append(s.Unsafe, fmt.Sprintf("%d of %d sessions looked at are sealed with a key that is not in the keys file: for those children everything begins anew.", s.Unknown, s.Looked))
	}
	return s, nil
}

// DropChildren removes every record about a child, after a restore of the whole
// store by other means (S39). It gives the number of records removed; running
// it again is harmless.
func (c *Chats) DropChildren(ctx context.Context) (int, error) {
	dropped := 0
	for shard := range bot.Shards {
		for _, q := range []Key{outboxKey(shard), tidyKey(shard)} {
			items, err := c.store.Queue(ctx, q, time.Time{}, 1<<20)
			if err != nil {
				return dropped, fmt.Errorf("drop children: %w", err)
			}
			b := NewBatch(shard, c.now())
			b.Delete(q)
			if err := c.store.Commit(ctx, b); err != nil {
				return dropped, fmt.Errorf("drop children: %w", err)
			}
			dropped += len(items)
		}
	}
	for _, row := range table {
		if !row.Child || row.Shape == Queue {
			continue
		}
		err := c.each(ctx, row.Kind, func(shard int, keys []Key) error {
			b := NewBatch(shard, c.now())
			for _, k := range keys {
				b.Delete(k)
			}
			dropped += len(keys)
			return c.store.Commit(ctx, b)
		})
		if err != nil {
			return dropped, fmt.Errorf("drop children: %w", err)
		}
	}
	return dropped, nil
}

// each pages through a kind and gives the keys shard by shard.
func (c *Chats) each(ctx context.Context, kind Kind, do func(shard int, keys []Key) error) error {
	for cursor := ""; ; {
		keys, next, err := c.store.Page(ctx, kind, cursor, 500)
		if err != nil {
			return err
		}
		shards := map[int][]Key{}
		for _, k := range keys {
			shards[k.Shard] = append(shards[k.Shard], k)
		}
		for shard, keys := range shards {
			if err := do(shard, keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}

// schemaOf is the version of a kind's form as it is written now.
func schemaOf(k Kind) byte {
	switch k {
	case KindSession:
		return flows.Schema
	case KindTraces:
		return tracesSchema
	}
	return 1
}

// ReSeal seals values that are under an older key anew with the active one, so
// that the older key can retire (S36). It does the long-lived kinds of the
// table, or those named. Their ends stay as they are; what changes meanwhile is
// left to its writer. It gives the number of values sealed anew.
//
// Records that stand under a pseudonym keep their name, which still needs the
// older key to be found: they are better left to end by themselves.
func (c *Chats) ReSeal(ctx context.Context, kinds ...Kind) (int, error) {
	if len(kinds) == 0 {
		for _, row := range table {
			if row.ReSeal {
				kinds = append(kinds, row.Kind)
			}
		}
	}
	done := 0
	for _, kind := range kinds {
		if row := kind.Row(); row.Shape != Value || !row.Sealed {
			return done, fmt.Errorf("seal anew: %w: %s holds no sealed values", ErrBatch, kind)
		}
		err := c.each(ctx, kind, func(shard int, keys []Key) error {
			records, err := c.store.Read(ctx, keys...)
			if err != nil {
				return err
			}
			for i, r := range records {
				if len(r.Value) < sealHead || r.Value[1] == c.ring.active {
					continue
				}
				bind, now := Bind{kind, schemaOf(kind), keys[i].Name}, c.now()
				content, until, err := c.ring.Open(bind, now, r.Value)
				if err != nil {
					continue // absent
				}
				sealed, err := c.ring.Seal(bind, until, content)
				if err != nil {
					return err
				}
				b := NewBatch(shard, now)
				b.Expect(r.Version, keys[i])
				b.Put(keys[i], sealed, until)
				if err := c.store.Commit(ctx, b); errors.Is(err, ErrConflict) {
					continue
				} else if err != nil {
					return err
				}
				done++
			}
			return nil
		})
		if err != nil {
			return done, fmt.Errorf("seal anew: %w", err)
		}
	}
	return done, nil
}
