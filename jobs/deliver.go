package jobs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"chargeback/billing/invoice"
	"chargeback/billing/months"
	"chargeback/extract/store"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// monthFile is a file of a month's documents and how its bytes are made.
type monthFile struct {
	name string
	make func() ([]byte, error)
}

// monthFiles lists the files of a month's documents, and the path of the journal
// that books them, "" where nothing is booked.
func (b *Books) monthFiles(month civil.Month, documents []invoice.Document) (files []monthFile, journal string) {
	var booked []invoice.Document
	for _, d := range documents {
		files = append(files,
			monthFile{d.Number + ".pdf", func() ([]byte, error) {
				page, err := b.Month.Render(d)
				if err != nil {
					return nil, fmt.Errorf("draw %s: %w", d.Number, err)
				}
				return page, nil
			}},
			monthFile{d.Number + ".csv", func() ([]byte, error) {
				var lines bytes.Buffer
				if err := invoice.WriteCSV(&lines, d); err != nil {
					return nil, fmt.Errorf("write lines of %s: %w", d.Number, err)
				}
				return lines.Bytes(), nil
			}})
		if d.Party.Mode == invoice.Chargeback {
			booked = append(booked, d)
		}
	}
	if len(booked) == 0 {
		return files, ""
	}
	journal = "journal-" + month.String() + ".csv"
	lines := func() ([]byte, error) {
		var lines bytes.Buffer
		if err := invoice.WriteJournal(&lines, booked); err != nil {
			return nil, fmt.Errorf("write journal: %w", err)
		}
		return lines.Bytes(), nil
	}
	files = append(files, monthFile{journal, lines})
	if !invoice.ControlBeside(booked) {
		return files, journal
	}
	return append(files, monthFile{"journal-" + month.String() + "-control.csv", func() ([]byte, error) {
		text, err := lines()
		if err != nil {
			return nil, err
		}
		var control bytes.Buffer
		if err := invoice.WriteJournalControl(&control, booked, journal, text); err != nil {
			return nil, fmt.Errorf("write control totals: %w", err)
		}
		return control.Bytes(), nil
	}}), journal
}

// notFree says which files hold another content, and what to do.
func notFree(where string, names []string) error {
	const most = 5
	slices.Sort(names)
	shown := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("%s holds another content under the name of %s, which was issued by another ledger, drawn by another version or changed since; nothing is written over it. "+
		"Use the ledger that issued it (warehouse in the settings), name another folder (invoices.dir, invoices.deliver_to), or move away what was never issued; then run `chargeback run monthly` again", where, shown)
}

// checkFree makes sure, before a month is closed, that no other document lies
// under the name of one of its files, neither in the folder nor where they are
// delivered. The same bytes are no other document.
func (b *Books) checkFree(ctx context.Context, month civil.Month, documents []invoice.Document, s *MonthlySummary) error {
	files, _ := b.monthFiles(month, documents)
	dir := filepath.Join(b.Month.Dir, month.String())
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !isNoFolder(err) {
		return fmt.Errorf("look whether the documents' names are free: %w", err)
	}
	there := map[string]bool{}
	for _, entry := range entries {
		there[entry.Name()] = true
	}
	taken, err := b.drawn(ctx, named(files, there), func(file monthFile, content []byte) (bool, error) {
		have, err := os.ReadFile(filepath.Join(dir, file.name))
		return err != nil || !bytes.Equal(have, content), nil
	})
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return fmt.Errorf("%w: %w", ErrGates, notFree(dir, taken))
	}
	return b.checkDelivery(ctx, month, files, s)
}

// named are the files whose names are there.
func named(files []monthFile, there map[string]bool) (all []monthFile) {
	for _, file := range files {
		if there[file.name] {
			all = append(all, file)
		}
	}
	return all
}

// isNoFolder says that a file stands where a folder should be: it is told when
// files are written, as any other trouble of the disk.
func isNoFolder(err error) bool {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return false
	}
	info, err := os.Stat(filepath.Dir(at.Path))
	return err == nil && !info.IsDir()
}

