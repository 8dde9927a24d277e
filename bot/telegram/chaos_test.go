package telegram_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"trygg/store/storetest"
)

// TestHelpChaos: help answers with the store stopped, hung, full and read-only,
// by button, word and command, in both modes; when the store is back the child
// goes on.
func TestHelpChaos(t *testing.T) {
	parts()
	for _, mode := range modes {
		for _, trouble := range []struct {
			name       string
			make, mend func(*storetest.Server)
		}{
			{"stopped", (*storetest.Server).Stop, (*storetest.Server).Start},
			{"hung", (*storetest.Server).Pause, (*storetest.Server).Resume},
			{"full", (*storetest.Server).Fill, func(s *storetest.Server) { s.SetMaxMemory(0) }},
			{"read-only", func(s *storetest.Server) { s.ReadOnly(true) }, func(s *storetest.Server) { s.ReadOnly(false) }},
		} {
			t.Run(mode+" "+trouble.name, func(t *testing.T) {
				onRealRedis(t, mode, setup{}, func(t *testing.T, w *world) {
					p := w.person()
					w.say(p, "/start")
					w.pressEvent(p, "next")
					trouble.make(w.redis)
					for i, ask := range []func() int{
						func() int { w.press(p, "Hjelp nå"); return 0 },
						func() int { return w.say(p, "hjelp") },
						func() int { return w.say(p, "/hjelp") },
						func() int { return w.say(p, "pappa slår meg") },
						func() int { q := w.person(); w.say(q, "sos"); w.shows(q, "112"); return 0 },
					} {
						before := screenOf(p).ID
						id := ask()
						w.within(5*time.Second, func() bool { s := screenOf(p); return id == 0 || s.ID > before })
						w.shows(p, "112")
						if s := screenOf(p); id != 0 && s.ID < id {
							t.Errorf("ask %d: no new card below the words", i)
						}
					}
					// Reading goes on, too (S3).
					w.pressEvent(p, "show")
					w.within(5*time.Second, func() bool { return !strings.Contains(screenOf(p).Text, "112") })
					w.helps(screenOf(p))
					trouble.mend(w.redis)
					time.Sleep(3 * time.Second) // the breaker looks again; the chat's second passes
					last := w.say(p, "/start")
					w.within(5*time.Second, func() bool { return screenOf(p).ID > last })
					w.shows(p, "hello.one")
					w.pressEvent(p, "next")
					w.within(5*time.Second, func() bool { return strings.Contains(screenOf(p).Text, "menu.main") })
					w.shows(p, "menu.main")
					if s := w.log.String(); strings.Contains(s, "slår") || strings.Contains(s, fmt.Sprint(p.ID())) {
						t.Error("words or ids in the log")
					}
				})
			})
		}
	}
}
