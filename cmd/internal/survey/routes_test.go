package survey

import (
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/hopquote/hopquote/bench/simnet/internet"
	"github.com/hopquote/hopquote/cmd/internal/output/jsonl"
	"github.com/hopquote/hopquote/scheduler/survey/space"
)

// lanTargets go everywhere that a route can lead to.
var lanTargets = []string{
	"20.1.0.0/28", "2600:1::/124", "20.2.0.0/28", "2600:2::/124", // 16 each by the gateways
	"20.50.0.28-20.50.0.31", "2600:50::2e-2600:50::31", // on the link, two of each there
	"20.3.0.0/29", "2600:3::/125", "20.50.0.1", "2600:50::1", "20.50.0.255",
	"20.4.0.0/30", "2600:4::/126", "20.7.0.0/31", "2600:7::/127",
}

var lanLeftOut = []leftOut{
	{"blackhole route", 16, "20.3.0.0"},
	{"this host itself", 2, "20.50.0.1"},
	{"broadcast, multicast or anycast", 1, "20.50.0.255"},
	{"next hop 20.50.0.99 does not resolve", 4, "20.4.0.0"},
	{"next hop 2600:50::99 does not resolve", 4, "2600:4::"},
	{"reached by far, use -i far", 4, "20.7.0.0"},
	{"on the link, where nobody answers for them", 4, ""},
}

// sends are the addresses among the targets that something leads to, with who
// answers on the way.
func lanPaths(t *testing.T) map[netip.Addr][]netip.Addr {
	t.Helper()
	targets, err := readTargets(t.Context(), &options{targets: lanTargets}, nil, &hostNames{})
	if err != nil {
		t.Fatal(err)
	}
	paths := map[netip.Addr][]netip.Addr{}
	for i := range targets.Len() {
		if p := lanPath(targets.At(i)); p != nil {
			paths[targets.At(i)] = p
		}
	}
	return paths
}

// Each target goes to its own next hop, in every mode and by every sender: who
// answers is who is on the way that the kernel would take. Those that nothing
// leads to are told of, and take no probe.
func TestRoutes(t *testing.T) {
	n := openLAN(t)
	paths := lanPaths(t)
	if len(paths) != 4*16+4 {
		t.Fatalf("%d targets have a way", len(paths))
	}
	for _, more := range []string{
		"--mode=full", "--mode=random", "--mode=adaptive", "--mode=full --loops=2 -M icmp", "--mode=adaptive --tx=xdp -M tcp-syn",
		"--mode=random --adaptive-rate", "--mode=adaptive --adaptive-rate -q 2", "--mode=full --adaptive-rate -q 2 --rate=max",
	} {
		t.Run(more, func(t *testing.T) {
			dir := t.TempDir()
			args := append(strings.Fields(more), "--rate=5k", "-m", "3", "-w", "3s", "--metadata", dir+"/meta", "-o", "replies:"+dir+"/out", "-o", "jsonl:"+dir+"/traces")
			r := survey(t, n, "", append(args, lanTargets...)...)
			if r.code != exitPartial { // a next hop is silent
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			var meta metadata
			read(t, dir+"/meta", &meta)
			checkLANReplies(t, dir+"/out", paths)
			byReason := cmpopts.SortSlices(func(a, b leftOut) bool { return a.Reason < b.Reason })
			example := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Example" },
				cmp.Comparer(func(a, b string) bool { return a == b || a == "" || b == "" }))
			if d := cmp.Diff(lanLeftOut, meta.LeftOut, byReason, example); d != "" {
				t.Errorf("left out (-want +got):\n%s", d)
			}
			for _, l := range meta.LeftOut {
				if strings.Count(r.stderr, "hopquote survey: "+l.String()+"\n") != 1 {
					t.Errorf("want once %q in: %s", l, r.stderr)
				}
			}
			hops := map[string]uint64{}
			for _, h := range meta.NextHops {
				hops[h.NextHop] += h.Targets
			}
			if d := cmp.Diff(map[string]uint64{"20.50.0.11": 16, "20.50.0.12": 16, "2600:50::11": 16, "2600:50::12": 16, "": 4}, hops); d != "" {
				t.Errorf("next hops (-want +got):\n%s", d)
			}
			c := meta.Counts
			if !c.Balanced() || !meta.Complete || c.Stray != 0 || meta.Progress.Done < meta.Progress.Total || meta.Progress.Undelivered != 0 {
				t.Errorf("counts %+v, progress %+v", c, meta.Progress)
			}
			if want := uint64(3 * len(paths)); c.Answered != c.Sent || meta.Mode != "adaptive" && c.Sent != want || c.Sent > want {
				t.Errorf("%d sent, %d answered, of %d", c.Sent, c.Answered, want)
			}
			seen := map[netip.Addr]bool{}
			for _, trace := range objects[jsonl.Trace](t, dir+"/traces") {
				seen[trace.Target] = true
				if trace.StopReason != "reached" {
					t.Errorf("%s stopped by %s", trace.Target, trace.StopReason)
				}
			}
			if len(seen) != len(paths) {
				t.Errorf("%d traces, want %d", len(seen), len(paths))
			}
		})
	}
}

