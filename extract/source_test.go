package extract_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/record"
	"chargeback/extract/store"
)

func source(t testing.TB, bucket store.Store, workers int) extract.Source {
	t.Helper()
	format, err := decode.NewBedrock(decode.BedrockOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return extract.Source{Name: "bedrock-test", Format: format, Store: bucket, RecordBytes: 1 << 16, Workers: workers}
}

var env = decode.Env{Zone: time.UTC}

// staged is what a reading gave, in an order of its own.
type staged struct {
	rows    map[int64][]string // by object id, sorted
	results []extract.Result
}

// take reads the objects to the end and gives every batch back.
func take(t testing.TB, s extract.Source, objects []store.Found) staged {
	t.Helper()
	return taken(t, s.Read(t.Context(), env, objects))
}

func taken(t testing.TB, r *extract.Reading) staged {
	t.Helper()
	rows := map[int64][][]string{}
	for b := range r.Batches {
		for row := range b.Rows {
			var cells []string
			var object int64
			for i, c := range b.Schema.Columns {
				switch {
				case c.Name == "object_id":
					object = b.Cols[i].Ints[row]
				case c.Type == record.ID:
					cells = append(cells, b.IDAt(i, row))
				case c.Type == record.Text:
					cells = append(cells, b.TextAt(i, row))
				default:
					cells = append(cells, fmt.Sprint(b.Cols[i].Ints[row]))
				}
			}
			rows[object] = append(rows[object], cells)
		}
		r.Done(b)
	}
	got := staged{rows: map[int64][]string{}}
	known := dimensionIDs(r.Dimensions())
	for object, all := range rows {
		for _, cells := range all {
			if !known[cells[9]] || !known[cells[10]] {
				t.Errorf("row %q points to a meter or caller that isn't listed", cells)
			}
			got.rows[object] = append(got.rows[object], strings.Join(cells, "|"))
		}
		slices.Sort(got.rows[object])
	}
	var err error
	if got.results, err = r.Results(); err != nil {
		t.Fatal(err)
	}
	for i := range got.results {
		slices.Sort(got.results[i].Counts.Dates)
	}
	return got
}

func dimensionIDs(d *record.Dimensions) map[string]bool {
	ids := map[string]bool{}
	for _, dimension := range d.All() {
		dimension.New(nil, func(b *record.Batch) bool {
			for _, id := range b.Cols[0].Ints {
				ids[fmt.Sprint(id)] = true
			}
			return true
		})
	}
	return ids
}

func TestListSortsAndSkips(t *testing.T) {
	const folder = "AWSLogs/111122223333/BedrockModelInvocationLogs/eu-central-1/2026/10/31/"
	bucket := &memory{objects: map[string][]byte{
		folder + "23/b.json.gz": {1}, folder + "23/a.json.gz": {1}, folder + "22/c.json.gz": {1},
		folder + "23/data/0f1e_input.json.gz": {1}, folder + "23/data/0f1e_output.json.gz": {1},
		"AWSLogs/111122223333/BedrockModelInvocationLogs/amazon-bedrock-logs-permission-check": {1},
		"AWSLogs/111122223333/BedrockModelInvocationLogs/eu-central-1/2026/10/30/23/d.json.gz": {1},
	}}
	day := time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)
	got, err := source(t, bucket, 1).List(t.Context(), store.DayRange{First: day, Last: day}, store.Names{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range got.Objects {
		keys = append(keys, strings.TrimPrefix(o.Key, folder))
	}
	if diff := cmp.Diff([]string{"22/c.json.gz", "23/a.json.gz", "23/b.json.gz"}, keys); diff != "" {
		t.Errorf("objects (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"prompt or response body": 2, "permission check": 1}, got.Skipped); diff != "" {
		t.Errorf("skipped (-want +got)\n%s", diff)
	}
}

func TestListNamesTheSource(t *testing.T) {
	gone := errors.New("the bucket is gone")
	day := time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC)
	_, err := source(t, &memory{listErr: gone}, 1).List(t.Context(), store.DayRange{First: day, Last: day}, store.Names{})
	if !errors.Is(err, gone) || !strings.HasPrefix(err.Error(), "list source bedrock-test: ") {
		t.Errorf("got %v", err)
	}
}

// Goal: what is staged depends on the objects alone.
// Method: random objects, plain and packed, some with a broken record, are
// read in shuffled order by several workers and must give the rows, counts and
// rejects of one worker that reads them in order.
func TestReadDoesNotDependOnOrderOrWorkers(t *testing.T) {
	outer := t
	long := usageLines(99, record.BatchRows+5, true)
	rapid.Check(t, func(t *rapid.T) {
		bucket := &memory{objects: map[string][]byte{}}
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			bucket.objects["long"] = []byte(long)
		}
		for i := range rapid.IntRange(0, 6).Draw(t, "objects") {
			text := usageLines(i, rapid.SampledFrom([]int{0, 1, 30}).Draw(t, "lines"), rapid.Bool().Draw(t, "broken"))
			bucket.objects[fmt.Sprintf("%02d", i)] = []byte(text)
			if rapid.Bool().Draw(t, "packed") {
				bucket.objects[fmt.Sprintf("%02d", i)] = gzipped(outer, text)
			}
		}
		want := take(outer, source(outer, bucket, 1), bucket.found())
		shuffled := rapid.Permutation(bucket.found()).Draw(t, "order")
		s := source(outer, bucket, rapid.SampledFrom([]int{1, 2, 8}).Draw(t, "workers"))
		s.Fetches = rapid.SampledFrom([]int{0, 1, 3, 64}).Draw(t, "fetches")
		got := take(outer, s, shuffled)
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("rows (-want +got)\n%s\nresults (-want +got)\n%s", cmp.Diff(want.rows, got.rows), cmp.Diff(want.results, got.results))
		}
	})
}

