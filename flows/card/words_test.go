package card_test

import (
	"strings"
	"testing"

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
