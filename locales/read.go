package locales

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/nicksnyder/go-i18n/v2/i18n"
)

// Limits of a message file (S62, F61).
const (
	maxFile  = 1 << 20 // bytes
	maxDepth = 4       // a message file is names with texts, or with plural forms
)

// file is a message file being read; it collects what is wrong with it.
type file struct {
	name     string
	problems []Problem
	lost     []string // IDs of lines that could not be read
}

func (f *file) tell(line, column int, suggestion, format string, args ...any) {
	p := Problem{File: f.name, Line: line, Column: column, Text: fmt.Sprintf(format, args...), Suggestion: suggestion}
	if suggestion != "" {
		p.Text += fmt.Sprintf("; did you mean %q?", suggestion)
	}
	f.problems = append(f.problems, p)
}

func (f *file) at(n ast.Node, format string, args ...any) {
	line, column := where(n)
	f.tell(line, column, "", format, args...)
}

func where(n ast.Node) (line, column int) {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0, 0
	}
	return n.GetToken().Position.Line, n.GetToken().Position.Column
}

// bounded refuses a file that could cost much before anything is built of it.
func (f *file) bounded(raw []byte) bool {
	if len(raw) > maxFile {
		f.tell(0, 0, "", "the file is larger than %d kB: split it into several", maxFile>>10)
		return false
	}
	if line := tooDeep(raw); line > 0 {
		f.tell(line, 0, "", "more than %d levels inside one another: texts are names with values", maxDepth)
		return false
	}
	if line := anchored(raw); line > 0 {
		f.tell(line, 0, "", "an anchor or alias, which texts may not use: write it out")
		return false
	}
	return true
}

// tooDeep finds a line that is nested too deeply, by brackets or by
// indentation; 0 = none. Brackets inside a text do not count: a text that is
// not in quotes cannot begin with one.
func tooDeep(b []byte) int {
	brackets, line := 0, 0
	var indents []int
	for row := range bytes.Lines(b) {
		line++
		in := len(row) - len(bytes.TrimLeft(row, " -?\t"))
		body := bytes.TrimSpace(row[in:])
		if len(body) == 0 || body[0] == '#' {
			continue
		}
		for len(indents) > 0 && indents[len(indents)-1] >= in {
			indents = indents[:len(indents)-1]
		}
		indents = append(indents, in)
		if len(indents)+bytes.Count(row[:in], []byte("-"))+bytes.Count(row[:in], []byte("?")) > 2*maxDepth {
			return line
		}
		_, value, pair := bytes.Cut(body, []byte(": "))
		if brackets > 0 || body[0] == '[' || body[0] == '{' || pair && len(value) > 0 && (value[0] == '[' || value[0] == '{') {
			for _, c := range body {
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
		}
	}
	return 0
}

var anchor = regexp.MustCompile(`(?m)^[^#\n"']*(?:^|: |- |\[|, ?)[&*][A-Za-z0-9_-]`)

// anchored finds a line with an anchor or alias outside quotes; 0 = none.
func anchored(b []byte) int {
	at := anchor.FindIndex(b)
	if at == nil {
		return 0
	}
	return bytes.Count(b[:at[1]], []byte("\n")) + 1
}

// plural are the names of plural forms, in their usual order.
var formOrder = []string{"zero", "one", "two", "few", "many", "other"}

// read takes a message file apart.
func (f *file) read(raw []byte) (FileInfo, []Entry) {
	info := FileInfo{Path: f.name}
	if !f.bounded(raw) {
		return info, nil
	}
	doc, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f.problems = append(f.problems, problemOf(f.name, err))
		return info, nil
	}
	if len(doc.Docs) != 1 || doc.Docs[0].Body == nil {
		f.tell(0, 0, "", "want one document, got %d: a message file is one YAML document", len(doc.Docs))
		return info, nil
	}
	var entries []Entry
	header := false
	seen := map[string]int{}
	for _, p := range f.pairs(doc.Docs[0].Body, "message file") {
		name, ok := scalar(p.Key)
		if !ok {
			f.at(p.Key, "a name must be a plain word")
			continue
		}
		line, column := where(p.Key)
		if first, twice := seen[name]; twice {
			f.tell(line, column, "", "%q stands twice, first on line %d: keep one", name, first)
			continue
		}
		seen[name] = line
		if name == "file" {
			header = true
			f.header(p.Value, &info)
			continue
		}
		e := Entry{File: f.name, Line: line, Column: column}
		e.ID, e.Band, _ = strings.Cut(name, "@")
		switch {
		case !idForm.MatchString(e.ID):
			f.tell(line, column, "", "%q: want small letters, digits, dashes and dots, such as rights.menu", name)
			continue
		case strings.Contains(name, "@") && !slices.Contains(Bands, e.Band):
			f.lost = append(f.lost, e.ID)
			f.tell(line, column, nearest(e.Band, Bands), "%q: %q is not a band: want %s", name, e.Band, strings.Join(Bands, ", "))
			continue
		}
		if f.value(p.Value, name, &e) {
			entries = append(entries, e)
		} else {
			f.lost = append(f.lost, e.ID)
		}
	}
	if !header {
		f.tell(1, 0, "", "file: status is missing: want file: {status: draft, reviewed_by: \"\", reviewed_on: \"\"}")
	}
	return info, entries
}

