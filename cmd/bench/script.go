package main

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver "duckdb"

	"chargeback/transform/money"
)

//go:embed script.sql
var scriptSQL string

// scriptResult is what the script prints, as one line of JSON.
type scriptResult struct {
	Usage      int       `json:"usage"`    // usage lines after dedupe
	Requests   int       `json:"requests"` // request lines after dedupe
	Records    int       `json:"records"`  // cost records stored
	LLMCostUSD money.USD `json:"llm_cost_usd"`
}

func scriptCommand(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("script takes a data folder and a database file")
	}
	result, err := runScript(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// runScript runs the hand-written script over dir into a new database file.
func runScript(ctx context.Context, dir, database string) (result scriptResult, err error) {
	if err := removeDatabase(database); err != nil {
		return result, err
	}
	db, err := sql.Open("duckdb", database)
	if err != nil {
		return result, fmt.Errorf("open %s: %w", database, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx) // variables and temp tables belong to one connection
	if err != nil {
		return result, fmt.Errorf("open %s: %w", database, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, prologue(dir)+scriptSQL); err != nil {
		return result, fmt.Errorf("run script over %s: %w", dir, err)
	}
	row := conn.QueryRowContext(ctx, `select
	  (select count(*) from usage),
	  (select count(*) from requests),
	  (select sum(records)::bigint from summary),
	  (select sum(llm_cost_usd)::varchar from summary)`)
	if err := row.Scan(&result.Usage, &result.Requests, &result.Records, &result.LLMCostUSD); err != nil {
		return result, fmt.Errorf("read the script's totals: %w", err)
	}
	return result, nil
}

// prologue is what the script finds in place: the folder, the fee and the prices.
func prologue(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "set preserve_insertion_order = false;\nset variable dir = %s;\nset variable infra_fee = '%s';\n", quote(dir), infraFeeUSD)
	b.WriteString("create table prices (model varchar, input decimal(18, 12), cache_read decimal(18, 12), output decimal(18, 12), valid_from timestamp, valid_to timestamp);\n")
	for _, m := range models {
		fmt.Fprintf(&b, "insert into prices values (%s, %s, %s, %s, timestamp '2026-01-01', timestamp '2999-01-01');\n",
			quote(m.id), perToken(m.input).Fixed(), perToken(m.cacheRead).Fixed(), perToken(m.output).Fixed())
	}
	return b.String()
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// removeDatabase deletes a DuckDB file and what DuckDB keeps beside it.
func removeDatabase(path string) error {
	return errors.Join(os.RemoveAll(path), os.RemoveAll(path+".wal"), os.RemoveAll(path+".tmp"))
}
