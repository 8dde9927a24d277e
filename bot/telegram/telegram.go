// Package telegram is the Telegram channel: Telegram on one side, bot.Update and
// bot.Reply on the other.
//
// Updates come in by webhook or polling and are given to the bot one after
// another for each chat; an update is confirmed only when the bot has committed
// it or its answer was shown, so none is lost (S3, S51). What the bot answers is
// shown in one live message that is edited in place (S29), hidden on request and
// tidied after silence (S30, S31). The HTTP calls, their limits and their errors
// stay in here; what is said and what is stored is left to the bot and the store.
package telegram

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"trygg/bot"
)

// Handler answers updates; *bot.Bot is one.
type Handler interface {
	Handle(context.Context, bot.Update) (bot.Answer, error)
	Shown(context.Context, bot.Update, bot.Answer, bot.Sent)
	Content() *bot.Content
}

// Store is what is asked of the store besides what the bot asks itself.
type Store interface {
	Read(ctx context.Context, chat bot.ChatID, want bot.Want) (bot.Chat, error)
	bot.Outbox
}

// Buckets shares the rate of a bot's messages among replicas (S53). Draw takes
// up to most sends from the bucket of that name; 0 = it is empty now.
type Buckets interface {
	Draw(ctx context.Context, name string, most int, now time.Time) (int, error)
}

// Meter counts what happens. It hears of methods and classes only (S40).
type Meter interface {
	// Call is one call to Telegram: the method, and "ok" or the class of its error.
	Call(method, class string, took time.Duration)
	// Update is one update that came in, by kind and what became of it.
	Update(kind, class string)
	// Waiting is how many answers wait to be shown.
	Waiting(n int)
	// Alarm is something a person has to look at: "unauthorized", "poison", "lost".
	Alarm(class string)
}

// Limits bound what is sent and what waits. Zero fields have Telegram's own
// limits as their default.
type Limits struct {
	PerSecond int // messages a second for the token, 30
	PerChat   int // messages a chat may get at once before it is one a second, 5
	Waiting   int // answers held in memory, 10,000; the others wait in the outbox
	Share     int // messages a second of this replica while the store is away, 10
}

// Webhook is where Telegram sends updates.
type Webhook struct {
	URL    string // https, or http on this machine
	Secret Secret
	// Hosts are the host names requests may be for, without ports (F79);
	// empty = any.
	Hosts []string
}

// Secret is what Telegram says with each update. It cannot be printed.
type Secret struct{ s string }

// ParseSecret takes a secret of at least 32 of the letters Telegram allows (S50).
func ParseSecret(s string) (Secret, error) {
	if len(s) < 32 || len(s) > 256 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return Secret{}, errors.New("webhook secret: want 32 to 256 of A-Z a-z 0-9 _ -, random")
	}
	return Secret{s}, nil
}

func (Secret) Format(f fmt.State, _ rune)     { fmt.Fprint(f, "[secret]") }
func (Secret) LogValue() slog.Value           { return slog.StringValue("[secret]") }
func (Secret) MarshalJSON() ([]byte, error)   { return nil, errToken }
func (Secret) MarshalText() ([]byte, error)   { return nil, errToken }
func (Secret) MarshalBinary() ([]byte, error) { return nil, errToken }

// Options are what a Channel is made of. Token, Bot, Store and Reader are needed.
type Options struct {
	Token Token
	API   string // base address; "" = Telegram's own

	Bot    Handler
	Store  Store
	Reader bot.Reader // the one the bot reads typed words with

	Webhook *Webhook // nil = polling

	// Pick gives our tag for a phone's language; nil = all are bokmål (F45).
	Pick func(tag string) (string, bool)
	// Tenant is the municipality of this bot, "" = none (D15). Tenants says which
	// there are; Poster looks a poster's id up.
	Tenant  string
	Tenants func(number string) bool
	Poster  func(id string) (tenant string, ok bool)
	// ChildOff says whether a municipality has no child part on Telegram; then
	// only help, the professional part and the way to WebURL are shown (D15).
	ChildOff func(tenant string) bool
	WebURL   string

	// Gone is told of chats that do not want us any more: their opt-ins end
	// (F52). It must not block.
	Gone func(bot.ChatID)

	Buckets   Buckets // nil = this process is alone
	Limits    Limits
	Log       *slog.Logger
	Meter     Meter
	Now       func() time.Time
	Transport http.RoundTripper // nil = one tuned for Telegram
}

