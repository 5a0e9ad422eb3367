package survey

import (
	"fmt"
	"net/netip"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler/survey/permutation"
)

// Targets are addresses by index. Package space has some.
type Targets interface {
	Len() uint64
	At(i uint64) netip.Addr // below Len
}

// Limits of a Config.
const (
	MaxTTL      = 255
	MaxFlows    = 1 << 10
	MaxAttempts = 1 << 4
)

// Config describes one survey.
type Config struct {
	Targets Targets
	// Probe4 and Probe6 are what the probes to the targets of each family share;
	// Dst, TTL, Label and what tells flows apart are filled in. That is the
	// source port: SrcPort for the first flow, Stride more for each further one; for
	// ICMP it is the checksum Sum, in the same way.
	Probe4, Probe6 frame.Probe
	Stride         int // between source ports; 0 means 1

	First, Max uint8 // TTLs, 1..MaxTTL
	Flows      int   // for each target, 1..MaxFlows; 0 means 1
	Attempts   int   // probes for a TTL and flow until one is answered, 1..MaxAttempts; 0 means 1. Random sends 1
	GapLimit   int   // Adaptive: silent TTLs in a row that end a trace; 0 for none
	Start      uint8 // Adaptive: first TTL while no distance is known; 0 means 16

	// Backoff spaces out the probes to routers that limit their errors.
	Backoff bool

	Key uint64 // decides the order
	// Shard of Shards takes its part of the targets, or of Random's probes:
	// 0..Shards-1. Shards 0 means 1.
	Shard, Shards uint64

	// Reply is told of every reply to a probe, duplicates and late ones included.
	Reply func(*Reply)
	// Finish is told when no more of a target and flow will come, other than
	// duplicates and late replies; nil for none. Random never calls it, and Full
	// says LastTTL whatever came: the replies tell more.
	Finish func(Trace, Stop)
}

// Trace names a target's flow.
type Trace struct {
	Target uint64 // index
	Flow   int    // 0..Flows-1
}

// Reply is a reply to a probe. It is valid during the call only.
type Reply struct {
	Trace
	Addr    netip.Addr // of the target
	TTL     uint8
	Attempt int // 0 for the first
	Match   *rx.Match
}

// Stop says why a trace goes no farther.
type Stop uint8

// The reasons.
const (
	Unfinished  Stop = iota // the run ended first
	Reached                 // the target answered
	Unreachable             // a router refused to go on
	GapLimit                // too many silent TTLs in a row
	LastTTL                 // the greatest TTL was probed and the target did not answer
)

// plan is what the strategies share.
type plan struct {
	Config
	ttls    uint64
	flows   uint64
	targets uint64 // of this shard
	order   *permutation.Permutation
	back    *backoff    // nil for none
	probe   frame.Probe // scratch
	reply   Reply       // scratch
}

// newPlan checks a Config. Points of the order are targets, or with each their
// flows and TTLs too.
func newPlan(cfg Config, points bool) (*plan, error) {
	for _, n := range []*int{&cfg.Flows, &cfg.Attempts, &cfg.Stride} {
		if *n == 0 {
			*n = 1
		}
	}
	cfg.Shards = max(cfg.Shards, 1)
	switch {
	case cfg.First < 1 || cfg.Max < cfg.First:
		return nil, fmt.Errorf("TTLs %d to %d: allowed are 1 to %d", cfg.First, cfg.Max, MaxTTL)
	case cfg.Flows < 1 || cfg.Flows > MaxFlows:
		return nil, fmt.Errorf("%d flows: allowed are 1 to %d", cfg.Flows, MaxFlows)
	case cfg.Attempts < 1 || cfg.Attempts > MaxAttempts:
		return nil, fmt.Errorf("%d attempts: allowed are 1 to %d", cfg.Attempts, MaxAttempts)
	case cfg.Shard >= cfg.Shards:
		return nil, fmt.Errorf("shard %d of %d: the first is 0", cfg.Shard, cfg.Shards)
	}
	p := &plan{Config: cfg, ttls: uint64(cfg.Max-cfg.First) + 1, flows: uint64(cfg.Flows)}
	n, each, most := cfg.Targets.Len(), p.flows, uint64(maxTraces)
	if points {
		each, most = p.flows*p.ttls, permutation.MaxLen
	}
	if n > most/each {
		return nil, fmt.Errorf("%d targets with %d traces or probes each: %d in all are possible", n, each, most)
	}
	p.targets = share(n, cfg.Shard, cfg.Shards)
	if cfg.Backoff {
		p.back = newBackoff()
	}
	if points {
		n *= each
	}
	var err error
	p.order, err = permutation.New(n, cfg.Key)
	return p, err
}

// share is how many of n places a shard has.
func share(n, shard, shards uint64) uint64 {
	return (n + shards - 1 - shard) / shards
}

// A tag is the number of a trace, the attempt and the TTL. Numbers of traces
// count the flows of one target up. A tag has 48 bits (rx.MaxTag).
const maxTraces = 1 << 36

func makeTag(trace uint64, attempt int, ttl uint8) int {
	return int(trace<<12 | uint64(attempt)<<8 | uint64(ttl))
}

func splitTag(tag int) (trace uint64, attempt int, ttl uint8) {
	return uint64(tag) >> 12, tag >> 8 & 0xf, uint8(tag)
}

// fill makes p.probe that of a target, flow and TTL.
func (p *plan) fill(target, flow uint64, ttl uint8) *frame.Probe {
	dst := p.Targets.At(target)
	if dst.Is6() {
		p.probe = p.Probe6
		p.probe.Label = label(p.Key, target, flow)
	} else {
		p.probe = p.Probe4
	}
	p.probe.Dst, p.probe.TTL = dst, ttl
	if p.probe.Method == frame.ICMP {
		p.probe.Sum += uint16(flow)
	} else {
		p.probe.SrcPort += uint16(flow) * uint16(p.Stride)
	}
	return &p.probe
}

// label is the IPv6 flow label of a target's flow.
func label(key, target, flow uint64) uint32 {
	x := (key ^ target*0x9e3779b97f4a7c15 ^ flow) * 0xbf58476d1ce4e5b9
	return uint32((x ^ x>>31) * 0x94d049bb133111eb >> 44)
}

// tell passes a reply on.
func (p *plan) tell(t Trace, attempt int, ttl uint8, m *rx.Match) {
	if p.back != nil && settles(m) && m.Reply.Kind == frame.KindTimeExceeded {
		p.back.answered(m.Reply.From, m.Origin.Dst, ttl, m.Origin.Sent)
	}
	p.reply = Reply{Trace: t, Addr: m.Origin.Dst, TTL: ttl, Attempt: attempt, Match: m}
	p.Reply(&p.reply)
}

// settles tells whether a reply is the first to a probe in flight.
func settles(m *rx.Match) bool { return m.Verdict.First() }
