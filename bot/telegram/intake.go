package telegram

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	tg "github.com/go-telegram/bot"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
)

// ServeHTTP takes an update from Telegram. 200 says that it is dealt with: it
// was committed, or answered without the store, or is nothing for us. 503 asks
// Telegram to bring it again (S3). The press is answered in the response itself,
// which saves a call.
func (c *Channel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.taking.add()
	defer c.taking.done()
	switch status := c.admit(r); {
	case status != 0:
		w.WriteHeader(status)
		return
	case c.closed.Load():
		again(w, 1)
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(handleTime)) // not every server can
	body, status := readBody(r)
	if status != 0 {
		c.o.Meter.Update("unknown", "large")
		w.WriteHeader(status)
		return
	}
	in, err := decode(body)
	var answer *answered
	ok := c.take(r.Context(), &in, err, func(a answered) { answer = &a })
	switch {
	case !ok && err != nil:
		// Nobody to tell, and Telegram sends no such thing (F34).
		w.WriteHeader(http.StatusBadRequest)
	case !ok:
		again(w, 1)
	case answer == nil:
		w.WriteHeader(http.StatusOK)
	default:
		answer.Method = "answerCallbackQuery"
		b, err := json.Marshal(answer)
		if err != nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		w.Header()["Content-Type"] = jsonType
		_, _ = w.Write(b) // a server that is gone lets the spinner end by itself
	}
}

// admit looks at everything before the body: 0 = come in (S50, F33).
func (c *Channel) admit(r *http.Request) int {
	given := r.Header["X-Telegram-Bot-Api-Secret-Token"]
	if c.o.Webhook == nil {
		return http.StatusNotFound
	}
	if len(given) == 0 {
		return http.StatusUnauthorized
	}
	sum := sha256.Sum256([]byte(given[0]))
	if subtle.ConstantTimeCompare(sum[:], c.secret[:]) != 1 || len(given) > 1 {
		return http.StatusForbidden
	}
	switch hosts := c.o.Webhook.Hosts; {
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed
	case len(hosts) > 0 && !slices.Contains(hosts, hostname(r.Host)):
		// Telegram asks for the host we gave it, so a proxy changed it.
		c.alarm("host")
		return http.StatusMisdirectedRequest
	case r.ContentLength > maxBody:
		return http.StatusRequestEntityTooLarge
	}
	return 0
}

// hostname is the name in a Host header, without its port.
func hostname(host string) string {
	u := url.URL{Host: host}
	return strings.ToLower(u.Hostname())
}

func readBody(r *http.Request) ([]byte, int) {
	if n := r.ContentLength; n >= 0 {
		b := make([]byte, n)
		if _, err := io.ReadFull(r.Body, b); err != nil {
			return nil, http.StatusBadRequest
		}
		return b, 0
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, http.StatusBadRequest
	case len(b) > maxBody:
		return nil, http.StatusRequestEntityTooLarge
	}
	return b, 0
}

func again(w http.ResponseWriter, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	w.WriteHeader(http.StatusServiceUnavailable)
}

// poisoned is how often an update may fail before it is answered with the card
// and forgotten, so that it holds nobody up (S9).
const poisoned = 3

// spinner is what turns on a pressed button until the press is answered; nil
// where nothing was pressed.
type spinner struct {
	query string
	reply func(answered)
	told  bool
	text  string // said when there is nothing else to say
}

// tell answers the press, once.
func (s *spinner) tell(text string) {
	if s == nil || s.told {
		return
	}
	s.told = true
	s.end(cmp.Or(text, s.text))
}

func (s *spinner) end(text string) {
	s.reply(answered{AnswerCallbackQueryParams: tg.AnswerCallbackQueryParams{CallbackQueryID: s.query, Text: notice(text)}})
}

