// Package data holds what the program knows of Norway: whom a child can turn to
// and when, the municipalities, and the public holidays. YAML files go in, one
// checked *Data comes out. A phone number, an address or an opening hour stands
// here and nowhere else, with owner, source and date of review (D12, S5). What a
// text says about a contact is left to locales, what is shown when to flows/card.
package data

import (
	"embed"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a minimal image has no time zones of its own
)

//go:embed *.yaml
var files embed.FS

// Files are the data files compiled into the program.
var Files fs.FS = files

// Oslo is the time zone of every opening hour.
var Oslo = mustZone("Europe/Oslo")

func mustZone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // time/tzdata is linked in
	}
	return z
}

// Bands are the age bands a contact may be limited to.
var Bands = []string{"6-9", "10-12", "13-15", "16-18"}

// Routes are the ways to go that the card knows (facts 1.8), a closed list,
// since a button carries one. Home is the way for everything that says no more.
var Routes = []string{Home, Danger, Suicide, "sexual", "online", "bullying", "control", "friend", "hurt", Parent, Abroad}

const (
	Home    = "home"
	Danger  = "danger"
	Suicide = "suicide"
	Parent  = "parent" // an adult who hurts a child (S16)
	Abroad  = "abroad" // danger of being taken abroad, or held there
)

// Locales are the languages a name may be given in.
var Locales = []string{"nb", "nn", "en", "se", "uk", "pl", "ar", "so"}

// Data is everything, checked as a whole. It is immutable; all readers share it.
type Data struct {
	Contacts       []Contact // national, in the order of the file
	Services       []Contact // what municipalities have numbers for; Local is set
	Municipalities []Municipality
	National       Municipality // what holds where no municipality is known

	routes  map[string]Route
	sources map[string]string
	byID    map[string]*Contact
	towns   map[string]*Municipality
	places  places
}

// Contact is somebody to turn to.
type Contact struct {
	ID    string            `yaml:"id"`
	Name  map[string]string `yaml:"name"` // by locale; nb is always there
	Phone string            `yaml:"phone"`
	SMS   string            `yaml:"sms"`
	Web   string            `yaml:"web"`  // https address
	Site  string            `yaml:"site"` // how the address is shown, where it differs from the host
	Chat  string            `yaml:"chat"` // https address of the chat
	Email string            `yaml:"email"`

	Person    bool `yaml:"person"`    // somebody one walks up to
	Emergency bool `yaml:"emergency"` // an overlay may not change its number
	Safety    bool `yaml:"safety"`    // an overlay may correct it, never hide it

	Bands     []string `yaml:"bands"` // none = all
	For       string   `yaml:"for"`   // child, professional
	Show      string   `yaml:"show"`  // card, text, no
	Cost      string   `yaml:"cost"`  // free, paid, unknown
	Anonymous bool     `yaml:"anonymous"`
	Hours     []Hours  `yaml:"hours"`

	Fallback string `yaml:"fallback"` // services: who answers where there is no local number
	Required bool   `yaml:"required"` // services: every municipality must name it

	Owner    string   `yaml:"owner"`
	Source   []string `yaml:"source"`
	Mark     string   `yaml:"mark"` // S, S-old, K, R
	Check    string   `yaml:"check"`
	Reviewed string   `yaml:"reviewed"`

	Local   bool   `yaml:"-"` // a service of a municipality
	Missing string `yaml:"-"` // why a local service has no number of its own
}

// Route is a way to go: whom to show first.
type Route struct {
	Topics []string `yaml:"topics"` // what typed words were about
	Order  []string `yaml:"order"`
}

// Municipality is one tenant.
type Municipality struct {
	Number    string           `yaml:"number"` // four digits as text, "0301"
	Name      string           `yaml:"name"`
	Also      []string         `yaml:"also"`
	County    string           `yaml:"county"`
	Languages []string         `yaml:"languages"`
	Switches  map[string]bool  `yaml:"switches"`
	Contacts  map[string]Local `yaml:"contacts"` // by service
	Areas     map[string]Area  `yaml:"areas"`    // by two-digit key

	Owner    string   `yaml:"owner"`
	Source   []string `yaml:"source"`
	Mark     string   `yaml:"mark"`
	Check    string   `yaml:"check"`
	Reviewed string   `yaml:"reviewed"`
}

