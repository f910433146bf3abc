package report

import (
	"context"
	_ "embed" // texts of selects

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

var (
	//go:embed person_history.sql
	personHistoryText string
	//go:embed person_said.sql
	personSaidText string
)

// PersonRow is what people files say of a person from a day until a day.
type PersonRow struct {
	Email, Department, CostCenter, Source string
	Object                                string `column:"object_key"`
	Line                                  int64
	From                                  civil.Date `column:"valid_from"`
	To                                    civil.Date `column:"valid_to"`
	Shown                                 civil.Date `column:"shown_from,null"` // day of the snapshot that showed it first; zero: a dated row
}

// PeopleSeen is what PersonHistory asks references of: the departments of people of
// whom a snapshot names no cost centre, and somebody's names.
func PeopleSeen(ctx context.Context, books *records.Records, names ...string) (records.Seen, error) {
	departments, err := warehouse.All[string](ctx, books, warehouse.Select{
		Name: "read departments of people", Text: "select distinct department from {people} where snapshot_date is not null and cost_center = '' and department <> '' order by department",
	})
	return records.Seen{Departments: departments, Users: names}, err
}

// PersonHistory lists who pays for a person from when to when, by references for what
// PeopleSeen lists, oldest first. An address that another one stands for is followed.
func PersonHistory(ctx context.Context, books *records.Records, email string, refs records.References) ([]PersonRow, error) {
	p, err := books.Program(ctx, "", refs, records.Args{"email": email})
	if err != nil {
		return nil, err
	}
	for name, text := range books.Views("people_said", "people_dated") {
		p.View(name, text)
	}
	return warehouse.All[PersonRow](ctx, books, p.Select("read who pays for a person", personHistoryText))
}

// PersonSaid lists what people files say under an address, believed or not,
// oldest first.
func PersonSaid(ctx context.Context, books *records.Records, email string) ([]PersonRow, error) {
	return warehouse.All[PersonRow](ctx, books, warehouse.Select{
		Name: "read what is said of a person", Text: personSaidText, Args: records.Args{"email": email}, Views: books.Views("people_said"),
	})
}
