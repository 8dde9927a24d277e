package telegram_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"trygg/bot"
	"trygg/bot/bottest"
	"trygg/bot/telegram"
	"trygg/bot/telegram/faketelegram"
	"trygg/flows"
)

// restart kills every replica and starts one anew.
func (w *world) restart() *replica {
	w.t.Helper()
	w.mu.Lock()
	old := w.replicas
	w.mu.Unlock()
	for _, r := range old {
		r.kill()
		r.stop() // so that its goroutines end before the test does
	}
	w.leases.expire()
	r := w.add(nil)
	w.settle()
	return r
}

// catchUp lets what a crash left be found.
func (w *world) catchUp() {
	w.t.Helper()
	if w.real {
		w.clock.add(16 * time.Second)
	} else {
		time.Sleep(2 * time.Minute) // the leases of the dead end, too
	}
	for _, r := range w.replicas {
		if !r.dead.Load() {
			r.c.Resend(context.Background())
		}
	}
	w.settle()
}

func TestF19_killWhileSending(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		r := w.replicas[0]
		calls := w.calls("sendMessage")
		w.fake.Trouble(func(c faketelegram.Call) faketelegram.Action {
			if c.Method == "sendMessage" && c.ChatID() == p.ID() && !r.dead.Load() {
				r.kill() // the message is out; nobody will write that down
			}
			return faketelegram.Action{}
		})
		p.Say("blabla")
		w.settle()
		w.fake.Calm()
		if !r.dead.Load() {
			t.Fatal("it lives")
		}
		w.restart()
		w.catchUp()
		w.shows(p, "menu.main")
		if n := w.calls("sendMessage") - calls; n > 2 {
			t.Errorf("the reply was sent %d times, want at most one repeat", n)
		}
		w.pressEvent(p, "page")
		w.shows(p, "menu.page")
	})
}

func TestF20_killBetweenCommitAndAnswer(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		r := w.replicas[0]
		r.store.committed = func(bot.Change) { r.kill() }
		w.pressEvent(p, "page")
		w.shows(p, "menu.main") // decided, and nobody was told
		w.restart()
		w.pressEvent(p, "page") // the child taps again, on the old screen
		w.within(10*time.Second, func() bool { return strings.Contains(screenOf(p).Text, "menu.page") })
		w.shows(p, "menu.page")
	})
	t.Run("without another tap", func(t *testing.T) {
		bubbles(t, setup{}, func(t *testing.T, w *world) {
			p := w.person()
			w.say(p, "/start")
			w.pressEvent(p, "next")
			r := w.replicas[0]
			r.store.committed = func(bot.Change) { r.kill() }
			w.pressEvent(p, "page")
			w.restart()
			w.catchUp()
			w.shows(p, "menu.page")
		})
	})
}

func TestF21_stopUnderLoad(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		var people []*faketelegram.Person
		for range 20 {
			p := w.person()
			people = append(people, p)
			p.Say("/start")
		}
		begun := time.Now()
		w.replicas[0].end()
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("stopping took %s", took)
		}
		w.mu.Lock()
		w.replicas = nil
		w.mu.Unlock()
		w.add(nil)
		w.settle()
		w.catchUp()
		for _, p := range people {
			w.shows(p, "hello.one")
		}
	})
}

func TestF26_twoReplicasGetTheSameUpdate(t *testing.T) {
	everywhere(t, setup{replicas: 2}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.fake.Disorder(faketelegram.Disorder{Repeat: 1})
		w.pressEvent(p, "page")
		w.fake.Calm()
		w.settle()
		w.shows(p, "menu.page")
		w.pressEvent(p, "back")
		w.shows(p, "menu.main")
		if len(w.ours(p)) != 1 {
			t.Errorf("want one message of ours, got %+v", w.ours(p))
		}
	})
}

func TestF27_fastTapsOnTwoReplicas(t *testing.T) {
	everywhere(t, setup{replicas: 2}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.pressEvent(p, "page")
		// Each tap is on the screen the one before led to, as fast as it shows.
		for i := range 4 {
			w.pressEvent(p, map[bool]string{true: "again", false: "page"}[i%2 == 0])
			time.Sleep(time.Second)
			w.shows(p, map[bool]string{true: "menu.main", false: "menu.page"}[i%2 == 0])
		}
		if len(w.ours(p)) != 1 {
			t.Errorf("want one message of ours, got %+v", w.ours(p))
		}
	})
}

func TestF28_twoFlowVersionsAtOnce(t *testing.T) {
	newer := fstest.MapFS{}
	for name, f := range conversation {
		newer[name] = f
	}
	newer["menu.yaml"] = &fstest.MapFile{Data: []byte(`flow: menu
start: main
states:
  main: {say: menu.main, buttons: [[leaf]]}
  leaf: {say: menu.leaf, was: [page], buttons: [[again]], go: {again: main}}
  who: {say: menu.who, buttons: [[read]], go: {read: done}}
`)}
	newer["index.yaml"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(conversation["index.yaml"].Data), "menu/page", "menu/leaf"))}
	lib, problems := flows.Load(newer, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	content, _ := parts()
	second := *content
	second.Library = lib
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		w.add(&second)
		w.settle()
		p := w.person()
		w.say(p, "/start")
		for range 12 {
			s := screenOf(p)
			w.helps(s)
			// Any button leads on, whichever version made the screen.
			if len(s.Rows) == 0 || len(s.Rows[0]) == 0 {
				t.Fatalf("stuck: %+v", s)
			}
			p.PressOld(s.ID, s.Rows[0][0].Data)
			w.settle()
			if !w.real {
				time.Sleep(time.Second)
			}
		}
		if len(w.ours(p)) != 1 {
			t.Errorf("want one message of ours, got %+v", w.ours(p))
		}
		w.press(p, "Hjelp nå")
		w.shows(p, "112")
	})
}

