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

// percent is spent in whole percent of amount, both in cents as they are shown;
// 0 where amount is not above zero.
func percent(spent, amount money.USD) int64 {
	if amount.Sign() <= 0 {
		return 0
	}
	return money.ShownPercent(spent, amount)
}
