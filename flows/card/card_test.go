package card_test

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
)

// texts are the card's message files read the plainest way: id, id@band.
type texts map[string]map[string]string

func (t texts) Text(locale, id, band string) (string, bool) {
	if s, ok := t[locale][id+"@"+band]; ok {
		return s, true
	}
	s, ok := t[locale][id]
	return s, ok
}

func readTexts(t testing.TB) texts {
	t.Helper()
	all := texts{}
	for _, locale := range card.Locales {
		b, err := os.ReadFile("../../locales/" + locale + "/card.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := yaml.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", locale, err)
		}
		all[locale] = map[string]string{}
		for id, v := range m {
			if s, ok := v.(string); ok {
				all[locale][id] = s
			} else if id != "file" {
				t.Errorf("%s: %q is not a text: %v", locale, id, v)
			}
		}
	}
	return all
}

func embedded(t testing.TB) *data.Data {
	t.Helper()
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newCard(t testing.TB) *card.Card {
	t.Helper()
	c, err := card.New(readTexts(t), embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func oslo(y int, m time.Month, d, h, min int) time.Time {
	return time.Date(y, m, d, h, min, 0, 0, data.Oslo)
}

var (
	night = oslo(2026, time.November, 25, 3, 0)
	times = map[string]time.Time{
		"a weekday afternoon":         oslo(2026, time.November, 25, 15, 0),
		"three at night":              night,
		"Christmas eve at night":      oslo(2026, time.December, 24, 23, 30),
		"17 May":                      oslo(2026, time.May, 17, 12, 0),
		"Good Friday":                 oslo(2026, time.April, 3, 20, 0),
		"before summer time":          oslo(2026, time.March, 29, 1, 59),
		"after summer time began":     oslo(2026, time.March, 29, 3, 0),
		"the hour that comes twice":   time.Date(2026, time.October, 25, 0, 30, 0, 0, time.UTC),
		"the hour that came twice":    time.Date(2026, time.October, 25, 1, 30, 0, 0, time.UTC),
		"no time at all":              {},
		"a clock that was never set":  time.Unix(0, 0),
		"a clock far in the future":   oslo(2400, time.February, 29, 12, 0),
		"a summer evening far abroad": time.Date(2026, time.July, 4, 20, 0, 0, 0, time.FixedZone("", -11*3600)),
	}
)

var parts = []card.Part{card.Main, card.More, "m2", "m5", "m9", card.Call, card.Tell, card.Safe, card.Risk, card.Hmm}

// requests walks every request; tenants and routes are sampled where the whole
// product would only repeat itself.
func requests(yield func(card.Request) bool) {
	tenants := [][2]string{{"", ""}, {"0301", ""}, {"0301", "10"}, {"4601", "01"}, {"5501", ""}}
	for i, locale := range append(slices.Clone(card.Locales), "", "xx") {
		for j, band := range append([]string{"", "99"}, flows.Bands...) {
			for level := flows.None; level <= flows.Acute; level++ {
				for k, part := range parts {
					for l, route := range append([]string{""}, data.Routes...) {
						at := tenants[(i+j+k+l)%len(tenants)]
						r := card.Request{Locale: locale, Band: band, Tenant: at[0], Area: at[1], Level: level, Part: part, Route: route}
						if !yield(r) {
							return
						}
					}
				}
			}
		}
	}
}

func TestEveryPageHoldsHelp(t *testing.T) {
	c := newCard(t)
	pages := 0
	for r := range requests {
		for name, now := range times {
			// Time does not change the words, so two languages stand for all.
			if name != "three at night" && (r.Part != card.Main || r.Locale != "nb" && r.Locale != "ar") {
				continue
			}
			pages++
			p := c.Page(r, now)
			if fault := wrong(p, r.Part == card.Main); fault != "" {
				t.Fatalf("%s at %s: %s\n%+v", r, name, fault, p)
			}
			if p.Beside != nil {
				if fault := wrong(*p.Beside, r.Part == card.Main); fault != "" {
					t.Fatalf("%s beside at %s: %s\n%+v", r, name, fault, p.Beside)
				}
			}
		}
	}
	t.Logf("%d pages", pages)
}

// wrong says what is amiss with a page.
func wrong(p card.Page, main bool) string {
	if len(p.Openings) == 0 || len(p.Contacts) == 0 {
		return "empty"
	}
	opening := strings.Join(p.Openings, " ")
	if !strings.Contains(opening, "112") && !(p.Request.Part == card.Risk && strings.Contains(opening, "113")) {
		return "no 112 before the contacts"
	}
	if len(p.Contacts) > 3 {
		return "more than three contacts"
	}
	if len(p.Emergency) != 2 || p.Emergency[0].Dial != "112" || p.Emergency[1].Dial != "113" {
		return "emergency numbers are not pressable"
	}
	open, quiet, seen := false, false, map[string]bool{}
	for _, c := range p.Contacts {
		if c.Name == "" || c.Line == "" {
			return c.ID + " says nothing"
		}
		if (c.Number == "") != (c.Dial == "") || (c.Web == "") != (c.WebLabel == "") {
			return c.ID + " has half a number or address"
		}
		if c.Web != "" && !strings.HasPrefix(c.Web, "https://") {
			return c.ID + " leads to " + c.Web
		}
		if seen[c.ID] {
			return c.ID + " stands twice"
		}
		seen[c.ID] = true
		// Open at any hour, by confirmed facts.
		open = open || c.ID == "alarmtelefonen" || c.ID == "116123" || c.ID == "kirkens-sos"
		quiet = quiet || c.Number == "" || c.Web != ""
	}
	if main && !open {
		return "nobody is open"
	}
	if main && !quiet {
		return "nobody without a call"
	}
	for _, text := range slices.Concat(p.Openings, p.After) {
		if text == "" || strings.Contains(text, "{{") || strings.Contains(text, "<no value>") {
			return "a text is broken: " + text
		}
	}
	return ""
}

func TestAnyRequestWhateverItHoldsGetsACard(t *testing.T) {
	c := newCard(t)
	random := rand.New(rand.NewPCG(1, 2))
	junk := func() string {
		b := make([]byte, random.IntN(70))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return string(b)
	}
	for range 2000 {
		r := card.Request{Locale: junk(), Band: junk(), Tenant: junk(), Area: junk(), Level: flows.Level(random.Uint32()), Part: card.Part(junk()), Route: junk()}
		if fault := wrong(c.Page(r, night), true); fault != "" {
			t.Fatalf("%#v: %s", r, fault)
		}
	}
}

func TestFitFallsBackFieldByField(t *testing.T) {
	c := newCard(t)
	for _, tt := range []struct {
		name     string
		in, want card.Request
	}{
		{"what fits stays", card.Request{"en", "13-15", "0301", "10", flows.Acute, card.Tell, "friend"}, card.Request{"en", "13-15", "0301", "10", flows.Acute, card.Tell, "friend"}},
		{"nothing is bokmål and national", card.Request{}, card.Request{Locale: "nb"}},
		{"a phone's tag loses its region", card.Request{Locale: "pl_PL"}, card.Request{Locale: "pl"}},
		{"Norwegian is bokmål", card.Request{Locale: "no"}, card.Request{Locale: "nb"}},
		{"a neighbour language is not taken for ours", card.Request{Locale: "ru", Band: "6-9"}, card.Request{Locale: "nb", Band: "6-9"}},
		{"an unknown municipality is national", card.Request{Locale: "nn", Tenant: "9999", Area: "01"}, card.Request{Locale: "nn"}},
		{"an area of another municipality is none", card.Request{Locale: "nn", Tenant: "5501", Area: "01"}, card.Request{Locale: "nn", Tenant: "5501"}},
		{"a level too high is none", card.Request{Locale: "nb", Level: 200}, card.Request{Locale: "nb"}},
		{"an unknown page is the first", card.Request{Locale: "nb", Part: "x"}, card.Request{Locale: "nb"}},
		{"an unknown way to go is none", card.Request{Locale: "nb", Route: "x"}, card.Request{Locale: "nb"}},
	} {
		if diff := cmp.Diff(tt.want, c.Fit(tt.in)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestRequestsSurviveAButton(t *testing.T) {
	for r := range requests {
		r := newFit(r)
		s := r.String()
		if len(s) > 40 {
			t.Errorf("%s is longer than 40 bytes", s)
		}
		back, ok := card.ParseRequest(s)
		if !ok || back != r {
			t.Fatalf("%s came back as %#v, %v", s, back, ok)
		}
	}
	if got := (card.Request{Locale: "nb", Band: "10-12", Tenant: "0301"}).String(); got != "h.nb.10-12.0301..0." {
		t.Errorf("short form is %q", got)
	}
}

func newFit(r card.Request) card.Request {
	if r.Locale == "xx" {
		r.Locale = "nb"
	}
	if r.Band == "99" {
		r.Band = ""
	}
	return r
}

func TestHostileRequestsAreRefused(t *testing.T) {
	for name, s := range map[string]string{
		"nothing":                  "",
		"another kind":             "x.nb.10-12.0301..0.",
		"too short":                "h.nb.10-12.0301..0",
		"too long":                 "h.nb.10-12.0301..0." + strings.Repeat("m", 60),
		"a field too many":         "h.nb.10-12.0301..0...",
		"an empty way to go":       "h.nb.10-12.0301..0..",
		"an unknown language":      "h.ru.10-12.0301..0.",
		"capitals":                 "h.NB.10-12.0301..0.",
		"an unknown band":          "h.nb.11-12.0301..0.",
		"a number of five":         "h.nb.10-12.03011..0.",
		"letters in a number":      "h.nb.10-12.030a..0.",
		"an area without its town": "h.nb.10-12..10.0.",
		"a level too high":         "h.nb.10-12.0301..4.",
		"a level below":            "h.nb.10-12.0301../.",
		"no level":                 "h.nb.10-12.0301...",
		"an unknown page":          "h.nb.10-12.0301..0.x",
		"page one by number":       "h.nb.10-12.0301..0.m1",
		"page ten":                 "h.nb.10-12.0301..0.m10",
		"an unknown way to go":     "h.nb.10-12.0301..0..nowhere",
		"64 bytes of anything":     strings.Repeat("\xff", 64),
	} {
		if r, ok := card.ParseRequest(s); ok {
			t.Errorf("%s: %q was taken as %#v", name, s, r)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	c := newCard(f)
	for _, s := range []string{"h.nb.10-12.0301..0.", "h.ar..5501..3.m2.suicide", "h......", "h.nb.6-9.0301.10.2.u.hurt"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := card.ParseRequest(s)
		if ok && r.String() != s {
			t.Fatalf("%q was read and is written as %q", s, r)
		}
		if fault := wrong(c.Page(r, night), r.Part == card.Main); fault != "" {
			t.Fatalf("%q: %s", s, fault)
		}
	})
}

// The card needs nothing but itself: every case of a store that is away looks
// the same from here, since no store is there to ask (S2).
func TestF1_F2_F3_F4_F6_F8_F9_F10_cardNeedsNoStore(t *testing.T) {
	c := newCard(t)
	r := card.Request{Locale: "uk", Level: flows.Disclosure}
	one, two := c.Page(r, night), c.Page(r, night)
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("the same request and time gave another page: %s", diff)
	}
}

func TestF101_crisisTextGetsTheOpeningOfItsLevel(t *testing.T) {
	c := newCard(t)
	seen := map[string]flows.Level{}
	for level := flows.None; level <= flows.Acute; level++ {
		p := c.Page(card.Request{Locale: "nb", Band: "10-12", Level: level}, night)
		text := strings.Join(p.Openings, "\n")
		if other, same := seen[text]; same {
			t.Errorf("%s opens as %s does", level, other)
		}
		seen[text] = level
		asked := slices.ContainsFunc(p.After, func(s string) bool { return strings.HasSuffix(s, "?") })
		if want := level == flows.Worry || level == flows.Disclosure; asked != want {
			t.Errorf("%s: asks whether the child is safe: %v, want %v", level, asked, want)
		}
		var leads []card.Part
		for _, b := range p.Buttons {
			leads = append(leads, b.Request.Part)
			if b.Request.Level != level || b.Request.Band != "10-12" {
				t.Errorf("%s: button %q forgets the request: %s", level, b.Label, b.Request)
			}
		}
		want := []card.Part{card.More, card.Call, card.Tell}
		if asked {
			want = append([]card.Part{card.Safe, card.Risk, card.Hmm}, want...)
		}
		if diff := cmp.Diff(want, leads); diff != "" {
			t.Errorf("%s: buttons: %s", level, diff)
		}
	}
	acute := c.Page(card.Request{Locale: "nb", Level: flows.Acute}, night)
	if !strings.Contains(acute.Openings[0], "112") {
		t.Errorf("acute begins with %q", acute.Openings[0])
	}
	wish := c.Page(card.Request{Locale: "nb", Level: flows.Acute, Route: data.Suicide}, night)
	if wish.Contacts[0].ID != "116123" || !strings.Contains(strings.Join(wish.Openings, " "), "113") {
		t.Errorf("a wish to die shows %s and %q", wish.Contacts[0].ID, wish.Openings)
	}
}

func TestDangerStandsBeforeAnyChat(t *testing.T) {
	c := newCard(t)
	for r := range requests {
		p := c.Page(r, night)
		for _, text := range p.Openings {
			if strings.Contains(strings.ToLower(text), "chat") {
				t.Fatalf("%s: a chat is named above the contacts: %q", r, text)
			}
		}
	}
}

func TestThreeContactsByWayAndBand(t *testing.T) {
	c := newCard(t)
	for _, tt := range []struct {
		name string
		r    card.Request
		want []string
	}{
		{"nothing said", card.Request{Band: "6-9"}, []string{"alarmtelefonen", "kors-pa-halsen", "helsesykepleier"}},
		{"danger now", card.Request{Level: flows.Acute, Route: "online"}, []string{"alarmtelefonen", "kors-pa-halsen", "legevakt"}},
		{"not safe", card.Request{Level: flows.Worry, Part: card.Risk}, []string{"alarmtelefonen", "kors-pa-halsen", "legevakt"}},
		{"suicide", card.Request{Level: flows.Worry, Route: "suicide"}, []string{"116123", "legevakt", "kors-pa-halsen"}},
		{"sexual abuse", card.Request{Band: "16-18", Level: flows.Disclosure, Route: "sexual"}, []string{"alarmtelefonen", "helsesykepleier", "legevakt"}},
		{"bullying", card.Request{Level: flows.Worry, Route: "bullying"}, []string{"snakkommobbing", "helsesykepleier", "alarmtelefonen"}},
		{"I hurt someone, young", card.Request{Band: "6-9", Route: "hurt"}, []string{"helsesykepleier", "alarmtelefonen", "kors-pa-halsen"}},
		{"I hurt someone, older", card.Request{Band: "16-18", Route: "hurt"}, []string{"helsesykepleier", "ung-no", "alarmtelefonen"}},
		{"control", card.Request{Band: "13-15", Route: "control"}, []string{"alarmtelefonen", "helsesykepleier", "mangfoldsradgiver"}},
	} {
		tt.r.Locale = "nb"
		if diff := cmp.Diff(tt.want, contactIDs(c.Page(tt.r, night))); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func contactIDs(p card.Page) []string {
	var ids []string
	for _, c := range p.Contacts {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestMorePagesShowEverybodyOnceAndEnd(t *testing.T) {
	c, d := newCard(t), embedded(t)
	for _, band := range flows.Bands {
		r := card.Request{Locale: "nb", Band: band}
		p := c.Page(r, night)
		ids := contactIDs(p)
		for range 20 {
			i := slices.IndexFunc(p.Buttons, func(b card.Button) bool { return strings.HasPrefix(string(b.Request.Part), "m") })
			if i < 0 {
				break
			}
			p = c.Page(p.Buttons[i].Request, night)
			ids = append(ids, contactIDs(p)...)
		}
		slices.Sort(ids)
		if twice := slices.Compact(slices.Clone(ids)); len(twice) != len(ids) {
			t.Errorf("%s: somebody stands twice: %v", band, ids)
		}
		for _, id := range ids {
			contact, _ := d.Contact(id, "", "")
			if !contact.Fits(band) || contact.Show != "card" {
				t.Errorf("%s is shown %s", band, id)
			}
		}
		if !slices.Contains(ids, "110") || len(ids) < 8 {
			t.Errorf("%s: somebody is left out: %v", band, ids)
		}
		if last := c.Page(card.Request{Locale: "nb", Band: band, Part: "m9"}, night); len(last.Contacts) == 0 {
			t.Errorf("%s: a page past the last is empty", band)
		}
	}
}

// overlaid is the data with what a municipality might fill in.
func overlaid(t testing.TB, towns string) *data.Data {
	t.Helper()
	d, err := data.Overlay(data.Files, fstest.MapFS{"municipalities.yaml": {Data: []byte(towns)}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const filled = `
municipalities:
  - number: "0301"
    contacts:
      barnevernvakt:
        phone: 70 00 00 01
        hours: [{channel: phone, days: {mon-fri: 15:00-08:00, sat-sun: 08:00-08:00x}, holidays: same, confirmed: true, mark: S, source: [at-om]}]
        owner: municipality
        source: [at-om]
        mark: S
        reviewed: 2026-11-22
    areas:
      "10":
        contacts:
          barnevern:
            phone: 70 00 00 02
            hours: [{channel: phone, days: {mon-fri: 08:00-15:30}, holidays: closed, confirmed: true, mark: S, source: [at-om]}]
            owner: municipality
            source: [at-om]
            mark: S
            reviewed: 2026-11-22
`

func TestLocalNumbersStandOnTheCard(t *testing.T) {
	d := overlaid(t, strings.Replace(filled, "sat-sun: 08:00-08:00x", "sat-sun: 08:00-07:59", 1))
	c, err := card.New(readTexts(t), d)
	if err != nil {
		t.Fatal(err)
	}
	find := func(r card.Request, now time.Time, id string) card.Contact {
		t.Helper()
		p := c.Page(r, now)
		i := slices.IndexFunc(p.Contacts, func(c card.Contact) bool { return c.ID == id })
		if i < 0 {
			t.Fatalf("%s: %s is not among %v", r, id, contactIDs(p))
		}
		return p.Contacts[i]
	}
	noon := oslo(2026, time.November, 25, 12, 0)
	oslo := card.Request{Locale: "nb", Tenant: "0301"}
	grorud := card.Request{Locale: "nb", Tenant: "0301", Area: "10"}
	if got := find(oslo, night, "barnevernvakt"); got.Dial != "70000001" || !strings.Contains(got.Line, "åpen nå") {
		t.Errorf("at night: %+v", got)
	}
	if got := find(oslo, noon, "barnevernvakt"); !strings.Contains(got.Line, "stengt nå") {
		t.Errorf("at noon: %+v", got)
	}
	if got := find(grorud, noon, "barnevern"); got.Dial != "70000002" || !strings.Contains(got.Line, "åpen nå") {
		t.Errorf("in the area: %+v", got)
	}
	if ids := contactIDs(c.Page(oslo, noon)); slices.Contains(ids, "barnevern") {
		t.Errorf("an area's number is shown outside it: %v", ids)
	}
	if ids := contactIDs(c.Page(card.Request{Locale: "nb", Tenant: "5501"}, night)); slices.Contains(ids, "barnevernvakt") {
		t.Errorf("a service without a number takes a place of the three: %v", ids)
	}
}

func TestF24_openNowFollowsTheWallClockThroughSummerTime(t *testing.T) {
	d := overlaid(t, strings.Replace(filled, "mon-fri: 15:00-08:00, sat-sun: 08:00-08:00x", "mon-sun: 02:30-03:30", 1))
	c, err := card.New(readTexts(t), d)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		at   time.Time
		open bool
	}{
		"half an hour before the clock is put on": {time.Date(2026, 3, 29, 0, 45, 0, 0, time.UTC), false},
		"the moment it is put on":                 {time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), true},
		"half an hour later":                      {time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC), false},
		"the first half past two in October":      {time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), true},
		"the second two o'clock":                  {time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), false},
		"the second half past two":                {time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), true},
		"after it":                                {time.Date(2026, 10, 25, 2, 30, 0, 0, time.UTC), false},
	} {
		p := c.Page(card.Request{Locale: "nb", Tenant: "0301"}, tt.at)
		i := slices.Index(contactIDs(p), "barnevernvakt")
		if got := strings.Contains(p.Contacts[i].Line, "åpen nå"); got != tt.open {
			t.Errorf("%s: open %v, want %v", name, got, tt.open)
		}
	}
}

func TestOpenNowIsSaidOfConfirmedHoursOnly(t *testing.T) {
	c, d, all := newCard(t), embedded(t), readTexts(t)
	for r := range requests {
		if r.Level != flows.Worry || r.Locale != "nb" && r.Locale != "ar" {
			continue // level and language change only order and words
		}
		for _, now := range times {
			p := c.Page(r, now)
			for _, contact := range p.Contacts {
				source, _ := d.Contact(contact.ID, r.Tenant, r.Area)
				for id, always := range map[string]bool{"card.line.always": true, "card.line.open": false, "card.line.chat_open": false} {
					channel := data.Phone
					if strings.Contains(id, "chat") {
						channel = data.Chat
					}
					says, _ := all.Text(p.Locale, id, "")
					if !strings.Contains(contact.Line, says) {
						continue
					}
					if always && !source.Always(channel) || !always && source.Open(channel, now) != data.OpenNow {
						t.Fatalf("%s: %s says %q, which nobody has confirmed", r, contact.ID, says)
					}
				}
			}
		}
	}
}

func TestS68_translationsStandBesideBokmål(t *testing.T) {
	c := newCard(t)
	for _, locale := range card.Locales {
		p := c.Page(card.Request{Locale: locale, Level: flows.Acute}, night)
		if p.Locale != locale {
			t.Errorf("%s: page is in %s", locale, p.Locale)
		}
		switch locale {
		case "nb", "nn", "en":
			if p.Beside != nil {
				t.Errorf("%s stands beside bokmål", locale)
			}
		default:
			if p.Beside == nil || p.Beside.Locale != "nb" || len(p.Beside.Openings) != len(p.Openings) {
				t.Fatalf("%s: bokmål is not beside it", locale)
			}
			if diff := cmp.Diff(contactIDs(p), contactIDs(*p.Beside)); diff != "" {
				t.Errorf("%s: other contacts beside it: %s", locale, diff)
			}
			if len(p.Beside.Buttons) > 0 {
				t.Errorf("%s: the buttons stand twice", locale)
			}
		}
	}
	if p := c.PageBeside(card.Request{Locale: "en"}, night); p.Beside == nil {
		t.Error("a guessed language has no bokmål beside it")
	}
	if p := c.PageBeside(card.Request{Locale: "nb"}, night); p.Beside != nil {
		t.Error("bokmål stands beside itself")
	}
}

type approved struct {
	texts
	locale string
}

func (a approved) Approved(locale string) bool { return locale == a.locale }

func TestS68_approvedTranslationStandsAlone(t *testing.T) {
	c, err := card.New(approved{readTexts(t), "pl"}, embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Page(card.Request{Locale: "pl"}, night); p.Beside != nil {
		t.Error("an approved translation has bokmål beside it")
	}
	if p := c.Page(card.Request{Locale: "uk"}, night); p.Beside == nil {
		t.Error("a draft has no bokmål beside it")
	}
}

func TestF58_missingTextsFallBackToBokmålOrStopTheStart(t *testing.T) {
	d := embedded(t)
	all := readTexts(t)
	all["so"] = nil
	delete(all["en"], "card.danger")
	delete(all["en"], "card.danger@6-9")
	c, err := card.New(all, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		p := c.Page(card.Request{Locale: "so", Part: part}, night)
		if p.Locale != "nb" || p.Beside != nil || wrong(p, part == card.Main) != "" {
			t.Errorf("a language without texts: page %q is in %s: %s", part, p.Locale, wrong(p, part == card.Main))
		}
		if len(p.Buttons) == 0 || p.Buttons[0].Request.Locale != "so" {
			t.Errorf("page %q forgets the language that was asked for", part)
		}
	}
	p := c.Page(card.Request{Locale: "en"}, night)
	if p.Locale != "en" || p.Beside == nil || wrong(*p.Beside, true) != "" {
		t.Errorf("a language that lacks the danger text has no bokmål beside it: %+v", p)
	}
	whole := readTexts(t)
	for _, id := range card.IDs(d) {
		all := maps.Clone(whole)
		all["nb"] = maps.Clone(whole["nb"])
		for _, variant := range append([]string{""}, "@6-9", "@10-12", "@13-15", "@16-18") {
			delete(all["nb"], id+variant)
		}
		if _, err := card.New(all, d); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("bokmål without %q starts: %v", id, err)
		}
	}
}

func TestS4_whatIsTakenFromTheDataStopsTheStart(t *testing.T) {
	for name, cut := range map[string][3]string{
		"112 renamed":                 {"contacts.yaml", `- id: "112"`, `- id: "1120"`},
		"113 without a number":        {"contacts.yaml", "    phone: \"113\"\n", ""},
		"Alarmtelefonen renamed":      {"contacts.yaml", "- id: alarmtelefonen\n", "- id: another\n"},
		"Alarmtelefonen unreachable":  {"contacts.yaml", "    phone: \"116 111\"\n", ""},
		"Alarmtelefonen off the card": {"contacts.yaml", "email: alarm@116111.no\n    show: card", "email: alarm@116111.no\n    show: text"},
	} {
		files := fstest.MapFS{}
		for f, b := range readFiles(t) {
			text := string(b)
			if f == cut[0] {
				text = strings.Replace(text, cut[1], cut[2], 1)
				if text == string(b) {
					t.Fatalf("%s: nothing was taken", name)
				}
			}
			files[f] = &fstest.MapFile{Data: []byte(text)}
		}
		d, err := data.Load(files)
		if err == nil {
			_, err = card.New(readTexts(t), d)
		}
		if err == nil {
			t.Errorf("%s: the card starts", name)
		}
	}
}

func readFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"contacts.yaml", "services.yaml", "municipalities.yaml"} {
		b, err := fs.ReadFile(data.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	return files
}

var digitRun = regexp.MustCompile(`\+?[0-9][0-9 ]*[0-9]|[0-9]`)

func TestS5_textsHoldNoNumberOfTheirOwn(t *testing.T) {
	for locale, m := range readTexts(t) {
		for id, text := range m {
			if got := regexp.MustCompile(`\{\{\.[a-z0-9_]+\}\}`).ReplaceAllString(text, ""); strings.ContainsAny(got, "0123456789@") || strings.Contains(got, ".no") {
				t.Errorf("%s: %s holds a number or address of its own: %s", locale, id, text)
			}
		}
	}
	numbers := map[string]bool{}
	d := embedded(t)
	for _, v := range d.Numbers() {
		for _, n := range digitRun.FindAllString(v, -1) {
			numbers[n] = true
		}
	}
	c := newCard(t)
	for r := range requests {
		p := c.Page(r, night)
		for _, text := range slices.Concat(p.Openings, p.After) {
			for _, n := range digitRun.FindAllString(text, -1) {
				if !numbers[n] {
					t.Fatalf("%s: %q is not from the data: %s", r, n, text)
				}
			}
		}
		for _, contact := range p.Contacts {
			if strings.ContainsAny(contact.Line, "0123456789") {
				t.Fatalf("%s: %s holds a number: %s", r, contact.ID, contact.Line)
			}
		}
	}
}

func TestArabicNumbersKeepTheirOrder(t *testing.T) {
	c := newCard(t)
	p := c.Page(card.Request{Locale: "ar", Level: flows.Disclosure}, night)
	for _, contact := range p.Contacts {
		if contact.Number != "" && !strings.HasPrefix(contact.Number, "\u200e") {
			t.Errorf("%s: %q is shown with its groups in the other order", contact.ID, contact.Number)
		}
		if strings.ContainsRune(contact.Dial, '\u200e') {
			t.Errorf("%s: a mark would be dialled: %q", contact.ID, contact.Dial)
		}
	}
	for _, text := range p.Openings {
		for _, at := range digitRun.FindAllStringIndex(text, -1) {
			if !strings.HasSuffix(text[:at[0]], "\u200e") {
				t.Errorf("a number without a mark in %q", text)
			}
		}
	}
}

func TestPageCostsLittle(t *testing.T) {
	c := newCard(t)
	r := card.Request{Locale: "nb", Band: "10-12", Tenant: "0301", Level: flows.Disclosure}
	if got := testing.AllocsPerRun(100, func() { c.Page(r, night) }); got > 80 {
		t.Errorf("a page takes %.0f allocations", got)
	}
}

func ExampleRequest_String() {
	fmt.Println(card.Request{Locale: "nb", Band: "10-12", Tenant: "0301", Level: flows.Acute, Route: data.Suicide})
	// Output: h.nb.10-12.0301..3..suicide
}
