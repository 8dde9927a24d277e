package faketelegram_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"trygg/bot/telegram/faketelegram"
)

// reply is an answer of the server.
type reply struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

// message reads the message of a reply.
func (r reply) message(t testing.TB) (m struct {
	MessageID int    `json:"message_id"`
	Text      string `json:"text"`
}) {
	t.Helper()
	if err := json.Unmarshal(r.Result, &m); err != nil {
		t.Fatalf("message in %s: %v", r.Result, err)
	}
	return m
}

func newServer(t testing.TB, o faketelegram.Options) *faketelegram.Server {
	t.Helper()
	s := faketelegram.New(o)
	t.Cleanup(s.Close)
	return s
}

type args map[string]any

// call calls a method with a JSON body.
func call(t testing.TB, s *faketelegram.Server, method string, a args) reply {
	t.Helper()
	if a == nil {
		a = args{}
	}
	body, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return post(t, s, method, "application/json", body)
}

func post(t testing.TB, s *faketelegram.Server, method, contentType string, body []byte) reply {
	t.Helper()
	res, err := s.Client().Post("http://telegram.invalid/bot"+faketelegram.Token+"/"+method, contentType, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	defer res.Body.Close()
	var r reply
	if err := json.NewDecoder(res.Body).Decode(&r); err != nil {
		t.Fatalf("%s: answer: %v", method, err)
	}
	want := r.ErrorCode
	if r.OK {
		want = 200
	}
	if res.StatusCode != want {
		t.Fatalf("%s: status %d with %+v", method, res.StatusCode, r)
	}
	return r
}

// must calls a method that has to work.
func must(t testing.TB, s *faketelegram.Server, method string, a args) reply {
	t.Helper()
	r := call(t, s, method, a)
	if !r.OK {
		t.Fatalf("%s: %d %s", method, r.ErrorCode, r.Description)
	}
	return r
}

func inline(rows ...[]args) args { return args{"inline_keyboard": rows} }

func button(label, data string) args { return args{"text": label, "callback_data": data} }

const (
	kariID    = 41 // has written to the bot
	blockedID = 42
	goneID    = 43
	otherID   = 44 // has never written to the bot
)

// town is a server with people who did what the constants say; the bot said
// "hei" with a button as message 2 to Kari, who said the first thing.
func town(t testing.TB) (*faketelegram.Server, *faketelegram.Person) {
	t.Helper()
	s := newServer(t, faketelegram.Options{})
	kari := s.Person(faketelegram.Profile{ID: kariID, Name: "Kari", Language: "nb"})
	kari.Say("/start")
	must(t, s, "sendMessage", args{"chat_id": kariID, "text": "hei", "reply_markup": inline([]args{button("Mer", "more")})})
	blocked := s.Person(faketelegram.Profile{ID: blockedID})
	blocked.Say("/start")
	blocked.Block()
	gone := s.Person(faketelegram.Profile{ID: goneID})
	gone.Say("/start")
	gone.Deactivate()
	s.Person(faketelegram.Profile{ID: otherID})
	return s, kari
}

const notModified = "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"

func TestWrongCallsAreRefusedInTheWordsOfTheRealServer(t *testing.T) {
	long := strings.Repeat("å", 4096)
	rows := func(n int) (out [][]args) {
		for range n {
			out = append(out, []args{button("x", "x")})
		}
		return out
	}
	ids := make([]int, 101)
	for i := range ids {
		ids[i] = i + 1
	}
	tests := []struct {
		name   string
		method string
		args   args
		code   int
		text   string // "" = it works
	}{
		{"a method in any case of letters works", "SENDmessage", args{"chat_id": kariID, "text": "x"}, 0, ""},
		{"a chat id may be text", "sendMessage", args{"chat_id": "41", "text": "x"}, 0, ""},
		{"a method that does not exist", "sendMassage", args{}, 404, "Not Found: method not found"},
		{"a misspelt parameter", "sendMessage", args{"chatid": 1, "text": "x"}, 400, `Bad Request: (strict) sendMessage has no parameter "chatid"`},
		{"a number that is none", "editMessageText", args{"chat_id": kariID, "message_id": "two", "text": "x"}, 400, `Bad Request: (strict) editMessageText: parameter "message_id" must be an Integer`},
		{"a yes that is none", "sendMessage", args{"chat_id": kariID, "text": "x", "disable_notification": "maybe"}, 400, `Bad Request: (strict) sendMessage: parameter "disable_notification" must be a Boolean`},
		{"a misspelt field deep in a keyboard", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{{"text": "x", "callbackdata": "x"}})}, 400,
			`Bad Request: (strict) sendMessage: parameter "reply_markup" field "inline_keyboard" [0] [0] has no field "callbackdata" (InlineKeyboardButton)`},

		{"no chat", "sendMessage", args{"text": "x"}, 400, "Bad Request: chat_id is empty"},
		{"a chat nobody opened", "sendMessage", args{"chat_id": otherID, "text": "x"}, 400, "Bad Request: chat not found"},
		{"a name for a chat", "sendMessage", args{"chat_id": "@kari", "text": "x"}, 400, "Bad Request: chat not found"},
		{"a person who blocked the bot", "sendMessage", args{"chat_id": blockedID, "text": "x"}, 403, "Forbidden: bot was blocked by the user"},
		{"a person whose account is gone", "sendMessage", args{"chat_id": goneID, "text": "x"}, 403, "Forbidden: user is deactivated"},
		{"no text", "sendMessage", args{"chat_id": kariID}, 400, "Bad Request: message text is empty"},
		{"only spaces", "sendMessage", args{"chat_id": kariID, "text": " \n "}, 400, "Bad Request: text must be non-empty"},
		{"only invisible characters", "sendMessage", args{"chat_id": kariID, "text": "\u200b\u200f\u00a0"}, 400, "Bad Request: text must be non-empty"},
		{"the longest text", "sendMessage", args{"chat_id": kariID, "text": long}, 0, ""},
		{"a text one unit too long", "sendMessage", args{"chat_id": kariID, "text": long + "x"}, 400, "Bad Request: message is too long"},
		{"an emoji counts two units", "sendMessage", args{"chat_id": kariID, "text": long[:len(long)-2] + "🙂"}, 400, "Bad Request: message is too long"},
		{"markup does not count", "sendMessage", args{"chat_id": kariID, "text": "<b>" + long + "</b>", "parse_mode": "HTML"}, 0, ""},
		{"a tag that does not exist", "sendMessage", args{"chat_id": kariID, "text": "<h1>x</h1>", "parse_mode": "HTML"}, 400, `Bad Request: can't parse entities: Unsupported start tag "h1" at byte offset 0`},
		{"a tag that stays open", "sendMessage", args{"chat_id": kariID, "text": "<b>x", "parse_mode": "HTML"}, 400, `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`},
		{"a parse mode that does not exist", "sendMessage", args{"chat_id": kariID, "text": "x", "parse_mode": "BB"}, 400, "Bad Request: unsupported parse_mode"},
		{"a parse mode that is not performed", "sendMessage", args{"chat_id": kariID, "text": "x", "parse_mode": "MarkdownV2"}, 501, "Not Implemented: the local server reads parse_mode HTML and entities, not markdownv2"},
		{"a reply to nothing", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_parameters": args{"message_id": 99}}, 400, "Bad Request: message to be replied not found"},

		{"a keyboard that is no JSON", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": "x"}, 400, "Bad Request: can't parse reply keyboard markup JSON object"},
		{"a keyboard that is a list", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": []int{1}}, 400, "Bad Request: object expected as reply markup"},
		{"a button without an action", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{{"text": "x"}})}, 400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		{"a button with empty data", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{button("x", "")})}, 400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"},
		{"a button without a label", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{{"callback_data": "x"}})}, 400, `Bad Request: can't parse inline keyboard button: Can't find field "text"`},
		{"a button with a blank label", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{button(" ", "x")})}, 400, "Bad Request: inline keyboard button text must be non-empty"},
		{"data of 64 bytes", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{button("x", strings.Repeat("å", 32))})}, 0, ""},
		{"data of 65 bytes", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{button("x", strings.Repeat("å", 32)+"x")})}, 400, "Bad Request: BUTTON_DATA_INVALID"},
		{"the empty copy_text of the Go library beside data", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{{"text": "x", "callback_data": "x", "copy_text": args{"text": ""}}})}, 0, ""},
		{"the empty copy_text alone", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{{"text": "x", "copy_text": args{"text": ""}}})}, 400, "Bad Request: BUTTON_COPY_TEXT_INVALID"},
		{"a dialled number as address", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline([]args{{"text": "x", "url": "tel:1"}})}, 400, "Bad Request: inline keyboard button URL 'tel:1' is invalid: Unsupported URL protocol"},
		{"100 buttons", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": args{"inline_keyboard": rows(100)}}, 0, ""},
		{"101 buttons", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": args{"inline_keyboard": rows(101)}}, 400, "Bad Request: reply markup is too long"},
		{"nine buttons in a row", "sendMessage", args{"chat_id": kariID, "text": "x", "reply_markup": inline(slices.Repeat([]args{button("x", "x")}, 9))}, 400, "Bad Request: reply markup is too long"},

		{"an edit that changes nothing", "editMessageText", args{"chat_id": kariID, "message_id": 2, "text": " hei ", "reply_markup": inline([]args{button("Mer", "more")})}, 400, notModified},
		{"an edit that takes the keyboard away", "editMessageText", args{"chat_id": kariID, "message_id": 2, "text": "hei"}, 0, ""},
		{"the same keyboard again", "editMessageReplyMarkup", args{"chat_id": kariID, "message_id": 2, "reply_markup": inline([]args{button("Mer", "more")})}, 400, notModified},
		{"a message that is not there", "editMessageText", args{"chat_id": kariID, "message_id": 99, "text": "x"}, 400, "Bad Request: message to edit not found"},
		{"a message of the person", "editMessageText", args{"chat_id": kariID, "message_id": 1, "text": "x"}, 400, "Bad Request: message can't be edited"},
		{"no message", "editMessageText", args{"text": "x"}, 400, "Bad Request: message identifier is not specified"},

		{"a message to delete that is not there", "deleteMessage", args{"chat_id": kariID, "message_id": 99}, 400, "Bad Request: message to delete not found"},
		{"a message of the person to delete", "deleteMessage", args{"chat_id": kariID, "message_id": 1}, 0, ""},
		{"nothing to delete", "deleteMessages", args{"chat_id": kariID, "message_ids": []int{}}, 400, "Bad Request: message identifiers are not specified"},
		{"a hundred and one messages", "deleteMessages", args{"chat_id": kariID, "message_ids": ids}, 400, "Bad Request: too many message identifiers specified"},
		{"a hundred messages of which most are not there", "deleteMessages", args{"chat_id": kariID, "message_ids": ids[:100]}, 0, ""},
		{"a press that never was", "answerCallbackQuery", args{"callback_query_id": "1"}, 400, "Bad Request: query is too old and response timeout expired or query ID is invalid"},
		{"an action nobody does", "sendChatAction", args{"chat_id": kariID, "action": "dance"}, 400, "Bad Request: wrong parameter action in request"},
		{"the chat of nobody", "getChat", args{"chat_id": 1}, 400, "Bad Request: chat not found"},
		{"leaving a person", "leaveChat", args{"chat_id": kariID}, 400, "Bad Request: chat member status can't be changed in private chats"},
		{"a file without a name", "getFile", args{}, 400, "Bad Request: file_id not specified"},

		{"commands", "setMyCommands", args{"commands": []args{{"command": "hjelp", "description": "Hjelp"}}, "language_code": "se"}, 0, ""},
		{"a command in capitals", "setMyCommands", args{"commands": []args{{"command": "Hjelp", "description": "x"}}}, 400, "Bad Request: BOT_COMMAND_INVALID"},
		{"a command with a letter outside a-z", "setMyCommands", args{"commands": []args{{"command": "språk", "description": "x"}}}, 400, "Bad Request: BOT_COMMAND_INVALID"},
		{"a command of 33 letters", "setMyCommands", args{"commands": []args{{"command": strings.Repeat("a", 33), "description": "x"}}}, 400, "Bad Request: command length must not exceed 32"},
		{"a command that says nothing", "setMyCommands", args{"commands": []args{{"command": "a", "description": " "}}}, 400, "Bad Request: command description must be non-empty"},
		{"a command that says too much", "setMyCommands", args{"commands": []args{{"command": "a", "description": strings.Repeat("å", 257)}}}, 400, "Bad Request: command description length must not exceed 256"},
		{"a command without description", "setMyCommands", args{"commands": []args{{"command": "a"}}}, 400, `Bad Request: can't parse BotCommand: Can't find field "description"`},
		{"a language of three letters", "setMyCommands", args{"commands": []args{{"command": "a", "description": "x"}}, "language_code": "sma"}, 400, "Bad Request: invalid language code specified"},
		{"a scope nobody knows", "setMyCommands", args{"commands": []args{{"command": "a", "description": "x"}}, "scope": args{"type": "moon"}}, 400, "Bad Request: can't parse BotCommandScope: Unsupported type specified"},
		{"a name of 64 letters", "setMyName", args{"name": strings.Repeat("å", 64)}, 0, ""},
		{"a name of 65 letters", "setMyName", args{"name": strings.Repeat("å", 65)}, 400, "Bad Request: name is too long"},
		{"a description of 513 letters", "setMyDescription", args{"description": strings.Repeat("å", 513)}, 400, "Bad Request: description is too long"},
		{"a short description of 121 letters", "setMyShortDescription", args{"short_description": strings.Repeat("å", 121)}, 400, "Bad Request: short description is too long"},
		{"a menu button nobody knows", "setChatMenuButton", args{"menu_button": args{"type": "moon"}}, 400, "Bad Request: can't parse menu button: MenuButton has unsupported type"},

		{"a webhook on the open net without https", "setWebhook", args{"url": "http://example.org/x"}, 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"},
		{"a webhook that is no address", "setWebhook", args{"url": "::"}, 400, "Bad Request: invalid webhook URL specified"},
		{"a secret with a space", "setWebhook", args{"url": "http://127.0.0.1:1/x", "secret_token": "a b"}, 400, "Bad Request: secret token contains unallowed characters"},
		{"a secret of 257 letters", "setWebhook", args{"url": "http://127.0.0.1:1/x", "secret_token": strings.Repeat("a", 257)}, 400, "Bad Request: secret token is too long"},

		{"a method that is only checked", "banChatMember", args{"chat_id": 1, "user_id": 2}, 0, ""},
		{"the same without what it requires", "banChatMember", args{"chat_id": 1}, 400, `Bad Request: parameter "user_id" is required`},
		{"a method that would have to give something", "sendPhoto", args{"chat_id": kariID, "photo": "x"}, 501, "Not Implemented: the local server checks sendPhoto but does not perform it"},
		{"a caption of 1025 letters", "sendPhoto", args{"chat_id": kariID, "photo": "x", "caption": strings.Repeat("å", 1025)}, 400, "Bad Request: message caption is too long"},
		{"a parameter that is not performed", "sendMessage", args{"chat_id": kariID, "text": "x", "message_thread_id": 5}, 501, `Not Implemented: the local server does not perform the parameter "message_thread_id"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := town(t)
			r := call(t, s, test.method, test.args)
			if r.ErrorCode != test.code || test.code != 0 && r.Description != test.text {
				t.Errorf("got %d %q, want %d %q", r.ErrorCode, r.Description, test.code, test.text)
			}
		})
	}
}

func TestEveryMethodOfTheTableAnswers(t *testing.T) {
	table, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := town(t)
	methods := 0
	for line := range strings.Lines(string(table)) {
		if strings.ContainsAny(line[:1], "#=") {
			continue
		}
		methods++
		method, _, _ := strings.Cut(line, " ")
		if r := call(t, s, method, nil); r.ErrorCode == 404 || r.ErrorCode == 500 {
			t.Errorf("%s: %+v", method, r)
		}
		if n := s.Count(method); n == 0 {
			t.Errorf("%s was not counted", method)
		}
	}
	if methods < 150 {
		t.Errorf("only %d methods in the table", methods)
	}
}

func TestTokens(t *testing.T) {
	tests := []struct{ name, path, text string }{
		{"the wrong token", "/bot1000001:wrong/getMe", "Unauthorized"},
		{"no token at all", "/bot/getMe", "Unauthorized: invalid token specified"},
		{"a token that begins with 0", "/bot012:x/getMe", "Unauthorized: invalid token specified"},
		{"no method", "/bot" + faketelegram.Token, "Not Found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, faketelegram.Options{})
			res, err := s.Client().Get("http://telegram.invalid" + test.path)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var r reply
			if err := json.NewDecoder(res.Body).Decode(&r); err != nil || r.Description != test.text || res.StatusCode != r.ErrorCode {
				t.Errorf("got %d %+v (%v), want %q", res.StatusCode, r, err, test.text)
			}
		})
	}

	t.Run("an open server takes any token that looks like one", func(t *testing.T) {
		s := newServer(t, faketelegram.Options{Open: true})
		kari := s.Person(faketelegram.Profile{Name: "Kari"})
		if id := kari.Say("too early"); id != 0 {
			t.Errorf("said something to no bot: message %d", id)
		}
		res, err := s.Client().Get("http://telegram.invalid/bot77:anything/getMe")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if b, _ := io.ReadAll(res.Body); !strings.Contains(string(b), `"id":77`) {
			t.Errorf("getMe: %s", b)
		}
		if kari.Say("hei"); s.Bot("77:anything").Pending() != 1 {
			t.Error("the bot that came does not hear Kari")
		}
	})
}

// Every kind of body carries the same call.
func TestBodies(t *testing.T) {
	keys := `{"inline_keyboard":[[{"text":"Mer","callback_data":"more"}]]}`
	form := url.Values{"chat_id": {"41"}, "text": {"æ ø å & +"}, "disable_notification": {"true"}, "reply_markup": {keys}}
	bodies := map[string]func(s *faketelegram.Server) reply{
		faketelegram.JSON: func(s *faketelegram.Server) reply {
			return call(t, s, "sendMessage", args{"chat_id": 41, "text": "æ ø å & +", "disable_notification": true, "reply_markup": json.RawMessage(keys)})
		},
		faketelegram.Form: func(s *faketelegram.Server) reply {
			return post(t, s, "sendMessage", "application/x-www-form-urlencoded; charset=utf-8", []byte(form.Encode()))
		},
		faketelegram.Multipart: func(s *faketelegram.Server) reply {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			for k := range form {
				if err := w.WriteField(k, form.Get(k)); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
			return post(t, s, "sendMessage", w.FormDataContentType(), b.Bytes())
		},
		faketelegram.Query: func(s *faketelegram.Server) reply {
			return post(t, s, "sendMessage?"+form.Encode(), "", nil)
		},
	}
	for kind, send := range bodies {
		t.Run(kind, func(t *testing.T) {
			s, kari := town(t)
			before := s.Bodies()[kind]
			if r := send(s); !r.OK {
				t.Fatalf("%+v", r)
			}
			m, _ := kari.Screen()
			if m.Text != "æ ø å & +" || !m.Silent || !slices.Equal(m.Labels(), []string{"Mer"}) {
				t.Errorf("Kari sees %+v", m)
			}
			if n := s.Bodies()[kind] - before; n != 1 {
				t.Errorf("%d calls counted with this body", n)
			}
		})
	}

	broken := []struct{ name, contentType, body, text string }{
		{"JSON that is cut", "application/json", `{"a":`, "Bad Request: can't parse parameter value: unexpected end of JSON input"},
		{"JSON that is a list", "application/json", `[]`, "Bad Request: JSON object expected"},
		{"bytes that are no UTF-8", "application/json", "{\"text\":\"\xff\"}", "Bad Request: strings must be encoded in UTF-8"},
		{"multipart without boundary", "multipart/form-data", "x", "Bad Request: boundary not found"},
		{"a type nobody reads", "text/plain", "x", `Bad Request: (strict) a body of type "text/plain" is not read`},
	}
	for _, test := range broken {
		t.Run(test.name, func(t *testing.T) {
			s, _ := town(t)
			if r := post(t, s, "sendMessage", test.contentType, []byte(test.body)); r.Description != test.text {
				t.Errorf("got %q, want %q", r.Description, test.text)
			}
		})
	}
}

func TestTextsAreKeptAsTheServiceKeepsThem(t *testing.T) {
	tests := []struct{ name, in, mode, out string }{
		{"ends are trimmed", " \n hei \n ", "", "hei"},
		{"direction overrides are dropped", "a\u202eb\u202ac", "", "abc"},
		{"right-to-left marks stay", "a\u200fb", "", "a\u200fb"},
		{"a decomposed å loses its ring", "a\u030a", "", "a"},
		{"control characters become spaces", "a\tb\rc", "", "a bc"},
		{"tags become entities", "<b>a</b> &lt;b&gt; &amp; &nbsp;", "HTML", "a <b> & &nbsp;"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, kari := town(t)
			must(t, s, "sendMessage", args{"chat_id": kariID, "text": test.in, "parse_mode": test.mode})
			if m, _ := kari.Screen(); m.Text != test.out {
				t.Errorf("got %q, want %q", m.Text, test.out)
			}
		})
	}
}

func TestEntitiesMoveWithTheText(t *testing.T) {
	s, _ := town(t)
	r := must(t, s, "sendMessage", args{"chat_id": kariID, "text": "  \u202e🙂 hei ", "entities": []args{{"type": "bold", "offset": 6, "length": 4}}})
	if !strings.Contains(string(r.Result), `"entities":[{"type":"bold","offset":3,"length":3}]`) {
		t.Errorf("%s", r.Result)
	}
	if r := call(t, s, "sendMessage", args{"chat_id": kariID, "text": "hei", "entities": []args{{"type": "bold", "offset": 1, "length": 9}}}); r.OK {
		t.Error("an entity that ends after the text was taken")
	}
}

func TestPeopleSeeWhatIsThere(t *testing.T) {
	s, kari := town(t)
	must(t, s, "sendMessage", args{"chat_id": kariID, "text": "to", "disable_notification": true, "protect_content": true,
		"link_preview_options": args{"is_disabled": true}, "reply_markup": inline([]args{button("Ja", "y"), {"text": "Les", "url": "https://example.org"}})})
	id := kari.Chat()[2].ID
	must(t, s, "editMessageText", args{"chat_id": kariID, "message_id": id, "text": "tre", "reply_markup": inline([]args{button("Nei", "n")})})
	must(t, s, "deleteMessages", args{"chat_id": kariID, "message_ids": []int{1, 2, 77}})

	s.Advance(time.Minute)
	chat := s.Chat(kariID)
	if len(chat) != 1 {
		t.Fatalf("Kari sees %+v", chat)
	}
	if m := chat[0]; m.Text != "tre" || !m.Bot || !m.Silent || !m.Protected || !m.Edited || m.Age < time.Minute || !slices.Equal(m.Labels(), []string{"Nei"}) {
		t.Errorf("Kari sees %+v", m)
	}
	history := s.Bot("").History(kariID)
	if len(history) != 3 || !history[0].Deleted || !history[1].Deleted || history[2].Deleted {
		t.Errorf("history %+v", history)
	}
	if err := kari.Delete(id); err != nil || len(kari.Chat()) != 0 {
		t.Errorf("delete: %v, still there: %+v", err, kari.Chat())
	}
	if r := call(t, s, "editMessageText", args{"chat_id": kariID, "message_id": id, "text": "x"}); r.Description != "Bad Request: message to edit not found" {
		t.Errorf("edit of what the child deleted: %+v", r)
	}
}

// A bot can take back what is younger than 48 hours; one old message in a
// batch refuses the batch.
func TestOldMessagesStay(t *testing.T) {
	s, kari := town(t)
	s.Advance(47 * time.Hour)
	must(t, s, "deleteMessage", args{"chat_id": kariID, "message_id": 1})
	young := kari.Say("ny")
	s.Advance(2 * time.Hour)
	for _, r := range []reply{
		call(t, s, "deleteMessage", args{"chat_id": kariID, "message_id": 2}),
		call(t, s, "deleteMessages", args{"chat_id": kariID, "message_ids": []int{young, 2}}),
	} {
		if r.Description != "Bad Request: message can't be deleted for everyone" {
			t.Errorf("%+v", r)
		}
	}
	if len(kari.Chat()) != 2 {
		t.Errorf("Kari sees %+v", kari.Chat())
	}
	must(t, s, "deleteMessages", args{"chat_id": kariID, "message_ids": []int{young}})
}

func TestAPressIsAnsweredOnceAndInTime(t *testing.T) {
	s, kari := town(t)
	query, err := kari.Press("Mer")
	if err != nil {
		t.Fatal(err)
	}
	must(t, s, "answerCallbackQuery", args{"callback_query_id": query, "text": "ok", "show_alert": true})
	if got := kari.Toasts(); len(got) != 1 || got[0] != (faketelegram.Toast{Query: query, Text: "ok", Alert: true}) {
		t.Errorf("toasts %+v", got)
	}
	if r := call(t, s, "answerCallbackQuery", args{"callback_query_id": query}); r.ErrorCode != 400 {
		t.Errorf("a second answer: %+v", r)
	}
	late, err := kari.Press("more")
	if err != nil {
		t.Fatal(err)
	}
	s.Advance(151 * time.Second)
	if r := call(t, s, "answerCallbackQuery", args{"callback_query_id": late}); r.ErrorCode != 400 {
		t.Errorf("a late answer: %+v", r)
	}
	if _, err := kari.Press("Finnes ikke"); err == nil {
		t.Error("pressed a button that is not there")
	}
}

func TestProfiles(t *testing.T) {
	s, _ := town(t)
	must(t, s, "setMyName", args{"name": "Trygg"})
	must(t, s, "setMyName", args{"name": "Safe", "language_code": "en"})
	must(t, s, "setMyCommands", args{"commands": []args{{"command": "/hjelp", "description": "Hjelp"}}})
	must(t, s, "setMyCommands", args{"commands": []args{{"command": "help", "description": "Help"}}, "language_code": "en", "scope": args{"type": "all_private_chats"}})
	b := s.Bot("")
	if b.Name("en") != "Safe" || b.Name("nb") != "Trygg" {
		t.Errorf("names %q %q", b.Name("en"), b.Name("nb"))
	}
	if c := b.Commands("en"); len(c) != 1 || c[0].Command != "help" {
		t.Errorf("commands in English %+v", c)
	}
	if c := b.Commands("nb"); len(c) != 1 || c[0].Command != "hjelp" {
		t.Errorf("commands %+v", c)
	}
	must(t, s, "deleteMyCommands", nil)
	if r := must(t, s, "getMyCommands", nil); string(r.Result) != "[]" {
		t.Errorf("after deleting: %s", r.Result)
	}
	must(t, s, "setMyDescription", args{"description": "x", "language_code": "se"})
	if r := must(t, s, "getMyDescription", args{"language_code": "se"}); string(r.Result) != `{"description":"x"}` {
		t.Errorf("description %s", r.Result)
	}
}

func TestGroupsAndChannels(t *testing.T) {
	s, kari := town(t)
	group := kari.AddBotToGroup("Klassen")
	if _, err := kari.SayIn(group, "hei"); err != nil {
		t.Fatal(err)
	}
	channel := kari.AddBotToChannel("Nytt")
	if _, err := kari.SayIn(channel, "hei"); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, u := range poll(t, s, 0)[4:] { // after what the town did
		for k := range u {
			if k != "update_id" {
				kinds = append(kinds, k)
			}
		}
	}
	if want := []string{"my_chat_member", "message", "message", "my_chat_member", "channel_post"}; !slices.Equal(kinds, want) {
		t.Errorf("updates %q, want %q", kinds, want)
	}
	must(t, s, "sendMessage", args{"chat_id": group, "text": "Jeg går"})
	must(t, s, "leaveChat", args{"chat_id": group})
	if s.Bot("").In(group) || !s.Bot("").In(channel) {
		t.Error("the bot is not where it should be")
	}
	if r := call(t, s, "sendMessage", args{"chat_id": group, "text": "x"}); r.Description != "Forbidden: bot is not a member of the group chat" {
		t.Errorf("%+v", r)
	}
	if err := kari.RemoveBot(channel); err != nil {
		t.Fatal(err)
	}
	if r := call(t, s, "sendMessage", args{"chat_id": channel, "text": "x"}); r.Description != "Forbidden: bot was kicked from the channel chat" {
		t.Errorf("%+v", r)
	}
}

func TestSendingFilesIsSeenAndAskingForThemIsCounted(t *testing.T) {
	s, kari := town(t)
	kari.SendPhoto("se")
	kari.SendVoice()
	kari.SendVideo("")
	kari.SendVideoNote()
	kari.SendDocument("")
	kari.SendSticker("🙂")
	kari.SendLocation(59.9, 10.7)
	kari.SendContact("Ola", "x")
	if _, err := kari.SendRaw(`{"text":"x","forward_origin":{"type":"from_the_moon"}}`); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, m := range kari.Chat()[2:] {
		seen = append(seen, m.Kind)
	}
	if want := []string{"photo", "voice", "video", "video_note", "document", "sticker", "location", "contact", "forward_origin"}; !slices.Equal(seen, want) {
		t.Errorf("Kari sees %q", seen)
	}
	for _, u := range poll(t, s, 0)[4:] {
		var m struct {
			Caption string
			Photo   []struct {
				ID string `json:"file_id"`
			}
		}
		if err := json.Unmarshal(u["message"], &m); err != nil {
			t.Fatalf("%s: %v", u["message"], err)
		}
		if len(m.Photo) > 0 && (m.Caption != "se" || m.Photo[0].ID == "") {
			t.Errorf("photo %s", u["message"])
		}
	}
	if n := s.Count("getFile"); n != 0 {
		t.Errorf("getFile %d times before anybody asked", n)
	}
	must(t, s, "getFile", args{"file_id": "x"})
	if n := s.Count("getFile"); n != 1 {
		t.Errorf("getFile %d times", n)
	}
}

func TestLimitsOfAStrictServer(t *testing.T) {
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	s := newServer(t, faketelegram.Options{Strict: true, Now: func() time.Time { return now }})
	send := func(chat int) reply { return call(t, s, "sendMessage", args{"chat_id": chat, "text": "x"}) }
	for id := 1; id <= 40; id++ {
		s.Person(faketelegram.Profile{ID: int64(id)}).Say("/start")
	}
	for range 5 {
		if r := send(1); !r.OK {
			t.Fatalf("the burst: %+v", r)
		}
	}
	if r := send(1); r.ErrorCode != 429 || r.Parameters.RetryAfter < 1 || r.Description != fmt.Sprintf("Too Many Requests: retry after %d", r.Parameters.RetryAfter) {
		t.Errorf("after the burst: %+v", r)
	}
	now = now.Add(2 * time.Second)
	if r := send(1); !r.OK {
		t.Errorf("after waiting: %+v", r)
	}
	sent := 0
	for id := 2; id <= 40; id++ {
		if send(id).OK {
			sent++
		}
	}
	if sent != 29 {
		t.Errorf("%d more messages in one second, want 29", sent)
	}
}

// poll gets all waiting updates from an offset on.
func poll(t testing.TB, s *faketelegram.Server, offset int) []map[string]json.RawMessage {
	t.Helper()
	var out []map[string]json.RawMessage
	if err := json.Unmarshal(must(t, s, "getUpdates", args{"offset": offset}).Result, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func ids(t testing.TB, updates []map[string]json.RawMessage) []int {
	t.Helper()
	var out []int
	for _, u := range updates {
		var id int
		if err := json.Unmarshal(u["update_id"], &id); err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	return out
}

var _ http.Handler = (*faketelegram.Server)(nil)
