package telegram

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"trygg/bot"
	"trygg/flows"
)

// Times of what is done for chats that did not just say something.
const (
	leftAlone = 15 * time.Second // an answer not shown for so long was left by a crash, or Telegram would not take it
	resendAll = 5 * time.Second
	tidyAll   = 10 * time.Second
	most      = 500 // entries of a shard at once
)

// resend shows what was decided and not shown: left by a process that died, or
// refused by Telegram for a while. One replica at a time does it (F19, F20).
func (c *Channel) resend(ctx context.Context) {
	lease := c.holdLease(ctx, "resend:"+c.id)
	for pause(ctx, resendAll) {
		for shard := 0; shard < bot.Shards && lease.held() && ctx.Err() == nil; shard++ {
			c.resendShard(ctx, shard)
		}
	}
}

func (c *Channel) resendShard(ctx context.Context, shard int) {
	call, done := context.WithTimeout(ctx, 2*time.Second)
	ids, entries, err := c.o.Store.Pending(call, shard, most)
	done()
	if err != nil {
		return // the store is away; it keeps them
	}
	// Of one chat only the newest can still be what is to be seen.
	newest := map[int64]int{}
	for i, e := range entries {
		if id, ok := c.ours(e.Chat); ok {
			newest[id] = i
		}
	}
	now := c.o.Now()
	for i, e := range entries {
		id, ok := c.ours(e.Chat)
		if !ok || now.Sub(e.At) < leftAlone || c.moving(id) {
			continue
		}
		if !e.Clear && newest[id] != i {
			c.acknowledge(ctx, e.Chat, ids[i])
			continue
		}
		c.again(ctx, id, ids[i], e)
	}
}

// moving tells whether something is on its way to a chat from here.
func (c *Channel) moving(chat int64) bool {
	l := c.lane(chat)
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.jobs) > 0
}

func (c *Channel) acknowledge(ctx context.Context, chat bot.ChatID, id bot.EntryID) {
	ctx, done := context.WithTimeout(ctx, bot.StoreBudget)
	defer done()
	_ = c.o.Store.Shown(ctx, chat, id, bot.Version{}, nil) // if not, it is there next time
}

// again shows one entry: the present screen, if it is still the one that was
// decided; what was to be removed and still stands there.
func (c *Channel) again(ctx context.Context, chat int64, id bot.EntryID, e bot.Entry) {
	call, done := context.WithTimeout(ctx, 2*bot.StoreBudget)
	defer done()
	now, err := c.o.Store.Read(call, e.Chat, bot.Want{Traces: true})
	if err != nil {
		return
	}
	s := now.Session
	alive := s.Schema != 0
	if !e.Clear && alive && s.Screen != e.Screen {
		c.acknowledge(ctx, e.Chat, id)
		return
	}
	u := bot.Update{Chat: e.Chat, At: c.o.Now(), Event: flows.Show, Screen: e.Screen, Locale: cmp.Or(s.Locale, e.Locale, unknown)}
	a, err := c.o.Bot.Handle(call, u)
	if err != nil || a.Outcome == bot.Stateless || a.Outcome == bot.Failed {
		return
	}
	a.Entry, a.Chat, a.Erases = id, now, e.Erase
	j := &job{u: u, a: a, priority: talk, until: u.At.Add(showTime), edit: now.Traces.Live}
	for _, m := range e.Before {
		j.before = append(j.before, c.text(a.Reply.Locale, m))
	}
	if e.Clear {
		j.clear = &clearing{traces: now.Traces, before: e.At, alive: alive, erase: e.Erase}
	} else if n := len(now.Traces.Messages); n > 0 && now.Traces.Messages[n-1].ID > now.Traces.Live {
		j.below = true // something was typed below the live message
	}
	if !e.Clear && !alive && now.Traces.Live == 0 && len(now.Traces.Messages) == 0 && !flows.IsBearing(e.Screen) {
		c.acknowledge(ctx, e.Chat, id) // ended meanwhile, and nothing stands there
		return
	}
	l := c.lane(chat)
	show := c.push(l, j)
	c.goes(show)
}

// tidy returns the screens of silent chats to the neutral start and ends their
// sessions (S31). The time stands in the store; who claims it does it.
func (c *Channel) tidy(ctx context.Context) {
	lease := c.holdLease(ctx, "tidy:"+c.id)
	for pause(ctx, tidyAll) {
		for shard := 0; shard < bot.Shards && lease.held() && ctx.Err() == nil; shard++ {
			c.tidyShard(ctx, shard)
		}
	}
}

func (c *Channel) tidyShard(ctx context.Context, shard int) {
	call, done := context.WithTimeout(ctx, 2*time.Second)
	due, err := c.o.Store.Due(call, shard, most, c.o.Now())
	done()
	if err != nil {
		return
	}
	for _, d := range due {
		if id, ok := c.ours(d.Chat); ok && ctx.Err() == nil {
			c.tidyChat(ctx, id, d)
		}
	}
}

// tidyChat ends one session. Its end is a commit like any other, with an entry
// in the outbox, so that a crash in the middle is gone on from there.
func (c *Channel) tidyChat(ctx context.Context, chat int64, d bot.Due) {
	call, done := context.WithTimeout(ctx, 4*bot.StoreBudget)
	defer done()
	l := c.lane(chat)
	l.order.Lock() // nobody presses in between, here
	defer l.order.Unlock()
	if ok, err := c.o.Store.Claim(call, d); err != nil || !ok {
		return
	}
	now, err := c.o.Store.Read(call, d.Chat, bot.Want{Traces: true})
	if err != nil || now.Session.Schema != 0 && now.Version.Session != d.Session {
		return
	}
	u := bot.Update{
		ID: "tidy." + strconv.FormatInt(d.At.UnixNano(), 36), Chat: d.Chat, At: c.o.Now(), Event: flows.Idle, Locale: cmp.Or(now.Session.Locale, d.Locale, unknown),
	}
	a, err := c.o.Bot.Handle(call, u)
	if err != nil || a.Outcome != bot.Committed {
		return // it is due again in a while
	}
	a.Chat.Traces = now.Traces
	a.Chat.Version.Traces = now.Version.Traces
	j := &job{u: u, a: a, priority: later, until: u.At.Add(showTime), clear: &clearing{traces: now.Traces}}
	show := c.push(l, j)
	c.goes(show)
}
