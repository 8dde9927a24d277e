package main

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trygg/flows"
)

// overlay lays a folder with one changed text over the content.
func overlay(t testing.TB, says string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "content")
	b, err := os.ReadFile("../../locales/nb/menu.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "locales", "nb", "menu.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(b), "menu.main: ", "menu.main: "+says+" ", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wantPublished waits until something was kept in a data folder.
func wantPublished(t testing.TB, cfg Config, content string) *Published {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		p, _, err := openPublished(cfg)
		if err == nil && p.Content == content {
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("%s was not kept: %+v %v", content, p, err)
		}
	}
}

// D3: what was published last is what a start goes on with when the content
// folder is away, cannot be read, or is broken; and the folder counts again as
// soon as it is right.
func TestAStartWithoutItsContentFolder(t *testing.T) {
	for i, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		mend  func(t *testing.T, dir string)
		says  string
	}{
		{"it is away", func(t *testing.T, dir string) { os.Rename(dir, dir+"-away") }, func(t *testing.T, dir string) { os.Rename(dir+"-away", dir) }, "no such file or directory"},
		{"a conversation is broken", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "flows", "menu.yaml"), "flow: menu\n") }, func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, "flows")) }, "flows/menu.yaml"},
		{"a file is a link to nowhere it may read", func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "data", "contacts.yaml"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("loop.yaml", filepath.Join(dir, "data", "loop.yaml")); err != nil {
				t.Fatal(err)
			}
		}, func(t *testing.T, dir string) { os.RemoveAll(filepath.Join(dir, "data")) }, "loop.yaml"},
	} {
		if raced && i > 0 {
			break // reading all content takes long then, and each way is the same code
		}
		t.Run(tt.name, func(t *testing.T) {
			dir, state := overlay(t, "Her er noe nytt."), t.TempDir()
			set := map[string]string{"TRYGG_CONTENT_DIR": dir, "TRYGG_DATA_DIR": state}
			first := start(t, set)
			hash := first.current().hash
			wantPublished(t, first.cfg, hash)
			if info, err := os.Stat(first.cfg.publishedFile()); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the file is %v %v", info, err)
			}
			first.stop()

			tt.spoil(t, dir)
			r := start(t, set)
			if r.current().hash != hash {
				t.Errorf("content %s, want %s", r.current().hash, hash)
			}
			out := r.out.String()
			for _, want := range []string{tt.says, "so what was published on 20", " goes on\n"} {
				if !strings.Contains(out, want) {
					t.Errorf("want %q, got %s", want, out)
				}
			}
			visit(t, r).press("next").press("b10").press("skip").sees("Her er noe nytt.").help().wantCard()
			if errs := r.reload(t.Context(), r.out); len(errs) == 0 {
				t.Error("the broken folder was taken")
			}
			tt.mend(t, dir)
			if errs := r.reload(t.Context(), r.out); len(errs) > 0 {
				t.Errorf("the folder is right, and was refused: %v", errs)
			}
		})
	}
}

