package decode

const scimEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"

// scimShape is a SCIM 2.0 user: of a ListResponse, of a list, or one object a
// line. Who is not active is gone. The manager, a text or an object, is not
// read.
var scimShape = personShape{
	list: "Resources",
	person: PersonOptions{
		Email:      []string{"emails", "userName"},
		Department: []string{scimEnterprise + "department", scimEnterprise + "organization", "department"},
		CostCenter: []string{scimEnterprise + "costCenter", "costCenter", "costCentre"},
		Aliases:    []string{"userName", "emails", "externalId", "id", scimEnterprise + "employeeNumber", "employeeNumber"},
	},
	active: []string{"active"},
}
