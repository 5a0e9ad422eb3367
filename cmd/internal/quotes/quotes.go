// Package quotes is the subcommand `quotes`: it reads captures, attributes
// every reply in them to the probe that caused it, and reports what routers
// quoted and what would have told the probes apart.
package quotes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/capturefile"
	"github.com/hopquote/hopquote/cmd/internal/quotes/summary"
	"github.com/hopquote/hopquote/cmd/internal/quotes/view"
	"github.com/hopquote/hopquote/rx/attribute"
)

// Exit statuses.
const (
	statusOK          = 0
	statusFailed      = 1   // a file or an output could not be opened or written
	statusUsage       = 2   // a mistake in the arguments
	statusDamaged     = 3   // a capture could be read only in part; what was read is reported
	statusInterrupted = 130 // the same, after SIGINT
	statusTerminated  = 143 // and after SIGTERM
)

// What is printed goes out in whole records, whatever ends the program between
// two writes: the buffer is written when there may be no room for one more.
const (
	outputSize = 256 << 10
	recordRoom = 128 << 10
)

// Main is the subcommand. args do not hold its own name. It gives the exit
// status.
func Main(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "hopquote quotes: %v\nTry `hopquote quotes --help'.\n", err)
		return statusUsage
	}
	out := bufio.NewWriterSize(stdout, outputSize)
	switch {
	case o.help:
		fmt.Fprintf(out, help, o.flags.FlagUsages())
		return flush(out, stderr, statusOK)
	case o.identity:
		view.Identity(out)
		return flush(out, stderr, statusOK)
	case o.explain:
		view.Explain(out)
		return flush(out, stderr, statusOK)
	}
	ctx, stop := signalled()
	defer stop()
	status, err := o.run(ctx, out, stderr)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintf(stderr, "hopquote quotes: %v\n", err)
		return statusFailed
	}
	return status
}

func flush(out *bufio.Writer, stderr io.Writer, status int) int {
	if err := out.Flush(); err != nil {
		fmt.Fprintf(stderr, "hopquote quotes: %v\n", err)
		return statusFailed
	}
	return status
}

// errSignal is the cause of a context that a signal ended.
type errSignal struct{ syscall.Signal }

func (e errSignal) Error() string { return "ended by " + e.name() }

func (e errSignal) name() string {
	if e.Signal == syscall.SIGTERM {
		return "SIGTERM"
	}
	return "SIGINT"
}

func (e errSignal) status() int {
	if e.Signal == syscall.SIGTERM {
		return statusTerminated
	}
	return statusInterrupted
}

func signalled() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-c:
			cancel(errSignal{s.(syscall.Signal)})
			signal.Stop(c) // the second one ends the program
		case <-done:
		}
	}()
	return ctx, func() { signal.Stop(c); close(done); cancel(nil) }
}

// run reads all captures and prints what the options ask for.
func (o *options) run(ctx context.Context, out *bufio.Writer, stderr io.Writer) (int, error) {
	var files []*capturefile.Reader
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	for _, path := range o.files {
		f, err := capturefile.OpenContext(ctx, path)
		if errors.As(err, new(errSignal)) {
			break
		}
		if err != nil {
			return 0, err
		}
		files = append(files, f)
	}
	w := &view.Run{Format: o.format, Tables: o.tables, Limit: o.limit, Wide: o.wide, Filtered: !o.filter.empty(), Out: out}
	merge := capturefile.NewMerge(files)
	if err := o.read(ctx, merge, w, out); err != nil {
		return 0, err
	}
	for _, f := range files {
		w.Files = append(w.Files, view.File{Name: f.Name(), Packets: f.Packets(), Bytes: f.Bytes(), Dropped: f.Dropped()})
	}
	status := statusOK
	for _, d := range merge.Damage {
		if errors.As(d, new(errSignal)) {
			continue
		}
		fmt.Fprintf(stderr, "hopquote quotes: %v; what comes before is reported\n", d)
		w.Damage = append(w.Damage, d.Error())
		status = statusDamaged
	}
	var sig errSignal
	if errors.As(context.Cause(ctx), &sig) {
		fmt.Fprintf(stderr, "hopquote quotes: %v; what was read until then is reported\n", sig)
		w.Interrupted = sig.name()
		status = sig.status()
	}
	if err := w.End(); err != nil {
		return 0, err
	}
	if o.plot != "" {
		if err := view.Plot(o.plot, w.Scores); err != nil {
			return 0, err
		}
	}
	return status, nil
}

// read takes all packets through the tracker.
func (o *options) read(ctx context.Context, merge *capturefile.Merge, w *view.Run, out *bufio.Writer) error {
	tracker := attribute.New(o.config)
	w.Summary = summary.New()
	var p capturefile.Packet
	var r attribute.Result
	var first, last int64
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			break
		}
		if err := merge.Next(&p); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if n == 0 {
			first, last = p.At, p.At
		}
		first, last = min(first, p.At), max(last, p.At)
		ip, link := p.IP()
		tracker.Packet(time.Duration(p.At), link, ip, &r)
		if r.Class != attribute.Reply || !o.filter.passes(&r) {
			continue
		}
		w.Summary.Add(&r)
		if err := w.Reply(&r); err != nil {
			return err
		}
		if out.Available() < recordRoom {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	w.First, w.Last = first, last
	w.Counts, w.Scores = tracker.Counts(), tracker.Scores()
	return nil
}

const help = `Usage: hopquote quotes [OPTIONS] CAPTURE...

Reads captures (pcap or pcapng, also compressed by gzip or zstd; "-" is standard
input) made by any program, finds for each ICMP error and each direct answer
the packet in them that caused it, and reports who quoted how much, what was
changed on the way, which extensions came, and how well simpler keys than all
of the evidence would have attributed the replies. Several captures are merged
by time.

%s
Exit status: 0 all was read, 1 a file can't be opened or an output written, 2 a
mistake in the arguments, 3 a capture is damaged and what comes before the
damage is reported, 130 and 143 ended by SIGINT and SIGTERM, the same. Who closes
standard output before its end, as head does, ends it by SIGPIPE.
`
