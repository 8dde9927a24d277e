package routine_test

import (
	"testing"

	"trygg/flows/content/data"
	"trygg/flows/routine"
)

func BenchmarkLoad(b *testing.B) {
	d, err := data.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if c, _ := routine.Embedded(d); c == nil {
			b.Fatal("no catalogue")
		}
	}
}

func BenchmarkView(b *testing.B) {
	c := mustLoad(b)
	x := routine.Context{Role: "role-skole", Locale: "nn", Tenant: "5501", Age: "12-15"}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.View("sit-told-violence-home", x); !ok {
			b.Fatal("no view")
		}
	}
}
