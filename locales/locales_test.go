package locales_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"trygg/flows/content/data"
	"trygg/locales"
)

func embedded(t testing.TB) *locales.Bundle {
	t.Helper()
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	b, problems := locales.Load(locales.Files, d.Numbers())
	for _, p := range problems {
		t.Error(p)
	}
	if b == nil {
		t.FailNow()
	}
	return b
}

const header = "file: {status: draft, reviewed_by: \"\", reviewed_on: \"\"}\n"

func small(t testing.TB) *locales.Bundle {
	t.Helper()
	b, problems := locales.Load(fstest.MapFS{
		"languages.yaml": {Data: []byte("- {tag: nb, name: Bokmål, always: true, fallback: [nn], alias: [\"no\"]}\n- {tag: nn, name: Nynorsk, fallback: [nb]}\n- {tag: ar, name: العربية, rtl: true, fallback: [nb]}\n- {tag: se, name: Davvi, fallback: [nb]}\n")},
		"nb/a.yaml":      {Data: []byte(header + "hi: Hei\nage@6-9: liten\nage: stor\ncall: Ring {{.number_112}}\ndays: {one: \"{{.n}} dag\", other: \"{{.n}} dager\"}\n")},
		"nn/a.yaml":      {Data: []byte(header + "hi: Hei du\n")},
		"ar/a.yaml":      {Data: []byte(header + "hi: مرحبا\ndays: {zero: z, one: o, two: t, few: f, many: m, other: x}\n")},
		"se/a.yaml":      {Data: []byte(header + "days: {one: o, two: t, other: x}\n")},
	}, map[string]string{"number_112": "112"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return b
}

func TestLookup(t *testing.T) {
	b := small(t)
	for _, tt := range []struct{ name, locale, id, band, text, tag string }{
		{"a text of the language", "nn", "hi", "", "Hei du", "nn"},
		{"a text it lacks comes from the nearest", "nn", "call", "", "Ring 112", "nb"},
		{"a variant for the band", "nb", "age", "6-9", "liten", "nb"},
		{"the base for a band without one", "nb", "age", "16-18", "stor", "nb"},
		{"no band reads as 10-12", "nb", "age", "", "stor", "nb"},
		{"a language nobody has reads bokmål", "fr", "hi", "", "Hei", "nb"},
		{"an ID nobody has is empty", "nb", "nope", "", "", ""},
		{"a variant of the fallback", "ar", "age", "6-9", "liten", "nb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if text, tag := b.Lookup(tt.locale, tt.id, tt.band); text != tt.text || tag != tt.tag {
				t.Errorf("got %q in %q, want %q in %q", text, tag, tt.text, tt.tag)
			}
		})
	}
}

// F45, D11: never a relative. Russian is not Ukrainian, Persian is not Arabic.
func TestPickTakesNoRelative(t *testing.T) {
	b := embedded(t)
	for tag, want := range map[string]string{"nb": "nb", "nb-NO": "nb", "no": "nb", "nn_NO": "nn", "EN-us": "en", "uk": "uk", "ar-SY": "ar",
		"ru": "", "fa": "", "da": "", "sv": "", "sma": "", "": "", "x": "", "deutsch": ""} {
		if got, _ := b.Pick(tag); got != want {
			t.Errorf("%q gives %q, want %q", tag, got, want)
		}
	}
}

func TestCountTakesTheLanguagesOwnForms(t *testing.T) {
	b := small(t)
	for _, tt := range []struct {
		locale string
		n      int
		want   string
	}{{"nb", 1, "1 dag"}, {"nb", 2, "2 dager"}, {"se", 2, "t"}, {"se", 3, "x"}, {"ar", 0, "z"}, {"ar", 3, "f"}, {"ar", 11, "m"}, {"nn", 2, "2 dager"}} {
		if got := b.Count(tt.locale, "days", tt.n); got != tt.want {
			t.Errorf("%s %d: %q, want %q", tt.locale, tt.n, got, tt.want)
		}
	}
}

func TestF64_badMessageFilesAreToldToTheirAuthor(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a number nobody has", header + "a: Ring {{.number_999}}", `placeholder "number_999" is not known`},
		{"a broken placeholder", header + "a: Ring {{.number", "placeholder"},
		{"a key twice", header + "a: b\na: c\n", "stands twice, first on line"},
		{"no header", "a: b\n", "is missing: want file:"},
		{"an unknown band", header + "a@5-6: b\n", `"5-6" is not a band`},
		{"broken YAML", header + "a: [b\n", "nb/a.yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := locales.Load(fstest.MapFS{
				"languages.yaml": {Data: []byte("- {tag: nb, name: Bokmål, always: true}\n")},
				"nb/a.yaml":      {Data: []byte(tt.text)},
			}, nil)
			for _, p := range problems {
				if strings.Contains(p.String(), tt.want) {
					return
				}
			}
			t.Errorf("want %q, got %v", tt.want, problems)
		})
	}
}

// All texts compiled in: nothing left of a placeholder, nothing empty.
func TestNothingRawIsShown(t *testing.T) {
	b := embedded(t)
	for _, l := range b.Languages() {
		for _, id := range b.IDs(l.Tag) {
			for _, band := range append(locales.Bands, "") {
				text, ok := b.Text(l.Tag, id, band)
				if ok && (text == "" || strings.Contains(text, "{{") || strings.Contains(text, "<no value>")) {
					t.Errorf("%s %s %s: %q", l.Tag, id, band, text)
				}
			}
		}
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	b := embedded(t)
	if n := testing.AllocsPerRun(100, func() { b.Lookup("uk", "violence.physical", "6-9") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	bundle := embedded(b)
	b.ReportAllocs()
	for b.Loop() {
		bundle.Lookup("nn", "rights.menu", "10-12")
	}
}
