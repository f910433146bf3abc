package ledgertest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// Usage is one usage row in words. Empty text is absent, but where a field
// says otherwise.
type Usage struct {
	Key                              string // natural key; "" is RequestID
	At                               string // UTC: 2026-10-05 10:00:00
	Object                           string // key of the object it lies in; "" is Rows.Object
	Line                             int64  // 0 is the next one of its object
	RequestID, ResponseID, ClientRef string
	Provider, Model                  string // "" is bedrock, sonnet
	Account, Region, Tier            string
	Caller, CostCenter, AgentID      string
	Tokens                           record.Tokens
	Failed, Partial                  bool
}

// Request is one request row in words; see Usage.
type Request struct {
	ID                               string // the agent platform's own id and natural key
	At, Object                       string
	Ended                            string // "" is not logged
	Source                           string // "" is requests
	Line                             int64
	RequestID, ResponseID, ClientRef string
	Provider, Model                  string
	Region, Tier                     string
	User, Email, Team, Key, Project  string
	AgentID, CostCenter, Tools       string
	ToolCalls                        int64
	Tokens                           record.Tokens
	CacheHit, Failed                 bool
	Unmetered                        bool  // the platform logged no token counts
	Span                             bool  // a span tells of it, and stands for the event beside it
	Reported                         int64 // what the platform reports as the cost, in pico-dollars; 0: nothing
}

// Person is one row of a people file in words; To is exclusive and "" for ever.
// A row of a snapshot has the day of that instead, and From only where the
// export tells it.
type Person struct {
	Email, Department, CostCenter, From, To string
	Snapshot                                string
	Names                                   string // other names, as staged
	Source                                  string // "" is people
	Object                                  string // "" is Rows.Object
}

// Total is one control total in words. Its bucket is the UTC day of Day.
type Total struct {
	Day, Object                   string
	Line                          int64
	Provider, Model               string // "" is openai, gpt-4o
	Account, Project, Class, Item string
	Quantity, Pico                int64 // 0: none
	Period                        string
	Revision                      string // "" is 2026-11-01 00:00:00
}

// Rows are what one delivery brings: sources of usage, requests, people and
// totals, each with its objects.
type Rows struct {
	Usage    []Usage
	Requests []Request
	People   []Person
	Totals   []Total
	Object   string // key of the objects; "" is first.json
	ETag     string // version of the objects; "" is v1
	Replaced []int64
	Zone     *time.Location  // billing zone; nil is UTC
	Numbers  *record.Numbers // hands out ids of dimensions; nil: they are hashes
}

// ObjectID is the manifest's id of an object that a delivery brings.
func ObjectID(source, key, etag string) int64 {
	return hash(source, cmp.Or(key, "first.json"), cmp.Or(etag, "v1"))
}

// Key is the record key of a natural key.
func Key(natural string) int64 { return hash("record", natural) }

