package warehouse

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"

	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Row is one row of a select: its columns' names, and a value for each of the types
// string, int64, bool, time.Time, civil.Date, money.USD and record.Key; null is nil. Both are
// valid until the next row.
type Row struct {
	Columns []string
	Values  []any
}

// Each reads the rows of a select into values of T and calls yield for each. T is
// a struct whose exported fields stand for the columns, by their names written
// snake_case or by a tag `column:"name"`, each for one; fields of embedded structs
// count as its own, and `column:"-"` stands for none. Or it is one value, for a
// select of one column. Null needs a pointer, or the tag `column:"name,null"` (or
// `column:",null"`), by which it is the zero value. A column without a field, a field
// without a column, null elsewhere and another type are errors that name the select
// and the column.
func Each[T any](ctx context.Context, q Querier, s Select, yield func(T) error) error {
	var shape *shape
	return q.Query(ctx, s, func(r Row) error {
		var v T
		target := reflect.ValueOf(&v).Elem()
		if shape == nil {
			made, err := shapeOf(target.Type(), r.Columns)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name(), err)
			}
			shape = made
		}
		for i, f := range shape.fields {
			at := target
			if f.index != nil {
				at = target.FieldByIndex(f.index)
			}
			if err := set(at, r.Values[i], f.null); err != nil {
				return fmt.Errorf("%s: column %s: %w", s.name(), r.Columns[i], err)
			}
		}
		return yield(v)
	})
}

// All reads all rows of a select; see Each.
func All[T any](ctx context.Context, q Querier, s Select) (rows []T, err error) {
	err = Each(ctx, q, s, func(v T) error {
		rows = append(rows, v)
		return nil
	})
	return rows, err
}

// One reads the row of a select that has exactly one; see Each.
func One[T any](ctx context.Context, q Querier, s Select) (row T, err error) {
	row, found, err := Maybe[T](ctx, q, s)
	if err == nil && !found {
		err = fmt.Errorf("%s: no row, want one", s.name())
	}
	return row, err
}

// Maybe reads the row of a select that has at most one; see Each.
func Maybe[T any](ctx context.Context, q Querier, s Select) (row T, found bool, err error) {
	err = Each(ctx, q, s, func(v T) error {
		if found {
			return fmt.Errorf("%s: more than one row", s.name())
		}
		row, found = v, true
		return nil
	})
	return row, found, err
}

// name is what errors call the select.
func (s Select) name() string {
	if s.Name != "" {
		return s.Name
	}
	return fmt.Sprintf("select %.60q", strings.TrimSpace(s.Text))
}

// shape says which field each column goes to.
type shape struct{ fields []field }

type field struct {
	index []int // nil: the value itself
	null  bool
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	dateType  = reflect.TypeFor[civil.Date]()
	monthType = reflect.TypeFor[civil.Month]()
	usdType   = reflect.TypeFor[money.USD]()
)

func isValue(t reflect.Type) bool {
	switch t {
	case timeType, dateType, monthType, usdType:
		return true
	}
	return t.Kind() != reflect.Struct
}

func shapeOf(t reflect.Type, columns []string) (*shape, error) {
	if isValue(t) {
		if len(columns) != 1 {
			return nil, fmt.Errorf("%d columns, want one", len(columns))
		}
		return &shape{[]field{{}}}, nil
	}
	byName := map[string]field{}
	if err := collect(t, nil, byName); err != nil {
		return nil, err
	}
	s := &shape{}
	for _, name := range columns {
		f, ok := byName[name]
		if !ok {
			return nil, fmt.Errorf("column %s has no field in %s, or is there twice", name, t)
		}
		delete(byName, name)
		s.fields = append(s.fields, f)
	}
	for name := range byName {
		return nil, fmt.Errorf("there is no column %s, which %s wants", name, t)
	}
	return s, nil
}

func collect(t reflect.Type, within []int, into map[string]field) error {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int(nil), within...), i)
		name, option, _ := strings.Cut(f.Tag.Get("column"), ",")
		switch {
		case name == "-":
			continue
		case f.Anonymous && !isValue(f.Type):
			if err := collect(f.Type, index, into); err != nil {
				return err
			}
			continue
		case !f.IsExported():
			return fmt.Errorf("field %s of %s is not exported", f.Name, t)
		}
		if name == "" {
			name = snake(f.Name)
		}
		if _, twice := into[name]; twice {
			return fmt.Errorf("two fields of %s stand for column %s", t, name)
		}
		into[name] = field{index, option == "null"}
	}
	return nil
}

// snake writes FirstDay as first_day and ObjectID as object_id.
func snake(name string) string {
	var out strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}

var errNull = errors.New("is null, and its field takes none")

// set puts a value of a row into a field.
func set(to reflect.Value, v any, null bool) error {
	if v == nil {
		if to.Kind() == reflect.Pointer || null {
			to.SetZero()
			return nil
		}
		return errNull
	}
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(to.Type().Elem()))
		to = to.Elem()
	}
	if to.Kind() == reflect.Interface && to.NumMethod() == 0 {
		to.Set(reflect.ValueOf(v))
		return nil
	}
	switch v := v.(type) {
	case string:
		if to.Type() == monthType {
			m, err := civil.ParseMonth(v)
			to.Set(reflect.ValueOf(m))
			return err
		}
		if to.Kind() == reflect.String {
			to.SetString(v)
			return nil
		}
	case int64:
		if to.CanInt() {
			if to.OverflowInt(v) {
				return fmt.Errorf("%d does not fit a %s", v, to.Type())
			}
			to.SetInt(v)
			return nil
		}
	case bool:
		if to.Kind() == reflect.Bool {
			to.SetBool(v)
			return nil
		}
	case time.Time, civil.Date, money.USD, record.Key:
		if reflect.TypeOf(v) == to.Type() {
			to.Set(reflect.ValueOf(v))
			return nil
		}
	}
	return fmt.Errorf("is of type %T, and its field is a %s", v, to.Type())
}

// With is a Querier whose selects have further views and arguments: {name} means
// what views say, unless the select says it itself.
func With(q Querier, views map[string]string, args Args) Querier {
	return overlaid{q, views, args}
}

type overlaid struct {
	q     Querier
	views map[string]string
	args  Args
}

func (o overlaid) Query(ctx context.Context, s Select, yield func(Row) error) error {
	s.Views, s.Args = merged(o.views, s.Views), merged(o.args, s.Args)
	return o.q.Query(ctx, s, yield)
}

func merged[M ~map[string]V, V any](under, over M) M {
	all := M{}
	for _, m := range []M{under, over} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}
