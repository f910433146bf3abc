package demo

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// seed makes the demo's numbers its own; another seed is another company.
const seed = 20261001

// random is a source of repeatable choices.
type random struct{ *rand.Rand }

// newRandom gives the source of one named part of the demo, so that a change
// in one part leaves the others as they were.
func newRandom(label string) random {
	h := fnv.New64a()
	h.Write([]byte(label))
	return random{rand.New(rand.NewPCG(h.Sum64(), seed))}
}

// span is an inclusive range of whole numbers.
type span struct{ from, to int64 }

func (r random) in(s span) int64 { return s.from + r.Int64N(s.to-s.from+1) }

// percent is true in about p of 100 cases.
func (r random) percent(p int) bool { return r.IntN(100) < p }

func pick[T any](r random, items []T) T { return items[r.IntN(len(items))] }

// uuid gives a version 4 id in lower case.
func (r random) uuid() string {
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x",
		uint32(a>>32), uint16(a>>16), a&0xfff, 0x8000|uint16(b>>48)&0x3fff, b&0xffffffffffff)
}

// hex gives n bytes as 2n hex digits.
func (r random) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return hex.EncodeToString(b)
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// token gives n letters and digits, as ids that are case sensitive have them.
func (r random) token(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphanumeric[r.IntN(len(alphanumeric))]
	}
	return string(b)
}
