package frame

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func gzipped(t rapid.TB, parts ...string) []byte {
	var b bytes.Buffer
	for _, part := range parts { // a member each
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, part); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func zstandard(t rapid.TB, parts ...string) []byte {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, part := range parts { // a frame each
		b = z.EncodeAll([]byte(part), b)
	}
	return b
}

func changed(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[(at+len(b))%len(b)] ^= 0xff
	return b
}

// noise compresses badly, so that archives of it have several blocks.
func noise(n int) string {
	var b strings.Builder
	for i := uint64(1); b.Len() < n; i++ {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], i*0x9e3779b97f4a7c15)
		b.Write(word[:])
	}
	return b.String()
}

// Goal: what is packed is told by content alone and comes out whole, or there
// is an error; never a part without one.
// Method: one unpacker reads all cases twice, so that what one left behind
// would show in the next.
func TestUnpacker(t *testing.T) {
	long := noise(600_000)
	packed, frames := gzipped(t, long), zstandard(t, long)
	huge := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x00} // asks for a window of 2 GB
	tests := []struct {
		name string
		in   []byte
		want string
		err  error // nil: none; errAny: some
	}{
		{"nothing", nil, "", nil},
		{"one byte", []byte("{"), "{", nil},
		{"plain", []byte("plain text"), "plain text", nil},
		{"gzip", gzipped(t, "packed"), "packed", nil},
		{"gzip of members in gzip", gzipped(t, string(gzipped(t, "packed ", "twice"))), "packed twice", nil},
		{"long gzip in gzip", gzipped(t, string(gzipped(t, long))), long, nil},
		{"cut gzip in gzip", gzipped(t, string(packed[:len(packed)/2])), "", io.ErrUnexpectedEOF},
		{"gzip of one byte", gzipped(t, "{"), "{", nil},
		{"gzip of nothing", gzipped(t, ""), "", nil},
		{"gzip of several members", gzipped(t, "one ", "", "two ", long), "one two " + long, nil},
		{"long gzip", packed, long, nil},
		{"gzip cut in its first byte", packed[:1], "", io.ErrUnexpectedEOF},
		{"gzip cut in its header", packed[:5], "", io.ErrUnexpectedEOF},
		{"gzip cut behind its header", packed[:10], "", io.ErrUnexpectedEOF},
		{"gzip cut in the middle", packed[:len(packed)/2], "", io.ErrUnexpectedEOF},
		{"gzip without its checksum", packed[:len(packed)-8], "", io.ErrUnexpectedEOF},
		{"gzip without its last byte", packed[:len(packed)-1], "", io.ErrUnexpectedEOF},
		{"second member cut", append(gzipped(t, "one"), packed[:1000]...), "", io.ErrUnexpectedEOF},
		{"gzip with a wrong checksum", changed(packed, -8), "", gzip.ErrChecksum},
		{"gzip with a wrong length", changed(packed, -1), "", gzip.ErrChecksum},
		{"gzip with a wrong byte", changed(packed, len(packed)/2), "", errAny},
		{"gzip with text behind", append(gzipped(t, "one"), "{}"...), "", errAny},
		{"zstd", zstandard(t, "packed"), "packed", nil},
		{"zstd of several frames", zstandard(t, "one ", "two ", long), "one two " + long, nil},
		{"zstd cut", frames[:len(frames)/2], "", io.ErrUnexpectedEOF},
		{"zstd without its checksum", frames[:len(frames)-4], "", io.ErrUnexpectedEOF},
		{"zstd with a wrong checksum", changed(frames, -1), "", zstd.ErrCRCMismatch},
		{"zstd with a wrong byte", changed(frames, len(frames)/2), "", errAny},
		{"zstd that asks for too much memory", huge, "", zstd.ErrWindowSizeExceeded},
		{"zstd with text behind", append(zstandard(t, "one"), "{}"...), "", errAny},
	}
	var u Unpacker
	defer u.Close()
	for range 2 {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				got, err := unpack(&u, iotest.HalfReader(bytes.NewReader(tt.in)))
				switch {
				case tt.err == nil && (err != nil || got != tt.want):
					t.Errorf("got %d bytes, error %v; want %d bytes", len(got), err, len(tt.want))
				case tt.err == errAny && err == nil, tt.err != nil && tt.err != errAny && !errors.Is(err, tt.err):
					t.Errorf("got error %v, want %v", err, tt.err)
				}
			})
		}
	}
}

var errAny = errors.New("any error")

func unpack(u *Unpacker, r io.Reader) (string, error) {
	text, err := u.Plain(r)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(text)
	return string(b), err
}

func TestUnpackerReturnsStreamErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, start := range map[string][]byte{
		"at once": nil, "plain": []byte("plain"), "gzip": gzipped(t, noise(1000))[:500], "zstd": zstandard(t, noise(1000))[:500],
	} {
		t.Run(name, func(t *testing.T) {
			var u Unpacker
			defer u.Close()
			if _, err := unpack(&u, io.MultiReader(bytes.NewReader(start), iotest.ErrReader(broken))); !errors.Is(err, broken) {
				t.Errorf("got %v, want %v", err, broken)
			}
		})
	}
}

// Goal: a gzip or zstd file that is cut anywhere is an error.
func TestCutArchivesAreErrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		packed := gzipped(t, text)
		if rapid.Bool().Draw(t, "zstd") {
			packed = zstandard(t, text)
		}
		cut := rapid.IntRange(4, len(packed)-1).Draw(t, "length")
		var u Unpacker
		defer u.Close()
		if got, err := unpack(&u, bytes.NewReader(packed[:cut])); err == nil {
			t.Fatalf("%d of %d bytes gave %q and no error", cut, len(packed), got)
		}
	})
}
