package bigquery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"cloud.google.com/go/bigquery"
	cloudcivil "cloud.google.com/go/civil"
	"google.golang.org/api/iterator"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// labels tell whose job it was, for the project's own showback.
func (s *Store) labels() map[string]string {
	return map[string]string{"component": ours["component"], "run": s.o.Run}
}

func (s *Store) query(text string) *bigquery.Query {
	q := s.client.Query(text)
	q.Labels = s.labels()
	q.MaxBytesBilled = s.o.MaxBytesBilled
	q.Location = s.o.Location
	q.JobTimeout = s.o.JobTimeout
	return q
}

// lengthMax is how long a text may be. The service takes 1,024,000 characters.
const lengthMax = 900_000

// statement runs text exactly once.
func (s *Store) statement(ctx context.Context, t task) (finished, error) {
	if len(t.content) > lengthMax {
		return finished{}, fmt.Errorf("%s: its text has %d bytes, and BigQuery takes no more than %d; what makes it long is to be loaded into a work table", t.what, len(t.content), lengthMax)
	}
	return s.run(ctx, t, func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error) {
		q := s.query(t.content)
		q.JobIDConfig = id
		return q.Run(ctx)
	})
}

// called is what the job of a select is called.
func called(q warehouse.Select) string { return cmp.Or(q.Name, "select") }

// Query implements warehouse.Warehouse. The select is a job like any other, so
// that a fault of the service is met by another job; its rows are read when it
// is done.
func (s *Store) Query(ctx context.Context, q warehouse.Select, yield func(warehouse.Row) error) error {
	text, err := s.dialect().Fill(q)
	if err != nil {
		return err
	}
	done, err := s.statement(ctx, task{what: called(q), subject: "select", content: text})
	if err != nil {
		return err
	}
	return q.Failed(s.read(ctx, done.job, yield))
}

// pageMax is how long the service may take for the next rows: the client asks
// for ever where it is out.
const pageMax = 5 * time.Minute

var errSilent = fmt.Errorf("BigQuery gave no rows for %s", pageMax)

func (s *Store) read(ctx context.Context, job *bigquery.Job, yield func(warehouse.Row) error) error {
	within, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silent := time.AfterFunc(pageMax, func() { stop(errSilent) })
	defer silent.Stop()
	rows, err := s.opened(within, job)
	if err != nil {
		return fmt.Errorf("read rows: %w", cmp.Or(context.Cause(within), wording(err)))
	}
	var row warehouse.Row
	for _, f := range rows.Schema {
		row.Columns = append(row.Columns, f.Name)
	}
	row.Values = make([]any, len(row.Columns))
	for bytes := int64(0); ; {
		silent.Reset(pageMax)
		var values []bigquery.Value
		err := rows.Next(&values)
		silent.Stop()
		if errors.Is(err, iterator.Done) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read rows: %w", cmp.Or(context.Cause(within), wording(err)))
		}
		for i, v := range values {
			if row.Values[i], err = value(v); err != nil {
				return fmt.Errorf("column %s: %w", row.Columns[i], err)
			}
			bytes += size(v)
		}
		if bytes > s.o.MaxBytesRead {
			return fmt.Errorf("its rows have more than %d bytes; %s", s.o.MaxBytesRead, readLess)
		}
		if err := yield(row); err != nil {
			return err
		}
	}
}

const readLess = "what is read out must be summed up in the warehouse first, or asked for in parts"

// opened asks for the rows of a job that is done, again where the service says
// that this may help.
func (s *Store) opened(ctx context.Context, job *bigquery.Job) (*bigquery.RowIterator, error) {
	for try := 1; ; try++ {
		rows, err := job.Read(ctx)
		if err == nil || try == attemptsMax || !internal(err) {
			return rows, err
		}
		if err := s.o.Sleep(ctx, pause(try)); err != nil {
			return nil, err
		}
	}
}

// size is about what a value has in an answer.
func size(v bigquery.Value) int64 {
	if text, is := v.(string); is {
		return int64(len(text)) + 2
	}
	return 8
}

// pico is how many parts of 10^-12 an amount has.
var pico = big.NewRat(1_000_000_000_000, 1)

// value gives a value of the client the Go type that warehouse.Row promises.
func value(v bigquery.Value) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, int64:
		return v, nil
	case []byte:
		if len(v) == len(record.Key{}) {
			return record.Key(v), nil
		}
	case time.Time:
		return v.UTC(), nil
	case cloudcivil.Date:
		return civil.Date{Year: v.Year, Mon: v.Month, Day: v.Day}, nil
	case *big.Rat:
		parts := new(big.Rat).Mul(v, pico)
		if !parts.IsInt() {
			return nil, errors.New("has more than 12 decimals, finer than an amount")
		}
		return money.FromPicoInt(parts.Num()), nil
	}
	return nil, fmt.Errorf("a %T is no type of a row; cast it in the select", v)
}
