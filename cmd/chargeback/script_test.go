package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"chargeback/billing/warehouse/duckdb"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// scriptClock is when all scripts play: the morning after the demo's month, and
// late enough for the small company of testdata/company to close it.
var scriptClock = time.Date(2026, time.November, 2, 8, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"chargeback":       func() { os.Exit(chargeback(scriptNow)) },
		"chargeback-later": func() { os.Exit(chargeback(func() time.Time { return scriptClock.Add(time.Hour) })) },
		"holder":           func() { os.Exit(hold(duckdb.Options{Path: os.Args[1]}, os.Args[2])) },
		"reader":           func() { os.Exit(hold(duckdb.Options{Path: os.Args[1], ReadOnly: true}, os.Args[2])) },
	})
}

// clockVariable is the environment variable by which a script plays at another time.
const clockVariable = "TEST_CLOCK"

func scriptNow() time.Time {
	at, err := time.Parse(time.RFC3339, os.Getenv(clockVariable))
	if err != nil {
		return scriptClock
	}
	return at
}

// demoClock is after the demo's own close, as any day is on which somebody goes on in
// its folder.
const demoClock = "2026-11-05T08:00:00Z"

// hold has a ledger open until it is killed, and says so with a file.
func hold(o duckdb.Options, ready string) int {
	store, err := duckdb.Open(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer store.Close()
	if err := os.WriteFile(ready, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	return 0
}

// Goal: what a user types does what the help says, with the words and the exit
// code that it says.
// Method: scripts run the real main in processes of their own, at a fixed time,
// on a copy of the demo's folder or of a small company's. The demo runs once.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	made := sync.OnceValue(func() error { return makeDemo(dir) })
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("COLUMNS", "100")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"demo": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Check(made())
				ts.Check(copyTree(dir, ts.MkAbs(".")))
				ts.Setenv(clockVariable, demoClock)
			},
			"company":   copyCompany,
			"earlier":   earlierLedger,
			"pick":      pick,
			"read":      read,
			"truncate":  truncate,
			"terminate": terminate,
			"modes":     modes,
			"change":    change,
			"damage":    damage,
			"await":     await,
			"logs":      logs,
			"shown":     shown,
			"steps":     steps,
		},
	})
}

// makeDemo runs the demo in dir/demo and keeps what it printed as dir/demo.out.
func makeDemo(dir string) error {
	var out, stderr bytes.Buffer
	w := world{out: &out, err: &stderr, now: func() time.Time { return scriptClock }, getenv: os.Getenv, columns: 100, program: "chargeback"}
	code := run(context.Background(), w, []string{"demo", "--dir", filepath.Join(dir, "demo")})
	if code != exitOK || stderr.Len() > 0 {
		return fmt.Errorf("demo exits with %d: %s", code, stderr.String())
	}
	if err := private(filepath.Join(dir, "demo")); err != nil {
		return err
	}
	printed := bytes.ReplaceAll(out.Bytes(), []byte(dir+string(filepath.Separator)), nil)
	return os.WriteFile(filepath.Join(dir, "demo.out"), printed, 0o600)
}

// exits CODE COMMAND... runs a command that must end with the exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// company copies the small company's folder to company.
func copyCompany(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(copyTree(filepath.Join("testdata", "company"), ts.MkAbs("company")))
}

// earlier makes the small company's folder with a ledger that was kept before
// layouts had versions, as text of SQL, and the files that it was read from.
func earlierLedger(ts *testscript.TestScript, _ bool, _ []string) {
	copyCompany(ts, false, nil)
	written := time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC)
	ts.Check(filepath.WalkDir(ts.MkAbs("company"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chtimes(path, written, written)
	}))
	text, err := os.ReadFile(filepath.Join("testdata", "earlier", "ledger.sql"))
	ts.Check(err)
	ts.Check(executed(ts.MkAbs("company/ledger.duckdb"), string(text)))
}

