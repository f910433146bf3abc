package record

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// goodText is what a field may hold: nothing, short and long text, and text
// that runs into its neighbours. anyText may be too long or not UTF-8.
var (
	goodText = rapid.OneOf(
		rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b'}), 0, 3),
		rapid.SampledFrom([][]byte{[]byte("ü"), bytes.Repeat([]byte("x"), TextBytesMax)}),
	)
	anyText = rapid.OneOf(goodText, goodText, goodText, goodText, goodText, goodText, goodText,
		rapid.SampledFrom([][]byte{bytes.Repeat([]byte("x"), TextBytesMax+1), {0xff}, []byte("\xc3")}))
)

// fillFields draws every exported field of a record.
func fillFields(t *rapid.T, into any, text *rapid.Generator[[]byte]) {
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch field := v.Field(i); field.Interface().(type) {
		case []byte:
			field.SetBytes(text.Draw(t, name))
		case int64:
			field.SetInt(rapid.SampledFrom([]int64{0, 1, 256, 1 << 40}).Draw(t, name))
		case bool:
			field.SetBool(rapid.Bool().Draw(t, name))
		case Tokens:
			fillFields(t, field.Addr().Interface(), text)
		default:
			t.Fatalf("field %s has a type that this test doesn't know", name)
		}
	}
}

// texts are all text fields of a record.
func texts(of any) (all [][]byte) {
	v := reflect.ValueOf(of)
	for i := range v.NumField() {
		if text, ok := v.Field(i).Interface().([]byte); ok {
			all = append(all, text)
		}
	}
	return all
}

// columns copies a batch's columns, so that they can be compared later.
func columns(b *Batch) []Vector {
	all := make([]Vector, len(b.Cols))
	for i, c := range b.Cols {
		all[i] = Vector{slices.Clone(c.Ints), slices.Clone(c.Keys), slices.Clone(c.Heap), slices.Clone(c.Ends), slices.Clone(c.Null), c.Nulls}
	}
	return all
}

func checkShape(t *rapid.T, b *Batch) {
	for i, c := range b.Cols {
		nulls := 0
		for _, null := range c.Null {
			if null {
				nulls++
			}
		}
		values := len(c.Ints)
		switch b.Schema.Columns[i].Type {
		case Text:
			values = len(c.Ends)
		case ID:
			values = len(c.Keys)
		}
		marks := 0
		if b.Schema.Columns[i].Nullable {
			marks = b.Rows
		}
		if values != b.Rows || len(c.Null) != marks || nulls != c.Nulls {
			t.Fatalf("column %s: %d values, %d nulls (counted %d) in %d rows", b.Schema.Columns[i].Name, values, nulls, c.Nulls, b.Rows)
		}
	}
}

// Goal: a row is added whole, or not at all and with an error that names the
// column, for every kind of record.
// Method: random records, of which some can't be kept; the error is expected
// exactly where a text is too long or not UTF-8.
func TestAppendIsAllOrNothing(t *testing.T) {
	kinds := map[string]func(*rapid.T, *Dimensions) (schema *Schema, all [][]byte, add func(*Batch) error){
		"usage": func(t *rapid.T, d *Dimensions) (*Schema, [][]byte, func(*Batch) error) {
			var u Usage
			fillFields(t, &u, anyText)
			return UsageSchema, texts(u), func(b *Batch) error { return b.AppendUsage(&u, d, Lineage{1, 2}) }
		},
		"request": func(t *rapid.T, d *Dimensions) (*Schema, [][]byte, func(*Batch) error) {
			var r Request
			fillFields(t, &r, anyText)
			return RequestSchema, texts(r), func(b *Batch) error { return b.AppendRequest(&r, d, Lineage{1, 2}) }
		},
		"person": func(t *rapid.T, _ *Dimensions) (*Schema, [][]byte, func(*Batch) error) {
			var p Person
			fillFields(t, &p, anyText)
			return PeopleSchema, texts(p), func(b *Batch) error { return b.AppendPerson(&p, Lineage{1, 2}) }
		},
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			var b *Batch
			rapid.Check(t, func(t *rapid.T) {
				d := NewDimensions(nil)
				for i := range rapid.IntRange(1, 8).Draw(t, "rows") {
					schema, all, add := kind(t, d)
					if b == nil {
						b = NewBatch(schema)
					}
					if i == 0 {
						b.Reset()
					}
					before, rows := columns(b), b.Rows
					wrong := slices.ContainsFunc(all, func(v []byte) bool { return !keepable(v) })
					err := add(b)
					var text *TextError
					switch {
					case wrong != (err != nil), wrong && !errors.As(err, &text):
						t.Fatalf("texts %q: error %v", all, err)
					case wrong && !reflect.DeepEqual(before, columns(b)):
						t.Fatalf("a refused row changed the batch")
					case !wrong && b.Rows != rows+1:
						t.Fatalf("%d rows after %d", b.Rows, rows)
					}
					checkShape(t, b)
				}
			})
		})
	}
}

