package webchat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"trygg/bot"
	"trygg/bot/webchat"
	"trygg/flows"
)

// stage is a site that a real browser talks to, and the neutral page that an
// exit leads to.
type stage struct {
	*tester
	ctx  context.Context // one tab
	url  string
	away string // the neutral page
	hold atomic.Pointer[chan struct{}]
	down atomic.Bool
	left atomic.Int32 // posts to /ut
	busy sync.WaitGroup
}

// newStage opens a tab of its own, or skips where there is no Chromium. Where
// everything has to run (TRYGG_TEST_ALL=1) its absence is a failure.
func newStage(t *testing.T, change ...func(*webchat.Options)) *stage {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("TRYGG_TEST_ALL") == "1" {
		missing = t.Fatalf
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		missing("no chromium: %v", err)
	}
	x := &stage{}
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<!DOCTYPE html><title>Weather</title><p id=weather>Sun")
	}))
	t.Cleanup(away.Close)
	x.away = away.URL + "/"
	change = append([]func(*webchat.Options){func(o *webchat.Options) { o.ExitTo, o.Now = x.away, time.Now }}, change...)
	x.tester = newTester(t, change...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.busy.Add(1)
		defer x.busy.Done()
		if r.Method == "POST" && r.URL.Path == "/ut" {
			x.left.Add(1)
		}
		if x.down.Load() {
			panic(http.ErrAbortHandler)
		}
		if hold := x.hold.Load(); hold != nil && r.Method == "POST" && r.URL.Path == "/" {
			<-*hold
		}
		x.site.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	x.url = server.URL + "/"

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("accept-lang", "nb"), chromedp.WindowSize(390, 844))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	x.ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Run(x.ctx); err != nil { // the browser starts
		t.Fatal(err)
	}
	x.run(network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": "nb"}))
	return x
}

func (x *stage) run(actions ...chromedp.Action) {
	x.Helper()
	ctx, stop := context.WithTimeout(x.ctx, 20*time.Second)
	defer stop()
	if err := chromedp.Run(ctx, actions...); err != nil {
		x.Fatalf("%v\n%s", err, x.html())
	}
}

// eval gives what an expression is in the page.
func eval[T any](x *stage, expression string) (v T) {
	x.Helper()
	x.run(chromedp.Evaluate(expression, &v))
	return v
}

// until waits for an expression to become true, also across pages. The browser
// is another process and tells nothing by itself, so it is asked again.
func (x *stage) until(expression string) {
	x.Helper()
	ctx, stop := context.WithTimeout(x.ctx, 10*time.Second)
	defer stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var ok bool
		if err := chromedp.Run(ctx, chromedp.Evaluate(expression, &ok)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			x.Fatalf("never true: %s\n%s", expression, x.html())
		case <-again.C:
		}
	}
}

// html gives the page as it stands, without its script and style.
func (x *stage) html() (s string) {
	ctx, stop := context.WithTimeout(x.ctx, 5*time.Second)
	defer stop()
	chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		root, err := dom.GetDocument().Do(ctx)
		if err != nil {
			return err
		}
		s, err = dom.GetOuterHTML().WithNodeID(root.NodeID).Do(ctx)
		return err
	}))
	return code.ReplaceAllString(s, "")
}

var code = regexp.MustCompile(`(?s)<(style|script).*?</(style|script)>`)

// click presses an element as a finger does.
func (x *stage) click(selector string) {
	x.Helper()
	x.run(chromedp.Click(selector, chromedp.ByQuery))
}

// press presses a choice and waits for its answer.
func (x *stage) press(event string) {
	x.Helper()
	turns := eval[int](x, `document.querySelectorAll('.turn').length`)
	x.click(`#now button[value="` + event + `"]`)
	x.until(fmt.Sprintf(`document.querySelectorAll('.turn').length > %d`, turns))
}

// shoot saves a picture of the screen where TRYGG_SHOTS names a folder.
func (x *stage) shoot(name string) {
	x.Helper()
	dir := os.Getenv("TRYGG_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	x.run(chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		x.Fatal(err)
	}
}

func (x *stage) phone(width, height int64, dark bool) {
	x.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	x.run(emulation.SetDeviceMetricsOverride(width, height, 2, true),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// addresses gives what the tab's history holds.
func (x *stage) addresses() (all []string) {
	x.Helper()
	x.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, entries, err := page.GetNavigationHistory().Do(ctx)
		for _, e := range entries {
			all = append(all, e.URL)
		}
		return err
	}))
	return all
}

