package main

import "testing"

func TestConformanceIPv6(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	if !n.HasIPv6() {
		t.Skip("the kernel has no IPv6")
	}
	compareAll(t, w, []comparison{
		{name: "90 udp", args: "-n fd00:120::20", hasty: true},
		{name: "90 one hop", args: "-n -q1 -m1 fd00:120::20"},
		{name: "90 port 53", args: "-n -q2 -m2 -U fd00:120::20"},
		{name: "91 icmp", args: "-n -I fd00:120::20"},
		{name: "91 icmp, first sequence", args: "-n -I -p 1000 -q1 fd00:120::20"},
		{name: "91 tcp", args: "-n -T fd00:120::20"},
		{name: "91 tcp, source port", args: "-n -q2 -m2 -T --sport=5555 fd00:120::20"},
		{name: "91 tcp, flags of the answer", args: "-n -T -p 8080 -O info -f 3 -m 3 fd00:120::20"},
		{name: "92 label and class", args: "-n -q2 -m2 -l 0x12345 -t 0xb8 fd00:120::20"},
		{name: "92 label and class, icmp", args: "-n -q2 -m2 -l 0x12345 -t 0xb8 -I fd00:120::20"},
		{name: "92 label and class, tcp", args: "-n -q2 -m2 -l 0x12345 -t 0xb8 -T fd00:120::20"},
		{name: "92 label of 21 bits", args: "-n -q1 -m1 -l 0x1fffff fd00:120::20"},
		{name: "92 class of nine bits", args: "-n -q1 -m1 -t 256 fd00:120::20", silent: true},
		{name: "92 class of nine bits, icmp", args: "-n -q1 -m1 -t 256 -I fd00:120::20", silent: true},
		{name: "92 class of nine bits, tcp", args: "-n -q1 -m1 -t 256 -T fd00:120::20", silent: true},
		{name: "93 below the headers", args: "-n -q1 -m1 fd00:120::20 30"},
		{name: "93 below the headers, icmp", args: "-n -q1 -m1 -I fd00:120::20 30"},
		{name: "93 fragments", args: "-n -q1 -m1 fd00:120::20 2000"},
		{name: "93 fragments, whole path", args: "-n -q2 fd00:120::20 2000"},
		{name: "93 as long as the MTU", args: "-n -q1 -m1 fd00:120::20 1500"},
		{name: "93 one byte too long", args: "-n -q1 -m1 fd00:120::20 1501"},
		{name: "93 fragments, icmp", args: "-n -q1 -m3 -I fd00:120::20 4000"},
		{name: "93 fragments, label", args: "-n -q1 -m1 -l 0x12345 fd00:120::20 2000"},
		{name: "-F", args: "-n -q1 -m1 -F fd00:120::20"},
		{name: "-6", args: "-6 -n -q1 fd00:120::20"},
	})
}

func TestConformanceIPv6Names(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	if !n.HasIPv6() {
		t.Skip("the kernel has no IPv6")
	}
	compareAll(t, w, []comparison{
		{name: "90 names", args: "fd00:120::20 -q1 -m1", hasty: true},
		{name: "97 mapped address", args: "-n -q1 ::ffff:192.168.120.20"},
		{name: "97 mapped address refused", args: "-6 -n -q1 ::ffff:192.168.120.20", silent: true},
	})
}
