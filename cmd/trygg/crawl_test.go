package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/bot/webchat"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/routine/desk"
)

// crawl walks every conversation as children of one kind would: one language,
// one band, one channel. It presses every button of every screen it comes to,
// through the real bot, and looks at each screen as the channel shows it.
type crawl struct {
	snap    *snapshot
	content *bot.Content
	bot     *bot.Bot
	chats   *crawlChats
	update  bot.Update // what every update has in common
	band    string
	deep    bool // screens that are reached from another caller count as others
	pages   *deskPages
	kinds   map[string]string // kind of page -> the one that stands for it

	show func(bot.Reply) ([]string, error) // gives the labels of a reply's buttons as the channel shows them

	ids      map[string]bool // every message ID there is
	seen     map[string]bool // screens
	shown    map[string][]string
	cards    map[string]bool
	faults   map[string]bool
	cover    *coverage
	screens  int
	language string
}

// coverage is what all crawls together came to see.
type coverage struct {
	mu                     sync.Mutex
	states, buttons, texts map[string]bool
	ways                   map[string]string // where each button leads, learned in bokmål
	screens, cards, moves  int
	near                   int // screens with the card one press away
}

func (c *coverage) add(in map[string]bool, keys ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range keys {
		in[k] = true
	}
}

// crawlChats is the store of a crawl: the one chat that is looked at now.
type crawlChats struct{ onlyChat }

func (*crawlChats) Pending(context.Context, int, int) ([]bot.EntryID, []bot.Entry, error) {
	return nil, nil, nil
}
func (*crawlChats) Shown(context.Context, bot.ChatID, bot.EntryID, bot.Version, *bot.Traces) error {
	return nil
}
func (*crawlChats) Due(context.Context, int, int, time.Time) ([]bot.Due, error) { return nil, nil }
func (*crawlChats) Claim(context.Context, bot.Due) (bool, error)                { return false, nil }
func (*crawlChats) Lease(context.Context, string, time.Duration) (bool, error)  { return true, nil }

// saying is a reader that is told what words mean: "topics: a b", "place: 0301".
type saying struct{}

func (saying) Read(w flows.Words) (u flows.Understanding) {
	what, list, _ := strings.Cut(w.Read(), ": ")
	switch what {
	case "topics":
		u.Topics = strings.Fields(list)
	case "place":
		u.Place = list
	}
	return u
}

func newCrawl(t testing.TB, s *snapshot, cover *coverage, language, band, channel string, switches bool) *crawl {
	c := &crawl{
		snap: s, content: s.content(true), chats: &crawlChats{}, band: band, cover: cover, language: language,
		ids: map[string]bool{}, shown: map[string][]string{}, seen: map[string]bool{}, cards: map[string]bool{}, faults: map[string]bool{},
	}
	on := map[string]bool{}
	for _, f := range s.library.Flows() {
		for _, st := range f.States {
			for _, row := range st.Rows {
				for _, choice := range row {
					if n := choice.When.Switch; n != "" {
						on[n] = switches
					}
				}
			}
		}
	}
	c.content.Switches = func(string) map[string]bool { return on }
	for _, id := range s.texts.IDs("nb") {
		c.ids[id] = true
	}
	c.bot = bot.New(bot.Options{Content: c.content, Chats: c.chats, Reader: saying{}})
	c.update = bot.Update{Chat: bot.ChatID{Channel: channel, Bot: "1", User: "7"}, Locale: language}
	switch channel {
	case bot.Web:
		c.show = c.web(t)
	case bot.Telegram:
		c.show = c.telegram(t)
	}
	return c
}

func (c *crawl) fault(format string, args ...any) { c.faults[fmt.Sprintf(format, args...)] = true }

func (c *crawl) handle(s flows.Session, u bot.Update) (bot.Reply, flows.Session) {
	c.chats.chat = bot.Chat{Session: s, Version: bot.Version{Session: 1}}
	a, err := c.bot.Handle(context.Background(), u)
	if err != nil {
		c.fault("%s: %v", s.Place, err)
	}
	return a.Reply, c.chats.chat.Session
}

