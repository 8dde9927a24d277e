package telegram

import (
	"strings"
	"unicode/utf8"

	"github.com/go-telegram/bot/models"

	"trygg/bot"
	"trygg/flows"
)

// Limits of a message.
const (
	maxMessage = 4096 // UTF-16 units
	maxKeys    = 100  // buttons of a keyboard
	maxNotice  = 200  // UTF-16 units of the answer to a press
	wide       = 20   // characters of a label that may share its row
)

var noPreview = func() *models.LinkPreviewOptions {
	yes := true
	return &models.LinkPreviewOptions{IsDisabled: &yes}
}()

// Message is what stands in the chat: plain text, and rows of buttons under it.
type Message struct {
	Text string
	Rows [][]Key
}

// Key is one button; Data or URL is set.
type Key struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`
}

// Render shows a reply as the channel does, for checks that walk through the
// conversations (D16). It is nearly always one message; the last has the buttons.
func Render(r bot.Reply) []Message { return render(r) }

// Press fills in what a button's data says, as a press on it does.
func Press(c *bot.Content, u bot.Update, data string) bot.Update {
	p := new(events).parse(c, data, u.Locale)
	u.Event, u.Screen, u.Help = p.event, p.screen, p.help
	return u
}

// render makes a message of a reply: bubbles as plain text without any markup,
// so that nothing in them can mean something else (S54, F65), and the buttons
// under it, help always among them. A reply too long for one message comes back
// in several; the last one has the buttons.
func render(r bot.Reply, before ...string) []Message {
	var blocks []string
	for _, b := range before {
		if b != "" {
			blocks = append(blocks, b)
		}
	}
	for _, b := range r.Bubbles {
		if text := bubble(b, r.Locale); text != "" {
			blocks = append(blocks, text)
		}
	}
	if len(blocks) == 0 {
		blocks = []string{"…"} // a message cannot be empty
	}
	var out []Message
	text := ""
	for _, b := range blocks {
		for units(b) > maxMessage {
			head := wrap(b, maxMessage)
			b = strings.TrimSpace(b[len(head):])
			if text != "" {
				out = append(out, Message{Text: text})
			}
			out, text = append(out, Message{Text: strings.TrimSpace(head)}), ""
		}
		switch {
		case text == "":
			text = b
		case units(text)+2+units(b) > maxMessage:
			out, text = append(out, Message{Text: text}), b
		default:
			text += "\n\n" + b
		}
	}
	return append(out, Message{Text: text, Rows: keys(r)})
}

// bubble is one bubble as text. A number stands in a line of its own, where
// phones make it pressable; in a text written from the right a mark keeps its
// groups in order (S68).
func bubble(b bot.Bubble, locale string) string {
	text := strings.TrimSpace(b.Text)
	if b.Number != "" && !strings.Contains(text, b.Number) {
		mark := ""
		if locale == "ar" || b.Locale == "ar" {
			mark = "\u200e"
		}
		text += "\n" + mark + b.Number
	}
	return text
}

// keys lays the buttons out: the author's, the addresses of the card, and last
// the engine's with help first and alone (S1). When there are too many, it is
// the author's that are left out.
func keys(r bot.Reply) [][]Key {
	var own, links [][]Key
	for _, row := range r.Rows {
		var line []Key
		for _, b := range row {
			line = append(line, keyOf(b, r.Screen))
		}
		own = append(own, pack(line)...)
	}
	for _, b := range r.Bubbles {
		if strings.HasPrefix(b.Web, "https://") {
			label := b.WebLabel
			if label == "" {
				label = strings.TrimPrefix(b.Web, "https://")
			}
			links = append(links, []Key{{Text: label, URL: b.Web}})
		}
	}
	system := system(r)
	left := maxKeys - count(links) - count(system)
	for i, row := range own {
		if left -= len(row); left < 0 {
			own = own[:i]
			break
		}
	}
	return append(append(own, links...), system...)
}

// groups are the engine's buttons that go together in a row.
var groups = [][]string{{flows.Help}, {flows.Show}, {flows.Back, flows.Home}, {flows.Language, flows.Hide}, {flows.Erase, flows.Privacy, flows.Restart}}

func system(r bot.Reply) [][]Key {
	var out [][]Key
	done := map[string]bool{}
	for _, g := range groups {
		var line []Key
		for _, e := range g {
			for _, b := range r.System {
				if b.Event == e && !done[e] {
					done[e] = true
					line = append(line, keyOf(b, r.Screen))
				}
			}
		}
		out = append(out, pack(line)...)
	}
	for _, b := range r.System {
		if !done[b.Event] {
			out = append(out, []Key{keyOf(b, r.Screen)})
		}
	}
	return out
}

func keyOf(b bot.Button, screen string) Key {
	if b.Label == "" {
		// Telegram would refuse the whole message for it.
		b.Label = "…"
	}
	if b.Help != nil {
		return Key{Text: b.Label, Data: helpData(*b.Help, screen)}
	}
	if strings.HasPrefix(b.Event, removeMark) {
		return Key{Text: b.Label, Data: b.Event}
	}
	return Key{Text: b.Label, Data: pressData(screen, b.Event)}
}

// pack breaks a row where its labels would be cut on a small phone: two of at
// most 20 characters stand beside each other, three of 12.
func pack(line []Key) [][]Key {
	var out [][]Key
	for len(line) > 0 {
		n := min(len(line), 3)
		for ; n > 1; n-- {
			longest := 0
			for _, k := range line[:n] {
				longest = max(longest, utf8.RuneCountInString(k.Text))
			}
			if n == 2 && longest <= wide || n == 3 && longest <= 12 {
				break
			}
		}
		out = append(out, line[:n])
		line = line[n:]
	}
	return out
}

func count(rows [][]Key) int {
	n := 0
	for _, r := range rows {
		n += len(r)
	}
	return n
}

// units counts as Telegram does.
func units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// wrap gives the beginning of a text that fits, ending at a space if there is
// one not too far back.
func wrap(s string, most int) string {
	n, end, space := 0, len(s), 0
	for i, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
		if n > most {
			end = i
			break
		}
		if r == ' ' || r == '\n' {
			space = i
		}
	}
	if end < len(s) && space > end/2 {
		end = space
	}
	return s[:end]
}

// notice is a text short enough to answer a press with.
func notice(s string) string { return wrap(s, maxNotice) }

// off is shown instead of the child part where a municipality has switched it
// off on Telegram: help, the professional part, the way to the web (D15).
func (c *Channel) off(r bot.Reply, s flows.Session) bot.Reply {
	if r.Card || len(r.Bubbles) == 0 || c.o.ChildOff == nil {
		return r
	}
	tenant := s.Tenant
	if tenant == "" {
		tenant = c.o.Tenant
	}
	lib := c.content().Library
	if !c.o.ChildOff(tenant) || s.Schema != 0 && lib.For(s) == flows.ForProfessional {
		return r
	}
	place := s.Place
	if s.Schema == 0 {
		place = lib.Start()
	}
	if lib.Everybodys(place) {
		return r
	}
	r.Bubbles = []bot.Bubble{{Text: c.text(r.Locale, "telegram.off"), Web: c.o.WebURL, WebLabel: c.text(r.Locale, "telegram.off.web")}}
	var rows [][]bot.Button
	for _, row := range r.Rows {
		for _, b := range row {
			if c.professional(place, b.Event) {
				rows = append(rows, []bot.Button{b})
			}
		}
	}
	r.Rows = rows
	var system []bot.Button
	for _, b := range r.System {
		switch b.Event {
		case flows.Help, flows.Back, flows.Language, flows.Hide, flows.Erase, flows.Privacy:
			system = append(system, b)
		}
	}
	r.System, r.Typing = system, false
	return r
}

// professional tells whether an event of a state leads to a flow for
// professionals.
func (c *Channel) professional(at flows.Place, event string) bool {
	whom := map[string]string{}
	for _, f := range c.content().Library.Flows() {
		whom[f.Name] = f.For
	}
	for _, f := range c.content().Library.Flows() {
		if f.Name != at.Flow {
			continue
		}
		for _, s := range f.States {
			if s.Name != at.State {
				continue
			}
			for _, e := range s.Go {
				if e.Event == event {
					return e.Target.Call && whom[e.Target.Flow] == flows.ForProfessional
				}
			}
		}
	}
	return false
}
