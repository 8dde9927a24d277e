package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"trygg/store"
)

// Memory is a Store in maps: the model the real ones are held to, and a fast
// stand-in for tests of what lies above. Everything is done in the plainest way.
type Memory struct {
	now func() time.Time

	mu      sync.Mutex
	values  map[store.Key]value
	counts  map[store.Key]counter
	queues  map[store.Key]map[string]entry
	written map[uint64]bool // stamps of batches that were applied
}

type (
	value struct {
		store.Record
		until time.Time
	}
	counter struct {
		fields map[string]int64
		until  time.Time
	}
	entry struct {
		store.Item
		until time.Time
	}
)

var _ store.Store = (*Memory)(nil)

// NewMemory makes an empty store; a nil clock is time.Now.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	return &Memory{
		now: now, values: map[store.Key]value{}, counts: map[store.Key]counter{},
		queues: map[store.Key]map[string]entry{}, written: map[uint64]bool{},
	}
}

func (m *Memory) version(k store.Key, now time.Time) uint64 {
	if v, ok := m.values[k]; ok && v.until.After(now) {
		return v.Version
	}
	return 0
}

// Read gives copies.
func (m *Memory) Read(ctx context.Context, keys ...store.Key) ([]store.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]store.Record, len(keys))
	for i, k := range keys {
		if k.Shard != keys[0].Shard {
			return nil, store.ErrBatch
		}
		if v, ok := m.values[k]; ok && v.until.After(m.now()) {
			out[i] = store.Record{Version: v.Version, Value: slices.Clone(v.Value)}
		}
	}
	return out, ctx.Err()
}

// Commit checks all, then does all.
func (m *Memory) Commit(ctx context.Context, b *store.Batch) error {
	if err := cmp.Or(b.Check(), ctx.Err()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.written[b.Stamp] {
		return nil
	}
	for i, o := range b.Ops {
		versions := []uint64{m.version(o.Key, b.Now)}
		for _, k := range o.Or {
			versions = append(versions, m.version(k, b.Now))
		}
		is := func(v uint64) bool { return v == o.Version }
		not := func(v uint64) bool { return v != 0 && v != o.Version }
		good := true
		switch o.Do {
		case store.Expect:
			good = slices.ContainsFunc(versions, is)
			if o.Version == 0 {
				good = !slices.ContainsFunc(versions, not)
			}
		case store.ExpectGone:
			good = !slices.ContainsFunc(versions, not)
		case store.ExpectDue:
			e, ok := m.queues[o.Key][o.ID]
			good = ok && e.until.After(b.Now) && e.At.Equal(o.At.Truncate(time.Microsecond))
		}
		if !good {
			return &store.ConflictError{Op: i}
		}
	}
	m.written[b.Stamp] = true
	for _, o := range b.Ops {
		m.do(o, b)
	}
	return nil
}

func (m *Memory) do(o store.Op, b *store.Batch) {
	alive := o.Until.After(b.Now)
	switch o.Do {
	case store.Put:
		delete(m.values, o.Key)
		if alive {
			m.values[o.Key] = value{store.Record{Version: b.Stamp, Value: slices.Clone(o.Value)}, o.Until}
		}
	case store.Delete:
		delete(m.values, o.Key)
		delete(m.counts, o.Key)
		delete(m.queues, o.Key)
	case store.Add:
		c := m.counts[o.Key]
		if c.fields == nil || !c.until.After(b.Now) {
			c.fields = map[string]int64{}
		}
		if alive {
			c.fields[o.ID] += o.N
			c.until = o.Until
			m.counts[o.Key] = c
		}
	case store.Enqueue:
		if m.queues[o.Key] == nil {
			m.queues[o.Key] = map[string]entry{}
		}
		delete(m.queues[o.Key], o.ID)
		if alive {
			m.queues[o.Key][o.ID] = entry{store.Item{ID: o.ID, At: o.At.Truncate(time.Microsecond), Value: slices.Clone(o.Value)}, o.Until}
		}
	case store.Postpone:
		if e, ok := m.queues[o.Key][o.ID]; ok {
			e.At = o.At.Truncate(time.Microsecond)
			m.queues[o.Key][o.ID] = e
		}
	case store.Acknowledge:
		delete(m.queues[o.Key], o.ID)
	case store.Drop:
		maps.DeleteFunc(m.queues[o.Key], func(id string, _ entry) bool { return strings.HasPrefix(id, o.ID) })
	}
}

// Queue sorts by time, then by ID.
func (m *Memory) Queue(ctx context.Context, q store.Key, by time.Time, most int) ([]store.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var items []store.Item
	for _, e := range m.queues[q] {
		if e.until.After(m.now()) && (by.IsZero() || !e.At.After(by)) {
			items = append(items, e.Item)
		}
	}
	slices.SortFunc(items, func(a, b store.Item) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return items[:min(len(items), max(most, 0))], ctx.Err()
}

// Counts gives a copy.
func (m *Memory) Counts(ctx context.Context, k store.Key) (map[string]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]int64{}
	if c, ok := m.counts[k]; ok && c.until.After(m.now()) {
		maps.Copy(out, c.fields)
	}
	return out, ctx.Err()
}

// Page gives everything at once.
func (m *Memory) Page(ctx context.Context, kind store.Kind, _ string, _ int) ([]store.Key, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []store.Key
	for k, v := range m.values {
		if k.Kind == kind && v.until.After(m.now()) {
			keys = append(keys, k)
		}
	}
	for k, c := range m.counts {
		if k.Kind == kind && c.until.After(m.now()) {
			keys = append(keys, k)
		}
	}
	for k, q := range m.queues {
		if k.Kind == kind && len(q) > 0 {
			keys = append(keys, k)
		}
	}
	return keys, "", ctx.Err()
}

// Lease always gives the lease: there is one process.
func (m *Memory) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	if ttl < 0 || ttl > store.KindLease.Row().Life {
		return false, store.ErrBatch
	}
	return true, ctx.Err()
}

// Status says what it is.
func (m *Memory) Status(ctx context.Context) (store.Status, error) {
	return store.Status{Backend: "memory", Writable: true, Nodes: 1}, ctx.Err()
}

// Close does nothing.
func (m *Memory) Close() error { return nil }
