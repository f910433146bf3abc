package bqledger

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"cloud.google.com/go/bigquery"
	cloudcivil "cloud.google.com/go/civil"
	"google.golang.org/api/iterator"

	"chargeback/billing/ledger"
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
	return q
}

// jobMax is how long a job may run: the service ends it then.
const jobMax = time.Hour

// statement runs text, which changes something, exactly once.
func (s *Store) statement(ctx context.Context, what, text string) error {
	return s.run(ctx, what, text, func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error) {
		q := s.query(text)
		q.JobIDConfig, q.JobTimeout = id, jobMax
		return q.Run(ctx)
	})
}

// Query implements ledger.Engine. A select may be asked again, so it needs no
// id of its own.
func (s *Store) Query(ctx context.Context, text string, args ledger.Args, yield func(ledger.Row) error) error {
	text, err := plain(text, args)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, jobMax) // the client asks for ever where the service is out
	defer stop()
	rows, err := s.query(s.resolved(text, false)).Read(ctx)
	if err != nil {
		return fmt.Errorf("query: %w", wording(err))
	}
	for {
		var values []bigquery.Value
		err := rows.Next(&values)
		if errors.Is(err, iterator.Done) {
			if job := rows.SourceJob(); job != nil {
				s.selects = append(s.selects, job)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read rows: %w", err)
		}
		row := make(ledger.Row, len(values))
		for i, v := range values {
			if row[i], err = value(v); err != nil {
				return fmt.Errorf("column %s: %w", rows.Schema[i].Name, err)
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
}

// pico is how many parts of 10^-12 an amount has.
var pico = big.NewRat(1_000_000_000_000, 1)

// value gives a value of the client the Go type that ledger.Row promises.
func value(v bigquery.Value) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, int64:
		return v, nil
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
	return nil, fmt.Errorf("type %T is not one the ledger uses; cast it in the query", v)
}
