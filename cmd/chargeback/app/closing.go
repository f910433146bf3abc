package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"chargeback/config"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

// Closing says how much ReadSettings asks for of what only the close of a month
// needs.
type Closing int

const (
	CloseNothing Closing = iota
	CloseBegun           // all of it, where any of it is set: who only reads reports needs none
	CloseAll
)

// checkClosing finds what the close of a month needs of the settings and nothing
// before it does. Where nobody is charged, nothing is booked and nothing of it is
// needed. What the directory lacks is in the error.
func (s *Settings) checkClosing(c *config.Config, want Closing, fail Failf) error {
	if s.Directory == nil || want == CloseNothing || want == CloseBegun && s.booksNothing(c) {
		return nil
	}
	charged := s.charged()
	if len(charged) == 0 {
		return nil
	}
	i := c.Invoices
	if i.RecoveryAccount == "" {
		fail("invoices.recovery_account", "is missing; write the account that the journal credits (%s)", charges(charged))
	}
	if i.Issuer.CostCenter == "" {
		fail("invoices.issuer.cost_center", "is missing; write the cost centre that the journal credits (%s)", charges(charged))
	}
	var without []directory.CostCenter
	for _, center := range charged {
		if center.ExpenseAccount == "" {
			without = append(without, center)
		}
	}
	if i.ExpenseAccount == "" && len(without) > 0 {
		fail("invoices.expense_account", "is missing, and so is expense_account of %s in %s; write the account that the journal debits", named(without), c.Directory)
	}
	return s.checkCompanies(c, charged, fail)
}

// Unbooked says that no month can close yet, because nothing of a journal is set;
// "" where it is, or where nothing is booked.
func (s *Settings) Unbooked() string {
	if charged := s.charged(); len(charged) > 0 && s.booksNothing(s.Config) {
		return fmt.Sprintf("not set up: it needs recovery_account, expense_account and issuer.cost_center in invoices (%s)", charges(charged))
	}
	return ""
}

// charged are the cost centres whose documents are booked.
func (s *Settings) charged() (charged []directory.CostCenter) {
	for _, center := range s.Directory.CostCenters() {
		if center.Mode == directory.Chargeback {
			charged = append(charged, center)
		}
	}
	return charged
}

// booksNothing says that nothing of a journal is set anywhere.
func (s *Settings) booksNothing(c *config.Config) bool {
	i := c.Invoices
	return i.RecoveryAccount+i.ExpenseAccount+i.Issuer.CostCenter+i.Issuer.CompanyCode == "" && i.Intercompany == (config.Intercompany{}) &&
		!slices.ContainsFunc(s.Directory.CostCenters(), func(center directory.CostCenter) bool {
			return center.CompanyCode+center.ExpenseAccount != ""
		})
}

// checkCompanies finds cost centres without a company beside others that have one,
// and companies that owe each other without accounts for it.
func (s *Settings) checkCompanies(c *config.Config, charged []directory.CostCenter, fail Failf) error {
	all := s.Directory.CostCenters()
	if c.Invoices.Issuer.CompanyCode == "" && !slices.ContainsFunc(all, func(center directory.CostCenter) bool { return center.CompanyCode != "" }) {
		return nil
	}
	issuer := c.Invoices.Issuer.CompanyCode
	if center, ok := s.Directory.CostCenter(c.Invoices.Issuer.CostCenter); ok && center.CompanyCode != "" {
		issuer = center.CompanyCode
	} else if issuer == "" && c.Invoices.Issuer.CostCenter != "" {
		fail("invoices.issuer.company_code", "is missing, and so is company_code of cost centre %s in %s; write the company that the journal credits in one of them", c.Invoices.Issuer.CostCenter, c.Directory)
	}
	var problems []error
	var foreign []directory.CostCenter
	for _, center := range charged {
		switch center.CompanyCode {
		case "":
			problems = append(problems, fmt.Errorf("%s:%d: cost_centers %s.company_code: is missing beside others that have one; write the company that the journal charges", c.Path(c.Directory), center.Line, center.Code))
		case issuer:
		default:
			foreign = append(foreign, center)
		}
	}
	if len(foreign) == 0 || issuer == "" {
		return errors.Join(problems...)
	}
	for _, account := range [][3]string{
		{"due_to", c.Invoices.Intercompany.DueTo, "the account on which the charged company owes the issuer's"},
		{"due_from", c.Invoices.Intercompany.DueFrom, "the account on which the issuer's company is owed"},
	} {
		if account[1] == "" {
			fail("invoices.intercompany."+account[0], "is missing, and cost centres of %s are of another company than the issuer's (%s): %s; write %s", c.Directory, issuer, named(foreign), account[2])
		}
	}
	return errors.Join(problems...)
}

func charges(centers []directory.CostCenter) string {
	return "mode chargeback: " + named(centers)
}

// named lists the codes of cost centres, the first of many.
func named(centers []directory.CostCenter) string {
	codes := map[string]bool{}
	for _, c := range centers {
		codes[c.Code] = true
	}
	return some(codes)
}

// ReadyToClose says what the settings lack for the close of a month that is not
// closed yet. They are read once more, because only the files know their lines.
func (a *App) ReadyToClose(ctx context.Context, month civil.Month) error {
	closed, err := a.Ledger.Months.Closed(ctx)
	if err != nil || closed[month] != "" {
		return err
	}
	if _, err := ReadWith(a.Settings.Path, CloseAll); err != nil {
		return fmt.Errorf("%s is not closed: %w", jobs.MonthlyWindow(month), err)
	}
	return nil
}
