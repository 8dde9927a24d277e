package routine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trygg/flows/yamlfile"
)

// localFile is a municipality's own file, local/<number>.yaml: what it says about
// itself, and what it changes in the routines.
type localFile struct {
	Municipality string               `yaml:"municipality"`
	About        map[string]LocalFact `yaml:"about"` // by field of words.yaml, local
	Changes      []change             `yaml:"changes"`
	Routines     []Routine            `yaml:"routines"` // whole ones: its own instead of the national, or new

	Owner      string `yaml:"owner"`
	Reviewed   string `yaml:"reviewed"`
	ApprovedBy string `yaml:"approved_by"` // a role, not a person
	NextReview string `yaml:"next_review"`
	At         yamlfile.Place
}

// LocalFact is one thing a municipality says about itself.
type LocalFact struct {
	Text    Text   `yaml:"text"`
	Web     string `yaml:"web"`     // https
	Missing string `yaml:"missing"` // instead: why there is nothing yet
	At      yamlfile.Place
}

// change is what a municipality replaces or adds in one national routine.
type change struct {
	Routine string   `yaml:"routine"`
	Replace []Step   `yaml:"replace"` // by id
	Add     []Step   `yaml:"add"`     // after a step; new ids
	When    []Text   `yaml:"when"`    // the rest is added to what the routine says
	DoNot   []Text   `yaml:"do_not"`
	Write   []Text   `yaml:"write"`
	Child   []Text   `yaml:"child"`
	Parents []Text   `yaml:"parents"`
	Call    []string `yaml:"call"`
	At      yamlfile.Place
}

// local is a municipality's file, checked.
type local struct {
	localFile
	catalogue *Catalogue
}

// Change is one difference between a municipality's routines and the national
// ones, for a page that shows it and for the log of a review.
type Change struct {
	Tenant  string
	Routine string
	Part    string // "routine", "step call", "do_not", ...
	Kind    string // added, replaced, removed
	Was     []Text
	Now     []Text
}

// For gives the routines as a municipality has them: its own where it has some,
// the national ones for everything else (D9).
func (c *Catalogue) For(tenant string) *Catalogue {
	if c.tenant != "" {
		c = c.base
	}
	if t := c.towns[tenant]; t != nil {
		return t.catalogue
	}
	return c
}

// Tenants gives the municipalities that have a file of their own.
func (c *Catalogue) Tenants() []string { return slices.Sorted(maps.Keys(c.towns)) }

// Diff gives what a municipality has changed, in the order of the routines.
func (c *Catalogue) Diff(tenant string) []Change {
	own := c.For(tenant)
	if own.tenant == "" {
		return nil
	}
	var changes []Change
	for _, r := range own.routines {
		if r.Local {
			changes = append(changes, own.changes(r)...)
		}
	}
	return changes
}

// changes compares a routine with the national one.
func (c *Catalogue) changes(r *Routine) []Change {
	if c.base == nil {
		return nil
	}
	was := c.base.byID[r.ID]
	if was == nil {
		return []Change{{c.tenant, r.ID, "routine", "added", nil, []Text{r.Title}}}
	}
	var out []Change
	tell := func(part, kind string, was, now []Text) {
		out = append(out, Change{c.tenant, r.ID, part, kind, was, now})
	}
	if !same(was.Title, r.Title) {
		tell("title", "replaced", []Text{was.Title}, []Text{r.Title})
	}
	if was.Stop.Applies != r.Stop.Applies || !same(was.Stop.Text, r.Stop.Text) {
		tell("stop", "replaced", []Text{was.Stop.Text}, []Text{r.Stop.Text})
	}
	for _, s := range r.Steps {
		i := slices.IndexFunc(was.Steps, func(w Step) bool { return w.ID == s.ID })
		switch {
		case i < 0:
			tell("step "+s.ID, "added", nil, []Text{s.Text})
		case !sameStep(was.Steps[i], s):
			tell("step "+s.ID, "replaced", []Text{was.Steps[i].Text}, []Text{s.Text})
		}
	}
	for _, w := range was.Steps {
		if !slices.ContainsFunc(r.Steps, func(s Step) bool { return s.ID == w.ID }) {
			tell("step "+w.ID, "removed", []Text{w.Text}, nil)
		}
	}
	for _, part := range []struct {
		name     string
		was, now []Text
	}{{"when", was.When, r.When}, {"do_not", was.DoNot, r.DoNot}, {"write", was.Write, r.Write}, {"child", was.Child, r.Child}, {"parents", was.Parents, r.Parents}} {
		gone := without(part.was, part.now)
		more := without(part.now, part.was)
		switch {
		case len(gone) > 0 && len(more) > 0:
			tell(part.name, "replaced", gone, more)
		case len(gone) > 0:
			tell(part.name, "removed", gone, nil)
		case len(more) > 0:
			tell(part.name, "added", nil, more)
		}
	}
	return out
}

