package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strconv"
	"strings"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/jobs"
	"chargeback/templates"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// window is nights that are run in one go.
type window struct {
	name string
	days records.Days
}

// estimateNights says what nights would recompute and read: those of a day, of several
// days, or all that are due.
func estimateNights(ctx context.Context, w world, path string, day, from, to civil.Date) (err error) {
	a, err := openToRead(ctx, w, path)
	if errors.Is(err, warehouse.ErrNone) {
		w.item("There is no ledger yet, so nothing is staged: the first run reads what its sources have.")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	nights, err := a.asked(ctx, w, day, from, to)
	if err != nil {
		return err
	}
	if len(nights) == 0 {
		w.item("No night is due.")
		return nil
	}
	billed, bytes := false, int64(0)
	for _, n := range nights {
		e, err := a.EstimateNights(ctx, n.days)
		if err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		a.printEstimate(w, n.name, e)
		for _, p := range e.Parts {
			billed, bytes = billed || p.Billed, bytes+p.Bytes()
		}
	}
	if len(nights) > 1 && billed {
		w.item("in all: at most about %s, %s", bytesText(bytes), a.cost(bytes))
	}
	if !billed {
		w.item("Nothing is billed: the ledger is a file on this machine.")
	} else {
		w.item("This estimate was billed for %s.", bytesText(a.billed(ctx)))
	}
	w.item("New objects are not in it: what they hold shows when they are read.")
	return nil
}

// asked are the nights that a command names, or those that are due, one by one.
func (a *books) asked(ctx context.Context, w world, day, from, to civil.Date) (nights []window, err error) {
	switch {
	case !from.IsZero():
		if to.IsZero() {
			to = civil.DateOf(w.now(), a.Zone).AddDays(-1)
		}
		return []window{{fmt.Sprintf("nights of %s to %s", from, to), records.Days{First: from, Last: to}}}, errors.Join(a.over(w, "--from", from.String(), from, from), a.over(w, "--to", to.String(), to, to))
	case !day.IsZero():
		return []window{{jobs.NightlyWindow(day), records.Days{First: day, Last: day}}}, a.over(w, "--date", day.String(), day, day)
	}
	due, err := a.DueNights(ctx, w.now())
	for _, d := range due {
		nights = append(nights, window{jobs.NightlyWindow(d), records.Days{First: d, Last: d}})
	}
	return nights, err
}

// printEstimate prints the days and steps of one window.
func (a *books) printEstimate(w world, name string, e jobs.Estimate) {
	var days []string
	for _, d := range e.Days {
		days = append(days, d.First.String()+".."+d.Last.String())
	}
	rows, billed := int64(0), false
	for _, p := range e.Parts {
		rows, billed = rows+p.Rows, billed || p.Billed
	}
	line := fmt.Sprintf("%s: recomputes %s from %s", name, strings.Join(days, ", "), thousands(rows, "row", "rows"))
	if len(days) == 0 {
		line = name + ": recomputes no day"
	}
	facts := []slog.Attr{slog.String("window", name), slog.Any("days", orNone(days)), slog.Int64("rows", rows)}
	if billed {
		line += fmt.Sprintf("; reads at most about %s, %s", bytesText(e.Bytes()), a.cost(e.Bytes()))
		facts = append(facts, slog.Int64("bytes", e.Bytes()), slog.String("cost_usd", a.price(e.Bytes()).String()))
	}
	w.tell("estimate", facts, "%s", line)
	for _, p := range e.Parts {
		for _, s := range p.Steps {
			w.table("step", []slog.Attr{slog.String("step", s.Step), slog.Int64("bytes", s.Bytes), slog.String("cost_usd", a.price(s.Bytes).String())},
				"  %-34s %12s  %s", s.Step, bytesText(s.Bytes), a.cost(s.Bytes))
		}
	}
}

// tellReprice says what reprice --dry-run is about to read, and what reprice would,
// where that is billed.
func (a *books) tellReprice(ctx context.Context, w world) error {
	if a.Settings.Config.Warehouse.PricePerTiBUSD.IsZero() {
		return nil // a file
	}
	dry, err := a.EstimateReprice(ctx)
	if err != nil {
		return err
	}
	latest, err := a.LatestNight(ctx)
	if err != nil || latest.IsZero() {
		return err
	}
	night, err := a.EstimateNights(ctx, records.Days{First: latest, Last: latest})
	if err != nil {
		return err
	}
	fmt.Fprintf(w.err, "This reads at most about %s, %s; without --dry-run, at most about %s, %s.\n", bytesText(dry.Bytes()), a.cost(dry.Bytes()), bytesText(night.Bytes()), a.cost(night.Bytes()))
	return nil
}

// billed is what this process was billed for so far; 0 where that can't be learnt.
func (a *books) billed(ctx context.Context) int64 {
	n, err := a.Ledger.BytesBilled(ctx)
	if err != nil {
		return 0
	}
	return n
}

// price is what the warehouse bills for bytes.
func (a *books) price(bytes int64) money.USD {
	perTiB := a.Settings.Config.Warehouse.PricePerTiBUSD.Pico()
	cost := new(big.Int).Mul(perTiB, big.NewInt(bytes))
	return money.FromPicoInt(cost.Rsh(cost, 40))
}

// cost is a price in cents.
func (a *books) cost(bytes int64) string {
	price := a.price(bytes)
	if price.Sign() > 0 && price.Cmp(money.FromCents(1)) < 0 {
		return "less than 0.01 USD"
	}
	return templates.GroupThousands(price.Cents().String()) + " USD"
}

// bytesText is an amount of bytes in the unit that suits it.
func bytesText(bytes int64) string {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}} {
		if bytes >= unit.bytes {
			return fmt.Sprintf("%s.%d %s", templates.GroupThousands(strconv.FormatInt(bytes/unit.bytes, 10)), bytes%unit.bytes/(unit.bytes/10), unit.name)
		}
	}
	return thousands(bytes, "byte", "bytes")
}

// thousands is count for large numbers.
func thousands(n int64, one, many string) string {
	_, noun, _ := strings.Cut(count(int(n), one, many), " ")
	return templates.GroupThousands(strconv.FormatInt(n, 10)) + " " + noun
}
