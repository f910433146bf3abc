package jobs

import (
	"context"
	"errors"
	"testing"
)

// Goal: where ctx ends with the last file nothing is left to do, and what was done is
// no failure; where it ends before, some files are missing.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	files := []monthFile{{name: "a"}, {name: "b"}, {name: "c"}}
	for _, tt := range []struct {
		ends string // file with which ctx ends
		want error
		done int
	}{
		{"c", nil, 3},
		{"a", context.Canceled, 1},
		{"", nil, 3},
	} {
		ctx, stop := context.WithCancel(t.Context())
		done := 0
		err := atOnce(ctx, 1, files, func(f monthFile) error {
			if done++; f.name == tt.ends {
				stop()
			}
			return nil
		})
		stop()
		if !errors.Is(err, tt.want) || done < tt.done || tt.want == nil && done != len(files) {
			t.Errorf("ctx ends with %q: %v after %d files, want %v after %d", tt.ends, err, done, tt.want, tt.done)
		}
	}
	failed := errors.New("disk full")
	if err := atOnce(t.Context(), 2, files, func(monthFile) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("a file that fails: %v", err)
	}
}
