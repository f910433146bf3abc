package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chargeback/config"
)

// Goal: a run that can't write its ledger says so before it begins, by the key.
// Method: one place of each kind; what this user may write is told by the test,
// because root may write everywhere.
func TestCheckLedgerPlace(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"folder", "locked"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"file", "locked/ledger", "ledger"} {
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mayWrite := func(path string) bool { return !strings.HasPrefix(path, filepath.Join(dir, "locked")) }
	tests := []struct{ name, path, temp, want string }{
		{"a ledger that is there", "ledger", "ledger.tmp", ""},
		{"one in folders that a run makes", "a/b/ledger", "a/c", ""},
		{"a folder", "folder", "ledger.tmp", "warehouse.path: DIR/folder is a folder; name the file in it, such as folder/ledger.duckdb"},
		{"a folder that is a file", "file/ledger", "ledger.tmp", "warehouse.path: DIR/file is a file, so there can't be a folder DIR/file; correct the path"},
		{"a file of others", "locked/ledger", "ledger.tmp", "warehouse.path: DIR/locked/ledger can't be written by this user; correct its rights, or run as its owner"},
		{"a folder of others", "locked/new/ledger", "ledger.tmp", "warehouse.path: nothing can be written in DIR/locked by this user; correct the path, or its rights"},
		{"spilling into a file", "ledger", "file", "warehouse.temp_dir: DIR/file is a file, so there can't be a folder DIR/file; correct the path"},
		{"spilling to others", "ledger", "locked/tmp", "warehouse.temp_dir: nothing can be written in DIR/locked by this user; correct the path, or its rights"},
	}
	for _, tt := range tests {
		c := &config.Config{Dir: dir, Warehouse: config.Warehouse{Engine: config.EngineDuckDB, Path: tt.path, TempDir: tt.temp}}
		var got []string
		checkLedgerPlace(c, func(key, format string, args ...any) {
			got = append(got, key+": "+fmt.Sprintf(format, args...))
		}, mayWrite)
		if text := strings.ReplaceAll(strings.Join(got, "\n"), dir, "DIR"); text != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.want)
		}
	}
	elsewhere := &config.Config{Dir: dir, Warehouse: config.Warehouse{Engine: config.EngineBigQuery}}
	checkLedgerPlace(elsewhere, func(key, _ string, _ ...any) { t.Errorf("a ledger that is no file: %s", key) }, mayWrite)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 4 {
		t.Errorf("the check has left %v, %v", entries, err)
	}
}