func (x *stage) gone() {
	x.Helper()
	x.until(`document.getElementById('weather') !== null`)
	for _, a := range x.addresses() {
		if strings.HasPrefix(a, x.url) {
			x.Errorf("the tab's history still holds %s", a)
		}
	}
	// The server is told after the screen is blank; its requests are few.
	x.busy.Wait()
	x.fake.mu.Lock()
	defer x.fake.mu.Unlock()
	if len(x.fake.sessions) != 0 {
		x.Error("the session was not erased")
	}
}

const nothingKept = `(async function () {
	var dbs = indexedDB.databases ? await indexedDB.databases() : [];
	var workers = navigator.serviceWorker ? await navigator.serviceWorker.getRegistrations() : [];
	return localStorage.length + sessionStorage.length + dbs.length + workers.length + document.cookie.length;
})()`

func TestBrowser_aWholeConversation(t *testing.T) {
	x := newStage(t)
	x.phone(390, 844, false)
	x.run(chromedp.Navigate(x.url))
	x.shoot("start")
	x.press("read")
	x.shoot("rights")
	if got := eval[int](x, `document.querySelectorAll('.own').length`); got != 1 {
		t.Errorf("%d bubbles of the child's own, want 1", got)
	}
	if !eval[bool](x, `document.activeElement.className === 'turn' && document.activeElement.textContent.indexOf('rett') > 0`) {
		t.Error("the focus is not on the new answer")
	}
	if top := eval[float64](x, `document.querySelector('.own').getBoundingClientRect().top - document.getElementById('top').getBoundingClientRect().bottom`); top < 0 {
		t.Errorf("the bar covers %v px of the new answer", -top)
	}
	x.press("heard")
	x.run(chromedp.SendKeys("#w", "jeg lurer på noe"+kb.Enter, chromedp.ByQuery))
	x.until(`document.body.textContent.indexOf('Takk for at du skrev.') > 0`)
	x.shoot("typed")
	if u := x.fake.last(t); u.Words.Read() != "jeg lurer på noe" {
		t.Errorf("typed words came as %q, event %q", u.Words.Read(), u.Event)
	}
	if eval[bool](x, `document.documentElement.outerHTML.indexOf('lurer') >= 0 || document.getElementById('w').value !== ''`) {
		t.Error("typed words stand in the page (S54)")
	}
	x.click(".help")
	x.until(`document.querySelector('.turn:last-child a[href="tel:112"]') !== null`)
	x.shoot("card")
	x.press("show")
	x.run(chromedp.SendKeys("#w", "halvskrevet", chromedp.ByQuery))
	x.press("school")
	if got := eval[string](x, `document.getElementById('w').value`); got != "halvskrevet" {
		t.Errorf("what was half written is now %q", got)
	}
	x.press("home")
	x.press("place")
	x.shoot("place")
	if got := eval[string](x, `location.href`); got != x.url {
		t.Errorf("the address is %s (S21)", got)
	}
	if got := len(x.addresses()); got != 2 { // about:blank and ours
		t.Errorf("%d entries in the tab's history: %v", got, x.addresses())
	}
	var kept int
	x.run(chromedp.Evaluate(nothingKept, &kept, awaited))
	if kept != 0 {
		t.Errorf("%d things are kept in the browser (S26)", kept)
	}
	for range 20 {
		x.fake.mu.Lock()
		before := x.fake.next
		x.fake.mu.Unlock()
		x.click(`#choose button`)
		x.until(fmt.Sprintf(`Number(document.querySelector('#choose input[name=n]').value.replace('screen-', '')) > %d`, before))
	}
	if got := eval[int](x, `document.getElementById('log').childNodes.length`); got > 24 {
		t.Errorf("%d bubbles and turns are kept on the screen", got)
	}
	x.click(`#tools summary`)
	x.shoot("more")
	x.click(`#tools button[value="erase"]`)
	x.until(`document.body.textContent.indexOf('Alt er slettet.') > 0`)
	if eval[int](x, `document.querySelectorAll('.turn, .own').length`) != 1 {
		t.Error("erased, and the conversation still stands there")
	}
	x.shoot("erased")
}

func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

