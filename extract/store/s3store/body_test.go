package s3store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"chargeback/extract/store"
)

func readObject(t *testing.T, bucket *Store, object store.Object) ([]byte, error) {
	t.Helper()
	body, err := bucket.Open(t.Context(), object)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(body)
	return content, errors.Join(err, body.Close())
}

func randomBytes(sizeBytes int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	content := make([]byte, sizeBytes)
	for i := range content {
		content[i] = byte(random.Uint32())
	}
	return content
}

// TestBrokenBodies breaks the body of an object at any places, up to as often
// as a body may break: what is read is what was stored, and every further
// request goes on where the one before broke, with the same If-Match.
func TestBrokenBodies(t *testing.T) {
	f := newFake()
	bucket := f.serve(t, "logs")
	content := randomBytes(100_000)
	rapid.Check(t, func(rt *rapid.T) {
		body := content[:rapid.IntRange(1, len(content)).Draw(rt, "sizeBytes")]
		parts := rapid.SliceOfN(rapid.IntRange(0, len(body)), 0, resumesMax).Draw(rt, "bytes before each break")
		f.setFault(nil)
		object := f.put(t, bucket, "a.json", body)
		f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
			f.mu.Lock()
			done := !isGet(r) || len(parts) == 0
			var sentBytes int
			if !done {
				sentBytes, parts = min(parts[0], len(body)-rangeStart(r)-1), parts[1:]
			}
			f.mu.Unlock()
			if !done {
				breakBody(w, r, body, sentBytes)
			}
			return false
		})
		got, err := readObject(t, bucket, object)
		if err != nil || !bytes.Equal(got, body) {
			rt.Fatalf("read %d bytes and error %v, want the %d that were stored", len(got), err, len(body))
		}
		last := 0
		for _, r := range f.gets() {
			if r.Header.Get("If-Match") != strconv.Quote(object.ETag) || rangeStart(r) < last {
				rt.Fatalf("request with If-Match %s and range %s", r.Header.Get("If-Match"), r.Header.Get("Range"))
			}
			last = rangeStart(r)
		}
	})
}

// TestBrokenInTheMiddle breaks the first connection of a body and does
// something to the object, or to the server, before the second.
func TestBrokenInTheMiddle(t *testing.T) {
	before, after := randomBytes(50_000), bytes.Repeat([]byte("new "), 12_500)
	tests := []struct {
		name   string
		second func(f *fake, w http.ResponseWriter, r *http.Request) bool
		want   error
		text   string
	}{
		{"nothing", func(*fake, http.ResponseWriter, *http.Request) bool { return false }, nil, ""},
		{"written again", func(f *fake, _ http.ResponseWriter, _ *http.Request) bool {
			under{f, "logs/"}.Put(nil, "a.json", after)
			return false
		}, store.ErrChanged, "read s3://example-logs/logs/a.json: the object has changed"},
		{"removed", func(f *fake, _ http.ResponseWriter, _ *http.Request) bool {
			under{f, "logs/"}.Remove(nil, "a.json")
			return false
		}, store.ErrNotFound, "read s3://example-logs/logs/a.json: the object is no longer there"},
		{"written again, and the server ignores If-Match", func(_ *fake, w http.ResponseWriter, r *http.Request) bool {
			sendPart(w, r, after)
			return true
		}, store.ErrChanged, ""},
		{"the server ignores Range", func(_ *fake, w http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("Range")
			sendPart(w, r, before)
			return true
		}, nil, "did not go on where the connection broke"},
		{"slow down", func(f *fake, w http.ResponseWriter, r *http.Request) bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.waits) < 3 && answer(503, "SlowDown", "")(w, r)
		}, nil, ""},
		{"access taken away", func(_ *fake, w http.ResponseWriter, r *http.Request) bool {
			return answer(403, "AccessDenied", "")(w, r)
		}, nil, "s3:GetObject"},
		{"broken again and again", func(_ *fake, w http.ResponseWriter, r *http.Request) bool {
			breakBody(w, r, before, 10)
			return true
		}, io.ErrUnexpectedEOF, "the connection broke 9 times, last after 20080 of 50000 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake()
			bucket := f.serve(t, "logs")
			object := f.put(t, bucket, "a.json", before)
			f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
				if rangeStart(r) == 0 {
					breakBody(w, r, before, 20_000)
				}
				return test.second(f, w, r)
			})
			got, err := readObject(t, bucket, object)
			if !bytes.Equal(got, before[:len(got)]) {
				t.Errorf("the %d bytes that came are not those of the version listed", len(got))
			}
			switch {
			case test.want == nil && test.text == "":
				if err != nil || len(got) != len(before) {
					t.Errorf("read %d bytes and error %v, want all", len(got), err)
				}
			case test.want != nil && !errors.Is(err, test.want):
				t.Errorf("error %v, want %v", err, test.want)
			default:
				wantText(t, err, test.text)
			}
		})
	}
}

