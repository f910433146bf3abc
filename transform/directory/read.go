package directory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"chargeback/transform/civil"
	"chargeback/transform/strictyaml"
	"chargeback/transform/wildcard"
)

// directoryYAML and the types below it are the shape of directory.yaml.
type directoryYAML struct {
	CostCenters []centerYAML `yaml:"cost_centers"`
	Agents      []agentYAML  `yaml:"agents"`
	Owners      []ownerYAML  `yaml:"owners"`
	Aliases     []aliasYAML  `yaml:"aliases"`
}

type centerYAML struct {
	Code           string   `yaml:"code"`
	Name           string   `yaml:"name"`
	Department     string   `yaml:"department"`
	Mode           string   `yaml:"mode"`
	Owner          string   `yaml:"owner"`
	CompanyCode    string   `yaml:"company_code"`
	ExpenseAccount string   `yaml:"expense_account"`
	DefaultFor     []string `yaml:"default_for"`

	From      civil.Date `yaml:"from"`
	To        civil.Date `yaml:"to"`
	Successor string     `yaml:"successor"`
}

type agentYAML struct {
	ID    string     `yaml:"id"`
	Name  string     `yaml:"name"`
	Kind  string     `yaml:"kind"`
	Owner string     `yaml:"owner"`
	From  civil.Date `yaml:"from"`
	To    civil.Date `yaml:"to"`

	Policy       string `yaml:"policy"`
	PolicyMonths int    `yaml:"policy_months"`
}

type ownerYAML struct {
	Team       string     `yaml:"team"`
	Key        string     `yaml:"key"`
	Project    string     `yaml:"project"`
	Caller     string     `yaml:"caller"`
	CostCenter string     `yaml:"cost_center"`
	From       civil.Date `yaml:"from"`
	To         civil.Date `yaml:"to"`
}

type aliasYAML struct {
	Alias string     `yaml:"alias"`
	Email string     `yaml:"email"`
	From  civil.Date `yaml:"from"`
	To    civil.Date `yaml:"to"`
}

// codes remembers where each cost centre stands.
type codes map[string]string

func (known codes) need(doc *strictyaml.Document, path, code string) {
	if code == "" {
		doc.Failf(path, "is missing; name the cost centre that pays")
	} else if _, ok := known[code]; !ok {
		doc.Failf(path, "%q is not among cost_centers (line %d); add it there or correct it", code, doc.Line("cost_centers"))
	}
}

func (d *Directory) readCenters(doc *strictyaml.Document, entries []centerYAML) codes {
	known, dated := codes{}, ranges{}
	if len(entries) == 0 {
		doc.Failf("cost_centers", "is missing; list the cost centres that can be charged")
	}
	for i, e := range entries {
		path := fmt.Sprintf("cost_centers[%d]", i)
		e.check(doc, path)
		if first, taken := known[e.Code]; taken && e.Code != "" {
			doc.Failf(path+".code", "%q stands already on line %d; keep one of the two", e.Code, doc.Line(first))
		} else {
			known[e.Code] = path
		}
		for j, department := range e.DefaultFor {
			d.addDefault(doc, defaultFor{NormDepartment(department), e.Code, fmt.Sprintf("%s.default_for[%d]", path, j)}, department)
		}
		from, to := dated.add(doc, path, path, e.From, e.To) // no two entries have one name: a code is listed once
		d.centers = append(d.centers, CostCenter{
			e.Code, cmp.Or(e.Name, e.Code), e.Department, cmp.Or(e.Mode, Chargeback), e.Owner, e.CompanyCode, e.ExpenseAccount, e.DefaultFor, from, to, e.Successor, doc.Line(path),
		})
	}
	slices.SortStableFunc(d.centers, func(a, b CostCenter) int { return strings.Compare(a.Code, b.Code) })
	for i, e := range entries {
		if e.Successor != "" {
			d.checkSuccessor(doc, fmt.Sprintf("cost_centers[%d]", i), e)
		}
	}
	slices.SortStableFunc(d.payers, func(a, b defaultFor) int {
		return cmp.Or(cmp.Compare(stars(a.pattern), stars(b.pattern)), cmp.Compare(specific(b.pattern), specific(a.pattern)))
	})
	return known
}

// checkSuccessor refuses a successor that could not pay from the day on which the
// cost centre ends.
func (d *Directory) checkSuccessor(doc *strictyaml.Document, path string, e centerYAML) {
	at := path + ".successor"
	next, known := d.CostCenter(e.Successor)
	switch {
	case e.To.IsZero():
		doc.Failf(at, "is set without to; write the first day on which %s no longer counts, or remove successor", e.Code)
	case !known:
		doc.Failf(at, "%q is not among cost_centers (line %d); add it there or correct it", e.Successor, doc.Line("cost_centers"))
	case d.leadsBack(e.Code):
		doc.Failf(at, "%q leads back to %s by successors; name one that lasts", e.Successor, e.Code)
	case e.To.Before(next.From):
		doc.Failf(at, "%s begins on %s, after %s ends (%s), so nobody would pay between; let one begin when the other ends", next.Code, next.From, e.Code, e.To)
	case !e.To.Before(next.To):
		doc.Failf(at, "%s has ended (%s) when %s ends (%s); name one that lasts longer", next.Code, next.To, e.Code, e.To)
	}
}

