package record

import (
	"strings"
	"testing"
)

// Goal: a key tells an id exactly where it is a UUID, and any text has one.
// Method: a UUID with each of its bytes in its turn a dash, a digit, a capital or no
// digit at all, and cut off or longer.
func TestKeyTellsUUIDs(t *testing.T) {
	const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
	if key, told := KeyOf([]byte(uuid)); !told || key.String() != uuid {
		t.Errorf("the key of %s is %s, told %t", uuid, key, told)
	}
	for at := range uuid {
		for _, c := range "-7aAg" {
			text := uuid[:at] + string(c) + uuid[at+1:]
			key, told := KeyOf([]byte(text))
			want := (uuid[at] == '-') == (c == '-') && c != 'A' && c != 'g'
			if told != want || told && key.String() != text {
				t.Errorf("%s: key %s, told %t, want %t", text, key, told, want)
			}
		}
	}
	for _, text := range []string{"", uuid[:35], uuid + "0", strings.Repeat("-", 36), "0f8fad5b-d9cb-869f-a165-70867728950e"} {
		if key, told := KeyOf([]byte(text)); told || key[6]>>4 != 8 {
			t.Errorf("%q: key %s, told %t", text, key, told)
		}
	}
}
