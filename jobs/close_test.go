package jobs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"chargeback/extract/store"
	"chargeback/jobs"
)

// closable is a company whose October has had all its nights.
func closable(t *testing.T) (company, *books) {
	t.Helper()
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	return c, b
}

// Goal: a month that is closed and could not write its files is due until it
// has, and then no more.
// Method: let a file stand where the folder belongs.
func TestCloseWithoutFiles(t *testing.T) {
	t.Parallel()
	_, b := closable(t)
	now := b.due(october)
	if err := os.WriteFile(b.Month.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Monthly(t.Context(), month(october), now); err == nil || !strings.Contains(err.Error(), "is closed, but its files are not written") {
		t.Fatalf("close without a folder ended with %v", err)
	}
	equal(t, "due without files", []string{october}, b.dueMonths(t, now))
	if err := os.Remove(b.Month.Dir); err != nil {
		t.Fatal(err)
	}
	s := b.closing(t, october)
	equal(t, "files with the journal and its control totals", 2*len(s.Documents)+2, len(filesOf(t, b.Month.Dir)))
	equal(t, "due with files", []string(nil), b.dueMonths(t, now))
}

// shelf is a delivery in memory that takes some keys not. Files come from several
// goroutines.
type shelf struct {
	mu       *sync.Mutex
	held     map[string]string
	taken    map[string]bool
	unlisted bool
}

func newShelf(taken ...string) shelf {
	s := shelf{mu: new(sync.Mutex), held: map[string]string{}, taken: map[string]bool{}}
	for _, key := range taken {
		s.taken[key] = true
	}
	return s
}

func (s shelf) String() string { return "s3://finance/books" }

func (s shelf) Keys(_ context.Context, folder string) (keys []string, err error) {
	if s.unlisted {
		return nil, store.ErrNoListing
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.held {
		if strings.HasPrefix(key, folder) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func (s shelf) Create(_ context.Context, key, contentType string, content []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, is := s.held[key]; s.taken[key] || is && have != contentType+string(content) {
		return store.ErrTaken
	}
	s.held[key] = contentType + string(content)
	return nil
}

// Goal: every file is delivered once; a month whose delivery was refused is due
// until it was not.
func TestDelivery(t *testing.T) {
	t.Parallel()
	_, b := closable(t)
	to := newShelf("2026-10/journal-2026-10.csv")
	b.Month.Delivery = to
	now := b.due(october)
	if _, err := b.Monthly(t.Context(), month(october), now); !errors.Is(err, store.ErrTaken) {
		t.Fatalf("close over other bytes ended with %v", err)
	}
	equal(t, "due after a refusal", []string{october}, b.dueMonths(t, now))
	delete(to.taken, "2026-10/journal-2026-10.csv")
	s := b.closing(t, october)
	equal(t, "delivered", "s3://finance/books/2026-10/", s.Delivered)
	equal(t, "due after the delivery", []string(nil), b.dueMonths(t, now))
	b.closing(t, october)
	files := filesOf(t, b.Month.Dir)
	equal(t, "objects", len(files), len(to.held))
	for _, d := range s.Documents {
		for path, kind := range map[string]string{d.PDF: "application/pdf", d.CSV: "text/csv; charset=utf-8"} {
			content, err := os.ReadFile(path)
			if err != nil || to.held["2026-10/"+filepath.Base(path)] != kind+string(content) {
				t.Errorf("%s was not delivered as it is (error %v)", path, err)
			}
		}
	}
}

// Goal: a month is never closed by prices that are not those of the settings.
// Method: change a price after the last night; close; run what is due; close.
func TestCloseAfterAChange(t *testing.T) {
	t.Parallel()
	c, b := closable(t)
	now, before := b.due(october), b.monthHash(t, october)
	equal(t, "due", []string(nil), b.dueNights(t, b.morning(date(lateDay))))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	c.edit("prices.yaml", `input: "1.00"`, `input: "3.00"`)
	b = open(t, c.dir, wiring{})
	if _, err := b.Monthly(t.Context(), month(october), now); !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), "have changed since the last night") {
		t.Fatalf("close by an old price ended with %v", err)
	}
	equal(t, "open still", []string{october}, b.dueMonths(t, now))
	equal(t, "due after the change", []string{lateDay}, b.dueNights(t, b.morning(date(lateDay))))
	b.night(t, date(lateDay))
	equal(t, "due after the night", []string(nil), b.dueNights(t, b.morning(date(lateDay))))
	s := b.closing(t, october)
	if s.Hash == before {
		t.Error("the new price changed nothing")
	}
}

// Goal: a cost centre that nobody has heard of, or that a people file puts into
// another department, is told every night and not invoiced without a word.
func TestUnknownPayers(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.edit("people.csv", "user001@example.com,Support,00420", "user001@example.com,Support,420")
	c.edit("people.csv", "user002@example.com,Engineering,CC-1001", "user002@example.com,Enginering,CC-1001")
	c.ordinary(firstDay, lastDay)
	b := open(t, c.dir, wiring{})
	want := []string{
		"people people.csv: line 2: cost_center: the directory has no cost centre 420; correct the row, or the directory",
		"people people.csv: line 3: cost_center: CC-1001 belongs to department Engineering by the directory, not to Enginering; correct the row, or the directory",
	}
	for _, s := range b.nights(t, firstDay, lateDay) {
		var got []string
		for _, p := range s.Problems {
			got = append(got, p.Source+" "+p.Object+": "+p.What)
		}
		equal(t, "problems of "+s.Window, want, got)
	}
	_, err := b.Monthly(t.Context(), month(october), b.due(october))
	if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), "gate directory: payers that the directory does not know, or not on those days: ") {
		t.Errorf("close ended with %v", err)
	}
}
