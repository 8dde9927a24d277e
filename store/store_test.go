package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"trygg/bot"
	"trygg/store"
	"trygg/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every kind of record has a row that says everything about it, above all when
// it ends (S37).
func TestEveryRecordHasAnEnd(t *testing.T) {
	rows := store.Lifetimes()
	letters, names := map[byte]bool{}, map[string]bool{}
	for i, r := range rows {
		if r.Kind != store.Kind(i+1) || r.Kind.Row() != r || r.Kind.String() != r.Name {
			t.Errorf("row %d is not that of its kind", i)
		}
		if r.Letter < 'a' || r.Letter > 'z' || letters[r.Letter] || names[r.Name] {
			t.Errorf("%s: name or letter missing, wrong or taken", r.Name)
		}
		letters[r.Letter], names[r.Name] = true, true
		if r.Life <= 0 || r.Total != 0 && r.Total < r.Life {
			t.Errorf("%s has no end", r.Name)
		}
		if len(r.What) < 20 || !strings.HasSuffix(r.What, ".") || r.Shape == "" {
			t.Errorf("%s: says not what it is", r.Name)
		}
		if r.Child && r.Life > 48*time.Hour {
			t.Errorf("%s: a child's record of %v", r.Name, r.Life)
		}
		if r.Child && !r.Sealed && r.Name != "seen" {
			t.Errorf("%s: a child's record in the open", r.Name)
		}
		if r.Child && !r.Erased && r.Name != "seen" {
			t.Errorf("%s: stays when the child erases", r.Name)
		}
	}
	// No kind beyond the table.
	if k := store.Kind(len(rows) + 1); k.Row().Kind != 0 || store.Kind(0).Row().Kind != 0 {
		t.Error("a kind without a row")
	}
	b := store.NewBatch(0, storetest.Start)
	b.Delete(store.Key{Kind: store.Kind(len(rows) + 1)})
	if !errors.Is(b.Check(), store.ErrBatch) {
		t.Error("a record of no kind can be written")
	}
	// The figures of the safety sheet.
	for name, want := range map[string][2]time.Duration{
		"session": {2 * time.Hour, 24 * time.Hour}, "traces": {48 * time.Hour, 0}, "seen": {25 * time.Hour, 25 * time.Hour},
	} {
		for _, r := range rows {
			if r.Name == name && [2]time.Duration{r.Life, r.Total} != want {
				t.Errorf("%s lives %v, at most %v; want %v", name, r.Life, r.Total, want)
			}
		}
	}
}

