// Package benchcmd is the command line of the bench: what is to be measured, in
// which form it is reported, and the exit status.
package benchcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/contest"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/machine"
	"github.com/hopquote/hopquote/bench/report"
	"github.com/hopquote/hopquote/cmd/internal/scorecmd"
)

// Exit statuses, besides 128 plus the number of the signal that ended a run.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2
)

const help = `Usage: hopquote bench [options] SUBCOMMAND…

  frames  build a probe: templates and gopacket
  decode  read a reply and find its probe: ours, gopacket and a Go map
  tx      senders: frames a second, counted by the link
  rx      the receive ring under flood: what it loses and costs
  loop    the engine beside the bare loop, every probe answered
  trace   one trace, and many, beside traceroute and scamper
  peers   side by side: whichever of traceroute, scamper, mtr, masscan, zmap and
          dublin-traceroute are installed, ours, and --peer's
  survey  whole surveys in each mode, beside the bare loop and scamper: speed,
          memory, pacing, and what they find of what there is
  all     all of these
  score   something else: how good a survey's results are, see score --help

Everything happens in network namespaces made for the purpose, on a simulated
Internet whose own counters are the truth that all others are held against. It
needs root; an ordinary user gets it simulated in user space, in a user
namespace. A row whose counts contradict each other says so, and the exit status
is 1.

Options:
%s
A COMMAND of --peer is for a shell, and may have in it: %s.
Without {output} its standard output counts. A line is a reply, but for what is
named as a prober whose output is known, yarrp and caracal among them.
`

// Main runs the bench. args do not hold the program's name. It gives the exit
// status: 0, 1 if something failed or counts disagree, 2 for a mistake in args,
// 130 or 143 when a signal ended the run, with what was measured until then.
func Main(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == bareName {
		return bareMain(args[1:], stdout, stderr)
	}
	if len(args) > 0 && args[0] == scorecmd.Name {
		return scorecmd.Main(args[1:], os.Stdin, stdout, stderr)
	}
	o, err := parse(args)
	if err == nil && o.help {
		fmt.Fprintf(stdout, help, o.flags.FlagUsagesWrapped(80), contest.Placeholders)
		return statusOK
	}
	var b *bench
	if err == nil {
		b, err = plan(o)
	}
	if err != nil {
		fmt.Fprintf(stderr, "hopquote bench: %v\nTry `hopquote bench --help'.\n", err)
		return statusUsage
	}
	if o.needsNetwork() {
		if err := lab.Reexec(); err != nil {
			return fail(stderr, err)
		}
	}
	ctx, signaled, stop := catch()
	defer stop()
	r := &report.Report{
		Version: version(), Command: append([]string{"hopquote", "bench"}, o.args...), Start: time.Now(),
		Rounds: o.rounds, Seed: o.seed, Machine: machine.Read(),
	}
	if err := b.measureAll(ctx, r, stderr); err != nil {
		r.Error = err.Error()
	}
	r.End = time.Now()
	if err := write(o, r, stdout); err != nil {
		return fail(stderr, err)
	}
	switch {
	case signaled() != 0:
		return 128 + int(signaled())
	case r.Error != "":
		return fail(stderr, errors.New(r.Error))
	case r.Failed():
		return fail(stderr, errors.New("counts contradict each other, or a run failed: see above"))
	}
	return statusOK
}

// fail reports what kept the bench from its work.
func fail(stderr io.Writer, err error) int {
	text := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "lab: "), "\n", "; ")
	fmt.Fprintf(stderr, "hopquote bench: %s\n", text)
	return statusFailed
}

func (o *options) needsNetwork() bool {
	for _, s := range o.suites {
		if s != "frames" && s != "decode" {
			return true
		}
	}
	return false
}

// catch ends the context at the first SIGINT or SIGTERM; the second ends the
// process. signaled gives the first, 0 if none came.
func catch() (ctx context.Context, signaled func() unix.Signal, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGINT, unix.SIGTERM)
	first := make(chan unix.Signal, 1)
	go func() {
		s, ok := <-caught
		if !ok {
			return
		}
		signal.Stop(caught)
		first <- s.(syscall.Signal)
		cancel(errors.New("interrupted"))
	}()
	var got unix.Signal
	signaled = func() unix.Signal {
		select {
		case got = <-first:
		default:
		}
		return got
	}
	return ctx, signaled, func() { signal.Stop(caught); close(caught); cancel(nil) }
}

// write writes the report in the form that was asked for, and the plots.
func write(o *options, r *report.Report, stdout io.Writer) error {
	form := map[string]func(io.Writer) error{
		formatTable: r.WriteText, formatJSON: r.WriteJSON, formatMarkdown: r.WriteMarkdown,
	}[o.format]
	if err := form(stdout); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if o.plot == "" {
		return nil
	}
	return drawPlots(o, r)
}
