package pmtu_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/hops"
	"github.com/hopquote/hopquote/scheduler/pmtu"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

// drawPath draws a path of up to 8 hops that all links carry the smallest
// sizes over.
func drawPath(t *rapid.T) path {
	c := path{
		v6:      rapid.Bool().Draw(t, "IPv6"),
		method:  rapid.SampledFrom([]frame.Method{frame.UDP, frame.ICMP}).Draw(t, "method"),
		queries: rapid.IntRange(1, 4).Draw(t, "queries"),
		window:  rapid.SampledFrom([]int{1, 2, 5, 16}).Draw(t, "window"),
		size:    rapid.SampledFrom([]int{0, 100, 1500, 9000}).Draw(t, "size"),
		wait:    hops.Wait{Max: 200 * ms, Here: float64(rapid.IntRange(0, 3).Draw(t, "here"))},
	}
	for n := range rapid.IntRange(1, 8).Draw(t, "hops") {
		mtu := rapid.OneOf(rapid.IntRange(80, 1600), rapid.SampledFrom([]int{80, 576, 1280, 1400, 1500, 9000, 65535})).Draw(t, "MTU")
		c.links = append(c.links, mtu)
		if n > 0 && rapid.Bool().Draw(t, "silent") {
			c.silent = append(c.silent, n)
		}
		if n > 0 && rapid.IntRange(0, 5).Draw(t, "mute") == 0 {
			c.mute = append(c.mute, n)
		}
	}
	return c
}

// perTTL is the most probes that a TTL got.
func perTTL(sent []virtual.Sent) int {
	var count [256]int
	most := 0
	for _, p := range sent {
		count[p.Probe.TTL]++
		most = max(most, count[p.Probe.TTL])
	}
	return most
}

// Without loss every hop that answers shows the smallest MTU on the way to it,
// however the routers behave; hops that never answer show nothing.
func TestSearchFindsTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawPath(t)
		got, err := run(c, pmtu.NewSearch)
		if err != nil {
			t.Fatal(err)
		}
		mute := map[int]bool{}
		for _, n := range c.mute {
			mute[n] = true
		}
		size, shown := c.size, 0
		if size == 0 {
			size = 65000
		}
		for _, r := range got.strategy.Records() {
			size = min(size, c.links[min(r.TTL, len(c.links))-1])
			switch {
			case mute[r.TTL]:
				if r.Outcome != hops.Lost || r.Probed {
					t.Errorf("hop %d never answers, and shows %v, size %d", r.TTL, r.Outcome, r.Shrunk)
				}
			case r.Outcome != hops.Hop && r.Outcome != hops.Arrived:
				t.Errorf("hop %d query %d: outcome %v", r.TTL, r.Query, r.Outcome)
			case r.Probe.Size != size:
				t.Errorf("hop %d query %d: size %d, want %d of %v", r.TTL, r.Query, r.Probe.Size, size, c.links)
			}
			if r.Shrunk != 0 {
				shown = int(r.Shrunk)
			}
		}
		if shown != 0 && shown != size {
			t.Errorf("the last size shown is %d, want %d", shown, size)
		}
		if !got.strategy.Reached() {
			t.Errorf("not at the destination: %q", got.lines)
		}
		if most := perTTL(got.net.Sent); most > pmtu.MostProbes(c.queries) {
			t.Errorf("%d probes of one TTL, the bound is %d", most, pmtu.MostProbes(c.queries))
		}
	})
}

// Whatever is lost, late, doubled or told, the search ends within its bound,
// prints every place once, and never shows more than the path carries.
func TestSearchEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawPath(t)
		c.wait.Max = 20 * ms
		c.tell = map[int]uint32{}
		for n := range c.links {
			if n > 0 && rapid.Bool().Draw(t, "lies") {
				c.tell[n] = rapid.Uint32Range(0, 1600).Draw(t, "tells")
			}
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		loss := rapid.Float64Range(0, 0.9).Draw(t, "loss")
		respond := c.network().Respond
		c.answer = func(p virtual.Sent) []virtual.Reply {
			replies := respond(p)
			for i := range replies {
				replies[i].After = time.Duration(r.IntN(30)) * ms
			}
			return append(replies, replies[:r.IntN(len(replies)+1)]...)
		}
		// The links answer in c.answer, so that their too-big messages come
		// late and twice as well.
		links := c.links
		c.lose = func(virtual.Sent) bool { return r.Float64() < loss }
		c.links = []int{links[0]}
		got, err := run(c, pmtu.NewSearch)
		if err != nil {
			t.Fatal(err)
		}
		if most := perTTL(got.net.Sent); most > pmtu.MostProbes(c.queries) {
			t.Errorf("%d probes of one TTL, the bound is %d", most, pmtu.MostProbes(c.queries))
		}
		for i, line := range got.lines {
			if line[:2] != " "+string(rune('1'+i)) && i < 9 {
				t.Errorf("line %d is %q", i+1, line)
			}
		}
		size := 65535
		for _, r := range got.strategy.Records() {
			size = min(size, links[min(r.TTL, len(links))-1])
			if (r.Outcome == hops.Hop || r.Outcome == hops.Arrived) && r.Probe.Size > size {
				t.Errorf("hop %d query %d got through at %d bytes over %v", r.TTL, r.Query, r.Probe.Size, links)
			}
		}
	})
}

// A told trace shows the same sizes where every router tells.
func TestToldFindsTheMinimum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawPath(t)
		c.silent, c.mute, c.window = nil, nil, 1
		told, err := run(c, pmtu.NewTold)
		if err != nil {
			t.Fatal(err)
		}
		size := 65000
		if c.size != 0 {
			size = c.size
		}
		for _, r := range told.strategy.Records() {
			size = min(size, c.links[min(r.TTL, len(c.links))-1])
			if r.Probe.Size != size {
				t.Errorf("hop %d: size %d, want %d", r.TTL, r.Probe.Size, size)
			}
		}
	})
}
