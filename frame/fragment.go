package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The smallest MTUs of a link in bytes.
const (
	MinMTUv4 = 68   // RFC 791 section 3.2
	MinMTUv6 = 1280 // RFC 8200 section 5
)

// ErrDontFragment is what Fragments gives for an IPv4 packet that exceeds the
// MTU with the don't-fragment bit set.
var ErrDontFragment = errors.New("don't-fragment is set")

const fragmentHeaderLen = 8 // RFC 8200 section 4.5

// Fragments cuts the IP packet in f into fragments of at most mtu bytes each,
// IP header included, laid out as Linux does: every piece but the last as long
// as the MTU lets a multiple of 8 bytes be. It appends the fragments' bytes to
// buf, each after f's link header, and their slices of buf to frames; handed
// back with length zero, the two are reused without allocation once they have
// grown. A packet that fits is appended to frames as f, uncopied. buf's spare
// capacity must not overlap f.
//
// IPv4 fragments keep the packet's ID; IPv6 fragments carry id in their Fragment
// header. The frame's destination MAC is copied as it is, so it must be filled.
//
// A Route stays in front of every piece, as a source route option must (RFC 791
// section 3.1) and an IPv6 routing header too (RFC 8200 section 4.5).
//
// It fails, with frames and buf as they came, when f is no whole IP packet, has
// other options or extension headers that must stay in front, is a fragment already, when mtu is below MinMTUv4
// or MinMTUv6 or leaves no room for data, and with ErrDontFragment.
func Fragments(frames [][]byte, buf, f []byte, link LinkType, mtu int, id uint32) ([][]byte, []byte, error) {
	ip, head, err := packetOf(f, link)
	if err != nil {
		return frames, buf, fmt.Errorf("fragment: %w", err)
	}
	v6 := ip[0]>>4 == 6
	if low := minMTU(v6); mtu < low {
		return frames, buf, fmt.Errorf("fragment: MTU %d, want at least %d", mtu, low)
	}
	if len(ip) <= mtu {
		return append(frames, f), buf, nil
	}
	if !v6 && binary.BigEndian.Uint16(ip[ipv4FragmentAt:])&ipv4DontFragment != 0 {
		return frames, buf, fmt.Errorf("fragment: packet of %d bytes, MTU %d: %w", len(ip), mtu, ErrDontFragment)
	}
	if !v6 && head > ipv4HeaderLen && !isRouteOption(ip[ipv4HeaderLen:head]) {
		return frames, buf, fmt.Errorf("fragment: %w", errOptions)
	}
	nextAt := ipv6NextHeaderAt
	if n := routingHeaderLen(ip[head:]); v6 && ip[nextAt] == extRouting && n > 0 {
		nextAt = head
		head += n
	}
	if p := ip[nextAt]; v6 && (p == extHopByHop || p == extRouting || p == extFragment) {
		return frames, buf, fmt.Errorf("fragment: IPv6 next header %d, want a transport", p)
	}

	data := ip[head:]
	front := f[:link.HeaderLen()+head]
	if v6 {
		head += fragmentHeaderLen
	}
	room := mtu - head
	if room < 8 {
		return frames, buf, fmt.Errorf("fragment: MTU %d leaves no room behind headers of %d bytes", mtu, head)
	}
	pieces := 2 + (len(data)-room-1)/(room&^7)
	buf = slices.Grow(buf, pieces*(link.HeaderLen()+head)+len(data))
	for at := 0; at < len(data); {
		n := min(room, len(data)-at)
		more := at+n < len(data)
		if more {
			n &^= 7
		}
		start := len(buf)
		buf = append(buf, front...)
		h := buf[start+link.HeaderLen():]
		if v6 {
			buf = appendFragmentHeader(buf, h, nextAt, n, at, more, id)
		} else {
			patchFragment(h, n, at, more)
		}
		buf = append(buf, data[at:at+n]...)
		frames = append(frames, buf[start:len(buf):len(buf)])
		at += n
	}
	return frames, buf, nil
}

func minMTU(v6 bool) int {
	if v6 {
		return MinMTUv6
	}
	return MinMTUv4
}

// patchFragment makes h, a copy of an IPv4 header, that of the n data bytes at
// offset at.
func patchFragment(h []byte, n, at int, more bool) {
	word := uint16(at / 8)
	if more {
		word |= ipv4MoreFragments
	}
	binary.BigEndian.PutUint16(h[ipv4LengthAt:], uint16(len(h)+n))
	binary.BigEndian.PutUint16(h[ipv4FragmentAt:], word)
	binary.BigEndian.PutUint16(h[ipv4ChecksumAt:], 0)
	binary.BigEndian.PutUint16(h[ipv4ChecksumAt:], ^Fold(Sum(h, 0)))
}

// appendFragmentHeader puts a Fragment header behind h, the copy of an IPv6
// header that buf ends with and whose last next header field is at nextAt, and
// patches h for the n data bytes at offset at.
func appendFragmentHeader(buf, h []byte, nextAt, n, at int, more bool, id uint32) []byte {
	word := uint16(at) // a multiple of 8: the low bits are free
	if more {
		word |= 1
	}
	buf = append(buf, h[nextAt], 0)
	buf = binary.BigEndian.AppendUint16(buf, word)
	binary.BigEndian.PutUint16(h[ipv6LengthAt:], uint16(len(h)-ipv6HeaderLen+fragmentHeaderLen+n))
	h[nextAt] = extFragment
	return binary.BigEndian.AppendUint32(buf, id)
}
