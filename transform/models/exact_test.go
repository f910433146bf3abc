package models_test

import (
	"context"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

const (
	exactBooks = 20
	exactSeed  = 20261020
)

// exactRequests is how many requests are priced: a million, or what
// EXACT_REQUESTS says.
func exactRequests(t *testing.T) int {
	text := os.Getenv("EXACT_REQUESTS")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < exactBooks {
		t.Fatalf("EXACT_REQUESTS is %q; write a whole number of at least %d", text, exactBooks)
	}
	return n
}

// Goal: whatever a rate book says and whatever a request counts, each amount is
// exact, and so is what each cost centre owes.
// Method: a million random requests by twenty random books, at the edges of
// everything more often than chance has it; against list prices times factors as
// fractions, rounded once, times tokens as big integers, worked out without
// transform/rates. EXACT_REQUESTS=10000000 asks for more requests.
func TestExact(t *testing.T) {
	each := (exactRequests(t) + exactBooks - 1) / exactBooks
	used := make([]map[string]int, exactBooks)
	t.Run("books", func(t *testing.T) {
		for i := range exactBooks {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				used[i] = newExactTest(i, 8, each).run(t, openBooks(t))
			})
		}
	})
	if t.Failed() || each < 10_000 {
		return
	}
	for _, what := range []string{
		"tier flex", "tier priority", "tier batch", "tier express", "off-peak", "uplift", "discount", "markup", "contract", "threshold", "range", "cache hit",
		"no offer", "no fees", "no fee of a tool", "no price of searches", "no such tier",
	} {
		n := 0
		for _, of := range used {
			n += of[what]
		}
		if n < each/20 {
			t.Errorf("of all requests only %d saw %q", n, what)
		}
	}
}

// Goal: BigQuery prices as DuckDB does.
// Method: TestExact for one book and a few hundred requests, on the emulator. It
// takes some microseconds for each pair of a record and a rate: book 4 has few
// rates, and most of what decides a price.
func TestExactOnBigQuery(t *testing.T) {
	b := openEmulated(t, bqtest.Start(t, os.Getenv(bqtest.Program)), "books", berlin())
	newExactTest(4, 6, 200).run(t, b)
}

// exactTest is one random book and random requests.
type exactTest struct {
	dice   dice
	number int
	list   *priceList
	edges  []time.Time
	meters []ask
	rows   ledgertest.Rows
	want   map[int64]exactRecord
	alone  map[string][]time.Time // usage and requests without the other side, by what both count
}

// exactRecord is what a record must be.
type exactRecord struct {
	ask    ask
	charge charge
}

func newExactTest(number, meters, requests int) *exactTest {
	x := &exactTest{dice: dice{rand.New(rand.NewPCG(exactSeed, uint64(number)))}, number: number, want: map[int64]exactRecord{}, alone: map[string][]time.Time{}}
	x.list = x.dice.priceList()
	x.edges = x.list.edges()
	for range meters {
		x.meters = append(x.meters, ask{
			model: pick(x.dice, exactModels...), account: pick(x.dice, "", "acct-1", "acct-1", "acct-2"), region: pick(x.dice, "", "eu", "eu-central-1", "us-east-1"),
			tier: pick(x.dice, "standard", "standard", "standard", "flex", "priority", "batch", "express", "ultrafast", "warp"),
		})
	}
	for n := 0; len(x.want) < requests; n++ {
		x.draw(n)
	}
	return x
}