// Goal: an object that can't be trusted counts nothing and says why; the
// others are what they would be without it.
func TestBadObjectsCountNothing(t *testing.T) {
	packed := gzipped(t, usageLines(99, record.BatchRows+200, true))
	wrongSum := bytes.Clone(packed)
	wrongSum[len(wrongSum)-8] ^= 0xff
	denied := errors.New("access denied")
	changed := func(body io.ReadCloser) (io.ReadCloser, error) {
		return struct {
			io.Reader
			io.Closer
		}{&endsWith{body, store.ErrChanged}, body}, nil
	}
	tests := []struct {
		name string
		text []byte
		open func(io.ReadCloser) (io.ReadCloser, error)
		want string
	}{
		{"gzip cut", packed[:len(packed)/2], nil, ": the archive is cut off (unexpected EOF); deliver the object again"},
		{"gzip with a wrong checksum", wrongSum, nil, "gzip: invalid checksum"},
		{"gzip of one byte", packed[:1], nil, "open gzip: the archive is cut off (unexpected EOF); deliver the object again"},
		{"not to be opened", nil, func(io.ReadCloser) (io.ReadCloser, error) { return nil, denied }, "access denied"},
		{"changed while it was read", []byte(usageLines(99, 10, false)), changed, store.ErrChanged.Error()},
		{"changed, which the archive's end doesn't show", packed, changed, store.ErrChanged.Error()},
		{"not to be closed", packed, func(body io.ReadCloser) (io.ReadCloser, error) {
			return struct {
				io.Reader
				io.Closer
			}{body, failingCloser{}}, nil
		}, "close failed"},
	}
	good := &memory{objects: map[string][]byte{}}
	for i := range 6 {
		good.objects[fmt.Sprint(i)] = gzipped(t, usageLines(i, 100, i%2 == 0))
	}
	want := take(t, source(t, good, 2), good.found())
	for i := range 2 * len(tests) {
		tt, fetches := tests[i/2], i%2*8
		t.Run(fmt.Sprintf("%s, %d fetched ahead", tt.name, fetches), func(t *testing.T) {
			all := &memory{objects: maps.Clone(good.objects), open: map[string]func(io.ReadCloser) (io.ReadCloser, error){"3-bad": tt.open}}
			all.objects["3-bad"] = tt.text
			s := source(t, all, 2)
			s.Fetches = fetches
			got := take(t, s, all.found())

			at := slices.IndexFunc(got.results, func(r extract.Result) bool { return r.Object.Key == "3-bad" })
			bad := got.results[at]
			if bad.Err == nil || !strings.Contains(bad.Err.Error(), tt.want) {
				t.Errorf("error %v, want %s", bad.Err, tt.want)
			}
			if diff := cmp.Diff(decode.Counts{First: bad.Counts.First, Last: bad.Counts.Last}, bad.Counts); diff != "" || bad.Rejects != nil {
				t.Errorf("rejects %v, counts (-want +got)\n%s", bad.Rejects, diff)
			}
			if (len(got.rows[bad.ID]) > 0) != (bad.Counts.First > 0 && bad.Counts.Last >= bad.Counts.First) {
				t.Errorf("%d rows were read before the fault, of the days from %d to %d", len(got.rows[bad.ID]), bad.Counts.First, bad.Counts.Last)
			}
			delete(got.rows, bad.ID) // the rows of a failed object are the caller's to drop, by its id
			got.results = slices.Delete(got.results, at, at+1)
			if !reflect.DeepEqual(want, got) {
				t.Errorf("others (-want +got)\n%s%s", cmp.Diff(want.rows, got.rows), cmp.Diff(want.results, got.results))
			}
		})
	}
}

