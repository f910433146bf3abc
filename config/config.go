// Package config holds what the operator decides: the shape of
// chargeback.yaml, its defaults, and what makes it wrong.
//
// It owns: strict reading (an unknown key is an error, every problem is named
// with file, line and key, all of them at once), validation, paths relative to
// the file, and secrets, which come only from the environment or from files
// and print as ***.
// It does not own: the rate book (transform/rates), cost centres and agents
// (transform/directory), or what is done with any setting.
package config

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Config is the whole of chargeback.yaml with defaults filled in. Every path in
// it is as written; Path resolves it.
type Config struct {
	Company             Company           `yaml:"company"`
	Warehouse           Warehouse         `yaml:"warehouse"`
	Sources             []Source          `yaml:"sources"`
	Workers             int               `yaml:"workers"`              // objects read at once, at most; 0 = as the place allows
	Directory           string            `yaml:"directory"`            // path of directory.yaml
	Prices              string            `yaml:"prices,omitempty"`     // path of prices.yaml; "" = the built-in book
	UsageFrom           map[string]string `yaml:"usage_from,omitempty"` // provider -> UsageProvider or UsageGateway; see UsageOf
	UnknownModels       []UnknownModel    `yaml:"unknown_models,omitempty"`
	CacheTTLs           []CacheTTL        `yaml:"cache_ttl,omitempty"`  // by model; the first that fits counts
	LateDays            int               `yaml:"late_days"`            // days that a request waits for its usage, and back that a nightly run lists
	DeletedAfterDays    int               `yaml:"deleted_after_days"`   // days after which an object that is gone from its source counts as deleted; 0 is never by itself
	EmptyNightsMax      int               `yaml:"empty_nights_max"`     // nights without any object that may be run at once; more stop the run, 0 is no limit
	MatchAlarmPercent   int               `yaml:"match_alarm_percent"`  // share of a source's usage that must find its request; 0 is no alarm
	RejectAlarmPercent  int               `yaml:"reject_alarm_percent"` // share of a source's records of a night that are rejected; 0 is no alarm
	MatchFingerprint    bool              `yaml:"match_fingerprint"`    // usage and a request without a common id may meet by what both count
	CloseDay            int               `yaml:"close_day"`            // day of the next month on which a month falls due
	Budgets             []Budget          `yaml:"budgets,omitempty"`
	Notify              Notify            `yaml:"notify,omitempty"`
	SharedCosts         []SharedCost      `yaml:"shared_costs,omitempty"`
	SharedCostsBearer   string            `yaml:"shared_costs_bearer,omitempty"` // cost centre; "" = the issuer's
	Invoices            Invoices          `yaml:"invoices"`
	Waivers             []Waiver          `yaml:"waivers,omitempty"`
	UnallocatedLimitUSD money.USD         `yaml:"unallocated_limit_usd"` // gate "unallocated" fails above this

	CorrectionsLimitUSD money.USD `yaml:"corrections_limit_usd"` // corrections of a closed month above it need attention

	BillTolerancePercent money.USD      `yaml:"bill_tolerance_percent"` // gate "bill" fails where charged and billed differ by more
	ExpectBills          []ExpectedBill `yaml:"expect_bills,omitempty"`

	Dir  string `yaml:"-"` // folder of the file that was read
	zone *time.Location
}

// Company says whose books these are and by which clock they are kept.
type Company struct {
	Name        string     `yaml:"name"`
	BillingZone string     `yaml:"billing_zone"` // IANA name; see Config.Zone
	Start       civil.Date `yaml:"start"`        // first business day that is accounted for
}

