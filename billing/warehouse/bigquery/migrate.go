package bigquery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"cloud.google.com/go/bigquery"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/iterator"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

var fieldTypes = map[record.Type]bigquery.FieldType{
	record.Text: bigquery.StringFieldType, record.Int: bigquery.IntegerFieldType, record.Bool: bigquery.BooleanFieldType,
	record.Time: bigquery.TimestampFieldType, record.Date: bigquery.DateFieldType, record.USD: bigquery.BigNumericFieldType, record.Sum: bigquery.BigNumericFieldType,
	record.ID: bigquery.BytesFieldType,
}

// versions is the table of the layouts that the ledger has had.
var versions = warehouse.Table{Name: "layout", About: "Versions of the layout of these tables; the highest one holds", Columns: []record.Column{
	{Name: "version", Type: record.Int, About: "grows with each change of a table"},
}}

// Migrate makes the dataset, and every table and column that is missing, with
// descriptions, partitions that must be named, clusters and no expiration, whatever
// the dataset's own is. Tables go side by side, views behind them, and the version
// last: a migration that ends before it begins again.
func (s *Store) Migrate(ctx context.Context, layout warehouse.Layout) error {
	if _, taken := layout.Table(versions.Name); taken {
		return fmt.Errorf("migrate: table %s: the name is the engine's own", versions.Name)
	}
	for _, t := range append([]warehouse.Table{versions}, layout.Tables...) {
		s.tables[t.Name], s.names[t.Name] = t, s.full(t.Name)
	}
	for _, v := range layout.Views {
		s.names[v.Name] = s.full(v.Name)
	}
	have, err := s.existing(ctx)
	if err != nil {
		return err
	}
	version, err := s.version(ctx, have)
	if err != nil {
		return err
	}
	if version > int64(layout.Version) {
		return layout.Newer(s.String(), version)
	}
	if s.o.Existing {
		err = s.usable(layout, have, version)
	} else {
		err = s.migrate(ctx, layout, have, version)
	}
	if err != nil {
		return err
	}
	return s.raise(ctx, have)
}

// usable says why a ledger can't be used as it is.
func (s *Store) usable(layout warehouse.Layout, have map[string]bool, version int64) error {
	missing, any := "", false
	for _, t := range layout.Tables {
		if have[t.Name] {
			any = true
		} else if missing == "" {
			missing = t.Name
		}
	}
	switch {
	case !any:
		return fmt.Errorf("open ledger %s: %w; make it with \"chargeback run\"", s, warehouse.ErrNone)
	case version < int64(layout.Version):
		return fmt.Errorf("open ledger %s: %w (layout %d of %d); bring it up to date with \"chargeback run\"", s, warehouse.ErrOutdated, version, layout.Version)
	case missing != "":
		return fmt.Errorf("open ledger %s: %w: table %s is missing; make it with \"chargeback run\"", s, warehouse.ErrOutdated, missing)
	}
	return nil
}

// version is that of the layout that the ledger has; 0 where there is none.
func (s *Store) version(ctx context.Context, have map[string]bool) (int64, error) {
	if !have[versions.Name] {
		return 0, nil
	}
	return warehouse.One[int64](ctx, s, warehouse.Select{Name: "version of the layout", Text: "select ifnull(max(version), 0) as version from {layout}"})
}

