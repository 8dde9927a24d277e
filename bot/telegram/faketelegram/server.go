// Package faketelegram is a Telegram that stands on this machine: a strict Bot
// API server, the phones of people who talk to its bots, and the trouble a real
// network makes. Bots reach it at /bot<TOKEN>/<method>; tests drive the people
// through [Person]; a browser finds a page at / to chat by hand as several
// people.
//
// It answers as the real server does, word for word where the real text is
// known, and refuses more: what the real server silently ignores (a misspelt
// parameter, a number that is none) is an error here that begins with
// "(strict)". What it checks but does not perform (photos, payments, stickers)
// is answered with 501.
//
// What goes in is calls and what people do; what comes out is answers, updates
// (by polling or webhook, with the real queues, retries and expiry) and what
// each person sees. It knows nothing of trygg. It keeps everything in memory
// and forgets it when it ends; nothing here is meant for real people's words.
package faketelegram

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Token is the token of the bot that is there when Options name none.
const Token = "1000001:local-fake-telegram-token-no-secret"

// Options are what a server is made with. The zero value is a server with one
// bot under [Token], the real clock, and no rate limits.
type Options struct {
	// Bots are the bots that exist; none = one with Token.
	Bots []Profile
	// Open takes every well-formed token as that of a bot of its own, so that a
	// program can be tried without telling this one its token.
	Open bool
	// Strict puts the rate limits of the real service on: 30 messages a second
	// for a bot, one a second for a chat (with a burst of five), and the brakes
	// on pollers that ask again and again.
	Strict bool
	// Now is the clock; nil = time.Now. Advance moves either.
	Now func() time.Time
	// Seed makes disorder and ids the same each time.
	Seed uint64
	// Deliver carries webhook deliveries; nil = the network, loopback addresses
	// only. Direct(handler) brings them to a handler without a socket.
	Deliver http.RoundTripper
	// Keep is how many calls Calls remembers; 0 = 10,000, negative = none.
	Keep int
	// Remote lets browsers on other machines use the page; otherwise only
	// loopback addresses and names may.
	Remote bool
}

// Profile is who a bot or a person is.
type Profile struct {
	Token    string // of a bot
	ID       int64  // 0 = given by the server (of a bot: taken from the token)
	Name     string
	Last     string
	Username string
	Language string // the phone's language, "nb"; "" = the phone does not say
}

// Server is a Bot API server in memory. It is an http.Handler; several
// goroutines may use it at once.
type Server struct {
	opts   Options
	api    *spec
	page   http.Handler
	hooks  *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup // deliveries under way
	offset atomic.Int64   // what Advance added to the clock

	mu     sync.Mutex // guards bots, people and groups
	bots   []*Bot
	people []*Person
	lastID int64 // last id given to a person, a group or a bot

	events signal // told of everything that people do, every call, every update taken
	count  counters
	faults faults
}

// New makes a server. Close ends what it started.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Keep == 0 {
		o.Keep = 10_000
	}
	s := &Server{opts: o, api: botAPI(), lastID: 2_000_000}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.faults.rand = rand.New(rand.NewPCG(o.Seed, 1))
	s.count.init(s.api, o.Keep)
	carry := o.Deliver
	if carry == nil {
		carry = loopbackTransport()
	}
	s.hooks = &http.Client{
		Transport: carry,
		// The real server takes a redirect for what it is: no 2xx.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if len(o.Bots) == 0 && !o.Open {
		o.Bots = []Profile{{Token: Token, Name: "Trygg (local)", Username: "trygg_local_bot"}}
	}
	for _, p := range o.Bots {
		s.addBot(p)
	}
	s.page = s.pages()
	return s
}

// Close ends webhook deliveries and waiting polls and waits for them.
func (s *Server) Close() {
	s.cancel()
	for _, b := range s.allBots() {
		b.mu.Lock()
		b.stopWebhook()
		b.mu.Unlock()
	}
	s.work.Wait()
	if t, ok := s.hooks.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Advance moves the server's clock: updates expire, messages age, retries come
// due. Advance(0) has another look at a clock given in Options.
func (s *Server) Advance(d time.Duration) {
	s.offset.Add(int64(d))
	for _, b := range s.allBots() {
		b.mu.Lock()
		b.wake()
		b.mu.Unlock()
	}
	s.events.tell()
}

func (s *Server) now() time.Time { return s.opts.Now().Add(time.Duration(s.offset.Load())) }

// Bot gives the bot with a token; "" gives the first one, nil is none.
func (s *Server) Bot(token string) *Bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bots {
		if token == "" || b.token == token {
			return b
		}
	}
	return nil
}

