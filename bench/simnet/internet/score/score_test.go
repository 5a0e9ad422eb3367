package score

import (
	"iter"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// hop is one whose routers answer, but for those with a minus sign.
func hop(ttl int, routers ...string) Hop {
	h := Hop{TTL: ttl}
	for _, r := range routers {
		isSilent := r[0] == '-'
		if isSilent {
			r = r[1:]
		}
		h.Routers = append(h.Routers, Router{Address: addr(r), Silent: isSilent})
	}
	return h
}

// small is a truth of one path of each kind; they share 10.0.0.1.
var small = []Path{
	{addr("20.0.0.1"), Reached, 4, []Hop{hop(1, "10.0.0.1"), hop(2, "10.0.0.2", "10.0.0.3", "-10.0.0.4"), hop(3, "-10.0.0.5"), hop(4, "20.0.0.1")}},
	{addr("20.0.0.2"), Silent, 2, []Hop{hop(1, "10.0.0.1"), hop(2, "-20.0.0.2")}},
	{addr("20.0.0.3"), Loop, 3, []Hop{hop(1, "10.0.0.1"), hop(2, "10.0.0.6"), hop(3, "10.0.0.1"), hop(4, "10.0.0.6")}},
	{addr("2001:db8::1"), Refused, 2, []Hop{hop(1, "fd00::1"), {TTL: 2, Routers: []Router{{Address: addr("fd00::2"), Refuses: true}}}}},
}

// allOf is what a prober that finds everything reports.
func allOf(paths []Path) []Result {
	var list []Result
	for _, p := range paths {
		for _, h := range p.Hops {
			for _, r := range h.Routers {
				if !r.Silent {
					list = append(list, Result{p.Target, h.TTL, r.Address})
				}
			}
		}
	}
	return list
}

func TestScore(t *testing.T) {
	all := allOf(small)
	perfect := Report{Interfaces: Tally{Found: 6}, Hops: Tally{Found: 11}, Targets: Tally{Found: 1}}
	tests := []struct {
		name    string
		results []Result
		want    func(*Report)
	}{
		{"everything", all, func(*Report) {}},
		{"twice", append(slices.Clone(all), all...), func(*Report) {}},
		{"nothing", nil, func(r *Report) {
			r.Interfaces, r.Hops, r.Targets = Tally{Missed: 6}, Tally{Missed: 11}, Tally{Missed: 1}
		}},
		{"no answers", []Result{{Target: addr("20.0.0.1"), TTL: 3}}, func(r *Report) {
			r.Interfaces, r.Hops, r.Targets = Tally{Missed: 6}, Tally{Missed: 11}, Tally{Missed: 1}
		}},
		{"an interface less", slices.DeleteFunc(slices.Clone(all), func(r Result) bool { return r.From == addr("10.0.0.2") }), func(r *Report) {
			r.Interfaces, r.Hops = Tally{Found: 5, Missed: 1}, Tally{Found: 10, Missed: 1}
		}},
		{"the target less", slices.DeleteFunc(slices.Clone(all), func(r Result) bool { return r.From == r.Target }), func(r *Report) {
			r.Hops, r.Targets = Tally{Found: 10, Missed: 1}, Tally{Missed: 1}
		}},
		{"past the ends", append(slices.Clone(all),
			Result{addr("20.0.0.1"), 9, addr("20.0.0.1")}, Result{addr("2001:db8::1"), 77, addr("fd00::2")},
			Result{addr("20.0.0.3"), 5, addr("10.0.0.1")}, Result{addr("20.0.0.3"), 6, addr("10.0.0.6")},
		), func(*Report) {}},
		{"out of turn in a loop", append(slices.Clone(all), Result{addr("20.0.0.3"), 6, addr("10.0.0.1")}), func(r *Report) {
			r.Hops.Wrong = 1
		}},
		{"at another TTL", append(slices.Clone(all), Result{addr("20.0.0.1"), 3, addr("10.0.0.2")}, Result{addr("20.0.0.1"), 0, addr("10.0.0.2")}), func(r *Report) {
			r.Hops.Wrong = 2
		}},
		{"on another path", append(slices.Clone(all), Result{addr("20.0.0.1"), 2, addr("fd00::2")}), func(r *Report) {
			r.Hops.Wrong = 1
		}},
		{"nobody's address, twice", append(slices.Clone(all), Result{addr("20.0.0.1"), 2, addr("1.1.1.1")}, Result{addr("20.0.0.1"), 3, addr("1.1.1.1")}), func(r *Report) {
			r.Interfaces.Wrong, r.Hops.Wrong = 1, 2
		}},
		{"a silent router", append(slices.Clone(all), Result{addr("20.0.0.1"), 3, addr("10.0.0.5")}), func(r *Report) {
			r.Interfaces.Wrong, r.Hops.Wrong = 1, 1
		}},
		{"a target as an interface", append(slices.Clone(all), Result{addr("20.0.0.2"), 1, addr("20.0.0.1")}), func(r *Report) {
			r.Interfaces.Wrong, r.Hops.Wrong = 1, 1
		}},
		{"a silent target", append(slices.Clone(all), Result{addr("20.0.0.2"), 2, addr("20.0.0.2")}), func(r *Report) {
			r.Targets.Wrong, r.Hops.Wrong = 1, 1
		}},
		{"a target too near", append(slices.Clone(all), Result{addr("20.0.0.1"), 3, addr("20.0.0.1")}), func(r *Report) {
			r.Hops.Wrong = 1
		}},
		{"a target that nobody asked about", append(slices.Clone(all), Result{addr("20.0.0.9"), 1, addr("10.0.0.1")}), func(r *Report) {
			r.Hops.Wrong, r.Strangers = 1, 1
		}},
	}
	for _, test := range tests {
		want := perfect
		test.want(&want)
		got := Score(slices.Values(small), slices.Values(test.results))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestReportString(t *testing.T) {
	r := Score(slices.Values(small), slices.Values(allOf(small)[1:]))
	want := "interfaces 6 found 0 missed 0 wrong, hops 10 found 1 missed 0 wrong, targets 1 found 0 missed 0 wrong"
	if got := r.String(); got != want || r.Wrong() != 0 {
		t.Errorf("%q, %d wrong, want %q, none", got, r.Wrong(), want)
	}
}

func BenchmarkScore(b *testing.B) {
	targets := slices.Collect(hosts(10_000))
	paths := slices.Collect(Truth(world, slices.Values(targets), View{}))
	results := allOf(paths)
	b.ReportAllocs()
	for b.Loop() {
		Score(slices.Values(paths), slices.Values(results))
	}
	b.ReportMetric(float64(len(results)*b.N)/b.Elapsed().Seconds(), "results/s")
}

// hosts are many, of both families, n in all.
func hosts(n int) iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for i := range n {
			a := netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 7})
			if i%2 == 1 {
				a = netip.AddrFrom16([16]byte{0x20, 1, 13, 0xb8, byte(i >> 8), byte(i), 15: 7})
			}
			if !yield(a) {
				return
			}
		}
	}
}
