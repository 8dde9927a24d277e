package telegram

import (
	"time"

	"trygg/flows"
)

// kind is what an update is to us. All kinds Telegram has or will have that are
// not listed here are other, and ignored (F35).
type kind uint8

const (
	other   kind = iota
	said         // a message, in a private chat or not
	edited       // a message that was changed
	pressed      // a button
	member       // our own place in a chat changed
)

// kinds are the update kinds we ask for, and those of channels, where we only
// leave again.
var kinds = map[string]kind{
	"message": said, "channel_post": said, "edited_message": edited,
	"callback_query": pressed, "my_chat_member": member,
}

// asked is what we let Telegram send.
var asked = []string{"message", "edited_message", "callback_query", "my_chat_member"}

// incoming is one update, with only what we use of it. What was typed stands in
// it as flows.Words, which cannot be printed or stored.
type incoming struct {
	id      int
	kind    kind
	chat    int64
	private bool
	typed   bool // it has a chat with a type
	message int  // the message that came, was changed, or was pressed on
	date    int64
	lang    string
	words   flows.Words
	media   bool   // something else than text came
	service bool   // something happened in the chat; nobody said anything
	query   string // of a press
	data    string
	reached bool   // the message pressed on can still be reached (F43)
	status  string // our new place in the chat: "kicked", "member" ...

	from int64
	text string // while reading
	bad  bool   // a field of a wrong type
}

func (in *incoming) at() time.Time { return time.Unix(in.date, 0) }

// decode reads one update. It never uses the library's types, where an unknown
// kind of content is an error for the whole batch (tech sheet 1.1). With an
// error, what was read before it is still there, so that the chat can be told.
func decode(body []byte) (in incoming, err error) {
	s := &scanner{b: body}
	if s.next() != '{' {
		if err := s.skip(); err != nil {
			return in, err
		}
		return in, errBroken
	}
	defer in.finish()
	err = s.object(func(key string) error {
		if key == "update_id" {
			n, ok, err := s.number()
			in.id, in.bad = int(n), in.bad || !ok
			return err
		}
		k := kinds[key]
		if k == other || in.kind != other {
			return s.skip()
		}
		in.kind = k
		switch k {
		case pressed:
			return in.callback(s)
		case member:
			return in.membership(s)
		}
		return in.contents(s)
	})
	if err == nil {
		err = s.end()
	}
	return in, err
}

// finish puts what was typed where it cannot be printed.
func (in *incoming) finish() {
	in.words, in.text = flows.NewWords(in.text), ""
}

// whole tells whether everything is there that an update of its kind needs.
func (in *incoming) whole() bool {
	switch {
	case in.bad || in.id <= 0:
		return false
	case in.kind == other:
		return true
	case in.kind == pressed:
		return in.query != "" && in.chat != 0
	case in.kind == member:
		return in.chat != 0
	}
	return in.chat != 0 && in.message > 0
}

func (in *incoming) integer(s *scanner, into *int64) error {
	n, ok, err := s.number()
	*into, in.bad = n, in.bad || !ok
	return err
}

func (in *incoming) string(s *scanner, most int, into *string) error {
	v, ok, err := s.text(most)
	*into, in.bad = v, in.bad || !ok
	return err
}

func (in *incoming) id64(s *scanner, into *int) error {
	var n int64
	err := in.integer(s, &n)
	*into = int(n)
	return err
}

func (in *incoming) user(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "id":
			return in.integer(s, &in.from)
		case "language_code":
			return in.string(s, 16, &in.lang)
		}
		return s.skip()
	})
}

func (in *incoming) place(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "id":
			return in.integer(s, &in.chat)
		case "type":
			var t string
			err := in.string(s, 16, &t)
			in.typed, in.private = true, t == "private"
			return err
		}
		return s.skip()
	})
}

// contents reads a message.
func (in *incoming) contents(s *scanner) error {
	if s.next() != '{' {
		in.bad = true
		return s.skip()
	}
	return s.object(func(key string) error {
		switch key {
		case "message_id":
			return in.id64(s, &in.message)
		case "date":
			return in.integer(s, &in.date)
		case "from":
			return in.user(s)
		case "chat":
			return in.place(s)
		case "text":
			return in.string(s, maxText, &in.text)
		case "caption":
			var v string
			err := in.string(s, maxText, &v)
			in.add(v)
			return err
		case "contact":
			in.media = true
			return s.object(func(key string) error {
				if key != "first_name" && key != "last_name" {
					return s.skip()
				}
				var v string
				err := in.string(s, 512, &v)
				in.add(v)
				return err
			})
		}
		switch {
		case media[key]:
			in.media = true
		case !plain[key]:
			in.service = true
		}
		return s.skip()
	})
}

// add puts words beside words: a caption, a contact's names (S10).
func (in *incoming) add(v string) {
	if in.text != "" && v != "" {
		in.text += " "
	}
	in.text = cut(in.text+v, maxText)
}

// callback reads a press.
func (in *incoming) callback(s *scanner) error {
	err := s.object(func(key string) error {
		switch key {
		case "id":
			return in.string(s, 64, &in.query)
		case "from":
			return in.user(s)
		case "data":
			return in.string(s, maxData+1, &in.data)
		case "message":
			return s.object(func(key string) error {
				switch key {
				case "message_id":
					return in.id64(s, &in.message)
				case "date":
					return in.integer(s, &in.date)
				case "chat":
					return in.place(s)
				}
				return s.skip()
			})
		}
		return s.skip()
	})
	if in.chat == 0 && !in.typed {
		// A press without a message comes from a chat with ourselves only.
		in.chat, in.private = in.from, true
	}
	in.reached = in.message > 0 && in.date > 0
	return err
}

// membership reads a change of our own place.
func (in *incoming) membership(s *scanner) error {
	return s.object(func(key string) error {
		switch key {
		case "chat":
			return in.place(s)
		case "from":
			return in.user(s)
		case "new_chat_member":
			return s.object(func(key string) error {
				if key == "status" {
					return in.string(s, 32, &in.status)
				}
				return s.skip()
			})
		}
		return s.skip()
	})
}

// media are the members of a message that say that it is something else than
// text. None of it is ever loaded (S17).
var media = set("animation", "audio", "document", "live_photo", "paid_media", "photo", "sticker", "story", "video",
	"video_note", "voice", "checklist", "contact", "dice", "game", "poll", "venue", "location", "invoice", "giveaway",
	"gift", "unique_gift", "rich_message")

// plain are the members that say nothing about what kind of message it is.
var plain = set("message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat", "sender_boost_count",
	"sender_business_bot", "sender_tag", "date", "guest_query_id", "business_connection_id", "chat", "forward_origin",
	"is_topic_message", "is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story",
	"reply_to_checklist_task_id", "reply_to_poll_option_id", "via_bot", "guest_bot_caller_user", "guest_bot_caller_chat",
	"edit_date", "has_protected_content", "is_from_offline", "is_paid_post", "media_group_id", "author_signature",
	"paid_star_count", "text", "entities", "link_preview_options", "suggested_post_info", "effect_id", "caption",
	"caption_entities", "show_caption_above_media", "has_media_spoiler", "reply_markup")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
