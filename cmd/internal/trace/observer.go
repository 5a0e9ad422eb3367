package trace

import (
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/asn"
	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/names"
	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/rx"
)

// observer sees the frames of the run: it keeps the capture and starts the
// look-ups of names and ASes before their lines are due.
type observer struct {
	capture *capture.Writer // nil for none
	names   *names.Cache    // nil for none
	origins *asn.Source     // nil for none
	quotes  *quoteLog       // nil for none

	interfaces capture.Names
	frame      record.Frame // scratch
}

func (o *observer) FrameSent(at time.Duration, f []byte) {
	if o.capture != nil {
		o.frame = record.Frame{At: at, Sent: true, Data: f}
		o.capture.Frame(&o.frame)
	}
	if o.quotes != nil {
		o.quotes.sent(f)
	}
}

// FrameMatched leaves out of the capture what never was on the wire.
func (o *observer) FrameMatched(p *rx.Packet, m *rx.Match) {
	if o.capture != nil && !p.Local {
		o.frame = record.Frame{At: p.At, By: o.interfaces.Of(p.Interface), Data: p.Data}
		o.capture.Frame(&o.frame)
	}
	if o.quotes != nil {
		o.quotes.matched(m)
	}
	if o.names != nil {
		o.names.Start(m.Reply.From)
	}
	if o.origins != nil {
		o.origins.Start(m.Reply.From)
	}
}
