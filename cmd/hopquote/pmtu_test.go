package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Links of 1500, 1000 and 500 bytes:
//
//	h1 --- r1 --- r2 --- h2
func TestMTUAsTold(t *testing.T) {
	n := openLab(t, "mtu")
	for _, args := range [][]string{
		{"--mtu", "-n"},
		{"--mtu", "-n", "-I", "-F", "-N", "1", "-q", "1"},
		{"--mtu", "-n", "-U", "-q", "2"},
		{"--mtu", "-n", "-T"},
		{"-F", "-n", "-q", "2"},
	} {
		args = append(args, patient, "192.168.120.20", "1200")
		want := runIn(t, n.Host("h1"), theirs(t), args...).timeless()
		got := runIn(t, n.Host("h1"), ours(), args...).timeless()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-traceroute +hopquote):\n%s", args, diff)
		}
	}
}

// h1 -1500- r1 -1400- r2 -1300- h2
func TestMTUAsTold6(t *testing.T) {
	n := openLab(t, "line")
	if !n.HasIPv6() {
		t.Skip("no IPv6 here")
	}
	for _, end := range []struct {
		host, device string
		mtu          int
	}{{"r1", "veth2-r1", 1400}, {"r2", "veth1-r2", 1400}, {"r2", "veth2-r2", 1300}, {"h2", "veth1-h2", 1300}} {
		if err := n.Host(end.host).SetMTU(end.device, end.mtu); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"--mtu", "-n"},
		{"--mtu", "-n", "-I"},
		{"-F", "-n", "-q", "2"},
	} {
		args = append(args, patient, "fd00:120::20", "1501")
		want := runIn(t, n.Host("h1"), theirs(t), args...).timeless()
		got := runIn(t, n.Host("h1"), ours(), args...).timeless()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-traceroute +hopquote):\n%s", args, diff)
		}
	}
}

// What the kernel has learned of the path is not in the way: the second trace
// begins with the link's own MTU like the first.
func TestMTUDespiteCache(t *testing.T) {
	n := openLab(t, "mtu")
	for range 2 {
		checkLines(t, runIn(t, n.Host("h1"), ours(), "--mtu", "-n", "-q", "1", "192.168.120.20"),
			" 1  192.168.100.20  X ms F=1500",
			" 2  192.168.110.20  X ms F=1000",
			" 3  192.168.120.20  X ms F=500",
		)
	}
}

// A link whose far end takes less than its near end sends: what is too large
// is lost without a word.
//
//	h1 -1500- r1 -1500 1387- r2 -1300- h2
func TestMTUBlackHole(t *testing.T) {
	t.Parallel() // it waits most of the time
	n := openLab(t, "line")
	const vlan = 4 // veth lets in that much more than its MTU
	for _, end := range []struct {
		host, device string
		mtu          int
	}{{"r2", "veth1-r2", 1387 - vlan}, {"r2", "veth2-r2", 1300}, {"h2", "veth1-h2", 1300}} {
		if err := n.Host(end.host).SetMTU(end.device, end.mtu); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []struct{ name, h2, r1, r2 string }{
		{"IPv4", "192.168.120.20", "192.168.100.20", "192.168.110.20"},
		{"IPv6", "fd00:120::20", "fd00:100::20", "fd00:110::20"},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if f.name == "IPv6" && !n.HasIPv6() {
				t.Skip("no IPv6 here")
			}
			for _, method := range []string{"-I", "--udp"} {
				checkLines(t, runIn(t, n.Host("h1"), ours(), "--mtu=probe", method, "-n", "-w", "0.5", f.h2),
					" 1  "+f.r1+"  X ms F=1500  X ms  X ms",
					" 2  "+f.r2+"  X ms F~1387  X ms  X ms",
					" 3  "+f.h2+"  X ms F=1300  X ms  X ms",
				)
			}
			checkLines(t, runIn(t, n.Host("h1"), ours(), "--mtu", "-n", "-q", "1", "-m", "2", "-w", "1", f.h2),
				" 1  "+f.r1+"  X ms F=1500",
				" 2  *",
			)
		})
	}
}

// checkLines compares the lines behind the header.
func checkLines(t *testing.T, r result, want ...string) {
	t.Helper()
	r = r.timeless()
	_, lines, _ := strings.Cut(r.Stdout, "\n")
	if diff := cmp.Diff(strings.Join(want, "\n")+"\n", lines); diff != "" || r.Stderr != "" || r.Code != 0 {
		t.Errorf("exit %d, %q, lines (-want +got):\n%s", r.Code, r.Stderr, diff)
	}
}
