package decode

// oktaShape is a user of Okta: an object of the API with its profile, a
// profile alone, or a row of a report in CSV.
var oktaShape = personShape{
	list: "users",
	person: PersonOptions{
		Email:      []string{"profile.email", "profile.login", "email", "user.email", "primary email", "login", "user.login", "username"},
		Department: []string{"profile.department", "profile.division", "department", "user.department", "division"},
		CostCenter: []string{"profile.costCenter", "costCenter", "user.costCenter", "profile.costCentre", "costCentre"},
		Aliases: []string{
			"profile.login", "profile.email", "profile.secondEmail", "credentials.emails", "login", "email", "primary email", "secondEmail", "secondary email",
			"user.login", "user.email", "user.secondEmail", "username", "id", "user.id", "userId", "profile.employeeNumber", "employeeNumber", "user.employeeNumber",
		},
	},
	active: []string{"status", "userStatus", "user.status"},
}
