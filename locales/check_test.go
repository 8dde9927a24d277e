package locales_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"trygg/locales"
)

const head = "file: {status: draft, reviewed_by: \"\", reviewed_on: \"\"}\n"

// written is a small bundle: bokmål as given, nynorsk and English of it.
func written(nb, nn, en string) fs.FS {
	rules, err := fs.ReadFile(locales.Files, "rules.yaml")
	if err != nil {
		panic(err)
	}
	text, _, _ := strings.Cut(string(rules), "\nexceptions:")
	return fstest.MapFS{
		"languages.yaml": {Data: []byte("- {tag: nb, name: Bokmål, always: true}\n- {tag: nn, name: Nynorsk, always: true}\n- {tag: en, name: English, always: true}\n- {tag: ar, name: العربية, rtl: true, fallback: [nb]}\n")},
		"nb/a.yaml":      {Data: []byte(head + nb)},
		"nn/a.yaml":      {Data: []byte(head + nn)},
		"en/a.yaml":      {Data: []byte(head + en)},
		"ar/a.yaml":      {Data: []byte(head + "a.x: مرحبا\n")},
		"rules.yaml":     {Data: []byte(text)},
	}
}

var numbers = map[string]string{"number_112": "112", "number_line": "116 111"}

// inspected gives what is found in some texts that are all used as messages of
// a topic for children.
func inspected(t testing.TB, fsys fs.FS, use locales.Use) (found, notes []locales.Problem) {
	t.Helper()
	b, problems := locales.Check(fsys, numbers)
	if len(problems) > 0 {
		return problems, nil
	}
	rules, problems := locales.LoadRules(fsys)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	uses := map[string]locales.Use{}
	for _, tag := range []string{"nb", "nn", "en", "ar"} {
		for _, id := range b.IDs(tag) {
			uses[id] = use
		}
	}
	return b.Inspect(fsys, rules, uses)
}

func TestWordsAndSentencesAreCounted(t *testing.T) {
	bubble := locales.Use{Kind: locales.Bubble, Topic: "a"}
	nine := strings.TrimSpace(strings.Repeat("ni ", 9))
	for _, tt := range []struct {
		name, text string
		wrong      string // "" = nothing is wrong
	}{
		{"twenty words are enough for the smallest", strings.TrimSpace(strings.Repeat("ord ", 20)), ""},
		{"twenty-one are too many", strings.TrimSpace(strings.Repeat("ord ", 21)), "has 21 words, and the band 6-9 reads it: at most 20"},
		{"marks are no words", strings.TrimSpace(strings.Repeat("ord – ", 20)), ""},
		{"a number is put in before words are counted", strings.TrimSpace(strings.Repeat("ord ", 19)) + " {{.number_line}}", "has 21 words"},
		{"300 characters", strings.Repeat("æ", 300), ""},
		{"301 characters", strings.Repeat("æ", 301), "has 301 characters: at most 300"},
		{"nine words", nine, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, _ := inspected(t, written("a.x: "+tt.text+"\n", "a.x: kort\n", "a.x: short\n"), bubble)
			var own []string
			for _, p := range found {
				if p.File == "nb/a.yaml" {
					own = append(own, p.Text)
				}
			}
			if tt.wrong == "" && len(own) > 0 || tt.wrong != "" && !strings.Contains(strings.Join(own, "\n"), tt.wrong) {
				t.Errorf("want %q, got %q", tt.wrong, own)
			}
		})
	}
}

// LIX is words a sentence and a hundred times the share of long words (facts
// 8.1); it is judged for a topic and band with a hundred words or more (S66).
func TestReadingLevel(t *testing.T) {
	topic := func(sentence string, times int) (nb string) {
		for i := range times {
			nb += fmt.Sprintf("a.x%d: %s\n", i, sentence)
		}
		return nb
	}
	for _, tt := range []struct {
		name, text string
		want       string
	}{
		// 10 words, 1 sentence, 2 long words: 10 + 20.
		{"LIX 30 is too hard for all but the oldest", topic("En to tre fire fem seks sju åtte lengste lengste.", 10), "is 30.0, at most 20"},
		{"a colon ends a sentence", topic("En to tre: Fire fem seks sju åtte ni lengste.", 10), ""},
		{"ninety words are not judged", topic("En to tre fire fem seks sju åtte lengste lengste.", 9), ""},
		{"words children know are not long", topic("En to tre fire fem seks sju åtte barnevernet foreldrene.", 10), ""},
		{"an age's point ends no sentence, and neither does a question's mark inside quotes", topic("En to tre fire «fem? seks» sju åtte 9. trinn.", 10), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, _ := inspected(t, written(tt.text, topic("Ei setning er kort.", strings.Count(tt.text, "\n")), topic("A sentence is short.", strings.Count(tt.text, "\n"))), locales.Use{Topic: "a"})
			var levels []string
			for _, p := range found {
				if p.Rule == "lix" {
					levels = append(levels, p.Text)
				}
			}
			if tt.want == "" && len(levels) > 0 || !strings.Contains(strings.Join(levels, "\n"), tt.want) {
				t.Errorf("want %q, got %q", tt.want, levels)
			}
		})
	}
}

