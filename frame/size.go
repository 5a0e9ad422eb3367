package frame

// Header lengths in bytes, without options.
const (
	ipv4HeaderLen    = 20 // RFC 791 section 3.1
	ipv6HeaderLen    = 40 // RFC 8200 section 3
	udpHeaderLen     = 8  // RFC 768
	udpliteHeaderLen = 8  // RFC 3828 section 3.1
	tcpHeaderLen     = 20 // RFC 9293 section 3.1
)

// MaxSize is the largest whole IP length of a probe in bytes, in both families.
const MaxSize = 65535

// MinSize gives the smallest whole IP length in bytes of a method's probe: its
// headers without options or payload. It gives 0 for an unknown method.
func MinSize(m Method, v6 bool) int {
	ip := ipHeaderLen(v6)
	switch m {
	case UDP:
		return ip + udpHeaderLen
	case ICMP:
		return ip + icmpHeaderLen
	case TCP:
		return ip + tcpHeaderLen
	case UDPLite:
		return ip + udpliteHeaderLen
	case DCCP:
		return ip + dccpRequestLen
	case Raw:
		return ip
	}
	return 0
}

// HeaderLen gives the length in bytes of p's headers: IP, Route, and transport
// with its options, or Body. It is the smallest Size of p, and the only one for TCP and
// DCCP. It gives 0 for an unknown method.
func (p *Probe) HeaderLen() int {
	n := MinSize(p.Method, p.IsIPv6())
	switch p.Method {
	case TCP:
		n = TCPSize(p.IsIPv6(), &p.TCP)
	case Raw:
		n += len(p.Body)
	}
	if n == 0 {
		return 0
	}
	return n + p.Route.HeaderLen()
}

// TCPSize gives the whole IP length in bytes of a TCP probe with header h and
// no Route. A probe without payload has no other.
func TCPSize(v6 bool, h *TCPHeader) int {
	n := ipHeaderLen(v6) + tcpHeaderLen
	if h.MSS != 0 {
		n += 4
	}
	if h.Timestamps {
		n += 12
	} else if h.SACK {
		n += 4
	}
	if h.WScale {
		n += 4
	}
	return n
}

func ipHeaderLen(v6 bool) int {
	if v6 {
		return ipv6HeaderLen
	}
	return ipv4HeaderLen
}

const maxLabel = 1<<20 - 1 // RFC 8200 section 3
