package card_test

import (
	"fmt"
	"testing"
	"time"

	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/locales"
)

func TestZZ(t *testing.T) {
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	b, ps := locales.Load(locales.Files, d.Numbers())
	for _, p := range ps {
		fmt.Println(p)
	}
	if b == nil {
		t.FailNow()
	}
	c, err := card.New(b, d)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 24, 3, 0, 0, 0, data.Oslo)
	for _, r := range []card.Request{{Locale: "nb", Band: "6-9"}, {Locale: "nb", Band: "13-15", Level: flows.Disclosure, Tenant: "0301"}, {Locale: "ar", Level: flows.Acute}, {Locale: "nn", Part: card.More}, {Locale: "en", Part: card.Call, Route: "suicide", Level: flows.Acute, Band: "16-18"}} {
		show(c.Page(r, now))
	}
}

func show(p card.Page) {
	fmt.Println("==", p.Request, p.Locale)
	for _, s := range p.Openings {
		fmt.Println("  ", s)
	}
	for _, c := range p.Contacts {
		fmt.Printf("   * %s | %s | %s | %s | %s %s\n", c.Name, c.Line, c.Number, c.Dial, c.Web, c.WebLabel)
	}
	for _, s := range p.After {
		fmt.Println("  ", s)
	}
	for _, b := range p.Buttons {
		fmt.Printf("   [%s] %s\n", b.Label, b.Request)
	}
	if p.Beside != nil {
		show(*p.Beside)
	}
}
