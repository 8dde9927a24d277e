package faketelegram_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trygg/bot/telegram/faketelegram"
)

func say(p *faketelegram.Person, n int) {
	for i := range n {
		p.Say(strconv.Itoa(i))
	}
}

func TestOffsetsConfirm(t *testing.T) {
	type step struct {
		args args
		want []int // counted from the first update
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"without an offset nothing is confirmed", []step{{args{}, []int{0, 1, 2}}, {args{}, []int{0, 1, 2}}}},
		{"what was given comes again until it is confirmed", []step{{args{"limit": 2}, []int{0, 1}}, {args{"limit": 2}, []int{0, 1}}}},
		{"an offset confirms what is before it", []step{{args{"offset": 1}, []int{1, 2}}, {args{}, []int{1, 2}}, {args{"offset": 3}, nil}, {args{}, nil}}},
		{"going back finds nothing confirmed", []step{{args{"offset": 2}, []int{2}}, {args{"offset": 0}, []int{2}}, {args{"offset": 1}, []int{2}}}},
		{"a negative offset keeps only the newest", []step{{args{"offset": -2}, []int{1, 2}}, {args{}, []int{1, 2}}}},
		{"a negative offset beyond the oldest keeps all", []step{{args{"offset": -9}, []int{0, 1, 2}}}},
		{"an offset far in the future confirms nothing", []step{{args{"offset": 1000}, []int{0, 1, 2}}}},
		{"a limit below one is one", []step{{args{"limit": 0}, []int{0}}}},
		{"a limit above a hundred is a hundred", []step{{args{"limit": 1000}, []int{0, 1, 2}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, faketelegram.Options{})
			kari := s.Person(faketelegram.Profile{})
			say(kari, 3)
			first := ids(t, poll(t, s, 0))[0]
			for i, step := range test.steps {
				a := args{}
				for k, v := range step.args {
					if n, ok := v.(int); ok && k == "offset" && n >= 0 {
						v = first + n
					}
					a[k] = v
				}
				var got []map[string]json.RawMessage
				if err := json.Unmarshal(must(t, s, "getUpdates", a).Result, &got); err != nil {
					t.Fatal(err)
				}
				var rel []int
				for _, id := range ids(t, got) {
					rel = append(rel, id-first)
				}
				if !slices.Equal(rel, step.want) {
					t.Errorf("step %d: got %v, want %v", i, rel, step.want)
				}
			}
		})
	}
}

func TestUpdatesExpire(t *testing.T) {
	s, kari := town(t)
	if _, err := kari.Press("Mer"); err != nil {
		t.Fatal(err)
	}
	b := s.Bot("")
	before := b.Pending()
	s.Advance(151 * time.Second)
	if n := b.Pending(); n != before-1 {
		t.Errorf("after 151 s %d wait, want one press less than %d", n, before)
	}
	s.Advance(24 * time.Hour)
	if n := b.Pending(); n != 0 || len(poll(t, s, 0)) != 0 {
		t.Errorf("after a day %d wait", n)
	}
}

func TestAllowedUpdates(t *testing.T) {
	s, kari := town(t)
	poll(t, s, 0)
	must(t, s, "getUpdates", args{"offset": -1, "allowed_updates": []string{"message"}})
	before := s.Bot("").Pending()
	if err := kari.Edit(1, "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := kari.Press("Mer"); err != nil {
		t.Fatal(err)
	}
	if id, err := s.Bot("").Inject(`{"chat_member":{"from":{"id":1}}}`); id != 0 || err != nil {
		t.Errorf("chat_member came as %d (%v)", id, err)
	}
	kari.Say("hei")
	if n := s.Bot("").Pending() - before; n != 1 {
		t.Errorf("%d updates came, want the message only", n)
	}
	must(t, s, "getUpdates", args{"allowed_updates": []string{}})
	if _, err := kari.Press("Mer"); err != nil {
		t.Fatal(err)
	}
	if n := s.Bot("").Pending() - before; n != 2 {
		t.Errorf("%d updates came, want the press too", n)
	}
}

func TestInjectedUpdatesArriveAsTheyAre(t *testing.T) {
	s := newServer(t, faketelegram.Options{})
	raw := `{"from_the_future":{"chat":{"id":5},"odd":[1,{"a":null}]}}`
	id, err := s.Bot("").Inject(raw)
	if err != nil {
		t.Fatal(err)
	}
	got := must(t, s, "getUpdates", nil).Result
	if want := fmt.Sprintf(`[{"update_id":%d,"from_the_future":{"chat":{"id":5},"odd":[1,{"a":null}]}}]`, id); string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := s.Bot("").Inject("x"); err == nil {
		t.Error("took what is no JSON")
	}
}

