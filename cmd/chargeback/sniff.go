package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/config"
	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/frame"
	"chargeback/extract/objstore"
	"chargeback/extract/record"
	"chargeback/extract/sniff"
)

const sniffHelp = `Says what files hold before anything is set up: which format they look like and
why, how many records, the span of time, which ids they carry, tokens by model,
and what would be rejected. Then it prints the source to paste into the settings.

A place is a file, a folder, file:PATH or s3://bucket/prefix. Nothing is kept,
and no prompt or answer is printed.`

// sniffObjects is how many objects of a folder are read: enough to know them.
const sniffObjects = 200

type sniffFlags struct {
	format string
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
			unknown := 0
			for i, place := range args {
				if i > 0 {
					fmt.Fprintln(w.out)
				}
				known, err := sniffPlace(c.Context(), w, place, o)
				if err != nil {
					return fmt.Errorf("sniff %s: %w", place, err)
				}
				if !known {
					unknown++
				}
			}
			if unknown > 0 {
				return &exitError{exitLook, fmt.Errorf("%s not known by its content; see above", count(unknown, "place is", "places are"))}
			}
			return nil
		},
	}
	c.Flags().StringVar(&o.format, "format", "", "read it in this `FORMAT`, whatever it looks like")
	wholeFlag(c, "limit", &o.limit, 1, "objects to read of a folder")
	c.Flags().StringVar(&o.s3.Region, "region", "", "region of the bucket")
	c.Flags().StringVar(&o.s3.Endpoint, "endpoint", "", "another S3 service than AWS, as https://host:port")
	c.Flags().BoolVar(&o.s3.PathStyle, "path-style", false, "write the bucket into the path instead of the host name")
	return c
}

// sniffPlace tells one place. known is false where its format is not.
func sniffPlace(ctx context.Context, w world, place string, o sniffFlags) (known bool, err error) {
	src := config.Source{URL: place, S3: o.s3}
	if !strings.HasPrefix(place, config.SchemeFile+":") && !strings.HasPrefix(place, config.SchemeS3+":") {
		src.URL = config.SchemeFile + ":" + place
	}
	a := &app{settings: settings{config: &config.Config{}}}
	defer func() { err = errors.Join(err, a.Close()) }()
	store, workers, err := a.openStore(ctx, w, src)
	if err != nil {
		return false, err
	}
	objects, more, err := listSome(ctx, store, o.limit)
	if err == nil && len(objects) == 0 && strings.HasPrefix(src.URL, config.SchemeS3+":") { // one object, not a prefix
		src.Format = config.FormatPeople
		if store, workers, err = a.openStore(ctx, w, src); err == nil {
			objects, more, err = listSome(ctx, store, o.limit)
		}
	}
	if err != nil {
		return false, err
	}
	if len(objects) == 0 {
		fmt.Fprintf(w.out, "%s: holds no objects\n", place)
		return false, nil
	}
	guess := sniff.Guess{Format: o.format, Why: "as --format says"}
	if o.format == "" {
		guess, err = nameOf(ctx, store, objects)
		if err != nil {
			return false, err
		}
	}
	if guess.Format == sniff.Unknown {
		fmt.Fprintf(w.out, "%s: %s\n", place, guess.Why)
		return false, nil
	}
	fmt.Fprintf(w.out, "%s\n", place)
	w.fact("format", "%s: %s", guess.Format, guess.Why)
	if src.Format = guess.Format; src.Format == sniff.Mapped {
		fmt.Fprintf(w.out, "\nSay which of its fields is which; \"chargeback config example\" shows how.\n")
		printBlock(w, src, place)
		return true, nil
	}
	src.FillIn()
	format, err := newFormat(src)
	if err != nil {
		return false, usage("%w", err)
	}
	objects = slices.DeleteFunc(objects, func(f objstore.Found) bool {
		_, skip := objstore.Skip(src.Format, f.Key, f.SizeBytes)
		return skip
	})
	source := extract.Source{Name: "sniff", Format: format, Store: store, RecordBytes: int(src.MaxRecordBytes), Workers: workers}
	s, err := sniff.Summarize(ctx, source, decode.Env{Zone: time.UTC}, objects)
	if err != nil {
		return false, err
	}
	if err := w.printSniffed(s, more); err != nil {
		return false, err
	}
	printBlock(w, src, place)
	return true, nil
}

var errEnough = errors.New("enough")

// listSome lists the first objects of a store that may be data.
func listSome(ctx context.Context, store objstore.Store, limit int) (objects []objstore.Found, more bool, err error) {
	err = store.All(ctx, "", func(o objstore.Object) error {
		if _, skip := objstore.Skip("", o.Key, o.SizeBytes); skip {
			return nil
		}
		if len(objects) == limit {
			more = true
			return errEnough
		}
		objects = append(objects, objstore.Found{Object: o})
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return objects, more, err
}

// nameOf names the format of the first object that has one.
func nameOf(ctx context.Context, store objstore.Store, objects []objstore.Found) (guess sniff.Guess, err error) {
	for _, o := range objects {
		if guess, err = nameObject(ctx, store, o.Object); err != nil || guess.Format != sniff.Unknown {
			return guess, err
		}
	}
	return guess, nil
}

func nameObject(ctx context.Context, store objstore.Store, o objstore.Object) (guess sniff.Guess, err error) {
	body, err := store.Open(ctx, o)
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

func (w world) printSniffed(s sniff.Summary, more bool) error {
	objects := count(s.Objects, "object", "objects")
	if more {
		objects += ", the first of more (--limit)"
	}
	w.fact("records", "%d in %s", s.Rows, objects)
	if s.Ignored > 0 {
		w.fact("left out", "%d: no requests, or the other side's", s.Ignored)
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

// printBlock prints the source to paste into the settings.
func printBlock(w world, src config.Source, place string) {
	base := strings.TrimSuffix(path.Base(filepath.ToSlash(place)), ".gz")
	name := strings.Trim(noName.ReplaceAllString(strings.ToLower(strings.TrimSuffix(base, path.Ext(base))), "-"), "-")
	if name == "" {
		name = src.Format
	}
	fmt.Fprintf(w.out, "\nsources:\n  - name: %s\n    format: %s\n    url: %q\n", name, src.Format, src.URL)
	if strings.HasPrefix(src.URL, config.SchemeS3+":") && src.S3 != (config.S3{}) {
		fmt.Fprintf(w.out, "    s3: {region: %q, endpoint: %q, path_style: %v}\n", src.S3.Region, src.S3.Endpoint, src.S3.PathStyle)
	}
}
