package routine_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

func mustLoad(t testing.TB) *routine.Catalogue {
	t.Helper()
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c, problems := routine.Embedded(d)
	for _, p := range problems {
		t.Error(p)
	}
	if c == nil {
		t.FailNow()
	}
	return c
}

// A file with many mistakes is told about all of them at once, each with its
// place and what to do (D3, F60).
func TestF60_everyMistakeOfAFileIsToldAtOnce(t *testing.T) {
	const file = `id: sit-injry
title: {nb: Skade}
tittel: {nb: Skade}
theme: sign
roles: [role-skle]
when: [{nb: Når., nn: Når., nn: Når.}]
acute: {level: maybe}
stop: {applies: sometimes}
steps:
  - id: one
    who: [adlt]
    when: nw
    text: {nb: "Ring {{.number_113x}}.", nn: Ring., en: "Call 116 117."}
    law: [bvll § 13-2]
    call: [res-112x]
  - id: one
    who: []
    when: now
    text: "Ring."
do_not: ""
law: [bvl 13-2]
owner: x
version: 22.11.2026
mark: Q
`
	_, problems := load(t, map[string]string{"routines/sit-injury.yaml": file})
	var all strings.Builder
	for _, p := range problems {
		all.WriteString(p.String() + "\n")
	}
	for _, want := range []string{
		`sit-injury.yaml:1:1: id: want "sit-injury", the name of the file, got "sit-injry"`,
		`sit-injury.yaml:3:1: routine: "tittel" is not known here; did you mean "title"?`,
		`sit-injury.yaml:6:29: routine: when: "nn" stands twice`,
		`sit-injury.yaml:17:10: routine: steps: who: is empty`,
		`sit-injury.yaml:19:11: routine: steps: text: want names with values (name: value), got a single value`,
		`sit-injury.yaml:20:9: routine: do_not: want names with values`,
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("want %q in\n%s", want, all.String())
		}
	}
	// What it means is told when it can be read.
	readable := strings.NewReplacer("tittel: {nb: Skade}\n", "", ", nn: Når.}", "}", "who: []", "who: [adult]", "text: \"Ring.\"", "text: {nb: Ring.}", "do_not: \"\"\n", "", "id: sit-injry", "id: sit-injury").Replace(file)
	_, problems = load(t, map[string]string{"routines/sit-injury.yaml": readable})
	all.Reset()
	for _, p := range problems {
		all.WriteString(p.String() + "\n")
	}
	for _, want := range []string{
		`2:8: sit-injury: title: the text in nn is missing`,
		`sit-injury: title: the text in en is missing`,
		`theme: "sign" is not known; did you mean "signs"?`,
		`roles: "role-skle" is not known; did you mean "role-skole"?`,
		`acute: maybe: say when it is`,
		`stop: sometimes: say when`,
		`who: "adlt" is not known; did you mean "adult"?`,
		`when: "nw" is not a time of words.yaml; did you mean "now"?`,
		`{{.number_113x}} stands for nothing`,
		`"116 117" looks like a phone number`,
		`law: "bvll" is not known; did you mean "bvl"?`,
		`call: "res-112x" is not known; did you mean "res-112"?`,
		`sit-injury: step one: stands twice`,
		`do_not: is missing`, `write: is missing`, `child: is missing`, `parents: is missing`, `call: is missing`,
		`law: "bvl 13-2": want an act and a place`,
		`version: "22.11.2026" is not a day`, `valid_until: "" is not a day`,
		`mark: want one of S, S-old, K, R, got "Q"`,
	} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("want %q in\n%s", want, all.String())
		}
	}
	for _, p := range problems {
		if p.File == "" || p.Line == 0 {
			t.Errorf("without a place: %s", p)
		}
	}
}

func TestTheTreeIsCheckedBeforeItRuns(t *testing.T) {
	b, err := fs.ReadFile(routine.Files, "tree.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tree := string(b)
	for _, tt := range []struct{ name, was, is, want string }{
		{"a question leads nowhere", "to: q-age", "to: q-agee", `to: "q-agee" is not known; did you mean "q-age"?`},
		{"a circle", "to: q-what", "to: q-danger", "or in a circle"},
		{"nobody may be unsure", "unsure: true", "unsure: false", "lacks an answer with unsure: true"},
		{"a thing nobody asks about", "danger: going-home", "name: going-home", `set: "name" is not something the tree asks about`},
		{"a chip that is not there", "[going-home]", "[going-hom]", `flags: "going-hom" is not known`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := load(t, map[string]string{"tree.yaml": strings.ReplaceAll(tree, tt.was, tt.is)})
			if len(problems) == 0 || !strings.Contains(problems[0].String()+problems[len(problems)-1].String()+all(problems), tt.want) {
				t.Errorf("want %q, got %v", tt.want, problems)
			}
		})
	}
}

func all(ps []routine.Problem) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

func TestF61_aHostileFileCostsLittle(t *testing.T) {
	for name, file := range map[string]string{
		"a megabyte and more": strings.Repeat("a", 1<<20+1),
		"very deep":           strings.Repeat("[", 100000),
		"deep by indentation": deepMapping(200),
		"aliases":             "id: &a sit-x\ntitle: *a\n",
		"a merge":             "a: &a {x: 1}\n<<: *a\n",
		"two documents":       "id: x\n---\nid: y\n",
		"nothing":             "",
		"no mapping":          "- a\n- b\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			c, problems := load(t, map[string]string{"routines/sit-x.yaml": file})
			if c != nil || len(problems) == 0 {
				t.Error("it was taken")
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

func deepMapping(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestAFolderWithoutRoutinesIsAProblemAndNoPanic(t *testing.T) {
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	c, problems := routine.Load(d, fstest.MapFS{})
	if c != nil || len(problems) == 0 {
		t.Error("an empty folder was taken")
	}
	if c, _ := routine.Load(d); c != nil {
		t.Error("no layer at all was taken")
	}
}

// Nothing a content editor writes may crash the loader: it is a problem or it is
// content (F60).
func FuzzLoad(f *testing.F) {
	d, err := data.Embedded()
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"routines/sit-injury.yaml", "tree.yaml", "blocks.yaml", "deadlines.yaml", "meeting.yaml", "words.yaml"} {
		b, err := fs.ReadFile(routine.Files, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, string(b))
	}
	f.Add("local/5501.yaml", own)
	f.Fuzz(func(t *testing.T, name, text string) {
		if path.Clean(name) != name || !fs.ValidPath(name) || path.Ext(name) != ".yaml" {
			t.Skip("not a name of a content file")
		}
		c, problems := routine.Load(d, routine.Files, fstest.MapFS{name: &fstest.MapFile{Data: []byte(text)}})
		if (c == nil) != (len(problems) > 0) {
			t.Fatalf("catalogue %v with %d problems", c != nil, len(problems))
		}
		if c == nil {
			return
		}
		for _, r := range c.For("5501").Routines() {
			for _, locale := range routine.Locales {
				x := routine.Context{Locale: locale, Tenant: "5501", Stop: true, Role: "role-skole"}
				if v, ok := c.View(r.ID, x); ok {
					c.Sections(v, x)
				}
			}
		}
		c.Guide(routine.Context{})
		c.Dates("report", time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
		c.Notes()
	})
}
