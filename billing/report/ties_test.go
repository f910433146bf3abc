package report_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/report"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// drawRecord is any cost record: of this month or another, priced or held,
// with amounts to the last digit, also below zero and also partly unknown.
func drawRecord(t *rapid.T) values {
	pick := func(name string, from ...any) any { return rapid.SampledFrom(from).Draw(t, name) }
	amount := func(name string) money.USD {
		if rapid.Bool().Draw(t, name+" round") {
			return money.FromCents(100) // so that rows cost the same
		}
		return money.FromPico(rapid.Int64Range(-200_000_000_000_000, 900_000_000_000_000_000).Draw(t, name))
	}
	tokens := func(name string) int64 { return rapid.Int64Range(-1_000, 1_000_000_000).Draw(t, name) }
	llm, infra, tool := amount("llm"), amount("infra"), amount("tool")
	v := values{
		"usage_date":    october.FirstDay().AddDays(rapid.SampledFrom([]int{-1, 0, 0, 0, 30, 31}).Draw(t, "day")),
		"billing_month": pick("month", october.FirstDay(), october.FirstDay(), october.FirstDay(), october.Next().FirstDay()),
		"department":    pick("department", "Support", "Research", "UNALLOCATED"),
		"cost_center":   pick("cost centre", "00420", "420", "CC-1", "UNALLOCATED"),
		"agent_id":      pick("agent", nil, "bot", "no agent"), "user_id": pick("user", nil, "a@example.com", "b@example.com", "c@example.com"),
		"provider": "bedrock", "model": pick("model", sonnet, haiku), "match": pick("match", "matched", "ambiguous", "agent_only"),
		"usage_line": pick("usage line", nil, int64(1)), "correction": pick("correction", int64(0), int64(1), int64(-1)),
		"cache_hit":             rapid.Bool().Draw(t, "cache hit"),
		"input_uncached_tokens": tokens("input"), "cache_read_tokens": tokens("read"), "cache_write_5m_tokens": tokens("5m"),
		"cache_write_1h_tokens": tokens("1h"), "cache_write_unknown_tokens": tokens("write"), "output_tokens": tokens("output"),
		"pricing":      pick("pricing", "priced", "estimated", "not_billed", "unpriced", "pending"),
		"pricing_note": pick("note", nil, "why", "why not"),
		"llm_cost_usd": llm, "infra_cost_usd": infra, "tool_cost_usd": tool, "total_cost_usd": nil, "cache_savings_usd": amount("saved"),
	}
	if sum := money.Sum(llm, infra, tool); sum.Cmp(money.MustParse("999999")) < 0 {
		v["total_cost_usd"] = sum // the column ends at a million; the rest stays unknown
	}
	for _, name := range []string{"llm_cost_usd", "infra_cost_usd", "tool_cost_usd", "total_cost_usd", "cache_savings_usd"} {
		if isHeld(v) || rapid.IntRange(0, 9).Draw(t, name+" unknown") == 0 {
			v[name] = nil
		}
	}
	return v
}

func isHeld(v values) bool { return v["pricing"] == "unpriced" || v["pricing"] == "pending" }

// sums are a report's figures by column name, as fractions.
type sums map[string]*big.Rat

func (s sums) add(name string, x *big.Rat) {
	if s[name] == nil {
		s[name] = new(big.Rat)
	}
	s[name].Add(s[name], x)
}

// rat is a value as a fraction; what is not known adds nothing.
func rat(v any) *big.Rat {
	switch v := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(v)
	case bool:
		if v {
			return big.NewRat(1, 1)
		}
	case money.USD:
		return new(big.Rat).SetFrac(v.Pico(), big.NewInt(1_000_000_000_000))
	}
	return new(big.Rat)
}

// counts is 1 for a record, -1 for one that is taken back.
func counts(r values) int64 {
	if n, _ := r["correction"].(int64); n < 0 {
		return -1
	}
	return 1
}

