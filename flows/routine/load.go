package routine

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/yamlfile"
)

// Problem is something wrong in a file of routines, told to its author.
type Problem = yamlfile.Problem

// Catalogue is all routines and what they refer to, checked as a whole. It is
// immutable; all readers share it.
type Catalogue struct {
	data *data.Data

	routines  []*Routine // in the order of the themes, then of the ids
	laws      []Law
	deadlines []Deadline
	resources []Resource
	terms     []Term
	roleList  []Role
	blockList []Block
	elements  []Element
	words     Words
	tree      Tree
	guide     Guide

	byID    map[string]*Routine
	law     map[string]*Law
	acts    map[string]*Act
	blocks  map[string]*Block
	roles   map[string]*Role
	res     map[string]*Resource
	limits  map[string]*Deadline
	term    map[string]*Term
	sources map[string]string

	numbers *sync.Map // municipality and area -> *strings.Replacer

	towns  map[string]*local // by municipality number
	tenant string            // whose routines these are; "" = the national ones
	base   *Catalogue        // the national ones, where tenant is set
}

// Embedded gives the routines compiled into the program.
func Embedded(d *data.Data) (*Catalogue, []Problem) { return Load(d, Files) }

// The files at the top, in the order they are read. Routines stand in routines/,
// a municipality's own in local/.
var top = []string{"words.yaml", "sources.yaml", "acts.yaml", "law.yaml", "deadlines.yaml", "resources.yaml", "terms.yaml", "roles.yaml", "blocks.yaml", "elements.yaml", "tree.yaml", "meeting.yaml"}

// Load reads routines in layers: an entry of a later layer replaces the entry
// with the same id, none is ever removed, and what the law demands stays (D3).
// With any problem there is no catalogue. d holds the contacts they refer to.
func Load(d *data.Data, layers ...fs.FS) (*Catalogue, []Problem) {
	l := &loader{c: &Catalogue{
		data: d, byID: map[string]*Routine{}, law: map[string]*Law{}, acts: map[string]*Act{}, blocks: map[string]*Block{},
		roles: map[string]*Role{}, res: map[string]*Resource{}, limits: map[string]*Deadline{}, term: map[string]*Term{},
		sources: map[string]string{}, numbers: new(sync.Map), towns: map[string]*local{},
	}}
	for i, layer := range layers {
		l.read(layer, i > 0)
	}
	if len(l.problems) == 0 {
		l.index()
		l.check()
	}
	if len(l.problems) == 0 {
		l.checkTowns()
	}
	if len(l.problems) > 0 {
		return nil, yamlfile.Sort(l.problems)
	}
	return l.c, nil
}

type loader struct {
	c        *Catalogue
	acts     []Act
	replaced []replaced // routines a later layer replaced, to be checked against
	files    []localFile
	numbers  map[string]string
	problems []Problem
}

type replaced struct{ was, now *Routine }

func (l *loader) tell(at yamlfile.Place, format string, args ...any) {
	l.problems = append(l.problems, at.Problem(format, args...))
}

func (l *loader) read(fsys fs.FS, over bool) {
	for _, file := range top {
		l.file(fsys, file, over)
	}
	for _, dir := range []string{"routines", "local"} {
		files, err := fs.Glob(fsys, dir+"/*.yaml")
		if err != nil || len(files) == 0 && dir == "routines" && !over {
			l.problems = append(l.problems, Problem{File: dir, Text: "no routines: want *.yaml files in it"})
		}
		for _, file := range files {
			l.file(fsys, file, false)
		}
	}
}

func (l *loader) file(fsys fs.FS, name string, optional bool) {
	b, err := fs.ReadFile(fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && optional:
		return
	case err != nil:
		l.problems = append(l.problems, Problem{File: name, Text: "cannot be read: " + err.Error()})
		return
	}
	f := &yamlfile.File{Name: name}
	if root, ok := f.Parse(b); ok {
		l.take(name, root)
	}
	l.problems = append(l.problems, f.Problems...)
}

