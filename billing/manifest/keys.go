package manifest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/meta"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// keysMark is the fact that every staged row has the keys of its ids.
const keysMark = "id_keys"

// HasKeys says whether every staged row has the keys of its ids. Rows of before there
// were any have texts alone.
func HasKeys(ctx context.Context, q warehouse.Querier) (bool, error) {
	mark, err := meta.Get(ctx, q, keysMark)
	return mark != "", err
}

// FillKeys gives staged rows of before there were keys those of their ids, month by
// month, and returns what marks the ledger as whole; nothing where it is. Where it is
// cut off it begins again.
func FillKeys(ctx context.Context, w warehouse.Warehouse) ([]warehouse.Change, error) {
	whole, err := HasKeys(ctx, w)
	if err != nil || whole {
		return nil, err
	}
	for _, t := range []warehouse.Table{UsageTable, RequestsTable} {
		if err := fillTable(ctx, w, t); err != nil {
			return nil, fmt.Errorf("keys of %s: %w", t.Name, err)
		}
	}
	return meta.Set(keysMark, "whole"), nil
}

// fillTable fills in the keys of one table. Texts stay as they are: that a key tells
// its id is no reason to write rows again.
func fillTable(ctx context.Context, w warehouse.Warehouse, t warehouse.Table) error {
	set := args{}
	var lacks []string
	for i, c := range t.Columns {
		if c.Type == record.ID {
			text := t.Columns[i+1].Name
			set[c.Name] = warehouse.Expression("coalesce(" + c.Name + ", {id_key(" + text + ")})")
			lacks = append(lacks, "("+c.Name+" is null and "+text+" is not null)")
		}
	}
	without := strings.Join(lacks, " or ")
	days, err := warehouse.All[civil.Date](ctx, w, warehouse.Select{
		Name: "days of rows without keys", Args: args{"since": civil.Min},
		Text: "select distinct " + t.Partition + " as day from {" + t.Name + "} where " + t.Partition + " >= {@since} and (" + without + ") order by day",
	})
	if err != nil {
		return err
	}
	for len(days) > 0 {
		end := slices.IndexFunc(days, func(d civil.Date) bool { return d.Month() != days[0].Month() })
		if end < 0 {
			end = len(days)
		}
		err := w.Apply(ctx, warehouse.Update{
			Table: t.Name, Set: set, Where: t.Partition + " between {@first} and {@last} and (" + without + ")", Args: args{"first": days[0], "last": days[end-1]},
		})
		if err != nil {
			return fmt.Errorf("of %s: %w", days[0].Month(), err)
		}
		days = days[end:]
	}
	return nil
}
