package jobs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chargeback/billing/budget"
	"chargeback/billing/invoice"
	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/money"
)

// ErrGates says that a month can't be closed yet; the message names each gate.
var ErrGates = errors.New("month can't be closed")

// Unallocated is the cost centre of what no rule could attribute.
const Unallocated = "UNALLOCATED"

// MonthlyWindow names the window of a month.
func MonthlyWindow(month civil.Month) string { return MonthlyKind + "/" + month.String() }

// MonthlySummary is what the close of a month did.
type MonthlySummary struct {
	Window    string         `json:"window"`
	Attempt   int64          `json:"attempt,omitempty"`
	Already   bool           `json:"-"` // was closed before; documents were written again from the ledger
	Documents []DocumentPath `json:"documents"`
	Journal   string         `json:"journal,omitempty"`
	Waived    []Waiver       `json:"waived,omitempty"`
	// Background is how background agents' cost was divided among who used them.
	Background []Background `json:"background,omitempty"`
	Restored   []string     `json:"-"` // files that were missing or had other bytes
	Delivered  string       `json:"-"` // where they went besides the folder, "" for nowhere
	Exact      money.USD    `json:"total_usd"`
	Hash       string       `json:"content_hash"`
	// BytesProcessed is what the close's queries have read; see NightlySummary.
	BytesProcessed int64 `json:"bytes_processed,omitempty"`
	// Late is the night that was made again for what was found in the month's
	// folders; without a window where there was nothing. Problems are of the look.
	Late     NightlySummary `json:"-"`
	Problems []Problem      `json:"-"`
}

// DocumentPath is one document and where it lies.
type DocumentPath struct {
	Number     string      `json:"number"`
	CostCenter string      `json:"cost_center"`
	Mode       string      `json:"mode"`
	Total      money.Cents `json:"total_cents"`
	PDF        string      `json:"pdf"`
	CSV        string      `json:"csv"`
}

// Monthly closes a month and writes its documents. It returns ErrGates, and
// keeps nothing, where a gate fails that nobody has waived. A month that is
// closed already gets the same files again, from what the ledger has issued.
func (b *Books) Monthly(ctx context.Context, month civil.Month, now time.Time) (MonthlySummary, error) {
	s := MonthlySummary{Window: MonthlyWindow(month)}
	closed, err := b.Ledger.ClosedMonths(ctx)
	if err != nil {
		return s, err
	}
	if hash := closed[month]; hash != "" {
		s.Already, s.Hash = true, hash
	} else if err := b.close(ctx, month, closed, now, &s); err != nil {
		return s, fmt.Errorf("%s: %w", s.Window, err)
	}
	if err := b.deliverDocuments(ctx, month, &s); err != nil {
		return s, fmt.Errorf("%s: the month is closed, but its files are not written: %w; mend it, the next run writes them", s.Window, err)
	}
	return s, b.delivered(context.WithoutCancel(ctx), month, now, s) // it takes no time, and all is done but this
}

// DocumentsKind is the first part of the name of the window in which a closed
// month's files are written. It is a window of its own, because a run can end
// between the close, which never comes again, and the last file.
const DocumentsKind = "documents"

// delivered notes once that all files of a month are written.
func (b *Books) delivered(ctx context.Context, month civil.Month, now time.Time, s MonthlySummary) error {
	window := DocumentsKind + "/" + month.String()
	done, err := b.Ledger.WindowsDone(ctx, DocumentsKind)
	if err != nil || done[window] {
		return err
	}
	attempt, err := b.Ledger.BeginRun(ctx, window, now)
	if err != nil {
		return err
	}
	return b.Ledger.EndRun(ctx, window, attempt, ledger.RunDone, now, map[string]int{"documents": len(s.Documents)})
}

