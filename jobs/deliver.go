package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"chargeback/billing/invoice"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// deliverDocuments writes the files of a closed month from what the ledger has
// issued, each only where its bytes differ.
func (b *Books) deliverDocuments(ctx context.Context, month civil.Month, s *MonthlySummary) error {
	issued, err := b.Ledger.Issued(ctx, month)
	if err != nil {
		return err
	}
	dir := filepath.Join(b.Month.Dir, month.String())
	s.Documents = nil
	var booked []invoice.Document
	var files, redrawn, lost []string
	for _, row := range issued {
		var d invoice.Document
		if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
			return fmt.Errorf("read document %s: %w", row.Number, err)
		}
		if b.Month.Fonts != nil {
			if fonts := b.Month.Fonts.Lost(d); len(fonts) > 0 {
				redrawn, lost = append(redrawn, d.Number), append(lost, fonts...)
			}
		}
		pdf, err := b.Month.Render(d)
		if err != nil {
			return fmt.Errorf("draw %s: %w", d.Number, err)
		}
		var lines bytes.Buffer
		if err := invoice.WriteCSV(&lines, d); err != nil {
			return fmt.Errorf("write lines of %s: %w", d.Number, err)
		}
		path := DocumentPath{Number: d.Number, CostCenter: d.Party.Code, Mode: string(d.Party.Mode), Total: d.Total.Cents.Total, PDF: filepath.Join(dir, d.Number+".pdf"), CSV: filepath.Join(dir, d.Number+".csv")}
		s.Documents = append(s.Documents, path)
		if d.Party.Mode == invoice.Chargeback {
			booked = append(booked, d)
		}
		if err := errors.Join(s.put(path.PDF, pdf), s.put(path.CSV, lines.Bytes())); err != nil {
			return err
		}
		files = append(files, path.PDF, path.CSV)
	}
	if len(booked) > 0 {
		var journal bytes.Buffer
		if err := invoice.WriteJournal(&journal, booked); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		s.Journal = filepath.Join(dir, "journal-"+month.String()+".csv")
		if err := s.put(s.Journal, journal.Bytes()); err != nil {
			return err
		}
		files = append(files, s.Journal)
		if invoice.ControlBeside(booked) {
			var control bytes.Buffer
			if err := invoice.WriteJournalControl(&control, booked, filepath.Base(s.Journal), journal.Bytes()); err != nil {
				return fmt.Errorf("write control totals: %w", err)
			}
			path := filepath.Join(dir, "journal-"+month.String()+"-control.csv")
			if err := s.put(path, control.Bytes()); err != nil {
				return err
			}
			files = append(files, path)
		}
	}
	s.Problems = append(s.Problems, lostFonts(month, redrawn, lost)...)
	return b.send(ctx, month, files, s)
}

var contentTypes = map[string]string{".pdf": "application/pdf", ".csv": "text/csv; charset=utf-8"}

// send delivers the files of a month, each under the month and its name: an
// invoice's number and the journal's name hold only letters, digits, - and a dot.
func (b *Books) send(ctx context.Context, month civil.Month, files []string, s *MonthlySummary) error {
	if b.Month.Delivery == nil {
		return nil
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		key := month.String() + "/" + filepath.Base(file)
		if err := b.Month.Delivery.Create(ctx, key, contentTypes[filepath.Ext(file)], content); err != nil {
			return fmt.Errorf("deliver: %w", err)
		}
	}
	s.Delivered = b.Month.Delivery.String() + "/" + month.String() + "/"
	return nil
}

// put writes a file whole or not at all, and only where its bytes differ.
func (s *MonthlySummary) put(path string, data []byte) error {
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, data) {
		return nil
	}
	if s.Already {
		s.Restored = append(s.Restored, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }() // gone already where all went well
	_, err = part.Write(data)
	if err := errors.Join(err, part.Chmod(0o644), part.Sync(), part.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(part.Name(), path)
}

// DocumentsTotal is the exact sum of the documents of a closed month.
func (b *Books) DocumentsTotal(ctx context.Context, month civil.Month) (total money.USD, err error) {
	issued, err := b.Ledger.Issued(ctx, month)
	if err != nil {
		return total, err
	}
	for _, row := range issued {
		var d invoice.Document
		if err := json.Unmarshal([]byte(row.Document), &d); err != nil {
			return total, fmt.Errorf("read document %s: %w", row.Number, err)
		}
		total = total.Add(d.Total.Exact.Total)
	}
	return total, nil
}