// take reads one file into the catalogue.
func (l *loader) take(name string, root yamlfile.Node) {
	c := l.c
	switch {
	case strings.HasPrefix(name, "routines/"):
		var r Routine
		root.Into("routine", &r)
		if want := strings.TrimSuffix(path.Base(name), ".yaml"); r.ID != want {
			l.tell(r.At, "id: want %q, the name of the file, got %q", want, r.ID)
		}
		if i := slices.IndexFunc(c.routines, func(h *Routine) bool { return h.ID == r.ID }); i >= 0 {
			l.replaced = append(l.replaced, replaced{c.routines[i], &r})
			c.routines[i] = &r
		} else {
			c.routines = append(c.routines, &r)
		}
	case strings.HasPrefix(name, "local/"):
		var f localFile
		root.Into("local file", &f)
		if want := strings.TrimSuffix(path.Base(name), ".yaml"); f.Municipality != want {
			l.tell(f.At, "municipality: want %q, the name of the file, got %q", want, f.Municipality)
		}
		l.files = slices.DeleteFunc(l.files, func(h localFile) bool { return h.Municipality == f.Municipality })
		l.files = append(l.files, f)
	case name == "words.yaml":
		// Words, tree and guide are replaced as a whole: their parts lean on one another.
		c.words = Words{}
		root.Into("words", &c.words)
	case name == "sources.yaml":
		more := map[string]string{}
		root.Into("sources", &more)
		maps.Copy(c.sources, more)
	case name == "tree.yaml":
		c.tree = Tree{}
		root.Into("tree", &c.tree)
	case name == "meeting.yaml":
		c.guide = Guide{}
		root.Into("meeting guide", &c.guide)
	case name == "acts.yaml":
		l.acts = merge(l, root, "acts", l.acts, func(a Act) (string, yamlfile.Place) { return a.ID, a.At })
	case name == "law.yaml":
		c.laws = merge(l, root, "law", c.laws, func(a Law) (string, yamlfile.Place) { return a.ID, a.At })
	case name == "deadlines.yaml":
		c.deadlines = merge(l, root, "deadlines", c.deadlines, func(a Deadline) (string, yamlfile.Place) { return a.ID, a.At })
	case name == "resources.yaml":
		c.resources = merge(l, root, "resources", c.resources, func(a Resource) (string, yamlfile.Place) { return a.ID, a.At })
	case name == "terms.yaml":
		c.terms = merge(l, root, "terms", c.terms, func(a Term) (string, yamlfile.Place) { return a.ID, a.At })
	case name == "roles.yaml":
		c.roleList = merge(l, root, "roles", c.roleList, func(a Role) (string, yamlfile.Place) { return a.ID, a.At })
	case name == "blocks.yaml":
		c.blockList = merge(l, root, "blocks", c.blockList, func(a Block) (string, yamlfile.Place) { return a.ID, a.At })
	case name == "elements.yaml":
		c.elements = merge(l, root, "elements", c.elements, func(a Element) (string, yamlfile.Place) { return a.ID, a.At })
	}
}

// merge reads a list of entries with ids under a key. In one layer an id stands
// once; in a later layer it replaces.
func merge[T any](l *loader, root yamlfile.Node, key string, have []T, id func(T) (string, yamlfile.Place)) []T {
	seen := map[string]bool{}
	for _, p := range root.Pairs(key+" file", key) {
		for _, n := range p.Value.List(key) {
			var t T
			n.Into(key, &t)
			name, at := id(t)
			switch {
			case name == "":
				l.tell(at, "%s: an entry without id", key)
				continue
			case seen[name]:
				l.tell(at, "%s: %q stands twice: keep one", key, name)
				continue
			}
			seen[name] = true
			if i := slices.IndexFunc(have, func(h T) bool { n, _ := id(h); return n == name }); i >= 0 {
				have[i] = t
			} else {
				have = append(have, t)
			}
		}
	}
	return have
}

// index makes the look-ups.
func (l *loader) index() {
	c := l.c
	theme := map[string]int{}
	for i, t := range c.words.Themes {
		theme[t.ID] = i
	}
	slices.SortStableFunc(c.routines, func(a, b *Routine) int { return theme[a.Theme] - theme[b.Theme] })
	for _, r := range c.routines {
		c.byID[r.ID] = r
	}
	for i := range c.laws {
		c.law[c.laws[i].ID] = &c.laws[i]
	}
	for i := range l.acts {
		c.acts[l.acts[i].ID] = &l.acts[i]
	}
	for i := range c.blockList {
		c.blocks[c.blockList[i].ID] = &c.blockList[i]
	}
	for i := range c.roleList {
		c.roles[c.roleList[i].ID] = &c.roleList[i]
	}
	for i := range c.resources {
		c.res[c.resources[i].ID] = &c.resources[i]
	}
	for i := range c.deadlines {
		c.limits[c.deadlines[i].ID] = &c.deadlines[i]
	}
	for i := range c.terms {
		c.term[c.terms[i].ID] = &c.terms[i]
	}
	l.numbers = c.data.Numbers()
}

