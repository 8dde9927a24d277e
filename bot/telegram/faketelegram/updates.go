package faketelegram

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How long an update waits to be taken before it is forgotten.
const (
	dayLife      = 24 * time.Hour
	callbackLife = 150 * time.Second
	inlineLife   = 30 * time.Second
)

// Long polling: the longest wait, and how long the server gathers once the
// first update has come.
const (
	maxPoll   = 50
	gatherFor = time.Millisecond
)

// kinds are all update kinds of the specification, with the number by which
// the real server keeps their webhook queues apart.
var kinds = map[string]struct {
	queue  int64 // the queue is chat or user id + queue<<33
	byUser bool
	life   time.Duration
	asked  bool // sent only to bots that ask for it
}{
	"message":                   {0, false, dayLife, false},
	"edited_message":            {0, false, dayLife, false},
	"channel_post":              {0, false, dayLife, false},
	"edited_channel_post":       {0, false, dayLife, false},
	"inline_query":              {1, true, inlineLife, false},
	"chosen_inline_result":      {2, true, 600 * time.Second, false},
	"callback_query":            {3, true, callbackLife, false},
	"shipping_query":            {4, true, callbackLife, false},
	"pre_checkout_query":        {4, true, callbackLife, false},
	"my_chat_member":            {5, false, dayLife, false},
	"chat_member":               {6, true, dayLife, true},
	"chat_join_request":         {6, true, dayLife, false},
	"chat_boost":                {7, false, dayLife, false},
	"removed_chat_boost":        {7, false, dayLife, false},
	"message_reaction":          {8, false, dayLife, true},
	"message_reaction_count":    {9, false, dayLife, true},
	"business_connection":       {10, true, dayLife, false},
	"business_message":          {11, false, dayLife, false},
	"edited_business_message":   {11, false, dayLife, false},
	"deleted_business_messages": {11, false, dayLife, false},
	"purchased_paid_media":      {12, true, dayLife, false},
	"guest_message":             {12, false, dayLife, false},
	"managed_bot":               {13, true, dayLife, false},
	"poll":                      {14, false, dayLife, false},
	"poll_answer":               {15, true, dayLife, false},
}

// update is one thing that waits to be taken by the bot.
type update struct {
	id      int
	kind    string
	body    []byte // with its update_id
	queue   int64
	expires time.Time
	gone    bool // taken, confirmed or expired

	wake  time.Time     // webhook: not before
	delay time.Duration // webhook: the last wait between tries
	fails int
	dup   bool // a repeat that a network made; not counted as pending
}

// updates is what waits for one bot, oldest first. Polling and the webhook
// share it, so what was not taken by one is there for the other.
type updates struct {
	list     []*update
	next     int       // id of the next update
	gone     int       // marked updates still in list
	soonest  time.Time // no update in list expires before
	allowed  []string
	again    []*update // confirmed, and to come once more (Disorder)
	poll     *poll
	lastPoll time.Time // for the page
	// the last getUpdates, for the brakes of Strict
	lastOffset  int
	lastStart   time.Time
	lastRefused time.Time
}

// poll is a getUpdates call that waits.
type poll struct {
	wake  chan struct{} // something came, or the clock moved
	ended chan error    // another call ended it
}

func (u *updates) drop(x *update) {
	if x.dup || x.gone {
		return
	}
	x.gone = true
	u.gone++
	if u.gone > 64 && u.gone > len(u.list)/2 {
		u.list = slices.DeleteFunc(u.list, func(x *update) bool { return x.gone })
		u.gone = 0
	}
}

// clear forgets all but the newest keep updates.
func (u *updates) clear(keep int) {
	waiting := u.waiting()
	for _, x := range waiting[:max(len(waiting)-keep, 0)] {
		u.drop(x)
	}
}

func (u *updates) waiting() []*update {
	out := make([]*update, 0, len(u.list)-u.gone)
	for _, x := range u.list {
		if !x.gone {
			out = append(out, x)
		}
	}
	return out
}

func (u *updates) pending(now time.Time) int {
	u.sweep(now)
	return len(u.list) - u.gone
}

