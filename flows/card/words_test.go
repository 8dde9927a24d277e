package card_test

import (
	"strings"
	"testing"

	"trygg/flows"
	"trygg/flows/card"
)

func TestS1_wordsForHelpInEveryLanguage(t *testing.T) {
	for _, locale := range append([]string{""}, card.Locales...) {
		if len(card.Words(locale)) == 0 {
			t.Errorf("%q has no word for help", locale)
		}
		for _, w := range card.Words(locale) {
			for name, typed := range map[string]string{
				"as it stands":     w,
				"in capitals":      strings.ToUpper(w),
				"with signs":       "  " + w + "!!!",
				"as a command":     "/" + w,
				"with an emoji":    w + " 😢",
				"with zero widths": strings.Join(strings.Split(w, ""), "\u200b"),
			} {
				if !card.IsHelp(typed) {
					t.Errorf("%s: %q, %s, is not heard", locale, typed, name)
				}
			}
		}
	}
}

func TestHelpHoweverItIsSpelt(t *testing.T) {
	for _, s := range []string{
		"HJEEEELP", "hjelp hjelp hjelp", "h j e l p", "h.j.e.l.p", "hj3lp", "h3lp", "s.o.s", "S O S!!", "vær så snill hjelp meg", "please help me now", "Hjelp meg da!!!",
		"hei, jeg trenger hjelp", "nød", "𝐡𝐣𝐞𝐥𝐩", "ｈｅｌｐ", "hеlp", "ПОМОГИТЕ", "Допоможіть мені, будь ласка", "pomoc!", "Proszę o pomoc", "سَاعِدْني", "ساعدنــي", "النجدة!!", "waxaan u baahanahay caawimo fadlan", "veahket mu", "🆘", "🆘🆘", "1 1 2", "116 111", "112!",
	} {
		if !card.IsHelp(s) {
			t.Errorf("%q is not heard", s)
		}
	}
}

func TestWhatIsNoCryForHelp(t *testing.T) {
	for _, s := range []string{
		"", "   ", "!!!", "😀", "hei", "hjelp meg med leksene", "hvem hjelper politiet", "jeg hjelper mamma", "hva er barnevernet", "help desk", "self help books", "i", "no", "da",
		"selvhjelp", "pomocnik", "1120", "12", "nede", strings.Repeat("hjelp ", 1000), "\xff\xfe",
	} {
		if card.IsHelp(s) {
			t.Errorf("%q is taken for a cry for help", s)
		}
	}
}

func FuzzIsHelp(f *testing.F) {
	f.Add("hjelp")
	f.Add("h\u0301\u0301\u0301e l p")
	f.Add("ﷺ 🆘 \xff")
	f.Fuzz(func(t *testing.T, s string) {
		if card.IsHelp(s) && !card.IsHelp(strings.ToUpper(s)) && strings.ToLower(strings.ToUpper(s)) == s {
			t.Errorf("%q is heard, in capitals it is not", s)
		}
	})
}

func TestS13_answersInWords(t *testing.T) {
	for _, c := range []struct {
		locale, text string
		want         card.Part
	}{
		{"nb", "ja", card.Safe}, {"nb", "Jaaa!", card.Safe}, {"nb", "jeg er trygg nå", card.Hmm}, {"nb", "ja men bare litt", card.Hmm}, {"nb", "👍🏽", card.Safe},
		{"nb", "nei", card.Risk}, {"nb", "NEI!!!", card.Risk}, {"nb", "nei han er her", card.Risk}, {"nb", "jeg er ikke trygg", card.Risk}, {"nb", "👎", card.Risk},
		{"nb", "vet ikke", card.Hmm}, {"nb", "Jeg vet ikke helt", card.Hmm}, {"nb", "ikke", card.Risk}, {"nn", "eg veit ikkje", card.Hmm}, {"nn", "no", card.Risk},
		{"en", "yes", card.Safe}, {"en", "no he is here", card.Risk}, {"en", "idk", card.Hmm}, {"se", "in dieđe", card.Hmm}, {"se", "ii", card.Risk},
		{"uk", "так", card.Safe}, {"uk", "ні", card.Risk}, {"uk", "не знаю", card.Hmm}, {"pl", "tak", card.Safe}, {"pl", "nie wiem", card.Hmm}, {"pl", "nie", card.Risk},
		{"ar", "نعم", card.Safe}, {"ar", "لا", card.Risk}, {"ar", "لا أعرف", card.Hmm}, {"ar", "nei", card.Risk}, {"so", "haa", card.Safe}, {"so", "maya", card.Risk}, {"so", "ma garanayo", card.Hmm},
		{"nb", "takk", card.Main}, {"nb", "hva er klokka", card.Main}, {"nb", "", card.Main}, {"nb", "jakke", card.Main}, {"nb", strings.Repeat("ja ", 200), card.Main},
	} {
		r, ok := card.Request{Locale: c.locale, Level: flows.Disclosure}.Answer(c.text, c.locale)
		if ok != (c.want != card.Main) || r.Part != c.want {
			t.Errorf("%s: %q is answered with page %q, %v, want %q", c.locale, c.text, r.Part, ok, c.want)
		}
	}
	if _, ok := (card.Request{Locale: "nb", Level: flows.Acute}).Answer("nei", "nb"); ok {
		t.Error("a card that did not ask was answered")
	}
}
