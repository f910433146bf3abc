package invoice

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"chargeback/templates"
	"chargeback/transform/money"
)

// The encodings of CSV files. The byte order mark lets a spreadsheet program see
// that a file is UTF-8; most programs that import one do without.
const (
	UTF8    = "utf-8"
	UTF8BOM = "utf-8-bom"
)

const byteOrderMark = "\xEF\xBB\xBF"

// begin writes what stands before the first row of the CSV of docs, which were
// closed together.
func begin(w io.Writer, docs ...Document) error {
	if !slices.ContainsFunc(docs, func(d Document) bool { return d.Output.CSVEncoding == UTF8BOM }) {
		return nil
	}
	_, err := io.WriteString(w, byteOrderMark)
	return err
}

// csvHeader names the columns of WriteCSV. Amounts without a suffix are cents
// as the document shows them, those with _exact have all 12 decimals. They are
// empty where no request of a line has a cost yet. The columns on corrections
// come last, since they came last; documents that were issued before do without.
func csvHeader(doc Document) []string {
	header := []string{
		"number", "month", "cost_center", "currency", "row", "section", "line_no",
		"agent_id", "agent_name", "model", "shared_cost", "split_method", "split_ratio", "adjusts_month", "adjusts_invoice",
		"requests", "cache_hits", "estimated_requests", "held_requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens",
		"llm_usd", "infra_usd", "tool_usd", "shared_usd", "total_usd",
		"llm_usd_exact", "infra_usd_exact", "tool_usd_exact", "shared_usd_exact", "total_usd_exact", "cache_savings_usd_exact",
	}
	if doc.Earlier() {
		return header
	}
	return append(header, "adjusts_cost_center", "reason", "moved_from", "moved_to", "before_usd_exact", "now_usd_exact")
}

// WriteCSV writes the lines, subtotals and total of doc as CSV with a header.
// Column row tells them apart: line, subtotal, total. Text cells can not act
// as formulas; numbers are plain decimals.
func WriteCSV(w io.Writer, doc Document) error {
	out := csv.NewWriter(w)
	rows := [][]string{csvHeader(doc)}
	lineNo := 0
	var saved money.USD
	for _, s := range doc.Sections() {
		var sectionSaved money.USD
		for _, line := range s.Lines {
			lineNo++
			rows = append(rows, csvRow(doc, "line", s.Name, strconv.Itoa(lineNo), line))
			sectionSaved = sectionSaved.Add(line.CacheSavings)
		}
		rows = append(rows, csvRow(doc, "subtotal", s.Name, "", Line{Amounts: s.Subtotal, CacheSavings: sectionSaved}))
		saved = saved.Add(sectionSaved)
	}
	rows = append(rows, csvRow(doc, "total", "", "", Line{Amounts: doc.Total, CacheSavings: saved}))
	if err := errors.Join(begin(w, doc), out.WriteAll(rows)); err != nil {
		return fmt.Errorf("write CSV of %s: %w", doc.Number, err)
	}
	return nil
}

func csvRow(doc Document, row string, name SectionName, lineNo string, line Line) []string {
	text, count := templates.CSVText, func(n int64) string { return strconv.FormatInt(n, 10) }
	q, c, e := line.Quantities, line.Cents, line.Exact
	amounts := []string{
		c.LLM.String(), c.Infra.String(), c.Tool.String(), c.Shared.String(), c.Total.String(),
		e.LLM.Fixed(), e.Infra.Fixed(), e.Tool.Fixed(), e.Shared.Fixed(), e.Total.Fixed(), line.CacheSavings.Fixed(),
	}
	if line.Unknown() {
		clear(amounts)
	}
	cells := append([]string{
		text(doc.Number), text(doc.Period.Month), text(doc.Party.Code), Currency, row, string(name), lineNo,
		text(line.AgentID), text(line.AgentName), text(line.Model),
		text(line.SharedName), text(line.Method), text(line.Ratio), text(line.AdjustsMonth), text(line.AdjustsInvoice),
		count(q.Requests), count(q.CacheHits), count(q.Estimated), count(q.Held),
		count(q.InputTokens), count(q.CacheReadTokens), count(q.CacheWriteTokens), count(q.OutputTokens),
	}, amounts...)
	if doc.Earlier() {
		return cells
	}
	m := line.Moved()
	before, now := "", ""
	if m.Known {
		before, now = m.Before.Fixed(), m.Now.Fixed()
	}
	return append(cells, text(line.AdjustsCode), text(line.Reason), text(m.From), text(m.To), before, now)
}
