package record

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash/maphash"
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
// Known tuples are found by 128 bits of a hash that is keyed anew in every
// process: comparing whole tuples would fetch them from memory for each record.
type Dimension struct {
	Schema *Schema
	seeds  [2]maphash.Seed
	known  map[[2]uint64]int64
	tuples []tuple
	text   []byte
	last   []byte // text of the record before: often it comes again at once
	lastID int64
}

type tuple struct {
	id   int64
	text string // each column's length and bytes
}

// NewDimension returns an empty dimension for schema.
func NewDimension(schema *Schema) *Dimension {
	return &Dimension{Schema: schema, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, known: map[[2]uint64]int64{}}
}

// ID returns the id of a tuple: 63 bits of its SHA-256, so that nobody who
// chooses a text can make it pass for another. Where a text can't be kept it
// keeps nothing and returns a *TextError.
func (d *Dimension) ID(texts ...[]byte) (int64, error) {
	t := d.text[:0]
	for _, text := range texts {
		t = binary.AppendUvarint(t, uint64(len(text)))
		t = append(t, text...)
	}
	d.text = t
	if bytes.Equal(t, d.last) { // never of the first: each text has its length before it
		return d.lastID, nil
	}
	id, err := d.find(t, texts)
	if err == nil {
		d.text, d.last, d.lastID = d.last, t, id
	}
	return id, err
}

// find returns the id of the tuple whose text is t, and keeps it where it is new.
func (d *Dimension) find(t []byte, texts [][]byte) (int64, error) {
	key := d.key(t)
	if id, known := d.known[key]; known {
		return id, nil
	}
	for i, text := range texts {
		if !keepable(text) {
			return 0, refusal(d.Schema.Columns[i+1].Name, text)
		}
	}
	sum := sha256.Sum256(t)
	id := int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
	d.known[key] = id
	d.tuples = append(d.tuples, tuple{id, string(t)})
	return id, nil
}

func (d *Dimension) key(text []byte) [2]uint64 {
	return [2]uint64{maphash.Bytes(d.seeds[0], text), maphash.Bytes(d.seeds[1], text)}
}

// Len is the number of distinct tuples.
func (d *Dimension) Len() int { return len(d.tuples) }

// AllIn says whether the ids of all tuples are known.
func (d *Dimension) AllIn(known map[int64]bool) bool {
	return !slices.ContainsFunc(d.tuples, func(t tuple) bool { return !known[t.id] })
}

// New yields the tuples whose ids are not known as rows, in order of their ids.
func (d *Dimension) New(known map[int64]bool, yield func(*Batch) bool) {
	var tuples []tuple
	for _, t := range d.tuples {
		if !known[t.id] {
			tuples = append(tuples, t)
		}
	}
	slices.SortFunc(tuples, func(a, b tuple) int { return cmp.Compare(a.id, b.id) })
	for rows := range slices.Chunk(tuples, BatchRows) {
		b := NewBatch(d.Schema)
		for _, t := range rows {
			b.int(0, t.id)
			rest := []byte(t.text)
			for i := 1; i < len(d.Schema.Columns); i++ {
				size, n := binary.Uvarint(rest) // 0 and 0 where the tuple has fewer texts: the rest are empty
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
	for _, t := range other.tuples {
		key := d.key([]byte(t.text))
		if _, known := d.known[key]; !known {
			d.known[key] = t.id
			d.tuples = append(d.tuples, t)
		}
	}
}
