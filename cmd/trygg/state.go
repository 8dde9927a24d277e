package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"trygg/bot"
	"trygg/store"
)

// state is the store as the program uses it.
type state struct {
	*store.Breaker
	backend  store.Store // what the breaker stands in front of
	chats    *store.Chats
	ring     *store.Ring
	warnings []string // what is unsafe about the server, for the operator

	outbox atomic.Int64
}

// openKeys loads the key ring; in a trial it makes one beside the embedded file
// and says so (S64).
func openKeys(cfg Config, out io.Writer) (*store.Ring, error) {
	if !cfg.Trial {
		ring, err := store.LoadKeys(cfg.KeysFile)
		if cfg.KeysFile == "" {
			return nil, errors.New("TRYGG_KEYS_FILE: is missing: make one with `trygg keys new FILE`")
		}
		if err != nil {
			return nil, fmt.Errorf("TRYGG_KEYS_FILE: %w", err)
		}
		return ring, nil
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("TRYGG_DATA_DIR: %w", err)
	}
	if _, err := os.Stat(cfg.trialKeys()); errors.Is(err, fs.ErrNotExist) {
		if err := store.NewKeys(cfg.trialKeys()); err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "Keys:      made for this trial in %s, readable by its owner only\n", cfg.trialKeys())
	}
	return store.LoadKeys(cfg.trialKeys())
}

// openState opens the store. A Redis that is away is no error: the program
// starts, and helps without it (F1).
func openState(ctx context.Context, cfg Config, out io.Writer) (*state, error) {
	ring, err := openKeys(cfg, out)
	if err != nil {
		return nil, err
	}
	var backend store.Store
	if cfg.RedisURL != "" {
		backend, err = store.OpenRedis(ctx, cfg.RedisURL, store.RedisOptions{})
		if err != nil {
			return nil, fmt.Errorf("TRYGG_REDIS_URL: %w", err)
		}
	} else {
		if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("TRYGG_DATA_DIR: %w", err)
		}
		if backend, err = store.OpenEmbedded(cfg.embeddedFile(), store.EmbeddedOptions{}); err != nil {
			return nil, fmt.Errorf("TRYGG_DATA_DIR: %s: %w", cfg.embeddedFile(), err)
		}
	}
	breaker := store.NewBreaker(backend, store.BreakerOptions{})
	s := &state{Breaker: breaker, backend: backend, ring: ring, chats: store.NewChats(breaker, ring, nil)}
	look, done := context.WithTimeout(ctx, 3*time.Second)
	defer done()
	if status, err := s.Status(look); err != nil {
		s.warnings = []string{"is away; help and information work without it, and it is used as soon as it answers"}
	} else {
		s.warnings = status.Unsafe
		if cfg.RedisURL == "" {
			s.warnings = append([]string{"one file, " + cfg.embeddedFile() + "; for a pilot on one machine. Set TRYGG_REDIS_URL for more"}, s.warnings...)
		}
	}
	return s, nil
}

func (s *state) outboxLength() float64 { return float64(s.outbox.Load()) }

// countOutbox looks how much was written and not yet shown, at most a few
// hundred a shard.
func (s *state) countOutbox(ctx context.Context) {
	var n int64
	for shard := range bot.Shards {
		ids, _, err := s.chats.Pending(ctx, shard, 256)
		if err != nil {
			return
		}
		n += int64(len(ids))
	}
	s.outbox.Store(n)
}

// The operator's commands that need the store speak to the running process over
// a local socket, since the embedded file belongs to one process at a time.
// The socket lies in the data folder, which only its owner can enter.

func (s *service) listenLocal() (net.Listener, error) {
	if err := os.MkdirAll(s.cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("TRYGG_DATA_DIR: %w", err)
	}
	if c, err := net.Dial("unix", s.cfg.socket()); err == nil {
		c.Close()
		return nil, fmt.Errorf("TRYGG_DATA_DIR: another trygg uses %s", s.cfg.DataDir)
	}
	os.Remove(s.cfg.socket())
	l, err := net.Listen("unix", s.cfg.socket())
	if err != nil {
		return nil, fmt.Errorf("TRYGG_DATA_DIR: local socket: %w", err)
	}
	return l, os.Chmod(s.cfg.socket(), 0o600)
}

