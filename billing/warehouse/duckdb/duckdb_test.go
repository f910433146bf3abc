package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/billing/warehouse/warehousetest"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// asked tells the test binary to be another process: what to do, and with
// which ledger.
const asked, askedPath = "DUCKDB_TEST_PROCESS", "DUCKDB_TEST_PATH"

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
		s, err := duckdb.Open(context.Background(), duckdb.Options{Path: path})
		if err == nil {
			fmt.Println("opened it")
			return closed(s)
		}
		fmt.Println(err)
		if errors.Is(err, warehouse.ErrLocked) {
			return exitLocked
		}
		return 1
	},
	"hold": func(path string) int {
		s, err := duckdb.Open(context.Background(), duckdb.Options{Path: path})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("held by process", os.Getpid())
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent lets go
		return closed(s)
	},
	"read": func(path string) int {
		s, err := duckdb.Open(context.Background(), duckdb.Options{Path: path, ReadOnly: true})
		if err != nil {
			fmt.Println(err)
			if errors.Is(err, warehouse.ErrLocked) {
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

func closed(s *duckdb.Store) int {
	if err := s.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// die writes a row and ends without closing anything, as after a kill: once it is
// kept, or while it is loaded, in the transaction that nobody commits.
func die(path string, commit bool) int {
	ctx := context.Background()
	s, err := duckdb.Open(ctx, duckdb.Options{Path: path})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if err := s.Migrate(ctx, layout); err != nil {
		fmt.Println(err)
		return 1
	}
	if !commit {
		_, err = s.Load(ctx, notes.Schema(), warehousetest.Feed(warehousetest.Batch(notes.Schema(), [][]any{{2, "second"}})), func(*record.Batch) {})
	} else {
		err = s.Apply(ctx, warehouse.Append{Table: "notes", Rows: [][]any{{2, "second"}}})
	}
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

var (
	notes  = warehouse.Table{Name: "notes", Columns: []record.Column{{Name: "id", Type: record.Int}, {Name: "word", Type: record.Text, Nullable: true}}}
	layout = warehouse.Layout{Version: 1, Tables: []warehouse.Table{notes}}
)

func open(t *testing.T, path string) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(t.Context(), duckdb.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// opened is open, with the tables.
func opened(t *testing.T, path string) *duckdb.Store {
	t.Helper()
	s := open(t, path)
	must(t, s.Migrate(t.Context(), layout))
	return s
}

func appended(rows ...[]any) warehouse.Change { return warehouse.Append{Table: "notes", Rows: rows} }

// query reads the rows of a select.
func query(t *testing.T, s *duckdb.Store, text string) (rows [][]any) {
	t.Helper()
	must(t, s.Query(t.Context(), warehouse.Select{Text: text}, func(r warehouse.Row) error {
		rows = append(rows, slices.Clone(r.Values))
		return nil
	}))
	return rows
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	dir := t.TempDir()
	warehousetest.Run(t, func(t *testing.T) warehouse.Warehouse {
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
		_, err := duckdb.Open(t.Context(), duckdb.Options{Path: path})
		if !errors.Is(err, warehouse.ErrLocked) || !strings.Contains(err.Error(), want) {
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
	s := opened(t, path)
	must(t, s.Apply(t.Context(), appended([]any{1, "first"})))
	must(t, s.Close())
	for _, test := range []struct {
		do   string
		want [][]any
	}{
		{"die before commit", [][]any{{int64(1)}}},
		{"die after commit", [][]any{{int64(1)}, {int64(2)}}},
	} {
		if output, code := finished(t, test.do, path); code != exitDied {
			t.Fatalf("%s: ended with %d: %s", test.do, code, output)
		}
		s := opened(t, path)
		if got := query(t, s, "select id from {notes} order by id"); fmt.Sprint(got) != fmt.Sprint(test.want) {
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
	wider.Columns = append(slices.Clone(wider.Columns), record.Column{Name: "more", Type: record.Text, Nullable: true})
	for i, table := range []warehouse.Table{notes, wider} {
		must(t, s.Migrate(t.Context(), warehouse.Layout{Version: i + 1, Tables: []warehouse.Table{table}}))
		if log, err := os.Stat(path + ".wal"); err == nil && log.Size() > 0 {
			t.Errorf("with %d columns, migration left a log of %d bytes", len(table.Columns), log.Size())
		}
	}
	must(t, s.Apply(t.Context(), appended([]any{1, "first", nil})))
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

// Goal: rows of days that were replaced take no room once the ledger is closed, though
// checkpoints merge nothing where none was.
// Method: two row groups of rows of two days in turn, one of which is replaced by
// nothing; count the rows that lie in the file.
func TestReplacedDaysGiveTheirRoomBack(t *testing.T) {
	const rows = 2 * 122880
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	facts := warehouse.Table{Name: "facts", Partition: "day", Columns: []record.Column{{Name: "id", Type: record.Int}, {Name: "day", Type: record.Date}}}
	first := civil.Date{Year: 2026, Mon: time.October, Day: 1}
	stored := func(s *duckdb.Store) any {
		return query(t, s, "select cast(sum(count) as bigint) as stored from pragma_storage_info('facts') where column_name = 'id' and segment_type <> 'VALIDITY'")[0][0]
	}
	s := open(t, path)
	must(t, s.Migrate(t.Context(), warehouse.Layout{Version: 1, Tables: []warehouse.Table{facts}}))
	must(t, s.Compute(t.Context(), "two_days", warehouse.Select{Text: fmt.Sprintf("select i as id, if(i %% 2 = 0, date '2026-10-01', date '2026-10-02') as day from range(%d) as r(i)", rows)}))
	must(t, s.Compute(t.Context(), "no_days", warehouse.Select{Text: "select id, day from {two_days} where false"}))
	must(t, s.Apply(t.Context(), warehouse.Append{Table: "facts", From: "two_days"}))
	if got := stored(s); got != int64(rows) {
		t.Errorf("%v rows lie in the file, want %d", got, rows)
	}
	must(t, s.Apply(t.Context(), warehouse.ReplaceDays{Table: "facts", Days: []civil.Date{first}, From: "no_days"}))
	must(t, s.Close())
	s = open(t, path)
	defer s.Close()
	if got := stored(s); got != int64(rows/2) {
		t.Errorf("%v rows lie in the file once half of them were replaced, want %d", got, rows/2)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.duckdb")
	must(t, os.WriteFile(text, []byte(strings.Repeat("not a database\n", 1_000)), 0o600))
	for name, path := range map[string]string{"a file of another kind": text, "a folder": dir, "below a file": filepath.Join(text, "ledger.duckdb")} {
		s, err := duckdb.Open(t.Context(), duckdb.Options{Path: path})
		if err == nil {
			must(t, s.Close())
			t.Errorf("%s was opened", name)
			continue
		}
		if errors.Is(err, warehouse.ErrLocked) || !strings.Contains(err.Error(), "ledger") {
			t.Errorf("%s: error %q", name, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if s, err := duckdb.Open(ctx, duckdb.Options{Path: filepath.Join(dir, "new.duckdb")}); err == nil {
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
	s, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(dir, "sub", "ledger.duckdb"), MemoryBytes: 200_000_000, TempDir: temp, Threads: 3})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	got := query(t, s, "select cast(current_setting('threads') as varchar), current_setting('memory_limit'), current_setting('temp_directory'), current_setting('TimeZone')")[0]
	if want := []any{"3", "190.7 MiB", temp, "UTC"}; !slices.Equal(got, want) {
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
	for _, value := range []string{"1.5::double", "[1, 2]", "struct_pack(a := 1)", "interval 1 day", "'a'::blob", "9223372036854775807::hugeint + 1", "0.0000000000001::decimal(18, 13)"} {
		err := s.Query(t.Context(), warehouse.Select{Text: "select " + value + " as it"}, func(r warehouse.Row) error {
			t.Errorf("%s came as %v", value, r.Values[0])
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "column it") {
			t.Errorf("%s: error %v, want one that names the column", value, err)
		}
	}
	for value, want := range map[string]any{
		"1::tinyint": int64(1), "2::smallint": int64(2), "3::integer": int64(3), "sum(4)": int64(4),
		"timestamptz '2026-10-05 12:00:00+02:00'": time.Date(2026, 10, 5, 10, 0, 0, 0, time.UTC),
	} {
		got := query(t, s, "select "+value)[0][0]
		if at, is := got.(time.Time); is && !at.Equal(want.(time.Time)) || !is && got != want {
			t.Errorf("%s came as %v (%T), want %v", value, got, got, want)
		}
	}
}

// Goal: a work table stands before a table of the file that no layout names.
func TestWorkTableBesideForeignTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.duckdb")
	s := open(t, path)
	must(t, s.Migrate(t.Context(), warehouse.Layout{Version: 1, Tables: []warehouse.Table{notes, {Name: "others", Columns: notes.Columns}}}))
	must(t, s.Apply(t.Context(), warehouse.Append{Table: "others", Rows: [][]any{{1, "kept"}}}))
	must(t, s.Close())
	s = opened(t, path)
	must(t, s.Compute(t.Context(), "others", warehouse.Select{Text: "select 7 as id"}))
	must(t, s.Apply(t.Context(), warehouse.Append{Table: "notes", From: "others"}))
	if got := query(t, s, "select n.id, o.id from {notes} as n join {others} as o on true"); fmt.Sprint(got) != "[[7 7]]" {
		t.Errorf("rows %v", got)
	}
	must(t, s.Drop(t.Context(), "others"))
	must(t, s.Migrate(t.Context(), warehouse.Layout{Version: 1, Tables: []warehouse.Table{notes, {Name: "others", Columns: notes.Columns}}}))
	if got := query(t, s, "select id, word from {others}"); fmt.Sprint(got) != "[[1 kept]]" {
		t.Errorf("rows of the file %v", got)
	}
	must(t, s.Close())
}

// Goal: a wide work table takes no memory and leaves nothing behind, and is one like
// any other.
// Method: its file, while it is there and after, also what a process that was killed has
// left of one; and work tables of one name that come one after the other in the file and
// in memory.
func TestWideWorkTables(t *testing.T) {
	dir := t.TempDir()
	temp := filepath.Join(dir, "temp")
	o := duckdb.Options{Path: filepath.Join(dir, "ledger.duckdb"), TempDir: temp}
	files := func() (found []string) {
		found, err := filepath.Glob(filepath.Join(temp, "work-*"))
		must(t, err)
		return found
	}
	s, err := duckdb.Open(t.Context(), o)
	must(t, err)
	must(t, s.Migrate(t.Context(), warehouse.Layout{Version: 1, Tables: []warehouse.Table{notes}}))
	if got := files(); len(got) > 0 {
		t.Errorf("before anything wide is computed there are %q", got)
	}
	wide := func(text string) {
		t.Helper()
		must(t, s.Compute(t.Context(), "other", warehouse.Select{Text: text, Wide: true}))
	}
	wide("select 1 as id, 'one' as word")
	of := files()
	if len(of) != 1 {
		t.Fatalf("files of work tables %q", of)
	}
	if info, err := os.Stat(of[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it has mode %v, %v", info.Mode(), err)
	}
	wide("select id + 1 as id, word from {other}")
	must(t, s.Compute(t.Context(), "other", warehouse.Select{Text: "select id + 1 as id, word from {other}"})) // into memory
	wide("select id + 1 as id, word from {other}")
	must(t, s.Apply(t.Context(), warehouse.Append{Table: "notes", From: "other"}))
	if got := query(t, s, "select id, word from {notes}"); fmt.Sprint(got) != "[[4 one]]" {
		t.Errorf("rows %v", got)
	}
	if err := s.Compute(t.Context(), "other", warehouse.Select{Text: "select cast(word as bigint) as id from {other}", Wide: true}); err == nil {
		t.Error("a select that fails makes a table")
	}
	if got := query(t, s, "select id from {other}"); fmt.Sprint(got) != "[[4]]" {
		t.Errorf("behind a select that failed the table has %v", got)
	}
	must(t, s.Drop(t.Context(), "other"))
	left, err := os.ReadFile(of[0])
	must(t, err)
	must(t, s.Close())
	if got := files(); len(got) > 0 {
		t.Errorf("behind the process there are %q", got)
	}
	if _, err := os.Stat(temp); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder is left: %v", err)
	}

	must(t, os.MkdirAll(temp, 0o700))
	must(t, os.WriteFile(of[0], left[:len(left)/2], 0o600))
	s, err = duckdb.Open(t.Context(), o)
	must(t, err)
	must(t, s.Migrate(t.Context(), warehouse.Layout{Version: 1, Tables: []warehouse.Table{notes}}))
	if got := files(); len(got) > 0 {
		t.Errorf("of a process that was killed there are left %q", got)
	}
	wide("select 5 as id")
	if got := query(t, s, "select id from {other}"); fmt.Sprint(got) != "[[5]]" {
		t.Errorf("rows %v", got)
	}
	must(t, s.Close())
	if _, err := os.Stat(temp); err != nil {
		t.Errorf("a folder that was there before is gone: %v", err)
	}
}
