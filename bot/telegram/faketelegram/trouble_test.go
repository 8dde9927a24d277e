package faketelegram_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tg "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"trygg/bot/telegram/faketelegram"
)

func TestTrouble(t *testing.T) {
	s, kari := town(t)
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	send := func(text string) (int, string, error) {
		res, err := http.PostForm(web.URL+"/bot"+faketelegram.Token+"/sendMessage", url.Values{"chat_id": {"41"}, "text": {text}})
		if err != nil {
			return 0, "", err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return res.StatusCode, string(b), err
	}
	tests := []struct {
		name string
		act  faketelegram.Action
		code int    // 0 = the connection breaks
		body string // part of it
		done bool   // the message is there all the same
	}{
		{"429 with a time", faketelegram.TooMany(30), 429, `"description":"Too Many Requests: retry after 30","parameters":{"retry_after":30}`, false},
		{"429 without a time", faketelegram.Action{Status: 429}, 429, `{"ok":false,"error_code":429,"description":"Too Many Requests"}`, false},
		{"403", faketelegram.Status(403), 403, "Forbidden: bot was blocked by the user", false},
		{"500", faketelegram.Status(500), 500, "Internal Server Error", false},
		{"502 with a page", faketelegram.BadGateway(), 502, "<html>", false},
		{"a reset before anything is done", faketelegram.Action{Reset: true}, 0, "", false},
		{"an answer that is lost", faketelegram.Action{Drop: true}, 0, "", true},
		{"an answer that drips", faketelegram.Action{Drip: time.Microsecond}, 200, `"ok":true`, true},
		{"an answer that is late", faketelegram.Action{Wait: time.Millisecond}, 200, `"ok":true`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.Next(1, "sendMessage", test.act)
			code, body, err := send(test.name)
			if code != test.code || !strings.Contains(body, test.body) || (code == 0) != (err != nil) {
				t.Errorf("got %d %q %v, want %d %q", code, body, err, test.code, test.body)
			}
			if m, _ := kari.Screen(); (m.Text == test.name) != test.done {
				t.Errorf("Kari sees %q", m.Text)
			}
			if code, _, err := send("again"); code != 200 || err != nil {
				t.Errorf("the call after it: %d %v", code, err)
			}
		})
	}
}

func TestTroubleByRule(t *testing.T) {
	s, _ := town(t)
	s.Trouble(func(c faketelegram.Call) faketelegram.Action {
		if c.ChatID() == kariID && c.Args["text"] == "bad" {
			return faketelegram.Status(500)
		}
		return faketelegram.Action{}
	})
	if r := call(t, s, "sendMessage", args{"chat_id": kariID, "text": "bad"}); r.ErrorCode != 500 {
		t.Errorf("%+v", r)
	}
	must(t, s, "sendMessage", args{"chat_id": kariID, "text": "good"})
	s.Next(2, "", faketelegram.Status(502))
	must(t, s, "getUpdates", nil)
	for range 2 {
		if r := call(t, s, "getMe", nil); r.ErrorCode != 502 {
			t.Errorf("%+v", r)
		}
	}
	must(t, s, "getMe", nil)
	s.Chance(1, "getMe", faketelegram.Status(503))
	if r := call(t, s, "getMe", nil); r.ErrorCode != 503 {
		t.Errorf("%+v", r)
	}
	s.Calm()
	must(t, s, "getMe", nil)
	must(t, s, "sendMessage", args{"chat_id": kariID, "text": "bad"})
}

// A connection that breaks is an error of the client without a socket too.
func TestDirectClientBreaks(t *testing.T) {
	s, _ := town(t)
	s.Next(1, "getMe", faketelegram.Action{Reset: true})
	if res, err := s.Client().Get("http://telegram.invalid/bot" + faketelegram.Token + "/getMe"); err == nil {
		res.Body.Close()
		t.Errorf("got %s", res.Status)
	}
}

func TestDirectClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, faketelegram.Options{})
		s.Next(1, "getMe", faketelegram.Action{Wait: time.Hour})
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://telegram.invalid/bot"+faketelegram.Token+"/getMe", nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := s.Client().Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v %v", res, err)
		}
	})
}

