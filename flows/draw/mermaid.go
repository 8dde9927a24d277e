package draw

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// mermaid writes the graph once more, for those who have a viewer for it. Names
// are numbers and every text is escaped: a label is whatever an author wrote,
// and nothing in it may become part of the drawing's own language.
func (g *graph) mermaid(out *bytes.Buffer) {
	out.WriteString("\n<details><summary>Det samme som Mermaid</summary>\n\n```mermaid\nflowchart LR\n")
	id := map[string]string{}
	for i, x := range g.boxes {
		id[x.key] = fmt.Sprintf("s%d", i+1)
		form := "  %s[\"%s\"]\n"
		switch {
		case x.kind == link:
			form = "  %s([\"%s\"])\n"
		case x.start:
			form = "  %s[[\"%s\"]]\n"
		}
		fmt.Fprintf(out, form, id[x.key], escapeMermaid(x.title))
	}
	ends := map[string]string{}
	for _, x := range g.boxes {
		for _, r := range slices.Concat(x.rows, x.rest) {
			to := id[r.to]
			if r.to == "" {
				if ends[r.words] == "" {
					ends[r.words] = fmt.Sprintf("e%d", len(ends)+1)
					fmt.Fprintf(out, "  %s((\"%s\"))\n", ends[r.words], escapeMermaid(r.words))
				}
				to = ends[r.words]
			}
			label := r.label
			if r.note != "" {
				label += " (" + r.note + ")"
			}
			fmt.Fprintf(out, "  %s -->|\"%s\"| %s\n", id[x.key], escapeMermaid(label), to)
		}
	}
	out.WriteString("```\n\n</details>\n")
}

// escapeMermaid writes everything but letters, digits, spaces and a few harmless
// signs as a character's number.
func escapeMermaid(s string) string {
	var out strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" .,?!/:-", r), r > 0x9f:
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, "#%d;", r)
		}
	}
	return out.String()
}
