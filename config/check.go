package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"chargeback/transform/money"
	"chargeback/transform/strictyaml"
)

// document is the file with the checks that its keys need.
type document struct{ *strictyaml.Document }

// check notes everything that is well-formed and still wrong.
func (c *Config) check(doc document) {
	c.checkCompany(doc)
	c.checkWarehouse(doc)
	c.checkSources(doc)
	c.checkPricing(doc)
	c.checkWindows(doc)
	c.checkBudgets(doc)
	c.checkSharedCosts(doc)
	c.checkClose(doc)
	c.checkBills(doc)
	c.Notify.Slack.check(doc)
}

func (c *Config) checkCompany(doc document) {
	doc.need("company.name", c.Company.Name, "write the name that invoices print")
	doc.need("company.start", c.Company.Start.String(), "write the first day to account for, such as 2026-10-01")
	name := c.Company.BillingZone
	if !doc.need("company.billing_zone", name, "write an IANA zone such as Europe/Berlin") {
		return
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		doc.Failf("company.billing_zone", "%q is not an IANA time zone; write one such as Europe/Berlin or UTC", name)
		return
	}
	c.zone = zone
}

func (c *Config) checkWarehouse(doc document) {
	doc.between("workers", c.Workers, 0, 1024, "0 means as many as the place allows")
	w := c.Warehouse
	others := duckDBKeys
	switch w.Engine {
	case EngineDuckDB:
		others = bigQueryKeys
		w.checkDuckDB(doc)
	case EngineBigQuery:
		w.checkBigQuery(doc)
	default:
		doc.oneOf("warehouse.engine", w.Engine, EngineDuckDB, EngineBigQuery)
		return
	}
	for _, name := range others {
		if field, _ := reflect.TypeFor[Warehouse]().FieldByName(name); isSet(reflect.ValueOf(w).FieldByName(name)) {
			key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			doc.Failf("warehouse."+key, "is set although warehouse.engine is %s; remove one of the two", w.Engine)
		}
	}
}

// isSet says that a value is other than nothing; an amount of 0 is nothing.
func isSet(v reflect.Value) bool {
	if amount, is := v.Interface().(money.USD); is {
		return !amount.IsZero()
	}
	return !v.IsZero()
}

// duckDBScheme is how a name begins that DuckDB would open as something else than a
// file: memory, that of another server, or another kind of database.
var duckDBScheme = regexp.MustCompile(`^[A-Za-z0-9_]*:`)

func (w Warehouse) checkDuckDB(doc document) {
	for _, at := range [][2]string{{"path", w.Path}, {"temp_dir", w.TempDir}} {
		if duckDBScheme.MatchString(at[1]) || strings.ContainsAny(at[1], "?#") {
			doc.Failf("warehouse."+at[0], "%q is not a path on this machine; write one such as ledger.duckdb, without ?, # and a word with : before it", at[1])
			return
		}
	}
	if filepath.Clean(w.Path) == filepath.Clean(w.TempDir) {
		doc.Failf("warehouse.temp_dir", "is the ledger itself; name a folder, or remove it")
	}
	if w.MemoryLimit < 100e6 {
		doc.Failf("warehouse.memory_limit", "%s is too little to work with; give at least 100MB", w.MemoryLimit)
	}
	doc.between("warehouse.threads", w.Threads, 0, 1024, "0 means all cores")
}

// How Google spells its names.
var (
	googleProject  = regexp.MustCompile(`^[a-z][a-z0-9.:-]*[a-z0-9]$`)
	googleDataset  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	googleLocation = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	googleBucket   = regexp.MustCompile(`^gs://[a-z0-9][a-z0-9._-]+[a-z0-9](/[^ ]*)?$`)
)

// jobTimeMax is the longest that BigQuery lets a job run, and bytesBilledMin the least
// that it bills for one.
const (
	jobTimeMax     = Duration(6 * time.Hour)
	bytesBilledMin = Size(10 << 20)
)

