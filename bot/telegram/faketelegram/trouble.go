package faketelegram

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Action is the trouble one call meets. The zero Action is none.
type Action struct {
	// Status answers with this status and does nothing. 429 carries RetryAfter
	// (0 = no time is told); with HTML the body is a page, as a broken proxy
	// sends it.
	Status      int
	RetryAfter  int
	Description string // "" = the usual text of the status
	HTML        bool
	// Reset breaks the connection before anything is done.
	Reset bool
	// Drop does what was asked and breaks the connection instead of answering.
	Drop bool
	// Wait holds the call for so long before it is done.
	Wait time.Duration
	// Drip sends the answer byte by byte with this pause between.
	Drip time.Duration
}

// TooMany is 429 with a time.
func TooMany(seconds int) Action { return Action{Status: 429, RetryAfter: seconds} }

// Status is an error of the service itself: 500, 502, 503.
func Status(code int) Action { return Action{Status: code} }

// BadGateway is 502 with a page instead of JSON.
func BadGateway() Action { return Action{Status: 502, HTML: true} }

// Disorder is what the way from the service to the bot does to updates.
type Disorder struct {
	// Repeat is the share of updates (0 to 1) that come a second time: over the
	// webhook at the same moment or later, when polling once more after they
	// were confirmed.
	Repeat float64
	// Queues lets queues of different chats and kinds overtake each other more
	// than they do by themselves.
	Queues bool
	// Within shuffles also what belongs to one queue, and each batch of a poll.
	// The real service does not.
	Within bool
}

// faults decides about trouble, the same for the same seed and order of calls.
type faults struct {
	mu    sync.Mutex
	rand  *rand.Rand
	rules []*rule
	mess  Disorder
}

type rule struct {
	left     int    // negative = for ever
	method   string // "" = any but getUpdates
	anything bool   // getUpdates too
	decide   func(Call) Action
}

// Trouble asks a function about each call before it is done. Several may be
// set; the first that gives trouble decides.
func (s *Server) Trouble(decide func(Call) Action) {
	s.faults.rule(&rule{left: -1, anything: true, decide: decide})
}

// Next lets the next n calls of a method ("" = any but getUpdates) meet trouble.
func (s *Server) Next(n int, method string, a Action) {
	s.faults.rule(&rule{left: n, method: method, decide: func(Call) Action { return a }})
}

// Chance lets a share (0 to 1) of the calls of a method ("" = any but
// getUpdates) meet trouble.
func (s *Server) Chance(share float64, method string, a Action) {
	f := &s.faults
	f.rule(&rule{left: -1, method: method, decide: func(Call) Action {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.rand.Float64() < share {
			return a
		}
		return Action{}
	}})
}

// Disorder sets what happens to updates on their way.
func (s *Server) Disorder(d Disorder) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.mess = d
}

// Calm ends all trouble and disorder.
func (s *Server) Calm() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules, s.faults.mess = nil, Disorder{}
}

func (f *faults) rule(r *rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(slices.Clip(f.rules), r) // choose reads the old slice without the lock
}

// choose asks the rules in turn. They are asked without the lock: what decides
// may itself talk to the server.
func (f *faults) choose(c Call) Action {
	f.mu.Lock()
	rules := f.rules
	f.mu.Unlock()
	for _, r := range rules {
		fits := strings.EqualFold(r.method, c.Method) || r.method == "" && (r.anything || c.Method != "getUpdates")
		if !fits || !f.take(r) {
			continue
		}
		if a := r.decide(c); a != (Action{}) {
			return a
		}
	}
	return Action{}
}

// take uses a rule once; false = it is used up.
func (f *faults) take(r *rule) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.left > 0 {
		r.left--
		return true
	}
	return r.left < 0
}

// repeat says whether this update is to come again.
func (f *faults) repeat() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mess.Repeat > 0 && f.rand.Float64() < f.mess.Repeat
}

// order gives a queue its place among those that are due at once.
func (f *faults) order(n int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mess.Queues {
		return f.rand.Int64N(1 << 40)
	}
	return n
}

func (f *faults) shuffle(n int, swap func(i, j int)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mess.Within {
		f.rand.Shuffle(n, swap)
	}
}

// within brings another update of a queue to its head.
func (f *faults) within(items []*update) {
	f.shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}

func (f *faults) between(least, most time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return least + time.Duration(f.rand.Int64N(int64(most-least)))
}

// before carries out what comes before the call is done; true = that was all.
func (a Action) before(w http.ResponseWriter, r *http.Request) bool {
	if a.Wait > 0 {
		select {
		case <-time.After(a.Wait):
		case <-r.Context().Done():
		}
	}
	switch {
	case a.Reset:
		cut(w)
	case a.HTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(a.Status)
		_, _ = w.Write([]byte("<html>\r\n<head><title>" + strconv.Itoa(a.Status) + " Bad Gateway</title></head>\r\n<body>\r\n<center><h1>" +
			strconv.Itoa(a.Status) + " Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"))
	case a.Status != 0:
		writeError(w, a.error())
	default:
		return false
	}
	return true
}

func (a Action) error() *apiError {
	e := &apiError{code: a.Status, text: a.Description, retryAfter: a.RetryAfter}
	switch {
	case e.text != "":
	case a.Status == 429 && a.RetryAfter > 0:
		e.text = "Too Many Requests: retry after " + strconv.Itoa(a.RetryAfter)
	case a.Status == 403:
		e.text = "Forbidden: bot was blocked by the user"
	default:
		e.text = http.StatusText(a.Status)
	}
	return e
}

// cut breaks the connection: with a reset where there is a socket.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // so that closing sends a reset
			}
			conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// dripper sends byte by byte.
type dripper struct {
	http.ResponseWriter
	each time.Duration
	ctx  context.Context
}

func (d *dripper) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := d.ResponseWriter.Write(p[i : i+1]); err != nil {
			return i, err
		}
		if f, ok := d.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		select {
		case <-time.After(d.each):
		case <-d.ctx.Done():
			return i, d.ctx.Err()
		}
	}
	return len(p), nil
}
