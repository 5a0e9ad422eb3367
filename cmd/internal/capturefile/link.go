package capturefile

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
)

// LinkType is what a packet begins with, as tcpdump.org numbers it.
type LinkType uint16

// The link types that are read.
const (
	LinkNull     LinkType = 0 // BSD loopback: family in the host's byte order
	LinkEthernet LinkType = 1
	LinkRawBSD   LinkType = 12 // DLT_RAW of most systems, found in some files
	LinkRawOpen  LinkType = 14 // of OpenBSD
	LinkRaw      LinkType = 101
	LinkLoop     LinkType = 108 // OpenBSD loopback: family in network order
	LinkCooked   LinkType = 113 // Linux "any", version 1
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkCooked2  LinkType = 276 // Linux "any", version 2
)

// String gives the name, or the number of others.
func (l LinkType) String() string {
	switch l {
	case LinkNull:
		return "null"
	case LinkEthernet:
		return "ethernet"
	case LinkRaw, LinkRawBSD, LinkRawOpen:
		return "raw"
	case LinkLoop:
		return "loop"
	case LinkCooked:
		return "linux-cooked"
	case LinkIPv4:
		return "ipv4"
	case LinkIPv6:
		return "ipv6"
	case LinkCooked2:
		return "linux-cooked-2"
	}
	return fmt.Sprintf("link-%d", uint16(l))
}

// EtherTypes (IANA).
const (
	etherIPv4    = 0x0800
	etherIPv6    = 0x86dd
	etherVLAN    = 0x8100
	etherService = 0x88a8
	etherOldQinQ = 0x9100
)

// maxTags is how many VLAN tags are taken off.
const maxTags = 4

var seed = maphash.MakeSeed()

// IP gives the IP packet in p, nil for anything else, and a number that tells
// the link and direction it was captured in from others: interface, link
// addresses, VLAN.
func (p *Packet) IP() (ip []byte, link uint64) {
	b := p.Data
	head := 0
	var etherType uint16
	switch p.Link {
	case LinkEthernet:
		if len(b) < 14 {
			return nil, 0
		}
		head, etherType = 14, binary.BigEndian.Uint16(b[12:])
	case LinkCooked:
		if len(b) < 16 {
			return nil, 0
		}
		head, etherType = 16, binary.BigEndian.Uint16(b[14:])
	case LinkCooked2:
		if len(b) < 20 {
			return nil, 0
		}
		head, etherType = 20, binary.BigEndian.Uint16(b)
	case LinkNull, LinkLoop:
		head = 4
	case LinkRaw, LinkRawBSD, LinkRawOpen, LinkIPv4, LinkIPv6:
	default:
		return nil, 0
	}
	if len(b) <= head {
		return nil, 0
	}
	for range maxTags {
		if etherType != etherVLAN && etherType != etherService && etherType != etherOldQinQ {
			break
		}
		if len(b) < head+5 {
			return nil, 0
		}
		etherType = binary.BigEndian.Uint16(b[head+2:])
		head += 4
	}
	switch etherType {
	case 0, etherIPv4, etherIPv6:
	default:
		return nil, 0
	}
	ip = b[head:]
	if v := ip[0] >> 4; v != 4 && v != 6 {
		return nil, 0
	}
	// An ID of 64 bits: that two links share one is as good as impossible.
	return ip, maphash.Bytes(seed, b[:head]) + uint64(p.Interface)*0x9e3779b97f4a7c15
}
