package data

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Problem is something wrong in a data file, told to its author.
type Problem struct {
	File         string
	Line, Column int
	Text         string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// Problems are all that is wrong, in the order of the files. It is the error
// that Load and Overlay give back.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// The files, in the order their problems are told.
const (
	contactsFile = "contacts.yaml"
	servicesFile = "services.yaml"
	townsFile    = "municipalities.yaml"
)

// Embedded gives the data compiled into the program.
func Embedded() (*Data, error) { return Load(Files) }

// Load reads the data files of a folder and checks them as a whole (D3, F60,
// F61). The error holds all problems at once.
func Load(fsys fs.FS) (*Data, error) { return load(fsys, nil) }

// Overlay lays a folder over another: entries with the same id or number get
// the fields it names, new ones are added. It may correct a number; it can
// remove nothing, and cannot hide a contact that safety rests on (D3).
func Overlay(base, over fs.FS) (*Data, error) { return load(base, over) }

// raw is the files read and merged, before they are checked.
type raw struct {
	sources  map[string]string
	routes   map[string]Route
	contacts []Contact
	services []Contact
	national Municipality
	towns    []Municipality
	at       map[string]*value // where an entry stands, by file and id
	problems Problems
}

func load(base, over fs.FS) (*Data, error) {
	r := &raw{sources: map[string]string{}, routes: map[string]Route{}, at: map[string]*value{}}
	r.read(base, false)
	if over != nil {
		r.read(over, true)
	}
	var d *Data
	if len(r.problems) == 0 {
		d = r.build()
	}
	if len(r.problems) > 0 {
		order := func(file string) int {
			return slices.Index([]string{contactsFile, servicesFile, townsFile}, file)
		}
		slices.SortStableFunc(r.problems, func(a, b Problem) int {
			if a.File != b.File {
				return order(a.File) - order(b.File)
			}
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			if a.Column != b.Column {
				return a.Column - b.Column
			}
			return strings.Compare(a.Text, b.Text)
		})
		return nil, slices.Compact(r.problems)
	}
	return d, nil
}

func (r *raw) read(fsys fs.FS, over bool) {
	for _, file := range []string{contactsFile, servicesFile, townsFile} {
		b, err := fs.ReadFile(fsys, file)
		switch {
		case errors.Is(err, fs.ErrNotExist) && over:
			continue
		case err != nil:
			r.problems = append(r.problems, Problem{File: file, Text: "cannot be read: " + err.Error()})
			continue
		}
		root, problems := parse(file, b)
		r.problems = append(r.problems, problems...)
		if root == nil {
			continue
		}
		switch file {
		case contactsFile:
			for key, v := range r.keys(root, "sources", "routes", "contacts") {
				switch key {
				case "sources":
					r.decode(v, &r.sources)
				case "routes":
					more := map[string]Route{}
					r.decode(v, &more)
					for name := range more {
						r.at["route "+name] = v.get(name)
					}
					maps.Copy(r.routes, more)
				case "contacts":
					r.contacts = r.merge(file, v, r.contacts, over)
				}
			}
		case servicesFile:
			for _, v := range r.keys(root, "services") {
				r.services = r.merge(file, v, r.services, over)
			}
		case townsFile:
			for key, v := range r.keys(root, "national", "municipalities") {
				if key == "national" {
					var m Municipality
					r.decode(v, &m)
					overlay(reflect.ValueOf(&r.national).Elem(), reflect.ValueOf(m))
					r.at["national"] = v
					continue
				}
				for _, item := range v.items() {
					r.town(item)
				}
			}
		}
	}
}

// keys gives the entries of a file's top; others than those known are problems.
func (r *raw) keys(root *value, known ...string) map[string]*value {
	out := map[string]*value{}
	for _, key := range root.keys() {
		if !slices.Contains(known, key) {
			r.tell(root.key(key), "%q is not known here: want %s", key, strings.Join(known, ", "))
			continue
		}
		out[key] = root.get(key)
	}
	return out
}

func (r *raw) tell(v *value, format string, args ...any) {
	p := Problem{Text: fmt.Sprintf(format, args...)}
	if v != nil {
		p.File, p.Line, p.Column = v.file, v.line(), v.column()
	}
	r.problems = append(r.problems, p)
}

func (r *raw) decode(v *value, into any) bool {
	if p := v.decode(into); p != nil {
		r.problems = append(r.problems, *p)
		return false
	}
	return true
}

func (r *raw) merge(file string, v *value, have []Contact, over bool) []Contact {
	for _, item := range v.items() {
		var c Contact
		if !r.decode(item, &c) {
			continue
		}
		if c.ID == "" {
			r.tell(item, "an entry without id")
			continue
		}
		where := file + " " + c.ID
		i := slices.IndexFunc(have, func(h Contact) bool { return h.ID == c.ID })
		if i < 0 {
			r.at[where] = item
			have = append(have, c)
			continue
		}
		if !over || r.at[where].fsys == item.fsys {
			r.tell(item, "%q stands twice, first on line %d: keep one", c.ID, r.at[where].line())
			continue
		}
		was := have[i]
		overlay(reflect.ValueOf(&have[i]).Elem(), reflect.ValueOf(c))
		if (was.Emergency || was.Safety) && (have[i].Show != was.Show || have[i].For != was.For || !slices.Equal(have[i].Bands, was.Bands)) {
			r.tell(item, "%q cannot be hidden: a child may need it, only its number, hours and address can be corrected", c.ID)
		}
		if was.Emergency && have[i].Phone != was.Phone {
			r.tell(item.get("phone"), "%q is an emergency number and stays %s", c.ID, was.Phone)
		}
		r.at[where] = item
	}
	return have
}

func (r *raw) town(item *value) {
	var m Municipality
	if !r.decode(item, &m) {
		return
	}
	if n := item.get("number"); n != nil && !n.quoted() {
		r.tell(n, "put the number in quotes, or it loses its leading zero: \"%s\"", n.node.GetToken().Value)
	}
	if m.Number == "" {
		r.tell(item, "a municipality without number")
		return
	}
	where := townsFile + " " + m.Number
	i := slices.IndexFunc(r.towns, func(h Municipality) bool { return h.Number == m.Number })
	if i < 0 {
		r.towns = append(r.towns, m)
	} else if r.at[where].fsys == item.fsys {
		r.tell(item, "%q stands twice, first on line %d: keep one", m.Number, r.at[where].line())
		return
	} else {
		overlay(reflect.ValueOf(&r.towns[i]).Elem(), reflect.ValueOf(m))
	}
	r.at[where] = item
}

// overlay sets what over names. Maps are merged key by key, and inside them
// again; lists are taken whole. What over leaves out stays.
func overlay(base, over reflect.Value) {
	for i := range base.NumField() {
		if !base.Type().Field(i).IsExported() {
			continue
		}
		b, o := base.Field(i), over.Field(i)
		if o.IsZero() {
			continue
		}
		if o.Kind() != reflect.Map || b.IsNil() {
			b.Set(o)
			continue
		}
		both := reflect.MakeMap(b.Type())
		for _, k := range b.MapKeys() {
			both.SetMapIndex(k, b.MapIndex(k))
		}
		for _, k := range o.MapKeys() {
			v := reflect.New(b.Type().Elem()).Elem()
			if have := b.MapIndex(k); have.IsValid() && v.Kind() == reflect.Struct {
				v.Set(have)
				overlay(v, o.MapIndex(k))
				if l, ok := v.Interface().(Local); ok && l.Phone != "" {
					l.Missing = "" // it has been given
					v.Set(reflect.ValueOf(l))
				}
			} else {
				v.Set(o.MapIndex(k))
			}
			both.SetMapIndex(k, v)
		}
		b.Set(both)
	}
}

// Formats of numbers as people read them.
var phones = []*regexp.Regexp{
	regexp.MustCompile(`^11[0-9]$`),                         // emergency
	regexp.MustCompile(`^116 [0-9]{3}$`),                    // European help lines, emergency doctor
	regexp.MustCompile(`^0[0-9]{4}$`),                       // five-digit
	regexp.MustCompile(`^[489][0-9]{2} [0-9]{2} [0-9]{3}$`), // mobile, 800 and 815
	regexp.MustCompile(`^[2-9][0-9]( [0-9]{2}){3}$`),        // fixed
	regexp.MustCompile(`^\+47( [0-9]{2}){4}$`),              // from abroad
	regexp.MustCompile(`^\+47 [49][0-9]{2} [0-9]{2} [0-9]{3}$`),
}

var (
	idFormat     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	numberFormat = regexp.MustCompile(`^[0-9]{4}$`)
	areaFormat   = regexp.MustCompile(`^[0-9]{2}$`)
	emailFormat  = regexp.MustCompile(`^[A-Za-z0-9._-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$`)
)

func isPhone(s string) bool {
	return slices.ContainsFunc(phones, func(f *regexp.Regexp) bool { return f.MatchString(s) })
}

// isAddress wants https and an ASCII host, so that what is pressed is what stands there.
func isAddress(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !strings.Contains(u.Host, ".") {
		return false
	}
	return strings.IndexFunc(u.Host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}) < 0
}

