package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"trygg/bot"
	"trygg/flows"
	"trygg/store"
	"trygg/store/storetest"
)

// world is a store with chats on it, and what the tests do to both.
type world struct {
	store.Store
	*store.Chats
	clock *storetest.Clock
	keys  string
	ring  *store.Ring
}

func newWorld(tb testing.TB, s store.Store, clock *storetest.Clock) *world {
	w := &world{Store: s, clock: clock, keys: storetest.Keys(tb)}
	w.reload(tb)
	return w
}

// reload reads the keys file as a restart does.
func (w *world) reload(tb testing.TB) {
	tb.Helper()
	w.ring = storetest.Ring(tb, w.keys)
	w.Chats = store.NewChats(w.Store, w.ring, w.clock.Now)
}

// rotate makes a new key the active one.
func (w *world) rotate(tb testing.TB) (id byte) {
	tb.Helper()
	id, err := store.AddKey(w.keys)
	if err == nil {
		err = store.ActivateKey(w.keys, id)
	}
	if err != nil {
		tb.Fatal(err)
	}
	w.reload(tb)
	return id
}

// everywhere runs a test on the model, the embedded file and a real Redis.
func everywhere(t *testing.T, run func(*testing.T, *world)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		clock := storetest.NewClock(storetest.Start)
		run(t, newWorld(t, storetest.NewMemory(clock.Now), clock))
	})
	t.Run("embedded", func(t *testing.T) {
		clock := storetest.NewClock(storetest.Start)
		run(t, newWorld(t, openEmbedded(t, filepath.Join(t.TempDir(), "trygg.db"), clock.Now), clock))
	})
	t.Run("redis", func(t *testing.T) {
		clock := storetest.NewClock(storetest.Start)
		run(t, newWorld(t, openRedis(t, storetest.Redis(t).URL(), clock.Now), clock))
	})
}

func session(state string, at time.Time) flows.Session {
	return flows.Session{
		Schema: flows.Schema, Place: flows.Place{Flow: "canaryflow", State: state}, Locale: "nb", Band: "10-12", Tenant: "0301",
		Screen: "canaryscreen", StartedAt: at, UpdatedAt: at,
	}
}

func (w *world) read(tb testing.TB, chat bot.ChatID) bot.Chat {
	tb.Helper()
	c, err := w.Chats.Read(context.Background(), chat, bot.Want{Traces: true})
	if err != nil {
		tb.Fatalf("read: %v", err)
	}
	return c
}

// step commits a session with everything that can come with it.
func (w *world) step(tb testing.TB, chat bot.ChatID, v bot.Version, state, update string) (bot.Version, bot.EntryID) {
	tb.Helper()
	v, id, err := w.Chats.Commit(context.Background(), w.change(chat, v, state, update))
	if err != nil {
		tb.Fatalf("commit %s: %v", state, err)
	}
	return v, id
}

func (w *world) change(chat bot.ChatID, v bot.Version, state, update string) bot.Change {
	now := w.clock.Now()
	return bot.Change{
		Chat: chat, Version: v, Session: session(state, now), Until: now.Add(time.Hour), Update: update,
		Traces: &bot.Traces{Live: 7, Messages: []bot.Trace{{ID: 5, At: now.Add(-time.Minute)}, {ID: 7, At: now}}},
		Tidy:   now.Add(15 * time.Minute), Locale: "so",
		Show: &bot.Entry{Screen: "canaryscreen", Before: []string{"canary.before"}, Toast: "canary.toast", Help: "h.nb....0.", Clear: true, At: now},
	}
}

