package locales

import (
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

var formNames = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}

// formsOf gives the plural forms a language uses for whole numbers, each with a
// number that takes it (CLDR). Every rule repeats within two hundred.
func formsOf(tag string) map[string]int {
	forms := map[string]int{}
	for n := range 201 {
		form := formNames[plural.Cardinal.MatchPlural(language.Make(tag), n, 0, 0, 0, 0)]
		if _, known := forms[form]; !known {
			forms[form] = n
		}
	}
	return forms
}
