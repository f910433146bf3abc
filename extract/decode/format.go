package decode

import (
	"io"
	"slices"
	"time"

	"chargeback/extract/record"
)

// The sides that a record can tell of: what the provider metered, or what the
// agent platform knows. Formats that hold both are read as one of them.
const (
	ProviderSide = "provider"
	AgentSide    = "agent"
)

// Origin is the object that is read, as the store has it.
type Origin struct {
	ID       int64     // the manifest's
	Key      string    // below the source's prefix
	Modified time.Time // when this version was written
}

// Env is what decoding depends on besides the bytes.
type Env struct {
	Zone        *time.Location  // billing zone of business dates
	Start       int64           // first business day, days since 1970-01-01; older records are counted, not kept
	RecordBytes int             // longest record that is read
	Numbers     *record.Numbers // hands out ids of what repeats from row to row; nil: they are hashes
}

// Format decodes one kind of object.
type Format interface {
	// Name is the word for it in the config.
	Name() string
	// Schema is the staged table that its records go to.
	Schema() *record.Schema
	// Decoder returns a decoder for one worker; it is not shared.
	Decoder(Env) Decoder
}

// Decoder reads whole objects.
type Decoder interface {
	// Decode reads every record of r, the unpacked object, into sink. An error
	// says that the object can't be trusted and none of it may count; what is
	// wrong with single records goes to sink.Reject.
	Decode(r io.Reader, sink *Sink) error
}

// Reject is a record that could not be taken in. Reason never quotes content.
type Reject struct {
	Line   int64
	Reason string
}

// Counts is what became of the records of one object.
type Counts struct {
	Rows        int64 // staged
	Rejected    int64
	BeforeStart int64   // older than the first accounted day
	Ignored     int64   // of no concern by the format's rules: no request at all, or the other side's
	Dates       []int64 // business dates that occur, in no order
	// First and Last are the dates of the first and the last row, of totals too: days
	// since 1970; both 0 where no row has one.
	First, Last int64
}

// Sink takes the records of one object after the other from one worker.
type Sink struct {
	env     Env
	schema  *record.Schema
	origin  Origin
	line    int64 // of the last row of the object
	counts  Counts
	rejects []Reject
	batch   *record.Batch
	dims    *record.Dimensions
	swap    func(full *record.Batch) *record.Batch
}

// NewSink returns a sink for rows of schema. swap takes a full batch and
// returns an empty one.
func NewSink(env Env, schema *record.Schema, swap func(full *record.Batch) *record.Batch) *Sink {
	return &Sink{env: env, schema: schema, batch: swap(nil), swap: swap, dims: record.NewDimensions(env.Numbers)}
}

// Begin starts an object.
func (s *Sink) Begin(object Origin) {
	s.origin, s.line, s.counts, s.rejects = object, 0, Counts{}, nil
}

// Origin returns the object that was begun last.
func (s *Sink) Origin() Origin { return s.origin }

// Repair takes back a row that a fault left half written.
func (s *Sink) Repair() { s.batch.Trim() }

// End returns what became of the object's records.
func (s *Sink) End() (Counts, []Reject) { return s.counts, s.rejects }

// Dimensions returns what the rows so far point to.
func (s *Sink) Dimensions() *record.Dimensions { return s.dims }

// Flush hands on what is left in the batch.
func (s *Sink) Flush() {
	if s.batch.Rows > 0 {
		s.batch = s.swap(s.batch)
	}
}

// Reject notes a bad record.
func (s *Sink) Reject(line int64, reason string) {
	s.counts.Rejected++
	s.rejects = append(s.rejects, Reject{line, reason})
}

// Ignore counts a record that the format's rules leave out.
func (s *Sink) Ignore() { s.counts.Ignored++ }

// Usage takes one usage record that started on business date u.Date.
func (s *Sink) Usage(u *record.Usage, line int64) {
	if u.Date < s.env.Start {
		s.counts.BeforeStart++
		return
	}
	s.dated(u.Date)
	s.took(s.batch.AppendUsage(u, s.dims, s.place(line)), line)
}

// Request takes one request.
func (s *Sink) Request(r *record.Request, line int64) {
	if r.Date < s.env.Start {
		s.counts.BeforeStart++
		return
	}
	s.dated(r.Date)
	s.took(s.batch.AppendRequest(r, s.dims, s.place(line)), line)
}

// Person takes one row of a people file.
func (s *Sink) Person(p *record.Person, line int64) {
	s.took(s.batch.AppendPerson(p, s.place(line)), line)
}

// place is where a row was read. Object and line are what tell rows apart
// everywhere behind: of several rows of one line, such as of records without line
// breaks between or of a record that makes several, each takes the line after the
// one before.
func (s *Sink) place(line int64) record.Lineage {
	s.line = max(line, s.line+1)
	return record.Lineage{Object: s.origin.ID, Line: s.line}
}

// Total takes one control total. Its day is a UTC day, and no cost record
// follows from it.
func (s *Sink) Total(t *record.Total, line int64) {
	if t.Date < s.env.Start {
		s.counts.BeforeStart++
		return
	}
	s.spans(t.Date)
	s.took(s.batch.AppendTotal(t, record.Lineage{Object: s.origin.ID, Line: line}), line)
}

// spans notes the date of a row, which may be rejected still.
func (s *Sink) spans(date int64) {
	c := &s.counts
	if c.First == 0 || date < c.First {
		c.First = date
	}
	c.Last = max(c.Last, date)
}

// dated notes a business date; records come nearly sorted, so the last one is
// nearly always the same.
func (s *Sink) dated(date int64) {
	s.spans(date)
	dates := s.counts.Dates
	if n := len(dates); n > 0 && dates[n-1] == date {
		return
	}
	if i := slices.Index(dates, date); i >= 0 {
		last := len(dates) - 1
		dates[i], dates[last] = dates[last], dates[i]
		return
	}
	s.counts.Dates = append(dates, date)
}

func (s *Sink) took(fault error, line int64) {
	if fault != nil {
		s.Reject(line, fault.Error())
		return
	}
	s.counts.Rows++
	if s.batch.Full() {
		s.batch = s.swap(s.batch)
	}
}
