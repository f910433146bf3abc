package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/notify/slacknotify"
	"chargeback/billing/warehouse"
	"chargeback/cmd/chargeback/app"
	"chargeback/config"
	"chargeback/extract/store"
	"chargeback/transform/civil"
	"chargeback/transform/strictyaml"
)

const doctorHelp = `Asks for everything that a night and a close need, and says of each whether
it is there and what to do if not: the settings, with what a close needs of
them, the ledger and the disk it lies on, in BigQuery where its datasets and
its bucket lie and whether anything in them expires, each source (listed, and
one object opened), where documents are delivered, the age of the rate book's sources,
Slack's token and channels, and the clock.

It reads no records and sends no message. Where documents are delivered to
S3 it leaves one small object, chargeback-doctor.txt, because nothing else
tells whether it may write; beside a lease it leaves lease/.../doctor.json. Exits with 3 where something is wrong.

With --format json it prints one object, also where the settings are wrong.`

func doctorCommand(w world, f *flags) *cobra.Command {
	format := formatText
	c := &cobra.Command{
		Use: "doctor", Short: "Say whether all that runs need is there", Long: doctorHelp, Args: noArgs,
		Annotations: map[string]string{oneObject: "yes"},
		Example:     "  chargeback doctor\n  chargeback doctor --format json\n  chargeback doctor --config /etc/chargeback/chargeback.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			return doctor(c.Context(), w, f.config, format == formatJSON)
		},
	}
	c.Flags().Var(value[string]{&format, parseTextOrJSON, "FORMAT"}, "format", "text or json")
	return c
}

// patient is what the doctor looks at.
type patient struct {
	*app.App
	config *config.Config
	w      world
	path   string
	asJSON bool
	checks int
	wrong  int
	found  []diagnosis

	waiting []string // channels of messages that wait, as far as the ledger could be read
}

// diagnosis is what one check found, as machines read it.
type diagnosis struct {
	Check  string `json:"check"`
	State  string `json:"state"` // ok, wrong or warning
	Detail string `json:"detail"`
}

// doctorReport is what doctor found. Its keys are documented in README.md here.
type doctorReport struct {
	Findings []diagnosis `json:"findings"`
	ExitCode int         `json:"exit_code"`
	Error    string      `json:"error,omitempty"` // why it could not look any further
}

// notes keeps one finding, and prints it where people read.
func (p *patient) notes(label, state, what, detail string) {
	p.found = append(p.found, diagnosis{Check: what, State: state, Detail: detail})
	if p.asJSON {
		return
	}
	for _, line := range strings.Split(detail, "\n") {
		p.w.item("%s: %s: %s", label, what, line)
	}
}

// says tells one finding; wrong is nil where all is well.
func (p *patient) says(what, detail string, wrong error) {
	p.checks++
	if wrong == nil {
		p.notes("ok", "ok", what, strictyaml.HideSecrets(detail))
		return
	}
	p.wrong++
	p.notes("FAIL", "wrong", what, withoutSecrets(wrong))
}

// warns tells what needs attention and stops no run.
func (p *patient) warns(what, detail string) {
	p.notes("warning", "warning", what, strictyaml.HideSecrets(detail))
}

func doctor(ctx context.Context, w world, path string, asJSON bool) error {
	p := &patient{w: w, path: path, asJSON: asJSON, found: []diagnosis{}}
	err := p.look(ctx)
	if !asJSON {
		return err
	}
	report := doctorReport{Findings: p.found}
	if err != nil {
		report.ExitCode = exitCode(ctx, err)
	}
	if err != nil && report.ExitCode != exitLook {
		report.Error = withoutSecrets(err)
	}
	return errors.Join(err, writeJSON(w, report))
}

