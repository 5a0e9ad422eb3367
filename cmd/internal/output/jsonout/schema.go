// Package jsonout writes a trace as one JSON document.
//
// The types of this file are the schema, and schema.md is its table. Its
// rules: a key that holds a number names the unit unless it is a count or a
// protocol field; every key is always there; what is not known is null; a list
// is never null; values in words are lower case with underscores.
package jsonout

import "net/netip"

// Schema is the schema's name and version. A change that can break a reader
// raises the number; new keys do not.
const Schema = "hopquote.trace/1"

// Document is one run. It is complete and valid also when nothing answered,
// when the run was interrupted and when it failed.
type Document struct {
	Schema      string       `json:"schema"`       // always Schema
	Program     string       `json:"program"`      // name
	Version     string       `json:"version"`      // of the program
	CommandLine []string     `json:"command_line"` // as the program got it, its own name first
	Target      Target       `json:"target"`
	Source      *netip.Addr  `json:"source"`       // null when the run failed before it was known
	Interface   *string      `json:"interface"`    // by which the probes left; null like source
	Method      string       `json:"method"`       // udp, icmp, tcp, udplite, dccp, raw, tcpconn
	Options     Options      `json:"options"`      // in effect, defaults included
	Start       string       `json:"start"`        // RFC 3339, UTC, nanoseconds: what offsets count from
	End         string       `json:"end"`          // same form
	StopReason  StopReason   `json:"stop_reason"`  // why the run ended
	Error       *string      `json:"error"`        // text of the error for stop_reason error, null otherwise
	Hops        []Hop        `json:"hops"`         // every TTL that was probed, ascending, those past the target included
	PathChanges []PathChange `json:"path_changes"` // where on the path packets are changed, by hop; empty without --quotes
	Counts      Counts       `json:"counts"`
}

// Target is where the probes were headed.
type Target struct {
	Name    string      `json:"name"`    // as typed
	Address *netip.Addr `json:"address"` // null when the name did not resolve
}

// Options are the values that the run went by.
type Options struct {
	FirstTTL        int          `json:"first_ttl"`
	MaxTTL          int          `json:"max_ttl"`
	Queries         int          `json:"queries"`          // probes for each TTL
	Window          int          `json:"window"`           // probes in flight at most
	WaitNS          int64        `json:"wait_ns"`          // longest wait for an answer
	WaitHere        float64      `json:"wait_here"`        // times an RTT of the same hop; 0: off
	WaitNear        float64      `json:"wait_near"`        // times an RTT of a later hop; 0: off
	GapNS           int64        `json:"gap_ns"`           // least time from send to send
	SizeBytes       int          `json:"size_bytes"`       // whole IP length of a probe
	DestinationPort *int         `json:"destination_port"` // the first one; null for icmp and raw
	SourcePort      *int         `json:"source_port"`      // null when chosen for each probe
	TOS             int          `json:"tos"`              // or IPv6 traffic class
	DontFragment    bool         `json:"dont_fragment"`
	Protocol        *int         `json:"protocol"` // raw only: the IP protocol number
	Gateways        []netip.Addr `json:"gateways"` // of a source route, in order of passing
	Numeric         bool         `json:"numeric"`  // no names were looked up
	Quotes          bool         `json:"quotes"`   // quote_changes and path_changes were looked for
}

// StopReason is why a run ended.
type StopReason string

// The stop reasons.
const (
	Reached     StopReason = "reached"     // the target answered
	Unreachable StopReason = "unreachable" // an error of another kind ended the trace
	MaxHops     StopReason = "max_hops"    // neither came up to the last TTL
	Interrupted StopReason = "interrupted" // by a signal
	Failed      StopReason = "error"       // the run could not go on; see error
)

// Hop is one TTL.
type Hop struct {
	TTL    int     `json:"ttl"`
	Probes []Probe `json:"probes"` // by query
}

// Probe is one probe and what became of it.
type Probe struct {
	Query           int     `json:"query"` // from 0, within the TTL
	SizeBytes       int     `json:"size_bytes"`
	SourcePort      *int    `json:"source_port"`      // null for icmp and raw
	DestinationPort *int    `json:"destination_port"` // null for icmp and raw
	EchoID          *int    `json:"echo_id"`          // icmp only
	EchoSequence    *int    `json:"echo_sequence"`    // icmp only
	TCPSequence     *uint32 `json:"tcp_sequence"`     // tcp and tcpconn only
	IPID            *int    `json:"ip_id"`            // null for IPv6
	FlowLabel       *uint32 `json:"flow_label"`       // null for IPv4
	Sends           int     `json:"sends"`            // how many times it was sent; a search for the MTU counts into its hop's first probe
	SentOffsetNS    int64   `json:"sent_offset_ns"`   // of the last send, since start

	Outcome         string      `json:"outcome"`           // in_flight, lost, hop, arrived, refused, too_big
	Note            string      `json:"note"`              // as printed behind the time: "", "!H", "!F-1400", …
	ShrunkToBytes   *uint32     `json:"shrunk_to_bytes"`   // the size that path-MTU discovery came down to with this probe; null for none
	ShrunkByProbing *bool       `json:"shrunk_by_probing"` // nobody told that size: it was found by trying; null without one
	PrintedTTL      *int        `json:"printed_ttl"`       // the hop that the text shows the answer at, when not its own
	Responder       *netip.Addr `json:"responder"`         // null without an answer, and for too_big
	ResponderName   *string     `json:"responder_name"`    // null without a name, or when none was asked for
	AS              *AS         `json:"as"`                // null without a responder, or when none was asked for
	RTTNS           *int64      `json:"rtt_ns"`            // null without an answer
	Duplicates      int         `json:"duplicates"`        // further replies to an answered probe
	LateReplies     int         `json:"late_replies"`      // replies after it was given up
	Reply           *Reply      `json:"reply"`             // null without an answer
}

