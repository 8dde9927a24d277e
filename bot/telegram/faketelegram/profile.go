package faketelegram

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// profile is what a bot says about itself, by language; "" is the default.
type profile struct {
	texts    map[string]map[string]string // name, description, short_description -> language -> text
	commands map[string][]Command         // by scope and language
	menu     map[string]rawJSON           // by chat, "" = default
}

// Command is one entry of a bot's command list.
type Command struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

func newProfile(p Profile) profile {
	return profile{
		texts:    map[string]map[string]string{"name": {"": p.Name}, "description": {}, "short_description": {}},
		commands: map[string][]Command{},
		menu:     map[string]rawJSON{},
	}
}

// language checks a language code: two small letters, or none.
func language(c *call) (string, error) {
	l := c.args["language_code"]
	if l == "" || len(l) == 2 && l[0] >= 'a' && l[0] <= 'z' && l[1] >= 'a' && l[1] <= 'z' {
		return l, nil
	}
	return "", bad("invalid language code specified")
}

// setText sets the name, description or short description in one language.
func setText(field string, most int) func(*Bot, *call) (any, error) {
	return func(b *Bot, c *call) (any, error) {
		lang, err := language(c)
		if err != nil {
			return nil, err
		}
		text := strings.TrimSpace(c.args[field])
		if utf8.RuneCountInString(text) > most {
			return nil, bad("%s is too long", strings.ReplaceAll(field, "_", " "))
		}
		if text == "" {
			if field == "name" && lang == "" {
				return true, nil // the name itself stays
			}
			delete(b.profile.texts[field], lang)
			return true, nil
		}
		b.profile.texts[field][lang] = text
		return true, nil
	}
}

func getText(field string) func(*Bot, *call) (any, error) {
	return func(b *Bot, c *call) (any, error) {
		lang, err := language(c)
		if err != nil {
			return nil, err
		}
		return map[string]string{field: b.profile.text(field, lang)}, nil
	}
}

func (p *profile) text(field, lang string) string {
	if t, ok := p.texts[field][lang]; ok {
		return t
	}
	return p.texts[field][""]
}

// Name is the bot's name as a phone in a language shows it; Description what
// stands in an empty chat; ShortDescription what stands on its profile.
func (b *Bot) Name(lang string) string             { return b.shown("name", lang) }
func (b *Bot) Description(lang string) string      { return b.shown("description", lang) }
func (b *Bot) ShortDescription(lang string) string { return b.shown("short_description", lang) }

func (b *Bot) shown(field, lang string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.profile.text(field, lang)
}

// scopeKey reads a scope and gives the key its commands are kept under.
func scopeKey(c *call) (string, error) {
	fault := func(text string) (string, error) { return "", bad("can't parse BotCommandScope: %s", text) }
	raw := c.args["scope"]
	if raw == "" {
		return "default", nil
	}
	var s struct {
		Type string          `json:"type"`
		Chat json.RawMessage `json:"chat_id"`
		User int64           `json:"user_id"`
	}
	if !json.Valid([]byte(raw)) {
		return "", bad("can't parse BotCommandScope JSON object")
	}
	if json.Unmarshal([]byte(raw), &s) != nil {
		return fault("BotCommandScope must be an Object")
	}
	chat := strings.Trim(string(s.Chat), `"`)
	switch s.Type {
	case "default", "all_private_chats", "all_group_chats", "all_chat_administrators":
		return s.Type, nil
	case "chat", "chat_administrators", "chat_member":
		if chat == "" {
			return fault("Can't find field \"chat_id\"")
		}
		if s.Type == "chat_member" {
			if s.User <= 0 {
				return fault("Invalid user_id specified")
			}
			chat += "/" + strconv.FormatInt(s.User, 10)
		}
		return s.Type + " " + chat, nil
	case "":
		return fault("Can't find field \"type\"")
	}
	return fault("Unsupported type specified")
}

