package scamper

import (
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Stop reasons of scamper, as warts numbers them.
const (
	stopNone      = 0
	stopCompleted = 1
	stopUnreach   = 2
	stopGapLimit  = 5
	stopHopLimit  = 7
	stopHalted    = 9
)

var stopNames = map[uint8]string{
	stopNone: "NONE", stopCompleted: "COMPLETED", stopUnreach: "UNREACH",
	stopGapLimit: "GAPLIMIT", stopHopLimit: "HOPLIMIT", stopHalted: "HALTED",
}

// Trace types, as warts numbers them. Flows stay constant in surveys, so that
// UDP and ICMP are the Paris kinds.
const (
	typeTCP       = 3
	typeICMPParis = 4
	typeUDPParis  = 5
	typeTCPAck    = 6
)

var typeNames = map[uint8]string{
	typeTCP: "tcp", typeICMPParis: "icmp-echo-paris", typeUDPParis: "udp-paris", typeTCPAck: "tcp-ack",
}

// view is a trace as scamper sees it.
type view struct {
	kind     uint8
	stop     uint8
	stopData uint8 // ICMP code of stopUnreach
	start    time.Time
	hopCount uint16
	probes   uint16
	// replies are those to TTLs up to hopCount: scamper sends none behind a
	// target that answered, and its readers refuse a trace that has some.
	replies []record.Reply
}

func newView(run *record.Run, t *record.Trace) view {
	v := view{kind: kindOf(run), start: run.Start.Add(t.Start()), hopCount: uint16(t.Hops())}
	switch t.Stop {
	case record.Reached:
		v.stop = stopCompleted
	case record.Unreachable:
		v.stop = stopUnreach
	case record.GapLimit:
		v.stop = stopGapLimit
	case record.MaxTTL:
		v.stop = stopHopLimit
	case record.Unfinished:
		v.stop = stopHalted
	}
	if v.stop != stopCompleted {
		for _, p := range t.Probes {
			v.hopCount = max(v.hopCount, uint16(p.TTL))
		}
	}
	if v.stop == stopUnreach {
		v.stopData = unreachableCode(t)
	}
	v.replies = t.Replies
	for i := range t.Replies {
		if uint16(t.Replies[i].TTL) > v.hopCount {
			v.replies = t.Replies[:i]
			break
		}
	}
	v.probes = uint16(min(max(len(t.Probes), answered(t)), 1<<16-1))
	return v
}

// answered is how many probes got a reply: what is known of a run that keeps
// no account of what it sent.
func answered(t *record.Trace) int {
	n := 0
	for i := range t.Replies {
		if i == 0 || t.Replies[i].TTL != t.Replies[i-1].TTL || t.Replies[i].Attempt != t.Replies[i-1].Attempt {
			n++
		}
	}
	return n
}

// unreachableCode is the code of the error that ended the trace.
func unreachableCode(t *record.Trace) uint8 {
	for i := range t.Replies {
		if r := &t.Replies[i]; r.Final() && r.Kind.IsError() {
			return r.Code
		}
	}
	return 0
}

func kindOf(run *record.Run) uint8 {
	switch {
	case run.Method == frame.ICMP:
		return typeICMPParis
	case run.Method == frame.TCP && run.TCPFlags&frame.FlagACK != 0:
		return typeTCPAck
	case run.Method == frame.TCP:
		return typeTCP
	}
	return typeUDPParis
}

// sent is when the probe of a reply left.
func sent(run *record.Run, r *record.Reply) time.Time { return run.Start.Add(r.At - r.RTT) }

// seconds is a wait as scamper gives it, in whole seconds.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
