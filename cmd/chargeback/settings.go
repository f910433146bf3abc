package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chargeback/config"
	"chargeback/transform/directory"
	"chargeback/transform/rates"
	"chargeback/transform/strictyaml"
)

// settings is what the files of a configuration say.
type settings struct {
	path      string
	config    *config.Config
	rates     *rates.Book
	directory *directory.Directory
}

// failf notes what is wrong with a key of the config.
type failf = func(path, format string, args ...any)

// readSettings loads the config and the files it names, holds them against
// each other, and reports the mistakes of all of them at once.
func readSettings(path string, further ...config.Check) (settings, error) {
	return readWith(path, closingNothing, further...)
}

// readWith is readSettings that also wants what the close of a month needs.
func readWith(path string, want closing, further ...config.Check) (settings, error) {
	s := settings{path: path}
	var files error
	check := func(c *config.Config, fail failf) {
		files = s.readFiles(c, fail)
		s.crossCheck(c, fail)
		files = errors.Join(files, s.checkClosing(c, want, fail))
	}
	cfg, err := config.Load(path, append([]config.Check{check}, further...)...)
	if errors.Is(err, fs.ErrNotExist) {
		return s, usage("read settings: %s doesn't exist; name another file with --config, write one with \"chargeback config example > %s\", or look at \"chargeback demo\"", path, filepath.Base(path))
	}
	s.config = cfg
	return s, errorsOf([]error{err, files})
}

// errorsOf makes one error of the mistakes in the settings, a line each.
func errorsOf(mistakes []error) error {
	switch err := errors.Join(mistakes...); {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), strictyaml.AndMore):
		return usage("the settings have many mistakes:\n%w", err)
	case strings.Contains(err.Error(), "\n"):
		return usage("the settings have %d mistakes:\n%w", 1+strings.Count(err.Error(), "\n"), err)
	default:
		return usage("%w", err)
	}
}

// readFiles reads the rate book and the directory. A file that isn't there is
// a mistake in the config, others are in the file.
func (s *settings) readFiles(c *config.Config, fail failf) (err error) {
	missing := func(key, name, next string, err error) error {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		fail(key, "%s doesn't exist; correct the path, %s", c.Path(name), next)
		return nil
	}
	if c.Prices == "" {
		s.rates = rates.Default()
	} else {
		s.rates, err = rates.Load(c.Path(c.Prices))
		err = missing("prices", c.Prices, "write it with \"chargeback config example prices\", or leave the key out for the built-in list prices", err)
	}
	if c.Directory == "" {
		return err // said already
	}
	var second error
	s.directory, second = directory.Load(c.Path(c.Directory))
	return errors.Join(err, missing("directory", c.Directory, "or begin with \"chargeback config example directory\"", second))
}

// crossCheck finds names in the config that the files it names don't have. A
// file that could not be read is not asked.
func (s *settings) crossCheck(c *config.Config, fail failf) {
	if !slices.ContainsFunc(c.Sources, func(src config.Source) bool { return src.IsPeople() }) {
		fail("sources", "none has format people, or that of an export of people, so no user has a department; add one, a CSV as \"chargeback config example people\" prints it")
	}
	checkFormats(c, fail)
	checkFonts(c, fail)
	if s.directory != nil {
		checkPayers(c, s.directory, fail)
	}
	if s.rates == nil {
		return
	}
	for i, u := range c.UnknownModels {
		if _, _, ok := s.rates.Resolve(u.Provider, "", u.PriceAs); !ok && u.PriceAs != "" {
			fail(fmt.Sprintf("unknown_models[%d].price_as", i), "the rate book has no price of %q for provider %q; name a model that it has, or add the price", u.PriceAs, u.Provider)
		}
	}
}

// checkPayers finds cost centres and departments that the directory doesn't have.
func checkPayers(c *config.Config, dir *directory.Directory, fail failf) {
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

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
