package routine

// The parts of a catalogue that a page shows by themselves, outside a routine.

// Heading gives the heading of a part of a routine: stop, now, steps, call, ...
func (c *Catalogue) Heading(part, locale string) Line {
	if n := named(c.words.Sections, part); n != nil {
		return n.Title.In(locale)
	}
	return Line{}
}

// Who names those who act, as a role calls them.
func (c *Catalogue) Who(x Context, ids []string) []Line {
	l := c.For(x.Tenant).reader(x)
	var out []Line
	for _, id := range ids {
		out = append(out, l.line(c.who(id, x.Role), Facts{}))
	}
	return out
}

// Refs gives places in the law as they are shown.
func (c *Catalogue) Refs(x Context, refs []Ref) []LawView {
	return c.For(x.Tenant).reader(x).laws(refs)
}

// BlockView gives a block as it is shown; false when there is none.
func (c *Catalogue) BlockView(id string, x Context) (BlockView, bool) {
	b := c.blocks[id]
	if b == nil {
		return BlockView{}, false
	}
	return c.For(x.Tenant).reader(x).block(b), true
}

// Here gives what a municipality says about itself, for those of its fields that
// are filled in.
func (c *Catalogue) Here(x Context) []HereView {
	return c.For(x.Tenant).reader(x).here(nil)
}
