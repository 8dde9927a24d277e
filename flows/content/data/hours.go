package data

import (
	"fmt"
	"strings"
	"time"
)

// Channel is a way to reach a contact.
type Channel string

const (
	Phone Channel = "phone"
	Chat  Channel = "chat"
	SMS   Channel = "sms"
	Email Channel = "email"
	Web   Channel = "web"
)

// State is what may be said about a channel at a moment.
type State uint8

const (
	SeePage State = iota // not known for sure: see their page
	OpenNow              // open, by confirmed hours
	Closed               // closed, by confirmed hours
)

func (s State) String() string { return [...]string{"see page", "open now", "closed"}[s] }

// Hours says when a channel of a contact is open.
type Hours struct {
	Channel    Channel           `yaml:"channel"`
	Always     bool              `yaml:"always"`
	Days       map[string]string `yaml:"days"`       // mon-fri: 14:00-22:00
	Holidays   string            `yaml:"holidays"`   // same, closed, unknown or hours; left out = unknown
	Exceptions []Exception       `yaml:"exceptions"` // dates with hours of their own
	Confirmed  bool              `yaml:"confirmed"`  // else nothing is said about them
	Mark       string            `yaml:"mark"`
	Source     []string          `yaml:"source"`
	Check      string            `yaml:"check"`

	week    [7]span
	holiday span
}

// Exception is a stretch of days with hours of their own.
type Exception struct {
	From string `yaml:"from"` // 2026-12-24
	To   string `yaml:"to"`   // the last day; left out = the same
	Open string `yaml:"open"` // closed, unknown or hours
	span span
}

// span is a day's opening, in minutes of the wall clock. An end before the
// start is on the next day. The zero span is closed.
type span struct {
	from, to int
	unknown  bool
}

// Open tells what may be said about a channel now. Hours nobody has confirmed
// give SeePage, and so do days they say nothing about.
func (c Contact) Open(channel Channel, at time.Time) State {
	for i := range c.Hours {
		if h := &c.Hours[i]; h.Channel == channel {
			return h.at(at)
		}
	}
	return SeePage
}

// Always tells whether a channel is open day and night, confirmed.
func (c Contact) Always(channel Channel) bool {
	for _, h := range c.Hours {
		if h.Channel == channel {
			return h.Always && h.Confirmed
		}
	}
	return false
}

func (h *Hours) at(t time.Time) State {
	if !h.Confirmed {
		return SeePage
	}
	if h.Always && len(h.Exceptions) == 0 {
		return OpenNow
	}
	// The wall clock decides, so the hour that summer time takes away or gives
	// twice needs no rule of its own (F24).
	t = t.In(Oslo)
	minute := t.Hour()*60 + t.Minute()
	today, yesterday := h.day(t), h.day(noon(t, -1))
	switch {
	case today.covers(minute), yesterday.overnight() && minute < yesterday.to:
		return OpenNow
	case today.unknown, yesterday.unknown && minute < 8*60:
		// A night that began on a day nobody knows about may still last.
		return SeePage
	}
	return Closed
}

// day gives the opening that starts on t's day.
func (h *Hours) day(t time.Time) span {
	date := t.Format(time.DateOnly)
	for _, e := range h.Exceptions {
		if date >= e.From && date <= max(e.To, e.From) {
			return e.span
		}
	}
	switch {
	case h.Always:
		return span{0, 24 * 60, false}
	case Holiday(t) != "":
		if h.Holidays == "same" {
			break
		}
		return h.holiday
	case eve(t) && h.Holidays != "same":
		return span{unknown: true}
	}
	return h.week[(int(t.Weekday())+6)%7]
}

func (s span) overnight() bool { return s.to < s.from }

func (s span) covers(minute int) bool {
	if s.overnight() {
		return minute >= s.from
	}
	return minute >= s.from && minute < s.to
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// compile turns the words of the file into spans; each sentence it gives back
// is a fault.
func (h *Hours) compile() []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var set [7]bool
	for days, open := range h.Days {
		s, err := parseSpan(open)
		if err != "" {
			fault("%s: %s", days, err)
			continue
		}
		from, to, isRange := strings.Cut(days, "-")
		if !isRange {
			to = from
		}
		a, b := indexOf(weekdays, from), indexOf(weekdays, to)
		if a < 0 || b < 0 || b < a {
			fault("%q is not a day or a stretch of days: want mon, or mon-fri", days)
			continue
		}
		for d := a; d <= b; d++ {
			if set[d] {
				fault("%s has hours twice", weekdays[d])
			}
			set[d], h.week[d] = true, s
		}
	}
	h.holiday = span{unknown: true}
	if h.Holidays != "" && h.Holidays != "same" {
		s, err := parseSpan(h.Holidays)
		if err != "" {
			fault("holidays: %s (or same, unknown)", err)
		}
		h.holiday = s
	}
	for i := range h.Exceptions {
		e := &h.Exceptions[i]
		if !isDate(e.From) || e.To != "" && (!isDate(e.To) || e.To < e.From) {
			fault("exception %q to %q: want dates such as 2026-12-24, the first first", e.From, e.To)
		}
		s, err := parseSpan(e.Open)
		if err != "" {
			fault("exception %s: %s (or unknown)", e.From, err)
		}
		e.span = s
	}
	if h.Confirmed {
		if !h.Always && len(h.Days) == 0 {
			fault("confirmed hours need days, or always: true")
		}
		if h.Always && len(h.Days) > 0 {
			fault("give always: true or days, not both")
		}
	}
	return faults
}

func parseSpan(s string) (span, string) {
	switch s {
	case "closed":
		return span{}, ""
	case "unknown":
		return span{unknown: true}, ""
	}
	from, to, ok := strings.Cut(s, "-")
	a, aok := parseClock(from)
	b, bok := parseClock(to)
	if !ok || !aok || !bok || a == b || a == 24*60 {
		return span{}, fmt.Sprintf("%q are not hours: want 14:00-22:00 or closed", s)
	}
	return span{from: a, to: b}, ""
}

func parseClock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	if h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return h*60 + m, true
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func indexOf(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}
