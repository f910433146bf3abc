package decode

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chargeback/extract/record"
)

func TestSnapshotDay(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	modified := time.Date(2026, time.November, 19, 23, 30, 0, 0, time.UTC) // the 20th in Berlin
	tests := []struct {
		name, key, want string
		named           bool
	}{
		{"dashes in the name", "hr/users-2026-11-18.json", "2026-11-18", true},
		{"digits in the name", "users_20261118.csv.gz", "2026-11-18", true},
		{"digits with a time", "users-20261118T020000Z.json", "2026-11-18", true},
		{"digits with a time and nothing between", "users-20261118020000.json", "2026-11-18", true},
		{"a time behind dashes", "users 2026-11-18T02-00-00.json", "2026-11-18", true},
		{"folders", "2026/11/18/users.json", "2026-11-18", true},
		{"hive folders", "year=2026/month=11/day=18/part-0.json", "2026-11-18", true},
		{"a folder of a date", "2026-11-18/users.json", "2026-11-18", true},
		{"the last of two", "2026/11/18/users-2026-11-17.json", "2026-11-17", true},
		{"no date: when it was written, in the zone", "users.json", "2026-11-20", false},
		{"no such day", "users-2026-02-30.json", "2026-11-20", false},
		{"a long number", "1202611180.json", "2026-11-20", false},
		{"a number that goes on", "202611181.json", "2026-11-20", false},
		{"parts that are parted in two ways", "2026-11/18.json", "2026-11-20", false},
		{"another century", "users-19261118.json", "2026-11-20", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			day, named := SnapshotDay(Origin{Key: tt.key, Modified: modified}, zone)
			if got := time.Unix(day*86400, 0).UTC().Format(time.DateOnly); got != tt.want || named != tt.named {
				t.Errorf("got %s, %v, want %s, %v", got, named, tt.want, tt.named)
			}
		})
	}
}

// Goal: fields and columns may be named by the operator, in JSON and in CSV.
func TestSnapshotFieldsByName(t *testing.T) {
	o := PersonOptions{
		Email: []string{"contact.address", "E-Post"}, Department: []string{"urn:example:params:scim:schemas:Kosten:2.0:User:bereich", "Bereich"},
		CostCenter: []string{"kostenstelle", "Kosten Stelle"}, ValidFrom: []string{"gueltig_ab"},
	}
	for name, text := range map[string]string{
		"json": `{"contact":{"address":"USER001@example.com"},"userName":"other@example.com","urn:example:params:scim:schemas:Kosten:2.0:User":{"Bereich":"Support"},"Kostenstelle":"00420","gueltig_ab":"2026-10-16"}`,
		"csv":  "Bereich\te-post\tuserName\tKosten-Stelle\tGUELTIG AB\nSupport\tUser001@example.com\tother@example.com\t00420\t2026/10/16\n",
	} {
		t.Run(name, func(t *testing.T) {
			f, err := NewSnapshot(SCIMName, o)
			if err != nil {
				t.Fatal(err)
			}
			l := load(berlin(t), f, strings.NewReader(text))
			if l.err != nil || len(l.rows) != 1 {
				t.Fatalf("%v, %v", l.rows, l.err)
			}
			if r := l.rows[0]; r["email"] != "user001@example.com" || r["department"] != "Support" || r["cost_center"] != "00420" || r["valid_from"] != "2026-10-16" {
				t.Errorf("got %v", r)
			}
		})
	}
}

// Goal: what can't be trusted counts nothing as a whole, since everybody that it
// doesn't show would count as gone; and the message says what to do.
func TestSnapshotsThatCantBeTrusted(t *testing.T) {
	const person = `{"userName":"user001@example.com","costCenter":"00420"}`
	tests := []struct{ name, text, want string }{
		{"nothing", "", "the file is empty; its first line must be the titles of the columns"},
		{"blanks", "\n \n", "the file is empty"},
		{"a page without its end", `{"Resources":[` + person, "the file breaks off"},
		{"a page without its tail", `{"Resources":[` + person + `],"totalResults":2`, "the file breaks off"},
		{"a second page without its end", `{"Resources":[` + person + `]}{"Resources":[`, "the file breaks off"},
		{"a list without its end", "[" + person + ",", "the file breaks off"},
		{"a last record without its end", person + "\n" + person[:20], "line 2: the file breaks off"},
		{"a table that ends in quotes", "userName,costCenter\nuser001@example.com,\"00420", "line 2: the file breaks off"},
		{"a quote that is closed rows later", "userName,costCenter\nuser001@example.com,0\"0420\nuser002@example.com,00\"420\n", "line 2: a quote is not closed"},
		{"UTF-16", "\xff\xfeu\x00s\x00", "line 1: the file is UTF-16; save it as UTF-8"},
		{"no address", "name,costCenter\nUser,00420\n", "line 1: there is no column of the address (emails, userName); the names in it are name, costCenter; name yours as fields.email"},
		{"no address and no titles", "Jane Smith,jane@example.org,00420\n", "line 1: there is no column of the address (emails, userName); its first line does not look like the titles of columns; name yours"},
		{"no address in JSON", `{"Resources":[{"name":{"formatted":"Jane"},"mail":["jane@example.org"],"urn:example:2.0:User":{"Cost":"00420"},"jane@example.org":1,"costCenter":"00420"}]}`,
			"nobody in it has an address (emails, userName); the names in it are name.formatted, mail, urn:example:2.0:User:Cost, costCenter; name yours as fields.email"},
		{"no address in an object of people", `{"Jane Smith":{"cost":"00420"},"John Smith":{"cost":"00420"}}`, "nobody in it has an address (emails, userName); no field in it has a name; name yours"},
		{"no cost centre", "userName,city\nuser001@example.com,X\n", "line 1: there is no column of a department"},
		{"nobody who is active", `{"userName":"user001@example.com","active":"0","costCenter":"00420"}`, "it shows nobody (0 rejected, 1 switched off"},
		{"nobody who belongs anywhere", `[{"userName":"user001@example.com"}]`, "costCenter, costCentre); the names in it are userName; export them too"},
		{"a row longer than a record may be", "userName,costCenter\n\"" + strings.Repeat("x\n", 1<<20), "the row is longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(berlin(t), snapshot(t, SCIMName), strings.NewReader(tt.text))
			if l.err == nil || !strings.Contains(l.err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", l.err, tt.want)
			}
		})
	}
}

