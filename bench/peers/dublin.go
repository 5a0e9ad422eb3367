package peers

import (
	"strings"

	"github.com/hopquote/hopquote/bench/contest"
)

// dublin-traceroute, one path to each target, one after another.
func dublin() tool {
	return tool{binary: "dublin-traceroute", debian: "dublin-traceroute", Contender: contest.Contender{
		Name:    "dublin-traceroute",
		Command: "xargs -n 1 dublin-traceroute --npaths=1 --delay=0 -T {hops} < {targets}",
		Cap:     8, Count: countDublin,
	}}
}

// countDublin counts the hops that it prints with the address of who answered.
func countDublin(r contest.Run) (t contest.Tally, err error) {
	err = r.EachLine(func(line string) {
		f := strings.Fields(line)
		if len(f) > 1 && strings.Trim(f[0], "0123456789") == "" && !strings.HasPrefix(f[1], "*") {
			t.Records++
		}
	})
	return t, err
}
