package models_test

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/rates"
)

// oracle works out by hand, row by row, what the models should make of a world.
// It knows nothing of windows: every rule sees all rows.
type oracle struct {
	book      ledgertest.Book
	zone      *time.Location
	lateUntil civil.Date
	usage     []usage
	requests  []request
	people    []person

	aside     map[place]string   // verdicts on rows that don't count
	counts    map[place]place    // rows set aside to the request that counts for them
	retry     map[place]bool     // attempts that failed beside the one that stands for their call
	match     map[place]place    // usage to its request
	rung      map[place]string   // by which key
	elsewhere map[place]bool     // usage whose request tells of another provider and has a charge of its own
	ambiguous map[place]bool     // usage and requests
	maybe     map[place][]place  // requests that ambiguous usage may belong to
	twins     map[place]bool     // requests that look like usage without a request
	billedBy  map[place][]usage  // usage rows of a request
	result    map[place]expected // by the usage, or the request where there is none
}

// expected is a cost record as the oracle has it; pico is nil where the cost is
// not known.
type expected struct {
	request              place
	match, rung, pricing string
	center               string
	pico                 *big.Int
}

func usagePlace(u usage) place     { return place{"usage", u.Object, u.Line} }
func requestPlace(r request) place { return place{r.Source, r.Object, r.Line} }

func (o *oracle) run() {
	o.aside, o.match, o.rung, o.ambiguous = map[place]string{}, map[place]place{}, map[place]string{}, map[place]bool{}
	o.billedBy, o.result = map[place][]usage{}, map[place]expected{}
	o.counts, o.retry, o.elsewhere, o.maybe, o.twins = map[place]place{}, map[place]bool{}, map[place]bool{}, map[place][]place{}, map[place]bool{}
	kept := keep(o, o.usage, func(u usage) copyOf {
		content := u
		content.Line, content.Object, content.Partial = 0, "", false // completeness says it
		return copyOf{o.date(u.At).String() + u.Key, completeness(u.Failed, u.Partial), content, usagePlace(u)}
	})
	requests := o.keepRequests()
	for _, u := range kept {
		o.find(u, requests)
	}
	o.pair(kept, requests)
	for _, u := range kept {
		o.chargeUsage(u, requests)
	}
	for _, r := range requests {
		if len(o.billedBy[requestPlace(r)]) == 0 {
			o.chargeRequest(r, kept)
		}
	}
}

func (o *oracle) date(at string) civil.Date { return civil.DateOf(ledgertest.At(at), o.zone) }

func completeness(failed, partial bool) int {
	switch {
	case failed:
		return 0
	case partial:
		return 1
	}
	return 2
}

// copyOf is a row as dedupe sees it.
type copyOf struct {
	key          string
	completeness int
	content      any
	place        place
}

// keep returns the rows that count and notes the verdict on the others.
func keep[R any](o *oracle, rows []R, see func(R) copyOf) (kept []R) {
	groups := map[string][]R{}
	for _, r := range rows {
		groups[see(r).key] = append(groups[see(r).key], r)
	}
	for _, group := range groups {
		slices.SortFunc(group, func(a, b R) int {
			x, y := see(a), see(b)
			return cmp.Or(cmp.Compare(y.completeness, x.completeness), cmp.Compare(x.place.object, y.place.object), cmp.Compare(x.place.line, y.place.line))
		})
		best, conflict := see(group[0]), false
		for _, r := range group {
			if c := see(r); c.completeness == best.completeness && c.content != best.content {
				conflict = true
			}
		}
		for i, r := range group {
			switch c := see(r); {
			case conflict && c.completeness == best.completeness:
				o.aside[c.place] = "conflict"
			case i > 0:
				o.aside[c.place] = "duplicate"
			default:
				kept = append(kept, r)
			}
		}
	}
	return kept
}

