package telegram_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/redis/go-redis/v9"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/bot/telegram/faketelegram"
	"trygg/flows"
	"trygg/store/storetest"
)

// runAPI is the other side of the benchmark in a process of its own, so that
// only the bot's work is measured: Telegram, and children who press.
func runAPI() error {
	fake := faketelegram.New(faketelegram.Options{Keep: -1})
	mux := http.NewServeMux()
	mux.Handle("/", fake)
	mux.HandleFunc("/run", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("presses"))
		calls := fake.Count("")
		var left atomic.Int64
		left.Store(int64(n))
		var people sync.WaitGroup
		for range 16 {
			people.Go(func() {
				p := fake.Person(faketelegram.Profile{Language: "nb"})
				p.Say("/start")
				until(p, func(m faketelegram.Message) bool { return placeOf(m.Text) == 0 })
				for at := 1; left.Add(-1) >= 0; at = (at + 1) % ringSize {
					s := screenOf(p)
					p.PressOld(s.ID, button(s, "|fwd"))
					until(p, func(m faketelegram.Message) bool { return placeOf(m.Text) == at })
				}
			})
		}
		people.Wait()
		time.Sleep(50 * time.Millisecond)
		fmt.Fprint(w, fake.Count("")-calls)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(l, mux)
}

func until(p *faketelegram.Person, ok func(faketelegram.Message) bool) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
		if ok(screenOf(p)) {
			return
		}
	}
}

func startAPI(b *testing.B) string {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TRYGG_TEST_API=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(addr)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type cost struct {
	cpu           time.Duration
	allocs, bytes uint64
	calls, trips  int
}

// measure lets children press n times and takes what this process spent.
func measure(b *testing.B, api string, server *storetest.Server, n int) cost {
	b.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	trips, spent := commands(server), cpu()
	res, err := http.Get(fmt.Sprintf("%s/run?presses=%d", api, n))
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	spent = cpu() - spent
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	calls, _ := strconv.Atoi(string(text))
	trips = commands(server) - trips
	runtime.ReadMemStats(&after)
	return cost{spent / time.Duration(n), (after.Mallocs - before.Mallocs) / uint64(n), (after.TotalAlloc - before.TotalAlloc) / uint64(n), calls, trips}
}

// commands counts what clients sent to Redis, without what scripts did.
func commands(server *storetest.Server) int {
	n := 0
	for _, line := range strings.Split(server.Do("INFO", "commandstats"), "\n") {
		name, rest, _ := strings.Cut(line, ":calls=")
		v, _, _ := strings.Cut(rest, ",")
		c, _ := strconv.Atoi(v)
		switch strings.TrimPrefix(name, "cmdstat_") {
		case "evalsha", "evalsha_ro":
			n += c
		}
	}
	return n
}

// BenchmarkPress is a press through the webhook, with a real Redis and a Bot API
// over HTTP, and in the same run the same press through a bare loop of the
// library and go-redis without any of the safety. The figures are of this
// process alone.
func BenchmarkPress(b *testing.B) {
	server := storetest.Redis(b)
	n := max(b.N, 2000)
	var ours, bare []cost
	for round := range 4 {
		o, p := benchOurs(b, server, n), benchBare(b, server, n)
		if round > 0 { // the first warms both
			ours, bare = append(ours, o), append(bare, p)
		}
	}
	best := func(cs []cost) cost {
		return slices.MinFunc(cs, func(a, b cost) int { return int(a.cpu - b.cpu) })
	}
	o, p := best(ours), best(bare)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(o.cpu.Microseconds()), "cpu-µs/press")
	b.ReportMetric(float64(p.cpu.Microseconds()), "bare-cpu-µs/press")
	b.ReportMetric(float64(o.cpu)/float64(p.cpu), "of-bare")
	b.ReportMetric(float64(o.allocs), "allocs/press")
	b.ReportMetric(float64(p.allocs), "bare-allocs/press")
	b.ReportMetric(float64(o.calls)/float64(n), "api-calls/press")
	b.ReportMetric(float64(o.trips)/float64(n), "redis-scripts/press")
}

