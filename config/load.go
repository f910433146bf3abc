package config

import (
	"cmp"
	_ "embed"
	"fmt"
	"path/filepath"
	"time"
	_ "time/tzdata" // the billing zone must not depend on the machine's files

	"chargeback/transform/money"
	"chargeback/transform/strictyaml"
)

// Example is a chargeback.yaml that loads, with every key explained.
//
//go:embed example.yaml
var Example []byte

// Small is one that is enough to begin with: a folder of logs, people, a budget and
// what the journal needs.
//
//go:embed small.yaml
var Small []byte

// A Check is one that needs more than the file, such as whether a cost centre
// exists. It sees the config with its defaults, also where keys are wrong, and
// notes with failf what is wrong with the key at a path such as
// budgets[2].department. The text ends with the operator's next step.
type Check func(c *Config, failf func(path, format string, args ...any))

// Load reads and checks the file at path. The error names every problem, those
// of the further checks too, a line each, as
// file:line: key: what is wrong; what to do.
func Load(path string, further ...Check) (*Config, error) {
	data, err := strictyaml.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w; name the file with --config", err)
	}
	return Parse(path, data, further...)
}

// Parse is Load for data that was read from the file called name.
func Parse(name string, data []byte, further ...Check) (*Config, error) {
	c := defaults()
	c.Dir = filepath.Dir(name)
	doc := document{strictyaml.Decode(name, data, c)}
	if !doc.Broken() {
		c.fillIn()
		c.check(doc)
		for _, check := range further {
			check(c, doc.Failf)
		}
	}
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// defaults holds what an absent key means.
func defaults() *Config {
	return &Config{
		Warehouse:          Warehouse{Engine: EngineDuckDB},
		Directory:          "directory.yaml",
		LateDays:           3,
		EmptyNightsMax:     10,
		MatchAlarmPercent:  90,
		RejectAlarmPercent: 50,
		CloseDay:           5,
		MatchFingerprint:   true,
		Invoices:           Invoices{Dir: "invoices", DisputeDays: 20, CSVEncoding: CSVUTF8},

		BillTolerancePercent: money.MustParse("0.5"),

		zone: time.UTC,
	}
}

// fillIn sets the defaults that depend on other keys or sit in list items.
func (c *Config) fillIn() {
	c.Warehouse.fillIn()
	if c.Invoices.Issuer.Name == "" {
		c.Invoices.Issuer.Name = c.Company.Name
	}
	for i := range c.Sources {
		c.Sources[i].FillIn()
	}
	for i := range c.Budgets {
		c.Budgets[i].fillIn(c.Notify.Slack.DefaultChannel)
	}
}

func (w *Warehouse) fillIn() {
	switch w.Engine {
	case EngineDuckDB:
		w.Path = cmp.Or(w.Path, "ledger.duckdb")
		w.MemoryLimit = cmp.Or(w.MemoryLimit, 1e9)
		w.TempDir = cmp.Or(w.TempDir, w.Path+".tmp")
	case EngineBigQuery:
		w.MaxBytesBilled = cmp.Or(w.MaxBytesBilled, 1e12)
		w.JobTimeout = cmp.Or(w.JobTimeout, Duration(time.Hour))
		if w.PricePerTiBUSD.IsZero() {
			w.PricePerTiBUSD = money.MustParse("6.25")
		}
	}
}

func (b *Budget) fillIn(channel string) {
	if b.Name == "" {
		b.Name = b.Department + b.CostCenter + b.Scope
	}
	if len(b.Thresholds) == 0 {
		b.Thresholds = []int{50, 80, 100}
	}
	if b.Channel == "" {
		b.Channel = channel
	}
}
