package decode

import (
	"chargeback/extract/decode/jsonscan"
	"chargeback/extract/record"
)

// RequestOptions names where a gateway's or platform's records hold what their
// format has no field of its own for. Which kind of name it is, a dotted path or
// a key of attributes, stands at each format. In each list the first that is
// present counts.
type RequestOptions struct {
	AgentID    []string
	ToolCalls  []string
	CostCenter []string
	ClientRef  []string
}

// optionFields are the places of RequestOptions in scanned values.
type optionFields struct{ agentID, toolCalls, costCenter, clientRef []int }

// options adds the dotted paths of o.
func (f *fields) options(o RequestOptions) optionFields {
	return optionFields{f.first(o.AgentID...), f.first(o.ToolCalls...), f.first(o.CostCenter...), f.first(o.ClientRef...)}
}

// read fills what the options name.
func (o *optionFields) read(v []jsonscan.Value, tools *toolReader, r *record.Request) error {
	r.AgentID, r.CostCenter, r.ClientRef = firstName(v, o.agentID), firstName(v, o.costCenter), firstID(v, o.clientRef)
	mix, err := tools.read(firstPresent(v, o.toolCalls))
	r.Tools, r.ToolCalls = mix.text, mix.calls
	return err
}
