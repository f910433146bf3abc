package report

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"chargeback/transform/money"
)

func TestAverage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		total string
		n     int64
		want  any
	}{
		{"divides evenly", "1.50", 3, "0.500000"},
		{"exactly half a unit goes up", "0.0000005", 1, "0.000001"},
		{"just below half a unit goes down", "0.000000499999", 1, "0.000000"},
		{"half of an odd number of units goes up", "0.000003", 2, "0.000002"},
		{"half below zero goes away from zero", "-0.0000005", 1, "-0.000001"},
		{"thirds", "1.00", 3, "0.333333"},
		{"two thirds", "2.00", 3, "0.666667"},
		{"minus two thirds", "-2.00", 3, "-0.666667"},
		{"large", "123456789012.00", 7, "17636684144.571429"},
		{"nothing over something", "0", 5, "0.000000"},
		{"no requests", "0", 0, nil},
		{"more held than counted", "1", -1, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := average(money.MustParse(tt.total), tt.n); got != tt.want {
				t.Errorf("average(%s, %d) = %v, want %v", tt.total, tt.n, got, tt.want)
			}
		})
	}
}

func TestPercentages(t *testing.T) {
	parts := func(amounts ...string) (parts []money.Part) {
		for i, a := range amounts {
			parts = append(parts, money.Part{Key: fmt.Sprintf("CC-%d", i), Exact: money.MustParse(a)})
		}
		return parts
	}
	for _, tt := range []struct {
		name  string
		parts []money.Part
		want  string
	}{
		{"one part", parts("0.000000000001"), "[100.00]"},
		{"thirds: the first key gets the rest", parts("1", "1", "1"), "[33.34 33.33 33.33]"},
		{"the key decides, not the place", []money.Part{{Key: "b", Exact: money.MustParse("1")}, {Key: "c", Exact: money.MustParse("1")}, {Key: "a", Exact: money.MustParse("1")}}, "[33.33 33.33 33.34]"},
		{"the largest remainder gets the rest", parts("1", "2", "4"), "[14.29 28.57 57.14]"},
		{"a share too small to show", parts("1000000", "0.01"), "[100.00 0.00]"},
		{"a part below zero", parts("3", "-1"), "[150.00 -50.00]"},
		{"small part below zero", parts("1", "-0.00001"), "[100.00 0.00]"},
		{"nothing spent", parts("0", "0"), "[]"},
		{"less than nothing spent", parts("1", "-2"), "[]"},
		{"no parts", nil, "[]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fmt.Sprint(percentages(tt.parts)); got != tt.want {
				t.Errorf("percentages = %s, want %s", got, tt.want)
			}
		})
	}
}

// Goal: shares add up to 100.00 and none is off by a hundredth or more.
// Method: random parts, also below zero, against exact fractions.
func TestPercentagesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		picos := rapid.SliceOfN(rapid.Int64Range(-1_000, 1_000_000_000_000_000), 1, 30).Draw(t, "picos")
		parts := make([]money.Part, len(picos))
		whole := new(big.Int)
		for i, pico := range picos {
			parts[i] = money.Part{Key: fmt.Sprint(i), Exact: money.FromPico(pico)}
			whole.Add(whole, big.NewInt(pico))
		}
		shares := percentages(parts)
		if whole.Sign() <= 0 {
			if shares != nil {
				t.Fatalf("shares %v of %s", shares, whole)
			}
			return
		}
		var sum money.Cents
		for i, share := range shares {
			sum += share
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(picos[i]), big.NewInt(hundredths)), whole)
			off := exact.Sub(exact, new(big.Rat).SetInt64(int64(share)))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("share %d is %s, off by %s hundredths", i, share, off.FloatString(3))
			}
		}
		if sum != hundredths {
			t.Fatalf("shares %v add up to %s", shares, sum)
		}
	})
}
