package locales

import "slices"

// Room is how long a text may be in a language: in characters, and for a message
// of its own also in words; 0 = as long as it takes.
func (b *Bundle) Room(tag string, use Use, band string) (characters, words int) {
	lang := b.Language(tag)
	switch {
	case use.Kind == Label && lang.Always:
		return maxLabel, 0
	case use.Kind == Label:
		return maxLongLabel, 0
	case use.Adult:
		return 0, 0
	case use.Kind != Bubble:
		return maxCharacters, 0
	}
	if band != "" {
		return maxCharacters, limits[band].words
	}
	bands := use.Bands
	if bands == nil {
		bands = Bands
	}
	if !lang.Always && slices.Contains(bands, defaultBand) {
		return maxCharacters, limits[defaultBand].words
	}
	return maxCharacters, limits[bands[0]].words
}

// Forms gives the plural forms a counted text has in a language, in their usual
// order.
func Forms(tag string) []string {
	need := formsOf(tag)
	return slices.DeleteFunc(slices.Clone(formOrder), func(form string) bool {
		_, needed := need[form]
		return !needed && form != "other"
	})
}
