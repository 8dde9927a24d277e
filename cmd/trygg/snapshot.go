package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content"
	"trygg/flows/content/data"
	"trygg/locales"
)

// snapshot is everything that is published together: conversations, texts,
// numbers, and the card made from them (D3).
type snapshot struct {
	library *flows.Library
	texts   *locales.Bundle
	data    *data.Data
	card    *card.Card
	hash    string
}

// loadSnapshot reads the compiled-in content with the files of dir, when given,
// in place of those of the same name: dir/flows/*.yaml, dir/locales/<tag>/*.yaml,
// dir/data/*.yaml. It is checked as a whole; with any problem there is none.
func loadSnapshot(dir string) (*snapshot, []flows.Problem) {
	var s snapshot
	var problems []flows.Problem
	over := func(name string, below fs.FS) fs.FS {
		if dir == "" {
			return below
		}
		upper := dir + "/" + name
		if _, err := os.Stat(upper); err != nil {
			return below
		}
		return layered{os.DirFS(upper), below}
	}
	dataFS, localeFS, flowFS := over("data", data.Files), over("locales", locales.Files), over("flows", content.Files)

	d, err := data.Load(dataFS)
	if err != nil {
		for _, e := range flatten(err) {
			problems = append(problems, flows.Problem{File: "data", Text: e.Error()})
		}
		return nil, problems
	}
	s.data = d
	var ps []locales.Problem
	s.texts, ps = locales.Load(localeFS, d.Numbers())
	for _, p := range ps {
		problems = append(problems, flows.Problem{File: "locales/" + p.File, Line: p.Line, Column: p.Column, Text: p.Text})
	}
	var named []flows.Named
	for _, m := range d.Municipalities {
		named = append(named, flows.Named{Number: m.Number, Name: m.Name})
	}
	var fps []flows.Problem
	s.library, fps = flows.Load(flowFS, named)
	problems = append(problems, fps...)
	if len(problems) > 0 {
		return nil, problems
	}
	if s.card, err = card.New(s.texts, d); err != nil {
		for _, e := range flatten(err) {
			problems = append(problems, flows.Problem{File: "card", Text: e.Error()})
		}
		return nil, problems
	}
	for _, p := range crossCheck(s.library, s.texts) {
		if p.fatal {
			problems = append(problems, p.Problem)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	s.hash, err = hashOf(dataFS, localeFS, flowFS)
	if err != nil {
		return nil, []flows.Problem{{File: ".", Text: err.Error()}}
	}
	return &s, nil
}

// content gives the snapshot as the bot takes it.
func (s *snapshot) content(drafts bool) *bot.Content {
	on := map[string]bool{}
	for _, l := range s.texts.Languages() {
		on[l.Tag] = l.Always || drafts
	}
	return &bot.Content{
		Library: s.library, Texts: s.texts, Card: s.card, Locales: on, Hash: s.hash,
		Switches: func(tenant string) map[string]bool {
			m, _ := s.data.Municipality(tenant)
			return m.Switches
		},
	}
}

// hashOf names content by what it says.
func hashOf(trees ...fs.FS) (string, error) {
	h := sha256.New()
	for _, t := range trees {
		err := fs.WalkDir(t, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
				return err
			}
			b, err := fs.ReadFile(t, path)
			fmt.Fprintf(h, "%s %d\n", path, len(b))
			h.Write(b)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// layered shows the files of upper in place of those of lower.
type layered struct{ upper, lower fs.FS }

func (l layered) Open(name string) (fs.File, error) {
	if f, err := l.upper.Open(name); err == nil {
		if i, err := f.Stat(); err == nil && !i.IsDir() {
			return f, nil
		}
		f.Close()
	}
	f, err := l.lower.Open(name)
	if err != nil {
		return l.upper.Open(name)
	}
	return f, nil
}

// ReadDir gives the names of both.
func (l layered) ReadDir(name string) ([]fs.DirEntry, error) {
	up, err1 := fs.ReadDir(l.upper, name)
	low, err2 := fs.ReadDir(l.lower, name)
	if err1 != nil && err2 != nil {
		return nil, err2
	}
	all := slices.Clone(up)
	for _, d := range low {
		if !slices.ContainsFunc(up, func(u fs.DirEntry) bool { return u.Name() == d.Name() }) {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// flatten gives the single errors of a joined one.
func flatten(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}
