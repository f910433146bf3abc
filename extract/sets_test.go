package extract_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/store"
)

// Goal: of each billing month exactly the objects that its newest manifest lists
// are taken, and none while it is being written.
// Method: exports in the layouts of AWS's two ways to deliver, with times in
// seconds behind @ (1 where there is none).
func TestListSets(t *testing.T) {
	manifest := func(keys ...string) string {
		var names []string
		for _, k := range keys {
			names = append(names, fmt.Sprintf("%q", "s3://example-billing/exports/"+k))
		}
		return `{"executionId":"e","dataFiles":[` + strings.Join(names, ",") + `]}`
	}
	const october, november = "ai/data/BILLING_PERIOD=2026-10/", "ai/data/BILLING_PERIOD=2026-11/"
	const about = "ai/metadata/BILLING_PERIOD=2026-10/"
	tests := []struct {
		name    string
		objects map[string]string // key@time to text
		want    []string
		skipped map[string]int
		faults  int
		stands  map[string]extract.Standing // of keys that aren't listed
	}{
		{"overwritten reports", map[string]string{october + "ai-1.csv.gz": "", october + "ai-2.csv.gz": "", about + "ai-Manifest.json": manifest(october+"ai-1.csv.gz", october+"ai-2.csv.gz")},
			[]string{october + "ai-1.csv.gz", october + "ai-2.csv.gz"}, map[string]int{"export manifest": 1}, 0,
			map[string]extract.Standing{october + "ai-3.csv.gz": extract.Superseded, november + "ai-1.csv.gz": extract.Gone, "loose.csv": extract.Gone}},
		{"a month without a manifest", map[string]string{october + "ai-1.csv.gz": "", november + "ai-1.csv.gz": "", about + "ai-Manifest.json": manifest(october + "ai-1.csv.gz")},
			[]string{october + "ai-1.csv.gz"}, map[string]int{"export manifest": 1, "month without a manifest yet": 1}, 0,
			map[string]extract.Standing{november + "ai-0.csv.gz": extract.Unsettled}},
		{"a delivery that is being written over the one before", map[string]string{october + "ai-1.csv.gz@5": "", october + "ai-2.csv.gz": "", about + "ai-Manifest.json@4": manifest(october+"ai-1.csv.gz", october+"ai-2.csv.gz")},
			nil, map[string]int{"export manifest": 1, "month that is being written": 2}, 0,
			map[string]extract.Standing{october + "ai-9.csv.gz": extract.Unsettled}},
		{"in the same second", map[string]string{october + "ai-1.csv.gz@5": "", about + "ai-Manifest.json@5": manifest(october + "ai-1.csv.gz")},
			[]string{october + "ai-1.csv.gz"}, map[string]int{"export manifest": 1}, 0, nil},
		{"a listed file that isn't there", map[string]string{october + "ai-1.csv.gz": "", about + "ai-Manifest.json": manifest(october+"ai-1.csv.gz", october+"ai-2.csv.gz")},
			nil, map[string]int{"export manifest": 1, "month that is being written": 1}, 0, nil},
		{"new reports beside old ones", map[string]string{
			october + "20261101T000000Z-e1/ai-1.snappy.parquet": "", about + "20261101T000000Z-e1/ai-Manifest.json@2": manifest(october + "20261101T000000Z-e1/ai-1.snappy.parquet"),
			october + "20261102T000000Z-e2/ai-1.snappy.parquet@3": "", about + "20261102T000000Z-e2/ai-Manifest.json@4": manifest(october + "20261102T000000Z-e2/ai-1.snappy.parquet"),
		}, []string{october + "20261102T000000Z-e2/ai-1.snappy.parquet"}, map[string]int{"export manifest": 2, "not in the month's manifest": 1}, 0,
			map[string]extract.Standing{october + "20261101T000000Z-e1/ai-1.snappy.parquet": extract.Superseded}},
		{"new reports of which the last isn't whole", map[string]string{
			october + "e1/ai-1.csv": "", about + "e1/ai-Manifest.json@2": manifest(october + "e1/ai-1.csv"), october + "e2/ai-1.csv@3": "",
		}, []string{october + "e1/ai-1.csv"}, map[string]int{"export manifest": 1, "not in the month's manifest": 1}, 0, nil},
		{"an empty month", map[string]string{about + "ai-Manifest.json": manifest()}, nil, map[string]int{"export manifest": 1}, 0,
			map[string]extract.Standing{october + "ai-1.csv": extract.Superseded}},
		{"a manifest that is none", map[string]string{october + "ai-1.csv": "", about + "ai-Manifest.json": "soon"}, nil,
			map[string]int{"export manifest": 1, "month whose manifest can't be read": 1}, 1, map[string]extract.Standing{october + "ai-0.csv": extract.Unsettled}},
		{"a manifest of something else", map[string]string{october + "ai-1.csv": "", about + "ai-Manifest.json": "{}"}, nil,
			map[string]int{"export manifest": 1, "month whose manifest can't be read": 1}, 1, nil},
		{"two exports below one prefix", map[string]string{
			"a/data/BILLING_PERIOD=2026-10/x.csv": "", "a/metadata/BILLING_PERIOD=2026-10/a-Manifest.json": manifest("a/data/BILLING_PERIOD=2026-10/x.csv"),
			"b/data/BILLING_PERIOD=2026-10/x.csv": "",
		}, []string{"a/data/BILLING_PERIOD=2026-10/x.csv"}, map[string]int{"export manifest": 1, "month without a manifest yet": 1}, 0, nil},
		{"other files", map[string]string{"create-table.sql": "", "ai/metadata/BILLING_PERIOD=2026-10/note.txt": "", "ai/data/_SUCCESS": ""}, nil,
			map[string]int{"outside the folders of an export": 1, "about the export": 1, "job marker": 1}, 0, nil},
		{"lower case", map[string]string{"data/billing_period=2026-10/x.csv": "", "metadata/billing_period=2026-10/x-Manifest.json": manifest("data/billing_period=2026-10/x.csv")},
			[]string{"data/billing_period=2026-10/x.csv"}, map[string]int{"export manifest": 1}, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &memory{objects: map[string][]byte{}, modified: map[string]int64{}}
			for name, text := range tt.objects {
				key, at, timed := strings.Cut(name, "@")
				m.objects[key] = []byte(text)
				if timed {
					m.modified[key] = int64(at[0] - '0')
				}
			}
			s := extract.Source{Name: "bill", Format: decode.NewCUR(), Store: m, RecordBytes: 1 << 16}
			day := time.Date(2026, time.November, 2, 0, 0, 0, 0, time.UTC)
			l, err := s.List(t.Context(), store.DayRange{First: day, Last: day}, store.Names{})
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, o := range l.Objects {
				keys = append(keys, o.Key)
			}
			if diff := cmp.Diff(tt.want, keys); diff != "" {
				t.Errorf("objects (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.skipped, l.Skipped); diff != "" {
				t.Errorf("skipped (-want +got)\n%s", diff)
			}
			if len(l.Faults) != tt.faults {
				t.Errorf("faults %v, want %d", l.Faults, tt.faults)
			}
			for key, want := range tt.stands {
				if got := l.Standing(key); got != want {
					t.Errorf("%s stands as %d, want %d", key, got, want)
				}
			}
		})
	}
}

// Goal: all of a month is taken in by one worker.
func TestUnit(t *testing.T) {
	bill := extract.Source{Format: decode.NewFOCUS()}
	for key, want := range map[string]string{
		"x/data/BILLING_PERIOD=2026-10/a.csv":               "x/BILLING_PERIOD=2026-10",
		"x/data/BILLING_PERIOD=2026-10/run-1/a.csv":         "x/BILLING_PERIOD=2026-10",
		"x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json": "x/BILLING_PERIOD=2026-10",
		"a.csv": "a.csv",
	} {
		if got := bill.Unit(key); got != want {
			t.Errorf("%s is of %s, want %s", key, got, want)
		}
	}
	if got := (extract.Source{Format: decode.NewOpenAICosts()}).Unit("data/BILLING_PERIOD=2026-10/a.json"); got != "data/BILLING_PERIOD=2026-10/a.json" {
		t.Errorf("an object that counts alone is of %s", got)
	}
}
