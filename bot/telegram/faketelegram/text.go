package faketelegram

import (
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of texts, counted in UTF-16 units after the entities are parsed. (The
// service counts code points in some places; the smaller allowance is the safe
// one to test against.)
const (
	maxText    = 4096
	maxCaption = 1024
)

// entity is a formatted span of a text.
type entity struct {
	Type          string `json:"type"`
	Offset        int    `json:"offset"`
	Length        int    `json:"length"`
	URL           string `json:"url,omitempty"`
	Language      string `json:"language,omitempty"`
	CustomEmojiID string `json:"custom_emoji_id,omitempty"`
}

// units counts the UTF-16 units of a text, the measure of the Bot API.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// formatted reads the text of a call as the real server stores it: entities
// parsed, control and direction characters gone, ends trimmed.
func formatted(c *call, field, entitiesField string, most int, tooLong string) (string, []entity, error) {
	text := c.args[field]
	if len(text) > 1<<15 {
		return "", nil, bad("text is too long")
	}
	if !utf8.ValidString(text) {
		return "", nil, bad("strings must be encoded in UTF-8")
	}
	var spans []entity
	switch mode := strings.ToLower(c.args["parse_mode"]); mode {
	case "", "none":
		if raw := c.args[entitiesField]; raw != "" {
			// Entities that are no JSON array are ignored by the real server.
			if err := json.Unmarshal([]byte(raw), &spans); err != nil {
				return "", nil, strict("can't parse %s: %s", entitiesField, err)
			}
		}
	case "html":
		var err error
		if text, spans, err = parseHTML(text); err != nil {
			return "", nil, err
		}
	case "markdown", "markdownv2":
		return "", nil, &apiError{code: 501, text: "Not Implemented: the local server reads parse_mode HTML and entities, not " + mode}
	default:
		return "", nil, bad("unsupported parse_mode")
	}
	total := units(text)
	for _, e := range spans {
		if e.Offset < 0 || e.Length < 0 || e.Offset > total {
			return "", nil, bad("entity begins after the end of the text at UTF-16 offset %d", e.Offset)
		}
		if e.Offset+e.Length > total {
			return "", nil, bad("entity beginning at UTF-16 offset %d ends after the end of the text at UTF-16 offset %d", e.Offset, e.Offset+e.Length)
		}
	}
	text, spans = clean(text, spans)
	if units(text) > most {
		return "", nil, bad("%s", tooLong)
	}
	return text, spans, nil
}

// clean drops what the server drops from every text, then trims it. A text
// with nothing to be seen becomes empty.
//
// A test that shows a decomposed "å" (a + U+030A) finds the ring gone: so does
// a child on the real service.
func clean(s string, spans []entity) (string, []entity) {
	var b strings.Builder
	moved := make([]int, 0, 64) // old UTF-16 offset -> new one, only with spans
	at := 0
	for _, r := range s {
		n := max(utf16.RuneLen(r), 1)
		if len(spans) > 0 {
			for range n {
				moved = append(moved, at)
			}
		}
		switch {
		case r == '\r', r >= 0x2028 && r <= 0x202E, r == 0x0333, r == 0x033F, r == 0x030A:
			continue
		case r < ' ' && r != '\n':
			r = ' '
		}
		b.WriteRune(r)
		at += n
	}
	moved = append(moved, at)
	text := strings.TrimRight(b.String(), " \n")
	lead := len(text) - len(strings.TrimLeft(text, " \n"))
	text = text[lead:]
	if blank(text) {
		return "", nil
	}
	if len(spans) == 0 {
		return text, nil
	}
	end := units(text)
	var kept []entity
	for _, e := range spans {
		from, to := moved[e.Offset]-lead, moved[e.Offset+e.Length]-lead
		from, to = max(from, 0), min(to, end)
		if from < to {
			e.Offset, e.Length = from, to-from
			kept = append(kept, e)
		}
	}
	return text, kept
}

// blank says whether a text shows nothing.
func blank(s string) bool {
	for _, r := range s {
		switch {
		case r >= 0x200B && r <= 0x200F, r == 0x202E, r == 0xFEFF, r == 0x180E, r == 0x2800, r == 0xFFFC,
			unicode.IsSpace(r), r >= 0xE0000 && r <= 0xE007F:
		default:
			return false
		}
	}
	return true
}

// tags that parse_mode HTML knows, with the entity each becomes.
var tags = map[string]string{
	"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
	"s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
	"span": "spoiler", "code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link",
	"tg-emoji": "custom_emoji",
}

// parseHTML reads parse_mode HTML with the errors of the real server.
func parseHTML(s string) (string, []entity, error) {
	type open struct {
		tag string
		e   entity
	}
	fault := func(format string, args ...any) error {
		return bad("can't parse entities: "+format, args...)
	}
	var out strings.Builder
	var stack []open
	var spans []entity
	at := 0
	for i := 0; i < len(s); {
		switch s[i] {
		case '<':
			end := strings.IndexByte(s[i:], '>')
			if end < 0 {
				return "", nil, fault("Unclosed start tag at byte offset %d", i)
			}
			inside := s[i+1 : i+end]
			if closing, ok := strings.CutPrefix(inside, "/"); ok {
				if len(stack) == 0 {
					return "", nil, fault("Unexpected end tag at byte offset %d", i)
				}
				top := stack[len(stack)-1]
				if name := strings.ToLower(strings.TrimSpace(closing)); name != "" && name != top.tag {
					return "", nil, fault("Unmatched end tag at byte offset %d, expected \"</%s>\", found \"</%s>\"", i, top.tag, name)
				}
				stack = stack[:len(stack)-1]
				if top.e.Length = at - top.e.Offset; top.e.Length > 0 {
					spans = append(spans, top.e)
				}
			} else {
				name, rest, _ := strings.Cut(inside, " ")
				name = strings.ToLower(name)
				kind, known := tags[name]
				if !known {
					return "", nil, fault("Unsupported start tag \"%s\" at byte offset %d", name, i)
				}
				e := entity{Type: kind, Offset: at}
				switch name {
				case "a":
					e.URL = attribute(rest, "href")
				case "code":
					e.Language = strings.TrimPrefix(attribute(rest, "class"), "language-")
				case "tg-emoji":
					e.CustomEmojiID = attribute(rest, "emoji-id")
				case "span":
					if attribute(rest, "class") != "tg-spoiler" {
						return "", nil, fault("Tag \"span\" must have class \"tg-spoiler\" at byte offset %d", i)
					}
				}
				stack = append(stack, open{name, e})
			}
			i += end + 1
		case '&':
			// Only the entities the server knows; any other stays as it is.
			if semi := strings.IndexByte(s[i:], ';'); semi > 0 && semi < 12 && knownEntity(s[i:i+semi+1]) {
				r := html.UnescapeString(s[i : i+semi+1])
				out.WriteString(r)
				at += units(r)
				i += semi + 1
				continue
			}
			out.WriteByte('&')
			at++
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			out.WriteRune(r)
			at += max(utf16.RuneLen(r), 1)
			i += n
		}
	}
	if len(stack) > 0 {
		return "", nil, fault("Can't find end tag corresponding to start tag \"%s\"", stack[len(stack)-1].tag)
	}
	slices.SortStableFunc(spans, func(a, b entity) int { return a.Offset - b.Offset })
	return out.String(), spans, nil
}

func knownEntity(s string) bool {
	return strings.HasPrefix(s, "&#") || slices.Contains([]string{"&lt;", "&gt;", "&amp;", "&quot;"}, s)
}

// attribute finds the value of one attribute of a tag.
func attribute(s, name string) string {
	_, rest, found := strings.Cut(s, name+"=")
	if !found || rest == "" {
		return ""
	}
	if q := rest[0]; q == '"' || q == '\'' {
		value, _, _ := strings.Cut(rest[1:], string(q))
		return html.UnescapeString(value)
	}
	value, _, _ := strings.Cut(rest, " ")
	return value
}

// commands finds the bot commands in a text a person wrote, as entities.
func commands(text string) []entity {
	var spans []entity
	at, start := 0, -1
	before := ' '
	flush := func(end int) {
		if start >= 0 && end-start > 1 && end-start <= 33+33 {
			spans = append(spans, entity{Type: "bot_command", Offset: start, Length: end - start})
		}
		start = -1
	}
	for _, r := range text {
		word := r == '_' || r == '@' || r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r))
		switch {
		case r == '/' && (unicode.IsSpace(before) || unicode.IsPunct(before) && before != '/'):
			flush(at)
			start = at
		case start >= 0 && !word:
			flush(at)
		}
		before = r
		at += max(utf16.RuneLen(r), 1)
	}
	flush(at)
	return spans
}

