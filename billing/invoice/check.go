package invoice

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"chargeback/transform/money"
)

// countMax bounds requests and tokens of a charge, so that no sum of them can
// overflow.
const countMax = 1_000_000_000_000_000

// amountMax is the first amount that ledgers no longer take: they hold ten
// digits before the point.
func amountMax() money.USD { return money.MustParse("10000000000") }

// check refuses an input that cannot become a document.
func check(in Input) error {
	for _, err := range []error{
		checkPeriod(in.Period), checkDates(in), checkParty(in), checkNumber(in), checkAmounts(in),
	} {
		if err != nil {
			return err
		}
	}
	for i, c := range in.Charges {
		if err := checkCharge(c, in.Period.Month); err != nil {
			return fmt.Errorf("charge %d (agent %q, model %q): %w", i, c.AgentID, c.Model, err)
		}
	}
	for i, s := range in.Shared {
		if err := checkAdjusts(s.AdjustsMonth, s.AdjustsInvoice, in.Period.Month); err != nil {
			return fmt.Errorf("shared cost %d (%q): %w", i, s.Name, err)
		}
	}
	return nil
}

func checkPeriod(p Period) error {
	if _, err := time.Parse("2006-01", p.Month); err != nil {
		return fmt.Errorf("period month %q is not a month; write it as 2026-10", p.Month)
	}
	for _, date := range []string{p.From, p.To} {
		if !isDate(date) || !strings.HasPrefix(date, p.Month+"-") {
			return fmt.Errorf("period date %q is not a date of %s; write it as %s-01", date, p.Month, p.Month)
		}
	}
	if p.From > p.To {
		return fmt.Errorf("period begins on %s, after its end on %s", p.From, p.To)
	}
	if p.Zone == "" {
		return errors.New("period has no time zone; name one, such as Europe/Berlin")
	}
	return nil
}

func checkDates(in Input) error {
	if !isDate(in.IssueDate) {
		return fmt.Errorf("issue date %q is not a date; write it as 2026-11-05", in.IssueDate)
	}
	if in.DisputeUntil != "" && !isDate(in.DisputeUntil) {
		return fmt.Errorf("dispute date %q is not a date; write it as 2026-11-25 or leave it empty", in.DisputeUntil)
	}
	return nil
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// checkParty wants everything that a journal line needs of a party that is
// charged, and only a code of one that is shown its cost.
func checkParty(in Input) error {
	if in.Party.Code == "" {
		return errors.New("party has no cost-centre code")
	}
	switch in.Party.Mode {
	case Showback:
		return nil
	case Chargeback:
	default:
		return fmt.Errorf("party mode %q is unknown; use chargeback or showback", in.Party.Mode)
	}
	for _, field := range []struct{ name, value string }{
		{"expense account", in.Party.ExpenseAccount},
		{"recovery account", in.RecoveryAccount},
		{"issuer's cost centre", in.Issuer.CostCenter},
	} {
		if field.value == "" {
			return fmt.Errorf("%s is empty, the journal cannot book cost centre %s; set it in the config or make the cost centre showback", field.name, in.Party.Code)
		}
	}
	return checkCompanies(in)
}

// checkCompanies wants the company of both sides, where there are companies at
// all, and accounts between them where they differ.
func checkCompanies(in Input) error {
	party, issuer := in.Party.CompanyCode, in.Issuer.CompanyCode
	switch {
	case party == issuer:
		return nil
	case party == "":
		return fmt.Errorf("company code of cost centre %s is empty, the journal cannot book it; add company_code to it in the directory or make the cost centre showback", in.Party.Code)
	case issuer == "":
		return fmt.Errorf("company code of the issuer's cost centre %s is not known, the journal cannot book cost centre %s; add it with company_code to the directory or set invoices.issuer.company_code", in.Issuer.CostCenter, in.Party.Code)
	case in.Intercompany.DueTo == "" || in.Intercompany.DueFrom == "":
		return fmt.Errorf("cost centre %s belongs to company %s and the issuer to company %s, the journal cannot book between them; set invoices.intercompany.due_to and due_from", in.Party.Code, party, issuer)
	}
	return nil
}

func checkNumber(in Input) error {
	prefix, maker := numberPrefixInvoice, "Number"
	if in.Party.Mode == Showback {
		prefix, maker = numberPrefixStatement, "StatementNumber"
	}
	if !strings.HasPrefix(in.Number, prefix+in.Period.Month+"-") {
		return fmt.Errorf("number %q is not one of a %s document of %s; make it with %s", in.Number, in.Party.Mode, in.Period.Month, maker)
	}
	return nil
}

// checkAmounts bounds the sum of all magnitudes, so that no sum of cents, in
// whatever order, can overflow.
func checkAmounts(in Input) error {
	var sum money.USD
	add := func(amounts ...money.USD) {
		for _, a := range amounts {
			if a.Sign() < 0 {
				a = a.Neg()
			}
			sum = sum.Add(a)
		}
	}
	for _, c := range in.Charges {
		add(c.LLM, c.Infra, c.Tool, c.CacheSavings)
	}
	for _, s := range in.Shared {
		add(s.Amount)
	}
	if sum.Cmp(amountMax()) >= 0 {
		return fmt.Errorf("amounts of %s USD in all have more than ten digits before the point, which ledgers do not take; check the rate book", sum)
	}
	return nil
}

func checkCharge(c Charge, month string) error {
	if err := checkAdjusts(c.AdjustsMonth, c.AdjustsInvoice, month); err != nil {
		return err
	}
	adjusts := c.AdjustsMonth != ""
	if !adjusts && (c.Reason != "" || c.Counterpart != "" || c.HasCounter || c.AdjustsCode != "") {
		return errors.New("only a correction of a closed month has a reason, a counterpart or another cost centre; name the month")
	}
	for _, count := range []struct {
		name string
		n    int64
	}{
		{"requests", c.Requests}, {"cache hits", c.CacheHits}, {"estimated requests", c.Estimated}, {"held requests", c.Held},
		{"input tokens", c.InputTokens}, {"cache read tokens", c.CacheReadTokens},
		{"cache write tokens", c.CacheWriteTokens}, {"output tokens", c.OutputTokens},
	} {
		if count.n > countMax || count.n < -countMax {
			return fmt.Errorf("%s: %d is beyond what a month can hold", count.name, count.n)
		}
		if count.n < 0 && !adjusts {
			return fmt.Errorf("%s: %d is negative, which only an adjustment can be", count.name, count.n)
		}
	}
	return nil
}

// checkAdjusts wants the closed month of what corrects a document.
func checkAdjusts(adjusted, number, month string) error {
	if adjusted == "" {
		if number != "" {
			return fmt.Errorf("adjusts document %s but no month; name the month too", number)
		}
		return nil
	}
	if _, err := time.Parse("2006-01", adjusted); err != nil || adjusted >= month {
		return fmt.Errorf("adjusted month %q is not a month before %s", adjusted, month)
	}
	return nil
}
