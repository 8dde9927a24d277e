package store_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"trygg/bot"
	"trygg/store"
	"trygg/store/storetest"
)

var bind = store.Bind{Kind: store.KindSession, Schema: 1, Name: "name"}

func TestSeal_whatIsSealedIsOpened(t *testing.T) {
	ring := storetest.Ring(t)
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "content")
		b := store.Bind{
			Kind:   rapid.SampledFrom([]store.Kind{store.KindSession, store.KindTraces, store.KindOutbox, store.KindTidy}).Draw(t, "kind"),
			Schema: rapid.Byte().Draw(t, "schema"), Name: rapid.StringN(0, 200, -1).Draw(t, "name"),
		}
		until := storetest.Start.Add(time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "ms")) * time.Millisecond)
		sealed, err := ring.Seal(b, until, content)
		if err != nil {
			t.Fatal(err)
		}
		got, end, err := ring.Open(b, storetest.Start, sealed)
		if err != nil || !bytes.Equal(got, content) || !end.Equal(until) {
			t.Fatalf("got %d bytes until %v: %v", len(got), end, err)
		}
		if _, _, err := ring.Open(b, until, sealed); !errors.Is(err, store.ErrEnded) {
			t.Fatalf("at its end: %v", err)
		}
	})
}

func TestSeal_worthlessAnywhereElse(t *testing.T) {
	ring, other := storetest.Ring(t), storetest.Ring(t)
	now := storetest.Start
	sealed, err := ring.Seal(bind, now.Add(time.Hour), []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := ring.Seal(bind, now.Add(time.Hour), []byte("content"))
	if bytes.Equal(sealed, again) {
		t.Error("the same content looks the same twice")
	}
	longer, _ := ring.Seal(bind, now.Add(time.Hour), bytes.Repeat([]byte("x"), 50))
	if len(longer) != len(sealed) {
		t.Errorf("7 bytes take %d sealed, 50 take %d: the length tells", len(sealed), len(longer))
	}
	if _, err := ring.Seal(store.Bind{Kind: store.KindSeen}, now.Add(time.Hour), nil); err == nil {
		t.Error("a kind that holds nothing was sealed")
	}
	for name, c := range map[string]struct {
		ring *store.Ring
		bind store.Bind
		want error
	}{
		"another name":   {ring, store.Bind{Kind: bind.Kind, Schema: 1, Name: "name2"}, store.ErrDamaged},
		"another kind":   {ring, store.Bind{Kind: store.KindTraces, Schema: 1, Name: "name"}, store.ErrDamaged},
		"no sealed kind": {ring, store.Bind{Kind: store.KindSeen, Schema: 1, Name: "name"}, store.ErrDamaged},
		"no kind at all": {ring, store.Bind{Kind: 200, Schema: 1, Name: "name"}, store.ErrDamaged},
		"another schema": {ring, store.Bind{Kind: bind.Kind, Schema: 2, Name: "name"}, store.ErrDamaged},
		"another ring":   {other, bind, store.ErrDamaged},
	} {
		if _, _, err := c.ring.Open(c.bind, now, sealed); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	for n := range len(sealed) {
		if _, _, err := ring.Open(bind, now, sealed[:n]); err == nil {
			t.Fatalf("opened with %d of %d bytes", n, len(sealed))
		}
	}
	for i := range len(sealed) * 8 {
		flipped := bytes.Clone(sealed)
		flipped[i/8] ^= 1 << (i % 8)
		if _, _, err := ring.Open(bind, now, flipped); err == nil {
			t.Fatalf("opened with bit %d flipped", i)
		}
	}
}

func FuzzOpen(f *testing.F) {
	ring := storetest.Ring(f)
	good, _ := ring.Seal(bind, storetest.Start.Add(time.Hour), []byte("content"))
	f.Add(good, byte(1), "name")
	f.Add(good[:20], byte(1), "name")
	f.Add([]byte{}, byte(0), "")
	f.Add(append([]byte{1, 1}, make([]byte, 200)...), byte(9), "x")
	f.Fuzz(func(t *testing.T, sealed []byte, kind byte, name string) {
		before := bytes.Clone(sealed)
		b := store.Bind{Kind: store.Kind(kind), Schema: 1, Name: name}
		content, _, err := ring.Open(b, storetest.Start, sealed)
		if err == nil && !(bytes.Equal(sealed, good) && b == bind) {
			t.Errorf("opened what nobody sealed: %q", content)
		}
		if !bytes.Equal(before, sealed) {
			t.Error("opening changed the value")
		}
	})
}

func TestPseudonym(t *testing.T) {
	path := storetest.Keys(t)
	ring := storetest.Ring(t, path)
	chat := func(channel, b, user string) bot.ChatID { return bot.ChatID{Channel: channel, Bot: b, User: user} }
	names := map[string]bot.ChatID{}
	for _, c := range []bot.ChatID{
		chat("telegram", "1", "23"), chat("telegram", "12", "3"), chat("telegram1", "", "23"), chat("telegra", "m1", "23"),
		chat("web", "1", "23"), chat("telegram", "1", "24"), chat("telegram", "", ""), chat("", "telegram", ""), {},
	} {
		p := ring.Pseudonym(c, 1)
		if len(p) != 16 || p != ring.Pseudonym(c, 1) {
			t.Errorf("pseudonym of %d bytes, or another each time", len(p))
		}
		if _, there := names[p]; there {
			t.Error("two chats have one pseudonym")
		}
		names[p] = c
		if s := ring.Shard(c); s < 0 || s >= bot.Shards {
			t.Errorf("shard %d", s)
		}
	}
	if ring.Pseudonym(chat("web", "", "x"), 9) != "" {
		t.Error("a pseudonym under a key that is not there")
	}
	if storetest.Ring(t).Pseudonym(chat("web", "1", "23"), 1) == ring.Pseudonym(chat("web", "1", "23"), 1) {
		t.Error("another secret gives the same pseudonym")
	}
	// A chat stays on its shard when keys rotate, and shards are used evenly.
	id, err := store.AddKey(path)
	if err == nil {
		err = store.ActivateKey(path, id)
	}
	if err != nil {
		t.Fatal(err)
	}
	rotated := storetest.Ring(t, path)
	used := map[int]int{}
	for n := range 64 * 50 {
		c := storetest.Chat(n)
		if ring.Shard(c) != rotated.Shard(c) {
			t.Fatal("a chat moved to another shard")
		}
		used[ring.Shard(c)]++
	}
	for s := range bot.Shards {
		if used[s] < 15 || used[s] > 110 {
			t.Errorf("shard %d has %d of 3200 chats", s, used[s])
		}
	}
}

// text makes a keys file by hand.
func text(lines ...string) []byte {
	return []byte("trygg keys 1\n" + strings.Join(lines, "\n") + "\n")
}

// key makes a good key, a different one for each seed, without secrets.
func key(seed byte) string {
	b := make([]byte, 32)
	for i := range b {
		b[i] = byte(i*i)*7 + byte(i)*13 + seed*31 + byte(i>>1)*seed
	}
	return base64.StdEncoding.EncodeToString(b)
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func TestF63_weakKeysAreRefused(t *testing.T) {
	base, one := "base "+key(1), "key 1 "+key(2)
	count := make([]byte, 32)
	for i := range count {
		count[i] = byte(i)
	}
	half := append(bytes.Clone(mustB64(t, key(5))[:16]), mustB64(t, key(5))[:16]...)
	for _, c := range []struct {
		name string
		text []byte
		want string // in the error; "" = good
	}{
		{"one key", text(base, one, "active 1"), ""},
		{"three keys, comments and spaces", text("# words", "", base, "  key 255  "+key(3), one, "key 7 "+key(4), "active 255"), ""},
		{"an empty file", nil, "empty"},
		{"something else", []byte("-----BEGIN PRIVATE KEY-----\n"), "not a keys file"},
		{"a later version", []byte("trygg keys 2\n"), "later version"},
		{"no base", text(one, "active 1"), "base is missing"},
		{"two bases", text(base, "base "+key(9), one, "active 1"), "a second base"},
		{"no keys", text(base, "active 1"), "key 1 is active but missing"},
		{"none active", text(base, one), "no key is active"},
		{"another one active", text(base, one, "active 2"), "key 2 is active but missing"},
		{"two active", text(base, one, "active 1", "active 1"), "line 5: want one active key"},
		{"id 0", text(base, "key 0 "+key(3), one, "active 1"), "want an id of 1 to 255"},
		{"id 256", text(base, "key 256 "+key(3), one, "active 1"), "want an id of 1 to 255"},
		{"an id twice", text(base, one, "key 1 "+key(3), "active 1"), "key 1: there twice"},
		{"the same key twice", text(base, one, "key 2 "+key(2), "active 1"), "key 2: the same as key 1"},
		{"a key that is the base", text(base, "key 1 "+key(1), "active 1"), "key 1: the same as base"},
		{"a short key", text(base, one, "key 2 "+b64(mustB64(t, key(3))[:16]), "active 1"), "key 2: 16 bytes, want 32"},
		{"a long key", text(base, "key 1 "+b64(append(mustB64(t, key(3)), 1)), "active 1"), "key 1: 33 bytes, want 32"},
		{"no base64", text(base, "key 1 p@ssw0rd", "active 1"), "key 1: not base64"},
		{"zeros", text(base, "key 1 "+b64(make([]byte, 32)), "active 1"), "key 1: not random"},
		{"counting", text(base, "key 1 "+b64(count), "active 1"), "key 1: not random"},
		{"half a key twice", text(base, "key 1 "+b64(half), "active 1"), "key 1: not random"},
		{"a password", text(base, "key 1 "+b64([]byte("changeme-changeme-CHANGEME-12345")), "active 1"), "key 1: text"},
		{"a weak base", text("base "+b64(make([]byte, 32)), one, "active 1"), "base: not random"},
		{"a word too many", text(base, one+" extra", "active 1"), "line 3: want base, key or active"},
		{"all faults together", text("key 0 x", "key 2 "+b64(make([]byte, 32))), "no key is active"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := store.ParseKeys(c.text)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || r != nil {
				t.Fatal("taken")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want something with %q", err, c.want)
			}
			// No value is printed, not even a wrong one.
			for word := range strings.FieldsSeq(string(c.text)) {
				if len(word) > 6 && word != "active" && strings.Contains(err.Error(), word) {
					t.Errorf("the error repeats %q", word)
				}
			}
		})
	}
	_, err := store.ParseKeys(text("key 0 x", "key 2 "+b64(make([]byte, 32))))
	for _, want := range []string{"line 2", "key 2: not random", "base is missing", "no key is active"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among %q", want, err)
		}
	}
}

func mustB64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeysFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if _, err := store.LoadKeys(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if err := store.NewKeys(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600: %v", info.Mode(), err)
	}
	first, _ := os.ReadFile(path)
	if err := store.NewKeys(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("written over: %v", err)
	}
	for mode, good := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o700: false, 0o666: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := store.LoadKeys(path); (err == nil) != good {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
	_ = os.Chmod(path, 0o600)
	if _, err := store.LoadKeys(filepath.Dir(path)); err == nil {
		t.Error("a folder was taken")
	}

	if id, err := store.AddKey(path); id != 2 || err != nil {
		t.Fatalf("add: %d, %v", id, err)
	}
	if r := storetest.Ring(t, path); r.Active() != 1 || fmt.Sprint(r.IDs()) != "[1 2]" {
		t.Errorf("a new key is active before it is everywhere: %d of %v", r.Active(), r.IDs())
	}
	if err := store.ActivateKey(path, 3); err == nil {
		t.Error("a key that is not there was made active")
	}
	if err := store.ActivateKey(path, 2); err != nil {
		t.Fatal(err)
	}
	if err := store.RetireKey(path, 2); err == nil {
		t.Error("the active key was retired")
	}
	if r := storetest.Ring(t, path); fmt.Sprint(r.IDs()) != "[2 1]" {
		t.Errorf("keys %v", r.IDs())
	}
	if err := store.RetireKey(path, 1); err != nil {
		t.Fatal(err)
	}
	if err := store.RetireKey(path, 1); err == nil {
		t.Error("retired twice")
	}
	// Ids are not used again as long as there are others: a retired key may
	// still stand in records.
	if id, err := store.AddKey(path); id != 3 || err != nil {
		t.Fatalf("add: %d, %v", id, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v after the changes, want 0600: %v", info.Mode(), err)
	}
	last, _ := os.ReadFile(path)
	if line := bytes.SplitAfter(first, []byte("\n"))[3]; !bytes.HasPrefix(line, []byte("base ")) || !bytes.Contains(last, line) {
		t.Error("the base changed")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".keys*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	// All 255, and then no more.
	for range 253 {
		if _, err := store.AddKey(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.AddKey(path); err == nil {
		t.Error("a 256th key")
	}
}

// Secrets cannot be printed by accident, whatever is tried.
func TestRingCannotBePrinted(t *testing.T) {
	ring := storetest.Ring(t)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "ring", ring)
	out := fmt.Sprintf("%v %+v %#v %s %d %x", ring, ring, ring, ring, ring, ring) + log.String()
	if _, err := json.Marshal(ring); err == nil {
		t.Error("a ring can be marshalled")
	}
	if strings.Trim(fmt.Sprintf("%v %+v %#v %s %d %x", ring, ring, ring, ring, ring, ring), "[keys] ") != "" || !strings.Contains(log.String(), `"ring":"[keys]"`) {
		t.Errorf("printed: %s", out)
	}
	if s := fmt.Sprintf("%v %+v %#v", store.Key{Name: "canary"}, store.Key{Name: "canary"}, []store.Key{{Name: "canary"}}); strings.Contains(s, "canary") {
		t.Errorf("printed: %s", s)
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add(text("base "+key(1), "key 1 "+key(2), "active 1"))
	f.Add(text("base x", "key", "active 999"))
	f.Add([]byte("trygg keys 1\r\n\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := store.ParseKeys(b)
		if (err == nil) != (r != nil) {
			t.Fatal("neither a ring nor an error, or both")
		}
		if err != nil {
			return
		}
		sealed, err := r.Seal(bind, storetest.Start.Add(time.Hour), []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := r.Open(bind, storetest.Start, sealed); err != nil || string(got) != "x" {
			t.Fatalf("got %q: %v", got, err)
		}
	})
}