// take deals with one update; broken is what decode said. False: it is to come
// again. reply is called once for a press, as soon as its answer is known.
// Nothing of the update outlives this call.
func (c *Channel) take(ctx context.Context, in *incoming, broken error, reply func(answered)) (ok bool) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), handleTime)
	defer done()
	name := [...]string{"other", "message", "edited", "press", "member"}[in.kind]
	var spin *spinner
	if in.query != "" {
		spin = &spinner{query: in.query, reply: reply}
	}
	outcome := "ok"
	defer func() {
		if r := recover(); r != nil {
			// The trace names code; what was typed may stand in r, which is dropped (F22).
			c.o.Log.Error("panic", "event", "panic", "class", "telegram", "trace", frames(debug.Stack()))
			outcome, ok = "panic", false
		}
		if !ok && outcome == "panic" && c.tries.failed(in.id) >= poisoned {
			c.alarm("poison")
			c.card(ctx, in)
			ok = true
		}
		if ok {
			spin.tell("")
			c.taken.first(in.id, c.o.Now(), 0)
		} else if outcome == "ok" {
			outcome = "again"
		}
		c.o.Meter.Update(name, outcome)
	}()
	if broken != nil || !in.whole() {
		// It is counted by class, and whoever can be told gets the card (S9, F35).
		switch {
		case broken == nil:
			outcome = "incomplete"
		case errors.Is(broken, errDeep):
			outcome = "deep"
		default:
			outcome = "broken"
		}
		if in.chat != 0 && in.private && in.kind != other {
			return c.card(ctx, in)
		}
		return broken == nil
	}
	switch {
	case in.kind == other:
		outcome = "ignored"
		return true
	case c.taken.has(in.id):
		// Known without asking the store, which has nothing about help (S51).
		outcome = "repeated"
		return true
	case in.kind == member:
		return c.membership(ctx, in)
	case !in.private:
		return c.public(ctx, in)
	case in.kind == pressed:
		return c.press(ctx, in, spin)
	case in.kind == edited:
		return c.changed(ctx, in)
	case in.service:
		outcome = "ignored"
		return true
	}
	return c.message(ctx, in)
}

// update begins the bot's view of an update.
func (c *Channel) update(in *incoming) bot.Update {
	u := bot.Update{ID: strconv.Itoa(in.id), Chat: c.chatID(in.chat), At: c.o.Now(), Locale: c.locale(in.lang)}
	if in.kind != pressed {
		u.Message, u.Tenant = in.message, c.o.Tenant
	}
	return u
}

// card sends the card to somebody whose update we could not read.
func (c *Channel) card(ctx context.Context, in *incoming) bool {
	defer func() { _ = recover() }() // there is nothing below this
	u := c.update(in)
	u.ID = ""
	u.Event, u.Help = flows.Help, &card.Request{Locale: u.Locale, Tenant: c.o.Tenant}
	return c.handle(ctx, u, &job{priority: help, below: true}, nil, nil)
}

// press deals with a button.
func (c *Channel) press(ctx context.Context, in *incoming, spin *spinner) bool {
	u := c.update(in)
	p := c.events.parse(c.content(), in.data, u.Locale)
	j := &job{priority: talk}
	if in.reached {
		j.edit = in.message
	}
	if p.remove != 0 {
		return c.remove(ctx, u, j, p.remove, spin)
	}
	u.Event, u.Screen, u.Help = p.event, p.screen, p.help
	if tenantless(u.Screen) {
		u.Tenant = c.o.Tenant
	}
	if u.Help != nil {
		j.priority = help
		if u.Help.Locale == "" {
			u.Help.Locale = u.Locale
		}
		if u.Help.Tenant == "" {
			u.Help.Tenant = c.o.Tenant
		}
	}
	return c.handle(ctx, u, j, nil, spin)
}

// tenantless tells whether a screen carries no municipality of its own. One that
// carries its place chose, and keeps what it chose (D15).
func tenantless(screen string) bool {
	if !flows.IsBearing(screen) {
		return true
	}
	parts := strings.Split(screen, ".")
	return len(parts) > 2 && parts[2] == ""
}

// remove takes a message the child asked about out of the chat (S17), and shows
// the present screen.
func (c *Channel) remove(ctx context.Context, u bot.Update, j *job, message int, spin *spinner) bool {
	text := "telegram.removed"
	id, _ := c.ours(u.Chat)
	err := c.api.remove(ctx, id, message)
	switch {
	case errors.Is(err, errBlocked):
		return true
	case errors.Is(err, errTransient):
		return false
	case err != nil:
		text = "telegram.stays"
	}
	u.Event, spin.text = flows.Show, c.text(u.Locale, text)
	return c.handle(ctx, u, j, nil, spin)
}

