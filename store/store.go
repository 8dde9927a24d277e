// Package store keeps what has to outlive a press of a button: where a chat
// is, which updates were seen, what still has to be shown or tidied.
//
// It has two layers. Below is one small transactional primitive, [Store], on 64
// shards, with two backends: [Redis] (one server, Sentinel or Cluster) and
// [Embedded] (one file). Above is everything the bot needs, written once on the
// primitive: [Chats]. Values are sealed before they reach a backend and every
// record has an end; the table of all records is in key.go.
package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"trygg/bot"
)

var (
	// ErrConflict: an expectation of a batch did not hold, nothing was written.
	// It comes inside a [ConflictError].
	ErrConflict = errors.New("an expectation did not hold")
	// ErrUnavailable: the store gave no answer, or one that says it cannot. A
	// batch may or may not have been written.
	ErrUnavailable = errors.New("store unavailable")
	// ErrRefused: the store answers but takes no writes: memory or disk full,
	// read-only, replicas missing (F6, F8). It is an ErrUnavailable, too.
	ErrRefused = fmt.Errorf("%w: it refuses writes", ErrUnavailable)
	// ErrBatch: a call that breaks the rules of the primitive, such as a record
	// without an end (S37). It is a fault of the program and nothing was written.
	ErrBatch = errors.New("malformed batch")
)

// ConflictError names the operation whose expectation did not hold.
type ConflictError struct {
	Op int // index in Batch.Ops
}

func (e *ConflictError) Error() string { return fmt.Sprintf("operation %d: %v", e.Op, ErrConflict) }
func (e *ConflictError) Unwrap() error { return ErrConflict }

// Error is a failure of a backend in words that are safe to log: what was being
// done and the class of the failure, never an address, a key or a password
// (F10, S40). The cause is only there for errors.Is and errors.As.
type Error struct {
	Doing string // "read", "commit", ...
	Class string // "timeout", "connection", "login", "full", ...
	kind  error  // ErrUnavailable or ErrRefused; nil when the caller gave up
	cause error
}

func (e *Error) Error() string {
	if e.kind == nil {
		return e.Doing + ": " + e.Class
	}
	return fmt.Sprintf("%s: %v (%s)", e.Doing, e.kind, e.Class)
}

func (e *Error) Unwrap() []error {
	if e.kind == nil {
		return []error{e.cause}
	}
	return []error{e.kind, e.cause}
}

// Store is the primitive (D13). All keys of one call belong to one shard. A
// record whose end has passed by the caller's clock is absent in every call.
type Store interface {
	// Read gives the values under some keys of one shard in one round trip, in
	// the order of the keys. An absent one is the zero Record.
	Read(ctx context.Context, keys ...Key) ([]Record, error)
	// Commit applies a batch to its shard: all of it, or none. Repeating the same
	// Batch after an error that left its fate open applies it at most once.
	Commit(ctx context.Context, b *Batch) error
	// Queue reads at most most entries of a queue that are due at by, the
	// earliest first. With the zero time it reads all, as a log is read.
	Queue(ctx context.Context, q Key, by time.Time, most int) ([]Item, error)
	// Counts gives the fields of a counter.
	Counts(ctx context.Context, k Key) (map[string]int64, error)
	// Page walks over the keys of a kind in all shards, a page at a time: start
	// with the empty cursor and go on until it comes back empty. What is there
	// all the time is seen at least once. Keys may repeat, and may have ended.
	Page(ctx context.Context, kind Kind, cursor string, most int) ([]Key, string, error)
	// Lease makes this Store the only holder of name until ttl has passed; it is
	// renewed by asking again and given up with ttl 0.
	Lease(ctx context.Context, name string, ttl time.Duration) (bool, error)
	// Status looks at the backend and says what is unsafe about it.
	Status(ctx context.Context) (Status, error)
	// Close releases the backend and waits for what it started.
	Close() error
}

// Record is a value with the version it was written under.
type Record struct {
	Version uint64 // 0 = absent
	Value   []byte
}

// Item is an entry of a queue.
type Item struct {
	ID    string
	At    time.Time // when it is due, to the microsecond; of a log: when it was appended
	Value []byte
}

// Batch is a list of operations on one shard. Expectations are all checked
// before anything is written, wherever they stand.
type Batch struct {
	Shard int
	Now   time.Time // the caller's clock: orders logs, measures ends
	Stamp uint64    // the version everything put by this batch gets
	Ops   []Op
}

