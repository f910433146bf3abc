package rates

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AnyTool stands for the fee of tools that have none of their own, and for calls
// of which only the number is known.
const AnyTool = "*"

// ToolCall says how often a request called one tool.
type ToolCall struct {
	Name  string
	Count int64 // above 0
}

// callsMax is more calls of one tool than a request can make.
const callsMax = 1_000_000

// ParseToolMix reads web_search:2,*:3 and returns one entry for each name, by
// name. Empty text is no calls; entries of 0 are dropped.
func ParseToolMix(s string) ([]ToolCall, error) {
	if s == "" {
		return nil, nil
	}
	counts := map[string]int64{}
	for part := range strings.SplitSeq(s, ",") {
		name, digits, _ := strings.Cut(part, ":")
		count, err := strconv.ParseUint(digits, 10, 31)
		if name == "" || err != nil || counts[name]+int64(count) > callsMax {
			return nil, fmt.Errorf("read tool mix %q: %q is not name:count with a count up to %d; correct the record's tool calls", s, part, callsMax)
		}
		counts[name] += int64(count)
	}
	var tools []ToolCall
	for name, count := range counts {
		if count > 0 {
			tools = append(tools, ToolCall{name, count})
		}
	}
	slices.SortFunc(tools, byName)
	return tools, nil
}

// FormatToolMix writes the one form that equal mixes share: sorted by name.
// tools has one entry for each name, and no name has a comma or a colon.
func FormatToolMix(tools []ToolCall) string {
	parts := make([]string, len(tools))
	for i, t := range slices.SortedFunc(slices.Values(tools), byName) {
		parts[i] = t.Name + ":" + strconv.FormatInt(t.Count, 10)
	}
	return strings.Join(parts, ",")
}

func byName(a, b ToolCall) int { return strings.Compare(a.Name, b.Name) }

// ToolFee is what the calls of one request cost, in pico-dollars, by the fees of
// each tool. Where a tool has no fee, not even by AnyTool, or the sum is more
// than a ledger row holds, missing names the tool and the request can't be
// priced.
func ToolFee(fees map[string]int64, tools []ToolCall) (pico int64, missing string) {
	sum := new(big.Int)
	for _, t := range tools {
		each, ok := fees[t.Name]
		if !ok {
			each, ok = fees[AnyTool]
		}
		sum.Add(sum, new(big.Int).Mul(big.NewInt(each), big.NewInt(t.Count)))
		if !ok || sum.Cmp(toolsMaxPico()) >= 0 {
			return 0, t.Name
		}
	}
	return sum.Int64(), ""
}

// toolsMaxPico is 50,000 dollars: with all else that a request can cost, it stays
// below the million that a ledger row holds.
func toolsMaxPico() *big.Int { return big.NewInt(50_000_000_000_000_000) }

// ToolRate is the fees of tools for a range of time and a markup.
type ToolRate struct {
	From, To time.Time
	Markup   Percent
	Fees     map[string]int64
}

// ToolRates compiles the fees of tools in [from, to). Where the book has none at
// a time, Fees are empty.
func (b *Book) ToolRates(from, to time.Time) (rates []ToolRate) {
	for _, p := range b.periods(Meter{}, "", from, to) {
		for _, markup := range b.MarkupsWithin(from, to) {
			fees, _ := b.feeAt(p.from)
			r := ToolRate{p.from, p.to, markup, map[string]int64{}}
			for name, pico := range fees.Tools {
				r.Fees[name] = scaled(pico, markup.on())
			}
			rates = append(rates, r)
		}
	}
	return rates
}
