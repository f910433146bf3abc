package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Dimensions collects what repeats from row to row, once each. It serves one
// worker.
type Dimensions struct{ Meters, Callers, Actors, Tasks *Dimension }

// NewDimensions returns empty dimensions.
func NewDimensions() *Dimensions {
	return &Dimensions{NewDimension(MeterSchema), NewDimension(CallerSchema), NewDimension(ActorSchema), NewDimension(TaskSchema)}
}

// All lists the dimensions in the order of DimensionSchemas.
func (d *Dimensions) All() []*Dimension { return []*Dimension{d.Meters, d.Callers, d.Actors, d.Tasks} }

// Dimension gives equal tuples of text the same id, in every run and ledger.
type Dimension struct {
	Schema *Schema
	ids    map[string]int64
	tuple  []byte
}

// NewDimension returns an empty dimension for schema.
func NewDimension(schema *Schema) *Dimension {
	return &Dimension{Schema: schema, ids: map[string]int64{}}
}

// ID returns the id of a tuple: 63 bits of its SHA-256, so that nobody who
// chooses a text can make it pass for another. Where a text can't be kept it
// keeps nothing and returns a *TextError.
func (d *Dimension) ID(texts ...[]byte) (int64, error) {
	t := d.tuple[:0]
	for _, text := range texts {
		t = binary.AppendUvarint(t, uint64(len(text)))
		t = append(t, text...)
	}
	d.tuple = t
	if id, known := d.ids[string(t)]; known {
		return id, nil
	}
	for i, text := range texts {
		if !keepable(text) {
			return 0, refusal(d.Schema.Columns[i+1].Name, text)
		}
	}
	sum := sha256.Sum256(t)
	id := int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
	d.ids[string(t)] = id
	return id, nil
}

// Len is the number of distinct tuples.
func (d *Dimension) Len() int { return len(d.ids) }

// New yields the tuples whose ids are not known as rows, in order of their ids.
func (d *Dimension) New(known map[int64]bool, yield func(*Batch) bool) {
	tuples := make([]string, 0, len(d.ids))
	for t, id := range d.ids {
		if !known[id] {
			tuples = append(tuples, t)
		}
	}
	slices.SortFunc(tuples, func(a, b string) int { return cmp.Compare(d.ids[a], d.ids[b]) })
	for rows := range slices.Chunk(tuples, BatchRows) {
		b := NewBatch(d.Schema)
		for _, t := range rows {
			b.int(0, d.ids[t])
			rest := []byte(t)
			for i := 1; i < len(d.Schema.Columns); i++ {
				size, n := binary.Uvarint(rest)
				b.text(i, rest[n:n+int(size)])
				rest = rest[n+int(size):]
			}
			b.Rows++
		}
		if !yield(b) {
			return
		}
	}
}

// Merge adds another worker's tuples.
func (d *Dimension) Merge(other *Dimension) {
	for t, id := range other.ids {
		d.ids[t] = id
	}
}
