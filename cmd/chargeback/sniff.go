package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/cmd/chargeback/app"
	"chargeback/config"
	"chargeback/extract/decode"
	"chargeback/extract/frame"
	"chargeback/extract/record"
	"chargeback/extract/sniff"
	"chargeback/extract/store"
	"chargeback/transform/strictyaml"
)

const sniffHelp = `Says what files hold before anything is set up: which format they look like and
why, how many records, the span of time, which ids they carry, tokens by model,
and what would be rejected. Then it prints the source to paste into the settings.

A place is a file, a folder, file:PATH or s3://bucket/prefix. Nothing is kept,
and no prompt or answer is printed.

Of JSON and CSV that no format knows it suggests which field is which, by their
names, and reads them so: check the map against your records before you use it.
Where it can't find what a charge needs, it names that beside the fields that are
there, and exits with 3.`

// sniffObjects is how many objects of a folder are read: enough to know them.
const sniffObjects = 200

type sniffFlags struct {
	format string
	side   string
	limit  int
	s3     config.S3
}

func sniffCommand(w world) *cobra.Command {
	o := sniffFlags{limit: sniffObjects}
	c := &cobra.Command{
		Use: "sniff FILE|FOLDER|URL...", Short: "Say what files of yours hold, and how to read them", Long: sniffHelp,
		Example: "  chargeback sniff invocations.json.gz\n  chargeback sniff s3://example-ai-logs/prod --region eu-central-1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("name a file, a folder or a URL to look at")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if o.side != "" && o.side != config.SideAgent && o.side != config.SideProvider {
				return usage("--side %q is not a choice; use %s or %s", o.side, config.SideAgent, config.SideProvider)
			}
			found := findings{}
			for i, place := range args {
				if i > 0 {
					fmt.Fprintln(w.out)
				}
				what, err := sniffPlace(c.Context(), w, place, o)
				if err != nil {
					return fmt.Errorf("sniff %s: %w", place, err)
				}
				found[what]++
			}
			return found.problem()
		},
	}
	c.Flags().StringVar(&o.format, "format", "", "read it in this `FORMAT`, whatever it looks like")
	c.Flags().StringVar(&o.side, "side", "", "whose records they are, for otlp and mapped: agent or provider")
	wholeFlag(c, "limit", &o.limit, 1, "objects to read of a folder")
	c.Flags().StringVar(&o.s3.Region, "region", "", "region of the bucket")
	c.Flags().StringVar(&o.s3.Endpoint, "endpoint", "", "another S3 service than AWS, as https://host:port")
	c.Flags().BoolVar(&o.s3.PathStyle, "path-style", false, "write the bucket into the path instead of the host name")
	return c
}

// finding is what came of one place.
type finding int

const (
	readable finding = iota
	notKnown
	noMap // it can be mapped, but not so that it could be charged
)

// findings counts places.
type findings map[finding]int

// problem says what needs attention.
func (f findings) problem() error {
	var all []string
	if n := f[notKnown]; n > 0 {
		all = append(all, count(n, "place is", "places are")+" not known by its content")
	}
	if n := f[noMap]; n > 0 {
		all = append(all, count(n, "place has", "places have")+" no usable map: say where the missing fields stand, or export them, too")
	}
	if len(all) == 0 {
		return nil
	}
	return &exitError{exitLook, errors.New(strings.Join(all, "; ") + "; see above")}
}

