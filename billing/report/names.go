package report

import (
	"context"
	"crypto/sha256"
	_ "embed" // texts of selects
	"encoding/hex"
	"fmt"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

var (
	//go:embed names_shown.sql
	namesShownText string
	//go:embed names_hash.sql
	namesHashText string
	//go:embed people_hash.sql
	peopleHashText string
)

// namesShown is what selects read as names_shown.
var namesShown = map[string]string{"names_shown": namesShownText}

// PersonNames are other names under which a source showed a person, from a
// snapshot's day until a later snapshot of the source that shows others or
// doesn't show the person. Of what the names are, record.EachName tells.
type PersonNames struct {
	Source, Email, Names string
	From                 civil.Date `column:"valid_from"` // as far back as the export dates the person
	Since                civil.Date `column:"shown_from"`
	To                   civil.Date `column:"valid_to"` // exclusive
}

// PeopleNames calls do with all other names of people, by source and address.
func PeopleNames(ctx context.Context, books *records.Records, do func(PersonNames)) error {
	return warehouse.Each(ctx, books, warehouse.Select{
		Name: "read people's names", Views: namesShown,
		Text: "select source, email, names, valid_from, shown_from, valid_to from {names_shown} order by source, email, shown_from, names",
	}, func(n PersonNames) error {
		do(n)
		return nil
	})
}

// PeopleAddresses calls do with each address that people files have a row of,
// and the days on which they do.
func PeopleAddresses(ctx context.Context, books *records.Records, do func(email string, from, to civil.Date)) error {
	return warehouse.Each(ctx, books, warehouse.Select{
		Name: "read people's addresses", Views: books.Views("people_said"),
		Text: "select distinct email, valid_from, valid_to from {people_said} order by email, valid_from, valid_to",
	}, func(r struct {
		Email              string
		ValidFrom, ValidTo civil.Date
	}) error {
		do(r.Email, r.ValidFrom, r.ValidTo)
		return nil
	})
}

// Askers are all names under which somebody has ever asked for something.
func Askers(ctx context.Context, books *records.Records) ([]string, error) {
	return warehouse.All[string](ctx, books, warehouse.Select{
		Name: "read who asked", Text: "select distinct coalesce(user_email, user_id) as name from {actors} where coalesce(user_email, user_id) is not null order by name",
	})
}

// Asked lists those of some names, in small letters, under which somebody has ever
// asked for something.
func Asked(ctx context.Context, books *records.Records, names []string) (map[string]bool, error) {
	wanted, asked := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	err := warehouse.Each(ctx, books, warehouse.Select{
		Name: "read who asked", Text: "select distinct lower(coalesce(user_email, user_id)) as name from {actors} where coalesce(user_email, user_id) is not null",
	}, func(name string) error {
		if wanted[name] {
			asked[name] = true
		}
		return nil
	})
	return asked, err
}

// PeopleHash is the SHA-256, in hex, of what people files say of the days up
// to last, whatever files said it and in which order.
func PeopleHash(ctx context.Context, books *records.Records, last civil.Date) (string, error) {
	end := civil.Max
	if last.Before(end) {
		end = last.AddDays(1)
	}
	sum := sha256.New()
	for _, s := range []warehouse.Select{
		{Name: "hash people", Text: peopleHashText, Views: books.Views("people_said")},
		{Name: "hash people's names", Text: namesHashText, Views: namesShown},
	} {
		s.Args = records.Args{"after": end}
		err := warehouse.Each(ctx, books, s, func(person string) error {
			_, err := fmt.Fprintf(sum, "%s\n", person)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
