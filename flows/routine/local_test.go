package routine_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

// own is a municipality's file with a change, an addition and a routine of its own.
const own = `
municipality: "5501"
owner: fagutvikler
reviewed: 2026-11-22
approved_by: kommunalsjef
next_review: 2027-05-22
about:
  sends: {text: {nb: "Den ansatte sender selv, lederen får kopi."}}
  home: {text: {nb: "Barnevernet avgjør før klokken 15."}}
  report-web: {web: "https://www.tromso.kommune.no/melding"}
  archive: {missing: nytt system kommer}
changes:
  - routine: sit-injury
    replace:
      - id: whole
        who: [adult, leader]
        when: at-once
        duty: true
        text: {nb: "Ring mottaksteamet i barnevernet samme dag."}
        law: [bvl § 13-2, strl § 196]
        call: [res-bv, res-bvv, res-02800]
    add:
      - id: body-map
        after: whole
        who: [health-nurse]
        when: same-day
        text: {nb: "Helsesykepleier tegner på kommunens kroppskart."}
    do_not: [{nb: "Ikke bruk skolens nettbrett til bilder."}]
routines:
  - id: sit-boat
    title: {nb: Barn på hurtigbåt}
    theme: acute
    when: [{nb: Et barn er alene på båten.}]
    acute: {level: "no"}
    stop: {applies: "no"}
    steps:
      - {id: one, who: [adult], when: now, text: {nb: Snakk med barnet.}}
    do_not: [{nb: Ikke la barnet gå av alene.}]
    law: [bvl § 13-2]
    call: [res-bv]
    write: [{nb: Tid og sted.}]
    child: [{nb: Barnet får vite hva som skjer.}]
    parents: [{nb: Barnevernet avgjør.}]
    owner: fagutvikler
    version: 2026-11-22
    valid_until: 2027-05-22
    mark: K
`

func load(t testing.TB, files map[string]string) (*routine.Catalogue, []routine.Problem) {
	t.Helper()
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	over := fstest.MapFS{}
	for name, text := range files {
		over[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return routine.Load(d, routine.Files, over)
}

func mustOverlay(t testing.TB, files map[string]string) *routine.Catalogue {
	t.Helper()
	c, problems := load(t, files)
	for _, p := range problems {
		t.Error(p)
	}
	if c == nil {
		t.FailNow()
	}
	return c
}

func TestAMunicipalitysOwnRoutineOverridesVisibly(t *testing.T) {
	c := mustOverlay(t, map[string]string{"local/5501.yaml": own})
	v, _ := c.View("sit-injury", routine.Context{Tenant: "5501"})
	steps := slices.Concat(v.Now, v.Steps)
	i := slices.IndexFunc(steps, func(s routine.StepView) bool { return s.ID == "whole" })
	if s := steps[i]; !s.Text.Local || s.Text.Text != "Ring mottaksteamet i barnevernet samme dag." || !strings.Contains(s.Was.Text, "Se helheten") {
		t.Errorf("the replaced step does not show what it replaces: %+v", s)
	}
	if s := steps[i+1]; s.ID != "body-map" || !s.Text.Local || s.Was.Text != "" {
		t.Errorf("the added step is %+v", s)
	}
	if !v.Local || len(v.Changes) != 3 {
		t.Errorf("local %v, changes %+v", v.Local, v.Changes)
	}
	if len(v.Here) == 0 || v.Here[0].ID != "sends" || !v.Here[0].Text.Local {
		t.Errorf("what the municipality says about itself: %+v", v.Here)
	}
	for _, s := range c.Sections(v, routine.Context{Tenant: "5501", Locale: "nn"}) {
		for _, l := range s.Lines {
			if strings.Contains(l.Text, "{{") {
				t.Errorf("%s: %q", s.ID, l.Text)
			}
		}
	}

	kinds := map[string]int{}
	for _, ch := range c.Diff("5501") {
		kinds[ch.Routine+" "+ch.Part+" "+ch.Kind]++
	}
	want := map[string]int{"sit-injury step whole replaced": 1, "sit-injury step body-map added": 1, "sit-injury do_not added": 1, "sit-boat routine added": 1}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Error(d)
	}
}

func TestElsewhereTheNationalRoutineHolds(t *testing.T) {
	c := mustOverlay(t, map[string]string{"local/5501.yaml": own})
	for _, tenant := range []string{"", "0301", "9999"} {
		v, _ := c.View("sit-injury", routine.Context{Tenant: tenant})
		if v.Local || len(v.Changes) > 0 || len(v.Here) > 0 {
			t.Errorf("%q sees what another municipality has changed", tenant)
		}
		if _, ok := c.View("sit-boat", routine.Context{Tenant: tenant}); ok {
			t.Errorf("%q sees another municipality's routine", tenant)
		}
		if len(c.Diff(tenant)) > 0 {
			t.Errorf("%q has a diff", tenant)
		}
	}
	if n := len(c.For("5501").Routines()); n != len(facts)+1 {
		t.Errorf("%d routines in the municipality", n)
	}
	if c.For("5501").For("0301") != c || c.For("5501").For("5501") != c.For("5501") {
		t.Error("For does not lead back")
	}
	v, _ := c.View("sit-told-violence-home", routine.Context{Tenant: "5501"})
	if v.Local {
		t.Error("a routine nobody changed is shown as changed")
	}
}

func TestTheMunicipalityIsToldWhatItLacks(t *testing.T) {
	c := mustOverlay(t, map[string]string{"local/5501.yaml": own})
	var got []string
	for _, n := range c.Notes() {
		if n.File == "local/5501.yaml" {
			got = append(got, n.ID+": "+n.Text)
		}
	}
	for _, want := range []string{"archive: missing: nytt system kommer", "interpreter: is not filled in", "sit-boat: lacks el-security: Trygghetsperson"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	if slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "sends") }) {
		t.Error("what is filled in is said to be missing")
	}
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	if notes := c.Expired(day("2026-11-23")); len(notes) > 0 {
		t.Errorf("%v", notes)
	}
	expired := c.Expired(day("2027-05-23"))
	for _, id := range []string{"5501", "sit-boat", "sit-injury"} {
		if !slices.ContainsFunc(expired, func(n routine.Note) bool { return n.ID == id }) {
			t.Errorf("%s is not said to have expired", id)
		}
	}
}

