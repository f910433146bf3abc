package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/config"
)

const october = "2026-10"

// built is October in memory, made once for all tests that only read it.
var built = sync.OnceValue(func() *builder { return mustBuild(october) })

func mustBuild(name string) *builder {
	m, err := newMonth(name, Zone)
	if err != nil {
		panic(err)
	}
	return build(m)
}

// hashOf is one hash over names and contents.
func hashOf(files map[string][]byte) string {
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[path])
		h.Write([]byte(path + "\x00"))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// tree reads a demo folder from disk, with the time of change of each file.
func tree(t *testing.T, dir string) (files map[string][]byte, changed map[string]time.Time) {
	t.Helper()
	files, changed = map[string][]byte{}, map[string]time.Time{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == marker {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		changed[name] = info.ModTime()
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, changed
}

// Goal: the same month is the same bytes, and another month is another story.
// Method: build October twice, and months of every length and both changes of
// the clock once; each must hold all kinds of calls.
func TestMonths(t *testing.T) {
	again := mustBuild(october)
	if hashOf(built().files) != hashOf(again.files) {
		t.Error("the same month gave other bytes")
	}
	if diff := cmp.Diff(built().sum, again.sum); diff != "" {
		t.Errorf("the same month gave another summary: %s", diff)
	}
	for _, name := range []string{"2026-02", "2026-03", "2027-12"} {
		t.Run(name, func(t *testing.T) {
			b := mustBuild(name)
			if hashOf(b.files) == hashOf(built().files) {
				t.Error("same bytes as October")
			}
			if len(b.sum.Kinds) != len(built().sum.Kinds) {
				t.Errorf("kinds of calls: %v, October has %v", b.sum.Kinds, built().sum.Kinds)
			}
		})
	}
}

func TestMonthNames(t *testing.T) {
	for _, name := range []string{"", "2026", "2026-13", "2026-10-01", "October"} {
		t.Run(name, func(t *testing.T) {
			_, err := Write(t.TempDir(), Options{Month: name})
			if err == nil || !strings.Contains(err.Error(), "write it as 2026-10") {
				t.Errorf("error %v does not say how to write a month", err)
			}
		})
	}
}

// Goal: running the demo again touches only what is wrong, and nothing of the
// user's. Method: write, spoil four things, add two, write again, compare.
func TestWriteAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "demo")
	first, err := Write(dir, Options{Month: october})
	if err != nil {
		t.Fatal(err)
	}
	before, changed := tree(t, dir)
	if hashOf(before) != hashOf(built().files) {
		t.Error("the folder differs from what was built")
	}
	if first.Files != len(before) {
		t.Errorf("summary says %d files, the folder has %d", first.Files, len(before))
	}

	deleted, spoilt := first.Cases[0].RequestKey, first.Cases[1].RequestKey
	put := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, deleted)); err != nil {
		t.Fatal(err)
	}
	put(spoilt, "{}")
	put("chargeback.yaml", "# mine\n")
	put("ledger.duckdb", "ledger")
	put("invoices/"+october+"/a.pdf", "invoice")

	second, err := Write(dir, Options{Month: october})
	if err != nil {
		t.Fatal(err)
	}
	after, changedAfter := tree(t, dir)
	added := map[string]string{"chargeback.yaml.bak": "# mine\n", "ledger.duckdb": "ledger", "invoices/" + october + "/a.pdf": "invoice"}
	for name, content := range added {
		if string(after[name]) != content {
			t.Errorf("%s holds %q, want %q", name, after[name], content)
		}
		delete(after, name)
	}
	if hashOf(after) != hashOf(before) {
		t.Error("the inputs are not what they were")
	}
	for name, at := range changed {
		if name != deleted && name != spoilt && name != "chargeback.yaml" && !changedAfter[name].Equal(at) {
			t.Errorf("%s was written although it was right", name)
		}
	}
	if diff := cmp.Diff([]string{"chargeback.yaml.bak"}, second.Kept); diff != "" {
		t.Errorf("kept copies: %s", diff)
	}
	if _, err := Write(dir, Options{Month: "2026-11"}); err == nil || !strings.Contains(err.Error(), "another month") {
		t.Errorf("writing another month into the folder gave %v", err)
	}
	configLoads(t, dir)
}

// configLoads holds the written files against the program's own reader.
func configLoads(t *testing.T, dir string) {
	t.Helper()
	c, err := config.Load(filepath.Join(dir, "chargeback.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Budgets) != len(budgetPlans) || len(c.Waivers) != 3 || len(c.Sources) != 3 {
		t.Errorf("config has %d budgets, %d waivers, %d sources", len(c.Budgets), len(c.Waivers), len(c.Sources))
	}
	for _, s := range c.Sources {
		_, place := s.Location()
		if _, err := os.Stat(c.Path(place)); err != nil {
			t.Errorf("source %s: %v", s.Name, err)
		}
	}
}

func TestForeignFolders(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(dir string) error
		want    error
	}{
		{"a file of somebody's", func(dir string) error { return os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o644) }, ErrForeignFolder},
		{"a folder of somebody's", func(dir string) error { return os.Mkdir(filepath.Join(dir, "data"), 0o755) }, ErrForeignFolder},
		{"a ledger without the marker", func(dir string) error { return os.WriteFile(filepath.Join(dir, "ledger.duckdb"), nil, 0o644) }, ErrForeignFolder},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tc.prepare(dir); err != nil {
				t.Fatal(err)
			}
			before, _ := tree(t, dir)
			_, err := Write(dir, Options{Month: october})
			if !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
			after, _ := tree(t, dir)
			if hashOf(before) != hashOf(after) {
				t.Error("the folder was changed")
			}
		})
	}
	t.Run("not a folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Write(path, Options{Month: october}); err == nil || !strings.Contains(err.Error(), "--dir") {
			t.Errorf("error %v does not say what to do", err)
		}
	})
	t.Run("an empty folder is taken", func(t *testing.T) {
		dir := t.TempDir()
		if err := claim(dir, october); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, marker)); err != nil || !bytes.Equal(got, markerText(october)) {
			t.Errorf("marker %q, %v", got, err)
		}
	})
}
