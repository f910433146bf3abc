package record

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Key stands for an id where rows are kept and joined: 128 bits in place of a text.
// A UUID is its own key. Of all other texts it is their SHA-256, cut off, in which
// hashed stands where UUIDs have their version: a UUID that has the same there counts
// as a text like others, so that no two ids can be made to have one key.
type Key [16]byte

// hashed is the 13th of the 32 hex digits of a key that is no UUID.
const hashed = '8'

// dashes are where a UUID has them.
var dashes = [...]int{8, 13, 18, 23}

// KeyOf is the key of an id; told says that the key tells the id, so that nobody needs
// to keep it beside it.
func KeyOf(id []byte) (key Key, told bool) {
	if key, told = uuid(id); told {
		return key, true
	}
	sum := sha256.Sum256(id)
	copy(key[:], sum[:])
	key[6] = (hashed-'0')<<4 | key[6]&0x0f
	return key, false
}

// uuid reads a UUID as ids have it, in lower case, of any version but that of hashes.
func uuid(id []byte) (key Key, is bool) {
	if len(id) != 36 || id[14] == hashed {
		return Key{}, false
	}
	for _, at := range dashes {
		if id[at] != '-' {
			return Key{}, false
		}
	}
	at := 0
	for i := range key {
		if slices.Contains(dashes[:], at) { // a dash elsewhere is no digit
			at++
		}
		high, low := digits[id[at]], digits[id[at+1]]
		if high|low > 0xf {
			return Key{}, false
		}
		key[i] = high<<4 | low
		at += 2
	}
	return key, true
}

// digits are the values of lower-case hex digits, 0xff of all else.
var digits = func() (all [256]byte) {
	for c := range all {
		all[c] = 0xff
	}
	for n, c := range []byte("0123456789abcdef") {
		all[c] = byte(n)
	}
	return all
}()

// String writes a key as UUIDs are written, which is the id where it is one.
func (k Key) String() string {
	text := hex.EncodeToString(k[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