// leadsBack says whether a cost centre is among its own successors.
func (d *Directory) leadsBack(code string) bool {
	c, _ := d.CostCenter(code)
	for range d.centers {
		next, ok := d.CostCenter(c.Successor)
		if c = next; !ok {
			return false
		}
		if c.Code == code {
			return true
		}
	}
	return false
}

// addDefault notes a department's default, where no other cost centre may be
// meant: of patterns that both fit the one with more characters beside * counts.
func (d *Directory) addDefault(doc *strictyaml.Document, added defaultFor, department string) {
	if added.pattern == "" {
		doc.Failf(added.path, "is empty; write a department as the people's source has it")
		return
	}
	for _, p := range d.payers {
		switch {
		case p.pattern == added.pattern && p.code != added.code:
			doc.Failf(added.path, "%q is already a default of cost centre %s on line %d; a department has one default, and capitals and blanks around it don't count", department, p.code, doc.Line(p.path))
		case p.code != added.code && stars(p.pattern) == 1 && stars(added.pattern) == 1 && specific(p.pattern) == specific(added.pattern) && wildcard.Meet(p.pattern, added.pattern):
			doc.Failf(added.path, "%q fits departments that the default of cost centre %s on line %d fits as well; give one of them more characters, so that it counts", department, p.code, doc.Line(p.path))
		}
	}
	d.payers = append(d.payers, added)
}

func (e centerYAML) check(doc *strictyaml.Document, path string) {
	switch {
	case e.Code == "":
		doc.Failf(path+".code", "is missing; write the cost centre's code, in quotes")
	case isEmail(e.Code):
		doc.Failf(path+".code", "%q has an @ like an e-mail address, so agents couldn't name it as owner; correct it", e.Code)
	}
	if e.Department == "" {
		doc.Failf(path+".department", "is missing; name the department that reports and budgets add it to")
	}
	if !slices.Contains([]string{"", Chargeback, Showback}, e.Mode) {
		doc.Failf(path+".mode", "%q is not a choice; use %s or %s", e.Mode, Chargeback, Showback)
	}
	if e.Owner != "" && !strictyaml.IsAddress(e.Owner) {
		doc.Failf(path+".owner", "%q is not an e-mail address; write the address of who answers for it", e.Owner)
	}
}

func (d *Directory) readAgents(doc *strictyaml.Document, entries []agentYAML, known codes) {
	dated := ranges{}
	for i, e := range entries {
		path := fmt.Sprintf("agents[%d]", i)
		if e.ID == "" {
			doc.Failf(path+".id", "is missing; write the agent's id as the records have it")
		}
		if !slices.Contains([]string{Shared, Owned, Background}, e.Kind) {
			doc.Failf(path+".kind", "%q is not a choice; use %s, %s or %s", e.Kind, Shared, Owned, Background)
		}
		a := Agent{ID: e.ID, Name: cmp.Or(e.Name, e.ID), Kind: e.Kind, Line: doc.Line(path)}
		switch {
		case isEmail(e.Owner):
			a.OwnerEmail = NormEmail(e.Owner)
			if !strictyaml.IsAddress(e.Owner) {
				doc.Failf(path+".owner", "%q is not an e-mail address; correct it, or name the cost centre that owns the agent", e.Owner)
			}
		case e.Owner != "" || e.Kind != Shared:
			a.OwnerCostCenter = e.Owner
			known.need(doc, path+".owner", e.Owner)
		}
		a.Policy, a.PolicyMonths = e.policy(doc, path)
		a.From, a.To = dated.add(doc, path, e.ID, e.From, e.To)
		d.agents = append(d.agents, a)
	}
	slices.SortFunc(d.agents, func(a, b Agent) int { return cmp.Or(strings.Compare(a.ID, b.ID), a.From.Compare(b.From)) })
}

// The months before a close whose use counts for Proportional.
const (
	policyMonths    = 3
	policyMonthsMax = 12
)

