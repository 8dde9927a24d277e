package crisis_test

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"trygg/flows"
)

func TestTry(t *testing.T) {
	f, err := os.Open(os.Getenv("TRY"))
	if err != nil {
		t.Skip()
	}
	r := mustReader(t)
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		u := r.Read(flows.NewWords(sc.Text()))
		fmt.Printf("%-10s %v %v %s %v help=%v | %s\n", u.Level, u.Topics, u.Why, u.Language, u.Personal, u.Help, sc.Text())
	}
}
