package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// style is all there is of it: print and screen look the same, and nothing is
// told by colour alone.
const style = `
text{font-family:Verdana,"DejaVu Sans",sans-serif;fill:#1b2a38}
.h{font-size:16px;font-weight:bold}
.t{font-size:12px;font-weight:bold}
.p{font-size:11px}
.s{font-size:9.5px;fill:#4a5b6a}
.box{fill:#fff;stroke:#46627f;stroke-width:1.2}
.first{stroke:#1d6b43;stroke-width:3}
.tag{fill:#1d6b43}
.tagged{font-size:9.5px;font-weight:bold;fill:#fff}
.flow{fill:#e3eef8;stroke:#46627f;stroke-width:1.2}
.away{fill:#f7f5ee;stroke:#7a6a3a;stroke-width:1.2;stroke-dasharray:5 3}
.row{fill:#eef2f5;stroke:#c3ced8;stroke-width:.8}
.typed{fill:#fff;stroke:#c3ced8;stroke-width:.8;stroke-dasharray:3 2}
.way{fill:none;stroke:#46627f;stroke-width:1.2;stroke-linejoin:round}
`

// svg writes a sheet.
func (s *sheet) svg() []byte {
	var out bytes.Buffer
	name := s.graph.title
	if s.of > 1 {
		name = fmt.Sprintf("%s, ark %d av %d", name, s.number, s.of)
	}
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc" lang="nb">`+"\n%s", sheetW, s.height, sheetW, s.height, generated)
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", esc(name), esc(s.describe()))
	fmt.Fprintf(&out, "<style>%s</style>\n", style)
	out.WriteString(`<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z" fill="#46627f"/></marker></defs>` + "\n")
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", sheetW, s.height)
	fmt.Fprintf(&out, `<text class="h" x="%d" y="32">%s</text>`+"\n", margin, esc(name))
	for _, p := range s.placed {
		s.ways(&out, p)
	}
	for _, p := range s.placed {
		p.svg(&out)
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// describe tells the sheet in words, for those who do not see it.
func (s *sheet) describe() string {
	var all []string
	for _, p := range s.placed {
		if p.kind != screen {
			continue
		}
		var rows []string
		for _, r := range slices.Concat(p.box.rows, p.box.rest) {
			where := r.words
			if to := s.graph.byKey[r.to]; to != nil {
				where = to.title
			}
			rows = append(rows, fmt.Sprintf("%s: %s", r.label, where))
		}
		line := p.box.title
		if len(rows) > 0 {
			line += " – " + strings.Join(rows, "; ")
		}
		all = append(all, line)
	}
	return strings.Join(all, ". ") + "."
}

// ways draws the arrows from a box to those beside it. Each target has a lane of
// its own between the columns: of those that fall the lower ones turn earlier,
// of those that rise later, so that no two arrows cross.
func (s *sheet) ways(out *bytes.Buffer, p *placed) {
	var targets []*placed
	for _, c := range s.placed {
		if c.parent == p {
			targets = append(targets, c)
		}
	}
	if len(targets) == 0 {
		return
	}
	entry := func(to *placed) int { return to.y + pad + titleLine/2 }
	pass := func(to *placed) int { // where it leaves its lane
		if to.col > p.col+1 {
			return to.over
		}
		return entry(to)
	}
	first := func(to *placed) int {
		for _, r := range p.rows {
			if r.child && r.to == to.key {
				return p.y + r.y + r.h/2
			}
		}
		return p.y
	}
	up := 0 // arrows that rise come first: boxes stand in the order of the rows
	for up < len(targets) && first(targets[up]) > pass(targets[up]) {
		up++
	}
	step := min(6.0, float64(gutter-16)/float64(len(targets)))
	for i, to := range targets {
		lane := float64(p.x + boxW + gutter - 12)
		if i < up {
			lane -= step * float64(up-1-i)
		} else {
			lane -= step * float64(i-up)
		}
		for _, r := range p.rows {
			if r.to != to.key || !r.child {
				continue
			}
			from, end := p.y+r.y+r.h/2, pass(to)
			if d := from - end; d > -3 && d < 3 {
				from = end
			}
			if to.col > p.col+1 {
				fmt.Fprintf(out, `<path class="way" marker-end="url(#tip)" d="M%d,%d H%.1f V%d H%d V%d H%d"/>`+"\n", p.x+boxW-pad, from, lane, to.over, to.x-gutter/2, entry(to), to.x)
				continue
			}
			fmt.Fprintf(out, `<path class="way" marker-end="url(#tip)" d="M%d,%d H%.1f V%d H%d"/>`+"\n", p.x+boxW-pad, from, lane, end, to.x)
		}
	}
}

func (p *placed) svg(out *bytes.Buffer) {
	if p.href != "" {
		fmt.Fprintf(out, `<a href="%s">`, esc(p.href))
	}
	class, round := "box", 6
	switch {
	case p.kind == link:
		class, round = "flow", 17
	case p.kind == away:
		class = "away"
	case p.start:
		class = "box first"
	}
	fmt.Fprintf(out, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`+"\n", class, p.x, p.y, boxW, p.h, round)
	if p.start && p.kind == screen {
		w := int(width(wordStart, smallSize, true)) + 14
		fmt.Fprintf(out, `<rect class="tag" x="%d" y="%d" width="%d" height="15" rx="3"/><text class="tagged" x="%d" y="%d">%s</text>`+"\n",
			p.x, p.y-14, w, p.x+7, p.y-3, esc(wordStart))
	}
	x, y := p.x+pad, p.y+pad
	line := func(class, text string, at, h int) {
		fmt.Fprintf(out, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, at, y+h-4, esc(text))
		y += h
	}
	y -= 2
	for _, t := range p.title {
		line("t", t, x, titleLine)
	}
	if p.kind != screen {
		line("s", clip(p.from, textW, smallSize), x, smallLine)
	} else {
		if p.from != "" {
			line("s", clip(p.from, textW, smallSize), x, smallLine)
		}
		for _, t := range p.text {
			line("p", t, x, textLine)
		}
		if p.note != "" {
			line("s", p.note, x, smallLine)
		}
		for _, r := range p.rows {
			p.row(out, r)
		}
		y = p.y + p.h - smallLine - 3
		line("s", clip(p.id, textW, smallSize), x, smallLine)
	}
	if p.href != "" {
		out.WriteString("</a>\n")
	}
}

func (p *placed) row(out *bytes.Buffer, r piece) {
	class := "row"
	if r.button == typed {
		class = "typed"
	}
	x, y := p.x+pad, p.y+r.y
	fmt.Fprintf(out, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="4"/>`+"\n", class, x, y, textW, r.h)
	for i, t := range r.label {
		fmt.Fprintf(out, `<text class="p" x="%d" y="%d">%s</text>`+"\n", x+rowPad, y+13+i*textLine, esc(t))
	}
	y += r.h
	for _, t := range r.note {
		y += smallLine
		fmt.Fprintf(out, `<text class="s" x="%d" y="%d">%s</text>`+"\n", x+rowPad, y-2, esc(t))
	}
	if r.pill {
		fmt.Fprintf(out, `<rect class="flow" x="%d" y="%d" width="%d" height="%d" rx="8"/>`+"\n", x+rowPad, y+2, rowW, len(r.refers)*smallLine+4)
		y += 3
	}
	for _, t := range r.refers {
		y += smallLine
		fmt.Fprintf(out, `<text class="s" x="%d" y="%d">%s</text>`+"\n", x+rowPad+4, y-2, esc(t))
	}
}

// wrap breaks a text into at most so many lines of at most so wide; what is left
// over becomes an ellipsis.
func wrap(s string, wide, size float64, bold bool, most int) []string {
	var lines []string
	line := ""
	words := strings.Fields(s)
	for i := 0; i < len(words); i++ {
		w := words[i]
		if with := strings.TrimSpace(line + " " + w); width(with, size, bold) <= wide {
			line = with
			continue
		}
		if line == "" {
			// A word wider than the line is broken.
			head, rest := "", w
			for _, r := range w {
				if width(head+string(r)+"-", size, bold) > wide {
					break
				}
				head += string(r)
			}
			if rest = w[len(head):]; head == "" || rest == "" {
				line = w
				continue
			}
			line, words[i] = head+"-", rest
		}
		lines = append(lines, line)
		line = ""
		i--
		if len(lines) == most {
			last := lines[most-1]
			for last != "" && width(last+" …", size, bold) > wide {
				last = last[:max(0, strings.LastIndexByte(last, ' '))]
			}
			lines[most-1] = strings.TrimSpace(last + " …")
			return lines
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func clip(s string, wide, size float64) string {
	if width(s, size, false) <= wide {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && width(string(r)+"…", size, false) > wide {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// width is how wide a text is in the widest of the fonts named above, so that
// it fits in each of them on every machine.
func width(s string, size float64, bold bool) float64 {
	sum := 0
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~':
			sum += int(widths[r-' '])
		case strings.ContainsRune("æøåéèäöüđčšžáý«»·–‘’“”", r):
			sum += 640
		default:
			sum += 1000
		}
	}
	w := float64(sum) * size / 1000
	if bold {
		w *= 1.12
	}
	return w
}

// widths of the signs from space to tilde, in thousandths of the size.
var widths = [...]uint16{
	352, 401, 460, 838, 636, 1076, 780, 275, 454, 454, 636, 838, 364, 454, 364, 454,
	636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 454, 454, 838, 838, 838, 545, 1000,
	684, 686, 698, 771, 632, 575, 775, 752, 421, 455, 693, 557, 863, 748, 787, 603, 787, 695, 684, 616, 732, 684, 989, 685, 615, 685,
	454, 454, 454, 838, 636, 636, 613, 635, 550, 635, 615, 352, 635, 634, 278, 344, 592, 278, 974, 634, 612, 635, 635, 427, 521, 394, 634, 592, 818, 592, 592, 525,
	636, 454, 636, 838,
}

func esc(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s))
	return b.String()
}
