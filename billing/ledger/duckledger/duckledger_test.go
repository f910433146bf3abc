package duckledger_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/duckledger"
	"chargeback/billing/ledger/ledgertest"
)

// asked tells the test binary to be another process: what to do, and with
// which ledger.
const asked, askedPath = "DUCKLEDGER_TEST_PROCESS", "DUCKLEDGER_TEST_PATH"

func TestMain(m *testing.M) {
	if do := processes[os.Getenv(asked)]; do != nil {
		os.Exit(do(os.Getenv(askedPath)))
	}
	goleak.VerifyTestMain(m)
}

// processes are what the test binary does as another process. Each returns its
// exit code.
var processes = map[string]func(path string) int{
	"open": func(path string) int {
		s, err := duckledger.Open(context.Background(), duckledger.Options{Path: path})
		if err == nil {
			fmt.Println("opened it")
			return closed(s)
		}
		fmt.Println(err)
		if errors.Is(err, ledger.ErrLocked) {
			return exitLocked
		}
		return 1
	},
	"hold": func(path string) int {
		s, err := duckledger.Open(context.Background(), duckledger.Options{Path: path})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("held by process", os.Getpid())
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent lets go
		return closed(s)
	},
	"read": func(path string) int {
		s, err := duckledger.Open(context.Background(), duckledger.Options{Path: path, ReadOnly: true})
		if err != nil {
			fmt.Println(err)
			if errors.Is(err, ledger.ErrLocked) {
				return exitLocked
			}
			return 1
		}
		fmt.Println("read by process", os.Getpid())
		_, _ = io.Copy(io.Discard, os.Stdin)
		return closed(s)
	},
	"die before commit": func(path string) int { return die(path, false) },
	"die after commit":  func(path string) int { return die(path, true) },
}

const exitLocked, exitDied = 11, 12

func closed(s *duckledger.Store) int {
	if err := s.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// die writes a row and ends without closing anything, as after a kill.
func die(path string, commit bool) int {
	ctx := context.Background()
	s, err := duckledger.Open(ctx, duckledger.Options{Path: path})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	err = s.Transact(ctx, func() error {
		if err := s.Insert(ctx, notes, [][]any{{int64(2), "second"}}); err != nil {
			return err
		}
		if !commit {
			os.Exit(exitDied)
		}
		return nil
	})
	fmt.Println(err)
	os.Exit(exitDied)
	return 0
}

// process makes a command of the test binary as another process.
func process(t *testing.T, do, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), asked+"="+do, askedPath+"="+path)
	return cmd
}

// finished runs a process to its end.
func finished(t *testing.T, do, path string) (output string, code int) {
	t.Helper()
	out, err := process(t, do, path).CombinedOutput()
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		return string(out), exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

var notes = ledger.Table{Name: "notes", Columns: []ledger.Column{{Name: "id", Type: ledger.Int}, {Name: "word", Type: ledger.Text, Nullable: true}}}

func open(t *testing.T, path string) *duckledger.Store {
	t.Helper()
	s, err := duckledger.Open(t.Context(), duckledger.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	dir := t.TempDir()
	ledgertest.Run(t, func(t *testing.T) ledger.Engine {
		name := strings.NewReplacer("/", "_", " ", "_", "'", "").Replace(t.Name())
		return open(t, filepath.Join(dir, name+".duckdb"))
	})
}

// Goal: nobody writes into a ledger that is in use, and whoever is refused
// knows by whom.
// Method: another process opens what this one holds, and the other way round.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	s := open(t, path)
	output, code := finished(t, "open", path)
	if want := fmt.Sprintf("process %d", os.Getpid()); code != exitLocked || !strings.Contains(output, want) || !strings.Contains(output, path) {
		t.Errorf("second process ended with %d: %s; want ErrLocked that names %s and %s", code, output, want, path)
	}
	must(t, s.Close())
	if output, code := finished(t, "open", path); code != 0 {
		t.Errorf("once it was closed, a second process ended with %d: %s", code, output)
	}

	holder := process(t, "hold", path)
	let, err := holder.StdinPipe()
	must(t, err)
	said, err := holder.StdoutPipe()
	must(t, err)
	must(t, holder.Start())
	line := make([]byte, 100)
	n, err := said.Read(line)
	must(t, err)
	want := strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "held by "))
	for range 2 {
		_, err := duckledger.Open(t.Context(), duckledger.Options{Path: path})
		if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), want) {
			t.Errorf("opening what %q holds gave %v, want ErrLocked that names it", want, err)
		}
	}
	must(t, let.Close())
	must(t, holder.Wait())
	must(t, open(t, path).Close())
}

