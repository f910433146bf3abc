package store

import (
	"errors"
	"testing"
	"time"
)

// A place that can't be opened is told by every question, and is never empty.
func TestBroken(t *testing.T) {
	t.Parallel()
	why := errors.New("open file:gone: the folder does not exist")
	store := Broken("file:gone", why)
	day := time.Date(2026, time.October, 31, 0, 0, 0, 0, time.UTC)
	_, _, level := store.Level(t.Context(), "")
	_, open := store.Open(t.Context(), Object{Key: "a", ETag: "1"})
	for name, err := range map[string]error{
		"level": level, "open": open,
		"all":  store.All(t.Context(), "", func(Object) error { return nil }),
		"walk": Walk(t.Context(), store, DayRange{First: day, Last: day}, func(Found) error { return nil }),
	} {
		if !errors.Is(err, why) {
			t.Errorf("%s gave %v", name, err)
		}
	}
	if store.String() != "file:gone" {
		t.Errorf("called %s", store)
	}
}
