// Package directory holds who pays: the cost centres, the agents and who owns
// them, the owners of teams, keys, projects and callers, and the addresses that
// people had before.
//
// It owns: reading directory.yaml strictly, the dates between which a cost
// centre, an agent, an owner or an alias counts (business dates, from inclusive,
// to exclusive), which cost centre pays for one that has ended, which owners a
// value has, which address stands for another name of a person, by the file and
// by what exports show, and the one form of an e-mail address that all records
// share.
// It does not own: people, who come from a source with every run (extract), or
// the order in which rules are tried (transform/models).
package directory

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"chargeback/transform/civil"
	"chargeback/transform/strictyaml"
	"chargeback/transform/wildcard"
)

// CostCenter is who is charged.
type CostCenter struct {
	Code           string // text: 00420 keeps its zeros
	Name           string
	Department     string
	Mode           string // Chargeback or Showback
	Owner          string // e-mail of who answers for it; may be empty
	CompanyCode    string
	ExpenseAccount string   // "" = the config's
	DefaultFor     []string // departments whose people it pays for where a snapshot names no cost centre; * is any run of characters, and capitals and blanks around don't count
	From           civil.Date
	To             civil.Date // exclusive
	Successor      string     // code of the cost centre that pays from To on; empty: none
	Line           int        // line of the entry in its file, here and below
}

// On says whether the cost centre can be charged for a day.
func (c CostCenter) On(day civil.Date) bool { return !day.Before(c.From) && day.Before(c.To) }

// How a cost centre is told what it owes.
const (
	Chargeback = "chargeback" // an invoice and journal lines
	Showback   = "showback"   // the same figures as a statement, no journal
)

// Agent is a program that asks models. An id may have several, one after the
// other. At most one of OwnerCostCenter and OwnerEmail is set.
type Agent struct {
	ID              string
	Name            string
	Kind            string // Shared, Owned or Background
	OwnerCostCenter string
	OwnerEmail      string // as NormEmail writes it; the cost centre is the person's
	Policy          string // of a background agent: OwnerPays or Proportional
	PolicyMonths    int    // of Proportional: how many months before count as use
	From            civil.Date
	To              civil.Date // exclusive
	Line            int
}

// The kinds of agents.
const (
	Shared     = "shared"     // paid by whoever asked
	Owned      = "owned"      // has an owner, who pays where nobody asked
	Background = "background" // nobody asks: paid by its owner, or as its policy says
)

// Who pays for what a background agent does without a user.
const (
	OwnerPays    = "owner"        // its owner
	Proportional = "proportional" // at a month's close, all who used it, by what their use of it cost in the months before
)

// Owner is the cost centre that pays for a team, key, project or caller.
type Owner struct {
	Kind       string // Team, Key, Project or Caller
	Pattern    string // the value itself; * is any run of characters
	CostCenter string
	From       civil.Date
	To         civil.Date // exclusive
	Line       int
}

// The kinds of owners.
const (
	Team    = "team"
	Key     = "key"
	Project = "project"
	Caller  = "caller"
)

// Alias is another name of a person, from a day until a day.
type Alias struct {
	Name  string // an address as NormEmail writes it, or a user's id
	Email string // the address that stands for the person
	From  civil.Date
	To    civil.Date // exclusive
	Line  int
}

// Directory is a directory that was checked. It doesn't change.
type Directory struct {
	centers []CostCenter // by code
	agents  []Agent      // by id and from
	owners  []Owner      // by kind, most specific first, then as in the file
	aliases []Alias      // by name and from
	payers  []defaultFor // the most specific first
	version string
}

// defaultFor is one entry of a cost centre's DefaultFor.
type defaultFor struct {
	pattern string // as NormDepartment writes it
	code    string
	path    string // in its file
}

// Example is a directory.yaml that loads, with every key explained.
//
//go:embed example.yaml
var Example []byte

// Load reads and checks the directory at path. The error names every problem, a
// line each, as file:line: key: what is wrong; what to do.
func Load(path string) (*Directory, error) {
	data, err := strictyaml.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read directory: %w; correct directory in the config", err)
	}
	return Parse(path, data)
}

// Parse is Load for data that was read from the file called name.
func Parse(name string, data []byte) (*Directory, error) {
	var file directoryYAML
	doc := strictyaml.Decode(name, data, &file)
	if doc.Broken() {
		return nil, doc.Err()
	}
	d := &Directory{}
	known := d.readCenters(doc, file.CostCenters)
	d.readAgents(doc, file.Agents, known)
	d.readOwners(doc, file.Owners, known)
	d.readAliases(doc, file.Aliases)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	d.version = d.hash()
	return d, nil
}

// CostCenters lists all cost centres by code.
func (d *Directory) CostCenters() []CostCenter { return slices.Clone(d.centers) }

// CostCenter finds a cost centre by its code.
func (d *Directory) CostCenter(code string) (CostCenter, bool) {
	i, ok := slices.BinarySearchFunc(d.centers, code, func(c CostCenter, code string) int { return strings.Compare(c.Code, code) })
	if !ok {
		return CostCenter{}, false
	}
	return d.centers[i], true
}

// SuccessorAt finds who pays on a day for the cost centre called code: itself
// while it lasts, then the first of its successors, one after the other, that can
// be charged on that day. It finds none where code isn't in the directory, has
// not begun, or has ended without a successor.
func (d *Directory) SuccessorAt(code string, day civil.Date) (CostCenter, bool) {
	c, ok := d.CostCenter(code)
	for range d.centers {
		if !ok || c.On(day) || day.Before(c.From) {
			break
		}
		c, ok = d.CostCenter(c.Successor)
	}
	if !ok || !c.On(day) {
		return CostCenter{}, false
	}
	return c, true
}

