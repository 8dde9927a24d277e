// Package draw shows conversations to people who do not program. A compiled
// library and its texts go in; a page for each conversation comes out, with
// diagrams a health nurse can read and print, and an overview of how the
// conversations lead to one another. The same content gives the same bytes, so
// what is committed can be held against what is in the content. Writing the
// files is left to cmd/trygg.
package draw

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"trygg/flows"
)

// Texts gives the words of a message in a language; "" when it exists nowhere.
type Texts interface {
	Lookup(locale, id, band string) (text, tag string)
}

// Overview is the name of the page that shows how the conversations lead to one
// another.
const Overview = "README.md"

// source is the language the diagrams are in: the one every text exists in.
const source = "nb"

// Pages draws all conversations: the overview, a page each, and the diagrams on
// them, by file name.
func Pages(l *flows.Library, texts Texts) map[string][]byte {
	b := newBook(l, texts)
	pages := map[string][]byte{}
	put := func(name string, g *graph) []string {
		var names []string
		for i, s := range g.sheets() {
			file := name + ".svg"
			if i > 0 {
				file = fmt.Sprintf("%s-%d.svg", name, i+1)
			}
			pages[file] = s.svg()
			names = append(names, file)
		}
		return names
	}
	all := b.overview()
	pages[Overview] = b.overviewPage(all, put("_overview", all))
	for _, f := range l.Flows() {
		g := b.flow(f)
		pages[f.Name+".md"] = b.flowPage(f, g, put(f.Name, g))
	}
	return pages
}

// The diagrams' own words.
const (
	wordStart    = "Her begynner det"
	wordBegin    = "De første skjermene"
	wordReturn   = "tilbake dit man kom fra"
	wordSheet    = "ark %d"
	wordFrom     = "fra"
	wordBelow    = "lenger ned på arket"
	wordSame     = "samme skjerm"
	wordMore     = "+ %d meldinger til"
	wordOneMore  = "+ 1 melding til"
	wordDesk     = "Rutinene for fagfolk. Sidene lages av flows/routine."
	wordScreens  = "%d skjermer"
	wordScreen1  = "1 skjerm"
	wordPick     = "(velger eller skriver en kommune)"
	wordType     = "(skriver noe annet)"
	wordErase    = "sletter alt"
	wordHide     = "skjuler samtalen"
	wordWeb      = "bare på nett"
	wordTelegram = "bare på Telegram"
	wordSwitch   = "bare der kommunen har slått på %s"
	wordBands    = "bare %s år"
	wordAnywhere = "Fra alle skjermer"
	wordAlso     = "Leder også til: "
)

// graph is what is drawn: boxes with rows, and where each row leads.
type graph struct {
	name   string // of the flow, "" = the overview
	title  string
	boxes  []*box // in the order they are come to
	byKey  map[string]*box
	on     map[string]int // sheet a box stands on, as last laid out
	starts []*box         // boxes no row of this graph leads to, the start first
}

// kind is what a box stands for.
type kind int

const (
	screen kind = iota // a screen of this conversation
	link               // another conversation
	away               // a screen that stands on another sheet
)

type box struct {
	key   string
	kind  kind
	start bool
	title string
	id    string // the author's name for it
	text  string
	note  string
	href  string
	rows  []row
	rest  []row // what is told in the text instead of in a row

	depth    int
	children []*box // reached first from here, in the order of the rows
	parent   *box
}

// row is a button, or something else a child can do on a screen.
type row struct {
	label string
	note  string // for whom, when not for everybody
	to    string // key of the box it leads to; "" = see words
	words string // where it leads, when to no box
	button
}

// button says how a row is drawn.
type button bool

const (
	pressed button = true
	typed   button = false
)

// book knows what is needed to name things.
type book struct {
	l      *flows.Library
	texts  Texts
	titles map[flows.Place]string
	names  map[string]string // of flows
}

func newBook(l *flows.Library, texts Texts) *book {
	b := &book{l: l, texts: texts, titles: map[flows.Place]string{}, names: map[string]string{}}
	for _, f := range l.Flows() {
		b.names[f.Name] = b.flowTitle(f)
	}
	for _, f := range l.Flows() {
		b.titleStates(f)
	}
	return b
}

