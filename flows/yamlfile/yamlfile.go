// Package yamlfile reads the YAML that people write by hand. Bytes go in; a tree
// with places comes out, or Go values, and every problem at once with file, line
// and column, in a sentence for the author (D3, F60). Size, depth, anchors and
// aliases are bounded before anything is built, so a hostile file costs little
// (S62, F61). What the content means is left to its readers.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a file.
const (
	MaxFile  = 1 << 20 // bytes
	MaxDepth = 32      // mappings and lists inside one another
)

// Problem is something wrong in a file, told to its author: where, what, and
// what to do.
type Problem struct {
	File       string `json:"file"`
	Line       int    `json:"line,omitempty"`
	Column     int    `json:"column,omitempty"`
	Text       string `json:"text"`
	Suggestion string `json:"suggestion,omitempty"` // the name that was meant, for a misspelt one; Text says it too
}

func (p Problem) String() string {
	switch {
	case p.Line == 0:
		return p.File + ": " + p.Text
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// Sort puts problems in the order of the files and of the lines in them, each once.
func Sort(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		return strings.Compare(a.Text, b.Text)
	})
	return slices.Compact(ps)
}

// Place is where something stands. A struct with a field of this type gets it
// filled in by Into, so that what is found out later can be told with its place.
type Place struct {
	File         string
	Line, Column int
}

// Problem makes a problem at a place.
func (p Place) Problem(format string, args ...any) Problem {
	return Problem{p.File, p.Line, p.Column, fmt.Sprintf(format, args...), meant(args)}
}

// File is a file being read; it collects what is wrong with it.
type File struct {
	Name     string
	Problems []Problem
}

// Node is a YAML value with its place.
type Node struct {
	file *File
	n    ast.Node
}

// Pair is one entry of a mapping.
type Pair struct {
	Key   string
	At    Node // the key, for its place
	Value Node
}

// Tell notes a problem with the file as a whole.
func (f *File) Tell(format string, args ...any) { f.at(nil, format, args...) }

func (f *File) at(t *token.Token, format string, args ...any) {
	p := Problem{File: f.Name, Text: fmt.Sprintf(format, args...), Suggestion: meant(args)}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	f.Problems = append(f.Problems, p)
}

// Parse reads one YAML document; false = it cannot be read, the problems say why.
func (f *File) Parse(b []byte) (Node, bool) {
	if len(b) > MaxFile {
		f.Tell("the file is larger than %d kB: split it into several", MaxFile>>10)
		return Node{}, false
	}
	if line := tooDeep(b); line > 0 {
		f.Problems = append(f.Problems, Problem{File: f.Name, Line: line, Text: fmt.Sprintf("more than %d levels inside one another: content is never that deep", MaxDepth)})
		return Node{}, false
	}
	// Keys that stand twice are told by Pairs, all of them and in our words.
	file, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var at interface {
			GetToken() *token.Token
			GetMessage() string
		}
		if errors.As(err, &at) {
			f.at(at.GetToken(), "not valid YAML: %s", at.GetMessage())
		} else {
			f.Tell("not valid YAML: %s", strings.SplitN(err.Error(), "\n", 2)[0])
		}
		return Node{}, false
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		f.Tell("want one document, got %d: a content file is one YAML document", len(file.Docs))
		return Node{}, false
	}
	return Node{f, file.Docs[0].Body}, true
}

// tooDeep finds a line that is nested too deeply, by brackets or by indentation; 0 = none.
func tooDeep(b []byte) int {
	brackets, line := 0, 1
	indents := []int{}
	for len(b) > 0 {
		row := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			row, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		in := 0
		for in < len(row) && (row[in] == ' ' || row[in] == '-' || row[in] == '?' || row[in] == '\t') {
			in++
		}
		if in < len(row) && row[in] != '#' {
			for len(indents) > 0 && indents[len(indents)-1] >= in {
				indents = indents[:len(indents)-1]
			}
			indents = append(indents, in)
			// "- - - -" opens a list with every dash.
			if len(indents)+bytes.Count(row[:in], []byte{'-'}) > MaxDepth {
				return line
			}
		}
		for _, c := range row {
			switch c {
			case '[', '{':
				brackets++
			case ']', '}':
				brackets--
			}
			if brackets > MaxDepth {
				return line
			}
		}
		line++
	}
	return 0
}

