package demo

import (
	"bytes"
	"fmt"
	"time"
)

// costCenter is one payer of the demo company.
type costCenter struct {
	Code, Name, Department, Mode, Owner, CompanyCode string
	staff                                            int // numbered people besides the owner
}

// costCenters stand in the order in which people get their numbers.
var costCenters = []costCenter{
	{"00420", "Customer Support", "Support", "chargeback", "support-lead@example.com", "1000", 7},
	{"00421", "Support Tooling", "Support", "chargeback", "support-tools-lead@example.com", "1000", 2},
	{"CC-1001", "Product Engineering", "Engineering", "chargeback", "product-lead@example.com", "1000", 6},
	{"CC-1002", "Platform Engineering", "Engineering", "chargeback", "platform-lead@example.com", "1000", 4},
	{"CC-2001", "Sales", "Sales", "chargeback", "sales-lead@example.com", "1000", 4},
	{"CC-3001", "Marketing", "Marketing", "chargeback", "marketing-lead@example.com", "1000", 3},
	{"CC-4001", "Finance Operations", "Finance", "chargeback", "finance-lead@example.com", "1000", 3},
	{"CC-4002", "Internal Audit", "Finance", "showback", "audit-lead@example.com", "1000", 1},
	{"CC-5001", "People Team", "People", "showback", "people-lead@example.com", "1000", 2},
}

// Three people whose story the month tells.
const (
	mover   = "user003@example.com" // Support until the 15th, Sales from the 16th
	leaver  = "user021@example.com" // Sales, last day is the 20th
	unclean = "user011@example.com" // written with capitals and spaces in the gateway's log

	moveDay  = 16
	leaveDay = 21
)

// uncleanForm is how the gateway logs unclean.
const uncleanForm = " User011@Example.COM "

// unallocated names the payer of what nobody can be charged for.
const unallocated = "UNALLOCATED"

// assignment is a person's cost centre from one business day up to, and
// without, another; zero ends are open.
type assignment struct {
	email    string
	center   costCenter
	from, to time.Time
}

// people makes the company's staff for the month that begins on first.
func people(first time.Time) []assignment {
	start := time.Date(first.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return time.Date(first.Year(), first.Month(), n, 0, 0, 0, 0, time.UTC) }
	var all []assignment
	number := 0
	for _, center := range costCenters {
		all = append(all, assignment{email: center.Owner, center: center, from: start})
		for range center.staff {
			number++
			a := assignment{email: fmt.Sprintf("user%03d@example.com", number), center: center, from: start}
			switch a.email {
			case mover:
				a.to = day(moveDay)
				all = append(all, a)
				a = assignment{email: mover, center: centerOf("CC-2001"), from: day(moveDay)}
			case leaver:
				a.to = day(leaveDay)
			}
			all = append(all, a)
		}
	}
	return all
}

func centerOf(code string) costCenter {
	for _, c := range costCenters {
		if c.Code == code {
			return c
		}
	}
	panic("demo: no cost centre " + code)
}

// peopleCSV writes the staff as the people source reads it.
func peopleCSV(staff []assignment) []byte {
	var out bytes.Buffer
	out.WriteString("email,department,cost_center,valid_from,valid_to\n")
	for _, a := range staff {
		to := ""
		if !a.to.IsZero() {
			to = a.to.Format(time.DateOnly)
		}
		fmt.Fprintf(&out, "%s,%s,%s,%s,%s\n", a.email, a.center.Department, a.center.Code, a.from.Format(time.DateOnly), to)
	}
	return out.Bytes()
}

// centerAt finds the cost centre of a person on a business day; "" where the
// person is not on the staff that day.
func centerAt(staff []assignment, email string, day time.Time) string {
	for _, a := range staff {
		if a.email == email && !day.Before(a.from) && (a.to.IsZero() || day.Before(a.to)) {
			return a.center.Code
		}
	}
	return ""
}

// staffOf lists who belongs to one of the cost centres on a business day.
func staffOf(staff []assignment, day time.Time, codes []string) []string {
	var emails []string
	for _, code := range codes {
		for _, a := range staff {
			if a.center.Code == code && centerAt(staff, a.email, day) == code {
				emails = append(emails, a.email)
			}
		}
	}
	return emails
}
