package routine

import (
	"slices"
	"strings"

	"trygg/flows/content/data"
)

// Context is for whom a routine is shown, and what is known. The zero Context is
// anybody, in bokmål, with national numbers.
type Context struct {
	Role   string
	Locale string // nb, nn, en; "" = nb
	Tenant string // municipality number
	Area   string // a part of it

	Age   string   // a band of the tree
	Kind  string   // what it is about: words.yaml, kinds
	Flags []string // chips of the tree
	Stop  bool     // the stop rule holds, whatever the routine itself says
}

// View is a routine as one person reads it: blocks resolved, overlays applied,
// numbers filled in, in one language with a visible fall-back.
type View struct {
	ID    string
	Title Line
	Theme Named

	Stop  []Line // the stop rule; shown before everything else
	Acute string // yes, maybe, no
	Hurry Line   // when it is acute
	When  []Line
	Notes []Line // for this age, kind or flag

	Now   []StepView // do now
	Steps []StepView // and then
	DoNot []Line

	Calls   []Call
	Write   []Line
	Child   []Line
	Parents []Line
	Law     []LawView

	Blocks []BlockView
	Role   *RoleView  // of the role that was chosen
	Here   []HereView // what the municipality says about itself
	Also   []Link     // routines that come with the flags, or often follow

	Owner      string
	Version    string
	ValidUntil string
	Sources    []string // web addresses
	Check      bool     // something in it is to be checked by the municipality
	Local      bool     // the municipality's own, or changed by it
	Changes    []Change // what it changed
}

// StepView is a step as it is shown.
type StepView struct {
	ID     string
	Number int
	Who    []Line
	When   Line
	Text   Line // Check and Local say what to mark
	Limit  *Deadline
	Law    []LawView
	Calls  []string // resources of View.Calls
	Duty   bool
	Was    Line // the national text, where the municipality replaced it
}

// LawView is a place in the law as it is shown.
type LawView struct {
	Text  Line // "straffeloven §§ 196, 287"
	Web   string
	Check bool
}

// Call is somebody to call, with the number of this place or the national one
// that answers instead. It is never empty (inv-9).
type Call struct {
	ID      string // the resource
	Name    Line
	Offers  Line
	Contact data.Contact // phone, web, hours: Contact.Open tells whether it is open
	Number  string
	More    []data.Contact // others of the same resource
	Instead bool           // Contact is who answers instead: no number of its own is known
	How     Line           // who knows the way to it, where there is no number
}

// BlockView is a block as it is shown, ready to copy.
type BlockView struct {
	ID    string
	Title Line
	Lines []Line
	Say   []Line
}

// RoleView is what a role adds.
type RoleView struct {
	ID                       string
	Name, Leader, Line, Duty Line
	Report                   []LawView
	Steps, Traps             []Line
}

// HereView is something a municipality says about itself.
type HereView struct {
	ID    string
	Label Line
	Text  Line
	Web   string
}

// Link leads to another routine.
type Link struct {
	ID    string
	Title Line
}

// Section is a titled list of lines, for a channel that shows text only.
type Section struct {
	ID    string
	Title Line
	Lines []Line
}

// reader puts texts into one language with the numbers of one place.
type reader struct {
	c       *Catalogue
	x       Context
	numbers *strings.Replacer
}

func (c *Catalogue) reader(x Context) reader {
	if x.Locale == "" {
		x.Locale = "nb"
	}
	return reader{c, x, c.numbersAt(x.Tenant, x.Area)}
}

// numbersAt fills in the numbers of a place; what was built once is kept.
func (c *Catalogue) numbersAt(tenant, area string) *strings.Replacer {
	at := [2]string{tenant, area}
	if r, ok := c.numbers.Load(at); ok {
		return r.(*strings.Replacer)
	}
	var pairs []string
	for k, v := range c.data.NumbersAt(tenant, area) {
		pairs = append(pairs, "{{."+k+"}}", v)
	}
	r := strings.NewReplacer(pairs...)
	// Only places that exist are kept, so that no request can fill the memory.
	if m, ok := c.data.Municipality(tenant); tenant == "" && area == "" || ok && (area == "" || m.Areas[area].Name != "") {
		c.numbers.Store(at, r)
	}
	return r
}

func (l reader) line(t Text, f Facts) Line {
	n := t.In(l.x.Locale)
	if strings.Contains(n.Text, "{{") {
		n.Text = l.numbers.Replace(n.Text)
	}
	n.Check = f.Uncertain()
	return n
}

func (l reader) lines(ts []Text, f Facts) []Line {
	var out []Line
	for _, t := range ts {
		out = append(out, l.line(t, f))
	}
	return out
}

