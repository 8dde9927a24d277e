package faketelegram

import (
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Call is one call that reached the server. It must not be changed.
type Call struct {
	Bot    int64  // id of the bot
	Method string // as the documentation spells it
	Args   map[string]string
	Body   string // Query, JSON, Form, Multipart or Webhook
	Bytes  int
	At     time.Time
	Code   int    // what was answered; 0 while it is under way, and after a reset
	Text   string // of an error
}

// ChatID is the chat the call is about, 0 = none.
func (c Call) ChatID() int64 {
	id, err := strconv.ParseInt(c.Args["chat_id"], 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// counters count calls without a lock and remember the last ones with one.
type counters struct {
	api     *spec
	methods map[string]*atomic.Int64 // by lower-case name; never changes
	other   atomic.Int64             // of methods that do not exist
	bodies  map[string]*atomic.Int64
	bytes   atomic.Int64
	file    atomic.Int64

	mu    sync.Mutex
	keep  int
	last  []Call
	first int // of the ring
}

func (n *counters) init(api *spec, keep int) {
	n.api, n.keep = api, keep
	n.methods = make(map[string]*atomic.Int64, len(api.methods))
	for name := range api.methods {
		n.methods[name] = new(atomic.Int64)
	}
	n.bodies = map[string]*atomic.Int64{}
	for _, kind := range []string{Query, JSON, Form, Multipart, Webhook} {
		n.bodies[kind] = new(atomic.Int64)
	}
}

// record describes a call that is about to be done.
func (s *Server) record(b *Bot, c *call) Call {
	name := c.method
	if m := s.api.methods[c.method]; m != nil {
		name = m.name
	}
	return Call{Bot: b.user.ID, Method: name, Args: c.args, Body: c.body, Bytes: c.bytes, At: s.now()}
}

// add counts a call that was answered.
func (n *counters) add(b *Bot, c *call, code int, text string) {
	if k := n.methods[c.method]; k != nil {
		k.Add(1)
	} else {
		n.other.Add(1)
	}
	if k := n.bodies[c.body]; k != nil {
		k.Add(1)
	}
	n.bytes.Add(int64(c.bytes))
	if n.keep < 0 {
		return
	}
	done := b.s.record(b, c)
	done.Code, done.Text = code, text
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.last) < n.keep {
		n.last = append(n.last, done)
		return
	}
	n.last[n.first] = done
	n.first = (n.first + 1) % n.keep
}

// Calls lists the last calls that were answered, oldest first, of the methods
// named or of all.
func (s *Server) Calls(methods ...string) []Call {
	n := &s.count
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []Call
	for i := range n.last {
		c := n.last[(n.first+i)%len(n.last)]
		if len(methods) == 0 {
			out = append(out, c)
		}
		for _, m := range methods {
			if m == c.Method {
				out = append(out, c)
			}
		}
	}
	return out
}

// Count says how often a method was called since the start; "" counts all
// calls, and "file" the tries to load a file.
func (s *Server) Count(method string) int {
	n := &s.count
	switch method {
	case "":
		total := n.other.Load()
		for k := range maps.Values(n.methods) {
			total += k.Load()
		}
		return int(total)
	case "file":
		return int(n.file.Load())
	}
	for name, m := range n.api.methods {
		if m.name == method {
			return int(n.methods[name].Load())
		}
	}
	return 0
}

// Bodies counts calls by the kind of their body: Query, JSON, Form, Multipart,
// Webhook.
func (s *Server) Bodies() map[string]int {
	out := map[string]int{}
	for kind, k := range s.count.bodies {
		out[kind] = int(k.Load())
	}
	return out
}

// Bytes is the size of all bodies together.
func (s *Server) Bytes() int { return int(s.count.bytes.Load()) }
