package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/bot/webchat"
	"trygg/flows"
)

// changed lays the small content into a folder and changes it.
func changed(t testing.TB, edits ...[3]string) trees {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "content")
	if err := smallContent(dir); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		replace(t, filepath.Join(dir, e[0]), e[1], e[2])
	}
	return trees{dir: dir, alone: true}
}

// wantFinding looks for one finding and its level, with its place.
func wantFinding(t *testing.T, tree trees, level Level, file, want string) {
	t.Helper()
	all, _ := checked(tree, false)
	for _, f := range all {
		if strings.Contains(f.Text, want) {
			if f.Level != level || !strings.HasSuffix(f.File, file) {
				t.Errorf("%s is %q in %s, want %q in %s", f, f.Level, f.File, level, file)
			}
			return
		}
	}
	t.Errorf("want %q, got %v", want, all)
}

// F58: what is missing of an ordinary text is told, and nb or its like stands
// in; without a safety text nothing starts.
func TestF58_missingTranslations(t *testing.T) {
	t.Run("of an ordinary text", func(t *testing.T) {
		tree := changed(t, [3]string{"locales/en/tell.yaml", "tell.party: When you are 15, you have more rights.\n", ""})
		wantFinding(t, tree, Wrong, "en/tell.yaml", `"tell.party" is missing`)
		r := readContent(tree)
		s := r.snapshot()
		if s == nil {
			t.Fatalf("nothing is published: %v", r.findings)
		}
		if text, tag := s.texts.Lookup("en", "tell.party", ""); tag != "nb" || text == "" {
			t.Errorf("in its place stands %q in %q", text, tag)
		}
	})
	t.Run("of a safety text", func(t *testing.T) {
		tree := changed(t, [3]string{"locales/en/active.yaml", "engine.stateless: ", "engine.statless: "})
		wantFinding(t, tree, Stops, "en/active.yaml", `the safety text "engine.stateless" is missing`)
		if readContent(tree).snapshot() != nil {
			t.Error("it is published all the same")
		}
	})
	t.Run("of one band", func(t *testing.T) {
		tree := changed(t, [3]string{"locales/nb/rights.yaml", "rights.heard: ", "rights.heard@16-18: "})
		wantFinding(t, tree, Stops, "nb/rights.yaml", `"rights.heard" has no text for the bands 10-12, 13-15`)
	})
}