// idForm is what a message may be called. The dash is for contacts' and topics'
// own names.
var idForm = regexp.MustCompile(`^[a-z0-9_]+([.-][a-z0-9_]+)*$`)

// value reads a text, or the plural forms of one.
func (f *file) value(n ast.Node, name string, e *Entry) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		e.Forms = map[string]string{}
		for _, p := range f.pairs(n, name) {
			form, _ := scalar(p.Key)
			text, ok := scalar(p.Value)
			switch {
			case !slices.Contains(formOrder, form):
				line, column := where(p.Key)
				f.tell(line, column, nearest(form, formOrder), "%q: %q is no plural form: want %s, or a text beside the name", name, form, strings.Join(formOrder, ", "))
			case !ok:
				f.at(p.Value, "%q: %s: want a text, got %s", name, form, kindOf(p.Value))
			case e.Forms[form] != "":
				f.at(p.Key, "%q: %q stands twice: keep one", name, form)
			default:
				e.Forms[form] = strings.TrimSpace(text)
			}
		}
		e.Raw = e.Forms["other"]
		return true
	}
	text, ok := scalar(n)
	if !ok {
		f.at(n, "%q: want a text, got %s", name, kindOf(n))
		return false
	}
	e.Raw = strings.TrimSpace(text)
	if e.Raw == "" {
		f.tell(e.Line, e.Column, "", "%q is empty: give a text, or take the line away", name)
		e.broken = true
	}
	return true
}

// header reads who stands for the words of a file (D11).
func (f *file) header(n ast.Node, info *FileInfo) {
	line, column := where(n)
	for _, p := range f.pairs(n, "file") {
		name, _ := scalar(p.Key)
		value, ok := scalar(p.Value)
		if !ok {
			f.at(p.Value, "file: %s: want a word or a text in quotes, got %s", name, kindOf(p.Value))
		}
		line, column = where(p.Key)
		switch name {
		case "status":
			info.Status = value
		case "reviewed_by":
			info.ReviewedBy = value
		case "reviewed_on":
			info.ReviewedOn = value
			if _, err := time.Parse(time.DateOnly, value); err != nil && value != "" {
				f.at(p.Value, "file: reviewed_on: want a date such as 2026-11-22, got %q", value)
			}
		default:
			f.tell(line, column, nearest(name, headerNames), "file: %q is not known here: want %s", name, strings.Join(headerNames, ", "))
		}
	}
	switch {
	case info.Status != "draft" && info.Status != "approved":
		f.tell(line, column, nearest(info.Status, []string{"draft", "approved"}), "file: status: want draft, or approved with reviewed_by and reviewed_on, got %q", info.Status)
	case info.Status == "approved" && (info.ReviewedBy == "" || info.ReviewedOn == ""):
		f.tell(line, column, "", "file: it is approved, but reviewed_by or reviewed_on is empty: say who has read it and when")
	}
}

var headerNames = []string{"status", "reviewed_by", "reviewed_on"}

func (f *file) pairs(n ast.Node, what string) []*ast.MappingValueNode {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}
	}
	f.at(n, "%s: want names with values (name: value), got %s", what, kindOf(n))
	return nil
}

