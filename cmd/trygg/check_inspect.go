package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trygg/bot"
	"trygg/bot/routines"
	"trygg/bot/telegram"
	"trygg/bot/webchat"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/desk"
	"trygg/locales"
)

// ours are the texts the program itself says: the engine's, the bot's, the
// card's, the channels', and the labels of the engine's buttons.
func (r *reading) ours() []string {
	ids := slices.Concat(flows.UI, bot.UI, webchat.UI, telegram.UI)
	for _, e := range append(slices.Clone(flows.System), flows.Show) {
		ids = append(ids, "button."+e)
	}
	if r.data != nil {
		ids = append(ids, card.IDs(r.data)...)
	}
	if r.forWork() {
		ids = slices.Concat(ids, desk.UI, desk.Labels, routines.UI)
	}
	return ids
}

// labels are texts of the program's own that stand on a button.
var labels = []string{"button.", "card.button.", "card.web.", "web.help", "web.exit", "web.send", "web.call", "web.more", "web.start", "telegram.remove", "telegram.off.web", "topic."}

// parts are texts of the program's own that are no message of the conversation:
// notices, lines beside something, the pages around it.
var parts = []string{"card.line.", "card.static", "web.", "telegram.", "engine.erased", "engine.erase_later", "engine.hidden"}

// usesOf says what every text is for.
func (r *reading) usesOf() map[string]locales.Use {
	uses := map[string]locales.Use{}
	begins := func(id string, with []string) bool {
		return slices.ContainsFunc(with, func(p string) bool { return id == p || strings.HasSuffix(p, ".") && strings.HasPrefix(id, p) })
	}
	for _, id := range r.ours() {
		u := locales.Use{Kind: locales.Bubble, Safety: isSafety(id)}
		switch {
		case slices.Contains(routines.UI, id):
			u.Kind, u.Topic, u.Adult = locales.Part, "work", true
		case slices.Contains(desk.UI, id):
			u.Topic, u.Adult = "work", true
		case slices.Contains(desk.Labels, id):
			u.Kind, u.Topic, u.Adult = locales.Label, "work", true
		case begins(id, labels):
			u.Kind = locales.Label
		case begins(id, parts):
			u.Kind = locales.Part
		case strings.HasPrefix(id, "card."):
			u.Topic = "card"
		}
		uses[id] = u
	}
	add := func(id string, u locales.Use) {
		have, ok := uses[id]
		if !ok {
			uses[id] = u
			return
		}
		have.Adult = have.Adult && u.Adult
		if have.Bands != nil {
			have.Bands = slices.Concat(have.Bands, u.Bands)
			uses[id] = have
		}
	}
	for _, f := range r.library.Flows() {
		for _, s := range f.States {
			bands := r.library.Readers(flows.Place{Flow: f.Name, State: s.Name}).Bands
			adult := f.For == flows.ForProfessional
			for _, id := range s.Say {
				add(id, locales.Use{Kind: locales.Bubble, Topic: f.Name, Adult: adult, Bands: bands})
			}
			for _, row := range s.Rows {
				for _, c := range row {
					own, shared := f.Name+"."+s.Name+"."+c.Event, "button."+c.Event
					u := locales.Use{Kind: locales.Label, Topic: f.Name, Adult: adult, Bands: bands}
					every := true
					for _, l := range r.texts.Languages() {
						_, has := r.texts.Find(l.Tag, own)
						if has {
							add(own, u)
						} else if l.Always {
							every = false
						}
					}
					if _, known := uses[own]; !known || !every {
						if _, is := r.texts.Find(locales.Source, shared); is || known {
							add(shared, u)
						} else {
							add(own, u)
						}
					}
				}
			}
		}
	}
	for _, t := range r.library.Topics() {
		add("topic."+t, locales.Use{Kind: locales.Label})
	}
	none := len(r.library.Flows()) == 0
	if len(r.doubtful) > 0 || none || r.data == nil {
		// What a flow with a mistake would use is not known: nothing is unused.
		for _, l := range r.texts.Languages() {
			for _, id := range r.texts.IDs(l.Tag) {
				flow, _, _ := strings.Cut(id, ".")
				if _, known := uses[id]; !known && (none && flow != "card" || r.doubtful[flow] || r.data == nil && flow == "card" || flow == "button" || flow == "topic" && r.doubtful["index"]) {
					uses[id] = locales.Use{Kind: locales.Part}
				}
			}
		}
	}
	return uses
}

