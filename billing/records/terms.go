package records

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed" // texts of selects
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// Term is what prices say of something that occurs on a day, as a hash. Where it is
// another one the day's records may cost something else.
type Term struct {
	Day  civil.Date `column:"usage_date"`
	Kind string
	Item string
	Hash string `column:"terms_hash"`
}

// Kinds of terms.
const (
	termMeter   = "meter"   // all that a meter pays on the day
	termModel   = "model"   // which names are one model: it decides days beside it, too
	termFees    = "fees"    // of tools
	termMarkups = "markups" // what cost centres pay on top
)

//go:embed occurring.sql
var occurringText string

//go:embed occurring_once.sql
var occurringOnceText string

// Occurring are the models that occur on a day, as they were sent.
type Occurring struct {
	Day    civil.Date
	Meters []Meter
}

// Occurring lists the models that occur in the rows that a build makes, and on the days
// of which it prices records again, by day.
func (l *Records) Occurring(ctx context.Context, b Build) ([]Occurring, error) {
	all, err := l.occurredAlone(ctx, b)
	if err != nil || len(b.Days) == 0 {
		return all, err
	}
	args := Args{"days": b.Days}
	made, err := l.occurring(ctx, warehouse.Select{Name: "models that occur, by day", Text: occurringText, Args: args, Views: b.staged(args)})
	return append(all, made...), err
}

// OccurringOnce lists the models that occurred on days when they were made.
func (l *Records) OccurringOnce(ctx context.Context, days Days) ([]Occurring, error) {
	return l.occurring(ctx, warehouse.Select{Name: "models that occurred, by day", Text: occurringOnceText, Args: Args{"first_day": days.First, "last_day": days.Last}})
}

func (l *Records) occurring(ctx context.Context, s warehouse.Select) (all []Occurring, err error) {
	err = warehouse.Each(ctx, l.w, s, func(r struct {
		UsageDate civil.Date
		Meter
	}) error {
		if n := len(all); n == 0 || all[n-1].Day != r.UsageDate {
			all = append(all, Occurring{Day: r.UsageDate})
		}
		day := &all[len(all)-1]
		day.Meters = append(day.Meters, r.Meter)
		return nil
	})
	return all, err
}

// TermsOf are the terms of what occurs on a day, which begins and ends at two instants,
// by the prices of that time alone and the fees of tools, as text.
func TermsOf(day civil.Date, span [2]time.Time, prices References, fees string) []Term {
	byCard := map[int64][]string{}
	for _, r := range prices.Rates {
		byCard[r.Card] = append(byCard[r.Card], fmt.Sprint(r.row(r.hash(""))...))
	}
	ttls := map[int64]string{}
	for _, c := range prices.CacheTTLs {
		ttls[c.Meter] = c.TTL
	}
	terms := map[[2]string][]string{}
	add := func(kind, item, text string) {
		terms[[2]string{kind, item}] = append(terms[[2]string{kind, item}], text)
	}
	for _, c := range prices.Cards {
		meter := strconv.FormatInt(c.Meter, 10)
		add(termMeter, meter, ttls[c.Meter])
		for _, rate := range byCard[c.Card] {
			add(termMeter, meter, rate)
		}
		add(termModel, meter, strconv.FormatInt(c.Model, 10))
	}
	add(termFees, "", fees)
	add(termMarkups, "", "")
	for _, m := range prices.Markups {
		if m.From.Before(span[1]) && span[0].Before(m.To) {
			add(termMarkups, "", fmt.Sprintln(m.CostCenter, m.Percent, later(m.From, span[0]).Unix(), earlier(m.To, span[1]).Unix()))
		}
	}
	var all []Term
	for of, texts := range terms {
		sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
		all = append(all, Term{day, of[0], of[1], hex.EncodeToString(sum[:8])})
	}
	return all
}

// Terms are those by which days were made.
func (l *Records) Terms(ctx context.Context, days Days) ([]Term, error) {
	return warehouse.All[Term](ctx, l.w, warehouse.Select{
		Name: "terms of days", Text: "select usage_date, kind, item, terms_hash from {day_terms} where usage_date between {@first_day} and {@last_day}",
		Args: Args{"first_day": days.First, "last_day": days.Last},
	})
}