func scalar(n ast.Node) (string, bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true // as written
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
		return "an anchor or alias, which texts may not use"
	case *ast.TagNode:
		return "a tag, which texts may not use"
	}
	return "a single value"
}

// render fills in the placeholders of a text, in every plural form and with
// every count that asks for one. A placeholder nobody knows is an error, never
// "<no value>" on a child's screen.
func (f *file) render(e *Entry, l Language, numbers map[string]string) bool {
	if e.Forms == nil {
		text, ok := f.fill(e, e.Raw, numbers, nil)
		e.Text = text
		return ok
	}
	e.Text = e.Raw
	need := formsOf(l.Tag)
	var lacks, spare []string
	for _, form := range formOrder {
		count, needed := need[form]
		text, has := e.Forms[form]
		switch {
		case (needed || form == "other") && text == "":
			lacks = append(lacks, form)
		case has && !needed && form != "other":
			spare = append(spare, form)
		case has:
			if _, ok := f.fill(e, text, numbers, &count); !ok {
				return false
			}
		}
	}
	if len(lacks) > 0 {
		f.tell(e.Line, e.Column, "", "%q lacks the plural %s %s", e.Key(), one(len(lacks), "form", "forms"), and(lacks))
	}
	if len(spare) > 0 {
		f.tell(e.Line, e.Column, "", "%q has the plural %s %s, which %s does not use: take it away", e.Key(), one(len(spare), "form", "forms"), and(spare), l.Name)
	}
	return len(lacks) == 0 && len(spare) == 0
}

func (f *file) fill(e *Entry, text string, numbers map[string]string, count *int) (string, bool) {
	if !strings.Contains(text, "{{") && !strings.Contains(text, "}}") || numbers == nil {
		return text, true
	}
	if strings.Count(text, "{{") != strings.Count(text, "}}") {
		f.tell(e.Line, e.Column, "", "%q: a placeholder is not closed: want {{.number_112}}", e.Key())
		return text, false
	}
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		f.tell(e.Line, e.Column, "", "%q: this is no placeholder: want {{.number_112}}", e.Key())
		return text, false
	}
	data := make(map[string]any, 4)
	ok := true
	for _, n := range t.Root.Nodes {
		if _, is := n.(*parse.TextNode); is {
			continue
		}
		field := placeholder(n)
		value, known := numbers[field]
		switch {
		case field == "":
			f.tell(e.Line, e.Column, "", "%q: this is no placeholder: want {{.number_112}}", e.Key())
			return text, false
		case known:
			data[field] = value
		case field == "n" && count != nil:
			data["n"] = *count
		default:
			ok = false
			f.tell(e.Line, e.Column, nearest(field, slices.Sorted(maps.Keys(numbers))), "%q: placeholder %q is not known: numbers and addresses come from contacts.yaml", e.Key(), field)
		}
	}
	if !ok {
		return text, false
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		f.tell(e.Line, e.Column, "", "%q cannot be shown: %v", e.Key(), err)
		return text, false
	}
	return out.String(), true
}

// placeholder gives the name in {{.name}}; "" for anything else a template could do.
func placeholder(n parse.Node) string {
	action, ok := n.(*parse.ActionNode)
	if !ok || len(action.Pipe.Decl) > 0 || len(action.Pipe.Cmds) != 1 || len(action.Pipe.Cmds[0].Args) != 1 {
		return ""
	}
	field, ok := action.Pipe.Cmds[0].Args[0].(*parse.FieldNode)
	if !ok || len(field.Ident) != 1 {
		return ""
	}
	return field.Ident[0]
}

func message(e Entry) *i18n.Message {
	return &i18n.Message{ID: e.Key(), Zero: e.Forms["zero"], One: e.Forms["one"], Two: e.Forms["two"], Few: e.Forms["few"], Many: e.Forms["many"], Other: e.Forms["other"]}
}

// nearest names the known word a misspelt one is nearest to; "" when none is near.
func nearest(s string, known []string) string {
	best, near := "", 3
	for _, k := range known {
		if len(k)-len(s) >= near || len(s)-len(k) >= near {
			continue
		}
		if d := levenshtein.ComputeDistance(s, k); d < near && d < max(len(s), len(k)) {
			best, near = k, d
		}
	}
	return best
}

func one(n int, single, several string) string {
	if n == 1 {
		return single
	}
	return several
}

func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