// inspect looks at everything that does not stop content from being published
// but is wrong all the same, and at what a person should know.
func (r *reading) inspect(at time.Time) findings {
	var out findings
	tree := r.open("locales")
	rules := r.rules
	if rules == nil {
		var ps []locales.Problem
		rules, ps = locales.LoadRules(tree)
		for _, p := range ps {
			out = append(out, r.ofText(Wrong, p, "rules"))
		}
	}
	r.screens(&out, rules)
	r.choices(&out)
	wrong, notes := r.texts.Inspect(tree, rules, r.uses)
	if len(r.doubtful) == 0 && r.data != nil {
		wrong = append(wrong, rules.Idle()...)
	}
	for _, p := range wrong {
		out = append(out, r.ofText(Wrong, p, "text"))
	}
	for _, p := range notes {
		out = append(out, r.ofText(Note, p, "text"))
	}
	if r.data != nil {
		r.numbers(&out, at)
	}
	r.elements(&out)
	return out
}

// elements holds the routines a folder brings against the twelve elements of a
// routine: what the routine it stands in place of has, it has, too. What else is
// lacking is for a person to know.
func (r *reading) elements(out *findings) {
	if r.routines == nil || r.dir == "" || !r.has("routines") {
		return
	}
	where := &finder{r, "routines", map[string]map[string]int{}}
	national, _ := routine.Embedded(r.data)
	compare := func(file, id string, now, was *routine.Catalogue) {
		var had []routine.Element
		if was != nil {
			if _, ok := was.Routine(id); ok {
				had = slices.Clone(was.Elements())
				for _, e := range was.Missing(id) {
					had = slices.DeleteFunc(had, func(h routine.Element) bool { return h.ID == e.ID })
				}
			}
		}
		for _, e := range now.Missing(id) {
			if slices.ContainsFunc(had, func(h routine.Element) bool { return h.ID == e.ID }) {
				out.add(Wrong, "element", where.find(file, id), "", "routine %s lacks %s (%s), which the one it replaces has: write it, or name the block that says it", id, e.ID, e.Title.NB)
			} else if _, err := fs.Stat(r.open("routines"), file); err == nil {
				out.add(Note, "element", where.find(file, id), "", "routine %s lacks %s (%s)", id, e.ID, e.Title.NB)
			}
		}
	}
	for _, x := range r.routines.Routines() {
		compare("routines/"+x.ID+".yaml", x.ID, r.routines, national)
	}
	for _, tenant := range r.routines.Tenants() {
		own := r.routines.For(tenant)
		for _, x := range own.Routines() {
			if x.Local {
				compare("local/"+tenant+".yaml", x.ID, own, r.routines)
			}
		}
	}
}

// screens looks at what stands on one screen together, in every language and
// band that can come there: two buttons that read the same, and texts too long
// for one message of Telegram.
func (r *reading) screens(out *findings, rules *locales.Rules) {
	type long struct {
		at     flows.Spot
		text   string
		length int
	}
	var order []flows.Place
	longest := map[flows.Place]long{}
	for _, lang := range r.texts.Languages() {
		lead := 0
		for _, id := range []string{"telegram.lead", "telegram.late"} {
			text, _ := r.texts.Lookup(lang.Tag, id, "")
			lead += units(text) + 2
		}
		fallback, _ := r.texts.Lookup(lang.Tag, "engine.fallback", "")
		for _, f := range r.library.Flows() {
			if r.doubtful[f.Name] {
				continue
			}
			for _, s := range f.States {
				place := flows.Place{Flow: f.Name, State: s.Name}
				readers := r.library.Readers(place)
				for _, band := range readers.Bands {
					length, foreign := lead, false
					for _, id := range s.Say {
						text, tag := r.texts.Lookup(lang.Tag, id, band)
						length += units(text) + 2
						foreign = foreign || tag != lang.Tag
					}
					if foreign {
						length += units(fallback) + 2
					}
					if length > maxTelegram && slices.Contains(readers.Channels, bot.Telegram) && length > longest[place].length {
						if longest[place].length == 0 {
							order = append(order, place)
						}
						longest[place] = long{r.spot(s.At()), fmt.Sprintf("state %q is too long for one message of Telegram: in %s for the band %s it has %d of %d characters, so split it", s.Name, lang.Tag, band, length, maxTelegram), length}
					}
					if lang.Always {
						r.sameLabel(out, rules, lang.Tag, band, f, s)
					}
				}
			}
		}
	}
	for _, p := range order {
		out.add(Wrong, "screen", longest[p].at, "", "%s", longest[p].text)
	}
}

