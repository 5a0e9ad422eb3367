package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const tcpWindowAt = 14 // RFC 9293 section 3.1

// ReadProbe reads a frame that Template.Put built back into its Probe; bytes
// behind the IP packet are ignored. ID and DF are set for IPv4 and Label for
// IPv6 only, DstPort for methods with ports only. Checksums are not looked at,
// but for a UDP one of zero, which is NoChecksum, and that of a Fixed probe. A packet of whatever
// protocol is Raw when its payload is the pattern of Raw; of a protocol that has
// no method it is Raw with all of the payload for its Body. An LSRROnce with its
// last gateway for destination is read as the LSRR that is laid out just like
// it.
//
// Payload is PayloadZero when there are zeros and nothing else behind the
// headers, and PayloadMark when there is the pattern but for its first four
// bytes; any other payload reads as PayloadPattern,
// and a Body of another method than Raw is not read. Where one of the three has
// other bytes in the place of the balance, and the checksum is right, the probe
// is Fixed. What can't be told: a Fixed probe whose Sum was 0, or whose balance
// came out as what the payload has there anyway, is read as none; a Mark that is
// like the start of another payload as that payload.
//
// AckSeq is read as the Ack that it made.
//
// It fails for a frame whose headers no template builds: fragments, other
// options and extension headers than a Route's, other ICMP types, TCP with
// payload or with options in another layout. It allocates for a Route and a Body
// only.
func ReadProbe(f []byte, link LinkType) (Probe, error) {
	ip, head, err := packetOf(f, link)
	if err != nil {
		return Probe{}, fmt.Errorf("read probe: %w", err)
	}
	v6 := ip[0]>>4 == 6
	p := Probe{Size: len(ip)}
	var protocol uint8
	if v6 {
		p.TOS = ipv6TrafficClass(ip)
		p.Label = binary.BigEndian.Uint32(ip) & maxLabel
		protocol, p.TTL = ip[ipv6NextHeaderAt], ip[ipv6HopLimitAt]
		p.Src = addr6(ip[ipv6SrcAt:])
		p.Dst = addr6(ip[ipv6DstAt:])
		if protocol == extRouting {
			p.Route, p.Dst, protocol, err = readRouting(p.Dst, ip[head:])
			head += p.Route.HeaderLen()
		}
		if p.Src.Is4In6() || p.Dst.Is4In6() {
			return Probe{}, errors.New("read probe: IPv4-mapped IPv6 address")
		}
	} else {
		p.TOS = ip[ipv4TOSAt]
		p.ID = binary.BigEndian.Uint16(ip[ipv4IDAt:])
		p.DF = binary.BigEndian.Uint16(ip[ipv4FragmentAt:])&ipv4DontFragment != 0
		p.TTL, protocol = ip[ipv4TTLAt], ip[ipv4ProtocolAt]
		p.Src = addr4(ip[ipv4SrcAt:])
		p.Dst = addr4(ip[ipv4DstAt:])
		if head > ipv4HeaderLen {
			p.Route, p.Dst, err = readIPv4Options(p.Dst, ip[ipv4HeaderLen:head])
		}
	}
	if err == nil {
		err = p.readTransport(ip[head:], protocol)
	}
	if err != nil {
		return Probe{}, fmt.Errorf("read probe: %w", err)
	}
	return p, nil
}

