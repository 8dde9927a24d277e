package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"trygg/flows"
	"trygg/flows/draw"
	"trygg/flows/routine/desk"
	"trygg/locales"
)

// mutant is one thing removed from the real content.
type mutant struct {
	kind string // what was removed: edge, action, text, number ...
	name string // which, as the report lists it
	flow string // its flow; mutants of one flow are never tried together
	// alone is for changes of conversations, which are quick to try one by one.
	alone bool
	// change gives the changed files, from those before it.
	change func(files map[string]string)
	// told tells whether a finding is about this mutant and no other.
	told func(Finding) bool
}

// mutantTree lays changed files into a folder, with the authors' transcripts,
// which belong to the check.
func mutantTree(t testing.TB, files map[string]string) trees {
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
	here, err := filepath.Abs("../../flows/testdata")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(here, filepath.Join(dir, "transcripts")); err != nil {
		t.Fatal(err)
	}
	return openTrees(dir)
}

// mutantCheck is the check as the mutants meet it: everything but the proof.
func mutantCheck(tree trees, rules *locales.Rules) (findings, *reading) {
	r := readContent(tree)
	r.rules = rules
	all := append(r.findings, r.inspect(checkDay)...)
	r.transcripts(&all)
	return all.of(Stops, Wrong), r
}

// caughtEarly tells whether conversations alone, without the rest of the check,
// are found wrong; most are, and this is quick. s is what they were changed in.
func caughtEarly(tree trees, s *snapshot) bool {
	library, problems := flows.Check(tree.open("flows"), named(s.data))
	if len(problems) > 0 {
		return true
	}
	library.UseDesk(desk.New(s.routines))
	changed := *s
	changed.library = library
	return len(replayAll(&changed, os.DirFS(filepath.Join(tree.dir, "transcripts")))) > 0
}

// mutantRules are the rules, read once, so that each text is looked at once.
func mutantRules() *locales.Rules {
	rules, problems := locales.LoadRules(treeNames[1].files)
	if len(problems) > 0 {
		panic(problems[0].String())
	}
	return rules
}

