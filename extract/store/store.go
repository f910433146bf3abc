// Package store says what the program needs of the place that exports lie
// in: list objects, read one of them exactly.
//
// It owns: the Store contract (its drivers are dirstore and s3store, its test
// is storetest), source URLs, how folder and file names tell the day an
// object was delivered, and which names are known not to be data.
// It does not own: what is inside an object (extract/decode), which objects
// were read before (billing/manifest), or which days a run needs (jobs).
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ErrNotFound says that an object was listed and is gone.
var ErrNotFound = errors.New("the object is no longer there; list again")

// ErrChanged says that an object is not the version that was listed.
var ErrChanged = errors.New("the object has changed since it was listed; list again")

// ErrTaken says that other bytes lie where an object was to be created.
var ErrTaken = errors.New("other bytes lie there already, and nothing is overwritten; move them away, or deliver to another prefix")

// ErrNoListing says that a place may be written to and not be listed.
var ErrNoListing = errors.New("may not be listed")

// ErrReplaced says that the version that was to be replaced is not the last.
var ErrReplaced = errors.New("somebody else has replaced the object since it was read; read it again")

// Object is one version of one stored object, as a listing gave it.
type Object struct {
	// Key names the object below the store's prefix; "/" parts its folders.
	Key string
	// ETag changes whenever the bytes change. It is never empty.
	ETag string
	// SizeBytes is the length of the stored bytes, still compressed.
	SizeBytes int64
	// Modified is when this version was written, UTC, by the store's clock.
	Modified time.Time
}

// Store reads objects below one prefix. All methods may be called from several
// goroutines at once, and a cancelled ctx ends each of them with its error.
//
// A folder is "" (the whole store) or a text that ends in "/"; any other
// prefix is refused. A folder that isn't there is empty, not an error.
// Keys are relative to the store's prefix and come in any order. Folders that
// a driver keeps as objects (a zero-byte key that ends in "/") may be listed.
type Store interface {
	// Level lists what lies directly in a folder: its objects, and its folders
	// as full relative prefixes that end in "/". Each is named once.
	Level(ctx context.Context, prefix string) (objects []Object, folders []string, err error)

	// All yields every object below a folder, at any depth, once. An error of
	// yield ends it and is returned as it is.
	All(ctx context.Context, prefix string, yield func(Object) error) error

	// Open gives the bytes of exactly the version that was listed. It, or a
	// Read, fails with ErrNotFound when the object is gone and with ErrChanged
	// when it is another version; never do bytes of two versions come from one
	// body. The body gives io.EOF only after SizeBytes bytes of that version;
	// a short body is an error. What was read before an error must be dropped,
	// and a caller that stops before io.EOF has no promise at all.
	// An object without an ETag, or with a key outside the store, is refused.
	Open(ctx context.Context, object Object) (io.ReadCloser, error)

	// String is the URL of the store, without secrets.
	String() string
}

// CheckFolder refuses what is not a folder in the sense of Store. For drivers.
func CheckFolder(prefix string) error {
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		return nil
	}
	return fmt.Errorf("%q is not a folder; end it with a slash", prefix)
}