// build checks what was read and puts it together.
func (r *raw) build() *Data {
	d := &Data{
		Contacts: r.contacts, Services: r.services, Municipalities: r.towns, National: r.national,
		routes: r.routes, sources: r.sources,
		byID: map[string]*Contact{}, towns: map[string]*Municipality{},
	}
	for i := range d.Contacts {
		c := &d.Contacts[i]
		r.contact(c, r.at[contactsFile+" "+c.ID])
		d.byID[c.ID] = c
	}
	for i := range d.Services {
		c := &d.Services[i]
		c.Local = true
		v := r.at[servicesFile+" "+c.ID]
		r.contact(c, v)
		if d.byID[c.ID] != nil {
			r.tell(v, "%q is also an entry of %s: keep one", c.ID, contactsFile)
		}
		d.byID[c.ID] = c
		if f := d.byID[c.Fallback]; f == nil || f.Local || f.Phone == "" || f.Show != "card" {
			r.tell(v, "%q needs a fallback: the id of a national contact with a phone number, shown on the card", c.ID)
		}
	}
	for i := range d.Municipalities {
		m := &d.Municipalities[i]
		r.municipality(d, m, r.at[townsFile+" "+m.Number])
		d.towns[m.Number] = m
	}
	if r.national.Number != "" || r.national.Contacts != nil {
		r.tell(r.at["national"], "national has languages and switches only")
	}
	r.checkRoutes(d)
	if len(r.problems) > 0 {
		return nil
	}
	d.places = makePlaces(d.Municipalities)
	return d
}

