// Package bottest has what tests of the bot and of its channels need: a store
// in memory that can be broken in the ways a real one breaks.
package bottest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"
	"time"

	"trygg/bot"
)

// ErrAway is what a broken store answers.
var ErrAway = errors.New("store away")

// Memory fulfils bot.Chats and bot.Outbox. The zero value works.
type Memory struct {
	// Now is the clock; nil = time.Now.
	Now func() time.Time

	mu     sync.Mutex
	chats  map[bot.ChatID]*record
	seen   map[string]bool
	outbox [bot.Shards][]pending
	leases map[string]time.Time
	ids    int

	// What is wrong with it.
	reads, writes, erases error
	hang                  chan struct{}

	// Counts of what was asked, for tests of cost.
	Reads, Commits int
}

type record struct {
	chat   bot.Chat
	tidy   time.Time
	locale string // of what is tidied
	end    time.Time
}

type pending struct {
	id    string
	entry bot.Entry
}

var (
	_ bot.Chats  = (*Memory)(nil)
	_ bot.Outbox = (*Memory)(nil)
)

// Break lets reads and writes fail from now on; nil mends them.
func (m *Memory) Break(reads, writes, erases error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads, m.writes, m.erases = reads, writes, erases
}

// Hang lets every call wait until its context ends; the function it gives back
// mends it.
func (m *Memory) Hang() (mend func()) {
	c := make(chan struct{})
	m.mu.Lock()
	m.hang = c
	m.mu.Unlock()
	return func() {
		m.mu.Lock()
		m.hang = nil
		m.mu.Unlock()
		close(c)
	}
}

func (m *Memory) wait(ctx context.Context) error {
	m.mu.Lock()
	c := m.hang
	m.mu.Unlock()
	if c == nil {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c:
		return nil
	}
}

func (m *Memory) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