func (s *Server) allBots() []*Bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bots)
}

// Until waits until ok is true, asking again after everything that people do,
// every call and every update taken. It ends with the context's error.
func (s *Server) Until(ctx context.Context, ok func() bool) error {
	for {
		changed := s.events.next()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Server) nextID() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastID++
	return s.lastID
}

// addBot adds a bot, or gives the one that has the token; its id stands before
// the colon of the token.
func (s *Server) addBot(p Profile) *Bot {
	if !tokenForm(p.Token) {
		panic("faketelegram: a bot's token does not look like one: want <number>:<letters>")
	}
	before, _, _ := strings.Cut(p.Token, ":")
	p.ID, _ = strconv.ParseInt(before, 10, 64)
	if p.Name == "" {
		p.Name = "Bot " + before
	}
	if p.Username == "" {
		p.Username = "local_" + before + "_bot"
	}
	b := &Bot{
		s: s, token: p.Token,
		user:    user{ID: p.ID, IsBot: true, FirstName: p.Name, Username: p.Username},
		chats:   map[int64]*chat{},
		queries: map[string]*pressed{},
		profile: newProfile(p),
		// Real update ids start somewhere and go on from there.
		updates: updates{next: 100_000 + int(s.opts.Seed%1000)*1000},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, there := range s.bots {
		if there.token == p.Token {
			return there // two first calls at once
		}
	}
	s.bots = append(s.bots, b)
	return b
}

// tokenForm says whether a token looks like one.
func tokenForm(token string) bool {
	id, rest, found := strings.Cut(token, ":")
	n, err := strconv.ParseInt(id, 10, 64)
	return found && err == nil && n > 0 && token[0] != '0' && rest != "" && len(token) <= 80
}

// ServeHTTP answers calls under /bot<TOKEN>/, and the page elsewhere.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, isCall := strings.CutPrefix(r.URL.Path, "/bot")
	if !isCall {
		if strings.HasPrefix(r.URL.Path, "/file/bot") {
			// Nobody should ever load a file (S17); whoever tries is counted.
			s.count.file.Add(1)
			writeError(w, &apiError{code: 404, text: "Not Found"})
			return
		}
		s.page.ServeHTTP(w, r)
		return
	}
	token, method, found := strings.Cut(rest, "/")
	if !found {
		writeError(w, &apiError{code: 404, text: "Not Found"})
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		writeError(w, &apiError{code: 501, text: "Not Implemented"})
		return
	}
	b := s.Bot(token)
	if token == "" {
		b = nil
	}
	if b == nil && s.opts.Open && tokenForm(token) {
		b = s.addBot(Profile{Token: token})
	}
	c, err := readCall(w, r, method)
	switch {
	case b == nil && !tokenForm(token):
		err = &apiError{code: 401, text: "Unauthorized: invalid token specified"}
	case b == nil:
		err = &apiError{code: 401, text: "Unauthorized"}
	}
	var result any
	var act Action
	if err == nil {
		act = s.faults.choose(s.record(b, c))
		if act.before(w, r) {
			s.count.add(b, c, act.Status, "trouble")
			return
		}
		result, err = s.execute(r.Context(), b, c)
	}
	if b != nil {
		var e *apiError
		code, text := 200, ""
		if errors.As(err, &e) {
			code, text = e.code, e.text
		}
		s.count.add(b, c, code, text)
		s.events.tell()
	}
	if act.Drop {
		cut(w)
		return
	}
	if act.Drip > 0 {
		w = &dripper{ResponseWriter: w, each: act.Drip, ctx: r.Context()}
	}
	if err != nil {
		writeError(w, err)
		return
	}
	writeResult(w, result)
}