// expected adds up records by hand, in fractions.
func expected(records []values) sums {
	s := sums{}
	for _, r := range records {
		hit, known := r["cache_hit"].(bool), !isHeld(r)
		failed := r["pricing"] == "not_billed" && (r["match"] != "ambiguous" || r["usage_line"] != nil)
		for name, parts := range map[string][]any{
			"requests":     {counts(r)},
			"input_tokens": {r["input_uncached_tokens"], r["cache_read_tokens"], r["cache_write_5m_tokens"], r["cache_write_1h_tokens"], r["cache_write_unknown_tokens"]}, "output_tokens": {r["output_tokens"]},
			"llm_cost_usd": {r["llm_cost_usd"]}, "infra_cost_usd": {r["infra_cost_usd"]}, "tool_cost_usd": {r["tool_cost_usd"]}, "total_cost_usd": {r["total_cost_usd"]},
			"gross_cost_usd": {r["total_cost_usd"], r["cache_savings_usd"]}, "cache_savings_usd": {r["cache_savings_usd"]},
			"held": {isHeld(r)}, "errors": {failed}, "cache_hits": {hit}, "savings_unknown": {known && r["cache_savings_usd"] == nil},
			"gateway_savings_usd": {nil}, "prompt_cache_savings_usd": {nil},
		} {
			for _, part := range parts {
				s.add(name, rat(part))
			}
		}
		if hit {
			s.add("gateway_savings_usd", rat(r["cache_savings_usd"]))
		} else {
			s.add("prompt_cache_savings_usd", rat(r["cache_savings_usd"]))
		}
	}
	return s
}

// group splits records by the values of columns.
func group(records []values, by ...string) map[string][]values {
	groups := map[string][]values{}
	for _, r := range records {
		key := ""
		for _, name := range by {
			key += fmt.Sprintf("%v|", r[name])
		}
		groups[key] = append(groups[key], r)
	}
	return groups
}

// checkSums compares every column that adds up.
func checkSums(t *rapid.T, r report.Report, what string, row []any, want sums) {
	t.Helper()
	for i, c := range r.Columns {
		if c.Kind != report.Count && c.Kind != report.USD || c.Name == "corrections" {
			continue
		}
		expect := want[c.Name]
		if expect == nil {
			expect = new(big.Rat)
		}
		if rat(row[i]).Cmp(expect) != 0 {
			t.Fatalf("%s, %s: %s is %v, want %s", r.Name, what, c.Name, row[i], expect.FloatString(12))
		}
	}
}

// checkReport compares rows, by their first len(by) columns, and total.
func checkReport(t *rapid.T, r report.Report, records []values, by ...string) {
	t.Helper()
	groups := group(records, by...)
	if len(r.Rows) != len(groups) {
		t.Fatalf("%s has %d rows, want %d", r.Name, len(r.Rows), len(groups))
	}
	for _, row := range r.Rows {
		key := ""
		for i := range by {
			key += fmt.Sprintf("%v|", row[i])
		}
		checkSums(t, r, key, row, expected(groups[key]))
	}
	checkSums(t, r, "total", r.Total, expected(records))
	first := "total_cost_usd"
	if r.Name == "savings" {
		first = "cache_savings_usd"
	}
	checkOrder(t, r, append([]string{"-" + first}, names(r, len(by))...)...)
}

func names(r report.Report, n int) (names []string) {
	for _, c := range r.Columns[:n] {
		names = append(names, c.Name)
	}
	return names
}

// checkOrder compares each row with the one before by columns; "-" is
// descending. Two rows are never equal, so there is only one right order.
func checkOrder(t *rapid.T, r report.Report, by ...string) {
	t.Helper()
	for i := 1; i < len(r.Rows); i++ {
		order := 0
		for _, name := range by {
			name, descending := strings.CutPrefix(name, "-")
			a, b := shown(r, r.Rows[i-1], name), shown(r, r.Rows[i], name)
			next := cmp.Or(rat(a).Cmp(rat(b)), strings.Compare(textOf(a), textOf(b)))
			if descending {
				next = -next
			}
			order = cmp.Or(order, next)
		}
		if order >= 0 {
			t.Fatalf("%s: row %d does not come after the one before by %v: %v, %v", r.Name, i, by, r.Rows[i-1], r.Rows[i])
		}
	}
}

