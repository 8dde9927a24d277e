package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trygg/flows/draw"
)

// drawCmd is `trygg draw`.
type drawCmd struct {
	Folder string `arg:"" optional:"" default:"docs/flows" help:"Folder to write to; made if it is not there."`
}

// Run draws the content and takes away what an earlier run drew of flows that
// are gone.
func (c drawCmd) Run(out io.Writer, cfg Config) error {
	s, problems := loadSnapshot(cfg.ContentDir)
	if len(problems) > 0 {
		return fmt.Errorf("the content has %d problems: run trygg check", len(problems))
	}
	pages := draw.Pages(s.library, s.texts)
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	changed := 0
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		file := filepath.Join(c.Folder, name)
		if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, pages[name]) {
			continue
		}
		changed++
		if err := os.WriteFile(file, pages[name], 0o644); err != nil {
			return err
		}
	}
	gone, err := drawn(c.Folder)
	if err != nil {
		return err
	}
	for _, name := range gone {
		if pages[name] == nil {
			if err := os.Remove(filepath.Join(c.Folder, name)); err != nil {
				return err
			}
			changed++
		}
	}
	fmt.Fprintf(out, "%d flows drawn in %s, %d files changed: begin with %s\n", len(s.library.Flows()), c.Folder, changed, filepath.Join(c.Folder, draw.Overview))
	return nil
}

// drawn gives the files of a folder that draw made: what else lies there is left
// alone.
func drawn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err == nil && (strings.HasSuffix(e.Name(), ".md") || strings.HasSuffix(e.Name(), ".svg")) && bytes.Contains(b[:min(len(b), 400)], []byte(draw.Mark)) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
