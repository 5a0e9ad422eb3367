package peers

import (
	"strings"

	"github.com/hopquote/hopquote/bench/contest"
)

// mtr, one cycle for each target.
func mtr() tool {
	return tool{binary: "mtr", debian: "mtr-tiny", Contender: contest.Contender{
		Name:    "mtr",
		Command: "xargs -n 1 mtr -n -C -c 1 -i 0.05 -G 0.2 --udp -m {hops} < {targets}",
		Cap:     170, Count: countMTR,
	}}
}

// Columns of mtr's CSV form, as its head names them.
const (
	mtrColumns = 9
	mtrHost    = 5
	mtrHead    = "Mtr_Version"
)

// countMTR counts the hops that have an address: each was probed once.
func countMTR(r contest.Run) (t contest.Tally, err error) {
	err = r.EachLine(func(line string) {
		f := strings.Split(line, ",")
		if len(f) >= mtrColumns && f[0] != mtrHead && f[mtrHost] != "???" {
			t.Records++
		}
	})
	return t, err
}