func textOf(v any) string { s, _ := v.(string); return s }

// checkList compares a column that lists all values that occur in a row.
func checkList(t *rapid.T, r report.Report, records []values, by, column, of string) {
	t.Helper()
	for _, row := range r.Rows {
		occur := group(group(records, by)[fmt.Sprintf("%v|", row[0])], of)
		list := slices.Sorted(maps.Keys(occur))
		for i, key := range list {
			list[i] = strings.TrimSuffix(key, "|")
		}
		if got, want := shown(r, row, column), strings.Join(list, ", "); got != want {
			t.Fatalf("%s of %v: %s is %q, want %q", r.Name, row[0], column, got, want)
		}
	}
}

func value(r report.Report, row []any, name string) *big.Rat {
	for i, c := range r.Columns {
		if c.Name == name {
			return rat(row[i])
		}
	}
	return nil
}

func shown(r report.Report, row []any, name string) any {
	for i, c := range r.Columns {
		if c.Name == name {
			return row[i]
		}
	}
	return nil
}

// Goal: every report of a month adds up to the same total, to the last digit,
// and so does every row; and rows have one order, whatever order records came in.
// Method: random records in a real ledger against sums of fractions by hand.
func TestReportsTie(t *testing.T) {
	b := openBooks(t)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 25).Draw(t, "records")
		b.clear(t)
		b.record(t, all...)
		var records, bots []values
		for _, r := range all {
			if r["billing_month"] == october.FirstDay() {
				records = append(records, r)
			}
			if day := r["usage_date"].(civil.Date); r["agent_id"] == "bot" && day.Month() == october {
				bots = append(bots, r)
			}
		}
		ctx := context.Background()
		read := func(r report.Report, err error) report.Report { return must(t, r, err) }

		checkReport(t, read(report.Departments(ctx, b, october)), records, "department", "cost_center")
		centers := read(report.CostCenters(ctx, b, october))
		checkReport(t, centers, records, "cost_center")
		checkList(t, centers, records, "cost_center", "department", "department")
		checkShares(t, centers)
		agents := read(report.Agents(ctx, b, october))
		checkReport(t, agents, records, "agent_id")
		checkList(t, agents, records, "agent_id", "cost_centers", "cost_center")
		checkAverages(t, agents)
		users := read(report.Users(ctx, b, october, "", 0))
		checkReport(t, users, records, "user_id")
		checkAverages(t, users)
		checkReport(t, read(report.Users(ctx, b, october, "Support", 0)), group(records, "department")["Support|"], "user_id")
		checkSavings(t, read(report.Savings(ctx, b, october)), records)
		daily := read(report.AgentDaily(ctx, b, "bot", october.LastDay(), 31))
		checkSums(t, daily, "total", daily.Total, expected(bots))
		checkOrder(t, daily, "usage_date", "-total_cost_usd", "model")
		checkHeld(t, read(report.Held(ctx, b, october)), records)
	})
}

func checkShares(t *rapid.T, r report.Report) {
	t.Helper()
	if value(r, r.Total, "total_cost_usd").Sign() <= 0 {
		if got := shown(r, r.Total, "share_percent"); got != nil {
			t.Fatalf("a share of %v where there is no cost", got)
		}
		return
	}
	sum := new(big.Rat)
	for _, row := range r.Rows {
		share, valid := new(big.Rat).SetString(fmt.Sprint(shown(r, row, "share_percent")))
		if !valid {
			t.Fatalf("share %v", shown(r, row, "share_percent"))
		}
		sum.Add(sum, share)
	}
	if sum.Cmp(big.NewRat(100, 1)) != 0 || shown(r, r.Total, "share_percent") != "100.00" {
		t.Fatalf("shares add up to %s %%", sum.FloatString(2))
	}
}

