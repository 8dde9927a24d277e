package data

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a data file (S62, F61).
const (
	maxFile  = 1 << 20 // bytes
	maxDepth = 16      // mappings and lists inside one another
)

// value is a YAML value with its place. The nil value has no entries, so that
// a path into what is not there needs no checks.
type value struct {
	file string
	fsys *int // which reading it came from
	node ast.Node
}

// parse reads one document. Depth and size are bounded before anything is
// built, and what data never needs (anchors, tags, empty values) is refused.
func parse(file string, b []byte) (*value, Problems) {
	one := func(line, column int, text string) Problems {
		return Problems{{File: file, Line: line, Column: column, Text: text}}
	}
	if len(b) > maxFile {
		return nil, one(0, 0, "the file is larger than a megabyte")
	}
	if line := tooDeep(b); line > 0 {
		return nil, one(line, 1, fmt.Sprintf("more than %d levels inside one another: data is never that deep", maxDepth))
	}
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		p := told(file, err)
		return nil, Problems{p}
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return nil, one(0, 0, fmt.Sprintf("want one document, got %d", len(f.Docs)))
	}
	var check checker
	check.file = file
	ast.Walk(&check, f.Docs[0].Body)
	if len(check.problems) > 0 {
		return nil, check.problems
	}
	return &value{file, new(int), f.Docs[0].Body}, nil
}

// checker refuses what a decoder would quietly make something of.
type checker struct {
	file     string
	problems Problems
}

func (c *checker) Visit(n ast.Node) ast.Visitor {
	tell := func(text string) {
		t := n.GetToken()
		c.problems = append(c.problems, Problem{c.file, t.Position.Line, t.Position.Column, text})
	}
	switch n := n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		tell("anchors and aliases are not used in data: write it out")
		return nil
	case *ast.TagNode:
		tell("tags are not used in data")
		return nil
	case *ast.NullNode:
		tell("has no value: give one, or take the line away")
	case *ast.StringNode:
		if n.Value == "" {
			tell("is empty: give a value, or take the line away")
		}
	}
	return c
}

// tooDeep finds a line that is nested too deeply, by brackets, dashes or
// indentation; 0 = none.
func tooDeep(b []byte) int {
	brackets := 0
	for i, row := range strings.Split(string(b), "\n") {
		in := len(row) - len(strings.TrimLeft(row, " -?\t"))
		if strings.Count(row[:in], "-")+strings.Count(row[:in], "?") > maxDepth || in > 8*maxDepth {
			return i + 1
		}
		for _, c := range []byte(row) {
			switch c {
			case '[', '{':
				brackets++
			case ']', '}':
				brackets--
			}
			if brackets > maxDepth {
				return i + 1
			}
		}
	}
	return 0
}

func told(file string, err error) Problem {
	p := Problem{File: file, Text: strings.SplitN(err.Error(), "\n", 2)[0]}
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &at) {
		p.Text = at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = t.Position.Line, t.Position.Column
		}
	}
	var unknown *yaml.UnknownFieldError
	var kind *yaml.TypeError
	switch {
	case errors.As(err, &unknown):
		p.Text = strings.Replace(p.Text, "unknown field", "not known here:", 1)
	case errors.As(err, &kind):
		p.Text = "is of the wrong kind: want what the other entries have here"
	}
	return p
}

func (v *value) child(n ast.Node) *value { return &value{v.file, v.fsys, n} }

func (v *value) pairs() []*ast.MappingValueNode {
	if v == nil {
		return nil
	}
	switch m := v.node.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	return nil
}

func word(n ast.Node) string {
	if s, ok := n.(*ast.StringNode); ok {
		return s.Value
	}
	return n.GetToken().Value
}

func (v *value) keys() []string {
	var keys []string
	for _, p := range v.pairs() {
		keys = append(keys, word(p.Key))
	}
	return keys
}

// get gives the value under a key; nil when there is none.
func (v *value) get(key string) *value {
	for _, p := range v.pairs() {
		if word(p.Key) == key {
			return v.child(p.Value)
		}
	}
	return nil
}

// key gives the key itself, for its place.
func (v *value) key(key string) *value {
	for _, p := range v.pairs() {
		if word(p.Key) == key {
			return v.child(p.Key)
		}
	}
	return nil
}

func (v *value) items() []*value {
	s, ok := v.node.(*ast.SequenceNode)
	if !ok {
		return nil
	}
	items := make([]*value, len(s.Values))
	for i, n := range s.Values {
		items[i] = v.child(n)
	}
	return items
}

func (v *value) quoted() bool {
	t := v.node.GetToken()
	return t.Type == token.DoubleQuoteType || t.Type == token.SingleQuoteType
}

func (v *value) decode(into any) *Problem {
	if err := yaml.NodeToValue(v.node, into, yaml.Strict()); err != nil {
		p := told(v.file, err)
		if p.Line == 0 {
			p.Line, p.Column = v.line(), v.column()
		}
		return &p
	}
	return nil
}

func (v *value) token() *token.Token {
	// A mapping's own token is its first colon; its first key is what an author
	// looks for.
	if ps := v.pairs(); len(ps) > 0 {
		return ps[0].Key.GetToken()
	}
	return v.node.GetToken()
}

func (v *value) line() int   { return v.token().Position.Line }
func (v *value) column() int { return v.token().Position.Column }
