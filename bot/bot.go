package bot

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"hash/maphash"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"trygg/flows"
	"trygg/flows/card"
)

// Budgets and lifetimes.
const (
	// StoreBudget is what all store calls of one update may take together (S3).
	StoreBudget = 300 * time.Millisecond
	// EraseBudget is what erasing may take (S38).
	EraseBudget = 2 * time.Second
	// Quiet is the silence after which a session ends by itself where nothing
	// of it stands on a phone (S37).
	Quiet = 30 * time.Minute
	// Longest is how long a session lasts at most (S37).
	Longest = 24 * time.Hour
	// TidyAfter is the silence after which a live message returns to the
	// neutral start and its session ends; TidyLate when the child switched
	// tidying off (S31).
	TidyAfter = 15 * time.Minute
	TidyLate  = 2 * time.Hour

	conflicts = 5 // times a step is repeated on a newer session
)

// Bot answers updates. Everything it needs is given to New; it is safe for
// many goroutines.
type Bot struct {
	content atomic.Pointer[Content]
	chats   Chats
	reader  Reader
	meter   Meter
	log     *slog.Logger
	now     func() time.Time

	window *window
	seed   maphash.Seed
	locks  [1024]sync.Mutex // order within a chat, in this process
	erase  erasures
	notes  notes
}

// Options are what a Bot is made of. Content, Chats and Reader are needed.
type Options struct {
	Content *Content
	Chats   Chats
	Reader  Reader
	Meter   Meter
	Log     *slog.Logger
	Now     func() time.Time
}

