package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Where a payload behind a header of 8 bytes has Mark and the balance, in bytes
// from the transport header on. Both places are fixed, so that every quote that
// reaches this far brings them back, and at even offsets, as checksums want.
const (
	markAt    = 8
	balanceAt = 12 // two bytes that make the checksum Sum
	keyedEnd  = 14
)

// LeastSize gives the smallest Size of p in bytes: its headers, and the payload
// that a PayloadMark (4 bytes), Fixed (6) or a Body behind the places of both
// takes. It gives 0 for an unknown method.
func (p *Probe) LeastSize() int {
	n := p.HeaderLen()
	if n == 0 {
		return 0
	}
	if p.Body != "" && p.Method.takesMark() {
		return n + keyedEnd - markAt + len(p.Body)
	}
	return n + p.keyedLen()
}

// keyedLen is how many bytes of payload PayloadMark and Fixed take.
func (p *Probe) keyedLen() int {
	switch {
	case p.Fixed:
		return keyedEnd - markAt
	case p.Payload == PayloadMark:
		return balanceAt - markAt
	}
	return 0
}

// takesMark tells whether the method's probes may have a Mark and a Sum.
func (m Method) takesMark() bool { return m == UDP || m == ICMP || m == UDPLite }

// checkKeyed tells why a probe of size bytes can't have its Mark or Sum.
func (p *Probe) checkKeyed(size int) error {
	if p.Body != "" && p.Method != Raw {
		switch {
		case !p.Method.takesMark():
			return fmt.Errorf("%s probe with Body, want udp, udplite, icmp or raw", p.Method)
		case size < p.LeastSize():
			return fmt.Errorf("%s probe of %d bytes with a Body of %d, want %d or more", p.Method, size, len(p.Body), p.LeastSize())
		}
	}
	need := p.keyedLen()
	if need == 0 {
		return nil
	}
	what := "Sum"
	if !p.Fixed {
		what = "Mark"
	}
	switch {
	case !p.Method.takesMark():
		return fmt.Errorf("%s probe with %s, want udp, udplite or icmp", p.Method, what)
	case p.Method == UDP && p.Fixed && p.NoChecksum:
		return errors.New("udp probe with Sum and without checksum")
	case size < p.HeaderLen()+need:
		return fmt.Errorf("%s probe of %d bytes with %s, want %d or more", p.Method, size, what, p.HeaderLen()+need)
	}
	c := p.coverage(size - p.HeaderLen() + udpliteHeaderLen)
	if p.Method == UDPLite && c < udpliteHeaderLen+need {
		return fmt.Errorf("udplite probe with %s and coverage %d, want %d or more", what, c, udpliteHeaderLen+need)
	}
	return nil
}

// balance gives the word that makes the checksum of a message, of which all
// else sums up to sum, come out as checksum.
//
// One's complement has two zeros. A sum of zero always comes out as 0xffff, and
// so a checksum as 0x0000: for UDP and UDP-Lite 0xffff is sent in its place, and
// for ICMP where a Sum of 0xffff was asked for; it verifies as well. For a
// balance both serve, and it is never 0xffff.
func balance(checksum uint16, sum uint32) uint16 { return ^Fold(sum + uint32(checksum)) }

// readPayload takes from the transport b what can be told of the payload.
func (p *Probe) readPayload(b []byte) {
	from := 0
	if p.Method == ICMP {
		from = icmpHeaderLen
	}
	data := b[markAt:]
	const mark, keyed = balanceAt - markAt, keyedEnd - markAt
	switch {
	case len(data) == 0 || isPattern(data, from):
	case allZero(data):
		p.Payload = PayloadZero
	case !p.Method.takesMark() || len(data) < mark:
	case len(data) >= keyed && isPattern(data[:mark], from) && isPattern(data[keyed:], from+keyed):
		p.readSum(b, PayloadPattern)
	case len(data) >= keyed && allZero(data[:mark]) && allZero(data[keyed:]):
		p.readSum(b, PayloadZero)
	case isPattern(data[mark:], from+mark):
		if p.Method != UDPLite || p.Coverage >= balanceAt {
			p.Payload, p.Mark = PayloadMark, binary.BigEndian.Uint32(data)
		}
	case len(data) >= keyed && isPattern(data[keyed:], from+keyed):
		p.readSum(b, PayloadMark)
	}
}

// readSum makes p Fixed with the given payload, if the checksum of b is right
// and the balance one that there can be.
func (p *Probe) readSum(b []byte, payload Payload) {
	at, covered := udpChecksumAt, len(b)
	switch p.Method {
	case ICMP:
		at = icmpChecksumAt
	case UDPLite:
		covered = int(p.Coverage)
		if covered < keyedEnd {
			return
		}
	}
	sum := Sum(b[:covered], 0)
	if p.Method != ICMP || p.IsIPv6() {
		sum += PseudoSum(p.Src, p.Dst, p.protocol(), len(b))
	}
	checksum := binary.BigEndian.Uint16(b[at:])
	if checksum == 0 || Fold(sum) != 0xffff || binary.BigEndian.Uint16(b[balanceAt:]) == 0xffff {
		return
	}
	p.Fixed, p.Sum, p.Payload = true, checksum, payload
	if payload == PayloadMark {
		p.Mark = binary.BigEndian.Uint32(b[markAt:])
	}
}
