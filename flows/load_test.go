package flows_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"trygg/flows"
)

// with gives the small content with one file put in or changed.
func with(changes ...string) map[string]string {
	m := maps.Clone(small)
	for i := 0; i < len(changes); i += 2 {
		m[changes[i]] = changes[i+1]
	}
	return m
}

func edit(file, old, new string) map[string]string {
	if !strings.Contains(small[file], old) {
		panic(old + " is not in " + file)
	}
	return with(file, strings.Replace(small[file], old, new, 1))
}

// F59, F60: what is wrong is told with its place and what to do.
func TestF59_F60_whatIsWrongIsToldToItsAuthor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		content map[string]string
		want    string
	}{
		{"a button that leads nowhere", edit("rights.yaml", "[[heard, private]", "[[herd, private]"), `rights.yaml:8:16: button "herd" leads nowhere: add it under go; did you mean "heard"?`},
		{"an unknown target", edit("rights.yaml", "{quit: done}", "{quit: done, heard: herd}"), `state "menu" sends "heard" to "herd", which is not a state of this flow; did you mean "heard"?`},
		{"an unknown flow", edit("menu.yaml", "rights: rights/,", "rights: right/,"), `menu.yaml:9:18: state "main" sends "rights" to "right", which is not a flow; did you mean "rights"?`},
		{"an unknown state of another flow", edit("menu.yaml", "rights/heard", "rights/herd"), `sends "grown" to "rights/herd", which is not a state of rights; did you mean "heard"?`},
		{"a dead end", with("who.yaml", "flow: who\nstart: short\nstates:\n  short:\n    say: who.short\n"), `state "short" is a dead end`},
		{"a dead end for one band", edit("who.yaml", "[[back_there]]", "[[{event: back_there, when: {band: [6-9]}}]]"), `state "short" is a dead end for the band 10-12, 16-18: it offers no button`},
		{"a loop without an exit", edit("rights.yaml", "{quit: done}", "{quit: menu}"), `no way out of state "menu", state "heard", state "private"`},
		{"an unreachable state", edit("rights.yaml", "  private:\n", "  island:\n    say: x\n    buttons: [[menu]]\n  private:\n"), `nothing leads to state "island"`},
		{"an unreachable flow", with("alone.yaml", "flow: alone\nstart: a\nstates: {a: {say: x, buttons: [[b]], go: {b: done}}}\n"), `nothing leads to the flow "alone"`},
		{"a key twice", edit("rights.yaml", "    say: rights.heard\n", "    say: rights.heard\n    say: rights.two\n"), `rights.yaml:12:5: state heard: "say" stands twice, first on line 11: keep one`},
		{"an unknown key", edit("rights.yaml", "    was:", "    wass:"), `state heard: "wass" is not known here; did you mean "was"?`},
		{"a wrong type", edit("rights.yaml", "    say: rights.private", "    say: {a: b}"), `want a single word or text`},
		{"a state twice", edit("rights.yaml", "  private:\n", "  heard:\n    say: x\n  private:\n"), `states: "heard" stands twice`},
		{"a reserved name", edit("who.yaml", "[[back_there]]\n    go: {back_there", "[[help]]\n    go: {help"), `button "help": this name belongs to the engine`},
		{"a state called as the engine's event", edit("who.yaml", "short:\n", "back:\n"), `state "back": this name belongs to the engine`},
		{"an unknown action", edit("tongue.yaml", "locale nb", "local nb"), `do: "local" is not an action; did you mean "locale"?`},
		{"an action's wrong argument", edit("hello.yaml", "band 6-9", "band 6-10"), `do: "band" does not take "6-10"`},
		{"an unknown band", edit("menu.yaml", "[16-18]", "[16-19]"), `"16-19" is not a band`},
		{"a button twice", edit("rights.yaml", "[[heard, private], [quit]]", "[[heard, private], [quit, heard]]"), `has the button "heard" twice`},
		{"an edge without a button", edit("who.yaml", "{back_there: done}", "{back_there: done, ghost: done}"), `"ghost" under go is no button of this state`},
		{"an earlier name that is still a state", edit("rights.yaml", "[listened_to]", "[private]"), `was: "private" is still a state of this flow`},
		{"a topic to nowhere", with("index.yaml", strings.Replace(indexYAML, "rights/heard", "rights/herd", 1)), `topic fear: "herd" is not a state of rights; did you mean "heard"?`},
		{"no index", func() map[string]string { m := maps.Clone(small); delete(m, "index.yaml"); return m }(), `index.yaml: is missing`},
		{"broken YAML", with("who.yaml", "flow: [who\n"), `who.yaml`},
		{"an alias", with("who.yaml", "flow: &a who\nstart: *a\n"), `anchor or alias`},
		{"an empty file", with("who.yaml", ""), `who.yaml: the file is empty`},
		{"a flow named otherwise than its file", edit("who.yaml", "flow: who", "flow: whom"), `flow: want "who", the name of the file, got "whom"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := flows.Load(files(tt.content), places)
			for _, p := range problems {
				if strings.Contains(p.String(), tt.want) {
					return
				}
			}
			t.Errorf("want a problem with\n  %s\ngot\n  %v", tt.want, problems)
		})
	}
}

func TestF59_allProblemsAtOnceAndNoneTwice(t *testing.T) {
	m := edit("rights.yaml", "[[heard, private]", "[[herd, privat]")
	m["tongue.yaml"] = strings.Replace(small["tongue.yaml"], "locale nb", "local nb", 1)
	m["who.yaml"] = strings.Replace(small["who.yaml"], "done", "dune", 1)
	_, problems := flows.Load(files(m), places)
	seen := map[string]bool{}
	for _, p := range problems {
		if seen[p.String()] {
			t.Errorf("twice: %s", p)
		}
		seen[p.String()] = true
	}
	if len(problems) == 0 {
		t.Error("no problems found")
	}
}

// A misspelt name is one mistake: what it leads to is not called unreachable as
// well, and what was meant is told as a field, too.
func TestF59_oneMistakeIsToldOnce(t *testing.T) {
	for _, tt := range []struct {
		name, meant string
		content     map[string]string
	}{
		{"a misspelt state", "private", edit("rights.yaml", "{quit: done}", "{quit: done, private: privat}")},
		{"a misspelt button", "heard", edit("rights.yaml", "[[heard, private]", "[[herd, private]")},
		{"a misspelt flow", "rights", edit("menu.yaml", "rights: rights/,", "rights: right/,")},
		{"a name near nothing", "", edit("rights.yaml", "{quit: done}", "{quit: somewhere_else}")},
		{"a file that cannot be read", "", with("rights.yaml", "flow: [rights\n")},
		{"a flow named otherwise than its file", "", edit("rights.yaml", "flow: rights", "flow: law")},
		{"an index with a misspelt key", "home", with("index.yaml", strings.Replace(indexYAML, "home:", "hoem:", 1))},
		{"a dead end", "", edit("who.yaml", "    buttons: [[back_there]]\n    go: {back_there: done}\n", "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := flows.Load(files(tt.content), places)
			if len(problems) != 1 {
				t.Fatalf("want one problem, got %v", problems)
			}
			if problems[0].Suggestion != tt.meant {
				t.Errorf("meant is %q, want %q", problems[0].Suggestion, tt.meant)
			}
		})
	}
}

// Who can come to a place decides what is asked of its texts: a band that is
// said on the way is carried on, also back to the caller.
func TestReaders(t *testing.T) {
	l, problems := flows.Load(files(small), places)
	if l == nil {
		t.Fatal(problems)
	}
	for place, want := range map[flows.Place]string{
		{Flow: "hello", State: "one"}:     "10-12", // before the question, and read as the middle
		{Flow: "menu", State: "main"}:     "6-9 10-12 16-18",
		{Flow: "rights", State: "heard"}:  "6-9 10-12 16-18",
		{Flow: "tongue", State: "choose"}: "6-9 10-12 16-18",
		{Flow: "nowhere", State: "x"}:     "",
	} {
		if got := strings.Join(l.Readers(place).Bands, " "); got != want {
			t.Errorf("%s: %q, want %q", place, got, want)
		}
	}
}

// F61: hostile files are refused at once.
func TestF61_hostileFilesAreRefusedAtOnce(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += string(i) + ": &" + string(i) + " [" + strings.Repeat("*"+string(i-1)+",", 9) + "]\n"
	}
	for name, text := range map[string]string{
		"an alias bomb":   "flow: who\nstates:\n" + bomb,
		"50 MiB":          strings.Repeat("# padding\n", 5<<20),
		"10,000 brackets": "flow: " + strings.Repeat("[", 10_000),
		"10,000 dashes":   strings.Repeat("- ", 10_000) + "x",
		"10,000 indents": func() string {
			var b strings.Builder
			for i := range 3000 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()[:1<<20-1]
		}(),
		"10,000 braces": "flow: " + strings.Repeat("{a: ", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			_, problems := flows.Load(files(with("who.yaml", text)), places)
			if len(problems) == 0 {
				t.Error("taken")
			}
			t.Logf("refused in %s: %s", time.Since(begun), problems[0])
		})
	}
}

func FuzzLoad(f *testing.F) {
	for _, text := range small {
		f.Add(text)
	}
	f.Add("flow: who\nstates: {a: {say: [b, [c]], buttons: [[{event: 1}]]}}")
	f.Add("? [a]: b\n- c")
	f.Fuzz(func(t *testing.T, text string) {
		l, problems := flows.Load(files(with("who.yaml", text)), places)
		if (l == nil) == (len(problems) == 0) {
			t.Errorf("library %v with problems %v", l != nil, problems)
		}
	})
}
