package demo

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/transform/money"
)

// Goal: the summary's match counts are what the files give.
// Method: join the two sides by the ladder of keys, with files as the only
// source.
func TestMatches(t *testing.T) {
	usage, requests, _ := readLogs(t, built().files)
	byHeader, byReply, byRef := map[string]string{}, map[string]string{}, map[string]string{}
	calls := map[string]requestFile{}
	for _, r := range requests {
		id := r.rec["litellm_call_id"].(string)
		calls[id] = r
		for name, value := range r.rec["hidden_params"].(map[string]any)["additional_headers"].(map[string]any) {
			if strings.EqualFold(name, "llm_provider-x-amzn-requestid") {
				byHeader[value.(string)] = id
			}
		}
		if r.rec["cache_hit"] != true {
			byReply[r.rec["id"].(string)] = id
		}
		ref, _ := r.rec["metadata"].(map[string]any)["spend_logs_metadata"].(map[string]any)["client_ref"].(string)
		if ref == "" {
			ref = id
		}
		byRef[ref] = id
	}
	var got MatchCounts
	seen, used := map[string]bool{}, map[string]int{}
	for _, l := range usage {
		if l.rec == nil || seen[l.rec["requestId"].(string)] {
			continue
		}
		id := l.rec["requestId"].(string)
		seen[id] = true
		switch {
		case byHeader[id] != "":
			got.ByRequestID++
			used[byHeader[id]]++
		case byReply[replyID(l.rec)] != "":
			got.ByResponseID++
			used[byReply[replyID(l.rec)]]++
		case byRef[reference(l.rec)] != "":
			got.ByClientRef++
			used[byRef[reference(l.rec)]]++
		default:
			got.ProviderOnly++
		}
	}
	billedTwice := 0
	for id, r := range calls {
		failed, bedrock := r.rec["status"] == "failure", r.rec["custom_llm_provider"] == "bedrock"
		switch {
		case used[id] > 1:
			billedTwice++
		case r.rec["cache_hit"] == true:
		case failed && !billed(usage, r, used[id]):
			got.FreeFailures++
		case !failed && !bedrock:
			got.GatewayUsage++
		case !failed && used[id] == 0:
			got.Doubtful++
		}
	}
	if diff := cmp.Diff(built().sum.Match, got); diff != "" {
		t.Errorf("matches (-summary +files): %s", diff)
	}
	if want := built().sum.Kinds[Retried]; billedTwice != want {
		t.Errorf("%d requests were billed twice, want %d", billedTwice, want)
	}
}

// billed says whether a failed request has a provider record without an error:
// one that carries its call id and tokens.
func billed(usage []usageLine, r requestFile, matches int) bool {
	if matches == 0 {
		return false
	}
	for _, l := range usage {
		if l.rec != nil && reference(l.rec) == r.rec["litellm_call_id"] {
			return l.rec["errorCode"] == nil
		}
	}
	return false
}

func replyID(rec map[string]any) string {
	output, _ := rec["output"].(map[string]any)
	switch body := output["outputBodyJson"].(type) {
	case map[string]any:
		id, _ := body["id"].(string)
		return id
	case []any:
		id, _ := body[0].(map[string]any)["message"].(map[string]any)["id"].(string)
		return id
	}
	return ""
}

func reference(rec map[string]any) string {
	meta, _ := rec["requestMetadata"].(map[string]any)
	for _, key := range []string{"litellm_call_id", "client_ref"} {
		if ref, ok := meta[key].(string); ok {
			return ref
		}
	}
	return ""
}

// Goal: the truth adds up, and departments are worth a report.
func TestCostsAddUp(t *testing.T) {
	s := built().sum
	charged, total := 0, money.USD{}
	for _, ch := range built().month.charges(built().calls) {
		charged, total = charged+1, total.Add(ch.total())
	}
	if !s.Total().Equal(total) {
		t.Errorf("cost centres add up to %s, charges to %s", s.Total(), total)
	}
	rules, calls := 0, 0
	for _, n := range s.Rules {
		rules += n
	}
	departments := map[string]money.USD{}
	for _, c := range s.Centers {
		calls += c.Calls
		departments[c.Department] = departments[c.Department].Add(c.Total())
		if c.Total().Sign() <= 0 {
			t.Errorf("%s owes %s", c.Code, c.Total())
		}
	}
	if rules != charged || calls != charged {
		t.Errorf("%d charges, %d by rule, %d by cost centre", charged, rules, calls)
	}
	if want := charged + s.HeldUnpriced + s.Match.FreeFailures + s.Match.Doubtful + s.Kinds[DirectError]; want != len(built().calls) {
		t.Errorf("%d calls, but %d charged, held or free", len(built().calls), want)
	}
	if len(departments) != 7 || len(s.Rules) != 7 {
		t.Errorf("departments %v, rules %v", departments, s.Rules)
	}
	for _, name := range []string{"Support", "Engineering", "Sales", "Marketing", "Finance"} {
		if departments[name].Cmp(money.MustParse("100")) < 0 {
			t.Errorf("%s owes only %s", name, departments[name])
		}
	}
	if departments[""].Cmp(money.MustParse("50")) > 0 {
		t.Errorf("%s are unallocated, more than the config allows", departments[""])
	}
}

