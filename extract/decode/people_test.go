package decode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const header = "email,department,cost_center,valid_from,valid_to\n"

func TestPeopleHeader(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", "the file is empty; its first line must name email, department, cost_center, valid_from, valid_to"},
		{"blank lines", "\n , ,\n", "the file is empty; its first line must name email, department, cost_center, valid_from, valid_to"},
		{"no header", "user001@example.com,Support,00420,2026-01-01,\n", "line 1: column email is missing; the header must name email, department, cost_center, valid_from, valid_to, with commas between"},
		{"semicolons", strings.ReplaceAll(header, ",", ";"), "line 1: column email is missing; the header must name email, department, cost_center, valid_from, valid_to, with commas between"},
		{"one missing", "email,department,cost_center,valid_from\n", "line 1: column valid_to is missing; the header must name email, department, cost_center, valid_from, valid_to, with commas between"},
		{"one twice", "email,department,EMAIL,cost_center,valid_from,valid_to\n", "line 1: column email occurs twice; keep one of them"},
		{"broken", "\"email,department\n", "line 1: broken CSV: extraneous or missing \" in quoted-field; close each quote in its row"},
		{"too long", strings.Repeat("x", 70000) + "\n", "line 1: the row is longer than 65536 bytes"},
		{"below blank lines", "\r\n\r\n" + header, ""},
		{"in quotes", "\"email\",\" Department \",\"cost_center\",\"valid_from\",\"valid_to\"\r\n", ""},
		{"alone, without a line end", strings.TrimSpace(header), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(berlin(t), People{}, strings.NewReader(tt.text))
			got := ""
			if l.err != nil {
				got = l.err.Error()
			}
			if got != tt.want || len(l.rows) > 0 || len(l.rejects) > 0 {
				t.Errorf("error %q, want %q; %d rows, rejects %v", got, tt.want, len(l.rows), l.rejects)
			}
		})
	}
}

// Goal: a row that is too long, or whose quote nobody closed, costs itself.
func TestPeopleLosesBadRowsOnly(t *testing.T) {
	good := func(i int) string { return fmt.Sprintf("user%03d@example.com,Support,00420,2026-01-01,\n", i) }
	text := header + good(2) + "\"open,Support,00420,2026-01-01,\n" + good(4) + strings.Repeat("x", 1<<18) + "\n" + good(6) + "x\"y,Support,00420,2026-01-01,\n" + good(8) + strings.Repeat("y", 1<<17)
	l := load(berlin(t), People{}, strings.NewReader(text))
	var lines []string
	for _, row := range l.rows {
		lines = append(lines, row["line"]+" "+row["email"])
	}
	want := []string{"2 user002@example.com", "4 user004@example.com", "6 user006@example.com", "8 user008@example.com"}
	if diff := cmp.Diff(want, lines); diff != "" || l.err != nil {
		t.Errorf("error %v, rows (-want +got)\n%s", l.err, diff)
	}
	var rejects []string
	for _, r := range l.rejects {
		rejects = append(rejects, fmt.Sprint(r.Line, " ", r.Reason))
	}
	wantRejects := []string{
		"3 broken CSV: extraneous or missing \" in quoted-field; close each quote in its row", "5 the row is longer than 65536 bytes",
		"7 broken CSV: bare \" in non-quoted-field; close each quote in its row", "9 the row is longer than 65536 bytes",
	}
	if diff := cmp.Diff(wantRejects, rejects); diff != "" {
		t.Errorf("rejects (-want +got)\n%s", diff)
	}
}

// Goal: what a row says is what is loaded, for any order of columns, any quoting
// and any line end.
func TestPeopleGivesWhatWasWritten(t *testing.T) {
	env := berlin(t)
	text := rapid.StringMatching(`[A-Za-z0-9ü=+@,";' -]{0,8}[A-Za-z0-9]`)
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.Permutation([]string{"email", "department", "cost_center", "valid_from", "valid_to", "note"}).Draw(t, "columns")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		file := strings.Join(columns, ",") + end
		var want []map[string]string
		for i := range rapid.IntRange(0, 5).Draw(t, "rows") {
			row := map[string]string{
				"email": fmt.Sprintf("user%03d@example.com", i), "valid_from": "2026-01-01", "valid_to": rapid.SampledFrom([]string{"", "2026-02-01"}).Draw(t, "to"),
				"department": text.Draw(t, "department"), "cost_center": "00" + text.Draw(t, "code"), "note": text.Draw(t, "note"),
			}
			var cells []string
			for _, c := range columns {
				cells = append(cells, quoted(t, row[c]))
			}
			file += strings.Join(cells, ",") + end
			delete(row, "note")
			row["object_id"], row["line"], row["snapshot_date"], row["names"] = "42", fmt.Sprint(i+2), null, null
			row["department"] = strings.TrimSpace(row["department"])
			if row["valid_to"] == "" {
				row["valid_to"] = "9999-12-31"
			}
			want = append(want, row)
		}
		l := load(env, People{}, strings.NewReader(file))
		if diff := cmp.Diff(want, l.rows); diff != "" || l.err != nil || len(l.rejects) > 0 {
			t.Fatalf("%q: error %v, rejects %v (-want +got)\n%s", file, l.err, l.rejects, diff)
		}
	})
}

func quoted(t *rapid.T, s string) string {
	if strings.ContainsAny(s, `",`) || rapid.Bool().Draw(t, "quoted") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

func TestNormEmail(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"blanks and capitals", " User017@EXAMPLE.com\t", "user017@example.com"},
		{"decomposed", "MU\u0308ller@example.com", "m\u00fcller@example.com"},
		{"empty", " ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := NormEmail(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEmailOfAUserID(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"address", "user017@example.com", "user017@example.com"},
		{"address in capitals", "User017@Example.com", "user017@example.com"},
		{"address outside ASCII", "MU\u0308ller@example.com", "m\u00fcller@example.com"},
		{"no address keeps its case", "Batch-User", "Batch-User"},
		{"not UTF-8 stays, to be refused", "User\xff@example.com", "User\xff@example.com"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(email([]byte(tt.in))); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
