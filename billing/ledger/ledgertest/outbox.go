package ledgertest

import (
	"errors"
	"time"

	"chargeback/billing/outbox"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

func (b *books) raise(id string, keys ...string) error {
	changes, err := b.raised(id, keys...)
	if err != nil {
		return err
	}
	return b.ledger.Apply(b.ctx, changes...)
}

// raised are the changes that raise a message.
func (b *books) raised(id string, keys ...string) ([]warehouse.Change, error) {
	return b.outbox.Raise(b.ctx, outbox.Raised{Message: outbox.Message{ID: id, Channel: "#ai-costs", Payload: `{"text":"it's ` + id + `"}`}, Keys: keys})
}

// messages are the messages of the outbox in words: id, state and attempts.
func (b *books) messages(read func() ([]outbox.Message, error)) []outbox.Message {
	b.Helper()
	all, err := read()
	b.must(err)
	for i, m := range all {
		b.equal("channel and payload of "+m.ID, []string{"#ai-costs", `{"text":"it's ` + m.ID + `"}`}, []string{m.Channel, m.Payload})
		all[i].Channel, all[i].Payload = "", ""
	}
	return all
}

func testOutbox(b *books) {
	b.begin()
	all := func() []outbox.Message {
		return b.messages(func() ([]outbox.Message, error) { return b.outbox.All(b.ctx) })
	}
	out := func() []outbox.Message {
		return b.messages(func() ([]outbox.Message, error) { return b.outbox.Outgoing(b.ctx) })
	}
	for _, id := range []string{"zebra", "ant", "mole"} {
		b.must(b.raise(id, id))
	}
	b.equal("in the order in which they were raised", []outbox.Message{{ID: "zebra", State: outbox.Pending}, {ID: "ant", State: outbox.Pending}, {ID: "mole", State: outbox.Pending}}, out())

	set := func(id, state, reference, reason string) {
		b.Helper()
		b.must(b.outbox.Set(b.ctx, id, outbox.Delivery{State: state, Reference: reference, Reason: reason, Tried: state == outbox.Sending}))
	}
	set("zebra", outbox.Sending, "", "")
	b.equal("one is being sent", outbox.Message{ID: "zebra", State: outbox.Sending, Attempts: 1}, out()[0])
	set("zebra", outbox.Pending, "", "the receiver's answer: 503")
	set("zebra", outbox.Sending, "", "")
	set("zebra", outbox.Sent, "1730000000.000100", "")
	set("mole", outbox.Sending, "", "")
	set("mole", outbox.Pending, "", "channel_not_found")
	b.reopen()
	b.begin()
	b.equal("what is not settled", []outbox.Message{{ID: "ant", State: outbox.Pending}, {ID: "mole", State: outbox.Pending, Attempts: 1, Reason: "channel_not_found"}}, out())
	b.equal("all", []outbox.Message{
		{ID: "zebra", State: outbox.Sent, Attempts: 2}, {ID: "ant", State: outbox.Pending}, {ID: "mole", State: outbox.Pending, Attempts: 1, Reason: "channel_not_found"},
	}, all())
	b.equal("references and reasons", []row{{"ant", nil, nil}, {"mole", nil, "channel_not_found"}, {"zebra", "1730000000.000100", nil}},
		b.rows("select message_id, reference, reason from {outbox} order by 1", nil))

	set("mole", outbox.Failed, "", "")
	b.equal("what an earlier version gave up is not settled", 2, len(out()))
	set("mole", outbox.Resending, "", "")
	b.equal("what may be there is not settled", 2, len(out()))
	set("ant", outbox.Folded, "", "")
	b.equal("what was folded is", 1, len(out()))
	b.must(b.outbox.Set(b.ctx, "mole", outbox.Delivery{State: outbox.Sending, Channel: "#other"}))
	b.must(b.ledger.Apply(b.ctx, outbox.Renew("mole", "#third", "{}")))
	b.must(b.ledger.Apply(b.ctx, outbox.Renew("nobody", "#third", "{}")))
	read := func(id string) []row {
		return b.rows("select channel, state, payload from {outbox} where message_id = {@id}", records.Args{"id": id})
	}
	b.equal("the channel that it is sent to, and no other payload meanwhile", []row{{"#other", "sending", `{"text":"it's mole"}`}}, read("mole"))
	set("mole", outbox.Pending, "", "")
	b.must(b.ledger.Apply(b.ctx, // as it is done beside the days that call for it
		outbox.Renew("mole", "#third", `{"text":"it's \\ new"}`),
		outbox.Set("zebra", outbox.Delivery{State: outbox.Folded, Reason: "folded into mole"}),
	))
	b.equal("renewed", []row{{"#third", "pending", `{"text":"it's \\ new"}`}}, read("mole"))
	b.equal("folded", []row{{"#ai-costs", "folded", `{"text":"it's zebra"}`}}, read("zebra"))
}

func testRaise(b *books) {
	b.begin()
	october, november := civil.Month{Year: 2026, Month: time.October}, civil.Month{Year: 2026, Month: time.November}
	keys := func(m civil.Month) (ids []string) {
		found, err := b.outbox.OfMonth(b.ctx, m)
		b.must(err)
		for _, m := range found {
			ids = append(ids, m.ID)
		}
		return ids
	}
	b.equal("messages of October, before there are any", []string(nil), keys(october))
	b.must(b.raise("support/2026-10/80/actual", "support/2026-10/50/actual", "support/2026-10/80/actual"))
	b.must(b.raise("support/2026-11/1200.00/50/actual/1", "support/2026-11/1200.00/50/actual/1"))
	b.must(b.raise("a%20b/2026-10/1200.00/50/actual/1", "a%20b/2026-10/1200.00/50/actual/1"))
	b.equal("messages of October, in the order in which they were raised", []string{"support/2026-10/80/actual", "a%20b/2026-10/1200.00/50/actual/1"}, keys(october))
	b.equal("messages of November", []string{"support/2026-11/1200.00/50/actual/1"}, keys(november))
	like, err := b.outbox.Like(b.ctx, "a%20b/")
	b.must(err)
	b.equal("messages whose id begins so", 1, len(like))

	b.refused("a key that was raised before", b.raise("third", "support/2026-10/100/actual", "support/2026-10/80/actual"))
	b.refused("a key twice in one message", b.raise("fourth", "other/2026-10/50/actual", "other/2026-10/50/actual"))
	b.equal("keys after refusals", int64(4), b.count("alerts"))
	b.equal("messages after refusals", int64(3), b.count("outbox"))

	late, err := b.raised("late", "support/2026-10/90/actual")
	b.must(err)
	b.must(b.engine.Apply(b.ctx, warehouse.Append{Table: "alerts", Rows: [][]any{{"support/2026-10/90/actual", "of another process"}}}))
	if err := b.ledger.Apply(b.ctx, late...); !errors.Is(err, warehouse.ErrChanged) {
		b.Errorf("an alert that another process raised meanwhile ended with %v, want ErrChanged", err)
	}
	b.equal("messages after the guard", int64(3), b.count("outbox"))

	b.must(b.raise("fifth", "support/2026-10/100/actual"))
	b.must(b.raise("no key"))
	b.equal("messages", []row{{"support/2026-10/80/actual", int64(1)}, {"support/2026-11/1200.00/50/actual/1", int64(2)}, {"a%20b/2026-10/1200.00/50/actual/1", int64(3)}, {"fifth", int64(4)}, {"no key", int64(5)}}, b.rows("select message_id, sequence from {outbox} order by sequence", nil))
}
