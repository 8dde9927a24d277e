package search

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The kinds of personal data that are taken out (D10, inv-4).
const (
	BirthNumber = "birth-number"
	BirthDate   = "birth-date"
	Phone       = "phone"
	Email       = "email"
	Name        = "name"
	Address     = "address"
)

// Strip takes personal data out of a question: valid birth numbers (D-, H- and
// synthetic numbers too), birth dates, telephone numbers, e-mail addresses, a
// listed first name with the name after it, and street addresses. It answers
// what is left, and the kinds that were found. What is left may be read further;
// it is still a person's words and is not for keeping.
func Strip(text string) (clean string, kinds []string) { return listed().strip(text) }

var listed = sync.OnceValue(func() *names {
	n, err := loadNames(embedded)
	if err != nil {
		panic(err) // compiled in, and read by the tests
	}
	return n
})

// names are the lists that names are known by.
type names struct {
	first map[string]bool
	also  map[string]bool // names that are words too: names only with a surname
	no    map[string]bool // words that end as streets do
}

func loadNames(fsys fs.FS) (*names, error) {
	var f namesFile
	if err := read(fsys, "names.yaml", &f); err != nil {
		return nil, err
	}
	set := func(lists []string) map[string]bool {
		m := map[string]bool{}
		for _, l := range lists {
			for _, w := range strings.Fields(l) {
				m[strings.ToLower(w)] = true
			}
		}
		return m
	}
	return &names{set(f.Names), set(f.Also), set(f.Streets)}, nil
}

// gone stands where something was taken out, so that what is left on both sides
// does not grow together.
const gone = " … "

// strip takes out until nothing more is found: what is left never holds what a
// second reading would find.
func (n *names) strip(text string) (string, []string) {
	text = legible(text)
	var kinds []string
	note := func(kind string) { kinds = union1(kinds, kind) }
	for range 4 {
		before := text
		text = emails.ReplaceAllStringFunc(text, func(string) string { note(Email); return gone })
		text = numbers(text, note)
		text = birthDates.ReplaceAllStringFunc(text, func(string) string { note(BirthDate); return gone })
		text = n.streets(text, note)
		text = n.people(text, note)
		if text == before {
			break
		}
	}
	slices.Sort(kinds)
	return text, kinds
}

