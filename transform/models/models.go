// Package models is the SQL that turns staged rows into cost records: one file
// a model, in the order of their numbers, run inside the warehouse.
//
// It owns: dedupe, match, attribute, price, and the promises in each file's
// header comment.
// It does not own: running a model or replacing a day (billing/records), price
// rows (transform/rates), or who owns what (transform/directory).
package models

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"chargeback/extract/record"
)

//go:embed *.sql
var files embed.FS

// Model is one select. Its text may use @parameters and the names of models
// before it.
type Model struct {
	Name    string
	AsTable bool // computed once, because several models read it
	Text    string
	// Unless is what the model is computed for: a model before it, or @ and an argument
	// that may be true. Where it has no rows, or is false, the model has none either, and
	// is a table of Columns.
	Unless  string
	Columns []record.Column
}

// payersPart is the chain of rules that says who pays, which several models hold
// against rows of different shape; payersOf stands for it in their text.
const payersPart = "payers_of.sql"

var payersOf = regexp.MustCompile(`\{payers_of ([a-z_]+)\}\n`)

// withPayers writes the chain into a model's text, without its header.
func withPayers(text, chain string) string {
	return payersOf.ReplaceAllStringFunc(text, func(mark string) string {
		name := payersOf.FindStringSubmatch(mark)[1]
		return strings.ReplaceAll(chain[strings.Index(chain, "  select"):], "{NAME}", "{"+name+"}")
	})
}

// PayersOf is the chain of rules that says who pays, held against the rows of name.
func PayersOf(name string) (string, error) {
	chain, err := files.ReadFile(payersPart)
	return withPayers("{payers_of "+name+"}\n", string(chain)), err
}

// All returns the models in the order in which they run. A file is named
// NNN_name.sql and says "Kept as: table." or "Kept as: view." in its header.
func All() ([]Model, error) {
	names, err := fs.Glob(files, "[0-9]*.sql")
	if err != nil {
		return nil, err
	}
	payers, err := files.ReadFile(payersPart)
	if err != nil {
		return nil, err
	}
	all := make([]Model, 0, len(names))
	for _, file := range names {
		text, err := files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		_, name, found := strings.Cut(strings.TrimSuffix(file, ".sql"), "_")
		asTable := strings.Contains(string(text), "-- Kept as: table.")
		if !found || asTable == strings.Contains(string(text), "-- Kept as: view.") {
			return nil, fmt.Errorf("model %s: must be named NNN_name.sql and say either \"-- Kept as: table.\" or \"-- Kept as: view.\"", file)
		}
		m := Model{Name: name, AsTable: asTable, Text: withPayers(string(text), string(payers))}
		if unless := emptyUnless.FindStringSubmatch(m.Text); unless != nil {
			m.Unless = unless[1]
			if m.Columns, err = columns(unless[2]); err != nil {
				return nil, fmt.Errorf("model %s: %w", file, err)
			}
		}
		all = append(all, m)
	}
	return all, nil
}

var emptyUnless = regexp.MustCompile(`-- Empty unless: (@?[a-z0-9_]+)\.\n-- Columns: ([a-z0-9_, ]+)\.\n`)

// columnTypes are the types that a header may give a column.
var columnTypes = map[string]record.Type{"int": record.Int, "text": record.Text, "date": record.Date, "time": record.Time, "bool": record.Bool, "id": record.ID}

// columns reads those of a header.
func columns(list string) (all []record.Column, err error) {
	for column := range strings.SplitSeq(list, ", ") {
		name, kind, _ := strings.Cut(column, " ")
		typed, is := columnTypes[kind]
		if !is {
			return nil, fmt.Errorf("column %s is a %q", name, kind)
		}
		all = append(all, record.Column{Name: name, Type: typed, Nullable: true})
	}
	return all, nil
}
