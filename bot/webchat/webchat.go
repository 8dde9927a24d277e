// Package webchat is the chat in a browser. Requests come in and become
// bot.Update; bot.Reply becomes a page, or a piece of one for a page that runs
// our script. The answer is the response of the press. It leaves to others what
// is said (Handler) and in which words (Texts), and knows no store.
//
// A phone may be read by the person a child is afraid of. So the address and
// the title never change, nothing is kept on the device but one random value in
// the page's own memory, and coming back shows the neutral start (S21-S27).
package webchat

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
)

// Handler answers updates.
type Handler interface {
	// Handle makes one step. An update with Event flows.Show from a chat nobody
	// knows gives the start screen and stores nothing (S26).
	Handle(context.Context, bot.Update) (bot.Answer, error)
	// Help makes the help card of an update from the program itself. It needs
	// no store and cannot fail (S2).
	Help(context.Context, bot.Update) bot.Reply
}

// Texts gives a text in just this language. False: it has none.
type Texts interface {
	Text(locale, id, band string) (string, bool)
}

// Locale is a language that is offered.
type Locale struct {
	Tag   string   // BCP 47
	Name  string   // its own name for itself
	RTL   bool     // written from right to left
	Alias []string // other tags browsers send for it: "no" for nb
}

// Event is something Count is told of. There is nothing about anybody in it.
type Event string

const (
	Opened  Event = "opened"  // a first view was sent
	Pressed Event = "pressed" // a press, or typed words
	Retold  Event = "retold"  // an old request came again: the neutral start was sent (S24)
	Limited Event = "limited" // too many new chats: the card was sent (F77)
	Left    Event = "left"    // exit
	Refused Event = "refused" // a request that is not ours to answer
	Failed  Event = "failed"  // the handler failed or panicked: the card was sent (F22)
)

// Options are what a Site needs. Handler, Texts, Locales and ParseHelp are
// required.
type Options struct {
	Handler Handler
	Texts   Texts
	Locales []Locale // the first serves browsers whose language we do not speak (F45)

	// ParseHelp reads what a help button carries. What it refuses is answered
	// with the card of the page's language.
	ParseHelp func(string) (card.Request, bool)
	// Poster gives the municipality of a poster's short path /p/{id}. An
	// unknown one shows the same page (S21). nil = no posters.
	Poster func(id string) (tenant string, ok bool)

	Site  string   // name of this site in bot.ChatID; default "web"
	Hosts []string // host names requests may be for (F79); empty = any

	// ExitTo is where an exit leads: a page that is the same for everybody and
	// answers without sending the browser to another host (S23).
	ExitTo string // default https://www.yr.no/

	// NewChatsPerMinute limits chats that begin, all together and never by
	// address (F77). Default 600. The card and exit have no limit (S6).
	NewChatsPerMinute int

	Now    func() time.Time // default time.Now
	Random io.Reader        // default crypto/rand
	Count  func(Event)      // default: nobody counts
}

// Limits on what comes in. A page that lies longer than pageLife has outlived
// every session (S37); a press that comes again within doubleTap is a
// nervous finger, later it is a reload or a restored tab (S24).
const (
	maxBody   = 64 << 10
	maxWords  = 4096 // characters
	pageLife  = 12 * time.Hour
	doubleTap = 5 * time.Second
	eraseTime = 2 * time.Second // S38
	stepTime  = 10 * time.Second
)

// Site serves the chat. It is an http.Handler.
type Site struct {
	Options
	exitOrigin string
	mux        *http.ServeMux
	starts     starts

	pressed memory // pages that were pressed on, by their stamp
	ended   memory // sessions that were left
	known   memory // sessions that were let in
	gate    bucket
}

