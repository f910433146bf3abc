package models_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/ledger/ledgertest"
)

// shareCopies is how far apart two platforms may say that one call began.
const shareCopies = 20 * time.Minute

// decides is the part of a request that decides a charge.
func decides(r request) request {
	r.Line, r.Object, r.Source, r.Unmetered, r.ID, r.RequestID, r.ResponseID, r.ClientRef, r.At, r.Ended = 0, "", "", false, "", "", "", "", "", ""
	return r
}

// attempt is a request row with what it is known by.
type attempt struct {
	request
	provider string // the provider's id, as far as any row of the key leads to it
	known    string
	stretch  int
	name     string
}

// keepRequests returns the requests that count, each with its call's key in ID
// still, and notes the verdicts on the others and which request counts for them.
func (o *oracle) keepRequests() (kept []request) {
	groups := map[string][]*attempt{}
	for _, r := range o.requests {
		key := o.date(r.At).String() + r.ID
		groups[key] = append(groups[key], &attempt{request: r})
	}
	for _, group := range groups {
		kept = append(kept, o.keepCall(group)...)
	}
	return o.mergeCalls(kept)
}

// inTime orders rows by when they began and ended.
func inTime(a, b *attempt) int {
	const never = "9999-12-31 00:00:00"
	return cmp.Or(ledgertest.At(a.At).Compare(ledgertest.At(b.At)), ledgertest.At(cmp.Or(a.Ended, never)).Compare(ledgertest.At(cmp.Or(b.Ended, never))), byPlace(a.request, b.request))
}

func byPlace(a, b request) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Line, b.Line))
}

// nameAttempts says which rows of a key tell of which attempt.
func nameAttempts(group []*attempt) {
	slices.SortFunc(group, inTime)
	for _, a := range group {
		a.provider = a.RequestID
		for _, b := range group {
			if a.RequestID == "" && a.ResponseID != "" && b.ResponseID == a.ResponseID {
				a.provider = max(a.provider, b.RequestID)
			}
		}
		a.provider = cmp.Or(a.provider, a.ResponseID)
	}
	busy, stretch := time.Time{}, 0
	for i, a := range group {
		if i == 0 || ledgertest.At(a.At).After(busy) {
			stretch++
		}
		a.stretch = stretch
		if ended := ledgertest.At(cmp.Or(a.Ended, "9999-12-31 00:00:00")); i == 0 || ended.After(busy) {
			busy = ended
		}
	}
	least := func(of func(*attempt) string, same func(*attempt) bool) (id string) {
		for _, b := range group {
			if v := of(b); same(b) && v != "" && (id == "" || v < id) {
				id = v
			}
		}
		return id
	}
	start := map[*attempt]string{}
	for _, a := range group {
		start[a] = least(func(b *attempt) string { return b.provider }, func(b *attempt) bool { return ledgertest.At(b.At).Equal(ledgertest.At(a.At)) })
	}
	for _, a := range group {
		a.known = start[a]
		if a.Ended != "" {
			a.known = least(func(b *attempt) string { return start[b] }, func(b *attempt) bool {
				return b.Ended != "" && b.stretch == a.stretch && decides(b.request) == decides(a.request)
			})
		}
	}
	for _, a := range group {
		a.name = a.known
		for _, b := range group {
			if a.known == "" && b.stretch == a.stretch && b.known > a.name {
				a.name = b.known
			}
		}
		if a.name == "" {
			a.name = fmt.Sprint("#", a.stretch)
		}
	}
}

// keepCall rules on the rows of one natural key and day.
func (o *oracle) keepCall(group []*attempt) (kept []request) {
	if len(group) == 1 {
		return []request{group[0].request}
	}
	nameAttempts(group)
	full := func(a *attempt) int { return completeness(a.Failed, a.Unmetered) }
	slices.SortFunc(group, func(a, b *attempt) int { return cmp.Or(cmp.Compare(full(b), full(a)), byPlace(a.request, b.request)) })
	stands := map[string]*attempt{}
	best := map[string]int{}
	differ := map[string]bool{}
	for _, a := range group {
		if stands[a.name] == nil {
			stands[a.name], best[a.name] = a, full(a)
		} else if full(a) == best[a.name] && decides(a.request) != decides(stands[a.name].request) {
			differ[a.name] = true
		}
	}
	var main *attempt
	for _, a := range group {
		if stands[a.name] != a || differ[a.name] {
			continue
		}
		if main == nil || full(a) > full(main) || full(a) == full(main) && ledgertest.At(a.At).Before(ledgertest.At(main.At)) {
			main = a
		}
	}
	for _, a := range group {
		p := requestPlace(a.request)
		switch {
		case differ[a.name] && full(a) == best[a.name]:
			o.aside[p] = "conflict"
		case differ[a.name] || stands[a.name] != a:
			o.aside[p] = "duplicate"
			if !differ[a.name] {
				o.counts[p] = requestPlace(stands[a.name].request)
			} else if main != nil {
				o.counts[p] = requestPlace(main.request)
			}
		case a == main:
			kept = append(kept, a.request)
		case a.Failed && a.known == "":
			o.aside[p], o.counts[p] = "duplicate", requestPlace(main.request)
		default:
			kept = append(kept, a.request)
			if a.Failed {
				o.retry[p] = true
			}
		}
	}
	// A duplicate of an attempt that was set aside itself leads to the call.
	for from, to := range o.counts {
		if further, again := o.counts[to]; again {
			o.counts[from] = further
		}
	}
	return kept
}

