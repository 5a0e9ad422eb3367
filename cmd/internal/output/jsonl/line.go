package jsonl

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// A line is put together by hand: encoding/json took twice as long for a trace
// as all else about its probes. No text here has a character to escape.

// appendTrace appends what is behind the head of a line.
func (w *writer) appendTrace(b []byte, t *record.Trace) []byte {
	b = strconv.AppendUint(b, t.Index, 10)
	b = addr(append(b, `,"target":`...), t.Target)
	b = number(append(b, `,"flow":`...), t.Flow)
	b = addr(append(b, `,"source":`...), w.run.Src(t.Target))
	b = text(append(b, `,"method":`...), w.run.Method.String())
	if w.run.Method == frame.ICMP {
		b = number(append(b, `,"source_port":null,"target_port":null,"echo_id":`...), t.SrcPort)
	} else {
		b = number(append(b, `,"source_port":`...), t.SrcPort)
		b = number(append(b, `,"target_port":`...), w.run.DstPort)
		b = append(b, `,"echo_id":null`...)
	}
	b = text(append(b, `,"stop_reason":`...), t.Stop.String())
	b = number(append(b, `,"hops":`...), t.Hops())
	b = append(b, `,"probes":[`...)
	for _, p := range t.Probes {
		if answered(t, p) {
			continue
		}
		b = number(append(next(b), `{"ttl":`...), p.TTL)
		b = number(append(b, `,"attempt":`...), p.Attempt)
		b = number(append(b, `,"sent_offset_ns":`...), p.SentAt.Nanoseconds())
		b = append(b, '}')
	}
	b = append(b, `],"replies":[`...)
	for i := range t.Replies {
		b = appendReply(next(b), &t.Replies[i])
	}
	return append(b, ']', '}')
}

func answered(t *record.Trace, p record.Probe) bool {
	for i := range t.Replies {
		if r := &t.Replies[i]; r.TTL == p.TTL && r.Attempt == p.Attempt {
			return true
		}
	}
	return false
}

func appendReply(b []byte, r *record.Reply) []byte {
	b = number(append(b, `{"ttl":`...), r.TTL)
	b = number(append(b, `,"attempt":`...), r.Attempt)
	b = text(append(b, `,"verdict":`...), r.Verdict.String())
	b = addr(append(b, `,"responder":`...), r.From)
	b = number(append(b, `,"rtt_ns":`...), r.RTT.Nanoseconds())
	b = number(append(b, `,"received_offset_ns":`...), r.At.Nanoseconds())
	b = text(append(b, `,"kind":`...), record.KindName(r.Kind))
	icmp := r.Kind.IsError() || r.Kind == frame.KindEchoReply
	b = numberIf(append(b, `,"icmp_type":`...), icmp, r.Type)
	b = numberIf(append(b, `,"icmp_code":`...), icmp, r.Code)
	b = numberIf(append(b, `,"tcp_flags":`...), r.Kind == frame.KindTCP, r.Flags)
	b = number(append(b, `,"reply_ttl":`...), r.TTLBack)
	b = number(append(b, `,"reply_tos":`...), r.TOSBack)
	b = numberIf(append(b, `,"ip_id":`...), r.From.Is4(), r.ID)
	b = number(append(b, `,"size_bytes":`...), r.Size)
	b = numberIf(append(b, `,"next_hop_mtu_bytes":`...), r.Kind == frame.KindTooBig, r.MTU)
	b = append(b, `,"quote":`...)
	if r.Quoted > 0 {
		b = number(append(b, `{"quoted_bytes":`...), r.Quoted)
		b = number(append(b, `,"length_bytes":`...), r.QuoteLength)
		b = number(append(b, `,"ttl":`...), r.QuoteTTL)
		b = number(append(b, `,"tos":`...), r.QuoteTOS)
		b = append(b, '}')
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"rewritten":[`...)
	if r.Anomalies != 0 {
		for _, name := range r.Rewritten() {
			b = text(next(b), strings.ReplaceAll(name, "-", "_"))
		}
	}
	b = append(b, `],"mpls":[`...)
	if len(r.Ext) > 0 {
		for e := range r.Labels {
			b = number(append(next(b), `{"label":`...), e.Label)
			b = number(append(b, `,"exp":`...), e.Exp)
			b = strconv.AppendBool(append(b, `,"bottom":`...), e.Bottom)
			b = number(append(b, `,"ttl":`...), e.TTL)
			b = append(b, '}')
		}
	}
	return append(b, ']', '}')
}

// next appends what separates the elements of a list, unless it begins.
func next(b []byte) []byte {
	if b[len(b)-1] == '[' {
		return b
	}
	return append(b, ',')
}

func number[T int | int64 | uint8 | uint16 | uint32](b []byte, n T) []byte {
	return strconv.AppendInt(b, int64(n), 10)
}

// numberIf appends null where there is no number.
func numberIf[T uint8 | uint16 | uint32](b []byte, is bool, n T) []byte {
	if !is {
		return append(b, "null"...)
	}
	return number(b, n)
}

func text(b []byte, s string) []byte { return append(append(append(b, '"'), s...), '"') }

// addr appends an address, an empty text for none.
func addr(b []byte, a netip.Addr) []byte {
	b = append(b, '"')
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	return append(b, '"')
}
