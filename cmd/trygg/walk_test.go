package main

import (
	"strings"
	"testing"
)

// A whole conversation as a browser without a script has it.
func TestAWholeConversation(t *testing.T) {
	for _, backend := range backends(t) {
		t.Run(backend.name, func(t *testing.T) {
			p := visit(t, start(t, backend.set))
			p.sees("Jeg er en robot").press("next").press("b10").types("tromsø").sees("Nå bruker jeg numre")
			p.press("next").sees("Hva vil du lese om?").press("rights").press(p.first())
			p.help().wantCard().press("show")
			p.press("back").press("home").press("violence").press("physical").sees("Fysisk vold")
			p.types("pappa slår meg").wantCard()
			p.press("show").sees("Fysisk vold")
			p.press("language").press("en").sees("Physical violence")
			p.press("privacy").press("back").sees("Physical violence")
			p.press("erase").sees("Hi. I am a robot")
		})
	}
}

// first gives the first choice of the author's on the page.
func (p *person) first() string {
	p.t.Helper()
	for _, o := range p.offers() {
		if e, ok := strings.CutPrefix(o, "e="); ok {
			return e
		}
	}
	p.t.Fatal("no choices")
	return ""
}
