// Package storetest is what every store promises, as tests, and the helpers
// they need: a real redis-server to break, a Cluster, a Sentinel, a clock that
// stands still, and a store in memory as the model.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"trygg/bot"
	"trygg/store"
)

// Start is where the clocks of these tests begin.
var Start = time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)

// Open opens an empty store, or one that holds nothing under the names of the
// test that runs. It is closed at the end of the test by who opened it.
type Open func(tb testing.TB, now func() time.Time) store.Store

// Run holds a store to the promises of the primitive: fixed cases, then random
// histories against Memory.
func Run(t *testing.T, open Open) {
	t.Helper()
	cases := []struct {
		name string
		run  func(*testing.T, *subject)
	}{
		{"what was put is read, in the order asked for", putAndRead},
		{"an expectation that fails leaves everything as it was and is named", allOrNothing},
		{"one of several keys may bear the version", severalKeys},
		{"a version never comes back", versions},
		{"a batch that is sent again counts once", repeats},
		{"a record without an end, or beyond its life, is refused", ends},
		{"keys of several shards are refused", shards},
		{"what has ended is absent everywhere", expiry},
		{"a log gives what was appended, in order, until it is acknowledged", logs},
		{"a due list gives what is due, the earliest first", due},
		{"a claim is given once", claim},
		{"entries of one owner are dropped together", drop},
		{"counters add up and end", counts},
		{"a deleted record is gone whatever its shape", deletes},
		{"paging sees every record of a kind", pages},
		{"a lease is kept by its holder", leases},
		{"a context that is over is an error", contexts},
		{"eight writers of one record lose nothing", writers},
		{"any bytes are kept as they are", bytes},
		{"random histories are those of the model", histories},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			clock := NewClock(Start)
			c.run(t, &subject{Store: open(t, clock.Now), clock: clock, prefix: fmt.Sprintf("%s %d ", t.Name()[:min(len(t.Name()), 20)], runs.Add(1))})
		})
	}
}

// runs tells the names of one case from those of another in the same server.
var runs atomic.Int64

type subject struct {
	store.Store
	clock  *Clock
	prefix string
}

func (s *subject) session(shard int, name string) store.Key {
	return store.Key{Shard: shard, Kind: store.KindSession, Name: s.prefix + name}
}

func (s *subject) queue(shard int) store.Key {
	return store.Key{Shard: shard, Kind: store.KindOutbox, Name: s.prefix}
}

func (s *subject) counter(shard int) store.Key {
	return store.Key{Shard: shard, Kind: store.KindProbe, Name: s.prefix}
}

func (s *subject) batch(shard int) *store.Batch { return store.NewBatch(shard, s.clock.Now()) }