func TestABlockedBotCannotEdit(t *testing.T) {
	s, kari := town(t)
	kari.Block()
	for method, a := range map[string]args{
		"editMessageText": {"text": "x"}, "editMessageReplyMarkup": {},
	} {
		a["chat_id"], a["message_id"] = kariID, 2
		if r := call(t, s, method, a); r.Description != "Forbidden: bot was blocked by the user" {
			t.Errorf("%s: %+v", method, r)
		}
	}
	must(t, s, "deleteMessage", args{"chat_id": kariID, "message_id": 2})
	kari.Unblock()
	must(t, s, "sendMessage", args{"chat_id": kariID, "text": "x"})
	last := poll(t, s, 0)
	if u := last[len(last)-1]["my_chat_member"]; !strings.Contains(string(u), `"old_chat_member":{"status":"kicked","until_date":0`) {
		t.Errorf("the last update is %v", last[len(last)-1])
	}
}

func TestDeepLinks(t *testing.T) {
	s, kari := town(t)
	before := poll(t, s, 0)
	if _, err := kari.Start("m0301-p7"); err != nil {
		t.Fatal(err)
	}
	u := poll(t, s, 0)[len(before)]
	if m := string(u["message"]); !strings.Contains(m, `"text":"/start m0301-p7","entities":[{"type":"bot_command","offset":0,"length":6}]`) {
		t.Errorf("update %s", m)
	}
	if _, err := kari.Start("æ"); err == nil {
		t.Error("the app would not send æ in a link")
	}
}

func TestLongTextsComeInPieces(t *testing.T) {
	s, kari := town(t)
	before := s.Bot("").Pending()
	kari.Say(strings.Repeat("🙂", 2049))
	if n := s.Bot("").Pending() - before; n != 2 {
		t.Errorf("%d updates, want 2", n)
	}
}

func TestManyAtOnce(t *testing.T) {
	p := &program{start: time.Now()}
	s := newServer(t, faketelegram.Options{Deliver: faketelegram.Direct(p), Keep: 100})
	must(t, s, "setWebhook", args{"url": "http://127.0.0.1/hook"})
	s.Disorder(faketelegram.Disorder{Repeat: 0.1, Queues: true})
	s.Chance(0.05, "sendMessage", faketelegram.Status(500))
	const people, texts = 20, 20
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			x := s.Person(faketelegram.Profile{ID: int64(100 + i)})
			for j := range texts {
				x.Say(fmt.Sprint(j))
				r := call(t, s, "sendMessage", args{"chat_id": 100 + i, "text": "hei", "reply_markup": inline([]args{button("Mer", "more")})})
				if r.OK {
					if _, err := x.Press("Mer"); err != nil {
						t.Error(err)
					}
					call(t, s, "deleteMessage", args{"chat_id": 100 + i, "message_id": r.message(t).MessageID})
				}
				x.Toasts()
				s.Chat(int64(100 + i))
				s.Calls()
			}
		})
	}
	wg.Wait()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if err := s.Until(ctx, func() bool { return s.Bot("").Pending() == 0 }); err != nil {
		t.Errorf("%d updates were never taken: %v", s.Bot("").Pending(), err)
	}
	if n := s.Count("sendMessage"); n != people*texts {
		t.Errorf("%d calls counted", n)
	}
}

func TestWebhookOverASocket(t *testing.T) {
	p := &program{start: time.Now()}
	hook := httptest.NewServer(p)
	t.Cleanup(hook.Close)
	s := newServer(t, faketelegram.Options{})
	must(t, s, "setWebhook", args{"url": hook.URL + "/x", "secret_token": "geheim"})
	kari := s.Person(faketelegram.Profile{})
	kari.Say("hei")
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	if err := s.Until(ctx, func() bool { return s.Bot("").Pending() == 0 }); err != nil {
		t.Fatal(err)
	}
	if secret, _ := p.seen(); secret != "geheim" || len(p.lines()) != 1 {
		t.Errorf("secret %q, deliveries %q", secret, p.lines())
	}
	if r := call(t, s, "setWebhook", args{"url": "https://example.org/x"}); r.ErrorCode != 400 {
		t.Errorf("a webhook outside this machine: %+v", r)
	}
	s.Close()
	kari.Say("hei") // waits for nobody
	if n := s.Bot("").Pending(); n != 1 {
		t.Errorf("after closing %d wait", n)
	}
}