func equal(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(time.Time.Equal)); d != "" {
		tb.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func (w *world) pending(tb testing.TB, chat bot.ChatID) ([]bot.EntryID, []bot.Entry) {
	tb.Helper()
	ids, entries, err := w.Chats.Pending(context.Background(), w.ring.Shard(chat), 100)
	if err != nil {
		tb.Fatal(err)
	}
	return ids, entries
}

func (w *world) due(tb testing.TB, chat bot.ChatID) []bot.Due {
	tb.Helper()
	d, err := w.Chats.Due(context.Background(), w.ring.Shard(chat), 100, w.clock.Now())
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// left counts the records of each child kind.
func (w *world) left(tb testing.TB) map[string]int {
	tb.Helper()
	n := map[string]int{}
	for _, row := range store.Lifetimes() {
		if !row.Child {
			continue
		}
		for cursor := ""; ; {
			keys, next, err := w.Store.Page(context.Background(), row.Kind, cursor, 100)
			if err != nil {
				tb.Fatal(err)
			}
			for _, k := range keys {
				if row.Shape == store.Value {
					r, err := w.Store.Read(context.Background(), k)
					if err != nil {
						tb.Fatal(err)
					}
					if r[0].Version != 0 {
						n[row.Name]++
					}
					continue
				}
				items, err := w.Store.Queue(context.Background(), k, time.Time{}, 1000)
				if err != nil {
					tb.Fatal(err)
				}
				if len(items) > 0 {
					n[row.Name] += len(items)
				}
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return n
}

func TestChats_whatIsCommittedIsRead(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		equal(t, "an unknown chat", w.read(t, chat), bot.Chat{})
		ch := w.change(chat, bot.Version{}, "menu", "u1")
		v, id, err := w.Chats.Commit(t.Context(), ch)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "chat", w.read(t, chat), bot.Chat{Session: ch.Session, Version: v, Traces: *ch.Traces})
		if v.Session == 0 || v.Session != v.Traces {
			t.Errorf("versions %d and %d, want one for both", v.Session, v.Traces)
		}
		c, err := w.Chats.Read(t.Context(), chat, bot.Want{Update: "u1"})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "without traces, with the mark", c, bot.Chat{Session: ch.Session, Version: bot.Version{Session: v.Session}, Seen: true})
		c, err = w.Chats.Read(t.Context(), chat, bot.Want{Update: "u2", Traces: true})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "with another mark", c, bot.Chat{Session: ch.Session, Version: v, Traces: *ch.Traces})

		ids, entries := w.pending(t, chat)
		want := *ch.Show
		want.Chat = chat
		equal(t, "outbox", entries, []bot.Entry{want})
		equal(t, "entry", ids, []bot.EntryID{id})

		next := w.change(chat, v, "rights", "u2")
		next.Traces, next.Show, next.Tidy = nil, nil, time.Time{}
		v2, id2, err := w.Chats.Commit(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "no entry", id2, bot.EntryID{})
		equal(t, "traces as they were", w.read(t, chat), bot.Chat{Session: next.Session, Version: v2, Traces: *ch.Traces})
		equal(t, "another chat", w.read(t, storetest.Chat(2)), bot.Chat{})
	})
}

func TestChats_conflictsAndRepeats(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		v1, _ := w.step(t, chat, bot.Version{}, "menu", "u1")
		commit := func(v bot.Version, update string) error {
			_, _, err := w.Chats.Commit(t.Context(), w.change(chat, v, "other", update))
			return err
		}
		for name, c := range map[string]struct {
			err, want error
		}{
			"a chat thought to be absent":    {commit(bot.Version{}, "u2"), bot.ErrConflict},
			"another session":                {commit(bot.Version{Session: 1, Traces: v1.Traces}, "u2"), bot.ErrConflict},
			"another hide list":              {commit(bot.Version{Session: v1.Session, Traces: 1}, "u2"), bot.ErrConflict},
			"an update that was handled":     {commit(v1, "u1"), bot.ErrRepeated},
			"... also when the chat went on": {commit(bot.Version{}, "u1"), bot.ErrRepeated},
		} {
			if !errors.Is(c.err, c.want) {
				t.Errorf("%s: got %v, want %v", name, c.err, c.want)
			}
		}
		if got := w.read(t, chat); got.Version != v1 || got.Session.State != "menu" {
			t.Errorf("something was written: %v", got.Session.Place)
		}
		// The screens of the web guard themselves: no update, no mark.
		v2, _ := w.step(t, chat, v1, "a", "")
		w.step(t, chat, v2, "b", "")
		equal(t, "marks", w.left(t)["seen"], 1)
	})
}

