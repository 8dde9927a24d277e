package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"trygg/flows"
	"trygg/locales"
)

// finding is a problem across files, and whether the program may run with it.
type finding struct {
	flows.Problem
	fatal bool
}

// safety are the beginnings of IDs that every language must have: a child in
// need must not meet another language's text, or none (S68, F58).
var safety = []string{"card.", "engine.", "button.help", "button.back", "button.home", "button.hide", "button.exit", "button.erase", "button.show", "web."}

// crossCheck holds conversations and texts against one another: what a flow
// says must exist, in the languages that are always offered; what keeps a child
// safe must exist in all.
func crossCheck(l *flows.Library, b *locales.Bundle) []finding {
	var out []finding
	add := func(fatal bool, file, format string, args ...any) {
		out = append(out, finding{flows.Problem{File: file, Text: fmt.Sprintf(format, args...)}, fatal})
	}
	has := func(tag, id string) bool {
		for _, band := range append([]string{""}, flows.Bands...) {
			if text, ok := b.Text(tag, id, band); !ok || text == "" {
				return false
			}
		}
		return true
	}
	var always []string
	for _, lang := range b.Languages() {
		if lang.Always {
			always = append(always, lang.Tag)
		}
	}
	need := func(file, what string, ids ...string) {
		for _, tag := range always {
			if !slices.ContainsFunc(ids, func(id string) bool { return has(tag, id) }) {
				add(tag == locales.Source, file, "%s has no text %q in %s: add it to locales/%s/%s", what, ids[0], tag, tag, file)
			}
		}
	}
	for _, f := range l.Flows() {
		file := f.Name + ".yaml"
		for _, s := range f.States {
			for _, id := range s.Say {
				need(file, fmt.Sprintf("state %q", s.Name), id)
			}
			for _, row := range s.Rows {
				for _, c := range row {
					need(file, fmt.Sprintf("button %q of state %q", c.Event, s.Name), f.Name+"."+s.Name+"."+c.Event, "button."+c.Event)
				}
			}
		}
	}
	for _, t := range l.Topics() {
		need("active.yaml", "topic "+t, "topic."+t)
	}
	for _, e := range flows.System {
		need("active.yaml", "the engine's button "+e, "button."+e)
	}
	for _, id := range b.IDs(locales.Source) {
		if !slices.ContainsFunc(safety, func(p string) bool { return strings.HasPrefix(id, p) }) {
			continue
		}
		for _, lang := range b.Languages() {
			if !has(lang.Tag, id) {
				add(true, "locales/"+lang.Tag, "the safety text %q is missing: a child in need may read this language", id)
			}
		}
	}
	return out
}

// checkCmd is `trygg check`.
type checkCmd struct {
	Content string `arg:"" optional:"" help:"Folder with content; left out: TRYGG_CONTENT_DIR, else what is compiled in." type:"existingdir"`
}

func (c *checkCmd) Run(out io.Writer, cfg Config) error {
	dir := c.Content
	if dir == "" {
		dir = cfg.ContentDir
	}
	s, problems := loadSnapshot(dir)
	if s != nil {
		for _, f := range crossCheck(s.library, s.texts) {
			problems = append(problems, f.Problem)
		}
	}
	for _, p := range problems {
		fmt.Fprintln(out, p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d problems", len(problems))
	}
	states := 0
	for _, f := range s.library.Flows() {
		states += len(f.States)
	}
	fmt.Fprintf(out, "%d flows with %d states, %d languages: no problems (content %s)\n", len(s.library.Flows()), states, len(s.texts.Languages()), s.hash)
	return nil
}
