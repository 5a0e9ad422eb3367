package bsd

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// behind is the hexadecimal text of a packet behind its IP header.
func behind(s virtual.Sent) string { return hex.EncodeToString(s.Frame[s.Frame[0]&15*4:]) }

func TestUDPPackets(t *testing.T) {
	got := play(t, path(arrival(64)), "-n", "10.2.2.2")
	if len(got.sent) != 6 {
		t.Fatalf("%d probes sent, want 6", len(got.sent))
	}
	for i, s := range got.sent {
		p := s.Probe
		n := uint16(i + 1)
		switch {
		case p.Method != frame.UDP || p.Size != 40 || p.Payload != frame.PayloadZero || p.NoChecksum || p.DF:
			t.Errorf("probe %d: %+v", n, p)
		case p.SrcPort != ident || p.DstPort != 33434+n || p.ID != ident+n || int(p.TTL) != i/3+1:
			t.Errorf("probe %d: source port %d, destination port %d, ID %d, TTL %d", n, p.SrcPort, p.DstPort, p.ID, p.TTL)
		case i > 0 && s.At < got.sent[i-1].At+ms:
			t.Errorf("probe %d left at %v, before the answer to the one before", n, s.At)
		}
	}
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		args string
		want [2]string // behind the IP header of the first two probes
	}{
		{"tcp", [2]string{"d431829bd431829b0000000050020000", "d431829cd431829c0000000050020000"}},
		{"gre", [2]string{"2001880b0000d4320000000000000000", "2001880b0000d4330000000000000000"}},
		{"47", [2]string{"2001880b0000d4320000000000000000", "2001880b0000d4330000000000000000"}},
		{"253", [2]string{"d4310001000000000000000000000000", "d4310002000000000000000000000000"}},
		{"udplite", [2]string{"d431829b0014", "d431829c0014"}},
		{"ICMP", [2]string{"080023cdd4310001", "080023ccd4310002"}},
		{"sctp", [2]string{"d431829bd431829b", "d431829cd431829c"}},
	} {
		got := play(t, path(unreachable(2)), "-n", "-q1", "-P", c.args, "10.2.2.2")
		if len(got.sent) != 2 {
			t.Fatalf("%s: %d probes sent, want 2", c.args, len(got.sent))
		}
		for i, s := range got.sent {
			size := 40
			if c.args == "ICMP" {
				size = 48
			}
			if text := behind(s); text[:len(c.want[i])] != c.want[i] || len(s.Frame) != size {
				t.Errorf("%s: probe %d of %d bytes is %s", c.args, i+1, len(s.Frame), text)
			}
		}
		got.wants(t, " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms !P\n", header(map[bool]string{true: "48", false: "40"}[c.args == "ICMP"]))
	}
}

func TestSCTP(t *testing.T) {
	for size, chunks := range map[string][]uint8{"36": {8}, "40": {8, 0x84}, "52": {1}, "61": {1, 0x84}} {
		got := play(t, path(unreachable(2)), "-n", "-q1", "-P", "sctp", "10.2.2.2", size)
		p := gopacket.NewPacket(got.sent[0].Frame, layers.LayerTypeIPv4, gopacket.Default)
		sctp, ok := p.Layer(layers.LayerTypeSCTP).(*layers.SCTP)
		if !ok {
			t.Fatalf("%s bytes: no SCTP in %v", size, p)
		}
		b := append(append([]byte{}, sctp.Contents...), sctp.Payload...)
		sum := binary.LittleEndian.Uint32(b[8:])
		clear(b[8:12])
		if want := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)); sum != want {
			t.Errorf("%s bytes: checksum %#x, want %#x", size, sum, want)
		}
		rest := b[12:]
		for _, typ := range chunks {
			n := int(binary.BigEndian.Uint16(rest[2:]))
			if rest[0] != typ || n < 4 || n > len(rest) {
				t.Fatalf("%s bytes: chunk %x, want type %d", size, rest, typ)
			}
			rest = rest[n:]
		}
		if len(rest) > 3 {
			t.Errorf("%s bytes: %x is left behind the chunks", size, rest)
		}
	}
}

func TestNoChecksum(t *testing.T) {
	warning := "traceroute: Warning: ip checksums disabled\n"
	for protocol, at := range map[string]int{"udp": 6, "tcp": 16, "sctp": 8} {
		got := play(t, path(arrival(64)), "-n", "-x", "-q1", "-P", protocol, "10.2.2.2")
		got.wants(t, " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n", warning+header("40"))
		if sum := binary.BigEndian.Uint16(got.sent[0].Frame[20+at:]); sum != 0 {
			t.Errorf("%s: checksum %#04x", protocol, sum)
		}
	}
	// It is a switch.
	got := play(t, path(arrival(64)), "-n", "-xx", "-q1", "10.2.2.2")
	got.wants(t, " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n", header("40"))
}

func TestFixedPort(t *testing.T) {
	got := play(t, path(arrival(64)), "-n", "-e", "-q1", "-p", "53", "10.2.2.2")
	for i, s := range got.sent {
		if p := s.Probe; p.SrcPort != ident+uint16(i)+1 || p.DstPort != 53 {
			t.Errorf("probe %d: ports %d and %d", i+1, p.SrcPort, p.DstPort)
		}
	}
}

func TestSourceRoute(t *testing.T) {
	got := play(t, path(arrival(64)), "-n", "-q1", "-g", "10.2.2.3", "10.2.2.2")
	got.wants(t, " 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms\n", header("40"))
	f := got.sent[0].Frame
	if dst, options := hex.EncodeToString(f[16:20]), hex.EncodeToString(f[20:28]); dst != "0a020203" || options != "018307040a020202" || len(f) != 40 {
		t.Errorf("%d bytes to %s with options %s", len(f), dst, options)
	}
	got = play(t, path(arrival(64)), "-n", "-q1", "-g10.2.2.3", "-g", "10.2.2.4", "-g", "10.2.2.5", "10.2.2.2")
	if f := got.sent[0].Frame; hex.EncodeToString(f[20:36]) != "01830f040a0202040a0202050a020202" || len(f) != 44 {
		t.Errorf("three gateways: %x", f)
	}
}

func TestEchoReplyWithLowTTL(t *testing.T) {
	reply := virtual.Step{Kind: frame.KindEchoReply, TTL: 1, After: ms}
	play(t, path(reply), "-n", "-I", "-q2", "10.2.2.2").wants(t,
		" 1  10.1.1.1  X ms  X ms\n 2  10.2.2.2  X ms !  X ms !\n", header("48"))
}

// The pause goes before each probe but the first of a hop.
func TestPause(t *testing.T) {
	got := play(t, path(arrival(64)), "-n", "-z", "250", "-q2", "10.2.2.2")
	want := []time.Duration{0, ms + 250*ms, ms, ms + 250*ms}
	for i, s := range got.sent[1:] {
		if gap := s.At - got.sent[i].At; gap != want[i+1] {
			t.Errorf("probe %d left %v after the one before, want %v", i+2, gap, want[i+1])
		}
	}
}

// A trace without answers waits its whole seconds for each probe.
func TestWait(t *testing.T) {
	got := play(t, virtual.Script{}, "-n", "-w", "2", "-q2", "-m2", "10.2.2.2")
	for i, s := range got.sent {
		if s.At != time.Duration(i)*2*time.Second {
			t.Errorf("probe %d left at %v", i+1, s.At)
		}
	}
	got.wants(t, " 1  * *\n 2  * *\n", "traceroute to 10.2.2.2 (10.2.2.2), 2 hops max, 40 byte packets\n")
}
