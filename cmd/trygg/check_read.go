package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content"
	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/desk"
	"trygg/locales"
)

// trees are the files content is made of: those compiled in, with the files of
// a folder in place of those of the same name: flows/*.yaml,
// locales/<tag>/*.yaml, data/*.yaml.
type trees struct {
	dir    string // "" = what is compiled in
	alone  bool   // the folder holds everything
	packed fs.FS  // everything, as it was published; dir is its name
}

func openTrees(dir string) trees { return trees{dir: dir} }

// The trees, and where their files stand in this repository.
var treeNames = []struct {
	name, here string
	files      fs.FS
}{
	{"flows", "flows/content/", content.Files},
	{"locales", "locales/", locales.Files},
	{"data", "flows/content/data/", data.Files},
	// Routines are laid over those compiled in entry by entry, so here is only what
	// a folder adds.
	{"routines", "flows/routine/data/", embed.FS{}},
}

// open gives one tree.
func (t trees) open(name string) fs.FS {
	for _, tree := range treeNames {
		if tree.name != name {
			continue
		}
		if t.packed != nil {
			if sub, err := fs.Sub(t.packed, name); err == nil && t.has(name) {
				return sub
			}
			return embed.FS{}
		}
		if t.dir == "" || !t.has(name) && (!t.alone || name == "routines") {
			return tree.files
		}
		upper := os.DirFS(filepath.Join(t.dir, name))
		if t.alone || name == "routines" {
			return upper
		}
		return layered{upper, tree.files}
	}
	panic("no tree " + name)
}

// has tells whether the folder has a tree. One that cannot be looked at counts
// as there, so that reading it says why.
func (t trees) has(name string) bool {
	var err error
	if t.packed != nil {
		_, err = fs.Stat(t.packed, name)
	} else {
		_, err = os.Stat(filepath.Join(t.dir, name))
	}
	return !errors.Is(err, fs.ErrNotExist)
}

// read gives a file of a tree; of routines the one compiled in, where a folder has
// none of that name.
func (t trees) read(name, file string) ([]byte, error) {
	b, err := fs.ReadFile(t.open(name), file)
	if name == "routines" && errors.Is(err, fs.ErrNotExist) {
		return fs.ReadFile(routine.Files, file)
	}
	return b, err
}

// hash names the content of all trees by what it says.
func (t trees) hash() (string, error) {
	if t.dir != "" && t.packed == nil {
		if _, err := os.ReadDir(t.dir); err != nil {
			return "", err
		}
	}
	var all []fs.FS
	for _, tree := range treeNames {
		all = append(all, t.open(tree.name))
	}
	return hashOf(all...)
}

// shown is how a file of a tree is called when it is spoken of: by its path in
// the folder, or in this repository when it is compiled in.
func (t trees) shown(name, file string) string {
	if t.dir != "" {
		mine := filepath.Join(t.dir, name, filepath.FromSlash(file))
		if _, err := os.Stat(mine); err == nil || t.alone || t.packed != nil {
			return filepath.ToSlash(mine)
		}
	}
	for _, tree := range treeNames {
		if tree.name == name {
			return tree.here + file
		}
	}
	return file
}

// reading is content as it was read, whole or not.
type reading struct {
	trees
	data     *data.Data // nil when it cannot be used
	texts    *locales.Bundle
	library  *flows.Library
	routines *routine.Catalogue // nil when there is none, or it cannot be used
	card     *card.Card         // nil when something stops
	hash     string
	findings findings // what stops it from being published
	uses     map[string]locales.Use
	rules    *locales.Rules  // when they are known already
	whole    *snapshot       // once it was asked for
	doubtful map[string]bool // flows in which something is wrong, so that no more is concluded from them
}