// A kept file that is not as it was written is never used: with a broken content
// folder nothing starts then, and both reasons are told.
func TestABrokenPublishedFileIsNeverUsed(t *testing.T) {
	s, problems := loadSnapshot("")
	if s == nil {
		t.Fatal(problems)
	}
	s.published = time.Now()
	cfg := Config{DataDir: t.TempDir()}
	if err := s.keep(cfg); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(cfg.publishedFile())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := lastPublished(cfg); err != nil || again.hash != s.hash || !again.published.Equal(s.published.Truncate(time.Second)) {
		t.Fatalf("it does not come back: %+v %v", again, err)
	}
	if left, _ := filepath.Glob(filepath.Join(cfg.DataDir, ".published-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	packed := func(entries map[string]string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range entries {
			if err := pour(z, name, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		z.Close()
		return b.Bytes()
	}
	// The same file with one entry changed.
	changed := func(entry string, change func(string) string) []byte {
		z, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
		if err != nil {
			t.Fatal(err)
		}
		entries := map[string]string{}
		for _, f := range z.File {
			entries[f.Name] = readFile(t, z, f.Name)
		}
		entries[entry] = change(entries[entry])
		return packed(entries)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 0x10
	broken := t.TempDir()
	write(t, filepath.Join(broken, "flows", "menu.yaml"), "flow: menu\n")
	for name, b := range map[string][]byte{
		"empty":                       {},
		"not packed":                  []byte("flow: menu\n"),
		"cut off":                     good[:len(good)*2/3],
		"one bit turned":              flipped,
		"nothing in it":               packed(nil),
		"no content":                  packed(map[string]string{publishedName: `{"content": "0123456789abcdef"}`}),
		"its head is no JSON":         changed(publishedName, func(string) string { return "{" }),
		"its head names other":        changed(publishedName, func(s string) string { return strings.Replace(s, `"content": "`, `"content": "0`, 1) }),
		"a number in it changed":      changed("data/contacts.yaml", func(s string) string { return strings.Replace(s, "116 111", "116 112", 1) }),
		"far larger than it may be":   packed(map[string]string{publishedName: strings.Repeat(" ", mostPublished+1)}),
		"a file that leads out of it": changed("../menu.yaml", func(string) string { return "flow: menu\n" }),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(cfg.publishedFile(), b, 0o600); err != nil {
				t.Fatal(err)
			}
			if name != "a file that leads out of it" {
				if _, err := lastPublished(cfg); err == nil {
					t.Error("it is used")
				}
			} else if got, err := lastPublished(cfg); err == nil && got.hash != s.hash {
				t.Error("it reads what lies outside")
			}
			var out safeBuffer
			if name == "one bit turned" || name == "empty" {
				_, err := newService(t.Context(), Config{DataDir: cfg.DataDir, ContentDir: broken}, &out, &out)
				if err == nil || !strings.Contains(err.Error(), "cannot be used") || !strings.Contains(out.String(), "menu.yaml") {
					t.Errorf("want both reasons, got %v and %s", err, out.String())
				}
			}
		})
	}
}

// trygg check -proof shows the proof that is kept with what was published, and
// says when there is none or when it is about something else.
func TestCheckShowsThePublishedProof(t *testing.T) {
	s, problems := loadSnapshot("")
	if s == nil {
		t.Fatal(problems)
	}
	s.published = time.Date(2026, 11, 22, 16, 30, 0, 0, time.UTC)
	proof := &Proof{Content: s.hash, At: s.published, Holds: true, Languages: 8, States: 4711, Positions: 4242, Took: 3 * time.Second}
	for _, tt := range []struct {
		name string
		keep func(cfg Config)
		hash string // of what is looked at
		want []string
	}{
		{"nothing was published", func(Config) {}, s.hash, []string{"Published: nothing was published from here yet"}},
		{"with its proof", func(cfg Config) { s.proof = proof; s.keep(cfg) }, s.hash, []string{"content " + s.hash + " at 2026-11-22 16:30:00", ": this content", "4242 positions", " 4711  states", "content " + s.hash + ", proved 2026-11-22 16:30:00"}},
		{"without a proof", func(cfg Config) { s.proof = nil; s.keep(cfg) }, s.hash, []string{": this content", "without a proof of help so far"}},
		{"with the proof of other content", func(cfg Config) {
			p := *proof
			p.Content = "0123456789abcdef"
			s.proof = &p
			s.keep(cfg)
		}, s.hash, []string{"its proof of help belongs to OTHER content, 0123456789abcdef"}},
		{"other content than is checked", func(cfg Config) { s.proof = proof; s.keep(cfg) }, "fedcba9876543210", []string{"OTHER content than was looked at here", "4242 positions"}},
		{"a broken file", func(cfg Config) { write(t, cfg.publishedFile(), "x") }, s.hash, []string{"cannot be used"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := Config{DataDir: t.TempDir()}
			tt.keep(cfg)
			var out safeBuffer
			printPublished(&out, cfg, tt.hash)
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("want %q, got\n%s", want, out.String())
				}
			}
		})
	}
	s.proof = proof
	cfg := Config{DataDir: t.TempDir()}
	if err := s.keep(cfg); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"TRYGG_DATA_DIR": cfg.DataDir}
	if _, out := command(t, set, "check", "-quick", "-proof"); !strings.Contains(out, ": this content\n") || !strings.Contains(out, "4242 positions") {
		t.Errorf("got %s", out)
	}
	if _, out := command(t, set, "check", "-quick", "-proof", "-json"); !strings.Contains(out, `"published": {`) || !strings.Contains(out, `"positions": 4242`) {
		t.Errorf("got %s", out)
	}
}

