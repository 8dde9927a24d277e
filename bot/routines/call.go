package routines

import (
	"html/template"
	"regexp"
	"strings"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

// call is somebody to call as a page shows it.
type call struct {
	routine.Call
	Main number
	Rest []number
}

// number is a way to reach somebody: a number to press, whether somebody answers
// now, a page.
type number struct {
	Name   string // who answers
	Number string
	Dial   template.URL // tel:, checked; html/template would refuse it
	Open   string       // a text id; "" = nothing is known
	Web    string
	Host   string
	Check  bool // a number of the municipality that nobody has confirmed
}

var dialable = regexp.MustCompile(`^\+?[0-9]{2,15}$`)

func (v *visit) call(k routine.Call) call {
	out := call{Call: k, Main: v.number(k.Contact)}
	for _, c := range k.More {
		out.Rest = append(out.Rest, v.number(c))
	}
	return out
}

func (v *visit) number(c data.Contact) number {
	n := number{Name: c.Label(v.Locale), Number: c.Phone, Check: c.Local && c.Mark != "S"}
	if dial := data.Dial(c.Phone); dialable.MatchString(dial) {
		n.Dial = template.URL("tel:" + dial)
		switch state := c.Open(data.Phone, v.now); {
		case c.Always(data.Phone):
			n.Open = "pages.always"
		case state == data.OpenNow:
			n.Open = "pages.open"
		case state == data.Closed:
			n.Open = "pages.closed"
		case len(c.Hours) > 0:
			n.Open = "pages.hours"
		}
	}
	if strings.HasPrefix(c.Web, "https://") {
		n.Web, n.Host = c.Web, c.Host()
	}
	return n
}

// calls gives all of a list.
func (v *visit) calls(ks []routine.Call) []call {
	var out []call
	for _, k := range ks {
		out = append(out, v.call(k))
	}
	return out
}