// Read implements bot.Chats.
func (m *Memory) Read(ctx context.Context, chat bot.ChatID, want bot.Want) (bot.Chat, error) {
	if err := m.wait(ctx); err != nil {
		return bot.Chat{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Reads++
	if m.reads != nil {
		return bot.Chat{}, m.reads
	}
	var c bot.Chat
	if r := m.chats[chat]; r != nil {
		c = r.chat
		if !r.end.After(m.now()) {
			c.Session, c.Version.Session = bot.Chat{}.Session, 0
		}
	}
	if !want.Traces {
		c.Traces, c.Version.Traces = bot.Traces{}, 0
	}
	c.Seen = want.Update != "" && m.seen[mark(chat, want.Update)]
	return c, nil
}

func mark(c bot.ChatID, update string) string { return c.Channel + "|" + c.Bot + "|" + update }

// Commit implements bot.Chats.
func (m *Memory) Commit(ctx context.Context, c bot.Change) (bot.Version, bot.EntryID, error) {
	if err := m.wait(ctx); err != nil {
		return bot.Version{}, bot.EntryID{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Commits++
	if m.writes != nil {
		return bot.Version{}, bot.EntryID{}, m.writes
	}
	if m.chats == nil {
		m.chats, m.seen = map[bot.ChatID]*record{}, map[string]bool{}
	}
	if c.Update != "" && m.seen[mark(c.Chat, c.Update)] {
		return bot.Version{}, bot.EntryID{}, bot.ErrRepeated
	}
	r := m.chats[c.Chat]
	if r == nil {
		r = &record{}
	}
	now := r.chat.Version
	if !r.end.After(m.now()) {
		now.Session = 0
	}
	if now.Session != c.Version.Session || c.Traces != nil && r.chat.Version.Traces != c.Version.Traces {
		return bot.Version{}, bot.EntryID{}, bot.ErrConflict
	}
	m.chats[c.Chat] = r
	m.ids++
	if c.End {
		r.chat.Session, r.chat.Version.Session, r.end = bot.Chat{}.Session, 0, time.Time{}
	} else {
		r.chat.Session, r.chat.Version.Session, r.end = c.Session, uint64(m.ids), c.Until
	}
	if c.Traces != nil {
		r.chat.Traces, r.chat.Version.Traces = *c.Traces, uint64(m.ids)
	}
	if !c.Tidy.IsZero() || c.End {
		r.tidy, r.locale = c.Tidy, c.Locale
	}
	if c.Update != "" {
		m.seen[mark(c.Chat, c.Update)] = true
	}
	var id bot.EntryID
	if c.Show != nil && c.Show.Erase {
		m.drop(c.Chat)
	}
	if c.Show != nil {
		id = bot.EntryID{Shard: shard(c.Chat), ID: strconv.Itoa(m.ids)}
		m.outbox[id.Shard] = append(m.outbox[id.Shard], pending{id.ID, *c.Show})
	}
	v := r.chat.Version
	return v, id, nil
}

func shard(c bot.ChatID) int {
	h := fnv.New32a()
	h.Write([]byte(c.Channel + c.Bot + c.User))
	return int(h.Sum32() % bot.Shards)
}

// Erase implements bot.Chats.
func (m *Memory) Erase(ctx context.Context, chat bot.ChatID) error {
	if err := m.wait(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.erases != nil {
		return m.erases
	}
	delete(m.chats, chat)
	m.drop(chat)
	return nil
}

func (m *Memory) drop(chat bot.ChatID) {
	s := shard(chat)
	m.outbox[s] = slices.DeleteFunc(m.outbox[s], func(p pending) bool { return p.entry.Chat == chat })
}

// Pending implements bot.Outbox.
func (m *Memory) Pending(ctx context.Context, shard, most int) ([]bot.EntryID, []bot.Entry, error) {
	if err := m.wait(ctx); err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []bot.EntryID
	var es []bot.Entry
	for _, p := range m.outbox[shard][:min(most, len(m.outbox[shard]))] {
		ids, es = append(ids, bot.EntryID{Shard: shard, ID: p.id}), append(es, p.entry)
	}
	return ids, es, m.reads
}

// Shown implements bot.Outbox.
func (m *Memory) Shown(ctx context.Context, chat bot.ChatID, id bot.EntryID, v bot.Version, traces *bot.Traces) error {
	if err := m.wait(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes != nil {
		return m.writes
	}
	if traces != nil {
		r := m.chats[chat]
		if r == nil {
			if m.chats == nil {
				m.chats, m.seen = map[bot.ChatID]*record{}, map[string]bool{}
			}
			r = &record{}
			m.chats[chat] = r
		}
		if r.chat.Version.Traces != v.Traces {
			return bot.ErrConflict
		}
		m.ids++
		r.chat.Traces, r.chat.Version.Traces = *traces, uint64(m.ids)
	}
	for i, p := range m.outbox[id.Shard] {
		if p.id == id.ID {
			m.outbox[id.Shard] = append(m.outbox[id.Shard][:i:i], m.outbox[id.Shard][i+1:]...)
			break
		}
	}
	return nil
}

// Due implements bot.Outbox.
func (m *Memory) Due(ctx context.Context, sh, most int, now time.Time) ([]bot.Due, error) {
	if err := m.wait(ctx); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var ds []bot.Due
	for c, r := range m.chats {
		if shard(c) == sh && !r.tidy.IsZero() && !r.tidy.After(now) && len(ds) < most {
			ds = append(ds, bot.Due{Chat: c, Session: r.chat.Version.Session, Locale: r.locale, At: r.tidy})
		}
	}
	return ds, m.reads
}

// Claim implements bot.Outbox.
func (m *Memory) Claim(ctx context.Context, d bot.Due) (bool, error) {
	if err := m.wait(ctx); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.writes != nil {
		return false, m.writes
	}
	r := m.chats[d.Chat]
	if r == nil || !r.tidy.Equal(d.At) || r.chat.Version.Session != d.Session {
		return false, nil
	}
	r.tidy = time.Time{}
	r.chat.Session, r.chat.Version.Session, r.end = bot.Chat{}.Session, 0, time.Time{}
	return true, nil
}

// Lease implements bot.Outbox.
func (m *Memory) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	if err := m.wait(ctx); err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leases == nil {
		m.leases = map[string]time.Time{}
	}
	m.leases[name] = m.now().Add(ttl)
	return true, m.writes
}

// String keeps a Memory from being printed with what is in it.
func (m *Memory) String() string { return fmt.Sprintf("memory of %d chats", len(m.chats)) }