func same(a, b Text) bool { return a.NB == b.NB && a.NN == b.NN && a.EN == b.EN }

func sameStep(a, b Step) bool {
	return same(a.Text, b.Text) && a.When == b.When && a.Limit == b.Limit && slices.Equal(a.Who, b.Who) && slices.Equal(a.Call, b.Call) && slices.Equal(a.Law, b.Law)
}

func without(a, b []Text) []Text {
	var out []Text
	for _, t := range a {
		if !slices.ContainsFunc(b, func(o Text) bool { return same(t, o) }) {
			out = append(out, t)
		}
	}
	return out
}

// loss is something a later text must not take away.
type loss struct {
	at   yamlfile.Place
	text string
}

// weaker tells what a routine in place of another takes away of what the law or
// a child's safety demands: stop rule, duties, time limits, whom to call.
func weaker(c *Catalogue, was, now *Routine) []loss {
	var lost []loss
	tell := func(at yamlfile.Place, format string, args ...any) {
		lost = append(lost, loss{at, now.ID + ": " + fmt.Sprintf(format, args...)})
	}
	if slices.Index(stops, now.Stop.Applies) > slices.Index(stops, was.Stop.Applies) {
		tell(now.Stop.At, "stop: the national routine says %s: it can be made stricter, not weaker", was.Stop.Applies)
	}
	for _, w := range was.Steps {
		if !w.Duty {
			continue
		}
		i := slices.IndexFunc(now.Steps, func(s Step) bool { return s.ID == w.ID })
		if i < 0 {
			tell(now.At, "step %s is missing: the law demands it, it can be said in other words but not taken away", w.ID)
			continue
		}
		s := now.Steps[i]
		if !s.Duty {
			tell(s.At, "step %s: duty: true is missing: the law demands this step", s.ID)
		}
		if a, b := c.time(w.When), c.time(s.When); a != nil && b != nil && b.Rank > a.Rank {
			tell(s.At, "step %s: when: %s is later than %s, which the national routine says", s.ID, s.When, w.When)
		}
		if gone := minus(w.Call, s.Call); len(gone) > 0 {
			tell(s.At, "step %s: call: %s must stay", s.ID, strings.Join(gone, ", "))
		}
		if gone := minus(w.Law, s.Law); len(gone) > 0 {
			tell(s.At, "step %s: law: %v must stay", s.ID, gone)
		}
	}
	if len(now.DoNot) < len(was.DoNot) {
		tell(now.At, "do_not: %d lines instead of %d: a warning can be said in other words but not taken away", len(now.DoNot), len(was.DoNot))
	}
	if gone := minus(was.Call, now.Call); len(gone) > 0 {
		tell(now.At, "call: %s must stay", strings.Join(gone, ", "))
	}
	if gone := minus(was.Law, now.Law); len(gone) > 0 {
		tell(now.At, "law: %v must stay", gone)
	}
	if gone := minus(was.Blocks, now.Blocks); len(gone) > 0 {
		tell(now.At, "blocks: %s must stay", strings.Join(gone, ", "))
	}
	return lost
}

func minus[T comparable](a, b []T) []T {
	var out []T
	for _, v := range a {
		if !slices.Contains(b, v) {
			out = append(out, v)
		}
	}
	return out
}

// checkTowns checks the municipalities' files and lays them over the routines.
func (l *loader) checkTowns() {
	for i := range l.files {
		l.town(&l.files[i])
	}
}

