package decode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// totalsFormat is a format of control totals: pages of an API, a table, or
// both, told apart by their first bytes.
type totalsFormat struct {
	name  string
	pages func(*totalsReader) *pages // nil: no pages
	table func(*totalsReader) *table
	// parquet says that the table may come as Parquet too.
	parquet bool
}

// Name implements Format.
func (f *totalsFormat) Name() string { return f.name }

// Schema implements Format.
func (f *totalsFormat) Schema() *record.Schema { return record.TotalSchema }

// Decoder implements Format.
func (f *totalsFormat) Decoder(env Env) Decoder {
	d := &totalsDecoder{env: env, in: bufio.NewReaderSize(nil, 1<<16), parquet: f.parquet, table: f.table(new(totalsReader))}
	if f.pages != nil {
		d.pages = f.pages(new(totalsReader)).decoder(env)
	}
	return d
}

type totalsDecoder struct {
	env     Env
	in      *bufio.Reader
	pages   *jsonDecoder
	table   *table
	parquet bool
}

// Decode implements Decoder.
func (d *totalsDecoder) Decode(r io.Reader, sink *Sink) error {
	d.in.Reset(r)
	first, _ := d.in.Peek(64) // an error comes again when it is read
	text := bytes.TrimLeft(bytes.TrimPrefix(first, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case d.parquet && bytes.HasPrefix(first, parquetMagic):
		return d.table.readParquet(d.in, sink)
	case d.pages != nil && len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return d.pages.Decode(d.in, sink)
	}
	return d.table.readCSV(d.in, d.env, sink)
}

// totalsReader is what the rows of one worker are made in. Its methods fill the
// total at hand.
type totalsReader struct {
	t       record.Total
	figures []figure
	texts   usageTypes
}

// figure is one count of a record that has several.
type figure struct {
	class, unit string
	n           int64
}

var providers = wordsOf(openAIProvider, anthropicProvider, bedrockName)

// bedrockName is the provider of AWS's bills.
const bedrockName = "bedrock"

// begin starts a record.
func (r *totalsReader) begin(provider string, sink *Sink) *record.Total {
	r.figures = r.figures[:0]
	r.t = record.Total{Provider: providers[provider]}
	if modified := sink.Origin().Modified; !modified.IsZero() {
		r.t.Revision = modified.UnixMicro()
	}
	return &r.t
}

// count notes a count, also of zero: a later report may take back what an
// earlier one told.
func (r *totalsReader) count(class, unit string, n int64) {
	r.figures = append(r.figures, figure{class, unit, n})
}

// emit hands on a row for each count. Those of a class that isn't one of
// record's are line items.
func (r *totalsReader) emit(line int64, sink *Sink) {
	for _, f := range r.figures {
		t := r.t
		t.Unit, t.Quantity, t.HasQuantity = wordOf(f.unit), f.n, true
		if t.Class = classOf(f.class); t.Class == nil {
			t.LineItem = wordOf(f.class)
		}
		sink.Total(&t, line)
	}
}

// classes are the token classes as they are kept.
var classes = wordsOf(
	record.ClassInput, record.ClassCacheRead, record.ClassCacheWrite5m, record.ClassCacheWrite1h, record.ClassCacheWriteUnknown,
	record.ClassOutput, record.ClassInputAudio, record.ClassInputImage, record.ClassCacheReadAudio, record.ClassOutputAudio,
	record.ClassOutputImage, record.ClassSearches, record.ClassRequests,
)

// words are the units of nearly all rows.
var words = wordsOf(unitTokens, unitRequests, unitSearches, allItems)

func wordsOf(texts ...string) map[string][]byte {
	m := make(map[string][]byte, len(texts))
	for _, s := range texts {
		m[s] = []byte(s)
	}
	return m
}

// classOf is a class as it is kept, nil where there is no such class.
func classOf(s string) []byte { return classes[s] }

func wordOf(s string) []byte {
	if w, ok := words[s]; ok {
		return w
	}
	return []byte(s)
}

const (
	unitTokens   = "tokens"
	unitRequests = "requests"
	unitSearches = "searches"

	// allItems is the line item of a figure that is told for all of them together.
	allItems = "all"
)

const dayMicros = 24 * hourMicros

// bucket fills the time of the total.
func (r *totalsReader) bucket(start, end jsonscan.Value, startField, endField string) (err error) {
	if r.t.Start, err = instant(start, startField); err != nil {
		return err
	}
	if r.t.End, err = instant(end, endField); err != nil {
		return err
	}
	if r.t.End <= r.t.Start {
		return &FieldError{endField, "does not come after " + startField}
	}
	r.t.Date = floorDiv(r.t.Start, dayMicros)
	return nil
}

// day fills the time of the total with a whole UTC day.
func (r *totalsReader) day(v jsonscan.Value, field string) error {
	s := text(v)
	if len(s) >= 10 { // some months have a time behind the date
		s = s[:10]
	}
	days, err := day(string(s), field)
	if err != nil {
		return err
	}
	r.t.Date, r.t.Start, r.t.End = days, days*dayMicros, (days+1)*dayMicros
	if r.t.Start < yearMinMicros || r.t.Start >= yearEndMicros {
		return &FieldError{field, "lies outside the years 2015 to 2100"}
	}
	return nil
}

// quantityMax is the largest quantity that is believed: of a bucket of a month,
// and so that a million of them still add up in 63 bits.
const quantityMax = 9_000_000_000_000

// quantity reads a count of a whole bucket: as whole does, but far larger.
func quantity(v jsonscan.Value, field string) (int64, error) {
	n, exact := scaled(v.Raw, 0)
	switch {
	case v.Kind != jsonscan.Number && v.Kind != jsonscan.String:
		return 0, &FieldError{field, "is not a number"}
	case !exact:
		return 0, &FieldError{field, "is not a whole number up to 9,000,000,000,000"}
	case n < 0:
		return 0, &FieldError{field, "is negative"}
	}
	return n, nil
}

// scaled reads a decimal number times 10^places. exact is false where that is no
// whole number, or not one that is believed; n is then rounded, or 0.
func scaled(raw []byte, places int) (n int64, exact bool) {
	raw = bytes.TrimSpace(raw)
	n, ok := shifted(raw, places)
	if !ok || n > quantityMax || n < -quantityMax {
		return 0, false
	}
	// Six digits more tell whether anything was rounded off, but for what a
	// binary fraction leaves behind.
	more, ok := shifted(raw, places+6)
	return n, ok && more == n*1_000_000
}

// Powers of ten from the unit of an amount to pico-dollars.
const (
	dollars = 12
	cents   = 10
)

// amountMax is the largest amount of a control total, in pico-dollars.
const amountMax = 9_000_000 * 1_000_000_000_000

// amount reads a decimal amount, rounded half away from zero to pico-dollars.
// Absent and empty is no amount.
func amount(v jsonscan.Value, unit int, field string) (pico int64, present bool, err error) {
	if missing(v) {
		return 0, false, nil
	}
	pico, ok := shifted(bytes.TrimSpace(v.Raw), unit)
	if v.Kind != jsonscan.Number && v.Kind != jsonscan.String || !ok || pico > amountMax || pico < -amountMax {
		return 0, false, &FieldError{field, "is not a decimal amount of up to 9,000,000 US dollars"}
	}
	return pico, true, nil
}

var usd = []byte("USD")

// billed fills the amounts of the total.
func (r *totalsReader) billed(v, list, currency jsonscan.Value, unit int, field, listField, currencyField string) (err error) {
	if r.t.AmountPico, r.t.HasAmount, err = amount(v, unit, field); err != nil {
		return err
	}
	if r.t.ListPico, r.t.HasList, err = amount(list, unit, listField); err != nil {
		return err
	}
	if !r.t.HasAmount && !r.t.HasList {
		return nil
	}
	if code := name(currency); len(code) > 0 && !bytes.EqualFold(code, usd) {
		return &FieldError{currencyField, "is not USD, the only currency of these books; export in USD"}
	}
	r.t.Currency = usd
	return nil
}

// pages reads pages of an API: {"data":[bucket,...]}, alone, in an array or one
// behind the other, and buckets without a page around them.
type pages struct {
	start, end string // the bucket's fields
	item       *jsonscan.Spec
	rows       *totalsReader
	// read fills the rows of one result. The bucket is filled.
	read     func(v []jsonscan.Value, sink *Sink) error
	provider string
}

// Places in the specs of pages and buckets.
const (
	pageData = iota
	bucketResults
	bucketResult
	bucketStart
	bucketEnd
)

func (p *pages) decoder(env Env) *jsonDecoder {
	spec := mustCompile("data", "results", "result", p.start, p.end)
	bucket, item := jsonscan.NewScanner(spec), jsonscan.NewScanner(p.item)
	return newJSONDecoder(env, spec, func(v []jsonscan.Value, line int64, sink *Sink) error {
		if v[pageData].Kind != jsonscan.Array {
			if v[bucketResults].Kind != jsonscan.Array && v[bucketResult].Kind != jsonscan.Array {
				return &FieldError{"data", "is no list, nor is results; is this source really in that format?"}
			}
			return p.bucket(v, item, "", line, sink)
		}
		n := 0
		return jsonscan.Each(v[pageData].Raw, func(element []byte) error {
			place := "data[" + strconv.Itoa(n) + "]."
			n++
			if _, err := bucket.Scan(element); err != nil {
				return err
			}
			if err := p.bucket(bucket.Values, item, place, line, sink); err != nil {
				sink.Reject(line, err.Error())
			}
			return nil
		})
	})
}

// bucket reads the results of one bucket. What is wrong with one of them costs
// that one.
func (p *pages) bucket(v []jsonscan.Value, item *jsonscan.Scanner, place string, line int64, sink *Sink) error {
	r := p.rows
	r.begin(p.provider, sink)
	if err := r.bucket(v[bucketStart], v[bucketEnd], p.start, p.end); err != nil {
		return fmt.Errorf("%s%w", place, err)
	}
	of := r.t
	list := firstPresent(v, []int{bucketResults, bucketResult})
	if list.Kind != jsonscan.Array {
		return &FieldError{place + "results", "is not a list"}
	}
	n := 0
	return jsonscan.Each(list.Raw, func(element []byte) error {
		at := place + "results[" + strconv.Itoa(n) + "]"
		n++
		if _, err := item.Scan(element); err != nil {
			return err
		}
		r.t, r.figures = of, r.figures[:0]
		if err := p.read(item.Values, sink); err != nil {
			if _, ok := errors.AsType[*FieldError](err); ok {
				at += "."
			} else {
				at += ": "
			}
			sink.Reject(line, at+err.Error())
			return nil
		}
		if len(r.figures) > 0 {
			r.emit(line, sink)
		} else {
			sink.Total(&r.t, line)
		}
		return nil
	})
}

// errNothing says that a result tells none of what its format counts.
var errNothing = errors.New("none of the counts of this format is there; is this source really in that format?")