func hash(parts ...string) int64 {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// Stage takes the rows in, source by source.
func (r Rows) Stage(ctx context.Context, m *manifest.Manifest) error {
	for _, d := range slices.Concat([]*delivery{r.usage()}, r.requests(), []*delivery{r.totals()}, r.people()) {
		if len(d.objects) == 0 {
			continue
		}
		if err := d.stage(ctx, m, nil); err != nil {
			return err
		}
	}
	return nil
}

// delivery is what one source brings.
type delivery struct {
	rows    Rows
	source  string
	schema  *record.Schema
	batches []*record.Batch
	dims    *record.Dimensions
	objects []manifest.Object
	days    []civil.Date
}

func (r Rows) deliver(source string, schema *record.Schema) *delivery {
	return &delivery{rows: r, source: source, schema: schema, dims: record.NewDimensions(r.Numbers)}
}

func (r Rows) usage() *delivery {
	d := r.deliver("usage", record.UsageSchema)
	for _, u := range r.Usage {
		row, date := u.row(d.rows.zone())
		d.add(u.Object, u.Line, date, func(b *record.Batch, l record.Lineage) error { return b.AppendUsage(row, d.dims, l) })
	}
	return d
}

// requests makes a delivery of each source of requests.
func (r Rows) requests() (all []*delivery) {
	bySource := map[string]*delivery{}
	for _, q := range r.Requests {
		source := cmp.Or(q.Source, "requests")
		d := bySource[source]
		if d == nil {
			d = r.deliver(source, record.RequestSchema)
			bySource[source], all = d, append(all, d)
		}
		row, date := q.row(d.rows.zone())
		d.add(q.Object, q.Line, date, func(b *record.Batch, l record.Lineage) error { return b.AppendRequest(row, d.dims, l) })
	}
	return all
}

// people makes a delivery of each source of people.
func (r Rows) people() (all []*delivery) {
	bySource := map[string]*delivery{}
	for _, p := range r.People {
		source := cmp.Or(p.Source, "people")
		if bySource[source] == nil {
			bySource[source] = r.deliver(source, record.PeopleSchema)
			all = append(all, bySource[source])
		}
		row := &record.Person{
			Email: []byte(p.Email), Department: []byte(p.Department), CostCenter: []byte(p.CostCenter),
			ValidFrom: epochDays(Day(cmp.Or(p.From, p.Snapshot))), ValidTo: epochDays(Day(cmp.Or(p.To, civil.Max.String()))),
			Names: []byte(p.Names),
		}
		if p.Snapshot != "" {
			row.Snapshot, row.HasSnapshot = epochDays(Day(p.Snapshot)), true
		}
		bySource[source].add(p.Object, 0, civil.Date{}, func(b *record.Batch, l record.Lineage) error { return b.AppendPerson(row, l) })
	}
	return all
}

func (r Rows) totals() *delivery {
	d := r.deliver("totals", record.TotalSchema)
	for _, t := range r.Totals {
		row := t.row()
		d.add(t.Object, t.Line, civil.Date{}, func(b *record.Batch, l record.Lineage) error { return b.AppendTotal(row, l) })
	}
	return d
}

func (t Total) row() *record.Total {
	day := Day(t.Day)
	row := &record.Total{
		Provider: []byte(cmp.Or(t.Provider, "openai")), Model: []byte(cmp.Or(t.Model, "gpt-4o")), Account: []byte(t.Account), Project: []byte(t.Project),
		Class: []byte(t.Class), LineItem: []byte(t.Item), Start: day.Start(time.UTC).UnixMicro(), End: day.AddDays(1).Start(time.UTC).UnixMicro(), Date: epochDays(day),
		Quantity: t.Quantity, HasQuantity: t.Quantity != 0, AmountPico: t.Pico, HasAmount: t.Pico != 0, Period: []byte(t.Period),
		Revision: At(cmp.Or(t.Revision, "2026-11-01 00:00:00")).UnixMicro(),
	}
	if row.HasAmount {
		row.Currency = []byte("USD")
	}
	return row
}

func (r Rows) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// add appends a row to the delivery and counts it for its object.
func (d *delivery) add(key string, line int64, date civil.Date, appendTo func(*record.Batch, record.Lineage) error) {
	o := d.object(cmp.Or(key, d.rows.Object, "first.json"))
	o.Staged++
	if len(d.batches) == 0 || d.batches[len(d.batches)-1].Full() {
		d.batches = append(d.batches, record.NewBatch(d.schema))
	}
	b := d.batches[len(d.batches)-1]
	if err := appendTo(b, record.Lineage{Object: o.ID, Line: cmp.Or(line, o.Staged)}); err != nil {
		panic(err) // a test's own row can't be kept
	}
	if !date.IsZero() {
		if o.FirstRow.IsZero() || date.Before(o.FirstRow) {
			o.FirstRow = date
		}
		if o.LastRow.Before(date) {
			o.LastRow = date
		}
	}
	if !date.IsZero() && !slices.Contains(d.days, date) {
		d.days = append(d.days, date)
	}
}

func (d *delivery) object(key string) *manifest.Object {
	for i := range d.objects {
		if d.objects[i].Key == key {
			return &d.objects[i]
		}
	}
	etag := cmp.Or(d.rows.ETag, "v1")
	d.objects = append(d.objects, manifest.Object{
		ID: ObjectID(d.source, key, etag), Source: d.source, Format: "words", Key: key, ETag: etag, State: manifest.ObjectRead, Run: "nightly/2026-10-01",
	})
	return &d.objects[len(d.objects)-1]
}

// feed are the delivery's batches, for Load.
func (d *delivery) feed() <-chan *record.Batch {
	batches := make(chan *record.Batch, len(d.batches))
	for _, b := range d.batches {
		batches <- b
	}
	close(batches)
	return batches
}

// staging is the delivery as the ledger takes it, once its rows are loaded.
func (d *delivery) staging() manifest.Staging {
	return manifest.Staging{Source: d.source, Schema: d.schema, Objects: d.objects, Replaced: d.rows.Replaced, Days: d.days, Dimensions: d.dims.All()}
}

// stage loads the delivery and stages it, with what change makes of it.
func (d *delivery) stage(ctx context.Context, m *manifest.Manifest, change func(*manifest.Staging)) (err error) {
	s := d.staging()
	if change != nil {
		change(&s)
	}
	if s.Loaded, err = m.Load(ctx, s.Schema, d.feed(), func(*record.Batch) {}); err != nil {
		return err
	}
	if err := m.Stage(ctx, s); err != nil {
		return errors.Join(err, m.Discard(ctx))
	}
	return nil
}

// Make makes the records of days as a night does: what occurs on them, what that is
// joined with, the records, and all of it into the ledger in one step.
func Make(ctx context.Context, l *ledger.Ledger, b records.Build, book Book) error {
	seen, err := l.Records.Seen(ctx, b)
	if err != nil {
		return err
	}
	refs, err := book.Resolve(seen)
	if err != nil {
		return err
	}
	made, err := l.Records.Compute(ctx, b, refs)
	if err != nil {
		return err
	}
	return l.Apply(ctx, made.Changes()...)
}

func (u Usage) row(zone *time.Location) (*record.Usage, civil.Date) {
	at := At(u.At)
	date := civil.DateOf(at, zone)
	row := &record.Usage{
		Key: Key(cmp.Or(u.Key, u.RequestID)), Provider: []byte(cmp.Or(u.Provider, "bedrock")), ProviderRequestID: []byte(u.RequestID),
		ResponseID: []byte(u.ResponseID), ClientRef: []byte(u.ClientRef), StartedAt: at.UnixMicro(), Date: epochDays(date),
		Account: []byte(u.Account), Region: []byte(u.Region), Model: []byte(cmp.Or(u.Model, "sonnet")), ServiceTier: []byte(u.Tier),
		Tokens: u.Tokens, Caller: []byte(u.Caller), CostCenter: []byte(u.CostCenter), AgentID: []byte(u.AgentID), Failed: u.Failed, Completeness: 2,
	}
	switch {
	case u.Failed:
		row.Completeness, row.ErrorCode = 0, []byte("ThrottlingException")
	case u.Partial:
		row.Completeness = 1
	}
	return row, date
}

func (q Request) row(zone *time.Location) (*record.Request, civil.Date) {
	at := At(q.At)
	date := civil.DateOf(at, zone)
	row := &record.Request{
		Key: Key("request " + q.ID), AgentRequestID: []byte(q.ID), Provider: []byte(cmp.Or(q.Provider, "bedrock")), ProviderRequestID: []byte(q.RequestID),
		ResponseID: []byte(q.ResponseID), ClientRef: []byte(q.ClientRef), StartedAt: at.UnixMicro(), Date: epochDays(date), CacheHit: q.CacheHit,
		Failed: q.Failed, UserID: []byte(q.User), UserEmail: []byte(q.Email), Team: []byte(q.Team), KeyAlias: []byte(q.Key), Project: []byte(q.Project),
		AgentID: []byte(q.AgentID), CostCenter: []byte(q.CostCenter), Model: []byte(cmp.Or(q.Model, "sonnet")),
		Region: []byte(q.Region), ServiceTier: []byte(q.Tier), Tools: []byte(q.Tools), ToolCalls: q.ToolCalls, Tokens: q.Tokens, Completeness: 2,
		ReportedPico: q.Reported, HasReported: q.Reported != 0,
	}
	if q.Ended != "" {
		row.EndedAt, row.HasEnded = At(q.Ended).UnixMicro(), true
	}
	switch {
	case q.Failed:
		row.Completeness = 0
	case q.Unmetered:
		row.Completeness = 1
	case q.Span:
		row.Completeness = 3
	}
	return row, date
}

// RecordKey is the id of the request's cost record where it has no usage.
func (q Request) RecordKey() int64 { return Key("request " + q.ID) }

// Day reads a date that a test wrote; it panics on another text.
func Day(s string) civil.Date {
	d, err := civil.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// At reads an instant that a test wrote, as 2026-10-05 10:00:00 with any
// fraction of a second; it panics on another text.
func At(s string) time.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return t
}

func epochDays(d civil.Date) int64 {
	return int64(d.DaysSince(civil.Date{Year: 1970, Mon: time.January, Day: 1}))
}
