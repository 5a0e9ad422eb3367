package peers

import (
	"strings"

	"github.com/hopquote/hopquote/bench/contest"
)

// Linux traceroute, a process for each target.
func traceroute() tool {
	return tool{binary: "traceroute", debian: "traceroute", Contender: contest.Contender{
		Name:    "traceroute",
		Command: "xargs -n 1 traceroute -n -q 1 -N 16 -w 1 -m {hops} < {targets}",
		Cap:     8_000, Count: countTraceroute,
	}}
}

// countTraceroute counts round-trip times: each is a reply.
func countTraceroute(r contest.Run) (t contest.Tally, err error) {
	err = r.EachLine(func(line string) { t.Records += uint64(strings.Count(line, " ms")) })
	return t, err
}
