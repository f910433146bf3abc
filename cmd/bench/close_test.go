package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Goal: both months are closed, the second after late use of the first, and documents
// decide whether that was measured.
// Method: this test binary stands in for the program and writes documents.
func TestCloses(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, corrected, err string }{
		{name: "a correction each", corrected: "3"},
		{name: "one has none", corrected: "2", err: "2026-09 has 3 documents, of which 2 correct an earlier month; want 3 and 3"},
		{name: "none has one", corrected: "0", err: "of which 0 correct"},
		{name: "no documents", corrected: "none", err: "2026-08 has 0 documents"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(childClose, row.corrected)
			dir := t.TempDir()
			var out strings.Builder
			err := measureCloses(t.Context(), &out, dir, self, 3)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("got error %v, want one with %q", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"3 cost centres", "close without corrections", "close with a correction each", "times the time of that without"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
			months, err := os.ReadFile(filepath.Join(dir, "months"))
			if want := "2026-08 before late use\n2026-08 before late use\n2026-09 after late use\n2026-09 after late use\n"; err != nil || string(months) != want {
				t.Errorf("closed %q, %v, want %q", months, err, want)
			}
		})
	}
	if err := closeCommand(t.Context(), []string{"-centers", "0"}); err == nil {
		t.Error("a company of no cost centres was accepted")
	}
}

// childClose makes this test binary stand in for the program of closeCommand; its value
// is how many documents of the second month correct the first.
const childClose = "BENCH_TEST_CHILD_CLOSE"

// childMonth writes three documents for a month that it is told to close, and notes it.
func childMonth(corrected string, args []string) error {
	if !slices.Contains(args, "monthly") {
		return nil
	}
	month, dir := args[slices.Index(args, "--month")+1], filepath.Dir(args[len(args)-1])
	late := "before"
	if _, err := os.Stat(filepath.Join(dir, "data", "2026", "08", "31", "late.jsonl")); err == nil {
		late = "after"
	}
	months, err := os.OpenFile(filepath.Join(dir, "months"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(months, "%s %s late use\n", month, late)
	folder := filepath.Join(dir, "invoices", month)
	failed := []error{err, months.Close(), os.MkdirAll(folder, 0o700)}
	n, err := strconv.Atoi(corrected)
	if err != nil {
		return errors.Join(failed...)
	}
	for i := range 3 {
		text := "a document"
		if month == correctedMonth && i < n {
			text = "a document,line,adjustment,1"
		}
		failed = append(failed, os.WriteFile(filepath.Join(folder, fmt.Sprintf("CB-%d.csv", i)), []byte(text), 0o600))
	}
	return errors.Join(failed...)
}
