package rates

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"chargeback/transform/strictyaml"
)

// bookYAML and the types below it are the shape of prices.yaml.
type bookYAML struct {
	Prices    []priceYAML    `yaml:"prices"`
	Discounts []discountYAML `yaml:"discounts"`
	Markups   []markupYAML   `yaml:"markups"`
	Fees      []feeYAML      `yaml:"fees"`
}

type priceYAML struct {
	Provider   string              `yaml:"provider"`
	Model      string              `yaml:"model"`
	Account    string              `yaml:"account"`
	Aliases    []string            `yaml:"aliases"`
	Profiles   []string            `yaml:"profiles"`
	Patterns   []string            `yaml:"patterns"`
	From       instant             `yaml:"from"`
	To         instant             `yaml:"to"`
	Learned    instant             `yaml:"learned"`
	Announced  bool                `yaml:"announced"`
	Confirmed  instant             `yaml:"confirmed"`
	Classes    classesYAML         `yaml:"usd_per_million"`
	PerRequest fee                 `yaml:"usd_per_request"`
	PerSearch  fee                 `yaml:"usd_per_search"`
	Thresholds []thresholdYAML     `yaml:"thresholds"`
	Ranges     []rangeYAML         `yaml:"ranges"`
	Tiers      map[string]tierYAML `yaml:"tiers"`
	OffPeak    []offPeakYAML       `yaml:"off_peak"`
	Uplifts    []upliftYAML        `yaml:"uplifts"`
	Source     string              `yaml:"source"`
}

type classesYAML struct {
	Input          perMillion `yaml:"input"`
	CacheRead      perMillion `yaml:"cache_read"`
	CacheWrite5m   perMillion `yaml:"cache_write_5m"`
	CacheWrite1h   perMillion `yaml:"cache_write_1h"`
	Output         perMillion `yaml:"output"`
	Reasoning      perMillion `yaml:"reasoning"`
	InputAudio     perMillion `yaml:"input_audio"`
	InputImage     perMillion `yaml:"input_image"`
	CacheReadAudio perMillion `yaml:"cache_read_audio"`
	OutputAudio    perMillion `yaml:"output_audio"`
	OutputImage    perMillion `yaml:"output_image"`
}

func (c classesYAML) units() Units {
	u := Units{}
	for class, p := range map[Class]perMillion{
		Input: c.Input, CacheRead: c.CacheRead, CacheWrite5m: c.CacheWrite5m, CacheWrite1h: c.CacheWrite1h, Output: c.Output, Reasoning: c.Reasoning,
		InputAudio: c.InputAudio, InputImage: c.InputImage, CacheReadAudio: c.CacheReadAudio, OutputAudio: c.OutputAudio, OutputImage: c.OutputImage,
	} {
		if p.set {
			u[class] = p.pico
		}
	}
	return u
}

type thresholdYAML struct {
	MoreThan int         `yaml:"more_than"`
	AtLeast  int         `yaml:"at_least"`
	Classes  classesYAML `yaml:"usd_per_million"`
}

type rangeYAML struct {
	UpTo    int         `yaml:"up_to"`
	Classes classesYAML `yaml:"usd_per_million"`
}

type tierYAML struct {
	Times      Factor          `yaml:"times"`
	Classes    classesYAML     `yaml:"usd_per_million"`
	PerRequest fee             `yaml:"usd_per_request"`
	PerSearch  fee             `yaml:"usd_per_search"`
	Thresholds []thresholdYAML `yaml:"thresholds"`
}

type offPeakYAML struct {
	UTC     string      `yaml:"utc"`
	Days    []string    `yaml:"days"`
	Times   Factor      `yaml:"times"`
	Classes classesYAML `yaml:"usd_per_million"`
}

type upliftYAML struct {
	Regions []string `yaml:"regions"`
	Times   Factor   `yaml:"times"`
	Cache   yesNo    `yaml:"cache"` // true where it is left out
}

// yesNo is true, false or, where it is left out, empty.
type yesNo string

// UnmarshalText reads true or false.
func (y *yesNo) UnmarshalText(text []byte) error {
	if *y = yesNo(text); *y != "true" && *y != "false" {
		return fmt.Errorf("%q is neither true nor false; write one of the two", text)
	}
	return nil
}

