package demo

import (
	"time"

	"chargeback/transform/money"
)

// tokens are disjoint counts. The logs of the demo never say for how long a
// cache entry was written, so there is one count of written tokens; the price
// book prices it at five minutes.
type tokens struct{ fresh, read, written, output int64 }

// prompt is what a gateway calls prompt tokens: all input, cached or not.
func (t tokens) prompt() int64 { return t.fresh + t.read + t.written }

// price is one entry of the demo's rate book, in US dollars per million
// tokens; an empty class stays out of the file.
type price struct {
	Provider, Model                       string
	Aliases                               []string
	From                                  time.Time
	Input, Read, Write5m, Write1h, Output string
}

// The models of the demo company, as their price entries are called.
const (
	sonnet   = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	sonnetEU = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
	haikuEU  = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
	nova     = "amazon.nova-pro-v1:0"
	mini4o   = "gpt-4o-mini"
	mini5    = "gpt-5-mini"
	unpriced = "example.preview-model-v1:0" // in no rate book
)

// priceChangeDay is the day of the month on which nova gets cheaper, at
// midnight UTC.
const priceChangeDay = 15

// priceBook lists the prices that hold in the month that begins on first.
func priceBook(first time.Time) []price {
	start := time.Date(first.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	change := time.Date(first.Year(), first.Month(), priceChangeDay, 0, 0, 0, 0, time.UTC)
	return []price{
		{"bedrock", sonnet, []string{"global." + sonnet}, start, "3.00", "0.30", "3.75", "6.00", "15.00"},
		{"bedrock", sonnetEU, nil, start, "3.30", "0.33", "4.125", "6.60", "16.50"},
		{"bedrock", haikuEU, nil, start, "1.10", "0.11", "1.375", "2.20", "5.50"},
		{"bedrock", nova, nil, start, "0.80", "0.20", "", "", "3.20"},
		{"bedrock", nova, nil, change, "0.60", "0.15", "", "", "2.40"},
		{"openai", mini4o, []string{"gpt-4o-mini-2024-07-18"}, start, "0.15", "0.075", "", "", "0.60"},
		{"openai", mini5, []string{"gpt-5-mini-2025-08-07"}, start, "0.25", "0.025", "", "", "2.00"},
	}
}

// Fees of an agent request, in US dollars.
const (
	feeRequest  = "0.0001"
	feeCacheHit = "0.00002"
)

// fee is what one call of a tool costs; the name * stands for all others.
type fee struct{ Tool, USD string }

var toolFees = []fee{{"web_search", "0.01"}, {"code_interpreter", "0.03"}, {"*", "0.001"}}

func toolFee(name string) money.USD {
	for _, f := range toolFees {
		if f.Tool == name || f.Tool == "*" {
			return money.MustParse(f.USD)
		}
	}
	return money.USD{}
}

// rate is the price of one token of a class.
type rate struct{ input, read, written, output money.USD }

// rateOf finds a model's rate at an instant; ok is false without a price.
func rateOf(book []price, model string, at time.Time) (r rate, ok bool) {
	for _, p := range book {
		if p.Model == model && !at.Before(p.From) {
			r, ok = rate{perToken(p.Input), perToken(p.Read), perToken(p.Write5m), perToken(p.Output)}, true
		}
	}
	return r, ok
}

// perToken turns dollars per million tokens into dollars per token. Published
// prices have at most six decimals, so nothing is lost.
func perToken(perMillion string) money.USD {
	if perMillion == "" {
		return money.USD{}
	}
	return money.FromPico(money.MustParse(perMillion).Pico().Int64() / 1_000_000)
}

// cost is the exact price of the tokens.
func (r rate) cost(t tokens) money.USD {
	return money.Sum(r.input.MulInt(t.fresh), r.read.MulInt(t.read), r.written.MulInt(t.written), r.output.MulInt(t.output))
}

// cacheSavings is what reading from the provider's prompt cache saved against
// the uncached price, less what writing to it cost more.
func (r rate) cacheSavings(t tokens) money.USD {
	return r.input.Sub(r.read).MulInt(t.read).Add(r.input.Sub(r.written).MulInt(t.written))
}
