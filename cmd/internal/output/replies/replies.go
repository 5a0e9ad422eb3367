// Package replies writes a line of text for every reply of a survey, as fast as
// replies come.
package replies

import (
	"io"
	"strconv"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Kind is the format "replies": comma-separated values behind a line of names.
// rtt_us has microseconds with three decimals. Fields that a reply does not
// have (ICMP type and code of UDP and TCP, quoted TTL without a quote) are empty.
var Kind = record.Kind{Name: "replies", Help: "a line of text for every reply", New: start}

const header = "target,ttl,flow,attempt,responder,rtt_us,kind,icmp_type,icmp_code,reply_ttl,quoted_ttl,verdict\n"

type writer struct {
	w    io.Writer
	line []byte
}

func start(w io.Writer, _ *record.Run) (record.Writer, error) {
	_, err := io.WriteString(w, header)
	return &writer{w: w, line: make([]byte, 0, 256)}, err
}

// Reply writes one line.
func (w *writer) Reply(r *record.Reply) error {
	b := r.Target.AppendTo(w.line[:0])
	b = number(b, uint64(r.TTL))
	b = number(b, uint64(r.Flow))
	b = number(b, uint64(r.Attempt))
	b = r.From.AppendTo(append(b, ','))
	b = micros(append(b, ','), uint64(r.RTT))
	b = append(append(b, ','), record.KindName(r.Kind)...)
	if r.Kind.IsError() || r.Kind == frame.KindEchoReply {
		b = number(b, uint64(r.Type))
		b = number(b, uint64(r.Code))
	} else {
		b = append(b, ",,"...)
	}
	b = number(b, uint64(r.TTLBack))
	if r.Quoted > 0 {
		b = number(b, uint64(r.QuoteTTL))
	} else {
		b = append(b, ',')
	}
	b = append(append(b, ','), r.Verdict.String()...)
	w.line = append(b, '\n')
	_, err := w.w.Write(w.line)
	return err
}

// Close has nothing to write.
func (w *writer) Close(*record.End) error { return nil }

func number(b []byte, n uint64) []byte { return strconv.AppendUint(append(b, ','), n, 10) }

// micros writes nanoseconds as microseconds with three decimals.
func micros(b []byte, ns uint64) []byte {
	b = strconv.AppendUint(b, ns/1000, 10)
	ns %= 1000
	return append(b, '.', '0'+byte(ns/100), '0'+byte(ns/10%10), '0'+byte(ns%10))
}
