package telegram

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"trygg/bot"
)

// show brings one answer to the phone: it edits the live message, or sends a new
// one and takes the old one away. It may be called again after an error and goes
// on where it was.
func (c *Channel) show(ctx context.Context, l *lane, j *job) (bot.Sent, error) {
	if j.clear != nil {
		return c.clear(ctx, l, j)
	}
	reply := c.off(j.a.Reply, j.a.Chat.Session)
	if len(reply.Bubbles) == 0 {
		return bot.Sent{}, nil // a toast alone
	}
	before := j.before
	if j.fails >= 3 {
		// It took long: one line says so (F50).
		before = append([]string{c.text(reply.Locale, "telegram.late")}, before...)
	}
	screens := render(reply, before...)

	l.mu.Lock()
	target := j.edit
	if target != 0 && target == l.gone {
		target = l.live // what was pressed on was replaced meanwhile
	}
	l.mu.Unlock()
	lost := 0
	if target != 0 && !j.below && !j.a.Chat.Session.Fresh && len(screens) == 1 {
		err := c.api.edit(ctx, l.chat, target, screens[0])
		if errors.Is(err, errGone) {
			lost = target
			if target, err = c.instead(ctx, j, target); err == nil && target != 0 {
				err = c.api.edit(ctx, l.chat, target, screens[0])
			}
		}
		switch {
		case errors.Is(err, errOvertaken):
			return bot.Sent{Removed: []int{lost}}, nil
		case errors.Is(err, errRefused):
			return c.plainly(ctx, l, screens[0])
		case err != nil && !errors.Is(err, errGone):
			return bot.Sent{}, err
		case err == nil && target != 0:
			return l.edited(target, lost, j), nil
		}
	}
	return c.fresh(ctx, l, j, reply, before, lost)
}

// edited notes that a message is the live one. The store is only told what it
// does not know yet, so that an ordinary press costs it nothing.
func (l *lane) edited(message, lost int, j *job) bot.Sent {
	l.mu.Lock()
	defer l.mu.Unlock()
	started := j.a.Chat.Session.StartedAt
	known := l.live == message && !started.IsZero() && l.since.Equal(started) && j.committed() && lost == 0
	l.live, l.since = message, started
	if known {
		return bot.Sent{}
	}
	s := bot.Sent{Live: message}
	if lost != 0 {
		s.Removed = []int{lost}
	}
	return s
}

// instead finds the message to edit when the one that was pressed on is gone:
// another one of ours, when the conversation went on in that; 0 = none (F57).
// errOvertaken: something newer is shown already.
func (c *Channel) instead(ctx context.Context, j *job, gone int) (int, error) {
	ctx, done := context.WithTimeout(ctx, bot.StoreBudget)
	defer done()
	now, err := c.o.Store.Read(ctx, j.u.Chat, bot.Want{Traces: true})
	if err != nil {
		return 0, nil
	}
	if s := now.Session; s.Schema != 0 && s.Screen != j.a.Reply.Screen && j.committed() {
		return 0, errOvertaken
	}
	if now.Traces.Live == gone {
		return 0, nil
	}
	return now.Traces.Live, nil
}

