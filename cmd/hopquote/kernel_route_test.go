package main

import (
	"net/netip"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
)

// Routes that refuse, in the first and in the second router. Linux looks at
// the route before it looks at the TTL: such a router refuses also the probes
// whose TTL ends there.
//
//	h1 --- r1 --- r2 --- h2
func TestKernelRefusingRoutes(t *testing.T) {
	t.Parallel()
	// A refusing route tells a source five times at once and then once a second:
	// one probe in flight, two programs and two methods.
	const one = "-n -q1 -N1 -w1 -m3 "
	for _, tt := range []struct {
		kind         string
		route        lab.RouteType
		note4, note6 string
	}{
		{"unreachable", lab.Unreachable, " !H", " !N"},
		{"prohibit", lab.Prohibit, " !X", " !X"},
		{"blackhole", lab.Blackhole, "", ""},
	} {
		for _, router := range []string{"r1", "r2"} {
			for _, f := range []struct{ dst, first, second, note string }{
				{farHost, "192.168.100.20", "192.168.110.20", tt.note4},
				{farHost6, "fd00:100::20", "fd00:110::20", tt.note6},
			} {
				t.Run(tt.kind+" in "+router, func(t *testing.T) {
					n := openLab(t, "line")
					dst := netip.MustParseAddr(f.dst)
					configure(t, n, router, lab.Route{Dst: netip.PrefixFrom(dst, dst.BitLen()), Type: tt.route})
					var want []string
					ttl, refuser := " 1  ", f.first
					if router == "r2" {
						want = append(want, " 1  "+f.first+"  X ms")
						ttl, refuser = " 2  ", f.second
					}
					switch {
					case tt.route != lab.Blackhole:
						want = append(want, ttl+refuser+"  X ms"+f.note)
					case router == "r1":
						want = append(want, " 1  *", " 2  *", " 3  *")
					default:
						want = append(want, " 2  *", " 3  *")
					}
					traceAll(t, n, "h1", []traced{{args: one + f.dst, want: want}, {args: one + "-T " + f.dst, want: want}})
				})
			}
		}
	}
}

// A router without any route says that the network is unreachable.
func TestKernelNoRoute(t *testing.T) {
	t.Parallel()
	n := openLab(t, "line")
	var rows []traced
	for _, f := range []struct{ dst, router string }{{"10.77.0.1", "192.168.100.20"}, {"fd77::1", "fd00:100::20"}} {
		for _, method := range []string{"", "-I "} {
			rows = append(rows, traced{args: "-n -q1 -N1 " + method + f.dst, want: []string{" 1  " + f.router + "  X ms !N"}})
		}
	}
	traceAll(t, n, "h1", rows)
}
