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
	"slices"
	"strings"

	"trygg/flows"
	"trygg/flows/crisis"
)

type understandCmd struct {
	Score string `help:"Measure on the sentences of a file, JSON lines with level, kind or topic, or in the format of flows/crisis/testdata, and print the rates instead." type:"existingfile" placeholder:"FILE"`

	in io.Reader
}

func (understandCmd) Help() string {
	return `Reads JSON lines {"id":…,"lang":…,"text":…} and writes one line each, {"id":…,"level":…,"topic":…,"why":[…]}, in the same order, as the bot would read the words. Nothing is kept. docs/crisis.md says how to measure on sentences of your own.`
}

// sentence is a line that comes in. What it should be read as is for -score.
type sentence struct {
	ID     json.RawMessage `json:"id"`
	Lang   string          `json:"lang"`
	Text   string          `json:"text"`
	Level  string          `json:"level"`
	Kind   string          `json:"kind"`
	Voice  string          `json:"voice"`
	Topic  string          `json:"topic"`
	Topics []string        `json:"topics"`
}

// understood is a line that goes out.
type understood struct {
	ID    json.RawMessage `json:"id"`
	Level string          `json:"level"`
	Topic string          `json:"topic"`
	Why   []string        `json:"why"`
}

// maxLine bounds one line of JSON; a message has at most 4,096 characters.
const maxLine = 1 << 20

func (c *understandCmd) Run(out io.Writer) error {
	r, err := crisisReader()
	if err != nil {
		return fmt.Errorf("crisis words: %w", err)
	}
	if c.Score != "" {
		return score(out, r, c.Score)
	}
	in := c.in
	if in == nil {
		in = os.Stdin
	}
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err = eachSentence(in, func(s sentence) error {
		u := r.Read(flows.NewWords(s.Text))
		line := understood{ID: s.ID, Level: u.Level.String(), Topic: "other", Why: u.Why}
		if len(line.ID) == 0 {
			line.ID = json.RawMessage("null")
		}
		if len(u.Topics) > 0 {
			line.Topic = u.Topics[0]
		}
		if line.Why == nil {
			line.Why = []string{}
		}
		return enc.Encode(line)
	})
	return errors.Join(err, w.Flush())
}

// eachSentence reads JSON lines. An error names the line, never what it holds.
func eachSentence(in io.Reader, use func(sentence) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) == 0 {
			continue
		}
		var s sentence
		if err := json.Unmarshal(line, &s); err != nil {
			return fmt.Errorf("line %d is not a JSON object with id, lang and text", n)
		}
		if err := use(s); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading sentences: %w", err)
	}
	return nil
}

// score measures on the sentences of a file.
func score(out io.Writer, r *crisis.Reader, name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var sentences []crisis.Sentence
	if strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff")), "{") {
		err = eachSentence(bytes.NewReader(b), func(s sentence) error {
			kind, err := s.kind()
			if err != nil {
				return err
			}
			e := crisis.Sentence{ID: strings.Trim(string(s.ID), `"`), Lang: s.Lang, Kind: kind, Voice: s.Voice, Topics: s.Topics, Words: flows.NewWords(s.Text)}
			if s.Topic != "" {
				e.Topics = append(e.Topics, strings.FieldsFunc(s.Topic, func(c rune) bool { return c == '|' || c == ',' || c == ' ' })...)
			}
			sentences = append(sentences, e)
			return nil
		})
	} else {
		lang, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)), "-")
		sentences, err = crisis.ParseSentences(bytes.NewReader(b), lang, filepath.Base(name))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(sentences) == 0 {
		return fmt.Errorf("%s: no sentences", name)
	}
	rep := crisis.Evaluate(r, sentences)
	fmt.Fprint(out, rep)
	if len(rep.Misses) > 0 {
		fmt.Fprintf(out, "\nread otherwise than expected: %s\n", strings.Join(rep.Misses, " "))
	}
	return nil
}

// kind is what a sentence stands for: its kind where one is given, else its level.
func (s sentence) kind() (string, error) {
	for _, name := range []string{s.Kind, s.Level} {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case name == "":
		case slices.Contains(crisis.Kinds, name):
			return name, nil
		case name == "none":
			return crisis.KindEveryday, nil
		}
	}
	return "", fmt.Errorf("sentence %s: want a level (acute, disclosure, worry, none) or a kind (%s)", s.ID, strings.Join(crisis.Kinds, ", "))
}
