// Package demo makes a small company's month of AI usage in a folder: logs in
// the shapes and key layouts that AWS Bedrock and LiteLLM write, the people
// and price files beside them, and a config file to run chargeback with.
//
// It owns: the story of that month, and the truth about it, which it knows
// because it made it up. The same month is the same bytes every time.
// It does not own: reading any of these files, or what becomes of them. It
// works out costs by its own few lines, so that a test can hold them against
// the program's.
package demo

import "errors"

// Zone is the billing zone of the demo company. A part of every business day
// lies in another day of UTC.
const Zone = "Europe/Berlin"

// ErrForeignFolder says that a folder holds files and was not made by the demo.
var ErrForeignFolder = errors.New("it is not empty and not a demo folder; choose a new one with --dir")

// Options says what to make.
type Options struct {
	Month string // YYYY-MM, the business month
	// Every keeps one of so many ordinary calls, and all that are special; 0 and 1
	// keep all. It is for tests on servers that take long.
	Every int
}

// builder collects the demo's files and the truth about them.
type builder struct {
	month  month
	calls  []*call
	files  fileSet
	zipper zipper
	where  map[string]string // call or provider request id -> file
	sum    Summary
}

// Write makes the demo folder dir, or puts its inputs back where they were
// changed or deleted; files that are right already are not touched, and
// neither is anything that was added. Edited files at the top of the folder
// are saved as NAME.bak first and listed in Summary.Kept.
//
// It returns ErrForeignFolder for a folder with other content.
func Write(dir string, opts Options) (Summary, error) {
	m, err := newMonth(opts.Month, Zone)
	if err != nil {
		return Summary{}, err
	}
	if err := claim(dir, m.name); err != nil {
		return Summary{}, err
	}
	m.every = max(opts.Every, 1)
	b := build(m)
	kept, err := b.files.write(dir)
	b.sum.Kept = kept
	return b.sum, err
}

// build makes all files of the month in memory.
func build(m month) *builder {
	b := &builder{month: m, calls: m.calls(), files: fileSet{}, zipper: newZipper(), where: map[string]string{}}
	b.sum = Summary{Month: m.name, Zone: Zone, Days: m.days, People: len(m.staff), Kinds: map[Kind]int{}, Rules: map[string]int{}}
	b.bedrockFiles()
	b.gatewayFiles()
	charges := m.charges(b.calls)
	b.outcome(charges)
	b.sum.Budgets = m.budgets(charges)
	b.configFiles()
	b.sum.Files = len(b.files)
	return b
}
