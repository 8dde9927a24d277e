package card

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// helpWords are the short ways to ask for help, by language, as people type
// them: dialects, typing errors and other letters with them. Whole messages
// only; what stands inside a longer message is for flows/crisis.
var helpWords = map[string][]string{
	"nb": {
		"hjelp", "hjelpe", "hjelp meg", "hjelpe meg", "hjelp oss", "kan du hjelpe", "kan du hjelpe meg", "kan noen hjelpe meg", "kan noen hjelpe",
		"jeg trenger hjelp", "trenger hjelp", "jeg vil ha hjelp", "jeg må ha hjelp", "må ha hjelp", "kan jeg få hjelp", "få hjelp", "hjelp nå", "noen må hjelpe meg",
		"nød", "nødhjelp", "nødnummer", "nødtelefon", "redd meg", "ring politiet", "ring noen", "hjelpekort", "hjelpetelefon",
		"jelp", "hejlp", "hlep", "hjlep", "hjelo", "hkelp", "hjep", "hjlp", "yelp meg", "hjælp", "hjælp mæ", "hjelp mæ", "hjelp me",
		"æ treng hjelp", "æ trenge hjelp", "e trenge hjelp", "jæ trenger hjelp", "i trenge hjelp",
	},
	"nn": {
		"hjelp", "hjelp meg", "eg treng hjelp", "treng hjelp", "kan nokon hjelpe meg", "kan nokon hjelpe", "kan du hjelpe meg", "eg vil ha hjelp", "eg må ha hjelp",
		"kan eg få hjelp", "naud", "naudnummer", "nokon må hjelpe meg",
	},
	"en": {
		"help", "help me", "help us", "i need help", "need help", "can you help", "can you help me", "can someone help me", "someone help me", "somebody help me", "please help me",
		"i want help", "get help", "help now", "emergency", "sos", "s o s", "mayday", "save me", "call the police", "call police", "hepl", "hlep", "halp", "hlp", "hellp", "helf",
	},
	"se": {
		"veahkki", "veahki", "veahket", "veahket mu", "veahkehat go mu", "veahkehatgo mu", "veahkehehket mu", "mun dárbbašan veahki", "dárbbašan veahki", "mun haliidan veahki", "heahti", "heađis", "sáhtátgo veahkehit", "sáhtátgo veahkehit mu", "vehkki",
	},
	"uk": {
		"допоможіть", "допоможи", "допоможіть мені", "допоможи мені", "допомога", "допомоги", "допомогу", "на допомогу", "мені потрібна допомога", "потрібна допомога", "можеш допомогти", "можете допомогти", "рятуйте", "рятуй", "врятуйте мене", "поможіть", "поможи",
		"dopomozhit", "dopomozhy", "dopomozhit meni", "dopomoha", "dopomohy", "dopomogy", "meni potribna dopomoha", "potribna dopomoha", "riatuite", "ryatuyte", "pomozhit",
		"помогите", "помоги", "помогите мне", "помоги мне", "помощь", "мне нужна помощь", "нужна помощь", "спасите", "pomogite", "pomogi",
	},
	"pl": {
		"pomoc", "pomocy", "pomóż", "pomóż mi", "pomóżcie", "pomóżcie mi", "potrzebuję pomocy", "proszę o pomoc", "na pomoc", "ratunku", "ratuj", "ratujcie", "możesz mi pomóc", "czy możesz mi pomóc", "chcę pomocy", "pomusz", "pomuż mi",
	},
	"ar": {
		"مساعدة", "المساعدة", "ساعدني", "ساعديني", "ساعدوني", "ساعدونا", "النجدة", "نجدة", "انقذوني", "انقذني", "أحتاج مساعدة", "احتاج الى مساعدة", "أحتاج إلى المساعدة", "أريد مساعدة", "أريد المساعدة", "بدي مساعدة", "محتاج مساعدة", "محتاجة مساعدة", "الحقوني", "الحقني", "هل يمكنك مساعدتي", "ممكن مساعدة", "طوارئ",
		"musaada", "musa3ada", "saedni", "sa3idni", "sa3dni", "sa3duni", "sa3edni", "saadni", "najda", "alnajda", "elha2ni",
	},
	"so": {
		"caawimo", "caawimaad", "caawi", "i caawi", "i caawiya", "na caawi", "ii gargaar", "gargaar", "gurmad", "gurmad deg deg", "i badbaadi", "i badbaadiya", "waxaan u baahanahay caawimo", "waxaan u baahanahay caawimaad", "u baahanahay caawimo", "u baahanahay caawimaad", "caawimaad ayaan u baahanahay", "caawimo ayaan rabaa", "caawin", "ma i caawin kartaa", "cawimo", "i cawi",
	},
	// What is the same everywhere.
	"": {"🆘", "112", "113", "110", "116111", "116 111", "911", "999"},
}

