// Package importer reads other people's public price lists as entries of the
// rate book.
//
// It owns: the shapes of those lists, what their keys and units mean, what of
// them the book has no class for, and which entries a list adds to a book. A
// price that it doesn't understand is named and left out, never taken for
// another or for 0; one that is finer than 12 decimals is rounded and named.
// It does not own: fetching lists, the shape of the book and how prices apply
// (transform/rates), or writing the book's file (cmd).
package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"chargeback/transform/rates"
	"chargeback/transform/wildcard"
)

// The formats of price lists.
const (
	LiteLLM     = "litellm"      // model_prices_and_context_window.json
	GenAIPrices = "genai-prices" // data.json, version 2
	ModelsDev   = "models.dev"   // api.json
	OpenRouter  = "openrouter"   // /api/v1/models
)

// Formats lists the formats that Read knows.
func Formats() []string { return []string{LiteLLM, GenAIPrices, ModelsDev, OpenRouter} }

// List is what a price list says.
type List struct {
	Entries  []rates.Entry // by key and From; From is zero where the list has no date
	Skipped  []Finding     // models that have no price by token
	Warnings []Finding     // prices that are left out, and why
	Rounded  []Finding     // prices that are finer than the book's 12 decimals
	Free     []Finding     // models at 0 for input and output: where Options don't take them they are no entries
	silent   silence
	keys     map[string]string // provider/model, by the name that findings have
}

// Options say what to take of a list.
type Options struct {
	// Free takes models at 0 for input and output. Lists also write 0 for a price
	// that they don't know yet, so these are left out without it.
	Free bool
}

// Finding is something in a list that was not taken over.
type Finding struct{ Model, Field, What string }

// String is the finding in one line.
func (f Finding) String() string {
	if f.Field == "" {
		return f.Model + ": " + f.What
	}
	return f.Model + ": " + f.Field + " " + f.What
}

// silence is what a format never tells, or only here and there, so that nothing
// follows from its absence.
type silence struct {
	classes                 []rates.Class
	tiers, uplifts, offPeak bool
}

// format is how a list is read.
type format struct {
	read   func(r *reader, data []byte) error
	first  string // what the list begins with, for the message that it doesn't
	silent silence
}

func formats() map[string]format {
	every := silence{besidesText(), true, true, true}
	return map[string]format{
		LiteLLM:     {(*reader).liteLLM, "an object of models", silence{classes: []rates.Class{rates.Search}}},
		GenAIPrices: {(*reader).genAIPrices, "a list of providers with models", silence{besidesText(), true, true, false}},
		ModelsDev:   {(*reader).modelsDev, "an object of providers with models", every},
		OpenRouter:  {(*reader).openRouter, "an object with a list called data", every},
	}
}

// besidesText are all classes but those that every list has.
func besidesText() []rates.Class {
	return slices.DeleteFunc(rates.Classes(), func(c rates.Class) bool { return c == rates.Input || c == rates.Output })
}

// errShape says that data is JSON, but not the list that it should be.
var errShape = errors.New("other shape")

// Read reads a price list that lies in the file called name. What is wrong with
// single prices is a finding; an error is a file that is no such list.
func Read(formatName, name string, data []byte, o Options) (List, error) {
	f, ok := formats()[formatName]
	if !ok {
		return List{}, fmt.Errorf("read price list %s: %q is not a format; take one of %s", name, formatName, strings.Join(Formats(), ", "))
	}
	r := &reader{byKey: map[string][]candidate{}, options: o, list: List{keys: map[string]string{}}}
	var syntax *json.SyntaxError
	switch err := f.read(r, data); {
	case errors.As(err, &syntax):
		return List{}, fmt.Errorf("read price list %s: is not JSON at byte %d: %w; fetch the file again", name, syntax.Offset, err)
	case err != nil:
		return List{}, fmt.Errorf("read price list %s: is no list in the format %s, which is %s; name another format, one of %s, or fetch the file again", name, formatName, f.first, strings.Join(Formats(), ", "))
	case len(r.byKey)+len(r.list.Skipped)+len(r.list.Warnings)+len(r.list.Free) == 0:
		return List{}, fmt.Errorf("read price list %s: has no models; fetch the file again", name)
	}
	r.finish()
	r.list.silent = f.silent
	return r.list, nil
}

// reader collects what a list says.
type reader struct {
	list    List
	byKey   map[string][]candidate
	options Options
}

