package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/locales"
)

// Proof says that help is always there in one content, and by which walk that
// was found out (D16). It is kept with what is published.
type Proof struct {
	Content string        `json:"content"` // the content it is about
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took"`
	Holds   bool          `json:"holds"`

	Languages int `json:"languages"`
	States    int `json:"states"`    // of all flows
	Positions int `json:"positions"` // state, call stack, band, switches and channel that can be come to
	Presses   int `json:"presses"`   // of the authors' buttons, to find them
	Screens   int `json:"screens"`   // position x language x store, each asked of the bot
	Rendered  int `json:"rendered"`  // different ones among them, each shown by its channel
	Walked    int `json:"walked"`    // those on which help was pressed and back, through the channel
	Helped    int `json:"helped"`    // presses on help, each answered with the numbers
	Returned  int `json:"returned"`  // presses back from the card, each to the same screen with answers kept
	Words     int `json:"words"`     // words for help
	Typed     int `json:"typed"`     // help words typed, each answered with the numbers
	Places    int `json:"places"`    // municipalities and their parts whose card was looked at
}

func (p *Proof) String() string {
	if p == nil {
		return "no proof of help"
	}
	verdict := "help is always there"
	if !p.Holds {
		verdict = "help is NOT always there"
	}
	return fmt.Sprintf("proof: %s in %d positions x %d languages, store up and down (%s)", verdict, p.Positions, p.Languages, p.Took.Round(time.Millisecond))
}

func (p *Proof) print(out io.Writer) {
	fmt.Fprintln(out, p)
	for _, l := range []struct {
		what string
		n    int
	}{
		{"states", p.States},
		{"positions: state, call stack, band, switches, channel", p.Positions},
		{"presses of the authors' buttons to come to them", p.Presses},
		{"screens: position, language, store up or down", p.Screens},
		{"different screens among them, shown by their channel", p.Rendered},
		{"screens walked through their channel: help pressed, and back", p.Walked},
		{"presses on help, answered with the numbers", p.Helped},
		{"presses back, to the same screen with answers kept", p.Returned},
		{"words for help, in all languages", p.Words},
		{"help words typed, answered with the numbers", p.Typed},
		{"municipalities and parts with a card", p.Places},
	} {
		fmt.Fprintf(out, "%9d  %s\n", l.n, l.what)
	}
	fmt.Fprintf(out, "content %s, proved %s\n", p.Content, p.At.Format(time.DateTime))
}

// answerer is what channels need of the bot.
type answerer interface {
	Handle(context.Context, bot.Update) (bot.Answer, error)
	Help(context.Context, bot.Update) bot.Reply
	Shown(context.Context, bot.Update, bot.Answer, bot.Sent)
	Content() *bot.Content
}

// proofOptions say where the content is from, and are where a test puts
// something between the parts, to see that the proof finds it. The zero value
// proves the program as it is.
type proofOptions struct {
	trees   trees // for the places of what is found
	workers int   // processors it may take; 0 = all

	bot    func(b answerer, store bot.Chats) answerer // between the channels and the bot
	screen func(*screen)                              // between a channel and the child
}

