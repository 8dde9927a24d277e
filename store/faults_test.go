package store_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"trygg/bot"
	"trygg/flows"
	"trygg/store"
	"trygg/store/storetest"
)

// These are the fault cases of the safety sheet as far as the store alone shows
// them: on a real Redis, with the time bot gives to one update.

const budget = 300 * time.Millisecond

// faulty is a real server with a breaker and chats before it.
type faulty struct {
	*world
	server  *storetest.Server
	redis   *store.Redis
	breaker *store.Breaker
}

func newFaulty(t *testing.T, options ...storetest.Option) *faulty {
	t.Helper()
	server := storetest.Redis(t, options...)
	return newFaultyAt(t, server, server.URL())
}

func newFaultyAt(t *testing.T, server *storetest.Server, url string) *faulty {
	t.Helper()
	clock := storetest.NewClock(storetest.Start)
	r := openRedis(t, url, clock.Now)
	b := store.NewBreaker(r, store.BreakerOptions{})
	return &faulty{newWorld(t, b, clock), server, r, b}
}

// press reads and commits as an update does, and gives the first error.
func (f *faulty) press(chat bot.ChatID, update string) error {
	ctx, cancel := context.WithTimeout(context.Background(), budget)
	defer cancel()
	c, err := f.Chats.Read(ctx, chat, bot.Want{Traces: true, Update: update})
	if err != nil {
		return err
	}
	_, _, err = f.Chats.Commit(ctx, f.change(chat, c.Version, "menu", update))
	return err
}

// back presses until the store is back, for five seconds.
func (f *faulty) back(t *testing.T, chat bot.ChatID) {
	t.Helper()
	var err error
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if err = f.press(chat, ""); err == nil {
			if f.breaker.Degraded() {
				t.Error("the store is back, and the breaker still says degraded")
			}
			return
		}
		time.Sleep(20 * time.Millisecond) // a real server, real time
	}
	t.Fatalf("not back within 5 s: %v", err)
}

// away presses until the breaker is open, and then once more: it must answer
// without asking the server.
func (f *faulty) away(t *testing.T) {
	t.Helper()
	for i := range 10 {
		if err := f.press(storetest.Chat(100+i), "away"); !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("press %d: got %v, want ErrUnavailable", i, err)
		}
	}
	if !f.breaker.Degraded() {
		t.Error("the breaker is closed after ten failures")
	}
}

func TestF1_storeDownAtStart(t *testing.T) {
	server := storetest.Redis(t)
	server.Stop()
	f := newFaultyAt(t, server, server.URL())
	f.away(t)
	server.Start()
	f.back(t, storetest.Chat(1))
}

func TestF2_storeDiesMidDialogue(t *testing.T) {
	f := newFaulty(t)
	chat := storetest.Chat(1)
	if err := f.press(chat, "u1"); err != nil {
		t.Fatal(err)
	}
	f.server.Stop()
	f.away(t)
	f.server.Start()
	f.back(t, chat)
	equal(t, "place", f.read(t, chat).Session.State, "menu")
}

func TestF3_storeNeverAnswers(t *testing.T) {
	f := newFaulty(t)
	if err := f.press(storetest.Chat(1), "u1"); err != nil {
		t.Fatal(err)
	}
	trips := store.CountTrips(f.redis)
	f.server.Pause()
	f.away(t)
	// Open: the server is asked at most once in a pause of the breaker.
	before := trips()
	for i := range 1000 {
		if err := f.press(storetest.Chat(i), "u"); !errors.Is(err, store.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if n := trips() - before; n > 5 {
		t.Errorf("1000 presses asked a hanging server %d times", n)
	}
	f.server.Resume()
	f.back(t, storetest.Chat(1))
}

func TestF4_slowStoreGathersNoGoroutines(t *testing.T) {
	f := newFaulty(t)
	if err := f.press(storetest.Chat(1), "u1"); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	f.server.Slow(2 * time.Second)
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			if err := f.press(storetest.Chat(i), "slow"); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
		})
	}
	wg.Wait()
	// Connections that were being made may finish: at most the pool's 32.
	if n := runtime.NumGoroutine() - before; n > 80 {
		t.Errorf("%d goroutines more than before", n)
	}
	f.back(t, storetest.Chat(1))
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before+5; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines stay", runtime.NumGoroutine()-before)
		}
	}
}

