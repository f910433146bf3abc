package s3store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"chargeback/extract/store"
)

// Create writes an object that must not be there yet. It may be called again
// with the same bytes, and where an answer was lost it asks again itself: an
// object that holds them already is as good as written. Other bytes are never
// replaced; it then returns store.ErrTaken.
func (s *Store) Create(ctx context.Context, key, contentType string, content []byte) error {
	name := s.root + key
	_, release, err := try(ctx, s.tries, func(ctx context.Context) (*s3.PutObjectOutput, error) {
		return s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket: &s.bucket, Key: &name, ContentType: &contentType, ContentLength: aws.Int64(int64(len(content))),
			Body: bytes.NewReader(content), IfNoneMatch: aws.String("*"),
		})
	})
	if err == nil {
		release()
		return nil
	}
	// 412 says that it is there, 409 that somebody is writing it.
	if status := statusOf(err); status == http.StatusPreconditionFailed || status == http.StatusConflict {
		err = s.holds(ctx, name, content)
	}
	if err == nil {
		return nil
	}
	return s.explain("write", s.url(key), err)
}

// holds returns nil where an object has exactly these bytes.
func (s *Store) holds(ctx context.Context, name string, content []byte) error {
	have, err := s.get(ctx, name, len(content))
	if err != nil {
		return err
	}
	if !bytes.Equal(have.content, content) {
		return store.ErrTaken
	}
	return nil
}

// small is a version of an object that was read in one go.
type small struct {
	content []byte
	etag    string
}

// get reads an object whole, or the first sizeBytesMax+1 bytes of a larger one.
func (s *Store) get(ctx context.Context, name string, sizeBytesMax int) (small, error) {
	found, release, err := try(ctx, s.tries, func(ctx context.Context) (small, error) {
		answer, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &name})
		if err != nil {
			return small{}, err
		}
		content, err := io.ReadAll(io.LimitReader(answer.Body, int64(sizeBytesMax)+1))
		return small{content: content, etag: plainETag(answer.ETag)}, errors.Join(err, answer.Body.Close())
	})
	if err != nil {
		return small{}, err
	}
	release()
	return found, nil
}

// plainETag is an etag without its quotes, "" where the server sent none.
func plainETag(sent *string) string { return strings.Trim(aws.ToString(sent), `"`) }
