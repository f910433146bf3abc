package ledgertest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// night is what the suite stages again and again: two days, one request
// matched with its usage and one usage alone.
func night() Rows {
	return Rows{
		Usage: []Usage{
			{RequestID: "u1", At: "2026-10-05 10:00:00", Caller: "arn:etl", Tokens: record.Tokens{InputUncached: 1_000, Output: 100}},
			{RequestID: "u2", At: "2026-10-06 10:00:00", Caller: "arn:etl", Tokens: record.Tokens{InputUncached: 2_000}},
		},
		Requests: []Request{{ID: "r1", RequestID: "u1", At: "2026-10-05 09:59:59", User: "user001@example.com", AgentID: "support-bot"}},
		People:   []Person{{Email: "user001@example.com", Department: "Support", CostCenter: "00420", From: "2026-01-01"}},
	}
}

func (b *books) stage(r Rows) {
	b.Helper()
	b.must(r.Stage(b.ctx, b.manifest))
}

// objects reads the current versions of a source's objects as key, etag and state.
func (b *books) objects(source string) (found []string) {
	b.Helper()
	objects, err := b.manifest.Current(b.ctx, source, civil.Min, civil.Max)
	b.must(err)
	for key, o := range objects {
		found = append(found, fmt.Sprint(key, " ", o.ETag, " ", o.State))
	}
	slices.Sort(found)
	return found
}

func (b *books) dirty(last string) (days []string) {
	b.Helper()
	changed, err := b.manifest.ChangedDays(b.ctx)
	b.must(err)
	for _, d := range changed.Days(Day(last)) {
		days = append(days, d.String())
	}
	return days
}

func testPin(b *books) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	b.must(err)
	open := func(zone *time.Location, start string) error {
		_, err := ledger.Open(b.ctx, b.engine, zone, start)
		return err
	}
	b.must(open(berlin, "2026-09-01"))
	b.reopen()
	for _, test := range []struct {
		name  string
		zone  *time.Location
		start string
		words []string
	}{
		{"another zone", time.UTC, "2026-09-01", []string{"billing_zone", "Europe/Berlin", "UTC"}},
		{"another start", berlin, "2026-10-01", []string{"start", "2026-09-01", "2026-10-01"}},
	} {
		err := open(test.zone, test.start)
		b.refused(test.name, err)
		for _, word := range test.words {
			if err != nil && !strings.Contains(err.Error(), word) {
				b.Errorf("%s: error %q does not name %s", test.name, err, word)
			}
		}
	}
	b.must(open(berlin, "2026-09-01"))
}

