package rx

import (
	"math/bits"
	"strings"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Evidence is what a reply and a probe have in common.
type Evidence uint16

// The pieces of evidence. Of direct answers Source is the address they came
// to, Destination the one they came from.
const (
	Source Evidence = 1 << iota
	// Destination may be any gateway of a source route. Behind a translator
	// the IPv4 address inside the IPv6 one counts, and for Source too.
	Destination
	SourcePort      // or the echo identifier
	DestinationPort // or the echo sequence
	// Identity is the IPv4 identification, and the Mark of a PayloadMark where
	// it came back; over IPv6 the Mark alone.
	Identity
	// NearIdentity is an identification with its bytes swapped or one more.
	NearIdentity
	// NoIdentity is one of zero; over IPv6 a quote that ends before the Mark,
	// under the flow label that was sent.
	NoIdentity
	// Word is the sequence number of TCP; the checksum of the others, as it was
	// sent or as the other changes make it. Of direct answers it is the number
	// they acknowledge, or the Mark of an echo reply.
	Word
	// NoWord is a checksum of zero or of the pseudo-header alone, or an echo
	// reply without the Mark.
	NoWord
	Short        // fewer than 8 transport bytes came back, and more were sent
	Later        // a later fragment came back
	OtherVersion // the quote is of the other IP version
	// Unkeyed means that the probe itself has nothing but its identification that
	// nobody can guess: it had no room.
	Unkeyed
)

var evidenceNames = [...]string{
	"source", "destination", "source port", "destination port", "identity", "near identity", "no identity",
	"word", "no word", "short", "later fragment", "other version", "unkeyed",
}

// String lists the pieces with " + " between; both addresses and both ports are
// the flow.
func (e Evidence) String() string {
	var b strings.Builder
	if e&flowOnly == flowOnly {
		b.WriteString("flow")
		e &^= flowOnly
	}
	for rest := e; rest != 0; rest &= rest - 1 {
		if b.Len() > 0 {
			b.WriteString(" + ")
		}
		b.WriteString(name(evidenceNames[:], bits.TrailingZeros16(uint16(rest))))
	}
	return b.String()
}

const (
	addresses = Source | Destination
	ports     = SourcePort | DestinationPort
	flowOnly  = addresses | ports
	// identified is what all echo requests to a destination have in common.
	identified = addresses | SourcePort
)

// weight is the evidence for one probe, and how many of the bits that agree
// nobody can guess.
type weight struct {
	have Evidence
	bits uint8
	sum  anomaly.Flag // how the quoted transport checksum stands to the sent one
}

// secrets is how many bits of each piece nobody can guess.
type secrets struct{ port, identity, word uint8 }

// markBits is how many a Mark has, which comes on top of an identification;
// labelBits how many a flow label has, which is drawn at random for a run or a
// flow at least.
const (
	markBits  = 32
	labelBits = 20
)

// same tells whether the quote agrees with the probe of its key in everything
// that tells probes apart, as nearly all do.
func (e *entry) same(q *frame.Quote) bool {
	if q.Src != e.src || q.Dst != e.dst || q.Fragment || q.Transport < minTransport {
		return false
	}
	if !e.v6 && q.ID != e.id {
		return false
	}
	switch {
	case e.method == frame.TCP:
		if q.Seq != e.seq {
			return false
		}
	case e.summed && q.Checksum != e.sum:
		return false
	case e.method == frame.DCCP && q.Transport >= dccpSeqEnd && q.Seq != e.seq:
		return false
	}
	return !e.marked || q.Mark == e.mark || !e.v6 && q.Transport < markEnd
}

// minTransport is how many bytes behind the IP header every router quotes, RFC
// 792; markEnd is where a PayloadMark ends.
const (
	minTransport = 8
	markEnd      = 12
)

// weigh compares the quote with the probe.
func (e *entry) weigh(q *frame.Quote, route *frame.Route) weight {
	var w weight
	if !e.speaks(q) {
		return w
	}
	if e.secrets.word == 0 && e.secrets.port == 0 && !e.marked {
		w.have |= Unkeyed
	}
	cross := q.Src.Is4() == e.v6
	if cross {
		w.have |= OtherVersion
	}
	if q.Src == e.src || cross && anomaly.Tail(q.Src) == anomaly.Tail(e.src) {
		w.have |= Source
	}
	if q.Dst == e.dst || route != nil && e.routed && route.Passes(q.Dst) || cross && anomaly.Tail(q.Dst) == anomaly.Tail(e.dst) {
		w.have |= Destination
	}
	if !cross {
		e.weighIdentity(q, &w)
	} else if e.marked && q.Transport >= markEnd && !q.Fragment && q.Mark == e.mark {
		w.have |= Identity // identification and flow label have no place in the other version
		w.bits += markBits
	}
	switch {
	case q.Fragment:
		w.have |= Later
	case q.Transport < minTransport:
		if q.Length > q.Bytes {
			w.have |= Short
		}
	default:
		e.weighPorts(q, &w)
		e.weighWord(q, &w)
	}
	return w
}

// speaks tells whether the quote is of the probe's protocol.
func (e *entry) speaks(q *frame.Quote) bool {
	if q.Method != 0 {
		return q.Method == e.method
	}
	// A transport header without method is of another ICMP message than ours.
	return q.Protocol == e.protocol && (q.Fragment || q.Transport == 0)
}

func (e *entry) weighIdentity(q *frame.Quote, w *weight) {
	returned := e.marked && q.Transport >= markEnd && !q.Fragment
	marked := returned && q.Mark == e.mark
	switch {
	case returned && !marked:
	case e.v6 && !e.marked:
		w.have |= Identity // it has none that could differ
	case e.v6 && !marked:
		if q.Label == e.label {
			w.have |= NoIdentity
			if e.label != 0 {
				w.bits += labelBits
			}
		}
	case e.v6, q.ID == e.id:
		w.have |= Identity
		w.bits += e.secrets.identity
		if marked && !e.v6 {
			w.bits += markBits
		}
	case q.ID == bits.ReverseBytes16(e.id), q.ID == e.id+1:
		w.have |= NearIdentity
	case q.ID == 0:
		w.have |= NoIdentity
	}
	if w.have&Identity == 0 && marked && !e.v6 {
		w.bits += markBits
	}
}

func (e *entry) weighPorts(q *frame.Quote, w *weight) {
	src, dst := q.SrcPort, q.DstPort
	if q.Method == frame.ICMP {
		dst = uint16(q.Seq)
	}
	if src == uint16(e.key>>16) {
		w.have |= SourcePort
	}
	if dst == uint16(e.key) {
		w.have |= DestinationPort
		w.bits += e.secrets.port
	}
}

func (e *entry) weighWord(q *frame.Quote, w *weight) {
	switch {
	case e.method == frame.TCP:
		if q.Seq != e.seq {
			return
		}
	case e.method == frame.DCCP && q.Transport >= dccpSeqEnd && q.Seq != e.seq:
		return
	case e.summed:
		var agrees bool
		if w.sum, agrees = e.compareSum(q, w.have); !agrees {
			if w.sum == anomaly.ChecksumZero || w.sum == anomaly.ChecksumPartial {
				w.have |= NoWord
			}
			return
		}
	}
	w.have |= Word
	w.bits += e.secrets.word
}

// weighAnswer compares a direct answer with the probe of its key.
func (e *entry) weighAnswer(r *frame.Reply) weight {
	w := weight{have: ports, bits: e.secrets.port}
	if r.To == e.src {
		w.have |= Source
	}
	if r.From == e.dst {
		w.have |= Destination
	}
	switch {
	case r.HasAck():
		if !e.acknowledged(r.Ack) {
			return w
		}
		w.bits += e.secrets.word
	case r.Kind == frame.KindEchoReply && e.marked:
		if !r.Marked {
			w.have |= NoWord
			return w
		}
		if r.Mark != e.mark {
			return w
		}
		w.bits += markBits
	}
	w.have |= Word
	return w
}
