package decode

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"chargeback/extract/decode/jsonscan"
)

var parquetMagic = []byte("PAR1")

// parquetMemoryBytes is up to which size a Parquet file is read in memory. A
// larger one goes through a temporary file: it is read from its end.
const parquetMemoryBytes = 8 << 20

const parquetRows = 4096 // decoded at once

// readParquet reads the wanted columns of a Parquet file.
func (t *table) readParquet(in *bufio.Reader, sink *Sink) (err error) {
	whole, done, err := spool(in)
	if err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	defer func() { err = errors.Join(err, done()) }()
	defer func() {
		if p := recover(); p != nil { // of the library, on broken bytes; its words may quote them
			sink.Repair()
			err = errors.New("broken Parquet: the library that reads it stopped; deliver the file again")
		}
	}()
	return t.readColumns(whole, sink)
}

// spool makes a stream readable at any place.
func spool(in io.Reader) (parquet.ReaderAtSeeker, func() error, error) {
	head, err := io.ReadAll(io.LimitReader(in, parquetMemoryBytes+1))
	if err != nil {
		return nil, nil, err
	}
	if len(head) <= parquetMemoryBytes {
		return bytes.NewReader(head), func() error { return nil }, nil
	}
	f, err := os.CreateTemp("", "chargeback-*.parquet")
	if err != nil {
		return nil, nil, fmt.Errorf("keep a Parquet file for reading: %w", err)
	}
	done := func() error { return errors.Join(f.Close(), os.Remove(f.Name())) }
	if _, err := io.Copy(f, io.MultiReader(bytes.NewReader(head), in)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("keep a Parquet file for reading: %w", err), done())
	}
	// Without its Close, which the reader would call.
	return struct {
		io.ReaderAt
		io.Seeker
	}{f, f}, done, nil
}

func (t *table) readColumns(whole parquet.ReaderAtSeeker, sink *Sink) error {
	properties := parquet.NewReaderProperties(memory.DefaultAllocator)
	properties.BufferedStreamEnabled = true
	raw, err := file.NewParquetReader(whole, file.WithReadProps(properties))
	if err != nil {
		return errors.New("broken Parquet: its footer can't be read; deliver the file again")
	}
	defer func() { _ = raw.Close() }()
	leaves, err := t.leaves(raw)
	if err != nil {
		return err
	}
	reader, err := pqarrow.NewFileReader(raw, pqarrow.ArrowReadProperties{BatchSize: parquetRows}, memory.DefaultAllocator)
	if err != nil {
		return errors.New("broken Parquet: its schema can't be read; deliver the file again")
	}
	records, err := reader.GetRecordReader(context.Background(), leaves, nil)
	if err != nil {
		return errors.New("broken Parquet: its columns can't be read; deliver the file again")
	}
	defer records.Release()
	return t.readRecords(records, sink)
}

// leaves are the indexes of the wanted columns' leaves.
func (t *table) leaves(raw *file.Reader) (indexes []int, err error) {
	schema := raw.MetaData().Schema
	var names []string
	var of [][]int
	for i := range schema.NumColumns() {
		root := schema.Column(i).ColumnPath()[0]
		if n := len(names); n == 0 || names[n-1] != root {
			names, of = append(names, root), append(of, nil)
		}
		of[len(of)-1] = append(of[len(of)-1], i)
	}
	at, err := t.at(names)
	if err != nil {
		return nil, err
	}
	for _, k := range at {
		if k >= 0 {
			indexes = append(indexes, of[k]...)
		}
	}
	return indexes, nil
}

func (t *table) readRecords(records pqarrow.RecordReader, sink *Sink) error {
	var names []string
	for _, f := range records.Schema().Fields() {
		names = append(names, f.Name)
	}
	at, err := t.at(names)
	if err != nil {
		return err
	}
	v, line := make([]jsonscan.Value, len(t.columns)), int64(0)
	for records.Next() {
		batch := records.RecordBatch()
		for row := range int(batch.NumRows()) {
			line++
			t.takeRow(batch, at, row, v, line, sink)
		}
	}
	if err := records.Err(); err != nil && err != io.EOF {
		return errors.New("broken Parquet: its values can't be read; deliver the file again")
	}
	return nil
}

// takeRow reads the deciding columns of a row, and the others where it is of
// concern.
func (t *table) takeRow(batch arrow.RecordBatch, at []int, row int, v []jsonscan.Value, line int64, sink *Sink) {
	read := func(from, to int) {
		for i := from; i < to; i++ {
			v[i] = jsonscan.Value{}
			if at[i] >= 0 {
				v[i] = arrowValue(batch.Column(at[i]), row, &t.columns[i])
			}
		}
	}
	read(0, t.deciding)
	if t.keep != nil && !t.keep(v) {
		sink.Ignore()
		return
	}
	read(t.deciding, len(v))
	if err := t.row(v, line, sink); err != nil {
		sink.Reject(line, err.Error())
	}
}

// arrowValue is a value of a Parquet file as a field of a table: numbers in
// their shortest decimal form, times in UTC.
func arrowValue(from arrow.Array, row int, of *column) jsonscan.Value {
	if from.IsNull(row) {
		return jsonscan.Value{}
	}
	switch c := from.(type) {
	case *array.String:
		return cellValue([]byte(c.Value(row)), of.scan)
	case *array.LargeString:
		return cellValue([]byte(c.Value(row)), of.scan)
	case *array.Binary:
		return cellValue(c.Value(row), of.scan)
	case *array.Timestamp:
		unit := c.DataType().(*arrow.TimestampType).Unit
		return cellValue([]byte(c.Value(row).ToTime(unit).UTC().Format(time.RFC3339Nano)), nil)
	case *array.Map:
		return mapValue(c, row, of.key)
	}
	return cellValue([]byte(from.ValueStr(row)), of.scan)
}

func mapValue(m *array.Map, row int, key string) jsonscan.Value {
	start, end := m.ValueOffsets(row)
	for i := start; i < end; i++ {
		if m.Keys().ValueStr(int(i)) == key {
			return arrowValue(m.Items(), int(i), new(column))
		}
	}
	return jsonscan.Value{}
}
