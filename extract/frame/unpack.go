package frame

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Unpacker unpacks one object after the other and keeps its buffers. The zero
// value is ready to use; it is not safe for concurrent use.
type Unpacker struct {
	in    *bufio.Reader
	gzip  *gzip.Reader
	peek  *bufio.Reader // of what the gzip archive holds
	inner *gzip.Reader  // of an archive in the archive
	zstd  *zstd.Decoder
}

// errCut is io.ErrUnexpectedEOF in words for the user.
var errCut = fmt.Errorf("the archive is cut off (%w); deliver the object again", io.ErrUnexpectedEOF)

// archive reads an archive and says in words where it is cut off.
type archive struct{ io.Reader }

func (a archive) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if err == io.ErrUnexpectedEOF {
		err = errCut
	}
	return n, err
}

// windowBytesMax bounds what a zstd archive may ask for in memory: what
// `zstd --long` asks for at most.
const windowBytesMax = 128 << 20

// Plain returns the unpacked bytes of r, which hold until the next call. The
// error of a corrupt or truncated archive comes from here or from Read, at the
// latest where io.EOF would stand.
func (u *Unpacker) Plain(r io.Reader) (io.Reader, error) {
	if u.in == nil {
		u.in = bufio.NewReaderSize(nil, bufferBytes)
	}
	u.in.Reset(r)
	head, err := u.in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read first bytes: %w", err)
	}
	switch {
	case len(head) > 0 && head[0] == 0x1f: // no text starts with it: a cut gzip file is told by its first byte
		return u.openGzip()
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return u.openZstd()
	}
	return u.in, nil
}

func (u *Unpacker) openGzip() (io.Reader, error) {
	if u.gzip == nil {
		u.gzip = new(gzip.Reader)
	}
	if err := u.gzip.Reset(u.in); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errCut
		}
		return nil, fmt.Errorf("open gzip: %w", err)
	}
	return u.openInner(archive{u.gzip})
}

// openInner opens an archive that lies in the archive, as Amazon Data Firehose
// writes it where it compresses what CloudWatch had compressed before. An error
// of what holds it comes again when it is read.
func (u *Unpacker) openInner(outer io.Reader) (io.Reader, error) {
	if u.peek == nil {
		u.peek = bufio.NewReaderSize(nil, 4096) // longer reads go through it
	}
	u.peek.Reset(outer)
	if head, _ := u.peek.Peek(2); !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return u.peek, nil
	}
	if u.inner == nil {
		u.inner = new(gzip.Reader)
	}
	if err := u.inner.Reset(u.peek); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errCut
		}
		return nil, fmt.Errorf("open gzip in gzip: %w", err)
	}
	return archive{u.inner}, nil
}

func (u *Unpacker) openZstd() (_ io.Reader, err error) {
	if u.zstd == nil {
		u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowBytesMax))
	}
	if err == nil {
		err = u.zstd.Reset(u.in)
	}
	if err != nil {
		return nil, fmt.Errorf("open zstd: %w", err)
	}
	return archive{u.zstd}, nil
}

// Close gives back what the decompressors hold.
func (u *Unpacker) Close() {
	if u.zstd != nil {
		u.zstd.Close()
		u.zstd = nil
	}
}
