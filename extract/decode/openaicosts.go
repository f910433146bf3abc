package decode

import (
	"bytes"

	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// NewOpenAICosts reads what OpenAI bills: pages of /organization/costs, whose
// amounts are US dollars printed as binary fractions, and the cost files of its
// dashboard, in which an empty amount is no charge. A figure is told by day,
// project, key and line item; of two objects that tell the same the newer one
// counts, and rows of one object add up.
func NewOpenAICosts() Format {
	return &totalsFormat{name: OpenAICostsName, pages: openAICostsPages, table: openAICostsTable}
}

// openAICosts are the places of a cost's fields.
type openAICosts struct {
	value, currency, item, project, key, quantity, unit, user, organization int
	amountField, currencyField                                              string
}

func openAICostsPages(r *totalsReader) *pages {
	var want fields
	f := openAICosts{
		value: want.one("amount.value"), currency: want.one("amount.currency"), item: want.one("line_item"), project: want.one("project_id"),
		key: want.one("api_key_id"), quantity: want.one("quantity"), unit: want.one("quantity_unit"), user: want.one("user_id"), organization: want.one("organization_id"),
		amountField: "amount.value", currencyField: "amount.currency",
	}
	return &pages{start: "start_time", end: "end_time", item: want.spec(), rows: r, provider: openAIProvider,
		read: func(v []jsonscan.Value, _ *Sink) error {
			if missing(v[f.value]) {
				return &FieldError{"amount.value", "is missing; is this source really in the openai-costs format?"}
			}
			return f.read(v, r)
		}}
}

func openAICostsTable(r *totalsReader) *table {
	t := &table{}
	start, end := t.needed("start_time"), t.needed("end_time")
	f := openAICosts{
		value: t.needed("amount_value"), currency: t.optional("amount_currency"), item: t.optional("line_item"), project: t.optional("project_id"),
		key: t.optional("api_key_id"), quantity: t.optional("quantity"), unit: t.optional("quantity_unit"), user: t.optional("user_id"), organization: t.optional("organization_id"),
		amountField: "amount_value", currencyField: "amount_currency",
	}
	t.row = func(v []jsonscan.Value, line int64, sink *Sink) error {
		r.begin(openAIProvider, sink)
		if missing(v[f.value]) { // no charge
			sink.Ignore()
			return nil
		}
		if err := r.bucket(epochSeconds(v[start]), epochSeconds(v[end]), "start_time", "end_time"); err != nil {
			return err
		}
		if err := f.read(v, r); err != nil {
			return err
		}
		sink.Total(&r.t, line)
		return nil
	}
	return t
}

func (f *openAICosts) read(v []jsonscan.Value, r *totalsReader) error {
	t := &r.t
	t.Project, t.Key, t.Principal, t.Account = name(v[f.project]), name(v[f.key]), name(v[f.user]), name(v[f.organization])
	if err := r.billed(v[f.value], jsonscan.Value{}, v[f.currency], dollars, f.amountField, "", f.currencyField); err != nil {
		return err
	}
	item := name(v[f.item])
	if model, class := openAILine(item); class != "" {
		t.Model, t.Class = model, classOf(class)
	} else if t.LineItem = item; len(item) == 0 {
		t.LineItem = wordOf(allItems)
	}
	if missing(v[f.quantity]) {
		return nil
	}
	places := 0
	switch unit := name(v[f.unit]); {
	case string(unit) == "1000_tokens":
		places, t.Unit = 3, wordOf(unitTokens)
	default:
		t.Unit = unit
	}
	n, exact := scaled(v[f.quantity].Raw, places)
	if v[f.quantity].Kind != jsonscan.Number && v[f.quantity].Kind != jsonscan.String {
		return &FieldError{"quantity", "is not a number"}
	}
	if exact || n != 0 && places > 0 {
		t.Quantity, t.HasQuantity = n, true
	}
	return nil
}

// openAIClasses are the words behind the model in a line item.
var openAIClasses = map[string]string{
	"input": record.ClassInput, "output": record.ClassOutput, "cached input": record.ClassCacheRead, "cache write": record.ClassCacheWriteUnknown, "cache writes": record.ClassCacheWriteUnknown,
	"audio input": record.ClassInputAudio, "audio output": record.ClassOutputAudio, "cached audio input": record.ClassCacheReadAudio,
	"image input": record.ClassInputImage, "image output": record.ClassOutputImage,
	"text input": record.ClassInput, "text output": record.ClassOutput, "cached text input": record.ClassCacheRead,
}

// openAILine splits a line item such as "gpt-4o-2024-08-06, cached input" into
// model and token class; class is "" where it says something else.
func openAILine(item []byte) (model []byte, class string) {
	comma := bytes.LastIndexByte(item, ',')
	if comma < 1 {
		return nil, ""
	}
	class = openAIClasses[string(bytes.ToLower(bytes.TrimSpace(item[comma+1:])))]
	return bytes.TrimSpace(item[:comma]), class
}
