package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

var (
	//go:embed people_problems.sql
	peopleProblemsText string
	//go:embed snapshot_states.sql
	snapshotStatesText string
	//go:embed people_centers.sql
	peopleCentersText string
)

// PeopleProblem is something in a people file that can't be believed.
type PeopleProblem struct{ Source, Key, What string }

// PeopleProblems lists rows of one person that start on the same day and
// differ: neither is believed, so the person's requests go on down the chain.
func PeopleProblems(ctx context.Context, books *records.Records) (problems []PeopleProblem, err error) {
	err = warehouse.Each(ctx, books, warehouse.Select{Name: "check people", Text: peopleProblemsText}, func(r struct {
		Source, ObjectKey string
		Line              int64
		ValidFrom         civil.Date
	}) error {
		problems = append(problems, PeopleProblem{r.Source, r.ObjectKey, fmt.Sprintf("line %d: valid_from: the same person has another row that starts on %s and differs; neither counts until one of them goes", r.Line, r.ValidFrom)})
		return nil
	})
	return problems, err
}

// SnapshotState is what the newest snapshot of a source holds.
type SnapshotState struct {
	Source string
	Day    civil.Date `column:"snapshot_date"`
	Shown  int64      // people
	Before int64      `column:"shown_before"` // people whom the snapshot before showed; 0: there is none
	Unsure int64      // shown twice with other departments or cost centres
	Unpaid []Unpaid   `column:"-"`
}

// Unpaid are people of a department who have asked for something, and of whom a
// snapshot names no cost centre.
type Unpaid struct {
	Department string `column:",null"`
	People     int64  `column:",null"`
}

// SnapshotStates looks at the newest snapshot of each source, by other names of
// people, such as references have for Askers.
func SnapshotStates(ctx context.Context, books *records.Records, aliases []records.Alias) (states []SnapshotState, err error) {
	if err := books.PutAliases(ctx, aliases); err != nil {
		return nil, err
	}
	err = warehouse.Each(ctx, books, warehouse.Select{Name: "check snapshots of people", Text: snapshotStatesText}, func(r struct {
		SnapshotState
		Unpaid
	}) error {
		if last := len(states) - 1; last < 0 || states[last].Source != r.Source {
			states = append(states, r.SnapshotState)
		}
		if s := &states[len(states)-1]; r.People > 0 {
			s.Unpaid = append(s.Unpaid, r.Unpaid)
		}
		return nil
	})
	return states, err
}

// PeopleCenter is a department and cost centre in a people file; Line is the
// first line that has them.
type PeopleCenter struct {
	CostCenter, Department string
	Source                 string
	Key                    string `column:"object_key"`
	Line                   int64
	Snapshot               bool `column:"is_snapshot"` // the newest of its source
}

// PeopleCenters lists the departments and cost centres that people belong to, by
// dated rows and by the newest snapshot of each source.
func PeopleCenters(ctx context.Context, books *records.Records) ([]PeopleCenter, error) {
	return warehouse.All[PeopleCenter](ctx, books, warehouse.Select{Name: "read people's cost centres", Text: peopleCentersText})
}
