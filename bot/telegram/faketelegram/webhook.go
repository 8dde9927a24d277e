package faketelegram

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// How the real server delivers to a webhook.
const (
	defaultConnections = 40
	hookWait           = 60 * time.Second // for an answer
	maxResend          = 60 * time.Second // between tries: this to twice this
	maxRetryAfter      = time.Hour        // of what the bot's answer asks for
	maxHookAnswer      = 1 << 20
)

// hook is a bot's webhook with the queues it delivers from: one update at a
// time for each queue, the next only when the head is done.
type hook struct {
	url     string
	secret  string
	most    int // deliveries at once
	ip      string
	ctx     context.Context
	cancel  context.CancelFunc
	queues  map[int64]*hookQueue
	ready   readyQueues
	loaded  int   // id of the next update to take from the list
	unique  int64 // names queues of updates that belong to none
	flying  int
	timer   *time.Timer
	errTime time.Time
	errText string
	order   int64
}

// hookQueue is the updates of one queue, the head first.
type hookQueue struct {
	id    int64
	items []*update
	order int64 // among queues that are due at the same time
	index int   // in the heap, -1 = a delivery is under way
}

// readyQueues is a heap of queues by the time their head is due.
type readyQueues []*hookQueue

func (r readyQueues) Len() int { return len(r) }
func (r readyQueues) Less(i, j int) bool {
	a, b := r[i].items[0].wake, r[j].items[0].wake
	if a.Equal(b) {
		return r[i].order < r[j].order
	}
	return a.Before(b)
}
func (r readyQueues) Swap(i, j int) {
	r[i], r[j] = r[j], r[i]
	r[i].index, r[j].index = i, j
}
func (r *readyQueues) Push(x any) {
	q := x.(*hookQueue)
	q.index = len(*r)
	*r = append(*r, q)
}
func (r *readyQueues) Pop() any {
	old := *r
	q := old[len(old)-1]
	q.index = -1
	*r = old[:len(old)-1]
	return q
}

// setWebhook: the url may be https anywhere or http on a loopback address; by
// default deliveries only go to loopback addresses.
func (b *Bot) setWebhook(c *call) (any, error) {
	address := c.args["url"]
	if address == "" {
		return b.deleteWebhook(c)
	}
	secret := c.args["secret_token"]
	most := c.int("max_connections", defaultConnections, 1, 100)
	if h := b.hook; h != nil && h.url == address && h.secret == secret && h.most == most &&
		h.ip == c.args["ip_address"] && !c.bool("drop_pending_updates") {
		b.updates.allow(c.args["allowed_updates"])
		return described{true, "Webhook is already set"}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, bad("invalid webhook URL specified")
	}
	switch {
	case len(secret) > 256:
		return nil, bad("secret token is too long")
	case strings.Trim(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "":
		return nil, bad("secret token contains unallowed characters")
	case u.Scheme != "https" && !(u.Scheme == "http" && (loopbackHost(u.Hostname()) || b.s.opts.Deliver != nil)):
		return nil, bad("bad webhook: An HTTPS URL must be provided for webhook")
	case b.s.opts.Deliver == nil && !loopbackHost(u.Hostname()):
		return nil, bad("bad webhook: (strict) the local server delivers to loopback addresses only")
	}
	if c.bool("drop_pending_updates") {
		b.updates.clear(0)
	}
	if p := b.updates.poll; p != nil {
		p.ended <- conflict("terminated by setWebhook request")
		b.updates.poll = nil
	}
	b.stopWebhook()
	b.updates.allow(c.args["allowed_updates"])
	h := &hook{url: address, secret: secret, most: most, ip: c.args["ip_address"], queues: map[int64]*hookQueue{}, unique: 1 << 60}
	h.ctx, h.cancel = context.WithCancel(b.s.ctx)
	b.hook = h
	b.pump()
	return described{true, "Webhook was set"}, nil
}

func (b *Bot) deleteWebhook(c *call) (any, error) {
	if c.bool("drop_pending_updates") {
		b.updates.clear(0)
	}
	if b.hook == nil {
		return described{true, "Webhook is already deleted"}, nil
	}
	b.stopWebhook()
	return described{true, "Webhook was deleted"}, nil
}

// stopWebhook ends deliveries; what was under way stays pending, as after a
// closed connection. Called under the bot's lock.
func (b *Bot) stopWebhook() {
	h := b.hook
	if h == nil {
		return
	}
	h.cancel()
	if h.timer != nil {
		h.timer.Stop()
	}
	b.hook = nil
	for _, x := range b.updates.list {
		x.fails, x.delay, x.wake = 0, time.Second, time.Time{}
	}
}

func (b *Bot) webhookInfo(*call) (any, error) {
	type info struct {
		URL       string   `json:"url"`
		Custom    bool     `json:"has_custom_certificate"`
		Pending   int      `json:"pending_update_count"`
		IP        string   `json:"ip_address,omitempty"`
		ErrorDate int64    `json:"last_error_date,omitempty"`
		ErrorText string   `json:"last_error_message,omitempty"`
		Most      int      `json:"max_connections,omitempty"`
		Allowed   []string `json:"allowed_updates,omitempty"`
	}
	i := info{Pending: b.updates.pending(b.s.now()), Allowed: b.updates.allowed}
	if h := b.hook; h != nil {
		i.URL, i.Most, i.IP = h.url, h.most, h.ip
		if !h.errTime.IsZero() {
			i.ErrorDate, i.ErrorText = h.errTime.Unix(), h.errText
		}
	}
	return i, nil
}

// WebhookURL is where updates go; "" = the bot polls.
func (b *Bot) WebhookURL() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hook == nil {
		return ""
	}
	return b.hook.url
}

