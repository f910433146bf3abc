package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// listingsMax is how many folders Walk lists at once. A listing waits for the
// store's answer and costs nothing meanwhile.
const listingsMax = 16

// Found is an object with what its key tells about its delivery; see DayOf.
type Found struct {
	Object
	Day  string // "2026-10-31", or "" for an undated object
	Hour int    // 0 to 23, or HourUnknown
}

// Walk yields, each once and in any order, the objects of the store that lie
// in a day folder of the range, and all that lie in no day folder: an undated
// object may hold anything, so it is never left out.
//
// Folders are entered one level at a time, several side by side; a day folder
// outside the range is not listed at all, a year's or month's is, because it
// may hold undated objects. yield is called from the caller's goroutine only.
// Its error ends the walk and is returned as it is.
func Walk(ctx context.Context, store Store, days DayRange, yield func(Found) error) error {
	_, err := WalkNames(ctx, store, days, Names{}, yield)
	return err
}

// WalkNames is Walk for a range of the names within each day's folder, of which it asks
// for no others where the store can. It returns the days' folders.
func WalkNames(ctx context.Context, store Store, days DayRange, names Names, yield func(Found) error) (folders []string, err error) {
	if err := days.check(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	w := walker{store: store, days: days, names: names, events: make(chan event, 256)}
	defer w.running.Wait()
	defer stop()

	todo := []folder{{}}
	for busy := 0; len(todo) > 0 || busy > 0; {
		for busy < listingsMax && len(todo) > 0 {
			next := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			busy++
			w.running.Go(func() { w.list(ctx, next) })
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e := <-w.events:
			if e.err != nil {
				return nil, e.err
			}
			if e.listed {
				busy--
				for _, f := range e.folders {
					if f.trail.day != "" && !f.trail.below {
						folders = append(folders, f.prefix)
					}
				}
				todo = append(todo, e.folders...)
				continue
			}
			if err := yield(e.found); err != nil {
				return nil, err
			}
		}
	}
	return folders, nil
}

// folder is one folder still to be listed.
type folder struct {
	prefix string
	trail  trail
	whole  bool  // everything below it is wanted, so one listing does
	names  Names // of a day's folder, or of one below it: those that are wanted
}

// event is what a listing reports: an object, or that it is over.
type event struct {
	found   Found
	listed  bool
	folders []folder
	err     error
}

type walker struct {
	store   Store
	days    DayRange
	names   Names // within the days' folders
	events  chan event
	running sync.WaitGroup
}

// list lists one folder and reports what it holds.
func (w *walker) list(ctx context.Context, f folder) {
	var folders []folder
	var err error
	if f.whole {
		err = allOf(ctx, w.store, f.prefix, f.names, func(o Object) error { return w.offer(ctx, o) })
	} else {
		folders, err = w.listLevel(ctx, f)
	}
	_ = w.send(ctx, event{listed: true, folders: folders, err: err})
}

func (w *walker) listLevel(ctx context.Context, f folder) ([]folder, error) {
	objects, names, err := levelOf(ctx, w.store, f.prefix, f.names)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		if err := w.offer(ctx, o); err != nil {
			return nil, err
		}
	}
	var folders []folder
	for _, name := range names {
		base := strings.TrimSuffix(strings.TrimPrefix(name, f.prefix), "/")
		if name != f.prefix+base+"/" || strings.Contains(base, "/") {
			return nil, fmt.Errorf("list %s: folder %q does not lie in %q; report this driver's fault", w.store, name, f.prefix)
		}
		below := folder{prefix: name, trail: f.trail.step(base)}
		if below.trail.day != "" {
			below.names = w.names.On(below.trail.day)
		}
		if below.trail.below {
			var none bool
			if below.names, none = f.names.below(base + "/"); none {
				continue
			}
		}
		if w.days.Has(below.trail.day, below.trail.hour-1) {
			below.whole = w.isWhole(below.trail)
			folders = append(folders, below)
		}
	}
	return folders, nil
}

// isWhole says that nothing below a folder needs to be chosen by its name.
func (w *walker) isWhole(t trail) bool {
	if t.day == "" {
		return t.undated()
	}
	return t.below || t.day != w.days.partialDay()
}

// offer reports an object if the range has it.
func (w *walker) offer(ctx context.Context, o Object) error {
	day, hour := DayOf(o.Key)
	if !w.days.Has(day, hour) {
		return nil
	}
	if day != "" && !w.names.All() {
		if _, name := SplitDay(o.Key); !w.names.On(day).Has(name) {
			return nil
		}
	}
	return w.send(ctx, event{found: Found{Object: o, Day: day, Hour: hour}})
}

func (w *walker) send(ctx context.Context, e event) error {
	select {
	case w.events <- e:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