// need says how complete a text must be.
type need uint8

const (
	norwegian need = iota // bokmål and nynorsk
	all                   // English too: titles, steps and stop rules
	some                  // a municipality's own: bokmål or nynorsk
)

var (
	placeholder = regexp.MustCompile(`\{\{[^}]*\}\}?`)
	wanted      = regexp.MustCompile(`^\{\{\.([a-z0-9_]+)\}\}$`)
	// typedNumber finds what looks like a phone number typed into a text (D12,
	// S5): emergency and six-digit numbers, eight digits in groups, 02800.
	typedNumber = regexp.MustCompile(`(^|[^\d§–-])(11[0-3]|116 ?\d{3}|0\d{4}|\d{3} \d{2} \d{3}|\d{2} \d{2} \d{2} \d{2}|\d{8}|\+47)([^\d]|$)`)
	typedWeb    = regexp.MustCompile(`(?i)https?://|www\.`)
	idForm      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	sectionForm = regexp.MustCompile(`^(§§? ?|kap\. |art\. )[0-9A-Za-z .,–-]*$`)
)

func (l *loader) text(t Text, at yamlfile.Place, what string, n need) {
	if t.At.Line > 0 {
		at = t.At
	}
	if t.Empty() {
		l.tell(at, "%s: is missing", what)
		return
	}
	if n == some && t.NB == "" && t.NN == "" {
		l.tell(at, "%s: want the text in nb or nn", what)
	}
	if n != some && t.NB == "" {
		l.tell(at, "%s: the text in nb is missing", what)
	}
	if n != some && t.NN == "" {
		l.tell(at, "%s: the text in nn is missing", what)
	}
	if n == all && t.EN == "" {
		l.tell(at, "%s: the text in en is missing: titles, steps and stop rules have all three languages", what)
	}
	for _, s := range []string{t.NB, t.NN, t.EN} {
		if !strings.ContainsAny(s, "{/0123456789wW") { // most have nothing to look for
			continue
		}
		for _, p := range placeholder.FindAllString(s, -1) {
			m := wanted.FindStringSubmatch(p)
			switch {
			case m == nil:
				l.tell(at, "%s: %q is not a placeholder: want {{.number_112}}", what, p)
			case l.numbers[m[1]] == "":
				l.tell(at, "%s: {{.%s}} stands for nothing: want number_ or web_ and the id of a contact that may be shown", what, m[1])
			}
		}
		s = placeholder.ReplaceAllString(s, "")
		if m := typedNumber.FindStringSubmatch(s); m != nil {
			l.tell(at, "%s: %q looks like a phone number: numbers stand in contacts.yaml, write {{.number_…}}", what, m[2])
		}
		if typedWeb.MatchString(s) {
			l.tell(at, "%s: has a web address: addresses stand in contacts.yaml, write {{.web_…}}", what)
		}
	}
}

func (l *loader) texts(ts []Text, at yamlfile.Place, what string, n need) {
	for _, t := range ts {
		l.text(t, at, what, n)
	}
}

// known tells a reference to something that does not exist.
func known[T any](l *loader, at yamlfile.Place, what, id string, have map[string]T) {
	if _, ok := have[id]; !ok {
		l.tell(at, "%s: %q is not known%s", what, id, yamlfile.Suggest(id, slices.Sorted(maps.Keys(have))))
	}
}

func (l *loader) list(at yamlfile.Place, what string, ids []string, have map[string]bool) {
	for _, id := range ids {
		known(l, at, what, id, have)
	}
}

func names(list []Named) map[string]bool {
	m := map[string]bool{}
	for _, n := range list {
		m[n.ID] = true
	}
	return m
}

func keys[T any](m map[string]T) map[string]bool {
	k := map[string]bool{}
	for id := range m {
		k[id] = true
	}
	return k
}

var marks = []string{"S", "S-old", "K", "R"}

func (l *loader) facts(f Facts, at yamlfile.Place, what string) {
	if f.Mark != "" && !slices.Contains(marks, f.Mark) {
		l.tell(at, "%s: mark: want one of %s, got %q", what, strings.Join(marks, ", "), f.Mark)
	}
	if (f.Mark == "S" || f.Mark == "S-old") && len(f.Source) == 0 {
		l.tell(at, "%s: the mark %s says a source was read: name it under source", what, f.Mark)
	}
	for _, s := range f.Source {
		known(l, at, what+": source", s, l.c.sources)
	}
}