func TestF5_failoverLosesTheLastWrites(t *testing.T) {
	f := newFaulty(t)
	chat := storetest.Chat(1)
	v1, _ := f.step(t, chat, bot.Version{}, "first", "u1")
	f.server.Dump()
	v2, _ := f.step(t, chat, v1, "second", "u2")
	f.server.Restart() // with what was dumped
	f.back(t, storetest.Chat(2))

	got := f.read(t, chat)
	equal(t, "one step back", got.Session.State, "first")
	equal(t, "version", got.Version, v1)
	// What was decided on the lost state is not written over the old one.
	if _, _, err := f.Chats.Commit(t.Context(), f.change(chat, v2, "third", "u3")); !errors.Is(err, bot.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	if _, _, err := f.Chats.Commit(t.Context(), f.change(chat, v1, "again", "u1")); !errors.Is(err, bot.ErrRepeated) {
		t.Errorf("an update from before: got %v, want ErrRepeated", err)
	}
	f.step(t, chat, v1, "second", "u2")
}

func TestF6_memoryFull(t *testing.T) {
	f := newFaulty(t)
	chat, other := storetest.Chat(1), storetest.Chat(2)
	v, _ := f.step(t, chat, bot.Version{}, "menu", "u1")
	f.step(t, other, bot.Version{}, "menu", "u2")
	f.server.Fill()
	for range 10 {
		_, _, err := f.Chats.Commit(t.Context(), f.change(chat, v, "x", "u3"))
		if !errors.Is(err, store.ErrRefused) || !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("commit: got %v, want ErrRefused", err)
		}
	}
	if !f.breaker.Degraded() {
		t.Error("nobody is told")
	}
	equal(t, "reading works", f.read(t, chat).Version, v)
	s, err := f.Chats.Status(t.Context())
	if err != nil || s.Writable || !strings.Contains(strings.Join(s.Unsafe, "\n"), "refuses writes") {
		t.Errorf("status: %v, %v", s, err)
	}
	if err := f.Erase(t.Context(), chat); err != nil {
		t.Fatalf("erase: %v", err)
	}
	equal(t, "left", f.left(t), map[string]int{"session": 1, "traces": 1, "seen": 2, "outbox": 1, "tidy": 1})
	f.server.SetMaxMemory(0)
	f.back(t, chat)
}

func TestF7_sessionEvicted(t *testing.T) {
	f := newFaulty(t)
	chat := storetest.Chat(1)
	v, _ := f.step(t, chat, bot.Version{}, "menu", "u1")
	for _, k := range f.server.Keys() {
		if strings.Contains(k, ":c:") || strings.Contains(k, ":h:") {
			f.server.Do("DEL", k)
		}
	}
	equal(t, "chat", f.read(t, chat), bot.Chat{})
	if _, _, err := f.Chats.Commit(t.Context(), f.change(chat, v, "x", "u2")); !errors.Is(err, bot.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	f.step(t, chat, bot.Version{}, "start", "u2")
}

func TestF8_storeBecomesReadOnly(t *testing.T) {
	f := newFaulty(t)
	chat := storetest.Chat(1)
	v, _ := f.step(t, chat, bot.Version{}, "menu", "u1")
	f.server.ReadOnly(true)
	if _, _, err := f.Chats.Commit(t.Context(), f.change(chat, v, "x", "u2")); !errors.Is(err, store.ErrRefused) {
		t.Errorf("commit: got %v, want ErrRefused", err)
	}
	if err := f.Erase(t.Context(), chat); !errors.Is(err, store.ErrRefused) {
		t.Errorf("erase: got %v, want ErrRefused", err)
	}
	got := f.read(t, chat)
	equal(t, "reading works", got.Version, v)
	equal(t, "and nothing was half erased", f.left(t), map[string]int{"session": 1, "traces": 1, "seen": 1, "outbox": 1, "tidy": 1})
	_, entries := f.pending(t, chat)
	equal(t, "outbox", len(entries), 1)
	if !f.breaker.Degraded() {
		t.Error("nobody is told")
	}
	f.server.ReadOnly(false)
	if err := f.Erase(t.Context(), chat); err != nil {
		t.Fatalf("erase, when it is tried again: %v", err)
	}
	equal(t, "left", f.left(t), map[string]int{"seen": 1})
	if f.breaker.Degraded() {
		t.Error("still degraded")
	}
}

func TestF9_storeEmptied(t *testing.T) {
	f := newFaulty(t)
	chat := storetest.Chat(1)
	v, id := f.step(t, chat, bot.Version{}, "menu", "u1")
	f.server.Empty()
	f.server.Do("SCRIPT", "FLUSH")
	equal(t, "chat", f.read(t, chat), bot.Chat{})
	if err := f.Shown(t.Context(), chat, id, v, nil); err != nil {
		t.Errorf("acknowledge what is gone: %v", err)
	}
	f.step(t, chat, bot.Version{}, "start", "u1")
}

func TestF10_wrongPassword(t *testing.T) {
	const secret = "canary-password"
	server := storetest.Redis(t, storetest.Password("the-right-one"))
	for _, url := range []string{
		"redis://:" + secret + "@" + server.Addr(),
		"redis://user:" + secret + "@" + server.Addr(),
		"redis://" + server.Addr(),
	} {
		f := newFaultyAt(t, server, url)
		err := f.press(storetest.Chat(1), "u1")
		var e *store.Error
		if !errors.As(err, &e) || !errors.Is(err, store.ErrUnavailable) || e.Class != "login" {
			t.Errorf("got %v, want a refused login", err)
		}
		_, err2 := f.Chats.Status(t.Context())
		for _, err := range []error{err, err2} {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) || strings.Contains(err.Error(), server.Addr()) {
				t.Errorf("the error tells too much: %v", err)
			}
		}
		f.away(t)
	}
	// When the password is put right on the server, it recovers.
	f := newFaultyAt(t, server, "redis://:"+secret+"@"+server.Addr())
	f.away(t)
	server.SetPassword(secret)
	f.back(t, storetest.Chat(1))
}

