package frame

import "encoding/binary"

const ipv4ChecksumAt = 10 // RFC 791 section 3.1

// prepare takes the sums of all that Put leaves alone. One's complement sums
// add up, so Put need only add the words it writes.
func (t *Template) prepare(p *Probe) {
	ip := t.frame[t.ip:]
	body := t.frame[t.transport:]
	if t.v6 {
		t.word = binary.BigEndian.Uint32(ip)
	} else {
		t.ipSum = uint32(Fold(Sum(t.frame[t.ip:t.transport], 0)))
	}
	covered := len(body)
	if t.method == UDPLite {
		covered = p.coverage(len(body))
	}
	sum := Sum(body[:covered], 0)
	if t.method != ICMP || t.v6 { // ICMP has no pseudo-header in IPv4
		// With a Route it holds the final destination (RFC 8200 section 8.1),
		// and all of a UDP-Lite datagram's length (RFC 3828 section 3.2).
		sum += PseudoSum(p.Src, p.Dst, p.protocol(), len(body))
	}
	t.sum = uint32(Fold(sum))
}

// Put writes the frame of p into dst and gives its length, or 0 when dst is
// shorter than Len. From p it takes TTL, ID (IPv4), Label (its low 20 bits,
// IPv6), SrcPort, DstPort and Seq (its low 16 bits for ICMP), as far as its
// method has them, and nothing else. Checksums are whole, unless the
// template was made with NoChecksum; it allocates nothing.
func (t *Template) Put(dst []byte, p *Probe) int {
	n := len(t.frame)
	if len(dst) < n {
		return 0
	}
	dst = dst[:n]
	copy(dst, t.frame)
	if t.v6 {
		t.putIPv6(dst[t.ip:], p)
	} else {
		t.putIPv4(dst[t.ip:], p)
	}
	b := dst[t.transport:]
	switch t.method {
	case UDP, UDPLite:
		h := (*[udpHeaderLen]byte)(b)
		binary.BigEndian.PutUint16(h[portSrcAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[portDstAt:], p.DstPort)
		sum := ^Fold(t.sum + uint32(p.SrcPort) + uint32(p.DstPort))
		if sum == 0 {
			sum = 0xffff // zero means no checksum, RFC 768, or is wrong, RFC 3828 section 3.1
		}
		if t.unsummed && t.method == UDP {
			break
		}
		binary.BigEndian.PutUint16(h[udpChecksumAt:], sum)
	case ICMP:
		h := (*[icmpHeaderLen]byte)(b)
		seq := uint16(p.Seq)
		binary.BigEndian.PutUint16(h[icmpIDAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[icmpSeqAt:], seq)
		binary.BigEndian.PutUint16(h[icmpChecksumAt:], ^Fold(t.sum+uint32(p.SrcPort)+uint32(seq)))
	case TCP:
		h := (*[tcpHeaderLen]byte)(b)
		binary.BigEndian.PutUint16(h[portSrcAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[portDstAt:], p.DstPort)
		binary.BigEndian.PutUint32(h[tcpSeqAt:], p.Seq)
		if t.unsummed {
			break
		}
		sum := t.sum + uint32(p.SrcPort) + uint32(p.DstPort) + p.Seq>>16 + p.Seq&0xffff
		binary.BigEndian.PutUint16(h[tcpChecksumAt:], ^Fold(sum))
	case DCCP:
		h := (*[dccpRequestLen]byte)(b)
		binary.BigEndian.PutUint16(h[portSrcAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[portDstAt:], p.DstPort)
		binary.BigEndian.PutUint32(h[dccpSeqLowAt:], p.Seq)
		sum := t.sum + uint32(p.SrcPort) + uint32(p.DstPort) + p.Seq>>16 + p.Seq&0xffff
		binary.BigEndian.PutUint16(h[dccpChecksumAt:], ^Fold(sum))
	}
	return n
}

func (t *Template) putIPv4(b []byte, p *Probe) {
	h := (*[ipv4HeaderLen]byte)(b)
	binary.BigEndian.PutUint16(h[ipv4IDAt:], p.ID)
	h[ipv4TTLAt] = p.TTL
	binary.BigEndian.PutUint16(h[ipv4ChecksumAt:], ^Fold(t.ipSum+uint32(p.ID)+uint32(p.TTL)<<8))
}

func (t *Template) putIPv6(b []byte, p *Probe) {
	h := (*[ipv6HeaderLen]byte)(b)
	binary.BigEndian.PutUint32(h[:], t.word|p.Label&maxLabel)
	h[ipv6HopLimitAt] = p.TTL
}
