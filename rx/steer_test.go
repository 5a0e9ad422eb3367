package rx

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hopquote/hopquote/frame"
)

// steerCases are frames of replies to a probe of the method from port, without
// link header, and whether they go by that port or to shard 0.
func (f family) steerCases(t testing.TB, m frame.Method, port uint16) map[string]struct {
	frame  []byte
	byPort bool
} {
	type c = struct {
		frame  []byte
		byPort bool
	}
	const l = frame.LinkRaw
	quote := portProbe(t, f, m, port)
	about := func(typ uint8, quote []byte) []byte { return f.errorAbout(l, typ, f.local, quote) }
	exceeded, answer := about(f.exceeded, quote), f.answerTo(l, m, f.local, port)
	cases := map[string]c{
		"time exceeded":     {exceeded, true},
		"unreachable":       {about(f.unreachable, quote), true},
		"parameter problem": {about(f.problem, quote), true},
		"answer":            {answer, true},
		"other message":     {about(42, quote), false},
		"no quote":          {about(f.exceeded, nil), false},
		"other version":     {patch(exceeded, 0, 0x50), false},
		"empty":             {nil, false},
	}
	if f.local.Is4() {
		cases["options"] = c{withOptions(exceeded, 0, 8), true}
		cases["quoted options"] = c{withOptions(about(f.exceeded, withOptions(quote, 0, 40)), 0, 40), true}
		cases["options of the answer"] = c{withOptions(answer, 0, 40), true}
		cases["first fragment"] = c{patch(answer, 6, 0x20), true}
		cases["later fragment"] = c{patch(answer, 7, 1), false}
		cases["quoted later fragment"] = c{about(f.exceeded, patch(quote, 7, 1)), false}
		cases["other protocol"] = c{patch(answer, 9, 99), false}
		cases["quoted other protocol"] = c{about(f.exceeded, patch(quote, 9, 99)), false}
		cases["cut"] = c{exceeded[:20+8+20+1], false}
		return cases
	}
	cases["too big"] = c{about(2, quote), true}
	cases["other protocol"] = c{patch(answer, 6, 99), false}
	cases["cut"] = c{exceeded[:40+8+40+1], false}
	for _, n := range []byte{protoHopByHop, protoRouting, protoFragment, protoAuth, protoDstOptions} {
		cases[fmt.Sprint("extension header ", n)] = c{patch(answer, 6, n), false}
		cases[fmt.Sprint("quoted extension header ", n)] = c{about(f.exceeded, patch(quote, 6, n)), false}
	}
	return cases
}

func TestSteering(t *testing.T) {
	for _, shards := range []int{1, 2, 3, 4, 256} {
		code, err := steering(shards)
		vm := surveyVM(t, code, err)
		for _, f := range []family{ipv4, ipv6} {
			for m := frame.UDP; m <= frame.DCCP; m++ {
				for _, port := range []uint16{1, 2, 3, 40000, 40001, 0xfeff, 0xffff} {
					for name, c := range f.steerCases(t, m, port) {
						want := 0
						if c.byPort {
							want = ShardOf(port, shards)
						}
						if got, err := vm.Run(c.frame); got != want || err != nil {
							t.Errorf("%v, %s, %s, port %d: shard %d of %d, error %v; want %d", f.local, m, name, port, got, shards, err, want)
						}
					}
				}
			}
		}
	}
}

// Whatever the survey filter keeps and the codec reads a port from, without
// extension headers, goes to that port's shard.
func FuzzSteering(f *testing.F) {
	for m := frame.UDP; m <= frame.DCCP; m++ {
		for _, fam := range []family{ipv4, ipv6} {
			cases := fam.steerCases(f, m, firstPort+3)
			names := make([]string, 0, len(cases))
			for name := range cases {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				f.Add(cases[name].frame)
			}
		}
	}
	const shards = 7
	code, err := steering(shards)
	vm := surveyVM(f, code, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := vm.Run(b)
		if err != nil || got < 0 || got >= shards {
			t.Fatalf("shard %d, error %v", got, err)
		}
		var r frame.Reply
		frame.Decode(b, frame.LinkRaw, true, &r)
		key, ok := r.Key()
		if !ok || unfit(&r) != ReasonNone || r.Kind.IsError() && r.Quote.Src.Is6() != r.To.Is6() {
			return
		}
		want := ShardOf(uint16(key>>16), shards)
		if r.To.Is6() && (b[6] != r.Protocol || r.Kind.IsError() && b[40+8+6] != r.Quote.Protocol) {
			want = 0
		}
		if got != want {
			t.Errorf("shard %d, want %d, of %x", got, want, b)
		}
	})
}
