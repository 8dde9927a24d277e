package telegram

import (
	"hash/fnv"
	"strconv"
	"strings"
	"sync/atomic"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
)

// commands are what a child may type at any time, with the event each stands
// for. Telegram lists only those of menu.
var commands = map[string]string{
	"start": flows.Restart,
	"hjelp": flows.Help, "help": flows.Help, "sos": flows.Help,
	"skjul": flows.Hide, "hide": flows.Hide,
	"slett": flows.Erase, "delete": flows.Erase,
	"privacy": flows.Privacy, "personvern": flows.Privacy,
	"sprak": flows.Language, "språk": flows.Language, "language": flows.Language,
}

// menu is the list Telegram shows, in this order (S28).
var menu = []string{"start", "hjelp", "skjul", "slett", "privacy"}

// parseCommand reads "/name@bot argument". The name is in small letters; false:
// it is no command, but typed words. Nothing is taken from Telegram's own
// offsets, which count in other units and may be forged (tech sheet 1.5).
func parseCommand(text string) (name, argument string, ok bool) {
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return "", "", false
	}
	head := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\u00a0' }); i >= 0 {
		head, argument = rest[:i], strings.TrimSpace(rest[i:])
	}
	name, _, _ = strings.Cut(head, "@")
	if name == "" || len(name) > 32 {
		return "", "", false
	}
	return strings.ToLower(name), argument, true
}

// link gives the municipality a deep link names: m0301 a municipality, anything
// else a poster. What is not known is a plain start (S52).
func (c *Channel) link(payload string) (tenant string, ok bool) {
	if payload == "" || len(payload) > maxData || strings.Trim(payload, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "", false
	}
	if number, is := strings.CutPrefix(payload, "m"); is && len(number) == 4 && strings.Trim(number, "0123456789") == "" {
		return number, c.o.Tenants != nil && c.o.Tenants(number)
	}
	if c.o.Poster == nil {
		return "", false
	}
	return c.o.Poster(payload)
}

// What a button carries, at most 64 bytes of ASCII:
//
//	h.nb.10-12.0301..0.           the help card, as card.Request writes it,
//	h.nb.10-12.0301..0.|SCREEN    with the screen it leaves in place where that fits
//	SCREEN|event                  a choice on a screen
//	SCREEN|#hash                  the same, where the event's name is too long
//	d:1234                        take this message out of the chat
//
// It is hostile input when it comes back (S52).

const (
	helpMark   = "h."
	removeMark = "d:"
	hashMark   = "#"
)

func helpData(r card.Request, screen string) string {
	s := r.String()
	if screen != "" && len(s)+1+len(screen) <= maxData {
		s += "|" + screen
	}
	return s
}

func pressData(screen, event string) string {
	if len(screen)+1+len(event) > maxData {
		event = hashMark + hashOf(event)
	}
	return screen + "|" + event
}

func removeData(message int) string { return removeMark + strconv.Itoa(message) }

// hashOf is a short name for an event, the same on every replica.
func hashOf(event string) string {
	h := fnv.New64a()
	h.Write([]byte(event))
	return strconv.FormatUint(h.Sum64(), 36)
}

// press is what a button said.
type press struct {
	event, screen string
	help          *card.Request
	remove        int
}

// parse reads callback data back. What is not ours gives the zero press,
// which shows the present screen again (F41, F42). A damaged help button is
// still a help button.
func (e *events) parse(c *bot.Content, data, locale string) press {
	if len(data) > maxData || !isASCII(data) {
		return press{}
	}
	if strings.HasPrefix(data, helpMark) {
		form, screen, _ := strings.Cut(data, "|")
		r, ok := card.ParseRequest(form)
		if !ok {
			r = card.Request{Locale: locale}
		}
		if !isScreen(screen) {
			screen = ""
		}
		return press{event: flows.Help, screen: screen, help: &r}
	}
	if id, is := strings.CutPrefix(data, removeMark); is {
		n, err := strconv.ParseInt(id, 10, 32)
		if err != nil || n <= 0 {
			return press{}
		}
		return press{remove: int(n)}
	}
	screen, event, ok := strings.Cut(data, "|")
	if !ok || screen != "" && !isScreen(screen) {
		return press{}
	}
	if hash, is := strings.CutPrefix(event, hashMark); is {
		event = e.find(c, hash)
	}
	if !isEvent(event) || event == flows.Typed || event == flows.Idle {
		return press{}
	}
	return press{event: event, screen: screen}
}

const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

func isScreen(s string) bool {
	return s != "" && len(s) <= maxData && strings.Trim(strings.TrimPrefix(s, "~"), nameLetters) == ""
}

func isEvent(s string) bool {
	return s != "" && len(s) <= maxData && strings.Trim(s, nameLetters) == ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// events knows the long event names of the content that is published.
type events struct{ known atomic.Pointer[knownEvents] }

type knownEvents struct {
	of     *bot.Content
	byHash map[string]string
}

func (e *events) find(c *bot.Content, hash string) string {
	k := e.known.Load()
	if k == nil || k.of != c {
		k = &knownEvents{of: c, byHash: map[string]string{}}
		for _, f := range c.Library.Flows() {
			for _, s := range f.States {
				for _, edge := range s.Go {
					k.byHash[hashOf(edge.Event)] = edge.Event
				}
				for _, row := range s.Rows {
					for _, choice := range row {
						k.byHash[hashOf(choice.Event)] = choice.Event
					}
				}
			}
		}
		for _, t := range c.Library.Topics() {
			k.byHash[hashOf(flows.Topic+t)] = flows.Topic + t
		}
		e.known.Store(k)
	}
	return k.byHash[hash]
}