// Warehouse says where the ledger lives: in a DuckDB file or in a BigQuery
// dataset. The keys of the other engine must be absent or empty.
type Warehouse struct {
	Engine string `yaml:"engine"` // EngineDuckDB or EngineBigQuery

	Path        string `yaml:"path,omitempty"`
	MemoryLimit Size   `yaml:"memory_limit,omitempty"`
	TempDir     string `yaml:"temp_dir,omitempty"` // default <path>.tmp
	Threads     int    `yaml:"threads,omitempty"`  // 0 = all cores

	Project        string `yaml:"project,omitempty"`
	Dataset        string `yaml:"dataset,omitempty"`
	WorkDataset    string `yaml:"work_dataset,omitempty"` // of work tables; "" = Dataset
	Location       string `yaml:"location,omitempty"`
	Credentials    string `yaml:"credentials,omitempty"`      // file; "" = Application Default Credentials
	Endpoint       string `yaml:"endpoint,omitempty"`         // "" = Google's
	MaxBytesBilled Size   `yaml:"max_bytes_billed,omitempty"` // a query
	// JobTimeout is how long one job may run before BigQuery ends it. Too short stops
	// nights; too long keeps paying for one that hangs.
	JobTimeout     Duration  `yaml:"job_timeout,omitempty"`
	PricePerTiBUSD money.USD `yaml:"price_per_tib_usd,omitempty"` // of 2^40 bytes billed; for estimates alone
	Staging        string    `yaml:"staging,omitempty"`           // gs://bucket/prefix; "" = loads are sent with their requests
	Lease          Bucket    `yaml:"lease,omitempty"`
}

// Keys of one engine alone.
var (
	duckDBKeys   = []string{"Path", "MemoryLimit", "TempDir", "Threads"}
	bigQueryKeys = []string{"Project", "Dataset", "WorkDataset", "Location", "Credentials", "Endpoint", "MaxBytesBilled", "JobTimeout", "PricePerTiBUSD", "Staging", "Lease"}
)

// S3 is how a bucket is reached. Empty means the AWS default chain.
type S3 struct {
	Region              string `yaml:"region,omitempty"`
	Endpoint            string `yaml:"endpoint,omitempty"`
	PathStyle           bool   `yaml:"path_style,omitempty"`
	AccessKeyIDEnv      string `yaml:"access_key_id_env,omitempty"`
	SecretAccessKeyEnv  string `yaml:"secret_access_key_env,omitempty"`
	SecretAccessKeyFile string `yaml:"secret_access_key_file,omitempty"`
	SessionTokenEnv     string `yaml:"session_token_env,omitempty"`
}

// UnknownModel prices a model that the book doesn't know as one that it knows,
// of the same provider, or takes what the gateway reported as its cost: exactly
// one of PriceAs and Take is set. Its records are flagged estimated.
type UnknownModel struct {
	Provider string `yaml:"provider"`
	Model    string `yaml:"model"`
	PriceAs  string `yaml:"price_as,omitempty"`
	Take     string `yaml:"take,omitempty"` // TakeReportedCost
}

// CacheTTL says how long the cache writes of some models are kept where neither
// a record nor its source says so.
type CacheTTL struct {
	Provider string `yaml:"provider"`
	Model    string `yaml:"model"` // with * for any characters
	TTL      string `yaml:"ttl"`   // CacheTTL5m or CacheTTL1h
}

// ScopeCompany is the one scope that a budget can name: the whole company, with
// what is unallocated.
const ScopeCompany = "company"

// Unallocated names, as a department or a cost centre, what no rule could attribute.
const Unallocated = "UNALLOCATED"

// Budget is a monthly limit on one department, one cost centre or the whole
// company: exactly one of the three is set.
type Budget struct {
	Name       string    `yaml:"name"` // unique; part of an alert's key
	Department string    `yaml:"department,omitempty"`
	CostCenter string    `yaml:"cost_center,omitempty"`
	Scope      string    `yaml:"scope,omitempty"` // ScopeCompany
	AmountUSD  money.USD `yaml:"amount_usd"`
	Thresholds []int     `yaml:"thresholds"` // whole percent, rising
	Forecast   bool      `yaml:"forecast,omitempty"`
	Channel    string    `yaml:"channel,omitempty"` // default Notify.Slack.DefaultChannel
}

// Notify says how people are told.
type Notify struct {
	Slack SlackConfig `yaml:"slack,omitempty"`
}

// SlackConfig says which workspace and channel; where neither TokenEnv nor
// TokenFile leads to a token, messages go to the console.
type SlackConfig struct {
	TokenEnv       string `yaml:"token_env,omitempty"`
	TokenFile      string `yaml:"token_file,omitempty"`
	DefaultChannel string `yaml:"default_channel,omitempty"`
	APIURL         string `yaml:"api_url,omitempty"` // "" = Slack's own
}