// TestBodiesThatLie has the server send other bytes than it listed.
func TestBodiesThatLie(t *testing.T) {
	content := []byte("0123456789")
	tests := []struct {
		name string
		send func(w http.ResponseWriter)
		want string
	}{
		{"shorter than listed", func(w http.ResponseWriter) { _, _ = w.Write(content[:9]) }, "sends 9 bytes where 10 are listed"},
		{"longer than listed", func(w http.ResponseWriter) { _, _ = w.Write(append(content, 'x')) }, "sends 11 bytes where 10 are listed"},
		{"longer, without a length", func(w http.ResponseWriter) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(append(content, 'x'))
		}, "longer than the 10 bytes listed"},
		{"shorter, without a length", func(w http.ResponseWriter) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(content[:9])
		}, "did not go on where the connection broke"},
		{"wrong checksum", func(w http.ResponseWriter) {
			w.Header().Set("X-Amz-Checksum-Crc32", "AAAAAA==")
			_, _ = w.Write(content)
		}, "checksum did not match"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake()
			bucket := f.serve(t, "logs")
			object := f.put(t, bucket, "a.json", content)
			f.setFault(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("ETag", strconv.Quote(object.ETag))
				test.send(w)
				return true
			})
			_, err := readObject(t, bucket, object)
			wantText(t, err, test.want)
		})
	}
}

// TestBytesAsStored has the server name an encoding, which no one may undo.
func TestBytesAsStored(t *testing.T) {
	f := newFake()
	bucket := f.serve(t, "logs")
	content := append([]byte("\x1f\x8b\x08\x00"), randomBytes(100)...)
	object := f.put(t, bucket, "a.json.gz", content)
	f.setFault(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Encoding", "gzip")
		return false
	})
	got, err := readObject(t, bucket, object)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("read %d bytes and error %v, want the %d stored", len(got), err, len(content))
	}
}

// TestSilentServers has the server stop in the middle of something. The test
// runs in a bubble where a minute passes at once.
func TestSilentServers(t *testing.T) {
	const content = "0123456789"
	tests := []struct {
		name   string
		silent func(w http.ResponseWriter, r *http.Request, request int) bool
		want   string
	}{
		{"before the first answer, once", func(_ http.ResponseWriter, _ *http.Request, request int) bool { return request == 1 }, ""},
		{"in the middle of a listing, once", func(w http.ResponseWriter, _ *http.Request, request int) bool {
			if request == 1 {
				_, _ = io.WriteString(w, "<ListBucketResult>")
			}
			return request == 1
		}, ""},
		{"in the middle of a body, once", func(w http.ResponseWriter, r *http.Request, request int) bool {
			if request != 2 {
				return false
			}
			w.Header().Set("ETag", strconv.Quote(etagOf([]byte(content))))
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, content[:4])
			return true
		}, ""},
		{"for ever", func(http.ResponseWriter, *http.Request, int) bool { return true }, "no usable answer: the server has been silent for 2 minutes in all"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				under{f, "logs/"}.Put(t, "a.json", []byte(content))
				f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
					f.mu.Lock()
					request := len(f.requests)
					f.mu.Unlock()
					if !test.silent(w, r, request) {
						return false
					}
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
					return true
				})
				content, err := readFirst(t, serveInBubble(t, f))
				if test.want != "" {
					wantText(t, err, test.want)
				} else if err != nil || content != "0123456789" {
					t.Errorf("read %q and error %v", content, err)
				}
			})
		})
	}
}

