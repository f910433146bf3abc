package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// documentPath is where the documents of a month lie, below their folder.
var documentPath = regexp.MustCompile(`^\d{4}-\d{2}/((CB|SB)-\d{4}-\d{2}-.+|journal-\d{4}-\d{2})\.(pdf|csv)$`)

// CheckNew says that a ledger which has closed no month begins beside documents that
// were issued: another ledger issued them, and this one would charge their months
// again, raise their alerts again and number its own documents as they are. With
// told it is meant so, and the ledger keeps that.
func (b *Books) CheckNew(ctx context.Context, told bool) (err error) {
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil || len(closed) > 0 {
		return err
	}
	meant, err := b.Ledger.MeantNew(ctx)
	if err != nil || meant {
		return err
	}
	found, err := b.anyDocument(ctx)
	if err != nil || found == "" {
		return err
	}
	if told {
		return b.Ledger.SetMeantNew(ctx)
	}
	return fmt.Errorf("%s was issued by another ledger: this one, %s, is new and has closed no month, so it would charge, warn and close again what was done before: "+
		"restore the ledger from its backup, or correct warehouse.path or warehouse.dataset; to begin anew beside these documents, run `chargeback run --new-ledger` once", found, b.Ledger)
}

// anyDocument is the place of one document of any month, in the folder or where
// they are delivered; "" for none. A delivery that can't be listed is for the close
// to tell.
func (b *Books) anyDocument(ctx context.Context) (string, error) {
	months, err := os.ReadDir(b.Month.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil // a file in its place, or no rights: told where documents are written
	}
	for _, month := range months {
		files, err := os.ReadDir(filepath.Join(b.Month.Dir, month.Name()))
		if err != nil {
			continue
		}
		for _, file := range files {
			if documentPath.MatchString(path.Join(month.Name(), file.Name())) {
				return filepath.Join(b.Month.Dir, month.Name(), file.Name()), nil
			}
		}
	}
	if b.Month.Delivery == nil {
		return "", nil
	}
	keys, err := b.Month.Delivery.Keys(ctx, "")
	if err != nil {
		return "", ctx.Err()
	}
	for _, key := range keys {
		if documentPath.MatchString(key) {
			return strings.TrimSuffix(b.Month.Delivery.String(), "/") + "/" + key, nil
		}
	}
	return "", nil
}