// S64, F62: content of a folder for which help cannot be proved is not published,
// though each of its files is right; what runs goes on. What is published has its
// proof kept beside it, and is not proved again.
func TestNothingIsPublishedWithoutItsProof(t *testing.T) {
	release = "1.2.3" // a program with a name of its own
	t.Cleanup(func() { release = "" })
	dir := overlay(t, "Nytt.")
	proofs, bad := 0, ""
	prove := func(s *snapshot, _ context.Context, _ int) (fake *Proof, fs findings) {
		proofs++
		if s.hash != bad && bad != "" {
			fs.add(Wrong, "proof", flows.Spot{File: "flows/menu.yaml"}, "", "no help in state %q", "main")
			return nil, fs
		}
		return &Proof{Content: s.hash, Holds: true, Positions: 4242}, nil
	}
	var out safeBuffer
	cfg := Config{DataDir: t.TempDir(), ContentDir: dir, Trial: true}
	r, err := newService(t.Context(), cfg, &out, &out, func(s *service) { s.prove = prove })
	if err != nil {
		t.Fatal(err)
	}
	defer r.state.Close()
	old := r.current()
	if old.proof == nil || proofs != 1 {
		t.Fatalf("it starts with %v after %d proofs", old.proof, proofs)
	}
	r.kept(&out, old)
	p := wantPublished(t, cfg, old.hash)
	if p.Proof == nil || *p.Proof != *old.proof {
		t.Fatalf("kept is %v", p.Proof)
	}

	// Help is not there: nothing changes, on the page and in the file.
	bad = old.hash
	file := filepath.Join(dir, "locales", "nb", "menu.yaml")
	replace(t, file, "Nytt.", "Nyere.")
	errs := r.reload(t.Context(), &out)
	if len(errs) == 0 || !strings.Contains(errs[0].Error(), "no help in state") {
		t.Errorf("want no help in a state, got %v", errs)
	}
	if r.current() != old {
		t.Error("it was published")
	}
	if p := wantPublished(t, cfg, old.hash); p.Proof == nil {
		t.Error("the proof is gone")
	}
	// At a start such content is not taken either: what was published last is.
	if again, err := r.first(t.Context(), &out); err != nil || again.hash != old.hash || !strings.Contains(out.String(), "so what was published on") {
		t.Errorf("it starts with %+v %v", again, err)
	}

	// Right again, and known to be proved by this very program.
	replace(t, file, "Nyere.", "Nytt.")
	proofs = 0
	if errs := r.reload(t.Context(), &out); len(errs) > 0 || r.current().proof == nil {
		t.Errorf("%v, proof %v", errs, r.current().proof)
	}
	if proofs != 0 {
		t.Error("it was proved again")
	}
	release = "1.2.4"
	if errs := r.reload(t.Context(), &out); len(errs) > 0 || proofs != 1 {
		t.Errorf("another program trusts the proof: %v after %d proofs", errs, proofs)
	}
}

// A language in which nobody can cry for help: each of its files is right, and the
// proof finds it.
func TestProofFindsALanguageWithoutWordsForHelp(t *testing.T) {
	s := small(t, func(dir string) {
		languages, err := os.ReadFile(filepath.Join(dir, "locales", "languages.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "locales", "languages.yaml"), string(languages)+"- {tag: ti, name: ትግርኛ, fallback: [en, nb]}\n")
		if err := os.CopyFS(filepath.Join(dir, "locales", "ti"), os.DirFS(filepath.Join(dir, "locales", "nb"))); err != nil {
			t.Fatal(err)
		}
	})
	p, found := s.prove(t.Context(), 1)
	if p.Holds || len(found) == 0 || !strings.Contains(found[0].Text, "no help in state") || !strings.Contains(found[0].Text, "ti") {
		t.Errorf("%v: %v", p, found)
	}
}