// draw adds one record: a usage row, a request that the gateway metered or
// answered itself, or a usage row with its request.
func (x *exactTest) draw(n int) {
	d := x.dice
	a := pick(d, x.meters...)
	a.at, a.payer, a.hasFees = x.instant(), pick(d, exactCenters...), true
	a.tokens = x.tokens()
	id := fmt.Sprintf("%d/%d", x.number, n)
	at := a.at.Format("2006-01-02 15:04:05.999999")
	sent := map[string]string{"standard": pick(d, "", "default"), "priority": pick(d, "priority", "fast")}[a.tier]
	if sent == "" && a.tier != "standard" {
		sent = a.tier
	}
	u := usage{Key: id, At: at, Provider: "p", Model: a.model, Account: a.account, Region: a.region, Tier: sent, CostCenter: a.payer, Tokens: a.tokens}
	r := request{ID: id, At: at, Provider: "p", Model: a.model, Region: a.region, Tier: sent, CostCenter: a.payer, Tokens: a.tokens}
	key := ledgertest.Key(id)
	switch kind := d.IntN(20); {
	case (kind < 12 || kind > 13) && x.alike(a, kind < 12):
		return
	case kind < 12:
		x.rows.Usage = append(x.rows.Usage, u)
	case kind < 14:
		a.calls = x.calls()
		u.RequestID, r.RequestID = id, id
		r.Tools = toolsText(a.calls)
		r.Tokens = record.Tokens{}
		x.rows.Usage, x.rows.Requests = append(x.rows.Usage, u), append(x.rows.Requests, r)
	default:
		a.account, a.cacheHit = "", kind == 14
		a.calls = x.calls()
		r.CacheHit, r.Tools = a.cacheHit, toolsText(a.calls)
		x.rows.Requests = append(x.rows.Requests, r)
		key = r.RecordKey()
	}
	if a.payer == "" || a.payer == "nowhere" {
		a.payer = "UNALLOCATED"
	}
	x.want[key] = exactRecord{a, x.list.cost(a)}
}

// alike says whether a row of the other side has the same counts at about the
// same time: such a pair may be one call. It notes what has not.
func (x *exactTest) alike(a ask, usage bool) bool {
	t := a.tokens
	counts := fmt.Sprint(a.model, t.InputUncached, t.CacheRead, t.CacheWrite5m+t.CacheWrite1h+t.CacheWriteUnknown, t.Output)
	for _, at := range x.alone[fmt.Sprint(!usage, counts)] {
		if at.Sub(a.at).Abs() <= 2*time.Minute {
			return true
		}
	}
	own := fmt.Sprint(usage, counts)
	x.alone[own] = append(x.alone[own], a.at)
	return false
}

// instant is any, or within a microsecond of a change of the book.
func (x *exactTest) instant() time.Time {
	if d := x.dice; len(x.edges) > 0 && d.in(4) {
		return pick(d, x.edges...).Add(pick(d, -time.Microsecond, 0, time.Microsecond))
	}
	return x.dice.instant().Add(time.Duration(x.dice.IntN(1_000_000)) * time.Microsecond)
}

// tokens draws counts of which now and then one is as large as they get, and a
// prompt that is often just as large as a threshold.
func (x *exactTest) tokens() record.Tokens {
	d := x.dice
	count := func() int64 {
		if d.in(3) {
			return 0
		}
		return d.upTo(10_000_000)
	}
	n := record.Tokens{InputUncached: count(), CacheRead: count(), CacheWrite5m: count(), CacheWrite1h: count(), CacheWriteUnknown: count(), Output: count()}
	if d.in(100) {
		n.Output = 100_000_000
	}
	if d.in(3) {
		size := pick(d, sizesOf...) + pick[int64](d, -1, 0, 1)
		n = record.Tokens{CacheRead: d.Int64N(size + 1), Output: n.Output}
		n.InputUncached = size - n.CacheRead
		if d.in(2) {
			n.CacheWrite5m, n.InputUncached = n.InputUncached/3, n.InputUncached-n.InputUncached/3
		}
	}
	if d.in(4) {
		n.Reasoning = d.Int64N(n.Output + 1)
		n.OutputAudio = d.Int64N(n.Output - n.Reasoning + 1)
		n.OutputImage = n.Output - n.Reasoning - n.OutputAudio
	}
	if d.in(4) {
		n.InputAudio = d.Int64N(n.InputUncached + 1)
		n.InputImage = d.Int64N(n.InputUncached - n.InputAudio + 1)
		n.CacheReadAudio = d.Int64N(n.CacheRead + 1)
	}
	if d.in(6) {
		n.Searches = d.Int64N(20)
	}
	return n
}

func (x *exactTest) calls() []toolCall {
	return pick(x.dice, nil, nil, []toolCall{{"search", 2}}, []toolCall{{"search", 1}, {"shell", 31}}, []toolCall{{"*", 7}}, []toolCall{{"mystery", 1}})
}