func (s *subject) commit(t testing.TB, b *store.Batch) {
	t.Helper()
	if err := s.Commit(context.Background(), b); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

func (s *subject) read(t testing.TB, keys ...store.Key) []store.Record {
	t.Helper()
	r, err := s.Read(context.Background(), keys...)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return r
}

func (s *subject) items(t testing.TB, q store.Key, by time.Time, most int) []string {
	t.Helper()
	items, err := s.Queue(context.Background(), q, by, most)
	if err != nil {
		t.Fatalf("queue: %v", err)
	}
	ids := []string{}
	for _, it := range items {
		ids = append(ids, it.ID)
	}
	return ids
}

func (s *subject) conflict(t testing.TB, b *store.Batch, op int) {
	t.Helper()
	err := s.Commit(context.Background(), b)
	var c *store.ConflictError
	if !errors.As(err, &c) || !errors.Is(err, store.ErrConflict) {
		t.Fatalf("commit: got %v, want a conflict", err)
	}
	if c.Op != op {
		t.Errorf("conflict names operation %d, want %d", c.Op, op)
	}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(time.Time.Equal)); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func putAndRead(t *testing.T, s *subject) {
	a, b, none := s.session(17, "a"), s.session(17, "b"), s.session(17, "none")
	x := s.batch(17)
	x.Expect(0, a)
	x.Put(a, []byte("one"), s.clock.Now().Add(time.Hour))
	x.Put(b, []byte("two"), s.clock.Now().Add(time.Hour))
	s.commit(t, x)
	same(t, "records", s.read(t, b, none, a), []store.Record{{Version: x.Stamp, Value: []byte("two")}, {}, {Version: x.Stamp, Value: []byte("one")}})
	same(t, "no keys", s.read(t), []store.Record(nil))
}

func allOrNothing(t *testing.T, s *subject) {
	a, b, q, n := s.session(1, "a"), s.session(1, "b"), s.queue(1), s.counter(1)
	until := s.clock.Now().Add(time.Hour)
	x := s.batch(1)
	x.Put(a, []byte("one"), until)
	s.commit(t, x)

	y := s.batch(1)
	y.Put(b, []byte("two"), until)
	y.Delete(a)
	y.Append(q, "1", []byte("shown"), until)
	y.Add(n, "f", 1, until)
	y.Expect(x.Stamp, a) // holds
	bad := y.Expect(0, a)
	y.Put(a, []byte("three"), until)
	s.conflict(t, y, bad)
	same(t, "records", s.read(t, a, b), []store.Record{{Version: x.Stamp, Value: []byte("one")}, {}})
	same(t, "log", s.items(t, q, time.Time{}, 10), []string{})
	counts, err := s.Counts(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "counts", counts, map[string]int64{})

	z := s.batch(1)
	z.Expect(0, b)
	bad = z.Expect(x.Stamp+1, a)
	s.conflict(t, z, bad)
}

func severalKeys(t *testing.T, s *subject) {
	a, b, c := s.session(2, "a"), s.session(2, "b"), s.session(2, "c")
	until := s.clock.Now().Add(time.Hour)
	x := s.batch(2)
	x.Put(b, []byte("old key"), until)
	s.commit(t, x)

	y := s.batch(2)
	y.Expect(0, a, b)
	s.conflict(t, y, 0)
	y = s.batch(2)
	y.ExpectGone(x.Stamp+1, c, b)
	s.conflict(t, y, 0)

	y = s.batch(2)
	y.Expect(x.Stamp, a, b)
	y.ExpectGone(x.Stamp, c, b)
	y.Put(a, []byte("moved"), until)
	y.Delete(b)
	s.commit(t, y)
	same(t, "records", s.read(t, a, b), []store.Record{{Version: y.Stamp, Value: []byte("moved")}, {}})

	z := s.batch(2)
	z.Expect(x.Stamp, a, b)
	s.conflict(t, z, 0)
	z = s.batch(2)
	z.ExpectGone(x.Stamp, a, b)
	s.conflict(t, z, 0)
	z = s.batch(2)
	z.ExpectGone(x.Stamp, b, c)
	s.commit(t, z)
}

func versions(t *testing.T, s *subject) {
	k := s.session(3, "k")
	until := s.clock.Now().Add(time.Hour)
	seen := map[uint64]bool{0: true}
	for range 20 {
		x := s.batch(3)
		x.Put(k, []byte("same"), until)
		s.commit(t, x)
		v := s.read(t, k)[0].Version
		if seen[v] {
			t.Fatalf("version %d came twice", v)
		}
		seen[v] = true
		y := s.batch(3)
		y.Delete(k)
		s.commit(t, y)
	}
}

func repeats(t *testing.T, s *subject) {
	a, q, n := s.session(4, "a"), s.queue(4), s.counter(4)
	until := s.clock.Now().Add(time.Hour)
	mark := store.Key{Shard: 4, Kind: store.KindSeen, Name: s.prefix}
	step := s.batch(4)
	step.Expect(0, mark)
	step.Put(mark, nil, until)
	step.Expect(0, a)
	step.Put(a, []byte("one"), until)
	step.Append(q, "1", []byte("x"), until)
	count := s.batch(4)
	count.Add(n, "f", 3, until)
	bare := s.batch(4)
	bare.Expect(step.Stamp, a)
	bare.Append(q, "2", []byte("y"), until)
	for range 3 {
		s.commit(t, step)
		s.commit(t, count)
		s.commit(t, bare)
	}
	ack := s.batch(4)
	ack.Acknowledge(q, "1")
	ack.Acknowledge(q, "2")
	s.commit(t, ack)
	s.commit(t, step)
	s.commit(t, bare)
	same(t, "a repeat appends nothing", s.items(t, q, time.Time{}, 10), []string{})
	got, err := s.Counts(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "a repeat adds nothing", got, map[string]int64{"f": 3})
	other := s.batch(4)
	other.Expect(0, mark)
	other.Put(mark, nil, until)
	s.conflict(t, other, 0)
}

func ends(t *testing.T, s *subject) {
	now := s.clock.Now()
	for name, fill := range map[string]func(*store.Batch){
		"a value without an end":      func(b *store.Batch) { b.Put(s.session(5, "a"), nil, time.Time{}) },
		"a value beyond its life":     func(b *store.Batch) { b.Put(s.session(5, "a"), nil, now.Add(25*time.Hour)) },
		"a log entry without an end":  func(b *store.Batch) { b.Append(s.queue(5), "1", nil, time.Time{}) },
		"a log entry beyond its life": func(b *store.Batch) { b.Append(s.queue(5), "1", nil, now.Add(49*time.Hour)) },
		"a counter without an end":    func(b *store.Batch) { b.Add(s.counter(5), "f", 1, time.Time{}) },
		"a counter beyond its life":   func(b *store.Batch) { b.Add(s.counter(5), "f", 1, now.Add(48*time.Hour)) },
		"an entry without an ID":      func(b *store.Batch) { b.Append(s.queue(5), "", nil, now.Add(time.Hour)) },
		"a value where a queue is":    func(b *store.Batch) { b.Put(s.queue(5), nil, now.Add(time.Hour)) },
		"an unknown kind":             func(b *store.Batch) { b.Put(store.Key{Shard: 5}, nil, now.Add(time.Hour)) },
		"nothing":                     func(*store.Batch) {},
	} {
		b := s.batch(5)
		fill(b)
		if err := s.Commit(t.Context(), b); !errors.Is(err, store.ErrBatch) {
			t.Errorf("%s: got %v, want ErrBatch", name, err)
		}
	}
}

func shards(t *testing.T, s *subject) {
	b := s.batch(6)
	b.Put(s.session(6, "a"), nil, s.clock.Now().Add(time.Hour))
	b.Put(s.session(7, "a"), nil, s.clock.Now().Add(time.Hour))
	if err := s.Commit(t.Context(), b); !errors.Is(err, store.ErrBatch) {
		t.Errorf("commit: got %v, want ErrBatch", err)
	}
	if _, err := s.Read(t.Context(), s.session(6, "a"), s.session(7, "a")); !errors.Is(err, store.ErrBatch) {
		t.Errorf("read: got %v, want ErrBatch", err)
	}
	out := s.batch(64)
	out.Delete(s.session(64, "a"))
	if err := s.Commit(t.Context(), out); !errors.Is(err, store.ErrBatch) {
		t.Errorf("shard 64: got %v, want ErrBatch", err)
	}
}

func expiry(t *testing.T, s *subject) {
	a, q, n := s.session(8, "a"), s.queue(8), s.counter(8)
	until := s.clock.Now().Add(10 * time.Minute)
	x := s.batch(8)
	x.Put(a, []byte("one"), until)
	x.Append(q, "1", []byte("x"), until)
	x.Append(q, "2", []byte("y"), until.Add(time.Minute))
	x.Add(n, "f", 5, until)
	s.commit(t, x)

	s.clock.Add(10*time.Minute - time.Millisecond)
	same(t, "just before", s.read(t, a), []store.Record{{Version: x.Stamp, Value: []byte("one")}})
	s.clock.Add(time.Millisecond)
	same(t, "just after", s.read(t, a), []store.Record{{}})
	same(t, "log", s.items(t, q, time.Time{}, 1), []string{"2"})
	got, err := s.Counts(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "counts", got, map[string]int64{})

	y := s.batch(8)
	y.Expect(0, a)
	y.Put(a, []byte("new"), s.clock.Now().Add(time.Minute))
	y.Add(n, "f", 2, s.clock.Now().Add(time.Minute))
	s.commit(t, y)
	same(t, "written anew", s.read(t, a), []store.Record{{Version: y.Stamp, Value: []byte("new")}})
	got, err = s.Counts(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "counted anew", got, map[string]int64{"f": 2})

	z := s.batch(8)
	z.Put(a, []byte("late"), s.clock.Now())
	s.commit(t, z)
	same(t, "put with an end that has come", s.read(t, a), []store.Record{{}})
}

func logs(t *testing.T, s *subject) {
	q := s.queue(9)
	until := s.clock.Now().Add(time.Hour)
	for i := range 5 {
		b := s.batch(9)
		b.Append(q, strconv.Itoa(9-i), []byte{byte(i)}, until)
		s.commit(t, b)
		s.clock.Add(time.Microsecond)
	}
	same(t, "all", s.items(t, q, time.Time{}, 10), []string{"9", "8", "7", "6", "5"})
	same(t, "some", s.items(t, q, time.Time{}, 2), []string{"9", "8"})
	same(t, "none", s.items(t, q, time.Time{}, 0), []string{})
	b := s.batch(9)
	b.Acknowledge(q, "9")
	b.Acknowledge(q, "7")
	b.Acknowledge(q, "not there")
	s.commit(t, b)
	items, err := s.Queue(t.Context(), q, time.Time{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rest", items, []store.Item{
		{ID: "8", At: Start.Add(1 * time.Microsecond), Value: []byte{1}},
		{ID: "6", At: Start.Add(3 * time.Microsecond), Value: []byte{3}},
		{ID: "5", At: Start.Add(4 * time.Microsecond), Value: []byte{4}},
	})
}

func due(t *testing.T, s *subject) {
	q := store.Key{Shard: 10, Kind: store.KindTidy, Name: s.prefix}
	now := s.clock.Now()
	until := now.Add(time.Hour)
	b := s.batch(10)
	b.SetDue(q, "late", now.Add(20*time.Minute), nil, until)
	b.SetDue(q, "soon", now.Add(10*time.Minute), nil, until)
	b.SetDue(q, "moved", now.Add(5*time.Minute), nil, until)
	s.commit(t, b)
	b = s.batch(10)
	b.SetDue(q, "moved", now.Add(15*time.Minute), nil, until)
	s.commit(t, b)
	same(t, "nothing yet", s.items(t, q, now, 10), []string{})
	same(t, "at the moment", s.items(t, q, now.Add(10*time.Minute), 10), []string{"soon"})
	same(t, "later", s.items(t, q, now.Add(time.Hour), 10), []string{"soon", "moved", "late"})
	b = s.batch(10)
	b.Acknowledge(q, "moved")
	b.Postpone(q, "soon", now.Add(30*time.Minute))
	b.Postpone(q, "not there", now)
	s.commit(t, b)
	same(t, "after a move", s.items(t, q, now.Add(time.Hour), 10), []string{"late", "soon"})
}

func claim(t *testing.T, s *subject) {
	q := store.Key{Shard: 11, Kind: store.KindTidy, Name: s.prefix}
	at := s.clock.Now().Add(1234567 * time.Microsecond)
	b := s.batch(11)
	b.SetDue(q, "chat", at, []byte("x"), s.clock.Now().Add(time.Hour))
	s.commit(t, b)
	s.clock.Add(time.Minute)
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b := s.batch(11)
			b.ExpectDue(q, "chat", at)
			b.Postpone(q, "chat", s.clock.Now().Add(time.Minute))
			if err := s.Commit(context.Background(), b); err == nil {
				won.Add(1)
			} else if !errors.Is(err, store.ErrConflict) {
				t.Errorf("claim: %v", err)
			}
		})
	}
	wg.Wait()
	same(t, "claims won", won.Load(), int64(1))
	none := s.batch(11)
	none.ExpectDue(q, "nobody", at)
	none.Postpone(q, "nobody", at)
	s.conflict(t, none, 0)
	s.clock.Add(time.Hour)
	over := s.batch(11)
	over.ExpectDue(q, "chat", Start.Add(2*time.Minute))
	s.conflict(t, over, 0)
}