func (l *loader) town(f *localFile) {
	c := l.c
	if _, ok := c.data.Municipality(f.Municipality); !ok {
		l.tell(f.At, "municipality: %q is not in municipalities.yaml", f.Municipality)
	}
	fields := map[string]LocalField{}
	for _, d := range c.words.Local {
		fields[d.ID] = d
	}
	for _, id := range slices.Sorted(maps.Keys(f.About)) {
		v := f.About[id]
		known(l, v.At, "about", id, fields)
		d := fields[id]
		switch {
		case v.Missing != "" && (v.Web != "" || !v.Text.Empty()):
			l.tell(v.At, "about: %s: give it, or say that it is missing, not both", id)
		case v.Missing != "":
		case d.Web && !strings.HasPrefix(v.Web, "https://"):
			l.tell(v.At, "about: %s: want web: an address with https://, got %q", id, v.Web)
		case !d.Web:
			l.text(v.Text, v.At, "about: "+id, some)
		}
	}
	for _, d := range []struct{ name, day string }{{"reviewed", f.Reviewed}, {"next_review", f.NextReview}} {
		if d.day == "" {
			l.tell(f.At, "%s: is missing", d.name)
		} else {
			l.date(d.day, f.At, d.name)
		}
	}
	if f.Owner == "" || f.ApprovedBy == "" {
		l.tell(f.At, "owner and approved_by: want the roles that keep it right and that approved it")
	}
	own := *c
	own.tenant, own.base = f.Municipality, c
	own.routines, own.byID = slices.Clone(c.routines), maps.Clone(c.byID)
	put := func(r *Routine) {
		r.Local = true
		if i := slices.IndexFunc(own.routines, func(h *Routine) bool { return h.ID == r.ID }); i >= 0 {
			own.routines[i] = r
		} else {
			own.routines = append(own.routines, r)
		}
		own.byID[r.ID] = r
	}
	seen := map[string]bool{}
	for i := range f.Routines {
		r := &f.Routines[i]
		if seen[r.ID] {
			l.tell(r.At, "routines: %q stands twice", r.ID)
		}
		seen[r.ID] = true
		for j := range r.Steps {
			r.Steps[j].Local = true
		}
		l.routine(r, some, some)
		put(r)
	}
	for i := range f.Changes {
		ch := &f.Changes[i]
		was := c.byID[ch.Routine]
		if was == nil {
			known(l, ch.At, "changes: routine", ch.Routine, c.byID)
			continue
		}
		if seen[ch.Routine] {
			l.tell(ch.At, "changes: %q is already changed in this file", ch.Routine)
			continue
		}
		seen[ch.Routine] = true
		r := l.apply(was, ch)
		l.routine(r, some, some)
		put(r)
	}
	for _, r := range own.routines {
		if was := c.byID[r.ID]; r.Local && was != nil {
			for _, lost := range weaker(c, was, r) {
				l.tell(lost.at, "%s", lost.text)
			}
		}
	}
	theme := map[string]int{}
	for i, t := range c.words.Themes {
		theme[t.ID] = i
	}
	slices.SortStableFunc(own.routines, func(a, b *Routine) int { return theme[a.Theme] - theme[b.Theme] })
	c.towns[f.Municipality] = &local{*f, &own}
}

// apply gives a national routine as changed by a municipality.
func (l *loader) apply(was *Routine, ch *change) *Routine {
	r := *was
	r.Steps = slices.Clone(was.Steps)
	for _, s := range ch.Replace {
		i := slices.IndexFunc(r.Steps, func(h Step) bool { return h.ID == s.ID })
		if i < 0 {
			l.tell(s.At, "%s: replace: %q is not a step of this routine", r.ID, s.ID)
			continue
		}
		s.Local = true
		r.Steps[i] = s
	}
	for _, s := range ch.Add {
		s.Local = true
		var ok bool
		if r.Steps, ok = insert(r.Steps, s); !ok {
			l.tell(s.At, "%s: add: after: %q is not a step of this routine", r.ID, s.After)
		}
	}
	for _, p := range []struct {
		to   *[]Text
		more []Text
	}{{&r.When, ch.When}, {&r.DoNot, ch.DoNot}, {&r.Write, ch.Write}, {&r.Child, ch.Child}, {&r.Parents, ch.Parents}} {
		*p.to = slices.Concat(*p.to, p.more)
	}
	r.Call = slices.Concat(r.Call, ch.Call)
	return &r
}

// insert puts a step after the one it names, or first.
func insert(steps []Step, s Step) ([]Step, bool) {
	after := s.After
	s.After = ""
	if after == "" {
		return slices.Insert(steps, 0, s), true
	}
	i := slices.IndexFunc(steps, func(h Step) bool { return h.ID == after })
	if i < 0 {
		return steps, false
	}
	return slices.Insert(steps, i+1, s), true
}

