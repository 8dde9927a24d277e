package main

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trygg/store/storetest"
)

// How soon the program is there, and how soon it keeps places again after the
// store was away. Times are told, not judged; that it recovers is.
func TestRecovery(t *testing.T) {
	s := storetest.Redis(t)
	begun := time.Now()
	r := start(t, map[string]string{"TRYGG_REDIS_URL": s.URL()})
	p := visit(t, r)
	p.help().wantCard()
	t.Logf("from start to the first card: %s", time.Since(begun))
	p.press("show").press("next").press("b10").press("skip")
	s.Stop()
	p.press("rights").toMenu()
	s.Start()
	begun = time.Now()
	for {
		p.press("rights").toMenu()
		if !strings.Contains(p.fields().Get("n"), "~") {
			break // a stored screen has no bearing
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatal("places are not kept again")
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("from the store's return to the first kept place: %s", time.Since(begun))
}

// TestSteadyLoad presses at a steady pace, 200 a second, for TRYGG_LOAD
// (5s), and tells how long presses took. None may fail.
func TestSteadyLoad(t *testing.T) {
	seconds := 5
	if d, err := time.ParseDuration(os.Getenv("TRYGG_LOAD")); err == nil {
		seconds = int(d.Seconds())
	}
	const rate, people = 200, 100
	r, _ := onRedis(t)
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	begin := time.Now().Add(time.Second)
	for i := range people {
		all.Go(func() {
			p := visit(t, r).press("next").press("b10").press("skip")
			every := time.Second * people / rate
			for n := range seconds * rate / people {
				at := begin.Add(time.Duration(n)*every + every*time.Duration(i)/people)
				time.Sleep(time.Until(at))
				begun := time.Now()
				if n%2 == 0 {
					p.press("rights")
				} else {
					p.toMenu()
				}
				mu.Lock()
				took = append(took, time.Since(begun))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	if len(took) != seconds*rate {
		t.Errorf("%d presses, want %d", len(took), seconds*rate)
	}
	t.Logf("%d presses, p50 %s, p95 %s, p99 %s", len(took), took[len(took)/2], took[len(took)*95/100], took[len(took)*99/100])
}
