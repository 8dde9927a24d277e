package bot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"trygg/bot"
	"trygg/bot/bottest"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/locales"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// conversation is a small one: a start, a menu, and one page to read.
var conversation = fstest.MapFS{
	"index.yaml": {Data: []byte("start: hello/one\nhome: menu/main\nlanguage: hello/one\nprivacy: menu/main\ntopics: {rights: menu/page, what-happens-if-i-tell: menu/page}\n")},
	"hello.yaml": {Data: []byte("flow: hello\nstart: one\nstates:\n  one: {say: hello.one, buttons: [[next]], go: {next: menu/}}\n")},
	"menu.yaml":  {Data: []byte("flow: menu\nstart: main\nstates:\n  main: {say: menu.main, buttons: [[page]]}\n  page: {say: [menu.page, menu.only_nb], buttons: [[again]], go: {again: main}}\n")},
}

// reader understands four sentences.
type reader struct{}

func (reader) Read(w flows.Words) flows.Understanding {
	switch t := w.Read(); {
	case strings.Contains(t, "acute"):
		return flows.Understanding{Level: flows.Acute}
	case strings.Contains(t, "split") && strings.Contains(t, "cry"):
		return flows.Understanding{Level: flows.Disclosure}
	case strings.Contains(t, "worry"):
		return flows.Understanding{Level: flows.Worry}
	case t == "hjelp":
		return flows.Understanding{Help: true}
	case t == "panic":
		panic("canary: " + t)
	}
	return flows.Understanding{}
}

type texts struct{ *locales.Bundle }

func (t texts) Lookup(locale, id, band string) (string, string) {
	if !strings.Contains(id, ".") || strings.HasPrefix(id, "hello.") || strings.HasPrefix(id, "menu.") {
		if id == "menu.only_nb" {
			return "bare på norsk", "nb"
		}
		return id + "/" + locale, locale
	}
	return t.Bundle.Lookup(locale, id, band)
}

