package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"trygg/bot/telegram"
	"trygg/bot/telegram/faketelegram"
	"trygg/flows/content/data"
	"trygg/store"
)

// telegramBot is one bot: its token, and the municipality it belongs to ("" =
// none, D15).
type telegramBot struct {
	token  telegram.Token
	tenant string
}

// telegramConfig are the TRYGG_TELEGRAM_ settings.
type telegramConfig struct {
	Bots    []telegramBot
	API     string
	Webhook string // base address of webhooks; "" = polling
	Secret  telegram.Secret
}

// hosts are the names Telegram may call us by: the webhook's, and those of this
// machine (F79).
func (t telegramConfig) hosts() []string {
	u, err := url.Parse(t.Webhook)
	if err != nil {
		return nil
	}
	return []string{strings.ToLower(u.Hostname()), "localhost", "127.0.0.1", "::1"}
}

var telegramSettings = []setting{
	{name: "TRYGG_TELEGRAM_TOKEN", secret: true, help: "token of one bot", set: func(c *Config, v string) error {
		t, err := telegram.ParseToken(v)
		if err == nil {
			c.Telegram.Bots = append(c.Telegram.Bots, telegramBot{token: t})
		}
		return err
	}},
	{name: "TRYGG_TELEGRAM_BOTS_FILE", help: "file with several bots: a municipality number (or -) and a token a line", set: func(c *Config, v string) error {
		bots, err := loadBots(v)
		c.Telegram.Bots = append(c.Telegram.Bots, bots...)
		return err
	}},
	{name: "TRYGG_TELEGRAM_API", help: "base address of the Bot API server; empty = Telegram's own", set: func(c *Config, v string) error {
		c.Telegram.API = strings.TrimSuffix(v, "/")
		if !strings.HasPrefix(v, "https://") && !loopbackURL(v) {
			return fmt.Errorf("want an https:// address, or http:// on this machine, got %q", v)
		}
		return nil
	}},
	{name: "TRYGG_TELEGRAM_WEBHOOK_URL", help: "address Telegram sends updates to; its path is served at TRYGG_ADDR; empty = polling", set: func(c *Config, v string) error {
		c.Telegram.Webhook = strings.TrimSuffix(v, "/")
		if !strings.HasPrefix(v, "https://") && !loopbackURL(v) {
			return fmt.Errorf("want an https:// address, or http:// on this machine, got %q", v)
		}
		return nil
	}},
	{name: "TRYGG_TELEGRAM_WEBHOOK_SECRET", secret: true, help: "32 to 256 random letters, digits, _ and -", set: func(c *Config, v string) (err error) {
		c.Telegram.Secret, err = telegram.ParseSecret(v)
		return err
	}},
}

func init() { settings = append(settings, telegramSettings...) }

func loopbackURL(v string) bool {
	rest, ok := strings.CutPrefix(v, "http://")
	host, _, _ := strings.Cut(rest, "/")
	if !strings.Contains(host, ":") {
		host += ":80"
	}
	return ok && loopback(host)
}

// loadBots reads a file of bots. It holds tokens, so only its owner may read it.
func loadBots(file string) ([]telegramBot, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others: chmod 600", file)
	}
	var bots []telegramBot
	var faults []error
	seen := map[string]bool{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) != 2 || words[0] != "-" && len(words[0]) != 4 {
			faults = append(faults, fmt.Errorf("line %d: want a municipality number (or -) and a token", n))
			continue
		}
		t, err := telegram.ParseToken(words[1])
		if err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		if seen[t.ID()] {
			faults = append(faults, fmt.Errorf("line %d: this bot stands twice", n))
			continue
		}
		seen[t.ID()] = true
		bots = append(bots, telegramBot{token: t, tenant: strings.TrimPrefix(words[0], "-")})
	}
	return bots, errors.Join(append(faults, lines.Err())...)
}

