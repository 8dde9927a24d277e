package webchat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"trygg/bot"
)

// memory remembers when it first met a value, for at least life and in bounded
// space. It holds hashes only: what lies in this process's memory is no use to
// a page. Under a flood the oldest are forgotten first.
type memory struct {
	life time.Duration

	mu       sync.Mutex
	now, old map[mark]time.Time
	since    time.Time
}

type mark [16]byte

// maxMarks is the size of one of the two halves: about 5 MB each when full.
const maxMarks = 1 << 16

// first gives when a value was met first, and whether that was before.
func (m *memory) first(value string, now time.Time) (at time.Time, seen bool) {
	k := markOf(value)
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.find(k); ok {
		return at, true
	}
	if m.now == nil || len(m.now) >= maxMarks || now.Sub(m.since) > m.life {
		m.old, m.now, m.since = m.now, map[mark]time.Time{}, now
	}
	m.now[k] = now
	return now, false
}

// has tells whether a value was met.
func (m *memory) has(value string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.find(markOf(value))
	return ok
}

func (m *memory) find(k mark) (time.Time, bool) {
	if at, ok := m.now[k]; ok {
		return at, true
	}
	at, ok := m.old[k]
	return at, ok
}

func markOf(value string) mark {
	sum := sha256.Sum256([]byte(value))
	return mark(sum[:16])
}

// bucket lets so many through a minute, all together. It knows nobody (F77).
type bucket struct {
	perMinute float64

	mu   sync.Mutex
	left float64
	at   time.Time
}

func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() {
		b.left = b.perMinute
	} else if d := now.Sub(b.at); d > 0 { // a clock that goes back gives nothing
		b.left = min(b.perMinute, b.left+d.Minutes()*b.perMinute)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// starts keeps the start screens, so that a first view costs no look into any
// store: the same for everybody who comes with this language and municipality.
type starts struct {
	mu  sync.Mutex
	all map[startKey]*start
}

type startKey struct{ locale, tenant string }

type start struct {
	reply bot.Reply
	until time.Time
}

const (
	startLife  = 15 * time.Second // content may be published anew, the store come back
	startRetry = 5 * time.Second  // while another one asks
	maxStarts  = 4096
)

// get gives a start screen, asking for it when ours is old. When nothing can be
// had an old one serves; nil: there is none.
func (s *starts) get(now time.Time, k startKey, ask func() (bot.Reply, error)) *bot.Reply {
	s.mu.Lock()
	have := s.all[k]
	if have != nil && now.Before(have.until) {
		s.mu.Unlock()
		return &have.reply
	}
	if have != nil {
		// One asks, the others make do with the old one meanwhile.
		s.all[k] = &start{have.reply, now.Add(startRetry)}
	}
	s.mu.Unlock()

	reply, err := ask()
	if err != nil || len(reply.Bubbles) == 0 {
		if have == nil {
			return nil
		}
		return &have.reply
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) >= maxStarts {
		s.all = map[startKey]*start{}
	}
	s.all[k] = &start{reply, now.Add(startLife)}
	return &reply
}

// sessionLength is 256 bits in base64.
var sessionLength = base64.RawURLEncoding.EncodedLen(32)

// random gives n random bytes as text. crypto/rand cannot fail, so a source of
// a test's that can is backed by it: there is no page without a nonce.
func (s *Site) random(n int) string {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		rand.Read(b)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// stamp names a page: when it was made, and a random value.
func (s *Site) stamp() string {
	return strconv.FormatInt(s.Now().Unix(), 36) + "." + s.random(9)
}

func stampTime(stamp string) (time.Time, bool) {
	at, value, ok := strings.Cut(stamp, ".")
	sec, err := strconv.ParseInt(at, 36, 64)
	if !ok || err != nil || value == "" || sec < 0 || sec > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(sec, 0), true
}
