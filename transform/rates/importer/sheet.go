package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
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

// read puts a price into the sheet, says where it had to be rounded, or warns
// that it can't be kept.
func (r *reader) read(s sheet, model, field string, raw json.RawMessage, above int64, class rates.Class, of unit) bool {
	pico, rounded, err := price(raw, of)
	if err != nil {
		r.warn(model, field, "is refused: %v", err)
		return false
	}
	if rounded {
		kept := rates.USDPerMillion(pico) + " USD a million tokens"
		if of == each || of == perThousand {
			kept = rates.USDEach(pico) + " USD"
		}
		r.list.Rounded = append(r.list.Rounded, Finding{model, field, fmt.Sprintf("%s is rounded at the 12th decimal to %s", short(raw), kept)})
	}
	s.set(above, class, pico)
	return true
}