func (e agentYAML) policy(doc *strictyaml.Document, path string) (policy string, months int) {
	switch {
	case e.Kind != Background && e.Policy != "":
		doc.Failf(path+".policy", "is only for kind %s; remove it", Background)
	case !slices.Contains([]string{"", OwnerPays, Proportional}, e.Policy):
		doc.Failf(path+".policy", "%q is not a choice; use %s or %s", e.Policy, OwnerPays, Proportional)
	case doc.Has(path+".policy_months") && e.Policy != Proportional:
		doc.Failf(path+".policy_months", "is only for policy %s; remove it", Proportional)
	case doc.Has(path+".policy_months") && (e.PolicyMonths < 1 || e.PolicyMonths > policyMonthsMax):
		doc.Failf(path+".policy_months", "%d is not from 1 to %d", e.PolicyMonths, policyMonthsMax)
	}
	switch {
	case e.Kind != Background:
		return "", 0
	case e.Policy != Proportional:
		return OwnerPays, 0
	case doc.Has(path + ".policy_months"):
		return Proportional, e.PolicyMonths
	}
	return Proportional, policyMonths
}

func (d *Directory) readOwners(doc *strictyaml.Document, entries []ownerYAML, known codes) {
	dated := ranges{}
	for i, e := range entries {
		path := fmt.Sprintf("owners[%d]", i)
		kind, pattern, count := e.value()
		if count != 1 {
			doc.Failf(path, "needs exactly one of team, key, project and caller; name what is owned")
			continue
		}
		known.need(doc, path+".cost_center", e.CostCenter)
		from, to := dated.add(doc, path, kind+" "+pattern, e.From, e.To)
		d.owners = append(d.owners, Owner{kind, pattern, e.CostCenter, from, to, doc.Line(path)})
	}
	slices.SortStableFunc(d.owners, func(a, b Owner) int {
		order := cmp.Or(strings.Compare(a.Kind, b.Kind), cmp.Compare(specific(b.Pattern), specific(a.Pattern)), cmp.Compare(stars(a.Pattern), stars(b.Pattern)))
		if order != 0 || stars(a.Pattern) > 0 {
			return order
		}
		return cmp.Or(strings.Compare(a.Pattern, b.Pattern), a.From.Compare(b.From))
	})
}

func (d *Directory) readAliases(doc *strictyaml.Document, entries []aliasYAML) {
	dated := ranges{}
	for i, e := range entries {
		path := fmt.Sprintf("aliases[%d]", i)
		a := Alias{Name: NormName(e.Alias), Email: NormEmail(e.Email), Line: doc.Line(path)}
		switch {
		case a.Name == "":
			doc.Failf(path+".alias", "is missing; write the address or the user's id that records have")
		case a.Name == a.Email:
			doc.Failf(path+".email", "is the alias itself; write the address that stands for the person now")
		case !strictyaml.IsAddress(e.Email):
			doc.Failf(path+".email", "%q is not an e-mail address; write the address that stands for the person now", e.Email)
		}
		a.From, a.To = dated.add(doc, path, a.Name, e.From, e.To)
		d.aliases = append(d.aliases, a)
	}
	slices.SortFunc(d.aliases, func(a, b Alias) int { return cmp.Or(strings.Compare(a.Name, b.Name), a.From.Compare(b.From)) })
	for i, e := range entries {
		if _, circle := d.names(NormName(e.Alias), civil.Min, civil.Max, nil); circle {
			doc.Failf(fmt.Sprintf("aliases[%d]", i), "leads back to itself by other aliases on the same days; let one of them end (to) before the other begins (from)")
		}
	}
}

// value gives the one thing that is owned, and how many were named.
func (e ownerYAML) value() (kind, pattern string, count int) {
	for _, named := range [][2]string{{Team, e.Team}, {Key, e.Key}, {Project, e.Project}, {Caller, e.Caller}} {
		if named[1] != "" {
			kind, pattern = named[0], named[1]
			count++
		}
	}
	return kind, pattern, count
}

// stars is 1 for a pattern and 0 for a plain name.
func stars(pattern string) int { return min(1, strings.Count(pattern, "*")) }

// specific is how many characters of a pattern have to be met.
func specific(pattern string) int { return len(pattern) - strings.Count(pattern, "*") }

func isEmail(s string) bool { return strings.Contains(s, "@") }

// ranges remembers the dates of entries that share a name, to find overlaps.
type ranges map[string][]dateRange

type dateRange struct {
	path     string
	from, to civil.Date
}

// add gives open dates their far end, and refuses a range that ends before it
// begins or overlaps an earlier one of the same name.
func (r ranges) add(doc *strictyaml.Document, path, name string, from, to civil.Date) (civil.Date, civil.Date) {
	if from.IsZero() {
		from = civil.Min
	}
	if to.IsZero() {
		to = civil.Max
	}
	if !from.Before(to) {
		doc.Failf(path+".to", "%s is not after from (%s); to is the first day that no longer counts", to, from)
	}
	for _, other := range r[name] {
		if from.Before(other.to) && other.from.Before(to) {
			doc.Failf(path, "counts on days on which the entry of the same name on line %d counts too (%s to %s); let one end (to) before the other begins (from)",
				doc.Line(other.path), other.from, other.to)
		}
	}
	r[name] = append(r[name], dateRange{path, from, to})
	return from, to
}