// run walks until nothing new is come to.
func (c *crawl) run() {
	first := c.snap.library.New(c.language, flows.Input{Next: "first", At: time.Now()})
	first.Band = c.band
	type stop struct{ flows.Session }
	queue := []stop{{first}}
	for ; len(queue) > 0; queue = queue[1:] {
		s := queue[0].Session
		key := s.Place.String()
		if c.deep {
			for _, crumb := range slices.Backward(s.Path) {
				if crumb.Call {
					key += "<" + stateOf(crumb.Place).String()
					break
				}
			}
			if len(s.Path) > 0 {
				key += "+"
			}
		}
		if c.seen[key] || !c.lies(s) {
			continue
		}
		c.seen[key] = true
		at := c.update
		at.Event = flows.Show
		reply, _ := c.handle(s, at)
		c.look(s, reply)
		if kind := pageKind(s.Page); s.Page != "" {
			// As in the proof: all that lies behind is come to from routines and
			// themes; of other pages one of each kind is gone on from.
			if c.kinds["on "+kind] != "" && kind != "r." && kind != "th." {
				continue
			}
			c.kinds["on "+kind] = s.Page
		}
		for _, u := range c.moves(s, reply) {
			way := fmt.Sprint(c.update.Chat.Channel, c.band, s.Place, u.Event)
			if to, known := c.leads(way, ""); known && u.Words.Empty() && c.seen[to] && c.language != "nb" {
				continue // where it leads does not hang on the language, and the screen was looked at
			}
			after, next := c.handle(s, u)
			c.leads(way, next.Place.String())
			c.cover.mu.Lock()
			c.cover.moves++
			c.cover.mu.Unlock()
			if len(after.Bubbles) == 0 && after.Toast == "" && !after.Clear {
				c.fault("%s: %q is answered with silence", s.Place, u.Event)
			}
			if next.Schema == 0 {
				c.seen[next.Place.String()] = true // the end
			} else {
				if next.Locale = c.language; next.Locale != "" {
					next.Band = c.band
				}
				queue = append(queue, stop{next})
			}
			if u.Words.Empty() {
				c.cover.add(c.cover.buttons, stateOf(s.Place).String()+" "+u.Event)
			} else {
				c.texts("after "+s.Place.String(), after)
				c.said(after)
			}
		}
	}
}

// lies tells whether a page of the desk is looked at here: in bokmål without a
// band all that have a name of their own and one of each other kind, elsewhere one
// of each kind. All of them in all languages are made in flows/routine/desk.
func (c *crawl) lies(s flows.Session) bool {
	if s.Page == "" {
		return true
	}
	if c.pages == nil {
		c.pages, c.kinds = onDesk(c.snap.library), map[string]string{}
	}
	if c.language == "nb" && c.band == "" {
		return c.pages.walks(s)
	}
	kind := pageKind(s.Page)
	if c.kinds[kind] == "" {
		c.kinds[kind] = s.Page
	}
	return c.kinds[kind] == s.Page
}

// leads remembers where a button leads, and tells it when to is empty.
func (c *crawl) leads(way, to string) (string, bool) {
	c.cover.mu.Lock()
	defer c.cover.mu.Unlock()
	if to != "" {
		c.cover.ways[way] = to
		return to, true
	}
	to, known := c.cover.ways[way]
	return to, known
}