func TestF49_tooManyRequestsOfOneChat(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		slow, other := w.person(), w.person()
		w.say(slow, "/start")
		w.say(other, "/start")
		begun, tried := time.Now(), atomic.Int64{}
		w.fake.Trouble(func(c faketelegram.Call) faketelegram.Action {
			if c.ChatID() == slow.ID() && time.Since(begun) < 30*time.Second {
				tried.Add(1)
				return faketelegram.TooMany(30 - int(time.Since(begun)/time.Second))
			}
			return faketelegram.Action{}
		})
		w.pressEvent(slow, "next")
		for _, e := range []string{"next", "page", "again", "page"} {
			w.pressEvent(other, e)
			time.Sleep(time.Second)
		}
		w.shows(other, "menu.page")
		w.shows(slow, "hello.one")
		time.Sleep(90 * time.Second)
		w.settle()
		w.shows(slow, "menu.main")
		if n := tried.Load(); n > 5 {
			t.Errorf("asked %d times while told to wait", n)
		}
	})
}

// Help that Telegram does not take yet is shown as soon as it does.
func TestF49_helpWaitsToo(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		begun := time.Now()
		w.fake.Trouble(func(c faketelegram.Call) faketelegram.Action {
			if time.Since(begun) < 30*time.Second && c.Method == "editMessageText" {
				return faketelegram.TooMany(30 - int(time.Since(begun)/time.Second))
			}
			return faketelegram.Action{}
		})
		w.press(p, "Hjelp nå")
		time.Sleep(45 * time.Second)
		w.settle()
		w.shows(p, "112")
	})
}

func TestF50_serverErrorsInARow(t *testing.T) {
	for _, trouble := range []struct {
		name string
		a    faketelegram.Action
	}{
		{"429 without a time", faketelegram.TooMany(0)}, {"500", faketelegram.Status(500)}, {"502 with a page", faketelegram.BadGateway()},
		{"503", faketelegram.Status(503)}, {"reset", faketelegram.Action{Reset: true}},
	} {
		t.Run(trouble.name, func(t *testing.T) {
			bubbles(t, setup{}, func(t *testing.T, w *world) {
				p := w.person()
				w.say(p, "/start")
				w.fake.Next(4, "editMessageText", trouble.a)
				w.pressEvent(p, "next")
				time.Sleep(30 * time.Second)
				w.settle()
				w.shows(p, "menu.main")
				apologies := 0
				for _, m := range w.ours(p) {
					apologies += strings.Count(m.Text, "Beklager")
				}
				if apologies > 1 || len(w.ours(p)) != 1 {
					t.Errorf("%d apologies in %+v", apologies, w.ours(p))
				}
				if n := w.calls("editMessageText"); n > 6 {
					t.Errorf("%d edits", n)
				}
			})
		})
	}
}

// A reply that Telegram took without saying so is not shown twice: an edit that
// changes nothing is success.
func TestF51_acceptedWithoutAnAnswer(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.fake.Next(2, "editMessageText", faketelegram.Action{Drop: true})
		w.pressEvent(p, "next")
		time.Sleep(20 * time.Second)
		w.settle()
		w.shows(p, "menu.main")
		if n := len(w.ours(p)); n != 1 {
			t.Errorf("%d messages of ours", n)
		}
		w.pressEvent(p, "page")
		w.shows(p, "menu.page")
		w.pressEvent(p, "back")
		w.shows(p, "menu.main")
	})
}

// What Telegram refuses for a reason nobody foresaw comes plainly, with help.
func TestRefusedMessageComesPlainly(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		for _, method := range []string{"editMessageText", "sendMessage"} {
			w.fake.Next(1, method, faketelegram.Action{Status: 400, Description: "Bad Request: BUTTON_OF_2031_INVALID"})
			if method == "sendMessage" {
				w.say(p, "/privacy")
				w.shows(p, "menu.who")
				continue
			}
			w.pressEvent(p, "next")
			w.shows(p, "menu.main")
		}
		w.press(p, "Hjelp nå")
		w.shows(p, "112")
		if w.meter.count(&w.meter.alarms, "refused") != 2 {
			t.Errorf("alarms: %v", w.meter.alarms)
		}
	})
}

// Help does not wait behind a call that hangs.
func TestF56_helpBehindACallThatHangs(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		s := screenOf(p)
		w.fake.Next(1, "editMessageText", faketelegram.Action{Wait: time.Hour})
		p.PressOld(s.ID, button(s, "|next"))
		time.Sleep(100 * time.Millisecond)
		p.Say("/hjelp") // another queue of Telegram's
		time.Sleep(2 * time.Second)
		w.settle()
		w.shows(p, "112")
		time.Sleep(time.Minute)
		w.settle()
		w.shows(p, "112") // what hung does not come over it
		w.pressEvent(p, "show")
		w.shows(p, "menu.main")
	})
}

func TestF52_blockedOrGone(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*faketelegram.Person, *world)
	}{
		{"blocked", func(p *faketelegram.Person, w *world) { p.Block() }},
		{"deactivated", func(p *faketelegram.Person, w *world) { p.Deactivate() }},
		{"chat not found", func(p *faketelegram.Person, w *world) {
			w.fake.Next(1, "editMessageText", faketelegram.Action{Status: 400, Description: "Bad Request: chat not found"})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			everywhere(t, setup{}, func(t *testing.T, w *world) {
				p := w.person()
				w.say(p, "/start")
				s := screenOf(p)
				data := s.Rows[0][0].Data
				// The press is under way when the person turns away.
				w.replicas[0].before.Store(new(func(method string) {
					if method == "editMessageText" && !w.turned.Swap(true) {
						c.do(p, w)
					}
				}))
				p.PressOld(s.ID, data)
				w.settle()
				before := w.calls("editMessageText", "sendMessage")
				w.catchUpFast()
				if n := w.calls("editMessageText", "sendMessage") - before; n != 0 {
					t.Errorf("%d more tries", n)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				if len(w.gone) == 0 {
					t.Error("nobody was told")
				}
			})
		})
	}
}

// catchUpFast is catchUp where there is nothing to wait for.
func (w *world) catchUpFast() {
	w.t.Helper()
	if !w.real {
		time.Sleep(time.Minute)
	}
	for _, r := range w.replicas {
		r.c.Resend(context.Background())
	}
	w.settle()
}

