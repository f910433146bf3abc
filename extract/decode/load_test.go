package decode

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"chargeback/extract/record"
)

// null stands for a null in a loaded row.
const null = "(null)"

// loaded is what became of one object.
type loaded struct {
	rows    []map[string]string // by column name, dimensions resolved
	counts  Counts
	rejects []Reject
	err     error
}

// berlin is the billing zone of the tests, which start on 2025-01-01.
func berlin(t testing.TB) Env {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return Env{Zone: zone, Start: daysFromCivil(2025, 1, 1), RecordBytes: 1 << 20}
}

// load decodes text as an object of a format.
func load(env Env, format Format, text io.Reader) loaded {
	return loadFrom(env, format, Origin{ID: 42, Key: keyOf(format), Modified: time.Date(2026, time.November, 2, 3, 4, 5, 0, time.UTC)}, text)
}

// loadFrom decodes one object and resolves what its rows point to.
func loadFrom(env Env, format Format, object Origin, text io.Reader) loaded {
	var full []*record.Batch
	sink := NewSink(env, format.Schema(), func(b *record.Batch) *record.Batch {
		if b != nil {
			full = append(full, b)
		}
		return record.NewBatch(format.Schema())
	})
	sink.Begin(object)
	l := loaded{err: format.Decoder(env).Decode(text, sink)}
	l.counts, l.rejects = sink.End()
	sink.Flush()
	tuples := tuplesOf(sink.Dimensions())
	for _, b := range full {
		for row := range b.Rows {
			cells := map[string]string{}
			for i, c := range b.Schema.Columns {
				value := cell(b, i, row)
				if i > 0 && b.Schema.Columns[i-1].Type == record.ID {
					value = idAt(b, i-1, row)
				}
				tuple, points := tuples[strings.TrimSuffix(c.Name, "_id")+"s"][value]
				switch {
				case points:
					for name, v := range tuple {
						cells[name] = v
					}
				default:
					cells[c.Name] = value
				}
			}
			l.rows = append(l.rows, cells)
		}
	}
	return l
}

// keyOf is the key of the object that load reads.
func keyOf(format Format) string {
	if format.Name() == BedrockBatchName {
		return "results/job1a2b3c4d5/requests.jsonl.out"
	}
	return "fixture"
}

// tuplesOf gives the columns behind each id, by table and id.
func tuplesOf(d *record.Dimensions) map[string]map[string]map[string]string {
	tables := map[string]map[string]map[string]string{}
	for _, dimension := range d.All() {
		tuples := map[string]map[string]string{}
		dimension.New(nil, func(b *record.Batch) bool {
			for row := range b.Rows {
				cells := map[string]string{}
				for i, c := range b.Schema.Columns[1:] {
					cells[c.Name] = cell(b, i+1, row)
				}
				tuples[cell(b, 0, row)] = cells
			}
			return true
		})
		tables[dimension.Schema.Table] = tuples
	}
	return tables
}

// idAt is the id whose key is in a column.
func idAt(b *record.Batch, i, row int) string {
	if id := b.IDAt(i, row); id != "" {
		return id
	}
	return null
}

func cell(b *record.Batch, i, row int) string {
	if b.Cols[i].IsNull(row) {
		return null
	}
	switch b.Schema.Columns[i].Type {
	case record.Text:
		return b.TextAt(i, row)
	case record.ID:
		return b.Cols[i].Keys[row].String()
	case record.Bool:
		return fmt.Sprint(b.Cols[i].Ints[row] == 1)
	case record.Time:
		return time.UnixMicro(b.Cols[i].Ints[row]).UTC().Format("2006-01-02T15:04:05.999999Z")
	case record.Date:
		return time.Unix(b.Cols[i].Ints[row]*86400, 0).UTC().Format("2006-01-02")
	}
	return fmt.Sprint(b.Cols[i].Ints[row])
}

// columnsOf lists the columns of a format's rows in their order, those of
// dimensions in the place of their ids.
func columnsOf(format Format) []string {
	var names []string
	for _, c := range format.Schema().Columns {
		if c.Type == record.ID {
			continue // hashes, or what the ids behind them say
		}
		i := slices.IndexFunc(record.DimensionSchemas, func(s *record.Schema) bool { return s.Columns[0].Name == c.Name })
		if i < 0 {
			names = append(names, c.Name)
			continue
		}
		for _, d := range record.DimensionSchemas[i].Columns[1:] {
			names = append(names, d.Name)
		}
	}
	return names
}

// show tells field by field what was loaded. Fields that are null, zero or
// false are left out, as are hashes; of later rows only what differs from the
// first is told.
func (l loaded) show(format Format) string {
	var b strings.Builder
	for i, row := range l.rows {
		fmt.Fprintf(&b, "row of line %s%s\n", row["line"], []string{"", ", as the first but"}[min(i, 1)])
		for _, name := range columnsOf(format) {
			v := row[name]
			empty := v == null || v == "0" || v == "false"
			switch {
			case name == "record_key", name == "object_id", name == "line":
			case i > 0 && v == l.rows[0][name], i == 0 && empty:
			case empty:
				fmt.Fprintf(&b, "  %s: none\n", name)
			default:
				fmt.Fprintf(&b, "  %s: %s\n", name, v)
			}
		}
	}
	for _, r := range l.rejects {
		fmt.Fprintf(&b, "reject of line %d: %s\n", r.Line, r.Reason)
	}
	if l.counts.Ignored > 0 {
		fmt.Fprintf(&b, "of no concern: %d\n", l.counts.Ignored)
	}
	if l.counts.BeforeStart > 0 {
		fmt.Fprintf(&b, "before the start: %d\n", l.counts.BeforeStart)
	}
	if l.err != nil {
		fmt.Fprintf(&b, "error: %v\n", l.err)
	}
	return b.String()
}