func (w Warehouse) checkBigQuery(doc document) {
	matches := func(key, value, next string, pattern *regexp.Regexp) {
		if doc.need("warehouse."+key, value, next) && !pattern.MatchString(value) {
			doc.Failf("warehouse."+key, "%q is not valid; %s", value, next)
		}
	}
	matches("project", w.Project, "write the id of the Google Cloud project, such as example-billing", googleProject)
	matches("dataset", w.Dataset, "write the dataset's name: letters, digits and _", googleDataset)
	matches("location", w.Location, "write where the dataset lies, such as EU or europe-west3", googleLocation)
	if w.WorkDataset != "" {
		matches("work_dataset", w.WorkDataset, "write the dataset's name: letters, digits and _, or remove it", googleDataset)
	}
	if w.WorkDataset != "" && w.WorkDataset == w.Dataset {
		doc.Failf("warehouse.work_dataset", "is the ledger's own dataset; name another one, or remove it")
	}
	if w.Staging != "" {
		matches("staging", w.Staging, "write gs://bucket/prefix, or remove it", googleBucket)
	}
	w.checkBounds(doc)
	doc.checkFile("warehouse.credentials", w.Credentials)
	if doc.checkURL("warehouse.endpoint", w.Endpoint) && strings.HasPrefix(w.Endpoint, "http://") && w.Credentials != "" {
		doc.Failf("warehouse.credentials", "would not be used: a server at an address with http:// gets none; write https:// in endpoint, or remove one of the two")
	}
	if scheme, place := location(w.Lease.URL); doc.checkPlace("warehouse.lease.url", w.Lease.URL) && (scheme != SchemeS3 || place == "") {
		doc.Failf("warehouse.lease.url", "%q is not a place in S3; write s3://bucket/prefix: there the one process that writes is noted", w.Lease.URL)
	}
	w.Lease.S3.check(doc, "warehouse.lease.s3")
}

// checkBounds checks what jobs may cost and take.
func (w Warehouse) checkBounds(doc document) {
	if w.MaxBytesBilled < bytesBilledMin && !doc.Refused("warehouse.max_bytes_billed") {
		doc.Failf("warehouse.max_bytes_billed", "%s is less than the %s that BigQuery bills for any query, so none could run; give more, such as 200GB", w.MaxBytesBilled, bytesBilledMin)
	}
	if (w.JobTimeout < Duration(time.Minute) || w.JobTimeout > jobTimeMax) && !doc.Refused("warehouse.job_timeout") {
		doc.Failf("warehouse.job_timeout", "%s is out of range; give 1m to %s (1h suits most)", w.JobTimeout, jobTimeMax)
	}
	if w.PricePerTiBUSD.Sign() < 0 {
		doc.Failf("warehouse.price_per_tib_usd", "%s is negative; write what Google's price list has for your location, such as \"6.25\"", w.PricePerTiBUSD)
	}
}

var sourceName = regexp.MustCompile(`^[a-z0-9-]+$`)

func (c *Config) checkSources(doc document) {
	if len(c.Sources) == 0 {
		doc.Failf("sources", "is missing; name at least one source to read from")
	}
	names := unique{}
	for i, s := range c.Sources {
		path := fmt.Sprintf("sources[%d]", i)
		if doc.need(path+".name", s.Name, "name the source, for example gateway") && !sourceName.MatchString(s.Name) {
			doc.Failf(path+".name", "%q has other characters than a-z, 0-9 and -; rename it", s.Name)
		}
		names.check(doc, path+".name", s.Name)
		s.check(doc, path)
	}
}

