package s3store

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"chargeback/extract/store"
)

// slotBytesMax is the most that a slot may hold.
const slotBytesMax = 64 << 10

// Slot is one small object that is replaced only by whoever has seen its last
// version: of several writers one wins, and the others are told. The server must
// mind If-Match and If-None-Match when it writes, as Amazon's does.
type Slot struct {
	store *Store
	key   string
}

// Slot is the object of that key below the store's prefix as a slot. It asks
// nothing of the server.
func (s *Store) Slot(key string) *Slot { return &Slot{store: s, key: key} }

// String is the URL of the object.
func (s *Slot) String() string { return s.store.url(s.key) }

// Read gives the object's bytes and the etag of this version. Where there is no
// object both are empty.
func (s *Slot) Read(ctx context.Context) (content []byte, etag string, err error) {
	found, err := s.read(ctx)
	if err != nil {
		return nil, "", s.store.explain("look up", s.String(), err)
	}
	return found.content, found.etag, nil
}

func (s *Slot) read(ctx context.Context) (small, error) {
	found, err := s.store.get(ctx, s.store.root+s.key, slotBytesMax)
	switch {
	case isMissing(err):
		return small{}, nil
	case err != nil:
		return small{}, err
	case found.etag == "":
		return small{}, oddAnswer("the object came without an etag")
	case len(found.content) > slotBytesMax:
		return small{}, &advised{text: fmt.Sprintf("the object is larger than %d bytes and not of this program; name another", slotBytesMax)}
	}
	return found, nil
}

// Write replaces the version of that etag, or creates the object where etag is
// "", and gives the new version's etag. It fails with store.ErrReplaced where
// another version lies there, or none. After any other error the bytes may lie
// there all the same, now or a little later.
//
// Where an answer was lost Write looks what lies there: the same bytes are as
// good as written. Therefore no two writers may write the same bytes.
func (s *Slot) Write(ctx context.Context, content []byte, etag string) (newETag string, err error) {
	if len(content) > slotBytesMax {
		return "", fmt.Errorf("write %s: %d bytes are more than a slot's %d", s, len(content), slotBytesMax)
	}
	newETag, err = s.put(ctx, content, etag)
	if err != nil || newETag == "" {
		newETag, err = s.settle(ctx, content, err)
	}
	if err != nil {
		return "", s.store.explain("write", s.String(), err)
	}
	return newETag, nil
}

// put writes on condition that the version of that etag, or none, lies there.
func (s *Slot) put(ctx context.Context, content []byte, etag string) (newETag string, err error) {
	name := s.store.root + s.key
	input := s3.PutObjectInput{
		Bucket: &s.store.bucket, Key: &name, ContentType: aws.String("application/json"), ContentLength: aws.Int64(int64(len(content))),
	}
	if etag == "" {
		input.IfNoneMatch = aws.String("*")
	} else {
		input.IfMatch = aws.String(`"` + etag + `"`)
	}
	out, release, err := try(ctx, s.store.tries, func(ctx context.Context) (*s3.PutObjectOutput, error) {
		again := input
		again.Body = bytes.NewReader(content)
		return s.store.client.PutObject(ctx, &again)
	})
	if err != nil {
		return "", err
	}
	release()
	return plainETag(out.ETag), nil
}

// settle looks whether a write that failed was done all the same: its answer was
// lost, or it was refused because an earlier try of it had been done unheard.
func (s *Slot) settle(ctx context.Context, content []byte, failed error) (etag string, err error) {
	have, err := s.read(ctx)
	switch {
	case err == nil && have.etag != "" && bytes.Equal(have.content, content):
		return have.etag, nil
	case failed != nil && !isRefused(failed):
		return "", failed
	case err != nil:
		return "", err
	}
	return "", store.ErrReplaced
}

// isRefused says that the server found another version than the write's: 412,
// 409 where another write is under way, 404 where the object is gone.
func isRefused(err error) bool {
	status := statusOf(err)
	return status == http.StatusPreconditionFailed || status == http.StatusConflict || isMissing(err)
}

// isMissing says that there is no such object; no other 404 proves it.
func isMissing(err error) bool {
	code, _ := codeOf(err)
	return err != nil && code == "NoSuchKey" && statusOf(err) == http.StatusNotFound
}
