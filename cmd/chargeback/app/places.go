package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"chargeback/config"
)

// CheckLedgerPlace finds what keeps a run from making or writing the ledger's file,
// or what it spills. It makes nothing; only runs ask it, and who checks the
// settings: to read a ledger needs no right to write.
func CheckLedgerPlace(c *config.Config, fail Failf) {
	checkLedgerPlace(c, fail, func(path string) bool { return syscall.Access(path, accessWrite) == nil })
}

func checkLedgerPlace(c *config.Config, fail Failf, mayWrite func(path string) bool) {
	w := c.Warehouse
	if w.Engine != config.EngineDuckDB {
		return
	}
	file := c.Path(w.Path)
	switch info, err := os.Stat(file); {
	case err == nil && info.IsDir():
		fail("warehouse.path", "%s is a folder; name the file in it, such as %s", file, filepath.Join(w.Path, "ledger.duckdb"))
		return
	case err == nil && !mayWrite(file):
		fail("warehouse.path", "%s can't be written by this user; correct its rights, or run as its owner", file)
	case err == nil:
	default:
		checkFolder("warehouse.path", filepath.Dir(file), fail, mayWrite)
	}
	checkFolder("warehouse.temp_dir", c.Path(w.TempDir), fail, mayWrite)
}

// checkFolder finds why a folder can't be written, or made where it is missing.
func checkFolder(key, folder string, fail Failf, mayWrite func(path string) bool) {
	for dir := folder; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		switch {
		case (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) && dir != filepath.Dir(dir):
			continue // a run makes it
		case err != nil:
			fail(key, "%s can't be read: %v; correct the path, or its rights", dir, err)
		case !info.IsDir():
			fail(key, "%s is a file, so there can't be a folder %s; correct the path", dir, folder)
		case !mayWrite(dir):
			fail(key, "nothing can be written in %s by this user; correct the path, or its rights", dir)
		}
		return
	}
}