func (r *raw) contact(c *Contact, v *value) {
	if c.For == "" {
		c.For = "child"
	}
	field := func(name string) *value {
		if f := v.get(name); f != nil {
			return f
		}
		return v
	}
	if !idFormat.MatchString(c.ID) {
		r.tell(field("id"), "%q: want small letters, digits and single dashes", c.ID)
	}
	r.names(c.Name, field("name"), c.ID)
	if c.Phone != "" && !isPhone(c.Phone) {
		r.tell(field("phone"), `%q is not a number as people read it: want "112", "116 111", "800 33 321", "22 40 00 40" or "+47 23 95 00 00"`, c.Phone)
	}
	if c.SMS != "" && !isPhone(c.SMS) {
		r.tell(field("sms"), "%q is not a number as people read it", c.SMS)
	}
	for name, address := range map[string]string{"web": c.Web, "chat": c.Chat} {
		if address != "" && !isAddress(address) {
			r.tell(field(name), "%q: want an https address without query, such as https://www.116111.no", address)
		}
	}
	if c.Email != "" && !emailFormat.MatchString(c.Email) {
		r.tell(field("email"), "%q is not an e-mail address", c.Email)
	}
	for _, b := range c.Bands {
		if !slices.Contains(Bands, b) {
			r.tell(field("bands"), "%q is not an age band: want %s", b, strings.Join(Bands, ", "))
		}
	}
	r.oneOf(field("show"), "show", c.Show, "card", "text", "no")
	r.oneOf(field("for"), "for", c.For, "child", "professional")
	if c.Cost != "" {
		r.oneOf(field("cost"), "cost", c.Cost, "free", "paid", "unknown")
	}
	if c.Show == "card" && c.For != "child" {
		r.tell(field("show"), "%q is for professionals and cannot be on a child's card: want show: text", c.ID)
	}
	if c.Show == "card" && !c.Reachable() && c.Fallback == "" {
		r.tell(v, "%q is on the card but cannot be reached: give it a phone, web, chat or person: true", c.ID)
	}
	if (c.Emergency || c.Safety) && c.Show == "no" {
		r.tell(field("show"), "%q cannot be hidden: a child may need it", c.ID)
	}
	r.hours(c.Hours, c.Emergency, v)
	r.standing(v, c.ID, c.Owner, c.Mark, c.Reviewed, c.Source)
}