func TestRedisAddress(t *testing.T) {
	for _, c := range []struct {
		address, mode string
		plain         bool
		want          string // in the error; "" = good
	}{
		{address: "redis://localhost", mode: "redis"},
		{address: " redis://127.0.0.1:6380/3\n", mode: "redis"},
		{address: "redis://[::1]:6380", mode: "redis"},
		{address: "redis://[::1]", mode: "redis"},
		{address: "redis://:canary@host", mode: "redis", plain: true},
		{address: "redis://user:can%40ary:%2f@host:1/0", mode: "redis", plain: true},
		{address: "redis://user:can@ary@host:1", mode: "redis", plain: true},
		{address: "rediss://user:canary@host.example", mode: "redis"},
		{address: "redis+sentinel://user:canary@a,b:26380,[::1]:7/main", mode: "sentinel", plain: true},
		{address: "redis+sentinel://a/main/2?sentinel_user=u&sentinel_password=canary", mode: "sentinel", plain: true},
		{address: "rediss+sentinel://a,b/main/", mode: "sentinel"},
		{address: "redis+cluster://:canary@a:1,b:2,c:3", mode: "cluster", plain: true},
		{address: "rediss+cluster://a", mode: "cluster"},
		{address: "", want: "no scheme"},
		{address: "host:6379", want: "no scheme"},
		{address: "http://:canary@host", want: "unknown scheme"},
		{address: "redis+magic://:canary@host", want: "unknown scheme"},
		{address: "redis+://:canary@host", want: "unknown scheme"},
		{address: "redis://:canary@", want: "host or port"},
		{address: "redis://:canary@host:port", want: "host or port"},
		{address: "redis://:canary@host:0", want: "host or port"},
		{address: "redis://:canary@a,b", want: "several hosts"},
		{address: "redis://:can%zzary@a", want: "percent-encoded"},
		{address: "redis://:canary@a/one", want: "number of the database"},
		{address: "redis://:canary@a/-1", want: "number of the database"},
		{address: "redis+cluster://:canary@a/1", want: "number of the database"},
		{address: "redis+sentinel://:canary@a", want: "no master name"},
		{address: "redis://:canary@a?timeout=3s", want: "what follows ?"},
		{address: "redis+sentinel://a/main?sentinel_password=canary&x=1", want: "what follows ?"},
	} {
		mode, plain, err := store.AddressForTest(c.address)
		if c.want == "" {
			if err != nil || mode != c.mode || plain != c.plain {
				t.Errorf("%q: mode %q, plain %v: %v", c.address, mode, plain, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.address, err, c.want)
		} else if strings.Contains(err.Error(), "ary") {
			t.Errorf("%q: the error tells the password: %v", c.address, err)
		}
	}
	if _, err := store.OpenRedis(t.Context(), "nonsense", store.RedisOptions{}); err == nil {
		t.Error("opened nonsense")
	}
}

func TestStatus(t *testing.T) {
	status := func(t *testing.T, s store.Store) (store.Status, string) {
		t.Helper()
		st, err := s.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st, strings.Join(st.Unsafe, "\n")
	}
	t.Run("a server as it should be", func(t *testing.T) {
		server := storetest.Redis(t, storetest.AppendOnly(), storetest.Password("long-and-secret"))
		s, unsafe := status(t, openRedis(t, server.URL(), nil))
		if unsafe != "" || s.Backend != "redis" || s.Nodes != 1 || !s.Append || s.Fsync != "always" || s.Eviction != "noeviction" || !s.Writable || s.Version == "" {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("a server with everything wrong", func(t *testing.T) {
		server := storetest.Redis(t, storetest.Args("--maxmemory-policy", "allkeys-lru"))
		_, unsafe := status(t, openRedis(t, server.URL(), nil))
		for _, want := range []string{"append-only", "throws records away", "password"} {
			if !strings.Contains(unsafe, want) {
				t.Errorf("%q is not said: %q", want, unsafe)
			}
		}
	})
	t.Run("an embedded file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "trygg.db")
		s, unsafe := status(t, openEmbedded(t, path, nil))
		if s.Backend != "embedded" || s.Path != path || s.Size == 0 || !s.Writable || !strings.Contains(unsafe, "one file") {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("a server that is away", func(t *testing.T) {
		server := storetest.Redis(t)
		server.Stop()
		if _, err := openRedis(t, server.URL(), nil).Status(t.Context()); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	})
}

// Chats live on a Cluster as on one server, all shards of it, in as many trips.
func TestChatsOnCluster(t *testing.T) {
	url, nodes := storetest.Cluster(t)
	clock := storetest.NewClock(storetest.Start)
	r := openRedis(t, url, clock.Now)
	w := newWorld(t, r, clock)
	trips := store.CountTrips(r)
	for n := range 100 {
		chat := storetest.Chat(n)
		before := trips()
		v, id := w.step(t, chat, bot.Version{}, "menu", fmt.Sprint("u", n))
		equal(t, "place", w.read(t, chat).Session.State, "menu")
		equal(t, "trips", trips()-before, int64(2))
		if err := w.Shown(t.Context(), chat, id, v, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range nodes {
		if len(n.Keys()) == 0 {
			t.Errorf("node %d holds nothing", i)
		}
	}
	n, err := w.DropChildren(t.Context())
	if err != nil || n != 100*4 {
		t.Errorf("dropped %d: %v", n, err)
	}
	s, err := w.Chats.Status(t.Context())
	if err != nil || s.Backend != "cluster" || s.Nodes != 3 || !s.Writable || len(s.Unsafe) != 2 {
		t.Errorf("status: %+v, %v", s, err)
	}
	// The nodes forget the scripts, as after a restart.
	for _, n := range nodes {
		n.Do("SCRIPT", "FLUSH")
	}
	for n := range 20 {
		w.step(t, storetest.Chat(n), bot.Version{}, "menu", "")
	}
}

// Two processes want the same work.
func TestLeaseOfTwo(t *testing.T) {
	server := storetest.Redis(t)
	a, b := openRedis(t, server.URL(), nil), openRedis(t, server.URL(), nil)
	lease := func(s store.Store, ttl time.Duration, want bool) {
		t.Helper()
		if ok, err := s.Lease(t.Context(), "resend", ttl); ok != want || err != nil {
			t.Errorf("lease: %v, %v; want %v", ok, err, want)
		}
	}
	lease(a, time.Minute, true)
	lease(b, time.Minute, false)
	lease(b, 0, false)
	lease(a, time.Minute, true)
	lease(a, 0, true)
	lease(b, time.Minute, true)
	lease(a, time.Minute, false)
	for _, k := range server.Keys() {
		server.Do("PEXPIRE", k, "1")
	}
	for end := time.Now().Add(5 * time.Second); len(server.Keys()) > 0 && time.Now().Before(end); {
		time.Sleep(2 * time.Millisecond) // the server's own time
	}
	lease(a, time.Minute, true)
}

func TestEmbedded_oneProcessHasTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trygg.db")
	openEmbedded(t, path, nil)
	if _, err := store.OpenEmbedded(path, store.EmbeddedOptions{}); !errors.Is(err, store.ErrHeld) {
		t.Errorf("got %v, want ErrHeld", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600: %v", info.Mode(), err)
	}
	if _, err := store.OpenEmbedded(filepath.Join(t.TempDir(), "no", "such"), store.EmbeddedOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.db")
	if err := os.WriteFile(bad, []byte(strings.Repeat("not a store\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenEmbedded(bad, store.EmbeddedOptions{}); err == nil {
		t.Error("opened something else")
	}
}

func TestEmbedded_keepsItsStateOverARestart(t *testing.T) {
	clock := storetest.NewClock(storetest.Start)
	path := filepath.Join(t.TempDir(), "trygg.db")
	e, err := store.OpenEmbedded(path, store.EmbeddedOptions{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, e, clock)
	chat := storetest.Chat(1)
	w.step(t, chat, bot.Version{}, "menu", "u1")
	want, left := w.read(t, chat), w.left(t)
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"read":   func() error { _, err := w.Chats.Read(t.Context(), chat, bot.Want{}); return err },
		"commit": func() error { return w.Erase(t.Context(), chat) },
		"sweep":  func() error { clock.Add(0); return e.Sweep(t.Context()) },
		"lease":  func() error { _, err := e.Lease(t.Context(), "x", time.Second); return err },
	} {
		if err := call(); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s after closing: got %v, want ErrUnavailable", name, err)
		}
	}
	w.Store = openEmbedded(t, path, clock.Now)
	w.reload(t)
	equal(t, "chat", w.read(t, chat), want)
	equal(t, "records", w.left(t), left)
}

// Closing waits for what is being written, and refuses the rest.
func TestEmbedded_closedUnderLoad(t *testing.T) {
	clock := storetest.NewClock(storetest.Start)
	path := filepath.Join(t.TempDir(), "trygg.db")
	e, err := store.OpenEmbedded(path, store.EmbeddedOptions{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, e, clock)
	var mu sync.Mutex
	written := map[int]bool{}
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				n := g*100_000 + i
				_, _, err := w.Chats.Commit(context.Background(), w.change(storetest.Chat(n), bot.Version{}, "menu", ""))
				if err != nil {
					if !errors.Is(err, store.ErrUnavailable) {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				written[n] = true
				enough := len(written) == 100
				mu.Unlock()
				if enough {
					go e.Close()
				}
			}
		})
	}
	wg.Wait()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	w.Store = openEmbedded(t, path, clock.Now)
	w.reload(t)
	for n := range written {
		if w.read(t, storetest.Chat(n)).Session.Schema == 0 {
			t.Fatalf("a commit that was confirmed is lost")
		}
	}
}

// The sweep runs by itself.
func TestEmbedded_sweeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trygg.db")
	synctest.Test(t, func(t *testing.T) {
		e, err := store.OpenEmbedded(path, store.EmbeddedOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		key := store.Key{Shard: 3, Kind: store.KindSession, Name: "x"}
		b := store.NewBatch(3, time.Now())
		b.Put(key, []byte("x"), time.Now().Add(time.Minute))
		if err := e.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		there := func() int {
			keys, _, err := e.Page(t.Context(), store.KindSession, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			return len(keys)
		}
		time.Sleep(59 * time.Second)
		equal(t, "before", there(), 1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		equal(t, "after", there(), 0)
	})
}

// broken is a store that answers what it is told to.
type broken struct {
	store.Store
	err           error
	calls         int
	wait, entered chan struct{} // when set, Read says that it is in, and waits
}

func (b *broken) Read(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	b.calls++
	if b.wait != nil {
		close(b.entered)
		<-b.wait
	}
	return nil, b.err
}

func (b *broken) Commit(context.Context, *store.Batch) error {
	b.calls++
	return b.err
}

func TestBreaker_opensTriesAndCloses(t *testing.T) {
	clock := storetest.NewClock(storetest.Start)
	s := &broken{}
	b := store.NewBreaker(s, store.BreakerOptions{Failures: 3, Pause: time.Second, Now: clock.Now})
	read := func(wantErr error, wantCalls int) {
		t.Helper()
		before := s.calls
		if _, err := b.Read(t.Context()); !errors.Is(err, wantErr) {
			t.Errorf("got %v, want %v", err, wantErr)
		}
		if s.calls-before != wantCalls {
			t.Errorf("the store was asked %d times, want %d", s.calls-before, wantCalls)
		}
	}
	away := store.ErrUnavailable
	read(nil, 1)
	s.err = away
	read(away, 1)
	read(away, 1)
	s.err = nil
	read(nil, 1) // one answer in between, and counting begins anew
	s.err = away
	for range 3 {
		read(away, 1)
	}
	if !b.Degraded() {
		t.Error("closed after three failures")
	}
	for range 100 {
		read(away, 0)
	}
	clock.Add(time.Second)
	read(away, 1) // the try fails: open again
	read(away, 0)
	clock.Add(time.Second)
	s.err = nil
	s.wait, s.entered = make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		_, err := b.Read(context.Background())
		done <- err
	}()
	<-s.entered
	if err := b.Commit(t.Context(), nil); !errors.Is(err, away) || !b.Degraded() {
		t.Errorf("a second try beside the first: %v", err)
	}
	close(s.wait)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.wait = nil
	if b.Degraded() {
		t.Error("open after a try that worked")
	}
	read(nil, 1)
}

func TestBreaker_whatDoesNotOpenIt(t *testing.T) {
	for name, err := range map[string]error{
		"conflicts": store.ErrConflict, "callers that gave up": context.Canceled, "faults of the program": store.ErrBatch,
		"refused writes": store.ErrRefused,
	} {
		s := &broken{err: err}
		b := store.NewBreaker(s, store.BreakerOptions{})
		for range 20 {
			if got := b.Commit(t.Context(), nil); !errors.Is(got, err) {
				t.Errorf("%s: got %v", name, got)
			}
		}
		if s.calls != 20 {
			t.Errorf("%s: the store was asked %d of 20 times", name, s.calls)
		}
		if b.Degraded() != (err == store.ErrRefused) {
			t.Errorf("%s: degraded %v", name, b.Degraded())
		}
		if err == store.ErrRefused {
			s.err = store.ErrConflict
			_ = b.Commit(t.Context(), nil)
			if !b.Degraded() {
				t.Error("a conflict is no proof that writes are taken")
			}
			s.err = nil
			_ = b.Commit(t.Context(), nil)
			if b.Degraded() {
				t.Error("still degraded after a write")
			}
		}
	}
}
