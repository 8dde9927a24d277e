package telegram

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	tg "github.com/go-telegram/bot"
)

// Token is the secret a bot has from Telegram. It stands in every address we
// call, and cannot be printed, logged or stored by accident (S41, F81).
type Token struct{ s string }

var tokenForm = regexp.MustCompile(`^[1-9][0-9]{2,18}:[A-Za-z0-9_-]{10,80}$`)

// ParseToken takes a token as Telegram's BotFather gives it.
func ParseToken(s string) (Token, error) {
	if !tokenForm.MatchString(s) {
		return Token{}, errors.New("not a bot token: want digits, a colon, and letters")
	}
	return Token{s}, nil
}

// ID is the bot's number, which is no secret.
func (t Token) ID() string {
	id, _, _ := strings.Cut(t.s, ":")
	return id
}

var errToken = errors.New("tokens are never written")

func (Token) Format(f fmt.State, _ rune)     { fmt.Fprint(f, "[token]") }
func (Token) LogValue() slog.Value           { return slog.StringValue("[token]") }
func (Token) MarshalJSON() ([]byte, error)   { return nil, errToken }
func (Token) MarshalText() ([]byte, error)   { return nil, errToken }
func (Token) MarshalBinary() ([]byte, error) { return nil, errToken }

// What Telegram can answer besides yes. The texts of its errors are looked at
// here and nowhere else.
var (
	errBlocked      = errors.New("blocked")           // the person does not want us, or is gone (F52)
	errUnmodified   = errors.New("not modified")      // what was to be shown stands there already (F53)
	errGone         = errors.New("message gone")      // nothing to edit or delete (F57)
	errUndeletable  = errors.New("not deletable")     // too old to be taken back (F54)
	errQueryOld     = errors.New("press too old")     // nobody waits for its answer any more
	errUnauthorized = errors.New("unauthorized")      // the token is not valid any more (F55)
	errOtherPoller  = errors.New("conflict")          // somebody else polls, or a webhook is set
	errRefused      = errors.New("refused")           // a call that will never succeed
	errTransient    = errors.New("temporary failure") // try again later (F50, F56)
)

// retryError says how long Telegram asks us to wait (F49). It is an
// errTransient.
type retryError struct{ After time.Duration }

func (e *retryError) Error() string { return "too many requests" }
func (e *retryError) Unwrap() error { return errTransient }

// callError is a call that failed, in words that are safe to log: never an
// address, never a text that Telegram or a proxy wrote.
type callError struct {
	Method string
	Code   int    // HTTP status; 0 = no answer
	Class  string // of a failed connection
	kind   error
}

func (e *callError) Error() string {
	switch {
	case e.Class != "":
		return e.Method + ": " + e.kind.Error() + " (" + e.Class + ")"
	case e.Code != 0:
		return fmt.Sprintf("%s: %v (%d)", e.Method, e.kind, e.Code)
	}
	return e.Method + ": " + e.kind.Error()
}

func (e *callError) Unwrap() error { return e.kind }