// inTurn checks that a month is the next to close: what comes late for a closed
// month is charged in the first open one, which must be after it.
func (b *Books) inTurn(month civil.Month, closed map[civil.Month]string) error {
	first := b.Start.Month()
	if month.Before(first) {
		return fmt.Errorf("company.start is %s; nothing before it is accounted for", b.Start)
	}
	for m := first; m.Before(month); m = m.Next() {
		if closed[m] == "" {
			return fmt.Errorf("%w: %s is still open; close it first", ErrGates, m)
		}
	}
	return nil
}

func (b *Books) close(ctx context.Context, month civil.Month, closed map[civil.Month]string, now time.Time, s *MonthlySummary) error {
	before := b.processed(ctx)
	if err := b.inTurn(month, closed); err != nil {
		return err
	}
	if err := b.nightsDone(ctx, month); err != nil {
		return err
	}
	switch changed, err := b.changed(ctx); {
	case err != nil:
		return err
	case changed:
		return fmt.Errorf("%w: prices, people or settings have changed since the last night, which would close it by the old ones; run `chargeback run nightly` first", ErrGates)
	}
	if err := b.lookAgain(ctx, month, now, s); err != nil {
		return err
	}
	waived, err := b.gates(ctx, month)
	if err != nil {
		return err
	}
	s.Waived = waived
	if s.Hash, err = b.Ledger.Hash(ctx, civil.Min, civil.Max, month.String()); err != nil {
		return err
	}
	documents, err := b.documents(ctx, month, s)
	if err != nil {
		return err
	}
	issued := make([]ledger.Issued, 0, len(documents))
	for _, d := range documents {
		text, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("keep document %s: %w", d.Number, err)
		}
		issued = append(issued, ledger.Issued{Number: d.Number, Month: month.String(), CostCenter: d.Party.Code, Total: d.Total.Cents.Total, ContentHash: d.ContentHash, Document: string(text)})
		s.Exact = s.Exact.Add(d.Total.Exact.Total)
	}
	if s.Attempt, err = b.Ledger.BeginRun(ctx, s.Window, now); err != nil {
		return err
	}
	s.BytesProcessed = max(0, b.processed(ctx)-before)
	return b.Ledger.CloseMonth(ctx, month, now, s.Hash, s, issued, func() error {
		return b.Ledger.EndRun(ctx, s.Window, s.Attempt, ledger.RunDone, now, s)
	})
}

// lookAgain takes in what has come for the month since its nights looked for it,
// however late: all delivery days from its first up to the newest night are
// listed. Where anything was there, or a run was cut off behind it, the newest
// night is made again with it.
func (b *Books) lookAgain(ctx context.Context, month civil.Month, now time.Time, s *MonthlySummary) error {
	latest, err := b.latestDone(ctx)
	if err != nil {
		return err
	}
	at := look{nights: ledger.Days{First: latest, Last: latest}, since: b.firstOf(month)}
	for _, source := range b.Sources {
		_, problems, err := b.takeOver(ctx, source, at, s.Window)
		if err != nil {
			return err
		}
		s.Problems = append(s.Problems, problems...)
	}
	came, err := b.Ledger.DirtyDays(ctx, latest)
	if err != nil {
		return err
	}
	changed, err := b.inputsChanged(ctx) // by a people file
	if err != nil || !changed && len(came) == 0 {
		return err
	}
	s.Late, err = b.Nightly(ctx, latest, now)
	s.Problems = slices.DeleteFunc(s.Problems, func(p Problem) bool { return slices.Contains(s.Late.Problems, p) })
	return err
}

