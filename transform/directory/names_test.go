package directory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/transform/civil"
)

// namesOf are Names of aliases, of names that exports show and of addresses with
// rows of their own, each in words: NAME EMAIL SOURCE FROM..TO.
func namesOf(t testing.TB, aliases string, shown, own []string) *Names {
	t.Helper()
	d, err := Parse("d.yaml", []byte("cost_centers:\n  - {code: a, department: D}\n"+aliases))
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string, open civil.Date) civil.Date {
		if s == "" {
			return open
		}
		date, err := civil.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return date
	}
	var all []Shown
	for _, s := range shown {
		f := strings.Fields(s)
		from, to, _ := strings.Cut(f[3], "..")
		dated, since, back := strings.Cut(from, "/")
		if !back {
			since = dated
		}
		all = append(all, Shown{Name: f[0], Email: f[1], Source: f[2], Field: "id", From: day(dated, civil.Min), Since: day(since, civil.Min), To: day(to, civil.Max)})
	}
	n := d.NewNames(all)
	for _, s := range own {
		f := strings.Fields(s)
		from, to, _ := strings.Cut(f[1], "..")
		n.Own(f[0], day(from, civil.Min), day(to, civil.Max))
	}
	return n
}

// told is who a name stands for, on which days.
func told(rows []Named) (all []string) {
	for _, r := range rows {
		text := r.Email
		if len(r.Rivals) > 0 {
			text = "nobody: " + strings.Join(r.Rivals, ", ")
		} else if r.By != (Shown{}) {
			text += " by " + r.By.Source
		}
		if civil.Min.Before(r.From) {
			text += " from " + r.From.String()
		}
		all = append(all, text)
	}
	return all
}