func (s *Store) migrate(ctx context.Context, layout warehouse.Layout, have map[string]bool, version int64) error {
	m, err := s.dataset.Metadata(ctx)
	if err != nil {
		return fmt.Errorf("look up dataset %s: %w", s.o.Dataset, wording(err))
	}
	expires := m.DefaultTableExpiration != 0 || m.DefaultPartitionExpiration != 0
	outdated := version < int64(layout.Version)
	var group errgroup.Group
	group.SetLimit(callsMax)
	for _, t := range append([]warehouse.Table{versions}, layout.Tables...) {
		group.Go(func() error {
			switch {
			case !have[t.Name]:
				return migrated(t.Name, s.makeTable(ctx, t, expires))
			case outdated || expires:
				return migrated(t.Name, s.widen(ctx, t))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, v := range layout.Views {
		if err := s.migrateView(ctx, v, have[v.Name]); err != nil {
			return migrated(v.Name, err)
		}
	}
	if !outdated {
		return nil
	}
	_, err = s.statement(ctx, task{what: "note the version of the layout", subject: versions.Name, content: fmt.Sprintf("insert into %s (version) select %d", s.full(versions.Name), layout.Version)})
	return err
}

// callsMax bounds the calls that are under way at once.
const callsMax = 4

func migrated(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("migrate %s: %w", name, wording(err))
}

// existing reads what tables and views the dataset has, and makes the datasets
// where there are none.
func (s *Store) existing(ctx context.Context) (map[string]bool, error) {
	have := map[string]bool{}
	tables := s.dataset.Tables(ctx)
	for {
		t, err := tables.Next()
		switch {
		case errors.Is(err, iterator.Done):
			return have, s.makeScratch(ctx)
		case notFound(err) && s.o.Existing:
			return have, nil
		case notFound(err): // making one that is there wants a right that is needed nowhere else
			err := s.dataset.Create(ctx, &bigquery.DatasetMetadata{
				Location: s.o.Location, Description: "What AI requests cost and who owes it: chargeback's ledger", Labels: ours,
			})
			if err != nil && !taken(err) {
				return nil, fmt.Errorf("make dataset %s: %w", s.o.Dataset, wording(err))
			}
			return have, s.makeScratch(ctx)
		case err != nil:
			return nil, fmt.Errorf("read dataset %s: %w", s.o.Dataset, wording(err))
		}
		have[t.TableID] = true
	}
}

// timeTravel is how long dropped work tables are kept, and paid for, by the
// service: two days are the least.
const timeTravel = 48 * time.Hour

// makeScratch makes the dataset of work tables, where it is another one.
func (s *Store) makeScratch(ctx context.Context) error {
	if s.o.WorkDataset == s.o.Dataset || s.o.Existing {
		return nil
	}
	_, err := s.scratch.Metadata(ctx)
	if notFound(err) {
		err = s.scratch.Create(ctx, &bigquery.DatasetMetadata{
			Location: s.o.Location, Description: "Tables on their way into chargeback's ledger; each goes within a day", Labels: ours,
			DefaultTableExpiration: 2 * workMax, MaxTimeTravel: timeTravel,
		})
	}
	if err != nil && !taken(err) {
		return fmt.Errorf("make dataset %s: %w", s.o.WorkDataset, wording(err))
	}
	return nil
}

func fields(columns []record.Column) bigquery.Schema {
	var shape bigquery.Schema
	for _, c := range columns {
		f := &bigquery.FieldSchema{Name: c.Name, Type: fieldTypes[c.Type], Required: !c.Nullable, Description: c.About}
		if f.Type == bigquery.BigNumericFieldType {
			f.Precision, f.Scale = 38, 12
		}
		shape = append(shape, f)
	}
	return shape
}

// ours marks what this program made.
var ours = map[string]string{"component": "chargeback"}

func (s *Store) makeTable(ctx context.Context, t warehouse.Table, expires bool) error {
	table := s.dataset.Table(t.Name)
	m := &bigquery.TableMetadata{Description: t.About, Labels: ours, Schema: fields(t.Columns), ExpirationTime: bigquery.NeverExpire}
	if t.Partition != "" {
		m.TimePartitioning = &bigquery.TimePartitioning{Type: bigquery.DayPartitioningType, Field: t.Partition}
		m.RequirePartitionFilter = true
	}
	if len(t.Cluster) > 0 {
		m.Clustering = &bigquery.Clustering{Fields: t.Cluster}
	}
	if err := table.Create(ctx, m); err != nil && !taken(err) {
		return err
	}
	if !expires { // by the dataset's default, which a new table can't be made without
		return nil
	}
	_, err := table.Update(ctx, lasting(t), "")
	return err
}

// lasting is the change after which nothing of a table expires.
func lasting(t warehouse.Table) bigquery.TableMetadataToUpdate {
	change := bigquery.TableMetadataToUpdate{ExpirationTime: bigquery.NeverExpire}
	if t.Partition != "" {
		change.TimePartitioning = &bigquery.TimePartitioning{Type: bigquery.DayPartitioningType, Field: t.Partition}
	}
	return change
}

// widen adds the columns that a table lacks, clusters it as it is now, and takes an
// expiration off. The service clusters anew what is there as it gets to it.
func (s *Store) widen(ctx context.Context, t warehouse.Table) error {
	table := s.dataset.Table(t.Name)
	m, err := table.Metadata(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, f := range m.Schema {
		known[f.Name] = true
		if i := slices.IndexFunc(t.Columns, func(c record.Column) bool { return c.Name == f.Name }); i >= 0 && fieldTypes[typesOf[f.Type]] != fieldTypes[t.Columns[i].Type] {
			return fmt.Errorf("column %s is %s in the ledger, and this version of chargeback keeps %s in it; it can't be changed in place: keep the dataset, and begin a new ledger in another one", f.Name, f.Type, sqlTypes[t.Columns[i].Type])
		}
	}
	var change bigquery.TableMetadataToUpdate
	if !m.ExpirationTime.IsZero() || m.TimePartitioning != nil && m.TimePartitioning.Expiration != 0 {
		change = lasting(t)
	}
	wider := m.Schema
	for _, f := range fields(t.Columns) {
		if !known[f.Name] {
			f.Required = false // the rows that are there have no value
			wider = append(wider, f)
		}
	}
	if len(wider) > len(m.Schema) {
		change.Schema = wider
	}
	if have := m.Clustering; len(t.Cluster) > 0 && (have == nil || !slices.Equal(have.Fields, t.Cluster)) {
		change.Clustering = &bigquery.Clustering{Fields: t.Cluster}
	}
	if change.Schema == nil && change.Clustering == nil && change.ExpirationTime.IsZero() {
		return nil
	}
	_, err = table.Update(ctx, change, m.ETag)
	return err
}

// migrateView makes a view anew where its description names another text. Its
// columns are described afterwards, when the service knows them, and the text is
// named last.
func (s *Store) migrateView(ctx context.Context, v warehouse.View, have bool) error {
	text, err := s.dialect().Fill(warehouse.Select{Text: v.Text})
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text + fmt.Sprint(v.Columns)))
	about := v.About + " (text " + hex.EncodeToString(sum[:8]) + ")"
	table := s.dataset.Table(v.Name)
	if have {
		m, err := table.Metadata(ctx)
		if err != nil {
			return err
		}
		if m.Description == about {
			return nil
		}
		change := bigquery.TableMetadataToUpdate{ViewQuery: text}
		if len(v.Columns) == 0 {
			change.Description = about
		}
		if _, err = table.Update(ctx, change, m.ETag); err != nil {
			return err
		}
	} else {
		m := &bigquery.TableMetadata{ViewQuery: text, Description: v.About, Labels: ours}
		if len(v.Columns) == 0 {
			m.Description = about
		}
		if err := table.Create(ctx, m); err != nil && !taken(err) {
			return err
		}
	}
	if len(v.Columns) == 0 {
		return nil
	}
	change := bigquery.TableMetadataToUpdate{Description: about}
	if change.Schema, err = described(ctx, table, v); err != nil {
		return err
	}
	_, err = table.Update(ctx, change, "")
	return err
}

// described are the columns of a view as the service knows them, in words.
func described(ctx context.Context, table *bigquery.Table, v warehouse.View) (bigquery.Schema, error) {
	m, err := table.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	var shape bigquery.Schema
	for _, c := range v.Columns {
		f := &bigquery.FieldSchema{Name: c.Name, Type: fieldTypes[c.Type]}
		if i := slices.IndexFunc(m.Schema, func(of *bigquery.FieldSchema) bool { return of.Name == c.Name }); i >= 0 {
			f = m.Schema[i]
		}
		f.Description = c.About
		shape = append(shape, f)
	}
	return shape, nil
}
