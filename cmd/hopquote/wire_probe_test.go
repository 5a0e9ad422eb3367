package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// datagram is an IP packet as it was on the wire, its fragments put together.
type datagram struct {
	V6       bool
	Src, Dst netip.Addr
	TTL, TOS int
	DF       bool
	Protocol layers.IPProtocol
	ID       uint32 // of an IPv6 datagram only when it came in fragments
	Label    uint32
	Length   int     // whole IP length in bytes, Fragment headers not counted
	Pieces   []piece // none when it came whole
	Options  []byte  // of IPv4

	Payload []byte // of IP
	Faults  []string

	UDP  *layers.UDP
	Lite *lite
	TCP  *layers.TCP
	Echo *echo
}

// lite is a UDP-Lite header, RFC 3828 section 3.1, and its data.
type lite struct {
	SrcPort, DstPort, Coverage uint16
	Data                       []byte
}

// rawPayload begins the data of raw probes, whatever their protocol.
const rawPayload = 0x40

// piece is one fragment.
type piece struct {
	Offset, Length int // of data and of the IP packet, in bytes
	More           bool
}

// echo is an ICMP or ICMPv6 echo request.
type echo struct {
	Type, Code uint8
	ID, Seq    uint16
	Data       []byte
}

// datagrams decodes the IP packets among frames that come from one of the
// sources, in order.
func datagrams(frames [][]byte, from func(netip.Addr) bool) []*datagram {
	var all []*datagram
	open := make(map[string]*datagram)
	for _, f := range frames {
		d, data := decodeIP(f)
		if d == nil || !from(d.Src) {
			continue
		}
		if len(d.Pieces) > 0 {
			key := fmt.Sprint(d.Src, d.Dst, d.Protocol, d.ID)
			first, ok := open[key]
			if !ok {
				open[key] = d
				all = append(all, d)
				first = d
			} else {
				first.Pieces = append(first.Pieces, d.Pieces...)
				first.Length += len(data)
				first.Faults = append(first.Faults, d.Faults...)
			}
			first.Payload = append(first.Payload, data...)
			if !d.Pieces[0].More {
				delete(open, key)
				first.decodeTransport()
			}
			continue
		}
		d.Payload = data
		d.decodeTransport()
		all = append(all, d)
	}
	for _, d := range open {
		d.Faults = append(d.Faults, "the last fragment is missing")
	}
	return all
}

// decodeIP gives the header and the data of an IP packet, nil for others.
func decodeIP(f []byte) (*datagram, []byte) {
	var eth layers.Ethernet
	if eth.DecodeFromBytes(f, gopacket.NilDecodeFeedback) != nil {
		return nil, nil
	}
	var d *datagram
	var data []byte
	var err error
	switch eth.EthernetType {
	case layers.EthernetTypeIPv4:
		var ip layers.IPv4
		err = ip.DecodeFromBytes(eth.Payload, gopacket.NilDecodeFeedback)
		d, data = decodeIPv4(&ip)
	case layers.EthernetTypeIPv6:
		var ip layers.IPv6
		err = ip.DecodeFromBytes(eth.Payload, gopacket.NilDecodeFeedback)
		d, data = decodeIPv6(&ip)
	default:
		return nil, nil
	}
	if err != nil {
		d.Faults = append(d.Faults, err.Error())
	}
	return d, data
}

func decodeIPv4(ip *layers.IPv4) (*datagram, []byte) {
	d := &datagram{
		TTL: int(ip.TTL), TOS: int(ip.TOS), DF: ip.Flags&layers.IPv4DontFragment != 0,
		Protocol: ip.Protocol, ID: uint32(ip.Id), Length: int(ip.Length), Options: ip.Contents[20:],
	}
	d.Src, _ = netip.AddrFromSlice(ip.SrcIP.To4())
	d.Dst, _ = netip.AddrFromSlice(ip.DstIP.To4())
	if sum(ip.Contents) != 0xffff {
		d.Faults = append(d.Faults, "wrong IP checksum")
	}
	if more := ip.Flags&layers.IPv4MoreFragments != 0; more || ip.FragOffset != 0 {
		d.Pieces = []piece{{int(ip.FragOffset) * 8, int(ip.Length), more}}
	}
	return d, ip.Payload
}