// message deals with what was said in a private chat.
func (c *Channel) message(ctx context.Context, in *incoming) bool {
	u := c.update(in)
	j := &job{priority: talk, below: true}
	late := in.date > 0 && u.At.Sub(in.at()) > oldAfter
	name, argument, is := parseCommand(in.words.Read())
	event, known := commands[name]
	switch {
	case is && known && event == flows.Help:
		u.Event = event
	case is && known && event == flows.Restart:
		u.Event = event
		if tenant, ok := c.link(argument); ok {
			u.Tenant = tenant
		} else if argument != "" && c.cries(flows.NewWords(argument)) {
			u.Event, u.Words = "", flows.NewWords(argument)
		}
	case is && known:
		u.Event = event
		if argument != "" && c.cries(flows.NewWords(argument)) {
			u.Event, u.Words = "", flows.NewWords(argument)
		}
	default:
		u.Words = in.words
	}
	if late && u.Event != flows.Help && u.Event != flows.Hide && u.Event != flows.Erase && !c.cries(u.Words) {
		return c.late(ctx, u, j)
	}
	if in.media {
		return c.media(ctx, in, u, j)
	}
	if u.Event == flows.Help {
		j.priority = help
	}
	if u.Event == "" && u.Words.Empty() {
		u.Words = flows.NewWords(" ") // nothing we can read was said; it asks for an answer all the same (F40)
	}
	return c.handle(ctx, u, j, nil, nil)
}

// cries tells whether words call for the card.
func (c *Channel) cries(w flows.Words) bool {
	if w.Empty() {
		return false
	}
	u := c.o.Reader.Read(w)
	return u.Help || u.Level > flows.None
}

// late answers what waited for longer than anybody waits for an answer: one
// neutral beginning for all of it (S51, F46). What was sent is put on the hide
// list all the same.
func (c *Channel) late(ctx context.Context, u bot.Update, j *job) bool {
	u.Event, u.Words = flows.Restart, flows.Words{}
	id, _ := c.ours(u.Chat)
	l := c.lane(id)
	l.mu.Lock()
	told := u.At.Sub(l.told) < oldAfter
	l.told = u.At
	l.mu.Unlock()
	if told {
		j.quiet = true
	}
	j.before = []string{c.text(u.Locale, "telegram.away")}
	return c.handle(ctx, u, j, nil, nil)
}

// changed deals with a message that was edited: a cry for help gets the card,
// the rest is ignored (F36).
func (c *Channel) changed(ctx context.Context, in *incoming) bool {
	if !c.cries(in.words) {
		return true
	}
	u := c.update(in)
	u.Words = in.words
	return c.handle(ctx, u, &job{priority: talk, below: true}, nil, nil)
}

// media deals with everything that is not text. Nothing of it is loaded (S17,
// F38). What is written beside it is read like any words; the card comes in any
// case, with a line that nobody has seen it and a button that takes it away.
func (c *Channel) media(ctx context.Context, in *incoming, u bot.Update, j *job) bool {
	j.priority = help
	j.before = []string{c.text(u.Locale, "telegram.media")}
	remove := bot.Button{Label: c.text(u.Locale, "telegram.remove"), Event: removeData(in.message)}
	if u.Words.Empty() {
		u.Event = flows.Help
	}
	return c.handle(ctx, u, j, func(ctx context.Context, a *bot.Answer) {
		if !a.Reply.Card && a.Outcome != bot.Repeated && !a.Reply.Clear {
			// The step was made; what is shown over it is the card, and Back
			// leads to where the step led.
			over := u
			over.ID, over.Words, over.Event, over.Message = "", flows.Words{}, flows.Help, 0
			if b, err := c.o.Bot.Handle(ctx, over); err == nil {
				screen := a.Reply.Screen
				a.Reply = b.Reply
				if a.Reply.Screen == "" {
					a.Reply.Screen = screen
				}
			}
		}
		a.Reply.Rows = append([][]bot.Button{{remove}}, a.Reply.Rows...)
	}, nil)
}

// membership deals with a change of our place in a chat.
func (c *Channel) membership(ctx context.Context, in *incoming) bool {
	switch {
	case in.private && in.status == "kicked":
		c.o.Gone(c.chatID(in.chat))
		return true
	case in.private, in.status == "left", in.status == "kicked":
		return true
	}
	return c.public(ctx, in)
}

