package early

import (
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// BenchmarkLoop measures probes that are sent in batches of 64, answered by the
// simulated Internet on the same CPU, and taken from the ring, with the early
// drop and, in turns, without: ratio is what it gains.
func BenchmarkLoop(b *testing.B) {
	for name, m := range map[string]frame.Method{"udp": frame.UDP, "icmp": frame.ICMP, "tcp": frame.TCP} {
		for family, v6 := range map[string]bool{"ipv4": false, "ipv6": true} {
			b.Run(name+"/"+family, func(b *testing.B) { benchmarkLoop(b, m, v6) })
		}
	}
}

func benchmarkLoop(b *testing.B, m frame.Method, v6 bool) {
	needEBPF(b)
	with, without := newLoop(b, m, v6), newLoop(b, m, v6)
	d := with.attach(b, m)
	b.ReportAllocs()
	var fast, slow time.Duration
	var sent uint64
	for b.Loop() {
		fast += with.turn(b)
		slow += without.turn(b)
		sent += uint64(len(with.frames))
	}
	with.drain(b, sent)
	without.drain(b, sent)
	dropped, err := d.Dropped()
	counts, serr := with.ring.Stats()
	if err != nil || serr != nil || dropped != sent || counts.Handed != sent || counts.Drops != 0 {
		b.Errorf("%d sent, %d dropped early, ring %+v, errors %v, %v", sent, dropped, counts, err, serr)
	}
	b.ReportMetric(float64(sent)/fast.Seconds(), "probes/s")
	b.ReportMetric(float64(sent)/slow.Seconds(), "without/s")
	b.ReportMetric(slow.Seconds()/fast.Seconds(), "ratio")
}

// loop is a prober with its frames made.
type loop struct {
	*prober
	v6     bool
	frames [][]byte
}

func newLoop(b *testing.B, m frame.Method, v6 bool) *loop {
	p := newProber(b, m)
	return &loop{p, v6, p.probes(b, m, v6)}
}

// turn sends a batch, drains what is ready and gives how long that took.
func (l *loop) turn(b *testing.B) time.Duration {
	start := time.Now()
	l.send(b, l.v6, l.frames)
	if err := l.ring.Drain(func(*rx.Packet) {}); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
