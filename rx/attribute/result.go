package attribute

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Class says what a captured packet is.
type Class uint8

// The classes.
const (
	Other Class = iota // neither: Result.Reason says why
	Probe              // a packet that may be quoted or answered
	Reply              // an ICMP error or a direct answer: Result.Verdict
	Copy               // a packet that was captured before, on another link
)

// String gives the class in one lower-case word.
func (c Class) String() string { return name(classNames[:], int(c)) }

var classNames = [...]string{"other", "probe", "reply", "copy"}

// Reason says why a packet is neither probe nor reply.
type Reason uint8

// The reasons.
const (
	ReasonNone      Reason = iota
	ReasonNotIP            // handed in empty
	ReasonHeader           // the IP header is cut or contradicts itself
	ReasonMulticast        // to many: never answered by an ICMP error (RFC 1122 section 3.2.2)
	ReasonICMP             // ICMP that neither asks, answers nor quotes, such as neighbour discovery
	reasons
)

// Reasons is how many reasons there are.
const Reasons = int(reasons)

// String gives the reason in one lower-case word.
func (r Reason) String() string { return name(reasonNames[:], int(r)) }

var reasonNames = [Reasons]string{"none", "not-ip", "header", "multicast", "icmp"}

// Verdict says what became of a reply. Those up to Duplicate name a cause.
type Verdict uint8

// The verdicts.
const (
	Exact Verdict = iota
	Rewritten
	Translated
	Encapsulated
	Fragment
	Truncated
	Late
	Duplicate
	Ambiguous
	Malformed
	Spoofed
	Foreign
	Stray
	verdicts
)

// Verdicts is how many verdicts there are.
const Verdicts = int(verdicts)

// String gives the verdict in one lower-case word.
func (v Verdict) String() string { return name(verdictNames[:], int(v)) }

// Attributed tells whether the reply has a cause.
func (v Verdict) Attributed() bool { return v <= Duplicate }

var verdictNames = [Verdicts]string{
	"exact", "rewritten", "translated", "encapsulated", "fragment", "truncated", "late",
	"duplicate", "ambiguous", "malformed", "spoofed", "foreign", "stray",
}

// Meaning describes the verdict in one line.
func (v Verdict) Meaning() string {
	switch v {
	case Exact:
		return "first reply to a probe, quoted as it was sent"
	case Rewritten:
		return "first reply to a probe, quoted fields differ from what was sent"
	}
	k, _ := anomaly.Find(v.String())
	return k.Meaning
}

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "invalid"
}

// Result is what Tracker.Packet found out. Its slices are valid until the next
// call.
type Result struct {
	Class  Class
	Reason Reason // for Other
	Number uint64 // of the packet, from 1
	At     time.Duration

	// For replies. A direct answer quotes nothing.
	Verdict Verdict
	Flags   anomaly.Flag
	Reply   frame.Reply
	Target  netip.Addr     // where the quoted packet was headed, or who answered; may be the zero Addr
	Rule    string         // by which the cause was found
	Report  anomaly.Report // quote against cause
	RTT     time.Duration
	Nth     int // of the replies to the cause, from 1
	Cause   Cause
}

// Cause is the packet that a reply is about.
type Cause struct {
	Number   uint64 // of the packet; 0 for none
	At       time.Duration
	Src, Dst netip.Addr
	Protocol uint8 // ICMPv6 as 1, as ICMP
	TTL      uint8
	SrcPort  uint16 // the identifier for ICMP
	DstPort  uint16 // the type for ICMP
	Size     int    // whole IP length, as it says
	Bytes    []byte // as much of it as was kept
}
