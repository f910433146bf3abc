// Package storetest is the suite that every driver of store.Store passes.
//
// It owns: one test for each sentence of the Store contract.
// It does not own: what only one driver can do wrong (links, broken
// connections); that is tested beside the driver.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/extract/store"
)

// Writer changes what a store under test holds. A failure ends the test.
type Writer interface {
	Put(t *testing.T, key string, body []byte)
	Remove(t *testing.T, key string)
}

// Run runs the suite. open gives an empty store and its writer, new for each
// test.
func Run(t *testing.T, open func(t *testing.T) (store.Store, Writer)) {
	tests := []struct {
		name string
		run  func(*testing.T, store.Store, Writer)
	}{
		{"an empty store lists nothing", testEmpty},
		{"Level lists one folder", testLevel},
		{"All lists everything below", testAll},
		{"a listing of many objects is whole", testMany},
		{"ranges of names, joined, are all", testRanges},
		{"any name that a file can have", testNames},
		{"a prefix that is no folder is refused", testPrefixes},
		{"an error of yield ends All", testYieldError},
		{"etag, size and time of a version", testVersions},
		{"Open gives exactly the bytes", testBytes},
		{"Open of another version", testOtherVersion},
		{"an object that is replaced while it is read", testReplaced},
		{"an object without an etag is refused", testNoETag},
		{"a cancelled context ends every call", testCancelled},
		{"many goroutines at once", testConcurrent},
		{"the URL reads back", testURL},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bucket, writer := open(t)
			test.run(t, bucket, writer)
		})
	}
}

func testEmpty(t *testing.T, bucket store.Store, _ Writer) {
	for _, prefix := range []string{"", "2026-10-31/", "a/b/c/"} {
		equal(t, "objects and folders of "+prefix, level(t, bucket, prefix), nil)
		equal(t, "objects below "+prefix, all(t, bucket, prefix), nil)
	}
}

// treeKeys has what listings get wrong: a folder whose name begins another's,
// a file and a folder whose names begin alike, files beside folders.
var treeKeys = []string{
	"top.json",
	"2026-10-3/x.json",
	"2026-10-31/a.json",
	"2026-10-31/b.json",
	"2026-10-31/10/c.json",
	"2026-10-31/10/deep/er/d.json",
	"2026-10-31.json",
	"a/b/c/d/e/f/g/h/i/j.json",
}

func putTree(t *testing.T, writer Writer) {
	for _, key := range treeKeys {
		writer.Put(t, key, []byte("{}\n"))
	}
}

func testLevel(t *testing.T, bucket store.Store, writer Writer) {
	putTree(t, writer)
	for prefix, want := range map[string][]string{
		"":                  {"2026-10-3/", "2026-10-31.json", "2026-10-31/", "a/", "top.json"},
		"2026-10-3/":        {"2026-10-3/x.json"},
		"2026-10-31/":       {"2026-10-31/10/", "2026-10-31/a.json", "2026-10-31/b.json"},
		"2026-10-31/10/":    {"2026-10-31/10/c.json", "2026-10-31/10/deep/"},
		"a/b/c/":            {"a/b/c/d/"},
		"top.json/":         nil,
		"2026-10-31/a.jso/": nil,
		"nowhere/":          nil,
	} {
		equal(t, "Level "+prefix, level(t, bucket, prefix), want)
	}
}

