package view

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/quotes/summary"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/attribute"
)

// field is a header field that differs, as JSONL has it.
type field struct {
	Name    string `json:"name"`
	Anomaly string `json:"anomaly"`
	Sent    string `json:"sent"`
	Quoted  string `json:"quoted"`
}

type fieldList []field

// String lists the fields as name:sent>quoted.
func (l fieldList) String() string {
	parts := make([]string, len(l))
	for i, f := range l {
		parts[i] = f.Name + ":" + f.Sent + ">" + f.Quoted
	}
	return strings.Join(parts, " ")
}

func fieldsOf(r *attribute.Result) fieldList {
	if !r.Verdict.Attributed() {
		return nil
	}
	var list fieldList
	for _, f := range r.Report.Fields {
		list = append(list, field{f.Name, f.Flag.String(), f.Sent.String(), f.Quoted.String()})
	}
	return list
}

var replyColumns = []column{
	{name: "packet"}, {name: "time"}, {name: "verdict"}, {name: "rule"}, {name: "kind"}, {name: "icmp_type"}, {name: "icmp_code"},
	{name: "responder"}, {name: "to"}, {name: "reply_ttl"}, {name: "reply_tos"}, {name: "reply_bytes"}, {name: "next_hop_mtu_bytes"},
	{name: "target"}, {name: "rtt_ns"}, {name: "nth"},
	{name: "probe_packet"}, {name: "probe_ttl"}, {name: "probe_protocol"}, {name: "probe_source"}, {name: "probe_destination"},
	{name: "probe_source_port"}, {name: "probe_destination_port"}, {name: "probe_bytes"},
	{name: "quote_bytes"}, {name: "quote_transport_bytes"}, {name: "quote_ttl"}, {name: "quote_length_bytes"}, {name: "wrapping"},
	{name: "anomalies"}, {name: "fields"}, {name: "extensions"}, {name: "extension_hex"},
}

func replyRow(r *attribute.Result) []any {
	rep := &r.Reply
	row := []any{r.Number, time.Unix(0, int64(r.At)), r.Verdict.String(), optional(r.Rule), kindName(rep.Kind), nil, nil,
		rep.From, rep.To, rep.TTL, rep.TOS, rep.Size, nil, r.Target, nil, nil,
		nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, optional(r.Report.Wrapping),
		r.Flags.Names(), fieldsOf(r), extensionTexts(rep.Ext), optional(hex.EncodeToString(rep.Ext))}
	if rep.Kind.IsError() || rep.Kind == frame.KindEchoReply || rep.Kind == frame.KindICMPOther {
		row[5], row[6] = rep.Type, rep.Code
	}
	if rep.Kind == frame.KindTooBig {
		row[12] = rep.MTU
	}
	if r.Verdict.Attributed() {
		c := &r.Cause
		copy(row[14:], []any{r.RTT, r.Nth, c.Number, c.TTL, c.Protocol, c.Src, c.Dst, c.SrcPort, c.DstPort, c.Size})
	}
	if rep.Kind.IsError() {
		q := &rep.Quote
		copy(row[24:], []any{q.Bytes, q.Transport, q.TTL, q.Length})
	}
	return row
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func extensionTexts(ext []byte) []string {
	var list []string
	for w := frame.Objects(ext); ; {
		o, ok := w.Next()
		if !ok {
			return list
		}
		list = append(list, summary.Describe(o))
	}
}

func kindName(k frame.Kind) string {
	switch k {
	case frame.KindTimeExceeded:
		return "time_exceeded"
	case frame.KindUnreachable:
		return "unreachable"
	case frame.KindTooBig:
		return "too_big"
	case frame.KindParamProblem:
		return "parameter_problem"
	case frame.KindRedirect:
		return "redirect"
	case frame.KindSourceQuench:
		return "source_quench"
	case frame.KindEchoReply:
		return "echo_reply"
	case frame.KindUDP:
		return "udp"
	case frame.KindTCP:
		return "tcp"
	case frame.KindUDPLite:
		return "udplite"
	case frame.KindDCCP:
		return "dccp"
	case frame.KindTruncated:
		return "truncated"
	case frame.KindMalformed:
		return "malformed"
	}
	return "other"
}

// replyHeading stands above lines of replyLine.
var replyHeading = fmt.Sprintf("%7s %-11s %-15s %-15s %3s %9s %5s %s", "PACKET", "VERDICT", "RESPONDER", "TARGET", "TTL", "RTT ms", "QUOTE", "CHANGED")

// replyLine is a reply on one line.
func replyLine(r *attribute.Result) string {
	ttl, rtt, quote := "-", "-", "-"
	if r.Verdict.Attributed() {
		ttl, rtt = fmt.Sprint(r.Cause.TTL), textOf(r.RTT)
	}
	if r.Reply.Kind.IsError() {
		quote = fmt.Sprint(r.Reply.Quote.Bytes)
	}
	changed := fieldsOf(r).String()
	if ext := extensionTexts(r.Reply.Ext); len(ext) > 0 {
		changed = strings.TrimSpace(changed + " [" + strings.Join(ext, "] [") + "]")
	}
	return strings.TrimRight(fmt.Sprintf("%7d %-11s %-15s %-15s %3s %9s %5s %s",
		r.Number, r.Verdict, textOf(r.Reply.From), textOf(r.Target), ttl, rtt, quote, changed), " ")
}
