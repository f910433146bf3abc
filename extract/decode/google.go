package decode

// googleShape is a user of Google Workspace: a row of the Admin console's CSV,
// whose titles end in [READ ONLY] or [Required], or an object of the
// Directory API.
var googleShape = personShape{
	list: "users",
	person: PersonOptions{
		Email:      []string{"primaryEmail", "Email Address", "Email"},
		Department: []string{"organizations.[0].department", "Department"},
		CostCenter: []string{"organizations.[0].costCenter", "Cost Center", "Cost Centre"},
		Aliases: []string{
			"primaryEmail", "aliases", "nonEditableAliases", "emails", "id", "externalIds", "Email Address", "Work Secondary Email", "Home Secondary Email", "Employee ID",
		},
	},
	active: []string{"Status"},
	gone:   []string{"suspended", "archived"},
}
