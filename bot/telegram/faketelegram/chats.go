package faketelegram

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How old a message may be for a bot to take it back from both sides.
const maxDeleteAge = 48 * time.Hour

// user is a person or bot as it stands in messages.
type user struct {
	ID           int64  `json:"id"`
	IsBot        bool   `json:"is_bot"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name,omitempty"`
	Username     string `json:"username,omitempty"`
	LanguageCode string `json:"language_code,omitempty"`
}

// place is a chat as it stands in messages.
type place struct {
	ID        int64  `json:"id"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Username  string `json:"username,omitempty"`
	Title     string `json:"title,omitempty"`
	Type      string `json:"type"`
}

// Bot is one bot of the server: its chats, its updates, its profile.
type Bot struct {
	s     *Server
	token string
	user  user

	mu      sync.Mutex // guards everything below
	chats   map[int64]*chat
	lastMsg int // message ids of private chats and groups are one sequence
	queries map[string]*pressed
	profile profile
	updates updates
	hook    *hook
	sending bucket
}

// chat is one conversation of a bot.
type chat struct {
	place    place
	messages []*message // by id
	blocked  bool       // by the person
	dead     bool       // the person's account is gone
	out      string     // why the bot is not in the group; "" = it is
	toasts   []Toast
	sending  bucket
	typing   time.Time
}

// message is one message of a chat; a deleted one stays, marked.
type message struct {
	id        int
	from      *user // nil in channels
	out       bool  // from the bot
	date      time.Time
	edited    time.Time
	text      string
	entities  []entity
	keys      *keyboard
	silent    bool
	protected bool
	preview   rawJSON
	kind      string  // "text", or the member that says what it is: "photo"
	content   rawJSON // {"photo": …}; nil for texts
	service   bool    // says that something happened, like a member joining
	gone      bool
}

// pressed is a press that waits for its answer.
type pressed struct {
	chat    *chat
	message int
	at      time.Time
}

// Message is a message as the person in the chat sees it.
type Message struct {
	ID        int
	Bot       bool // from the bot; otherwise from a person
	Text      string
	Rows      [][]Button // of the keyboard under it
	Kind      string     // "text", "photo", "voice", …
	Silent    bool       // came without a sound
	Edited    bool
	Protected bool // cannot be forwarded or copied
	Service   bool // "Kari joined the group"
	Deleted   bool // only in History
	At        time.Time
	Age       time.Duration
}

// Button is one button of a keyboard; Data or URL is set.
type Button struct {
	Label string
	Data  string
	URL   string
}

// Labels lists the labels of all buttons in order.
func (m Message) Labels() []string {
	var out []string
	for _, row := range m.Rows {
		for _, b := range row {
			out = append(out, b.Label)
		}
	}
	return out
}

// Chat lists what stands in the bot's chat with a person or group, oldest
// first: exactly what a person sees who opens it now.
func (b *Bot) Chat(id int64) []Message { return b.list(id, false) }

// History lists the same and every deleted message too.
func (b *Bot) History(id int64) []Message { return b.list(id, true) }

// Chat is Bot("").Chat.
func (s *Server) Chat(id int64) []Message { return s.Bot("").Chat(id) }

func (b *Bot) list(id int64, all bool) []Message {
	if b == nil {
		return nil // no bot has come yet
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := b.chats[id]
	if ch == nil {
		return nil
	}
	now := b.s.now()
	out := make([]Message, 0, len(ch.messages))
	for _, m := range ch.messages {
		if m.gone && !all {
			continue
		}
		out = append(out, m.seen(now))
	}
	return out
}

func (m *message) seen(now time.Time) Message {
	v := Message{
		ID: m.id, Bot: m.out, Text: m.text, Kind: m.kind, Silent: m.silent, Edited: !m.edited.IsZero(),
		Protected: m.protected, Service: m.service, Deleted: m.gone, At: m.date, Age: now.Sub(m.date),
	}
	if m.keys != nil {
		v.Rows = m.keys.rows
	}
	return v
}

// find looks a message up by id; deleted ones are not there.
func (ch *chat) find(id int) *message {
	i, found := slices.BinarySearchFunc(ch.messages, id, func(m *message, id int) int { return m.id - id })
	if !found || ch.messages[i].gone {
		return nil
	}
	return ch.messages[i]
}

// add appends a message to a chat with the next id.
func (b *Bot) add(ch *chat, m *message) *message {
	b.lastMsg++
	m.id, m.date = b.lastMsg, b.s.now()
	ch.messages = append(ch.messages, m)
	return m
}

// wire writes a message as it stands in answers and updates.
func (m *message) wire(ch *chat) rawJSON {
	out := struct {
		ID        int      `json:"message_id"`
		From      *user    `json:"from,omitempty"`
		Sender    *place   `json:"sender_chat,omitempty"`
		Chat      *place   `json:"chat"`
		Date      int64    `json:"date"`
		EditDate  int64    `json:"edit_date,omitempty"`
		Protected bool     `json:"has_protected_content,omitempty"`
		Text      string   `json:"text,omitempty"`
		Entities  []entity `json:"entities,omitempty"`
		Preview   rawJSON  `json:"link_preview_options,omitempty"`
		Markup    rawJSON  `json:"reply_markup,omitempty"`
	}{
		ID: m.id, From: m.from, Chat: &ch.place, Date: m.date.Unix(), Protected: m.protected,
		Text: m.text, Entities: m.entities, Preview: m.preview,
	}
	if m.from == nil {
		out.Sender = &ch.place
	}
	if !m.edited.IsZero() {
		out.EditDate = m.edited.Unix()
	}
	if m.keys != nil {
		out.Markup = m.keys.raw
	}
	raw, err := json.Marshal(out)
	if err != nil {
		panic(fmt.Sprintf("write message: %v", err)) // only own fields, checked when they came in
	}
	if len(m.content) > 2 {
		raw = append(append(raw[:len(raw)-1], ','), m.content[1:]...)
	}
	return raw
}

// reach finds the chat of a call and says whether the bot may write there.
func (b *Bot) reach(c *call, write bool) (*chat, error) {
	arg := c.args["chat_id"]
	if arg == "" {
		return nil, bad("chat_id is empty")
	}
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil {
		return nil, bad("chat not found") // also @names: nothing here is public
	}
	ch := b.chats[id]
	if ch == nil {
		return nil, bad("chat not found")
	}
	switch {
	case ch.dead && write:
		return nil, forbidden("user is deactivated")
	case ch.out != "":
		return nil, forbidden(ch.out)
	}
	return ch, nil
}

// unknown refuses parameters whose effect is not performed, rather than to
// pass over them in silence.
func unknown(c *call, names ...string) error {
	for _, n := range names {
		if c.args[n] != "" {
			return &apiError{code: 501, text: "Not Implemented: the local server does not perform the parameter \"" + n + "\""}
		}
	}
	return nil
}

var notHere = []string{"business_connection_id", "message_thread_id", "direct_messages_topic_id",
	"suggested_post_parameters", "rich_message", "inline_message_id"}

func (b *Bot) sendMessage(c *call) (any, error) {
	if err := unknown(c, notHere...); err != nil {
		return nil, err
	}
	preview, err := linkPreview(c)
	if err != nil {
		return nil, err
	}
	if c.args["text"] == "" {
		return nil, bad("message text is empty")
	}
	text, spans, err := formatted(c, "text", "entities", maxText, "message is too long")
	if err != nil {
		return nil, err
	}
	ch, err := b.reach(c, true)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, bad("text must be non-empty")
	}
	keys, err := markup(c)
	if err != nil {
		return nil, err
	}
	if err := b.replies(c, ch); err != nil {
		return nil, err
	}
	if ch.blocked {
		return nil, forbidden("bot was blocked by the user")
	}
	if err := b.pace(ch); err != nil {
		return nil, err
	}
	m := b.add(ch, &message{
		from: &b.user, out: true, kind: "text", text: text, entities: spans, keys: keys, preview: preview,
		silent: c.bool("disable_notification"), protected: c.bool("protect_content"),
	})
	if ch.place.Type == "channel" {
		m.from = nil
	}
	return m.wire(ch), nil
}

// replies checks reply_parameters: the message must be there.
func (b *Bot) replies(c *call, ch *chat) error {
	raw := c.args["reply_parameters"]
	if raw == "" {
		return nil
	}
	var p struct {
		ID   int  `json:"message_id"`
		Free bool `json:"allow_sending_without_reply"`
	}
	if json.Unmarshal([]byte(raw), &p) != nil {
		return bad("can't parse reply parameters JSON object")
	}
	if ch.find(p.ID) == nil && !p.Free {
		return bad("message to be replied not found")
	}
	return nil
}

func linkPreview(c *call) (rawJSON, error) {
	raw := c.args["link_preview_options"]
	if raw == "" {
		return nil, nil
	}
	var object map[string]any
	if !json.Valid([]byte(raw)) {
		return nil, bad("can't parse link preview options JSON object")
	}
	if json.Unmarshal([]byte(raw), &object) != nil || object == nil {
		return nil, bad("object expected as link preview options")
	}
	return rawJSON(raw), nil
}

const notModified = "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message"

func (b *Bot) editMessageText(c *call) (any, error) {
	if err := unknown(c, notHere...); err != nil {
		return nil, err
	}
	preview, err := linkPreview(c)
	if err != nil {
		return nil, err
	}
	if c.args["text"] == "" {
		return nil, bad("message text is empty")
	}
	text, spans, err := formatted(c, "text", "entities", maxText, "message is too long")
	if err != nil {
		return nil, err
	}
	return b.edit(c, func(m *message, keys *keyboard) error {
		if text == "" {
			return bad("text must be non-empty")
		}
		if m.kind != "text" {
			return bad("there is no text in the message to edit")
		}
		if m.text == text && slices.Equal(m.entities, spans) && sameKeys(m.keys, keys) {
			return bad("%s", notModified)
		}
		m.text, m.entities, m.keys, m.preview = text, spans, keys, preview
		return nil
	})
}

func (b *Bot) editMessageReplyMarkup(c *call) (any, error) {
	if err := unknown(c, notHere...); err != nil {
		return nil, err
	}
	return b.edit(c, func(m *message, keys *keyboard) error {
		if sameKeys(m.keys, keys) {
			return bad("%s", notModified)
		}
		m.keys = keys
		return nil
	})
}

// edit finds the message of a call, which must be the bot's own, and changes it.
func (b *Bot) edit(c *call, change func(*message, *keyboard) error) (any, error) {
	keys, err := markup(c)
	if err != nil {
		return nil, err
	}
	if c.args["chat_id"] == "" && c.args["message_id"] == "" {
		return nil, bad("message identifier is not specified")
	}
	ch, err := b.reach(c, true)
	if err != nil {
		return nil, err
	}
	m := ch.find(c.int("message_id", 0, 0, 1<<31-1))
	if m == nil {
		return nil, bad("message to edit not found")
	}
	if !m.out || m.service || m.keys != nil && m.keys.other != "" {
		return nil, bad("message can't be edited")
	}
	if keys != nil && keys.other != "" {
		return nil, bad("inline keyboard expected")
	}
	if ch.blocked {
		return nil, forbidden("bot was blocked by the user")
	}
	if err := b.pace(ch); err != nil {
		return nil, err
	}
	if err := change(m, keys); err != nil {
		return nil, err
	}
	m.edited = b.s.now()
	return m.wire(ch), nil
}

func sameKeys(a, b *keyboard) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.other == b.other && bytes.Equal(a.raw, b.raw)
}

func (b *Bot) deleteMessage(c *call) (any, error) {
	if c.args["chat_id"] == "" {
		return nil, bad("chat identifier is not specified")
	}
	id := c.int("message_id", 0, 0, 1<<31-1)
	if id == 0 {
		return nil, bad("message identifier is not specified")
	}
	ch, err := b.reach(c, true)
	if err != nil {
		return nil, err
	}
	m := ch.find(id)
	if m == nil {
		return nil, bad("message to delete not found")
	}
	if err := b.deletable(ch, m); err != nil {
		return nil, err
	}
	m.gone = true
	return true, nil
}

// deleteMessages takes up to 100 messages. Those that are not there are passed
// over; one that is too old refuses them all, and nothing is deleted.
func (b *Bot) deleteMessages(c *call) (any, error) {
	raw := c.args["message_ids"]
	if raw == "" {
		return nil, bad("message identifiers are not specified")
	}
	var list []json.RawMessage
	if !json.Valid([]byte(raw)) {
		return nil, bad("can't parse message_ids JSON object")
	}
	if json.Unmarshal([]byte(raw), &list) != nil {
		return nil, bad("expected an Array of message identifiers")
	}
	if len(list) > 100 {
		return nil, bad("too many message identifiers specified")
	}
	if len(list) == 0 {
		return nil, bad("message identifiers are not specified")
	}
	var ids []int
	for _, v := range list {
		id, err := strconv.Atoi(strings.Trim(string(v), `"`))
		if err != nil {
			return nil, bad("can't parse message identifier as a Number")
		}
		if id <= 0 {
			return nil, bad("invalid message identifier specified")
		}
		ids = append(ids, id)
	}
	ch, err := b.reach(c, true)
	if err != nil {
		return nil, err
	}
	var found []*message
	for _, id := range ids {
		if m := ch.find(id); m != nil {
			if err := b.deletable(ch, m); err != nil {
				return nil, err
			}
			found = append(found, m)
		}
	}
	for _, m := range found {
		m.gone = true
	}
	return true, nil
}

