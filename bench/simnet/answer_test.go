package simnet

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/hopquote/hopquote/frame"
)

func TestEchoBytes(t *testing.T) {
	for _, c := range []struct {
		line  string
		probe frame.Probe
		from  string
		data  []byte // nil: the request's own
	}{
		{"", icmp4(3), "10.2.2.2", nil},
		{"", icmp6(3), "fd02:2::2", nil},
		{"dest icmp echo from 10.5.5.5 data 0102", icmp4(3), "10.5.5.5", []byte{1, 2}},
		{"hop 3 icmp echo from fd05::5", icmp6(3), "fd05::5", nil},
	} {
		f := build(t, c.probe)
		o := outer{from: netip.MustParseAddr(c.from), to: c.probe.Src, ttl: 64, id: 1}
		v6 := o.from.Is6()
		p, _ := parsePacket(f[ethernetLen:], v6)
		data := c.data
		if data == nil {
			data = p.transport[icmpHeaderLen:]
		}
		var want []byte
		if v6 {
			want = wrap(t, o, layers.IPProtocolICMPv6, &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(129, 0)},
				&layers.ICMPv6Echo{Identifier: 40000, SeqNumber: 3}, gopacket.Payload(data))
		} else {
			want = wrap(t, o, layers.IPProtocolICMPv4, &layers.ICMPv4{Id: 40000, Seq: 3}, gopacket.Payload(data))
		}
		if diff := cmp.Diff(want, one(t, responder(t, c.line), f)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.line, diff)
		}
	}
}

func TestUDPAnswerBytes(t *testing.T) {
	for _, p := range []frame.Probe{udp4(5), udp6(5)} {
		got := one(t, responder(t, "dest udp 33000-34000 answer data aabb ttl 50"), build(t, p))
		want := wrap(t, outer{from: p.Dst, to: p.Src, ttl: 50, id: 1}, layers.IPProtocolUDP,
			&layers.UDP{SrcPort: 33434, DstPort: 40000}, gopacket.Payload{0xaa, 0xbb})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestOtherProtocols builds probes that no template makes.
func TestOtherProtocols(t *testing.T) {
	probe := func(protocol layers.IPProtocol, payload ...byte) []byte {
		f := wrap(t, outer{from: source4, to: target4, ttl: 2, id: 9}, protocol, gopacket.Payload(payload))
		copy(f, simMAC[:])
		copy(f[6:], proberMAC[:])
		return f
	}
	o := outer{from: target4, to: source4, ttl: 64, id: 1}
	raw := probe(253, 1, 2, 3)
	lite := probe(protoUDPLite, 0x9c, 0x40, 0, 53, 0, 8, 0, 0, 'x')
	dccp := probe(protoDCCP, 0x9c, 0x40, 0x82, 0x9a, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, c := range []struct {
		name, line string
		probe      []byte
		want       []byte
	}{
		{"raw by default", "", raw, wrapError(t, o, 3, 2, 0, atTarget(raw))},
		{"raw answered", "dest proto 253 answer", raw, wrap(t, o, 253, gopacket.Payload{1, 2, 3})},
		{"raw answered with data", "dest proto 253 answer data 99", raw, wrap(t, o, 253, gopacket.Payload{0x99})},
		{"udplite by default", "", lite, wrapError(t, o, 3, 3, 0, atTarget(lite))},
		{"udplite answered", "dest udplite 53 answer data 61", lite,
			wrap(t, o, protoUDPLite, gopacket.Payload(liteAnswer()))},
		{"dccp by default", "", dccp, wrapError(t, o, 3, 2, 0, atTarget(dccp))},
		{"dccp by port", "dest dccp 33434 unreach 3", dccp, wrapError(t, o, 3, 3, 0, atTarget(dccp))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := one(t, responder(t, "hop 1 silent\n"+c.line), c.probe)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTCPAnswers(t *testing.T) {
	const syn, ack, rst, fin = frame.FlagSYN, frame.FlagACK, frame.FlagRST, frame.FlagFIN
	const isRandom = 0xffffffff
	for _, c := range []struct {
		line  string
		flags uint8
		want  []any // flags, seq, ack; nil for no answer
	}{
		{"", syn, []any{uint8(rst | ack), uint32(0), uint32(1001)}},
		{"", ack, []any{uint8(rst), uint32(5000), uint32(0)}},
		{"", fin, []any{uint8(rst | ack), uint32(0), uint32(1001)}},
		{"", 0, []any{uint8(rst | ack), uint32(0), uint32(1000)}},
		{"", rst, nil},
		{"dest tcp 80 synack", syn, []any{uint8(syn | ack), uint32(isRandom), uint32(1001)}},
		{"dest tcp 80 synack", syn | ack, []any{uint8(rst), uint32(5000), uint32(0)}},
		{"dest tcp 80 synack", ack, []any{uint8(rst), uint32(5000), uint32(0)}},
		{"dest tcp 80 synack", fin, nil},
		{"dest tcp 80 synack", rst, nil},
		{"dest tcp 80 flags 0x52", fin, []any{uint8(0x52), uint32(isRandom), uint32(1001)}},
		{"dest tcp 80 flags 0x52", rst, nil},
		{"dest tcp 80 synack ack 7", syn, []any{uint8(syn | ack), uint32(isRandom), uint32(1008)}},
		{"dest tcp 80 rst ack 0xffffffff", syn, []any{uint8(rst | ack), uint32(0), uint32(1000)}},
		{"dest tcp 80 rst ack 7", ack, []any{uint8(rst), uint32(5000), uint32(0)}},
		{"dest tcp 81 synack", syn, []any{uint8(rst | ack), uint32(0), uint32(1001)}},
		{"dest udp synack", syn, []any{uint8(rst | ack), uint32(0), uint32(1001)}},
	} {
		frames := respond(responder(t, c.line), build(t, tcp4(9, c.flags)))
		if len(frames) == 0 {
			if c.want != nil {
				t.Errorf("%q, flags %#x: no answer, want %v", c.line, c.flags, c.want)
			}
			continue
		}
		var reply frame.Reply
		frame.Decode(frames[0].Data, frame.LinkEthernet, false, &reply)
		got := []any{reply.Flags, reply.Seq, reply.Ack}
		if len(c.want) > 0 && c.want[1] == uint32(isRandom) {
			got[1] = uint32(isRandom)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || reply.Kind != frame.KindTCP || reply.Checksum != frame.ChecksumGood ||
			reply.SrcPort != 80 || reply.DstPort != 40000 {
			t.Errorf("%q, flags %#x (-want +got):\n%s\n%+v", c.line, c.flags, diff, reply)
		}
	}
}

// atTarget is a frame's IP packet as it arrives one hop farther, with TTL 1.
func atTarget(f []byte) []byte {
	q := append([]byte(nil), f[ethernetLen:]...)
	q[8] = 1
	p, _ := parseIPv4(q)
	fixHeaderChecksum(q, &p)
	return q
}

// liteAnswer is the UDP-Lite datagram of one byte that port 53 sends.
func liteAnswer() []byte {
	b := []byte{0, 53, 0x9c, 0x40, 0, 0, 0, 0, 'a'}
	sum := ^frame.Fold(frame.Sum(b, frame.PseudoSum(target4, source4, protoUDPLite, len(b))))
	b[6], b[7] = byte(sum>>8), byte(sum)
	return b
}
