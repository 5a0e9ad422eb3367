package main

import (
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// Two uplinks of h1: its probes leave by the first, and what r2 and h2 send
// back comes in by the second.
//
//	h1 --1-- ra --3-- r2 --5-- h2
//	h1 --2-- rb --4-- r2
var uplinks = lab.Topology{
	Name: "uplinks",
	Hosts: []lab.HostPlan{
		host("h1", toward(0, at{1, 20})),
		router("ra", toward(5, at{3, 20})),
		router("rb", toward(1, at{2, 10})),
		router("r2", toward(1, at{4, 10})),
		host("h2", toward(0, at{5, 10})),
	},
	Links: []lab.LinkPlan{
		between(1, "h1", "ra"), between(2, "h1", "rb"),
		between(3, "ra", "r2"), between(4, "rb", "r2"), between(5, "r2", "h2"),
	},
}

// Answers that come by the other uplink are answers, except where the probes
// are bound to theirs. r2 answers by link 4, in IPv6 from the link that the probe
// came by.
func TestKernelElsewhere(t *testing.T) {
	t.Parallel()
	n := buildLab(t, uplinks)
	four := []string{" 1  10.0.1.20  X ms  X ms", " 2  10.0.4.20  X ms  X ms", " 3  10.0.5.20  X ms  X ms"}
	six := []string{" 1  fd00:1::20  X ms  X ms", " 2  fd00:3::20  X ms  X ms", " 3  fd00:5::20  X ms  X ms"}
	var rows []traced
	for _, method := range []string{"", "-U ", "-I ", "-T ", "-UL ", "-M tcpconn ", "-N1 ", "-s SOURCE "} {
		rows = append(rows,
			traced{"any", strings.Replace(method, "SOURCE", "10.0.1.10", 1) + "-n -q2 -m4 10.0.5.20", four},
			traced{"any", strings.Replace(method, "SOURCE", "fd00:1::10", 1) + "-n -q2 -m4 fd00:5::20", six},
		)
	}
	rows = append(rows,
		traced{"any", "-P 253 -n -q2 -m4 10.0.5.20", append(four[:2:2], " 3  10.0.5.20  X ms !P  X ms !P")},
		traced{"any", "-P 253 -n -q2 -m4 fd00:5::20", append(six[:2:2], " 3  fd00:5::20  X ms !<4-1>  X ms !<4-1>")},
	)
	for _, method := range []string{"", "-I ", "-T "} {
		rows = append(rows,
			traced{"bound", method + "-i to-ra -n -q2 -m2 -w0.3 10.0.5.20", []string{four[0], " 2  * *"}},
			traced{"bound", method + "-i to-ra -n -q2 -m2 -w0.3 fd00:5::20", []string{six[0], " 2  * *"}},
		)
	}
	traceAll(t, n, "h1", rows)
}