// readContent reads everything and finds what stops it from being published:
// the gate at start and at every reload (S64). The rest is left to inspect.
func readContent(t trees) *reading {
	r := &reading{trees: t}
	hash, err := t.hash()
	if err != nil {
		// A folder that is away, or a file nobody may read, is not the same as none.
		r.findings.add(Stops, "file", flows.Spot{File: t.dir}, "", "cannot be read: %v", err)
	}
	d, err := data.Load(t.open("data"))
	var ps data.Problems
	switch {
	case errors.As(err, &ps):
		for _, p := range ps {
			r.findings.add(Stops, "data", flows.Spot{File: t.shown("data", p.File), Line: p.Line, Column: p.Column}, "", "%s", p.Text)
		}
	case err != nil:
		r.findings.add(Stops, "data", flows.Spot{File: t.shown("data", "contacts.yaml")}, "", "%v", err)
	default:
		r.data = d
	}
	var numbers map[string]string
	var towns []flows.Named
	if r.data != nil {
		numbers, towns = r.data.Numbers(), named(r.data)
	}
	var lps []locales.Problem
	r.texts, lps = locales.Check(t.open("locales"), numbers)
	for _, p := range lps {
		r.findings = append(r.findings, r.ofText(Stops, p, "text"))
	}
	var fps []flows.Problem
	r.library, fps = flows.Check(t.open("flows"), towns)
	for _, p := range fps {
		p.File = t.shown("flows", p.File)
		r.findings = append(r.findings, Finding{p, Stops, "flow"})
	}
	for _, f := range r.findings {
		if f.Rule == "flow" {
			if r.doubtful == nil {
				r.doubtful = map[string]bool{}
			}
			r.doubtful[strings.TrimSuffix(base(f.File), ".yaml")] = true
		}
	}
	if r.data != nil {
		r.readRoutines()
	}
	if r.routines != nil {
		r.library.UseDesk(desk.New(r.routines))
	}
	r.uses = r.usesOf()
	r.needed(len(lps) == 0, len(fps) == 0)
	if len(r.findings) > 0 {
		return r
	}
	if r.card, err = card.New(r.texts, r.data); err != nil {
		for _, e := range flatten(err) {
			r.findings.add(Stops, "card", flows.Spot{File: t.shown("data", "contacts.yaml")}, "", "help card: %v", e)
		}
		return r
	}
	if r.hash, err = t.hash(); err != nil || r.hash != hash {
		r.findings.add(Stops, "file", flows.Spot{File: t.dir}, "", "changed while it was read: try again")
	}
	return r
}

// forWork tells whether there are routines for professionals. Content that stands
// alone need not have any.
func (t trees) forWork() bool { return !t.alone || t.has("routines") }

// readRoutines reads the routines for professionals.
func (r *reading) readRoutines() {
	if !r.forWork() {
		return
	}
	layers := []fs.FS{routine.Files, r.open("routines")}
	if r.alone {
		layers = layers[1:]
	}
	var ps []routine.Problem
	r.routines, ps = routine.Load(r.data, layers...)
	for _, p := range ps {
		p.File = r.shown("routines", p.File)
		r.findings = append(r.findings, Finding{flows.Problem(p), Stops, "routine"})
	}
}

// named are the municipalities a state may offer.
func named(d *data.Data) []flows.Named {
	var all []flows.Named
	for _, m := range d.Municipalities {
		all = append(all, flows.Named{Number: m.Number, Name: m.Name})
	}
	return all
}

// ofText is a problem of a text as a finding.
func (r *reading) ofText(level Level, p locales.Problem, rule string) Finding {
	if p.Rule != "" {
		rule = p.Rule
	}
	return Finding{flows.Problem{File: r.shown("locales", p.File), Line: p.Line, Column: p.Column, Text: p.Text, Suggestion: p.Suggestion}, level, rule}
}

// snapshot gives what can be published; nil when something stops it.
func (r *reading) snapshot() *snapshot {
	if len(r.findings) > 0 {
		return nil
	}
	if r.whole != nil {
		return r.whole // with what was made of it since
	}
	s := &snapshot{library: r.library, texts: r.texts, data: r.data, routines: r.routines, card: r.card, hash: r.hash, trees: r.trees}
	if r.routines != nil {
		s.asks = sync.OnceValues(func() (*asks, error) { return newAsks(r.routines, r.data) })
	}
	r.whole = s
	return s
}

func (r *reading) states() int {
	n := 0
	for _, f := range r.library.Flows() {
		n += len(f.States)
	}
	return n
}

func (r *reading) spot(s flows.Spot) flows.Spot {
	s.File = r.shown("flows", s.File)
	return s
}

// safety are the beginnings of IDs that every language must have: a child in
// need must not meet another language's text, or none (S68, F58).
var safety = []string{"card.", "engine.", "button.help", "button.back", "button.home", "button.hide", "button.erase", "button.show", "web.", "telegram."}

