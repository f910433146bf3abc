package consolenotify

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/budget"
	"chargeback/billing/notify"
	"chargeback/transform/money"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

func message() notify.Message {
	return notify.Message{ID: "support/2026-10/100/actual", Channel: "#support-ai-costs", Alert: budget.Alert{
		Kind: budget.Actual, Budget: "support", Month: "2026-10", AsOf: "2026-10-30",
		Scope:  budget.Scope{Kind: budget.CostCenter, Value: "00420", Name: "Customer Support"},
		Amount: money.MustParse("1200"), Spent: money.MustParse("1440"), Forecast: money.MustParse("1488"), Percent: 120,
		Crossed: []int{50, 80, 100}, Held: 3,
		Drivers: []budget.Driver{
			{Label: "Support Bot", Spent: money.MustParse("1000")}, {Label: "Triage", Spent: money.MustParse("440")},
		},
	}}
}

// Goal: what an operator without Slack reads.
// Method: two messages in one stream, against a golden file.
func TestSend(t *testing.T) {
	var out bytes.Buffer
	sender := New(&out, 60)
	for range 2 {
		ref, err := sender.Send(t.Context(), message())
		if err != nil || ref != "console" {
			t.Fatalf("Send = %q, %v", ref, err)
		}
	}
	path := filepath.Join("testdata", "alerts.txt")
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

type brokenPipe struct{}

var errPipe = errors.New("broken pipe")

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestSendFails(t *testing.T) {
	t.Run("the writer fails", func(t *testing.T) {
		_, err := New(brokenPipe{}, 0).Send(t.Context(), message())
		want := "print alert support/2026-10/100/actual: broken pipe; it is printed again by the next run"
		if err == nil || err.Error() != want || !errors.Is(err, errPipe) {
			t.Errorf("error = %v, want %s", err, want)
		}
	})
	t.Run("the run was cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out bytes.Buffer
		_, err := New(&out, 0).Send(ctx, message())
		if !errors.Is(err, context.Canceled) || out.Len() > 0 {
			t.Errorf("error = %v, %d bytes written", err, out.Len())
		}
	})
}
