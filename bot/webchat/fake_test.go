package webchat_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"trygg/bot"
	"trygg/bot/webchat"
	"trygg/flows"
	"trygg/flows/card"
)

// fake is a small conversation that keeps its sessions in a map, with the
// promises of bot.Bot that the web chat counts on.
type fake struct {
	mu       sync.Mutex
	sessions map[string]*talk
	updates  []bot.Update
	next     int

	err    error                             // what Handle gives instead
	during func(bot.Update)                  // called in the middle of Handle
	answer func(bot.Update, *bot.Reply) bool // replaces an answer when true
}

type talk struct{ place, screen, locale string }

func newFake() *fake { return &fake{sessions: map[string]*talk{}} }

func (f *fake) Handle(_ context.Context, u bot.Update) (bot.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.updates = append(f.updates, u)
	if f.during != nil {
		f.during(u)
	}
	if f.err != nil {
		return bot.Answer{}, f.err
	}
	if u.Help != nil || strings.Contains(u.Words.Read(), "hjelp") {
		return bot.Answer{Reply: f.card(u), Outcome: bot.Helped}, nil
	}
	t := f.sessions[u.Chat.User]
	known := t != nil
	if !known {
		t = &talk{place: "start", screen: "~nb.0..start.1", locale: u.Locale}
	}
	if u.Event == flows.Erase {
		delete(f.sessions, u.Chat.User)
		r := f.screen(&talk{place: "start", screen: "~nb.0..start.1", locale: t.locale})
		r.Clear, r.Toast = true, "Alt er slettet."
		return bot.Answer{Reply: r, Outcome: bot.Committed}, nil
	}
	if u.Screen != "" && u.Screen != t.screen {
		return bot.Answer{Reply: f.screen(t), Outcome: bot.Stale}, nil
	}
	var before string
	switch e := u.Event; {
	case e == flows.Show:
		return bot.Answer{Reply: f.screen(t), Outcome: bot.Stateless}, nil
	case e == "toast":
		return bot.Answer{Reply: bot.Reply{Locale: t.locale, Toast: "En liten beskjed"}, Outcome: bot.Committed}, nil
	case !u.Words.Empty():
		before = "Takk for at du skrev."
	case e == flows.Restart || e == flows.Home:
		t.place = "start"
	case e != "":
		t.place = e
	}
	f.next++
	t.screen = fmt.Sprint("screen-", f.next)
	f.sessions[u.Chat.User] = t
	r := f.screen(t)
	if before != "" {
		r.Bubbles = append([]bot.Bubble{{Text: before}}, r.Bubbles...)
	}
	if f.answer != nil && f.answer(u, &r) {
		return bot.Answer{Reply: r, Outcome: bot.Committed}, nil
	}
	return bot.Answer{Reply: r, Outcome: bot.Committed}, nil
}

func (f *fake) Help(_ context.Context, u bot.Update) bot.Reply { return f.card(u) }

// said is what the fake says, in bokmål and, to see it mirrored, in Arabic.
var said = map[string]map[string]string{
	"nb": {
		"start": "Hei. Her kan du lese om rettighetene dine, og om hvem som kan hjelpe.", "start.2": "Du trenger ikke si hvem du er.",
		"read": "Les", "tell": "Hvis jeg sier fra", "place": "Velg sted", "skip": "Hopp over",
		"rights": "Du har rett til å si hva du mener, og bli hørt.", "rights.2": "Voksne skal lytte til deg når de bestemmer noe som gjelder deg.",
		"heard": "Å bli hørt", "private": "Privatlivet mitt", "school": "På skolen", "more": "Flere steder",
		"card": "Er du i fare nå? Ring politiet.", "card.2": "Noen å snakke med. Åpent hele døgnet.",
		"help": "Hjelp nå", "back": "Tilbake", "home": "Meny", "language": "Språk", "erase": "Slett alt", "privacy": "Hvem ser dette?", "restart": "Start på nytt", "hide": "Skjul", "show": "Tilbake til samtalen",
	},
	"ar": {
		"start": "مرحبًا. هنا يمكنك أن تقرأ عن حقوقك وعمن يستطيع المساعدة.", "start.2": "لا حاجة إلى أن تقول من أنت.",
		"read": "اقرأ", "tell": "إذا أخبرت أحدًا", "place": "اختر المكان", "skip": "تخطَّ",
		"rights": "لك الحق في أن تقول رأيك وأن يُسمع.", "rights.2": "على الكبار أن يستمعوا إليك.",
		"heard": "أن أُسمع", "private": "حياتي الخاصة", "school": "في المدرسة", "more": "أماكن أخرى",
		"card": "هل أنت في خطر الآن؟ اتصل بالشرطة.", "card.2": "شخص تتحدث معه.",
		"help": "مساعدة الآن", "back": "رجوع", "home": "القائمة", "language": "اللغة", "erase": "امح كل شيء", "privacy": "من يرى هذا؟", "restart": "ابدأ من جديد", "hide": "إخفاء", "show": "العودة إلى المحادثة",
	},
}

func (f *fake) t(locale, id string) string {
	if s := said[locale][id]; s != "" {
		return s
	}
	if s := said["nb"][id]; s != "" {
		return s
	}
	return id
}