// load takes updates from the list into the queues. As the real server it
// holds at most twice as many queues as connections, so many chats that fail
// hold up all the others.
func (b *Bot) load(now time.Time) {
	h := b.hook
	b.updates.sweep(now)
	list := b.updates.list
	// ids grow along the list
	low, high := 0, len(list)
	for low < high {
		if mid := (low + high) / 2; list[mid].id < h.loaded {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for _, x := range list[low:] {
		if len(h.queues) >= 2*h.most {
			return
		}
		h.loaded = x.id + 1
		if x.gone {
			continue
		}
		if x.wake.IsZero() {
			x.wake = now
		}
		b.enqueue(x)
	}
}

func (b *Bot) enqueue(x *update) {
	h := b.hook
	id := x.queue
	if id == 0 {
		h.unique++
		id = h.unique
	}
	q := h.queues[id]
	if q != nil {
		q.items = append(q.items, x)
		return
	}
	h.order++
	q = &hookQueue{id: id, items: []*update{x}, order: b.s.faults.order(h.order)}
	h.queues[id] = q
	heap.Push(&h.ready, q)
}

// pump starts deliveries that are due and sets the timer for the next. Called
// under the bot's lock.
func (b *Bot) pump() {
	if b.s.ctx.Err() != nil {
		return
	}
	h := b.hook
	now := b.s.now()
	b.load(now)
	for h.flying < h.most && len(h.ready) > 0 {
		q := h.ready[0]
		if q.items[0].wake.After(now) {
			break
		}
		heap.Pop(&h.ready)
		for len(q.items) > 0 && !q.items[0].expires.After(now) {
			b.updates.drop(q.items[0])
			q.items = q.items[1:]
		}
		if len(q.items) == 0 {
			delete(h.queues, q.id)
			b.load(now)
			continue
		}
		b.s.faults.within(q.items)
		h.flying++
		b.s.work.Add(1)
		go b.deliver(h, q, q.items[0])
		if b.s.faults.repeat() {
			// The same update on two connections at once.
			b.s.work.Add(1)
			go func(x *update) {
				defer b.s.work.Done()
				b.post(h, x)
			}(q.items[0])
		}
	}
	if h.timer != nil {
		h.timer.Stop()
	}
	if h.flying < h.most && len(h.ready) > 0 {
		h.timer = time.AfterFunc(h.ready[0].items[0].wake.Sub(now), func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.hook == h {
				b.pump()
			}
		})
	}
}

// deliver brings the head of a queue to the bot and then deals with the answer.
func (b *Bot) deliver(h *hook, q *hookQueue, x *update) {
	defer b.s.work.Done()
	fault, retryAfter := b.post(h, x)

	b.mu.Lock()
	defer b.mu.Unlock()
	if b.hook != h {
		return // the webhook is gone; the update stays
	}
	h.flying--
	now := b.s.now()
	drop := fault == ""
	if fault != "" {
		h.errTime, h.errText = now, fault
		wait := min(retryAfter, maxRetryAfter)
		if wait == 0 && x.fails > 0 {
			x.delay = min(b.s.faults.between(maxResend, 2*maxResend), 2*x.delay)
			wait = x.delay
		}
		x.wake = now.Add(wait)
		x.fails++
		drop = x.wake.After(x.expires)
	}
	if drop {
		defer b.s.events.tell() // somebody may wait until nothing is pending
		b.updates.drop(x)
		q.items = q.items[1:]
		if fault == "" && !x.dup && b.s.faults.repeat() {
			again := *x
			again.dup, again.fails, again.wake = true, 0, now
			q.items = append(q.items, &again)
		}
	}
	if len(q.items) == 0 {
		delete(h.queues, q.id)
	} else {
		heap.Push(&h.ready, q)
	}
	b.pump()
}

// post sends one update and carries out what the answer asks for. It gives
// what went wrong, in the words of getWebhookInfo, and the wait asked for.
func (b *Bot) post(h *hook, x *update) (fault string, retryAfter time.Duration) {
	ctx, cancel := context.WithTimeout(h.ctx, hookWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(x.body))
	if err != nil {
		return "Bad webhook: " + err.Error(), 0
	}
	r.Header.Set("Content-Type", "application/json")
	if h.secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
	}
	res, err := b.s.hooks.Do(r)
	if err != nil {
		var refused net.Error
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.As(err, &refused) && refused.Timeout():
			return "Read timeout expired", 0
		case strings.Contains(err.Error(), "connection refused"):
			return "Connection refused", 0
		}
		return "Webhook connection closed", 0
	}
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		_, _ = io.CopyN(io.Discard, res.Body, maxHookAnswer) // so that the connection can be used again
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return "Wrong response from the webhook: " + res.Status, time.Duration(max(seconds, 0)) * time.Second
	}
	c := &call{args: map[string]string{}}
	if err := c.readBody(io.LimitReader(res.Body, maxHookAnswer), res.Header.Get("Content-Type"), res.ContentLength); err != nil {
		return "", 0 // an answer that carries no call is as good as any
	}
	c.method = strings.ToLower(c.args["method"])
	delete(c.args, "method")
	switch {
	case c.method == "", strings.HasPrefix(c.method, "get"), c.method == "setwebhook", c.method == "deletewebhook",
		c.method == "close", c.method == "logout":
		return "", 0
	}
	c.body = Webhook
	act := b.s.faults.choose(b.s.record(b, c))
	if act.Status != 0 || act.Reset {
		b.s.count.add(b, c, act.Status, "trouble")
		return "", 0 // nobody hears of it: that is the price of answering this way
	}
	_, err = b.s.execute(h.ctx, b, c)
	var e *apiError
	if errors.As(err, &e) {
		b.s.count.add(b, c, e.code, e.text)
	} else {
		b.s.count.add(b, c, 200, "")
	}
	b.s.events.tell()
	return "", 0
}

func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// loopbackTransport delivers on this machine only.
func loopbackTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConnsPerHost = 100
	t.MaxIdleConns = 0
	dial := (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if a, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			conn.Close()
			return nil, errors.New("not a loopback address")
		}
		return conn, nil
	}
	return t
}