// damage puts something else under the key of a chat's session, as it is on the
// server: the backend's header first.
func damage(t *testing.T, w *world, chat bot.ChatID, change func(sealed []byte) []byte) {
	t.Helper()
	k := store.Key{Shard: w.ring.Shard(chat), Kind: store.KindSession, Name: w.ring.Pseudonym(chat, w.ring.Active())}
	r, err := w.Store.Read(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	b := store.NewBatch(k.Shard, w.clock.Now())
	b.Put(k, change(bytes.Clone(r[0].Value)), w.clock.Now().Add(time.Hour))
	if err := w.Store.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// absent asserts that a chat begins anew, and can go on from there.
func (w *world) absent(t *testing.T, chat bot.ChatID, damaged uint64) {
	t.Helper()
	before := w.Damage()
	c := w.read(t, chat)
	if c.Session.Schema != 0 {
		t.Error("the session counts")
	}
	equal(t, "counted", w.Damage().Damaged-before.Damaged, damaged)
	w.step(t, chat, c.Version, "start", "")
	equal(t, "written over", w.read(t, chat).Session.State, "start")
}

func TestF11_oneBitFlipped(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		w.step(t, chat, bot.Version{}, "menu", "")
		size := 0
		damage(t, w, chat, func(b []byte) []byte { size = len(b); return b })
		for i := 0; i < size*8; i += 37 {
			unknown := w.Damage().Unknown
			damage(t, w, chat, func(b []byte) []byte { b[i/8] ^= 1 << (i % 8); return b })
			if i/8 == 1 { // the key's id: another key, which is not there
				w.absent(t, chat, 0)
				equal(t, "counted", w.Damage().Unknown, unknown+1)
				continue
			}
			w.absent(t, chat, 1)
		}
	})
}

func TestF12_recordTruncatedOrEmpty(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		w.step(t, chat, bot.Version{}, "menu", "")
		for _, n := range []int{0, 1, 2, 13, 14, 30, 100} {
			damage(t, w, chat, func(b []byte) []byte { return b[:n] })
			w.absent(t, chat, 1)
		}
	})
	t.Run("below the backend's own header", func(t *testing.T) {
		f := newFaulty(t)
		chat := storetest.Chat(1)
		f.step(t, chat, bot.Version{}, "menu", "")
		for _, rest := range []string{"", "x", "seven b", "just8byt", "fifteen bytes..", "\x00\x00"} {
			for _, k := range f.server.Keys() {
				if strings.Contains(k, ":c:") || strings.Contains(k, ":h:") {
					f.server.Do("SET", k, rest, "PX", "60000")
				}
			}
			c := f.read(t, chat)
			if c.Session.Schema != 0 {
				t.Errorf("%q: the session counts", rest)
			}
			f.step(t, chat, c.Version, "start", "")
		}
		// A queue's entry without its value, and a value without its entry.
		for _, k := range f.server.Keys() {
			if strings.Contains(k, ":O:") || strings.Contains(k, ":D:") {
				f.server.Do("DEL", k)
			}
		}
		_, entries := f.pending(t, chat)
		equal(t, "outbox", entries, []bot.Entry{})
		f.clock.Add(time.Hour)
		equal(t, "due", f.due(t, chat), []bot.Due{})
	})
}

