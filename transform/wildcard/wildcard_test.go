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

func TestMeet(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a*", "*b", true}, {"a*", "b*", false}, {"*", "", true}, {"", "a*", false}, {"a*c", "ab*", true}, {"a*c", "*b", false},
		{"*a*", "*b*", true}, {"a*a", "a", false}, {"**", "x", true}, {"sales*", "*sales", true}, {"ab", "a", false}, {"a", "ab", false}, {"a*", "a", true},
	} {
		if Meet(tt.a, tt.b) != tt.want || Meet(tt.b, tt.a) != tt.want {
			t.Errorf("Meet(%q, %q) and the other way round are not both %v", tt.a, tt.b, tt.want)
		}
	}
}