// deletable says whether a bot may take a message back from both sides: in a
// private chat anything younger than 48 hours, in a group its own.
func (b *Bot) deletable(ch *chat, m *message) error {
	if b.s.now().Sub(m.date) > maxDeleteAge && ch.place.Type != "channel" {
		return bad("message can't be deleted for everyone")
	}
	if ch.place.Type != "private" && (!m.out || m.service) {
		return bad("message can't be deleted for everyone")
	}
	return nil
}

// Toast is the short notice a press was answered with; an empty text only
// takes the spinner away.
type Toast struct {
	Query string
	Text  string
	Alert bool
}

const tooOld = "query is too old and response timeout expired or query ID is invalid"

// answerCallbackQuery answers a press, once, while it is young.
func (b *Bot) answerCallbackQuery(c *call) (any, error) {
	q := b.queries[c.args["callback_query_id"]]
	if q == nil || b.s.now().Sub(q.at) > callbackLife {
		return nil, bad(tooOld)
	}
	text, _ := clean(c.args["text"], nil)
	if units(text) > 200 {
		return nil, bad("MESSAGE_TOO_LONG")
	}
	if c.args["url"] != "" {
		return nil, bad("URL_INVALID") // only for games and links back to the bot
	}
	delete(b.queries, c.args["callback_query_id"])
	q.chat.toasts = append(q.chat.toasts, Toast{Query: c.args["callback_query_id"], Text: text, Alert: c.bool("show_alert")})
	return true, nil
}