// New gives a Bot that answers with this content.
func New(o Options) *Bot {
	b := &Bot{chats: o.Chats, reader: o.Reader, meter: o.Meter, log: o.Log, now: o.Now, window: newWindow(), seed: maphash.MakeSeed()}
	if b.meter == nil {
		b.meter = noMeter{}
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.now == nil {
		b.now = time.Now
	}
	b.content.Store(o.Content)
	return b
}

// Publish swaps the content as a whole. Updates under way finish with the old.
func (b *Bot) Publish(c *Content) { b.content.Store(c) }

// Content gives what is published now.
func (b *Bot) Content() *Content { return b.content.Load() }

// Handle answers one update. It always gives a reply that holds help; the error
// tells the channel that nothing was stored and the reply is all there is only
// when Outcome is Failed (S3). It never panics (F22).
func (b *Bot) Handle(ctx context.Context, u Update) (a Answer, err error) {
	begun := time.Now()
	p := &press{Bot: b, c: b.content.Load(), u: u}
	defer func() {
		if r := recover(); r != nil {
			// The trace names code, never what was typed: r may hold it and is dropped.
			b.meter.Panic()
			b.log.Error("panic", "event", "panic", "class", "handle", "trace", frames(debug.Stack()))
			a, err = p.card(p.request(flows.Session{}, flows.None), Failed), nil
		}
		took := time.Since(begun)
		b.meter.Update(u.Chat.Channel, a.Outcome, took)
		b.log.LogAttrs(ctx, slog.LevelInfo, "update", slog.String("event", kind(u)), slog.String("class", p.class),
			slog.String("outcome", string(a.Outcome)), slog.Duration("took", took), slog.String("request", rand.Text()[:8]))
	}()
	if u.At.IsZero() {
		p.u.At = b.now()
	}
	if !p.c.Library.Lists(u.Tenant) {
		p.u.Tenant = "" // a link names a municipality we do not have
	}
	return p.handle(ctx)
}

// Help makes the help card of an update from the program itself: it needs no
// store, no session and no network, and cannot fail (S2).
func (b *Bot) Help(_ context.Context, u Update) Reply {
	if u.At.IsZero() {
		u.At = b.now()
	}
	p := &press{Bot: b, c: b.content.Load(), u: u}
	r := card.Request{Locale: u.Locale, Tenant: u.Tenant}
	if u.Help != nil {
		r = *u.Help
	}
	return p.card(r, Helped).Reply
}

// press is one update on its way through.
type press struct {
	*Bot
	c     *Content
	u     Update
	class string // what is logged about the place: never a sensitive topic
	// guessed says that no session told the language, only the phone (S2).
	guessed bool
	read    *flows.Understanding // a child's words, read once
}

func (p *press) handle(ctx context.Context) (Answer, error) {
	// Help comes first, from the program itself: no store, no session (S2).
	if p.u.Help != nil {
		p.class = "card"
		p.window.show(p.u.Chat, p.u.Help)
		return p.card(*p.u.Help, Helped), nil
	}
	switch {
	case p.u.Event == flows.Erase:
		p.window.forget(p.u.Chat)
	case p.u.Words.Empty():
		p.window.show(p.u.Chat, nil)
	}
	lock := &p.locks[maphash.Comparable(p.seed, p.u.Chat)%uint64(len(p.locks))]
	lock.Lock()
	defer lock.Unlock()

	store, done := context.WithTimeout(ctx, StoreBudget)
	defer done()
	want := p.want()
	for range conflicts {
		chat, err := p.chats.Read(store, p.u.Chat, want)
		away := err != nil
		if chat.Seen {
			return p.repeated(chat), nil
		}
		s, resumed := p.present(chat.Session)
		u := p.understand(s)
		if r, ok := p.helps(s, u); ok {
			// The place is kept: nothing moves, and Back shows the screen again.
			p.class = "card"
			p.window.show(p.u.Chat, &r)
			p.guessed = chat.Session.Schema == 0 && p.u.Chat.Channel == Telegram
			a := p.card(r, Helped)
			p.tells(&a.Reply, s, r)
			a.Chat = chat
			return a, nil
		}
		p.window.show(p.u.Chat, nil)
		if event, ok := p.named(s); ok {
			p.u.Event, p.u.Words, u = event, flows.Words{}, flows.Understanding{}
		}
		next, effects, stale := p.step(s, u)
		if next.Schema == 0 && s.Locale != "" {
			p.u.Locale = s.Locale // the start is shown in the language that was read
		}
		if away {
			return p.stateless(ctx, next, effects, stale), nil
		}
		if p.u.Chat.Channel == Telegram && !want.Traces && has[flows.Clear](effects) {
			// An author's button that hides or erases: nobody could know before.
			want.Traces = true
			continue
		}
		a, err := p.commit(store, chat, resumed, next, effects, stale)
		switch {
		case err == nil:
			return p.after(ctx, a, effects), nil
		case errors.Is(err, ErrConflict):
			continue
		case errors.Is(err, ErrRepeated):
			return p.repeated(chat), nil
		}
		return p.stateless(ctx, next, effects, stale), nil
	}
	s, _ := p.present(flows.Session{})
	next, effects, stale := p.step(s, p.understand(s))
	return p.stateless(ctx, next, effects, stale), nil
}

// understand reads what was typed, once: as a question at the desk where a
// professional stands, else as a child's words (S10). What a professional types
// is kept nowhere, not even for the two minutes of the window (D10).
func (p *press) understand(s flows.Session) flows.Understanding {
	switch {
	case p.u.Event == flows.Help:
		return flows.Understanding{Help: true}
	case p.u.Words.Empty():
	case p.c.Ask != nil && p.c.Library.For(s) == flows.ForProfessional:
		return p.c.Ask(p.u.Words, s)
	case p.read == nil:
		u := p.window.understand(p.reader, p.u.Chat, p.u.Words, p.u.At)
		p.read = &u
		fallthrough
	default:
		return *p.read
	}
	return flows.Understanding{}
}

// want is what an update needs to know besides the session. The hide list is
// long, so only those who write to it or empty it read it.
func (p *press) want() Want {
	return Want{
		Traces: p.u.Message != 0 || p.u.Chat.Channel == Telegram && (p.u.Event == flows.Hide || p.u.Event == flows.Erase),
		Update: p.u.ID,
	}
}

// repeated answers an update that was dealt with before: nothing changes, and
// whoever still waits is shown the present screen (S51).
func (p *press) repeated(chat Chat) Answer {
	s, _ := p.present(chat.Session)
	a := p.answer(s, p.c.Library.Show(s, p.env(s)), Repeated)
	a.Chat = chat
	return a
}

// present gives the session the update is about: the stored one, or the one
// the pressed screen carries when that is newer, or a new one. resumed says
// that it is not what is stored.
func (p *press) present(stored flows.Session) (s flows.Session, resumed bool) {
	in := p.input(flows.Understanding{}, stored)
	if flows.IsBearing(p.u.Screen) {
		if r, at, ok := p.c.Library.Resume(p.u.Screen, in); ok && (stored.Schema == 0 || !at.Before(stored.UpdatedAt)) {
			if p.u.Tenant != "" {
				r.Tenant = p.u.Tenant
			}
			if r.Locale == "" {
				r.Locale = p.u.Locale
			}
			return r, true
		}
	}
	if stored.Schema != 0 {
		return stored, false
	}
	s = p.c.Library.New(p.u.Locale, in)
	s.Tenant = p.u.Tenant
	return s, true
}

func (p *press) env(s flows.Session) flows.Env {
	e := flows.Env{Channel: p.u.Chat.Channel, Locales: p.c.Locales}
	if p.c.Switches != nil {
		e.Switches = p.c.Switches(s.Tenant)
	}
	return e
}

func (p *press) input(u flows.Understanding, s flows.Session) flows.Input {
	event := p.u.Event
	if !p.u.Words.Empty() {
		event = flows.Typed
	}
	return flows.Input{Event: event, Screen: p.u.Screen, Understanding: u, At: p.u.At, Next: rand.Text()[:10], Env: p.env(s)}
}

func (p *press) step(s flows.Session, u flows.Understanding) (flows.Session, []flows.Effect, error) {
	begun := time.Now()
	next, effects, err := p.c.Library.Step(s, p.input(u, s))
	p.meter.Step(time.Since(begun))
	if p.u.Event == flows.Restart && p.u.Tenant != "" {
		next.Tenant = p.u.Tenant // a poster's link begins anew, in its municipality
	}
	p.class = class(next)
	return next, effects, err
}

// commit writes what the step gave, and the update's mark, in one go. What
// changes nothing and has no mark writes nothing.
func (p *press) commit(ctx context.Context, chat Chat, resumed bool, next flows.Session, effects []flows.Effect, stale error) (Answer, error) {
	ends := next.Schema == 0
	c := Change{
		Chat: p.u.Chat, Version: chat.Version, Update: p.u.ID,
		Session: next, End: ends, Until: ending(p.u.Chat, next, next.UpdatedAt),
	}
	if p.u.Message != 0 {
		chat.Traces = chat.Traces.With(p.u.Message, p.u.At)
		c.Traces = &chat.Traces
	}
	if p.u.Chat.Channel == Telegram && !ends {
		c.Tidy, c.Locale = p.u.At.Add(quiet(p.u.Chat, next)), cmp.Or(next.Locale, p.u.Locale)
	}
	unchanged := stale != nil || p.u.Event == flows.Show
	switch {
	case unchanged && p.u.ID == "" && c.Traces == nil, ends && chat.Session.Schema == 0 && p.u.ID == "":
		if resumed && !ends {
			next.Screen = p.c.Library.Bearing(next, p.u.At)
		}
		return p.answer(next, effects, outcome(stale)), nil
	case unchanged && chat.Session.Schema == 0:
		// A mark and nothing else: a screen that was looked at is not stored.
		c.End = true
		next.Screen = p.c.Library.Bearing(next, p.u.At)
	}
	if p.u.ID != "" {
		c.Show = &Entry{Chat: p.u.Chat, Screen: next.Screen, At: p.u.At}
		for _, e := range effects {
			switch e := e.(type) {
			case flows.Say:
				c.Show.Before = e.Before
			case flows.Toast:
				c.Show.Toast = e.Message
			case flows.Clear:
				c.Show.Clear, c.Show.Locale = true, p.u.Locale
			case flows.Forget:
				c.Show.Erase = p.u.Chat.Channel == Telegram
			}
		}
	}
	begun := time.Now()
	version, id, err := p.chats.Commit(ctx, c)
	p.meter.Commit(time.Since(begun), err)
	if err != nil {
		return Answer{}, err
	}
	a := p.answer(next, effects, outcome(stale))
	a.Entry, a.Chat = id, Chat{Session: next, Version: version, Traces: chat.Traces}
	return a, nil
}

func outcome(stale error) Outcome {
	if stale != nil {
		return Stale
	}
	return Committed
}

// quiet is the silence after which a session ends by itself (S31, S37).
func quiet(chat ChatID, s flows.Session) time.Duration {
	switch {
	case chat.Channel != Telegram:
		return Quiet
	case s.Linger:
		return TidyLate
	}
	return TidyAfter
}

// ending says when a session ends by itself after somebody was there at last.
func ending(chat ChatID, s flows.Session, at time.Time) time.Time {
	end := at.Add(quiet(chat, s))
	if last := s.StartedAt.Add(Longest); last.Before(end) {
		return last
	}
	return end
}

// stateless answers without the store: the same step, and a screen that
// carries where it stands, so that reading goes on (S3).
func (p *press) stateless(ctx context.Context, s flows.Session, effects []flows.Effect, stale error) Answer {
	if s.Schema != 0 {
		s.Screen = p.c.Library.Bearing(s, p.u.At)
	}
	a := p.answer(s, effects, Stateless)
	if s.Schema != 0 && !a.Reply.Clear {
		a.Reply.Bubbles = slices.Insert(a.Reply.Bubbles, 0, p.bubble(s, "engine.stateless"))
	}
	return p.after(ctx, a, effects)
}

// after does what a step asked of the world besides the reply.
func (p *press) after(ctx context.Context, a Answer, effects []flows.Effect) Answer {
	if !has[flows.Forget](effects) {
		return a
	}
	p.window.forget(p.u.Chat)
	p.notes.forget(p.u.Chat)
	phone := p.u.Chat.Channel == Telegram
	a.Erased, a.Erases = !phone, phone
	if phone && a.Entry != (EntryID{}) {
		return a // the commit did it
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), EraseBudget)
	defer done()
	chat, id, err := p.forget(ctx, p.u.Chat, p.u.At, p.u.Locale, p.u.ID)
	if err != nil {
		// Said honestly, and tried again until it is done (F8).
		p.Bot.erase.later(p.u.Chat, erasure{p.u.At, p.u.Locale})
		text, _ := p.c.Texts.Lookup(a.Reply.Locale, "engine.erase_later", "")
		a.Reply.Toast, a.Erased = text, false
		return a
	}
	a.Chat, a.Entry = chat, id
	return a
}