func (b *book) text(id string) string {
	t, _ := b.texts.Lookup(source, id, "")
	t = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1 // marks that turn or hide text
		}
		return r
	}, t)
	return strings.Join(strings.Fields(t), " ")
}

// label gives a button's words, and whether they are its own and not those all
// buttons of this event share.
func (b *book) label(f *flows.Flow, s *flows.State, event string) (text string, own bool) {
	if t := b.text(f.Name + "." + s.Name + "." + event); t != "" {
		return t, true
	}
	if t := b.text("button." + event); t != "" {
		return t, false
	}
	return event, false
}

// place fills in the start of a bare "flow/".
func (b *book) place(t flows.Target) flows.Place {
	if t.State == "" {
		return b.start(t.Flow)
	}
	return t.Place
}

func (b *book) start(flow string) flows.Place {
	for _, f := range b.l.Flows() {
		if f.Name == flow {
			return flows.Place{Flow: flow, State: f.Start}
		}
	}
	return flows.Place{Flow: flow}
}

// flowTitle names a conversation as the main menu does, else as the engine's
// button or the topic that leads to it, else as another conversation does.
func (b *book) flowTitle(f *flows.Flow) string {
	start := flows.Place{Flow: f.Name, State: f.Start}
	var menu, other string
	home := b.l.Home()
	for _, from := range b.l.Flows() {
		for _, s := range from.States {
			for _, e := range s.Go {
				if from == f || e.Target.Done || b.place(e.Target) != start {
					continue
				}
				text, own := b.label(from, s, e.Event)
				switch {
				case from.Name == home.Flow && s.Name == home.State:
					menu = text
				case own && other == "":
					other = text
				}
			}
		}
	}
	if start == b.l.Start() {
		return wordBegin
	}
	if menu != "" {
		return menu
	}
	for _, d := range b.l.Doors() {
		switch {
		case d.Place.Flow != f.Name:
		case d.Event != "":
			return b.text("button." + d.Event)
		case d.Topic != "" && d.Place == start && b.text("topic."+d.Topic) != "":
			return b.text("topic." + d.Topic)
		}
	}
	if other != "" {
		return other
	}
	for _, s := range f.States {
		if s.Name == f.Start {
			head, _ := sentence(b.first(s))
			return head
		}
	}
	return f.Name
}

// passing are events whose label names the button and not where it leads.
var passing = []string{"next", "more", "skip", "leave", "change", "stay"}

// titleStates gives each screen a name a person knows it by: the button that
// leads there, when there is one name for it; else its first sentence.
func (b *book) titleStates(f *flows.Flow) {
	depth := depths(f)
	labels := map[string][]string{}
	for _, s := range f.States {
		for _, e := range s.Go {
			t := e.Target
			if t.Done || t.Flow != f.Name || depth[t.State] <= depth[s.Name] {
				continue
			}
			text, _ := b.label(f, s, e.Event)
			if slices.Contains(passing, e.Event) || !offered(s, e.Event) {
				text = ""
			}
			if !slices.Contains(labels[t.State], text) {
				labels[t.State] = append(labels[t.State], text)
			}
		}
	}
	for _, s := range f.States {
		p := flows.Place{Flow: f.Name, State: s.Name}
		switch l := labels[s.Name]; {
		case s.Name == f.Start && p != b.l.Start():
			b.titles[p] = b.names[f.Name]
		case len(l) == 1 && l[0] != "":
			b.titles[p] = l[0]
		default:
			b.titles[p], _ = sentence(b.first(s))
		}
	}
}

// depths counts the presses from a flow's start.
func depths(f *flows.Flow) map[string]int {
	byName := map[string]*flows.State{}
	for _, s := range f.States {
		byName[s.Name] = s
	}
	d := map[string]int{f.Start: 0}
	for queue := []string{f.Start}; len(queue) > 0; queue = queue[1:] {
		for _, e := range byName[queue[0]].Go {
			t := e.Target
			if _, seen := d[t.State]; !seen && !t.Done && t.Flow == f.Name && byName[t.State] != nil {
				d[t.State] = d[queue[0]] + 1
				queue = append(queue, t.State)
			}
		}
	}
	for _, s := range f.States {
		if _, seen := d[s.Name]; !seen {
			d[s.Name] = 0
		}
	}
	return d
}

