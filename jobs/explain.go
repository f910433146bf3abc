package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

// Decided says by which row of which file a record was attributed: file is the
// directory's, as the settings name it.
func (b *Books) Decided(ctx context.Context, x ledger.Explained, file string) (string, error) {
	kinds := map[string][2]string{
		"key owner": {directory.Key, x.Key}, "team owner": {directory.Team, x.Team}, "project owner": {directory.Project, x.Project}, "caller owner": {directory.Caller, x.Caller},
	}
	switch x.Attribution {
	case "none":
		return "no rule fired: no explicit cost centre, and nobody owns the user, agent, key, team, project or caller on that day", nil
	case "explicit cost centre":
		center, ok := b.Directory.CostCenter(x.Explicit)
		if !ok {
			return fmt.Sprintf("the request's metadata names cost centre %s, which %s no longer has", x.Explicit, file), nil
		}
		return b.check(x, center.Code, fmt.Sprintf("the request's metadata names cost centre %s (%s:%d)", x.Explicit, file, center.Line)), nil
	case "user":
		return b.person(ctx, x, x.User, "")
	case "agent owner":
		for _, a := range b.Directory.Agents() {
			if a.ID != x.Agent || x.Date.Before(a.From) || !x.Date.Before(a.To) {
				continue
			}
			where := fmt.Sprintf("agent %s is owned by %s (%s:%d)", a.ID, a.OwnerCostCenter+a.OwnerEmail, file, a.Line)
			if a.OwnerEmail != "" {
				return b.person(ctx, x, a.OwnerEmail, where+"; ")
			}
			return b.check(x, a.OwnerCostCenter, where), nil
		}
	default:
		kind := kinds[x.Attribution]
		for _, o := range b.Directory.OwnersOf(kind[0], kind[1]) {
			if !x.Date.Before(o.From) && x.Date.Before(o.To) {
				return b.check(x, o.CostCenter, fmt.Sprintf("%s %s is owned by cost centre %s (%s:%d)", kind[0], o.Pattern, o.CostCenter, file, o.Line)), nil
			}
		}
	}
	return fmt.Sprintf("%s: the row that decided it is no longer in %s", x.Attribution, file), nil
}

func (b *Books) person(ctx context.Context, x ledger.Explained, email, before string) (string, error) {
	rows, err := b.Ledger.PersonOn(ctx, email, x.Date)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return before + email + ": the row that decided it is no longer in the people files", nil
	}
	p := rows[0]
	until := ""
	if p.To.Before(civil.Max) {
		until = " until " + p.To.AddDays(-1).String()
	}
	return before + b.check(x, p.CostCenter, fmt.Sprintf("%s belongs to %s, cost centre %s, from %s%s (%s %s, line %d)", email, p.Department, p.CostCenter, p.From, until, p.Source, p.Object, p.Line)), nil
}

// check adds what has changed since the record was charged.
func (*Books) check(x ledger.Explained, center, text string) string {
	if center != x.CostCenter {
		text += fmt.Sprintf("; when it was charged, the same rule led to %s", x.CostCenter)
	}
	return text
}

// Document finds a document by its number; ok is false where none was issued.
func (b *Books) Document(ctx context.Context, number string) (d invoice.Document, ok bool, err error) {
	parts := strings.SplitN(number, "-", 4) // CB-2026-10-...
	if len(parts) < 4 {
		return d, false, nil
	}
	month, err := civil.ParseMonth(parts[1] + "-" + parts[2])
	if err != nil {
		return d, false, nil // not the form of a number
	}
	issued, err := b.Ledger.Issued(ctx, month)
	if err != nil {
		return d, false, err
	}
	for _, row := range issued {
		if row.Number == number {
			err := json.Unmarshal([]byte(row.Document), &d)
			return d, err == nil, err
		}
	}
	return d, false, nil
}
