package main

import (
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

func TestConformancePrinting(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	if err := n.Host("r2").AddRoute(lab.Route{Dst: netip.MustParsePrefix("192.168.120.77/32"), Type: lab.Blackhole}); err != nil {
		t.Fatal(err)
	}
	compareAll(t, w, []comparison{
		{name: "37 two digits", args: "-n -q1 -f 98 -m 120 192.168.120.20"},
		{name: "37 three digits", args: "-n -q1 -f 100 -m 120 192.168.120.20"},
		{name: "37 last", args: "-n -q1 -f 255 -m 255 192.168.120.20"},
		{name: "37 nine", args: "-n -q1 -f 9 -m 10 192.168.120.20"},
		{name: "38 not reached", args: "-n -q1 -m 2 192.168.120.20"},
		{name: "38 not reached, icmp", args: "-n -q1 -m 2 -I 192.168.120.20"},
		{name: "39 ten probes", args: "-n -q 10 -f 3 192.168.120.20"},
		{name: "39 ten probes, tcp", args: "-n -q 10 -f 3 -T 192.168.120.20"},
		// Whether an answer is there in no time at all is a matter of microseconds.
		{name: "65 no waiting", args: "-w0 -f3 -m6 -q1 -n 192.168.120.77"},
		{name: "silent hops", args: "-w0.3 -f3 -m5 -q2 -N10 -n 192.168.120.77"},
	})
}

// 55: a neighbour that nobody answers for is given up after about 3 s.
func TestConformanceDeadNeighbour(t *testing.T) {
	for _, c := range []comparison{
		{name: "55 udp", args: "-n 192.168.100.77", hasty: true, silent: true},
		{name: "55 short wait", args: "-q1 -w1 -n 192.168.100.77", hasty: true, silent: true},
		{name: "55 icmp", args: "-n -I 192.168.100.77", hasty: true, silent: true},
		{name: "55 tcp", args: "-n -q1 -T 192.168.100.77", hasty: true, silent: true},
		{name: "55 IPv6", args: "-n fd00:100::77", hasty: true, silent: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, first := openLine(t)
			_, second := openLine(t)
			want, got := first.begin(t, theirs(t), c), second.begin(t, ours(), c)
			first.judge(t, c, want(), got())
		})
	}
}
