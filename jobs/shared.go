package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"chargeback/billing/invoice"
	"chargeback/templates"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/money"
)

// SharedMonth is what was charged for the shared costs of a closed month so far,
// by its own close and by all later ones. Each close keeps those of all months, so
// that the next one need not read the documents of any month that did not change.
type SharedMonth struct {
	Month civil.Month `json:"month"`
	// Earlier says that a version of the program closed the month that kept no
	// such list: it was read from the month's documents.
	Earlier bool        `json:"earlier,omitempty"`
	Costs   []SharedSum `json:"costs,omitempty"`
}

// SharedSum is one shared cost of a closed month.
type SharedSum struct {
	Name   string    `json:"name"`
	Amount money.USD `json:"amount_usd"` // charged so far
	// Split is how it was divided first, by which it is divided for ever. Where it
	// was divided at the month's close, its weights are those that the month's
	// documents print.
	Split string `json:"split"`
	// Added says that it came after the month's close. It is divided by the use
	// that the month's documents charge, or by these shares.
	Added  bool                 `json:"added,omitempty"`
	Shares map[string]money.USD `json:"shares,omitempty"`
	Bearer string               `json:"bearer,omitempty"` // of an added one that nobody else is left to bear
	Now    string               `json:"now,omitempty"`    // how the settings divided it when it was last looked at
}

// share is one bearer's weight of a shared cost.
type share struct {
	code   string
	number string // document of the closed month that holds the part, "" for none
	ratio  string
	weight money.USD
	was    money.USD // part at the month's close
}

// TrueUp corrects what one document of a closed month charges for a shared cost.
type TrueUp struct {
	CostCenter string
	Mode       invoice.Mode // of the document that is corrected, "" where there was none
	Shared     invoice.Shared
}

// share divides the month's shared costs among cost centres, and charges what
// those of closed months have changed by since.
func (b *Books) share(ctx context.Context, month civil.Month, drafts drafts, s *MonthlySummary) error {
	trueUps, books, told, err := b.trueUps(ctx, month)
	if err != nil {
		return err
	}
	own := SharedMonth{Month: month}
	use := ownUse(drafts)
	for _, cost := range b.Month.SharedCosts {
		if !cost.Covers(month) {
			continue
		}
		own.Costs = append(own.Costs, SharedSum{Name: cost.Name, Amount: cost.Amount, Split: cost.Split, Now: cost.division()})
		fixed, ended := b.inForce(cost.Shares, month.LastDay(), month.FirstDay())
		for _, code := range ended {
			told = append(told, fmt.Sprintf("%s: cost centre %s has ended without a successor, so %s bears its share", cost.Name, code, b.bearer(month)))
		}
		shares := divide(cost.Split, fixed, use)
		if len(shares) == 0 {
			shares = b.borne(b.bearer(month), month)
			told = append(told, fmt.Sprintf("%s: nobody used anything in %s, so %s bears all of %s USD", cost.Name, month, shares[0].code, cost.Amount))
		}
		for i, amount := range money.Split(cost.Amount, parts(shares)) {
			in := drafts.of(shares[i].code, "", b.modeOf(shares[i].code))
			in.Shared = append(in.Shared, invoice.Shared{Name: cost.Name, Method: cost.Split, Ratio: shares[i].ratio, Whole: cost.Amount, Amount: amount})
		}
		s.SharedCosts = s.SharedCosts.Add(cost.Amount)
	}
	for _, t := range trueUps {
		mode := t.Mode
		if mode == "" {
			mode = b.modeOf(t.CostCenter)
		}
		in := drafts.of(t.CostCenter, "", mode)
		in.Shared = append(in.Shared, t.Shared)
		s.TrueUps = s.TrueUps.Add(t.Shared.Amount)
	}
	s.Shared, s.Told = append(books, own), append(s.Told, told...)
	return nil
}

// division is how a cost is divided, to see a change of it.
func (c SharedCost) division() string {
	words := []string{c.Split}
	for _, code := range slices.Sorted(maps.Keys(c.Shares)) {
		words = append(words, code+" "+c.Shares[code].String())
	}
	return strings.Join(words, ", ")
}

