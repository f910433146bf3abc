package budget

import (
	"math/big"

	"chargeback/transform/money"
)

// forecastThreshold is the one percentage that a forecast is measured against.
const forecastThreshold = 100

// forecastDaysMin is how many days of the month the books must have before its
// end is forecast: a rate of one or two days is none.
const forecastDaysMin = 3

// forecast is spent x (elapsed + left) / elapsed days, rounded half up (away
// from zero) to the pico-dollar.
func forecast(spent money.USD, elapsed, left int) money.USD {
	scaled := new(big.Int).Mul(spent.Pico(), big.NewInt(int64(elapsed+left)))
	days := big.NewInt(int64(elapsed))
	quotient, rest := new(big.Int).QuoRem(scaled, days, new(big.Int))
	if rest.Abs(rest).Lsh(rest, 1).Cmp(days) >= 0 {
		quotient.Add(quotient, big.NewInt(int64(spent.Sign())))
	}
	return money.FromPicoInt(quotient)
}

// ShownPercent is part in whole percent of whole, both in cents as they are shown,
// rounded half up as amounts are; 0 where whole is not above zero or is shown as
// zero. A threshold, or 100, that the exact amounts reach never shows as not
// reached, and none that they don't reach as reached.
func ShownPercent(part, whole money.USD, thresholds []int) int64 {
	if whole.Cents() <= 0 {
		return 0
	}
	p, w := money.FromCents(part.Cents()), money.FromCents(whole.Cents())
	shown := money.Percent(p, w)
	if money.AtLeastPercent(p.Add(p), w, 2*shown+1) {
		shown++
	}
	for _, threshold := range rising(append([]int{forecastThreshold}, thresholds...)) {
		if !reached(part, whole, threshold) {
			return min(shown, int64(threshold)-1)
		}
		shown = max(shown, int64(threshold))
	}
	return shown
}
