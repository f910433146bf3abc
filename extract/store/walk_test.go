package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/extract/store"
)

func date(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return day
}

func days(first, last string, lastHours int) store.DayRange {
	return store.DayRange{First: date(first), Last: date(last), LastHours: lastHours}
}

// walk gives what Walk finds as sorted lines "key day hour".
func walk(t interface {
	Helper()
	Fatal(...any)
}, bucket store.Store, days store.DayRange) (lines []string) {
	t.Helper()
	err := store.Walk(context.Background(), bucket, days, func(f store.Found) error {
		lines = append(lines, fmt.Sprintf("%s %s %d", f.Key, f.Day, f.Hour))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// naiveDay is the rule of DayOf, written as its comment words it: the first
// folders, from the top, that are a date, wherever three of them stand.
func naiveDay(key string) (day string, hour int) {
	parts := strings.Split(key, "/")
	folders, file := parts[:len(parts)-1], parts[len(parts)-1]
	for i := range min(len(folders), store.DateDepthMax) {
		for _, form := range [][]string{{"2006-01-02"}, {"2006", "01", "02"}, {"year=2006", "month=01", "day=02"}} {
			end := i + len(form)
			if end > len(folders) {
				continue
			}
			at, err := time.Parse(strings.Join(form, "/"), strings.Join(folders[i:end], "/"))
			if err != nil || at.Year() < 2000 || at.Year() > 2099 {
				continue
			}
			return at.Format(time.DateOnly), naiveHour(folders[end:], file)
		}
	}
	return "", store.HourUnknown
}

func naiveHour(below []string, file string) int {
	for hour := range 24 {
		two := fmt.Sprintf("%02d", hour)
		if len(below) > 0 && (below[0] == two || below[0] == "hour="+two) {
			return hour
		}
	}
	for hour := range 24 {
		if strings.HasPrefix(file, fmt.Sprintf("time-%02d-", hour)) {
			return hour
		}
	}
	return store.HourUnknown
}

func naiveWalk(keys map[string]bool, r store.DayRange) (lines []string) {
	for key := range keys {
		day, hour := naiveDay(key)
		if day != "" {
			at := date(day)
			late := at.Equal(r.Last) && r.LastHours > 0 && hour >= r.LastHours
			if at.Before(r.First) || at.After(r.Last) || late {
				continue
			}
		}
		lines = append(lines, fmt.Sprintf("%s %s %d", key, day, hour))
	}
	slices.Sort(lines)
	return lines
}

// TestWalkEqualsAFilter grows random trees out of names that are, nearly are
// and are not parts of dates: Walk yields what a filter over all keys leaves.
func TestWalkEqualsAFilter(t *testing.T) {
	folder := rapid.OneOf(
		rapid.SampledFrom([]string{"2026", "2026", "10", "10", "11", "31", "30", "01", "02", "2026-10-31", "2026-11-01", "2026-10-30", "year=2026", "month=10", "month=11", "day=31", "day=01", "day=30"}),
		rapid.SampledFrom([]string{"hour=00", "hour=05", "hour=24", "05", "00", "23", "24", "2025", "1999", "2100", "0420", "2026-02-30", "02-31", "month=13", "day=1", "team-a", "AWSLogs", "time-05-00", "", "data", "10 ", "٣١"}),
	)
	dated := rapid.SampledFrom([]string{"2026/10/31", "2026/11/01", "2026-10-31", "2026-11-01", "year=2026/month=11/day=01", "2026/10/30/23", "2026-11-01/05", "year=2026/month=11/day=01/hour=02"})
	file := rapid.SampledFrom([]string{"a.json", "b.json.gz", "time-05-01-02-000003_x.json", "time-00-00-00-000000_y.json", "time-24-00-00_z.json", "time-1-x", "2026-10-31", "05"})
	key := rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(folder, 0, 10).Draw(t, "folders")
		if rapid.Bool().Draw(t, "with a date") {
			at := rapid.IntRange(0, len(parts)).Draw(t, "where")
			parts = slices.Insert(parts, at, dated.Draw(t, "date"))
		}
		return strings.Join(append(parts, file.Draw(t, "file")), "/")
	})
	day := rapid.SampledFrom([]string{"2026-10-29", "2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02"})
	rapid.Check(t, func(t *rapid.T) {
		bucket := memoryOf(rapid.SliceOfN(key, 0, 60).Draw(t, "keys")...)
		r := days(day.Draw(t, "first"), day.Draw(t, "last"), rapid.IntRange(0, 24).Draw(t, "hours"))
		if diff := cmp.Diff(naiveWalk(bucket.keys, r), walk(t, bucket, r)); diff != "" {
			t.Fatalf("Walk (-filter +walk):\n%s", diff)
		}
	})
}

// ranged is a memory that lists ranges alone, as they were asked for.
type ranged struct{ *memory }

func (r ranged) LevelOf(ctx context.Context, prefix string, names store.Names) (objects []store.Object, folders []string, err error) {
	all, below, err := r.Level(ctx, prefix)
	for _, o := range all {
		if names.Has(strings.TrimPrefix(o.Key, prefix)) {
			objects = append(objects, o)
		}
	}
	for _, f := range below {
		if holds := func(key string) bool {
			return strings.HasPrefix(key, f) && names.Has(strings.TrimPrefix(key, prefix))
		}; slices.ContainsFunc(slices.Collect(maps.Keys(r.keys)), holds) {
			folders = append(folders, f)
		}
	}
	return objects, folders, err
}

func (r ranged) AllOf(ctx context.Context, prefix string, names store.Names, yield func(store.Object) error) error {
	return r.All(ctx, prefix, func(o store.Object) error {
		if !names.Has(strings.TrimPrefix(o.Key, prefix)) {
			return nil
		}
		return yield(o)
	})
}

// Goal: workers that list a range each miss nothing and list nothing twice, however
// their ranges are cut, by a store that lists ranges as by one that doesn't.
// Method: random trees and random cuts, some of them names of the tree; what is listed
// range by range, of days alone, is what is listed whole, and lies in its range.
func TestRangesJoinedAreAll(t *testing.T) {
	name := rapid.SampledFrom([]string{"05", "06", "23", "hour=05", "a", "b", "time-05-01-02_x.json", "time-06-01-02_y.json", "a.json", "é", "x/y", "x/z"})
	key := rapid.Custom(func(t *rapid.T) string {
		before := rapid.SampledFrom([]string{"", "a/", "b/c/"}).Draw(t, "before")
		day := rapid.SampledFrom([]string{"2026/10/31/", "2026-10-31/", "2026/11/01/", "year=2026/month=10/day=31/", ""}).Draw(t, "day")
		return before + day + strings.Join(rapid.SliceOfN(name, 1, 3).Draw(t, "name"), "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(key, 1, 60).Draw(t, "keys")
		cuts := rapid.SliceOfN(rapid.OneOf(name, rapid.Map(rapid.SampledFrom(keys), func(key string) string {
			_, rest := store.SplitDay(key)
			return rest
		}), rapid.StringMatching("[a-z0-9/]{0,3}")), 0, 5).Draw(t, "cuts")
		slices.Sort(cuts)
		cuts = slices.Compact(slices.DeleteFunc(cuts, func(cut string) bool { return cut == "" }))
		r := days("2026-10-31", "2026-11-01", rapid.IntRange(0, 24).Draw(t, "hours"))
		var bucket store.Store = memoryOf(keys...)
		if rapid.Bool().Draw(t, "by ranges") {
			bucket = ranged{memoryOf(keys...)}
		}
		var joined []string
		after := ""
		for _, upto := range append(cuts, "") {
			names := store.Names{After: after, Upto: upto}
			folders, err := store.WalkNames(t.Context(), bucket, r, names, func(f store.Found) error {
				folder, name := store.SplitDay(f.Key)
				if f.Day == "" {
					return nil
				}
				if !names.Has(name) || folder+name != f.Key {
					t.Fatalf("%q lies not in %+v", f.Key, names)
				}
				joined = append(joined, fmt.Sprintf("%s %s %d", f.Key, f.Day, f.Hour))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range joined {
				if folder, _ := store.SplitDay(strings.Fields(line)[0]); !slices.Contains(folders, folder) {
					t.Fatalf("folder %q of %s is not told among %q", folder, line, folders)
				}
			}
			after = upto
		}
		slices.Sort(joined)
		want := slices.DeleteFunc(walk(t, bucket, r), func(line string) bool { return strings.Fields(line)[1] == "-1" })
		if !slices.Equal(want, joined) {
			t.Fatalf("ranges cut at %q (-whole +joined):\n%s", cuts, cmp.Diff(want, joined))
		}
	})
}

// Goal: names that hold the day of their folder are cut alike on each day.
// Method: a bound by names of one day, with and without dashes, on folders of another.
func TestNamesOfEachDay(t *testing.T) {
	names := store.Names{After: store.MarkDay("05/20261027T05_b.json", "2026-10-27"), Upto: store.MarkDay("x-2026-10-27-m", "2026-10-27")}
	bucket := memoryOf("2026/10/31/05/20261031T05_a.json", "2026/10/31/05/20261031T05_c.json", "2026/10/31/23/20261031T05_a.json", "2026/10/31/x-2026-10-31-l", "2026/10/31/x-2026-10-31-n")
	for _, s := range []store.Store{bucket, ranged{bucket}} {
		var found []string
		_, err := store.WalkNames(t.Context(), s, days("2026-10-31", "2026-10-31", 0), names, func(f store.Found) error {
			found = append(found, f.Key)
			return nil
		})
		slices.Sort(found)
		if want := []string{"2026/10/31/05/20261031T05_c.json", "2026/10/31/23/20261031T05_a.json", "2026/10/31/x-2026-10-31-l"}; err != nil || !slices.Equal(want, found) {
			t.Errorf("found %q, %v", found, err)
		}
	}
}

func FuzzDayOf(f *testing.F) {
	for _, key := range []string{"", "/", "a.json", "2026-10-31/time-05-06-07-000008_id.json", "x/AWSLogs/1/B/r/2026/10/31/23/a.json.gz", "year=2026/month=10/day=31/hour=05/minute=06/t.json", "2026/2026/10/2026-10-31/24/x", "a/b/c/d/e/f/g/2026/10/31/x", "a/b/c/d/e/f/g/h/2026-10-31/x"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		day, hour := store.DayOf(key)
		wantDay, wantHour := naiveDay(key)
		if day != wantDay || hour != wantHour {
			t.Errorf("DayOf(%q) = %q %d, want %q %d", key, day, hour, wantDay, wantHour)
		}
	})
}

func TestDayOf(t *testing.T) {
	const bedrock = "us-east-1/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/2026/10/31/23/20261031T235851056Z_9b86bf4994c4ab1c.json.gz"
	tests := []struct {
		name, key, day string
		hour           int
	}{
		{"Bedrock", bedrock, "2026-10-31", 23},
		{"Bedrock below two more folders", "exports/prod/" + bedrock, "2026-10-31", 23},
		{"Bedrock body", strings.Replace(bedrock, "/20261031T", "/data/20261031T", 1), "2026-10-31", 23},
		{"LiteLLM", "2026-10-31/time-07-08-09-123456_chatcmpl-1.json", "2026-10-31", 7},
		{"LiteLLM with team and key", "team-12/batch-key/2026-10-31/time-00-08-09-123456_x.json", "2026-10-31", 0},
		{"collector", "otel/year=2026/month=10/day=31/hour=05/minute=59/traces_1.json", "2026-10-31", 5},
		{"plain day folder", "2026-10-31/usage.json", "2026-10-31", -1},
		{"hour 24", "2026-10-31/24/usage.json", "2026-10-31", -1},
		{"hour one folder too deep", "2026-10-31/x/05/usage.json", "2026-10-31", -1},
		{"the folder's hour before the file's", "2026-10-31/05/time-06-00-00_x.json", "2026-10-31", 5},
		{"file in the top folder", "people.csv", "", -1},
		{"a date in a file name is none", "logs/2026-10-31", "", -1},
		{"day that does not exist", "2026-02-30/a.json", "", -1},
		{"month 13", "2026/13/01/a.json", "", -1},
		{"leap day", "2028/02/29/a.json", "2028-02-29", -1},
		{"year without a day", "2026/10/a.json", "", -1},
		{"year interrupted", "2026/reports/10/31/a.json", "", -1},
		{"date after an interrupted one", "2026/10/2026-11-01/a.json", "2026-11-01", -1},
		{"year twice", "2026/2026/10/31/a.json", "2026-10-31", -1},
		{"two days: the first", "2026-10-31/2026-11-01/a.json", "2026-10-31", -1},
		{"cost centre of four digits", "0420/10/31/a.json", "", -1},
		{"hive and plain mixed", "year=2026/10/31/a.json", "", -1},
		{"date that begins at depth 8", "1/2/3/4/5/6/7/2026/10/31/a.json", "2026-10-31", -1},
		{"date that begins at depth 9", "1/2/3/4/5/6/7/8/2026-10-31/a.json", "", -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			day, hour := store.DayOf(test.key)
			if day != test.day || hour != test.hour {
				t.Errorf("DayOf(%q) = %q, %d, want %q, %d", test.key, day, hour, test.day, test.hour)
			}
		})
	}
}

// TestWalkLists records which folders are listed at all, and how.
func TestWalkLists(t *testing.T) {
	bucket := memoryOf(
		"readme.txt",
		"acct/2026/10/30/05/a.json", "acct/2026/10/31/05/a.json", "acct/2026/11/01/00/a.json", "acct/2026/11/01/02/b.json", "acct/2026/11/01/other/c.json",
		"team/2026-10-30/time-05-x.json", "team/2026-10-31/time-05-x.json", "team/2026-11-01/time-01-x.json", "team/2026-11-01/time-02-x.json",
		"1/2/3/4/5/6/7/8/9/10.json",
	)
	calls := make(chan string, 100)
	bucket.calls = func(call string) error {
		calls <- call
		return nil
	}
	got := walk(t, bucket, days("2026-10-31", "2026-11-01", 2))
	want := []string{
		"1/2/3/4/5/6/7/8/9/10.json  -1",
		"acct/2026/10/31/05/a.json 2026-10-31 5",
		"acct/2026/11/01/00/a.json 2026-11-01 0",
		"acct/2026/11/01/other/c.json 2026-11-01 -1",
		"readme.txt  -1",
		"team/2026-10-31/time-05-x.json 2026-10-31 5",
		"team/2026-11-01/time-01-x.json 2026-11-01 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	close(calls)
	var listed []string
	for call := range calls {
		listed = append(listed, call)
	}
	slices.Sort(listed)
	wantListed := []string{
		"All 1/2/3/4/5/6/7/8/", "All acct/2026/10/31/", "All acct/2026/11/01/00/", "All acct/2026/11/01/other/", "All team/2026-10-31/",
		"Level ", "Level 1/", "Level 1/2/", "Level 1/2/3/", "Level 1/2/3/4/", "Level 1/2/3/4/5/", "Level 1/2/3/4/5/6/", "Level 1/2/3/4/5/6/7/",
		"Level acct/", "Level acct/2026/", "Level acct/2026/10/", "Level acct/2026/11/", "Level acct/2026/11/01/", "Level team/", "Level team/2026-11-01/",
	}
	if diff := cmp.Diff(wantListed, listed); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
}

// TestWalkListsSideBySide holds every listing until all goroutines wait: then
// as many are under way as may be, and no more.
func TestWalkListsSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys []string
		for i := range 40 {
			keys = append(keys, fmt.Sprintf("account-%02d/2026-10-31/a.json", i))
		}
		bucket := memoryOf(keys...)
		var busy, most atomic.Int64
		var hold chan struct{}
		bucket.calls = func(call string) error {
			if call == "Level " {
				return nil
			}
			most.Store(max(most.Load(), busy.Add(1)))
			<-hold
			busy.Add(-1)
			return nil
		}
		hold = make(chan struct{})
		done := make(chan []string)
		go func() { done <- walk(t, bucket, days("2026-10-31", "2026-10-31", 0)) }()
		synctest.Wait()
		if busy.Load() != 16 {
			t.Errorf("%d listings under way, want 16", busy.Load())
		}
		close(hold)
		if got := <-done; len(got) != len(keys) {
			t.Errorf("%d objects found, want %d", len(got), len(keys))
		}
		if most.Load() > 16 {
			t.Errorf("%d listings at once, want at most 16", most.Load())
		}
	})
}