func TestChats_ending(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		v, _ := w.step(t, chat, bot.Version{}, "menu", "u1")
		now := w.clock.Now()
		v, _, err := w.Chats.Commit(t.Context(), bot.Change{Chat: chat, Version: v, End: true, Update: "u2", Traces: &bot.Traces{}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "versions", v, bot.Version{})
		equal(t, "chat", w.read(t, chat), bot.Chat{})
		equal(t, "records", w.left(t), map[string]int{"seen": 2, "outbox": 1})

		for name, c := range map[string]struct {
			until, started time.Time
			want           time.Duration // how long it lasts; 0 = it is not there
		}{
			"as asked":                             {now.Add(15 * time.Minute), now, 15 * time.Minute},
			"never more than two hours":            {now.Add(20 * time.Hour), now, 2 * time.Hour},
			"two hours when nothing was asked":     {time.Time{}, now, 2 * time.Hour},
			"never more than a day from its start": {now.Add(time.Hour), now.Add(-24*time.Hour + 10*time.Minute), 10 * time.Minute},
			"not at all when its time has passed":  {now.Add(-time.Second), now, 0},
		} {
			chat := bot.ChatID{Channel: bot.Web, User: name}
			s := session("menu", c.started)
			v, _, err := w.Chats.Commit(t.Context(), bot.Change{Chat: chat, Session: s, Until: c.until})
			if err != nil {
				t.Fatal(err)
			}
			if c.want == 0 {
				equal(t, name, v, bot.Version{})
				equal(t, name, w.read(t, chat), bot.Chat{})
				continue
			}
			// Looked at by a clock of its own, since the cases share the store's.
			late := store.NewChats(w.Store, w.ring, func() time.Time { return now.Add(c.want - time.Millisecond) })
			over := store.NewChats(w.Store, w.ring, func() time.Time { return now.Add(c.want) })
			if got, err := late.Read(t.Context(), chat, bot.Want{}); err != nil || got.Session.Schema == 0 {
				t.Errorf("%s: gone before %v: %v", name, c.want, err)
			}
			if got, err := over.Read(t.Context(), chat, bot.Want{}); err != nil || got.Session.Schema != 0 {
				t.Errorf("%s: there after %v: %v", name, c.want, err)
			}
		}
		equal(t, "damage", w.Damage(), store.Damage{})
	})
}

func TestChats_outbox(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		var v bot.Version
		var ids []bot.EntryID
		for i := range 4 {
			var id bot.EntryID
			v, id = w.step(t, chat, v, fmt.Sprint("state", i), fmt.Sprint("u", i))
			ids = append(ids, id)
			w.clock.Add(time.Second)
		}
		got, _ := w.pending(t, chat)
		equal(t, "oldest first", got, ids)
		if some, _, err := w.Pending(t.Context(), w.ring.Shard(chat), 2); err != nil || len(some) != 2 {
			t.Errorf("asked for 2, got %d: %v", len(some), err)
		}

		// Acknowledged without a hide list, with one, twice.
		for range 2 {
			if err := w.Shown(t.Context(), chat, ids[1], v, nil); err != nil {
				t.Fatal(err)
			}
		}
		list := bot.Traces{Live: 9, Messages: []bot.Trace{{ID: 9, At: w.clock.Now()}}}
		if err := w.Shown(t.Context(), chat, ids[0], v, &list); err != nil {
			t.Fatal(err)
		}
		equal(t, "hide list", w.read(t, chat).Traces, list)
		if err := w.Shown(t.Context(), chat, ids[2], v, &list); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("an old hide list: got %v, want ErrConflict", err)
		}
		got, _ = w.pending(t, chat)
		equal(t, "rest", got, ids[2:])
		if err := w.Shown(t.Context(), chat, bot.EntryID{}, w.read(t, chat).Version, &bot.Traces{}); err != nil {
			t.Fatal(err)
		}
		equal(t, "an emptied hide list", w.read(t, chat).Version.Traces, uint64(0))
		if err := w.Shown(t.Context(), chat, bot.EntryID{}, v, nil); err != nil {
			t.Errorf("nothing at all: %v", err)
		}
		w.clock.Add(24 * time.Hour)
		got, _ = w.pending(t, chat)
		equal(t, "after a day", got, []bot.EntryID{})
	})
}

