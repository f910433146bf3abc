package jobs_test

import (
	"errors"
	"strings"
	"testing"

	"chargeback/billing/months"
	"chargeback/billing/runs"
	"chargeback/jobs"
)

// closedWith is the small company with October closed; change is made before.
func closedWith(t *testing.T, change func(company)) (company, *books) {
	t.Helper()
	c := newCompany(t)
	c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, `unallocated_limit_usd: "9.00"`)
	c.log(
		request{id: "ann", at: clock("10-29 12:00:00"), usageID: "u-ann", email: "user001@example.com", agent: "helper", in: 1000, out: 1000},
		request{id: "eve", at: clock("10-29 13:00:00"), usageID: "u-eve", email: "eve@example.com", agent: "sales-job", in: 1000, out: 0},
	)
	c.deliver(usageKey("2026-10-29T12:00:00Z", "both"), usage{id: "u-ann", at: clock("10-29 12:00:00"), in: 1000, out: 1000}, usage{id: "u-eve", at: clock("10-29 13:00:00"), in: 1000, out: 0})
	if change != nil {
		change(c)
	}
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	b.closing(t, october)
	return c, b
}

// corrections are a month's, in words.
func (b *books) corrections(t *testing.T, m string) []string {
	t.Helper()
	rows, err := b.Ledger.Months.Corrections(t.Context(), month(m))
	if err != nil {
		t.Fatal(err)
	}
	return inWords(rows)
}

func inWords(rows []months.Correction) (all []string) {
	for _, r := range rows {
		all = append(all, strings.Join([]string{r.Month, r.CostCenter, r.Reversed.Fixed()[:len(r.Reversed.Fixed())-8], r.Charged.Fixed()[:len(r.Charged.Fixed())-8], r.Reason, r.Counterpart}, " | "))
	}
	return all
}

// Goal: what is learned after a close of who a record belongs to becomes a pair of
// corrections with its reason, listed beforehand, once; what was only removed stays.
// Method: a change of the inputs after October was closed; the list of what the next
// night would do, the night, all nights again.
func TestMovedAfterClose(t *testing.T) {
	t.Parallel()
	const belongs = "belongs to another cost centre by what is known today"
	pair := func(from, to, usd, reason string) []string {
		if from < to {
			return []string{"2026-10 | " + from + " | -" + usd + " | 0.0000 | " + reason + " | " + to, "2026-10 | " + to + " | 0.0000 | " + usd + " | " + reason + " | " + from}
		}
		return []string{"2026-10 | " + to + " | 0.0000 | " + usd + " | " + reason + " | " + from, "2026-10 | " + from + " | -" + usd + " | 0.0000 | " + reason + " | " + to}
	}
	for _, tt := range []struct {
		name   string
		before func(company) // the close
		change func(company)
		want   []string
	}{
		{"a person's move that is dated back", nil, func(c company) {
			c.edit("people.csv", "user001@example.com,Support,00420,2026-01-01,", "user001@example.com,Support,00420,2026-01-01,2026-10-29\nuser001@example.com,Engineering,CC-1001,2026-10-29,")
		}, pair("00420", "CC-1001", "0.0061", belongs)},
		{"a move after the record's day", nil, func(c company) {
			c.edit("people.csv", "user001@example.com,Support,00420,2026-01-01,", "user001@example.com,Support,00420,2026-01-01,2026-10-30\nuser001@example.com,Engineering,CC-1001,2026-10-30,")
		}, nil},
		{"a person who was not in the people file", nil, func(c company) { c.append("people.csv", "eve@example.com,Engineering,CC-1001,2026-01-01,\n") },
			pair(jobs.Unallocated, "CC-1001", "0.0011", belongs)},
		{"an owner of an agent who is named late", nil, func(c company) {
			c.append("directory.yaml", "  - {id: sales-job, name: Sales Job, kind: background, owner: CC-1001}\n")
		}, pair(jobs.Unallocated, "CC-1001", "0.0011", belongs)},
		{"a person who is removed", nil, func(c company) { c.edit("people.csv", "user001@example.com,Support,00420,2026-01-01,\n", "") }, nil},
		{"another user in a log that is written again", nil, func(c company) {
			c.log(request{id: "ann", at: clock("10-29 12:00:00"), usageID: "u-ann", email: "user002@example.com", agent: "helper", in: 1000, out: 1000})
		}, pair("00420", "CC-1001", "0.0061", "the log names another user")},
		{"another user of the same cost centre", func(c company) { c.append("people.csv", "bob@example.com,Support,00420,2026-01-01,\n") }, func(c company) {
			c.log(request{id: "ann", at: clock("10-29 12:00:00"), usageID: "u-ann", email: "bob@example.com", agent: "helper", in: 1000, out: 1000})
		}, []string{"2026-10 | 00420 | -0.0061 | 0.0061 | the log names another user | 00420"}},
		{"another agent", nil, func(c company) {
			c.log(request{id: "ann", at: clock("10-29 12:00:00"), usageID: "u-ann", email: "user001@example.com", agent: "nightly-job", in: 1000, out: 1000})
		}, []string{"2026-10 | 00420 | -0.0061 | 0.0061 | the log names another agent | 00420"}},
		{"nothing at all", nil, func(c company) { c.append("directory.yaml", "\n# looked through\n") }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, b := closedWith(t, tt.before)
			closed := b.monthHash(t, october)
			tt.change(c)
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			b = open(t, c.dir, wiring{})
			b.mayBeEmpty("2026-11")
			before := b.state(t)
			p, err := b.Reprice(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case strings.HasPrefix(tt.name, "another"): // what a log says is known once it is read
			case strings.Contains(tt.name, "move") || strings.HasPrefix(tt.name, "a person"):
				equal(t, "people files to read", []string{"people people.csv"}, p.Unread)
			default:
				equal(t, "corrections that would come", tt.want, inWords(p.Corrections))
			}
			same(t, before, b.state(t))
			b.night(t, date("2026-10-31")) // near enough to look for logs of the 29th
			b.night(t, date("2026-11-04"))
			equal(t, "corrections", tt.want, b.corrections(t, "2026-11"))
			before = b.state(t)
			for _, day := range []string{"2026-10-29", "2026-11-02", "2026-11-04"} {
				b.night(t, date(day))
			}
			same(t, before, b.state(t))
			equal(t, "October", closed, b.monthHash(t, october))
			b.ran(t, runs.Done, nightsOf("2026-11-05", "2026-12-03")...)
			b.closing(t, "2026-11")
			b.night(t, date("2026-12-04"))
			equal(t, "corrections in December", []string(nil), b.corrections(t, "2026-12"))
		})
	}
}

