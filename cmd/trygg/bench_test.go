package main

import (
	"testing"
)

// BenchmarkPress is a whole press: form in, page out, on each store.
func BenchmarkPress(b *testing.B) {
	for _, back := range backends(b) {
		b.Run(back.name, func(b *testing.B) {
			p := visit(b, start(b, back.set)).press("next").press("b10").press("skip")
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				if i%2 == 0 {
					p.press("rights")
				} else {
					p.press("home")
				}
			}
		})
	}
}

// BenchmarkHelp is the card: no store.
func BenchmarkHelp(b *testing.B) {
	p := visit(b, start(b, nil))
	b.ReportAllocs()
	for b.Loop() {
		p.help()
	}
}