func testAll(t *testing.T, bucket store.Store, writer Writer) {
	putTree(t, writer)
	for _, prefix := range []string{"", "2026-10-3/", "2026-10-31/", "2026-10-31/10/", "a/", "a/b/c/d/e/f/g/h/i/", "top.json/", "nowhere/"} {
		var want []string
		for _, key := range treeKeys {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		slices.Sort(want)
		equal(t, "All "+prefix, all(t, bucket, prefix), want)
	}
}

// manyObjects is more than a page of any S3.
const manyObjects = 1100

func testMany(t *testing.T, bucket store.Store, writer Writer) {
	want := make([]string, manyObjects)
	var group sync.WaitGroup
	for i := range want {
		want[i] = fmt.Sprintf("day/%04d.json", i)
	}
	for part := range slices.Chunk(want, manyObjects/10) {
		group.Go(func() {
			for _, key := range part {
				writer.Put(t, key, []byte("x"))
			}
		})
	}
	group.Wait()
	equal(t, "Level", level(t, bucket, "day/"), want)
	equal(t, "All", all(t, bucket, ""), want)
}

// testRanges lists a day's names, some of which are equal to what parts them, begin
// with it, or lie in a folder of its name, once in all and once range by range.
func testRanges(t *testing.T, bucket store.Store, writer Writer) {
	putTree(t, writer)
	for _, name := range []string{"05", "05/a.json", "05/m.json", "05/m.json2", "06/a.json", "07.json", "m", "m/m/m.json", "m/n", "time-05-06-07_x.json", "z é.json"} {
		for _, day := range []string{"2026/10/30/", "2026/10/31/", "team/2026-10-31/", "team/2026-11-01/"} {
			if name == "05" || name == "m" { // not beside a folder of that name, where files are files
				name = "x" + name
			}
			writer.Put(t, day+name, []byte("{}\n"))
		}
	}
	days := store.DayRange{First: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), Last: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), LastHours: 6}
	walk := func(names store.Names) (keys []string) {
		t.Helper()
		_, err := store.WalkNames(t.Context(), bucket, days, names, func(f store.Found) error {
			if f.Day != "" {
				keys = append(keys, f.Key)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%+v: %v", names, err)
		}
		return keys
	}
	all := walk(store.Names{})
	slices.Sort(all)
	if len(all) < 20 {
		t.Fatalf("only %q are listed", all)
	}
	for _, splits := range [][]string{{"05/m.json"}, {"05"}, {"05/"}, {"05/m.json", "06", "06/a.json", "m/m/", "time-05-06-07"}, {"05/m", "05/m.json2", "m", "z"}, {"0", "zz"}} {
		var joined []string
		after := ""
		for _, upto := range append(splits, "") {
			part := walk(store.Names{After: after, Upto: upto})
			for _, key := range part {
				if _, name := store.SplitDay(key); name <= after || upto != "" && name > upto {
					t.Errorf("%q is not behind %q up to %q", key, after, upto)
				}
			}
			joined, after = append(joined, part...), upto
		}
		slices.Sort(joined)
		equal(t, fmt.Sprintf("names parted at %q", splits), joined, all)
	}
}

func testNames(t *testing.T, bucket store.Store, writer Writer) {
	names := []string{
		"plain.json", "with space.json", "plus+plus.json", "per%20cent.json", "100%.json", "a&b;c=d.json", "hash#1.json",
		"quest?ion.json", "tilde~.json", "quote'\".json", "<tag>.json", "comma,.json", "back\\slash.json", "colon:12.json",
		"Größe-€.json", "日本語.json", "emoji-🙂.json", "..two-dots.json", "dot.", "star*.json", "[b]{c}|^`.json", "@at$.json",
	}
	var want []string
	for _, name := range names {
		for _, key := range []string{name, "in " + name + "/" + name} {
			writer.Put(t, key, []byte(key))
			want = append(want, key)
		}
	}
	slices.Sort(want)
	equal(t, "All", all(t, bucket, ""), want)
	for _, name := range names {
		folder := "in " + name + "/"
		equal(t, "Level of "+folder, level(t, bucket, folder), []string{folder + name})
		equal(t, "bytes of "+folder+name, string(read(t, bucket, find(t, bucket, folder+name))), folder+name)
	}
}

func testPrefixes(t *testing.T, bucket store.Store, writer Writer) {
	putTree(t, writer)
	for _, prefix := range []string{"2026-10-31", "top.json", "a/b"} {
		if _, _, err := bucket.Level(t.Context(), prefix); err == nil {
			t.Errorf("Level(%q) gave no error", prefix)
		}
		if err := bucket.All(t.Context(), prefix, func(store.Object) error { return nil }); err == nil {
			t.Errorf("All(%q) gave no error", prefix)
		}
	}
}

func testYieldError(t *testing.T, bucket store.Store, writer Writer) {
	putTree(t, writer)
	enough := errors.New("enough")
	calls := 0
	err := bucket.All(t.Context(), "", func(store.Object) error {
		calls++
		if calls == 3 {
			return enough
		}
		return nil
	})
	if err != enough {
		t.Errorf("All gave %v, want the error of yield as it is", err)
	}
	equal(t, "calls of yield", calls, 3)
}

func testVersions(t *testing.T, bucket store.Store, writer Writer) {
	writer.Put(t, "a/one.json", []byte("first"))
	first, again := find(t, bucket, "a/one.json"), find(t, bucket, "a/one.json")
	equal(t, "two listings of one version", first, again)
	equal(t, "size", first.SizeBytes, int64(len("first")))
	if first.ETag == "" || strings.ContainsAny(first.ETag, "\" ") {
		t.Errorf("etag %q is empty or has quotes or spaces", first.ETag)
	}
	if first.Modified.IsZero() || first.Modified.Location() != time.UTC {
		t.Errorf("modified %v is not a time in UTC", first.Modified)
	}
	writer.Put(t, "a/one.json", []byte("second version"))
	second := find(t, bucket, "a/one.json")
	equal(t, "size of the second version", second.SizeBytes, int64(len("second version")))
	if second.ETag == first.ETag {
		t.Errorf("two versions have the etag %q", first.ETag)
	}
}

func testBytes(t *testing.T, bucket store.Store, writer Writer) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, sizeBytes := range []int{0, 1, 511, 32 << 10, 3<<20 + 17} {
		key := fmt.Sprintf("bytes/%d.gz", sizeBytes)
		want := make([]byte, sizeBytes)
		for i := range want {
			want[i] = byte(random.Uint32())
		}
		if sizeBytes > 2 {
			copy(want, "\x1f\x8b") // looks like gzip; must come as it is
		}
		writer.Put(t, key, want)
		object := find(t, bucket, key)
		equal(t, "listed size", object.SizeBytes, int64(sizeBytes))
		if got := read(t, bucket, object); !bytes.Equal(got, want) {
			t.Errorf("%s: read %d bytes that differ from the %d written", key, len(got), len(want))
		}
	}
}

