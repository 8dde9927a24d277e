package crisis_test

import (
	"strings"
	"testing"

	"trygg/flows"
	"trygg/flows/crisis"
)

func BenchmarkRead(b *testing.B) {
	r := mustReader(b)
	long := strings.Repeat("jeg vet ikke helt hva jeg skal si men pappa blir så sint og mamma gråter ", 60)
	cases := map[string]string{
		"everyday":            "kan du hjelpe meg med matteleksa til i morgen?",
		"disclosure":          "pappa slår meg når han er full og jeg tør ikke gå hjem",
		"arabic":              "أبي يضربني عندما يشرب ولا أريد العودة إلى البيت",
		"4096 of a story":     long[:4096],
		"4096 of one word":    strings.Repeat("slår ", 1024)[:4096],
		"4096 of two words":   strings.Repeat("vil dø ", 700)[:4096],
		"4096 unknown words":  strings.Repeat("qwerty zxcvbn asdfgh ", 200)[:4096],
		"4096 spaced letters": strings.Repeat("s l å r ", 512)[:4096],
		"4096 marks":          strings.Repeat("a\u0301\u0302\u0303\u0304\u0305\u0306\u0307", 512),
	}
	for name, text := range cases {
		w := flows.NewWords(text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Read(w)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := crisis.New(); err != nil {
			b.Fatal(err)
		}
	}
}