func TestF53_notModifiedIsSuccess(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		s := screenOf(p)
		p.PressOld(s.ID, "AAAAAAAAAA|page") // stale: the same screen again
		w.settle()
		calls := w.fake.Calls("editMessageText")
		if last := calls[len(calls)-1]; last.Code != 400 || !strings.Contains(last.Text, "not modified") {
			t.Fatalf("want a refused edit, got %+v", last)
		}
		w.catchUpFast()
		if n := len(w.fake.Calls("editMessageText")); n != len(calls) {
			t.Errorf("tried %d times more", n-len(calls))
		}
		w.shows(p, "menu.main")
	})
}

func TestF54_messageThatCannotBeDeleted(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		stays := w.say(p, "bla en")
		gone := w.say(p, "bla to")
		w.fake.Trouble(func(c faketelegram.Call) faketelegram.Action {
			if c.Method == "deleteMessages" && slices.Contains(ids(c.Args["message_ids"]), stays) {
				return faketelegram.Action{Status: 400, Description: "Bad Request: message can't be deleted for everyone"}
			}
			return faketelegram.Action{}
		})
		w.pressEvent(p, "hide")
		w.shows(p, "hello.one")
		var left []int
		for _, m := range p.Chat() {
			if !m.Bot {
				left = append(left, m.ID)
			}
		}
		if len(left) != 1 || left[0] != stays || slices.Contains(left, gone) {
			t.Errorf("left: %v, want only %d", left, stays)
		}
		toasts := p.Toasts()
		if n := len(toasts); n == 0 || !strings.Contains(toasts[n-1].Text, "kan ikke fjernes") {
			t.Errorf("the child was not told what stays: %+v", toasts)
		}
	})
}

func ids(list string) []int {
	var out []int
	for _, f := range strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' }) {
		n := 0
		_, _ = fmt.Sscan(f, &n)
		out = append(out, n)
	}
	return out
}

func TestF55_tokenRevoked(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.fake.Trouble(func(faketelegram.Call) faketelegram.Action { return faketelegram.Action{Status: 401} })
		w.pressEvent(p, "next")
		time.Sleep(time.Minute)
		if w.meter.count(&w.meter.alarms, "unauthorized") == 0 {
			t.Error("no alarm")
		}
		w.fake.Calm()
		time.Sleep(5 * time.Minute)
		w.settle()
		w.shows(p, "menu.main")
	})
}

func TestF56_drippingAnswersAndNoName(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.fake.Next(1, "editMessageText", faketelegram.Action{Drip: time.Second})
		begun := time.Now()
		w.pressEvent(p, "next")
		time.Sleep(time.Minute)
		w.settle()
		w.shows(p, "menu.main")
		for _, c := range w.fake.Calls("editMessageText") {
			if c.At.Sub(begun) > 40*time.Second {
				t.Errorf("a call at %s", c.At.Sub(begun))
			}
		}
	})
}

func TestF57_liveMessageDeletedByTheChild(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		live := screenOf(p)
		w.replicas[0].before.Store(new(func(method string) {
			if method == "editMessageText" {
				_ = p.Delete(live.ID) // just before the edit
			}
		}))
		w.pressEvent(p, "page")
		w.replicas[0].before.Store(nil)
		s := screenOf(p)
		if s.ID == live.ID || !strings.Contains(s.Text, "menu.page") {
			t.Fatalf("want a new message, got %+v", s)
		}
		w.pressEvent(p, "again")
		w.shows(p, "menu.main")
		if len(w.ours(p)) != 1 {
			t.Errorf("want one message of ours, got %+v", w.ours(p))
		}
	})
}

func TestF76_hundredMessagesASecondFromOneChild(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		mad, other := w.person(), w.person()
		w.say(mad, "/start")
		w.say(other, "/start")
		time.Sleep(5 * time.Second)
		before := w.calls("sendMessage", "editMessageText")
		for range 100 {
			mad.Say("bla")
			time.Sleep(10 * time.Millisecond)
		}
		w.pressEvent(other, "next")
		w.shows(other, "menu.main")
		mad.Say("/hjelp")
		time.Sleep(time.Second)
		w.settle()
		if !carded(w, mad) {
			t.Error("help did not answer")
		}
		if n := w.calls("sendMessage", "editMessageText") - before; n > 15 {
			t.Errorf("%d messages in two seconds", n)
		}
		time.Sleep(time.Minute)
		w.settle()
		if n := len(w.ours(mad)); n != 1 {
			t.Errorf("%d messages of ours stand there", n)
		}
	})
}

func TestF81_noTokenInAnyOutput(t *testing.T) {
	token, err := telegram.ParseToken(faketelegram.Token)
	if err != nil {
		t.Fatal(err)
	}
	secret := faketelegram.Token[strings.IndexByte(faketelegram.Token, ':')+1:]
	check := func(t *testing.T, what, s string) {
		t.Helper()
		if strings.Contains(s, secret) || strings.Contains(s, hookSecret) {
			t.Errorf("%s holds a secret: %s", what, s)
		}
	}
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		check(t, "the token", fmt.Sprintf("%v %+v %#v %s %q %x", token, token, token, token, token, token))
		check(t, "the channel", fmt.Sprintf("%v %+v %#v", w.replicas[0].c, w.replicas[0].c, w.replicas[0].c))
		p := w.person()
		w.say(p, "/start")
		for _, a := range []faketelegram.Action{
			faketelegram.Status(500), faketelegram.BadGateway(), {Reset: true}, {Drop: true}, faketelegram.Status(401), faketelegram.Status(404),
			{Status: 400, Description: "Bad Request: token " + faketelegram.Token}, {Wait: 20 * time.Second}, {Drip: time.Second},
		} {
			w.fake.Trouble(func(faketelegram.Call) faketelegram.Action { return a })
			s := screenOf(p)
			if len(s.Rows) > 0 {
				p.PressOld(s.ID, s.Rows[0][0].Data)
			}
			p.Say("/hjelp")
			time.Sleep(30 * time.Second)
			w.fake.Calm()
			time.Sleep(30 * time.Second)
		}
		check(t, "the log", w.log.String())
	})
	// An address that cannot be reached, through the library's calls too.
	w := newWorld(t, setup{mode: "polling", change: func(o *telegram.Options) {
		o.Transport = &http.Transport{}
		o.API = "http://127.0.0.1:1"
	}})
	time.Sleep(100 * time.Millisecond)
	check(t, "the log", w.log.String())
	if !strings.Contains(w.log.String(), "transient") {
		t.Errorf("no error was logged: %s", w.log)
	}
	for _, bad := range []string{"http://x:y@host", "ftp://host", "http://example.org", "://"} {
		_, err := telegram.New(telegram.Options{Token: token, API: bad, Bot: w.replicas[0].bot, Store: w.store, Reader: nobody{}})
		if err == nil {
			t.Errorf("%q was taken", bad)
		} else {
			check(t, "the error", err.Error())
		}
	}
}