// find climbs the ladder for one usage row. What a row that was set aside knows
// leads to the request that counts for it.
func (o *oracle) find(u usage, requests []request) {
	for _, rung := range []struct {
		name string
		key  string
		of   func(request) string
	}{
		{"request id", u.RequestID, func(r request) string { return r.RequestID }},
		{"other request id", u.RequestID, func(r request) string { return r.RequestID }},
		{"response id", u.ResponseID, func(r request) string { return r.ResponseID }},
		{"client reference", u.ClientRef, func(r request) string { return cmp.Or(r.ClientRef, r.ID) }},
	} {
		has := func(r request) bool {
			return rung.key != "" && rung.of(r) == rung.key && !r.CacheHit && ledgertest.At(r.At).Sub(ledgertest.At(u.At)).Abs() <= 23*time.Hour
		}
		byOthers := func(r request) bool {
			return slices.ContainsFunc(o.requests, func(other request) bool {
				return o.counts[requestPlace(other)] == requestPlace(r) && !r.CacheHit && has(other)
			})
		}
		var found []request
		for _, r := range requests {
			if rung.name != "other request id" && has(r) || rung.name != "request id" && byOthers(r) {
				found = append(found, r)
			}
		}
		if rung.name == "request id" && len(found) > 1 { // whoever knows the id may be the one
			found = slices.Collect(func(yield func(request) bool) {
				for _, r := range requests {
					if (has(r) || byOthers(r)) && !yield(r) {
						return
					}
				}
			})
		}
		if rung.name == "client reference" {
			found = o.ofOneCall(u, found)
		}
		p := usagePlace(u)
		switch {
		case len(found) == 1:
			to := requestPlace(found[0])
			o.match[p], o.rung[p] = to, strings.TrimPrefix(rung.name, "other ")
			if rung.name == "client reference" && !sameProvider(u, found[0]) {
				o.elsewhere[p] = true
				return
			}
			o.billedBy[to] = append(o.billedBy[to], u)
			return
		case len(found) > 1:
			o.ambiguous[p] = true
			for _, r := range found {
				o.ambiguous[requestPlace(r)] = true
				o.maybe[p] = append(o.maybe[p], requestPlace(r))
			}
			return
		}
	}
}

func sameProvider(u usage, r request) bool {
	return cmp.Or(u.Provider, "bedrock") == cmp.Or(r.Provider, "bedrock") || r.Provider == "unknown"
}

// ofOneCall leaves of the attempts of one call the one that usage of a provider
// belongs to by a reference alone.
func (o *oracle) ofOneCall(u usage, found []request) []request {
	for _, r := range found {
		if r.ID != found[0].ID {
			return found
		}
	}
	if len(found) == 0 {
		return nil
	}
	last := func(yes bool) int {
		if yes {
			return 1
		}
		return 0
	}
	return []request{slices.MinFunc(found, func(a, b request) int {
		return cmp.Or(cmp.Compare(last(!sameProvider(u, a)), last(!sameProvider(u, b))), cmp.Compare(last(o.retry[requestPlace(a)]), last(o.retry[requestPlace(b)])),
			cmp.Compare(ledgertest.ObjectID(a.Source, a.Object, ""), ledgertest.ObjectID(b.Source, b.Object, "")), cmp.Compare(a.Line, b.Line))
	})}
}

// pair brings together what looks alike and has no other like it.
func (o *oracle) pair(kept []usage, requests []request) {
	alike := func(u usage, r request) bool {
		p, q := usagePlace(u), requestPlace(r)
		if _, matched := o.match[p]; matched || o.ambiguous[p] || u.Failed || len(o.billedBy[q]) > 0 || r.Failed || r.CacheHit || r.Unmetered {
			return false
		}
		counts := func(t record.Tokens) [4]int64 {
			return [4]int64{t.InputUncached, t.CacheRead, t.CacheWrite5m + t.CacheWrite1h + t.CacheWriteUnknown, t.Output}
		}
		return o.model(u.Provider, u.Model) == o.model(r.Provider, r.Model) && counts(u.Tokens) == counts(r.Tokens) && counts(u.Tokens) != [4]int64{} &&
			ledgertest.At(r.At).Sub(ledgertest.At(u.At)).Abs() <= 2*time.Minute
	}
	of, to := map[place][]usage{}, map[place][]request{}
	for _, u := range kept {
		for _, r := range requests {
			if alike(u, r) {
				of[requestPlace(r)], to[usagePlace(u)] = append(of[requestPlace(r)], u), append(to[usagePlace(u)], r)
			}
		}
	}
	for p, found := range to {
		for _, r := range found {
			q := requestPlace(r)
			if len(found) == 1 && len(of[q]) == 1 {
				o.match[p], o.rung[p], o.billedBy[q] = q, "fingerprint", of[q]
			} else {
				o.twins[q] = true
			}
		}
	}
}