func (s S3) check(doc document, path string) {
	doc.checkURL(path+".endpoint", s.Endpoint)
	doc.checkEnv(path+".access_key_id_env", s.AccessKeyIDEnv)
	doc.checkEnv(path+".secret_access_key_env", s.SecretAccessKeyEnv)
	doc.checkEnv(path+".session_token_env", s.SessionTokenEnv)
	doc.checkFile(path+".secret_access_key_file", s.SecretAccessKeyFile)
	if s.SecretAccessKeyEnv != "" && s.SecretAccessKeyFile != "" {
		doc.Failf(path+".secret_access_key_file", "is set beside secret_access_key_env; keep one of the two")
	}
	if (s.AccessKeyIDEnv == "") != (s.SecretAccessKeyEnv == "" && s.SecretAccessKeyFile == "") {
		doc.Failf(path, "names only half of the credentials; name access_key_id_env and one of secret_access_key_env and secret_access_key_file, or none")
	}
	if s.SessionTokenEnv != "" && s.AccessKeyIDEnv == "" {
		doc.Failf(path+".session_token_env", "is set without access_key_id_env; name that too or remove this")
	}
}

func (c *Config) checkPricing(doc document) {
	doc.need("directory", c.Directory, "write the path of directory.yaml")
	for provider, from := range c.UsageFrom {
		doc.oneOf("usage_from."+provider, from, UsageProvider, UsageGateway)
	}
	models := unique{}
	for i, m := range c.UnknownModels {
		path := fmt.Sprintf("unknown_models[%d]", i)
		doc.need(path+".provider", m.Provider, "write the provider as the records have it")
		switch {
		case m.PriceAs != "" && m.Take != "":
			doc.Failf(path+".take", "cannot be combined with price_as; remove one of the two")
		case m.Take != "":
			doc.oneOf(path+".take", m.Take, TakeReportedCost)
		default:
			doc.need(path+".price_as", m.PriceAs, "write a model of the rate book, or take: "+TakeReportedCost)
		}
		if doc.need(path+".model", m.Model, "write the model as the records have it") {
			models.check(doc, path+".model", m.Provider+"/"+m.Model)
		}
		if m.Model != "" && m.Model == m.PriceAs {
			doc.Failf(path+".price_as", "is the unknown model itself; name a model of the rate book")
		}
	}
	ttls := unique{}
	for i, t := range c.CacheTTLs {
		path := fmt.Sprintf("cache_ttl[%d]", i)
		doc.need(path+".provider", t.Provider, "write the provider as the records have it")
		if doc.need(path+".model", t.Model, "write the model as the records or the rate book have it, with * for any characters") {
			ttls.check(doc, path+".model", t.Provider+"/"+t.Model)
		}
		doc.oneOf(path+".ttl", t.TTL, CacheTTL5m, CacheTTL1h)
	}
}

func (c *Config) checkWindows(doc document) {
	doc.between("late_days", c.LateDays, 0, 27, "3 suits most exporters")
	doc.between("deleted_after_days", c.DeletedAfterDays, 0, 3650, "0 waits for somebody to say so")
	doc.between("empty_nights_max", c.EmptyNightsMax, 0, 3650, "10 suits a machine that was off for a week; 0 is no limit")
	doc.between("match_alarm_percent", c.MatchAlarmPercent, 0, 100, "0 is no alarm")
	doc.between("reject_alarm_percent", c.RejectAlarmPercent, 0, 100, "0 is no alarm")
	doc.between("close_day", c.CloseDay, 1, 28, "every month has these days")
	if c.CloseDay <= c.LateDays {
		doc.Failf("close_day", "%d is not after late_days (%d), so a month would close before its last days are complete; make close_day larger", c.CloseDay, c.LateDays)
	}
}

