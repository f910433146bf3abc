// Package money holds exact amounts of US dollars and the only two places
// where an amount may change its precision: rounding to cents and splitting.
//
// It owns: the 12-decimal amount (a pico-dollar is its unit), the rounding
// rule of invoices (half up, away from zero) and the largest-remainder rule
// that makes parts add up to their whole.
// It does not own: prices (transform/rates) or what is owed (billing).
package money

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/shopspring/decimal"
)

// Scale is the number of decimal places that an amount keeps.
const Scale = 12

// ErrTooFine says that a number has more decimal places than an amount keeps.
var ErrTooFine = errors.New("has more than 12 decimal places")

// USD is an exact amount of US dollars with at most 12 decimal places.
// The zero value is 0. It may be negative.
type USD struct{ d decimal.Decimal }

// Parse reads a plain or exponent decimal such as "0.000003" or "3e-6".
// It returns ErrTooFine where the number needs more than 12 decimal places.
func Parse(s string) (USD, error) {
	d, err := decimal.NewFromString(strings.TrimSpace(s))
	if err != nil {
		return USD{}, fmt.Errorf("%q is not a decimal number", s)
	}
	if d.Exponent() < -Scale && !d.Equal(d.Truncate(Scale)) {
		return USD{}, fmt.Errorf("%q %w", s, ErrTooFine)
	}
	return USD{d.Truncate(Scale)}, nil
}

// MustParse is Parse for constants; it panics on an error.
func MustParse(s string) USD {
	a, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return a
}

// FromPico makes an amount from whole pico-dollars (10^-12 USD).
func FromPico(pico int64) USD { return USD{decimal.New(pico, -Scale)} }

// FromPicoInt is FromPico for sums that pass 64 bits.
func FromPicoInt(pico *big.Int) USD { return USD{decimal.NewFromBigInt(pico, -Scale)} }

// FromCents makes an amount from whole cents.
func FromCents(c Cents) USD { return USD{decimal.New(int64(c), -2)} }

// Pico gives the amount in whole pico-dollars.
func (a USD) Pico() *big.Int { return a.d.Shift(Scale).BigInt() }

// Add returns a + b.
func (a USD) Add(b USD) USD { return USD{a.d.Add(b.d)} }

// Sub returns a - b.
func (a USD) Sub(b USD) USD { return USD{a.d.Sub(b.d)} }

// Neg returns -a.
func (a USD) Neg() USD { return USD{a.d.Neg()} }

// MulInt returns a x n.
func (a USD) MulInt(n int64) USD { return USD{a.d.Mul(decimal.NewFromInt(n))} }

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b.
func (a USD) Cmp(b USD) int { return a.d.Cmp(b.d) }

// Equal says whether a and b are the same amount.
func (a USD) Equal(b USD) bool { return a.d.Equal(b.d) }

// Sign returns -1, 0 or 1.
func (a USD) Sign() int { return a.d.Sign() }

// IsZero says whether the amount is 0.
func (a USD) IsZero() bool { return a.d.IsZero() }

// Sum adds up all amounts.
func Sum(amounts ...USD) USD {
	var total USD
	for _, a := range amounts {
		total = total.Add(a)
	}
	return total
}

// String prints plain digits without an exponent, at least two decimals and
// no trailing zeros after them: 0.10, 1234.5678.
func (a USD) String() string {
	s := a.d.String()
	whole, fraction, _ := strings.Cut(s, ".")
	fraction = strings.TrimRight(fraction, "0")
	for len(fraction) < 2 {
		fraction += "0"
	}
	return whole + "." + fraction
}

// Fixed prints all 12 decimals, as ledgers and hashes want them.
func (a USD) Fixed() string { return a.d.StringFixed(Scale) }

// MarshalText prints the amount as String does, so that JSON carries exact text.
func (a USD) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what Parse reads.
func (a *USD) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// Value stores the amount as decimal text.
func (a USD) Value() (driver.Value, error) { return a.Fixed(), nil }

// Scan reads decimal text; stores hand every amount over as text so that no
// driver's number type comes between.
func (a *USD) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return a.UnmarshalText([]byte(v))
	case []byte:
		return a.UnmarshalText(v)
	case nil:
		*a = USD{}
		return nil
	}
	return fmt.Errorf("read amount: %T is not decimal text", src)
}

// Percent returns part as a whole percentage of whole, rounded down; 0 where
// whole is 0. It is for display and thresholds that name whole percentages.
func Percent(part, whole USD) int64 {
	if whole.IsZero() {
		return 0
	}
	return part.d.Mul(decimal.NewFromInt(100)).Div(whole.d).Floor().IntPart()
}

// ShownPercent is part as a whole percentage of whole, rounded down, with both
// in cents as people see them: the figures beside it never contradict it. It is
// 0 where whole is shown as 0.
func ShownPercent(part, whole USD) int64 {
	return Percent(FromCents(part.Cents()), FromCents(whole.Cents()))
}

// AtLeastPercent says exactly whether part >= percent % of whole.
func AtLeastPercent(part, whole USD, percent int64) bool {
	return part.d.Mul(decimal.NewFromInt(100)).Cmp(whole.d.Mul(decimal.NewFromInt(percent))) >= 0
}