// change FILE SQL changes a ledger by hand.
func change(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(executed(ts.MkAbs(args[0]), args[1]))
}

// executed runs SQL of DuckDB on a file.
func executed(path, text string) error {
	db, err := sql.Open("duckdb", path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(context.Background(), text)
	return errors.Join(err, db.Close())
}

// copyTree copies files with their times, which are a part of their version.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, data, 0o644); err != nil {
			return err
		}
		return os.Chtimes(target, info.ModTime(), info.ModTime())
	})
}

// pick VARIABLE PATTERN sets a variable to the first file that fits.
func pick(ts *testscript.TestScript, _ bool, args []string) {
	found, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(found) == 0 {
		ts.Fatalf("no file fits %s", args[1])
	}
	ts.Setenv(args[0], found[0])
}

// read VARIABLE FILE sets a variable to what a file holds.
func read(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], ts.ReadFile(args[1]))
}

// truncate FILE makes a file a gzip that breaks off in the middle.
func truncate(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	var zipped bytes.Buffer
	out := gzip.NewWriter(&zipped)
	_, err = out.Write(data)
	ts.Check(errors.Join(err, out.Close()))
	ts.Check(os.WriteFile(path, zipped.Bytes()[:zipped.Len()/2], 0o644))
}

// terminate [NAME] sends SIGTERM to the commands in the background, or to those of
// one name.
func terminate(ts *testscript.TestScript, _ bool, args []string) {
	for _, command := range ts.BackgroundCmds() {
		if len(args) == 0 || filepath.Base(command.Path) == args[0] {
			ts.Check(command.Process.Signal(syscall.SIGTERM))
		}
	}
}

// modes FOLDER fails where a file or folder can be read by others than its user.
func modes(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(private(ts.MkAbs(args[0])))
}

func private(folder string) error {
	found := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = fmt.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		found++
		return err
	})
	if err == nil && found < 2 {
		err = fmt.Errorf("%s holds nothing", folder)
	}
	return err
}

// damage FILE flips a bit in the middle of a file.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[len(data)/2] ^= 1
	data[9000] ^= 1 // where an engine looks first
	ts.Check(os.WriteFile(path, data, 0o600))
}

// await FILE [TEXT] waits until a file is there and holds the text.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for range 600 {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && (len(args) == 1 || bytes.Contains(data, []byte(args[1]))) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%v did not come within 30 s", args)
}

// logs json|count MSG N|ends CODE PATTERN|sum FIELD N looks at the lines of a log
// for machines that the last command wrote on stderr.
func logs(ts *testscript.TestScript, _ bool, args []string) {
	var lines []map[string]any
	ids := map[any]bool{}
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			ts.Fatalf("no JSON object: %s", line)
		}
		for _, field := range []string{"time", "level", "msg", "run_id"} {
			if fields[field] == nil || fields[field] == "" {
				ts.Fatalf("no %s in %s", field, line)
			}
		}
		ids[fields["run_id"]] = true
		lines = append(lines, fields)
	}
	if len(lines) == 0 || len(ids) != 1 {
		ts.Fatalf("%d lines with %d run ids, want some with one", len(lines), len(ids))
	}
	last := lines[len(lines)-1]
	switch args[0] {
	case "json":
	case "count":
		n := 0
		for _, line := range lines {
			if line["msg"] == args[1] {
				n++
			}
		}
		if strconv.Itoa(n) != args[2] {
			ts.Fatalf("%d lines %q, want %s", n, args[1], args[2])
		}
	case "ends":
		said, _ := last["error"].(string)
		if fmt.Sprint(last["exit_code"]) != args[1] || !regexp.MustCompile(args[2]).MatchString(said) || (said == "") != (args[2] == "") {
			ts.Fatalf("the last line is %v", last)
		}
	case "sum":
		if fmt.Sprint(last[args[1]]) != args[2] {
			ts.Fatalf("%s is %v, want %s", args[1], last[args[1]], args[2])
		}
	}
}
