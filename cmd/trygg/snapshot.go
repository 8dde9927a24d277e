package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"trygg/bot"
	"trygg/flows"
	"trygg/flows/card"
	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/locales"
)

// snapshot is everything that is published together: conversations, texts,
// numbers, and the card made from them (D3).
type snapshot struct {
	library  *flows.Library
	texts    *locales.Bundle
	data     *data.Data
	routines *routine.Catalogue // for professionals
	card     *card.Card
	hash     string
	trees    trees // its files

	// asks is made when it is needed for the first time; nil = no routines.
	asks func() (*asks, error)

	published time.Time
	proof     *Proof // nil when help was not proved for it yet
}

// loadSnapshot reads the compiled-in content with the files of dir, when given,
// in place of those of the same name: dir/flows/*.yaml, dir/locales/<tag>/*.yaml,
// dir/data/*.yaml, and the routines of dir/routines laid over them. It is checked as a whole; with any problem there is none.
func loadSnapshot(dir string) (*snapshot, []flows.Problem) {
	r := readContent(openTrees(dir))
	if s := r.snapshot(); s != nil {
		return s, nil
	}
	return nil, r.findings.sorted().problems()
}

// content gives the snapshot as the bot takes it.
func (s *snapshot) content(drafts bool) *bot.Content {
	on := map[string]bool{}
	for _, l := range s.texts.Languages() {
		on[l.Tag] = l.Always || drafts
	}
	c := &bot.Content{
		Library: s.library, Texts: s.texts, Card: s.card, Locales: on, Hash: s.hash,
		Switches: func(tenant string) map[string]bool {
			m, _ := s.data.Municipality(tenant)
			return m.Switches
		},
	}
	if s.asks != nil {
		c.Ask = s.ask
	}
	return c
}

// ask reads a question asked at the desk. The search was built when the snapshot
// was published, so that it fails there and not here.
func (s *snapshot) ask(w flows.Words, at flows.Session) flows.Understanding {
	a, err := s.asks()
	if err != nil {
		return flows.Understanding{}
	}
	return a.Read(w, at)
}

// reads gives the reader of typed words for a chat that stands somewhere.
func (s *snapshot) reads(child bot.Reader) func(flows.Words, flows.Session) flows.Understanding {
	return func(w flows.Words, at flows.Session) flows.Understanding {
		if s.asks != nil && s.library.For(at) == flows.ForProfessional {
			return s.ask(w, at)
		}
		return child.Read(w)
	}
}

// hashOf names content by what it says.
func hashOf(trees ...fs.FS) (string, error) {
	h := sha256.New()
	for _, t := range trees {
		err := fs.WalkDir(t, ".", func(path string, d fs.DirEntry, err error) error {
			if path == "." && errors.Is(err, fs.ErrNotExist) {
				return nil // a tree that is not there says nothing
			}
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
	f, err := l.upper.Open(name)
	if err == nil {
		if i, err := f.Stat(); err == nil && !i.IsDir() {
			return f, nil
		}
		f.Close()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err // a file that cannot be read is not the same as none
	}
	if f, err := l.lower.Open(name); err == nil {
		return f, nil
	}
	return l.upper.Open(name)
}

// ReadDir gives the names of both.
func (l layered) ReadDir(name string) ([]fs.DirEntry, error) {
	up, err1 := fs.ReadDir(l.upper, name)
	low, err2 := fs.ReadDir(l.lower, name)
	switch {
	case err1 != nil && !errors.Is(err1, fs.ErrNotExist):
		return nil, err1
	case err1 != nil && err2 != nil:
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
