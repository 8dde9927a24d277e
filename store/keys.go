package store

import (
	"bytes"
	"cmp"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"crypto/aes"

	"trygg/bot"
)

// The keys file is text, made by NewKeys and readable by its owner only:
//
//	trygg keys 1
//	base BASE64
//	key 1 BASE64
//	key 2 BASE64
//	active 2
//
// Each BASE64 is 32 random bytes. Keys have an id of 1 to 255; the active one
// seals what is written, the others open what was written before. The base
// never changes: it places chats on shards and names seen-marks, so that both
// stay where they are while keys come and go. Lines that begin with # and empty
// lines mean nothing.
//
// With several replicas a key is rotated in three steps, each brought to all of
// them before the next: AddKey, ActivateKey, and RetireKey when everything under
// the old key has ended (48 h) or was sealed anew.
const keysTitle = "trygg keys 1"

const keySize = 32

// Ring is a set of keys. It cannot be printed.
type Ring struct {
	active byte
	base   []byte
	keys   []ringKey // the active one first, then the youngest
	sealer map[byte]*ringKey
	places sync.Pool // of hash.Hash, keyed for placing chats
	marks  sync.Pool // ... for naming seen-marks
}

type ringKey struct {
	id    byte
	raw   []byte
	names sync.Pool // of hash.Hash, keyed for pseudonyms
	seals [kinds + 1]cipher.AEAD
}

func (*Ring) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[keys]") }
func (*Ring) LogValue() slog.Value       { return slog.StringValue("[keys]") }

var errKeys = errors.New("keys are never written out")

func (*Ring) MarshalJSON() ([]byte, error) { return nil, errKeys }
func (*Ring) MarshalText() ([]byte, error) { return nil, errKeys }

// Active is the id of the key that seals what is written.
func (r *Ring) Active() byte { return r.active }

// IDs are the ids of all keys, the active one first.
func (r *Ring) IDs() []byte {
	ids := make([]byte, len(r.keys))
	for i := range r.keys {
		ids[i] = r.keys[i].id
	}
	return ids
}

// NewKeys makes a keys file with one key. It never writes over a file.
func NewKeys(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make keys file: %w", err)
	}
	p := keysText{base: fresh(), keys: map[byte][]byte{1: fresh()}, active: 1}
	_, err = f.Write(p.text())
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("make keys file: %w", err)
	}
	return nil
}

func fresh() []byte {
	b := make([]byte, keySize)
	rand.Read(b)
	return b
}

// LoadKeys reads a keys file. It refuses files that others may read and keys
// that are short, weak, doubled or known, and says which without showing any
// (F63, S64).
func LoadKeys(path string) (*Ring, error) {
	text, err := readKeys(path)
	if err != nil {
		return nil, err
	}
	r, err := ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("keys file %s: %w", path, err)
	}
	return r, nil
}

