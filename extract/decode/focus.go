package decode

import "chargeback/extract/decode/jsonscan"

// NewFOCUS reads the lines of a FOCUS export of AWS (1.0 to 1.2), CSV or
// Parquet, that are about Bedrock. A month is replaced as a whole; within it all
// lines add up. See NewCUR for quantities.
func NewFOCUS() Format {
	return &billFormat{totalsFormat{name: FOCUSName, table: focusTable, parquet: true}}
}

func focusTable(r *totalsReader) *table {
	t := &table{}
	service, usage := t.optional("x_ServiceCode"), t.optional("x_UsageType", "SkuMeter")
	serviceName := t.needed("ServiceName")
	t.deciding = len(t.columns)
	t.keep = func(v []jsonscan.Value) bool { return isBedrock(v[service], v[usage], v[serviceName]) }
	start, end, month := t.needed("ChargePeriodStart"), t.needed("ChargePeriodEnd"), t.needed("BillingPeriodStart")
	account, region, kind := t.optional("SubAccountId"), t.optional("RegionId"), t.optional("ChargeCategory")
	cost, list, currency := t.needed("BilledCost"), t.optional("ListCost"), t.needed("BillingCurrency")
	amount, unit := t.optional("ConsumedQuantity"), t.optional("ConsumedUnit")
	priced, pricingUnit, description := t.optional("PricingQuantity"), t.optional("PricingUnit"), t.optional("ChargeDescription")
	t.row = func(v []jsonscan.Value, line int64, sink *Sink) error {
		to := r.begin(bedrockName, sink)
		if err := r.bucket(v[start], v[end], "ChargePeriodStart", "ChargePeriodEnd"); err != nil {
			return err
		}
		if err := r.period(v[month], "BillingPeriodStart"); err != nil {
			return err
		}
		to.Account, to.Region = name(v[account]), name(v[region])
		if missing(v[cost]) {
			return &FieldError{"BilledCost", "is missing"}
		}
		if err := r.billed(v[cost], v[list], v[currency], dollars, "BilledCost", "ListCost", "BillingCurrency"); err != nil {
			return err
		}
		l := billLine{service: v[service], usageType: v[usage], product: v[serviceName], unit: v[unit], description: v[description], quantity: v[amount], kind: v[kind]}
		field := "ConsumedQuantity"
		consumed, priceable := r.texts.worth(text(v[unit])).ok, r.texts.worth(text(v[pricingUnit])).ok
		if missing(v[amount]) || !consumed && priceable && !missing(v[priced]) {
			l.unit, l.quantity, field = v[pricingUnit], v[priced], "PricingQuantity"
		}
		switch category := name(v[kind]); {
		case len(category) == 0, string(category) == "Usage":
			l.countsUsage = true
		case string(category) == "Tax", string(category) == "Credit", string(category) == "Purchase", string(category) == "Adjustment":
			l.whole = true
		}
		if err := r.bedrockLine(l, field); err != nil {
			return err
		}
		sink.Total(&r.t, line)
		return nil
	}
	return t
}