// whatOf are the problems of a night in full.
func whatOf(s jobs.NightlySummary) (all []string) {
	for _, p := range s.Problems {
		all = append(all, p.Source+" "+p.Object+": "+p.What)
	}
	return all
}

// Goal: the records of an object that is gone for good leave the books when somebody
// says so, or after the days of the settings, and closed months are corrected; what is
// only missing, or still there, stays.
// Method: delete the log of a closed and of an open day.
func TestDeletedObjects(t *testing.T) {
	t.Parallel()
	closed := request{id: "closed", at: clock("10-31 12:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 0}
	open := request{id: "open", at: clock("11-02 12:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 0}
	setUp := func(t *testing.T, settings string) (company, *books) {
		return closedWith(t, func(c company) {
			c.edit("chargeback.yaml", "late_days: 3\n", "late_days: 3\n"+settings)
			c.log(closed, open)
		})
	}
	key := func(r request) string { return strings.TrimPrefix(r.key(), "data/litellm/") }
	says := func(keys ...string) jobs.Deletion {
		return jobs.Deletion{Source: "gateway", Keys: keys, By: "ops@example.com", Reason: "test traffic"}
	}
	t.Run("said", func(t *testing.T) {
		t.Parallel()
		c, b := setUp(t, "")
		morning := b.morning(date("2026-11-04"))
		var refused *jobs.NotDeletedError
		if _, _, err := b.Delete(t.Context(), says(key(closed)), morning); !errors.As(err, &refused) || !strings.Contains(refused.What, "is still in source gateway") {
			t.Fatalf("what is there was deleted: %v", err)
		}
		if _, _, err := b.Delete(t.Context(), says("no/such"), morning); !errors.As(err, &refused) {
			t.Fatalf("what was never read was deleted: %v", err)
		}
		c.remove(closed.key())
		c.remove(open.key())
		b.night(t, date("2026-11-04"))
		equal(t, "corrections of what is missing", []string(nil), b.corrections(t, "2026-11"))
		objects, _, err := b.Delete(t.Context(), says(key(closed), key(open)), morning)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "deleted", 2, len(objects))
		want := []string{"2026-10 | 00420 | -0.0021 | 0.0000 | reversed: its log no longer has the record | "}
		equal(t, "corrections", want, b.corrections(t, "2026-11"))
		equal(t, "records of the open month", []string(nil), b.call(t, "open"))
		before := b.state(t)
		b.night(t, date("2026-11-04"))
		same(t, before, b.state(t))
		c.log(closed)
		b.night(t, date("2026-10-31"))
		equal(t, "corrections after it came back", []string(nil), b.corrections(t, "2026-11"))
	})
	t.Run("after days", func(t *testing.T) {
		t.Parallel()
		c, b := setUp(t, "deleted_after_days: 2\n")
		c.remove(open.key())
		missing := "gateway " + key(open) + ": was read before and is gone from the source; its records stay in the ledger and can no longer be proved: restore the object, or say that it is gone for good with `chargeback rejects deleted --source gateway`"
		for _, day := range []string{"2026-11-03", "2026-11-04"} {
			equal(t, "problems on "+day, []string{missing}, whatOf(b.night(t, date(day))))
		}
		told := whatOf(b.night(t, date("2026-11-05")))
		if len(told) != 1 || !strings.Contains(told[0], "is gone from the source since 2026-11-03, so its records (1) no longer count (deleted_after_days)") {
			t.Errorf("told %q", told)
		}
		equal(t, "its record", []string(nil), b.call(t, "open"))
		equal(t, "problems the night after", []string(nil), whatOf(b.night(t, date("2026-11-06"))))
	})
}

// Goal: what corrects a correction stands on a document of the mode of that one and
// names it, so that the journal gives back what it booked and nothing else.
// Method: a person moves to a cost centre without documents and back, which changes its
// mode in between.
func TestModeOfCorrectedCorrections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, before, after string
		july, august        string // documents of CC-5001, its total and what it corrects
	}{
		{"booked, then shown", "chargeback", "showback", "CB-2026-11-CC5001-r0 0.01", "CB-2026-12-CC5001-r0 -0.01 CB-2026-11-CC5001-r0"},
		{"shown, then booked", "showback", "chargeback", "SB-2026-11-CC5001-r0 0.01", "SB-2026-12-CC5001-r0 -0.01 SB-2026-11-CC5001-r0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, b := closedWith(t, func(c company) {
				c.edit("directory.yaml", "department: People, mode: showback", "department: People, mode: "+tt.before)
			})
			again := func(day string) {
				t.Helper()
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
				b = open(t, c.dir, wiring{})
				b.night(t, date(day))
			}
			document := func(s jobs.MonthlySummary) (text string) {
				t.Helper()
				for _, d := range s.Documents {
					if d.CostCenter != "CC-5001" {
						continue
					}
					text += d.Number + " " + d.Total.String()
					for _, row := range rows(t, d.CSV) {
						if row["section"] == "adjustment" && row["row"] == "line" && row["adjusts_invoice"] != "CB-2026-10-00420-r0" {
							text += " " + row["adjusts_invoice"]
						}
					}
				}
				return text
			}
			c.edit("people.csv", "user001@example.com,Support,00420,", "user001@example.com,People,CC-5001,")
			again("2026-11-04")
			b.ran(t, runs.Done, nightsOf("2026-11-05", "2026-12-03")...)
			equal(t, "moved", tt.july, document(b.closing(t, "2026-11")))
			c.edit("people.csv", "user001@example.com,People,CC-5001,", "user001@example.com,Support,00420,")
			c.edit("directory.yaml", "department: People, mode: "+tt.before, "department: People, mode: "+tt.after)
			again("2026-12-04")
			b.ran(t, runs.Done, nightsOf("2026-12-05", "2027-01-03")...)
			equal(t, "moved back", tt.august, document(b.closing(t, "2026-12")))
		})
	}
}

