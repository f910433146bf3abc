package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// replaceFile writes a file that is whole, or as it was.
func replaceFile(path string, data []byte) error { return replaceFileAs(path, data, 0o644) }

func replaceFileAs(path string, data []byte, mode os.FileMode) error {
	part, err := os.CreateTemp(filepath.Dir(path), ".chargeback-*")
	if err != nil {
		return fmt.Errorf("write %s: %w; make its folder, or correct the rights", path, err)
	}
	defer func() { _ = os.Remove(part.Name()) }() // gone already where all went well
	_, err = part.Write(data)
	if err := errors.Join(err, part.Chmod(mode), part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write %s: %w; make room, the file is untouched", path, err)
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w; the file is untouched", path, err)
	}
	return nil
}
