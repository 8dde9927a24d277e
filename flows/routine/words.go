package routine

import "trygg/flows/yamlfile"

// Words are the small fixed words of routines: who, when, themes, headings.
type Words struct {
	Who      map[string]Text   `yaml:"who"`
	Times    []Time            `yaml:"times"`
	Themes   []Named           `yaml:"themes"`
	Kinds    []Named           `yaml:"kinds"`  // what it is about, set by the tree
	Events   []Named           `yaml:"events"` // what the calculator counts from
	Sections []Named           `yaml:"sections"`
	Labels   map[string]Text   `yaml:"labels"`
	Local    []LocalField      `yaml:"local"`
	Locales  map[string]Review `yaml:"locales"` // who has read the routines in a language
	At       yamlfile.Place
}

// Named is a thing of a closed list with its name.
type Named struct {
	ID    string `yaml:"id"`
	Title Text   `yaml:"title"`
	At    yamlfile.Place
}

// Time says when a step is done.
type Time struct {
	ID    string `yaml:"id"`
	Label Text   `yaml:"label"`
	Now   bool   `yaml:"now"`  // belongs to "do now"
	Rank  int    `yaml:"rank"` // how soon: a municipality cannot put a duty later
	At    yamlfile.Place
}

// Review says who has read all texts of a language. What no native reader and
// no professional has approved is a draft, and is listed before a release (D11).
type Review struct {
	Status string `yaml:"status"` // draft or approved
	By     string `yaml:"reviewed_by"`
	On     string `yaml:"reviewed_on"`
}

// LocalField is something a municipality says about itself (facts 5).
type LocalField struct {
	ID       string   `yaml:"id"`
	Label    Text     `yaml:"label"`
	Web      bool     `yaml:"web"` // an https address instead of a text
	Required bool     `yaml:"required"`
	Blocks   []string `yaml:"blocks"` // shown with routines that use one of these; none = with all
	At       yamlfile.Place
}

// Name gives a word for one who acts; the leader is called what the role calls it.
func (c *Catalogue) who(id, role string) Text {
	if r := c.roles[role]; r != nil && id == leader {
		return r.Leader
	}
	return c.words.Who[id]
}

const leader = "leader"

func (c *Catalogue) time(id string) *Time {
	for i := range c.words.Times {
		if c.words.Times[i].ID == id {
			return &c.words.Times[i]
		}
	}
	return nil
}

func named(list []Named, id string) *Named {
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// Themes gives the themes of the routines in their order.
func (c *Catalogue) Themes() []Named { return c.words.Themes }

// Events gives what the calculator can count from.
func (c *Catalogue) Events() []Named { return c.words.Events }

// Label gives a fixed word: check, only-nb, ...
func (c *Catalogue) Label(id, locale string) Line { return c.words.Labels[id].In(locale) }