func toolsText(calls []toolCall) string {
	var parts []string
	for _, c := range calls {
		parts = append(parts, fmt.Sprintf("%s:%d", c.name, c.count))
	}
	return strings.Join(parts, ",")
}

// run makes the records and compares each, and says how often what was used.
func (x *exactTest) run(t *testing.T, b *books) (used map[string]int) {
	t.Helper()
	b.stage(x.rows)
	book := ledgertest.Book{Text: x.list.yaml()}
	for _, code := range exactCenters[:3] {
		book.CostCenters = append(book.CostCenters, records.CostCenter{Code: code, Department: "Department of " + code})
	}
	b.replace(book, "2026-10-31", days("2026-10-20", "2026-10-30"))
	used = map[string]int{}
	owed := map[string]*big.Int{}
	for _, w := range x.want {
		for _, what := range w.charge.used {
			used[what]++
		}
		sum := owed[w.ask.payer]
		if sum == nil {
			sum = new(big.Int)
			owed[w.ask.payer] = sum
		}
		if w.charge.known {
			for _, part := range []int64{w.charge.llm, w.charge.infra, w.charge.tool} {
				sum.Add(sum, big.NewInt(part))
			}
		}
	}
	x.compareRecords(t, b)
	x.compareCenters(t, b, owed)
	return used
}

func (x *exactTest) compareRecords(t *testing.T, b *books) {
	t.Helper()
	left := len(x.want)
	err := warehouse.Each(context.Background(), b.engine, warehouse.Select{Args: records.Args{"since": civil.Min}, Text: `
select f.record_id, p.cost_center, f.llm_cost_usd, f.infra_cost_usd, f.tool_cost_usd, f.total_cost_usd
from {record_facts} as f
inner join {payers} as p on p.payer_id = f.payer_id
where f.usage_date >= {@since}`}, func(r struct {
		RecordID   int64
		CostCenter string
		LLM        *money.USD `column:"llm_cost_usd"`
		Infra      *money.USD `column:"infra_cost_usd"`
		Tool       *money.USD `column:"tool_cost_usd"`
		Total      *money.USD `column:"total_cost_usd"`
	}) error {
		w, ok := x.want[r.RecordID]
		left--
		want := [4]string{"null", "null", "null", "null"}
		same, parts := ok && r.CostCenter == w.ask.payer, []*money.USD{r.LLM, r.Infra, r.Tool, r.Total}
		for i, pico := range []int64{w.charge.llm, w.charge.infra, w.charge.tool, w.charge.llm + w.charge.infra + w.charge.tool} {
			if w.charge.known {
				want[i] = money.FromPico(pico).String()
			}
			same = same && samePico(parts[i], w.charge.known, pico)
		}
		if !same {
			t.Errorf("seed %d, book %d: record %d of %s: got %s + %s + %s = %s, want %s for %s: %+v",
				exactSeed, x.number, r.RecordID, r.CostCenter, amount(r.LLM), amount(r.Infra), amount(r.Tool), amount(r.Total), want, w.ask.payer, w)
			return errEnough
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v; the book is\n%s", err, x.list.yaml())
	}
	if left != 0 {
		t.Fatalf("seed %d, book %d: %d records too few", exactSeed, x.number, left)
	}
}

var errEnough = fmt.Errorf("one wrong record is enough")

func samePico(usd *money.USD, known bool, pico int64) bool {
	if usd == nil || !known {
		return (usd != nil) == known
	}
	return usd.Equal(money.FromPico(pico))
}

func (x *exactTest) compareCenters(t *testing.T, b *books, owed map[string]*big.Int) {
	t.Helper()
	found := 0
	each(b, "select cost_center, {total_usd(total_cost_usd)} as total from {cost_items} where usage_date >= {@since} group by cost_center", records.Args{"since": civil.Min}, func(r owes) {
		found++
		if want := owed[r.CostCenter]; want == nil || r.Total.Pico().Cmp(want) != 0 {
			t.Errorf("seed %d, book %d: %s owes %s, want %s pico-dollars", exactSeed, x.number, r.CostCenter, r.Total, want)
		}
	})
	if found != len(owed) {
		t.Errorf("seed %d, book %d: %d cost centres owe, want %d", exactSeed, x.number, found, len(owed))
	}
}
