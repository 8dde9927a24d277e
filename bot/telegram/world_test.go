package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"trygg/bot"
	"trygg/bot/bottest"
	"trygg/bot/telegram"
	"trygg/bot/telegram/faketelegram"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/flows/crisis"
	"trygg/locales"
	"trygg/store"
	"trygg/store/storetest"
)

// conversation is a small one: a start, a menu, pages to read, one for staff.
var conversation = fstest.MapFS{
	"index.yaml": {Data: []byte("start: hello/one\nhome: menu/main\nlanguage: tongue/pick\nprivacy: menu/who\ntopics: {rights: menu/page}\n")},
	"hello.yaml": {Data: []byte("flow: hello\nstart: one\nstates:\n  one: {say: hello.one, buttons: [[next], [staff]], go: {next: menu/, staff: staff/}}\n")},
	"menu.yaml": {Data: []byte(`flow: menu
start: main
states:
  main: {say: menu.main, buttons: [[page, a_very_long_name_of_an_event], [aloud, late], [vanish, wipe]], go: {a_very_long_name_of_an_event: long, aloud: main, late: main, vanish: main, wipe: main}, do: {aloud: "messages new", late: tidy late, vanish: hide, wipe: erase}}
  page: {say: [menu.page, menu.more], buttons: [[again]], go: {again: main}}
  long: {say: menu.long, buttons: [[again]], go: {again: main}}
  who: {say: menu.who, buttons: [[read]], go: {read: done}}
`)},
	"tongue.yaml": {Data: []byte("flow: tongue\nstart: pick\nstates:\n  pick: {say: tongue.pick, buttons: [[nb, en]], go: {nb: done, en: done}, do: {nb: locale nb, en: locale en}}\n")},
	"staff.yaml":  {Data: []byte("flow: staff\nfor: professional\nstart: main\nstates:\n  main: {say: staff.main, buttons: [[again], [out]], go: {again: main, out: done}}\n")},
}

// texts gives the conversation's own words as they are named, and everything
// else from the real files.
type texts struct{ *locales.Bundle }

func (t texts) Lookup(locale, id, band string) (string, string) {
	if locale == "" {
		locale = "nb"
	}
	for _, own := range []string{"hello.", "menu.", "tongue.", "staff."} {
		if strings.HasPrefix(id, own) {
			return id + "/" + locale, locale
		}
	}
	return t.Bundle.Lookup(locale, id, band)
}

var parts = sync.OnceValues(func() (*bot.Content, *crisis.Reader) {
	lib, problems := flows.Load(conversation, []flows.Named{{Number: "0301", Name: "Oslo"}, {Number: "5501", Name: "Tromsø"}})
	if len(problems) > 0 {
		panic(fmt.Sprint(problems))
	}
	d, err := data.Embedded()
	if err != nil {
		panic(err)
	}
	bundle, ps := locales.Load(locales.Files, d.Numbers())
	if len(ps) > 0 {
		panic(fmt.Sprint(ps))
	}
	c, err := card.New(bundle, d)
	if err != nil {
		panic(err)
	}
	r, err := crisis.New()
	if err != nil {
		panic(err)
	}
	return &bot.Content{Library: lib, Texts: texts{bundle}, Card: c}, r
})

func pick(tag string) (string, bool) {
	switch base, _, _ := strings.Cut(tag, "-"); base {
	case "no", "nb":
		return "nb", true
	case "nn", "en", "uk", "ar":
		return base, true
	}
	return "", false
}

const (
	webhookURL = "http://127.0.0.1:1/hook"
	hookSecret = "0123456789012345678901234567890123456789abc"
)

// both is what the bot and the channel need of a store.
type both interface {
	bot.Chats
	bot.Outbox
}

// world is one bot between a Telegram and a store.
type world struct {
	t     testing.TB
	setup setup
	real  bool // time passes by itself
	clock *clock
	fake  *faketelegram.Server
	redis *storetest.Server
	store both
	now   func() time.Time
	log   *lockedBuffer
	meter *meter

	replicas []*replica
	turn     int
	turned   atomic.Bool // the person of the test turned away
	leases   leases
	mu       sync.Mutex
	gone     []bot.ChatID
}

// replica is one process. kill -9 is what the world sees of it: from that moment
// nothing it does reaches anybody.
type replica struct {
	c      *telegram.Channel
	bot    *bot.Bot
	store  *leash
	stop   context.CancelFunc
	done   chan struct{}
	dead   atomic.Bool
	before atomic.Pointer[func(method string)] // runs before each call to Telegram
}

