package data

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Place is what a typed name meant.
type Place struct{ Number, Area string }

// places finds municipalities and areas by their names.
type places struct {
	exact map[string]Place
	names []string // all of them, for typing errors
	words int      // of the longest name
}

// maxPlace bounds what is looked at: nobody's town has a longer name, and a
// long text costs no more than a short one (F39).
const maxPlace = 200

// filler are the words around a name: "jeg bor i Tromsø kommune".
var filler = fold("i på fra ved kommune kommunen by byen bydel bydelen jeg eg æ bor bur kommer in from at city of the municipality i am live w z mieszkam я живу в у з waxaan ku noolahay magaalada magaalo أنا أعيش في من مدينة mun orun eret suohkan")

var fillers = strings.Fields(filler)

func makePlaces(towns []Municipality) places {
	p := places{exact: map[string]Place{}}
	twice := map[string]bool{}
	add := func(name string, to Place) {
		name = fold(name)
		if name == "" {
			return
		}
		if have, ok := p.exact[name]; ok && have != to {
			twice[name] = true // a name of two places is no answer
			return
		}
		p.exact[name] = to
		p.words = max(p.words, strings.Count(name, " ")+1)
	}
	for _, m := range towns {
		to := Place{Number: m.Number}
		add(m.Name, to)
		for _, n := range m.Also {
			add(n, to)
		}
		for id, a := range m.Areas {
			to := Place{m.Number, id}
			add(a.Name, to)
			for _, n := range a.Also {
				add(n, to)
			}
		}
	}
	for name := range twice {
		delete(p.exact, name)
	}
	for name := range p.exact {
		p.names = append(p.names, name)
	}
	slices.Sort(p.names)
	return p
}

// Find gives the municipality, and the area of it, that a typed text names:
// "Tromsø", "i tromso", "OSLO KOMMUNE", "Grorud i Oslo", and one wrong letter
// where only one place is meant. False: no place, or several.
func (d *Data) Find(text string) (Place, bool) {
	if len(text) > maxPlace {
		return Place{}, false
	}
	return d.places.find(text)
}

func (p places) find(text string) (Place, bool) {
	words := strings.Fields(fold(text))
	name := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(fillers, w) })
	whole := strings.Join(name, " ")
	if whole == "" {
		return Place{}, false
	}
	if to, ok := p.exact[whole]; ok {
		return to, true
	}
	if to, ok := p.within(words); ok {
		return to, true
	}
	return p.near(whole)
}

// within looks for names inside a sentence. Several names are an answer only
// when they agree: an area together with its municipality.
func (p places) within(words []string) (Place, bool) {
	var found Place
	for i := range words {
		for n := min(p.words, len(words)-i); n > 0; n-- {
			to, ok := p.exact[strings.Join(words[i:i+n], " ")]
			if !ok {
				continue
			}
			switch {
			case found.Number == "":
				found = to
			case found.Number != to.Number, found.Area != "" && to.Area != "" && found.Area != to.Area:
				return Place{}, false
			case to.Area != "":
				found = to
			}
			break // the longest name that starts here
		}
	}
	return found, found.Number != ""
}

// near forgives one wrong, missing, doubled or swapped letter when one place
// alone is that near. Short names must have all their letters: "slo" is a word.
func (p places) near(name string) (Place, bool) {
	var found Place
	for _, have := range p.names {
		if !oneOff([]rune(name), []rune(have)) {
			continue
		}
		to := p.exact[have]
		if found.Number != "" && found != to {
			return Place{}, false
		}
		found = to
	}
	return found, found.Number != ""
}

func oneOff(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(a) < 4 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	rest := func(x, y []rune) bool { return slices.Equal(x, y) }
	if len(a) == len(b) {
		if i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && rest(a[i+2:], b[i+2:]) {
			return true // swapped
		}
		return len(a) > 4 && i < len(a) && rest(a[i+1:], b[i+1:])
	}
	return len(a) > 4 && rest(a[i:], b[i+1:])
}

// fold makes different spellings of a name the same: small letters, no accents,
// å as aa and a, ø as oe and o, no signs.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		switch {
		case r == 'ø':
			b.WriteByte('o')
		case r == 'æ':
			b.WriteString("ae")
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r), r == '\'', r == '’':
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	f := strings.Join(strings.Fields(b.String()), " ")
	return twoLetters.Replace(f)
}

var twoLetters = strings.NewReplacer("aa", "a", "oe", "o")
