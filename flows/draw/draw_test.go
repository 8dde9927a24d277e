package draw_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"trygg/flows"
	"trygg/flows/content"
	"trygg/flows/content/data"
	"trygg/flows/draw"
	"trygg/locales"
)

// shape is a box, or an end of an arrow, of a diagram.
type shape struct {
	class      string
	x, y, w, h float64
}

func (a shape) over(b shape) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

type picture struct {
	w, h  float64
	boxes []shape
	texts []string
	ways  [][][2]float64 // corners
	title string
}

// read takes a diagram apart. It fails the test when it is not well formed.
func read(t interface{ Fatalf(string, ...any) }, b []byte) picture {
	var p picture
	d := xml.NewDecoder(bytes.NewReader(b))
	num := func(e xml.StartElement, name string) float64 {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				f, _ := strconv.ParseFloat(a.Value, 64)
				return f
			}
		}
		return 0
	}
	in := ""
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("not well formed: %v", err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			in = e.Name.Local
			class := ""
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					class = a.Value
				}
			}
			switch {
			case in == "svg":
				p.w, p.h = num(e, "width"), num(e, "height")
			case in == "rect" && (strings.HasPrefix(class, "box") || class == "away" || class == "flow"):
				p.boxes = append(p.boxes, shape{class, num(e, "x"), num(e, "y"), num(e, "width"), num(e, "height")})
			case in == "path" && class == "way":
				for _, a := range e.Attr {
					if a.Name.Local == "d" {
						p.ways = append(p.ways, corners(a.Value))
					}
				}
			}
		case xml.CharData:
			switch in {
			case "text":
				p.texts = append(p.texts, string(e))
			case "title":
				p.title += string(e)
			}
		case xml.EndElement:
			in = ""
		}
	}
}

// corners reads "M1,2 H3 V4 H5".
func corners(d string) [][2]float64 {
	var out [][2]float64
	var x, y float64
	for _, s := range strings.Fields(d) {
		switch s[0] {
		case 'M':
			fmt.Sscanf(s[1:], "%f,%f", &x, &y)
		case 'H':
			x, _ = strconv.ParseFloat(s[1:], 64)
		case 'V':
			y, _ = strconv.ParseFloat(s[1:], 64)
		}
		out = append(out, [2]float64{x, y})
	}
	return out
}

// legible fails when boxes lie over one another or outside the sheet, when the
// sheet is longer than a page, or when an arrow runs over a box.
func legible(t interface{ Fatalf(string, ...any) }, name string, p picture) {
	// A pill inside a box belongs to it.
	var boxes []shape
	for _, b := range p.boxes {
		if b.class != "flow" || b.w > 200 {
			boxes = append(boxes, b)
		}
	}
	if p.w > 808 || p.h > 1150 {
		t.Fatalf("%s is %v x %v: more than a page", name, p.w, p.h)
	}
	for i, a := range boxes {
		if a.x < 0 || a.y < 40 || a.x+a.w > p.w || a.y+a.h > p.h {
			t.Fatalf("%s: a box lies outside the sheet: %+v of %v x %v", name, a, p.w, p.h)
		}
		for _, b := range boxes[i+1:] {
			if a.over(b) {
				t.Fatalf("%s: boxes lie over one another: %+v and %+v", name, a, b)
			}
		}
		for _, way := range p.ways {
			for j := 1; j < len(way); j++ {
				from, to := way[j-1], way[j]
				s := shape{"", min(from[0], to[0]), min(from[1], to[1]), abs(from[0] - to[0]), abs(from[1] - to[1])}
				// It begins at a button and ends at a box.
				inside := shape{a.class, a.x + 10, a.y + 1, a.w - 20, a.h - 2}
				if s.over(inside) {
					t.Fatalf("%s: an arrow runs over a box: %v over %+v", name, way, a)
				}
			}
		}
	}
}

func abs(f float64) float64 { return max(f, -f) }

func real(t testing.TB) (*flows.Library, *locales.Bundle) {
	t.Helper()
	d, err := data.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	l, problems := flows.Load(content.Files, []flows.Named{{Number: "0301", Name: "Oslo"}})
	for _, p := range problems {
		t.Error(p)
	}
	b, ps := locales.Load(locales.Files, d.Numbers())
	for _, p := range ps {
		t.Error(p)
	}
	if t.Failed() {
		t.FailNow()
	}
	return l, b
}

func TestTheContentIsLegible(t *testing.T) {
	l, texts := real(t)
	pages := draw.Pages(l, texts)
	for name, b := range pages {
		if strings.HasSuffix(name, ".svg") {
			p := read(t, b)
			legible(t, name, p)
			if p.title == "" {
				t.Errorf("%s has no title", name)
			}
		}
		if !bytes.Contains(b, []byte(draw.Mark)) {
			t.Errorf("%s does not say that it is made", name)
		}
	}
	again := draw.Pages(l, texts)
	if len(again) != len(pages) {
		t.Error("not the same pages twice")
	}
	for name, b := range pages {
		if !bytes.Equal(b, again[name]) {
			t.Errorf("%s is drawn another way the second time", name)
		}
	}
}