// moves are all that can be done on a screen.
func (c *crawl) moves(s flows.Session, r bot.Reply) []bot.Update {
	var all []bot.Update
	press := func(event string) {
		u := c.update
		u.Event, u.Screen = event, s.Screen
		all = append(all, u)
	}
	for _, row := range r.Rows {
		for _, b := range row {
			press(b.Event)
		}
	}
	for _, b := range r.System {
		if b.Help == nil {
			press(b.Event)
		}
	}
	types := func(words string) {
		u := c.update
		u.Words = flows.NewWords(words)
		all = append(all, u)
	}
	if r.Typing {
		types("place: 0301")
		types("something else")
	}
	if s.Place == c.snap.library.Home() {
		for _, t := range c.snap.library.Topics() {
			types("topics: " + t)
		}
		if ts := c.snap.library.Topics(); len(ts) > 1 {
			for pair := range slices.Chunk(ts, 3) {
				types("topics: " + strings.Join(append(pair, ts[0]), " "))
			}
		}
		types("something else")
	}
	return all
}

var idForm = regexp.MustCompile(`[a-z_]+(?:\.[a-z0-9_-]+)+`)

// raw tells what stands in a text that no child should see.
func (c *crawl) raw(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "nothing"
	case strings.Contains(text, "{{"), strings.Contains(text, "}}"), strings.Contains(text, "<no value>"), strings.Contains(text, "%!"):
		return text
	}
	for _, m := range idForm.FindAllString(text, -1) {
		if c.ids[m] {
			return m
		}
	}
	return ""
}

// texts looks at every word of a reply.
func (c *crawl) texts(where string, r bot.Reply) {
	if len(r.Bubbles) == 0 {
		c.fault("%s says nothing", where)
	}
	for _, b := range r.Bubbles {
		if bad := c.raw(b.Text); bad != "" {
			c.fault("%s says %q", where, bad)
		}
	}
	for _, row := range append(slices.Clone(r.Rows), r.System) {
		for _, b := range row {
			if bad := c.raw(b.Label); bad != "" || b.Label == b.Event {
				c.fault("%s: the button %q reads %q", where, b.Event, b.Label)
			}
		}
	}
}

// look holds a screen against what every screen must have, as the engine gives
// it and as the channel shows it.
func (c *crawl) look(s flows.Session, r bot.Reply) {
	where := s.Place.String()
	c.texts(where, r)
	c.screens++
	say := c.snap.library.Show(s, flows.Env{Channel: c.update.Chat.Channel, Switches: c.content.Switches(""), Locales: c.content.Locales})[0].(flows.Say)
	c.cover.add(c.cover.states, stateOf(s.Place).String())
	c.cover.add(c.cover.texts, say.Messages...)
	for _, row := range say.Buttons {
		for _, b := range row {
			if b.Text != "" {
				continue
			}
			if c.ids[b.Label] {
				c.cover.add(c.cover.texts, b.Label)
			} else {
				c.cover.add(c.cover.texts, "button."+b.Event)
			}
		}
	}
	for _, e := range say.System {
		c.cover.add(c.cover.texts, "button."+e)
	}

	// The same place with the same buttons looks the same, whoever called.
	sight := fmt.Sprint("shown ", where, say.System)
	labels, err := c.shown[sight], error(nil)
	if labels == nil {
		labels, err = c.show(r)
		c.shown[sight] = labels
	}
	if err != nil {
		c.fault("%s: %v", where, err)
		return
	}
	for _, row := range r.Rows {
		for _, b := range row {
			if !slices.Contains(labels, b.Label) {
				c.fault("%s: the channel leaves out the button %q", where, b.Label)
			}
		}
	}
	if len(r.System) == 0 || r.System[0].Help == nil || !slices.Contains(labels, r.System[0].Label) {
		c.fault("%s: no help on the screen", where)
		return
	}
	if c.press(s, *r.System[0].Help) {
		c.cover.mu.Lock()
		c.cover.near++
		c.cover.mu.Unlock()
	}
	c.back(where, s, r)
}

// back looks whether one press leads from the card to the same screen.
func (c *crawl) back(where string, s flows.Session, r bot.Reply) {
	u := c.update
	u.Event, u.Screen = flows.Show, r.Screen
	again, after := c.handle(s, u)
	if after.Place != s.Place || !slices.Equal(after.Path, s.Path) || !slices.Equal(again.Bubbles, r.Bubbles) {
		c.fault("%s: not the same screen behind the card", where)
	}
}

