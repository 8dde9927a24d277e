package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/bot/webchat"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/flows/crisis"
)

// stopTime is how long stopping may take in all (F21).
const stopTime = 10 * time.Second

type serveCmd struct {
	Watch bool `help:"Take changed content of TRYGG_CONTENT_DIR at once, and say what is wrong with it; for authors."`
}

func (c serveCmd) Run(ctx context.Context, out io.Writer, cfg Config) error {
	if err := errors.Join(cfg.serveFaults(), cfg.telegramFaults()); err != nil {
		return err
	}
	s, err := newService(ctx, cfg, out, os.Stderr, func(s *service) {
		if !c.Watch {
			s.prove = (*snapshot).prove
		}
	})
	if err != nil {
		return err
	}
	if c.Watch {
		if cfg.ContentDir == "" {
			s.state.Close()
			return errors.New("--watch: needs TRYGG_CONTENT_DIR, the folder to watch")
		}
		s.watch = time.NewTicker(time.Second).C
	}
	return s.run(ctx, out)
}

// service is the running program.
type service struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	state   *state
	bot     *bot.Bot
	web     *webchat.Site
	desk    http.Handler // the pages for professionals; nil = none
	crisis  *crisis.Reader

	telegram []*telegram.Channel
	watch    <-chan time.Time // when to look whether content changed; nil = never
	// prove proves help for content before it is published, on so many processors
	// (0 = all); nil = it is published without.
	prove func(s *snapshot, ctx context.Context, workers int) (*Proof, findings)

	// where it listens, once ready is closed
	webAddr, adminAddr string
	ready              chan struct{}

	reloading sync.Mutex // one at a time

	mu   sync.Mutex
	snap *snapshot
}

// newService wires the parts together. It starts nothing that has to be stopped
// but the store.
func newService(ctx context.Context, cfg Config, out, logs io.Writer, change ...func(*service)) (*service, error) {
	s := &service{cfg: cfg, metrics: newMetrics(), ready: make(chan struct{})}
	s.log = slog.New(newAllowList(slog.NewJSONHandler(&logWriter{logs, s.metrics.logDrops}, nil)))
	for _, c := range change {
		c(s)
	}
	snap, err := s.first(ctx, out)
	if err != nil {
		return nil, err
	}
	s.snap = snap
	if s.crisis, err = crisisReader(); err != nil {
		return nil, fmt.Errorf("crisis words: %w", err)
	}
	if s.state, err = openState(ctx, cfg, out); err != nil {
		return nil, err
	}
	s.bot = bot.New(bot.Options{
		Content: snap.content(cfg.DraftLangs), Chats: s.state.chats,
		Reader: s.reader(), Meter: s.metrics, Log: s.log,
	})
	var langs []webchat.Locale
	for _, l := range snap.texts.Languages() {
		if l.Always || cfg.DraftLangs {
			langs = append(langs, webchat.Locale{Tag: l.Tag, Name: l.Name, RTL: l.RTL, Alias: l.Alias})
		}
	}
	s.web, err = webchat.New(webchat.Options{
		Handler: s.bot, Texts: snap.texts, Locales: langs, ParseHelp: card.ParseRequest,
		Hosts:  cfg.hosts(),
		Poster: s.poster, ExitTo: cfg.ExitURL, NewChatsPerMinute: cfg.NewChats,
		Count: func(e webchat.Event) { s.metrics.web.WithLabelValues(string(e)).Inc() },
	})
	if err != nil {
		s.state.Close()
		return nil, err
	}
	if s.desk, err = s.pages(); err != nil {
		s.state.Close()
		return nil, err
	}
	if s.telegram, err = s.channels(); err != nil {
		s.state.Close()
		return nil, err
	}
	s.metrics.gauge("trygg_store_degraded", "1 while the store is away or refuses writes.", func() float64 {
		if s.state.Degraded() {
			return 1
		}
		return 0
	})
	s.metrics.gauge("trygg_content_proved", "1 when help was proved for the content that runs.", func() float64 {
		if s.current().proof != nil {
			return 1
		}
		return 0
	})
	s.metrics.gauge("trygg_outbox_entries", "Screens written and not yet shown.", s.state.outboxLength)
	return s, nil
}

