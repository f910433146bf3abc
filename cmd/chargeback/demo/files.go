package demo

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// marker is the file by which the demo knows its own folder.
const marker = ".chargeback-demo"

// fileSet is what the demo writes: path with slashes, relative to its folder.
type fileSet map[string][]byte

// add puts a file into the set; two files of one name would hide each other.
func (s fileSet) add(path string, content []byte) {
	if _, taken := s[path]; taken {
		panic("demo: two files named " + path)
	}
	s[path] = content
}

// claim makes sure that dir is the demo's to write: new, empty, or made by the
// demo for the same month.
func claim(dir, month string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("open demo folder %s: %w; choose another one with --dir", dir, err)
	}
	path := filepath.Join(dir, marker)
	if len(entries) == 0 {
		return os.WriteFile(path, markerText(month), 0o600)
	}
	found, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write demo into %s: %w", dir, ErrForeignFolder)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w; choose another folder with --dir", path, err)
	}
	if !bytes.Equal(found, markerText(month)) {
		return fmt.Errorf("write demo into %s: it holds the demo of another month; delete it or choose another folder with --dir", dir)
	}
	return nil
}

func markerText(month string) []byte {
	return []byte("Made by `chargeback demo` for " + month + ". Running it again puts the same inputs back.\n")
}

// write brings the files of the set to disk. A file that already has its
// bytes is left alone, so that its time of change stays. An edited config
// file is kept beside the new one; write returns the names of those copies.
func (s fileSet) write(dir string) (kept []string, err error) {
	paths := slices.Sorted(maps.Keys(s))
	target := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
	made := map[string]bool{}
	for _, path := range paths {
		folder := filepath.Dir(target(path))
		if made[folder] {
			continue
		}
		made[folder] = true
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("make demo folder: %w; free the path or choose another folder with --dir", err)
		}
	}
	var writing errgroup.Group
	writing.SetLimit(runtime.NumCPU())
	copied := make([]bool, len(paths))
	for i, path := range paths {
		writing.Go(func() (err error) {
			copied[i], err = writeIfChanged(target(path), s[path], !strings.Contains(path, "/"))
			return err
		})
	}
	if err = writing.Wait(); err != nil {
		err = fmt.Errorf("write demo file: %w; check space and rights of %s", err, dir)
	}
	for i, path := range paths {
		if copied[i] {
			kept = append(kept, path+".bak")
		}
	}
	return kept, err
}

// writeIfChanged writes content unless the file already holds it. With keep it
// first saves other content under the same name with .bak added, and says so.
func writeIfChanged(path string, content []byte, keep bool) (kept bool, err error) {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	exists := err == nil
	if exists && bytes.Equal(old, content) {
		return false, nil
	}
	if exists && keep {
		if err := os.WriteFile(path+".bak", old, 0o600); err != nil {
			return false, err
		}
	}
	return exists && keep, os.WriteFile(path, content, 0o600)
}

// zipper makes gzip bytes. One does for many files, since a compressor is
// large and can be used again.
type zipper struct{ w *gzip.Writer }

func newZipper() zipper { return zipper{gzip.NewWriter(nil)} }

// zip makes one gzip member a part. It names no file and no time, so the
// bytes are the same every time.
func (z zipper) zip(parts ...[]byte) []byte {
	var out bytes.Buffer
	for _, part := range parts {
		z.w.Reset(&out)
		if _, err := z.w.Write(part); err != nil {
			panic(err) // a bytes.Buffer takes every write
		}
		if err := z.w.Close(); err != nil {
			panic(err)
		}
	}
	return out.Bytes()
}
