package telegram_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/bot/telegram/faketelegram"
	"trygg/flows"
)

// post brings a body to the webhook as anybody could.
func post(w *world, body []byte, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hook", bytes.NewReader(body))
	r.Header.Set("X-Telegram-Bot-Api-Secret-Token", hookSecret)
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = strings.Split(header[i+1], "|")
		if header[i+1] == "" {
			delete(r.Header, header[i])
		}
	}
	out := httptest.NewRecorder()
	w.replicas[0].c.ServeHTTP(out, r)
	return out
}

func TestF31_sameUpdateTenTimes(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		before := w.calls()
		w.fake.Disorder(faketelegram.Disorder{Repeat: 1})
		w.say(p, "hei")
		w.fake.Calm()
		w.settle()
		if n := len(w.ours(p)); n != 1 {
			t.Errorf("%d messages of ours, want 1: %+v", n, w.ours(p))
		}
		if n := w.calls() - before; n > 2 {
			t.Errorf("%d calls for one update", n)
		}
		if w.setup.mode == "webhook" {
			s := screenOf(p)
			var page string
			for _, b := range s.Rows[0] {
				page = b.Data
			}
			body := fmt.Appendf(nil, `{"update_id":7,"callback_query":{"id":"1","from":{"id":%d},"data":%q,"message":{"message_id":%d,"date":%d,"chat":{"id":%[1]d,"type":"private"}}}}`,
				p.ID(), page, s.ID, time.Now().Unix())
			edits := w.calls("editMessageText")
			for range 10 {
				if out := post(w, body); out.Code != 200 {
					t.Fatalf("status %d", out.Code)
				}
			}
			if n := w.calls("editMessageText") - edits; n != 1 {
				t.Errorf("%d edits for the same press ten times", n)
			}
		}
	})
}

func TestF32_updatesShuffled(t *testing.T) {
	everywhere(t, setup{replicas: 2}, func(t *testing.T, w *world) {
		w.fake.Disorder(faketelegram.Disorder{Queues: true, Within: true, Repeat: 0.2})
		var people []*faketelegram.Person
		for range 8 {
			p := w.person()
			people = append(people, p)
			p.Say("/start")
			p.Say("hei")
			p.Say("rettigheter")
			p.Say("/start m0301")
		}
		w.settle()
		time.Sleep(2 * time.Second)
		w.settle()
		for _, p := range people {
			s, ok := p.Screen()
			if !ok {
				t.Fatalf("no answer for %d: %+v", p.ID(), p.Chat())
			}
			w.helps(s)
		}
		if w.fake.Bot("").Pending() > 0 && w.setup.mode == "webhook" {
			t.Errorf("%d updates still wait", w.fake.Bot("").Pending())
		}
	})
}

func TestF33_webhookWithoutOrWithWrongSecret(t *testing.T) {
	w := newWorld(t, setup{mode: "webhook"})
	body := []byte(`{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"text":"hjelp"}}`)
	const name = "X-Telegram-Bot-Api-Secret-Token"
	for _, c := range []struct {
		name, value string
		want        int
	}{
		{"no secret", "", 401},
		{"a wrong one", "wrong", 403},
		{"one that begins like it", hookSecret[:len(hookSecret)-1], 403},
		{"one that is longer", hookSecret + "a", 403},
		{"two of them", hookSecret + "|" + hookSecret, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out := post(w, body, name, c.value); out.Code != c.want {
				t.Errorf("status %d, want %d", out.Code, c.want)
			}
		})
	}
	if n := w.calls(); n != 0 {
		t.Errorf("%d calls to Telegram", n)
	}
	if n := len(w.meter.updates); n != 0 {
		t.Errorf("updates were looked at: %v", w.meter.updates)
	}
}

func TestF34_brokenDeepAndLargeBodies(t *testing.T) {
	w := newWorld(t, setup{mode: "webhook"})
	deep := strings.Repeat("[", 10_000)
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"empty", "", 400},
		{"not JSON", "hello", 400},
		{"cut off", `{"update_id":1,"message":{"message_id":`, 400},
		{"a list", `[]`, 400},
		{"10,000 levels", deep, 400},
		{"10,000 levels inside", `{"update_id":1,"poll":` + deep, 400},
		{"10,000 levels, closed", `{"update_id":1,"poll":` + deep + strings.Repeat("]", 10_000) + `}`, 400},
		{"5 MiB", `{"update_id":1,"x":"` + strings.Repeat("a", 5<<20) + `"}`, 413},
		{"control characters", "{\"update_id\":1,\"a\":\"\x01\"}", 400},
		{"two values", `{"update_id":1}{}`, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun := time.Now()
			if out := post(w, []byte(c.body)); out.Code != c.want {
				t.Errorf("status %d, want %d", out.Code, c.want)
			}
			if took := time.Since(begun); took > time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
	if n := w.calls(); n != 0 {
		t.Errorf("%d calls to Telegram", n)
	}
}

