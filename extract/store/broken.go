package store

import (
	"context"
	"io"
)

// Broken is the store at a place, named by its URL, that can't be opened: asked for
// anything it says why. So a place that is gone is told where it is listed, as one
// that goes later is, and keeps nobody from reading the others.
func Broken(url string, why error) Store { return broken{url, why} }

type broken struct {
	url string
	why error
}

func (b broken) Level(context.Context, string) ([]Object, []string, error) { return nil, nil, b.why }
func (b broken) All(context.Context, string, func(Object) error) error     { return b.why }
func (b broken) Open(context.Context, Object) (io.ReadCloser, error)       { return nil, b.why }
func (b broken) String() string                                            { return b.url }
