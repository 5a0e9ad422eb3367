package link_test

import (
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	ebpflink "github.com/cilium/ebpf/link"
	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/frame/link"
)

// benchBatch is how many frames of benchSize bytes a flush of a benchmark has.
const (
	benchBatch = 64
	benchSize  = 60
)

// BenchmarkSlots lends, fills and flushes batches of short frames to a neighbour
// that drops them where they come in, on the same CPU.
func BenchmarkSlots(b *testing.B) {
	kinds := slices.Concat(senders, senders[:1])
	kinds[len(kinds)-1].name, kinds[len(kinds)-1].Tx = "null", link.TxNull
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			h1 := openDropping(b)
			s := openSlots(b, h1, k.SenderConfig)
			before := transmitted(b, h1)
			b.ReportAllocs()
			for b.Loop() {
				sendBatch(b, s)
			}
			if got := transmitted(b, h1) - before; k.Tx != link.TxNull && got < uint64(b.N*benchBatch) {
				b.Errorf("%d frames sent, the interface counts %d", b.N*benchBatch, got)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchBatch), "ns/frame")
			b.ReportMetric(float64(b.N*benchBatch)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

// BenchmarkSlotsRatio measures two senders in turn, so that both see the same
// machine, and gives how many times as fast the second is.
func BenchmarkSlotsRatio(b *testing.B) {
	for _, pair := range [][2]int{{0, 1}, {0, 2}} {
		first, second := senders[pair[0]], senders[pair[1]]
		b.Run(second.name+"-to-"+first.name, func(b *testing.B) {
			h1 := openDropping(b)
			one, two := openSlots(b, h1, first.SenderConfig), openSlots(b, h1, second.SenderConfig)
			var t1, t2 time.Duration
			for b.Loop() {
				start := time.Now()
				sendBatch(b, one)
				middle := time.Now()
				sendBatch(b, two)
				t1, t2 = t1+middle.Sub(start), t2+time.Since(middle)
			}
			b.ReportMetric(t1.Seconds()/t2.Seconds(), "ratio")
		})
	}
}

// sendBatch sends a batch, however often it has to be flushed.
func sendBatch(b *testing.B, s *link.Sender) {
	for range benchBatch {
		blank(s.Slot(benchSize))
	}
	for sent := 0; sent < benchBatch; {
		n, err := s.Flush()
		if err != nil {
			b.Fatal(err)
		}
		sent += n
	}
}

// openDropping gives a host whose neighbour drops all frames of testType.
func openDropping(b *testing.B) *lab.Host {
	b.Helper()
	n := openLine(b)
	const proceed, drop = -1, 2 // TCX_NEXT, TCX_DROP of linux/bpf.h
	protocol := int16(16)       // of struct __sk_buff
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SchedCLS,
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R2, asm.R1, protocol, asm.Word),
			asm.Mov.Imm(asm.R0, drop),
			asm.JEq.Imm(asm.R2, int32(binary.NativeEndian.Uint16([]byte{testType >> 8, testType & 0xff})), "out"),
			asm.Mov.Imm(asm.R0, proceed),
			asm.Return().WithSymbol("out"),
		},
	})
	if err != nil {
		b.Skip("needs an eBPF program: ", err)
	}
	b.Cleanup(func() { program.Close() })
	in(b, n.Host("r1"), func() error {
		ifi, err := net.InterfaceByName(far)
		if err != nil {
			return err
		}
		l, err := ebpflink.AttachTCX(ebpflink.TCXOptions{Interface: ifi.Index, Program: program, Attach: ebpf.AttachTCXIngress})
		if err == nil {
			b.Cleanup(func() { l.Close() })
		}
		return err
	})
	return n.Host("h1")
}