// sweep forgets what has expired.
func (u *updates) sweep(now time.Time) {
	if now.Before(u.soonest) {
		return
	}
	u.soonest = now.Add(inlineLife)
	for _, x := range u.list {
		switch {
		case x.gone:
		case !x.expires.After(now):
			x.gone = true
			u.gone++
		case x.expires.Before(u.soonest):
			u.soonest = x.expires
		}
	}
}

// allow notes allowed_updates as the real server does: not given or unreadable
// leaves what was, an empty list or only unknown names means the default.
func (u *updates) allow(arg string) {
	if arg == "" {
		return
	}
	var names []string
	if json.Unmarshal([]byte(arg), &names) != nil {
		return
	}
	u.allowed = slices.DeleteFunc(names, func(n string) bool { _, known := kinds[strings.ToLower(n)]; return !known })
}

func (u *updates) wants(kind string) bool {
	k, known := kinds[kind]
	switch {
	case !known:
		return true
	case len(u.allowed) == 0:
		return !k.asked
	}
	return slices.Contains(u.allowed, kind)
}

// push adds an update for the bot; who is the chat or user its queue is named
// after. It gives the update's id, 0 when the bot does not want this kind.
// Called under the bot's lock.
func (b *Bot) push(kind string, who int64, payload []byte) int {
	k, known := kinds[kind]
	queue, life := who+k.queue<<33, k.life
	if !known {
		queue, life = 0, dayLife
	}
	return b.pushRaw(kind, queue, life, []byte(`,"`+kind+`":`+string(payload)+`}`))
}

func (b *Bot) pushRaw(kind string, queue int64, life time.Duration, rest []byte) int {
	u := &b.updates
	if !u.wants(kind) {
		return 0
	}
	id := u.next
	u.next++
	body := make([]byte, 0, len(rest)+24)
	body = append(body, `{"update_id":`...)
	body = strconv.AppendInt(body, int64(id), 10)
	body = append(body, rest...)
	now := b.s.now()
	if end := now.Add(life); len(u.list) == u.gone || end.Before(u.soonest) {
		u.soonest = end
	}
	u.list = append(u.list, &update{id: id, kind: kind, body: body, queue: queue, expires: now.Add(life), wake: now, delay: time.Second})
	b.wake()
	return id
}

// wake sends waiting updates on their way. Called under the bot's lock.
func (b *Bot) wake() {
	if b.hook != nil {
		b.pump()
	}
	if p := b.updates.poll; p != nil {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// Pending says how many updates wait to be taken by the bot.
func (b *Bot) Pending() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.updates.pending(b.s.now())
}

const webhookActive = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
const otherPoller = "terminated by other getUpdates request; make sure that only one bot instance is running"

// getUpdates answers a poll. An update is forgotten only when a later call
// names a higher offset.
func (b *Bot) getUpdates(ctx context.Context, c *call) (any, error) {
	offset := c.int("offset", 0, -1<<31, 1<<31-1)
	limit := c.int("limit", 100, 1, 100)
	timeout := time.Duration(c.int("timeout", 0, 0, maxPoll)) * time.Second

	b.mu.Lock()
	defer b.mu.Unlock()
	u := &b.updates
	now := b.s.now()
	if b.hook != nil {
		return nil, b.refusePoll(ctx, conflict(webhookActive))
	}
	u.allow(c.args["allowed_updates"])
	u.lastPoll = now
	if b.s.opts.Strict {
		// The real server slows down whoever asks for the same again and again.
		same := offset == u.lastOffset && !u.lastStart.IsZero()
		if same && now.Before(u.lastStart.Add(3*time.Second)) {
			timeout = max(timeout, 3*time.Second)
		}
		if same && now.Before(u.lastStart.Add(500*time.Millisecond)) {
			limit = 1
		}
		u.lastOffset, u.lastStart = offset, now
	}
	b.confirm(offset)
	batch := b.batch(limit)
	if len(batch) > 0 || timeout == 0 {
		return join(batch), nil
	}

	if u.poll != nil {
		u.poll.ended <- conflict(otherPoller)
	}
	me := &poll{wake: make(chan struct{}, 1), ended: make(chan error, 1)}
	u.poll = me
	end := now.Add(timeout)
	for {
		b.mu.Unlock()
		err, over := me.wait(ctx, b.s.ctx, end.Sub(b.s.now()))
		b.mu.Lock()
		if err != nil {
			return nil, err
		}
		// Another call may have ended this one between the wake and the lock.
		select {
		case err := <-me.ended:
			return nil, err
		default:
		}
		if batch = b.batch(limit); len(batch) > 0 || over || !b.s.now().Before(end) {
			u.poll = nil
			return join(batch), nil
		}
	}
}

// wait ends when something came, the time is over, or somebody gave up.
func (p *poll) wait(ctx, server context.Context, left time.Duration) (err error, over bool) {
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-p.wake:
		time.Sleep(gatherFor)
		return nil, false
	case <-timer.C:
		return nil, true
	case err := <-p.ended:
		return err, false
	case <-ctx.Done():
		return nil, true // the client is gone; nothing was confirmed
	case <-server.Done():
		return &apiError{code: 500, text: "Internal Server Error: restart"}, true
	}
}

