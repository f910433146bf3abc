package civil

import (
	"encoding/json"
	"testing"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"pgregory.net/rapid"
)

func day(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestParseDate(t *testing.T) {
	tests := []struct {
		in string
		ok bool
	}{
		{"2026-10-31", true}, {"2024-02-29", true}, {"0001-01-01", true}, {"9999-12-31", true},
		{"", false}, {"2026-02-29", false}, {"2026-13-01", false}, {"2026-10-32", false}, {"2026-10-00", false},
		{"0000-01-01", false}, {"10000-01-01", false}, {"2026-1-1", false}, {"26-10-31", false}, {"2026-10-31 ", false},
		{"2026-10-31T00:00:00Z", false}, {"31.10.2026", false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseDate(tt.in)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v, %v", got, err)
			}
			if tt.ok && got.String() != tt.in {
				t.Errorf("prints as %s", got)
			}
		})
	}
}

func TestParseMonth(t *testing.T) {
	tests := []struct {
		in string
		ok bool
	}{
		{"2026-10", true}, {"0001-01", true}, {"9999-12", true},
		{"", false}, {"2026-00", false}, {"2026-13", false}, {"2026-1", false}, {"2026-10-01", false}, {"0000-01", false},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseMonth(tt.in)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v, %v", got, err)
			}
			if tt.ok && got.String() != tt.in {
				t.Errorf("prints as %s", got)
			}
		})
	}
}

func TestStart(t *testing.T) {
	tests := []struct {
		name, zone, day, want string
	}{
		{"UTC", "UTC", "2026-10-31", "2026-10-31T00:00:00Z"},
		{"winter time", "Europe/Berlin", "2026-12-01", "2026-11-30T23:00:00Z"},
		{"summer time", "Europe/Berlin", "2026-07-01", "2026-06-30T22:00:00Z"},
		{"day of the spring change", "Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"day after the spring change", "Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"day of the autumn change", "Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"},
		{"day after the autumn change", "Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"},
		{"midnight is skipped", "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"},
		{"midnight is skipped, west of Greenwich", "America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"},
		{"midnight happens twice", "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{"clock goes back at midnight", "Africa/Cairo", "2026-10-30", "2026-10-29T22:00:00Z"},
		{"half-hour change", "Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z"},
		{"furthest east", "Pacific/Kiritimati", "2026-10-31", "2026-10-30T10:00:00Z"},
		{"furthest west", "Etc/GMT+12", "2026-10-31", "2026-10-31T12:00:00Z"},
		{"day that never was", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"day after the day that never was", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := day(tt.day).Start(zoneOf(t, tt.zone)).UTC().Format(time.RFC3339)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Goal: days cut time into pieces without gap or overlap.
// Method: any day in any zone begins on that day, and an instant earlier it was
// another day.
func TestStartIsTheFirstInstant(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Africa/Cairo", "Asia/Beirut",
		"Atlantic/Azores", "America/Santiago", "Australia/Lord_Howe", "Pacific/Kiritimati", "Asia/Kathmandu", "Africa/Casablanca"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		d := day("2015-01-01").AddDays(rapid.IntRange(0, 50*365).Draw(t, "days"))
		start := d.Start(zone)
		if got := DateOf(start, zone); got != d {
			t.Fatalf("%s in %s starts at %s, which is %s", d, zone, start, got)
		}
		if got := DateOf(start.Add(-1), zone); got != d.AddDays(-1) {
			t.Fatalf("before %s in %s comes %s", d, zone, got)
		}
		instant := start.Add(time.Duration(rapid.Int64Range(0, int64(22*time.Hour)).Draw(t, "later")))
		if got := DateOf(instant, zone); got != d {
			t.Fatalf("%s lies on %s, want %s", instant, got, d)
		}
	})
}

func TestDateArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Min.AddDays(rapid.IntRange(0, Max.DaysSince(Min)).Draw(t, "day"))
		n := rapid.IntRange(-d.DaysSince(Min), Max.DaysSince(d)).Draw(t, "n")
		later := d.AddDays(n)
		if got := later.DaysSince(d); got != n {
			t.Fatalf("%s + %d = %s, which is %d days later", d, n, later, got)
		}
		if later.AddDays(-n) != d {
			t.Fatalf("%s + %d - %d = %s", d, n, n, later.AddDays(-n))
		}
		if d.Before(later) != (n > 0) || (d.Compare(later) == 0) != (n == 0) || d.Compare(later) != -later.Compare(d) {
			t.Fatalf("order of %s and %s", d, later)
		}
		if (d.String() < later.String()) != d.Before(later) {
			t.Fatalf("%s and %s sort differently as text", d, later)
		}
		if again, err := ParseDate(d.String()); err != nil || again != d {
			t.Fatalf("%s reads as %s, %v", d, again, err)
		}
	})
}

func TestMonthArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := day("0001-02-01").AddDays(rapid.IntRange(0, 3_600_000).Draw(t, "day"))
		m := d.Month()
		if !m.Contains(d) || d.Before(m.FirstDay()) || m.LastDay().Before(d) {
			t.Fatalf("%s is not between %s and %s", d, m.FirstDay(), m.LastDay())
		}
		if m.Contains(m.FirstDay().AddDays(-1)) || m.Contains(m.LastDay().AddDays(1)) {
			t.Fatalf("%s is too long", m)
		}
		if m.Next().FirstDay() != m.LastDay().AddDays(1) || m.Next().Prev() != m || m.Prev().Next() != m {
			t.Fatalf("neighbours of %s: %s, %s", m, m.Prev(), m.Next())
		}
		if !m.Before(m.Next()) || m.Next().Before(m) || m.Compare(m) != 0 {
			t.Fatalf("order around %s", m)
		}
		if again, err := ParseMonth(m.String()); err != nil || again != m {
			t.Fatalf("%s reads as %s, %v", m, again, err)
		}
	})
}

func TestTextForms(t *testing.T) {
	type pair struct {
		Date  Date
		Month Month
	}
	tests := []struct {
		name string
		in   string
		ok   bool
	}{
		{"both set", `{"Date":"2026-10-31","Month":"2026-10"}`, true},
		{"both empty", `{"Date":"","Month":""}`, true},
		{"bad date", `{"Date":"2026-10","Month":""}`, false},
		{"bad month", `{"Date":"","Month":"October"}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p pair
			err := json.Unmarshal([]byte(tt.in), &p)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v", err)
			}
			if !tt.ok {
				return
			}
			if out, err := json.Marshal(p); err != nil || string(out) != tt.in {
				t.Errorf("wrote %s, %v", out, err)
			}
		})
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("2026-10-31")
	f.Add("2026-02-29")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if err == nil && d.String() != s {
			t.Errorf("%q reads as %s", s, d)
		}
	})
}
