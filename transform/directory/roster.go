package directory

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"chargeback/transform/civil"
	"chargeback/transform/wildcard"
)

// Person is a dated row of people: who belongs where from a day until a day.
type Person struct {
	Email, Department, CostCenter string
	From, To                      civil.Date // To is exclusive; civil.Max is open
}

// Roster is the text of a people file that rows are ended in and added to. What
// isn't changed stays as it stands, byte by byte, columns of others too.
type Roster struct {
	lines   []string
	rows    []rosterRow
	columns []string       // titles in their order
	at      map[string]int // where the fields stand
}

type rosterRow struct {
	Person
	line  int // index of the line
	cells []string
}

var rosterColumns = []string{"email", "department", "cost_center", "valid_from", "valid_to"}

// NewRoster reads a people file; nothing is one without rows. A row that can't
// be read is an error: what it says of whom is not known.
func NewRoster(text []byte) (*Roster, error) {
	r := &Roster{at: map[string]int{}}
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte(strings.Join(rosterColumns, ",") + "\n")
	}
	for line := range strings.Lines(string(text)) {
		r.lines = append(r.lines, line)
		cells, err := rosterCells(strings.TrimPrefix(line, "\ufeff"))
		if err != nil {
			return nil, fmt.Errorf("line %d: broken CSV; close each quote in its row", len(r.lines))
		}
		switch {
		case len(strings.Trim(line, ", \t\r\n\ufeff")) == 0:
		case r.columns == nil:
			if err := r.header(cells); err != nil {
				return nil, fmt.Errorf("line %d: %w", len(r.lines), err)
			}
		default:
			if err := r.row(cells); err != nil {
				return nil, fmt.Errorf("line %d: %w; correct the row first", len(r.lines), err)
			}
		}
	}
	if r.columns == nil {
		return nil, fmt.Errorf("the header is missing; it must name %s, with commas between", strings.Join(rosterColumns, ", "))
	}
	return r, nil
}

func rosterCells(line string) ([]string, error) {
	line = strings.TrimRight(line, "\r\n")
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	return csv.NewReader(strings.NewReader(line)).Read()
}

func (r *Roster) header(cells []string) error {
	for i, c := range cells {
		name := strings.ToLower(strings.TrimSpace(c))
		if _, twice := r.at[name]; twice && slices.Contains(rosterColumns, name) {
			return fmt.Errorf("column %s occurs twice; keep one of them", name)
		}
		r.at[name] = i
	}
	for _, name := range rosterColumns {
		if _, ok := r.at[name]; !ok {
			return fmt.Errorf("column %s is missing; the header must name %s, with commas between", name, strings.Join(rosterColumns, ", "))
		}
	}
	r.columns = cells
	return nil
}

func (r *Roster) row(cells []string) (err error) {
	if len(cells) > len(r.columns) {
		return fmt.Errorf("the row has more cells than the header")
	}
	for len(cells) < len(r.columns) {
		cells = append(cells, "")
	}
	cell := func(name string) string { return strings.TrimSpace(cells[r.at[name]]) }
	p := Person{Email: NormEmail(cell("email")), Department: cell("department"), CostCenter: cell("cost_center"), To: civil.Max}
	if p.From, err = civil.ParseDate(cell("valid_from")); err != nil {
		return fmt.Errorf("valid_from: %w", err)
	}
	if to := cell("valid_to"); to != "" {
		if p.To, err = civil.ParseDate(to); err != nil {
			return fmt.Errorf("valid_to: %w", err)
		}
	}
	r.rows = append(r.rows, rosterRow{p, len(r.lines) - 1, cells})
	return nil
}

// Bytes is the file's text.
func (r *Roster) Bytes() []byte { return []byte(strings.Join(r.lines, "")) }

// People lists the rows in the order of the file.
func (r *Roster) People() (all []Person) {
	for _, row := range r.rows {
		all = append(all, row.Person)
	}
	return all
}

// RosterChange is what a snapshot changes of one person: Now has no cost centre
// where the person left, Before none where it joined.
type RosterChange struct{ Before, Now Person }

// RosterPlan is what a snapshot changes.
type RosterPlan struct {
	Joined, Moved, Left []RosterChange
	Same                int
	Kept                []string // who was left as it stands, and why
	InForce             int      // people who counted on the day before the change
}

// Changes says whether anything changes.
func (p RosterPlan) Changes() int { return len(p.Joined) + len(p.Moved) + len(p.Left) }