func TestChats_due(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		v, _ := w.step(t, chat, bot.Version{}, "menu", "u1")
		equal(t, "before its time", w.due(t, chat), []bot.Due{})
		w.clock.Add(10 * time.Minute)
		v, _ = w.step(t, chat, v, "rights", "u2")
		w.clock.Add(14 * time.Minute)
		equal(t, "a press sets the time anew", w.due(t, chat), []bot.Due{})
		w.clock.Add(time.Minute)
		want := bot.Due{Chat: chat, Session: v.Session, Locale: "so", At: w.clock.Now()}
		equal(t, "at its time", w.due(t, chat), []bot.Due{want})

		// Twenty replicas want it: one gets it, and nobody else for a minute.
		var wg sync.WaitGroup
		won := make(chan bool, 20)
		for range 20 {
			wg.Go(func() {
				ok, err := w.Claim(context.Background(), want)
				if err != nil {
					t.Error(err)
				}
				if ok {
					won <- true
				}
			})
		}
		wg.Wait()
		equal(t, "claims won", len(won), 1)
		equal(t, "while it is claimed", w.due(t, chat), []bot.Due{})
		w.clock.Add(time.Minute)
		again := w.due(t, chat)
		if len(again) != 1 || again[0].Session != v.Session {
			t.Fatalf("the claimer died, and nobody else can do it: %v", again)
		}

		// Meanwhile the child pressed a button, on the web side without a time.
		ch := w.change(chat, v, "menu", "u3")
		ch.Tidy = time.Time{}
		v, _, err := w.Chats.Commit(t.Context(), ch)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := w.Claim(t.Context(), again[0]); ok || err != nil {
			t.Errorf("a chat that went on was claimed: %v, %v", ok, err)
		}
		equal(t, "and is off the list", w.left(t)["tidy"], 0)

		// A session that ended by itself still has its screen on the phone.
		v, _ = w.step(t, chat, v, "rights", "u4")
		w.clock.Add(2 * time.Hour)
		gone := w.due(t, chat)
		if len(gone) != 1 {
			t.Fatalf("due: %v", gone)
		}
		if ok, err := w.Claim(t.Context(), gone[0]); !ok || err != nil {
			t.Errorf("a session that ended by itself: %v, %v", ok, err)
		}
		if _, _, err := w.Chats.Commit(t.Context(), bot.Change{Chat: chat, Version: bot.Version{}, End: true}); err != nil {
			t.Fatal(err)
		}
		equal(t, "an end takes it off the list", w.left(t)["tidy"], 0)
		if ok, err := w.Claim(t.Context(), gone[0]); ok || err != nil {
			t.Errorf("what is off the list was claimed: %v, %v", ok, err)
		}
		if ok, err := w.Claim(t.Context(), bot.Due{Chat: chat}); ok || err != nil {
			t.Errorf("the zero Due was claimed: %v, %v", ok, err)
		}
	})
}

func TestF16_sessionOfAMegabyteIsRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		v, _ := w.step(t, chat, bot.Version{}, "menu", "u1")
		for name, size := range map[string]int{"just over": store.MaxRecord - 200, "a megabyte": 1 << 20} {
			ch := w.change(chat, v, "menu", "u2")
			ch.Session.Screen = strings.Repeat("x", size)
			if _, _, err := w.Chats.Commit(t.Context(), ch); !errors.Is(err, bot.ErrTooLarge) {
				t.Errorf("%s: got %v, want ErrTooLarge", name, err)
			}
			ch = w.change(chat, v, "menu", "u2")
			ch.Show.Before = []string{strings.Repeat("x", size)}
			if _, _, err := w.Chats.Commit(t.Context(), ch); !errors.Is(err, bot.ErrTooLarge) {
				t.Errorf("%s, an entry: got %v, want ErrTooLarge", name, err)
			}
		}
		if got := w.read(t, chat); got.Version != v {
			t.Error("something was written")
		}
		full := bot.Traces{Live: 1 << 30}
		for i := range bot.MaxTraces + 50 {
			full.Messages = append(full.Messages, bot.Trace{ID: 1<<30 + i*17, At: w.clock.Now().Add(-time.Duration(bot.MaxTraces+50-i) * time.Minute)})
		}
		ch := w.change(chat, v, "menu", "u2")
		ch.Traces = &full
		if _, _, err := w.Chats.Commit(t.Context(), ch); err != nil {
			t.Fatalf("a full hide list: %v", err)
		}
		equal(t, "the newest stay", w.read(t, chat).Traces.Messages, full.Messages[50:])
	})
}

