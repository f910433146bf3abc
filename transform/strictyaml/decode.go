package strictyaml

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Decode reads data into the struct that dst points to. What is absent or null
// keeps the value that it had.
func Decode(name string, data []byte, dst any) *Document { return DecodePart(name, 0, data, dst) }

// DecodePart is Decode for a document of a file, behind so many lines.
func DecodePart(name string, before int, data []byte, dst any) *Document {
	doc := &Document{name: name, before: before, lines: map[string]int{"": before + 1}, problems: map[string]problem{}}
	if !utf8.Valid(data) {
		doc.Failf("", "is not UTF-8 text; save the file as UTF-8")
		return doc
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if much := measure(data); much != nil {
		doc.failAt(before+much.line, "", much.text)
		return doc
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		doc.failSyntax(err)
		return doc
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch len(bodies) {
	case 0: // an empty file: all its keys are absent
	case 1:
		doc.value("", bodies[0], reflect.ValueOf(dst).Elem())
	default:
		doc.Failf("", "holds %d YAML documents; keep one and remove the --- lines", len(bodies))
	}
	return doc
}

// Text is a text of a file: a key or its value.
type Text struct {
	Path  string // of the key
	Line  int
	Value string
}

// Texts lists the texts of a file in their order, whatever they mean. A file
// that is not YAML has none.
func Texts(data []byte) (all []Text) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if measure(data) != nil {
		return nil
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil
	}
	var visit func(path string, node ast.Node)
	visit = func(path string, node ast.Node) {
		add := func(node ast.Node, value string) {
			all = append(all, Text{path, node.GetToken().Position.Line, value})
		}
		switch n := node.(type) {
		case ast.MapNode:
			outer := path
			for pair := n.MapRange(); pair.Next(); {
				key := pair.Key().GetToken().Value
				path = strings.TrimPrefix(outer+"."+key, ".")
				add(pair.Key(), key)
				visit(path, pair.Value())
			}
		case *ast.SequenceNode:
			for i, item := range n.Values {
				visit(fmt.Sprintf("%s[%d]", path, i), item)
			}
		case *ast.StringNode:
			add(n, n.Value)
		case *ast.LiteralNode:
			add(n, n.Value.Value)
		}
	}
	for _, d := range file.Docs {
		if d.Body != nil {
			visit("", d.Body)
		}
	}
	return all
}

// OneOrMore is a list of texts, of which one may stand without brackets.
type OneOrMore []string

// value reads node into dst by the type that dst has.
func (doc *Document) value(path string, node ast.Node, dst reflect.Value) {
	if node.Type() == ast.NullType {
		return
	}
	if custom, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if literal, ok := doc.scalar(path, node); ok {
			if err := custom.UnmarshalText([]byte(literal)); err != nil {
				doc.Failf(path, "%v", err)
			}
		}
		return
	}
	switch dst.Kind() {
	case reflect.Struct:
		doc.fields(path, node, dst)
	case reflect.Map:
		doc.entries(path, node, dst)
	case reflect.Slice:
		doc.items(path, node, dst)
	case reflect.String:
		if text, ok := doc.text(path, node); ok {
			dst.SetString(text)
		}
	case reflect.Int:
		if literal, ok := doc.scalar(path, node); ok {
			n, err := strconv.ParseInt(literal, 10, 32)
			if err != nil {
				doc.Failf(path, "%q is not a whole number; write digits only", literal)
			}
			dst.SetInt(n)
		}
	case reflect.Bool:
		if yes, ok := node.(*ast.BoolNode); ok {
			dst.SetBool(yes.Value)
		} else {
			doc.Failf(path, "is neither true nor false; write one of the two")
		}
	default:
		panic(fmt.Sprintf("strictyaml: %s: no rule for Go type %s", path, dst.Type()))
	}
}