// Goal: a department that is called otherwise today is no stranger for corrections of
// a month in which it had its old name.
func TestDepartmentRenamedAfterClose(t *testing.T) {
	t.Parallel()
	c, b := closedWith(t, nil)
	c.edit("directory.yaml", "name: Customer Support, department: Support", "name: Customer Support, department: Care")
	c.edit("people.csv", "user001@example.com,Support,00420,2026-01-01,", "user001@example.com,Support,00420,2026-01-01,2026-11-01\nuser001@example.com,Care,00420,2026-11-01,")
	c.edit("chargeback.yaml", "department: Support, amount_usd", "department: Care, amount_usd")
	c.log(request{id: "ann", at: clock("10-29 12:00:00"), usageID: "u-ann", email: "user001@example.com", agent: "nightly-job", in: 1000, out: 1000})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, c.dir, wiring{})
	b.night(t, date("2026-10-31"))
	b.night(t, date("2026-11-04"))
	b.ran(t, runs.Done, nightsOf("2026-11-05", "2026-12-03")...)
	equal(t, "corrections", []string{"2026-10 | 00420 | -0.0061 | 0.0061 | the log names another agent | 00420"}, b.corrections(t, "2026-11"))
	b.closing(t, "2026-11")
}

// Goal: what comes for a closed month, or is rewritten there, on a day that no night
// looks at any more, is found by the next close.
func TestLateFarBehind(t *testing.T) {
	t.Parallel()
	c, b := closedWith(t, nil)
	c.ordinary("2026-11-10", "2026-11-10") // sources that are quiet are looked through further
	c.ordinary("2026-12-03", "2026-12-03")
	b.night(t, date("2026-11-10"))
	c.log(request{id: "far", at: clock("10-29 15:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 0})
	b.ran(t, runs.Done, nightsOf("2026-11-04", "2026-11-09")...)
	b.ran(t, runs.Done, nightsOf("2026-11-11", "2026-12-03")...)
	b.night(t, date("2026-12-03"))
	equal(t, "before the close", []string(nil), b.corrections(t, "2026-11"))
	b.closing(t, "2026-11")
	equal(t, "after it", []string{"2026-10 | 00420 | 0.0000 | 0.0021 | recorded after its month was closed | "}, b.corrections(t, "2026-11"))
}