// refusePoll answers a conflict, and under Strict makes a second one within
// three seconds wait as the real server does.
func (b *Bot) refusePoll(ctx context.Context, err error) error {
	u := &b.updates
	now := b.s.now()
	if b.s.opts.Strict && now.Before(u.lastRefused.Add(3*time.Second)) {
		b.mu.Unlock()
		defer b.mu.Lock()
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
		}
		return err
	}
	u.lastRefused = now
	return err
}

// confirm forgets what an offset confirms.
func (b *Bot) confirm(offset int) {
	u := &b.updates
	switch {
	case offset < 0:
		u.clear(-offset)
	case offset > u.next+10:
		// An offset from the far future is taken for none at all.
	default:
		for _, x := range slices.Clone(u.list) {
			if x.id >= offset {
				break
			}
			if !x.gone && b.s.faults.repeat() {
				u.again = append(u.again, x)
			}
			u.drop(x)
		}
	}
}

// batch lists what a poll gets, oldest first.
func (b *Bot) batch(limit int) []*update {
	u := &b.updates
	u.sweep(b.s.now())
	out := u.again
	u.again = nil
	size := 0
	for _, x := range u.list {
		if len(out) >= limit || size > 1<<22 {
			break
		}
		if x.gone {
			continue
		}
		size += len(x.body)
		out = append(out, x)
	}
	b.s.faults.shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func join(batch []*update) rawJSON {
	var out bytes.Buffer
	out.WriteByte('[')
	for i, x := range batch {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(x.body)
	}
	out.WriteByte(']')
	return out.Bytes()
}

// Inject puts an update of any kind before the bot, also kinds and contents
// that no specification knows: {"kind": {…}}, without update_id. It gives the
// update's id, 0 when the bot does not want the kind.
func (b *Bot) Inject(raw string) (int, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &members); err != nil {
		return 0, err
	}
	delete(members, "update_id")
	kind := ""
	for k := range members {
		if _, known := kinds[k]; known || kind == "" {
			kind = k
		}
	}
	var who struct {
		Chat struct {
			ID int64 `json:"id"`
		} `json:"chat"`
		From struct {
			ID int64 `json:"id"`
		} `json:"from"`
	}
	if payload := members[kind]; len(payload) > 0 {
		_ = json.Unmarshal(payload, &who) // what has no sender goes in a queue of its own
	}
	k, known := kinds[kind]
	queue, life := int64(0), dayLife
	if known {
		life = k.life
		id := who.Chat.ID
		if k.byUser || id == 0 {
			id = who.From.ID
		}
		if id != 0 {
			queue = id + k.queue<<33
		}
	}
	rest := strings.TrimSpace(raw)
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "{"))
	if rest != "}" {
		rest = "," + rest
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pushRaw(kind, queue, life, []byte(rest)), nil
}
