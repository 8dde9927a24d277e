package crisis

import (
	"slices"
	"unicode"
)

// The kinds of personal data that are noticed (D10).
const (
	phone       = "phone"
	email       = "email"
	birthNumber = "birth-number"
)

// personal names the kinds of personal data in folded text: Norwegian phone
// numbers, e-mail addresses, valid birth numbers (D-numbers and synthetic ones
// too). What was found is not kept.
func personal(text []rune) []string {
	var kinds []string
	add := func(kind string) {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	var ds [16]int
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '@':
			if address(text, i) {
				add(email)
			}
		case digit(text[i]) && (i == 0 || !wordRune(text[i-1])):
			// Digits with single spaces or hyphens between groups.
			n, groups, last := 0, [8]int{}, 0
			j := i
			for j < len(text) {
				if digit(text[j]) {
					if n == len(ds) {
						break
					}
					ds[n] = int(text[j] - '0')
					n++
					if last < len(groups) {
						groups[last]++
					}
					j++
					continue
				}
				if (text[j] == ' ' || text[j] == '-') && j+1 < len(text) && digit(text[j+1]) && last < len(groups)-1 {
					last++
					j++
					continue
				}
				break
			}
			if j < len(text) && unicode.IsLetter(text[j]) {
				i = j
				continue
			}
			number, sizes := ds[:n], groups[:last+1]
			plus := i > 0 && text[i-1] == '+'
			switch {
			case n == 11 && birth(number):
				add(birthNumber)
			case n == 10 && plus && number[0] == 4 && number[1] == 7,
				n == 12 && number[0] == 0 && number[1] == 0 && number[2] == 4 && number[3] == 7:
				add(phone)
			case n == 8 && dialled(number, sizes):
				add(phone)
			}
			i = j - 1
		}
	}
	return kinds
}

// dialled tells whether eight digits look like a private Norwegian number in one
// of the ways such numbers are written. Numbers with 8 belong to help lines and
// services.
func dialled(n, sizes []int) bool {
	switch n[0] {
	case 2, 3, 4, 5, 6, 7, 9:
	default:
		return false
	}
	for _, want := range [][]int{{8}, {3, 2, 3}, {2, 2, 2, 2}} {
		if slices.Equal(sizes, want) {
			return true
		}
	}
	return false
}

// birth checks the two control digits and the date of an 11-digit number. D-
// numbers have 4 added to the first digit, synthetic numbers 4 or 8 to the third.
func birth(n []int) bool {
	w1 := [...]int{3, 7, 6, 1, 8, 9, 4, 5, 2, 1}
	w2 := [...]int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1}
	s1, s2 := 0, 0
	for i, w := range w1 {
		s1 += w * n[i]
	}
	for i, w := range w2 {
		s2 += w * n[i]
	}
	// From 2032 the first control digit may leave 1, 2 or 3 over.
	if s1%11 > 3 || s2%11 != 0 {
		return false
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

// address tells whether the at sign at i stands in an e-mail address.
func address(text []rune, i int) bool {
	if i == 0 || !wordRune(text[i-1]) {
		return false
	}
	dot := -1
	j := i + 1
	for ; j < len(text) && (wordRune(text[j]) || text[j] == '.' || text[j] == '-'); j++ {
		if text[j] == '.' && j > i+1 {
			dot = j
		}
	}
	return dot > 0 && j-dot > 2
}