func decodeIPv6(ip *layers.IPv6) (*datagram, []byte) {
	d := &datagram{
		V6: true, TTL: int(ip.HopLimit), TOS: int(ip.TrafficClass), Label: ip.FlowLabel,
		Protocol: ip.NextHeader, Length: 40 + int(ip.Length),
	}
	d.Src, _ = netip.AddrFromSlice(ip.SrcIP.To16())
	d.Dst, _ = netip.AddrFromSlice(ip.DstIP.To16())
	if ip.NextHeader != layers.IPProtocolIPv6Fragment {
		return d, ip.Payload
	}
	p := gopacket.NewPacket(ip.Payload, layers.LayerTypeIPv6Fragment, gopacket.Lazy)
	if f, ok := p.Layer(layers.LayerTypeIPv6Fragment).(*layers.IPv6Fragment); ok {
		d.Protocol, d.ID = f.NextHeader, f.Identification
		d.Pieces = []piece{{int(f.FragmentOffset) * 8, d.Length, f.MoreFragments}}
		d.Length -= len(f.Contents)
		return d, f.Payload
	}
	return d, ip.Payload
}

const wrongChecksum = "wrong transport checksum"

// decodeTransport reads the payload and checks its checksum.
func (d *datagram) decodeTransport() {
	var err error
	switch d.Protocol {
	case layers.IPProtocolUDP:
		d.UDP = new(layers.UDP)
		if err = d.UDP.DecodeFromBytes(d.Payload, gopacket.NilDecodeFeedback); err == nil && d.UDP.Checksum == 0 {
			err = errors.New("no UDP checksum")
		}
	case layers.IPProtocolTCP:
		d.TCP = new(layers.TCP)
		err = d.TCP.DecodeFromBytes(d.Payload, gopacket.NilDecodeFeedback)
	case layers.IPProtocolICMPv4, layers.IPProtocolICMPv6:
		if b := d.Payload; len(b) < 8 {
			err = errors.New("short ICMP header")
		} else if b[0] == rawPayload {
			return
		} else if b[0] == layers.ICMPv4TypeEchoRequest || b[0] == layers.ICMPv6TypeEchoRequest {
			d.Echo = &echo{b[0], b[1], binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]), b[8:]}
		}
	case layers.IPProtocolUDPLite:
		d.decodeLite()
		return
	default:
		return
	}
	if err != nil {
		d.Faults = append(d.Faults, err.Error())
	}
	covered := d.Payload
	if d.Protocol != layers.IPProtocolICMPv4 {
		covered = append(d.pseudoHeader(), d.Payload...)
	}
	if sum(covered) != 0xffff {
		d.Faults = append(d.Faults, wrongChecksum)
	}
}

func (d *datagram) decodeLite() {
	b := d.Payload
	if len(b) < 8 {
		d.Faults = append(d.Faults, "short UDP-Lite header")
		return
	}
	at := func(i int) uint16 { return binary.BigEndian.Uint16(b[i:]) }
	d.Lite = &lite{at(0), at(2), at(4), b[8:]}
	covered := int(d.Lite.Coverage)
	if covered == 0 {
		covered = len(b)
	}
	if covered > len(b) || sum(append(d.pseudoHeader(), b[:covered]...)) != 0xffff {
		d.Faults = append(d.Faults, wrongChecksum)
	}
}

// pseudoHeader is that of RFC 768 and RFC 9293, or of RFC 8200 section 8.1. A
// source route's last address stands for the destination, RFC 1122 section
// 4.1.3.4.
func (d *datagram) pseudoHeader() []byte {
	dst := d.Dst.AsSlice()
	if n := len(d.Options); n > 0 {
		dst = d.Options[n-4:]
	}
	b := append(d.Src.AsSlice(), dst...)
	if d.V6 {
		b = binary.BigEndian.AppendUint32(b, uint32(len(d.Payload)))
		return append(b, 0, 0, 0, byte(d.Protocol))
	}
	b = append(b, 0, byte(d.Protocol))
	return binary.BigEndian.AppendUint16(b, uint16(len(d.Payload)))
}

