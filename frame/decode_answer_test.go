package frame

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bytesOfHex reads hex digits with any blanks and '#' remarks between them.
func bytesOfHex(tb testing.TB, s string) []byte {
	tb.Helper()
	var digits strings.Builder
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestDecodeAnswers(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, m := range methods {
			a := answerToProbe(m, v6)
			b := a.Append(nil)
			want := Reply{
				From: a.From, To: a.To, TTL: a.TTL, TOS: a.TOS, ID: a.ID, Size: len(b),
				Protocol: protocolOf(m, v6), Checksum: ChecksumGood, SrcPort: a.SrcPort, DstPort: a.DstPort,
			}
			switch m {
			case UDP:
				want.Kind = KindUDP
			case ICMP:
				want.Kind, want.DstPort, want.Seq = KindEchoReply, a.SrcPort, a.Seq
				want.Type = echoReplyType(v6)
			case TCP:
				want.Kind, want.Seq, want.Ack, want.Flags = KindTCP, a.Seq, a.Ack, a.Flags
			case UDPLite:
				want.Kind = KindUDPLite
			case DCCP:
				want.Kind, want.Seq, want.Ack, want.Type = KindDCCP, a.Seq, a.Ack, DCCPReset
			case Raw:
				want.Kind, want.Protocol, want.Checksum = KindRaw, a.Protocol, ChecksumUnknown
			}
			got := decode(b, LinkRaw, false)
			if acks := m == TCP || m == DCCP; got.HasAck() != acks {
				t.Errorf("%s: HasAck %t, want %t", m, got.HasAck(), acks)
			}
			if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
				t.Errorf("%s, IPv6 %t (-want +got):\n%s", m, v6, diff)
			}
		}
	}
}

func TestDecodeAnswerLiteral(t *testing.T) {
	// A SYN-ACK with one option, taken apart by hand.
	b := bytesOfHex(t, `
		45 b8 002c 1234 4000 37 06 0000  # IPv4, TOS b8, 44 bytes, DF, TTL 55, TCP
		c6336407 c0000201                # 198.51.100.7 to 192.0.2.1
		01bb 8235 deadbeef 9a8b7c6e      # 443 to 33333
		60 12 ffff 7352 0000             # 24 bytes of header, SYN and ACK
		02 04 05b4                       # MSS 1460`)
	want := Reply{
		Kind: KindTCP, From: targetAddr4, To: ourAddr4, TTL: 55, TOS: 0xb8, ID: 0x1234, Size: 44, Protocol: 6,
		Checksum: ChecksumGood, SrcPort: 443, DstPort: 33333, Seq: 0xdeadbeef, Ack: 0x9a8b7c6e, Flags: FlagSYN | FlagACK,
	}
	if diff := cmp.Diff(want, decode(b, LinkRaw, false), compareAddrs); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
}

