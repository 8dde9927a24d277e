package card_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
)

var (
	maxWords = map[string]int{"6-9": 20, "10-12": 40, "13-15": 60, "16-18": 80}
	maxLIX   = map[string]float64{"6-9": 20, "10-12": 25, "13-15": 30, "16-18": 32}
)

const maxText, maxLabel = 300, 28

func TestS68_everyTextIsInEveryLanguage(t *testing.T) {
	all, d := readTexts(t), embedded(t)
	want := card.IDs(d)
	for _, locale := range card.Locales {
		for _, id := range want {
			for _, band := range flows.Bands {
				if s, ok := all.Text(locale, id, band); !ok || strings.TrimSpace(s) == "" {
					t.Errorf("%s lacks %s for %s", locale, id, band)
				}
			}
		}
		for key := range all[locale] {
			id, band, variant := strings.Cut(key, "@")
			if !slices.Contains(want, id) {
				t.Errorf("%s: %s is shown nowhere", locale, id)
			}
			if variant && !slices.Contains(flows.Bands, band) {
				t.Errorf("%s: %s: not a band", locale, key)
			}
		}
	}
	for id := range all["nb"] {
		for _, locale := range []string{"nn", "en"} {
			if _, ok := all[locale][id]; !ok {
				t.Errorf("%s lacks %s", locale, id)
			}
		}
	}
}

func TestS66_textsAreShortEnoughForTheirReaders(t *testing.T) {
	all, c := readTexts(t), newCard(t)
	for _, locale := range card.Locales {
		for _, band := range flows.Bands {
			for _, id := range card.IDs(embedded(t)) {
				text, _ := all.Text(locale, id, band)
				if strings.HasPrefix(id, "card.button.") {
					if n := utf8.RuneCountInString(text); n > maxLabel {
						t.Errorf("%s: %s has %d characters, at most %d: %s", locale, id, n, maxLabel, text)
					}
					continue
				}
				short(t, locale+" "+id, band, text)
			}
		}
	}
	seen := map[string]bool{}
	for r := range requests {
		p := c.Page(r, night)
		if r.Band == "" || r.Band == "99" {
			continue
		}
		for _, contact := range p.Contacts {
			key := p.Locale + r.Band + contact.Line
			if !seen[key] {
				short(t, r.String()+" "+contact.ID, r.Band, contact.Line)
			}
			seen[key] = true
		}
	}
}

var norwegian = regexp.MustCompile(`\(«[^»]*»\)`)

func short(t *testing.T, where, band, text string) {
	t.Helper()
	// The Norwegian sentence in brackets is for the adult who is shown it.
	if n := len(strings.Fields(norwegian.ReplaceAllString(text, ""))); n > maxWords[band] {
		t.Errorf("%s, %s: %d words, at most %d: %s", where, band, n, maxWords[band], text)
	}
	if n := utf8.RuneCountInString(text); n > maxText {
		t.Errorf("%s, %s: %d characters, at most %d: %s", where, band, n, maxText, text)
	}
}

func TestS66_bokmålAndNynorskAreEasyToRead(t *testing.T) {
	all := readTexts(t)
	for _, locale := range []string{"nb", "nn"} {
		for _, band := range flows.Bands {
			var words, long, sentences int
			d := embedded(t)
			for _, id := range card.IDs(d) {
				if contact, ok := d.Contact(strings.TrimPrefix(id, "card.contact."), "", ""); ok && !contact.Fits(band) {
					continue
				}
				text, _ := all.Text(locale, id, band)
				text = regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(text, "tal")
				sentences += max(1, strings.Count(text, ". ")+strings.Count(text, "? ")+strings.Count(text, ": ")+1)
				for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
					words++
					if utf8.RuneCountInString(w) > 6 && !needed[strings.ToLower(w)] {
						long++
					}
				}
			}
			lix := float64(words)/float64(sentences) + 100*float64(long)/float64(words)
			t.Logf("%s %s: LIX %.1f over %d words", locale, band, lix, words)
			if lix > maxLIX[band] {
				t.Errorf("%s %s: LIX %.1f, at most %.0f", locale, band, lix, maxLIX[band])
			}
		}
	}
}