// Time stands still for the test while somebody waits: synctest moves it on.

func TestLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, faketelegram.Options{})
		kari := s.Person(faketelegram.Profile{})
		start := time.Now()
		if got := must(t, s, "getUpdates", args{"timeout": 30}).Result; string(got) != "[]" || time.Since(start) != 30*time.Second {
			t.Errorf("got %s after %v, want nothing after 30 s", got, time.Since(start))
		}
		start = time.Now()
		must(t, s, "getUpdates", args{"timeout": 600})
		if took := time.Since(start); took != 50*time.Second {
			t.Errorf("the longest wait is %v, want 50 s", took)
		}
		start = time.Now()
		time.AfterFunc(7*time.Second, func() { kari.Say("hei") })
		if got := must(t, s, "getUpdates", args{"timeout": 30}).Result; !strings.Contains(string(got), "hei") || time.Since(start).Round(time.Second) != 7*time.Second {
			t.Errorf("got %s after %v", got, time.Since(start))
		}
	})
}

func TestTwoPollers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, faketelegram.Options{})
		var first reply
		var wg sync.WaitGroup
		wg.Go(func() { first = call(t, s, "getUpdates", args{"timeout": 30}) })
		time.Sleep(time.Second)
		second := must(t, s, "getUpdates", args{"timeout": 30})
		wg.Wait()
		if first.Description != "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running" || first.ErrorCode != 409 {
			t.Errorf("the first poller got %+v", first)
		}
		if string(second.Result) != "[]" {
			t.Errorf("the second poller got %+v", second)
		}

		wg.Go(func() { first = call(t, s, "getUpdates", args{"timeout": 30}) })
		time.Sleep(time.Second)
		must(t, s, "setWebhook", args{"url": "http://127.0.0.1:1/x"})
		wg.Wait()
		if first.Description != "Conflict: terminated by setWebhook request" {
			t.Errorf("the poller got %+v", first)
		}
		if r := call(t, s, "getUpdates", nil); r.Description != "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first" {
			t.Errorf("beside a webhook: %+v", r)
		}
	})
}

// program is a bot behind a webhook: it notes what comes, and answers as told.
type program struct {
	mu     sync.Mutex
	start  time.Time
	log    []string // "<seconds> <kind> <text or data>"
	answer func(kind, word string) (code int, head http.Header, body string)
	secret string
	now    int // deliveries under way
	most   int
}

func (p *program) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var u struct {
		Message  *struct{ Text string } `json:"message"`
		Callback *struct{ Data string } `json:"callback_query"`
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &u) // a broken body shows as an empty line
	kind, word := "other", ""
	switch {
	case u.Message != nil:
		kind, word = "message", u.Message.Text
	case u.Callback != nil:
		kind, word = "press", u.Callback.Data
	}
	p.mu.Lock()
	p.log = append(p.log, fmt.Sprintf("%v %s %s", time.Since(p.start).Round(time.Second), kind, word))
	p.secret = r.Header.Get("X-Telegram-Bot-Api-Secret-Token")
	p.now++
	p.most = max(p.most, p.now)
	answer := p.answer
	p.mu.Unlock()
	code, out := 200, ""
	if answer != nil {
		var head http.Header
		code, head, out = answer(kind, word)
		for k := range head {
			w.Header().Set(k, head.Get(k))
		}
	}
	p.mu.Lock()
	p.now--
	p.mu.Unlock()
	if out != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(code)
	_, _ = io.WriteString(w, out)
}

func (p *program) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

// seen gives the last secret, and how many deliveries there were at once.
func (p *program) seen() (secret string, most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.secret, p.most
}

// hooked is a town whose bot is a program behind a webhook, in a bubble.
func hooked(t *testing.T, a args, f func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person)) {
	synctest.Test(t, func(t *testing.T) {
		p := &program{start: time.Now()}
		s := newServer(t, faketelegram.Options{Deliver: faketelegram.Direct(p)})
		kari := s.Person(faketelegram.Profile{ID: kariID, Name: "Kari"})
		kari.Say("/start")
		must(t, s, "sendMessage", args{"chat_id": kariID, "text": "hei", "reply_markup": inline([]args{button("Mer", "more")})})
		with := args{"url": "http://127.0.0.1/hook", "drop_pending_updates": true}
		for k, v := range a {
			with[k] = v
		}
		must(t, s, "setWebhook", with)
		f(t, s, p, kari)
	})
}

