package main

import (
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
)

// TestThousandsInFlight sends far more probes at once than fit the first block
// of a ring, or a socket's ordinary buffer, to routers that answer each at once. Without -w a probe whose
// neighbours are answered far sooner would be given up.
func TestThousandsInFlight(t *testing.T) {
	lab.Skip(t)
	script, err := simnet.Parse("window", []byte(`
source 10.9.9.1/24 gateway 10.9.9.254
target 10.2.2.2
hop 1-199 te from 10.1.1.1
`))
	if err != nil {
		t.Fatal(err)
	}
	n := openScript(t, script)
	args := []string{"-n", "-w", "20", "-q", "10", "-m", "200", "--format=json", "10.2.2.2", "-N"}
	check := func(name string, got result) {
		t.Helper()
		if got.Code != 0 || got.Stderr != "" {
			t.Fatalf("%s: exit code %d, stderr %q", name, got.Code, got.Stderr)
		}
		c := readDocument(t, got.Stdout).Counts
		if c.Sent != 2000 || c.Answered != 2000 {
			t.Errorf("%s: %d sent, %d answered; want all of 2000\n%+v", name, c.Sent, c.Answered, n.Counters())
		}
	}
	// The largest window of a socket, the smallest of a ring, and a large one.
	for _, window := range []string{"1024", "1025", "2000"} {
		check(window, runIn(t, n.Host(simnet.Prober), ours(), append(args, window)...))
	}
	// Who may not have so large a buffer gets a ring.
	cmd := asNobody(t, privileged(t, "cap_net_raw+ep"), append(args, "1024")...)
	check("1024 as nobody", finish(t, n.Host(simnet.Prober), cmd))
}
