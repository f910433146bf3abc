package records

import "testing"

// Goal: an id that was given stays, also where what it was given for is not kept yet,
// and numbers go on behind those of the ledger, never into hashes.
// Method: give, read the ledger again as it was and as it is then, give more.
func TestIDsStayAsTheyWereGiven(t *testing.T) {
	const hashA, hashB, hashC = 5 << 50, 6 << 50, 7 << 50
	for _, c := range []struct {
		name     string
		numbered bool
		want     [3]int64 // of a, which the ledger has by its hash, of b and of c
	}{
		{"one process", true, [3]int64{hashA, 4, 5}},
		{"several", false, [3]int64{hashA, hashB, hashC}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var g given[string]
			begin := func(kept map[string]int64) {
				last := int64(3) // of another version of the rate book
				for _, id := range kept {
					if id < numbersEnd {
						last = max(last, id)
					}
				}
				g.begin(c.numbered, last)
				for key, id := range kept {
					g.keeps(key, id)
				}
			}
			check := func(when string) {
				t.Helper()
				if got := [3]int64{g.of("a", hashA), g.of("b", hashB), g.of("c", hashC)}; got != c.want {
					t.Errorf("%s: %d, want %d", when, got, c.want)
				}
			}
			kept := map[string]int64{"a": hashA}
			begin(kept)
			check("first")
			begin(kept)
			if check("not kept"); g.kept["b"] {
				t.Error("b is kept, which nobody has written")
			}
			kept["b"], kept["c"] = c.want[1], c.want[2]
			begin(kept)
			if check("kept"); !g.kept["b"] {
				t.Error("b is not kept, which the ledger has")
			}
		})
	}
}

// Goal: of two ids that the ledger has of one key the smaller one counts, whichever
// is read first.
// Method: both orders.
func TestOfTwoIDsTheNumberCounts(t *testing.T) {
	for _, order := range [][2]int64{{9 << 50, 2}, {2, 9 << 50}} {
		var g given[string]
		g.begin(true, 2)
		g.of("a", 1<<50) // given before it was read
		g.keeps("a", order[0])
		g.keeps("a", order[1])
		if got := g.of("a", 1<<50); got != 2 {
			t.Errorf("read %d: %d, want 2", order, got)
		}
	}
}
