package rx

import (
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// compareSum tells how the quoted transport checksum stands to the sent one, 0
// for the same, and whether it speaks for the probe. have says what of the
// addresses and ports agrees.
func (e *entry) compareSum(q *frame.Quote, have Evidence) (flag anomaly.Flag, agrees bool) {
	changed := have&flowOnly != flowOnly || have&OtherVersion != 0 || q.Src != e.src || q.Dst != e.dst && !e.routed
	switch {
	case equalSum(q.Checksum, e.sum) && q.Checksum != 0 || q.Checksum == e.sum:
		if changed {
			return anomaly.ChecksumStale, true
		}
		return 0, true
	case !changed && !e.datagram() && equalSum(q.Checksum, e.sum):
		return anomaly.ChecksumRestored, true
	case q.Checksum == 0 && (e.datagram() || !changed || !equalSum(0, frame.UpdateChecksum(e.sum, e.covered(), coveredBy(q)))):
		return anomaly.ChecksumZero, false
	case changed && equalSum(q.Checksum, frame.UpdateChecksum(e.sum, e.covered(), coveredBy(q))):
		return anomaly.ChecksumUpdated, true
	case q.Checksum == partial(q):
		return anomaly.ChecksumPartial, false
	}
	return anomaly.Checksum, false
}

// datagram tells the methods in which a checksum of 0 is none, RFC 768, or not
// allowed, RFC 3828.
func (e *entry) datagram() bool { return e.method == frame.UDP || e.method == frame.UDPLite }

// equalSum compares checksums, for which 0 and 0xffff are one number.
func equalSum(a, b uint16) bool { return a == b || a^b == 0xffff && (a == 0 || b == 0) }

// covered sums what a NAT or translator changes of what the probe's checksum
// covers: addresses, ports or identifier, and for ICMP type and pseudo-header,
// of which IPv4 has none.
func (e *entry) covered() uint16 {
	q := frame.Quote{
		Method: e.method, Protocol: e.protocol, Src: e.src, Dst: e.dst,
		SrcPort: uint16(e.key >> 16), DstPort: uint16(e.key), Seq: uint32(uint16(e.key)), Length: int(e.size),
	}
	return coveredBy(&q)
}

// Types of echo requests in front of a code of 0, RFC 792 and RFC 4443.
const (
	echoWord   = 8 << 8
	echoWordV6 = 128 << 8
)

func coveredBy(q *frame.Quote) uint16 {
	switch {
	case q.Method != frame.ICMP:
		return frame.Fold(frame.PseudoSum(q.Src, q.Dst, 0, 0) + uint32(q.SrcPort) + uint32(q.DstPort))
	case q.Src.Is4():
		return frame.Fold(echoWord + uint32(q.SrcPort) + q.Seq&0xffff)
	}
	sum := frame.PseudoSum(q.Src, q.Dst, protoICMPv6, max(q.Length-40, 0))
	return frame.Fold(sum + echoWordV6 + uint32(q.SrcPort) + q.Seq&0xffff)
}

// partial is what transmit offload leaves in the checksum field of a packet
// that it never finished: the folded sum of the pseudo-header. 0 where there is
// none.
func partial(q *frame.Quote) uint16 {
	header := 40
	if q.Src.Is4() {
		header = 20
	}
	if q.Method == frame.ICMP && header == 20 || q.Length < header || q.Src.BitLen() != q.Dst.BitLen() {
		return 0
	}
	return frame.Fold(frame.PseudoSum(q.Src, q.Dst, q.Protocol, q.Length-header))
}
