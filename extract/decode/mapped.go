package decode

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// MappedOptions says which of the fields of records of one's own is which. In the
// settings it is the block mapped of a source; errors name its keys.
type MappedOptions struct {
	Side        string                       // ProviderSide or AgentSide
	Layout      string                       // LayoutJSON or LayoutCSV
	Delimiter   string                       // of CSV: "," ";" or "tab"
	Records     string                       // JSON pointer to the list of records in a page, such as /data; "" where records stand alone
	Fields      map[string][]Place           // where a field is; the first that a record has counts
	Constants   map[string]string            // what a field is in every record
	Only        map[string][]string          // words by place: records that hold none of them are of no concern
	Except      map[string][]string          // words by place: records that hold one of them are of no concern
	Words       map[string]map[string]string // by field: what a word of the records is in ours; others stay
	Null        []string                     // texts that stand for nothing, besides "", NA, N/A, None and null
	TokensIn    string                       // Inclusive or Exclusive: whether input_tokens hold those of the prompt cache
	ReasoningIn string                       // InOutput or BesidesOutput: whether output_tokens hold those of reasoning; "" for InOutput, unless a total tells otherwise
	TokenUnit   string                       // UnitTokens or UnitThousands
	CostUnit    string                       // UnitUSD, UnitCents or UnitMicros
	Time        string                       // one of TimeFormats, or a pattern such as M/d/yyyy h:mm:ss a
	Zone        *time.Location               // of times that name none
	Success     []string                     // texts of status; others are failures
	Failure     []string                     // or texts that are failures; others are not
	CacheHit    []string                     // texts of cache_hit that mean yes, besides true
	Key         []string                     // fields that name a record; none: the request's id
}