func TestBrowser_exitBlanksInTheSameFrameAndLeavesNothing(t *testing.T) {
	for _, c := range []struct{ name, by string }{
		{"the button", `document.querySelector('.exit').click()`},
		{"the link", `document.querySelector('.skip').click()`},
		{"a submit", `document.querySelector('form[data-exit]').requestSubmit()`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newStage(t)
			x.run(chromedp.Navigate(x.url))
			x.press("read")
			if got := eval[string](x, c.by+`; document.body.innerHTML + getComputedStyle(document.body).display`); got != "none" {
				t.Errorf("right after leaving the page holds %q", got)
			}
			x.gone()
			x.run(chromedp.NavigateBack())
			if b := x.html(); strings.Contains(b, "rett til") {
				t.Error("Back shows the conversation")
			}
		})
	}
}

func TestBrowser_shiftThreeTimesAndNothingElse(t *testing.T) {
	x := newStage(t)
	x.run(chromedp.Navigate(x.url))
	x.press("read")
	key := func(name string, code int64) chromedp.Action {
		return chromedp.Tasks{
			input.DispatchKeyEvent(input.KeyDown).WithKey(name).WithWindowsVirtualKeyCode(code),
			input.DispatchKeyEvent(input.KeyUp).WithKey(name).WithWindowsVirtualKeyCode(code),
		}
	}
	shift, letter := key("Shift", 16), key("A", 65)
	x.run(key("Escape", 27), key("Escape", 27), key("Escape", 27))
	x.run(shift, letter, shift, letter, shift, letter, shift, shift, letter)
	if !eval[bool](x, `document.body.textContent.indexOf('rett') > 0`) {
		t.Fatal("capital letters or Esc left the page")
	}
	chromedp.Run(x.ctx, shift, shift, shift)
	x.gone()
}

func TestBrowser_comingBackShowsTheNeutralStart(t *testing.T) {
	x := newStage(t)
	neutral := func(how string) {
		t.Helper()
		x.until(`document.querySelector('#first') !== null`)
		if eval[bool](x, `document.body.textContent.indexOf('rett til') >= 0`) {
			t.Errorf("%s shows the conversation (S24)", how)
		}
	}
	x.run(chromedp.Navigate(x.url))
	x.press("read")
	x.run(chromedp.Reload())
	neutral("reload")
	x.press("read")
	x.run(chromedp.Navigate(x.away))
	x.run(chromedp.NavigateBack())
	neutral("Back")
	if x.left.Load() == 0 {
		t.Error("going elsewhere did not erase what was left behind")
	}
	x.press("read")
	x.run(chromedp.Navigate(x.away))
	x.run(chromedp.ActionFunc(func(ctx context.Context) error { return page.Reload().Do(ctx) }))
	x.run(chromedp.Navigate(x.url))
	neutral("opening again")
}

func TestBrowser_exitDuringASlowRequest(t *testing.T) {
	x := newStage(t)
	x.run(chromedp.Navigate(x.url))
	x.press("read")
	hold := make(chan struct{})
	x.hold.Store(&hold)
	x.click(`#now button[value="heard"]`)
	x.until(`document.getElementById('status').textContent !== ''`)
	x.click(".exit")
	x.until(`document.getElementById('weather') !== null`)
	x.hold.Store(nil)
	close(hold)
	x.gone()
}

func TestBrowser_doublePressIsOnePress(t *testing.T) {
	x := newStage(t)
	x.run(chromedp.Navigate(x.url))
	asked := x.fake.asked()
	x.run(chromedp.Evaluate(`for (var i = 0, b = document.querySelector('button[value=read]'); i < 20; i++) { b.click(); }`, nil))
	x.until(`document.querySelectorAll('.turn').length > 1`)
	if n := x.fake.asked() - asked; n != 1 {
		t.Errorf("20 taps reached the handler %d times", n)
	}
}

func TestBrowser_helpWhenWeCannotBeReached(t *testing.T) {
	x := newStage(t)
	x.run(chromedp.Navigate(x.url))
	x.press("read")
	x.down.Store(true)
	x.click(`#now button[value="heard"]`)
	x.until(`document.querySelector('.turn:last-child .toast') !== null`)
	x.click(".help")
	x.until(`document.querySelector('.turn:last-child a[href="tel:112"]') !== null`)
	x.shoot("unreachable")
	x.down.Store(false)
	x.press("heard")
}

