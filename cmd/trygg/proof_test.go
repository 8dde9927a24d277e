package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"trygg/bot"
	"trygg/flows"
)

// small gives the snapshot of the small content, with files changed first.
func small(t testing.TB, change ...func(dir string)) *snapshot {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "content")
	if err := smallContent(dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(dir)
	}
	r := readContent(trees{dir: dir, alone: true})
	s := r.snapshot()
	if s == nil {
		t.Fatal(r.findings)
	}
	return s
}

// D16: help is there in all that is compiled in, and the proof says what was
// walked.
func TestProofOfHelp(t *testing.T) {
	s, problems := loadSnapshot("")
	if s == nil {
		t.Fatal(problems)
	}
	p, found := prove(context.Background(), s, proofOptions{})
	for _, f := range found {
		t.Error(f)
	}
	if !p.Holds || p.Content != s.hash {
		t.Errorf("the proof says %t of %s, want true of %s", p.Holds, p.Content, s.hash)
	}
	states, languages := 0, len(s.texts.Languages())
	for _, f := range s.library.Flows() {
		states += len(f.States)
	}
	for _, want := range []struct {
		what       string
		got, least int
	}{
		{"positions: every state in every band on every channel", p.Positions, states * 5},
		{"screens: those in every language, store up and down", p.Screens, states * languages * 2 * 2},
		{"rendered: every state in every language on every channel", p.Rendered, states * languages},
		{"walked through the channel: every state in bokmål, up and down", p.Walked, states * 2},
		{"typed: every state", p.Typed, states},
		{"places", p.Places, len(s.data.Municipalities) + 1},
	} {
		if want.got < want.least {
			t.Errorf("%s: %d, want at least %d", want.what, want.got, want.least)
		}
	}
	// It is kept as JSON with the snapshot.
	b, err := json.Marshal(p)
	var back Proof
	if err != nil || json.Unmarshal(b, &back) != nil || back != *p {
		t.Errorf("%s does not come back as it was: %v", b, err)
	}
	t.Log(p)
}

// withoutSystem is a bot whose replies lack the engine's buttons: button injection off.
type withoutSystem struct{ answerer }

func (q withoutSystem) Handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	a, err := q.answerer.Handle(ctx, u)
	if !a.Reply.Card {
		a.Reply.System = nil
	}
	return a, err
}

// eager is a bot that reads the store before it answers a cry for help.
type eager struct {
	answerer
	store bot.Chats
}

func (e eager) Handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	if _, err := e.store.Read(ctx, u.Chat, bot.Want{}); err != nil {
		return bot.Answer{Outcome: bot.Failed}, err
	}
	return e.answerer.Handle(ctx, u)
}

// careful is a bot that reads the store first, too, and lives with its being away.
type careful struct {
	answerer
	store bot.Chats
}

func (c careful) Handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	_, _ = c.store.Read(ctx, u.Chat, bot.Want{})
	return c.answerer.Handle(ctx, u)
}

// shadowed is a bot in which a flow has taken the help button for itself.
type shadowed struct{ answerer }

func (s shadowed) Handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	if u.Help != nil {
		u.Help, u.Event = nil, flows.Show
	}
	return s.answerer.Handle(ctx, u)
}

// forgetful is a bot whose card loses the answers given so far.
type forgetful struct {
	answerer
	store bot.Chats
}

func (f forgetful) Handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	a, err := f.answerer.Handle(ctx, u)
	if u.Help != nil {
		a.Reply.Screen = ""
		f.store.Erase(ctx, u.Chat)
	}
	return a, err
}

// hushed is a bot whose card does not name the children's line.
type hushed struct{ answerer }

func (h hushed) Handle(ctx context.Context, u bot.Update) (bot.Answer, error) {
	a, err := h.answerer.Handle(ctx, u)
	if a.Reply.Card {
		for i, b := range a.Reply.Bubbles {
			a.Reply.Bubbles[i].Text = strings.ReplaceAll(b.Text, "116 111", "")
			a.Reply.Bubbles[i].Number = strings.ReplaceAll(b.Number, "116 111", "")
		}
	}
	return a, err
}

