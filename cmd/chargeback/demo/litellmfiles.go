package demo

import (
	"fmt"
	"time"
)

const gatewayFolder = "data/litellm/"

// gatewayFiles adds one object for each call that the gateway saw, and what
// else stands in its folder.
func (b *builder) gatewayFiles() {
	n := &b.sum.LiteLLM
	for _, c := range b.calls {
		if !c.gateway {
			continue
		}
		key, content := c.gatewayKey(c.at), mustJSON(c.gatewayRecord(b.month.book))
		b.files.add(key, content)
		b.where[c.id] = key
		n.Objects++
		n.Records++
		switch c.outcome {
		case succeeded:
			n.Successes++
		case failed:
			n.Failures++
		case cacheHit:
			n.CacheHits++
		}
		if c.kind == DoubleCallback {
			b.files.add(c.gatewayKey(c.at.Add(213*time.Microsecond)), content)
			n.Objects++
			n.RepeatedObjects++
		}
	}
	day := b.month.day(5).Format(time.DateOnly)
	for i := range 2 {
		id := newRandom(fmt.Sprint(b.month.name, "audit", i)).uuid()
		b.files.add(fmt.Sprintf("%saudit_logs/%s/09-1%d-02_%s.json", gatewayFolder, day, i, id), mustJSON(note{
			"id": id, "updated_at": fmt.Sprintf("%sT09:1%d:02.114208+00:00", day, i), "changed_by": "platform-lead@example.com",
			"changed_by_api_key": hash("admin"), "action": "updated", "table_name": "LiteLLM_VerificationToken",
			"object_id": hash("pilot-key"), "before_value": `{"max_budget": 50}`, "updated_values": `{"max_budget": 80}`,
		}))
		n.SkippedObjects++
	}
}

// gatewayKey names the call's object: by team if its key has one, by day, by
// time of start, and by id.
func (c *call) gatewayKey(at time.Time) string {
	team := ""
	if c.team != "" {
		team = c.team + "/"
	}
	return fmt.Sprintf("%s%s%s/time-%s-%06d_%s.json", gatewayFolder, team, at.Format(time.DateOnly),
		at.Format("15-04-05"), at.Nanosecond()/1000, c.gatewayID())
}