// SharedCost is a fixed monthly amount that is divided among cost centres.
type SharedCost struct {
	Name      string               `yaml:"name"`             // unique among the costs of a month
	AmountUSD money.USD            `yaml:"amount_usd"`       // per month
	Split     string               `yaml:"split"`            // SplitEven, SplitFixed or SplitProportional
	Shares    map[string]money.USD `yaml:"shares,omitempty"` // cost centre -> weight; only for SplitFixed
	From      civil.Month          `yaml:"from,omitempty"`   // zero = since ever
	To        civil.Month          `yaml:"to,omitempty"`     // exclusive; zero = for ever
}

// Invoices says what finance needs on paper.
type Invoices struct {
	Dir             string `yaml:"dir"`
	Issuer          Issuer `yaml:"issuer"`
	RecoveryAccount string `yaml:"recovery_account,omitempty"` // credit side of the journal
	ExpenseAccount  string `yaml:"expense_account,omitempty"`  // debit side where the cost centre names none
	// Intercompany is needed where a charged cost centre belongs to another company
	// than the issuer; without it such a month can't be closed.
	Intercompany Intercompany `yaml:"intercompany,omitempty"`
	DisputeDays  int          `yaml:"dispute_days"`
	DeliverTo    Bucket       `yaml:"deliver_to,omitempty"`
	// Fonts are files that draw what the built-in font lacks, before the
	// system's fonts. A character that none of them has is printed as its code
	// point. See Path.
	Fonts []string `yaml:"fonts,omitempty"`
	// CSVEncoding is CSVUTF8 or CSVUTF8BOM. Without the byte order mark Excel
	// shows other letters than English ones wrongly; some imports refuse it.
	CSVEncoding string `yaml:"csv_encoding"`
}

// Intercompany is the accounts by which each company's lines of the journal
// balance. Both are set or none.
type Intercompany struct {
	DueTo   string `yaml:"due_to"`   // what the charged company owes
	DueFrom string `yaml:"due_from"` // what the issuer's company is owed
}

// Bucket is a place in S3 that is written to.
type Bucket struct {
	URL string `yaml:"url"` // s3://bucket/prefix; see Location
	S3  S3     `yaml:"s3,omitempty"`
}

// Issuer is who the invoices come from.
type Issuer struct {
	Name       string `yaml:"name"`
	CostCenter string `yaml:"cost_center,omitempty"`
	// CompanyCode is the company of CostCenter where the directory doesn't tell.
	CompanyCode string `yaml:"company_code,omitempty"`
	Contact     string `yaml:"contact,omitempty"`
	Approver    string `yaml:"approver,omitempty"` // printed as who is responsible
}

// Waiver lets one month close although one gate failed, as long as no more
// failed than it says. It is printed on that month's invoices.
type Waiver struct {
	Month     civil.Month `yaml:"month"`
	Gate      string      `yaml:"gate"`                 // one of Gates
	Count     int         `yaml:"count,omitempty"`      // the most that it covers of what the gate counts; 0 = nothing
	AmountUSD money.USD   `yaml:"amount_usd,omitempty"` // the most that it covers in US dollars; zero = nothing
	By        string      `yaml:"by"`
	Reason    string      `yaml:"reason"`
}

// ExpectedBill is a bill that must have come before a month closes: of a provider,
// or by a source. Exactly one of the two is set.
type ExpectedBill struct {
	Provider string      `yaml:"provider,omitempty"`
	Source   string      `yaml:"source,omitempty"`
	From     civil.Month `yaml:"from,omitempty"` // zero = from company.start on
}

