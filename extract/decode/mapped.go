package decode

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// MappedOptions says which of the fields of records of one's own is which. In the
// settings it is the block mapped of a source; errors name its keys.
type MappedOptions struct {
	Side      string              // ProviderSide or AgentSide
	Layout    string              // LayoutJSON or LayoutCSV
	Delimiter string              // of CSV: "," ";" or "tab"
	Records   string              // JSON pointer to the list of records in a page, such as /data; "" where records stand alone
	Fields    map[string][]string // where a field is: JSON pointers such as /usage/input, or columns; the first that is present counts
	Constants map[string]string   // what a field is in every record
	Null      []string            // texts that stand for nothing, besides "", NA, N/A, None and null
	TokensIn  string              // Inclusive or Exclusive: whether input_tokens hold those of the prompt cache
	TokenUnit string              // UnitTokens or UnitThousands
	CostUnit  string              // UnitUSD, UnitCents or UnitMicros
	Time      string              // one of TimeFormats, or a pattern such as M/d/yyyy h:mm:ss a
	Zone      *time.Location      // of times that name none
	Success   []string            // texts of status; others are failures
	Failure   []string            // or texts that are failures; others are not
	CacheHit  []string            // texts of cache_hit that mean yes, besides true
	Key       []string            // fields that name a record; none: the request's id
}

// The words of MappedOptions.
const (
	LayoutJSON    = "json"
	LayoutCSV     = "csv"
	Inclusive     = "inclusive"
	Exclusive     = "exclusive"
	UnitTokens    = "tokens"
	UnitThousands = "thousands"
	UnitUSD       = "usd"
	UnitCents     = "cents"
	UnitMicros    = "micros"
)

// mappedField is a field that records can be mapped to.
type mappedField int

const (
	mapProvider mappedField = iota
	mapProviderRequestID
	mapResponseID
	mapClientRef
	mapStartedAt
	mapModel
	mapRegion
	mapServiceTier
	mapInput
	mapCacheRead
	mapCacheWrite
	mapCacheWrite5m
	mapCacheWrite1h
	mapOutput
	mapReasoning
	mapInputAudio
	mapInputImage
	mapCacheReadAudio
	mapOutputAudio
	mapOutputImage
	mapSearches
	mapAgentID
	mapCostCenter
	mapStatus
	mapErrorCode
	// Only of the provider's side.
	mapAccount
	mapOperation
	mapCaller
	// Only of the agent's side.
	mapAgentRequestID
	mapTraceID
	mapEndedAt
	mapUserID
	mapUserEmail
	mapEndUser
	mapTeam
	mapKeyAlias
	mapProject
	mapCacheHit
	mapToolCalls
	mapReportedCost
	mappedFields
)

var mappedNames = [mappedFields]string{
	"provider", "provider_request_id", "response_id", "client_ref", "started_at", "model", "region", "service_tier", "input_tokens", "cache_read_tokens", "cache_write_tokens",
	"cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "input_audio_tokens", "input_image_tokens", "cache_read_audio_tokens",
	"output_audio_tokens", "output_image_tokens", "searches", "agent_id", "cost_center", "status", "error_code",
	"account", "operation", "caller",
	"agent_request_id", "trace_id", "ended_at", "user_id", "user_email", "end_user", "team", "key_alias", "project", "cache_hit", "tool_calls", "reported_cost",
}

// of says whether a field is one of a side.
func (f mappedField) of(side string) bool {
	switch {
	case f >= mapAgentRequestID:
		return side == AgentSide
	case f >= mapAccount:
		return side == ProviderSide
	}
	return true
}

// MappedFields are the names of the fields of a side.
func MappedFields(side string) (names []string) {
	for f := range mappedFields {
		if f.of(side) {
			names = append(names, mappedNames[f])
		}
	}
	return names
}

// Mapped reads JSON or CSV of one's own by a map of fields. Natural key: the
// fields that the options name, else the request's id.
type Mapped struct {
	o         MappedOptions
	clock     clockReader
	at        [mappedFields][]int // places in scanned values
	constant  [mappedFields]jsonscan.Value
	key       []mappedField
	spec      *jsonscan.Spec // of a record
	page      *jsonscan.Spec // of what holds the list of records; nil where they stand alone
	columns   []string       // of CSV, by place
	nullWords map[string]bool
}

