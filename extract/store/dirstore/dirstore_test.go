package dirstore_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"chargeback/extract/store"
	"chargeback/extract/store/dirstore"
	"chargeback/extract/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// folder writes files to a new name and renames them, as a log shipper does,
// or in place, as none should.
type folder struct {
	dir     string
	inPlace bool
	puts    *atomic.Int64
}

func newFolder(dir string) folder { return folder{dir: dir, puts: new(atomic.Int64)} }

// Put gives every file a time of its own, as the clock would if the test took
// as long as real writers do.
func (f folder) Put(t *testing.T, key string, body []byte) {
	name := filepath.Join(f.dir, filepath.FromSlash(key))
	target := name + ".part"
	if f.inPlace {
		target = name
	}
	at := time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC).Add(time.Duration(f.puts.Add(1)) * time.Millisecond)
	err := errors.Join(
		os.MkdirAll(filepath.Dir(name), 0o755),
		os.WriteFile(target, body, 0o644),
		os.Chtimes(target, at, at),
		os.Rename(target, name),
	)
	if err != nil {
		t.Fatal(err)
	}
}

func (f folder) Remove(t *testing.T, key string) {
	if err := os.Remove(filepath.Join(f.dir, filepath.FromSlash(key))); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *dirstore.Store {
	t.Helper()
	bucket, err := dirstore.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
	})
	return bucket
}

func TestConformance(t *testing.T) {
	for name, inPlace := range map[string]bool{"files renamed into place": false, "files overwritten in place": true} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) (store.Store, storetest.Writer) {
				writer := newFolder(t.TempDir())
				writer.inPlace = inPlace
				return open(t, writer.dir), writer
			})
		})
	}
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	newFolder(dir).Put(t, "people.csv", []byte("x"))
	for name, want := range map[string]string{
		"missing":    "the folder does not exist; create it or correct the source's url",
		"people.csv": "it is not a folder; name the folder that holds it",
	} {
		bucket, err := dirstore.New(filepath.Join(dir, name))
		if err == nil {
			t.Errorf("%s: opened %s", name, bucket)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Join(dir, name)) {
			t.Errorf("%s: error %q, want the path and %q", name, err, want)
		}
	}
}

// TestChangeWhileReading reads a byte of a file, does something to it, reads
// on, and looks at what the end of the body says.
func TestChangeWhileReading(t *testing.T) {
	later := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		change func(name string) error
		want   error
	}{
		{"nothing happens", func(string) error { return nil }, nil},
		{"renamed away", func(name string) error { return os.Rename(name, name+".old") }, nil},
		{"bytes appended", func(name string) error { return appendTo(name, "more") }, store.ErrChanged},
		{"cut short", func(name string) error { return os.Truncate(name, 3) }, store.ErrChanged},
		{"emptied", func(name string) error { return os.Truncate(name, 0) }, store.ErrChanged},
		{"written again with the same bytes", func(name string) error { return os.Chtimes(name, later, later) }, store.ErrChanged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			newFolder(dir).Put(t, "log.json", []byte("0123456789"))
			bucket := open(t, dir)
			body, err := bucket.Open(t.Context(), list(t, bucket)["log.json"])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(body, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if err := test.change(filepath.Join(dir, "log.json")); err != nil {
				t.Fatal(err)
			}
			_, err = io.ReadAll(body)
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if _, again := body.Read(make([]byte, 1)); test.want != nil && !errors.Is(again, test.want) {
				t.Errorf("a second Read gave %v, want the same error", again)
			}
			if err := body.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func appendTo(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// TestLinksAndSpecialFiles has one entry of each kind. What can't be opened is
// listed all the same and refused by name.
func TestLinksAndSpecialFiles(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	newFolder(outside).Put(t, "secret.json", []byte("outside"))
	newFolder(dir).Put(t, "real/a.json", []byte("inside"))
	links := map[string]string{
		"inside.json":      "real/a.json",
		"real/up.json":     "../real/a.json",
		"through.json":     "inside.json",
		"outside.json":     filepath.Join(outside, "secret.json"),
		"dots.json":        "../" + filepath.Base(outside) + "/secret.json",
		"absolute.json":    filepath.Join(dir, "real/a.json"),
		"nothing.json":     "real/missing.json",
		"folder":           "real",
		"outside-folder":   outside,
		"real/loop":        ".",
		"round-and-round1": "round-and-round2",
		"round-and-round2": "round-and-round1",
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}

	const leads, irregular = "it is a link that leads outside the store or to nothing", "it is not a regular file"
	want := map[string]string{
		"real/a.json": "inside", "inside.json": "inside", "real/up.json": "inside", "through.json": "inside",
		"outside.json": leads, "dots.json": leads, "absolute.json": leads, "nothing.json": leads,
		"outside-folder": leads, "round-and-round1": leads, "round-and-round2": leads,
		"folder": irregular, "real/loop": irregular, "pipe": irregular,
	}
	bucket := open(t, dir)
	got := map[string]string{}
	for key, object := range list(t, bucket) {
		got[key] = contentOrReason(t, bucket, object)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what each entry gives (-want +got):\n%s", diff)
	}
}

// TestKeysStayInside asks for keys that no listing gives.
func TestKeysStayInside(t *testing.T) {
	parent := t.TempDir()
	newFolder(parent).Put(t, "secret.json", []byte("outside"))
	newFolder(parent).Put(t, "store/a.json", []byte("inside"))
	if err := os.Symlink("..", filepath.Join(parent, "store/up")); err != nil {
		t.Fatal(err)
	}
	bucket := open(t, filepath.Join(parent, "store"))
	object := list(t, bucket)["a.json"]
	for _, key := range []string{"", ".", "..", "../secret.json", "a/../../secret.json", "up/secret.json", "/etc/hostname", filepath.Join(parent, "secret.json"), "./a.json", "x/../a.json", "a.json/", "//a.json"} {
		object.Key = key
		if body, err := bucket.Open(t.Context(), object); err == nil {
			t.Errorf("Open(%q) gave a body", key)
			_ = body.Close()
		}
	}
	for _, prefix := range []string{"../", "/", "./", "up/", "a/../../", "/etc/", "x/../"} {
		objects, folders, err := bucket.Level(t.Context(), prefix)
		if err == nil {
			t.Errorf("Level(%q) gave %v and %v", prefix, objects, folders)
		}
	}
}

func TestETagIsSizeAndTime(t *testing.T) {
	dir := t.TempDir()
	newFolder(dir).Put(t, "a.json", []byte("0123456789abcdef"))
	at := time.Unix(0, 0x18c0ffee)
	if err := os.Chtimes(filepath.Join(dir, "a.json"), at, at); err != nil {
		t.Fatal(err)
	}
	want := store.Object{Key: "a.json", ETag: "10-18c0ffee", SizeBytes: 16, Modified: at.UTC()}
	if diff := cmp.Diff(want, list(t, open(t, dir))["a.json"]); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}

func list(t *testing.T, bucket store.Store) map[string]store.Object {
	t.Helper()
	objects := map[string]store.Object{}
	err := bucket.All(t.Context(), "", func(o store.Object) error {
		objects[o.Key] = o
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func contentOrReason(t *testing.T, bucket store.Store, object store.Object) string {
	t.Helper()
	body, err := bucket.Open(t.Context(), object)
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "open "+bucket.String()+"/"+object.Key+": ")
		text, _, _ = strings.Cut(text, ";")
		return text
	}
	content, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(content)
}
