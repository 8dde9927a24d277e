package crisis_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"trygg/flows"
	"trygg/flows/crisis"
)

var shared = sync.OnceValues(crisis.New)

// mustReader gives the one reader all tests share.
func mustReader(t testing.TB) *crisis.Reader {
	t.Helper()
	r, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t testing.TB, text string) flows.Understanding {
	t.Helper()
	return mustReader(t).Read(flows.NewWords(text))
}

func TestRead_levels(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		level      flows.Level
		topic      string
	}{
		{"a plain wish to die is acute", "jeg vil dø", flows.Acute, "suicide-selfharm"},
		{"in dialect too", "æ vil itj leve lenger", flows.Acute, "suicide-selfharm"},
		{"a hedged thought is a worry", "noen ganger tenker jeg på hvordan det er å være død", flows.Worry, "suicide-selfharm"},
		{"not wanting to die is not nothing", "jeg vil ikke dø men jeg er så lei av alt", flows.Worry, "suicide-selfharm"},
		{"a blow now is acute", "pappa slår meg nå", flows.Acute, "violence-physical"},
		{"a blow told is a disclosure", "pappa slår meg når han er sint", flows.Disclosure, "violence-physical"},
		{"a denial is a worry, never nothing", "pappa slår meg ikke", flows.Worry, "violence-physical"},
		{"a joke about real harm is a worry", "jeg bare tulla da jeg sa at pappa slår meg", flows.Worry, "violence-physical"},
		{"a hint is a worry", "jeg tør ikke gå hjem", flows.Worry, "violence-psychological"},
		{"drink and anger", "pappa blir så sint når han drikker", flows.Worry, "violence-psychological"},
		{"violence between adults", "pappa slår mamma hver helg", flows.Disclosure, "violence-witness"},
		{"a friend", "vennen min blir slått av faren sin", flows.Disclosure, "friend-in-trouble"},
		{"an adult who hurts a child", "jeg mistet besinnelsen og slo sønnen min", flows.Disclosure, "i-hurt-someone"},
		{"a brother", "broren min slår meg når ingen ser det", flows.Disclosure, "sibling-violence"},
		{"a sweetheart", "kjæresten min slår meg", flows.Disclosure, "dating-violence"},
		{"a teacher", "læreren min slo meg", flows.Disclosure, "violence-by-professional"},
		{"a nude picture", "han truer med å dele nakenbildet mitt", flows.Disclosure, "abuse-online"},
		{"forced to marry", "foreldrene mine tvinger meg til å gifte meg", flows.Disclosure, "forced-marriage"},
		{"cutting that is planned", "de vil omskjære søsteren min", flows.Acute, "fgm"},
		{"bullying", "jeg blir mobba hver dag", flows.Disclosure, "bullying"},
		{"nynorsk", "eg vert slegen heime", flows.Disclosure, "violence-physical"},
		{"english", "my dad hits me", flows.Disclosure, "violence-physical"},
		{"sámi", "áhčči časká mu", flows.Disclosure, "violence-physical"},
		{"ukrainian", "тато мене б'є", flows.Disclosure, "violence-physical"},
		{"polish without marks", "tata mnie bije i nie chce mi sie zyc", flows.Acute, "suicide-selfharm"},
		{"arabic", "أبي يضربني", flows.Disclosure, "violence-physical"},
		{"somali", "aabbe ayaa i garaaca", flows.Disclosure, "violence-physical"},
		{"two languages in one sentence", "my stefar slår me every day", flows.Disclosure, "violence-physical"},
		{"the lawn", "kan du slå plenen", flows.None, "other"},
		{"a match", "vi slo dem 3-0", flows.None, "other"},
		{"laughing", "jeg dør av latter", flows.None, "other"},
		{"a boss in a game", "jeg drepte bossen i spillet", flows.None, "other"},
		{"a test", "jeg drepte den matteprøven", flows.None, "other"},
		{"the television", "mamma slo av tv-en", flows.None, "other"},
		{"a fall", "jeg slo meg på kneet", flows.None, "other"},
		{"a question about rights", "hvilke rettigheter har jeg", flows.None, "rights"},
		{"what happens if I tell", "hva skjer hvis jeg sier det til læreren", flows.None, "what-happens-if-i-tell"},
		{"who can help", "hvem kan jeg snakke med", flows.None, "who-can-help"},
		{"a greeting", "hei hvem er du", flows.None, "smalltalk"},
		{"about the service", "denne boten er dårlig", flows.None, "feedback"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := read(t, tt.text)
			if u.Level != tt.level {
				t.Errorf("level %v, want %v (%v)", u.Level, tt.level, u.Why)
			}
			if len(u.Topics) == 0 || u.Topics[0] != tt.topic {
				t.Errorf("topics %v, want %v first", u.Topics, tt.topic)
			}
			if u.Level > flows.None && len(u.Why) == 0 {
				t.Error("no reason is named")
			}
		})
	}
}

