package rx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// blockPacket is a packet as the tests write it into a block.
type blockPacket struct {
	data   string
	sec    uint32
	nsec   uint32
	status uint32
	typ    byte // sll_pkttype
}

// Offsets in linux/if_packet.h, written out to check the ones that come from
// Go's structures: those of the block's header are from its start.
const (
	offStatus, offCount, offFirst            = 8, 12, 16
	offNext, offSec, offNsec, offSnap        = 0, 4, 8, 12
	offPacketStatus, offMac, offType, offFit = 20, 24, 48 + 10, 68
)

// newBlock writes a block as the kernel does, frames 82 bytes into their slots.
func newBlock(packets ...blockPacket) []byte {
	const first, mac, slot = 48, 82, 128
	b := make([]byte, 4096)
	put := binary.NativeEndian.PutUint32
	put(b[offStatus:], unix.TP_STATUS_USER|unix.TP_STATUS_BLK_TMO)
	put(b[offCount:], uint32(len(packets)))
	put(b[offFirst:], first)
	for i, p := range packets {
		h := b[first+i*slot:]
		if i+1 < len(packets) {
			put(h[offNext:], slot)
		}
		put(h[offSec:], p.sec)
		put(h[offNsec:], p.nsec)
		put(h[offSnap:], uint32(len(p.data)))
		put(h[offPacketStatus:], p.status)
		binary.NativeEndian.PutUint16(h[offMac:], mac)
		h[offType] = p.typ
		copy(h[mac:], p.data)
	}
	return b
}

type seen struct {
	Data      string
	At        time.Duration
	Offloaded bool
}

func walkAll(b []byte, shift int64) ([]seen, error) {
	var got []seen
	p := Packet{Local: true}
	_, _, err := walk(b, shift, &p, func(p *Packet) {
		if p.Local || len(p.Data) != cap(p.Data) {
			panic(fmt.Sprintf("packet %+v", p))
		}
		got = append(got, seen{string(p.Data), p.At, p.Offloaded})
	})
	return got, err
}

func TestWalk(t *testing.T) {
	b := newBlock(
		blockPacket{data: "one", sec: 1_900_000_000, nsec: 5, status: unix.TP_STATUS_USER},
		blockPacket{data: "ours", sec: 1_900_000_000, nsec: 6, typ: unix.PACKET_OUTGOING},
		blockPacket{data: "", sec: 1_900_000_001, nsec: 7, status: unix.TP_STATUS_CSUMNOTREADY},
		blockPacket{data: "three", sec: 1_900_000_002, status: unix.TP_STATUS_CSUMNOTREADY | unix.TP_STATUS_CSUM_VALID},
		blockPacket{data: "early", sec: 1_899_999_999},
	)
	if !ready(b) {
		t.Error("the block isn't ready")
	}
	got, err := walkAll(b, 1_900_000_000e9)
	if err != nil {
		t.Fatal(err)
	}
	want := []seen{
		{"one", 5, false},
		{"", time.Second + 7, true},
		{"three", 2 * time.Second, false},
		{"early", -time.Second, false},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("packets (-want +got):\n%s", d)
	}
	if handed, outgoing, _ := walk(b, 0, &Packet{}, func(*Packet) {}); handed != 4 || outgoing != 1 {
		t.Errorf("%d packets handed out and %d left out, want 4 and 1", handed, outgoing)
	}
	if giveBack(b); ready(b) || binary.NativeEndian.Uint32(b[offStatus:]) != unix.TP_STATUS_KERNEL {
		t.Error("the block wasn't given back")
	}
}

func TestWalkBroken(t *testing.T) {
	put := binary.NativeEndian.PutUint32
	for _, c := range []struct {
		name   string
		damage func(b []byte)
		seen   int
		want   string
	}{
		{"first packet outside", func(b []byte) { put(b[offFirst:], 4096) }, 0,
			"packet 0 of 2 at offset 4096 is outside of 4096 bytes"},
		{"first packet far outside", func(b []byte) { put(b[offFirst:], 0xfffffff8) }, 0,
			"packet 0 of 2 at offset 4294967288 is outside of 4096 bytes"},
		{"no room for the header", func(b []byte) { put(b[offFirst:], 4096-offFit+4) }, 0,
			"packet 0 of 2 at offset 4032 is outside of 4096 bytes"},
		{"crooked", func(b []byte) { put(b[offFirst:], 49) }, 0,
			"packet 0 of 2 at offset 49 is outside of 4096 bytes"},
		{"too long", func(b []byte) { put(b[48+offSnap:], 4096-48-82+1) }, 0,
			"packet 0 of 2 ends at offset 4097, outside of 4096 bytes"},
		{"as long as an integer", func(b []byte) { put(b[48+offSnap:], 0xffffffff) }, 0,
			"packet 0 of 2 ends at offset 4294967425, outside of 4096 bytes"},
		{"next outside", func(b []byte) { put(b[48+offNext:], 0xfffffff0) }, 1,
			"packet 1 of 2 at offset 4294967328 is outside of 4096 bytes"},
		{"no next", func(b []byte) { put(b[48+offNext:], 0) }, 1,
			"packet 0 of 2 at offset 48 leads to none"},
	} {
		b := newBlock(blockPacket{data: "one"}, blockPacket{data: "two"})
		c.damage(b)
		got, err := walkAll(b, 0)
		if err == nil || err.Error() != c.want || len(got) != c.seen {
			t.Errorf("%s: %d packets, error %v; want %d, %s", c.name, len(got), err, c.seen, c.want)
		}
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(newBlock(blockPacket{data: "one"}, blockPacket{data: "two"})[:512])
	f.Add(make([]byte, 48))
	f.Fuzz(func(t *testing.T, content []byte) {
		b := make([]byte, 4096)
		copy(b, content)
		// An error or packets inside the block; not a crash, not a long loop.
		n := 0
		var p Packet
		walk(b, 0, &p, func(p *Packet) { n++ })
		if n > len(b)/8 {
			t.Fatalf("%d packets in %d bytes", n, len(b))
		}
	})
}

func TestWalkAllocatesNothing(t *testing.T) {
	b := newBlock(blockPacket{data: "one"}, blockPacket{data: "two"}, blockPacket{data: "three"})
	var p Packet
	total := 0
	count := func(p *Packet) { total += len(p.Data) }
	if n := testing.AllocsPerRun(100, func() { walk(b, 0, &p, count) }); n != 0 {
		t.Errorf("three packets allocate %v times, want 0", n)
	}
}

// BenchmarkWalk walks one block over and over, and, with "cold", 64 MiB of them
// in turn, of which each packet's bytes are read as a decoder would.
func BenchmarkWalk(b *testing.B) {
	packets := make([]blockPacket, 31)
	for i := range packets {
		packets[i].data = "forty bytes of reply, or about that much"
	}
	block := newBlock(packets...)
	for name, blocks := range map[string]int{"warm": 1, "cold": 16384} {
		b.Run(name, func(b *testing.B) {
			memory := bytes.Repeat(block, blocks)
			var p Packet
			total := 0
			count := func(p *Packet) { total += len(p.Data) + int(p.Data[0]) + int(p.Data[39]) }
			at := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := walk(memory[at:at+len(block)], 0, &p, count); err != nil {
					b.Fatal(err)
				}
				at = (at + len(block)) % len(memory)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
		})
	}
}
