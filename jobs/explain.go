package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/billing/report"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

// Decided says by which row of which file a record was attributed: file is the
// directory's, as the settings name it.
func (b *Books) Decided(ctx context.Context, x report.Explained, file string) (string, error) {
	kinds := map[string][2]string{
		"key owner": {directory.Key, x.Key}, "team owner": {directory.Team, x.Team}, "project owner": {directory.Project, x.Project}, "caller owner": {directory.Caller, x.Caller},
	}
	names, err := b.Names(ctx)
	if err != nil {
		return "", err
	}
	switch x.Attribution {
	case "none":
		text := "no rule fired: no explicit cost centre, and nobody owns the user, agent, key, team, project or caller on that day"
		if x.User == "" {
			return text, nil
		}
		why, err := b.Nobody(ctx, names, x.User, x.Date)
		return text + "; " + why, err
	case "explicit cost centre":
		center, ok := b.Directory.CostCenter(x.Explicit)
		if !ok {
			return fmt.Sprintf("the request's metadata names cost centre %s, which %s no longer has", x.Explicit, file), nil
		}
		return b.check(x, center.Code, fmt.Sprintf("the request's metadata names cost centre %s (%s:%d)", x.Explicit, file, center.Line)), nil
	case "user":
		if caller, ok := directory.CallerUser(x.Caller); ok {
			if p, err := b.personOn(ctx, names, x.User, x.Date); x.User == "" || p == nil && err == nil {
				return b.person(ctx, names, x, caller, "the provider was called as "+caller+"; ")
			}
		}
		return b.person(ctx, names, x, x.User, "")
	case "agent owner":
		for _, a := range b.Directory.Agents() {
			if a.ID != x.Agent || x.Date.Before(a.From) || !x.Date.Before(a.To) {
				continue
			}
			where := fmt.Sprintf("agent %s is owned by %s (%s:%d)", a.ID, a.OwnerCostCenter+a.OwnerEmail, file, a.Line)
			if a.Policy == directory.Proportional {
				where += ", who at the month's close gets back what those who used it bear"
			}
			if a.OwnerEmail != "" {
				return b.person(ctx, names, x, a.OwnerEmail, where+"; ")
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

func (b *Books) person(ctx context.Context, names *directory.Names, x report.Explained, email, before string) (string, error) {
	p, err := b.personOn(ctx, names, email, x.Date)
	if err != nil {
		return "", err
	}
	if p == nil {
		return before + email + ": the row that decided it is no longer in the people files", nil
	}
	name := email
	if p.Email != email {
		name += ", " + AnotherName(names.Of(email, x.Date, x.Date.AddDays(1))[0]) + ","
	}
	return before + b.check(x, p.CostCenter, fmt.Sprintf("%s belongs to %s, cost centre %s, %s (%s)", name, p.Department, p.CostCenter, Span(p.From, p.To), Said(*p))), nil
}

// AnotherName says of whom a name is another one, and who says so.
func AnotherName(n directory.Named) string {
	if n.By == (directory.Shown{}) {
		return "an alias of " + n.Email
	}
	return fmt.Sprintf("%s of %s in %s", n.By.Field, n.Email, n.By.Source)
}

// Span is a run of days in words; to is exclusive.
func Span(from, to civil.Date) string {
	switch {
	case to.Before(civil.Max):
		return fmt.Sprintf("from %s until %s", from, to.AddDays(-1))
	default:
		return "from " + from.String()
	}
}

// Said is where something is said of a person.
func Said(r report.PersonRow) string {
	if r.Shown.IsZero() {
		return fmt.Sprintf("%s %s, line %d", r.Source, r.Object, r.Line)
	}
	return fmt.Sprintf("%s %s, line %d, first shown on %s", r.Source, r.Object, r.Line, r.Shown)
}

// Nobody says why nobody pays for a user on a day.
func (b *Books) Nobody(ctx context.Context, names *directory.Names, user string, day civil.Date) (string, error) {
	named := names.Of(user, day, day.AddDays(1))[0]
	name := named.Email
	if len(named.Rivals) > 0 {
		return fmt.Sprintf("%s is a name of %s, so it stands for none of them; remove it from all but one, or add it to aliases in the directory", user, strings.Join(named.Rivals, " and ")), nil
	}
	rows, err := report.PersonSaid(ctx, b.Ledger.Records, name)
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return name + " is in no people file; add a row, or an alias in the directory", nil
	}
	var on []report.PersonRow
	for _, r := range rows {
		if !day.Before(r.From) && day.Before(r.To) {
			on = append(on, r)
		}
	}
	if len(on) == 0 {
		first, last := rows[0], rows[0]
		for _, r := range rows {
			if last.To.Before(r.To) {
				last = r
			}
		}
		if day.Before(first.From) {
			return fmt.Sprintf("%s counts %s only (%s); a dated row of a people file can begin earlier", name, Span(first.From, civil.Max), Said(first)), nil
		}
		return fmt.Sprintf("no people file has %s on that day; the last that does says %s (%s)", name, Span(last.From, last.To), Said(last)), nil
	}
	r := on[len(on)-1]
	switch {
	case r.Shown.IsZero():
		return fmt.Sprintf("two rows of %s that begin on %s differ (%s), so neither counts; remove one", name, r.From, Said(r)), nil
	case r.Department == "" && r.CostCenter == "":
		return fmt.Sprintf("%s has neither a department nor a cost centre there, or two that differ (%s); correct the export", name, Said(r)), nil
	case r.CostCenter == "":
		return fmt.Sprintf("%s belongs to department %s without a cost centre (%s); name the department in default_for of a cost centre of the directory", name, r.Department, Said(r)), nil
	}
	return fmt.Sprintf("%s has cost centre %s, which the directory doesn't have (%s); add it there", name, r.CostCenter, Said(r)), nil
}

// check adds who pays where the cost centre has ended, and what has changed since
// the record was charged.
func (b *Books) check(x report.Explained, center, text string) string {
	if c, ok := b.Directory.CostCenter(center); ok && !x.Date.Before(c.To) {
		if next, ok := b.Directory.SuccessorAt(center, x.Date); ok {
			text += fmt.Sprintf("; %s counts until %s, its successor %s pays from then on", c.Code, c.To.AddDays(-1), next.Code)
			center = next.Code
		}
	}
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
	issued, err := b.Ledger.Months.Issued(ctx, month)
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
