package main

import (
	"encoding/binary"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bsdRun is one run of the BSD dialect with what it sent.
type bsdRun struct {
	result
	ident  uint16 // that its process number makes
	probes []*datagram
}

func (w *wire) bsd(t *testing.T, args string) bsdRun {
	t.Helper()
	w.frames(t) // of whatever was before
	cmd := exec.Command(filepath.Join(binaries, "traceroute-bsd"), strings.Fields(args)...)
	end := launch(t, w.host, cmd)
	r := bsdRun{result: end().timeless()}
	r.ident = uint16(cmd.Process.Pid) | 0x8000
	for _, d := range datagrams(w.frames(t), own) {
		if d.TTL < 64 {
			r.probes = append(r.probes, d)
		}
	}
	return r
}

func bsdLine(size, queries string) result {
	hop := strings.Repeat("  X ms", len(queries))
	return result{
		Stdout: " 1  192.168.100.20" + hop + "\n 2  192.168.110.20" + hop + "\n 3  192.168.120.20" + hop + "\n",
		Stderr: "traceroute to 192.168.120.20 (192.168.120.20), 30 hops max, " + size + " byte packets\n",
	}
}

// h1 --- r1 --- r2 --- h2, the probes seen on r1's end of the first link.
func TestBSDPackets(t *testing.T) {
	_, w := openLine(t)
	t.Run("udp", func(t *testing.T) {
		r := w.bsd(t, "-n 192.168.120.20")
		if diff := cmp.Diff(bsdLine("40", "qqq"), r.result); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
		if len(r.probes) != 9 {
			t.Fatalf("%d probes, want 9", len(r.probes))
		}
		for i, d := range r.probes {
			n := uint16(i + 1)
			if d.UDP == nil || len(d.Faults) > 0 || d.Length != 40 || d.DF || d.TTL != i/3+1 {
				t.Fatalf("probe %d: %+v", n, d)
			}
			if uint16(d.UDP.SrcPort) != r.ident || uint16(d.UDP.DstPort) != 33434+n || uint16(d.ID) != r.ident+n {
				t.Errorf("probe %d: ports %d and %d, ID %d; identifier %d", n, d.UDP.SrcPort, d.UDP.DstPort, d.ID, r.ident)
			}
			if d.UDP.Checksum == 0 || strings.Trim(string(d.Payload[8:]), "\x00") != "" {
				t.Errorf("probe %d: checksum %#04x, payload % x", n, d.UDP.Checksum, d.Payload[8:])
			}
		}
	})
	t.Run("icmp", func(t *testing.T) {
		r := w.bsd(t, "-n -I -q2 192.168.120.20")
		if diff := cmp.Diff(bsdLine("48", "qq"), r.result); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
		if len(r.probes) != 6 {
			t.Fatalf("%d probes, want 6", len(r.probes))
		}
		for i, d := range r.probes {
			if d.Echo == nil || len(d.Faults) > 0 || d.Length != 48 {
				t.Fatalf("probe %d: %+v", i+1, d)
			}
			if d.Echo.ID != r.ident || int(d.Echo.Seq) != i+1 || strings.Trim(string(d.Echo.Data), "\x00") != "" {
				t.Errorf("probe %d: %+v, identifier %d", i+1, d.Echo, r.ident)
			}
		}
	})
	t.Run("tcp", func(t *testing.T) {
		r := w.bsd(t, "-n -P tcp -q1 192.168.120.20")
		if diff := cmp.Diff(bsdLine("40", "q"), r.result); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
		for i, d := range r.probes {
			if d.TCP == nil || len(d.Faults) > 0 || d.Length != 40 || !d.TCP.SYN || d.TCP.ACK {
				t.Fatalf("probe %d: %+v", i+1, d)
			}
			if want := uint32(r.ident)<<16 | uint32(33435+i); d.TCP.Seq != want || uint16(d.TCP.SrcPort) != r.ident {
				t.Errorf("probe %d: source port %d, sequence %#x, want %#x", i+1, d.TCP.SrcPort, d.TCP.Seq, want)
			}
		}
	})
	t.Run("no checksum", func(t *testing.T) {
		r := w.bsd(t, "-n -x -q1 192.168.120.20")
		want := bsdLine("40", "q")
		want.Stderr = "traceroute: Warning: ip checksums disabled\n" + want.Stderr
		if diff := cmp.Diff(want, r.result); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
		for i, d := range r.probes {
			if sum := binary.BigEndian.Uint16(d.Payload[6:]); sum != 0 {
				t.Errorf("probe %d: checksum %#04x", i+1, sum)
			}
		}
	})
	t.Run("generic", func(t *testing.T) {
		r := w.bsd(t, "-n -v -P 253 -q1 192.168.120.20")
		want := bsdLine("40", "q")
		want.Stdout = strings.NewReplacer(".20  X", ".20 48 bytes to 192.168.100.10  X").Replace(want.Stdout)
		want.Stdout = strings.TrimSuffix(want.Stdout, "\n") + " !P\npackets received: 3 = 3 exact\n"
		if diff := cmp.Diff(want, r.result); diff != "" {
			t.Errorf("output (-want +got):\n%s", diff)
		}
	})
}

// The dialect begins with --bsd as first argument, too; its command line is
// refused with exit code 1.
func TestBSDCommandLine(t *testing.T) {
	n := openLab(t, "line")
	h := n.Host("h1")
	want := bsdLine("40", "q")
	got := runIn(t, h, filepath.Join(binaries, "hopquote"), "trace", "--bsd", "-n", "-q1", "192.168.120.20").timeless()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hopquote trace --bsd (-want +got):\n%s", diff)
	}
	for _, c := range []struct{ args, want string }{
		{"-i nope 192.168.120.20", "traceroute: Can't find interface nope\n"},
		{"-m abc 192.168.120.20", "traceroute: \"abc\" bad value for max ttl \n"},
		{"-s 192.0.2.9 192.168.120.20", "traceroute: bind: Cannot assign requested address\n"},
	} {
		got := runIn(t, h, filepath.Join(binaries, "traceroute-bsd"), strings.Fields(c.args)...)
		if diff := cmp.Diff(result{Stderr: c.want, Code: 1}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.args, diff)
		}
	}
	// Past the routing table there is no way to h2: the trace goes on.
	got = runIn(t, h, filepath.Join(binaries, "traceroute-bsd"), "-n", "-r", "-q1", "-w1", "-m1", "192.168.120.20")
	want = result{
		Stdout: " 1 traceroute: wrote 192.168.120.20 40 chars, ret=-1\n *\n",
		Stderr: "traceroute to 192.168.120.20 (192.168.120.20), 1 hops max, 40 byte packets\n" +
			"traceroute: sendto: Network is unreachable\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-r (-want +got):\n%s", diff)
	}
}
