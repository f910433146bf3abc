package ledger_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"chargeback/billing/ledger"
)

// layouts are the tables and columns of each version of the layout, as hashes, from
// version 3 on.
var layouts = map[int]string{
	3: "014d0f363d79e535",
	4: "ccb6feb3e199f7c4",
}

// Goal: no table changes without a new version of the layout, by which ledgers in BigQuery
// know that they are to be brought up to date.
func TestLayoutHasItsVersion(t *testing.T) {
	layout := ledger.Layout()
	sum := sha256.New()
	for _, table := range layout.Tables {
		fmt.Fprintln(sum, table.Name, table.Partition, table.Cluster)
		for _, c := range table.Columns {
			fmt.Fprintln(sum, c.Name, c.Type, c.Nullable)
		}
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)[:8]); layouts[layout.Version] != got {
		t.Errorf("tables of layout %d have hash %s, want %s; where a table changed on purpose raise layoutVersion, and note the hash here", layout.Version, got, layouts[layout.Version])
	}
}
