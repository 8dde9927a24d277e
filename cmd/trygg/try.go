package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/content/data"
)

// tryCmd is `trygg try`: the same conversations, texts, readers and card as a
// child meets, in a terminal. Nothing of it is kept.
type tryCmd struct {
	Content string    `help:"Folder with content; left out: TRYGG_CONTENT_DIR, else what is compiled in."`
	Lang    string    `help:"Language of the chat: nb, nn, en, se, uk, pl, ar, so." default:"nb"`
	Band    string    `help:"Age band: 6-9, 10-12, 13-15, 16-18; left out: not said."`
	Channel string    `help:"Channel: web or telegram." enum:"web,telegram" default:"web"`
	Tenant  string    `help:"Municipality number, e.g. 0301; left out: none."`
	At      string    `help:"Begin in this state instead of the first screen." placeholder:"FLOW/STATE"`
	Clock   time.Time `help:"Pretend it is this time, for what is open on the card." format:"2006-01-02T15:04" placeholder:"2026-12-24T23:00"`
	Record  string    `help:"Write the conversation to this file as a transcript." placeholder:"FILE"`
	Replay  string    `help:"Run a transcript, or all of a folder, instead of asking; with --record of the same name they are written anew as they went." placeholder:"FILE"`
}

func (c *tryCmd) Run(ctx context.Context, out io.Writer, cfg Config) error {
	dir := c.Content
	if dir == "" {
		dir = cfg.ContentDir
	}
	if dir != "" {
		if err := folder(dir); err != nil {
			return err
		}
	}
	s, problems := loadSnapshot(dir)
	if s == nil {
		for _, p := range problems {
			fmt.Fprintln(out, p)
		}
		return fmt.Errorf("the content has %d problems", len(problems))
	}
	if c.Replay != "" {
		return c.replay(out, s)
	}
	terminal := false
	if info, err := os.Stdin.Stat(); err == nil {
		terminal = info.Mode()&os.ModeCharDevice != 0
	}
	t, err := c.begin(s, cfg.DraftLangs)
	if err != nil {
		return err
	}
	t.out, t.terminal = out, terminal
	if err := t.chat(ctx, os.Stdin); err != nil {
		return err
	}
	if c.Record == "" {
		return nil
	}
	return t.write(c.Record)
}

// trial is one conversation in a terminal.
type trial struct {
	snap     *snapshot
	reader   readers
	bot      *bot.Bot
	store    *onlyChat
	update   bot.Update // what every update of this chat has in common
	clock    func() time.Time
	out      io.Writer
	terminal bool // somebody sits there; else the lines come from a file or a pipe

	reply  bot.Reply
	script []string // the > lines of the transcript
}

// begin makes a bot that remembers one chat for as long as it runs.
func (c *tryCmd) begin(s *snapshot, drafts bool) (*trial, error) {
	reader, err := crisisReader()
	if err != nil {
		return nil, fmt.Errorf("crisis words: %w", err)
	}
	t := &trial{snap: s, reader: readers{reader, func() *data.Data { return s.data }}, out: io.Discard}
	began, from := time.Now(), c.Clock
	if from.IsZero() {
		from = began
	} else if oslo, err := time.LoadLocation("Europe/Oslo"); err == nil {
		from = time.Date(from.Year(), from.Month(), from.Day(), from.Hour(), from.Minute(), 0, 0, oslo)
	}
	t.clock = func() time.Time { return from.Add(time.Since(began)) }

	content := s.content(drafts)
	session := s.library.New(c.Lang, flows.Input{Next: "first", At: t.clock()})
	options := []string{"start"}
	option := func(name, value string) {
		if value != "" {
			options = append(options, name+"="+value)
		}
	}
	switch _, known := s.data.Municipality(c.Tenant); {
	case !content.Locales[c.Lang]:
		return nil, fmt.Errorf("--lang: %q is not a language that is offered", c.Lang)
	case c.Band != "" && !slices.Contains(flows.Bands, c.Band):
		return nil, fmt.Errorf("--band: want %s, got %q", strings.Join(flows.Bands, ", "), c.Band)
	case c.Tenant != "" && !known:
		return nil, fmt.Errorf("--tenant: %q is not a municipality of the data", c.Tenant)
	}
	if c.At != "" {
		place, ok := find(s.library, c.At)
		if !ok {
			return nil, fmt.Errorf("--at: %q is not a state: want flow/state", c.At)
		}
		session.Place = place
	}
	session.Band, session.Tenant = c.Band, c.Tenant
	option("band", c.Band)
	option("channel", c.Channel)
	if c.Lang != "nb" {
		option("locale", c.Lang)
	}
	option("tenant", c.Tenant)
	option("at", c.At)
	for name, on := range content.Switches(c.Tenant) {
		if on {
			option("switch", name)
		}
	}
	slices.Sort(options[1:])
	t.script = []string{"> " + strings.Join(options, " ")}
	t.update = bot.Update{Chat: bot.ChatID{Channel: c.Channel, Bot: "try", User: "try"}, Locale: c.Lang}
	t.store = &onlyChat{chat: bot.Chat{Session: session, Version: bot.Version{Session: 1}}}
	t.bot = bot.New(bot.Options{Content: content, Chats: t.store, Reader: t.reader, Now: t.clock})
	return t, nil
}