// class names an error for logs and metrics.
func class(err error) string {
	var slow *retryError
	if errors.As(err, &slow) {
		return "too_many"
	}
	for _, k := range []struct {
		err  error
		name string
	}{
		{nil, "ok"}, {errBlocked, "blocked"}, {errUnmodified, "unmodified"}, {errGone, "gone"}, {errUndeletable, "undeletable"},
		{errQueryOld, "press_old"}, {errUnauthorized, "unauthorized"}, {errOtherPoller, "conflict"}, {errRefused, "refused"}, {errTransient, "transient"},
	} {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "other"
}

// api calls Telegram. The few calls a conversation is made of go out as JSON
// over one tuned client, a seventh of the library's cost (tech sheet 1.5); the
// rare ones go through the library.
type api struct {
	base  string // ends with a slash; holds the token
	http  *http.Client
	lib   *tg.Bot
	meter Meter
	limit time.Duration // of one call
	poll  time.Duration // of one getUpdates
}

const (
	callTime  = 5 * time.Second
	maxAnswer = 1 << 20
	maxBatch  = 32 << 20
)

func newAPI(o Options) (*api, error) {
	base := strings.TrimSuffix(o.API, "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, errors.New("API: want an https:// address, or http:// on this machine")
	}
	a := &api{base: base + "/bot" + o.Token.s + "/", meter: o.Meter, limit: callTime, poll: 50*time.Second + callTime + 10*time.Second}
	carry := o.Transport
	if carry == nil {
		carry = transport()
	}
	a.http = &http.Client{
		Transport:     carry,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	a.lib, err = tg.New(o.Token.s, tg.WithSkipGetMe(), tg.WithServerURL(base), tg.WithHTTPClient(time.Minute, rare{a}),
		tg.WithErrorsHandler(func(error) {}), tg.WithDebugHandler(func(string, ...any) {}))
	if err != nil {
		return nil, errors.New("telegram library: the token was refused")
	}
	return a, nil
}

// transport keeps connections open: Go's default keeps two for each host, which
// costs a fifth of all time (tech sheet 1.5).
func transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   3 * time.Second,
		MaxIdleConns:          128,
		MaxIdleConnsPerHost:   128,
		MaxConnsPerHost:       256,
		IdleConnTimeout:       90 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		WriteBufferSize:       8 << 10,
		ReadBufferSize:        8 << 10,
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// result is what an answer of Telegram holds of what we use.
type result struct {
	ok          bool
	code        int
	description string
	after       int64
	raw         []byte // the result itself
}

func parseResult(b []byte) (r result, err error) {
	s := &scanner{b: b}
	if s.next() != '{' {
		return r, errBroken
	}
	err = s.object(func(key string) (err error) {
		switch key {
		case "ok":
			r.ok, err = s.yes()
		case "error_code":
			var n int64
			n, _, err = s.number()
			r.code = int(n)
		case "description":
			r.description, _, err = s.text(512)
		case "parameters":
			err = s.object(func(key string) (err error) {
				if key == "retry_after" {
					r.after, _, err = s.number()
					return err
				}
				return s.skip()
			})
		case "result":
			s.next()
			from := s.i
			err = s.flat()
			r.raw = b[from:s.i]
		default:
			err = s.skip()
		}
		return err
	})
	if err == nil {
		err = s.end()
	}
	return r, err
}

// call makes one call with a JSON body and gives the result.
func (a *api) call(ctx context.Context, method string, params any) ([]byte, error) {
	begun := time.Now()
	limit, most := a.limit, int64(maxAnswer)
	if method == "getUpdates" {
		limit, most = a.poll, maxBatch
	}
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	raw, err := a.send(ctx, method, params, most)
	a.meter.Call(method, class(err), time.Since(begun))
	return raw, err
}

func (a *api) send(ctx context.Context, method string, params any, most int64) ([]byte, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return nil, &callError{Method: method, kind: errRefused, Class: "encode"}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+method, bytes.NewReader(body))
	if err != nil {
		return nil, &callError{Method: method, kind: errRefused, Class: "address"}
	}
	r.Header["Content-Type"] = jsonType
	res, err := a.http.Do(r)
	if err != nil {
		return nil, &callError{Method: method, kind: errTransient, Class: network(err)}
	}
	defer res.Body.Close()
	answer, err := readAll(res, most)
	if err != nil {
		return nil, &callError{Method: method, Code: res.StatusCode, kind: errTransient, Class: network(err)}
	}
	v, err := parseResult(answer)
	if err == nil && v.ok && res.StatusCode < 300 {
		return v.raw, nil
	}
	if err != nil {
		v = result{code: res.StatusCode} // a proxy's page, or half an answer
	}
	if v.code == 0 {
		v.code = res.StatusCode
	}
	return nil, &callError{Method: method, Code: v.code, kind: kindOf(v)}
}

var jsonType = []string{"application/json"}

func readAll(res *http.Response, most int64) ([]byte, error) {
	size := res.ContentLength
	if size < 0 || size > most {
		return io.ReadAll(io.LimitReader(res.Body, most))
	}
	b := make([]byte, size)
	_, err := io.ReadFull(res.Body, b)
	return b, err
}

// kindOf sorts an answer that says no.
func kindOf(v result) error {
	text := strings.ToLower(v.description)
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(text, p) {
				return true
			}
		}
		return false
	}
	switch {
	case v.code == 429:
		return &retryError{time.Duration(v.after) * time.Second}
	case v.code == 401, v.code == 404:
		return errUnauthorized
	case v.code == 403:
		return errBlocked
	case v.code == 409:
		return errOtherPoller
	case v.code != 400:
		return errTransient
	case has("message is not modified"):
		return errUnmodified
	case has("message to edit not found", "message can't be edited", "message to delete not found", "message_id_invalid", "message identifier is not specified", "there is no text in the message to edit"):
		return errGone
	case has("can't be deleted"):
		return errUndeletable
	case has("query is too old", "query id is invalid", "query_id_invalid"):
		return errQueryOld
	case has("chat not found", "user not found", "peer_id_invalid", "user_is_blocked", "have no rights to send"):
		return errBlocked
	}
	return errRefused
}

