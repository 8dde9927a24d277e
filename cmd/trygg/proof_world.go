package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/bot/webchat"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/locales"
)

// world is what one worker of a proof drives: the real bot over a store for one
// chat, and the real channels in front of it.
type world struct {
	ctx      context.Context
	p        *prover
	now      time.Time
	shelf    *shelf
	bot      *recorder
	switches map[string]bool
	channels map[string]window
	who      int
}

// window is a channel as a child has it: it presses and types, and sees a
// screen.
type window interface {
	press(locale string, c control) (screen, error)
	types(locale, words string) (screen, error)
}

// screen is what a child sees.
type screen struct {
	text string
	rows [][]control
}

// control is a button on a screen.
type control struct {
	event  string
	label  string
	screen string // the screen it stands on
	raw    string // what it carries
	name   string // of the field that carries it, on the web
}

// controls gives all buttons.
func (s screen) controls() []control { return slices.Concat(s.rows...) }

func (s screen) find(event string) (control, bool) {
	for _, c := range s.controls() {
		if c.event == event {
			return c, true
		}
	}
	return control{}, false
}

// lost gives a button of a reply that is not on the screen; "" = all are.
func (s screen) lost(r bot.Reply, channel string) string {
	have := map[string]bool{}
	for _, c := range s.controls() {
		have[c.event+"|"+c.label] = true
	}
	for _, b := range append(slices.Concat(r.Rows...), r.System...) {
		if channel == bot.Web && b.Event == flows.Hide {
			continue // exit stands at the top of every page and does just that
		}
		if !have[b.Event+"|"+b.Label] {
			return b.Label
		}
	}
	return ""
}

// theScreen is the name of every stored screen in a proof.
const theScreen = "screen"

func (p *prover) newWorld(ctx context.Context) (*world, error) {
	w := &world{ctx: ctx, p: p, now: time.Now(), shelf: &shelf{}}
	content := *p.snap.content(true)
	content.Switches = func(string) map[string]bool { return w.switches }
	var answers answerer = bot.New(bot.Options{Content: &content, Chats: w.shelf, Reader: p.reader, Now: func() time.Time { return w.now }})
	if p.options.bot != nil {
		answers = p.options.bot(answers, w.shelf)
	}
	w.bot = &recorder{answerer: answers}
	web, err := newBrowser(w)
	if err != nil {
		return nil, err
	}
	phone, err := newPhone(w)
	if err != nil {
		return nil, err
	}
	w.channels = map[string]window{bot.Web: web, bot.Telegram: phone}
	return w, nil
}

// recorder keeps the last reply the bot gave to a channel.
type recorder struct {
	answerer
	mu   sync.Mutex
	last bot.Reply
}

func (r *recorder) Handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	a, err := r.answerer.Handle(ctx, u)
	r.mu.Lock()
	r.last = a.Reply
	r.mu.Unlock()
	return a, err
}

