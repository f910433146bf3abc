package sniff

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"time"

	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/record"
	"chargeback/extract/store"
)

// Summary is what a format's decoder makes of objects.
type Summary struct {
	Table       string // the staged table that the rows would go to
	Objects     int
	Rows        int64
	BeforeStart int64
	Ignored     int64
	First, Last time.Time // of the rows' times; zero where they have none
	IDs         []IDCount
	Models      []ModelTokens // most input first
	Rejects     []RejectCount // most first
	Unreadable  []Unreadable
}

// IDCount is how many rows have an id.
type IDCount struct {
	Name string
	Rows int64
}

// ModelTokens is what was counted of one model.
type ModelTokens struct {
	Provider, Model                   string
	Records, Failed                   int64
	Input, CacheRead, CacheWrite, Out int64
}

// RejectCount is how often a reason occurs, and where first.
type RejectCount struct {
	Reason string
	Count  int64
	Object string
	Line   int64
}

// Unreadable is an object of which nothing counts.
type Unreadable struct {
	Object string
	Err    error
}

// idColumns are the columns by which records are joined and owned.
var idColumns = []string{"provider_request_id", "response_id", "client_ref", "agent_request_id", "trace_id", "end_user"}

// tupleColumns are those that lie in dimensions.
var tupleColumns = []string{"account", "caller", "user_id", "team", "key_alias", "project", "agent_id", "cost_center"}

var atByte = regexp.MustCompile(` at byte [0-9]+`)

// Summarize decodes objects as the source's format and keeps nothing of them but
// the summary.
func Summarize(ctx context.Context, source extract.Source, env decode.Env, objects []store.Found) (Summary, error) {
	c := collector{ids: map[string]int64{}, models: map[int64]*ModelTokens{}, tuples: map[string]map[int64]int64{}}
	reading := source.Read(ctx, env, objects)
	for b := range reading.Batches {
		c.add(b)
		reading.Done(b)
	}
	results, err := reading.Results()
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Table: source.Format.Schema().Table, Objects: len(results)}
	rejects := map[string]*RejectCount{}
	for _, r := range results {
		if r.Err != nil {
			s.Unreadable = append(s.Unreadable, Unreadable{r.Object.Key, r.Err})
			continue
		}
		s.Rows, s.BeforeStart, s.Ignored = s.Rows+r.Counts.Rows, s.BeforeStart+r.Counts.BeforeStart, s.Ignored+r.Counts.Ignored
		for _, reject := range r.Rejects {
			reason := atByte.ReplaceAllString(reject.Reason, "")
			if rejects[reason] == nil {
				rejects[reason] = &RejectCount{Reason: reason, Object: r.Object.Key, Line: reject.Line}
			}
			rejects[reason].Count++
		}
	}
	for _, r := range rejects {
		s.Rejects = append(s.Rejects, *r)
	}
	slices.SortFunc(s.Rejects, func(a, b RejectCount) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Reason, b.Reason))
	})
	c.finish(&s, reading.Dimensions())
	return s, nil
}

// collector adds rows up.
type collector struct {
	ids         map[string]int64
	models      map[int64]*ModelTokens     // by meter
	tuples      map[string]map[int64]int64 // rows by dimension and id
	first, last int64
}

func (c *collector) add(b *record.Batch) {
	at := map[string]int{}
	for i, column := range b.Schema.Columns {
		at[column.Name] = i
	}
	for _, name := range idColumns {
		i, has := at[name]
		if has && i > 0 && b.Schema.Columns[i-1].Type == record.ID {
			i-- // the text of an id is null where its key tells it
		}
		if has {
			c.ids[name] += int64(b.Rows - b.Cols[i].Nulls)
		}
	}
	for _, name := range []string{"started_at", "bucket_start"} {
		if i, has := at[name]; has {
			c.span(b.Cols[i].Ints[:b.Rows])
		}
	}
	for _, schema := range record.DimensionSchemas {
		if i, has := at[schema.Columns[0].Name]; has {
			c.count(schema.Table, b.Cols[i].Ints[:b.Rows])
		}
	}
	if meters, has := at["meter_id"]; has {
		c.tokens(b, at, b.Cols[meters].Ints[:b.Rows])
	}
}

