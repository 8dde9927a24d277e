package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"trygg/flows/content"
	"trygg/locales"
)

// What docs/content.md tells an author to write passes the check, on the content
// as it is now.
func TestTheGuideForAuthorsHolds(t *testing.T) {
	guide, err := os.ReadFile("../../docs/content.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(guide), -1) {
		blocks = append(blocks, m[1])
	}
	// block gives the next block of the guide that begins so.
	next := 0
	block := func(begin string) string {
		t.Helper()
		for ; next < len(blocks); next++ {
			if strings.HasPrefix(blocks[next], begin) {
				next++
				return blocks[next-1]
			}
		}
		t.Fatalf("the guide has no block that begins %q", begin)
		return ""
	}
	dir := t.TempDir()
	for name, files := range map[string]func(string) error{
		"flows":   func(to string) error { return os.CopyFS(to, content.Files) },
		"locales": func(to string) error { return os.CopyFS(to, locales.Files) },
	} {
		if err := files(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	edit := func(file string, change func(string) string) {
		t.Helper()
		file = filepath.Join(dir, file)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		now := change(string(b))
		if now == string(b) {
			t.Fatalf("%s: nothing to change: the guide speaks of what is not there", file)
		}
		put(t, file, now)
	}
	wrong := func() map[string]bool {
		r := readContent(openTrees(dir))
		all := map[string]bool{}
		for _, f := range append(r.findings, r.inspect(time.Now())...).of(Stops, Wrong) {
			all[f.Text] = true
		}
		return all
	}
	before := wrong()

	// Add a card.
	voice := block("  voice:\n")
	meet := block("  meet:\n")
	edit("flows/rights.yaml", func(s string) string {
		return regexp.MustCompile(`(?m)^  voice:\n(?:    .*\n)+`).ReplaceAllLiteralString(s, voice) + meet
	})
	for _, tag := range []string{"nb", "nn", "en"} {
		file := "locales/" + tag + "/rights.yaml"
		texts := block("# " + file + "\nrights.voice.meet")
		edit(file, func(s string) string { return s + texts })
	}
	// Add a topic.
	put(t, filepath.Join(dir, "flows/homes.yaml"), block("# Two homes"))
	for _, tag := range []string{"nb", "nn", "en"} {
		put(t, filepath.Join(dir, "locales/"+tag+"/homes.yaml"), block("file: {status: draft"))
	}
	buttons := regexp.MustCompile(`(?m)^    buttons: .*$`)
	line := buttons.FindString(block("    buttons: "))
	edit("flows/others.yaml", func(s string) string {
		return strings.Replace(buttons.ReplaceAllLiteralString(s, line), "go: {", "go: {homes: homes/, ", 1)
	})
	label := block("others.menu.homes: ")
	for _, tag := range []string{"nb", "nn", "en"} {
		edit("locales/"+tag+"/others.yaml", func(s string) string { return s + label })
	}

	for text := range wrong() {
		if !before[text] {
			t.Errorf("after the guide's steps the check says: %s", text)
		}
	}
	s, problems := loadSnapshot(dir)
	if s == nil {
		t.Fatal(problems)
	}
	for _, place := range []string{"rights/meet", "homes/menu", "homes/say"} {
		if _, ok := find(s.library, place); !ok {
			t.Errorf("%s is not there", place)
		}
	}
}
