package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"trygg/flows"
	"trygg/flows/content/data"
	"trygg/flows/routine"
	"trygg/flows/routine/search"
)

// routinesCmd is `trygg routines`.
type routinesCmd struct {
	Find routinesFindCmd `cmd:"" help:"Find routines, law, time limits, resources and words for questions: JSON lines in, JSON lines out."`
}

// routinesFindCmd is `trygg routines find`.
type routinesFindCmd struct {
	Score string `help:"Ask the questions of FILE, which say under \"want\" what should be found, and print how well it went." placeholder:"FILE" type:"existingfile"`
	Why   bool   `help:"Also say how well each result fits, and what decided."`

	in io.Reader
}

// asked is a line in, and found a line out.
type asked struct {
	ID   string `json:"id"`
	Lang string `json:"lang"`
	Role string `json:"role"`
	Text string `json:"text"`
}

type found struct {
	ID      string   `json:"id"`
	Results []string `json:"results"`
	*why
}

type why struct {
	Scores      []float64 `json:"scores"`
	Unsure      bool      `json:"unsure"`
	Danger      bool      `json:"danger"`
	FirstPerson bool      `json:"first_person"`
	Dropped     []string  `json:"dropped,omitempty"`
	Why         []string  `json:"why"`
}

// longestQuestion is the longest line that is read.
const longestQuestion = 1 << 20

// Run answers the questions on standard input, or measures those of a file.
func (c routinesFindCmd) Run(out io.Writer, cfg Config) error {
	ix, err := routineIndex(cfg)
	if err != nil {
		return err
	}
	if c.Score != "" {
		return c.score(ix, out)
	}
	in := c.in
	if in == nil {
		in = os.Stdin
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), longestQuestion)
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var q asked
		if json.Unmarshal(lines.Bytes(), &q) != nil {
			// What the line says is not repeated: it may be somebody's words (S9).
			return errors.Join(fmt.Errorf(`line %d: want a JSON object {"id", "lang", "role", "text"}`, n), w.Flush())
		}
		r := ix.Find(search.Query{Text: flows.NewWords(q.Text), Lang: q.Lang, Role: q.Role})
		f := found{ID: q.ID, Results: r.IDs}
		if f.Results == nil {
			f.Results = []string{}
		}
		if c.Why {
			f.why = &why{append([]float64{}, r.Scores...), r.Unsure, r.Danger, r.FirstPerson, r.Dropped, append([]string{}, r.Why...)}
		}
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return errors.Join(fmt.Errorf("read questions: %w", err), w.Flush())
	}
	return w.Flush()
}

func (c routinesFindCmd) score(ix *search.Index, out io.Writer) error {
	f, err := os.Open(c.Score)
	if err != nil {
		return err
	}
	defer f.Close()
	qs, err := search.ReadQuestions(f, filepath.Base(c.Score))
	if err != nil {
		return err
	}
	r := search.Evaluate(ix, qs)
	fmt.Fprintf(out, "%d questions\n\n%s", len(qs), r)
	if len(r.Misses) > 0 {
		fmt.Fprintf(out, "\nnot first, or found where nothing fits:\n")
	}
	for _, m := range r.Misses {
		fmt.Fprintf(out, "  %s\n", m)
	}
	return nil
}

// routineIndex builds the search over the routines this program serves.
func routineIndex(Config) (*search.Index, error) {
	d, err := data.Embedded()
	if err != nil {
		return nil, err
	}
	c, problems := routine.Embedded(d)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the routines have %d problems, the first: %s", len(problems), problems[0])
	}
	docs, terms := search.Documents(c)
	return search.New(docs, search.Options{Terms: terms})
}
