package store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"trygg/bot"
)

// Kind is a kind of record. All kinds there are stand in one table below.
type Kind uint8

const (
	KindSession Kind = iota + 1
	KindTraces
	KindSeen
	KindOutbox
	KindTidy
	KindLease
	KindMarker
	KindProbe
	KindBucket
	kinds = iota
)

// Shape is how a record is built.
type Shape string

const (
	Value   Shape = "value"   // bytes with a version
	Queue   Shape = "queue"   // entries with a time each: logs and due lists
	Counter Shape = "counter" // fields with a number each
	Lock    Shape = "lock"    // a lease or a marker; no data
)

// Lifetime is one row of the table of everything that is stored (S37). The
// privacy page is checked against it (S44).
type Lifetime struct {
	Kind   Kind
	Letter byte   // its name inside keys
	Name   string // stable name, for texts and messages
	What   string // what it is, a sentence for operators
	Shape  Shape
	Life   time.Duration // the longest a written record stays
	Total  time.Duration // the longest it can be renewed; 0 = as long as it is written anew
	Sealed bool          // its content is encrypted; the others hold no content
	Child  bool          // about a child's chat, else of the municipality or the machinery
	Erased bool          // gone at once when the child erases (S38)
	ReSeal bool          // lives long enough to be sealed anew when keys rotate (S36)
}

var table = [...]Lifetime{
	{KindSession, 'c', "session", "Where a chat is in a conversation, and the few choices that shape the wording.",
		Value, 2 * time.Hour, 24 * time.Hour, true, true, true, false},
	{KindTraces, 'h', "traces", "Numbers of messages that can still be removed from the phone.",
		Value, 48 * time.Hour, 0, true, true, true, false},
	{KindSeen, 'u', "seen", "A mark that an update was handled, so that a repeat changes nothing. It has no content.",
		Value, 25 * time.Hour, 25 * time.Hour, false, true, false, false},
	{KindOutbox, 'o', "outbox", "Names of screens that were decided and perhaps not yet shown, the chat they go to, and its language.",
		Queue, 24 * time.Hour, 24 * time.Hour, true, true, true, false},
	{KindTidy, 'd', "tidy", "When the screen of a silent chat returns to the neutral start, the chat, and its language.",
		Queue, 48 * time.Hour, 48 * time.Hour, true, true, true, false},
	{KindLease, 'l', "lease", "Which process does a piece of shared work right now.",
		Lock, time.Hour, 0, false, false, false, false},
	{KindMarker, 'b', "marker", "A mark that a write was done, for the case that its answer was lost.",
		Lock, markerLife, markerLife, false, false, false, false},
	{KindProbe, 'n', "probe", "How often somebody looked whether the store takes writes.",
		Counter, time.Hour, 0, false, false, false, false},
	{KindBucket, 'r', "bucket", "How many messages a bot has sent in the present second.",
		Value, bucketLife, 0, false, false, false, false},
}

// Lifetimes is the table of all kinds of records, in the order of their names
// here. There is no other record than these.
func Lifetimes() []Lifetime { return append([]Lifetime(nil), table[:]...) }

// Row is the kind's row of the table.
func (k Kind) Row() Lifetime {
	if k == 0 || int(k) > len(table) {
		return Lifetime{}
	}
	return table[k-1]
}

func (k Kind) String() string { return k.Row().Name }

// Key names a record. Name is a pseudonym or another keyed hash, never an id.
type Key struct {
	Shard int
	Kind  Kind
	Name  string // any bytes; may be empty
}

// Format keeps names out of messages and logs (S40).
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[%s]", k.Kind) }

func (k Key) check(shard int, want Shape) error {
	switch row := k.Kind.Row(); {
	case k.Kind == 0 || row.Kind != k.Kind:
		return errors.New("unknown kind")
	case want != "" && row.Shape != want:
		return fmt.Errorf("%s is a %s, want a %s", k.Kind, row.Shape, want)
	case k.Shard < 0 || k.Shard >= bot.Shards:
		return fmt.Errorf("no shard %d", k.Shard)
	case k.Shard != shard:
		return errors.New("keys of several shards")
	case len(k.Name) > maxName:
		return errors.New("name too long")
	}
	return nil
}

// The keys of the program. Value records end as their rows say; session and
// traces stand under the chat's pseudonym, seen-marks under a hash of the update.

func sessionKey(shard int, pseudonym string) Key { return Key{shard, KindSession, pseudonym} }
func tracesKey(shard int, pseudonym string) Key  { return Key{shard, KindTraces, pseudonym} }
func seenKey(shard int, mark string) Key         { return Key{shard, KindSeen, mark} }
func outboxKey(shard int) Key                    { return Key{shard, KindOutbox, ""} }
func tidyKey(shard int) Key                      { return Key{shard, KindTidy, ""} }
func probeKey(shard int) Key                     { return Key{shard, KindProbe, ""} }

// leaseKey spreads leases over the shards; the name is one of the program's own.
func leaseKey(name string) Key {
	h := fnv.New32a()
	h.Write([]byte(name))
	return Key{int(h.Sum32() % bot.Shards), KindLease, name}
}

// The form of a key in Redis: {s17}:c:<name in base64>. The braces are the hash
// tag that keeps a shard together on one node of a Cluster. A queue has two
// keys: its order, and its values under a capital letter.

func (k Key) redis() string { return k.redisAs(k.Kind.Row().Letter) }

func (k Key) redisValues() string { return k.redisAs(k.Kind.Row().Letter - 'a' + 'A') }

func (k Key) redisAs(letter byte) string {
	b := make([]byte, 0, 8+base64.RawURLEncoding.EncodedLen(len(k.Name)))
	b = append(b, "{s"...)
	b = strconv.AppendInt(b, int64(k.Shard), 10)
	b = append(b, '}', ':', letter, ':')
	b = base64.RawURLEncoding.AppendEncode(b, []byte(k.Name))
	return string(b)
}

func redisPattern(k Kind) string { return "{s*}:" + string(k.Row().Letter) + ":*" }

// parseRedis reads a key back; false for anything that is not ours.
func parseRedis(kind Kind, s string) (Key, bool) {
	rest, ok := strings.CutPrefix(s, "{s")
	shard, rest, ok2 := strings.Cut(rest, "}:"+string(kind.Row().Letter)+":")
	n, err := strconv.Atoi(shard)
	name, err2 := base64.RawURLEncoding.DecodeString(rest)
	k := Key{n, kind, string(name)}
	if !ok || !ok2 || err != nil || err2 != nil || k.check(n, "") != nil {
		return Key{}, false
	}
	return k, true
}

// The form of a key in the embedded file: shard, letter, length of the name,
// name. What follows is an entry's ID or a counter's field.

func (k Key) bytes() []byte {
	b := make([]byte, 0, 3+len(k.Name)+16)
	b = append(b, byte(k.Shard), k.Kind.Row().Letter, byte(len(k.Name)))
	return append(b, k.Name...)
}

func parseBytes(kind Kind, b []byte) (Key, bool) {
	if len(b) < 3 || b[1] != kind.Row().Letter || len(b) < 3+int(b[2]) {
		return Key{}, false
	}
	return Key{int(b[0]), kind, string(b[3 : 3+int(b[2])])}, true
}
