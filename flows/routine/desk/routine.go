package desk

import (
	"slices"
	"strings"

	"trygg/flows"
	"trygg/flows/content/data"
	"trygg/flows/routine"
)

// parts are the pages of a routine behind its first one, in the order they are
// offered.
var parts = []string{"steps", "do-not", "call", "write", "child", "parents", "law", "role", "here", "blocks", "when", "standing"}

// routine is r.<id>[_<chips>][.<part>].
func (v *view) routine(rest string) bool {
	base, part, _ := strings.Cut(rest, ".")
	id, chips, _ := strings.Cut(base, "_")
	if _, ok := v.c.Routine(long(id)); !ok || !v.hold(chips) {
		return false
	}
	return v.read(long(id), page(routinePage, base), part)
}

// outcome is o.<answers>[_<chips>][.<part>]: where the tree led, with what the
// answers settled.
func (v *view) outcome(rest string) bool {
	base, part, _ := strings.Cut(rest, ".")
	answers, chips, _ := strings.Cut(base, "_")
	_, _, out, ok := v.walk(answers)
	if !ok || out == nil || out.Routine == "" {
		return false
	}
	return v.settle(out) && v.hold(chips) && v.read(out.Routine, page(outcomePage, base), part, out.Also...)
}

// shown is n.<answers>[_<chips>][.<part>]: "show the routine now".
func (v *view) shown(rest string) bool {
	base, part, _ := strings.Cut(rest, ".")
	answers, chips, _ := strings.Cut(base, "_")
	p, _, out, ok := v.walk(answers)
	if !ok || out != nil {
		return false
	}
	o := v.c.Tree().ShowNow(p)
	return v.settle(&o) && v.hold(chips) && v.read(o.Routine, page(nowPage, base), part, o.Also...)
}

// settle takes over what a path of the tree has settled.
func (v *view) settle(o *routine.Outcome) bool {
	x := o.Context()
	v.x.Age, v.x.Kind, v.x.Flags, v.x.Stop = x.Age, x.Kind, x.Flags, x.Stop
	return true
}

// hold puts chips on, a letter each.
func (v *view) hold(chips string) bool {
	flags := v.c.Tree().Flags
	last := rune(0)
	for _, c := range chips {
		i := int(c - 'a')
		if i < 0 || i >= len(flags) || flags[i].Hidden || c <= last {
			return false
		}
		last = c
		v.x.Flags = append(v.x.Flags, flags[i].ID)
	}
	return true
}

// read shows a routine, or a part of it. The stop rule stands first on every
// page that tells what to do (inv-2).
func (v *view) read(id, base, part string, also ...string) bool {
	if v.there {
		return part == "" || slices.Contains(parts, part)
	}
	r, ok := v.c.View(id, v.x)
	if !ok || part != "" && !slices.Contains(parts, part) {
		return false
	}
	sections := map[string]routine.Section{}
	for _, s := range v.c.Sections(r, v.x) {
		sections[s.ID] = s
	}
	if part != "" {
		return v.part(r, sections, base, part)
	}
	v.add(r.Title.Text)
	v.section(sections["stop"])
	v.section(sections["acute"])
	v.section(sections["notes"])
	v.steps(v.heading("now"), r.Now)
	v.add(v.text(routine.Line{Text: v.label("owner") + ": " + r.Owner + ". " + v.label("valid-until") + " " + r.ValidUntil, Check: r.Check, Local: r.Local}))
	var leaves []flows.Leaf
	for _, p := range parts {
		if p == "blocks" && len(r.Blocks) > 0 || len(sections[p].Lines) > 0 {
			leaves = append(leaves, to(base+"."+p, "work.part."+strings.ReplaceAll(p, "-", "_")))
		}
	}
	v.pairs(leaves)
	for _, k := range r.Also {
		v.row(named(page(routinePage, short(k.ID)), k.Title))
	}
	for _, k := range also {
		if !slices.ContainsFunc(r.Also, func(l routine.Link) bool { return l.ID == k }) {
			v.row(named(page(routinePage, short(k)), v.title(k)))
		}
	}
	role := to(page(rolePage, base), "work.role")
	if r.Role != nil {
		role = named(page(rolePage, base), r.Role.Name)
	}
	v.row(role, to(page(chipsPage, base), "work.chips"))
	return true
}