// ownUse is what each cost centre used itself in the month that drafts are of:
// without corrections of other months, with its parts of background agents, and
// without what is unallocated.
func ownUse(drafts drafts) map[string]share {
	use := map[string]share{}
	for at, draft := range drafts.all {
		if at.mode != drafts.today(at.code) {
			continue // corrections alone
		}
		own := share{code: at.code, number: draft.Number}
		for _, c := range draft.Charges {
			if c.AdjustsMonth == "" {
				own.weight = money.Sum(own.weight, c.LLM, c.Infra, c.Tool)
			}
		}
		for _, part := range draft.Shared {
			if part.AgentID != "" && part.AdjustsMonth == "" {
				own.weight = own.weight.Add(part.Amount)
			}
		}
		use[at.code] = own
	}
	return use
}

// divide says who bears a shared cost, by code: the named shares, or all that
// used anything, evenly or by what it cost. It is empty where that is nobody.
func divide(split string, fixed map[string]money.USD, use map[string]share) (shares []share) {
	if split == "fixed" {
		for code, weight := range fixed {
			shares = append(shares, share{code: code, number: use[code].number, weight: weight})
		}
	} else {
		for code, own := range use {
			if code == Unallocated || own.weight.Sign() <= 0 {
				continue
			}
			if split == "even" {
				own.weight = money.MustParse("1")
			}
			shares = append(shares, own)
		}
	}
	slices.SortFunc(shares, func(x, y share) int { return cmp.Compare(x.code, y.code) })
	var whole money.USD
	for _, s := range shares {
		whole = whole.Add(s.weight)
	}
	for i, s := range shares {
		shares[i].ratio = fmt.Sprintf("%s of %s", s.weight, whole)
		if split == "even" {
			shares[i].ratio = fmt.Sprintf("1 of %d", len(shares))
		}
	}
	return shares
}

// bearer is the cost centre that bears what nobody else is left to bear.
func (b *Books) bearer(month civil.Month) string {
	if heir, ok := b.inForceOn(b.Month.SharedBearer, month.LastDay(), month.FirstDay()); ok {
		return heir.Code
	}
	return Unallocated
}

// inForceOn is a cost centre of the directory, or its successor, that is in force on one
// of the days, tried in their order.
func (b *Books) inForceOn(code string, days ...civil.Date) (c directory.CostCenter, ok bool) {
	for _, day := range days {
		if c, ok = b.Directory.SuccessorAt(code, day); ok {
			return c, true
		}
	}
	return c, false
}

// borne is the share of one who bears a whole cost of a month.
func (b *Books) borne(code string, month civil.Month) []share {
	return []share{{code: code, ratio: templates.InvoiceNobody(month.String()), weight: money.MustParse("1")}}
}

// inForce gives the shares of cost centres that have ended to their successors,
// and those of cost centres without one to the bearer; it names these. A cost
// centre counts as in force that is so on one of the days, tried in their order.
func (b *Books) inForce(shares map[string]money.USD, days ...civil.Date) (now map[string]money.USD, ended []string) {
	now = map[string]money.USD{}
	for _, code := range slices.Sorted(maps.Keys(shares)) {
		heir, found := b.heir(code, days...)
		if !found {
			ended = append(ended, code)
		}
		now[heir] = now[heir].Add(shares[code])
	}
	return now, ended
}

// heir is who pays for a cost centre: itself, a successor, or, where it has ended
// without one, the bearer. What the directory does not know pays for itself.
func (b *Books) heir(code string, days ...civil.Date) (heir string, found bool) {
	if _, known := b.Directory.CostCenter(code); !known {
		return code, true
	}
	if center, ok := b.inForceOn(code, days...); ok {
		return center.Code, true
	}
	return b.bearer(days[0].Month()), false
}

// parts are shares as money divides by them, ties in their order.
func parts(shares []share) []money.Part {
	weights := make([]money.Part, len(shares))
	for i, s := range shares {
		weights[i] = money.Part{Key: fmt.Sprintf("%09d", i), Exact: s.weight}
	}
	return weights
}

