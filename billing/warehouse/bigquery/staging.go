package bigquery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/storage/v1"
)

// partBytes is how much of a file is sent at once: where a transfer to the
// bucket breaks off, it goes on with the part that is missing.
const partBytes = 8 << 20

// bucket is a place in Google Cloud Storage.
type bucket struct{ name, prefix string }

// parseBucket reads gs://bucket/prefix; "" is no bucket.
func parseBucket(url string) (bucket, error) {
	if url == "" {
		return bucket{}, nil
	}
	place, ok := strings.CutPrefix(url, "gs://")
	name, prefix, _ := strings.Cut(place, "/")
	if !ok || name == "" {
		return bucket{}, fmt.Errorf("staging %q is not gs://bucket/prefix", url)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return bucket{name, prefix}, nil
}

// objects is the client of the bucket, made when it is first needed.
func (s *Store) objects(ctx context.Context) (*storage.ObjectsService, error) {
	if s.storage == nil {
		service, err := storage.NewService(ctx, s.o.StorageClient...)
		if err != nil {
			return nil, fmt.Errorf("open bucket %s: %w", s.staging.name, err)
		}
		s.storage = service
	}
	return s.storage.Objects, nil
}

// put writes a file to the bucket under a name of this run. Once more is safe:
// it is the same file.
func (s *Store) put(ctx context.Context, name, path string) (err error) {
	objects, err := s.objects(ctx)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = objects.Insert(s.staging.name, &storage.Object{Name: name, ContentType: "application/vnd.apache.parquet"}).Media(file, googleapi.ChunkSize(partBytes)).Context(ctx).Do()
	if err != nil {
		return fmt.Errorf("write gs://%s/%s: %w", s.staging.name, name, wording(err))
	}
	return nil
}

// CheckStaging writes an empty object to the bucket and removes it.
func (s *Store) CheckStaging(ctx context.Context) error {
	objects, err := s.objects(ctx)
	if err != nil {
		return err
	}
	name := s.staging.prefix + "chargeback-doctor-" + s.o.Run
	if _, err := objects.Insert(s.staging.name, &storage.Object{Name: name}).Media(strings.NewReader("")).Context(ctx).Do(); err != nil {
		return fmt.Errorf("write gs://%s/%s: %w", s.staging.name, name, wording(err))
	}
	if err := objects.Delete(s.staging.name, name).Context(ctx).Do(); err != nil {
		return fmt.Errorf("remove gs://%s/%s: %w", s.staging.name, name, wording(err))
	}
	return nil
}

// remove removes objects from the bucket, else the bucket's own rule does it.
func (s *Store) remove(ctx context.Context, names []string) {
	if len(names) == 0 {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), closeMax)
	defer stop()
	objects, err := s.objects(ctx)
	if err != nil {
		return
	}
	var group errgroup.Group
	group.SetLimit(callsMax)
	for _, name := range names {
		group.Go(func() error {
			_ = objects.Delete(s.staging.name, name).Context(ctx).Do()
			return nil
		})
	}
	_ = group.Wait() // none fails
}