// TestWalkEnds gives Walk a reason to stop early; goleak sees what stays.
func TestWalkEnds(t *testing.T) {
	broken := errors.New("broken")
	var keys []string
	for i := range 2000 {
		keys = append(keys, fmt.Sprintf("account-%02d/2026-10-31/%d.json", i%40, i))
	}
	cancelled, stop := context.WithCancel(t.Context())
	defer stop()
	tests := []struct {
		name  string
		ctx   context.Context
		days  store.DayRange
		calls func(string) error
		yield func(store.Found) error
		want  error
		text  string
	}{
		{name: "yield fails", yield: func(store.Found) error { return broken }, want: broken},
		{name: "listing the top fails", calls: func(string) error { return broken }, want: broken},
		{name: "listing a day fails", calls: func(call string) error {
			if call == "All account-17/2026-10-31/" {
				return broken
			}
			return nil
		}, want: broken},
		{name: "cancelled by yield", ctx: cancelled, yield: func(store.Found) error {
			stop()
			return nil
		}, want: context.Canceled},
		{name: "25 hours", days: days("2026-10-31", "2026-10-31", 25), text: "day range: 25 hours of the last day; take 1 to 24, or 0 for all"},
		{name: "-1 hours", days: days("2026-10-31", "2026-10-31", -1), text: "day range: -1 hours"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bucket := memoryOf(keys...)
			bucket.calls = test.calls
			if test.ctx == nil {
				test.ctx = t.Context()
			}
			if test.days == (store.DayRange{}) {
				test.days = days("2026-10-31", "2026-10-31", 0)
			}
			if test.yield == nil {
				test.yield = func(store.Found) error { return nil }
			}
			err := store.Walk(test.ctx, bucket, test.days, test.yield)
			if test.want != nil && err != test.want {
				t.Errorf("error %v, want %v as it is", err, test.want)
			}
			if err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v, want %q", err, test.text)
			}
		})
	}
}