// Each edge, text, number, translation and age variant of the real content is
// removed in turn; the check must catch 99 of 100 that matter. By default a few
// are tried; TRYGG_MUTANTS=all tries all and writes docs/mutants.md.
func TestMutants(t *testing.T) {
	base, before := mutantCheck(mutantTree(t, nil), mutantRules())
	if len(base) > 0 {
		t.Fatalf("the content has %d problems before anything is removed: %v", len(base), base[0])
	}
	drawn := draw.Pages(before.library, before.texts)
	again := map[string]string{}
	for _, f := range before.library.Flows() {
		again["flows/"+f.Name+".yaml"] = written(f, -1, nil)
	}
	// Else a mutant could be caught for how its file is written.
	if found, r := mutantCheck(mutantTree(t, again), mutantRules()); len(found) > 0 || !maps.EqualFunc(drawn, draw.Pages(r.library, r.texts), bytes.Equal) {
		t.Fatalf("the conversations written anew are not what they were: %v", found)
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
	todo, published := batches(chosen), before.snapshot()
	var survived, inDrawings []mutant
	var next, done atomic.Int64
	var mu sync.Mutex
	var running sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(todo)) {
		rules := mutantRules() // what they remember of texts is for one at a time
		running.Go(func() {
			try := func(ms []mutant) (left, drawings []mutant) {
				files := map[string]string{}
				for _, m := range ms {
					m.change(files)
				}
				tree := mutantTree(t, files)
				defer os.RemoveAll(tree.dir)
				if ms[0].alone && caughtEarly(tree, published) {
					return nil, nil
				}
				found, r := mutantCheck(tree, rules)
				for _, m := range ms {
					switch {
					case len(ms) == 1 && len(found) > 0 || slices.ContainsFunc(found, m.told):
					case len(ms) == 1 && !maps.EqualFunc(drawn, draw.Pages(r.library, r.texts), bytes.Equal):
						drawings = append(drawings, m)
					default:
						left = append(left, m)
					}
				}
				return left, drawings
			}
			for i := next.Add(1) - 1; i < int64(len(todo)); i = next.Add(1) - 1 {
				missed := todo[i]
				if len(missed) > 1 {
					missed, _ = try(missed)
				}
				for _, m := range missed {
					// Alone, whatever is found is about it.
					left, drawings := try([]mutant{m})
					if whole && len(left)+len(drawings) > 0 {
						t.Logf("%s: %s: not caught, or in the drawings only", m.kind, m.name)
					}
					mu.Lock()
					survived, inDrawings = append(survived, left...), append(inDrawings, drawings...)
					mu.Unlock()
				}
				if n := done.Add(int64(len(todo[i]))); whole && n/1000 != (n-int64(len(todo[i])))/1000 {
					t.Logf("%d of %d", n, len(chosen))
				}
			}
		})
	}
	running.Wait()
	order := func(a, c mutant) int { return cmp.Or(strings.Compare(a.kind, c.kind), strings.Compare(a.name, c.name)) }
	slices.SortFunc(survived, order)
	slices.SortFunc(inDrawings, order)
	var matter []mutant
	for _, m := range survived {
		if harmless(m) == "" {
			matter = append(matter, m)
		}
	}
	t.Logf("%d of %d mutants: %d caught by the drawings only, %d not caught, %d of them matter", len(chosen), len(all), len(inDrawings), len(survived), len(matter))
	if 100*len(matter) > len(chosen) {
		t.Errorf("%d of %d are not caught, more than 1 in 100", len(matter), len(chosen))
	}
	for _, m := range matter {
		t.Logf("not caught: %s: %s", m.kind, m.name)
	}
	for _, m := range inDrawings {
		t.Logf("in the drawings only: %s: %s", m.kind, m.name)
	}
	if whole {
		writeMutants(t, all, inDrawings, survived)
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
		if m.alone {
			out, in = append(out, []mutant{m}), append(in, map[string]bool{m.flow: true})
			continue
		}
		for i := max(0, len(out)-60); i < len(out); i++ {
			if len(out[i]) < most && !in[i][m.flow] && !out[i][0].alone {
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
	case m.kind == "action" && strings.HasSuffix(m.name, ": messages edit"):
		return "edits are how every chat begins"
	}
	return ""
}

func writeMutants(t *testing.T, all, inDrawings, survived []mutant) {
	t.Helper()
	tried, drawings, left := map[string]int{}, map[string]int{}, map[string]int{}
	for _, m := range inDrawings {
		drawings[m.kind]++
	}
	for _, m := range all {
		tried[m.kind]++
	}
	for _, m := range survived {
		left[m.kind]++
	}
	var b strings.Builder
	b.WriteString("# What the check catches\n\n" +
		"Each edge, way, action, text, translation, number and age variant of the content was removed in turn, and the check run\n" +
		"on what was left, without the proof of help. Written by `make mutants-content`.\n\n" +
		"An edge is a button with where it leads; a way is only where it leads. Where the content is whole without what was\n" +
		"removed, its drawing in `docs/flows` is not what it was, and the build stops until somebody has looked at the new one.\n\n" +
		"| removed | how many | by the check | by the drawings only | not caught |\n| --- | ---: | ---: | ---: | ---: |\n")
	row := func(what string, n, drawn, left int) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", what, n, n-drawn-left, drawn, left)
	}
	for _, k := range slices.Sorted(maps.Keys(tried)) {
		row(k, tried[k], drawings[k], left[k])
	}
	row("all", len(all), len(inDrawings), len(survived))
	if len(survived) == 0 {
		b.WriteString("\nEvery one was caught.\n")
	} else {
		b.WriteString("\nNot caught:\n\n")
		for _, m := range survived {
			reason := cmp.Or(harmless(m), "the content is whole without it: nothing else refers to it")
			if m.kind == "number" || m.kind == "address" {
				reason = "there is another way to the same place, and no text names this one: only whoever reviews the numbers knows that it should be there"
			}
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
				ms = append(ms, mutant{kind: kind, name: f.Name + "/" + st.Name + " " + name, flow: f.Name, alone: true,
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
						x.Go = slices.Clone(x.Go)
						for j := range x.Go {
							if x.Go[j].Event == e.Event {
								x.Go[j].Do = flows.Action{}
							}
						}
					})
				}
			}
			for j, id := range st.Say {
				m := mutant{kind: "message", name: f.Name + "/" + st.Name + " " + id, flow: f.Name, alone: true,
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
		ms = append(ms, mutant{kind: "topic", name: topic, flow: "index", alone: true, change: func(files map[string]string) {
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
		if x.Desk {
			b.WriteString("    desk: true\n")
		}
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
