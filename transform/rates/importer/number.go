package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// significant is how many digits of a number count. Lists are written by
// programs that calculate with floats; the digits behind are their noise.
const significant = 12

// Numbers beyond these are no prices. They are refused before anything is
// calculated with them, for 1e999999999 has a billion digits.
const (
	textMax     = 64
	exponentMax = 40
)

var (
	errNoNumber = errors.New("is not a number")
	errNegative = errors.New("is negative, which says that there is no fixed price")
)

// number reads a JSON number, or a string that holds one, exactly but for noise.
func number(raw json.RawMessage) (decimal.Decimal, error) {
	text := string(raw)
	var quoted string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &quoted) == nil {
		text = quoted
	}
	if len(text) > textMax {
		return decimal.Decimal{}, errNoNumber
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() > exponentMax || d.Exponent() < -2*exponentMax {
		return decimal.Decimal{}, errNoNumber
	}
	if more := d.NumDigits() - significant; more > 0 {
		d = d.Round(-(d.Exponent() + int32(more)))
	}
	return d, nil
}

// unit is what a list's price is for.
type unit int

const (
	perToken unit = iota
	perMillion
	each
	perThousand // requests or searches
)

// decimals is how many decimals of a price the book keeps: whole pico-dollars a
// token, request or search.
func (u unit) decimals() int32 {
	switch u {
	case perMillion:
		return money.Scale - 6
	case perThousand:
		return money.Scale - 3
	}
	return money.Scale
}

// price is a price in pico-dollars. One that is finer is rounded half up, which
// rounded says; one that would become 0 by that is refused.
func price(raw json.RawMessage, of unit) (pico int64, rounded bool, err error) {
	d, err := number(raw)
	switch {
	case err != nil:
		return 0, false, fmt.Errorf("%s %w", short(raw), err)
	case d.IsNegative():
		return 0, false, fmt.Errorf("%s %w", short(raw), errNegative)
	}
	kept := d.Round(of.decimals())
	rounded = !kept.Equal(d)
	if rounded && kept.IsZero() {
		return 0, false, fmt.Errorf("%s is too small for a price with 12 decimals", short(raw))
	}
	switch of {
	case perToken:
		pico, err = rates.ParsePerToken(kept.String())
	case perMillion:
		pico, err = rates.ParsePerMillion(kept.String())
	case perThousand:
		pico, err = rates.ParseEach(kept.Shift(-3).String())
	default:
		pico, err = rates.ParseEach(kept.String())
	}
	return pico, rounded && err == nil, err
}

// factor is a multiplier.
func factor(raw json.RawMessage) (f rates.Factor, err error) {
	d, err := number(raw)
	if err != nil || !d.IsPositive() {
		return 0, fmt.Errorf("%s is not a factor above 0", short(raw))
	}
	return f, f.UnmarshalText([]byte(d.String()))
}

// tokens is a whole number of tokens from 1 up; some lists write 256000.0.
func tokens(raw json.RawMessage) (int64, bool) {
	d, err := number(raw)
	const most = 1_000_000_000
	if err != nil || !d.IsInteger() || !d.IsPositive() || d.GreaterThan(decimal.NewFromInt(most)) {
		return 0, false
	}
	return d.IntPart(), true
}

// zero says whether a price is 0.
func zero(raw json.RawMessage) bool {
	d, err := number(raw)
	return err == nil && d.IsZero()
}

// short is a value as messages show it.
func short(raw json.RawMessage) string {
	const most = 40
	text := strings.Trim(string(raw), `"`)
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.Quote(text)
}