// F59: what must not start does not, and the place is told.
func TestF59_whatMustNotStart(t *testing.T) {
	for _, tt := range []struct{ name, was, is, want string }{
		{"a dead end", "    say: tell.teacher\n    buttons: [[more]]\n    go: {more: menu}\n", "    say: tell.teacher\n", "is a dead end"},
		{"a loop without exit", "go: {leave: done}", "go: {leave: teacher}", "no way out of"},
		{"an unreachable node", "  party:\n", "  island:\n    say: tell.teacher\n    buttons: [[more]]\n    go: {more: menu}\n  party:\n", `nothing leads to state "island"`},
		{"a duplicate id", "  party:\n", "  teacher:\n", "stands twice"},
		{"an unknown target", "go: {leave: done}", "go: {leave: somewhere}", `sends "leave" to "somewhere"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := changed(t, [3]string{"flows/tell.yaml", tt.was, tt.is})
			wantFinding(t, tree, Stops, "flows/tell.yaml", tt.want)
			r := readContent(tree)
			if r.snapshot() != nil {
				t.Error("it is published all the same")
			}
			for _, f := range r.findings {
				if f.Line == 0 {
					t.Errorf("no place: %s", f)
				}
			}
		})
	}
}

// F60: keys that stand twice or are not known, and wrong types, with their line,
// in all kinds of files.
func TestF60_keysAndTypes(t *testing.T) {
	for _, tt := range []struct{ name, file, was, is, want string }{
		{"a flow's key twice", "flows/tell.yaml", "for: child\n", "for: child\nfor: child\n", `tell.yaml:3:1: flow file: "for" stands twice`},
		{"a flow's unknown key", "flows/tell.yaml", "for: child\n", "for: child\nfrom: me\n", `tell.yaml:3:1: flow file: "from" is not known here`},
		{"a flow's wrong type", "flows/tell.yaml", "say: tell.party", "say: [{a: b}]", `tell.yaml:15:`},
		{"a text twice", "locales/nn/tell.yaml", "tell.party: ", "tell.menu: x\ntell.party: ", `tell.yaml:8:1: "tell.menu" stands twice`},
		{"a text's wrong type", "locales/nn/tell.yaml", "tell.party: Frå", "tell.party: [a]\n# Frå", `tell.yaml:8:13: "tell.party": want a text, got a list`},
		{"a header's unknown key", "locales/nn/tell.yaml", "reviewed_by", "reviewer", `tell.yaml:1:23: file: "reviewer" is not known here`},
		{"a language's unknown key", "locales/languages.yaml", "always: true, fallback: [nn, en]", "alwys: true, fallback: [nn, en]", `languages.yaml:1:`},
		{"a contact's unknown key", "data/contacts.yaml", "anonymous: true", "anonymus: true", `contacts.yaml:`},
		{"a rule's unknown key", "locales/rules.yaml", "emoji: [", "emojis: [", `rules.yaml:`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, _ := checked(changed(t, [3]string{tt.file, tt.was, tt.is}), false)
			if len(all) == 0 || !slices.ContainsFunc(all, func(f Finding) bool { return f.Line > 0 && strings.Contains(f.String(), tt.want) }) {
				t.Errorf("want %q, got %v", tt.want, all)
			}
		})
	}
}

// F61: hostile texts and rules are refused before anything is built of them.
// That it is quick shows in what is not done: memory stays small.
func TestF61_hostileTexts(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	for name, text := range map[string]string{
		"an alias bomb":   bomb,
		"50 MiB":          strings.Repeat("# padding\n", 5<<20),
		"10,000 brackets": "a: " + strings.Repeat("[", 10_000),
		"10,000 braces":   strings.Repeat("{a: ", 10_000),
		"10,000 dashes":   strings.Repeat("- ", 10_000) + "x",
		"merge keys":      "a: &b {c: d}\ne: {<<: *b}\n",
		"a tag":           "a: !!python/object:os.system x\n",
	} {
		for _, file := range []string{"locales/nb/tell.yaml", "locales/rules.yaml", "locales/languages.yaml", "flows/tell.yaml", "data/contacts.yaml"} {
			t.Run(name+" in "+file, func(t *testing.T) {
				tree := changed(t)
				if err := os.WriteFile(filepath.Join(tree.dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				all, _ := checked(tree, false)
				runtime.ReadMemStats(&after)
				if len(all.of(Stops, Wrong)) == 0 {
					t.Error("it is taken")
				}
				if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
					t.Errorf("it took %d MiB to refuse", used>>20)
				}
			})
		}
	}
}

// F64: a malformed number stops; a review that is too long ago is noted at 90
// days and stands against a release at 180, and never stops a running service.
func TestF64_reviewDates(t *testing.T) {
	tree := changed(t)
	r := readContent(tree)
	day := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	old := func(at time.Time) (notes, release int) {
		for _, f := range r.inspect(at) {
			if f.Rule == "review" {
				notes++
				if f.Level != Note {
					t.Errorf("%s is %q", f, f.Level)
				}
			}
		}
		for _, f := range r.release(at, nil, 0) {
			if f.Rule == "review" {
				release++
			}
		}
		return notes, release
	}
	for _, tt := range []struct {
		days           int
		notes, release bool
	}{{89, false, false}, {91, true, false}, {181, true, true}} {
		notes, release := old(day.AddDate(0, 0, tt.days))
		if (notes > 0) != tt.notes || (release > 0) != tt.release {
			t.Errorf("after %d days: %d notes and %d against a release", tt.days, notes, release)
		}
	}
	if r.snapshot() == nil {
		t.Error("age keeps content from being published")
	}
	wantFinding(t, changed(t, [3]string{"data/contacts.yaml", "phone: 800 33 321", `phone: "80033321"`}), Stops, "contacts.yaml", "is not a number as people read it")
}

// F66: help is no place that a choice leads to, and no button can take its name.
func TestF66_helpIsNoNode(t *testing.T) {
	for _, tt := range []struct{ name, was, is, want string }{
		{"as a state", "go: {leave: done}", "go: {leave: done, teacher: help}", "its button stands on every screen by itself"},
		{"as a flow", "go: {leave: done}", "go: {leave: done, teacher: help/}", "its button stands on every screen by itself"},
		{"as the card", "go: {leave: done}", "go: {leave: done, teacher: card/main}", "its button stands on every screen by itself"},
		{"as a button, hidden from all but one band", "[[teacher]", "[[teacher, {event: help, when: {band: [16-18]}}]", "this name belongs to the engine"},
		{"as a state of its own", "  party:\n", "  help:\n", "this name belongs to the engine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := changed(t, [3]string{"flows/tell.yaml", tt.was, tt.is})
			wantFinding(t, tree, Stops, "flows/tell.yaml", tt.want)
		})
	}
}

// Everything at once, none twice, in the order of the files.
func TestCheckTellsEverythingOnce(t *testing.T) {
	tree := changed(t,
		[3]string{"flows/tell.yaml", "go: {leave: done}", "go: {leave: dune}"},
		[3]string{"flows/rights.yaml", "[[heard, private]", "[[herd, private]"},
		[3]string{"locales/nb/rights.yaml", "Alle barn har rettigheter.", "Ring 116 111."},
		[3]string{"locales/nn/rights.yaml", "rights.heard@6-9", "rights.heard@6-8"},
		[3]string{"data/contacts.yaml", "phone: 800 33 321", `phone: "80033321"`})
	all, _ := checked(tree, false)
	all = all.of(Stops, Wrong)
	seen := map[string]bool{}
	for i, f := range all {
		if seen[f.String()] {
			t.Errorf("twice: %s", f)
		}
		seen[f.String()] = true
		if i > 0 && (treeOf(all[i-1].File) > treeOf(f.File) || treeOf(all[i-1].File) == treeOf(f.File) && all[i-1].File > f.File) {
			t.Errorf("%s stands behind %s", f, all[i-1])
		}
	}
	for _, want := range []string{`"dune"`, `"herd"`, `"116"`, `"6-8"`, `"80033321"`} {
		if !slices.ContainsFunc(all, func(f Finding) bool { return strings.Contains(f.Text, want) }) {
			t.Errorf("nothing is said of %s: %v", want, all)
		}
	}
}

// The lists of what the program itself says are whole: every engine., telegram.
// and web. text named in its source is on one of them.
func TestListsOfOwnTextsAreWhole(t *testing.T) {
	listed := slices.Concat(flows.UI, bot.UI, telegram.UI, webchat.UI)
	form := regexp.MustCompile(`^(engine|telegram|web)\.[a-z_.]*[a-z_]$`)
	for _, dir := range []string{"../../flows", "../../bot", "../../bot/telegram", "../../bot/webchat"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no source in %s: %v", dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == gotoken.STRING {
					if id := strings.Trim(l.Value, "`\""); form.MatchString(id) && !slices.Contains(listed, id) {
						t.Errorf("%s says %q, which is on no list of UI texts", file, id)
					}
				}
				return true
			})
		}
	}
}