// sniffPlace tells one place.
func sniffPlace(ctx context.Context, w world, place string, o sniffFlags) (what finding, err error) {
	src := config.Source{URL: place, S3: o.s3}
	if strings.Contains(place, "://") && !strings.HasPrefix(place, config.SchemeS3+":") {
		return notKnown, usage("it is neither a file nor s3://bucket/prefix; fetch it first")
	}
	if !strings.HasPrefix(place, config.SchemeFile+":") && !strings.HasPrefix(place, config.SchemeS3+":") {
		src.URL = config.SchemeFile + ":" + place
	}
	a := app.New(app.Settings{Config: &config.Config{}}, w.options())
	defer func() { err = errors.Join(err, a.Close()) }()
	source, err := a.OpenSource(ctx, src)
	if err != nil {
		return notKnown, err
	}
	objects, more, err := listSome(ctx, source.Store, o.limit)
	if err == nil && len(objects) == 0 && strings.HasPrefix(src.URL, config.SchemeS3+":") { // one object, not a prefix
		src.Format = config.FormatPeople
		if source, err = a.OpenSource(ctx, src); err == nil {
			objects, more, err = listSome(ctx, source.Store, o.limit)
		}
	}
	if err != nil {
		return notKnown, err
	}
	if len(objects) == 0 {
		fmt.Fprintf(w.out, "%s: holds no objects\n", place)
		return notKnown, nil
	}
	guess := sniff.Guess{Format: o.format, Why: "as --format says"}
	var others []likeness
	if o.format == "" {
		all, err := nameAll(ctx, source.Store, objects)
		if err != nil {
			return notKnown, err
		}
		guess, objects, others = all[0].Guess, all[0].objects, all[1:]
	}
	if guess.Format == sniff.Unknown {
		fmt.Fprintf(w.out, "%s: %s\n", place, guess.Why)
		return notKnown, nil
	}
	fmt.Fprintf(w.out, "%s\n", place)
	w.fact("format", "%s: %s", guess.Format, guess.Why)
	for i, other := range others {
		what := "like " + other.Format
		if other.Format == sniff.Unknown {
			what = "like nothing known: " + other.Why
		}
		w.fact(onlyFirst(i, "besides"), "%s %s, first %s", count(len(other.objects), "object looks", "objects look"), what, other.objects[0].Key)
	}
	if len(others) > 0 {
		w.fact("", "a source reads one format: give each a folder of its own")
	}
	src.Format, src.Side = guess.Format, o.side
	objects = slices.DeleteFunc(objects, func(f store.Found) bool {
		_, skip := store.Skip(src.Format, f.Key, f.SizeBytes)
		return skip
	})
	summarize := func(src config.Source) (sniff.Summary, error) {
		src.FillIn()
		format, err := app.NewFormat(src)
		if err != nil {
			return sniff.Summary{}, usage("%w", err)
		}
		source.Name, source.Format, source.RecordBytes = "sniff", format, int(src.MaxRecordBytes)
		return sniff.Summarize(ctx, source, decode.Env{Zone: time.UTC}, objects)
	}
	if src.Format == sniff.Mapped {
		return w.sniffMapped(ctx, source.Store, objects, more, src, place, summarize)
	}
	s, err := summarize(src)
	if err != nil {
		return notKnown, err
	}
	if src.Format == config.FormatOTLP && o.side == "" {
		other := src
		src.Side, other.Side = config.SideAgent, config.SideProvider
		provider, err := summarize(other)
		if err != nil {
			return notKnown, err
		}
		switch {
		case s.Rows == 0 && provider.Rows > 0:
			src, s = other, provider
			w.fact("side", "provider: what the provider's own side logged")
		case provider.Rows > 0:
			w.fact("side", "agent; of the provider's side it holds %s, too: a second source with side: provider", count(int(provider.Rows), "record", "records"))
		default:
			w.fact("side", "agent")
		}
	}
	if err := w.printSniffed(s, more, "no requests, or the other side's"); err != nil {
		return notKnown, err
	}
	printBlock(w, src, place, sniff.Suggestion{}, nil)
	return readable, nil
}