func TestRefusalsNameTheColumn(t *testing.T) {
	long := bytes.Repeat([]byte("x"), TextBytesMax+1)
	tests := []struct {
		name string
		u    Usage
		want string
	}{
		{"row, too long", Usage{ClientRef: long}, "client_ref: is longer than 4096 bytes"},
		{"row, NUL", Usage{ClientRef: []byte("a\x00b")}, "client_ref: holds a NUL character"},
		{"dimension, NUL", Usage{Caller: []byte{0}}, "caller: holds a NUL character"},
		{"row, not UTF-8", Usage{ResponseID: []byte{0xff}}, "response_id: is not valid UTF-8"},
		{"dimension, too long", Usage{Region: long}, "region: is longer than 4096 bytes"},
		{"dimension, not UTF-8", Usage{Caller: []byte{0xff}}, "caller: is not valid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := NewBatch(UsageSchema).AppendUsage(&tt.u, NewDimensions(nil), Lineage{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// Goal: a row that a fault left half written is taken back by Trim, and the
// batch goes on as if it had never begun.
func TestTrimTakesBackHalfARow(t *testing.T) {
	d := NewDimensions(nil)
	b := NewBatch(RequestSchema)
	whole := Request{AgentRequestID: []byte("a")}
	if err := b.AppendRequest(&whole, d, Lineage{1, 1}); err != nil {
		t.Fatal(err)
	}
	before := columns(b)
	b.int(0, 7)
	b.id(1, []byte("half"))
	b.id(3, []byte{0xff})
	b.text(11, nil)
	b.optional(13, 0, false)
	b.Trim()
	if diff := cmp.Diff(before, columns(b)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := b.AppendRequest(&whole, d, Lineage{1, 2}); err != nil || b.Rows != 2 || b.IDAt(1, 1) != "a" {
		t.Errorf("error %v, %d rows", err, b.Rows)
	}
}

func TestResetKeepsNothing(t *testing.T) {
	b := NewBatch(PeopleSchema)
	p := Person{Email: []byte("user001@example.com")}
	for !b.Full() {
		if err := b.AppendPerson(&p, Lineage{}); err != nil {
			t.Fatal(err)
		}
	}
	b.Reset()
	p.Email = []byte("u")
	if err := b.AppendPerson(&p, Lineage{}); err != nil || b.Rows != 1 || b.TextAt(0, 0) != "u" || b.TextAt(1, 0) != "" || b.Full() {
		t.Errorf("error %v, %d rows, email %q", err, b.Rows, b.TextAt(0, 0))
	}
}

// tuples lists a dimension's rows.
func tuples(d *Dimension, known map[int64]bool) (all []string) {
	d.New(known, func(b *Batch) bool {
		for row := range b.Rows {
			cells := []string{fmt.Sprint(b.Cols[0].Ints[row])}
			for i := 1; i < len(b.Cols); i++ {
				cells = append(cells, fmt.Sprintf("%q %v", b.TextAt(i, row), b.Cols[i].IsNull(row)))
			}
			all = append(all, strings.Join(cells, " "))
		}
		return true
	})
	return all
}

// Goal: equal tuples have one id, others another, in every dimension; what a
// dimension lists is what it was given, once, by id; two workers' dimensions
// merge to what one worker would have found, in any order.
func TestDimensionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, left, right := newDimension(TaskSchema, nil), newDimension(TaskSchema, nil), newDimension(TaskSchema, nil)
		ids := map[string]int64{}
		for range rapid.IntRange(0, 12).Draw(t, "tuples") {
			tuple := [][]byte{anyText.Draw(t, "agent"), anyText.Draw(t, "cost centre"), anyText.Draw(t, "tools")}
			id, err := one.ID(tuple...)
			half := left
			if rapid.Bool().Draw(t, "right") {
				half = right
			}
			if other, otherErr := half.ID(tuple...); other != id || (err == nil) != (otherErr == nil) {
				t.Fatalf("%q has id %d, %v here and %d, %v there", tuple, id, err, other, otherErr)
			}
			if wrong := slices.ContainsFunc(tuple, func(v []byte) bool { return !keepable(v) }); wrong != (err != nil) {
				t.Fatalf("%q: error %v", tuple, err)
			}
			if err != nil {
				continue
			}
			name := fmt.Sprintf("%q", tuple)
			if known, ok := ids[name]; ok && known != id || id < 0 {
				t.Fatalf("%s has id %d, before %d", name, id, known)
			}
			ids[name] = id
		}
		distinct := map[int64]bool{}
		for _, id := range ids {
			distinct[id] = true
		}
		if len(distinct) != len(ids) || one.Len() != len(ids) {
			t.Fatalf("%d tuples have %d ids, dimension lists %d", len(ids), len(distinct), one.Len())
		}
		left.Merge(right)
		left.Merge(right)
		if diff := cmp.Diff(tuples(one, nil), tuples(left, nil)); diff != "" {
			t.Fatalf("merged (-want +got)\n%s", diff)
		}
		if rest := tuples(one, distinct); len(rest) > 0 {
			t.Fatalf("known tuples are listed: %v", rest)
		}
	})
}

// Goal: ids are the same in every run: a ledger keeps them.
func TestDimensionIDsNeverChange(t *testing.T) {
	d := newDimension(TaskSchema, nil)
	id, err := d.ID([]byte("support-bot"), nil, []byte("sql:1"))
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(2037962928763848979); id != want {
		t.Errorf("got %d, want %d", id, want)
	}
	if got := tuples(d, nil); len(got) != 1 || !strings.HasSuffix(got[0], ` "support-bot" false "" true "sql:1" false`) {
		t.Errorf("got %q", got)
	}
}

// Goal: numbers are dense, one for each tuple, whichever workers meet it; a tuple that
// a ledger has keeps its id, and a hash takes no number away.
// Method: random tuples, of which a ledger has some, by as many workers as tuples.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfNDistinct(rapid.StringMatching("[a-c]{0,3}"), 1, 12, rapid.ID[string]).Draw(t, "regions")
		of := func(workers *Dimensions, region string) int64 {
			b := NewBatch(UsageSchema)
			if err := b.AppendUsage(&Usage{Provider: []byte("p"), Region: []byte(region), Model: []byte("m")}, workers, Lineage{1, 1}); err != nil {
				t.Fatal(err)
			}
			return b.Cols[9].Ints[0]
		}
		n, want := NewNumbers(), map[string]int64{}
		known := rapid.IntRange(0, len(texts)).Draw(t, "known")
		last := int64(0)
		for i, region := range texts[:known] {
			id := of(NewDimensions(nil), region) // a hash of before
			if i%2 == 0 {
				last = int64(i + 3)
				id = last
			}
			n.Know(MeterSchema, id, "p", "", region, "m", "", "", "", "")
			want[region] = id
		}
		for _, region := range texts[known:] {
			last++
			want[region] = last
		}
		for range 2 {
			for _, region := range texts {
				if id := of(NewDimensions(n), region); id != want[region] {
					t.Fatalf("region %q has id %d, want %d", region, id, want[region])
				}
			}
		}
	})
}