func TestF13_recordOfAnotherChild(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		a, b := storetest.Chat(1), storetest.Chat(2)
		w.step(t, a, bot.Version{}, "a", "")
		w.step(t, b, bot.Version{}, "b", "")
		var stolen []byte
		damage(t, w, a, func(s []byte) []byte { stolen = s; return s })
		damage(t, w, b, func([]byte) []byte { return stolen })
		w.absent(t, b, 1)

		// Nor is a hide list a session, under the same name.
		k := store.Key{Shard: w.ring.Shard(a), Kind: store.KindTraces, Name: w.ring.Pseudonym(a, 1)}
		r, err := w.Store.Read(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		damage(t, w, a, func([]byte) []byte { return r[0].Value })
		w.absent(t, a, 1)
	})
}

func TestF14F15_recordOfAnotherSchema(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		for _, c := range []struct {
			name         string
			bound, inner byte
		}{
			{"older", flows.Schema - 1, flows.Schema - 1},
			{"newer, after a rollback", flows.Schema + 1, flows.Schema + 1},
			{"bound as ours, of another inside", flows.Schema, flows.Schema + 1},
		} {
			w.step(t, chat, w.read(t, chat).Version, "menu", "")
			damage(t, w, chat, func([]byte) []byte {
				sealed, err := w.ring.Seal(store.Bind{Kind: store.KindSession, Schema: c.bound, Name: w.ring.Pseudonym(chat, 1)},
					w.clock.Now().Add(time.Hour), []byte(`{"v":`+strconv.Itoa(int(c.inner))+`,"f":"menu","s":"menu","new":[1]}`))
				if err != nil {
					t.Fatal(err)
				}
				return sealed
			})
			t.Run(c.name, func(t *testing.T) { w.absent(t, chat, 1) })
		}
		damage(t, w, chat, func([]byte) []byte {
			sealed, _ := w.ring.Seal(store.Bind{Kind: store.KindSession, Schema: flows.Schema, Name: w.ring.Pseudonym(chat, 1)},
				w.clock.Now().Add(time.Hour), []byte(`{"v":"no number"`))
			return sealed
		})
		w.absent(t, chat, 1)
	})
}

// The end is sealed inside: whoever lengthens the store's own expiry gains
// nothing (F17, S37).
func TestF17_endPassesBetweenTapAndAnswer(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		chat := storetest.Chat(1)
		v, _ := w.step(t, chat, bot.Version{}, "menu", "u1")
		w.clock.Add(time.Hour)
		if _, _, err := w.Chats.Commit(t.Context(), w.change(chat, v, "x", "u2")); !errors.Is(err, bot.ErrConflict) {
			t.Errorf("got %v, want ErrConflict", err)
		}
		c := w.read(t, chat)
		equal(t, "session", c.Session, flows.Session{})
		w.step(t, chat, c.Version, "start", "u2")

		w.clock.Add(59 * time.Minute)
		damage(t, w, chat, func(b []byte) []byte { return b }) // ends in an hour, says the backend
		w.clock.Add(time.Minute)
		w.absent(t, chat, 0)
	})
}