// look makes all checks. Without settings there is nothing to look at.
func (p *patient) look(ctx context.Context) (err error) {
	s, err := app.ReadSettings(p.path)
	if err != nil {
		p.found = append(p.found, diagnosis{Check: "settings", State: "wrong", Detail: withoutSecrets(err)})
		return err
	}
	p.App, p.config = app.New(s, p.w.options()), s.Config
	defer func() { err = errors.Join(err, p.Close()) }()
	_, lacking := app.ReadWith(p.path, app.CloseBegun, app.CheckLedgerPlace, config.SecretsAreThere(p.w.getenv))
	p.says("settings", p.path, lacking)
	if text := s.Unbooked(); text != "" {
		p.warns("close", text)
	}
	for _, check := range []func(context.Context){p.checkFacts, p.checkBooks, p.checkLease, p.checkStaging, p.checkDisk, p.checkSources, p.checkDelivery, p.checkPrices, p.checkSlack} {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		check(ctx)
	}
	if p.wrong > 0 {
		return &exitError{exitLook, fmt.Errorf("%d of %s found something wrong; see above", p.wrong, count(p.checks, "check", "checks"))}
	}
	return nil
}

// checkBooks looks at the ledger, and holds the clock against its runs: windows
// fall due by it.
func (p *patient) checkBooks(ctx context.Context) {
	now := p.w.now().UTC()
	zone := p.config.Zone()
	detail := fmt.Sprintf("%s UTC; in %s it is %s", now.Format("2006-01-02 15:04"), zone, civil.DateOf(now, zone))
	place := p.Settings.LedgerPlace()
	a, err := openToRead(ctx, p.w, p.path)
	switch {
	case errors.Is(err, warehouse.ErrNone):
		p.says("clock", detail, nil)
		p.says("ledger", place+" is not there yet; the first run makes it", p.checkRights(ctx))
		return
	case errors.Is(err, warehouse.ErrLocked):
		p.says("clock", detail, nil)
		p.says("ledger", "is in use: "+err.Error(), nil)
		return
	case err != nil:
		p.says("ledger", "", err)
		return
	}
	runs, err := a.Ledger.Runs.Last(ctx, 1)
	size, sizeErr := a.Ledger.SizeBytes(ctx)
	messages, waitErr := a.Undelivered(ctx)
	for _, m := range messages {
		p.waiting = append(p.waiting, m.Channel)
	}
	if err = errors.Join(err, sizeErr, waitErr, a.Close()); err == nil && len(runs) > 0 && runs[0].Started.After(now.Add(time.Hour)) {
		p.says("clock", "", fmt.Errorf("%s, but the ledger's last run began at %s; set the clock, or wait", detail, runs[0].Started.UTC().Format("2006-01-02 15:04")))
	} else {
		p.says("clock", detail, nil)
	}
	if err == nil {
		err = p.checkRights(ctx)
	}
	p.says("ledger", fmt.Sprintf("%s, %s", place, megabytes(size)), err)
	p.checkMode()
}

// checkMode warns of a ledger that others can read: it says who spent what.
func (p *patient) checkMode() {
	place := p.Settings.LedgerPlace()
	info, err := os.Stat(place)
	if p.config.Warehouse.Engine != config.EngineDuckDB || err != nil || info.Mode().Perm()&0o007 == 0 {
		return
	}
	p.warns("ledger", fmt.Sprintf("%s can be used by everybody on this machine (mode %o), and it says who spent what; run chmod 600 %s, or 640 for a group that reads", place, info.Mode().Perm(), place))
}

// checkRights asks for what runs may do in BigQuery.
func (p *patient) checkRights(ctx context.Context) error {
	if p.config.Warehouse.Engine != config.EngineBigQuery {
		return nil
	}
	return p.CheckRights(ctx)
}

