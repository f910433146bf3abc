package bigquery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"cloud.google.com/go/bigquery"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"golang.org/x/sync/errgroup"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// Load implements warehouse.Warehouse. The batches become Parquet files, the files a
// work table, and the work table's rows part of the table with Apply.
func (s *Store) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (*warehouse.Loaded, error) {
	defer func() {
		for b := range batches {
			done(b)
		}
	}()
	table, rows, err := "", int64(0), s.takes(schema)
	if err == nil {
		table = s.newTable(schema.Table)
		rows, err = s.load(ctx, table, schema, batches, done)
	}
	if err != nil {
		s.discard() // with an earlier one of the same Apply
		return nil, fmt.Errorf("load %s: %w", schema.Table, err)
	}
	loaded := &warehouse.Loaded{Schema: schema.Table, Rows: rows}
	if rows > 0 {
		loaded.From = table // no marker can name it before it is applied: a name of its own
		s.works[table] = work{table: table, columns: schema.Columns, raw: true, once: schema.Once}
	}
	s.pending = append(s.pending, loaded)
	return loaded, nil
}

// takes is an error where a schema has columns that its table lacks.
func (s *Store) takes(schema *record.Schema) error {
	t, err := s.table(schema.Table)
	if err != nil {
		return err
	}
	for _, c := range schema.Columns {
		if !slices.ContainsFunc(t.Columns, func(of record.Column) bool { return of.Name == c.Name }) {
			return fmt.Errorf("the table has no column %s", c.Name)
		}
	}
	return nil
}

// Discard implements warehouse.Warehouse.
func (s *Store) Discard(context.Context) error {
	s.discard()
	return nil
}

func (s *Store) discard() {
	for _, l := range s.pending {
		delete(s.works, l.From)
	}
	s.pending = nil
}

// filesMax is how many files of a load are on their way to the bucket at once,
// besides the one that is written.
const filesMax = 2

// load loads batches into a new table of scratch, in which times, dates and
// amounts are whole numbers, and keys are hex: not every engine that is asked like the
// service takes bytes from files. Without rows it makes none.
//
// Files go to the bucket as they are full, and one job loads all of them. Without a
// bucket each is sent with a job of its own, one after the other: the first
// takes an empty table, the others add to it. A job whose answer is lost is found
// by its id and counts once; what the table holds in the end is counted all the same.
func (s *Store) load(ctx context.Context, table string, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (rows int64, err error) {
	shape := rawFields(schema.Columns)
	hasBucket := s.staging != (bucket{})
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(1)
	if hasBucket {
		group.SetLimit(filesMax)
	}
	var objects []string
	number := 0
	rows, err = writeFiles(within, schema, s.o.FileBytes, batches, done, func(f file, last bool) error {
		number++
		at := number
		if at == 1 {
			if err := s.create(within, table, shape); err != nil {
				return errors.Join(err, os.Remove(f.path))
			}
		}
		send := func() error { return s.sendFile(within, table, shape, at, f) }
		if hasBucket && !(last && at == 1 && f.bytes < s.o.StagedBytes) {
			object := fmt.Sprintf("%s%s-%d.parquet", s.staging.prefix, table, at)
			objects = append(objects, object)
			send = func() error { return s.put(within, object, f.path) }
		}
		group.Go(func() error { return errors.Join(send(), os.Remove(f.path)) })
		return nil
	})
	if sent := group.Wait(); sent != nil {
		err = sent // what writeFiles says then follows from it
	}
	switch {
	case err != nil || rows == 0:
	case len(objects) > 0:
		err = s.loadObjects(ctx, table, shape, objects)
	case number > 1:
		err = s.counted(ctx, table, rows)
	}
	s.remove(ctx, objects)
	return rows, err
}

// sendFile loads a file that is sent with the request. The client does not retry
// the sending; run does, under the same id and from the file's begin.
func (s *Store) sendFile(ctx context.Context, table string, shape bigquery.Schema, at int, f file) (err error) {
	var open []*os.File
	defer func() {
		for _, o := range open {
			err = errors.Join(err, o.Close())
		}
	}()
	content := fmt.Sprintf("%s %d %x", table, at, f.sum)
	_, err = s.run(ctx, task{what: fmt.Sprintf("load file %d into %s", at, table), subject: table, content: content, file: true}, func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error) {
		from, err := os.Open(f.path)
		if err != nil {
			return nil, err
		}
		open = append(open, from)
		source := bigquery.NewReaderSource(from)
		source.SourceFormat, source.Schema = bigquery.Parquet, shape
		return s.loader(table, source, id, at == 1).Run(ctx)
	})
	return err
}