func (r *replica) end() {
	r.stop()
	<-r.done
}

// kill is kill -9.
func (r *replica) kill() { r.dead.Store(true) }

var errDead = errors.New("the process is dead")

// leash is the store as one process sees it.
type leash struct {
	both
	dead      *atomic.Bool
	leases    *leases
	trips     atomic.Int64           // of updates, not of what runs by itself
	committed func(bot.Change)       // runs after each commit
	before    atomic.Pointer[func()] // runs before each call for an update
}

func (l *leash) called() {
	l.trips.Add(1)
	if f := l.before.Load(); f != nil {
		(*f)()
	}
}

func (l *leash) Read(ctx context.Context, c bot.ChatID, w bot.Want) (bot.Chat, error) {
	l.called()
	if l.dead.Load() {
		return bot.Chat{}, errDead
	}
	return l.both.Read(ctx, c, w)
}

func (l *leash) Commit(ctx context.Context, c bot.Change) (bot.Version, bot.EntryID, error) {
	l.called()
	if l.dead.Load() {
		return bot.Version{}, bot.EntryID{}, errDead
	}
	v, id, err := l.both.Commit(ctx, c)
	if f := l.committed; f != nil && err == nil {
		f(c)
	}
	return v, id, err
}

func (l *leash) Erase(ctx context.Context, c bot.ChatID) error {
	l.called()
	if l.dead.Load() {
		return errDead
	}
	return l.both.Erase(ctx, c)
}

func (l *leash) Pending(ctx context.Context, shard, most int) ([]bot.EntryID, []bot.Entry, error) {
	if l.dead.Load() {
		return nil, nil, errDead
	}
	return l.both.Pending(ctx, shard, most)
}

func (l *leash) Shown(ctx context.Context, c bot.ChatID, id bot.EntryID, v bot.Version, t *bot.Traces) error {
	l.called()
	if l.dead.Load() {
		return errDead
	}
	return l.both.Shown(ctx, c, id, v, t)
}

func (l *leash) Due(ctx context.Context, shard, most int, now time.Time) ([]bot.Due, error) {
	if l.dead.Load() {
		return nil, errDead
	}
	return l.both.Due(ctx, shard, most, now)
}

func (l *leash) Claim(ctx context.Context, d bot.Due) (bool, error) {
	if l.dead.Load() {
		return false, errDead
	}
	return l.both.Claim(ctx, d)
}

func (l *leash) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	if l.dead.Load() {
		return false, errDead
	}
	if _, err := l.both.Lease(ctx, name, ttl); err != nil {
		return false, err // it is away
	}
	return l.leases.take(l, name, ttl), nil
}

// leases are who does what, for replicas that share one store in a test.
type leases struct {
	mu   sync.Mutex
	held map[string]holding
}

type holding struct {
	by    *leash
	until time.Time
}

func (l *leases) take(by *leash, name string, ttl time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[string]holding{}
	}
	h := l.held[name]
	if h.by != nil && h.by != by && h.until.After(time.Now()) {
		return false
	}
	l.held[name] = holding{by, time.Now().Add(ttl)}
	return true
}

// expire ends all leases, as time would.
func (l *leases) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = nil
}

// asleep lets a long time pass in which no process runs.
func (w *world) asleep(d time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	old := w.replicas
	w.replicas = nil
	w.mu.Unlock()
	for _, r := range old {
		r.end()
	}
	time.Sleep(d)
	w.add(w.setup.content)
	w.settle()
}

// clock is the real one, moved.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time      { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) add(d time.Duration) { c.ahead.Add(int64(d)) }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

type meter struct {
	mu      sync.Mutex
	alarms  map[string]int
	updates map[string]int
	calls   map[string]int
}

func (m *meter) Call(method, class string, _ time.Duration) { m.add(&m.calls, method+" "+class) }
func (m *meter) Update(kind, class string)                  { m.add(&m.updates, kind+" "+class) }
func (m *meter) Waiting(int)                                {}
func (m *meter) Alarm(class string)                         { m.add(&m.alarms, class) }

func (m *meter) add(to *map[string]int, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if *to == nil {
		*to = map[string]int{}
	}
	(*to)[key]++
}

func (m *meter) count(of *map[string]int, key string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return (*of)[key]
}

type setup struct {
	mode     string // "webhook", "polling"
	store    both
	replicas int
	fake     faketelegram.Options
	change   func(*telegram.Options)
	content  *bot.Content
	now      func() time.Time
}

