package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

type cardCmd struct {
	Export cardExportCmd `cmd:"" help:"Write the help card as static pages, which a proxy serves when everything else is down."`
}

type cardExportCmd struct {
	Folder string `arg:"" help:"Folder to write to; made if it is not there." type:"path"`
}

// Run writes one page a language, and index.html in the source language.
func (c cardExportCmd) Run(out io.Writer, cfg Config) error {
	s, problems := loadSnapshot(cfg.ContentDir)
	if len(problems) > 0 {
		return fmt.Errorf("the content has %d problems: run trygg check", len(problems))
	}
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	pages := map[string]string{"index.html": "nb"}
	for _, l := range s.texts.Languages() {
		pages[l.Tag+".html"] = l.Tag
	}
	for name, tag := range pages {
		var page strings.Builder
		if err := s.card.Export(&page, tag); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(c.Folder, name), []byte(page.String()), 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d pages written to %s\n", len(pages), c.Folder)
	return nil
}
