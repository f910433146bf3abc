package config

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "1h": time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "30s": 30 * time.Second, "10m": 10 * time.Minute, "1h0m5s": time.Hour + 5*time.Second, "20h": 20 * time.Hour} {
		var d, again Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%q is read as %s, %v", text, d, err)
		}
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%q is printed as %s, which is read as %s, %v", text, d, again, err)
		}
	}
	for _, text := range []string{"60", "an hour", "1d"} {
		if err := new(Duration).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
	for d, want := range map[time.Duration]string{time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", time.Hour + 5*time.Second: "1h0m5s", 0: "0s"} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%s is printed as %s", want, got)
		}
	}
}
