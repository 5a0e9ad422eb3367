package benchcmd

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/pflag"

	"github.com/hopquote/hopquote/bench/bare"
	"github.com/hopquote/hopquote/bench/transmit"
)

// bareName is the subcommand that the loop suite runs as a child process, so
// that its CPU time and memory are those of a whole process. It is for nobody
// else, and so in no help.
const bareName = "bare"

func bareMain(args []string, stdout, stderr io.Writer) int {
	f := pflag.NewFlagSet(bareName, pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	sender := f.String("sender", "packet", "")
	target := f.String("target", "", "")
	probes := f.Uint64("probes", 0, "")
	rate := f.Float64("rate", 0, "")
	hops := f.Int("hops", 1, "")
	var p profiles
	f.StringVar(&p.cpu, "cpuprofile", "", "")
	f.StringVar(&p.trace, "trace", "", "")
	err := f.Parse(args)
	kind, known := transmit.Find(*sender)
	destination, aerr := netip.ParseAddr(*target)
	switch {
	case err != nil:
	case !known:
		err = fmt.Errorf("unknown sender %q", *sender)
	case aerr != nil:
		err = aerr
	case *hops < 1 || *hops > 255:
		err = fmt.Errorf("%d hops, want 1..255", *hops)
	}
	if err != nil {
		fmt.Fprintf(stderr, "hopquote bench bare: %v\n", err)
		return statusUsage
	}
	if err := p.start(); err != nil {
		return fail(stderr, err)
	}
	r, err := bare.Run(context.Background(), bare.Config{
		Destination: destination, Sender: kind, Probes: *probes, Rate: *rate, Hops: *hops,
	})
	if perr := p.stop(); err == nil {
		err = perr
	}
	if err == nil {
		err = r.Write(stdout)
	}
	if err != nil {
		return fail(stderr, err)
	}
	return statusOK
}
