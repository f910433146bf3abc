package extract

import (
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
	"chargeback/extract/objstore"
	"chargeback/extract/record"
)

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

// Read decodes objects with the source's workers. The caller must take all
// Batches and give each back through Done.
func (s Source) Read(ctx context.Context, env decode.Env, objects []objstore.Found) *Reading {
	workers := max(1, min(s.Workers, len(objects)))
	out := make(chan *record.Batch, batchesAhead)
	r := &Reading{Batches: out, dims: record.NewDimensions(), free: make(chan *record.Batch, batchesAhead+2*workers)}
	todo := make(chan objstore.Found)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() { s.newWorker(ctx, env, out, r).run(todo) })
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

func (w *worker) run(todo <-chan objstore.Found) {
	defer func() { w.unpacker.Close() }()
	for o := range todo {
		id := w.source.VersionID(o.Object, w.env.Zone)
		w.sink.Begin(decode.Origin{ID: id, Key: o.Key, Modified: o.Modified})
		err := w.read(o)
		counts, rejects := w.sink.End()
		if err != nil {
			counts, rejects = decode.Counts{}, nil
		}
		w.reading.add(Result{o, id, counts, rejects, err})
	}
	w.sink.Flush()
	w.reading.merge(w.sink.Dimensions())
}

// read decodes one object. A panic of a decompressor or decoder on hostile
// bytes is this object's failure, not the run's.
func (w *worker) read(o objstore.Found) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.sink.Repair()
			w.unpacker, w.decoder = frame.Unpacker{}, w.source.Format.Decoder(w.env)
			err = fmt.Errorf("decode: stopped by an internal fault (%s); report it with the object's name", faultOf(p))
		}
	}()
	body, err := w.source.Store.Open(w.ctx, o.Object)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	text, err := w.unpacker.Plain(body)
	if err != nil {
		return err
	}
	if err := w.decoder.Decode(text, w.sink); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, body) // to the end, where the store vouches for the version
	return err
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
