package report

import (
	"math/big"
	"sort"

	"chargeback/transform/money"
)

const (
	averageDecimals = 6
	// hundredths is the whole in hundredths of a percent.
	hundredths = 10_000
)

// fillAverages divides what each row costs by its requests that have a cost.
func (r *Report) fillAverages() {
	at := r.at(averageColumn.Name)
	for _, row := range append(r.Rows[:len(r.Rows):len(r.Rows)], r.Total) {
		row[at] = average(r.usd(row, "total_cost_usd"), r.count(row, "requests")-r.count(row, "held"))
	}
}

// average is total / n as text, rounded half up (away from zero) to 6
// decimals; nil where n is not above zero.
func average(total money.USD, n int64) any {
	if n <= 0 {
		return nil
	}
	picoPerUnit := new(big.Int).Exp(big.NewInt(10), big.NewInt(money.Scale-averageDecimals), nil)
	divisor := new(big.Int).Mul(picoPerUnit, big.NewInt(n))
	units, rest := new(big.Int).QuoRem(total.Pico(), divisor, new(big.Int))
	if rest.Abs(rest).Lsh(rest, 1).Cmp(divisor) >= 0 {
		units.Add(units, big.NewInt(int64(total.Sign())))
	}
	fixed := money.FromPicoInt(units.Mul(units, picoPerUnit)).Fixed()
	return fixed[:len(fixed)-(money.Scale-averageDecimals)]
}

// fillShares gives every row its share of the total; key names the column that
// breaks ties.
func (r *Report) fillShares(key string) {
	parts := make([]money.Part, len(r.Rows))
	for i, row := range r.Rows {
		name, _ := row[r.at(key)].(string)
		parts[i] = money.Part{Key: name, Exact: r.usd(row, "total_cost_usd")}
	}
	shares := percentages(parts)
	for i, share := range shares {
		r.Rows[i][r.at(shareColumn.Name)] = share.String()
	}
	if shares != nil {
		r.Total[r.at(shareColumn.Name)] = money.Cents(hundredths).String()
	}
}

// percentages are the parts' shares of their sum in hundredths of a percent,
// which print as cents do: 12.34. They add up to 100.00 by largest remainder,
// ties by Key. There are none where the sum is not above zero. A part below
// zero has a share below zero.
func percentages(parts []money.Part) []money.Cents {
	sum := new(big.Int)
	for _, p := range parts {
		sum.Add(sum, p.Exact.Pico())
	}
	if sum.Sign() <= 0 {
		return nil
	}
	shares := make([]money.Cents, len(parts))
	remainders := make([]*big.Int, len(parts))
	order := make([]int, len(parts))
	left := int64(hundredths)
	for i, p := range parts {
		scaled := new(big.Int).Mul(p.Exact.Pico(), big.NewInt(hundredths))
		share, remainder := scaled.DivMod(scaled, sum, new(big.Int)) // rounds down, also below zero
		shares[i], remainders[i], order[i] = money.Cents(share.Int64()), remainder, i
		left -= share.Int64()
	}
	sort.Slice(order, func(x, y int) bool {
		i, j := order[x], order[y]
		if c := remainders[i].Cmp(remainders[j]); c != 0 {
			return c > 0
		}
		return parts[i].Key < parts[j].Key
	})
	for _, i := range order[:left] {
		shares[i]++
	}
	return shares
}
