package bot

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"trygg/flows"
	"trygg/flows/card"
)

// answer turns effects into what a channel shows.
func (p *press) answer(s flows.Session, effects []flows.Effect, o Outcome) Answer {
	a := Answer{Outcome: o}
	if s.Schema == 0 {
		// The conversation ended: what comes next is neutral and tells nothing
		// of what was (S33).
		s = p.c.Library.New(p.u.Locale, p.input(flows.Understanding{}, s))
		s.Screen = p.c.Library.Bearing(s, p.u.At)
		effects = append(slices.Clone(effects), p.c.Library.Show(s, p.env(s))...)
	}
	if s.Locale == "" {
		s.Locale = p.u.Locale
	}
	a.Reply = Reply{Locale: s.Locale, Screen: s.Screen}
	for _, e := range effects {
		switch e := e.(type) {
		case flows.Say:
			p.say(&a.Reply, s, e)
		case flows.Toast:
			a.Reply.Toast, _ = p.c.Texts.Lookup(s.Locale, e.Message, s.Band)
		case flows.Clear:
			a.Reply.Clear = true
		}
	}
	return a
}

func (p *press) say(r *Reply, s flows.Session, say flows.Say) {
	foreign := false
	for _, id := range slices.Concat(say.Before, say.Messages) {
		b := p.bubble(s, id)
		foreign = foreign || b.Locale != ""
		r.Bubbles = append(r.Bubbles, b)
	}
	for _, l := range say.Lines {
		b := Bubble{Text: l.Text}
		if l.Locale != s.Locale {
			b.Locale, foreign = l.Locale, true
		}
		r.Bubbles = append(r.Bubbles, b)
	}
	if foreign {
		// One line in the child's own language says why the next is not (D11).
		r.Bubbles = slices.Insert(r.Bubbles, 0, p.bubble(s, "engine.fallback"))
	}
	for _, row := range say.Buttons {
		var bs []Button
		for _, b := range row {
			bs = append(bs, Button{Event: b.Event, Label: p.label(s, b)})
		}
		r.Rows = append(r.Rows, bs)
	}
	for _, e := range say.System {
		b := Button{Event: e, Label: p.label(s, flows.Button{Event: e})}
		if e == flows.Help {
			req := p.request(s, flows.None)
			b.Help = &req
		}
		r.System = append(r.System, b)
	}
	r.Typing = say.Typing
}

func (p *press) bubble(s flows.Session, id string) Bubble {
	text, tag := p.c.Texts.Lookup(s.Locale, id, s.Band)
	if tag == s.Locale {
		tag = ""
	}
	return Bubble{Text: text, Locale: tag}
}

// label is the text of a button: its own, else the one all buttons of this
// event share.
func (p *press) label(s flows.Session, b flows.Button) string {
	if b.Text != "" {
		return b.Text
	}
	own, tag := "", ""
	if b.Label != "" {
		own, tag = p.c.Texts.Lookup(s.Locale, b.Label, s.Band)
	}
	if own == "" || tag != s.Locale {
		// A shared label in the child's language beats one of its own in another.
		if shared, in := p.c.Texts.Lookup(s.Locale, "button."+b.Event, s.Band); shared != "" && (own == "" || in == s.Locale) {
			return shared
		}
	}
	return own
}

// card is the help card as a reply. It leaves the screen behind it where it
// is: Back shows that again.
func (p *press) card(r card.Request, o Outcome) Answer {
	page := p.c.Card.Page(r, p.u.At)
	if p.guessed {
		page = p.c.Card.PageBeside(r, p.u.At)
	}
	p.meter.Card(r.Level)
	reply := Reply{Locale: page.Locale, Card: true, Screen: p.u.Screen}
	add := func(texts []string, tag string) {
		if tag == page.Locale {
			tag = ""
		}
		for _, t := range texts {
			reply.Bubbles = append(reply.Bubbles, Bubble{Text: t, Locale: tag})
		}
	}
	add(page.Openings, "")
	if p.u.Chat.Channel != Telegram {
		// A page makes the numbers pressable, right where a text names them;
		// Telegram does so by itself.
		var calls []Bubble
		for _, c := range page.Emergency {
			calls = append(calls, Bubble{Text: c.Name, Number: c.Number, Dial: c.Dial})
		}
		at := slices.IndexFunc(reply.Bubbles, func(b Bubble) bool { return strings.Contains(b.Text, calls[0].Number) })
		reply.Bubbles = slices.Insert(reply.Bubbles, at+1, calls...)
	}
	if page.Beside != nil {
		add(page.Beside.Openings, page.Beside.Locale)
	}
	for _, c := range page.Contacts {
		reply.Bubbles = append(reply.Bubbles, Bubble{Text: strings.TrimSpace(c.Name + "\n" + c.Line), Number: c.Number, Dial: c.Dial, Web: c.Web, WebLabel: c.WebLabel})
	}
	add(page.After, "")
	if page.Beside != nil {
		add(page.Beside.After, page.Beside.Locale)
	}
	for i := range page.Buttons {
		b := page.Buttons[i]
		reply.Rows = append(reply.Rows, []Button{{Event: flows.Help, Label: b.Label, Help: &b.Request}})
	}
	s := flows.Session{Locale: page.Locale, Band: page.Request.Band}
	main := page.Request
	main.Part = card.Main
	for _, e := range []string{flows.Help, flows.Show, flows.Hide, flows.Erase} {
		b := Button{Event: e, Label: p.label(s, flows.Button{Event: e})}
		if e == flows.Help {
			b.Help = &main
		}
		reply.System = append(reply.System, b)
	}
	return Answer{Reply: reply, Outcome: o}
}

var frame = regexp.MustCompile(`(?m)^\t.*/([\w.-]+\.go:\d+)`)

// frames gives the file names and lines of a stack, and nothing of its values.
func frames(stack []byte) string {
	var out bytes.Buffer
	for i, m := range frame.FindAllSubmatch(stack, 12) {
		if i > 0 {
			out.WriteByte(' ')
		}
		out.Write(m[1])
	}
	return out.String()
}
