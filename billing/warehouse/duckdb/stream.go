package duckdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	driver "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"chargeback/extract/record"
)

// streams are the open loads, by the number that the SQL text names.
type streams struct {
	mu   sync.Mutex
	next int64
	open map[int64]*stream
}

func newStreams() *streams { return &streams{open: map[int64]*stream{}} }

func (s *streams) add(st *stream) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	s.open[s.next] = st
	return s.next
}

func (s *streams) remove(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

func (s *streams) register(conn *sql.Conn) error {
	number, err := driver.NewTypeInfo(driver.TYPE_BIGINT)
	if err != nil {
		return err
	}
	return driver.RegisterTableUDF(conn, "chargeback_stream", driver.ParallelChunkTableFunction{
		Config: driver.TableFunctionConfig{Arguments: []driver.TypeInfo{number}},
		BindArguments: func(_ map[string]any, args ...any) (driver.ParallelChunkTableSource, error) {
			id, _ := args[0].(int64)
			s.mu.Lock()
			defer s.mu.Unlock()
			st, ok := s.open[id]
			if !ok {
				return nil, fmt.Errorf("no open load %d", id)
			}
			return st, nil
		},
	})
}

// stream is one load as DuckDB sees it: a table that yields batches.
type stream struct {
	schema  *record.Schema
	batches <-chan *record.Batch
	done    func(*record.Batch)
	ctx     context.Context
	rows    atomic.Int64
}

var streamTypes = map[record.Type]driver.Type{
	record.Text: driver.TYPE_VARCHAR, record.Int: driver.TYPE_BIGINT, record.Bool: driver.TYPE_BOOLEAN,
	record.Time: driver.TYPE_BIGINT, record.Date: driver.TYPE_BIGINT, record.USD: driver.TYPE_BIGINT, record.ID: driver.TYPE_UUID,
}

// ColumnInfos implements duckdb.ParallelChunkTableSource.
func (s *stream) ColumnInfos() []driver.ColumnInfo {
	columns := make([]driver.ColumnInfo, len(s.schema.Columns))
	for i, c := range s.schema.Columns {
		t, err := driver.NewTypeInfo(streamTypes[c.Type])
		if err != nil {
			return nil // DuckDB refuses a table without columns, which names the fault
		}
		columns[i] = driver.ColumnInfo{Name: c.Name, T: t}
	}
	return columns
}

// Cardinality implements duckdb.ParallelChunkTableSource.
func (*stream) Cardinality() *driver.CardinalityInfo { return nil }

// Init implements duckdb.ParallelChunkTableSource. Every thread of DuckDB takes
// batches, and sleeps where there is none; with fewer, the one that runs the
// statement would have nothing to do and spin, at the decoders' cost.
func (*stream) Init() driver.ParallelTableSourceInfo {
	return driver.ParallelTableSourceInfo{MaxThreads: threadsMax}
}

// threadsMax is more than DuckDB has: it takes the smaller number.
const threadsMax = 1024

// NewLocalState implements duckdb.ParallelChunkTableSource.
func (*stream) NewLocalState() any { return &struct{}{} }

// FillChunk implements duckdb.ParallelChunkTableSource: one batch a chunk.
func (s *stream) FillChunk(_ any, chunk driver.DataChunk) error {
	b, err := s.next()
	if b == nil {
		return errors.Join(err, chunk.SetSize(0))
	}
	defer s.done(b)
	if !sameTypes(s.schema, b.Schema) {
		return fmt.Errorf("a batch of %s among those of %s", b.Schema.Table, s.schema.Table)
	}
	fillChunk(chunk, b)
	s.rows.Add(int64(b.Rows))
	return chunk.SetSize(b.Rows)
}

// sameTypes says whether batches of two schemas lie alike in memory: DuckDB would
// read others as what they are not.
func sameTypes(a, b *record.Schema) bool {
	return a == b || slices.EqualFunc(a.Columns, b.Columns, func(x, y record.Column) bool { return x.Type == y.Type && x.Name == y.Name })
}

// next takes the next batch with rows: to DuckDB, a chunk without any is the
// end. It returns nil after the last batch and where the load was cancelled.
func (s *stream) next() (*record.Batch, error) {
	for {
		select {
		case <-s.ctx.Done():
			return nil, s.ctx.Err()
		case b, open := <-s.batches:
			if !open || b.Rows > 0 {
				return b, nil
			}
			s.done(b)
		}
	}
}

// fillChunk copies a batch into DuckDB's own vectors. The driver's setters call
// into C once a value, which costs more than decoding does; here C is called
// once a column. It needs the chunk's handle, which the driver keeps in the
// first field of its DataChunk; TestFill holds every type to what was put in,
// so a driver that is laid out otherwise fails there.
func fillChunk(chunk driver.DataChunk, b *record.Batch) {
	handle := *(*mapping.DataChunk)(unsafe.Pointer(&chunk))
	for i := range b.Cols {
		vector := mapping.DataChunkGetVector(handle, mapping.IdxT(i))
		c := &b.Cols[i]
		switch b.Schema.Columns[i].Type {
		case record.Text:
			fillText(vector, c, b.Rows)
		case record.ID:
			fillKeys(unsafe.Slice((*wide)(mapping.VectorGetData(vector)), b.Rows), c.Keys)
		case record.Bool:
			into := unsafe.Slice((*uint8)(mapping.VectorGetData(vector)), b.Rows)
			for r, v := range c.Ints {
				into[r] = uint8(v)
			}
		default:
			copy(unsafe.Slice((*int64)(mapping.VectorGetData(vector)), b.Rows), c.Ints)
		}
		if c.Nulls > 0 {
			fillNulls(vector, c.Null)
		}
	}
}

// wide is DuckDB's number of 128 bits. It keeps a UUID as one, with the first bit
// turned round, so that they are in the order of their texts.
type wide struct{ low, high uint64 }

func fillKeys(into []wide, keys []record.Key) {
	for r := range keys {
		into[r] = wide{binary.BigEndian.Uint64(keys[r][8:]), binary.BigEndian.Uint64(keys[r][:8]) ^ 1<<63}
	}
}

func fillNulls(vector mapping.Vector, null []bool) {
	mapping.VectorEnsureValidityWritable(vector)
	words := unsafe.Slice((*uint64)(mapping.VectorGetValidity(vector)), (len(null)+63)/64)
	for r, isNull := range null {
		if isNull {
			words[r/64] &^= 1 << (r % 64)
		}
	}
}

// shortText is DuckDB's string of at most inlineBytes bytes, longText that of
// more: 4 bytes of length, then the text, or its first 4 bytes and its address.
type shortText struct {
	length uint32
	text   [inlineBytes]byte
}

type longText struct {
	length  uint32
	prefix  [4]byte
	address uintptr // not a pointer type: DuckDB's memory is none of the garbage collector's business
}

const inlineBytes = 12

// fillText hands the whole heap over as one string, which DuckDB copies to
// memory of its own, and then points every value into that copy.
func fillText(vector mapping.Vector, c *record.Vector, rows int) {
	data := mapping.VectorGetData(vector)
	short := unsafe.Slice((*shortText)(data), rows)
	long := unsafe.Slice((*longText)(data), rows)
	var base uintptr
	if len(c.Heap) > inlineBytes {
		mapping.VectorAssignStringElementLen(vector, 0, c.Heap)
		base = long[0].address
	}
	start := uint32(0)
	for r, end := range c.Ends {
		value := c.Heap[start:end]
		if len(value) <= inlineBytes {
			short[r] = shortText{length: uint32(len(value))}
			copy(short[r].text[:], value)
		} else {
			long[r].length = uint32(len(value))
			copy(long[r].prefix[:], value)
			long[r].address = base + uintptr(start)
		}
		start = end
	}
}
