package transmit

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/hopquote/hopquote/bench/measure"
	"github.com/hopquote/hopquote/bench/usage"
	"github.com/hopquote/hopquote/bench/wire"
	"github.com/hopquote/hopquote/frame"
)

// sendCPU is the CPU of the thread that sends.
const sendCPU = 0

// Suite compares the kinds of senders on a link whose far end drops everything.
// Every round opens a sender of its own and sends for about d.
func Suite(p *wire.Pair, kinds []Kind, d time.Duration) measure.Suite {
	s := measure.Suite{
		Name: "tx", Title: "60-byte UDP probes from one thread, dropped on the far side by " + p.Drops,
		Labels: []string{"sender"},
		Figures: []measure.Figure{
			{Key: "rate_pps", Title: "frames/s"},
			{Key: "ratio", Title: "ratio", Digits: 2, Ratio: "rate_pps"},
			{Key: "cpu_ns", Title: "CPU ns/frame"},
			{Key: "sent_frames", Title: "sent"},
			{Key: "counted_frames", Title: "counted by the link"},
			{Key: "refused_flushes", Title: "back-pressure"},
		},
	}
	for _, k := range kinds {
		s.Cases = append(s.Cases, measure.Case{Labels: []string{k.Name}, Run: func(context.Context) (measure.Sample, error) {
			return one(p, k, d)
		}})
	}
	return s
}

// one measures a kind of sender once.
func one(p *wire.Pair, k Kind, d time.Duration) (s measure.Sample, err error) {
	e, err := p.Envelope(wire.Near, wire.FarAddr)
	if err != nil {
		return s, err
	}
	probe := frame.Probe{
		Method: frame.UDP, Src: e.Src, Dst: e.Dst, Size: 60, TTL: 64, SrcPort: 40000, DstPort: 33434,
	}
	t, err := frame.NewTemplate(e.Header, &probe)
	if err != nil {
		return s, err
	}
	var sender Sender
	if err := p.Host(wire.Near).Do(func() error { sender, err = k.Open(e); return err }); err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, sender.Close()) }()
	before, err := wire.Read(p.Host(wire.Near), wire.NearLink)
	if err != nil {
		return s, err
	}
	var run outcome
	usage.OnThread(sendCPU, func() { run = send(sender, t, probe, d) })
	if run.err != nil {
		return s, run.err
	}
	after, err := settled(p)
	if err != nil {
		return s, err
	}
	counted := after.Since(before).Sent
	s.Set("rate_pps", float64(run.sent)/run.took.Seconds())
	s.Set("cpu_ns", float64(run.cpu.Nanoseconds())/float64(run.sent))
	s.Set("sent_frames", float64(run.sent))
	s.Set("counted_frames", float64(counted))
	s.Set("refused_flushes", float64(run.refused))
	want := run.sent
	if k.Null {
		want = 0
	}
	if counted != want {
		s.Problemf("the sender told of %d frames, the link counted %d", want, counted)
	}
	return s, nil
}

// settled reads the counters once they stand still: a sender may have frames
// under way when it says that they left.
func settled(p *wire.Pair) (wire.Counters, error) {
	last, err := wire.Read(p.Host(wire.Near), wire.NearLink)
	for range 20 {
		if err != nil {
			return last, err
		}
		time.Sleep(5 * time.Millisecond)
		now, err := wire.Read(p.Host(wire.Near), wire.NearLink)
		if err != nil || now == last {
			return now, err
		}
		last = now
	}
	return last, nil
}

// outcome is what one run came to.
type outcome struct {
	sent      uint64
	refused   uint64 // flushes that sent fewer than all
	took, cpu time.Duration
	err       error
}

// send sends for d, a batch at a time.
func send(out Sender, t *frame.Template, p frame.Probe, d time.Duration) (o outcome) {
	start, cpu := time.Now(), usage.Thread()
	waiting := 0 // in slots
	for o.took < d {
		for waiting < Batch {
			b := out.Slot(t.Len())
			if b == nil {
				break
			}
			p.ID++
			t.Put(b, &p)
			waiting++
		}
		n, err := out.Flush()
		o.sent += uint64(n)
		waiting -= n
		if err != nil {
			o.err = err
			break
		}
		if waiting > 0 {
			o.refused++
			runtime.Gosched()
		}
		o.took = time.Since(start)
	}
	out.Drop()
	o.cpu = usage.Thread() - cpu
	return o
}
