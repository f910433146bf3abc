package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/transform/civil"
)

const rosterHeader = "email,department,cost_center,valid_from,valid_to\n"

// lives shows a person; a@example.com D CC is written as "a D CC".
func lives(texts ...string) (people []Person) {
	for _, t := range texts {
		f := strings.Fields(t)
		people = append(people, Person{Email: f[0] + "@example.com", Department: f[1], CostCenter: f[2]})
	}
	return people
}

func itself(email string) string { return NormEmail(email) }

// Goal: each thing that can happen to a person between two exports changes what
// it must and nothing else, byte by byte.
func TestRosterTakes(t *testing.T) {
	const a, b = "a@example.com,One,CC-1,", "b@example.com,Two,CC-2,"
	tests := []struct {
		name, file string
		shown      []Person
		known      []string
		want       string
	}{
		{"nothing is there yet", "", lives("a One CC-1"), nil, rosterHeader + a + "2026-11-20,\n"},
		{"nothing changes", rosterHeader + a + "2026-01-01,\n", lives("a One CC-1"), nil, rosterHeader + a + "2026-01-01,\n"},
		{"joined", rosterHeader + a + "2026-01-01,", lives("a One CC-1", "b Two CC-2"), nil, rosterHeader + a + "2026-01-01,\n" + b + "2026-11-20,\n"},
		{"moved", rosterHeader + a + "2026-01-01,\n", lives("a Two CC-2"), nil, rosterHeader + a + "2026-01-01,2026-11-20\na@example.com,Two,CC-2,2026-11-20,\n"},
		{"left", rosterHeader + a + "2026-01-01,\n" + b + "2026-01-01,\n", lives("a One CC-1"), nil, rosterHeader + a + "2026-01-01,\n" + b + "2026-01-01,2026-11-20\n"},
		{"left before", rosterHeader + a + "2026-01-01,\n" + b + "2026-01-01,2026-11-20\n", lives("a One CC-1"), nil, rosterHeader + a + "2026-01-01,\n" + b + "2026-01-01,2026-11-20\n"},
		{"comes back under the same address", rosterHeader + a + "2025-01-01,2025-06-01\n", lives("a One CC-1"), nil, rosterHeader + a + "2025-01-01,2025-06-01\n" + a + "2026-11-20,\n"},
		{"moved on this day, and the export was corrected", rosterHeader + a + "2026-01-01,2026-11-20\na@example.com,Two,CC-2,2026-11-20,\n", lives("a Three CC-3"), nil, rosterHeader + a + "2026-01-01,2026-11-20\na@example.com,Three,CC-3,2026-11-20,\n"},
		{"begins on this day and isn't shown", rosterHeader + a + "2026-11-20,\n" + b + "2026-01-01,\n", lives("b Two CC-2"), nil, rosterHeader + a + "2026-11-20,\n" + b + "2026-01-01,\n"},
		{"an older export than the row", rosterHeader + a + "2026-12-01,\n", lives("a Two CC-2"), nil, rosterHeader + a + "2026-12-01,\na@example.com,Two,CC-2,2026-11-20,2026-12-01\n"},
		{"a row that was left open counts until the next begins", rosterHeader + a + "2026-01-01,\na@example.com,Two,CC-2,2026-02-01,\n", lives("a Two CC-2"), nil, rosterHeader + a + "2026-01-01,\na@example.com,Two,CC-2,2026-02-01,\n"},
		{"is shown without a place", rosterHeader + a + "2026-01-01,\n", lives("b Two CC-2"), []string{"A@example.com"}, rosterHeader + a + "2026-01-01,\n" + b + "2026-11-20,\n"},
		{"case and blanks", rosterHeader + " A@Example.com ,One,CC-1,2026-01-01,\n", lives("a One CC-1"), nil, rosterHeader + " A@Example.com ,One,CC-1,2026-01-01,\n"},
		{"zeros are text", rosterHeader + "a@example.com,One,00420,2026-01-01,\n", lives("a One 420"), nil, rosterHeader + "a@example.com,One,00420,2026-01-01,2026-11-20\na@example.com,One,420,2026-11-20,\n"},
		{"other columns in another order, CRLF, blank lines and a mark", "\ufeffnote,VALID_TO,valid_from,cost_center,department,email\r\n\r\n\"x, \"\"y\"\"\",,2026-01-01,CC-1,One,a@example.com\r\n", lives("a Two CC-2"), nil,
			"\ufeffnote,VALID_TO,valid_from,cost_center,department,email\r\n\r\n\"x, \"\"y\"\"\",2026-11-20,2026-01-01,CC-1,One,a@example.com\r\n,,2026-11-20,CC-2,Two,a@example.com\r\n"},
		{"a cell with a comma", rosterHeader, []Person{{Email: "a@example.com", Department: "One, \"and\" only", CostCenter: "CC-1"}}, nil, rosterHeader + "a@example.com,\"One, \"\"and\"\" only\",CC-1,2026-11-20,\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewRoster([]byte(tt.file))
			if err != nil {
				t.Fatal(err)
			}
			first := r.Take(tt.shown, tt.known, day("2026-11-20"), itself)
			if diff := cmp.Diff(tt.want, string(r.Bytes())); diff != "" {
				t.Errorf("file (-want +got):\n%s", diff)
			}
			again, err := NewRoster(r.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if second := again.Take(tt.shown, tt.known, day("2026-11-20"), itself); second.Changes() != 0 || string(again.Bytes()) != string(r.Bytes()) {
				t.Errorf("once more changes %+v after %+v", second, first)
			}
		})
	}
}