// loadObjects loads all files of the bucket by one job.
func (s *Store) loadObjects(ctx context.Context, table string, shape bigquery.Schema, objects []string) error {
	places := make([]string, len(objects))
	for i, object := range objects {
		places[i] = "gs://" + s.staging.name + "/" + object
	}
	_, err := s.run(ctx, task{what: "load " + table, subject: table, content: fmt.Sprint(places)}, func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error) {
		source := bigquery.NewGCSReference(places...)
		source.SourceFormat, source.Schema = bigquery.Parquet, shape
		return s.loader(table, source, id, true).Run(ctx)
	})
	return err
}

func (s *Store) loader(table string, source bigquery.LoadSource, id bigquery.JobIDConfig, first bool) *bigquery.Loader {
	loader := s.scratch.Table(table).LoaderFrom(source)
	loader.JobIDConfig, loader.Labels, loader.JobTimeout = id, s.labels(), s.o.JobTimeout
	loader.WriteDisposition = bigquery.WriteAppend
	if first {
		loader.WriteDisposition = bigquery.WriteEmpty // a second job would fail, not double
	}
	return loader
}

// counted checks how many rows a table has that several jobs filled. The service
// knows without reading it.
func (s *Store) counted(ctx context.Context, table string, want int64) error {
	m, err := s.scratch.Table(table).Metadata(ctx)
	if err != nil {
		return fmt.Errorf("count the rows of %s: %w", table, wording(err))
	}
	if got := int64(m.NumRows); got != want {
		return fmt.Errorf("%s has %d rows after %d were loaded; nothing of them is kept, run again", table, got, want)
	}
	return nil
}

var arrowTypes = map[record.Type]arrow.DataType{
	record.Text: arrow.BinaryTypes.String, record.Bool: arrow.FixedWidthTypes.Boolean, record.ID: arrow.BinaryTypes.String,
}

var rawTypes = map[record.Type]bigquery.FieldType{
	record.Text: bigquery.StringFieldType, record.Bool: bigquery.BooleanFieldType, record.ID: bigquery.StringFieldType,
}

// rawFields are the columns of a table that Parquet files fill.
func rawFields(columns []record.Column) bigquery.Schema {
	shape := make(bigquery.Schema, len(columns))
	for i, c := range columns {
		kind, is := rawTypes[c.Type]
		if !is {
			kind = bigquery.IntegerFieldType
		}
		shape[i] = &bigquery.FieldSchema{Name: c.Name, Type: kind}
	}
	return shape
}

// file is a Parquet file on this machine, which goes when it has been sent.
type file struct {
	path  string
	bytes int64
	sum   []byte // SHA-256
}

// rowGroup is how many rows are compressed together.
const rowGroup = 1 << 17

// writeFiles writes batches into Parquet files of about most bytes, and gives
// each to full; the last one is said to be that.
func writeFiles(ctx context.Context, schema *record.Schema, most int64, batches <-chan *record.Batch, done func(*record.Batch), full func(f file, last bool) error) (rows int64, err error) {
	w := newFiles(schema)
	defer w.drop()
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case b, open := <-batches:
			if !open {
				if w.out == nil {
					return rows, nil
				}
				f, err := w.close()
				if err != nil {
					return 0, err
				}
				return rows, full(f, true)
			}
			if b.Rows > 0 && w.out != nil && w.bytes >= most { // only now is it known not to be the last
				f, err := w.close()
				if err == nil {
					err = full(f, false)
				}
				if err != nil {
					done(b)
					return 0, err
				}
			}
			rows += int64(b.Rows)
			if err := w.write(b, done); err != nil {
				return 0, err
			}
		}
	}
}

