package records

import "strings"

// The flags of a cost record: words for what reports tell of it. A record that is
// held has one, FlagMissing with what is missing. One that is charged has one for
// each part of its price that was found where it had none of its own.
const (
	FlagMissing    = "missing:"      // followed by one of the words below
	FlagTTLUnknown = "ttl:unknown"   // cache writes of unknown TTL, priced as 5 minutes, where an hour has another price
	FlagTTLMatched = "ttl:matched"   // the matched request, or another platform's record of the call, says how long they are kept
	FlagTTL5m      = "ttl:5m"        // a setting says it
	FlagTTL1h      = "ttl:1h"        // a setting says it
	FlagTier       = "tier:"         // followed by a service tier without a price of its own
	FlagClass      = "class:"        // followed by a class without a price of its own
	FlagReported   = "reported_cost" // costs what the gateway reported
	FlagForecast   = "forecast"      // the price was announced, and nobody has confirmed it
	FlagPricedAs   = "priced_as"     // priced as another model
)

// What may be missing, behind FlagMissing; further ones are in rates.Lack.
const (
	MissingUsage       = "usage"        // it may still come
	MissingMatch       = "match"        // usage, on a day that the provider's own log covers
	MissingCounts      = "counts"       // the gateway logged no token counts
	MissingSearchPrice = "search_price" // a price of web searches
	MissingFees        = "fees"         // fees at that time
	MissingToolFee     = "tool_fee"     // the fee of a tool
	MissingReported    = TakeReported   // a cost that the gateway reported
)

// Flags splits the column of that name.
func Flags(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
