package quotes

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// put gives an edit that writes bytes at an offset.
func put(at int, b ...byte) func([]byte) []byte {
	return func(q []byte) []byte { copy(q[at:], b); return q }
}

// fixed is the edit with the IPv4 header checksum made right after it.
func fixed(edit func([]byte) []byte) func([]byte) []byte {
	return func(q []byte) []byte { return resum(edit(q)) }
}

func short(n int) func([]byte) []byte { return func(q []byte) []byte { return q[:n] } }

// nat rewrites source address and port of a UDP quote and its checksum as a
// proper NAT does.
func nat(q []byte) []byte {
	old := frame.Fold(frame.Sum(q[20:22], frame.Sum(q[12:16], 0)))
	copy(q[12:], []byte{192, 0, 2, 7})
	binary.BigEndian.PutUint16(q[20:], 61000)
	now := frame.Fold(frame.Sum(q[20:22], frame.Sum(q[12:16], 0)))
	binary.BigEndian.PutUint16(q[26:], frame.UpdateChecksum(binary.BigEndian.Uint16(q[26:]), old, now))
	return resum(q)
}

// wrapped puts the quote behind an outer IPv4 header and b.
func wrapped(protocol byte, b ...byte) func([]byte) []byte {
	return func(q []byte) []byte {
		out := make([]byte, 20, 20+len(b)+len(q))
		copy(out, []byte{0x45, 0, 0, 0, 0, 9, 0, 0, 1, protocol, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2})
		out = append(append(out, b...), q...)
		binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
		return resum(out)
	}
}

// addOptions puts a NOP-filled word of options into a quoted IPv4 header.
func addOptions(q []byte) []byte {
	q = slices.Insert(q, 20, 1, 1, 1, 0)
	q[0]++
	binary.BigEndian.PutUint16(q[2:], binary.BigEndian.Uint16(q[2:])+4)
	return resum(q)
}

// tcpOption overwrites the first TCP option of the kind with NOPs, or changes
// its last byte.
func tcpOption(kind byte, remove bool) func([]byte) []byte {
	return func(q []byte) []byte {
		for b := q[40:]; len(b) > 1 && b[0] != 0; {
			if b[0] == 1 {
				b = b[1:]
				continue
			}
			n := int(b[1])
			if b[0] == kind {
				for i := range n {
					if remove {
						b[i] = 1
					}
				}
				if !remove {
					b[n-1]++
				}
				break
			}
			b = b[n:]
		}
		return q
	}
}

