package peers

import (
	"strings"

	"github.com/hopquote/hopquote/bench/contest"
)

// masscan asks the destinations alone, whose answer it reads: it reads no time
// exceeded.
func masscan() tool {
	return tool{binary: "masscan", debian: "masscan", Contender: contest.Contender{
		Name: "masscan",
		Command: "masscan --ping --rate {rate} -e {interface} --adapter-ip {source} --router-mac {gateway-dashes}" +
			" --wait 1 --seed {seed} -oL {output} {prefix}",
		PerTarget: 1, Paced: true, Knock: true, Top: "100000000", Power2: true, Count: countMasscan,
	}}
}

// countMasscan counts the results of the list form.
func countMasscan(r contest.Run) (t contest.Tally, err error) {
	err = r.EachLine(func(line string) {
		if strings.HasPrefix(line, "open ") {
			t.Records++
		}
	})
	return t, err
}