func (c *Config) checkBudgets(doc document) {
	names := unique{}
	for i, b := range c.Budgets {
		path := fmt.Sprintf("budgets[%d]", i)
		unread := doc.Refused(path+".department") || doc.Refused(path+".cost_center") || doc.Refused(path+".scope")
		set := 0
		for _, scope := range []string{b.Department, b.CostCenter, b.Scope} {
			if scope != "" {
				set++
			}
		}
		if set != 1 && !unread {
			doc.Failf(path, "needs exactly one of department, cost_center and scope; name who the budget is for")
		}
		if b.Scope != "" {
			doc.oneOf(path+".scope", b.Scope, ScopeCompany)
		}
		if doc.Has(path + ".name") {
			names.check(doc, path+".name", b.Name)
		} else {
			names.check(doc, path, b.Name)
		}
		doc.positive(path+".amount_usd", b.AmountUSD)
		doc.checkThresholds(path+".thresholds", b.Thresholds)
		doc.checkChannel(path+".channel", b.Channel)
		if b.Channel == "" && (c.Notify.Slack.TokenEnv != "" || c.Notify.Slack.TokenFile != "") {
			doc.Failf(path+".channel", "is missing, and so is notify.slack.default_channel, so its messages could go nowhere; write one of the two")
		}
	}
}

func (doc document) checkThresholds(path string, percents []int) {
	for i, percent := range percents {
		if percent < 1 || percent > 1000 {
			doc.Failf(path, "%d is out of range; give whole percents from 1 to 1000", percent)
		}
		if i == 0 {
			continue
		}
		if last := percents[i-1]; last > percent {
			doc.Failf(path, "%d comes before %d; list them in rising order", last, percent)
		} else if last == percent {
			doc.Failf(path, "%d stands twice; remove one", percent)
		}
	}
}

func (s SlackConfig) check(doc document) {
	doc.checkEnv("notify.slack.token_env", s.TokenEnv)
	if s.TokenEnv != "" && s.TokenFile != "" {
		doc.Failf("notify.slack.token_file", "is set beside token_env; keep one of the two")
	}
	doc.checkFile("notify.slack.token_file", s.TokenFile)
	doc.checkChannel("notify.slack.default_channel", s.DefaultChannel)
	if doc.checkURL("notify.slack.api_url", s.APIURL) {
		doc.checkSlackAPI("notify.slack.api_url", s.APIURL)
	}
}

// checkSlackAPI refuses addresses at which Slack's API, or a server that stands in
// for it, can't be: the token would go there with every message.
func (doc document) checkSlackAPI(path, address string) {
	at, err := url.Parse(address)
	if err != nil || address == "" {
		return // said already
	}
	host := strings.ToLower(at.Hostname())
	ip := net.ParseIP(host)
	switch way := strings.TrimRight(at.Path, "/"); {
	case strings.HasPrefix(host, "hooks.") || strings.Contains(host, "webhook") || strings.HasPrefix(way, "/services/"):
		doc.Failf(path, "is the address of a webhook (not shown: it is a secret); remove it: the app posts by its token")
	case at.Scheme == "http" && host != "localhost" && (ip == nil || !ip.IsLoopback()):
		doc.Failf(path, "would carry the token in clear text; write https://")
	case (host == "slack.com" || strings.HasSuffix(host, ".slack.com")) && way != "/api":
		doc.Failf(path, "is not Slack's API; write https://slack.com/api, or remove it")
	case strings.Contains(way, "/chat."):
		doc.Failf(path, "names a method; write the address up to /api")
	}
}

func (c *Config) checkSharedCosts(doc document) {
	for i, s := range c.SharedCosts {
		path := fmt.Sprintf("shared_costs[%d]", i)
		doc.need(path+".name", s.Name, "write the name that invoices print")
		for j, earlier := range c.SharedCosts[:i] {
			if earlier.Name == s.Name && earlier.overlaps(s) {
				doc.Failf(path+".name", "%q stands already on line %d for some of the same months; let one end (to) before the other begins (from), or rename it",
					s.Name, doc.Line(fmt.Sprintf("shared_costs[%d]", j)))
			}
		}
		doc.positive(path+".amount_usd", s.AmountUSD)
		if !s.To.IsZero() && !s.From.Before(s.To) {
			doc.Failf(path+".to", "%s is not after from (%s); to is the first month without the cost", s.To, s.From)
		}
		doc.oneOf(path+".split", s.Split, SplitEven, SplitFixed, SplitProportional)
		s.checkShares(doc, path+".shares")
	}
}

