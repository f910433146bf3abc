package record

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Type is the type of a staged column.
type Type uint8

// The column types. Time is microseconds since 1970 UTC, Date is days since
// 1970-01-01, Int is a whole number, USD an amount in 10^-12 US dollars; all four
// travel as int64. Sum is a sum of amounts, which may take 38 digits: it is
// computed where the rows lie and travels in no batch. ID is the Key of an id; the
// column behind it is the id's text, which is empty where the key tells it.
const (
	Text Type = iota
	Int
	Bool
	Time
	Date
	USD
	Sum
	ID
)

// Column is one column of a table, staged or of the ledger.
type Column struct {
	Name     string
	Type     Type
	Nullable bool
	About    string
}

// Schema is the shape of one staged table. Column i is the batch's vector i.
type Schema struct {
	Table   string
	About   string
	Columns []Column
	// Once says that the first column identifies a row, which is stored once
	// whoever loads it again.
	Once bool
}

// Vector is one column of a batch. Text values lie end to end in Heap, value i
// between Ends[i-1] and Ends[i]; keys are in Keys, all other types in Ints. Null[i]
// says that value i of a nullable column is absent; other columns have no Null.
type Vector struct {
	Ints  []int64
	Keys  []Key
	Heap  []byte
	Ends  []uint32
	Null  []bool
	Nulls int
}

// IsNull says whether value i is absent.
func (v *Vector) IsNull(i int) bool { return v.Nulls > 0 && v.Null[i] }

// BatchRows is the number of rows of a full batch.
const BatchRows = 2048

// TextBytesMax is the longest text that is kept. Ids, names and ARNs are far
// shorter; a longer text is content in the wrong place.
const TextBytesMax = 4096

// TextError says why a text can't be kept. It never quotes it.
type TextError struct{ Column, Reason string }

func (e *TextError) Error() string { return e.Column + ": " + e.Reason }

func keepable(v []byte) bool {
	return len(v) <= TextBytesMax && bytes.IndexByte(v, 0) < 0 && utf8.Valid(v)
}

// refusal says why v is not keepable.
func refusal(column string, v []byte) *TextError {
	if len(v) > TextBytesMax {
		return &TextError{column, fmt.Sprintf("is longer than %d bytes", TextBytesMax)}
	}
	if bytes.IndexByte(v, 0) >= 0 {
		return &TextError{column, "holds a NUL character"}
	}
	return &TextError{column, "is not valid UTF-8"}
}

// Batch is a block of rows of one schema, column by column.
type Batch struct {
	Schema *Schema
	Rows   int
	Cols   []Vector
	fault  error // of the row that is being added
}

// NewBatch returns an empty batch with room for BatchRows rows.
func NewBatch(schema *Schema) *Batch {
	b := &Batch{Schema: schema, Cols: make([]Vector, len(schema.Columns))}
	for i, c := range schema.Columns {
		if c.Nullable {
			b.Cols[i].Null = make([]bool, 0, BatchRows)
		}
		switch c.Type {
		case Text:
			b.Cols[i].Ends = make([]uint32, 0, BatchRows)
			b.Cols[i].Heap = make([]byte, 0, 32*BatchRows)
		case ID:
			b.Cols[i].Keys = make([]Key, 0, BatchRows)
		default:
			b.Cols[i].Ints = make([]int64, 0, BatchRows)
		}
	}
	return b
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.Rows = 0
	for i := range b.Cols {
		c := &b.Cols[i]
		c.Ints, c.Keys, c.Heap, c.Ends, c.Null, c.Nulls = c.Ints[:0], c.Keys[:0], c.Heap[:0], c.Ends[:0], c.Null[:0], 0
	}
}

// Full says whether the batch holds BatchRows rows.
func (b *Batch) Full() bool { return b.Rows >= BatchRows }

// text appends a value to text column i; empty is null where the column is
// nullable. A value that can't be kept is the row's fault.
func (b *Batch) text(i int, v []byte) {
	c := &b.Cols[i]
	if !keepable(v) {
		b.fault = refusal(b.Schema.Columns[i].Name, v)
		v = nil
	}
	c.Heap = append(c.Heap, v...)
	c.Ends = append(c.Ends, uint32(len(c.Heap)))
	if b.Schema.Columns[i].Nullable {
		c.null(len(v) == 0)
	}
}

// id appends an id: its key to column i, which is null where there is none, and its
// text to the column behind it where the key doesn't tell it.
func (b *Batch) id(i int, v []byte) {
	if !keepable(v) {
		b.fault = refusal(b.Schema.Columns[i+1].Name, v)
		v = nil
	}
	key, told := Key{}, false
	if len(v) > 0 {
		key, told = KeyOf(v)
	}
	c := &b.Cols[i]
	c.Keys = append(c.Keys, key)
	c.null(len(v) == 0)
	if told {
		v = nil
	}
	b.text(i+1, v)
}

func (v *Vector) null(is bool) {
	v.Null = append(v.Null, is)
	if is {
		v.Nulls++
	}
}

// tuple appends the id of a tuple of texts to column i.
func (b *Batch) tuple(i int, d *Dimension, texts ...[]byte) {
	id, err := d.ID(texts...)
	if err != nil {
		b.fault = err
	}
	b.int(i, id)
}

// finish ends a row. One with a fault is taken back.
func (b *Batch) finish() error {
	if fault := b.fault; fault != nil {
		b.Trim()
		return fault
	}
	b.Rows++
	return nil
}

func (b *Batch) int(i int, v int64) {
	b.Cols[i].Ints = append(b.Cols[i].Ints, v)
}

func (b *Batch) optional(i int, v int64, present bool) {
	b.int(i, v)
	b.Cols[i].null(!present)
}

func (b *Batch) bool(i int, v bool) {
	if v {
		b.int(i, 1)
	} else {
		b.int(i, 0)
	}
}

// TextAt returns the text of row r in text column i; "" where it is null.
func (b *Batch) TextAt(i, r int) string { return string(b.BytesAt(i, r)) }

// IDAt returns the id of row r whose key is in column i; "" where there is none.
func (b *Batch) IDAt(i, r int) string {
	if b.Cols[i].IsNull(r) {
		return ""
	}
	if text := b.BytesAt(i+1, r); len(text) > 0 {
		return string(text)
	}
	return b.Cols[i].Keys[r].String()
}

// BytesAt is TextAt without a copy: valid until the batch is reset.
func (b *Batch) BytesAt(i, r int) []byte {
	c := &b.Cols[i]
	start := uint32(0)
	if r > 0 {
		start = c.Ends[r-1]
	}
	return c.Heap[start:c.Ends[r]]
}