func checkAverages(t *rapid.T, r report.Report) {
	t.Helper()
	half := big.NewRat(5, 10_000_000)
	for _, row := range append(append([][]any{}, r.Rows...), r.Total) {
		n := new(big.Rat).Sub(value(r, row, "requests"), value(r, row, "held"))
		got := shown(r, row, "average_cost_usd")
		if n.Sign() <= 0 {
			if got != nil {
				t.Fatalf("%s: average %v of no requests", r.Name, got)
			}
			continue
		}
		printed, valid := new(big.Rat).SetString(fmt.Sprint(got))
		if _, decimals, _ := strings.Cut(fmt.Sprint(got), "."); !valid || len(decimals) != 6 {
			t.Fatalf("%s: average %v", r.Name, got)
		}
		off := new(big.Rat).Sub(new(big.Rat).Quo(value(r, row, "total_cost_usd"), n), printed)
		if off.Abs(off).Cmp(half) > 0 {
			t.Fatalf("%s: average %v is off by %s", r.Name, got, off.FloatString(9))
		}
	}
}

func checkSavings(t *rapid.T, r report.Report, records []values) {
	t.Helper()
	checkReport(t, r, records, "cost_center")
	for _, row := range append(append([][]any{}, r.Rows...), r.Total) {
		get := func(name string) *big.Rat { return value(r, row, name) }
		net := new(big.Rat).Sub(get("gross_cost_usd"), get("cache_savings_usd"))
		both := new(big.Rat).Add(get("gateway_savings_usd"), get("prompt_cache_savings_usd"))
		if net.Cmp(get("total_cost_usd")) != 0 || both.Cmp(get("cache_savings_usd")) != 0 {
			t.Fatalf("savings do not tie in %v", row)
		}
	}
}

func checkHeld(t *rapid.T, r report.Report, records []values) {
	t.Helper()
	var held []values
	for _, v := range records {
		if isHeld(v) {
			held = append(held, v)
		}
	}
	groups := group(held, "pricing", "pricing_note", "provider", "model")
	if len(r.Rows) != len(groups) {
		t.Fatalf("held has %d rows, want %d", len(r.Rows), len(groups))
	}
	for _, row := range r.Rows {
		key := fmt.Sprintf("%v|%v|%v|%v|", row[0], row[1], row[2], row[3])
		checkSums(t, r, key, row, expected(groups[key]))
	}
	checkSums(t, r, "total", r.Total, expected(held))
	checkOrder(t, r, "-pricing", "-requests", "provider", "model", "reason")
}

// Goal: what lies beyond the limit is named and stays in the total.
// Method: limits around the number of users against the whole list.
func TestUsersLimit(t *testing.T) {
	b := openBooks(t)
	b.fillExample(t)
	all := everyUser(t, b, "", 0)
	for _, tt := range []struct {
		name  string
		limit int
		rows  int
		note  string
	}{
		{"no limit", 0, 4, ""},
		{"below zero is no limit", -1, 4, ""},
		{"first", 1, 1, "3 users with 107.05552 USD not listed; the total includes them."},
		{"all but one", 3, 3, "1 user with 0.00512 USD not listed; the total includes them."},
		{"as many as there are", 4, 4, ""},
		{"more than there are", 5, 4, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := everyUser(t, b, "", tt.limit)
			if diff := gocmp.Diff(all.Rows[:tt.rows], r.Rows); diff != "" {
				t.Errorf("rows differ (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(all.Total, r.Total); diff != "" {
				t.Errorf("total differs (-want +got):\n%s", diff)
			}
			if got := strings.Join(r.Notes[len(all.Notes):], ""); got != tt.note {
				t.Errorf("note %q, want %q", got, tt.note)
			}
		})
	}
}

func everyUser(t *testing.T, b *books, department string, limit int) report.Report {
	t.Helper()
	r, err := report.Users(t.Context(), b, october, department, limit)
	return must(t, r, err)
}