// NewMapped checks and compiles a map of fields.
func NewMapped(o MappedOptions) (*Mapped, error) {
	m := &Mapped{o: o, nullWords: map[string]bool{}}
	for _, word := range o.Null {
		m.nullWords[word] = true
	}
	for _, choice := range []struct {
		key, value string
		words      []string
	}{
		{"side", o.Side, []string{ProviderSide, AgentSide}}, {"layout", o.Layout, []string{LayoutJSON, LayoutCSV}},
		{"token_unit", o.TokenUnit, []string{UnitTokens, UnitThousands}}, {"cost_unit", o.CostUnit, []string{UnitUSD, UnitCents, UnitMicros}},
	} {
		if !slices.Contains(choice.words, choice.value) {
			return nil, fmt.Errorf("%s: %q is not a choice; use %s", choice.key, choice.value, strings.Join(choice.words, ", "))
		}
	}
	var err error
	if m.clock, err = newClockReader(o.Time, o.Zone); err != nil {
		return nil, fmt.Errorf("time: %w", err)
	}
	if err := m.place(); err != nil {
		return nil, err
	}
	if err := m.complete(); err != nil {
		return nil, err
	}
	return m, m.compile()
}

// place puts the fields and constants of the options where they belong.
func (m *Mapped) place() error {
	known := func(kind, name string) (mappedField, error) {
		i := slices.Index(mappedNames[:], name)
		if i < 0 || !mappedField(i).of(m.o.Side) {
			return 0, fmt.Errorf("%s.%s: is no field of the %s's side; use %s", kind, name, m.o.Side, strings.Join(MappedFields(m.o.Side), ", "))
		}
		return mappedField(i), nil
	}
	for name, value := range m.o.Constants {
		f, err := known("constants", name)
		if err != nil {
			return err
		}
		if len(m.o.Fields[name]) > 0 {
			return fmt.Errorf("constants.%s: stands under fields, too; keep one of the two", name)
		}
		m.constant[f] = jsonscan.Value{Kind: jsonscan.String, Raw: []byte(value)}
	}
	for name, places := range m.o.Fields {
		f, err := known("fields", name)
		if err != nil {
			return err
		}
		for _, place := range places {
			if place == "" {
				return fmt.Errorf("fields.%s: has an empty place; write a JSON pointer such as /id, or a column", name)
			}
			i := slices.Index(m.columns, place)
			if i < 0 {
				i, m.columns = len(m.columns), append(m.columns, place)
			}
			m.at[f] = append(m.at[f], i)
		}
	}
	for i, name := range m.o.Key {
		f, err := known(fmt.Sprintf("key[%d]", i), name)
		if err != nil {
			return err
		}
		m.key = append(m.key, f)
	}
	return nil
}

func (m *Mapped) has(f mappedField) bool {
	return len(m.at[f]) > 0 || m.constant[f].Kind != jsonscan.Absent
}

// complete refuses a map without which records could not be charged.
func (m *Mapped) complete() error {
	needed := []mappedField{mapStartedAt, mapAgentRequestID}
	if m.o.Side == ProviderSide {
		needed = []mappedField{mapStartedAt, mapProvider, mapProviderRequestID, mapModel, mapInput}
	}
	for _, f := range needed {
		if !m.has(f) {
			return fmt.Errorf("fields.%s: is missing; say where it stands", mappedNames[f])
		}
	}
	cache := m.has(mapCacheRead) || m.has(mapCacheWrite) || m.has(mapCacheWrite5m) || m.has(mapCacheWrite1h)
	switch {
	case m.o.TokensIn == "" && cache:
		return fmt.Errorf("tokens_in: is missing; write %s where input_tokens hold those of the prompt cache, else %s", Inclusive, Exclusive)
	case m.o.TokensIn != "" && m.o.TokensIn != Inclusive && m.o.TokensIn != Exclusive:
		return fmt.Errorf("tokens_in: %q is not a choice; use %s, %s", m.o.TokensIn, Inclusive, Exclusive)
	case len(m.o.Success) > 0 && len(m.o.Failure) > 0:
		return fmt.Errorf("failure: stands beside success; keep one of the two")
	case len(m.o.Success)+len(m.o.Failure) > 0 && !m.has(mapStatus):
		return fmt.Errorf("fields.status: is missing, although success or failure says what it means")
	}
	if len(m.key) == 0 {
		if m.key = []mappedField{mapAgentRequestID}; m.o.Side == ProviderSide {
			m.key = []mappedField{mapProviderRequestID}
		}
	}
	for _, f := range m.key {
		if !m.has(f) {
			return fmt.Errorf("key: %s is not mapped; say where it stands", mappedNames[f])
		}
	}
	return nil
}

