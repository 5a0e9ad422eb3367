package frame

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// flowOf gives what load balancers hash of a packet: everything they read of
// the IP header, and the first four bytes of the transport, six of ICMP.
func flowOf(b []byte, m Method, v6 bool) []byte {
	head := ipHeaderLen(v6)
	n := 4
	if m == ICMP {
		n = 6
	}
	flow := append([]byte{}, b[head:head+n]...)
	if v6 {
		flow = append(flow, b[:4]...) // version, traffic class, flow label
		return append(append(flow, b[6]), b[8:40]...)
	}
	return append(append(flow, b[1], b[9]), b[12:20]...)
}

// bitsAt gives n bits of b, at most 32, from bit at on.
func bitsAt(b []byte, at, n int) uint32 {
	v := uint32(0)
	for i := at; i < at+n; i++ {
		v = v<<1 | uint32(b[i/8]>>(7-i%8)&1)
	}
	return v
}

// Tokens change what KeyedFields says they change and the sums over it, and
// nothing in the flow.
func TestTokenKeepsFlow(t *testing.T) {
	forEach(t, keyedMethods, func(t *testing.T, m Method, v6 bool) {
		base := keyedProbe(m, v6)
		head := 8 * ipHeaderLen(v6)
		free := map[int]bool{} // bits that a token may change
		may := func(at, n int) {
			for i := range n {
				free[at+i] = true
			}
		}
		var fields []IdentityField
		covered := uint32(0)
		for _, f := range KeyedFields() {
			if f.Method != m || f.IPv6 != v6 {
				continue
			}
			if f.Transport {
				f.Offset += head
			}
			switch f.Role {
			case RoleToken:
				may(f.Offset, f.Bits)
				fields = append(fields, f)
				covered |= f.Token
			case RoleVerified, RoleCheck:
				if f.Token != 0 {
					t.Errorf("%v has token bits %#x", f, f.Token)
				}
			default:
				t.Errorf("%v: role of no keyed probe", f)
			}
			if f.Flow && f.Role != RoleVerified {
				t.Errorf("%v is in the flow", f)
			}
		}
		if covered != 0xffffffff {
			t.Errorf("the fields carry the token bits %#x", covered)
		}
		if !v6 {
			may(8*ipv4ChecksumAt, 16)
		}
		if m == TCP {
			may(head+8*tcpChecksumAt, 16)
		} else {
			may(head+8*balanceAt, 16)
		}

		const token = 0xfeedbeef
		want := probePacket(t, base)
		for bit := range 32 {
			p := base
			changed := uint32(token ^ 1<<bit)
			if !p.SetToken(changed) {
				t.Fatalf("token %#x refused", changed)
			}
			got := probePacket(t, p)
			if diff := cmp.Diff(flowOf(want, m, v6), flowOf(got, m, v6)); diff != "" {
				t.Errorf("token bit %d changes the flow (-without +with):\n%s", bit, diff)
			}
			if v := verified(t, got); v != ChecksumGood {
				t.Errorf("token %#x: checksum verdict %d", changed, v)
			}
			for i := range 8 * len(got) {
				if bitsAt(got, i, 1) != bitsAt(want, i, 1) && !free[i] {
					t.Errorf("token bit %d changes bit %d of the packet", bit, i)
				}
			}
			for _, f := range fields {
				value := changed & f.Token
				if f.Token == upperToken {
					value >>= 16
				}
				if v := bitsAt(got, f.Offset, f.Bits); v != value {
					t.Errorf("%v: %#x, want %#x of token %#x", f, v, value, changed)
				}
			}
		}
	})
}

func TestKeyedFieldNames(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range KeyedFields() {
		if seen[f.String()] {
			t.Errorf("twice: %v", f)
		}
		seen[f.String()] = true
	}
	for _, want := range []string{
		"udp over IPv4: identification, bits 32..47 of the IP header, token bits 31..16",
		"udp over IPv4: checksum, bits 48..63 of the transport header, token bits 15..0",
		"udplite over IPv6: payload, bits 64..95 of the transport header, token bits 31..0",
		"icmp over IPv6: checksum, bits 16..31 of the transport header, verified, in the flow",
		"icmp over IPv4: sequence, bits 48..63 of the transport header, token bits 15..0",
		"tcp over IPv4: identification, bits 32..47 of the IP header, check",
		"tcp over IPv6: sequence, bits 32..63 of the transport header, token bits 31..0",
	} {
		if !seen[want] {
			t.Errorf("no field %q", want)
		}
	}
}