// keyboard is a checked inline keyboard: its rows, and the JSON that stands in
// messages and is compared by "message is not modified".
type keyboard struct {
	rows [][]Button
	raw  json.RawMessage
	// other is set for the keyboards under the text field: "keyboard",
	// "remove", "force". A message that carries one cannot be edited.
	other string
}

// Limits of keyboards. The service publishes none; these are what clients show.
const (
	maxButtons   = 100
	maxRow       = 8
	maxData      = 64
	maxKeyboard  = 10 << 10
	maxCopyText  = 256
	maxCommands  = 100
	maxStartArgs = 64
)

type wireButton struct {
	Text         string  `json:"text"`
	Icon         string  `json:"icon_custom_emoji_id,omitempty"`
	Style        string  `json:"style,omitempty"`
	URL          string  `json:"url,omitempty"`
	Data         string  `json:"callback_data,omitempty"`
	Game         rawJSON `json:"callback_game,omitempty"`
	Pay          bool    `json:"pay,omitempty"`
	SwitchInline *string `json:"switch_inline_query,omitempty"`
	SwitchChosen rawJSON `json:"switch_inline_query_chosen_chat,omitempty"`
	SwitchHere   *string `json:"switch_inline_query_current_chat,omitempty"`
	Login        rawJSON `json:"login_url,omitempty"`
	WebApp       rawJSON `json:"web_app,omitempty"`
	Copy         *struct {
		Text string `json:"text"`
	} `json:"copy_text,omitempty"`
}