// S68: a mark that keeps Arabic numbers in order may stand there, and nowhere
// else; nothing else that nobody sees may stand anywhere.
func TestMarksNobodySees(t *testing.T) {
	fsys := written("a.x: God\u200e dag\n", "a.x: God\u202edag\n", "a.x: Good day\n").(fstest.MapFS)
	fsys["ar/a.yaml"] = &fstest.MapFile{Data: []byte(head + "a.x: \"\u200eمرحبا\u200e\"\n")}
	found, _ := inspected(t, fsys, locales.Use{})
	var got []string
	for _, p := range found {
		got = append(got, p.String())
	}
	all := strings.Join(got, "\n")
	if len(got) != 2 || !strings.Contains(all, "nb/a.yaml:2:1") || !strings.Contains(all, "nn/a.yaml:2:1") {
		t.Errorf("got %s", all)
	}
}

// What a text was made from is kept, so that it is known when it is stale.
func TestStaleTranslations(t *testing.T) {
	text := func(x, small string) string { return "a.x: " + x + "\na.x@6-9: " + small + "\n" }
	fsys := written(text("En", "To"), text("Ein", "Tvo"), text("One", "Two")).(fstest.MapFS)
	record := func(tags ...string) {
		t.Helper()
		b, problems := locales.Load(fsys, numbers)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for _, tag := range tags {
			var out strings.Builder
			if err := b.Record(tag).Write(&out, tag); err != nil {
				t.Fatal(err)
			}
			fsys[locales.OriginsFile(tag)] = &fstest.MapFile{Data: []byte(out.String())}
		}
	}
	stale := func() (stale []string, notes int) {
		t.Helper()
		found, ns := inspected(t, fsys, locales.Use{})
		for _, p := range found {
			stale = append(stale, p.File+" "+p.Rule+" "+strings.Fields(p.Text)[0])
		}
		return stale, len(ns)
	}
	want := func(notes int, texts ...string) {
		t.Helper()
		got, n := stale()
		if fmt.Sprint(got) != fmt.Sprint(texts) || n != notes {
			t.Errorf("want %v and %d notes, got %v and %d", texts, notes, got, n)
		}
	}
	want(3) // nothing is recorded: a note for each language's file
	record("nn", "en", "ar")
	want(0)
	fsys["nb/a.yaml"] = &fstest.MapFile{Data: []byte(head + text("En", "To barn"))}
	want(0, `nn/a.yaml stale "a.x@6-9"`, `en/a.yaml stale "a.x@6-9"`, `ar/a.yaml stale "a.x"`)
	fsys["nn/a.yaml"] = &fstest.MapFile{Data: []byte(head + text("Ein", "Tvo barn"))}
	want(1, `en/a.yaml stale "a.x@6-9"`, `ar/a.yaml stale "a.x"`)
	record("nn")
	want(0, `en/a.yaml stale "a.x@6-9"`, `ar/a.yaml stale "a.x"`)
	record("en", "ar")
	want(0)
	fsys["ar/a.yaml"] = &fstest.MapFile{Data: []byte(head)}
	want(0, `sources/ar.txt gone "a.x"`)
}

// FuzzTexts: whatever stands in a message file, it is told or taken, and never
// a panic; what is taken can be shown.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{
		head + "a.x: Hei\n", head + "a.x@6-9: Hei\na.x: {one: ja, other: '{{.n}}'}\n", "a: &b [*b]", head + "a.x: |\n  to\n  linjer\n", head + "a.x: '{{.number_112}} {{if .x}}'\n",
		"file: {status: approved}\na.x: 1\n", "? [a]: b\n", head + "a.x: \"\\u202e🙂\u200d🙂\"\n", head + "a.x: Ring 116 111 kl. 14.00, www.a.no\n", head + "a.x:\n- b\n", "\xff\xfe", head + "a.x: }}{{\n",
	} {
		f.Add(text)
	}
	base := written("a.x: En\n", "a.x: Ein\n", "a.x: One\n").(fstest.MapFS)
	rules, problems := locales.LoadRules(base)
	if len(problems) > 0 {
		f.Fatal(problems)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{}
		for name, file := range base {
			fsys[name] = file
		}
		fsys["nn/a.yaml"] = &fstest.MapFile{Data: []byte(text)}
		b, problems := locales.Check(fsys, numbers)
		uses := map[string]locales.Use{}
		for _, tag := range []string{"nb", "nn"} {
			for i, id := range b.IDs(tag) {
				uses[id] = locales.Use{Kind: locales.Kind(i % 3), Topic: "a"}
			}
		}
		b.Inspect(fsys, rules, uses)
		b.Record("nn")
		for _, p := range problems {
			if p.File == "" || p.Text == "" {
				t.Errorf("a problem without a place or words: %+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		for _, e := range b.Entries("nn") {
			if e.Text == "" && e.Forms == nil || strings.Contains(e.Text, "<no value>") {
				t.Errorf("%q is shown as %q", e.Key(), e.Text)
			}
			for n := range 12 {
				if e.Forms != nil && e.Band == "" && b.Count("nn", e.ID, n) == "" {
					t.Errorf("%q is not shown for %d", e.ID, n)
				}
			}
		}
	})
}