type nobody struct{}

func (nobody) Read(flows.Words) flows.Understanding { return flows.Understanding{} }

// fill leaves n messages of a chat on the hide list: the child's own.
func (w *world) fill(p *faketelegram.Person, n int) {
	w.t.Helper()
	for i := range n {
		p.Say(fmt.Sprintf("bla %d", i))
		if i%20 == 19 {
			w.settle()
			if !w.real {
				time.Sleep(10 * time.Second)
			}
		}
	}
	w.settle()
	if !w.real {
		time.Sleep(10 * time.Second)
		w.settle()
	}
}

func TestF103_hideManyMessages(t *testing.T) {
	for _, n := range []int{0, 1, 101, 450} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			hide := func(t *testing.T, w *world) {
				p := w.person()
				w.say(p, "/start")
				w.fill(p, n)
				w.pressEvent(p, "hide")
				w.settle()
				left := p.Chat()
				if len(left) != 1 || !left[0].Bot || !strings.Contains(left[0].Text, "hello.one") {
					t.Fatalf("%d messages stay: %+v", len(left), left)
				}
				if toasts := p.Toasts(); len(toasts) == 0 || toasts[len(toasts)-1].Text == "" {
					t.Error("no notice that it is done")
				}
				// By the command too, and that goes as well.
				w.pressEvent(p, "next")
				w.say(p, "/skjul")
				if left := p.Chat(); len(left) != 1 || !strings.Contains(left[0].Text, "hello.one") {
					t.Errorf("after the command: %+v", left)
				}
			}
			bubbles(t, setup{}, hide)
			if n == 101 {
				for _, mode := range modes {
					t.Run(mode+" on Redis", func(t *testing.T) { onRealRedis(t, mode, setup{}, hide) })
				}
			}
		})
	}
}

func TestF103_killedHalfWay(t *testing.T) {
	half := func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.fill(p, 250)
		r, batches := w.replicas[0], 0
		r.before.Store(new(func(method string) {
			if method == "deleteMessages" {
				if batches++; batches == 2 {
					r.kill()
				}
			}
		}))
		w.pressEvent(p, "hide")
		if n := len(p.Chat()); n < 50 || n > 200 {
			t.Fatalf("%d messages stand there after the kill", n)
		}
		if s := screenOf(p); !strings.Contains(s.Text, "hello.one") {
			t.Errorf("what shows is not neutral: %+v", s)
		}
		w.restart()
		before := len(w.fake.Calls("deleteMessages"))
		w.catchUp()
		if left := p.Chat(); len(left) != 1 || !strings.Contains(left[0].Text, "hello.one") {
			t.Errorf("%d messages stay", len(left))
		}
		// It went on where it was, and did not begin anew.
		deleted := 0
		for _, c := range w.fake.Calls("deleteMessages")[before:] {
			deleted += len(ids(c.Args["message_ids"]))
		}
		if deleted > 200 {
			t.Errorf("%d messages were asked for again", deleted)
		}
	}
	bubbles(t, setup{}, half)
	t.Run("on Redis", func(t *testing.T) { onRealRedis(t, "webhook", setup{}, half) })
}

func TestF103_someOlderThan48Hours(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		old := w.say(p, "bla gammel")
		// It cannot be tidied away while it is young.
		w.fake.Trouble(func(c faketelegram.Call) faketelegram.Action {
			if c.Method == "deleteMessages" && slices.Contains(ids(c.Args["message_ids"]), old) {
				return faketelegram.Action{Status: 400, Description: "Bad Request: message can't be deleted for everyone"}
			}
			return faketelegram.Action{}
		})
		time.Sleep(20 * time.Minute)
		w.asleep(47*time.Hour + 39*time.Minute + 30*time.Second)
		w.fake.Calm()
		w.say(p, "bla ny")
		w.pressEvent(p, "hide")
		time.Sleep(10 * time.Second)
		w.settle()
		for _, m := range p.Chat() {
			if !m.Bot && m.ID != old {
				t.Errorf("a young message stays: %+v", m)
			}
		}
		w.shows(p, "hello.one")
		toasts := p.Toasts()
		if n := len(toasts); n == 0 || !strings.Contains(toasts[n-1].Text, "kan ikke fjernes") {
			t.Errorf("not told what stays: %+v", toasts)
		}
	})
}

func TestF104_siblingOpensTheChatNextDay(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p, fresh := w.person(), w.person()
		w.say(p, "/start m0301")
		w.pressEvent(p, "next")
		w.say(p, "blabla")
		w.say(p, "pappa slår meg")
		w.pressEvent(p, "show")
		w.pressEvent(p, "page")
		time.Sleep(20 * time.Minute)
		w.settle()
		w.asleep(24 * time.Hour)
		left := p.Chat()
		if len(left) != 1 || !strings.Contains(left[0].Text, "hello.one") {
			t.Fatalf("the next day: %+v", left)
		}
		w.say(fresh, "/start")
		want := screenOf(fresh)
		w.say(p, "/start")
		got := screenOf(p)
		if got.Text != want.Text || !slices.Equal(got.Labels(), want.Labels()) {
			t.Errorf("a returning child sees\n%+v\na new one\n%+v", got, want)
		}
		for _, row := range got.Rows {
			for _, b := range row {
				if strings.Contains(b.Data, "0301") {
					t.Errorf("the municipality of yesterday is on %+v", b)
				}
			}
		}
	})
}

