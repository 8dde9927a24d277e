package telegram

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	tg "github.com/go-telegram/bot"
)

// Polling. One replica at a time asks for updates: whoever has the lease, and
// while the store is away whoever had it last (S3). An update counts as taken by
// Telegram as soon as we ask for a higher number, so the number only moves past
// what was dealt with (tech sheet 1.6).
const (
	leaseTime = 4 * time.Second  // so that a process that died is missed for no longer
	askFor    = 25 * time.Second // how long Telegram may wait for something to come
	side      = 32               // chats handled side by side
	patience  = 3 * time.Second  // one that takes longer does not hold up the next batch
)

// poller is the state of polling.
type poller struct {
	c      *Channel
	offset int // the lowest number not dealt with

	mu      sync.Mutex
	done    map[int]bool // from offset on: true = dealt with, false = under way
	changed chan struct{}
	slots   chan struct{}
	last    sync.Mutex
	chats   map[int64]chan struct{} // the end of the last update of a chat
}

func (c *Channel) poll(ctx context.Context) {
	p := &poller{c: c, done: map[int]bool{}, changed: make(chan struct{}, 1), slots: make(chan struct{}, side), chats: map[int64]chan struct{}{}}
	lease := c.holdLease(ctx, "poll:"+c.id)
	ready, fails := false, 0
	for ctx.Err() == nil {
		if !lease.held() {
			ready = false
			if !pause(ctx, leaseTime/8) {
				return
			}
			continue
		}
		if !ready {
			// A webhook that is set would keep updates from us. What waits stays.
			_, err := c.api.lib.DeleteWebhook(ctx, &tg.DeleteWebhookParams{DropPendingUpdates: false})
			if err = rarely("deleteWebhook", err); err != nil {
				fails++
				c.cool(ctx, err, fails)
				continue
			}
			ready = true
		}
		err := p.ask(ctx)
		if err == nil {
			fails = 0
			continue
		}
		if ctx.Err() != nil {
			return
		}
		fails++
		ready = !errors.Is(err, errOtherPoller)
		c.cool(ctx, err, fails)
	}
}

// cool waits after a call that failed.
func (c *Channel) cool(ctx context.Context, err error, fails int) {
	wait := backoff(fails)
	var slow *retryError
	switch {
	case errors.As(err, &slow) && slow.After > 0:
		wait = slow.After
	case errors.Is(err, errUnauthorized):
		c.alarm("unauthorized")
		wait = max(wait, 5*time.Second)
	case errors.Is(err, errOtherPoller):
		// Somebody else polls, perhaps the one who had the lease before us.
		wait = max(wait, 2*time.Second)
	}
	if fails == 1 || fails%20 == 0 {
		c.failed("poll", err)
	}
	pause(ctx, wait)
}

// ask gets one batch and deals with it. Chats go side by side, the updates of
// one chat one after another. It comes back when all are dealt with, or some
// take long: those hold the number back, and nothing else.
func (p *poller) ask(ctx context.Context) error {
	open := p.open()
	wait := int(askFor / time.Second)
	if open > 0 {
		wait = 0
	}
	raw, err := p.c.api.call(ctx, "getUpdates", &getUpdates{Offset: p.offset, Limit: 100, Timeout: wait, Allowed: asked})
	if err != nil {
		return err
	}
	batch, err := items(raw)
	if err != nil {
		return &callError{Method: "getUpdates", kind: errTransient, Class: "answer"}
	}
	fresh := 0
	for _, body := range batch {
		in, err := decode(body)
		if in.id <= 0 {
			// Without its number it cannot be confirmed by itself; the next one does.
			in.id = p.nameless(batch, body)
		}
		if p.begin(in.id) {
			fresh++
			p.start(&in, err)
		}
	}
	if fresh > 0 || open > 0 {
		p.settle(ctx, patience)
	}
	p.advance()
	if fresh == 0 && open > 0 && p.open() > 0 {
		pause(ctx, time.Second) // the same again; do not spin
	}
	return nil
}

// getUpdates are the parameters the library keeps to itself.
type getUpdates struct {
	Offset  int      `json:"offset,omitempty"`
	Limit   int      `json:"limit"`
	Timeout int      `json:"timeout"`
	Allowed []string `json:"allowed_updates"`
}

