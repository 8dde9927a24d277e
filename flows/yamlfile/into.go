package yamlfile

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

var placeType = reflect.TypeFor[Place]()

// Into reads a node into a Go value: structs by their yaml tags, maps with
// string keys, slices, strings, bools and whole numbers. Unlike a decoder it
// does not stop at the first thing that is wrong: unknown keys, keys that stand
// twice, wrong kinds and empty values are all told. A field of type Place gets
// the place of its struct; embedded structs count as their fields. dst is a
// pointer.
func (n Node) Into(what string, dst any) { n.into(what, reflect.ValueOf(dst).Elem()) }

func (n Node) into(what string, v reflect.Value) {
	if _, nothing := n.n.(*ast.NullNode); nothing || n.n == nil {
		n.Problem("%s: has no value: give one, or take the line away", what)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		n.intoStruct(what, v)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		n.into(what, v.Elem())
	case reflect.Slice:
		items := n.List(what)
		if len(items) == 0 {
			n.Problem("%s: is empty: give a value, or take the line away", what)
		}
		for _, it := range items {
			e := reflect.New(v.Type().Elem()).Elem()
			it.into(what, e)
			v.Set(reflect.Append(v, e))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for _, p := range n.Pairs(what) {
			e := reflect.New(v.Type().Elem()).Elem()
			p.Value.into(what+": "+p.Key, e)
			v.SetMapIndex(reflect.ValueOf(p.Key).Convert(v.Type().Key()), e)
		}
	case reflect.Bool:
		v.SetBool(n.Yes(what))
	case reflect.Int:
		s, ok := n.Text(what)
		i, err := strconv.Atoi(s)
		if ok && err != nil {
			n.Problem("%s: want a whole number, got %q", what, s)
		}
		v.SetInt(int64(i))
	case reflect.String:
		s, ok := n.Text(what)
		if ok && strings.TrimSpace(s) == "" {
			n.Problem("%s: is empty: give a value, or take the line away", what)
		}
		v.SetString(strings.TrimSpace(s))
	default:
		panic("yamlfile: cannot read into " + v.Type().String())
	}
}

func (n Node) intoStruct(what string, v reflect.Value) {
	fields := map[string]reflect.Value{}
	var gather func(v reflect.Value)
	gather = func(v reflect.Value) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch tag := f.Tag.Get("yaml"); {
			case f.Type == placeType:
				v.Field(i).Set(reflect.ValueOf(n.Place()))
			case f.Anonymous:
				gather(v.Field(i))
			case tag != "" && tag != "-":
				fields[tag] = v.Field(i)
			}
		}
	}
	gather(v)
	for _, p := range n.Pairs(what, slices.Sorted(maps.Keys(fields))...) {
		p.Value.into(what+": "+p.Key, fields[p.Key])
	}
}
