package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Published says what was published last from a data folder, and the proof of
// help for it. It stands in front of the content itself, in one file, so that
// the program can go on with it when the content folder cannot be read or is
// broken at a start (D3).
type Published struct {
	Content string    `json:"content"` // names the content by what it says
	At      time.Time `json:"at"`
	Program string    `json:"program"`         // the version that published it
	Proof   *Proof    `json:"proof,omitempty"` // nil when help was not proved yet
}

// publishedName is the entry of the file that holds Published.
const publishedName = "published.json"

// Limits of the file, so that a broken one costs little.
const (
	mostPublished = 64 << 20 // bytes, packed or not
	mostEntries   = 10_000
)

var errNothingPublished = errors.New("nothing was published from here yet")

func (c Config) publishedFile() string { return filepath.Join(c.DataDir, "published.zip") }

// keep writes what is published to the data folder: whole, or not at all.
func (s *snapshot) keep(cfg Config) error {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	head, err := json.MarshalIndent(Published{Content: s.hash, At: s.published.UTC().Truncate(time.Second), Program: version(), Proof: s.proof}, "", "  ")
	if err == nil {
		err = pour(z, publishedName, head)
	}
	for _, tree := range treeNames {
		if err == nil {
			err = pourTree(z, tree.name, s.trees.open(tree.name))
		}
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	// The folder may have changed since it was read.
	packed, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		return err
	}
	if hash, err := (trees{packed: packed}).hash(); err != nil || hash != s.hash {
		return errors.Join(errors.New("the folder has changed since it was read"), err)
	}
	return replaceFile(cfg.publishedFile(), out.Bytes())
}

func pour(z *zip.Writer, name string, b []byte) error {
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

func pourTree(z *zip.Writer, name string, tree fs.FS) error {
	return fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		b, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		return pour(z, name+"/"+path, b)
	})
}

// replaceFile writes a file so that a crash leaves the old one or the new one.
func replaceFile(name string, b []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".published-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openPublished reads what was published last, and its files. They are as they
// were written, or there is an error.
func openPublished(cfg Config) (*Published, trees, error) {
	name := cfg.publishedFile()
	broken := func(err error) (*Published, trees, error) {
		return nil, trees{}, fmt.Errorf("%s cannot be used: %w", name, err)
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, trees{}, errNothingPublished
	} else if err != nil {
		return broken(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostPublished+1))
	if err != nil || len(b) > mostPublished {
		return broken(errors.Join(err, errTooLarge(len(b))))
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return broken(err)
	}
	size := uint64(0)
	for _, f := range z.File {
		size += f.UncompressedSize64
	}
	if len(z.File) > mostEntries || size > mostPublished {
		return broken(errTooLarge(mostPublished + 1))
	}
	var p Published
	head, err := fs.ReadFile(z, publishedName)
	if err == nil {
		err = json.Unmarshal(head, &p)
	}
	if err != nil {
		return broken(err)
	}
	t := trees{dir: name, packed: z}
	hash, err := t.hash()
	if err != nil {
		return broken(err)
	}
	if hash != p.Content {
		return broken(errors.New("its files are not those that were written"))
	}
	return &p, t, nil
}

func errTooLarge(n int) error {
	if n > mostPublished {
		return fmt.Errorf("it is larger than %d MiB", mostPublished>>20)
	}
	return nil
}

// lastPublished gives what was published last as it can be published again.
func lastPublished(cfg Config) (*snapshot, error) {
	p, t, err := openPublished(cfg)
	if err != nil {
		return nil, err
	}
	r := readContent(t)
	s := r.snapshot()
	if s == nil {
		return nil, fmt.Errorf("%s does not fit this program: %s", cfg.publishedFile(), r.findings.sorted()[0])
	}
	s.published = p.At
	if p.proves(s) {
		s.proof = p.Proof
	}
	return s, nil
}

// proves tells whether help was proved for some content by this very program. One
// that was built from changed files, or from none that are known, has no name of
// its own, so its proofs hold for one run.
func (p *Published) proves(s *snapshot) bool {
	named := !strings.Contains(p.Program, "+dirty") && !strings.Contains(p.Program, "(devel)") && p.Program != "unknown"
	return p.Proof != nil && p.Proof.Holds && p.Proof.Content == s.hash && p.Program == version() && named
}

// first gives what the program starts with: the content of its folder; when that
// cannot be read or is broken, what was published last, and says so; else nothing.
func (s *service) first(ctx context.Context, out io.Writer) (*snapshot, error) {
	snap, problems := s.load(ctx, out, 0)
	if len(problems) == 0 {
		return snap, nil
	}
	for _, p := range problems {
		fmt.Fprintln(out, p)
	}
	if s.cfg.ContentDir == "" || ctx.Err() != nil {
		return nil, fmt.Errorf("the content has %d %s, so nothing is started", len(problems), plural(len(problems), "problem", "problems"))
	}
	snap, err := lastPublished(s.cfg)
	if err != nil {
		return nil, fmt.Errorf("the content has %d %s, and there is no earlier one to go on with (%w), so nothing is started", len(problems), plural(len(problems), "problem", "problems"), err)
	}
	s.metrics.reloads.WithLabelValues("refused").Inc()
	s.log.Error("reload", "event", "reload", "outcome", "refused")
	fmt.Fprintf(out, "Content:   %d %s, so what was published on %s goes on\n", len(problems), plural(len(problems), "problem", "problems"), snap.published.Format(time.DateTime))
	return snap, nil
}

// load reads the content and, where it is from a folder, sees to it that help is
// proved for it: by this program before, or now, on so many processors (0 = all).
// What is compiled in was proved when the program was built; it is published
// first, and proved again later.
func (s *service) load(ctx context.Context, out io.Writer, workers int) (*snapshot, []error) {
	snap, problems := loadSnapshot(s.cfg.ContentDir)
	if len(problems) > 0 {
		var errs []error
		for _, p := range problems {
			errs = append(errs, errors.New(p.String()))
		}
		return nil, errs
	}
	snap.published = time.Now()
	if snap.asks != nil {
		// Built now, so that nobody waits for it, and bad data is told here.
		if _, err := snap.asks(); err != nil {
			return nil, []error{fmt.Errorf("search over routines: %w", err)}
		}
	}
	if last, _, err := openPublished(s.cfg); err == nil && last.proves(snap) {
		snap.proof = last.Proof
	}
	if s.prove != nil && snap.proof == nil && s.cfg.ContentDir != "" {
		fmt.Fprintln(out, "Content:   new, so that help is always there is proved first")
		proof, found := s.prove(snap, ctx, workers)
		if len(found) > 0 {
			return nil, found.errs()
		}
		snap.proof = proof
	}
	return snap, nil
}

// prove proves help for a snapshot.
func (s *snapshot) prove(ctx context.Context, workers int) (*Proof, findings) {
	return prove(ctx, s, proofOptions{trees: s.trees, workers: workers})
}

func (fs findings) errs() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = errors.New(f.String())
	}
	return errs
}