// What cannot be decoded is answered with the card when it is known whose it is (S9).
func TestF34_whoeverCanBeToldGetsTheCard(t *testing.T) {
	w := newWorld(t, setup{mode: "webhook"})
	p := w.person()
	w.real = true
	w.say(p, "/start") // so that the chat exists
	for _, c := range []struct{ name, body string }{
		{"too deep", `{"update_id":71,"message":{"message_id":8,"from":{"id":%[1]d,"language_code":"nb"},"chat":{"id":%[1]d,"type":"private"},"text":"canary-1","poll":` + strings.Repeat("[", 100)},
		{"text of a wrong type", `{"update_id":72,"message":{"message_id":8,"chat":{"id":%[1]d,"type":"private"},"text":{"canary":"canary-2"}}}`},
		{"no id", `{"message":{"message_id":8,"chat":{"id":%[1]d,"type":"private"},"text":"canary-3"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(w.fake.Calls("sendMessage"))
			if out := post(w, fmt.Appendf(nil, c.body, p.ID())); out.Code != 200 {
				t.Fatalf("status %d", out.Code)
			}
			calls := w.fake.Calls("sendMessage")
			if len(calls) != before+1 || !strings.Contains(calls[before].Args["text"], "112") {
				t.Fatalf("no card: %+v", calls[before:])
			}
		})
	}
	if strings.Contains(w.log.String(), "canary") {
		t.Errorf("words in the log: %s", w.log)
	}
}

// Every kind of update of the specification, and kinds nobody knows yet.
func TestF35_unknownUpdateKinds(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		before := w.calls()
		kinds := []string{"edited_channel_post", "business_connection", "business_message", "edited_business_message", "deleted_business_messages",
			"guest_message", "message_reaction", "message_reaction_count", "inline_query", "chosen_inline_result", "shipping_query", "pre_checkout_query",
			"purchased_paid_media", "poll", "poll_answer", "chat_member", "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot", "something_of_2031"}
		for i, k := range kinds {
			body := fmt.Sprintf(`{"%s":{"id":"1","chat":{"id":%d,"type":"private"},"from":{"id":%[2]d},"forward_origin":{"type":"of_2031","deep":[[{"a":[1,2.5e3,null,true]}]]}}}`, k, p.ID())
			if _, err := w.fake.Bot("").Inject(body); err != nil {
				t.Fatal(err)
			}
			if w.setup.mode == "webhook" {
				if out := post(w, fmt.Appendf(nil, `{"update_id":%d,%s`, 5000+i, body[1:])); out.Code != 200 {
					t.Errorf("%s: status %d", k, out.Code)
				}
			}
		}
		// A message with contents nobody knows is one we can answer.
		if _, err := p.SendRaw(`{"hologram":{"of":"2031","union":{"type":"unheard"}},"forward_origin":{"type":"unheard"}}`); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if n := w.calls() - before; n > 2 {
			t.Errorf("%d calls for updates that are nothing for us", n)
		}
		w.say(p, "hei")
		w.helps(screenOf(p))
		if n := w.fake.Bot("").Pending(); n != 0 && w.setup.mode == "webhook" {
			t.Errorf("%d updates still wait", n)
		}
	})
}

func TestF36_editedMessage(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		id := w.say(p, "hei")
		before, shown := w.calls(), screenOf(p)
		if err := p.Edit(id, "hei igjen"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if n := w.calls() - before; n != 0 || screenOf(p).Text != shown.Text {
			t.Errorf("%d calls for an edit that says nothing", n)
		}
		if err := p.Edit(id, "pappa slår meg"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.shows(p, "112")
		w.pressEvent(p, "show")
		w.shows(p, "menu.main")
	})
}

func TestF37_groupOrChannel(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		group := p.AddBotToGroup("klassen")
		w.settle()
		_, _ = p.SayIn(group, "pappa slår meg")
		w.settle()
		said := w.fake.Bot("").Chat(group)
		ours := 0
		for _, m := range said {
			if m.Bot {
				ours++
				if strings.Contains(m.Text, "112") || len(m.Rows) > 0 {
					t.Errorf("said in a group: %q", m.Text)
				}
			}
		}
		if w.fake.Bot("").In(group) || ours != 1 {
			t.Errorf("in the group: %v, lines said: %d", w.fake.Bot("").In(group), ours)
		}
		channel := p.AddBotToChannel("nytt")
		w.settle()
		if w.fake.Bot("").In(channel) {
			t.Error("still in the channel")
		}
		if strings.Contains(w.log.String(), "msg=update") {
			t.Errorf("something was processed: %s", w.log)
		}
	})
}

func TestF38_mediaIsNeverLoaded(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		for name, send := range map[string]func(*faketelegram.Person) int{
			"photo": func(p *faketelegram.Person) int { return p.SendPhoto("") }, "voice": (*faketelegram.Person).SendVoice,
			"video": func(p *faketelegram.Person) int { return p.SendVideo("se her") }, "note": (*faketelegram.Person).SendVideoNote,
			"file": func(p *faketelegram.Person) int { return p.SendDocument("") }, "sticker": func(p *faketelegram.Person) int { return p.SendSticker("🙂") },
			"location": func(p *faketelegram.Person) int { return p.SendLocation(59.9, 10.7) }, "contact": func(p *faketelegram.Person) int { return p.SendContact("Kari", "99999999") },
		} {
			p := w.person()
			w.say(p, "/start")
			w.pressEvent(p, "next")
			id := send(p)
			w.settle()
			w.shows(p, "Ingen har sett")
			w.shows(p, "112")
			w.press(p, "Fjern det jeg sendte")
			for _, m := range p.Chat() {
				if m.ID == id {
					t.Errorf("%s: still there", name)
				}
			}
			w.shows(p, "menu.main")
		}
		if n := w.fake.Count("getFile") + w.fake.Count("file"); n != 0 {
			t.Errorf("%d file requests", n)
		}
	})
}

// Captions and contact names are words like any others (S10).
func TestF38_captionsAreRead(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		for _, send := range []func(*faketelegram.Person){
			func(p *faketelegram.Person) { p.SendPhoto("pappa slår meg") },
			func(p *faketelegram.Person) { p.SendContact("pappa slår meg", "1") },
		} {
			p := w.person()
			w.say(p, "/start")
			send(p)
			w.settle()
			w.shows(p, "Ingen har sett")
			w.shows(p, "Jeg tror på deg")
		}
	})
}

func TestF39_longHeavyAndInvalidText(t *testing.T) {
	parts()
	w := newWorld(t, setup{mode: "webhook"})
	p := w.person()
	p.Say("/start")
	for i, text := range []string{
		`"` + strings.Repeat("a", 4096) + `"`,
		`"` + strings.Repeat("e\u0301\u0302\u0303\u0304", 800) + `"`,
		"\"\xff\xfe\xc3(\"", `"\ud83d alone"`, `"\u0000\u0001"`,
		`"/` + strings.Repeat("a", 4000) + `"`, `"/start ` + strings.Repeat("🙂", 2000) + `"`, `"😀/start"`, `"æ /start@bot"`,
	} {
		body := fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":%d,"date":%d,"chat":{"id":%d,"type":"private"},"text":%s,"entities":[{"type":"bot_command","offset":4000,"length":9999}]}}`,
			900+i, 9000+i, time.Now().Unix(), p.ID(), text)
		begun := time.Now()
		if out := post(w, body); out.Code != 200 {
			t.Errorf("%d: status %d", i, out.Code)
		}
		if took := time.Since(begun); took > 500*time.Millisecond {
			t.Errorf("%d: took %s", i, took)
		}
	}
}

func TestF40_emptyAndEmoji(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		for _, text := range []string{" ", "\n\n", "🙂", "🙂🙃🙂"} {
			w.say(p, text)
			w.shows(p, "menu.main")
			w.shows(p, "Takk for at du skrev")
		}
	})
}

