package onpath

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

// What is done to quotes, by their bytes.
var (
	source  = put(12, 192, 0, 2, 7)
	port    = put(20, 0xee, 0x48) // 61000
	noTOS   = put(1, 0)
	clamped = put(42, 0x05, 0x78) // 1400
	lower   = put(42, 0x05, 0x14) // 1300
	zeroSum = put(22, 0, 0)       // of an echo request
)

// TestFindings walks paths and wants what the summary says.
func TestFindings(t *testing.T) {
	plain := []step{{ttl: 1}, {ttl: 2}, {ttl: 3}, {ttl: 4, last: true}}
	for _, tt := range []struct {
		name  string
		probe frame.Probe
		steps []step
		want  []string
	}{
		{"nothing", udp(), plain, nil},
		{"nothing tcp", tcp(), plain, nil},
		{"nothing icmp", icmp(), plain, nil},
		{"nothing ipv6", udp6(), []step{{ttl: 1, from: "fd01::1"}, {ttl: 2, from: "fd01::2"}}, nil},
		{"28 bytes", tcp(), []step{{ttl: 1, edit: cut(28)}, {ttl: 2, edit: cut(28)}, {ttl: 3}}, nil},
		{"parts of a TCP header", tcp(), []step{{ttl: 1, edit: both(clamped, put(36, 1, 1), cut(40))}, {ttl: 2, edit: both(put(36, 2, 2), cut(40))}}, nil},
		{"several ways", udp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 2, from: "10.1.2.9"}, {ttl: 3}, {ttl: 3, from: "10.1.3.9"}}, nil},
		{"silence", udp(), nil, nil},
		{"answers without quotes", tcp(), []step{{ttl: 1, none: true}, {ttl: 2, none: true, last: true}}, nil},

		{"source address", udp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 3, edit: source}, {ttl: 4, edit: source, last: true}},
			[]string{"NAT after hop 2: src-address 10.9.9.1 -> 192.0.2.7 (hops 3 to 4)"}},
		{"source port", udp(), []step{{ttl: 1}, {ttl: 2, edit: port}, {ttl: 3, edit: put(20, 0xee, 0x50)}},
			[]string{"NAT after hop 1: src-port 40002 -> 61000 (hops 2 to 3)"}},
		{"address and port, and nobody before", udp(), []step{{ttl: 2, edit: both(source, port)}, {ttl: 3, edit: both(source, port)}},
			[]string{"NAT at 2 or before: src-address 10.9.9.1 -> 192.0.2.7, src-port 40001 -> 61000 (hops 2 to 3)"}},
		{"two of them", udp(), []step{{ttl: 1}, {ttl: 2, edit: source}, {ttl: 3, edit: put(12, 198, 51, 100, 3)}},
			[]string{"NAT after hop 1: src-address 10.9.9.1 -> 192.0.2.7 (hop 2)", "NAT after hop 2: src-address 10.9.9.1 -> 198.51.100.3 (hop 3)"}},
		{"destination", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(16, 10, 7, 7, 7)}},
			[]string{"NAT after hop 1: dst-address 10.2.2.2 -> 10.7.7.7 (hop 2)"}},
		{"one router quotes another source", udp(), []step{{ttl: 1}, {ttl: 2, edit: source}, {ttl: 3}}, nil},
		{"between silent hops", udp(), []step{{ttl: 1}, {ttl: 5, edit: source}, {ttl: 6, edit: source}},
			[]string{"NAT between 1 and 5: src-address 10.9.9.1 -> 192.0.2.7 (hops 5 to 6)"}},
		{"forgotten checksums", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(26, 1, 1)}, {ttl: 3, edit: put(26, 1, 2)}},
			[]string{"NAT after hop 1: checksum 0xccae -> 0x101, no other change explains the checksum (hops 2 to 3)"}},
		{"one odd checksum", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(26, 1, 1)}},
			[]string{"checksum rewritten between 1 and 2: checksum 0xccae -> 0x101 (hop 2)"}},
		{"forgotten header checksums", udp(), []step{{ttl: 1}, {ttl: 2, edit: stale}, {ttl: 3, edit: stale}},
			[]string{"NAT after hop 1: the quoted IP header checksums of hops 2 to 3 are those of other addresses (hops 2 to 3)"}},
		{"one odd header checksum", udp(), []step{{ttl: 1}, {ttl: 2, edit: stale}, {ttl: 3}}, nil},
		{"header checksums of other TTLs, and none", udp(), []step{{ttl: 1, edit: func(q []byte) []byte { q[10]++; return q }},
			{ttl: 2, edit: func(q []byte) []byte { q[10]++; return q }}, {ttl: 3, edit: func(q []byte) []byte { q[10], q[11] = 0, 0; return q }}}, nil},
		{"restored", icmp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 3, edit: zeroSum}, {ttl: 4, edit: zeroSum}},
			[]string{"NAT after hop 2: checksum-restored 0xffff -> 0x0, the same number, which is what updating it there and back leaves: the quote is restored (hops 3 to 4)"}},
		{"many answer as the target", udp(), []step{{ttl: 1}, {ttl: 2, from: "10.2.2.2"}, {ttl: 3, from: "10.2.2.2"}, {ttl: 4, last: true}},
			[]string{"NAT after hop 1: hops 2 to 4 answer by the target's address, from 2 to 4 hops away (hops 2 to 4)"}},
		{"the target looks at its TTL", udp(), []step{{ttl: 1}, {ttl: 2, from: "10.2.2.2", back: 2}, {ttl: 3, last: true, back: 2}}, nil},

		{"tos cleared", udp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 3, edit: noTOS}, {ttl: 4, edit: noTOS, last: true}},
			[]string{"TOS cleared between 2 and 3: dscp 46 -> 0 (hops 3 to 4)"}},
		{"tos by one router", udp(), []step{{ttl: 1}, {ttl: 2, edit: noTOS}, {ttl: 3}}, nil},
		{"tos and back", udp(), []step{{ttl: 1}, {ttl: 2, edit: noTOS}, {ttl: 3, edit: noTOS}, {ttl: 4}},
			[]string{"TOS cleared between 1 and 2: dscp 46 -> 0 (hops 2 to 3; as sent at 4)"}},
		{"dscp rewritten twice", udp(), []step{{ttl: 1, edit: put(1, 0x20)}, {ttl: 2, edit: put(1, 0x28)}},
			[]string{"DSCP rewritten at 1 or before: dscp 46 -> 8 (hop 1)", "DSCP rewritten between 1 and 2: dscp 46 -> 10 (hop 2)"}},
		{"congestion", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(1, 0xbb)}},
			[]string{"ECN set to congestion experienced between 1 and 2: ecn 0 -> 3 (hop 2)"}},
		{"traffic class", udp6(), []step{{ttl: 1, from: "fd01::1"}, {ttl: 2, from: "fd01::2", edit: put(0, 0x60, 0x01)}},
			[]string{"TOS cleared between 1 and 2: dscp 46 -> 0 (hop 2)"}},
		{"label", udp6(), []step{{ttl: 1, from: "fd01::1"}, {ttl: 2, from: "fd01::2", edit: put(1, 0x80, 0, 0)}},
			[]string{"flow label cleared between 1 and 2: flow-label 0x12345 -> 0x0 (hop 2)"}},
		{"ttl raised", udp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 3, last: true, edit: put(8, 62)}},
			[]string{"TTL rewritten between 2 and 3: ttl 3 -> 62 (hop 3)"}},
		{"ttl lowered", udp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 3, from: "10.1.3.1", back: 3}, {ttl: 4, from: "10.1.3.1", back: 3}, {ttl: 5, from: "10.1.3.1", back: 3}},
			[]string{"TTL lowered between 2 and 3: every probe of TTL 3 to 5 expires at one router (hops 3 to 5)"}},
		{"a loop of two", udp(), []step{{ttl: 1}, {ttl: 2, from: "10.1.2.1"}, {ttl: 3, from: "10.1.3.1"}, {ttl: 4, from: "10.1.2.1"}, {ttl: 5, from: "10.1.3.1"}}, nil},
		{"hidden hops", udp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 3, edit: put(8, 3)}, {ttl: 4, edit: put(8, 2)}}, nil},
		{"zero TTL", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(8, 0)}, {ttl: 3}}, nil},
		{"mss clamped", tcp(), []step{{ttl: 1}, {ttl: 2, edit: cut(28)}, {ttl: 3}, {ttl: 4, edit: clamped}, {ttl: 5, edit: clamped}},
			[]string{"MSS clamped between 3 and 4: tcp-mss 1460 -> 1400 (hops 4 to 5)"}},
		{"mss clamped where nobody tells", tcp(), []step{{ttl: 1, edit: cut(28)}, {ttl: 4, edit: clamped}},
			[]string{"MSS clamped at 4 or before: tcp-mss 1460 -> 1400 (hop 4)"}},
		{"mss clamped twice", tcp(), []step{{ttl: 1}, {ttl: 2, edit: clamped}, {ttl: 3, edit: lower}, {ttl: 4, edit: lower}},
			[]string{"MSS clamped between 1 and 2: tcp-mss 1460 -> 1400 (hop 2)", "MSS clamped between 2 and 3: tcp-mss 1460 -> 1300 (hops 3 to 4)"}},
		{"option removed", tcp(), []step{{ttl: 1}, {ttl: 2, edit: put(44, 1, 1)}},
			[]string{"TCP SACK removed between 1 and 2: tcp-sack-permitted 1 -> absent (hop 2)"}},
		{"sequence", tcp(), []step{{ttl: 1}, {ttl: 2, edit: both(put(24, 9, 9, 9, 9), cut(28))}, {ttl: 3, edit: put(24, 8, 8, 8, 8)}},
			[]string{"TCP sequence rewritten between 1 and 2: tcp-seq 16909060 -> 151587081 (hops 2 to 3)"}},
		{"window and flags", tcp(), []step{{ttl: 1}, {ttl: 2, edit: both(put(33, 0x42), put(34, 1, 1))}},
			[]string{"TCP flags rewritten and TCP window rewritten between 1 and 2: tcp-flags 0x2 -> 0x42, tcp-window 5840 -> 257 (hop 2)"}},
		{"id cleared", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(4, 0, 0)}, {ttl: 3, edit: put(4, 0, 0)}},
			[]string{"IP ID cleared between 1 and 2: id-zero 4661 -> 0 (hops 2 to 3)"}},
		{"id swapped, length swapped", udp(), []step{{ttl: 1}, {ttl: 2, edit: both(func(q []byte) []byte { q[4], q[5] = q[5], q[4]; return q }, put(2, 60, 0))}}, nil},
		{"df set", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(6, 0x40)}}, []string{"DF set between 1 and 2: fragment-bits 0 -> 2 (hop 2)"}},
		{"checksum cleared", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(26, 0, 0)}, {ttl: 3, edit: put(26, 0, 0)}},
			[]string{"checksum cleared between 1 and 2: checksum-zero 0xccae -> 0x0 (hops 2 to 3)"}},
		{"tunnel", udp(), []step{{ttl: 1}, {ttl: 2, edit: gre}, {ttl: 3, edit: gre}, {ttl: 4}},
			[]string{"tunnel between 1 and 2: encapsulation absent -> gre (hops 2 to 3; as sent at 4)"}},
		{"payload", udp(), []step{{ttl: 1}, {ttl: 2, edit: put(50, 1, 2, 3)}, {ttl: 3, edit: put(50, 1, 2, 3)}},
			[]string{"payload rewritten between 1 and 2: payload 565758595a5b5c5d -> 010203595a5b5c5d (hops 2 to 3)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p Path
			walk(t, &p, tt.probe, tt.steps)
			var got []string
			for _, f := range p.Findings() {
				got = append(got, f.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
