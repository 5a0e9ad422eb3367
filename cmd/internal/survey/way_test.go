package survey

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// Targets that one next hop does not do for are told of before anything is sent.
func TestWay(t *testing.T) {
	n := open(t, internet.Config{Seed: 5, MinHops: 3, MaxHops: 3})
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no ip (iproute2): the test needs another route")
	}
	cmd := exec.Command("ip", "route", "add", "30.0.0.0/8", "via", "10.99.0.77")
	if err := n.Host(internet.Prober).Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string]string{
		"targets in 10.99.0.0/24 are on the link itself": "--allow-reserved 10.99.0.7 20.0.0.1",
		"30.0.0.1 by 10.99.0.77 on":                      "20.0.0.1 30.0.0.1",
	} {
		r := survey(t, n, "", append(strings.Fields(args), "-o", "replies:/dev/null")...)
		if r.code != 1 || !strings.Contains(r.stderr, want) || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d: %s; want %s", args, r.code, r.stderr, want)
		}
	}
	if c, _ := n.Counters(); c.Total().Asked != 0 {
		t.Errorf("%d probes left", c.Total().Asked)
	}
	// One that is alone on the link is its own next hop, and the gateway is.
	if r := survey(t, n, "", "--allow-reserved", "-o", "replies:-", "10.99.0.254"); r.code != 0 || !strings.Contains(r.out, "10.99.0.254") {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.stderr)
	}
	// A next hop that nobody has.
	r := survey(t, n, "", "--mode=random", "-m", "4", "-o", "replies:/dev/null", "30.0.0.0/30")
	if r.code != 1 || !strings.Contains(r.stderr, "next hop 10.99.0.77 does not resolve") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
}