// doubtful says whether a request's cost may stand in usage that is charged.
func (o *oracle) doubtful(r request, kept []usage) bool {
	if o.twins[requestPlace(r)] {
		return true
	}
	for _, u := range kept {
		if !slices.Contains(o.book.UsageFrom, cmp.Or(r.Provider, "bedrock")) || cmp.Or(u.Provider, "bedrock") != cmp.Or(r.Provider, "bedrock") {
			continue
		}
		_, matched := o.match[usagePlace(u)]
		near := !matched && !o.ambiguous[usagePlace(u)] && o.model(u.Provider, u.Model) == o.model(r.Provider, r.Model) &&
			ledgertest.At(r.At).Sub(ledgertest.At(u.At)).Abs() <= time.Hour
		if o.date(u.At) == o.date(r.At) || near {
			return true
		}
	}
	return false
}

func (o *oracle) chargeUsage(u usage, requests []request) {
	p := usagePlace(u)
	e := expected{match: "provider_only", pricing: "priced"}
	request := request{}
	matched, found := o.match[p]
	switch {
	case found:
		e.match, e.rung, e.request = "matched", o.rung[p], matched
		request = requestAt(requests, matched)
	case o.ambiguous[p]:
		e.match = "ambiguous"
	}
	fees := !found || !o.elsewhere[p] && !o.retry[matched] && p == usagePlace(firstBilled(o.billedBy[matched]))
	tools := request.Tools
	if !fees {
		tools = ""
	}
	e.center = o.pays(u, request, o.date(u.At))
	if shared := o.sharedPayer(u, requests); shared != "" && o.explicit(u.CostCenter) == "" {
		e.center = shared
	}
	if u.Failed {
		e.pricing, e.pico = "not_billed", new(big.Int)
	} else {
		write5m, write1h := written(u.Tokens, request.Tokens, found)
		e.pico = o.cost(o.model(u.Provider, u.Model), u.At, u.Tokens.InputUncached, u.Tokens.CacheRead, write5m, write1h, u.Tokens.Output)
		e.pico = add(e.pico, o.fees(u.At, fees, false, tools))
	}
	o.result[p] = e.known()
}

// written is what was written to the prompt cache for 5 minutes and for an hour:
// the matched request's split where it fits, else what isn't known for 5 minutes.
func written(metered, asked record.Tokens, found bool) (write5m, write1h int64) {
	all := metered.CacheWrite5m + metered.CacheWrite1h + metered.CacheWriteUnknown
	fits := asked.CacheWriteUnknown == 0 && asked.CacheWrite5m >= metered.CacheWrite5m && asked.CacheWrite1h >= metered.CacheWrite1h && asked.CacheWrite5m+asked.CacheWrite1h == all
	if found && metered.CacheWriteUnknown > 0 && fits {
		return asked.CacheWrite5m, asked.CacheWrite1h
	}
	return metered.CacheWrite5m + metered.CacheWriteUnknown, metered.CacheWrite1h
}

func requestAt(requests []request, p place) request {
	return requests[slices.IndexFunc(requests, func(r ledgertest.Request) bool { return requestPlace(r) == p })]
}

// sharedPayer is who pays for ambiguous usage whatever request it belongs to, ""
// where that is not the same.
func (o *oracle) sharedPayer(u usage, requests []request) (center string) {
	for i, p := range o.maybe[usagePlace(u)] {
		pays := o.pays(u, requestAt(requests, p), o.date(u.At))
		if pays == "UNALLOCATED" || i > 0 && pays != center {
			return ""
		}
		center = pays
	}
	return center
}

// firstBilled is the row that bears a request's fees.
func firstBilled(rows []usage) usage {
	if len(rows) == 0 {
		return usage{}
	}
	return slices.MinFunc(rows, func(a, b usage) int {
		failed := func(u usage) int { return -completeness(u.Failed, true) }
		return cmp.Or(cmp.Compare(failed(a), failed(b)), strings.Compare(a.At, b.At), cmp.Compare(ledgertest.Key(a.Key), ledgertest.Key(b.Key)))
	})
}

