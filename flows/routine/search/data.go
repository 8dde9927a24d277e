package search

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"trygg/flows/yamlfile"
)

//go:embed data
var embedded embed.FS

// wordsFile is data/words.yaml.
type wordsFile struct {
	Stop     map[string]string      `yaml:"stop"`
	Pairs    string                 `yaml:"pairs"`
	Parts    string                 `yaml:"parts"`
	Concepts map[string]conceptFile `yaml:"concepts"`
}

type conceptFile struct {
	Core    bool     `yaml:"core"`
	Instead bool     `yaml:"instead"`
	Also    []string `yaml:"also"`
	NO      string   `yaml:"no"`
	EN      string   `yaml:"en"`
	At      yamlfile.Place
}

// entriesFile is any of the files with entries.
type entriesFile struct {
	Entries []entryFile `yaml:"entries"`
	Outside asked       `yaml:"outside"`
}

type entryFile struct {
	ID   string   `yaml:"id"`
	Cues []string `yaml:"cues"`
	NB   []string `yaml:"nb"`
	NN   []string `yaml:"nn"`
	EN   []string `yaml:"en"`
	At   yamlfile.Place
}

type asked struct {
	NB []string `yaml:"nb"`
	NN []string `yaml:"nn"`
	EN []string `yaml:"en"`
}

// namesFile is data/names.yaml.
type namesFile struct {
	Names   []string `yaml:"names"`
	Also    []string `yaml:"also_words"`
	Streets []string `yaml:"streets"`
}

var entryFiles = []string{"routines.yaml", "law.yaml", "resources.yaml", "answers.yaml", "outside.yaml"}

func read(fsys fs.FS, name string, dst any) error {
	b, err := fs.ReadFile(fsys, "data/"+name)
	if err != nil {
		return err
	}
	f := &yamlfile.File{Name: name}
	if root, ok := f.Parse(b); ok {
		root.Into(name, dst)
	}
	if len(f.Problems) > 0 {
		return fmt.Errorf("%s", f.Problems[0])
	}
	return nil
}

// askedQuestions reads data/asked: questions with what should be found, each an
// example.
func askedQuestions(fsys fs.FS) ([]Question, error) {
	names, err := fs.Glob(fsys, "data/asked/*.jsonl")
	if err != nil {
		return nil, err
	}
	var all []Question
	for _, name := range names {
		f, err := fsys.Open(name)
		if err != nil {
			return nil, err
		}
		qs, err := ReadQuestions(f, name)
		f.Close()
		if err != nil {
			return nil, err
		}
		all = append(all, qs...)
	}
	return all, nil
}

// cue is a few concepts that together speak for an entry.
type cue struct {
	id     string
	groups [][]int32
	not    []int32
	weight float64
}

func (x *lexicon) cue(id, text string) (cue, error) {
	c := cue{id: id, weight: 1}
	if i := strings.LastIndexByte(text, '*'); i >= 0 {
		w, err := strconv.ParseFloat(text[i+1:], 64)
		if err != nil {
			return c, fmt.Errorf("%s: %q: want a number after *", id, text)
		}
		c.weight, text = w, text[:i]
	}
	for _, field := range strings.Fields(text) {
		names, not := strings.CutPrefix(field, "!")
		var group []int32
		for _, name := range strings.Split(names, "|") {
			n, ok := x.byName[name]
			if !ok {
				return c, fmt.Errorf("%s: %q is not a concept of words.yaml%s", id, name, yamlfile.Suggest(name, x.names))
			}
			group = append(group, n)
		}
		if not {
			c.not = append(c.not, group...)
		} else {
			c.groups = append(c.groups, group)
		}
	}
	if len(c.groups) == 0 {
		return c, fmt.Errorf("%s: %q: no concept", id, text)
	}
	return c, nil
}