func (r *recorder) reply() bot.Reply {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (w *world) screenOf(s flows.Session, away bool) string {
	if away {
		return w.p.snap.library.Bearing(s, w.now)
	}
	return s.Screen
}

// do asks the bot itself, and gives its reply and the session as it is after.
func (w *world) do(channel string, s flows.Session, u bot.Update, away bool) (bot.Reply, flows.Session, bool) {
	w.shelf.lay(s, away)
	u.Chat = bot.ChatID{Channel: channel, Bot: "proof", User: strconv.Itoa(w.who)}
	if !u.Words.Empty() {
		w.who++
	}
	u.At = w.now
	a, err := w.bot.Handle(w.ctx, u)
	if err != nil || a.Outcome == bot.Failed || a.Outcome == bot.Stale || len(a.Reply.Bubbles) == 0 && !a.Reply.Clear {
		return a.Reply, flows.Session{}, false
	}
	after, _ := w.shelf.look()
	if away {
		var ok bool
		after, _, ok = w.p.snap.library.Resume(a.Reply.Screen, flows.Input{At: w.now})
		return a.Reply, after, ok || a.Reply.Card
	}
	if after.Schema != 0 {
		after.Screen = theScreen
	}
	return a.Reply, after, true
}

// browser shows the web chat's pages as a browser without a script does.
type browser struct {
	w     *world
	site  http.Handler
	pages int
}

func newBrowser(w *world) (*browser, error) {
	var langs []webchat.Locale
	for _, l := range w.p.snap.texts.Languages() {
		langs = append(langs, webchat.Locale{Tag: l.Tag, Name: l.Name, RTL: l.RTL, Alias: l.Alias})
	}
	site, err := webchat.New(webchat.Options{
		Handler: w.bot, Texts: w.p.snap.texts, Locales: langs, ParseHelp: card.ParseRequest,
		NewChatsPerMinute: 1 << 30, Now: func() time.Time { return w.now },
	})
	return &browser{w: w, site: site}, err
}

var proofSession = strings.Repeat("a", 43)

func (b *browser) press(locale string, c control) (screen, error) {
	name, value := "e", c.event
	if c.name != "" {
		name, value = c.name, c.raw
	}
	return b.post(locale, c.screen, name, value)
}

func (b *browser) types(locale, words string) (screen, error) {
	return b.post(locale, theScreen, "w", words)
}

func (b *browser) post(locale, from, name, value string) (screen, error) {
	b.pages++
	form := url.Values{"s": {proofSession}, "n": {from}, "l": {locale}, name: {value}, "t": {strconv.FormatInt(b.w.now.Unix(), 36) + "." + strconv.Itoa(b.pages)}}
	req := httptest.NewRequestWithContext(b.w.ctx, http.MethodPost, "/", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if locale != locales.Source {
		req.Header.Set("X-Trygg", "1")
	}
	out := httptest.NewRecorder()
	b.site.ServeHTTP(out, req)
	if out.Code != http.StatusOK {
		return screen{}, fmt.Errorf("the page is %d", out.Code)
	}
	s := readPage(out.Body.String())
	if b.w.p.options.screen != nil {
		b.w.p.options.screen(&s)
	}
	return s, nil
}

var (
	pageField  = regexp.MustCompile(`<input type="hidden" name="n" value="([^"]*)">`)
	pageButton = regexp.MustCompile(`<button[^>]* name="([eh])" value="([^"]*)"[^>]*>([^<]*)</button>`)
	pageRow    = regexp.MustCompile(`(?s)<div class="row">.*?</div>`)
	pageTag    = regexp.MustCompile(`<[^>]*>`)
)

// readPage takes a page apart: what is said, and the buttons row by row.
func readPage(page string) screen {
	top, rest, whole := strings.Cut(page[strings.Index(page, "<body>")+1:], `id="log"`)
	turn, now, _ := strings.Cut(rest, `id="now"`)
	if !whole { // a piece: what is said comes first
		turn, now, _ = strings.Cut(page, `<header id="top">`)
		top, now, _ = strings.Cut(now, `id="now"`)
	}
	now, _, _ = strings.Cut(now, `<div id="card"`) // the card the script keeps is not shown
	var s screen
	s.text = html.UnescapeString(pageTag.ReplaceAllString(turn, "\n"))
	from := ""
	if m := pageField.FindStringSubmatch(now); m != nil {
		from = html.UnescapeString(m[1])
	}
	row := func(part string) {
		var cs []control
		for _, m := range pageButton.FindAllStringSubmatch(part, -1) {
			c := control{name: m[1], raw: html.UnescapeString(m[2]), label: html.UnescapeString(m[3]), screen: from}
			if c.event = c.raw; c.name == "h" {
				c.event = flows.Help
			}
			cs = append(cs, c)
		}
		if len(cs) > 0 {
			s.rows = append(s.rows, cs)
		}
	}
	row(top)
	choose, tools, ok := strings.Cut(now, `<form id="tools"`)
	if !ok {
		choose, tools = "", now
	}
	for _, r := range pageRow.FindAllString(choose, -1) {
		row(r)
	}
	row(tools)
	return s
}

// phone shows what Telegram is sent: updates go in as its webhook brings them,
// messages come out as they would go over the wire.
type phone struct {
	w       *world
	channel *telegram.Channel
	wire    wire
	n       int
}

const proofSecret = "0123456789012345678901234567890123456789"

func newPhone(w *world) (*phone, error) {
	token, err := telegram.ParseToken("1234:proof-of-help")
	if err != nil {
		return nil, err
	}
	secret, err := telegram.ParseSecret(proofSecret)
	if err != nil {
		return nil, err
	}
	ph := &phone{w: w}
	plenty := 1 << 30
	ph.channel, err = telegram.New(telegram.Options{
		Token: token, Bot: w.bot, Store: w.shelf, Reader: w.p.reader, Transport: &ph.wire,
		Webhook: &telegram.Webhook{URL: "https://telegram.invalid/hook", Secret: secret},
		Pick:    func(tag string) (string, bool) { return w.p.snap.texts.Pick(tag) },
		Limits:  telegram.Limits{PerSecond: plenty, PerChat: plenty, Waiting: plenty, Share: plenty},
		Now:     func() time.Time { return w.now },
	})
	return ph, err
}

func (p *phone) press(locale string, c control) (screen, error) {
	data := c.raw
	if data == "" {
		data = c.screen + "|" + c.event
		p.w.who++ // a chat of its own for each way
	}
	return p.update(fmt.Sprintf(`"callback_query":{"id":"%d","from":{"id":%d,"is_bot":false,"first_name":"A","language_code":%q},"message":{"message_id":7,"date":%d,"chat":{"id":%d,"type":"private"}},"data":%q}`,
		p.n, p.w.who+1, locale, p.w.now.Unix(), p.w.who+1, data))
}

func (p *phone) types(locale, words string) (screen, error) {
	p.w.who++
	text, err := json.Marshal(words)
	if err != nil {
		return screen{}, err
	}
	return p.update(fmt.Sprintf(`"message":{"message_id":8,"from":{"id":%d,"is_bot":false,"first_name":"A","language_code":%q},"date":%d,"chat":{"id":%d,"type":"private"},"text":%s}`,
		p.w.who+1, locale, p.w.now.Unix(), p.w.who+1, text))
}

func (p *phone) update(body string) (screen, error) {
	p.n++
	p.wire.reset()
	req := httptest.NewRequestWithContext(p.w.ctx, http.MethodPost, "/hook", strings.NewReader(fmt.Sprintf(`{"update_id":%d,%s}`, p.n, body)))
	req.Header.Set("X-Telegram-Bot-Api-Secret-Token", proofSecret)
	out := httptest.NewRecorder()
	p.channel.ServeHTTP(out, req)
	sent := p.wire.all()
	switch {
	case out.Code != http.StatusOK || len(sent) == 0:
		return screen{}, fmt.Errorf("nothing is sent to Telegram (%d)", out.Code)
	case len(sent) > 1:
		return screen{}, fmt.Errorf("the screen does not fit one message of Telegram, it takes %d", len(sent))
	}
	var s screen
	s.text = sent[0].Text
	if n := units(s.text); n == 0 || n > maxTelegram {
		return s, fmt.Errorf("the message has %d of %d characters", n, maxTelegram)
	}
	for _, r := range sent[0].Markup.Keyboard {
		var row []control
		for _, k := range r {
			if k.URL != "" {
				continue
			}
			if len(k.Data) == 0 || len(k.Data) > 64 {
				return s, fmt.Errorf("the button %q carries %d bytes, not 1 to 64", k.Text, len(k.Data))
			}
			c := control{label: k.Text, raw: k.Data}
			if c.screen, c.event, _ = strings.Cut(k.Data, "|"); strings.HasPrefix(k.Data, "h.") {
				c.event, c.screen = flows.Help, c.event
			}
			row = append(row, c)
		}
		if len(row) > 0 {
			s.rows = append(s.rows, row)
		}
	}
	if p.w.p.options.screen != nil {
		p.w.p.options.screen(&s)
	}
	return s, nil
}

// wire is Telegram as far as a screen needs it: it takes every message.
type wire struct {
	mu   sync.Mutex
	sent []wireMessage
}

type wireMessage struct {
	Text   string `json:"text"`
	Markup struct {
		Keyboard [][]struct {
			Text string `json:"text"`
			Data string `json:"callback_data"`
			URL  string `json:"url"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
}

func (t *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(r.URL.Path, "/sendMessage") || strings.HasSuffix(r.URL.Path, "/editMessageText") {
		var m wireMessage
		if err := json.Unmarshal(body, &m); err != nil {
			return nil, err
		}
		t.mu.Lock()
		t.sent = append(t.sent, m)
		t.mu.Unlock()
	}
	const answer = `{"ok":true,"result":{"message_id":7,"date":1,"chat":{"id":1,"type":"private"}}}`
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(answer))), ContentLength: int64(len(answer)), Request: r}, nil
}

func (t *wire) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = nil
}

func (t *wire) all() []wireMessage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sent)
}
