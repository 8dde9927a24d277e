package routines

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

// visit is one request: who reads, and where. Everything in an address or a form
// is hostile until it was found in a closed list; what is not found is left out.
type visit struct {
	site *Site
	w    http.ResponseWriter
	r    *http.Request

	c    *Content
	cat  *routine.Catalogue // as the municipality has it
	now  time.Time
	form url.Values // of a POST

	Locale string
	Role   *routine.Role // nil = none chosen
	Town   *data.Municipality
	Area   string // of the town

	said bool // the language stands in the address
	path string
	more []pair // what else the address of this page carries
}

// pair is a parameter of an address.
type pair struct{ Name, Value string }

func (s *Site) visit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{site: s, w: w, r: r, c: s.Content(), now: s.Now(), Locale: accepted(r), path: Prefix}
	q := r.URL.Query()
	if slices.Contains(routine.Locales, q.Get("s")) {
		v.Locale, v.said = q.Get("s"), true
	}
	v.cat = v.c.Catalogue
	number, area, _ := strings.Cut(q.Get("k"), "-")
	if m, ok := v.c.Data.Municipality(number); ok {
		v.Town = &m
		if _, ok := m.Areas[area]; ok {
			v.Area = area
		}
		v.cat = v.cat.For(m.Number)
	}
	v.Role, _ = v.cat.Role("role-" + q.Get("r"))
	return v
}

// context is for whom texts are shown.
func (v *visit) context() routine.Context {
	x := routine.Context{Locale: v.Locale, Area: v.Area}
	if v.Role != nil {
		x.Role = v.Role.ID
	}
	if v.Town != nil {
		x.Tenant = v.Town.Number
	}
	return x
}

// read reads the form of a POST. False: it was refused.
func (v *visit) read() bool {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxBody)
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		v.refuse(http.StatusUnsupportedMediaType)
		return false
	}
	if err := v.r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if _, large := err.(*http.MaxBytesError); large {
			status = http.StatusRequestEntityTooLarge
		}
		v.refuse(status)
		return false
	}
	v.form = v.r.PostForm
	return true
}

// accepted is the language of a browser that is ours; bokmål for all others.
func accepted(r *http.Request) string {
	header := r.Header.Get("Accept-Language")
	header = header[:min(len(header), 1000)]
	best, weight := "nb", 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, rest, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		q := 1.0
		if s, ok := strings.CutPrefix(strings.ReplaceAll(rest, " ", ""), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(s, 64); err != nil || q > 1 {
				continue
			}
		}
		if base == "no" {
			base = "nb"
		}
		if q > weight && slices.Contains(routine.Locales, base) {
			best, weight = base, q
		}
	}
	return best
}

// T gives a text of the page's own.
func (v *visit) T(id string) string {
	if t, ok := v.c.Texts.Text(v.Locale, id, ""); ok {
		return t
	}
	t, _ := v.c.Texts.Text("nb", id, "")
	return t
}

// Label gives a fixed word of the routines.
func (v *visit) Label(id string) string { return v.cat.Label(id, v.Locale).Text }

// Heading gives the heading of a part of a routine.
func (v *visit) Heading(id string) string { return v.cat.Heading(id, v.Locale).Text }

// Line gives a text of the catalogue.
func (v *visit) Line(t routine.Text) routine.Line {
	return v.cat.Render(v.context(), routine.Facts{}, t)[0]
}

// K is the municipality as it stands in an address: "0301" or "0301-03".
func (v *visit) K() string {
	if v.Town == nil {
		return ""
	}
	if v.Area != "" {
		return v.Town.Number + "-" + v.Area
	}
	return v.Town.Number
}

// R is the role as it stands in an address.
func (v *visit) R() string {
	if v.Role == nil {
		return ""
	}
	return strings.TrimPrefix(v.Role.ID, "role-")
}

// S is the language as it stands in an address; "" = the browser's.
func (v *visit) S() string {
	if v.said {
		return v.Locale
	}
	return ""
}

// Carried is what every address carries along.
func (v *visit) Carried() []pair {
	var out []pair
	for _, p := range []pair{{"k", v.K()}, {"r", v.R()}, {"s", v.S()}} {
		if p.Value != "" {
			out = append(out, p)
		}
	}
	return out
}

// Link gives the address of a page with what is carried along, and more
// parameters by name and value; empty ones are left out.
func (v *visit) Link(to string, more ...string) string {
	to, fragment, _ := strings.Cut(to, "#")
	q := url.Values{}
	for _, p := range v.Carried() {
		q.Set(p.Name, p.Value)
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Del(more[i])
		if more[i+1] != "" {
			q.Set(more[i], more[i+1])
		}
	}
	u := url.URL{Path: Prefix + to, RawQuery: q.Encode(), Fragment: fragment}
	return u.String()
}