// files writes one file after the other.
type files struct {
	schema  *record.Schema
	builder *array.RecordBuilder
	file    *os.File // nil: none is begun
	out     *pqarrow.FileWriter
	sum     hash.Hash
	bytes   int64
}

func newFiles(schema *record.Schema) *files {
	columns := make([]arrow.Field, len(schema.Columns))
	for i, c := range schema.Columns {
		kind, is := arrowTypes[c.Type]
		if !is {
			kind = arrow.PrimitiveTypes.Int64
		}
		columns[i] = arrow.Field{Name: c.Name, Type: kind, Nullable: true}
	}
	return &files{schema: schema, builder: array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(columns, nil))}
}

func (w *files) open() (err error) {
	if w.file, err = os.CreateTemp("", "chargeback-*.parquet"); err != nil {
		return err
	}
	w.sum, w.bytes = sha256.New(), 0
	w.out, err = pqarrow.NewFileWriter(w.builder.Schema(), io.MultiWriter(w.file, w.sum, (*counter)(&w.bytes)),
		parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(rowGroup)), pqarrow.DefaultWriterProps())
	return err
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func (w *files) write(b *record.Batch, done func(*record.Batch)) error {
	defer done(b)
	if b.Rows == 0 {
		return nil
	}
	if w.out == nil {
		if err := w.open(); err != nil {
			return err
		}
	}
	if err := fill(w.builder, b); err != nil {
		return err
	}
	r := w.builder.NewRecordBatch()
	defer r.Release()
	return w.out.WriteBuffered(r)
}

// close ends the file that was begun.
func (w *files) close() (file, error) {
	err := errors.Join(w.out.Close(), w.file.Close())
	f := file{w.file.Name(), w.bytes, w.sum.Sum(nil)}
	w.out = nil
	if err != nil {
		return f, err
	}
	w.file = nil
	return f, nil
}

// drop removes what was begun and not given away.
func (w *files) drop() {
	w.builder.Release()
	if w.file != nil {
		_ = w.file.Close() // it goes
		_ = os.Remove(w.file.Name())
	}
}

// fill copies a batch into the builder. What the table would not take is
// refused here, before anything is sent.
func fill(builder *array.RecordBuilder, b *record.Batch) error {
	if len(b.Cols) != len(builder.Fields()) {
		return fmt.Errorf("a batch of %s, of %d columns, for a table of %d", b.Schema.Table, len(b.Cols), len(builder.Fields()))
	}
	for i := range b.Cols {
		c, column := &b.Cols[i], b.Schema.Columns[i]
		if c.Nulls > 0 && !column.Nullable {
			return fmt.Errorf("column %s: null, and the column has none", column.Name)
		}
		if column.Type == record.USD && slices.ContainsFunc(c.Ints, tooLarge) {
			return fmt.Errorf("column %s: an amount of a million US dollars or more", column.Name)
		}
		if err := fillColumn(builder.Field(i), b, i); err != nil {
			return fmt.Errorf("column %s: %w", column.Name, err)
		}
	}
	return nil
}

// tooLarge says that an amount is none that a row can have, on any engine.
func tooLarge(pico int64) bool {
	const end = 1_000_000_000_000_000_000
	return pico >= end || pico <= -end
}

func fillColumn(to array.Builder, b *record.Batch, i int) error {
	c := &b.Cols[i]
	for row := range b.Rows {
		if c.IsNull(row) {
			to.AppendNull()
			continue
		}
		switch to := to.(type) {
		case *array.StringBuilder:
			if c.Keys != nil {
				to.Append(hex.EncodeToString(c.Keys[row][:]))
				continue
			}
			text := b.BytesAt(i, row)
			if !utf8.Valid(text) {
				return errors.New("text that is not valid UTF-8")
			}
			to.Append(string(text))
		case *array.BooleanBuilder:
			to.Append(c.Ints[row] != 0)
		case *array.Int64Builder:
			to.Append(c.Ints[row])
		}
	}
	return nil
}