type discountYAML struct {
	Provider string  `yaml:"provider"`
	Account  string  `yaml:"account"`
	Model    string  `yaml:"model"`
	Class    string  `yaml:"class"`
	Percent  Percent `yaml:"percent"`
	From     instant `yaml:"from"`
	To       instant `yaml:"to"`
	Learned  instant `yaml:"learned"`
	Source   string  `yaml:"source"`
}

type markupYAML struct {
	CostCenter string  `yaml:"cost_center"`
	Percent    Percent `yaml:"percent"`
	From       instant `yaml:"from"`
	To         instant `yaml:"to"`
	Learned    instant `yaml:"learned"`
	Source     string  `yaml:"source"`
}

type feeYAML struct {
	From        instant        `yaml:"from"`
	To          instant        `yaml:"to"`
	Learned     instant        `yaml:"learned"`
	PerRequest  fee            `yaml:"infra_per_request_usd"`
	PerCacheHit fee            `yaml:"infra_per_cache_hit_usd"`
	Tools       map[string]fee `yaml:"tools"`
}

// reader reads the parts of one book: its documents, in order.
type reader struct {
	book  *Book
	spans spans
}

// read adds one document to the book.
func (r *reader) read(doc *strictyaml.Document, file bookYAML) {
	for i, entry := range file.Prices {
		path := fmt.Sprintf("prices[%d]", i)
		e := entry.entry(doc, path)
		r.spans.add("price "+e.Key()+" "+e.Account, doc, path, &e.From, &e.To, e.Learned)
		r.book.entries = append(r.book.entries, e)
	}
	for i, d := range file.Discounts {
		path := fmt.Sprintf("discounts[%d]", i)
		n := d.discount(doc, path)
		r.spans.add(fmt.Sprintf("discount %q %q %q %q", n.Provider, n.Account, n.Model, n.Class), doc, path, &n.From, &n.To, n.Learned)
		r.book.discounts = append(r.book.discounts, n)
	}
	for i, m := range file.Markups {
		path := fmt.Sprintf("markups[%d]", i)
		checkSpan(doc, path, m.From, m.To)
		if m.CostCenter == "" {
			doc.Failf(path+".cost_center", "is missing; write the cost centre that pays it, quoted")
		}
		n := &Markup{m.CostCenter, m.Percent, m.From.Time, m.To.Time, m.Learned.Time, m.Source, doc.Line(path)}
		r.spans.add("markup "+n.CostCenter, doc, path, &n.From, &n.To, n.Learned)
		r.book.markups = append(r.book.markups, n)
	}
	for i, f := range file.Fees {
		path := fmt.Sprintf("fees[%d]", i)
		checkSpan(doc, path, f.From, f.To)
		tools := map[string]int64{}
		for name, each := range f.Tools {
			tools[name] = each.pico
		}
		n := &Fee{f.From.Time, f.To.Time, f.Learned.Time, f.PerRequest.pico, f.PerCacheHit.pico, tools}
		r.spans.add("fee", doc, path, &n.From, &n.To, n.Learned)
		r.book.fees = append(r.book.fees, n)
	}
}

func (y priceYAML) entry(doc *strictyaml.Document, path string) *Entry {
	switch {
	case y.Provider == "":
		doc.Failf(path+".provider", "is missing; write the provider as the records have it")
	case strings.Contains(y.Provider, "/"):
		doc.Failf(path+".provider", "%q has a slash; write the provider alone", y.Provider)
	}
	switch {
	case y.Model == "":
		doc.Failf(path+".model", "is missing; write the model's id as the records have it")
	case strings.Contains(y.Model, "*"):
		doc.Failf(path+".model", "%q has a *; name one model here and list others under patterns", y.Model)
	}
	e := &Entry{
		Provider: y.Provider, Model: y.Model, Account: y.Account, Aliases: y.Aliases, Profiles: y.Profiles, Patterns: y.Patterns,
		From: y.From.Time, To: y.To.Time, Learned: y.Learned.Time, Announced: y.Announced, Confirmed: y.Confirmed.Time, Source: y.Source, File: doc.Name(), Line: doc.Line(path),
		Sheet: Sheet{
			Units: withFees(y.Classes.units(), y.PerRequest, y.PerSearch), Thresholds: thresholds(doc, path, y.Thresholds), Ranges: ranges(doc, path, y.Ranges),
		},
	}
	if len(e.Thresholds) > 0 && len(e.Ranges) > 0 {
		doc.Failf(path+".ranges", "stands beside thresholds; keep one of the two")
	}
	checkSpan(doc, path, y.From, y.To)
	if why := y.checkCertain(); why != "" {
		doc.Failf(path+".confirmed", "%s", why)
	}
	for j, p := range y.Patterns {
		if strings.Trim(p, "*") == "" || !strings.Contains(p, "*") {
			doc.Failf(fmt.Sprintf("%s.patterns[%d]", path, j), "%q names every model or just one; write what they share and * for the rest, or use aliases", p)
		}
	}
	e.tiers(doc, path, y.Tiers)
	e.offPeak(doc, path, y.OffPeak)
	e.uplifts(doc, path, y.Uplifts)
	if !e.byRequest() {
		e.tokenPrices(doc, path)
	}
	return e
}

