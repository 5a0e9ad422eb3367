package internet

import (
	"net"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx"
)

// BenchmarkAsk measures probes that are sent in batches of 64 and answered, in
// the kernel, and as the ratio to the same where the far end only drops
// them.
// The ring receives, and nobody looks at it: what a prober does with replies is
// not in here.
func BenchmarkAsk(b *testing.B) {
	for _, c := range []struct {
		name string
		Config
	}{
		{"minimal", Config{Minimal: 100}},
		{"labeled", Config{Labeled: 100}},
		{"full", Config{OnlyFull: true}},
		{"mixed", Config{}},
	} {
		for _, v6 := range []bool{false, true} {
			b.Run(c.name+"/"+choose(v6, "ipv4", "ipv6"), func(b *testing.B) { benchmarkAsk(b, c.Config, v6) })
		}
	}
}

func benchmarkAsk(b *testing.B, c Config, v6 bool) {
	answering := newAsker(b, c, v6)
	dropping := newAsker(b, c, v6)
	dropping.drop(b)
	b.ReportAllocs()
	var asked, dropped time.Duration
	turns := 0
	for b.Loop() { // in turns, so that both see the same machine
		asked += answering.ask(b)
		dropped += dropping.ask(b)
		turns++
	}
	probes := float64(turns * askBatch)
	b.ReportMetric(probes/asked.Seconds(), "probes/s")
	b.ReportMetric(probes/dropped.Seconds(), "dropped/s")
	b.ReportMetric(dropped.Seconds()/asked.Seconds(), "ratio")
	if counts := dropping.wire.counters(b, 0); counts.Total().Asked != 0 {
		b.Errorf("probes came through that were to be dropped: %+v", counts)
	}
	counts := answering.wire.counters(b, 0)
	total := counts.Total()
	if total.Asked != total.Answered || total.Asked != uint64(turns*askBatch) || counts.Failed != 0 {
		b.Errorf("%d batches of %d sent, counted: %+v", turns, askBatch, counts)
	}
}

const askBatch = 64

type asker struct {
	wire   *wire
	frames [askBatch][]byte
	v6     bool
}

func newAsker(b *testing.B, c Config, v6 bool) *asker {
	a := &asker{wire: newWire(b, inKernel(b, c), c, rx.RingConfig{}), v6: v6}
	for i := range a.frames {
		p := frame.Probe{Method: frame.UDP, Dst: destinations[choose(v6, 0, 3)], TTL: uint8(1 + i%16), SrcPort: 4000, DstPort: 33434}
		p.Size = p.HeaderLen() + choose(v6, 32, 12) // 60 bytes of IP
		a.frames[i], _ = a.wire.frame(b, p)
	}
	return a
}

// drop puts a program before the Internet's that drops everything.
func (a *asker) drop(b *testing.B) {
	b.Helper()
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.SchedCLS,
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, returnsDrop), asm.Return()},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { program.Close() })
	err = a.wire.net.Host(Far).Do(func() error {
		ifi, err := net.InterfaceByName(FarLink)
		if err != nil {
			return err
		}
		l, err := link.AttachTCX(link.TCXOptions{Interface: ifi.Index, Program: program, Attach: ebpf.AttachTCXIngress, Anchor: link.Head()})
		if err == nil {
			b.Cleanup(func() { l.Close() })
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// ask sends a batch and gives how long that took.
func (a *asker) ask(b *testing.B) time.Duration {
	start := time.Now()
	for frames := a.frames[:]; len(frames) > 0; {
		n, err := a.wire.senders[a.v6].Send(frames)
		if err != nil {
			b.Fatal(err)
		}
		frames = frames[n:]
	}
	return time.Since(start)
}