// After 15 minutes of silence what shows is the neutral start, and the session
// is over (S31); only once, whichever replica does it.
func TestTidy(t *testing.T) {
	bubbles(t, setup{replicas: 2}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		old := screenOf(p)
		w.say(p, "blabla")
		w.pressEvent(p, "page")
		time.Sleep(14 * time.Minute)
		w.settle()
		w.shows(p, "menu.page")
		before := w.calls("editMessageText")
		time.Sleep(3 * time.Minute)
		w.settle()
		w.shows(p, "hello.one")
		if left := p.Chat(); len(left) != 1 {
			t.Errorf("left: %+v", left)
		}
		time.Sleep(2 * time.Hour)
		w.settle()
		if n := w.calls("editMessageText") - before; n != 1 {
			t.Errorf("%d edits to tidy one chat", n)
		}
		// The session is over: a press on an old screen starts anew.
		p.PressOld(screenOf(p).ID, old.Rows[0][0].Data)
		w.settle()
		w.shows(p, "hello.one")
	})
}

func TestTidyOnRedis(t *testing.T) {
	parts()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			onRealRedis(t, mode, setup{}, func(t *testing.T, w *world) {
				clock, p := w.clock, w.person()
				w.say(p, "/start")
				w.pressEvent(p, "next")
				w.say(p, "blabla")
				clock.add(14 * time.Minute)
				w.replicas[0].c.Tidy(context.Background())
				w.settle()
				w.shows(p, "menu.main")
				clock.add(2 * time.Minute)
				w.replicas[0].c.Tidy(context.Background())
				w.settle()
				w.shows(p, "hello.one")
				if left := p.Chat(); len(left) != 1 {
					t.Errorf("left: %+v", left)
				}
				before := w.calls()
				clock.add(2 * time.Minute)
				w.replicas[0].c.Tidy(context.Background())
				w.settle()
				if n := w.calls() - before; n != 0 {
					t.Errorf("%d calls to tidy it again", n)
				}
			})
		})
	}
}

// Who wants it is tidied after two hours of silence instead (S31).
func TestTidyLate(t *testing.T) {
	parts()
	late := func(t *testing.T, w *world, pass func(time.Duration)) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.pressEvent(p, "language")
		w.pressEvent(p, "en")
		pass(10 * time.Second) // nobody presses so fast
		w.pressEvent(p, "late")
		w.say(p, "blabla")
		w.pressEvent(p, "page")
		pass(119 * time.Minute)
		w.shows(p, "menu.page/en")
		w.press(p, "Help now") // reading the card is being there too
		w.shows(p, "112")
		pass(119 * time.Minute)
		w.shows(p, "112")
		w.pressEvent(p, "show")
		w.shows(p, "menu.page/en")
		pass(119 * time.Minute)
		w.shows(p, "menu.page/en")
		pass(2 * time.Minute)
		w.shows(p, "hello.one/en") // the language is all that stays
		if left := p.Chat(); len(left) != 1 {
			t.Errorf("left: %+v", left)
		}
		// The next conversation is tidied after 15 minutes again: nothing was kept.
		w.pressEvent(p, "next")
		pass(16 * time.Minute)
		w.shows(p, "hello.one")
	}
	bubbles(t, setup{replicas: 2}, func(t *testing.T, w *world) {
		late(t, w, func(d time.Duration) {
			time.Sleep(d)
			w.settle()
		})
	})
	for _, mode := range modes {
		t.Run(mode+" on Redis", func(t *testing.T) {
			onRealRedis(t, mode, setup{}, func(t *testing.T, w *world) {
				late(t, w, func(d time.Duration) {
					w.clock.add(d)
					w.replicas[0].c.Tidy(context.Background())
					w.settle()
				})
			})
		})
	}
}

// A session is over when its time has come, also when nobody was there to tidy:
// whoever presses then sees the start (S31).
func TestTidyWithNobodyThere(t *testing.T) {
	parts()
	onRealRedis(t, "webhook", setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.clock.add(15*time.Minute + time.Second)
		w.pressEvent(p, "page")
		w.shows(p, "hello.one")
	})
}

// A chat nobody wrote in for 30 minutes has no session; what shows is tidied all
// the same, also after a store that was emptied nothing breaks.
func TestTidyAfterTheSessionEnded(t *testing.T) {
	parts()
	onRealRedis(t, "webhook", setup{}, func(t *testing.T, w *world) {
		clock, p := w.clock, w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		clock.add(3 * time.Hour)
		w.replicas[0].c.Tidy(context.Background())
		w.settle()
		w.shows(p, "hello.one")
		before := w.calls()
		clock.add(3 * time.Hour)
		w.replicas[0].c.Tidy(context.Background())
		w.settle()
		if n := w.calls() - before; n != 0 {
			t.Errorf("%d calls to tidy it again", n)
		}
	})
}

// A press after an erasure, a hide or a restart of the process is tidied too:
// the store hears which message shows what.
func TestTidyAfterErase(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.pressEvent(p, "erase")
		w.shows(p, "hello.one")
		w.pressEvent(p, "next")
		w.pressEvent(p, "page")
		w.shows(p, "menu.page")
		time.Sleep(20 * time.Minute)
		w.settle()
		w.shows(p, "hello.one")
	})
}

func TestErase(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.say(p, "blabla")
		w.pressEvent(p, "erase")
		if left := p.Chat(); len(left) != 1 || !strings.Contains(left[0].Text, "hello.one") {
			t.Errorf("left: %+v", left)
		}
		toasts := p.Toasts()
		if n := len(toasts); n == 0 || !strings.Contains(toasts[n-1].Text, "slettet") {
			t.Errorf("toasts: %+v", toasts)
		}
		chat, err := w.store.Read(context.Background(), bot.ChatID{Channel: bot.Telegram, Bot: "1000001", User: fmt.Sprint(p.ID())}, bot.Want{Traces: true})
		if err != nil || chat.Session.Schema != 0 || chat.Traces.Live != 0 || len(chat.Traces.Messages) != 0 {
			t.Errorf("the store holds %+v, %v", chat, err)
		}
		w.say(p, "/start")
		w.say(p, "/slett")
		s := screenOf(p)
		if left := p.Chat(); len(left) != 1 || !strings.Contains(s.Text, "slettet") || !strings.Contains(s.Text, "hello.one") {
			t.Errorf("after the command: %+v", left)
		}
	})
}

