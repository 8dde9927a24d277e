package crisis_test

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	godiff "github.com/google/go-cmp/cmp"

	"trygg/flows"
)

var update = flag.Bool("update", false, "write what the reader finds in the dictionary")

// The lists of every inflected form in bokmål and nynorsk, of Debian's package
// wnorwegian.
var dictionaries = []string{"/usr/share/dict/bokmaal", "/usr/share/dict/nynorsk"}

const dictionaryFile = "testdata/dictionary.txt"

// TestCrisisEval_dictionary reads every word of a Norwegian dictionary, alone, as
// a child may type one. Which of them are heard as more than nothing stands in
// testdata/dictionary.txt, by the rule that hears them; docs/crisis.md says why.
func TestCrisisEval_dictionary(t *testing.T) {
	for _, name := range dictionaries {
		if _, err := os.Stat(name); err != nil {
			if os.Getenv("TRYGG_TEST_ALL") == "1" {
				t.Fatalf("the package wnorwegian is missing: %v", err)
			}
			t.Skipf("the package wnorwegian is missing: %v", err)
		}
	}
	r := mustReader(t)
	found := map[string][]string{}
	words, hits := 0, 0
	for i, name := range dictionaries {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if words++; words%everyWord != 0 {
				continue
			}
			word := latin1(lines.Bytes())
			u := r.Read(flows.NewWords(word))
			if u.Level == flows.None && !u.Help {
				continue
			}
			hits++
			says := u.Level.String()
			if u.Help {
				says += " help"
			}
			key := fmt.Sprintf("%s: %s", says, strings.Join(u.Why, " "))
			if i == 1 && slices.Contains(found[key], word) {
				continue
			}
			found[key] = append(found[key], word)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d words, %d of them heard", words, hits)

	var b strings.Builder
	fmt.Fprintf(&b, "# Words of a Norwegian dictionary that are heard when they stand alone, by the\n# level and what decided. All others are read as nothing.\n")
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, cmp.Compare)
	for _, key := range keys {
		slices.Sort(found[key])
		fmt.Fprintf(&b, "\n%s\n%s\n", key, strings.Join(found[key], "\n"))
	}
	if *update && everyWord == 1 {
		if err := os.WriteFile(dictionaryFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(dictionaryFile)
	if err != nil {
		t.Fatal(err)
	}
	if everyWord > 1 {
		listed := strings.Split(string(want), "\n")
		for key, list := range found {
			for _, word := range list {
				if !slices.Contains(listed, word) || !slices.Contains(listed, key) {
					t.Errorf("%q is heard (%s), and %s does not say so", word, key, dictionaryFile)
				}
			}
		}
		return
	}
	if diff := godiff.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("other words are heard than %s lists; look at each, then run the test with -update:\n%s", dictionaryFile, diff)
	}
}

// latin1 is text in the encoding of the dictionary.
func latin1(b []byte) string {
	rs := make([]rune, len(b))
	for i, c := range b {
		rs[i] = rune(c)
	}
	return string(rs)
}
