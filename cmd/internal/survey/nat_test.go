package survey

import (
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// openNAT makes a prober h1 behind a router that translates, and a host with
// 16 addresses of each family.
//
//	h1 --20.50.0.0/24-- r1 (translates) --20.60.1.0/24-- r2 --20.61.1.0/24-- d 20.1.0.0/28
//	     2600:50::/64                     2600:60:1::/64      2600:61:1::/64   2600:1::/124
func openNAT(t *testing.T, rules string) *internet.Net {
	t.Helper()
	lab.Skip(t)
	nft, err := exec.LookPath("nft")
	if err != nil {
		t.Skip("needs nft (nftables), to translate")
	}
	ends := func(a, aName, aAddr, b, bName, bAddr string) lab.LinkPlan {
		return lab.LinkPlan{Ends: [2]lab.EndPlan{
			{Host: a, Name: aName, Addresses: prefixes(aAddr)}, {Host: b, Name: bName, Addresses: prefixes(bAddr)},
		}}
	}
	via := func(list ...string) (routes []lab.Route) {
		for i := 0; i < len(list); i += 2 {
			routes = append(routes, lab.Route{Dst: netip.MustParsePrefix(list[i]), Via: netip.MustParseAddr(list[i+1])})
		}
		return routes
	}
	own := ""
	for i := range 16 {
		own += " 20.1.0." + strconv.Itoa(i) + "/32 2600:1::" + strconv.FormatInt(int64(i), 16) + "/128"
	}
	n, err := lab.Build(lab.Topology{
		Name: "nat",
		Hosts: []lab.HostPlan{
			{Name: internet.Prober, Routes: via("0.0.0.0/0", "20.50.0.11", "::/0", "2600:50::11")},
			{Name: "r1", Router: true, Routes: via("0.0.0.0/0", "20.60.1.2", "::/0", "2600:60:1::2")},
			{Name: "r2", Router: true, Routes: via("20.50.0.0/24", "20.60.1.1", "2600:50::/64", "2600:60:1::1",
				"20.60.1.77/32", "20.60.1.1", "2600:60:1::77/128", "2600:60:1::1", "20.1.0.0/28", "20.61.1.2", "2600:1::/124", "2600:61:1::2")},
			{Name: "d", Routes: via("0.0.0.0/0", "20.61.1.1", "::/0", "2600:61:1::1")},
		},
		Links: []lab.LinkPlan{
			ends(internet.Prober, "lan", "20.50.0.1/24 2600:50::1/64", "r1", "in", "20.50.0.11/24 2600:50::11/64"),
			ends("r1", "out", "20.60.1.1/24 2600:60:1::1/64", "r2", "in", "20.60.1.2/24 2600:60:1::2/64"),
			ends("r2", "out", "20.61.1.1/24 2600:61:1::1/64", "d", "near", "20.61.1.2/24 2600:61:1::2/64"+own),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	var out strings.Builder
	cmd := exec.Command(nft, "-f", "-")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(rules), &out, &out
	if err := n.Host("r1").Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil && (strings.Contains(out.String(), "not supported") || strings.Contains(out.String(), "cache initialization failed")) {
		t.Skip("the kernel lacks what these rules need: ", out.String())
	} else if err != nil {
		t.Fatalf("nft: %v: %s", err, out.String())
	}
	return &internet.Net{Net: n}
}

// Rules of two translators: one that knows connections and restores what errors
// quote, and one that knows addresses only and leaves quotes as they are. The
// second also gives all UDP packets one source port.
const (
	masquerade = `table inet lab {
	chain out { type nat hook postrouting priority srcnat; oifname "out" masquerade; }
}`
	stateless = `table inet lab {
	chain out { type filter hook forward priority 0
		iifname "in" ip saddr 20.50.0.1 ip saddr set 20.60.1.77
		iifname "in" ip6 saddr 2600:50::1 ip6 saddr set 2600:60:1::77
		iifname "in" udp dport 33434 udp sport set 61000
	}
	chain back { type filter hook prerouting priority raw
		ip daddr 20.60.1.77 ip daddr set 20.50.0.1
		ip6 daddr 2600:60:1::77 ip6 daddr set 2600:50::1
	}
}`
)

// TestTranslators surveys through both: everything that comes back is its own
// probe's.
func TestTranslators(t *testing.T) {
	for name, rules := range map[string]string{"masquerade": masquerade, "stateless": stateless} {
		for _, mode := range modes {
			for method := range names {
				if name == "masquerade" && mode != "full" {
					continue // nothing comes back changed
				}
				for _, loops := range []string{"1", "2", "3"} {
					if loops > "1" && (name == "masquerade" || method == "icmp") {
						continue // all come to their own
					}
					t.Run(name+"/"+mode+"/"+method+"/"+loops, func(t *testing.T) {
						t.Parallel()
						translated(t, openNAT(t, rules), name, mode, method, loops)
					})
				}
			}
		}
	}
}

func translated(t *testing.T, n *internet.Net, name, mode, method, loops string) {
	file := t.TempDir() + "/"
	r := survey(t, n, "", "--mode", mode, "-M", method, "--loops", loops, "--rate", "2k", "-m", "4", "-w", "10s",
		"-o", "replies:"+file+"replies", "--metadata", file+"meta", "20.1.0.0/28", "2600:1::/124")
	if r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	found := map[point]bool{}
	rewritten := 0
	for _, r := range columns(t, file+"replies") {
		p := point{dst: netip.MustParseAddr(r["target"]), ttl: atoi(r["ttl"])}
		path := []string{"20.50.0.11", "20.60.1.2"}
		if p.dst.Is6() {
			path = []string{"2600:50::11", "2600:60:1::2"}
		}
		path = append(path, r["target"], r["target"])
		verdict := "exact"
		if name == "stateless" && p.ttl > 1 && (p.ttl == 2 || r["kind"] == "unreachable") {
			verdict = "rewritten"
			rewritten++
		}
		if r["responder"] != path[p.ttl-1] || r["verdict"] != verdict || found[p] {
			t.Errorf("%v: want %s, %s, once", r, path[p.ttl-1], verdict)
		}
		found[p] = true
	}
	if mode != "adaptive" && len(found) != 32*4 {
		t.Errorf("%d replies, want %d", len(found), 32*4)
	}
	var meta metadata
	read(t, file+"meta", &meta)
	// They all bring the same source port back, and so come to one of the loops,
	// whose share of the targets is half at most.
	away := 0
	if name == "stateless" && method == "udp" && loops > "1" && mode == "full" {
		away = rewritten / 2
	}
	if h := meta.Handovers; h.Offered != h.Matched || h.Lost != 0 || h.Matched < uint64(away) || loops == "1" && h.Offered > 0 {
		t.Errorf("of %d replies that were rewritten, %+v", rewritten, h)
	}
	if meta.Counts.Received != meta.Ring.Handed || !meta.Counts.Balanced() {
		t.Errorf("counts %+v, ring %+v", meta.Counts, meta.Ring)
	}
	if c := meta.Counts; c.Matched != uint64(len(found)) || c.Stray != 0 || meta.Counts.Verdicts["rewritten"] != uint64(rewritten) || name == "stateless" && rewritten < 2 {
		t.Errorf("%d found, %d rewritten; counted %+v", len(found), rewritten, meta.Counts.Verdicts)
	}
}