// needed are long words a child must be able to say (facts 8.3).
var needed = map[string]bool{
	"alarmtelefonen": true, "barnevernet": true, "barnevernvakten": true, "barnevernvakta": true, "helsesykepleier": true, "politiet": true,
}

func TestS14_whatMustNeverBeSaid(t *testing.T) {
	never := map[string]*regexp.Regexp{
		"nb": regexp.MustCompile(`(?i)\b(hvorfor|lover deg|lover å|hemmelig|ingen får vite|er du sikker|helt sikkert|alt blir bra|diagnose|offer|sladre|tyste|burde|skulle ha|mishandl\w*|omsorgssvikt|jeg forstår ikke|anonym|misbruk\w*|tiltak|henvendelse)\b`),
		"nn": regexp.MustCompile(`(?i)\b(kvifor|lovar deg|lovar å|hemmeleg|ingen får vite|er du sikker|heilt sikkert|alt blir bra|diagnose|offer|sladre|burde|skulle ha|mishandl\w*|omsorgssvikt|eg forstår ikkje|anonym|misbruk\w*|tiltak)\b`),
		"en": regexp.MustCompile(`(?i)\b(why|promise|secret|are you sure|no one will know|everything will be|diagnos\w+|victim|should have|i don.t understand|anonymous|tell tales)\b`),
		"uk": regexp.MustCompile(`(?i)(чому|обіця|секрет|таємниц)`),
		"pl": regexp.MustCompile(`(?i)(dlaczego|obiecuj|tajemnic|sekret)`),
		"ar": regexp.MustCompile(`(لماذا|أعدك|سرّ)`),
		"so": regexp.MustCompile(`(?i)\b(sabab|ballan|sir)\b`),
		"se": regexp.MustCompile(`(?i)\b(manne|lohpidan|čiegus)\b`),
	}
	for locale, m := range readTexts(t) {
		for id, text := range m {
			if hit := never[locale].FindString(text); hit != "" {
				t.Errorf("%s: %s says %q: %s", locale, id, hit, text)
			}
			for _, r := range text {
				if unicode.Is(unicode.So, r) || unicode.Is(unicode.Cf, r) || r == '!' {
					t.Errorf("%s: %s holds %q: no emoji, marks or shouting on the card", locale, id, r)
				}
			}
			if strings.Count(text, "?") > 0 && !strings.Contains(id, "danger") && !strings.Contains(id, "tell.") && !strings.Contains(id, "button.") &&
				id != "card.ask" && !strings.HasPrefix(id, "card.risk.cannot") {
				t.Errorf("%s: %s asks: the card has one question: %s", locale, id, text)
			}
		}
	}
}

func TestS8_everyPageSaysItIsARobot(t *testing.T) {
	all, c := readTexts(t), newCard(t)
	for r := range requests {
		p := c.Page(r, night)
		robot, _ := all.Text(p.Locale, "card.robot", c.Fit(r).Band)
		if r.Band == "" || r.Band == "99" {
			robot, _ = all.Text(p.Locale, "card.robot", flows.DefaultBand)
		}
		if !slices.Contains(p.Openings, robot) {
			t.Fatalf("%s does not say %q", r, robot)
		}
	}
}

func TestNorwegianNamesStandInBrackets(t *testing.T) {
	d := embedded(t)
	for _, list := range [][]data.Contact{d.Contacts, d.Services} {
		for _, contact := range list {
			nb := strings.ToLower(contact.Name["nb"])
			for locale, name := range contact.Name {
				words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
				if !slices.ContainsFunc(words, func(w string) bool { return len(w) > 1 && strings.Contains(nb, w) }) && locale != "nn" {
					t.Errorf("%s: %s: %q has nothing a child could say to an adult who knows it as %q", contact.ID, locale, name, contact.Name["nb"])
				}
			}
		}
	}
	for _, locale := range []string{"en", "se", "uk", "pl", "ar", "so"} {
		text, _ := readTexts(t).Text(locale, "card.tell.alone", "")
		if !strings.Contains(text, "(«Jeg trenger hjelp.") {
			t.Errorf("%s: a child cannot show this to an adult who reads Norwegian: %s", locale, text)
		}
	}
}
