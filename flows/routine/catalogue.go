package routine

import "slices"

// Routines gives all routines in the order of the themes.
func (c *Catalogue) Routines() []*Routine { return c.routines }

// Routine gives one by id.
func (c *Catalogue) Routine(id string) (*Routine, bool) {
	r, ok := c.byID[id]
	return r, ok
}

// ByTheme gives the routines of a theme.
func (c *Catalogue) ByTheme(theme string) []*Routine {
	return pick(c.routines, func(r *Routine) bool { return r.Theme == theme })
}

// ByRole gives the routines that are for a role first of all; those for
// everybody are among them.
func (c *Catalogue) ByRole(role string) []*Routine {
	return pick(c.routines, func(r *Routine) bool { return r.Uses(role) })
}

func pick(rs []*Routine, ok func(*Routine) bool) []*Routine {
	return slices.DeleteFunc(slices.Clone(rs), func(r *Routine) bool { return !ok(r) })
}

// Laws gives the subjects of the law; Law one of them.
func (c *Catalogue) Laws() []Law { return c.laws }

func (c *Catalogue) Law(id string) (*Law, bool) {
	l, ok := c.law[id]
	return l, ok
}

// Act gives an act by its key in references.
func (c *Catalogue) Act(id string) (*Act, bool) {
	a, ok := c.acts[id]
	return a, ok
}

// Deadlines gives the time limits; Deadline one of them.
func (c *Catalogue) Deadlines() []Deadline { return c.deadlines }

func (c *Catalogue) Deadline(id string) (*Deadline, bool) {
	d, ok := c.limits[id]
	return d, ok
}

// Resources gives whom to call and what to read; Resource one of them.
func (c *Catalogue) Resources() []Resource { return c.resources }

func (c *Catalogue) Resource(id string) (*Resource, bool) {
	r, ok := c.res[id]
	return r, ok
}

// Terms gives the words of the field; Term one of them.
func (c *Catalogue) Terms() []Term { return c.terms }

func (c *Catalogue) Term(id string) (*Term, bool) {
	t, ok := c.term[id]
	return t, ok
}

// Roles gives the roles; Role one of them.
func (c *Catalogue) Roles() []Role { return c.roleList }

func (c *Catalogue) Role(id string) (*Role, bool) {
	r, ok := c.roles[id]
	return r, ok
}

// Blocks gives the pieces of text to use; Block one of them.
func (c *Catalogue) Blocks() []Block { return c.blockList }

func (c *Catalogue) Block(id string) (*Block, bool) {
	b, ok := c.blocks[id]
	return b, ok
}

// Tree gives the decision tree.
func (c *Catalogue) Tree() *Tree { return &c.tree }

// Call gives a resource with the numbers of a place; false when there is none.
func (c *Catalogue) Call(id string, x Context) (Call, bool) {
	r := c.res[id]
	if r == nil {
		return Call{}, false
	}
	return c.For(x.Tenant).reader(x).call(r), true
}

// Render puts texts into the language and the numbers of a context: a subject of
// the law, a block, an end of the tree.
func (c *Catalogue) Render(x Context, f Facts, ts ...Text) []Line {
	return c.For(x.Tenant).reader(x).lines(ts, f)
}