// readTransport reads what follows the IP header.
func (p *Probe) readTransport(b []byte, protocol uint8) error {
	v6 := p.IsIPv6()
	if isPattern(b, 0) && isRawProtocol(protocol, v6) {
		p.Method, p.Protocol = Raw, protocol
		return nil
	}
	for m := UDP; m <= DCCP; m++ {
		if protocol == protocolOf(m, v6) {
			p.Method = m
		}
	}
	if p.Method == 0 && isRawProtocol(protocol, v6) {
		p.Method, p.Protocol, p.Body = Raw, protocol, string(b)
		return nil
	}
	if p.Method == 0 {
		return fmt.Errorf("protocol %d is of no method", protocol)
	}
	if low := MinSize(p.Method, v6) + p.Route.HeaderLen(); p.Size < low {
		return fmt.Errorf("%s probe of %d bytes, want at least %d", p.Method, p.Size, low)
	}
	switch p.Method {
	case UDP:
		p.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
		p.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
		if n := int(binary.BigEndian.Uint16(b[udpLengthAt:])); n != len(b) {
			return fmt.Errorf("UDP length %d, want %d", n, len(b))
		}
		p.NoChecksum = b[udpChecksumAt] == 0 && b[udpChecksumAt+1] == 0
	case ICMP:
		if b[icmpTypeAt] != echoRequestType(v6) || b[icmpCodeAt] != 0 {
			return fmt.Errorf("ICMP type %d code %d is no echo request", b[icmpTypeAt], b[icmpCodeAt])
		}
		p.SrcPort = binary.BigEndian.Uint16(b[icmpIDAt:])
		p.Seq = uint32(binary.BigEndian.Uint16(b[icmpSeqAt:]))
	case TCP:
		return p.readTCP(b)
	case UDPLite:
		if err := p.readUDPLite(b); err != nil {
			return err
		}
	case DCCP:
		return p.readDCCP(b)
	}
	p.readPayload(b)
	return nil
}

func (p *Probe) readTCP(b []byte) error {
	if n := int(b[tcpOffsetAt]>>4) * 4; n != len(b) || n < tcpHeaderLen {
		return fmt.Errorf("TCP header of %d bytes in a segment of %d", n, len(b))
	}
	p.SrcPort = binary.BigEndian.Uint16(b[portSrcAt:])
	p.DstPort = binary.BigEndian.Uint16(b[portDstAt:])
	p.Seq = binary.BigEndian.Uint32(b[tcpSeqAt:])
	p.TCP.Ack = binary.BigEndian.Uint32(b[tcpAckAt:])
	p.TCP.Flags = b[tcpFlagsAt]
	p.TCP.Window = binary.BigEndian.Uint16(b[tcpWindowAt:])
	return readTCPOptions(b[tcpHeaderLen:], &p.TCP)
}

func echoRequestType(v6 bool) uint8 {
	if v6 {
		return icmpv6EchoRequest
	}
	return icmpv4EchoRequest
}

// packetOf gives the IP packet in a frame, cut to the length its header tells,
// and the length of that header, IPv4 options included. It fails for IPv4
// fragments.
func packetOf(f []byte, link LinkType) (ip []byte, head int, err error) {
	n := link.HeaderLen()
	if len(f) <= n {
		return nil, 0, fmt.Errorf("frame of %d bytes is too short", len(f))
	}
	ip = f[n:]
	v6 := ip[0]>>4 == 6
	head = ipHeaderLen(v6)
	if !v6 {
		if ip[0] < 0x45 || ip[0] > 0x4f {
			return nil, 0, fmt.Errorf("first IP byte %#x, want version 6, or 4 and a header of 20 bytes or more", ip[0])
		}
		head = int(ip[0]&0x0f) * 4
	}
	if link == LinkEthernet {
		want := uint16(etherTypeIPv4)
		if v6 {
			want = etherTypeIPv6
		}
		if got := binary.BigEndian.Uint16(f[12:]); got != want {
			return nil, 0, fmt.Errorf("EtherType %#04x, want %#04x", got, want)
		}
	}
	if len(ip) < head {
		return nil, 0, fmt.Errorf("IP header of %d bytes, want %d", len(ip), head)
	}
	size := int(binary.BigEndian.Uint16(ip[ipv4LengthAt:]))
	if v6 {
		size = head + int(binary.BigEndian.Uint16(ip[ipv6LengthAt:]))
	}
	if size < head || size > len(ip) {
		return nil, 0, fmt.Errorf("IP length %d, want %d..%d", size, head, len(ip))
	}
	if word := binary.BigEndian.Uint16(ip[ipv4FragmentAt:]); !v6 && word&^ipv4DontFragment != 0 {
		return nil, 0, fmt.Errorf("IPv4 flags and offset %#04x, want a packet that is no fragment", word)
	}
	return ip[:size], head, nil
}
