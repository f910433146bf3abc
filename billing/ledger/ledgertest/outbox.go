package ledgertest

import (
	"time"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
)

func (b *books) raise(id string, keys ...string) error {
	return b.engine.Transact(b.ctx, func() error {
		return b.ledger.Raise(b.ctx, ledger.Message{ID: id, Channel: "#ai-costs", Payload: `{"text":"it's ` + id + `"}`}, keys)
	})
}

// messages are the messages of the outbox in words: id, state and attempts.
func (b *books) messages(read func() ([]ledger.Message, error)) []ledger.Message {
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
	all := func() []ledger.Message {
		return b.messages(func() ([]ledger.Message, error) { return b.ledger.Messages(b.ctx) })
	}
	out := func() []ledger.Message {
		return b.messages(func() ([]ledger.Message, error) { return b.ledger.Outgoing(b.ctx) })
	}
	for _, id := range []string{"zebra", "ant", "mole"} {
		b.must(b.raise(id, id))
	}
	b.equal("in the order in which they were raised", []ledger.Message{{ID: "zebra", State: ledger.MessagePending}, {ID: "ant", State: ledger.MessagePending}, {ID: "mole", State: ledger.MessagePending}}, out())

	set := func(id, state, reference, reason string) {
		b.Helper()
		b.must(b.ledger.SetMessage(b.ctx, id, ledger.Delivery{State: state, Reference: reference, Reason: reason, Tried: state == ledger.MessageSending}))
	}
	set("zebra", ledger.MessageSending, "", "")
	b.equal("one is being sent", ledger.Message{ID: "zebra", State: ledger.MessageSending, Attempts: 1}, out()[0])
	set("zebra", ledger.MessagePending, "", "the receiver's answer: 503")
	set("zebra", ledger.MessageSending, "", "")
	set("zebra", ledger.MessageSent, "1730000000.000100", "")
	set("mole", ledger.MessageSending, "", "")
	set("mole", ledger.MessagePending, "", "channel_not_found")
	b.reopen()
	b.begin()
	b.equal("what is not settled", []ledger.Message{{ID: "ant", State: ledger.MessagePending}, {ID: "mole", State: ledger.MessagePending, Attempts: 1, Reason: "channel_not_found"}}, out())
	b.equal("all", []ledger.Message{
		{ID: "zebra", State: ledger.MessageSent, Attempts: 2, Reason: "the receiver's answer: 503"}, {ID: "ant", State: ledger.MessagePending}, {ID: "mole", State: ledger.MessagePending, Attempts: 1, Reason: "channel_not_found"},
	}, all())
	b.equal("references and reasons", []ledger.Row{{"ant", nil, nil}, {"mole", nil, "channel_not_found"}, {"zebra", "1730000000.000100", "the receiver's answer: 503"}},
		b.rows("select message_id, reference, reason from outbox order by 1", nil))

	set("mole", ledger.MessageFailed, "", "")
	b.equal("what an earlier version gave up is not settled", 2, len(out()))
	set("mole", ledger.MessageResending, "", "")
	b.equal("what may be there is not settled", 2, len(out()))
	set("ant", ledger.MessageFolded, "", "")
	b.equal("what was folded is", 1, len(out()))
	b.must(b.ledger.SetMessage(b.ctx, "mole", ledger.Delivery{State: ledger.MessageSending, Channel: "#other"}))
	b.must(b.ledger.RenewMessage(b.ctx, "mole", "#third", "{}"))
	b.must(b.ledger.RenewMessage(b.ctx, "nobody", "#third", "{}"))
	read := func(id string) []ledger.Row {
		return b.rows("select channel, state, payload from outbox where message_id = @id", ledger.Args{"id": id})
	}
	b.equal("the channel that it is sent to, and no other payload meanwhile", []ledger.Row{{"#other", "sending", `{"text":"it's mole"}`}}, read("mole"))
	set("mole", ledger.MessagePending, "", "")
	b.must(b.engine.Transact(b.ctx, func() error { // as it is done beside the days that call for it
		if err := b.ledger.RenewMessage(b.ctx, "mole", "#third", `{"text":"it's \\ new"}`); err != nil {
			return err
		}
		return b.ledger.SetMessage(b.ctx, "zebra", ledger.Delivery{State: ledger.MessageFolded, Reason: "folded into mole"})
	}))
	b.equal("renewed", []ledger.Row{{"#third", "pending", `{"text":"it's \\ new"}`}}, read("mole"))
	b.equal("folded", []ledger.Row{{"#ai-costs", "folded", `{"text":"it's zebra"}`}}, read("zebra"))
}

func testRaise(b *books) {
	b.begin()
	october, november := civil.Month{Year: 2026, Month: time.October}, civil.Month{Year: 2026, Month: time.November}
	keys := func(m civil.Month) (ids []string) {
		found, err := b.ledger.MonthMessages(b.ctx, m)
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
	like, err := b.ledger.MessagesLike(b.ctx, "a%20b/")
	b.must(err)
	b.equal("messages whose id begins so", 1, len(like))

	b.refused("a key that was raised before", b.raise("third", "support/2026-10/100/actual", "support/2026-10/80/actual"))
	b.refused("a key twice in one message", b.raise("fourth", "other/2026-10/50/actual", "other/2026-10/50/actual"))
	b.equal("keys after refusals", int64(4), b.count("alerts"))
	b.equal("messages after refusals", int64(3), b.count("outbox"))

	b.must(b.raise("fifth", "support/2026-10/100/actual"))
	b.must(b.raise("no key"))
	b.equal("messages", []ledger.Row{{"support/2026-10/80/actual", int64(1)}, {"support/2026-11/1200.00/50/actual/1", int64(2)}, {"a%20b/2026-10/1200.00/50/actual/1", int64(3)}, {"fifth", int64(4)}, {"no key", int64(5)}}, b.rows("select message_id, sequence from outbox order by sequence", nil))
}
