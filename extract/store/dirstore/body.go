package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"chargeback/extract/store"
)

// Open opens a file in the version that was listed. A file that is replaced by
// rename while it is read gives the version that was opened; one that is
// written in place gives ErrChanged at its end.
func (s *Store) Open(ctx context.Context, object store.Object) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := s.openFile(object)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", s.url(object.Key), err)
	}
	return &body{ctx: ctx, file: file, object: object, url: s.url(object.Key)}, nil
}

func (s *Store) openFile(object store.Object) (*os.File, error) {
	if object.ETag == "" {
		return nil, errors.New("the object has no etag; take it from a listing")
	}
	if !isInside(object.Key) {
		return nil, errors.New("the key leads out of the store; take it from a listing")
	}
	name := filepath.FromSlash(object.Key)
	if err := s.checkRegular(name); err != nil {
		return nil, err
	}
	file, err := s.root.Open(name)
	if isGone(err) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("%w; check that this user may read it", reason(err))
	}
	if err := checkVersion(file, object); err != nil {
		_ = file.Close() // nothing was written
		return nil, err
	}
	return file, nil
}

// checkRegular is asked before the open, which on a pipe would wait forever.
func (s *Store) checkRegular(name string) error {
	info, err := s.root.Stat(name)
	if err == nil {
		if info.Mode().IsRegular() {
			return nil
		}
		return errors.New("it is not a regular file; put a file or a link to one there")
	}
	link, linkErr := s.root.Lstat(name)
	if linkErr == nil && link.Mode()&fs.ModeSymlink != 0 {
		return errors.New("it is a link that leads outside the store or to nothing; put the file itself there")
	}
	if isGone(err) {
		return store.ErrNotFound
	}
	return fmt.Errorf("%w; check that this user may read it", reason(err))
}

// checkVersion asks the open file itself, so that no rename comes between.
func checkVersion(file *os.File, object store.Object) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("%w; check the disk", reason(err))
	}
	if etag(info) != object.ETag {
		return store.ErrChanged
	}
	return nil
}

// body reads a file and looks at its end whether it is still the same version.
type body struct {
	ctx       context.Context
	file      *os.File
	object    store.Object
	url       string
	readBytes int64
	err       error // stays once it is set
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.err = b.ctx.Err(); b.err != nil {
		return 0, b.err
	}
	n, err := b.file.Read(p)
	b.readBytes += int64(n)
	b.err = b.judge(err)
	return n, b.err
}

func (b *body) judge(err error) error {
	if err == nil {
		return nil
	}
	if err == io.EOF {
		if err = checkVersion(b.file, b.object); err == nil && b.readBytes == b.object.SizeBytes {
			return io.EOF
		}
		if err == nil {
			err = store.ErrChanged
		}
		return fmt.Errorf("read %s: %w", b.url, err)
	}
	return fmt.Errorf("read %s: %w; check the disk", b.url, reason(err))
}

func (b *body) Close() error { return b.file.Close() }
