package survey

import (
	"os"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

func TestZZ(t *testing.T) {
	args := os.Getenv("ZZ")
	if args == "" {
		t.Skip()
	}
	c := internet.Config{Seed: 5}
	if os.Getenv("RPS") != "" {
		c.CPUs, c.Backlog = 2, 50000
	}
	n := open(t, c)
	r := survey(t, n, "", strings.Fields(args)...)
	ct, _ := n.Counters()
	t.Logf("code %d\n%s%.300s\nasked %+v", r.code, r.stderr, r.out, ct.Total())
}