// checkFacts looks up what is set at Google's and decides what runs can keep there.
func (p *patient) checkFacts(ctx context.Context) {
	if p.config.Warehouse.Engine != config.EngineBigQuery {
		return
	}
	facts, err := p.CheckFacts(ctx)
	if err != nil {
		p.says("dataset", "", err)
		return
	}
	for _, problem := range facts.Problems() {
		p.says("dataset", "", errors.New(problem))
	}
	if len(facts.Problems()) > 0 {
		return
	}
	if facts.DatasetLocation == "" {
		p.says("dataset", p.config.Warehouse.Dataset+" is not there yet; the first run makes it in "+facts.Location, nil)
		return
	}
	detail := p.config.Warehouse.Dataset + " lies in " + facts.DatasetLocation
	if facts.BucketLocation != "" {
		detail += ", the staging bucket in " + facts.BucketLocation
	}
	p.says("dataset", detail+", and nothing expires by its defaults", nil)
}

// checkLease says whether the lease that runs take can be had, or who has it.
func (p *patient) checkLease(ctx context.Context) {
	if p.config.Warehouse.Engine != config.EngineBigQuery {
		return
	}
	place, held, err := p.CheckLease(ctx)
	switch {
	case err != nil:
		p.says("lease", "", err)
	case held != nil:
		p.says("lease", held.Error(), nil)
	default:
		p.says("lease", place+" is free and can be written", nil)
	}
}

// checkStaging asks for the place that loads go through.
func (p *patient) checkStaging(ctx context.Context) {
	if p.config.Warehouse.Staging == "" {
		return
	}
	p.says("staging", p.config.Warehouse.Staging+" can be written", p.CheckStaging(ctx))
}

// diskMin is what the ledger's disk must have free at the least.
const diskMin = 1e9

// checkDisk asks for room to write as much again as the ledger has, and spill.
func (p *patient) checkDisk(context.Context) {
	folder := os.TempDir() // where files for BigQuery wait
	need := int64(diskMin)
	if p.config.Warehouse.Engine == config.EngineDuckDB {
		place := p.config.Path(p.config.Warehouse.Path)
		folder = filepath.Dir(place)
		if info, err := os.Stat(place); err == nil {
			need = max(need, info.Size())
		}
	}
	for _, dir := range slices.Compact([]string{folder, filepath.Dir(p.config.Path(p.config.Invoices.Dir))}) {
		var disk syscall.Statfs_t
		for ; syscall.Statfs(dir, &disk) != nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		}
		free := int64(disk.Bavail) * disk.Bsize
		detail := fmt.Sprintf("%s has %s free", dir, megabytes(free))
		if free < need {
			p.says("disk", "", fmt.Errorf("%s, and %s are wanted; make room before the next night", detail, megabytes(need)))
			continue
		}
		p.says("disk", detail, nil)
	}
}

func (p *patient) checkSources(ctx context.Context) {
	for _, src := range p.config.Sources {
		source, err := p.OpenSource(ctx, src)
		if err == nil {
			var detail string
			if detail, err = probe(ctx, source.Store); err == nil {
				p.says("source", fmt.Sprintf("%s (%s): %s", src.Name, src.URL, detail), nil)
				continue
			}
		}
		p.says("source", "", fmt.Errorf("%s: %w", src.Name, err))
	}
}

// probeDepth is how many folders deep an object is looked for.
const probeDepth = 24

// probe lists a store along its newest folders and opens an object.
func probe(ctx context.Context, bucket store.Store) (string, error) {
	folder := ""
	for range probeDepth {
		objects, folders, err := bucket.Level(ctx, folder)
		if err != nil {
			return "", err
		}
		if len(folders) > 0 {
			folder = slices.Max(folders)
			continue
		}
		if len(objects) > 0 {
			newest := slices.MaxFunc(objects, func(a, b store.Object) int { return cmp.Compare(a.Key, b.Key) })
			return "can be listed and read, in its last folder /" + folder, firstByte(ctx, bucket, newest)
		}
		break
	}
	return "", errors.New("can be listed, and nothing lies there; check the prefix, or whether anything is delivered")
}