func (n Node) token() *token.Token {
	if n.n == nil {
		return nil
	}
	// A block mapping's own token is its first colon; its first key is what an
	// author looks for.
	if m, ok := n.n.(*ast.MappingNode); ok && len(m.Values) > 0 && !m.IsFlowStyle {
		return m.Values[0].Key.GetToken()
	}
	if m, ok := n.n.(*ast.MappingValueNode); ok {
		return m.Key.GetToken()
	}
	return n.n.GetToken()
}

// Problem notes a problem at the node.
func (n Node) Problem(format string, args ...any) { n.file.at(n.token(), format, args...) }

// Place is where the node stands.
func (n Node) Place() Place {
	p := Place{File: n.file.Name}
	if t := n.token(); t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

// Pairs gives the entries of a mapping. Keys that stand twice and keys that are
// not words are problems; known, when given, is the list of allowed keys.
func (n Node) Pairs(what string, known ...string) []Pair {
	var values []*ast.MappingValueNode
	switch m := n.n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	case *ast.NullNode:
		return nil
	default:
		n.Problem("%s: want names with values (name: value), got %s", what, kindOf(n.n))
		return nil
	}
	var ps []Pair
	seen := map[string]int{}
	for _, v := range values {
		key := Node{n.file, v.Key}
		name, ok := scalar(v.Key)
		if !ok {
			key.Problem("%s: a name must be a plain word", what)
			continue
		}
		if line, twice := seen[name]; twice {
			key.Problem("%s: %q stands twice, first on line %d: keep one", what, name, line)
			continue
		}
		seen[name] = key.Place().Line
		if len(known) > 0 && !slices.Contains(known, name) {
			key.Problem("%s: %q is not known here%s", what, name, Suggest(name, known))
			continue
		}
		ps = append(ps, Pair{name, key, Node{n.file, v.Value}})
	}
	return ps
}

// Text gives a scalar as a string.
func (n Node) Text(what string) (string, bool) {
	s, ok := scalar(n.n)
	if !ok {
		n.Problem("%s: want a single word or text, got %s", what, kindOf(n.n))
	}
	return s, ok
}

// List gives the items of a list; a single value is a list of one.
func (n Node) List(what string) []Node {
	switch s := n.n.(type) {
	case *ast.SequenceNode:
		items := make([]Node, 0, len(s.Values))
		for _, v := range s.Values {
			items = append(items, Node{n.file, v})
		}
		return items
	case *ast.NullNode:
		return nil
	case *ast.MappingNode, *ast.MappingValueNode:
		return []Node{n}
	}
	if _, ok := scalar(n.n); ok {
		return []Node{n}
	}
	n.Problem("%s: want a list, got %s", what, kindOf(n.n))
	return nil
}

// Words gives the texts of a list.
func (n Node) Words(what string) []string {
	var out []string
	for _, it := range n.List(what) {
		if s, ok := it.Text(what); ok {
			out = append(out, s)
		}
	}
	return out
}

// Yes reads true or false.
func (n Node) Yes(what string) bool {
	s, _ := n.Text(what)
	if s != "true" && s != "false" {
		n.Problem("%s: want true or false, got %q", what, s)
	}
	return s == "true"
}

func scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		// As written: 0301 stays "0301", 6-9 is a string anyway.
		return n.GetToken().Value, true
	}
	return "", false
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "names with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias, which content may not use"
	case *ast.TagNode:
		return "a tag, which content may not use"
	}
	return "a single value"
}

// Guess is the name that was probably meant. As an argument of a problem it ends
// the sentence, and is the problem's Suggestion.
type Guess string

func (g Guess) String() string {
	if g == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", string(g))
}

func meant(args []any) string {
	for _, a := range args {
		if g, ok := a.(Guess); ok {
			return string(g)
		}
	}
	return ""
}

// Suggest gives the known word an unknown one is most like; empty when none is near.
func Suggest(s string, known []string) Guess {
	best, near := "", 3
	for _, k := range known {
		if len(k)-len(s) >= near || len(s)-len(k) >= near {
			continue
		}
		if d := levenshtein.ComputeDistance(s, k); d < near && d < max(len(s), len(k)) {
			best, near = k, d
		}
	}
	return Guess(best)
}
