package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"trygg/flows"
)

// Finding is one thing the check has found: where, what is wrong, what to do,
// and for a misspelt name the one that was probably meant. It speaks to the
// author of the file.
type Finding struct {
	flows.Problem
	Level Level  `json:"level"`
	Rule  string `json:"rule"`
}

// Level says what follows from a finding.
type Level string

const (
	Stops Level = "stops" // content with it is never published, at start or by a reload (S64)
	Wrong Level = "wrong" // the check fails, and with it the build
	Note  Level = "note"  // for a person to know
)

// findings collects what was found. Everything comes at once, each once, in the
// order of the files.
type findings []Finding

func (fs *findings) add(level Level, rule string, at flows.Spot, suggestion, format string, args ...any) {
	p := flows.Problem{File: at.File, Line: at.Line, Column: at.Column, Text: fmt.Sprintf(format, args...), Suggestion: suggestion}
	if suggestion != "" {
		p.Text += fmt.Sprintf("; did you mean %q?", suggestion)
	}
	*fs = append(*fs, Finding{p, level, rule})
}

func (fs findings) sorted() findings {
	out := slices.Clone(fs)
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(treeOf(a.File)-treeOf(b.File), strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Text, b.Text))
	})
	return slices.CompactFunc(out, func(a, b Finding) bool { return a.Problem == b.Problem })
}

// treeOf orders files: conversations, texts, data, everything else.
func treeOf(file string) int {
	for i, tree := range []string{"flows", "locales", "data"} {
		if strings.HasPrefix(file, tree+"/") || strings.Contains(file, "/"+tree+"/") {
			if tree == "flows" && strings.Contains(file, "/data/") {
				return 2
			}
			return i
		}
	}
	return 3
}

func (fs findings) of(levels ...Level) findings {
	return slices.DeleteFunc(append(findings{}, fs...), func(f Finding) bool { return !slices.Contains(levels, f.Level) })
}

// problems gives the findings as they are printed by others.
func (fs findings) problems() []flows.Problem {
	out := make([]flows.Problem, len(fs))
	for i, f := range fs {
		out[i] = f.Problem
	}
	return out
}

// checkCmd is `trygg check`.
type checkCmd struct {
	Content string    `arg:"" optional:"" help:"Folder with content: flows, locales, data. Left out: TRYGG_CONTENT_DIR, else what is compiled in."`
	Alone   bool      `help:"The folder holds everything: what is compiled in is not used for what it lacks."`
	JSON    bool      `name:"json" help:"Print findings as JSON."`
	Notes   bool      `help:"Also list what a person should know: missing local numbers, entries not reviewed for 90 days."`
	Quick   bool      `help:"Leave out the proof of help, and say so; for a quick look while writing."`
	Proof   bool      `help:"Show the proof that help is always there in full, and the one kept with what was published from TRYGG_DATA_DIR."`
	Release bool      `help:"List everything a person must still settle before a release, and fail while there is any."`
	At      time.Time `help:"The day of the release; left out: today." format:"2006-01-02" placeholder:"DATE"`
	Live    bool      `help:"Say how many chats stand in a state this content does not have, and where each goes."`
	Record  string    `help:"Write down that all translations fit their source as it is now, to FOLDER/locales/sources." placeholder:"FOLDER"`
}

// report is what the check prints, also as JSON.
type report struct {
	Content  string    `json:"content,omitempty"` // names the content by what it says; "" when it cannot be published
	Flows    int       `json:"flows"`
	States   int       `json:"states"`
	Findings []Finding `json:"findings"`
	Notes    []Finding `json:"notes"`
	Proof    *Proof    `json:"proof,omitempty"`

	Published *Published `json:"published,omitempty"` // what was published last from the data folder, with its proof

	Release []Finding `json:"release,omitempty"`
}

func (c *checkCmd) Run(ctx context.Context, out io.Writer, cfg Config) error {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // much is made and thrown away
	at := c.At
	if at.IsZero() {
		at = time.Now()
	}
	t := openTrees(cmp.Or(c.Content, cfg.ContentDir))
	t.alone = c.Alone
	for _, dir := range []string{t.dir, c.Record} {
		if info, err := os.Stat(cmp.Or(dir, ".")); err != nil || !info.IsDir() {
			return fmt.Errorf("%s is not a folder", dir)
		}
	}
	if t.alone && t.dir == "" {
		return errors.New("--alone: want the folder that holds everything")
	}
	switch {
	case c.Record != "":
		return record(out, t, c.Record)
	case c.Live:
		return live(ctx, out, cfg, t)
	}
	r := readContent(t)
	all := slices.Concat(r.findings, r.inspect(at))
	rep := report{Content: r.hash, Flows: len(r.library.Flows()), States: r.states()}
	if r.snapshot() != nil && !c.Quick {
		proof, ps := prove(ctx, r.snapshot(), proofOptions{trees: t})
		rep.Proof = proof
		all = append(all, ps...)
	}
	transcripts := r.transcripts(&all)
	all = all.sorted()
	rep.Findings, rep.Notes = all.of(Stops, Wrong), all.of(Note)
	if c.Release {
		rep.Release = r.release(at, rep.Proof, transcripts)
	}
	if c.Proof && c.JSON {
		rep.Published, _, _ = openPublished(cfg)
	}
	if err := c.print(out, rep); err != nil {
		return err
	}
	if c.Proof && !c.JSON {
		printPublished(out, cfg, r.hash)
	}
	switch n, open := len(rep.Findings), len(rep.Release); {
	case n > 0:
		return fmt.Errorf("%d %s", n, plural(n, "problem", "problems"))
	case open > 0:
		return fmt.Errorf("not ready for a release: %d %s for a person to settle", open, plural(open, "thing", "things"))
	}
	return nil
}

func (c *checkCmd) print(out io.Writer, rep report) error {
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(rep)
	}
	for _, f := range rep.Findings {
		fmt.Fprintln(out, f)
	}
	if c.Notes {
		for _, f := range rep.Notes {
			fmt.Fprintln(out, f, "(note)")
		}
	}
	if rep.Proof != nil && c.Proof {
		rep.Proof.print(out)
	}
	for _, f := range rep.Release {
		fmt.Fprintln(out, f)
	}
	if len(rep.Findings) == 0 {
		fmt.Fprintf(out, "%d flows with %d states: no problems (content %s)\n", rep.Flows, rep.States, rep.Content)
		switch {
		case rep.Proof == nil:
			fmt.Fprintln(out, "NOT RUN: the proof of help; run trygg check without --quick")
		case !c.Proof:
			fmt.Fprintln(out, rep.Proof)
		}
	}
	if n := len(rep.Notes); n > 0 && !c.Notes && len(rep.Findings) == 0 {
		fmt.Fprintf(out, "%d %s: trygg check --notes\n", n, plural(n, "note", "notes"))
	}
	return nil
}

func plural(n int, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// base is a file's name without its folders.
func base(file string) string { return path.Base(file) }
