package webchat_test

import (
	"bytes"
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"trygg/bot"
	"trygg/bot/webchat"
	"trygg/flows"
)

const piece = "X-Trygg"

func TestFirstView_isSmallNeutralAndStoresNothing(t *testing.T) {
	x := newTester(t)
	for _, l := range locales {
		w := x.get("/", "Accept-Language", l.Tag)
		page := w.Body.String()
		if w.Code != 200 || len(page) > 60_000 {
			t.Errorf("%s: status %d, %d bytes; want 200 and at most 60 kB (S69)", l.Tag, w.Code, len(page))
		}
		if !strings.Contains(page, `<html lang="`+l.Tag+`"`) {
			t.Errorf("%s: the page is in another language", l.Tag)
		}
		for _, outside := range regexp.MustCompile(`(?:src|srcset|@import|url\()\s*=?\s*["']?(http|/)`).FindAllString(page, -1) {
			t.Errorf("%s: the page loads something more: %s", l.Tag, outside)
		}
		if f := fields(page); len(f.Get("s")) != 43 || f.Get("n") == "" || f.Get("t") == "" || f.Get("l") != l.Tag {
			t.Errorf("%s: hidden fields %v", l.Tag, f)
		}
	}
	if len(x.fake.sessions) != 0 {
		t.Error("something was stored before the first press (S26)")
	}
	for _, u := range x.fake.updates {
		if u.Event != flows.Show || u.Screen != "" {
			t.Errorf("the first view asked for %q on %q, want show on no screen", u.Event, u.Screen)
		}
	}
	before := x.fake.asked()
	a, b := fields(x.get("/").Body.String()), fields(x.get("/").Body.String())
	if x.fake.asked() != before {
		t.Error("a second first view asked the handler again")
	}
	if a.Get("s") == b.Get("s") || a.Get("t") == b.Get("t") {
		t.Error("two first views share a random value")
	}
	first := x.get("/").Body.String()
	for _, want := range []string{"Trykk «Gå ut»", `href="/om/nb"`, "Dette er en robot", `name="lang" value="ar"`} {
		if !strings.Contains(html.UnescapeString(first), want) {
			t.Errorf("the first view lacks %q (S8, S27, F45)", want)
		}
	}
}

func TestEveryAnswer_carriesTheHeaders(t *testing.T) {
	x := newTester(t)
	start := x.get("/").Body.String()
	answers := map[string]*httptest.ResponseRecorder{
		"first view": x.get("/"), "poster": x.get("/p/oslo"), "help page": x.get("/hjelp"), "safer use": x.get("/om/nn"),
		"press": x.post("/", fields(start, "e", "read")), "piece": x.post("/", fields(start, "e", "heard"), piece, "1"),
		"not found": x.get("/nothing"), "icon": x.get("/favicon.ico"), "exit link": x.get("/ut"), "exit": x.post("/ut", fields(start)),
		"wrong method": x.do(httptest.NewRequest("PUT", "/", nil)), "wrong kind": x.do(httptest.NewRequest("POST", "/", strings.NewReader("{}"))),
		"crooked path": x.get("//x/../"),
	}
	for name, w := range answers {
		h := w.Result().Header
		for key, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"X-Robots-Tag": "noindex, noarchive, nosnippet", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s: %s: %q, want %q", name, key, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", name, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("Permissions-Policy") == "" {
			t.Errorf("%s: policy %q, permissions %q", name, csp, h.Get("Permissions-Policy"))
		}
		if len(h["Set-Cookie"]) > 0 || h.Get("Etag") != "" || h.Get("Last-Modified") != "" {
			t.Errorf("%s: something to be remembered by: %v", name, h)
		}
	}
	nonce := regexp.MustCompile(`nonce-([^']+)'`)
	one := nonce.FindStringSubmatch(x.get("/").Header().Get("Content-Security-Policy"))[1]
	w := x.get("/")
	two := nonce.FindStringSubmatch(w.Header().Get("Content-Security-Policy"))[1]
	page := w.Body.String()
	if one == two || strings.Count(page, `nonce="`+two+`"`) != 2 {
		t.Error("the nonce is not new for each page, or not on script and style")
	}
	if m := regexp.MustCompile(`(?i)<[^>]+\s(on[a-z]+|style)=`).FindString(page); m != "" {
		t.Errorf("inline handler or style: %s", m)
	}
}