func (f *fake) screen(t *talk) bot.Reply {
	r := bot.Reply{Locale: t.locale, Screen: t.screen}
	b := func(events ...string) (row []bot.Button) {
		for _, e := range events {
			row = append(row, bot.Button{Event: e, Label: f.t(t.locale, e)})
		}
		return row
	}
	switch t.place {
	case "start":
		r.Bubbles = []bot.Bubble{{Text: f.t(t.locale, "start")}, {Text: f.t(t.locale, "start.2")}}
		r.Rows = [][]bot.Button{b("read"), b("tell"), b("place", "skip")}
		r.System = b(flows.Language, flows.Privacy)
	case "place":
		r.Bubbles = []bot.Bubble{{Text: f.t(t.locale, "place")}}
		r.Rows, r.Typing = [][]bot.Button{b("skip")}, true
		r.System = b(flows.Back, flows.Home, flows.Language, flows.Hide, flows.Erase, flows.Privacy, flows.Restart)
	default:
		r.Bubbles = []bot.Bubble{{Text: f.t(t.locale, "rights")}, {Text: f.t(t.locale, "rights.2")}}
		r.Rows = [][]bot.Button{b("heard", "private"), b("school"), b("more")}
		r.System = b(flows.Back, flows.Home, flows.Language, flows.Hide, flows.Erase, flows.Privacy, flows.Restart)
	}
	req := card.Request{Locale: t.locale, Band: "10-12"}
	r.System = append([]bot.Button{{Event: flows.Help, Label: f.t(t.locale, "help"), Help: &req}}, r.System...)
	return r
}

func (f *fake) card(u bot.Update) bot.Reply {
	l := u.Locale
	if u.Help != nil && u.Help.Locale != "" {
		l = u.Help.Locale
	}
	req := card.Request{Locale: l, Band: "10-12"}
	more := req
	more.Part = card.More
	return bot.Reply{
		Locale: l, Card: true, Screen: u.Screen,
		Bubbles: []bot.Bubble{
			{Text: f.t(l, "card"), Number: "112", Dial: "112"},
			{Text: "Noen\n" + f.t(l, "card.2"), Number: "116 111", Dial: "116111", Web: "https://www.example.no/chat", WebLabel: "example.no/chat"},
		},
		Rows:   [][]bot.Button{{{Event: flows.Help, Label: f.t(l, "more"), Help: &more}}},
		System: []bot.Button{{Event: flows.Help, Label: f.t(l, "help"), Help: &req}, {Event: flows.Show, Label: f.t(l, "show")}, {Event: flows.Hide, Label: f.t(l, "hide")}, {Event: flows.Erase, Label: f.t(l, "erase")}},
	}
}

func (f *fake) last(t testing.TB) bot.Update {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.updates) == 0 {
		t.Fatal("the handler was not asked")
	}
	return f.updates[len(f.updates)-1]
}

func (f *fake) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.updates)
}

// texts reads the real message files.
type texts map[string]map[string]string

func (t texts) Text(locale, id, _ string) (string, bool) { s, ok := t[locale][id]; return s, ok }

var locales = []webchat.Locale{
	{Tag: "nb", Name: "Bokmål", Alias: []string{"no"}}, {Tag: "nn", Name: "Nynorsk"}, {Tag: "en", Name: "English"},
	{Tag: "se", Name: "Davvisámegiella"}, {Tag: "uk", Name: "Українська"}, {Tag: "pl", Name: "Polski"},
	{Tag: "ar", Name: "العربية", RTL: true}, {Tag: "so", Name: "Soomaali"},
}

func readTexts(t testing.TB) texts {
	t.Helper()
	out := texts{}
	for _, l := range locales {
		raw, err := fs.ReadFile(os.DirFS("../../locales"), l.Tag+"/web.yaml")
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]any{}
		if err := yaml.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		out[l.Tag] = map[string]string{}
		for k, v := range all {
			if s, ok := v.(string); ok {
				out[l.Tag][k] = s
			}
		}
	}
	return out
}

func parseHelp(s string) (card.Request, bool) {
	p := strings.Split(s, ".")
	if len(p) != 7 || p[0] != "h" {
		return card.Request{}, false
	}
	return card.Request{Locale: p[1], Band: p[2], Tenant: p[3], Area: p[4], Part: card.Part(p[6])}, true
}

// clock is a time that moves when told.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// tester is a site on a fake handler, and a browser without JavaScript.
type tester struct {
	testing.TB
	site  *webchat.Site
	fake  *fake
	clock *clock
	count map[webchat.Event]int
}

func newTester(t testing.TB, change ...func(*webchat.Options)) *tester {
	t.Helper()
	x := &tester{TB: t, fake: newFake(), clock: &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}, count: map[webchat.Event]int{}}
	var mu sync.Mutex
	o := webchat.Options{
		Handler: x.fake, Texts: readTexts(t), Locales: locales, ParseHelp: parseHelp, Now: x.clock.now,
		Poster: func(id string) (string, bool) { return map[string]string{"oslo": "0301"}[id], id == "oslo" },
		Count:  func(e webchat.Event) { mu.Lock(); defer mu.Unlock(); x.count[e]++ },
	}
	for _, c := range change {
		c(&o)
	}
	site, err := webchat.New(o)
	if err != nil {
		t.Fatal(err)
	}
	x.site = site
	return x
}

func (x *tester) do(r *http.Request) *httptest.ResponseRecorder {
	x.Helper()
	w := httptest.NewRecorder()
	x.site.ServeHTTP(w, r)
	return w
}

func (x *tester) get(path string, header ...string) *httptest.ResponseRecorder {
	x.Helper()
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return x.do(r)
}

func (x *tester) post(path string, v url.Values, header ...string) *httptest.ResponseRecorder {
	x.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return x.do(r)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// fields gives the hidden fields of a page, and what is to be added to them.
func fields(page string, more ...string) url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		v.Set(m[1], m[2])
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// isStart tells whether a page is the neutral start.
func isStart(page string) bool {
	return strings.Contains(page, said["nb"]["start"]) && strings.Contains(page, `name="lang"`)
}