// Goal: listings of a store wait two minutes in all for a server that is silent,
// however many are asked for, side by side or in turn; silence that ends is no error,
// and answers that are errors keep their five tries.
// Method: listings in a bubble where a minute passes at once; the time that it takes.
func TestPatienceOfListings(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	for _, test := range []struct {
		name     string
		together int // listings side by side, each time
		times    int
		fault    func(request int, w http.ResponseWriter, r *http.Request) bool
		failed   int
		least    time.Duration
		requests int
	}{
		{"no silence", 1, 3, func(int, http.ResponseWriter, *http.Request) bool { return false }, 0, 0, 3},
		{"for ever, asked again", 1, 9, func(_ int, w http.ResponseWriter, r *http.Request) bool { return silent(w, r) }, 9, 2 * time.Minute, 2},
		{"for ever, side by side", 8, 1, func(_ int, w http.ResponseWriter, r *http.Request) bool { return silent(w, r) }, 8, 2 * time.Minute, 16},
		{"every other request", 1, 9, func(request int, w http.ResponseWriter, r *http.Request) bool { return request%2 == 1 && silent(w, r) }, 8, 2 * time.Minute, 3},
		{"errors", 1, 2, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			refuse(w, http.StatusInternalServerError, "InternalError", "")
			return true
		}, 2, 0, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.setFault(func(w http.ResponseWriter, r *http.Request) bool {
					f.mu.Lock()
					request := len(f.requests)
					f.mu.Unlock()
					return test.fault(request, w, r)
				})
				bucket := serveInBubble(t, f)
				begun := time.Now()
				failed := make(chan error, test.together*test.times)
				for range test.times {
					var running sync.WaitGroup
					for range test.together {
						running.Go(func() {
							if _, _, err := bucket.Level(t.Context(), ""); err != nil {
								failed <- err
							}
						})
					}
					running.Wait()
				}
				took := time.Since(begun)
				f.mu.Lock()
				defer f.mu.Unlock()
				if len(failed) != test.failed || len(f.requests) != test.requests {
					t.Errorf("%d listings failed after %d requests, want %d after %d", len(failed), len(f.requests), test.failed, test.requests)
				}
				if took < test.least || took > test.least+3*time.Minute/2 {
					t.Errorf("took %v, want %v and some sleep", took, test.least)
				}
			})
		})
	}
}

func readFirst(t *testing.T, bucket *Store) (string, error) {
	objects, _, err := bucket.Level(t.Context(), "")
	if err != nil {
		return "", err
	}
	if len(objects) != 1 {
		return "", fmt.Errorf("%d objects listed", len(objects))
	}
	content, err := readObject(t, bucket, objects[0])
	return string(content), err
}

// serveInBubble serves the fake over pipes, whose waiting a bubble understands,
// to a store that sleeps by the bubble's clock.
func serveInBubble(t *testing.T, f *fake) *Store {
	conns := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: f}
	served := make(chan error)
	go func() { served <- server.Serve(conns) }()
	client := &http.Client{Transport: &http.Transport{DialContext: conns.dial}}
	options := f.options()
	options.Sleep, options.Endpoint, options.Prefix = nil, "http://s3.example.com", "logs"
	bucket, err := newStore(t.Context(), options, client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(bucket.Close(), server.Close()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return bucket
}

// pipes is a listener whose connections are pipes in this process.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func TestSleepByClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := sleepByClock(t.Context(), time.Hour); err != nil || time.Since(start) != time.Hour {
			t.Errorf("slept %v, error %v", time.Since(start), err)
		}
		cancelled, stop := context.WithCancel(t.Context())
		stop()
		if err := sleepByClock(cancelled, time.Hour); err != context.Canceled {
			t.Errorf("error %v, want context.Canceled", err)
		}
	})
}