func isSafety(id string) bool {
	return slices.ContainsFunc(safety, func(p string) bool { return strings.HasPrefix(id, p) })
}

// needed finds texts without which nothing is published: what a flow says must
// be there in bokmål, which every other language falls back to; what keeps a
// child safe must be there in all (F58). sure is false for what could not be
// read whole, where nothing is called missing.
func (r *reading) needed(texts, flowsRead bool) {
	if !texts {
		return
	}
	told := map[string]bool{}
	lacks := func(id string) []string { return r.texts.Lacks(locales.Source, id) }
	// some of the texts of an ID: told where they stand
	partly := func(id string) bool {
		bands := lacks(id)
		if len(bands) == 0 || len(bands) == len(locales.Bands) {
			return false
		}
		if e, ok := r.texts.Find(locales.Source, id); ok && !told[id] {
			told[id] = true
			r.findings.add(Stops, "missing", flows.Spot{File: r.shown("locales", e.File), Line: e.Line, Column: e.Column}, "",
				"%q has no text for the %s %s: write %s@%s, or one without a band for all who have none", id, plural(len(bands), "band", "bands"), strings.Join(bands, ", "), id, bands[0])
		}
		return true
	}
	if flowsRead {
		for _, f := range r.library.Flows() {
			for _, s := range f.States {
				for i, id := range s.Say {
					if !partly(id) && len(lacks(id)) > 0 {
						r.findings.add(Stops, "missing", r.spot(s.SaidAt(i)), flows.Nearest(id, r.unused()),
							"state %q says %q, which has no text: write it in %s", s.Name, id, r.shown("locales", locales.Source+"/"+f.Name+".yaml"))
					}
				}
				for _, row := range s.Rows {
					for _, c := range row {
						own, shared := f.Name+"."+s.Name+"."+c.Event, "button."+c.Event
						if !partly(own) && len(lacks(own)) > 0 && len(lacks(shared)) > 0 {
							r.findings.add(Stops, "missing", r.spot(c.At()), flows.Nearest(own, r.unused()),
								"button %q of state %q has no label: write %s in %s", c.Event, s.Name, own, r.shown("locales", locales.Source+"/"+f.Name+".yaml"))
						}
					}
				}
			}
		}
		for _, t := range r.library.Topics() {
			if id := "topic." + t; len(lacks(id)) > 0 {
				r.findings.add(Stops, "missing", flows.Spot{File: r.shown("flows", "index.yaml")}, "", "topic %s has no name: write %s in %s", t, id, r.shown("locales", locales.Source+"/active.yaml"))
			}
		}
	}
	for _, id := range r.ours() {
		if !partly(id) && len(lacks(id)) > 0 && !told[id] {
			r.findings.add(Stops, "missing", flows.Spot{File: r.shown("locales", locales.Source+"/"+fileOf(id))}, "", "%q is missing: the program itself says it", id)
		}
	}
	// The safety texts, in every language.
	for _, lang := range r.texts.Languages() {
		if lang.Tag == locales.Source {
			continue
		}
		for _, id := range r.texts.IDs(locales.Source) {
			if _, used := r.uses[id]; !used || !isSafety(id) {
				continue
			}
			bands := r.texts.Lacks(lang.Tag, id)
			if len(bands) == 0 {
				continue
			}
			at := flows.Spot{File: r.shown("locales", lang.Tag+"/"+fileOf(id))}
			whom := ""
			if e, ok := r.texts.Find(lang.Tag, id); ok {
				at.Line, at.Column = e.Line, e.Column
				whom = fmt.Sprintf(" for the %s %s", plural(len(bands), "band", "bands"), strings.Join(bands, ", "))
			}
			r.findings.add(Stops, "missing", at, "", "the safety text %q is missing%s: a child in need may read this language", id, whom)
		}
	}
}

// fileOf is the message file an ID of the program's own stands in.
func fileOf(id string) string {
	switch head, _, _ := strings.Cut(id, "."); head {
	case "card", "web", "telegram", "work", "pages":
		return head + ".yaml"
	}
	return "active.yaml"
}

// unused gives the texts of bokmål that nothing uses: what was meant, perhaps.
func (r *reading) unused() []string {
	var ids []string
	for _, id := range r.texts.IDs(locales.Source) {
		if _, used := r.uses[id]; !used {
			ids = append(ids, id)
		}
	}
	return ids
}
