package budget

import (
	"math"
	"math/big"

	"chargeback/transform/money"
)

// forecast is spent x daysInMonth / daysElapsed, rounded half up (away from
// zero) to the pico-dollar. It is spent itself where the month is over or no
// day is behind us.
func forecast(spent money.USD, daysElapsed, daysInMonth int) money.USD {
	if daysElapsed <= 0 || daysElapsed >= daysInMonth {
		return spent
	}
	scaled := new(big.Int).Mul(spent.Pico(), big.NewInt(int64(daysInMonth)))
	days := big.NewInt(int64(daysElapsed))
	quotient, rest := new(big.Int).QuoRem(scaled, days, new(big.Int))
	if rest.Abs(rest).Lsh(rest, 1).Cmp(days) >= 0 {
		quotient.Add(quotient, big.NewInt(int64(spent.Sign())))
	}
	return money.FromPicoInt(quotient)
}

// percent is spent in whole percent of amount, rounded down in whole numbers
// so that it never shows a threshold that is not reached. It is 0 where
// amount is not above zero, and stops at the largest int64.
func percent(spent, amount money.USD) int64 {
	if amount.Sign() <= 0 {
		return 0
	}
	hundredfold := new(big.Int).Mul(spent.Pico(), big.NewInt(100))
	whole := hundredfold.Div(hundredfold, amount.Pico())
	if !whole.IsInt64() {
		return math.MaxInt64
	}
	return whole.Int64()
}
