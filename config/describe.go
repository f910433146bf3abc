package config

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chargeback/transform/strictyaml"
)

// Describe prints the config as it is in force: YAML that Parse reads, with all
// defaults filled in. Secrets can't show, the config only says where they are.
func (c *Config) Describe() string {
	var out printer
	out.fields("", reflect.ValueOf(c).Elem())
	return out.String()
}

// printer writes the same tags that decode reads.
type printer struct{ strings.Builder }

func (out *printer) fields(indent string, v reflect.Value) {
	for i := range v.NumField() {
		key, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if key == "" || key == "-" || option == "omitempty" && v.Field(i).IsZero() {
			continue
		}
		out.WriteString(indent + key + ":")
		out.value(indent, v.Field(i))
	}
}

func (out *printer) value(indent string, v reflect.Value) {
	switch {
	case isScalar(v):
		out.WriteString(" " + scalarText(v) + "\n")
	case v.Kind() == reflect.Struct:
		out.WriteString("\n")
		out.fields(indent+"  ", v)
	case v.Kind() == reflect.Map:
		out.WriteString("\n")
		byKey := func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), byKey) {
			out.WriteString(indent + "  " + scalarText(key) + ":")
			out.value(indent+"  ", v.MapIndex(key))
		}
	case isList(v):
		out.WriteString(" " + listText(v) + "\n")
	default:
		out.WriteString("\n")
		for i := range v.Len() {
			out.WriteString(indent + "  -\n")
			out.fields(indent+"    ", v.Index(i))
		}
	}
}

// isList says of a list that its items are texts or lists, so that it fits a line.
func isList(v reflect.Value) bool {
	return v.Len() > 0 && (isScalar(v.Index(0)) || v.Index(0).Kind() == reflect.Slice)
}

func listText(v reflect.Value) string {
	var items []string
	for i := range v.Len() {
		switch item := v.Index(i); {
		case isScalar(item):
			items = append(items, scalarText(item))
		case item.Len() == 1 && item.Type() == reflect.TypeFor[strictyaml.OneOrMore]():
			items = append(items, scalarText(item.Index(0)))
		default:
			items = append(items, listText(item))
		}
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func isScalar(v reflect.Value) bool {
	if _, ok := v.Interface().(encoding.TextMarshaler); ok {
		return true
	}
	return slices.Contains([]reflect.Kind{reflect.String, reflect.Int, reflect.Bool}, v.Kind())
}

// plainWord is text that needs no quotes whoever reads it.
var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]+$`)

// reserved are words that look plain and that some readers take for values.
func reserved() []string { return []string{"true", "false", "null", "yes", "no", "on", "off"} }

func scalarText(v reflect.Value) string {
	text := fmt.Sprint(v.Interface())
	if v.Kind() == reflect.Int || v.Kind() == reflect.Bool {
		return text
	}
	if plainWord.MatchString(text) && !slices.Contains(reserved(), strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}