// find gives the place that flow/state, or a flow alone, names.
func find(l *flows.Library, name string) (flows.Place, bool) {
	flow, state, _ := strings.Cut(name, "/")
	for _, f := range l.Flows() {
		for _, s := range f.States {
			if f.Name == flow && (s.Name == state || state == "" && s.Name == f.Start) {
				return flows.Place{Flow: flow, State: s.Name}, true
			}
		}
	}
	return flows.Place{}, false
}

// handle gives an update to the bot and shows its answer.
func (t *trial) handle(ctx context.Context, u bot.Update) error {
	a, err := t.bot.Handle(ctx, u)
	if err != nil {
		return err
	}
	t.reply = a.Reply
	t.show()
	return nil
}

const howToTry = `A number presses that button. /name presses the button of that name (/help, /back, /home ...). /quit ends.
Anything else is what the child types. Nothing is kept.
`

// chat goes on until the lines end.
func (t *trial) chat(ctx context.Context, in io.Reader) error {
	fmt.Fprint(t.out, howToTry)
	u := t.update
	u.Event = flows.Show
	if err := t.handle(ctx, u); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for n := 1; ; n++ {
		fmt.Fprint(t.out, "> ")
		if !lines.Scan() {
			fmt.Fprintln(t.out)
			return lines.Err()
		}
		line := strings.TrimSpace(lines.Text())
		if !t.terminal {
			fmt.Fprintln(t.out, line)
		}
		if line == "/quit" {
			return nil
		}
		if line == "" || !t.terminal && strings.HasPrefix(line, "#") {
			continue
		}
		u, err := t.read(line)
		if err != nil {
			if !t.terminal {
				return fmt.Errorf("line %d: %w", n, err)
			}
			fmt.Fprintln(t.out, err)
			continue
		}
		if err := t.handle(ctx, u); err != nil {
			return err
		}
	}
}

// slashes are the names of buttons as Telegram's commands have them.
var slashes = map[string]string{"hjelp": flows.Help, "skjul": flows.Hide, "slett": flows.Erase, "start": flows.Restart, "språk": flows.Language}

// read turns a line into an update, and into a line of the transcript.
func (t *trial) read(line string) (bot.Update, error) {
	u := t.update
	u.At = t.clock()
	all := t.buttons()
	press := func(b bot.Button) (bot.Update, error) {
		u.Event, u.Help, u.Screen = b.Event, b.Help, t.reply.Screen
		// Inside the card there is nothing to press that a transcript knows.
		if b.Help == nil || !t.reply.Card {
			t.script = append(t.script, "> "+b.Event)
		}
		return u, nil
	}
	if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(all) {
		return press(all[n-1])
	}
	if name, ok := strings.CutPrefix(line, "/"); ok {
		if event := slashes[name]; event != "" {
			name = event
		}
		// The engine's own first: every help button of the card has that event.
		for _, b := range slices.Concat(t.reply.System, slices.Concat(t.reply.Rows...)) {
			if b.Event == name {
				return press(b)
			}
		}
		var names []string
		for _, b := range all {
			if !slices.Contains(names, "/"+b.Event) {
				names = append(names, "/"+b.Event)
			}
		}
		return u, fmt.Errorf("no button /%s here: there are %s", name, strings.Join(names, " "))
	}
	u.Words = flows.NewWords(line)
	t.script = append(t.script, `> "`+line+`"`)
	return u, nil
}

