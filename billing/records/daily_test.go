package records

import (
	"errors"
	"reflect"
	"testing"

	"chargeback/transform/money"
)

// Goal: daily sums that are held against nothing, or differ in anything, don't tie.
// Method: each count and amount of each side is made another one in its turn; sides
// are left out, or tell nothing.
func TestTiedDaily(t *testing.T) {
	fields := reflect.TypeFor[dailySums]()
	side := func(name string, change int) dailySums {
		s := dailySums{Side: name}
		for i := range fields.NumField() {
			switch to := reflect.ValueOf(&s).Elem().Field(i).Addr().Interface().(type) {
			case **int64:
				n := int64(i)
				if i == change {
					n++
				}
				*to = &n
			case **money.USD:
				a := money.FromPico(int64(i))
				if i == change {
					a = a.Add(money.FromPico(1))
				}
				*to = &a
			}
		}
		return s
	}
	records, sums, users := side("records", -1), side("daily sums", -1), side("daily sums of users", -1)
	for what, sides := range map[string][]dailySums{
		"nothing":            nil,
		"one side":           {records},
		"sums of users lack": {records, sums},
		"a side twice":       {records, sums, sums},
		"a side of nothing":  {records, sums, {Side: "daily sums of users"}},
		"records of nothing": {{Side: "records"}, sums, users},
	} {
		if _, err := tiedDaily(sides); !errors.Is(err, ErrNotTied) {
			t.Errorf("%s: %v, want ErrNotTied", what, err)
		}
	}
	if got, err := tiedDaily([]dailySums{sums, users, records}); err != nil || got.Records == nil || *got.Records != *records.Records {
		t.Errorf("sides that are alike: %v, %v", got, err)
	}
	for i := 1; i < fields.NumField(); i++ {
		for _, sides := range [][]dailySums{{records, side("daily sums", i), users}, {records, sums, side("daily sums of users", i)}} {
			if _, err := tiedDaily(sides); !errors.Is(err, ErrNotTied) {
				t.Errorf("another %s: %v, want ErrNotTied", fields.Field(i).Name, err)
			}
		}
	}
}
