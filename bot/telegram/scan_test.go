package telegram

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
)

// What the scanner takes for JSON is JSON, but for the inside of numbers; what is
// JSON it takes, down to the limit.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"update_id":1,"message":{"message_id":2,"from":{"id":3,"language_code":"nb"},"chat":{"id":3,"type":"private"},"date":4,"text":"hei \ud83d\ude42"}}`,
		`{"update_id":1,"callback_query":{"id":"9","from":{"id":3},"message":{"message_id":2,"date":0,"chat":{"id":3,"type":"private"}},"data":"A|b"}}`,
		`{"update_id":1,"my_chat_member":{"chat":{"id":-3,"type":"group"},"new_chat_member":{"status":"member"}}}`,
		`{"update_id":1e3,"message":[]}`, `{"message":{"contact":{"first_name":"a"}}}`, `[`, `{}`, ` null `, `{"a":"\u12"}`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := decode(body)
		if words := in.words.Read(); !utf8.ValidString(words) || len(words) > maxText {
			t.Errorf("words of %d bytes, valid: %v", len(words), utf8.ValidString(words))
		}
		if len(in.data) > maxData+1 || len(in.lang) > 16 || len(in.status) > 32 {
			t.Errorf("a field is too long")
		}
		var v map[string]any
		if json.Unmarshal(body, &v) == nil && v != nil && err != nil && err != errDeep {
			t.Errorf("JSON was refused: %v", err)
		}
		_ = in.whole()
		name, _, _ := parseCommand(in.words.Read())
		if len(name) > 128 {
			t.Errorf("a command of %d bytes", len(name))
		}
	})
}

// A batch is split where its updates end, whatever is in them.
func TestItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.SampledFrom([]string{
			`{"update_id":1}`, `{"a":[1,{"b":"]}\""}]}`, strings.Repeat(`{"a":`, 500) + `1` + strings.Repeat(`}`, 500), `"x"`, `12`, `null`, `[]`, `{"a":"\\"}`,
		}), 0, 20).Draw(t, "updates")
		got, err := items([]byte("[" + strings.Join(want, rapid.SampledFrom([]string{",", " , ", ",\n"}).Draw(t, "comma")) + "]"))
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d of %d, %v", len(got), len(want), err)
		}
		for i := range got {
			if string(got[i]) != want[i] {
				t.Fatalf("%q, want %q", got[i], want[i])
			}
		}
	})
}

// Callback data fits, and comes back as it went out.
func TestData(t *testing.T) {
	var e events
	content := &bot.Content{Library: &flows.Library{}}
	screens := rapid.SampledFrom([]string{"", "ABCDEFGHIJ", "~nb.1.0301.k3x9q.t5m2a0", "~nb.4.0301.1z141z4.t5m2a0aa"})
	rapid.Check(t, func(t *rapid.T) {
		screen := screens.Draw(t, "screen")
		event := rapid.StringMatching(`[a-z][a-z0-9_]{0,31}`).Draw(t, "event")
		if event == flows.Typed || event == flows.Idle {
			return
		}
		data := pressData(screen, event)
		p := e.parse(content, data, "nb")
		if len(data) > maxData {
			t.Fatalf("%d bytes: %s", len(data), data)
		}
		if strings.Contains(data, hashMark) {
			return // found again only when the content knows it
		}
		if p.event != event || p.screen != screen || p.help != nil {
			t.Fatalf("%s came back as %+v", data, p)
		}
		r := card.Request{Locale: "nb", Band: "10-12", Tenant: "0301", Area: "04", Level: flows.Acute, Part: card.Main}
		h := e.parse(content, helpData(r, screen), "nb")
		if h.help == nil || *h.help != r || h.screen != "" && h.screen != screen || len(helpData(r, screen)) > maxData {
			t.Fatalf("%s came back as %+v", helpData(r, screen), h)
		}
	})
}

func FuzzData(f *testing.F) {
	for _, s := range []string{"ABCDEFGHIJ|next", "h.nb....0.|ABCDEFGHIJ", "d:12", "~nb.1.0301.k3x9q.t5m2a0|next", "|show", "x|#abc"} {
		f.Add(s)
	}
	var e events
	content := &bot.Content{Library: &flows.Library{}}
	f.Fuzz(func(t *testing.T, data string) {
		p := e.parse(content, data, "nb")
		if len(p.event) > maxData || len(p.screen) > maxData || p.remove < 0 {
			t.Errorf("%q gave %+v", data, p)
		}
		if p.event == flows.Typed || p.event == flows.Idle {
			t.Errorf("%q is no press", data)
		}
	})
}

// However long a reply, its messages fit, and the last one has help (S1).
func TestRenderFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := bot.Reply{Locale: "nb", Screen: "ABCDEFGHIJ", System: []bot.Button{{Event: flows.Help, Label: "Hjelp nå", Help: &card.Request{Locale: "nb"}}, {Event: flows.Hide, Label: "Skjul"}}}
		for range rapid.IntRange(0, 12).Draw(t, "bubbles") {
			r.Bubbles = append(r.Bubbles, bot.Bubble{Text: strings.Repeat(rapid.SampledFrom([]string{"a", "æøå ", "🙂", "ord og ord\n"}).Draw(t, "text"), rapid.IntRange(0, 3000).Draw(t, "length"))})
		}
		for range rapid.IntRange(0, 150).Draw(t, "rows") {
			r.Rows = append(r.Rows, []bot.Button{{Event: "a", Label: "Oslo"}, {Event: "b", Label: "Et navn på mer enn tjue tegn"}})
		}
		out := render(r)
		for i, s := range out {
			if units(s.Text) > maxMessage || strings.TrimSpace(s.Text) == "" {
				t.Fatalf("message %d of %d has %d units", i, len(out), units(s.Text))
			}
			if i < len(out)-1 && len(s.Rows) > 0 {
				t.Fatalf("buttons on message %d of %d", i, len(out))
			}
		}
		keys := out[len(out)-1].Rows
		if count(keys) > maxKeys {
			t.Fatalf("%d buttons", count(keys))
		}
		for _, row := range keys {
			for _, k := range row {
				if strings.HasPrefix(k.Data, helpMark) {
					return
				}
			}
		}
		t.Fatal("no help")
	})
}
