package main

import "testing"

func TestConformanceBasic(t *testing.T) {
	t.Parallel()
	_, w := openLine(t)
	compareAll(t, w, []comparison{
		{name: "1 udp", args: "-n 192.168.120.20", hasty: true},
		{name: "2 names", args: "192.168.120.20", hasty: true},
		{name: "4 icmp", args: "-n -q1 -m3 -I 192.168.120.20"},
		{name: "4 icmp, defaults", args: "-n -I 192.168.120.20"},
		{name: "5 tcp", args: "-n -q1 -m3 -T 192.168.120.20"},
		{name: "5 tcp, defaults", args: "-n -T 192.168.120.20"},
		{name: "8 port 53", args: "-n -q1 -m1 -U 192.168.120.20"},
		{name: "8 port 53 twice", args: "-n -q2 -m1 -U 192.168.120.20"},
		{name: "8 port 53, defaults", args: "-n -U 192.168.120.20"},
		{name: "101 options behind", args: "192.168.120.20 -n -q1"},
		{name: "101 POSIXLY_CORRECT", args: "192.168.120.20 -n -q1", env: []string{"POSIXLY_CORRECT=1"}, hasty: true, silent: true},
		{name: "103 waits by slashes", args: "-w5/3/10 -n 192.168.120.20", hasty: true},
		{name: "103 port with garbage", args: "-n -q1 -m1 -p 80x 192.168.120.20"},
		{name: "103 hexadecimal", args: "-n -q1 -m 0x2 192.168.120.20 0x50"},
	})
}

func TestConformanceLoopback(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	w := openLoopback(t, n)
	compareAll(t, w, []comparison{
		{name: "16 loopback", args: "-n 127.0.0.1"},
		{name: "16 any address", args: "-n 0.0.0.0"},
		{name: "16 own address", args: "-n -q1 192.168.100.10"},
		{name: "16 icmp", args: "-n -I 127.0.0.1"},
		{name: "16 tcp", args: "-n -q1 -T 127.0.0.1"},
		{name: "16 IPv6", args: "-n ::1"},
		{name: "16 IPv6 icmp", args: "-n -I ::1"},
		{name: "16 IPv6 tcp", args: "-n -q1 -T ::1"},
	})
}