// New checks the options and gives a Site. Every text of UI must be there in
// every language, or at least in the first.
func New(o Options) (*Site, error) {
	var errs []error
	if o.Handler == nil || o.Texts == nil || o.ParseHelp == nil || len(o.Locales) == 0 {
		errs = append(errs, errors.New("webchat: Handler, Texts, ParseHelp and Locales are needed"))
	}
	if o.Site == "" {
		o.Site = "web"
	}
	if o.ExitTo == "" {
		o.ExitTo = "https://www.yr.no/"
	}
	if o.NewChatsPerMinute == 0 {
		o.NewChatsPerMinute = 600
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Count == nil {
		o.Count = func(Event) {}
	}
	exit, err := url.Parse(o.ExitTo)
	if err != nil || exit.Scheme != "https" && exit.Scheme != "http" || exit.Host == "" || strings.ContainsAny(o.ExitTo, " ;,\"'") {
		errs = append(errs, fmt.Errorf("webchat: exit address %q: want one like https://www.yr.no/", o.ExitTo))
		exit = &url.URL{}
	}
	s := &Site{
		Options:    o,
		exitOrigin: exit.Scheme + "://" + exit.Host,
		pressed:    memory{life: pageLife},
		ended:      memory{life: pageLife},
		known:      memory{life: 2 * time.Hour},
		gate:       bucket{perMinute: float64(o.NewChatsPerMinute)},
	}
	if o.Texts != nil {
		for i, l := range o.Locales {
			for _, id := range UI {
				if _, ok := o.Texts.Text(l.Tag, id, ""); !ok && (i == 0 || s.text(l.Tag, id) == "") {
					errs = append(errs, fmt.Errorf("webchat: text %q is missing in %s", id, l.Tag))
				}
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.open(w, r, "") })
	s.mux.HandleFunc("GET /p/{id}", func(w http.ResponseWriter, r *http.Request) { s.open(w, r, r.PathValue("id")) })
	s.mux.HandleFunc("POST /{$}", s.press)
	s.mux.HandleFunc("GET /ut", s.leave)
	s.mux.HandleFunc("POST /ut", s.leave)
	s.mux.HandleFunc("GET /hjelp", s.help)
	s.mux.HandleFunc("GET /om/{l}", s.safer)
	s.mux.HandleFunc("/", s.lost)
	return s, nil
}

// ServeHTTP answers one request. A panic below ends with the card for that
// child and a count for us; no word of it is kept (F22).
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			s.Count(Failed)
			s.lastResort(w, r)
		}
	}()
	if len(s.Hosts) > 0 && !slices.Contains(s.Hosts, hostname(r.Host)) {
		s.refuse(w, r, http.StatusMisdirectedRequest)
		return
	}
	if path.Clean(r.URL.Path) != r.URL.Path {
		s.lost(w, r) // the mux would answer with a redirect that repeats the address
		return
	}
	s.mux.ServeHTTP(w, r)
}

// hostname is the name in a Host header, without its port.
func hostname(host string) string {
	u := url.URL{Host: host}
	return strings.ToLower(u.Hostname())
}

// harden sets what every answer carries (S25, S61). Pages add their own
// Content-Security-Policy; anything else may do nothing at all.
func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache") // old browsers and proxies
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, noarchive, nosnippet")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-DNS-Prefetch-Control", "off")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "+
		"microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), browsing-topics=()")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
}

// policy is the Content-Security-Policy of a page. Script and style stand in
// the page itself under a nonce: one request, and no file of ours in any cache.
// The exit's form is answered with a redirect, which browsers hold against
// form-action too.
func (s *Site) policy(nonce string) string {
	return "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'nonce-" + nonce + "'; img-src data:; " +
		"connect-src 'self'; form-action 'self' " + s.exitOrigin + "; base-uri 'none'; frame-ancestors 'none'"
}

// open sends the first view. Nothing is stored for it, here or there (S26).
func (s *Site) open(w http.ResponseWriter, r *http.Request, poster string) {
	if !s.knows(poster) {
		poster = ""
	}
	s.Count(Opened)
	s.begin(w, r, s.pick(r), poster, "", false)
}

// begin sends the neutral start with a fresh session value: as the first view,
// when an old request comes again, and after everything was erased.
func (s *Site) begin(w http.ResponseWriter, r *http.Request, l Locale, poster, toast string, piece bool) {
	tenant := s.tenant(poster)
	start := s.starts.get(s.Now(), startKey{l.Tag, tenant}, func() (bot.Reply, error) {
		a, err := s.handle(r.Context(), bot.Update{
			Chat:   bot.ChatID{Channel: bot.Web, Bot: s.Site, User: s.random(32)},
			At:     s.Now(),
			Event:  flows.Show,
			Locale: l.Tag,
			Tenant: tenant,
		})
		return a.Reply, err
	})
	if start == nil {
		s.Count(Failed)
		s.card(w, r, l, poster, "", piece)
		return
	}
	reply := *start
	reply.Toast = toast
	v := s.view(r.Context(), reply, form{locale: l, poster: poster, piece: piece})
	v.First, v.Fresh = true, true
	// The languages stand on this page by name; a button to them would be a
	// detour that stores a session.
	v.Tools = slices.DeleteFunc(v.Tools, func(c choice) bool { return c.Value == flows.Language })
	s.send(w, r, http.StatusOK, v, piece)
}