// laws gives places in the law as they are shown.
func (l reader) laws(refs []Ref) []LawView {
	var out []LawView
	for _, r := range refs {
		a := l.c.acts[r.Act()]
		n := l.line(a.Name, Facts{})
		if s := r.Section(); s != "" {
			n.Text += " " + s
		}
		v := LawView{Text: n, Web: a.Web, Check: a.Mark != "S"}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// View gives a routine for a context; false when there is no such routine.
func (c *Catalogue) View(id string, x Context) (View, bool) {
	own := c.For(x.Tenant)
	r := own.byID[id]
	if r == nil {
		return View{}, false
	}
	l := own.reader(x)
	o := own.overlays(r, &l.x)
	v := View{
		ID: r.ID, Title: l.line(r.Title, Facts{}), Acute: r.Acute.Level,
		When: l.lines(r.When, Facts{}), DoNot: l.lines(r.DoNot, Facts{}),
		Write: l.lines(r.Write, Facts{}), Child: l.lines(r.Child, Facts{}), Parents: l.lines(r.Parents, Facts{}),
		Owner: l.owner(r.Owner), Version: r.Version, ValidUntil: r.ValidUntil,
		Check: r.Uncertain(), Local: r.Local, Changes: own.changes(r),
	}
	v.Theme = *named(own.words.Themes, r.Theme)
	if !r.Acute.Text.Empty() {
		v.Hurry = l.line(r.Acute.Text, Facts{})
	}
	v.Notes = l.lines(o.notes, Facts{})
	v.Stop = l.stop(r)
	if l.x.Stop {
		// What the routine says about parents holds where the rule does not.
		v.Parents = l.lines(own.blocks[stopBlock].Lines, Facts{})
	}
	l.steps(&v, r, o.steps)

	laws := r.Law
	if role := own.roles[x.Role]; role != nil {
		v.Role = &RoleView{
			ID: role.ID, Name: l.line(role.Name, Facts{}), Leader: l.line(role.Leader, Facts{}), Line: l.line(role.Line, role.Facts),
			Duty: l.line(role.Duty, Facts{}), Report: l.laws(role.Report), Steps: l.lines(role.Steps, role.Facts), Traps: l.lines(role.Traps, role.Facts),
		}
		laws = slices.Concat(role.Report, laws)
	}
	v.Law = l.laws(laws)
	for _, id := range l.callIDs(r, o.steps) {
		v.Calls = append(v.Calls, l.call(own.res[id]))
	}
	for _, id := range r.Blocks {
		v.Blocks = append(v.Blocks, l.block(own.blocks[id]))
	}
	v.Here = l.here(r)
	for _, id := range slices.Concat(o.see, r.See) {
		if id != r.ID && !slices.ContainsFunc(v.Also, func(k Link) bool { return k.ID == id }) {
			v.Also = append(v.Also, Link{id, l.line(own.byID[id].Title, Facts{})})
		}
	}
	for _, s := range r.Source {
		v.Sources = append(v.Sources, own.sources[s])
	}
	return v, true
}

// owner names who keeps a routine right.
func (l reader) owner(owner string) string {
	if owner == nationalOwner {
		return l.label("national-editor")
	}
	return owner
}

// nationalOwner keeps the routines that are compiled in, as in contacts.yaml.
const nationalOwner = "national editor"

// added is what the circumstances add to a routine.
type added struct {
	steps []Step
	notes []Text
	see   []string
}

// overlays gathers what the circumstances add, and whether the stop rule holds.
func (c *Catalogue) overlays(r *Routine, x *Context) added {
	var a added
	for _, age := range c.tree.Ages {
		if age.ID == x.Age {
			a.notes = append(a.notes, age.Notes...)
		}
	}
	for _, f := range c.tree.Flags {
		if slices.Contains(x.Flags, f.ID) {
			a.notes = append(a.notes, f.Notes...)
			x.Stop = x.Stop || f.Stop
			if f.Routine != "" {
				a.see = append(a.see, f.Routine)
			}
		}
	}
	for _, o := range r.Overlays {
		any := func(want []string, have ...string) bool {
			return len(want) == 0 || slices.ContainsFunc(have, func(h string) bool { return slices.Contains(want, h) })
		}
		if any(o.Roles, x.Role) && any(o.Kinds, x.Kind) && any(o.Ages, x.Age) && any(o.Flags, x.Flags...) {
			a.steps = append(a.steps, o.Steps...)
			a.notes = append(a.notes, o.Notes...)
			x.Stop = x.Stop || o.Stop
		}
	}
	return a
}

// stop gives the stop rule: the block's words where it holds, the routine's own
// where it depends.
func (l reader) stop(r *Routine) []Line {
	b := l.c.blocks[stopBlock]
	switch {
	case l.x.Stop, r.Stop.Applies == Always && r.Stop.Text.Empty():
		return l.lines(b.Lines, Facts{})
	case r.Stop.Applies == Always:
		return append([]Line{l.line(r.Stop.Text, Facts{})}, l.lines(b.Lines, Facts{})...)
	case r.Stop.Applies == Sometimes:
		return []Line{l.line(r.Stop.Text, Facts{})}
	}
	return nil
}

func (l reader) steps(v *View, r *Routine, more []Step) {
	steps := slices.Clone(r.Steps)
	for _, s := range more {
		steps, _ = insert(steps, s)
	}
	now := true
	for _, s := range steps {
		if s.Informs && l.x.Stop {
			continue
		}
		sv := StepView{ID: s.ID, Number: len(v.Now) + len(v.Steps) + 1, Text: l.line(s.Text, s.Facts), Law: l.laws(s.Law), Calls: s.Call, Duty: s.Duty, Limit: l.c.limits[s.Limit]}
		sv.Text.Local = s.Local
		for _, w := range s.Who {
			sv.Who = append(sv.Who, l.line(l.c.who(w, l.x.Role), Facts{}))
		}
		t := l.c.time(s.When)
		sv.When = l.line(t.Label, Facts{})
		if s.Local && l.c.base != nil {
			if was := l.c.base.byID[r.ID]; was != nil {
				for _, w := range was.Steps {
					if w.ID == s.ID {
						sv.Was = l.line(w.Text, w.Facts)
					}
				}
			}
		}
		// What comes first is "now" even where nothing hurries.
		now = now && (t.Now || len(v.Now) == 0)
		if now {
			v.Now = append(v.Now, sv)
		} else {
			v.Steps = append(v.Steps, sv)
		}
	}
}

// callIDs gives whom to call: the routine's list, then those only steps name.
func (l reader) callIDs(r *Routine, more []Step) []string {
	ids := slices.Clone(r.Call)
	for _, s := range slices.Concat(r.Steps, more) {
		for _, id := range s.Call {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

func (l reader) call(r *Resource) Call {
	k := Call{ID: r.ID, Name: l.line(r.Name, Facts{}), Offers: l.line(r.Offers, r.Facts)}
	if !r.Local.Empty() {
		k.How = l.line(r.Local, Facts{})
	}
	for _, id := range r.Contact {
		own, _ := l.c.data.Contact(id, l.x.Tenant, l.x.Area)
		if own.Show == "no" {
			continue
		}
		if k.Contact.ID != "" {
			k.More = append(k.More, own)
			continue
		}
		switch {
		case own.Phone != "" || own.Fallback == "":
			k.Contact = own
		case k.How.Text == "":
			// Where words say who knows the way, a helpline is no substitute.
			k.Contact, _ = l.c.data.Contact(own.Fallback, "", "")
			k.Instead = true
		}
	}
	k.Number = k.Contact.Phone
	return k
}

func (l reader) block(b *Block) BlockView {
	return BlockView{ID: b.ID, Title: l.line(b.Title, Facts{}), Lines: l.lines(b.Lines, b.Facts), Say: l.lines(b.Say, b.Facts)}
}

// here gives what the municipality says about itself that belongs to the routine;
// nil = all of it.
func (l reader) here(r *Routine) []HereView {
	if l.c.base == nil {
		return nil
	}
	t := l.c.base.towns[l.c.tenant]
	var out []HereView
	for _, d := range l.c.words.Local {
		f, ok := t.About[d.ID]
		belongs := r == nil || len(d.Blocks) == 0 || slices.ContainsFunc(d.Blocks, func(b string) bool { return slices.Contains(r.Blocks, b) })
		if !ok || f.Missing != "" || !belongs {
			continue
		}
		h := HereView{ID: d.ID, Label: l.line(d.Label, Facts{}), Web: f.Web}
		if !f.Text.Empty() {
			h.Text = l.line(f.Text, Facts{})
			h.Text.Local = true
		}
		out = append(out, h)
	}
	return out
}

// The parts of a routine as headings, in the order they are shown.
var sections = []string{"stop", "acute", "when", "notes", "now", "steps", "do-not", "call", "write", "child", "parents", "law", "role", "here", "blocks", "also", "standing"}

var labels = []string{"check", "only-nb", "only-nn", "only-en", "instead", "local", "was", "valid-until", "version", "owner", "sources", "deadline", "national-editor", "leader", "duty", "traps", "say", "last-workday"}

// Aspect is one of the four ways to look at a routine.
type Aspect string

const (
	ToCall  Aspect = "call"
	ToWrite Aspect = "write"
	ToChild Aspect = "child"
	TheLaw  Aspect = "law"
)

// Aspects gives the four in their order.
var Aspects = []Aspect{ToCall, ToWrite, ToChild, TheLaw}

// aspectBlocks are the blocks that belong to a way to look at it.
var aspectBlocks = map[Aspect][]string{
	ToCall:  {"blk-call", "blk-home", "blk-leader"},
	ToWrite: {"blk-note", "blk-report", "blk-store"},
	ToChild: {"blk-listen", "blk-child-say", "blk-agree", "blk-sp"},
}

// AspectBlocks gives the blocks that belong to a way to look at a routine.
func AspectBlocks(a Aspect) []string { return slices.Clone(aspectBlocks[a]) }

// Aspect gives one of the four views as plain sections, with the stop rule first
// where it applies.
func (c *Catalogue) Aspect(id string, a Aspect, x Context) ([]Section, bool) {
	v, ok := c.View(id, x)
	if !ok {
		return nil, false
	}
	l := c.For(x.Tenant).reader(x)
	out := l.sections(v, "stop", string(a))
	if a == TheLaw {
		out = append(out, l.sections(v, "role")...)
	}
	for _, id := range aspectBlocks[a] {
		if b := l.c.blocks[id]; b != nil {
			bv := l.block(b)
			out = append(out, Section{ID: bv.ID, Title: bv.Title, Lines: slices.Concat(bv.Lines, bv.Say)})
		}
	}
	return out, true
}

// Sections gives a whole routine as plain sections; empty ones are left out.
func (c *Catalogue) Sections(v View, x Context) []Section {
	return c.For(x.Tenant).reader(x).sections(v, sections...)
}

func (l reader) sections(v View, ids ...string) []Section {
	var out []Section
	for _, id := range ids {
		s := Section{ID: id, Title: l.line(named(l.c.words.Sections, id).Title, Facts{}), Lines: l.section(v, id)}
		if len(s.Lines) > 0 {
			out = append(out, s)
		}
	}
	return out
}

func (l reader) section(v View, id string) []Line {
	switch id {
	case "stop":
		return v.Stop
	case "acute":
		if v.Hurry.Text != "" {
			return []Line{v.Hurry}
		}
	case "when":
		return v.When
	case "notes":
		return v.Notes
	case "now":
		return l.stepLines(v.Now)
	case "steps":
		return l.stepLines(v.Steps)
	case "do-not":
		return v.DoNot
	case "call":
		var out []Line
		for _, k := range v.Calls {
			out = append(out, l.callLine(k))
		}
		return out
	case "write":
		return v.Write
	case "child":
		return v.Child
	case "parents":
		return v.Parents
	case "law":
		var out []Line
		for _, r := range v.Law {
			n := r.Text
			n.Check = r.Check
			out = append(out, n)
		}
		return out
	case "role":
		if v.Role != nil {
			lead := v.Role.Line
			lead.Text = l.label("leader") + ": " + lead.Text
			duty := v.Role.Duty
			duty.Text = l.label("duty") + ": " + duty.Text
			out := slices.Concat([]Line{lead, duty}, v.Role.Steps)
			for _, t := range v.Role.Traps {
				t.Text = l.label("traps") + ": " + t.Text
				out = append(out, t)
			}
			return out
		}
	case "here":
		var out []Line
		for _, h := range v.Here {
			n := h.Text
			if n.Text == "" {
				n.Text = h.Web
			}
			n.Text = h.Label.Text + ": " + n.Text
			n.Local = true
			out = append(out, n)
		}
		return out
	case "blocks":
		var out []Line
		for _, b := range v.Blocks {
			out = append(out, b.Title)
		}
		return out
	case "also":
		var out []Line
		for _, k := range v.Also {
			out = append(out, k.Title)
		}
		return out
	case "standing":
		return []Line{
			{Text: l.label("owner") + ": " + v.Owner},
			{Text: l.label("version") + ": " + v.Version},
			{Text: l.label("valid-until") + ": " + v.ValidUntil, Check: v.Check},
		}
	}
	return nil
}

func (l reader) label(id string) string { return l.c.words.Labels[id].In(l.x.Locale).Text }

func (l reader) stepLines(steps []StepView) []Line {
	var out []Line
	for _, s := range steps {
		n := s.Text
		var who []string
		for _, w := range s.Who {
			who = append(who, w.Text)
		}
		n.Text = strings.Join(who, " / ") + ", " + s.When.Text + ": " + n.Text
		out = append(out, n)
	}
	return out
}

func (l reader) callLine(k Call) Line {
	n := k.Name
	if k.Instead {
		n.Text += " (" + k.Contact.Label(l.x.Locale) + " " + l.label("instead") + ")"
	}
	switch {
	case k.Number != "":
		n.Text += ": " + k.Number
	case k.Contact.Web != "":
		n.Text += ": " + k.Contact.Host()
	case k.How.Text != "":
		n.Text += ": " + k.How.Text
	}
	return n
}
