package bqledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/bigquery"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"chargeback/billing/ledger"
	"chargeback/extract/record"
)

// Load implements ledger.Engine. The batches become a Parquet file, the file a
// work table by one load job, and the work table's rows part of the open
// transaction, or of one of their own. Times and dates travel as numbers.
func (s *Store) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (rows int64, err error) {
	defer func() {
		for b := range batches {
			done(b)
		}
	}()
	file, err := os.CreateTemp("", "chargeback-*.parquet")
	if err != nil {
		return 0, fmt.Errorf("stage %s: %w", schema.Table, err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	sum := sha256.New()
	if rows, err = writeParquet(ctx, io.MultiWriter(file, sum), schema, batches, done); err != nil || rows == 0 {
		return 0, wrap("stage "+schema.Table, err)
	}
	work := s.work()
	err = s.upload(ctx, work, schema, file.Name(), fmt.Sprintf("%x", sum.Sum(nil)))
	if err != nil {
		return 0, fmt.Errorf("stage %s: %w", schema.Table, err)
	}
	names, values := make([]string, len(schema.Columns)), make([]string, len(schema.Columns))
	for i, c := range schema.Columns {
		names[i], values[i] = c.Name, fromWork(c)
	}
	text := "select " + strings.Join(values, ", ") + " from " + s.full(work) + " as loaded"
	if schema.Once {
		id := names[0]
		text += " where not exists (select 1 from " + s.full(schema.Table) + " as stored where stored." + id + " = loaded." + id + ")"
	}
	if s.tx != nil {
		return rows, s.insertRows(schema.Table, names, text, text)
	}
	return rows, s.commit(ctx, "stage "+schema.Table, "insert into "+s.full(schema.Table)+" ("+strings.Join(names, ", ")+")\n"+text)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

func fromWork(c record.Column) string {
	switch c.Type {
	case record.Time:
		return "timestamp_micros(" + c.Name + ") as " + c.Name
	case record.Date:
		return "date_add(date '1970-01-01', interval " + c.Name + " day) as " + c.Name
	}
	return c.Name
}

var arrowTypes = map[record.Type]arrow.DataType{
	record.Text: arrow.BinaryTypes.String, record.Int: arrow.PrimitiveTypes.Int64, record.Bool: arrow.FixedWidthTypes.Boolean,
	record.Time: arrow.PrimitiveTypes.Int64, record.Date: arrow.PrimitiveTypes.Int64,
}

var workTypes = map[record.Type]bigquery.FieldType{
	record.Text: bigquery.StringFieldType, record.Int: bigquery.IntegerFieldType, record.Bool: bigquery.BooleanFieldType,
	record.Time: bigquery.IntegerFieldType, record.Date: bigquery.IntegerFieldType,
}

// rowGroup is how many rows are compressed together.
const rowGroup = 1 << 17

func writeParquet(ctx context.Context, to io.Writer, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (rows int64, err error) {
	fields := make([]arrow.Field, len(schema.Columns))
	for i, c := range schema.Columns {
		fields[i] = arrow.Field{Name: c.Name, Type: arrowTypes[c.Type], Nullable: true}
	}
	shape := arrow.NewSchema(fields, nil)
	out, err := pqarrow.NewFileWriter(shape, to, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(rowGroup)), pqarrow.DefaultWriterProps())
	if err != nil {
		return 0, err
	}
	builder := array.NewRecordBuilder(memory.DefaultAllocator, shape)
	defer builder.Release()
	write := func(b *record.Batch) error {
		defer done(b)
		if err := fill(builder, b); err != nil {
			return err
		}
		r := builder.NewRecordBatch()
		defer r.Release()
		rows += int64(b.Rows)
		return out.WriteBuffered(r)
	}
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case b, open := <-batches:
			if !open {
				return rows, out.Close()
			}
			if err := write(b); err != nil {
				return 0, err
			}
		}
	}
}

// fill copies a batch into the builder. What the table would not take is
// refused here, before anything is sent.
func fill(builder *array.RecordBuilder, b *record.Batch) error {
	if len(b.Cols) != len(builder.Fields()) {
		return fmt.Errorf("a batch of %d columns for a table of %d", len(b.Cols), len(builder.Fields()))
	}
	for i := range b.Cols {
		c, column := &b.Cols[i], b.Schema.Columns[i]
		if c.Nulls > 0 && !column.Nullable {
			return fmt.Errorf("column %s: null, and the column has none", column.Name)
		}
		switch to := builder.Field(i).(type) {
		case *array.StringBuilder:
			for row := range b.Rows {
				switch text := b.BytesAt(i, row); {
				case c.IsNull(row):
					to.AppendNull()
				case !utf8.Valid(text):
					return fmt.Errorf("column %s: text that is not valid UTF-8", column.Name)
				default:
					to.Append(string(text))
				}
			}
		case *array.BooleanBuilder:
			for row := range b.Rows {
				if c.IsNull(row) {
					to.AppendNull()
				} else {
					to.Append(c.Ints[row] != 0)
				}
			}
		case *array.Int64Builder:
			for row := range b.Rows {
				if c.IsNull(row) {
					to.AppendNull()
				} else {
					to.Append(c.Ints[row])
				}
			}
		}
	}
	return nil
}

// upload loads a Parquet file into a new table. The client does not retry the
// sending of a file; run does, under the same id and from the file's begin.
func (s *Store) upload(ctx context.Context, table string, schema *record.Schema, path, content string) error {
	shape := make(bigquery.Schema, len(schema.Columns))
	for i, c := range schema.Columns {
		shape[i] = &bigquery.FieldSchema{Name: c.Name, Type: workTypes[c.Type]}
	}
	work := s.dataset.Table(table)
	if err := work.Create(ctx, &bigquery.TableMetadata{Schema: shape, ExpirationTime: s.o.Clock().Add(24 * time.Hour), Labels: s.labels()}); err != nil && !exists(err) {
		return wording(err)
	}
	from, done, err := s.source(ctx, table, path)
	if err != nil {
		return err
	}
	defer done()
	return s.run(ctx, "load "+table, table+content, func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error) {
		source, err := from()
		if err != nil {
			return nil, err
		}
		switch source := source.(type) {
		case *bigquery.ReaderSource:
			source.SourceFormat, source.Schema = bigquery.Parquet, shape
		case *bigquery.GCSReference:
			source.SourceFormat, source.Schema = bigquery.Parquet, shape
		}
		loader := work.LoaderFrom(source)
		loader.JobIDConfig, loader.Labels = id, s.labels()
		loader.WriteDisposition = bigquery.WriteEmpty // a second job would fail, not double
		return loader.Run(ctx)
	})
}