// OtherTerms lists the days that have records and whose terms are others than those
// by which they were made: as a whole, also those that were made without keeping any,
// and by models that cost something else.
func (l *Records) OtherTerms(ctx context.Context, days Days, now []Term) (whole []civil.Date, priced Repriced, err error) {
	were, err := l.Terms(ctx, days)
	if err != nil {
		return nil, nil, err
	}
	type of struct {
		day        civil.Date
		kind, item string
	}
	is, told := map[of]string{}, map[civil.Date]bool{}
	for _, t := range now {
		is[of{t.Day, t.Kind, t.Item}] = t.Hash
	}
	for _, t := range were {
		told[t.Day] = true
		if is[of{t.Day, t.Kind, t.Item}] == t.Hash {
			continue
		}
		switch t.Kind {
		case termModel:
			whole = append(whole, Reach([]civil.Date{t.Day})...)
		case termMeter:
			meter, err := strconv.ParseInt(t.Item, 10, 64)
			if err != nil {
				return nil, nil, fmt.Errorf("read terms of %s: %q is no meter", t.Day, t.Item)
			}
			priced = priced.With(t.Day, meter)
		default:
			whole = append(whole, t.Day)
		}
	}
	made, err := warehouse.All[civil.Date](ctx, l.w, warehouse.Select{
		Name: "days with records", Text: "select distinct usage_date from {charged_days} where usage_date between {@first_day} and {@last_day}", Args: Args{"first_day": days.First, "last_day": days.Last},
	})
	for _, d := range made {
		if !told[d] {
			whole = append(whole, d)
		}
	}
	whole = slices.DeleteFunc(whole, func(d civil.Date) bool { return d.Before(days.First) || days.Last.Before(d) })
	return civil.EachOnce(whole), priced, err
}

// SetTerms keeps the terms by which the days of a build are made.
func (l *Records) SetTerms(ctx context.Context, b Build, terms []Term) ([]warehouse.Change, error) {
	if len(b.Computed()) == 0 {
		return nil, nil
	}
	replaced, all := b.Days, map[Term]bool{}
	kept := map[Term]bool{}
	if b.near != nil {
		replaced = slices.Concat(b.near.whole, b.near.alone.Days())
		for _, d := range b.near.parts { // what of them is not made keeps its terms, which are today's
			were, err := l.Terms(ctx, Days{First: d, Last: d})
			if err != nil {
				return nil, err
			}
			again := b.near.priced[d] != nil
			if again {
				replaced = append(replaced, d)
			}
			for _, t := range were {
				switch {
				case !again:
					kept[t] = true
				case !b.near.prices(t):
					all[t] = true
				}
			}
		}
	}
	for _, t := range terms {
		all[t] = !kept[t]
	}
	var changes []warehouse.Change
	if len(replaced) > 0 {
		changes = append(changes, warehouse.Delete{Table: termsTable.Name, Where: "usage_date in ({@days})", Args: Args{"days": replaced}})
	}
	var rows [][]any
	for _, t := range slices.SortedFunc(maps.Keys(all), Term.compare) {
		if all[t] {
			rows = append(rows, []any{t.Day, t.Kind, t.Item, t.Hash})
		}
	}
	return append(changes, warehouse.Append{Table: termsTable.Name, Rows: rows}), nil
}

func (t Term) compare(o Term) int {
	return cmp.Or(t.Day.Compare(o.Day), strings.Compare(t.Kind, o.Kind), strings.Compare(t.Item, o.Item), strings.Compare(t.Hash, o.Hash))
}

// prices says whether all records that a term concerns are made again.
func (n *near) prices(t Term) bool {
	meter, err := strconv.ParseInt(t.Item, 10, 64)
	return err == nil && t.Kind == termMeter && slices.Contains(n.priced[t.Day], meter)
}

func later(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

func earlier(x, y time.Time) time.Time {
	if x.Before(y) {
		return x
	}
	return y
}