// Words gives the words for help of a language; "" gives those of none.
func Words(locale string) []string { return slices.Clone(helpWords[locale]) }

// polite are words that may stand around a word for help.
var polite = makeSet("hei", "hey", "heia", "hallo", "hello", "hi", "vær så snill", "ver så snill", "snill", "plis", "pls", "plz", "please", "takk", "nå", "no", "now", "fort", "straks", "du", "da", "a", "ja",
	"buorre", "giitu", "dál", "привіт", "будь", "ласка", "прошу", "пожалуйста", "cześć", "proszę", "teraz", "من", "فضلك", "لو", "سمحت", "مرحبا", "الآن", "fadlan", "hadda", "salaan")

var helpSet = func() map[string]bool {
	set := map[string]bool{}
	for _, list := range helpWords {
		for _, w := range list {
			set[fold(w)] = true
		}
	}
	return set
}()

func makeSet(words ...string) map[string]bool {
	set := map[string]bool{}
	for _, w := range words {
		for _, part := range strings.Fields(fold(w)) {
			set[part] = true
		}
	}
	return set
}

// maxHelp bounds the messages that are looked at: nobody's cry is longer.
const maxHelp = 200

// IsHelp tells whether a message is nothing but a word for help in any of our
// languages (S1), however it is spelt: capitals, "hjeeelp!!", "h j e l p",
// digits and look-alikes for letters.
func IsHelp(text string) bool {
	if len(text) > maxHelp {
		return false
	}
	text = strings.TrimPrefix(strings.TrimSpace(text), "/")
	folded := fold(text)
	if folded == "" {
		return false
	}
	if helpSet[folded] {
		return true
	}
	words := strings.Fields(folded)
	for len(words) > 1 && polite[words[0]] {
		words = words[1:]
	}
	for len(words) > 1 && polite[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	if helpSet[strings.Join(words, " ")] {
		return true
	}
	// "hjelp hjelp hjelp"
	return len(words) > 1 && helpSet[words[0]] && !slices.ContainsFunc(words, func(w string) bool { return w != words[0] })
}

// fold makes different spellings the same (S11): small letters without marks,
// one of each run of letters, letters for digits and look-alikes, spaced
// letters together.
func fold(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(text)) {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), r == 'ـ':
		case r == 'ø':
			b.WriteRune('o')
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ł':
			b.WriteRune('l')
		case r == 'أ', r == 'إ', r == 'آ', r == 'ٱ':
			b.WriteRune('ا')
		case r == 'ة':
			b.WriteRune('ه')
		case r == 'ى':
			b.WriteRune('ي')
		case r == '🆘', unicode.IsLetter(r), unicode.IsDigit(r), r == '@', r == '$':
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	single := len(words) > 2
	for i, w := range words {
		words[i] = plain(w)
		single = single && len([]rune(w)) == 1
	}
	if single {
		return plain(strings.Join(words, ""))
	}
	return strings.Join(words, " ")
}