func (l *loader) refs(refs []Ref, at yamlfile.Place, what string) {
	for _, r := range refs {
		known(l, at, what+": law", r.Act(), l.c.acts)
		if s := r.Section(); s != "" && !sectionForm.MatchString(s) {
			l.tell(at, "%s: law: %q: want an act and a place, such as: bvl § 13-2", what, r)
		}
	}
}

func (l *loader) date(s string, at yamlfile.Place, what string) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		l.tell(at, "%s: %q is not a day: want one like 2026-12-31", what, s)
	}
}

func (l *loader) id(id, prefix string, at yamlfile.Place) {
	if !strings.HasPrefix(id, prefix) || !idForm.MatchString(id) {
		l.tell(at, "id %q: want small letters, digits and dashes, beginning with %q", id, prefix)
	}
}

func (l *loader) check() {
	c := l.c
	l.checkWords()
	for id, web := range c.sources {
		if !strings.HasPrefix(web, "http") {
			l.tell(yamlfile.Place{File: "sources.yaml"}, "%s: want a web address, got %q", id, web)
		}
	}
	for _, a := range l.acts {
		l.text(a.Name, a.At, "act "+a.ID, all)
		l.facts(a.Facts, a.At, "act "+a.ID)
	}
	for _, s := range c.laws {
		l.id(s.ID, "law-", s.At)
		l.text(s.Title, s.At, s.ID+": title", all)
		l.texts(s.Lines, s.At, s.ID, norwegian)
		for _, li := range s.Lists {
			l.text(li.Title, li.At, s.ID+": list", norwegian)
			l.texts(li.Items, li.At, s.ID+": list", norwegian)
		}
		l.refs(s.Refs, s.At, s.ID)
		l.facts(s.Facts, s.At, s.ID)
	}
	for i := range c.deadlines {
		l.deadline(&c.deadlines[i])
	}
	contacts := map[string]bool{}
	for _, k := range slices.Concat(c.data.Contacts, c.data.Services) {
		contacts[k.ID] = true
	}
	for _, r := range c.resources {
		l.id(r.ID, "res-", r.At)
		l.text(r.Name, r.At, r.ID+": name", all)
		l.text(r.Offers, r.At, r.ID+": offers", norwegian)
		if !r.Local.Empty() {
			l.text(r.Local, r.At, r.ID+": local", norwegian)
		}
		l.list(r.At, r.ID+": contacts", r.Contact, contacts)
		if len(r.Contact) == 0 && r.Local.Empty() {
			l.tell(r.At, "%s: nobody to call: name contacts, or say under local who knows the way", r.ID)
		}
		l.facts(r.Facts, r.At, r.ID)
	}
	for _, r := range c.roleList {
		l.id(r.ID, "role-", r.At)
		l.text(r.Name, r.At, r.ID+": name", all)
		l.text(r.Leader, r.At, r.ID+": leader", all)
		l.text(r.Line, r.At, r.ID+": line", norwegian)
		l.text(r.Duty, r.At, r.ID+": duty", norwegian)
		l.refs(r.Report, r.At, r.ID+": report")
		l.texts(r.Steps, r.At, r.ID+": steps", norwegian)
		l.texts(r.Traps, r.At, r.ID+": traps", norwegian)
		l.facts(r.Facts, r.At, r.ID)
	}
	elements := map[string]bool{}
	for _, e := range c.elements {
		elements[e.ID] = true
		l.id(e.ID, "el-", e.At)
		l.text(e.Title, e.At, e.ID, norwegian)
		l.facts(e.Facts, e.At, e.ID)
	}
	for _, b := range c.blockList {
		l.id(b.ID, "blk-", b.At)
		n := norwegian
		if b.ID == stopBlock {
			n = all
		}
		l.text(b.Title, b.At, b.ID+": title", all)
		l.texts(b.Lines, b.At, b.ID, n)
		l.texts(b.Say, b.At, b.ID+": say", norwegian)
		if len(b.Lines)+len(b.Say) == 0 {
			l.tell(b.At, "%s: is empty: give it lines", b.ID)
		}
		l.list(b.At, b.ID+": covers", b.Covers, elements)
		l.facts(b.Facts, b.At, b.ID)
	}
	if c.blocks[stopBlock] == nil {
		l.tell(yamlfile.Place{File: "blocks.yaml"}, "%s is missing: it is the stop rule", stopBlock)
	}
	for _, r := range c.routines {
		l.routine(r, all, norwegian)
	}
	for _, r := range l.replaced {
		for _, lost := range weaker(c, r.was, r.now) {
			l.tell(lost.at, "%s", lost.text)
		}
	}
	l.checkTerms()
	l.checkTree()
	l.checkGuide()
}