// execute performs one call: the table first, then the method.
func (s *Server) execute(ctx context.Context, b *Bot, c *call) (any, error) {
	m := s.api.methods[c.method]
	if m == nil {
		return nil, &apiError{code: 404, text: "Not Found: method not found"}
	}
	if err := s.api.check(m, c); err != nil {
		return nil, err
	}
	if c.method == "getupdates" {
		return b.getUpdates(ctx, c)
	}
	if do := methods[c.method]; do != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		return do(b, c)
	}
	if err := m.missing(c); err != nil {
		return nil, err
	}
	if units(c.args["caption"]) > maxCaption {
		return nil, bad("message caption is too long")
	}
	if m.returns == "Boolean" {
		return true, nil
	}
	return nil, &apiError{code: 501, text: "Not Implemented: the local server checks " + m.name + " but does not perform it"}
}

// methods are the methods with behaviour; each runs under the bot's lock. They
// are set in init since a webhook's answer leads back to them.
var methods map[string]func(*Bot, *call) (any, error)

func init() {
	methods = map[string]func(*Bot, *call) (any, error){
		"getme":                  func(b *Bot, _ *call) (any, error) { return b.me(), nil },
		"logout":                 func(b *Bot, _ *call) (any, error) { b.updates.clear(0); return true, nil },
		"close":                  func(*Bot, *call) (any, error) { return true, nil },
		"setwebhook":             (*Bot).setWebhook,
		"deletewebhook":          (*Bot).deleteWebhook,
		"getwebhookinfo":         (*Bot).webhookInfo,
		"sendmessage":            (*Bot).sendMessage,
		"editmessagetext":        (*Bot).editMessageText,
		"editmessagereplymarkup": (*Bot).editMessageReplyMarkup,
		"deletemessage":          (*Bot).deleteMessage,
		"deletemessages":         (*Bot).deleteMessages,
		"answercallbackquery":    (*Bot).answerCallbackQuery,
		"sendchataction":         (*Bot).sendChatAction,
		"getchat":                (*Bot).getChat,
		"leavechat":              (*Bot).leaveChat,
		"getfile":                (*Bot).getFile,
		"setmycommands":          (*Bot).setMyCommands,
		"getmycommands":          (*Bot).getMyCommands,
		"deletemycommands":       (*Bot).deleteMyCommands,
		"setmyname":              setText("name", 64),
		"getmyname":              getText("name"),
		"setmydescription":       setText("description", 512),
		"getmydescription":       getText("description"),
		"setmyshortdescription":  setText("short_description", 120),
		"getmyshortdescription":  getText("short_description"),
		"setchatmenubutton":      (*Bot).setChatMenuButton,
		"getchatmenubutton":      (*Bot).getChatMenuButton,
	}
}

type answer struct {
	OK          bool        `json:"ok"`
	Result      any         `json:"result,omitempty"`
	ErrorCode   int         `json:"error_code,omitempty"`
	Description string      `json:"description,omitempty"`
	Parameters  *parameters `json:"parameters,omitempty"`
}

type parameters struct {
	RetryAfter int `json:"retry_after,omitempty"`
}

// described is a result with a description beside it.
type described struct {
	result any
	text   string
}

func writeResult(w http.ResponseWriter, result any) {
	a := answer{OK: true, Result: result}
	if d, ok := result.(described); ok {
		a.Result, a.Description = d.result, d.text
	}
	write(w, 200, a)
}

func writeError(w http.ResponseWriter, err error) {
	var e *apiError
	if !errors.As(err, &e) {
		e = &apiError{code: 500, text: "Internal Server Error: " + err.Error()}
	}
	a := answer{ErrorCode: e.code, Description: e.text}
	if e.retryAfter > 0 {
		a.Parameters = &parameters{RetryAfter: e.retryAfter}
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	write(w, e.code, a)
}

func write(w http.ResponseWriter, code int, a answer) {
	body, err := json.Marshal(a)
	if err != nil {
		code, body = 500, []byte(`{"ok":false,"error_code":500,"description":"Internal Server Error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // a client that is gone misses its answer
}

// signal tells any number of waiters that something changed.
type signal struct {
	mu      sync.Mutex
	waiting chan struct{}
	version uint64
}

// next gives a channel that is closed at the next change.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = make(chan struct{})
	}
	return s.waiting
}

func (s *signal) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	if s.waiting != nil {
		close(s.waiting)
		s.waiting = nil
	}
}

func (s *signal) at() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}
