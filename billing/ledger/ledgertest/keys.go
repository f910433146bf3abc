package ledgertest

import (
	"strings"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// A UUID, and an id that is none, of a usage row and of its request each.
const (
	uuidOfProvider = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
	uuidOfPlatform = "0d5e9a4c-3b2f-4c6e-9f1a-8d7c6b5a4e3f"
	wordOfProvider = "req_011CSHoEeqs5C35K2UUqR7Fy"
	wordOfPlatform = "gen-it's 1"
)

func named() Rows {
	return Rows{
		Usage: []Usage{{RequestID: uuidOfProvider, At: "2026-09-30 10:00:00"}, {RequestID: wordOfProvider, At: "2026-10-02 10:00:00"}},
		Requests: []Request{
			{ID: uuidOfPlatform, RequestID: uuidOfProvider, At: "2026-09-30 10:00:00"},
			{ID: wordOfPlatform, RequestID: wordOfProvider, At: "2026-10-02 10:00:00"},
		},
	}
}

// keyColumns are the columns of keys of a table, and those of their texts.
func keyColumns(t warehouse.Table) (keys, texts []string) {
	for i, c := range t.Columns {
		if c.Type == record.ID {
			keys, texts = append(keys, c.Name), append(texts, t.Columns[i+1].Name)
		}
	}
	return keys, texts
}

// unkeyed leaves a ledger as one of before there were keys, but for its layout: with
// all ids as texts.
func (b *books) unkeyed() {
	b.Helper()
	changes := []warehouse.Change{warehouse.Delete{Table: "meta", Where: "name = 'id_keys'"}}
	for _, name := range []string{"usage", "requests"} {
		t := b.table(name)
		set := warehouse.Args{}
		keys, texts := keyColumns(t)
		for i := range keys {
			set[keys[i]], set[texts[i]] = nil, warehouse.Expression("coalesce(nullif("+texts[i]+", ''), {key_text("+keys[i]+")})")
		}
		changes = append(changes, warehouse.Update{Table: name, Set: set, Where: t.Partition + " >= {@since}", Args: warehouse.Args{"since": civil.Min}})
	}
	b.must(b.engine.Apply(b.ctx, changes...))
}

// keys are the keys of all staged rows.
func (b *books) keys() (all []string) {
	b.Helper()
	for _, name := range []string{"usage", "requests"} {
		keys, _ := keyColumns(b.table(name))
		for _, r := range b.rows("select "+strings.Join(keys, ", ")+" from {"+name+"} where "+b.table(name).Partition+" >= {@since} order by line", records.Args{"since": civil.Min}) {
			for _, v := range r {
				if key, is := v.(record.Key); is {
					all = append(all, key.String())
				} else {
					all = append(all, "null")
				}
			}
		}
	}
	return all
}

// keyed are the keys that nights have made of named, in records that are matched.
func (b *books) keyed() filling {
	b.Helper()
	b.begin()
	b.stage(named())
	b.replace("2026-09-30", "2026-10-02")
	b.namedAsTheyAre("of the night")
	return filling{
		what: "keys", mark: "id_keys", steps: 5, // one for each month of a table, and the mark
		take: b.unkeyed, read: func() any { return b.keys() },
	}
}

// namedAsTheyAre checks that records of named are matched, found and shown by their ids.
func (b *books) namedAsTheyAre(when string) {
	b.Helper()
	shown := []row{{uuidOfProvider, uuidOfPlatform, "matched"}, {wordOfProvider, wordOfPlatform, "matched"}}
	b.equal("records "+when, shown, b.rows("select provider_request_id, agent_request_id, match from {cost_records} where usage_date >= {@since} order by started_at", records.Args{"since": civil.Min}))
	for _, r := range shown {
		for _, id := range r[:2] {
			all := b.explained(id.(string), -1)
			if len(all) != 1 || all[0].ProviderRequestID != r[0] || all[0].AgentRequestID != r[1] {
				b.Errorf("%s: %s is told by %+v", when, id, all)
			}
		}
	}
}

// Goal: ids that are UUIDs and ids that are not are matched by their keys, found by
// their texts and shown as they are; rows of before there were keys get them from
// whoever may write when the ledger is opened, and are not read before.
func testKeysFilled(b *books) {
	keys := b.keyed()
	kept := b.rows("select r.agent_request_id, u.provider_request_id from {requests} as r inner join {usage} as u on u.provider_request_key = r.provider_request_key where r.request_date >= {@since} and u.usage_date >= {@since} order by r.line", records.Args{"since": civil.Min})
	b.equal("texts that keys don't tell", []row{{"", nil}, {wordOfPlatform, wordOfProvider}}, kept)
	b.isFilled(keys)
	b.namedAsTheyAre("of rows that were filled in")
}

// Goal: keys are filled in whole or not at all.
func testKeysCutOff(b *books) { b.isFilledWhole(b.keyed()) }