// sum is the Internet checksum's sum, RFC 1071: 0xffff over bytes that hold
// their own checksum.
func sum(b []byte) uint16 {
	total := uint64(0)
	for i, v := range b {
		total += uint64(v) << (8 * uint(1-i%2))
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

// fixed tells everything of the datagram that two runs must have in common.
func (d *datagram) fixed(withPort, withLabel bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "to %v ttl %d tos %#x df %t length %d", d.Dst, d.TTL, d.TOS, d.DF, d.Length)
	if withLabel {
		fmt.Fprintf(&b, " label %#x", d.Label)
	}
	if len(d.Pieces) > 0 {
		fmt.Fprintf(&b, " fragments %v", d.Pieces)
	}
	if len(d.Options) > 0 {
		fmt.Fprintf(&b, " options %x", d.Options)
	}
	switch {
	case d.Lite != nil:
		fmt.Fprintf(&b, " udplite to %d coverage %d data %s", d.Lite.DstPort, d.Lite.Coverage, brief(d.concealed(d.Lite.Data)))
	case d.UDP != nil:
		fmt.Fprintf(&b, " udp to %d length %d data %s", d.UDP.DstPort, d.UDP.Length, brief(d.concealed(d.UDP.Payload)))
		if withPort {
			fmt.Fprintf(&b, " from %d", d.UDP.SrcPort)
		}
	case d.TCP != nil:
		h := d.TCP
		fmt.Fprintf(&b, " tcp to %d offset %d flags %#x window %d ack %d urgent %d options %s data %s",
			h.DstPort, h.DataOffset, h.Contents[13], h.Window, h.Ack, h.Urgent, d.tcpOptions(), brief(h.Payload))
		if withPort {
			fmt.Fprintf(&b, " from %d", h.SrcPort)
		}
	case d.Echo != nil:
		fmt.Fprintf(&b, " echo %d/%d seq %d data %s", d.Echo.Type, d.Echo.Code, d.Echo.Seq, brief(d.concealed(d.Echo.Data)))
	default:
		fmt.Fprintf(&b, " %v %s", d.Protocol, brief(d.Payload))
	}
	return b.String()
}

// concealed gives the data with zeros for the bytes that ours fills otherwise on
// purpose: see "what nobody can guess" among the differences.
func (d *datagram) concealed(data []byte) []byte {
	from, end := 4, 6
	if d.V6 || d.Echo != nil {
		from = 0
	}
	if len(data) < end || d.Lite != nil && d.Lite.Coverage != 0 && int(d.Lite.Coverage) < 8+end {
		return data
	}
	data = bytes.Clone(data)
	clear(data[from:end])
	return data
}

// tcpOptions tells the options in wire order; of the timestamps, which are
// random, only whether the echo is there.
func (d *datagram) tcpOptions() string {
	var all []string
	for _, o := range d.TCP.Options {
		text := fmt.Sprintf("%d:%x", o.OptionType, o.OptionData)
		if o.OptionType == layers.TCPOptionKindTimestamps && len(o.OptionData) == 8 {
			text = fmt.Sprintf("%d:X,%t", o.OptionType, binary.BigEndian.Uint32(o.OptionData[4:]) != 0)
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// timestamp is the TCP timestamp value, if there is one.
func (d *datagram) timestamp() (uint32, bool) {
	i := slices.IndexFunc(d.TCP.Options, func(o layers.TCPOption) bool {
		return o.OptionType == layers.TCPOptionKindTimestamps && len(o.OptionData) == 8
	})
	if i < 0 {
		return 0, false
	}
	return binary.BigEndian.Uint32(d.TCP.Options[i].OptionData), true
}

// brief is the bytes, or what stands for many of them.
func brief(b []byte) string {
	if len(b) <= 64 {
		return fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%x… (%d bytes, crc %08x)", b[:16], len(b), crc32.ChecksumIEEE(b))
}
