package routines_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"trygg/bot/routines"
	"trygg/flows/routine"
)

// stage is the pages in a real browser.
type stage struct {
	*tester
	ctx context.Context // one tab
	url string          // without the slash at its end
}

// newStage opens a tab of its own, or skips where there is no Chromium. Where
// everything has to run (TRYGG_TEST_ALL=1) its absence is a failure.
func newStage(t *testing.T, change ...func(*routines.Options)) *stage {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("TRYGG_TEST_ALL") == "1" {
			t.Fatalf("no chromium: %v", err)
		}
		t.Skipf("no chromium: %v", err)
	}
	x := &stage{tester: newTester(t, change...)}
	server := httptest.NewServer(x.site)
	t.Cleanup(server.Close)
	x.url = server.URL
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("accept-lang", "nb"))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 5*time.Minute)
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
		x.Fatal(err)
	}
}

func (x *stage) open(path string) {
	x.Helper()
	x.run(chromedp.Navigate(x.url + path))
}

// eval gives what an expression is in the page.
func eval[T any](x *stage, expression string) (v T) {
	x.Helper()
	x.run(chromedp.Evaluate(expression, &v, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
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
			x.Fatalf("never true: %s", expression)
		case <-again.C:
		}
	}
}

// back presses Back. The browser may take the page from memory, which is no
// navigation that could be waited for.
func (x *stage) back() {
	x.Helper()
	x.run(chromedp.Evaluate(`history.back()`, nil))
}

// screen is what the pages are read on.
type screen struct {
	name          string
	width, height int64
	phone, dark   bool
}

var screens = []screen{
	{"phone", 360, 740, true, false}, {"phone-dark", 360, 740, true, true},
	{"desktop", 1280, 800, false, false}, {"desktop-dark", 1280, 800, false, true},
}

func (x *stage) on(s screen) {
	x.Helper()
	scheme := "light"
	if s.dark {
		scheme = "dark"
	}
	x.run(emulation.SetDeviceMetricsOverride(s.width, s.height, 1, s.phone),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// shoot saves a picture of the whole page where TRYGG_SHOTS names a folder.
func (x *stage) shoot(name string) {
	x.Helper()
	dir := os.Getenv("TRYGG_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	x.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).Do(ctx)
		return err
	}))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		x.Fatal(err)
	}
}

// pdf prints the page as a browser does, on A4.
func (x *stage) pdf() (out []byte) {
	x.Helper()
	x.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		out, _, err = page.PrintToPDF().WithPreferCSSPageSize(true).Do(ctx)
		return err
	}))
	return out
}

var everyPage = map[string]string{
	"start": "", "start-role": "?k=5501&r=skole", "tree": "tre", "tree-2": "tre?q=no.a-6-11", "end": "tre?q=no.a-18", "routine": "rutine/sit-injury?k=5501&r=skole",
	"routine-en": "rutine/sit-told-violence-home?s=en&f=interpreter.siblings&q=no.a-6-11", "view-call": "rutine/sit-injury?v=call&k=0301-03", "view-write": "rutine/sit-injury?v=write",
	"view-child": "rutine/sit-injury?v=child&s=nn", "view-law": "rutine/sit-injury?v=law", "deadlines": "frister", "law": "lov", "terms": "ord", "who": "hvem?k=0301-03",
	"who-nowhere": "hvem", "meeting": "mote", "blocks": "tekst", "own": "egne?k=5501", "missing": "nothing",
}

// forms are the pages that answer a form, by the field that is filled in.
var forms = []struct{ name, path, field, text string }{
	{"found", "", "#q", "jente i 2. klasse sier at pappa slår henne"},
	{"unsure", "", "#q", "barnet vil ikke hjem"},
	{"danger", "", "#q", "han slår henne nå, hun blør, Ola Nordmann"},
	{"self", "", "#q", "pappa slår meg"},
	{"nothing", "", "#q", "hvor kjøper jeg sykkel"},
	{"word", "", "#q", "bup"},
	{"resource", "", "#q", "nummeret til barnehuset"},
	{"law-found", "", "#q", "hva er avvergeplikten"},
	{"looked-up", "ord", "#o", "melding"},
	{"place", "", "#navn", "langtvekkistan"},
}

func (x *stage) fill(path, field, text string) {
	x.Helper()
	x.open(routines.Prefix + path)
	x.run(chromedp.SendKeys(field, text, chromedp.ByQuery), chromedp.Evaluate(`window.old = 1; document.querySelector('`+field+`').form.requestSubmit()`, nil))
	x.until(`window.old === undefined && document.readyState === 'complete'`)
}

