package invoice

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/transform/money"
)

func csvRows(t interface{ Fatal(...any) }, write func(*bytes.Buffer) error) []map[string]string {
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestWriteCSV(t *testing.T) {
	in := testInput()
	in.Charges = in.Charges[1:4]
	in.Charges[0].AgentName, in.Charges[1].AgentName = "=HYPERLINK(\"x\")", ""
	in.Charges[0].Model, in.Charges[1].Model = "-large", "-large"
	in.Shared = in.Shared[:1]
	correction := &in.Charges[2]
	correction.AdjustsCode, correction.Reason, correction.Counterpart = "00419", "=late, and more", "CC-2"
	correction.CounterAmount, correction.HasCounter, correction.Reversed = usd("0.2"), true, true
	var out bytes.Buffer
	if err := WriteCSV(&out, mustBuild(t, in)); err != nil {
		t.Fatal(err)
	}
	want := `number,month,cost_center,currency,row,section,line_no,agent_id,agent_name,model,shared_cost,split_method,split_ratio,adjusts_month,adjusts_invoice,requests,cache_hits,estimated_requests,held_requests,input_tokens,cache_read_tokens,cache_write_tokens,output_tokens,llm_usd,infra_usd,tool_usd,shared_usd,total_usd,llm_usd_exact,infra_usd_exact,tool_usd_exact,shared_usd_exact,total_usd_exact,cache_savings_usd_exact,adjusts_cost_center,reason,moved_from,moved_to,before_usd_exact,now_usd_exact
CB-2026-10-00420-r0,2026-10,00420,USD,line,direct,1,bot,"'=HYPERLINK(""x"")",'-large,,,,,,11,3,1,0,100,50,7,20,1.01,0.00,0.50,0.00,1.51,1.005000000000,0.003000000000,0.500000000000,0.000000000000,1.508000000000,0.100000000000,,,,,,
CB-2026-10-00420-r0,2026-10,00420,USD,subtotal,direct,,,,,,,,,,11,3,1,0,100,50,7,20,1.01,0.00,0.50,0.00,1.51,1.005000000000,0.003000000000,0.500000000000,0.000000000000,1.508000000000,0.100000000000,,,,,,
CB-2026-10-00420-r0,2026-10,00420,USD,line,shared,2,,,,Vector store,fixed,60/100,,,0,0,0,0,0,0,0,0,0.00,0.00,0.00,0.33,0.33,0.000000000000,0.000000000000,0.000000000000,0.333000000000,0.333000000000,0.000000000000,,,,,,
CB-2026-10-00420-r0,2026-10,00420,USD,subtotal,shared,,,,,,,,,,0,0,0,0,0,0,0,0,0.00,0.00,0.00,0.33,0.33,0.000000000000,0.000000000000,0.000000000000,0.333000000000,0.333000000000,0.000000000000,,,,,,
CB-2026-10-00420-r0,2026-10,00420,USD,line,adjustment,3,bot,Support Bot,large,,,,2026-09,CB-2026-09-00420-r0,-1,0,0,0,0,0,0,0,-0.25,0.00,0.00,0.00,-0.25,-0.250000000000,0.000000000000,0.000000000000,0.000000000000,-0.250000000000,0.000000000000,00419,"'=late, and more",,CC-2,0.250000000000,0.200000000000
CB-2026-10-00420-r0,2026-10,00420,USD,subtotal,adjustment,,,,,,,,,,-1,0,0,0,0,0,0,0,-0.25,0.00,0.00,0.00,-0.25,-0.250000000000,0.000000000000,0.000000000000,0.000000000000,-0.250000000000,0.000000000000,,,,,,
CB-2026-10-00420-r0,2026-10,00420,USD,total,,,,,,,,,,,10,3,1,0,100,50,7,20,0.76,0.00,0.50,0.33,1.59,0.755000000000,0.003000000000,0.500000000000,0.333000000000,1.591000000000,0.100000000000,,,,,,
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Goal: what has no cost yet never reads as free.
func TestWriteCSVOfHeldRequests(t *testing.T) {
	in := testInput()
	in.Shared, in.Charges = nil, []Charge{{Model: "unknown", Requests: 5, Held: 5, InputTokens: 10}, {Model: "known", Requests: 2, Held: 1, LLM: money.MustParse("0.25")}}
	doc := mustBuild(t, in)
	for _, row := range csvRows(t, func(out *bytes.Buffer) error { return WriteCSV(out, doc) }) {
		if row["row"] != "line" {
			continue
		}
		want := map[string][3]string{"unknown": {"5", "", ""}, "known": {"1", "0.25", "0.250000000000"}}[row["model"]]
		if got := [3]string{row["held_requests"], row["total_usd"], row["total_usd_exact"]}; got != want {
			t.Errorf("%s: held, total and exact total %q, want %q", row["model"], got, want)
		}
	}
}

// Goal: the CSV carries the document's figures and adds up by itself.
// Method: sum the rows called line as a reader would.
func TestCSVAddsUp(t *testing.T) {
	amounts := []string{
		"llm_usd", "infra_usd", "tool_usd", "shared_usd", "total_usd",
		"llm_usd_exact", "infra_usd_exact", "tool_usd_exact", "shared_usd_exact", "total_usd_exact", "cache_savings_usd_exact",
	}
	rapid.Check(t, func(t *rapid.T) {
		doc, err := Build(drawInput(t))
		if err != nil {
			t.Fatal(err)
		}
		rows := csvRows(t, func(out *bytes.Buffer) error { return WriteCSV(out, doc) })
		for _, name := range amounts {
			sums := map[string]money.USD{}
			for _, row := range rows {
				sums[row["row"]] = sums[row["row"]].Add(usd(row[name]))
			}
			if !sums["line"].Equal(sums["total"]) || !sums["subtotal"].Equal(sums["total"]) {
				t.Errorf("%s: lines %s, subtotals %s, total %s", name, sums["line"], sums["subtotal"], sums["total"])
			}
		}
		last := rows[len(rows)-1]
		if last["total_usd"] != doc.Total.Cents.Total.String() || last["total_usd_exact"] != doc.Total.Exact.Total.Fixed() {
			t.Errorf("last row is %v, want the document's total", last)
		}
	})
}

var errFull = errors.New("disk is full")

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWritersReportErrors(t *testing.T) {
	doc := mustBuild(t, testInput())
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"lines", WriteCSV(fullDisk{}, doc), "write CSV of CB-2026-10-00420-r0"},
		{"journal", WriteJournal(fullDisk{}, []Document{doc}), "write journal"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !errors.Is(row.err, errFull) || !strings.HasPrefix(row.err.Error(), row.want) {
				t.Errorf("got %v", row.err)
			}
		})
	}
}

// Goal: where the close says so, files begin with a byte order mark, and nothing
// else of a document is another.
func TestByteOrderMark(t *testing.T) {
	doc := mustBuild(t, testInput())
	marked := doc
	marked.Output = Output{CSVEncoding: UTF8BOM, Fonts: []Font{{File: "a.ttf"}}, Unshown: "助"}
	hash, err := contentHash(marked)
	if err != nil || hash != doc.ContentHash {
		t.Errorf("hash is %s (%v), want %s", hash, err, doc.ContentHash)
	}
	for _, row := range []struct {
		name  string
		write func(*bytes.Buffer, Document) error
	}{
		{"lines", func(out *bytes.Buffer, d Document) error { return WriteCSV(out, d) }},
		{"journal", func(out *bytes.Buffer, d Document) error { return WriteJournal(out, []Document{d}) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			var with, without bytes.Buffer
			if err := errors.Join(row.write(&with, marked), row.write(&without, doc)); err != nil {
				t.Fatal(err)
			}
			if want := "\xEF\xBB\xBF" + without.String(); with.String() != want {
				t.Errorf("got %q, want %q", with.String(), want)
			}
		})
	}
}

func TestCharacters(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"", ""},
		{"助🤖", `"助" (U+52A9), "🤖" (U+1F916)`},
		{"\u0301\uE000", "U+0301, U+E000"},
		{"abcdefghij", `"a" (U+0061), "b" (U+0062), "c" (U+0063), "d" (U+0064), "e" (U+0065), "f" (U+0066), "g" (U+0067), "h" (U+0068) and 2 more`},
	} {
		if got := Characters([]rune(row.in)); got != row.want {
			t.Errorf("Characters(%q) = %s, want %s", row.in, got, row.want)
		}
	}
}