func TestPress_reachesTheHandlerAndShowsItsAnswer(t *testing.T) {
	x := newTester(t)
	start := x.get("/p/oslo").Body.String()
	w := x.post("/", fields(start, "e", "read"))
	u := x.fake.last(t)
	want := bot.Update{Chat: bot.ChatID{Channel: "web", Bot: "web", User: fields(start).Get("s")}, At: x.clock.now(), Event: "read", Screen: fields(start).Get("n"), Locale: "nb", Tenant: "0301"}
	if diff := cmp.Diff(want, u, cmp.AllowUnexported(flows.Words{})); diff != "" {
		t.Error(diff)
	}
	page := w.Body.String()
	if w.Code != 200 || !strings.Contains(page, said["nb"]["rights"]) || !strings.Contains(page, `name="e" value="heard"`) {
		t.Errorf("status %d, page without the answer", w.Code)
	}
	f := fields(page)
	if f.Get("s") != fields(start).Get("s") || f.Get("n") != "screen-1" || f.Get("p") != "oslo" {
		t.Errorf("the next form carries %v", f)
	}
	x.post("/", fields(page, "w", "jeg er redd"))
	if u := x.fake.last(t); u.Event != "" || u.Words.Read() != "jeg er redd" || u.Screen != "screen-1" {
		t.Errorf("typed words came as event %q on %q", u.Event, u.Screen)
	}
}

func TestPiece_isTheAnswerWithoutThePage(t *testing.T) {
	x := newTester(t)
	start := x.get("/").Body.String()
	w := x.post("/", fields(start, "e", "read"), piece, "1")
	body := w.Body.String()
	if strings.Contains(body, "<html") || strings.Contains(body, "<script") || !strings.Contains(body, `id="now"`) || !strings.Contains(body, `id="top"`) {
		t.Errorf("not a piece: %.300s", body)
	}
	w = x.post("/", fields(body, "e", "toast"), piece, "1")
	if b := w.Body.String(); !strings.Contains(b, "En liten beskjed") || strings.Contains(b, `id="now"`) {
		t.Errorf("a toast alone must leave the screen: %s", b)
	}
	w = x.post("/", fields(body, "e", "toast"))
	if b := w.Body.String(); !strings.Contains(b, "En liten beskjed") || !strings.Contains(b, said["nb"]["rights"]) {
		t.Error("without JavaScript a toast comes with the screen behind it")
	}
}

func TestHelp_isInEveryPageAndCarriesItsRequest(t *testing.T) {
	x := newTester(t)
	start := x.get("/", "Accept-Language", "ar").Body.String()
	pages := map[string]string{
		"start": start, "press": x.post("/", fields(start, "e", "read")).Body.String(), "help page": x.get("/hjelp").Body.String(),
		"not found": x.get("/nothing").Body.String(), "safer use": x.get("/om/so").Body.String(),
		"refused": x.do(httptest.NewRequest("POST", "/", strings.NewReader("x"))).Body.String(),
	}
	for name, page := range pages {
		m := regexp.MustCompile(`<button class="help" name="h" value="(h\.[^"]*)">([^<]+)</button>`).FindStringSubmatch(page)
		if m == nil {
			t.Errorf("%s: no help button (S1)", name)
			continue
		}
		w := x.post("/", fields(page, "h", m[1]))
		if b := w.Body.String(); w.Code != 200 || !strings.Contains(b, `href="tel:112"`) {
			t.Errorf("%s: help gave status %d without the number", name, w.Code)
		}
		if x.fake.last(t).Help == nil {
			t.Errorf("%s: the request did not reach the handler", name)
		}
		if !strings.Contains(page, `class="exit"`) || !strings.Contains(page, `href="/ut"`) {
			t.Errorf("%s: no exit (S22)", name)
		}
		if strings.Index(page, `href="/ut"`) > strings.Index(page, "<button") {
			t.Errorf("%s: the exit link is not the first to be reached by keyboard", name)
		}
	}
	// What a help button carries may come back as anything: it is help all the same.
	w := x.post("/", url.Values{"h": {"\x00\xff<script>"}})
	if !strings.Contains(w.Body.String(), `href="tel:112"`) {
		t.Error("a damaged help button did not give the card")
	}
}