func has[E flows.Effect](effects []flows.Effect) bool {
	return slices.ContainsFunc(effects, func(e flows.Effect) bool { _, ok := e.(E); return ok })
}

// helps tells whether words are answered by the card, and by which: they ask for
// help, or tell something, or answer the card that stands there (S13). What says
// nothing of its own right after a card, the last piece of what was told perhaps,
// does not take it away (F47, F101).
func (p *press) helps(s flows.Session, u flows.Understanding) (card.Request, bool) {
	child := p.c.Library.For(s) == flows.ForChild
	if u.Help || u.Level > flows.None && child {
		r := p.request(s, u.Level)
		r.Route = route(u)
		return r, true
	}
	stands := p.window.shown(p.u.Chat)
	if p.u.Words.Empty() || !child || stands == nil || stands.Level == flows.None {
		return card.Request{}, false
	}
	if r, ok := stands.Answer(p.u.Words.Read(), s.Locale); ok {
		return r, true
	}
	return *stands, u.Place == "" && !p.c.Library.Leads(u)
}

// telling is the topic about what happens when a child tells.
const telling = "what-happens-if-i-tell"

// tells adds a way to read what happens when one tells to the card that answers
// words (facts 6.4), but where there is danger now.
func (p *press) tells(reply *Reply, s flows.Session, r card.Request) {
	if r.Level != flows.Worry && r.Level != flows.Disclosure || r.Part == card.Risk || !slices.Contains(p.c.Library.Topics(), telling) {
		return
	}
	s.Locale = reply.Locale
	b := flows.Button{Event: flows.Topic + telling, Label: "topic." + telling}
	reply.Rows = append(reply.Rows, []Button{{Event: b.Event, Label: p.label(s, b)}})
}