func (b *Bot) setMyCommands(c *call) (any, error) {
	if c.args["commands"] == "" {
		return nil, strict("setMyCommands without commands deletes the list: use deleteMyCommands")
	}
	var list []map[string]json.RawMessage
	if !json.Valid([]byte(c.args["commands"])) {
		return nil, bad("can't parse commands JSON object")
	}
	if json.Unmarshal([]byte(c.args["commands"]), &list) != nil {
		return nil, bad("expected an Array of BotCommand")
	}
	if len(list) > maxCommands {
		return nil, bad("BOT_COMMANDS_TOO_MUCH")
	}
	var out []Command
	for _, given := range list {
		var cmd Command
		for field, into := range map[string]*string{"command": &cmd.Command, "description": &cmd.Description} {
			raw, ok := given[field]
			if !ok {
				return nil, bad("can't parse BotCommand: Can't find field \"%s\"", field)
			}
			if json.Unmarshal(raw, into) != nil {
				return nil, bad("can't parse BotCommand: Field \"%s\" must be of type String", field)
			}
		}
		cmd.Command = strings.TrimPrefix(strings.TrimSpace(cmd.Command), "/")
		cmd.Description = strings.TrimSpace(cmd.Description)
		switch {
		case cmd.Command == "":
			return nil, bad("command must be non-empty")
		case utf8.RuneCountInString(cmd.Command) > 32:
			return nil, bad("command length must not exceed 32")
		case cmd.Description == "":
			return nil, bad("command description must be non-empty")
		case utf8.RuneCountInString(cmd.Description) > 256:
			return nil, bad("command description length must not exceed 256")
		case strings.Trim(cmd.Command, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
			return nil, bad("BOT_COMMAND_INVALID")
		}
		out = append(out, cmd)
	}
	key, err := commandsKey(c)
	if err != nil {
		return nil, err
	}
	b.profile.commands[key] = out
	return true, nil
}

func (b *Bot) getMyCommands(c *call) (any, error) {
	key, err := commandsKey(c)
	if err != nil {
		return nil, err
	}
	if list := b.profile.commands[key]; list != nil {
		return list, nil
	}
	return []Command{}, nil
}

func (b *Bot) deleteMyCommands(c *call) (any, error) {
	key, err := commandsKey(c)
	if err != nil {
		return nil, err
	}
	delete(b.profile.commands, key)
	return true, nil
}

func commandsKey(c *call) (string, error) {
	scope, err := scopeKey(c)
	if err != nil {
		return "", err
	}
	lang, err := language(c)
	return scope + "\n" + lang, err
}

// Commands is the command list a person with this language sees in a private
// chat: the first that is set, in the order the service looks.
func (b *Bot) Commands(lang string) []Command {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range []string{"all_private_chats\n" + lang, "all_private_chats\n", "default\n" + lang, "default\n"} {
		if list := b.profile.commands[key]; len(list) > 0 {
			return list
		}
	}
	return nil
}

func (b *Bot) setChatMenuButton(c *call) (any, error) {
	raw := c.args["menu_button"]
	if raw == "" {
		raw = `{"type":"default"}`
	}
	var m struct {
		Type   string          `json:"type"`
		Text   string          `json:"text"`
		WebApp json.RawMessage `json:"web_app"`
	}
	if !json.Valid([]byte(raw)) {
		return nil, bad("can't parse menu button JSON object")
	}
	if json.Unmarshal([]byte(raw), &m) != nil {
		return nil, bad("can't parse menu button: MenuButton must be an Object")
	}
	switch {
	case m.Type == "default", m.Type == "commands":
	case m.Type == "web_app" && m.Text != "" && m.WebApp != nil:
	case m.Type == "web_app":
		return nil, bad("can't parse menu button: Can't find field \"text\"")
	default:
		return nil, bad("can't parse menu button: MenuButton has unsupported type")
	}
	if c.args["chat_id"] != "" {
		if _, err := b.reach(c, false); err != nil {
			return nil, err
		}
	}
	b.profile.menu[c.args["chat_id"]] = rawJSON(raw)
	return true, nil
}

func (b *Bot) getChatMenuButton(c *call) (any, error) {
	for _, chat := range []string{c.args["chat_id"], ""} {
		if m := b.profile.menu[chat]; m != nil {
			return m, nil
		}
	}
	return rawJSON(`{"type":"default"}`), nil
}
