package records

import (
	"context"

	"chargeback/billing/warehouse"
)

// ids hands out the ids of cost centres and of rates: those that the ledger has, else
// the next number, which takes a byte or two a record where a hash takes eight, or,
// where other processes may add to the ledger at the same time, a hash on which all
// agree.
type ids struct {
	payers given[CostCenter]
	rates  given[int64] // by hash
}

// given are the ids of one table. A number that was given stays, also where what it
// was given for is not kept: a work table may have it.
type given[K comparable] struct {
	numbered bool
	known    map[K]int64
	kept     map[K]bool // the ledger has it
	last     int64      // highest number
}

// numbersEnd is above all numbers; a larger id is a hash.
const numbersEnd = 1 << 40

// begin forgets what the ledger has, which is to be read again.
func (g *given[K]) begin(numbered bool, last int64) {
	g.numbered, g.kept, g.last = numbered, map[K]bool{}, max(g.last, last)
	if g.known == nil || !numbered {
		g.known = map[K]int64{}
	}
}

// keeps takes over an id that the ledger has. Of two ids of a key the smaller one
// counts: a number before a hash.
func (g *given[K]) keeps(key K, id int64) {
	if had, is := g.known[key]; !is || !g.kept[key] || id < had {
		g.known[key] = id
	}
	g.kept[key] = true
}

func (g *given[K]) of(key K, hash int64) int64 {
	id, known := g.known[key]
	if !known {
		id = hash
		if g.numbered {
			g.last++
			id = g.last
		}
		g.known[key] = id
	}
	return id
}

func (i *ids) payer(c CostCenter) int64 { return i.payers.of(c, idOf(c.Department, c.Code)) }

func (i *ids) rate(version string, r Rate) int64 {
	hash := r.hash(version)
	return i.rates.of(hash, hash)
}

// readIDs reads the ids that the ledger has, of rates those of one version of the
// rate book.
func (l *Records) readIDs(ctx context.Context, version string) error {
	last, err := warehouse.One[struct{ Payer, Rate int64 }](ctx, l.q, warehouse.Select{Name: "numbers that are given", Args: Args{"end": numbersEnd}, Text: `
select
  (select ifnull(max(payer_id), 0) from {payers} where payer_id < {@end}) as payer,
  (select ifnull(max(rate_id), 0) from {rate_entries} where rate_id < {@end}) as rate`})
	if err != nil {
		return err
	}
	e, is := l.w.(warehouse.Exclusive)
	numbered := is && e.Exclusive()
	l.ids.payers.begin(numbered, last.Payer)
	l.ids.rates.begin(numbered, last.Rate)
	err = warehouse.Each(ctx, l.q, warehouse.Select{Name: "payers", Text: "select payer_id, department, cost_center as code from {payers}"}, func(p struct {
		PayerID int64
		CostCenter
	}) error {
		l.ids.payers.keeps(p.CostCenter, p.PayerID)
		return nil
	})
	if err != nil {
		return err
	}
	return warehouse.Each(ctx, l.q, warehouse.Select{
		Name: "rates of " + version, Text: "select rate_id, ifnull(rate_hash, rate_id) as rate_hash from {rate_entries} where rate_version = {@rate_version}", Args: Args{"rate_version": version},
	}, func(r struct{ RateID, RateHash int64 }) error {
		l.ids.rates.keeps(r.RateHash, r.RateID)
		return nil
	})
}
