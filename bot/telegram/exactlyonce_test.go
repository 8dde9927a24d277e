package telegram_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/bot/telegram/faketelegram"
	"trygg/flows"
	"trygg/store"
	"trygg/store/storetest"
)

// TestMain runs the tests, or one replica of TestExactlyOnce in a process of its
// own, that can be killed at any instruction, or the other side of a benchmark.
func TestMain(m *testing.M) {
	if job := os.Getenv("TRYGG_TEST_REPLICA"); job != "" {
		if err := runReplica(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if os.Getenv("TRYGG_TEST_API") != "" {
		if err := runAPI(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

type replicaJob struct{ API, Redis, Keys, Mode string }

const ringSize = 10

// ring is a conversation whose every press moves one place on, so that a step
// lost or made twice shows.
func ring() (*bot.Content, error) {
	own, _ := parts()
	files := fstest.MapFS{"tongue.yaml": conversation["tongue.yaml"]}
	var b strings.Builder
	b.WriteString("flow: menu\nstart: s0\nstates:\n")
	for i := range ringSize {
		fmt.Fprintf(&b, "  s%d: {say: menu.s%d, buttons: [[fwd, who]], go: {fwd: s%d}}\n", i, i, (i+1)%ringSize)
	}
	b.WriteString("  who: {say: menu.who, buttons: [[read]], go: {read: s0}}\n")
	files["menu.yaml"] = &fstest.MapFile{Data: []byte(b.String())}
	files["index.yaml"] = &fstest.MapFile{Data: []byte("start: menu/s0\nhome: menu/s0\nlanguage: tongue/pick\nprivacy: menu/who\ntopics: {rights: menu/s0}\n")}
	lib, problems := flows.Load(files, nil)
	if len(problems) > 0 {
		return nil, errors.New(fmt.Sprint(problems))
	}
	c := *own
	c.Library = lib
	return &c, nil
}

// runReplica is one process: it prints where it listens and serves until killed.
func runReplica(text string) error {
	var job replicaJob
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		return err
	}
	content, err := ring()
	if err != nil {
		return err
	}
	_, reader := parts()
	keys, err := store.LoadKeys(job.Keys)
	if err != nil {
		return err
	}
	r, err := store.OpenRedis(context.Background(), job.Redis, store.RedisOptions{})
	if err != nil {
		return err
	}
	chats := store.NewChats(store.NewBreaker(r, store.BreakerOptions{}), keys, nil)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b := bot.New(bot.Options{Content: content, Chats: chats, Reader: reader, Log: log})
	token, err := telegram.ParseToken(faketelegram.Token)
	if err != nil {
		return err
	}
	o := telegram.Options{
		Token: token, API: job.API, Bot: b, Store: chats, Reader: reader, Pick: pick, Log: log,
		Limits: telegram.Limits{PerSecond: 100_000, PerChat: 100_000},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if job.Mode == "webhook" {
		secret, err := telegram.ParseSecret(hookSecret)
		if err != nil {
			return err
		}
		o.Webhook = &telegram.Webhook{URL: webhookURL, Secret: secret}
	}
	c, err := telegram.New(o)
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(l, c) }()
	go func() {
		for range time.Tick(time.Second) {
			b.RetryNotes(context.Background())
		}
	}()
	fmt.Println(l.Addr())
	// The parent's death is ours.
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
		os.Exit(0)
	}()
	return c.Run(ctx)
}

// process is a replica as its parent holds it.
type process struct {
	cmd  *exec.Cmd
	addr string
}

func spawn(t testing.TB, job replicaJob, log io.Writer) *process {
	t.Helper()
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TRYGG_TEST_REPLICA="+string(text))
	cmd.Stderr = log
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("a replica did not start: %v", err)
	}
	return &process{cmd, strings.TrimSpace(addr)}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func updatesWanted(t testing.TB) int {
	t.Helper()
	if v := os.Getenv("TRYGG_UPDATES"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("TRYGG_UPDATES: want a number, got %q", v)
		}
		return n
	}
	if testing.Short() {
		return 1000
	}
	return 10_000
}

var place = regexp.MustCompile(`menu\.s([0-9])`)

// placeOf is where on the ring a screen stands; -1 = it is the card or nothing.
func placeOf(text string) int {
	m := place.FindStringSubmatch(text)
	if m == nil {
		return -1
	}
	return int(m[1][0] - '0')
}

// exactly is one run.
type exactly struct {
	t    *testing.T
	fake *faketelegram.Server
	mode string
	want int

	updates, kills, ambiguous, sends, texts, away atomic.Int64

	mu      sync.Mutex
	living  []*process
	history map[int64][]int // what each chat was shown, by place on the ring
	sent    map[int64][]string
	faults  []string
}

func (x *exactly) fault(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.faults) < 20 {
		x.faults = append(x.faults, fmt.Sprintf(format, args...))
	}
}

// TestExactlyOnce drives two processes that are killed at random, with an API
// that fails and updates that come twice and overtake each other: nothing is
// lost, no state changes twice, every chat sees its screens in order.
func TestExactlyOnce(t *testing.T) {
	server := storetest.Redis(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { exactlyOnce(t, server, mode, updatesWanted(t)/2) })
	}
}

