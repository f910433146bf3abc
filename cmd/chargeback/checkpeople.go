package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"chargeback/config"
	"chargeback/extract/decode"
	"chargeback/extract/frame"
	"chargeback/extract/objstore"
	"chargeback/extract/record"
	"chargeback/transform/directory"
)

// shownMistakes is how many mistakes of one file of people are named.
const shownMistakes = 10

// checkPeople reads the files of people that lie in folders as a run would, of
// snapshots the newest, and names what it would refuse, and cost centres that
// nobody could be charged by.
func checkPeople(s settings) error {
	var mistakes []error
	for _, src := range s.config.Sources {
		place, err := objstore.ParseURL(src.URL)
		if !src.IsPeople() || err != nil || place.Scheme != config.SchemeFile {
			continue
		}
		file, err := newestFile(place.In(s.config.Dir).Path)
		if err != nil {
			return err
		}
		if file != "" {
			mistakes = append(mistakes, checkPeopleFile(s, src, file)...)
		}
	}
	return errors.Join(mistakes...)
}

// newestFile is the last file by its path below a folder, or the file itself; ""
// where nothing lies there yet.
func newestFile(path string) (newest string, err error) {
	err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
			newest = max(newest, at)
		}
		return err
	})
	return newest, err
}

func checkPeopleFile(s settings, src config.Source, file string) (mistakes []error) {
	more := 0
	add := func(line int64, format string, args ...any) {
		if len(mistakes) == shownMistakes {
			more++
			return
		}
		mistakes = append(mistakes, fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...)))
	}
	known := map[string]bool{}
	rejects, err := readFileOfPeople(s.config, src, file, func(batch *record.Batch, row int) {
		const center, line = 2, 6 // columns of record.PeopleSchema
		code := batch.TextAt(center, row)
		if code == "" || known[code] {
			return
		}
		known[code] = true // each is told once
		if _, is := s.directory.CostCenter(code); is {
			return
		}
		switch full := zerosLost(s.directory, code); {
		case full != "":
			add(batch.Cols[line].Ints[row], "cost_center: %q lost its leading zeros: %s has %q; export the column as text, or correct it", code, s.config.Directory, full)
		case !src.IsSnapshot(): // of an export, most may never use AI
			add(batch.Cols[line].Ints[row], "cost_center: %q is missing from %s; correct it, or add it there", code, s.config.Directory)
		}
	})
	for _, r := range rejects {
		add(r.Line, "%s", r.Reason)
	}
	if err != nil {
		mistakes = append(mistakes, fmt.Errorf("%s: %w", file, err))
	}
	if more > 0 {
		mistakes = append(mistakes, fmt.Errorf("%s: and %d more of the kind", file, more))
	}
	return mistakes
}

func readFileOfPeople(c *config.Config, src config.Source, file string, visit func(batch *record.Batch, row int)) (rejects []decode.Reject, err error) {
	format, err := newFormat(src)
	if err != nil {
		return nil, err
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%w; correct its rights", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	var unpacker frame.Unpacker
	defer unpacker.Close()
	text, err := unpacker.Plain(in)
	if err != nil {
		return nil, err
	}
	return eachPerson(format, text, c.Zone(), visit)
}

// zerosLost is the code of the directory that code is without its leading zeros.
func zerosLost(dir *directory.Directory, code string) string {
	for _, center := range dir.CostCenters() {
		if center.Code != code && strings.TrimLeft(center.Code, "0") == strings.TrimLeft(code, "0") {
			return center.Code
		}
	}
	return ""
}
