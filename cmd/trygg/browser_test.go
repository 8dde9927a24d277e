package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"trygg/store/storetest"
)

// browse opens a tab of a real browser at the program's first view; without
// Chromium it skips, or fails where everything has to run.
func browse(t *testing.T, r *running, script bool) (context.Context, func(...chromedp.Action)) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("TRYGG_TEST_ALL") == "1" {
			t.Fatal("no chromium")
		}
		t.Skip("no chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("accept-lang", "nb"), chromedp.WindowSize(390, 844))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 40*time.Second)
	t.Cleanup(stop)
	run := func(actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(ctx, actions...); err != nil {
			var said string
			chromedp.Run(ctx, chromedp.Evaluate(`document.body.innerText`, &said))
			t.Fatalf("%v\n%s", err, said)
		}
	}
	run(emulation.SetScriptExecutionDisabled(!script), chromedp.Navigate("http://"+r.webAddr+"/"))
	return ctx, run
}

// press presses a button by what it does, and waits for what comes of it.
func pressing(event, wait string) chromedp.Tasks {
	return chromedp.Tasks{
		chromedp.Click(`//button[@value="`+event+`"]`, chromedp.BySearch),
		chromedp.WaitVisible(`//*[contains(normalize-space(.), "`+wait+`") and contains(@class, "bubble")]`, chromedp.BySearch),
	}
}

// A whole conversation in a real browser, with and without JavaScript: through
// the start to a topic, the help card and back, and leaving; nothing of it is
// left in the store or behind the Back button (F102).
func TestBrowser_F102_aWholeConversation(t *testing.T) {
	for name, script := range map[string]bool{"with a script": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			s := storetest.Redis(t)
			r := start(t, map[string]string{"TRYGG_REDIS_URL": s.URL()})
			ctx, run := browse(t, r, script)
			run(pressing("next", "Hvor gammel er du"), pressing("b10", "Hvor bor du"),
				chromedp.SendKeys(`#w`, "tromsø\n"), chromedp.WaitVisible(`//button[contains(., "Til menyen")]`, chromedp.BySearch),
				pressing("next", "Hva vil du lese om"), pressing("violence", "Vold er"), pressing("physical", "Fysisk vold er"))
			if len(childKeys(s)) == 0 {
				t.Fatal("nothing was stored, so nothing is shown")
			}
			run(chromedp.Click(`header button.help`), chromedp.WaitVisible(`#log a[href="tel:112"]`, chromedp.ByQuery), chromedp.WaitVisible(`#log a[href="tel:116111"]`, chromedp.ByQuery),
				pressing("show", "Fysisk vold er"))
			if deadline := time.Now().Add(10 * time.Second); true {
				chromedp.Run(ctx, chromedp.Click(`header button.exit`))
				for len(childKeys(s)) > 0 && time.Now().Before(deadline) {
					time.Sleep(20 * time.Millisecond)
				}
			}
			if left := childKeys(s); len(left) > 0 {
				t.Errorf("left in the store: %v", left)
			}
			// The neutral page is not reachable from here; what Back shows is.
			var said string
			chromedp.Run(ctx, chromedp.Navigate("about:blank"), chromedp.NavigateBack(), chromedp.Sleep(300*time.Millisecond), chromedp.Evaluate(`document.body.innerText`, &said))
			if strings.Contains(said, "Fysisk vold") || strings.Contains(said, "Tromsø") {
				t.Errorf("after leaving: %s", said)
			}
		})
	}
}
