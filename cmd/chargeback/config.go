package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"chargeback/cmd/chargeback/app"
	"chargeback/config"
	"chargeback/extract/store"
	"chargeback/transform/directory"
	"chargeback/transform/rates"
	"chargeback/transform/strictyaml"
)

const checkHelp = `Reads chargeback.yaml, the rate book and the directory, and names every
mistake at once with file, line and key: what can't be read, what
contradicts itself, names that the other files don't have or that no font
can print, folders that don't exist, secrets that aren't set, files of people
that a run would refuse, and what the close of a month will need: accounts, the
issuer's cost centre, companies. Buckets are not asked: the first run does that.
Secrets are never printed, nor what of an address may hold one.`

const exampleHelp = `Prints a file to begin with:

  settings    chargeback.yaml for one folder of logs (without a name: this one);
              with --all every key, what it means and what breaks
  directory   directory.yaml: cost centres, agents, owners, every key explained
  prices      prices.yaml: the built-in list prices, every key explained
  people      people.csv: who works where, from when to when`

const peopleExample = `email,department,cost_center,valid_from,valid_to
support-lead@example.com,Support,00420,2026-01-01,
user001@example.com,Support,00420,2026-01-01,2026-10-16
user001@example.com,Research,CC-1001,2026-10-16,
`

func configCommand(w world, f *flags) *cobra.Command {
	c := group("config", "Check or begin the settings", "Checks the settings, or prints examples to begin with.")
	c.AddCommand(checkCommand(w, f), exampleCommand(w))
	return c
}

func checkCommand(w world, f *flags) *cobra.Command {
	all := false
	c := &cobra.Command{
		Use: "check", Short: "Say what is wrong with the settings", Long: checkHelp, Args: noArgs,
		Example: "  chargeback config check\n  chargeback config check --all --config /etc/chargeback/chargeback.yaml",
		RunE: func(*cobra.Command, []string) error {
			s, err := app.ReadWith(f.config, app.CloseBegun, app.CheckLedgerPlace, checkPlaces, config.SecretsAreThere(w.getenv), app.CheckOutlines)
			if err != nil {
				return err
			}
			if err := app.Mistakes(app.CheckNames(s, w.getenv), checkPeople(s)); err != nil {
				return err
			}
			if all {
				fmt.Fprintf(w.out, "%s\n", strictyaml.HideSecrets(s.Config.Shown().Describe()))
			}
			describe(w, s)
			return nil
		},
	}
	c.Flags().BoolVar(&all, "all", false, "print every setting too, with defaults filled in")
	return c
}

// checkPlaces finds folders and files of sources that don't exist.
func checkPlaces(c *config.Config, fail app.Failf) {
	for i, src := range c.Sources {
		place, err := store.ParseURL(src.URL)
		if err != nil || place.Scheme != config.SchemeFile {
			continue // a wrong url is named already; buckets are not asked
		}
		key, path := fmt.Sprintf("sources[%d].url", i), place.In(c.Dir).Path
		info, err := os.Stat(path)
		switch wantsFile := src.IsFile(); {
		case os.IsNotExist(err):
			fail(key, "%s doesn't exist; make it, or correct the path", path)
		case err != nil:
			fail(key, "%s can't be read: %v; correct its rights", path, err)
		case wantsFile && info.IsDir():
			fail(key, "%s is a folder; name the file in it", path)
		}
	}
}

// describe prints in short what settings that are right say.
func describe(w world, s app.Settings) {
	c := s.Config
	line := func(what, format string, args ...any) {
		fmt.Fprintf(w.out, "%-10s %s\n", what, strictyaml.HideSecrets(fmt.Sprintf(format, args...)))
	}
	line("company", "%s, days of %s, from %s", c.Company.Name, c.Company.BillingZone, c.Company.Start)
	line("ledger", "%s", s.LedgerPlace())
	for _, src := range c.Sources {
		note := "is there"
		if scheme, _ := src.Location(); scheme == config.SchemeS3 {
			note = "not asked"
		}
		line("source", "%s (%s) %s: %s", src.Name, src.Format, src.URL, note)
	}
	book := c.Prices
	if book == "" {
		book = "built-in"
	}
	line("rate book", "%s: %s, %s", book, count(len(s.Rates.Entries()), "price", "prices"), count(len(s.Rates.Fees()), "period of fees", "periods of fees"))
	line("directory", "%s: %s, %s", c.Directory, count(len(s.Directory.CostCenters()), "cost centre", "cost centres"), count(agentIDs(s.Directory), "agent", "agents"))
	line("budgets", "%d", len(c.Budgets))
	switch _, ok, err := c.Notify.Slack.Token(w.getenv, c.ReadFile); {
	case err != nil: // said already where it is needed
		line("messages", "none, for there are no budgets; %v", err)
	case ok:
		line("messages", "go to Slack")
	default:
		line("messages", "go to the console")
	}
	if text := s.Unbooked(); text != "" {
		line("close", "%s", text)
	}
	fmt.Fprintln(w.out, "All settings are right.")
}

// agentIDs counts agents, each once however often its owner changed.
func agentIDs(dir *directory.Directory) int {
	seen := map[string]bool{}
	for _, a := range dir.Agents() {
		seen[a.ID] = true
	}
	return len(seen)
}

func exampleCommand(w world) *cobra.Command {
	all := false
	files := map[string][]byte{
		"settings": config.Small, "directory": directory.Example, "prices": rates.Example(), "people": []byte(peopleExample),
	}
	names := []string{"settings", "directory", "prices", "people"}
	c := &cobra.Command{
		Use: "example [settings|directory|prices|people]", Short: "Print a file to begin with", Long: exampleHelp, ValidArgs: names,
		Example: "  chargeback config example > chargeback.yaml\n  chargeback config example --all | less\n  chargeback config example directory > directory.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && !slices.Contains(names, args[0]) {
				return usage("%q is not an example; see \"%s --help\"", args[len(args)-1], c.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			name := append(args, names[0])[0]
			text := files[name]
			if all && name != names[0] {
				return usage("--all is of settings alone; the example %s explains every key already", name)
			} else if all {
				text = config.Example
			}
			_, err := w.out.Write(text)
			return err
		},
	}
	c.Flags().BoolVar(&all, "all", false, "print all settings, every key explained")
	return c
}
