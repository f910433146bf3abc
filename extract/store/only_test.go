package store_test

import (
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/extract/store"
)

func TestOnly(t *testing.T) {
	bucket := store.Only(memoryOf("people.csv", "people.csv.bak", "old/people.csv", "2026-10-31/a.json"), "people.csv")
	if diff := cmp.Diff([]string{"people.csv  -1"}, walk(t, bucket, days("2026-10-31", "2026-10-31", 0))); diff != "" {
		t.Errorf("walk (-want +got):\n%s", diff)
	}
	var keys []string
	err := bucket.All(t.Context(), "", func(o store.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if diff := cmp.Diff([]string{"people.csv"}, keys); diff != "" || err != nil {
		t.Errorf("All, error %v (-want +got):\n%s", err, diff)
	}
	if objects, folders, err := bucket.Level(t.Context(), "old/"); len(objects)+len(folders) > 0 || err != nil {
		t.Errorf("Level of another folder gave %v, %v and error %v", objects, folders, err)
	}
	if _, _, err := bucket.Level(t.Context(), "old"); err == nil {
		t.Error("Level of a prefix that is no folder gave no error")
	}
	if bucket.String() != "file:memory/people.csv" {
		t.Errorf("String() = %q", bucket)
	}
	body, err := bucket.Open(t.Context(), objectOf("people.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(body); err != nil || string(content) != "people.csv" {
		t.Errorf("read %q and error %v", content, err)
	}
	if _, err := bucket.Open(t.Context(), objectOf("old/people.csv")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Open of a hidden object gave %v", err)
	}
}

func TestOnlyWithoutTheFile(t *testing.T) {
	bucket := store.Only(memoryOf("staff.csv"), "people.csv")
	if got := walk(t, bucket, store.DayRange{}); got != nil {
		t.Errorf("walk gave %v", got)
	}
	broken := errors.New("broken")
	failing := memoryOf()
	failing.calls = func(string) error { return broken }
	err := store.Only(failing, "people.csv").All(t.Context(), "", func(store.Object) error { return nil })
	if err != broken {
		t.Errorf("error %v, want the store's", err)
	}
}