func TestF77_tooManyNewChatsGetTheCardAndOthersGoOn(t *testing.T) {
	x := newTester(t, func(o *webchat.Options) { o.NewChatsPerMinute = 3 })
	first := x.get("/").Body.String()
	page := x.post("/", fields(first, "e", "read")).Body.String()
	limited := 0
	for range 100 {
		w := x.post("/", fields(x.get("/").Body.String(), "e", "read"))
		if b := w.Body.String(); w.Code != 200 {
			t.Fatalf("status %d", w.Code)
		} else if strings.Contains(b, "Mange er her") {
			limited++
			if !strings.Contains(b, `href="tel:112"`) {
				t.Fatal("over the limit without the card")
			}
		}
	}
	if limited != 98 || x.count[webchat.Limited] != 98 {
		t.Errorf("%d of 100 were limited, %d counted, want 98", limited, x.count[webchat.Limited])
	}
	if b := x.post("/", fields(page, "e", "heard")).Body.String(); strings.Contains(b, "Mange er her") {
		t.Error("a chat that had begun was limited")
	}
	fresh := x.get("/").Body.String()
	if b := x.post("/", fields(fresh, "h", "h.nb....0.")).Body.String(); strings.Contains(b, "Mange er her") || !strings.Contains(b, "tel:112") {
		t.Error("help was limited (S6)")
	}
	if w := x.get("/hjelp"); !strings.Contains(w.Body.String(), "tel:112") {
		t.Error("the help page was limited")
	}
	x.clock.pass(time.Minute)
	if b := x.post("/", fields(fresh, "e", "read")).Body.String(); strings.Contains(b, "Mange er her") {
		t.Error("a minute later new chats are still refused")
	}
}

func TestF44_doubleTapShowsThePresentScreenOnce(t *testing.T) {
	x := newTester(t)
	start := x.get("/").Body.String()
	press := fields(start, "e", "read")
	for i := range 20 {
		b := x.post("/", press).Body.String()
		if !strings.Contains(b, said["nb"]["rights"]) || fields(b).Get("n") != "screen-1" {
			t.Fatalf("tap %d showed something else, screen %q", i+1, fields(b).Get("n"))
		}
		x.clock.pass(50 * time.Millisecond)
	}
}

func TestS24_anOldRequestThatComesAgainShowsTheNeutralStart(t *testing.T) {
	for _, c := range []struct {
		name string
		more []string
		wait time.Duration
	}{
		{"a press, reloaded after six seconds", []string{"e", "read"}, 6 * time.Second},
		{"a press, restored after an hour", []string{"e", "read"}, time.Hour},
		{"a press, restored the next day", []string{"e", "read"}, 26 * time.Hour},
		{"typed words", []string{"w", "hei"}, 6 * time.Second},
		{"help, reloaded", []string{"h", "h.nb....0."}, 6 * time.Second},
		{"help, restored the next day", []string{"h", "h.nb....0."}, 26 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newTester(t)
			press := fields(x.get("/").Body.String(), c.more...)
			if b := x.post("/", press).Body.String(); isStart(b) {
				t.Fatal("the press itself showed the start")
			}
			x.clock.pass(c.wait)
			b := x.post("/", press).Body.String()
			if !isStart(b) || fields(b).Get("s") == press.Get("s") {
				t.Error("not the neutral start with a fresh value")
			}
		})
	}
	t.Run("a replica that remembers nothing", func(t *testing.T) {
		x := newTester(t)
		press := fields(x.get("/").Body.String(), "e", "read")
		x.post("/", press)
		y := newTester(t, func(o *webchat.Options) { o.Handler = x.fake; o.Now = x.clock.now })
		x.clock.pass(time.Minute)
		if b := y.post("/", press).Body.String(); !isStart(b) {
			t.Error("another replica showed what the session holds")
		}
	})
	t.Run("our script is never told to start again by an old button", func(t *testing.T) {
		x := newTester(t)
		press := fields(x.get("/").Body.String(), "e", "read")
		x.post("/", press, piece, "1")
		x.clock.pass(time.Minute)
		if b := x.post("/", press, piece, "1").Body.String(); isStart(b) || !strings.Contains(b, said["nb"]["rights"]) {
			t.Error("want the present screen (F42)")
		}
	})
}

