package manifest

import (
	"context"
	"fmt"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// tuple is a row of a dimension: its id, and the texts of its columns, "" for null.
type tuple struct {
	ID    int64
	TextA string `column:",null"`
	TextB string `column:",null"`
	TextC string `column:",null"`
	TextD string `column:",null"`
	TextE string `column:",null"`
	TextF string `column:",null"`
	TextG string `column:",null"`
	TextH string `column:",null"`
}

// textsMost is how many columns a dimension has beside its id, at the most.
const textsMost = 8

func (t tuple) texts() []string {
	return []string{t.TextA, t.TextB, t.TextC, t.TextD, t.TextE, t.TextF, t.TextG, t.TextH}
}

// Numbers hand out ids for dimensions, beginning with those that the ledger has; nil
// where other processes may add to it at the same time, and ids are hashes on which
// all agree.
func (m *Manifest) Numbers(ctx context.Context) (*record.Numbers, error) {
	if e, is := m.w.(warehouse.Exclusive); m.numbers != nil || !is || !e.Exclusive() {
		return m.numbers, nil
	}
	numbers := record.NewNumbers()
	for _, s := range record.DimensionSchemas {
		names := warehouse.ColumnNames(s.Columns[:1]) + " as id"
		for i := range textsMost {
			name := "cast(null as string)"
			if i+1 < len(s.Columns) {
				name = s.Columns[i+1].Name
			}
			names += fmt.Sprintf(", %s as text_%c", name, 'a'+i)
		}
		// Of two ids of one tuple the smaller one counts: a number before a hash.
		text := "select " + names + " from {" + s.Table + "} order by id desc"
		err := warehouse.Each(ctx, m.w, warehouse.Select{Name: "read " + s.Table, Text: text}, func(r tuple) error {
			numbers.Know(s, r.ID, r.texts()[:len(s.Columns)-1]...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	m.numbers = numbers
	return numbers, nil
}