func (b *Books) checkDelivery(ctx context.Context, month civil.Month, files []monthFile, s *MonthlySummary) error {
	to := b.Month.Delivery
	if to == nil {
		return nil
	}
	keys, err := to.Keys(ctx, month.String()+"/")
	if errors.Is(err, store.ErrNoListing) {
		s.Told = append(s.Told, fmt.Sprintf("whether other documents lie under the same numbers was not looked at before the close: %v", err))
		return nil
	}
	if err != nil {
		return fmt.Errorf("look whether the documents' names are free: %w", err)
	}
	there := map[string]bool{}
	for _, key := range keys {
		there[path.Base(key)] = true
	}
	taken, err := b.drawn(ctx, named(files, there), func(file monthFile, content []byte) (bool, error) {
		err := to.Create(ctx, month.String()+"/"+file.name, contentTypes[path.Ext(file.name)], content) // writes nothing where anything lies
		if errors.Is(err, store.ErrTaken) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("look whether %s is free: %w", file.name, err)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return fmt.Errorf("%w: %w", ErrGates, notFree(to.String()+"/"+month.String()+"/", taken))
	}
	return nil
}

// folder is where a month's files are written, with what the ledger knows of
// those that it has written there before.
type folder struct {
	dir string
	// issued is the SHA-256 of each file as it was first written, in hex; empty
	// until all are.
	issued map[string]string
	done   bool // all were written once, here or elsewhere

	mu       sync.Mutex
	written  map[string]string // SHA-256 of what lies there now
	restored []string
	anew     []string
}

// deliverDocuments writes the files of a closed month from what the ledger has
// issued, each only where its bytes differ.
func (b *Books) deliverDocuments(ctx context.Context, month civil.Month, s *MonthlySummary) ([]months.File, error) {
	documents, err := b.issued(ctx, month)
	if err != nil {
		return nil, err
	}
	noted, err := b.Ledger.Months.Files(ctx, month)
	if err != nil {
		return nil, err
	}
	done, err := b.Ledger.Runs.WindowsDone(ctx, DocumentsKind)
	if err != nil {
		return nil, err
	}
	to := &folder{dir: filepath.Join(b.Month.Dir, month.String()), issued: map[string]string{}, written: map[string]string{}, done: done[DocumentsKind+"/"+month.String()]}
	here, err := filepath.Abs(to.dir)
	if err != nil {
		return nil, err
	}
	for _, f := range noted {
		if f.Folder == here {
			to.issued[f.Name] = f.SHA256
		}
	}
	if err := to.removeParts(); err != nil {
		return nil, err
	}
	files, journal := b.monthFiles(month, documents)
	s.Documents = make([]DocumentPath, len(documents))
	for i, d := range documents {
		s.Documents[i] = DocumentPath{
			Number: d.Number, CostCenter: d.Party.Code, Mode: string(d.Party.Mode), Total: d.Total.Cents.Total,
			PDF: filepath.Join(to.dir, d.Number+".pdf"), CSV: filepath.Join(to.dir, d.Number+".csv"),
		}
	}
	b.tellLostFonts(month, documents, s)
	if journal != "" {
		s.Journal = filepath.Join(to.dir, journal)
	}
	taken, err := b.drawn(ctx, files, func(file monthFile, content []byte) (bool, error) { return to.put(file.name, content) })
	if err != nil {
		return nil, err
	}
	if len(taken) > 0 {
		return nil, notFree(to.dir, taken)
	}
	slices.Sort(to.restored)
	s.Restored = to.restored
	for _, name := range slices.Sorted(slices.Values(to.anew)) {
		s.Told = append(s.Told, name+" was missing; this version draws it otherwise than it was issued")
	}
	if err := b.send(ctx, month, to.dir, files, s); err != nil || len(to.issued) > 0 {
		return nil, err
	}
	all := make([]months.File, 0, len(files))
	for _, file := range files {
		all = append(all, months.File{Folder: here, Name: file.name, SHA256: to.written[file.name]})
	}
	return all, nil
}

var contentTypes = map[string]string{".pdf": "application/pdf", ".csv": "text/csv; charset=utf-8"}

// waitingFiles is how many files are written or delivered at once: both are mostly
// waiting, for the disk or a server.
const waitingFiles = 16

// drawn makes the bytes of files, as many at once as there are workers, and hands each
// file over, more of them at once. It returns the names of those that another content
// has taken.
func (b *Books) drawn(ctx context.Context, files []monthFile, take func(monthFile, []byte) (taken bool, err error)) (names []string, err error) {
	if b.Month.Drawing != nil {
		defer b.Month.Drawing()()
	}
	var mu sync.Mutex
	drawing := make(chan struct{}, max(1, b.Month.Workers))
	err = atOnce(ctx, waitingFiles, files, func(file monthFile) error {
		drawing <- struct{}{}
		content, err := file.make()
		<-drawing
		if err != nil {
			return err
		}
		taken, err := take(file, content)
		if taken {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, file.name)
		}
		return err
	})
	return names, err
}