type world struct {
	t     testing.TB
	store *bottest.Memory
	bot   *bot.Bot
	log   bytes.Buffer
	chat  bot.ChatID
	last  bot.Answer
	now   time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	lib, problems := flows.Load(conversation, []flows.Named{{Number: "5501", Name: "Tromsø"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	bundle, ps := locales.Load(locales.Files, d.Numbers())
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	c, err := card.New(bundle, d)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: noon, chat: bot.ChatID{Channel: bot.Web, Bot: "web", User: "abc"}}
	w.store = &bottest.Memory{Now: func() time.Time { return w.now }}
	w.bot = bot.New(bot.Options{
		Content: &bot.Content{Library: lib, Texts: texts{bundle}, Card: c}, Chats: w.store, Reader: reader{},
		Log: slog.New(slog.NewTextHandler(&w.log, nil)), Now: func() time.Time { return w.now },
	})
	return w
}

func (w *world) do(u bot.Update) bot.Answer {
	w.t.Helper()
	if u.Chat == (bot.ChatID{}) {
		u.Chat = w.chat
	}
	if u.Locale == "" {
		u.Locale = "nb"
	}
	w.now = w.now.Add(time.Second)
	u.At = w.now
	a, err := w.bot.Handle(context.Background(), u)
	if err != nil {
		w.t.Fatalf("Handle: %v", err)
	}
	w.last = a
	w.mustHelp(a.Reply)
	return a
}

// mustHelp: whatever the reply, help is on it, or it is the card (S1).
func (w *world) mustHelp(r bot.Reply) {
	w.t.Helper()
	if len(r.System) == 0 || r.System[0].Event != flows.Help || r.System[0].Help == nil || r.System[0].Label == "" {
		w.t.Fatalf("no help button: %+v", r.System)
	}
	if r.Card && !slices.ContainsFunc(r.Bubbles, func(b bot.Bubble) bool { return strings.Contains(b.Text, "112") }) {
		w.t.Fatalf("a card without 112: %+v", r.Bubbles)
	}
}

func (w *world) press(event string) bot.Answer {
	w.t.Helper()
	return w.do(bot.Update{Event: event, Screen: w.last.Reply.Screen})
}

func (w *world) typed(text string) bot.Answer {
	w.t.Helper()
	return w.do(bot.Update{Words: flows.NewWords(text), Screen: w.last.Reply.Screen})
}

func (w *world) shows(id string) {
	w.t.Helper()
	if !slices.ContainsFunc(w.last.Reply.Bubbles, func(b bot.Bubble) bool { return strings.HasPrefix(b.Text, id) }) {
		w.t.Fatalf("want %s, got %+v (%s)", id, w.last.Reply.Bubbles, w.last.Outcome)
	}
}

func TestNothingIsStoredBeforeTheFirstPress(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.shows("hello.one")
	if w.store.Commits != 0 {
		t.Errorf("%d commits for a look", w.store.Commits)
	}
	w.press("next")
	w.shows("menu.main")
	if w.last.Outcome != bot.Committed || w.store.Commits != 1 {
		t.Errorf("outcome %s, %d commits", w.last.Outcome, w.store.Commits)
	}
}

func TestAPressCostsOneReadAndOneCommit(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	r, c := w.store.Reads, w.store.Commits
	w.press("page")
	if w.store.Reads-r != 1 || w.store.Commits-c != 1 {
		t.Errorf("%d reads, %d commits", w.store.Reads-r, w.store.Commits-c)
	}
}

func TestF31_F44_theSameUpdateTenTimesHasOneEffect(t *testing.T) {
	w := newWorld(t)
	w.chat.Channel = bot.Telegram
	w.do(bot.Update{ID: "1", Event: flows.Restart, Message: 7})
	first := w.do(bot.Update{ID: "2", Event: "next", Screen: w.last.Reply.Screen})
	for range 9 {
		a := w.do(bot.Update{ID: "2", Event: "next", Screen: "whatever"})
		if a.Outcome != bot.Repeated || a.Reply.Screen != first.Reply.Screen {
			t.Fatalf("outcome %s, screen %q want %q", a.Outcome, a.Reply.Screen, first.Reply.Screen)
		}
	}
}

func TestF42_anOldButtonShowsThePresentScreen(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	old := w.last.Reply.Screen
	w.press("page")
	a := w.do(bot.Update{Event: "page", Screen: old})
	if a.Outcome != bot.Stale {
		t.Errorf("outcome %s", a.Outcome)
	}
	w.shows("menu.page")
}

func TestTheCardKeepsThePlace(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	w.press("page")
	for _, words := range []string{"acute", "worry", "hjelp"} {
		if a := w.typed(words); !a.Reply.Card || a.Outcome != bot.Helped {
			t.Fatalf("%s: %+v", words, a)
		}
		w.press(flows.Show)
		w.shows("menu.page")
	}
}

func TestF101_aCrySplitOverThreeMessages(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	w.typed("split")
	w.typed("up")
	if a := w.typed("cry"); !a.Reply.Card {
		t.Error("not understood together")
	}
	w.press(flows.Show)
	if a := w.typed("thanks"); a.Reply.Card {
		t.Error("the card came again for what was answered and left")
	}
	w.typed("split")
	w.now = w.now.Add(3 * time.Minute)
	if a := w.typed("cry"); a.Reply.Card {
		t.Error("words of three minutes ago were still known")
	}
}

func TestS13_F47_theQuestionOfTheCardIsAnsweredInWords(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	part := func(a bot.Answer) string {
		t.Helper()
		if !a.Reply.Card {
			return "no card"
		}
		return a.Reply.Bubbles[0].Text
	}
	asked := part(w.typed("a worry"))
	risk, safe, unsure := part(w.typed("nei han er her")), "", ""
	if risk == asked || risk == "no card" {
		t.Errorf("no is answered with %q", risk)
	}
	if again := part(w.typed("hm")); again != risk {
		t.Errorf("after the answer something that says nothing gives %q, want the card that stands there", again)
	}
	w.press(flows.Show)
	if got := part(w.typed("nei")); got != "no card" {
		t.Errorf("the card was left, and no is answered with %q", got)
	}
	w.typed("a worry")
	if safe = part(w.typed("JA!!")); safe == asked || safe == risk || safe == "no card" {
		t.Errorf("yes is answered with %q", safe)
	}
	w.typed("a worry")
	if unsure = part(w.typed("ja men han kommer snart")); unsure == safe || unsure == asked || unsure == "no card" {
		t.Errorf("yes with more behind it is answered with %q", unsure)
	}
	w.typed("an acute cry")
	if got := part(w.typed("meg")); got == "no card" {
		t.Error("the last piece of what was told took the card away")
	}
	w.now = w.now.Add(3 * time.Minute)
	if got := part(w.typed("nei")); got != "no card" {
		t.Errorf("after three minutes no is answered with %q", got)
	}
}

func TestTheCardOffersWhatHappensWhenOneTells(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	for words, want := range map[string]bool{"a worry": true, "split cry": true, "an acute cry": false, "hjelp": false} {
		a := w.typed(words)
		last := a.Reply.Rows[len(a.Reply.Rows)-1][0]
		if got := last.Event == flows.Topic+"what-happens-if-i-tell" && last.Label != ""; got != want {
			t.Errorf("%s: offered is %v, want %v: %+v", words, got, want, last)
		}
		if want {
			w.press(last.Event)
			w.shows("menu.page")
			w.press(flows.Back)
			w.shows("menu.main")
		}
	}
}

func TestF47_typingALabelIsPressingIt(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	label := w.last.Reply.Rows[0][0].Label
	w.typed("  " + strings.ToUpper(label) + "!")
	w.shows("menu.page")
	for _, b := range w.last.Reply.System {
		if b.Event == flows.Back {
			w.typed(b.Label)
		}
	}
	w.shows("menu.main")
	if a := w.typed(label + " acute"); !a.Reply.Card {
		t.Error("a label hid a cry for help")
	}
}

func TestF22_aPanicEndsWithTheCard(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	a := w.typed("panic")
	if !a.Reply.Card {
		t.Fatalf("%+v", a)
	}
	if log := w.log.String(); strings.Contains(log, "canary") || !strings.Contains(log, "trace=") {
		t.Errorf("log: %s", log)
	}
	w.press("next") // the process lives, and the lock is free
}

// F1-F4, F6, F8: whatever is wrong with the store, reading goes on, help
// answers within its budget, and nothing of it is told in technical words.
func TestF1_F3_F6_F8_informationAndHelpWithoutAStore(t *testing.T) {
	for _, tt := range []struct {
		name   string
		break_ func(*bottest.Memory) (mend func())
	}{
		{"stopped", func(m *bottest.Memory) func() {
			m.Break(bottest.ErrAway, bottest.ErrAway, bottest.ErrAway)
			return func() { m.Break(nil, nil, nil) }
		}},
		{"hung", func(m *bottest.Memory) func() { return m.Hang() }},
		{"full or read-only", func(m *bottest.Memory) func() {
			m.Break(nil, bottest.ErrAway, nil)
			return func() { m.Break(nil, nil, nil) }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.do(bot.Update{Event: flows.Show})
				w.press("next")
				mend := tt.break_(w.store)
				begun := time.Now()
				// The place is lost where it cannot be read, and found again where
				// it can; in both cases a child reads on.
				w.press("page")
				if w.last.Outcome != bot.Stateless {
					t.Errorf("outcome %s", w.last.Outcome)
				}
				w.press(flows.Home)
				w.shows("menu.main")
				w.press("page")
				w.shows("menu.page")
				if a := w.do(bot.Update{Help: &card.Request{Locale: "nb"}}); !a.Reply.Card {
					t.Error("no card")
				}
				if a := w.typed("acute"); !a.Reply.Card {
					t.Error("no card for words")
				}
				if took := time.Since(begun); took > 5*bot.StoreBudget {
					t.Errorf("five updates took %s", took)
				}
				w.press(flows.Home)
				w.press("page")
				mend()
				w.press("again")
				w.shows("menu.main")
				if w.last.Outcome != bot.Committed {
					t.Errorf("after it is back: %s", w.last.Outcome)
				}
			})
		})
	}
}

