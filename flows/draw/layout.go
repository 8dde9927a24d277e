package draw

import (
	"fmt"
	"maps"
	"slices"
)

// Sizes in the diagrams' own unit. A sheet is as wide as the print area of an
// A4 page and at most as high, so that a text of 11 is a little over 7 points on
// paper.
const (
	sheetW  = 808
	sheetH  = 1150
	columns = 3
	boxW    = 222
	margin  = 20
	gutter  = (sheetW - 2*margin - columns*boxW) / (columns - 1)
	headH   = 54 // title of the sheet
	gap     = 16 // between boxes of a column
	pad     = 9
	textW   = boxW - 2*pad
	rowPad  = 6
	rowW    = textW - 2*rowPad

	titleSize, textSize, smallSize = 12.0, 11.0, 9.5
	titleLine, textLine, smallLine = 15, 14, 12
	rowH                           = 18
)

// sheet is one drawing: boxes with their places.
type sheet struct {
	graph      *graph
	number, of int
	placed     []*placed
	height     int
}

// placed is a box where it is drawn. The same screen can stand on one sheet as
// itself and on another as a pointer to it.
type placed struct {
	*box
	kind   kind
	col    int // columns right of its tree's root
	x, y   int
	h      int
	over   int // in a grid: where an arrow can pass below this row of it
	parent *placed

	from  string // where it is come from, on another sheet
	title []string
	text  []string
	rows  []piece
}

// piece is a row, wrapped.
type piece struct {
	row
	label  []string
	note   []string
	child  bool // an arrow leads from here to the right
	pill   bool // another conversation, where there is no room for its box
	refers []string
	y, h   int // its frame, from the top of the box
}

// tree is a part of the graph that stands together on a sheet.
type tree struct {
	root *box
	cut  map[*box]bool // what of it stands on another sheet
	grid bool          // what the root leads to stands in two columns
	w, h int           // in columns, and in units
}

// sheets lays the graph out on as many sheets as it takes. Where a branch does
// not fit, it goes to a later sheet and a pointer stands in its place.
func (g *graph) sheets() []*sheet {
	// What is written into a box names sheets, and where the sheets break follows
	// from how high the boxes are: lay out until both agree.
	const most = 8
	var sheets []*sheet
	for range most {
		sheets = g.lay()
		on := map[string]int{}
		for _, s := range sheets {
			for _, p := range s.placed {
				if p.kind != away {
					on[p.key] = s.number
				}
			}
		}
		if maps.Equal(on, g.on) {
			break
		}
		g.on = on
	}
	for _, s := range sheets {
		s.of = len(sheets)
	}
	return sheets
}

func (g *graph) lay() []*sheet {
	// Trees stand side by side while there are columns left, then on the next
	// shelf, then on the next sheet, in the order they are come to.
	var sheets []*sheet
	var s *sheet
	col, y, high := 0, 0, 0
	for queue := slices.Clone(g.starts); len(queue) > 0; queue = queue[1:] {
		t := g.fit(queue[0])
		for _, x := range g.boxes {
			if t.cut[x] {
				queue = append(queue, x)
			}
		}
		if col+t.w > columns {
			col, y, high = 0, y+high, 0
		}
		if s == nil || y+t.h > sheetH-margin {
			s = &sheet{graph: g, number: len(sheets) + 1}
			sheets = append(sheets, s)
			col, y, high = 0, headH, 0
		}
		s.put(t, t.root, nil, col, y)
		col += t.w
		high = max(high, t.h+2*gap)
		s.height = max(s.height, y+t.h+margin)
	}
	return sheets
}

// fit makes a tree small enough for a sheet. It tries in this order: all of it;
// what the root leads to in two columns instead of one; the branches of the root
// on other sheets; all that the root leads to on other sheets.
func (g *graph) fit(root *box) *tree {
	const room = sheetH - headH - margin
	t := &tree{root: root, cut: map[*box]bool{}}
	var deep func(x *box, col int)
	deep = func(x *box, col int) {
		for _, c := range x.children {
			if col+1 == columns-1 && branches(c) {
				t.cut[c] = true
			} else if col+1 < columns-1 {
				deep(c, col+1)
			}
		}
	}
	deep(root, 0)
	if t.measure(g); t.h <= room {
		return t
	}
	for _, which := range []func(*box) bool{branches, func(x *box) bool { return x.kind == screen }} {
		clear(t.cut) // what is below a cut is cut where that is drawn
		for _, c := range root.children {
			if which(c) {
				t.cut[c] = true
			}
		}
		for _, t.grid = range []bool{false, true} {
			if t.measure(g); t.h <= room {
				return t
			}
		}
	}
	return t
}

