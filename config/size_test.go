package config

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParseSize(t *testing.T) {
	tests := []struct {
		in   string
		want Size // -1 = refused
	}{
		{"0B", 0}, {"1B", 1}, {"2kB", 2000}, {"2KB", 2000}, {"2KiB", 2048},
		{"64MB", 64_000_000}, {"64MiB", 64 << 20}, {" 1 GB ", 1_000_000_000}, {"1GiB", 1 << 30}, {"2TB", 2e12}, {"2TiB", 2 << 40},
		{"", -1}, {"64", -1}, {"MB", -1}, {"1.5GB", -1}, {"-1MB", -1}, {"1mb", -1}, {"64 M", -1}, {"9999999999TB", -1},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseSize(tt.in)
			if tt.want < 0 && err == nil {
				t.Errorf("accepted as %d", got)
			}
			if tt.want >= 0 && (err != nil || got != tt.want) {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}

func TestSizePrintsWhatItReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := Size(rapid.Int64Range(0, 1<<62).Draw(t, "bytes"))
		got, err := ParseSize(size.String())
		if err != nil || got != size {
			t.Fatalf("%d prints as %s, reads as %d, %v", size, size, got, err)
		}
	})
}