func (b *Bot) sendChatAction(c *call) (any, error) {
	if err := unknown(c, notHere...); err != nil {
		return nil, err
	}
	known := []string{"cancel", "typing", "record_video", "upload_video", "record_audio", "record_voice", "upload_audio",
		"upload_voice", "upload_photo", "upload_document", "choose_sticker", "find_location", "pick_up_location",
		"record_video_note", "upload_video_note"}
	if !slices.Contains(known, strings.ToLower(c.args["action"])) {
		return nil, bad("wrong parameter action in request")
	}
	ch, err := b.reach(c, true)
	if err != nil {
		return nil, err
	}
	if ch.blocked {
		return nil, forbidden("bot was blocked by the user")
	}
	ch.typing = b.s.now()
	return true, nil
}

func (b *Bot) getChat(c *call) (any, error) {
	ch, err := b.reach(c, false)
	if err != nil {
		return nil, err
	}
	return struct {
		place
		Color int `json:"accent_color_id"`
		Most  int `json:"max_reaction_count"`
	}{ch.place, int(ch.place.ID&7+8) % 8, 11}, nil
}

func (b *Bot) leaveChat(c *call) (any, error) {
	ch, err := b.reach(c, false)
	if err != nil {
		return nil, err
	}
	if ch.place.Type == "private" {
		return nil, bad("chat member status can't be changed in private chats")
	}
	b.member(ch, b.user, "left")
	return true, nil
}

