package trace

import (
	"crypto/rand"
	"math"
	mathrand "math/rand/v2"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/hopquote/hopquote/cmd/internal/option"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// Ports and first sequence number where -p does not say.
const (
	defaultPort  = 33434
	udpPort      = 53
	tcpPort      = 80
	firstEchoSeq = 1
)

// method is the transport that the options mean.
func method(o *option.Options) frame.Method {
	switch o.Method {
	case "icmp":
		return frame.ICMP
	case "tcp", methodConnect:
		return frame.TCP
	case "udplite":
		return frame.UDPLite
	case "dccp":
		return frame.DCCP
	case "raw":
		return frame.Raw
	}
	return frame.UDP
}

// methodConnect is TCP whose probes are the kernel's own SYNs.
const methodConnect = "tcpconn"

// headsFirst tells the methods that open their sockets with the first probe,
// when the header line is out.
func headsFirst(m frame.Method) bool {
	return m == frame.UDP || m == frame.UDPLite || m == frame.DCCP
}

// firstPort is the destination port, or the first sequence number for icmp. It
// means nothing to raw.
func firstPort(o *option.Options) uint16 {
	if o.Port != 0 {
		return o.Port
	}
	switch o.Method {
	case "icmp":
		return firstEchoSeq
	case "tcp", methodConnect:
		return tcpPort
	case "udp", "udplite":
		return udpPort
	}
	return defaultPort
}

// trafficClass is the byte that -t puts on the wire. IPv6 refuses what IPv4
// cuts to its low 8 bits, with the kernel's words.
func trafficClass(o *option.Options) (uint8, error) {
	if o.Family == 6 && (o.TOS > math.MaxUint8 || o.TOS < -1) {
		return 0, &link.OpError{Op: "setsockopt IPV6_TCLASS", Err: unix.EINVAL}
	}
	if o.TOS == -1 {
		return 0, nil // the kernel's default
	}
	return uint8(o.TOS), nil
}

// keeps is the privileges of which a run can't give up one: the sockets of the
// kernel's connections are marked one by one. Since Linux 5.17 either will do.
func keeps(o *option.Options) []cap.Value {
	if o.Method == methodConnect && o.Mark != 0 {
		return []cap.Value{cap.NET_ADMIN, cap.NET_RAW}
	}
	return nil
}

// checkProtocol refuses what no raw socket is for, with the kernel's words.
func checkProtocol(o *option.Options) error {
	switch {
	case o.Method != "raw":
	case o.Protocol == 0:
		return &link.OpError{Op: "socket", Err: unix.EPROTONOSUPPORT}
	case o.Protocol > math.MaxUint8:
		return &link.OpError{Op: "socket", Err: unix.EINVAL}
	}
	return nil
}

// plan makes the strategy's configuration for an envelope.
func (r *run) plan(env *link.Envelope) hops.Config {
	o := r.opts
	cfg := hops.Config{
		First: o.First, Last: o.Max, Queries: o.Queries,
		Wait: hops.Wait{Max: option.Duration(o.Wait.Max), Here: o.Wait.Here, Near: o.Wait.Near},
		Probe: frame.Probe{
			Method: r.method, Src: env.Src, Dst: env.Dst, TOS: r.tos, DF: o.DontFragment, Size: r.size,
			NoChecksum: o.NoChecksum, Route: o.Route,
		},
	}
	if !o.Route.IsZero() {
		cfg.Probe.Dst = o.Addr.WithZone("") // the envelope's is the first gateway
	}
	switch p := &cfg.Probe; o.Method {
	case "icmp":
		p.SrcPort, p.Seq = r.echoID, uint32(firstPort(o))
		cfg.Count = hops.CountSeq
		if o.Quotes {
			setZeroSum(p)
		}
	case "tcp":
		p.TCP, p.DstPort = r.tcp, firstPort(o)
	case methodConnect:
		p.TCP, p.DstPort, p.Size = frame.TCPHeader{Flags: frame.FlagSYN}, firstPort(o), 0
	case "udp":
		p.DstPort = firstPort(o)
	case "udplite":
		p.DstPort, p.Coverage = firstPort(o), o.Coverage
	case "dccp":
		p.DstPort, p.Service = firstPort(o), frame.DefaultService
		if o.ServiceGiven {
			p.Service = o.Service
		}
	case "raw":
		p.Protocol = uint8(o.Protocol)
	default:
		p.DstPort = firstPort(o)
		cfg.Count = hops.CountPort
	}
	return cfg
}

// mtu is how long a packet may be to leave whole. A probe that asks, by -F,
// what the path carries is held to the interface only, not to what is known of
// the route: as with IP_PMTUDISC_PROBE, ip(7).
func (r *run) mtu(env *link.Envelope) int {
	if r.opts.DontFragment {
		return env.LinkMTU
	}
	return env.MTU
}

// minimumMTU is what a smaller route MTU counts as for the TCP options.
const minimumMTU = 576

// tcpHeader is the header that all TCP probes of the run share.
func (r *run) tcpHeader(env *link.Envelope) frame.TCPHeader {
	headers := 40
	if r.opts.Family == 6 {
		headers = 60
	}
	mss := uint16(min(max(env.MTU, minimumMTU)-headers, math.MaxUint16))
	return r.opts.TCP.Header(sysctl, mss, r.rand.Uint32(), r.rand.Uint32())
}

// sysctl reads one of the kernel's TCP settings; what can't be read is off.
func sysctl(name string) string {
	b, err := os.ReadFile("/proc/sys/net/ipv4/" + name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// newRand is a generator that nobody can guess.
func newRand() *mathrand.Rand {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails: it ends the process instead
	return mathrand.New(mathrand.NewChaCha8(seed))
}

// echoID is the identifier of this process's echo requests: the low 16 bits
// of its number.
func echoID() uint16 { return uint16(os.Getpid()) }