// maxTelegram is how long a message of Telegram may be, in UTF-16 units.
const maxTelegram = 4096

func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

func (r *reading) sameLabel(out *findings, rules *locales.Rules, tag, band string, f *flows.Flow, s *flows.State) {
	seen := map[string]string{}
	for _, row := range s.Rows {
		for _, c := range row {
			if len(c.When.Bands) > 0 && !slices.Contains(c.When.Bands, band) {
				continue
			}
			id := f.Name + "." + s.Name + "." + c.Event
			text, _ := r.texts.Lookup(tag, id, band)
			if text == "" {
				text, _ = r.texts.Lookup(tag, "button."+c.Event, band)
			}
			key := strings.ToLower(text) + "|" + strings.Join(c.When.Channels, "|")
			if other, twice := seen[key]; twice && text != "" && !rules.Excuses(tag, id, "same_label") {
				out.add(Wrong, "same_label", r.spot(c.At()), "", "buttons %q and %q of state %q read the same in %s: %q", other, c.Event, s.Name, tag, text)
			}
			seen[key] = c.Event
		}
	}
}

// choices looks at buttons that set something: whoever is asked for an age band
// or a language is offered all of them, and whoever names a municipality can
// also take it back.
func (r *reading) choices(out *findings) {
	var tags []string
	for _, l := range r.texts.Languages() {
		tags = append(tags, l.Tag)
	}
	switches := r.switches()
	for _, f := range r.library.Flows() {
		if r.doubtful[f.Name] {
			continue
		}
		for _, s := range f.States {
			offered := map[string][]string{}
			same := map[string]string{}
			for _, e := range s.Go {
				offered[e.Do.Name] = append(offered[e.Do.Name], e.Do.Arg)
				if e.Do.Name == "locale" && !slices.Contains(tags, e.Do.Arg) {
					out.add(Wrong, "locale", r.spot(e.At()), flows.Nearest(e.Do.Arg, tags), "state %q: do: %q is not a language of languages.yaml", s.Name, e.Do.Arg)
				}
				if e.Event == flows.Typed || e.Event == "place" {
					continue
				}
				if !e.Target.Done && !e.Target.Call && e.Target.State == s.Name && e.Do.Name == "" {
					out.add(Wrong, "loop", r.spot(e.At()), "", "button %q of state %q leads to where it is: nothing happens when it is pressed", e.Event, s.Name)
				}
			}
			for _, row := range s.Rows {
				for _, c := range row {
					e, ok := s.Edge(c.Event)
					if !ok {
						continue
					}
					key := fmt.Sprint(e.Target, e.Do, c.When)
					if other, twice := same[key]; twice {
						out.add(Wrong, "twins", r.spot(c.At()), "", "buttons %q and %q of state %q do the same: keep one", other, c.Event, s.Name)
					}
					same[key] = c.Event
					r.ownLabel(out, f, s, c)
					if w := c.When.Switch; w != "" && !switches[w] {
						out.add(Wrong, "switch", r.spot(c.At()), flows.Nearest(w, slices.Sorted(maps.Keys(switches))), "button %q of state %q waits for the switch %q, which no municipality has: name it in municipalities.yaml", c.Event, s.Name, w)
					}
				}
			}
			r.siblings(out, f, s)
			for _, want := range []struct {
				action string
				all    []string
				what   string
			}{{"band", flows.Bands, "age band"}, {"locale", tags, "language"}, {"messages", []string{"new", "edit"}, "way messages come"}, {"tidy", []string{"soon", "late"}, "time after which the chat is tidied"}} {
				got := offered[want.action]
				if len(got) == 0 || len(got) == 1 && want.action == "locale" {
					continue
				}
				for _, v := range want.all {
					if !slices.Contains(got, v) {
						out.add(Wrong, "choice", r.spot(s.At()), "", "state %q lets a child choose the %s, but not %s: add a button for it", s.Name, want.what, v)
					}
				}
				if want.action == "band" && !slices.Contains(got, "none") {
					out.add(Wrong, "choice", r.spot(s.At()), "", "state %q asks for the age band and lets nobody skip it: add a button that does band none", s.Name)
				}
			}
			if s.List != "" {
				for _, v := range []string{"named", "none"} {
					if !slices.Contains(offered["tenant"], v) {
						out.add(Wrong, "choice", r.spot(s.At()), "", "state %q offers municipalities, but none of its buttons does tenant %s", s.Name, v)
					}
				}
			}
		}
	}
}

