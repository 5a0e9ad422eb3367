package frame

import (
	"encoding/binary"
	"fmt"
)

// UDP-Lite header, RFC 3828 section 3.1: ports and checksum are where UDP has
// them, and this in place of the length.
const (
	udpliteCoverageAt = 4 // bytes under the checksum from the header on; 0 is all

	minCoverage = udpliteHeaderLen // the checksum always covers the header
)

// coverage gives how many bytes of a datagram of n the checksum covers.
func (p *Probe) coverage(n int) int { return min(max(int(p.Coverage), minCoverage), n) }

// udpliteHeader gives the header of a datagram of n bytes without what Put
// writes.
func (p *Probe) udpliteHeader(n int) []byte {
	b := make([]byte, udpliteHeaderLen)
	binary.BigEndian.PutUint16(b[udpliteCoverageAt:], uint16(p.coverage(n)))
	return b
}

// readUDPLite reads the header back.
func (p *Probe) readUDPLite(b []byte) error {
	p.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	p.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	p.Coverage = binary.BigEndian.Uint16(b[udpliteCoverageAt:])
	if n := int(p.Coverage); n < minCoverage || n > len(b) {
		return fmt.Errorf("UDP-Lite coverage %d, want %d..%d", n, minCoverage, len(b))
	}
	return nil
}

func decodeUDPLite(s *segment, r *Reply) {
	b := s.data
	if len(b) < udpliteHeaderLen {
		r.Kind = KindTruncated
		return
	}
	covered := int(binary.BigEndian.Uint16(b[udpliteCoverageAt:]))
	if covered == 0 {
		covered = s.length
	}
	if covered < minCoverage || covered > s.length && !s.first {
		r.Kind = KindMalformed
		return
	}
	r.Kind = KindUDPLite
	r.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	r.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	switch {
	case !s.whole:
	case b[udpChecksumAt] == 0 && b[udpChecksumAt+1] == 0:
		r.Checksum = ChecksumBad // RFC 3828 section 3.1: there always is one
	default:
		r.Checksum = verdict(Sum(b[:covered], Sum(s.addrs, protoUDPLite+uint32(len(b)))))
	}
}