func newWorld(t testing.TB, s setup) *world {
	t.Helper()
	w := &world{t: t, setup: s, now: s.now, log: &lockedBuffer{}, meter: &meter{}, store: s.store}
	if w.now == nil {
		w.now = time.Now
	}
	if w.store == nil {
		w.store = &bottest.Memory{Now: s.now}
	}
	s.fake.Deliver, s.fake.Now = roundTripper(w.carry), s.now
	w.fake = faketelegram.New(s.fake)
	for range max(1, s.replicas) {
		w.add(s.content)
	}
	t.Cleanup(func() {
		var ends sync.WaitGroup
		for _, r := range w.replicas {
			ends.Go(r.end)
		}
		ends.Wait()
		w.fake.Close()
	})
	return w
}

// onRedis gives the real store on a real server.
func onRedis(t testing.TB, now func() time.Time) (*storetest.Server, both) {
	t.Helper()
	server := storetest.Redis(t)
	return server, redisStore(t, server.URL(), now, filepath.Join(t.TempDir(), "keys"))
}

func redisStore(t testing.TB, url string, now func() time.Time, keys string) both {
	t.Helper()
	if err := store.NewKeys(keys); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	ring, err := store.LoadKeys(keys)
	if err != nil {
		t.Fatal(err)
	}
	r, err := store.OpenRedis(context.Background(), url, store.RedisOptions{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	b := store.NewBreaker(r, store.BreakerOptions{})
	t.Cleanup(func() { b.Close() })
	return store.NewChats(b, ring, now)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// carry brings a webhook delivery to the living replicas in turn.
func (w *world) carry(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	var to *replica
	for range w.replicas {
		w.turn++
		if x := w.replicas[w.turn%len(w.replicas)]; !x.dead.Load() {
			to = x
			break
		}
	}
	w.mu.Unlock()
	if to == nil {
		return nil, errDead
	}
	answer, err := faketelegram.Direct(to.c).RoundTrip(r)
	if to.dead.Load() {
		return nil, errDead // it died before it could say so
	}
	return answer, err
}

// add starts one more replica.
func (w *world) add(content *bot.Content) *replica {
	w.t.Helper()
	own, reader := parts()
	if content == nil {
		content = own
	}
	token, err := telegram.ParseToken(faketelegram.Token)
	if err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	r := &replica{done: make(chan struct{})}
	r.store = &leash{both: w.store, dead: &r.dead, leases: &w.leases}
	r.bot = bot.New(bot.Options{Content: content, Chats: r.store, Reader: reader, Log: log, Now: w.now})
	direct := faketelegram.Direct(w.fake)
	o := telegram.Options{
		Token: token, API: "http://127.0.0.1:1", Bot: r.bot, Store: r.store, Reader: reader, Pick: pick,
		Tenants: func(n string) bool { return n == "0301" || n == "5501" },
		Poster:  func(id string) (string, bool) { return "5501", id == "aula-2" },
		Gone: func(c bot.ChatID) {
			w.mu.Lock()
			w.gone = append(w.gone, c)
			w.mu.Unlock()
		},
		Log: log, Meter: w.meter, Now: w.now,
		Transport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if f := r.before.Load(); f != nil {
				(*f)(q.URL.Path[strings.LastIndexByte(q.URL.Path, '/')+1:])
			}
			if r.dead.Load() {
				return nil, errDead
			}
			answer, err := direct.RoundTrip(q)
			if r.dead.Load() {
				return nil, errDead
			}
			return answer, err
		}),
	}
	if w.setup.mode == "webhook" {
		secret, err := telegram.ParseSecret(hookSecret)
		if err != nil {
			w.t.Fatal(err)
		}
		o.Webhook = &telegram.Webhook{URL: webhookURL, Secret: secret}
	}
	if w.setup.change != nil {
		w.setup.change(&o)
	}
	if r.c, err = telegram.New(o); err != nil {
		w.t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	w.mu.Lock()
	w.replicas = append(w.replicas, r)
	w.mu.Unlock()
	go func() {
		defer close(r.done)
		if err := r.c.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	return r
}

// person is somebody with a phone in nb.
func (w *world) person() *faketelegram.Person {
	return w.fake.Person(faketelegram.Profile{Language: "nb"})
}

var modes = []string{"webhook", "polling"}

// bubbles runs a test in both modes on a store in memory, where waiting takes no
// time.
func bubbles(t *testing.T, s setup, f func(t *testing.T, w *world)) {
	t.Helper()
	parts() // made once, outside of any bubble
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := s
				s.mode = mode
				w := newWorld(t, s)
				w.settle()
				f(t, w)
			})
		})
	}
}