func firstByte(ctx context.Context, bucket store.Store, object store.Object) error {
	body, err := bucket.Open(ctx, object)
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, body, min(1, object.SizeBytes))
	return errors.Join(err, body.Close())
}

// checkDelivery writes the one object that tells whether it may.
func (p *patient) checkDelivery(ctx context.Context) {
	to, err := p.OpenDelivery(ctx)
	if err == nil && to == nil {
		return
	}
	if err == nil {
		const text = "chargeback doctor was here: it may write. This file can go.\n"
		if err = to.Create(ctx, "chargeback-doctor.txt", "text/plain; charset=utf-8", []byte(text)); err == nil {
			p.says("delivery", to.String()+" can be written", nil)
			return
		}
	}
	p.says("delivery", "", err)
}

// checkPrices says how old the sources of the rate book are, and what of it nobody
// has confirmed, or ends soon.
func (p *patient) checkPrices(context.Context) {
	book, now := cmp.Or(p.config.Prices, "the built-in one"), p.w.now()
	if !p.Settings.Rates.HoldsAt(now) {
		p.says("rate book", "", fmt.Errorf("%s has no price that holds now; add prices", book))
		return
	}
	detail := fmt.Sprintf("%s, version %s", book, p.Settings.Rates.Version())
	if age, ok := p.Settings.Rates.Age(now); ok {
		detail += fmt.Sprintf(", newest source of %s", age.Newest.Format(time.DateOnly))
	}
	p.says("rate book", detail, nil)
	if text := oldListText(p.Settings.Rates, now); text != "" {
		p.warns("rate book", text)
	}
	var names []string
	for _, e := range p.Settings.Rates.Unconfirmed(now) {
		names = append(names, e.Key())
	}
	if len(names) > 0 {
		p.warns("rate book", fmt.Sprintf("announced and not confirmed since: %s; \"chargeback prices check\" says from when", firstOf(names)))
	}
	names = nil
	for _, end := range p.Settings.Rates.Endings(now, now.AddDate(0, 0, endsInDays)) {
		names = append(names, end.Entry.Key()+" on "+end.At.Format(time.DateOnly))
	}
	if len(names) > 0 {
		p.warns("rate book", fmt.Sprintf("prices end within %d days: %s; look up what holds then", endsInDays, firstOf(names)))
	}
}

// firstOf lists a few names, and how many more there are.
func firstOf(names []string) string {
	const shown = 5
	if more := len(names) - shown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), more)
	}
	return strings.Join(names, ", ")
}

// checkSlack asks Slack where alerts may come of budgets, or messages wait for it.
func (p *patient) checkSlack(ctx context.Context) {
	if len(p.config.Budgets) == 0 && len(p.waiting) == 0 {
		return
	}
	to := channels(p.config, p.waiting)
	token, ok, err := p.config.Notify.Slack.Token(p.w.getenv, p.config.ReadFile)
	if err == nil && !ok {
		p.says("slack", "no token is configured: alerts are printed", nil)
		return
	}
	var who string
	if err == nil {
		var sender *slacknotify.Sender
		if sender, err = slacknotify.New(slacknotify.Options{Token: token.Reveal(), APIURL: p.config.Notify.Slack.APIURL}); err == nil {
			who, err = sender.Check(ctx, to)
		}
	}
	p.says("slack", fmt.Sprintf("%s, channels %s", who, strings.Join(to, ", ")), err)
}

// channels are all that alerts may go to, and messages wait for, each once.
func channels(c *config.Config, waiting []string) (all []string) {
	var wanted []string
	for _, b := range c.Budgets {
		wanted = append(wanted, b.Channel)
	}
	for _, channel := range append(wanted, waiting...) {
		if channel = cmp.Or(channel, c.Notify.Slack.DefaultChannel); channel != "" && !slices.Contains(all, channel) {
			all = append(all, channel)
		}
	}
	return all
}