// help is the card as a page: GET, no session, nothing else needed (S1, S2).
func (s *Site) help(w http.ResponseWriter, r *http.Request) {
	s.card(w, r, s.pick(r), "", "", false)
}

// card sends the card with a fresh session value: over the limit, when the
// handler failed, and as /hjelp. It is made from memory only.
func (s *Site) card(w http.ResponseWriter, r *http.Request, l Locale, poster, note string, piece bool) {
	tenant := s.tenant(poster)
	reply := s.Handler.Help(r.Context(), bot.Update{
		Chat: bot.ChatID{Channel: bot.Web, Bot: s.Site}, At: s.Now(), Event: flows.Help, Locale: l.Tag, Tenant: tenant,
		Help: &card.Request{Locale: l.Tag, Tenant: tenant},
	})
	reply.Toast = note
	v := s.view(r.Context(), reply, form{locale: l, poster: poster, piece: piece})
	v.Fresh = true
	s.send(w, r, http.StatusOK, v, piece)
}

// leave is the clearing route (S23). The redirect goes out first and the store
// is told after: nobody who has to leave waits for a store.
func (s *Site) leave(w http.ResponseWriter, r *http.Request) {
	s.Count(Left)
	var session string
	quiet := false
	if r.Method == http.MethodPost {
		// Whatever is wrong with the form, leaving works.
		if values, _ := readForm(w, r); values != nil && ours(r) {
			session, quiet = values.Get("s"), values.Get("j") != ""
		}
	}
	s.goAway(w, quiet)
	if !isSession(session) {
		return
	}
	s.ended.first(session, s.Now())
	http.NewResponseController(w).Flush()
	s.erase(r, session)
}

// goAway empties what the browser keeps of us and leads to the neutral page.
// quiet is for the script, which has left already.
func (s *Site) goAway(w http.ResponseWriter, quiet bool) {
	h := w.Header()
	h.Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	h.Set("Content-Security-Policy", s.policy("none"))
	if quiet {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Location", s.ExitTo)
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
}

// erase asks for everything under a session to go. The browser may be gone
// long before, so its context does not count.
func (s *Site) erase(r *http.Request, session string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), eraseTime)
	defer cancel()
	defer func() { // the answer is out; a panic must not add a page to it
		if recover() != nil {
			s.Count(Failed)
		}
	}()
	_, err := s.Handler.Handle(ctx, bot.Update{
		Chat: bot.ChatID{Channel: bot.Web, Bot: s.Site, User: session}, At: s.Now(), Event: flows.Erase,
	})
	if err != nil {
		s.Count(Failed)
	}
}

// lost answers addresses and methods we do not have, in the same calm look.
func (s *Site) lost(w http.ResponseWriter, r *http.Request) {
	switch p := r.URL.Path; {
	case p == "/favicon.ico":
		w.WriteHeader(http.StatusNoContent)
	case p == "/" || p == "/ut":
		w.Header().Set("Allow", "GET, HEAD, POST")
		s.refuse(w, r, http.StatusMethodNotAllowed)
	case p == "/hjelp":
		w.Header().Set("Allow", "GET, HEAD")
		s.refuse(w, r, http.StatusMethodNotAllowed)
	default:
		s.note(w, r, http.StatusNotFound, "web.missing")
	}
}

func (s *Site) refuse(w http.ResponseWriter, r *http.Request, status int) {
	s.Count(Refused)
	s.note(w, r, status, "web.wrong")
}

// lastResort is sent when something panicked: the card, and should that panic
// too, a page with nothing but the way on. The status is 200, since some
// browsers put a page of their own in place of ours otherwise.
func (s *Site) lastResort(w http.ResponseWriter, r *http.Request) {
	piece := isPiece(r)
	defer func() {
		if recover() != nil {
			s.note(w, r, http.StatusOK, "web.wrong")
		}
	}()
	s.card(w, r, s.pick(r), "", "", piece)
}

// handle asks the handler. Work that has begun is finished although the browser
// has gone: half a step helps nobody.
func (s *Site) handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer cancel()
	return s.Handler.Handle(ctx, u)
}

func (s *Site) tenant(poster string) string {
	if poster == "" || s.Poster == nil {
		return ""
	}
	tenant, _ := s.Poster(poster)
	return tenant
}