// Every screen is drawn once, and every button and every text of the flows that
// leads somewhere is on it.
func TestEveryScreenIsDrawn(t *testing.T) {
	l, texts := real(t)
	pages := draw.Pages(l, texts)
	for _, f := range l.Flows() {
		drawn, page := map[string]int{}, pages[f.Name+".md"]
		for name, b := range pages {
			if base := strings.TrimSuffix(name, ".svg"); base == f.Name || strings.HasPrefix(base, f.Name+"-") && strings.Trim(base[len(f.Name)+1:], "0123456789") == "" {
				if !bytes.Contains(page, []byte("("+name+")")) {
					t.Errorf("%s is not on the page of %s", name, f.Name)
				}
				p := read(t, b)
				for _, text := range p.texts {
					drawn[text]++
				}
			}
		}
		for _, s := range f.States {
			if drawn[s.Name] != 1 {
				t.Errorf("%s/%s stands on the sheets %d times", f.Name, s.Name, drawn[s.Name])
			}
		}
	}
}

// plain gives every ID a text of its own.
type plain struct{}

func (plain) Lookup(_, id, _ string) (string, string) {
	if strings.HasPrefix(id, "topic.") {
		return "", ""
	}
	return "Tekst " + id + ". Her står det litt mer som barnet kan lese.", "nb"
}

// hostile gives every ID a text that means something to a browser, to Markdown
// and to Mermaid.
type hostile struct{}

const bad = "<b>x</b> & \"y\" `z` *a* _b_ [c](d) |e| #f; end\n--> s1]\x07<script>alert(1)</script> {{.g}} \u202e"

func (hostile) Lookup(_, id, _ string) (string, string) { return bad, "nb" }

func TestF65_textsAreShownLiterally(t *testing.T) {
	l, _ := real(t)
	for name, b := range draw.Pages(l, hostile{}) {
		s := string(b)
		if strings.HasSuffix(name, ".svg") {
			legible(t, name, read(t, b))
		}
		if strings.Contains(s, "<script") || strings.Contains(s, "<b>") || strings.Contains(s, "\u202e") || strings.HasSuffix(name, ".md") && strings.Contains(strings.ReplaceAll(s, `\]`, ""), "](d)") {
			t.Errorf("%s lets text become markup", name)
		}
		_, drawing, ok := strings.Cut(s, "```mermaid")
		if !ok {
			continue
		}
		for line := range strings.Lines(drawing) {
			if strings.Count(line, `"`) > 2 || strings.ContainsAny(line, "`<") && !strings.HasPrefix(line, "```") && !strings.HasPrefix(line, "</details") {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
}

// Whatever an author writes that the engine takes can be read on paper.
func TestAnyFlowIsLegible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "states")
		var y strings.Builder
		y.WriteString("flow: big\nstart: s0\nstates:\n")
		for i := range n {
			fmt.Fprintf(&y, "  s%d:\n    say: [big.s%d, big.s%d.more]\n    buttons:\n      - [leave]\n", i, i, i)
			goes := "leave: done"
			for j := range rapid.IntRange(0, 7).Draw(t, "buttons") {
				to := fmt.Sprintf("s%d", rapid.IntRange(0, n-1).Draw(t, "to"))
				if rapid.IntRange(0, 4).Draw(t, "calls") == 0 {
					to = "menu/"
				}
				fmt.Fprintf(&y, "      - [e%d]\n", j)
				goes += fmt.Sprintf(", e%d: %s", j, to)
			}
			fmt.Fprintf(&y, "    go: {%s}\n", goes)
		}
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("t%d: big/s%d", i, i))
		}
		l, problems := flows.Load(fstest.MapFS{
			"big.yaml":   {Data: []byte(y.String())},
			"menu.yaml":  {Data: []byte("flow: menu\nstart: main\nstates:\n  main: {say: menu.main, buttons: [[big]], go: {big: big/}}\n")},
			"index.yaml": {Data: []byte("start: menu/main\nhome: menu/main\nlanguage: menu/main\nprivacy: menu/main\ntopics: {" + strings.Join(all, ", ") + "}\n")},
		}, nil)
		if l == nil {
			t.Fatalf("%v\n%s", problems, y.String())
		}
		screens := 0
		for name, b := range draw.Pages(l, plain{}) {
			if strings.HasSuffix(name, ".svg") {
				p := read(t, b)
				legible(t, name, p)
				if strings.HasPrefix(name, "big") {
					for _, x := range p.boxes {
						if strings.HasPrefix(x.class, "box") {
							screens++
						}
					}
				}
			}
		}
		if screens != n {
			t.Fatalf("%d of %d screens are drawn", screens, n)
		}
	})
}
