package wildcard

import "testing"

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, value string
		want           bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "a", true}, {"a*", "abc", true}, {"*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "a", false},
		{"aba*aba", "aba", false}, {"a*b*c", "a-b-c", true}, {"a*b*c", "a-c", false}, {"*", "", true}, {"a*a", "a", false}, {"*b*", "abc", true},
	} {
		if got := Match(tt.pattern, tt.value); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.pattern, tt.value, got)
		}
	}
}
