package app

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"chargeback/config"
	"chargeback/extract"
	"chargeback/extract/objstore"
	"chargeback/extract/objstore/dirstore"
	"chargeback/extract/objstore/s3store"
	"chargeback/jobs"
)

// OpenSources opens the sources in the order of the settings. Open does it already.
func (a *App) OpenSources(ctx context.Context) (sources []extract.Source, err error) {
	for _, src := range a.Settings.Config.Sources {
		format, err := NewFormat(src)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", src.Name, err)
		}
		store, workers, err := a.OpenStore(ctx, src)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", src.Name, err)
		}
		if a.options.Store != nil {
			store = a.options.Store(store)
		}
		sources = append(sources, extract.Source{Name: src.Name, Format: format, Store: store, RecordBytes: int(src.MaxRecordBytes), Workers: workers, Reading: src.Reading(), Place: src.Place()})
	}
	return sources, nil
}

// s3Workers is how many objects of a bucket are fetched at once: a fetch is
// mostly waiting.
const s3Workers = 16

// OpenStore opens where a source's objects lie, and says how many of them are read
// at once.
func (a *App) OpenStore(ctx context.Context, src config.Source) (objstore.Store, int, error) {
	place, err := objstore.ParseURL(src.URL)
	if err != nil {
		return nil, 0, err
	}
	workers := a.Settings.Config.Workers
	if place.Scheme == config.SchemeFile {
		if workers == 0 {
			workers = runtime.NumCPU()
		}
		place = place.In(a.Settings.Config.Dir)
		store, err := a.openFolder(place, src.IsFile())
		if err != nil { // of the place, not of the settings: the night tells it, and reads the others
			return objstore.Broken(place.String(), err), workers, nil
		}
		return store, workers, nil
	}
	if workers == 0 {
		workers = max(s3Workers, runtime.NumCPU())
	}
	options, err := a.s3Options(place, src.S3)
	if err != nil {
		return nil, 0, err
	}
	if src.IsFile() { // one object, not a prefix
		folder, name := place.SplitFile()
		options.Prefix = folder.Prefix
		store, err := s3store.New(ctx, options)
		if err != nil {
			return nil, 0, err
		}
		a.closers = append(a.closers, store.Close)
		return objstore.Only(store, name), workers, nil
	}
	store, err := s3store.New(ctx, options)
	if err != nil {
		return nil, 0, err
	}
	a.closers = append(a.closers, store.Close)
	return store, workers, nil
}

func (a *App) s3Options(place objstore.Location, s3 config.S3) (s3store.Options, error) {
	keys, _, err := s3.Credentials(a.options.Getenv, a.Settings.Config.ReadFile)
	return s3store.Options{
		Bucket: place.Bucket, Prefix: place.Prefix, Region: s3.Region, Endpoint: s3.Endpoint, PathStyle: s3.PathStyle,
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey.Reveal(), SessionToken: keys.SessionToken.Reveal(),
	}, err
}

// openFolder opens a folder, or the one file in a folder that place names: file
// says that it must be one.
func (a *App) openFolder(place objstore.Location, file bool) (objstore.Store, error) {
	name := ""
	if info, err := os.Stat(place.Path); err == nil && !info.IsDir() || err != nil && file {
		place, name = place.SplitFile() // that a file is gone is for the night to tell
	}
	if _, err := os.Stat(place.Path); err != nil {
		return nil, fmt.Errorf("%w; put the folder there, or correct the source's url, and check that this user may read it", err)
	}
	store, err := dirstore.New(place.Path)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, store.Close)
	if name != "" {
		return objstore.Only(store, name), nil
	}
	return store, nil
}

// OpenDelivery opens where documents are delivered to; nil where nowhere.
func (a *App) OpenDelivery(ctx context.Context) (jobs.Delivery, error) {
	to := a.Settings.Config.Invoices.DeliverTo
	if to.URL == "" {
		return nil, nil
	}
	place, err := objstore.ParseURL(to.URL)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	options, err := a.s3Options(place, to.S3)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	store, err := s3store.New(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	a.closers = append(a.closers, store.Close)
	return store, nil
}
