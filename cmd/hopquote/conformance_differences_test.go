package main

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame"
)

// differences are all the things that ours does otherwise on purpose, each
// asserted for both programs by TestDifferences.
var differences = []difference{
	{
		name:   "104 sequence 0",
		reason: "an echo request whose sequence has wrapped to 0 is a probe like any other",
		args:   "-n -q1 -m2 -I -p 65535 -w1 192.168.120.20",
		theirs: result{Stdout: header("192.168.120.20", 2, 60) + " 1  192.168.100.20  X ms\n 2  *\n"},
		ours:   result{Stdout: header("192.168.120.20", 2, 60) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n"},
	},
	{
		name:    "45 code 16",
		reason:  "the kernel hides unreachables with codes above 15 from sockets; a router's refusal is worth knowing",
		args:    "-n -q1 -m3 -w1 192.168.120.20",
		prepare: func(t *testing.T, n *lab.Net) { answerWith(t, n, frame.ErrorMessage{Type: 3, Code: 16}) },
		theirs:  result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  10.1.2.1  X ms !<16>\n"},
	},
	{
		name:    "46 reassembly time exceeded",
		reason:  "the kernel hides time exceeded with code 1 from sockets",
		args:    "-n -q1 -m3 -w1 192.168.120.20",
		prepare: func(t *testing.T, n *lab.Net) { answerWith(t, n, frame.ErrorMessage{Type: 11, Code: 1}) },
		theirs:  result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  10.1.2.1  X ms !<11-1>\n"},
	},
	{
		name:    "49 fragmentation needed without -F",
		reason:  "the kernel hides from UDP sockets what can't be true of probes that may be cut; the router said it",
		args:    "-n -q1 -m3 -w1 192.168.120.20",
		prepare: func(t *testing.T, n *lab.Net) { answerWith(t, n, frame.ErrorMessage{Type: 3, Code: 4, Rest: 1400}) },
		theirs:  result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 60) + " 1  192.168.100.20  X ms\n 2  10.1.2.1  X ms !F-1400\n"},
	},
	{
		name:   "55 dead neighbour, bound to a device",
		reason: "the kernel's own host unreachable comes by loopback, where a socket bound to a device can't hear it",
		args:   "-n -q1 -m2 -i veth1-h1 192.168.100.77",
		theirs: result{Stdout: header("192.168.100.77", 2, 60) + " 1  *\n 2  *\n"},
		ours:   result{Stdout: header("192.168.100.77", 2, 60) + " 1  192.168.100.10  X ms !H\n"},
	},
	{
		name:   "80 second echo request too big",
		reason: "traceroute takes the failed send for a probe that left, and waits for its answer",
		args:   "-n -q2 -F -I -w1 192.168.120.20 1501",
		theirs: result{Stdout: header("192.168.120.20", 30, 1501) + " 1  *  X ms !F-1500 *\n"},
		ours:   result{Stdout: header("192.168.120.20", 30, 1501) + " 1  *  X ms !F-1500 *  X ms !F-1500\n"},
	},
	{
		name:        "10 raw probes together",
		reason:      "each has an identity, so they need not go one at a time; only the order on the wire differs",
		args:        "-n -q2 -m2 -P 253 10.2.2.2",
		script:      "default delay 120ms\nhop 1 te from 10.1.1.1\nhop 2 te from 10.1.2.1",
		theirs:      result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms  X ms\n 2  10.1.2.1  X ms  X ms\n"},
		ours:        result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms  X ms\n 2  10.1.2.1  X ms  X ms\n"},
		theirsSends: "1, 1, 2, 2",
		oursSends:   "1 1 2 2",
	},
	{
		name:   "10 raw probe without data",
		reason: "a quote of the whole probe is enough, though it has no 8 bytes behind the header",
		args:   "-n -q1 -m2 -w1 -P 253 192.168.120.20 10",
		theirs: result{Stdout: header("192.168.120.20", 2, 20) + " 1  *\n 2  *\n"},
		ours:   result{Stdout: header("192.168.120.20", 2, 20) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n"},
	},
	{
		name:   "10 protocol 255",
		reason: "a raw socket can't send it without a header of its own; a packet socket can",
		args:   "-n -q1 -m1 -P 255 192.168.120.20",
		theirs: result{Stdout: strings.TrimSuffix(header("192.168.120.20", 1, 60), "\n"), Stderr: "\nsend: Invalid argument\n", Code: 1},
		ours:   result{Stdout: header("192.168.120.20", 1, 60) + " 1  192.168.100.20  X ms\n"},
	},
	{
		name:    "dccp without the kernel's",
		reason:  "the probes are built here, so the kernel needs no DCCP",
		args:    "-n -q1 -m2 -D 192.168.120.20",
		prepare: needNoDCCP,
		theirs:  result{Stdout: strings.TrimSuffix(header("192.168.120.20", 2, 40), "\n"), Stderr: "\nsocket: Socket type not supported\n", Code: 1},
		ours:    result{Stdout: header("192.168.120.20", 2, 40) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n"},
	},
	{
		name:    "29 source route that passes",
		reason:  "a quote headed to any stop of the route is the probe's",
		args:    "-n -q1 -w1 -m3 -g 192.168.100.20,192.168.110.20 192.168.120.20",
		prepare: letSourceRoutesPass,
		theirs:  result{Stdout: header("192.168.120.20", 3, 76) + " 1  *\n 2  *\n 3  *\n"},
		ours:    result{Stdout: header("192.168.120.20", 3, 76) + " 1  192.168.100.20  X ms\n 2  192.168.110.20  X ms\n 3  192.168.120.20  X ms\n"},
	},
	{
		name:   "96 IPv6 routing header",
		reason: "the kernel refuses routing headers to sockets; the probe is built here, and the router says what it makes of it",
		args:   "-n -q1 -g fd00:100::20 fd00:120::20",
		theirs: result{
			Stdout: strings.TrimSuffix(header("fd00:120::20", 30, 104), "\n"),
			Stderr: "\nsetsockopt IPV6_RTHDR: Invalid argument\n", Code: 1,
		},
		ours: result{Stdout: header("fd00:120::20", 30, 104) + " 1  fd00:100::20  X ms !<4-0>\n"},
	},
	{
		name:   "tcpconn over gateways",
		reason: "the kernel hears none of the answers to such a connection",
		args:   "-n -q1 -m1 -w1 -M tcpconn -g 192.168.100.20 192.168.120.20",
		theirs: result{Stdout: header("192.168.120.20", 1, 72) + " 1  *\n"},
		ours: result{
			Stderr: "hopquote: the kernel's connections can't be routed over gateways: -M tcpconn goes without -g\n", Code: 2,
		},
	},
	{
		name:   "full disk",
		reason: "who saves the output must learn that it is not whole",
		args:   "-n -q1 -m1 192.168.120.20",
		stdout: "/dev/full",
		theirs: result{},
		ours: result{
			Stderr: "write standard output: No space left on device\n", Code: 1,
		},
	},
	{
		name:   "28 gateways and a router's answer",
		reason: "a quote headed to the gateway is the probe's: the hops before it are shown, and the one that refuses source routes",
		args:   "-n -q1 -m3 -w0.5 -g 10.3.3.3 10.2.2.2",
		script: "hop 1 te from 10.1.1.1\nhop 2- unreach 5 from 10.1.2.1",
		theirs: result{Stdout: header("10.2.2.2", 3, 72) + " 1  *\n 2  *\n 3  *\n"},
		ours:   result{Stdout: header("10.2.2.2", 3, 72) + " 1  10.1.1.1  X ms\n 2  10.1.2.1  X ms !S\n"},
	},
	{
		name:   "wrong checksum of an echo reply",
		reason: "what was damaged on its way may be anyone's; raw sockets take it before the kernel looks",
		args:   "-n -q1 -m2 -w0.5 -I 10.2.2.2",
		script: "hop 1 te from 10.1.1.1\ndest icmp echo badsum",
		theirs: result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n"},
		ours:   result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms\n 2  *\n"},
	},
	{
		name:   "wrong checksum of a TCP answer",
		reason: "the same, for TCP",
		args:   "-n -q1 -m2 -w0.5 -T 10.2.2.2",
		script: "hop 1 te from 10.1.1.1\ndest tcp synack badsum",
		theirs: result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n"},
		ours:   result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms\n 2  *\n"},
	},
	{
		name:   "wrong acknowledgment",
		reason: "an answer to a SYN acknowledges it; one that acknowledges something else is an answer to something else",
		args:   "-n -q1 -m2 -w0.5 -T 10.2.2.2",
		script: "hop 1 te from 10.1.1.1\ndest tcp synack ack 1000",
		theirs: result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n"},
		ours:   result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms\n 2  *\n"},
	},
	{
		name:   "wrong sequence in a quote",
		reason: "a quote with the ports of the probe and another sequence quotes another segment",
		args:   "-n -q1 -m2 -w0.5 -T 10.2.2.2",
		script: "hop 1 te from 10.1.1.1 edit seq=+1\ndest tcp rst",
		theirs: result{Stdout: header("10.2.2.2", 2, 60) + " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n"},
		ours:   result{Stdout: header("10.2.2.2", 2, 60) + " 1  *\n 2  10.2.2.2  X ms\n"},
	},
	{
		name:     "102 unprivileged",
		reason:   "packet sockets need the capability for every method, and one line tells how to give it",
		args:     "-n -q1 -m1 -T 192.168.120.20",
		byNobody: true,
		theirs:   result{Stderr: "You do not have enough privileges to use this traceroute method.\nsocket: Operation not permitted\n", Code: 1},
		ours:     result{Stderr: adviceToNobody, Code: 1},
	},
	{
		name:     "102 unprivileged, udp",
		reason:   "the same: plain UDP sockets would hide what routers say",
		args:     "-n -q1 -m1 192.168.120.20",
		byNobody: true,
		theirs:   result{Stdout: header("192.168.120.20", 1, 60) + " 1  192.168.100.20  X ms\n"},
		ours:     result{Stderr: adviceToNobody, Code: 1},
	},
	{
		name:   "100 version",
		reason: "it is another program",
		args:   "-V",
		edit:   func(r *result) { r.Stderr = versionNumber.ReplaceAllString(r.Stderr, "N") },
		theirs: result{Stderr: "Modern traceroute for Linux, version N\nCopyright (c) 2016  Dmitry Butskoy,   License: GPL v2 or any later\n"},
		ours:   result{Stderr: "hopquote N\nbuilt with goN, receives by AF_PACKET/TPACKET_V3\n"},
	},
	{
		name:   "100 no arguments",
		reason: "there are more options, and they are told in other words",
		edit:   func(r *result) { r.Stderr = strings.Join(words(r.Stderr)[:4], " ") },
		theirs: result{Stderr: "Usage: traceroute [ -46dFITnreAUDV"},
		ours:   result{Stderr: "Usage: traceroute [ -46dFITnvrxeAUDV"},
	},
	{
		name:   "100 help",
		reason: "the same",
		args:   "--help",
		edit:   func(r *result) { r.Stderr = strings.Join(words(r.Stderr)[:4], " ") },
		theirs: result{Stderr: "Usage: traceroute [ -46dFITnreAUDV"},
		ours:   result{Stderr: "Usage: traceroute [ -46dFITnvrxeAUDV"},
	},
	{
		name:   "99 datagram socket refused",
		reason: "probes leave by a packet socket either way, so net.ipv4.ping_group_range says nothing",
		args:   "-n -q1 -m1 -I -O dgram 192.168.120.20",
		theirs: result{Stderr: "\nsocket: Permission denied\n", Code: 1},
		ours:   result{Stdout: header("192.168.120.20", 1, 60) + " 1  192.168.100.20  X ms\n"},
	},
	{
		name:   "interrupted",
		reason: "who interrupts a trace wants the last line whole, and can tell by the exit code",
		args:   "-n -q1 -w20 -m3 10.2.2.2",
		script: "hop 1 te from 10.1.1.1\nhop 2- silent",
		signal: unix.SIGINT,
		theirs: result{Stdout: header("10.2.2.2", 3, 60) + " 1  10.1.1.1  X ms", Code: -1},
		ours:   result{Stdout: header("10.2.2.2", 3, 60) + " 1  10.1.1.1  X ms\n", Code: 130},
	},
}
