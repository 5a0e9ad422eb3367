package attribute

import (
	"math/rand/v2"
	"testing"
	"time"
)

// traffic is probes with a reply to each.
func traffic(t testing.TB, n int) [][]byte {
	r := rand.New(rand.NewPCG(3, 4))
	var list [][]byte
	for range n {
		p := random(r)
		b := build(t, p)
		list = append(list, b, exceeded(&p, expire(b)))
	}
	return list
}

// flood is look-alikes: right ports and addresses of one flow of many probes,
// wrong numbers.
func flood(t testing.TB, n int) [][]byte {
	r := rand.New(rand.NewPCG(5, 6))
	p := random(r)
	for p.IsIPv6() || p.Method != 1 {
		p = random(r)
	}
	var list [][]byte
	for i := range n {
		p.ID = uint16(1 + i)
		p.Size = 64 + i%64
		b := build(t, p)
		q := expire(b)
		q[4], q[5], q[26], q[27] = 0xff, byte(i), byte(i), 0x77
		list = append(list, b, exceeded(&p, q))
	}
	return list
}

func BenchmarkPacket(b *testing.B) {
	for _, bm := range []struct {
		name    string
		packets [][]byte
		keys    []Key
	}{
		{"exact", traffic(b, 4096), nil},
		{"exact with keys", traffic(b, 4096), Keys()},
		{"look-alikes", flood(b, 4096), nil},
	} {
		b.Run(bm.name, func(b *testing.B) {
			// A packet that comes again has been forgotten by then.
			const age = 4 * time.Millisecond
			tracker := New(Config{Packets: 1 << 16, Bytes: 16 << 20, Keys: bm.keys, Age: age, Wait: age})
			var res Result
			var bytes int64
			for i := 0; b.Loop(); i++ {
				ip := bm.packets[i%len(bm.packets)]
				bytes += int64(len(ip))
				tracker.Packet(time.Duration(i)*time.Microsecond, 0, ip, &res)
			}
			b.ReportAllocs()
			b.SetBytes(bytes / int64(b.N))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}

// The common way through the tracker allocates nothing.
func TestPacketAllocatesNothing(t *testing.T) {
	packets := traffic(t, 256)
	config := small()
	tracker := New(config)
	var res Result
	i := 0
	if n := testing.AllocsPerRun(2000, func() {
		tracker.Packet(time.Duration(i)*time.Microsecond, 0, packets[i%len(packets)], &res)
		i++
	}); n != 0 {
		t.Errorf("%v allocations for a packet, want 0", n)
	}
}