// trueUps compares what was charged for the shared costs of closed months with
// what the settings say now. It returns what corrects their documents, what will
// have been charged with it, and what a person should hear of it.
func (b *Books) trueUps(ctx context.Context, month civil.Month) (all []TrueUp, books []SharedMonth, told []string, err error) {
	if books, err = b.sharedBooks(ctx, month); err != nil {
		return nil, nil, nil, err
	}
	for i, book := range books {
		documents := sync.OnceValues(func() ([]invoice.Document, error) { return b.issued(ctx, book.Month) })
		books[i].Costs = slices.Clone(book.Costs)
		now := map[string]SharedCost{}
		for _, cost := range b.Month.SharedCosts {
			known := slices.ContainsFunc(book.Costs, func(s SharedSum) bool { return s.Name == cost.Name })
			// What begins with no month is meant from now on where no close has compared it before.
			if !cost.Covers(book.Month) || book.Earlier && !known && cost.From.IsZero() {
				continue
			}
			if now[cost.Name] = cost; !known {
				books[i].Costs = append(books[i].Costs, SharedSum{Name: cost.Name, Split: cost.Split, Added: true, Shares: cost.Shares, Bearer: b.bearer(month)})
			}
		}
		for j := range books[i].Costs {
			sum := &books[i].Costs[j]
			cost, is := now[sum.Name]
			if is && sum.Now != "" && sum.Now != cost.division() {
				told = append(told, fmt.Sprintf("%s of %s: its split was changed after the close, to %s. Closed months keep their weights; only the amount is trued up", sum.Name, book.Month, cost.division()))
			}
			if is {
				sum.Now = cost.division()
			}
			if cost.Amount.Equal(sum.Amount) {
				continue
			}
			issued, err := documents()
			if err != nil {
				return nil, nil, nil, err
			}
			corrections := b.trueUp(book.Month, *sum, cost.Amount, issued)
			for k, c := range corrections {
				heir, found := b.heir(c.CostCenter, month.FirstDay())
				if !found {
					told = append(told, fmt.Sprintf("%s of %s: cost centre %s has ended without a successor, so %s bears its part, %s USD", sum.Name, book.Month, c.CostCenter, heir, c.Shared.Amount))
				}
				corrections[k].CostCenter = heir
				if heir == Unallocated { // a journal can't book it
					corrections[k].Mode = invoice.Showback
				}
			}
			told = append(told, fmt.Sprintf("%s of %s: %s; %s USD trued up", sum.Name, book.Month, templates.InvoiceTrueUp(sum.Amount.String(), cost.Amount.String()), cost.Amount.Sub(sum.Amount)))
			all, sum.Amount = append(all, corrections...), cost.Amount
		}
	}
	return all, books, told, nil
}

// sharedBooks is what was charged for the shared costs of all months before one,
// as the last close kept it. It is empty where the month before is not closed:
// changes are trued up in the first open month.
func (b *Books) sharedBooks(ctx context.Context, month civil.Month) (books []SharedMonth, err error) {
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil || closed[month.Prev()] == "" {
		return nil, err
	}
	var last MonthlySummary
	if err := b.Ledger.Months.Closing(ctx, month.Prev(), &last); err != nil || last.Shared != nil {
		return last.Shared, err
	}
	for m := b.Start.Month(); m.Before(month); m = m.Next() {
		documents, err := b.issued(ctx, m)
		if err != nil {
			return nil, err
		}
		book := SharedMonth{Month: m, Earlier: true}
		for _, d := range documents {
			for _, l := range d.Shared.Lines {
				if l.AgentID != "" || l.AdjustsMonth != "" {
					continue
				}
				i := slices.IndexFunc(book.Costs, func(s SharedSum) bool { return s.Name == l.SharedName })
				if i < 0 {
					i = len(book.Costs)
					book.Costs = append(book.Costs, SharedSum{Name: l.SharedName, Split: l.Method})
				}
				book.Costs[i].Amount = book.Costs[i].Amount.Add(l.Exact.Shared)
			}
		}
		books = append(books, book)
	}
	return books, nil
}

