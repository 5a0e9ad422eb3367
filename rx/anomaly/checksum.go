package anomaly

import "github.com/hopquote/hopquote/frame"

// CompareChecksum tells how the quote's transport checksum stands to the
// probe's: 0 when it is the same or can't be told, else one of the Checksum
// flags. same tells that it came back as sent, or follows the other changes,
// and is not zero: that it says something about which probe this is.
func CompareChecksum(p, q *Header) (flag Flag, same bool) {
	at := p.checksumAt()
	quoted, ok := q.word16(q.checksumAt())
	if at < 0 || !ok || p.normal() != q.normal() {
		return 0, false
	}
	raw, ok := p.word16(at)
	if !ok {
		return 0, false
	}
	sent, known := raw, true
	partial := false
	switch isPartial(p, raw) {
	case partialSure:
		partial = true
		sent, known = finish(p)
	case partialMaybe:
		known = false
	}
	before, after := covered(p, q, at), covered(q, p, q.checksumAt())
	switch {
	case partial && quoted == raw:
		return ChecksumPartial, false
	case quoted == raw || known && quoted == sent:
		if quoted != 0 && before != after {
			return ChecksumStale, true
		}
		return 0, quoted != 0
	case quoted == 0 && (q.isDatagram() || !known || !equalSum(quoted, frame.UpdateChecksum(sent, before, after))):
		return ChecksumZero, false
	case !known:
		return 0, false
	case before == after && equalSum(quoted, sent):
		return ChecksumRestored, true
	case raw != 0 && before != after && equalSum(quoted, frame.UpdateChecksum(sent, before, after)):
		return ChecksumUpdated, true
	case quoted == pseudo(q):
		return ChecksumPartial, false
	}
	return Checksum, false
}

// isDatagram tells the protocols in which a checksum of 0 is none, RFC 768, or
// not allowed, RFC 3828, so that 0xffff is sent for it.
func (h *Header) isDatagram() bool { return h.Protocol == protoUDP || h.Protocol == protoUDPLite }

// equalSum compares checksums, for which 0 and 0xffff are one number.
func equalSum(a, b uint16) bool { return a == b || a^b == 0xffff && (a == 0 || b == 0) }

// SentChecksum gives the transport checksum that the packet had on the wire:
// one that was captured before transmit offload finished it is computed. ok is
// false where there is none or too little of the packet is there.
func (h *Header) SentChecksum() (sum uint16, ok bool) {
	sum, ok = h.word16(h.checksumAt())
	if ok && isPartial(h, sum) == partialSure {
		return finish(h)
	}
	return sum, ok
}

// transportLen is the whole length of the transport, as the IP header tells.
func (h *Header) transportLen() int {
	return h.Length - (len(h.Bytes) - len(h.Transport))
}

func (h *Header) hasPseudo() bool { return h.Version == 6 || h.Protocol != protoICMP }

// What is known of a checksum that transmit offload may have left unfinished.
const (
	partialNo = iota
	partialSure
	partialMaybe // it looks so, but may be finished: one in 65536 does
)

// isPartial tells whether the transport checksum raw of h is unfinished: it is
// the pseudo-header's, and wrong.
func isPartial(h *Header, raw uint16) int {
	if raw == 0 || raw != pseudo(h) {
		return partialNo
	}
	done, ok := finish(h)
	switch {
	case !ok:
		return partialMaybe
	case equalSum(done, raw): // it is right already, by chance the same number
		return partialNo
	}
	return partialSure
}

// pseudo is what transmit offload leaves in the checksum field: the folded sum
// of the pseudo-header, not complemented. 0 where there is no such header.
func pseudo(h *Header) uint16 {
	n := h.transportLen()
	if !h.hasPseudo() || n < 0 || h.Src.BitLen() != h.Dst.BitLen() {
		return 0
	}
	return frame.Fold(frame.PseudoSum(h.Src, h.Dst, h.Protocol, n))
}

// finish computes the checksum that transmit offload would write.
func finish(h *Header) (uint16, bool) {
	n := h.transportLen()
	if n < 0 || n > len(h.Transport) || h.FlagBits&FlagMF != 0 {
		return 0, false
	}
	// The field holds the pseudo-header's sum, so that of the whole is right.
	sum := ^frame.Fold(frame.Sum(h.Transport[:n], 0))
	if sum == 0 && h.Protocol == protoUDP {
		sum = 0xffff
	}
	return sum, true
}

// covered sums what the checksum at at covers in h, as far as other has it
// too: addresses and the transport bytes, the checksum itself excepted.
func covered(h, other *Header, at int) uint16 {
	var sum uint32
	if h.hasPseudo() && h.Src.BitLen() == h.Dst.BitLen() {
		length := h.pseudoLen()
		if h.Version != other.Version { // one side may have no pseudo-header at all
			length = h.transportLen()
		}
		sum = frame.PseudoSum(h.Src, h.Dst, h.Protocol, max(length, 0))
	}
	n := min(len(h.Transport), len(other.Transport)) &^ 1
	if n > at {
		sum = frame.Sum(h.Transport[:at], sum)
		sum = frame.Sum(h.Transport[min(at+2, n):n], sum)
	}
	return frame.Fold(sum)
}

// pseudoLen is the length that the pseudo-header has: UDP's own, since the IP
// length may be quoted in another byte order.
func (h *Header) pseudoLen() int {
	if n, ok := h.word16(4); ok && h.Protocol == protoUDP {
		return int(n)
	}
	return 0 // the same on both sides, and so of no consequence
}
