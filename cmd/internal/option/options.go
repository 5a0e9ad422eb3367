package option

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/hopquote/hopquote/frame"
)

// Options is a command line that has passed every check. All of its values
// are defaults or in the range that Linux traceroute accepts.
type Options struct {
	Program string     // argv[0] as given
	Host    string     // the destination as typed
	Addr    netip.Addr // its address, IPv4 unmapped; the zone is an interface's name where there is one
	Family  int        // 4 or 6, of Addr

	PacketLen    int    // wanted whole IP length in bytes, 0..65000; -1 is the default
	DontFragment bool   // -F, --mtu
	PathMTU      string // "", MTUTold or MTUProbe
	First, Max   int    // TTLs, 1..255, First <= Max
	Sim          int    // probes in flight, at least 1, without upper limit
	Queries      int    // probes per hop, 1..10
	Method       string // "default", "udp", "udplite", "icmp", "tcp", "dccp", "raw" or "tcpconn"

	// Port is the destination port, or the first one of method default, or
	// the first echo sequence of method icmp. Zero can be given by 65536.
	Port      uint16
	PortGiven bool

	// TOS is the value as given: IPv4 uses its low 8 bits; Linux refuses more
	// than 255 and less than -1, which is its own choice, for IPv6.
	TOS            int
	FlowLabel      uint32 // IPv6, 20 bits
	FlowLabelGiven bool

	Wait     Wait
	SendWait float64 // least seconds between two sends, at least 0; may be +Inf

	Source     string     // as typed, empty if not given
	SourceAddr netip.Addr // the zero Addr if not given; else of Addr's family
	Interface  string     // empty if not given
	Numeric    bool       // no reverse look-ups

	// SourcePort makes Sim 1 and Wait.Here and Wait.Near 0. Zero can be given
	// by 65536: any port, but the same sequential probing.
	SourcePort      uint16
	SourcePortGiven bool

	Verbose    int  // how many times -v was given: show replies' lengths and strays, from 2 on the probes too
	NoChecksum bool // -x: UDP and TCP checksums are sent as zero

	Extensions bool   // -e: show ICMP extensions
	Quotes     bool   // --quotes: show what routers quote, and where on the path packets change
	Back       bool   // --back: show the length of the way back where it differs
	ASSource   string // where to look up origin ASes: "whois", "cymru" or "mmdb:FILE"; empty for no look-ups

	// Route is the source route over the gateways, of which Gateway is the
	// first, with its zone; both zero without any.
	Route   frame.Route
	Gateway netip.Addr

	Mark      uint32 // SO_MARK of the probes, 0 for none
	DontRoute bool   // -r: no gateways
	Debug     bool   // -d: the right to SO_DEBUG is asked for

	TCP          TCPOptions
	Coverage     uint16 // udplite: bytes under the checksum; below 8 means 8
	Service      uint32 // dccp: service code, if ServiceGiven
	ServiceGiven bool
	Protocol     uint32 // raw: as given, 253 without; the kernel knows 1..255

	Format string // "text" or "json"
	PCAP   string // file to write the packets to, empty if not given
}

// Wait says how long a probe may stay unanswered.
type Wait struct {
	Max  float64 // seconds, at least 0; may be +Inf
	Here float64 // times the RTT of an answer of the same hop; 0 is off
	Near float64 // times the RTT of an answer of a later hop; 0 is off
}

// How to find the path's MTU.
const (
	MTUTold  = "told"  // --mtu: as routers tell
	MTUProbe = "probe" // --mtu=probe: also where they don't
)

// Default lengths of a probe beyond its IP header, and the largest packetlen,
// in bytes.
const (
	defaultPayload = 40
	maxPacketLen   = 65000
	dccpHeader     = 20 // of a Request, RFC 4340 sections 5.1 and 5.2
)

// hasPayload tells whether a method's probes may be of any size.
func hasPayload(method string) bool {
	return method != "tcp" && method != "dccp" && method != "tcpconn"
}

// Size gives the length in bytes that the header line tells: PacketLen or the
// default of 40 bytes beyond the IP header and its Route, or the largest there
// is to find the path's MTU with, raised to what the headers need. It is the
// whole IP length of the probes but for method tcp, whose header decides, and
// tcpconn, where the kernel does.
func (o *Options) Size() int {
	header := 20
	if o.Family == 6 {
		header = 40
	}
	header += o.Route.HeaderLen()
	transport := 8
	switch o.Method {
	case "dccp":
		return header + dccpHeader
	case "raw", "tcpconn":
		transport = 0
	}
	if o.PacketLen < 0 && o.PathMTU != "" {
		return maxPacketLen
	}
	if o.PacketLen < 0 {
		return header + defaultPayload
	}
	return max(o.PacketLen, header+transport)
}

// Duration gives seconds as a time.Duration, at most the longest there is.
// NaN counts as none.
func Duration(seconds float64) time.Duration {
	ns := seconds * float64(time.Second)
	switch {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns > 0:
		return time.Duration(ns)
	}
	return 0
}

// Exit is the reason why a command line starts no trace: a help text, the
// version, or a message. The caller prints both texts as they are and exits.
type Exit struct {
	Code   int    // 0 for help and version, 2 for a command line that can't be used
	Stderr string // ends with a newline
	Stdout string
}

// Error gives the text for standard error on one line.
func (e *Exit) Error() string {
	if text := strings.Join(strings.Fields(e.Stderr), " "); text != "" {
		return text
	}
	return "command line refused"
}

// usage is the Exit of a command line that can't be used.
func usage(text string) *Exit { return &Exit{Code: 2, Stderr: text + "\n"} }