// fresh sends a new message and takes the old live one away. It begins with a
// neutral line, since its first words may show on a locked screen (S29).
func (c *Channel) fresh(ctx context.Context, l *lane, j *job, reply bot.Reply, before []string, lost int) (bot.Sent, error) {
	screens := render(reply, append([]string{c.text(reply.Locale, "telegram.lead")}, before...)...)
	var sent bot.Sent
	for _, s := range screens {
		id, err := c.api.message(ctx, l.chat, s)
		if errors.Is(err, errRefused) {
			return c.plainly(ctx, l, s)
		}
		if err != nil {
			l.mu.Lock()
			l.stray = append(l.stray, sent.Added...) // half an answer; the next try sends all of it
			l.mu.Unlock()
			return bot.Sent{}, err
		}
		sent.Added, sent.Live = append(sent.Added, id), id
	}
	l.mu.Lock()
	var old []int
	for _, id := range append([]int{j.a.Chat.Traces.Live, l.live, j.edit}, l.stray...) {
		if id != 0 && id != lost && !slices.Contains(sent.Added, id) && !slices.Contains(old, id) {
			old = append(old, id)
		}
	}
	l.gone, l.live, l.since, l.stray = l.live, sent.Live, j.a.Chat.Session.StartedAt, nil
	if j.edit != 0 {
		l.gone = j.edit
	}
	l.mu.Unlock()
	if lost != 0 {
		sent.Removed = append(sent.Removed, lost)
	}
	if len(old) == 0 {
		return sent, nil
	}
	switch err := c.api.remove(ctx, l.chat, old[:min(len(old), 100)]...); {
	case err == nil:
		sent.Removed = append(sent.Removed, old...)
	case errors.Is(err, errTransient):
		l.mu.Lock()
		l.stray = old
		l.mu.Unlock()
	}
	// What cannot be taken back stays on the hide list and grows too old there.
	return sent, nil
}

// plainly sends what was refused with help as its only button, and if that is
// refused too, without any: a child never meets silence.
func (c *Channel) plainly(ctx context.Context, l *lane, m Message) (bot.Sent, error) {
	c.o.Meter.Alarm("refused")
	rows := m.Rows
	m.Rows = nil
	for _, row := range rows {
		for _, k := range row {
			if strings.HasPrefix(k.Data, helpMark) {
				m.Rows = [][]Key{{k}} // the last one is the engine's
			}
		}
	}
	id, err := c.api.message(ctx, l.chat, m)
	if errors.Is(err, errRefused) {
		m.Rows = nil
		id, err = c.api.message(ctx, l.chat, m)
	}
	if err != nil {
		return bot.Sent{}, err
	}
	l.mu.Lock()
	l.live, l.since = id, time.Time{}
	l.mu.Unlock()
	return bot.Sent{Live: id, Added: []int{id}}, nil
}

// clearing is hiding, erasing or tidying a chat, as far as it got (S30, S31).
type clearing struct {
	traces bot.Traces
	typed  bool      // by a command: there is no press to answer
	erase  bool      // nothing is kept about it afterwards
	alive  bool      // the conversation goes on: its live message is left alone
	before time.Time // only what came until then; zero = all

	begun   bool
	known   []int // all that are looked at, also those that stay
	keep    int   // the message that becomes the neutral start; 0 = none
	edited  bool
	line    string // what stands above the start
	work    [][]int
	removed []int
	stays   int
}

const (
	batchSize = 100
	// margin keeps clear of messages that Telegram counts as too old just now.
	margin = time.Minute
)

// clear makes the live message the neutral start first, since that is what
// shows, and then takes everything else away, the newest first. What it did is
// written down after each batch, so that whoever comes after a crash goes on
// there (F103).
func (c *Channel) clear(ctx context.Context, l *lane, j *job) (bot.Sent, error) {
	cl, reply := j.clear, j.a.Reply
	cl.begin(l, j, c.o.Now())
	if cl.typed {
		cl.line = reply.Toast
	}
	if cl.keep != 0 && !cl.edited && !cl.alive {
		if err := c.start(ctx, l, j); err != nil {
			return bot.Sent{}, err
		}
	}
	for len(cl.work) > 0 {
		batch := cl.work[0]
		err := c.api.remove(ctx, l.chat, batch...)
		switch {
		case err == nil:
			cl.removed = append(cl.removed, batch...)
		case errors.Is(err, errUndeletable) && len(batch) > 1:
			// One of them is too old, and nothing was deleted: halve until it is found.
			half := len(batch) / 2
			cl.work = slices.Insert(cl.work, 1, batch[:half], batch[half:])
		case errors.Is(err, errUndeletable), errors.Is(err, errRefused):
			cl.stays += len(batch)
		default:
			return bot.Sent{}, err
		}
		cl.work = cl.work[1:]
		if err == nil && len(cl.work) > 0 {
			c.progress(ctx, j.u.Chat, cl.removed)
		}
	}
	j.toast = reply.Toast
	if cl.stays > 0 {
		j.toast = c.text(reply.Locale, "telegram.stays")
	} else if j.toast == "" {
		j.toast = c.text(reply.Locale, "engine.hidden")
	}
	if cl.typed && cl.stays > 0 && cl.line != j.toast {
		cl.line, cl.edited = j.toast, false
	}
	sent := bot.Sent{Removed: cl.removed}
	if cl.typed && cl.line != "" && !cl.edited && !cl.alive {
		if cl.keep != 0 {
			if err := c.start(ctx, l, j); err != nil {
				return bot.Sent{}, err
			}
		}
		if cl.keep == 0 {
			id, err := c.api.message(ctx, l.chat, c.neutral(reply, c.text(reply.Locale, "telegram.lead"), cl.line))
			if err != nil {
				return bot.Sent{}, err
			}
			cl.keep, cl.edited, sent.Added = id, true, []int{id}
		}
	}
	if cl.erase {
		sent = cl.forgotten()
	}
	if !cl.alive {
		if !cl.erase {
			sent.Live = cl.keep
		}
		l.mu.Lock()
		l.live, l.since, l.gone, l.stray = cl.keep, time.Time{}, 0, nil
		l.mu.Unlock()
	}
	return sent, nil
}

