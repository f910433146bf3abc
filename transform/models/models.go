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
)

//go:embed *.sql
var files embed.FS

// Model is one select. Its text may use @parameters and the names of models
// before it.
type Model struct {
	Name    string
	AsTable bool // computed once, because several models read it
	Text    string
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
		all = append(all, Model{Name: name, AsTable: asTable, Text: withPayers(string(text), string(payers))})
	}
	return all, nil
}