// A typical session, deep in a conversation, takes a kilobyte at most as it is
// stored: sealed, with version and end.
func TestStoredSessionIsSmall(t *testing.T) {
	clock := storetest.NewClock(storetest.Start)
	w := newWorld(t, storetest.NewMemory(clock.Now), clock)
	chat := storetest.Chat(1)
	s := session("what_happens_if_i_tell", clock.Now().Add(123456789))
	s.UpdatedAt = clock.Now().Add(time.Hour + 987654321)
	s.Area, s.Screen = "gamle-oslo", "01HZXC4D9K"
	for i := range 12 {
		s.Path = append(s.Path, flows.Crumb{Place: flows.Place{Flow: "violence", State: fmt.Sprint("physical_example", i)}, Call: i%4 == 0})
	}
	if _, _, err := w.Chats.Commit(t.Context(), bot.Change{Chat: chat, Session: s}); err != nil {
		t.Fatal(err)
	}
	r, err := w.Store.Read(t.Context(), store.Key{Shard: w.ring.Shard(chat), Kind: store.KindSession, Name: w.ring.Pseudonym(chat, w.ring.Active())})
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := json.Marshal(s)
	if n := len(r[0].Value) + 16; n > 1024 || len(r[0].Value) == 0 {
		t.Errorf("stored session takes %d bytes (%d of JSON), want at most 1024", n, len(plain))
	}
	t.Logf("JSON %d bytes, sealed %d", len(plain), len(r[0].Value))
}

func TestF85_keyRotatedMidSession(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		v, id := w.step(t, chat, bot.Version{}, "menu", "u1")
		before := w.read(t, chat)
		w.rotate(t)

		// The child notices nothing: place, hide list, repeat, outbox, due.
		after := w.read(t, chat)
		equal(t, "session", after.Session, before.Session)
		equal(t, "hide list", after.Traces, before.Traces)
		equal(t, "version", after.Version, bot.Version{Session: v.Session, Traces: v.Traces, Key: 1})
		if _, _, err := w.Chats.Commit(t.Context(), w.change(chat, after.Version, "x", "u1")); !errors.Is(err, bot.ErrRepeated) {
			t.Errorf("repeat: got %v, want ErrRepeated", err)
		}
		if _, _, err := w.Chats.Commit(t.Context(), w.change(chat, bot.Version{}, "x", "u2")); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("a second session beside the old one: got %v, want ErrConflict", err)
		}
		ids, entries := w.pending(t, chat)
		equal(t, "outbox", ids, []bot.EntryID{id})
		equal(t, "outbox", entries[0].Chat, chat)

		// The next commit moves it to the active key.
		v2, id2 := w.step(t, chat, after.Version, "rights", "u2")
		moved := w.read(t, chat)
		equal(t, "version", moved.Version, v2)
		equal(t, "records", w.left(t), map[string]int{"session": 1, "traces": 1, "seen": 2, "outbox": 2, "tidy": 1})
		for _, e := range []bot.EntryID{id, id2} {
			if err := w.Shown(t.Context(), chat, e, moved.Version, nil); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "outbox", w.left(t)["outbox"], 0)

		// A replica that is one step behind, with both keys, does not undo it.
		if err := store.ActivateKey(w.keys, 1); err != nil {
			t.Fatal(err)
		}
		w.reload(t)
		back := w.read(t, chat)
		equal(t, "session", back.Session, moved.Session)
		w.step(t, chat, back.Version, "menu", "u3")
		equal(t, "sessions", w.left(t)["session"], 1)
	})
}

func TestF85_dueUnderAnOlderKey(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		w.step(t, chat, bot.Version{}, "menu", "u1")
		w.rotate(t)
		w.clock.Add(20 * time.Minute)
		due := w.due(t, chat)
		if len(due) != 1 {
			t.Fatalf("due: %v", due)
		}
		for i, want := range []bool{true, false} {
			if ok, err := w.Claim(t.Context(), due[0]); ok != want || err != nil {
				t.Errorf("claim %d: %v, %v", i, ok, err)
			}
		}
		if _, _, err := w.Chats.Commit(t.Context(), bot.Change{Chat: chat, Version: w.read(t, chat).Version, End: true}); err != nil {
			t.Fatal(err)
		}
		equal(t, "records", w.left(t), map[string]int{"traces": 1, "seen": 1, "outbox": 1})
	})
}

