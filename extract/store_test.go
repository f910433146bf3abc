package extract_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"

	"chargeback/extract/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a store of texts by key. Keys are listed in descending order.
type memory struct {
	objects map[string][]byte
	open    map[string]func(io.ReadCloser) (io.ReadCloser, error) // what Open does with an object's body, may be nil
	listErr error

	modified map[string]int64 // seconds since 1970, 1 where it isn't there
}

func (m *memory) Level(_ context.Context, prefix string) (objects []store.Object, folders []string, err error) {
	if m.listErr != nil {
		return nil, nil, m.listErr
	}
	seen := map[string]bool{}
	for _, key := range m.keys() {
		rest, ok := strings.CutPrefix(key, prefix)
		if name, _, deeper := strings.Cut(rest, "/"); ok && deeper {
			seen[prefix+name+"/"] = true
		} else if ok {
			objects = append(objects, m.object(key))
		}
	}
	return objects, slices.Collect(maps.Keys(seen)), nil
}

func (m *memory) All(_ context.Context, prefix string, yield func(store.Object) error) error {
	if m.listErr != nil {
		return m.listErr
	}
	for _, key := range m.keys() {
		if strings.HasPrefix(key, prefix) {
			if err := yield(m.object(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Open(ctx context.Context, o store.Object) (io.ReadCloser, error) {
	body := io.NopCloser(&cancellable{ctx, bytes.NewReader(m.objects[o.Key])})
	if change := m.open[o.Key]; change != nil {
		return change(body)
	}
	return body, nil
}

func (*memory) String() string { return "file:memory" }

func (m *memory) keys() []string {
	keys := slices.Sorted(maps.Keys(m.objects))
	slices.Reverse(keys)
	return keys
}

func (m *memory) object(key string) store.Object {
	return store.Object{Key: key, ETag: "v1", SizeBytes: int64(len(m.objects[key])), Modified: time.Unix(cmp.Or(m.modified[key], 1), 0).UTC()}
}

// found lists the store's objects by key.
func (m *memory) found() []store.Found {
	var all []store.Found
	for _, key := range slices.Sorted(maps.Keys(m.objects)) {
		all = append(all, store.Found{Object: m.object(key)})
	}
	return all
}

// cancellable reads until its context is cancelled, as a store's body does.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// usageLines are n records of an object, the last one broken where bad is set.
func usageLines(object, n int, bad bool) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"schemaType":"ModelInvocationLog","timestamp":"2026-10-%02dT12:00:00Z","accountId":"111122223333","identity":{"arn":"arn:aws:iam::111122223333:user/u%d"},"requestId":"request-%d-%d","modelId":"model-%d","input":{"inputTokenCount":%d},"output":{"outputTokenCount":1}}`+"\n", 1+i%28, i%7, object, i, i%5, i)
	}
	if bad {
		b.WriteString("{\"schemaType\":\n")
	}
	return b.String()
}
