package records

import (
	"errors"
	"strings"
	"testing"
	"time"

	"chargeback/transform/civil"
	"chargeback/transform/rates"
)

// Goal: each way in which records at another price don't tie ends the night, also that
// there are none.
func TestTiedRepriced(t *testing.T) {
	whole := repricedTie{Records: 3, SumsTie: true, BeforeTies: true, UsersTie: true}
	if err := tiedRepriced(whole, nil); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*repricedTie){
		"there are no records":            func(r *repricedTie) { r.Records = 0 },
		"1 records have no amount":        func(r *repricedTie) { r.Unpriced = 1 },
		"in number, tokens or amount":     func(r *repricedTie) { r.BeforeTies = false },
		"the daily sums are not":          func(r *repricedTie) { r.SumsTie = false },
		"the daily sums of users are not": func(r *repricedTie) { r.UsersTie = false },
	} {
		r := whole
		change(&r)
		if err := tiedRepriced(r, nil); !errors.Is(err, ErrNotTied) || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want one that says that %s", err, what)
		}
	}
	if err := tiedRepriced(repricedTie{}, nil); !errors.Is(err, ErrNotTied) {
		t.Errorf("nothing at all ties: %v", err)
	}
	if cause := errors.New("disk is full"); tiedRepriced(whole, cause) != cause {
		t.Error("an error of the select is lost")
	}
}

// Goal: only a price that is known, without a note, and not a gateway's is plain.
func TestPlain(t *testing.T) {
	day := civil.Date{Year: 2026, Mon: time.October, Day: 1}
	fine := Rate{Card: 1, Rate: rates.Rate{InfraPico: 5, CacheHitPico: 2, NoSearch: true, Fallbacks: []rates.Class{rates.CacheRead}}}
	of := func(all ...Rate) Plain {
		p := Plain{}
		p.Add(day, References{Cards: []Card{{Meter: 7, Card: 1}, {Meter: 8, Card: 2}}, Rates: all})
		return p
	}
	price, is := of(fine)[day][7]
	if !is || price.Fees[0] != (Fees{5, 2}) || !price.Fallbacks[rates.CacheRead] || !price.Fallbacks[rates.Search] {
		t.Errorf("a plain price is %v, %t", price, is)
	}
	if !(counted{CacheRead: 1}).any(price.Fallbacks) || !(counted{Searches: 1}).any(price.Fallbacks) || (counted{Input: 1, CacheWrite5m: 1}).any(price.Fallbacks) {
		t.Error("what falls back is told by what was counted")
	}
	if _, is := of(fine)[day][8]; is {
		t.Error("a model without a rate is plain")
	}
	for what, change := range map[string]func(*Rate){
		"no price":       func(r *Rate) { r.Problem = "no price" },
		"another's":      func(r *Rate) { r.EstimatedAs = "other" },
		"a note":         func(r *Rate) { r.Note = "a note" },
		"a gateway's":    func(r *Rate) { r.Reported = true },
		"a forecast":     func(r *Rate) { r.Forecast = true },
		"no fees":        func(r *Rate) { r.NoFees = true },
		"a guessed tier": func(r *Rate) { r.PlainTier = "standard" },
		"another fee":    func(r *Rate) { r.InfraPico = 6 },
	} {
		r := fine
		change(&r)
		if _, is := of(fine, r)[day][7]; is {
			t.Errorf("%s is plain", what)
		}
	}
}

// Goal: models are named together where they are repriced on the same days, each day of
// each once.
func TestRepricedWhere(t *testing.T) {
	day := civil.Date{Year: 2026, Mon: time.October, Day: 1}
	p := Repriced{}.With(day, 9, 7).With(day.AddDays(1), 7, 9, 8)
	text, args := p.where()
	if want := "meter_id in (7, 9) and usage_date in ({@repriced_days_1}) or meter_id in (8) and usage_date in ({@repriced_days_2})"; text != want {
		t.Errorf("condition %s, want %s", text, want)
	}
	if len(args["repriced_days_1"].([]civil.Date)) != 2 || len(args["repriced_days_2"].([]civil.Date)) != 1 {
		t.Errorf("arguments %v", args)
	}
	if left := p.without([]civil.Date{day}); len(left) != 1 || len(left.and(Repriced{}.With(day, 9))) != 2 {
		t.Errorf("without a day %v", left)
	}
}