// branches tells whether a screen leads on to screens that are drawn beside it;
// calls alone can be written into its rows.
func branches(x *box) bool {
	return slices.ContainsFunc(x.children, func(c *box) bool { return c.kind == screen })
}

func (t *tree) measure(g *graph) {
	s := &sheet{graph: g}
	t.h, t.w = s.put(t, t.root, nil, 0, 0), 1
	for _, p := range s.placed {
		t.w = max(t.w, p.col+1)
	}
}

// put places a box and what it leads to, and gives the height it took. The
// parent stands at the top of its children, so the way reads from the left and
// from the top.
func (s *sheet) put(t *tree, x *box, parent *placed, col, y int) int {
	p := &placed{box: x, kind: x.kind, x: margin + col*(boxW+gutter), y: y, parent: parent}
	if parent != nil {
		p.col = parent.col + 1
		if t.cut[x] {
			p.kind = away
		}
	}
	s.placed = append(s.placed, p)
	var children []*box
	if p.kind == screen && p.col+1 < columns && !(t.grid && parent != nil) {
		children = x.children
	}
	p.wrap(s.graph, children)
	below := 0
	if t.grid {
		for i := 0; i < len(children); i += 2 {
			high := 0
			first := len(s.placed)
			for j, c := range children[i:min(i+2, len(children))] {
				high = max(high, s.put(t, c, p, col+1+j, y+below))
			}
			for j, q := range s.placed[first:] {
				q.col, q.over = 1+j, y+below+high+gap/2
			}
			below += high + gap
		}
		return max(p.h, below)
	}
	for _, c := range children {
		below += s.put(t, c, p, col+1, y+below) + gap
	}
	return max(p.h, below-gap)
}

// wrap breaks a box's texts into lines and says how high it is.
func (p *placed) wrap(g *graph, children []*box) {
	p.title = wrap(p.box.title, textW, titleSize, true, 3)
	p.h = pad + len(p.title)*titleLine
	here := g.on[p.key]
	if p.parent != nil {
		for root := p.parent; ; root = root.parent {
			if root.parent == nil {
				here = g.on[root.key]
				break
			}
		}
	}
	if p.kind != screen {
		if p.from = p.id; p.kind == away {
			p.from = "→ " + wordBelow
			if n := g.on[p.key]; n != here {
				p.from = fmt.Sprintf("→ "+wordSheet, n)
			}
		}
		p.h += smallLine + pad - 4
		return
	}
	if up := p.box.parent; p.parent == nil && up != nil {
		p.from = wordFrom + " " + up.title
		if n := g.on[up.key]; n != here {
			p.from += fmt.Sprintf(", "+wordSheet, n)
		}
		p.h += smallLine
	}
	if p.box.text != "" {
		p.text = wrap(p.box.text, textW, textSize, false, 3)
		p.h += 1 + len(p.text)*textLine
	}
	if p.box.note != "" {
		p.h += smallLine + 1
	}
	p.h += 4
	for _, r := range p.box.rows {
		c := piece{row: r, label: wrap(r.label, rowW, textSize, false, 2), y: p.h}
		c.h = rowH + (len(c.label)-1)*textLine
		p.h += c.h
		if r.note != "" {
			c.note = wrap("("+r.note+")", rowW, smallSize, false, 2)
			p.h += len(c.note) * smallLine
		}
		to := g.byKey[r.to]
		if c.child = to != nil && slices.Contains(children, to); !c.child {
			c.pill = to != nil && to.kind == link
			c.refers = wrap(p.refer(g, r, here), rowW-8, smallSize, false, 2)
			p.h += len(c.refers)*smallLine + 1
			if c.pill {
				p.h += 5
			}
		}
		p.rows = append(p.rows, c)
		p.h += 4
	}
	p.h += smallLine + 3 // the author's name for it
}

// refer says in words where a row of a box on sheet here leads.
func (p *placed) refer(g *graph, r row, here int) string {
	to := g.byKey[r.to]
	if to == nil {
		return r.words
	}
	if to == p.box {
		return "↻ " + wordSame
	}
	if to.kind == link {
		return "→ " + to.title
	}
	sign := "→ "
	if to.depth < p.box.depth {
		sign = "↩ "
	}
	if n := g.on[to.key]; n != here {
		return sign + to.title + " (" + fmt.Sprintf(wordSheet, n) + ")"
	}
	return sign + to.title
}