// prove walks through everything a child can come to and asserts that help is
// there (D16, S1-S3). It drives the real bot, with its readers, over a store in
// memory; and the real channels: the web chat's pages over HTTP as a browser
// without a script asks for them, and Telegram's webhook and calls as they go
// over the wire.
//
// What is enumerated:
//
//   - Positions: for every channel and every way the municipalities' switches can
//     stand (all off, all on, each alone), what presses of the authors' buttons,
//     and words a screen asks for, can come to from the first screen: every state
//     under every caller, at every depth of the call stack up to four, and for
//     every band. What lies below the caller decides nothing before the return to
//     it, which is a position of its own; so every stack is made of steps that
//     were walked. From every state also the engine's own calls (language,
//     privacy, every topic typed words can lead to), back from each, and the
//     presses below them.
//   - Screens: every position without its stack (but whether there is a way back),
//     in every language, with the store up, and down from the beginning. Each is
//     asked of the bot. Those that differ in any word or button are shown by their
//     channel: what a channel shows depends on the words and buttons and on nothing
//     else. In every state and language help and the way back are asked of the bot;
//     through the channel they are pressed in every state in bokmål, and in every
//     language for every band, with the store up and down. The web shows bokmål as
//     whole pages, and the other languages as the pieces its script asks for.
//   - Words: every word for help of every language, typed in the first state, and
//     through each channel in its language; of those the readers read alike one in
//     every state, since words reach the readers and nothing else; with the store
//     down one in every state, and every one in the first.
//   - Cards: for every municipality and part of one, band and language.
//
// What is asserted of each: the screen the child gets holds help and every other
// button of the reply; no store is asked before help is answered; what comes
// names the emergency numbers and the children's line; the session is as it was;
// one press leads back to the same screen, word for word.
func prove(ctx context.Context, s *snapshot, o proofOptions) (*Proof, findings) {
	begun := time.Now()
	p := &prover{snap: s, options: o, faults: map[string]*fault{}, seen: map[[32]byte]bool{}}
	p.proof = Proof{Content: s.hash, At: begun.UTC().Truncate(time.Second), Languages: len(s.texts.Languages())}
	reader, err := crisisReader()
	if err != nil {
		var fs findings
		fs.add(Stops, "proof", flows.Spot{File: "flows/crisis"}, "", "help cannot be proved: %v", err)
		return nil, fs
	}
	// Reading is pure, so each help word is read once for all.
	p.reader = &remembering{next: readers{reader, func() *data.Data { return s.data }}}
	for _, f := range s.library.Flows() {
		p.proof.States += len(f.States)
	}
	p.numbers = required(s.data)
	p.words = map[string][]string{}
	for _, l := range append([]string{""}, card.Locales...) {
		p.words[l] = card.Words(l)
		p.proof.Words += len(p.words[l])
	}
	var jobs []func(*world)
	p.variants = switchSets(s.library.Switches())
	for _, channel := range flows.Channels {
		for i := range p.variants {
			jobs = append(jobs, func(w *world) { p.walk(w, channel, i) })
		}
	}
	p.run(ctx, jobs)

	jobs = nil
	for _, set := range p.positions {
		for _, l := range s.texts.Languages() {
			jobs = append(jobs, func(w *world) { p.screens(w, set, l.Tag) })
		}
	}
	for _, l := range s.texts.Languages() {
		for _, channel := range flows.Channels {
			jobs = append(jobs, func(w *world) { p.typeThrough(w, channel, l.Tag) })
		}
		jobs = append(jobs, func(w *world) { p.cards(w, l.Tag) })
	}
	jobs = append(jobs, p.typeEverywhere, p.typeAway)
	p.run(ctx, jobs)

	p.proof.Took = time.Since(begun)
	fs := p.findings()
	if ctx.Err() != nil {
		fs.add(Wrong, "proof", flows.Spot{File: "proof"}, "", "was stopped before its end")
	}
	p.proof.Holds = len(fs) == 0
	return &p.proof, fs
}

// prover is one proof being made.
type prover struct {
	snap     *snapshot
	options  proofOptions
	reader   *remembering
	numbers  []string
	words    map[string][]string
	variants []map[string]bool

	mu        sync.Mutex
	proof     Proof
	positions []*places
	faults    map[string]*fault
	order     []string
	seen      map[[32]byte]bool // screens that were shown by their channel
}

// places are what can be come to on one channel with one set of switches.
type places struct {
	channel  string
	switches int
	list     []flows.Session // one of each state, way back and band
}

// fault is something that is not as it should be, and in how many ways.
type fault struct {
	place flows.Place
	text  string
	how   string
	ways  int
}

// fail notes that something is wrong at a place. how says in which language,
// band and channel; one of them is told for all.
func (p *prover) fail(place flows.Place, how, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	key := place.String() + "|" + text
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.faults[key]
	if f == nil {
		f = &fault{place: place, text: text, how: how}
		p.faults[key] = f
		p.order = append(p.order, key)
	}
	f.ways++
	f.how = min(f.how, how)
}

func (p *prover) count(f func(*Proof)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.proof)
}

// findings gives what is wrong in the order of the files. Where everything is
// wrong, some of it is enough.
func (p *prover) findings() findings {
	const most = 20
	var fs findings
	spots := map[flows.Place]flows.Spot{}
	for _, f := range p.snap.library.Flows() {
		for _, s := range f.States {
			at := s.At()
			at.File = p.options.trees.shown("flows", at.File)
			spots[flows.Place{Flow: f.Name, State: s.Name}] = at
		}
	}
	for _, key := range p.order {
		f := p.faults[key]
		more := ""
		if f.ways > 1 {
			more = fmt.Sprintf(", and %d more ways", f.ways-1)
		}
		at := cmp.Or(spots[f.place], flows.Spot{File: "proof"})
		fs.add(Wrong, "proof", at, "", "no help in state %q: %s (%s%s)", f.place.State, f.text, f.how, more)
	}
	fs = fs.sorted()
	if n := len(fs) - most; n > 0 {
		fs = fs[:most]
		fs.add(Wrong, "proof", flows.Spot{File: "proof"}, "", "and %d more", n)
	}
	return fs
}

