package rx

import (
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// Origin is what is remembered of a probe besides its tag.
type Origin struct {
	Dst  netip.Addr
	TTL  uint8
	Sent time.Duration // since the epoch
}

// Match is what the table found out about one reply.
type Match struct {
	Verdict Verdict
	Reason  Reason        // where the reply belongs to no probe
	Flags   anomaly.Flag  // all that is odd about it
	Rule    RuleID        // by which it was attributed
	Tag     int           // of the probe; -1 for none
	RTT     time.Duration // since that probe was sent, at least 1 ns; 0 for none
	At      time.Duration // receive time since the epoch
	Origin  Origin        // the probe; zero for none
	Nth     int           // of the replies to the probe, from 1; 0 for none
	Reply   *frame.Reply  // as handed in, and valid only as long as that one
	// Evidence is what the reply and the probe have in common.
	Evidence Evidence
	// Sent is the probe that an error quotes as it left, from its IP header on:
	// for Compare. It is set where the table compares whole packets (Whole), and
	// valid until the next call.
	Sent []byte
	// Ambiguous notes that the reply belongs to one of several probes in flight,
	// which nothing in it tells apart: their destination and flow are certain,
	// Tag, RTT and the rest of Origin are those of the likeliest. Only direct
	// answers are so.
	Ambiguous bool
	// Local is Packet.Local, which the table is not told: it clears Local and
	// who calls Match sets it.
	Local bool
}

// Quoted is the quote of an error as it came, from its IP header on; nil for
// other replies.
func (m *Match) Quoted() []byte {
	r := m.Reply
	if r == nil || !r.Kind.IsError() {
		return nil
	}
	return r.Body[:min(r.Quote.Bytes, len(r.Body))]
}

// Compare fills report with every quoted field that differs from what was sent,
// and tells whether both are known.
func (m *Match) Compare(report *anomaly.Report) bool {
	quote := m.Quoted()
	if len(m.Sent) == 0 || len(quote) == 0 {
		return false
	}
	report.Compare(m.Sent, quote)
	return true
}
