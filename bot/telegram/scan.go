package telegram

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// Limits of what comes in (S50). Telegram's own texts have at most 4096
// characters and its buttons 64 bytes.
const (
	maxBody  = 1 << 20
	maxDepth = 64
	maxText  = 16 << 10 // bytes kept of a text
	maxData  = 64
)

var (
	errBroken = errors.New("not JSON")
	errDeep   = errors.New("nested too deeply")
)

// scanner reads JSON from front to back, once, and gives only what is asked
// for. It builds nothing of the rest, so that a kind of content nobody knows
// yet costs little and cannot fail (F35), and hostile depth ends at the limit
// (F34).
type scanner struct {
	b     []byte
	i     int
	depth int
}

// next gives the first byte of the next value or sign; 0 at the end.
func (s *scanner) next() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.i++
	return true
}

// object reads an object and calls field for each member; field must read the
// value. A value that is no object is passed over.
func (s *scanner) object(field func(key string) error) error {
	if s.next() != '{' {
		return s.skip()
	}
	if err := s.enter(); err != nil {
		return err
	}
	if s.take('}') {
		s.depth--
		return nil
	}
	for {
		if s.next() != '"' {
			return errBroken
		}
		key, _, err := s.raw()
		if err != nil {
			return err
		}
		if !s.take(':') {
			return errBroken
		}
		if err := field(string(key)); err != nil {
			return err
		}
		if s.take(',') {
			continue
		}
		if s.take('}') {
			s.depth--
			return nil
		}
		return errBroken
	}
}

// array reads an array and calls item for each element; item must read it.
func (s *scanner) array(item func() error) error {
	if s.next() != '[' {
		return s.skip()
	}
	if err := s.enter(); err != nil {
		return err
	}
	if s.take(']') {
		s.depth--
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.take(',') {
			continue
		}
		if s.take(']') {
			s.depth--
			return nil
		}
		return errBroken
	}
}

func (s *scanner) enter() error {
	s.i++
	if s.depth++; s.depth > maxDepth {
		return errDeep
	}
	return nil
}

// skip reads any value and forgets it.
func (s *scanner) skip() error {
	switch c := s.next(); c {
	case '{':
		return s.object(func(string) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, _, err := s.raw()
		return err
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		if c != '-' && (c < '0' || c > '9') {
			return errBroken
		}
		for s.i++; s.i < len(s.b); s.i++ {
			switch c := s.b[s.i]; {
			case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
			default:
				return nil
			}
		}
		return nil
	}
}

// flat passes over any value by counting brackets, as deep as it may be. What
// it passed is not checked further; whoever reads it later will.
func (s *scanner) flat() error {
	open := 0
	for {
		switch s.next() {
		case 0:
			return errBroken
		case '{', '[':
			open++
			s.i++
		case '}', ']':
			open--
			s.i++
		case '"':
			if _, _, err := s.raw(); err != nil {
				return err
			}
		case ',', ':':
			if open == 0 {
				return errBroken
			}
			s.i++
		default:
			for s.i++; s.i < len(s.b) && !strings.ContainsRune(" \t\r\n,:{}[]\"", rune(s.b[s.i])); s.i++ {
			}
		}
		if open == 0 {
			return nil
		}
		if open < 0 {
			return errBroken
		}
	}
}

// items splits an array into its elements, of which one may be broken or too
// deep without harm to the others.
func items(b []byte) ([][]byte, error) {
	s := &scanner{b: b}
	var out [][]byte
	if s.next() != '[' {
		return nil, errBroken
	}
	err := s.array(func() error {
		s.next()
		from := s.i
		if err := s.flat(); err != nil {
			return err
		}
		out = append(out, b[from:s.i])
		return nil
	})
	return out, err
}

func (s *scanner) word(w string) error {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return errBroken
	}
	s.i += len(w)
	return nil
}

// raw reads a string and gives what stands between its quotes, and whether
// there is anything in it that has to be unescaped.
func (s *scanner) raw() (text []byte, escaped bool, err error) {
	s.i++
	from := s.i
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[from : s.i-1], escaped, nil
		case c == '\\':
			escaped = true
			s.i++
		case c < 0x20:
			return nil, false, errBroken
		}
	}
	return nil, false, errBroken
}

// text gives a string of at most most bytes, cut between characters. A value of
// another type gives ok false and is passed over.
func (s *scanner) text(most int) (v string, ok bool, err error) {
	if s.next() != '"' {
		return "", false, s.skip()
	}
	from := s.i
	raw, escaped, err := s.raw()
	if err != nil {
		return "", false, err
	}
	if escaped {
		if err := json.Unmarshal(s.b[from:s.i], &v); err != nil {
			return "", false, errBroken
		}
	} else {
		v = string(raw)
		if !utf8.ValidString(v) {
			v = strings.ToValidUTF8(v, "\uFFFD")
		}
	}
	return cut(v, most), true, nil
}

// cut shortens a text to at most most bytes without breaking a character.
func cut(v string, most int) string {
	if len(v) <= most {
		return v
	}
	for most > 0 && !utf8.RuneStart(v[most]) {
		most--
	}
	return v[:most]
}

// number gives a whole number. Anything else gives ok false and is passed over.
func (s *scanner) number() (n int64, ok bool, err error) {
	s.next()
	from := s.i
	if err := s.skip(); err != nil {
		return 0, false, err
	}
	v := s.b[from:s.i]
	sign := int64(1)
	if len(v) > 1 && v[0] == '-' {
		sign, v = -1, v[1:]
	}
	if len(v) == 0 || len(v) > 18 {
		return 0, false, nil
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false, nil
		}
		n = n*10 + int64(c-'0')
	}
	return sign * n, true, nil
}

// yes gives a truth value; everything but true is false.
func (s *scanner) yes() (bool, error) {
	is := s.next() == 't'
	return is, s.skip()
}

// end checks that nothing but space follows.
func (s *scanner) end() error {
	if s.next() != 0 || s.i < len(s.b) {
		return errBroken
	}
	return nil
}
