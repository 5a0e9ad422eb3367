package option

import (
	"strings"

	"github.com/hopquote/hopquote/frame"
)

// TCPOptions is what -O says for method tcp.
type TCPOptions struct {
	Flags         uint8 // meaningful if FlagsGiven
	FlagsGiven    bool  // some flag or flags= was given; else SYN is implied
	ECN           bool  // SYN, ECE and CWR (RFC 3168 section 6.1.1) if no flag is given
	SACK          bool
	Timestamps    bool
	WindowScaling bool
	Sysctl        bool   // also take the four above from the kernel's settings
	MSS           uint16 // value of the MSS option; meaningful if MSSGiven
	MSSGiven      bool
	Info          bool // show the flags of the final answer
	Reuse         bool // SO_REUSEADDR on the socket that holds the port
}

// tcpWindowScale is the shift of the window scale option, RFC 7323 section 2.2.
const tcpWindowScale = 2

// Header gives the header that all TCP probes of a run share.
//
// The kernel's settings tcp_ecn, tcp_sack, tcp_timestamps and
// tcp_window_scaling of /proc/sys/net/ipv4 are asked of sysctl, which gives the
// text of the named file; only one that begins with 1 counts. They are used if
// TCPOptions.Sysctl is set, or if neither a flag nor one of the options they
// stand for is given. mss is the route's MTU less 40 (IPv4) or 60 (IPv6); the
// window is 4*mss modulo 65536. tsEcr is used only with the ACK flag.
//
// The MSS option goes only with SYN. One whose value is a multiple of 65536
// can't be told from none, so it is left out.
func (t TCPOptions) Header(sysctl func(name string) string, mss uint16, tsVal, tsEcr uint32) frame.TCPHeader {
	if t.Sysctl || !t.FlagsGiven && !t.ECN && !t.SACK && !t.Timestamps && !t.WindowScaling {
		on := func(name string) bool { return strings.HasPrefix(sysctl(name), "1") }
		t.ECN = t.ECN || on("tcp_ecn")
		t.SACK = t.SACK || on("tcp_sack")
		t.Timestamps = t.Timestamps || on("tcp_timestamps")
		t.WindowScaling = t.WindowScaling || on("tcp_window_scaling")
	}
	h := frame.TCPHeader{
		Flags:  t.Flags,
		Window: 4 * mss,
		SACK:   t.SACK,
	}
	if !t.FlagsGiven {
		h.Flags = frame.FlagSYN
		if t.ECN {
			h.Flags |= frame.FlagECE | frame.FlagCWR
		}
	}
	if h.Flags&frame.FlagSYN != 0 {
		h.MSS = mss
		if t.MSSGiven {
			h.MSS = t.MSS
		}
	}
	if t.Timestamps {
		h.Timestamps, h.TSVal = true, tsVal
		if h.Flags&frame.FlagACK != 0 {
			h.TSEcr = tsEcr
		}
	}
	if t.WindowScaling {
		h.WScale, h.Shift = true, tcpWindowScale
	}
	return h
}
