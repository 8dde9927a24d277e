package faketelegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What a person can try in vain.
var (
	ErrNoButton  = errors.New("no such button on the screen")
	ErrNoMessage = errors.New("no such message in the chat")
	ErrNoGroup   = errors.New("no such group")
	ErrNoBot     = errors.New("no bot has come yet")
)

// Person is somebody with a phone, in the chat with one bot. All methods do
// what the app would let a person do; the bot gets the updates.
type Person struct {
	s    *Server
	b    *Bot // nil = the first bot
	user user
}

// Person adds a person who has not met any bot yet; what they do goes to the
// first bot; With turns to another.
func (s *Server) Person(p Profile) *Person {
	if p.ID == 0 {
		p.ID = s.nextID()
	}
	if p.Name == "" {
		p.Name = "Person " + strconv.FormatInt(p.ID, 10)
	}
	x := &Person{s: s, user: user{
		ID: p.ID, FirstName: p.Name, LastName: p.Last, Username: p.Username, LanguageCode: p.Language,
	}}
	s.mu.Lock()
	s.people = append(s.people, x)
	s.mu.Unlock()
	s.events.tell()
	return x
}

// People lists everybody in the order they were added.
func (s *Server) People() []*Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.people)
}

// With is the same person in the chat with another bot.
func (p *Person) With(b *Bot) *Person { return &Person{s: p.s, b: b, user: p.user} }

// ID is the person's id, and that of their private chats.
func (p *Person) ID() int64 { return p.user.ID }

// Name is what the person is called.
func (p *Person) Name() string { return p.user.FirstName }

// Language is the language of the person's phone; "" = the phone does not say.
func (p *Person) Language() string { return p.user.LanguageCode }

// Chat lists what stands in the chat now, oldest first.
func (p *Person) Chat() []Message {
	if b := p.bot(); b != nil {
		return b.Chat(p.user.ID)
	}
	return nil
}

// Screen is the newest message of the bot that stands in the chat.
func (p *Person) Screen() (Message, bool) {
	for _, m := range slices.Backward(p.Chat()) {
		if m.Bot {
			return m, true
		}
	}
	return Message{}, false
}

// Toasts lists the answers to presses, oldest first.
func (p *Person) Toasts() []Toast {
	var out []Toast
	_ = p.look(func(b *Bot) error {
		if ch := b.chats[p.user.ID]; ch != nil {
			out = slices.Clone(ch.toasts)
		}
		return nil
	})
	return out
}

// Spinning counts the messages that stand in the chat with a button on which
// the app still shows that it waits for an answer to a press.
func (p *Person) Spinning() int {
	n := map[int]bool{}
	_ = p.look(func(b *Bot) error {
		for _, q := range b.queries {
			if q.chat == b.chats[p.user.ID] && q.chat.find(q.message) != nil && b.s.now().Sub(q.at) <= callbackLife {
				n[q.message] = true
			}
		}
		return nil
	})
	return len(n)
}

// open gives the person's private chat, which begins with what they do first.
// Who does something in a blocked chat unblocks it, as the app does. Called
// under the bot's lock.
func (p *Person) open(b *Bot) *chat {
	ch := b.chats[p.user.ID]
	if ch == nil {
		ch = &chat{place: place{ID: p.user.ID, FirstName: p.user.FirstName, LastName: p.user.LastName, Username: p.user.Username, Type: "private"}}
		b.chats[p.user.ID] = ch
	}
	if ch.blocked {
		ch.blocked = false
		b.memberUpdate(ch, p.user, b.user, "kicked", "member")
	}
	return ch
}

// bot is who the person talks to; nil = nobody has come yet.
func (p *Person) bot() *Bot {
	if p.b != nil {
		return p.b
	}
	return p.s.Bot("")
}