// sniffMapped tells a place whose records no format knows by a map that the names
// of their fields suggest.
func (w world) sniffMapped(ctx context.Context, bucket store.Store, objects []store.Found, more bool, src config.Source, place string,
	summarize func(config.Source) (sniff.Summary, error)) (what finding, err error) {
	src.FillIn()
	s, err := suggest(ctx, bucket, objects, &src)
	if err != nil {
		return notKnown, err
	}
	missing, usable := s.Missing(src.Side == config.SideProvider)
	if len(missing) > 0 {
		w.fact("missing", "%s: no field is named so; %s", strings.Join(missing, ", "), whatIsThere(s.Others))
	}
	if s.Repeats > 0 {
		w.fact("repeats", "%d of the first %s with the id of an earlier one: the same content counts once, other content is a conflict", s.Repeats, count(s.Looked, "record", "records"))
	}
	filled := src
	filled.FillIn()
	if _, err := app.NewFormat(filled); err == nil {
		sum, err := summarize(src)
		if err != nil {
			return notKnown, err
		}
		if err := w.printSniffed(sum, more, "none of the words of only, below"); err != nil {
			return notKnown, err
		}
		usable = usable && (sum.Rows > 0 || len(sum.Rejects) == 0)
	}
	printBlock(w, src, place, s, missing)
	if !usable {
		return noMap, nil
	}
	return readable, nil
}

// namesShown is how many names of fields are told: enough to see which is which.
const namesShown = 30

func whatIsThere(names []string) string {
	switch {
	case len(names) == 0:
		return "there are no others"
	case len(names) > namesShown:
		return fmt.Sprintf("there are %s and %s", strings.Join(names[:namesShown], ", "), count(len(names)-namesShown, "more", "more"))
	}
	return "there are " + strings.Join(names, ", ")
}

// suggest fills in the map of fields that the names of an object's fields suggest.
func suggest(ctx context.Context, bucket store.Store, objects []store.Found, src *config.Source) (s sniff.Suggestion, err error) {
	body, err := bucket.Open(ctx, objects[0].Object)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	var unpacker frame.Unpacker
	defer unpacker.Close()
	text, err := unpacker.Plain(body)
	if err != nil {
		return s, err
	}
	if s, err = sniff.Suggest(text); err != nil {
		return s, err
	}
	m := &src.Mapped
	m.Records, m.Delimiter, m.TokensIn, m.CostUnit, m.Success, m.CacheHit = s.Records, s.Delimiter, s.TokensIn, s.CostUnit, s.Success, s.CacheHit
	m.Key, m.Only, m.Time = s.Key, s.Only, s.Time
	if m.Layout = decode.LayoutJSON; s.CSV {
		m.Layout = decode.LayoutCSV
	}
	if src.Side == config.SideProvider && s.Fields["provider_request_id"] == nil && s.Fields["agent_request_id"] != nil {
		s.Fields["provider_request_id"] = s.Fields["agent_request_id"]
	}
	m.Fields = map[string][]strictyaml.OneOrMore{}
	for _, name := range decode.MappedFields(src.Side) {
		if places := s.Fields[name]; places != nil {
			m.Fields[name] = []strictyaml.OneOrMore{places}
		}
	}
	return s, nil
}

var errEnough = errors.New("enough")