// named tells whether what was typed is the label of a button that stands on the
// screen: typing it is pressing it.
func (p *press) named(s flows.Session) (event string, ok bool) {
	typed := letters(p.u.Words.Read())
	if typed == "" {
		return "", false
	}
	for _, e := range p.c.Library.Show(s, p.env(s)) {
		say, ok := e.(flows.Say)
		if !ok {
			continue
		}
		for _, b := range slices.Concat(say.Buttons...) {
			if letters(p.label(s, b)) == typed {
				return b.Event, true
			}
		}
		for _, e := range say.System {
			if e != flows.Help && letters(p.label(s, flows.Button{Event: e})) == typed {
				return e, true
			}
		}
	}
	return "", false
}

// letters is a text as it is compared: small letters and digits only.
func letters(text string) string {
	if len(text) > maxLabel {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// maxLabel bounds what is compared with labels, in bytes: none is longer.
const maxLabel = 200

// request is the card for a session.
func (p *press) request(s flows.Session, level flows.Level) card.Request {
	if s.Locale == "" {
		s.Locale = p.u.Locale
	}
	return card.Request{Locale: s.Locale, Band: s.Band, Tenant: s.Tenant, Area: s.Area, Level: level}
}

// routes are the card's ways to go for what typed words are about; the others
// go the way of violence at home (facts 1.8).
var routes = map[string]string{
	"sexual-abuse": "sexual", "abuse-online": "online", "bullying": "bullying",
	"negative-social-control": "control", "forced-marriage": "control", "fgm": "control",
	"friend-in-trouble": "friend", "i-hurt-someone": "hurt", "suicide-selfharm": "suicide",
}

func route(u flows.Understanding) string {
	if u.Parent {
		return "parent"
	}
	for _, t := range u.Topics {
		if r, ok := routes[t]; ok {
			return r
		}
	}
	return ""
}

// class names a place for the log: the flows every child passes by name, all
// others together (S40).
func class(s flows.Session) string {
	switch s.Flow {
	case "start", "menu", "language", "privacy":
		return s.Flow
	case "":
		return "end"
	}
	return "topic"
}

// kind names an update for the log.
func kind(u Update) string {
	switch {
	case u.Help != nil:
		return "help"
	case !u.Words.Empty():
		return "words"
	case slices.Contains(flows.System, u.Event) || u.Event == flows.Show || u.Event == flows.Idle:
		return u.Event
	}
	return "press"
}