// ownLabel finds a button that has a label of its own in other languages and not
// in the one they are made from, where the shared one stands.
func (r *reading) ownLabel(out *findings, f *flows.Flow, s *flows.State, c flows.Choice) {
	own := f.Name + "." + s.Name + "." + c.Event
	if _, ok := r.texts.Find(locales.Source, own); ok || len(r.texts.Lacks(locales.Source, "button."+c.Event)) > 0 {
		return
	}
	for _, l := range r.texts.Languages() {
		if e, ok := r.texts.Find(l.Tag, own); ok {
			out.add(Wrong, "label", flows.Spot{File: r.shown("locales", e.File), Line: e.Line, Column: e.Column}, "", "%q is a label of its own, and in nb stands the shared one: write %s in %s, or take it away here", own, own, r.shown("locales", locales.Source+"/"+f.Name+".yaml"))
			return
		}
	}
}

// siblings compares the answers to a question: the states that the buttons of a
// state lead to and that are named after it, such as question_yes and
// question_no. What all the others offer, or say, the last one does, too.
func (r *reading) siblings(out *findings, f *flows.Flow, s *flows.State) {
	var kids []*flows.State
	for _, e := range s.Go {
		if t := e.Target; !t.Done && !t.Call && t.State == s.Name+"_"+e.Event {
			if i := slices.IndexFunc(f.States, func(x *flows.State) bool { return x.Name == t.State }); i >= 0 && !slices.Contains(kids, f.States[i]) {
				kids = append(kids, f.States[i])
			}
		}
	}
	if len(kids) < 3 {
		return // of two it is not known which is right
	}
	for i, kid := range kids {
		others := slices.Delete(slices.Clone(kids), i, i+1)
		if all := others[0]; slices.ContainsFunc(others, func(o *flows.State) bool { return len(o.Say) != len(all.Say) }) {
			// They differ among themselves.
		} else if len(kid.Say) < len(all.Say) {
			out.add(Wrong, "siblings", r.spot(kid.At()), "", "state %q says %d of the %d things that the other answers of %q say", kid.Name, len(kid.Say), len(all.Say), s.Name)
		}
		for _, e := range others[0].Go {
			has := func(x *flows.State) bool { _, ok := x.Edge(e.Event); return ok }
			if !has(kid) && !slices.ContainsFunc(others, func(o *flows.State) bool { return !has(o) }) {
				out.add(Wrong, "siblings", r.spot(kid.At()), "", "state %q lacks the button %q, which the other answers of %q have", kid.Name, e.Event, s.Name)
			}
		}
	}
}

// switches are those that a municipality has, or the country.
func (r *reading) switches() map[string]bool {
	all := map[string]bool{}
	if r.data == nil {
		for _, s := range r.library.Switches() {
			all[s] = true // not known
		}
		return all
	}
	for _, m := range append(slices.Clone(r.data.Municipalities), r.data.National) {
		for s := range m.Switches {
			all[s] = true
		}
	}
	return all
}