// Goal: who a name stands for on which day: the directory first, then an address
// of one's own, then what exports show, and nobody where two people have it.
func TestNamesOf(t *testing.T) {
	const october = "2026-10-10"
	tests := []struct {
		name, aliases string
		shown, own    []string
		asked         string
		want          []string
	}{
		{"nothing is known", "", nil, nil, "x@e", []string{"x@e"}},
		{"an id", "", []string{"7 jane@e idp 2026-10-10.."}, nil, "7", []string{"7", "jane@e by idp from 2026-10-10"}},
		{"an id in other letters", "", []string{"ab-7 jane@e idp .."}, nil, "AB-7", []string{"jane@e by idp"}},
		{"an id that ends", "", []string{"7 jane@e idp 2026-10-10..2026-10-20"}, nil, "7", []string{"7", "jane@e by idp from 2026-10-10", "7 from 2026-10-20"}},
		{"runs that follow each other", "", []string{"7 jane@e idp 2026-10-10..2026-10-20", "7 jane@e idp 2026-10-20.."}, nil, "7", []string{"7", "jane@e by idp from 2026-10-10", "jane@e by idp from 2026-10-20"}},
		{"two sources say the same", "", []string{"7 jane@e hr ..", "7 jane@e idp .."}, nil, "7", []string{"jane@e by hr"}},
		{"two people", "", []string{"7 jane@e idp ..", "7 john@e idp .."}, nil, "7", []string{"nobody: jane@e, john@e"}},
		{"two people for some days", "", []string{"7 jane@e idp ..", "7 john@e hr 2026-10-10..2026-10-20"}, nil, "7", []string{"jane@e by idp", "nobody: jane@e, john@e from 2026-10-10", "jane@e by idp from 2026-10-20"}},
		{"two addresses of one person", "aliases:\n  - {alias: was@e, email: jane@e}\n", []string{"7 jane@e idp ..", "7 was@e hr .."}, nil, "7", []string{"jane@e by idp"}},
		{"the directory goes first", "aliases:\n  - {alias: '7', email: john@e}\n", []string{"7 jane@e idp .."}, nil, "7", []string{"john@e"}},
		{"the directory goes first on its days", "aliases:\n  - {alias: '7', email: john@e, to: 2026-10-10}\n", []string{"7 jane@e idp .."}, nil, "7", []string{"john@e", "jane@e by idp from 2026-10-10"}},
		{"the directory decides between two", "aliases:\n  - {alias: '7', email: john@e}\n", []string{"7 jane@e idp ..", "7 john@e idp .."}, nil, "7", []string{"john@e"}},
		{"the directory leads to a name of an export", "aliases:\n  - {alias: j, email: upn@e}\n", []string{"upn@e jane@e idp .."}, nil, "j", []string{"jane@e by idp"}},
		{"an export's address that the directory leads on", "aliases:\n  - {alias: was@e, email: jane@e, from: 2026-10-10}\n", []string{"7 was@e idp .."}, nil, "7", []string{"was@e by idp", "jane@e by idp from 2026-10-10"}},
		{"an address of one's own", "", []string{"jane@e boss@e idp .."}, []string{"jane@e .." + october}, "jane@e", []string{"jane@e", "boss@e by idp from 2026-10-10"}},
		{"one's own id in other letters", "", []string{"bot bot-2 idp 2026-10-10.."}, []string{"Bot ..2026-10-10"}, "BOT", []string{"Bot", "bot-2 by idp from 2026-10-10"}},
		{"dated back", "", []string{"7 jane@e hr 2026-10-01/2026-10-10.."}, nil, "7", []string{"7", "jane@e by hr from 2026-10-01"}},
		{"dated back into another's days", "", []string{"7 john@e hr 2026-10-05..2026-10-10", "7 jane@e hr 2026-10-01/2026-10-10.."}, nil, "7", []string{"7", "jane@e by hr from 2026-10-01", "john@e by hr from 2026-10-05", "jane@e by hr from 2026-10-10"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := namesOf(t, tt.aliases, tt.shown, tt.own)
			if diff := cmp.Diff(tt.want, told(n.Of(tt.asked, civil.Min, civil.Max))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Goal: every day is in one row, whatever overlaps, and no order of what is shown
// changes who it is.
// Method: claims at random, and an oracle that looks at each day alone.
func TestNamesOfEveryDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := func(i int) civil.Date { return civil.Date{Year: 2026, Mon: 10, Day: 1}.AddDays(i) }
		span := func(label string) (civil.Date, civil.Date) {
			from := rapid.IntRange(0, 8).Draw(t, label)
			return day(from), day(from + rapid.IntRange(1, 5).Draw(t, label+" days"))
		}
		var shown []Shown
		for range rapid.IntRange(1, 5).Draw(t, "claims") {
			from, to := span("claim")
			shown = append(shown, Shown{Name: "n@e", Email: fmt.Sprintf("p%d@e", rapid.IntRange(1, 2).Draw(t, "person")), Source: "s", From: from, Since: from, To: to})
		}
		n := (&Directory{}).NewNames(shown)
		from, to := span("own")
		n.Own("n@e", from, to)
		rows := n.Of("n@e", day(-1), day(20))
		for i := -1; i < 20; i++ {
			d, want := day(i), map[string]bool{}
			for _, s := range shown {
				if !d.Before(s.Since) && d.Before(s.To) {
					want[s.Email] = true
				}
			}
			if len(want) == 0 || !d.Before(from) && d.Before(to) {
				want = map[string]bool{"n@e": true}
			}
			found := 0
			for _, r := range rows {
				if d.Before(r.From) || !d.Before(r.To) {
					continue
				}
				if found++; (len(want) == 1) != (len(r.Rivals) == 0) || len(want) == 1 && !want[r.Email] {
					t.Fatalf("%s: got %v, want %v", d, told([]Named{r}), want)
				}
			}
			if found != 1 {
				t.Fatalf("%s is in %d rows", d, found)
			}
		}
	})
}

// Goal: what a person is called besides, and which names stand for nobody.
func TestNamesAlsoAndContested(t *testing.T) {
	n := namesOf(t, "aliases:\n  - {alias: '9', email: jane@e}\n",
		[]string{"8 jane@e idp ..", "7 jane@e idp ..", "7 john@e idp 2026-10-10..2026-10-20", "9 jane@e idp ..", "9 john@e idp ..", "jane@e jane@e idp .."}, nil)
	var also, contested []string
	for _, s := range n.Also("jane@e") {
		also = append(also, s.Name)
	}
	for _, day := range []int{9, 10, 20} {
		for _, r := range n.Contested(civil.Date{Year: 2026, Mon: 10, Day: day}) {
			contested = append(contested, fmt.Sprint(day, " ", r.Name, " ", r.By.Source))
		}
	}
	if diff := cmp.Diff([]string{"7", "8", "9"}, also); diff != "" {
		t.Errorf("also (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"10 7 idp"}, contested); diff != "" {
		t.Errorf("contested (-want +got)\n%s", diff)
	}
}

// Goal: which cost centre pays for a department without one: capitals and blanks
// around don't count, a name goes before a pattern and a longer pattern before a
// shorter one.
func TestPlaceByDepartment(t *testing.T) {
	d, err := Parse("d.yaml", []byte(`cost_centers:
  - {code: any, department: D, default_for: ["*"]}
  - {code: sales, department: D, default_for: [Sales*, "SALES*"]}
  - {code: emea, department: D, default_for: ["Sales EMEA*"]}
  - {code: one, department: D, default_for: [Sales EMEA 1, "M\u00fcller"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for department, want := range map[string]string{
		"Sales": "sales", "  sales\u00a0": "sales", "SALES emea": "emea", "sales emea 1": "one", "Sales EMEA 12": "emea", "Legal": "any", "mu\u0308LLER": "one", "": "", " ": "",
	} {
		if c, ok := d.Place(department, ""); c.Code != want || ok != (want != "") {
			t.Errorf("%q: got %q, want %q", department, c.Code, want)
		}
	}
}