// The words of MappedOptions.
const (
	LayoutJSON    = "json"
	LayoutCSV     = "csv"
	Inclusive     = "inclusive"
	Exclusive     = "exclusive"
	InOutput      = "output"
	BesidesOutput = "besides"
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
	mapTotal
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
	mapOperation
	// Only of the provider's side.
	mapAccount
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
	"cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "total_tokens", "input_audio_tokens", "input_image_tokens", "cache_read_audio_tokens",
	"output_audio_tokens", "output_image_tokens", "searches", "agent_id", "cost_center", "status", "error_code", "operation",
	"account", "caller",
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

// numeric says whether a field is a number, so that places may add up to it.
func (f mappedField) numeric() bool { return f >= mapInput && f <= mapSearches || f == mapReportedCost }

// informs says that a field decides neither who pays nor when, what and how much:
// where it can't be read it is null, and the record counts.
func (f mappedField) informs() bool {
	switch f {
	case mapTotal, mapErrorCode, mapOperation, mapTraceID, mapEndedAt, mapEndUser, mapToolCalls, mapReportedCost:
		return true
	}
	return false
}

// names says that a field is an id or a time: a part of a key that is missing
// leaves the record without a name, where a missing owner is an owner like others.
func (f mappedField) names() bool {
	switch f {
	case mapAgentRequestID, mapProviderRequestID, mapResponseID, mapClientRef, mapTraceID, mapStartedAt:
		return true
	}
	return false
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
	places    mappedPlaces
	at        [mappedFields][]sum // places in scanned values
	mapped    []mappedField       // those that have places
	constant  [mappedFields]jsonscan.Value
	words     [mappedFields]map[string]jsonscan.Value // in lower case
	filter    []mappedFilter
	decides   []bool // by text of places: whether it holds more than what informs
	key       []mappedField
	page      *jsonscan.Spec // of what holds the list of records; nil where they stand alone
	nullWords map[string]bool
}

// sum are places that add up; of all but numbers it is one.
type sum []int

// NewMapped checks and compiles a map of fields.
func NewMapped(o MappedOptions) (*Mapped, error) {
	m := &Mapped{o: o, nullWords: map[string]bool{}, places: mappedPlaces{csv: o.Layout == LayoutCSV}}
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
	for _, step := range []func() error{m.place, m.filters, m.translations, m.complete, m.named, m.compile} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// known is the field of a name.
func (m *Mapped) known(kind, name string) (mappedField, error) {
	i := slices.Index(mappedNames[:], name)
	if i < 0 || !mappedField(i).of(m.o.Side) {
		return 0, fmt.Errorf("%s.%s: is no field of the %s's side; use %s", kind, name, m.o.Side, strings.Join(MappedFields(m.o.Side), ", "))
	}
	return mappedField(i), nil
}

// place puts the fields and constants of the options where they belong.
func (m *Mapped) place() error {
	for name, value := range m.o.Constants {
		f, err := m.known("constants", name)
		if err != nil {
			return err
		}
		if len(m.o.Fields[name]) > 0 {
			return fmt.Errorf("constants.%s: stands under fields, too; keep one of the two", name)
		}
		m.constant[f] = jsonscan.Value{Kind: jsonscan.String, Raw: []byte(value)}
	}
	for _, name := range slices.Sorted(maps.Keys(m.o.Fields)) {
		f, err := m.known("fields", name)
		if err != nil {
			return err
		}
		for _, place := range m.o.Fields[name] {
			if len(place) > 1 && !f.numeric() {
				return fmt.Errorf("fields.%s: is no number, so places can't add up to it; write them without the inner brackets, and the first that a record has counts", name)
			}
			if len(place) == 0 {
				return fmt.Errorf("fields.%s: has an empty place; write a JSON pointer such as /id, or a column", name)
			}
			var add sum
			for _, part := range place {
				i, err := m.places.index(part)
				if err != nil {
					return fmt.Errorf("fields.%s: %w", name, err)
				}
				if slices.Contains(add, i) {
					return fmt.Errorf("fields.%s: adds %q up twice; remove one", name, part)
				}
				add = append(add, i)
			}
			m.at[f] = append(m.at[f], add)
		}
		if len(m.at[f]) > 0 {
			m.mapped = append(m.mapped, f)
		}
	}
	return nil
}

func (m *Mapped) has(f mappedField) bool {
	return len(m.at[f]) > 0 || m.constant[f].Kind != jsonscan.Absent
}

// complete refuses a map without which records could not be charged.
func (m *Mapped) complete() error {
	needed := []mappedField{mapStartedAt}
	if m.o.Side == ProviderSide {
		needed = []mappedField{mapStartedAt, mapProvider, mapModel, mapInput}
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
		return fmt.Errorf("failure: cannot be combined with success; keep one of the two")
	case len(m.o.Success)+len(m.o.Failure) > 0 && !m.has(mapStatus):
		return fmt.Errorf("fields.status: is missing, although success or failure says what it means; say where it stands")
	}
	return m.reasoning()
}

// reasoning checks where reasoning tokens are counted.
func (m *Mapped) reasoning() error {
	switch {
	case m.o.ReasoningIn == "":
		return nil
	case m.o.ReasoningIn != InOutput && m.o.ReasoningIn != BesidesOutput:
		return fmt.Errorf("reasoning_in: %q is not one of %s, %s", m.o.ReasoningIn, InOutput, BesidesOutput)
	case !m.has(mapReasoning):
		return fmt.Errorf("reasoning_in: is set, although fields.reasoning_tokens is missing; say where they stand, or remove it")
	}
	for _, output := range m.at[mapOutput] {
		for _, reasoning := range m.at[mapReasoning] {
			both := slices.ContainsFunc(output, func(i int) bool { return slices.Contains(reasoning, i) })
			if both && m.o.ReasoningIn == BesidesOutput {
				return fmt.Errorf("reasoning_in: %s would count reasoning twice, since fields.output_tokens adds up its place, too; write %s", BesidesOutput, InOutput)
			}
		}
	}
	return nil
}

// named finds what names a record: the fields of key, else the request's id. A
// record without an id of its own has one made of its key.
func (m *Mapped) named() error {
	id := m.id()
	for i, name := range m.o.Key {
		f, err := m.known(fmt.Sprintf("key[%d]", i), name)
		switch {
		case err != nil:
			return err
		case slices.Contains(m.key, f):
			return fmt.Errorf("key[%d]: %s is listed twice; remove one", i, name)
		case !m.has(f):
			return fmt.Errorf("key[%d]: %s is not mapped; say under fields where it stands", i, name)
		}
		m.key = append(m.key, f)
	}
	switch {
	case len(m.key) > 0:
		return nil
	case !m.has(id):
		return fmt.Errorf("fields.%s: is missing; say where it stands, or name under key the fields that together name a record, such as [started_at, user_id, model]", mappedNames[id])
	}
	m.key = []mappedField{id}
	return nil
}

// id is the field of the request's own id.
func (m *Mapped) id() mappedField {
	if m.o.Side == ProviderSide {
		return mapProviderRequestID
	}
	return mapAgentRequestID
}

// compile makes the specs of JSON records.
func (m *Mapped) compile() error {
	if err := m.places.compile(); err != nil {
		return fmt.Errorf("fields: %w", err)
	}
	m.decisive()
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

// decisive says of each text of places whether a record is wrong where it is.
func (m *Mapped) decisive() {
	matters := map[int]bool{}
	for _, f := range m.filter {
		matters[f.at] = true
	}
	for f := range mappedFields {
		for _, places := range m.at[f] {
			for _, i := range places {
				matters[i] = matters[i] || !f.informs()
			}
		}
	}
	for _, text := range m.places.texts {
		m.decides = append(m.decides, slices.ContainsFunc(text.to, func(i int) bool { return matters[i] }))
	}
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
	row := &mappedRow{Mapped: m, v: m.constant, calendar: Calendar{zone: env.Zone}, namespace: []byte(MappedName), texts: textReaders(m.places.texts)}
	if m.clock.days { // the record itself names its day
		row.calendar.zone = m.clock.zone
	}
	switch {
	case m.o.Layout == LayoutCSV:
		return &mappedCSV{row: row, rows: newCSVRows(env.RecordBytes)}
	case m.page == nil:
		return newJSONDecoder(env, m.places.spec, row.take)
	}
	items := jsonscan.NewScanner(m.places.spec)
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
	var at []int
	v := make([]jsonscan.Value, len(d.row.places.paths))
	switch d.row.o.Delimiter {
	case ";":
		d.rows.comma = ';'
	case "tab":
		d.rows.comma = '\t'
	}
	return d.rows.decode(r, sink, func(titles [][]byte) error {
		at, d.row.direct = d.row.places.columns(titles)
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
	found := func(places ...int) bool {
		return slices.ContainsFunc(places, func(i int) bool { return m.places.found(i, at) })
	}
	for _, f := range append(slices.Clone(m.key), mapStartedAt) {
		if m.constant[f].Kind == jsonscan.Absent && !slices.ContainsFunc(m.at[f], func(places sum) bool { return found(places...) }) {
			var names []string
			for _, place := range m.o.Fields[mappedNames[f]] {
				names = append(names, place...)
			}
			return fmt.Errorf("no column is %s; correct fields.%s, or deliver the file with its header", strings.Join(names, " or "), mappedNames[f])
		}
	}
	for _, f := range m.filter {
		if !found(f.at) {
			return fmt.Errorf("no column is %s; correct only and except, or deliver the file with its header", m.places.names[f.at])
		}
	}
	return nil
}
