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
		b.must(b.ledger.SetMessage(b.ctx, id, state, reference, reason))
	}
	set("zebra", ledger.MessageSending, "", "")
	b.equal("one is being sent", ledger.Message{ID: "zebra", State: ledger.MessageSending, Attempts: 1}, out()[0])
	set("zebra", ledger.MessagePending, "", "the receiver's answer: 503")
	set("zebra", ledger.MessageSending, "", "")
	set("zebra", ledger.MessageSent, "1730000000.000100", "")
	set("mole", ledger.MessageSending, "", "")
	set("mole", ledger.MessageFailed, "", "channel_not_found")
	b.reopen()
	b.begin()
	b.equal("what is not settled", []ledger.Message{{ID: "ant", State: ledger.MessagePending}}, out())
	b.equal("all", []ledger.Message{
		{ID: "zebra", State: ledger.MessageSent, Attempts: 2}, {ID: "ant", State: ledger.MessagePending}, {ID: "mole", State: ledger.MessageFailed, Attempts: 1},
	}, all())
	b.equal("references and reasons", []ledger.Row{{"ant", nil, nil}, {"mole", nil, "channel_not_found"}, {"zebra", "1730000000.000100", "the receiver's answer: 503"}},
		b.rows("select message_id, reference, reason from outbox order by 1", nil))
}

func testRaise(b *books) {
	b.begin()
	october, november := civil.Month{Year: 2026, Month: time.October}, civil.Month{Year: 2026, Month: time.November}
	keys := func(m civil.Month) []string {
		found, err := b.ledger.RaisedKeys(b.ctx, m)
		b.must(err)
		return found
	}
	b.must(b.raise("first", "support/2026-10/50/actual", "support/2026-10/80/actual"))
	b.must(b.raise("second", "support/2026-11/50/actual"))
	b.equal("keys of October", []string{"support/2026-10/50/actual", "support/2026-10/80/actual"}, keys(october))
	b.equal("keys of November", []string{"support/2026-11/50/actual"}, keys(november))

	b.refused("a key that was raised before", b.raise("third", "support/2026-10/100/actual", "support/2026-10/80/actual"))
	b.refused("a key twice in one message", b.raise("fourth", "other/2026-10/50/actual", "other/2026-10/50/actual"))
	b.equal("keys after refusals", []string{"support/2026-10/50/actual", "support/2026-10/80/actual"}, keys(october))
	b.equal("messages after refusals", int64(2), b.count("outbox"))

	b.must(b.raise("fifth", "support/2026-10/100/actual"))
	b.must(b.raise("no key"))
	b.equal("messages", []ledger.Row{{"first", int64(1)}, {"second", int64(2)}, {"fifth", int64(3)}, {"no key", int64(4)}}, b.rows("select message_id, sequence from outbox order by sequence", nil))
}
