// Package verdicts writes what became of the packets that a trace received, in
// one line at its end.
package verdicts

import (
	"fmt"

	"github.com/hopquote/hopquote/rx"
)

// Line gives the sum of a run, its verdicts in their order, those without
// packets left out:
//
//	packets received: 12 = 1 foreign + 9 exact + 2 rewritten
func Line(c *rx.Counts) []byte {
	line := fmt.Appendf(nil, "packets received: %d", c.Received)
	sign := " ="
	for v, n := range c.Verdicts {
		if n == 0 {
			continue
		}
		line = fmt.Appendf(line, "%s %d %v", sign, n, rx.Verdict(v))
		sign = " +"
	}
	return append(line, '\n')
}
