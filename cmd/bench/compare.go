package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// compare prints both sides' medians and fails where totals differ. counts
// says how many lines each side read and how many records the day has.
func compare(w io.Writer, counts scriptResult, script, program []measurement) error {
	lines := counts.Usage + counts.Requests
	fmt.Fprintf(w, "%d usage and %d request lines, %d records, median of %d runs each\n\n", counts.Usage, counts.Requests, counts.Records, len(script))
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tseconds\tlines/s\tpeak memory\tledger bytes/record\tLLM cost USD\t")
	for _, side := range []struct {
		name string
		runs []measurement
	}{{"script", script}, {"chargeback", program}} {
		wall, last := medianWall(side.runs), side.runs[len(side.runs)-1]
		fmt.Fprintf(table, "%s\t%.2f\t%.0f\t%d MB\t%.1f\t%s\t\n", side.name, wall.Seconds(), float64(lines)/wall.Seconds(),
			maxPeak(side.runs)/1e6, float64(last.LedgerBytes)/float64(counts.Records), last.LLMCostUSD.Fixed())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	ratio := medianWall(program).Seconds() / medianWall(script).Seconds()
	fmt.Fprintf(w, "\nchargeback takes %.2f times the script's time\n", ratio)
	return sameTotals(script, program)
}

// sameTotals checks that every run of both sides came to the first one's total.
func sameTotals(script, program []measurement) error {
	want := script[0].LLMCostUSD
	for i := range script {
		if got := script[i].LLMCostUSD; !got.Equal(want) {
			return fmt.Errorf("script's run %d came to %s USD, its first to %s USD", i+1, got.Fixed(), want.Fixed())
		}
		if got := program[i].LLMCostUSD; !got.Equal(want) {
			return fmt.Errorf("chargeback's run %d came to %s USD, the script to %s USD; the difference is %s USD", i+1, got.Fixed(), want.Fixed(), got.Sub(want).Fixed())
		}
	}
	return nil
}

// medianWall is the middle duration; of an even number the faster of the two.
func medianWall(runs []measurement) time.Duration {
	return medianOf(runs, func(m measurement) time.Duration { return m.Wall })
}

func medianProcessor(runs []measurement) time.Duration {
	return medianOf(runs, func(m measurement) time.Duration { return m.Processor })
}

func medianOf(runs []measurement, of func(measurement) time.Duration) time.Duration {
	all := make([]time.Duration, len(runs))
	for i, m := range runs {
		all[i] = of(m)
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

func maxPeak(runs []measurement) int64 {
	var peak int64
	for _, m := range runs {
		peak = max(peak, m.PeakBytes)
	}
	return peak
}