func TestBrowser_worksWithoutJavaScript(t *testing.T) {
	x := newStage(t)
	x.phone(390, 844, false)
	x.run(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(x.url))
	has := func(what string) bool { return strings.Contains(x.html(), what) }
	wait := func(what string) {
		t.Helper()
		end, again := time.After(10*time.Second), time.NewTicker(20*time.Millisecond)
		defer again.Stop()
		for !has(what) {
			select {
			case <-end:
				t.Fatalf("never came: %s\n%s", what, x.html())
			case <-again.C:
			}
		}
	}
	// chromedp looks for elements with a script of its own; here we may not.
	focus := func(selector string) {
		t.Helper()
		x.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
			for range 20 { // it numbers the elements anew meanwhile
				var root *cdp.Node
				var id cdp.NodeID
				if root, err = dom.GetDocument().Do(ctx); err != nil {
					continue
				}
				if id, err = dom.QuerySelector(root.NodeID, selector).Do(ctx); err != nil {
					continue
				}
				if err = dom.Focus().WithNodeID(id).Do(ctx); err == nil {
					return nil
				}
			}
			return err
		}))
	}
	submit := func(selector string) {
		t.Helper()
		focus(selector)
		x.run(chromedp.KeyEvent(kb.Enter))
	}
	submit(`button[value="read"]`)
	wait(said["nb"]["rights"])
	x.shoot("noscript")
	submit(`.help`)
	wait(said["nb"]["card.2"])
	submit(`button[value="show"]`)
	wait(said["nb"]["rights"])
	focus("#w")
	x.run(chromedp.KeyEvent("hei" + kb.Enter))
	wait("Takk for at du skrev.")
	if u := x.fake.last(t); u.Words.Read() != "hei" {
		t.Errorf("Enter in the field sent event %q, words %q", u.Event, u.Words.Read())
	}
	session := x.fake.last(t).Chat.User
	submit(`.exit`)
	wait("weather")
	x.busy.Wait()
	if x.fake.sessions[session] != nil {
		t.Error("the session was not erased")
	}
	for _, how := range []chromedp.Action{page.Reload(), back(-1), back(-2), page.Reload()} {
		ctx, stop := context.WithTimeout(x.ctx, 3*time.Second)
		chromedp.Run(ctx, how) // may well refuse to send a form again: that is a page without our words
		stop()
		if b := x.html(); strings.Contains(b, "rett til") || strings.Contains(b, "Takk for") || strings.Contains(b, "tel:112") && strings.Contains(b, `id="log"`) && !strings.Contains(b, `id="first"`) {
			t.Errorf("coming back shows the conversation: %s", b)
		}
	}
}

// back goes so many steps in the tab's history.
func back(steps int64) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		at, entries, err := page.GetNavigationHistory().Do(ctx)
		if err != nil || at+steps < 0 || at+steps >= int64(len(entries)) {
			return err
		}
		return page.NavigateToHistoryEntry(entries[at+steps].ID).Do(ctx)
	})
}

// layout finds what does not fit: sideways scrolling, small targets, a bar
// that is covered or out of sight.
const layout = `(function () {
	var wrong = [], root = document.documentElement, i, r, e, all = document.querySelectorAll('button, summary, .reach, .start, input[type=text]');
	if (root.scrollWidth > root.clientWidth) { wrong.push('scrolls sideways: ' + root.scrollWidth + ' > ' + root.clientWidth); }
	for (i = 0; i < all.length; i++) {
		r = all[i].getBoundingClientRect();
		if (r.width && (r.height < 48 || r.width < 48)) { wrong.push('small: ' + all[i].textContent + ' ' + r.width + 'x' + r.height); }
		if (r.width && (r.left < -1 || r.right > root.clientWidth + 1)) { wrong.push('outside: ' + all[i].textContent); }
	}
	['.exit', '.help'].forEach(function (s) {
		r = document.querySelector(s).getBoundingClientRect();
		e = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
		if (!e || !e.matches(s)) { wrong.push(s + ' is covered or out of sight'); }
	});
	return wrong;
})()`