// nameless gives an update without a readable number one between its neighbours.
func (p *poller) nameless(batch [][]byte, body []byte) int {
	low := p.offset
	for _, b := range batch {
		if &b[0] == &body[0] {
			break
		}
		if in, _ := decode(b); in.id >= low {
			low = in.id + 1
		}
	}
	return low
}

// begin notes an update as under way; false: it is already.
func (p *poller) begin(id int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.done[id]; known || id < p.offset {
		return false
	}
	p.done[id] = false
	return true
}

// start deals with an update after the one before it of the same chat.
func (p *poller) start(in *incoming, broken error) {
	p.last.Lock()
	before, mine := p.chats[in.chat], make(chan struct{})
	p.chats[in.chat] = mine
	p.last.Unlock()
	p.c.taking.add()
	go func() {
		defer p.c.taking.done()
		if before != nil {
			<-before
		}
		p.slots <- struct{}{}
		defer func() {
			<-p.slots
			p.last.Lock()
			if p.chats[in.chat] == mine {
				delete(p.chats, in.chat)
			}
			p.last.Unlock()
			close(mine)
		}()
		p.end(in.id, p.insist(in, broken))
	}()
}

// insist takes an update until it is dealt with. When its answer cannot be shown
// for very long it is given up: by then nobody waits for it (S9).
func (p *poller) insist(in *incoming, broken error) bool {
	begun := p.c.o.Now()
	for n := 1; ; n++ {
		if p.c.take(p.c.life, in, broken, p.answer) || broken != nil {
			return true
		}
		if p.c.o.Now().Sub(begun) > 2*cardTime {
			p.c.alarm("lost")
			return true
		}
		if p.c.closed.Load() || !pause(p.c.life, backoff(n)) {
			return false // Telegram still has it
		}
	}
}

// answer ends a press's spinner beside everything else.
func (p *poller) answer(a answered) {
	p.c.goes(func() {
		for n := 1; n <= 2; n++ {
			err := p.c.api.answer(p.c.life, a.CallbackQueryID, a.Text)
			if !errors.Is(err, errTransient) || !pause(p.c.life, backoff(n)) {
				return
			}
		}
	})
}

func (p *poller) end(id int, ok bool) {
	p.mu.Lock()
	if ok {
		p.done[id] = true
	} else {
		delete(p.done, id)
	}
	p.mu.Unlock()
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// open is how many updates are under way.
func (p *poller) open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, done := range p.done {
		if !done {
			n++
		}
	}
	return n
}

// settle waits until nothing is under way, but not for long.
func (p *poller) settle(ctx context.Context, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	for p.open() > 0 {
		select {
		case <-p.changed:
		case <-t.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// advance moves the number past everything dealt with.
func (p *poller) advance() {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := make([]int, 0, len(p.done))
	for id := range p.done {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if !p.done[id] {
			return
		}
		delete(p.done, id)
		p.offset = id + 1
	}
}

// lease is a piece of shared work this process does as long as it holds it.
type lease struct {
	c    *Channel
	name string
	mu   sync.Mutex
	have bool
	ever bool // the store ever said who has it
}

// holdLease renews a lease until ctx ends.
func (c *Channel) holdLease(ctx context.Context, name string) *lease {
	l := &lease{c: c, name: name}
	l.renew(ctx)
	c.goes(func() {
		for pause(ctx, leaseTime/3) {
			l.renew(ctx)
		}
		if l.held() {
			ctx, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer done()
			_, _ = c.o.Store.Lease(ctx, l.name, 0) // it ends by itself too
		}
	})
	return l
}

func (l *lease) renew(ctx context.Context) {
	ctx, done := context.WithTimeout(ctx, time.Second)
	defer done()
	ok, err := l.c.o.Store.Lease(ctx, l.name, leaseTime)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.have, l.ever = ok, true
	case !l.ever:
		// Nobody can say who it is; Telegram lets only one poll (F1).
		l.have = true
	}
}

// held tells whether this process does the work.
func (l *lease) held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.have
}
