package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// EmbeddedOptions adjust OpenEmbedded; the zero value is good.
type EmbeddedOptions struct {
	Now   func() time.Time // the clock that says what has ended; time.Now
	Sweep time.Duration    // how often what has ended is removed; 1 s
}

// Embedded is the Store in one file of this machine, for trying out and for a
// small pilot (D2). One process at a time has the file.
type Embedded struct {
	db   *bolt.DB
	path string
	now  func() time.Time

	work chan *job
	stop chan struct{} // closed by Close
	idle chan struct{} // closed when the writer is done
	once sync.Once
	wait sync.WaitGroup
	err  error // of closing
}

var _ Store = (*Embedded)(nil)

// ErrHeld: another process has the embedded file open.
var ErrHeld = errors.New("another process has the file open; stop it first, or let it answer")

// The buckets. Keys begin with Key.bytes().
var (
	values   = []byte("v") // key -> version, end, value
	counters = []byte("n") // key -> end; key + field -> number
	entries  = []byte("q") // queue + id -> time, end, value
	order    = []byte("o") // queue + time + id -> nothing
	ends     = []byte("x") // end + bucket's letter + key there -> nothing, for the sweep
)

// OpenEmbedded opens the file, or makes it; only its owner may read it. A
// goroutine sweeps what has ended until Close, another writes: it takes all
// batches that wait and brings them to the disk together.
func OpenEmbedded(path string, o EmbeddedOptions) (*Embedded, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:        300 * time.Millisecond,
		FreelistType:   bolt.FreelistMapType,
		NoFreelistSync: true,
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("open %s: %w", path, ErrHeld)
	} else if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, unpathed(err))
	}
	e := &Embedded{db: db, path: path, now: o.Now, work: make(chan *job, 256), stop: make(chan struct{}), idle: make(chan struct{})}
	if e.now == nil {
		e.now = time.Now
	}
	err = os.Chmod(path, 0o600)
	if err == nil {
		err = db.Update(func(tx *bolt.Tx) error {
			for _, b := range [][]byte{values, counters, entries, order, ends} {
				if _, err := tx.CreateBucketIfNotExists(b); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, unpathed(err)), db.Close())
	}
	every := o.Sweep
	if every <= 0 {
		every = time.Second
	}
	e.wait.Go(e.write)
	e.wait.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-e.stop:
				return
			case <-t.C:
				// What cannot be removed now is absent all the same, and
				// the next sweep tries again.
				_ = e.Sweep(context.Background())
			}
		}
	})
	return e, nil
}

