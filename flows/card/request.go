package card

import (
	"strings"

	"trygg/flows"
)

// Request says which card is wanted. A help button carries it whole, so that
// the right card is shown before any store is read (S2). Every field is from a
// closed list and checked when a request comes back from outside.
type Request struct {
	Locale string // one of our tags
	Band   string // one of flows.Bands, "" = not said
	Tenant string // municipality number, "" = national
	Area   string // a part of it
	Level  flows.Level
	Part   Part
}

// Part is a page of the card.
type Part string

const (
	Main Part = ""  // danger now, three contacts
	More Part = "m" // three more contacts, page by page: m, m2, m3 ...
	Call Part = "c" // what happens when you call
	Tell Part = "t" // a sentence to say or show
	Safe Part = "s" // after "are you safe right now?": yes
	Risk Part = "r" // ... no
	Hmm  Part = "u" // ... I don't know
)

// String is the short form a button carries: at most 40 bytes of ASCII, no secret.
func (r Request) String() string {
	return strings.Join([]string{"h", r.Locale, r.Band, r.Tenant, r.Area, string('0' + rune(r.Level)), string(r.Part)}, ".")
}
