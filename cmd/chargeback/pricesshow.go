package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/transform/rates"
)

const pricesShowHelp = `Says how a model's id is resolved, lists all periods of its prices with
when they were learned and where they were read, and prints the unit
prices at one time: US dollars for a million tokens, or for one request or
search, with the list price and every factor on it.`

// showFlags are what decides a price besides the model.
type showFlags struct {
	meter rates.Meter
	at    moment
}

func pricesShowCommand(w world, f *flags) *cobra.Command {
	o := showFlags{}
	c := &cobra.Command{
		Use: "show MODEL", Short: "Say what a model costs, and since when", Long: pricesShowHelp,
		Example: "  chargeback prices show claude-sonnet-4-5 --provider anthropic\n  chargeback prices show gpt-5.6-luna --tier flex --region eu --at 2026-10-01",
		Args:    words(1, "the id of one model"),
		RunE: func(_ *cobra.Command, args []string) error {
			book, _, err := settingsBook(f)
			if err != nil {
				return err
			}
			o.meter.Model = args[0]
			return w.showPrices(book, o.meter, o.at.or(w.now()))
		},
	}
	c.Flags().StringVar(&o.meter.Provider, "provider", "", "`NAME` of the provider (default: the only one that has the model)")
	c.Flags().StringVar(&o.meter.Account, "account", "", "`ID` of the account that was billed")
	c.Flags().StringVar(&o.meter.Region, "region", "", "`NAME` of the region that was called")
	c.Flags().StringVar(&o.meter.Tier, "tier", "", "`NAME` of the service tier (default: standard)")
	momentFlag(c, &o.at, "unit prices at this instant (default: now)")
	return c
}

func (w world) showPrices(book *rates.Book, m rates.Meter, at time.Time) error {
	provider, err := onlyProvider(book, m)
	if err != nil {
		return err
	}
	m.Provider = provider
	key, how, ok := book.Resolve(m.Provider, m.Region, m.Model)
	if !ok {
		return fmt.Errorf("show prices: the rate book has no price of %q for provider %q; correct the id, or add the price", m.Model, m.Provider)
	}
	fmt.Fprintf(w.out, "%s, resolved by %s\n\n", key, how)
	var periods [][]string
	for _, e := range book.Of(key) {
		to := "open"
		if e.To.Before(rates.Forever) {
			to = "to " + e.To.Format(time.RFC3339)
		}
		account := "published"
		if e.Account != "" {
			account = "account " + e.Account
		}
		periods = append(periods, []string{"from " + e.From.Format(time.RFC3339), to, account, "learned " + learnedText(e.Learned) + certainText(e), e.Source})
	}
	w.lines("Periods", periods, true)
	fmt.Fprintf(w.out, "\nAt %s\n", at.Format(time.RFC3339))
	shown := map[string]bool{}
	card := book.Card(m, key, at, at.Add(time.Second))
	minute := (int(at.Weekday())*24+at.Hour())*60 + at.Minute()
	slices.SortStableFunc(card, func(a, b rates.Rate) int { // what holds at that minute of the week first
		return cmp.Compare(btoi(b.MinuteFrom <= minute && minute < b.MinuteTo), btoi(a.MinuteFrom <= minute && minute < a.MinuteTo))
	})
	for _, r := range card {
		if r.Markup != 0 || shown[r.Rule] && r.Problem == "" {
			continue
		}
		shown[r.Rule] = true
		w.printRate(r)
	}
	return nil
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// certainText says whether a price is a forecast.
func certainText(e rates.Entry) string {
	switch {
	case e.Forecast():
		return ", announced"
	case !e.Confirmed.IsZero():
		return ", confirmed " + e.Confirmed.Format(time.RFC3339)
	}
	return ""
}

func (w world) printRate(r rates.Rate) {
	if r.Problem != "" {
		fmt.Fprintf(w.out, "\nheld: %s\n", r.Problem)
		return
	}
	var rows [][]string
	media := []string{rates.InputAudio.String(), rates.InputImage.String(), rates.CacheReadAudio.String(), rates.OutputAudio.String(), rates.OutputImage.String()}
	for _, t := range r.Terms {
		if t.As != "" && slices.Contains(media, t.Class) {
			continue // most models have none
		}
		steps := strings.Join(t.Steps, ", ")
		if t.As != "" {
			steps = strings.TrimSuffix("as "+t.As+", "+steps, ", ")
		}
		rows = append(rows, []string{t.Class, t.Unit, "list " + t.List, steps})
	}
	fmt.Fprintln(w.out)
	w.lines(r.Rule, rows, true)
	if r.Note != "" {
		fmt.Fprintf(w.out, "  %s\n", r.Note)
	}
}

// onlyProvider is the provider that was named, or the only one whose model it
// can be.
func onlyProvider(book *rates.Book, m rates.Meter) (string, error) {
	if m.Provider != "" {
		return m.Provider, nil
	}
	var all, have []string
	for _, e := range book.Entries() {
		all = append(all, e.Provider)
	}
	for _, provider := range slices.Compact(all) {
		if _, _, ok := book.Resolve(provider, m.Region, m.Model); ok {
			have = append(have, provider)
		}
	}
	switch len(have) {
	case 0:
		return "", fmt.Errorf("show prices: the rate book has no price of %q; correct the id, or add the price", m.Model)
	case 1:
		return have[0], nil
	}
	return "", usage("%s have a model %q; name one with --provider", strings.Join(have, ", "), m.Model)
}