// endsWith gives an error in the place of io.EOF.
type endsWith struct {
	io.Reader
	err error
}

func (e *endsWith) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err == io.EOF {
		err = e.err
	}
	return n, err
}

type failingCloser struct{}

func (failingCloser) Close() error { return errors.New("close failed") }

// Goal: reading that is cancelled ends, leaves no goroutine and says so,
// whether or not its batches are taken.
func TestReadEndsWhenCancelled(t *testing.T) {
	bucket := &memory{objects: map[string][]byte{}}
	text := []byte(usageLines(0, 2*record.BatchRows, false))
	for i := range 20 {
		bucket.objects[fmt.Sprint(i)] = text
	}
	small := []byte(usageLines(0, 500, false)) // which is fetched ahead
	for i := range 300 {
		bucket.objects[fmt.Sprintf("small %d", i)] = small
	}
	fetching := func(workers int) extract.Source {
		s := source(t, bucket, workers)
		s.Fetches = 8
		return s
	}
	for name, batches := range map[string]int{"at once": 0, "after the first batch": 1, "after five batches": 5} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r := fetching(4).Read(ctx, env, bucket.found())
			for range batches {
				r.Done(<-r.Batches)
			}
			cancel()
			for b := range r.Batches { // what was on its way; then it is closed
				r.Done(b)
			}
			if results, err := r.Results(); !errors.Is(err, context.Canceled) || results != nil {
				t.Errorf("got %d results, error %v", len(results), err)
			}
		})
	}
	t.Run("and nobody takes the batches", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		fetching(4).Read(ctx, env, bucket.found())
		cancel() // the check for leaks at the end of all tests sees what stays behind
	})
}

// faulty is a format whose decoder panics where an object says so, in the
// middle of a batch.
type faulty struct {
	decode.Format
	fault func()
}

func (f faulty) Decoder(env decode.Env) decode.Decoder {
	return faultyDecoder{f.Format.Decoder(env), f.fault}
}

type faultyDecoder struct {
	decode.Decoder
	fault func()
}

func (d faultyDecoder) Decode(r io.Reader, sink *decode.Sink) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	before, _, found := bytes.Cut(text, []byte("FAULT"))
	if err := d.Decoder.Decode(bytes.NewReader(before), sink); err != nil {
		return err
	}
	if found {
		d.fault()
	}
	return nil
}