// getFile gives a path that leads nowhere: nothing is ever loaded, and Calls
// shows who asked.
func (b *Bot) getFile(c *call) (any, error) {
	id := c.args["file_id"]
	if id == "" {
		return nil, bad("file_id not specified")
	}
	return map[string]string{"file_id": id, "file_unique_id": "u" + id, "file_path": "none/" + id}, nil
}

// me is the bot as getMe tells it.
func (b *Bot) me() any {
	return struct {
		user
		Join     bool `json:"can_join_groups"`
		ReadAll  bool `json:"can_read_all_group_messages"`
		Inline   bool `json:"supports_inline_queries"`
		Guest    bool `json:"supports_guest_queries"`
		Business bool `json:"can_connect_to_business"`
		WebApp   bool `json:"has_main_web_app"`
		Topics   bool `json:"has_topics_enabled"`
		Create   bool `json:"allows_users_to_create_topics"`
		Manage   bool `json:"can_manage_bots"`
	}{user: b.user, Join: true}
}

// bucket lets so many through at once and so many a second.
type bucket struct {
	left float64
	at   time.Time
}

// take takes one, or says how long to wait.
func (k *bucket) take(now time.Time, rate, burst float64) time.Duration {
	if k.at.IsZero() {
		k.left = burst
	} else {
		k.left = min(burst, k.left+now.Sub(k.at).Seconds()*rate)
	}
	k.at = now
	if k.left < 1 {
		return time.Duration((1 - k.left) / rate * float64(time.Second))
	}
	k.left--
	return 0
}

// pace refuses what is too fast when the server is strict.
func (b *Bot) pace(ch *chat) error {
	if !b.s.opts.Strict {
		return nil
	}
	now := b.s.now()
	rate, burst := 1.0, 5.0
	if ch.place.Type != "private" {
		rate, burst = 20.0/60, 20
	}
	if wait := ch.sending.take(now, rate, burst); wait > 0 {
		return tooMany(int(wait/time.Second) + 1)
	}
	if wait := b.sending.take(now, 30, 30); wait > 0 {
		return tooMany(int(wait/time.Second) + 1)
	}
	return nil
}

// instance names a chat to the bot without its id, the same each time.
func (ch *chat) instance() string {
	h := fnv.New64a()
	fmt.Fprint(h, ch.place.ID)
	return strconv.FormatInt(int64(h.Sum64()), 10)
}
