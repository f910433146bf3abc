package store

import (
	"context"
	"io"
)

// Only is store with everything hidden but the one object directly in it that
// has that name. It makes a single file a source like any other.
func Only(store Store, name string) Store { return only{store: store, name: name} }

type only struct {
	store Store
	name  string
}

func (o only) Level(ctx context.Context, prefix string) ([]Object, []string, error) {
	if prefix != "" {
		return nil, nil, CheckFolder(prefix)
	}
	objects, _, err := o.store.Level(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	for _, object := range objects {
		if object.Key == o.name {
			return []Object{object}, nil, nil
		}
	}
	return nil, nil, nil
}

func (o only) All(ctx context.Context, prefix string, yield func(Object) error) error {
	objects, _, err := o.Level(ctx, prefix)
	if err != nil || len(objects) == 0 {
		return err
	}
	return yield(objects[0])
}

func (o only) Open(ctx context.Context, object Object) (io.ReadCloser, error) {
	if object.Key != o.name {
		return nil, ErrNotFound
	}
	return o.store.Open(ctx, object)
}

func (o only) String() string { return o.store.String() + "/" + o.name }