// Times.
const (
	handleTime = 10 * time.Second // one update, all in all
	showTime   = 8 * time.Second  // a committed answer is tried from memory; then the outbox has it
	cardTime   = time.Minute      // an answer that nobody else has is tried
	waitTime   = 8 * time.Second  // an update waits for its answer to be shown
	oldAfter   = 10 * time.Minute // updates older than this are not answered one by one (S51)
	stopTime   = 10 * time.Second // everything ends within (F21)
)

// Channel serves one bot. It is safe for many goroutines.
type Channel struct {
	o       Options
	api     *api
	id      string // the bot's number
	rate    *rate
	lanes   lanes
	events  events
	tries   tries
	taken   recent[int]    // updates dealt with here
	groups  recent[int64]  // that were told that we leave
	leaving recent[int64]  // groups being left
	alarms  recent[string] // that were logged

	secret [sha256.Size]byte
	life   context.Context // ends when Run has drained everything
	die    context.CancelFunc
	closed atomic.Bool
	taking group // updates under way
	work   group // answers under way
}

// Format keeps a Channel, which holds the token, from being printed.
func (c *Channel) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[telegram channel]") }

// New makes a Channel. Nothing is called before Run.
func New(o Options) (*Channel, error) {
	var faults []error
	if o.Token == (Token{}) || o.Bot == nil || o.Store == nil || o.Reader == nil {
		faults = append(faults, errors.New("Token, Bot, Store and Reader are needed"))
	}
	if o.API == "" {
		o.API = "https://api.telegram.org"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Gone == nil {
		o.Gone = func(bot.ChatID) {}
	}
	for _, d := range []struct {
		field *int
		value int
	}{{&o.Limits.PerSecond, 30}, {&o.Limits.PerChat, 5}, {&o.Limits.Waiting, 10_000}, {&o.Limits.Share, 10}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	c := &Channel{o: o, id: o.Token.ID()}
	if h := o.Webhook; h != nil {
		u, err := url.Parse(h.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
			faults = append(faults, errors.New("webhook: want an https:// address, or http:// on this machine"))
		}
		if h.Secret == (Secret{}) {
			faults = append(faults, errors.New("webhook: a secret is needed"))
		}
		c.secret = sha256.Sum256([]byte(h.Secret.s))
	}
	var err error
	if c.api, err = newAPI(o); err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("telegram: %w", err)
	}
	c.rate = newRate(c)
	c.lanes.all = map[int64]*lane{}
	c.taken.most, c.groups.most, c.leaving.most, c.alarms.most, c.tries.most = 4096, 4096, 4096, 64, 4096
	c.life, c.die = context.WithCancel(context.Background())
	return c, nil
}

// Bot is the bot's number, as it stands in bot.ChatID.
func (c *Channel) Bot() string { return c.id }

// Path is where the webhook is to be served; "" when polling.
func (c *Channel) Path() string {
	if c.o.Webhook == nil {
		return ""
	}
	u, err := url.Parse(c.o.Webhook.URL)
	if err != nil || u.Path == "" {
		return "/"
	}
	return u.Path
}

// Run serves until ctx is done: it tells Telegram who we are and where updates
// go, polls when there is no webhook, shows what a crash left unshown and tidies
// silent chats. It then takes no more updates, finishes those under way and
// waits for all it started, ten seconds at most (F21).
func (c *Channel) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	loops.Go(func() { c.introduce(ctx) })
	loops.Go(func() { c.resend(ctx) })
	loops.Go(func() { c.tidy(ctx) })
	loops.Go(func() { c.sweep(ctx) })
	if c.o.Webhook == nil {
		loops.Go(func() { c.poll(ctx) })
	} else {
		loops.Go(func() { c.setWebhook(ctx) })
	}
	<-ctx.Done()
	c.closed.Store(true)
	hurry := time.AfterFunc(stopTime/3, c.lanes.hurry)
	defer hurry.Stop()
	end := time.AfterFunc(stopTime-time.Second, c.die)
	defer end.Stop()
	c.taking.wait()
	loops.Wait()
	c.lanes.hurry()
	c.work.wait()
	c.die()
	return nil
}

