// Package typeset sets names of any script in lines of glyphs.
//
// It owns: which fonts there are and which of them draws what, the order of
// text that is read from the right, and shaping: letters that join, marks that
// move, vowels that stand before their consonant.
// It does not own: the page and its built-in font (billing/invoice/pdf), or
// where fonts are looked for (cmd).
package typeset

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Set is the fonts that text may be drawn with beside the built-in one: first
// those that the operator names, in their order, then the system's. The zero
// Set has none. It may be used by several goroutines.
type Set struct {
	own     []*Font
	folders []string
	whole   *Set // that this is a part of; nil: of none

	mu     sync.Mutex // of the whole also guards its parts, which share fonts with it
	system []*Font    // nil until something needs them
	looked bool
	order  map[suited][2][]*Font
	lines  map[lineKey]Line
	only   map[string]*Set
}

// Open reads which characters the operator's fonts have. A file that can't be
// read, or that has no font to draw with, is an error. Folders are those of the system: they are
// looked through when a text needs them, and what is no font in them is passed
// over.
func Open(files, folders []string) (*Set, error) {
	s := &Set{folders: folders}
	var problems []error
	for _, file := range files {
		fonts, err := scan(file)
		if err != nil {
			problems = append(problems, err)
		}
		for _, f := range fonts {
			f.own = true
		}
		s.own = append(s.own, fonts...)
	}
	return s, errors.Join(problems...)
}

func (s *Set) lock() (unlock func()) {
	if s.whole != nil {
		return s.whole.lock()
	}
	s.mu.Lock()
	return s.mu.Unlock
}

// Check says why the fonts of a file can't be drawn with, nil if they can.
func Check(file string) error {
	fonts, err := scan(file)
	problems := []error{err}
	for _, f := range fonts {
		problems = append(problems, f.load())
	}
	return errors.Join(problems...)
}

// look finds the system's fonts.
func (s *Set) look() {
	if s.looked {
		return
	}
	s.looked = true
	for _, folder := range s.folders {
		_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return nil // no such folder, or none that we may read
			}
			switch strings.ToLower(filepath.Ext(path)) {
			case ".ttf", ".otf", ".ttc", ".otc":
				if fonts, err := scan(path); err == nil {
					s.system = append(s.system, fonts...)
				}
			}
			return nil
		})
	}
}

// suited is what fonts are put in order for.
type suited struct {
	weight Weight
	wants  wants
}

// tiers are the operator's fonts and the system's, those that suit best first.
func (s *Set) tiers(by suited) [2][]*Font {
	if known, ok := s.order[by]; ok {
		return known
	}
	s.look()
	system := slices.SortedFunc(slices.Values(s.system), func(a, b *Font) int {
		return cmp.Or(by.wants.compare(a, b), a.compare(b, by.weight))
	})
	own := slices.Clone(s.own)
	slices.SortStableFunc(own, func(a, b *Font) int {
		fits := func(f *Font) int {
			if f.bold() == (by.weight == Bold) {
				return 0
			}
			return 1
		}
		return fits(a) - fits(b)
	})
	if s.order == nil {
		s.order = map[suited][2][]*Font{}
	}
	s.order[by] = [2][]*Font{own, system}
	return s.order[by]
}

// choose is the font that draws the longest beginning of clusters, and the
// number of clusters that it draws; nil where none draws the first. Of the
// system's fonts those that are made for the text's language go first.
func (s *Set) choose(clusters [][]rune, by suited) (best *Font, most int) {
	for _, tier := range s.tiers(by) {
		for {
			if best, most = longest(tier, clusters); best == nil {
				break
			}
			if best.load() == nil {
				return best, most
			}
		}
	}
	return nil, 0
}

// longest is the first font that draws the longest beginning of clusters.
func longest(fonts []*Font, clusters [][]rune) (best *Font, most int) {
	for _, f := range fonts {
		n := 0
		for n < len(clusters) && f.broken == nil && f.has(clusters[n]) {
			n++
		}
		if n > most {
			best, most = f, n
		}
		if most == len(clusters) {
			break
		}
	}
	return best, most
}

// Only is the set of the fonts that ids name, in whatever place they lie, and
// those of ids that are not on this machine.
func (s *Set) Only(ids []ID) (only *Set, lost []ID) {
	defer s.lock()()
	key := ""
	for _, id := range ids {
		key += strconv.Quote(id.File) + strconv.Itoa(id.Index) + id.SHA256
	}
	if known := s.only[key]; known != nil {
		return known, nil
	}
	only = &Set{looked: true, whole: s}
	if len(ids) > 0 {
		s.look()
	}
	for _, id := range ids {
		at := slices.IndexFunc(slices.Concat(s.own, s.system), func(f *Font) bool {
			return f.ID.File == id.File && f.ID.Index == id.Index && f.load() == nil && f.ID.SHA256 == id.SHA256
		})
		switch {
		case at < 0:
			lost = append(lost, id)
		case at < len(s.own):
			only.own = append(only.own, s.own[at])
		default:
			only.system = append(only.system, s.system[at-len(s.own)])
		}
	}
	if len(lost) == 0 {
		if s.only == nil {
			s.only = map[string]*Set{}
		}
		s.only[key] = only
	}
	return only, lost
}

func (id ID) String() string {
	if id.Index > 0 {
		return fmt.Sprintf("%s, font %d (sha256 %.12s)", id.File, id.Index+1, id.SHA256)
	}
	return fmt.Sprintf("%s (sha256 %.12s)", id.File, id.SHA256)
}