func TestBrowser_axeFindsNothingOnAnyPage(t *testing.T) {
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
	x := newStage(t)
	check := func(where string) {
		t.Helper()
		// What is closed is looked at too.
		x.run(chromedp.Evaluate(`document.querySelectorAll('details').forEach(function (d) { d.open = true; })`, nil))
		x.run(chromedp.Evaluate(string(axe)+`;0`, nil))
		out := eval[string](x, `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(function (r) {
			return JSON.stringify(r.violations.map(function (v) { return v.id + ': ' + v.help + ' ' + v.nodes.slice(0, 3).map(function (n) { return n.html + ' ' + n.failureSummary; }).join(' | '); }));
		})`)
		var found []string
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("%s: %s", where, f)
		}
		if wide := eval[int](x, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
			t.Errorf("%s: %d px wider than the screen", where, wide)
		}
	}
	for _, s := range screens {
		if s.dark && !s.phone && os.Getenv("TRYGG_SHOTS") == "" {
			continue // the colours of one and the layout of the other were looked at
		}
		x.on(s)
		for name, path := range everyPage {
			x.open(routines.Prefix + path)
			x.shoot(name + "-" + s.name)
			check(s.name + " " + name)
		}
		for _, f := range forms {
			x.fill(f.path, f.field, f.text)
			x.shoot(f.name + "-" + s.name)
			check(s.name + " " + f.name)
		}
		x.open(routines.Prefix + "frister")
		x.run(chromedp.Evaluate(`window.old = 1; document.getElementById('h').value = 'report'; document.getElementById('d').value = '2026-12-18'; document.querySelector('form.count').requestSubmit()`, nil))
		x.until(`window.old === undefined && document.getElementById('dues') !== null`)
		x.shoot("counted-" + s.name)
		check(s.name + " counted")
	}
}

// The service promises the right routine in under a minute: a question, the
// answer, the routine, and back, on a phone and on a desk, without a trace.
func TestBrowser_findReadAndGoBack(t *testing.T) {
	x := newStage(t)
	for _, s := range screens[:3] {
		x.on(s)
		x.fill("?r=skole", "#q", "en elev i femte har fortalt at stefaren slår")
		if got := eval[string](x, `location.href`); got != x.url+routines.Prefix+"?r=skole" {
			t.Errorf("%s: the answer's address is %s", s.name, got)
		}
		if eval[bool](x, `document.documentElement.outerHTML.indexOf('stefaren slår') >= 0 || document.getElementById('q').value !== ''`) {
			t.Errorf("%s: the question stands in the page (D10)", s.name)
		}
		x.run(chromedp.Click(`.card a`, chromedp.ByQuery))
		x.until(`document.querySelector('.stop') !== null && document.querySelector('.now') !== null`)
		// What must be read first is on the first screen.
		if top := eval[float64](x, `document.querySelector('.stop').getBoundingClientRect().top`); top > float64(s.height)/2 {
			t.Errorf("%s: the stop rule begins at %v", s.name, top)
		}
		if small := eval[string](x, `Array.prototype.filter.call(document.querySelectorAll('button, .tel, .chips a, .tabs a, .answers a, .card a, .tick input, .sos, select'), function (e) {
			var r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 43.5 || r.width < 43.5); }).map(function (e) { return e.outerHTML; }).join()`); small != "" {
			t.Errorf("%s: too small for a finger: %s", s.name, small)
		}
		x.back()
		// The browser may hold the answer in memory, or go to the start: never to
		// the question, and never asking to send it again.
		x.until(`document.querySelector('.stop') === null && document.querySelector('.ask') !== null && document.querySelector('.card') !== null`)
		if eval[bool](x, `document.documentElement.outerHTML.indexOf('stefaren slår') >= 0 || document.getElementById('q').value !== ''`) {
			t.Errorf("%s: Back shows the question", s.name)
		}
	}
	if kept := eval[int](x, `(async function () {
		var dbs = indexedDB.databases ? await indexedDB.databases() : [];
		var workers = navigator.serviceWorker ? await navigator.serviceWorker.getRegistrations() : [];
		return localStorage.length + sessionStorage.length + dbs.length + workers.length + document.cookie.length;
	})()`); kept != 0 {
		t.Errorf("%d things are kept in the browser", kept)
	}
}

func TestBrowser_copyAndShare(t *testing.T) {
	x := newStage(t)
	x.on(screens[0])
	// The clipboard and the share sheet of a machine are not for a test: what
	// they are given is.
	x.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`window.got = [];
			Object.defineProperty(navigator, 'clipboard', {value: {writeText: function (t) { got.push(t); return Promise.resolve(); }}});
			Object.defineProperty(navigator, 'share', {value: location.hash === '#desk' ? undefined : function (s) { got.push(s.url); return Promise.resolve(); }});`).Do(ctx)
		return err
	}))
	x.open(routines.Prefix + "tekst?k=5501")
	x.run(chromedp.Click(`[data-copy="blk-agree"]`, chromedp.ByQuery))
	x.until(`got.length === 1 && document.querySelector('[data-copy="blk-agree"]').textContent === 'Kopiert' && document.getElementById('status').textContent === 'Kopiert'`)
	if got := eval[string](x, `got[0]`); !strings.Contains(got, "1. Si tidlig") || !strings.Contains(got, "\n") || strings.Contains(got, "kvalitetssikres") {
		t.Errorf("copied %q", got)
	}
	for _, where := range []string{"", "#desk"} {
		x.open("/")
		x.open(routines.Prefix + "rutine/sit-injury?k=5501&r=skole&f=siblings&q=no.a-6-11" + where)
		x.run(chromedp.Click(`[data-share]`, chromedp.ByQuery))
		x.until(`got.length === 1`)
		if got := eval[string](x, `got[0]`); got != x.url+routines.Prefix+"rutine/sit-injury?k=5501" {
			t.Errorf("shared %q: nothing but the routine and the municipality is for others", got)
		}
	}
}

