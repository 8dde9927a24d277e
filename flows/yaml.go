package flows

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a content file (S62, F61).
const (
	maxFile  = 1 << 20 // bytes
	maxDepth = 32      // mappings and lists inside one another
)

// Problem is something wrong in a content file, told to its author: where, what,
// and what to do.
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

// Spot is a place in a content file.
type Spot struct {
	File         string
	Line, Column int
}

func (n node) spot() Spot {
	s := Spot{File: n.src.name}
	if t := n.token(); t != nil && t.Position != nil {
		s.Line, s.Column = t.Position.Line, t.Position.Column
	}
	return s
}

// source is a content file being read; it collects what is wrong with it.
type source struct {
	name     string
	problems []Problem
}

// node is a YAML value with its place.
type node struct {
	src *source
	n   ast.Node
}

func (f *source) at(t *token.Token, format string, args ...any) {
	p := Problem{File: f.name, Text: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if g, ok := a.(guess); ok {
			p.Suggestion = string(g)
		}
	}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	f.problems = append(f.problems, p)
}

// parse reads one YAML document. Size, depth and aliases are bounded before
// anything is expanded, so a hostile file costs little (F61).
func (f *source) parse(b []byte) (node, bool) {
	if len(b) > maxFile {
		f.at(nil, "the file is larger than %d kB: split it into several", maxFile>>10)
		return node{}, false
	}
	if line := tooDeep(b); line > 0 {
		f.problems = append(f.problems, Problem{File: f.name, Line: line, Text: fmt.Sprintf("more than %d levels inside one another: content is never that deep", maxDepth)})
		return node{}, false
	}
	file, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var at interface {
			GetToken() *token.Token
			GetMessage() string
		}
		if errors.As(err, &at) {
			f.at(at.GetToken(), "not valid YAML: %s", at.GetMessage())
		} else {
			f.at(nil, "not valid YAML: %s", strings.SplitN(err.Error(), "\n", 2)[0])
		}
		return node{}, false
	}
	if len(file.Docs) == 0 || len(file.Docs) == 1 && file.Docs[0].Body == nil {
		f.at(nil, "the file is empty: take it away, or write what belongs in it")
		return node{}, false
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		f.at(nil, "want one document, got %d: a content file is one YAML document", len(file.Docs))
		return node{}, false
	}
	return node{f, file.Docs[0].Body}, true
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
			dashes := strings.Count(string(row[:in]), "-")
			if len(indents)+dashes > maxDepth {
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
			if brackets > maxDepth {
				return line
			}
		}
		line++
	}
	return 0
}

func (n node) token() *token.Token {
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

func (n node) problem(format string, args ...any) { n.src.at(n.token(), format, args...) }

// pair is one entry of a mapping.
type pair struct {
	key   string
	at    node // the key, for places
	value node
}

// pairs gives the entries of a mapping. Keys that stand twice and keys that are
// not words are problems; known, when given, is the list of allowed keys.
func (n node) pairs(what string, known ...string) []pair {
	var values []*ast.MappingValueNode
	switch m := n.n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	case *ast.NullNode:
		return nil
	default:
		n.problem("%s: want names with values (name: value), got %s", what, kindOf(n.n))
		return nil
	}
	var ps []pair
	seen := map[string]int{}
	for _, v := range values {
		key := node{n.src, v.Key}
		name, ok := scalar(v.Key)
		if !ok {
			key.problem("%s: a name must be a plain word", what)
			continue
		}
		if line, twice := seen[name]; twice {
			key.problem("%s: %q stands twice, first on line %d: keep one", what, name, line)
			continue
		}
		if t := key.token(); t != nil && t.Position != nil {
			seen[name] = t.Position.Line
		} else {
			seen[name] = 0
		}
		if len(known) > 0 && !has(known, name) {
			key.problem("%s: %q is not known here%s", what, name, suggest(name, known))
			continue
		}
		ps = append(ps, pair{name, key, node{n.src, v.Value}})
	}
	return ps
}

// text gives a scalar as a string.
func (n node) text(what string) (string, bool) {
	s, ok := scalar(n.n)
	if !ok {
		n.problem("%s: want a single word or text, got %s", what, kindOf(n.n))
	}
	return s, ok
}

// list gives the items of a list; a single value is a list of one.
func (n node) list(what string) []node {
	switch s := n.n.(type) {
	case *ast.SequenceNode:
		items := make([]node, 0, len(s.Values))
		for _, v := range s.Values {
			items = append(items, node{n.src, v})
		}
		return items
	case *ast.NullNode:
		return nil
	case *ast.MappingNode, *ast.MappingValueNode:
		return []node{n}
	}
	if _, ok := scalar(n.n); ok {
		return []node{n}
	}
	n.problem("%s: want a list, got %s", what, kindOf(n.n))
	return nil
}

func (n node) words(what string) []string {
	var out []string
	for _, it := range n.list(what) {
		if s, ok := it.text(what); ok {
			out = append(out, s)
		}
	}
	return out
}

func (n node) yes(what string) bool {
	s, _ := n.text(what)
	if s != "true" && s != "false" {
		n.problem("%s: want true or false, got %q", what, s)
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