// nightsDone checks that every night of the month was run, and the nights
// after it in which late records may still have come.
func (b *Books) nightsDone(ctx context.Context, month civil.Month) error {
	done, err := b.Ledger.WindowsDone(ctx, NightlyKind)
	if err != nil {
		return err
	}
	var missing []string
	first := month.FirstDay()
	if first.Before(b.Start) {
		first = b.Start
	}
	last := month.LastDay().AddDays(b.LateDays)
	for d := first; !last.Before(d); d = d.AddDays(1) {
		if !done[NightlyWindow(d)] {
			missing = append(missing, d.String())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if len(missing) == 1 {
		return fmt.Errorf("%w: the night of %s was not run; run `chargeback run nightly` first", ErrGates, missing[0])
	}
	return fmt.Errorf("%w: %d nights up to %s were not run, first %s; run `chargeback run nightly` first", ErrGates, len(missing), last, missing[0])
}

// gates checks what may stand in the way, and returns the waivers used.
func (b *Books) gates(ctx context.Context, month civil.Month) (used []Waiver, err error) {
	g, err := b.Ledger.Gates(ctx, month)
	if err != nil {
		return nil, err
	}
	strangers, err := b.strangers(ctx, month)
	if err != nil {
		return nil, err
	}
	over := g.Unallocated.Sub(b.Month.UnallocatedLimit).Sign() > 0
	var failed []string
	for _, gate := range []struct {
		name string
		open bool
		what string
	}{
		{"unpriced", g.Unpriced+g.Pending > 0, fmt.Sprintf("records without a cost: %d; still waiting for usage: %d (see `chargeback rejects held`)", g.Unpriced, g.Pending)},
		{"doubtful", g.Doubtful > 0, fmt.Sprintf("requests without usage on days that their provider's own log covers: %d, %s USD by their own counts; usage that found no request there: %d, charged %s USD (see `chargeback rejects held`, `chargeback report matches`)", g.Doubtful, g.DoubtfulCost, g.UsageAloneRecords, g.UsageAlone)},
		{"conflicts", g.Conflicts > 0, fmt.Sprintf("records that share an id and differ: %d (see `chargeback rejects conflicts`)", g.Conflicts)},
		{"unallocated", over, fmt.Sprintf("%s USD belong to nobody, more than unallocated_limit_usd %s", g.Unallocated, b.Month.UnallocatedLimit)},
		{"directory", len(strangers) > 0, fmt.Sprintf("payers that the directory does not know: %s", strings.Join(strangers, "; "))},
		{"rejects", g.Rejected > 0, fmt.Sprintf("records rejected: %d (see `chargeback rejects records`)", g.Rejected)},
		{"missing", g.Missing+g.Failed > 0, fmt.Sprintf("objects that can't be read: %d; gone from their source: %d (see `chargeback status`)", g.Failed, g.Missing)},
	} {
		if !gate.open {
			continue
		}
		i := slices.IndexFunc(b.Month.Waivers, func(w Waiver) bool { return w.Month == month && w.Gate == gate.name })
		if i < 0 {
			failed = append(failed, "gate "+gate.name+": "+gate.what)
			continue
		}
		used = append(used, b.Month.Waivers[i])
	}
	if len(failed) > 0 {
		return nil, fmt.Errorf("%w:\n  %s\nmend them and run `chargeback run` again, which reads what was delivered again, or waive a gate by name and reason in the config's waivers", ErrGates, strings.Join(failed, "\n  "))
	}
	return used, nil
}

// strangers are the payers of a month that the directory does not know, and why.
func (b *Books) strangers(ctx context.Context, month civil.Month) (all []string, err error) {
	spend, err := b.Ledger.Spend(ctx, month)
	for _, s := range spend {
		if what := b.stranger(ledger.CostCenter{Code: s.CostCenter, Department: s.Department}); what != "" {
			all = append(all, what)
		}
	}
	return all, err
}

// documents makes one document for each cost centre with cost, by code.
func (b *Books) documents(ctx context.Context, month civil.Month, s *MonthlySummary) ([]invoice.Document, error) {
	charges, err := b.Ledger.Charges(ctx, month)
	if err != nil {
		return nil, err
	}
	versions, err := b.Ledger.RateVersions(ctx, month)
	if err != nil {
		return nil, err
	}
	budgets, err := b.BudgetStatus(ctx, month)
	if err != nil {
		return nil, err
	}
	drafts := map[string]*invoice.Input{}
	for _, c := range charges {
		draft := drafts[c.CostCenter]
		if draft == nil {
			draft = b.draft(month, c.CostCenter, c.Department, versions, s)
			drafts[c.CostCenter] = draft
		}
		if err := b.charge(ctx, draft, c); err != nil {
			return nil, err
		}
	}
	if err := b.shareBackground(ctx, month, drafts, versions, s); err != nil {
		return nil, err
	}
	b.share(month, drafts, versions, s)
	documents := make([]invoice.Document, 0, len(drafts))
	for _, draft := range drafts {
		for _, st := range budgets {
			if st.Scope.Value == draft.Party.Code && st.Scope.Kind == budget.CostCenter || st.Scope.Value == draft.Party.Department && st.Scope.Kind == budget.Department {
				draft.Notes.Budgets = append(draft.Notes.Budgets, invoice.Budget{Name: st.Budget, Scope: scopeWords[st.Scope.Kind] + " " + st.Scope.Value, Amount: st.Amount, Actual: st.Spent, Thresholds: b.thresholds(st.Budget)})
			}
		}
		d, err := invoice.Build(*draft)
		if err != nil {
			return nil, fmt.Errorf("document of cost centre %s: %w", draft.Party.Code, err)
		}
		documents = append(documents, d)
	}
	slices.SortFunc(documents, func(x, y invoice.Document) int { return cmp.Compare(x.Number, y.Number) })
	return documents, nil
}

var scopeWords = map[string]string{budget.Department: "department", budget.CostCenter: "cost centre"}

func (b *Books) thresholds(name string) (percent []int64) {
	for _, bud := range b.Budgets {
		if bud.Name == name {
			for _, t := range bud.Thresholds {
				percent = append(percent, int64(t))
			}
		}
	}
	return percent
}

// draft begins the document of one cost centre.
func (b *Books) draft(month civil.Month, code, department string, versions []string, s *MonthlySummary) *invoice.Input {
	center, known := b.Directory.CostCenter(code)
	party := invoice.Party{Code: code, Name: code, Department: department, ExpenseAccount: b.Month.ExpenseAccount, Mode: invoice.Chargeback}
	switch {
	case known:
		party.Name, party.Department, party.Owner, party.CompanyCode = center.Name, center.Department, center.Owner, center.CompanyCode
		if center.ExpenseAccount != "" {
			party.ExpenseAccount = center.ExpenseAccount
		}
		if center.Mode == directory.Showback {
			party.Mode = invoice.Showback
		}
	case code == Unallocated:
		party.Name, party.Mode = "Belongs to no cost centre yet", invoice.Showback
	}
	number := invoice.Number
	if party.Mode == invoice.Showback {
		number = invoice.StatementNumber
	}
	issue := month.Next().FirstDay().AddDays(b.CloseDay - 1)
	in := &invoice.Input{
		Number: number(month.String(), code, 0), IssueDate: issue.String(), Issuer: b.Month.Issuer, Party: party, RecoveryAccount: b.Month.RecoveryAccount,
		Period: invoice.Period{Month: month.String(), From: month.FirstDay().String(), To: month.LastDay().String(), Zone: b.Zone.String()},
		Notes:  invoice.Notes{RateVersions: versions, DirectoryVersion: b.Directory.Version(), Run: s.Window, LedgerHash: s.Hash},
	}
	if party.Mode == invoice.Chargeback && b.Month.DisputeDays > 0 {
		in.DisputeUntil = issue.AddDays(b.Month.DisputeDays).String()
	}
	for _, source := range b.Sources {
		in.Notes.DataSources = append(in.Notes.DataSources, source.Name+" ("+source.Format.Name()+")")
	}
	for _, w := range s.Waived {
		in.Notes.Waivers = append(in.Notes.Waivers, invoice.Waiver{Gate: w.Gate, By: w.By, Reason: w.Reason})
	}
	return in
}

func (b *Books) charge(ctx context.Context, in *invoice.Input, c ledger.Charge) error {
	line := invoice.Charge{
		AgentID: c.AgentID, AgentName: b.agentName(c.AgentID), Model: modelName(c),
		Requests: c.Requests, CacheHits: c.CacheHits, InputTokens: c.Input, CacheReadTokens: c.CacheRead, CacheWriteTokens: c.CacheWrite, OutputTokens: c.Output,
		LLM: c.LLM, Infra: c.Infra, Tool: c.Tool, CacheSavings: c.CacheSavings, Estimated: c.Estimated, Held: c.Unpriced + c.Pending, AdjustsMonth: c.AdjustsMonth,
	}
	if c.AdjustsMonth != "" {
		number, err := b.issuedNumber(ctx, c.AdjustsMonth, c.CostCenter)
		if err != nil {
			return err
		}
		line.AdjustsInvoice = number
	}
	in.Charges = append(in.Charges, line)
	in.Notes.Held.Unpriced += c.Unpriced
	in.Notes.Held.Pending += c.Pending
	return nil
}

func (b *Books) issuedNumber(ctx context.Context, month, code string) (string, error) {
	m, err := civil.ParseMonth(month)
	if err != nil {
		return "", err
	}
	issued, err := b.Ledger.Issued(ctx, m)
	if err != nil {
		return "", err
	}
	for _, d := range issued {
		if d.CostCenter == code {
			return d.Number, nil
		}
	}
	return "", nil
}

func (b *Books) agentName(id string) string {
	for _, a := range b.Directory.Agents() {
		if a.ID == id {
			return a.Name
		}
	}
	return ""
}

// modelName is the model's name in the rate book, or as sent where the book
// doesn't have it.
func modelName(c ledger.Charge) string {
	if _, name, found := strings.Cut(c.PriceKey, "/"); found {
		return name
	}
	return c.Model
}

// share divides the month's shared costs among cost centres.
func (b *Books) share(month civil.Month, drafts map[string]*invoice.Input, versions []string, s *MonthlySummary) {
	for _, cost := range b.Month.SharedCosts {
		if !cost.Covers(month) {
			continue
		}
		weights := b.weights(cost, drafts)
		var whole money.USD
		for _, w := range weights {
			whole = whole.Add(w.Exact)
		}
		for i, amount := range money.Split(cost.Amount, weights) {
			code := weights[i].Key
			if drafts[code] == nil {
				drafts[code] = b.draft(month, code, "", versions, s)
			}
			ratio := fmt.Sprintf("%s of %s", weights[i].Exact, whole)
			if cost.Split == "even" {
				ratio = fmt.Sprintf("1 of %d", len(weights))
			}
			drafts[code].Shared = append(drafts[code].Shared, invoice.Shared{Name: cost.Name, Method: cost.Split, Ratio: ratio, Whole: cost.Amount, Amount: amount})
		}
	}
}

// weights says who bears a shared cost and how much of it: the named shares,
// or all cost centres with cost of their own in the month, evenly or by that
// cost, background agents that they share among it. What belongs to nobody bears
// nothing.
func (b *Books) weights(cost SharedCost, drafts map[string]*invoice.Input) (weights []money.Part) {
	if cost.Split == "fixed" {
		for code, share := range cost.Shares {
			weights = append(weights, money.Part{Key: code, Exact: share})
		}
	} else {
		for code, draft := range drafts {
			var direct money.USD
			for _, c := range draft.Charges {
				direct = money.Sum(direct, c.LLM, c.Infra, c.Tool)
			}
			for _, part := range draft.Shared {
				if part.AgentID != "" {
					direct = direct.Add(part.Amount)
				}
			}
			if code == Unallocated || direct.Sign() <= 0 {
				continue
			}
			if cost.Split == "even" {
				direct = money.MustParse("1")
			}
			weights = append(weights, money.Part{Key: code, Exact: direct})
		}
	}
	slices.SortFunc(weights, func(x, y money.Part) int { return cmp.Compare(x.Key, y.Key) })
	return weights
}

// deliverDocuments writes the files of a closed month from what the ledger has
// issued, each only where its bytes differ.
func (b *Books) deliverDocuments(ctx context.Context, month civil.Month, s *MonthlySummary) error {
	issued, err := b.Ledger.Issued(ctx, month)
	if err != nil {
		return err
	}
	dir := filepath.Join(b.Month.Dir, month.String())
	s.Documents = nil
	var booked []invoice.Document
	var files []string
	for _, row := range issued {
		var d invoice.Document
		if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
			return fmt.Errorf("read document %s: %w", row.Number, err)
		}
		pdf, err := b.Month.Render(d)
		if err != nil {
			return fmt.Errorf("draw %s: %w", d.Number, err)
		}
		var lines bytes.Buffer
		if err := invoice.WriteCSV(&lines, d); err != nil {
			return fmt.Errorf("write lines of %s: %w", d.Number, err)
		}
		path := DocumentPath{Number: d.Number, CostCenter: d.Party.Code, Mode: string(d.Party.Mode), Total: d.Total.Cents.Total, PDF: filepath.Join(dir, d.Number+".pdf"), CSV: filepath.Join(dir, d.Number+".csv")}
		s.Documents = append(s.Documents, path)
		if d.Party.Mode == invoice.Chargeback {
			booked = append(booked, d)
		}
		if err := errors.Join(s.put(path.PDF, pdf), s.put(path.CSV, lines.Bytes())); err != nil {
			return err
		}
		files = append(files, path.PDF, path.CSV)
	}
	if len(booked) > 0 {
		var journal bytes.Buffer
		if err := invoice.WriteJournal(&journal, booked); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		s.Journal = filepath.Join(dir, "journal-"+month.String()+".csv")
		if err := s.put(s.Journal, journal.Bytes()); err != nil {
			return err
		}
		files = append(files, s.Journal)
	}
	return b.send(ctx, month, files, s)
}

var contentTypes = map[string]string{".pdf": "application/pdf", ".csv": "text/csv; charset=utf-8"}

// send delivers the files of a month, each under the month and its name: an
// invoice's number and the journal's name hold only letters, digits, - and a dot.
func (b *Books) send(ctx context.Context, month civil.Month, files []string, s *MonthlySummary) error {
	if b.Month.Delivery == nil {
		return nil
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		key := month.String() + "/" + filepath.Base(file)
		if err := b.Month.Delivery.Create(ctx, key, contentTypes[filepath.Ext(file)], content); err != nil {
			return fmt.Errorf("deliver: %w", err)
		}
	}
	s.Delivered = b.Month.Delivery.String() + "/" + month.String() + "/"
	return nil
}

// put writes a file whole or not at all, and only where its bytes differ.
func (s *MonthlySummary) put(path string, data []byte) error {
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, data) {
		return nil
	}
	if s.Already {
		s.Restored = append(s.Restored, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }() // gone already where all went well
	_, err = part.Write(data)
	if err := errors.Join(err, part.Chmod(0o644), part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(part.Name(), path)
}

// DocumentsTotal is the exact sum of the documents of a closed month.
func (b *Books) DocumentsTotal(ctx context.Context, month civil.Month) (total money.USD, err error) {
	issued, err := b.Ledger.Issued(ctx, month)
	if err != nil {
		return total, err
	}
	for _, row := range issued {
		var d invoice.Document
		if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
			return total, fmt.Errorf("read document %s: %w", row.Number, err)
		}
		total = total.Add(d.Total.Exact.Total)
	}
	return total, nil
}