func TestF102_exitErasesRedirectsAndNothingOldIsShown(t *testing.T) {
	x := newTester(t)
	press := fields(x.get("/").Body.String(), "e", "read")
	page := x.post("/", press).Body.String()
	next := fields(page, "e", "heard")
	session := press.Get("s")

	w := x.post("/ut", url.Values{"s": {session}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "https://www.yr.no/" {
		t.Errorf("status %d to %q", w.Code, w.Header().Get("Location"))
	}
	if got := w.Header().Get("Clear-Site-Data"); !strings.Contains(got, `"cache"`) || !strings.Contains(got, `"storage"`) {
		t.Errorf("Clear-Site-Data: %q", got)
	}
	if u := x.fake.last(t); u.Event != flows.Erase || u.Chat.User != session {
		t.Errorf("the handler was asked for %q", u.Event)
	}
	if len(x.fake.sessions) != 0 {
		t.Error("the session is still there")
	}
	for name, old := range map[string]url.Values{"the page": next, "the first press": press, "help": fields(page, "h", "h.nb....0."), "words": fields(page, "w", "hei")} {
		if b := x.post("/", old).Body.String(); !isStart(b) {
			t.Errorf("after exit %s showed something else than the neutral start", name)
		}
	}
	if len(x.fake.sessions) != 0 {
		t.Error("an old request brought the session back")
	}
	if w := x.get("/ut"); w.Code != http.StatusSeeOther {
		t.Errorf("the link: status %d", w.Code)
	}
	if w := x.post("/ut", url.Values{"s": {session}, "j": {"1"}}); w.Code != http.StatusNoContent {
		t.Errorf("the script's beacon: status %d", w.Code)
	}
	for name, r := range map[string]*http.Request{
		"broken form": httptest.NewRequest("POST", "/ut", strings.NewReader("s=%zz")), "no form": httptest.NewRequest("POST", "/ut", nil),
		"too large": httptest.NewRequest("POST", "/ut", strings.NewReader("s="+strings.Repeat("x", 1<<20))),
	} {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if w := x.do(r); w.Code != http.StatusSeeOther {
			t.Errorf("%s: leaving gave status %d", name, w.Code)
		}
	}
}

func TestF102_exitDuringASlowRequestLeavesNothing(t *testing.T) {
	x := newTester(t)
	press := fields(x.get("/").Body.String(), "e", "read")
	x.fake.during = func(u bot.Update) {
		if u.Event != "read" {
			return
		}
		// The child leaves while the press is worked on. The fake is locked, so
		// the erasure of this exit waits; the site remembers at once.
		x.fake.during = nil
		x.fake.mu.Unlock()
		x.post("/ut", url.Values{"s": {press.Get("s")}})
		x.fake.mu.Lock()
	}
	w := x.post("/", press)
	if w.Code != http.StatusSeeOther || strings.Contains(w.Body.String(), said["nb"]["rights"]) {
		t.Errorf("the late answer was shown, status %d", w.Code)
	}
	if len(x.fake.sessions) != 0 {
		t.Error("the late press left a session")
	}
}

func TestHide_isExitAndEraseStartsAnew(t *testing.T) {
	x := newTester(t)
	start := x.get("/").Body.String()
	page := x.post("/", fields(start, "e", "read")).Body.String()
	if strings.Contains(page, `value="hide"`) {
		t.Error("hide has a button of its own beside exit")
	}
	if w := x.post("/", fields(page, "e", flows.Hide)); w.Code != http.StatusSeeOther {
		t.Errorf("hide: status %d", w.Code)
	}
	page = x.post("/", fields(x.get("/").Body.String(), "e", "read")).Body.String()
	b := x.post("/", fields(page, "e", flows.Erase)).Body.String()
	if !isStart(b) || !strings.Contains(b, "Alt er slettet.") || fields(b).Get("s") == fields(page).Get("s") {
		t.Error("erase: want one calm line and a fresh start")
	}
	// A flow's own button may hide too.
	x.fake.answer = func(_ bot.Update, r *bot.Reply) bool { r.Clear = true; return true }
	page = x.get("/").Body.String()
	if w := x.post("/", fields(page, "e", "read"), piece, "1"); w.Code != http.StatusNoContent || w.Header().Get("X-Trygg") != "out" {
		t.Errorf("clear for the script: status %d", w.Code)
	}
}

func TestF65_F72_textsAndDataAreShownLiterally(t *testing.T) {
	x := newTester(t)
	evil := `<b>x</b> *y* _z_ [a](b) & "q" <script>alert(1)</script>`
	x.fake.answer = func(_ bot.Update, r *bot.Reply) bool {
		*r = bot.Reply{
			Locale: "nb", Screen: `"><script>`, Toast: evil,
			Bubbles: []bot.Bubble{
				{Text: evil, Number: evil, Dial: `112"><script>`, Web: `javascript:alert(1)`, WebLabel: evil},
				{Text: "x", Dial: "javascript:alert(1)", Web: `https://www.example.no/"><script>alert(1)</script>`, WebLabel: evil},
			},
			Rows:   [][]bot.Button{{{Event: `"><script>`, Label: evil}}},
			System: []bot.Button{{Event: flows.Help, Label: evil}},
		}
		return true
	}
	for _, header := range []string{"", "1"} {
		b := x.post("/", fields(x.get("/").Body.String(), "e", "read"), piece, header).Body.String()
		if strings.Contains(b, "<b>x") || strings.Contains(b, "<script>alert") || strings.Contains(b, "javascript:") || strings.Contains(b, `"><script>`) {
			t.Errorf("something got through: %s", b)
		}
		if !strings.Contains(html.UnescapeString(b), evil) {
			t.Error("the text is not shown literally")
		}
	}
	// What comes in is never shown at all (S54).
	for _, field := range []string{"w", "e", "n", "t", "l", "p", "s", "h", "lang"} {
		b := x.post("/", fields(x.get("/").Body.String(), field, "canary<i>42")).Body.String()
		if strings.Contains(b, "canary") {
			t.Errorf("field %s comes back", field)
		}
	}
	if b := x.get("/canary<i>?q=canary").Body.String(); strings.Contains(b, "canary") {
		t.Error("the address comes back")
	}
}

func TestRightToLeft_isMirroredAndNumbersStayReadable(t *testing.T) {
	x := newTester(t)
	start := x.get("/", "Accept-Language", "ar").Body.String()
	if !strings.Contains(start, `<html lang="ar" dir="rtl"`) {
		t.Error("the page is not mirrored")
	}
	b := x.post("/", fields(start, "h", "h.ar....0.")).Body.String()
	if !strings.Contains(b, `<bdi dir="ltr">116 111</bdi>`) {
		t.Error("the number is not kept left to right")
	}
	x.fake.answer = func(_ bot.Update, r *bot.Reply) bool {
		r.Bubbles = append(r.Bubbles, bot.Bubble{Text: "På bokmål", Locale: "nb"})
		return true
	}
	b = x.post("/", fields(b, "e", "read"), piece, "1").Body.String()
	if !strings.Contains(b, `<div class="bubble" lang="nb" dir="ltr"><p>På bokmål`) {
		t.Error("a bubble in another language does not say so")
	}
}

func TestLanguage_ofTheFirstView(t *testing.T) {
	x := newTester(t)
	for _, c := range []struct{ name, header, want string }{
		{"none given", "", "nb"},
		{"ours", "pl", "pl"},
		{"with a country", "nn-NO,nb;q=0.8", "nn"},
		{"the macro language", "no,en;q=0.5", "nb"},
		{"not a relative: Russian is not Ukrainian", "ru-RU,ru;q=0.9", "nb"},
		{"not a relative: Persian is not Arabic, English is asked for next", "fa,en;q=0.5", "en"},
		{"the best by weight", "de,en;q=0.3,so;q=0.7", "so"},
		{"refused", "en;q=0", "nb"},
		{"nonsense", ";;;,q=,*;q=x,\x01", "nb"},
		{"endless", strings.Repeat("xx,", 100000) + "uk", "nb"},
	} {
		if b := x.get("/", "Accept-Language", c.header).Body.String(); !strings.Contains(b, `<html lang="`+c.want+`"`) {
			t.Errorf("%s: not %s", c.name, c.want)
		}
	}
	b := x.post("/", fields(x.get("/").Body.String(), "lang", "ar")).Body.String()
	if !strings.Contains(b, `lang="ar" dir="rtl"`) || !strings.Contains(b, `name="lang"`) {
		t.Error("choosing a language on the first view")
	}
	if len(x.fake.sessions) != 0 {
		t.Error("choosing a language stored something")
	}
}

func TestF34_intakeHasLimits(t *testing.T) {
	x := newTester(t)
	body := func(s, kind string) *http.Request {
		r := httptest.NewRequest("POST", "/", strings.NewReader(s))
		r.Header.Set("Content-Type", kind)
		return r
	}
	const ours = "application/x-www-form-urlencoded"
	chunked := body("w="+strings.Repeat("x", 5<<20), ours)
	chunked.ContentLength = -1
	for _, c := range []struct {
		name string
		r    *http.Request
		want int
	}{
		{"broken JSON", body(`{"a":`, "application/json"), 415},
		{"10,000 levels", body(strings.Repeat("[", 10000), "application/json"), 415},
		{"no kind", body("e=read", ""), 415},
		{"a file", body("--x\r\n\r\n--x--", "multipart/form-data; boundary=x"), 415},
		{"5 MiB", body("w="+strings.Repeat("x", 5<<20), ours), 413},
		{"5 MiB of unsaid length", chunked, 413},
		{"broken escapes", body("e=%zz", ours), 400},
		{"a field twice", body("e=read&e=tell", ours), 400},
		{"20,000 fields", body(strings.Repeat("a&", 20000), ours), 400},
		{"a method we do not have", httptest.NewRequest("DELETE", "/", nil), 405},
		{"an address we do not have", httptest.NewRequest("GET", "/wp-login.php", nil), 404},
		{"a path upwards", httptest.NewRequest("GET", "/p/../../etc/passwd", nil), 404},
	} {
		w := x.do(c.r)
		if w.Code != c.want {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.want)
		}
		if w.Code >= 400 && !strings.Contains(w.Body.String(), `class="help"`) {
			t.Errorf("%s: a refusal without help", c.name)
		}
	}
	if x.fake.asked() != 0 {
		t.Error("the handler was asked about what was refused")
	}
}

func TestF39_F40_F41_oddWordsAndEvents(t *testing.T) {
	x := newTester(t)
	send := func(more ...string) bot.Update {
		t.Helper()
		f := fields(x.get("/").Body.String(), more...)
		if w := x.post("/", f); w.Code != 200 {
			t.Fatalf("%q: status %d", more, w.Code)
		}
		return x.fake.last(t)
	}
	if u := send("w", strings.Repeat("æ", 5000)); len([]rune(u.Words.Read())) != 4096 {
		t.Errorf("%d characters got through, want 4096", len([]rune(u.Words.Read())))
	}
	if u := send("w", "hei\xff\xfe"); u.Words.Read() != "hei\uFFFD" {
		t.Errorf("invalid UTF-8 came as %q", u.Words.Read())
	}
	if u := send("w", "z"+strings.Repeat("\u0301", 4000)); u.Words.Empty() {
		t.Error("combining marks were lost")
	}
	for _, blank := range []string{"", "   "} {
		if u := send("w", blank); u.Words.Empty() || u.Event != "" {
			t.Errorf("an empty message is a message: event %q", u.Event)
		}
	}
	for _, odd := range []string{strings.Repeat("\xf7", 64), "../../etc", "read<script>", strings.Repeat("a", 65), "r\r\nSet-Cookie: x=1"} {
		if u := send("e", odd); u.Event != flows.Show {
			t.Errorf("event %q came as %q, want the present screen", odd, u.Event)
		}
	}
	if u := send("e", "read", "n", "\x00\xff"); u.Screen == "" {
		t.Error("a damaged screen name must not count as none")
	}
	asked := x.fake.asked()
	for _, s := range []string{"", "short", strings.Repeat("x", 44), strings.Repeat("%", 43)} {
		w := x.post("/", url.Values{"s": {s}, "e": {"read"}})
		if !isStart(w.Body.String()) {
			t.Errorf("session %q: not the neutral start", s)
		}
	}
	if u := x.fake.updates[len(x.fake.updates)-1]; x.fake.asked() != asked && u.Event != flows.Show {
		t.Error("a press without a session reached the handler")
	}
}

func TestS61_postsOfOtherSitesAreRefused(t *testing.T) {
	x := newTester(t)
	f := fields(x.get("/").Body.String(), "e", "read")
	for _, c := range []struct {
		name, key, value string
		want             int
	}{
		{"our page", "Sec-Fetch-Site", "same-origin", 200},
		{"another site", "Sec-Fetch-Site", "cross-site", 403},
		{"a neighbour", "Sec-Fetch-Site", "same-site", 403},
		{"an old browser, our page", "Origin", "http://example.com", 200},
		{"an old browser, our page without a referrer", "Origin", "null", 200},
		{"an old browser, another site", "Origin", "https://evil.example", 403},
	} {
		if w := x.post("/", f, c.key, c.value); w.Code != c.want {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.want)
		}
	}
}