func exactlyOnce(t *testing.T, server *storetest.Server, mode string, want int) {
	server.Empty()
	x := &exactly{t: t, mode: mode, want: want, history: map[int64][]int{}, sent: map[int64][]string{}}
	x.fake = faketelegram.New(faketelegram.Options{Keep: -1, Seed: 11, Deliver: roundTripper(x.carry)})
	t.Cleanup(x.fake.Close)
	x.fake.Trouble(x.call)
	x.fake.Disorder(faketelegram.Disorder{Repeat: 0.05, Queues: true})
	api := httptest.NewServer(x.fake)
	t.Cleanup(api.Close)

	keys := filepath.Join(t.TempDir(), "keys")
	if err := store.NewKeys(keys); err != nil {
		t.Fatal(err)
	}
	job := replicaJob{API: api.URL, Redis: server.URL(), Keys: keys, Mode: mode}
	var log lockedBuffer
	for range 2 {
		x.living = append(x.living, spawn(t, job, &log))
	}
	t.Cleanup(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, p := range x.living {
			p.kill()
		}
	})

	// kill -9 ten times on the way, a new process each time.
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var killer sync.WaitGroup
	killer.Go(func() {
		for n := 1; n <= 10; n++ {
			for x.updates.Load() < int64(want*n/11) {
				if ctx.Err() != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
			x.mu.Lock()
			i := rand.IntN(len(x.living))
			old := x.living[i]
			x.living[i] = x.living[1-i] // whoever brings updates notices soon
			x.mu.Unlock()
			old.kill()
			x.kills.Add(1)
			p := spawn(t, job, &log)
			x.mu.Lock()
			x.living[i] = p
			x.mu.Unlock()
		}
	})

	begun := time.Now()
	var people sync.WaitGroup
	for range 64 {
		people.Go(func() {
			for x.updates.Load() < int64(want) && t.Context().Err() == nil {
				x.live(x.fake.Person(faketelegram.Profile{Language: "nb"}))
			}
		})
	}
	people.Wait()
	stop()
	killer.Wait()
	for end := time.Now().Add(30 * time.Second); x.fake.Bot("").Pending() > 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if n := x.fake.Bot("").Pending(); n > 0 {
		x.fault("%d updates were never dealt with", n)
	}
	if away := x.away.Load(); away > x.updates.Load()/20 {
		x.fault("%d answers were given without the store", away)
	}
	for chat, h := range x.history {
		for i := 1; i < len(h); i++ {
			if step := (h[i] - h[i-1] + ringSize) % ringSize; step > 1 {
				x.fault("chat %d was shown %d after %d: %v", chat, h[i], h[i-1], h[max(0, i-5):min(len(h), i+5)])
			}
		}
	}
	extra := x.sends.Load() - x.texts.Load()
	t.Logf("%s: %d updates in %s, %d kills, %d ambiguous calls; %d texts, %d new messages, %d without the store",
		mode, x.updates.Load(), time.Since(begun).Round(time.Millisecond), x.kills.Load(), x.ambiguous.Load(), x.texts.Load(), x.sends.Load(), x.away.Load())
	// What was sent and not written down may come once more: a few for each
	// kill, and where Telegram took a call and said nothing.
	if most := 5*x.kills.Load() + x.ambiguous.Load(); extra > most {
		x.fault("%d replies too many, want at most %d", extra, most)
		for c, l := range x.sent {
			said := 0
			for _, m := range x.fake.Bot("").History(c) {
				if !m.Bot {
					said++
				}
			}
			if len(l) > said {
				x.fault("chat %d: %d said, %d sent: %v", c, said, len(l), l)
			}
		}
	}
	if x.kills.Load() < 10 {
		x.fault("only %d kills", x.kills.Load())
	}
	for _, f := range x.faults {
		t.Error(f)
	}
	if t.Failed() {
		t.Log(log.String())
	}
}

// call sees every call, notes what is shown, and makes trouble for some.
func (x *exactly) call(c faketelegram.Call) faketelegram.Action {
	var a faketelegram.Action
	switch n := rand.IntN(1000); {
	case c.Method == "getUpdates" || c.Body == faketelegram.Webhook || c.Body == faketelegram.Multipart:
	case n < 10:
		a = faketelegram.Status(500)
	case n < 14:
		a = faketelegram.TooMany(1)
	case n < 18:
		a = faketelegram.Action{Reset: true}
	case n < 22:
		a = faketelegram.Action{Drop: true}
		if c.Method == "sendMessage" {
			x.ambiguous.Add(1)
		}
	}
	if a.Status != 0 || a.Reset {
		return a
	}
	switch c.Method {
	case "sendMessage":
		x.sends.Add(1)
		x.mu.Lock()
		x.sent[c.ChatID()] = append(x.sent[c.ChatID()], fmt.Sprintf("%s kills=%d drop=%v %s", c.At.Format("05.000"), x.kills.Load(), a.Drop, regexp.MustCompile("[A-Z0-9]{10}").FindString(c.Args["reply_markup"])))
		x.mu.Unlock()
		fallthrough
	case "editMessageText":
		if at := placeOf(c.Args["text"]); at >= 0 && !strings.Contains(c.Args["reply_markup"], `"~`) {
			x.mu.Lock()
			x.history[c.ChatID()] = append(x.history[c.ChatID()], at)
			x.mu.Unlock()
		}
	}
	return a
}