// Goal: a panic on hostile bytes is the fault of that object alone, and what
// it says quotes nothing of them.
func TestPanicFailsTheObjectAlone(t *testing.T) {
	var none []int
	tests := []struct {
		name  string
		fault func()
		want  string
	}{
		{"of the runtime", func() { none[3] = 1 }, "decode: stopped by an internal fault (runtime error: index out of range [3] with length 0); report it with the object's name"},
		{"with a text", func() { panic("the prompt") }, "decode: stopped by an internal fault (string); report it with the object's name"},
		{"with an error", func() { panic(errors.New("the prompt")) }, "decode: stopped by an internal fault (*errors.errorString); report it with the object's name"},
	}
	for i := range 2 * len(tests) {
		tt, fetches := tests[i/2], i%2*8
		t.Run(fmt.Sprintf("%s, %d fetched ahead", tt.name, fetches), func(t *testing.T) {
			bucket := &memory{objects: map[string][]byte{
				"a": []byte(usageLines(0, 100, false)),
				"b": []byte(usageLines(1, 100, true) + "FAULT"),
				"c": gzipped(t, usageLines(2, 100, false)),
			}}
			s := source(t, bucket, 1)
			s.Fetches = fetches
			s.Format = faulty{s.Format, tt.fault}
			got := take(t, s, bucket.found())
			for i, want := range []int64{100, 0, 100} {
				if got.results[i].Counts.Rows != want {
					t.Errorf("object %s: %+v, error %v", got.results[i].Object.Key, got.results[i].Counts, got.results[i].Err)
				}
			}
			if got.results[0].Err != nil || got.results[2].Err != nil || got.results[1].Err == nil || got.results[1].Err.Error() != tt.want {
				t.Errorf("errors %v, %v, %v", got.results[0].Err, got.results[1].Err, got.results[2].Err)
			}
			if rows := got.rows[got.results[2].ID]; len(rows) != 100 {
				t.Errorf("%d rows of the object behind the fault", len(rows))
			}
		})
	}
}

// Goal: batches that are given back are used again, so that memory doesn't
// grow with the number of objects.
func TestReadReusesBatches(t *testing.T) {
	bucket := &memory{objects: map[string][]byte{}}
	text := []byte(usageLines(0, 2*record.BatchRows, false))
	for i := range 60 {
		bucket.objects[fmt.Sprint(i)] = text
	}
	r := source(t, bucket, 2).Read(t.Context(), env, bucket.found())
	seen, batches := map[*record.Batch]bool{}, 0
	for b := range r.Batches {
		seen[b] = true
		batches++
		r.Done(b)
	}
	// A worker that finds none given back yet takes a new one, so how many there are
	// depends on who runs when; but not on how much there is to read.
	if batches < 120 || len(seen) > batches/3 {
		t.Errorf("%d batches came in %d pieces of memory", batches, len(seen))
	}
}

// Goal: the id of an object is the same in every run and ledger, and another
// for every other version, key or source.
// Goal: what a snapshot without a date in its name shows on another day is
// another snapshot, even where it is the same bytes again.
func TestVersionOfASnapshot(t *testing.T) {
	scim, err := decode.NewSnapshot(decode.SCIMName, decode.PersonOptions{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(key string, day int) store.Object {
		return store.Object{Key: key, ETag: "e", Modified: time.Date(2026, time.November, day, 23, 30, 0, 0, time.UTC)}
	}
	snapshots, logs := extract.Source{Name: "hr", Format: scim}, extract.Source{Name: "hr", Format: decode.People{}}
	zone := time.FixedZone("east", 3600)
	for _, tt := range []struct {
		name   string
		source extract.Source
		key    string
		same   bool
	}{
		{"written on another day", snapshots, "users.json", false},
		{"dated by its name", snapshots, "users-2026-11-20.json", true},
		{"no snapshot", logs, "people.csv", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if same := tt.source.VersionID(at(tt.key, 20), zone) == tt.source.VersionID(at(tt.key, 21), zone); same != tt.same {
				t.Errorf("same id: %v", same)
			}
			id, again := tt.source.VersionID(at(tt.key, 20), zone), tt.source.VersionID(at(tt.key, 20), zone)
			if id != again {
				t.Error("two ids of one version")
			}
		})
	}
	if day := snapshots.Day(at("users.json", 20), zone); day != snapshots.Day(at("users-2026-11-21.json", 1), zone) {
		t.Errorf("day %d: not that of the zone", day)
	}
}

func TestObjectID(t *testing.T) {
	const want = int64(260001532871318446)
	if got := extract.ObjectID("bedrock-prod", "2026/10/31/a.json.gz", "etag"); got != want {
		t.Errorf("got %d, want %d: ledgers hold the old ids", got, want)
	}
	seen := map[int64]string{}
	for _, parts := range [][3]string{{"a", "b", "c"}, {"ab", "", "c"}, {"a", "bc", ""}, {"a", "b", "d"}, {"b", "a", "c"}, {"", "a", "bc"}} {
		id := extract.ObjectID(parts[0], parts[1], parts[2])
		if other, taken := seen[id]; taken || id < 0 {
			t.Errorf("%q has the id %d of %q", parts, id, other)
		}
		seen[id] = fmt.Sprint(parts)
	}
}
