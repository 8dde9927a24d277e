//go:build ignore

// Gen writes api.txt, the table of methods and parameter types, from the Bot
// API specification as data:
//
//	BOT_API_SPEC=path/to/api.json go generate ./bot/telegram/faketelegram
//
// Without BOT_API_SPEC it reads the table that is there and writes it again in
// its one form, so that go generate leaves a clean tree everywhere.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
)

const table = "api.txt"

type spec struct {
	Version string
	Release string `json:"release_date"`
	Methods map[string]struct {
		Fields  []field
		Returns []string
	}
	Types map[string]struct {
		Fields   []field
		Subtypes []string
	}
}

type field struct {
	Name     string
	Types    []string
	Required bool
}

func main() {
	log.SetFlags(0)
	path := os.Getenv("BOT_API_SPEC")
	lines, err := fromTable()
	if path != "" {
		lines, err = fromSpec(path)
	}
	if err != nil {
		log.Fatal(err)
	}
	// The heading stays first; methods and types follow in order.
	slices.Sort(lines[1:])
	if err := os.WriteFile(table, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		log.Fatal(err)
	}
}

func fromTable() ([]string, error) {
	b, err := os.ReadFile(table)
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n"), nil
}

func fromSpec(path string) ([]string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s spec
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	lines := []string{fmt.Sprintf("# %s, %s. Written by gen.go: method, what it returns, its parameters (! = required); = starts a type.", s.Version, s.Release)}

	// Only types that can stand in a parameter are kept.
	var open []string
	reach := func(types []string) {
		for _, t := range types {
			t = strings.TrimPrefix(strings.ReplaceAll(t, "Array of ", ""), " ")
			open = append(open, t)
		}
	}
	for name, m := range s.Methods {
		l := []string{name, join(m.Returns)}
		for _, f := range m.Fields {
			l = append(l, f.String())
			reach(f.Types)
		}
		lines = append(lines, strings.Join(l, " "))
	}
	seen := map[string]bool{}
	for len(open) > 0 {
		name := open[0]
		open = open[1:]
		t, known := s.Types[name]
		if seen[name] || !known {
			continue
		}
		seen[name] = true
		if len(t.Subtypes) > 0 {
			lines = append(lines, "="+name+" "+join(t.Subtypes))
			reach(t.Subtypes)
			continue
		}
		l := []string{"=" + name}
		for _, f := range t.Fields {
			l = append(l, f.String())
			reach(f.Types)
		}
		lines = append(lines, strings.Join(l, " "))
	}
	return lines, nil
}

func (f field) String() string {
	mark := ""
	if f.Required {
		mark = "!"
	}
	return f.Name + mark + ":" + join(f.Types)
}

func join(types []string) string {
	return strings.ReplaceAll(strings.Join(types, "|"), "Array of ", "[]")
}
