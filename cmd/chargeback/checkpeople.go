package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"chargeback/billing/records"
	"chargeback/cmd/chargeback/app"
	"chargeback/config"
	"chargeback/extract/decode"
	"chargeback/extract/frame"
	"chargeback/extract/record"
	"chargeback/extract/store"
	"chargeback/transform/directory"
	"chargeback/transform/strictyaml"
)

// shownMistakes is how many mistakes of one file of people are named.
const shownMistakes = 10

// checkPeople reads the files of people that lie in folders as a run would, of
// snapshots the newest, and names what it would refuse, and cost centres that
// nobody could be charged by.
func checkPeople(s app.Settings) error {
	var mistakes []error
	for _, src := range s.Config.Sources {
		place, err := store.ParseURL(src.URL)
		if !src.IsPeople() || err != nil || place.Scheme != config.SchemeFile {
			continue
		}
		file, err := newestFile(place.In(s.Config.Dir).Path)
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

func checkPeopleFile(s app.Settings, src config.Source, file string) (mistakes []error) {
	more := 0
	add := func(line int64, format string, args ...any) {
		if len(mistakes) == shownMistakes {
			more++
			return
		}
		mistakes = append(mistakes, fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...)))
	}
	people := 0
	told := map[records.CostCenter]bool{}
	type start struct {
		email string
		day   int64
	}
	starts := map[start]personRow{}
	rejects, err := readFileOfPeople(s.Config, src, file, func(batch *record.Batch, row int) {
		people++
		p := personAt(batch, row)
		if !src.IsSnapshot() {
			if !strictyaml.IsAddress(p.email) {
				add(p.line, "email: holds no e-mail address; write the person's, or name the right column email")
			}
			first, twice := starts[start{p.email, p.from}]
			if !twice {
				starts[start{p.email, p.from}] = p
			} else if first.CostCenter != p.CostCenter || first.to != p.to {
				add(p.line, "valid_from: the row on line %d is of the same person, starts on the same day and differs, so neither counts; remove one of them, or correct its day", first.line)
			}
		}
		if p.Code == "" || told[p.CostCenter] {
			return
		}
		told[p.CostCenter] = true
		switch known, is := s.Directory.CostCenter(p.Code); {
		case src.IsSnapshot() && is: // the directory says which department it belongs to
		case is && known.Department != p.Department:
			add(p.line, "department: %s belongs to %q by %s, not to %q; correct one of the two", p.Code, known.Department, s.Config.Directory, p.Department)
		case is:
		case zerosLost(s.Directory, p.Code) != "":
			add(p.line, "cost_center: %q lost its leading zeros: %s has %q; export the column as text, or correct it", p.Code, s.Config.Directory, zerosLost(s.Directory, p.Code))
		case !src.IsSnapshot(): // of an export, most may never use AI
			add(p.line, "cost_center: %q is missing from %s; correct it, or add it there", p.Code, s.Config.Directory)
		}
	})
	if people == 0 && len(rejects) == 0 && err == nil {
		add(1, "holds nobody, so all usage would be unallocated; write a row a person below the names of the columns")
	}
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

// personRow is what is checked of a row.
type personRow struct {
	records.CostCenter
	email          string
	from, to, line int64
}

func personAt(batch *record.Batch, row int) personRow {
	const email, department, center, from, to, line = 0, 1, 2, 3, 4, 6 // columns of record.PeopleSchema
	return personRow{
		records.CostCenter{Code: batch.TextAt(center, row), Department: batch.TextAt(department, row)},
		batch.TextAt(email, row), batch.Cols[from].Ints[row], batch.Cols[to].Ints[row], batch.Cols[line].Ints[row],
	}
}

func readFileOfPeople(c *config.Config, src config.Source, file string, visit func(batch *record.Batch, row int)) (rejects []decode.Reject, err error) {
	format, err := app.NewFormat(src)
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