func (v *view) part(r routine.View, sections map[string]routine.Section, base, part string) bool {
	switch part {
	case "blocks":
		v.add(r.Title.Text + "\n" + v.heading("blocks"))
		for _, b := range r.Blocks {
			v.row(named(page(blockPage, b.ID), b.Title))
		}
		return len(r.Blocks) > 0
	case "standing", "when", "here", "do-not":
		v.add(r.Title.Text)
	default:
		v.add(r.Title.Text)
		v.section(sections["stop"])
	}
	if len(sections[part].Lines) == 0 {
		// A chip or a role that is gone took the part with it.
		return v.s.Role == "" && part == "role" || len(v.page.Lines) > 0
	}
	switch part {
	case "steps":
		v.steps(sections[part].Title.Text, r.Steps)
	case "call":
		for _, c := range r.Calls {
			v.call(c)
		}
	default:
		v.section(sections[part])
	}
	if a := routine.Aspect(part); slices.Contains(routine.Aspects, a) {
		for _, id := range routine.AspectBlocks(a) {
			if b, ok := v.c.BlockView(id, v.x); ok {
				v.row(named(page(blockPage, id), b.Title))
			}
		}
	}
	return true
}

// steps adds steps in one bubble, each with its number, who and when.
func (v *view) steps(title string, steps []routine.StepView) {
	if len(steps) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString(title)
	for _, s := range steps {
		var who []string
		for _, w := range s.Who {
			who = append(who, w.Text)
		}
		b.WriteString("\n\n" + strings.TrimSpace(itoa(s.Number)+". "+strings.Join(who, " / ")+", "+s.When.Text+":") + "\n" + v.text(s.Text))
		if s.Limit != nil {
			b.WriteString("\n" + v.label("deadline") + ": " + v.c.Render(v.x, routine.Facts{}, s.Limit.Limit)[0].Text)
		}
		if s.Was.Text != "" {
			b.WriteString("\n" + v.label("was") + ": " + s.Was.Text)
		}
	}
	v.add(b.String())
}

// call adds somebody to call: the number of this place, else who answers
// instead; never nothing (inv-9).
func (v *view) call(c routine.Call) {
	lines := []string{v.text(c.Name)}
	if c.Offers.Text != "" {
		lines = append(lines, v.text(c.Offers))
	}
	reach := func(k data.Contact) {
		name := k.Label(v.x.Locale)
		if c.Instead {
			name += " " + v.label("instead")
		}
		switch {
		case k.Phone != "":
			lines = append(lines, name+": "+k.Phone)
		case k.Web != "":
			lines = append(lines, name+": "+k.Web)
		}
	}
	if c.Contact.ID != "" {
		reach(c.Contact)
	}
	for _, k := range c.More {
		reach(k)
	}
	if c.How.Text != "" {
		lines = append(lines, v.text(c.How))
	}
	v.add(strings.Join(lines, "\n"))
}

// chips offers what may hold besides; each puts itself on or off.
func (v *view) chips(rest string) bool {
	if !v.leads(rest) {
		return false
	}
	base, part, _ := strings.Cut(rest[2:], ".")
	id, on, _ := strings.Cut(base, "_")
	if part != "" {
		return false
	}
	v.say("work.chips.text")
	for i, f := range v.c.Tree().Flags {
		if f.Hidden {
			continue
		}
		letter, mark := string(rune('a'+i)), "☐ "
		with := on + letter
		if strings.Contains(on, letter) {
			mark, with = "☑ ", strings.ReplaceAll(on, letter, "")
		}
		cs := []byte(with)
		slices.Sort(cs)
		next := rest[:2] + id
		if len(cs) > 0 {
			next += "_" + string(cs)
		}
		v.row(flows.Leaf{To: page(chipsPage, next), Text: mark + f.Label.In(v.x.Locale).Text, Instead: true})
	}
	v.row(flows.Leaf{To: rest, Label: "work.now", Instead: true})
	return true
}