func TestBrowser_fits320PixelsAnd400Percent(t *testing.T) {
	x := newStage(t)
	for _, lang := range []string{"nb", "ar", "uk", "se", "so", "pl"} {
		x.run(network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": lang}))
		// 1280x1024 at 400 % is 320x256.
		for _, size := range [][2]int64{{320, 568}, {320, 256}, {1280, 800}} {
			x.phone(size[0], size[1], false)
			x.run(chromedp.Navigate(x.url))
			check := func(where string) {
				t.Helper()
				for _, wrong := range eval[[]string](x, layout) {
					t.Errorf("%s %v %s: %s", lang, size, where, wrong)
				}
				x.run(chromedp.Evaluate(`window.scrollTo(0, 100000)`, nil))
				for _, wrong := range eval[[]string](x, layout) {
					t.Errorf("%s %v %s, at the end: %s", lang, size, where, wrong)
				}
				x.run(chromedp.Evaluate(`window.scrollTo(0, 0)`, nil))
			}
			check("start")
			x.shoot(fmt.Sprintf("start-%s-%d", lang, size[0]))
			x.press("read")
			check("answer")
			x.click(".help")
			x.until(`document.querySelector('.turn:last-child a[href="tel:112"]') !== null`)
			check("card")
			x.shoot(fmt.Sprintf("card-%s-%d", lang, size[0]))
		}
	}
	// Text twice as large, set in the browser.
	x.phone(320, 568, false)
	x.run(chromedp.Evaluate(`document.documentElement.style.fontSize = '200%'`, nil))
	for _, wrong := range eval[[]string](x, layout) {
		t.Errorf("large text: %s", wrong)
	}
	x.shoot("large-text")
	x.run(chromedp.Evaluate(`document.documentElement.style.fontSize = ''`, nil))

	// Two fingers: the exit follows the visible part.
	x.phone(390, 844, false)
	x.run(chromedp.Navigate(x.url))
	x.press("read")
	x.run(emulation.SetPageScaleFactor(3))
	x.until(`visualViewport.scale > 2 && !document.getElementById('float').hidden`)
	if !eval[bool](x, `(function () {
		var v = visualViewport, r = document.getElementById('float').getBoundingClientRect(), x = r.left - v.offsetLeft, y = r.top - v.offsetTop;
		return x >= 0 && y >= 0 && x + r.width <= v.width + 1 && y + r.height <= v.height && r.height * v.scale >= 48;
	})()`) {
		t.Error("zoomed in, the exit is not in the visible part (S22)")
	}
	x.shoot("pinched")
}

func TestBrowser_keyboardOnly(t *testing.T) {
	x := newStage(t)
	x.run(chromedp.Navigate(x.url), chromedp.KeyEvent(kb.Tab))
	if got := eval[string](x, `document.activeElement.getAttribute('href')`); got != "/ut" {
		t.Errorf("the first thing to reach is %q, want the exit link (S22)", got)
	}
	if !eval[bool](x, `document.activeElement.getBoundingClientRect().left >= 0`) {
		t.Error("the exit link is not seen when it has the focus")
	}
	var order []string
	for range 30 {
		x.run(chromedp.KeyEvent(kb.Tab))
		order = append(order, eval[string](x, `document.activeElement.name + '=' + document.activeElement.value`))
		if eval[bool](x, `(function () {
			var r = document.activeElement.getBoundingClientRect(), bar = document.getElementById('top').getBoundingClientRect();
			return !document.getElementById('top').contains(document.activeElement) && document.activeElement !== document.body && r.top < bar.bottom - 1 && r.bottom > 0;
		})()`) {
			t.Errorf("the bar covers what has the focus: %s", order[len(order)-1])
		}
	}
	all := strings.Join(order, " ")
	for _, want := range []string{"h=h.nb", "e=read", "e=tell", "e=privacy", "lang=ar", "w="} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not reached by keyboard: %s", want, all)
		}
	}
	x.run(chromedp.Focus(`button[value=read]`, chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	x.until(`document.querySelectorAll('.turn').length > 1`)
	x.run(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](x, `document.activeElement.value`); got != "heard" {
		t.Errorf("after an answer the next stop is %q, want its first choice", got)
	}
}

func TestBrowser_readsAloudOnlyWithALocalVoice(t *testing.T) {
	x := newStage(t)
	for _, c := range []struct {
		name, voices string
		seen         bool
	}{
		{"no voice", `[]`, false},
		{"a voice of another language", `[{lang: 'en-GB', localService: true}]`, false},
		{"a voice that sends the text away", `[{lang: 'nb-NO', localService: false}]`, false},
		{"a voice in the phone", `[{lang: 'nb-NO', localService: true}]`, true},
	} {
		var id page.ScriptIdentifier
		x.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
			id, err = page.AddScriptToEvaluateOnNewDocument(`
				window.heard = [];
				Object.defineProperty(window, 'speechSynthesis', {value: {getVoices: function () { return ` + c.voices + `; }, speak: function (u) { heard.push(u.text); }, cancel: function () {}, addEventListener: function () {}}});
				window.SpeechSynthesisUtterance = function (t) { this.text = t; };`).Do(ctx)
			return err
		}))
		x.run(chromedp.Navigate(x.url))
		if got := eval[bool](x, `!document.getElementById('listen').hidden`); got != c.seen {
			t.Errorf("%s: button seen %v", c.name, got)
		}
		if eval[int](x, `heard.length`) != 0 {
			t.Errorf("%s: spoke by itself (S69)", c.name)
		}
		if c.seen {
			x.click("#listen")
			if got := eval[string](x, `heard[0]`); !strings.Contains(got, "rettighetene") {
				t.Errorf("%s: read %q", c.name, got)
			}
			x.press("read")
			if eval[bool](x, `document.getElementById('listen').hidden`) {
				t.Errorf("%s: gone after a press", c.name)
			}
		}
		x.run(page.RemoveScriptToEvaluateOnNewDocument(id))
	}
}