func TestF8_eraseSaysHonestlyThatItIsNotFinished(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	w.store.Break(nil, bottest.ErrAway, bottest.ErrAway)
	a := w.press(flows.Erase)
	if a.Reply.Toast == "" || strings.Contains(a.Reply.Toast, "er slettet") {
		t.Errorf("toast %q", a.Reply.Toast)
	}
	if n := w.bot.RetryErasures(t.Context()); n != 1 {
		t.Errorf("%d waiting, want 1", n)
	}
	w.store.Break(nil, nil, nil)
	if n := w.bot.RetryErasures(t.Context()); n != 0 {
		t.Errorf("%d waiting after it is back", n)
	}
	w.do(bot.Update{Event: flows.Show, Screen: "old"})
	w.shows("hello.one")
}

func TestF17_aSessionThatEndedMeetsTheNeutralStart(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	w.press("page")
	w.now = w.now.Add(bot.Quiet + time.Minute)
	w.press("again")
	w.shows("hello.one")
	if w.last.Outcome != bot.Stale {
		t.Errorf("outcome %s", w.last.Outcome)
	}
}

func TestEraseAndHideEndNeutral(t *testing.T) {
	for _, e := range []string{flows.Erase, flows.Hide} {
		w := newWorld(t)
		w.do(bot.Update{Event: flows.Show})
		w.press("next")
		w.press("page")
		a := w.press(e)
		if !a.Reply.Clear {
			t.Errorf("%s: not cleared", e)
		}
		w.shows("hello.one")
		w.press("next")
		w.shows("menu.main")
	}
}

