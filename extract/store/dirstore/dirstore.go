// Package dirstore is an store.Store over a folder of files.
//
// It owns: what makes a version of a file (its ETag is the size and the time of
// last change, so a file that is written again replaces its rows even where
// its bytes are the same), and never leaving the folder, by ".." or by a link.
// It does not own: which files are data (store.Skip, the decoders).
//
// A change is seen by size or time. A file that is overwritten in place by as
// many bytes within one tick of the file system's clock passes unseen; write
// to a new name and rename it, as every log shipper does.
package dirstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"chargeback/extract/store"
)

// entriesMax is how many entries of a folder are held at a time.
const entriesMax = 1000

// Store is a folder as an store.Store. Close it when it is no longer read.
type Store struct {
	dir  string
	root *os.Root
}

var _ store.Store = (*Store)(nil)

// New opens the folder dir, which may itself be a link.
func New(dir string) (*Store, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open file:%s: the folder does not exist; create it or correct the source's url", dir)
	}
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("open file:%s: it is not a folder; name the folder that holds it", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open file:%s: %w; check that this user may read it", dir, reason(err))
	}
	return &Store{dir: filepath.Clean(dir), root: root}, nil
}

// Close lets go of the folder. Bodies that are open stay readable.
func (s *Store) Close() error { return s.root.Close() }

// String is file: and the folder as New was given it.
func (s *Store) String() string { return "file:" + s.dir }

func (s *Store) url(key string) string { return s.String() + "/" + key }

// Level lists one folder. Links to files inside the store are their files. A
// link that leads to a folder, outside or to nothing is listed under its own
// name so that nothing is left out in silence; Open refuses it.
func (s *Store) Level(ctx context.Context, prefix string) (objects []store.Object, folders []string, err error) {
	err = s.each(ctx, prefix, func(key string, info fs.FileInfo) error {
		if info.IsDir() {
			folders = append(folders, key+"/")
		} else {
			objects = append(objects, object(key, info))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return objects, folders, nil
}

// All lists a folder and all folders below it.
func (s *Store) All(ctx context.Context, prefix string, yield func(store.Object) error) error {
	todo := []string{prefix}
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		err := s.each(ctx, next, func(key string, info fs.FileInfo) error {
			if info.IsDir() {
				todo = append(todo, key+"/")
				return nil
			}
			return yield(object(key, info))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each calls visit for every entry of a folder; its errors are returned as
// they are.
func (s *Store) each(ctx context.Context, prefix string, visit func(key string, info fs.FileInfo) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name, err := folderName(prefix)
	if err != nil {
		return fmt.Errorf("list %s: %w", s, err)
	}
	folder, err := s.root.Open(name)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return s.listError(prefix, err)
	}
	defer func() { _ = folder.Close() }() // nothing was written

	for {
		entries, err := folder.ReadDir(entriesMax)
		for _, entry := range entries {
			if err := s.visitEntry(ctx, prefix, entry, visit); err != nil {
				return err
			}
		}
		if err == io.EOF || isGone(err) {
			return nil
		}
		if err != nil {
			return s.listError(prefix, err)
		}
	}
}

func (s *Store) visitEntry(ctx context.Context, prefix string, entry fs.DirEntry, visit func(string, fs.FileInfo) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	key := prefix + entry.Name()
	info, err := entry.Info()
	if isGone(err) {
		return nil
	}
	if err != nil {
		return s.listError(key, err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := s.root.Stat(filepath.FromSlash(key))
		if err == nil && target.Mode().IsRegular() {
			info = target
		}
	}
	return visit(key, info)
}

func (s *Store) listError(key string, err error) error {
	return fmt.Errorf("list %s: %w; check that this user may read the folder", s.url(key), reason(err))
}

// folderName is a store's folder as a path below the root.
func folderName(prefix string) (string, error) {
	if err := store.CheckFolder(prefix); err != nil {
		return "", err
	}
	if prefix == "" {
		return ".", nil
	}
	name := strings.TrimSuffix(prefix, "/")
	if !isInside(name) {
		return "", fmt.Errorf("folder %q leads out of the store; list a folder inside it", prefix)
	}
	return filepath.FromSlash(name), nil
}

// isInside says that a key is a plain path below the root: no "..", no empty
// part, nothing that a second spelling could also name.
func isInside(key string) bool {
	return key != "." && path.Clean(key) == key && filepath.IsLocal(filepath.FromSlash(key))
}

// isGone says that a file or folder isn't there, or stands below a file.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// reason is what went wrong without the path, which the caller names in full.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

func object(key string, info fs.FileInfo) store.Object {
	return store.Object{Key: key, ETag: etag(info), SizeBytes: info.Size(), Modified: info.ModTime().UTC()}
}

// etag is the size and the time of last change in ns since 1970, both in hex.
func etag(info fs.FileInfo) string {
	return strconv.FormatInt(info.Size(), 16) + "-" + strconv.FormatInt(info.ModTime().UnixNano(), 16)
}
