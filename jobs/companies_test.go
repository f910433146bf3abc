package jobs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chargeback/transform/money"
)

// Goal: where cost centres belong to another company than the issuer, each
// company's lines balance, and the control totals tell both; without accounts
// between them nothing is closed.
// Method: the small company in two; the issuer's company once from the
// directory, once from the settings.
func TestCloseOfTwoCompanies(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.edit("directory.yaml", `owner: product-lead@example.com, company_code: "1000"`, `owner: product-lead@example.com, company_code: "2000"`)
	c.edit("directory.yaml", `owner: ai-platform@example.com, company_code: "1000"`, "owner: ai-platform@example.com")
	c.ordinary(firstDay, lastDay)
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	now := b.due(october)
	refused := func(what, words string) {
		t.Helper()
		if _, err := b.Monthly(t.Context(), month(october), now); err == nil || !strings.Contains(err.Error(), words) {
			t.Fatalf("close %s ended with %v", what, err)
		}
	}
	refused("without the issuer's company", "company code of the issuer's cost centre CC-9000 is not known")
	b.Month.Issuer.CompanyCode = "1000"
	refused("without accounts between companies", "set invoices.intercompany.due_to and due_from")
	b.Month.Intercompany.DueTo, b.Month.Intercompany.DueFrom = "2190", "1390"
	s := b.closing(t, october)

	open := map[string]money.USD{}
	accounts := map[string]string{}
	for _, row := range rows(t, s.Journal) {
		if (row["debit"] == "") == (row["credit"] == "") {
			t.Errorf("debit %q and credit %q in one row", row["debit"], row["credit"])
		}
		for side, sign := range map[string]int64{"debit": 1, "credit": -1} {
			if row[side] != "" {
				open[row["company"]] = open[row["company"]].Add(amount(t, row[side]).MulInt(sign))
			}
		}
		accounts[row["gl_account"]] += row["company"] + " "
	}
	for company, off := range open {
		equal(t, "company "+company+" is out of balance by", "0.00", off.String())
	}
	equal(t, "companies of the recovery", "", strings.ReplaceAll(accounts["690100"], "1000 ", ""))
	equal(t, "companies that owe", "", strings.ReplaceAll(accounts["2190"], "2000 ", ""))
	content, err := os.ReadFile(s.Journal)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	control := rows(t, filepath.Join(filepath.Dir(s.Journal), "journal-2026-10-control.csv"))
	equal(t, "rows of control totals", 3, len(control))
	for _, row := range control {
		equal(t, "hash of "+row["file"], hex.EncodeToString(sum[:]), row["sha256"])
		equal(t, "sums of "+row["row"], row["debit"], row["credit"])
	}
}
