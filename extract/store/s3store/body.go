package s3store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"chargeback/extract/store"
)

// resumesMax is how often the body of one object may break.
const resumesMax = 8

// Open asks for the version that was listed. A connection that breaks in the
// middle is replaced by one that goes on where it broke, of the same version.
func (s *Store) Open(ctx context.Context, object store.Object) (io.ReadCloser, error) {
	b := &body{ctx: ctx, store: s, object: object}
	if err := b.connect(); err != nil {
		return nil, s.explain("open", s.url(object.Key), err)
	}
	return b, nil
}

// body reads one version of an object over as many connections as it takes.
type body struct {
	ctx       context.Context
	store     *Store
	object    store.Object
	readBytes int64
	resumes   int
	err       error // stays once it is set

	part    io.ReadCloser // the present connection, nil when it broke
	release context.CancelFunc
	silence *time.Timer
}

// connect opens a connection for what is left.
func (b *body) connect() error {
	if b.object.ETag == "" {
		return &advised{text: "the object has no etag; take it from a listing"}
	}
	input := &s3.GetObjectInput{
		Bucket:  aws.String(b.store.bucket),
		Key:     aws.String(b.store.root + b.object.Key),
		IfMatch: aws.String(`"` + b.object.ETag + `"`),
	}
	var options []func(*s3.Options)
	if b.readBytes > 0 {
		input.Range = aws.String(fmt.Sprintf("bytes=%d-", b.readBytes))
		options = append(options, wholeChecksumOff)
	}
	out, release, err := try(b.ctx, b.store.tries, func(ctx context.Context) (*s3.GetObjectOutput, error) {
		return b.store.client.GetObject(ctx, input, options...)
	})
	if err != nil {
		return err
	}
	if err := b.checkAnswer(out); err != nil {
		release()
		_ = out.Body.Close() // its bytes are not wanted
		return err
	}
	b.part, b.release = out.Body, release
	b.silence = time.AfterFunc(patience, release)
	b.silence.Stop()
	return nil
}

// wholeChecksumOff is for a part of an object: its checksum is of the whole.
func wholeChecksumOff(o *s3.Options) {
	o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
}

// checkAnswer trusts no server to have looked at If-Match and Range.
func (b *body) checkAnswer(out *s3.GetObjectOutput) error {
	if plainETag(out.ETag) != b.object.ETag {
		return store.ErrChanged
	}
	if b.readBytes > 0 {
		want := fmt.Sprintf("bytes %d-%d/%d", b.readBytes, b.object.SizeBytes-1, b.object.SizeBytes)
		if aws.ToString(out.ContentRange) != want {
			return oddAnswer("the server did not go on where the connection broke")
		}
	}
	if left := b.object.SizeBytes - b.readBytes; out.ContentLength != nil && *out.ContentLength >= 0 && *out.ContentLength != left {
		return oddAnswer(fmt.Sprintf("the server sends %d bytes where %d are listed", *out.ContentLength, left))
	}
	return nil
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.read(p)
	if err != nil && err != io.EOF {
		err = b.store.explain("read", b.store.url(b.object.Key), err)
	}
	b.err = err
	return n, err
}

// read gives bytes, or an error that no further connection can mend.
func (b *body) read(p []byte) (int, error) {
	for {
		if err := b.ctx.Err(); err != nil {
			return 0, err
		}
		if b.part == nil {
			if err := b.connect(); err != nil {
				return 0, err
			}
		}
		n, err := b.readPart(p)
		b.readBytes += int64(n)
		switch {
		case b.readBytes > b.object.SizeBytes:
			return 0, oddAnswer(fmt.Sprintf("the body is longer than the %d bytes listed", b.object.SizeBytes))
		case err == nil && n == 0:
			continue
		case err == nil:
			return n, nil
		case b.readBytes == b.object.SizeBytes:
			return n, b.judgeEnd(err)
		}
		if err := b.brokeWith(err); err != nil || n > 0 {
			return n, err
		}
	}
}

// readPart reads the present connection and gives up when nothing comes.
func (b *body) readPart(p []byte) (int, error) {
	b.silence.Reset(patience)
	defer b.silence.Stop()
	return b.part.Read(p)
}

// judgeEnd looks at what a connection said after the last byte. Only here does
// the SDK report that the bytes don't match the checksum sent with them.
func (b *body) judgeEnd(err error) error {
	if err == io.EOF {
		return io.EOF
	}
	return &advised{text: fmt.Sprintf("after the last byte: %v; try again, then check the network", err), cause: io.ErrUnexpectedEOF}
}

// brokeWith drops the broken connection and waits before the next.
func (b *body) brokeWith(err error) error {
	b.drop()
	if b.ctx.Err() != nil {
		return b.ctx.Err()
	}
	if b.resumes++; b.resumes > resumesMax {
		return &advised{cause: io.ErrUnexpectedEOF, text: fmt.Sprintf("the connection broke %d times, last after %d of %d bytes; try again, then check the network",
			b.resumes, b.readBytes, b.object.SizeBytes)}
	}
	return b.store.tries.wait(b.ctx, b.resumes, err)
}

func (b *body) drop() {
	if b.part == nil {
		return
	}
	b.release()
	_ = b.part.Close() // of a broken or unwanted connection
	b.part = nil
}

// Close lets go of the connection.
func (b *body) Close() error {
	b.drop()
	if b.err == nil {
		b.err = errors.New("read of a closed body")
	}
	return nil
}