func drop(t *testing.T, s *subject) {
	q := s.queue(12)
	until := s.clock.Now().Add(time.Hour)
	b := s.batch(12)
	for _, id := range []string{"a1", "a2", "b1", "\xff\xff1", "a"} {
		b.Append(q, id, nil, until)
	}
	s.commit(t, b)
	b = s.batch(12)
	b.Drop(q, "a")
	b.Drop(q, "\xff\xff")
	s.commit(t, b)
	same(t, "rest", s.items(t, q, time.Time{}, 10), []string{"b1"})
}

func counts(t *testing.T, s *subject) {
	n := s.counter(13)
	until := s.clock.Now().Add(30 * time.Minute)
	for i := range 3 {
		b := s.batch(13)
		b.Add(n, "yes", int64(i), until)
		b.Add(n, "no", -1, until)
		b.Add(n, "yes", 10, until)
		s.commit(t, b)
	}
	got, err := s.Counts(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "counts", got, map[string]int64{"yes": 33, "no": -3})
}

func deletes(t *testing.T, s *subject) {
	a, q, n := s.session(14, "a"), s.queue(14), s.counter(14)
	until := s.clock.Now().Add(time.Hour)
	b := s.batch(14)
	b.Put(a, []byte("x"), until)
	b.Append(q, "1", []byte("x"), until)
	b.Add(n, "f", 1, until)
	s.commit(t, b)
	for range 2 { // the second time nothing is there
		b = s.batch(14)
		b.Delete(a)
		b.Delete(q)
		b.Delete(n)
		s.commit(t, b)
		got, err := s.Counts(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "value", s.read(t, a), []store.Record{{}})
		same(t, "log", s.items(t, q, time.Time{}, 10), []string{})
		same(t, "counts", got, map[string]int64{})
	}
	for _, kind := range []store.Kind{store.KindSession, store.KindOutbox, store.KindProbe} {
		for k := range s.page(t, kind) {
			if k.Name == a.Name || k.Name == q.Name {
				t.Errorf("%s is still there", k)
			}
		}
	}
}

