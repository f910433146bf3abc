package rates

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"chargeback/transform/money"
)

// Bounds that keep what a record costs below the million dollars that a ledger
// row holds: it has at most 10^8 tokens of a class and 1,000 searches.
const (
	perMillionMaxUSD = 1_000 // of a million tokens
	eachMaxUSD       = 100   // of a request, search or tool call
	tokenDecimals    = 6     // of a price for a million tokens
	million          = 1_000_000
)

// ParsePerMillion reads a price in USD for a million tokens exactly, as whole
// pico-dollars a token, or says why it can't be one.
func ParsePerMillion(text string) (pico int64, err error) {
	return parsePico(text, perMillionMaxUSD, million, "needs more than 12 decimals a token; give a price with at most 6 decimals a million")
}

// ParsePerToken is ParsePerMillion for a price in USD for one token.
func ParsePerToken(text string) (pico int64, err error) {
	pico, err = parsePico(text, perMillionMaxUSD, 1, "needs more than 12 decimals")
	if err == nil && pico > perMillionMaxUSD*million {
		return 0, fmt.Errorf("%q is more than %d US dollars a million; correct its unit", text, perMillionMaxUSD)
	}
	return pico, err
}

// ParseEach reads a fee in USD exactly, as whole pico-dollars.
func ParseEach(text string) (pico int64, err error) {
	return parsePico(text, eachMaxUSD, 1, "has more than 12 decimal places; round it")
}

// parsePico reads a decimal and divides it, exactly.
func parsePico(text string, maxUSD int64, by int64, tooFine string) (int64, error) {
	amount, err := money.Parse(text)
	switch {
	case errors.Is(err, money.ErrTooFine):
		return 0, fmt.Errorf("%q %s", text, tooFine)
	case err != nil:
		return 0, err
	case amount.Sign() < 0:
		return 0, fmt.Errorf("%q is negative; give 0 or more", text)
	case amount.Cmp(money.FromCents(money.Cents(maxUSD*100))) > 0:
		return 0, fmt.Errorf("%q is more than %d US dollars; correct its unit", text, maxUSD)
	}
	whole, rest := new(big.Int).QuoRem(amount.Pico(), big.NewInt(by), new(big.Int))
	if rest.Sign() != 0 {
		return 0, fmt.Errorf("%q %s", text, tooFine)
	}
	return whole.Int64(), nil
}

// perMillion is a price in USD for a million tokens, kept as pico-dollars a
// token. set tells a price of 0 from no price.
type perMillion struct {
	pico int64
	set  bool
}

// UnmarshalText reads a decimal exactly, or refuses it.
func (p *perMillion) UnmarshalText(text []byte) (err error) {
	p.pico, err = ParsePerMillion(string(text))
	p.set = err == nil
	return err
}

// fee is an amount in USD, kept as pico-dollars.
type fee struct {
	pico int64
	set  bool
}

// UnmarshalText reads a decimal exactly, or refuses it.
func (f *fee) UnmarshalText(text []byte) (err error) {
	f.pico, err = ParseEach(string(text))
	f.set = err == nil
	return err
}

// Factor is a factor in millionths: 1,100,000 is times 1.1.
type Factor int64

// Once is the factor that changes nothing.
const Once Factor = million

const factorMax = 100

// UnmarshalText reads a decimal with at most 6 decimals.
func (f *Factor) UnmarshalText(text []byte) error {
	n, err := parsePico(string(text), factorMax, million, "has more than 6 decimal places; round it")
	if err != nil {
		return fmt.Errorf("%s", strings.Replace(err.Error(), "US dollars; correct its unit", "times; write it as a factor such as 1.1", 1))
	}
	*f = Factor(n)
	return nil
}

// String prints the factor as a decimal.
func (f Factor) String() string { return decimalOf(int64(f), 6) }

// Percent is a percentage in ten-thousandths of a percent: 125,000 is 12.5 %.
type Percent int64

const hundred Percent = 100 * 10_000

// UnmarshalText reads a decimal with at most 4 decimals.
func (p *Percent) UnmarshalText(text []byte) error {
	n, err := parsePico(string(text), 1_000, 100_000_000, "has more than 4 decimal places; round it")
	if err != nil {
		return fmt.Errorf("%s", strings.Replace(err.Error(), "US dollars; correct its unit", "percent; correct it", 1))
	}
	*p = Percent(n)
	return nil
}

// String prints the percentage as a decimal, without a sign.
func (p Percent) String() string { return decimalOf(int64(p), 4) }

// off is the factor of a discount, on of a markup.
func (p Percent) off() Factor { return Once - Factor(p) }
func (p Percent) on() Factor  { return Once + Factor(p) }

// decimalOf prints n x 10^-places without trailing zeros.
func decimalOf(n int64, places int) string {
	text := fmt.Sprintf("%0*d", places+1, n)
	whole, fraction := text[:len(text)-places], strings.TrimRight(text[len(text)-places:], "0")
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// USDPerMillion prints a price a token, in pico-dollars, as USD for a million.
func USDPerMillion(pico int64) string { return decimalOf(pico, tokenDecimals) }

// USDEach prints pico-dollars as USD.
func USDEach(pico int64) string { return decimalOf(pico, money.Scale) }

// scaled is a price times factors, rounded half up once.
func scaled(pico int64, factors ...Factor) int64 {
	n, by := big.NewInt(pico), big.NewInt(1)
	for _, f := range factors {
		if f != Once {
			n.Mul(n, big.NewInt(int64(f)))
			by.Mul(by, big.NewInt(int64(Once)))
		}
	}
	n.Mul(n, big.NewInt(2)).Add(n, by)
	return n.Quo(n, by.Mul(by, big.NewInt(2))).Int64()
}

// instant is a point in time, with a zone.
type instant struct{ time.Time }

// UnmarshalText reads 2026-10-01T00:00:00Z; empty text is no instant.
func (i *instant) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil || t.Nanosecond() != 0 || !t.Before(Forever) {
		return fmt.Errorf("%q is not an instant; write it as 2026-10-01T00:00:00Z", text)
	}
	i.Time = t.UTC()
	return nil
}
