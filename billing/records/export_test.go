package records

// The selects that read what was written down of closed months, for tests that hold
// them against the records.
var (
	RatesUsedText       = ratesUsedText
	CacheWritesText     = cacheWritesText
	AttributionKeysText = attributionKeysText
)
