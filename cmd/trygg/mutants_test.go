package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trygg/flows"
	"trygg/locales"
)

// mutant is one thing removed from the real content.
type mutant struct {
	kind string // what was removed: edge, action, text, number ...
	name string // which, as the report lists it
	flow string // its flow; mutants of one flow are never tried together
	// change gives the changed files, from those before it.
	change func(files map[string]string)
	// told tells whether a finding is about this mutant and no other.
	told func(Finding) bool
}

// mutantCheck is the check as the mutants meet it: everything but the proof.
func mutantCheck(t testing.TB, files map[string]string) findings {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The authors' transcripts belong to the check.
	here, err := filepath.Abs("../../flows/testdata")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(here, filepath.Join(dir, "transcripts")); err != nil {
		t.Fatal(err)
	}
	r := readContent(openTrees(dir))
	all := append(r.findings, r.inspect(checkDay)...)
	r.transcripts(&all)
	return all.of(Stops, Wrong)
}

// Each edge, text, number, translation and age variant of the real content is
// removed in turn; the check must catch 99 of 100 that matter. By default a few
// are tried; TRYGG_MUTANTS=all tries all and writes docs/mutants.md.
func TestMutants(t *testing.T) {
	if base := mutantCheck(t, nil); len(base) > 0 {
		t.Fatalf("the content has %d problems before anything is removed: %v", len(base), base[0])
	}
	all := slices.Concat(edgeMutants(t), textMutants(t), dataMutants(t))
	whole := os.Getenv("TRYGG_MUTANTS") == "all"
	chosen := all
	if !whole {
		chosen = nil
		for i := 7; i < len(all); i += max(1, len(all)/120) {
			chosen = append(chosen, all[i])
		}
	}
	var survived []mutant
	try := func(ms []mutant) (left []mutant) {
		files := map[string]string{}
		for _, m := range ms {
			m.change(files)
		}
		found := mutantCheck(t, files)
		for _, m := range ms {
			if len(ms) == 1 && len(found) > 0 || slices.ContainsFunc(found, m.told) {
				continue
			}
			left = append(left, m)
		}
		return left
	}
	for _, batch := range batches(chosen) {
		for _, m := range try(batch) {
			// Alone, whatever is found is about it.
			survived = append(survived, try([]mutant{m})...)
		}
	}
	var matter []mutant
	for _, m := range survived {
		if harmless(m) == "" {
			matter = append(matter, m)
		}
	}
	t.Logf("%d of %d mutants: %d not caught, %d of them matter", len(chosen), len(all), len(survived), len(matter))
	if 100*len(matter) > len(chosen) {
		t.Errorf("%d of %d are not caught, more than 1 in 100", len(matter), len(chosen))
	}
	for _, m := range matter {
		t.Logf("not caught: %s: %s", m.kind, m.name)
	}
	if whole {
		writeMutants(t, all, survived)
	}
}

// batches puts mutants together that cannot be taken for one another: of each
// flow, text and data file one at a time.
func batches(ms []mutant) [][]mutant {
	const most = 40
	var out [][]mutant
	var in []map[string]bool
next:
	for _, m := range ms {
		for i := max(0, len(out)-60); i < len(out); i++ {
			if len(out[i]) < most && !in[i][m.flow] {
				out[i], in[i][m.flow] = append(out[i], m), true
				continue next
			}
		}
		out, in = append(out, []mutant{m}), append(in, map[string]bool{m.flow: true})
	}
	return out
}

// harmless says why it does not matter that a mutant is not caught; "" = it does.
func harmless(m mutant) string {
	switch {
	case m.kind == "message" && strings.Contains(m.name, " one of "):
		return ""
	case m.kind == "action" && strings.HasSuffix(m.name, ": messages edit"):
		return "edits are how every chat begins"
	}
	return ""
}

