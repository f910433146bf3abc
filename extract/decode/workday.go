package decode

import "strings"

// workdayShape is a worker in a custom report of Workday (RaaS), as JSON
// (Report_Entry: [...]) or CSV. The names of its fields are chosen by who
// makes the report; these are usual ones, in the spellings that Workday makes of
// a heading. Terminated workers may be in it. An address that a field calls
// private (Email - Home) is none of these.
var workdayShape = personShape{
	list: "Report_Entry",
	person: PersonOptions{
		Email:      append(spelled(workdayEmails...), spelled("Email Address", "Email")...),
		Department: spelled("Department", "Department Name", "Supervisory Organization", "Organization", "Business Unit"),
		CostCenter: spelled("Cost Center ID", "Cost Center Code", "Cost Center Reference ID", "Cost Center Number", "Cost Center", "Cost Centre ID", "Cost Centre Code", "Cost Centre"),
		ValidFrom:  spelled("Effective Date"),
		Aliases: append(spelled(workdayEmails...), spelled(
			"Employee ID", "Worker ID", "Contingent Worker ID", "Universal ID", "Workday ID", "Employee Number", "WID", "User Name", "Workday Account",
		)...),
	},
	active: spelled("Active Status", "Currently Active", "Active", "Worker Status"),
	gone:   spelled("Terminated"),
	ended:  spelled("Termination Date"),
}

// workdayEmails are headings of the address at work, the surest first.
var workdayEmails = []string{
	"Work Email", "Email Work", "Email Primary Work", "Primary Work Email", "Work Email Primary", "Work Email Address", "Email Address Work", "Primary Work Email Address",
	"Email Work Primary", "Business Email", "Email Business", "Business Email Address", "Corporate Email", "Company Email",
}

// spelled gives headings as keys of JSON have them: Work_Email, WorkEmail,
// Work-Email, Work Email, and with a dash between, of which Workday makes
// Email_-_Work. Titles of columns are compared without all that, and capitals
// don't count anywhere.
func spelled(headings ...string) (names []string) {
	for _, h := range headings {
		if !strings.Contains(h, " ") {
			names = append(names, h)
			continue
		}
		for _, between := range []string{"_", "", " ", "-"} {
			names = append(names, strings.ReplaceAll(h, " ", between))
		}
		if first, rest, _ := strings.Cut(h, " "); strings.HasPrefix(h, "Email ") {
			names = append(names, first+"_-_"+strings.ReplaceAll(rest, " ", "_"), first+" - "+rest)
		}
	}
	return names
}
