package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/bench/lab"
)

// 9, 10, 11, 13, 14: the methods besides UDP, ICMP and TCP.
func TestConformanceMethods(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	table := []comparison{
		{name: "9 udplite", args: "-n -q1 -m1 -UL 192.168.120.20"},
		{name: "9 udplite, whole path", args: "-n -UL 192.168.120.20"},
		{name: "9 udplite, coverage", args: "-n -q1 -m1 -UL -O coverage=20 192.168.120.20"},
		{name: "9 udplite, less than the header", args: "-n -q1 -m1 -UL -O cov=4 192.168.120.20"},
		{name: "9 udplite, no coverage", args: "-n -q1 -m1 -UL -O coverage=0 192.168.120.20"},
		{name: "9 udplite, more than there is", args: "-n -q1 -m1 -UL -O coverage=5000 192.168.120.20"},
		{name: "9 udplite, port and length", args: "-n -q2 -m2 -M udplite -p 33434 192.168.120.20 100"},
		{name: "9 udplite, no data", args: "-n -q1 -m1 -UL 192.168.120.20 10"},
		{name: "9 udplite, source port", args: "-n -q1 -m2 -UL --sport=5555 192.168.120.20"},
		{name: "10 raw", args: "-n -q2 -m1 -P 253 192.168.120.20"},
		{name: "10 raw, whole path", args: "-n -P 253 192.168.120.20"},
		{name: "10 raw, eight bytes", args: "-n -q1 -m3 -P 253 192.168.120.20 28"},
		{name: "10 raw, fragments", args: "-n -q1 -m2 -P 253 192.168.120.20 2000"},
		{name: "11 raw by port", args: "-n -q1 -m1 -M raw -p 132 192.168.120.20"},
		{name: "11 the port counts", args: "-n -q1 -m3 -P 17 -p 132 192.168.120.20"},
		{name: "11 protocol as option", args: "-n -q1 -m1 -M raw -O proto=132 192.168.120.20"},
		{name: "13 connection, closed port", args: "-n -M tcpconn 192.168.120.20"},
		{name: "13 connection, fields", args: "-n -q2 -m2 -M tcpconn -p 443 -t 16 192.168.120.20 500"},
		{name: "13 connection, source port", args: "-n -q2 -M tcpconn --sport=5555 192.168.120.20"},
		// SO_DEBUG is refused in a user namespace: it asks for the machine's root.
		{name: "-d", args: "-n -q1 -m1 -d 192.168.120.20", silent: lab.Reexecuted()},
		{name: "-d with -I", args: "-n -q1 -m1 --debug -I 192.168.120.20", silent: lab.Reexecuted()},
		{name: "-r on the link", args: "-n -q1 -r 192.168.100.20"},
		{name: "-r on the link, tcp", args: "-n -q1 -r -T 192.168.100.20"},
		{name: "--fwmark", args: "-n -q1 -m1 --fwmark=7 192.168.120.20"},
		{name: "14 raw icmp", args: "-n -q1 -m1 -w1 -P icmp 192.168.120.20"},
	}
	if n.HasIPv6() {
		table = append(table,
			comparison{name: "-r, IPv6", args: "-n -q1 -r fd00:120::20"},
			comparison{name: "9 udplite, IPv6", args: "-n -UL fd00:120::20"},
			comparison{name: "9 udplite, IPv6 label", args: "-n -q2 -m2 -UL -l 0x12345 -O coverage=20 fd00:120::20"},
			comparison{name: "10 raw, IPv6", args: "-n -P 253 fd00:120::20"},
			comparison{name: "10 raw, IPv6 label", args: "-n -q2 -P 253 -l 0x12345 fd00:120::20"},
			comparison{name: "13 connection, IPv6", args: "-n -q2 -M tcpconn fd00:120::20"},
			comparison{name: "13 connection, IPv6 label and class", args: "-n -q2 -M tcpconn -l 0x12345 -t 0xb8 fd00:120::20"},
		)
	}
	compareAll(t, w, table)
}

func TestConformanceMethodsLoopback(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	w := openLoopback(t, n)
	compareAll(t, w, []comparison{
		{name: "16 udplite", args: "-n -UL 127.0.0.1"},
		{name: "16 raw", args: "-n -P 253 127.0.0.1"},
		{name: "16 connection", args: "-n -q1 -M tcpconn 127.0.0.1"},
		{name: "16 raw, IPv6", args: "-n -P 253 ::1"},
		{name: "16 connection, IPv6", args: "-n -q1 -M tcpconn ::1"},
	})
}

