package webchat

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
)

// UI are the texts of the page itself. Everything else is said by the Handler.
var UI = []string{
	"web.title", "web.help", "web.exit", "web.exit.link", "web.robot", "web.type", "web.send",
	"web.chat", "web.choose", "web.more", "web.language", "web.listen", "web.listen.stop",
	"web.wrote", "web.wait", "web.offline", "web.call", "web.leave",
	"web.missing", "web.wrong", "web.many", "web.start", "web.safer",
	"web.safe.exit", "web.safe.keys", "web.safe.history", "web.safe.line", "web.safe.private",
	"web.safe.calls", "web.safe.watched",
}

// view is what the templates see.
type view struct {
	site *Site

	Locale  Locale
	Nonce   string
	Posted  bool // the page answers a POST, which browsers may send again
	First   bool // the neutral start: how to leave, and the languages
	Fresh   bool // a new session value: what stood there before goes
	Keep    bool // nothing but a notice: the screen stays
	Session string
	Screen  string
	Stamp   string
	Poster  string

	Help   choice   // in the bar at the top, always visible (S1)
	Turn   []bubble // what is said now
	Toast  string
	Rows   [][]choice
	Tools  []choice // the engine's buttons that people look for
	More   []choice // the others
	Typing bool     // the screen asks for typed words
	Spare  []bubble // the card, for when we cannot be reached
	Lines  []string // of a page that is no chat
}

// bubble is a message as the template needs it.
type bubble struct {
	Name, Text    string
	Lang, Dir     string
	Number        string
	Call          string
	Dial          template.URL // tel:, checked; html/template would refuse it
	Web, WebLabel string
}

// choice is a button. Name says what it carries: e an event, h a card request.
type choice struct{ Name, Value, Label string }

// T gives a text of the page's own.
func (v *view) T(id string) string { return v.site.text(v.Locale.Tag, id) }

func (v *view) Dir() string          { return dir(v.Locale) }
func (v *view) ExitTo() string       { return v.site.ExitTo }
func (v *view) Locales() []Locale    { return v.site.Locales }
func (v *view) Style() template.CSS  { return pageCSS }
func (v *view) Script() template.JS  { return pageJS }
func (v *view) Chosen(l Locale) bool { return l.Tag == v.Locale.Tag }

// view makes a view of a reply to a form.
func (s *Site) view(ctx context.Context, reply bot.Reply, f form) *view {
	l := f.locale
	if known, ok := s.locale(reply.Locale); ok {
		l = known
	}
	v := &view{
		site: s, Locale: l, Session: f.session, Screen: reply.Screen, Poster: f.poster, Stamp: s.stamp(),
		Toast: reply.Toast, Typing: reply.Typing,
	}
	for _, b := range reply.Bubbles {
		v.Turn = append(v.Turn, s.bubble(b, l))
	}
	for _, row := range reply.Rows {
		var cs []choice
		for _, b := range row {
			cs = append(cs, choiceOf(b))
		}
		v.Rows = append(v.Rows, cs)
	}
	request := card.Request{Locale: l.Tag, Tenant: s.tenant(f.poster)}
	v.Help = choice{"h", request.String(), v.T("web.help")}
	for i, b := range reply.System {
		switch {
		case i == 0 && (b.Help != nil || b.Event == flows.Help):
			if b.Help != nil {
				request = *b.Help
			}
			v.Help = choice{"h", request.String(), b.Label}
		case b.Event == flows.Hide:
			// Exit stands at the top of every page and does just that (S22).
		case b.Help == nil && (b.Event == flows.Erase || b.Event == flows.Privacy || b.Event == flows.Restart):
			v.More = append(v.More, choiceOf(b))
		default:
			v.Tools = append(v.Tools, choiceOf(b))
		}
	}
	if len(v.Tools)+len(v.More) <= 4 {
		v.Tools, v.More = append(v.Tools, v.More...), nil
	}
	// The script keeps a card for when we cannot be reached. It is renewed when
	// what is open may have changed, or the language has.
	made, ok := stampTime(f.stamp)
	if !f.piece || !ok || l.Tag != f.locale.Tag || !made.Truncate(30*time.Minute).Equal(s.Now().Truncate(30*time.Minute)) {
		spare := s.Handler.Help(ctx, bot.Update{
			Chat: bot.ChatID{Channel: bot.Web, Bot: s.Site}, At: s.Now(), Event: flows.Help,
			Locale: l.Tag, Tenant: request.Tenant, Help: &request,
		})
		for _, b := range spare.Bubbles {
			v.Spare = append(v.Spare, s.bubble(b, l))
		}
	}
	return v
}

func choiceOf(b bot.Button) choice {
	if b.Help != nil {
		return choice{"h", b.Help.String(), b.Label}
	}
	return choice{"e", b.Event, b.Label}
}

var dialable = regexp.MustCompile(`^\+?[0-9]{2,15}$`)

