package trace

import (
	"github.com/hopquote/hopquote/cmd/internal/output/capture"
	"github.com/hopquote/hopquote/cmd/internal/output/names"
	"github.com/hopquote/hopquote/cmd/internal/output/text"
	"github.com/hopquote/hopquote/rx"
	"github.com/hopquote/hopquote/scheduler/hops"
	"time"
)

// waitingLines is how many printed probes may wait for the terminal and for
// name look-ups before no new probes are sent.
const waitingLines = 4096

// printer writes settled probes as they come, on a goroutine of its own, so
// that neither a slow terminal nor a slow name server holds up the engine.
type printer struct {
	queue *queue[hops.Settled]
	done  chan struct{}
	err   error // of the first write that failed; read after done
}

// startPrinter begins printing; failed is called once, when a write fails.
func startPrinter(w *text.Writer, failed func(error)) *printer {
	p := &printer{queue: newQueue[hops.Settled](waitingLines), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for {
			s, ok := p.queue.Pop()
			if !ok {
				return
			}
			if p.err != nil {
				continue
			}
			if p.err = outputError(w.Probe(s)); p.err != nil {
				failed(p.err)
			}
		}
	}()
	return p
}

// finish waits until everything is printed.
func (p *printer) finish() error {
	p.queue.Close()
	<-p.done
	return p.err
}

// observer sees the frames of the run: it keeps the capture and starts name
// look-ups before their lines are due.
type observer struct {
	capture *capture.Writer // nil for none
	names   *names.Cache    // nil for none
}

func (o *observer) FrameSent(at time.Duration, f []byte) {
	if o.capture != nil {
		o.capture.Frame(at, f, true)
	}
}

// FrameMatched leaves out of the capture what never was on the wire.
func (o *observer) FrameMatched(p *rx.Packet, m *rx.Match) {
	if o.capture != nil && !p.Local {
		o.capture.Frame(p.At, p.Data, false)
	}
	if o.names != nil {
		o.names.Start(m.Reply.From)
	}
}
