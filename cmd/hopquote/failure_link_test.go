package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// header6 is the first line of a trace to the far host, by family.
const (
	header4 = "traceroute to 192.168.120.20 (192.168.120.20), 30 hops max, 60 byte packets"
	header6 = "traceroute to fd00:120::20 (fd00:120::20), 30 hops max, 80 byte packets"
)

// losses are the ways in which what a trace stands on goes away while it runs.
var losses = []struct {
	name string
	dst  string
	lose func(n *lab.Net) error
	want string
}{
	{
		name: "interface down", dst: farHost, want: "interface veth1-h1 went down",
		lose: func(n *lab.Net) error { return n.Host("h1").SetLink("veth1-h1", false) },
	},
	{
		name: "interface down, IPv6", dst: farHost6, want: "interface veth1-h1 went down",
		lose: func(n *lab.Net) error { return n.Host("h1").SetLink("veth1-h1", false) },
	},
	{
		name: "interface removed", dst: farHost, want: "interface veth1-h1 was removed",
		lose: func(n *lab.Net) error { return n.Host("h1").DeleteLink("veth1-h1") },
	},
	{
		name: "far end removed", dst: farHost6, want: "interface veth1-h1 was removed",
		lose: func(n *lab.Net) error { return n.Host("r1").DeleteLink("veth1-r1") },
	},
	{
		name: "far end down", dst: farHost, want: "interface veth1-h1 lost its carrier",
		lose: func(n *lab.Net) error { return n.Host("r1").SetLink("veth1-r1", false) },
	},
	{
		name: "source address removed", dst: farHost, want: "source address 192.168.100.10 was removed",
		lose: func(n *lab.Net) error {
			return n.Host("h1").DeleteAddress("veth1-h1", netip.MustParsePrefix("192.168.100.10/24"))
		},
	},
	{
		name: "source address removed, IPv6", dst: farHost6, want: "source address fd00:100::10 was removed",
		lose: func(n *lab.Net) error {
			return n.Host("h1").DeleteAddress("veth1-h1", netip.MustParsePrefix("fd00:100::10/64"))
		},
	},
}

func TestNetworkLost(t *testing.T) {
	for _, tt := range losses {
		t.Run(tt.name, func(t *testing.T) {
			n := openSilent(t)
			p := startIn(t, n.Host("h1"), nil, ours(), "-n", "-w", "20", tt.dst)
			router, header := "192.168.100.20", header4
			if strings.Contains(tt.dst, ":") {
				router, header = "fd00:100::20", header6
			}
			p.awaitText(router)
			p.awaitFullWindow(n)
			if err := tt.lose(n); err != nil {
				t.Fatal(err)
			}
			got := p.end().timeless()
			want := result{
				Stdout: header + "\n 1  " + router + "  X ms  X ms  X ms\n",
				Stderr: "\n" + tt.want + "\n",
				Code:   1,
			}
			same(t, got, want)
		})
	}
}

func TestNetworkLostJSON(t *testing.T) {
	for _, tt := range losses {
		t.Run(tt.name, func(t *testing.T) {
			n := openSilent(t)
			p := startIn(t, n.Host("h1"), nil, ours(), "-n", "-w", "20", "--format=json", tt.dst)
			p.awaitFullWindow(n)
			if err := tt.lose(n); err != nil {
				t.Fatal(err)
			}
			got := p.end()
			if got.Code != 1 || got.Stderr != tt.want+"\n" {
				t.Errorf("exit code %d, stderr %q; want 1, %q", got.Code, got.Stderr, tt.want)
			}
			d := readDocument(t, got.Stdout)
			if d.StopReason != "error" || d.Error == nil || *d.Error != tt.want {
				t.Errorf("stop reason %q, error %v; want error, %q", d.StopReason, d.Error, tt.want)
			}
			if d.Counts.Answered != 3 || d.Counts.InFlight != 16 {
				t.Errorf("%d answered, %d in flight; want 3 and the window of 16", d.Counts.Answered, d.Counts.InFlight)
			}
		})
	}
}

// TestOtherLossesDoNotMatter takes away what the trace does not need.
func TestOtherLossesDoNotMatter(t *testing.T) {
	n := openSilent(t)
	h1 := n.Host("h1")
	extra := netip.MustParsePrefix("192.168.100.77/24")
	if err := h1.AddAddress("veth1-h1", extra); err != nil {
		t.Fatal(err)
	}
	p := startIn(t, h1, nil, ours(), "-n", "-m2", "-w", "1", farHost)
	p.awaitText("192.168.100.20")
	if err := h1.DeleteAddress("veth1-h1", extra); err != nil {
		t.Fatal(err)
	}
	if err := h1.SetMTU("veth1-h1", 1400); err != nil {
		t.Fatal(err)
	}
	got := p.end().timeless()
	want := result{Stdout: strings.Replace(header4, "30 hops", "2 hops", 1) + "\n 1  192.168.100.20  X ms  X ms  X ms\n 2  * * *\n"}
	same(t, got, want)
}

// TestNextHopSilent sends to a gateway that nobody is: what the kernel would
// tell its own sockets is the answer, and no error of the program.
func TestNextHopSilent(t *testing.T) {
	t.Parallel()
	n := openLab(t, "pair")
	h1 := n.Host("h1")
	for _, via := range []string{"192.168.100.77", "fd00:100::77"} {
		if err := h1.AddDefaultRoute(netip.MustParseAddr(via)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ dst, src, header string }{
		{farHost, "192.168.100.10", header4}, {farHost6, "fd00:100::10", header6},
	} {
		got := runIn(t, h1, ours(), "-n", patient, tt.dst).timeless()
		want := result{Stdout: tt.header + "\n 1  " + tt.src + "  X ms !H  X ms !H  X ms !H\n"}
		same(t, got, want)
		json := runIn(t, h1, ours(), "-n", "--format=json", tt.dst)
		d := readDocument(t, json.Stdout)
		if json.Code != 0 || json.Stderr != "" || d.StopReason != "unreachable" {
			t.Errorf("%s: exit code %d, stderr %q, stop reason %q", tt.dst, json.Code, json.Stderr, d.StopReason)
		}
	}
}
