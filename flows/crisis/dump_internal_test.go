package crisis

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trygg/flows"
)

func TestDump(t *testing.T) {
	out := os.Getenv("DUMP")
	if out == "" {
		t.Skip()
	}
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, maxConcepts)
	for n, c := range r.x.concepts {
		names[c] = n
	}
	f, _ := os.Create(out)
	defer f.Close()
	enc := json.NewEncoder(f)
	var files []string
	for _, g := range []string{"data/examples/*.txt", "testdata/dev/*.txt", "testdata/everyday/*-dev.txt"} {
		m, _ := filepath.Glob(g)
		files = append(files, m...)
	}
	for _, name := range files {
		b, _ := os.ReadFile(name)
		text := string(b)
		if strings.Contains(name, "everyday") {
			text = "# everyday\n" + text
		}
		ss, err := ParseSentences(strings.NewReader(text), filepath.Base(name), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, sn := range ss {
			s := &scratch{}
			r.analyse(s, sn.Words.Read())
			var toks [][]string
			for _, tk := range s.tokens {
				var fs []string
				fs = append(fs, "w:"+string(s.runes[tk.from:tk.to]))
				for _, id := range tk.ids[:tk.n] {
					fs = append(fs, "e:"+string(r.x.entries[id].runes))
				}
				if tk.quiet {
					fs = append(fs, "c:QUIET")
				}
				if tk.denied {
					fs = append(fs, "c:DENIED")
				}
				for c := range each(&tk.base) {
					fs = append(fs, "c:"+names[c])
				}
				toks = append(toks, fs)
			}
			u := r.Read(sn.Words)
			s0 := &scratch{}
			var ru flows.Understanding
			r.analyse(s0, sn.Words.Read())
			r.rules(s0, &ru)
			enc.Encode(map[string]any{"file": filepath.Base(name), "kind": sn.Kind, "topics": sn.Topics, "toks": toks, "level": int(u.Level), "got": u.Topics, "rl": int(ru.Level), "rt": ru.Topics, "why": ru.Why, "soft": s0.soft, "text": sn.Words.Read()})
		}
	}
}