func (r *raw) names(name map[string]string, v *value, id string) {
	if name["nb"] == "" {
		r.tell(v, "%q needs a name in nb", id)
	}
	for locale := range name {
		if !slices.Contains(Locales, locale) {
			r.tell(v, "%q is not a language here: want %s", locale, strings.Join(Locales, ", "))
		}
	}
}

func (r *raw) oneOf(v *value, what, got string, want ...string) {
	if !slices.Contains(want, got) {
		r.tell(v, "%s: want %s, got %q", what, strings.Join(want, ", "), got)
	}
}

// standing checks who stands for an entry (D12).
func (r *raw) standing(v *value, id, owner, mark, reviewed string, sources []string) {
	if owner == "" {
		r.tell(v, "%q needs an owner: who keeps it right", id)
	}
	r.oneOf(or(v.get("mark"), v), "mark", mark, "S", "S-old", "K", "R")
	if !isDate(reviewed) {
		r.tell(or(v.get("reviewed"), v), "%q: reviewed: want a date such as 2026-11-22, got %q", id, reviewed)
	}
	if len(sources) == 0 && mark != "K" {
		r.tell(v, "%q is marked %s and has no source", id, mark)
	}
	r.known(or(v.get("source"), v), sources)
}

func (r *raw) known(v *value, sources []string) {
	for _, s := range sources {
		if r.sources[s] == "" {
			r.tell(v, "source %q is not in the list of sources of %s", s, contactsFile)
		}
	}
}

func (r *raw) hours(hours []Hours, emergency bool, v *value) {
	seen := map[Channel]bool{}
	list := v.get("hours")
	for i := range hours {
		h := &hours[i]
		at := v
		if list != nil && i < len(list.items()) {
			at = list.items()[i]
		}
		r.oneOf(or(at.get("channel"), at), "channel", string(h.Channel), string(Phone), string(Chat), string(SMS), string(Email), string(Web))
		if seen[h.Channel] {
			r.tell(at, "hours of %s stand twice: keep one", h.Channel)
		}
		seen[h.Channel] = true
		r.oneOf(or(at.get("mark"), at), "mark", h.Mark, "S", "S-old", "K", "R")
		if h.Confirmed && h.Mark != "S" && !emergency {
			r.tell(or(at.get("confirmed"), at), "hours marked %s cannot be confirmed: read a source first", h.Mark)
		}
		r.known(or(at.get("source"), at), h.Source)
		for _, fault := range h.compile() {
			r.tell(at, "%s", fault)
		}
	}
}

