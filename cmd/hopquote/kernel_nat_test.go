package main

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/cmd/internal/output/jsonout"
)

// r1 sends on what comes from h1 in its own name. It translates the errors
// back, their quotes included, so that the trace is what it is without.
//
//	h1 --- r1 (masquerades) --- r2 --- h2
func TestKernelMasquerade(t *testing.T) {
	t.Parallel()
	for _, f := range []struct{ family, r1, r2, dst string }{
		{"ip", "192.168.100.20", "192.168.110.20", farHost},
		{"ip6", "fd00:100::20", "fd00:110::20", farHost6},
	} {
		t.Run(f.family, func(t *testing.T) {
			n := openLab(t, "line")
			if f.family == "ip6" && !n.HasIPv6() {
				t.Skip("the kernel has no IPv6")
			}
			runNFT(t, n.Host("r1"), `table `+f.family+` lab {
	chain translate {
		type nat hook postrouting priority srcnat
		oifname "veth2-r1" masquerade
	}
}`)
			var rows []traced
			for _, method := range []string{"", "-U ", "-I ", "-T ", "-U --sport=5555 ", "-T --sport=5555 "} {
				rows = append(rows, traced{args: "-n -q2 " + method + f.dst, want: []string{
					" 1  " + f.r1 + "  X ms  X ms",
					" 2  " + f.r2 + "  X ms  X ms",
					" 3  " + f.dst + "  X ms  X ms",
				}})
			}
			traceAll(t, n, "h1", rows)

			w := openWire(t, n)
			for _, method := range []string{"", "-I ", "-T "} {
				_, doc, _ := w.record(t, comparison{args: "-n -q2 " + method + f.dst})
				checkCounts(t, &doc)
				checkTranslated(t, &doc)
			}
		})
	}
}

// checkTranslated wants quotes as if nothing had been translated.
func checkTranslated(t *testing.T, doc *jsonout.Document) {
	t.Helper()
	quotes := 0
	for _, h := range doc.Hops {
		for _, p := range h.Probes {
			if p.Reply == nil || p.Reply.Quote == nil {
				continue
			}
			got := []*netip.Addr{p.Reply.Quote.Source, p.Reply.Quote.Destination}
			want := []*netip.Addr{doc.Source, doc.Target.Address}
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("%s, TTL %d: quoted addresses (-want +got):\n%s", doc.Method, h.TTL, diff)
			}
			if len(p.Reply.Rewritten) > 0 {
				t.Errorf("%s, TTL %d: %q differ from what was sent", doc.Method, h.TTL, p.Reply.Rewritten)
			}
			quotes++
		}
	}
	if quotes < 4 {
		t.Errorf("%s: %d quotes, want those of two routers, two each", doc.Method, quotes)
	}
}
