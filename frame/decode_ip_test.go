package frame

import (
	"slices"
	"testing"
)

// insert4 gives packet b with options behind its IPv4 header, lengths patched.
func insert4(b []byte, options ...byte) []byte {
	b = slices.Insert(slices.Clone(b), ipv4HeaderLen, options...)
	b[0] += byte(len(options) / 4)
	b[ipv4LengthAt+1] += byte(len(options))
	return b
}

// insert6 gives packet b with extension headers behind its IPv6 header. next
// is the number of the first; headers holds them whole, with the last one's
// next header as zero, to be filled in.
func insert6(b []byte, next uint8, headers ...[]byte) []byte {
	last := slices.Clone(headers[len(headers)-1])
	last[0] = b[ipv6NextHeaderAt]
	chain := slices.Concat(append(slices.Clone(headers[:len(headers)-1]), last)...)
	b = slices.Insert(slices.Clone(b), ipv6HeaderLen, chain...)
	b[ipv6NextHeaderAt] = next
	b[ipv6LengthAt+1] += byte(len(chain))
	return b
}

// Extension headers with the next header that insert6 fills in.
var (
	hopByHop    = []byte{0, 0, 5, 2, 0, 0, 1, 0}                          // router alert
	destination = []byte{0, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} // 16 bytes of padding
	routingDone = []byte{0, 2, 0, 0, 0, 0, 0, 0, 23: 1}                   // no segments left
	routingLeft = []byte{0, 2, 0, 1, 0, 0, 0, 0, 23: 1}                   // one segment left
	atomic      = []byte{0, 0, 0, 0, 1, 2, 3, 4}                          // offset 0, the only fragment
	firstOfMany = []byte{0, 0, 0, 1, 1, 2, 3, 4}                          // offset 0, more to come
	laterOf     = []byte{0, 0, 0, 8, 1, 2, 3, 4}                          // offset 8, the last one
	tooLong     = []byte{0, 32, 1, 4, 0, 0, 0, 0}                         // says 264 bytes, more than a byte counts
)

func TestDecodeIPv4Header(t *testing.T) {
	a := answerToProbe(UDP, false)
	plain := a.Append(nil)
	set := func(at int, v ...byte) []byte {
		b := slices.Clone(plain)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name     string
		packet   []byte
		kind     Kind
		checksum Checksum
	}{
		{"plain", plain, KindUDP, ChecksumGood},
		{"IHL 4", set(0, 0x44), KindMalformed, ChecksumUnknown},
		{"IHL 0", set(0, 0x40), KindMalformed, ChecksumUnknown},
		{"length below the header", set(2, 0, 19), KindMalformed, ChecksumUnknown},
		{"length 0", set(2, 0, 0), KindMalformed, ChecksumUnknown},
		{"length of the header", set(2, 0, 20), KindTruncated, ChecksumUnknown},
		{"length of half a UDP header", set(2, 0, 24), KindTruncated, ChecksumUnknown},
		{"length 65535, cut", set(2, 0xff, 0xff), KindUDP, ChecksumUnknown},
		{"four bytes of options", insert4(plain, 1, 1, 1, 0), KindUDP, ChecksumGood},
		{"forty bytes of options", insert4(plain, make([]byte, 40)...), KindUDP, ChecksumGood},
		{"options cut", insert4(plain, make([]byte, 40)...)[:59], KindTruncated, ChecksumUnknown},
		{"fixed header cut", plain[:19], KindTruncated, ChecksumUnknown},
		{"first fragment", set(6, 0x20, 0), KindUDP, ChecksumUnknown},
		{"middle fragment", set(6, 0x20, 1), KindFragment, ChecksumUnknown},
		{"last fragment", set(6, 0x1f, 0xff), KindFragment, ChecksumUnknown},
		{"don't fragment", set(6, 0x40, 0), KindUDP, ChecksumGood},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decode(c.packet, LinkRaw, false)
			if got.Kind != c.kind || got.Checksum != c.checksum {
				t.Fatalf("Kind %d Checksum %d, want %d and %d", got.Kind, got.Checksum, c.kind, c.checksum)
			}
			if len(c.packet) >= ipv4HeaderLen && (got.From != a.From || got.To != a.To || got.TTL != a.TTL) {
				t.Errorf("From %s To %s TTL %d, want %s, %s, %d", got.From, got.To, got.TTL, a.From, a.To, a.TTL)
			}
			if c.kind == KindUDP && (got.SrcPort != a.SrcPort || got.DstPort != a.DstPort) {
				t.Errorf("ports %d and %d, want %d and %d", got.SrcPort, got.DstPort, a.SrcPort, a.DstPort)
			}
		})
	}
}

