package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"trygg/flows"
	"trygg/flows/crisis"
	"trygg/locales"
)

// release lists everything that a person must still settle before this content
// reaches children: texts no native reader has approved, facts to be checked,
// entries nobody has looked at, numbers a municipality has not given, and what
// could not run here. Nothing in it is for the program to decide.
func (r *reading) release(at time.Time, proof *Proof, transcripts int) findings {
	var out findings
	for _, l := range r.texts.Languages() {
		r.drafts(&out, l, at)
	}
	if r.data != nil {
		where := newFinder(r)
		for _, n := range r.data.Notes() {
			out.add(Note, "to_check", where.find(n.File, n.ID), "", "%s: %s", n.ID, n.Text)
		}
		for _, n := range r.data.Unreviewed(at, failAfter) {
			out.add(Note, "review", where.find(n.File, n.ID), "", "%s: %s, more than %d days before the release: look whether it still holds", n.ID, n.Text, int(failAfter.Hours()/24))
		}
	}
	if r.routines != nil {
		where := &finder{r, "routines", map[string]map[string]int{}}
		for _, n := range r.routines.Notes() {
			out.add(Note, "to_check", where.find(n.File, n.ID), "", "%s: %s", n.ID, n.Text)
		}
		for _, n := range r.routines.Expired(at) {
			out.add(Note, "review", where.find(n.File, n.ID), "", "%s: %s", n.ID, n.Text)
		}
	}
	r.review(&out)
	if proof == nil {
		out.add(Note, "not_run", flows.Spot{File: "proof"}, "", "NOT RUN: the proof of help")
	}
	if transcripts == 0 {
		out.add(Note, "not_run", flows.Spot{File: "transcripts"}, "", "NOT RUN: there are no transcripts here; run the check in a clone, or keep them in the folder's transcripts/")
	}
	return out.sorted()
}

// drafts lists the message files of a language that nobody has approved, and
// what it lacks of nb.
func (r *reading) drafts(out *findings, l locales.Language, at time.Time) {
	count := map[string]int{}
	for _, e := range r.texts.Entries(l.Tag) {
		count[e.File]++
	}
	for _, info := range r.texts.Infos() {
		if !strings.HasPrefix(info.Path, l.Tag+"/") {
			continue
		}
		where := flows.Spot{File: r.shown("locales", info.Path)}
		on, err := time.Parse(time.DateOnly, info.ReviewedOn)
		switch {
		case info.Status != "approved":
			out.add(Note, "draft", where, "", "draft: %d %s in %s that no native reader has approved", count[info.Path], plural(count[info.Path], "text", "texts"), l.Name)
		case err == nil && on.After(at):
			out.add(Note, "review", where, "", "approved on %s, which is after the release: correct the date", info.ReviewedOn)
		case err == nil && at.Sub(on) > 2*failAfter:
			out.add(Note, "review", where, "", "approved on %s, more than a year before the release: let somebody read it again", info.ReviewedOn)
		}
	}
	if l.Tag == locales.Source {
		return
	}
	missing := 0
	for id := range r.uses {
		if _, ok := r.texts.Find(l.Tag, id); !ok {
			if _, source := r.texts.Find(locales.Source, id); source {
				missing++
			}
		}
	}
	if missing > 0 {
		out.add(Note, "untranslated", flows.Spot{File: r.shown("locales", l.Tag)}, "", "%d %s missing in %s: nb is shown, and says so", missing, plural(missing, "text is", "texts are"), l.Name)
	}
}

// reviewFile lists what a text says that somebody must still check: an id, how
// sure it is, what to find out.
const reviewFile = "review.yaml"

// review reads the list of what texts say that is not sure.
func (r *reading) review(out *findings) {
	file := r.shown("locales", reviewFile)
	raw, err := fs.ReadFile(r.open("locales"), reviewFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var list []struct {
		ID    string `yaml:"id"`
		Mark  string `yaml:"mark"`
		Check string `yaml:"check"`
	}
	if err == nil {
		err = yaml.UnmarshalWithOptions(raw, &list, yaml.DisallowUnknownField())
	}
	if err != nil {
		out.add(Note, "to_check", flows.Spot{File: file}, "", "cannot be read: %s", strings.SplitN(err.Error(), "\n", 2)[0])
		return
	}
	lines := strings.Split(string(raw), "\n")
	for _, e := range list {
		line := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, e.ID) }) + 1
		out.add(Note, "to_check", flows.Spot{File: file, Line: line}, "", "%s: [%s] %s", e.ID, e.Mark, e.Check)
	}
}

// crisisReader is made once; it holds no state.
var crisisReader = sync.OnceValues(crisis.New)

// transcripts runs the conversations authors have written down, where there are
// any: in the folder's transcripts/, or in flows/testdata of a clone. It gives
// how many there were.
func (r *reading) transcripts(out *findings) int {
	dir := filepath.Join(r.dir, "transcripts")
	if r.dir == "" {
		dir = filepath.Join("flows", "testdata")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.txt"))
	if len(files) == 0 || r.snapshot() == nil {
		return 0
	}
	for _, p := range replayAll(r.snapshot(), os.DirFS(dir)) {
		p.File = filepath.ToSlash(filepath.Join(dir, p.File))
		*out = append(*out, Finding{p, Wrong, "transcript"})
	}
	return len(files)
}
