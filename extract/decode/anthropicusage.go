package decode

import (
	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

const anthropicProvider = "anthropic"

// NewAnthropicUsage reads what Anthropic's usage report counts (pages of
// /organizations/usage_report/messages) and the token files of its console. All
// its counts are disjoint. A figure is told by bucket, workspace, key, model,
// tier and the rest of what it was grouped by; of two objects that tell the same
// the newer one counts, and rows of one object add up.
func NewAnthropicUsage() Format {
	return &totalsFormat{name: AnthropicUsageName, pages: anthropicUsagePages, table: anthropicUsageTable}
}

// anthropicCount is a count with the field that has it.
type anthropicCount struct {
	at                 int
	field, class, unit string
}

func anthropicUsagePages(r *totalsReader) *pages {
	var want fields
	workspace, key, model := want.one("workspace_id"), want.one("api_key_id"), want.one("model")
	tier, geo := want.one("service_tier"), want.one("inference_geo")
	account, service := want.one("account_id"), want.one("service_account_id")
	var counts []anthropicCount
	for _, c := range [][3]string{
		{"uncached_input_tokens", record.ClassInput, unitTokens}, {"cache_read_input_tokens", record.ClassCacheRead, unitTokens},
		{"cache_creation.ephemeral_5m_input_tokens", record.ClassCacheWrite5m, unitTokens}, {"cache_creation.ephemeral_1h_input_tokens", record.ClassCacheWrite1h, unitTokens},
		{"output_tokens", record.ClassOutput, unitTokens}, {"server_tool_use.web_search_requests", record.ClassSearches, unitSearches},
	} {
		counts = append(counts, anthropicCount{want.one(c[0]), c[0], c[1], c[2]})
	}
	return &pages{start: "starting_at", end: "ending_at", item: want.spec(), rows: r, provider: anthropicProvider,
		read: func(v []jsonscan.Value, _ *Sink) error {
			t := &r.t
			t.Project, t.Key, t.Model = name(v[workspace]), name(v[key]), name(v[model])
			t.ServiceTier, t.Region = name(v[tier]), geography(v[geo])
			t.Principal = firstName(v, []int{service, account})
			return r.anthropicCounts(v, counts)
		}}
}

// geography is where an answer was computed, where that is told.
func geography(v jsonscan.Value) []byte {
	if s := name(v); string(s) != "not_available" {
		return s
	}
	return nil
}

// anthropicCounts notes the counts of one result. Those of input and output must
// be there.
func (r *totalsReader) anthropicCounts(v []jsonscan.Value, counts []anthropicCount) error {
	for _, c := range counts {
		switch {
		case !missing(v[c.at]):
			n, err := quantity(v[c.at], c.field)
			if err != nil {
				return err
			}
			r.count(c.class, c.unit, n)
		case c.class == record.ClassInput, c.class == record.ClassOutput:
			return &FieldError{c.field, "is missing"}
		}
	}
	return nil
}

func anthropicUsageTable(r *totalsReader) *table {
	t := &table{}
	date, model := t.needed("usage_date_utc"), t.needed("model_version", "model")
	workspace, key := t.optional("workspace"), t.optional("api_key")
	tier, geo := t.optional("usage_type"), t.optional("inference_geo")
	counts := []anthropicCount{
		{t.needed("usage_input_tokens_no_cache"), "usage_input_tokens_no_cache", record.ClassInput, unitTokens},
		{t.optional("usage_input_tokens_cache_read"), "usage_input_tokens_cache_read", record.ClassCacheRead, unitTokens},
		{t.optional("usage_input_tokens_cache_write"), "usage_input_tokens_cache_write", record.ClassCacheWriteUnknown, unitTokens},
		{t.optional("usage_input_tokens_cache_write_5m"), "usage_input_tokens_cache_write_5m", record.ClassCacheWrite5m, unitTokens},
		{t.optional("usage_input_tokens_cache_write_1h"), "usage_input_tokens_cache_write_1h", record.ClassCacheWrite1h, unitTokens},
		{t.needed("usage_output_tokens"), "usage_output_tokens", record.ClassOutput, unitTokens},
		{t.optional("web_search_count"), "web_search_count", record.ClassSearches, unitSearches},
	}
	t.row = func(v []jsonscan.Value, line int64, sink *Sink) error {
		to := r.begin(anthropicProvider, sink)
		if err := r.day(v[date], "usage_date_utc"); err != nil {
			return err
		}
		to.Model, to.Project, to.Key = name(v[model]), name(v[workspace]), name(v[key])
		to.ServiceTier, to.Region = consoleTier(v[tier]), geography(v[geo])
		if err := r.anthropicCounts(v, counts); err != nil {
			return err
		}
		r.emit(line, sink)
		return nil
	}
	return t
}

// consoleTier is the service tier of a console file: what one kind of them calls
// message is standard in the other.
func consoleTier(v jsonscan.Value) []byte {
	if s := name(v); string(s) != "message" {
		return s
	}
	return []byte("standard")
}