func TestRead_disguises(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"capitals", "PAPPA SLÅR MEG"},
		{"spaced letters", "pappa s l å r meg"},
		{"letters with points", "pappa s.l.å.r meg"},
		{"everything spaced", "p a p p a  s l å r  m e g"},
		{"digits for letters", "p4pp4 sl4r m3g"},
		{"signs for letters", "p@pp@ $l@r meg"},
		{"a star for a vowel", "pappa sl*r meg"},
		{"look-alike letters", "pаppа slår mеg"},
		{"zero-width signs", "pap\u200bpa sl\u200får m\u2060eg"},
		{"direction marks", "\u202epappa slår meg\u202c"},
		{"long letters", "pappaaaaa slåååååår meeeeg"},
		{"full width", "ｐａｐｐａ ｓｌåｒ ｍｅｇ"},
		{"no spaces", "pappaslårmeg"},
		{"aa for å", "pappa slaar meg"},
		{"no mark on å", "pappa slar meg"},
		{"marks piled up", "p\u0335a\u0336p\u0337pa sla\u030a\u0336r meg"},
		{"a typing error", "pappa sparkr meg i magen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if u := read(t, tt.text); u.Level < flows.Disclosure {
				t.Errorf("level %v, want a disclosure", u.Level)
			}
		})
	}
}

func TestRead_helpWords(t *testing.T) {
	for _, text := range []string{
		"hjelp", "HJELP!!!", "hjelp meg", "/hjelp", "help", "SOS", "🆘", "veahket", "допоможіть", "pomocy", "مساعدة", "النجدة", "caawi", "ratunku", "112",
	} {
		if u := read(t, text); !u.Help {
			t.Errorf("%q does not ask for help", text)
		}
	}
	for _, text := range []string{"kan du hjelpe meg med matteleksa", "takk for hjelpen", "hei"} {
		if u := read(t, text); u.Help {
			t.Errorf("%q asks for help", text)
		}
	}
}

func TestRead_languageOfTheDecision(t *testing.T) {
	for text, want := range map[string]string{
		"pappa slår meg": "nb", "eg vert slegen heime": "nn", "my dad hits me": "en", "áhčči časká mu": "se",
		"тато мене б'є": "uk", "tata mnie bije": "pl", "أبي يضربني": "ar", "aabbe ayaa i garaaca": "so",
		"hei jeg heter ola, tata mnie bije, jeg er ti år": "pl",
	} {
		if u := read(t, text); u.Language != want {
			t.Errorf("%q is %q, want %q", text, u.Language, want)
		}
	}
}

func TestRead_past(t *testing.T) {
	if u := read(t, "da jeg var liten slo pappa meg"); !slices.Contains(u.Why, crisis.Past) {
		t.Errorf("reasons %v do not mark the past", u.Why)
	}
	if u := read(t, "pappa slår meg nå"); slices.Contains(u.Why, crisis.Past) {
		t.Errorf("reasons %v mark the past", u.Why)
	}
}