// unpathed drops the path an error repeats.
func unpathed(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Close finishes what is being written, stops the goroutines and gives the file
// free.
func (e *Embedded) Close() error {
	e.once.Do(func() {
		close(e.stop)
		e.wait.Wait()
		e.err = e.db.Close()
	})
	return e.err
}

var errClosed = errors.New("closed")

// job is one write that waits for its transaction.
type job struct {
	do   func(*bolt.Tx) (wrote bool, err error)
	done chan error
}

// write is the one goroutine that writes. While one transaction goes to the
// disk the next ones gather, so under load many share one sync, and a lone one
// waits for nobody (bolt's own Batch would let it wait for company).
func (e *Embedded) write() {
	defer close(e.idle)
	for {
		select {
		case <-e.stop:
			for {
				select {
				case j := <-e.work:
					j.done <- errClosed
				default:
					return
				}
			}
		case j := <-e.work:
			jobs := []*job{j}
		more:
			for len(jobs) < cap(e.work) {
				select {
				case j := <-e.work:
					jobs = append(jobs, j)
				default:
					break more
				}
			}
			e.together(jobs)
		}
	}
}

// errNothing ends a transaction that has nothing to bring to the disk.
var errNothing = errors.New("nothing written")

func (e *Embedded) together(jobs []*job) {
	errs := make([]error, len(jobs))
	err := e.update(func(tx *bolt.Tx) error {
		any := false
		for i, j := range jobs {
			wrote, err := j.do(tx)
			if errors.Is(err, ErrConflict) {
				errs[i] = err // nothing of it was written
				continue
			} else if err != nil {
				return err
			}
			any = any || wrote
		}
		if !any {
			return errNothing
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		err = nil
	}
	if err != nil && len(jobs) > 1 {
		// One of them is at fault: each on its own, so that only it fails.
		for _, j := range jobs {
			e.together([]*job{j})
		}
		return
	}
	for i, j := range jobs {
		if errs[i] == nil {
			errs[i] = err
		}
		j.done <- errs[i]
	}
}

// update and view turn a panic over a broken page into an error: a child's
// press must not end the process.
func (e *Embedded) update(do func(*bolt.Tx) error) (err error) {
	defer mended(&err)
	return e.db.Update(do)
}

func (e *Embedded) view(doing string, do func(*bolt.Tx) error) error {
	err := func() (err error) {
		defer mended(&err)
		return e.db.View(do)
	}()
	return e.failed(doing, err)
}

func mended(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("broken file: %v", r)
	}
}

// submit hands a write to the writer and waits. A caller that gives up does not
// know whether it was written.
func (e *Embedded) submit(ctx context.Context, doing string, do func(*bolt.Tx) (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return e.failed(doing, err)
	}
	j := &job{do: do, done: make(chan error, 1)}
	select {
	case <-e.stop:
		return e.failed(doing, errClosed)
	default:
	}
	select {
	case e.work <- j:
	case <-e.stop:
		return e.failed(doing, errClosed)
	case <-ctx.Done():
		return e.failed(doing, ctx.Err())
	}
	select {
	case err := <-j.done:
		return e.failed(doing, err)
	case <-ctx.Done():
		return e.failed(doing, ctx.Err())
	case <-e.stop:
		// The writer answers what it had taken; what came too late stays.
		<-e.idle
		select {
		case err := <-j.done:
			return e.failed(doing, err)
		default:
			return e.failed(doing, errClosed)
		}
	}
}

func (e *Embedded) failed(doing string, err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrBatch) {
		return err
	}
	f := &Error{Doing: doing, Class: "file", kind: ErrUnavailable, cause: err}
	switch {
	case errors.Is(err, context.Canceled):
		f.Class, f.kind = "given up", nil
	case errors.Is(err, context.DeadlineExceeded):
		f.Class = "timeout"
	case errors.Is(err, errClosed), errors.Is(err, berrors.ErrDatabaseNotOpen):
		f.Class = "closed"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, berrors.ErrMaxSizeReached):
		f.Class, f.kind = "full", ErrRefused
	case errors.Is(err, syscall.EROFS), errors.Is(err, berrors.ErrDatabaseReadOnly):
		f.Class, f.kind = "read-only", ErrRefused
	}
	return f
}