// Goal: each budget tells its part of the story, on days that late records and
// the shared costs of the month's end cannot move.
func TestBudgets(t *testing.T) {
	want := map[string]int{"support": 3, "engineering": 2, "sales": 1, "marketing": 1, "finance": 0, "platform-engineering": 2}
	got := map[string]int{}
	for i, b := range built().sum.Budgets {
		got[b.Name] = len(b.Crossed)
		if b.Name == "marketing" {
			if diff := cmp.Diff([]Crossing{{Day: spikeDay, Thresholds: usual}}, b.Crossed); diff != "" {
				t.Errorf("marketing: %s", diff)
			}
		}
		daily := dailyOf(b)
		if margin := budgetPlans[i].margin(daily, b.AmountUSD); margin < 75 {
			t.Errorf("%s: an evening is only %d hundredths of a percent from a threshold", b.Name, margin)
		}
		daily[len(daily)-1] = daily[len(daily)-1].Add(sharedCosts(b))
		if diff := cmp.Diff(b.Crossed, b.crossings(daily)); diff != "" {
			t.Errorf("%s with shared costs: %s", b.Name, diff)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("crossings: %s", diff)
	}
}

func dailyOf(b Budget) []money.USD {
	m := built().month
	daily := make([]money.USD, m.days+1)
	for _, ch := range m.charges(built().calls) {
		if b.covers(ch.center) {
			daily[ch.day] = daily[ch.day].Add(ch.total())
		}
	}
	return daily
}

// sharedCosts is more than a budget's part of the demo's shared costs: a tenth
// of its spending and its weights of the fixed item.
func sharedCosts(b Budget) money.USD {
	part := money.Split(money.Sum(dailyOf(b)...), []money.Part{{Key: "a", Exact: money.MustParse("1")}, {Key: "b", Exact: money.MustParse("9")}})[0]
	for code, fixed := range map[string]string{"00420": "30", "CC-1001": "18", "CC-2001": "12"} {
		if b.covers(code) {
			part = part.Add(money.MustParse(fixed))
		}
	}
	return part
}

// Goal: every token in the logs has a price of its own, so that nothing of the
// truth rests on a fallback.
func TestPrices(t *testing.T) {
	for _, c := range built().calls {
		if c.model == unpriced {
			continue
		}
		r, ok := rateOf(built().month.book, c.model, c.at)
		if !ok {
			t.Fatalf("%s has no price at %s", c.model, c.at)
		}
		for class, missing := range map[string]bool{
			"cache read":  c.tokens.read > 0 && r.read.IsZero(),
			"cache write": c.tokens.written > 0 && r.written.IsZero(),
		} {
			if missing {
				t.Fatalf("%s has no price for %s", c.model, class)
			}
		}
		if c.tokens.prompt() > 200_000 {
			t.Errorf("%s was sent %d tokens, for which it has other prices", c.model, c.tokens.prompt())
		}
	}
}

func TestRateOf(t *testing.T) {
	m := built().month
	for _, tc := range []struct {
		name, model, at string
		tokens          tokens
		want            string
	}{
		{"all classes", sonnet, "2026-10-01T00:00:00Z", tokens{1_000_000, 1_000_000, 1_000_000, 1_000_000}, "22.05"},
		{"before the change", nova, "2026-10-14T23:59:59Z", tokens{1_000_000, 0, 0, 0}, "0.80"},
		{"from the change on", nova, "2026-10-15T00:00:00Z", tokens{1_000_000, 0, 0, 0}, "0.60"},
		{"one token", mini5, "2026-10-15T00:00:00Z", tokens{0, 1, 0, 0}, "0.000000025"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, ok := rateOf(m.book, tc.model, at(t, tc.at))
			if got := r.cost(tc.tokens); !ok || got.String() != tc.want {
				t.Errorf("cost %s, priced %v; want %s", got, ok, tc.want)
			}
		})
	}
}