func TestWebhookQueues(t *testing.T) {
	t.Run("updates of a chat come one at a time and in order", func(t *testing.T) {
		hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			p.answer = func(string, string) (int, http.Header, string) {
				time.Sleep(time.Second)
				return 204, nil, ""
			}
			say(kari, 3)
			time.Sleep(time.Minute)
			if got, want := p.lines(), []string{"0s message 0", "1s message 1", "2s message 2"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if n := s.Bot("").Pending(); n != 0 {
				t.Errorf("%d still wait", n)
			}
		})
	})
	t.Run("a press overtakes the messages of the same chat", func(t *testing.T) {
		hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			p.answer = func(string, string) (int, http.Header, string) {
				time.Sleep(time.Second)
				return 200, nil, ""
			}
			say(kari, 2)
			if _, err := kari.Press("Mer"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			got := p.lines()
			slices.Sort(got)
			if want := []string{"0s message 0", "0s press more", "1s message 1"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	})
	t.Run("tries come at once, then after 2, 4, 8 and more seconds, and hold up their own queue only", func(t *testing.T) {
		hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			p.answer = func(kind, _ string) (int, http.Header, string) {
				if kind == "message" && time.Since(p.start) < 30*time.Second {
					return 500, nil, ""
				}
				return 200, nil, ""
			}
			say(kari, 2)
			time.Sleep(time.Second)
			if _, err := kari.Press("Mer"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Minute)
			want := []string{"0s message 0", "0s message 0", "1s press more", "2s message 0", "6s message 0", "14s message 0", "30s message 0", "30s message 1"}
			if got := p.lines(); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if info := string(must(t, s, "getWebhookInfo", nil).Result); !strings.Contains(info, "Wrong response from the webhook: 500 Internal Server Error") {
				t.Errorf("info %s", info)
			}
		})
	})
	t.Run("the time the answer asks for is kept, up to an hour", func(t *testing.T) {
		hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			waits := []string{"7", "9999"}
			p.answer = func(string, string) (int, http.Header, string) {
				p.mu.Lock()
				defer p.mu.Unlock()
				if len(waits) == 0 {
					return 200, nil, ""
				}
				h := http.Header{"Retry-After": {waits[0]}}
				waits = waits[1:]
				return 503, h, ""
			}
			say(kari, 1)
			time.Sleep(2 * time.Hour)
			if got, want := p.lines(), []string{"0s message 0", "7s message 0", "1h0m7s message 0"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	})
	t.Run("a press is given up after 150 seconds, a message after a day", func(t *testing.T) {
		hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			p.answer = func(string, string) (int, http.Header, string) { return 500, nil, "" }
			if _, err := kari.Press("Mer"); err != nil {
				t.Fatal(err)
			}
			kari.Say("hei")
			time.Sleep(151 * time.Second)
			if n := s.Bot("").Pending(); n != 1 {
				t.Errorf("after 151 s %d wait, want the message", n)
			}
			time.Sleep(23 * time.Hour)
			if n := s.Bot("").Pending(); n != 1 {
				t.Errorf("after 23 h %d wait", n)
			}
			time.Sleep(2 * time.Hour)
			if n := s.Bot("").Pending(); n != 0 {
				t.Errorf("after a day %d wait", n)
			}
			got := p.lines()
			if last := got[len(got)-1]; !strings.HasPrefix(last, "23h") && !strings.HasPrefix(last, "24h") {
				t.Errorf("the last try came at %q", last)
			}
		})
	})
	t.Run("an answer that does not come in 60 seconds is a failed try", func(t *testing.T) {
		hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			p.answer = func(string, string) (int, http.Header, string) {
				if time.Since(p.start) < time.Second {
					time.Sleep(100 * time.Second)
				}
				return 200, nil, ""
			}
			say(kari, 1)
			time.Sleep(5 * time.Minute)
			if got, want := p.lines(), []string{"0s message 0", "1m0s message 0"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	})
	t.Run("many chats that fail hold up the rest", func(t *testing.T) {
		hooked(t, args{"max_connections": 3}, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			p.answer = func(_, word string) (int, http.Header, string) {
				time.Sleep(time.Second)
				if word == "bad" && time.Since(p.start) < time.Minute {
					return 500, nil, ""
				}
				return 200, nil, ""
			}
			for i := range 6 {
				s.Person(faketelegram.Profile{ID: int64(100 + i)}).Say("bad")
			}
			kari.Say("good")
			time.Sleep(59 * time.Second)
			if lines := p.lines(); slices.ContainsFunc(lines, func(l string) bool { return strings.HasSuffix(l, "good") }) {
				t.Errorf("came in spite of six stuck queues: %q", lines)
			}
			time.Sleep(10 * time.Minute)
			_, most := p.seen()
			if n := s.Bot("").Pending(); n != 0 || most != 3 {
				t.Errorf("%d wait, %d deliveries at once, want 0 and 3", n, most)
			}
		})
	})
	t.Run("what was not taken is there for polling", func(t *testing.T) {
		hooked(t, args{"secret_token": "aB_-9"}, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			p.answer = func(string, string) (int, http.Header, string) { return 500, nil, "" }
			say(kari, 2)
			time.Sleep(time.Second)
			if secret, _ := p.seen(); secret != "aB_-9" {
				t.Errorf("secret %q", secret)
			}
			must(t, s, "deleteWebhook", args{"drop_pending_updates": false})
			if n := len(poll(t, s, 0)); n != 2 {
				t.Errorf("%d updates, want 2", n)
			}
			must(t, s, "deleteWebhook", args{"drop_pending_updates": true})
			if n := len(poll(t, s, 0)); n != 0 {
				t.Errorf("%d updates after dropping", n)
			}
		})
	})
}

