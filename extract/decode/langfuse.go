package decode

import (
	"bytes"
	"fmt"
	"strings"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// LangfuseOptions names places in an observation: a column, such as
// tool_call_names, or metadata.KEY and what lies below it. Langfuse has no fields
// for the ids of providers, so they are found only where the application put them
// into the metadata. In each list the first that is present counts.
type LangfuseOptions struct {
	RequestOptions
	ProviderRequestID []string
	ResponseID        []string
	Provider          []string // none: metadata.ls_provider, which LangChain writes; else the prefix of the model's name
	UserEmail         []string
	EndUser           []string
	Team              []string
	Project           []string // none: the project's id
	// TokensIn, Inclusive or Exclusive, says whether input holds what was read
	// from and written to the prompt cache. Empty: each row's total tells it.
	TokensIn string
}

// Langfuse reads Langfuse's export of the tables observations and
// observations_v2 as JSON, JSON lines or CSV, told by the first character, with
// its columns in snake or camel case. A row is a generation or an embedding;
// spans, events and all else that an observation can be are of no concern.
// Natural key: project and id, so that rows which two windows share are one. Of
// several versions of an observation the one with tokens wins, because an
// observation gets its usage when it ends; two finished ones that differ are a
// conflict. Counts are disjoint as usageDetails says.
type Langfuse struct {
	spec    *jsonscan.Spec
	columns []string // of each wanted field: the column that it is, or ""
	f       langfuseFields
	texts   []textFields

	tokensIn string
}

type langfuseFields struct {
	id, trace, project, kind, started, ended, level, model []int
	usage, promptTokens, completionTokens, cost            []int
	userID, session, tier, speed, region                   []int
	providerRequestID, responseID, provider                []int
	userEmail, endUser, team, projectName                  []int
	options                                                optionFields
}

// langfuseTexts are the columns that are JSON text in CSV.
var langfuseTexts = []string{"metadata", "model_parameters", "modelParameters", "usage_details", "usageDetails", "usage", "cost_details", "costDetails"}

// NewLangfuse compiles the format.
func NewLangfuse(o LangfuseOptions) (*Langfuse, error) {
	if o.TokensIn != "" && o.TokensIn != Inclusive && o.TokensIn != Exclusive {
		return nil, fmt.Errorf("tokens_in: %q is not one of %s, %s", o.TokensIn, Inclusive, Exclusive)
	}
	if len(o.Provider) == 0 {
		o.Provider = []string{"metadata.ls_provider"}
	}
	parameter := func(name string) []string { return []string{"model_parameters." + name, "modelParameters." + name} }
	var want fields
	var err error
	place := func(dotted []string) []int {
		for _, d := range dotted {
			if strings.Contains(d, ".") && !strings.HasPrefix(d, "metadata.") && err == nil {
				err = fmt.Errorf("path %q: is neither a column nor below metadata; write metadata.KEY", d)
			}
		}
		return want.first(dotted...)
	}
	f := langfuseFields{
		id:                want.first("id"),
		trace:             want.first("trace_id", "traceId"),
		project:           want.first("project_id", "projectId"),
		kind:              want.first("type"),
		started:           want.first("start_time", "startTime"),
		ended:             want.first("end_time", "endTime"),
		level:             want.first("level"),
		model:             want.first("provided_model_name", "providedModelName", "model"),
		usage:             want.first("usage_details", "usageDetails", "usage"),
		promptTokens:      want.first("promptTokens", "prompt_tokens", "inputUsage", "input_usage"),
		completionTokens:  want.first("completionTokens", "completion_tokens", "outputUsage", "output_usage"),
		cost:              want.first("total_cost", "totalCost", "calculatedTotalCost", "cost_details.total", "costDetails.total"),
		userID:            want.first("user_id", "userId"),
		session:           want.first("session_id", "sessionId"),
		tier:              want.first(parameter("service_tier")...),
		speed:             want.first(parameter("speed")...),
		region:            want.first(parameter("inference_geo")...),
		providerRequestID: place(o.ProviderRequestID),
		responseID:        place(o.ResponseID),
		provider:          place(o.Provider),
		userEmail:         place(o.UserEmail),
		endUser:           place(o.EndUser),
		team:              place(o.Team),
		projectName:       place(o.Project),
		options:           optionFields{place(o.AgentID), place(o.ToolCalls), place(o.CostCenter), place(o.ClientRef)},
	}
	if err != nil {
		return nil, err
	}
	spec, texts, err := want.compile(langfuseTexts...)
	if err != nil {
		return nil, err
	}
	return &Langfuse{spec: spec, f: f, texts: texts, columns: want.columns(), tokensIn: o.TokensIn}, nil
}

// Name implements Format.
func (*Langfuse) Name() string { return LangfuseName }

// Schema implements Format.
func (*Langfuse) Schema() *record.Schema { return record.RequestSchema }

// langfuseDecoder is what one worker reads with.
type langfuseDecoder struct {
	*Langfuse
	calendar Calendar
	texts    []textReader
	r        record.Request
	tools    toolReader
	names    []byte
	details  usageDetails
	scratch  []byte
}

// Decoder implements Format.
func (l *Langfuse) Decoder(env Env) Decoder {
	d := &langfuseDecoder{Langfuse: l, calendar: Calendar{zone: env.Zone}, texts: textReaders(l.texts)}
	return newEitherDecoder(env, l.spec, l.columns, columnsNeeded{[][]int{l.f.id, l.f.kind, l.f.started}, "is this Langfuse's table of observations?"}, d.record)
}

func (d *langfuseDecoder) record(v []jsonscan.Value, line int64, sink *Sink) error {
	f, r := &d.f, &d.r
	switch kind := firstName(v, f.kind); {
	case len(kind) == 0:
		return &FieldError{"type", "is missing; is this Langfuse's table of observations?"}
	case !isModelCall(kind):
		sink.Ignore()
		return nil
	}
	if err := fillAll(d.texts, v); err != nil {
		return err
	}
	*r = record.Request{Completeness: 2}
	d.toolNames(v)
	if err := f.options.read(v, &d.tools, r); err != nil {
		return err
	}
	if r.AgentRequestID = firstID(v, f.id); len(r.AgentRequestID) == 0 {
		return &FieldError{"id", "is missing"}
	}
	if err := d.times(v); err != nil {
		return err
	}
	d.who(v)
	var err error
	if r.ReportedPico, r.HasReported, err = picoUSD(firstPresent(v, f.cost), "total_cost"); err != nil {
		return err
	}
	told, err := d.tokens(v)
	if err != nil {
		return err
	}
	switch counted := told || r.Tokens.InputUncached+r.Tokens.CacheRead+r.Tokens.Output > 0; {
	case r.Tokens.Output == 0 && bytes.EqualFold(firstName(v, f.level), []byte("ERROR")):
		r.Failed, r.Completeness = true, 0
	case !counted:
		r.Completeness = 1
	}
	r.Key = recordKey(&d.scratch, []byte(LangfuseName), firstID(v, f.project), r.AgentRequestID)
	r.Date = d.calendar.Date(r.StartedAt)
	sink.Request(r, line)
	return nil
}

// toolNames lets a list of tools that is text, as in CSV, be a list.
func (d *langfuseDecoder) toolNames(v []jsonscan.Value) {
	for _, i := range d.f.options.toolCalls {
		raw := trim(v[i].Raw)
		if v[i].Kind != jsonscan.String || len(raw) == 0 || raw[0] != '[' && raw[0] != '{' {
			continue
		}
		d.names = v[i].AppendText(d.names[:0])
		if bytes.IndexByte(d.names, '"') < 0 { // ClickHouse puts single quotes around texts in lists
			for k, c := range d.names {
				if c == '\'' {
					d.names[k] = '"'
				}
			}
		}
		v[i], _ = jsonscan.ValueOf(d.names) // what is no list after all is no tool call either
	}
}

func (d *langfuseDecoder) times(v []jsonscan.Value) (err error) {
	f, r := &d.f, &d.r
	if r.StartedAt, err = instant(firstPresent(v, f.started), "start_time"); err != nil {
		return err
	}
	if ended := firstPresent(v, f.ended); !missing(ended) {
		if r.EndedAt, err = instant(ended, "end_time"); err != nil {
			return err
		}
		r.HasEnded = true
	}
	return nil
}

// who fills ids and names.
func (d *langfuseDecoder) who(v []jsonscan.Value) {
	f, r := &d.f, &d.r
	r.ProviderRequestID, r.ResponseID = firstID(v, f.providerRequestID), firstID(v, f.responseID)
	if r.TraceID = firstID(v, f.trace); len(r.TraceID) == 0 {
		r.TraceID = firstID(v, f.session)
	}
	if r.Model = firstName(v, f.model); len(r.Model) == 0 {
		r.Model = unknown
	}
	r.Provider = provider(firstName(v, f.provider), r.Model)
	r.UserID, r.UserEmail = email(firstName(v, f.userID)), email(firstName(v, f.userEmail))
	if bytes.Equal(r.UserEmail, r.UserID) {
		r.UserEmail = nil
	}
	r.EndUser, r.Team, r.Project = firstName(v, f.endUser), firstName(v, f.team), firstName(v, f.projectName)
	if len(r.Project) == 0 {
		r.Project = firstName(v, f.project)
	}
}

// tokens reads the usage by type, or the two counts of old versions, which are 0
// where nobody told them. told says that usage by type has both counts,
// also where they are 0.
func (d *langfuseDecoder) tokens(v []jsonscan.Value) (told bool, err error) {
	f, r, t, u := &d.f, &d.r, &d.r.Tokens, &d.details
	r.ServiceTier, r.Region = servedTier(firstName(v, f.tier), firstName(v, f.speed)), geography(firstPresent(v, f.region))
	for _, i := range f.usage {
		if v[i].Kind != jsonscan.Object {
			continue
		}
		if err := u.read(v[i].Raw); err != nil {
			return false, err
		}
		if tier := servedTier(u.tier, u.speed); len(tier) > 0 {
			r.ServiceTier = tier
		}
		if len(u.region) > 0 {
			r.Region = u.region
		}
		if found, err := u.tokens(d.tokensIn, t); found || err != nil {
			return u.toldZero(), err
		}
	}
	if t.InputUncached, err = whole(firstPresent(v, f.promptTokens), "promptTokens"); err != nil {
		return false, err
	}
	t.Output, err = whole(firstPresent(v, f.completionTokens), "completionTokens")
	return false, err
}