// Goal: a long list comes in full batches, and a caller may stop.
func TestDimensionListsInBatches(t *testing.T) {
	d := newDimension(CallerSchema, nil)
	for i := range BatchRows + 1 {
		if _, err := d.ID(fmt.Append(nil, i), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	last := int64(-1)
	d.New(nil, func(b *Batch) bool {
		sizes = append(sizes, b.Rows)
		for _, id := range b.Cols[0].Ints {
			if id <= last {
				t.Errorf("id %d after %d", id, last)
			}
			last = id
		}
		return true
	})
	if diff := cmp.Diff([]int{BatchRows, 1}, sizes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	calls := 0
	d.New(nil, func(*Batch) bool { calls++; return false })
	if calls != 1 {
		t.Errorf("called %d times after it was told to stop", calls)
	}
}

// Goal: each id has a key of its own, in every run and ledger; a UUID is its key, and
// all that is not told by its key is kept as text.
// Method: ids around what a UUID is; random ids, which come back from a batch as they
// were; a UUID that has the bits of another id's key.
func TestKeys(t *testing.T) {
	const uuid = "6ba7b810-9dad-11d1-b0b4-00c04fd430c8"
	for id, want := range map[string]string{
		uuid:                                    uuid,
		"ffffffff-ffff-ffff-ffff-ffffffffffff":  "ffffffff-ffff-ffff-ffff-ffffffffffff",
		"req_011CSHoEeqs5C35K2UUqR7Fy":          "",
		"6BA7B810-9DAD-11D1-B0B4-00C04FD430C8":  "",
		"6ba7b8109dad11d1b0b400c04fd430c8":      "",
		"6ba7b810-9dad-81d1-b0b4-00c04fd430c8":  "",
		"6ba7b810-9dad-11d1-b0b4-00c04fd430cg":  "",
		"6ba7b810-9dad-11d1-b0b4-00c04fd430c":   "",
		"6ba7b810-9dad-11d1-b0b4-00c04fd430c88": "",
		"6ba7b81009dad-11d1-b0b4-00c04fd430c8":  "",
		"6ba7b810-9dad-11d1-b0b4--0c04fd430c8":  "",
		"------------------------------------":  "",
		"":                                      "",
	} {
		key, told := KeyOf([]byte(id))
		if told != (want != "") || told && key.String() != want || !told && key.String()[14] != hashed {
			t.Errorf("%q has key %s, told: %v, want %q", id, key, told, want)
		}
	}
	if key, _ := KeyOf([]byte("msg_1")); key.String() != "116b88f1-7300-8be5-e05d-f2a87105f095" {
		t.Errorf("msg_1 has key %s: what ledgers hold would not be found", key)
	}
	seen := map[Key]string{}
	b, d := NewBatch(RequestSchema), NewDimensions(nil)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), rapid.StringMatching("[a-zA-Z0-9_-]{1,40}")).Draw(t, "id")
		key, _ := KeyOf([]byte(text))
		forged := key.String() // an id that somebody makes of another one's key
		if other, _ := KeyOf([]byte(forged)); forged != text && other == key {
			t.Fatalf("%s and %s have one key", text, forged)
		}
		if known, is := seen[key]; is && known != text {
			t.Fatalf("%s and %s have one key", text, known)
		}
		seen[key] = text
		b.Reset()
		if err := b.AppendRequest(&Request{AgentRequestID: []byte(text), TraceID: []byte(text)}, d, Lineage{1, 1}); err != nil {
			t.Fatal(err)
		}
		if b.IDAt(1, 0) != text || b.IDAt(9, 0) != text || b.IDAt(3, 0) != "" || b.Cols[1].Keys[0] != key {
			t.Fatalf("%s came back as %s, %s and %s", text, b.IDAt(1, 0), b.IDAt(9, 0), b.IDAt(3, 0))
		}
	})
}

// Goal: the schemas are what their users take for granted.
func TestSchemas(t *testing.T) {
	tables := map[string]bool{}
	for _, s := range append([]*Schema{UsageSchema, RequestSchema, PeopleSchema}, DimensionSchemas...) {
		if tables[s.Table] || s.About == "" {
			t.Errorf("table %s: twice, or not explained", s.Table)
		}
		tables[s.Table] = true
		names := map[string]bool{}
		for i, c := range s.Columns {
			if names[c.Name] || c.Name == "" {
				t.Errorf("table %s: column %q occurs twice or has no name", s.Table, c.Name)
			}
			names[c.Name] = true
			if c.Type == ID && (i+1 == len(s.Columns) || s.Columns[i+1].Type != Text || strings.TrimSuffix(s.Columns[i+1].Name, "_id") != strings.TrimSuffix(c.Name, "_key")) {
				t.Errorf("table %s: behind column %s is no text of its id", s.Table, c.Name)
			}
		}
	}
	for i, d := range NewDimensions(nil).All() {
		if d.Schema != DimensionSchemas[i] {
			t.Errorf("dimension %d is %s, want %s", i, d.Schema.Table, DimensionSchemas[i].Table)
		}
	}
}