// run does jobs side by side, each worker with a world of its own.
func (p *prover) run(ctx context.Context, jobs []func(*world)) {
	todo := make(chan func(*world))
	var running sync.WaitGroup
	for range min(cmp.Or(p.options.workers, runtime.GOMAXPROCS(0)), len(jobs)) {
		running.Go(func() {
			w, err := p.newWorld(ctx)
			if err != nil {
				p.fail(p.snap.library.Start(), "all", "the channels do not start: %v", err)
			}
			for job := range todo {
				if err == nil && ctx.Err() == nil {
					job(w)
				}
			}
		})
	}
	for _, job := range jobs {
		todo <- job
	}
	close(todo)
	running.Wait()
}

// required are the numbers every answer to a cry for help names: the two for
// danger, and the first line of the way home that answers by phone (S4).
func required(d *data.Data) []string {
	var numbers []string
	for _, id := range []string{"112", "113"} {
		c, _ := d.Contact(id, "", "")
		numbers = append(numbers, c.Phone)
	}
	for _, id := range d.Route(data.Home) {
		if c, ok := d.Contact(id, "", ""); ok && c.Phone != "" && c.Always(data.Phone) {
			return append(numbers, c.Phone)
		}
	}
	return append(numbers, "a line that is always open")
}

// switchSets are the ways switches can stand that are walked.
func switchSets(names []string) []map[string]bool {
	sets := []map[string]bool{{}}
	all := map[string]bool{}
	for _, n := range names {
		sets = append(sets, map[string]bool{n: true})
		all[n] = true
	}
	if len(names) > 1 {
		sets = append(sets, all)
	}
	return sets
}

// lacksNumbers gives a number a text does not name; "" = it names them all. The
// marks that keep Arabic numbers in order are no part of them.
func (p *prover) lacksNumbers(text string) string {
	text = strings.NewReplacer("\u200e", "", "\u200f", "").Replace(text)
	for _, n := range p.numbers {
		if !strings.Contains(text, n) {
			return n
		}
	}
	return ""
}

// said is all a reply says.
func said(r bot.Reply) string {
	var b strings.Builder
	for _, x := range r.Bubbles {
		b.WriteString(x.Text + "\n" + x.Number + "\n")
	}
	return b.String()
}

// remembering reads each text once.
type remembering struct {
	next bot.Reader
	mu   sync.Mutex
	have map[string]flows.Understanding
}

func (r *remembering) Read(w flows.Words) flows.Understanding {
	r.mu.Lock()
	u, ok := r.have[w.Read()]
	r.mu.Unlock()
	if ok {
		return u
	}
	u = r.next.Read(w)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.have == nil {
		r.have = map[string]flows.Understanding{}
	}
	if len(r.have) < 1<<14 {
		r.have[w.Read()] = u
	}
	return u
}

// shelf is a store for one chat: whoever asks, it holds the session that lies on
// it. It can be away, and counts what it is asked.
type shelf struct {
	mu      sync.Mutex
	session flows.Session
	version uint64
	away    bool
	asked   int
}

var errAway = errors.New("the store is away")

func (d *shelf) lay(s flows.Session, away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session, d.away, d.asked = s, away, 0
	d.version++
}

func (d *shelf) look() (flows.Session, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session, d.asked
}

func (d *shelf) ask() error {
	d.asked++
	if d.away {
		return errAway
	}
	return nil
}

func (d *shelf) Read(context.Context, bot.ChatID, bot.Want) (bot.Chat, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask(); err != nil {
		return bot.Chat{}, err
	}
	return bot.Chat{Session: d.session, Version: bot.Version{Session: d.version}}, nil
}

func (d *shelf) Commit(_ context.Context, c bot.Change) (bot.Version, bot.EntryID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask(); err != nil {
		return bot.Version{}, bot.EntryID{}, err
	}
	if c.Version.Session != d.version {
		return bot.Version{}, bot.EntryID{}, bot.ErrConflict
	}
	d.version++
	d.session = c.Session
	if c.End {
		d.session = flows.Session{}
	}
	return bot.Version{Session: d.version}, bot.EntryID{}, nil
}