// Do says what an operation does.
type Do uint8

const (
	Expect      Do = iota + 1 // one of Keys has Version; with Version 0: all are absent
	ExpectGone                // each of Keys has Version or is absent
	ExpectDue                 // entry ID of the queue is due at At
	Put                       // write Value until Until
	Delete                    // remove the whole record, of whatever shape
	Add                       // add N to field ID of a counter that ends at Until
	Enqueue                   // put entry ID into the queue, due at At, until Until
	Postpone                  // entry ID of the queue becomes due at At, if it is there
	Acknowledge               // remove entry ID from the queue
	Drop                      // remove all entries of the queue whose ID begins with ID
)

// Op is one operation of a Batch; Do says which fields count.
type Op struct {
	Do      Do
	Key     Key
	Or      []Key // more keys of Expect and ExpectGone
	Version uint64
	ID      string
	At      time.Time
	Until   time.Time
	N       int64
	Value   []byte
}

// NewBatch begins a batch for a shard.
func NewBatch(shard int, now time.Time) *Batch {
	return &Batch{Shard: shard, Now: now, Stamp: stamp(), Ops: make([]Op, 0, 8)}
}

// stamp makes a version. Versions are drawn, not counted: a record that was
// erased and made anew, or rolled back by a failover (F5), never gets a version
// that somebody still holds.
func stamp() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:]) | 1<<63
}

func (b *Batch) add(o Op) int {
	b.Ops = append(b.Ops, o)
	return len(b.Ops) - 1
}

// Expect lets the batch fail unless one of the keys has this version, or all
// are absent when it is 0. It gives the operation's index, as all of these do.
func (b *Batch) Expect(version uint64, k Key, or ...Key) int {
	return b.add(Op{Do: Expect, Version: version, Key: k, Or: or})
}

// ExpectGone lets the batch fail when one of the keys has another version.
func (b *Batch) ExpectGone(version uint64, k Key, or ...Key) int {
	return b.add(Op{Do: ExpectGone, Version: version, Key: k, Or: or})
}

// ExpectDue lets the batch fail unless the entry is due at exactly this time.
func (b *Batch) ExpectDue(q Key, id string, at time.Time) int {
	return b.add(Op{Do: ExpectDue, Key: q, ID: id, At: at})
}

// Put writes a value that ends at until.
func (b *Batch) Put(k Key, value []byte, until time.Time) int {
	return b.add(Op{Do: Put, Key: k, Value: value, Until: until})
}

// Delete removes a record.
func (b *Batch) Delete(k Key) int { return b.add(Op{Do: Delete, Key: k}) }

// Add adds n to a field of a counter; the whole counter ends at until.
func (b *Batch) Add(k Key, field string, n int64, until time.Time) int {
	return b.add(Op{Do: Add, Key: k, ID: field, N: n, Until: until})
}

// Append puts an entry at the end of a log: a queue in the order of writing.
func (b *Batch) Append(log Key, id string, value []byte, until time.Time) int {
	return b.SetDue(log, id, b.Now, value, until)
}

// SetDue puts an entry into a queue, instead of an earlier one of the same ID.
func (b *Batch) SetDue(q Key, id string, at time.Time, value []byte, until time.Time) int {
	return b.add(Op{Do: Enqueue, Key: q, ID: id, At: at, Value: value, Until: until})
}

// Postpone moves an entry of a queue to another time.
func (b *Batch) Postpone(q Key, id string, at time.Time) int {
	return b.add(Op{Do: Postpone, Key: q, ID: id, At: at})
}

// Acknowledge removes an entry of a queue.
func (b *Batch) Acknowledge(q Key, id string) int {
	return b.add(Op{Do: Acknowledge, Key: q, ID: id})
}

// Drop removes all entries of a queue whose ID begins with prefix.
func (b *Batch) Drop(q Key, prefix string) int {
	return b.add(Op{Do: Drop, Key: q, ID: prefix})
}

// Check refuses a batch that breaks the rules, above all one that would write a
// record without an end or with one beyond its kind's life (S37).
func (b *Batch) Check() error {
	if len(b.Ops) == 0 || b.Stamp == 0 || b.Now.IsZero() {
		return fmt.Errorf("%w: want operations, a stamp and a time", ErrBatch)
	}
	for i, o := range b.Ops {
		if err := o.check(b); err != nil {
			return fmt.Errorf("%w: operation %d: %v", ErrBatch, i, err)
		}
	}
	return nil
}

