package bqledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"cloud.google.com/go/bigquery"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"

	"chargeback/billing/ledger"
)

var sqlTypes = map[ledger.ColumnType]string{
	ledger.Text: "string", ledger.Int: "int64", ledger.Bool: "bool", ledger.Timestamp: "timestamp", ledger.Date: "date", ledger.USD: "bignumeric",
}

var fieldTypes = map[ledger.ColumnType]bigquery.FieldType{
	ledger.Text: bigquery.StringFieldType, ledger.Int: bigquery.IntegerFieldType, ledger.Bool: bigquery.BooleanFieldType,
	ledger.Timestamp: bigquery.TimestampFieldType, ledger.Date: bigquery.DateFieldType, ledger.USD: bigquery.BigNumericFieldType,
}

// Migrate makes the dataset, and every table and column that is missing, with
// descriptions, partitions that must be named, and clusters. Tables go side by
// side, views behind them.
func (s *Store) Migrate(ctx context.Context, tables []ledger.Table) error {
	if err := s.existing(ctx); err != nil {
		return err
	}
	for _, t := range tables {
		s.tables[t.Name], s.names[t.Name] = t, s.full(t.Name)
		if s.o.Existing && !s.have[t.Name] {
			return fmt.Errorf("open ledger %s: %w (table %s is missing); make it with \"chargeback run\"", s, ledger.ErrNone, t.Name)
		}
	}
	if s.o.Existing {
		return s.raise(ctx)
	}
	if err := s.makeFence(ctx); err != nil { // first: who waits for the ledger waits for its last table
		return err
	}
	var group errgroup.Group
	group.SetLimit(callsMax)
	for _, t := range tables {
		if t.View == "" {
			group.Go(func() error { return migrated(t, s.migrateTable(ctx, t)) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, t := range tables {
		if t.View != "" {
			if err := s.migrateView(ctx, t); err != nil {
				return migrated(t, err)
			}
		}
	}
	return s.raise(ctx)
}

// callsMax bounds the calls that are under way at once.
const callsMax = 4

func migrated(t ledger.Table, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("migrate %s: %w", t.Name, wording(err))
}

// existing reads what tables and views the dataset has, and makes the dataset
// where there is none.
func (s *Store) existing(ctx context.Context) error {
	s.have = map[string]bool{}
	tables := s.dataset.Tables(ctx)
	for {
		t, err := tables.Next()
		switch {
		case errors.Is(err, iterator.Done):
			return nil
		case notFound(err) && s.o.Existing:
			return nil
		case notFound(err): // making one that is there wants a right that is needed nowhere else
			err := s.dataset.Create(ctx, &bigquery.DatasetMetadata{
				Location: s.o.Location, Description: "What AI requests cost and who owes it: chargeback's ledger", Labels: ours,
			})
			if err != nil && !exists(err) {
				return fmt.Errorf("make dataset %s: %w", s.o.Dataset, wording(err))
			}
			return nil
		case err != nil:
			return fmt.Errorf("read dataset %s: %w", s.o.Dataset, wording(err))
		}
		s.have[t.TableID] = true
	}
}

func exists(err error) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && e.Code == http.StatusConflict
}

func field(c ledger.Column) *bigquery.FieldSchema {
	f := &bigquery.FieldSchema{Name: c.Name, Type: fieldTypes[c.Type], Required: !c.Nullable, Description: c.About}
	if c.Type == ledger.USD {
		f.Precision, f.Scale = 38, 12
	}
	return f
}

// ours marks what this program made.
var ours = map[string]string{"component": "chargeback"}

func (s *Store) migrateTable(ctx context.Context, t ledger.Table) error {
	table := s.dataset.Table(t.Name)
	if !s.have[t.Name] {
		err := table.Create(ctx, tableMetadata(t))
		if exists(err) {
			return nil
		}
		return err
	}
	m, err := table.Metadata(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, f := range m.Schema {
		known[f.Name] = true
	}
	wider := m.Schema
	for _, c := range t.Columns {
		if !known[c.Name] {
			f := field(c)
			f.Required = false // the rows that are there have no value
			wider = append(wider, f)
		}
	}
	if len(wider) == len(m.Schema) {
		return nil
	}
	_, err = table.Update(ctx, bigquery.TableMetadataToUpdate{Schema: wider}, m.ETag)
	return err
}

func tableMetadata(t ledger.Table) *bigquery.TableMetadata {
	m := &bigquery.TableMetadata{Description: t.About, Labels: ours}
	for _, c := range t.Columns {
		m.Schema = append(m.Schema, field(c))
	}
	if t.Partition != "" {
		m.TimePartitioning = &bigquery.TimePartitioning{Type: bigquery.DayPartitioningType, Field: t.Partition}
		m.RequirePartitionFilter = true
	}
	if len(t.Cluster) > 0 {
		m.Clustering = &bigquery.Clustering{Fields: t.Cluster}
	}
	return m
}

// migrateView makes a view anew where its description names another text.
func (s *Store) migrateView(ctx context.Context, t ledger.Table) error {
	text, err := plain(t.View, nil)
	if err != nil {
		return err
	}
	text = renamed(text, s.names)
	sum := sha256.Sum256([]byte(text))
	about := t.About + " (text " + hex.EncodeToString(sum[:8]) + ")"
	table := s.dataset.Table(t.Name)
	if s.have[t.Name] {
		m, err := table.Metadata(ctx)
		if err != nil {
			return err
		}
		if m.Description == about {
			return nil
		}
		_, err = table.Update(ctx, bigquery.TableMetadataToUpdate{ViewQuery: text, Description: about}, m.ETag)
		return err
	}
	err = table.Create(ctx, &bigquery.TableMetadata{ViewQuery: text, Description: about, Labels: ours})
	if exists(err) {
		return nil
	}
	return err
}