func benchOurs(b *testing.B, server *storetest.Server, n int) cost {
	b.Helper()
	server.Empty()
	api := startAPI(b)
	content, err := ring()
	if err != nil {
		b.Fatal(err)
	}
	_, reader := parts()
	keys := filepath.Join(b.TempDir(), "keys")
	chats := redisStore(b, server.URL(), time.Now, keys)
	bt := bot.New(bot.Options{Content: content, Chats: chats, Reader: reader})
	token, err := telegram.ParseToken(faketelegram.Token)
	if err != nil {
		b.Fatal(err)
	}
	secret, err := telegram.ParseSecret(hookSecret)
	if err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	hook := httptest.NewServer(mux)
	defer hook.Close()
	c, err := telegram.New(telegram.Options{
		Token: token, API: api, Bot: bt, Store: chats, Reader: reader, Pick: pick,
		Webhook: &telegram.Webhook{URL: hook.URL + "/hook", Secret: secret},
		Limits:  telegram.Limits{PerSecond: 1_000_000, PerChat: 1_000_000},
	})
	if err != nil {
		b.Fatal(err)
	}
	mux.Handle("/hook", c)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	time.Sleep(300 * time.Millisecond)
	v := measure(b, api, server, n)
	stop()
	<-done
	return v
}

func benchBare(b *testing.B, server *storetest.Server, n int) cost {
	b.Helper()
	server.Empty()
	api := startAPI(b)
	opts, err := redis.ParseURL(server.URL())
	if err != nil {
		b.Fatal(err)
	}
	rdb := redis.NewClient(opts)
	defer rdb.Close()
	lib, err := tg.New(faketelegram.Token, tg.WithSkipGetMe(), tg.WithServerURL(api))
	if err != nil {
		b.Fatal(err)
	}
	content, err := ring()
	if err != nil {
		b.Fatal(err)
	}
	hook := httptest.NewServer(bareLoop{lib, rdb, content.Library})
	defer hook.Close()
	if _, err := lib.SetWebhook(context.Background(), &tg.SetWebhookParams{URL: hook.URL}); err != nil {
		b.Fatal(err)
	}
	return measure(b, api, server, n)
}

// bareLoop is what one writes first: read the session, take a step, write it,
// answer the press, edit the message.
type bareLoop struct {
	lib     *tg.Bot
	rdb     *redis.Client
	library *flows.Library
}

func (l bareLoop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var u models.Update
	if json.NewDecoder(r.Body).Decode(&u) != nil {
		return
	}
	var session struct{ At int }
	show := func() (string, models.InlineKeyboardMarkup) {
		name := fmt.Sprintf("%010d", session.At)
		k := func(label, event string) models.InlineKeyboardButton {
			return models.InlineKeyboardButton{Text: label, CallbackData: name + "|" + event}
		}
		return fmt.Sprintf("menu.s%d/nb", session.At), models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{
			{k("menu.s.fwd/nb", "fwd")}, {k("menu.s.who/nb", "who")}, {k("Hjelp nå", "help")}, {k("Tilbake", "back"), k("Meny", "home")},
			{k("Språk / Language", "language"), k("Skjul", "hide")}, {k("Slett alt", "erase"), k("Start på nytt", "restart")},
		}}
	}
	switch {
	case u.Message != nil:
		raw, _ := json.Marshal(session)
		_ = l.rdb.Set(ctx, fmt.Sprint(u.Message.Chat.ID), raw, time.Hour).Err()
		text, keys := show()
		_, _ = l.lib.SendMessage(ctx, &tg.SendMessageParams{ChatID: u.Message.Chat.ID, Text: text, ReplyMarkup: keys})
	case u.CallbackQuery != nil:
		id := u.CallbackQuery.From.ID
		raw, _ := l.rdb.Get(ctx, fmt.Sprint(id)).Bytes()
		_ = json.Unmarshal(raw, &session)
		session.At = (session.At + 1) % ringSize
		raw, _ = json.Marshal(session)
		_ = l.rdb.Set(ctx, fmt.Sprint(id), raw, time.Hour).Err()
		_, _ = l.lib.AnswerCallbackQuery(ctx, &tg.AnswerCallbackQueryParams{CallbackQueryID: u.CallbackQuery.ID})
		text, keys := show()
		_, _ = l.lib.EditMessageText(ctx, &tg.EditMessageTextParams{ChatID: id, MessageID: u.CallbackQuery.Message.Message.ID, Text: text, ReplyMarkup: keys})
	}
}

// TestTripsPerPress: two round trips to the store before the answer, one after.
func TestTripsPerPress(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			onRealRedis(t, mode, setup{}, func(t *testing.T, w *world) {
				p := w.person()
				w.say(p, "/start")
				w.pressEvent(p, "next")
				r, atAnswer := w.replicas[0], int64(-1)
				r.before.Store(new(func(method string) {
					if method == "editMessageText" {
						atAnswer = r.store.trips.Load()
					}
				}))
				before := r.store.trips.Load()
				w.pressEvent(p, "page")
				if n := atAnswer - before; n > 2 {
					t.Errorf("%d trips before the answer, want 2", n)
				}
				if n := r.store.trips.Load() - before; n > 3 {
					t.Errorf("%d trips in all, want 3", n)
				}
			})
		})
	}
}