// Chats that stand in a state new content does not have are counted, and it is
// said where each goes; nothing of any one of them is shown.
func TestCheckLive(t *testing.T) {
	r := start(t, nil)
	for range 3 {
		visit(t, r).press("next").press("b10").press("skip").press("rights")
	}
	visit(t, r).press("next")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "flows", "index.yaml"), "start: start/hello\nhome: menu/main\nlanguage: language/choose\nprivacy: privacy/short\ntopics: {}\n")
	for _, name := range []string{"start", "language", "privacy", "menu"} {
		b, err := os.ReadFile("testdata/small/flows/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("[rights], [tell], [age]", "[age]", "rights: rights/, tell: tell/, ", "").Replace(string(b))
		write(t, filepath.Join(dir, "flows", name+".yaml"), text)
	}
	packed, err := pack(os.DirFS(filepath.Join(dir, "flows")))
	if err != nil {
		t.Fatal(err)
	}
	text, err := askWith(context.Background(), r.cfg, "POST", "/check/live", strings.NewReader(string(packed)))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"4 open chats, 3 in a state this content does not have", "3 in rights/menu go to menu/main"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q, got\n%s", want, text)
		}
	}
	if logs := r.logs.String(); strings.Contains(logs, "rights") {
		t.Error("the log names a topic")
	}
}