// everywhere runs a test that does not wait long also on a real Redis.
func everywhere(t *testing.T, s setup, f func(t *testing.T, w *world)) {
	t.Helper()
	bubbles(t, s, f)
	for _, mode := range modes {
		t.Run(mode+" on Redis", func(t *testing.T) { onRealRedis(t, mode, s, f) })
	}
}

func onRealRedis(t *testing.T, mode string, s setup, f func(t *testing.T, w *world)) {
	t.Helper()
	var server *storetest.Server
	clock := &clock{}
	s.mode, s.now = mode, clock.now
	server, s.store = onRedis(t, s.now)
	w := newWorld(t, s)
	w.real, w.redis, w.clock = true, server, clock
	w.settle()
	f(t, w)
}

// alive tells whether any replica lives.
func (w *world) alive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.replicas, func(r *replica) bool { return !r.dead.Load() })
}

// settle lets everything happen that can happen now.
func (w *world) settle() {
	w.t.Helper()
	if !w.real {
		time.Sleep(20 * time.Millisecond) // a poll gathers for a moment
		synctest.Wait()
		return
	}
	end := time.Now().Add(10 * time.Second)
	state := func() [3]int {
		return [3]int{w.fake.Bot("").Pending(), w.fake.Count("") - w.fake.Count("getUpdates"), len(w.log.String())}
	}
	for last, same := state(), 0; same < 3; {
		time.Sleep(10 * time.Millisecond)
		now := state()
		if same++; now != last || now[0] > 0 && w.alive() {
			same = 0
		}
		last = now
		if time.Now().After(end) || same == 2 && !w.alive() {
			return
		}
	}
}

// within waits until something holds, at most so long.
func (w *world) within(d time.Duration, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(d); !ok() && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	w.settle()
}

// later lets time pass.
func (w *world) later(d time.Duration) {
	if w.real {
		w.clock.add(d)
	} else {
		time.Sleep(d)
	}
}

func (w *world) say(p *faketelegram.Person, text string) int {
	id := p.Say(text)
	w.settle()
	return id
}

func (w *world) press(p *faketelegram.Person, what string) string {
	w.t.Helper()
	q, err := p.Press(what)
	if err != nil {
		w.t.Fatalf("%v; the screen is %+v", err, screenOf(p))
	}
	w.settle()
	return q
}

// pressEvent presses the button of an event, whatever its label.
func (w *world) pressEvent(p *faketelegram.Person, event string) string {
	w.t.Helper()
	s := screenOf(p)
	for _, row := range s.Rows {
		for _, b := range row {
			if strings.HasSuffix(b.Data, "|"+event) {
				q := p.PressOld(s.ID, b.Data)
				w.settle()
				return q
			}
		}
	}
	w.t.Fatalf("no button for %q on %+v", event, s)
	return ""
}

func screenOf(p *faketelegram.Person) faketelegram.Message {
	s, _ := p.Screen()
	return s
}

// shows wants the newest message of the bot to hold a text, with help under it.
func (w *world) shows(p *faketelegram.Person, text string) {
	w.t.Helper()
	s, ok := p.Screen()
	if !ok || !strings.Contains(s.Text, text) {
		w.t.Fatalf("want %q on the screen, got %+v\n%s", text, s, w.log)
	}
	w.helps(s)
}

// helps wants a help button on a message (S1).
func (w *world) helps(s faketelegram.Message) {
	w.t.Helper()
	if !slices.ContainsFunc(s.Rows, func(row []faketelegram.Button) bool {
		return len(row) <= 2 && slices.ContainsFunc(row, func(b faketelegram.Button) bool { return strings.HasPrefix(b.Data, "h.") })
	}) {
		w.t.Fatalf("no help button on %+v", s)
	}
}

func (w *world) ours(p *faketelegram.Person) []faketelegram.Message {
	return slices.DeleteFunc(p.Chat(), func(m faketelegram.Message) bool { return !m.Bot })
}

// calls counts calls but those of polling and the profile.
func (w *world) calls(methods ...string) int {
	if len(methods) == 0 {
		methods = []string{"sendMessage", "editMessageText", "deleteMessages", "deleteMessage", "answerCallbackQuery", "leaveChat", "editMessageReplyMarkup"}
	}
	return len(w.fake.Calls(methods...))
}
