package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// checkAll gives everything the check finds in some content, with its proof.
func checkAll(t testing.TB, tree trees) findings {
	t.Helper()
	all, _ := checked(tree, true)
	return all
}

var checkDay = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func checked(tree trees, proof bool) (findings, *Proof) {
	r := readContent(tree)
	all := append(r.findings, r.inspect(checkDay)...)
	var p *Proof
	if s := r.snapshot(); s != nil && proof {
		var ps findings
		p, ps = prove(context.Background(), s, proofOptions{})
		all = append(all, ps...)
	}
	return all.sorted(), p
}

// replace changes a file, in which was must stand.
func replace(t testing.TB, file, was, is string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), was) {
		t.Fatalf("%s does not hold %q", file, was)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(b), was, is, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}
