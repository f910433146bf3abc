package models

// A state is one of a few words. Models carry them as small numbers, which texts
// name as {@match_ambiguous}; the words are joined from the table of rulings.
type state struct {
	name string // behind the kind's prefix, in texts
	word string // for people; "" where there is none
}

// roomForStates is for how many states of a kind a ruling's id has room: it has one
// decimal digit for each of the first four kinds. Stored records have such ids.
const roomForStates = 10

// The kinds of states, each in the order of its numbers.
var (
	matches = []state{{"matched", "matched"}, {"provider_only", "provider_only"}, {"agent_only", "agent_only"}, {"ambiguous", "ambiguous"}}
	rungs   = []state{{"none", ""}, {"request_id", "request id"}, {"response_id", "response id"}, {"client_ref", "client reference"}, {"fingerprint", "fingerprint"}}
	pricing = []state{{"priced", "priced"}, {"estimated", "estimated"}, {"unpriced", "unpriced"}, {"pending", "pending"}, {"not_billed", "not_billed"}, {"doubtful", "doubtful"}}
	paidBy  = []state{
		{"nobody", "none"}, {"cost_center", "explicit cost centre"}, {"user", "user"}, {"agent", "agent owner"}, {"key", "key owner"},
		{"team", "team owner"}, {"project", "project owner"}, {"caller", "caller owner"},
	}
	bases = []state{{name: "metered"}, {name: "cache_hit"}, {name: "estimate"}, {name: "waiting"}, {name: "failed"}, {name: "doubtful"}}
)

// States are the numbers of all states, by the names that texts have for them; and
// states, which a ruling's id is taken apart by, and by_last, which is behind all that
// pays.
func States() map[string]any {
	all := map[string]any{"states": roomForStates, "by_last": len(paidBy)}
	for prefix, states := range map[string][]state{"match_": matches, "rung_": rungs, "pricing_": pricing, "by_": paidBy, "basis_": bases} {
		for i, s := range states {
			all[prefix+s.name] = i
		}
	}
	return all
}

// Ruling is how a record was matched, priced and attributed, in words. Rung is
// empty where no key brought it together.
type Ruling struct {
	ID                                int64
	Match, Rung, Pricing, Attribution string
}

// Rulings are all that there can be. A ruling's id has their numbers as fresh_records
// puts them together.
func Rulings() (all []Ruling) {
	for m, match := range matches {
		for g, rung := range rungs {
			for p, price := range pricing {
				for a, by := range paidBy {
					all = append(all, Ruling{int64(((m*roomForStates+g)*roomForStates+p)*roomForStates + a), match.word, rung.word, price.word, by.word})
				}
			}
		}
	}
	return all
}