// tokenPrices checks that every class of tokens has a price or a parent with one.
func (e *Entry) tokenPrices(doc *strictyaml.Document, path string) {
	first := e.Units
	if len(e.Ranges) > 0 {
		first = e.Ranges[0].Units
	}
	if !first.has(Input) {
		doc.Failf(path+".usd_per_million.input", "is missing; give the price of a million tokens, or usd_per_request and no price of tokens")
	}
	lacking := func(r Step) bool { return !r.Units.has(Output) }
	if !e.Units.has(Output) && (len(e.Ranges) == 0 || slices.ContainsFunc(e.Ranges, lacking)) {
		doc.Failf(path+".usd_per_million.output", "is missing; give the price of a million tokens, here or in every range")
	}
}

func withFees(u Units, request, search fee) Units {
	if request.set {
		u[Request] = request.pico
	}
	if search.set {
		u[Search] = search.pico
	}
	return u
}

func thresholds(doc *strictyaml.Document, path string, list []thresholdYAML) (steps []Step) {
	for j, t := range list {
		at, step := fmt.Sprintf("%s.thresholds[%d]", path, j), Step{int64(t.MoreThan), t.Classes.units()}
		if t.AtLeast > 0 {
			step.Tokens = int64(t.AtLeast) - 1
		}
		switch {
		case (t.MoreThan > 0) == (t.AtLeast > 0):
			doc.Failf(at, "needs either more_than or at_least, above 0; write the tokens of the prompt at which these prices begin")
		case j > 0 && step.Tokens <= steps[j-1].Tokens:
			doc.Failf(at, "begins where the one before it does, or earlier; list thresholds in rising order")
		case len(step.Units) == 0:
			doc.Failf(at, "has no prices; give usd_per_million, or remove it")
		}
		steps = append(steps, step)
	}
	return steps
}

func ranges(doc *strictyaml.Document, path string, list []rangeYAML) (steps []Step) {
	for j, r := range list {
		at, step := fmt.Sprintf("%s.ranges[%d]", path, j), Step{int64(r.UpTo), r.Classes.units()}
		_, input := step.Units[Input]
		switch {
		case r.UpTo <= 0:
			doc.Failf(at+".up_to", "is missing; write up to how many tokens of the prompt it holds; the last one also holds above that")
		case j > 0 && step.Tokens <= steps[j-1].Tokens:
			doc.Failf(at, "ends where the one before it does, or earlier; list ranges in rising order")
		case !input:
			doc.Failf(at+".usd_per_million.input", "is missing; give the price of a million tokens")
		}
		steps = append(steps, step)
	}
	return steps
}

func (e *Entry) tiers(doc *strictyaml.Document, path string, tiers map[string]tierYAML) {
	for name, y := range tiers {
		at := path + ".tiers." + name
		tier := Tier{Times: y.Times, Sheet: Sheet{Units: withFees(y.Classes.units(), y.PerRequest, y.PerSearch), Thresholds: thresholds(doc, at, y.Thresholds)}}
		own := len(tier.Units) + len(tier.Thresholds)
		switch {
		case normalTier(name) != name || name == Standard:
			doc.Failf(at, "is not a tier's name as records are read: standard is the entry's own prices; write flex, priority, fast, ultrafast, batch or the provider's word in small letters")
		case len(e.Ranges) > 0 && len(tier.Thresholds) > 0:
			doc.Failf(at+".thresholds", "stands beside ranges; give the tier times, or prices of its own for every size")
		case (tier.Times > 0) == (own > 0):
			doc.Failf(at, "needs either times or prices; write times: \"0.5\", or usd_per_million")
		}
		if e.Tiers == nil {
			e.Tiers = map[string]Tier{}
		}
		e.Tiers[name] = tier
	}
}