func (s *subject) page(t testing.TB, kind store.Kind) map[store.Key]int {
	t.Helper()
	keys := map[store.Key]int{}
	for cursor, n := "", 0; ; n++ {
		page, next, err := s.Page(context.Background(), kind, cursor, 7)
		if err != nil {
			t.Fatalf("page: %v", err)
		}
		for _, k := range page {
			keys[k]++
		}
		if cursor = next; cursor == "" {
			return keys
		}
		if n > 100_000 {
			t.Fatal("paging does not end")
		}
	}
}

func pages(t *testing.T, s *subject) {
	want := map[store.Key]bool{}
	until := s.clock.Now().Add(time.Hour)
	for i := range 100 {
		shard := i * 7 % 64
		k := s.session(shard, strconv.Itoa(i))
		b := s.batch(shard)
		b.Put(k, nil, until)
		b.Put(store.Key{Shard: shard, Kind: store.KindTraces, Name: k.Name}, nil, until)
		b.Append(s.queue(shard), strconv.Itoa(i), nil, until)
		b.Append(s.queue(shard), strconv.Itoa(i+1000), nil, until)
		b.Add(s.counter(shard), strconv.Itoa(i), 1, until)
		s.commit(t, b)
		want[k], want[s.queue(shard)], want[s.counter(shard)] = true, true, true
	}
	got := map[store.Key]bool{}
	for _, kind := range []store.Kind{store.KindSession, store.KindOutbox, store.KindProbe} {
		for k := range s.page(t, kind) {
			if k.Kind != kind {
				t.Errorf("page of %s gave a %s", kind, k.Kind)
			}
			if len(k.Name) >= len(s.prefix) && k.Name[:len(s.prefix)] == s.prefix {
				got[k] = true
			}
		}
	}
	if d := cmp.Diff(len(want), len(got)); d != "" {
		t.Errorf("keys seen (-want +got): %s", d)
	}
	for k := range want {
		if !got[k] {
			t.Errorf("shard %d: %s was not seen", k.Shard, k)
		}
	}
}

