// Package jsonl writes the traces of a survey as JSON, one object in each line.
package jsonl

import (
	"io"
	"net/netip"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
)

// Kind is the format "jsonl": the schema below, an object for each target and
// flow.
var Kind = record.Kind{Name: "jsonl", Help: "a JSON object for every trace", New: start}

// Schema is the value of every object's "schema". A change that readers of the
// old one could trip over makes it another.
const Schema = "hopquote.survey.trace/1"

// Trace is one line, as encoding/json would write it. Every key is always there;
// what is not known is null.
// Offsets count from the run's start, which "run_start" is.
type Trace struct {
	Schema     string     `json:"schema"`
	RunStart   string     `json:"run_start"` // RFC 3339, UTC
	Index      uint64     `json:"index"`     // of the target
	Target     netip.Addr `json:"target"`
	Flow       uint16     `json:"flow"`
	Source     netip.Addr `json:"source"`
	Method     string     `json:"method"`      // udp, icmp or tcp
	SourcePort *uint16    `json:"source_port"` // null for icmp
	TargetPort *uint16    `json:"target_port"` // null for icmp
	EchoID     *uint16    `json:"echo_id"`     // icmp only
	StopReason string     `json:"stop_reason"` // reached, unreachable, gap_limit, max_ttl, unfinished
	Hops       uint8      `json:"hops"`        // the TTL that the target answered to, else the greatest answered
	Probes     []Probe    `json:"probes"`      // that got no reply; none are known in mode random
	Replies    []Reply    `json:"replies"`     // by TTL, attempt and time
}

// Probe is a probe without a reply.
type Probe struct {
	TTL          uint8 `json:"ttl"`
	Attempt      uint8 `json:"attempt"`
	SentOffsetNS int64 `json:"sent_offset_ns"`
}

// Reply is a reply, with the probe that it answers.
type Reply struct {
	TTL              uint8       `json:"ttl"`
	Attempt          uint8       `json:"attempt"`
	Verdict          string      `json:"verdict"` // exact, rewritten, duplicate, late
	Responder        netip.Addr  `json:"responder"`
	RTTNS            int64       `json:"rtt_ns"`
	ReceivedOffsetNS int64       `json:"received_offset_ns"`
	Kind             string      `json:"kind"`
	ICMPType         *uint8      `json:"icmp_type"`
	ICMPCode         *uint8      `json:"icmp_code"`
	TCPFlags         *uint8      `json:"tcp_flags"`
	ReplyTTL         uint8       `json:"reply_ttl"`
	ReplyTOS         uint8       `json:"reply_tos"`
	IPID             *uint16     `json:"ip_id"` // null for IPv6
	SizeBytes        int         `json:"size_bytes"`
	NextHopMTUBytes  *uint32     `json:"next_hop_mtu_bytes"` // too_big only
	Quote            *Quote      `json:"quote"`
	Rewritten        []string    `json:"rewritten"`
	MPLS             []MPLSLabel `json:"mpls"` // RFC 4950
}

// Quote is what came back of the probe.
type Quote struct {
	QuotedBytes int   `json:"quoted_bytes"`
	LengthBytes int   `json:"length_bytes"`
	TTL         uint8 `json:"ttl"`
	TOS         uint8 `json:"tos"`
}

// MPLSLabel is one entry of a label stack.
type MPLSLabel struct {
	Label  uint32 `json:"label"`
	Exp    uint8  `json:"exp"`
	Bottom bool   `json:"bottom"`
	TTL    uint8  `json:"ttl"`
}

type writer struct {
	w    io.Writer
	run  *record.Run
	head []byte // of every line
	line []byte
}

func start(w io.Writer, run *record.Run) (record.Writer, error) {
	head := `{"schema":"` + Schema + `","run_start":"` + run.Start.UTC().Format(time.RFC3339Nano) + `","index":`
	return &writer{w: w, run: run, head: []byte(head), line: make([]byte, 0, 8<<10)}, nil
}

// Close has nothing to write.
func (w *writer) Close(*record.End) error { return nil }

// Trace writes one line.
func (w *writer) Trace(t *record.Trace) error {
	w.line = append(w.appendTrace(append(w.line[:0], w.head...), t), '\n')
	_, err := w.w.Write(w.line)
	return err
}