func TestF41_unknownCallbackData(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		live := screenOf(p)
		for _, data := range []string{
			"", "x", "|", "||||", "menu.main|page", "AAAAAAAAAA|page", "h", "d:", "d:-4", "d:99999999999999", "~|next", "~....|next",
			strings.Repeat("\xff", 64), strings.Repeat("|", 64), "AAAAAAAAAA|#zzzz", "AAAAAAAAAA|words", "AAAAAAAAAA|idle", "../../etc|x", "tidy.1|x",
		} {
			q := p.PressOld(live.ID, data)
			w.settle()
			w.shows(p, "menu.main")
			if toasts := p.Toasts(); len(toasts) == 0 || toasts[len(toasts)-1].Query != q {
				t.Errorf("%q was not answered", data)
			}
			if !w.real {
				time.Sleep(time.Second)
			}
		}
		// A damaged help button is a help button.
		p.PressOld(live.ID, "h.zz.99.x")
		w.settle()
		w.shows(p, "112")
	})
}

func TestF42_buttonFromAnOldMessage(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		old := screenOf(p)
		w.pressEvent(p, "next")
		w.pressEvent(p, "page")
		p.PressOld(old.ID, old.Rows[0][0].Data)
		w.settle()
		w.shows(p, "menu.page")
		if len(w.ours(p)) != 1 {
			t.Errorf("want one message of ours: %+v", w.ours(p))
		}
	})
}