// Notes lists what a person must still settle before a release: what is general
// knowledge, what an entry asks to be checked, what a municipality has not
// filled in, and routines of its own that lack elements.
func (c *Catalogue) Notes() []Note {
	var notes []Note
	note := func(file, id string, f Facts) {
		if f.Check != "" {
			notes = append(notes, Note{File: file, ID: id, Text: "[" + f.Mark + "] " + f.Check})
		} else if f.Uncertain() {
			notes = append(notes, Note{File: file, ID: id, Text: "[" + f.Mark + "] no source was read for all of it"})
		}
	}
	for _, locale := range Locales {
		if c.words.Locales[locale].Status == "draft" {
			notes = append(notes, Note{File: "words.yaml", ID: locale, Text: "draft: no native reader who knows the field has approved the routines in this language"})
		}
	}
	for _, r := range c.routines {
		file := "routines/" + r.ID + ".yaml"
		note(file, r.ID, r.Facts)
		for _, s := range r.Steps {
			note(file, r.ID+" step "+s.ID, s.Facts)
		}
		for _, o := range r.Overlays {
			for _, s := range o.Steps {
				note(file, r.ID+" step "+s.ID, s.Facts)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.acts)) {
		note("acts.yaml", id, c.acts[id].Facts)
	}
	for _, s := range c.laws {
		note("law.yaml", s.ID, s.Facts)
	}
	for _, d := range c.deadlines {
		note("deadlines.yaml", d.ID, d.Facts)
		for _, r := range d.Rules {
			note("deadlines.yaml", d.ID+" "+r.ID, r.Facts)
		}
	}
	for _, r := range c.resources {
		note("resources.yaml", r.ID, r.Facts)
	}
	for _, r := range c.roleList {
		note("roles.yaml", r.ID, r.Facts)
	}
	for _, b := range c.blockList {
		note("blocks.yaml", b.ID, b.Facts)
	}
	for _, e := range c.elements {
		note("elements.yaml", e.ID, e.Facts)
	}
	for _, a := range c.tree.Ages {
		note("tree.yaml", "age "+a.ID, a.Facts)
	}
	for _, e := range c.tree.Ends {
		note("tree.yaml", e.ID, e.Facts)
	}
	note("meeting.yaml", "meeting", c.guide.Facts)
	for _, p := range c.guide.Parts {
		note("meeting.yaml", p.ID, p.Facts)
	}
	for _, t := range c.guide.Templates {
		note("meeting.yaml", t.ID, t.Facts)
	}
	for _, t := range c.terms {
		if t.SE != "" {
			notes = append(notes, Note{File: "terms.yaml", ID: t.ID, Text: "[K] Northern Sámi word: to be read by a native reader"})
		}
	}
	for _, tenant := range c.Tenants() {
		notes = append(notes, c.towns[tenant].notes()...)
	}
	return notes
}

// notes lists what a municipality has still to do with its own file.
func (t *local) notes() []Note {
	file := "local/" + t.Municipality + ".yaml"
	var notes []Note
	for _, d := range t.catalogue.words.Local {
		v, ok := t.About[d.ID]
		switch {
		case !ok && d.Required:
			notes = append(notes, Note{File: file, ID: d.ID, Text: "is not filled in"})
		case v.Missing != "":
			notes = append(notes, Note{File: file, ID: d.ID, Text: "missing: " + v.Missing})
		}
	}
	for _, r := range t.Routines {
		for _, e := range t.catalogue.Missing(r.ID) {
			notes = append(notes, Note{File: file, ID: r.ID, Text: "lacks " + e.ID + ": " + e.Title.NB})
		}
	}
	return notes
}

// Expired lists the routines and files whose day of review has passed.
func (c *Catalogue) Expired(at time.Time) []Note {
	var notes []Note
	day := at.Format(time.DateOnly)
	for _, r := range c.routines {
		if r.ValidUntil < day {
			notes = append(notes, Note{File: "routines/" + r.ID + ".yaml", ID: r.ID, Text: "was to be gone through by " + r.ValidUntil})
		}
	}
	for _, tenant := range c.Tenants() {
		t := c.towns[tenant]
		if t.NextReview < day {
			notes = append(notes, Note{File: "local/" + tenant + ".yaml", ID: tenant, Text: "was to be gone through by " + t.NextReview})
		}
		for _, r := range t.Routines {
			if r.ValidUntil < day {
				notes = append(notes, Note{File: "local/" + tenant + ".yaml", ID: r.ID, Text: "was to be gone through by " + r.ValidUntil})
			}
		}
	}
	return notes
}