// kept writes what is published to the data folder. Where that fails everything
// goes on; only a later start has nothing to fall back to, and is told now.
func (s *service) kept(out io.Writer, snap *snapshot) {
	if last, _, err := openPublished(s.cfg); err == nil && last.Content == snap.hash && last.Program == version() && (snap.proof == nil || last.Proof != nil && *last.Proof == *snap.proof) {
		return
	}
	if err := snap.keep(s.cfg); err != nil {
		fmt.Fprintf(out, "Content:   it could not be kept for a start without its folder: %v\n", err)
		s.log.Error("keep", "event", "keep", "outcome", "failed")
	}
}

// proveLater proves help for what was published without a proof, beside the
// chats and on one processor, and keeps the proof.
func (s *service) proveLater(ctx context.Context, out io.Writer) {
	snap := s.current()
	if s.prove == nil || snap.proof != nil {
		return
	}
	proved := *snap
	var found findings
	proved.proof, found = s.prove(snap, ctx, 1)
	if ctx.Err() != nil {
		return
	}
	if len(found) > 0 {
		fmt.Fprintf(out, "Content:   help is NOT always there\n%v\n", errors.Join(found.errs()...))
		s.log.Error("proof", "event", "proof", "outcome", "failed")
		return
	}
	s.mu.Lock()
	same := s.snap == snap
	if same {
		s.snap = &proved
	}
	s.mu.Unlock()
	if same {
		s.kept(out, &proved)
	}
}

// printPublished says what was published last from the data folder, and how it
// stands to the content that was just looked at.
func printPublished(out io.Writer, cfg Config, hash string) {
	p, _, err := openPublished(cfg)
	if err != nil {
		fmt.Fprintf(out, "Published: %v (TRYGG_DATA_DIR is %s)\n", err, cfg.DataDir)
		return
	}
	which := "this content"
	if p.Content != hash {
		which = "OTHER content than was looked at here"
	}
	fmt.Fprintf(out, "Published: content %s at %s by trygg %s: %s\n", p.Content, p.At.Format(time.DateTime), p.Program, which)
	switch {
	case p.Proof == nil:
		fmt.Fprintln(out, "Published: without a proof of help so far")
	case p.Proof.Content != p.Content:
		fmt.Fprintf(out, "Published: its proof of help belongs to OTHER content, %s\n", p.Proof.Content)
	default:
		p.Proof.print(out)
	}
}