func TestDecodeAnswerHeaders(t *testing.T) {
	type edit func(b []byte) []byte // of the transport header
	same := func(b []byte) []byte { return b }
	set := func(at int, v ...byte) edit {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	for _, c := range []struct {
		name     string
		method   Method
		v6       bool
		edit     edit
		cut      int // bytes missing at the end of the capture
		kind     Kind
		checksum Checksum
	}{
		{"UDP", UDP, false, same, 0, KindUDP, ChecksumGood},
		{"UDP bad payload", UDP, false, set(8, 'x'), 0, KindUDP, ChecksumBad},
		{"UDP without checksum", UDP, false, set(6, 0, 0), 0, KindUDP, ChecksumUnknown},
		{"UDP without checksum in IPv6", UDP, true, set(6, 0, 0), 0, KindUDP, ChecksumBad},
		{"UDP cut", UDP, false, same, 1, KindUDP, ChecksumUnknown},
		{"UDP cut in its header", UDP, false, same, 4, KindTruncated, ChecksumUnknown},
		{"UDP length 7", UDP, false, set(4, 0, 7), 0, KindMalformed, ChecksumUnknown},
		{"UDP length past the packet", UDP, false, set(4, 0, 12), 0, KindMalformed, ChecksumUnknown},
		{"UDP length 0 in IPv6", UDP, true, set(4, 0, 0), 0, KindMalformed, ChecksumUnknown},
		{"TCP", TCP, false, same, 0, KindTCP, ChecksumGood},
		{"TCP bad", TCP, true, set(4, 0xff), 0, KindTCP, ChecksumBad},
		{"TCP zero checksum", TCP, false, set(16, 0, 0), 0, KindTCP, ChecksumBad},
		{"TCP cut", TCP, false, same, 3, KindTCP, ChecksumUnknown},
		{"TCP cut in its header", TCP, false, same, 4, KindTruncated, ChecksumUnknown},
		{"TCP header of 16 bytes", TCP, false, set(12, 0x40), 0, KindMalformed, ChecksumUnknown},
		{"TCP header past the packet", TCP, false, set(12, 0x60), 0, KindMalformed, ChecksumUnknown},
		{"UDP-Lite", UDPLite, false, same, 0, KindUDPLite, ChecksumGood},
		{"UDP-Lite bad payload", UDPLite, true, set(8, 'x'), 0, KindUDPLite, ChecksumBad},
		{"UDP-Lite without checksum", UDPLite, false, set(6, 0, 0), 0, KindUDPLite, ChecksumBad},
		{"UDP-Lite cut", UDPLite, false, same, 1, KindUDPLite, ChecksumUnknown},
		{"UDP-Lite cut in its header", UDPLite, false, same, 4, KindTruncated, ChecksumUnknown},
		{"UDP-Lite coverage 7", UDPLite, false, set(4, 0, 7), 0, KindMalformed, ChecksumUnknown},
		{"UDP-Lite coverage past the packet", UDPLite, false, set(4, 0, 12), 0, KindMalformed, ChecksumUnknown},
		{"DCCP", DCCP, false, same, 0, KindDCCP, ChecksumGood},
		{"DCCP bad", DCCP, true, set(12, 0xff), 0, KindDCCP, ChecksumBad},
		{"DCCP covers its header", DCCP, true, set(5, 1), 0, KindDCCP, ChecksumBad},
		{"DCCP coverage past the packet", DCCP, true, set(5, 3), 0, KindMalformed, ChecksumUnknown},
		{"DCCP cut", DCCP, false, same, 3, KindDCCP, ChecksumUnknown},
		{"DCCP cut in its header", DCCP, false, same, 20, KindTruncated, ChecksumUnknown},
		{"DCCP Reset with a Request's header", DCCP, false, set(4, 5), 0, KindMalformed, ChecksumUnknown},
		{"DCCP header past the packet", DCCP, false, set(4, 9), 0, KindMalformed, ChecksumUnknown},
		{"raw cut", Raw, false, same, 3, KindRaw, ChecksumUnknown},
		{"echo reply bad", ICMP, false, set(8, 'x'), 0, KindEchoReply, ChecksumBad},
		{"echo reply cut", ICMP, true, same, 3, KindEchoReply, ChecksumUnknown},
		{"echo reply cut in its header", ICMP, true, same, 4, KindTruncated, ChecksumUnknown},
		{"echo request", ICMP, false, set(0, 8), 0, KindICMPOther, ChecksumBad},
		{"neighbour advertisement", ICMP, true, set(0, 136), 0, KindICMPOther, ChecksumBad},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := answerToProbe(c.method, c.v6)
			b := a.Append(nil)
			head := ipHeaderLen(c.v6)
			b = append(b[:head], c.edit(b[head:])...)
			got := decode(b[:len(b)-c.cut], LinkRaw, false)
			if got.Kind != c.kind || got.Checksum != c.checksum {
				t.Errorf("Kind %d Checksum %d, want %d and %d", got.Kind, got.Checksum, c.kind, c.checksum)
			}
			if got.Size != len(b) {
				t.Errorf("Size = %d, want %d as the header says", got.Size, len(b))
			}
			offloaded := decode(b[:len(b)-c.cut], LinkRaw, true)
			got.Checksum = ChecksumUnknown
			if diff := cmp.Diff(got, offloaded, compareAddrs); diff != "" {
				t.Errorf("offloaded differs in more than Checksum (-verified +offloaded):\n%s", diff)
			}
		})
	}
}

// A UDP length below the IP payload is allowed; the checksum covers that many
// bytes and no more.
func TestDecodeUDPShorterThanPacket(t *testing.T) {
	a := answerToProbe(UDP, false)
	b := append(a.Append(nil), "slack"...)
	b[ipv4LengthAt+1] += 5
	got := decode(b, LinkRaw, false)
	if got.Kind != KindUDP || got.Checksum != ChecksumGood || got.Size != len(b) {
		t.Errorf("Kind %d Checksum %d Size %d, want UDP, good, %d", got.Kind, got.Checksum, got.Size, len(b))
	}
}