// Goal: the people of the story are found where the story puts them.
func TestPayer(t *testing.T) {
	m := built().month
	for _, tc := range []struct {
		name         string
		call         call
		at           string
		center, rule string
	}{
		{"explicit before user", call{email: mover, costCenter: "CC-4001"}, "2026-10-05T10:00:00Z", "CC-4001", ruleExplicit},
		{"mover, last evening before", call{email: mover}, "2026-10-15T21:59:59Z", "00420", ruleUser},
		{"mover, from midnight in Berlin", call{email: mover}, "2026-10-15T22:00:00Z", "CC-2001", ruleUser},
		{"address with capitals and spaces", call{email: uncleanForm}, "2026-10-05T10:00:00Z", "CC-1001", ruleUser},
		{"leaver on the last day", call{email: leaver, agent: "sales-copilot"}, "2026-10-20T21:00:00Z", "CC-2001", ruleUser},
		{"leaver afterwards", call{email: leaver, agent: "sales-copilot"}, "2026-10-20T22:00:00Z", "CC-2001", ruleAgent},
		{"owner by address", call{agent: "expense-checker"}, "2026-10-05T10:00:00Z", "CC-4001", ruleAgent},
		{"agent before its handover", call{agent: releaseNotes}, "2026-10-19T12:00:00Z", "CC-1001", ruleAgent},
		{"agent after its handover", call{agent: releaseNotes}, "2026-10-20T12:00:00Z", "CC-1002", ruleAgent},
		{"team", call{agent: pilot, team: "data-platform"}, "2026-10-05T10:00:00Z", "CC-1002", ruleTeam},
		{"key", call{agent: pilot, key: "pilot-key"}, "2026-10-05T10:00:00Z", "CC-1001", ruleKey},
		{"caller", call{caller: callerETL}, "2026-10-05T10:00:00Z", "CC-1002", ruleCaller},
		{"nobody", call{email: contractor, agent: "company-assistant", caller: callerSandbox}, "2026-10-05T10:00:00Z", unallocated, ruleUnallocated},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := tc.call
			c.at = at(t, tc.at)
			if center, rule := m.payer(&c); center != tc.center || rule != tc.rule {
				t.Errorf("%s by %s, want %s by %s", center, rule, tc.center, tc.rule)
			}
		})
	}
}

// Goal: every special call can be found by what the summary says of it.
func TestCases(t *testing.T) {
	kinds := map[Kind]int{}
	for _, c := range built().sum.Cases {
		kinds[c.Kind]++
		if c.CallID != "" && !bytes.Contains(built().files[c.RequestKey], []byte(c.CallID)) {
			t.Errorf("%s: %s is not in %s", c.Kind, c.CallID, c.RequestKey)
		}
		for i, id := range c.RequestIDs {
			if text := gunzip(t, c.UsageKeys[i], built().files[c.UsageKeys[i]]); !bytes.Contains(text, []byte(id)) {
				t.Errorf("%s: %s is not in %s", c.Kind, id, c.UsageKeys[i])
			}
		}
	}
	for _, kind := range []Kind{Ordinary, CacheHit, Refused} {
		kinds[kind] = built().sum.Kinds[kind]
	}
	if diff := cmp.Diff(built().sum.Kinds, kinds); diff != "" {
		t.Errorf("kinds (-summary +cases): %s", diff)
	}
}

// Goal: the people file says for every day where a person belongs, once.
func TestPeople(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(built().files["people.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"email", "department", "cost_center", "valid_from", "valid_to"}, rows[0]); diff != "" {
		t.Errorf("header: %s", diff)
	}
	if len(rows)-1 != built().sum.People {
		t.Errorf("%d rows, summary says %d", len(rows)-1, built().sum.People)
	}
	open := map[string]string{}
	for _, row := range rows[1:] {
		if centerOf(row[2]).Department != row[1] {
			t.Errorf("%v: the cost centre is of another department", row)
		}
		if until, again := open[row[0]]; again && (until == "" || row[3] < until) {
			t.Errorf("%v overlaps an earlier row", row)
		}
		open[row[0]] = row[4]
	}
}

func at(t *testing.T, instant string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