// The proof finds what it must find (D16), and says where.
func TestProofCatchesItsMutants(t *testing.T) {
	s := small(t)
	if _, found := prove(context.Background(), s, proofOptions{}); len(found) > 0 {
		t.Fatal(found)
	}
	bots := func(wrap func(answerer, bot.Chats) answerer) proofOptions { return proofOptions{bot: wrap} }
	for _, tt := range []struct {
		name    string
		options proofOptions
		want    string
	}{
		{"button injection off", bots(func(b answerer, _ bot.Chats) answerer { return withoutSystem{b} }), "help is not the first of the engine's buttons"},
		{"a renderer that drops the last row", proofOptions{screen: func(s *screen) {
			if len(s.rows) > 0 {
				s.rows = s.rows[:len(s.rows)-1]
			}
		}}, "the channel leaves out the button"},
		{"a renderer that drops the help button", proofOptions{screen: func(s *screen) {
			for i, row := range s.rows {
				s.rows[i] = nil
				for _, c := range row {
					if c.event != flows.Help {
						s.rows[i] = append(s.rows[i], c)
					}
				}
			}
		}}, "the screen sent holds no help button"},
		{"a renderer that leaves out half the text", proofOptions{screen: func(s *screen) { s.text = s.text[:len(s.text)/3] }}, "what help shows does not name"},
		{"a flow that shadows help", bots(func(b answerer, _ bot.Chats) answerer { return shadowed{b} }), "the help button does not give the card"},
		{"a number removed", bots(func(b answerer, _ bot.Chats) answerer { return hushed{b} }), "does not name 116 111"},
		{"a handler that reads the store first", bots(func(b answerer, c bot.Chats) answerer { return eager{b, c} }), "store down"},
		{"a handler that reads the store first and goes on", bots(func(b answerer, c bot.Chats) answerer { return careful{b, c} }), "the store is asked before help is answered"},
		{"a card that loses the answers", bots(func(b answerer, c bot.Chats) answerer { return forgetful{b, c} }), "help changes where the child is"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, found := prove(context.Background(), s, tt.options)
			if p.Holds {
				t.Fatal("the proof holds")
			}
			for _, f := range found {
				if strings.Contains(f.Text, tt.want) {
					if f.Line == 0 {
						t.Errorf("no place is told: %s", f)
					}
					return
				}
			}
			t.Errorf("want %q, got %v", tt.want, found)
		})
	}
}

// The same mutants as edits of content, which is how they would come: the check
// refuses each.
func TestProofMutantsInContent(t *testing.T) {
	for _, tt := range []struct {
		name, file, was, is, want string
	}{
		{"a flow that shadows help", "flows/tell.yaml", "[[teacher]", "[[teacher, help]", "this name belongs to the engine"},
		{"a flow that leads to help itself", "flows/tell.yaml", "go: {leave: done}", "go: {leave: done, teacher: help/}", "its button stands on every screen by itself"},
		{"the number of the police removed from the card", "locales/en/card.yaml", "{{.number_112}}", "the police", "lacks {{.number_112}}"},
		{"the number of the children's line removed", "data/contacts.yaml", "    phone: \"116 111\"\n", "", "needs a fallback"},
		{"the label of help removed", "locales/nn/active.yaml", "button.help: Hjelp no\n", "", `the safety text "button.help" is missing`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "content")
			if err := smallContent(dir); err != nil {
				t.Fatal(err)
			}
			replace(t, filepath.Join(dir, tt.file), tt.was, tt.is)
			for _, f := range checkAll(t, trees{dir: dir, alone: true}) {
				if strings.Contains(f.Text, tt.want) && f.Level != Note {
					return
				}
			}
			t.Errorf("want %q, which is not found", tt.want)
		})
	}
}