func (s *Site) bubble(b bot.Bubble, page Locale) bubble {
	l := page
	if known, ok := s.locale(b.Locale); ok {
		l = known
	}
	out := bubble{Text: b.Text, Number: b.Number, Lang: l.Tag, Dir: dir(l)}
	if name, rest, ok := strings.Cut(b.Text, "\n"); ok && (b.Number != "" || b.Dial != "" || b.Web != "") {
		out.Name, out.Text = name, rest // who it is stands out
	}
	if dialable.MatchString(b.Dial) {
		out.Dial = template.URL("tel:" + b.Dial)
		out.Call = s.text(l.Tag, "web.call")
		if out.Number == "" {
			out.Number = b.Dial
		}
	}
	if strings.HasPrefix(b.Web, "https://") {
		out.Web, out.WebLabel = b.Web, b.WebLabel
		if out.WebLabel == "" {
			out.WebLabel = strings.TrimSuffix(strings.TrimPrefix(b.Web, "https://"), "/")
		}
	}
	return out
}

// send writes a page, or for our script the pieces of it.
func (s *Site) send(w http.ResponseWriter, r *http.Request, status int, v *view, piece bool) {
	v.Posted = r.Method == http.MethodPost
	if v.Session == "" || v.Fresh {
		v.Session = s.random(32)
	}
	if v.Stamp == "" {
		v.Stamp = s.stamp()
	}
	name := "page"
	if piece {
		name = "piece"
	} else {
		v.Nonce = s.random(18)
		if v.Posted {
			v.Spare = nil // the card is for the script, and this browser runs none
		}
		w.Header().Set("Content-Security-Policy", s.policy(v.Nonce))
	}
	// Into memory first: a template that fails leaves no half page.
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, v); err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(status)
	w.Write(out.Bytes())
}

// note sends a page with one line, help and the way to the start. It asks
// nobody for anything.
func (s *Site) note(w http.ResponseWriter, r *http.Request, status int, id string) {
	l := s.pick(r)
	s.plain(w, r, status, l, s.text(l.Tag, id))
}

// safer is the page on leaving few traces (S27).
func (s *Site) safer(w http.ResponseWriter, r *http.Request) {
	l := s.pick(r)
	if known, ok := s.locale(r.PathValue("l")); ok {
		l = known
	}
	var lines []string
	for _, id := range UI {
		if strings.HasPrefix(id, "web.safe.") {
			lines = append(lines, s.text(l.Tag, id))
		}
	}
	s.plain(w, r, http.StatusOK, l, lines...)
}

func (s *Site) plain(w http.ResponseWriter, r *http.Request, status int, l Locale, lines ...string) {
	v := &view{site: s, Locale: l, Lines: lines}
	v.Help = choice{"h", card.Request{Locale: l.Tag}.String(), v.T("web.help")}
	s.send(w, r, status, v, false)
}

// text gives a text of the page's own: in the language, else in the first one.
func (s *Site) text(locale, id string) string {
	if t, ok := s.Texts.Text(locale, id, ""); ok {
		return t
	}
	t, _ := s.Texts.Text(s.Locales[0].Tag, id, "")
	return t
}

// locale gives one of our languages by its tag.
func (s *Site) locale(tag string) (Locale, bool) {
	for _, l := range s.Locales {
		if l.Tag == tag {
			return l, tag != ""
		}
	}
	return Locale{}, false
}

// pick gives the language of a browser: the first it asks for that is exactly
// one of ours, never a relative (Russian is not Ukrainian), else our first.
func (s *Site) pick(r *http.Request) Locale {
	best, weight := s.Locales[0], 0.0
	header := r.Header.Get("Accept-Language")
	if len(header) > 1000 {
		header = header[:1000]
	}
	for part := range strings.SplitSeq(header, ",") {
		tag, rest, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ReplaceAll(rest, " ", ""), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil || q > 1 {
				continue
			}
		}
		if q <= weight {
			continue
		}
		for _, l := range s.Locales {
			if l.called(base) {
				best, weight = l, q
				break
			}
		}
	}
	return best
}

func (l Locale) called(base string) bool {
	if l.Tag == base {
		return true
	}
	for _, a := range l.Alias {
		if a == base {
			return true
		}
	}
	return false
}

func dir(l Locale) string {
	if l.RTL {
		return "rtl"
	}
	return "ltr"
}

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	rawCSS string
	//go:embed page.js
	rawJS string

	pages   = template.Must(template.New("").Parse(pageHTML))
	pageCSS = template.CSS(bare(rawCSS))
	pageJS  = template.JS(bare(rawJS))
)

var (
	block  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	indent = regexp.MustCompile(`(?m)^\s+`)
)

// bare leaves out comments and indentation: they are for those who read this
// tree, and would only cost a slow line, or tell a curious one, something.
// Comments in page.js and page.css stand on lines of their own.
func bare(s string) string {
	return indent.ReplaceAllString(block.ReplaceAllString(s, ""), "")
}