// look runs something under the bot's lock.
func (p *Person) look(f func(*Bot) error) error {
	b := p.bot()
	if b == nil {
		return ErrNoBot
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return f(b)
}

// do does the same and tells everyone who waits for a change.
func (p *Person) do(f func(*Bot) error) error {
	defer p.s.events.tell()
	return p.look(f)
}

// send puts a message from the person into a chat and before the bot.
func (p *Person) send(b *Bot, ch *chat, m *message) int {
	m.from = &p.user
	kind := "message"
	if ch.place.Type == "channel" {
		m.from, kind = nil, "channel_post"
	}
	b.add(ch, m)
	b.push(kind, ch.place.ID, m.wire(ch))
	return m.id
}

// Say sends exactly this text and gives the message's id. As the app does, it
// cuts what is longer than a message in pieces; the id is that of the last.
func (p *Person) Say(text string) int {
	id := 0
	_ = p.do(func(b *Bot) error {
		ch := p.open(b)
		for _, piece := range pieces(text) {
			id = p.send(b, ch, &message{kind: "text", text: piece, entities: commands(piece)})
		}
		return nil
	})
	return id
}

// pieces cuts a text at maxText UTF-16 units.
func pieces(text string) []string {
	var out []string
	size, from := 0, 0
	for i, r := range text {
		n := units(string(r))
		if size+n > maxText {
			out = append(out, text[from:i])
			from, size = i, 0
		}
		size += n
	}
	return append(out, text[from:])
}

// Start opens the bot by a deep link: t.me/<bot>?start=<payload>. A payload
// the app would refuse is refused.
func (p *Person) Start(payload string) (int, error) {
	if len(payload) > maxStartArgs || strings.Trim(payload, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return 0, fmt.Errorf("start payload %q: want at most %d of A-Z a-z 0-9 _ -", payload, maxStartArgs)
	}
	return p.Say(strings.TrimSpace("/start " + payload)), nil
}

// Press presses the button with this label, or else this callback data, on the
// newest message that has it. It gives the id of the query, by which Toasts
// shows the answer.
func (p *Person) Press(what string) (string, error) {
	query := ""
	err := p.do(func(b *Bot) error {
		ch := b.chats[p.user.ID]
		if ch == nil {
			return fmt.Errorf("press %q: %w", what, ErrNoButton)
		}
		for _, fits := range []func(Button) bool{
			func(b Button) bool { return b.Label == what },
			func(b Button) bool { return b.Data == what },
		} {
			for _, m := range slices.Backward(ch.messages) {
				if m.gone || m.keys == nil {
					continue
				}
				for _, row := range m.keys.rows {
					for _, button := range row {
						if !fits(button) {
							continue
						}
						if button.Data == "" {
							return fmt.Errorf("press %q: it opens %q and tells the bot nothing: %w", what, button.URL, ErrNoButton)
						}
						query = p.press(b, ch, m.id, button.Data)
						return nil
					}
				}
			}
		}
		return fmt.Errorf("press %q: %w", what, ErrNoButton)
	})
	return query, err
}

// PressOld sends a press on any message with any data: on a keyboard that was
// replaced, on a message that was deleted meanwhile (the bot then gets an
// inaccessible message), with data that was never there.
func (p *Person) PressOld(messageID int, data string) string {
	query := ""
	_ = p.do(func(b *Bot) error {
		query = p.press(b, p.open(b), messageID, data)
		return nil
	})
	return query
}

func (p *Person) press(b *Bot, ch *chat, id int, data string) string {
	type gone struct {
		Chat *place `json:"chat"`
		ID   int    `json:"message_id"`
		Date int    `json:"date"`
	}
	var stands any = gone{&ch.place, id, 0}
	if m := ch.find(id); m != nil {
		stands = m.wire(ch)
	}
	query := strconv.FormatUint(uint64(p.user.ID)<<32|uint64(b.updates.next), 10)
	b.queries[query] = &pressed{chat: ch, message: id, at: p.s.now()}
	payload, err := json.Marshal(struct {
		ID       string `json:"id"`
		From     *user  `json:"from"`
		Message  any    `json:"message"`
		Instance string `json:"chat_instance"`
		Data     string `json:"data"`
	}{query, &p.user, stands, ch.instance(), data})
	if err != nil {
		panic(fmt.Sprintf("write press: %v", err)) // strings and numbers only
	}
	b.push("callback_query", p.user.ID, payload)
	return query
}

// SendRaw sends a message with any content, the members of a Message that make
// it up: {"dice":{"emoji":"🎲","value":3}}. It is how a test sends what this
// package has no method for, also contents no specification knows.
func (p *Person) SendRaw(content string) (int, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(content), &members); err != nil {
		return 0, fmt.Errorf("content of a message: %w", err)
	}
	kind := ""
	for k := range members {
		if k != "caption" && k != "caption_entities" && (kind == "" || k < kind) {
			kind = k
		}
	}
	m := &message{kind: kind, content: rawJSON(strings.TrimSpace(content))}
	if c, ok := members["caption"]; ok {
		_ = json.Unmarshal(c, &m.text) // shown in the chat; the bot gets the caption
	}
	id := 0
	err := p.do(func(b *Bot) error {
		ch := p.open(b)
		caption := m.text
		m.text = ""
		id = p.send(b, ch, m)
		m.text = caption
		return nil
	})
	return id, err
}

