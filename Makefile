# make without a target prints what there is.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

GO ?= go
FOLDERS := cmd config jobs extract transform billing templates

# Flags of the tests; .ci/unit adds -race where it pays. vet has run before. On two
# busy cores the tests against the BigQuery emulator take longer than go's 10 minutes.
TESTFLAGS ?= -vet=off -timeout=40m

# How long each fuzz target runs, its seeds included, as a time or a number of inputs.
FUZZTIME ?= 3s

# A soak is what a night or a weekend is for: fuzzing from the inputs that earlier
# soaks have kept, many random worlds, and each test at its full size.
SOAKTIME ?= 10m
SOAK_WORLDS ?= 1000
CORPUS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/chargeback/corpus

BENCH_DIR ?= $(or $(TMPDIR),/tmp)/chargeback-bench
BENCH_ROWS ?= 2000000
BENCH_LATER_ROWS ?= 500000
BENCH_RUNS ?= 3

.PHONY: help demo test tools lint vet unit fuzz soak bench

help: ## this list
	@echo "make TARGET, where TARGET is one of:"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1:/' | awk -F: '{ printf "%-10s %s\n", $$1, $$2 }'

demo: ## make a small company's month in ./chargeback-demo and run it
	@$(GO) run ./cmd/chargeback demo

test: tools lint unit fuzz ## install what is missing, then lint, all tests and a short run of every fuzz target

lint: vet ## gofmt, go vet and staticcheck
	@unformatted=$$(gofmt -l $(wildcard $(FOLDERS))); \
	if [ -n "$$unformatted" ]; then printf 'gofmt would change %s; run gofmt -w on it\n' $$unformatted >&2; exit 1; fi
	@$(GO) tool staticcheck ./...

fuzz: ## run every fuzz target for FUZZTIME (3s)
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" .ci/fuzz

soak: tools ## fuzz each target for SOAKTIME (10m) with a corpus that is kept, then all tests at full size with SOAK_WORLDS (1000) random worlds each
	@GO="$(GO)" FUZZTIME="$(SOAKTIME)" CORPUS="$(CORPUS)" .ci/fuzz
	@GO="$(GO)" CHARGEBACK_TEST_SOAK=1 EXACT_REQUESTS=10000000 RAPID_CHECKS=$(SOAK_WORLDS) .ci/servers .ci/unit -vet=off -timeout=48h

bench: ## compare a nightly run over BENCH_ROWS requests with a hand-written DuckDB script; run one in a ledger of earlier days and one of ten times as many requests, close months of many cost centres, read reports of a year, print what BigQuery would bill, and run one over small objects of a late server
	@mkdir -p $(BENCH_DIR)
	@$(GO) build -o $(BENCH_DIR)/bench ./cmd/bench
	@$(BENCH_DIR)/bench gen -n $(BENCH_ROWS) -out $(BENCH_DIR)/$(BENCH_ROWS)
	@$(BENCH_DIR)/bench run -runs $(BENCH_RUNS) $(BENCH_DIR)/$(BENCH_ROWS)
	@$(BENCH_DIR)/bench later -n $(BENCH_LATER_ROWS)
	@$(BENCH_DIR)/bench linear -n $(BENCH_ROWS)
	@$(BENCH_DIR)/bench close
	@$(BENCH_DIR)/bench report -runs $(BENCH_RUNS)
	@$(BENCH_DIR)/bench bytes
	@GO="$(GO)" SERVERS=s3 .ci/servers $(BENCH_DIR)/bench small -runs $(BENCH_RUNS)

tools:
	@.ci/tools

vet:
	@$(GO) vet ./...

unit:
	@GO="$(GO)" .ci/servers .ci/unit $(TESTFLAGS)
