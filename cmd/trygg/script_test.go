package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run the program by its name: this binary is it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"trygg": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}})
}

// Commands as a person types them: testdata/script/*.txtar. Each begins with
// small content that has nothing wrong with it, in content/, and breaks it:
//
//	edit FILE OLD NEW    puts NEW in place of OLD, which must be there; \n is a line
//	fill FILE SIZE TEXT  writes TEXT again and again
//	words FILE ID...     writes a message file whose texts are what fill wrote to long
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TRYGG_DATA_DIR", filepath.Join(e.WorkDir, "state"))
			return smallContent(filepath.Join(e.WorkDir, "content"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"edit": edit, "fill": fill, "words": longWords},
	})
}

// smallContent lays the small content into a folder: its own conversations,
// words and data, so that what stands in a script does not change with the
// program's; and the card, the frame of the channels and the rules of the program.
func smallContent(dir string) error {
	if err := os.CopyFS(dir, os.DirFS("testdata/small")); err != nil {
		return err
	}
	for _, tag := range []string{"nb", "nn", "en"} {
		for _, name := range []string{"card.yaml", "web.yaml", "telegram.yaml"} {
			b, err := fs.ReadFile(treeNames[1].files, tag+"/"+name)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, "locales", tag, name), b, 0o644); err != nil {
				return err
			}
		}
	}
	b, err := fs.ReadFile(treeNames[1].files, "rules.yaml")
	if err != nil {
		return err
	}
	// Of the exceptions only those for the texts that are here.
	rules, exceptions, _ := strings.Cut(string(b), "\nexceptions:")
	rules += "\nexceptions:\n"
	for line := range strings.Lines(exceptions) {
		for _, own := range []string{"{text: card.", "{text: web.", "{text: telegram."} {
			if strings.Contains(line, own) {
				rules += line
			}
		}
	}
	return os.WriteFile(filepath.Join(dir, "locales", "rules.yaml"), []byte(rules), 0o644)
}

func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	file := ts.MkAbs(args[0])
	b, err := os.ReadFile(file)
	ts.Check(err)
	lines := strings.NewReplacer(`\n`, "\n", `\t`, "\t")
	was, now := lines.Replace(args[1]), lines.Replace(args[2])
	if strings.Count(string(b), was) != 1 {
		ts.Fatalf("%s holds %q %d times, not once", args[0], was, strings.Count(string(b), was))
	}
	ts.Check(os.WriteFile(file, []byte(strings.Replace(string(b), was, now, 1)), 0o644))
}

func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: fill FILE SIZE TEXT")
	}
	n := 0
	for _, c := range args[1] {
		if c < '0' || c > '9' {
			ts.Check(errors.New("SIZE: want a number"))
		}
		n = n*10 + int(c-'0')
	}
	text := strings.NewReplacer(`\n`, "\n").Replace(args[2])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(text, n/len(text)+1)[:n]), 0o644))
}

func longWords(ts *testscript.TestScript, neg bool, args []string) {
	text := "file: {status: draft, reviewed_by: \"\", reviewed_on: \"\"}\n"
	for _, id := range args[1:] {
		text += id + ": " + strings.TrimSpace(ts.ReadFile("long")) + "\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}
