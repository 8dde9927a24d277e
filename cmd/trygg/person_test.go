package main

import (
	"bytes"
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"trygg/store"
)

// running is a whole program in this process.
type running struct {
	*service
	out, logs *safeBuffer
	stop      func() error // ends it as SIGTERM does and gives what run gave
}

// start runs the program with some settings; the rest are a trial's.
func start(t testing.TB, set map[string]string, change ...func(*service)) *running {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{"TRYGG_ADDR": "127.0.0.1:0", "TRYGG_ADMIN_ADDR": "127.0.0.1:0", "TRYGG_DATA_DIR": dir, "TRYGG_NEW_CHATS_PER_MINUTE": "1000000"}
	if set["TRYGG_REDIS_URL"] != "" && set["TRYGG_KEYS_FILE"] == "" {
		keys := filepath.Join(dir, "keys")
		if err := store.NewKeys(keys); err != nil {
			t.Fatal(err)
		}
		env["TRYGG_KEYS_FILE"] = keys
	}
	for k, v := range set {
		env[k] = v
	}
	cfg, err := loadConfig(env, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	r := &running{out: &safeBuffer{}, logs: &safeBuffer{}}
	ctx, cancel := context.WithCancel(context.Background())
	if r.service, err = newService(ctx, cfg, r.out, r.logs); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(r.service)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.service.run(ctx, r.out) }()
	select {
	case <-r.ready:
	case err := <-ended:
		t.Fatalf("did not start: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("did not start")
	}
	var once sync.Once
	r.stop = func() (err error) {
		once.Do(func() { cancel(); err = <-ended })
		return err
	}
	t.Cleanup(func() { r.stop() })
	return r
}

// safeBuffer is a bytes.Buffer for many goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// person chats as a browser without a script does: forms and nothing else.
type person struct {
	t      testing.TB
	base   string
	client *http.Client
	page   string // the last page
	status int
}

func visit(t testing.TB, r *running) *person {
	p := &person{t: t, base: "http://" + r.webAddr, client: &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
	}}
	t.Cleanup(p.client.CloseIdleConnections)
	p.open()
	return p
}

func (p *person) do(req *http.Request) *person {
	p.t.Helper()
	req.Header.Set("Accept-Language", "nb")
	req.Header.Set("Origin", p.base)
	resp, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.page, p.status = string(b), resp.StatusCode
	return p
}

func (p *person) open() *person {
	p.t.Helper()
	req, _ := http.NewRequest(http.MethodGet, p.base+"/", nil)
	return p.do(req)
}

func (p *person) post(path string, v url.Values) *person {
	p.t.Helper()
	req, _ := http.NewRequest(http.MethodPost, p.base+path, strings.NewReader(v.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(req)
}

var (
	hidden  = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)
	buttons = regexp.MustCompile(`<button[^>]* name="(\w+)" value="([^"]*)"`)
	bubbles = regexp.MustCompile(`(?s)<div class="bubble"[^>]*>(.*?)</div>`)
	tags    = regexp.MustCompile(`<[^>]*>`)
)

func (p *person) fields() url.Values {
	v := url.Values{}
	i := strings.Index(p.page, `id="now"`)
	for _, m := range hidden.FindAllStringSubmatch(p.page[max(i, 0):], -1) {
		if !v.Has(m[1]) {
			v.Set(m[1], html.UnescapeString(m[2]))
		}
	}
	return v
}

// offers gives the events of the buttons on the page, name=value.
func (p *person) offers() (all []string) {
	for _, m := range buttons.FindAllStringSubmatch(p.page, -1) {
		all = append(all, m[1]+"="+html.UnescapeString(m[2]))
	}
	return all
}

// press presses a button that is really on the page.
func (p *person) press(event string) *person {
	p.t.Helper()
	for _, o := range p.offers() {
		if name, value, _ := strings.Cut(o, "="); value == event && name == "e" || name == event {
			v := p.fields()
			v.Set(name, value)
			return p.post("/", v)
		}
	}
	p.t.Fatalf("no button %q among %v", event, p.offers())
	return p
}

var labelled = regexp.MustCompile(`(?s)<button[^>]* name="e" value="([^"]*)"[^>]*>(.*?)</button>`)

// label presses the button that says this.
func (p *person) label(text string) *person {
	p.t.Helper()
	for _, m := range labelled.FindAllStringSubmatch(p.page, -1) {
		if html.UnescapeString(strings.TrimSpace(tags.ReplaceAllString(m[2], ""))) == text {
			return p.press(html.UnescapeString(m[1]))
		}
	}
	p.t.Fatalf("no button says %q", text)
	return p
}

func (p *person) types(words string) *person {
	p.t.Helper()
	v := p.fields()
	v.Set("w", words)
	return p.post("/", v)
}

func (p *person) help() *person { p.t.Helper(); return p.press("h") }

// said gives the texts of the bubbles.
func (p *person) said() string {
	var all []string
	for _, m := range bubbles.FindAllStringSubmatch(p.page, -1) {
		all = append(all, html.UnescapeString(strings.TrimSpace(tags.ReplaceAllString(m[1], " "))))
	}
	return strings.Join(all, "\n")
}

func (p *person) sees(text string) *person {
	p.t.Helper()
	if !strings.Contains(p.said(), text) {
		p.t.Fatalf("want %q, got (%d)\n%s", text, p.status, p.said())
	}
	return p
}

// card tells whether the page is the help card.
func (p *person) card() bool {
	return p.status == http.StatusOK && strings.Contains(p.page, "112") && strings.Contains(p.page, "113")
}

func (p *person) wantCard() *person {
	p.t.Helper()
	if !p.card() {
		p.t.Fatalf("no card (%d): %s", p.status, p.said())
	}
	return p
}

func get(t testing.TB, address string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}
