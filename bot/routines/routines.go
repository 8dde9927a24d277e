// Package routines holds the pages professionals read in a browser: find the
// right violence routine, read it, print it, share it; the decision tree, time
// limits, the law, whom to call, words, the meeting guide. A catalogue of
// routines and the index over it go in (Content), pages come out, all of it
// readable without JavaScript and without login.
//
// Nothing about a case is asked for or kept (D10): there is no store, no session,
// no cookie and no log. A question is read once and never shown again, and what
// it led to is never in an address. Municipality, role and language stand in the
// address of every page and nowhere else.
package routines

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/search"
)

// Prefix is where the pages stand below the public address.
const Prefix = "/fag/"

// Texts gives a text in just this language. False: it has none.
type Texts interface {
	Text(locale, id, band string) (string, bool)
}

// Content is everything the pages show. It is swapped as a whole.
type Content struct {
	Catalogue *routine.Catalogue
	Index     *search.Index
	Data      *data.Data
	Texts     Texts // the texts around it, ids UI
}

// Kind is something Count is told of.
type Kind string

const (
	Read     Kind = "read"     // a page was sent
	Asked    Kind = "asked"    // a question found something
	Unsure   Kind = "unsure"   // a question left two or three to choose from
	Nothing  Kind = "nothing"  // a question found nothing
	Danger   Kind = "danger"   // a question told of danger now
	Self     Kind = "self"     // a question was worded by somebody it happens to
	Personal Kind = "personal" // personal data stood in a question
	Refused  Kind = "refused"  // a request that is not ours to answer
	Failed   Kind = "failed"   // a page could not be made
)

// Event is what happened, by topic only (D10). Topic is from a closed list: a
// theme of the routines, "law", "deadlines", "resource", "term", the name of
// another page, or "".
type Event struct {
	Kind  Kind
	Topic string
}

// Options are what a Site needs. Content is required.
type Options struct {
	// Content gives what is shown now; it is asked once a request.
	Content func() *Content
	Hosts   []string // host names requests may be for (F79); empty = any
	Child   string   // path of the chat for children; default "/"

	Now   func() time.Time // default time.Now
	Count func(Event)      // default: nobody counts
}

// Limits on what comes in.
const (
	maxBody  = 32 << 10
	maxQuery = 2 << 10
	maxWords = 4096 // characters of a question; the rest is not read
)

// Site serves the pages. It is an http.Handler for Prefix and all below it.
type Site struct {
	Options
	mux *http.ServeMux
}

// New checks the options and gives a Site. Every text of UI must be there in
// bokmål, nynorsk and English.
func New(o Options) (*Site, error) {
	if o.Content == nil {
		return nil, errors.New("routines: Content is needed")
	}
	c := o.Content()
	if c == nil || c.Catalogue == nil || c.Index == nil || c.Data == nil || c.Texts == nil {
		return nil, errors.New("routines: Content needs Catalogue, Index, Data and Texts")
	}
	if o.Child == "" {
		o.Child = "/"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Count == nil {
		o.Count = func(Event) {}
	}
	var errs []error
	for _, l := range routine.Locales {
		for _, id := range UI {
			if _, ok := c.Texts.Text(l, id, ""); !ok {
				errs = append(errs, fmt.Errorf("routines: text %q is missing in %s", id, l))
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s := &Site{Options: o, mux: http.NewServeMux()}
	for pattern, answer := range map[string]func(*visit){
		"GET " + Prefix + "{$}":         (*visit).start,
		"POST " + Prefix + "finn":       (*visit).find,
		"GET " + Prefix + "finn":        (*visit).start, // the address of an answer, opened again
		"GET " + Prefix + "rutine/{id}": (*visit).routine,
		"GET " + Prefix + "tre":         (*visit).tree,
		"GET " + Prefix + "frister":     (*visit).deadlines,
		"POST " + Prefix + "frister":    (*visit).deadlines,
		"GET " + Prefix + "lov":         (*visit).law,
		"GET " + Prefix + "ord":         (*visit).terms,
		"POST " + Prefix + "ord":        (*visit).terms,
		"GET " + Prefix + "hvem":        (*visit).who,
		"GET " + Prefix + "mote":        (*visit).meeting,
		"GET " + Prefix + "tekst":       (*visit).blocks,
		"GET " + Prefix + "egne":        (*visit).own,
		"POST " + Prefix + "sted":       (*visit).place,
		Prefix:                          (*visit).lost,
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { answer(s.visit(w, r)) })
	}
	return s, nil
}

// ServeHTTP answers one request. It keeps nothing of it.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			s.Count(Event{Kind: Failed})
			s.lastResort(w, r)
		}
	}()
	switch {
	case len(s.Hosts) > 0 && !slices.Contains(s.Hosts, hostname(r.Host)):
		s.visit(w, r).refuse(http.StatusMisdirectedRequest)
	case len(r.URL.RawQuery) > maxQuery:
		r.URL.RawQuery = ""
		s.visit(w, r).refuse(http.StatusRequestURITooLong)
	case r.URL.Path == strings.TrimSuffix(Prefix, "/"):
		s.visit(w, r).move(Prefix)
	case path.Clean(r.URL.Path) != strings.TrimSuffix(r.URL.Path, "/") || !strings.HasPrefix(r.URL.Path, Prefix):
		s.visit(w, r).lost() // the mux would answer with a redirect that repeats the address
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// hostname is the name in a Host header, without its port.
func hostname(host string) string {
	u := url.URL{Host: host}
	return strings.ToLower(u.Hostname())
}

// harden sets what every answer carries. Nothing is kept by a browser or a
// proxy: numbers must be today's, and an answer to a question is nobody else's.
// The one policy fits all pages: style and script stand in the page, known by
// their hash.
func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, noarchive")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-DNS-Prefetch-Control", "off")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "+
		"microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), browsing-topics=()")
	h.Set("Content-Security-Policy", policy)
}

// lost answers addresses and methods we do not have: with the question box and
// whom to call.
func (v *visit) lost() {
	p := strings.TrimPrefix(v.r.URL.Path, Prefix)
	if allowed := map[string]string{
		"": "GET, HEAD", "finn": "GET, HEAD, POST", "tre": "GET, HEAD", "frister": "GET, HEAD, POST", "lov": "GET, HEAD",
		"ord": "GET, HEAD, POST", "hvem": "GET, HEAD", "mote": "GET, HEAD", "tekst": "GET, HEAD", "egne": "GET, HEAD", "sted": "POST",
	}[p]; allowed != "" {
		v.w.Header().Set("Allow", allowed)
		v.refuse(http.StatusMethodNotAllowed)
		return
	}
	v.site.Count(Event{Refused, "missing"})
	v.problem(http.StatusNotFound, "pages.missing")
}

// refuse answers what is not ours to answer.
func (v *visit) refuse(status int) {
	v.site.Count(Event{Refused, "request"})
	v.problem(status, "pages.wrong")
}

// lastResort is sent when a page could not be made: the page with help, and
// should that fail too, the way to the start.
func (s *Site) lastResort(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if recover() != nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `<!DOCTYPE html><html lang="nb"><title>Trygg</title><p><a href="%s">Trygg</a>`, Prefix)
		}
	}()
	s.visit(w, r).problem(http.StatusInternalServerError, "pages.failed")
}