// checkLANReplies holds replies against the ways: all the first hops and targets
// are there, and nobody else.
func checkLANReplies(t *testing.T, file string, paths map[netip.Addr][]netip.Addr) {
	t.Helper()
	type hop struct {
		dst netip.Addr
		at  int
	}
	seen := map[hop]bool{}
	for _, r := range columns(t, file) {
		dst, from, ttl := netip.MustParseAddr(r["target"]), netip.MustParseAddr(r["responder"]), atoi(r["ttl"])
		path := paths[dst]
		if path == nil || path[min(ttl, len(path))-1] != from {
			t.Fatalf("%s answers for %s after %d hops, want %v", from, dst, ttl, path)
		}
		seen[hop{dst, min(ttl, len(path))}] = true
	}
	for dst, path := range paths {
		if !seen[hop{dst, len(path)}] {
			t.Errorf("%s itself is missing", dst)
		}
	}
}

// The first hop is the one that the kernel says, and that traceroute finds.
func TestRoutesAgree(t *testing.T) {
	n := openLAN(t)
	out := t.TempDir() + "/out"
	args := []string{"--mode=full", "--rate=5k", "-m", "1", "-w", "3s", "-o", "replies:" + out}
	if r := survey(t, n, "", append(args, lanTargets...)...); r.code != exitPartial {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	_, err := exec.LookPath("traceroute")
	asked := map[string]bool{} // a traceroute for each first hop
	for _, r := range columns(t, out) {
		fields := strings.Fields(runIP(t, n.Net, internet.Prober, "route get "+r["target"]))
		want := r["target"]
		if i := slices.Index(fields, "via"); i > 0 {
			want = fields[i+1]
		}
		if r["responder"] != want {
			t.Errorf("%s: first hop %s, ip route get says %s", r["target"], r["responder"], want)
		}
		if err != nil || asked[want] {
			continue
		}
		asked[want] = true
		var found strings.Builder
		cmd := exec.Command("traceroute", "-n", "-q1", "-m1", "-w5", r["target"])
		cmd.Stdout = &found
		if err := n.Host(internet.Prober).StartConfined(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || !strings.Contains(found.String(), "\n 1  "+want+" ") {
			t.Errorf("%s: first hop %s, traceroute says: %s", r["target"], want, found.String())
		}
	}
	if err != nil {
		t.Skip("without traceroute, the kernel's word was all there is")
	}
}

// Refusals come before anything is sent, and say why.
func TestNoRoutes(t *testing.T) {
	n := openLAN(t)
	runIP(t, n.Net, internet.Prober, "route add 20.8.0.0/16 dev lan")
	runIP(t, n.Net, internet.Prober, "route add 20.9.0.0/16 dev lan")
	for args, want := range map[string]string{
		"20.3.0.0/30 20.50.0.255": "no target can be reached: 4 targets are left out, such as 20.3.0.0: blackhole route; target 20.50.0.255 is left out: broadcast, multicast or anycast",
		"20.4.0.0/30":             "no target can be reached: 4 targets are left out, such as 20.4.0.0: next hop 20.50.0.99 does not resolve",
		"20.8.0.0/16 20.1.0.0/28": "65536 targets, such as 20.8.0.0, are on the link itself, where each is asked for its link address, 4096 at most: use --exclude 20.8.0.0/16, or a sample",
		"20.8.0.0/15": "131072 targets, such as 20.8.0.0, are on the link itself, where each is asked for its link address, 4096 at most: " +
			"use --exclude 20.8.0.0/16 --exclude 20.9.0.0/16, or a sample",
		"20.1.0.0/28 -i nope": "--interface nope: there is none of that name",
		"20.1.0.0/28 -s 20.50.0.2": "--source 20.50.0.2: no interface of this host has that address: " +
			"no target can be reached: 16 targets are left out, such as 20.1.0.0: no route",
		"2600:50::/124 -s 2600:50::99": "--source 2600:50::99: no interface of this host has that address: route to 2600:50::: bind: Cannot assign requested address",
	} {
		r := survey(t, n, "", append(strings.Fields(args), "-o", "replies:/dev/null")...)
		if r.code != exitFailed || r.stderr != "hopquote survey: "+want+"\n" {
			t.Errorf("%s: exit code %d: %s; want %s", args, r.code, r.stderr, want)
		}
	}
	// This host alone, by its own addresses.
	for _, args := range []string{"20.50.0.1", "20.50.0.1 2600:50::1", "--allow-reserved 127.0.0.9 ::1"} {
		r := survey(t, n, "", append(strings.Fields(args), "-o", "replies:-", "--mode=random", "-m", "1", "-w", "3s")...)
		if got := strings.Count(r.out, "\n") - 1; r.code != exitDone || got != len(strings.Fields(strings.TrimPrefix(args, "--allow-reserved"))) {
			t.Errorf("%s: exit code %d: %s%s", args, r.code, r.out, r.stderr)
		}
	}
}

// Rules that look at the probe decide as they do for the kernel.
func TestRouteRules(t *testing.T) {
	n := openLAN(t)
	for _, args := range []string{
		"route add 20.1.0.0/30 via 20.50.0.12 table 77", "route add 20.1.0.4/30 via 20.50.0.12 table 78",
		"rule add from 20.50.0.1 table 77", "rule add ipproto udp dport 33434 table 78", "rule add to 20.1.0.8/31 blackhole",
		"route add 20.1.0.12/30 nexthop via 20.50.0.12 nexthop via 20.50.0.12",
	} {
		runIP(t, n.Net, internet.Prober, args)
	}
	runIP(t, n.Net, "r2", "route add 20.1.0.0/16 via 20.50.0.11")
	for _, args := range []string{"", "-s 20.50.0.1", "-M icmp"} {
		out := t.TempDir() + "/out"
		r := survey(t, n, "", append(strings.Fields(args), "--mode=full", "--rate=5k", "-m", "1", "-w", "3s", "-o", "replies:"+out, "20.1.0.0/28")...)
		if r.code != exitDone || !strings.Contains(r.stderr, "2 targets are left out, such as 20.1.0.8: blackhole route\n") {
			t.Fatalf("exit code %d: %s", r.code, r.stderr)
		}
		got := map[string]string{}
		for _, r := range columns(t, out) {
			got[r["target"]] = r["responder"]
		}
		want := map[string]string{}
		for i := range 16 {
			hop := "20.50.0.11"
			switch {
			case i < 4, i < 8 && args != "-M icmp", i >= 12:
				hop = "20.50.0.12"
			case i == 8, i == 9:
				continue
			}
			want[fmt.Sprintf("20.1.0.%d", i)] = hop
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: first hops (-want +got):\n%s", args, d)
		}
	}
}

// A dry run tells where the targets would go, and sends nothing.
func TestDryRunRoutes(t *testing.T) {
	n := openLAN(t)
	r := survey(t, n, "", append([]string{"--dry-run", "--seed=1", "--mode=full", "-m", "3"}, lanTargets...)...)
	const want = `targets   103
probes    309 (mode full, TTL 1 to 3, flows 1)
size      68 bytes on the link
rate      1000 probes/s, 544000 bit/s
time      309ms, and up to 2s for the last replies
seed      1
route     16 targets by 20.50.0.11 on lan
route     16 targets by 20.50.0.12 on lan
route     4 targets by 20.50.0.99 on lan
route     4 targets on the link of lan
route     16 targets by 2600:50::11 on lan
route     16 targets by 2600:50::12 on lan
route     4 targets by 2600:50::99 on lan
route     4 targets on the link of lan
left out  16 targets are left out, such as 20.3.0.0: blackhole route
left out  4 targets are left out, such as 20.7.0.0: reached by far, use -i far
left out  2 targets are left out, such as 20.50.0.1: this host itself
left out  target 20.50.0.255 is left out: broadcast, multicast or anycast
`
	if d := cmp.Diff(want, r.out); d != "" || r.code != exitDone {
		t.Errorf("exit code %d (-want +got):\n%s%s", r.code, d, r.stderr)
	}
}

// What a dry run says of a sample, whose targets the routes do not cut.
func TestDryRun(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	r := survey(t, n, "", "--dry-run", "--seed=1", "--mode=full", "--rate=10kpps", "--per-prefix=24", "20.0.0.0/8")
	const want = `targets   65536
probes    2097152 (mode full, TTL 1 to 32, flows 1)
size      48 bytes on the link
rate      10000 probes/s, 3840000 bit/s
time      3m29.715s, and up to 2s for the last replies
seed      1
route     65536 targets by 10.99.0.254 on veth1-h1
`
	if d := cmp.Diff(want, r.out); d != "" || r.code != exitDone {
		t.Errorf("exit code %d (-want +got):\n%s%s", r.code, d, r.stderr)
	}
}

// What the kernel sees as itself and as groups says nothing of the other
// addresses that no route names.
func TestDryRunAll(t *testing.T) {
	n := open(t, internet.Config{Seed: 5})
	for args, least := range map[string]uint64{"0.0.0.0/0": 4_000_000_000, "::/100": 1<<28 - 2} {
		r := survey(t, n, "", "--dry-run", "--allow-reserved", args)
		_, routes, _ := strings.Cut(r.out, "\nroute ")
		var n uint64
		var by string
		if _, err := fmt.Sscanf(routes, "%d targets %s", &n, &by); err != nil || n < least || by != "by" {
			t.Errorf("%s: want %d targets or more by a gateway: %s%s", args, least, r.out, r.stderr)
		}
	}
}

// Pieces cover all addresses, each once, with the longest prefix there is.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v6 := rapid.Bool().Draw(t, "IPv6")
		all := netip.MustParsePrefix("0.0.0.0/0")
		if v6 {
			all = netip.MustParsePrefix("::/0")
		}
		list := []netip.Prefix{all}
		for range rapid.IntRange(0, 12).Draw(t, "prefixes") {
			b := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 128, 255}), 16, 16).Draw(t, "address")
			a := netip.AddrFrom16([16]byte(b))
			if !v6 {
				a = netip.AddrFrom4([4]byte(b))
			}
			p, _ := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
			list = append(list, p)
		}
		slices.SortFunc(list, netip.Prefix.Compare)
		list = slices.Compact(list)
		next, _ := space.Ends(all)
		var end netip.Addr
		pieces(v6, list, func(p netip.Prefix, first, last netip.Addr) {
			if first != next || last.Less(first) {
				t.Fatalf("a piece from %s to %s, the next was to begin at %s: %v", first, last, next, list)
			}
			for _, a := range []netip.Addr{first, last} {
				bits := -1
				for _, q := range list {
					if q.Contains(a) {
						bits = max(bits, q.Bits())
					}
				}
				if !p.Contains(a) || p.Bits() != bits {
					t.Fatalf("%s is said to be in %s: %v", a, p, list)
				}
			}
			next, end = last.Next(), last
		})
		if _, last := space.Ends(all); end != last {
			t.Fatalf("the pieces end at %s", end)
		}
	})
}