// buttons are all that can be pressed, in the order of their numbers.
func (t *trial) buttons() []bot.Button {
	return slices.Concat(slices.Concat(t.reply.Rows...), t.reply.System)
}

// show writes the reply as a screen.
func (t *trial) show() {
	head := t.store.chat.Session.Place.String()
	switch {
	case t.reply.Card:
		head = "help card"
	case t.store.chat.Session.Schema == 0: // it ended; what is shown is the start
		head = t.snap.library.Start().String()
	}
	fmt.Fprintf(t.out, "\n── %s %s\n\n", head, strings.Repeat("─", max(2, 60-len(head))))
	if t.reply.Clear {
		fmt.Fprint(t.out, "  (What can be taken off the screen is taken off.)\n\n")
	}
	if t.reply.Toast != "" {
		fmt.Fprintf(t.out, "  (%s)\n\n", t.reply.Toast)
	}
	for _, b := range t.reply.Bubbles {
		text := b.Text
		for _, s := range []string{b.Number, b.Web} {
			if s != "" {
				text += "\n" + s
			}
		}
		for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
			for _, l := range fold(line, 74) {
				fmt.Fprintf(t.out, "  %s\n", l)
			}
		}
		fmt.Fprintln(t.out)
	}
	n := 0
	for _, row := range t.reply.Rows {
		for _, b := range row {
			n++
			fmt.Fprintf(t.out, "  %2d  %s\n", n, b.Label)
		}
	}
	line := "     "
	for _, b := range t.reply.System {
		n++
		item := fmt.Sprintf("  %d %s", n, b.Label)
		if utf8.RuneCountInString(line+item) > 78 {
			fmt.Fprintln(t.out, line)
			line = "     "
		}
		line += item
	}
	fmt.Fprintf(t.out, "%s\n\n", line)
	if t.reply.Typing {
		fmt.Fprint(t.out, "  (This screen asks for typed words.)\n\n")
	}
}

// fold breaks a line between words.
func fold(s string, wide int) []string {
	var lines []string
	line := ""
	for w := range strings.FieldsSeq(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > wide {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + w)
	}
	return append(lines, line)
}

// write makes the transcript of what was done and lets the engine fill in what
// came of it. It is made to be read and kept by its author, so typed words stand
// in it: this is the one place they do, and only on request.
func (t *trial) write(file string) error {
	script, err := t.snap.library.Replay([]byte("# What happens here, in one sentence.\n"+strings.Join(t.script, "\n")+"\n"), t.snap.reads(t.reader))
	if err != nil {
		return err
	}
	if err := writeFile(file, script); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "The transcript is in %s\n", file)
	return nil
}

// replay runs one transcript and prints it, or all of a folder.
func (c *tryCmd) replay(out io.Writer, s *snapshot) error {
	t, err := c.begin(s, true)
	if err != nil {
		return err
	}
	info, err := os.Stat(c.Replay)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return c.replayFolder(out, t)
	}
	script, err := os.ReadFile(c.Replay)
	if err != nil {
		return err
	}
	went, err := s.library.Replay(script, s.reads(t.reader))
	if err != nil {
		return fmt.Errorf("%s: %w", c.Replay, err)
	}
	if c.Record != "" {
		if err := writeFile(c.Record, went); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is written as it went\n", c.Record)
		return nil
	}
	out.Write(went)
	if p, same := otherwise(c.Replay, script, went); !same {
		return errors.New(p.String())
	}
	return nil
}