// Hiding and erasing survive kill -9 between any two steps: what stood on the
// phone goes, and when everything is erased then also the list of it (S30, S38).
func TestF87_F103_killedBetweenEachStep(t *testing.T) {
	run := func(w *world, event string, messages, at int) (killed bool) {
		t := w.t
		t.Helper()
		p := w.person()
		w.say(p, "/start")
		w.fill(p, messages)
		r, steps := w.replicas[0], atomic.Int32{}
		step := func() {
			if int(steps.Add(1)) == at {
				r.kill()
			}
		}
		r.before.Store(new(func(method string) {
			if method != "getUpdates" && method != "answerCallbackQuery" {
				step()
			}
		}))
		r.store.before.Store(&step)
		w.pressEvent(p, event)
		if killed = r.dead.Load(); killed {
			w.restart()
			w.catchUp()
		}
		if left := p.Chat(); len(left) != 1 || !left[0].Bot || !strings.Contains(left[0].Text, "hello.one") {
			t.Errorf("killed before step %d: %d messages stay: %+v", at, len(left), left)
		}
		chat, err := w.store.Read(context.Background(), bot.ChatID{Channel: bot.Telegram, Bot: "1000001", User: fmt.Sprint(p.ID())}, bot.Want{Traces: true})
		if err != nil || chat.Session.Schema != 0 || event == "erase" && (chat.Traces.Live != 0 || len(chat.Traces.Messages) != 0) {
			t.Errorf("killed before step %d: the store holds %+v, %v", at, chat, err)
		}
		for shard := range bot.Shards {
			if ids, entries, err := w.store.Pending(context.Background(), shard, 10); err != nil || len(ids) > 0 {
				t.Errorf("killed before step %d: the outbox holds %+v, %v", at, entries, err)
			}
			if due, err := w.store.Due(context.Background(), shard, 10, w.now().Add(48*time.Hour)); err != nil || len(due) > 0 {
				t.Errorf("killed before step %d: to be tidied: %+v, %v", at, due, err)
			}
		}
		return killed
	}
	parts()
	for i, n := range []int{0, 0, 1, 1, 101, 101, 250, 250, 500, 500} {
		event := []string{"erase", "hide"}[i%2]
		t.Run(fmt.Sprint(event, " ", n), func(t *testing.T) {
			steps, stride := 1, 1
			if n > 101 {
				stride = 3 // the steps are the same ones, more often
			}
			for killed := true; killed; steps += stride {
				for i, mode := range modes {
					if n > 101 && steps%len(modes) != i {
						continue // one of the modes, in turn
					}
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, setup{mode: mode})
						w.settle()
						killed = run(w, event, n, steps)
					})
				}
			}
			if least := 5 + n/100; steps < least {
				t.Errorf("only %d steps", steps)
			}
		})
	}
	for i, mode := range modes {
		t.Run(mode+" on Redis", func(t *testing.T) {
			for at := 3 + i; at < 12; at += 4 {
				onRealRedis(t, mode, setup{}, func(_ *testing.T, w *world) { run(w, "erase", 101, at) })
			}
		})
	}
}

// A conversation that began while an erasure was not finished goes on.
func TestEraseLeavesWhatBeganAfterwards(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.say(p, "blabla")
		r := w.replicas[0]
		r.before.Store(new(func(method string) {
			if method == "deleteMessages" {
				r.kill()
			}
		}))
		w.pressEvent(p, "erase")
		if !r.dead.Load() {
			t.Fatal("nothing was to be deleted")
		}
		w.restart()
		w.later(8 * time.Second) // a hide list knows seconds; and the press comes once more
		w.pressEvent(p, "next")
		typed := w.say(p, "blablabla")
		w.pressEvent(p, "page")
		w.catchUp()
		w.shows(p, "menu.page")
		var own []int
		for _, m := range p.Chat() {
			if !m.Bot {
				own = append(own, m.ID)
			}
		}
		if !slices.Equal(own, []int{typed}) {
			t.Errorf("the child's own messages: %v, want the new one only: %d", own, typed)
		}
		w.pressEvent(p, "hide")
		if left := p.Chat(); len(left) != 1 {
			t.Errorf("hidden afterwards: %+v", left)
		}
	})
}

// What stands there after hiding is in the language that was chosen, also when
// another process finishes it.
func TestHidesInTheLanguageThatWasChosen(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		for _, event := range []string{"hide", "erase"} {
			p := w.person()
			w.say(p, "/start")
			w.pressEvent(p, "language")
			w.pressEvent(p, "en")
			w.say(p, "blabla")
			r := w.replicas[len(w.replicas)-1]
			r.before.Store(new(func(method string) {
				if method == "deleteMessages" {
					r.kill()
				}
			}))
			w.pressEvent(p, event)
			w.shows(p, "hello.one/en")
			w.restart()
			w.catchUp()
			w.shows(p, "hello.one/en")
			if left := p.Chat(); len(left) != 1 {
				t.Errorf("%s leaves %+v", event, left)
			}
		}
	})
}

// While the store is away erasing says so, and is done when it is back, on the
// phone too (F8, F87).
func TestF8_eraseWithTheStoreAway(t *testing.T) {
	bubbles(t, setup{store: nil}, func(t *testing.T, w *world) {
		memory := w.store.(*bottest.Memory)
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.say(p, "blabla")
		memory.Break(bottest.ErrAway, bottest.ErrAway, bottest.ErrAway)
		w.pressEvent(p, "erase")
		w.shows(p, "hello.one")
		toasts := p.Toasts()
		if n := len(toasts); n == 0 || !strings.Contains(toasts[n-1].Text, "prøver igjen") {
			t.Errorf("toasts: %+v", toasts)
		}
		memory.Break(nil, nil, nil)
		if n := w.replicas[0].bot.RetryErasures(context.Background()); n != 0 {
			t.Errorf("%d chats wait", n)
		}
		w.replicas[0].bot.RetryNotes(context.Background())
		w.catchUp()
		if left := p.Chat(); len(left) != 1 || !strings.Contains(left[0].Text, "hello.one") {
			t.Errorf("left: %+v", left)
		}
		chat, err := memory.Read(context.Background(), bot.ChatID{Channel: bot.Telegram, Bot: "1000001", User: fmt.Sprint(p.ID())}, bot.Want{Traces: true})
		if err != nil || chat.Session.Schema != 0 || chat.Traces.Live != 0 || len(chat.Traces.Messages) != 0 {
			t.Errorf("the store holds %+v, %v", chat, err)
		}
	})
}

