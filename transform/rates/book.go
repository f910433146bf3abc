// Package rates holds the rate book: what a token, a request, a search and a
// tool call cost, from when to when, and since when that is known.
//
// It owns: reading prices.yaml strictly, the built-in book of list prices, the
// ranges of dates (from inclusive, to exclusive, UTC) and which of two holds,
// how a meter finds its prices, and compiling them: thresholds, service tiers,
// off-peak hours, uplifts, discounts and markups become unit prices of whole
// pico-dollars, rounded half up once. And the version that names the content.
// It does not own: multiplying prices with tokens (transform/models), amounts
// (transform/money), other people's price lists (rates/importer) or where the
// book's file lies (config).
package rates

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"chargeback/transform/strictyaml"
)

// Forever is the To of a range that has no end yet.
var Forever = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// Fee is what an agent request costs beside its tokens from From (inclusive) to
// To (exclusive), in pico-dollars.
type Fee struct {
	From, To, Learned time.Time
	InfraPico         int64            // a request that reached a provider
	CacheHitPico      int64            // a request that the gateway's cache answered
	Tools             map[string]int64 // a call, by tool; AnyTool is for every other one
}

// Book is a rate book that was checked. It doesn't change.
type Book struct {
	entries   []*Entry // by key, account, from and learned
	byKey     map[string][]*Entry
	discounts []*Discount
	markups   []*Markup
	fees      []*Fee
	aliases   map[string]string // provider/alias -> key
	patterns  []pattern         // the most exact first
	keys      map[string]bool
	tiers     map[string]bool // service tiers that some entry names
	version   func() string   // worked out once it is asked for
}

// defaultYAML is the built-in book: what its keys mean, and a file a provider.
//
//go:embed default/*.yaml
var defaultYAML embed.FS

// Default is the built-in book: published list prices, no fees.
func Default() *Book {
	book, err := ParseFiles(defaultFiles())
	if err != nil {
		panic(err) // a test loads it
	}
	return book
}

func defaultFiles() (files []File) {
	names, _ := fs.Glob(defaultYAML, "default/*.yaml") // the pattern is well-formed
	for _, name := range names {
		data, err := defaultYAML.ReadFile(name)
		if err != nil {
			panic(err) // it was embedded
		}
		files = append(files, File{"built-in " + path.Base(name), data})
	}
	return files
}

// Example is the built-in book as a file to begin one's own with: a document a
// provider.
func Example() []byte {
	var docs [][]byte
	for _, file := range defaultFiles() {
		docs = append(docs, file.Data)
	}
	return bytes.Join(docs, []byte("---\n"))
}

// File is a file of a book.
type File struct {
	Name string
	Data []byte
}

// Files reads the book at path: a file, or all *.yaml files of a folder, by
// name.
func Files(path string) ([]File, error) {
	names := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if names, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil || len(names) == 0 {
			return nil, fmt.Errorf("read rate book: folder %s has no *.yaml file; put one there", path)
		}
	}
	files := make([]File, len(names))
	for i, name := range names {
		data, err := strictyaml.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read rate book: %w; correct prices in the config, or leave it empty for the built-in book", err)
		}
		files[i] = File{name, data}
	}
	return files, nil
}

// Load reads and checks the book at path; see Files. The error names every
// problem, a line each, as file:line: key: what is wrong; what to do.
func Load(path string) (*Book, error) {
	files, err := Files(path)
	if err != nil {
		return nil, err
	}
	return ParseFiles(files)
}

// Parse is Load for data that was read from the file called name.
func Parse(name string, data []byte) (*Book, error) {
	return ParseFiles([]File{{name, data}})
}

// ParseFiles is Load for files that were read. A file may hold several YAML
// documents, so that more can be written behind what is there.
func ParseFiles(files []File) (*Book, error) {
	if b, err := parseFiles(files, quick); err == nil {
		return b, nil
	}
	return parseFiles(files, nil) // which says on which lines all mistakes are
}

// parseFiles reads each document by quick, if there is one, or else as any YAML.
func parseFiles(files []File, quick func(name string, before int, data []byte) (decoded, bool)) (*Book, error) {
	b := &Book{aliases: map[string]string{}, keys: map[string]bool{}, tiers: map[string]bool{}, byKey: map[string][]*Entry{}}
	r := reader{book: b}
	var docs []*strictyaml.Document
	var places []place
	for _, d := range decodeAll(files, quick) {
		docs = append(docs, d.doc)
		if d.doc.Broken() {
			continue
		}
		for i := range d.parsed.Prices {
			places = append(places, place{d.doc, fmt.Sprintf("prices[%d]", i)})
		}
		r.read(d.doc, d.parsed)
	}
	r.spans.close()
	for _, e := range b.entries {
		b.keys[e.Key()] = true
		for tier := range e.Tiers {
			b.tiers[tier] = true
		}
	}
	b.readAliases(places)
	if err := strictyaml.Errs(docs...); err != nil {
		return nil, err
	}
	b.index()
	return b, nil
}

// decoded is a document of a book that was read as YAML.
type decoded struct {
	doc    *strictyaml.Document
	parsed bookYAML
}

