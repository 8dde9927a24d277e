package card_test

import (
	"testing"

	"trygg/flows"
	"trygg/flows/card"
)

// A card is made for every press of the help button, also under load and with
// the processor starved (F30).
func BenchmarkPage(b *testing.B) {
	c := newCard(b)
	for _, r := range []card.Request{
		{Locale: "nb", Band: "10-12"},
		{Locale: "nb", Band: "16-18", Tenant: "0301", Area: "10", Level: flows.Disclosure},
		{Locale: "ar", Band: "6-9", Level: flows.Acute},
	} {
		b.Run(r.Locale+"-"+r.Level.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Page(r, night)
			}
		})
	}
}

func BenchmarkParseRequest(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		card.ParseRequest("h.nb.10-12.0301.10.2.m2.bullying")
	}
}

func BenchmarkIsHelp(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		card.IsHelp("hva er egentlig barnevernet og hva gjør de")
	}
}