func TestF79_hostsOfOthersAreRefusedAndNeverShown(t *testing.T) {
	x := newTester(t, func(o *webchat.Options) { o.Hosts = []string{"chat.example.no"} })
	for host, want := range map[string]int{"chat.example.no": 200, "CHAT.example.no:8080": 200, "evil.example": 421, "": 421, "chat.example.no.evil.example": 421} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := x.do(r)
		if w.Code != want || strings.Contains(w.Body.String(), "evil") {
			t.Errorf("host %q: status %d, want %d", host, w.Code, want)
		}
	}
	for _, path := range []string{"/%0d%0aSet-Cookie:%20x=1", "/p/x%0d%0aLocation:%20http://evil.example", "/om/%0d%0a"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "chat.example.no"
		if h := x.do(r).Header(); h.Get("Set-Cookie") != "" || strings.Contains(h.Get("Location"), "evil") {
			t.Errorf("%s: split", path)
		}
	}
}

func TestF22_whateverFailsTheCardIsSent(t *testing.T) {
	for _, header := range []string{"", "1"} {
		x := newTester(t)
		start := x.get("/").Body.String()
		x.fake.err = errors.New("store: secret technical text")
		w := x.post("/", fields(start, "e", "read"), piece, header)
		if b := w.Body.String(); w.Code != 200 || !strings.Contains(b, "tel:112") || strings.Contains(b, "technical") {
			t.Errorf("an error: status %d", w.Code)
		}
		x.fake.err = nil
		x.fake.during = func(bot.Update) { panic("canary words") }
		w = x.post("/", fields(start, "e", "tell"), piece, header)
		if b := w.Body.String(); w.Code != 200 || !strings.Contains(b, "tel:112") || strings.Contains(b, "canary") {
			t.Errorf("a panic: status %d %s", w.Code, b)
		}
		if x.count[webchat.Failed] != 2 {
			t.Errorf("%d failures counted, want 2", x.count[webchat.Failed])
		}
		x.fake.during = nil
		if w := x.post("/", fields(x.get("/").Body.String(), "e", "read")); w.Code != 200 {
			t.Error("the site did not live on")
		}
	}
	x := newTester(t)
	x.fake.answer = func(_ bot.Update, r *bot.Reply) bool { *r = bot.Reply{}; return true }
	if b := x.post("/", fields(x.get("/").Body.String(), "e", "read"), piece, "1").Body.String(); !strings.Contains(b, "tel:112") {
		t.Error("an empty answer was met with silence")
	}
	x = newTester(t)
	x.fake.err = errors.New("away")
	if b := x.get("/").Body.String(); !strings.Contains(b, "tel:112") {
		t.Error("no first view and no card either")
	}
	x = newTester(t, func(o *webchat.Options) { o.Handler = brokenHandler{} })
	if w := x.get("/"); w.Code != 200 || !strings.Contains(w.Body.String(), `class="help"`) {
		t.Error("with everything broken there is no page at all")
	}
}

