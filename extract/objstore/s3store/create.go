package s3store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"chargeback/extract/objstore"
)

// Create writes an object that must not be there yet. It may be called again
// with the same bytes, and where an answer was lost it asks again itself: an
// object that holds them already is as good as written. Other bytes are never
// replaced; it then returns objstore.ErrTaken.
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
	have, release, err := try(ctx, s.tries, func(ctx context.Context) ([]byte, error) {
		answer, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &name})
		if err != nil {
			return nil, err
		}
		have, err := io.ReadAll(io.LimitReader(answer.Body, int64(len(content))+1))
		return have, errors.Join(err, answer.Body.Close())
	})
	if err != nil {
		return err
	}
	release()
	if !bytes.Equal(have, content) {
		return objstore.ErrTaken
	}
	return nil
}
