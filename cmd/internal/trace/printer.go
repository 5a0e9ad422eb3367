package trace

import (
	"github.com/hopquote/hopquote/cmd/internal/output/text"
	"github.com/hopquote/hopquote/scheduler/hops"
)

// waitingProbes is how many settled probes may wait for the terminal and for
// name look-ups before no new ones are sent.
const waitingProbes = 4096

// printer writes settled probes as they come, on a goroutine of its own, so
// that neither a slow terminal nor a slow name server holds up the engine.
type printer struct {
	out    *text.Writer
	queue  *queue[printed]
	failed func(error) // called once, when a write fails
	done   chan struct{}
	err    error // of the first write that failed; read after done
}

// printed is a settled probe or, where aside is set, whole lines beside them.
type printed struct {
	settled hops.Settled
	aside   []byte
}

// settle queues a settled probe.
func (p *printer) settle(s hops.Settled) { p.queue.Push(printed{settled: s}) }

func newPrinter(out *text.Writer, failed func(error)) *printer {
	return &printer{out: out, queue: newQueue[printed](waitingProbes), failed: failed, done: make(chan struct{})}
}

func (p *printer) start() { go p.run() }

func (p *printer) run() {
	defer close(p.done)
	for {
		s, ok := p.queue.Pop()
		if !ok {
			return
		}
		if p.err != nil {
			continue
		}
		if s.aside != nil {
			p.err = outputError(p.out.Aside(s.aside))
		} else {
			p.err = outputError(p.out.Probe(s.settled))
		}
		if p.err != nil {
			p.failed(p.err)
		}
	}
}

// finish waits until everything is printed.
func (p *printer) finish() error {
	p.queue.Close()
	<-p.done
	return p.err
}
