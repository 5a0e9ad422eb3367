package main

import "testing"

func TestConformanceFields(t *testing.T) {
	t.Parallel()
	_, w := openLine(t)
	compareAll(t, w, []comparison{
		{name: "17 no payload", args: "-n -q1 -m1 192.168.120.20 28"},
		{name: "17 one byte", args: "-n -q1 -m1 192.168.120.20 29"},
		{name: "17 below the headers", args: "-n -q1 -m1 192.168.120.20 10"},
		{name: "17 nothing", args: "-n -q1 -m1 192.168.120.20 0"},
		{name: "17 pattern comes again", args: "-n -q1 -m1 192.168.120.20 300"},
		{name: "18 icmp, no data", args: "-n -q1 -m1 -I 192.168.120.20 10"},
		{name: "18 icmp, one more", args: "-n -q1 -m1 -I 192.168.120.20 61"},
		{name: "18 icmp, pattern comes again", args: "-n -q1 -m1 -I 192.168.120.20 301"},
		{name: "19 fragments", args: "-n -q1 -m3 192.168.120.20 2000"},
		{name: "19 as long as the MTU", args: "-n -q1 -m3 192.168.120.20 1500"},
		{name: "19 one byte too long", args: "-n -q1 -m3 192.168.120.20 1501"},
		{name: "19 three fragments", args: "-n -q1 -m3 192.168.120.20 4000"},
		{name: "19 the longest", args: "-n -q1 -m1 192.168.120.20 65000"},
		{name: "19 icmp fragments", args: "-n -q1 -m3 -I 192.168.120.20 2000"},
		{name: "21 DF", args: "-n -q1 -m1 -F 192.168.120.20"},
		{name: "21 DF, icmp", args: "-n -q2 -m2 -F -I 192.168.120.20"},
		{name: "21 DF, tcp", args: "-n -q2 -m2 -T -F 192.168.120.20"},
		{name: "22 tos", args: "-n -q1 -m1 -t 16 192.168.120.20"},
		{name: "22 tos with ECN bits", args: "-n -q1 -m1 -t 3 192.168.120.20"},
		{name: "22 tos with ECN bits, icmp", args: "-n -q1 -m1 -t 3 -I 192.168.120.20"},
		{name: "22 tos with ECN bits, tcp", args: "-n -q1 -m1 -t 3 -T 192.168.120.20"},
		{name: "22 tos of nine bits", args: "-n -q1 -m1 -t 256 192.168.120.20"},
		{name: "23 last port", args: "-n -q2 -m1 -p 65535 192.168.120.20"},
		{name: "24 first sequence", args: "-n -q1 -m1 -I -p 1000 192.168.120.20"},
		{name: "24 first sequence 0", args: "-n -q1 -m1 -I -p 0 192.168.120.20"},
		{name: "26 source port", args: "-n -q1 -m1 --sport=1234 192.168.120.20"},
		{name: "26 source port, whole path", args: "-n --sport=1234 192.168.120.20"},
		{name: "26 source port, icmp", args: "-n --sport=1234 -I 192.168.120.20"},
		{name: "one at a time", args: "-N1 -n -q2 192.168.120.20"},
		{name: "source address", args: "-n -q1 -s 192.168.100.10 192.168.120.20"},
		{name: "interface", args: "-n -q1 -i veth1-h1 192.168.120.20"},
		{name: "interface, tcp", args: "-n -q1 -T -i veth1-h1 192.168.120.20"},
	})
}

// 80: nothing that is too long for the link leaves.
func TestConformanceTooBig(t *testing.T) {
	t.Parallel()
	_, w := openLine(t)
	compareAll(t, w, []comparison{
		{name: "80 udp", args: "-n -q2 -F 192.168.120.20 1501", silent: true},
		{name: "80 icmp", args: "-n -q1 -F -I 192.168.120.20 1501", silent: true},
		{name: "80 IPv6", args: "-n -q2 -F fd00:120::20 1501", silent: true},
	})
}
