// Package peers knows other people's probers: how each is asked for paths, and
// how the replies in its output are counted.
package peers

import (
	"fmt"
	"os/exec"

	"github.com/hopquote/hopquote/bench/contest"
)

// tool is a prober that a distribution packages.
type tool struct {
	contest.Contender
	binary string // that must be in PATH
	debian string // package to install
}

// All are the peers, with the reason for those that are not installed.
func All() []contest.Contender {
	var list []contest.Contender
	for _, t := range []tool{traceroute(), scamper(), mtr(), masscan(), zmap(), dublin()} {
		list = append(list, t.contender())
	}
	return list
}

func (t tool) contender() contest.Contender {
	if _, err := exec.LookPath(t.binary); err != nil {
		t.Missing = fmt.Sprintf("not installed: apt-get install %s", t.debian)
	}
	return t.Contender
}

// known are the counters of outputs that are no lists of one reply a line, and
// what those probers take for no limit, by name.
var known = map[string]contest.Contender{
	"traceroute": {Count: countTraceroute}, "scamper": {Count: countScamper}, "mtr": {Count: countMTR},
	"masscan": {Count: countMasscan}, "zmap": {Count: contest.Lines}, "dublin-traceroute": {Count: countDublin},
	"yarrp": {Count: contest.Lines, Top: "100000000"}, "caracal": {Count: countCaracal},
}

// Named gives a contender of the user's own what is known of the prober by its
// name.
func Named(c contest.Contender) contest.Contender {
	if k, ok := known[c.Name]; ok {
		c.Count, c.Top = k.Count, k.Top
	}
	return c
}