// compile makes the specs of JSON records.
func (m *Mapped) compile() error {
	if m.o.Layout == LayoutCSV {
		if m.o.Records != "" {
			return fmt.Errorf("records: is for JSON; remove it")
		}
		if !slices.Contains([]string{"", ",", ";", "tab"}, m.o.Delimiter) {
			return fmt.Errorf("delimiter: %q is not a choice; use \",\", \";\", tab", m.o.Delimiter)
		}
		return nil
	}
	if m.o.Delimiter != "" {
		return fmt.Errorf("delimiter: is for CSV; remove it")
	}
	paths := make([]jsonscan.Path, len(m.columns))
	for i, pointer := range m.columns {
		path, err := parsePointer(pointer)
		if err != nil {
			return fmt.Errorf("fields: %q %w", pointer, err)
		}
		paths[i] = path
	}
	var err error
	if m.spec, err = jsonscan.Compile(paths); err != nil {
		return fmt.Errorf("fields: %w", err)
	}
	if m.o.Records == "" {
		return nil
	}
	path, err := parsePointer(m.o.Records)
	if err != nil {
		return fmt.Errorf("records: %q %w", m.o.Records, err)
	}
	if m.page, err = jsonscan.Compile([]jsonscan.Path{path}); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return nil
}

// parsePointer reads a JSON pointer (RFC 6901). Of a list it knows the first
// element, 0.
func parsePointer(text string) (path jsonscan.Path, err error) {
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil, fmt.Errorf("is not a JSON pointer; write /usage/input_tokens")
	}
	for _, key := range strings.Split(rest, "/") {
		key = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
		digits := key != "" && strings.Trim(key, "0123456789") == ""
		switch {
		case key == "" || strings.HasSuffix(key, "~"):
			return nil, fmt.Errorf("has a key that is empty or ends in ~, which can't be read")
		case key == "0":
			key = "[0]"
		case digits:
			return nil, fmt.Errorf("names element %s of a list; only the first one, 0, can be read", key)
		}
		path = append(path, key)
	}
	return path, nil
}

// Name implements Format.
func (*Mapped) Name() string { return MappedName }

// Schema implements Format.
func (m *Mapped) Schema() *record.Schema {
	if m.o.Side == ProviderSide {
		return record.UsageSchema
	}
	return record.RequestSchema
}

// Decoder implements Format.
func (m *Mapped) Decoder(env Env) Decoder {
	row := &mappedRow{Mapped: m, calendar: Calendar{zone: env.Zone}, namespace: []byte(MappedName)}
	switch {
	case m.o.Layout == LayoutCSV:
		return &mappedCSV{row: row, rows: newCSVRows(env.RecordBytes)}
	case m.page == nil:
		return newJSONDecoder(env, m.spec, row.take)
	}
	items := jsonscan.NewScanner(m.spec)
	return newJSONDecoder(env, m.page, func(v []jsonscan.Value, line int64, sink *Sink) error {
		if v[0].Kind != jsonscan.Array {
			return &FieldError{m.o.Records, "is no list of records"}
		}
		n := 0
		return jsonscan.Each(v[0].Raw, func(item []byte) error {
			n++
			_, err := items.Scan(item)
			if err == nil {
				err = row.take(items.Values, line, sink)
			}
			if err != nil {
				sink.Reject(line, fmt.Sprintf("record %d: %v", n, err))
			}
			return nil
		})
	})
}

// mappedCSV reads the columns of CSV as if they were fields.
type mappedCSV struct {
	row  *mappedRow
	rows *csvRows
}

// Decode implements Decoder.
func (d *mappedCSV) Decode(r io.Reader, sink *Sink) error {
	at := make([]int, len(d.row.columns))
	v := make([]jsonscan.Value, len(d.row.columns))
	switch d.row.o.Delimiter {
	case ";":
		d.rows.comma = ';'
	case "tab":
		d.rows.comma = '\t'
	}
	return d.rows.decode(r, sink, func(cells [][]byte) error {
		for i, name := range d.row.columns {
			at[i] = slices.IndexFunc(cells, func(cell []byte) bool { return strings.EqualFold(string(trim(cell)), name) })
		}
		return d.row.headed(at)
	}, func(cells [][]byte, line int64) error {
		for i, k := range at {
			v[i] = jsonscan.Value{}
			if k >= 0 {
				v[i] = jsonscan.Value{Kind: jsonscan.String, Raw: cells[k]}
			}
		}
		return d.row.take(v, line, sink)
	})
}

// headed refuses a table that lacks a column without which no row could count.
func (m *Mapped) headed(at []int) error {
	for _, f := range append(slices.Clone(m.key), mapStartedAt) {
		found := m.constant[f].Kind != jsonscan.Absent
		for _, i := range m.at[f] {
			found = found || at[i] >= 0
		}
		if !found {
			return fmt.Errorf("no column is %s; correct fields.%s, or deliver the file with its header", strings.Join(m.o.Fields[mappedNames[f]], " or "), mappedNames[f])
		}
	}
	return nil
}