func TestAMunicipalityCannotTakeAwayWhatTheLawDemands(t *testing.T) {
	head := "municipality: \"5501\"\nowner: a\nreviewed: 2026-11-22\napproved_by: b\nnext_review: 2027-05-22\n"
	change := func(s string) string { return head + "changes:\n  - routine: sit-told-violence-home\n" + s }
	step := func(s string) string {
		return change("    replace:\n      - {id: call-bv, who: [adult], " + s + "}\n")
	}
	tests := []struct{ name, file, want string }{
		{"a duty that is no longer one", step("when: before-home, text: {nb: Ring.}, law: [bvl § 13-2, strl § 196], call: [res-bv, res-bvv, res-02800]"), "duty: true is missing"},
		{"a duty put later", step("duty: true, when: week, text: {nb: Ring.}, law: [bvl § 13-2, strl § 196], call: [res-bv, res-bvv, res-02800]"), "week is later than before-home"},
		{"nobody to call", step("duty: true, when: now, text: {nb: Ring.}, law: [bvl § 13-2, strl § 196], call: [res-bv]"), "call: res-bvv, res-02800 must stay"},
		{"no law", step("duty: true, when: now, text: {nb: Ring.}, call: [res-bv, res-bvv, res-02800]"), "law: [bvl § 13-2 strl § 196] must stay"},
		{"a step that tells the parents", change("    add:\n      - {id: x, who: [adult], when: now, text: {nb: Ring foreldrene først.}}\n"), "seems to tell the parents"},
		{"and is marked as such", change("    add:\n      - {id: x, who: [adult], when: now, informs_parents: true, text: {nb: Ring foreldrene først.}}\n"), "stop rule of this routine always applies"},
		{"a number typed into a text", change("    add:\n      - {id: x, who: [adult], when: now, text: {nb: Ring 77 00 00 00.}}\n"), "looks like a phone number"},
		{"a step after one that is not there", change("    add:\n      - {id: x, after: nothing, who: [adult], when: now, text: {nb: Ring.}}\n"), `after: "nothing" is not a step`},
		{"a routine that is not there", head + "changes:\n  - routine: sit-injry\n", `did you mean "sit-injury"?`},
		{"a field nobody knows", head + "about:\n  sender: {text: {nb: x}}\n", `"sender" is not known; did you mean "sends"?`},
		{"an address that is none", head + "about:\n  report-web: {web: http://melding}\n", "https://"},
		{"a file that calls itself another", strings.Replace(head, "5501", "0301", 1), `want "5501", the name of the file`},
		{"a number that is no municipality", strings.Replace(head, "5501", "9999", 1), "is not in municipalities.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := "local/5501.yaml"
			if strings.Contains(tt.file, "9999") {
				name = "local/9999.yaml"
			}
			c, problems := load(t, map[string]string{name: tt.file})
			if c != nil {
				t.Error("there is a catalogue all the same")
			}
			if !slices.ContainsFunc(problems, func(p routine.Problem) bool { return strings.Contains(p.Text, tt.want) && p.File == name && p.Line > 0 }) {
				t.Errorf("want %q, got %v", tt.want, problems)
			}
		})
	}
}

// A later layer replaces a national routine as a whole, under the same limits.
func TestALayerReplacesARoutineButTakesNothingAway(t *testing.T) {
	b, err := fs.ReadFile(routine.Files, "routines/sit-told-violence-home.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := string(b)
	c := mustOverlay(t, map[string]string{"routines/sit-told-violence-home.yaml": strings.Replace(file, "Barnet forteller om vold hjemme", "Når barnet forteller om vold", 1)})
	if r, _ := c.Routine("sit-told-violence-home"); r.Title.NB != "Når barnet forteller om vold" {
		t.Errorf("title %q", r.Title.NB)
	}
	weak := strings.Replace(file, "applies: always", "applies: \"no\"", 1)
	weak = strings.Replace(weak, "  - id: note\n", "  - id: memo\n", 1)
	_, problems := load(t, map[string]string{"routines/sit-told-violence-home.yaml": weak})
	for _, want := range []string{"it can be made stricter, not weaker", "step note is missing: the law demands it"} {
		if !slices.ContainsFunc(problems, func(p routine.Problem) bool { return strings.Contains(p.Text, want) }) {
			t.Errorf("want %q, got %v", want, problems)
		}
	}
}

// The example of the authors' page is read like any file.
func TestTheExampleOfTheReadmeIsTaken(t *testing.T) {
	b, err := fs.ReadFile(routine.Files, "README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("no example")
	}
	c := mustOverlay(t, map[string]string{"local/5501.yaml": example})
	if len(c.Diff("5501")) != 1 {
		t.Errorf("%v", c.Diff("5501"))
	}
}
