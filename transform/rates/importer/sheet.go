package importer

import (
	"cmp"
	"encoding/json"
	"slices"

	"chargeback/transform/rates"
)

// sheet collects the unit prices of one model, by the number of prompt tokens
// above which they hold; 0 is any.
type sheet map[int64]rates.Units

func (s sheet) set(above int64, class rates.Class, pico int64) {
	if s[above] == nil {
		s[above] = rates.Units{}
	}
	s[above][class] = pico
}

func (s sheet) make() rates.Sheet {
	out := rates.Sheet{Units: s[0]}
	if out.Units == nil {
		out.Units = rates.Units{}
	}
	for above, units := range s {
		if above > 0 {
			out.Thresholds = append(out.Thresholds, rates.Step{Tokens: above, Units: units})
		}
	}
	slices.SortFunc(out.Thresholds, func(a, b rates.Step) int { return cmp.Compare(a.Tokens, b.Tokens) })
	return out
}

// read puts a price into the sheet, or warns that it can't be kept.
func (r *reader) read(s sheet, model, field string, raw json.RawMessage, above int64, class rates.Class, of unit) bool {
	pico, err := price(raw, of)
	if err != nil {
		r.warn(model, field, "is refused: %v", err)
		return false
	}
	s.set(above, class, pico)
	return true
}