func (s SharedCost) overlaps(other SharedCost) bool {
	return (s.To.IsZero() || other.From.Before(s.To)) && (other.To.IsZero() || s.From.Before(other.To))
}

func (s SharedCost) checkShares(doc document, path string) {
	if s.Split != SplitFixed {
		if len(s.Shares) > 0 {
			doc.Failf(path, "is set although split is %q; remove it or write split: fixed", s.Split)
		}
		return
	}
	if len(s.Shares) == 0 {
		doc.Failf(path, "is missing; give each cost centre its weight")
	}
	for _, code := range slices.Sorted(maps.Keys(s.Shares)) {
		doc.positive(path+"."+code, s.Shares[code])
	}
}

// Gates are the checks of a month's close that a waiver may name.
func Gates() []string {
	return []string{GateUnpriced, GateDoubtful, GateConflicts, GateUnallocated, GateDirectory, GateRejects, GateMissing, GateSources, GateBill, GateMissingBill, GateEmpty}
}

func (c *Config) checkClose(doc document) {
	doc.need("invoices.dir", c.Invoices.Dir, "write the folder for invoices")
	between := c.Invoices.Intercompany
	for _, side := range []struct{ key, value, other string }{{"due_to", between.DueTo, between.DueFrom}, {"due_from", between.DueFrom, between.DueTo}} {
		if side.value == "" && side.other != "" {
			doc.Failf("invoices.intercompany", "%s is missing; set both accounts, or remove intercompany", side.key)
		}
	}
	doc.checkAddresses("invoices.issuer.contact", c.Invoices.Issuer.Contact)
	doc.between("invoices.dispute_days", c.Invoices.DisputeDays, 0, 365, "20 is usual")
	doc.oneOf("invoices.csv_encoding", c.Invoices.CSVEncoding, CSVUTF8, CSVUTF8BOM)
	fonts := unique{}
	for i, font := range c.Invoices.Fonts {
		key := fmt.Sprintf("invoices.fonts[%d]", i)
		doc.need(key, font, "write the path of a font file, or remove the item")
		fonts.check(doc, key, font)
	}
	if to := c.Invoices.DeliverTo; to != (Bucket{}) {
		if scheme, place := location(to.URL); doc.checkPlace("invoices.deliver_to.url", to.URL) && (scheme != SchemeS3 || place == "") {
			doc.Failf("invoices.deliver_to.url", "%q is not a place in S3; write s3://bucket/prefix, or remove deliver_to", to.URL)
		}
		to.S3.check(doc, "invoices.deliver_to.s3")
	}
	if c.UnallocatedLimitUSD.Sign() < 0 {
		doc.Failf("unallocated_limit_usd", "%s is negative; give 0 or more", c.UnallocatedLimitUSD)
	}
	if c.CorrectionsLimitUSD.Sign() < 0 {
		doc.Failf("corrections_limit_usd", "%s is negative; give 0 or more", c.CorrectionsLimitUSD)
	}
	waived := unique{}
	for i, w := range c.Waivers {
		path := fmt.Sprintf("waivers[%d]", i)
		doc.need(path+".month", w.Month.String(), "write the month that may close, such as 2026-10")
		doc.oneOf(path+".gate", w.Gate, Gates()...)
		w.checkBound(doc, path)
		doc.need(path+".by", w.By, "write who answers for it")
		doc.need(path+".reason", w.Reason, "write the reason that the invoice prints")
		waived.check(doc, path+".gate", w.Month.String()+" "+w.Gate)
	}
}