func TestRead_personalDataIsNoticed(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"a mobile number", "ring meg på 41234567", []string{"phone"}},
		{"a grouped number", "tlf 912 34 567", []string{"phone"}},
		{"pairs", "nummeret er 22 33 44 55", []string{"phone"}},
		{"with the country", "+47 41234567", []string{"phone"}},
		{"an address", "skriv til kari.nordmann@eksempel.no", []string{"email"}},
		{"a valid birth number", "fødselsnummer 01010012356", []string{"birth-number"}},
		{"a birth number with a space", "010100 12356", []string{"birth-number"}},
		{"both", "kari@eksempel.no 41234567", []string{"email", "phone"}},
		{"a help line is not personal", "800 33 321", nil},
		{"an emergency number is not", "112 og 116 111", nil},
		{"years are not", "jeg var der i 2010 2011", nil},
		{"a date is not", "12.05.2010", nil},
		{"a wrong control digit is not", "01010012357", nil},
		{"a long number is not", "41234567890123", nil},
		{"an at sign is not", "møtes @ kafeen", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, read(t, tt.text).Personal); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// birthNumber makes a number with right control digits for the first nine.
func birthNumber(nine string) (string, bool) {
	sum := func(s string, w []int) int {
		n := 0
		for i, k := range w {
			n += k * int(s[i]-'0')
		}
		return (11 - n%11) % 11
	}
	a := sum(nine, []int{3, 7, 6, 1, 8, 9, 4, 5, 2})
	if a == 10 {
		return "", false
	}
	ten := nine + fmt.Sprint(a)
	b := sum(ten, []int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2})
	if b == 10 {
		return "", false
	}
	return ten + fmt.Sprint(b), true
}

func TestRead_birthNumbersOfEveryKind(t *testing.T) {
	for name, date := range map[string]string{"ordinary": "010305", "d-number": "410305", "synthetic": "014305", "synthetic (tax)": "018305"} {
		found := false
		for i := range 900 {
			n, ok := birthNumber(fmt.Sprintf("%s%03d", date, i))
			if !ok {
				continue
			}
			found = true
			if got := read(t, "nummeret er "+n).Personal; !slices.Contains(got, "birth-number") {
				t.Errorf("%s: a valid number is not noticed", name)
				break
			}
		}
		if !found {
			t.Errorf("%s: no number could be made", name)
		}
	}
}

func TestF39_longHeavyAndBroken(t *testing.T) {
	heavy := strings.Repeat("a\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308", 455)
	for name, text := range map[string]string{
		"4,096 combining marks":       heavy[:strings.LastIndex(heavy[:4096], "a")],
		"invalid bytes":               strings.Repeat("\xff\xfe\xc3", 1400),
		"marks without a letter":      strings.Repeat("\u0301", 4096),
		"one long word":               strings.Repeat("å", 4096),
		"4,096 spaces":                strings.Repeat(" ", 4096),
		"a megabyte":                  strings.Repeat("pappa er sint og ", 60000),
		"letters that expand":         strings.Repeat("ﷺ", 4096),
		"brackets and stars":          strings.Repeat("*#@$", 1024),
		"direction marks and nothing": strings.Repeat("\u202e\u200f", 2000),
	} {
		t.Run(name, func(t *testing.T) {
			r := mustReader(t)
			w := flows.NewWords(text)
			r.Read(w)
			if n := testing.AllocsPerRun(3, func() { r.Read(w) }); n > 200 {
				t.Errorf("%v allocations", n)
			}
		})
	}
	// What is said in the middle of noise is heard, and at the end of too much.
	for _, text := range []string{
		"\xff\xfe pappa slår meg \xc3",
		strings.Repeat("bla ", 1000) + "pappa slår meg",
		strings.Repeat("og så skjedde det ingenting ", 4000) + ". pappa slår meg",
	} {
		if u := read(t, text); u.Level < flows.Disclosure {
			t.Errorf("level %v for %d bytes of noise", u.Level, len(text))
		}
	}
}

func TestF40_emptySpacesAndEmoji(t *testing.T) {
	for _, text := range []string{"", " ", "\n\t ", "😂", "👍👍👍", "...", "?!", "\u200b"} {
		u := read(t, text)
		if u.Level != flows.None || u.Help {
			t.Errorf("%q is read as %v, help %v", text, u.Level, u.Help)
		}
	}
}

