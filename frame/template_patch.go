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
		t.unfilled = uint32(^binary.BigEndian.Uint16(body[balanceAt:]))
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
		h := (*[ipv6HeaderLen]byte)(dst[t.ip:])
		binary.BigEndian.PutUint32(h[:], t.word|p.Label&maxLabel)
		h[ipv6HopLimitAt] = p.TTL
		if !t.routed {
			high, low := addrWords(&p.Dst)
			binary.BigEndian.PutUint64(h[ipv6DstAt:], high)
			binary.BigEndian.PutUint64(h[ipv6DstAt+8:], low)
			sum += sumWords(high, low)
		}
	} else {
		h := (*[ipv4HeaderLen]byte)(dst[t.ip:])
		ipSum := t.ipSum + uint32(p.ID) + uint32(p.TTL)<<8
		if !t.routed {
			a := p.Dst.As4()
			word := binary.BigEndian.Uint32(a[:])
			binary.BigEndian.PutUint32(h[ipv4DstAt:], word)
			ipSum += word>>16 + word&0xffff
			if t.pseudo {
				sum += word>>16 + word&0xffff
			}
		}
		binary.BigEndian.PutUint16(h[ipv4IDAt:], p.ID)
		h[ipv4TTLAt] = p.TTL
		binary.BigEndian.PutUint16(h[ipv4ChecksumAt:], ^Fold(ipSum))
	}
	b := dst[t.transport:]
	switch t.method {
	case UDP, UDPLite, ICMP:
		h := (*[udpHeaderLen]byte)(b) // as long as that of ICMP
		words := uint32(p.SrcPort)<<16 | uint32(p.DstPort)
		if t.method == ICMP {
			words = uint32(p.SrcPort)<<16 | p.Seq&0xffff
			binary.BigEndian.PutUint32(h[icmpIDAt:], words)
		} else {
			binary.BigEndian.PutUint32(h[portSrcAt:], words)
		}
		sum += words>>16 + words&0xffff
		if t.marked {
			binary.BigEndian.PutUint32(b[markAt:], p.Mark)
			sum += p.Mark>>16 + p.Mark&0xffff
		}
		checksum := ^Fold(sum)
		if t.fixed && p.Sum != 0 {
			checksum = p.Sum
			binary.BigEndian.PutUint16(b[balanceAt:], balance(checksum, sum+t.unfilled))
		}
		switch {
		case t.method == ICMP:
			binary.BigEndian.PutUint16(h[icmpChecksumAt:], checksum)
		case !t.unsummed:
			if checksum == 0 {
				checksum = 0xffff // zero means no checksum, RFC 768, or is wrong, RFC 3828 section 3.1
			}
			binary.BigEndian.PutUint16(h[udpChecksumAt:], checksum)
		}
	case TCP:
		h := (*[tcpHeaderLen]byte)(b)
		binary.BigEndian.PutUint16(h[portSrcAt:], p.SrcPort)
		binary.BigEndian.PutUint16(h[portDstAt:], p.DstPort)
		binary.BigEndian.PutUint32(h[tcpSeqAt:], p.Seq)
		seq := p.Seq>>16 + p.Seq&0xffff
		if t.ackSeq {
			binary.BigEndian.PutUint32(h[tcpAckAt:], p.Seq)
			seq *= 2
		}
		if t.unsummed {
			break
		}
		sum += uint32(p.SrcPort) + uint32(p.DstPort) + seq
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