// More rows than rowsMax or more text than textMax is loaded: BigQuery takes a
// megabyte of text in all.
const (
	rowsMax = 500
	textMax = 100_000
)

// Insert implements ledger.Engine.
func (s *Store) Insert(ctx context.Context, table ledger.Table, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	schema, loadable := ledger.LoadSchema(table)
	if len(rows) <= rowsMax || !loadable {
		parts, err := asText(table, rows)
		if err != nil {
			return err
		}
		if len(parts) == 1 || !loadable {
			for _, text := range parts {
				if err := s.insertSelect(ctx, table, text); err != nil {
					return err
				}
			}
			return nil
		}
	}
	batches, err := ledger.Pack(table, schema, rows)
	if err != nil {
		return err
	}
	_, err = s.Load(ctx, schema, batches, func(*record.Batch) {})
	return err
}

func (s *Store) insertSelect(ctx context.Context, table ledger.Table, text string) error {
	text = "insert into " + table.Name + " (" + table.ColumnNames() + ")\n" + text
	if s.tx != nil {
		return s.write(text)
	}
	return s.commit(ctx, "insert into "+table.Name, renamed(text, s.names))
}

// asText writes rows as selects of at most textMax bytes each.
func asText(table ledger.Table, rows [][]any) (parts []string, err error) {
	types := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		types[i] = c.Name + " " + sqlTypes[c.Type]
	}
	kind := "struct<" + strings.Join(types, ", ") + ">"
	head := "select " + table.ColumnNames() + " from unnest([\n  " + kind
	next := ",\n  "
	if len(types) == 1 { // in brackets it would be a value, not a row
		next += kind
	}
	var b strings.Builder
	for _, row := range rows {
		if err := ledger.FitRow(table, row); err != nil {
			return nil, err
		}
		values := make([]string, len(row))
		for i, v := range row {
			if values[i], err = literal(v); err != nil {
				return nil, fmt.Errorf("insert into %s: column %s: %w", table.Name, table.Columns[i].Name, err)
			}
		}
		switch {
		case b.Len() > textMax:
			parts = append(parts, b.String()+"\n])")
			b.Reset()
			b.WriteString(head)
		case b.Len() == 0:
			b.WriteString(head)
		default:
			b.WriteString(next)
		}
		b.WriteString("(" + strings.Join(values, ", ") + ")")
	}
	return append(parts, b.String()+"\n])"), nil
}