func TestF43_pressOnAMessageThatIsGone(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		live := screenOf(p)
		data := live.Rows[0][0].Data
		if err := p.Delete(live.ID); err != nil {
			t.Fatal(err)
		}
		p.PressOld(live.ID, data)
		w.settle()
		s := screenOf(p)
		w.helps(s)
		if s.ID == live.ID || !strings.HasPrefix(s.Text, "Hei. Dette er en automatisk melding.") {
			t.Errorf("want a new neutral message, got %+v", s)
		}
	})
}

func TestF44_twentyTapsInASecond(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		time.Sleep(2 * time.Second)
		s := screenOf(p)
		var data string
		for _, row := range s.Rows {
			for _, b := range row {
				if strings.HasSuffix(b.Data, "|page") {
					data = b.Data
				}
			}
		}
		toasts := len(p.Toasts())
		for range 20 {
			p.PressOld(s.ID, data)
		}
		w.settle()
		time.Sleep(3 * time.Second)
		w.settle()
		w.shows(p, "menu.page")
		if n := len(p.Toasts()) - toasts; n != 20 {
			t.Errorf("%d of 20 taps were answered", n)
		}
		w.pressEvent(p, "back")
		w.shows(p, "menu.main") // one step was made, not twenty
	})
}

func TestF45_noLanguageGiven(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		for _, lang := range []string{"", "xx", "zh-hans", "se"} {
			p := w.fake.Person(faketelegram.Profile{Language: lang})
			w.say(p, "/start")
			w.shows(p, "hello.one/nb")
			w.pressEvent(p, "language")
			w.shows(p, "tongue.pick/nb")
			w.pressEvent(p, "en")
			w.shows(p, "hello.one/en")
		}
	})
}

func TestF46_sixHourBacklog(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		w.replicas[0].end()
		w.replicas = nil
		p, cry := w.person(), w.person()
		for range 10 {
			p.Say("hei")
		}
		cry.Say("hei")
		cry.Say("pappa slår meg")
		cry.Say("hei igjen")
		time.Sleep(6 * time.Hour)
		w.add(nil)
		w.settle()
		time.Sleep(3 * time.Minute) // Telegram tries again at growing distances
		w.settle()
		if n := len(w.fake.Calls("sendMessage")); n == 0 {
			t.Fatal("no answer at all")
		}
		if n := len(w.ours(p)); n != 1 {
			t.Errorf("%d messages for a backlog of ten, want one: %+v", n, w.ours(p))
		}
		w.shows(p, "begynner på nytt")
		w.shows(p, "hello.one")
		sent := 0
		for _, c := range w.fake.Calls("sendMessage") {
			if c.ChatID() == p.ID() {
				sent++
			}
		}
		if sent != 1 {
			t.Errorf("%d messages were sent for ten old ones", sent)
		}
		if !carded(w, cry) {
			t.Errorf("the cry for help in the backlog got no card: %+v", w.fake.Bot("").History(cry.ID()))
		}
	})
}

func carded(w *world, p *faketelegram.Person) bool {
	for _, m := range w.fake.Bot("").History(p.ID()) {
		if m.Bot && strings.Contains(m.Text, "112") {
			return true
		}
	}
	return false
}

