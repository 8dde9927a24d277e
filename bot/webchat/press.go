package webchat

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
)

// form is what a press carries. Everything in it is hostile until looked at
// here (S52); what does not look right is left out.
type form struct {
	session string // s: the chat's random value
	screen  string // n: the screen it was pressed on
	stamp   string // t: when the page was made, and a random value of its own
	poster  string // p: the poster's short path
	event   string // e
	help    string // h: what the help button carries
	lang    string // lang: a language chosen on the first view
	typed   bool   // there was a field for words
	words   flows.Words
	locale  Locale // l

	piece bool // our script asks and wants a piece, not a page
}

// press answers a press and typed words.
func (s *Site) press(w http.ResponseWriter, r *http.Request) {
	if !ours(r) {
		s.refuse(w, r, http.StatusForbidden)
		return
	}
	values, status := readForm(w, r)
	if status != 0 {
		s.refuse(w, r, status)
		return
	}
	f := s.parse(r, values)
	if l, ok := s.locale(f.lang); ok {
		s.begin(w, r, l, f.poster, "", f.piece)
		return
	}
	again, ok := s.fresh(f)
	if !ok {
		s.Count(Retold)
		s.begin(w, r, f.locale, f.poster, "", f.piece)
		return
	}
	if f.event == flows.Hide { // on the web hiding is leaving
		s.Count(Left)
		s.out(w, r, f)
		return
	}
	s.Count(Pressed)
	u := s.update(f)
	if u.Help == nil {
		if f.session == "" {
			s.begin(w, r, f.locale, f.poster, "", f.piece)
			return
		}
		if !s.letIn(f.session) {
			s.Count(Limited)
			s.card(w, r, f.locale, f.poster, s.text(f.locale.Tag, "web.many"), f.piece)
			return
		}
	}
	a, err := s.handle(r.Context(), u)
	if f.session != "" && s.ended.has(f.session) {
		// Left while we were busy: what this press may have written goes too,
		// and nothing is shown (F102).
		s.out(w, r, f)
		return
	}
	reply := a.Reply
	switch {
	case err != nil:
		s.Count(Failed)
		s.card(w, r, f.locale, f.poster, "", f.piece)
	case reply.Clear && reply.Toast == "":
		s.out(w, r, f)
	case reply.Clear || u.Event == flows.Erase:
		// Erased: one calm line, and a chat nobody knows yet (S38).
		if f.session != "" {
			s.ended.first(f.session, s.Now())
		}
		s.begin(w, r, f.locale, f.poster, reply.Toast, f.piece)
	case !f.piece && !again && (a.Outcome == bot.Stale || a.Outcome == bot.Repeated):
		// An old page, and not a double tap: a reload, Back or a restored tab
		// of which we remember nothing. Never show what the session holds (S24).
		s.Count(Retold)
		s.begin(w, r, f.locale, f.poster, "", false)
	default:
		s.show(w, r, f, u, reply)
	}
}

// show sends the answer of a press. A toast may come alone: the script keeps
// the screen it has; a whole page needs the screen behind the toast.
func (s *Site) show(w http.ResponseWriter, r *http.Request, f form, u bot.Update, reply bot.Reply) {
	alone := len(reply.Bubbles) == 0 && len(reply.Rows) == 0
	if alone && !f.piece {
		toast := reply.Toast
		a, err := s.handle(r.Context(), bot.Update{Chat: u.Chat, At: u.At, Event: flows.Show, Locale: u.Locale, Tenant: u.Tenant})
		if err != nil || len(a.Reply.Bubbles) == 0 {
			s.card(w, r, f.locale, f.poster, toast, false)
			return
		}
		reply, alone = a.Reply, false
		reply.Toast = toast
	}
	if alone && reply.Toast == "" {
		s.Count(Failed) // no child meets silence
		s.card(w, r, f.locale, f.poster, "", f.piece)
		return
	}
	if reply.Card && reply.Screen == "" {
		reply.Screen = f.screen // the card leaves the screen behind it in place
	}
	v := s.view(r.Context(), reply, f)
	v.Keep = alone
	s.send(w, r, http.StatusOK, v, f.piece)
}

// out ends the chat and leads away.
func (s *Site) out(w http.ResponseWriter, r *http.Request, f form) {
	if f.session != "" {
		s.ended.first(f.session, s.Now())
	}
	if f.piece {
		w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
		w.Header().Set("X-Trygg", "out")
		w.WriteHeader(http.StatusNoContent)
	} else {
		s.goAway(w, false)
	}
	if f.session != "" {
		http.NewResponseController(w).Flush()
		s.erase(r, f.session)
	}
}

