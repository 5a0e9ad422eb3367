package survey

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// equalTargets are behind r1, and r2 goes there by r1.
var equalTargets = []string{"20.1.0.0/26", "20.1.1.0/26", "2600:1::/124"}

// openEqual is openLAN's network with routes of equal cost, in all ways to enter
// them: three flows of four by r1, one by r2, but for the last 8 of IPv6, which
// are shared by half.
func openEqual(t *testing.T) *internet.Net {
	t.Helper()
	n := openLAN(t)
	for _, args := range []string{
		"route add 20.1.0.0/24 nexthop via 20.50.0.11 weight 3 nexthop via 20.50.0.12",
		"route add 2600:1::/125 nexthop via 2600:50::11 weight 3 nexthop via 2600:50::12",
		"nexthop add id 1 via 20.50.0.11 dev lan", "nexthop add id 2 via 20.50.0.12 dev lan", "nexthop add id 3 group 1,3/2",
		"nexthop add id 4 via 2600:50::11 dev lan", "nexthop add id 5 via 2600:50::12 dev lan", "nexthop add id 6 group 4/5",
		"route add 20.1.1.0/24 nhid 3", "route add 2600:1::8/125 nhid 6",
	} {
		runIP(t, n.Net, internet.Prober, args)
	}
	runIP(t, n.Net, "r2", "route add 20.1.0.0/16 via 20.50.0.11")
	runIP(t, n.Net, "r2", "route add 2600:1::/32 via 2600:50::11")
	return n
}

// aFlow is one of those to a target.
type aFlow struct{ dst, flow string }

// flowHops reads by which next hop each flow went, where replies tell: all that
// they tell of a flow is the same.
func flowHops(t *testing.T, file string) map[aFlow]string {
	t.Helper()
	got := map[aFlow]string{}
	for _, r := range columns(t, file) {
		f, by := aFlow{r["target"], r["flow"]}, "r1"
		dst := netip.MustParseAddr(f.dst)
		r1, r2 := "20.50.0.11", "20.50.0.12"
		if dst.Is6() {
			r1, r2 = "2600:50::11", "2600:50::12"
		}
		switch at := r["ttl"] + " " + r["responder"]; at {
		case "1 " + r1, "2 " + f.dst:
		case "1 " + r2, "2 " + r1:
			by = "r2"
		case "3 " + f.dst:
			continue
		default:
			t.Fatalf("%s answers for %s after %s hops", r["responder"], f.dst, r["ttl"])
		}
		if was, ok := got[f]; ok && was != by {
			t.Errorf("flow %s to %s goes by r1 and by r2", f.flow, f.dst)
		}
		got[f] = by
	}
	return got
}

// checkShares wants about a quarter of the flows by r2.
func checkShares(t *testing.T, got map[aFlow]string, flows int) {
	t.Helper()
	var all, second int
	six := map[string]int{}
	for f, by := range got {
		if netip.MustParseAddr(f.dst).Is6() {
			six[by]++
			continue
		}
		if all++; by == "r2" {
			second++
		}
	}
	// Of 512 flows a quarter is 128, with a deviation of 9.8.
	if want := 128 * flows; all != want || second < all/4-all/8 || second > all/4+all/8 {
		t.Errorf("%d of %d flows by r2, want a quarter of %d", second, all, want)
	}
	if six["r1"]+six["r2"] != 16*flows || six["r1"] < 4*flows || six["r2"] < flows {
		t.Errorf("IPv6: flows by next hop %v", six)
	}
}