func readKeys(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("keys file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("keys file %s: not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o177 != 0 {
		return nil, fmt.Errorf("keys file %s: mode %04o lets others in, want 0600", path, mode)
	}
	if info.Size() > 1<<16 {
		return nil, fmt.Errorf("keys file %s: too large", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("keys file: %w", err)
	}
	return text, nil
}

// ParseKeys reads the text of a keys file.
func ParseKeys(text []byte) (*Ring, error) {
	p, err := parseKeys(text)
	if err != nil {
		return nil, err
	}
	r := &Ring{active: p.active, base: p.base, sealer: map[byte]*ringKey{}}
	place, mark := derive(p.base, "place"), derive(p.base, "seen")
	r.places.New = func() any { return hmac.New(sha256.New, place) }
	r.marks.New = func() any { return hmac.New(sha256.New, mark) }
	var ids []byte
	for id := range p.keys {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b byte) int {
		if a == p.active || b == p.active {
			return cmp.Compare(b2i(b == p.active), b2i(a == p.active))
		}
		return cmp.Compare(b, a)
	})
	r.keys = make([]ringKey, len(ids))
	for i, id := range ids {
		k := &r.keys[i]
		k.id, k.raw = id, p.keys[id]
		name := derive(k.raw, "pseudonym")
		k.names.New = func() any { return hmac.New(sha256.New, name) }
		for _, row := range table {
			if row.Sealed {
				// A key for each kind: a random nonce of 96 bits is good for
				// 2^32 values under one key.
				block, err := aes.NewCipher(derive(k.raw, "seal "+row.Name))
				if err != nil {
					return nil, err
				}
				if k.seals[row.Kind], err = cipher.NewGCM(block); err != nil {
					return nil, err
				}
			}
		}
		r.sealer[id] = k
	}
	return r, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// derive makes a key for one purpose.
func derive(key []byte, purpose string) []byte {
	k, err := hkdf.Key(sha256.New, key, nil, "trygg "+purpose, keySize)
	if err != nil {
		panic(err) // only for lengths that make no sense
	}
	return k
}

// keysText is a keys file taken apart.
type keysText struct {
	base   []byte
	keys   map[byte][]byte
	active byte
}

func (p keysText) text() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n# Whoever has this file can read what the store holds. Keep it away from the store,\n# from backups of the store and from repositories. Without it all chats begin anew.\n", keysTitle)
	fmt.Fprintf(&b, "base %s\n", base64.StdEncoding.EncodeToString(p.base))
	for id := 1; id <= 255; id++ {
		if k, ok := p.keys[byte(id)]; ok {
			fmt.Fprintf(&b, "key %d %s\n", id, base64.StdEncoding.EncodeToString(k))
		}
	}
	fmt.Fprintf(&b, "active %d\n", p.active)
	return b.Bytes()
}

// parseKeys reads and judges a keys file; all faults are reported together.
func parseKeys(text []byte) (keysText, error) {
	p := keysText{keys: map[byte][]byte{}}
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	names := map[string]string{} // value -> who has it
	take := func(who, value string) []byte {
		k, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			fault("%s: not base64", who)
			return nil
		}
		if what := weak(k); what != "" {
			fault("%s: %s", who, what)
			return nil
		}
		if other, ok := names[string(k)]; ok {
			fault("%s: the same as %s", who, other)
			return nil
		}
		names[string(k)] = who
		return k
	}
	titled, active, based := false, false, false
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if !titled {
			if line != keysTitle {
				return p, fmt.Errorf("line %d: want %q: not a keys file, or of a later version", n, keysTitle)
			}
			titled = true
			continue
		}
		f := strings.Fields(line)
		switch {
		case f[0] == "base" && len(f) == 2:
			if based {
				fault("line %d: a second base", n)
			}
			based = true
			p.base = take("base", f[1])
		case f[0] == "key" && len(f) == 3:
			id, err := strconv.ParseUint(f[1], 10, 8)
			if err != nil || id == 0 {
				fault("line %d: want an id of 1 to 255", n)
				continue
			}
			who := fmt.Sprintf("key %d", id)
			if _, ok := p.keys[byte(id)]; ok {
				fault("%s: there twice", who)
			}
			p.keys[byte(id)] = take(who, f[2])
		case f[0] == "active" && len(f) == 2:
			id, err := strconv.ParseUint(f[1], 10, 8)
			if active || err != nil || id == 0 {
				fault("line %d: want one active key, an id of 1 to 255", n)
				continue
			}
			active = true
			p.active = byte(id)
		default:
			fault("line %d: want base, key or active", n) // its words may be secret
		}
	}
	switch {
	case !titled:
		fault("empty: make one with: trygg keys new FILE")
	case !based:
		fault("base is missing")
	}
	if _, ok := p.keys[p.active]; titled && !ok {
		if active {
			fault("key %d is active but missing", p.active)
		} else {
			fault("no key is active")
		}
	}
	return p, errors.Join(faults...)
}

// weak says what is wrong with a key, or nothing. Random bytes fail here less
// than once in 10^13 keys.
func weak(k []byte) string {
	if len(k) != keySize {
		return fmt.Sprintf("%d bytes, want %d", len(k), keySize)
	}
	different := map[byte]bool{}
	steps := map[byte]bool{}
	printable := true
	for i, c := range k {
		different[c] = true
		steps[c-k[(i+1)%len(k)]] = true
		printable = printable && (c >= ' ' && c < 0x7f || c == '\n' || c == '\t')
	}
	switch {
	case printable:
		return "text, such as a password or an example; want random bytes"
	case len(different) < 16 || len(steps) < 10 || bytes.Equal(k[:keySize/2], k[keySize/2:]):
		return "not random"
	}
	return ""
}

