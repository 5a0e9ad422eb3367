package verdicts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/rx"
)

func TestLine(t *testing.T) {
	var c rx.Counts
	if got := string(Line(&c)); got != "packets received: 0\n" {
		t.Errorf("nothing received: %q", got)
	}
	c.Received, c.Verdicts[rx.Exact] = 7, 7
	if got := string(Line(&c)); got != "packets received: 7 = 7 exact\n" {
		t.Errorf("one verdict: %q", got)
	}
	c.Received, c.Verdicts[rx.Rewritten], c.Verdicts[rx.Foreign] = 12, 2, 3
	if got := string(Line(&c)); got != "packets received: 12 = 3 foreign + 7 exact + 2 rewritten\n" {
		t.Errorf("three verdicts: %q", got)
	}
}

// Every verdict has its place in the line, and they make up its sum.
func TestLineSum(t *testing.T) {
	var c rx.Counts
	for v := range c.Verdicts {
		c.Verdicts[v] = uint64(v) + 1
		c.Received += uint64(v) + 1
	}
	_, terms, _ := strings.Cut(string(Line(&c)), " = ")
	var sum uint64
	all := strings.Split(terms, " + ")
	for _, term := range all {
		var n uint64
		var name string
		if _, err := fmt.Sscan(term, &n, &name); err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != c.Received || len(all) != rx.Verdicts {
		t.Errorf("%d terms make %d, received %d: %s", len(all), sum, c.Received, terms)
	}
}