// Every anomaly in a quote: a probe, what becomes of its quote, and what the
// program says. Beside the probe there are others of its flow, of which none
// may be taken for it.
func TestAnomalies(t *testing.T) {
	sent := packet(t, udp4())
	sum := hex.EncodeToString(sent[26:28])
	for _, tt := range []struct {
		name      string
		probe     frame.Probe
		edit      func([]byte) []byte
		verdict   string
		anomalies string
		fields    string // "" is not looked at
	}{
		{"nothing", udp4(), nil, "exact", "", ""},
		{"nothing icmp", icmp4(), nil, "exact", "", ""},
		{"nothing tcp", tcp4(), nil, "exact", "", ""},
		{"nothing ipv6", udp6(), nil, "exact", "", ""},
		{"28 bytes", udp4(), short(28), "exact", "", ""},
		{"28 bytes tcp", tcp4(), short(28), "exact", "", ""},
		{"1 ttl 0", udp4(), fixed(put(8, 0)), "exact", "ttl", "ttl:5>0"},
		{"1 ttl 7", icmp4(), fixed(put(8, 7)), "exact", "ttl", "ttl:5>7"},
		{"1 hop limit", udp6(), put(7, 3), "exact", "ttl", "ttl:5>3"},
		{"2 dscp", udp4(), fixed(put(1, 0x20)), "rewritten", "dscp", "dscp:0>8"},
		{"2 ecn", tcp4(), fixed(put(1, 0x03)), "rewritten", "ecn", "ecn:0>3"},
		{"2 traffic class", udp6(), put(0, 0x6b, 0x85), "rewritten", "dscp", ""},
		{"3 id swapped", udp4(), fixed(put(4, 0x34, 0x12)), "rewritten", "id-swapped", "id:4660>13330"},
		{"4 id plus one", icmp4(), fixed(put(4, 0x12, 0x35)), "rewritten", "id-plus-one", ""},
		{"4 id zero", udp4(), fixed(put(4, 0, 0)), "rewritten", "id-zero", ""},
		{"4 id other", tcp4(), fixed(put(4, 0xaa, 0xbb)), "rewritten", "id", ""},
		{"5 length swapped", udp4(), fixed(put(2, 60, 0)), "rewritten", "length-swapped", "length:60>15360"},
		{"5 length short", udp4(), fixed(put(2, 0, 40)), "rewritten", "length-short", "length:60>40"},
		{"5 length other", udp4(), fixed(put(2, 0, 59)), "rewritten", "length", ""},
		{"5 length ipv6", udp6(), put(4, 40, 0), "rewritten", "length-swapped", ""},
		{"6 ip checksum zero", udp4(), put(10, 0, 0), "exact", "ip-checksum", ""},
		{"6 ip checksum stale", tcp4(), func(q []byte) []byte { copy(q[10:12], packet(t, tcp4())[10:12]); return q }, "exact", "ip-checksum", ""},
		{"7 checksum zero", udp4(), put(26, 0, 0), "rewritten", "checksum-zero", "checksum:0x" + strings.TrimLeft(sum, "0") + ">0x0"},
		{"7 checksum other", udp4(), put(26, 0xde, 0xad), "rewritten", "checksum", ""},
		{"7 nat forgets checksum", udp4(), func(q []byte) []byte { q = nat(q); copy(q[26:28], sent[26:28]); return q },
			"rewritten", "src-address,src-port,checksum-stale", ""},
		{"7 checksum restored", zeroed(), put(22, 0, 0), "exact", "checksum-restored", "checksum:0xffff>0x0"},
		{"8 checksum partial", udp4(), func(q []byte) []byte {
			binary.BigEndian.PutUint16(q[26:], frame.Fold(frame.PseudoSum(us4, dst4, 17, 40)))
			return q
		}, "rewritten", "checksum-partial", ""},
		{"9 source", udp4(), fixed(put(12, 192, 0, 2, 1)), "rewritten", "src-address,checksum-stale", "src-address:10.9.9.1>192.0.2.1 checksum:" + sumOf(t, udp4(), 26)},
		{"10 destination", udp4(), fixed(put(16, 192, 0, 2, 1)), "rewritten", "dst-address,checksum-stale", ""},
		{"10 destination icmp", icmp4(), fixed(put(16, 192, 0, 2, 1)), "rewritten", "dst-address", "dst-address:10.2.2.2>192.0.2.1"},
		{"11 nat", udp4(), nat, "rewritten", "src-address,src-port,checksum-updated", ""},
		{"11 destination port", udp4(), put(22, 0, 53), "rewritten", "dst-port,checksum-stale", ""},
		{"11 identifier", icmp4(), put(24, 0x77, 0x77), "rewritten", "src-port,checksum-stale", "identifier:4242>30583 checksum:" + sumOf(t, icmp4(), 22)},
		{"icmp sequence", icmp4(), put(26, 0x01, 0x07), "rewritten", "checksum-stale,icmp-seq", ""},
		{"icmp type", icmp4(), put(21, 3), "rewritten", "checksum-stale,icmp-type", ""},
		{"12 tcp sequence", tcp4(), put(24, 9, 9, 9, 9), "rewritten", "checksum-stale,tcp-seq", ""},
		{"12 tcp ack", tcp4(), put(28, 0, 0, 0, 1), "rewritten", "checksum-stale,tcp-ack", ""},
		{"13 mss clamped", tcp4(), tcpOption(2, false), "rewritten", "checksum-stale,tcp-mss", ""},
		{"13 sack removed", tcp4(), tcpOption(4, true), "rewritten", "checksum-stale,tcp-options", ""},
		{"13 timestamps", tcp4(), tcpOption(8, false), "rewritten", "checksum-stale,tcp-options", ""},
		{"13 flags", tcp4(), put(33, frame.FlagSYN|frame.FlagECE), "rewritten", "checksum-stale,tcp-flags", "tcp-flags:0x2>0x42 checksum:" + sumOf(t, tcp4(), 36)},
		{"13 window", tcp4(), put(34, 1, 1), "rewritten", "checksum-stale,tcp-window", ""},
		{"13 urgent", tcp4(), put(38, 1, 1), "rewritten", "checksum-stale,tcp-urgent", ""},
		{"13 offset", tcp4(), put(32, 0x50), "rewritten", "checksum-stale,tcp-offset,tcp-options", ""},
		{"14 header and 4", udp4(), short(24), "truncated", "truncated", ""},
		{"14 header alone", udp4(), short(20), "truncated", "truncated", ""},
		{"14 half a header", udp4(), short(12), "foreign", "truncated,foreign", ""},
		{"14 nothing", udp4(), short(0), "foreign", "truncated,foreign", ""},
		{"15 header length", udp4(), put(0, 0x42), "malformed", "malformed", ""},
		{"15 header past the end", udp4(), func(q []byte) []byte { q[0] = 0x4f; return q[:28] }, "malformed", "malformed", ""},
		{"15 version", udp4(), put(0, 0x75), "malformed", "malformed", ""},
		{"15 options added", udp4(), addOptions, "rewritten", "length,ip-options", ""},
		{"16 ipip", udp4(), wrapped(4), "encapsulated", "encapsulated", ""},
		{"16 gre", tcp4(), wrapped(47, 0, 0, 8, 0), "encapsulated", "encapsulated", ""},
		{"16 gre with key", tcp4(), wrapped(47, 0x20, 0, 8, 0, 1, 2, 3, 4), "encapsulated", "encapsulated", ""},
		{"16 6in4", udp6(), wrapped(41), "encapsulated", "encapsulated", ""},
		{"16 icmp error", icmp4(), wrapped(1, 11, 0, 0, 0, 0, 0, 0, 0), "encapsulated", "encapsulated", ""},
		{"16 mpls", udp4(), func(q []byte) []byte { return append([]byte{0, 1, 0x00, 9, 0, 2, 0x01, 9}, q...) }, "encapsulated", "encapsulated", ""},
		{"17 fragment", udp4(), fixed(put(6, 0, 5)), "fragment", "fragment", ""},
		{"26 other flow", udp4(), fixed(func(q []byte) []byte { q = put(20, 1, 1, 2, 2)(q); return put(4, 0x55, 0x66)(q) }), "foreign", "foreign", ""},
		{"27 guessed", udp4(), fixed(func(q []byte) []byte { return put(4, 0x55, 0x66)(put(26, 1, 1)(q)) }), "spoofed", "spoofed", ""},
		{"27 guessed tcp", tcp4(), fixed(func(q []byte) []byte { return put(4, 0x55, 0x66)(put(24, 1, 1, 1, 1)(q)) }), "spoofed", "spoofed", ""},
		{"28 flow label", udp6(), put(1, 0x01), "rewritten", "label", ""},
		{"df", udp4(), fixed(put(6, 0x40)), "rewritten", "fragment-bits", "fragment-bits:0>2"},
		{"udp length", udp4(), put(24, 0, 39), "rewritten", "udp-length,checksum-stale", ""},
		{"payload", udp4(), put(50, 1, 2, 3), "rewritten", "checksum-stale,payload", ""},
		{"protocol", udp4(), fixed(put(9, 99)), "foreign", "foreign", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCapture(t)
			us, from := us4, hop4
			if tt.probe.IsIPv6() {
				us, from = us6, hop6
			}
			// Neighbours in everything: other ports, numbers, destinations.
			near := tt.probe
			near.DstPort, near.Seq, near.ID = near.DstPort+1, near.Seq+256, near.ID+512
			far := tt.probe
			far.Dst, far.ID, far.Seq, far.SrcPort = far.Dst.Next(), far.ID+1024, far.Seq+1024, far.SrcPort+9
			own := packet(t, tt.probe)
			c.add(packet(t, near), own, packet(t, far))
			quote := expired(own)
			if tt.edit != nil {
				quote = tt.edit(quote)
			}
			c.add(timeExceeded(from, us, quote, nil, 0))
			o := jsonl(t, c.save())
			if o.status != 0 || o.stderr != "" || len(o.of("reply")) != 1 {
				t.Fatalf("exit %d, %q, %d replies", o.status, o.stderr, len(o.of("reply")))
			}
			r := o.of("reply")[0]
			if r.Verdict != tt.verdict || strings.Join(r.Anomalies, ",") != tt.anomalies {
				t.Errorf("%s %v, want %s [%s]; %s", r.Verdict, r.Anomalies, tt.verdict, tt.anomalies, r.fields())
			}
			if tt.fields != "" && r.fields() != tt.fields {
				t.Errorf("fields %q, want %q", r.fields(), tt.fields)
			}
			if attributed := r.ProbePkt != nil; attributed && *r.ProbePkt != 2 {
				t.Errorf("attributed to packet %d, want 2", *r.ProbePkt)
			}
		})
	}
}

