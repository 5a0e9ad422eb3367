// Package sink takes the results of a survey from the engine to the writers of
// its outputs, in a goroutine of their own.
package sink

import (
	"cmp"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hopquote/hopquote/cmd/internal/output/record"
	"github.com/hopquote/hopquote/frame"
)

// Config says where results go.
type Config struct {
	Targets   []Target
	Run       *record.Run
	Stdout    io.Writer
	Overwrite bool
	// Failed is called once, from the writers' goroutine, when an output can't
	// be written any more. The others go on.
	Failed func(error)
	// Known tells that Sent will be called for every probe.
	Known bool
	// Keep has Stop make a last Cut, which Last gives. Resume is that of a run
	// before this one, which goes on from there.
	Keep   bool
	Resume *Cut
}

// Sink is the queue before the writers. Reply, Sent, Finish and Frame are for
// one goroutine; they never wait and never drop. Who calls them stops sending
// probes while Full says so, so that the queue outgrows its limit by what is in
// flight only.
type Sink struct {
	cfg   Config
	files []*file
	// Traces and Frames tell whether somebody wants those.
	traces, frames bool

	mu      sync.Mutex
	filling *batch
	ready   []*batch // to be written before it, the oldest first
	spare   []*batch
	waiting int // results in filling and ready
	closed  bool
	last    *Cut
	lastErr error

	wake  chan struct{}
	done  chan struct{}
	trace collector
	err   error // of the first output that failed
	found responders
	total totals
}

// turn is how often the writers look whether there is anything, and send it out.
const turn = 100 * time.Millisecond

// Open begins all outputs. The Sink must be closed.
func Open(cfg Config) (*Sink, error) {
	s := &Sink{
		cfg: cfg, filling: &batch{}, wake: make(chan struct{}, 1), done: make(chan struct{}), found: newResponders(),
	}
	s.trace = newCollector(s.writeTrace)
	s.trace.known = cfg.Known
	if cfg.Resume != nil {
		if err := s.restore(cfg.Resume.State); err != nil {
			return nil, err
		}
	}
	for i, t := range cfg.Targets {
		on, err := cfg.on(i)
		var f *file
		if err == nil {
			f, err = open(t, &s.cfg, on)
		}
		if err != nil {
			for _, f := range s.files {
				_ = f.shut()
			}
			return nil, err
		}
		s.files = append(s.files, f)
		s.traces = s.traces || f.traces != nil
		s.frames = s.frames || f.frames != nil
	}
	go s.write()
	return s, nil
}

// Traces tells whether an output wants traces: else Sent and Finish do nothing.
func (s *Sink) Traces() bool { return s.traces }

// Frames tells whether an output wants frames: else Frame does nothing.
func (s *Sink) Frames() bool { return s.frames }

// Reply adds a reply, of which it keeps nothing.
func (s *Sink) Reply(r *record.Reply) {
	s.mu.Lock()
	b := s.filling
	if b.replies == nil {
		b.replies = make([]record.Reply, 0, batchSize)
	}
	b.replies = append(b.replies, *r)
	if r.Ext != nil {
		b.replies[len(b.replies)-1].Ext = b.keep(r.Ext)
	}
	full := s.added()
	s.mu.Unlock()
	if full {
		s.signal()
	}
}

// Sent adds a probe of a trace to p.Dst that left at at.
func (s *Sink) Sent(index uint64, flow uint16, attempt uint8, p *frame.Probe, at time.Duration) {
	if !s.traces {
		return
	}
	s.mu.Lock()
	s.filling.sent = append(s.filling.sent, sent{
		key{index, flow}, p.Dst, p.SrcPort, record.Probe{TTL: p.TTL, Attempt: attempt, SentAt: at},
	})
	full := s.added()
	s.mu.Unlock()
	if full {
		s.signal()
	}
}

// Finish says that a trace is complete.
func (s *Sink) Finish(index uint64, flow uint16, stop record.Stop) {
	s.mu.Lock()
	s.filling.finished = append(s.filling.finished, finished{key{index, flow}, stop})
	s.mu.Unlock()
}

// Frame adds a frame, of which it keeps nothing.
func (s *Sink) Frame(f *record.Frame) {
	if !s.frames {
		return
	}
	s.mu.Lock()
	b := s.filling
	b.frames = append(b.frames, *f)
	b.frames[len(b.frames)-1].Data = b.keep(f.Data)
	full := s.added()
	s.mu.Unlock()
	if full {
		s.signal()
	}
}

func (s *Sink) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write is the writers' goroutine.
func (s *Sink) write() {
	defer close(s.done)
	tick := time.NewTicker(turn)
	defer tick.Stop()
	for {
		late := false
		select {
		case <-s.wake:
		case <-tick.C:
			late = true
		}
		for any := late; ; {
			b, closed := s.take(any)
			if b == nil && closed {
				return
			}
			if b == nil {
				break
			}
			any = any && b.size >= batchSize // once a turn
			s.writeBatch(b)
			if b.mark != nil {
				b.mark(s.cut())
			}
			s.giveBack(b)
		}
		if late {
			s.flush()
		}
	}
}

func (s *Sink) writeBatch(b *batch) {
	s.found.add(b.replies)
	s.total.tell(&s.found)
	// Replies are told after the probes that left while they waited, and loops tell
	// theirs whenever they come by.
	slices.SortStableFunc(b.frames, func(a, b record.Frame) int { return cmp.Compare(a.At, b.At) })
	for _, f := range s.files {
		for i := 0; i < len(b.replies) && f.replies != nil; i++ {
			s.check(f, f.replies.Reply(&b.replies[i]))
		}
		for i := 0; i < len(b.frames) && f.frames != nil; i++ {
			s.check(f, f.frames.Frame(&b.frames[i]))
		}
	}
	if s.traces {
		s.trace.take(b)
	}
	for _, e := range b.finished {
		s.total.traces.Add(1)
		if s.traces {
			s.trace.finish(e.key, e.stop)
		}
	}
}

func (s *Sink) writeTrace(t *record.Trace) {
	for _, f := range s.files {
		if f.traces != nil {
			s.check(f, f.traces.Trace(t))
		}
	}
}

// check notes an error of a writer, from where on it is given nothing more, or
// sends out what is enough.
func (s *Sink) check(f *file, err error) {
	if err == nil {
		// What can't be sent out is kept: it may be written by a run that goes on.
		if err = f.ready(); err != nil {
			s.fail(err)
		}
		if !f.broken {
			return
		}
	} else {
		f.broken = true
		s.fail(f.named(err))
	}
	f.replies, f.traces, f.frames = nil, nil, nil
}

func (s *Sink) fail(err error) {
	if s.err != nil {
		return
	}
	s.err = err
	if s.cfg.Failed != nil {
		s.cfg.Failed(err)
	}
}

// flush sends out what is written so far, now and then: who reads along should
// not have to wait.
func (s *Sink) flush() {
	for _, f := range s.files {
		if err := f.flush(); err != nil {
			s.fail(err)
		}
	}
}
