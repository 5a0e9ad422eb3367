package frame

import "encoding/binary"

const ipv4ChecksumAt = 10 // RFC 791 section 3.1

// prepare clears what Put writes and takes the sums of all that it leaves alone.
// One's complement sums add up, so Put need only add the words it writes.
func (t *Template) prepare(p *Probe) {
	ip := t.frame[t.ip:]
	body := t.frame[t.transport:]
	if t.v6 {
		t.word = binary.BigEndian.Uint32(ip)
	}
	if !t.routed {
		clear(ip[dstAt(t.v6):ipHeaderLen(t.v6)])
	}
	if t.marked {
		clear(body[markAt:balanceAt])
	}
	if t.fixed {
		t.filler = binary.BigEndian.Uint16(body[balanceAt:])
		clear(body[balanceAt:keyedEnd])
	}
	if !t.v6 {
		t.ipSum = uint32(Fold(Sum(t.frame[t.ip:t.transport], 0)))
	}
	covered := len(body)
	if t.method == UDPLite {
		covered = p.coverage(len(body))
	}
	sum := Sum(body[:covered], 0)
	if t.pseudo {
		// UDP-Lite has all of the datagram's length here (RFC 3828 section 3.2).
		sum += sumAddr(p.Src) + uint32(p.protocol()) + uint32(len(body))
		if t.routed { // the final destination, RFC 8200 section 8.1
			sum += sumAddr(p.Dst)
		}
	}
	t.sum = uint32(Fold(sum))
}

func dstAt(v6 bool) int {
	if v6 {
		return ipv6DstAt
	}
	return ipv4DstAt
}

// Put writes the frame of p into dst and gives its length, or 0 when dst is
// shorter than Len or p.Dst not of the template's family. From p it takes TTL,
// ID (IPv4), Label (its low 20 bits, IPv6), SrcPort, DstPort, Seq (its low 16
// bits for ICMP), Mark and Sum, as far as its method and shape have them; Dst,
// unless the template was made with a Route; and nothing else. Checksums are
// whole, unless the template was made with NoChecksum; it allocates nothing.
func (t *Template) Put(dst []byte, p *Probe) int {
	n := len(t.frame)
	if len(dst) < n || p.Dst.BitLen() != t.addrBits {
		return 0
	}
	dst = dst[:n]
	copy(dst, t.frame)
	sum := t.sum
	if t.v6 {
		sum += t.putIPv6(dst[t.ip:], p)
	} else {
		sum += t.putIPv4(dst[t.ip:], p)
	}
	b := dst[t.transport:]
	switch t.method {
	case UDP, UDPLite:
		h := (*[udpHeaderLen]byte)(b)
		binary.BigEndian.PutUint16(h[portSrcAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[portDstAt:], p.DstPort)
		checksum := t.putPayload(b, p, sum+uint32(p.SrcPort)+uint32(p.DstPort))
		if checksum == 0 {
			checksum = 0xffff // zero means no checksum, RFC 768, or is wrong, RFC 3828 section 3.1
		}
		if t.unsummed && t.method == UDP {
			break
		}
		binary.BigEndian.PutUint16(h[udpChecksumAt:], checksum)
	case ICMP:
		h := (*[icmpHeaderLen]byte)(b)
		seq := uint16(p.Seq)
		binary.BigEndian.PutUint16(h[icmpIDAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[icmpSeqAt:], seq)
		checksum := t.putPayload(b, p, sum+uint32(p.SrcPort)+uint32(seq))
		binary.BigEndian.PutUint16(h[icmpChecksumAt:], checksum)
	case TCP:
		h := (*[tcpHeaderLen]byte)(b)
		binary.BigEndian.PutUint16(h[portSrcAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[portDstAt:], p.DstPort)
		binary.BigEndian.PutUint32(h[tcpSeqAt:], p.Seq)
		if t.unsummed {
			break
		}
		sum += uint32(p.SrcPort) + uint32(p.DstPort) + p.Seq>>16 + p.Seq&0xffff
		binary.BigEndian.PutUint16(h[tcpChecksumAt:], ^Fold(sum))
	case DCCP:
		h := (*[dccpRequestLen]byte)(b)
		binary.BigEndian.PutUint16(h[portSrcAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[portDstAt:], p.DstPort)
		binary.BigEndian.PutUint32(h[dccpSeqLowAt:], p.Seq)
		sum += uint32(p.SrcPort) + uint32(p.DstPort) + p.Seq>>16 + p.Seq&0xffff
		binary.BigEndian.PutUint16(h[dccpChecksumAt:], ^Fold(sum))
	}
	return n
}

// putIPv4 writes the header's own fields and gives what the destination adds to
// the transport's sum.
func (t *Template) putIPv4(b []byte, p *Probe) uint32 {
	h := (*[ipv4HeaderLen]byte)(b)
	dst := uint32(0)
	if !t.routed {
		a := p.Dst.As16()
		word := binary.BigEndian.Uint32(a[12:])
		binary.BigEndian.PutUint32(h[ipv4DstAt:], word)
		dst = word>>16 + word&0xffff
	}
	binary.BigEndian.PutUint16(h[ipv4IDAt:], p.ID)
	h[ipv4TTLAt] = p.TTL
	binary.BigEndian.PutUint16(h[ipv4ChecksumAt:], ^Fold(t.ipSum+dst+uint32(p.ID)+uint32(p.TTL)<<8))
	if !t.pseudo {
		return 0
	}
	return dst
}

// putIPv6 writes the header's own fields and gives what the destination adds to
// the transport's sum.
func (t *Template) putIPv6(b []byte, p *Probe) uint32 {
	h := (*[ipv6HeaderLen]byte)(b)
	binary.BigEndian.PutUint32(h[:], t.word|p.Label&maxLabel)
	h[ipv6HopLimitAt] = p.TTL
	if t.routed {
		return 0
	}
	a := p.Dst.As16()
	copy(h[ipv6DstAt:], a[:])
	return sumWords(binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(a[8:]))
}
