package decode

// workdayShape is a worker in a custom report of Workday (RaaS), as JSON
// (Report_Entry: [...]) or CSV. The names of its fields are chosen by who
// makes the report; these are usual ones. Terminated workers may be in it.
var workdayShape = personShape{
	list: "Report_Entry",
	person: PersonOptions{
		Email:      []string{"Work_Email", "workEmail", "Email_Primary_Work", "Primary_Work_Email", "primaryWorkEmail", "Email_Address", "emailAddress", "Email"},
		Department: []string{"Department", "Supervisory_Organization", "supervisoryOrganization", "Organization"},
		CostCenter: []string{"Cost_Center_ID", "costCenterID", "Cost_Center_Code", "costCenterCode", "Cost_Center_Reference_ID", "Cost_Center", "costCenter"},
		ValidFrom:  []string{"Effective_Date", "effectiveDate"},
	},
	active: []string{"Active_Status", "Currently_Active", "Active", "Worker_Status"},
	gone:   []string{"Terminated"},
	ended:  []string{"Termination_Date", "terminationDate"},
}