// forgotten takes all that was there off the hide list, whether it could be
// removed or not (S38).
func (cl *clearing) forgotten() bot.Sent { return bot.Sent{Removed: cl.known} }

// begin decides what stays and what goes, once.
func (cl *clearing) begin(l *lane, j *job, now time.Time) {
	if cl.begun {
		return
	}
	cl.begun = true
	l.mu.Lock()
	defer l.mu.Unlock()
	live := cl.traces.Live
	if live == 0 {
		live = l.live
	}
	cl.keep = j.edit
	if cl.keep == 0 {
		cl.keep = live
	}
	var ids []int
	add := func(id int) {
		if id != 0 && id != cl.keep && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	add(j.u.Message)
	for _, m := range slices.Backward(cl.traces.Messages) {
		if !cl.before.IsZero() && m.At.After(cl.before) {
			continue
		}
		cl.known = append(cl.known, m.ID)
		switch {
		case m.ID == cl.keep:
		case now.Sub(m.At) > bot.Removable-margin:
			cl.stays++
		default:
			add(m.ID)
		}
	}
	add(live)
	if live != 0 {
		cl.known = append(cl.known, live)
	}
	for _, id := range l.stray {
		add(id)
	}
	cl.work = slices.Collect(slices.Chunk(ids, batchSize))
}

// start edits the live message to the neutral start; when it is gone, none is.
func (c *Channel) start(ctx context.Context, l *lane, j *job) error {
	cl := j.clear
	err := c.api.edit(ctx, l.chat, cl.keep, c.neutral(j.a.Reply, cl.line))
	switch {
	case errors.Is(err, errGone):
		cl.removed = append(cl.removed, cl.keep)
		cl.keep = 0
	case errors.Is(err, errRefused):
		// Better gone than standing there.
		cl.work = append(cl.work, []int{cl.keep})
		cl.keep = 0
	case err != nil:
		return err
	}
	cl.edited = cl.keep != 0
	return nil
}

func (c *Channel) neutral(reply bot.Reply, before ...string) Message {
	s := render(reply, before...)
	return s[len(s)-1]
}

// progress takes what is gone off the hide list.
func (c *Channel) progress(ctx context.Context, chat bot.ChatID, removed []int) {
	ctx, done := context.WithTimeout(ctx, bot.StoreBudget)
	defer done()
	for range 5 {
		now, err := c.o.Store.Read(ctx, chat, bot.Want{Traces: true})
		if err != nil {
			return
		}
		t := now.Traces.Without(removed...)
		if err := c.o.Store.Shown(ctx, chat, bot.EntryID{}, now.Version, &t); !errors.Is(err, bot.ErrConflict) {
			return
		}
	}
}