// Goal: a process that ends in the middle leaves what was committed, and
// nothing else.
// Method: another process that ends without closing, before and after commit.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	s := open(t, path)
	must(t, s.Migrate(t.Context(), []ledger.Table{notes}))
	must(t, s.Insert(t.Context(), notes, [][]any{{int64(1), "first"}}))
	must(t, s.Close())
	for _, test := range []struct {
		do   string
		want []int64
	}{
		{"die before commit", []int64{1}},
		{"die after commit", []int64{1, 2}},
	} {
		if output, code := finished(t, test.do, path); code != exitDied {
			t.Fatalf("%s: ended with %d: %s", test.do, code, output)
		}
		s := open(t, path)
		var got []int64
		must(t, s.Query(t.Context(), "select id from notes order by id", nil, func(r ledger.Row) error { got = append(got, r.Int(0)); return nil }))
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: rows %v, want %v", test.do, got, test.want)
		}
		must(t, s.Close())
	}
}

// Goal: no start has to replay a change of schema, nor what a run in order did.
// Method: look for DuckDB's log right after tables were made and columns added,
// while the ledger is still open, and after it was closed.
func TestMigrateAndCloseEndWithACheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	s := open(t, path)
	wider := notes
	wider.Columns = append(slices.Clone(wider.Columns), ledger.Column{Name: "more", Type: ledger.Text, Nullable: true})
	for _, table := range []ledger.Table{notes, wider} {
		must(t, s.Migrate(t.Context(), []ledger.Table{table}))
		if log, err := os.Stat(path + ".wal"); err == nil && log.Size() > 0 {
			t.Errorf("with %d columns, migration left a log of %d bytes", len(table.Columns), log.Size())
		}
	}
	must(t, s.Insert(t.Context(), wider, [][]any{{int64(1), "first", nil}}))
	if _, err := os.Stat(path + ".wal"); err != nil {
		t.Errorf("a row left no log, so this test looks for it in the wrong place: %v", err)
	}
	before, err := s.SizeBytes(t.Context())
	must(t, err)
	if before <= 0 {
		t.Errorf("size %d", before)
	}
	must(t, s.Close())
	if log, err := os.Stat(path + ".wal"); err == nil {
		t.Errorf("closing left a log of %d bytes", log.Size())
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.duckdb")
	must(t, os.WriteFile(text, []byte(strings.Repeat("not a database\n", 1_000)), 0o600))
	for name, path := range map[string]string{"a file of another kind": text, "a folder": dir, "below a file": filepath.Join(text, "ledger.duckdb")} {
		s, err := duckledger.Open(t.Context(), duckledger.Options{Path: path})
		if err == nil {
			must(t, s.Close())
			t.Errorf("%s was opened", name)
			continue
		}
		if errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), "ledger") {
			t.Errorf("%s: error %q", name, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if s, err := duckledger.Open(ctx, duckledger.Options{Path: filepath.Join(dir, "new.duckdb")}); err == nil {
		must(t, s.Close())
		t.Error("opened although it was cancelled")
	}
}

// Goal: limits hold, and a select that needs more memory than it may use goes to
// the temporary folder of the options.
// Method: read DuckDB's settings back.
func TestOptions(t *testing.T) {
	dir := t.TempDir()
	temp := filepath.Join(dir, "it's temporary")
	s, err := duckledger.Open(t.Context(), duckledger.Options{Path: filepath.Join(dir, "sub", "ledger.duckdb"), MemoryBytes: 200_000_000, TempDir: temp, Threads: 3})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	var got []string
	must(t, s.Query(t.Context(), "select cast(current_setting('threads') as varchar), current_setting('memory_limit'), current_setting('temp_directory'), current_setting('TimeZone')", nil, func(r ledger.Row) error {
		got = []string{r.Text(0), r.Text(1), r.Text(2), r.Text(3)}
		return nil
	}))
	if want := []string{"3", "190.7 MiB", temp, "UTC"}; !slices.Equal(got, want) {
		t.Errorf("threads, memory, folder and zone %q, want %q", got, want)
	}
	if name := s.String(); name != "duckdb "+filepath.Join(dir, "sub", "ledger.duckdb") {
		t.Errorf("is called %s", name)
	}
}

// Goal: what DuckDB has and the ledger doesn't is refused, not read as something
// else.
// Method: select values of such types.
func TestForeignTypes(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ledger.duckdb"))
	defer func() { must(t, s.Close()) }()
	for _, value := range []string{"1.5::double", "[1, 2]", "{'a': 1}", "interval 1 day", "'a'::blob", "9223372036854775807::hugeint + 1", "0.0000000000001::decimal(18, 13)"} {
		err := s.Query(t.Context(), "select "+value+" as it", nil, func(r ledger.Row) error { t.Errorf("%s came as %v", value, r[0]); return nil })
		if err == nil || !strings.Contains(err.Error(), "column it") {
			t.Errorf("%s: error %v, want one that names the column", value, err)
		}
	}
	for value, want := range map[string]any{"1::tinyint": int64(1), "2::smallint": int64(2), "3::integer": int64(3), "sum(4)": int64(4), "timestamptz '2026-10-05 12:00:00+02:00'": ledgertest.At("2026-10-05 10:00:00")} {
		must(t, s.Query(t.Context(), "select "+value, nil, func(r ledger.Row) error {
			if at, is := r[0].(time.Time); is && !at.Equal(want.(time.Time)) || !is && r[0] != want {
				t.Errorf("%s came as %v (%T), want %v", value, r[0], r[0], want)
			}
			return nil
		}))
	}
}