// decodeAll reads the documents of files, in order; as many at once as there are
// processors, for that is most of the time that a book takes.
func decodeAll(files []File, quick func(name string, before int, data []byte) (decoded, bool)) []decoded {
	type numbered struct {
		name string
		part
	}
	var parts []numbered
	for _, file := range files {
		for _, p := range documents(file.Data) {
			parts = append(parts, numbered{file.Name, p})
		}
	}
	if n := len(parts); n > strictyaml.DocumentsMax {
		last := parts[strictyaml.DocumentsMax]
		doc := strictyaml.Known(last.name, map[string]int{"": last.before + 1})
		doc.Failf("", "%s", strictyaml.TooManyDocuments)
		return []decoded{{doc: doc}}
	}
	all := make([]decoded, len(parts))
	var wait sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, p := range parts {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			if quick != nil {
				if d, ok := quick(p.name, p.before, p.data); ok {
					all[i] = d
					return
				}
			}
			all[i].doc = strictyaml.DecodePart(p.name, p.before, p.data, &all[i].parsed)
		})
	}
	wait.Wait()
	return all
}

// part is a document of a file, behind so many lines.
type part struct {
	before int
	data   []byte
}

// documents cuts a file at its --- lines.
func documents(data []byte) (parts []part) {
	before, begin := 0, 0
	for at, line := 0, 0; at < len(data); line++ {
		end := len(data)
		if n := bytes.IndexByte(data[at:], '\n'); n >= 0 {
			end = at + n + 1
		}
		if string(bytes.TrimRight(data[at:end], " \t\r\n")) == "---" {
			parts = append(parts, part{before, data[begin:at]})
			begin, before = end, line+1
		}
		at = end
	}
	return append(parts, part{before, data[begin:]})
}

// index puts what was read in order.
func (b *Book) index() {
	slices.SortStableFunc(b.entries, func(x, y *Entry) int { return byKeyAndFrom(*x, *y) })
	for _, e := range b.entries {
		b.byKey[e.Key()] = append(b.byKey[e.Key()], e)
	}
	slices.SortFunc(b.patterns, morePrecise)
	slices.SortStableFunc(b.fees, func(x, y *Fee) int { return x.From.Compare(y.From) })
	b.version = sync.OnceValue(b.hash)
}

// Entries lists all entries by key, account, from and learned. They must not be
// changed.
func (b *Book) Entries() []Entry {
	all := make([]Entry, len(b.entries))
	for i, e := range b.entries {
		all[i] = *e
	}
	return all
}

// Of lists the entries of one key, as Entries does.
func (b *Book) Of(key string) (all []Entry) {
	for _, e := range b.byKey[key] {
		all = append(all, *e)
	}
	return all
}

// NewestLearned is when the price that the book learned last was learned; zero
// where none says.
func (b *Book) NewestLearned() (newest time.Time) {
	for _, e := range b.Entries() {
		if newest.Before(e.Learned) {
			newest = e.Learned
		}
	}
	return newest
}

// Has says whether a key has entries.
func (b *Book) Has(key string) bool { return b.keys[key] }

// Discounts and Markups list them in the order of the file.
func (b *Book) Discounts() (all []Discount) {
	for _, d := range b.discounts {
		all = append(all, *d)
	}
	return all
}

// Markups lists all markups in the order of the file.
func (b *Book) Markups() (all []Markup) {
	for _, m := range b.markups {
		all = append(all, *m)
	}
	return all
}

// Fees lists all fees by from.
func (b *Book) Fees() []Fee {
	fees := make([]Fee, len(b.fees))
	for i, f := range b.fees {
		fees[i] = *f
		fees[i].Tools = maps.Clone(f.Tools)
	}
	return fees
}

// Version is 12 hex digits that change when the book would price something
// differently: comments, sources, what is announced or confirmed, and the
// order of entries don't count.
func (b *Book) Version() string { return b.version() }

func (b *Book) hash() string {
	var lines []string
	for _, e := range b.entries {
		bare := *e
		bare.Source, bare.Announced, bare.Confirmed, bare.Aliases, bare.Profiles, bare.Patterns = "", false, time.Time{}, nil, nil, nil
		lines = append(lines, fmt.Sprintf("price %s %d", bare.YAML(), e.To.Unix()))
	}
	for alias, key := range b.aliases {
		lines = append(lines, fmt.Sprintf("alias %q %q", alias, key))
	}
	for _, p := range b.patterns {
		lines = append(lines, fmt.Sprintf("pattern %q %q %q", p.provider, p.text, p.key))
	}
	for _, d := range b.discounts {
		lines = append(lines, fmt.Sprintf("discount %q %q %q %q %d %d %d %d", d.Provider, d.Account, d.Model, d.Class, d.Percent, d.From.Unix(), d.To.Unix(), d.Learned.Unix()))
	}
	for _, m := range b.markups {
		lines = append(lines, fmt.Sprintf("markup %q %d %d %d %d", m.CostCenter, m.Percent, m.From.Unix(), m.To.Unix(), m.Learned.Unix()))
	}
	for _, f := range b.fees {
		lines = append(lines, fmt.Sprintf("fee %d %d %d %d %d %s", f.From.Unix(), f.To.Unix(), f.Learned.Unix(), f.InfraPico, f.CacheHitPico, toolsText(f.Tools)))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:6])
}

// toolsText writes the fees of tools in pico-dollars, by name.
func toolsText(tools map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(tools)) {
		parts = append(parts, fmt.Sprintf("%q:%d", name, tools[name]))
	}
	return strings.Join(parts, ",")
}