func (doc *Document) fields(path string, node ast.Node, dst reflect.Value) {
	byKey := map[string]reflect.Value{}
	var known []string
	for i := range dst.NumField() {
		key, _, _ := strings.Cut(dst.Type().Field(i).Tag.Get("yaml"), ",")
		if key != "" && key != "-" {
			byKey[key] = dst.Field(i)
			known = append(known, key)
		}
	}
	doc.mapping(path, node, func(at, key string, value ast.Node) {
		if field, ok := byKey[key]; ok {
			doc.value(at, value, field)
		} else {
			doc.Failf(at, "is not a known key; use one of %s", strings.Join(known, ", "))
		}
	})
}

func (doc *Document) entries(path string, node ast.Node, dst reflect.Value) {
	dst.Set(reflect.MakeMap(dst.Type()))
	doc.mapping(path, node, func(at, key string, value ast.Node) {
		element := reflect.New(dst.Type().Elem()).Elem()
		doc.value(at, value, element)
		dst.SetMapIndex(reflect.ValueOf(key), element)
	})
}

// mapping calls visit for each key of node with the key's path.
func (doc *Document) mapping(path string, node ast.Node, visit func(at, key string, value ast.Node)) {
	pairs, ok := node.(ast.MapNode)
	if !ok {
		doc.Failf(path, "needs keys with values below it; write key: value")
		return
	}
	for pair := pairs.MapRange(); pair.Next(); {
		key := pair.Key().GetToken()
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		doc.lines[at] = doc.before + key.Position.Line
		if name, ok := doc.text(at, pair.Key()); ok {
			visit(at, name, pair.Value())
		}
	}
}

func (doc *Document) items(path string, node ast.Node, dst reflect.Value) {
	list, ok := node.(*ast.SequenceNode)
	if _, one := dst.Interface().(OneOrMore); one && !ok {
		if text, isText := doc.text(path, node); isText {
			dst.Set(reflect.ValueOf(OneOrMore{text}))
		}
		return
	}
	if !ok {
		doc.Failf(path, "needs a list; put each item on a line of its own after - or write [a, b]")
		return
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(list.Values), len(list.Values)))
	for i, item := range list.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		doc.lines[at] = doc.before + firstToken(item).Position.Line
		if item.Type() == ast.NullType {
			doc.Failf(at, "is empty; fill it in or remove the -")
			continue
		}
		doc.value(at, item, dst.Index(i))
	}
}

// firstToken is where a node starts; a mapping's own token is its first colon.
func firstToken(node ast.Node) *token.Token {
	if pairs, ok := node.(ast.MapNode); ok {
		if pair := pairs.MapRange(); pair.Next() {
			return pair.Key().GetToken()
		}
	}
	return node.GetToken()
}

// text gives the characters of quoted text, or of plain text that nobody can
// take for a number.
func (doc *Document) text(path string, node ast.Node) (string, bool) {
	literal, ok := doc.scalar(path, node)
	if !ok {
		return "", false
	}
	plain := node.GetToken().Type != token.SingleQuoteType && node.GetToken().Type != token.DoubleQuoteType
	_, isText := node.(*ast.StringNode)
	switch {
	case node.Type() == ast.LiteralType:
		return literal, true
	case !isText, plain && numberLike.MatchString(literal):
		doc.Failf(path, "%s is not quoted, so it may be read as a number or a truth value; quote it: %q", literal, literal)
		return "", false
	case literal != strings.TrimSpace(literal):
		doc.Failf(path, "%q has blanks around it; remove them", literal)
		return "", false
	}
	return literal, true
}

var numberLike = regexp.MustCompile(`^[-+.]?[0-9][0-9._:]*([eE][-+]?[0-9]+)?$`)

// scalar gives the characters of a single value as the file has them.
func (doc *Document) scalar(path string, node ast.Node) (string, bool) {
	switch v := node.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(v.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		doc.Failf(path, "uses a YAML anchor, alias, merge key or tag; write the value out")
	default:
		doc.Failf(path, "needs a single value; write it after the colon")
	}
	return "", false
}
