package jobs_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/warehouse"
)

// state is everything that must not depend on how often, in which order or how
// undisturbed windows were run: lines of text under the name of what they list.
type state map[string][]string

// tables are the selects whose rows make up a state. What tells one run from
// another is left out: attempts, times, the versions of objects, and that prices were
// edited.
var tables = map[string]string{
	"records": `
select usage_date, billing_month, ifnull(adjusts_month, '-'), record_id, correction, ifnull(agent_request_id, '-'), ifnull(provider_request_id, '-'),
  cost_center, ifnull(agent_id, '-'), match, ifnull(match_rung, '-'), pricing, attribution, total_cost_usd
from {cost_records} order by all`,
	"objects":  `select source, object_key, state, rows_staged, rows_rejected, rows_before_start, error from {objects} where state <> 'replaced' order by all`,
	"rejects":  `select o.source, o.object_key, r.line, r.reason from {rejects} as r inner join {objects} as o on o.object_id = r.object_id where o.state <> 'replaced' order by all`,
	"repeats":  `select r.kind, o.object_key, r.line, r.usage_date, r.verdict from {repeats} as r inner join {objects} as o on o.object_id = r.object_id order by all`,
	"staged":   `select 'usage', count(*) from {usage} union all select 'requests', count(*) from {requests} union all select 'people', count(*) from {people} order by all`,
	"dirty":    `select distinct day from {dirty_days} order by all`,
	"alerts":   `select alert_key, message_id from {alerts} order by all`,
	"outbox":   `select sequence, message_id, channel, state, reference, reason, payload from {outbox} order by all`,
	"months":   `select month, state, content_hash from {months} order by all`,
	"invoices": `select number, month, cost_center, total_cents, content_hash, document from {invoices} order by all`,
	"meta":     `select name, value from {meta} where name <> 'edits of the rate book' and name not like 'first night of %' order by all`,
	"known":    `select 'meters', count(*) from {meters} union all select 'actors', count(*) from {actors} union all select 'tasks', count(*) from {tasks} union all select 'callers', count(*) from {callers} order by all`,
}

func (b *books) state(t testing.TB) state {
	t.Helper()
	s := state{"hash": {b.hash(t)}}
	for name, text := range tables {
		s[name] = []string{}
		err := b.engine.Query(t.Context(), warehouse.Select{Text: text}, func(r warehouse.Row) error {
			s[name] = append(s[name], fmt.Sprintln(r.Values...))
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	arrived, err := b.sent.arrived()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(arrived) // one that could not be sent does not hold up the others
	s["arrived"] = arrived
	s["files"] = filesOf(t, b.Month.Dir)
	return s
}

// only keeps some parts of a state.
func (s state) only(names ...string) state {
	kept := state{}
	for _, name := range names {
		kept[name] = s[name]
	}
	return kept
}

// filesOf lists the files below a folder with a hash of their bytes.
func filesOf(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && entry.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files = append(files, fmt.Sprintf("%s %x", filepath.ToSlash(name), sha256.Sum256(content)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// same fails the test where two states differ.
func same(t testing.TB, want, got state) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
}

// lines reads rows as text.
func (b *books) lines(t testing.TB, text string) (found []string) {
	t.Helper()
	err := b.engine.Query(t.Context(), warehouse.Select{Text: text}, func(r warehouse.Row) error {
		found = append(found, fmt.Sprintln(r.Values...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
