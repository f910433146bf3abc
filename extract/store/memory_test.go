package store_test

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chargeback/extract/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a store that lists the keys of a set, the slow and certain way.
type memory struct {
	keys  map[string]bool
	calls func(call string) error // told of each listing, may be nil
}

func memoryOf(keys ...string) *memory {
	m := &memory{keys: map[string]bool{}}
	for _, key := range keys {
		m.keys[key] = true
	}
	return m
}

func (m *memory) called(ctx context.Context, call, prefix string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.calls == nil {
		return store.CheckFolder(prefix)
	}
	return m.calls(call + " " + prefix)
}

func (m *memory) Level(ctx context.Context, prefix string) ([]store.Object, []string, error) {
	if err := m.called(ctx, "Level", prefix); err != nil {
		return nil, nil, err
	}
	var objects []store.Object
	folders := map[string]bool{}
	for key := range m.keys {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); deeper {
			folders[prefix+name+"/"] = true
		} else {
			objects = append(objects, objectOf(key))
		}
	}
	return objects, slices.Collect(maps.Keys(folders)), nil
}

func (m *memory) All(ctx context.Context, prefix string, yield func(store.Object) error) error {
	if err := m.called(ctx, "All", prefix); err != nil {
		return err
	}
	for key := range m.keys {
		if strings.HasPrefix(key, prefix) {
			if err := yield(objectOf(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Open(_ context.Context, object store.Object) (io.ReadCloser, error) {
	if !m.keys[object.Key] {
		return nil, store.ErrNotFound
	}
	return io.NopCloser(strings.NewReader(object.Key)), nil
}

func (m *memory) String() string { return "file:memory" }

func objectOf(key string) store.Object {
	return store.Object{Key: key, ETag: "1", SizeBytes: int64(len(key)), Modified: time.Unix(1, 0).UTC()}
}
