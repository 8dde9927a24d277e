package yamlfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trygg/flows/yamlfile"
)

type base struct {
	Owner string `yaml:"owner"`
}

type entry struct {
	ID    string            `yaml:"id"`
	Count int               `yaml:"count"`
	On    bool              `yaml:"on"`
	Tags  []string          `yaml:"tags"`
	Names map[string]string `yaml:"names"`
	Next  []entry           `yaml:"next"`
	base
	At yamlfile.Place
}

func read(file string) (entry, []string) {
	f := &yamlfile.File{Name: "f.yaml"}
	var e entry
	if root, ok := f.Parse([]byte(file)); ok {
		root.Into("entry", &e)
	}
	var told []string
	for _, p := range yamlfile.Sort(f.Problems) {
		told = append(told, p.String())
	}
	return e, told
}

func TestAFileIsReadIntoAValueWithPlaces(t *testing.T) {
	got, told := read("id: a\ncount: 3\non: true\nowner: o\ntags: [x, y]\nnames: {nb: en, nn: ein}\nnext:\n  - id: b\n    tags: z\n")
	if len(told) > 0 {
		t.Fatal(told)
	}
	want := entry{
		ID: "a", Count: 3, On: true, base: base{"o"}, Tags: []string{"x", "y"}, Names: map[string]string{"nb": "en", "nn": "ein"},
		Next: []entry{{ID: "b", Tags: []string{"z"}, At: yamlfile.Place{File: "f.yaml", Line: 8, Column: 5}}},
		At:   yamlfile.Place{File: "f.yaml", Line: 1, Column: 1},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(entry{}, base{})); d != "" {
		t.Error(d)
	}
}

// A leading zero and a thing that looks like a date stay what was written.
func TestAWordIsWhatWasWritten(t *testing.T) {
	got, told := read("id: 0301\nowner: 2026-12-31\ntags: [6-9, 1e3, yes, 007]\n")
	if len(told) > 0 || got.ID != "0301" || got.Owner != "2026-12-31" || !cmp.Equal(got.Tags, []string{"6-9", "1e3", "yes", "007"}) {
		t.Errorf("%+v, %v", got, told)
	}
}

func TestF60_allThatIsWrongIsTold(t *testing.T) {
	tests := []struct {
		name, file string
		want       []string
	}{
		{"unknown keys", "idd: a\ncuont: 1\n", []string{`f.yaml:1:1: entry: "idd" is not known here; did you mean "id"?`, `f.yaml:2:1: entry: "cuont" is not known here; did you mean "count"?`}},
		{"a key twice", "id: a\nid: b\n", []string{`f.yaml:2:1: entry: "id" stands twice, first on line 1: keep one`}},
		{"wrong kinds", "id: [a]\ncount: many\non: perhaps\nnext: x\n", []string{
			`f.yaml:1:5: entry: id: want a single word or text, got a list`,
			`f.yaml:2:8: entry: count: want a whole number, got "many"`,
			`f.yaml:3:5: entry: on: want true or false, got "perhaps"`,
			`f.yaml:4:7: entry: next: want names with values (name: value), got a single value`,
		}},
		{"empty values", "id:\nowner: \"\"\ntags: []\n", []string{
			`f.yaml:1:4: entry: id: has no value: give one, or take the line away`,
			`f.yaml:2:8: entry: owner: is empty: give a value, or take the line away`,
			`f.yaml:3:7: entry: tags: is empty: give a value, or take the line away`,
		}},
		{"an anchor", "id: &x a\nowner: *x\n", []string{`f.yaml:1:5: entry: id: want a single word or text, got an anchor or alias, which content may not use`, `f.yaml:2:8: entry: owner: want a single word or text, got an anchor or alias, which content may not use`}},
		{"a tag", "id: !!binary a\n", []string{`f.yaml:1:5: entry: id: want a single word or text, got a tag, which content may not use`}},
		{"no YAML", "id: [a\n", []string{"f.yaml:1:5: not valid YAML: sequence end token ']' not found"}},
		{"two documents", "id: a\n---\nid: b\n", []string{"f.yaml: want one document, got 2: a content file is one YAML document"}},
		{"nothing", "", []string{"f.yaml: want one document, got 1: a content file is one YAML document"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, told := read(tt.file)
			if d := cmp.Diff(tt.want, told); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestF61_sizeAndDepthAreBoundedBeforeAnythingIsBuilt(t *testing.T) {
	for name, file := range map[string]string{
		"size":     "id: " + strings.Repeat("a", yamlfile.MaxFile),
		"brackets": strings.Repeat("[", 1000),
		"dashes":   strings.Repeat("- ", 1000) + "a",
	} {
		if _, told := read(file); len(told) != 1 {
			t.Errorf("%s: %v", name, told)
		}
	}
}

func FuzzInto(f *testing.F) {
	f.Add("id: a\ncount: 3\nnext:\n  - id: b\n")
	f.Add("id: &x a\n<<: *x\n? - a\n: b\n")
	f.Add("- - - a\n")
	f.Fuzz(func(t *testing.T, file string) { read(file) })
}
