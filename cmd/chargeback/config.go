package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"chargeback/config"
)

func configCommand(w world, f *flags) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Check or begin a file of settings", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(
		&cobra.Command{
			Use: "check", Short: "Read all settings and say what is wrong", Args: cobra.NoArgs,
			Long: "Reads the config, the rate book and the directory strictly, names every mistake with\nfile, line and key, and prints what would be used. Secrets are never printed.",
			RunE: func(*cobra.Command, []string) error {
				s, err := readSettings(f.config)
				if err != nil {
					return err
				}
				fmt.Fprint(w.out, s.config.Describe())
				fmt.Fprintf(w.out, "\nrate book %s: %d prices, %d periods of fees\n", s.rates.Version(), len(s.rates.Prices()), len(s.rates.Fees()))
				fmt.Fprintf(w.out, "directory %s: %d cost centres, %d agents\n", s.directory.Version(), len(s.directory.CostCenters()), len(s.directory.Agents()))
				fmt.Fprintln(w.out, "All settings are right.")
				return nil
			},
		},
		&cobra.Command{
			Use: "example", Short: "Print a config with every setting explained", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := w.out.Write(config.Example)
				return err
			},
		},
	)
	return c
}
