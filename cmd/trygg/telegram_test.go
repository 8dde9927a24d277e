package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trygg/bot/telegram/faketelegram"
	"trygg/store/storetest"
)

const token = "1234:abcdefghijklmnopqrstuvwxyz"

func TestTelegramSettings(t *testing.T) {
	dir := t.TempDir()
	bots := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, tt := range []struct {
		name string
		set  map[string]string
		want string // "" = taken
	}{
		{"one token with a server of this machine", map[string]string{"TRYGG_TELEGRAM_TOKEN": token, "TRYGG_TELEGRAM_API": "http://127.0.0.1:1"}, ""},
		{"several bots", map[string]string{"TRYGG_TELEGRAM_BOTS_FILE": bots("good", "# ours\n0301 "+token+"\n- 5678:abcdefghijklmnopqrstuvwxyz\n", 0o600), "TRYGG_TELEGRAM_API": "http://127.0.0.1:1"}, ""},
		{"a token that is none", map[string]string{"TRYGG_TELEGRAM_TOKEN": "canary"}, "TRYGG_TELEGRAM_TOKEN: the value is not valid"},
		{"a bots file others can read", map[string]string{"TRYGG_TELEGRAM_BOTS_FILE": bots("open", "- "+token+"\n", 0o644)}, "chmod 600"},
		{"a bot twice", map[string]string{"TRYGG_TELEGRAM_BOTS_FILE": bots("twice", "- "+token+"\n0301 "+token+"\n", 0o600)}, "line 2: this bot stands twice"},
		{"a line that is none", map[string]string{"TRYGG_TELEGRAM_BOTS_FILE": bots("odd", "Oslo "+token+" x\n", 0o600)}, "line 1: want a municipality number"},
		{"a webhook without a secret", map[string]string{"TRYGG_TELEGRAM_TOKEN": token, "TRYGG_TELEGRAM_API": "http://127.0.0.1:1", "TRYGG_TELEGRAM_WEBHOOK_URL": "https://chat.example.no/tg"}, "TRYGG_TELEGRAM_WEBHOOK_SECRET: is needed"},
		{"a webhook without TLS", map[string]string{"TRYGG_TELEGRAM_WEBHOOK_URL": "http://chat.example.no/tg"}, "want an https:// address"},
		{"a trial with Telegram itself", map[string]string{"TRYGG_TELEGRAM_TOKEN": token}, "a trial speaks to a local Bot API server only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := loadConfig(tt.set, func(string) (string, bool) { return "", false })
			if err == nil {
				err = cfg.telegramFaults()
			}
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("want %q, got %v", tt.want, err)
			case err != nil && (strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "abcdefgh")):
				t.Errorf("prints the token: %v", err)
			}
		})
	}
}

// The whole program with the Bot API server it is tried with: a person writes,
// presses, and is helped.
func TestTelegramThroughTheWholeProgram(t *testing.T) {
	fake := faketelegram.New(faketelegram.Options{})
	defer fake.Close()
	api := httpServer(t, fake)
	r := start(t, map[string]string{"TRYGG_TELEGRAM_TOKEN": faketelegram.Token, "TRYGG_TELEGRAM_API": api})
	if !strings.Contains(r.out.String(), ", polling") {
		t.Errorf("the start says %s", r.out.String())
	}
	kari := fake.Person(faketelegram.Profile{Name: "Kari", Language: "nb"})
	kari.Say("/start")
	wait := func(text string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			m, _ := kari.Screen()
			if strings.Contains(m.Text, text) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("want %q, got %q", text, m.Text)
			}
		}
	}
	wait("Jeg er en robot")
	if _, err := kari.Press("Rett til menyen"); err != nil {
		t.Fatal(err)
	}
	wait("Hva vil du lese om?")
	kari.Say("pappa slår meg")
	wait("112")
	if _, err := kari.Press("Tilbake til samtalen"); err != nil {
		t.Fatal(err)
	}
	wait("Hva vil du lese om?")
}

// Two bots of one deployment by webhook, on a real Redis: one belongs to a
// municipality that has its child part on the web only. They are served on
// their own paths and know nothing of each other's children (D15, F48).
func TestSeveralBotsByWebhook(t *testing.T) {
	const second = "1000002:local-fake-telegram-token-no-secret"
	fake := faketelegram.New(faketelegram.Options{Bots: []faketelegram.Profile{
		{Token: faketelegram.Token, Name: "Trygg", Username: "trygg_local_bot"}, {Token: second, Name: "Trygg", Username: "trygg_tromso_bot"},
	}})
	defer fake.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "bots")
	if err := os.WriteFile(file, []byte("- "+faketelegram.Token+"\n5501 "+second+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	towns, err := os.ReadFile("../../flows/content/data/municipalities.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, tromso, _ := strings.Cut(string(towns), `number: "5501"`)
	write(t, filepath.Join(dir, "content/data/municipalities.yaml"), before+`number: "5501"`+strings.Replace(tromso, "telegram: true", "telegram: false", 1))
	// Its port has to be known before it starts: Telegram is told the address.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r := start(t, map[string]string{
		"TRYGG_TELEGRAM_BOTS_FILE": file, "TRYGG_TELEGRAM_API": httpServer(t, fake), "TRYGG_REDIS_URL": storetest.Redis(t).URL(),
		"TRYGG_ADDR": address, "TRYGG_TELEGRAM_WEBHOOK_URL": "http://" + address + "/tg", "TRYGG_TELEGRAM_WEBHOOK_SECRET": strings.Repeat("a1B2", 10),
		"TRYGG_WEB_URL": "https://trygg.example.no/", "TRYGG_CONTENT_DIR": filepath.Join(dir, "content"),
	})
	if !strings.Contains(r.out.String(), "webhook") {
		t.Errorf("the start says %s", r.out.String())
	}
	wait := func(p *faketelegram.Person, text string) faketelegram.Message {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			m, _ := p.Screen()
			if strings.Contains(m.Text, text) {
				return m
			}
			if time.Now().After(deadline) {
				t.Fatalf("want %q, got %q\n%s", text, m.Text, r.logs.String())
			}
		}
	}
	kari := fake.Person(faketelegram.Profile{Name: "Kari", Language: "nb"})
	there := kari.With(fake.Bot(second))
	kari.Say("/start")
	wait(kari, "Jeg er en robot")
	if _, err := kari.Press("Rett til menyen"); err != nil {
		t.Fatal(err)
	}
	wait(kari, "Hva vil du lese om?")
	there.Say("/start")
	m := wait(there, "ikke på Telegram i kommunen din")
	if !slices.ContainsFunc(m.Rows, func(row []faketelegram.Button) bool { return row[0].URL == "https://trygg.example.no/" }) {
		t.Errorf("no way to the web: %+v", m.Rows)
	}
	there.Say("pappa slår meg")
	wait(there, "112")
	there.Say("/slett")
	wait(there, "slettet")
	wait(kari, "Hva vil du lese om?")
	for _, path := range []string{"/tg", "/tg/1", "/tg/1000001/x"} {
		resp, err := http.Post("http://"+address+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
	if strings.Contains(r.logs.String(), "slår") || strings.Contains(r.logs.String(), "no-secret") {
		t.Error("words or tokens in the log")
	}
}

func httpServer(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
