package frame

import "encoding/binary"

// EtherTypes (IANA).
const (
	etherTypeIPv4 = 0x0800
	etherTypeIPv6 = 0x86dd
	etherTypeVLAN = 0x8100 // IEEE 802.1Q tag
	etherTypeQinQ = 0x88a8 // IEEE 802.1ad service tag
)

// Ethernet header, IEEE 802.3 section 3.1: offset and length in bytes.
const (
	etherTypeAt       = 12
	ethernetHeaderLen = 14
)

const (
	vlanTagLen  = 4
	maxVLANTags = 2 // one service tag and one customer tag
)

// segment is what an IP header leaves for the decoder of its payload.
type segment struct {
	data   []byte // what came of the payload
	length int    // what the IP header promises of it, len(data) or more
	addrs  []byte // source and destination as on the wire, for the pseudo header
	first  bool   // the first of several fragments: the rest is elsewhere
	whole  bool   // all of data is here with its checksum written out
}

// Decode takes one received frame apart into r, overwriting all of it. It
// never fails: r.Kind says how far it came. It allocates nothing and r's
// slices point into b.
//
// The IP length decides where the packet ends, so Ethernet padding is not
// seen. A frame that ends before its IP length was cut by the capture: what is
// there is decoded and its checksum stays unknown. offloaded says that the
// transport checksum was never written out, so it is not verified either.
//
// A quote ends where the RFC 4884 length field or an extension structure says,
// else with the message; zeros past the quoted packet's own length are padding
// and not counted in Quote.Bytes. Quote.Transport is 0 for a malformed quote
// and for a later fragment.
func Decode(b []byte, link LinkType, offloaded bool, r *Reply) {
	*r = Reply{}
	if link == LinkEthernet {
		if len(b) < ethernetHeaderLen {
			r.Kind = KindTruncated
			return
		}
		etherType := binary.BigEndian.Uint16(b[etherTypeAt:])
		b = b[ethernetHeaderLen:]
		if etherType == etherTypeIPv4 { // as nearly all are
			decodeIPv4(b, offloaded, r)
			return
		}
		decodeEtherType(etherType, b, offloaded, r)
		return
	}
	if len(b) == 0 {
		r.Kind = KindTruncated
		return
	}
	switch b[0] >> 4 {
	case 4:
		decodeIPv4(b, offloaded, r)
	case 6:
		decodeIPv6(b, offloaded, r)
	}
}

// decodeEtherType takes what follows an EtherType apart.
func decodeEtherType(etherType uint16, b []byte, offloaded bool, r *Reply) {
	for range maxVLANTags {
		if etherType != etherTypeVLAN && etherType != etherTypeQinQ {
			break
		}
		if len(b) < vlanTagLen {
			r.Kind = KindTruncated
			return
		}
		etherType = binary.BigEndian.Uint16(b[2:])
		b = b[vlanTagLen:]
	}
	switch etherType {
	case etherTypeIPv4:
		decodeIPv4(b, offloaded, r)
	case etherTypeIPv6:
		decodeIPv6(b, offloaded, r)
	}
}
