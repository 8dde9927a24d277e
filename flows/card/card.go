// Package card makes the help card (S1-S8). A request and a time go in, a page
// of texts, contacts and buttons comes out: no store, no session, no network,
// and no request it has no page for. It is compiled in with its data, so it
// answers when everything else is broken (D5). Showing the page is left to the
// channels, reading typed words to flows/crisis.
package card

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"trygg/flows"
	"trygg/flows/content/data"
)

// Locales are the languages of the card, all of them in every program.
var Locales = data.Locales

// Source is the language that has every text, and that stands beside a
// translation no native reader has approved (S68).
const Source = "nb"

// written are the languages the content is written in side by side. The others
// are translations.
var written = []string{"nb", "nn", "en"}

// rtl are the languages written from right to left.
var rtl = []string{"ar"}

// Texts gives a text in just this language, with a band's variant where there
// is one; false: this language has none. locales.Bundle fulfils it.
type Texts interface {
	Text(locale, id, band string) (string, bool)
}

// Approver is a Texts that knows which translations a native reader has
// approved. Without it none is.
type Approver interface {
	Approved(locale string) bool
}

// Card is the help card in all languages, ready to be shown. It is immutable.
type Card struct {
	data    *data.Data
	words   map[string]map[string]words // locale, band
	beside  map[string]bool             // locales that bokmål stands beside
	longest int                         // most More pages
}

// words are the texts of one language and band.
type words struct {
	locale string
	rtl    bool
	text   map[string]string
}

// Page is a page of the card, in the order it is shown: openings, contacts,
// what comes after, buttons.
type Page struct {
	Request  Request // what is shown, after Fit
	Locale   string  // tag of the texts
	Openings []string
	Contacts []Contact // at most three
	After    []string
	Buttons  []Button

	// Emergency are the numbers the openings name, for channels that make them
	// pressable. They are not to be shown again.
	Emergency []Contact

	// Beside is the same page in bokmål, with the same contacts and no buttons,
	// where the language is a translation nobody has approved or lacks a text
	// (S68). Its openings go between this page's openings and contacts.
	Beside *Page
}

// Contact is somebody to turn to.
type Contact struct {
	ID       string // of the data file
	Name     string
	Line     string // what it is, and whether it is open now
	Number   string // as people read it; "" = no phone
	Dial     string // what a phone dials
	Web      string // https address; "" = none
	WebLabel string
}

// Button leads further inside the card.
type Button struct {
	Label   string
	Request Request
}

// ids are the texts the card cannot do without.
var ids = []string{
	"card.robot", "card.danger", "card.danger.suicide",
	"card.opening.none", "card.opening.worry", "card.opening.disclosure", "card.opening.acute",
	"card.opening.suicide", "card.opening.friend", "card.opening.hurt", "card.opening.online", "card.opening.parent",
	"card.adult", "card.trace", "card.trace.typed",
	"card.ask", "card.safe", "card.risk", "card.risk.cannot", "card.hmm",
	"card.more", "card.call.danger", "card.call.helpline", "card.call.notes",
	"card.tell", "card.tell.alone", "card.tell.together", "card.tell.little",
	"card.line.always", "card.line.open", "card.line.closed", "card.line.see", "card.line.find",
	"card.line.chat_open", "card.line.chat_closed", "card.line.chat_see",
	"card.line.free", "card.line.cost", "card.web.chat", "card.web.page",
	"card.button.more", "card.button.call", "card.button.tell",
	"card.button.safe", "card.button.risk", "card.button.hmm",
	"card.static", "card.static.title", "card.static.exit",
}

const contactText = "card.contact."

// IDs lists the texts a card needs, its contacts' descriptions among them. A
// card.yaml that has all of them is complete.
func IDs(d *data.Data) []string {
	all := slices.Clone(ids)
	for _, list := range [][]data.Contact{d.Contacts, d.Services} {
		for _, c := range list {
			if c.Show == "card" || c.ID == "112" || c.ID == "113" {
				all = append(all, contactText+c.ID)
			}
		}
	}
	return all
}