// listSome lists the first objects of a store that may be data.
func listSome(ctx context.Context, bucket store.Store, limit int) (objects []store.Found, more bool, err error) {
	err = bucket.All(ctx, "", func(o store.Object) error {
		if _, skip := store.Skip("", o.Key, o.SizeBytes); skip {
			return nil
		}
		if len(objects) == limit {
			more = true
			return errEnough
		}
		objects = append(objects, store.Found{Object: o})
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return objects, more, err
}

// likeness is a format and the objects that look like it.
type likeness struct {
	sniff.Guess
	objects []store.Found
}

// nameAll groups objects by the format that they look like: what most look like
// first, what looks like none last.
func nameAll(ctx context.Context, bucket store.Store, objects []store.Found) (all []likeness, err error) {
	for _, o := range objects {
		guess, err := nameObject(ctx, bucket, o.Object)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(l likeness) bool { return l.Format == guess.Format })
		if i < 0 {
			i, all = len(all), append(all, likeness{Guess: guess})
		}
		all[i].objects = append(all[i].objects, o)
	}
	slices.SortStableFunc(all, func(a, b likeness) int {
		switch {
		case (a.Format == sniff.Unknown) != (b.Format == sniff.Unknown):
			return map[bool]int{true: 1, false: -1}[a.Format == sniff.Unknown]
		case (a.Format == sniff.Mapped) != (b.Format == sniff.Mapped): // anything may look like it
			return map[bool]int{true: 1, false: -1}[a.Format == sniff.Mapped]
		}
		return cmp.Compare(len(b.objects), len(a.objects))
	})
	return all, nil
}

func nameObject(ctx context.Context, bucket store.Store, o store.Object) (guess sniff.Guess, err error) {
	body, err := bucket.Open(ctx, o)
	if err != nil {
		return guess, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	var unpacker frame.Unpacker
	defer unpacker.Close()
	text, err := unpacker.Plain(body)
	if err != nil {
		return sniff.Guess{Why: "it can't be unpacked: " + err.Error()}, nil
	}
	guess, err = sniff.Name(io.LimitReader(text, 1<<30))
	if err != nil {
		return sniff.Guess{Why: "it can't be read: " + err.Error()}, nil
	}
	return guess, nil
}

// fact prints one line of what is known.
func (w world) fact(name, what string, args ...any) {
	fmt.Fprintf(w.out, "  %-9s %s\n", name, fmt.Sprintf(what, args...))
}

func (w world) printSniffed(s sniff.Summary, more bool, leftOut string) error {
	objects := count(s.Objects, "object", "objects")
	if more {
		objects += ", the first of more (--limit)"
	}
	w.fact("records", "%d in %s", s.Rows, objects)
	if s.Ignored > 0 {
		if s.Table == record.PeopleSchema.Table {
			leftOut = "switched off, or without an address"
		}
		w.fact("left out", "%d: %s", s.Ignored, leftOut)
	}
	if !s.First.IsZero() {
		w.fact("from", "%s", s.First.Format(time.RFC3339))
		w.fact("to", "%s", s.Last.Format(time.RFC3339))
	}
	for i, id := range s.IDs {
		w.fact(onlyFirst(i, "ids"), "%s in %d", id.Name, id.Rows)
	}
	for i, r := range s.Rejects {
		w.fact(onlyFirst(i, "rejects"), "%d: %s; first %s line %d", r.Count, r.Reason, r.Object, r.Line)
	}
	for i, u := range s.Unreadable {
		w.fact(onlyFirst(i, "unread"), "%s: %v", u.Object, u.Err)
	}
	if len(s.Models) == 0 || s.Table != record.UsageSchema.Table && s.Table != record.RequestSchema.Table {
		return nil
	}
	fmt.Fprintln(w.out)
	return render(w, modelsReport(s.Models), formatTable)
}

func onlyFirst(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}

func modelsReport(models []sniff.ModelTokens) report.Report {
	r := report.Report{Name: "sniff", Title: "Tokens by model", Columns: []report.Column{
		{Name: "provider", Title: "Provider", Rank: 1},
		{Name: "model", Title: "Model"},
		{Name: "records", Title: "Records", Kind: report.Count},
		{Name: "failed", Title: "Failed", Kind: report.Count, Rank: 4},
		{Name: "input", Title: "Input", Kind: report.Count},
		{Name: "cache_read", Title: "Cache read", Kind: report.Count, Rank: 2},
		{Name: "cache_write", Title: "Cache write", Kind: report.Count, Rank: 3},
		{Name: "output", Title: "Output", Kind: report.Count},
	}}
	total := []any{nil, nil, int64(0), int64(0), int64(0), int64(0), int64(0), int64(0)}
	for _, m := range models {
		row := []any{m.Provider, m.Model, m.Records, m.Failed, m.Input, m.CacheRead, m.CacheWrite, m.Out}
		for i := 2; i < len(row); i++ {
			total[i] = total[i].(int64) + row[i].(int64)
		}
		r.Rows = append(r.Rows, row)
	}
	r.Total = total
	return r
}

var noName = regexp.MustCompile(`[^a-z0-9-]+`)

// printBlock prints the source to paste into the settings, and what a person
// must still say.
func printBlock(w world, src config.Source, place string, s sniff.Suggestion, missing []string) {
	base := strings.TrimSuffix(path.Base(filepath.ToSlash(place)), ".gz")
	name := strings.Trim(noName.ReplaceAllString(strings.ToLower(strings.TrimSuffix(base, path.Ext(base))), "-"), "-")
	if name == "" {
		name = src.Format
	}
	line := func(text string, args ...any) { fmt.Fprintf(w.out, text+"\n", args...) }
	line("\nsources:\n  - name: %s\n    format: %s\n    url: %q", name, src.Format, src.URL)
	if strings.HasPrefix(src.URL, config.SchemeS3+":") && src.S3 != (config.S3{}) {
		line("    s3: {region: %q, endpoint: %q, path_style: %v}", src.S3.Region, src.S3.Endpoint, src.S3.PathStyle)
	}
	if src.Side != "" {
		line("    side: %s", src.Side)
	}
	switch {
	case src.Format == sniff.Mapped:
		printMap(line, src, s, missing)
	case src.IsSnapshot():
		line("\nA file or folder whose newest export shows who is there now. Or, for rows with dates\nin a people file: chargeback directory import %s %s", src.Format, place)
	}
}

// printMap prints a suggested map of fields.
func printMap(line func(string, ...any), src config.Source, s sniff.Suggestion, missing []string) {
	m := src.Mapped
	line("    mapped: # by the names of the fields: hold each against your records")
	line("      layout: %s", m.Layout)
	if m.Delimiter != "" {
		line("      delimiter: %q", m.Delimiter)
	}
	if m.Records != "" {
		line("      records: %q", m.Records)
	}
	line("      fields:")
	for _, name := range decode.MappedFields(src.Side) {
		switch {
		case m.Fields[name] != nil:
			places := strings.Join(quoteAll(m.Fields[name][0]), ", ")
			if len(m.Fields[name][0]) > 1 {
				places = "[" + places + "]" // a sum
			}
			line("        %s: [%s]", name, places)
		case slices.Contains(missing, name) && name != "provider":
			line("        # %s: [ ] # not found; say where it stands", name)
		}
	}
	if m.Fields["provider"] == nil {
		line("      # constants: {provider: %s} # who is paid, where no field says it", cmp.Or(s.Provider, "openai"))
	}
	for _, at := range slices.Sorted(maps.Keys(m.Only)) {
		line("      only: {%q: [%s]} # the other records have no tokens", at, strings.Join(quoteAll(m.Only[at]), ", "))
	}
	if len(m.Key) > 0 {
		line("      key: [%s] # check it: what names a record, since none has an id", strings.Join(m.Key, ", "))
	}
	if m.TokensIn != "" {
		line("      tokens_in: %s # check it: whether input_tokens hold those of the prompt cache", m.TokensIn)
	}
	if m.CostUnit != "" && m.Fields["reported_cost"] != nil {
		line("      cost_unit: %s", m.CostUnit)
	}
	switch {
	case m.Fields["started_at"] != nil && m.Time == "":
		line("      # time: # not known; rfc3339, unix, unix_ms, unix_us, unix_ns, ticks or a pattern")
	case m.Fields["started_at"] != nil:
		line("      time: %q", m.Time)
	}
	line("      # zone: Europe/Berlin # of times that name none; default UTC")
	if len(m.Success) > 0 {
		line("      success: [%s] # all other words of status are failures", strings.Join(quoteAll(m.Success), ", "))
	}
	if len(m.CacheHit) > 0 {
		line("      cache_hit: [%s]", strings.Join(quoteAll(m.CacheHit), ", "))
	}
}

func quoteAll(words []string) (quoted []string) {
	for _, word := range words {
		quoted = append(quoted, strconv.Quote(word))
	}
	return quoted
}