// The words that chargeback.yaml chooses from.
const (
	EngineDuckDB   = "duckdb"
	EngineBigQuery = "bigquery"

	UsageProvider = "provider" // the provider's per-request file is the usage
	UsageGateway  = "gateway"  // the gateway's own token counts are the usage

	TakeReportedCost = "reported_cost" // what the gateway reported is the cost

	CacheTTL5m = "5m"
	CacheTTL1h = "1h"

	CSVUTF8    = "utf-8"
	CSVUTF8BOM = "utf-8-bom"

	SplitEven         = "even"
	SplitFixed        = "fixed"
	SplitProportional = "proportional"

	GateUnpriced    = "unpriced"
	GateDoubtful    = "doubtful" // requests without usage where the provider's own log covers their day
	GateConflicts   = "conflicts"
	GateUnallocated = "unallocated"
	GateDirectory   = "directory"
	GateRejects     = "rejects"
	GateMissing     = "missing"
	GateSources     = "sources"      // sources that can't be read
	GateBill        = "bill"         // what a provider reports or bills is not what was charged
	GateMissingBill = "missing_bill" // a report or bill has not come
	GateEmpty       = "empty"        // the month has no cost record
)

// IsSnapshot says that the source's objects each show the people of one day.
func (s Source) IsSnapshot() bool {
	return slices.Contains([]string{FormatSCIM, FormatEntra, FormatOkta, FormatWorkday, FormatGoogle}, s.Format)
}

// IsPeople says that the source tells who belongs where.
func (s Source) IsPeople() bool { return s.Format == FormatPeople || s.IsSnapshot() }

// IsFile says that the source's URL is to name one object: a people file, or a
// snapshot whose name ends like one's.
func (s Source) IsFile() bool {
	if s.Format == FormatPeople {
		return true
	}
	name := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(s.URL), ".gz"), ".zst")
	return s.IsSnapshot() && slices.Contains([]string{".json", ".jsonl", ".ndjson", ".csv"}, path.Ext(name))
}

// Zone is the billing zone: business dates are dates in it.
func (c *Config) Zone() *time.Location { return c.zone }

// Path resolves p against the folder of the config file; an absolute or empty
// path stays as it is.
func (c *Config) Path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.Dir, p)
}

// ReadFile reads a file that the config names.
func (c *Config) ReadFile(p string) ([]byte, error) { return os.ReadFile(c.Path(p)) }

// UsageOf says where the usage of a provider comes from: UsageProvider or
// UsageGateway. A provider that usage_from doesn't name has UsageProvider where a
// source reads its own log of requests, else UsageGateway.
func (c *Config) UsageOf(provider string) string {
	if from, ok := c.UsageFrom[provider]; ok {
		return from
	}
	if slices.ContainsFunc(c.Sources, func(s Source) bool { return s.ownLogOf() == provider }) {
		return UsageProvider
	}
	return UsageGateway
}

// MeteredBy lists the providers whose own log is the usage, by name.
func (c *Config) MeteredBy() (providers []string) {
	all := slices.Collect(maps.Keys(c.UsageFrom))
	for _, s := range c.Sources {
		all = append(all, s.ownLogOf())
	}
	slices.Sort(all)
	for _, provider := range slices.Compact(all) {
		if provider != "" && c.UsageOf(provider) == UsageProvider {
			providers = append(providers, provider)
		}
	}
	return providers
}

// ownLogOf is the provider that logs every request by itself in the source's
// format, "" where none does: batches and spans are a part of them at most.
func (s Source) ownLogOf() string {
	switch s.Format {
	case FormatBedrock:
		return "bedrock"
	case FormatVertex:
		return "vertex_ai"
	}
	return ""
}

// Covers says whether the cost is divided in month.
func (s SharedCost) Covers(month civil.Month) bool {
	return !month.Before(s.From) && (s.To.IsZero() || month.Before(s.To))
}

// The schemes that a source's URL starts with.
const (
	SchemeFile = "file"
	SchemeS3   = "s3"
)

// Location splits the URL: (SchemeFile, PATH), relative to the config's folder,
// or (SchemeS3, bucket/prefix). It returns "" for anything else.
func (s Source) Location() (scheme, place string) { return location(s.URL) }

func location(url string) (scheme, place string) {
	if rest, ok := strings.CutPrefix(url, "s3://"); ok {
		return SchemeS3, strings.TrimLeft(rest, "/")
	}
	rest, ok := strings.CutPrefix(url, "file:")
	if local, absolute := strings.CutPrefix(rest, "///"); absolute {
		rest = "/" + local
	}
	if ok && !strings.HasPrefix(rest, "//") { // file://x names a host, not a folder
		return SchemeFile, rest
	}
	return "", ""
}