// New compiles the card. It fails when bokmål lacks a text, or when the data
// leave a band with nobody open or nobody to reach without a call: a program
// without a whole card does not start (S64).
func New(texts Texts, d *data.Data) (*Card, error) {
	c := &Card{data: d, words: map[string]map[string]words{}, beside: map[string]bool{}}
	numbers := placeholders(d)
	all := IDs(d)
	var faults []error
	approver, _ := texts.(Approver)
	for _, locale := range Locales {
		c.words[locale] = map[string]words{}
		c.beside[locale] = locale != Source && !slices.Contains(written, locale) && (approver == nil || !approver.Approved(locale))
		for _, band := range append([]string{""}, flows.Bands...) {
			w := words{locale, slices.Contains(rtl, locale), map[string]string{}}
			for _, id := range all {
				text, ok := texts.Text(locale, id, textBand(band))
				text = w.mark(numbers.Replace(text))
				switch {
				case ok && text != "" && !strings.Contains(text, "{{"):
					w.text[id] = text
				case locale != Source:
					c.beside[locale] = true
				case strings.Contains(text, "{{"):
					faults = append(faults, fmt.Errorf("%s: %q: a placeholder is not known: %s", locale, id, text))
				default:
					faults = append(faults, fmt.Errorf("%s: %q is missing", locale, id))
				}
			}
			c.words[locale][band] = w
		}
	}
	faults = append(faults, c.prove()...)
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("help card: %w", err)
	}
	return c, nil
}

func textBand(band string) string {
	if band == "" {
		return flows.DefaultBand
	}
	return band
}

// placeholders fills in what Texts has left open.
func placeholders(d *data.Data) *strings.Replacer {
	var pairs []string
	for name, v := range d.Numbers() {
		pairs = append(pairs, "{{."+name+"}}", v)
	}
	return strings.NewReplacer(pairs...)
}

// number is a phone number inside a text.
var number = regexp.MustCompile(`\+?[0-9][0-9 ]*[0-9]|[0-9]`)

// leftToRight keeps a number readable between Arabic words: without it the
// groups of "116 111" are shown in the other order (S68).
const leftToRight = "\u200e"

func (w words) mark(text string) string {
	if !w.rtl || strings.Contains(text, leftToRight) {
		return text
	}
	return number.ReplaceAllString(text, leftToRight+"$0"+leftToRight)
}

// keep does the same for what is nothing but a number or an address.
func (w words) keep(text string) string {
	if !w.rtl || text == "" {
		return text
	}
	return leftToRight + text + leftToRight
}

// prove walks every way to go, band and municipality: the three contacts hold
// somebody open now and somebody to reach without a call at any hour (facts
// 1.8). The zero time knows only what is open always.
func (c *Card) prove() []error {
	var faults []error
	for _, place := range c.places() {
		for _, band := range flows.Bands {
			for _, route := range data.Routes {
				r := Request{Locale: Source, Band: band, Tenant: place.Number, Area: place.Area, Route: route}
				list := c.ranked(r, route)
				three, rest := pick(list, time.Time{})
				c.longest = max(c.longest, (len(rest)+2)/3)
				open, quiet := false, false
				for _, p := range three {
					open = open || p.Phone != "" && p.Always(data.Phone)
					quiet = quiet || p.Quiet()
				}
				if !open || !quiet {
					faults = append(faults, fmt.Errorf("%s for %s in %q: nobody is open now, or nobody can be reached without a call", route, band, place.Number))
				}
			}
		}
	}
	if c.longest > 9 {
		faults = append(faults, fmt.Errorf("%d pages of more contacts: a button can name nine", c.longest))
	}
	return faults
}

func (c *Card) places() []data.Place {
	places := []data.Place{{}}
	for _, m := range c.data.Municipalities {
		places = append(places, data.Place{Number: m.Number})
		for id := range m.Areas {
			places = append(places, data.Place{Number: m.Number, Area: id})
		}
	}
	return places
}

// Page gives the page for a request. It never fails and is never empty,
// whatever the request holds; the same request and minute give the same page.
func (c *Card) Page(r Request, now time.Time) Page {
	r = c.Fit(r)
	return c.show(r, now, c.beside[r.Locale])
}

// PageBeside gives the page with bokmål beside it whatever its language's
// state: for when the language is only guessed from the phone (S2).
func (c *Card) PageBeside(r Request, now time.Time) Page {
	r = c.Fit(r)
	return c.show(r, now, r.Locale != Source)
}

func (c *Card) show(r Request, now time.Time, beside bool) Page {
	contacts, next := c.choose(r, now)
	if page := r.Part.page(); page > 1 && page > next.last {
		r.Part = morePage(next.last)
	}
	w := c.words[r.Locale][r.Band]
	if beside && len(w.text) == 0 {
		// Nothing is written in this language: the page is in bokmål, and its tag is too.
		w, beside = c.words[Source][r.Band], false
	}
	p := c.page(r, w, contacts, now)
	p.Buttons = c.buttons(r, w, next)
	if beside {
		b := c.page(r, c.words[Source][r.Band], contacts, now)
		p.Beside = &b
	}
	return p
}

