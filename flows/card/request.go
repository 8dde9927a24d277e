package card

import (
	"slices"
	"strings"

	"trygg/flows"
	"trygg/flows/content/data"
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
	Route  string // one of data.Routes: what it is about, "" = not known
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

// maxRequest is what a Telegram button can carry.
const maxRequest = 64

// String is the short form a button carries: at most 40 bytes of ASCII, no
// secret. The route stands at the end only when there is one.
func (r Request) String() string {
	fields := []string{"h", r.Locale, r.Band, r.Tenant, r.Area, string('0' + rune(r.Level)), string(r.Part)}
	if r.Route != "" {
		fields = append(fields, r.Route)
	}
	return strings.Join(fields, ".")
}

// ParseRequest reads the short form back. It is hostile input (S52): anything
// but exactly what String writes is refused. Whether a municipality exists is
// left to Fit, which knows the data.
func ParseRequest(s string) (Request, bool) {
	if len(s) > maxRequest {
		return Request{}, false
	}
	f := strings.Split(s, ".")
	if len(f) != 7 && len(f) != 8 || f[0] != "h" {
		return Request{}, false
	}
	r := Request{Locale: f[1], Band: f[2], Tenant: f[3], Area: f[4], Part: Part(f[6])}
	if len(f[5]) != 1 || f[5][0] < '0' || f[5][0] > '0'+byte(flows.Acute) {
		return Request{}, false
	}
	r.Level = flows.Level(f[5][0] - '0')
	if len(f) == 8 {
		if !slices.Contains(data.Routes, f[7]) {
			return Request{}, false
		}
		r.Route = f[7]
	}
	ok := (r.Locale == "" || slices.Contains(Locales, r.Locale)) &&
		(r.Band == "" || slices.Contains(flows.Bands, r.Band)) &&
		(r.Tenant == "" || digits(r.Tenant, 4)) &&
		(r.Area == "" || r.Tenant != "" && digits(r.Area, 2)) &&
		r.Part.known()
	if !ok {
		return Request{}, false
	}
	return r, true
}

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

func (p Part) known() bool {
	switch p {
	case Main, More, Call, Tell, Safe, Risk, Hmm:
		return true
	}
	return len(p) == 2 && p[0] == 'm' && p[1] >= '2' && p[1] <= '9'
}

// page is the number of a More page, 1 for the first; 0 = not one of them.
func (p Part) page() int {
	switch {
	case p == More:
		return 1
	case len(p) == 2 && p[0] == 'm':
		return int(p[1] - '0')
	}
	return 0
}

func morePage(n int) Part {
	if n <= 1 {
		return More
	}
	return Part("m" + string('0'+rune(n)))
}

// Fit gives the nearest request that this card has a page for: each field that
// is not from its list falls back by itself, so a damaged request still shows
// a card.
func (c *Card) Fit(r Request) Request {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(r.Locale, "_", "-")), "-")
	switch {
	case slices.Contains(Locales, base):
		r.Locale = base
	default: // also "no"
		r.Locale = Source
	}
	if !slices.Contains(flows.Bands, r.Band) {
		r.Band = ""
	}
	m, ok := c.data.Municipality(r.Tenant)
	if !ok {
		r.Tenant, r.Area = "", ""
	}
	if _, ok := m.Areas[r.Area]; !ok {
		r.Area = ""
	}
	if r.Level > flows.Acute {
		r.Level = flows.None
	}
	if !r.Part.known() {
		r.Part = Main
	}
	if !slices.Contains(data.Routes, r.Route) {
		r.Route = ""
	}
	return r
}