// stopBlock holds the words of the stop rule.
const stopBlock = "blk-stop-parents"

func (l *loader) checkWords() {
	w := &l.c.words
	for _, id := range slices.Sorted(maps.Keys(w.Who)) {
		l.text(w.Who[id], w.At, "who: "+id, all)
	}
	if _, ok := w.Who[leader]; !ok {
		l.tell(w.At, "who: %q is missing", leader)
	}
	for _, t := range w.Times {
		l.text(t.Label, t.At, "times: "+t.ID, all)
	}
	for _, list := range [][]Named{w.Themes, w.Kinds, w.Events, w.Sections} {
		for _, n := range list {
			l.text(n.Title, n.At, n.ID, all)
		}
	}
	for _, id := range sections {
		if named(w.Sections, id) == nil {
			l.tell(w.At, "sections: %q is missing", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.Labels)) {
		l.text(w.Labels[id], w.At, "labels: "+id, all)
	}
	for _, id := range labels {
		if w.Labels[id].Empty() {
			l.tell(w.At, "labels: %q is missing", id)
		}
	}
	for _, locale := range Locales {
		switch r := w.Locales[locale]; {
		case r.Status != "draft" && r.Status != "approved":
			l.tell(w.At, "locales: %s: status: want draft or approved, got %q", locale, r.Status)
		case r.Status == "approved" && r.By == "":
			l.tell(w.At, "locales: %s: approved by whom: reviewed_by is missing", locale)
		case r.Status == "approved":
			l.date(r.On, w.At, "locales: "+locale+": reviewed_on")
		}
	}
	for _, f := range w.Local {
		l.text(f.Label, f.At, "local: "+f.ID, all)
		l.list(f.At, "local: "+f.ID+": blocks", f.Blocks, keys(l.c.blocks))
	}
}

func (l *loader) deadline(d *Deadline) {
	l.id(d.ID, "t-", d.At)
	l.text(d.Title, d.At, d.ID+": title", all)
	l.text(d.Limit, d.At, d.ID+": limit", all)
	l.list(d.At, d.ID+": who", d.Who, keys(l.c.words.Who))
	l.refs(d.Law, d.At, d.ID)
	l.facts(d.Facts, d.At, d.ID)
	if d.Mark == "" {
		l.tell(d.At, "%s: mark is missing: a time limit says how sure it is", d.ID)
	}
	events := names(l.c.words.Events)
	seen := map[string]bool{}
	for i := range d.Rules {
		r := &d.Rules[i]
		l.text(r.Title, r.At, d.ID+": rule "+r.ID, all)
		if !r.Note.Empty() {
			l.text(r.Note, r.At, d.ID+": rule "+r.ID+": note", norwegian)
		}
		known(l, r.At, d.ID+": rule: from", r.From, events)
		l.facts(r.Facts, r.At, d.ID+": rule "+r.ID)
		if r.Hours+r.Days+r.Weeks+r.Months <= 0 || min(r.Hours, r.Days, r.Weeks, r.Months) < 0 {
			l.tell(r.At, "%s: rule %s: want hours, days, weeks or months above 0", d.ID, r.ID)
		}
		// Only a rule that stands before it: so that counting comes to an end.
		if r.After != "" && !seen[r.After] {
			l.tell(r.At, "%s: rule %s: after: %q is not a rule that stands before it", d.ID, r.ID, r.After)
		}
		if seen[r.ID] {
			l.tell(r.At, "%s: rule %q stands twice", d.ID, r.ID)
		}
		seen[r.ID] = true
	}
}

var (
	acute = []string{"yes", "maybe", "no"}
	stops = []string{Always, Sometimes, No}
)

// routine checks one; steps says how complete its titles, steps and stop rules
// must be, rest the others.
func (l *loader) routine(r *Routine, steps, rest need) {
	c := l.c
	l.id(r.ID, "sit-", r.At)
	l.text(r.Title, r.At, r.ID+": title", steps)
	known(l, r.At, r.ID+": theme", r.Theme, names(c.words.Themes))
	l.list(r.At, r.ID+": roles", r.Roles, keys(c.roles))
	if !slices.Contains(acute, r.Acute.Level) {
		l.tell(r.At, "%s: acute: level: want one of %s, got %q", r.ID, strings.Join(acute, ", "), r.Acute.Level)
	}
	if !r.Acute.Text.Empty() {
		l.text(r.Acute.Text, r.Acute.At, r.ID+": acute", steps)
	} else if r.Acute.Level == "maybe" {
		l.tell(r.Acute.At, "%s: acute: maybe: say when it is, under text", r.ID)
	}
	if !slices.Contains(stops, r.Stop.Applies) {
		l.tell(r.At, "%s: stop: applies: want one of %s, got %q", r.ID, strings.Join(stops, ", "), r.Stop.Applies)
	}
	if !r.Stop.Text.Empty() {
		l.text(r.Stop.Text, r.Stop.At, r.ID+": stop", steps)
	} else if r.Stop.Applies == Sometimes {
		l.tell(r.Stop.At, "%s: stop: sometimes: say when, under text", r.ID)
	}
	for _, part := range []struct {
		name string
		list []Text
	}{{"when", r.When}, {"do_not", r.DoNot}, {"write", r.Write}, {"child", r.Child}, {"parents", r.Parents}} {
		if len(part.list) == 0 {
			l.tell(r.At, "%s: %s: is missing: every routine says it (inv-5)", r.ID, part.name)
		}
		l.texts(part.list, r.At, r.ID+": "+part.name, rest)
	}
	if len(r.Law) == 0 {
		l.tell(r.At, "%s: law: is missing: every routine says it (inv-5)", r.ID)
	}
	if len(r.Call) == 0 {
		l.tell(r.At, "%s: call: is missing: every routine says whom to call", r.ID)
	}
	l.refs(r.Law, r.At, r.ID)
	l.list(r.At, r.ID+": call", r.Call, keys(c.res))
	l.list(r.At, r.ID+": blocks", r.Blocks, keys(c.blocks))
	l.list(r.At, r.ID+": see", r.See, keys(c.byID))
	if len(r.Steps) == 0 {
		l.tell(r.At, "%s: steps: is missing: a routine needs at least one", r.ID)
	}
	seen := map[string]bool{}
	for i := range r.Steps {
		l.step(r, &r.Steps[i], seen, steps)
		if r.Steps[i].After != "" {
			l.tell(r.Steps[i].At, "%s: step %s: after is for added steps: put it in its place", r.ID, r.Steps[i].ID)
		}
	}
	for _, o := range r.Overlays {
		l.list(o.At, r.ID+": overlay: roles", o.Roles, keys(c.roles))
		l.list(o.At, r.ID+": overlay: kinds", o.Kinds, names(c.words.Kinds))
		l.list(o.At, r.ID+": overlay: ages", o.Ages, c.ages())
		l.list(o.At, r.ID+": overlay: flags", o.Flags, c.flags())
		if len(o.Roles)+len(o.Kinds)+len(o.Ages)+len(o.Flags) == 0 {
			l.tell(o.At, "%s: an overlay for nobody: name roles, kinds, ages or flags", r.ID)
		}
		l.texts(o.Notes, o.At, r.ID+": overlay: notes", rest)
		for i := range o.Steps {
			s := &o.Steps[i]
			l.step(r, s, seen, steps)
			if s.After != "" && !seen[s.After] {
				l.tell(s.At, "%s: step %s: after: %q is not a step of this routine", r.ID, s.ID, s.After)
			}
		}
	}
	if r.Owner == "" {
		l.tell(r.At, "%s: owner: is missing: who keeps it right", r.ID)
	}
	l.date(r.Version, r.At, r.ID+": version")
	l.date(r.ValidUntil, r.At, r.ID+": valid_until")
	if r.Mark == "" {
		l.tell(r.At, "%s: mark is missing: how sure is it", r.ID)
	}
	l.facts(r.Facts, r.At, r.ID)
}

func (l *loader) step(r *Routine, s *Step, seen map[string]bool, n need) {
	c := l.c
	what := r.ID + ": step " + s.ID
	switch {
	case !idForm.MatchString(s.ID):
		l.tell(s.At, "%s: id: want small letters, digits and dashes, got %q", r.ID, s.ID)
	case seen[s.ID]:
		l.tell(s.At, "%s: stands twice: a step's id is its own in the routine", what)
	}
	seen[s.ID] = true
	if len(s.Who) == 0 {
		l.tell(s.At, "%s: who: is missing (inv-5)", what)
	}
	l.list(s.At, what+": who", s.Who, keys(c.words.Who))
	if c.time(s.When) == nil {
		l.tell(s.At, "%s: when: %q is not a time of words.yaml%s", what, s.When, yamlfile.Suggest(s.When, c.timeIDs()))
	}
	if s.Limit != "" {
		known(l, s.At, what+": deadline", s.Limit, c.limits)
	}
	l.text(s.Text, s.At, what, n)
	l.refs(s.Law, s.At, what)
	l.list(s.At, what+": call", s.Call, keys(c.res))
	elements := map[string]bool{}
	for _, e := range c.elements {
		elements[e.ID] = true
	}
	l.list(s.At, what+": covers", s.Covers, elements)
	switch told := tellsParents(s.Text); {
	case s.Informs && r.Stop.Applies == Always:
		l.tell(s.At, "%s: tells the parents, but the stop rule of this routine always applies (inv-2)", what)
	case told != "" && !s.Informs:
		l.tell(s.At, "%s: %q seems to tell the parents: say that the police or child welfare have said when, or mark it informs_parents: true", what, told)
	}
	l.facts(s.Facts, s.At, what)
}

func (c *Catalogue) timeIDs() []string {
	var ids []string
	for _, t := range c.words.Times {
		ids = append(ids, t.ID)
	}
	return ids
}

func (c *Catalogue) ages() map[string]bool {
	m := map[string]bool{}
	for _, a := range c.tree.Ages {
		m[a.ID] = true
	}
	return m
}

func (c *Catalogue) flags() map[string]bool {
	m := map[string]bool{}
	for _, f := range c.tree.Flags {
		m[f.ID] = true
	}
	return m
}

// targets are what a term may point to.
func (c *Catalogue) targets() map[string]bool {
	m := map[string]bool{"deadlines": true, "tree": true, "meeting": true}
	for id := range c.byID {
		m[id] = true
	}
	for id := range c.law {
		m[id] = true
	}
	for id := range c.res {
		m[id] = true
	}
	for id := range c.blocks {
		m[id] = true
	}
	return m
}

func (l *loader) checkTerms() {
	targets := l.c.targets()
	for _, t := range l.c.terms {
		l.id(t.ID, "v-", t.At)
		l.text(t.Text(), t.At, t.ID, all)
		l.list(t.At, t.ID+": see", t.See, targets)
	}
}

// maxQuestions is how many are asked at most (inv-7).
const maxQuestions = 6

func (l *loader) checkTree() {
	c := l.c
	t := &c.tree
	questions, targets := map[string]*Question{}, map[string]bool{}
	for i := range t.Questions {
		q := &t.Questions[i]
		if questions[q.ID] != nil {
			l.tell(q.At, "question %q stands twice", q.ID)
		}
		questions[q.ID] = q
		targets[q.ID] = true
	}
	for _, e := range t.Ends {
		targets[e.ID] = true
		l.text(e.Title, e.At, e.ID, all)
		l.texts(e.Lines, e.At, e.ID, norwegian)
		l.list(e.At, e.ID+": call", e.Call, keys(c.res))
		l.facts(e.Facts, e.At, e.ID)
	}
	for id := range c.byID {
		targets[id] = true
	}
	known(l, t.At, "start", t.Start, questions)
	known(l, t.At, "danger", t.Danger, c.byID)
	known(l, t.At, "now", t.Now, c.byID)
	l.list(t.At, "unsure", t.Unsure, keys(c.byID))
	kinds, ages := names(c.words.Kinds), c.ages()
	for _, q := range t.Questions {
		l.text(q.Ask, q.At, q.ID, all)
		unsure, seen := false, map[string]bool{}
		for _, a := range q.Answers {
			what := q.ID + ": answer " + a.ID
			if seen[a.ID] || !idForm.MatchString(a.ID) {
				l.tell(a.At, "%s: want an id of its own in small letters, digits and dashes", what)
			}
			seen[a.ID] = true
			unsure = unsure || a.Unsure
			l.text(a.Label, a.At, what, all)
			known(l, a.At, what+": to", a.To, targets)
			l.list(a.At, what+": also", a.Also, keys(c.byID))
			l.list(a.At, what+": flags", a.Flags, c.flags())
			for k, v := range a.Set {
				switch k {
				case "kind":
					known(l, a.At, what+": kind", v, kinds)
				case "age":
					known(l, a.At, what+": age", v, ages)
				case "danger", "source", "perp", "recent":
				default:
					l.tell(a.At, "%s: set: %q is not something the tree asks about", what, k)
				}
			}
		}
		if !unsure {
			l.tell(q.At, "%s: lacks an answer with unsure: true (inv-6)", q.ID)
		}
	}
	for _, f := range t.Flags {
		l.text(f.Label, f.At, "flag "+f.ID, all)
		l.texts(f.Notes, f.At, "flag "+f.ID, norwegian)
		if f.Routine != "" {
			known(l, f.At, "flag "+f.ID+": routine", f.Routine, c.byID)
		}
	}
	for _, a := range t.Ages {
		l.text(a.Label, a.At, "age "+a.ID, all)
		l.texts(a.Notes, a.At, "age "+a.ID, norwegian)
		l.facts(a.Facts, a.At, "age "+a.ID)
	}
	if questions[t.Start] != nil {
		if deep := t.depth(t.Start, nil); deep > maxQuestions {
			l.tell(t.At, "the tree asks up to %d questions, or in a circle: at most %d (inv-7)", deep, maxQuestions)
		}
	}
}

// depth is how many questions are asked at most from a question on; more than
// can be asked when it goes in a circle.
func (t *Tree) depth(id string, above []string) int {
	q, ok := t.Question(Path{Question: id})
	if !ok || id == "" {
		return 0
	}
	if slices.Contains(above, id) {
		return maxQuestions + 1
	}
	deep := 0
	for _, a := range q.Answers {
		deep = max(deep, t.depth(a.To, append(above, id)))
	}
	return deep + 1
}

func (l *loader) checkGuide() {
	g := &l.c.guide
	l.text(g.Title, g.At, "meeting guide: title", all)
	if len(g.Stop) == 0 {
		l.tell(g.At, "meeting guide: stop: is missing: the stop rule stands before any calling text")
	}
	l.texts(g.Stop, g.At, "meeting guide: stop", all)
	l.facts(g.Facts, g.At, "meeting guide")
	for _, p := range g.Parts {
		l.text(p.Title, p.At, "meeting guide: "+p.ID, all)
		l.texts(p.Lines, p.At, "meeting guide: "+p.ID, norwegian)
		l.list(p.At, "meeting guide: "+p.ID+": blocks", p.Blocks, keys(l.c.blocks))
		l.facts(p.Facts, p.At, "meeting guide: "+p.ID)
	}
	for _, t := range g.Templates {
		l.text(t.Title, t.At, "template "+t.ID, all)
		l.texts(t.Lines, t.At, "template "+t.ID, norwegian)
		l.facts(t.Facts, t.At, "template "+t.ID)
		if t.For != "child" && t.For != "adults" {
			l.tell(t.At, "template %s: for: want child or adults, got %q", t.ID, t.For)
		}
	}
}

var (
	sentence = regexp.MustCompile(`[^.!?:;]+`)
	// contact is a wish to tell, call, ask or invite parents, in the three languages.
	contact = regexp.MustCompile(`(?i)\b(ring|ringer|kontakt|informer|orienter|inviter|kall inn|fortell|fortel|si fra til|sei frå til|si det til|sei det til|snakk|varsle|spør|skriv til|call|phone|contact|inform|invite|tell|talk with|ask|write to)\b.{0,40}\b(foreldre|foreldrene|foreldra|foresatte|føresette|hjem til|heim til|moren|faren|mora|familien|parents|family)\b`)
	// held is what makes it no such wish: a negation, or the police or child
	// welfare first.
	held = regexp.MustCompile(`(?i)\b(ikke|ikkje|ingen|aldri|uten|utan|ingenting|not|never|nobody|no one|no contact|without|politiet|barnevernet|police|child welfare|utsatt forelder|utsett forelder|abused parent)\b`)
)

// tellsParents finds a sentence that seems to tell somebody to inform the
// parents; "" = none. It is a net under inv-2, not a proof: an author marks such
// a step, and the stop rule then takes it away.
func tellsParents(t Text) string {
	for _, s := range []string{t.NB, t.NN, t.EN} {
		for _, part := range sentence.FindAllString(s, -1) {
			if contact.MatchString(part) && !held.MatchString(part) {
				return strings.TrimSpace(part)
			}
		}
	}
	return ""
}