// numbers looks at contacts: hours of a way that is not there, entries nobody
// has looked at, local numbers that are missing and who answers instead (S5).
func (r *reading) numbers(out *findings, at time.Time) {
	where := newFinder(r)
	for _, c := range slices.Concat(r.data.Contacts, r.data.Services) {
		file := "contacts.yaml"
		if c.Local {
			file = "services.yaml"
		}
		if !c.Reachable() && c.Email == "" && c.SMS == "" && c.Fallback == "" && c.Show != "no" {
			out.add(Wrong, "contact", where.find(file, c.ID), "", "%q cannot be reached in any way: give a phone, an address, or person: true", c.ID)
		}
		for _, h := range c.Hours {
			missing := ""
			switch {
			case h.Channel == data.Phone && c.Phone == "" && c.Fallback == "":
				missing = "phone"
			case h.Channel == data.Chat && c.Chat == "":
				missing = "chat"
			case h.Channel == data.Email && c.Email == "":
				missing = "email"
			}
			if missing != "" {
				out.add(Wrong, "contact", where.find(file, c.ID), "", "%q has hours of its %s and no %s: give it, or take the hours away", c.ID, missing, missing)
			}
		}
	}
	for _, n := range r.data.Unreviewed(at, warnAfter) {
		out.add(Note, "review", where.find(n.File, n.ID), "", "%s: %s: look whether it still holds", n.ID, n.Text)
	}
	for _, n := range r.data.Notes() {
		if strings.Contains(n.Text, "answers instead") {
			out.add(Note, "local", where.find(n.File, n.ID), "", "%s: %s", n.ID, n.Text)
		}
	}
}

// S5: the check warns of numbers nobody has looked at for so long, and a release
// fails.
const (
	warnAfter = 90 * 24 * time.Hour
	failAfter = 180 * 24 * time.Hour
)

// finder finds the lines of entries in the files of a tree.
type finder struct {
	r     *reading
	tree  string
	lines map[string]map[string]int
}

func newFinder(r *reading) *finder { return &finder{r, "data", map[string]map[string]int{}} }

// find gives where an entry stands: by its id, or its number and what stands
// below it; in routines by the last word, which may be a key.
func (f *finder) find(file, id string) flows.Spot {
	at := flows.Spot{File: f.r.shown(f.tree, file)}
	if f.lines[file] == nil {
		f.lines[file] = map[string]int{}
		raw, err := f.r.read(f.tree, file)
		if err != nil {
			return at
		}
		for n, line := range strings.Split(string(raw), "\n") {
			key, value, ok := strings.Cut(strings.TrimLeft(line, " -{"), ":")
			switch {
			case !ok:
			case key == "id" || key == "number" || key == "municipality":
				value, _, _ = strings.Cut(strings.Trim(value, ` "`), `"`)
				value, _, _ = strings.Cut(value, ",")
				f.lines[file][value] = n + 1
			case f.tree == "routines" && f.lines[file][key] == 0:
				f.lines[file][key] = n + 1
			}
		}
	}
	first, below, _ := strings.Cut(id, " ")
	if f.tree == "routines" {
		at.Line = f.lines[file][below[strings.LastIndex(below, " ")+1:]]
	}
	at.Line = cmp.Or(at.Line, f.lines[file][first])
	return at
}

// record writes down what the translations are made from, as things are now.
func record(out io.Writer, t trees, dir string) error {
	r := readContent(t)
	if len(r.findings) > 0 {
		return fmt.Errorf("the content has %d problems: run trygg check", len(r.findings))
	}
	for _, l := range r.texts.Languages() {
		if l.Tag == locales.Source {
			continue
		}
		file := filepath.Join(dir, "locales", locales.OriginsFile(l.Tag))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		var text strings.Builder
		sources := r.texts.Record(l.Tag)
		if err := sources.Write(&text, l.Tag); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d texts fit their source\n", file, len(sources))
	}
	return nil
}
