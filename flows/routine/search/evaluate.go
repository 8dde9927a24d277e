package search

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"trygg/flows"
	"trygg/flows/crisis"
)

// Question is a question with what should be found for it: any of Want first;
// none = nothing fits. Questions are invented; nothing anybody typed to us is
// ever one (S9).
type Question struct {
	ID   string
	Lang string
	Role string
	Text flows.Words
	Want []string
}

// Query gives the question as it is asked.
func (q Question) Query() Query { return Query{Text: q.Text, Lang: q.Lang, Role: q.Role} }

// ReadQuestions reads one JSON object a line: {"id", "lang", "role", "text",
// "want"}. name stands in the errors, which never hold what a line says.
func ReadQuestions(r io.Reader, name string) ([]Question, error) {
	var out []Question
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var l struct {
			ID, Lang, Role, Text string
			Want                 []string
		}
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			return nil, fmt.Errorf("%s:%d: want a JSON object {\"id\", \"lang\", \"role\", \"text\"}", name, n)
		}
		out = append(out, Question{l.ID, l.Lang, l.Role, flows.NewWords(l.Text), l.Want})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// Measure is how well questions of one language, or all, were answered.
type Measure struct {
	First, Three crisis.Rate // the right one first, among the first three
	Reciprocal   float64     // the mean of one through the place of the right one
	Outside      crisis.Rate // nothing found where nothing fits
	Asked        crisis.Rate // nothing found where something fits
	Unsure       crisis.Rate
}

// Miss is a question that was not answered right at once.
type Miss struct {
	ID, Lang  string
	Want, Got []string
}

// Report is what an evaluation measured.
type Report struct {
	All    Measure
	Langs  map[string]Measure
	Misses []Miss
}

// Evaluate asks an index all questions.
func Evaluate(ix *Index, qs []Question) Report {
	r := Report{Langs: map[string]Measure{}}
	sums := map[string]float64{}
	for _, q := range qs {
		got := ix.Find(q.Query())
		place := slices.IndexFunc(got.IDs, func(id string) bool { return slices.Contains(q.Want, id) })
		count := func(m *Measure, key string) {
			if len(q.Want) == 0 {
				m.Outside.Of++
				if len(got.IDs) == 0 {
					m.Outside.Hits++
				}
				return
			}
			m.First.Of, m.Three.Of, m.Asked.Of, m.Unsure.Of = m.First.Of+1, m.Three.Of+1, m.Asked.Of+1, m.Unsure.Of+1
			if place == 0 {
				m.First.Hits++
			}
			if place >= 0 {
				sums[key] += 1 / float64(place+1)
				if place < 3 {
					m.Three.Hits++
				}
			}
			if len(got.IDs) == 0 {
				m.Asked.Hits++
			}
			if got.Unsure {
				m.Unsure.Hits++
			}
			m.Reciprocal = sums[key] / float64(m.First.Of)
		}
		count(&r.All, "")
		m := r.Langs[q.Lang]
		count(&m, q.Lang+" ")
		r.Langs[q.Lang] = m
		if len(q.Want) == 0 && len(got.IDs) > 0 || len(q.Want) > 0 && place != 0 {
			r.Misses = append(r.Misses, Miss{q.ID, q.Lang, q.Want, got.IDs})
		}
	}
	return r
}

// String is the report as a table, without the misses.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-5s %-26s %-26s %-6s %-26s %-10s %s\n", "", "recall@1", "recall@3", "MRR", "outside empty", "no answer", "unsure")
	row := func(name string, m Measure) {
		fmt.Fprintf(&b, "%-5s %-26s %-26s %.3f  %-26s %-10s %s\n", name, m.First, m.Three, m.Reciprocal, m.Outside, short(m.Asked), short(m.Unsure))
	}
	for _, l := range []string{"nb", "nn", "en"} {
		if m, ok := r.Langs[l]; ok {
			row(l, m)
		}
	}
	var rest []string
	for l := range r.Langs {
		if l != "nb" && l != "nn" && l != "en" {
			rest = append(rest, l)
		}
	}
	slices.Sort(rest)
	for _, l := range rest {
		row(l, r.Langs[l])
	}
	row("all", r.All)
	return b.String()
}

func short(r crisis.Rate) string { return fmt.Sprintf("%d/%d", r.Hits, r.Of) }

func (m Miss) String() string {
	want, got := "nothing", "nothing"
	if len(m.Want) > 0 {
		want = strings.Join(m.Want, " or ")
	}
	if len(m.Got) > 0 {
		got = strings.Join(m.Got, ", ")
	}
	return fmt.Sprintf("%s (%s): want %s, got %s", m.ID, m.Lang, want, got)
}