func TestF86_activeKeyMissing(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		w.rotate(t)
		w.step(t, chat, bot.Version{}, "menu", "u1")
		// The file from before the rotation comes back.
		if err := store.ActivateKey(w.keys, 1); err != nil {
			t.Fatal(err)
		}
		if err := store.RetireKey(w.keys, 2); err != nil {
			t.Fatal(err)
		}
		w.reload(t)
		s, err := w.Chats.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Unknown != 1 || s.Looked != 1 || !strings.Contains(strings.Join(s.Unsafe, "\n"), "not in the keys file") {
			t.Errorf("status does not say it: %d of %d, %q", s.Unknown, s.Looked, s.Unsafe)
		}
		equal(t, "chat", w.read(t, chat), bot.Chat{})
		w.clock.Add(20 * time.Minute)
		_, entries := w.pending(t, chat)
		equal(t, "outbox", entries, []bot.Entry{})
		equal(t, "due", w.due(t, chat), []bot.Due{})
		equal(t, "damage", w.Damage(), store.Damage{Unknown: 2})
		w.step(t, chat, bot.Version{}, "menu", "u2")
		equal(t, "the chat begins anew", w.read(t, chat).Session.State, "menu")
	})
}

func TestF87_eraseLeavesOnlyMarks(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		// A second chat of the same shard must stay as it is.
		chat, other := storetest.Chat(1), storetest.Chat(2)
		for n := 3; w.ring.Shard(other) != w.ring.Shard(chat); n++ {
			other = storetest.Chat(n)
		}
		w.step(t, chat, bot.Version{}, "menu", "u1")
		stay, _ := w.step(t, other, bot.Version{}, "menu", "u2")

		// Something is left under the old key, and something under the new.
		w.rotate(t)
		w.step(t, chat, w.read(t, chat).Version, "rights", "u3")
		old := w.read(t, other)
		for range 2 {
			if err := w.Erase(t.Context(), chat); err != nil {
				t.Fatal(err)
			}
			equal(t, "chat", w.read(t, chat), bot.Chat{})
			equal(t, "records", w.left(t), map[string]int{"session": 1, "traces": 1, "seen": 3, "outbox": 1, "tidy": 1})
		}
		equal(t, "the other chat", w.read(t, other), old)
		equal(t, "its version", old.Version.Session, stay.Session)
		_, entries := w.pending(t, other)
		equal(t, "its outbox", entries[0].Chat, other)

		// A repeat of an old update is still known.
		if _, _, err := w.Chats.Commit(t.Context(), w.change(chat, bot.Version{}, "menu", "u3")); !errors.Is(err, bot.ErrRepeated) {
			t.Errorf("repeat: got %v, want ErrRepeated", err)
		}
		// A step that was under way when the child erased does not revive it.
		if _, _, err := w.Chats.Commit(t.Context(), w.change(chat, stay, "menu", "u4")); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("a step from before: got %v, want ErrConflict", err)
		}
	})
}

// Where messages stand on a phone their list stays until they are gone; all else
// goes with the commit that ends the chat.
func TestF87_eraseOnAPhone(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat, other := storetest.Chat(1), storetest.Chat(2)
		for n := 3; w.ring.Shard(other) != w.ring.Shard(chat); n++ {
			other = storetest.Chat(n)
		}
		w.step(t, chat, bot.Version{}, "menu", "u1")
		w.step(t, other, bot.Version{}, "menu", "u2")
		w.rotate(t)
		v, _ := w.step(t, chat, w.read(t, chat).Version, "rights", "u3")
		list := w.read(t, chat).Traces
		entry := bot.Entry{Clear: true, Erase: true, Locale: "ar", At: w.clock.Now()}
		v, id, err := w.Chats.Commit(t.Context(), bot.Change{Chat: chat, Version: v, End: true, Update: "u4", Show: &entry})
		if err != nil {
			t.Fatal(err)
		}
		got := w.read(t, chat)
		equal(t, "the session", got.Session, flows.Session{})
		equal(t, "the hide list", got.Traces, list)
		equal(t, "records", w.left(t), map[string]int{"session": 1, "traces": 2, "seen": 4, "outbox": 2, "tidy": 1})
		ids, entries := w.pending(t, chat)
		entry.Chat = chat
		equal(t, "what is to be done", entries[slices.Index(ids, id)], entry)
		if err := w.Shown(t.Context(), chat, id, v, &bot.Traces{}); err != nil {
			t.Fatal(err)
		}
		equal(t, "records in the end", w.left(t), map[string]int{"session": 1, "traces": 1, "seen": 4, "outbox": 1, "tidy": 1})
	})
}