func (c *collector) span(times []int64) {
	for _, us := range times {
		if c.first == 0 || us < c.first {
			c.first = us
		}
		c.last = max(c.last, us)
	}
}

func (c *collector) count(table string, ids []int64) {
	if c.tuples[table] == nil {
		c.tuples[table] = map[int64]int64{}
	}
	for _, id := range ids {
		c.tuples[table][id]++
	}
}

func (c *collector) tokens(b *record.Batch, at map[string]int, meters []int64) {
	sum := func(row int, names ...string) (n int64) {
		for _, name := range names {
			n += b.Cols[at[name]].Ints[row]
		}
		return n
	}
	for row, id := range meters {
		m := c.models[id]
		if m == nil {
			m = &ModelTokens{}
			c.models[id] = m
		}
		m.Records++
		m.Failed += sum(row, "failed")
		m.CacheRead += sum(row, "cache_read_tokens")
		m.CacheWrite += sum(row, "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_write_unknown_tokens")
		m.Input += sum(row, "input_uncached_tokens")
		m.Out += sum(row, "output_tokens")
	}
}

// finish resolves what the rows pointed to.
func (c *collector) finish(s *Summary, dims *record.Dimensions) {
	if c.first != 0 {
		s.First, s.Last = time.UnixMicro(c.first).UTC(), time.UnixMicro(c.last).UTC()
	}
	models := map[[2]string]*ModelTokens{}
	for _, d := range dims.All() {
		d.New(nil, func(b *record.Batch) bool {
			for row := range b.Rows {
				id := b.Cols[0].Ints[row]
				c.named(b, row, c.tuples[d.Schema.Table][id])
				if m := c.models[id]; m != nil && d == dims.Meters {
					add(models, textOf(b, row, "provider"), textOf(b, row, "model"), *m)
				}
			}
			return true
		})
	}
	for _, m := range models {
		s.Models = append(s.Models, *m)
	}
	slices.SortFunc(s.Models, func(a, b ModelTokens) int {
		return cmp.Or(-cmp.Compare(a.Input+a.CacheRead+a.CacheWrite, b.Input+b.CacheRead+b.CacheWrite), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model))
	})
	for _, name := range append(slices.Clone(idColumns), tupleColumns...) {
		if n := c.ids[name]; n > 0 {
			s.IDs = append(s.IDs, IDCount{name, n})
		}
	}
}

// named counts the rows whose tuple has an owner's name.
func (c *collector) named(b *record.Batch, row int, rows int64) {
	for i, column := range b.Schema.Columns {
		if slices.Contains(tupleColumns, column.Name) && !b.Cols[i].IsNull(row) && len(b.BytesAt(i, row)) > 0 {
			c.ids[column.Name] += rows
		}
	}
}

func textOf(b *record.Batch, row int, name string) string {
	i := slices.IndexFunc(b.Schema.Columns, func(c record.Column) bool { return c.Name == name })
	return b.TextAt(i, row)
}

func add(models map[[2]string]*ModelTokens, provider, model string, m ModelTokens) {
	key := [2]string{provider, model}
	if models[key] == nil {
		models[key] = &ModelTokens{Provider: provider, Model: model}
	}
	sum := models[key]
	sum.Records, sum.Failed = sum.Records+m.Records, sum.Failed+m.Failed
	sum.Input, sum.CacheRead, sum.CacheWrite, sum.Out = sum.Input+m.Input, sum.CacheRead+m.CacheRead, sum.CacheWrite+m.CacheWrite, sum.Out+m.Out
}
