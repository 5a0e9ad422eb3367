package simnet

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Script is a parsed script. It is not changed once it is parsed, so any
// number of responders may share it.
type Script struct {
	Sources []Source
	Targets []netip.Prefix // where the path leads; a single address is a whole prefix
	Names   []Name
	MTU     int   // in bytes of IP, of the probing host's link; 0 means 1500
	Runs    []Run // what the script was made for

	seed  uint64
	rules []rule
	mtus  []mtuStep
	known map[netip.Addr]bool // gateways and all that replies come from
}

// Source is an address of the probing host's interface and the router that it
// sends through.
type Source struct {
	Prefix  netip.Prefix
	Gateway netip.Addr
}

// Name is a line of the hosts file that goes with the script.
type Name struct {
	Addr  netip.Addr
	Names []string // the first is the canonical one
}

// Run is a command line of traceroute, without its name, and what it prints
// on the script's path.
type Run struct {
	Args   []string
	Output []string // lines with "X ms" for times; the first line may be left out
}

// Hosts is the hosts file with the script's names, nil if it has none.
func (s *Script) Hosts() []byte {
	if len(s.Names) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost\n")
	for _, n := range s.Names {
		b.WriteString(n.Addr.String() + " " + strings.Join(n.Names, " ") + "\n")
	}
	return []byte(b.String())
}

// isTarget tells whether the path leads to the address.
func (s *Script) isTarget(a netip.Addr) bool {
	for _, t := range s.Targets {
		if t.Contains(a) {
			return true
		}
	}
	return false
}

// isSource tells whether the probing host has the address.
func (s *Script) isSource(a netip.Addr) bool {
	for _, src := range s.Sources {
		if src.Prefix.Addr() == a {
			return true
		}
	}
	return false
}

// gateway is the first gateway of a family, the zero Addr if there is none.
func (s *Script) gateway(v6 bool) netip.Addr {
	for _, src := range s.Sources {
		if src.Gateway.Is6() == v6 {
			return src.Gateway
		}
	}
	return netip.Addr{}
}

// isNeighbour tells whether the address is one that the simulated side of the
// link has: named by the script and on the link.
func (s *Script) isNeighbour(a netip.Addr) bool {
	if s.isSource(a) || !s.known[a] && !s.isTarget(a) {
		return false
	}
	for _, src := range s.Sources {
		if src.Gateway == a || src.Prefix.Contains(a) {
			return true
		}
	}
	return false
}

// family says which probes a rule is for, by its replies' addresses.
type family uint8

const (
	bothFamilies family = iota
	onlyIPv4
	onlyIPv6
)

func familyOf(a netip.Addr) family {
	if a.Is4() {
		return onlyIPv4
	}
	return onlyIPv6
}

func (f family) takes(v6 bool) bool {
	return f == bothFamilies || (f == onlyIPv6) == v6
}

// anyProtocol stands for a rule that names none.
const anyProtocol = -1

// rule is a hop or dest line.
type rule struct {
	dest     bool
	low, top int // TTLs of a hop line
	family   family
	protocol int // IP protocol, ICMPv6 as ICMP; or anyProtocol
	hasPort  bool
	ports    [2]uint16 // first and last
	cycle    bool
	choices  []choice
}

// choice is what one probe gets: no reply, one or several.
type choice []reply

// mtuStep is an mtu line: the link behind a hop.
type mtuStep struct {
	hop, size int
	silent    bool
	reply     [2]reply // for IPv4 and IPv6; without from when nobody is there to reply
}

// kind is what a reply is, apart from its modifiers.
type kind uint8

const (
	lost       kind = iota // nothing
	arrive                 // the probe goes on to the destination
	exceeded               // ICMP time exceeded
	unreach                // ICMP destination unreachable
	tooBig                 // fragmentation needed, packet too big
	param                  // ICMP parameter problem
	redirect               // ICMP redirect, IPv4
	quench                 // ICMP source quench, IPv4
	portClosed             // port unreachable, in each family's code
	noProtocol             // protocol unreachable; ICMPv6 unrecognized next header
	rawType                // ICMP type and code by number
	echo                   // echo reply
	answer                 // datagram or packet of the probe's own protocol
	synAck                 // what a TCP port that listens does
	reset                  // what a closed TCP port does
	tcpFlags               // TCP segment with given flags
)

// kindNames are the kinds' own names, in their order.
var kindNames = [...]string{
	"lost", "arrive", "te", "unreach", "toobig", "param", "redirect", "quench", "port-unreachable",
	"proto-unreachable", "type", "echo", "answer", "synack", "rst", "flags",
}

// kindByName finds a kind; "silent" is another word for "lost".
func kindByName(name string) (kind, bool) {
	if name == "silent" {
		return lost, true
	}
	i := slices.Index(kindNames[:], name)
	return kind(max(i, 0)), i >= 0
}

func (k kind) String() string { return kindNames[k] }

// isError tells whether the reply quotes the probe.
func (k kind) isError() bool { return k >= exceeded && k <= rawType }

// reply is one reply with its modifiers.
type reply struct {
	kind      kind
	typ, code uint8      // typ for rawType only
	from      netip.Addr // none: the probe's destination
	delay     [2]time.Duration
	ttl, tos  uint8
	flags     uint8
	ack       uint32 // what a TCP answer acknowledges beyond the probe
	rest      uint32 // second word of the ICMP header
	data      []byte // payload of an answer
	quote     quote
	ext       extension
	badSum    bool
	copies    int
	loss      float64 // 0..1
	rate      float64 // per second; 0 is no limit
	burst     float64
	bucket    int // index of the limit's state
}

// quote says how much of the probe an error brings back and how changed.
type quote struct {
	size   int // -1: as much as the RFCs ask for
	full   bool
	pad128 bool
	edits  []edit
	// src and dst are those of the probe where it was translated to the other IP
	// version; none where it was not.
	src, dst netip.Addr
	layers   []layer // what is around the probe, from inside outwards
}

// Values of extension.length besides a number of words.
const (
	lengthAuto = -1 // what the quote has, if an extension follows
	lengthNone = -2
)

// extension is an RFC 4884 structure.
type extension struct {
	length  int
	objects []byte // serialized, headers included
	raw     []byte // in place of a structure made of objects
	version uint8
	sum     sumState
}

type sumState uint8

const (
	sumGood sumState = iota
	sumBad
	sumZero
)