func union1(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// legible writes text so that tricks of writing hide nothing: NFKC, no
// zero-width signs, all digits as 0-9.
func legible(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = norm.NFKC.String(strings.ToValidUTF8(s, " "))
	return strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf:
			return r
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.Is(unicode.Nd, r):
			// The ten digits of a script stand in a row and begin at a multiple.
			for d := rune(0); d < 10; d++ {
				if !unicode.Is(unicode.Nd, r-d-1) || d == 9 {
					return '0' + d
				}
			}
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
}

var (
	emails     = regexp.MustCompile(`[\p{L}\p{N}._%+-]+ ?@ ?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}`)
	birthDates = regexp.MustCompile(`(?i)(?:\b(?:f\.|født|fødd|born|fødselsdato|fødselsdag)[: ]*(?:den |on )?)\d{1,2}[./ -]\d{1,2}[./ -]\d{2,4}\b`)
	street     = regexp.MustCompile(`(?i)((?:\p{Lu}[\p{L}.]+ ){0,2}\p{L}*)(gate|gata|gaten|vei|veien|veg|vegen|allé|alléen|alle|plass|bakken|stien|svingen|tunet|terrasse|kroken|faret|brygge) ?(\d{1,3} ?[A-Za-z]?\b)(?:,? ?\d{4} \p{Lu}\p{L}+)?`)
)

// numbers takes out birth numbers and telephone numbers.
func numbers(text string, note func(string)) string {
	var out strings.Builder
	rs := []rune(text)
	from := 0
	for i := 0; i < len(rs); {
		if !isDigit(rs[i]) || i > 0 && (isDigit(rs[i-1]) || unicode.IsLetter(rs[i-1])) {
			i++
			continue
		}
		end, kind := number(rs, i)
		if kind == "" {
			for i < len(rs) && isDigit(rs[i]) {
				i++
			}
			continue
		}
		note(kind)
		start := i
		if start > from && rs[start-1] == '+' {
			start--
		}
		out.WriteString(string(rs[from:start]))
		out.WriteString(gone)
		from, i = end, end
	}
	if from == 0 {
		return text
	}
	out.WriteString(string(rs[from:]))
	return out.String()
}

// number tells whether a birth number or a telephone number begins at i, and
// where it ends.
func number(rs []rune, i int) (end int, kind string) {
	var digits []int
	var sizes []int
	var ends []int
	size := 0
	j := i
	for j < len(rs) && len(digits) < 16 {
		if isDigit(rs[j]) {
			digits = append(digits, int(rs[j]-'0'))
			size++
			j++
			if j == len(rs) || !isDigit(rs[j]) {
				sizes, ends = append(sizes, size), append(ends, j)
				size = 0
			}
			continue
		}
		// One sign between groups.
		if (rs[j] == ' ' || rs[j] == '-' || rs[j] == '.' || rs[j] == '–' || rs[j] == '/') && j+1 < len(rs) && isDigit(rs[j+1]) {
			j++
			continue
		}
		break
	}
	if size > 0 {
		return 0, "" // longer than any number
	}
	plus := i > 0 && rs[i-1] == '+'
	// The longest first: groups may belong to what follows.
	total := len(digits)
	for g := len(sizes); g > 0; g-- {
		d, s, e := digits[:total], sizes[:g], ends[g-1]
		total -= sizes[g-1]
		if e < len(rs) && (unicode.IsLetter(rs[e]) || isDigit(rs[e])) {
			continue
		}
		switch {
		case len(d) == 11 && birth(d):
			return e, BirthNumber
		case plus && len(d) >= 8 && len(d) <= 15 && g <= 8,
			len(d) == 12 && d[0] == 0 && d[1] == 0 && d[2] == 4 && d[3] == 7,
			len(d) == 10 && d[0] == 4 && d[1] == 7 && s[0] == 2 && g > 1 && dialled(d[2:], s[1:]),
			len(d) == 8 && dialled(d, s):
			return e, Phone
		}
	}
	return 0, ""
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// dialled tells whether eight digits look like a number that is somebody's own.
// Numbers with 8 belong to help lines and services.
func dialled(d, sizes []int) bool {
	if d[0] < 2 || d[0] == 8 {
		return false
	}
	for _, want := range [][]int{{8}, {3, 2, 3}, {2, 2, 2, 2}, {4, 4}, {2, 3, 3}, {3, 5}} {
		if slices.Equal(sizes, want) {
			return true
		}
	}
	return false
}

// birth checks the control digits and the date of an eleven-digit number.
// D-numbers have 4 added to the first digit; H-numbers and synthetic numbers 4,
// others 6.5 or 8 to the tens of the month; FH-numbers begin with 8 or 9.
func birth(n []int) bool {
	s1, s2 := 0, 0
	for i, w := range [...]int{3, 7, 6, 1, 8, 9, 4, 5, 2, 1} {
		s1 += w * n[i]
	}
	for i, w := range [...]int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1} {
		s2 += w * n[i]
	}
	// From 2032 the first control digit may leave 1, 2 or 3 over.
	if s1%11 > 3 || s2%11 != 0 {
		return false
	}
	if n[0] >= 8 {
		return true
	}
	day, month := n[0]*10+n[1], n[2]*10+n[3]
	if day > 40 {
		day -= 40
	}
	switch {
	case month > 80:
		month -= 80
	case month > 65:
		month -= 65
	case month > 40:
		month -= 40
	}
	return 1 <= day && day <= 31 && 1 <= month && month <= 12
}

// streets takes out street addresses with their number.
func (n *names) streets(text string, note func(string)) string {
	return street.ReplaceAllStringFunc(text, func(s string) string {
		m := street.FindStringSubmatch(s)
		name := strings.ToLower(strings.TrimSpace(m[1]))
		whole := name + strings.ToLower(m[2])
		fields := strings.Fields(whole)
		last := fields[len(fields)-1]
		// "veien 3" alone, "på skoleveien 3": a way, not an address.
		if utf8.RuneCountInString(name) < 3 || n.no[last] {
			return s
		}
		note(Address)
		return gone
	})
}

// people takes out names: a listed first name with the capitalised words after
// it, a listed first name alone inside a sentence, and what somebody "is called".
func (n *names) people(text string, note func(string)) string {
	type word struct {
		from, to int
		s        string
		opens    bool // first in a sentence
	}
	var ws []word
	opens := true
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) {
			if r == '.' || r == '!' || r == '?' || r == ':' || r == '\n' || r == '…' {
				opens = true
			}
			i += size
			continue
		}
		j := i
		for j < len(text) {
			r, size := utf8.DecodeRuneInString(text[j:])
			if !unicode.IsLetter(r) && !(r == '-' || r == '\'' || r == '’') {
				break
			}
			j += size
		}
		ws = append(ws, word{i, j, strings.TrimRight(text[i:j], "-'’"), opens})
		opens = false
		i = j
	}
	type span struct{ from, to int }
	var drop []span
	for i := 0; i < len(ws); i++ {
		w := ws[i]
		low := strings.ToLower(w.s)
		base, _, _ := strings.Cut(low, "-")
		known, ambiguous := n.first[base] || n.first[strings.TrimSuffix(base, "s")], n.also[base]
		called := i > 0 && slices.Contains(calledBy, strings.ToLower(ws[i-1].s)) && capital(w.s)
		if !known && !ambiguous && !called {
			continue
		}
		j := i + 1
		for j < len(ws) && j-i <= 4 && strings.TrimSpace(text[ws[j-1].to:ws[j].from]) == "" && (capital(ws[j].s) || particle(ws[j].s) && j+1 < len(ws) && capital(ws[j+1].s)) {
			j++
		}
		for j > i+1 && particle(ws[j-1].s) {
			j--
		}
		paired := j > i+1 && (capital(w.s) || known)
		alone := known && !ambiguous && capital(w.s) && !w.opens
		if !paired && !alone && !called {
			continue
		}
		drop = append(drop, span{w.from, ws[j-1].to})
		note(Name)
		i = j - 1
	}
	if len(drop) == 0 {
		return text
	}
	var b strings.Builder
	from := 0
	for _, d := range drop {
		b.WriteString(text[from:d.from])
		b.WriteString(gone)
		from = d.to
	}
	b.WriteString(text[from:])
	return b.String()
}

var calledBy = []string{"heter", "heiter", "hette", "het", "named", "kalles", "navn", "namn"}

// capital tells whether a word is written as a name is: "Berg", not "BUP".
func capital(s string) bool {
	rs := []rune(s)
	return len(rs) > 1 && unicode.IsUpper(rs[0]) && slices.ContainsFunc(rs[1:], unicode.IsLower) && !slices.Contains(bodies, strings.ToLower(s))
}

// bodies are capitalised words that are no surnames.
var bodies = []string{"barnehus", "barnehuset", "bufdir", "nav", "udi", "statens", "barnevernet", "barnevern", "oslo", "bergen", "trondheim", "snapchat", "instagram", "tiktok", "discord", "telegram", "norge", "noreg", "vigilo", "visma", "downs"}

func particle(s string) bool {
	return slices.Contains([]string{"van", "von", "de", "der", "den", "al", "el", "bin", "ibn", "abu", "da", "dos", "la"}, s)
}
