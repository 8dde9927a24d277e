package crisis

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The limits of one message. A chat message is at most 4,096 characters of at
// most four bytes. Of anything longer the beginning and the end are read, since
// what matters most is often said last (F39).
const (
	maxBytes = 4 * 4096
	maxRunes = 4*4096 + 1
)

// fold brings typed text into the one form that everything is compared in:
// NFKC, lower case, without zero-width and direction marks, without accents put
// on top of letters, without apostrophes, Arabic letters in their plain shape
// (S11). Broken bytes become spaces. The lexicon is folded by the same function,
// so both sides always agree.
func fold(dst []rune, s string) []rune {
	if len(s) > maxBytes {
		head, tail := cut(s[:maxBytes/2], true), cut(s[len(s)-maxBytes/2:], false)
		s = head + " " + tail
	}
	if !ascii(s) {
		// Combining marks beyond the second on a letter carry no meaning, and make
		// composing slow.
		s = thin(s)
		if norm.NFKC.QuickSpanString(s) < len(s) {
			s = norm.NFKC.String(s)
		}
	}
	for _, r := range s {
		if len(dst) >= maxRunes {
			break
		}
		if r < 0x80 {
			if r == '\'' || r == '`' {
				if n := len(dst); n > 0 && unicode.IsLetter(dst[n-1]) {
					continue
				}
				r = ' '
			}
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			dst = append(dst, r)
			continue
		}
		switch {
		case r == utf8.RuneError:
			dst = append(dst, ' ')
			continue
		case r == '’' || r == '‘' || r == 'ʼ' || r == '´' || r == 'ʹ':
			continue
		case r == 'ـ', r == '\u00ad', r == '\u034f', r == '\u115f', r == '\u3164',
			0xFE00 <= r && r <= 0xFE0F, 0x1F3FB <= r && r <= 0x1F3FF:
			continue // tatweel, soft hyphen, joiners, variation and skin tone
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
			continue
		case unicode.IsControl(r):
			r = ' '
		}
		r = plain(unicode.ToLower(r))
		if r == 'ﷲ' {
			continue
		}
		dst = append(dst, r)
	}
	return dst
}

// ascii tells whether s has nothing to compose.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// plain maps letters that are written in several ways without a difference in
// meaning.
func plain(r rune) rune {
	switch r {
	case 'أ', 'إ', 'آ', 'ٱ':
		return 'ا'
	case 'ى', 'ی', 'ئ':
		return 'ي'
	case 'ؤ':
		return 'و'
	case 'ة':
		return 'ه'
	case 'ک':
		return 'ك'
	case 'ё':
		return 'е'
	case 'ґ':
		return 'г'
	case 'ä':
		return 'æ'
	case 'ö':
		return 'ø'
	case 'ı':
		return 'i'
	case '١', '٢', '٣', '٤', '٥', '٦', '٧', '٨', '٩', '٠':
		return '0' + (r - '٠')
	}
	return r
}

// cut drops a broken rune at the end, or at the beginning, of s.
func cut(s string, end bool) string {
	for i := 0; i < utf8.UTFMax && len(s) > 0; i++ {
		if end {
			if r, n := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || n != 1 {
				return s
			}
			s = s[:len(s)-1]
		} else {
			if utf8.RuneStart(s[0]) {
				return s
			}
			s = s[1:]
		}
	}
	return s
}

// thin drops every combining mark after the second in a row.
func thin(s string) string {
	run, heavy := 0, false
	for _, r := range s {
		if r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) {
			if run++; run > 2 {
				heavy = true
				break
			}
		} else {
			run = 0
		}
	}
	if !heavy {
		return s
	}
	b := make([]byte, 0, len(s))
	run = 0
	for _, r := range s {
		if r >= 0x300 && unicode.In(r, unicode.Mn, unicode.Me) {
			if run++; run > 2 {
				continue
			}
		} else {
			run = 0
		}
		b = utf8.AppendRune(b, r)
	}
	return string(b)
}

// span is one token in the folded runes. A span without runes is the end of a
// sentence.
type span struct{ from, to int }

func (s span) stop() bool { return s.from == s.to }