// strange is a driver that names a folder that is not the next one down.
type strange struct{ *memory }

func (strange) Level(context.Context, string) ([]store.Object, []string, error) {
	return nil, []string{"a/b/"}, nil
}

func TestWalkRefusesAStrangeListing(t *testing.T) {
	err := store.Walk(t.Context(), strange{memoryOf()}, store.DayRange{}, func(store.Found) error { return nil })
	want := `list file:memory: folder "a/b/" does not lie in ""; report this driver's fault`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestDayRangeHas(t *testing.T) {
	r := days("2026-10-30", "2026-11-01", 3)
	tests := []struct {
		day  string
		hour int
		want bool
	}{
		{"", store.HourUnknown, true},
		{"2026-10-29", 23, false},
		{"2026-10-30", 0, true},
		{"2026-10-31", store.HourUnknown, true},
		{"2026-11-01", store.HourUnknown, true},
		{"2026-11-01", 2, true},
		{"2026-11-01", 3, false},
		{"2026-11-02", 0, false},
	}
	for _, test := range tests {
		if got := r.Has(test.day, test.hour); got != test.want {
			t.Errorf("Has(%q, %d) = %t, want %t", test.day, test.hour, got, test.want)
		}
	}
	if !days("2026-10-30", "2026-11-01", 0).Has("2026-11-01", 23) {
		t.Error("LastHours 0 does not take the whole last day")
	}
}