// page puts one language together. What the language lacks is left out;
// bokmål stands beside it then.
func (c *Card) page(r Request, w words, contacts []data.Contact, now time.Time) Page {
	p := Page{Request: r, Locale: w.locale}
	before, after := order(r)
	p.Openings = w.all(before)
	p.After = w.all(after)
	p.Contacts = make([]Contact, len(contacts))
	for i := range contacts {
		p.Contacts[i] = w.contact(&contacts[i], now)
	}
	for _, id := range []string{"112", "113"} {
		e, _ := c.data.Contact(id, "", "")
		p.Emergency = append(p.Emergency, w.contact(&e, now))
	}
	return p
}

func (w words) all(ids []string) []string {
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		if s := w.text[id]; s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}

// order says which texts stand before the contacts and which after. The danger
// numbers stand before any contact, so before any chat (never-6).
func order(r Request) (before, after []string) {
	danger := "card.danger"
	if r.Route == data.Suicide {
		danger = "card.danger.suicide"
	}
	switch r.Part {
	case Main:
		// Whoever pressed the button or wrote of danger sees the number first;
		// whoever told something is thanked first.
		before = []string{danger, opening(r), "card.robot"}
		if r.Level == flows.Worry || r.Level == flows.Disclosure {
			before = []string{opening(r), danger, "card.robot"}
		}
		after = []string{"card.adult", "card.trace"}
		if r.Level != flows.None {
			after = []string{"card.adult", "card.trace.typed"}
		}
		if r.Route == data.Parent {
			after = after[1:] // whoever reads is the adult
		}
		if asks(r) {
			after = append(after, "card.ask")
		}
	case Call:
		before = []string{danger, "card.call.danger", "card.call.helpline", "card.call.notes", "card.robot"}
		after = []string{"card.trace"}
	case Tell:
		before = []string{"card.tell", "card.tell.alone", "card.tell.together", "card.tell.little", danger, "card.robot"}
		after = []string{"card.adult"}
	case Safe:
		before = []string{"card.safe", danger, "card.robot"}
		after = []string{"card.adult", "card.trace.typed"}
	case Risk:
		before = []string{"card.risk", "card.risk.cannot", "card.robot"}
		if r.Route == data.Suicide {
			before = []string{danger, "card.opening.suicide", "card.robot"}
		}
		after = []string{"card.adult"}
	case Hmm:
		before = []string{"card.hmm", danger, "card.robot"}
		after = []string{"card.adult", "card.trace.typed"}
	default: // More
		before = []string{"card.more", danger, "card.robot"}
		after = []string{"card.adult", "card.trace"}
	}
	return before, after
}

// opening is the first words of the card: one for each level (S12), and some
// ways to go have words of their own.
func opening(r Request) string {
	switch {
	case r.Level == flows.None:
		return "card.opening.none"
	case r.Route == data.Suicide:
		return "card.opening.suicide"
	case r.Route == data.Parent:
		return "card.opening.parent"
	case r.Level == flows.Acute:
		return "card.opening.acute"
	case r.Route == "friend", r.Route == "hurt", r.Route == "online":
		return "card.opening." + r.Route
	}
	return "card.opening." + r.Level.String()
}

// asks tells whether the one closed question is put: safe right now? (S13)
func asks(r Request) bool {
	return r.Part == Main && r.Route != data.Parent && (r.Level == flows.Disclosure || r.Level == flows.Worry)
}

// next says how far the pages of more contacts go.
type next struct{ page, last int }

// choose gives the contacts of a page.
func (c *Card) choose(r Request, now time.Time) ([]data.Contact, next) {
	route := r.Route
	if route == "" {
		route = data.Home
	}
	if r.Level == flows.Acute || r.Part == Risk {
		switch route {
		case data.Suicide, data.Parent:
		case "control":
			route = data.Abroad
		default:
			route = data.Danger
		}
	}
	three, rest := pick(c.ranked(r, route), now)
	last := (len(rest) + 2) / 3
	page := r.Part.page()
	if page == 0 || last == 0 {
		return three, next{0, last}
	}
	page = min(page, last)
	return rest[(page-1)*3 : min(page*3, len(rest))], next{page, last}
}

