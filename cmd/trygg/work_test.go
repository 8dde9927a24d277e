package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"trygg/bot/telegram/faketelegram"
)

// A professional asks in the chat of a browser, reads the routine, finds whom to
// call in Oslo, and is a child's chat away from nothing: help stands there too.
func TestAProfessionalAsksInTheChat(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			p := visit(t, start(t, b.set))
			p.press("work").sees("Her finner du voldsrutinen").sees("/fag/")
			p.types("en elev i tredje klasse sier at pappa slår henne").sees("Dette passer best")
			p.label("Barnet forteller om vold hjemme").sees("Stopp først").sees("Gjør nå")
			p.label("Hvem ringer jeg?").sees("Barnevern").sees("02800")
			p.press("back").sees("Gjør nå").press("place").types("oslo").sees("Gjør nå")
			p.help().wantCard().press("show").sees("Gjør nå")
			// A child who came here by mistake is led to its own card.
			p.types("stefaren min slår meg").sees("Handler det om deg selv?")
			p.types("hjelp").wantCard().press("show")
			p.press("home").sees("Her finner du voldsrutinen").press("restart").sees("Jeg er en robot")
		})
	}
}

// The same on Telegram, with a name in the question: it is dropped, the question
// is answered all the same, and nothing of it stays.
func TestAProfessionalAsksOnTelegram(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			fake := faketelegram.New(faketelegram.Options{})
			defer fake.Close()
			set := map[string]string{"TRYGG_TELEGRAM_TOKEN": faketelegram.Token, "TRYGG_TELEGRAM_API": httpServer(t, fake)}
			for k, v := range b.set {
				set[k] = v
			}
			r := start(t, set)
			p := fake.Person(faketelegram.Profile{Name: "Mona", Language: "nn"})
			sees := func(text string) {
				t.Helper()
				for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
					m, _ := p.Screen()
					if strings.Contains(m.Text, text) {
						return
					}
					if time.Now().After(deadline) {
						t.Fatalf("want %q, got %q", text, m.Text)
					}
				}
			}
			press := func(label string) {
				t.Helper()
				if _, err := p.Press(label); err != nil {
					t.Fatal(err)
				}
			}
			p.Say("/start")
			sees("Eg er ein robot")
			press("Eg jobbar med barn")
			sees("Her finn du valdsrutinen")
			p.Say("Kanariella Fuglesangen har blåmerke på ryggen")
			sees("Dette passar best")
			press("Synleg skade på barnet")
			sees("Gjer no")
			press("Vel rolle")
			sees("Vel rolla di")
			press("Skule")
			sees("Gjer no")
			press("For mi rolle")
			sees("Linje")
			p.Say("skrivaren verkar ikkje")
			sees("Eg fann ingen rutine")
			press("Finn rutinen steg for steg")
			sees("Er barnet i fare")
			press("I fare no")
			sees("112")
			press("Hjelp no")
			sees("116 111")
			_, metrics := get(t, r.adminAddr+"/metrics")
			places := map[string]string{"log": r.logs.String(), "output": r.out.String(), "metrics": metrics}
			if b.redis != nil {
				places["redis"] = string(b.redis.Dump())
			}
			for place, text := range places {
				for _, word := range []string{"Kanariella", "Fuglesang", "told-violence", "role-skole"} {
					if strings.Contains(text, word) {
						t.Errorf("%q was found in the %s", word, place)
					}
				}
			}
		})
	}
}

// The pages stand beside the chat, on the same address, and keep nothing.
func TestThePagesForProfessionals(t *testing.T) {
	r := start(t, nil)
	base := "http://" + r.webAddr
	status, page := get(t, r.webAddr+"/fag/")
	if status != http.StatusOK || !strings.Contains(page, "112") {
		t.Fatalf("%d: %.300s", status, page)
	}
	if status, page := get(t, r.webAddr+"/fag/rutine/sit-injury?s=nb"); status != http.StatusOK || !strings.Contains(page, "Synlig skade") {
		t.Errorf("%d: %.300s", status, page)
	}
	res, err := http.PostForm(base+"/fag/finn?s=nb", url.Values{"q": {"eleven har blåmerker på armen"}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(b), "sit-injury") {
		t.Errorf("%d %v: the routine is not among the answers: %.500s", res.StatusCode, err, b)
	}
	if c := res.Header.Get("Cache-Control"); !strings.Contains(c, "no-store") {
		t.Errorf("an answer may be kept: %q", c)
	}
	if len(res.Cookies()) > 0 {
		t.Error("a cookie is set")
	}
	_, metrics := get(t, r.adminAddr+"/metrics")
	if !strings.Contains(metrics, `trygg_pages_total{event="asked"`) {
		t.Error("the question is not counted by its topic")
	}
}