// run serves until ctx ends, then stops in reverse: takes no more updates,
// finishes those under way, and closes the store.
func (s *service) run(ctx context.Context, out io.Writer) error {
	defer s.state.Close()
	web, err := net.Listen("tcp", s.cfg.Addr)
	if err != nil {
		return fmt.Errorf("TRYGG_ADDR: %w", err)
	}
	admin, err := net.Listen("tcp", s.cfg.AdminAddr)
	if err != nil {
		web.Close()
		return fmt.Errorf("TRYGG_ADMIN_ADDR: %w", err)
	}
	local, err := s.listenLocal()
	if err != nil {
		web.Close()
		admin.Close()
		return err
	}
	servers := []*http.Server{
		{Handler: s.public(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: quiet()},
		{Handler: s.admin(), ReadHeaderTimeout: 5 * time.Second, ErrorLog: quiet()},
		{Handler: s.local(), ReadHeaderTimeout: 5 * time.Second, ErrorLog: quiet()},
	}
	failed := make(chan error, len(servers))
	var running sync.WaitGroup
	for i, l := range []net.Listener{web, admin, local} {
		running.Go(func() {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	running.Go(func() { s.housekeeping(work) })
	seen := stampOf(s.cfg.ContentDir)
	running.Go(func() { s.reloads(work, out, seen) })
	running.Go(func() {
		s.kept(out, s.current())
		s.proveLater(work, out)
	})
	chatting, stopChatting := context.WithCancel(work)
	var channels sync.WaitGroup
	for _, c := range s.telegram {
		channels.Go(func() { c.Run(chatting) })
	}
	s.webAddr, s.adminAddr = web.Addr().String(), admin.Addr().String()
	s.welcome(out, s.webAddr, s.adminAddr)
	close(s.ready)
	debug.FreeOSMemory() // what reading the content took is not needed any more

	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopping, done := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer done()
	stopChatting()
	for _, srv := range servers {
		err = errors.Join(err, srv.Shutdown(stopping))
	}
	channels.Wait()
	s.bot.RetryNotes(stopping)
	s.bot.RetryErasures(stopping)
	stopWork()
	running.Wait()
	return err
}

// housekeeping does what could not be done at once, until ctx ends.
func (s *service) housekeeping(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.state.Degraded() {
			s.bot.RetryNotes(ctx)
			s.bot.RetryErasures(ctx)
		}
		s.bot.Sweep()
		if n%6 == 0 {
			s.state.countOutbox(ctx)
		}
	}
}

// reloads swaps the content in when the operator asks for it (SIGHUP), or when
// a watched folder changed. Bad content changes nothing and is told (F62).
func (s *service) reloads(ctx context.Context, out io.Writer, seen string) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.watch:
			now := stampOf(s.cfg.ContentDir)
			if now == seen {
				continue
			}
			seen = now
		case <-hup:
		}
		if errs := s.reload(ctx, out); ctx.Err() != nil {
			return
		} else if len(errs) > 0 {
			fmt.Fprintf(out, "Content:   %d %s, the content that runs goes on\n%v\n", len(errs), plural(len(errs), "problem", "problems"), errors.Join(errs...))
		} else {
			fmt.Fprintf(out, "Content:   %s\n", s.current().hash)
		}
	}
}

// stampOf changes when a file of a folder does.
func stampOf(dir string) string {
	var b strings.Builder
	if dir != "" {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			if info, err := d.Info(); err == nil {
				fmt.Fprintln(&b, path, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return b.String()
}

// reload publishes the content anew, or says why not. Children come first: the
// proof takes one processor only.
func (s *service) reload(ctx context.Context, out io.Writer) []error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	snap, errs := s.load(ctx, out, 1)
	if len(errs) > 0 {
		s.metrics.reloads.WithLabelValues("refused").Inc()
		s.log.Error("reload", "event", "reload", "outcome", "refused")
		return errs
	}
	s.mu.Lock()
	s.snap = snap
	s.mu.Unlock()
	s.bot.Publish(snap.content(s.cfg.DraftLangs))
	s.metrics.reloads.WithLabelValues("taken").Inc()
	s.log.Info("reload", "event", "reload", "outcome", "taken")
	s.kept(out, snap)
	return nil
}

func (s *service) reader() readers {
	return readers{s.crisis, func() *data.Data { return s.current().data }}
}

func (s *service) current() *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap
}

// poster gives the municipality of a poster's path: its number.
func (s *service) poster(id string) (tenant string, ok bool) {
	m, ok := s.current().data.Municipality(id)
	return m.Number, ok
}

// welcome says where the chat is and what is off.
func (s *service) welcome(out io.Writer, web, admin string) {
	fmt.Fprintf(out, "Chat:      http://%s/\n", web)
	fmt.Fprintf(out, "Health:    http://%s/healthz, metrics on /metrics\n", admin)
	if s.cfg.Trial {
		fmt.Fprintf(out, "Trial:     no keys and no Redis are set. Only this machine reaches it, and what it keeps is in %s with keys beside it.\n", s.cfg.DataDir)
	}
	for _, line := range s.state.warnings {
		fmt.Fprintln(out, "Store:    ", line)
	}
	if len(s.telegram) == 0 {
		fmt.Fprintln(out, "Off:       Telegram (TRYGG_TELEGRAM_TOKEN is not set)")
	}
	for _, c := range s.telegram {
		how := "polling"
		if c.Path() != "" {
			how = "webhook on " + c.Path()
		}
		fmt.Fprintf(out, "Telegram:  bot %s, %s\n", c.Bot(), how)
	}
	if s.cfg.DraftLangs {
		fmt.Fprintln(out, "Languages: drafts that no native reader has approved are offered, too")
	}
	fmt.Fprintf(out, "Content:   %s\n", s.current().hash)
}

// healthCmd is `trygg health`.
type healthCmd struct{}

func (healthCmd) Run(ctx context.Context, out io.Writer, cfg Config) error {
	ctx, done := context.WithTimeout(ctx, 3*time.Second)
	defer done()
	_, port, _ := net.SplitHostPort(cfg.AdminAddr)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("127.0.0.1", port)+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return errors.New("no answer: trygg is not running, or TRYGG_ADMIN_ADDR is another")
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	fmt.Fprintf(out, "%s", b)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not healthy: %s", resp.Status)
	}
	return nil
}