// Goal: a person of a page lies on the line on which it stands, whatever is
// around, and a broken one costs itself.
func TestPagesKeepTheirLines(t *testing.T) {
	text := "\xef\xbb\xbf\n{\n \"schemas\": [\"Resources\"],\n \"note\": \"a [ in a text, and \\\"Resources\\\": [\",\n \"resources\":\n [\n{\"userName\":\"a@example.com\",\"costCenter\":\"1]\"},\n{\"userName\":\"b@example.com\",\"costCenter\":broken},\n{\"userName\":\"c@example.com\",\"costCenter\":\"3\"}], \"x\": {\"y\": [{}]}\n}\n"
	l := load(berlin(t), snapshot(t, SCIMName), strings.NewReader(text))
	got := ""
	for _, r := range l.rows {
		got += r["line"] + " " + r["email"] + " " + r["cost_center"] + "\n"
	}
	if want := "7 a@example.com 1]\n9 c@example.com 3\n"; got != want || l.err != nil || len(l.rejects) != 1 || l.rejects[0].Line != 8 {
		t.Errorf("got %q, rejects %v, error %v", got, l.rejects, l.err)
	}
}

func TestGuestAddress(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"guest", "jane.doe_partner.example#EXT#@example.onmicrosoft.com", "jane.doe@partner.example"},
		{"guest with _ in the name", "jane_doe_partner.example#ext#@example.onmicrosoft.com", "jane_doe@partner.example"},
		{"member", "user_001@example.com", "user_001@example.com"},
		{"guest without a home", "jane#EXT#@example.onmicrosoft.com", "jane"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := guestAddress(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Goal: an export that says itself that it is a part of the people is refused,
// however its provider says so, and pages that reach the end are taken together.
func TestPartsOfAWhole(t *testing.T) {
	const one, two = `{"userName":"user001@example.com","costCenter":"1"}`, `{"userName":"user002@example.com","costCenter":"1"}`
	page := func(around string, people ...string) string {
		return `{"Resources":[` + strings.Join(people, ",") + `]` + strings.Replace(","+around, ",}", "}", 1) + "}"
	}
	front := func(around string, people ...string) string {
		return `{` + around + `,"resources" : [` + strings.Join(people, ",") + `]}`
	}
	const next = "it is a part of the people: %s says that another page follows; fetch all pages"
	follows := func(field string) string { return strings.Replace(next, "%s", field, 1) }
	tests := []struct{ name, text, want string }{
		{"OData, in front", front(`"@odata.nextLink":"https://graph.example.com/x"`, one), follows("@odata.nextLink")},
		{"OData, behind", page(`"@odata.nextLink":"https://graph.example.com/x"`, one), follows("@odata.nextLink")},
		{"OData counts more", front(`"@odata.count":2`, one), "@odata.count says that there are 2, and it shows 1"},
		{"OData counts what is there", front(`"@odata.count":2`, one, two), ""},
		{"a token", page(`"nextPageToken":"x"`, one), follows("nextPageToken")},
		{"a token in other letters", page(`"next_page_token":"x"`, one), follows("next_page_token")},
		{"an empty token", page(`"nextPageToken":""`, one), ""},
		{"a token that is null", page(`"nextPageToken":null`, one), ""},
		{"a cursor", page(`"nextCursor":"x","totalResults":1`, one), follows("nextCursor")},
		{"links", page(`"_links":{"self":{"href":"a"},"next":{"href":"b"}}`, one), follows("_links.next")},
		{"links without a next one", page(`"_links":{"self":{"href":"a"}}`, one), ""},
		{"a list of links", page(`"links":[{"rel":"self","href":"a"},{"rel": "next","href":"b"}]`, one), follows("links next")},
		{"a mark", page(`"paging":{"has_more":true}`, one), follows("paging.has_more")},
		{"a mark that says no", page(`"hasMore":false`, one), ""},
		{"SCIM", front(`"totalResults":3,"startIndex":1,"itemsPerPage":2`, one, two), "totalResults says that there are 3, and it shows 2"},
		{"SCIM, all of them", front(`"totalResults":2,"startIndex":1,"itemsPerPage":2`, one, two), ""},
		{"SCIM, the last page alone", front(`"totalResults":3,"startIndex":3,"itemsPerPage":2`, one), "totalResults says that there are 3, and it shows 0"},
		{"SCIM in text", page(`"totalResults":"3"`, one), "totalResults says that there are 3, and it shows 1"},
		{"SCIM, two pages", front(`"totalResults":2,"startIndex":1`, one) + "\n" + front(`"totalResults":2,"startIndex":2`, two), ""},
		{"SCIM, two pages in a list", "[" + front(`"totalResults":2,"startIndex":2`, two) + ",\n" + front(`"totalResults":2,"startIndex":1`, one) + "]", ""},
		{"SCIM, one page twice", front(`"totalResults":2,"startIndex":1`, one) + front(`"totalResults":2,"startIndex":1`, one), "says that there are 2, and it shows 1"},
		{"SCIM, a page is missing", front(`"totalResults":3,"startIndex":1`, one) + front(`"totalResults":3,"startIndex":3`, two), "says that there are 3, and it shows 1"},
		{"two pages that lead on", page(`"nextLink":"a"`, one) + page(`"nextLink":"b"`, two), follows("nextLink")},
		{"two pages that reach the end", page(`"nextLink":"a"`, one) + "\n" + page(`"nextLink":null`, two), ""},
		{"pages in a list that reach the end", " [ " + page(`"nextLink":"a"`, one) + ",\n" + page(``, two) + " ]\n", ""},
		{"pages in a list that breaks off", "[" + page(`"nextLink":"a"`, one) + "," + page(``, two), "the file breaks off"},
		{"a page of three", page(`"totalPages":3`, one), "there are 3 pages, and it holds 1"},
		{"words within a person", front(`"totalResults":1`, `{"userName":"user001@example.com","costCenter":"1","nextLink":"a","_links":{"next":{"href":"b"}}}`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(berlin(t), snapshot(t, SCIMName), strings.NewReader(tt.text))
			got := ""
			if l.err != nil {
				got = l.err.Error()
			}
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
			}
		})
	}
}

// Goal: which names a text of an export of Entra holds, and which is the address.
func TestEntraNames(t *testing.T) {
	tests := []struct{ name, in, address, names string }{
		{"an address", "Jane@example.com", "Jane@example.com", "Jane@example.com"},
		{"the primary one", "SMTP:jane@example.com", "jane@example.com", "jane@example.com"},
		{"another", "smtp:was@example.com", "", "was@example.com"},
		{"a cell of several", "smtp:was@example.com;SMTP:jane@example.com; X500:/o=Ex am@ple/cn=j", "jane@example.com", "was@example.com jane@example.com"},
		{"another protocol", "SIP:jane@example.com", "", ""},
		{"an id", "0b1ec7ed-0000-4000-8000-000000000001", "0b1ec7ed-0000-4000-8000-000000000001", "0b1ec7ed-0000-4000-8000-000000000001"},
		{"a guest", "jane_partner.example#EXT#@example.onmicrosoft.com", "jane@partner.example", "jane_partner.example#EXT#@example.onmicrosoft.com jane@partner.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if address, names := entraAddress(tt.in), strings.Join(entraNames(tt.in), " "); address != tt.address || names != tt.names {
				t.Errorf("got %q and %q", address, names)
			}
		})
	}
}

// Goal: a person with more names than one text can hold keeps them all, and the
// order in which an export lists them says nothing.
func TestManyNames(t *testing.T) {
	var some, backwards []string
	for i := range 400 {
		n := fmt.Sprintf("%q", fmt.Sprintf("Alias-%03d@example.com", i))
		some, backwards = append(some, n), append([]string{n}, backwards...)
	}
	text := func(names []string) string {
		return `{"primaryEmail":"user001@example.com","organizations":[{"costCenter":"1"}],"aliases":[` + strings.Join(names, ",") + `]}`
	}
	read := func(names []string) (found []string) {
		l := load(berlin(t), snapshot(t, GoogleName), strings.NewReader(text(names)))
		for _, r := range l.rows {
			record.EachName(r["names"], func(_, name string) { found = append(found, name) })
		}
		if l.err != nil || len(l.rejects) > 0 || len(l.rows) < 2 {
			t.Fatalf("%d rows, %v, %v", len(l.rows), l.rejects, l.err)
		}
		return found
	}
	if got, again := read(some), read(backwards); len(got) != 400 || !slices.Equal(got, again) || got[399] != "alias-399@example.com" {
		t.Errorf("got %d names: %v", len(got), got)
	}
}