// AddKey puts a new key into a keys file without making it active, and gives
// its id.
func AddKey(path string) (id byte, err error) {
	err = editKeys(path, func(p *keysText) error {
		for i := 1; i <= 255; i++ {
			if _, ok := p.keys[byte(i)]; !ok && i > int(p.active) {
				id = byte(i)
				break
			}
		}
		for i := 255; id == 0 && i > 0; i-- { // wrapped around
			if _, ok := p.keys[byte(i)]; !ok {
				id = byte(i)
			}
		}
		if id == 0 {
			return errors.New("255 keys are there: retire some")
		}
		p.keys[id] = fresh()
		return nil
	})
	return id, err
}

// ActivateKey makes a key of the file the one that seals.
func ActivateKey(path string, id byte) error {
	return editKeys(path, func(p *keysText) error {
		if _, ok := p.keys[id]; !ok {
			return fmt.Errorf("no key %d", id)
		}
		p.active = id
		return nil
	})
}

// RetireKey removes a key from the file. What it sealed is absent from then on.
func RetireKey(path string, id byte) error {
	return editKeys(path, func(p *keysText) error {
		if _, ok := p.keys[id]; !ok {
			return fmt.Errorf("no key %d", id)
		}
		if id == p.active {
			return fmt.Errorf("key %d is active", id)
		}
		delete(p.keys, id)
		return nil
	})
}

// editKeys writes a changed keys file beside the old one and swaps them, so
// that a crash leaves one of both.
func editKeys(path string, edit func(*keysText) error) error {
	text, err := readKeys(path)
	if err != nil {
		return err
	}
	p, err := parseKeys(text)
	if err == nil {
		err = edit(&p)
	}
	if err != nil {
		return fmt.Errorf("keys file %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return fmt.Errorf("keys file: %w", err)
	}
	_, err = f.Write(p.text())
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keys file: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// nameSize is how much of an HMAC names a record: 128 bits.
const nameSize = 16

// name is an HMAC over parts, each with its length ahead, so that no two lists
// of parts are the same bytes.
func name(pool *sync.Pool, parts ...string) string {
	h := pool.Get().(hash.Hash)
	defer pool.Put(h)
	h.Reset()
	var buf [256]byte
	b := buf[:0]
	for _, p := range parts {
		b = append(b, byte(len(p)>>24), byte(len(p)>>16), byte(len(p)>>8), byte(len(p)))
		b = append(b, p...)
	}
	h.Write(b)
	return string(h.Sum(b[:0])[:nameSize])
}

// Pseudonym is the name of a chat under a key of the ring: the first half of
// HMAC-SHA-256 over channel, bot and user (S34). It is empty for an unknown key.
func (r *Ring) Pseudonym(chat bot.ChatID, key byte) string {
	k, ok := r.sealer[key]
	if !ok {
		return ""
	}
	return name(&k.names, chat.Channel, chat.Bot, chat.User)
}

// pseudonyms are the chat's names under all keys, the active one first.
func (r *Ring) pseudonyms(chat bot.ChatID) []string {
	p := make([]string, len(r.keys))
	for i := range r.keys {
		p[i] = name(&r.keys[i].names, chat.Channel, chat.Bot, chat.User)
	}
	return p
}

// Shard is where everything about a chat stands, under whatever key.
func (r *Ring) Shard(chat bot.ChatID) int {
	return int(name(&r.places, chat.Channel, chat.Bot, chat.User)[0]) % bot.Shards
}

// mark is the name of an update's seen-mark. Updates are told apart by channel
// and bot; the name says nothing about the chat.
func (r *Ring) mark(chat bot.ChatID, update string) string {
	return name(&r.marks, chat.Channel, chat.Bot, update)
}
