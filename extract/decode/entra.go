package decode

import "strings"

// entraShape is a user of Microsoft Entra: a page of Graph (value: [...]), or a
// row of the CSV that "Download users" writes, which has no cost centre. Who
// has no mail is named by the primary one of the proxy addresses, else by the
// user principal name, a guest by the address that it was made from.
var entraShape = personShape{
	list: "value",
	person: PersonOptions{
		Email:      []string{"mail", "proxyAddresses", "userPrincipalName"},
		Department: []string{"department"},
		CostCenter: []string{"employeeOrgData.costCenter", "costCenter", "costCentre"},
		Aliases: []string{
			"userPrincipalName", "mail", "proxyAddresses", "otherMails", "alternateEmailAddress", "onPremisesUserPrincipalName", "id", "objectId", "employeeId",
		},
	},
	active:  []string{"accountEnabled"},
	address: entraAddress,
	aliases: entraNames,
}

// entraAddress gives the address that a text stands for: of proxy addresses,
// SMTP:jane@example.com, the one in capitals, which is the primary one; of a
// guest's principal name the one that it was made from.
func entraAddress(text string) string {
	if !strings.Contains(text, ":") {
		return guestAddress(text)
	}
	for _, n := range listedNames(text) {
		if address, primary := strings.CutPrefix(n, "SMTP:"); primary {
			return address
		}
	}
	return ""
}

// entraNames gives the names that a text holds: of proxy addresses those of
// mail, whether primary or not; a guest's principal name, and the address in it.
func entraNames(text string) (names []string) {
	proxies := strings.Contains(text, ":")
	for _, n := range listedNames(text) {
		if proxies {
			if len(n) < len("smtp:") || !strings.EqualFold(n[:len("smtp:")], "smtp:") {
				continue
			}
			n = n[len("smtp:"):]
		}
		names = append(names, n)
		if home := guestAddress(n); home != n {
			names = append(names, home)
		}
	}
	return names
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
