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

// NewDimensions returns empty dimensions, whose ids are numbers where somebody hands
// them out, and hashes where numbers is nil.
func NewDimensions(numbers *Numbers) *Dimensions {
	return &Dimensions{newDimension(MeterSchema, numbers), newDimension(CallerSchema, numbers), newDimension(ActorSchema, numbers), newDimension(TaskSchema, numbers)}
}

// All lists the dimensions in the order of DimensionSchemas.
func (d *Dimensions) All() []*Dimension { return []*Dimension{d.Meters, d.Callers, d.Actors, d.Tasks} }

// Dimension gives equal tuples of text the same id, in every run of a ledger, and
// without numbers in every ledger. Known tuples are found by 128 bits of a hash that is
// keyed anew in every process: comparing whole tuples would fetch them from memory for
// each record.
type Dimension struct {
	Schema  *Schema
	numbers *Numbers
	seeds   seeds
	known   map[[2]uint64]int64
	tuples  []tuple
	text    []byte
	last    []byte // text of the record before: often it comes again at once
	lastID  int64
}

type tuple struct {
	id   int64
	text string // each column's length and bytes
}

// seeds make hashes of 128 bits that nobody can foretell.
type seeds [2]maphash.Seed

func newSeeds() seeds { return seeds{maphash.MakeSeed(), maphash.MakeSeed()} }

func (s seeds) key(text []byte) [2]uint64 {
	return [2]uint64{maphash.Bytes(s[0], text), maphash.Bytes(s[1], text)}
}

// newDimension returns an empty dimension for schema.
func newDimension(schema *Schema, numbers *Numbers) *Dimension {
	return &Dimension{Schema: schema, numbers: numbers, seeds: newSeeds(), known: map[[2]uint64]int64{}}
}

// appendTuple appends each text of a tuple behind its length.
func appendTuple(to []byte, texts ...[]byte) []byte {
	for _, text := range texts {
		to = binary.AppendUvarint(to, uint64(len(text)))
		to = append(to, text...)
	}
	return to
}

// ID returns the id of a tuple: its number, or else 63 bits of its SHA-256, so that
// nobody who chooses a text can make it pass for another. Where a text can't be kept
// it keeps nothing and returns a *TextError.
func (d *Dimension) ID(texts ...[]byte) (int64, error) {
	t := appendTuple(d.text[:0], texts...)
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
	key := d.seeds.key(t)
	if id, known := d.known[key]; known {
		return id, nil
	}
	for i, text := range texts {
		if !keepable(text) {
			return 0, refusal(d.Schema.Columns[i+1].Name, text)
		}
	}
	id := int64(0)
	if d.numbers != nil {
		id = d.numbers.of(d.Schema, t)
	} else {
		sum := sha256.Sum256(t)
		id = int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
	}
	d.known[key] = id
	d.tuples = append(d.tuples, tuple{id, string(t)})
	return id, nil
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
		key := d.seeds.key([]byte(t.text))
		if _, known := d.known[key]; !known {
			d.known[key] = t.id
			d.tuples = append(d.tuples, t)
		}
	}
}
