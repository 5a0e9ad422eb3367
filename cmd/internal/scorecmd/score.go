// Package scorecmd is the subcommand `bench score`: how good a survey's results
// are, held against the truth of the simulated Internet that it looked at.
package scorecmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/bench/simnet/internet/score"
)

// Name is the subcommand's.
const Name = "score"

// Exit statuses.
const (
	statusOK    = 0
	statusWrong = 1
	statusUsage = 2
)

// Schema names the form of the JSON report.
const Schema = "hopquote.score/1"

const help = `Usage: hopquote bench score --truth FILE [--json] RESULTS…

Holds what a survey found against what there is: the interfaces of routers that
answer; the hops, which are a target, a TTL and who answers; and the targets
that do. RESULTS are files that hopquote survey wrote, jsonl, csv or replies,
also compressed, together one survey's; - is standard input.

Missed are all routers that any flow of a target may pass, of which a survey of
few flows sees a part, and of mode adaptive the hops that it knew already.
Wrong must be 0.

Options:
%s
The exit status is 0, 1 if something is wrong, and 2 for mistakes in the
arguments and files that can't be read.

Example:
  hopquote lab --internet=7 --silent 10 --truth 20.0.0.0/24 > truth
  hopquote lab --internet=7 --silent 10 -- hopquote survey -o jsonl:found 20.0.0.0/24
  hopquote bench score --truth truth found
`

// Main scores. args do not hold the subcommand's name. It gives the exit status.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet(Name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	truth := flags.String("truth", "", "`FILE` with the truth, as hopquote lab --truth writes it")
	asJSON := flags.Bool("json", false, "report as JSON")
	wantsHelp := flags.BoolP("help", "h", false, "show this help")
	err := flags.Parse(args)
	switch {
	case err != nil:
	case *wantsHelp:
		fmt.Fprintf(stdout, help, flags.FlagUsages())
		return statusOK
	case *truth == "":
		err = errors.New("--truth is missing")
	case flags.NArg() == 0:
		err = errors.New("no results: want files that hopquote survey wrote")
	}
	if err != nil {
		fmt.Fprintf(stderr, "hopquote bench score: %v\nTry `hopquote bench score --help'.\n", err)
		return statusUsage
	}
	report, err := read(*truth, flags.Args(), stdin)
	if err == nil {
		err = write(stdout, &report, *asJSON)
	}
	if err != nil {
		fmt.Fprintf(stderr, "hopquote bench score: %v\n", err)
		return statusUsage
	}
	if report.Wrong() > 0 {
		return statusWrong
	}
	return statusOK
}

// read scores the results of all files.
func read(truth string, files []string, stdin io.Reader) (score.Report, error) {
	f, err := openFile(truth, stdin)
	if err != nil {
		return score.Report{}, err
	}
	defer f.Close()
	var broken error
	report := score.Score(noting(score.Read(f), &broken), func(yield func(score.Result) bool) {
		if broken != nil {
			broken = fmt.Errorf("%s: %w", truth, broken)
			return
		}
		for _, name := range files {
			for r := range noting(results(name, stdin), &broken) {
				if !yield(r) {
					return
				}
			}
			if broken != nil {
				broken = fmt.Errorf("%s: %w", name, broken)
				return
			}
		}
	})
	return report, broken
}

// noting leaves the error that ends a sequence in err.
func noting[T any](seq iter.Seq2[T, error], err *error) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v, e := range seq {
			if e != nil {
				*err = e
				return
			}
			if !yield(v) {
				return
			}
		}
	}
}

func write(w io.Writer, r *score.Report, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(struct {
			Schema string `json:"schema"`
			*score.Report
		}{Schema, r})
	}
	rows := []struct {
		name string
		score.Tally
	}{{"interfaces", r.Interfaces}, {"hops", r.Hops}, {"targets", r.Targets}}
	text := fmt.Sprintf("%-10s %10s %10s %10s\n", "", "found", "missed", "wrong")
	for _, row := range rows {
		text += fmt.Sprintf("%-10s %10d %10d %10d\n", row.name, row.Found, row.Missed, row.Wrong)
	}
	if r.Strangers > 0 {
		text += fmt.Sprintf("%d results are for targets that the truth does not have\n", r.Strangers)
	}
	_, err := io.WriteString(w, text)
	return err
}

// openFile opens a file, or standard input.
func openFile(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(name)
}