// public leaves a group or channel politely: one neutral line, and nothing of
// what is said there is looked at (F37).
func (c *Channel) public(ctx context.Context, in *incoming) bool {
	if !in.typed {
		return true // not known what it is
	}
	now := c.o.Now()
	if c.groups.first(in.chat, now, time.Hour) {
		c.leaving.first(in.chat, now, 0)
		// Where we may not write we leave without a word.
		_, _ = c.api.message(ctx, in.chat, Message{Text: c.text(c.locale(in.lang), "telegram.group")})
	} else if !c.leaving.first(in.chat, now, 10*time.Second) {
		return true // being left
	}
	err := c.api.leave(ctx, in.chat)
	return !errors.Is(err, errTransient)
}

// handle gives an update to the bot and puts the answer on its way. It is true
// when the update is dealt with: committed, or its answer shown, or overtaken by
// a newer one. alter may change the answer; spin is what turns on the button.
func (c *Channel) handle(ctx context.Context, u bot.Update, j *job, alter func(context.Context, *bot.Answer), spin *spinner) bool {
	id, ok := c.ours(u.Chat)
	if !ok {
		return true
	}
	l := c.lane(id)
	show, ok := c.step(ctx, l, u, j, alter, spin)
	if show == nil {
		return ok
	}
	c.goes(show)
	return c.await(ctx, j, spin)
}

// step lets the bot handle an update and takes the answer's place in the queue.
// show is what then shows it, nil when there is nothing to show; ok says whether
// the update is dealt with.
func (c *Channel) step(ctx context.Context, l *lane, u bot.Update, j *job, alter func(context.Context, *bot.Answer), spin *spinner) (show func(), ok bool) {
	if j.priority < help {
		// Help waits for nothing, not even for the step before it (S2).
		l.order.Lock()
		defer l.order.Unlock()
	}
	begun := c.o.Now()
	a, err := c.o.Bot.Handle(ctx, u)
	if err != nil && len(a.Reply.Bubbles) == 0 {
		return nil, false
	}
	if alter != nil {
		alter(ctx, &a)
	}
	u.Words = u.Words.Gone()
	j.u, j.a = u, a
	if a.Outcome == bot.Repeated {
		return nil, true // nothing changed; what is not on the phone yet is in the outbox
	}
	if j.quiet {
		c.o.Bot.Shown(ctx, u, a, bot.Sent{})
		return nil, true
	}
	if a.Reply.Card || a.Reply.Clear {
		j.priority = help // hiding waits for nothing either
	}
	if j.until = begun.Add(cardTime); j.committed() {
		j.until = begun.Add(showTime)
	}
	if a.Reply.Clear {
		j.clear = &clearing{traces: a.Chat.Traces, typed: spin == nil, erase: a.Erases}
	} else if spin != nil && spin.text == "" && a.Reply.Toast == "" && a.Chat.Session.Fresh && c.o.Webhook == nil {
		// The message that was pressed on goes, and what turns on it with it:
		// that saves a call where the answer cannot ride on another.
		spin.told, j.spin = true, spin
	} else {
		spin.tell(a.Reply.Toast)
	}
	return c.push(l, j), true
}

// await waits until an answer is shown. What is committed may be shown later,
// and is waited for only as long as that keeps the replicas in step: the next
// update of this chat may come to another one. What is not committed has nobody
// else to show it.
func (c *Channel) await(ctx context.Context, j *job, spin *spinner) bool {
	wait, parked := waitTime, j.parked
	switch {
	case !j.committed() || j.clear != nil:
		parked = nil
	case c.o.Webhook == nil:
		return true // one replica polls, and its lanes keep the order
	default:
		wait = hungAfter
	}
	limit := time.NewTimer(wait)
	defer limit.Stop()
	shown := false
	select {
	case <-j.done:
		shown = j.err == nil || errors.Is(j.err, errOvertaken)
	case <-parked:
	case <-limit.C:
	case <-ctx.Done():
	}
	if spin != nil && j.clear != nil {
		toast := j.a.Reply.Toast
		if shown {
			toast = j.toast
		}
		spin.tell(toast)
	}
	return shown || j.committed()
}

// frames gives the file names and lines of a stack, and nothing of its values.
func frames(stack []byte) string {
	var out []string
	for _, m := range frame.FindAllSubmatch(stack, 12) {
		out = append(out, string(m[1]))
	}
	return strings.Join(out, " ")
}

var frame = regexp.MustCompile(`(?m)^\t.*/([\w.-]+\.go:\d+)`)