func (o Op) check(b *Batch) error {
	want := shapeOf(o.Do)
	if want == "" && o.Do != Delete {
		return errors.New("unknown")
	}
	if err := o.Key.check(b.Shard, want); err != nil {
		return err
	}
	for _, k := range o.Or {
		if err := k.check(b.Shard, want); err != nil {
			return err
		}
	}
	if o.Do == Put || o.Do == Add || o.Do == Enqueue {
		switch life := o.Key.Kind.Row().Life; {
		case o.Until.IsZero():
			return fmt.Errorf("%s without an end", o.Key.Kind)
		case o.Until.Sub(b.Now) > life+time.Millisecond:
			return fmt.Errorf("%s beyond its life of %v", o.Key.Kind, life)
		}
	}
	if want == Queue && o.Do != Drop && (o.ID == "" || len(o.ID) > maxID) || want == Counter && (o.ID == "" || len(o.ID) > maxID) {
		return fmt.Errorf("want an ID of 1 to %d bytes", maxID)
	}
	if o.Do == ExpectGone && o.Version == 0 {
		return errors.New("want a version")
	}
	return nil
}

const (
	maxID   = 128 // bytes of an entry's ID or a counter's field
	maxName = 128 // bytes of a key's name
)

// shapeOf tells which shape of record an operation works on.
func shapeOf(d Do) Shape {
	switch d {
	case Expect, ExpectGone, Put:
		return Value
	case Add:
		return Counter
	case ExpectDue, Enqueue, Postpone, Acknowledge, Drop:
		return Queue
	}
	return ""
}

// sameShard refuses keys of different shards or the wrong shape.
func sameShard(want Shape, keys []Key) error {
	for _, k := range keys {
		if err := k.check(keys[0].Shard, want); err != nil {
			return fmt.Errorf("%w: %v", ErrBatch, err)
		}
	}
	return nil
}

// repeats tells how a repeat of this batch is noticed. The Redis client sends a
// command again when its answer was lost (Cluster clients do so whatever they
// are told), so every batch must bear it. Three ways, the cheapest that holds:
//
//   - stamped: a key that is expected and put carries the batch's stamp after
//     the first time. Should somebody have overwritten it since, the repeat
//     fails its expectation.
//   - marked: a marker of its own, for additions, which must never count twice,
//     and for batches without such a key.
//   - harmless: neither, since writing the same again changes nothing.
func (b *Batch) repeats() (stamped Key, marked bool) {
	best, add, guarded := -1, false, false
	for i, o := range b.Ops {
		switch o.Do {
		case Add:
			add = true
		case Expect, ExpectGone, ExpectDue, Enqueue:
			guarded = true
		case Put:
			if !o.Until.After(b.Now) || slices.ContainsFunc(b.Ops[i+1:], func(l Op) bool { return l.Key == o.Key }) {
				continue // the stamp does not stay
			}
			for _, e := range b.Ops {
				// Best is one put where nothing was, such as a seen-mark:
				// nobody puts it again.
				if e.Do == Expect && e.Key == o.Key && (best < 0 || e.Version == 0) {
					best = i
				}
			}
		}
	}
	if best >= 0 && !add {
		return b.Ops[best].Key, false
	}
	return Key{}, add || guarded
}

// markerLife is how long a batch without a stamped key is known to be written;
// far longer than a client keeps trying.
const markerLife = time.Minute

// Status is what an operator wants to know of a backend (trygg store status).
type Status struct {
	Backend  string   // "redis", "sentinel", "cluster", "embedded"
	Version  string   // of the server; the lowest of several
	Nodes    int      // masters that answered
	Append   bool     // an append-only file is written everywhere
	Fsync    string   // how often it reaches the disk, when the server tells
	Eviction string   // what happens when memory is full
	Writable bool     // a write was tried and taken
	Path     string   // of the embedded file
	Size     int64    // of the embedded file, bytes
	Unsafe   []string // what is wrong, a sentence each

	// Set by Chats.Status.
	Damage  Damage
	Unknown int // records looked at that no key of the ring opens (F86)
	Looked  int
}

var _ bot.Chats = (*Chats)(nil)
var _ bot.Outbox = (*Chats)(nil)