func TestBrowser_axeFindsNothing(t *testing.T) {
	x := newStage(t)
	name := os.Getenv("TRYGG_AXE") // axe.min.js, or the folder that npm installed into
	if !strings.HasSuffix(name, ".js") {
		name = filepath.Join(name, "node_modules/axe-core/axe.min.js")
	}
	axe, err := os.ReadFile(name)
	if err != nil {
		if os.Getenv("TRYGG_TEST_ALL") == "1" {
			t.Fatalf("no axe-core under TRYGG_AXE: %v", err)
		}
		t.Skipf("no axe-core under TRYGG_AXE: %v", err)
	}
	check := func(where string) {
		t.Helper()
		var out string
		x.run(chromedp.Evaluate(string(axe)+`;0`, nil), chromedp.Evaluate(`axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(function (r) {
			return JSON.stringify(r.violations.map(function (v) { return v.id + ': ' + v.help + ' ' + v.nodes.map(function (n) { return n.html + ' ' + n.failureSummary; }).join(' | '); }));
		})`, &out, awaited))
		var found []string
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("%s: %s", where, f)
		}
	}
	for _, lang := range []string{"nb", "ar"} {
		for _, dark := range []bool{false, true} {
			where := fmt.Sprintf("%s dark=%v ", lang, dark)
			x.run(network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": lang}))
			x.phone(390, 844, dark)
			x.run(chromedp.Navigate(x.url))
			check(where + "start")
			x.press("read")
			check(where + "answer")
			x.shoot(fmt.Sprintf("answer-%s-%v", lang, dark))
			x.click(".help")
			x.until(`document.querySelector('.turn:last-child a[href="tel:112"]') !== null`)
			check(where + "card")
			x.press("show")
			x.click("#tools summary")
			check(where + "more")
			x.press("home")
			x.press("place")
			check(where + "place")
			x.shoot(fmt.Sprintf("place-%s-%v", lang, dark))
			x.down.Store(true)
			x.click(`#now button[value="skip"]`)
			x.until(`document.querySelector('.turn:last-child .toast') !== null`)
			x.down.Store(false)
			check(where + "unreachable")
			for _, path := range []string{"hjelp", "om/" + lang, "nothing"} {
				x.run(chromedp.Navigate(x.url + path))
				check(where + path)
				x.shoot(fmt.Sprintf("%s-%s-%v", strings.ReplaceAll(path, "/", "-"), lang, dark))
			}
		}
	}
}

// The script and the policy get along: a press through the whole page with the
// browser's own complaints collected.
func TestBrowser_policyIsNeverBroken(t *testing.T) {
	x := newStage(t)
	x.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`window.broken = []; addEventListener('securitypolicyviolation', function (e) { broken.push(e.violatedDirective + ' ' + e.blockedURI); });`).Do(ctx)
		return err
	}))
	x.fake.answer = func(_ bot.Update, r *bot.Reply) bool {
		r.System = append(r.System, bot.Button{Event: flows.Show, Label: "x"})
		return true
	}
	x.run(chromedp.Navigate(x.url))
	x.press("read")
	x.click(".help")
	x.until(`document.querySelector('.turn:last-child a[href="tel:112"]') !== null`)
	if got := eval[[]string](x, `broken`); len(got) != 0 {
		t.Errorf("the policy was broken: %v", got)
	}
	if got := eval[string](x, `document.title + document.referrer`); got != "Info" {
		t.Errorf("title and referrer: %q", got)
	}
}
