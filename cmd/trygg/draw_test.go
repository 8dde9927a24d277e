package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trygg/flows/draw"
)

// The diagrams in docs/flows are those of the content as it is.
func TestDrawnAsTheContentIs(t *testing.T) {
	s := published(t)
	pages := draw.Pages(s.library, s.texts)
	const folder = "../../docs/flows"
	if *update {
		if err := (drawCmd{Folder: folder}).Run(&bytes.Buffer{}, Config{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		have, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Errorf("%s is missing: run go run ./cmd/trygg draw docs/flows", name)
		} else if !bytes.Equal(have, pages[name]) {
			t.Errorf("%s is not as the content is: run go run ./cmd/trygg draw docs/flows", name)
		}
	}
	there, err := drawn(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range there {
		if pages[name] == nil {
			t.Errorf("%s shows what is not there any more: run go run ./cmd/trygg draw docs/flows", name)
		}
	}
}

func TestDraw(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	var out bytes.Buffer
	if err := (drawCmd{Folder: folder}).Run(&out, Config{}); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{draw.Overview, "_overview.svg", "rights.md", "rights.svg"} {
		if b, err := os.ReadFile(filepath.Join(folder, file)); err != nil || !bytes.Contains(b, []byte(draw.Mark)) {
			t.Errorf("%s: %v", file, err)
		}
	}
	// A drawing of a flow that is gone goes; what others put there stays.
	gone, own := filepath.Join(folder, "gone.svg"), filepath.Join(folder, "own.md")
	put(t, gone, "<svg><!-- "+draw.Mark+" --></svg>")
	put(t, own, "# Mine\n")
	put(t, filepath.Join(folder, "rights.svg"), "<!-- "+draw.Mark+" -->")
	out.Reset()
	if err := (drawCmd{Folder: folder}).Run(&out, Config{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), ", 2 files changed") {
		t.Errorf("got %s", out.String())
	}
	if _, err := os.Stat(gone); err == nil {
		t.Error("a drawing of nothing is left")
	}
	if _, err := os.Stat(own); err != nil {
		t.Error("somebody's own file is gone")
	}
	if err := (drawCmd{Folder: filepath.Join(own, "below")}).Run(&out, Config{}); err == nil {
		t.Error("wrote below a file")
	}
}