func TestF18_oneReplicaIsCutOff(t *testing.T) {
	server := storetest.Redis(t)
	wire := newWire(t, server.Addr())
	a := newFaultyAt(t, server, server.URL())
	b := newFaultyAt(t, server, "redis://"+wire.addr)
	b.keys = a.keys
	b.reload(t)
	chat := storetest.Chat(1)
	v, _ := b.step(t, chat, bot.Version{}, "menu", "u1")
	wire.cut()
	b.away(t)
	v2, _ := a.step(t, chat, v, "rights", "u2")
	if a.breaker.Degraded() {
		t.Error("the other replica is degraded, too")
	}
	wire.mend()
	b.back(t, storetest.Chat(2))
	equal(t, "no split", b.read(t, chat).Version, v2)
	if _, _, err := b.Chats.Commit(t.Context(), b.change(chat, v, "x", "u3")); !errors.Is(err, bot.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
}

// The answer to a commit is lost again and again: it counts once.
func TestLostAnswers(t *testing.T) {
	server := storetest.Redis(t)
	wire := newWire(t, server.Addr())
	f := newFaultyAt(t, server, "redis://"+wire.addr)
	key := store.Key{Shard: 1, Kind: store.KindProbe}
	chat := storetest.Chat(1)
	var v bot.Version
	for i := range 20 {
		b := store.NewBatch(1, f.clock.Now())
		b.Add(key, "n", 1, f.clock.Now().Add(time.Hour))
		wire.swallow(1 + i%2)
		if err := f.redis.Commit(t.Context(), b); err != nil {
			t.Fatalf("commit %d: %v", i, err)
		}
		equal(t, "answers still to be lost", wire.swallow(1+i%2), 0)
		var err error
		if v, _, err = f.Chats.Commit(t.Context(), f.change(chat, v, "menu", fmt.Sprint("u", i))); err != nil {
			t.Fatalf("chat %d: %v", i, err)
		}
		equal(t, "answers still to be lost", wire.swallow(0), 0)
	}
	got, err := f.redis.Counts(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "counted", got, map[string]int64{"n": 20})
	equal(t, "left", f.left(t), map[string]int{"session": 1, "traces": 1, "seen": 20, "outbox": 20, "tidy": 1})
}

// wire is a connection to a server that can be cut, and that can lose answers.
type wire struct {
	addr string

	mu    sync.Mutex
	dead  bool
	lose  int
	conns map[net.Conn]bool
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: l.Addr().String(), conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			w.mu.Lock()
			if err != nil || w.dead {
				w.mu.Unlock()
				c.Close()
				if err == nil {
					s.Close()
				}
				continue
			}
			w.conns[c], w.conns[s] = true, true
			w.mu.Unlock()
			wg.Go(func() { _, _ = io.Copy(s, c); s.Close(); c.Close() })
			wg.Go(func() { w.answers(c, s) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.cut()
		wg.Wait()
	})
	return w
}

// answers passes on what the server says; one that is to be lost closes the
// connection instead.
func (w *wire) answers(c, s net.Conn) {
	defer c.Close()
	defer s.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := s.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		lost := w.lose > 0 && bytes.HasPrefix(buf[:n], []byte(":0\r\n")) // what a commit answers
		if lost {
			w.lose--
		}
		w.mu.Unlock()
		if lost {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

// swallow loses the next n answers to commits, and tells how many of those
// before are still to come.
func (w *wire) swallow(n int) (left int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left, w.lose = w.lose, n
	return left
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
	for c := range w.conns {
		c.Close()
	}
	clear(w.conns)
}

func TestF82_dumpIsUnreadable(t *testing.T) {
	// Everything that stands in what the tests store, and the ways it might be
	// written: nothing of it may be in the bytes.
	var canaries [][]byte
	for _, s := range []string{
		"canary", "telegram", "900000001", "12345", "0301", "10-12", "menu", "rights", "h.nb", `"v":`, `"s":`, "update-77",
	} {
		canaries = append(canaries, []byte(s), []byte(hex.EncodeToString([]byte(s))))
		for shift := range 3 {
			e := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", shift) + s))
			if e = strings.TrimRight(e, "="); len(s) >= 6 {
				canaries = append(canaries, []byte(e[shift*4/3+1:len(e)-2]))
			}
		}
	}
	id, _ := strconv.Atoi("900000001")
	canaries = append(canaries, binary.BigEndian.AppendUint64(nil, uint64(id)), binary.LittleEndian.AppendUint32(nil, uint32(id)))
	look := func(t *testing.T, dump []byte) {
		t.Helper()
		if len(dump) < 1000 {
			t.Fatalf("a dump of %d bytes", len(dump))
		}
		for _, c := range canaries {
			if at := bytes.Index(dump, c); at >= 0 {
				t.Errorf("%q is in the dump: %q", c, dump[max(0, at-20):min(len(dump), at+40)])
			}
		}
	}
	fill := func(t *testing.T, w *world) {
		t.Helper()
		for n := range 3 {
			chat := storetest.Chat(n)
			v, id := w.step(t, chat, bot.Version{}, "menu", fmt.Sprint("update-77", n))
			w.step(t, chat, v, "rights", fmt.Sprint("update-78", n))
			if n == 2 {
				if err := w.Shown(t.Context(), chat, id, v, nil); err != nil {
					t.Fatal(err)
				}
				if err := w.Erase(t.Context(), chat); err != nil {
					t.Fatal(err)
				}
			}
		}
		equal(t, "stored", w.left(t), map[string]int{"session": 2, "traces": 2, "seen": 6, "outbox": 4, "tidy": 2})
	}
	t.Run("redis", func(t *testing.T) {
		f := newFaulty(t)
		fill(t, f.world)
		look(t, f.server.Dump())
	})
	t.Run("append-only file", func(t *testing.T) {
		f := newFaulty(t, storetest.AppendOnly())
		fill(t, f.world)
		var all []byte
		for _, b := range f.server.Files() {
			all = append(all, b...)
		}
		// The scripts stand in it; the words of the program are not secret.
		look(t, all)
	})
	t.Run("embedded", func(t *testing.T) {
		clock := storetest.NewClock(storetest.Start)
		path := filepath.Join(t.TempDir(), "trygg.db")
		fill(t, newWorld(t, openEmbedded(t, path, clock.Now), clock))
		dump, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		look(t, dump)
	})
}

func TestF89_afterEachLifeNothingIsLeft(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		clock := storetest.NewClock(storetest.Start)
		path := filepath.Join(t.TempDir(), "trygg.db")
		e, err := store.OpenEmbedded(path, store.EmbeddedOptions{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, e, clock)
		for n := range 20 {
			v, _ := w.step(t, storetest.Chat(n), bot.Version{}, "menu", fmt.Sprint("u", n))
			w.step(t, storetest.Chat(n), v, "rights", fmt.Sprint("v", n))
		}
		if _, err := w.Chats.Status(t.Context()); err != nil { // counts and marks
			t.Fatal(err)
		}
		for _, c := range []struct {
			wait time.Duration
			want map[string]int
		}{
			{0, map[string]int{"session": 20, "traces": 20, "seen": 40, "outbox": 40, "tidy": 20}},
			{2 * time.Hour, map[string]int{"traces": 20, "seen": 40, "outbox": 40, "tidy": 20}},
			{22 * time.Hour, map[string]int{"traces": 20, "seen": 40, "tidy": 20}},
			{time.Hour, map[string]int{"traces": 20, "tidy": 20}},
			{23 * time.Hour, map[string]int{}},
		} {
			clock.Add(c.wait)
			equal(t, "by the clock", w.left(t), c.want)
			if err := e.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			equal(t, "after the sweep", w.left(t), c.want)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		_ = db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
				if n := b.Stats().KeyN; n != 0 {
					t.Errorf("bucket %s still has %d keys", name, n)
				}
				return nil
			})
		})
	})
	t.Run("redis", func(t *testing.T) {
		f := newFaulty(t)
		for n := range 5 {
			v, _ := f.step(t, storetest.Chat(n), bot.Version{}, "menu", fmt.Sprint("u", n))
			f.step(t, storetest.Chat(n), v, "rights", fmt.Sprint("v", n))
		}
		if _, err := f.Chats.Lease(t.Context(), "resend", time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Chats.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := (store.Buckets{Store: f.redis, Rate: 30}).Draw(t.Context(), "bot", 1, f.clock.Now()); err != nil {
			t.Fatal(err)
		}
		life := map[byte]time.Duration{}
		for _, row := range store.Lifetimes() {
			life[row.Letter] = row.Life
		}
		seen := map[byte]bool{}
		for _, k := range f.server.Keys() {
			_, rest, ok := strings.Cut(k, "}:")
			if !ok || len(rest) < 2 {
				t.Errorf("%q is a key of no form", k)
				continue
			}
			letter := rest[0] | 0x20 // a queue's values have the capital
			seen[letter] = true
			ms, err := strconv.Atoi(f.server.Do("PTTL", k))
			if most := life[letter]; err != nil || ms <= 0 || time.Duration(ms)*time.Millisecond > most {
				t.Errorf("%q ends in %d ms, want something up to %v", k, ms, most)
			}
		}
		if len(seen) != len(life) {
			t.Errorf("saw %d kinds of keys, want all %d", len(seen), len(life))
		}
		f.clock.Add(48 * time.Hour)
		equal(t, "by the clock, whatever the server says", f.left(t), map[string]int{})
	})
}