func TestF47_typedTextWhereButtonsAreExpected(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		w.say(p, "/start")
		w.pressEvent(p, "next")
		w.say(p, "blabla")
		w.shows(p, "menu.main")
		w.say(p, "Hvilke rettigheter har barn?")
		w.helps(screenOf(p))
		if len(w.ours(p)) != 1 {
			t.Errorf("want one message of ours: %+v", w.ours(p))
		}
	})
}

func TestF79_methodAndHost(t *testing.T) {
	w := newWorld(t, setup{mode: "webhook"})
	r := httptest.NewRequest(http.MethodGet, "/hook", nil)
	r.Header.Set("X-Telegram-Bot-Api-Secret-Token", hookSecret)
	out := httptest.NewRecorder()
	w.replicas[0].c.ServeHTTP(out, r)
	if out.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", out.Code)
	}
	w.replicas[0].end()
	w.replicas = nil
}

// The webhook is for the host it was given for, whatever else a request says
// (F79), over a real connection.
func TestF79_hostTricksOnTheWebhook(t *testing.T) {
	w := newWorld(t, setup{mode: "webhook", change: func(o *telegram.Options) {
		o.Webhook.Hosts = []string{"chat.example.no", "127.0.0.1"}
	}})
	srv := httptest.NewServer(w.replicas[0].c)
	defer srv.Close()
	const body = `{"update_id":7001}`
	secret := "X-Telegram-Bot-Api-Secret-Token: " + hookSecret + "\r\n"
	for _, c := range []struct {
		name, target, headers string
		want                  int
	}{
		{"ours", "/hook", "Host: chat.example.no\r\n" + secret, 200},
		{"ours with a port, in capitals", "/hook", "Host: Chat.Example.NO:443\r\n" + secret, 200},
		{"another", "/hook", "Host: evil.example\r\n" + secret, 421},
		{"one that begins like ours", "/hook", "Host: chat.example.no.evil.example\r\n" + secret, 421},
		{"ours as a user name", "/hook", "Host: chat.example.no@evil.example\r\n" + secret, 400},
		{"two", "/hook", "Host: chat.example.no\r\nHost: evil.example\r\n" + secret, 400},
		{"none", "/hook", secret, 400},
		{"another in the address", "http://evil.example/hook", "Host: chat.example.no\r\n" + secret, 421},
		{"ours only as forwarded", "/hook", "Host: evil.example\r\nX-Forwarded-Host: chat.example.no\r\nForwarded: host=chat.example.no\r\n" + secret, 421},
		{"another as forwarded counts for nothing", "/hook", "Host: chat.example.no\r\nX-Forwarded-Host: evil.example\r\n" + secret, 200},
		{"a line folded into it", "/hook", "Host: chat.example.no\r\n evil.example\r\n" + secret, 400},
		{"the secret twice", "/hook", "Host: chat.example.no\r\n" + secret + secret, 403},
		{"another, and no secret: not told which is wrong", "/hook", "Host: evil.example\r\n", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", c.target, c.headers, len(body), body)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.want {
				t.Errorf("status %d, want %d", resp.StatusCode, c.want)
			}
			for name, values := range resp.Header {
				if strings.Contains(strings.Join(values, " "), "evil") {
					t.Errorf("the answer repeats it: %s: %v", name, values)
				}
			}
			if strings.Contains(string(text), "evil") {
				t.Errorf("the answer repeats it: %s", text)
			}
		})
	}
	if n := w.meter.count(&w.meter.alarms, "host"); n == 0 {
		t.Error("nobody is told that the proxy changes the host")
	}
	w.replicas[0].end()
	w.replicas = nil
}

