package duckdb_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/billing/warehouse/warehousetest"
	"chargeback/extract/record"
)

// kept makes a ledger of some rows and returns its file.
func kept(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	s := opened(t, path)
	must(t, s.Compute(t.Context(), "words", warehouse.Select{Text: "select range as id, 'word ' || hash(range) as word from range(20000)"}))
	must(t, s.Apply(t.Context(), warehouse.Append{Table: "notes", From: "words"}))
	must(t, s.Close())
	file, err := os.ReadFile(path)
	must(t, err)
	return file
}

// total reads all of a ledger and writes to it, as a run does.
func total(ctx context.Context, path string, readOnly bool) (sum int64, err error) {
	s, err := duckdb.Open(ctx, duckdb.Options{Path: path, ReadOnly: readOnly})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Migrate(ctx, layout); err != nil {
		return 0, err
	}
	sum, err = warehouse.One[int64](ctx, s, warehouse.Select{Text: "select sum(id + length(word)) from {notes}"})
	if err == nil && !readOnly {
		err = s.Apply(ctx, appended([]any{0, ""}))
	}
	if err == nil && !readOnly {
		err = s.Compact(ctx)
	}
	return sum, err
}

// Goal: a damaged ledger is called damaged, with the way back, or gives the right
// sum; it is never called in use, and gives no other sum.
// Method: flip bits all over the file, cut it at many lengths, empty it, fill it
// with zeros or with text; read it to write, and to look.
func TestDamage(t *testing.T) {
	good := kept(t)
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.duckdb")
	must(t, os.WriteFile(whole, good, 0o600))
	want, err := total(t.Context(), whole, true)
	must(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	damages := map[string][]byte{"empty": {}, "zeros": make([]byte, len(good)), "text": []byte(strings.Repeat("not a ledger\n", 1000)), "a byte": {0}}
	for _, at := range []int{0, 8, 12, 100, 4095, 4096, 4100, 8191, 8192, 9000, 12287, 12288, 12300} {
		damages[fmt.Sprintf("cut at %d", at)] = good[:at]
	}
	for i := range 150 {
		at := random.IntN(len(good))
		if i%3 == 0 {
			at = random.IntN(3 * 4096) // its headers
		}
		bad := append([]byte(nil), good...)
		bad[at] ^= 1 << random.IntN(8)
		damages[fmt.Sprintf("bit of byte %d", at)] = bad
		damages[fmt.Sprintf("cut at %d", at)] = good[:at]
	}
	found := 0
	for name, bad := range damages {
		for _, readOnly := range []bool{false, true} {
			path := filepath.Join(dir, "bad.duckdb")
			must(t, os.WriteFile(path, bad, 0o600))
			sum, err := total(t.Context(), path, readOnly)
			_ = os.Remove(path + ".wal")
			switch {
			case errors.Is(err, warehouse.ErrLocked), err != nil && !errors.Is(err, warehouse.ErrDamaged), err == nil && sum != want:
				t.Errorf("%s (read only: %t): sum %d of %d, error %v", name, readOnly, sum, want, err)
			case err != nil:
				found++
				if text := err.Error(); !strings.Contains(text, path) || !strings.Contains(text, "backup") || strings.Contains(text, "exception_type") {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if found < len(damages) {
		t.Errorf("%d of %d damages were found", found, 2*len(damages))
	}
}

// Goal: a log that a killed run left is believed or refused as a whole.
func TestDamagedLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	must(t, os.WriteFile(path, kept(t), 0o600))
	if output, code := finished(t, "die after commit", path); code != exitDied {
		t.Fatalf("ended with %d: %s", code, output)
	}
	log, err := os.ReadFile(path + ".wal")
	must(t, err)
	log[len(log)-9] ^= 1
	must(t, os.WriteFile(path+".wal", log, 0o600))
	for _, readOnly := range []bool{true, false} {
		if _, err := total(t.Context(), path, readOnly); !errors.Is(err, warehouse.ErrDamaged) {
			t.Errorf("read only %t: %v", readOnly, err)
		}
	}
}

// Goal: a folder where the ledger should lie is not called damaged.
// Method: open one to write, and to look.
func TestFolderIsNoDamagedLedger(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		_, err := duckdb.Open(t.Context(), duckdb.Options{Path: t.TempDir(), ReadOnly: readOnly})
		if err == nil || errors.Is(err, warehouse.ErrDamaged) || !strings.Contains(err.Error(), "is a directory; correct warehouse.path") {
			t.Errorf("read only %v: %v", readOnly, err)
		}
	}
}

// Goal: a file of a newer DuckDB is not called damaged.
// Method: raise the version in the file's first block, with its checksum; the
// newest that this DuckDB reads is the newest that its own message names.
func TestNewerFile(t *testing.T) {
	file := kept(t)
	version := func(v uint64) error {
		path := filepath.Join(t.TempDir(), "ledger.duckdb")
		binary.LittleEndian.PutUint64(file[12:], v)
		sum := uint64(5381)
		for at := 8; at < 4096; at += 8 {
			sum ^= binary.LittleEndian.Uint64(file[at:]) * 0xbf58476d1ce4e5b9
		}
		binary.LittleEndian.PutUint64(file, sum)
		must(t, os.WriteFile(path, file, 0o600))
		_, err := total(t.Context(), path, true)
		return err
	}
	newer := version(999)
	if newer == nil || errors.Is(newer, warehouse.ErrDamaged) || !strings.Contains(newer.Error(), "newer DuckDB (storage version 999") {
		t.Fatal(newer)
	}
	var newest uint64
	if _, err := fmt.Sscanf(newer.Error()[strings.Index(newer.Error(), "reads up to"):], "reads up to %d", &newest); err != nil {
		t.Fatal(err)
	}
	if err := version(newest); err != nil {
		t.Errorf("version %d, which is to be read: %v", newest, err)
	}
	if err := version(newest + 1); err == nil || errors.Is(err, warehouse.ErrDamaged) {
		t.Errorf("version %d: %v", newest+1, err)
	}
}

// Goal: several read at once, nobody writes meanwhile, and whoever is refused knows
// why.
func TestReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	must(t, os.WriteFile(path, kept(t), 0o600))
	reader := process(t, "read", path)
	let, err := reader.StdinPipe()
	must(t, err)
	said, err := reader.StdoutPipe()
	must(t, err)
	must(t, reader.Start())
	line := make([]byte, 100)
	n, err := said.Read(line)
	must(t, err)
	if !strings.HasPrefix(string(line[:n]), "read by process") {
		t.Fatalf("%s", line[:n])
	}
	if _, err := total(t.Context(), path, true); err != nil {
		t.Errorf("beside another reader: %v", err)
	}
	_, err = total(t.Context(), path, false)
	if !errors.Is(err, warehouse.ErrRead) || !errors.Is(err, warehouse.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint("process ", reader.Process.Pid)) {
		t.Errorf("to write beside a reader: %v", err)
	}
	must(t, let.Close())
	must(t, reader.Wait())
	s := open(t, path)
	if output, code := finished(t, "read", path); code != exitLocked || !strings.Contains(output, fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("a reader beside a writer ended with %d: %s", code, output)
	}
	must(t, s.Close())
}

// Goal: who reads changes nothing, needs no right to write, and makes no table
// that this version wants.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.duckdb")
	must(t, os.WriteFile(path, kept(t), 0o600))
	if output, code := finished(t, "die after commit", path); code != exitDied { // leaves a log
		t.Fatalf("ended with %d: %s", code, output)
	}
	before, err := os.ReadFile(path)
	must(t, err)
	must(t, os.Chmod(path, 0o400))
	must(t, os.Chmod(dir, 0o500))
	defer func() { must(t, os.Chmod(dir, 0o700)) }()
	s, err := duckdb.Open(t.Context(), duckdb.Options{Path: path, ReadOnly: true})
	must(t, err)
	must(t, s.Migrate(t.Context(), layout))
	if rows := query(t, s, "select count(*) from {notes} where {usd(id)} >= 0")[0][0]; rows != int64(20001) {
		t.Errorf("%d rows, want those of the log, too", rows)
	}
	must(t, s.Compute(t.Context(), "work", warehouse.Select{Text: "select max(id) as id from {notes}"}))
	if most := query(t, s, "select id from {work}")[0][0]; most != int64(19999) {
		t.Errorf("a work table holds %d", most)
	}
	if err := s.Apply(t.Context(), appended([]any{9, "x"})); err == nil || errors.Is(err, warehouse.ErrDamaged) {
		t.Errorf("wrote a row: %v", err)
	}
	if _, err := s.Load(t.Context(), notes.Schema(), warehousetest.Feed(warehousetest.Batch(notes.Schema(), [][]any{{9, "x"}})), func(*record.Batch) {}); err == nil {
		t.Error("loaded a row")
	}
	other := notes
	other.Columns = append(slices.Clone(notes.Columns), record.Column{Name: "more", Type: record.Text, Nullable: true})
	for what, wider := range map[string]warehouse.Layout{
		"a table is missing":          {Version: 1, Tables: []warehouse.Table{notes, {Name: "more", Columns: notes.Columns}}},
		"a column is missing":         {Version: 1, Tables: []warehouse.Table{other}},
		"a view is missing":           {Version: 1, Tables: []warehouse.Table{notes}, Views: []warehouse.View{{Name: "more", Text: "select id from {notes}"}}},
		"it is of an earlier version": {Version: 2, Tables: []warehouse.Table{notes}},
	} {
		if err := s.Migrate(t.Context(), wider); !errors.Is(err, warehouse.ErrOutdated) {
			t.Errorf("%s: %v", what, err)
		}
	}
	must(t, s.Close())
	after, err := os.ReadFile(path)
	must(t, err)
	if string(before) != string(after) {
		t.Error("the file is another one")
	}
	if _, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(dir, "none.duckdb"), ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, warehouse.ErrNone) {
		t.Errorf("what is not there: %v", err)
	}
}

// Goal: a file that was made and holds no ledger yet is not read as an empty one.
func TestReadOnlyOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	must(t, open(t, path).Close())
	s, err := duckdb.Open(t.Context(), duckdb.Options{Path: path, ReadOnly: true})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	if err := s.Migrate(t.Context(), layout); !errors.Is(err, warehouse.ErrNone) {
		t.Errorf("error %v", err)
	}
}

// Goal: what the ledger's engine makes is for its user alone.
func TestFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "ledger.duckdb")
	s := open(t, path)
	defer func() { must(t, s.Close()) }()
	for at, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(at)
		must(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", at, info.Mode().Perm(), want)
		}
	}
}
