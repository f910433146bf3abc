package s3store

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"chargeback/extract/store"
)

// Level lists one folder, page by page.
func (s *Store) Level(ctx context.Context, prefix string) (objects []store.Object, folders []string, err error) {
	return s.LevelOf(ctx, prefix, store.Names{})
}

// All lists a folder and all below it, page by page.
func (s *Store) All(ctx context.Context, prefix string, yield func(store.Object) error) error {
	return s.AllOf(ctx, prefix, store.Names{}, yield)
}

// LevelOf implements store.Ranged.
func (s *Store) LevelOf(ctx context.Context, prefix string, names store.Names) (objects []store.Object, folders []string, err error) {
	// A folder that names after After lie in begins before it.
	names.After, _, _ = strings.Cut(names.After, "/")
	err = s.pages(ctx, prefix, "/", names, func(page page) error {
		objects = append(objects, page.objects...)
		folders = append(folders, page.folders...)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return objects, folders, nil
}

// AllOf implements store.Ranged.
func (s *Store) AllOf(ctx context.Context, prefix string, names store.Names, yield func(store.Object) error) error {
	return s.pages(ctx, prefix, "", names, func(page page) error {
		for _, object := range page.objects {
			if err := yield(object); err != nil {
				return err
			}
		}
		return nil
	})
}

// Keys lists the keys below a folder. It returns store.ErrNoListing where
// that is not allowed, as for one that may only write.
func (s *Store) Keys(ctx context.Context, folder string) (keys []string, err error) {
	err = s.All(ctx, folder, func(object store.Object) error {
		keys = append(keys, object.Key)
		return nil
	})
	return keys, err
}

// page is a part of a listing, keys relative to the store.
type page struct {
	objects []store.Object
	folders []string
}

// past says that a page ends behind a key, and so does all that follows it: keys come
// in their order.
func (p page) past(key string) bool {
	last := ""
	if n := len(p.objects); n > 0 {
		last = p.objects[n-1].Key
	}
	if n := len(p.folders); n > 0 {
		last = max(last, p.folders[n-1])
	}
	return last > key
}

// pages visits the pages of a listing that hold names of a range, with what else they
// hold. Errors of visit are returned as they are.
func (s *Store) pages(ctx context.Context, prefix, delimiter string, names store.Names, visit func(page) error) error {
	if err := store.CheckFolder(prefix); err != nil {
		return fmt.Errorf("list %s: %w", s, err)
	}
	input := &s3.ListObjectsV2Input{
		Bucket: aws.String(s.bucket),
		Prefix: aws.String(s.root + prefix),
		// Keys may hold characters that XML can't.
		EncodingType: types.EncodingTypeUrl,
	}
	if delimiter != "" {
		input.Delimiter = aws.String(delimiter)
	}
	if names.After != "" {
		input.StartAfter = aws.String(s.root + prefix + names.After)
	}
	for {
		out, next, err := s.listPage(ctx, input)
		if err != nil {
			return s.explain("list", s.url(prefix), err)
		}
		if err := visit(out); err != nil {
			return err
		}
		if next == "" || names.Upto != "" && out.past(prefix+names.Upto) {
			return nil
		}
		input.ContinuationToken = aws.String(next)
	}
}

// listPage asks for one page; next is "" after the last.
func (s *Store) listPage(ctx context.Context, input *s3.ListObjectsV2Input) (listed page, next string, err error) {
	out, release, err := try(ctx, s.lists, func(ctx context.Context) (*s3.ListObjectsV2Output, error) {
		return s.client.ListObjectsV2(ctx, input)
	})
	if err != nil {
		return page{}, "", err
	}
	release()
	if listed, err = s.readPage(out); err != nil {
		return page{}, "", err
	}
	if !aws.ToBool(out.IsTruncated) {
		return listed, "", nil
	}
	next = aws.ToString(out.NextContinuationToken)
	if next == "" || next == aws.ToString(input.ContinuationToken) {
		return page{}, "", oddAnswer("the listing has more pages but does not say where they begin")
	}
	return listed, next, nil
}

func (s *Store) readPage(out *s3.ListObjectsV2Output) (page, error) {
	decode := func(key string) (string, error) { return key, nil }
	if out.EncodingType == types.EncodingTypeUrl {
		decode = url.QueryUnescape
	}
	var listed page
	for _, object := range out.Contents {
		key, err := s.relative(aws.ToString(object.Key), decode)
		if err != nil {
			return page{}, err
		}
		if key == "" {
			continue // the marker of the store's own folder
		}
		listed.objects = append(listed.objects, store.Object{
			Key:       key,
			ETag:      plainETag(object.ETag),
			SizeBytes: aws.ToInt64(object.Size),
			Modified:  aws.ToTime(object.LastModified).UTC(),
		})
	}
	for _, common := range out.CommonPrefixes {
		folder, err := s.relative(aws.ToString(common.Prefix), decode)
		if err != nil {
			return page{}, err
		}
		listed.folders = append(listed.folders, folder)
	}
	return listed, nil
}

// relative is a key of the bucket as a key of the store.
func (s *Store) relative(encoded string, decode func(string) (string, error)) (string, error) {
	full, err := decode(encoded)
	if err != nil {
		return "", oddAnswer("the listing has a key whose encoding is broken")
	}
	key, ok := strings.CutPrefix(full, s.root)
	if !ok {
		return "", oddAnswer("the listing has a key outside the prefix that was asked for")
	}
	return key, nil
}
