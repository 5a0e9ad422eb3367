package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// ipIn runs iproute2's ip in the host.
func ipIn(t *testing.T, h *lab.Host, args string) {
	t.Helper()
	path, err := exec.LookPath("ip")
	if err != nil {
		t.Skip("needs the program ip (iproute2)")
	}
	if got := runIn(t, h, path, words(args)...); got.Code != 0 {
		t.Skipf("ip %s: %s", args, got.Stderr)
	}
}

// Marked probes follow the rule for their mark, others don't.
func TestMark(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	h1 := n.Host("h1")
	ipIn(t, h1, "rule add fwmark 7 table 77")
	ipIn(t, h1, "route add unreachable 192.168.120.0/24 table 77")
	for _, method := range []string{"", "-I", "-T", "-P 253", "-M tcpconn"} {
		args := words("-n -q1 --fwmark=7 " + method + " " + farHost)
		if got := runIn(t, h1, ours(), args...); got.Code != 1 || got.Stderr != "\nconnect: No route to host\n" {
			t.Errorf("%s marked: %+v", method, got)
		}
		args = words("-n -q1 " + patient + " --fwmark=8 " + method + " " + farHost)
		if got := runIn(t, h1, ours(), args...); got.Code != 0 || !strings.Contains(got.Stdout, fmt.Sprintf(" 3  %s  ", farHost)) {
			t.Errorf("%s with another mark: %+v", method, got)
		}
	}
}

// Filters see the mark on the probes that leave by a packet socket, too. This
// one leads them astray: a dropped frame would be an error of the sender.
func TestMarkOnFrames(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	h1 := n.Host("h1")
	runNFT(t, h1, `table netdev lab {
	chain leaving {
		type filter hook egress device "veth1-h1" priority 0
		meta mark 7 ether daddr set 02:00:00:00:00:99
	}
}`)
	for mark, want := range map[int]string{7: " 1  *\n", 8: " 1  192.168.100.20  X ms\n"} {
		got := runIn(t, h1, ours(), "-n", "-q1", "-m1", "-w1", fmt.Sprintf("--fwmark=%d", mark), farHost).timeless()
		if !strings.HasSuffix(got.Stdout, want) || got.Code != 0 {
			t.Errorf("mark %d: %+v, want %q", mark, got, want)
		}
	}
}