// The library that the bot uses as its client, over a real socket: its
// multipart bodies arrive, and what it reads back is what happened.
func TestTheGoLibraryAsClient(t *testing.T) {
	s := newServer(t, faketelegram.Options{})
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	client, err := tg.New(faketelegram.Token, tg.WithServerURL(web.URL))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	kari := s.Person(faketelegram.Profile{Name: "Kari", Language: "nb"})
	kari.Say("/start")

	var updates []models.Update
	if err := json.Unmarshal(must(t, s, "getUpdates", nil).Result, &updates); err != nil {
		t.Fatal(err)
	}
	if m := updates[0].Message; m.Text != "/start" || m.From.LanguageCode != "nb" || m.Chat.Type != models.ChatTypePrivate || m.Chat.ID != kari.ID() {
		t.Errorf("update %+v", m)
	}

	no := true
	sent, err := client.SendMessage(ctx, &tg.SendMessageParams{
		ChatID: kari.ID(), Text: "hei på deg", DisableNotification: true, ProtectContent: true,
		LinkPreviewOptions: &models.LinkPreviewOptions{IsDisabled: &no},
		ReplyMarkup:        &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{{{Text: "Mer", CallbackData: "more"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	query, err := kari.Press("Mer")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(must(t, s, "getUpdates", args{"offset": updates[0].ID + 1}).Result, &updates); err != nil {
		t.Fatal(err)
	}
	press := updates[0].CallbackQuery
	if press.ID != query || press.Data != "more" || press.Message.Message.ID != sent.ID {
		t.Errorf("press %+v", press)
	}
	if ok, err := client.AnswerCallbackQuery(ctx, &tg.AnswerCallbackQueryParams{CallbackQueryID: press.ID}); !ok || err != nil {
		t.Error(ok, err)
	}
	edited, err := client.EditMessageText(ctx, &tg.EditMessageTextParams{ChatID: kari.ID(), MessageID: sent.ID, Text: "mer"})
	if err != nil || edited.Text != "mer" {
		t.Errorf("edit %+v %v", edited, err)
	}
	_, err = client.EditMessageText(ctx, &tg.EditMessageTextParams{ChatID: kari.ID(), MessageID: sent.ID, Text: "mer"})
	if !errors.Is(err, tg.ErrorBadRequest) || !strings.Contains(err.Error(), "message is not modified") {
		t.Errorf("the same edit: %v", err)
	}
	if ok, err := client.SetMyCommands(ctx, &tg.SetMyCommandsParams{Commands: []models.BotCommand{{Command: "hjelp", Description: "Hjelp"}}, LanguageCode: "nb"}); !ok || err != nil {
		t.Error(ok, err)
	}
	if list, err := client.GetMyCommands(ctx, &tg.GetMyCommandsParams{LanguageCode: "nb"}); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
	s.Next(1, "sendMessage", faketelegram.TooMany(12))
	var slow *tg.TooManyRequestsError
	if _, err := client.SendMessage(ctx, &tg.SendMessageParams{ChatID: kari.ID(), Text: "x"}); !errors.As(err, &slow) || slow.RetryAfter != 12 {
		t.Errorf("429: %v", err)
	}
	if ok, err := client.DeleteMessages(ctx, &tg.DeleteMessagesParams{ChatID: kari.ID(), MessageIDs: []int{1, sent.ID}}); !ok || err != nil {
		t.Error(ok, err)
	}
	gone := kari.PressOld(sent.ID, "more")
	if err := json.Unmarshal(must(t, s, "getUpdates", args{"offset": updates[0].ID + 1}).Result, &updates); err != nil {
		t.Fatal(err)
	}
	if m := updates[0].CallbackQuery; m.ID != gone || m.Message.Type != models.MaybeInaccessibleMessageTypeInaccessibleMessage {
		t.Errorf("a press on a deleted message: %+v", m)
	}
	if chat := kari.Chat(); len(chat) != 0 {
		t.Errorf("Kari sees %+v", chat)
	}
	if n := s.Bodies()[faketelegram.Multipart]; n < 7 {
		t.Errorf("%v bodies", s.Bodies())
	}
}

func TestTheLibraryPollsTheServer(t *testing.T) {
	s := newServer(t, faketelegram.Options{})
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	client, err := tg.New(faketelegram.Token, tg.WithServerURL(web.URL), tg.WithDefaultHandler(func(ctx context.Context, b *tg.Bot, u *models.Update) {
		if _, err := b.SendMessage(ctx, &tg.SendMessageParams{ChatID: u.Message.Chat.ID, Text: u.Message.Text + "!"}); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	var done sync.WaitGroup
	done.Go(func() { client.Start(ctx) })
	kari := s.Person(faketelegram.Profile{})
	kari.Say("hei")
	if err := s.Until(ctx, func() bool { m, _ := kari.Screen(); return m.Text == "hei!" }); err != nil {
		t.Errorf("Kari sees %+v: %v", kari.Chat(), err)
	}
	stop()
	done.Wait()
}
