package main

import "testing"

// Links of 1500, 1000 and 500 bytes:
//
//	h1 --- r1 --- r2 --- h2
func TestKernelPathMTU(t *testing.T) {
	t.Parallel()
	n := openLab(t, "mtu")
	want := []string{
		" 1  192.168.100.20  X ms F=1500",
		" 2  192.168.110.20  X ms F=1000",
		" 3  192.168.120.20  X ms F=500",
	}
	traceAll(t, n, "h1", []traced{
		{"icmp", "-n -N 1 -q 1 -F --mtu -I 192.168.120.20", want},
		{"udp", "-n -N 1 -q 1 -F --mtu 192.168.120.20", want},
	})
}