// An author's own button may hide and erase as well; the whole list is cleared.
func TestAuthorsButtonsHideAndErase(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		for _, e := range []string{"vanish", "wipe"} {
			p := w.person()
			w.say(p, "/start")
			w.pressEvent(p, "next")
			for range 3 {
				w.say(p, "blabla")
			}
			w.pressEvent(p, e)
			if left := p.Chat(); len(left) != 1 || !strings.Contains(left[0].Text, "hello.one") {
				t.Errorf("%s leaves %+v", e, left)
			}
		}
	})
}

// A new message never shows anything in its first 60 characters, has no sound
// and no preview (S29), in any language.
func TestNewMessagesBeginNeutrally(t *testing.T) {
	content, _ := parts()
	for _, l := range []string{"nb", "nn", "en", "se", "uk", "pl", "ar", "so"} {
		text, tag := content.Texts.Lookup(l, "telegram.lead", "")
		if tag != l || utf8.RuneCountInString(text) < 60 {
			t.Errorf("%s: the first line has %d characters in %q, want 60", l, utf8.RuneCountInString(text), tag)
		}
	}
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		for _, s := range []string{"/start", "hei", "pappa slår meg", "/hjelp", "/privacy"} {
			w.say(p, s)
		}
		p.SendPhoto("")
		w.settle()
		lead, _ := content.Texts.Lookup("nb", "telegram.lead", "")
		for _, m := range w.fake.Bot("").History(p.ID()) {
			if m.Bot && (!strings.HasPrefix(m.Text, lead) || !m.Silent) {
				t.Errorf("new message %+v", m)
			}
		}
		for _, c := range w.fake.Calls("sendMessage") {
			if !strings.Contains(c.Args["link_preview_options"], "true") || c.Args["parse_mode"] != "" {
				t.Errorf("call %+v", c.Args)
			}
		}
	})
}

// On Telegram nobody is anonymous, and no text says so.
func TestTextsDoNotPromise(t *testing.T) {
	content, _ := parts()
	for _, l := range []string{"nb", "nn", "en", "se", "uk", "pl", "so"} {
		for _, id := range []string{"lead", "late", "away", "media", "remove", "removed", "stays", "group", "off", "off.web", "short", "description", "name"} {
			text, tag := content.Texts.Lookup(l, "telegram."+id, "")
			if tag != l || text == "" || strings.Contains(strings.ToLower(text), "anonym") || strings.Contains(text, "анонім") {
				t.Errorf("%s of %s is %q in %q", id, l, text, tag)
			}
		}
	}
}

// For screen readers every answer is a new message, and the old one goes (S70).
func TestNewMessagesInsteadOfEdits(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.pressEvent(p, "aloud")
		last := screenOf(p).ID
		for _, e := range []string{"page", "again", "page"} {
			w.pressEvent(p, e)
			s := screenOf(p)
			if s.ID == last || s.Edited {
				t.Errorf("%s: an edit", e)
			}
			last = s.ID
			time.Sleep(time.Second)
		}
		if len(w.ours(p)) != 1 {
			t.Errorf("want one message of ours, got %+v", w.ours(p))
		}
	})
}

// A press costs two calls at most, over the webhook one of them rides in the
// answer.
func TestCallsPerPress(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		for _, e := range []string{"next", "page", "again"} {
			before := len(w.fake.Calls())
			bodies, forms := w.fake.Bodies()[faketelegram.Webhook], w.fake.Bodies()[faketelegram.Multipart]
			w.pressEvent(p, e)
			all := 0
			for _, c := range w.fake.Calls()[before:] {
				if c.Method != "getUpdates" {
					all++
				}
			}
			rode := w.fake.Bodies()[faketelegram.Webhook] - bodies
			if want := map[string]int{"webhook": 1, "polling": 0}[w.setup.mode]; all != 2 || rode != want {
				t.Errorf("%s: %d calls, %d of them in the answer", e, all, rode)
			}
			if n := w.fake.Bodies()[faketelegram.Multipart] - forms; n != 0 {
				t.Errorf("%d multipart bodies", n)
			}
		}
	})
}

// So does one for screen readers, although it is a message sent and another
// taken away, and hiding where there is nothing but the live message.
func TestCallsPerOtherPress(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		// One that rides in the answer of the webhook is not counted.
		calls := func(what string, polling, webhook int, press func()) {
			t.Helper()
			w.later(2 * time.Second) // a chat has one message a second
			before, rode := w.calls(), w.fake.Bodies()[faketelegram.Webhook]
			press()
			n := w.calls() - before - w.fake.Bodies()[faketelegram.Webhook] + rode
			if want := map[string]int{"polling": polling, "webhook": webhook}[w.setup.mode]; n != want {
				t.Errorf("%s: %d calls, want %d", what, n, want)
			}
		}
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.pressEvent(p, "aloud")
		for _, e := range []string{"page", "again", "page", "again"} {
			calls(e, 2, 2, func() { w.pressEvent(p, e) })
		}
		if p.Spinning() > 0 {
			t.Errorf("%d buttons turn for ever", p.Spinning())
		}
		// The message cannot be taken away: then the press is answered.
		w.fake.Next(1, "deleteMessages", faketelegram.Action{Status: 400, Description: "Bad Request: message can't be deleted for everyone"})
		calls("page, and the old one stays", 3, 2, func() { w.pressEvent(p, "page") })
		if p.Spinning() > 0 {
			t.Errorf("%d buttons turn for ever", p.Spinning())
		}
		q := w.person()
		w.say(q, "/start")
		w.pressEvent(q, "next")
		w.say(q, "/start")
		w.pressEvent(q, "hide")
		w.pressEvent(q, "next")
		calls("hide", 2, 1, func() { w.pressEvent(q, "hide") })
	})
}

