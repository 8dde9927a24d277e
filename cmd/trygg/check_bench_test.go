package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// grown lays content into a folder that is n times as large as the small one:
// copies of its longest flow, each called from the one before, in all languages.
func grown(t testing.TB, n int) trees {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "content")
	if err := smallContent(dir); err != nil {
		t.Fatal(err)
	}
	flow, err := os.ReadFile("testdata/small/flows/rights.yaml")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, tag := range []string{"nb", "nn", "en"} {
		b, err := os.ReadFile("testdata/small/locales/" + tag + "/rights.yaml")
		if err != nil {
			t.Fatal(err)
		}
		texts[tag] = string(b)
	}
	put := func(file, text string) {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for k := range 6 * n {
		name, next := fmt.Sprintf("rights%d", k), "tell/"
		if k+1 < 6*n {
			next = fmt.Sprintf("rights%d/", k+1)
		}
		f := strings.NewReplacer("flow: rights", "flow: "+name, "rights.", name+".", "was: [listened_to]", "was: [listened]", "tell: tell/", "tell: "+next).Replace(string(flow))
		put("flows/"+name+".yaml", f)
		for tag, text := range texts {
			put("locales/"+tag+"/"+name+".yaml", strings.ReplaceAll(text, "\nrights.", "\n"+name+"."))
		}
	}
	replace(t, filepath.Join(dir, "flows/menu.yaml"), "rights: rights/,", "rights: rights0/,")
	replace(t, filepath.Join(dir, "flows/index.yaml"), "rights: rights/menu", "rights: rights/heard")
	return trees{dir: dir, alone: true}
}

// What the check does grows with the content and no faster: ten times the
// content is about ten times the work. Work is what is allocated, and the
// presses of the proof; never time.
func TestCheckGrowsWithTheContent(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a hundred times the content; run without -short")
	}
	work := func(n int, proof bool) (allocations, positions int) {
		tree := grown(t, n)
		checked(tree, false) // whatever is made once
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		all, p := checked(tree, proof)
		runtime.ReadMemStats(&after)
		if found := all.of(Stops, Wrong); len(found) > 0 {
			t.Fatalf("%d times: %v", n, found[0])
		}
		if p != nil {
			positions = p.Positions
		}
		return int(after.Mallocs - before.Mallocs), positions
	}
	one, _ := work(1, false)
	ten, _ := work(10, false)
	hundred, _ := work(100, false)
	t.Logf("allocations: %d for some content, %d for 10 times as much, %d for 100 times", one, ten, hundred)
	if ratio := float64(hundred-one) / float64(ten-one); ratio > 12 {
		t.Errorf("ten times the content is %.1f times the work", ratio)
	}
	_, few := work(2, true)
	_, many := work(20, true)
	t.Logf("positions of the proof: %d for 2 times, %d for 20 times", few, many)
	if ratio := float64(many) / float64(few); ratio > 12 {
		t.Errorf("ten times the content is %.1f times the positions", ratio)
	}
}

// Time and memory of the check as content grows; compare the lines.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("content=%dx", n), func(b *testing.B) {
			tree := grown(b, n)
			b.ReportAllocs()
			for b.Loop() {
				checked(tree, false)
			}
		})
	}
	b.Run("all content with its proof", func(b *testing.B) {
		s, problems := loadSnapshot("")
		if s == nil {
			b.Fatal(problems)
		}
		b.ReportAllocs()
		var p *Proof
		for b.Loop() {
			p, _ = prove(context.Background(), s, proofOptions{})
		}
		b.ReportMetric(float64(p.Positions), "positions")
	})
}
