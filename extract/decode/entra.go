package decode

import "strings"

// entraShape is a user of Microsoft Entra: a page of Graph (value: [...]), or a
// row of the CSV that "Download users" writes, which has no cost centre. Who
// has no mail is named by the user principal name, a guest by the address
// that it was made from.
var entraShape = personShape{
	list: "value",
	person: PersonOptions{
		Email:      []string{"mail", "userPrincipalName"},
		Department: []string{"department"},
		CostCenter: []string{"employeeOrgData.costCenter", "costCenter"},
	},
	active:  []string{"accountEnabled"},
	address: guestAddress,
}

// guestAddress gives the address of a guest's principal name:
// jane.doe_partner.example#EXT#@example.onmicrosoft.com is
// jane.doe@partner.example. Any other name stays.
func guestAddress(name string) string {
	at := strings.Index(strings.ToUpper(name), "#EXT#@")
	if at < 0 {
		return name
	}
	home := name[:at]
	if i := strings.LastIndexByte(home, '_'); i >= 0 {
		return home[:i] + "@" + home[i+1:]
	}
	return home
}
