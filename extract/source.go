// Package extract turns objects into records: it lists a window's objects,
// reads each once, decodes its records and hands them on in batches.
//
// It owns: what is listed for a window, which objects are not data, and the
// rule that a bad record is rejected alone while a corrupt object counts
// nothing.
// It does not own: what a record costs or who owes it (transform), the
// manifest (billing/ledger), or when to read (jobs).
package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"chargeback/extract/decode"
	"chargeback/extract/frame"
	"chargeback/extract/objstore"
	"chargeback/extract/record"
)

// Source is one configured place to read from.
type Source struct {
	Name        string
	Format      decode.Format
	Store       objstore.Store
	RecordBytes int // longest record that is read
	Workers     int // objects read at once
}

// Listing is what a window has to offer.
type Listing struct {
	Objects []objstore.Found // by key
	Skipped map[string]int   // objects that are not data, by reason
}

// List finds the objects of the days. The order of the result does not depend
// on the order in which the store lists.
func (s Source) List(ctx context.Context, days objstore.DayRange) (Listing, error) {
	l := Listing{Skipped: map[string]int{}}
	err := objstore.Walk(ctx, s.Store, days, func(f objstore.Found) error {
		if reason, skip := objstore.Skip(s.Format.Name(), f.Key, f.SizeBytes); skip {
			l.Skipped[reason]++
		} else {
			l.Objects = append(l.Objects, f)
		}
		return nil
	})
	if err != nil {
		return Listing{}, fmt.Errorf("list source %s: %w", s.Name, err)
	}
	slices.SortFunc(l.Objects, func(a, b objstore.Found) int { return cmp.Compare(a.Key, b.Key) })
	return l, nil
}

// Result is what became of one object. Err says that none of it counts.
type Result struct {
	Object  objstore.Found
	ID      int64
	Counts  decode.Counts
	Rejects []decode.Reject
	Err     error
}

// Reading is the decoding of a list of objects, under way.
type Reading struct {
	Batches <-chan *record.Batch
	free    chan *record.Batch
	wait    func() error
	mu      sync.Mutex
	results []Result
}

// Done gives a batch back.
func (r *Reading) Done(b *record.Batch) {
	b.Reset()
	select {
	case r.free <- b:
	default:
	}
}

// Results returns what became of each object, by key. It is called after
// Batches was closed. It fails where reading was cancelled.
func (r *Reading) Results() ([]Result, error) {
	if err := r.wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(r.results, func(a, b Result) int { return cmp.Compare(a.Object.Key, b.Object.Key) })
	return r.results, nil
}

// Read decodes objects with the source's workers. The caller must take all
// Batches and give each back through Done.
func (s Source) Read(ctx context.Context, env decode.Env, objects []objstore.Found) *Reading {
	workers := max(1, min(s.Workers, len(objects)))
	out := make(chan *record.Batch, workers)
	r := &Reading{Batches: out, free: make(chan *record.Batch, 2*workers+2)}
	todo := make(chan objstore.Found)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { s.work(ctx, env, todo, out, r) })
	}
	go func() {
		defer close(out)
		defer running.Wait()
		defer close(todo)
		for _, o := range objects {
			select {
			case todo <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	r.wait = func() error { return ctx.Err() }
	return r
}

func (s Source) work(ctx context.Context, env decode.Env, todo <-chan objstore.Found, out chan<- *record.Batch, r *Reading) {
	env.RecordBytes = s.RecordBytes
	sink := decode.NewSink(env, s.Format.Schema(), func(full *record.Batch) *record.Batch {
		if full != nil {
			select {
			case out <- full:
			case <-ctx.Done():
			}
		}
		select {
		case b := <-r.free:
			return b
		default:
			return record.NewBatch(s.Format.Schema())
		}
	})
	decoder := s.Format.Decoder(env)
	for o := range todo {
		id := ObjectID(s.Name, o.Key, o.ETag)
		sink.Begin(id)
		err := s.readOne(ctx, decoder, o, sink)
		counts, rejects := sink.End()
		if err != nil {
			counts, rejects = decode.Counts{}, nil
		}
		r.mu.Lock()
		r.results = append(r.results, Result{o, id, counts, rejects, err})
		r.mu.Unlock()
	}
	sink.Flush()
}

// readOne decodes one object. A panic of a decompressor on hostile bytes is
// this object's failure, not the run's.
func (s Source) readOne(ctx context.Context, decoder decode.Decoder, o objstore.Found, sink *decode.Sink) (err error) {
	defer func() {
		if p := recover(); p != nil {
			sink.Repair()
			err = fmt.Errorf("decode: stopped by an internal fault: %v", p)
		}
	}()
	body, err := s.Store.Open(ctx, o.Object)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	text, err := frame.Plain(body)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, text.Close()) }()
	if err := decoder.Decode(text, sink); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, body) // to the end, where the store vouches for the version
	return err
}
