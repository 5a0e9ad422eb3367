package rx

import "errors"

// Verdict says what a reply is to the table.
type Verdict uint8

// The verdicts. Those from Exact on name a probe; all of them but Duplicate and
// Late are its first reply.
const (
	Stray     Verdict = iota // answers no probe of ours; Match.Reason says why
	Foreign                  // quotes a packet that is none of ours: another program's, or long forgotten
	Spoofed                  // the addresses and ports are a probe's, and what nobody can guess is not: forged, or of another run
	Malformed                // the reply or its quote contradicts itself
	Ambiguous                // what came back fits several probes equally well

	Exact        // first reply to a probe in flight, quoted as it was sent
	Rewritten    // the same, but fields that routers leave alone differ: Match.Flags
	Truncated    // the same, but too little came back to compare ports
	Fragment     // the same, and a later fragment came back
	Encapsulated // the same, and the probe is quoted inside something else
	Translated   // the same, and the quote is of the other IP version
	Duplicate    // a further reply to an answered probe: the Match.Nth
	Late         // a reply to an expired probe
	// Undecided is the first reply to one of several probes in flight, and does not
	// tell to which: Match.Ambiguous. The target and that it answered are certain,
	// the probe's TTL is likely, and the RTT may be another's.
	Undecided
	verdicts
)

// Verdicts is how many verdicts there are.
const Verdicts = int(verdicts)

// First tells whether the reply is the first to a probe in flight.
func (v Verdict) First() bool { return v >= Exact && v <= Translated || v == Undecided }

// Attributed tells whether the reply belongs to a probe.
func (v Verdict) Attributed() bool { return v >= Exact && v < verdicts }

// String gives the verdict in one lower-case word, the name of its anomaly
// where there is one.
func (v Verdict) String() string { return name(verdictNames[:], int(v)) }

var verdictNames = [Verdicts]string{
	Stray: "stray", Foreign: "foreign", Spoofed: "spoofed", Malformed: "malformed", Ambiguous: "ambiguous",
	Exact: "exact", Rewritten: "rewritten", Truncated: "truncated", Fragment: "fragment",
	Encapsulated: "encapsulated", Translated: "translated", Duplicate: "duplicate", Late: "late", Undecided: "undecided",
}

// Reason says why a reply belongs to no probe.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	ReasonNone      Reason = iota // it belongs to one
	ReasonNoKey                   // no kind of reply, or a quote of a protocol we don't probe with
	ReasonTruncated               // ends early, or quotes too little
	ReasonMalformed               // its header or the quoted one contradicts itself
	ReasonFragment                // it or the quote is a later fragment
	ReasonChecksum                // its own checksum is wrong
	ReasonKind                    // redirect, source quench, other ICMP messages
	ReasonUnknown                 // no probe has such an identity
	ReasonAmbiguous               // what came back of the identity fits several probes
	ReasonAddress                 // the ports are a probe's, the addresses aren't
	ReasonCheck                   // the addresses are too, but not identification, checksum, sequence or acknowledgment number
	reasons
)

// Reasons is how many reasons there are, ReasonNone included.
const Reasons = int(reasons)

// String gives the reason in one lower-case word.
func (r Reason) String() string { return name(reasonNames[:], int(r)) }

var reasonNames = [Reasons]string{
	ReasonNone: "none", ReasonNoKey: "no-key", ReasonTruncated: "truncated",
	ReasonMalformed: "malformed", ReasonFragment: "fragment", ReasonChecksum: "checksum",
	ReasonKind: "kind", ReasonUnknown: "unknown", ReasonAmbiguous: "ambiguous", ReasonAddress: "address",
	ReasonCheck: "check",
}

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "invalid"
}

// Ticket names a probe between the moment it is given its identity and the one
// it leaves.
type Ticket uint64

// ErrBusy is the error of giving a probe an identity while every one is taken by
// probes in flight.
var ErrBusy = errors.New("every identity is in flight")
