package importer

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/transform/rates"
)

var update = flag.Bool("update", false, "write golden files")

func fixture(t testing.TB, format string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", format+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRead holds what each format's rules make of a small list against a golden
// file that was read through.
func TestRead(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			list, err := Read(format, "prices.json", fixture(t, format), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, e := range list.Entries {
				b.WriteString(e.YAML())
			}
			for _, f := range list.Skipped {
				fmt.Fprintln(&b, "skipped", f)
			}
			for _, f := range list.Warnings {
				fmt.Fprintln(&b, "warning", f)
			}
			for _, f := range list.Rounded {
				fmt.Fprintln(&b, "rounded", f)
			}
			for _, f := range list.Free {
				fmt.Fprintln(&b, "free", f)
			}
			golden := filepath.Join("testdata", format+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("-want +got; -update writes it:\n%s", diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	tests := []struct{ name, format, data, want string }{
		{"unknown format", "csv", `{}`, `read price list p.json: "csv" is not a format; take one of litellm, genai-prices, models.dev, openrouter`},
		{"no JSON", LiteLLM, `<html>`, `is not JSON at byte 1: `},
		{"cut off", GenAIPrices, `[{"id": "x"`, `is not JSON at byte 11: `},
		{"empty file", OpenRouter, ``, `is not JSON at byte 0: `},
		{"a list for an object", LiteLLM, `[]`, `is no list in the format litellm, which is an object of models; name another format, one of `},
		{"null", LiteLLM, `null`, `is no list in the format litellm`},
		{"an object for a list", GenAIPrices, `{"data": []}`, `is no list in the format genai-prices, which is a list of providers with models`},
		{"other objects", GenAIPrices, `[{"name": "x"}]`, `is no list in the format genai-prices`},
		{"models without provider", LiteLLM, `{"data": {"id": 1}}`, `is no list in the format litellm`},
		{"providers without models", ModelsDev, `{"openai": {"id": "openai"}}`, `is no list in the format models.dev`},
		{"data is missing", OpenRouter, `{"models": []}`, `is no list in the format openrouter`},
		{"no models", OpenRouter, `{"data": []}`, `has no models; fetch the file again`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Read(tt.format, "p.json", []byte(tt.data), Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestPrice(t *testing.T) {
	tests := []struct {
		raw  string
		of   unit
		pico int64
		fail string
	}{
		{"2.9999900000000002e-06", perToken, 2_999_990, ""},
		{"3.0000000000000004e-07", perToken, 300_000, ""},
		{"1.3e-10", perToken, 130, ""},
		{`"3e-6"`, perToken, 3_000_000, ""},
		{"0", perToken, 0, ""},
		{"3.3333333333333335e-05", perToken, 33_333_333, ""},
		{"1.25e-11", perToken, 13, ""},
		{`"0.0000000833333333333333"`, perToken, 83_333, ""},
		{"5e-13", perToken, 1, ""},
		{"4.9e-13", perToken, 0, `"4.9e-13" is too small for a price with 12 decimals`},
		{"0.1", perToken, 0, "is more than 1000 US dollars a million"},
		{`"-1"`, perToken, 0, `"-1" is negative, which says that there is no fixed price`},
		{"1e999999999", perToken, 0, "is not a number"},
		{"1e-999999999", perToken, 0, "is not a number"},
		{`"free"`, perToken, 0, `"free" is not a number`},
		{"{}", perToken, 0, "is not a number"},
		{"0.30000000000000004", perMillion, 300_000, ""},
		{"0.0000001", perMillion, 0, "is too small for a price with 12 decimals"},
		{"0.0833333333333", perMillion, 83_333, ""},
		{"0.0000015", perMillion, 2, ""},
		{"0.0000000000015", each, 2, ""},
		{"0.0000000015", perThousand, 2, ""},
		{"0.035", each, 35_000_000_000, ""},
		{"10", perThousand, 10_000_000_000, ""},
		{"2000000", each, 0, "is more than 100 US dollars"},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			pico, _, err := price([]byte(tt.raw), tt.of)
			if tt.fail == "" && (err != nil || pico != tt.pico) {
				t.Errorf("got %d, %v; want %d", pico, err, tt.pico)
			}
			if tt.fail != "" && (err == nil || !strings.Contains(err.Error(), tt.fail)) {
				t.Errorf("got %d, %v; want %q", pico, err, tt.fail)
			}
		})
	}
}

// FuzzRead reads any bytes as each format. What is taken over must be a document
// that the book reads, and that changes nothing a second time.
func FuzzRead(f *testing.F) {
	for _, format := range Formats() {
		f.Add(format, fixture(f, format))
	}
	f.Add(LiteLLM, []byte(`{"a\u0000\"*": {"litellm_provider": "x/y", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}}`))
	at := time.Date(2026, time.August, 1, 0, 0, 0, 0, time.UTC)
	base := rates.File{Name: "prices.yaml", Data: []byte(smallBook)}
	before, err := rates.ParseFiles([]rates.File{base})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, format string, data []byte) {
		list, err := Read(format, "fuzz.json", data, Options{Free: true})
		if err != nil {
			return
		}
		for _, e := range list.Entries {
			for _, pico := range e.Units {
				if pico < 0 {
					t.Fatalf("negative price: %s", e.YAML())
				}
			}
		}
		terms := Terms{From: at, Learned: at, Source: "fuzz 2026-08-01", Dated: at}
		plan := Changes(before, list, terms)
		if len(plan.Added) == 0 {
			return
		}
		book, err := rates.ParseFiles([]rates.File{base, {Name: "more.yaml", Data: Document(plan.Added, "fuzz")}})
		if err != nil {
			t.Fatalf("%v\n%s", err, Document(plan.Added, "fuzz"))
		}
		if again := Changes(book, list, terms); len(again.Added) > 0 {
			t.Fatalf("changes again: %s", Document(again.Added, "fuzz"))
		}
	})
}
