package app

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"chargeback/config"
	"chargeback/transform/directory"
	"chargeback/transform/rates"
	"chargeback/transform/strictyaml"
)

// Settings is what the files of a configuration say.
type Settings struct {
	Path      string
	Config    *config.Config
	Rates     *rates.Book
	Directory *directory.Directory
}

// Mistake is an error of the settings, or of a secret that they name: nothing was
// opened or made.
type Mistake struct{ Err error }

func (m *Mistake) Error() string { return m.Err.Error() }
func (m *Mistake) Unwrap() error { return m.Err }

func mistake(format string, args ...any) error { return &Mistake{fmt.Errorf(format, args...)} }

// Failf notes what is wrong with a key of the config.
type Failf = func(path, format string, args ...any)

// ReadSettings loads the config and the files it names, holds them against
// each other, and reports the mistakes of all of them at once.
func ReadSettings(path string, further ...config.Check) (Settings, error) {
	return ReadWith(path, CloseNothing, further...)
}

// ReadWith is ReadSettings that also wants what the close of a month needs.
func ReadWith(path string, want Closing, further ...config.Check) (Settings, error) {
	s := Settings{Path: path}
	var files error
	check := func(c *config.Config, fail Failf) {
		files = s.readFiles(c, fail)
		s.crossCheck(c, fail)
		files = errors.Join(files, s.checkClosing(c, want, fail))
	}
	cfg, err := config.Load(path, append([]config.Check{check}, further...)...)
	if errors.Is(err, fs.ErrNotExist) {
		return s, mistake("read settings: %s doesn't exist; name another file with --config, write one with \"chargeback config example > %s\", or look at \"chargeback demo\"", path, filepath.Base(path))
	}
	s.Config = cfg
	return s, Mistakes(err, files)
}

// Mistakes makes one error of the mistakes in the settings, a line each.
func Mistakes(mistakes ...error) error {
	switch err := errors.Join(mistakes...); {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), strictyaml.AndMore):
		return mistake("the settings have many mistakes:\n%w", err)
	case strings.Contains(err.Error(), "\n"):
		return mistake("the settings have %d mistakes:\n%w", 1+strings.Count(err.Error(), "\n"), err)
	default:
		return mistake("%w", err)
	}
}

// readFiles reads the rate book and the directory. A file that isn't there is
// a mistake in the config, others are in the file.
func (s *Settings) readFiles(c *config.Config, fail Failf) (err error) {
	missing := func(key, name, next string, err error) error {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		fail(key, "%s doesn't exist; correct the path, %s", c.Path(name), next)
		return nil
	}
	if c.Prices == "" {
		s.Rates = rates.Default()
	} else {
		s.Rates, err = rates.Load(c.Path(c.Prices))
		err = missing("prices", c.Prices, "write it with \"chargeback config example prices\", or leave the key out for the built-in list prices", err)
	}
	if c.Directory == "" {
		return err // said already
	}
	var second error
	s.Directory, second = directory.Load(c.Path(c.Directory))
	return errors.Join(err, missing("directory", c.Directory, "or begin with \"chargeback config example directory\"", second))
}

// crossCheck finds names in the config that the files it names don't have. A
// file that could not be read is not asked.
func (s *Settings) crossCheck(c *config.Config, fail Failf) {
	if !slices.ContainsFunc(c.Sources, func(src config.Source) bool { return src.IsPeople() }) {
		fail("sources", "none has format people, or that of an export of people, so no user has a department; add one, a CSV as \"chargeback config example people\" prints it")
	}
	checkFormats(c, fail)
	checkFonts(c, fail)
	if s.Directory != nil {
		checkPayers(c, s.Directory, fail)
	}
	if s.Rates == nil {
		return
	}
	for i, u := range c.UnknownModels {
		if _, _, ok := s.Rates.Resolve(u.Provider, "", u.PriceAs); !ok && u.PriceAs != "" {
			fail(fmt.Sprintf("unknown_models[%d].price_as", i), "the rate book has no price of %q for provider %q; name a model that it has, or add the price", u.PriceAs, u.Provider)
		}
	}
}

// checkPayers finds cost centres and departments that the directory doesn't have.
func checkPayers(c *config.Config, dir *directory.Directory, fail Failf) {
	codes, departments := map[string]bool{}, map[string]bool{}
	for _, center := range dir.CostCenters() {
		codes[center.Code], departments[center.Department] = true, true
	}
	need := func(key, what, name string, known map[string]bool) {
		if name != "" && !known[name] {
			fail(key, "%q is not a %s of %s (%s); correct it, or add it there", name, what, c.Directory, some(known))
		}
	}
	for i, b := range c.Budgets {
		if b.Department == config.Unallocated || b.CostCenter == config.Unallocated {
			continue
		}
		need(fmt.Sprintf("budgets[%d].department", i), "department", b.Department, departments)
		need(fmt.Sprintf("budgets[%d].cost_center", i), "cost centre", b.CostCenter, codes)
	}
	for i, cost := range c.SharedCosts {
		for code := range cost.Shares {
			need(fmt.Sprintf("shared_costs[%d].shares.%s", i, code), "cost centre", code, codes)
		}
	}
	need("shared_costs_bearer", "cost centre", c.SharedCostsBearer, codes)
	need("invoices.issuer.cost_center", "cost centre", c.Invoices.Issuer.CostCenter, codes)
}

// some lists names, the first ones of many.
func some(names map[string]bool) string {
	const most = 8
	sorted := slices.Sorted(maps.Keys(names))
	if len(sorted) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(sorted[:most], ", "), len(sorted)-most)
	}
	return strings.Join(sorted, ", ")
}