func offered(s *flows.State, event string) bool {
	for _, row := range s.Rows {
		for _, c := range row {
			if c.Event == event {
				return true
			}
		}
	}
	return false
}

// flow makes the graph of one conversation.
func (b *book) flow(f *flows.Flow) *graph {
	g := &graph{name: f.Name, title: b.names[f.Name], byKey: map[string]*box{}}
	for _, s := range f.States {
		p := flows.Place{Flow: f.Name, State: s.Name}
		x := &box{key: p.String(), id: s.Name, title: b.titles[p], start: s.Name == f.Start}
		x.text, x.note = b.says(s, x.title)
		x.rows = b.rows(f, s)
		g.add(x)
	}
	// A conversation that is called stands beside the screen that calls it.
	for _, x := range slices.Clone(g.boxes) {
		for i, r := range x.rows {
			if r.to == "" || g.byKey[r.to] != nil {
				continue
			}
			flow, state, _ := strings.Cut(r.to, "/")
			p := flows.Place{Flow: flow, State: state}
			key := x.key + ">" + r.to
			if g.byKey[key] == nil {
				title := b.names[flow]
				if t := b.titles[p]; t != "" && t != title {
					title += " – " + t
				}
				id := r.to
				if p == b.start(flow) {
					id = flow
				}
				g.add(&box{key: key, kind: link, title: title, id: id, href: flow + ".md"})
			}
			x.rows[i].to = key
		}
	}
	g.span(f.Name + "/" + f.Start)
	return g
}

// first gives the first text of a screen; a desk says what its pages say.
func (b *book) first(s *flows.State) string {
	if len(s.Say) == 0 {
		return wordDesk
	}
	return b.text(s.Say[0])
}

// says gives what a screen shows first, without what its title says already,
// and how much more there is.
func (b *book) says(s *flows.State, title string) (text, note string) {
	if len(s.Say) == 0 {
		return "", "" // a desk: its pages are not of the conversation
	}
	head, rest := sentence(b.first(s))
	more := max(0, len(s.Say)-1)
	text = b.first(s)
	if head == title {
		text = rest
		if rest == "" && more > 0 {
			text = b.text(s.Say[1])
			more--
		}
	}
	switch {
	case more == 1:
		note = wordOneMore
	case more > 1:
		note = fmt.Sprintf(wordMore, more)
	}
	return text, note
}

// rows gives what can be done on a screen, in the order it is offered.
func (b *book) rows(f *flows.Flow, s *flows.State) []row {
	edge := map[string]flows.Edge{}
	for _, e := range s.Go {
		edge[e.Event] = e
	}
	var out []row
	add := func(e flows.Edge, r row) {
		switch t := e.Target; {
		case e.Do.Name == "erase":
			r.words = wordErase
		case e.Do.Name == "hide":
			r.words = wordHide
		case t.Done:
			r.words = "↩ " + wordReturn
		default:
			r.to = b.place(t).String()
		}
		out = append(out, r)
	}
	if e, ok := edge["place"]; ok && !offered(s, "place") {
		add(e, row{label: wordPick, button: typed})
	}
	if e, ok := edge["words"]; ok {
		add(e, row{label: wordType, button: typed})
	}
	for _, line := range s.Rows {
		for _, c := range line {
			text, _ := b.label(f, s, c.Event)
			add(edge[c.Event], row{label: text, note: when(c.When), button: pressed})
		}
	}
	return out
}

