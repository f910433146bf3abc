package manifest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/meta"
	"chargeback/billing/warehouse"
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
func (m *Manifest) FirstNights(ctx context.Context) (map[string]civil.Date, error) {
	facts, err := meta.All(ctx, m.w)
	if err != nil {
		return nil, err
	}
	first := map[string]civil.Date{}
	for name, value := range facts {
		if source, is := strings.CutPrefix(name, seenFact); is {
			if first[source], err = civil.ParseDate(value); err != nil {
				return nil, fmt.Errorf("read when source %s was first found: %w", source, err)
			}
		}
	}
	return first, nil
}

// SetFirstNight keeps the night in which a source was first found.
func SetFirstNight(source string, night civil.Date) []warehouse.Change {
	return meta.Set(seenFact+source, night.String())
}

// SourceMarks returns the marks of the sources that a night has read, or should
// have.
func (m *Manifest) SourceMarks(ctx context.Context) (map[string]SourceMark, error) {
	facts, err := meta.All(ctx, m.w)
	if err != nil {
		return nil, err
	}
	marks := map[string]SourceMark{}
	for name, value := range facts {
		for _, fact := range []string{readingFact, placeFact, missedFact} {
			source, is := strings.CutPrefix(name, fact)
			if !is {
				continue
			}
			mark := marks[source]
			switch fact {
			case readingFact:
				mark.Reading = value
			case placeFact:
				mark.Place = value
			case missedFact:
				if mark.Missed, err = civil.ParseDate(value); err != nil {
					return nil, fmt.Errorf("read since when source %s was missed: %w", source, err)
				}
			}
			marks[source] = mark
		}
	}
	return marks, nil
}

// SourcesWithoutReading returns the sources that have objects read by a version
// which kept no settings.
func (m *Manifest) SourcesWithoutReading(ctx context.Context) (map[string]bool, error) {
	sources, err := warehouse.All[string](ctx, m.w, warehouse.Select{Name: "read sources of the manifest", Text: "select distinct source from {objects} where reading is null"})
	found := map[string]bool{}
	for _, source := range sources {
		found[source] = true
	}
	return found, err
}

// SetSourceMark keeps a source's mark. Objects of the source that were read by a
// version which kept no settings are taken to have been read by these, where adopt
// says so.
func SetSourceMark(source string, mark SourceMark, adopt bool) (changes []warehouse.Change) {
	if adopt {
		changes = append(changes, warehouse.Update{Table: objectsTable.Name, Set: args{"reading": mark.Reading}, Where: "source = {@source} and reading is null", Args: args{"source": source}})
	}
	missed := ""
	if !mark.Missed.IsZero() {
		missed = mark.Missed.String()
	}
	return slices.Concat(changes, meta.Set(readingFact+source, mark.Reading), meta.Set(placeFact+source, mark.Place), meta.Set(missedFact+source, missed))
}

// Outdated returns the current objects of a source that were read by other
// settings than reading, by key, as far as days from since on may have records
// of them: objects with such records, and objects delivered since, or at no
// known day, of which not every record is staged. "" is other than any settings.
// schema is what objects are read as whose settings were not kept.
func (m *Manifest) Outdated(ctx context.Context, source string, schema *record.Schema, reading string, since civil.Date) (objects []Object, err error) {
	found, err := m.objects(ctx, "read outdated objects of "+source, `
  source = {@source} and state in ('read', 'missing') and ({@reading} = '' or ifnull(reading, {@reading}) <> {@reading})`,
		args{"source": source, "reading": reading})
	if err != nil {
		return nil, err
	}
	tables := map[*record.Schema]bool{}
	for _, o := range found {
		tables[schemaOf(o.Reading, schema)] = true
	}
	recent := map[int64]bool{}
	for _, s := range stagedSchemas {
		if !tables[s] || dateColumn(s) == "" {
			continue
		}
		ids, err := m.ids(ctx, warehouse.Select{
			Name: fmt.Sprintf("read objects with records since %s", since),
			Text: "select distinct object_id from {" + s.Table + "} where " + dateColumn(s) + " >= {@since}", Args: args{"since": since},
		})
		if err != nil {
			return nil, err
		}
		maps.Copy(recent, ids)
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
