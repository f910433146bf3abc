package app

import (
	"runtime/debug"
	"testing"
)

// Goal: buffers and what is beside them keep to the limit together, small limits
// included, and a GOMEMLIMIT that somebody has set stays.
// Method: limits from the smallest that the settings take on.
func TestMemoryIsShared(t *testing.T) {
	for limit, want := range map[int64]int64{150_000_000: 100_000_000, 1_500_000_000: 1_150_000_000, 8_000_000_000: 7_200_000_000} {
		if got := sharedMemory(limit); got != want {
			t.Errorf("buffers of %d: %d, want %d", limit, got, want)
		}
	}
	was := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(was) })
	debug.SetMemoryLimit(7 << 30)
	limitGo(1_000_000_000, func(string) string { return "7GiB" })
	if got := debug.SetMemoryLimit(-1); got != 7<<30 {
		t.Errorf("a limit that was set became %d", got)
	}
	for limit, want := range map[int64]int64{100_000_000: 350_000_000, 9_000_000_000: 900_000_000} {
		limitGo(limit, func(string) string { return "" })
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("Go's limit of %d: %d, want %d", limit, got, want)
		}
	}
}
