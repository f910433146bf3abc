package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const rootHelp = `chargeback says whose AI bill it is. It reads what AI providers metered
and what the agent platform logged, works out to the last digit what
every request cost and who owes it, warns teams before their budget is
gone, and at month end writes one PDF per cost centre.

See it work on the month of a small, invented company:

  chargeback demo

Then with your own logs:

  chargeback sniff FILE                         what is in them?
  chargeback config example > chargeback.yaml   settings to begin with
  chargeback config check                       are they right?
  chargeback run                                all that is due
  chargeback report departments                 who spent what
  chargeback serve                              stay, run what falls due

Exit codes:
    0  done
    1  failed; nothing is half done. The message says what to do: of a
       clock that can't be right, a ledger that is damaged, or new beside
       documents that were issued, too
    2  the command line, the settings or a secret that they name is wrong
    3  done, but something needs a look: sources that can't be read or
       fell silent, objects, records, prices, people, corrections, or
       messages that were not delivered; "chargeback status" lists it
    4  a month can't be closed yet
   11  another process writes the ledger; who reads it waits (--wait)
  130  stopped by a signal; nothing is half done`

// flags are the settings that every command shares.
type flags struct {
	config string
	wait   time.Duration
}

const (
	configFile  = "chargeback.yaml"
	waitDefault = time.Minute
	columnsWide = 120 // of tables where there is no terminal
)

func rootCommand(w world) *cobra.Command {
	f := &flags{}
	w.wait = &f.wait
	root := group("chargeback", "Say whose AI bill it is, to the last digit", rootHelp)
	root.Version = version()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand(root))
	root.PersistentFlags().StringVar(&f.config, "config", configFile, "settings are in `FILE`")
	logFlag(root, &w.log.format)
	waitFlag(root, &f.wait, "where another process holds the ledger, wait so long to read it; a run waits for readers only")
	root.AddCommand(demoCommand(w, f), sniffCommand(w), runCommand(w, f), serveCommand(w, f), reportCommand(w, f), statusCommand(w, f), doctorCommand(w, f), rejectsCommand(w, f), pricesCommand(w, f), whatIfCommand(w, f), repriceCommand(w, f), explainCommand(w, f), alertsCommand(w, f), directoryCommand(w, f), configCommand(w, f))
	return root
}

// helpCommand is cobra's, but refuses a command that there is not.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [command]", Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil {
				return usage("%w", err)
			}
			if err := noArgs(c, rest); err != nil {
				return err
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

// group is a command that only holds others: alone it prints its help.
func group(use, short, long string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: long, Args: noArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
}

// noArgs refuses words that are neither a command nor a flag.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !c.HasAvailableSubCommands() {
		return usage("%q is too much: %s takes flags only; see \"%s --help\"", args[0], c.CommandPath(), c.CommandPath())
	}
	hint := ""
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "? If not, "
	}
	return usage("%q is not a command of %s; %ssee \"%s --help\"", args[0], c.CommandPath(), hint, c.CommandPath())
}

// columns is the width to print for: the variable COLUMNS, else the
// terminal's, else 0.
func columns(getenv func(string) string) int {
	if width, err := strconv.Atoi(getenv("COLUMNS")); err == nil && width > 0 {
		return width
	}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && width > 0 {
		return width
	}
	return 0
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// program is how the user can call this program again. go run builds it into a
// folder that is gone afterwards.
func program(arg0 string) string {
	if strings.Contains(filepath.ToSlash(arg0), "/go-build") {
		return "go run ./cmd/chargeback"
	}
	return arg0
}