// media sends a file of a kind, with an id by which the bot could ask for it.
func (p *Person) media(kind, caption string, more map[string]any) int {
	file := map[string]any{"file_id": fmt.Sprintf("file-%s-%d", kind, p.user.ID), "file_unique_id": fmt.Sprintf("u%d", p.user.ID), "file_size": 1000}
	for k, v := range more {
		file[k] = v
	}
	content := map[string]any{kind: file}
	if kind == "photo" {
		content[kind] = []any{file}
	}
	if caption != "" {
		content["caption"] = caption
	}
	raw, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("write %s: %v", kind, err)) // strings and numbers only
	}
	id, _ := p.SendRaw(string(raw)) // what was just written can be read
	return id
}

// SendPhoto and the others send what children send besides words.
func (p *Person) SendPhoto(caption string) int {
	return p.media("photo", caption, map[string]any{"width": 90, "height": 90})
}

// SendVoice sends a voice message.
func (p *Person) SendVoice() int { return p.media("voice", "", map[string]any{"duration": 3}) }

// SendVideo sends a film with a caption.
func (p *Person) SendVideo(caption string) int {
	return p.media("video", caption, map[string]any{"width": 90, "height": 90, "duration": 3})
}

// SendVideoNote sends a round film.
func (p *Person) SendVideoNote() int {
	return p.media("video_note", "", map[string]any{"length": 90, "duration": 3})
}

// SendDocument sends a file with a caption.
func (p *Person) SendDocument(caption string) int {
	return p.media("document", caption, map[string]any{"file_name": "file.pdf"})
}

// SendSticker sends a sticker.
func (p *Person) SendSticker(emoji string) int {
	return p.media("sticker", "", map[string]any{"type": "regular", "width": 512, "height": 512, "is_animated": false, "is_video": false, "emoji": emoji})
}

// SendLocation sends a place.
func (p *Person) SendLocation(latitude, longitude float64) int {
	id, _ := p.SendRaw(fmt.Sprintf(`{"location":{"latitude":%g,"longitude":%g}}`, latitude, longitude))
	return id
}

// SendContact sends a contact; its name is words somebody typed.
func (p *Person) SendContact(name, number string) int {
	raw, err := json.Marshal(map[string]any{"contact": map[string]string{"first_name": name, "phone_number": number}})
	if err != nil {
		panic(fmt.Sprintf("write contact: %v", err)) // two strings
	}
	id, _ := p.SendRaw(string(raw))
	return id
}

// Edit changes a message the person wrote.
func (p *Person) Edit(messageID int, text string) error {
	return p.do(func(b *Bot) error {
		ch := p.open(b)
		m := ch.find(messageID)
		if m == nil || m.out {
			return fmt.Errorf("edit: %w", ErrNoMessage)
		}
		m.text, m.entities, m.edited = text, commands(text), p.s.now()
		b.push("edited_message", ch.place.ID, m.wire(ch))
		return nil
	})
}

// Delete takes a message, anybody's, out of the chat on both sides. The bot
// hears nothing of it.
func (p *Person) Delete(messageID int) error {
	return p.do(func(b *Bot) error {
		if ch := b.chats[p.user.ID]; ch != nil {
			if m := ch.find(messageID); m != nil {
				m.gone = true
				return nil
			}
		}
		return fmt.Errorf("delete: %w", ErrNoMessage)
	})
}