// plain undoes digits and look-alikes in a word that mixes them with letters,
// and repeated letters.
func plain(w string) string {
	latin, cyrillic, number := false, false, false
	for _, r := range w {
		latin = latin || r >= 'a' && r <= 'z'
		cyrillic = cyrillic || unicode.Is(unicode.Cyrillic, r)
		number = number || r >= '0' && r <= '9' || r == '@' || r == '$'
	}
	var b strings.Builder
	var last rune
	for _, r := range w {
		if latin && number {
			if to, ok := digitLetters[r]; ok {
				r = to
			}
		}
		if latin && cyrillic {
			if to, ok := lookAlikes[r]; ok {
				r = to
			}
		}
		if r == last && !unicode.IsDigit(r) {
			continue
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

var digitLetters = map[rune]rune{'0': 'o', '1': 'l', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', '$': 's'}

var lookAlikes = map[rune]rune{'а': 'a', 'в': 'b', 'е': 'e', 'і': 'i', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'с': 'c', 'т': 't', 'у': 'y', 'х': 'x', 'ѕ': 's', 'ј': 'j', 'һ': 'h', 'ԁ': 'd', 'ɡ': 'g'}

// answers are the ways to answer the card's question in words: yes, no, do not
// know. An answer is read in the child's language and in those that all learn.
var answers = map[string]map[Part][]string{
	"nb": {
		Safe: {"ja", "jaa", "jada", "japp", "jepp", "jupp", "jess", "jo", "yes", "trygg", "jeg er trygg", "æ e trygg", "e er trygg", "er trygg", "tror det"},
		Risk: {"nei", "neida", "nope", "nix", "niks", "næ", "nehei", "ikke", "itj", "ikkje", "utrygg", "er ikke trygg", "jeg er ikke trygg", "farlig", "redd", "i fare"},
		Hmm:  {"vet ikke", "veit ikke", "veit ikkje", "veit itj", "vetke", "usikker", "kanskje", "litt", "både og", "jeg vet ikke", "æ veit itj", "husker ikke"},
	},
	"nn": {
		Safe: {"eg er trygg", "ja", "jau", "jo", "trur det"},
		Risk: {"nei", "ikkje", "eg er ikkje trygg", "utrygg", "redd"},
		Hmm:  {"veit ikkje", "eg veit ikkje", "usikker", "kanskje", "litt"},
	},
	"en": {
		Safe: {"yes", "yeah", "yep", "yup", "ye", "safe", "i am safe", "im safe", "i think so"},
		Risk: {"no", "nope", "nah", "not safe", "not really", "unsafe", "im not safe", "i am not safe", "scared"},
		Hmm:  {"dont know", "i dont know", "idk", "dunno", "not sure", "maybe", "kinda", "a bit"},
	},
	"se": {
		Safe: {"juo", "jo", "ja", "de lea", "lean", "oadjebas"},
		Risk: {"ii", "in", "in leat", "ii leat", "balan"},
		Hmm:  {"in dieđe", "in diehtán", "kánske", "soaitá", "veahá"},
	},
	"uk": {
		Safe: {"так", "ага", "угу", "да", "в безпеці", "я в безпеці"},
		Risk: {"ні", "нє", "неа", "нет", "не в безпеці", "я не в безпеці", "страшно", "боюся"},
		Hmm:  {"не знаю", "незнаю", "може", "мабуть", "можливо", "не впевнена", "не впевнений", "трохи"},
	},
	"pl": {
		Safe: {"tak", "taa", "ta", "jestem bezpieczna", "jestem bezpieczny", "bezpieczna", "bezpieczny"},
		Risk: {"nie", "niee", "nieee", "boję się", "nie jestem"},
		Hmm:  {"nie wiem", "niewiem", "może", "chyba", "trochę", "nie jestem pewna", "nie jestem pewien"},
	},
	"ar": {
		Safe: {"نعم", "ايوه", "أيوه", "ايه", "اي", "اه", "آه", "أجل", "بأمان", "انا بأمان", "na3am", "aywa"},
		Risk: {"لا", "لأ", "لاء", "مو", "مش", "لست", "خايف", "خايفة", "خائف", "خائفة", "la"},
		Hmm:  {"لا أعرف", "لا اعرف", "ما اعرف", "ما بعرف", "مابعرف", "مش عارف", "مش عارفة", "ربما", "يمكن", "لا ادري", "لست متأكد"},
	},
	"so": {
		Safe: {"haa", "ha", "haah", "waan ammaan ahay", "ammaan"},
		Risk: {"maya", "may", "mya", "ma ahi", "waan baqayaa"},
		Hmm:  {"ma garanayo", "ma aqaan", "ma ogi", "malaha", "waxyar"},
	},
}

// signs are answers without a word.
var signs = map[string]Part{"👍": Safe, "✅": Safe, "👎": Risk, "❌": Risk, "🤷": Hmm}

// Answer tells which page answers typed words, where r is the page that stands
// there and asked whether the child is safe (S13). A yes counts only when it is
// all that is said; a yes with more behind it, "yes but he comes soon", is as
// good as not knowing. Every answer is a page with help.
func (r Request) Answer(text, locale string) (Request, bool) {
	if !asks(r) || len(text) > maxHelp {
		return r, false
	}
	all, part := strings.Join(strings.Fields(fold(text)), " "), Main
	for sign, p := range signs {
		if all == "" && strings.HasPrefix(strings.TrimSpace(text), sign) {
			part = p
		}
	}
	most := 0
	for _, l := range append([]string{locale}, written...) {
		for p, list := range answers[l] {
			for _, w := range list {
				w = fold(w)
				rest, ok := strings.CutPrefix(all, w)
				if !ok || rest != "" && rest[0] != ' ' || len(w) < most || len(w) == most && p == Safe {
					continue
				}
				if part, most = p, len(w); p == Safe && rest != "" {
					part = Hmm
				}
			}
		}
	}
	r.Part = part
	return r, part != Main
}
