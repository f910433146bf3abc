package ledgertest

import (
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// outdated lists the objects of source usage that were read otherwise and may
// have records since a day.
func (b *books) outdated(reading, since string) (keys []string) {
	b.Helper()
	objects, err := b.manifest.Outdated(b.ctx, "usage", record.UsageSchema, reading, Day(since))
	b.must(err)
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

// Goal: the manifest knows which objects were read by other settings, as far as
// days from some day on are concerned.
// Method: objects with records of two months, with rejects and with nothing, read
// by two settings; one of a version that kept none.
func testOutdated(b *books) {
	one, two := manifest.ReadingOf(record.UsageSchema, "one"), manifest.ReadingOf(record.UsageSchema, "two")
	read := func(reading string, change func(*manifest.Object), usage ...Usage) {
		b.Helper()
		d := Rows{Usage: usage}.usage()
		if change != nil {
			change(&d.objects[0])
		}
		b.must(d.stage(b.ctx, b.manifest, func(s *manifest.Staging) { s.Reading = reading }))
	}
	october, november := "2026-10-05 10:00:00", "2026-11-05 10:00:00"
	read(one, nil, Usage{RequestID: "u1", At: october, Object: "october"})
	read(one, nil, Usage{RequestID: "u2", At: november, Object: "november"})
	read(one, nil, Usage{RequestID: "u3", At: october, Object: "both"}, Usage{RequestID: "u4", At: november, Object: "both"})
	read(one, func(o *manifest.Object) { o.Rejected = 1 }, Usage{RequestID: "u5", At: october, Object: "rejects at no day"})
	read(one, func(o *manifest.Object) { o.Rejected, o.Day = 1, Day("2026-10-05") }, Usage{RequestID: "u6", At: october, Object: "rejects in October"})
	read(one, func(o *manifest.Object) { o.Ignored, o.Day = 1, Day("2026-11-05") }, Usage{RequestID: "u7", At: october, Object: "ignored in November"})
	read(one, func(o *manifest.Object) { o.State, o.Error, o.Staged = manifest.ObjectFailed, "no header", 0 }, Usage{RequestID: "u8", At: november, Object: "failed"})
	read(two, nil, Usage{RequestID: "u9", At: november, Object: "read by two"})
	read("", nil, Usage{RequestID: "u10", At: november, Object: "of an older version"})

	b.equal("for the settings of most", []string{"read by two"}, b.outdated(one, "2026-11-01"))
	b.equal("for others", []string{"both", "ignored in November", "november", "rejects at no day"}, b.outdated(two, "2026-11-01"))
	b.equal("for others, since October", []string{"both", "ignored in November", "november", "october", "rejects at no day", "rejects in October"}, b.outdated(two, "2026-10-01"))
	b.equal("of any settings", []string{"both", "ignored in November", "november", "of an older version", "read by two", "rejects at no day"}, b.outdated("", "2026-11-01"))

	none, err := b.manifest.SourceMarks(b.ctx)
	b.must(err)
	b.equal("marks of a ledger that has none", map[string]manifest.SourceMark{}, none)
	unknown, err := b.manifest.SourcesWithoutReading(b.ctx)
	b.must(err)
	b.equal("sources of an older version", map[string]bool{"usage": true}, unknown)
	mark := func(m manifest.SourceMark, adopt bool) {
		b.Helper()
		b.must(b.ledger.Apply(b.ctx, manifest.SetSourceMark("usage", m, adopt)...))
	}
	mark(manifest.SourceMark{Reading: one, Place: "s3://bucket/logs"}, true)
	b.equal("of an older version, by its adopted settings", []string{"read by two"}, b.outdated(one, "2026-11-01"))
	mark(manifest.SourceMark{Reading: two, Place: "s3://bucket/logs"}, false)
	b.equal("by later ones", []string{"both", "ignored in November", "november", "of an older version", "rejects at no day"}, b.outdated(two, "2026-11-01"))
	marks, err := b.manifest.SourceMarks(b.ctx)
	b.must(err)
	b.equal("marks", map[string]manifest.SourceMark{"usage": {Reading: two, Place: "s3://bucket/logs"}}, marks)

	for _, night := range []string{"2026-11-01", "2026-11-03"} {
		b.must(b.ledger.Apply(b.ctx, manifest.SetFirstNight("usage", Day(night))...))
	}
	first, err := b.manifest.FirstNights(b.ctx)
	b.must(err)
	b.equal("first nights", map[string]civil.Date{"usage": Day("2026-11-03")}, first)
	b.must(b.engine.Apply(b.ctx, warehouse.Key("meta", records.Args{"name": "first night of usage"}, records.Args{"value": "soon"})))
	_, err = b.manifest.FirstNights(b.ctx)
	b.refused("a first night that is no date", err)
	runs, err := b.ledger.Runs.Note(b.ctx, "nightly", []string{"nightly/2026-11-01", "nightly/2026-11-02", "nightly/2026-11-05"}, time.Date(2026, 11, 6, 4, 0, 0, 0, time.UTC), map[string]string{"with": "nightly/2026-11-06"})
	b.must(err)
	b.must(b.ledger.Apply(b.ctx, runs...))
	with, err := b.ledger.Runs.NightsWith(b.ctx, Day("2026-11-02"), Day("2026-11-06"))
	b.must(err)
	b.equal("nights run together", map[civil.Date]civil.Date{Day("2026-11-02"): Day("2026-11-06"), Day("2026-11-05"): Day("2026-11-06")}, with)
}

// Goal: an object that is read as something else, in the same version or in
// another one, leaves nothing where its rows were before.
// Method: usage that turns out to be requests, and the other way.
func testReadAsSomethingElse(b *books) {
	usage, requests := manifest.ReadingOf(record.UsageSchema, "a"), manifest.ReadingOf(record.RequestSchema, "b")
	asUsage := Rows{Usage: []Usage{{RequestID: "u1", At: "2026-10-05 10:00:00"}}}.usage()
	b.must(asUsage.stage(b.ctx, b.manifest, func(s *manifest.Staging) { s.Reading = usage }))
	id := asUsage.objects[0].ID
	asRequest := func(version int64) *delivery {
		d := Rows{Requests: []Request{{ID: "r1", At: "2026-10-07 10:00:00"}}}.requests()[0]
		d.objects[0].ID, d.objects[0].Source = version, "usage"
		d.batches, d.source = nil, "usage"
		row, _ := d.rows.Requests[0].row(d.rows.zone())
		batch := record.NewBatch(record.RequestSchema)
		b.must(batch.AppendRequest(row, d.dims, record.Lineage{Object: version, Line: 1}))
		d.batches = append(d.batches, batch)
		return d
	}
	b.clean()
	b.must(asRequest(id).stage(b.ctx, b.manifest, func(s *manifest.Staging) { s.Reading, s.Again = requests, []int64{id} }))
	rows := func() []int64 { return []int64{b.count("usage"), b.count("requests"), b.count("objects")} }
	b.equal("usage, requests and objects, read again", []int64{0, 1, 1}, rows())
	b.equal("days of both", []row{{Day("2026-10-05")}, {Day("2026-10-07")}}, b.rows("select distinct day from {dirty_days} order by day", nil))
	b.equal("reading", "requests b", b.one("select reading from {objects} where object_id = {@id}", records.Args{"id": id}))

	back := Rows{Usage: []Usage{{RequestID: "u1", At: "2026-10-05 10:00:00"}}, ETag: "v2", Replaced: []int64{id}}.usage()
	b.must(back.stage(b.ctx, b.manifest, func(s *manifest.Staging) { s.Reading = usage }))
	b.equal("usage, requests and objects, written anew", []int64{1, 0, 2}, rows())
}