// Area is a part of a municipality with numbers of its own, as Oslo's districts.
type Area struct {
	Name     string           `yaml:"name"`
	Also     []string         `yaml:"also"`
	Contacts map[string]Local `yaml:"contacts"`
}

// Local is a service in one municipality or area.
type Local struct {
	Name    map[string]string `yaml:"name"`
	Phone   string            `yaml:"phone"`
	Web     string            `yaml:"web"`
	Hours   []Hours           `yaml:"hours"`
	Missing string            `yaml:"missing"` // instead of a phone

	Owner    string   `yaml:"owner"`
	Source   []string `yaml:"source"`
	Mark     string   `yaml:"mark"`
	Check    string   `yaml:"check"`
	Reviewed string   `yaml:"reviewed"`
}

// Contact gives a contact as it is in a municipality and area: the local
// service where it has a number, else the national entry. "" is national.
func (d *Data) Contact(id, tenant, area string) (Contact, bool) {
	c, ok := d.byID[id]
	if !ok {
		return Contact{}, false
	}
	if !c.Local {
		return *c, true
	}
	m, ok := d.towns[tenant]
	if !ok {
		return *c, true
	}
	if l, ok := m.Areas[area].Contacts[id]; ok && l.Phone != "" {
		return c.at(l), true
	}
	if l, ok := m.Contacts[id]; ok {
		return c.at(l), true
	}
	return *c, true
}

// at gives the service as one municipality has it.
func (c Contact) at(l Local) Contact {
	if l.Phone == "" {
		c.Missing = l.Missing
		return c
	}
	c.Phone, c.Hours = l.Phone, l.Hours
	if l.Web != "" {
		c.Web, c.Site = l.Web, ""
	}
	if len(l.Name) > 0 {
		c.Name = l.Name
	}
	return c
}

// Reachable tells whether there is any way to this contact.
func (c Contact) Reachable() bool {
	return c.Phone != "" || c.Web != "" || c.Chat != "" || c.Person
}

// Fits tells whether it is shown to a band; "" is every band's own default.
func (c Contact) Fits(band string) bool {
	return len(c.Bands) == 0 || slices.Contains(c.Bands, band)
}

// Label gives the name in a language, else in bokmål.
func (c Contact) Label(locale string) string {
	if n := c.Name[locale]; n != "" {
		return n
	}
	return c.Name["nb"]
}

// Host is how the web address is shown.
func (c Contact) Host() string {
	if c.Site != "" {
		return c.Site
	}
	address := c.Web
	if address == "" {
		address = c.Chat
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Host, "www.")
}

// Dial is what a phone dials for a number as it is shown.
func Dial(number string) string {
	return strings.ReplaceAll(number, " ", "")
}

// Route gives whom to show for a way to go, the first first.
func (d *Data) Route(name string) []string {
	if r, ok := d.routes[name]; ok {
		return r.Order
	}
	return d.routes[Home].Order
}

// RouteOf gives the way to go for what typed words were about; "" = none of its own.
func (d *Data) RouteOf(topic string) string {
	for _, name := range Routes {
		if slices.Contains(d.routes[name].Topics, topic) {
			return name
		}
	}
	return ""
}

// Municipality gives one by number.
func (d *Data) Municipality(number string) (Municipality, bool) {
	m, ok := d.towns[number]
	if !ok {
		return Municipality{}, false
	}
	return *m, true
}

// Numbers gives what the placeholders in texts stand for: number_112,
// number_alarmtelefonen, web_alarmtelefonen, ... for all contacts that may be
// shown. A local service gives its fallback's number.
func (d *Data) Numbers() map[string]string { return d.NumbersAt("", "") }