type brokenHandler struct{}

func (brokenHandler) Handle(context.Context, bot.Update) (bot.Answer, error) { panic("handle") }
func (brokenHandler) Help(context.Context, bot.Update) bot.Reply             { panic("help") }

func TestStart_isServedFromMemoryWhileTheHandlerFails(t *testing.T) {
	x := newTester(t)
	x.get("/")
	x.fake.err = errors.New("away")
	x.clock.pass(time.Hour)
	if b := x.get("/").Body.String(); !isStart(b) {
		t.Error("the old start would have done")
	}
}

func TestPoster_showsTheSamePage(t *testing.T) {
	x := newTester(t)
	plain, known, unknown := x.get("/").Body.String(), x.get("/p/oslo").Body.String(), x.get("/p/nowhere").Body.String()
	title := regexp.MustCompile(`<title>.*</title>`)
	for name, page := range map[string]string{"known": known, "unknown": unknown} {
		if !isStart(page) || title.FindString(page) != title.FindString(plain) {
			t.Errorf("%s poster: not the same page", name)
		}
	}
	if u := x.fake.updates[1]; u.Tenant != "0301" {
		t.Errorf("the municipality came as %q", u.Tenant)
	}
	if w := x.get("/p/" + strings.Repeat("x", 5000)); w.Code != 200 || len(w.Body.String()) > 60_000 {
		t.Error("a long poster")
	}
}