// Take makes the roster say from day on what a snapshot shows: it adds who is
// new, ends the row of who moved and adds another, and ends the row of who is no
// longer shown. Nobody is deleted, and rows that begin later stay. known are
// people who are shown and whose place is not known: their rows stay. same says
// which name stands for an address on the day.
func (r *Roster) Take(shown []Person, known []string, day civil.Date, same func(email string) string) RosterPlan {
	var plan RosterPlan
	seen, keep := map[string]bool{}, map[string]bool{}
	for _, email := range known {
		keep[same(email)] = true
	}
	now := r.inForce(day, same)
	plan.InForce = len(now)
	for _, p := range shown {
		name := same(p.Email)
		if seen[name] {
			continue
		}
		seen[name] = true
		p.From, p.To = day, r.next(name, day, same)
		at, there := now[name]
		switch {
		case !there:
			plan.Joined = append(plan.Joined, RosterChange{Now: p})
			r.add(p)
		case r.rows[at].Department == p.Department && r.rows[at].CostCenter == p.CostCenter:
			plan.Same++
		default:
			before := r.rows[at].Person
			p.Email = before.Email // as the file has it
			plan.Moved = append(plan.Moved, RosterChange{before, p})
			if before.From == day {
				r.set(at, map[string]string{"department": p.Department, "cost_center": p.CostCenter})
				continue
			}
			r.set(at, map[string]string{"valid_to": day.String()})
			r.add(p)
		}
	}
	for _, name := range r.names(now) {
		at := now[name]
		switch before := r.rows[at].Person; {
		case seen[name]:
		case keep[name]:
			plan.Kept = append(plan.Kept, before.Email+" is shown, and where it belongs is not: its row stays")
		case before.From == day:
			plan.Kept = append(plan.Kept, before.Email+" begins on this day by the file and isn't shown: remove the row by hand, if it is wrong")
		default:
			plan.Left = append(plan.Left, RosterChange{Before: before})
			r.set(at, map[string]string{"valid_to": day.String()})
		}
	}
	return plan
}

// inForce finds by name the row that counts on a day: of several that of the
// latest start.
func (r *Roster) inForce(day civil.Date, same func(string) string) map[string]int {
	now := map[string]int{}
	for i, row := range r.rows {
		name := same(row.Email)
		if day.Before(row.From) {
			continue
		}
		if at, ok := now[name]; !ok || r.rows[at].From.Before(row.From) {
			now[name] = i
		}
	}
	for name, at := range now { // what began last counts, also where it is over
		if !day.Before(r.rows[at].To) {
			delete(now, name)
		}
	}
	return now
}

// names are the names of rows in the order of the file.
func (r *Roster) names(now map[string]int) (all []string) {
	for name := range now {
		all = append(all, name)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(now[a], now[b]) })
	return all
}

// next is the day on which the next row of a person begins, civil.Max where
// none does.
func (r *Roster) next(name string, day civil.Date, same func(string) string) civil.Date {
	next := civil.Max
	for _, row := range r.rows {
		if same(row.Email) == name && day.Before(row.From) && row.From.Before(next) {
			next = row.From
		}
	}
	return next
}

// set writes cells of a row.
func (r *Roster) set(i int, cells map[string]string) {
	row := &r.rows[i]
	for name, text := range cells {
		row.cells[r.at[name]] = text
	}
	end := r.lines[row.line][len(strings.TrimRight(r.lines[row.line], "\r\n")):]
	r.lines[row.line] = rosterLine(row.cells) + end
}

// add writes a row behind all others.
func (r *Roster) add(p Person) {
	end := "\n"
	if strings.HasSuffix(r.lines[0], "\r\n") {
		end = "\r\n"
	}
	if last := len(r.lines) - 1; !strings.HasSuffix(r.lines[last], "\n") {
		r.lines[last] += end
	}
	cells := make([]string, len(r.columns))
	for name, text := range map[string]string{"email": p.Email, "department": p.Department, "cost_center": p.CostCenter, "valid_from": p.From.String()} {
		cells[r.at[name]] = text
	}
	if p.To.Before(civil.Max) {
		cells[r.at["valid_to"]] = p.To.String()
	}
	r.rows = append(r.rows, rosterRow{p, len(r.lines), cells})
	r.lines = append(r.lines, rosterLine(cells)+end)
}

// rosterLine writes cells as one line; those of a snapshot hold no line break.
func rosterLine(cells []string) string {
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write(cells) // a Builder takes every write
	w.Flush()
	return strings.TrimRight(out.String(), "\n")
}

// Place says which department and cost centre a person belongs to of whom a
// snapshot shows these two; false where the directory can't tell.
func (d *Directory) Place(department, center string) (CostCenter, bool) {
	if known, ok := d.CostCenter(center); ok {
		return known, true
	}
	if center != "" {
		return CostCenter{Code: center, Department: department}, department != ""
	}
	name := NormDepartment(department)
	for _, p := range d.payers {
		if name != "" && wildcard.Match(p.pattern, name) {
			return d.CostCenter(p.code)
		}
	}
	return CostCenter{}, false
}