func leases(t *testing.T, s *subject) {
	for range 3 {
		if ok, err := s.Lease(t.Context(), s.prefix, time.Minute); !ok || err != nil {
			t.Fatalf("take and renew: %v, %v", ok, err)
		}
	}
	if ok, err := s.Lease(t.Context(), s.prefix, 0); !ok || err != nil {
		t.Fatalf("give up: %v, %v", ok, err)
	}
	if _, err := s.Lease(t.Context(), s.prefix, 24*time.Hour); !errors.Is(err, store.ErrBatch) {
		t.Errorf("a day: got %v, want ErrBatch", err)
	}
}

func contexts(t *testing.T, s *subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := s.batch(15)
	b.Put(s.session(15, "a"), nil, s.clock.Now().Add(time.Hour))
	if err := s.Commit(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: got %v", err)
	}
	if _, err := s.Read(ctx, s.session(15, "a")); !errors.Is(err, context.Canceled) {
		t.Errorf("read: got %v", err)
	}
	if _, err := s.Queue(ctx, s.queue(15), time.Time{}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("queue: got %v", err)
	}
}

func writers(t *testing.T, s *subject) {
	const each = 25
	k, q := s.session(16, "k"), s.queue(16)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; i < each; {
				r, err := s.Read(context.Background(), k)
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				n, _ := strconv.Atoi(string(r[0].Value))
				b := s.batch(16)
				b.Expect(r[0].Version, k)
				b.Put(k, []byte(strconv.Itoa(n+1)), s.clock.Now().Add(time.Hour))
				b.Append(q, fmt.Sprintf("%d.%d", w, i), nil, s.clock.Now().Add(time.Hour))
				switch err := s.Commit(context.Background(), b); {
				case err == nil:
					i++
				case !errors.Is(err, store.ErrConflict):
					t.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	same(t, "record", string(s.read(t, k)[0].Value), strconv.Itoa(8*each))
	same(t, "entries", len(s.items(t, q, time.Time{}, 1000)), 8*each)
}

func bytes(t *testing.T, s *subject) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	until := s.clock.Now().Add(time.Hour)
	k := store.Key{Shard: 63, Kind: store.KindSession, Name: s.prefix + "\x00\r\n{}*?[]\xff"}
	q := store.Key{Shard: 63, Kind: store.KindOutbox, Name: k.Name}
	b := s.batch(63)
	b.Put(k, all, until)
	b.Append(q, string(all[:100]), all, until)
	b.Append(q, string(all[200:]), nil, until)
	s.commit(t, b)
	same(t, "value", s.read(t, k)[0].Value, all)
	items, err := s.Queue(t.Context(), q, time.Time{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "entries", items, []store.Item{{ID: string(all[:100]), At: Start, Value: all}, {ID: string(all[200:]), At: Start}})
	if s.page(t, store.KindSession)[k] == 0 {
		t.Error("paging does not give the name back")
	}
}

// histories lets random batches, readings and waits run against the store and
// the model, which must answer the same all the time.
func histories(t *testing.T, s *subject) {
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		model := NewMemory(s.clock.Now)
		prefix := s.prefix + strconv.Itoa(n)
		names := []string{"a", "b", "c"}
		key := func(kind store.Kind) *rapid.Generator[store.Key] {
			return rapid.Custom(func(t *rapid.T) store.Key {
				return store.Key{Shard: 20, Kind: kind, Name: prefix + rapid.SampledFrom(names).Draw(t, "name")}
			})
		}
		ids := rapid.SampledFrom([]string{"1", "12", "2", "\x00", "é"})
		// Ends that have come, and ends far enough that the server's own clock,
		// which goes on while ours stands, does not come first.
		lives := rapid.Map(rapid.OneOf(rapid.Int64Range(-1000, 0), rapid.Int64Range(600_000, 3_600_000)),
			func(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond })
		known := []uint64{1} // versions that were seen, and one that never was
		dues := []time.Time{Start}
		var last *store.Batch

		commit := func(t *rapid.T, b *store.Batch) {
			got, want := s.Commit(context.Background(), b), model.Commit(context.Background(), b)
			var g, w *store.ConflictError
			switch {
			case errors.As(want, &w):
				if !errors.As(got, &g) || g.Op != w.Op {
					t.Fatalf("commit: got %v, want %v", got, want)
				}
			case got != nil || want != nil:
				t.Fatalf("commit: got %v, want %v", got, want)
			default:
				known = append(known, b.Stamp)
				last = b
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				now := s.clock.Now()
				b := store.NewBatch(20, now)
				for range rapid.IntRange(1, 6).Draw(t, "operations") {
					session, queue, count := key(store.KindSession).Draw(t, "value"), key(store.KindTidy).Draw(t, "queue"), key(store.KindProbe).Draw(t, "counter")
					until := now.Add(lives.Draw(t, "until"))
					at := now.Add(time.Duration(rapid.Int64Range(-5_000_000, 5_000_000).Draw(t, "at")) * time.Microsecond)
					switch rapid.IntRange(0, 11).Draw(t, "do") {
					case 0:
						b.Expect(rapid.SampledFrom(known).Draw(t, "version"), session, key(store.KindSession).Draw(t, "or"))
					case 1:
						b.Expect(0, session)
					case 2:
						v, _ := model.Read(context.Background(), session)
						b.Expect(v[0].Version, session)
					case 3:
						b.ExpectGone(rapid.SampledFrom(known).Draw(t, "version"), session)
					case 4, 5:
						b.Put(session, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes"), until)
					case 6:
						b.Delete(rapid.SampledFrom([]store.Key{session, queue, count}).Draw(t, "delete"))
					case 7:
						b.Add(count, ids.Draw(t, "field"), rapid.Int64Range(-9, 9).Draw(t, "n"), until)
					case 8:
						b.SetDue(queue, ids.Draw(t, "id"), at, rapid.SliceOfN(rapid.Byte(), 0, 10).Draw(t, "bytes"), until)
						dues = append(dues, at)
					case 9:
						b.ExpectDue(queue, ids.Draw(t, "id"), rapid.SampledFrom(dues).Draw(t, "at"))
						b.Postpone(queue, ids.Draw(t, "id"), at)
					case 10:
						b.Acknowledge(queue, ids.Draw(t, "id"))
					case 11:
						b.Drop(queue, ids.Draw(t, "prefix"))
					}
				}
				commit(t, b)
			},
			"again": func(t *rapid.T) {
				if last == nil {
					t.Skip("nothing to repeat")
				}
				// A client repeats at once, and only what it must not do twice
				// is promised to be noticed.
				if err := s.Commit(context.Background(), last); err != nil {
					t.Fatalf("repeat: %v", err)
				}
			},
			"wait": func(t *rapid.T) {
				s.clock.Add(time.Duration(rapid.Int64Range(0, 1_800_000).Draw(t, "ms")) * time.Millisecond)
				last = nil
			},
			"": func(t *rapid.T) {
				for _, name := range names {
					read := func(st store.Store) any {
						r, err := st.Read(context.Background(), store.Key{Shard: 20, Kind: store.KindSession, Name: prefix + name})
						if err != nil {
							t.Fatal(err)
						}
						q := store.Key{Shard: 20, Kind: store.KindTidy, Name: prefix + name}
						all, err := st.Queue(context.Background(), q, time.Time{}, 3)
						if err != nil {
							t.Fatal(err)
						}
						due, err := st.Queue(context.Background(), q, s.clock.Now(), 100)
						if err != nil {
							t.Fatal(err)
						}
						c, err := st.Counts(context.Background(), store.Key{Shard: 20, Kind: store.KindProbe, Name: prefix + name})
						if err != nil {
							t.Fatal(err)
						}
						return []any{r, all, due, c}
					}
					if d := cmp.Diff(read(model), read(s.Store), cmpopts.EquateEmpty(), cmp.Comparer(time.Time.Equal)); d != "" {
						t.Fatalf("%s (-model +store):\n%s", name, d)
					}
				}
			},
		})
	})
}

// Chat is a made-up chat, a different one for each n.
func Chat(n int) bot.ChatID {
	return bot.ChatID{Channel: bot.Telegram, Bot: "12345", User: strconv.Itoa(900_000_000 + n)}
}
