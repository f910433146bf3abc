package months

import (
	"context"
	"crypto/sha256"
	_ "embed" // texts of selects
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var (
	//go:embed hash.sql
	hashSQL string
	//go:embed hash_of_earlier.sql
	hashOfEarlierSQL string
)

// hashKind begins every hash that Hash gives. Hashes of months that earlier versions
// closed have no kind: see hashOfEarlier.
const hashKind = "2:"

// hashedDay is what the warehouse tells of a day's records.
type hashedDay struct {
	Day                        civil.Date
	Records                    int64
	Word1, Word2, Word3, Word4 int64
	Word5, Word6, Word7, Word8 int64
}

// Hash is a hash of the cost records of some days, of those that a month charges or,
// where month is "", of all: everything that decides who owes what and why, with the
// lines of their sources. The same inputs give the same hash in every ledger and on
// every engine, whatever run wrote a record and in whatever order. The warehouse hashes
// each record and sums them by day; here is only a row a day. So it shows what was
// changed by mistake or got lost; it is no seal against somebody who writes into the
// ledger and computes for it.
func (l *Months) Hash(ctx context.Context, first, last civil.Date, month string) (string, error) {
	args := warehouse.Args{"first_day": first, "last_day": last, "first_month": civil.Min, "last_month": civil.Max}
	if month != "" {
		m, err := civil.ParseMonth(month)
		if err != nil {
			return "", err
		}
		args["first_month"], args["last_month"] = m.FirstDay(), m.FirstDay()
	}
	sum := sha256.New()
	err := warehouse.Each(ctx, l.q, warehouse.Select{Name: "hash of cost records", Text: hashSQL, Args: args}, func(d hashedDay) error {
		_, err := fmt.Fprintln(sum, d.Day, d.Records, d.Word1, d.Word2, d.Word3, d.Word4, d.Word5, d.Word6, d.Word7, d.Word8)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash cost records: %w", err)
	}
	return hashKind + hex.EncodeToString(sum.Sum(nil)), nil
}

// MonthHash is the Hash of the records that a month charges.
func (l *Months) MonthHash(ctx context.Context, month civil.Month) (string, error) {
	days, err := l.chargedDays(ctx, month)
	if err != nil {
		return "", err
	}
	return l.Hash(ctx, days.First, days.Last, month.String())
}

// Unchanged says whether the records that a closed month charges still give the hash
// that its close kept, by whatever version of the program it was closed.
func (l *Months) Unchanged(ctx context.Context, month civil.Month, kept string) (bool, error) {
	hash := l.MonthHash
	if !strings.HasPrefix(kept, hashKind) {
		hash = l.hashOfEarlier
	}
	now, err := hash(ctx, month)
	return now == kept, err
}

// chargedDays are the days of the records that a month charges: all of its own,
// whatever is known to be there, and those back to the first that it corrects.
func (l *Months) chargedDays(ctx context.Context, month civil.Month) (warehouse.Days, error) {
	b, err := records.ChargedDays(ctx, l.q, month.FirstDay(), month.FirstDay())
	if err != nil {
		return warehouse.Days{}, err
	}
	days := warehouse.Days{First: month.FirstDay(), Last: month.LastDay()}
	if b.Days[0].Before(days.First) {
		days.First = b.Days[0]
	}
	return days, nil
}

// hashOfEarlier is the hash of versions that read every record of a month in order:
// the SHA-256, in hex, of the columns that these versions had.
func (l *Months) hashOfEarlier(ctx context.Context, month civil.Month) (string, error) {
	days, err := l.chargedDays(ctx, month)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	args := warehouse.Args{"first_day": days.First, "last_day": days.Last, "month": month}
	err = l.q.Query(ctx, warehouse.Select{Name: "records of a month that an earlier version closed", Text: hashOfEarlierSQL, Args: args}, func(r warehouse.Row) error {
		for _, v := range r.Values {
			sum.Write([]byte(canonical(v)))
			sum.Write([]byte{0})
		}
		sum.Write([]byte{'\n'})
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash cost records: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// canonical is a value as hashOfEarlier takes it.
func canonical(v any) string {
	switch v := v.(type) {
	case nil:
		return "\x01"
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return strconv.FormatInt(v.UnixMicro(), 10)
	case civil.Date:
		return v.String()
	case money.USD:
		return v.Fixed()
	}
	return fmt.Sprint(v)
}
