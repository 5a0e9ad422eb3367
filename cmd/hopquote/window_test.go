package main

import (
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
)

// TestThousandsInFlight sends far more probes at once than fit the first block
// of the ring, to routers that answer each at once. Without -w a probe whose
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
	got := runIn(t, n.Host(simnet.Prober), ours(), "-n", "-w", "20", "-N", "2000", "-q", "10", "-m", "200", "--format=json", "10.2.2.2")
	if got.Code != 0 || got.Stderr != "" {
		t.Fatalf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	c := readDocument(t, got.Stdout).Counts
	if c.Sent != 2000 || c.Answered != 2000 {
		t.Errorf("%d sent, %d answered; want all of 2000\n%+v", c.Sent, c.Answered, n.Counters())
	}
}