// network names a failed connection. The error itself holds the address, which
// holds the token, so nothing of it goes on.
func network(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "stopped"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &dns):
		return "dns"
	case errors.As(err, &op) && op.Op == "dial":
		return "dial"
	}
	return "connection"
}

// rare is the HTTP client the library gets. It bounds a call in time and size,
// and turns what fails into our errors, so that the status is known and the
// address is not told (tech sheet 1.4).
type rare struct{ *api }

func (a rare) Do(r *http.Request) (*http.Response, error) {
	method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	ctx, done := context.WithTimeout(r.Context(), a.limit)
	defer done()
	begun := time.Now()
	b, err := a.whole(r.WithContext(ctx), method)
	a.meter.Call(method, class(err), time.Since(begun))
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b)), ContentLength: int64(len(b)), Request: r}, nil
}

func (a rare) whole(r *http.Request, method string) ([]byte, error) {
	// The library streams its form through a pipe, twenty writes a call; read
	// it first (tech sheet 1.5).
	form, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	r.Body.Close()
	if err != nil {
		return nil, &callError{Method: method, kind: errRefused, Class: "encode"}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(form)), int64(len(form))
	if len(form) == 0 {
		r.Body = http.NoBody
	}
	res, err := a.http.Do(r)
	if err != nil {
		return nil, &callError{Method: method, kind: errTransient, Class: network(err)}
	}
	defer res.Body.Close()
	b, err := readAll(res, maxAnswer)
	if err != nil {
		return nil, &callError{Method: method, Code: res.StatusCode, kind: errTransient, Class: network(err)}
	}
	v, err := parseResult(b)
	switch {
	case err != nil:
		return nil, &callError{Method: method, Code: res.StatusCode, kind: errTransient}
	case !v.ok:
		return nil, &callError{Method: method, Code: v.code, kind: kindOf(v)}
	}
	return b, nil
}

// rarely makes a call through the library and gives only our own errors.
func rarely(method string, err error) error {
	if err == nil {
		return nil
	}
	var ours *callError
	if errors.As(err, &ours) {
		return ours
	}
	return &callError{Method: method, kind: errTransient, Class: "library"}
}

// The calls a conversation is made of. Their parameters are the library's;
// only the keyboard is ours, because the library's adds an empty member to
// every button.

type keyboard struct {
	Rows [][]Key `json:"inline_keyboard"`
}

func (m Message) markup() any {
	if len(m.Rows) == 0 {
		return nil
	}
	return keyboard{m.Rows}
}

// message sends a new message, without a sound and without a preview (S29).
func (a *api) message(ctx context.Context, chat int64, m Message) (int, error) {
	raw, err := a.call(ctx, "sendMessage", &tg.SendMessageParams{ChatID: chat, Text: m.Text, LinkPreviewOptions: noPreview, DisableNotification: true, ReplyMarkup: m.markup()})
	if err != nil {
		return 0, err
	}
	id := int64(0)
	in := &scanner{b: raw}
	err = in.object(func(key string) (err error) {
		if key == "message_id" {
			id, _, err = in.number()
			return err
		}
		return in.skip()
	})
	if err != nil || id == 0 {
		return 0, &callError{Method: "sendMessage", kind: errTransient, Class: "answer"}
	}
	return int(id), nil
}

// edit changes a message of ours. That it shows this already is success (F53).
func (a *api) edit(ctx context.Context, chat int64, message int, m Message) error {
	_, err := a.call(ctx, "editMessageText", &tg.EditMessageTextParams{ChatID: chat, MessageID: message, Text: m.Text, LinkPreviewOptions: noPreview, ReplyMarkup: m.markup()})
	if errors.Is(err, errUnmodified) {
		return nil
	}
	return err
}

// remove takes messages, ours and theirs, out of the chat; at most 100. Those
// that are gone already are no error.
func (a *api) remove(ctx context.Context, chat int64, messages ...int) error {
	_, err := a.call(ctx, "deleteMessages", &tg.DeleteMessagesParams{ChatID: chat, MessageIDs: messages})
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// answered is what a press is answered with: the spinner ends, and a short
// notice may show.
type answered struct {
	Method string `json:"method,omitempty"` // only in the answer to a webhook
	tg.AnswerCallbackQueryParams
}

func (a *api) answer(ctx context.Context, query, text string) error {
	_, err := a.call(ctx, "answerCallbackQuery", &tg.AnswerCallbackQueryParams{CallbackQueryID: query, Text: text})
	if errors.Is(err, errQueryOld) {
		return nil
	}
	return err
}

// leave goes out of a group or channel.
func (a *api) leave(ctx context.Context, chat int64) error {
	_, err := a.call(ctx, "leaveChat", &tg.LeaveChatParams{ChatID: chat})
	return err
}