// F45: no language is known. Every button still has a label.
func TestF45_everyButtonHasALabelInWhateverLanguage(t *testing.T) {
	for _, locale := range []string{"", "nb", "uk", "xx"} {
		w := newWorld(t)
		u := bot.Update{Chat: w.chat, Event: flows.Show, Locale: locale, At: noon}
		a, err := w.bot.Handle(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range append(a.Reply.Rows, a.Reply.System) {
			for _, b := range row {
				if b.Label == "" {
					t.Errorf("%q: %s has no label", locale, b.Event)
				}
			}
		}
	}
}

func TestALineSaysWhyATextIsNotInTheChildsLanguage(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show, Locale: "en"})
	w.do(bot.Update{Event: "next", Screen: w.last.Reply.Screen, Locale: "en"})
	w.press("page")
	if len(w.last.Reply.Bubbles) != 3 || w.last.Reply.Bubbles[2].Locale != "nb" || !strings.Contains(w.last.Reply.Bubbles[0].Text, "language") {
		t.Errorf("%+v", w.last.Reply.Bubbles)
	}
}

// Bookkeeping after showing is kept while the store is away, and done later.
func TestWhatWasShownIsWrittenDownLater(t *testing.T) {
	w := newWorld(t)
	w.chat.Channel = bot.Telegram
	u := bot.Update{ID: "9", Chat: w.chat, Words: flows.NewWords("acute"), Message: 41}
	a := w.do(u)
	w.store.Break(bottest.ErrAway, bottest.ErrAway, nil)
	u.At = w.now
	w.bot.Shown(t.Context(), u, a, bot.Sent{Live: 42, Added: []int{42}})
	if n := w.bot.RetryNotes(t.Context()); n != 1 {
		t.Fatalf("%d notes waiting", n)
	}
	w.store.Break(nil, nil, nil)
	if n := w.bot.RetryNotes(t.Context()); n != 0 {
		t.Fatalf("%d notes waiting after it is back", n)
	}
	c, err := w.store.Read(t.Context(), w.chat, bot.Want{Traces: true, Update: "9"})
	if err != nil || !c.Seen || c.Traces.Live != 42 || len(c.Traces.Messages) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestOneLogLineAnUpdateWithAllowedFieldsOnly(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	w.typed("canary words")
	w.do(bot.Update{Event: "canary"})
	lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	if len(lines) != 4 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if strings.Contains(l, "canary") || strings.Contains(l, "abc") {
			t.Errorf("leaked: %s", l)
		}
	}
}

func TestAChatIsNeverPrinted(t *testing.T) {
	u := bot.Update{Chat: bot.ChatID{Channel: "telegram", Bot: "b", User: "4711canary"}, Words: flows.NewWords("canary")}
	if s := fmt.Sprintf("%v %+v %#v", u, u, u); strings.Contains(s, "canary") {
		t.Error(s)
	}
}

// F23, F24: the clock jumps. Nothing waits for a negative time, what has ended
// has ended once, and a clock set back takes nothing away.
func TestF23_F24_theClockJumps(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	w.typed("split")
	w.now = w.now.Add(-time.Hour)
	w.press("page")
	w.shows("menu.page")
	if a := w.typed("cry"); a.Reply.Card {
		t.Error("words from the future were put together with these")
	}
	w.now = w.now.Add(48 * time.Hour)
	w.press("again")
	w.shows("hello.one")
	w.press("next")
	w.shows("menu.main")
}

// S33, F104: whoever opens the chat next day on the same phone sees nothing of
// earlier use.
func TestF104_nextDayNothingShowsEarlierUse(t *testing.T) {
	fresh := newWorld(t)
	fresh.do(bot.Update{Event: flows.Show})
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	w.press("page")
	w.now = w.now.Add(20 * time.Hour)
	w.do(bot.Update{Event: flows.Show})
	for i, b := range w.last.Reply.Bubbles {
		if b != fresh.last.Reply.Bubbles[i] {
			t.Errorf("%q, a new chat has %q", b.Text, fresh.last.Reply.Bubbles[i].Text)
		}
	}
}

// What a channel shows and the store keeps must agree when two replicas get
// presses of one chat at once: one of them wins, the other sees its screen.
func TestF26_F27_twoPressesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.do(bot.Update{Event: flows.Show})
	w.press("next")
	screen := w.last.Reply.Screen
	results := make(chan bot.Answer, 20)
	for range 20 {
		go func() {
			a, _ := w.bot.Handle(context.Background(), bot.Update{Chat: w.chat, Event: "page", Screen: screen, Locale: "nb", At: w.now})
			results <- a
		}()
	}
	committed := 0
	for range 20 {
		a := <-results
		if a.Outcome == bot.Committed {
			committed++
		} else if a.Outcome != bot.Stale {
			t.Errorf("outcome %s", a.Outcome)
		}
		if !slices.ContainsFunc(a.Reply.Bubbles, func(b bot.Bubble) bool { return strings.HasPrefix(b.Text, "menu.page") }) {
			t.Errorf("not the present screen: %+v", a.Reply.Bubbles)
		}
	}
	if committed != 1 {
		t.Errorf("%d had an effect", committed)
	}
}
