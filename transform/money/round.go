package money

import (
	"math/big"
	"sort"
	"strconv"

	"github.com/shopspring/decimal"
)

// Cents is a whole number of US cents: what an invoice is paid in.
type Cents int64

// String prints dollars and cents: 1234.05, -0.10.
func (c Cents) String() string {
	sign, n := "", int64(c)
	if n < 0 {
		sign, n = "-", -n
	}
	whole, part := strconv.FormatInt(n/100, 10), strconv.FormatInt(n%100, 10)
	if len(part) < 2 {
		part = "0" + part
	}
	return sign + whole + "." + part
}

// Cents rounds the amount once to whole cents, half up (away from zero).
func (a USD) Cents() Cents { return Cents(a.d.Round(2).Shift(2).IntPart()) }

// PicoPerCent is how many pico-dollars a cent has.
const PicoPerCent = 10_000_000_000

// FloorCents is the whole cent at or below the amount and what is left of it
// above that, in pico-dollars: from 0 to less than PicoPerCent.
func (a USD) FloorCents() (whole Cents, rest int64) {
	floor := a.d.Shift(2).Floor()
	return Cents(floor.IntPart()), a.d.Sub(floor.Shift(-2)).Shift(Scale).IntPart()
}

// Part is one share of a whole: Key breaks ties, so it must be unique and
// must not depend on the order in which parts were found.
type Part struct {
	Key   string
	Exact USD
}

// Allocate gives every part whole cents that add up to total exactly. Each
// part is cut down to the cent below it, and the cents that are then missing
// go to the largest remainders, ties by Key ascending. Where total is the
// parts' own rounded sum, every result is less than one cent from its part.
// The result has the order of parts.
func Allocate(total Cents, parts []Part) []Cents {
	cents := make([]Cents, len(parts))
	if len(parts) == 0 {
		return cents
	}
	order := make([]int, len(parts))
	remainder := make([]decimal.Decimal, len(parts))
	missing := int64(total)
	for i, p := range parts {
		floor := p.Exact.d.Shift(2).Floor()
		cents[i] = Cents(floor.IntPart())
		remainder[i] = p.Exact.d.Shift(2).Sub(floor)
		missing -= floor.IntPart()
		order[i] = i
	}
	sort.Slice(order, func(x, y int) bool {
		i, j := order[x], order[y]
		if c := remainder[i].Cmp(remainder[j]); c != 0 {
			return c > 0
		}
		return parts[i].Key < parts[j].Key
	})
	n := int64(len(parts))
	each, extra := missing/n, missing%n
	if extra < 0 {
		each, extra = each-1, extra+n
	}
	for rank, i := range order {
		cents[i] += Cents(each)
		if int64(rank) < extra {
			cents[i]++
		}
	}
	return cents
}

// Split divides total by weights into pico-dollars that add up to total
// exactly, by largest remainder with ties by Key ascending. Weights must not
// be negative; where all are zero the parts are even. The result has the
// order of weights.
func Split(total USD, weights []Part) []USD {
	shares := make([]USD, len(weights))
	if len(weights) == 0 {
		return shares
	}
	pico := make([]*big.Int, len(weights))
	sum := new(big.Int)
	for i, w := range weights {
		pico[i] = w.Exact.Pico()
		sum.Add(sum, pico[i])
	}
	if sum.Sign() == 0 {
		for i := range pico {
			pico[i] = big.NewInt(1)
		}
		sum = big.NewInt(int64(len(weights)))
	}
	whole := total.Pico()
	negative := whole.Sign() < 0
	whole = new(big.Int).Abs(whole)
	parts := make([]*big.Int, len(weights))
	remainders := make([]*big.Int, len(weights))
	left := new(big.Int).Set(whole)
	order := make([]int, len(weights))
	for i := range weights {
		parts[i], remainders[i] = new(big.Int).QuoRem(new(big.Int).Mul(whole, pico[i]), sum, new(big.Int))
		left.Sub(left, parts[i])
		order[i] = i
	}
	sort.Slice(order, func(x, y int) bool {
		i, j := order[x], order[y]
		if c := remainders[i].Cmp(remainders[j]); c != 0 {
			return c > 0
		}
		return weights[i].Key < weights[j].Key
	})
	for rank := range int(left.Int64()) {
		parts[order[rank]].Add(parts[order[rank]], big.NewInt(1))
	}
	for i, p := range parts {
		if negative {
			p.Neg(p)
		}
		shares[i] = FromPicoInt(p)
	}
	return shares
}