func day(s string) civil.Date {
	d, err := civil.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestRosterRefuses(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"no header", "a@example.com,One,CC-1,2026-01-01,\n", "line 1: column email is missing; the header must name email, department"},
		{"a column twice", "email,department,cost_center,valid_from,valid_to,Email\n", "line 1: column email occurs twice"},
		{"a quote that is open", rosterHeader + "\"a,One,CC-1,2026-01-01,\n", "line 2: broken CSV"},
		{"no date", rosterHeader + "\na@example.com,One,CC-1,soon,\n", "line 3: valid_from: "},
		{"no end", rosterHeader + "a@example.com,One,CC-1,2026-01-01,soon\n", "line 2: valid_to: "},
		{"too many cells", rosterHeader + "a@example.com,One,CC-1,2026-01-01,,x\n", "line 2: the row has more cells than the header"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewRoster([]byte(tt.file)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// Goal: exports that are imported day after day give a file that says of each
// day what that day's export shows.
// Method: draw exports, import each twice in its order, look at every day.
func TestRosterByDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, shownOn := []byte(nil), map[int]map[string]string{}
		days := rapid.IntRange(1, 8).Draw(t, "days")
		for d := 1; d <= days; d++ {
			shownOn[d] = map[string]string{}
			var shown []Person
			for _, name := range []string{"a", "b", "c"} {
				if center := rapid.IntRange(0, 2).Draw(t, "center"); center > 0 {
					shown = append(shown, lives(fmt.Sprintf("%s D CC-%d", name, center))...)
					shownOn[d][name+"@example.com"] = fmt.Sprintf("CC-%d", center)
				}
			}
			for range 2 {
				r, err := NewRoster(text)
				if err != nil {
					t.Fatal(err)
				}
				r.Take(shown, nil, october(d), itself)
				text = r.Bytes()
			}
		}
		r, err := NewRoster(text)
		if err != nil {
			t.Fatal(err)
		}
		for d := 1; d <= days; d++ {
			got := map[string]string{}
			for _, p := range r.People() {
				if !october(d).Before(p.From) && october(d).Before(p.To) {
					got[p.Email] += p.CostCenter
				}
			}
			if diff := cmp.Diff(shownOn[d], got); diff != "" {
				t.Fatalf("October %d (-want +got):\n%s\nof\n%s", d, diff, text)
			}
		}
	})
}

// FuzzRoster reads any bytes as a people file, and imports into it.
func FuzzRoster(f *testing.F) {
	f.Add([]byte(rosterHeader + "a@example.com,One,CC-1,2026-01-01,\n\"b@example.com\",\"Two, too\",CC-2,2026-01-01,2026-12-01\r\n"))
	f.Add([]byte("\ufeffnote,valid_to,valid_from,cost_center,department,email"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewRoster(text)
		if err != nil {
			return
		}
		if len(text) > 0 && len(strings.TrimSpace(string(text))) > 0 && string(r.Bytes()) != string(text) {
			t.Errorf("%q is kept as %q", text, r.Bytes())
		}
		before := len(r.People())
		r.Take(lives("a Two CC-2", "c Three CC-3"), nil, day("2026-11-20"), itself)
		again, err := NewRoster(r.Bytes())
		if err != nil || len(again.People()) < before || !slices.Equal(again.People(), r.People()) {
			return
		}
		if plan := again.Take(lives("a Two CC-2", "c Three CC-3"), nil, day("2026-11-20"), itself); plan.Changes() > 0 {
			t.Errorf("once more changes %+v in %q", plan, again.Bytes())
		}
	})
}

func TestPlace(t *testing.T) {
	d := parse(t, `cost_centers:
  - {code: "00420", department: Support, default_for: [Support, Kundendienst]}
  - {code: CC-1, department: One}
`)
	tests := []struct{ name, department, center, want string }{
		{"both", "One", "CC-1", "One CC-1"},
		{"the directory's department", "Team 1 EMEA", "CC-1", "One CC-1"},
		{"no department", "", "00420", "Support 00420"},
		{"default of the department", "Kundendienst", "", "Support 00420"},
		{"unknown cost centre", "One", "CC-9", "One CC-9"},
		{"unknown cost centre without department", "", "CC-9", "nobody"},
		{"department without default", "One", "", "nobody"},
		{"neither", "", "", "nobody"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "nobody"
			if c, ok := d.Place(tt.department, tt.center); ok {
				got = c.Department + " " + c.Code
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
