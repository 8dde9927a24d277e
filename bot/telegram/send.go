package telegram

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// priority decides who goes first when there is too much to send (S53).
type priority uint8

const (
	later priority = iota // tidying, campaigns
	talk                  // an answer to somebody who is there
	help                  // the card, and hiding
)

// rate is the bot's share of what Telegram takes in a second (S53). Alone, it is
// a bucket of its own. With replicas it draws small blocks from a bucket they
// share, ahead of need, so that no answer waits for the store; while the store
// is away it has a fixed share. The last of a bucket is kept for those who go
// first.
type rate struct {
	c *Channel

	mu      sync.Mutex
	own     float64 // refilled by time
	at      time.Time
	drawn   int // from the shared bucket
	stale   time.Time
	drawing bool
	away    bool
	refused int64     // the last chat Telegram asked to wait
	streak  int       // chats in a row it asked
	until   time.Time // everything waits, when it is not one chat that is too fast
}

const (
	block     = 5                // sends drawn at once
	blockLife = 10 * time.Second // unused ones are given up after
)

func newRate(c *Channel) *rate { return &rate{c: c} }

// take lets one message out, or says how long to wait before asking again.
func (r *rate) take(p priority, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wait := r.until.Sub(now); wait > 0 && p < help {
		return wait
	}
	l := r.c.o.Limits
	perSecond, most := float64(l.PerSecond), float64(l.PerSecond)
	keep := [...]float64{later: most / 3, talk: most / 10, help: 0}[p]
	shared := r.c.o.Buckets != nil
	if shared {
		// Between blocks one a second goes out unasked: somebody alone never waits.
		perSecond, most, keep = 1, 1, 0
		if r.away {
			perSecond, most = float64(l.Share), float64(l.Share)
		}
		if p == later {
			keep = 2
		}
	}
	if r.at.IsZero() {
		r.own = most
	} else {
		r.own = min(most, r.own+max(0, now.Sub(r.at).Seconds())*perSecond)
	}
	r.at = now
	if r.drawn > 0 && !now.Before(r.stale) {
		r.drawn = 0
	}
	if shared && r.drawn < block/2 && !r.drawing {
		r.drawing = true
		r.c.goes(r.draw)
	}
	switch have := r.own + float64(r.drawn); {
	case have < keep+1:
		if shared {
			return 40 * time.Millisecond
		}
		return time.Duration((keep + 1 - have) / perSecond * float64(time.Second))
	case r.drawn > 0:
		r.drawn--
	default:
		r.own--
	}
	return 0
}

// draw gets the next block.
func (r *rate) draw() {
	ctx, done := context.WithTimeout(r.c.life, time.Second)
	defer done()
	now := r.c.o.Now()
	n, err := r.c.o.Buckets.Draw(ctx, "send:"+r.c.id, block, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drawing, r.away = false, err != nil
	if err == nil && n > 0 {
		r.drawn, r.stale = r.drawn+n, now.Add(blockLife)
	}
}

// slow notes that Telegram asked a chat to wait. When it asks several in a row
// it is the whole bot that is too fast.
func (r *rate) slow(chat int64, wait time.Duration, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if chat != r.refused {
		r.refused, r.streak = chat, r.streak+1
	}
	if until := now.Add(min(wait, time.Minute)); r.streak >= 3 && until.After(r.until) {
		r.until = until
	}
}

// hold stops everything but help for a while.
func (r *rate) hold(until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until.After(r.until) {
		r.until = until
	}
}

func (r *rate) fine() {
	r.mu.Lock()
	r.refused, r.streak = 0, 0
	r.mu.Unlock()
}

// backoff is the wait after so many failures in a row: from 100 ms, doubled, up
// to 5 s, and never the same for all (S53).
func backoff(failures int) time.Duration {
	d := min(100*time.Millisecond<<min(max(failures-1, 0), 10), 5*time.Second)
	return d/2 + rand.N(d/2+1)
}