// checkBound refuses a waiver that doesn't say how much it covers, or says it in
// what its gate does not measure.
func (w Waiver) checkBound(doc document, path string) {
	if !slices.Contains(Gates(), w.Gate) {
		return // said already
	}
	counts := w.Gate != GateUnallocated
	amounts := !counts || w.Gate == GateDoubtful || w.Gate == GateBill
	if doc.Has(path+".count") && !doc.Refused(path+".count") {
		if !counts {
			doc.Failf(path+".count", "is not what gate %s measures; write amount_usd instead", w.Gate)
		} else if w.Count < 1 {
			doc.Failf(path+".count", "%d is not 1 or more; write the most that may pass, or remove the waiver", w.Count)
		}
	}
	if doc.Has(path+".amount_usd") && !doc.Refused(path+".amount_usd") {
		if !amounts {
			doc.Failf(path+".amount_usd", "is not what gate %s measures; write count instead", w.Gate)
		} else {
			doc.positive(path+".amount_usd", w.AmountUSD)
		}
	}
	if !doc.Has(path+".count") && !doc.Has(path+".amount_usd") {
		key, most := "count", "count: N, the most that may pass"
		if !counts || w.Gate == GateBill {
			key, most = "amount_usd", "amount_usd: \"N.NN\", the most that may pass"
		}
		doc.Failf(path+"."+key, "is missing; write %s, or remove the waiver where its month is closed", most)
	}
}

// checkBills checks what is said of bills; names of sources are the sources' own.
func (c *Config) checkBills(doc document) {
	if c.BillTolerancePercent.Sign() < 0 || money.MustParse("100").Cmp(c.BillTolerancePercent) < 0 {
		doc.Failf("bill_tolerance_percent", "%s is out of range; give 0 to 100, such as \"0.5\"", c.BillTolerancePercent)
	}
	for i, e := range c.ExpectBills {
		path := fmt.Sprintf("expect_bills[%d]", i)
		source := slices.IndexFunc(c.Sources, func(s Source) bool { return s.Name == e.Source })
		switch {
		case (e.Provider == "") == (e.Source == ""):
			if !doc.Refused(path+".provider") && !doc.Refused(path+".source") {
				doc.Failf(path, "needs exactly one of provider and source; name whose bill is expected")
			}
		case e.Source != "" && source < 0:
			doc.Failf(path+".source", "%q is not among sources (line %d); add it there or correct it", e.Source, doc.Line("sources"))
		case e.Source != "" && c.Sources[source].TellsOf() == "":
			doc.Failf(path+".source", "%s has format %s, which is no bill or report; name one of format %s", e.Source, c.Sources[source].Format, strings.Join(totalsFormats, ", "))
		case e.Provider != "" && !slices.ContainsFunc(c.Sources, func(s Source) bool { return s.Bills() && s.TellsOf() == e.Provider }):
			doc.Failf(path+".provider", "no source has the bill of %q; add one whose format is %s (of AWS, provider bedrock), or correct it", e.Provider, strings.Join(billFormats, ", "))
		}
	}
}

// Formats of control totals, and those of them that tell what is billed.
var (
	billFormats   = []string{FormatOpenAICosts, FormatAnthropicCosts, FormatCUR, FormatFOCUS}
	totalsFormats = append([]string{FormatOpenAIUsage, FormatAnthropicUsage}, billFormats...)
)

// Bills says whether the source tells what a provider bills.
func (s Source) Bills() bool { return slices.Contains(billFormats, s.Format) }

// TellsOf is the provider of which a source of control totals tells, "" where it
// isn't one.
func (s Source) TellsOf() string {
	switch s.Format {
	case FormatOpenAICosts, FormatOpenAIUsage:
		return "openai"
	case FormatAnthropicCosts, FormatAnthropicUsage:
		return "anthropic"
	case FormatCUR, FormatFOCUS:
		return "bedrock"
	}
	return ""
}

