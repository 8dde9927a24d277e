package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func published(t testing.TB) *snapshot {
	t.Helper()
	s, problems := loadSnapshot("")
	for _, p := range problems {
		t.Log(p)
	}
	if s == nil {
		t.Fatal("the content has problems")
	}
	return s
}

// tries has a conversation of these lines and gives what stood in the terminal.
func tries(t testing.TB, c tryCmd, lines ...string) (*trial, string, error) {
	t.Helper()
	if c.Channel == "" {
		c.Channel = "web"
	}
	if c.Lang == "" {
		c.Lang = "nb"
	}
	trial, err := c.begin(published(t), true)
	if err != nil {
		return nil, "", err
	}
	var out bytes.Buffer
	trial.out = &out
	err = trial.chat(context.Background(), strings.NewReader(strings.Join(lines, "\n")+"\n"))
	return trial, out.String(), err
}

func TestTry(t *testing.T) {
	for _, tt := range []struct {
		name  string
		with  tryCmd
		lines []string
		want  []string
		not   []string
		fails string
	}{
		{name: "it begins as a chat begins", want: []string{"start/hello", "Jeg er en robot", "Hjelp nå"}},
		{name: "a number presses a button", lines: []string{"1"}, want: []string{"start/band", "Hvor gammel er du?"}},
		{name: "a number that is no button is typed", lines: []string{"112"}, want: []string{"help card"}},
		{name: "a name presses a button", lines: []string{"/next", "/b6"}, want: []string{"start/place"}},
		{name: "help answers and keeps the place", with: tryCmd{At: "rights/heard"}, lines: []string{"/help", "/show"}, want: []string{"help card", "116 111", "Tilbake til samtalen"}},
		{name: "typed words are understood", with: tryCmd{At: "menu/main"}, lines: []string{"pappa slår meg"}, want: []string{"help card", "Jeg tror på deg"}},
		{name: "a municipality is understood", with: tryCmd{At: "start/place"}, lines: []string{"Tromsø"}, want: []string{"start/local"}},
		{name: "another language", with: tryCmd{Lang: "en"}, want: []string{"I am a robot", "Help now"}, not: []string{"Jeg er en robot"}},
		{name: "a younger child", with: tryCmd{Band: "6-9", At: "tell/barnevern"}, not: []string{"15 år"}, want: []string{"tell/barnevern"}},
		{name: "another channel", with: tryCmd{Channel: "telegram", At: "safer/menu"}, lines: []string{"/hiding"}, want: []string{"safer/hiding"}},
		{name: "the night card", with: tryCmd{Tenant: "0301"}, lines: []string{"/hjelp"}, want: []string{"help card"}},
		{name: "remarks are no words", lines: []string{"# first", "", "/next"}, want: []string{"start/band"}, not: []string{"Takk for at du skrev"}},
		{name: "it ends when asked", lines: []string{"/quit", "/next"}, not: []string{"start/band"}},
		{name: "erasing begins anew", with: tryCmd{At: "rights/menu"}, lines: []string{"/slett"}, want: []string{"slettet", "start/hello"}},
		{name: "a button that is not there", lines: []string{"/rights"}, fails: "line 1: no button /rights here: there are /next /skip"},
		{name: "an unknown state", with: tryCmd{At: "rights/heart"}, fails: `"rights/heart" is not a state`},
		{name: "an unknown band", with: tryCmd{Band: "7"}, fails: "--band: want 6-9, 10-12, 13-15, 16-18"},
		{name: "an unknown municipality", with: tryCmd{Tenant: "9999"}, fails: `"9999" is not a municipality`},
		{name: "an unknown language", with: tryCmd{Lang: "ru"}, fails: `"ru" is not a language`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, out, err := tries(t, tt.with, tt.lines...)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("want %q, got %v", tt.fails, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("want %q in\n%s", want, out)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(out, not) {
					t.Errorf("do not want %q in\n%s", not, out)
				}
			}
			if strings.Contains(out, "{{") {
				t.Errorf("a placeholder is shown:\n%s", out)
			}
		})
	}
}