func testOtherVersion(t *testing.T, bucket store.Store, writer Writer) {
	writer.Put(t, "changed", []byte("one"))
	writer.Put(t, "removed", []byte("one"))
	changed, removed := find(t, bucket, "changed"), find(t, bucket, "removed")
	writer.Put(t, "changed", []byte("one and two"))
	writer.Remove(t, "removed")

	never, below := changed, changed
	never.Key = "never/was"
	below.Key = "changed/below"
	wrong := find(t, bucket, "changed")
	wrong.ETag = "0" + wrong.ETag
	for _, test := range []struct {
		name   string
		object store.Object
		want   error
	}{
		{"written again", changed, store.ErrChanged},
		{"wrong etag", wrong, store.ErrChanged},
		{"removed", removed, store.ErrNotFound},
		{"never there", never, store.ErrNotFound},
		{"below an object", below, store.ErrNotFound},
	} {
		if _, err := readAll(t.Context(), bucket, test.object); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
	}
}

// testReplaced starts to read, replaces the object and reads on: the body is
// wholly the old version or fails, never a mixture.
func testReplaced(t *testing.T, bucket store.Store, writer Writer) {
	before := bytes.Repeat([]byte("old "), 1<<20)
	for name, replace := range map[string]func(){
		"longer":    func() { writer.Put(t, "object", bytes.Repeat([]byte("new "), 1<<20+1)) },
		"shorter":   func() { writer.Put(t, "object", []byte("new ")) },
		"as long":   func() { writer.Put(t, "object", bytes.Repeat([]byte("new "), 1<<20)) },
		"taken out": func() { writer.Remove(t, "object") },
	} {
		writer.Put(t, "object", before)
		body, err := bucket.Open(t.Context(), find(t, bucket, "object"))
		if err != nil {
			t.Fatalf("%s: open: %v", name, err)
		}
		got := make([]byte, 1000)
		if _, err := io.ReadFull(body, got); err != nil {
			t.Fatalf("%s: read the beginning: %v", name, err)
		}
		replace()
		rest, err := io.ReadAll(body)
		whole := err == nil && bytes.Equal(append(got, rest...), before)
		if !whole && !errors.Is(err, store.ErrChanged) && !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %d bytes and error %v, want the old version or ErrChanged or ErrNotFound", name, len(got)+len(rest), err)
		}
		if err := body.Close(); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}

