package flows_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"trygg/flows"
	"trygg/flows/content"
	"trygg/flows/content/data"
	"trygg/flows/crisis"
	"trygg/flows/routine"
	"trygg/flows/routine/desk"
	"trygg/flows/routine/search"
)

var update = flag.Bool("update", false, "write transcripts as they went")

// real gives the conversations that are compiled into the program.
func real(t testing.TB) (*flows.Library, *data.Data) {
	t.Helper()
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	var named []flows.Named
	for _, m := range d.Municipalities {
		named = append(named, flows.Named{Number: m.Number, Name: m.Name})
	}
	l, problems := flows.Load(content.Files, named)
	for _, p := range problems {
		t.Error(p)
	}
	if l == nil {
		t.FailNow()
	}
	return l, d
}

func TestTranscripts(t *testing.T) {
	l, d := real(t)
	reader, err := crisis.New()
	if err != nil {
		t.Fatal(err)
	}
	routines, problems := routine.Embedded(d)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	l.UseDesk(desk.New(routines))
	docs, terms := search.Documents(routines)
	index, err := search.New(docs, search.Options{Terms: terms, Crisis: reader})
	if err != nil {
		t.Fatal(err)
	}
	read := func(w flows.Words, s flows.Session) flows.Understanding {
		var u flows.Understanding
		if l.For(s) == flows.ForProfessional {
			u = index.Find(search.Query{Text: w, Lang: s.Locale, Role: s.Role, Tenant: s.Tenant}).Understanding()
		} else {
			u = reader.Read(w)
		}
		if p, ok := d.Find(w.Read()); ok {
			u.Place, u.Area = p.Number, p.Area
		}
		return u
	}
	files, _ := filepath.Glob("testdata/*/*.txt")
	if len(files) == 0 {
		t.Fatal("no transcripts")
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.Replay(want, read)
			if err != nil {
				t.Fatal(err)
			}
			if *update && !bytes.Equal(got, want) {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("went otherwise (-written +went):\n%s", d)
			}
		})
	}
}