// What is recorded goes the same way when it is run again, in every case that a
// transcript knows.
func TestTryRecordsATranscript(t *testing.T) {
	trial, _, err := tries(t, tryCmd{Band: "13-15", Tenant: "0301", Channel: "telegram", Lang: "en"},
		"/next", "/b13", "Oslo", "/next", "/rights", "/voice", "/heard", "hva er barnevernet", "/help", "1", "/show", "pappa slår meg", "/show", "/back", "/language", "/nb", "/privacy", "/erase", "/next")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "recorded.txt")
	if err := trial.write(file); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(script), "> start band=13-15 channel=telegram locale=en switch=telegram tenant=0301\n") || !strings.Contains(string(script), "\n> heard\n< rights.heard") {
		t.Errorf("got\n%s", script)
	}
	if ps := replayAll(trial.snap, fstest.MapFS{"rights/recorded.txt": {Data: script}}); len(ps) > 0 {
		t.Error(ps)
	}
}

// Nothing is left on the machine: no data folder, no file.
func TestTryLeavesNoTrace(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	if _, _, err := tries(t, tryCmd{}, "/next", "/b10", "pappa slår meg"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{".", os.Getenv("TMPDIR")} {
		files, err := os.ReadDir(dir)
		if err != nil || len(files) > 0 {
			t.Errorf("left in %s: %v %v", dir, files, err)
		}
	}
}

func TestTranscriptsOfAFolder(t *testing.T) {
	s := published(t)
	good, err := os.ReadFile("../../flows/testdata/rights/being_heard.txt")
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(good), "< rights.heard", "< rights.hears", 1)
	at := strings.Count(bad[:strings.Index(bad, "rights.hears")], "\n") + 1
	problems := replayAll(s, fstest.MapFS{
		"rights/good.txt": {Data: good},
		"rights/bad.txt":  {Data: []byte(bad)},
		"rights/odd.txt":  {Data: []byte("> start\nhello\n")},
		"rights/cut.txt":  {Data: []byte("# nothing\n")},
	})
	var got []string
	for _, p := range problems {
		got = append(got, p.File)
		if p.File == "rights/bad.txt" && (p.Line != at || !strings.Contains(p.Text, `written "< rights.hears`) || !strings.Contains(p.Text, `went "< rights.heard`)) {
			t.Errorf("want line %d, got %v", at, p)
		}
	}
	if d := cmp.Diff([]string{"rights/bad.txt", "rights/cut.txt", "rights/odd.txt"}, got); d != "" {
		t.Error(d)
	}
	if ps := replayAll(s, fstest.MapFS{}); len(ps) > 0 {
		t.Error(ps)
	}
}

func TestTryReplay(t *testing.T) {
	s := published(t)
	good, err := os.ReadFile("../../flows/testdata/rights/being_heard.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "rights", "heard.txt")
	put(t, file, strings.Replace(string(good), "\n< rights.heard", "\n< rights.hears", 1))
	replay := func(c tryCmd) (string, error) {
		c.Channel, c.Lang = "web", "nb"
		var out bytes.Buffer
		err := c.replay(&out, s)
		return out.String(), err
	}
	if out, err := replay(tryCmd{Replay: file}); err == nil || !strings.Contains(err.Error(), `written "< rights.hears`) || !strings.Contains(out, "< rights.heard") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := replay(tryCmd{Replay: dir}); err == nil || !strings.Contains(out, `rights/heard.txt:`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := replay(tryCmd{Replay: dir, Record: t.TempDir()}); err == nil {
		t.Error("a folder was written to another place")
	}
	if out, err := replay(tryCmd{Replay: dir, Record: dir}); err != nil || !strings.Contains(out, "heard.txt is written as it went") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := replay(tryCmd{Replay: dir}); err != nil || out != "1 transcript goes as written\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if b, _ := os.ReadFile(file); !bytes.Equal(b, good) {
		t.Error("not written as it went")
	}
	if _, err := replay(tryCmd{Replay: t.TempDir()}); err == nil {
		t.Error("no transcripts are no problem")
	}
}
