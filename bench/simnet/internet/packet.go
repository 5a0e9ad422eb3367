package internet

import (
	"encoding/binary"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
)

const (
	ethernetLen = 14
	ipv4Len     = 20
	ipv6Len     = 40

	etherTypeIPv4 = 0x0800
	etherTypeARP  = 0x0806
	etherTypeIPv6 = 0x86dd
)

var broadcast = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// finding is what a frame turned out to be.
type finding uint8

const (
	isProbe finding = iota
	isMalformed
	isFragment
	isForeign
	isSolicitation
)

// ipPacket is an IP packet taken apart. Its slices point into the frame and end
// where the IP header says.
type ipPacket struct {
	ip, transport []byte
	src, dst      netip.Addr
	id            uint16
	ttl, protocol uint8
	method        frame.Method // 0 for a protocol without one here
}

func (p *ipPacket) srcPort() uint16 { return binary.BigEndian.Uint16(p.transport) }
func (p *ipPacket) dstPort() uint16 { return binary.BigEndian.Uint16(p.transport[2:]) }

// parse takes an IP packet apart, in the steps and the order of probe.bpf.h.
func parse(b []byte, v6 bool) (ipPacket, finding) {
	if v6 {
		return parseIPv6(b)
	}
	return parseIPv4(b)
}

func parseIPv4(b []byte) (p ipPacket, found finding) {
	if len(b) < ipv4Len {
		return p, isMalformed
	}
	header, length := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if b[0]>>4 != 4 || header < ipv4Len || length < header || length > len(b) {
		return p, isMalformed
	}
	if header != ipv4Len {
		return p, isForeign
	}
	p = ipPacket{
		ip: b[:length], transport: b[ipv4Len:length],
		src: netip.AddrFrom4([4]byte(b[12:])), dst: netip.AddrFrom4([4]byte(b[16:])),
		id: binary.BigEndian.Uint16(b[4:]), ttl: b[8], protocol: b[9],
	}
	if frame.Fold(frame.Sum(b[:ipv4Len], 0)) != 0xffff || p.ttl == 0 {
		return p, isMalformed
	}
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 {
		return p, isFragment
	}
	if !isHost(p.src) || !isHost(p.dst) {
		return p, isForeign
	}
	return p, p.readTransport()
}

func parseIPv6(b []byte) (p ipPacket, found finding) {
	if len(b) < ipv6Len {
		return p, isMalformed
	}
	length := ipv6Len + int(binary.BigEndian.Uint16(b[4:]))
	if b[0]>>4 != 6 || length > len(b) || b[7] == 0 {
		return p, isMalformed
	}
	p = ipPacket{
		ip: b[:length], transport: b[ipv6Len:length],
		src: netip.AddrFrom16([16]byte(b[8:])), dst: netip.AddrFrom16([16]byte(b[24:])),
		ttl: b[7], protocol: b[6],
	}
	switch p.protocol {
	case 44:
		return p, isFragment
	case 0, 43, 50, 51, 60, 135, 139, 140: // extension headers
		return p, isForeign
	}
	if found := p.readTransport(); found != isProbe {
		return p, found
	}
	if !isHost(p.src) || !isHost(p.dst) {
		return p, isForeign
	}
	return p, isProbe
}

// readTransport looks at the transport header of the protocols with a method.
func (p *ipPacket) readTransport() finding {
	b, v6 := p.transport, p.dst.Is6()
	switch p.protocol {
	case 17:
		if len(b) < 8 {
			return isMalformed
		}
		if length := int(binary.BigEndian.Uint16(b[4:])); length < 8 || length > len(b) {
			return isMalformed
		}
		p.method = frame.UDP
	case 6:
		if len(b) < 20 {
			return isMalformed
		}
		if offset := int(b[12]>>4) * 4; offset < 20 || offset > len(b) {
			return isMalformed
		}
		p.method = frame.TCP
	case choose[uint8](v6, 1, 58):
		if len(b) < 8 {
			return isMalformed
		}
		if v6 && b[0] == 135 {
			return isSolicitation
		}
		if b[0] != choose[uint8](v6, 8, 128) || b[1] != 0 {
			return isForeign
		}
		p.method = frame.ICMP
	}
	return isProbe
}