// formats are those that every test of all formats takes, by the name of their
// folder in testdata.
func formats(t testing.TB) map[string]Format {
	return map[string]Format{
		"bedrock-batch":   bedrockBatch(t, batchOptions()),
		"openai-batch":    openaiBatch(t, BatchOptions{BatchDefaults: BatchDefaults{Account: "proj_example", CostCenter: "CC-1001"}}),
		"anthropic-batch": anthropicBatch(t, BatchOptions{BatchDefaults: BatchDefaults{Account: "wrkspc_example", AgentID: "nightly-summary"}}),
		"bedrock":         bedrock(t),
		"vertex":          must(NewVertex(labels()))(t),
		"gemini":          must(NewGemini(labels()))(t),
		"litellm":         litellm(t),
		"portkey":         portkey(t),
		"openrouter":      openrouter(t),
		"langfuse":        langfuse(t),
		"people":          People{},

		"scim":    snapshot(t, SCIMName),
		"entra":   snapshot(t, EntraName),
		"okta":    snapshot(t, OktaName),
		"workday": snapshot(t, WorkdayName),
		"google":  snapshot(t, GoogleName),

		"mapped-json":     must(NewMapped(mappedJSON(t)))(t),
		"mapped-csv":      must(NewMapped(mappedTable()))(t),
		"mapped-provider": must(NewMapped(mappedProvider(t)))(t),

		"otlp":          otlp(t, AgentSide),
		"otlp-provider": otlp(t, ProviderSide),

		"openai_usage":    NewOpenAIUsage(),
		"openai_costs":    NewOpenAICosts(),
		"anthropic_usage": NewAnthropicUsage(),
		"anthropic_costs": NewAnthropicCosts(),
		"aws_cur":         NewCUR(),
		"focus":           NewFOCUS(),
	}
}

// must gives a format that compiles.
func must[F Format](f F, err error) func(testing.TB) Format {
	return func(t testing.TB) Format {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
}

func snapshot(t testing.TB, name string) *Snapshot {
	t.Helper()
	f, err := NewSnapshot(name, PersonOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func bedrock(t testing.TB) *Bedrock {
	t.Helper()
	f, err := NewBedrock(BedrockOptions{ClientRef: []string{"litellm_call_id", "client_ref"}, CostCenter: []string{"cost_center"}, AgentID: []string{"agent_id"}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func labels() VertexOptions {
	return VertexOptions{ClientRef: []string{"client_ref"}, CostCenter: []string{"cost_center", "team"}, AgentID: []string{"agent_id"}}
}

func litellm(t testing.TB) *LiteLLM {
	t.Helper()
	f, err := NewLiteLLM(RequestOptions{
		AgentID:    []string{"metadata.spend_logs_metadata.agent_id", "metadata.requester_metadata.agent_id"},
		ToolCalls:  []string{"metadata.spend_logs_metadata.tool_calls"},
		CostCenter: []string{"metadata.spend_logs_metadata.cost_center", "metadata.requester_metadata.cost_center"},
		ClientRef:  []string{"metadata.spend_logs_metadata.client_ref"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func portkey(t testing.TB) *Portkey {
	t.Helper()
	f, err := NewPortkey(PortkeyOptions{
		RequestOptions: RequestOptions{AgentID: []string{"agent_id"}, ToolCalls: []string{"tool_calls"}, CostCenter: []string{"cost_center", "cc"}, ClientRef: []string{"request_id"}},
		EndUser:        []string{"customer"},
		Team:           []string{"team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func openrouter(t testing.TB) *OpenRouter {
	t.Helper()
	f, err := NewOpenRouter(OpenRouterOptions{
		RequestOptions: RequestOptions{AgentID: []string{"metadata.agent_id"}, ToolCalls: []string{"metadata.tool_calls"}, CostCenter: []string{"metadata.cost_center"}, ClientRef: []string{"metadata.client_ref"}},
		EndUser:        []string{"metadata.customer"},
		Team:           []string{"metadata.team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func langfuse(t testing.TB) *Langfuse {
	t.Helper()
	f, err := NewLangfuse(LangfuseOptions{
		RequestOptions:    RequestOptions{AgentID: []string{"metadata.agent_id", "name"}, ToolCalls: []string{"tool_call_names"}, CostCenter: []string{"metadata.cost_center"}, ClientRef: []string{"metadata.client_ref"}},
		ProviderRequestID: []string{"metadata.request_id"},
		ResponseID:        []string{"metadata.response.id", "metadata.response_id"},
		Provider:          []string{"metadata.provider"},
		UserEmail:         []string{"metadata.email"},
		EndUser:           []string{"metadata.customer"},
		Team:              []string{"metadata.team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func otlp(t testing.TB, side string) *OTLP {
	t.Helper()
	agent := []string{"app.agent"}
	if side == AgentSide {
		agent = append(agent, "gen_ai.agent.id", "gen_ai.agent.name", "service.name")
	}
	f, err := NewOTLP(OTLPOptions{
		Side: side,
		RequestOptions: RequestOptions{
			AgentID:    agent,
			ToolCalls:  []string{"app.tools"},
			CostCenter: []string{"app.cost_center"},
			ClientRef:  []string{"app.request"},
		},
		Operations: []string{"responses", "my.model.call", "my.answer"},
		Parents:    []string{"my.sum", "my.total"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
