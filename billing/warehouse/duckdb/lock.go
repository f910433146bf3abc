package duckdb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"chargeback/billing/warehouse"
)

// lock is the kernel's lock on the ledger's file, of the kind that DuckDB takes
// too: within a process the two are one. It is taken first, so that who holds
// the file is told by the kernel, and what DuckDB says afterwards is about the
// file itself. It is held while DuckDB has the file open, because closing any
// handle of a file ends all locks that a process has on it.
type lock struct{ file *os.File }

// lockTries is how often a lock is tried that nobody seems to hold: its holder
// may end between the two questions.
const lockTries = 10

// lockFile locks the file, to write or, with others, to read. It returns nil
// where a file that is to be written isn't there yet.
func lockFile(path string, readOnly bool) (*lock, error) {
	how, kind := os.O_RDWR, int16(syscall.F_WRLCK)
	if readOnly {
		how, kind = os.O_RDONLY, syscall.F_RDLCK
	}
	file, err := os.OpenFile(path, how, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !readOnly:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w (%w); make it with \"chargeback run\", or correct warehouse.path", warehouse.ErrNone, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w; give this user the right, or run as its owner", err)
	case err != nil:
		return nil, fmt.Errorf("%w; correct warehouse.path", err)
	}
	if info, err := file.Stat(); err == nil && info.IsDir() { // which can be opened to be read
		return nil, errors.Join(fmt.Errorf("open %s: %w; correct warehouse.path", path, syscall.EISDIR), file.Close())
	}
	if err := lockWhole(file, kind); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &lock{file}, nil
}

func lockWhole(file *os.File, kind int16) error {
	for range lockTries {
		err := syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: kind, Whence: io.SeekStart})
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.EAGAIN) {
			return fmt.Errorf("lock the file: %w; put the ledger on a disk that can lock files", err)
		}
		held := syscall.Flock_t{Type: kind, Whence: io.SeekStart}
		if err := syscall.FcntlFlock(file.Fd(), syscall.F_GETLK, &held); err != nil {
			return fmt.Errorf("ask who holds the file: %w", err)
		}
		switch held.Type {
		case syscall.F_WRLCK:
			return fmt.Errorf("%w by process %d; wait until it ends, or end it", warehouse.ErrLocked, held.Pid)
		case syscall.F_RDLCK:
			return fmt.Errorf("%w, such as process %d; wait until they end", warehouse.ErrRead, held.Pid)
		}
	}
	return fmt.Errorf("%w by another process; wait until it ends, or end it", warehouse.ErrLocked)
}

func (l *lock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
