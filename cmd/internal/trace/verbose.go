package trace

import (
	"bytes"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/dump"
	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler"
)

// observer is what sees the run's frames: more of them with -v, in text.
func (r *run) observer(n *network, print *printer, pcap *capture.Writer) scheduler.Observer {
	o := &observer{capture: pcap, names: r.names, origins: r.origins, quotes: r.quotes}
	if r.opts.Verbose == 0 || print == nil {
		return o
	}
	return &verbose{observer: o, link: n.envelope.Header.Type, print: print, probes: r.opts.Verbose > 1}
}

// verbose prints the ICMP messages that settle no probe, as BSD traceroute
// does, and the probes too where they are asked for.
type verbose struct {
	*observer
	link   frame.LinkType
	print  *printer
	probes bool
}

func (v *verbose) FrameSent(at time.Duration, f []byte) {
	v.observer.FrameSent(at, f)
	if v.probes {
		v.print.queue.Push(printed{aside: dump.Sent(nil, f[v.link.HeaderLen():])})
	}
}

func (v *verbose) FrameMatched(p *rx.Packet, m *rx.Match) {
	v.observer.FrameMatched(p, m)
	if m.Verdict == rx.Duplicate || m.Verdict == rx.Late {
		v.other(p)
	}
}

// FrameStray implements scheduler.StrayObserver.
func (v *verbose) FrameStray(p *rx.Packet, _ *rx.Match) { v.other(p) }

func (v *verbose) other(p *rx.Packet) {
	m, ok := dump.Parse(p.Data[min(v.link.HeaderLen(), len(p.Data)):])
	if ok && !m.IsNeighbour() {
		v.print.queue.Push(printed{aside: bytes.TrimPrefix(m.Other(nil), []byte{'\n'})})
	}
}
