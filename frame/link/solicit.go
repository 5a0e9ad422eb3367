package link

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/hopquote/hopquote/frame"
	"golang.org/x/net/bpf"
)

// Offsets into an Ethernet frame with an ARP packet, RFC 826.
const (
	arpOperation = 20
	arpSenderMAC = 22
	arpSenderIP  = 28
	arpLen       = 42
)

// Offsets into an Ethernet frame with an unextended ICMPv6 message; the last
// three are those of a neighbour advertisement, RFC 4861 section 4.4.
const (
	ip6PayloadLen = 18
	ip6NextHeader = 20
	ip6HopLimit   = 21
	ip6Src        = 22
	ip6Dst        = 38
	icmp6Type     = 54
	icmp6Code     = 55
	naTarget      = 62
	naOptions     = 78
)

const (
	protoICMPv6            = 58
	neighbourAdvertisement = 136
	targetLinkLayer        = 2 // RFC 4861 section 4.6.1
)

// solicitation asks for the link-layer address of target: an ARP request or a
// neighbour solicitation, as a whole Ethernet frame. src may be unspecified.
func solicitation(mac [6]byte, src, target netip.Addr) ([]byte, error) {
	eth := &layers.Ethernet{SrcMAC: mac[:]}
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if target.Is4() {
		eth.DstMAC, eth.EthernetType = broadcastMAC[:], layers.EthernetTypeARP
		err := gopacket.SerializeLayers(buf, opts, eth, &layers.ARP{
			AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4,
			HwAddressSize: 6, ProtAddressSize: 4, Operation: layers.ARPRequest,
			SourceHwAddress: mac[:], SourceProtAddress: src.AsSlice(),
			DstHwAddress: make([]byte, 6), DstProtAddress: target.AsSlice(),
		})
		return buf.Bytes(), err
	}
	group := solicitedNode(target)
	groupMAC, _ := groupMAC(group)
	eth.DstMAC, eth.EthernetType = groupMAC[:], layers.EthernetTypeIPv6
	ip := &layers.IPv6{
		Version: 6, HopLimit: 255, NextHeader: layers.IPProtocolICMPv6,
		SrcIP: src.AsSlice(), DstIP: group.AsSlice(),
	}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(layers.ICMPv6TypeNeighborSolicitation, 0)}
	if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	ns := &layers.ICMPv6NeighborSolicitation{TargetAddress: net.IP(target.AsSlice())}
	if !src.IsUnspecified() { // RFC 4861 section 4.3: no option then
		ns.Options = layers.ICMPv6Options{{Type: layers.ICMPv6OptSourceAddress, Data: mac[:]}}
	}
	err := gopacket.SerializeLayers(buf, opts, eth, ip, icmp, ns)
	return buf.Bytes(), err
}

// solicitedNode is the group that the owner of an IPv6 address listens to,
// RFC 4291 section 2.7.1.
func solicitedNode(target netip.Addr) netip.Addr {
	b := netip.MustParseAddr("ff02::1:ff00:0").As16()
	t := target.As16()
	copy(b[13:], t[13:])
	return netip.AddrFrom16(b)
}

// answer reads target's link-layer address out of an Ethernet frame, if it is
// an ARP reply or a neighbour advertisement that tells it.
func answer(f []byte, target netip.Addr) (mac [6]byte, ok bool) {
	if target.Is4() {
		return arpAnswer(f, target.As4())
	}
	return ndpAnswer(f, target.As16())
}

// answering gives the address that a frame might be an answer about: it is for
// answer to check.
func answering(f []byte, v6 bool) (netip.Addr, bool) {
	switch {
	case v6 && len(f) >= naOptions:
		return netip.AddrFrom16([16]byte(f[naTarget:])), true
	case !v6 && len(f) >= arpLen:
		return netip.AddrFrom4([4]byte(f[arpSenderIP:])), true
	}
	return netip.Addr{}, false
}

func arpAnswer(f []byte, target [4]byte) (mac [6]byte, ok bool) {
	const head = "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02" // EtherType to operation: a reply
	if len(f) < arpLen || string(f[12:arpSenderMAC]) != head || [4]byte(f[arpSenderIP:]) != target {
		return mac, false
	}
	mac = [6]byte(f[arpSenderMAC:])
	return mac, mac != [6]byte{}
}

// ndpAnswer validates as RFC 4861 section 7.1.2 asks.
func ndpAnswer(f []byte, target [16]byte) (mac [6]byte, ok bool) {
	if len(f) < naOptions || f[12] != 0x86 || f[13] != 0xdd || f[14]>>4 != 6 ||
		f[ip6NextHeader] != protoICMPv6 || f[ip6HopLimit] != 255 ||
		f[icmp6Type] != neighbourAdvertisement || f[icmp6Code] != 0 || [16]byte(f[naTarget:]) != target {
		return mac, false
	}
	length := int(binary.BigEndian.Uint16(f[ip6PayloadLen:]))
	if length < naOptions-icmp6Type || icmp6Type+length > len(f) {
		return mac, false
	}
	f = f[:icmp6Type+length]
	src, dst := netip.AddrFrom16([16]byte(f[ip6Src:])), netip.AddrFrom16([16]byte(f[ip6Dst:]))
	if frame.Fold(frame.Sum(f[icmp6Type:], frame.PseudoSum(src, dst, protoICMPv6, length))) != 0xffff {
		return mac, false
	}
	for o := f[naOptions:]; len(o) > 0; {
		if len(o) < 8 || o[1] == 0 || int(o[1])*8 > len(o) {
			return mac, false
		}
		if o[0] == targetLinkLayer && o[1] == 1 {
			mac = [6]byte(o[2:])
			ok = mac != [6]byte{}
		}
		o = o[int(o[1])*8:]
	}
	return mac, ok
}

// answerFilter lets only answers about target through to a packet socket of
// its EtherType, or about anybody where target is the unspecified address of a
// family. It is a first sieve: answer checks the rest.
func answerFilter(target netip.Addr) ([]bpf.RawInstruction, error) {
	type field struct {
		off, size int
		want      uint32
	}
	b := target.AsSlice()
	fields := []field{{arpOperation, 2, 2}, {arpSenderIP, 4, binary.BigEndian.Uint32(b)}}
	if !target.Is4() {
		fields = []field{{ip6NextHeader, 1, protoICMPv6}, {ip6HopLimit, 1, 255}, {icmp6Type, 1, neighbourAdvertisement}}
		for i := 0; i < len(b); i += 4 {
			fields = append(fields, field{naTarget + i, 4, binary.BigEndian.Uint32(b[i:])})
		}
	}
	if target.IsUnspecified() {
		fields = slices.DeleteFunc(fields, func(f field) bool { return f.off == arpSenderIP || f.off >= naTarget })
	}
	var p []bpf.Instruction
	for i, f := range fields {
		p = append(p, bpf.LoadAbsolute{Off: uint32(f.off), Size: f.size})
		// A mismatch jumps to the last instruction, over the rest and the accept.
		skip := uint8(2*(len(fields)-1-i) + 1)
		p = append(p, bpf.JumpIf{Cond: bpf.JumpEqual, Val: f.want, SkipFalse: skip})
	}
	p = append(p, bpf.RetConstant{Val: 0xffff}, bpf.RetConstant{Val: 0})
	return bpf.Assemble(p)
}