func (r *raw) municipality(d *Data, m *Municipality, v *value) {
	if !numberFormat.MatchString(m.Number) {
		r.tell(or(v.get("number"), v), "%q: want four digits in quotes", m.Number)
	}
	if m.Name == "" {
		r.tell(v, "%q needs a name", m.Number)
	}
	for _, l := range m.Languages {
		if !slices.Contains(Locales, l) {
			r.tell(or(v.get("languages"), v), "%q is not a language here: want %s", l, strings.Join(Locales, ", "))
		}
	}
	r.standing(v, m.Number, m.Owner, m.Mark, m.Reviewed, m.Source)
	r.locals(d, m.Contacts, v.get("contacts"), v)
	for _, s := range d.Services {
		if _, ok := m.Contacts[s.ID]; s.Required && !ok {
			r.tell(or(v.get("contacts"), v), "%s (%s) says nothing about %s: give its phone, or missing: to be filled in by the municipality", m.Number, m.Name, s.ID)
		}
	}
	for id, a := range m.Areas {
		at := or(v.get("areas").get(id), v)
		if !areaFormat.MatchString(id) {
			r.tell(at, "area %q: want two digits in quotes", id)
		}
		if a.Name == "" {
			r.tell(at, "area %q needs a name", id)
		}
		r.locals(d, a.Contacts, at.get("contacts"), at)
	}
}

func (r *raw) locals(d *Data, contacts map[string]Local, list, v *value) {
	for id, l := range contacts {
		at := or(list.get(id), or(list, v))
		c := d.byID[id]
		if c == nil || !c.Local {
			r.tell(or(list.key(id), at), "%q is not a service of %s", id, servicesFile)
			continue
		}
		switch {
		case l.Phone == "" && l.Missing == "":
			r.tell(at, "%q has no phone: give it, or missing: to be filled in by the municipality", id)
		case l.Phone != "" && l.Missing != "":
			r.tell(at, "%q has a phone and is missing: keep one", id)
		case l.Phone != "" && !isPhone(l.Phone):
			r.tell(or(at.get("phone"), at), "%q is not a number as people read it: want \"77 00 00 00\"", l.Phone)
		}
		if l.Web != "" && !isAddress(l.Web) {
			r.tell(or(at.get("web"), at), "%q: want an https address without query", l.Web)
		}
		if l.Phone != "" {
			r.standing(at, id, l.Owner, l.Mark, l.Reviewed, l.Source)
		}
		if len(l.Name) > 0 {
			r.names(l.Name, or(at.get("name"), at), id)
		}
		r.hours(l.Hours, false, at)
		contacts[id] = l
	}
}

// checkRoutes proves for every way to go and every band that somebody can be
// reached now and that somebody can be reached without a call (facts 1.8).
func (r *raw) checkRoutes(d *Data) {
	for name, route := range r.routes {
		v := r.at["route "+name]
		if !slices.Contains(Routes, name) {
			r.tell(v, "%q is not a way to go: want %s", name, strings.Join(Routes, ", "))
		}
		for _, id := range route.Order {
			if c := d.byID[id]; c == nil || c.Show != "card" {
				r.tell(or(v.get("order"), v), "%q of %s is no contact of the card", id, name)
			}
		}
	}
	for _, name := range Routes {
		if len(r.routes[name].Order) == 0 {
			r.problems = append(r.problems, Problem{File: contactsFile, Text: fmt.Sprintf("routes: %q is missing", name)})
		}
	}
	for _, id := range []string{"112", "113"} {
		if c := d.byID[id]; c == nil || !c.Emergency || c.Phone == "" {
			r.problems = append(r.problems, Problem{File: contactsFile, Text: fmt.Sprintf("%s is missing: want an entry with phone and emergency: true", id)})
		}
	}
	for _, band := range Bands {
		open, quiet := false, false
		for _, c := range d.Contacts {
			if c.Show == "card" && !c.Emergency && c.Fits(band) {
				open = open || c.Phone != "" && c.Always(Phone)
				quiet = quiet || c.Quiet()
			}
		}
		if !open {
			r.problems = append(r.problems, Problem{File: contactsFile, Text: "nobody is open now for " + band + ": want a phone with always: true, confirmed: true"})
		}
		if !quiet {
			r.problems = append(r.problems, Problem{File: contactsFile, Text: "nobody can be reached without a call for " + band + ": want a chat, a web address or person: true"})
		}
	}
}

// Quiet tells whether a contact can be reached without a phone call.
func (c Contact) Quiet() bool { return c.Web != "" || c.Chat != "" || c.Person }

func or(a, b *value) *value {
	if a != nil {
		return a
	}
	return b
}
