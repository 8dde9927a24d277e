package faketelegram

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run gen.go
//go:embed api.txt
var apiTable string

// spec is the Bot API as data: what each method takes and what it gives back.
type spec struct {
	methods map[string]*method // by name in lower case, as the real server looks them up
	types   map[string]*shape
}

// method is one row of the table.
type method struct {
	name    string
	returns string
	params  map[string]param
	order   []string // parameters as the documentation lists them
}

// param is one parameter or field.
type param struct {
	types    []string // alternatives: "Integer", "String", "[]BotCommand", …
	required bool
}

// shape is an object type: fields, or the types it may be.
type shape struct {
	fields   map[string]param
	subtypes []string
}

// botAPI reads the embedded table, once.
var botAPI = sync.OnceValue(func() *spec {
	s := &spec{methods: map[string]*method{}, types: map[string]*shape{}}
	for line := range strings.Lines(apiTable) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if name, isType := strings.CutPrefix(words[0], "="); isType {
			t := &shape{fields: map[string]param{}}
			for _, w := range words[1:] {
				if strings.Contains(w, ":") {
					name, p := parseParam(w)
					t.fields[name] = p
				} else {
					t.subtypes = strings.Split(w, "|")
				}
			}
			s.types[name] = t
			continue
		}
		m := &method{name: words[0], returns: words[1], params: map[string]param{}}
		for _, w := range words[2:] {
			name, p := parseParam(w)
			m.params[name] = p
			m.order = append(m.order, name)
		}
		s.methods[strings.ToLower(m.name)] = m
	}
	return s
})

func parseParam(w string) (string, param) {
	name, types, _ := strings.Cut(w, ":")
	name, required := strings.CutSuffix(name, "!")
	return name, param{types: strings.Split(types, "|"), required: required}
}

// check compares the arguments of a call with the table. It finds what the
// real server would silently ignore or misread: a parameter that does not
// exist, a number that is none, a misspelt field deep in a keyboard. What the
// real server itself refuses is left to the method, which knows the real text.
func (s *spec) check(m *method, c *call) error {
	for name := range c.args {
		if _, known := m.params[name]; !known {
			return strict("%s has no parameter %q", m.name, name)
		}
	}
	for name := range c.files {
		// An attached file may have any name when an argument points at it.
		if _, known := m.params[name]; !known && !c.attached(name) {
			return strict("%s has no parameter %q", m.name, name)
		}
	}
	for name, value := range c.args {
		if err := s.checkArg(m.params[name], value); err != "" {
			return strict("%s: parameter %q %s", m.name, name, err)
		}
	}
	return nil
}

// missing names the first required parameter that was not given.
func (m *method) missing(c *call) error {
	for _, name := range m.order {
		if !m.params[name].required || c.args[name] != "" {
			continue
		}
		if _, file := c.files[name]; file {
			continue
		}
		return bad("parameter \"%s\" is required", name)
	}
	return nil
}

// checkArg checks one argument, which reaches us as text in every kind of body.
func (s *spec) checkArg(p param, value string) string {
	var nested any
	parsed := false
	var first string
	for _, t := range p.types {
		var err string
		switch t {
		case "String", "InputFile":
		case "Integer":
			if _, e := strconv.ParseInt(value, 10, 64); e != nil {
				err = "must be an Integer"
			}
		case "Float":
			if _, e := strconv.ParseFloat(value, 64); e != nil {
				err = "must be a Float"
			}
		case "Boolean":
			if !slices.Contains([]string{"true", "false", "1", "0", "yes", "no"}, strings.ToLower(value)) {
				err = "must be a Boolean"
			}
		default:
			if !parsed {
				if json.Unmarshal([]byte(value), &nested) != nil {
					return "" // the method tells what the real server says to that
				}
				parsed = true
			}
			err = s.checkValue(t, nested)
		}
		if err == "" {
			return ""
		}
		if first == "" {
			first = err
		}
	}
	return first
}

// checkValue checks a JSON value inside an argument. A required field that is
// missing is no fault here: the method has the real text for it.
func (s *spec) checkValue(t string, v any) string {
	if elem, isArray := strings.CutPrefix(t, "[]"); isArray {
		list, ok := v.([]any)
		if !ok {
			return "" // as above: the method has the real text
		}
		for i, e := range list {
			if err := s.checkValue(elem, e); err != "" {
				return fmt.Sprintf("[%d] %s", i, err)
			}
		}
		return ""
	}
	switch t {
	case "String", "InputFile":
		if _, ok := v.(string); !ok {
			return "must be a String"
		}
		return ""
	case "Integer", "Float":
		switch n := v.(type) {
		case float64:
			return ""
		case string:
			if _, err := strconv.ParseFloat(n, 64); err == nil {
				return ""
			}
		}
		return "must be a number"
	case "Boolean":
		if _, ok := v.(bool); !ok {
			return "must be a Boolean"
		}
		return ""
	}
	shape := s.types[t]
	object, ok := v.(map[string]any)
	if shape == nil || !ok {
		return ""
	}
	if len(shape.subtypes) > 0 {
		var first string
		for _, sub := range shape.subtypes {
			err := s.checkValue(sub, v)
			if err == "" {
				return ""
			}
			if first == "" {
				first = err
			}
		}
		return first
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		p, known := shape.fields[name]
		if !known {
			return fmt.Sprintf("has no field %q (%s)", name, t)
		}
		var first string
		for _, ft := range p.types {
			err := s.checkValue(ft, object[name])
			if err == "" {
				first = ""
				break
			}
			if first == "" {
				first = err
			}
		}
		if first != "" {
			return fmt.Sprintf("field %q %s", name, first)
		}
	}
	return ""
}