// split cuts folded runes into tokens: words, numbers, single signs such as
// emoji, and sentence ends. A star, a dollar or an at sign between letters stays
// in the word, since that is how words are disguised.
func split(dst []span, text []rune) []span {
	for i := 0; i < len(text); {
		r := text[i]
		switch {
		case wordRune(r) || disguise(r) && i+1 < len(text) && unicode.IsLetter(text[i+1]):
			j := i + 1
			for j < len(text) {
				if wordRune(text[j]) {
					j++
					continue
				}
				if (disguise(text[j]) || text[j] == '!' || text[j] == '|') && j+1 < len(text) && (unicode.IsLetter(text[j+1]) || disguise(text[j+1])) {
					j++
					continue
				}
				break
			}
			// 3-0 is one sign: a score.
			if j-i <= 3 && digits(text[i:j]) && j+1 < len(text) && (text[j] == '-' || text[j] == '–') && digit(text[j+1]) {
				k := j + 1
				for k < len(text) && digit(text[k]) {
					k++
				}
				if k-j <= 4 {
					j = k
				}
			}
			dst = append(dst, span{i, j})
			i = j
		case r == '.' || r == '!' || r == '?' || r == '؟' || r == '…' || r == '。' || r == ';' || r == '؛':
			j := i + 1
			for j < len(text) && (text[j] == '.' || text[j] == '!' || text[j] == '?' || text[j] == '؟' || text[j] == ' ') {
				j++
			}
			// "pappa... han slår" goes on; "j.e.g" and "hei.jeg" are one breath.
			dots := j - i
			if !(r == '.' && dots > 1 && text[i+1] == '.') && r != '…' && !(r == '.' && dots == 1) {
				if n := len(dst); n > 0 && !dst[n-1].stop() {
					dst = append(dst, span{i, i})
				}
			}
			i = j
		case unicode.Is(unicode.So, r) || r >= 0x1F000:
			dst = append(dst, span{i, i + 1})
			i++
		default:
			i++
		}
	}
	return dst
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
func disguise(r rune) bool { return r == '*' || r == '$' || r == '@' || r == '#' }
func digit(r rune) bool    { return '0' <= r && r <= '9' }

func digits(rs []rune) bool {
	for _, r := range rs {
		if !digit(r) {
			return false
		}
	}
	return len(rs) > 0
}

// leet undoes digits and signs used as letters. The second reading serves "1",
// which stands for i as often as for l.
var leet = [2]map[rune]rune{
	{'0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '6': 'g', '7': 't', '8': 'b', '9': 'g', '@': 'a', '$': 's', '!': 'i', '|': 'l'},
	{'0': 'o', '1': 'l', '3': 'e', '4': 'å', '5': 's', '6': 'b', '7': 't', '8': 'b', '9': 'g', '@': 'å', '$': 's', '!': 'l', '|': 'i'},
}

// The letters that look alike in another script. Only words that mix scripts, or
// that nobody knows, are read this way.
var (
	toLatin = map[rune]rune{
		'а': 'a', 'в': 'b', 'с': 'c', 'е': 'e', 'н': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'м': 'm', 'о': 'o', 'р': 'p', 'ѕ': 's',
		'т': 't', 'у': 'y', 'х': 'x', 'ԁ': 'd', 'ӏ': 'l', 'һ': 'h', 'ѵ': 'v', 'ԛ': 'q', 'ԝ': 'w', 'г': 'r', 'п': 'n',
		'α': 'a', 'β': 'b', 'ε': 'e', 'η': 'n', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'σ': 's', 'ω': 'w',
		'ɑ': 'a', 'ɡ': 'g', 'ʟ': 'l', 'ɩ': 'i', 'ı': 'i', 'ᴀ': 'a', 'ᴇ': 'e', 'ᴍ': 'm', 'ɪ': 'i', 'ᴊ': 'j', 'ɢ': 'g', 'ꜱ': 's', 'ʀ': 'r', 'ᴘ': 'p', 'ᴛ': 't', 'ᴠ': 'v', 'ᴏ': 'o', 'ᴅ': 'd', 'ʜ': 'h', 'ᴋ': 'k', 'ɴ': 'n', 'ᴜ': 'u', 'ʙ': 'b',
	}
	toCyrillic = map[rune]rune{
		'a': 'а', 'b': 'в', 'c': 'с', 'e': 'е', 'h': 'н', 'i': 'і', 'k': 'к', 'm': 'м', 'o': 'о', 'p': 'р', 't': 'т', 'y': 'у', 'x': 'х',
		'u': 'и', '3': 'з', '0': 'о', '6': 'б', '4': 'ч',
	}
)

// bare takes the marks off Latin letters: å is typed as a, ø as o, č as c.
func bare(r rune) rune {
	switch r {
	case 'å', 'á', 'à', 'â', 'ą', 'ã', 'æ':
		return 'a'
	case 'ø', 'ó', 'ò', 'ô', 'õ':
		return 'o'
	case 'é', 'è', 'ê', 'ë', 'ę':
		return 'e'
	case 'í', 'ì', 'î', 'ï':
		return 'i'
	case 'ú', 'ù', 'û', 'ü':
		return 'u'
	case 'č', 'ć', 'ç':
		return 'c'
	case 'đ', 'ð':
		return 'd'
	case 'ŋ', 'ń', 'ñ':
		return 'n'
	case 'š', 'ś':
		return 's'
	case 'ŧ':
		return 't'
	case 'ž', 'ź', 'ż':
		return 'z'
	case 'ł':
		return 'l'
	case 'ý':
		return 'y'
	case 'ґ':
		return 'г'
	case 'ї', 'й':
		return 'и'
	}
	return r
}

// skeleton is the loosest written form: no marks, no doubled letters, aa and oe
// and ae as one letter. Words that nobody knows are looked up by it.
func skeleton(dst []rune, word []rune) []rune {
	dst = dst[:0]
	for i := 0; i < len(word); i++ {
		r := bare(word[i])
		if i+1 < len(word) && (word[i] == 'a' || word[i] == 'o') && word[i+1] == 'e' {
			i++
		}
		if n := len(dst); n > 0 && dst[n-1] == r {
			continue
		}
		dst = append(dst, r)
	}
	return dst
}
