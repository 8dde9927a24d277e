package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

type cardCmd struct {
	Export cardExportCmd `cmd:"" help:"Write the help card as a static page, which a proxy serves when everything else is down."`
}

type cardExportCmd struct {
	Folder string `arg:"" help:"Folder to write to; made if it is not there." type:"path"`
}

// Run writes index.html: all languages in one page, so that a proxy needs no
// rule but one.
func (c cardExportCmd) Run(out io.Writer, cfg Config) error {
	s, problems := loadSnapshot(cfg.ContentDir)
	if len(problems) > 0 {
		return fmt.Errorf("the content has %d problems: run trygg check", len(problems))
	}
	var page strings.Builder
	if err := s.card.Export(&page, cfg.ExitURL); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Folder, 0o755); err != nil {
		return err
	}
	file := filepath.Join(c.Folder, "index.html")
	if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s written, %d bytes, all languages\n", file, page.Len())
	return nil
}
