package flows

import (
	"hash/fnv"
	"strconv"
	"time"
)

// Desk is where professionals look things up. Its pages are made from data and
// are no states of a flow: a state with `desk: true` shows them. A Desk is pure:
// the same page for the same session and circumstances.
type Desk interface {
	// Page gives a page as it reads for a session; false when none has this
	// name, which is hostile input. "" is the first page.
	Page(name string, s Session, env Env) (Page, bool)
	// Found names the page that answers typed words. There always is one.
	Found(u Understanding) string
	// Pages names the pages that a screen can carry in its own name while the
	// store is away; the first page answers for the others.
	Pages() []string
}

// Page is a page of the desk.
type Page struct {
	Say   []string // message IDs, ahead of the lines
	Lines []Line
	Rows  [][]Leaf
}

// Line is a text that is no message of the locales: what a page says.
type Line struct{ Text, Locale string }

// Leaf is a choice on a page.
type Leaf struct {
	To    string // the page it leads to
	Role  string // the role it chooses; NoRole takes it back; "" = none
	Label string // message ID
	Text  string // the label itself, where it is a name and not a message
	// Instead puts the page in place of this one: the way back does not lead here.
	Instead bool
}

// NoRole is the choice of no role.
const NoRole = "none"

// found is the page an edge looks at when words were typed.
const found = "found"

// UseDesk gives the library the desk that its `desk: true` states show. It is
// called before the library is used by anybody.
func (l *Library) UseDesk(d Desk) {
	l.desk = d
	if l.codes != nil {
		l.number()
	}
}

// Pages gives the desk's pages that have a name of their own; none without one.
func (l *Library) Pages() []string {
	if l.desk == nil {
		return nil
	}
	return l.desk.Pages()
}

// event names a choice by what it does, so that it means the same after a
// restart and on every replica.
func (f Leaf) event() string {
	h := fnv.New32a()
	h.Write([]byte(f.To + "\x00" + f.Role))
	return deskPick + strconv.FormatUint(uint64(h.Sum32()), 36)
}

// page gives the page that lies on the desk; the first one where it is gone.
func (l *Library) page(s Session, env Env) Page {
	if l.desk == nil {
		return Page{}
	}
	p, ok := l.desk.Page(s.Page, s, env)
	if !ok {
		p, _ = l.desk.Page("", s, env)
	}
	return p
}

// pick follows a choice on the page that lies on the desk.
func (l *Library) pick(s Session, in Input) (Session, bool) {
	for _, row := range l.page(s, in.Env).Rows {
		for _, f := range row {
			if f.event() != in.Event {
				continue
			}
			if f.Role != "" {
				s.Role = given(f.Role)
			}
			to := Place{s.Flow, s.State, f.To}
			if n := len(s.Path); f.Instead && (n == 0 || s.Path[n-1].Place != to) {
				s.Place = to
				return s, true
			}
			return l.walk(s, to), true
		}
	}
	return s, false
}

// lay puts a page on the desk of the state an edge leads to.
func (l *Library) lay(to Target, a Action, u Understanding) Target {
	if a.Name != "look" || l.desk == nil {
		return to
	}
	if to.Page = a.Arg; a.Arg == found {
		to.Page = l.desk.Found(u)
	}
	return to
}

// buttons are the choices of a page.
func (p Page) buttons() [][]Button {
	var rows [][]Button
	for _, row := range p.Rows {
		var bs []Button
		for _, f := range row {
			bs = append(bs, Button{Event: f.event(), Label: f.Label, Text: f.Text})
		}
		rows = append(rows, bs)
	}
	return rows
}

// at gives the circumstances at a time.
func (e Env) at(t time.Time) Env {
	if e.Now.IsZero() {
		e.Now = t
	}
	return e
}
