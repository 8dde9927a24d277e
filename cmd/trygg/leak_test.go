package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// F80: what a child types, and whatever else comes in from outside, is found
// nowhere afterwards: not in logs, metrics, the store, answers or health pages.
func TestLeakCheck_F80_F82(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			r := start(t, b.set)
			var planted []string
			plant := func() string {
				c := fmt.Sprintf("kanari%04dfugl", len(planted))
				planted = append(planted, c)
				return c
			}
			var pages strings.Builder
			p := visit(t, r)
			keep := func() {
				pages.WriteString(p.page)
			}
			walk := []string{"next", "b10", "skip", "rights", "home", "violence", "physical", "tell", "home", "privacy", "back", "language", "back"}
			for i := 0; len(planted) < 500; i++ {
				p.open()
				for _, e := range walk[:1+i%len(walk)] {
					if i%3 == 0 {
						p.types(plant())
						keep()
						if p.card() {
							p.press("show")
						}
					}
					if offers(p, e) {
						p.press(e)
					}
				}
				p.types("pappa slår meg " + plant())
				keep()
				v := p.fields()
				for _, f := range []string{"e", "n", "t", "l", "h", "w", "lang", "p", "x" + plant()} {
					w := url.Values{}
					for k, x := range v {
						w[k] = x
					}
					w.Set(f, plant())
					p.post("/", w)
					keep()
				}
				p.post("/"+plant(), url.Values{plant(): {plant()}})
				keep()
				req, _ := http.NewRequest(http.MethodGet, p.base+"/p/"+plant()+"?q="+plant(), nil)
				for _, h := range []string{"User-Agent", "Referer", "Cookie", "X-Forwarded-For", "X-Request-Id"} {
					req.Header.Set(h, plant())
				}
				p.do(req)
				keep()
				// The same on the pages for professionals, and at the desk in the chat.
				p.post("/fag/finn", url.Values{"q": {"barnet har blåmerker " + plant()}, "k": {plant()}, "s": {plant()}, "r": {plant()}})
				keep()
				p.post("/fag/frister", url.Values{"e": {plant()}, "d": {plant()}})
				keep()
				for _, path := range []string{"/fag/rutine/" + plant(), "/fag/?k=" + plant() + "&r=" + plant(), "/fag/tre?q=" + plant(), "/fag/ord?q=" + plant(), "/fag/" + plant()} {
					req, _ := http.NewRequest(http.MethodGet, p.base+path, nil)
					p.do(req)
					keep()
				}
				p.open().press("work").types("barnet har blåmerker " + plant())
				keep()
				p.post("/", url.Values{"w": {plant() + "\xff\xfe" + strings.Repeat("\u0301", 2000)}})
				keep()
			}
			_, metrics := get(t, r.adminAddr+"/metrics")
			_, health := get(t, r.adminAddr+"/healthz")
			places := map[string]string{"output": r.out.String(), "log": r.logs.String(), "metrics": metrics, "health": health, "pages": pages.String()}
			if b.redis != nil {
				places["redis"] = string(b.redis.Dump())
			}
			r.stop()
			if b.redis == nil {
				raw, err := os.ReadFile(filepath.Join(r.cfg.DataDir, "trygg.db"))
				if err != nil {
					t.Fatal(err)
				}
				places["file"] = string(raw)
			}
			for place, text := range places {
				if text == "" && place != "output" {
					t.Errorf("%s is empty, so nothing is shown", place)
				}
				for _, c := range planted {
					if strings.Contains(text, c) {
						i := strings.Index(text, c)
						t.Errorf("%s was found in the %s: …%s…", c, place, text[max(0, i-60):min(len(text), i+40)])
					}
				}
			}
			// A raw dump tells neither where a child was nor who it was (F82).
			for _, place := range []string{"redis", "file"} {
				for _, word := range []string{"violence", "physical", "rights/", "\"f\":", "10-12"} {
					if strings.Contains(places[place], word) {
						t.Errorf("%q can be read in the %s", word, place)
					}
				}
			}
			t.Logf("%d words planted", len(planted))
		})
	}
}

func offers(p *person, event string) bool {
	for _, o := range p.offers() {
		if o == "e="+event {
			return true
		}
	}
	return false
}
