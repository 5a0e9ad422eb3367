package trace

import (
	"encoding/binary"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler"
)

// One's complement has two zeros. A checksum is never computed as 0xffff, but
// verifies with it where it would be 0. Whoever updates one for a field that he
// changes, and updates it back (RFC 1624), leaves 0 behind: so probes with the
// checksum 0xffff show a NAT that restores what is quoted of them. For UDP, which
// has another use for 0, that can't be done.

// altZero is the other zero.
const altZero = 0xffff

// setZeroSum gives an echo request that checksum, if it has the payload for it.
func setZeroSum(p *frame.Probe) {
	keyed := *p
	keyed.Fixed, keyed.Sum = true, altZero
	if keyed.LeastSize() <= keyed.Size {
		*p = keyed
	}
}

// zeroSum is a sender that gives TCP segments that checksum: by the low half of
// their timestamp or, without any, by their window.
type zeroSum struct {
	scheduler.Sender
	header int // length of the link header
}

func (z *zeroSum) Send(frames [][]byte) (int, error) {
	for _, f := range frames {
		setTCPZeroSum(f[min(z.header, len(f)):])
	}
	return z.Sender.Send(frames)
}

// amend sets of p what setTCPZeroSum changed in its frame f.
func (z *zeroSum) amend(f []byte, p *frame.Probe) {
	tcp := tcpOf(f[min(z.header, len(f)):])
	if tcp == nil {
		return
	}
	p.TCP.Window = binary.BigEndian.Uint16(tcp[tcpWindowAt:])
	if at := timestampAt(tcp); at != 0 {
		p.TCP.TSVal = binary.BigEndian.Uint32(tcp[at:])
	}
}

// TCP header, RFC 9293 section 3.1, and the protocol's number.
const (
	tcpProtocol   = 6
	tcpHeaderLen  = 20
	tcpOffsetAt   = 12
	tcpWindowAt   = 14
	tcpChecksumAt = 16
)

func setTCPZeroSum(ip []byte) {
	tcp := tcpOf(ip)
	if tcp == nil {
		return
	}
	field := tcp[tcpWindowAt:]
	if at := timestampAt(tcp); at != 0 {
		field = tcp[at+2:]
	}
	// The field takes what the checksum loses in becoming 0.
	sum := frame.Fold(uint32(binary.BigEndian.Uint16(field)) + uint32(binary.BigEndian.Uint16(tcp[tcpChecksumAt:])))
	binary.BigEndian.PutUint16(field, sum)
	binary.BigEndian.PutUint16(tcp[tcpChecksumAt:], altZero)
}

// tcpOf gives the whole TCP segment of an IP packet that our templates built;
// nil where there is none.
func tcpOf(ip []byte) []byte {
	var tcp []byte
	switch {
	case len(ip) < 40:
	case ip[0]>>4 == 4 && ip[9] == tcpProtocol:
		tcp = ip[min(int(ip[0]&0xf)*4, len(ip)):]
	case ip[0]>>4 == 6 && ip[6] == tcpProtocol:
		tcp = ip[40:]
	}
	if len(tcp) < tcpHeaderLen || int(tcp[tcpOffsetAt]>>4)*4 > len(tcp) {
		return nil
	}
	return tcp
}

// timestampAt finds the value of the timestamps option, RFC 7323 section 3.2;
// 0 where there is none at an even place.
func timestampAt(tcp []byte) int {
	const end, nop, kind = 0, 1, 8
	for at := tcpHeaderLen; at+6 <= int(tcp[tcpOffsetAt]>>4)*4 && tcp[at] != end; {
		switch {
		case tcp[at] == nop:
			at++
			continue
		case tcp[at] == kind && at%2 == 0:
			return at + 2
		case tcp[at+1] < 2:
			return 0
		}
		at += int(tcp[at+1])
	}
	return 0
}
