package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// SourceMark is how the last night found a source: by which settings objects of
// it are read, and where they lie. Missed is the first night that could not read it
// and was followed by none that could; zero where the last one did.
type SourceMark struct {
	Reading, Place string
	Missed         civil.Date
}

// Known says that some night has read the source.
func (m SourceMark) Known() bool { return m.Reading != "" || m.Place != "" }

// ReadingOf names the settings by which objects are read: the staged table that
// their rows go to, and a fingerprint.
func ReadingOf(schema *record.Schema, fingerprint string) string {
	return schema.Table + " " + fingerprint
}

// Names of a source's facts in meta begin so.
const (
	readingFact = "reading of "
	placeFact   = "place of "
	missedFact  = "missed since, of "
	seenFact    = "first night of "
)

// FirstNights returns the night in which each source was first found, as far as that
// was kept.
func (l *Ledger) FirstNights(ctx context.Context) (map[string]civil.Date, error) {
	first := map[string]civil.Date{}
	err := l.engine.Query(ctx, "select name, value from meta", nil, func(r Row) error {
		source, is := strings.CutPrefix(r.Text(0), seenFact)
		if !is {
			return nil
		}
		night, err := civil.ParseDate(r.Text(1))
		first[source] = night
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read when sources were first found: %w", err)
	}
	return first, nil
}

// SetFirstNight keeps the night in which a source was first found; it belongs inside
// the transaction that ends the night.
func (l *Ledger) SetFirstNight(ctx context.Context, source string, night civil.Date) error {
	if err := l.engine.Exec(ctx, "delete from meta where name = @name", Args{"name": seenFact + source}); err != nil {
		return err
	}
	return l.engine.Insert(ctx, metaTable, [][]any{{seenFact + source, night.String()}})
}

// SourceMarks returns the marks of the sources that a night has read, or should
// have.
func (l *Ledger) SourceMarks(ctx context.Context) (map[string]SourceMark, error) {
	marks := map[string]SourceMark{}
	err := l.engine.Query(ctx, "select name, value from meta", nil, func(r Row) error {
		for _, fact := range []string{readingFact, placeFact, missedFact} {
			source, is := strings.CutPrefix(r.Text(0), fact)
			if !is {
				continue
			}
			mark, err := marks[source], error(nil)
			switch fact {
			case readingFact:
				mark.Reading = r.Text(1)
			case placeFact:
				mark.Place = r.Text(1)
			case missedFact:
				mark.Missed, err = civil.ParseDate(r.Text(1))
			}
			if err != nil {
				return err
			}
			marks[source] = mark
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read marks of sources: %w", err)
	}
	return marks, nil
}

// SourcesWithoutReading returns the sources that have objects read by a version
// which kept no settings.
func (l *Ledger) SourcesWithoutReading(ctx context.Context) (map[string]bool, error) {
	found := map[string]bool{}
	err := l.engine.Query(ctx, "select distinct source from objects where reading is null", nil, func(r Row) error {
		found[r.Text(0)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sources of the manifest: %w", err)
	}
	return found, nil
}

// SetSourceMark keeps a source's mark; it belongs inside the transaction that
// ends a night. Objects of the source that were read by a version which kept no
// settings are taken to have been read by these.
func (l *Ledger) SetSourceMark(ctx context.Context, source string, mark SourceMark, adopt bool) error {
	if adopt {
		err := l.engine.Exec(ctx, "update objects set reading = @reading where source = @source and reading is null", Args{"reading": mark.Reading, "source": source})
		if err != nil {
			return err
		}
	}
	for _, name := range []string{readingFact + source, placeFact + source, missedFact + source} {
		if err := l.engine.Exec(ctx, "delete from meta where name = @name", Args{"name": name}); err != nil {
			return err
		}
	}
	var rows [][]any
	if mark.Known() {
		rows = append(rows, []any{readingFact + source, mark.Reading}, []any{placeFact + source, mark.Place})
	}
	if !mark.Missed.IsZero() {
		rows = append(rows, []any{missedFact + source, mark.Missed.String()})
	}
	return l.engine.Insert(ctx, metaTable, rows)
}

// Outdated returns the current objects of a source that were read by other
// settings than reading, by key, as far as days from since on may have records
// of them: objects with such records, and objects delivered since, or at no
// known day, of which not every record is staged. "" is other than any settings.
// schema is what objects are read as whose settings were not kept.
func (l *Ledger) Outdated(ctx context.Context, source string, schema *record.Schema, reading string, since civil.Date) (objects []Object, err error) {
	var found []Object
	tables := map[*record.Schema]bool{}
	err = l.engine.Query(ctx, `
select object_id, object_key, etag, state, size_bytes, day, rows_staged, rows_rejected, rows_ignored, modified_at, reading
from objects
where source = @source and state in ('read', 'missing') and (@reading = '' or ifnull(reading, @reading) <> @reading)
order by object_key, etag`, Args{"source": source, "reading": reading}, func(r Row) error {
		o := Object{ID: r.Int(0), Source: source, Key: r.Text(1), ETag: r.Text(2), State: r.Text(3), SizeBytes: r.Int(4), Day: r.Date(5), Staged: r.Int(6), Rejected: r.Int(7), Ignored: r.Int(8), Modified: r.Time(9), Reading: r.Text(10)}
		found = append(found, o)
		tables[schemaOf(o.Reading, schema)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read outdated objects of %s: %w", source, err)
	}
	recent := map[int64]bool{}
	for _, s := range stagedSchemas {
		if !tables[s] || dateColumn(s) == "" {
			continue
		}
		err := l.engine.Query(ctx, "select distinct object_id from "+s.Table+" where "+dateColumn(s)+" >= @since", Args{"since": since}, func(r Row) error {
			recent[r.Int(0)] = true
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read objects with records since %s: %w", since, err)
		}
	}
	for _, o := range found {
		delivered := o.Day.IsZero() || !o.Day.Before(since.AddDays(-1)) // folders are named in UTC
		unread := o.Staged == 0 || o.Rejected > 0 || o.Ignored > 0
		if recent[o.ID] || delivered && unread || dateColumn(schemaOf(o.Reading, schema)) == "" {
			objects = append(objects, o)
		}
	}
	return objects, nil
}

var stagedSchemas = []*record.Schema{record.UsageSchema, record.RequestSchema, record.PeopleSchema, record.TotalSchema}

// schemaOf is what an object was read as.
func schemaOf(reading string, otherwise *record.Schema) *record.Schema {
	table, _, _ := strings.Cut(reading, " ")
	if i := slices.IndexFunc(stagedSchemas, func(s *record.Schema) bool { return s.Table == table }); i >= 0 {
		return stagedSchemas[i]
	}
	return otherwise
}

// forgetElsewhere drops the rows of objects that were read as something else:
// settings may have changed what a source holds.
func (l *Ledger) forgetElsewhere(ctx context.Context, schema *record.Schema, ids []int64) error {
	elsewhere := map[*record.Schema][]int64{}
	err := inParts(ids, func(list string) error {
		return l.engine.Query(ctx, "select object_id, reading from objects where object_id in ("+list+")", nil, func(r Row) error {
			if s := schemaOf(r.Text(1), schema); s != schema {
				elsewhere[s] = append(elsewhere[s], r.Int(0))
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("read what objects were read as: %w", err)
	}
	for _, s := range stagedSchemas {
		if err := l.soilRows(ctx, s, elsewhere[s]); err != nil {
			return err
		}
		if err := l.dropRows(ctx, s.Table, dateColumn(s), elsewhere[s]); err != nil {
			return err
		}
	}
	return nil
}
