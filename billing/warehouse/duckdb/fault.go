package duckdb

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"syscall"

	driver "github.com/duckdb/duckdb-go/v2"

	"chargeback/billing/warehouse"
)

// wayBack is what the operator does about a damaged ledger.
const wayBack = "restore the ledger, and the .wal beside it, from the last backup and run again: what came since is read again from its sources. " +
	"Without a backup, keep the damaged file and begin a new ledger"

// said is an error as DuckDB writes it where errors_as_json is set.
type said struct {
	Kind  string `json:"exception_type"`
	Text  string `json:"exception_message"`
	Errno string `json:"errno"` // of the system's call that failed; "" where none did
}

// fault gives an error of DuckDB its plain text, and says what it means for the
// ledger by the kind of the error: its text names files and values, and any word
// may stand in those.
func (s *Store) fault(err error) error {
	engine, is := errors.AsType[*driver.Error](err)
	if !is {
		return err
	}
	var told said
	if json.Unmarshal([]byte(engine.Msg), &told) != nil || told.Kind == "" {
		return err
	}
	engine.Msg = told.Kind + " Error: " + told.Text
	number, _ := strconv.Atoi(told.Errno)
	switch told.Kind {
	case "IO", "Serialization":
		return s.meaning(err, syscall.Errno(number))
	case "FATAL", "TransactionContext": // what failed below is in the text alone
		if full := s.full(); full != nil {
			return fmt.Errorf("%w: %w", full, err)
		}
	}
	return err
}

// meaning is what it means that DuckDB can't read or write.
func (s *Store) meaning(err error, number syscall.Errno) error {
	switch full := s.full(); {
	case full != nil:
		return fmt.Errorf("%w: %w", full, err)
	case number == syscall.ENOSPC, number == syscall.EDQUOT:
		return fmt.Errorf("%w: %w; make room where the ledger and its temporary files lie, and run again", err, number)
	case number != 0 && number != syscall.EIO:
		return fmt.Errorf("%w: %w; correct the rights of the ledger's folder", err, number)
	}
	return s.damaged(err)
}

func (s *Store) damaged(err error) error {
	return fmt.Errorf("%w: %s: %w; %s", warehouse.ErrDamaged, s.path, err, wayBack)
}

// roomMin is what must be free on the ledger's disk for an error to have another
// cause than a full disk.
const roomMin = 16 << 20

// full is an error where the ledger's disk has no room.
func (s *Store) full() error {
	var disk syscall.Statfs_t
	if syscall.Statfs(filepath.Dir(s.path), &disk) != nil {
		return nil
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < roomMin && !s.readOnly {
		return fmt.Errorf("the disk of %s is full (%d MB free); make room and run again", s.path, free>>20)
	}
	return nil
}

// openFault says why DuckDB can't open the file, which this process has locked.
// Such an error comes as text, so the file itself is asked.
func (s *Store) openFault(err error) error {
	engine, is := errors.AsType[*driver.Error](err)
	if !is || engine.Type != driver.ErrorTypeIO && engine.Type != driver.ErrorTypeSerialization {
		return fmt.Errorf("open ledger %s: %w", s.path, err)
	}
	if s.lock == nil { // DuckDB could not make it, or another process was faster
		if other, held := lockFile(s.path, false); other != nil || held != nil {
			return errors.Join(fmt.Errorf("open ledger %s: %w", s.path, errors.Join(held, err)), other.release())
		}
		if full := s.full(); full != nil {
			return fmt.Errorf("%w: %w", full, err)
		}
		return fmt.Errorf("make ledger %s: %w; correct warehouse.path or the rights of its folder", s.path, err)
	}
	if version := s.lock.version(); version > storageMax {
		return fmt.Errorf("open ledger %s: it was written by a newer DuckDB (storage version %d, this program reads up to %d); run the newer chargeback, or restore the backup of before", s.path, version, storageMax)
	}
	if full := s.full(); full != nil {
		return fmt.Errorf("%w: %w", full, err)
	}
	return s.damaged(err)
}

// storageMax is the newest layout of files that the linked DuckDB reads; a test
// holds it against DuckDB's own.
const storageMax = 68

// version is the layout that a DuckDB file's first block names; 0 where the
// block is not whole.
func (l *lock) version() uint64 {
	block := make([]byte, 4096)
	if _, err := l.file.ReadAt(block, 0); err != nil && err != io.EOF {
		return 0
	}
	if string(block[8:12]) != "DUCK" || binary.LittleEndian.Uint64(block) != checksum(block[8:]) {
		return 0
	}
	return binary.LittleEndian.Uint64(block[12:])
}

// checksum is DuckDB's, of whole words.
func checksum(data []byte) uint64 {
	sum := uint64(5381)
	for ; len(data) >= 8; data = data[8:] {
		sum ^= binary.LittleEndian.Uint64(data) * 0xbf58476d1ce4e5b9
	}
	return sum
}