func (d *shelf) Erase(context.Context, bot.ChatID) error {
	d.lay(flows.Session{}, false)
	return nil
}

// What the channels ask of the outbox: nothing is left in it here.
func (d *shelf) Pending(context.Context, int, int) ([]bot.EntryID, []bot.Entry, error) {
	return nil, nil, nil
}
func (d *shelf) Shown(context.Context, bot.ChatID, bot.EntryID, bot.Version, *bot.Traces) error {
	return nil
}
func (d *shelf) Due(context.Context, int, int, time.Time) ([]bot.Due, error) { return nil, nil }
func (d *shelf) Claim(context.Context, bot.Due) (bool, error)                { return false, nil }
func (d *shelf) Lease(context.Context, string, time.Duration) (bool, error)  { return true, nil }

var (
	_ bot.Chats  = (*shelf)(nil)
	_ bot.Outbox = (*shelf)(nil)
)

// same tells whether two sessions hold the same place and answers. How soon to tidy
// is not among them: a card made while the store is away does not know it, and the
// sooner holds until it is said again (S31).
func same(a, b flows.Session) bool {
	return a.Place == b.Place && slices.Equal(a.Path, b.Path) && a.Locale == b.Locale && a.Band == b.Band && a.Tenant == b.Tenant && a.Area == b.Area && a.Fresh == b.Fresh && a.Role == b.Role
}

// looksLike tells whether two replies show the same words and buttons.
func looksLike(a, b bot.Reply) bool {
	button := func(x, y bot.Button) bool {
		return x.Event == y.Event && x.Label == y.Label && (x.Help == nil) == (y.Help == nil)
	}
	row := func(x, y []bot.Button) bool { return slices.EqualFunc(x, y, button) }
	return a.Locale == b.Locale && a.Typing == b.Typing && a.Card == b.Card && slices.Equal(a.Bubbles, b.Bubbles) &&
		slices.EqualFunc(a.Rows, b.Rows, row) && row(a.System, b.System)
}

// fingerprint names what a channel shows of a reply: every word and button, but
// not the name of the screen and what its help button carries, which are looked
// at apart.
func fingerprint(channel string, r bot.Reply) [32]byte {
	var b []byte
	add := func(words ...string) {
		for _, w := range words {
			b = strconv.AppendInt(b, int64(len(w)), 36)
			b = append(append(b, ':'), w...)
		}
	}
	add(channel, r.Locale, strconv.FormatBool(r.Typing), strconv.FormatBool(r.Card))
	for _, x := range r.Bubbles {
		add(x.Text, x.Locale, x.Number, x.Dial, x.Web, x.WebLabel)
	}
	for _, row := range append(slices.Clone(r.Rows), r.System) {
		add("row")
		for _, x := range row {
			add(x.Event, x.Label, strconv.FormatBool(x.Help != nil))
		}
	}
	return sha256.Sum256(b)
}

// unseen tells whether a screen is shown for the first time.
func (p *prover) unseen(key [32]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[key] {
		return false
	}
	p.seen[key] = true
	return true
}