// when says for whom a choice is.
func when(w flows.When) string {
	var all []string
	if len(w.Bands) > 0 {
		// Bands that follow one another are one: 13-15 and 16-18 are 13–18.
		var spans []string
		for i := 0; i < len(flows.Bands); i++ {
			if !slices.Contains(w.Bands, flows.Bands[i]) {
				continue
			}
			from, to, _ := strings.Cut(flows.Bands[i], "-")
			for i+1 < len(flows.Bands) && slices.Contains(w.Bands, flows.Bands[i+1]) {
				i++
				_, to, _ = strings.Cut(flows.Bands[i], "-")
			}
			spans = append(spans, from+"–"+to)
		}
		if !slices.Equal(spans, []string{"6–18"}) {
			all = append(all, fmt.Sprintf(wordBands, strings.Join(spans, " og ")))
		}
	}
	if len(w.Channels) == 1 {
		switch w.Channels[0] {
		case "web":
			all = append(all, wordWeb)
		case "telegram":
			all = append(all, wordTelegram)
		}
	}
	if w.Switch != "" {
		all = append(all, fmt.Sprintf(wordSwitch, w.Switch))
	}
	return strings.Join(all, ", ")
}

// overview makes the graph of all conversations.
func (b *book) overview() *graph {
	g := &graph{title: "Alle samtalene", byKey: map[string]*box{}}
	for _, f := range b.l.Flows() {
		x := &box{key: f.Name, title: b.names[f.Name], id: f.Name, href: f.Name + ".md", start: f.Name == b.l.Start().Flow}
		x.note = fmt.Sprintf(wordScreens, len(f.States))
		if len(f.States) == 1 {
			x.note = wordScreen1
		}
		for _, d := range b.l.Doors() {
			if d.Place.Flow == f.Name && (d.Event == flows.Language || d.Event == flows.Privacy) {
				x.note += " · " + strings.ToLower(wordAnywhere[:1]) + wordAnywhere[1:]
			}
		}
		seen := map[string]bool{}
		call := func(flow, label string) {
			if flow != f.Name && !seen[flow] {
				seen[flow] = true
				x.rows = append(x.rows, row{label: label, to: flow, button: pressed})
			}
		}
		for _, s := range f.States {
			for _, e := range s.Go {
				if text, _ := b.label(f, s, e.Event); e.Target.Call {
					call(e.Target.Flow, text)
				} else if e.Target.Done && f.Name == b.l.Start().Flow {
					call(b.l.Home().Flow, text) // nobody called it: done is the main menu
				}
			}
		}
		g.add(x)
	}
	g.span(b.l.Start().Flow)
	// Many lead to the same few: that is told in one line, not in a row each.
	for _, x := range g.boxes {
		var own []row
		var names []string
		for _, r := range x.rows {
			if to := g.byKey[r.to]; to.parent == x {
				own = append(own, r)
			} else {
				x.rest = append(x.rest, r)
				names = append(names, to.title)
			}
		}
		if x.rows = own; len(names) > 0 {
			x.text = wordAlso + strings.Join(names, ", ")
		}
	}
	return g
}

func (g *graph) add(x *box) {
	g.boxes = append(g.boxes, x)
	g.byKey[x.key] = x
}

// span finds for every box the row that leads to it first, counted in presses
// from the start; these rows become arrows. Where all other rows lead is written
// into them, so that no arrow crosses another.
func (g *graph) span(start string) {
	seen := map[*box]bool{}
	grow := func(root *box) {
		seen[root] = true
		g.starts = append(g.starts, root)
		for queue := []*box{root}; len(queue) > 0; queue = queue[1:] {
			x := queue[0]
			for _, r := range x.rows {
				if to := g.byKey[r.to]; to != nil && !seen[to] {
					seen[to] = true
					to.parent, to.depth = x, x.depth+1
					x.children = append(x.children, to)
					queue = append(queue, to)
				}
			}
		}
	}
	grow(g.byKey[start])
	// What is only come to from elsewhere begins a tree of its own; first those
	// that no other box leads to.
	pointed := map[string]bool{}
	for _, x := range g.boxes {
		for _, r := range x.rows {
			if r.to != x.key {
				pointed[r.to] = true
			}
		}
	}
	for _, orphans := range []bool{true, false} {
		for _, x := range g.boxes {
			if !seen[x] && (!orphans || !pointed[x.key]) {
				grow(x)
			}
		}
	}
}