// TestF101 covers what one reading can: the language set plays no part, errors
// in spelling are read through, and the parts of a split message make one.
func TestF101_spellingErrorsAndSplitMessages(t *testing.T) {
	for _, text := range []string{"jeg vill dø", "jgg vil dø", "pappa har en kniiv", "jeg vil\nikke leve\nlenger", "han slår\nmeg\nnå", "vil dø"} {
		if u := read(t, text); u.Level != flows.Acute {
			t.Errorf("%q is read as %v", text, u.Level)
		}
	}
}

func TestRead_inLongStories(t *testing.T) {
	story := "hei jeg heter ida og går i sjette klasse. jeg liker å tegne og spille fotball og har en hund som heter trym. " +
		"i går da jeg kom hjem hadde jeg glemt nøkkelen og da ble pappa så sint at han slo meg i ansiktet. ellers går det fint på skolen"
	if u := read(t, story); u.Level < flows.Disclosure {
		t.Errorf("a story with one sentence that tells is read as %v", u.Level)
	}
}

// TestRead_keepsNoWords looks for what was typed in everything that comes out.
func TestRead_keepsNoWords(t *testing.T) {
	for _, text := range []string{
		"kanarifuglen pappa slår meg zebrastripe",
		"jeg vil dø flaggermusvinge",
		"kanarifuglen 41234567 kari@eksempel.no",
		"ja må vannmelonen hjelpe meg",
	} {
		b, err := json.Marshal(read(t, text))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range strings.Fields(text) {
			if utf8.RuneCountInString(word) > 6 && strings.Contains(string(b), word) {
				t.Errorf("%q comes out of the reader", word)
			}
		}
	}
}

func TestRead_isTheSameEveryTimeAndSideBySide(t *testing.T) {
	r := mustReader(t)
	texts := []string{"pappa slår meg", "jeg vil dø", "vi slo dem 3-0", "hei", "أبي يضربني", "kan du hjelpe meg med matte", "han e så rar når han drikk"}
	want := make([]flows.Understanding, len(texts))
	for i, text := range texts {
		want[i] = r.Read(flows.NewWords(text))
	}
	other, err := crisis.New()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 40 {
				i := (g + k) % len(texts)
				reader := r
				if k%2 == 1 {
					reader = other
				}
				if diff := cmp.Diff(want[i], reader.Read(flows.NewWords(texts[i]))); diff != "" {
					t.Errorf("a second reading differs:\n%s", diff)
				}
			}
		})
	}
	wg.Wait()
}

func TestRead_topicsAreFromTheClosedList(t *testing.T) {
	closed := strings.Fields("violence-physical violence-psychological violence-witness neglect sexual-abuse abuse-online negative-social-control forced-marriage fgm sibling-violence dating-violence bullying violence-by-professional i-hurt-someone suicide-selfharm friend-in-trouble rights what-happens-if-i-tell who-can-help feedback smalltalk other")
	r := mustReader(t)
	for _, s := range mustSentences(t, "dev") {
		u := r.Read(s.Words)
		for _, topic := range u.Topics {
			if !slices.Contains(closed, topic) {
				t.Fatalf("%s: topic %q", s.ID, topic)
			}
		}
		if u.Level > flows.None && (len(u.Why) == 0 || len(u.Topics) == 0 || u.Language == "") {
			t.Errorf("%s: a decision without a reason, topic or language: %+v", s.ID, u)
		}
	}
}

// TestRead_plain reads what most children would type, in few words: each of them
// has to be right.
func TestRead_plain(t *testing.T) {
	b, err := os.ReadFile("testdata/plain.txt")
	if err != nil {
		t.Fatal(err)
	}
	sentences, err := crisis.ParseSentences(bytes.NewReader(b), "nb", "plain")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sentences {
		rep := crisis.Evaluate(mustReader(t), []crisis.Sentence{s})
		hits := rep.Kinds[s.Kind]["all"].Hits
		if alarm := s.Kind == crisis.KindEveryday; (hits == 1) == alarm {
			t.Errorf("%s: %q is read as %v", s.Kind, s.Words.Read(), rep.Confusion[s.Kind])
		}
	}
}