func TestNew_saysEverythingThatIsMissing(t *testing.T) {
	_, err := webchat.New(webchat.Options{ExitTo: "javascript:alert(1)"})
	if err == nil || !strings.Contains(err.Error(), "Handler") || !strings.Contains(err.Error(), "exit address") {
		t.Errorf("got %v", err)
	}
	lacking := readTexts(t)
	delete(lacking["nb"], "web.robot")
	_, err = webchat.New(webchat.Options{Handler: newFake(), Texts: lacking, Locales: locales, ParseHelp: parseHelp})
	if err == nil || !strings.Contains(err.Error(), `"web.robot" is missing in nb`) {
		t.Errorf("got %v", err)
	}
}

func TestTexts_areCompleteInEveryLanguage(t *testing.T) {
	for tag, all := range readTexts(t) {
		for _, id := range webchat.UI {
			if strings.TrimSpace(all[id]) == "" {
				t.Errorf("%s: %q is missing", tag, id)
			}
			if n := len(strings.Fields(all[id])); n > 20 || len([]rune(all[id])) > 300 {
				t.Errorf("%s: %q has %d words, at most 20 (S66)", tag, id, n)
			}
			if regexp.MustCompile(`[0-9]`).MatchString(all[id]) {
				t.Errorf("%s: %q holds a number (S5)", tag, id)
			}
		}
		if len(all) != len(webchat.UI) {
			t.Errorf("%s: %d texts, want %d", tag, len(all), len(webchat.UI))
		}
	}
}