// sentence cuts a text after its first sentence, or after some words when that
// is long. A greeting alone is no sentence.
func sentence(s string) (head, rest string) {
	const least, most = 10, 60
	for i, r := range s {
		if !strings.ContainsRune(".?!:", r) {
			continue
		}
		if end := i + 1; end == len(s) || s[end] == ' ' && i >= least {
			if len([]rune(s[:end])) > most {
				break
			}
			return strings.TrimSuffix(strings.TrimSuffix(s[:end], "."), ":"), strings.TrimSpace(s[end:])
		}
	}
	if len([]rune(s)) <= most {
		return s, ""
	}
	words := strings.Fields(s)
	for i := range words {
		if len([]rune(strings.Join(words[:i+1], " "))) > most-1 {
			return strings.Join(words[:i], " ") + " …", strings.Join(words[i:], " ")
		}
	}
	return s, ""
}

// Markdown.

// literal takes away the meaning that signs have in Markdown: what an author
// wrote is shown as it is (F65).
var literal = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"#", `\#`, "|", `\|`, "~", `\~`, "!", `\!`, "$", `\$`, "@", "&#64;", "://", "&#58;//",
)

const howToRead = `Hver boks er en skjerm: øverst det skjermen heter her, så det første den sier, så knappene. En pil går fra en knapp til skjermen den
viser. Der det ikke er pil, står det under knappen hvor den leder: → fram, ↩ tilbake. Runde bokser er andre samtaler. Det lille navnet
nederst i boksen er det skjermen heter i filen. Knappene som står på alle skjermer, er ikke tegnet: hjelp nå, tilbake, meny, språk,
skjul, slett, hvem ser dette og start på nytt.
`

// Mark stands in every file made here.
const Mark = "Laget av trygg draw. Endringer her blir borte."

const generated = "<!-- " + Mark + " -->\n"

func (b *book) flowPage(f *flows.Flow, g *graph, files []string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s# %s\n\n", generated, literal.Replace(g.title))
	fmt.Fprintf(&out, "Samtalen `%s`, %s. Filen er `flows/content/%s.yaml`, tekstene er `locales/*/%s.yaml`. [Alle samtalene](%s)\n\n", f.Name, count(len(f.States)), f.Name, f.Name, Overview)
	out.WriteString(howToRead)
	images(&out, g.title, files)
	g.mermaid(&out)
	return out.Bytes()
}

func (b *book) overviewPage(g *graph, files []string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s# %s\n\n", generated, g.title)
	out.WriteString("Hver boks er en samtale. En knapp i boksen leder til den samtalen pilen går til. Tabellen har alle veiene.\n\n")
	out.WriteString("| Samtale | Fil | Skjermer | Leder til |\n| --- | --- | --- | --- |\n")
	for _, f := range b.l.Flows() {
		var to []string
		for _, r := range slices.Concat(g.byKey[f.Name].rows, g.byKey[f.Name].rest) {
			to = append(to, fmt.Sprintf("[%s](%s.md)", literal.Replace(b.names[r.to]), r.to))
		}
		fmt.Fprintf(&out, "| [%s](%s.md) | `%s` | %d | %s |\n", literal.Replace(b.names[f.Name]), f.Name, f.Name, len(f.States), strings.Join(to, ", "))
	}
	if topics := b.l.Topics(); len(topics) > 0 {
		out.WriteString("\nDet et barn skriver selv, kan lede rett hit:\n\n| Handler om | Leder til |\n| --- | --- |\n")
		for _, d := range b.l.Doors() {
			if d.Topic == "" {
				continue
			}
			name := b.text("topic." + d.Topic)
			if name == "" {
				name = d.Topic
			}
			fmt.Fprintf(&out, "| %s | [%s](%s.md) `%s` |\n", literal.Replace(name), literal.Replace(b.names[d.Place.Flow]), d.Place.Flow, d.Place)
		}
	}
	images(&out, g.title, files)
	g.mermaid(&out)
	return out.Bytes()
}

func count(screens int) string {
	if screens == 1 {
		return wordScreen1
	}
	return fmt.Sprintf(wordScreens, screens)
}

func images(out *bytes.Buffer, title string, files []string) {
	for i, f := range files {
		name := title
		if len(files) > 1 {
			name = fmt.Sprintf("%s, ark %d av %d", title, i+1, len(files))
		}
		fmt.Fprintf(out, "\n![%s](%s)\n", literal.Replace(name), f)
	}
}
