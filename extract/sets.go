package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"chargeback/extract/decode"
	"chargeback/extract/store"
)

// Standing is what a listing says of an object that an earlier run has read and
// that the listing doesn't have.
type Standing uint8

// The standings.
const (
	Gone       Standing = iota // the object is not in the source
	Superseded                 // its set was replaced, and it is no part of it any more
	Unsettled                  // its set is being written; what was read of it stays
)

// Standing says what has become of an object that Objects lacks.
func (l *Listing) Standing(key string) Standing {
	if l.sets == nil {
		return Gone
	}
	name, _ := l.sets.SetOf(key)
	switch settled, listed := l.settled[name]; {
	case !listed:
		return Gone
	case settled:
		return Superseded
	}
	return Unsettled
}

// Unit names what an object counts with: its set, or the object itself. All of a
// unit is taken in together.
func (s Source) Unit(key string) string {
	if sets, ok := s.Format.(decode.Sets); ok {
		if name, _ := sets.SetOf(key); name != "" {
			return name
		}
	}
	return key
}

// set is what was listed of one set.
type set struct{ manifests, objects []store.Found }

// sort puts an object where it belongs.
func (l *Listing) sort(found map[string]*set, f store.Found) {
	name, kind := l.sets.SetOf(f.Key)
	if name == "" {
		l.Skipped["outside the folders of an export"]++
		return
	}
	if found[name] == nil {
		found[name] = &set{}
	}
	switch kind {
	case decode.SetManifest:
		l.Skipped["export manifest"]++
		found[name].manifests = append(found[name].manifests, f)
	case decode.SetObject:
		found[name].objects = append(found[name].objects, f)
	default:
		l.Skipped["about the export"]++
	}
}

// settle keeps the objects that the newest manifest of each set lists. A set
// that is being written is left out as a whole: it has no manifest yet, or one
// that is older than an object that it lists.
func (s Source) settle(ctx context.Context, l *Listing, found map[string]*set) error {
	l.settled = map[string]bool{}
	for name, of := range found {
		if len(of.manifests)+len(of.objects) == 0 {
			continue
		}
		l.settled[name] = false
		if len(of.manifests) == 0 {
			l.Skipped["month without a manifest yet"] += len(of.objects)
			continue
		}
		manifest := slices.MaxFunc(of.manifests, func(a, b store.Found) int {
			return cmp.Or(a.Modified.Compare(b.Modified), cmp.Compare(a.Key, b.Key))
		})
		listed, err := s.listed(ctx, l.sets, manifest)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			l.Faults = append(l.Faults, Fault{manifest.Key, err.Error()})
			l.Skipped["month whose manifest can't be read"] += len(of.objects)
			continue
		}
		objects, whole := of.pick(listed, manifest)
		if !whole {
			l.Skipped["month that is being written"] += len(of.objects)
			continue
		}
		l.settled[name] = true
		l.Objects = append(l.Objects, objects...)
		if older := len(of.objects) - len(objects); older > 0 {
			l.Skipped["not in the month's manifest"] += older
		}
	}
	return nil
}

// pick returns the objects that are listed. whole is false where one isn't
// there, or was written after the manifest.
func (of *set) pick(listed []string, manifest store.Found) (objects []store.Found, whole bool) {
	byName := map[string][]store.Found{}
	for _, o := range of.objects {
		byName[path.Base(o.Key)] = append(byName[path.Base(o.Key)], o)
	}
	seen := map[string]bool{}
	for _, name := range listed {
		i := slices.IndexFunc(byName[path.Base(name)], func(o store.Found) bool {
			return name == o.Key || strings.HasSuffix(name, "/"+o.Key) || strings.HasSuffix(o.Key, "/"+name)
		})
		if i < 0 {
			return nil, false
		}
		o := byName[path.Base(name)][i]
		if o.Modified.After(manifest.Modified) {
			return nil, false
		}
		if !seen[o.Key] {
			seen[o.Key] = true
			objects = append(objects, o)
		}
	}
	return objects, true
}

// manifestBytes is the longest manifest that is read.
const manifestBytes = 64 << 20

func (s Source) listed(ctx context.Context, sets decode.Sets, manifest store.Found) (names []string, err error) {
	body, err := s.Store.Open(ctx, manifest.Object)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(body, manifestBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	if len(text) > manifestBytes {
		return nil, errors.New("the manifest is too long to be one; is this source really an AWS data export?")
	}
	return sets.Listed(strings.NewReader(string(text)))
}
