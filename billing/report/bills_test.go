package report_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/report"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

func readBills(t testing.TB, b *books, sources ...string) report.Bills {
	t.Helper()
	first := civil.Date{Year: 2026, Mon: 10, Day: 1}
	all, err := report.ReadBills(t.Context(), b, first, first.AddDays(30), sources, resolve)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// told is a figure as tests compare it.
type told struct {
	Provider, Unit, Told, Has string
	Sources                   []string
	Largest, Nobodys          []string
}

func figuresOf(all report.Bills) (figures []told) {
	items := func(list []report.BillItem) (texts []string) {
		for _, i := range list {
			texts = append(texts, i.Account+"/"+i.Name+" "+i.Told.String()+" "+i.Has.String())
		}
		return texts
	}
	for _, f := range all.Figures {
		var sources []string
		for s := range f.Sources {
			sources = append(sources, s)
		}
		slices.Sort(sources)
		figures = append(figures, told{f.Provider, f.Unit, f.Told.String(), f.Has.String(), sources, items(f.Largest), items(f.Nobodys)})
	}
	return figures
}

// Goal: the two sides that a close compares are those of report totals: amounts of
// bills with what was charged for models, quantities of reports without amounts
// with what was metered.
func TestBills(t *testing.T) {
	b := openBooks(t)
	b.fillTotals(t)
	all := readBills(t, b, "openai-usage", "openai-costs", "aws-bill")
	want := []told{
		{"bedrock", "USD", "20275000000", "23055000000", []string{"aws-bill"}, []string{"/anthropic.claude-sonnet-4-6 18375000000 23055000000"}, []string{"/Tax 1900000000 0"}},
		{"openai", "USD", "55850000000", "15600000000", []string{"openai-costs"}, []string{"/gpt-4o 5850000000 15600000000"}, []string{"/web search tool calls 50000000000 0"}},
		{"openai", "tokens", "6560", "3000", []string{"openai-usage"}, []string{"/gpt-4o 1560 3000"}, []string{"/text-embedding-3-small 5000 0"}},
	}
	if diff := cmp.Diff(want, figuresOf(all)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := figuresOf(readBills(t, b, "openai-usage")); len(got) != 1 || got[0].Unit != "tokens" {
		t.Errorf("of one source alone: %+v", got)
	}
	if !all.Used["bedrock"] || !all.Used["openai"] || all.Used["anthropic"] || !all.Told["aws-bill"] || all.Told["gateway"] {
		t.Errorf("used %v, told %v", all.Used, all.Told)
	}
}

// Goal: markups are no part of what a provider bills; accounts part the items where
// both sides name them alike; searches meet searches.
func TestBillsOfAccountsAndMarkups(t *testing.T) {
	b := openBooks(t)
	b.insert(t, "rate_entries", values{"rate_id": int64(7), "rate_version": "v1", "price_key": "openai/o3", "markup": int64(100_000), "terms": `[{"class":"input","list":"2","unit":"2.2"},{"class":"search","list":"0.01","unit":"0.011"}]`})
	empty := values{"cache_read_tokens": int64(0), "output_tokens": int64(0), "input_uncached_tokens": int64(1_000_000)}
	b.record(t,
		metered("openai", "o3", 5, 8, int64(7), and(amounts("2.2", "0", "0", "0"), empty, values{"account": "one"})),
		metered("openai", "o3", 5, 9, int64(7), and(amounts("2.255", "0", "0", "0"), empty, values{"account": "two", "searches": int64(5)})),
	)
	b.insert(t, "objects", values{"object_id": int64(1), "source": "costs", "state": "read"})
	b.insert(t, "totals",
		total(1, "openai", "o3", "input_uncached", 5, and(billed("2"), values{"account": "one"})),
		total(1, "openai", "o3", "input_uncached", 5, and(billed("3"), values{"account": "two"})),
		total(1, "openai", "", "", 5, and(billed("0.05"), values{"model": nil, "token_class": nil, "line_item": "Web Search tool calls", "account": "two"})),
	)
	want := []told{{"openai", "USD", "5050000000000", "4050000000000", []string{"costs"}, []string{"two/o3 3000000000000 2050000000000", "two/Web Search tool calls 50000000000 0"}, nil}}
	if diff := cmp.Diff(want, figuresOf(readBills(t, b, "costs"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Goal: beyond a tolerance is what a fraction says, at its edge too.
func TestBeyond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := report.Figure{Told: big.NewInt(rapid.Int64Range(-2000, 2000).Draw(t, "told")), Has: big.NewInt(rapid.Int64Range(-2000, 2000).Draw(t, "has"))}
		tenths := rapid.Int64Range(0, 1000).Draw(t, "tenths of a percent")
		tolerance := money.FromPico(tenths * 100_000_000_000)
		off, most := new(big.Rat).SetInt(f.Difference()), new(big.Rat).Mul(new(big.Rat).SetInt(f.Told), big.NewRat(tenths, 1000))
		if want := off.Abs(off).Cmp(most.Abs(most)) > 0; f.Beyond(tolerance) != want {
			t.Errorf("%s told, %s here, beyond %s%%: %v", f.Told, f.Has, tolerance, !want)
		}
	})
}
