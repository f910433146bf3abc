package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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

// Goal: every file is drawn and handed over once, with its own bytes; no more are drawn
// at once than there are workers, and those that another content has taken are named,
// with all others written.
func TestDrawn(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{0, 1, 3} {
		var drawing, most, drawn atomic.Int64
		var files []monthFile
		var names, odd []string
		for n := range 200 {
			name := fmt.Sprint(n)
			if names = append(names, name); n%2 == 1 {
				odd = append(odd, name)
			}
			files = append(files, monthFile{name, func() ([]byte, error) {
				now := drawing.Add(1)
				defer drawing.Add(-1)
				for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
				}
				drawn.Add(1)
				return []byte(name), nil
			}})
		}
		begun, ended := 0, 0
		b := &Books{}
		b.Month.Workers, b.Month.Drawing = workers, func() func() { begun++; return func() { ended++ } }
		var mu sync.Mutex
		var handed []string
		taken, err := b.drawn(t.Context(), files, func(f monthFile, content []byte) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if handed = append(handed, f.name); f.name != string(content) {
				t.Errorf("%s was handed over with the bytes of %s", f.name, content)
			}
			return slices.Contains(odd, f.name), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range [][]string{names, odd, handed, taken} {
			slices.Sort(list)
		}
		if !slices.Equal(handed, names) || !slices.Equal(taken, odd) || drawn.Load() != 200 || most.Load() > int64(max(1, workers)) || begun != 1 || ended != 1 {
			t.Errorf("%d workers: %d drawn, %d at once at most, %d handed over, %d taken, begun %d times, ended %d times", workers, drawn.Load(), most.Load(), len(handed), len(taken), begun, ended)
		}
	}
	failed := errors.New("no font")
	broken := []monthFile{{"a", func() ([]byte, error) { return nil, failed }}}
	if _, err := (&Books{}).drawn(t.Context(), broken, func(monthFile, []byte) (bool, error) { return false, nil }); !errors.Is(err, failed) {
		t.Errorf("a file that can't be drawn: %v", err)
	}
}