func testNoETag(t *testing.T, bucket store.Store, writer Writer) {
	writer.Put(t, "object", []byte("x"))
	object := find(t, bucket, "object")
	object.ETag = ""
	if _, err := readAll(t.Context(), bucket, object); err == nil {
		t.Error("Open without an etag gave no error")
	}
}

func testCancelled(t *testing.T, bucket store.Store, writer Writer) {
	writer.Put(t, "object", bytes.Repeat([]byte("x"), 4<<20))
	object := find(t, bucket, "object")
	reading, stopReading := context.WithCancel(t.Context())
	defer stopReading()
	body, err := bucket.Open(reading, object)
	if err != nil {
		t.Fatal(err)
	}
	stopReading()
	_, readErr := io.ReadAll(body)
	_ = body.Close() // a broken body may close with an error

	cancelled, stop := context.WithCancel(t.Context())
	stop()
	_, _, levelErr := bucket.Level(cancelled, "")
	allErr := bucket.All(cancelled, "", func(store.Object) error { return nil })
	_, openErr := bucket.Open(cancelled, object)
	for name, err := range map[string]error{"Level": levelErr, "All": allErr, "Open": openErr, "Read": readErr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s gave %v, want context.Canceled", name, err)
		}
	}
}

func testConcurrent(t *testing.T, bucket store.Store, writer Writer) {
	putTree(t, writer)
	want := slices.Sorted(slices.Values(treeKeys))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			var keys []string
			err := bucket.All(t.Context(), "", func(object store.Object) error {
				keys = append(keys, object.Key)
				_, err := readAll(t.Context(), bucket, object)
				return err
			})
			slices.Sort(keys)
			if err != nil || !slices.Equal(keys, want) {
				t.Errorf("All gave %v and error %v", keys, err)
			}
		})
	}
	group.Wait()
}

func testURL(t *testing.T, bucket store.Store, _ Writer) {
	location, err := store.ParseURL(bucket.String())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "URL", location.String(), bucket.String())
}

// level lists a folder: keys and folders in one sorted list.
func level(t *testing.T, bucket store.Store, prefix string) []string {
	t.Helper()
	objects, found, err := bucket.Level(t.Context(), prefix)
	if err != nil {
		t.Fatalf("Level(%q): %v", prefix, err)
	}
	for _, object := range objects {
		found = append(found, object.Key)
	}
	slices.Sort(found)
	return found
}

// all lists the keys below a folder, sorted.
func all(t *testing.T, bucket store.Store, prefix string) (keys []string) {
	t.Helper()
	err := bucket.All(t.Context(), prefix, func(object store.Object) error {
		keys = append(keys, object.Key)
		return nil
	})
	if err != nil {
		t.Fatalf("All(%q): %v", prefix, err)
	}
	slices.Sort(keys)
	return keys
}

// find lists one object.
func find(t *testing.T, bucket store.Store, key string) (found store.Object) {
	t.Helper()
	folder := key[:strings.LastIndexByte(key, '/')+1]
	err := bucket.All(t.Context(), folder, func(object store.Object) error {
		if object.Key == key {
			found = object
		}
		return nil
	})
	if err != nil || found.Key == "" {
		t.Fatalf("%q is not listed (error %v)", key, err)
	}
	return found
}

func read(t *testing.T, bucket store.Store, object store.Object) []byte {
	t.Helper()
	content, err := readAll(t.Context(), bucket, object)
	if err != nil {
		t.Fatalf("read %q: %v", object.Key, err)
	}
	return content
}

func readAll(ctx context.Context, bucket store.Store, object store.Object) ([]byte, error) {
	body, err := bucket.Open(ctx, object)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(body)
	return content, errors.Join(err, body.Close())
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
