package record

import (
	"bytes"
	"fmt"
	"math"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/rx/anomaly"
	"github.com/hopquote/hopquote/scheduler/survey/pack"
)

// Append appends the reply, but for what its trace says: Target, Index, Flow
// and SrcPort.
func (r *Reply) Append(b []byte) []byte {
	compliant := uint8(0)
	if r.ExtCompliant {
		compliant = 1
	}
	b = append(b, r.TTL, r.Attempt, uint8(r.Verdict), uint8(r.Kind), r.Type, r.Code, r.Flags, r.TTLBack, r.TOSBack, r.QuoteTTL, r.QuoteTOS, compliant)
	b = pack.Addr(b, r.From)
	b = pack.Int(pack.Int(b, int64(r.At)), int64(r.RTT))
	b = pack.Uint(b, uint64(r.ID))
	b = pack.Uint(b, uint64(r.Size))
	b = pack.Uint(b, uint64(r.MTU))
	b = pack.Uint(b, uint64(r.Quoted))
	b = pack.Uint(b, uint64(r.QuoteLength))
	b = pack.Uint(b, uint64(r.Anomalies))
	return pack.Bytes(b, r.Ext)
}

// Take takes in what Append appended. Extensions are copied.
func (r *Reply) Take(in *pack.Reader) {
	octets := in.Next(12)
	if octets == nil {
		return
	}
	r.TTL, r.Attempt, r.Verdict, r.Kind = octets[0], octets[1], rx.Verdict(octets[2]), frame.Kind(octets[3])
	r.Type, r.Code, r.Flags, r.TTLBack, r.TOSBack = octets[4], octets[5], octets[6], octets[7], octets[8]
	r.QuoteTTL, r.QuoteTOS, r.ExtCompliant = octets[9], octets[10], octets[11] != 0
	if !r.Verdict.Attributed() {
		in.Fail(fmt.Errorf("verdict %d of a reply to a probe", octets[2]))
	}
	r.From = in.Addr()
	r.At, r.RTT = time.Duration(in.Int()), time.Duration(in.Int())
	r.ID = uint16(in.Uint(math.MaxUint16))
	r.Size = int(in.Uint(math.MaxUint16))
	r.MTU = uint32(in.Uint(math.MaxUint32))
	r.Quoted = int(in.Uint(math.MaxUint16))
	r.QuoteLength = int(in.Uint(math.MaxUint32))
	r.Anomalies = anomaly.Flag(in.Uint(math.MaxUint64))
	r.Ext = nil
	if ext := in.Bytes(); len(ext) > 0 {
		r.Ext = bytes.Clone(ext)
	}
}