// mergeCalls sets requests aside of which another platform's request counts, and
// gives that one what it lacks.
func (o *oracle) mergeCalls(all []request) (kept []request) {
	sources := map[string]bool{}
	for _, r := range o.requests {
		sources[r.Source] = true
	}
	call := map[place]string{}
	if len(sources) > 1 {
		call = callIDs(all)
	}
	groups := map[string][]request{}
	for _, r := range all {
		if id := call[requestPlace(r)]; id != "" {
			groups[id] = append(groups[id], r)
		} else {
			kept = append(kept, r)
		}
	}
	for _, group := range groups {
		for len(group) > 0 {
			together := spell(group[0], group, func(request) bool { return true })
			kept = append(kept, o.mergeCall(together)...)
			group = slices.DeleteFunc(group, func(r request) bool { return slices.Contains(together, r) })
		}
	}
	return kept
}

// callIDs names the calls of requests that share a provider's id with another.
func callIDs(all []request) map[place]string {
	first, second, third := map[place]string{}, map[place]string{}, map[place]string{}
	// least is the least id of r and those that share a key with it, each not long
	// after another.
	least := func(from map[place]string, r request, key func(request) string) (id string) {
		for _, b := range spell(r, all, func(b request) bool { return from[requestPlace(b)] != "" && key(b) == key(r) }) {
			if v := from[requestPlace(b)]; id == "" || v < id {
				id = v
			}
		}
		return id
	}
	shares := func(key func(request) string, r request) bool {
		n := 0
		for _, b := range all {
			if key(b) == key(r) && !b.CacheHit {
				n++
			}
		}
		return key(r) != "" && n > 1
	}
	for _, r := range all {
		if !r.CacheHit && (shares(func(r request) string { return r.RequestID }, r) || shares(func(r request) string { return r.ResponseID }, r)) {
			first[requestPlace(r)] = cmp.Or(r.RequestID, r.Provider+" "+r.ResponseID)
		}
	}
	for _, r := range all {
		p := requestPlace(r)
		second[p] = first[p]
		if r.ResponseID != "" && first[p] != "" {
			second[p] = least(first, r, func(r request) string { return r.Provider + " " + r.ResponseID })
		}
	}
	for _, r := range all {
		p := requestPlace(r)
		third[p] = second[p]
		if r.RequestID != "" && second[p] != "" {
			third[p] = least(second, r, func(r request) string { return r.RequestID })
		}
	}
	return third
}

// spell is r and the requests that fit and began not long before or after it, or
// after one that did.
func spell(r request, all []request, fits func(request) bool) (found []request) {
	all = slices.DeleteFunc(slices.Clone(all), func(b request) bool { return !fits(b) })
	slices.SortFunc(all, func(a, b request) int { return ledgertest.At(a.At).Compare(ledgertest.At(b.At)) })
	for i, b := range all {
		if i > 0 && ledgertest.At(b.At).Sub(ledgertest.At(all[i-1].At)) > shareCopies {
			if slices.Contains(found, r) {
				return found
			}
			found = nil
		}
		found = append(found, b)
	}
	return found
}

// mergeCall makes one request of those of a call, where that can be.
func (o *oracle) mergeCall(group []request) (kept []request) {
	rank := func(source string) int { return slices.Index(o.book.RequestsFrom, source) }
	metered := func(r request) int {
		if r.Failed || r.Unmetered {
			return 1
		}
		return 0
	}
	group = slices.Clone(group)
	slices.SortFunc(group, func(a, b request) int {
		return cmp.Or(cmp.Compare(metered(a), metered(b)), cmp.Compare(rank(a.Source), rank(b.Source)), ledgertest.At(a.At).Compare(ledgertest.At(b.At)), byPlace(a, b))
	})
	head := group[0]
	for _, r := range group[1:] {
		if r.Source == head.Source {
			return group // nobody knows which is which
		}
	}
	p := requestPlace(head)
	for _, r := range group[1:] {
		if ledgertest.At(r.At).Sub(ledgertest.At(head.At)).Abs() > shareCopies {
			kept = append(kept, r)
			continue
		}
		o.aside[requestPlace(r)], o.counts[requestPlace(r)] = "copy", p
		for from, to := range o.counts {
			if to == requestPlace(r) {
				o.counts[from] = p
			}
		}
		if head.User == "" && head.Email == "" {
			head.User, head.Email = r.User, r.Email
		}
		head.Team, head.Key, head.Project = cmp.Or(head.Team, r.Team), cmp.Or(head.Key, r.Key), cmp.Or(head.Project, r.Project)
		head.AgentID, head.CostCenter = cmp.Or(head.AgentID, r.AgentID), cmp.Or(head.CostCenter, r.CostCenter)
		if head.Tools == "" {
			head.Tools, head.ToolCalls = r.Tools, r.ToolCalls
		}
	}
	return append(kept, head)
}