// send delivers the files of a month, each under the month and its name: an
// invoice's number and the journal's name hold only letters, digits, - and a dot.
func (b *Books) send(ctx context.Context, month civil.Month, dir string, files []monthFile, s *MonthlySummary) error {
	if b.Month.Delivery == nil {
		return nil
	}
	err := atOnce(ctx, waitingFiles, files, func(file monthFile) error {
		content, err := os.ReadFile(filepath.Join(dir, file.name))
		if err != nil {
			return err
		}
		if err := b.Month.Delivery.Create(ctx, month.String()+"/"+file.name, contentTypes[path.Ext(file.name)], content); err != nil {
			return fmt.Errorf("deliver: %w", err)
		}
		return nil
	})
	if err == nil {
		s.Delivered = b.Month.Delivery.String() + "/" + month.String() + "/"
	}
	return err
}

// atOnce does something with each file, some at a time, until one fails. It
// returns the error of the first in their order that did.
func atOnce(ctx context.Context, workers int, files []monthFile, do func(monthFile) error) error {
	workers = max(1, min(workers, len(files)))
	failed := make([]error, len(files))
	next := make(chan int)
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for i := range next {
				if failed[i] = do(files[i]); failed[i] != nil {
					cancel()
				}
			}
		})
	}
	begun := 0
	for i := range files {
		if stop.Err() != nil {
			break
		}
		next <- i
		begun++
	}
	close(next)
	running.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	if begun < len(files) {
		return ctx.Err()
	}
	return nil // also where ctx ends with the last one
}

// partName is the name of a file of ours that is not whole yet.
var partName = regexp.MustCompile(`^\.part-[0-9]+$`)

// removeParts removes what a run has left that was killed while it wrote. Files
// of other people stay. No other run writes: the ledger is this one's.
func (f *folder) removeParts() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil // put says what is wrong with the folder, if anything is
	}
	for _, entry := range entries {
		if !partName.MatchString(entry.Name()) || !entry.Type().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(f.dir, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what a killed run left: %w", err)
		}
	}
	return nil
}

// put writes a file whole or not at all, and only where its bytes differ. A file
// that holds what was issued stays, also where this version draws it otherwise.
// Damage to what this ledger has written is repaired; any other content is not
// written over: the name is taken.
func (f *folder) put(name string, content []byte) (taken bool, err error) {
	at := filepath.Join(f.dir, name)
	have, err := os.ReadFile(at)
	is := err == nil
	if !is && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("look what lies there: %w", err)
	}
	stays, taken := f.stays(name, is, digest(have), digest(content))
	if stays || taken {
		return taken, nil
	}
	return false, writeWhole(at, content)
}

// stays decides about one file from the digests of what lies there and of what
// this run would write, and notes what comes of it.
func (f *folder) stays(name string, is bool, lies, sum string) (stays, taken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	issued := f.issued[name]
	switch {
	case is && (lies == sum || lies == issued):
		f.written[name] = lies
		return true, false
	case is && issued != sum:
		return false, true
	case f.done && (issued == "" || issued == sum):
		f.restored = append(f.restored, filepath.Join(f.dir, name))
	case f.done:
		f.anew = append(f.anew, name)
	}
	f.written[name] = sum
	return false, false
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func writeWhole(at string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(at), ".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }() // gone already where all went well
	_, err = part.Write(content)
	if err := errors.Join(err, part.Chmod(0o600), part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write %s: %w", at, err)
	}
	return os.Rename(part.Name(), at)
}

// DocumentsTotal is the exact sum of the documents of a closed month.
func (b *Books) DocumentsTotal(ctx context.Context, month civil.Month) (total money.USD, err error) {
	documents, err := b.issued(ctx, month)
	for _, d := range documents {
		total = total.Add(d.Total.Exact.Total)
	}
	return total, err
}