// Flows to a route of equal cost are shared by its next hops, as the route
// weights them, and each goes one way with all of its probes.
func TestEqualCost(t *testing.T) {
	n := openEqual(t)
	for _, more := range []string{"--mode=full", "--mode=random --loops=2 -M icmp", "--mode=full --tx=xdp -M tcp-syn", "--mode=random -M tcp-ack"} {
		t.Run(more, func(t *testing.T) {
			dir := t.TempDir()
			args := append(strings.Fields(more), "--flows=4", "--rate=5k", "-m", "3", "-w", "1s", "-o", "replies:"+dir+"/out", "--metadata", dir+"/meta")
			r := survey(t, n, "", append(args, equalTargets...)...)
			if r.code != exitDone || strings.Contains(r.stderr, "next hop") {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			checkShares(t, flowHops(t, dir+"/out"), 4)
			var meta metadata
			read(t, dir+"/meta", &meta)
			want := map[string]uint64{
				"[20.50.0.11 (weight 3) 20.50.0.12]": 128, "[2600:50::11 (weight 3) 2600:50::12]": 8, "[2600:50::11 2600:50::12]": 8,
			}
			hops := map[string]uint64{}
			for _, h := range meta.NextHops {
				hops[h.NextHop+fmt.Sprint(h.Equal)] += h.Targets
			}
			if d := cmp.Diff(want, hops); d != "" {
				t.Errorf("next hops (-want +got):\n%s", d)
			}
			if c := meta.Counts; !c.Balanced() || c.Answered != c.Sent || c.Sent != 3*4*144 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

// A flow keeps its next hop when a survey is killed and gone on with.
func TestEqualCostResume(t *testing.T) {
	n := openEqual(t)
	dir := t.TempDir()
	brokenOff(t, n.Host(internet.Prober), dir+"/kept", 200, append([]string{
		"--mode=random", "--flows=4", "--rate=1500", "-m", "3", "-w", "1s", "-o", "replies:" + dir + "/out",
	}, equalTargets...)...)
	checkShares(t, flowHops(t, dir+"/out"), 4)
}

// Next hops on other interfaces are left to a survey by those, and the part of
// next hops that do not answer goes to the others.
func TestEqualCostLeft(t *testing.T) {
	n := openLAN(t)
	for _, args := range []string{
		"route add 20.1.0.0/24 nexthop via 20.50.0.11 nexthop via 20.60.7.2 nexthop dev far",
		"route add 20.1.1.0/24 nexthop via 20.50.0.98 weight 9 nexthop via 20.50.0.11",
		"route add 20.1.2.0/24 nexthop via 20.50.0.98 nexthop via 20.50.0.99",
	} {
		runIP(t, n.Net, internet.Prober, args)
	}
	runIP(t, n.Net, "r3", "route add 20.0.0.0/8 via 20.60.7.1")
	for key, value := range map[string]string{"ip_forward": "1", "icmp_ratelimit": "0"} {
		if err := n.Host("r3").Sysctl("net/ipv4/"+key, value); err != nil {
			t.Fatal(err)
		}
	}
	const (
		silent = "next hop 20.50.0.98 does not resolve: others of equal cost take its part of 16 targets\n"
		also   = "8 targets, such as 20.1.0.0, have next hops of equal cost on %s: use -i %[1]s for those\n"
		left   = "2 targets are left out, such as 20.1.2.0: next hops 20.50.0.98, 20.50.0.99 do not resolve\n"
	)
	for _, tt := range []struct {
		args string
		by   map[string]int // first hops
		want string         // on standard error
		code int
	}{
		{"20.1.1.0/28 20.1.0.0/29", map[string]int{"20.50.0.11": 24}, "hopquote survey: " + fmt.Sprintf(also, "far") + "hopquote survey: " + silent, exitDone},
		{"-i far 20.1.0.0/29", map[string]int{"20.60.7.2": 8}, "", exitDone},
		{"20.1.0.0/29 20.7.0.0/28", map[string]int{"20.60.7.2": 24}, "hopquote survey: " + fmt.Sprintf(also, "lan"), exitDone},
		{"20.1.2.0/31 20.1.3.0/31", map[string]int{"20.50.0.11": 2}, "hopquote survey: " + left, exitPartial},
	} {
		file := t.TempDir() + "/out"
		args := append([]string{"--mode=full", "--rate=5k", "-m", "1", "-w", "1s", "-o", "replies:" + file}, strings.Fields(tt.args)...)
		r := survey(t, n, "", args...)
		text := r.stderr
		if i := strings.Index(text, "sent "); i >= 0 {
			text = text[:i]
		}
		if r.code != tt.code || text != tt.want {
			t.Errorf("%s: exit code %d: %s; want %s", tt.args, r.code, r.stderr, tt.want)
		}
		got := map[string]int{}
		for _, r := range columns(t, file) {
			got[r["responder"]]++
		}
		if d := cmp.Diff(tt.by, got); d != "" {
			t.Errorf("%s: first hops (-want +got):\n%s", tt.args, d)
		}
	}
	r := survey(t, n, "", "--dry-run", "20.1.1.0/28", "20.1.0.0/29")
	for _, want := range []string{
		"route     8 targets by 20.50.0.11 on lan\n", "route     16 targets by 20.50.0.11, 20.50.0.98 (weight 9) on lan, their flows shared\n",
		"equal     8 targets, such as 20.1.0.0, have next hops of equal cost on far: use -i far for those\n",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("a dry run does not tell %q: %s", want, r.out)
		}
	}
}