// walk presses every button there is, on one channel, with one set of switches.
func (p *prover) walk(w *world, channel string, variant int) {
	w.switches = p.variants[variant]
	lib := p.snap.library
	// A step of the walk. Below a call of the engine's, base is how many calls
	// deep its caller stood; -1 elsewhere.
	type step struct {
		flows.Session
		base int
	}
	type key struct {
		flows.Place
		caller, band string
		depth        int
		back         bool
	}
	setsBand := map[string]bool{}
	for _, f := range lib.Flows() {
		for _, st := range f.States {
			for _, e := range st.Go {
				setsBand[f.Name] = setsBand[f.Name] || e.Do.Name == "band"
			}
		}
	}
	found, listed, known := map[key]bool{}, map[key]bool{}, map[key]bool{}
	pressed, asked := map[string]bool{}, map[string]bool{} // kinds of pages
	positions, presses := 0, 0
	var queue []step
	pages := onDesk(lib)
	visit := func(s flows.Session, base int) {
		if !pages.walks(s) {
			return
		}
		if calls(s) <= base {
			base = -1 // it has returned
		}
		caller := callerOf(s)
		if base >= 0 && calls(s) == base+1 {
			caller = "the engine"
		}
		back := len(s.Path) > 0
		under := key{Place: s.Place, caller: caller, back: back}
		if setsBand[s.Flow] {
			under.band = s.Band // what it returns with differs
		}
		deep := key{Place: s.Place, depth: calls(s), back: back, caller: "any"}
		if s.Page != "" {
			deep.depth = 0 // the pages of a desk lie above one another, however deep it stands
		}
		read := key{Place: s.Place, band: bandOf(lib, s), back: back, caller: "anybody"}
		if found[under] && found[deep] && found[read] {
			return
		}
		found[under], found[deep], found[read] = true, true, true
		positions++
		queue = append(queue, step{s, base})
	}
	visit(lib.New("nb", flows.Input{Next: theScreen, At: w.now}), -1)
	set := &places{channel: channel, switches: variant}
	for len(queue) > 0 && w.ctx.Err() == nil {
		s := queue[0]
		queue = queue[1:]
		reply, _, ok := w.do(channel, s.Session, bot.Update{Event: flows.Show, Screen: s.Screen}, false)
		if !ok {
			p.fail(s.Place, channel, "the screen cannot be shown")
			continue
		}
		// Of pages of one kind one is asked for help and back here; each is shown by
		// its channel with its help button later on.
		kind := pageKind(s.Page)
		first := s.Page == "" || !asked[kind]
		asked[kind] = true
		if first {
			p.position(w, channel, s.Session, reply, false)
		}
		if k := (key{Place: s.Place, band: bandOf(lib, s.Session), back: len(s.Path) > 0}); !listed[k] {
			listed[k] = true
			set.list = append(set.list, s.Session)
			if first {
				p.position(w, channel, s.Session, bot.Reply{}, true)
			}
		}
		if s.Page != "" {
			// From a routine and from a list all that lies behind is come to; of other
			// pages one of each kind is gone on from.
			if pressed[kind] && kind != "r." && kind != "th." {
				continue
			}
			reply.Typing = reply.Typing && !pressed[kind]
			pressed[kind] = true
		}
		var updates []bot.Update
		for _, row := range reply.Rows {
			for _, b := range row {
				if b.Help == nil {
					updates = append(updates, bot.Update{Event: b.Event, Screen: s.Screen})
				}
			}
		}
		if reply.Typing {
			// Words that name a place, and words that mean nothing to us.
			for _, m := range p.snap.data.Municipalities[:min(1, len(p.snap.data.Municipalities))] {
				updates = append(updates, bot.Update{Words: flows.NewWords(m.Name)})
			}
			updates = append(updates, bot.Update{Words: flows.NewWords("qwertz")})
		}
		for _, u := range updates {
			a, next, ok := w.do(channel, s.Session, u, false)
			presses++
			switch {
			case !ok || next.Schema == 0 && !a.Clear:
				p.fail(s.Place, channel, "pressing %q leads nowhere", u.Event)
			case next.Schema != 0:
				visit(next, s.base)
			}
		}
		if k := (key{Place: stateOf(s.Place)}); known[k] || s.base >= 0 {
			continue
		} else {
			known[k] = true
		}
		// The engine's own calls, and the way back from each.
		for _, e := range append([]string{flows.Language, flows.Privacy}, topicEvents(lib)...) {
			_, next, ok := w.do(channel, s.Session, bot.Update{Event: e, Screen: s.Screen}, false)
			presses++
			if !ok || next.Schema == 0 || calls(next) <= calls(s.Session) {
				continue // not offered here, or no call from here
			}
			_, back, ok := w.do(channel, next, bot.Update{Event: flows.Back, Screen: theScreen}, false)
			if !ok || !same(back, s.Session) {
				p.fail(s.Place, channel, "one step back from %s does not lead here", next.Place)
			}
			visit(next, calls(s.Session))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.positions = append(p.positions, set)
	p.proof.Positions += positions
	p.proof.Presses += presses
}

// bandOf is the band whose texts are read: professionals have none.
func bandOf(l *flows.Library, s flows.Session) string {
	if l.For(s) == flows.ForProfessional {
		return ""
	}
	return s.Band
}

// deskPages chooses the pages of a desk that are walked. All of them are made and
// tried in flows/routine/desk; on a screen a page is lines and choices like any
// other, with the engine's buttons below. So every page that has a name of its
// own is walked, and of those that differ by what was answered before one of each
// kind and length.
type deskPages struct {
	named map[string]bool
	one   map[string]string // kind -> the page that stands for it
}

func onDesk(l *flows.Library) *deskPages {
	d := &deskPages{map[string]bool{"": true}, map[string]string{}}
	for _, p := range l.Pages() {
		d.named[p] = true
	}
	return d
}

func (d *deskPages) walks(s flows.Session) bool {
	kind := pageKind(s.Page)
	if d.named[s.Page] {
		return true
	}
	if _, ok := d.one[kind]; !ok {
		d.one[kind] = s.Page
	}
	return d.one[kind] == s.Page
}

// pageKind is what pages of a desk have in common that differ by what they are
// about: what they show, how many answers led there, and the part.
func pageKind(page string) string {
	kind, rest, _ := strings.Cut(page, ".")
	about, part, _ := strings.Cut(rest, ".")
	if kind == "x" || kind == "w" {
		return kind // what it is about is a page's name
	}
	if kind == "t" || kind == "o" || kind == "n" {
		kind += strconv.Itoa(len(about))
	}
	return kind + "." + part
}

// stateOf is a place without what lies on the desk there.
func stateOf(p flows.Place) flows.Place { return flows.Place{Flow: p.Flow, State: p.State} }

// callerOf is the place that a session returns to first.
func callerOf(s flows.Session) string {
	for _, c := range slices.Backward(s.Path) {
		if c.Call {
			return stateOf(c.Place).String()
		}
	}
	return ""
}

func calls(s flows.Session) int {
	n := 0
	for _, c := range s.Path {
		if c.Call {
			n++
		}
	}
	return n
}

func topicEvents(lib *flows.Library) []string {
	var all []string
	for _, t := range lib.Topics() {
		all = append(all, flows.Topic+t)
	}
	for _, a := range lib.Asks() {
		all = append(all, flows.Topic+a)
	}
	return all
}

// position asserts at one position what can be asserted without a channel: help
// is the first of the engine's buttons and carries who asks, it is answered
// without a store, and leads back. reply is its screen, where that is known.
func (p *prover) position(w *world, channel string, s flows.Session, reply bot.Reply, away bool) {
	how := fmt.Sprintf("%s, store %s", channel, upDown(away))
	was, ok := s, true
	if away {
		was = p.snap.library.Carried(s)
	}
	if reply.Screen == "" {
		reply, _, ok = w.do(channel, s, bot.Update{Event: flows.Show, Screen: w.screenOf(s, away)}, away)
	}
	if !ok || len(reply.System) == 0 || reply.System[0].Event != flows.Help || reply.System[0].Help == nil {
		p.fail(s.Place, how, "help is not the first of the engine's buttons")
		return
	}
	if want := (card.Request{Locale: s.Locale, Band: s.Band, Tenant: s.Tenant, Area: was.Area}); *reply.System[0].Help != want {
		p.fail(s.Place, how, "the help button carries %s, not %s", reply.System[0].Help, want)
	}
	helped, after, ok := w.do(channel, s, bot.Update{Event: flows.Help, Screen: reply.Screen, Help: reply.System[0].Help}, away)
	switch _, asked := w.shelf.look(); {
	case !ok || !helped.Card:
		p.fail(s.Place, how, "the help button does not give the card")
	case asked > 0:
		p.fail(s.Place, how, "the store is asked before help is answered")
	case !same(after, was):
		p.fail(s.Place, how, "help changes where the child is, or what it answered")
	default:
		if n := p.lacksNumbers(said(helped)); n != "" {
			p.fail(s.Place, how, "the card does not name %s", n)
		}
	}
	back, after, ok := w.do(channel, s, bot.Update{Event: flows.Show, Screen: helped.Screen}, away)
	if !ok || !looksLike(back, reply) || !same(after, was) {
		p.fail(s.Place, how, "one press back from the card does not lead to the same screen")
	}
	p.count(func(x *Proof) { x.Helped++; x.Returned++ })
}

func upDown(away bool) string {
	if away {
		return "down"
	}
	return "up"
}

// screens asks for every position in one language, with the store up and down.
// Screens that differ go on: help and back in this language, and their channel
// shows them. In bokmål the channel is walked through help and back, too, for
// every state; in the other languages for every band.
func (p *prover) screens(w *world, set *places, locale string) {
	w.switches = p.variants[set.switches]
	n, rendered := 0, 0
	stateless, _ := p.snap.texts.Lookup(locale, "engine.stateless", "")
	through, asked, kinds := map[string]bool{}, map[flows.Place]bool{}, map[string]string{}
	for _, s := range set.list {
		s.Locale = locale
		if kind := pageKind(s.Page); s.Page != "" && locale != locales.Source {
			// In bokmål every page is shown; in the others one of each kind.
			if at := cmp.Or(kinds[kind], s.Page); at != s.Page {
				continue
			}
			kinds[kind] = s.Page
		}
		for _, away := range []bool{false, true} {
			how := fmt.Sprintf("%s, %s, band %s, store %s", locale, set.channel, cmp.Or(s.Band, "not said"), upDown(away))
			reply, _, ok := w.do(set.channel, s, bot.Update{Event: flows.Show, Screen: w.screenOf(s, away)}, away)
			n++
			if !ok || len(reply.System) == 0 || reply.System[0].Help == nil || reply.System[0].Help.Locale != locale || reply.System[0].Help.Band != s.Band {
				p.fail(s.Place, how, "the screen has no help in this language and band")
				continue
			}
			way := s.Band
			if locale == locales.Source {
				way = stateOf(s.Place).String() + " " + pageKind(s.Page)
			}
			if way += upDown(away); !through[way] {
				through[way] = true
				p.through(w, set.channel, s, away, how)
			}
			if away && len(reply.Bubbles) > 1 && reply.Bubbles[0].Text == stateless {
				// One line of the program's own on top; else the same as with the store up.
				reply.Bubbles = reply.Bubbles[1:]
			}
			if !p.unseen(fingerprint(set.channel, reply)) {
				continue
			}
			rendered++
			if kind := (flows.Place{Flow: s.Flow, State: s.State, Page: pageKind(s.Page)}); !asked[kind] {
				asked[kind] = true
				p.position(w, set.channel, s, bot.Reply{}, away)
			}
			w.shelf.lay(s, away)
			shown, err := w.channels[set.channel].press(locale, control{event: flows.Show, screen: w.screenOf(s, away)})
			if err != nil {
				p.fail(s.Place, how, "%v", err)
				continue
			}
			p.holds(w, set.channel, s, shown, how)
		}
	}
	p.count(func(x *Proof) { x.Screens += n; x.Rendered += rendered })
}

// holds asserts that a screen holds help, as what the reply has it carry, and
// every other button of the reply.
func (p *prover) holds(w *world, channel string, s flows.Session, shown screen, how string) (help control, ok bool) {
	reply := w.bot.reply()
	if len(reply.System) == 0 || reply.System[0].Help == nil {
		p.fail(s.Place, how, "the screen sent holds no help")
		return help, false
	}
	for _, c := range shown.controls() {
		carries, _, _ := strings.Cut(c.raw, "|")
		if r, is := card.ParseRequest(carries); is && r == *reply.System[0].Help {
			help, ok = c, true
		}
	}
	if !ok {
		p.fail(s.Place, how, "the screen sent holds no help button that carries %s", reply.System[0].Help)
		return help, false
	}
	if lost := shown.lost(reply, channel); lost != "" {
		p.fail(s.Place, how, "the channel leaves out the button %q", lost)
	}
	return help, true
}

// through shows a screen by its channel, presses help on what is shown, and
// goes back.
func (p *prover) through(w *world, channel string, s flows.Session, away bool, how string) {
	w.shelf.lay(s, away)
	c := w.channels[channel]
	first, err := c.press(s.Locale, control{event: flows.Show, screen: w.screenOf(s, away)})
	if err != nil {
		p.fail(s.Place, how, "%v", err)
		return
	}
	help, ok := p.holds(w, channel, s, first, how)
	if !ok {
		return
	}
	before, _ := w.shelf.look()
	helped, err := c.press(s.Locale, help)
	if err != nil {
		p.fail(s.Place, how, "help: %v", err)
		return
	}
	p.count(func(x *Proof) { x.Walked++; x.Helped++; x.Returned++ })
	if n := p.lacksNumbers(helped.text); n != "" {
		p.fail(s.Place, how, "what help shows does not name %s", n)
	}
	p.holds(w, channel, s, helped, how+", on the card")
	back, ok := helped.find(flows.Show)
	if !ok {
		p.fail(s.Place, how, "no button leads back from the card")
		return
	}
	again, err := c.press(s.Locale, back)
	if err != nil {
		p.fail(s.Place, how, "back from the card: %v", err)
		return
	}
	if again.text != first.text || !slices.EqualFunc(again.controls(), first.controls(), func(a, b control) bool { return a.event == b.event && a.label == b.label }) {
		p.fail(s.Place, how, "one press back from the card shows another screen")
	}
	if after, _ := w.shelf.look(); !away && !same(before, after) {
		p.fail(s.Place, how, "help and back change where the child is, or what it answered")
	}
}

// typeEverywhere types words for help in every state, without a channel. Words
// reach the readers and nothing else, so of those that are read alike one is
// typed in every state, and all in the first.
func (p *prover) typeEverywhere(w *world) {
	alike := map[string]bool{}
	var readings, all []string
	for _, l := range append([]string{""}, card.Locales...) {
		for _, word := range p.words[l] {
			u := p.reader.Read(flows.NewWords(word))
			u.Why, u.Language = nil, ""
			if key := fmt.Sprint(u); !alike[key] {
				alike[key] = true
				readings = append(readings, word)
			}
			all = append(all, word)
		}
	}
	n := 0
	for i, s := range p.oneEach() {
		words := readings
		if i == 0 {
			words = all
		}
		for _, word := range words {
			p.types(w, s, word, false)
			n++
		}
	}
	p.count(func(x *Proof) { x.Typed += n })
}

// typeAway types with the store down: in every state one word, and every word
// in the first state.
func (p *prover) typeAway(w *world) {
	n := 0
	for i, s := range p.oneEach() {
		words := p.words["nb"][:1]
		if i == 0 {
			words = slices.Concat(slices.Collect(maps.Values(p.words))...)
		}
		for _, word := range words {
			p.types(w, s, word, true)
			n++
		}
	}
	p.count(func(x *Proof) { x.Typed += n })
}

func (p *prover) types(w *world, s flows.Session, word string, away bool) {
	how := fmt.Sprintf("%q typed, store %s", word, upDown(away))
	w.who++ // a chat of its own: what was typed before stays out of it
	reply, after, ok := w.do(bot.Web, s, bot.Update{Words: flows.NewWords(word)}, away)
	if !ok || !reply.Card {
		p.fail(s.Place, how, "a word for help does not give the card")
		return
	}
	if n := p.lacksNumbers(said(reply)); n != "" {
		p.fail(s.Place, how, "what a word for help gives does not name %s", n)
	}
	if !away && !same(after, s) {
		p.fail(s.Place, how, "a word for help changes where the child is, or what it answered")
	}
}

// oneEach gives one session of every state that can be come to.
func (p *prover) oneEach() []flows.Session {
	var all []flows.Session
	seen := map[flows.Place]bool{}
	for _, set := range p.positions {
		for _, s := range set.list {
			if !seen[stateOf(s.Place)] {
				seen[stateOf(s.Place)] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// typeThrough types every help word of a language, and those of none, through a
// channel.
func (p *prover) typeThrough(w *world, channel, locale string) {
	w.switches = p.variants[0]
	start := p.snap.library.New(locale, flows.Input{Next: theScreen, At: w.now})
	how := locale + ", " + channel
	words := slices.Concat(p.words[locale], p.words[""])
	for _, word := range words {
		w.shelf.lay(start, false)
		shown, err := w.channels[channel].types(locale, word)
		if err != nil {
			p.fail(start.Place, how, "%q typed: %v", word, err)
			continue
		}
		if n := p.lacksNumbers(shown.text); n != "" {
			p.fail(start.Place, how, "what %q shows does not name %s", word, n)
		}
		if _, ok := shown.find(flows.Show); !ok {
			p.fail(start.Place, how, "no button leads back from what %q shows", word)
		}
	}
	p.count(func(x *Proof) { x.Typed += len(words) })
}

// cards looks at the card of every municipality and part of one, in a language,
// for every band.
func (p *prover) cards(w *world, locale string) {
	type place struct{ tenant, area string }
	places := []place{{}}
	for _, m := range p.snap.data.Municipalities {
		places = append(places, place{m.Number, ""})
		for _, a := range slices.Sorted(maps.Keys(m.Areas)) {
			places = append(places, place{m.Number, a})
		}
	}
	start := p.snap.library.New(locale, flows.Input{Next: theScreen, At: w.now})
	for _, at := range places {
		for _, band := range append([]string{""}, flows.Bands...) {
			r := card.Request{Locale: locale, Band: band, Tenant: at.tenant, Area: at.area}
			reply, _, ok := w.do(bot.Telegram, start, bot.Update{Event: flows.Help, Help: &r}, true)
			if n := p.lacksNumbers(said(reply)); !ok || n != "" {
				p.fail(start.Place, locale+", "+r.String(), "the card of %s %s does not name %s", at.tenant, at.area, n)
			}
		}
	}
	p.count(func(x *Proof) { x.Places = len(places); x.Helped += len(places) * (len(flows.Bands) + 1) })
}