// Block blocks the bot; Unblock, or doing anything in the chat, ends that.
func (p *Person) Block() {
	_ = p.do(func(b *Bot) error {
		ch := p.open(b)
		ch.blocked = true
		b.memberUpdate(ch, p.user, b.user, "member", "kicked")
		return nil
	})
}

// Unblock ends a block.
func (p *Person) Unblock() { _ = p.do(func(b *Bot) error { p.open(b); return nil }) }

// Deactivate is the end of the person's account.
func (p *Person) Deactivate() {
	_ = p.do(func(b *Bot) error { p.open(b).dead = true; return nil })
}

// AddBotToGroup makes a group with the bot in it and gives its id.
func (p *Person) AddBotToGroup(title string) int64 {
	return p.gather(place{ID: -p.s.nextID(), Title: title, Type: "group"}, "member")
}

// AddBotToChannel makes a channel with the bot as administrator.
func (p *Person) AddBotToChannel(title string) int64 {
	return p.gather(place{ID: -1_000_000_000_000 - p.s.nextID(), Title: title, Type: "channel"}, "administrator")
}

func (p *Person) gather(where place, status string) int64 {
	_ = p.do(func(b *Bot) error {
		ch := &chat{place: where}
		b.chats[where.ID] = ch
		b.memberUpdate(ch, p.user, b.user, "left", status)
		if where.Type == "group" {
			raw, err := json.Marshal(map[string]any{"new_chat_members": []user{b.user}})
			if err != nil {
				return err
			}
			p.send(b, ch, &message{kind: "new_chat_members", service: true, content: raw})
		}
		return nil
	})
	return where.ID
}

// SayIn says something in a group, or posts it in a channel.
func (p *Person) SayIn(group int64, text string) (int, error) {
	id := 0
	err := p.do(func(b *Bot) error {
		ch := b.chats[group]
		if ch == nil {
			return ErrNoGroup
		}
		m := &message{kind: "text", text: text, entities: commands(text)}
		if ch.out != "" {
			m.from = &p.user
			id = b.add(ch, m).id // said, but the bot is not there to hear it
			return nil
		}
		id = p.send(b, ch, m)
		return nil
	})
	return id, err
}

// RemoveBot throws the bot out of a group or channel.
func (p *Person) RemoveBot(group int64) error {
	return p.do(func(b *Bot) error {
		ch := b.chats[group]
		if ch == nil {
			return ErrNoGroup
		}
		b.member(ch, p.user, "kicked")
		return nil
	})
}

// In says whether the bot is in a group or channel.
func (b *Bot) In(group int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := b.chats[group]
	return ch != nil && ch.out == ""
}

// member takes the bot out of a group, by its own will or not.
func (b *Bot) member(ch *chat, by user, status string) {
	if ch.out != "" {
		return
	}
	ch.out = "bot is not a member of the " + ch.place.Type + " chat"
	if status == "kicked" {
		ch.out = "bot was kicked from the " + ch.place.Type + " chat"
	}
	b.memberUpdate(ch, by, b.user, "member", status)
}

// memberUpdate tells the bot that its own place in a chat changed.
func (b *Bot) memberUpdate(ch *chat, by, who user, before, after string) {
	who.LanguageCode = ""
	member := func(status string) map[string]any {
		m := map[string]any{"user": who, "status": status}
		switch status {
		case "kicked":
			m["until_date"] = 0
		case "administrator":
			for _, right := range []string{"can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
				"can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
				"can_edit_stories", "can_delete_stories", "can_post_messages", "can_edit_messages"} {
				m[right] = right == "can_manage_chat" || right == "can_post_messages"
			}
		}
		return m
	}
	payload, err := json.Marshal(map[string]any{
		"chat": ch.place, "from": by, "date": b.s.now().Unix(),
		"old_chat_member": member(before), "new_chat_member": member(after),
	})
	if err != nil {
		panic(fmt.Sprintf("write member: %v", err)) // own fields only
	}
	b.push("my_chat_member", ch.place.ID, payload)
}