// Here gives the address of this page with parameters changed.
func (v *visit) Here(more ...string) string {
	var own []string
	for _, p := range v.more {
		own = append(own, p.Name, p.Value)
	}
	return v.Link(strings.TrimPrefix(v.path, Prefix), append(own, more...)...)
}

// Stable is the address to share: the routine, and the municipality it is for.
func (v *visit) Stable() string {
	u := url.URL{Path: v.path}
	if k := v.K(); k != "" {
		u.RawQuery = url.Values{"k": {k}}.Encode()
	}
	return u.String()
}

// Path, More and Child are for the forms of the page.
func (v *visit) Path() string  { return v.path }
func (v *visit) More() []pair  { return v.more }
func (v *visit) Child() string { return v.site.Child }

// Towns gives the municipalities to choose from.
func (v *visit) Towns() []data.Municipality {
	return v.c.Data.Municipalities
}

// Areas gives the parts of a municipality in their order.
func (v *visit) Areas(m data.Municipality) []named {
	var out []named
	for id, a := range m.Areas {
		out = append(out, named{m.Number + "-" + id, a.Name})
	}
	slices.SortFunc(out, func(a, b named) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// named is a choice with its name.
type named struct{ ID, Name string }

// Place is where the numbers are from, in words.
func (v *visit) Place() string {
	switch {
	case v.Town == nil:
		return ""
	case v.Area != "":
		return v.Town.Areas[v.Area].Name + ", " + v.Town.Name
	}
	return v.Town.Name
}

// Roles gives the roles to choose from; Chosen tells which one is.
func (v *visit) Roles() []choice {
	var out []choice
	for _, r := range v.cat.Roles() {
		id := strings.TrimPrefix(r.ID, "role-")
		on := v.Role != nil && v.Role.ID == r.ID
		to := id
		if on {
			to = ""
		}
		out = append(out, choice{ID: id, Line: v.Line(r.Name), On: on, To: v.Here("r", to)})
	}
	return out
}

// choice is a chip: pressed, it is taken back.
type choice struct {
	ID   string
	Line routine.Line
	On   bool
	To   string
}

// Languages gives the languages to choose from.
func (v *visit) Languages() []choice {
	var out []choice
	for _, l := range []named{{"nb", "Bokmål"}, {"nn", "Nynorsk"}, {"en", "English"}} {
		out = append(out, choice{ID: l.ID, Line: routine.Line{Text: l.Name}, On: l.ID == v.Locale, To: v.Here("s", l.ID)})
	}
	return out
}

// Call gives a resource with the numbers of this place.
func (v *visit) Call(id string) *call {
	k, ok := v.cat.Call(id, v.context())
	if !ok {
		return nil
	}
	c := v.call(k)
	return &c
}

// send writes a page: into memory first, since a template that fails must leave
// no half page.
func (v *visit) send(status int, name string, p page) {
	p.visit = v
	var out bytes.Buffer
	if err := pages[name].ExecuteTemplate(&out, "page", p); err != nil {
		panic(err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Locale)
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	h.Set("Vary", "Accept-Language")
	v.w.WriteHeader(status)
	v.w.Write(out.Bytes())
}

// page is what a template sees: the visit, and what is its own in Body.
type page struct {
	*visit
	Title string
	Lang  string // of the title, where it is another
	Body  any
}

// problem sends a page with one line, the question box and whom to call.
func (v *visit) problem(status int, id string) {
	v.path, v.more = Prefix, nil
	v.send(status, "problem", page{Title: v.T(id), Body: []*call{v.Call("res-112"), v.Call("res-bvv"), v.Call("res-02800")}})
}

// move leads to another page of ours.
func (v *visit) move(to string) {
	u := url.URL{Path: to}
	q := url.Values{}
	for _, p := range v.Carried() {
		q.Set(p.Name, p.Value)
	}
	u.RawQuery = q.Encode()
	v.w.Header().Set("Location", u.String())
	v.w.Header().Set("Content-Length", "0")
	v.w.WriteHeader(http.StatusSeeOther)
}

// ours are the addresses a form may lead back to.
var ours = regexp.MustCompile(`^` + Prefix + `(tre|frister|lov|ord|hvem|mote|tekst|egne|rutine/[a-z0-9-]{1,64})?$`)

// place answers a typed municipality: back to the page with its numbers. The
// name is looked up and not kept.
func (v *visit) place() {
	if !v.read() {
		return
	}
	to := v.form.Get("til")
	if !ours.MatchString(to) || path.Clean(to) != strings.TrimSuffix(to, "/") {
		to = Prefix
	}
	v.path = to
	name := v.form.Get("navn")
	p, ok := v.c.Data.Find(name[:min(len(name), 200)])
	if !ok {
		v.send(http.StatusOK, "place", page{Title: v.T("pages.place.unknown")})
		return
	}
	m, _ := v.c.Data.Municipality(p.Number)
	v.Town, v.Area = &m, p.Area
	v.move(to)
}