// Succession is one cost centre that pays for another from a day until a day.
type Succession struct {
	Code  string // of the one that has ended
	Payer CostCenter
	From  civil.Date
	To    civil.Date // exclusive
}

// Successions lists who pays for each cost centre that has ended and has a
// successor, by code and from: every day from its end on is in at most one.
func (d *Directory) Successions() (all []Succession) {
	for _, c := range d.centers {
		last := c
		for range d.centers {
			next, ok := d.CostCenter(last.Successor)
			if !ok {
				break
			}
			all = append(all, Succession{Code: c.Code, Payer: next, From: last.To, To: next.To})
			last = next
		}
	}
	return all
}

// Agents lists all agents by id and from.
func (d *Directory) Agents() []Agent { return slices.Clone(d.agents) }

// OwnersOf lists the owners of a value, whatever their dates: the most specific
// pattern (most characters beside *) first, the value itself before a pattern,
// equal ones in the order of the file.
// On one day the first that counts then is the owner.
func (d *Directory) OwnersOf(kind, value string) []Owner {
	var found []Owner
	for _, o := range d.owners {
		if o.Kind == kind && value != "" && (o.Pattern == value || wildcard.Match(o.Pattern, value)) {
			found = append(found, o)
		}
	}
	return found
}

// Aliases lists all aliases by name and from.
func (d *Directory) Aliases() []Alias { return slices.Clone(d.aliases) }

// Names says which address stands for a name on the days from from until to,
// oldest first: every day is in one of the rows. An alias of an alias is
// followed.
func (d *Directory) Names(name string, from, to civil.Date) []Alias {
	rows, _ := d.names(name, from, to, nil)
	for i := range rows {
		rows[i].Name = name
	}
	return rows
}

// names is Names; it reports an alias that leads back to a name before it.
func (d *Directory) names(name string, from, to civil.Date, before []string) (rows []Alias, circle bool) {
	add := func(from, to civil.Date) {
		if from.Before(to) {
			rows = append(rows, Alias{Name: name, Email: name, From: from, To: to})
		}
	}
	first, _ := slices.BinarySearchFunc(d.aliases, name, func(a Alias, name string) int { return strings.Compare(a.Name, name) })
	for _, a := range d.aliases[first:] {
		if a.Name != name {
			break
		}
		start, end := later(a.From, from), earlier(a.To, to)
		if !start.Before(end) {
			continue
		}
		add(from, start)
		from = end
		if slices.Contains(append(before, name), a.Email) {
			circle = true
			continue
		}
		next, wrong := d.names(a.Email, start, end, append(before, name))
		rows, circle = append(rows, next...), circle || wrong
	}
	add(from, to)
	return rows, circle
}

func later(a, b civil.Date) civil.Date {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b civil.Date) civil.Date {
	if b.Before(a) {
		return b
	}
	return a
}

// Version is 12 hex digits that name the content. Comments and the order of cost
// centres, agents and owners of different patterns don't count.
func (d *Directory) Version() string { return d.version }

func (d *Directory) hash() string {
	sum := sha256.New()
	for _, c := range d.centers {
		fmt.Fprintf(sum, "center directory.CostCenter{Code:%#v, Name:%#v, Department:%#v, Mode:%#v, Owner:%#v, CompanyCode:%#v, ExpenseAccount:%#v, DefaultFor:%#v, Line:0}\n",
			c.Code, c.Name, c.Department, c.Mode, c.Owner, c.CompanyCode, c.ExpenseAccount, c.DefaultFor)
		if c.From != civil.Min || c.To != civil.Max { // without dates the version is that of before there were dates
			fmt.Fprintf(sum, "from %s to %s, then %q\n", c.From, c.To, c.Successor)
		}
	}
	for _, a := range d.agents {
		a.Line = 0
		fmt.Fprintf(sum, "agent %#v\n", a)
	}
	for _, o := range d.owners {
		o.Line = 0
		fmt.Fprintf(sum, "owner %#v\n", o)
	}
	for _, a := range d.aliases {
		a.Line = 0
		fmt.Fprintf(sum, "alias %#v\n", a)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// CallerUser gives the name of the person that a caller is: sessions of AWS
// single sign-on, assumed-role/AWSReservedSSO_SET_HEX/USER, end with it.
func CallerUser(caller string) (user string, ok bool) {
	_, role, ok := strings.Cut(caller, ":assumed-role/AWSReservedSSO_")
	if !ok {
		return "", false
	}
	_, user, ok = strings.Cut(role, "/")
	user = NormName(user[strings.LastIndexByte(user, '/')+1:])
	return user, ok && user != ""
}

// NormDepartment is the form in which departments are compared.
func NormDepartment(s string) string { return NormEmail(s) }

// NormName is the form of a user's name in records: NormEmail of an address;
// any other id keeps its case.
func NormName(s string) string {
	if strings.Contains(s, "@") {
		return NormEmail(s)
	}
	return strings.TrimSpace(s)
}

// NormEmail is the one form of an e-mail address: without blanks around it, in
// lower case, composed (Unicode NFC).
func NormEmail(s string) string {
	return norm.NFC.String(strings.ToLower(strings.TrimSpace(s)))
}
