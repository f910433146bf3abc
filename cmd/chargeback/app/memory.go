package app

import "runtime/debug"

// beside is what a process needs beside DuckDB's buffers at the most: decoders, what
// DuckDB allocates outside of its own limit, and the program.
const beside = 350_000_000

// sharedMemory divides what the warehouse may use among DuckDB's buffers and the rest
// of the process, so that both together keep to it. Small limits leave two thirds
// to the buffers, large ones nine tenths.
func sharedMemory(limit int64) (buffers int64) {
	return limit - max(min(beside, limit/3), limit/10)
}

// limitGo has Go's collector work harder before its heap outgrows its share of a
// limit, where nobody has set GOMEMLIMIT. Below the floor it would only be slow.
func limitGo(limit int64, getenv func(string) string) {
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(max(beside, limit-sharedMemory(limit)))
	}
}
