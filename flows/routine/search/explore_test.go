package search_test

import (
	"fmt"
	"os"
	"testing"

	"trygg/flows/routine/search"
)

func TestExplore(t *testing.T) {
	half := os.Getenv("HALF")
	if half == "" {
		t.Skip("set HALF")
	}
	ix := mustIndex(t)
	qs := mustQuestions(t, half)
	r := search.Evaluate(ix, qs)
	fmt.Println(r)
	byID := map[string]search.Question{}
	for _, q := range qs {
		byID[q.ID] = q
	}
	for _, m := range r.Misses {
		q := byID[m.ID]
		g := ix.Find(q.Query())
		fmt.Printf("%-14s W %v\n     %s\n     %v %v\n", m.ID, m.Want, q.Text.Read(), g.IDs, g.Scores)
		if os.Getenv("WHY") != "" {
			fmt.Println("     ", g.Why, g.Danger)
		}
	}
}
