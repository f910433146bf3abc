package decode

// oktaShape is a user of Okta: an object of the API with its profile, a
// profile alone, or a row of a report in CSV.
var oktaShape = personShape{
	list: "users",
	person: PersonOptions{
		Email:      []string{"profile.email", "profile.login", "email", "user.email", "primary email", "login", "user.login", "username"},
		Department: []string{"profile.department", "profile.division", "department", "user.department", "division"},
		CostCenter: []string{"profile.costCenter", "costCenter", "user.costCenter"},
	},
	active: []string{"status", "userStatus", "user.status"},
}
