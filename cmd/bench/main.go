// Command bench measures a nightly run against a DuckDB script that a good
// engineer would write by hand for the same data.
//
//	go run ./cmd/bench gen -n 2000000 -files 16 -out DIR
//	go run ./cmd/bench script DIR DB
//	go run ./cmd/bench run DIR
//
// and the closes of two months of many cost centres, of which the second corrects the first
// for each:
//
//	go run ./cmd/bench close -centers 3000
//
// the first night of a day of ten times as many requests:
//
//	go run ./cmd/bench linear -n 2000000
//
// reports in a ledger of twelve months, of which the daily sums are filled alone:
//
//	go run ./cmd/bench report
//
// a night in a ledger that holds seven earlier days of the same size:
//
//	go run ./cmd/bench later -n 500000
//
// and a night over many objects of one record, from a folder and from an S3 server
// whose answers come late:
//
//	SERVERS=s3 .ci/servers go run ./cmd/bench small -objects 10000
//
// and the bytes that BigQuery would bill for nights, closes, reports and explanations,
// by a model, at volumes that no machine here holds:
//
//	go run ./cmd/bench bytes -v
//
// It owns: the generated day, the hand-written script, the comparison, the
// generated company of many cost centres, the year of daily sums and the late answers.
// It does not own: anything that a nightly run uses; it runs the built
// program as an operator would, but for bytes, which looks at what is asked of the
// warehouse (the model is billing/warehouse/billed), and report, which fills the
// ledger's tables itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

const usage = `usage:
  bench gen [-n PAIRS] [-files N] -out DIR   write one day of logs, people and config; done once
  bench script DIR DB                        run the hand-written DuckDB script over DIR into the file DB
  bench run [-runs N] DIR                    run both in turn and compare medians
  bench later [-n PAIRS] [-days N]           run a night in a ledger of N earlier days, each partly late
  bench linear [-n PAIRS]                    run the first night of a day, and of one of ten times as many requests
  bench close [-centers N]                   close two months of a company of N cost centres, the second with a correction each
  bench report [-n REQUESTS] [-sums N]       print how long reports take in a ledger of twelve months of daily sums
  bench bytes [-n PAIRS] [-v]                print what BigQuery would bill by the model for 10 million and 1 billion requests a day
  bench small [-objects N] [-delay D]        run a night over N objects of one record, from a folder and from an S3 server that answers D late
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := dispatch(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// dispatch runs the verb that args start with.
func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("no verb; name gen, script, run, later, linear, close, report, bytes or small")
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "gen":
		return genCommand(rest)
	case "script":
		return scriptCommand(ctx, rest)
	case "run":
		return runCommand(ctx, rest)
	case "later":
		return laterCommand(ctx, rest)
	case "linear":
		return linearCommand(ctx, rest)
	case "close":
		return closeCommand(ctx, rest)
	case "report":
		return reportCommand(ctx, rest)
	case "bytes":
		return bytesCommand(ctx, rest)
	case "small":
		return smallCommand(ctx, rest)
	default:
		fmt.Fprint(os.Stderr, usage)
		return fmt.Errorf("unknown verb %q; name gen, script, run, later, linear, close, report, bytes or small", verb)
	}
}
