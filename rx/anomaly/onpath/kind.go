package onpath

import (
	"strings"

	"github.com/hopquote/hopquote/rx/anomaly"
)

// Kind says what a change of packets is. Findings of one hop come in this order.
type Kind uint8

// The kinds.
const (
	NAT Kind = iota
	Translation
	Tunnel
	TTL
	TOS
	Identification
	Fragmentation
	Options
	Label
	MSS
	TCPOptions
	TCP
	Checksum
	Payload
	Other
)

// kinds are the kinds with their names, and the fields that they are about. NAT
// is what rows tell: see isNAT.
var kinds = [...]struct {
	name  string
	flags anomaly.Flag
	what  string // "" where the fields decide
}{
	NAT:            {"nat", anomaly.Source | anomaly.Destination | anomaly.SourcePort | anomaly.DestinationPort | anomaly.ChecksumRestored, "NAT"},
	Translation:    {"translation", anomaly.Translated, "IPv4 and IPv6 translated"},
	Tunnel:         {"tunnel", anomaly.Encapsulated, "tunnel"},
	TTL:            {"ttl", anomaly.TTL, "TTL rewritten"},
	TOS:            {"tos", anomaly.DSCP | anomaly.ECN, ""},
	Identification: {"id", anomaly.ID | anomaly.IDZero, ""},
	Fragmentation:  {"fragmentation", anomaly.FragmentBits | anomaly.Length, ""},
	Options:        {"options", anomaly.IPOptions | anomaly.ExtensionHeaders, ""},
	Label:          {"label", anomaly.Label, ""},
	MSS:            {"mss", anomaly.TCPMSS, ""},
	TCPOptions:     {"tcp_options", anomaly.TCPOptions | anomaly.TCPOffset, ""},
	TCP: {"tcp", anomaly.TCPSequence | anomaly.TCPAck | anomaly.TCPFlags | anomaly.TCPWindow | anomaly.TCPUrgent,
		""},
	Checksum: {"checksum", anomaly.Checksum | anomaly.ChecksumZero, ""},
	Payload:  {"payload", anomaly.Payload | anomaly.UDPLength, ""},
	Other:    {"other", 0, ""},
}

// Kinds is how many kinds there are.
const Kinds = len(kinds)

// String gives the kind in one lower-case word, with underscores.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return "invalid"
}

func kindOf(f anomaly.Flag) Kind {
	for k := range kinds {
		if kinds[k].flags&f != 0 {
			return Kind(k)
		}
	}
	return Other
}

// titles are the fields in the words of people.
var titles = map[string]string{
	"dscp": "DSCP", "ecn": "ECN", "id": "IP ID", "length": "IP length", "ip-options": "IP options",
	"extension-headers": "extension headers", "flow-label": "flow label", "tcp-mss": "MSS",
	"tcp-seq": "TCP sequence", "tcp-ack": "TCP acknowledgment", "tcp-flags": "TCP flags", "tcp-window": "TCP window",
	"tcp-urgent": "TCP urgent pointer", "tcp-offset": "TCP header length", "tcp-wscale": "TCP window scale",
	"tcp-sack-permitted": "TCP SACK", "tcp-timestamps": "TCP timestamps", "tcp-mptcp": "MPTCP",
	"tcp-option-order": "TCP option order", "udp-length": "UDP length", "icmp-type": "ICMP type", "icmp-seq": "echo sequence",
}

func title(name string) string {
	if t, ok := titles[name]; ok {
		return t
	}
	return strings.ReplaceAll(name, "-", " ")
}

// words says what became of the fields; bare tells that the whole TOS came back
// as 0.
func (k Kind) words(fields []anomaly.Field, bare bool) string {
	if kinds[k].what != "" {
		return kinds[k].what
	}
	if k == TOS && bare && fields[0].Flag == anomaly.DSCP {
		return "TOS cleared"
	}
	if k == MSS {
		if verb := change(&fields[0]); verb != "rewritten" {
			return "MSS " + verb
		}
		sent, _ := fields[0].Sent.Number()
		if quoted, _ := fields[0].Quoted.Number(); quoted < sent {
			return "MSS clamped"
		}
		return "MSS raised"
	}
	parts := make([]string, len(fields))
	for i := range fields {
		f := &fields[i]
		switch {
		case f.Flag == anomaly.ECN && isNumber(f.Quoted, 3):
			parts[i] = "ECN set to congestion experienced"
		case f.Flag == anomaly.FragmentBits:
			parts[i] = fragmentWords(f)
		default:
			parts[i] = title(f.Name) + " " + change(f)
		}
	}
	return strings.Join(parts, " and ")
}

func fragmentWords(f *anomaly.Field) string {
	sent, _ := f.Sent.Number()
	quoted, _ := f.Quoted.Number()
	switch sent ^ quoted {
	case anomaly.FlagDF:
		if quoted&anomaly.FlagDF != 0 {
			return "DF set"
		}
		return "DF cleared"
	case anomaly.FlagMF:
		if quoted&anomaly.FlagMF != 0 {
			return "fragmented"
		}
		return "reassembled"
	}
	return "fragment bits rewritten"
}

// change is the verb for a field: added, removed, cleared or rewritten.
func change(f *anomaly.Field) string {
	switch {
	case f.Sent.IsAbsent():
		return "added"
	case f.Quoted.IsAbsent():
		return "removed"
	case isNumber(f.Quoted, 0):
		return "cleared"
	}
	return "rewritten"
}

func isNumber(v anomaly.Value, want uint64) bool {
	n, ok := v.Number()
	return ok && n == want
}