// AS tells who announces a responder's address.
type AS struct {
	Origins []string      `json:"origins"` // AS64500 or several, as the source writes them; empty for none
	Prefix  *netip.Prefix `json:"prefix"`  // the announced one that was found; null when not known
	Source  string        `json:"source"`  // whois, cymru, mmdb
	Failed  bool          `json:"failed"`  // the source could not be asked
}

// Reply is the packet that answered. For too_big there was none: the header
// fields are null.
type Reply struct {
	ReceivedOffsetNS int64       `json:"received_offset_ns"` // since start
	Local            bool        `json:"local"`              // made on this host
	Kind             string      `json:"kind"`               // time_exceeded, unreachable, too_big, parameter_problem, echo_reply, udp, tcp, udplite, dccp, raw, other
	ICMPType         *int        `json:"icmp_type"`          // ICMP and ICMPv6 only
	ICMPCode         *int        `json:"icmp_code"`          // ICMP and ICMPv6 only
	TTL              *int        `json:"ttl"`                // or hop limit, as received
	TOS              *int        `json:"tos"`                // or traffic class
	IPID             *int        `json:"ip_id"`              // null for IPv6
	SizeBytes        *int        `json:"size_bytes"`         // whole IP length
	NextHopMTUBytes  *uint32     `json:"next_hop_mtu_bytes"` // too_big only; 0: the router did not tell
	TCPFlags         []string    `json:"tcp_flags"`          // fin, syn, rst, psh, ack, urg, ece, cwr
	Verdict          string      `json:"verdict"`            // exact, rewritten, truncated, fragment, encapsulated, translated
	Rule             string      `json:"rule"`               // by which it was attributed to the probe
	Anomalies        []string    `json:"anomalies"`          // all that is odd about it
	Rewritten        []string    `json:"rewritten"`          // those of them that are quoted fields that differ from what was sent
	Quote            *Quote      `json:"quote"`              // what an ICMP error brought back; null for other replies
	Extensions       *Extensions `json:"extensions"`         // RFC 4884; null when there are none

	QuoteChanges []QuoteChange `json:"quote_changes"` // all that differs in it from what was sent; empty without --quotes
}

// Quote is the part of the probe that an ICMP error carries.
type Quote struct {
	QuotedBytes int         `json:"quoted_bytes"` // how many came back, IP header included
	LengthBytes int         `json:"length_bytes"` // whole IP length, as quoted
	TTL         int         `json:"ttl"`          // as quoted: 1 where every router behaves
	TOS         int         `json:"tos"`
	IPID        *int        `json:"ip_id"` // null for IPv6
	Source      *netip.Addr `json:"source"`
	Destination *netip.Addr `json:"destination"`
}

// Extensions is an RFC 4884 extension structure.
type Extensions struct {
	Hex       string   `json:"hex"`       // all of it, header included
	Valid     bool     `json:"valid"`     // version, checksum and object lengths are right
	Compliant bool     `json:"compliant"` // the message's length field led to it; else it was found at 128 bytes
	Objects   []Object `json:"objects"`   // empty when not valid
}

// Object is one extension object.
type Object struct {
	Class     int        `json:"class"`
	Type      int        `json:"type"`
	DataHex   string     `json:"data_hex"`
	MPLS      []Label    `json:"mpls"`      // entries of a class 1, type 1 object, RFC 4950
	Interface *Interface `json:"interface"` // what a class 2 object says, RFC 5837; null for others and broken ones
}

// Interface is what a router tells of one of its interfaces.
type Interface struct {
	Role     string      `json:"role"`    // incoming, incoming_sub, outgoing, next_hop
	Index    *uint32     `json:"index"`   // ifIndex
	Address  *netip.Addr `json:"address"` // null when not told, like the others
	Name     *string     `json:"name"`
	MTUBytes *uint32     `json:"mtu_bytes"`
}

// Label is one entry of an MPLS label stack, from the top.
type Label struct {
	Label  uint32 `json:"label"`
	Exp    int    `json:"exp"`
	Bottom bool   `json:"bottom"`
	TTL    int    `json:"ttl"`
}

// Counts balance: sent = answered + expired + in_flight, received = matched +
// duplicate + late + stray, and received is the sum of verdicts too. Probes that
// were too big to leave are in none of them.
type Counts struct {
	Sent     uint64 `json:"sent"`
	Answered uint64 `json:"answered"`
	Expired  uint64 `json:"expired"`
	InFlight uint64 `json:"in_flight"` // when the run stopped

	Received     uint64         `json:"received"` // frames that passed the filter
	Matched      uint64         `json:"matched"`
	Duplicate    uint64         `json:"duplicate"`
	Late         uint64         `json:"late"`
	Stray        uint64         `json:"stray"`         // sum of stray_reasons
	StrayReasons []StrayReason  `json:"stray_reasons"` // those that occurred
	Verdicts     []VerdictCount `json:"verdicts"`      // those that occurred
	KernelDrops  uint64         `json:"kernel_drops"`  // frames that found no room in the receive ring
}

// VerdictCount counts the replies with one verdict.
type VerdictCount struct {
	Verdict string `json:"verdict"`
	Count   uint64 `json:"count"`
}

// StrayReason counts the replies that belong to no probe for one reason.
type StrayReason struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}
