package frame

import (
	"encoding/binary"
	"fmt"
)

// DCCP generic header, RFC 4340 section 5.1: offsets in bytes. Ports are where
// UDP has them.
const (
	dccpOffsetAt   = 4 // header and options in words of 4 bytes
	dccpCoverageAt = 5 // CCVal in the upper, checksum coverage in the lower four bits
	dccpChecksumAt = 6
	dccpTypeAt     = 8 // three reserved bits, four of type, and whether sequence numbers are long
	dccpSeqAt      = 9 // 24 bits in a short header
	dccpSeqHighAt  = 10
	dccpSeqLowAt   = 12 // the low 32 of 48 bits
	dccpServiceAt  = 16 // of a Request, section 5.2

	dccpShortLen   = 12 // of the generic header with 24-bit sequence numbers
	dccpLongLen    = 16
	dccpRequestLen = 20
	dccpAnswerLen  = 28 // of a Response or Reset: acknowledgement and one more word
)

// The packet types of DCCP that the decoder tells apart, RFC 4340 section 5.1.
const (
	DCCPRequest  = 0
	DCCPResponse = 1
	DCCPData     = 2
	DCCPReset    = 7
)

// dccpRequest gives a Request without what Put writes: long sequence numbers,
// of which the upper 16 bits stay 0, and a checksum over everything.
func (p *Probe) dccpRequest() []byte {
	b := make([]byte, dccpRequestLen)
	b[dccpOffsetAt] = dccpRequestLen / 4
	b[dccpTypeAt] = DCCPRequest<<1 | 1
	binary.BigEndian.PutUint32(b[dccpServiceAt:], p.Service)
	return b
}

// readDCCP reads a Request back, which must be as dccpRequest makes it.
func (p *Probe) readDCCP(b []byte) error {
	if len(b) != dccpRequestLen || b[dccpOffsetAt] != dccpRequestLen/4 {
		return fmt.Errorf("DCCP packet of %d bytes with data offset %d, want %d and %d",
			len(b), b[dccpOffsetAt], dccpRequestLen, dccpRequestLen/4)
	}
	high := binary.BigEndian.Uint16(b[dccpSeqHighAt:])
	if b[dccpCoverageAt] != 0 || b[dccpTypeAt] != DCCPRequest<<1|1 || b[dccpSeqAt] != 0 || high != 0 {
		return fmt.Errorf("DCCP header bytes % x are not laid out as in a probe", b[dccpOffsetAt:dccpSeqLowAt])
	}
	p.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	p.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	p.Seq = binary.BigEndian.Uint32(b[dccpSeqLowAt:])
	p.Service = binary.BigEndian.Uint32(b[dccpServiceAt:])
	return nil
}

// dccpHasAck tells whether a packet type carries an acknowledgement number,
// RFC 4340 section 5.1 table 1.
func dccpHasAck(typ uint8) bool { return typ != DCCPRequest && typ != DCCPData }

func decodeDCCP(s *segment, r *Reply) {
	b := s.data
	if len(b) < dccpShortLen {
		r.Kind = KindTruncated
		return
	}
	typ, long := b[dccpTypeAt]>>1&0xf, b[dccpTypeAt]&1 != 0
	need := dccpShortLen
	if long {
		need = dccpLongLen
	}
	ackAt := need
	if dccpHasAck(typ) {
		need += need - 8 // section 5.3: as wide as the sequence number and its padding
	}
	header := int(b[dccpOffsetAt]) * 4
	covered := s.length
	if n := int(b[dccpCoverageAt] & 0xf); n != 0 {
		covered = header + (n-1)*4
	}
	switch {
	case header < need, header > s.length && !s.first, covered > s.length && !s.first:
		r.Kind = KindMalformed
		return
	case len(b) < need:
		r.Kind = KindTruncated
		return
	}
	r.Kind, r.Type = KindDCCP, typ
	r.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	r.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	r.Seq, r.Ack = dccpNumber(b[dccpSeqLowAt-4:], long), 0
	if dccpHasAck(typ) {
		r.Ack = dccpNumber(b[ackAt:], long)
	}
	if s.whole {
		r.Checksum = verdict(Sum(b[:covered], Sum(s.addrs, protoDCCP+uint32(len(b)))))
	}
}

// dccpNumber reads the low 32 bits of a sequence or acknowledgement number from
// the words that hold it: two for a long one, else the low 24 bits of one.
func dccpNumber(b []byte, long bool) uint32 {
	if long {
		return binary.BigEndian.Uint32(b[4:])
	}
	return binary.BigEndian.Uint32(b) & 0xffffff
}
