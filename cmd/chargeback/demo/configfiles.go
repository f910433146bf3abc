package demo

import (
	"bytes"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed files/*.tmpl
var templates embed.FS

// configFiles adds what stands at the top of the folder.
func (b *builder) configFiles() {
	m := b.month
	b.files.add("people.csv", peopleCSV(m.staff))
	b.files.add("directory.yaml", render("directory.yaml.tmpl", map[string]any{
		"Centers": costCenters, "Agents": agents(m.name), "Owners": owners,
	}))
	b.files.add("prices.yaml", render("prices.yaml.tmpl", map[string]any{
		"Prices": m.book, "Start": m.book[0].From, "Request": feeRequest, "CacheHit": feeCacheHit, "Tools": toolFees,
	}))
	b.files.add("chargeback.yaml", render("chargeback.yaml.tmpl", map[string]any{
		"Month": m.name, "Zone": Zone, "Start": m.first.Format(time.DateOnly), "Budgets": b.sum.Budgets,
		"UnknownModel": unpriced, "StandIn": haikuEU, "Held": b.sum.HeldUnpriced, "Broken": b.sum.Rejects, "Doubtful": b.sum.Match.Doubtful,
	}))
}

func render(name string, data any) []byte {
	t := template.Must(template.New(name).Funcs(template.FuncMap{
		"quote":   strconv.Quote,
		"instant": func(t time.Time) string { return t.Format(time.RFC3339) },
		"join": func(percents []int64) string {
			return strings.Trim(strings.ReplaceAll(fmt.Sprint(percents), " ", ", "), "[]")
		},
	}).ParseFS(templates, "files/"+name))
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		panic(err) // the templates and their data are both the demo's own
	}
	return out.Bytes()
}
