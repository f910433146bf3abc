package duckledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"chargeback/extract/record"
)

// Load implements ledger.Engine: DuckDB's threads pull batches through a table
// function while other goroutines still decode.
func (s *Store) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (int64, error) {
	defer func() {
		for b := range batches {
			done(b)
		}
	}()
	st := &stream{schema: schema, batches: batches, done: done, ctx: ctx}
	id := s.streams.add(st)
	defer s.streams.remove(id)
	var names, values []string
	for _, c := range schema.Columns {
		names = append(names, c.Name)
		values = append(values, fromStream(c))
	}
	text := fmt.Sprintf("insert into %s (%s) select %s from chargeback_stream(%d)", schema.Table, strings.Join(names, ", "), strings.Join(values, ", "), id)
	if _, err := s.conn.ExecContext(ctx, text); err != nil {
		return 0, fmt.Errorf("stage %s: %w", schema.Table, s.fault(err))
	}
	return st.rows.Load(), nil
}

func fromStream(c record.Column) string {
	switch c.Type {
	case record.Time:
		return "make_timestamp(" + c.Name + ")"
	case record.Date:
		return "date '1970-01-01' + cast(" + c.Name + " as integer)"
	}
	return c.Name
}

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
	number, err := duckdb.NewTypeInfo(duckdb.TYPE_BIGINT)
	if err != nil {
		return err
	}
	return duckdb.RegisterTableUDF(conn, "chargeback_stream", duckdb.ParallelChunkTableFunction{
		Config: duckdb.TableFunctionConfig{Arguments: []duckdb.TypeInfo{number}},
		BindArguments: func(_ map[string]any, args ...any) (duckdb.ParallelChunkTableSource, error) {
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

var streamTypes = map[record.Type]duckdb.Type{
	record.Text: duckdb.TYPE_VARCHAR, record.Int: duckdb.TYPE_BIGINT, record.Bool: duckdb.TYPE_BOOLEAN,
	record.Time: duckdb.TYPE_BIGINT, record.Date: duckdb.TYPE_BIGINT,
}

// ColumnInfos implements duckdb.ParallelChunkTableSource.
func (s *stream) ColumnInfos() []duckdb.ColumnInfo {
	columns := make([]duckdb.ColumnInfo, len(s.schema.Columns))
	for i, c := range s.schema.Columns {
		t, err := duckdb.NewTypeInfo(streamTypes[c.Type])
		if err != nil {
			return nil // DuckDB refuses a table without columns, which names the fault
		}
		columns[i] = duckdb.ColumnInfo{Name: c.Name, T: t}
	}
	return columns
}

// Cardinality implements duckdb.ParallelChunkTableSource.
func (*stream) Cardinality() *duckdb.CardinalityInfo { return nil }

// Init implements duckdb.ParallelChunkTableSource. Every thread of DuckDB takes
// batches, and sleeps where there is none; with fewer, the one that runs the
// statement would have nothing to do and spin, at the decoders' cost.
func (*stream) Init() duckdb.ParallelTableSourceInfo {
	return duckdb.ParallelTableSourceInfo{MaxThreads: threadsMax}
}

// threadsMax is more than DuckDB has: it takes the smaller number.
const threadsMax = 1024

// NewLocalState implements duckdb.ParallelChunkTableSource.
func (*stream) NewLocalState() any { return &struct{}{} }

// FillChunk implements duckdb.ParallelChunkTableSource: one batch a chunk.
func (s *stream) FillChunk(_ any, chunk duckdb.DataChunk) error {
	b, err := s.next()
	if b == nil {
		return errors.Join(err, chunk.SetSize(0))
	}
	defer s.done(b)
	if err := fill(chunk, b); err != nil {
		return err
	}
	s.rows.Add(int64(b.Rows))
	return chunk.SetSize(b.Rows)
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

// fill copies a batch into DuckDB's own vectors. The driver's setters call
// into C once a value, which costs more than decoding does; here C is called
// once a column. It needs the chunk's handle, which the driver keeps in the
// first field of its DataChunk; TestFill holds every type to what was put in,
// so a driver that is laid out otherwise fails there.
func fill(chunk duckdb.DataChunk, b *record.Batch) error {
	if chunk.ColumnCount() != len(b.Cols) {
		return fmt.Errorf("table function has %d columns, batch %d", chunk.ColumnCount(), len(b.Cols))
	}
	handle := *(*mapping.DataChunk)(unsafe.Pointer(&chunk))
	for i := range b.Cols {
		vector := mapping.DataChunkGetVector(handle, mapping.IdxT(i))
		c := &b.Cols[i]
		switch b.Schema.Columns[i].Type {
		case record.Text:
			fillText(vector, c, b.Rows)
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
	return nil
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