func (c *tryCmd) replayFolder(out io.Writer, t *trial) error {
	problems := replayAll(t.snap, os.DirFS(c.Replay))
	switch {
	case c.Record != "" && c.Record != c.Replay:
		return errors.New("--record: a folder is written anew in its own place: give the same folder twice")
	case c.Record != "":
		for _, p := range problems {
			file := filepath.Join(c.Replay, filepath.FromSlash(p.File))
			script, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			went, err := t.snap.library.Replay(script, t.snap.reads(t.reader))
			if err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if err := writeFile(file, went); err != nil {
				return err
			}
			fmt.Fprintf(out, "%s is written as it went\n", file)
		}
		return nil
	}
	for _, p := range problems {
		fmt.Fprintln(out, p)
	}
	if n := len(problems); n > 0 {
		return fmt.Errorf("%d %s otherwise than written", n, plural(n, "transcript goes", "transcripts go"))
	}
	files, err := filepath.Glob(filepath.Join(c.Replay, "*", "*.txt"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no transcripts in %s: want <flow>/<name>.txt", c.Replay)
	}
	fmt.Fprintf(out, "%d %s as written\n", len(files), plural(len(files), "transcript goes", "transcripts go"))
	return nil
}

// replayAll runs every transcript of a folder, <flow>/<name>.txt, and says where
// one goes otherwise than it was written.
func replayAll(s *snapshot, fsys fs.FS) []flows.Problem {
	files, _ := fs.Glob(fsys, "*/*.txt")
	if len(files) == 0 {
		return nil
	}
	reader, err := crisisReader()
	if err != nil {
		return []flows.Problem{{File: ".", Text: "crisis words: " + err.Error()}}
	}
	read := s.reads(readers{reader, func() *data.Data { return s.data }})
	var problems []flows.Problem
	for _, file := range files {
		script, err := fs.ReadFile(fsys, file)
		if err != nil {
			problems = append(problems, flows.Problem{File: file, Text: "cannot be read: " + err.Error()})
			continue
		}
		went, err := s.library.Replay(script, read)
		if err != nil {
			problems = append(problems, flows.Problem{File: file, Text: err.Error()})
			continue
		}
		if p, same := otherwise(file, script, went); !same {
			problems = append(problems, p)
		}
	}
	return problems
}

// otherwise finds the first line where a transcript went another way.
func otherwise(file string, script, went []byte) (flows.Problem, bool) {
	was, is := strings.Split(strings.TrimSpace(string(script)), "\n"), strings.Split(strings.TrimSpace(string(went)), "\n")
	for i := range max(len(was), len(is)) {
		want, got := "nothing", "nothing"
		if i < len(was) {
			want = strings.TrimRight(was[i], " \t\r")
		}
		if i < len(is) {
			got = is[i]
		}
		if want != got {
			return flows.Problem{File: file, Line: i + 1, Text: fmt.Sprintf(
				"the transcript goes otherwise here: written %q, went %q: mend the conversation, or when this is what you want, write it anew with trygg try --replay FILE --record FILE", want, got)}, false
		}
	}
	return flows.Problem{}, true
}

// onlyChat is the store of one trial: one chat, in memory, for one person at a
// time.
type onlyChat struct{ chat bot.Chat }

var _ bot.Chats = (*onlyChat)(nil)

func (o *onlyChat) Read(context.Context, bot.ChatID, bot.Want) (bot.Chat, error) { return o.chat, nil }

func (o *onlyChat) Commit(_ context.Context, c bot.Change) (bot.Version, bot.EntryID, error) {
	if c.Version.Session != o.chat.Version.Session {
		return bot.Version{}, bot.EntryID{}, bot.ErrConflict
	}
	o.chat.Session = c.Session
	o.chat.Version.Session++
	if c.End {
		o.chat = bot.Chat{}
	}
	return o.chat.Version, bot.EntryID{}, nil
}

func (o *onlyChat) Erase(context.Context, bot.ChatID) error {
	o.chat = bot.Chat{}
	return nil
}
