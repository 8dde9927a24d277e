package crisis_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trygg/flows/crisis"
)

// mustSentences reads the sentences of one half: testdata/<half>/<lang>.txt and
// the everyday sentences testdata/everyday/<lang>-<half>.txt.
func mustSentences(t testing.TB, half string) []crisis.Sentence {
	t.Helper()
	var all []crisis.Sentence
	files, err := filepath.Glob(filepath.Join("testdata", half, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sentences in testdata/%s: %v", half, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		lang := strings.TrimRight(strings.TrimSuffix(filepath.Base(name), ".txt"), "0123456789")
		s, err := crisis.ParseSentences(f, lang, filepath.Base(name))
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s...)
	}
	files, err = filepath.Glob(filepath.Join("testdata", "everyday", "*-"+half+".txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no everyday sentences for %s: %v", half, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lang, _, _ := strings.Cut(filepath.Base(name), "-")
		s, err := crisis.ParseSentences(strings.NewReader("# everyday\n"+string(b)), lang, filepath.Base(name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s...)
	}
	return all
}

func TestEvaluation(t *testing.T) {
	r := mustReader(t)
	for _, half := range []string{"dev"} {
		rep := crisis.Evaluate(r, mustSentences(t, half))
		t.Logf("%s half:\n%s", half, rep)
	}
}

func TestMisses(t *testing.T) {
	half := os.Getenv("MISSES")
	if half == "" {
		t.Skip()
	}
	r := mustReader(t)
	want := os.Getenv("LANGS")
	for _, s := range mustSentences(t, half) {
		if want != "" && !strings.Contains(want, s.Lang) {
			continue
		}
		rep := crisis.Evaluate(r, []crisis.Sentence{s})
		if len(rep.Misses) > 0 {
			u := r.Read(s.Words)
			t.Logf("%-10s %v -> %-10s %v %v | %s", s.Kind, s.Topics, u.Level, u.Topics, u.Why, s.Words.Read())
		}
	}
}
