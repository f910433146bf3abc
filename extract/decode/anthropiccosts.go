package decode

import (
	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// NewAnthropicCosts reads what Anthropic bills: pages of
// /organizations/cost_report, whose amounts are decimal texts in cents, and the
// cost files of its console, in US dollars rounded to cents, with the display
// names of models. A figure is told by day, workspace, model, tier and token
// type; of two objects that tell the same the newer one counts, and rows of one
// object add up, also where they are alike in all but the amount.
func NewAnthropicCosts() Format {
	return &totalsFormat{name: AnthropicCostsName, pages: anthropicCostsPages, table: anthropicCostsTable}
}

// anthropicClasses are the token types of reports and of console files.
var anthropicClasses = map[string]string{
	"uncached_input_tokens": record.ClassInput, "cache_read_input_tokens": record.ClassCacheRead, "output_tokens": record.ClassOutput,
	"cache_creation.ephemeral_5m_input_tokens": record.ClassCacheWrite5m, "cache_creation.ephemeral_1h_input_tokens": record.ClassCacheWrite1h,

	"input_no_cache": record.ClassInput, "input_cache_read": record.ClassCacheRead, "output": record.ClassOutput, "input_cache_write": record.ClassCacheWriteUnknown,
	"input_cache_write_5m": record.ClassCacheWrite5m, "input_cache_write_1h": record.ClassCacheWrite1h,
}

// anthropicClass fills what is billed. A web search has no token type.
func (r *totalsReader) anthropicClass(cost, token jsonscan.Value) {
	kind, of := name(cost), name(token)
	class := anthropicClasses[string(of)]
	if string(kind) == "web_search" {
		class = record.ClassSearches
	}
	switch {
	case class != "":
		r.t.Class = classOf(class)
	case len(of) > 0:
		r.t.LineItem = of
	case len(kind) > 0:
		r.t.LineItem = kind
	default:
		r.t.LineItem = wordOf(allItems)
	}
}

func anthropicCostsPages(r *totalsReader) *pages {
	var want fields
	value, list, currency := want.one("amount"), want.one("list_amount"), want.one("currency")
	workspace, model, cost, token := want.one("workspace_id"), want.one("model"), want.one("cost_type"), want.one("token_type")
	tier, geo := want.one("service_tier"), want.one("inference_geo")
	return &pages{start: "starting_at", end: "ending_at", item: want.spec(), rows: r, provider: anthropicProvider,
		read: func(v []jsonscan.Value, _ *Sink) error {
			t := &r.t
			if missing(v[value]) {
				return &FieldError{"amount", "is missing; is this source really in the anthropic-costs format?"}
			}
			t.Project, t.Model, t.ServiceTier, t.Region = name(v[workspace]), name(v[model]), name(v[tier]), geography(v[geo])
			r.anthropicClass(v[cost], v[token])
			return r.billed(v[value], v[list], v[currency], cents, "amount", "list_amount", "currency")
		}}
}

func anthropicCostsTable(r *totalsReader) *table {
	t := &table{}
	date, model, value := t.needed("usage_date_utc"), t.needed("model"), t.needed("cost_usd")
	list, workspace, key := t.optional("list_price_usd"), t.optional("workspace"), t.optional("api_key")
	tier, geo := t.optional("usage_type"), t.optional("inference_geo")
	cost, token := t.optional("cost_type"), t.optional("token_type")
	t.row = func(v []jsonscan.Value, line int64, sink *Sink) error {
		to := r.begin(anthropicProvider, sink)
		if missing(v[value]) && missing(v[list]) { // no charge
			sink.Ignore()
			return nil
		}
		if err := r.day(v[date], "usage_date_utc"); err != nil {
			return err
		}
		to.Model, to.Project, to.Key = name(v[model]), name(v[workspace]), name(v[key])
		to.ServiceTier, to.Region = consoleTier(v[tier]), geography(v[geo])
		r.anthropicClass(v[cost], v[token])
		if err := r.billed(v[value], v[list], jsonscan.Value{}, dollars, "cost_usd", "list_price_usd", ""); err != nil {
			return err
		}
		sink.Total(&r.t, line)
		return nil
	}
	return t
}
