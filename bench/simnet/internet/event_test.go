package internet

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// worlds are what a path can be like.
var worlds = Config{
	Seed: 5, MinHops: 6, MaxHops: 24, Silent: 10, SilentHosts: 10,
	Diamonds: 30, Loops: 20, Unreachable: 20,
}

// TestLengths looks at paths of 6 to 24 hops: there are such of every length.
func TestLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var n [65]int
	for range 10000 {
		n[worlds.Path(randomAddr(r, r.IntN(2) == 1))]++
	}
	for length, count := range n {
		if isIn := length >= 6 && length <= 24; isIn != (count > 0) {
			t.Errorf("%d paths have %d hops", count, length)
		}
	}
}

// TestAnswersAreRouters asks with many flows: who answers is one of the
// routers at that TTL, and each of those answers some flow.
func TestAnswersAreRouters(t *testing.T) {
	c := worlds
	r := rand.New(rand.NewPCG(1, 4))
	var widths [6]int
	for i := range 300 {
		dst := randomAddr(r, i%2 == 1)
		end, at := c.End(dst)
		for ttl := 1; ttl <= at+3; ttl++ {
			routers := c.Routers(nil, dst, ttl)
			widths[len(routers)]++
			if end == Reaches && ttl >= at {
				if len(routers) != 0 {
					t.Errorf("%s TTL %d: routers %v at the destination", dst, ttl, routers)
				}
				continue
			}
			seen := map[Truth]bool{}
			for port := range 200 {
				f := Flow{Src: source(&c, dst), Protocol: 17, Head: uint32(port)}
				got := c.AnswerFlow(dst, ttl, frame.UDP, f)
				if !slices.Contains(routers, got) {
					t.Fatalf("%s TTL %d: %+v is none of %+v", dst, ttl, got, routers)
				}
				seen[got] = true
			}
			if len(seen) != len(routers) {
				t.Errorf("%s TTL %d: 200 flows see %d of %d routers", dst, ttl, len(seen), len(routers))
			}
		}
	}
	if widths[2] == 0 || widths[3] == 0 || widths[4] == 0 || widths[5] != 0 || widths[1] < widths[2]+widths[3]+widths[4] {
		t.Errorf("hops by how many routers they have: %v", widths)
	}
}

// TestFlowFields changes one field of a flow after the other: each can mean
// another router.
func TestFlowFields(t *testing.T) {
	c := Config{Diamonds: 100}.withDefaults()
	for v6, dst := range map[bool]netip.Addr{false: destinations[0], true: destinations[3]} {
		base := Flow{Src: source(&c, dst), Protocol: 17, Head: 5}
		for name, change := range map[string]func(*Flow, int){
			"source":   func(f *Flow, i int) { f.Src = randomAddr(rand.New(rand.NewPCG(1, uint64(i))), v6) },
			"protocol": func(f *Flow, i int) { f.Protocol = uint8(i) },
			"head":     func(f *Flow, i int) { f.Head = uint32(i) },
			"id":       func(f *Flow, i int) { f.ID = uint16(i) },
			"label":    func(f *Flow, i int) { f.Label = uint32(i) },
		} {
			seen := map[netip.Addr]bool{}
			for i := range 100 {
				f := base
				change(&f, i)
				seen[c.AnswerFlow(dst, 4, frame.UDP, f).From] = true
			}
			if len(seen) < 2 {
				t.Errorf("%s: %s changes nothing", dst, name)
			}
		}
	}
}

// TestEvents walks paths: those that circle repeat two routers, those that are
// refused end at a router, and the shares are right.
func TestEvents(t *testing.T) {
	c := worlds
	c.Diamonds, c.Silent = 0, 0
	r := rand.New(rand.NewPCG(1, 5))
	const paths = 20000
	var ends [3]int
	var codes [2]map[uint8]int
	codes[0], codes[1] = map[uint8]int{}, map[uint8]int{}
	repeats := 0
	for i := range paths {
		v6 := i % 2
		dst := netip.AddrFrom4([4]byte{byte(1 + r.IntN(99)), byte(r.Uint32()), byte(r.Uint32()), 1})
		if v6 == 1 {
			dst = netip.AddrFrom16([16]byte{0x20, 1, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), 15: 1})
		}
		end, at := c.End(dst)
		ends[end]++
		from := func(ttl int) netip.Addr { return c.Answer(dst, ttl, frame.UDP).From }
		switch last := c.Answer(dst, at, frame.UDP); end {
		case Refuses:
			codes[v6][last.Code]++
			if last.Kind != frame.KindUnreachable || last != c.Answer(dst, 200, frame.UDP) || last.From == dst || last.Hop != at {
				t.Errorf("%s ends with %+v", dst, last)
			}
		case Circles:
			for ttl := at; ttl < 255; ttl++ {
				if from(ttl) != from(ttl-2) || from(ttl) == from(ttl-1) || c.Answer(dst, ttl, frame.UDP).Hop != ttl {
					t.Errorf("%s does not circle at TTL %d", dst, ttl)
				}
			}
		case Reaches:
			for ttl := 3; ttl < at; ttl++ {
				if from(ttl) == from(ttl-2) {
					repeats++
				}
			}
			if from(at) != dst {
				t.Errorf("%s is not reached", dst)
			}
		}
	}
	near := func(what string, n, of, percent int) {
		if low, top := of*(percent-2)/100, of*(percent+2)/100; n < low || n > top {
			t.Errorf("%s: %d of %d, want %d to %d", what, n, of, low, top)
		}
	}
	near("refused", ends[Refuses], paths, 20)
	near("endless loops", ends[Circles], paths, 10)
	near("single repeats", repeats, paths, 10)
	for v6, want := range [][]uint8{{0, 1, 13}, {0, 3, 1}} {
		for _, code := range want {
			if codes[v6][code] < paths/50 || len(codes[v6]) != 3 {
				t.Errorf("codes %v, want all of %v, with equal shares", codes[v6], want)
			}
		}
	}
}
