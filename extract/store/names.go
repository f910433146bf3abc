package store

import (
	"context"
	"strings"
)

// Names is a run of names within each day's folder: what follows the folder in a key,
// hours and file. It takes those behind After, up to and with Upto, byte by byte, as
// stores order keys. "" bounds nothing, so that the zero Names are all.
type Names struct{ After, Upto string }

// Marks stand in the bounds of Names for the day of each folder, as names of many
// sources have it once more: without dashes and with them. No name holds these bytes.
const (
	markDigits = "\x01"
	markDashes = "\x02"
)

// MarkDay is a bound by a name of a folder of that day, for folders of any day.
func MarkDay(name, day string) string {
	return strings.NewReplacer(strings.ReplaceAll(day, "-", ""), markDigits, day, markDashes).Replace(name)
}

// On are the names of the range in a folder of a day, such as 2026-10-31.
func (n Names) On(day string) Names {
	r := strings.NewReplacer(markDigits, strings.ReplaceAll(day, "-", ""), markDashes, day)
	return Names{After: r.Replace(n.After), Upto: r.Replace(n.Upto)}
}

// All says that no name is left out.
func (n Names) All() bool { return n == Names{} }

// Has says whether a name is in the range.
func (n Names) Has(name string) bool {
	return n.After < name && (n.Upto == "" || name <= n.Upto)
}

// below are the names of the range within a folder that lies below the day's; none says
// that it holds no name of the range.
func (n Names) below(folder string) (inside Names, none bool) {
	after, hasAfter := strings.CutPrefix(n.After, folder)
	switch {
	case hasAfter:
		inside.After = after
	case folder < n.After:
		return Names{}, true
	}
	upto, hasUpto := strings.CutPrefix(n.Upto, folder)
	switch {
	case n.Upto == "":
	case hasUpto && upto != "":
		inside.Upto = upto
	case hasUpto || n.Upto < folder:
		return Names{}, true
	}
	return inside, false
}

// Ranged is a Store that can list a range of a folder's names without asking for the
// others. Where it lists others all the same, they are left out by who asks.
type Ranged interface {
	// LevelOf is Level for the names of a range, which are relative to the folder: of
	// folders, those that may hold any.
	LevelOf(ctx context.Context, prefix string, names Names) (objects []Object, folders []string, err error)

	// AllOf is All for the names of a range, which are relative to the folder.
	AllOf(ctx context.Context, prefix string, names Names, yield func(Object) error) error
}

// levelOf is Level for the names of a range, as far as the store can.
func levelOf(ctx context.Context, store Store, prefix string, names Names) ([]Object, []string, error) {
	if ranged, is := store.(Ranged); is && !names.All() {
		return ranged.LevelOf(ctx, prefix, names)
	}
	return store.Level(ctx, prefix)
}

// allOf is All for the names of a range, as far as the store can.
func allOf(ctx context.Context, store Store, prefix string, names Names, yield func(Object) error) error {
	if ranged, is := store.(Ranged); is && !names.All() {
		return ranged.AllOf(ctx, prefix, names, yield)
	}
	return store.All(ctx, prefix, yield)
}

// SplitDay parts a key behind the folder of its day: "2026/10/31/" and "07/file". Of a
// key that tells no day the folder is "".
func SplitDay(key string) (folder, name string) {
	var t trail
	for at := 0; ; {
		next, _, inFolder := strings.Cut(key[at:], "/")
		if !inFolder {
			return "", key
		}
		at += len(next) + 1
		if t = t.step(next); t.day != "" {
			return key[:at], key[at:]
		}
	}
}