// trueUp divides the change of a closed month's shared cost by that month's own
// weights: each bearer is charged its part of the new amount less what it was
// charged, so that an amount that changes back leaves nothing behind.
func (b *Books) trueUp(month civil.Month, sum SharedSum, amount money.USD, documents []invoice.Document) (all []TrueUp) {
	shares, atClose := b.sharesOf(month, sum, documents)
	divided := func(whole money.USD) []money.USD {
		if whole.Equal(atClose) && !sum.Added {
			was := make([]money.USD, len(shares))
			for i, s := range shares {
				was[i] = s.was
			}
			return was
		}
		return money.Split(whole, parts(shares))
	}
	before, after := divided(sum.Amount), divided(amount)
	for i, s := range shares {
		change := after[i].Sub(before[i])
		if change.IsZero() {
			continue
		}
		all = append(all, TrueUp{
			CostCenter: s.code, Mode: invoice.ModeOf(s.number),
			Shared: invoice.Shared{
				Name: sum.Name, Method: sum.Split, Ratio: s.ratio, Whole: amount.Sub(sum.Amount), Amount: change,
				AdjustsMonth: month.String(), AdjustsInvoice: s.number, Reason: templates.InvoiceTrueUp(sum.Amount.String(), amount.String()),
			},
		})
	}
	return all
}

// sharesOf is who bears a shared cost of a closed month, and what was divided at
// its close.
func (b *Books) sharesOf(month civil.Month, sum SharedSum, documents []invoice.Document) (shares []share, atClose money.USD) {
	if sum.Added {
		use := map[string]share{}
		for _, d := range documents {
			own := use[d.Party.Code]
			if own.number == "" || len(d.Direct.Lines) > 0 {
				own.code, own.number = d.Party.Code, d.Number
			}
			own.weight = own.weight.Add(d.Direct.Subtotal.Exact.Total)
			for _, l := range d.Shared.Lines {
				if l.AgentID != "" && l.AdjustsMonth == "" {
					own.weight = own.weight.Add(l.Exact.Shared)
				}
			}
			use[d.Party.Code] = own
		}
		if shares = divide(sum.Split, sum.Shares, use); len(shares) == 0 {
			shares = b.borne(sum.Bearer, month)
			shares[0].number = use[sum.Bearer].number
		}
		return shares, atClose
	}
	printed := true
	for _, d := range documents {
		for _, l := range d.Shared.Lines {
			if l.SharedName != sum.Name || l.AgentID != "" || l.AdjustsMonth != "" {
				continue
			}
			weight, _, _ := strings.Cut(l.Ratio, " of ")
			own := share{code: d.Party.Code, number: d.Number, ratio: l.Ratio, was: l.Exact.Shared}
			var err error
			own.weight, err = money.Parse(weight)
			printed = printed && err == nil
			shares, atClose = append(shares, own), atClose.Add(own.was)
		}
	}
	if !printed { // one bears all, or the weights are not there to read: by what each was charged
		for i := range shares {
			shares[i].weight = shares[i].was
		}
	}
	return shares, atClose
}

// issued reads the documents of a closed month.
func (b *Books) issued(ctx context.Context, month civil.Month) ([]invoice.Document, error) {
	rows, err := b.Ledger.Months.Issued(ctx, month)
	documents := make([]invoice.Document, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal([]byte(row.Document), &documents[i]); err != nil {
			return nil, fmt.Errorf("read document %s: %w", row.Number, err)
		}
	}
	return documents, err
}

// SharedPart is one cost centre's part of a shared cost.
type SharedPart struct {
	CostCenter string
	invoice.Shared
}

// SharedParts says how a month's shared costs are divided: as its documents have
// it where it is closed, else as a close would do it by the records so far, with
// what a person should know of that.
func (b *Books) SharedParts(ctx context.Context, month civil.Month) (all []SharedPart, told []string, closed bool, err error) {
	months, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	if months[month] != "" {
		documents, err := b.issued(ctx, month)
		for _, d := range documents {
			for _, l := range slices.Concat(d.Shared.Lines, d.Adjustments.Lines) {
				if l.SharedName != "" && l.AgentID == "" {
					all = append(all, SharedPart{d.Party.Code, invoice.Shared{Name: l.SharedName, Method: l.Method, Ratio: l.Ratio, Whole: l.Whole, Amount: l.Exact.Shared, AdjustsMonth: l.AdjustsMonth}})
				}
			}
		}
		return all, nil, true, err
	}
	var s MonthlySummary
	drafts, err := b.drafts(ctx, month, &s)
	for _, draft := range drafts.all {
		for _, part := range draft.Shared {
			if part.AgentID == "" {
				all = append(all, SharedPart{draft.Party.Code, part})
			}
		}
	}
	slices.SortFunc(all, func(x, y SharedPart) int { return cmp.Compare(x.CostCenter, y.CostCenter) })
	return all, s.Told, false, err
}