func (s *service) local() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /store/status", func(w http.ResponseWriter, r *http.Request) {
		status, err := s.state.chats.Status(r.Context())
		answer(w, printStatus(status), err)
	})
	mux.HandleFunc("POST /store/drop-children", func(w http.ResponseWriter, r *http.Request) {
		n, err := s.state.chats.DropChildren(r.Context())
		answer(w, dropped(n), err)
	})
	mux.HandleFunc("POST /check/live", s.checkLive)
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, r *http.Request) {
		answer(w, "content "+s.current().hash, errors.Join(s.reload(r.Context(), io.Discard)...))
	})
	return mux
}

type localAnswer struct{ Text, Error string }

func answer(w http.ResponseWriter, text string, err error) {
	a := localAnswer{Text: text}
	if err != nil {
		a = localAnswer{Error: err.Error()}
	}
	json.NewEncoder(w).Encode(a)
}

var errNotRunning = errors.New("trygg is not running here")

// ask sends a command to the running process.
func ask(ctx context.Context, cfg Config, method, path string) (string, error) {
	return askWith(ctx, cfg, method, path, nil)
}

// askWith sends a command with something to it.
func askWith(ctx context.Context, cfg Config, method, path string, body io.Reader) (string, error) {
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", cfg.socket())
	}}}
	req, err := http.NewRequestWithContext(ctx, method, "http://local"+path, body)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", errNotRunning
	}
	defer resp.Body.Close()
	var a localAnswer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return "", fmt.Errorf("the running process gave no answer: %w", err)
	}
	if a.Error != "" {
		return "", errors.New(a.Error)
	}
	return a.Text, nil
}

// withStore runs a command on the store: in the running process where there is
// one, else here.
func withStore(ctx context.Context, cfg Config, out io.Writer, method, path string, here func(*state) (string, error)) error {
	text, err := ask(ctx, cfg, method, path)
	if errors.Is(err, errNotRunning) {
		var s *state
		if s, err = openState(ctx, cfg, out); err != nil {
			return err
		}
		defer s.Close()
		text, err = here(s)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, text)
	return nil
}

type storeCmd struct {
	Status       storeStatusCmd `cmd:"" help:"Look at the store and say what is unsafe."`
	DropChildren storeDropCmd   `cmd:"" help:"Remove every record about a child, for example after the whole store was restored."`
}

type storeStatusCmd struct{}

func (storeStatusCmd) Run(ctx context.Context, out io.Writer, cfg Config) error {
	return withStore(ctx, cfg, out, http.MethodGet, "/store/status", func(s *state) (string, error) {
		status, err := s.chats.Status(ctx)
		return printStatus(status), err
	})
}

type storeDropCmd struct{}

func (storeDropCmd) Run(ctx context.Context, out io.Writer, cfg Config) error {
	return withStore(ctx, cfg, out, http.MethodPost, "/store/drop-children", func(s *state) (string, error) {
		n, err := s.chats.DropChildren(ctx)
		return dropped(n), err
	})
}

func dropped(n int) string { return fmt.Sprintf("%d records about children removed", n) }

func printStatus(s store.Status) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	line("backend", "%s %s", s.Backend, s.Version)
	if s.Nodes > 0 {
		line("nodes", "%d", s.Nodes)
		line("append-only", "%t %s", s.Append, s.Fsync)
		line("when full", "%s", s.Eviction)
	}
	if s.Path != "" {
		line("file", "%s, %d bytes", s.Path, s.Size)
	}
	line("writable", "%t", s.Writable)
	line("damaged", "%d records treated as absent since the start", s.Damage.Damaged)
	line("no key", "%d of %d records looked at", s.Unknown, s.Looked)
	if len(s.Unsafe) == 0 {
		line("unsafe", "nothing found")
	}
	for _, u := range s.Unsafe {
		line("UNSAFE", "%s", u)
	}
	return strings.TrimRight(b.String(), "\n")
}
