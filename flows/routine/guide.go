package routine

import "trygg/flows/yamlfile"

// Guide is the guide to a meeting of several services with the child (facts
// Sjumilssteget 6). It plans and says how; it holds no case and no name, and
// nothing is stored.
type Guide struct {
	Title     Text       `yaml:"title"`
	Stop      []Text     `yaml:"stop"`  // read before anybody is called to a meeting
	Parts     []Part     `yaml:"parts"` // in the order they are read
	Templates []Template `yaml:"templates"`
	Facts
	At yamlfile.Place
}

// Part is a part of the guide.
type Part struct {
	ID     string   `yaml:"id"`
	Title  Text     `yaml:"title"`
	Lines  []Text   `yaml:"lines"`
	Blocks []string `yaml:"blocks"`
	Facts
	At yamlfile.Place
}

// Template is a text to copy, with blanks where the municipality's own system
// takes over: no template has a place for a name.
type Template struct {
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	For   string `yaml:"for"`   // child, adults
	Calls bool   `yaml:"calls"` // it calls people together: the stop rule stands above it
	Lines []Text `yaml:"lines"`
	Facts
	At yamlfile.Place
}

// Element is one of the twelve things a routine for children who have met
// violence must have (facts MITT LIV F6).
type Element struct {
	ID     string   `yaml:"id"`
	Title  Text     `yaml:"title"`
	Fields []string `yaml:"fields"` // parts of a routine that meet it when filled in: stop, ...
	Facts
	At yamlfile.Place
}

// GuideView is the guide as it is read in one language.
type GuideView struct {
	Title     Line
	Stop      []Line
	Parts     []Section
	Templates []TemplateView
}

// TemplateView is a template ready to copy. Stop is not empty when it must be
// read first.
type TemplateView struct {
	ID    string
	Title Line
	For   string
	Stop  []Line
	Lines []Line
}

// Guide gives the meeting guide. The stop rule comes first, and again above
// every template that calls people together.
func (c *Catalogue) Guide(x Context) GuideView {
	l := c.reader(x)
	g := c.guide
	v := GuideView{Title: l.line(g.Title, g.Facts), Stop: l.lines(g.Stop, Facts{})}
	for _, p := range g.Parts {
		s := Section{ID: p.ID, Title: l.line(p.Title, Facts{}), Lines: l.lines(p.Lines, p.Facts)}
		for _, id := range p.Blocks {
			b := c.blocks[id]
			s.Lines = append(s.Lines, l.lines(b.Lines, b.Facts)...)
			s.Lines = append(s.Lines, l.lines(b.Say, b.Facts)...)
		}
		v.Parts = append(v.Parts, s)
	}
	for _, t := range g.Templates {
		tv := TemplateView{ID: t.ID, Title: l.line(t.Title, Facts{}), For: t.For, Lines: l.lines(t.Lines, t.Facts)}
		if t.Calls {
			tv.Stop = v.Stop
		}
		v.Templates = append(v.Templates, tv)
	}
	return v
}

// Elements gives the twelve elements.
func (c *Catalogue) Elements() []Element { return c.elements }

// Missing gives the elements that a routine lacks, with the blocks it points to
// counted in.
func (c *Catalogue) Missing(id string) []Element {
	r := c.byID[id]
	if r == nil {
		return nil
	}
	has := map[string]bool{}
	note := func(ids []string) {
		for _, e := range ids {
			has[e] = true
		}
	}
	for _, s := range r.Steps {
		note(s.Covers)
	}
	for _, b := range r.Blocks {
		note(c.blocks[b].Covers)
	}
	var missing []Element
	for _, e := range c.elements {
		for _, f := range e.Fields {
			has[e.ID] = has[e.ID] || r.filled(f)
		}
		if !has[e.ID] {
			missing = append(missing, e)
		}
	}
	return missing
}

// filled tells whether a part of a routine that an element asks for is there.
func (r *Routine) filled(field string) bool {
	switch field {
	case "stop":
		return r.Stop.Applies == Always || r.Stop.Applies == Sometimes
	case "when":
		return len(r.When) > 0
	case "child":
		return len(r.Child) > 0
	case "write":
		return len(r.Write) > 0
	}
	return false
}
