package frame

import (
	"bytes"
	"testing"
)

// quotedKey is the key that the quote of a probe's packet carries.
func quotedKey(v6 bool, m Method, packet []byte) (Key, bool) {
	r := quoteOf(v6, packet)
	if m == Raw {
		return r.RawKey()
	}
	return r.Key()
}

// Every bit that the table says is of the key changes the key, and no other bit
// of identification, flow label and the first 8 transport bytes does.
func TestIdentityFieldsAreTheKey(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, m := range methods {
			p := quotedProbe(m, v6)
			b := probePacket(t, p)
			head := ipHeaderLen(v6)
			listed := map[int]bool{}
			for _, f := range IdentityFields() {
				if f.Method != m || f.IPv6 != v6 || f.Role != RoleKey {
					continue
				}
				at := f.Offset
				if f.Transport {
					at += 8 * head
				}
				for i := range f.Bits {
					listed[at+i] = true
				}
			}
			if len(listed) == 0 {
				t.Errorf("%s %s has no key", m, familyName(v6))
			}
			from, to := 8*ipv4IDAt, 8*ipv4IDAt+16
			if v6 {
				from, to = 12, 32
			}
			bits := []int{}
			for i := from; i < to; i++ {
				bits = append(bits, i)
			}
			first := 8 * head
			if m == ICMP {
				first += 16 // type and code make it an echo request
			}
			for i := first; i < 8*(head+8); i++ {
				bits = append(bits, i)
			}
			for _, i := range bits {
				flipped := bytes.Clone(b)
				flipped[i/8] ^= 0x80 >> (i % 8)
				key, ok := quotedKey(v6, m, flipped)
				if !ok || (key != p.Key()) != listed[i] {
					t.Errorf("%s %s: bit %d of the packet changes the key: %t, want %t", m, familyName(v6), i, key != p.Key(), listed[i])
				}
			}
		}
	}
}

func TestIdentityFieldNames(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range IdentityFields() {
		if seen[f.String()] {
			t.Errorf("twice: %v", f)
		}
		seen[f.String()] = true
	}
	for _, want := range []string{
		"udp over IPv4: identification, bits 32..47 of the IP header, check",
		"udp over IPv6: source port, bits 0..15 of the transport header, key, in the flow",
		"tcp over IPv4: sequence, bits 32..63 of the transport header, check",
		"dccp over IPv6: sequence, bits 96..127 of the transport header, check",
		"raw over IPv4: identification, bits 32..47 of the IP header, key",
		"raw over IPv6: flow label, bits 12..31 of the IP header, key, in the flow",
	} {
		if !seen[want] {
			t.Errorf("no field %q", want)
		}
	}
	if Role(0).String() != "invalid" {
		t.Error("a role that there is not has a name")
	}
}

func TestRawKey(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		p := quotedProbe(Raw, v6)
		b := probePacket(t, p)
		head := ipHeaderLen(v6)
		r := quoteOf(v6, b)
		if _, ok := r.Key(); ok {
			t.Errorf("%s: Key of a protocol that no method has", familyName(v6))
		}
		for n := range len(b) + 1 {
			r := quoteOf(v6, b[:n])
			key, ok := r.RawKey()
			if ok != (n >= head+8) || ok && key != p.Key() {
				t.Errorf("%s, %d bytes: RawKey %#x %t", familyName(v6), n, key, ok)
			}
		}
		p.Size = head
		r = quoteOf(v6, probePacket(t, p))
		if key, ok := r.RawKey(); !ok || key != p.Key() {
			t.Errorf("%s without payload: RawKey %#x %t", familyName(v6), key, ok)
		}
		// A protocol with a method is read as that, and still has a RawKey.
		p.Protocol, p.Size = protoUDP, head+40
		r = quoteOf(v6, probePacket(t, p))
		if key, ok := r.RawKey(); !ok || key != p.Key() || r.Quote.Method != UDP {
			t.Errorf("%s of UDP: RawKey %#x %t, method %s", familyName(v6), key, ok, r.Quote.Method)
		}
		a := answerToProbe(Raw, v6)
		r = decode(a.Append(nil), LinkRaw, false)
		if _, ok := r.RawKey(); ok {
			t.Errorf("%s: RawKey of a direct answer", familyName(v6))
		}
	}
}