// press presses a help button and everything further inside the card.
func (c *crawl) press(s flows.Session, req card.Request) bool {
	key := req.String()
	if good, known := c.cards[key]; known {
		return good
	}
	u := c.update
	u.Event, u.Help = flows.Help, &req
	r, _ := c.handle(s, u)
	where := "the card " + key
	c.texts(where, r)
	var all strings.Builder
	for _, b := range r.Bubbles {
		all.WriteString(b.Text + " " + b.Number + "\n")
	}
	good := r.Card && len(r.System) > 1 && r.System[0].Help != nil && r.System[1].Event == flows.Show
	if req.Part == card.Main {
		good = good && strings.Contains(all.String(), "112") && strings.Contains(all.String(), "113") && r.Locale == c.language
	}
	if !good {
		c.fault("%s is no help: %q", where, all.String())
	}
	labels, err := c.show(r)
	if err != nil {
		c.fault("%s: %v", where, err)
	}
	c.cards[key] = good
	for _, row := range append(slices.Clone(r.Rows), r.System) {
		for _, b := range row {
			if !slices.Contains(labels, b.Label) && b.Event != flows.Hide {
				c.fault("%s: the channel leaves out the button %q", where, b.Label)
			}
			if b.Help != nil && !c.press(s, *b.Help) {
				good = false
			}
		}
	}
	return good
}

// said notes the engine's own texts that stand before a screen.
func (c *crawl) said(r bot.Reply) {
	for id := range c.ids {
		if !strings.HasPrefix(id, "engine.") && !strings.HasPrefix(id, "topic.") {
			continue
		}
		text, _ := c.snap.texts.Lookup(c.language, id, c.band)
		if slices.ContainsFunc(r.Bubbles, func(b bot.Bubble) bool { return b.Text == text }) ||
			slices.ContainsFunc(slices.Concat(r.Rows...), func(b bot.Button) bool { return b.Label == text }) {
			c.cover.add(c.cover.texts, id)
		}
	}
}

var webButtons = regexp.MustCompile(`<button([^>]*)>([^<]*)</button>`)

// given hands a channel a reply that is there already, as the bot gave it.
type given struct {
	*bot.Bot
	reply *bot.Reply
}

func (g given) Handle(context.Context, bot.Update) (bot.Answer, error) {
	return bot.Answer{Reply: *g.reply, Outcome: bot.Stateless, Chat: bot.Chat{Session: flows.Session{Schema: flows.Schema, Screen: g.reply.Screen}}}, nil
}

