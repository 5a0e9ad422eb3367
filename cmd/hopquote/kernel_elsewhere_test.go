package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/cmd/internal/output/capture/wireshark"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
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
			traced{"bound", method + "-i to-ra -n -q2 -m2 -w1 10.0.5.20", []string{four[0], " 2  * *"}},
			traced{"bound", method + "-i to-ra -n -q2 -m2 -w1 fd00:5::20", []string{six[0], " 2  * *"}},
		)
	}
	traceAll(t, n, "h1", rows)
}

// The BSD dialect hears them by whatever interface the probes leave, a large
// window by its ring, and a reverse path filter that knows both ways lets them
// through.
func TestKernelElsewhereOtherwise(t *testing.T) {
	t.Parallel()
	n := buildLab(t, uplinks)
	for _, name := range []string{"all", "to-ra", "to-rb"} {
		if err := n.Host("h1").Sysctl("net/ipv4/conf/"+name+"/rp_filter", "2"); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{" 1  10.0.1.20  X ms  X ms", " 2  10.0.4.20  X ms  X ms", " 3  10.0.5.20  X ms  X ms"}
	for _, c := range []struct{ program, args string }{
		{"traceroute-bsd", "-n -q2 -m4 -w2 10.0.5.20"},
		{"traceroute-bsd", "-n -q2 -m4 -w2 -I 10.0.5.20"},
		{"traceroute-bsd", "-n -q2 -m4 -w2 -P tcp -p 80 10.0.5.20"},
		{"traceroute-bsd", "-n -q2 -m4 -w2 -i to-ra 10.0.5.20"},
		{"traceroute", "-n -q2 -m4 -N2000 " + patient + " 10.0.5.20"},
	} {
		t.Run(c.program+" "+c.args, func(t *testing.T) {
			r := runIn(t, n.Host("h1"), filepath.Join(binaries, c.program), strings.Fields(c.args)...).timeless()
			lines := strings.Split(strings.TrimSuffix(r.Stdout, "\n"), "\n")
			if strings.HasPrefix(lines[0], "traceroute to") {
				lines = lines[1:]
			}
			if diff := cmp.Diff(want, lines); diff != "" || r.Code != 0 {
				t.Errorf("exit %d, %s, lines (-want +got):\n%s", r.Code, r.Stderr, diff)
			}
		})
	}
}

// A reverse path filter that knows the first way only keeps answers from the
// kernel's sockets, and not from ours.
func TestKernelElsewhereFiltered(t *testing.T) {
	t.Parallel()
	n := buildLab(t, uplinks)
	if err := n.Host("h1").Sysctl("net/ipv4/conf/to-rb/rp_filter", "1"); err != nil {
		t.Fatal(err)
	}
	const args = "-n -q1 -m3 -w1 10.0.5.20"
	cmd := comparison{args: args}
	checkLines(t, finish(t, n.Host("h1"), cmd.command(ours())), " 1  10.0.1.20  X ms", " 2  10.0.4.20  X ms", " 3  10.0.5.20  X ms")
	checkLines(t, finish(t, n.Host("h1"), cmd.command(theirs(t))), " 1  10.0.1.20  X ms", " 2  *", " 3  *")
}

// A capture holds what came elsewhere as a frame to no address, and the JSON
// document counts nothing twice.
func TestKernelElsewhereOutputs(t *testing.T) {
	t.Parallel()
	n := buildLab(t, uplinks)
	for _, dst := range []string{"10.0.5.20", "fd00:5::20"} {
		if strings.Contains(dst, ":") && !n.HasIPv6() {
			continue
		}
		file := filepath.Join(t.TempDir(), "frames")
		r := runIn(t, n.Host("h1"), ours(), "-n", patient, "-q2", "-m3", "--format=json", "--pcap="+file, "--quotes", dst)
		var doc jsonout.Document
		if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || r.Code != 0 {
			t.Fatalf("exit %d, %s, %v", r.Code, r.Stderr, err)
		}
		if c := doc.Counts; c.Sent != 6 || c.Answered != 6 || c.Received != 6 || c.Matched != 6 {
			t.Errorf("%s: counts %+v, want 6 of each", dst, c)
		}
		if _, err := exec.LookPath("tshark"); err != nil {
			continue
		}
		out, err := wireshark.Headers(file, "-Y", "frame.packet_flags_direction == 1", "-T", "fields",
			"-E", "separator=,", "-E", "occurrence=f", "-e", "eth.dst", "-e", "eth.type", "-e", "ip.src", "-e", "ipv6.src", "-e", "_ws.malformed")
		if err != nil {
			t.Fatal(err)
		}
		var elsewhere, all int
		for line := range strings.Lines(out) {
			all++
			near := strings.Contains(line, ",10.0.1.20,") || strings.Contains(line, ",fd00:1::20,")
			if strings.HasPrefix(line, "00:00:00:00:00:00,0x0800,10.0.") || strings.HasPrefix(line, "00:00:00:00:00:00,0x86dd,,fd00:") {
				elsewhere++
			}
			if near == strings.HasPrefix(line, "00:00:00:00:00:00,") || !strings.HasSuffix(line, ",\n") {
				t.Errorf("%s: frame %s", dst, line)
			}
		}
		if all != 6 || elsewhere != 4 {
			t.Errorf("%s: %d frames received, %d elsewhere, want 6 and 4:\n%s", dst, all, elsewhere, out)
		}
	}
}