var hooks = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 200}}

// carry brings a delivery to one of the living.
func (x *exactly) carry(r *http.Request) (*http.Response, error) {
	x.mu.Lock()
	to := x.living[rand.IntN(len(x.living))]
	x.mu.Unlock()
	r = r.Clone(r.Context())
	r.URL.Host, r.Host = to.addr, ""
	return hooks.Transport.RoundTrip(r)
}

// live is one child's time with the bot.
func (x *exactly) live(p *faketelegram.Person) {
	at := 0
	x.updates.Add(1)
	x.texts.Add(1)
	p.Say("/start")
	if !x.sees(p, "the start", 40*time.Second, func(m faketelegram.Message) bool { return placeOf(m.Text) == 0 }) {
		return
	}
	for range 12 {
		if x.storeless(screenOf(p)) {
			return
		}
		switch n := rand.IntN(100); {
		case n < 70: // on to the next place
			next := (at + 1) % ringSize
			if !x.presses(p, "|fwd", fmt.Sprintf("place %d", next), func(m faketelegram.Message) bool {
				if s := placeOf(m.Text); s >= 0 && s != at && s != next && !bearing(m) {
					x.fault("chat %d stands at %d after a press at %d", p.ID(), s, at)
				}
				return placeOf(m.Text) == next
			}) {
				return
			}
			at = next
		case n < 85: // something typed
			before := screenOf(p).ID
			x.updates.Add(1)
			x.texts.Add(1)
			p.Say("blabla")
			if !x.sees(p, "an answer below", 60*time.Second, func(m faketelegram.Message) bool { return m.ID > before && placeOf(m.Text) >= 0 }) {
				return
			}
			if s := placeOf(screenOf(p).Text); s != at && !bearing(screenOf(p)) {
				x.fault("chat %d stands at %d after words at %d", p.ID(), s, at)
			}
		default: // help, and back
			if !x.presses(p, "h.", "the card", func(m faketelegram.Message) bool { return strings.Contains(m.Text, "112") }) {
				return
			}
			if !x.presses(p, "|show", "the screen again", func(m faketelegram.Message) bool { return placeOf(m.Text) == at }) {
				return
			}
		}
	}
}

// bearing tells whether a screen was made without the store, which was too slow
// for once: it may stand at the start (S3).
func bearing(m faketelegram.Message) bool { return strings.HasPrefix(button(m, "|fwd"), "~") }

// storeless counts such a screen; whoever sees one leaves.
func (x *exactly) storeless(m faketelegram.Message) bool {
	if bearing(m) {
		x.away.Add(1)
		return true
	}
	return false
}

// button gives the data of a button by how it begins or ends.
func button(m faketelegram.Message, part string) string {
	for _, row := range m.Rows {
		for _, b := range row {
			if strings.HasPrefix(b.Data, part) || strings.HasSuffix(b.Data, part) {
				return b.Data
			}
		}
	}
	return ""
}

// presses presses until it shows, as a child does: the button that is there now.
func (x *exactly) presses(p *faketelegram.Person, which, what string, ok func(faketelegram.Message) bool) bool {
	for range 15 {
		s := screenOf(p)
		switch {
		case ok(s):
			return true // it came just now
		case x.storeless(s):
			return false
		}
		data := button(s, which)
		if data == "" {
			data = button(s, "|show") // the card came again; back from it first
		}
		if data != "" {
			x.updates.Add(1)
			p.PressOld(s.ID, data)
		}
		if x.waits(p, 4*time.Second, ok) {
			return true
		}
	}
	x.fault("chat %d never saw %s: %+v", p.ID(), what, screenOf(p))
	return false
}

func (x *exactly) sees(p *faketelegram.Person, what string, d time.Duration, ok func(faketelegram.Message) bool) bool {
	if x.waits(p, d, ok) {
		return true
	}
	if x.storeless(screenOf(p)) {
		return false
	}
	x.fault("chat %d never saw %s: %+v", p.ID(), what, p.Chat())
	return false
}

func (x *exactly) waits(p *faketelegram.Person, d time.Duration, ok func(faketelegram.Message) bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(4 * time.Millisecond) {
		if ok(screenOf(p)) {
			return true
		}
	}
	return false
}
