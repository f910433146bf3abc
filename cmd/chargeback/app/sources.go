package app

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"chargeback/config"
	"chargeback/extract"
	"chargeback/extract/store"
	"chargeback/extract/store/dirstore"
	"chargeback/extract/store/s3store"
	"chargeback/jobs"
)

// OpenSources opens the sources in the order of the settings. Open does it already.
func (a *App) OpenSources(ctx context.Context) (sources []extract.Source, err error) {
	for _, src := range a.Settings.Config.Sources {
		format, err := NewFormat(src)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", src.Name, err)
		}
		source, err := a.OpenSource(ctx, src)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", src.Name, err)
		}
		if a.options.Store != nil {
			source.Store = a.options.Store(source.Store)
		}
		source.Name, source.Format, source.RecordBytes, source.Reading, source.Place = src.Name, format, int(src.MaxRecordBytes), src.Reading(), src.Place()
		sources = append(sources, source)
	}
	return sources, nil
}

const (
	// s3Workers is how many large objects of a bucket are read at once: a read is
	// mostly waiting.
	s3Workers = 16
	// s3Fetches is how many small ones are fetched at once at most. Below it their
	// number follows how long a fetch takes.
	s3Fetches = 256
)

// OpenSource opens where a source lies, with how many objects are read of it at
// once: a source that has no name, format and settings yet.
func (a *App) OpenSource(ctx context.Context, src config.Source) (extract.Source, error) {
	place, err := store.ParseURL(src.URL)
	if err != nil {
		return extract.Source{}, err
	}
	workers := a.Settings.Config.Workers
	if place.Scheme == config.SchemeFile {
		source := extract.Source{Workers: cmp.Or(workers, runtime.NumCPU())}
		place = place.In(a.Settings.Config.Dir)
		if source.Store, err = a.openFolder(place, src.IsFile()); err != nil { // of the place, not of the settings: the night tells it, and reads the others
			source.Store = store.Broken(place.String(), err)
		}
		return source, nil
	}
	source := extract.Source{Workers: cmp.Or(workers, max(s3Workers, runtime.NumCPU())), Fetches: cmp.Or(workers, s3Fetches), Now: time.Now}
	options, err := a.s3Options(place, src.S3)
	if err != nil {
		return extract.Source{}, err
	}
	name := ""
	if src.IsFile() { // one object, not a prefix
		place, name = place.SplitFile()
		options.Prefix = place.Prefix
	}
	bucket, err := s3store.New(ctx, options)
	if err != nil {
		return extract.Source{}, err
	}
	a.closers = append(a.closers, bucket.Close)
	if source.Store = bucket; name != "" {
		source.Store = store.Only(bucket, name)
	}
	return source, nil
}

func (a *App) s3Options(place store.Location, s3 config.S3) (s3store.Options, error) {
	keys, _, err := s3.Credentials(a.options.Getenv, a.Settings.Config.ReadFile)
	return s3store.Options{
		Bucket: place.Bucket, Prefix: place.Prefix, Region: s3.Region, Endpoint: s3.Endpoint, PathStyle: s3.PathStyle,
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey.Reveal(), SessionToken: keys.SessionToken.Reveal(),
	}, err
}

// openFolder opens a folder, or the one file in a folder that place names: file
// says that it must be one.
func (a *App) openFolder(place store.Location, file bool) (store.Store, error) {
	name := ""
	if info, err := os.Stat(place.Path); err == nil && !info.IsDir() || err != nil && file {
		place, name = place.SplitFile() // that a file is gone is for the night to tell
	}
	if _, err := os.Stat(place.Path); err != nil {
		return nil, fmt.Errorf("%w; put the folder there, or correct the source's url, and check that this user may read it", err)
	}
	bucket, err := dirstore.New(place.Path)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, bucket.Close)
	if name != "" {
		return store.Only(bucket, name), nil
	}
	return bucket, nil
}

// OpenDelivery opens where documents are delivered to; nil where nowhere.
func (a *App) OpenDelivery(ctx context.Context) (jobs.Delivery, error) {
	to := a.Settings.Config.Invoices.DeliverTo
	if to.URL == "" {
		return nil, nil
	}
	place, err := store.ParseURL(to.URL)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	options, err := a.s3Options(place, to.S3)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	bucket, err := s3store.New(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	a.closers = append(a.closers, bucket.Close)
	return bucket, nil
}
