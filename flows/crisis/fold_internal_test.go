package crisis

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"trygg/flows"
)

func TestFold_oneWrittenForm(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"capitals", "PAPPA Slår", "pappa slår"},
		{"composed and taken apart are one", "sla\u030ar", "slår"},
		{"zero-width and direction marks go", "s\u200bl\u202eår", "slår"},
		{"full width", "ｄø", "dø"},
		{"mathematical letters", "𝐝ø", "dø"},
		{"overlays go", "s\u0335l\u0336år", "slår"},
		{"an apostrophe in a word goes", "don't б'є", "dont бє"},
		{"swedish letters", "mänsklig höna", "mænsklig høna"},
		{"arabic shapes", "أُحِبّ إلى رؤية", "احب الي رويه"},
		{"arabic digits", "٣", "3"},
		{"broken bytes are spaces", "a\xffb", "a b"},
	} {
		if got := string(fold(nil, tt.in)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"pappa slår meg", "s l å r", "p@pp@ sl4r", "\xff\xfe", "a\u0301\u0301\u0301\u0301", "أبي يضربني", "тато б'є", "3-0", "ﷺ", "...", "🆘", strings.Repeat("å", 9000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := fold(nil, s)
		if len(once) > maxRunes {
			t.Fatalf("%d runes", len(once))
		}
		for _, r := range once {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r != unicode.ToLower(r) {
				t.Fatalf("%U is left", r)
			}
		}
		last := 0
		for _, sp := range split(nil, once) {
			if sp.from < last || sp.to < sp.from || sp.to > len(once) {
				t.Fatalf("span %v after %d of %d", sp, last, len(once))
			}
			last = sp.to
		}
	})
}

func TestScratch_isWiped(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	s := &scratch{}
	r.read(s, "kanarifuglen pappa slår meg nå 41234567")
	s.wipe()
	if slices.ContainsFunc(s.runes[:cap(s.runes)], func(c rune) bool { return c != 0 }) ||
		slices.ContainsFunc(s.a[:cap(s.a)], func(c rune) bool { return c != 0 }) ||
		slices.ContainsFunc(s.b[:cap(s.b)], func(c rune) bool { return c != 0 }) {
		t.Error("typed letters are left in memory")
	}
	if slices.ContainsFunc(s.tokens[:cap(s.tokens)], func(t token) bool { return t.n != 0 || !t.all.empty() }) ||
		slices.Contains(s.present[:cap(s.present)], true) || slices.ContainsFunc(s.features[:cap(s.features)], func(f int32) bool { return f != 0 }) {
		t.Error("what was made of the words is left in memory")
	}
}

// TestLoad_saysWhatIsWrong breaks the data in one place at a time.
func TestLoad_saysWhatIsWrong(t *testing.T) {
	base := fstest.MapFS{"data/shared.yaml": {Data: []byte(`
concepts: {hit: hits, me: me, i: I}
groups: {harm: hit}
rules:
  - {id: hit-me, level: disclosure, topic: violence-physical, core: hit, near: [me]}
`)}}
	for _, tag := range languages {
		base["data/"+tag+".yaml"] = &fstest.MapFile{Data: []byte("language: " + tag + "\n")}
	}
	if _, err := load(base); err != nil {
		t.Fatalf("the sound data: %v", err)
	}
	for _, tt := range []struct{ name, file, data, want string }{
		{"a field nobody knows", "nb", "language: nb\nwrods: {}\n", "unknown field"},
		{"a language in the wrong file", "nb", "language: nn\n", `language is "nn"`},
		{"words for no concept", "nb", "language: nb\nwords: {hti: slår}\n", `"hti" is not a concept`},
		{"a concept in a phrase that is none", "nb", "language: nb\nphrases: {hit: [\"<hti> meg\"]}\n", `"hti" is not a concept`},
		{"a bracket left open", "nb", "language: nb\nwords: {hit: \"sl{å,o\"}\n", "not closed"},
		{"a sign in a word", "nb", "language: nb\nwords: {hit: slår!}\n", "not one word"},
		{"a level that is none", "shared", "concepts: {hit: x}\ngroups: {harm: hit}\nrules: [{id: a, level: high, core: hit}]\n", `"high" is not a level`},
		{"a topic that is none", "shared", "concepts: {hit: x}\ngroups: {harm: hit}\nrules: [{id: a, level: acute, topic: blows, core: hit}]\n", `"blows" is not a topic`},
		{"two rules with one id", "shared", "concepts: {hit: x}\ngroups: {harm: hit}\nrules: [{id: a, level: acute, core: hit}, {id: a, level: acute, core: hit}]\n", "taken"},
		{"a rule without a core", "shared", "concepts: {hit: x}\ngroups: {harm: hit}\nrules: [{id: a, level: acute}]\n", "no core"},
		{"no harm words at all", "shared", "concepts: {hit: x}\n", `group "harm" is missing`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			broken := fstest.MapFS{}
			for name, f := range base {
				broken[name] = f
			}
			broken["data/"+tt.file+".yaml"] = &fstest.MapFile{Data: []byte(tt.data)}
			_, err := load(broken)
			if err == nil {
				t.Fatal("loaded")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.file+".yaml") {
				t.Errorf("%v: want the file and %q", err, tt.want)
			}
		})
	}
}

// TestData_everythingIsReachable: a concept nobody names, or a rule for a
// concept no language can say, is a slip of the pen.
func TestData_everythingIsReachable(t *testing.T) {
	x, err := load(embedded)
	if err != nil {
		t.Fatal(err)
	}
	var said set
	for i := range x.entries {
		for k := range x.entries[i].senses {
			said.or(&x.entries[i].senses[k].concepts)
		}
	}
	for i := range x.patterns {
		said.or(&x.patterns[i].marks)
	}
	for name, c := range x.concepts {
		var one set
		one.add(c)
		if !said.meets(&one) {
			t.Errorf("no word or phrase means %q", name)
		}
	}
	for i := range x.rules {
		if r := &x.rules[i]; r.level > flows.None && r.topic < 0 {
			t.Errorf("rule %s has no topic", r.id)
		}
	}
	if len(x.rules) > 512 {
		t.Errorf("%d rules, decide holds 512", len(x.rules))
	}
}