// telegramFaults says what stands against serving Telegram with these settings.
func (c Config) telegramFaults() error {
	var faults []error
	t := c.Telegram
	if t.Webhook != "" && t.Secret == (telegram.Secret{}) {
		faults = append(faults, errors.New("TRYGG_TELEGRAM_WEBHOOK_SECRET: is needed with TRYGG_TELEGRAM_WEBHOOK_URL"))
	}
	if len(t.Bots) > 0 && c.Trial && !loopbackURL(t.API) {
		faults = append(faults, errors.New("TRYGG_TELEGRAM_TOKEN: a trial speaks to a local Bot API server only (TRYGG_TELEGRAM_API); for Telegram itself make keys with `trygg keys new FILE`"))
	}
	return errors.Join(faults...)
}

// channels makes a Telegram channel for every bot.
func (s *service) channels() ([]*telegram.Channel, error) {
	t := s.cfg.Telegram
	var all []*telegram.Channel
	for _, b := range t.Bots {
		if b.tenant != "" && !s.snap.library.Lists(b.tenant) {
			return nil, fmt.Errorf("TRYGG_TELEGRAM_BOTS_FILE: %s is not a municipality of this content", b.tenant)
		}
		o := telegram.Options{
			Token: b.token, API: t.API, Tenant: b.tenant, WebURL: s.cfg.WebURL,
			Bot: s.bot, Store: s.state.chats, Reader: s.reader(),
			Pick:     func(tag string) (string, bool) { return s.current().texts.Pick(tag) },
			Tenants:  func(number string) bool { return s.current().library.Lists(number) },
			Poster:   s.poster,
			ChildOff: func(tenant string) bool { return childOff(s.current().data, tenant) },
			Buckets:  store.Buckets{Store: s.state.Breaker, Rate: 30},
			Log:      s.log, Meter: s.metrics.telegram(),
		}
		if t.Webhook != "" {
			address := t.Webhook
			if len(t.Bots) > 1 {
				address += "/" + b.token.ID() // a path for each bot
			}
			o.Webhook = &telegram.Webhook{URL: address, Secret: t.Secret, Hosts: t.hosts()}
		}
		c, err := telegram.New(o)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// childOff tells whether a municipality has switched the child part off on
// Telegram: it says `telegram: false` (D15).
func childOff(d *data.Data, tenant string) bool {
	m, ok := d.Municipality(tenant)
	if !ok {
		m = d.National
	}
	on, said := m.Switches["telegram"]
	return said && !on
}

// public serves the web chat, and each bot's webhook on its own path.
func (s *service) public() http.Handler {
	hooks := map[string]*telegram.Channel{}
	for _, c := range s.telegram {
		if p := c.Path(); p != "" {
			hooks[p] = c
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := hooks[r.URL.Path]; ok && r.Method == http.MethodPost {
			c.ServeHTTP(w, r)
			return
		}
		if s.desk != nil && ofPages(r.URL.Path) {
			s.desk.ServeHTTP(w, r)
			return
		}
		s.web.ServeHTTP(w, r)
	})
}

// fakeTelegramCmd is `trygg fake-telegram`.
type fakeTelegramCmd struct {
	Addr   string `default:"127.0.0.1:8090" help:"Where to listen; this machine only."`
	Strict bool   `help:"Also limit how much may be sent, as Telegram does."`
}

func (c fakeTelegramCmd) Run(ctx context.Context, out io.Writer) error {
	if !loopback(c.Addr) {
		return fmt.Errorf("--addr: want an address of this machine, such as 127.0.0.1:8090, got %q", c.Addr)
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return err
	}
	fake := faketelegram.New(faketelegram.Options{Open: true, Strict: c.Strict})
	defer fake.Close()
	srv := &http.Server{Handler: fake, ReadHeaderTimeout: 5 * time.Second, ErrorLog: quiet()}
	fmt.Fprintf(out, "A Bot API server for trying out; chat by hand at http://%s/\nThe bot: TRYGG_TELEGRAM_API=http://%s TRYGG_TELEGRAM_TOKEN=1234:trying-it-out trygg serve\n", l.Addr(), l.Addr())
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case <-ctx.Done():
		stopping, done := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer done()
		if srv.Shutdown(stopping) != nil {
			return srv.Close() // long polls are cut off
		}
		return nil
	case err := <-ended:
		return err
	}
}