// Where the child part is off on Telegram, help and the professional part are
// there, and the way to the web (D15).
func TestChildPartSwitchedOff(t *testing.T) {
	off := setup{change: func(o *telegram.Options) {
		o.Tenant, o.WebURL = "5501", "https://example.org/"
		o.ChildOff = func(tenant string) bool { return tenant == "5501" }
	}}
	bubbles(t, off, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.shows(p, "ikke på Telegram")
		s := screenOf(p)
		if !slices.ContainsFunc(s.Rows, func(r []faketelegram.Button) bool { return r[0].URL == "https://example.org/" }) {
			t.Errorf("no way to the web: %+v", s.Rows)
		}
		for _, row := range s.Rows {
			for _, b := range row {
				if strings.HasSuffix(b.Data, "|next") {
					t.Errorf("a button of the child part: %+v", b)
				}
			}
		}
		// The language can be chosen all the same.
		w.pressEvent(p, "language")
		w.shows(p, "tongue.pick")
		w.pressEvent(p, "en")
		w.shows(p, "not on Telegram")
		time.Sleep(10 * time.Second)
		w.pressEvent(p, "language")
		w.pressEvent(p, "nb")
		w.shows(p, "ikke på Telegram")
		time.Sleep(10 * time.Second)
		w.press(p, "Hjelp nå")
		w.shows(p, "112")
		w.pressEvent(p, "show")
		w.pressEvent(p, "staff")
		w.shows(p, "staff.main")
		w.say(p, "pappa slår meg")
		w.helps(screenOf(p))
		q := w.person()
		w.say(q, "pappa slår meg")
		w.shows(q, "112")
	})
}

// With the store away from the beginning, reading and help work in both modes,
// and with the store the bot goes on by itself (F1, F2).
func TestF1_storeAwayFromTheStart(t *testing.T) {
	parts()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := &bottest.Memory{}
				memory.Break(bottest.ErrAway, bottest.ErrAway, bottest.ErrAway)
				w := newWorld(t, setup{mode: mode, store: memory})
				w.settle()
				p := w.person()
				w.say(p, "/start")
				w.shows(p, "hello.one")
				w.pressEvent(p, "next")
				w.shows(p, "menu.main")
				w.pressEvent(p, "page")
				w.shows(p, "menu.page")
				w.press(p, "Hjelp nå")
				w.shows(p, "112")
				w.pressEvent(p, "show") // the card carried the screen
				w.shows(p, "menu.page")
				w.say(p, "pappa slår meg")
				w.shows(p, "112")
				memory.Break(nil, nil, nil)
				time.Sleep(10 * time.Second)
				w.say(p, "/start")
				w.pressEvent(p, "next")
				w.shows(p, "menu.main")
				w.pressEvent(p, "hide")
				w.shows(p, "hello.one")
			})
		})
	}
}

// A bot of a municipality shows its numbers, also after hiding (D15).
func TestMunicipalityOfTheBot(t *testing.T) {
	bubbles(t, setup{change: func(o *telegram.Options) { o.Tenant = "0301" }}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		if b := button(screenOf(p), "h."); !strings.Contains(b, ".0301.") {
			t.Errorf("help button %q", b)
		}
		w.pressEvent(p, "next")
		w.pressEvent(p, "hide")
		w.pressEvent(p, "next")
		if b := button(screenOf(p), "h."); !strings.Contains(b, ".0301.") {
			t.Errorf("help button after hiding %q", b)
		}
		// A link to another municipality wins.
		w.say(p, "/start m5501")
		w.pressEvent(p, "next")
		if b := button(screenOf(p), "h."); !strings.Contains(b, ".5501.") {
			t.Errorf("help button after a link %q", b)
		}
	})
}

// Help goes first: it does not wait for the second a chat has to wait.
func TestHelpGoesFirst(t *testing.T) {
	bubbles(t, setup{fake: faketelegram.Options{}}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		for range 8 {
			p.Say("bla")
		}
		w.settle()
		begun := time.Now()
		p.Say("/hjelp")
		w.settle()
		if !carded(w, p) {
			t.Errorf("no card after %s", time.Since(begun))
		}
	})
}

// Against a strict server nothing is ever sent too fast.
func TestPaceOnAStrictServer(t *testing.T) {
	bubbles(t, setup{fake: faketelegram.Options{Strict: true}}, func(t *testing.T, w *world) {
		var people []*faketelegram.Person
		for range 60 {
			p := w.person()
			people = append(people, p)
			p.Say("/start")
		}
		time.Sleep(10 * time.Second)
		w.settle()
		for _, p := range people {
			w.shows(p, "hello.one")
		}
		if n := w.meter.count(&w.meter.calls, "sendMessage too_many"); n > 3 {
			t.Errorf("asked to wait %d times", n)
		}
	})
}

// shared is the bucket replicas share, in memory.
type shared struct {
	mu    sync.Mutex
	left  float64
	since time.Time
	away  bool
	draws int
}

func (s *shared) Draw(_ context.Context, _ string, most int, now time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return 0, errDead
	}
	s.draws++
	if s.since.IsZero() {
		s.left = 30
	} else {
		s.left = min(30, s.left+now.Sub(s.since).Seconds()*30)
	}
	s.since = now
	n := min(most, int(s.left))
	s.left -= float64(n)
	return n, nil
}

func TestReplicasShareTheRate(t *testing.T) {
	for _, away := range []bool{false, true} {
		t.Run(fmt.Sprintf("store away: %v", away), func(t *testing.T) {
			bucket := &shared{away: away}
			two := setup{replicas: 2, change: func(o *telegram.Options) { o.Buckets = bucket }}
			bubbles(t, two, func(t *testing.T, w *world) {
				bucket.since, bucket.left = time.Time{}, 0
				var people []*faketelegram.Person
				for range 120 {
					p := w.person()
					people = append(people, p)
					p.Say("/start")
				}
				time.Sleep(30 * time.Second)
				w.catchUp()
				for _, p := range people {
					w.shows(p, "hello.one")
				}
				perSecond := map[int64]int{}
				for _, c := range w.fake.Calls("sendMessage") {
					perSecond[c.At.Unix()]++
				}
				for s, n := range perSecond {
					if n > 65 {
						t.Errorf("%d messages in second %d", n, s)
					}
				}
			})
		})
	}
}