func (e *Entry) offPeak(doc *strictyaml.Document, path string, list []offPeakYAML) {
	for j, y := range list {
		at := fmt.Sprintf("%s.off_peak[%d]", path, j)
		o := OffPeak{Times: y.Times, Units: y.Classes.units()}
		var ok bool
		if o.From, o.To, ok = parseClocks(y.UTC); !ok {
			doc.Failf(at+".utc", "%q is not a time of day; write \"16:30-00:30\"", y.UTC)
		}
		for _, name := range y.Days {
			day := slices.Index(weekdays, name)
			if day < 0 {
				doc.Failf(at+".days", "%q is not a day; use %s", name, strings.Join(weekdays, ", "))
				continue
			}
			o.Days = append(o.Days, time.Weekday(day))
		}
		if (o.Times > 0) == (len(o.Units) > 0) {
			doc.Failf(at, "needs either times or prices; write times: \"0.5\", or usd_per_million")
		}
		e.OffPeak = append(e.OffPeak, o)
	}
}

// parseClocks reads 16:30-00:30 as minutes of the day.
func parseClocks(text string) (from, to int, ok bool) {
	first, last, ok := strings.Cut(text, "-")
	a, errA := time.Parse("15:04", first)
	b, errB := time.Parse("15:04", last)
	from, to = a.Hour()*60+a.Minute(), b.Hour()*60+b.Minute()
	if last == "24:00" {
		to, errB = 24*60, nil
	}
	return from, to, ok && errA == nil && errB == nil && from != to
}

func (e *Entry) uplifts(doc *strictyaml.Document, path string, list []upliftYAML) {
	for j, y := range list {
		at := fmt.Sprintf("%s.uplifts[%d]", path, j)
		if len(y.Regions) == 0 {
			doc.Failf(at+".regions", "is missing; name the regions, with * for any characters")
		}
		if y.Times == 0 {
			doc.Failf(at+".times", "is missing; write the factor, such as \"1.1\"")
		}
		e.Uplifts = append(e.Uplifts, Uplift{y.Regions, y.Times, y.Cache == "false"})
	}
}

func (y discountYAML) discount(doc *strictyaml.Document, path string) *Discount {
	checkSpan(doc, path, y.From, y.To)
	if y.Percent == 0 || y.Percent > hundred {
		doc.Failf(path+".percent", "is not above 0 and up to 100; write what is taken off, such as \"12.5\"")
	}
	if y.Class != "" && !slices.Contains(classNames[:], y.Class) {
		doc.Failf(path+".class", "%q is not a class; use one of %s, or leave it out for all", y.Class, strings.Join(classNames[:], ", "))
	}
	return &Discount{y.Provider, y.Account, y.Model, y.Class, y.Percent, y.From.Time, y.To.Time, y.Learned.Time, y.Source, doc.Line(path)}
}

func (b *Book) readAliases(places []place) {
	first := map[string]place{}
	for i, e := range b.entries {
		at := places[i]
		name := func(path, alias, full string) {
			switch owner, taken := b.aliases[full]; {
			case alias == "":
				at.doc.Failf(path, "is empty; remove it")
			case b.keys[full]:
				at.doc.Failf(path, "%q is a model with a price of its own; remove the alias or that price", alias)
			case taken && owner != e.Key():
				at.doc.Failf(path, "%q stands for another model on %s; keep one of the two", alias, first[full].line(at.doc))
			default:
				b.aliases[full], first[full] = e.Key(), place{at.doc, path}
			}
		}
		for j, alias := range e.Aliases {
			name(fmt.Sprintf("%s.aliases[%d]", at.path, j), alias, e.Provider+"/"+alias)
		}
		for j, geography := range e.Profiles {
			name(fmt.Sprintf("%s.profiles[%d]", at.path, j), geography+"."+e.Model, e.Provider+"/"+geography+"."+e.Model)
		}
		for j, p := range e.Patterns {
			full := pattern{e.Provider, p, e.Key()}
			k := slices.IndexFunc(b.patterns, func(o pattern) bool { return o.provider == full.provider && o.text == p })
			switch {
			case k < 0:
				b.patterns = append(b.patterns, full)
			case b.patterns[k].key != full.key:
				at.doc.Failf(fmt.Sprintf("%s.patterns[%d]", at.path, j), "%q stands for %s too; keep one of the two", p, b.patterns[k].key)
			}
		}
	}
}
