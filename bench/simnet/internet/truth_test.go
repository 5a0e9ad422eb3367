package internet

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
)

// TestPathsAreTree looks at pairs of destinations: hops that see no difference
// between their prefixes have the same router, and others mostly do not.
func TestPathsAreTree(t *testing.T) {
	c := Config{Seed: 1, Shared: 3, MinHops: 16, MaxHops: 16}
	tests := []struct {
		a, b string
		same int // hops
	}{
		{"20.1.2.3", "20.1.2.4", 15},
		{"20.1.2.3", "20.1.3.3", 8},  // 23 bits: not the 24 of hop 9
		{"20.1.2.3", "20.9.2.3", 6},  // 12 bits
		{"20.1.2.3", "150.0.0.1", 3}, // none
		{"2001:db8::1", "2001:db8::2", 15},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", 15}, // 48 bits
		{"2001:db8::1", "2001:db8:1::1", 8},
		{"2001:db8::1", "2a00::1", 3},
	}
	for _, test := range tests {
		a, b := netip.MustParseAddr(test.a), netip.MustParseAddr(test.b)
		for hop := 1; hop < 16; hop++ {
			x, y := c.Answer(a, hop, frame.UDP), c.Answer(b, hop, frame.UDP)
			if same := x == y; same != (hop <= test.same) {
				t.Errorf("%s and %s share hop %d: %v, want %v (%s, %s)", a, b, hop, same, !same, x.From, y.From)
			}
		}
	}
}

// TestShares counts what many routers and destinations are like.
func TestShares(t *testing.T) {
	c := Config{Seed: 3, Silent: 20, SilentHosts: 60, Minimal: 50, Labeled: 10, MinHops: 10, MaxHops: 13}
	r := rand.New(rand.NewPCG(1, 1))
	const hosts = 20000
	var lengths [20]int
	var silentHosts, silent int
	var quotings [3]int
	answered := 0
	for i := range hosts {
		dst := netip.AddrFrom4([4]byte{byte(1 + r.IntN(100)), byte(r.Uint32()), byte(r.Uint32()), byte(i)})
		lengths[c.Path(dst)]++
		if c.Answer(dst, 64, frame.UDP).Silent {
			silentHosts++
		}
		truth := c.Answer(dst, 9, frame.UDP)
		if truth.Silent {
			silent++
			continue
		}
		quotings[truth.Quoting]++
		answered++
	}
	near := func(what string, n, of, percent int) {
		if low, top := of*(percent-2)/100, of*(percent+2)/100; n < low || n > top {
			t.Errorf("%s: %d of %d, want %d to %d", what, n, of, low, top)
		}
	}
	near("silent hosts", silentHosts, hosts, 60)
	near("silent routers", silent, hosts, 20)
	near("minimal quotes", quotings[Minimal], answered, 50)
	near("labeled quotes", quotings[Labeled], answered, 10)
	near("full quotes", quotings[Full], answered, 40)
	for n := 10; n <= 13; n++ {
		near("paths of a length", lengths[n], hosts, 25)
	}
}

// TestHabits counts the destinations that refuse and those that have services,
// and sees all codes of the first, whatever the method.
func TestHabits(t *testing.T) {
	c := Config{Seed: 3, Guarded: 30, Services: 40}
	for _, v6 := range []bool{false, true} {
		r := rand.New(rand.NewPCG(1, 1))
		const hosts = 10000
		guarded, services := 0, 0
		codes := map[uint8]int{}
		for range hosts {
			dst := randomAddr(r, v6)
			udp, tcp := c.Answer(dst, 64, frame.UDP), c.Answer(dst, 64, frame.TCP)
			switch {
			case tcp.Kind == frame.KindUnreachable && udp != tcp:
				t.Fatalf("%s says %+v and %+v", dst, udp, tcp)
			case tcp.Kind == frame.KindUnreachable:
				guarded++
				codes[tcp.Code]++
			case udp.Kind == frame.KindUDP:
				services++
			}
		}
		want := choose(v6, guards4, guards6)
		for _, code := range want {
			if codes[code] < hosts*30/100/len(want)*8/10 {
				t.Errorf("IPv6 %t: code %d %d times", v6, code, codes[code])
			}
		}
		if len(codes) != len(want) || guarded < 2800 || guarded > 3200 || services < 2600 || services > 3000 {
			t.Errorf("IPv6 %t: %d refuse by codes %v, %d have services", v6, guarded, codes, services)
		}
	}
	gateway := c.Answer(netip.MustParseAddr("10.99.0.254"), 9, frame.UDP)
	if c = (Config{Seed: 3, Guarded: 100, Services: 100}); gateway.Code != 3 || gateway != c.Answer(gateway.From, 9, frame.UDP) {
		t.Errorf("the gateway has habits: %+v", gateway)
	}
}

// TestSeedStays pins some truths down: results of different versions can be
// compared as long as a seed means the same Internet.
func TestSeedStays(t *testing.T) {
	c := Config{Seed: 1}
	got := []Truth{
		c.Answer(netip.MustParseAddr("20.0.0.1"), 7, frame.UDP),
		c.Answer(netip.MustParseAddr("20.0.0.1"), 30, frame.TCP),
		c.Answer(netip.MustParseAddr("2001:db8::1"), 7, frame.ICMP),
		c.Answer(netip.MustParseAddr("10.99.0.254"), 1, frame.ICMP),
	}
	want := []Truth{
		{Hop: 7, From: netip.MustParseAddr("100.110.106.184"), Kind: frame.KindTimeExceeded, TTL: 249},
		{Hop: 19, From: netip.MustParseAddr("20.0.0.1"), Kind: frame.KindTCP, TTL: 46},
		{Hop: 7, From: netip.MustParseAddr("2001:db8:ffff:ffff:66d1:d2dc:c0e0:5b33"), Kind: frame.KindTimeExceeded, TTL: 249},
		{Hop: 1, From: netip.MustParseAddr("10.99.0.254"), Kind: frame.KindEchoReply, TTL: 64},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswerAllocations(t *testing.T) {
	c := Config{}
	for _, dst := range destinations {
		if n := testing.AllocsPerRun(100, func() { c.Answer(dst, 7, frame.UDP) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", dst, n)
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	c := Config{}
	b.ReportAllocs()
	for b.Loop() {
		c.Answer(destinations[0], 7, frame.UDP)
	}
}