// 28, 29: source routes, which Linux routers drop unless told otherwise.
func TestConformanceGateways(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	compareAll(t, w, []comparison{
		{name: "28 one gateway, dropped", args: "-n -q1 -m1 -w1 -g 192.168.100.20 192.168.120.20"},
		{name: "29 two gateways, dropped", args: "-n -q1 -m1 -w1 -g 192.168.100.20,192.168.110.20 192.168.120.20"},
	})
	// Where they pass, the routers' answers are seen by ours only: that is in the
	// table of differences. The probes are the same.
	letSourceRoutesPass(t, n)
	for _, method := range []string{"", "-U ", "-I ", "-T ", "-UL ", "-P 253 "} {
		for _, args := range []string{
			"-g 192.168.100.20 192.168.120.20", "-g 192.168.100.20 -g 192.168.110.20 192.168.120.20",
			"-g 192.168.100.20 192.168.120.20 44", "-F -g 192.168.100.20 192.168.120.20 300",
		} {
			c := comparison{args: "-n -q1 -m1 -w1 " + method + args}
			t.Run("29 "+method+args, func(t *testing.T) {
				want, got := w.observe(t, theirs(t), c), w.observe(t, ours(), c)
				w.compareProbes(t, c, want, got)
				theirHeader, _, _ := strings.Cut(want.Stdout, "\n")
				if ourHeader, _, _ := strings.Cut(got.Stdout, "\n"); ourHeader != theirHeader {
					t.Errorf("header %q, traceroute's is %q", ourHeader, theirHeader)
				}
				if !strings.HasSuffix(got.timeless().Stdout, "\n 1  192.168.100.20  X ms\n") {
					t.Errorf("not answered: %s", got.Stdout)
				}
			})
		}
	}
}

func letSourceRoutesPass(t *testing.T, n *lab.Net) {
	t.Helper()
	// An interface needs its own value beside "all" (ip-sysctl).
	for host, devices := range map[string][]string{
		"h1": {"veth1-h1"}, "r1": {"veth1-r1", "veth2-r1"}, "r2": {"veth1-r2", "veth2-r2"}, "h2": {"veth1-h2"},
	} {
		for _, device := range append(devices, "all") {
			if err := n.Host(host).Sysctl("net/ipv4/conf/"+device+"/accept_source_route", "1"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// 13: an application gets the connection, and loses it at once.
func TestConformanceConnection(t *testing.T) {
	t.Parallel()
	n, w := openLine(t)
	for _, tt := range []struct{ family, args string }{
		{"tcp4", "-n -q1 -M tcpconn -p 8080 -f 3 -m 3 192.168.120.20"},
		{"tcp6", "-n -q1 -M tcpconn -p 8080 -f 3 -m 3 fd00:120::20"},
	} {
		t.Run("13 "+tt.args, func(t *testing.T) {
			var l net.Listener
			err := n.Host("h2").Do(func() (err error) {
				l, err = net.Listen(tt.family, ":8080")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			want, got := w.compare(t, comparison{args: tt.args})
			theirs, ours := want.segments(), got.segments()
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("segments (-traceroute +hopquote):\n%s", diff)
			}
			if text := strings.Join(ours, ", "); text != "SYN ttl 3, ACK ttl 3, FIN ACK ttl 3" {
				t.Errorf("segments: %s", text)
			}
			for range 2 {
				if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
					t.Fatal(err)
				}
				c, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				c.Close()
			}
		})
	}
}

// segments tells the TCP segments that h1 sent.
func (o observation) segments() []string {
	var all []string
	for _, f := range o.frames {
		d, data := decodeIP(f)
		if d == nil || d.Protocol != layers.IPProtocolTCP || !own(d.Src) {
			continue
		}
		d.Payload = data
		d.decodeTransport()
		var flags []string
		for name, set := range map[string]bool{"SYN": d.TCP.SYN, "FIN": d.TCP.FIN, "RST": d.TCP.RST} {
			if set {
				flags = append(flags, name)
			}
		}
		if d.TCP.ACK {
			flags = append(flags, "ACK")
		}
		all = append(all, fmt.Sprintf("%s ttl %d", strings.Join(flags, " "), d.TTL))
	}
	return all
}
