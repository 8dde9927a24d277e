package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Config is everything that is set from outside. Each value comes from the
// environment or from a flag of the same name; secrets also from a file
// (NAME_FILE). Faults are reported all together, never with a secret in them.
type Config struct {
	Addr       string // web chat and webhooks
	AdminAddr  string // metrics and health
	RedisURL   string // "" = the embedded file
	KeysFile   string
	DataDir    string
	ContentDir string

	WebURL     string // the public address of the web chat; its host is the only one answered
	ExitURL    string // where the exit button leads
	NewChats   int    // new web chats a minute, over all
	DraftLangs bool   // offer languages that no native reader has approved

	Telegram telegramConfig

	Trial bool // no keys and no Redis: loopback only, keys made beside the embedded file (S64)
}

// setting is one configurable value.
type setting struct {
	name, def, help string
	secret          bool
	set             func(*Config, string) error
}

var settings = []setting{
	{name: "TRYGG_ADDR", def: "127.0.0.1:8080", help: "address of the web chat and of webhooks", set: func(c *Config, v string) error { c.Addr = v; return hostPort(v) }},
	{name: "TRYGG_ADMIN_ADDR", def: "127.0.0.1:8081", help: "address of metrics and health; not for the public", set: func(c *Config, v string) error { c.AdminAddr = v; return hostPort(v) }},
	{name: "TRYGG_REDIS_URL", secret: true, help: "redis://, rediss://, redis+sentinel:// or redis+cluster:// address; empty = one embedded file", set: func(c *Config, v string) error { c.RedisURL = v; return nil }},
	{name: "TRYGG_KEYS_FILE", help: "key ring, made by `trygg keys new FILE`", set: func(c *Config, v string) error { c.KeysFile = v; return nil }},
	{name: "TRYGG_DATA_DIR", def: "trygg-data", help: "folder of the embedded file, trial keys and the local socket", set: func(c *Config, v string) error { c.DataDir = v; return nil }},
	{name: "TRYGG_CONTENT_DIR", help: "folder with content that replaces what is compiled in", set: func(c *Config, v string) error { c.ContentDir = v; return nil }},
	{name: "TRYGG_WEB_URL", help: "public address of the web chat: for links to it, and the only host name that is answered besides this machine's own; empty = any", set: func(c *Config, v string) error { c.WebURL = v; return httpsURL(v) }},
	{name: "TRYGG_EXIT_URL", def: "https://www.yr.no/", help: "neutral page the exit button leads to", set: func(c *Config, v string) error { c.ExitURL = v; return httpsURL(v) }},
	{name: "TRYGG_NEW_CHATS_PER_MINUTE", def: "600", help: "new web chats a minute in all; over it the help card is shown", set: func(c *Config, v string) (err error) { c.NewChats, err = above(v, 0); return }},
	{name: "TRYGG_DRAFT_LANGUAGES", def: "", help: "on = also offer languages no native reader has approved; empty = only in trial mode", set: func(c *Config, v string) (err error) { c.DraftLangs, err = onOff(v); return }},
}

// loadConfig reads the settings: flags first, then the environment, then the
// defaults. environ is os.LookupEnv or a test's.
func loadConfig(flags map[string]string, environ func(string) (string, bool)) (Config, error) {
	var c Config
	var faults []error
	given := map[string]bool{}
	for _, s := range settings {
		v, ok := flags[s.name]
		if !ok {
			v, ok = environ(s.name)
		}
		if file, has := environ(s.name + "_FILE"); has && s.secret && file != "" {
			if ok && v != "" {
				faults = append(faults, fmt.Errorf("%s and %s_FILE are both set: keep one", s.name, s.name))
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s_FILE: %w", s.name, err))
				continue
			}
			v, ok = strings.TrimSpace(string(b)), true
		}
		given[s.name] = ok && v != ""
		if !given[s.name] {
			v = s.def
		}
		if v == "" {
			continue
		}
		if err := s.set(&c, v); err != nil {
			if s.secret {
				err = errors.New("the value is not valid")
			}
			faults = append(faults, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	c.Trial = c.KeysFile == "" && c.RedisURL == ""
	if c.Trial {
		if !given["TRYGG_DRAFT_LANGUAGES"] {
			c.DraftLangs = true
		}
	}
	return c, errors.Join(faults...)
}

// serveFaults says what stands against serving with these settings (S64).
func (c Config) serveFaults() error {
	var faults []error
	if c.RedisURL != "" && c.KeysFile == "" {
		faults = append(faults, errors.New("TRYGG_KEYS_FILE: is needed together with TRYGG_REDIS_URL: make one with `trygg keys new FILE`"))
	}
	for _, a := range []struct{ name, addr string }{{"TRYGG_ADDR", c.Addr}, {"TRYGG_ADMIN_ADDR", c.AdminAddr}} {
		if c.Trial && !loopback(a.addr) {
			faults = append(faults, fmt.Errorf("%s: without TRYGG_KEYS_FILE this is a trial, which is only reachable from this machine: use 127.0.0.1, or make keys with `trygg keys new FILE`", a.name))
		}
	}
	return errors.Join(faults...)
}

// hosts are the names requests may be for: the public one when it is set, and
// this machine (F79). nil = any.
func (c Config) hosts() []string {
	if c.WebURL == "" {
		return nil
	}
	u, err := url.Parse(c.WebURL)
	if err != nil {
		return nil
	}
	return []string{u.Hostname(), "localhost", "127.0.0.1", "::1"}
}

func (c Config) embeddedFile() string { return filepath.Join(c.DataDir, "trygg.db") }
func (c Config) socket() string       { return filepath.Join(c.DataDir, "trygg.sock") }
func (c Config) trialKeys() string    { return filepath.Join(c.DataDir, "trial-keys") }

func hostPort(v string) error {
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return fmt.Errorf("want host:port, got %q", v)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("want a port from 0 to 65535, got %q", port)
	}
	return nil
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func folder(v string) error {
	info, err := os.Stat(v)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", v)
	}
	return nil
}

func httpsURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("want an https:// address, got %q", v)
	}
	return nil
}

func above(v string, least int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n <= least {
		return 0, fmt.Errorf("want a whole number above %d, got %q", least, v)
	}
	return n, nil
}

func onOff(v string) (bool, error) {
	switch v {
	case "on", "true", "1":
		return true, nil
	case "off", "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("want on or off, got %q", v)
}