// update makes an Update of a form.
func (s *Site) update(f form) bot.Update {
	u := bot.Update{
		Chat:   bot.ChatID{Channel: bot.Web, Bot: s.Site, User: f.session},
		At:     s.Now(),
		Screen: f.screen,
		Locale: f.locale.Tag,
		Tenant: s.tenant(f.poster),
	}
	switch {
	case f.help != "":
		req, ok := s.ParseHelp(f.help)
		if !ok {
			req = card.Request{Locale: f.locale.Tag, Tenant: u.Tenant}
		}
		u.Event, u.Help = flows.Help, &req
	case f.typed && f.event == "":
		u.Words = f.words
	case isName(f.event):
		u.Event = f.event
	default:
		u.Event = flows.Show // F41: the present screen again
	}
	return u
}

// fresh tells a press from an old request that comes again. A browser without
// our script sends the form once more on reload, on Back and when it restores a
// tab, perhaps long after the child has left. False: show the neutral start.
// again: this page was pressed on a moment ago, a double tap.
//
// Two things decide. The page's stamp says when it was made, which every
// replica can read: older than any session, and nothing can hang on it any
// more. And this process remembers for some hours, in a bounded memory, which
// pages were pressed on and which sessions were left. Another replica, or this
// one after a restart, does not know that; there the screen's nonce is what
// protects: it is stale, so the neutral start is shown (see press). What is
// left is a repeated help press there: the card carries nothing of anybody, and
// in doubt it is shown (S2).
//
// A piece is never sent again by the browser, so none of this applies to it.
func (s *Site) fresh(f form) (again, ok bool) {
	now := s.Now()
	if f.session != "" && s.ended.has(f.session) {
		return false, false
	}
	if f.piece {
		return false, true
	}
	made, ok := stampTime(f.stamp)
	if !ok {
		return false, f.help != "" // no page of ours has none; but help is help
	}
	if age := now.Sub(made); age > pageLife || age < -time.Hour {
		return false, false
	}
	first, seen := s.pressed.first(f.stamp, now)
	if seen && now.Sub(first) > doubleTap {
		return false, false
	}
	return seen, true
}

// letIn lets chats in that we know, and new ones as many as there may be.
func (s *Site) letIn(session string) bool {
	now := s.Now()
	if s.known.has(session) {
		return true
	}
	if !s.gate.take(now) {
		return false
	}
	s.known.first(session, now)
	return true
}

// ours tells whether a post comes from a page of ours (S61). Browsers that say
// where a request comes from are believed. Our pages send no referrer, which
// makes Origin "null" in browsers that do not say it the newer way; those are
// let through: the session value is random, so a foreign page has none to use.
func ours(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "":
	case "same-origin", "none":
		return true
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// isPiece tells whether our script asks.
func isPiece(r *http.Request) bool { return r.Header.Get("X-Trygg") == "1" }

// readForm reads a form of bounded size; what stands in the address is not
// looked at. The status is 0, or why it was refused (F34).
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, int) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, http.StatusUnsupportedMediaType
	}
	if r.ContentLength > maxBody {
		return nil, http.StatusRequestEntityTooLarge
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	r.URL.RawQuery = ""
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, http.StatusRequestEntityTooLarge
		}
		return nil, http.StatusBadRequest
	}
	for _, v := range r.PostForm {
		if len(v) > 1 {
			return nil, http.StatusBadRequest // no page of ours says a thing twice
		}
	}
	return r.PostForm, 0
}

func (s *Site) parse(r *http.Request, values url.Values) form {
	f := form{piece: isPiece(r), locale: s.pick(r)}
	if l, ok := s.locale(values.Get("l")); ok {
		f.locale = l
	}
	if v := values.Get("s"); isSession(v) {
		f.session = v
	}
	f.screen = values.Get("n")
	if f.screen != "" && !isName(strings.TrimPrefix(f.screen, "~")) {
		f.screen = "?" // stale, and not "from no screen"
	}
	if v := values.Get("p"); s.knows(v) {
		f.poster = v
	}
	if v := values.Get("t"); len(v) <= 64 {
		f.stamp = v
	}
	f.event, f.lang = values.Get("e"), values.Get("lang")
	f.help = values.Get("h")
	if values.Has("w") {
		f.typed, f.words = true, words(values.Get("w"))
	}
	return f
}

// words cleans typed text of what no reader could use. It is never shown again
// (S54), so nothing is escaped. An empty field is one space: somebody pressed
// Send, which asks for an answer too (F40).
func words(s string) flows.Words {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) > maxWords {
		s = string([]rune(s)[:maxWords])
	}
	if s == "" {
		s = " "
	}
	return flows.NewWords(s)
}

// isName tells whether s may be an event or a screen.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

func isPoster(s string) bool { return len(s) <= 32 && isName(s) }

// knows tells whether a poster is one of ours. Another's path is not carried on.
func (s *Site) knows(poster string) bool { return isPoster(poster) && s.tenant(poster) != "" }

func isSession(s string) bool {
	return len(s) == sessionLength && isName(s) && !strings.Contains(s, ".")
}
