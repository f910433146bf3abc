package decode

import "chargeback/extract/decode/jsonscan"

// NewCUR reads the lines of an AWS cost and usage report (CUR 2.0), CSV or
// Parquet, that are about Bedrock: its own models, those of the Marketplace, and
// what else Bedrock bills. A month is replaced as a whole; within it all lines
// add up. Its quantities are in the unit that pricing_unit or the description
// names; where neither names one the quantity is not known.
func NewCUR() Format { return &billFormat{totalsFormat{name: CURName, table: curTable, parquet: true}} }

func curTable(r *totalsReader) *table {
	t := &table{}
	service, product := t.needed("line_item_product_code"), t.mapped("product_name", "product")
	usage := t.needed("line_item_usage_type")
	t.deciding = len(t.columns)
	t.keep = func(v []jsonscan.Value) bool { return isBedrock(v[service], v[usage], v[product]) }
	start, end, month := t.needed("line_item_usage_start_date"), t.needed("line_item_usage_end_date"), t.needed("bill_billing_period_start_date")
	account, principal := t.optional("line_item_usage_account_id"), t.optional("line_item_iam_principal")
	region, kind := t.optional("product_region_code", "product_region"), t.optional("line_item_line_item_type")
	cost, list, currency := t.needed("line_item_unblended_cost"), t.optional("pricing_public_on_demand_cost"), t.optional("line_item_currency_code")
	amount, unit, description := t.needed("line_item_usage_amount"), t.optional("pricing_unit"), t.optional("line_item_line_item_description")
	t.row = func(v []jsonscan.Value, line int64, sink *Sink) error {
		to := r.begin(bedrockName, sink)
		if err := r.bucket(v[start], v[end], "line_item_usage_start_date", "line_item_usage_end_date"); err != nil {
			return err
		}
		if err := r.period(v[month], "bill_billing_period_start_date"); err != nil {
			return err
		}
		to.Account, to.Principal, to.Region = name(v[account]), name(v[principal]), name(v[region])
		if missing(v[cost]) {
			return &FieldError{"line_item_unblended_cost", "is missing"}
		}
		if err := r.billed(v[cost], v[list], v[currency], dollars, "line_item_unblended_cost", "pricing_public_on_demand_cost", "line_item_currency_code"); err != nil {
			return err
		}
		l := billLine{service: v[service], usageType: v[usage], product: v[product], unit: v[unit], description: v[description], quantity: v[amount], kind: v[kind]}
		switch string(name(v[kind])) {
		case "", "Usage", "DiscountedUsage", "SavingsPlanCoveredUsage":
			l.countsUsage = true
		case "Tax", "Credit", "Refund", "Fee", "RIFee", "SavingsPlanUpfrontFee", "SavingsPlanRecurringFee":
			l.whole = true
		}
		if err := r.bedrockLine(l, "line_item_usage_amount"); err != nil {
			return err
		}
		sink.Total(&r.t, line)
		return nil
	}
	return t
}
