// Package rates holds the rate book: what a token, a request and a tool call
// cost, and from when to when.
//
// It owns: reading prices.yaml strictly, the built-in book of list prices, the
// ranges of dates (from inclusive, to exclusive, UTC, never overlapping), which
// price a class of tokens falls back to, how a model id finds its price, and
// the version that names the whole content.
// It does not own: multiplying prices with tokens (transform/models), amounts
// (transform/money) or where the book's file lies (config).
package rates

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"chargeback/transform/strictyaml"
)

// Forever is the To of a range that has no end yet.
var Forever = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// Price is what one model costs from From (inclusive) to To (exclusive), in
// pico-dollars (10^-12 USD) a token.
type Price struct {
	Key      string // Provider/Model
	Provider string
	Model    string
	From     time.Time
	To       time.Time

	InputPico        int64
	CacheReadPico    int64
	CacheWrite5mPico int64
	CacheWrite1hPico int64
	OutputPico       int64

	// Fallbacks names the classes that the book has no price for and whose price
	// they have instead: "cache_read=input,cache_write_1h=cache_write_5m".
	Fallbacks string
	Source    string // where the price was read, and when
	Line      int    // line of the entry in the book's file
}

// Fee is what an agent request costs beside its tokens from From (inclusive) to
// To (exclusive), in pico-dollars.
type Fee struct {
	From         time.Time
	To           time.Time
	InfraPico    int64            // a request that reached a provider
	CacheHitPico int64            // a request that the gateway's cache answered
	Tools        map[string]int64 // a call, by tool; AnyTool is for every other one
}

// Book is a rate book that was checked. It doesn't change.
type Book struct {
	prices  []Price           // by key and from
	fees    []Fee             // by from
	aliases map[string]string // provider/alias -> key
	keys    map[string]bool
	version string
}

//go:embed default.yaml
var defaultYAML []byte

// Default is the built-in book: published list prices, no fees.
func Default() *Book {
	book, err := Parse("built-in prices", defaultYAML)
	if err != nil {
		panic(err) // a test loads it
	}
	return book
}

// Example is the built-in book as a file to begin one's own with.
func Example() []byte { return slices.Clone(defaultYAML) }

// Load reads and checks the book at path. The error names every problem, a line
// each, as file:line: key: what is wrong; what to do.
func Load(path string) (*Book, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rate book: %w; correct prices in the config, or leave it empty for the built-in book", err)
	}
	return Parse(path, data)
}

// Parse is Load for data that was read from the file called name.
func Parse(name string, data []byte) (*Book, error) {
	var file bookYAML
	doc := strictyaml.Decode(name, data, &file)
	if doc.Broken() {
		return nil, doc.Err()
	}
	b := &Book{aliases: map[string]string{}, keys: map[string]bool{}}
	b.readPrices(doc, file.Prices)
	b.readAliases(doc, file.Prices)
	b.readFees(doc, file.Fees)
	if err := doc.Err(); err != nil {
		return nil, err
	}
	b.version = b.hash()
	return b, nil
}

// Prices lists all prices by key and from.
func (b *Book) Prices() []Price { return slices.Clone(b.prices) }

// Fees lists all fees by from.
func (b *Book) Fees() []Fee {
	fees := slices.Clone(b.fees)
	for i := range fees {
		fees[i].Tools = maps.Clone(fees[i].Tools)
	}
	return fees
}

// Version is 12 hex digits that change when, and only when, the book would price
// something differently: comments, sources and the order of entries don't count.
func (b *Book) Version() string { return b.version }

func (b *Book) hash() string {
	var lines []string
	for _, p := range b.prices {
		lines = append(lines, fmt.Sprintf("price %q %d %d %d %d %d %d %d %q", p.Key, p.From.Unix(), p.To.Unix(),
			p.InputPico, p.CacheReadPico, p.CacheWrite5mPico, p.CacheWrite1hPico, p.OutputPico, p.Fallbacks))
	}
	for alias, key := range b.aliases {
		lines = append(lines, fmt.Sprintf("alias %q %q", alias, key))
	}
	for _, f := range b.fees {
		lines = append(lines, fmt.Sprintf("fee %d %d %d %d", f.From.Unix(), f.To.Unix(), f.InfraPico, f.CacheHitPico))
		for tool, pico := range f.Tools {
			lines = append(lines, fmt.Sprintf("tool %d %q %d", f.From.Unix(), tool, pico))
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:6])
}

func byKeyAndFrom(a, b Price) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), a.From.Compare(b.From))
}
