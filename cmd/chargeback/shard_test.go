package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/cmd/chargeback/app"
	"chargeback/jobs"
)

// Goal: workers that start together after an upgrade, or in an empty dataset, all go
// on, and none waits for what never comes.
// Method: what opening and making a ledger end with, one after the other.
func TestEnsured(t *testing.T) {
	held := fmt.Errorf("open: %w", jobs.ErrHeld)
	none := fmt.Errorf("open: %w", warehouse.ErrNone)
	other := errors.New("no right")
	tests := []struct {
		name       string
		open, make []error // the last one stays
		want       error
		took       time.Duration
	}{
		{"a ledger that is there", []error{nil}, nil, nil, 0},
		{"none, and this worker makes it", []error{none}, []error{nil}, nil, 0},
		{"none, and another worker makes it", []error{none, none, nil}, []error{held}, nil, 2 * time.Second},
		{"an earlier one that another worker brings up to date", []error{held, held, held, nil}, nil, nil, 3 * time.Second},
		{"an earlier one that may not be changed", []error{errors.Join(warehouse.ErrOutdated, other)}, nil, other, 0},
		{"one that can't be made", []error{none}, []error{other}, other, 0},
		{"a runner that never ends", []error{held}, nil, jobs.ErrHeld, app.LeaseTTL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := ensured(t.Context(), next(tt.open), next(tt.make))
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Errorf("ends with %v, want %v", err, tt.want)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %s, want %s", took, tt.took)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := ensured(ctx, next([]error{held}), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a worker that is stopped ends with %v", err)
		}
	})
}

// next gives the errors one by one, and the last one again.
func next(errs []error) func() error {
	return func() error {
		err := errs[0]
		if len(errs) > 1 {
			errs = errs[1:]
		}
		return err
	}
}