// NumbersAt gives the same for a municipality and area.
func (d *Data) NumbersAt(tenant, area string) map[string]string {
	n := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(d.byID)) {
		c, _ := d.Contact(id, tenant, area)
		if c.Show == "no" {
			continue
		}
		key := strings.ReplaceAll(id, "-", "_")
		phone := c.Phone
		if phone == "" && c.Fallback != "" {
			phone = d.byID[c.Fallback].Phone
		}
		for kind, v := range map[string]string{"number_": phone, "sms_": c.SMS, "email_": c.Email} {
			if v != "" {
				n[kind+key] = v
			}
		}
		if c.Web != "" || c.Chat != "" {
			n["web_"+key] = c.Host()
		}
	}
	n["number_danger"] = n["number_112"]
	return n
}

// Note is something a person must still settle.
type Note struct {
	File, ID string
	Text     string
}

func (n Note) String() string { return n.File + ": " + n.ID + ": " + n.Text }

// Notes lists what is not confirmed: marks other than S, what an entry asks to
// be checked, hours that are not confirmed, numbers a municipality has not given.
func (d *Data) Notes() []Note {
	var notes []Note
	note := func(file, id, mark, check string, hours []Hours) {
		if check != "" {
			notes = append(notes, Note{file, id, "[" + mark + "] " + check})
		} else if mark != "S" && mark != "" {
			notes = append(notes, Note{file, id, "[" + mark + "] no source was read for all of it"})
		}
		for _, h := range hours {
			if h.Check != "" || !h.Confirmed {
				text := "[" + h.Mark + "] hours of " + string(h.Channel)
				if !h.Confirmed {
					text += " are not confirmed"
				}
				if h.Check != "" {
					text += ": " + h.Check
				}
				notes = append(notes, Note{file, id, text})
			}
		}
	}
	for _, c := range d.Contacts {
		note("contacts.yaml", c.ID, c.Mark, c.Check, c.Hours)
	}
	for _, c := range d.Services {
		note("services.yaml", c.ID, c.Mark, c.Check, c.Hours)
	}
	for _, m := range d.Municipalities {
		note("municipalities.yaml", m.Number, m.Mark, m.Check, nil)
		local := func(where string, contacts map[string]Local) {
			for _, id := range slices.Sorted(maps.Keys(contacts)) {
				l := contacts[id]
				if l.Missing != "" {
					notes = append(notes, Note{"municipalities.yaml", where, id + ": " + l.Missing + "; " + d.byID[id].Fallback + " answers instead"})
				}
				note("municipalities.yaml", where+" "+id, l.Mark, l.Check, l.Hours)
			}
		}
		local(m.Number, m.Contacts)
		for _, a := range slices.Sorted(maps.Keys(m.Areas)) {
			local(m.Number+" "+a, m.Areas[a].Contacts)
		}
	}
	return notes
}

// Unreviewed lists the entries nobody has looked at for longer than age: the
// check warns at 90 days and fails a release at 180 (S5). Nothing at run time
// asks, so that age never takes a number away.
func (d *Data) Unreviewed(at time.Time, age time.Duration) []Note {
	var notes []Note
	old := func(file, id, reviewed string) {
		if reviewed == "" {
			return
		}
		day, err := time.ParseInLocation(time.DateOnly, reviewed, Oslo)
		if err == nil && at.Sub(day) > age {
			notes = append(notes, Note{file, id, "last reviewed " + reviewed})
		}
	}
	for _, c := range d.Contacts {
		old("contacts.yaml", c.ID, c.Reviewed)
	}
	for _, c := range d.Services {
		old("services.yaml", c.ID, c.Reviewed)
	}
	for _, m := range d.Municipalities {
		old("municipalities.yaml", m.Number, m.Reviewed)
		for _, id := range slices.Sorted(maps.Keys(m.Contacts)) {
			old("municipalities.yaml", m.Number+" "+id, m.Contacts[id].Reviewed)
		}
		for _, a := range slices.Sorted(maps.Keys(m.Areas)) {
			for _, id := range slices.Sorted(maps.Keys(m.Areas[a].Contacts)) {
				old("municipalities.yaml", m.Number+" "+a+" "+id, m.Areas[a].Contacts[id].Reviewed)
			}
		}
	}
	return notes
}