// Read is one read transaction.
func (e *Embedded) Read(ctx context.Context, keys ...Key) ([]Record, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := sameShard(Value, keys); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, e.failed("read", err)
	}
	now, records := e.now(), make([]Record, len(keys))
	err := e.view("read", func(tx *bolt.Tx) error {
		b := tx.Bucket(values)
		for i, k := range keys {
			records[i] = readHeader(b.Get(k.bytes()), now)
			records[i].Value = bytes.Clone(records[i].Value)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Commit is one transaction, often shared with other batches.
func (e *Embedded) Commit(ctx context.Context, b *Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	return e.submit(ctx, "commit", func(tx *bolt.Tx) (bool, error) { return apply(tx, b) })
}

// apply does a batch inside a transaction. It writes nothing when it answers
// ErrConflict. It tells whether it wrote at all.
func apply(tx *bolt.Tx, b *Batch) (bool, error) {
	t := records{tx, b.Now}
	version := func(k Key) uint64 { return readHeader(tx.Bucket(values).Get(k.bytes()), b.Now).Version }

	// A batch that is repeated after its answer was lost, as with Redis. Only
	// a caller that gave up can repeat here, so the stamp is enough for all
	// but additions, and those get a marker.
	stamped, marked := b.repeats()
	marker := Key{b.Shard, KindMarker, string(binary.BigEndian.AppendUint64(nil, b.Stamp))}
	if marked && version(marker) != 0 || stamped.Kind != 0 && version(stamped) == b.Stamp {
		return false, nil
	}
	for i, o := range b.Ops {
		good := true
		switch o.Do {
		case Expect:
			any, all := version(o.Key) == o.Version, version(o.Key) == 0
			for _, k := range o.Or {
				v := version(k)
				any, all = any || v == o.Version, all && v == 0
			}
			good = o.Version == 0 && all || o.Version != 0 && any
		case ExpectGone:
			v := version(o.Key)
			good = v == 0 || v == o.Version
			for _, k := range o.Or {
				v := version(k)
				good = good && (v == 0 || v == o.Version)
			}
		case ExpectDue:
			at, until, _, ok := t.entry(o.Key, o.ID)
			good = ok && until > b.Now.UnixMilli() && at == o.At.UnixMicro()
		}
		if !good {
			return false, &ConflictError{Op: i}
		}
	}
	if marked {
		if err := t.put(marker, b.Stamp, nil, b.Now.Add(markerLife)); err != nil {
			return false, err
		}
	}
	for _, o := range b.Ops {
		alive := o.Until.UnixMilli() > b.Now.UnixMilli()
		var err error
		switch {
		case o.Do == Put && alive:
			err = t.put(o.Key, b.Stamp, o.Value, o.Until)
		case o.Do == Put || o.Do == Delete && o.Key.Kind.Row().Shape == Value:
			err = t.remove(values, o.Key.bytes())
		case o.Do == Delete:
			switch o.Key.Kind.Row().Shape {
			case Counter:
				err = t.removeCounter(o.Key)
			case Queue:
				err = t.drop(o.Key, "")
			case Lock:
				err = t.remove(values, o.Key.bytes())
			}
		case o.Do == Add && alive:
			err = t.add(o.Key, o.ID, o.N, o.Until)
		case o.Do == Enqueue && alive:
			err = t.enqueue(o.Key, o.ID, o.At, o.Until, o.Value)
		case o.Do == Enqueue || o.Do == Acknowledge:
			err = t.dequeue(o.Key, o.ID)
		case o.Do == Postpone:
			err = t.postpone(o.Key, o.ID, o.At)
		case o.Do == Drop:
			err = t.drop(o.Key, o.ID)
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// records writes into a transaction and keeps ends and order beside the records.
type records struct {
	tx  *bolt.Tx
	now time.Time
}

// end is the place of a record in the order of ends.
func end(until int64, bucket, key []byte) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 9+len(key)), uint64(until))
	return append(append(b, bucket...), key...)
}

func untilOf(bucket, raw []byte) (int64, bool) {
	at := 8 // version or time, then the end
	if bytes.Equal(bucket, counters) {
		at = 0
	}
	if len(raw) < at+8 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(raw[at:])), true
}

// set writes a record and moves its end.
func (t records) set(bucket, key, raw []byte) error {
	b, x := t.tx.Bucket(bucket), t.tx.Bucket(ends)
	until, _ := untilOf(bucket, raw)
	if old, ok := untilOf(bucket, b.Get(key)); ok && old != until {
		if err := x.Delete(end(old, bucket, key)); err != nil {
			return err
		}
	}
	if err := x.Put(end(until, bucket, key), nil); err != nil {
		return err
	}
	return b.Put(key, raw)
}

// remove takes a record and its end away.
func (t records) remove(bucket, key []byte) error {
	b := t.tx.Bucket(bucket)
	raw := b.Get(key)
	if raw == nil {
		return nil
	}
	if until, ok := untilOf(bucket, raw); ok {
		if err := t.tx.Bucket(ends).Delete(end(until, bucket, key)); err != nil {
			return err
		}
	}
	return b.Delete(key)
}

func (t records) put(k Key, version uint64, value []byte, until time.Time) error {
	raw := append(putHeader(make([]byte, 0, header+len(value)), version, until), value...)
	return t.set(values, k.bytes(), raw)
}

func (t records) add(k Key, field string, n int64, until time.Time) error {
	b, key := t.tx.Bucket(counters), k.bytes()
	if old, ok := untilOf(counters, b.Get(key)); ok && old <= t.now.UnixMilli() {
		if err := t.removeCounter(k); err != nil {
			return err
		}
	}
	if err := t.set(counters, key, binary.BigEndian.AppendUint64(nil, uint64(until.UnixMilli()))); err != nil {
		return err
	}
	name := append(key, field...)
	if raw := b.Get(name); len(raw) == 8 {
		n += int64(binary.BigEndian.Uint64(raw))
	}
	return b.Put(name, binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func (t records) removeCounter(k Key) error {
	key := k.bytes()
	if err := t.remove(counters, key); err != nil {
		return err
	}
	return under(t.tx.Bucket(counters), key, func(field []byte) error {
		return t.tx.Bucket(counters).Delete(field)
	})
}

// entry reads one entry of a queue.
func (t records) entry(q Key, id string) (at, until int64, value []byte, ok bool) {
	raw := t.tx.Bucket(entries).Get(append(q.bytes(), id...))
	if len(raw) < header {
		return 0, 0, nil, false
	}
	return int64(binary.BigEndian.Uint64(raw)), int64(binary.BigEndian.Uint64(raw[8:])), raw[header:], true
}

// place is where an entry stands in the order of its queue.
func place(q Key, at int64, id string) []byte {
	return append(binary.BigEndian.AppendUint64(q.bytes(), uint64(at)), id...)
}

func (t records) enqueue(q Key, id string, at, until time.Time, value []byte) error {
	if err := t.dequeue(q, id); err != nil {
		return err
	}
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, header+len(value)), uint64(at.UnixMicro()))
	raw = append(binary.BigEndian.AppendUint64(raw, uint64(until.UnixMilli())), value...)
	if err := t.set(entries, append(q.bytes(), id...), raw); err != nil {
		return err
	}
	return t.tx.Bucket(order).Put(place(q, at.UnixMicro(), id), nil)
}

func (t records) dequeue(q Key, id string) error {
	at, _, _, ok := t.entry(q, id)
	if ok {
		if err := t.tx.Bucket(order).Delete(place(q, at, id)); err != nil {
			return err
		}
	}
	return t.remove(entries, append(q.bytes(), id...))
}

func (t records) postpone(q Key, id string, at time.Time) error {
	_, until, value, ok := t.entry(q, id)
	if !ok {
		return nil
	}
	return t.enqueue(q, id, at, time.UnixMilli(until), bytes.Clone(value))
}

func (t records) drop(q Key, prefix string) error {
	head := len(q.bytes())
	return under(t.tx.Bucket(entries), append(q.bytes(), prefix...), func(key []byte) error {
		return t.dequeue(q, string(key[head:]))
	})
}

// under calls do for a copy of each key that begins with prefix. The keys are
// gathered first: bolt's cursors do not bear writes under them.
func under(b *bolt.Bucket, prefix []byte, do func([]byte) error) error {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := do(k); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes what has ended by now.
func (e *Embedded) Sweep(ctx context.Context) error {
	const most = 1000 // a sweep of many does not hold up the presses
	for {
		now := e.now()
		due := false
		err := e.view("sweep", func(tx *bolt.Tx) error {
			k, _ := tx.Bucket(ends).Cursor().First()
			due = len(k) > 9 && int64(binary.BigEndian.Uint64(k)) <= now.UnixMilli()
			return nil
		})
		if err != nil || !due {
			return err
		}
		err = e.submit(ctx, "sweep", func(tx *bolt.Tx) (bool, error) {
			var ended [][]byte
			c := tx.Bucket(ends).Cursor()
			for k, _ := c.First(); len(k) > 9 && int64(binary.BigEndian.Uint64(k)) <= now.UnixMilli() && len(ended) < most; k, _ = c.Next() {
				ended = append(ended, bytes.Clone(k))
			}
			t := records{tx, now}
			for _, x := range ended {
				if err := t.end(x[8:9], x[9:]); err != nil {
					return false, err
				}
				if err := tx.Bucket(ends).Delete(x); err != nil {
					return false, err
				}
			}
			return len(ended) > 0, nil
		})
		if err != nil {
			return err
		}
	}
}

// end removes a record whose time has come.
func (t records) end(bucket, key []byte) error {
	var kind Kind
	for _, row := range table {
		if row.Letter == key[1] {
			kind = row.Kind
		}
	}
	k, ok := parseBytes(kind, key)
	switch {
	case ok && bytes.Equal(bucket, counters):
		return t.removeCounter(k)
	case ok && bytes.Equal(bucket, entries):
		return t.dequeue(k, string(key[len(k.bytes()):]))
	}
	return t.remove(values, key)
}

// Queue walks the order of a queue.
func (e *Embedded) Queue(ctx context.Context, q Key, by time.Time, most int) ([]Item, error) {
	if err := sameShard(Queue, []Key{q}); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, e.failed("read queue", err)
	}
	now := e.now()
	var items []Item
	err := e.view("read queue", func(tx *bolt.Tx) error {
		head, t := q.bytes(), records{tx, now}
		c := tx.Bucket(order).Cursor()
		for k, _ := c.Seek(head); bytes.HasPrefix(k, head) && len(items) < most; k, _ = c.Next() {
			at := int64(binary.BigEndian.Uint64(k[len(head):]))
			if !by.IsZero() && at > by.UnixMicro() {
				break
			}
			id := string(k[len(head)+8:])
			_, until, value, ok := t.entry(q, id)
			if ok && until > now.UnixMilli() {
				items = append(items, Item{ID: id, At: time.UnixMicro(at), Value: bytes.Clone(value)})
			}
		}
		return nil
	})
	return items, err
}

// Counts reads the fields of a counter.
func (e *Embedded) Counts(ctx context.Context, k Key) (map[string]int64, error) {
	if err := sameShard(Counter, []Key{k}); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, e.failed("read counter", err)
	}
	counts := map[string]int64{}
	err := e.view("read counter", func(tx *bolt.Tx) error {
		head := k.bytes()
		c := tx.Bucket(counters).Cursor()
		for name, raw := c.Seek(head); bytes.HasPrefix(name, head); name, raw = c.Next() {
			if len(raw) != 8 {
				continue
			}
			n := int64(binary.BigEndian.Uint64(raw))
			if len(name) > len(head) {
				counts[string(name[len(head):])] = n
			} else if n <= e.now().UnixMilli() {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// Page walks over the keys of a kind. A cursor is the last key seen.
func (e *Embedded) Page(ctx context.Context, kind Kind, cursor string, most int) ([]Key, string, error) {
	row := kind.Row()
	if row.Kind == 0 {
		return nil, "", fmt.Errorf("%w: unknown kind", ErrBatch)
	}
	if err := ctx.Err(); err != nil {
		return nil, "", e.failed("page", err)
	}
	bucket := map[Shape][]byte{Value: values, Lock: values, Counter: counters, Queue: entries}[row.Shape]
	var keys []Key
	next := ""
	err := e.view("page", func(tx *bolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		var last Key
		for at, _ := c.Seek([]byte(cursor)); at != nil; {
			k, ok := parseBytes(kind, at)
			if !ok {
				// Another kind: its letter is before ours, or the next
				// shard's turn comes.
				seek := []byte{at[0], row.Letter}
				if len(at) > 1 && at[1] >= row.Letter {
					if at[0] == 0xff {
						break
					}
					seek = []byte{at[0] + 1, row.Letter}
				}
				at, _ = c.Seek(seek)
				continue
			}
			// Fields and entries share the key of their record.
			if !(len(keys) > 0 && k == last) {
				if len(keys) >= max(most, 1) {
					next = string(at)
					return nil
				}
				keys, last = append(keys, k), k
			}
			at, _ = c.Next()
		}
		return nil
	})
	return keys, next, err
}

// Lease always gives the lease: only one process can have the file.
func (e *Embedded) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	if ttl < 0 || ttl > KindLease.Row().Life {
		return false, fmt.Errorf("%w: lease of %v", ErrBatch, ttl)
	}
	select {
	case <-e.stop:
		return false, e.failed("lease", errClosed)
	default:
		return true, e.failed("lease", ctx.Err())
	}
}

// Status tells where the file is and how large.
func (e *Embedded) Status(ctx context.Context) (Status, error) {
	s := Status{Backend: "embedded", Version: "bbolt", Nodes: 1, Append: true, Fsync: "always", Eviction: "noeviction", Path: e.path}
	info, err := os.Stat(e.path)
	if err != nil {
		return s, e.failed("status", err)
	}
	s.Size = info.Size()
	if info.Mode().Perm()&0o077 != 0 {
		s.Unsafe = append(s.Unsafe, "Others than the owner may read the file. Take their rights away (mode 0600).")
	}
	s.Unsafe = append(s.Unsafe, "State is in one file of this machine: good for trying out and for a small pilot with one process.")
	err = probe(ctx, e, e.now())
	s.Writable = err == nil
	if errors.Is(err, ErrRefused) {
		s.Unsafe = append(s.Unsafe, "The file cannot be written: the disk is full or read-only.")
		err = nil
	}
	return s, err
}