// ranked gives all contacts for a request, the best first. Services of the
// municipality come at their place when it has given a number, else last.
func (c *Card) ranked(r Request, route string) []data.Contact {
	list := make([]data.Contact, 0, len(c.data.Contacts)+len(c.data.Services))
	var late []data.Contact
	seen := make(map[string]bool, cap(list))
	add := func(id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		p, ok := c.data.Contact(id, r.Tenant, r.Area)
		switch {
		case !ok || p.Show != "card" || !p.Fits(textBand(r.Band)) || !p.Reachable():
		case p.Emergency, p.Local && p.Phone == "" && !p.Person:
			late = append(late, p)
		default:
			list = append(list, p)
		}
	}
	for _, id := range c.data.Route(route) {
		add(id)
	}
	// Then everybody else, those who are for everything first.
	for _, id := range c.data.Route(data.Home) {
		add(id)
	}
	for i := range c.data.Contacts {
		add(c.data.Contacts[i].ID)
	}
	for i := range c.data.Services {
		add(c.data.Services[i].ID)
	}
	return append(list, late...)
}

// pick takes three contacts off the top, but always with somebody open now and
// somebody to reach without a call (facts 1.8).
func pick(list []data.Contact, now time.Time) (three, rest []data.Contact) {
	open := func(p data.Contact) bool { return p.Phone != "" && p.Open(data.Phone, now) == data.OpenNow }
	three, rest = slices.Clone(list[:min(3, len(list))]), list[len(list[:min(3, len(list))]):]
	swap := func(want, keep func(data.Contact) bool) {
		if slices.ContainsFunc(three, want) {
			return
		}
		i := slices.IndexFunc(rest, want)
		if i < 0 {
			return
		}
		out := len(three) - 1
		if keep(three[out]) && !slices.ContainsFunc(three[:out], keep) && !keep(rest[i]) {
			out--
		}
		in := rest[i]
		rest = slices.Concat([]data.Contact{three[out]}, rest[:i], rest[i+1:])
		three = append(slices.Delete(three, out, out+1), in)
	}
	swap(open, data.Contact.Quiet)
	swap(data.Contact.Quiet, open)
	return three, rest
}

// contact says what a contact is and whether it is open now, only where that
// is confirmed. The zero time is for a page that cannot know when it is read.
func (w words) contact(p *data.Contact, now time.Time) Contact {
	c := Contact{ID: p.ID, Name: p.Label(w.locale), Number: w.keep(p.Phone), Dial: data.Dial(p.Phone)}
	line := make([]string, 0, 5)
	say := func(id string) {
		if s := w.text[id]; s != "" {
			line = append(line, s)
		}
	}
	say(contactText + p.ID)
	see := false
	state := func(channel data.Channel, open, closed string) bool {
		if now.IsZero() {
			return false
		}
		switch p.Open(channel, now) {
		case data.OpenNow:
			say(open)
		case data.Closed:
			say(closed)
		default:
			return false
		}
		return true
	}
	phoneKnown := false
	if p.Phone != "" {
		switch {
		case p.Emergency:
			phoneKnown = true
		case p.Always(data.Phone):
			say("card.line.always")
			phoneKnown = true
		default:
			phoneKnown = state(data.Phone, "card.line.open", "card.line.closed")
			see = !phoneKnown
		}
		switch p.Cost {
		case "free":
			if !p.Emergency {
				say("card.line.free")
			}
		case "paid":
			say("card.line.cost")
		}
	}
	if p.Chat != "" && !state(data.Chat, "card.line.chat_open", "card.line.chat_closed") {
		if phoneKnown {
			say("card.line.chat_see")
		} else {
			see = true
		}
	}
	if p.Chat != "" || p.Web != "" {
		c.Web, c.WebLabel = p.Web, w.text["card.web.page"]
		if p.Chat != "" {
			c.Web, c.WebLabel = p.Chat, w.text["card.web.chat"]
		}
		if c.WebLabel != "" {
			c.WebLabel += ": "
		}
		c.WebLabel += w.keep(p.Host())
		if see {
			say("card.line.see")
		}
		if p.Local && p.Phone == "" {
			say("card.line.find")
		}
	}
	c.Line = strings.Join(line, " ")
	return c
}

// buttons are the ways further. Back is the engine's.
func (c *Card) buttons(r Request, w words, n next) []Button {
	var bs []Button
	add := func(id string, part Part) {
		to := r
		to.Part = part
		label := w.text["card.button."+id]
		if label == "" {
			label = c.words[Source][r.Band].text["card.button."+id]
		}
		bs = append(bs, Button{label, to})
	}
	if asks(r) {
		add("safe", Safe)
		add("risk", Risk)
		add("hmm", Hmm)
	}
	if n.page < n.last {
		add("more", morePage(n.page+1))
	}
	if r.Part != Call {
		add("call", Call)
	}
	if r.Part != Tell {
		add("tell", Tell)
	}
	return bs
}