// need says whether value is there, and notes it where it isn't.
func (doc document) need(path, value, next string) bool {
	if value == "" {
		doc.Failf(path, "is missing; %s", next)
	}
	return value != ""
}

func (doc document) oneOf(path, value string, choices ...string) {
	if !slices.Contains(choices, value) {
		doc.Failf(path, "%q is not a choice; use %s", value, strings.Join(choices, ", "))
	}
}

func (doc document) between(path string, n, least, most int, hint string) {
	if n < least || n > most {
		doc.Failf(path, "%d is out of range; give %d to %d (%s)", n, least, most, hint)
	}
}

func (doc document) positive(path string, amount money.USD) {
	if amount.Sign() <= 0 {
		doc.Failf(path, "is missing, zero or negative; give an amount above 0, such as \"300.00\"")
	}
}

// checkURL refuses what is no plain address of a server. It shows none of it: a
// user's name or a query may be, and hold, a secret.
func (doc document) checkURL(path, address string) bool {
	if address == "" {
		return true
	}
	at, err := url.Parse(address)
	switch {
	case err != nil, !isPort(at.Port()), at.Scheme != "https" && at.Scheme != "http", at.Hostname() == "":
		doc.Failf(path, "is not a web address (not shown, it may hold a secret); write one such as https://host.example.com")
	case at.User != nil, at.RawQuery != "", at.ForceQuery, at.Fragment != "":
		doc.Failf(path, "holds a user's name, a query or a fragment, which may be secret (not shown); write the address of the server alone, and name keys by the keys that end with _env or _file")
	default:
		return true
	}
	return false
}

// isPort says whether an address's port can be one; none is.
func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return text == "" || err == nil && n > 0 && n < 1<<16
}

// checkPlace refuses a place in a bucket with what belongs into no address.
func (doc document) checkPlace(path, text string) bool {
	if scheme, _ := location(text); scheme == SchemeFile || !strings.ContainsAny(text, "?#@") {
		return true
	}
	doc.Failf(path, "holds a user's name, a query or a fragment, which may be secret (not shown); write s3://bucket/prefix alone, and name keys under s3")
	return false
}

// slackChannel is a name as Slack writes them, or an id of a channel or person.
var slackChannel = regexp.MustCompile(`^#?[\p{Ll}\p{Lo}\p{M}\p{N}_-]{1,80}$|^[CGDUW][A-Z0-9]{8,20}$`)

// checkChannel refuses what Slack knows no channel by. A webhook's address is a
// secret, so it isn't shown.
func (doc document) checkChannel(path, channel string) {
	const next = "write one such as \"#ai-costs\", or its id such as C0123456789"
	switch {
	case channel == "" || slackChannel.MatchString(channel):
	case strings.Contains(channel, "://") || strings.Contains(channel, "/"):
		doc.Failf(path, "is an address (not shown: that of a webhook is a secret), not a channel; %s: the app posts by its token", next)
	case strings.Contains(channel, "@"):
		doc.Failf(path, "%q is an address or a person, not a channel; %s", channel, next)
	default:
		doc.Failf(path, "%q is not a channel: Slack's have small letters, digits, - and _, 80 at most; %s", channel, next)
	}
}

// checkAddresses refuses words with an @ that are no e-mail addresses.
func (doc document) checkAddresses(path, text string) {
	for _, word := range strings.Fields(text) {
		word = strings.Trim(word, "<>()[],;:\"'")
		if strings.Contains(word, "@") && !strictyaml.IsAddress(word) {
			doc.Failf(path, "%q is not an e-mail address; correct it", word)
		}
	}
}

// unique remembers where each name stands first.
type unique map[string]string

func (seen unique) check(doc document, path, name string) {
	if name == "" {
		return
	}
	if first, taken := seen[name]; taken {
		doc.Failf(path, "%q stands already on line %d; keep one of the two or rename it", name, doc.Line(first))
		return
	}
	seen[name] = path
}
