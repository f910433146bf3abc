package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"

	"chargeback/billing/program"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/money"
)

var (
	//go:embed as_they_stand.sql
	asTheyStandText string
	//go:embed charges_again.sql
	chargesAgainText string
	//go:embed charged_as_they_stand.sql
	chargedAsTheyStandText string
	//go:embed shared_as_they_stand.sql
	sharedAsTheyStandText string
	//go:embed rerated.sql
	reratedText string
	//go:embed rerated_sums.sql
	reratedSumsText string
)

// Rerating says how records of some days are priced again, for comparison.
type Rerating struct {
	Days        records.Days
	RateVersion string
	// Attribute also asks anew who pays; else each record stays with its payer.
	Attribute bool
	// CacheReads, where it is 0 or more, is how many millionths of the prompt
	// tokens that were not written to the cache are read from it, in each request.
	CacheReads int64
}

// Rerated is what the records of a payer, agent and model cost as they stand in
// the ledger and as they would cost. Held have no cost before or after.
type Rerated struct {
	Month                  string // of the usage
	Department, CostCenter string
	AgentID, Model         string    // the model as the rate book names it
	Records                int64     // as they would be
	Before                 money.USD `column:"usd_before"`
	After                  money.USD `column:"usd_after"`
	HeldBefore, HeldAfter  int64
}

// Rerate prices the records of days that are in the ledger again, by other
// references for what Ledger.SeenOn lists, and compares. It works in work tables:
// the ledger stays as it is.
func Rerate(ctx context.Context, books *records.Records, r Rerating, refs records.References) ([]Rerated, error) {
	p, err := r.program(ctx, books, refs)
	if err != nil {
		return nil, err
	}
	if err := p.Run(ctx, "rerated"); err != nil {
		return nil, fmt.Errorf("price records of %s to %s again: %w", r.Days.First, r.Days.Last, err)
	}
	return warehouse.All[Rerated](ctx, books, p.Select("read records by other prices", reratedSumsText))
}

// EstimateRerate is what Rerate would read, with Ledger.SeenOn. refs need not hold
// what occurs.
func EstimateRerate(ctx context.Context, books *records.Records, r Rerating, refs records.References) (e records.Estimate, err error) {
	days := r.Days.All()
	if len(days) == 0 {
		return e, nil
	}
	records, err := warehouse.One[int64](ctx, books, warehouse.Select{
		Name: "count records", Text: "select count(*) as records from {record_facts} where usage_date in ({@days})", Args: records.Args{"days": days},
	})
	if err != nil {
		return e, err
	}
	return books.EstimateOn(ctx, days, map[string]int64{"record_facts": records}, func(plan *warehouse.Plan) error {
		p, err := r.program(ctx, books, refs)
		if err != nil {
			return err
		}
		return p.Estimate(ctx, plan, "rerated")
	})
}

// program puts the references, and computes the records by other prices.
func (r Rerating) program(ctx context.Context, books *records.Records, refs records.References) (*program.Program, error) {
	days := r.Days.All()
	p, err := books.Program(ctx, r.RateVersion, refs, records.Args{
		"days": days, "scan_days": records.Reach(days), "cache_reads": r.CacheReads, "reads_moved": r.CacheReads >= 0, "payers_stay": !r.Attribute,
	})
	if err != nil {
		return nil, err
	}
	p.Table("as_they_stand", "records as they stand", asTheyStandText)
	p.View("charges", chargesAgainText)
	p.Table("charged", "payers of records", chargedAsTheyStandText)
	p.Table("shared_payers", "payers of shared usage", sharedAsTheyStandText)
	p.Actors("select distinct actor_id from {as_they_stand} where actor_id is not null")
	if err := p.Add("people_said", "people_dated", "agents_dated", "owners_dated", "actors_dated", "successors_dated", "callers_dated", "markups_dated", "attributed", "priced"); err != nil {
		return nil, err
	}
	p.Table("rerated", "records by other prices", reratedText)
	return p, nil
}
