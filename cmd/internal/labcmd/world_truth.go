package labcmd

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/netip"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/bench/simnet/internet/score"
	"github.com/hopquote/hopquote/cmd/internal/target"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// dumpTruth writes the true paths to targets, which are as the survey takes
// them, as JSON lines.
func dumpTruth(c internet.Config, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	targets, err := readTargets(args, stdin)
	if err != nil {
		return usage(stderr, "lab", err)
	}
	if err := score.Write(stdout, score.Truth(c, targets, score.View{})); err != nil {
		return fail(stderr, "lab", err)
	}
	return statusOK
}

func readTargets(args []string, stdin io.Reader) (iter.Seq[netip.Addr], error) {
	if len(args) == 0 {
		return nil, errors.New("--truth needs targets")
	}
	var b space.Builder
	r := target.Reader{Add: b.Add, Stdin: stdin}
	for _, arg := range args {
		if err := r.Argument(context.Background(), arg); err != nil {
			return nil, err
		}
	}
	all, err := b.Build(space.Sampling{})
	if err != nil {
		return nil, err
	}
	return func(yield func(netip.Addr) bool) {
		for i := range all.Len() {
			if !yield(all.At(i)) {
				return
			}
		}
	}, nil
}