func TestBrowser_ticksLiveOnTheScreenOnly(t *testing.T) {
	x := newStage(t)
	ticked := `document.querySelectorAll('.tick input:checked').length`
	x.open(routines.Prefix + "rutine/sit-injury")
	x.run(chromedp.Click(`.tick`, chromedp.ByQuery))
	if eval[int](x, ticked) != 1 {
		t.Fatal("a tick is not there")
	}
	x.run(chromedp.Reload())
	x.until(`document.readyState === 'complete' && ` + ticked + ` === 0`)
	x.run(chromedp.Click(`.tick`, chromedp.ByQuery))
	x.open(routines.Prefix + "lov")
	x.back()
	x.until(`document.querySelector('.tick') !== null && ` + ticked + ` === 0`)
}

func TestBrowser_everythingWithoutJavaScript(t *testing.T) {
	x := newStage(t)
	x.on(screens[0])
	x.run(emulation.SetScriptExecutionDisabled(true))
	x.open(routines.Prefix)
	x.run(chromedp.SendKeys("#q", "blåmerker på ryggen", chromedp.ByQuery), chromedp.Click(".ask button", chromedp.ByQuery),
		chromedp.WaitVisible(`a[href="/fag/rutine/sit-injury"]`, chromedp.ByQuery), chromedp.Click(`a[href="/fag/rutine/sit-injury"]`, chromedp.ByQuery),
		chromedp.WaitVisible(".steps", chromedp.ByQuery), chromedp.WaitNotVisible("[data-print]", chromedp.ByQuery),
		chromedp.Click(`.tabs a:nth-child(2)`, chromedp.ByQuery), chromedp.WaitVisible(`.calls .tel`, chromedp.ByQuery))
	x.shoot("without-script")
}

// The script and the policy get along on every page.
func TestBrowser_policyIsNeverBroken(t *testing.T) {
	x := newStage(t)
	x.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`window.broken = []; addEventListener('securitypolicyviolation', function (e) { broken.push(e.violatedDirective + ' ' + e.blockedURI); });`).Do(ctx)
		return err
	}))
	for name, path := range everyPage {
		x.open(routines.Prefix + path)
		if got := eval[[]string](x, `broken`); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, f := range forms[:2] {
		x.fill(f.path, f.field, f.text)
		if got := eval[[]string](x, `broken`); len(got) != 0 {
			t.Errorf("%s: %v", f.name, got)
		}
	}
}

var pdfPage = regexp.MustCompile(`/Type\s*/Page\b[^s]`)

// Each routine prints on one or two pages of A4 that hold the stop rule, all
// steps and the numbers.
func TestBrowser_everyRoutinePrints(t *testing.T) {
	x := newStage(t)
	check := func(id, more string) {
		t.Helper()
		x.open(routines.Prefix + "rutine/" + id + "?k=5501" + more)
		pdf := x.pdf()
		if n := len(pdfPage.FindAll(pdf, -1)); n < 1 || n > 2 {
			t.Errorf("%s%s: %d pages", id, more, n)
		}
		if dir := os.Getenv("TRYGG_SHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, id+more+".pdf"), pdf, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := x.content.Catalogue.Routines()
	for _, r := range all {
		check(r.ID, "")
	}
	long := slices.Clone(all)
	slices.SortFunc(long, func(a, b *routine.Routine) int {
		return len(x.get(routines.Prefix+"rutine/"+b.ID).Body.String()) - len(x.get(routines.Prefix+"rutine/"+a.ID).Body.String())
	})
	for _, r := range long[:5] { // the longest, with all that can be added
		for _, more := range []string{"&s=nb", "&s=nn", "&s=en"} {
			check(r.ID, more+"&r=skole&f=secret.interpreter.honour.siblings")
		}
	}
	x.run(emulation.SetEmulatedMedia().WithMedia("print"))
	for _, r := range all {
		x.open(routines.Prefix + "rutine/" + r.ID)
		v, _ := x.content.Catalogue.View(r.ID, routine.Context{})
		paper := strings.Join(strings.Fields(eval[string](x, `document.body.innerText`)), " ")
		var want []string
		for _, l := range v.Stop {
			want = append(want, l.Text)
		}
		for _, s := range slices.Concat(v.Now, v.Steps) {
			want = append(want, s.Text.Text)
		}
		for _, k := range v.Calls {
			want = append(want, k.Number)
		}
		for _, w := range append(want, "/fag/rutine/"+r.ID) {
			if !strings.Contains(paper, strings.Join(strings.Fields(w), " ")) {
				t.Errorf("%s on paper lacks %q", r.ID, w)
			}
		}
		if strings.Contains(paper, "Finn rutinen") {
			t.Errorf("%s: the menu is printed", r.ID)
		}
	}
}