// web shows replies as pages, over HTTP as a browser without a script does.
func (c *crawl) web(t testing.TB) func(bot.Reply) ([]string, error) {
	var langs []webchat.Locale
	for _, l := range c.snap.texts.Languages() {
		langs = append(langs, webchat.Locale{Tag: l.Tag, Name: l.Name, RTL: l.RTL, Alias: l.Alias})
	}
	var now bot.Reply
	site, err := webchat.New(webchat.Options{Handler: given{c.bot, &now}, Texts: c.snap.texts, Locales: langs, ParseHelp: card.ParseRequest, NewChatsPerMinute: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	session, pages := strings.Repeat("a", 43), 0
	return func(r bot.Reply) ([]string, error) {
		now = r
		pages++
		form := url.Values{"s": {session}, "n": {"screen"}, "e": {"show"}, "l": {c.language}, "t": {strconv.FormatInt(time.Now().Unix(), 36) + "." + strconv.Itoa(pages)}}
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		site.ServeHTTP(w, req)
		page := w.Body.String()
		if w.Code != http.StatusOK {
			return nil, fmt.Errorf("the page is %d", w.Code)
		}
		page = html.UnescapeString(page)
		for _, b := range r.Bubbles {
			for line := range strings.Lines(b.Text) {
				if !strings.Contains(page, strings.TrimSpace(line)) {
					return nil, fmt.Errorf("the page leaves out %q", line)
				}
			}
		}
		if !strings.Contains(page, `href="/ut" data-exit`) {
			return nil, fmt.Errorf("the page has no exit")
		}
		if !strings.Contains(page, `lang="`+r.Locale+`"`) {
			return nil, fmt.Errorf("the page does not say that it is in %s", r.Locale)
		}
		var labels []string
		for _, m := range webButtons.FindAllStringSubmatch(page, -1) {
			label := m[2]
			if strings.Contains(m[1], "aria-hidden") {
				continue // the exit that floats: a picture for the eye only
			}
			if c.raw(label) != "" {
				return nil, fmt.Errorf("a button of the page reads %q", label)
			}
			labels = append(labels, label)
		}
		return labels, nil
	}
}

// telegram shows replies as Telegram would get them.
func (c *crawl) telegram(t testing.TB) func(bot.Reply) ([]string, error) {
	const secret = "0123456789012345678901234567890123456789"
	var now bot.Reply
	sent := &lastSent{}
	token, err := telegram.ParseToken("1234:trying-it-out")
	if err != nil {
		t.Fatal(err)
	}
	s, err := telegram.ParseSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	channel, err := telegram.New(telegram.Options{
		Token: token, Bot: given{c.bot, &now}, Store: c.chats, Reader: saying{}, Transport: sent,
		Webhook: &telegram.Webhook{URL: "https://telegram.example/hook", Secret: s},
		Pick:    func(tag string) (string, bool) { return tag, true },
		Limits:  telegram.Limits{PerSecond: 1 << 20, PerChat: 1 << 20, Share: 1 << 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	return func(r bot.Reply) ([]string, error) {
		now = r
		n++
		sent.reset()
		update := fmt.Sprintf(`{"update_id":%d,"callback_query":{"id":"%d","from":{"id":%d,"is_bot":false,"first_name":"A","language_code":%q},"message":{"message_id":7,"date":%d,"chat":{"id":%d,"type":"private"}},"data":"screen|show"}}`,
			n, n, n, c.language, time.Now().Unix(), n)
		req := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(update))
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		w := httptest.NewRecorder()
		channel.ServeHTTP(w, req)
		m, ok := sent.last()
		if w.Code != http.StatusOK || !ok {
			return nil, fmt.Errorf("Telegram was sent nothing (%d)", w.Code)
		}
		for _, b := range r.Bubbles {
			if !strings.Contains(m.Text, strings.TrimSpace(b.Text)) {
				return nil, fmt.Errorf("the message leaves out %q", b.Text)
			}
		}
		if len(m.Text) == 0 || len(m.Text) > 4*4096 {
			return nil, fmt.Errorf("the message has %d bytes", len(m.Text))
		}
		var labels []string
		for _, row := range m.Markup.Keyboard {
			for _, k := range row {
				if len(k.Data) > 64 || k.Data == "" && k.URL == "" {
					return nil, fmt.Errorf("the button %q carries %q", k.Text, k.Data)
				}
				labels = append(labels, k.Text)
			}
		}
		return labels, nil
	}
}

// lastSent is Telegram as far as a screen needs it: it takes messages and keeps
// the last.
type lastSent struct {
	mu  sync.Mutex
	got *telegramMessage
}

type telegramMessage struct {
	Text   string `json:"text"`
	Markup struct {
		Keyboard [][]struct {
			Text string `json:"text"`
			Data string `json:"callback_data"`
			URL  string `json:"url"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
}

func (l *lastSent) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var m telegramMessage
	if strings.HasSuffix(r.URL.Path, "/sendMessage") || strings.HasSuffix(r.URL.Path, "/editMessageText") {
		if err := json.Unmarshal(body, &m); err == nil {
			l.mu.Lock()
			l.got = &m
			l.mu.Unlock()
		}
	}
	const answer = `{"ok":true,"result":{"message_id":7,"date":1,"chat":{"id":1,"type":"private"}}}`
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(answer))), ContentLength: int64(len(answer)), Request: r}, nil
}

func (l *lastSent) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = nil
}

func (l *lastSent) last() (telegramMessage, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.got == nil {
		return telegramMessage{}, false
	}
	return *l.got, true
}

// Every path, in every language, for every band, on every channel: each screen
// says something in words, and help is one press away (S1).
func TestCrawl(t *testing.T) {
	s := published(t)
	begun := time.Now()
	cover := &coverage{ways: map[string]string{}, states: map[string]bool{}, buttons: map[string]bool{}, texts: map[string]bool{}}
	var todo []*crawl
	for _, l := range s.texts.Languages() {
		for _, band := range append([]string{""}, flows.Bands...) {
			if raced && (l.Tag != "nb" && !l.RTL || band == "6-9" || band == "16-18") {
				continue
			}
			for _, channel := range []string{bot.Web, bot.Telegram} {
				c := newCrawl(t, s, cover, l.Tag, band, channel, true)
				c.deep = l.Tag == "nb" && band == "" && !raced
				todo = append(todo, c)
				if l.Tag == "nb" {
					todo = append(todo, newCrawl(t, s, cover, l.Tag, band, channel, false))
				}
			}
		}
	}
	// Bokmål first and in full: every button is pressed. The other languages go
	// to every screen, each by a press.
	for _, first := range []bool{true, false} {
		work := make(chan *crawl)
		var running sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			running.Go(func() {
				for c := range work {
					c.run()
					cover.mu.Lock()
					cover.screens += c.screens
					cover.cards += len(c.cards)
					cover.mu.Unlock()
				}
			})
		}
		for _, c := range todo {
			if (c.language == "nb") == first {
				work <- c
			}
		}
		close(work)
		running.Wait()
	}

	for _, c := range todo {
		for i, f := range slices.Sorted(maps.Keys(c.faults)) {
			if i == 10 {
				t.Errorf("%s, band %q, %s: and %d more", c.language, c.band, c.update.Chat.Channel, len(c.faults)-10)
				break
			}
			t.Errorf("%s, band %q, %s: %s", c.language, c.band, c.update.Chat.Channel, f)
		}
	}
	// What there is to be seen.
	var states, buttons, texts, missed []string
	names := map[string]bool{"topic": true}
	for _, f := range s.library.Flows() {
		names[f.Name] = true
		for _, st := range f.States {
			states = append(states, f.Name+"/"+st.Name)
			for _, row := range st.Rows {
				for _, choice := range row {
					buttons = append(buttons, f.Name+"/"+st.Name+" "+choice.Event)
				}
			}
		}
	}
	for _, id := range s.texts.IDs("nb") {
		// What the desk says after a question or for a role is tried where its pages are.
		ofDesk := slices.Contains(desk.UI, id) || slices.Contains(desk.Labels, id)
		if flow, _, _ := strings.Cut(id, "."); names[flow] && !ofDesk {
			texts = append(texts, id)
		}
	}
	figure := func(what string, want []string, got map[string]bool) {
		n := 0
		for _, k := range want {
			if got[k] {
				n++
			} else {
				missed = append(missed, what+" "+k)
			}
		}
		t.Logf("%s: %d of %d (%.1f %%)", what, n, len(want), 100*float64(n)/float64(max(1, len(want))))
	}
	figure("states", states, cover.states)
	figure("buttons", buttons, cover.buttons)
	figure("texts", texts, cover.texts)
	t.Logf("%d kinds of children, %d screens, %d moves, %d cards; help one press away from %d screens; %s",
		len(todo), cover.screens, cover.moves, cover.cards, cover.near, time.Since(begun).Round(time.Millisecond))
	if cover.near != cover.screens {
		t.Errorf("help is one press away from %d of %d screens", cover.near, cover.screens)
	}
	if raced {
		return // not every kind of child walked
	}
	for _, m := range missed {
		t.Errorf("never seen: %s", m)
	}
}