func TestDecodeIPv6ExtensionHeaders(t *testing.T) {
	a := answerToProbe(UDP, true)
	plain := a.Append(nil)
	next := func(n uint8, h []byte) []byte {
		h = slices.Clone(h)
		h[0] = n
		return h
	}
	chain := func(n int) []byte { // n destination option headers
		headers := make([][]byte, n)
		for i := range headers {
			headers[i] = next(extDestination, destination)
		}
		return insert6(plain, extDestination, headers...)
	}
	for _, c := range []struct {
		name     string
		packet   []byte
		kind     Kind
		checksum Checksum
	}{
		{"plain", plain, KindUDP, ChecksumGood},
		{"hop-by-hop", insert6(plain, extHopByHop, hopByHop), KindUDP, ChecksumGood},
		{"destination options", insert6(plain, extDestination, destination), KindUDP, ChecksumGood},
		{"routing", insert6(plain, extRouting, routingDone), KindUDP, ChecksumGood},
		{"routing, segments left", insert6(plain, extRouting, routingLeft), KindUDP, ChecksumUnknown},
		{"atomic fragment", insert6(plain, extFragment, atomic), KindUDP, ChecksumGood},
		{"first fragment", insert6(plain, extFragment, firstOfMany), KindUDP, ChecksumUnknown},
		{"later fragment", insert6(plain, extFragment, laterOf), KindFragment, ChecksumUnknown},
		{"later fragment without data", insert6(plain, extFragment, laterOf)[:48], KindFragment, ChecksumUnknown},
		{"later fragment of another header", insert6(plain, extFragment, next(extDestination, laterOf), tooLong), KindFragment, ChecksumUnknown},
		{"all kinds", insert6(plain, extHopByHop, next(extDestination, hopByHop), next(extRouting, destination),
			next(extFragment, routingDone), next(extDestination, atomic), destination), KindUDP, ChecksumGood},
		{"header longer than the packet", insert6(plain, extHopByHop, tooLong), KindTruncated, ChecksumUnknown},
		{"header cut", insert6(plain, extDestination, destination)[:55], KindTruncated, ChecksumUnknown},
		{"no byte of a header", insert6(plain, extRouting, routingDone)[:40], KindTruncated, ChecksumUnknown},
		{"fragment header cut", insert6(plain, extFragment, laterOf)[:47], KindTruncated, ChecksumUnknown},
		{"as many headers as allowed", chain(maxExtHeaders), KindUDP, ChecksumGood},
		{"one header too many", chain(maxExtHeaders + 1), KindMalformed, ChecksumUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := decode(c.packet, LinkRaw, false)
			if got.Kind != c.kind || got.Checksum != c.checksum {
				t.Fatalf("Kind %d Checksum %d, want %d and %d", got.Kind, got.Checksum, c.kind, c.checksum)
			}
			if got.From != a.From || got.To != a.To || got.TTL != a.TTL || got.TOS != a.TOS {
				t.Errorf("From %s To %s TTL %d TOS %#x, want the answer's", got.From, got.To, got.TTL, got.TOS)
			}
			if c.kind == KindUDP && (got.SrcPort != a.SrcPort || got.DstPort != a.DstPort) {
				t.Errorf("ports %d and %d, want %d and %d", got.SrcPort, got.DstPort, a.SrcPort, a.DstPort)
			}
		})
	}
}

// A first fragment of an error: what came of the quote is read, nothing more
// is claimed.
func TestDecodeFirstFragmentOfError(t *testing.T) {
	e := errorOfKind(timeExceeded, false)
	p := quotedProbe(UDP, false)
	e.Quote = probePacket(t, p)
	b := e.Append(nil)
	b[ipv4FragmentAt] = 0x20
	got := decode(b, LinkRaw, false)
	if key, ok := got.Key(); got.Kind != KindTimeExceeded || got.Checksum != ChecksumUnknown || !ok || key != p.Key() {
		t.Errorf("Kind %d Checksum %d Key %#x %t, want a time exceeded with the probe's key", got.Kind, got.Checksum, key, ok)
	}
}

// A length field of a transport header may point past a first fragment.
func TestDecodeFirstFragmentOfUDP(t *testing.T) {
	a := answerToProbe(UDP, false)
	b := a.Append(nil)
	b[ipv4FragmentAt] = 0x20
	b[ipv4HeaderLen+udpLengthAt] = 4 // 1024 bytes and some
	if got := decode(b, LinkRaw, false); got.Kind != KindUDP {
		t.Errorf("Kind = %d, want UDP", got.Kind)
	}
}
