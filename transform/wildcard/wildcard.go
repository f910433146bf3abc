// Package wildcard matches names with patterns in which * is any run of
// characters.
//
// It owns: that one rule, for the rate book and the directory alike.
// It does not own: which of several patterns counts.
package wildcard

import "strings"

// Match says whether pattern is value.
func Match(pattern, value string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return pattern == value
	}
	if len(value) < len(first)+len(last) || !strings.HasPrefix(value, first) || !strings.HasSuffix(value, last) {
		return false
	}
	value = value[len(first) : len(value)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(value, part)
		if at < 0 {
			return false
		}
		value = value[at+len(part):]
	}
	return true
}
