package extract

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"chargeback/extract/decode"
	"chargeback/extract/frame"
	"chargeback/extract/record"
	"chargeback/extract/store"
)

// Result is what became of one object. Err says that none of it counts.
type Result struct {
	Object  store.Found
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
	dims    *record.Dimensions
}

// Done gives a batch back.
func (r *Reading) Done(b *record.Batch) {
	b.Reset()
	select {
	case r.free <- b:
	default:
	}
}

// Dimensions returns what the rows point to. It is called after Batches was
// closed.
func (r *Reading) Dimensions() *record.Dimensions { return r.dims }

// Results returns what became of each object, by key. It is called after
// Batches was closed. It fails where reading was cancelled.
func (r *Reading) Results() ([]Result, error) {
	if err := r.wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(r.results, func(a, b Result) int { return cmp.Compare(a.Object.Key, b.Object.Key) })
	return r.results, nil
}

// batchesAhead is how many batches may wait to be taken. A store that takes
// them stops now and then to compress what it has; the decoders go on
// meanwhile.
const batchesAhead = 16

// Read decodes objects with the source's workers; small ones are fetched ahead of
// them, where the source says so. The caller must take all Batches and give each
// back through Done.
func (s Source) Read(ctx context.Context, env decode.Env, objects []store.Found) *Reading {
	small, others := s.split(objects)
	workers := max(1, min(s.Workers, max(len(others), min(len(small), runtime.NumCPU()))))
	out := make(chan *record.Batch, batchesAhead)
	r := &Reading{Batches: out, results: make([]Result, 0, len(objects)), dims: record.NewDimensions(env.Numbers), free: make(chan *record.Batch, batchesAhead+2*workers)}
	todo, near := make(chan store.Found), newAhead(s)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { s.newWorker(ctx, env, out, r).run(todo, near) })
	}
	running.Go(func() { near.run(ctx, small) })
	go func() {
		defer close(out)
		defer running.Wait()
		defer close(todo)
		for _, o := range others {
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

// split parts the objects that are fetched ahead from those that are decoded as
// they come.
func (s Source) split(objects []store.Found) (small, others []store.Found) {
	if s.Fetches == 0 {
		return nil, objects
	}
	for _, o := range objects {
		if o.SizeBytes <= smallBytesMax {
			small = append(small, o)
		} else {
			others = append(others, o)
		}
	}
	return small, others
}

// worker reads one object after the other.
type worker struct {
	source   Source
	ctx      context.Context
	env      decode.Env
	reading  *Reading
	sink     *decode.Sink
	decoder  decode.Decoder
	unpacker frame.Unpacker
}

func (s Source) newWorker(ctx context.Context, env decode.Env, out chan<- *record.Batch, r *Reading) *worker {
	env.RecordBytes = s.RecordBytes
	w := &worker{source: s, ctx: ctx, env: env, reading: r, decoder: s.Format.Decoder(env)}
	w.sink = decode.NewSink(env, s.Format.Schema(), func(full *record.Batch) *record.Batch {
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
	return w
}

// run decodes what comes: objects todo, which it opens, and those that were fetched.
func (w *worker) run(todo <-chan store.Found, near *ahead) {
	defer func() { w.unpacker.Close() }()
	for ready := near.ready; todo != nil || ready != nil; {
		select {
		case o, more := <-todo:
			if !more {
				todo = nil
				continue
			}
			w.take(o, func() error { return w.stream(o.Object) })
		case f, more := <-ready:
			if !more {
				ready = nil
				continue
			}
			w.take(f.Found, func() error {
				if f.err != nil {
					return f.err
				}
				return w.decode(bytes.NewReader(f.text))
			})
			near.done(f)
		}
	}
	w.sink.Flush()
	w.reading.merge(w.sink.Dimensions())
}

// take notes what becomes of one object as read reads it.
func (w *worker) take(o store.Found, read func() error) {
	id := w.source.VersionID(o.Object, w.env.Zone)
	w.sink.Begin(decode.Origin{ID: id, Key: o.Key, Modified: o.Modified})
	err := w.guarded(read)
	counts, rejects := w.sink.End()
	if err != nil {
		counts, rejects = decode.Counts{First: counts.First, Last: counts.Last}, nil // where the rows lie that are to be dropped
	}
	w.reading.add(Result{o, id, counts, rejects, err})
}

// guarded makes a panic of a decompressor or decoder on hostile bytes the object's
// failure, not the run's.
func (w *worker) guarded(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.sink.Repair()
			w.unpacker, w.decoder = frame.Unpacker{}, w.source.Format.Decoder(w.env)
			err = faultError(p)
		}
	}()
	return read()
}

// stream decodes an object as its bytes come.
func (w *worker) stream(o store.Object) (err error) {
	body, err := w.source.Store.Open(w.ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if err := w.decode(body); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, body) // to the end, where the store vouches for the version
	return err
}

func (w *worker) decode(packed io.Reader) error {
	text, err := w.unpacker.Plain(packed)
	if err != nil {
		return err
	}
	return w.decoder.Decode(text, w.sink)
}

// faultError is the error that a panic becomes.
func faultError(p any) error {
	return fmt.Errorf("decode: stopped by an internal fault (%s); report it with the object's name", faultOf(p))
}

// faultOf says what a panic was about. Only the runtime's own words are sure
// not to quote content.
func faultOf(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}

func (r *Reading) add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, result)
}

func (r *Reading) merge(found *record.Dimensions) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := found.All()
	for i, d := range r.dims.All() {
		d.Merge(all[i])
	}
}
