package score

import (
	"bytes"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/frame"
)

// world has everything that a path can be like.
var world = internet.Config{
	Seed: 3, MinHops: 6, MaxHops: 24, Silent: 10, SilentHosts: 20, Diamonds: 30, Loops: 10, Unreachable: 15,
}

// flow is that of UDP probes to a target with ports of 16 bits each.
func flow(target netip.Addr, ports uint32) internet.Flow {
	return internet.Flow{Src: addr("10.99.0.1"), Protocol: 17, Head: ports}
}

// probe asks every TTL of every target in so many flows, and gives the results.
func probe(c internet.Config, targets iter.Seq[netip.Addr], flows int) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		for target := range targets {
			for ttl := 1; ttl <= 32; ttl++ {
				for i := range flows {
					t := c.AnswerFlow(target, ttl, frame.UDP, flow(target, uint32(i)))
					if !t.Silent && !yield(Result{target, ttl, t.From}) {
						return
					}
				}
			}
		}
	}
}

// TestCorrectProber scores one that asks everything: it has found everything
// that its flows can see, and nothing else.
func TestCorrectProber(t *testing.T) {
	const targets = 1000
	in := func(flows int) View {
		return View{Flows: func(target netip.Addr) (list []internet.Flow) {
			for i := range flows {
				list = append(list, flow(target, uint32(i)))
			}
			return list
		}}
	}
	for name, r := range map[string]Report{
		"one flow":   Score(Truth(world, hosts(targets), in(1)), probe(world, hosts(targets), 1)),
		"two flows":  Score(Truth(world, hosts(targets), in(2)), probe(world, hosts(targets), 2)),
		"many flows": Score(Truth(world, hosts(targets), View{}), probe(world, hosts(targets), 60)),
	} {
		if r.Wrong() != 0 || r.Interfaces.Missed+r.Hops.Missed+r.Targets.Missed != 0 || r.Strangers != 0 {
			t.Errorf("%s: %v", name, &r)
		}
		if r.Interfaces.Found < targets || r.Hops.Found < 5*targets || r.Targets.Found < targets/3 {
			t.Errorf("%s: found too little: %v", name, &r)
		}
	}
	few := Score(Truth(world, hosts(targets), View{}), probe(world, hosts(targets), 1))
	if few.Wrong() != 0 || few.Interfaces.Missed == 0 || few.Hops.Missed == 0 {
		t.Errorf("one flow, held against all: %v", &few)
	}
	other := world
	other.Seed++
	if r := Score(Truth(other, hosts(targets), View{}), probe(world, hosts(targets), 1)); r.Interfaces.Wrong == 0 || r.Hops.Wrong == 0 {
		t.Errorf("held against another Internet: %v", &r)
	}
}

// TestEnds looks for a path of each end, and what it says.
func TestEnds(t *testing.T) {
	seen := map[string]int{}
	for p := range Truth(world, hosts(500), View{}) {
		seen[p.End]++
		last := p.Hops[len(p.Hops)-1]
		switch isTarget := last.Routers[0].Address == p.Target; {
		case isTarget != (p.End == Reached || p.End == Silent), last.Routers[0].Refuses && p.End != Refused:
			t.Errorf("%s: %s with %+v", p.Target, p.End, last)
		case p.End == Loop && !cmp.Equal(last.Routers, p.Hops[p.Distance-2].Routers, cmp.Comparer(equal)):
			t.Errorf("%s: no loop: %+v", p.Target, p.Hops)
		}
		if err := p.check(); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 4 {
		t.Errorf("ends: %v", seen)
	}
}

func equal(a, b netip.Addr) bool { return a == b }

func TestLines(t *testing.T) {
	want := slices.Collect(Truth(world, hosts(200), View{}))
	var b bytes.Buffer
	if err := Write(&b, slices.Values(want)); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte("\n")); n != 201 {
		t.Errorf("%d lines, want one and 200", n)
	}
	var got []Path
	for p, err := range Read(&b) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(equal)); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	const first = `{"schema":"hopquote.truth/1"}` + "\n"
	for text, want := range map[string]string{
		"":                       "score: read the first line: EOF",
		`{"schema":"x"}`:         `score: schema "x": must be "hopquote.truth/1"`,
		first + "{":              "score: read path 1: unexpected EOF",
		first + `{"target":"x"}`: "unable to parse IP",
		first + `{"distance":1}`: "invalid IP at distance 1 with 0 hops",
		first + `{"target":"20.0.0.1","distance":256,"hops":[]}`:        "20.0.0.1 at distance 256 with 0 hops",
		first + `{"target":"20.0.0.1","distance":1,"hops":[{"ttl":2}]}`: "20.0.0.1: hop 1 has TTL 2",
	} {
		n := 0
		for _, err := range Read(strings.NewReader(text)) {
			n++
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %s", text, err, want)
			}
		}
		if n != 1 {
			t.Errorf("%q: %d paths, want one error", text, n)
		}
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	for _, n := range []int{0, 1000} {
		if err := Write(full{}, Truth(world, hosts(n), View{})); !errors.Is(err, errFull) {
			t.Errorf("%d paths: %v", n, err)
		}
	}
}