// FuzzForm sends anything as a form: never a crash, never a 5xx, never a word
// of it in the answer.
func FuzzForm(f *testing.F) {
	x := newTester(f, func(o *webchat.Options) { o.NewChatsPerMinute = 1 << 30 })
	f.Add("e=read", "1")
	f.Add("w=canary&n=~nb.0..x.1", "")
	f.Add("h=h.nb....0.&s=%ff&t=1.2", "")
	f.Add(fields(x.get("/").Body.String(), "w", "jeg er redd").Encode(), "1")
	f.Fuzz(func(t *testing.T, body, script string) {
		r := httptest.NewRequest("POST", "/", io.NopCloser(bytes.NewReader([]byte(body))))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header[piece] = []string{script}
		w := httptest.NewRecorder()
		x.site.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == 0 {
			t.Fatalf("status %d", w.Code)
		}
		v, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		if typed := v.Get("w"); len(typed) > 12 && strings.Contains(w.Body.String(), html.EscapeString(typed)) {
			t.Fatal("typed words came back")
		}
	})
}

func BenchmarkFirstView(b *testing.B) {
	x := newTester(b)
	for b.Loop() {
		x.get("/")
	}
}

func BenchmarkPress(b *testing.B) {
	x := newTester(b)
	f := fields(x.get("/").Body.String(), "e", "read")
	for b.Loop() {
		x.post("/", f, piece, "1")
	}
}
