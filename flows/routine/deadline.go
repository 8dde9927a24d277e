package routine

import (
	"slices"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/yamlfile"
)

// Deadline is a time limit of the law or of good practice (facts 2.4).
type Deadline struct {
	ID    string   `yaml:"id"`
	Title Text     `yaml:"title"`
	Limit Text     `yaml:"limit"`
	Who   []string `yaml:"who"`
	Law   []Ref    `yaml:"law"`
	Rules []Rule   `yaml:"rules"` // what the calculator counts; none = nothing to count
	Facts
	At yamlfile.Place
}

// Rule is one date the calculator can count out.
type Rule struct {
	ID     string `yaml:"id"`
	Title  Text   `yaml:"title"`
	From   string `yaml:"from"`  // an event of words.yaml
	After  string `yaml:"after"` // counted from where another rule ends
	Hours  int    `yaml:"hours"`
	Days   int    `yaml:"days"`
	Weeks  int    `yaml:"weeks"`
	Months int    `yaml:"months"`
	Note   Text   `yaml:"note"`
	Facts
	At yamlfile.Place
}

// Due is one counted date.
type Due struct {
	Deadline *Deadline
	Rule     *Rule
	At       time.Time // the last day, or the last moment where hours are counted
	Exact    bool      // hours were counted
	Holiday  string    // data.Holiday of that day
	// Work is the last working day up to At. The facts do not say that a limit
	// of this kind moves when it ends on a Saturday or a holiday, so we never
	// promise that it does.
	Work time.Time
}

// Free tells whether the last day is a Saturday, Sunday or holiday.
func (d Due) Free() bool { return !sameDay(d.Work, d.At) }

// Dates counts out what follows by law from an event on a day (Oslo time), the
// soonest first. It keeps nothing.
func (c *Catalogue) Dates(event string, at time.Time) []Due {
	at = at.In(data.Oslo)
	var dues []Due
	for i := range c.deadlines {
		d := &c.deadlines[i]
		for j := range d.Rules {
			r := &d.Rules[j]
			if r.From != event {
				continue
			}
			due := Due{Deadline: d, Rule: r, Exact: r.Hours > 0}
			due.At = d.count(r, at)
			due.Holiday = data.Holiday(due.At)
			due.Work = lastWorkday(due.At)
			dues = append(dues, due)
		}
	}
	slices.SortStableFunc(dues, func(a, b Due) int { return a.At.Compare(b.At) })
	return dues
}

// count follows a rule from the event, through the rule it comes after.
func (d *Deadline) count(r *Rule, at time.Time) time.Time {
	if r.After != "" {
		at = d.count(d.rule(r.After), at)
	}
	if r.Hours > 0 {
		return at.Add(time.Duration(r.Hours) * time.Hour)
	}
	y, m, day := at.Date()
	if r.Months > 0 {
		// Three months after 30 November is the last day of February, not a day
		// in March.
		last := time.Date(y, m+time.Month(r.Months)+1, 0, 12, 0, 0, 0, data.Oslo)
		y, m, day = last.Year(), last.Month(), min(day, last.Day())
	}
	return time.Date(y, m, day+r.Days+7*r.Weeks, 12, 0, 0, 0, data.Oslo)
}

func (d *Deadline) rule(id string) *Rule {
	for i := range d.Rules {
		if d.Rules[i].ID == id {
			return &d.Rules[i]
		}
	}
	return nil
}

// Workday tells whether a day in Oslo is neither Saturday, Sunday nor a public
// holiday.
func Workday(t time.Time) bool {
	t = t.In(data.Oslo)
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday && data.Holiday(t) == ""
}

func lastWorkday(t time.Time) time.Time {
	for !Workday(t) {
		y, m, d := t.Date()
		t = time.Date(y, m, d-1, 12, 0, 0, 0, data.Oslo)
	}
	return t
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Date()
	by, bm, bd := b.Date()
	return ay == by && am == bm && ad == bd
}