func writeMutants(t *testing.T, all, survived []mutant) {
	t.Helper()
	tried, left := map[string]int{}, map[string]int{}
	for _, m := range all {
		tried[m.kind]++
	}
	for _, m := range survived {
		left[m.kind]++
	}
	var b strings.Builder
	b.WriteString("# What the check catches\n\nEach edge, action, text, number, translation and age variant of the content was removed in turn, and the check\nrun on what was left (without the proof of help). Written by `make mutants-content`.\n\n")
	b.WriteString("| removed | how many | not caught |\n| --- | ---: | ---: |\n")
	for _, k := range slices.Sorted(maps.Keys(tried)) {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", k, tried[k], left[k])
	}
	fmt.Fprintf(&b, "| all | %d | %d |\n", len(all), len(survived))
	if len(survived) == 0 {
		b.WriteString("\nEvery one was caught.\n")
	} else {
		b.WriteString("\nNot caught:\n\n")
		slices.SortFunc(survived, func(a, c mutant) int { return cmp.Or(strings.Compare(a.kind, c.kind), strings.Compare(a.name, c.name)) })
		for _, m := range survived {
			reason := cmp.Or(harmless(m), "the content is whole without it: nothing else refers to it")
			fmt.Fprintf(&b, "- %s: %s (%s)\n", m.kind, m.name, reason)
		}
	}
	if err := os.WriteFile("../../docs/mutants.md", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// edgeMutants take away buttons, where they lead, what they do, and messages.
func edgeMutants(t testing.TB) []mutant {
	t.Helper()
	s, problems := loadSnapshot("")
	if s == nil {
		t.Fatal(problems)
	}
	var ms []mutant
	for _, f := range s.library.Flows() {
		file := "flows/" + f.Name + ".yaml"
		for i, st := range f.States {
			add := func(kind, name string, change func(*flows.State)) {
				ms = append(ms, mutant{kind: kind, name: f.Name + "/" + st.Name + " " + name, flow: f.Name,
					change: func(files map[string]string) { files[file] = written(f, i, change) },
					told: func(x Finding) bool {
						return strings.HasSuffix(x.File, "/"+file) && strings.Contains(x.Text, fmt.Sprintf("%q", st.Name)) ||
							strings.Contains(x.Text, `"`+f.Name+"."+st.Name+".")
					}})
			}
			for _, row := range st.Rows {
				for _, c := range row {
					add("edge", c.Event, func(x *flows.State) { without(x, c.Event, true) })
				}
			}
			for _, e := range st.Go {
				button := slices.ContainsFunc(st.Rows, func(r []flows.Choice) bool {
					return slices.ContainsFunc(r, func(c flows.Choice) bool { return c.Event == e.Event })
				})
				if !button {
					add("edge", e.Event, func(x *flows.State) { without(x, e.Event, true) })
				} else if t := e.Target; t.Done || t.Call || t.State != e.Event {
					add("way", e.Event, func(x *flows.State) { without(x, e.Event, false) })
				}
				if e.Do.Name != "" {
					add("action", fmt.Sprintf("%s: %s %s", e.Event, e.Do.Name, e.Do.Arg), func(x *flows.State) {
						for j := range x.Go {
							if x.Go[j].Event == e.Event {
								x.Go[j].Do = flows.Action{}
							}
						}
					})
				}
			}
			for j, id := range st.Say {
				m := mutant{kind: "message", name: f.Name + "/" + st.Name + " " + id, flow: f.Name,
					change: func(files map[string]string) {
						files[file] = written(f, i, func(x *flows.State) { x.Say = slices.Delete(slices.Clone(x.Say), j, j+1) })
					},
					told: func(x Finding) bool {
						return strings.Contains(x.Text, fmt.Sprintf("%q", id)) || strings.HasSuffix(x.File, "/"+file) && strings.Contains(x.Text, st.Name)
					}}
				ms = append(ms, m)
			}
		}
	}
	raw := readFile(t, treeNames[0].files, "index.yaml")
	for _, topic := range s.library.Topics() {
		ms = append(ms, mutant{kind: "topic", name: topic, flow: "index", change: func(files map[string]string) {
			entry := regexp.MustCompile(`(?m)(?:^\s*|[{,] *)` + regexp.QuoteMeta(topic) + `: [a-z0-9_]+/[a-z0-9_]+\n?`)
			files["flows/index.yaml"] = entry.ReplaceAllStringFunc(cmp.Or(files["flows/index.yaml"], raw), func(was string) string {
				if strings.HasPrefix(was, "{") {
					return "{"
				}
				return ""
			})
		}, told: func(x Finding) bool { return strings.Contains(x.Text, `"topic.`+topic+`"`) }})
	}
	return ms
}

// without takes an event's edge away, and its button.
func without(s *flows.State, event string, button bool) {
	s.Go = slices.DeleteFunc(slices.Clone(s.Go), func(e flows.Edge) bool { return e.Event == event })
	if !button {
		return
	}
	var rows [][]flows.Choice
	for _, row := range s.Rows {
		if row = slices.DeleteFunc(slices.Clone(row), func(c flows.Choice) bool { return c.Event == event }); len(row) > 0 {
			rows = append(rows, row)
		}
	}
	s.Rows = rows
}

// written gives a flow as a file, with one state changed.
func written(f *flows.Flow, changed int, change func(*flows.State)) string {
	var b strings.Builder
	fmt.Fprintf(&b, "flow: %s\nfor: %s\nstart: %s\nstates:\n", f.Name, f.For, f.Start)
	for i, s := range f.States {
		x := *s
		if i == changed {
			change(&x)
		}
		fmt.Fprintf(&b, "  %s:\n    say: [%s]\n", x.Name, strings.Join(x.Say, ", "))
		if x.Typing {
			b.WriteString("    typing: true\n")
		}
		if x.List != "" {
			fmt.Fprintf(&b, "    list: %s\n", x.List)
		}
		var rows, ways, does []string
		for _, row := range x.Rows {
			var cs []string
			for _, c := range row {
				when := ""
				if len(c.When.Bands) > 0 {
					when += ", band: [" + strings.Join(c.When.Bands, ", ") + "]"
				}
				if len(c.When.Channels) > 0 {
					when += ", channel: [" + strings.Join(c.When.Channels, ", ") + "]"
				}
				if c.When.Switch != "" {
					when += ", switch: " + c.When.Switch
				}
				if when == "" {
					cs = append(cs, c.Event)
				} else {
					cs = append(cs, "{event: "+c.Event+", when: {"+when[2:]+"}}")
				}
			}
			rows = append(rows, "["+strings.Join(cs, ", ")+"]")
		}
		for _, e := range x.Go {
			to := e.Target.State
			switch {
			case e.Target.Done:
				to = "done"
			case e.Target.Call:
				to = e.Target.Place.String()
			}
			ways = append(ways, e.Event+": "+to)
			if e.Do.Name != "" {
				does = append(does, e.Event+": "+strings.TrimSpace(e.Do.Name+" "+e.Do.Arg))
			}
		}
		if len(rows) > 0 {
			fmt.Fprintf(&b, "    buttons: [%s]\n", strings.Join(rows, ", "))
		}
		if len(ways) > 0 {
			fmt.Fprintf(&b, "    go: {%s}\n", strings.Join(ways, ", "))
		}
		if len(does) > 0 {
			fmt.Fprintf(&b, "    do: {%s}\n", strings.Join(does, ", "))
		}
	}
	return b.String()
}

// textMutants take away every text of every language, every age variant in all
// languages together, and every number out of every text.
func textMutants(t testing.TB) []mutant {
	t.Helper()
	r := readContent(openTrees(""))
	if r.snapshot() == nil {
		t.Fatal(r.findings)
	}
	line := func(files map[string]string, e locales.Entry, change func(string) string) {
		name := "locales/" + e.File
		text, ok := files[name]
		if !ok {
			text = readFile(t, treeNames[1].files, e.File)
		}
		// A text is one line here; its key is looked up, since lines above may be gone.
		key := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(e.Key()) + `:.*(?:\n[ \t]+.*)*\n?`)
		files[name] = key.ReplaceAllStringFunc(text, change)
	}
	var ms []mutant
	for _, l := range r.texts.Languages() {
		for _, e := range r.texts.Entries(l.Tag) {
			kind := "text"
			switch {
			case e.Band != "":
				kind = "age variant"
			case l.Tag != locales.Source:
				kind = "translation"
			}
			told := func(x Finding) bool {
				return strings.Contains(x.Text, fmt.Sprintf("%q", e.Key())) || strings.Contains(x.Text, fmt.Sprintf("%q", e.ID)) || strings.Contains(x.Text, "write "+e.ID+" in ")
			}
			ms = append(ms, mutant{kind: kind, name: l.Tag + " " + e.Key(), flow: e.ID, told: told, change: func(files map[string]string) {
				line(files, e, func(string) string { return "" })
			}})
			for _, p := range regexp.MustCompile(`\{\{\.\w+\}\}`).FindAllString(e.Raw, -1) {
				ms = append(ms, mutant{kind: "number in a text", name: l.Tag + " " + e.Key() + " " + p, flow: e.ID, told: told, change: func(files map[string]string) {
					line(files, e, func(was string) string { return strings.ReplaceAll(was, p, "") })
				}})
			}
			if l.Tag == locales.Source && e.Band != "" {
				ms = append(ms, mutant{kind: "age variant, in all languages", name: e.Key(), flow: e.ID, told: told, change: func(files map[string]string) {
					for _, l := range r.texts.Languages() {
						for _, x := range r.texts.Entries(l.Tag) {
							if x.Key() == e.Key() {
								line(files, x, func(string) string { return "" })
							}
						}
					}
				}})
			}
		}
	}
	return ms
}

// dataMutants take numbers and addresses out of the data.
func dataMutants(t testing.TB) []mutant {
	t.Helper()
	var ms []mutant
	way := regexp.MustCompile(`^\s+(phone|sms|web|chat|email): `)
	for _, name := range []string{"contacts.yaml", "services.yaml", "municipalities.yaml"} {
		raw := readFile(t, treeNames[2].files, name)
		lines := strings.Split(raw, "\n")
		id := ""
		for i, l := range lines {
			if _, v, ok := strings.Cut(strings.TrimLeft(l, " -"), "id: "); ok && strings.HasPrefix(strings.TrimLeft(l, " -"), "id: ") {
				id = v
			}
			if !way.MatchString(l) {
				continue
			}
			kind := "number"
			if m := way.FindStringSubmatch(l); m[1] == "web" || m[1] == "chat" || m[1] == "email" {
				kind = "address"
			}
			ms = append(ms, mutant{kind: kind, name: id + " " + strings.TrimSpace(l), flow: "data", told: func(Finding) bool { return false }, change: func(files map[string]string) {
				files["data/"+name] = strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "\n")
			}})
		}
	}
	return ms
}

func readFile(t testing.TB, fsys fs.FS, name string) string {
	t.Helper()
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