// candidate is the entries that one key of the list makes for a model.
type candidate struct {
	name    string // as the list has it
	exact   bool   // the name is the model's id itself
	entries []rates.Entry
}

func (r *reader) warn(model, field, what string, args ...any) {
	r.list.Warnings = append(r.list.Warnings, Finding{model, field, fmt.Sprintf(what, args...)})
}

func (r *reader) skip(model, what string, args ...any) {
	r.list.Skipped = append(r.list.Skipped, Finding{model, "", fmt.Sprintf(what, args...)})
}

// named notes which model the findings with a name are about.
func (r *reader) named(name, provider, model string) { r.list.keys[name] = provider + "/" + model }

// add takes the entries of one model over, if the book can hold them.
func (r *reader) add(name string, entries ...rates.Entry) {
	var good []rates.Entry
	for _, e := range entries {
		if why := unfit(e); why != "" {
			r.skip(name, "%s", why)
			return
		}
		if e.Provider == "xai" {
			e = fromOn(e)
		}
		dropEqual(&e, rates.Reasoning, rates.Output)
		dropEqual(&e, rates.InputImage, rates.Input)
		if free(e) {
			what := "input 0, output 0"
			if !e.From.IsZero() {
				what += " from " + e.From.Format(time.DateOnly)
			}
			r.list.Free = append(r.list.Free, Finding{name, "", what})
			if !r.options.Free {
				continue
			}
		}
		good = append(good, e)
	}
	if len(good) > 0 {
		e := good[0]
		r.byKey[e.Key()] = append(r.byKey[e.Key()], candidate{name, name == e.Model, good})
	}
}

// free says that neither a token nor a request costs anything.
func free(e rates.Entry) bool {
	sheets := []rates.Sheet{e.Sheet}
	for _, tier := range e.Tiers {
		sheets = append(sheets, tier.Sheet)
	}
	for _, s := range sheets {
		for _, step := range append(slices.Concat(s.Thresholds, s.Ranges), rates.Step{Units: s.Units}) {
			for class, pico := range step.Units {
				if pico > 0 && class != rates.Search {
					return false
				}
			}
		}
	}
	return true
}

// fromOn makes prices above a number of tokens hold from this number on.
func fromOn(e rates.Entry) rates.Entry {
	lower := func(steps []rates.Step) {
		for i := range steps {
			steps[i].Tokens--
		}
	}
	lower(e.Thresholds)
	for _, tier := range e.Tiers {
		lower(tier.Thresholds)
	}
	return e
}

// dropEqual leaves the price of a class out that is its parent's. The class then
// also costs what its parent does in a tier, or above a number of tokens, for
// which the list has the parent's price only.
func dropEqual(e *rates.Entry, class, parent rates.Class) {
	own, is := e.Units[class]
	sheets := []rates.Sheet{e.Sheet}
	for _, tier := range e.Tiers {
		sheets = append(sheets, tier.Sheet, rates.Sheet{Thresholds: []rates.Step{{Units: tier.Units}}})
	}
	for _, s := range sheets {
		for _, step := range slices.Concat(s.Thresholds, s.Ranges) {
			if _, more := step.Units[class]; more {
				return
			}
		}
	}
	if pico, has := e.Units[parent]; is && has && own == pico {
		delete(e.Units, class)
	}
}

// unfit says why the book can't have an entry.
func unfit(e rates.Entry) string {
	first := e.Units
	if len(e.Ranges) > 0 {
		first = e.Ranges[0].Units
	}
	_, input := first[rates.Input]
	_, output := e.Units[rates.Output]
	lacking := func(r rates.Step) bool { _, has := r.Units[rates.Output]; return !has }
	if len(e.Ranges) > 0 && !slices.ContainsFunc(e.Ranges, lacking) {
		output = true
	}
	switch {
	case e.Provider == "" || e.Model == "":
		return "has no provider or no name"
	case !plain(e.Provider) || strings.ContainsAny(e.Provider, "/*"):
		return "its provider is not a name that records can have"
	case !plain(e.Model) || strings.Contains(e.Model, "*"):
		return "its name is not the id of one model"
	case !input:
		return "has no price of an input token"
	case !output && len(e.Ranges) > 0:
		return "has no price of an output token in one of its ranges"
	case !output:
		return "has no price of an output token"
	}
	return ""
}

// plain says whether an id has only characters that can be seen.
func plain(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(c rune) bool { return !unicode.IsGraphic(c) || unicode.IsSpace(c) || c == unicode.ReplacementChar })
}

