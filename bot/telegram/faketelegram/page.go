package faketelegram

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The page to chat by hand: plain forms, and a little script that shows what
// is new without a reload.
//
//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/page.html"))

// pageWait is how long the page's script is kept waiting for a change.
const pageWait = 25 * time.Second

// view is what the page shows: one person in the chat with one bot.
type view struct {
	Bots    []botView
	Bot     botView
	People  []personView
	Person  *personView
	Chat    []Message
	Toast   string
	Blocked bool
	Typing  bool
	Version uint64
	Menu    []Command
}

type botView struct {
	ID       int64
	Name     string
	Username string
	Mode     string // "webhook", "polling" or ""
}

type personView struct {
	ID       int64
	Name     string
	Language string
	Here     bool
	Last     string
}

// pages serves the page and what its forms do.
func (s *Server) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showPage)
	mux.Handle("GET /page/", http.FileServerFS(pageFiles))
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /changes", s.changes)
	mux.HandleFunc("POST /people", func(w http.ResponseWriter, r *http.Request) {
		p := s.Person(Profile{Name: r.FormValue("name"), Language: r.FormValue("language")})
		http.Redirect(w, r, s.place(r, p), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /act", s.act)
	safe := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.opts.Remote && !local(r) {
			http.Error(w, "this page is for browsers on the machine it runs on", http.StatusForbidden)
			return
		}
		safe.ServeHTTP(w, r)
	})
}

// local says whether a browser is on this machine and asked for it by a
// loopback name: a name that somebody pointed here does not count.
func local(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !loopbackHost(from) {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return loopbackHost(host)
}

// chosen reads which person and bot a request is about.
func (s *Server) chosen(r *http.Request) (*Person, *Bot) {
	botID, _ := strconv.ParseInt(r.FormValue("b"), 10, 64)
	b := s.Bot("")
	for _, x := range s.allBots() {
		if x.user.ID == botID {
			b = x
		}
	}
	id, err := strconv.ParseInt(r.FormValue("p"), 10, 64)
	for _, p := range s.People() {
		if err != nil || p.ID() == id {
			return p.With(b), b
		}
	}
	return nil, b
}

func (s *Server) place(r *http.Request, p *Person) string {
	q := url.Values{"p": {strconv.FormatInt(p.ID(), 10)}}
	if b := r.FormValue("b"); b != "" {
		q.Set("b", b)
	}
	return "/?" + q.Encode() + "#end"
}

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	v := view{Version: s.events.at()} // before looking: what changes now is shown again
	p, bot := s.chosen(r)
	for _, b := range s.allBots() {
		v.Bots = append(v.Bots, b.view())
	}
	if bot != nil {
		v.Bot = bot.view()
	}
	for _, x := range s.People() {
		x = x.With(bot)
		pv := personView{ID: x.ID(), Name: x.Name(), Language: x.Language(), Here: p != nil && p.ID() == x.ID()}
		if chat := x.Chat(); len(chat) > 0 {
			pv.Last = chat[len(chat)-1].Text
		}
		v.People = append(v.People, pv)
		if pv.Here {
			v.Person = &pv
		}
	}
	if p != nil && bot != nil {
		v.Chat = p.Chat()
		v.Menu = bot.Commands(p.Language())
		if toasts := p.Toasts(); len(toasts) > 0 {
			v.Toast = toasts[len(toasts)-1].Text
		}
		_ = p.look(func(b *Bot) error {
			if ch := b.chats[p.ID()]; ch != nil {
				v.Blocked = ch.blocked
				v.Typing = s.now().Sub(ch.typing) < 5*time.Second
			}
			return nil
		})
	}
	name := "page"
	if r.FormValue("part") == "chat" {
		name = "chat"
	}
	var out bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&out, name, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = out.WriteTo(w) // a browser that is gone misses its page
}

func (b *Bot) view() botView {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := botView{ID: b.user.ID, Name: b.profile.text("name", ""), Username: b.user.Username}
	switch {
	case b.hook != nil:
		v.Mode = "webhook " + b.hook.url
	case b.updates.poll != nil || b.updates.lastPoll.After(b.s.now().Add(-time.Minute)):
		v.Mode = "polling"
	}
	return v
}

// changes answers when something changed after the version the script knows.
func (s *Server) changes(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.ParseUint(r.FormValue("since"), 10, 64)
	ctx, stop := context.WithTimeout(r.Context(), pageWait)
	defer stop()
	go func() {
		select {
		case <-s.ctx.Done():
			stop()
		case <-ctx.Done():
		}
	}()
	_ = s.Until(ctx, func() bool { return s.events.at() > since }) // over time: the same version again
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(strconv.AppendUint(nil, s.events.at(), 10))
}

// act does what a person does on the page.
func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	p, b := s.chosen(r)
	if p == nil || b == nil {
		http.Error(w, "there is no such person, or no bot has come yet", http.StatusNotFound)
		return
	}
	message, _ := strconv.Atoi(r.FormValue("message"))
	var err error
	switch r.FormValue("do") {
	case "say":
		if text := r.FormValue("text"); text != "" {
			p.Say(text)
		}
	case "press":
		p.PressOld(message, r.FormValue("data"))
	case "start":
		_, err = p.Start(r.FormValue("text"))
	case "photo":
		p.SendPhoto("")
	case "voice":
		p.SendVoice()
	case "sticker":
		p.SendSticker("👍")
	case "location":
		p.SendLocation(0, 0)
	case "edit":
		err = p.Edit(message, r.FormValue("text"))
	case "delete":
		err = p.Delete(message)
	case "block":
		p.Block()
	case "unblock":
		p.Unblock()
	case "group":
		p.AddBotToGroup("A group")
	default:
		http.Error(w, "nobody can do that", http.StatusBadRequest)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	http.Redirect(w, r, s.place(r, p), http.StatusSeeOther)
}
