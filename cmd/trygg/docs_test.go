package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"trygg/store"
)

var update = flag.Bool("update", false, "write documents that are made from the program")

// The privacy page holds the table of all records as the program has it (S37,
// S44).
func TestPrivacyPageMatchesTheTableOfRecords(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Record | What it is | Kept | Sealed | About a child | Gone when the child erases |\n| --- | --- | --- | --- | --- | --- |\n")
	yes := map[bool]string{true: "yes", false: "no"}
	for _, l := range store.Lifetimes() {
		kept := span(l.Life)
		if l.Total > l.Life {
			kept += " after the last press, " + span(l.Total) + " in all"
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s | %s |\n", l.Name, l.What, kept, yes[l.Sealed], yes[l.Child], yes[l.Erased])
	}
	page, err := os.ReadFile("../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?s)(<!-- records:[^\n]*-->\n).*?(<!-- end -->)`)
	want := block.ReplaceAllString(string(page), "${1}"+strings.ReplaceAll(table.String(), "$", "$$")+"${2}")
	if want == string(page) {
		return
	}
	if *update {
		if err := os.WriteFile("../../docs/privacy.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("docs/privacy.md is not what the program keeps; want\n%s", table.String())
}

func span(d time.Duration) string {
	switch {
	case d%time.Hour == 0 && d > time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d == time.Hour:
		return "1 hour"
	case d == time.Minute:
		return "1 minute"
	}
	return fmt.Sprintf("%d minutes", d/time.Minute)
}

// Every path the documents name is there.
func TestDocumentsNameWhatExists(t *testing.T) {
	for _, doc := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile("../../" + doc)
		if err != nil {
			t.Fatal(err)
		}
		paths := regexp.MustCompile("`((?:bot|flows|locales|store|cmd|docs|deploy|tools)(?:/[\\w./-]+)?)`|\\]\\(([\\w./-]+)\\)").FindAllStringSubmatch(string(text), -1)
		if len(paths) == 0 {
			t.Errorf("%s names nothing", doc)
		}
		for _, m := range paths {
			p := m[1] + m[2]
			if _, err := os.Stat("../../" + p); err != nil {
				t.Errorf("%s names %s, which is not there", doc, p)
			}
		}
	}
}