// zeroed is an echo request with the other zero for its checksum.
func zeroed() frame.Probe {
	p := icmp4()
	p.Fixed, p.Sum = true, 0xffff
	return p
}

// sumOf gives the checksum as sent, twice, as a stale one is shown.
func sumOf(t *testing.T, p frame.Probe, at int) string {
	s := "0x" + strings.TrimLeft(hex.EncodeToString(packet(t, p)[at:at+2]), "0")
	return s + ">" + s
}

// Every anomaly that a quote or its message can have is in some row of these
// tests.
func TestAnomaliesAreAllTested(t *testing.T) {
	source := testSources(t)
	for _, k := range anomaly.List() {
		if !strings.Contains(source, k.Name) {
			t.Errorf("no test has %q", k.Name)
		}
	}
}

// NAT64 and CLAT: the quote is of the other version.
func TestTranslated(t *testing.T) {
	p := udp6()
	p.Dst = netip.MustParseAddr("64:ff9b::198.51.100.7")
	v6 := packet(t, p)
	in := udp4()
	in.Src, in.Dst, in.Size, in.ID = netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("198.51.100.7"), 60, 77
	v4 := packet(t, in) // translated packets have a checksum of their own
	c := newCapture(t)
	c.add(v6, timeExceeded(hop6, us6, expired(v4), nil, 0))
	echo := icmp4()
	echo6 := echo
	echo6.Src, echo6.Dst, echo6.Size = netip.MustParseAddr("fd00::1"), netip.MustParseAddr("64:ff9b::10.2.2.2"), 80
	c.add(packet(t, echo), timeExceeded(hop4, us4, expired(packet(t, echo6)), nil, 0))
	o := jsonl(t, c.save())
	for i, r := range o.of("reply") {
		if r.Verdict != "translated" || !slices.Contains(r.Anomalies, "translated") || r.ProbePkt == nil || *r.ProbePkt != 2*i+1 {
			t.Errorf("reply %d: %s %v, rule %v", i, r.Verdict, r.Anomalies, r.Rule)
		}
		if slices.Contains(r.Anomalies, "dst-address") || slices.Contains(r.Anomalies, "length") {
			t.Errorf("reply %d: %v", i, r.Anomalies)
		}
	}
}