func TestWebhookAnswersCarryCalls(t *testing.T) {
	hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
		query := make(chan string, 1)
		p.answer = func(kind, _ string) (int, http.Header, string) {
			if kind == "press" {
				return 200, nil, `{"method":"answerCallbackQuery","callback_query_id":"` + <-query + `","text":"skjult"}`
			}
			return 200, nil, `{"method":"getMe"}`
		}
		q, err := kari.Press("Mer")
		if err != nil {
			t.Fatal(err)
		}
		query <- q
		kari.Say("hei")
		time.Sleep(time.Second)
		if got := kari.Toasts(); len(got) != 1 || got[0].Text != "skjult" {
			t.Errorf("toasts %+v", got)
		}
		if s.Count("getMe") != 0 || s.Bodies()[faketelegram.Webhook] != 1 {
			t.Errorf("calls carried: getMe %d, all %v", s.Count("getMe"), s.Bodies())
		}
		if calls := s.Calls("answerCallbackQuery"); len(calls) != 1 || calls[0].Body != faketelegram.Webhook || calls[0].Code != 200 {
			t.Errorf("calls %+v", calls)
		}
	})
}

func TestDisorder(t *testing.T) {
	t.Run("updates come twice over the webhook, and all come", func(t *testing.T) {
		hooked(t, nil, func(t *testing.T, s *faketelegram.Server, p *program, kari *faketelegram.Person) {
			s.Disorder(faketelegram.Disorder{Repeat: 0.3, Queues: true, Within: true})
			say(kari, 100)
			time.Sleep(time.Minute)
			seen := map[string]int{}
			for _, l := range p.lines() {
				seen[l]++
			}
			if len(seen) != 100 || len(p.lines()) < 115 {
				t.Errorf("%d different updates in %d deliveries", len(seen), len(p.lines()))
			}
		})
	})
	t.Run("polling repeats what was confirmed, once", func(t *testing.T) {
		s := newServer(t, faketelegram.Options{})
		say(s.Person(faketelegram.Profile{}), 3)
		s.Disorder(faketelegram.Disorder{Repeat: 1})
		first := ids(t, poll(t, s, 0))
		if again := ids(t, poll(t, s, first[2]+1)); !slices.Equal(again, first) {
			t.Errorf("got %v again, want %v", again, first)
		}
		if rest := poll(t, s, first[2]+1); len(rest) != 0 {
			t.Errorf("and again %v", rest)
		}
	})
	t.Run("the same seed gives the same disorder", func(t *testing.T) {
		run := func(seed uint64) []int {
			s := newServer(t, faketelegram.Options{Seed: seed})
			say(s.Person(faketelegram.Profile{}), 20)
			s.Disorder(faketelegram.Disorder{Within: true})
			got := ids(t, poll(t, s, 0))
			first := slices.Min(got)
			for i := range got {
				got[i] -= first
			}
			return got
		}
		if a, b := run(7), run(7); !slices.Equal(a, b) || slices.IsSorted(a) {
			t.Errorf("%v and %v", a, b)
		}
		if a, b := run(7), run(8); slices.Equal(a, b) {
			t.Errorf("another seed gives the same: %v", a)
		}
	})
}

func TestUntilWaitsForAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, faketelegram.Options{})
		kari := s.Person(faketelegram.Profile{})
		time.AfterFunc(time.Second, func() { kari.Say("hei") })
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := s.Until(ctx, func() bool { return len(kari.Chat()) == 1 }); err != nil {
			t.Error(err)
		}
		if err := s.Until(ctx, func() bool { return false }); err == nil {
			t.Error("waited for nothing and came back without an error")
		}
	})
}