// goes starts work that Run waits for.
func (c *Channel) goes(f func()) {
	c.work.add()
	go func() {
		defer c.work.done()
		f()
	}()
}

// group counts what is under way. Unlike sync.WaitGroup it may grow while
// somebody waits.
type group struct {
	mu   sync.Mutex
	n    int
	zero chan struct{}
}

func (g *group) add() {
	g.mu.Lock()
	g.n++
	g.mu.Unlock()
}

func (g *group) done() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n--; g.n == 0 && g.zero != nil {
		close(g.zero)
		g.zero = nil
	}
}

func (g *group) wait() {
	for {
		g.mu.Lock()
		if g.n == 0 {
			g.mu.Unlock()
			return
		}
		if g.zero == nil {
			g.zero = make(chan struct{})
		}
		zero := g.zero
		g.mu.Unlock()
		<-zero
	}
}

func (c *Channel) content() *bot.Content { return c.o.Bot.Content() }

// text gives one of our texts.
func (c *Channel) text(locale, id string) string {
	text, _ := c.content().Texts.Lookup(locale, id, "")
	return text
}

// unknown is the language of those whose phone says none, or none of ours (F45).
const unknown = "nb"

// locale gives our tag for a phone's language, if it may be chosen (S68).
func (c *Channel) locale(lang string) string {
	if lang == "" || c.o.Pick == nil {
		return unknown
	}
	tag, ok := c.o.Pick(lang)
	if may := c.content().Locales; !ok || may != nil && !may[tag] {
		return unknown
	}
	return tag
}

func (c *Channel) chatID(chat int64) bot.ChatID {
	return bot.ChatID{Channel: bot.Telegram, Bot: c.id, User: strconv.FormatInt(chat, 10)}
}

// ours gives the number of a chat of this bot.
func (c *Channel) ours(chat bot.ChatID) (int64, bool) {
	id, err := strconv.ParseInt(chat.User, 10, 64)
	return id, err == nil && chat.Channel == bot.Telegram && chat.Bot == c.id
}

// failed logs an error that nobody above can act on.
func (c *Channel) failed(event string, err error) {
	c.o.Log.Warn("telegram", "event", event, "class", class(err))
}

type noMeter struct{}

func (noMeter) Call(string, string, time.Duration) {}
func (noMeter) Update(string, string)              {}
func (noMeter) Waiting(int)                        {}
func (noMeter) Alarm(string)                       {}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// tries counts how often an update failed, and recent remembers what was done a
// moment ago; both in memory, bounded, the oldest forgotten first.
type tries struct {
	most  int
	mu    sync.Mutex
	count map[int]int
	order []int
}

// failed counts one more failure of an update.
func (t *tries) failed(id int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[int]int{}
	}
	if t.count[id] == 0 {
		if t.order = append(t.order, id); len(t.order) > t.most {
			delete(t.count, t.order[0])
			t.order = t.order[1:]
		}
	}
	t.count[id]++
	return t.count[id]
}

type recent[K comparable] struct {
	most  int
	mu    sync.Mutex
	at    map[K]time.Time
	order []K
}

func (r *recent[K]) has(key K) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.at[key]
	return ok
}

// first tells whether something is done for the first time within a while, and
// remembers it.
func (r *recent[K]) first(key K, now time.Time, within time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[K]time.Time{}
	}
	at, known := r.at[key]
	if known && now.Sub(at) < within {
		return false
	}
	if !known {
		if r.order = append(r.order, key); len(r.order) > r.most {
			delete(r.at, r.order[0])
			r.order = r.order[1:]
		}
	}
	r.at[key] = now
	return true
}