// finish puts entries and findings in order, and settles what two keys of the
// list say of one model.
func (r *reader) finish() {
	for _, key := range slices.Sorted(maps.Keys(r.byKey)) {
		all := r.byKey[key]
		slices.SortStableFunc(all, func(a, b candidate) int {
			if a.exact != b.exact {
				if a.exact {
					return -1
				}
				return 1
			}
			return strings.Compare(a.name, b.name)
		})
		for _, other := range all[1:] {
			if !samePrices(all[0].entries, other.entries) {
				r.warn(other.name, "", "has other prices than %s, which names the same model: left out", all[0].name)
			}
		}
		r.list.Entries = append(r.list.Entries, all[0].entries...)
	}
	r.settleNames()
	for _, findings := range [][]Finding{r.list.Skipped, r.list.Warnings, r.list.Rounded, r.list.Free} {
		slices.SortStableFunc(findings, func(a, b Finding) int {
			return strings.Compare(a.Model+"\x00"+a.Field, b.Model+"\x00"+b.Field)
		})
	}
}

// Only is what a list says of some models: of providers, as records or the list
// name them, and of ids, other ids and provider/id, with * for any characters.
// No providers or no models are all.
func (l List) Only(providers, models []string) List {
	wanted := func(name, key string, others ...string) bool {
		provider, model, _ := strings.Cut(key, "/")
		ids := append([]string{name, key, model}, others...)
		listed, _, _ := strings.Cut(name, "/")
		return (len(providers) == 0 || slices.Contains(providers, provider) || slices.Contains(providers, listed)) &&
			(len(models) == 0 || slices.ContainsFunc(models, func(want string) bool {
				return slices.ContainsFunc(ids, func(id string) bool { return wildcard.Match(want, id) || wildcard.Match(id, want) })
			}))
	}
	names := map[string]string{} // by key
	for name, key := range l.keys {
		names[key] = name
	}
	only := List{silent: l.silent, keys: l.keys}
	for _, e := range l.Entries {
		if wanted(names[e.Key()], e.Key(), slices.Concat(e.Aliases, e.Patterns)...) {
			only.Entries = append(only.Entries, e)
		}
	}
	findings := func(all []Finding) (rest []Finding) {
		for _, f := range all {
			if wanted(f.Model, cmp.Or(l.keys[f.Model], f.Model)) {
				rest = append(rest, f)
			}
		}
		return rest
	}
	only.Skipped, only.Warnings, only.Rounded, only.Free = findings(l.Skipped), findings(l.Warnings), findings(l.Rounded), findings(l.Free)
	return only
}

// Empty says that a list has no models.
func (l List) Empty() bool {
	return len(l.Entries)+len(l.Skipped)+len(l.Warnings)+len(l.Free) == 0
}

func samePrices(a, b []rates.Entry) bool {
	return slices.EqualFunc(a, b, func(x, y rates.Entry) bool { return x.From.Equal(y.From) && len(rates.Moves(x, y)) == 0 })
}

// settleNames leaves every alias and pattern to one model: none is the id of
// another one, or stands for two.
func (r *reader) settleNames() {
	owner := map[string]string{}
	for _, e := range r.list.Entries {
		owner[e.Key()] = e.Key()
	}
	for i := range r.list.Entries {
		e := &r.list.Entries[i]
		free := func(name string) bool {
			full := e.Provider + "/" + name
			if name == e.Model || !plain(name) || owner[full] == full {
				return false
			}
			if by, taken := owner[full]; taken {
				if by != e.Key() {
					r.warn(e.Key(), "", "%q stands for %s already: left out", name, by)
				}
				return by == e.Key()
			}
			owner[full] = e.Key()
			return true
		}
		e.Aliases, e.Patterns = kept(e.Aliases, free), kept(e.Patterns, free)
	}
}

func kept(names []string, keep func(string) bool) (rest []string) {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if keep(name) {
			rest = append(rest, name)
		}
	}
	return rest
}

// fields reads an object without its values. The error is errShape where data is
// JSON but no object.
func fields(data []byte) (object map[string]json.RawMessage, err error) {
	err = decode(data, &object)
	if err == nil && object == nil {
		err = errShape
	}
	return object, err
}

// decode reads JSON without making floats of its numbers.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return err
		}
		if !json.Valid(data) { // it ends too early
			return &json.SyntaxError{Offset: int64(len(data))}
		}
		return errShape
	}
	return nil
}

func day(text string) (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, text)
	return t, err == nil
}
