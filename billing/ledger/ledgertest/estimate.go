package ledgertest

import (
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
)

// Goal: what days would read is told without making them, and without reading it.
func testEstimate(b *books) {
	b.stage(night())
	before := b.state()
	days := b.build("2026-10-05", "2026-10-06")
	e, err := b.ledger.Records.Estimate(b.ctx, days, records.References{})
	b.must(err)
	b.equal("state after an estimate", before, b.state())
	b.equal("rows", int64(3), e.Rows)
	none := days
	none.Days = nil
	nothing, err := b.ledger.Records.Estimate(b.ctx, none, records.References{})
	b.must(err)
	b.equal("of no days", records.Estimate{}, nothing)

	_, bills := b.engine.(warehouse.Estimator)
	b.equal("is billed", bills, e.Billed)
	if !bills {
		b.equal("steps", 0, len(e.Steps))
		return
	}
	b.Logf("estimated %d bytes: %v", e.Bytes(), e.Steps)
	if e.Bytes() == 0 || len(e.Steps) < 20 {
		b.Errorf("%d steps read %d bytes", len(e.Steps), e.Bytes())
	}
	spent, err := b.engine.(warehouse.Statistics).BytesBilled(b.ctx)
	b.must(err)
	if spent > e.Bytes() {
		b.Errorf("%d bytes were billed to estimate %d", spent, e.Bytes())
	}
}
