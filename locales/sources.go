package locales

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Origins say what the texts of a language were made from: for each, a hash of
// the text in nb as it was then, and of the translation itself. They stand in
// sources/<tag>.txt, a line a text, and are written by tools only: by
// `trygg check --record` and by the import of a translator's file.
type Origins map[string]Origin

// Origin is what one text was made from.
type Origin struct{ From, Own string }

// OriginsFile is where the sources of a language stand, below the texts.
func OriginsFile(tag string) string { return "sources/" + tag + ".txt" }

const originsHead = "# What each text of %s was made from: a hash of the text in nb, and of its own\n# text. Written by `trygg check --record`, never by hand.\n"

// LoadOrigins reads the sources of a language. A language that has none has
// nothing to be held against.
func LoadOrigins(fsys fs.FS, tag string) (Origins, []Problem) {
	s := Origins{}
	raw, err := fs.ReadFile(fsys, OriginsFile(tag))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	f := &file{name: OriginsFile(tag)}
	if err != nil {
		f.tell(0, 0, "", "cannot be read: %v", err)
		return s, f.problems
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0 || words[0][0] == '#':
		case len(words) != 3:
			f.tell(n, 0, "", "want a text, a hash of its source and a hash of its own: this file is written by trygg check --record")
		default:
			s[words[0]] = Origin{words[1], words[2]}
		}
	}
	if err := lines.Err(); err != nil {
		f.tell(0, 0, "", "cannot be read: %v", err)
	}
	return s, f.problems
}

// Write writes the sources of a language, in the order of their names.
func (s Origins) Write(w io.Writer, tag string) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, originsHead, tag)
	for _, key := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&out, "%s %s %s\n", key, s[key].From, s[key].Own)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// Origin gives what an entry is made from as things are now. False: nb has no
// such text.
func (b *Bundle) Origin(tag string, e Entry) (Origin, bool) {
	if tag == Source {
		return Origin{}, false
	}
	h := sha256.New()
	found := false
	for _, band := range b.serves(tag, e) {
		// The raw texts: a number that is corrected makes nothing stale.
		if s, ok := b.raw(e.ID, band); ok {
			found = true
			fmt.Fprintf(h, "%d:%s", len(s), s)
		}
	}
	own := sha256.New()
	io.WriteString(own, e.Raw)
	for _, form := range formOrder {
		io.WriteString(own, "\x00"+e.Forms[form])
	}
	return Origin{short(h.Sum(nil)), short(own.Sum(nil))}, found
}

func short(sum []byte) string { return hex.EncodeToString(sum[:4]) }

// raw gives the text of nb that a band reads, with its placeholders.
func (b *Bundle) raw(id, band string) (string, bool) {
	t := b.byTag[Source]
	if i, ok := t.at[id+"@"+band]; ok {
		return t.entries[i].Raw, true
	}
	if i, ok := t.at[id]; ok {
		return t.entries[i].Raw, true
	}
	return "", false
}

// serves gives the bands that read an entry.
func (b *Bundle) serves(tag string, e Entry) []string {
	if e.Band != "" {
		return []string{e.Band}
	}
	t := b.byTag[tag]
	return slices.DeleteFunc(slices.Clone(Bands), func(band string) bool {
		_, own := t.byBand[band][e.ID]
		return own
	})
}

// Record gives the sources of a language as things are now: every translation
// is taken to fit its source.
func (b *Bundle) Record(tag string) Origins {
	s := Origins{}
	for _, e := range b.Entries(tag) {
		if from, ok := b.Origin(tag, e); ok {
			s[e.Key()] = from
		}
	}
	return s
}

// stale finds the translations whose source has changed since, while they have
// not. Those that nobody has recorded are only counted, a file at a time.
func (b *Bundle) stale(fsys fs.FS, tag string, used func(id string) bool) (stale, unrecorded []Problem) {
	was, problems := LoadOrigins(fsys, tag)
	stale = append(stale, problems...)
	news := map[string]int{}
	if !b.Language(tag).Always {
		// What was translated once and is gone: nb would stand in without a word.
		for _, key := range slices.Sorted(maps.Keys(was)) {
			id, _, _ := strings.Cut(key, "@")
			_, here := b.byTag[tag].at[key]
			_, source := b.byTag[Source].at[key]
			if !here && used(id) && (source || b.hasSource(id) && len(b.Lacks(tag, id)) > 0) {
				stale = append(stale, Problem{File: OriginsFile(tag), Rule: "gone", Text: fmt.Sprintf(
					"%q was translated and is gone: bring it back, or run trygg check --record when it is meant to be in nb only", key)})
			}
		}
	}
	for _, e := range b.Entries(tag) {
		now, ok := b.Origin(tag, e)
		switch then, known := was[e.Key()]; {
		case !ok:
		case !known, then.From != now.From && then.Own != now.Own:
			news[e.File]++
		case then.From != now.From:
			stale = append(stale, Problem{File: e.File, Line: e.Line, Column: e.Column, Rule: "stale", Text: fmt.Sprintf(
				"%q is older than the text it was made from, which has changed in nb: bring it up to date, or run trygg check --record when it still fits", e.Key())})
		}
	}
	for _, file := range slices.Sorted(maps.Keys(news)) {
		unrecorded = append(unrecorded, Problem{File: file, Rule: "unrecorded", Text: fmt.Sprintf(
			"%d %s changed or new since it was last said what they are made from: run trygg check --record when they fit nb", news[file], one(news[file], "text is", "texts are"))})
	}
	return stale, unrecorded
}
