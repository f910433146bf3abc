package jobs_test

import (
	"strings"
	"testing"
	"time"

	"chargeback/jobs"
)

// rejecting is a company of which some records are longer than the settings
// allow: one beside good ones, one alone.
func rejecting(t *testing.T) (c company, long string) {
	c = newCompany(t)
	c.edit("chargeback.yaml", `url: "file:data/bedrock", silent_after_days: 0}`, `url: "file:data/bedrock", silent_after_days: 0, max_record_bytes: 1kB}`)
	long = strings.Repeat("long", 300)
	c.ordinary("2026-10-28", "2026-10-29")
	c.deliver(usageKey("2026-10-28T08:01:00Z", "mixed"),
		usage{id: "u-a", at: "2026-10-28T08:00:00Z", in: 1000, out: 100}, usage{id: "u-b", at: "2026-10-28T08:00:10Z", in: 2000, out: 200, ref: long}, usage{id: "u-c", at: "2026-10-28T08:00:20Z", in: 3000, out: 300})
	c.deliver(usageKey("2026-10-29T08:01:00Z", "alone"), usage{id: "u-d", at: "2026-10-29T08:00:00Z", in: 1000, out: 100, ref: long})
	return c, long
}

// Goal: after a correction, retry takes in what was rejected, once, and the
// books are those that would have been kept with it from the start.
// Method: records that are too long by the settings, which are then mended.
func TestRetry(t *testing.T) {
	t.Parallel()
	c, _ := rejecting(t)
	b := open(t, c.dir, wiring{})
	b.nights(t, "2026-10-28", "2026-10-29")
	equal(t, "rejected", int64(2), query[int64](t, b, "select count(*) from {rejects}"))
	now := time.Date(2026, time.October, 30, 6, 0, 0, 0, time.UTC)
	retry := func(b *books) (taken, rejected int64, window string) {
		all, night, err := b.Retry(t.Context(), jobs.RetryOptions{}, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			equal(t, "problems", 0, len(s.Problems))
			taken, rejected = taken+s.Staged-s.StagedBefore, rejected+s.Rejected
		}
		return taken, rejected, night.Window
	}
	before := b.state(t)
	taken, rejected, window := retry(b) // nothing is corrected yet
	equal(t, "taken in without a correction", []any{int64(0), int64(2), "nightly/2026-10-29"}, []any{taken, rejected, window})
	same(t, before, b.state(t))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	c.edit("chargeback.yaml", "max_record_bytes: 1kB", "max_record_bytes: 1MB")
	b = open(t, c.dir, wiring{})
	taken, rejected, window = retry(b)
	equal(t, "taken in", []any{int64(2), int64(0), "nightly/2026-10-29"}, []any{taken, rejected, window})
	same(t, c.rebuilt("2026-10-28", "2026-10-29").only(compared...), b.state(t).only(compared...))
	after := b.state(t)
	taken, rejected, window = retry(b) // nothing is left
	equal(t, "taken in again", []any{int64(0), int64(0), ""}, []any{taken, rejected, window})
	same(t, after, b.state(t))
}

// Goal: what was kept of an object that can't be read again stays, and doesn't
// hold up the others.
// Method: one of the two objects with rejects is gone when retry comes.
func TestRetryOfLostObjects(t *testing.T) {
	t.Parallel()
	c, _ := rejecting(t)
	b := open(t, c.dir, wiring{})
	b.nights(t, "2026-10-28", "2026-10-29")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	c.edit("chargeback.yaml", "max_record_bytes: 1kB", "max_record_bytes: 1MB")
	c.remove(usageKey("2026-10-28T08:01:00Z", "mixed"))
	b = open(t, c.dir, wiring{})
	all, _, err := b.Retry(t.Context(), jobs.RetryOptions{}, time.Date(2026, time.October, 30, 6, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || len(all[0].Problems) != 1 || !strings.Contains(all[0].Problems[0].What, "was read before and is gone from the source") {
		t.Errorf("got %+v", all)
	}
	equal(t, "usage", []string{"u-a\n", "u-c\n", "u-d\n"}, b.lines(t, "select provider_request_id from {usage} where provider_request_id in ('u-a', 'u-b', 'u-c', 'u-d') order by 1"))
	equal(t, "rejected", int64(1), query[int64](t, b, "select count(*) from {rejects}"))
}

// Goal: retry takes in objects that were corrected in their source, whatever day
// they are of, in place of what was kept of them, with what is left of rejects.
// Method: of two objects with rejects on two days one is written again whole, one
// with another fault; a third, which could not be unpacked, is whole now.
func TestRetryOfCorrectedObjects(t *testing.T) {
	t.Parallel()
	c, _ := rejecting(t)
	cut := c.put(usageKey("2026-10-28T09:01:00Z", "cut"), zip(usageLines(usage{id: "u-e", at: "2026-10-28T09:00:00Z", in: 1000, out: 100}))[:40])
	b := open(t, c.dir, wiring{})
	b.nights(t, "2026-10-28", "2026-11-03")
	equal(t, "usage", []string{"u-a\n", "u-c\n"}, b.lines(t, "select provider_request_id from {usage} where provider_request_id between 'u-a' and 'u-e' order by 1"))
	c.deliver(usageKey("2026-10-28T08:01:00Z", "mixed"), usage{id: "u-a", at: "2026-10-28T08:00:00Z", in: 1000, out: 100}, usage{id: "u-b", at: "2026-10-28T08:00:10Z", in: 2000, out: 200})
	c.deliver(usageKey("2026-10-29T08:01:00Z", "alone"), usage{id: "u-d", at: "2026-10-29T08:00:00Z", in: -1, out: 100})
	c.deliver(cut, usage{id: "u-e", at: "2026-10-28T09:00:00Z", in: 1000, out: 100})
	all, night, err := b.Retry(t.Context(), jobs.RetryOptions{}, b.morning(date("2026-11-03")))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "retried", []jobs.RetrySummary{{Source: "bedrock", Reread: jobs.Reread{Objects: 3, StagedBefore: 2, Staged: 3, RejectedBefore: 2, Rejected: 1}}}, all)
	equal(t, "night", "nightly/2026-11-03", night.Window)
	equal(t, "usage", []string{"u-a\n", "u-b\n", "u-e\n"}, b.lines(t, "select provider_request_id from {usage} where provider_request_id between 'u-a' and 'u-e' order by 1"))
	same(t, c.rebuilt(nights("2026-10-28", "2026-11-03")...).only(compared...), b.state(t).only(compared...))
}

// nights are the days from first to last.
func nights(first, last string) (days []string) {
	for d := date(first); !date(last).Before(d); d = d.AddDays(1) {
		days = append(days, d.String())
	}
	return days
}