// The same person on Telegram, with another bot of ours and on the web: nothing
// of one is known in the other (F48).
func TestF48_sameChildInTwoChannels(t *testing.T) {
	everywhere(t, setup{}, func(t *testing.T, w *world) {
		p := w.person()
		id := fmt.Sprint(p.ID())
		w.say(p, "/start m0301")
		w.pressEvent(p, "next")
		w.pressEvent(p, "language")
		w.pressEvent(p, "en")
		r := w.replicas[0]
		for _, other := range []bot.ChatID{{Channel: bot.Web, Bot: "web", User: id}, {Channel: bot.Web, Bot: "1000001", User: id}, {Channel: bot.Telegram, Bot: "1000002", User: id}} {
			do := func(u bot.Update) bot.Answer {
				t.Helper()
				u.Chat, u.At, u.Locale = other, w.now(), "nb"
				a, err := r.bot.Handle(context.Background(), u)
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			a := do(bot.Update{Event: flows.Show})
			if a.Reply.Locale != "nb" || !strings.HasPrefix(a.Reply.Bubbles[0].Text, "hello.one/nb") || a.Reply.System[0].Help.Tenant != "" {
				t.Errorf("%s: the first view knows of the other: %+v", other.Channel, a.Reply)
			}
			a = do(bot.Update{Event: "next", Screen: a.Reply.Screen})
			a = do(bot.Update{Event: "page", Screen: a.Reply.Screen})
			if a.Outcome != bot.Committed || !strings.HasPrefix(a.Reply.Bubbles[0].Text, "menu.page/nb") {
				t.Errorf("%s: %s %+v", other.Channel, a.Outcome, a.Reply)
			}
			// The screen of one is nothing to the other.
			if a := do(bot.Update{Event: "page", Screen: screenName(p)}); a.Outcome != bot.Stale {
				t.Errorf("%s: a screen of the other was taken: %s", other.Channel, a.Outcome)
			}
			w.shows(p, "menu.main/en")
			do(bot.Update{Event: flows.Erase})
			w.shows(p, "menu.main/en")
		}
		chat, err := w.store.Read(context.Background(), bot.ChatID{Channel: bot.Telegram, Bot: "1000001", User: id}, bot.Want{})
		if err != nil || chat.Session.Locale != "en" || chat.Session.Tenant != "0301" {
			t.Errorf("what was erased elsewhere is gone here: %+v, %v", chat.Session, err)
		}
		w.later(time.Second) // a chat has one message a second
		w.pressEvent(p, "page")
		w.shows(p, "menu.page/en")
	})
}

// screenName is what presses on a person's screen carry.
func screenName(p *faketelegram.Person) string {
	s := screenOf(p)
	name, _, _ := strings.Cut(s.Rows[0][0].Data, "|")
	return name
}

func TestCommandsAndLinks(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		for _, c := range []struct{ text, want string }{
			{"/hjelp", "112"}, {"/HJELP", "112"}, {"/help@trygg_local_bot", "112"}, {"hjelp", "112"}, {"/start pappa slår meg", "112"},
			{"/privacy", "menu.who"}, {"/sprak", "tongue.pick"}, {"/språk", "tongue.pick"}, {"/language", "tongue.pick"},
			{"/start", "hello.one"}, {"/start m0301", "hello.one"}, {"/start m9999", "hello.one"}, {"/start aula-2", "hello.one"}, {"/start ../../x", "hello.one"},
			{"/unknown", "menu.main"},
		} {
			p := w.person()
			w.say(p, "/start")
			w.pressEvent(p, "next")
			w.say(p, c.text)
			w.shows(p, c.want)
		}
		// The municipality of a link is on the help button.
		for link, want := range map[string]string{"m0301": "h.nb..0301.", "aula-2": "h.nb..5501.", "m9999": "h.nb....", "": "h.nb...."} {
			p := w.person()
			if _, err := p.Start(link); err != nil {
				t.Fatal(err)
			}
			w.settle()
			found := false
			for _, row := range screenOf(p).Rows {
				for _, b := range row {
					found = found || strings.HasPrefix(b.Data, want)
				}
			}
			if !found {
				t.Errorf("link %q: no help button %q on %+v", link, want, screenOf(p).Rows)
			}
		}
	})
}

// The profile is set once, in each language, and says nothing (S28).
func TestProfile(t *testing.T) {
	bubbles(t, setup{}, func(t *testing.T, w *world) {
		time.Sleep(2 * time.Second)
		sets := w.calls("setMyCommands", "setMyDescription", "setMyShortDescription", "setMyName")
		if sets == 0 {
			t.Fatal("nothing was set")
		}
		var commands []struct {
			Command string `json:"command"`
		}
		if err := json.Unmarshal([]byte(w.fake.Calls("setMyCommands")[0].Args["commands"]), &commands); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range commands {
			names = append(names, c.Command)
		}
		if got := strings.Join(names, " "); got != "start hjelp skjul slett privacy" {
			t.Errorf("commands: %s", got)
		}
		w.replicas[0].end()
		w.replicas = nil
		time.Sleep(2 * time.Minute)
		w.add(nil)
		time.Sleep(2 * time.Second)
		if n := w.calls("setMyCommands", "setMyDescription", "setMyShortDescription", "setMyName"); n != sets {
			t.Errorf("%d more were set although nothing changed", n-sets)
		}
	})
}