func (o *oracle) chargeRequest(r request, kept []usage) {
	p := requestPlace(r)
	e := expected{request: p, match: "agent_only", pricing: "priced", center: o.pays(usage{}, r, o.date(r.At))}
	gateway := r.Provider != "" && r.Provider != "bedrock"
	switch {
	case o.retry[p] && !o.ambiguous[p]:
		o.aside[p] = "duplicate" // another attempt counts for the call
		return
	case o.ambiguous[p]:
		e.match, e.pricing, e.pico = "ambiguous", "not_billed", new(big.Int)
	case r.Failed:
		e.pricing, e.pico = "not_billed", new(big.Int)
	case r.CacheHit:
		e.pico = o.fees(r.At, true, true, r.Tools)
	case o.doubtful(r, kept) && (gateway || !o.lateUntil.Before(o.date(r.At))):
		e.pricing = "doubtful"
	case !gateway && o.lateUntil.Before(o.date(r.At)):
		e.pricing = "pending"
	default:
		if !gateway {
			e.pricing = "estimated"
		}
		if r.Unmetered {
			break
		}
		e.pico = o.cost(o.model(r.Provider, r.Model), r.At, r.Tokens.InputUncached, r.Tokens.CacheRead, r.Tokens.CacheWrite5m+r.Tokens.CacheWriteUnknown, r.Tokens.CacheWrite1h, r.Tokens.Output)
		e.pico = add(e.pico, o.fees(r.At, true, false, r.Tools))
	}
	o.result[p] = e.known()
}

// known turns what has no cost into what is unpriced.
func (e expected) known() expected {
	if e.pico == nil && e.pricing != "pending" && e.pricing != "doubtful" {
		e.pricing = "unpriced"
	}
	return e
}

func (*oracle) model(provider, model string) string {
	return cmp.Or(provider, "bedrock") + "/" + cmp.Or(model, "sonnet")
}

// cost is tokens times prices; nil where there is no price.
func (o *oracle) cost(key, at string, tokens ...int64) *big.Int {
	for _, p := range o.book.Prices {
		if p.Key == key && within(at, p.From, p.To) {
			sum := new(big.Int)
			for i, each := range []int64{p.Input, p.CacheRead, p.CacheWrite5m, p.CacheWrite1h, p.Output} {
				sum.Add(sum, new(big.Int).Mul(big.NewInt(tokens[i]), big.NewInt(each)))
			}
			return sum
		}
	}
	return nil
}

// fees are the fees of a request; nil where they are not known.
func (o *oracle) fees(at string, bears, hit bool, tools string) *big.Int {
	var sum *big.Int
	for _, f := range o.book.Fees {
		if !within(at, f.From, f.To) {
			continue
		}
		switch sum = new(big.Int); {
		case hit:
			sum.SetInt64(f.CacheHit)
		case bears:
			sum.SetInt64(f.Infra)
		}
		calls, err := rates.ParseToolMix(tools)
		if err != nil {
			return nil
		}
		for _, c := range calls {
			each, known := f.Tools[c.Name]
			if !known {
				return nil
			}
			sum.Add(sum, big.NewInt(each*c.Count))
		}
	}
	return sum
}

func within(at string, from, to time.Time) bool {
	t := ledgertest.At(at)
	return !t.Before(from) && t.Before(to)
}

// add returns nil where either part is not known.
func add(a, b *big.Int) *big.Int {
	if a == nil || b == nil {
		return nil
	}
	return new(big.Int).Add(a, b)
}

// explicit is a cost centre that metadata name, "" where there is none of that code.
func (o *oracle) explicit(center string) string {
	for _, c := range o.book.CostCenters {
		if c.Code == center && center != "" {
			return center
		}
	}
	return ""
}

// pays says who pays on a day: whom the chain of rules names, or who came after.
func (o *oracle) pays(u usage, r request, day civil.Date) string {
	center := o.named(u, r, day)
	for _, s := range o.book.Successors {
		if s.Code == center && on(day, s.From, s.To) {
			return s.Payer.Code
		}
	}
	return center
}

// named walks the chain of rules.
func (o *oracle) named(u usage, r request, day civil.Date) string {
	if center := o.explicit(cmp.Or(r.CostCenter, u.CostCenter)); center != "" {
		return center
	}
	for _, p := range o.people {
		if p.Email == r.User && on(day, ledgertest.Day(p.From), ledgertest.Day(cmp.Or(p.To, civil.Max.String()))) {
			return p.CostCenter
		}
	}
	for _, a := range o.book.Agents {
		if agent := cmp.Or(r.AgentID, u.AgentID); a.ID == agent && on(day, a.From, a.To) {
			return a.CostCenter
		}
	}
	for _, kind := range [][2]string{{"key", r.Key}, {"team", r.Team}, {"project", r.Project}, {"caller", u.Caller}} {
		if i := slices.IndexFunc(o.book.Owners, func(w records.Owner) bool { return w.Kind == kind[0] && w.Value == kind[1] && on(day, w.From, w.To) }); i >= 0 {
			return o.book.Owners[i].CostCenter
		}
	}
	return "UNALLOCATED"
}

func on(day, from, to civil.Date) bool { return !day.Before(from) && day.Before(to) }