type rawJSON = json.RawMessage

// markup reads reply_markup. A keyboard without buttons is no keyboard.
func markup(c *call) (*keyboard, error) {
	raw := c.args["reply_markup"]
	if raw == "" {
		return nil, nil
	}
	var m struct {
		Inline   [][]json.RawMessage `json:"inline_keyboard"`
		Keyboard [][]json.RawMessage `json:"keyboard"`
		Remove   bool                `json:"remove_keyboard"`
		Force    bool                `json:"force_reply"`
	}
	if !json.Valid([]byte(raw)) {
		return nil, bad("can't parse reply keyboard markup JSON object")
	}
	if t := strings.TrimSpace(raw); t[0] != '{' {
		return nil, bad("object expected as reply markup")
	}
	if err := json.Unmarshal([]byte(raw), &m); err != nil {
		return nil, bad("field \"inline_keyboard\" of the InlineKeyboardMarkup must be an Array of Arrays")
	}
	var rows [][]Button
	var wire [][]wireButton
	count := 0
	for _, r := range m.Inline {
		var row []Button
		var out []wireButton
		for _, b := range r {
			w, err := inlineButton(b)
			if err != nil {
				return nil, err
			}
			out = append(out, w)
			row = append(row, Button{Label: w.Text, Data: w.Data, URL: w.URL})
		}
		if len(row) == 0 {
			continue
		}
		if len(row) > maxRow {
			return nil, bad("reply markup is too long")
		}
		count += len(row)
		rows, wire = append(rows, row), append(wire, out)
	}
	switch {
	case len(m.Keyboard) > 0:
		return &keyboard{other: "keyboard"}, nil
	case count > maxButtons:
		return nil, bad("reply markup is too long")
	case count > 0:
		canonical, err := json.Marshal(map[string]any{"inline_keyboard": wire})
		if err != nil {
			return nil, fmt.Errorf("write keyboard: %w", err)
		}
		if len(canonical) > maxKeyboard {
			return nil, bad("reply markup is too long")
		}
		return &keyboard{rows: rows, raw: canonical}, nil
	case m.Remove:
		return &keyboard{other: "remove"}, nil
	case m.Force:
		return &keyboard{other: "force"}, nil
	}
	return nil, nil
}

// inlineButton reads one button in the order the real server looks at its
// fields: url, callback_data, then the rest.
func inlineButton(raw json.RawMessage) (wireButton, error) {
	fault := func(text string) error { return bad("can't parse inline keyboard button: %s", text) }
	var b wireButton
	if t := strings.TrimSpace(string(raw)); t == "" || t[0] != '{' {
		return b, fault("InlineKeyboardButton must be an Object")
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return b, fault(err.Error())
	}
	if _, ok := given["text"]; !ok {
		return b, fault("Can't find field \"text\"")
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fault("Field of the wrong type")
	}
	// The empty copy_text that the Go library sends with every button is
	// harmless beside another kind, and an error alone.
	copied := b.Copy
	b.Copy = nil
	switch {
	case b.Style != "" && !slices.Contains([]string{"danger", "primary", "success"}, b.Style):
		return b, fault("invalid button style specified")
	case b.URL != "":
		b.Data = ""
		if !strings.HasPrefix(b.URL, "https://") && !strings.HasPrefix(b.URL, "http://") && !strings.HasPrefix(b.URL, "tg://") {
			return b, bad("inline keyboard button URL '%s' is invalid: Unsupported URL protocol", b.URL)
		}
	case b.Data != "":
		if len(b.Data) > maxData {
			return b, bad("BUTTON_DATA_INVALID")
		}
	case b.Game != nil, b.Pay, b.SwitchInline != nil, b.SwitchChosen != nil, b.SwitchHere != nil, b.Login != nil, b.WebApp != nil:
	case copied != nil:
		if copied.Text == "" || units(copied.Text) > maxCopyText {
			return b, bad("BUTTON_COPY_TEXT_INVALID")
		}
		b.Copy = copied
	default:
		return b, fault("Text buttons are unallowed in the inline keyboard")
	}
	if b.Text, _ = clean(b.Text, nil); b.Text == "" {
		return b, bad("inline keyboard button text must be non-empty")
	}
	return b, nil
}