func testStage(b *books) {
	usage := night().usage()
	usage.objects[0].Day, usage.objects[0].Rejected = Day("2026-10-06"), 2
	b.must(usage.stage(b.ctx, b.manifest, func(s *manifest.Staging) {
		s.Rejects = []manifest.Reject{{ObjectID: s.Objects[0].ID, Line: 3, Reason: "timestamp: it's missing"}, {ObjectID: s.Objects[0].ID, Line: 4, Reason: `\`}}
	}))
	b.stage(Rows{Requests: night().Requests, People: night().People})

	b.equal("usage", []row{{"u1", int64(1), int64(1_000), Day("2026-10-05")}, {"u2", int64(2), int64(2_000), Day("2026-10-06")}},
		b.rows("select provider_request_id, line, input_uncached_tokens, usage_date from {usage} where usage_date >= {@since} order by line", records.Args{"since": civil.Min}))
	b.equal("rejects", []row{{int64(3), "timestamp: it's missing"}, {int64(4), `\`}}, b.rows("select line, reason from {rejects} order by line", nil))
	b.equal("requests and people", []int64{1, 1}, []int64{b.count("requests"), b.count("people")})
	b.equal("a caller", "arn:etl", b.one("select distinct c.caller from {usage} as u inner join {callers} as c on c.caller_id = u.caller_id where u.usage_date >= {@since}", records.Args{"since": civil.Min}))

	read := func(first, last string) int {
		found, err := b.manifest.Current(b.ctx, "usage", Day(first), Day(last))
		b.must(err)
		for _, o := range found {
			o.Staged, o.Rejected = 0, 0
			b.equal("object", manifest.Object{ID: ObjectID("usage", "", ""), Source: "usage", Key: "first.json", ETag: "v1", State: manifest.ObjectRead, Day: Day("2026-10-06")}, o)
		}
		return len(found)
	}
	b.equal("objects of the day, and of the day after", []int{1, 0}, []int{read("2026-10-06", "2026-10-06"), read("2026-10-07", "2026-10-08")})
	b.equal("counts", []row{{int64(2), int64(2)}}, b.rows("select rows_staged, rows_rejected from {objects} where source = 'usage'", nil))
	found, err := b.manifest.Current(b.ctx, "people", Day("2026-10-07"), Day("2026-10-07"))
	b.must(err)
	b.equal("objects without a day are in every range", 1, len(found))
}

// Goal: of a part of the manifest come the keys of its ranges, byte by byte, those of no
// day, and no others; a sample is of the newest day that it may be of, and the same each
// time.
func testPartOfManifest(b *books) {
	entries := []manifest.Object{
		{Key: "2026-10-05/a", Day: Day("2026-10-05")}, {Key: "2026-10-05/b", Day: Day("2026-10-05")}, {Key: "2026-10-05/é", Day: Day("2026-10-05")}, {Key: "2026-10-05/z", Day: Day("2026-10-05")},
		{Key: "2026-10-06/a", Day: Day("2026-10-06")}, {Key: "2026-10-06/b", Day: Day("2026-10-06")}, {Key: "2026-10-06/bb", Day: Day("2026-10-06")},
		{Key: "undated"}, {Key: "2026-10-06/old", Day: Day("2026-10-06"), State: manifest.ObjectReplaced},
	}
	b.must(night().usage().stage(b.ctx, b.manifest, func(s *manifest.Staging) {
		for i, o := range entries {
			o.ID, o.Source, o.Format, o.ETag, o.Run, o.State = int64(100+i), "usage", "words", "v1", "nightly/2026-10-06", cmp.Or(o.State, manifest.ObjectRead)
			s.Objects = append(s.Objects, o)
		}
	}))
	of := func(first, last string, ranges ...manifest.Keys) []string {
		b.Helper()
		found, err := b.manifest.CurrentOf(b.ctx, "usage", Day(first), Day(last), ranges)
		b.must(err)
		delete(found, "first.json") // of the rows
		return slices.Sorted(maps.Keys(found))
	}
	part := []manifest.Keys{{After: "2026-10-05/a", Upto: "2026-10-05/z"}, {After: "2026-10-06/a", Upto: "2026-10-06/b"}}
	b.equal("two folders", []string{"2026-10-05/b", "2026-10-05/z", "2026-10-06/b", "undated"}, of("2026-10-05", "2026-10-06", part...))
	b.equal("a day", []string{"2026-10-06/b", "undated"}, of("2026-10-06", "2026-10-06", part...))
	b.equal("up to the end", []string{"2026-10-05/z", "2026-10-05/é", "undated"}, of("2026-10-05", "2026-10-06", manifest.Keys{After: "2026-10-05/b", Upto: "2026-10-050"}))
	b.equal("no folder", []string{"undated"}, of("2026-10-05", "2026-10-06"))
	sample := func(first, last string, most int) []string {
		b.Helper()
		keys, err := b.manifest.Sample(b.ctx, "usage", Day(first), Day(last), most)
		b.must(err)
		return keys
	}
	b.equal("the newest day", []string{"2026-10-06/a", "2026-10-06/b"}, sample("2026-10-01", "2026-10-06", 2))
	b.equal("the newest day before", []string{"2026-10-05/a", "2026-10-05/b", "2026-10-05/é", "2026-10-05/z"}, sample("2026-10-01", "2026-10-05", 100))
	b.equal("no day", []string(nil), sample("2026-09-01", "2026-10-04", 100))
}

// Goal: whatever stops a delivery leaves nothing of it, and it can be staged after.
// Method: what can't be kept: a row, an object, a reject; reading that ends in an
// error once its rows were loaded; and then each call of the warehouse fails in its
// turn, before its effect and after it, until none is left.
func testStageFails(b *books) {
	b.begin()
	tables := []string{"usage", "objects", "rejects", "callers", "meters", "dirty_days"}
	empty := func(what string) {
		b.Helper()
		for _, table := range tables {
			b.equal("rows of "+table+" after "+what, int64(0), b.count(table))
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(*delivery, *manifest.Staging)
	}{
		{"a batch that can't be kept", func(d *delivery, _ *manifest.Staging) {
			null := patternRow(record.UsageSchema, 1, 1)
			null[0] = nil
			d.batches = []*record.Batch{Batch(record.UsageSchema, [][]any{patternRow(record.UsageSchema, 1, 1)}), Batch(record.UsageSchema, [][]any{null})}
		}},
		{"an object that can't be kept", func(_ *delivery, s *manifest.Staging) { s.Objects[0].Day = civil.Date{Year: 2026, Mon: 13, Day: 45} }},
		{"a reject that can't be kept", func(_ *delivery, s *manifest.Staging) {
			s.Rejects = []manifest.Reject{{ObjectID: s.Objects[0].ID, Line: 1, Reason: "\xff"}}
		}},
	} {
		d := night().usage()
		b.refused(test.name, d.stage(b.ctx, b.manifest, func(s *manifest.Staging) { test.spoil(d, s) }))
		empty(test.name)
	}
	stopped := night().usage()
	_, err := b.manifest.Load(b.ctx, stopped.schema, stopped.feed(), func(*record.Batch) {})
	b.must(err)
	b.must(b.manifest.Discard(b.ctx))
	empty("reading was stopped")

	b.eachCall(func() error { return night().usage().stage(b.ctx, b.manifest, nil) }, empty, func(what string) {
		b.Helper()
		b.equal("rows after "+what, int64(2), b.count("usage"))
		b.equal("objects after "+what, int64(1), b.count("objects"))
		b.must(Clear(b.ctx, b.engine))
	})
	b.equal("rows after all", int64(2), b.count("usage"))
}

// fails stages a delivery whose object can't be read to its end.
func (b *books) fails(r Rows) {
	b.Helper()
	d := r.usage()
	d.objects[0].State, d.objects[0].Error, d.objects[0].Staged = manifest.ObjectFailed, "gzip ends before its trailer", 0
	b.must(d.stage(b.ctx, b.manifest, nil))
}

func testFailedObject(b *books) {
	rows := Rows{Usage: night().Usage}
	other := Rows{Usage: []Usage{{RequestID: "u3", At: "2026-10-05 11:00:00"}}, Object: "second.json"}
	for range 2 {
		b.fails(rows)
		b.equal("manifest", []string{"first.json v1 failed"}, b.objects("usage"))
		b.equal("rows of a failed object", int64(0), b.count("usage"))
	}
	b.stage(other)
	b.equal("rows of another object", int64(1), b.count("usage"))
	b.stage(rows)
	b.equal("manifest after it was mended", []string{"first.json v1 read", "second.json v1 read"}, b.objects("usage"))
	b.equal("versions in the manifest", int64(2), b.count("objects"))
	b.equal("rows after it was mended", int64(3), b.count("usage"))
	b.equal("error after it was mended", nil, b.one("select error from {objects} where object_key = 'first.json'", nil))
}

func testReplaced(b *books) {
	b.stage(night())
	b.stage(Rows{Usage: []Usage{{RequestID: "u9", At: "2026-10-05 12:00:00"}}, Object: "second.json"})
	b.clean()

	first := ObjectID("usage", "first.json", "v1")
	b.stage(Rows{Usage: []Usage{{RequestID: "u3", At: "2026-10-20 10:00:00"}}, ETag: "v2", Replaced: []int64{first}})
	b.equal("rows", []row{{"u3"}, {"u9"}}, b.rows("select provider_request_id from {usage} where usage_date >= {@since} order by 1", records.Args{"since": civil.Min}))
	b.equal("manifest", []string{"first.json v2 read", "second.json v1 read"}, b.objects("usage"))
	b.equal("old version", "replaced", b.one("select state from {objects} where object_id = {@id}", records.Args{"id": first}))
	b.equal("days of rows that came and of rows that went", []row{{Day("2026-10-05")}, {Day("2026-10-06")}, {Day("2026-10-20")}},
		b.rows("select distinct day from {dirty_days} order by day", nil))
}

// Goal: an object that is rewritten and then written back as it was counts once.
// Method: version 1, version 2, version 1 again; then records of its day.
func testVersionBack(b *books) {
	v1, v2 := night(), Rows{Usage: []Usage{{RequestID: "u3", At: "2026-10-05 12:00:00"}}, ETag: "v2"}
	b.stage(v1)
	b.replace("2026-10-05", "2026-10-06")
	want := b.hash("")
	v2.Replaced = []int64{ObjectID("usage", "", "v1")}
	b.stage(v2)
	b.stage(Rows{Usage: v1.Usage, Replaced: []int64{ObjectID("usage", "", "v2")}})
	b.equal("manifest", []string{"first.json v1 read"}, b.objects("usage"))
	b.equal("manifest entries", []row{{"v1", "read"}, {"v2", "replaced"}}, b.rows("select etag, state from {objects} where source = 'usage' order by 1, 2", nil))
	b.equal("rows", int64(2), b.count("usage"))
	b.replace("2026-10-05", "2026-10-06")
	b.equal("hash", want, b.hash(""))
}

func testDimensions(b *books) {
	b.stage(night())
	counts := func() (n []int64) {
		for _, s := range record.DimensionSchemas {
			n = append(n, b.count(s.Table))
		}
		return n
	}
	b.equal("meters, callers, actors and tasks", []int64{1, 1, 1, 1}, counts())
	b.stage(Rows{
		Usage: []Usage{
			{RequestID: "u3", At: "2026-10-05 12:00:00", Caller: "arn:etl"}, {RequestID: "u4", At: "2026-10-05 12:00:00", Caller: "arn:other"},
			{RequestID: "u5", At: "2026-10-05 12:00:00", Caller: "arn:other"}, {RequestID: "u6", At: "2026-10-05 12:00:00"},
		},
		Requests: []Request{{ID: "r2", At: "2026-10-05 12:00:00", User: "user001@example.com", AgentID: "support-bot"}, {ID: "r3", At: "2026-10-05 12:00:00", User: "user002@example.com"}},
		Object:   "second.json",
	})
	b.equal("after a second delivery", []int64{1, 3, 2, 2}, counts())
	for _, s := range record.DimensionSchemas {
		id := s.Columns[0].Name
		b.equal("ids of "+s.Table+" that occur twice", int64(0), b.one("select count(*) - count(distinct "+id+") from {"+s.Table+"}", nil))
	}
	b.equal("an empty caller", []row{{nil, nil, nil}}, b.rows("select c.caller, c.cost_center, c.agent_id from {usage} as u inner join {callers} as c on c.caller_id = u.caller_id where u.usage_date >= {@since} and u.provider_request_id = 'u6'", records.Args{"since": civil.Min}))
}

// Goal: where one process alone may write, tuples that are new to a ledger have small
// numbers, each its own, in later runs too; those of before keep their hashes. Where
// several may write there are no numbers.
// Method: a delivery by hashes, two by numbers of runs of their own, of which the last
// brings known tuples and new ones.
func testNumbered(b *books) {
	callers := func(names ...string) (rows Rows) {
		for _, name := range names {
			rows.Usage = append(rows.Usage, Usage{RequestID: "of " + name, At: "2026-10-05 12:00:00", Caller: name})
		}
		rows.Object = fmt.Sprint(names)
		return rows
	}
	numbers := func() *record.Numbers {
		n, err := b.manifest.Numbers(b.ctx)
		b.must(err)
		return n
	}
	stage := func(rows Rows) {
		b.Helper()
		rows.Numbers = numbers()
		b.stage(rows)
	}
	ids := func() (all []row) {
		return b.rows("select c.caller, c.caller_id < 1000000 as numbered, count(*) as staged from {callers} as c inner join {usage} as u on u.caller_id = c.caller_id where u.usage_date >= {@since} group by c.caller, c.caller_id order by 1", records.Args{"since": civil.Min})
	}
	b.stage(callers("a", "b"))
	alone, is := b.engine.(warehouse.Exclusive)
	exclusive := is && alone.Exclusive()
	b.equal("numbers of an engine that one process writes", exclusive, numbers() != nil)
	stage(callers("b", "c", "d"))
	b.reopen()
	b.begin()
	stage(callers("a", "c", "e"))
	stage(callers("e", "f"))
	b.equal("callers", []row{
		{"a", false, int64(2)}, {"b", false, int64(2)}, {"c", exclusive, int64(2)}, {"d", exclusive, int64(1)}, {"e", exclusive, int64(2)}, {"f", exclusive, int64(1)},
	}, ids())
	b.equal("callers that are told once", int64(6), b.count("callers"))
	if exclusive {
		b.equal("numbers", []row{{int64(1), int64(4)}}, b.rows("select min(caller_id) as first, max(caller_id) as last from {callers} where caller_id < 1000000", nil))
	}
}

// Goal: making the dirty days anew gives the same records as making all days
// anew, also where a request and its usage lie on either side of midnight.
// Method: one half comes late, long after its day and its other half.
func testDirtyDays(b *books) {
	b.equal("of a new ledger", []string(nil), b.dirty("2026-10-31"))
	early := Rows{Usage: []Usage{{RequestID: "u1", At: "2026-10-06 00:00:01"}}, Requests: []Request{{ID: "r2", RequestID: "u2", At: "2026-10-10 23:59:59"}}}
	late := Rows{Usage: []Usage{{RequestID: "u2", At: "2026-10-11 00:00:01"}}, Requests: []Request{{ID: "r1", RequestID: "u1", At: "2026-10-05 23:59:59"}}, Object: "late.json"}
	b.stage(early)
	b.equal("after staging", []string{"2026-10-06", "2026-10-10"}, b.dirty("2026-10-31"))
	b.equal("up to a day", []string{"2026-10-06"}, b.dirty("2026-10-06"))
	b.replace("2026-10-05", "2026-10-11")
	b.equal("after the days were made", []string(nil), b.dirty("2026-10-31"))

	b.stage(late)
	b.equal("after the late half", []string{"2026-10-05", "2026-10-11"}, b.dirty("2026-10-31"))
	b.replace("2026-10-10", "2026-10-12")
	b.replace("2026-10-04", "2026-10-06")
	got := b.hash("")
	b.replace("2026-10-01", "2026-10-31")
	b.equal("hash of the dirty days made anew, and of all", b.hash(""), got)
	b.equal("matched", []row{{"u1", "r1"}, {"u2", "r2"}}, b.rows("select provider_request_id, agent_request_id from {cost_records} where usage_date >= {@since} order by 1", records.Args{"since": civil.Min}))
}

func testMissing(b *books) {
	b.stage(night())
	b.stage(Rows{Usage: []Usage{{RequestID: "u9", At: "2026-10-05 12:00:00"}}, Object: "second.json"})
	first, second := ObjectID("usage", "first.json", ""), ObjectID("usage", "second.json", "")
	b.must(b.manifest.MarkMissing(b.ctx, []int64{first}, Day("2026-10-06"), nil))
	b.equal("one is gone", []string{"first.json v1 missing", "second.json v1 read"}, b.objects("usage"))
	b.must(b.manifest.MarkMissing(b.ctx, []int64{second}, civil.Date{}, []int64{first}))
	b.equal("it is back and the other gone", []string{"first.json v1 read", "second.json v1 missing"}, b.objects("usage"))
	b.must(b.manifest.MarkMissing(b.ctx, nil, civil.Date{}, nil))
	b.equal("rows stay", int64(3), b.count("usage"))

	many := make([]int64, 2_500) // more than one statement takes
	for i := range many {
		many[i] = int64(i)
	}
	many[2_499] = first
	b.must(b.manifest.MarkMissing(b.ctx, many, civil.Date{}, nil))
	b.equal("the last of many", []string{"first.json v1 missing", "second.json v1 missing"}, b.objects("usage"))
}

// Goal: the days on which requests wait for usage are found, among those asked
// for.
func testPendingDays(b *books) {
	b.stage(Rows{Requests: []Request{{ID: "r1", At: "2026-10-05 10:00:00"}, {ID: "r2", At: "2026-10-06 10:00:00"}, {ID: "r3", At: "2026-10-08 10:00:00"}, {ID: "r4", At: "2026-10-09 10:00:00", Failed: true}}})
	night := b.build("2026-10-05", "2026-10-09")
	night.LateUntil = Day("2026-10-05")
	b.must(Make(b.ctx, b.ledger, night, company()))
	pending := func(first, last string) (days []civil.Date) {
		b.Helper()
		days, err := b.ledger.Records.PendingDays(b.ctx, records.Days{First: Day(first), Last: Day(last)})
		b.must(err)
		return days
	}
	b.equal("pending", []civil.Date{Day("2026-10-06"), Day("2026-10-08")}, pending("2026-10-01", "2026-10-31"))
	b.equal("pending on some days", []civil.Date{Day("2026-10-06")}, pending("2026-10-05", "2026-10-07"))
	b.equal("pending on others", []civil.Date(nil), pending("2026-10-09", "2026-10-31"))
}
