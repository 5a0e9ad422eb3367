package simnet

import (
	"container/heap"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/packet"

	"github.com/hopquote/hopquote/bench/lab"
)

// maxProbes bounds how many probes a Sim keeps.
const maxProbes = 1 << 16

// Probe is a probe as it came over the link.
type Probe struct {
	Time  time.Time // when it was read from the socket
	Frame []byte    // from the Ethernet header on
}

// Sim is a responder at the end of a link. Its methods may be called from
// several goroutines.
type Sim struct {
	conn  *packet.Conn
	timer *timer
	start time.Time
	close func() error
	tasks sync.WaitGroup

	mu        sync.Mutex // guards all below
	responder *Responder
	probes    []Probe
	waiting   queue
	turn      uint64
	dropped   uint64
	failed    uint64
	isClosed  bool
}

// Start lets the script answer what comes over the host's interface, in user
// space. The host must have no addresses there, and its kernel is told to keep
// silent. Frames are counted, and the first 65536 probes kept, until Close.
func Start(host *lab.Host, name string, script *Script) (*Sim, error) {
	conn, mac, err := Listen(host, name)
	if err != nil {
		return nil, err
	}
	timer, err := newTimer()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("simnet: make a timer: %w", err)
	}
	s := &Sim{conn: conn, timer: timer, start: time.Now(), responder: NewResponder(script, mac)}
	s.close = sync.OnceValue(s.stop)
	s.tasks.Go(s.receive)
	s.tasks.Go(s.release)
	return s, nil
}

// Close stops answering; frames still delayed are not sent.
func (s *Sim) Close() error { return s.close() }

func (s *Sim) stop() error {
	s.mu.Lock()
	s.readDrops()
	s.isClosed = true
	s.mu.Unlock()
	err := s.conn.Close()
	if terr := s.timer.close(); err == nil {
		err = terr
	}
	s.tasks.Wait()
	return err
}

// Counters gives the counts so far.
func (s *Sim) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readDrops()
	c := s.responder.Counters()
	c.Dropped, c.Failed = s.dropped, s.failed
	return c
}

// readDrops adds up the kernel's count, which starts anew with each reading.
func (s *Sim) readDrops() {
	if s.isClosed {
		return
	}
	if stats, err := s.conn.Stats(); err == nil {
		s.dropped += uint64(stats.Drops)
	}
}

// Probes gives the probes so far. Their bytes must not be changed.
func (s *Sim) Probes() []Probe {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.probes)
}

// forget starts the script anew, as if no frame had come yet.
func (s *Sim) forget(script *Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.responder = NewResponder(script, s.responder.mac)
	s.probes = nil
}

// receive reads frames until the socket is closed.
func (s *Sim) receive() {
	buf := make([]byte, 1<<16+ethernetLen)
	var frames []Frame
	for {
		n, _, err := s.conn.ReadFrom(buf)
		now := time.Now()
		if err != nil {
			if s.ended() {
				return
			}
			continue // the link went down
		}
		frames = s.take(now, buf[:n], frames[:0])
		for _, f := range frames {
			s.send(f.Data)
		}
	}
}

// take lets the responder answer frame f, queues what is delayed and appends
// the rest to out.
func (s *Sim) take(now time.Time, f []byte, out []Frame) []Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames, isProbe := s.responder.Respond(now.Sub(s.start), f, out)
	if isProbe && len(s.probes) < maxProbes {
		s.probes = append(s.probes, Probe{now, slices.Clone(f)})
	}
	direct := frames[:0]
	for _, f := range frames {
		if f.After == 0 {
			direct = append(direct, f)
			continue
		}
		heap.Push(&s.waiting, queued{now.Add(f.After), s.turn, f.Data})
		s.turn++
		if s.waiting[0].turn == s.turn-1 {
			s.arm()
		}
	}
	return direct
}

// arm sets the timer to the first frame that waits. A closed timer needs none.
func (s *Sim) arm() { _ = s.timer.set(time.Until(s.waiting[0].at)) }

// release sends delayed frames until the timer is closed.
func (s *Sim) release() {
	for s.timer.wait() == nil {
		for {
			f, ok := s.due(time.Now())
			if !ok {
				break
			}
			s.send(f)
		}
	}
}

// due takes the first frame whose time has come off the queue.
func (s *Sim) due(now time.Time) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return nil, false
	}
	if s.waiting[0].at.After(now) {
		s.arm()
		return nil, false
	}
	return heap.Pop(&s.waiting).(queued).data, true
}

func (s *Sim) send(f []byte) {
	if _, err := s.conn.WriteTo(f, &packet.Addr{HardwareAddr: f[:6]}); err != nil && !s.ended() {
		s.mu.Lock()
		s.failed++
		s.mu.Unlock()
	}
}

func (s *Sim) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isClosed
}