func TestDropChildren(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		for n := range 30 {
			w.step(t, storetest.Chat(n), bot.Version{}, "menu", fmt.Sprint("u", n))
		}
		n, err := w.DropChildren(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "dropped", n, 30*5)
		equal(t, "left", w.left(t), map[string]int{})
		n, err = w.DropChildren(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "dropped again", n, 0)
	})
}

func TestReSeal(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		w.step(t, chat, bot.Version{}, "menu", "u1")
		want := w.read(t, chat).Traces
		key := store.Key{Shard: w.ring.Shard(chat), Kind: store.KindTraces, Name: w.ring.Pseudonym(chat, 1)}
		w.rotate(t)
		for i, n := range []int{1, 0} {
			done, err := w.ReSeal(t.Context(), store.KindTraces)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, fmt.Sprint("sealed anew, pass ", i), done, n)
		}
		r, err := w.Store.Read(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "key", r[0].Value[1], w.ring.Active())
		equal(t, "hide list", w.read(t, chat).Traces, want)
		w.clock.Add(48 * time.Hour)
		equal(t, "its end is as it was", w.read(t, chat).Traces, bot.Traces{})
		if _, err := w.ReSeal(t.Context(), store.KindSeen); !errors.Is(err, store.ErrBatch) {
			t.Errorf("a kind that is not sealed: got %v, want ErrBatch", err)
		}
	})
}

// Old messages cannot be removed from a phone, so they need not be known.
func TestHideListForgetsWhatIsOld(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat, now := storetest.Chat(1), w.clock.Now()
		list := bot.Traces{Live: 3, Messages: []bot.Trace{
			{ID: 1, At: now.Add(-48 * time.Hour)}, {ID: 2, At: now.Add(-47 * time.Hour)}, {ID: -3, At: now.Add(-time.Hour)},
		}}
		ch := w.change(chat, bot.Version{}, "menu", "u1")
		ch.Traces = &list
		if _, _, err := w.Chats.Commit(t.Context(), ch); err != nil {
			t.Fatal(err)
		}
		equal(t, "at once", w.read(t, chat).Traces, bot.Traces{Live: 3, Messages: list.Messages[1:]})
		w.clock.Add(time.Hour)
		equal(t, "after an hour", w.read(t, chat).Traces, bot.Traces{Live: 3, Messages: list.Messages[2:]})
		w.clock.Add(46 * time.Hour)
		equal(t, "after 47 hours", w.read(t, chat).Traces, bot.Traces{})
		equal(t, "and its record", w.left(t)["traces"], 0)
	})
}

func TestRoundTrips(t *testing.T) {
	clock := storetest.NewClock(storetest.Start)
	r := openRedis(t, storetest.Redis(t).URL(), clock.Now)
	w := newWorld(t, r, clock)
	trips := store.CountTrips(r)
	chat := storetest.Chat(1)
	var v bot.Version
	var id bot.EntryID
	for _, c := range []struct {
		name string
		do   func() error
		want int64
	}{
		{"the first commit", func() (err error) {
			v, id, err = w.Chats.Commit(t.Context(), w.change(chat, v, "menu", "u1"))
			return err
		}, 1},
		{"read with everything", func() error {
			_, err := w.Chats.Read(t.Context(), chat, bot.Want{Traces: true, Update: "u1"})
			return err
		}, 1},
		{"commit", func() (err error) {
			v, _, err = w.Chats.Commit(t.Context(), w.change(chat, v, "rights", "u2"))
			return err
		}, 1},
		{"acknowledge", func() error { return w.Shown(t.Context(), chat, id, v, &bot.Traces{Live: 1}) }, 1},
		{"pending", func() error { _, _, err := w.Pending(t.Context(), w.ring.Shard(chat), 10); return err }, 1},
		{"due", func() error { _, err := w.Chats.Due(t.Context(), w.ring.Shard(chat), 10, clock.Now()); return err }, 1},
		{"claim", func() error {
			_, err := w.Claim(t.Context(), bot.Due{Chat: chat, Session: v.Session, At: clock.Now().Add(15 * time.Minute)})
			return err
		}, 1},
		{"lease", func() error { _, err := w.Chats.Lease(t.Context(), "resend", time.Minute); return err }, 1},
		{"erase", func() error { return w.Erase(t.Context(), chat) }, 1},
	} {
		before := trips()
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		equal(t, c.name, trips()-before, c.want)
	}
}
