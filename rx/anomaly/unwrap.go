package anomaly

import "encoding/binary"

// Unwrap takes one level of encapsulation off a quote: IPv4 or IPv6 in IP
// (RFC 2003, 4213), GRE (RFC 2784, 2890), an ICMP error around another quote,
// or MPLS labels before the IP header (RFC 3032). name tells which; it is
// empty where there is none that can be read.
func Unwrap(quote []byte) (inner []byte, name string) {
	var h Header
	h.Parse(quote)
	if h.Short || len(quote) == 0 {
		return nil, ""
	}
	if h.Version != 4 && h.Version != 6 {
		return unwrapMPLS(quote)
	}
	t := h.Transport
	switch {
	case h.Malformed || len(t) < 4:
		return nil, ""
	case h.Protocol == protoIPIP && t[0]>>4 == 4:
		return t, "ipv4-in-ip"
	case h.Protocol == protoIPv6 && t[0]>>4 == 6:
		return t, "ipv6-in-ip"
	case h.Protocol == protoGRE:
		return unwrapGRE(t)
	case h.IsICMP() && isErrorType(h.Version, t[0]) && len(t) > 8:
		return t[8:], "icmp-error"
	}
	return nil, ""
}

// isErrorType tells whether an ICMP type quotes a packet.
func isErrorType(version, t uint8) bool {
	if version == 6 {
		return t >= 1 && t <= 4
	}
	return t == 3 || t == 4 || t == 5 || t == 11 || t == 12
}

func unwrapGRE(t []byte) ([]byte, string) {
	const checksum, key, sequence = 0x80, 0x20, 0x10
	if t[1]&7 != 0 || t[0]&0x4f != 0 { // version 0 without source routing
		return nil, ""
	}
	at := 4
	for _, bit := range []byte{checksum, key, sequence} {
		if t[0]&bit != 0 {
			at += 4
		}
	}
	if len(t) <= at {
		return nil, ""
	}
	switch etherType := binary.BigEndian.Uint16(t[2:]); {
	case etherType == 0x0800 && t[at]>>4 == 4, etherType == 0x86dd && t[at]>>4 == 6:
		return t[at:], "gre"
	}
	return nil, ""
}

func unwrapMPLS(b []byte) ([]byte, string) {
	const bottom, most = 1 << 8, 8
	for range most {
		if len(b) < 5 {
			return nil, ""
		}
		entry := binary.BigEndian.Uint32(b)
		b = b[4:]
		if entry&bottom != 0 {
			if v := b[0] >> 4; v == 4 || v == 6 {
				return b, "mpls"
			}
			return nil, ""
		}
	}
	return nil, ""
}
