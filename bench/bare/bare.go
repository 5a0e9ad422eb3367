// Package bare is the physical limit that the engine is measured against: a
// sender and a receive ring with one template, and replies that find their
// probe's place by IP identification; no targets, no strategy, no output.
package bare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/hopquote/hopquote/bench/transmit"
	"github.com/hopquote/hopquote/bench/usage"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/frame/link"
	"github.com/hopquote/hopquote/rx"
)

// Config says what to send.
type Config struct {
	Destination netip.Addr
	Sender      transmit.Kind
	Probes      uint64
	Rate        float64 // probes a second; 0: as fast as it goes
	Hops        int     // TTLs 1..Hops take turns
}

// Result is what came of it.
type Result struct {
	Sent    uint64 `json:"sent"`
	Matched uint64 `json:"matched"`
	Strays  uint64 `json:"strays"` // replies of other probes, or to none in flight
	Refused uint64 `json:"refused"`
	Drops   uint64 `json:"drops"` // by the ring
	Frozen  uint64 `json:"frozen"`
	// TookNS is from the first probe to the last reply.
	TookNS int64 `json:"took_ns"`
	// RTTs by the kernel's receive time, and how long replies then took to be
	// matched, both at the median and at 99 of 100.
	RTT50     int64 `json:"rtt_p50_ns"`
	RTT99     int64 `json:"rtt_p99_ns"`
	Latency50 int64 `json:"latency_p50_ns"`
	Latency99 int64 `json:"latency_p99_ns"`
	Peak      int64 `json:"peak_bytes"` // resident set
}

// Run sends the probes and takes the replies, in the network namespace of the
// calling thread.
func Run(ctx context.Context, c Config) (r Result, err error) {
	e, err := link.Lookup(link.Want{Dst: c.Destination, Protocol: protoUDP, DstPort: dstPort})
	if err != nil {
		return r, err
	}
	l := &loop{config: c, probe: frame.Probe{
		Method: frame.UDP, Src: e.Src, Dst: e.Dst, Size: probeSize, SrcPort: srcPort, DstPort: dstPort,
	}}
	if l.template, err = frame.NewTemplate(e.Header, &l.probe); err != nil {
		return r, err
	}
	if l.ring, err = openRing(&e); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.ring.Close()) }()
	if l.out, err = c.Sender.Open(e); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.out.Close()) }()
	l.header = e.Header.Type.HeaderLen()
	l.source, l.destination = e.Src.As4(), e.Dst.As4()
	if err := l.run(ctx); err != nil {
		return r, err
	}
	return l.result()
}

const (
	protoUDP  = 17
	srcPort   = 40000
	dstPort   = 33434
	probeSize = 60
)

// The ring is one for surveys: large blocks that are handed over late.
const (
	blockSize = 256 << 10
	blocks    = 64
	retire    = 10 * time.Millisecond
)

func openRing(e *link.Envelope) (*rx.Ring, error) {
	filter, err := rx.FilterSpec{Link: e.Header.Type, Local: e.Src, Target: e.Dst, Method: frame.UDP}.Program()
	if err != nil {
		return nil, err
	}
	return rx.OpenRing(rx.RingConfig{
		Interface: &net.Interface{Index: e.Interface.Index, Name: e.Interface.Name},
		Link:      e.Header.Type, Filter: filter, BlockSize: blockSize, Blocks: blocks, Retire: retire,
	})
}

func (l *loop) result() (Result, error) {
	r := Result{Sent: l.sent, Matched: l.matched, Strays: l.strays, Refused: l.refused, TookNS: int64(l.took)}
	var err error
	if r.Drops, err = l.ring.Drops(); err != nil {
		return r, err
	}
	if r.Frozen, err = l.ring.Frozen(); err != nil {
		return r, err
	}
	r.RTT50, r.RTT99 = l.rtts.middle()
	r.Latency50, r.Latency99 = l.latencies.middle()
	r.Peak = usage.Peak(os.Getpid())
	return r, nil
}

// Write writes the result as a line of JSON, for the process that started us.
func (r *Result) Write(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// Read reads what Write wrote.
func Read(text []byte) (r Result, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read the result of the bare loop: %w", err)
	}
	return r, nil
}
