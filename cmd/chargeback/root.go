package main

import (
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const rootHelp = `chargeback reads what AI providers metered and what the agent platform logged,
works out to the last digit what every request cost and who owes it, warns teams
before their budget is gone, and at month end writes one PDF per cost centre.

Start with "chargeback demo": it makes a small company's month in a folder of its
own and runs it. Then write chargeback.yaml for your own logs:

  chargeback config example > chargeback.yaml   every setting, with comments
  chargeback config check                       is it right?
  chargeback run                                everything that is due
  chargeback report departments                 who spent what
  chargeback serve                              stay, and run what falls due

Exit codes: 0 done; 1 failed, nothing half done; 2 command line or settings are
wrong; 3 done, but objects could not be read or are gone from their source;
4 a month can't be closed yet; 11 another process has the ledger.`

// flags are the settings that every command shares.
type flags struct{ config string }

func rootCommand(w world) *cobra.Command {
	f := &flags{}
	root := &cobra.Command{
		Use:           "chargeback",
		Short:         "Say whose AI bill it is, to the last digit",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%w; see \"%s --help\"", err, c.CommandPath())
	})
	root.PersistentFlags().StringVar(&f.config, "config", configFile, "file of settings")
	root.AddCommand(demoCommand(w), runCommand(w, f), serveCommand(w, f), reportCommand(w, f), statusCommand(w, f), rejectsCommand(w, f), configCommand(w, f))
	return root
}

// columns is the width of the terminal, or a wide page where there is none.
func columns() int {
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && width > 0 {
		return width
	}
	return columnsWide
}
