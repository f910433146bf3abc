package decode

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chargeback/extract/decode/jsonscan"
)

// value scans one JSON value as a decoder would see it.
func value(t testing.TB, text string) jsonscan.Value {
	t.Helper()
	spec, err := jsonscan.Compile([]jsonscan.Path{{"v"}})
	if err != nil {
		t.Fatal(err)
	}
	s := jsonscan.NewScanner(spec)
	if _, err := s.Scan([]byte(`{"v":` + text + `}`)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s.Values[0]
}

// outcome writes a result or its error as one text.
func outcome[T any](v T, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(v)
}

func TestNameAndID(t *testing.T) {
	tests := []struct{ name, text, wantName, wantID string }{
		{"plain", `"support-bot"`, "support-bot", "support-bot"},
		{"blanks around", `" \tsupport\u00a0"`, "support", "support"},
		{"only blanks", `"  "`, "", ""},
		{"null", `null`, "", ""},
		{"words for none", `"None"`, "", ""},
		{"NA", `" NA "`, "", ""},
		{"N/A", `"N/A"`, "", ""},
		{"null as text", `"null"`, "", ""},
		{"none is a part of it", `"None of them"`, "None of them", "None of them"},
		{"number", `420`, "420", "420"},
		{"leading zeros", `"00420"`, "00420", "00420"},
		{"true", `true`, "", ""},
		{"list", `["x"]`, "", ""},
		{"object", `{"x":1}`, "", ""},
		{"escaped", `"a\/b\u00e9"`, "a/bé", "a/bé"},
		{"UUID in capitals", `"5C1F0A52-7A7E-4D0E-9D57-0B8A3C6F1E01"`, "5C1F0A52-7A7E-4D0E-9D57-0B8A3C6F1E01", "5c1f0a52-7a7e-4d0e-9d57-0b8a3c6f1e01"},
		{"long hex in capitals", `"88DC28D0F030C55E"`, "88DC28D0F030C55E", "88dc28d0f030c55e"},
		{"short hex keeps its case", `"FACE"`, "FACE", "FACE"},
		{"a code of hex letters keeps its case", `"CC-1001"`, "CC-1001", "CC-1001"},
		{"case sensitive id", `"msg_01AbC"`, "msg_01AbC", "msg_01AbC"},
		{"zero UUID", `"00000000-0000-0000-0000-000000000000"`, "00000000-0000-0000-0000-000000000000", ""},
		{"nearly a UUID", `"5C1F0A52-7A7E-4D0E-9D57-0B8A3C6F1E0G"`, "5C1F0A52-7A7E-4D0E-9D57-0B8A3C6F1E0G", "5C1F0A52-7A7E-4D0E-9D57-0B8A3C6F1E0G"},
		{"dashes of a UUID in other places", `"5C1F0A527-A7E-4D0E-9D57-0B8A3C6F1E01"`, "5C1F0A527-A7E-4D0E-9D57-0B8A3C6F1E01", "5C1F0A527-A7E-4D0E-9D57-0B8A3C6F1E01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := value(t, tt.text)
			if got := string(name(v)); got != tt.wantName {
				t.Errorf("name %q, want %q", got, tt.wantName)
			}
			if got := string(id(v)); got != tt.wantID {
				t.Errorf("id %q, want %q", got, tt.wantID)
			}
		})
	}
}

func TestNormIDOnceIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9A-Fa-f-]{30,40}`)).Draw(t, "id")
		once := string(normID([]byte(s)))
		if twice := string(normID([]byte(once))); twice != once {
			t.Fatalf("%q becomes %q and then %q", s, once, twice)
		}
		if !strings.EqualFold(once, s) && once != "" {
			t.Fatalf("%q becomes %q", s, once)
		}
	})
}

func TestWhole(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"number", `42`, "42"},
		{"zero", `0`, "0"},
		{"null", `null`, "0"},
		{"digits in quotes", `"42"`, "42"},
		{"blanks in quotes", `" 42 "`, "42"},
		{"no fraction", `3.0`, "3"},
		{"no fraction in quotes", `"3.000"`, "3"},
		{"leading zeros in quotes", `"0042"`, "42"},
		{"largest", `100000000`, "100000000"},
		{"too large", `100000001`, "f: is larger than 100,000,000"},
		{"far too large", `99999999999999999999999999999999`, "f: is larger than 100,000,000"},
		{"fraction", `1.5`, "f: is not a whole number"},
		{"exponent", `1e3`, "f: is not a whole number"},
		{"negative", `-1`, "f: is negative"},
		{"negative zero", `-0`, "f: is negative"},
		{"plus in quotes", `"+1"`, "f: is not a whole number"},
		{"empty", `""`, "f: is not a whole number"},
		{"point alone", `"."`, "f: is not a whole number"},
		{"point without digits behind", `"3."`, "f: is not a whole number"},
		{"fraction alone", `".0"`, "f: is not a whole number"},
		{"two points", `"1.0.0"`, "f: is not a whole number"},
		{"word for none", `"None"`, "f: is not a whole number"},
		{"words", `"twelve"`, "f: is not a whole number"},
		{"true", `true`, "f: is not a number"},
		{"list", `[1]`, "f: is not a number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := outcome(whole(value(t, tt.text), "f")); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestInstant(t *testing.T) {
	const notTime = "f: is not a time such as 2026-10-31T23:59:40Z"
	const outside = "f: lies outside the years 2015 to 2100"
	tests := []struct{ name, text, want string }{
		{"seconds UTC", `"2026-10-31T23:59:40Z"`, "2026-10-31T23:59:40Z"},
		{"last day of the month", `"2026-12-31T00:00:00Z"`, "2026-12-31T00:00:00Z"},
		{"leap day", `"2028-02-29T12:00:00Z"`, "2028-02-29T12:00:00Z"},
		{"no leap day", `"2026-02-29T12:00:00Z"`, notTime},
		{"no such day", `"2026-06-31T12:00:00Z"`, notTime},
		{"no such month", `"2026-13-01T12:00:00Z"`, notTime},
		{"no such hour", `"2026-10-31T24:00:00Z"`, notTime},
		{"leap second", `"2026-10-31T23:59:60Z"`, notTime},
		{"fraction", `"2026-10-31T23:59:40.5Z"`, "2026-10-31T23:59:40.5Z"},
		{"seven digits", `"2026-10-31T23:59:40.1234567Z"`, "2026-10-31T23:59:40.123456Z"},
		{"nine digits", `"2025-05-15 14:17:22.000000001"`, "2025-05-15T14:17:22Z"},
		{"ten digits", `"2025-05-15 14:17:22.0000000001"`, "2025-05-15T14:17:22Z"},
		{"point without digits", `"2026-10-31T23:59:40.Z"`, notTime},
		{"naive", `"2025-01-24 09:20:46.847371"`, "2025-01-24T09:20:46.847371Z"},
		{"naive with T", `"2025-01-24T09:20:46"`, "2025-01-24T09:20:46Z"},
		{"offset", `"2026-11-01T01:30:00+02:00"`, "2026-10-31T23:30:00Z"},
		{"offset escaped", `"2026-11-01T01:30:00.250\u002b02:00"`, "2026-10-31T23:30:00.25Z"},
		{"epoch", `1792103487`, "2026-10-15T22:31:27Z"},
		{"epoch with fraction", `1792103487.847`, "2026-10-15T22:31:27.847Z"},
		{"epoch with many digits", `1792103487.8470004`, "2026-10-15T22:31:27.847Z"},
		{"epoch with exponent", `1.792103487e9`, "2026-10-15T22:31:27Z"},
		{"first second", `"2015-01-01T00:00:00Z"`, "2015-01-01T00:00:00Z"},
		{"last second", `"2100-12-31T23:59:59.999999Z"`, "2100-12-31T23:59:59.999999Z"},
		{"too early", `"2014-12-31T23:59:59Z"`, outside},
		{"too late", `"2101-01-01T00:00:00Z"`, outside},
		{"milliseconds", `1792103487847`, outside},
		{"zero", `0`, outside},
		{"out of all bounds", `1e300`, "f: is not seconds since 1970"},
		{"null", `null`, "f: is missing"},
		{"word for none", `"None"`, "f: is missing"},
		{"empty", `""`, "f: is missing"},
		{"date only", `"2026-10-31"`, notTime},
		{"US form", `"10/31/2026 11:59:40 PM"`, notTime},
		{"letters in digits' places", `"2026-1x-31T23:59:40Z"`, notTime},
		{"letters in the fraction", `"2026-10-31T23:59:40.5xZ"`, notTime},
		{"epoch in quotes", `"1792103487"`, notTime},
		{"object", `{}`, "f: is not a time"},
		{"true", `true`, "f: is not a time"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			us, err := instant(value(t, tt.text), "f")
			if got := outcome(time.UnixMicro(us).UTC().Format(time.RFC3339Nano), err); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Goal: the short way of reading times gives what the library gives.
func TestPlainUTCAgreesWithLibrary(t *testing.T) {
	layouts := []string{"2006-01-02T15:04:05Z", "2006-01-02 15:04:05.000000", "2006-01-02T15:04:05.000Z", "2006-01-02 15:04:05"}
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(yearMinMicros, yearEndMicros-1).Draw(t, "us")
		layout := rapid.SampledFrom(layouts).Draw(t, "layout")
		text := time.UnixMicro(us).UTC().Format(layout)
		want, err := time.Parse(layout, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := plainUTC([]byte(text)); !ok || got != want.UnixMicro() {
			t.Fatalf("%s: got %d %v, want %d", text, got, ok, want.UnixMicro())
		}
	})
}

// Goal: no text is a time for the short way alone.
func TestPlainUTCTakesNoMoreThanLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte("2026-10-31T23:59:40.847Z")[:rapid.IntRange(0, 24).Draw(t, "length")]
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			if len(text) > 0 {
				text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0123456789TZ:-. x")).Draw(t, "byte")
			}
		}
		us, ok := plainUTC(text)
		if !ok {
			return
		}
		for _, layout := range []string{"2006-01-02T15:04:05.999999999Z", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z"} {
			if want, err := time.Parse(layout, string(text)); err == nil && want.UnixMicro() == us {
				return
			}
		}
		t.Fatalf("%q was read as %d", text, us)
	})
}

func TestPicoUSD(t *testing.T) {
	const wrong = "f: is not a decimal amount below 1,000,000 US dollars"
	tests := []struct{ name, text, want string }{
		{"number", `0.0123`, "12300000000"},
		{"python float", `2.2500000000000002e-05`, "22500000"},
		{"text", `"0.5"`, "500000000000"},
		{"blanks", `" 0.5 "`, "500000000000"},
		{"half a pico is rounded away from zero", `0.0000000000005`, "1"},
		{"negative half too", `-0.0000000000005`, "-1"},
		{"less than half", `0.00000000000049999`, "0"},
		{"far less", `1e-300`, "0"},
		{"zero", `0`, "0"},
		{"zero with exponent", `0e300`, "0"},
		{"largest", `999999.999999999999`, "999999999999999999"},
		{"one dollar more", `1000000`, wrong},
		{"smallest", `-999999.999999999999`, "-999999999999999999"},
		{"rounded over the bound", `999999.9999999999995`, wrong},
		{"out of 64 bits", `1e30`, wrong},
		{"words", `"free"`, wrong},
		{"two points", `"1.2.3"`, wrong},
		{"two signs", `"--1"`, wrong},
		{"sign alone", `"-"`, wrong},
		{"exponent alone", `"e5"`, wrong},
		{"comma", `"1,5"`, wrong},
		{"null", `null`, "absent"},
		{"empty", `""`, "absent"},
		{"None", `"None"`, "absent"},
		{"true", `true`, "absent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pico, present, err := picoUSD(value(t, tt.text), "f")
			got := outcome(pico, err)
			if err == nil && !present {
				got = "absent"
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Goal: shifted is exact: the rational number times 10^places, rounded half
// away from zero, or false where that has no place in 64 bits.
func TestShiftedAgreesWithRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		places := rapid.SampledFrom([]int{0, 6, 12}).Draw(t, "places")
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%s is no number", text)
		}
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
		exact.Mul(exact, new(big.Rat).SetInt(power))
		twice := new(big.Int).Mul(new(big.Int).Abs(exact.Num()), big.NewInt(2))
		want := new(big.Int).Add(twice, exact.Denom())
		want.Quo(want, new(big.Int).Mul(exact.Denom(), big.NewInt(2))) // floor(|x| + 1/2)
		if exact.Sign() < 0 {
			want.Neg(want)
		}
		got, fits := shifted([]byte(text), places)
		limit := big.NewInt(math.MaxInt64 - 20)
		switch {
		case fits && big.NewInt(got).Cmp(want) != 0:
			t.Fatalf("%s shifted by %d: got %d, want %s", text, places, got, want)
		case !fits && want.CmpAbs(limit) <= 0:
			t.Fatalf("%s shifted by %d: refused, but is %s", text, places, want)
		}
	})
}

// Goal: business dates are those of the zone, also around its changes.
// Method: instants near the hours in which zones change, with half-hour
// shifts, half-hour and quarter-hour zones and midnight changes among them;
// one calendar answers for all, in any order, so that what it remembers of one
// hour would show in the next.
func TestCalendarAgreesWithTimePackage(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Australia/Adelaide", "America/St_Johns", "Pacific/Chatham", "Pacific/Kiritimati", "Africa/Cairo", "America/Santiago", "Asia/Beirut"}
	changes := []string{"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z", "2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z", "2026-04-23T22:00:00Z", "2026-10-29T21:00:00Z", "2026-04-05T03:00:00Z", "2026-09-06T04:00:00Z", "2026-03-28T22:00:00Z", "2026-12-31T23:00:00Z"}
	for _, zone := range zones {
		t.Run(zone, func(t *testing.T) {
			location, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				calendar := Calendar{zone: location}
				for range 20 {
					at, err := time.Parse(time.RFC3339, rapid.SampledFrom(changes).Draw(t, "change"))
					if err != nil {
						t.Fatal(err)
					}
					at = at.Add(time.Duration(rapid.Int64Range(-30*3600e6, 30*3600e6).Draw(t, "distance")) * time.Microsecond)
					local := at.In(location)
					want := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400
					if got := calendar.Date(at.UnixMicro()); got != want {
						t.Fatalf("%s: got day %d, want %d", local, got, want)
					}
				}
			})
		})
	}
}

func TestDaysFromCivilAgreesWithTimePackage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.Int64Range(-719162, 2932896).Draw(t, "day") // 0001-01-01 to 9999-12-31
		at := time.Unix(day*86400, 0).UTC()
		if got := daysFromCivil(at.Year(), int(at.Month()), at.Day()); got != day {
			t.Fatalf("%s: got %d, want %d", at.Format(time.DateOnly), got, day)
		}
	})
}

// Goal: two natural keys meet only where all their parts are equal, also where
// somebody chooses parts so that they run into each other.
func TestRecordKeySeparatesParts(t *testing.T) {
	part := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a'}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) [][]byte {
			return rapid.SliceOfN(part, 2, 3).Draw(t, name)
		}
		a, b := draw("a"), draw("b")
		var scratch []byte
		same := fmt.Sprint(a) == fmt.Sprint(b)
		if keyA, keyB := recordKey(&scratch, a...), recordKey(&scratch, b...); (keyA == keyB) != same || keyA < 0 {
			t.Fatalf("%q has key %d, %q has %d", a, keyA, b, keyB)
		}
	})
}

func TestFieldErrorNamesTheField(t *testing.T) {
	if got := (&FieldError{"input.inputTokenCount", "is negative"}).Error(); got != "input.inputTokenCount: is negative" {
		t.Errorf("got %q", got)
	}
}

// Goal: what is done eight bytes at a time, or not done at all where the ends
// show that there is no need, gives what the plain way gives.
func TestQuickWaysAgreeWithPlainOnes(t *testing.T) {
	capital := func(r rune) bool { return r >= 'A' && r <= 'Z' }
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("@AZ[`az{ \t\x85\xa0\xc1\xda_0")))).Draw(t, "text")
		plain := slices.ContainsFunc(s, func(c byte) bool { return capital(rune(c)) })
		if got := hasCapitals(s); got != plain {
			t.Fatalf("%q has capitals: got %v, want %v", s, got, plain)
		}
		if got, want := trim(s), bytes.TrimSpace(s); !bytes.Equal(got, want) {
			t.Fatalf("%q trimmed: got %q, want %q", s, got, want)
		}
	})
}
