package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"chargeback/billing/warehouse"
	"chargeback/jobs"
)

func TestExitCode(t *testing.T) {
	look := &exitError{exitLook, errors.New("look")}
	gates := fmt.Errorf("monthly/2026-10: %w: gate unpriced", jobs.ErrGates)
	locked := fmt.Errorf("open: %w by process 1", warehouse.ErrLocked)
	plain := errors.New("disk full")
	stopped, stop := context.WithCancel(context.Background())
	stop()
	tests := []struct {
		name string
		ctx  context.Context
		err  error
		want int
	}{
		{"done", nil, nil, 0},
		{"failed", nil, plain, 1},
		{"command line", nil, usage("--date: %w", plain), 2},
		{"needs a look", nil, look, 3},
		{"two need a look", nil, errors.Join(look, errors.Join(look)), 3},
		{"gates", nil, gates, 4},
		{"in use", nil, locked, 11},
		{"in use, wrapped", nil, fmt.Errorf("nights: %w", locked), 11},
		{"in use by readers", nil, fmt.Errorf("open: %w", warehouse.ErrRead), 11},
		{"damaged", nil, fmt.Errorf("open: %w", warehouse.ErrDamaged), 1},
		{"held", nil, &jobs.HeldError{Name: "lease", Owner: "process 1"}, 11},
		{"overtaken", nil, fmt.Errorf("commit: %w", warehouse.ErrFenced), 11},
		{"lease lost", nil, errors.Join(fmt.Errorf("lease: %w", jobs.ErrLeaseLost), context.Canceled), 11},
		{"gates before a look", nil, errors.Join(look, gates), 4},
		{"a failure before a look", nil, errors.Join(look, plain), 1},
		{"a failure before gates", nil, errors.Join(errors.Join(look, gates), plain), 1},
		{"stopped", stopped, fmt.Errorf("nightly/2026-10-01: %w", context.Canceled), 130},
		{"stopped after a look", stopped, errors.Join(look, context.Canceled), 130},
		{"stopped when it was done", stopped, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ctx == nil {
				tt.ctx = context.Background()
			}
			if got := exitCode(tt.ctx, tt.err); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestColumnsBelievesTheVariable(t *testing.T) {
	without := columns(func(string) string { return "" }) // the terminal's, where the tests have one
	for text, want := range map[string]int{"60": 60, "200": 200, "0": without, "-5": without, "wide": without} {
		if got := columns(func(string) string { return text }); got != want {
			t.Errorf("COLUMNS=%q: %d, want %d", text, got, want)
		}
	}
}

func TestItemBreaksAtTheWidth(t *testing.T) {
	tests := []struct {
		name  string
		width int
		text  string
		want  string
	}{
		{"nobody watches", 0, "  ! a b c d e f", "  ! a b c d e f\n"},
		{"fits", 9, "  ! a b c", "  ! a b c\n"},
		{"too long", 9, "  ! a b c d e", "  ! a b c\n    d e\n"},
		{"a word that fits no line stays where it is", 9, "  ! a bbbbbbbbbb c", "  ! a bbbbbbbbbb\n    c\n"},
		{"counts letters, not bytes", 9, "  ä ö ü ß", "  ä ö ü ß\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			world{out: &out, wrap: tt.width}.item("%s", tt.text)
			if out.String() != tt.want {
				t.Errorf("got\n%swant\n%s", out.String(), tt.want)
			}
		})
	}
}

func TestProgram(t *testing.T) {
	for arg0, want := range map[string]string{
		"/tmp/go-build123/b001/exe/chargeback":        "go run ./cmd/chargeback",
		"/home/me/.cache/go-build/ab/cd-d/chargeback": "go run ./cmd/chargeback",
		"chargeback":   "chargeback",
		"./chargeback": "./chargeback",
	} {
		if got := program(arg0); got != want {
			t.Errorf("%s: %s, want %s", arg0, got, want)
		}
	}
}
