package survey

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hopquote/hopquote/bench/lab"
	"github.com/hopquote/hopquote/bench/simnet"
	"github.com/hopquote/hopquote/bench/simnet/internet"
)

// changed is a path whose routers quote what was made of the probe on its way,
// or what it was inside of.
type changed struct {
	name, script string
	target       string
	targets      int
	verdicts     map[string]string // by router; all others are exact
	methods      []string          // nil: all
	modes        []string          // nil: all
	short        bool              // some have no ports: loops that share targets can't tell whose they are
}

var changedPaths = []changed{
	{name: "IPv4", short: true, target: "10.2.2.0/27", targets: 32, script: `
source 10.9.9.1/24 gateway 10.9.9.254
target 10.2.2.0/27
hop 1 te from 10.1.1.1
hop 2 te from 10.1.2.1 inside ip 10.7.0.1 10.7.0.2
hop 3 te from 10.1.3.1 inside gre 10.7.0.1 10.7.0.2
hop 4 te from 10.1.4.1 inside mpls 16001/0/0/1,24/0/1/64
hop 5 te from 10.1.5.1 inside error 10.1.9.1 10.9.9.1
hop 6 te from 10.1.6.1 inside ip fd07::1 fd07::2
hop 7 te from 10.1.7.1 edit src=192.0.2.7
hop 8 te from 10.1.8.1 edit dst=10.7.7.7
hop 9 te from 10.1.9.1 quote 20
`, verdicts: map[string]string{
		"10.1.2.1": "encapsulated", "10.1.3.1": "encapsulated", "10.1.4.1": "encapsulated", "10.1.5.1": "encapsulated",
		"10.1.6.1": "encapsulated", "10.1.7.1": "rewritten", "10.1.8.1": "rewritten", "10.1.9.1": "truncated",
	}},
	{name: "IPv6", target: "fd02:2::/123", targets: 32, script: `
source fd09:9::1/64 gateway fd09:9::fe
target fd02:2::/123
hop 1 te from fd01:1::1
hop 2 te from fd01:2::1 inside ip 10.7.0.1 10.7.0.2
hop 3 te from fd01:3::1 inside ip fd07::1 fd07::2
hop 4 te from fd01:4::1 inside gre 10.7.0.1 10.7.0.2
hop 5 te from fd01:5::1 inside mpls 16001/0/1/1
hop 6 te from fd01:6::1 inside error fd01:9::1 fd09:9::1
hop 7 te from fd01:7::1 edit src=fd07::7
hop 8 te from fd01:8::1 edit dst=fd07::7
`, verdicts: map[string]string{
		"fd01:2::1": "encapsulated", "fd01:3::1": "encapsulated", "fd01:4::1": "encapsulated", "fd01:5::1": "encapsulated",
		"fd01:6::1": "encapsulated", "fd01:7::1": "rewritten", "fd01:8::1": "rewritten",
	}},
	{name: "ports", target: "10.2.2.0/27", targets: 32, methods: []string{"udp", "tcp-syn", "tcp-ack"}, modes: []string{"full"}, script: `
source 10.9.9.1/24 gateway 10.9.9.254
target 10.2.2.0/27
hop 1 te from 10.1.1.1
hop 2 te from 10.1.2.1 edit sport=61000
hop 3 te from 10.1.3.1 edit sport=61000 edit src=192.0.2.7
hop 4 te from 10.1.4.1 edit sport=61000 edit dport=61001 edit src=192.0.2.7
hop 5 te from 10.1.5.1 edit sport=61000 inside ip 10.7.0.1 10.7.0.2
hop 6 te from 10.1.6.1 edit sport=61000 edit dport=61001
`, verdicts: map[string]string{
		"10.1.2.1": "rewritten", "10.1.3.1": "rewritten", "10.1.4.1": "rewritten", "10.1.5.1": "encapsulated", "10.1.6.1": "rewritten",
	}},
	{name: "identifiers", target: "10.2.2.0/27", targets: 32, methods: []string{"icmp"}, modes: []string{"full"}, script: `
source 10.9.9.1/24 gateway 10.9.9.254
target 10.2.2.0/27
hop 1 te from 10.1.1.1
hop 2 te from 10.1.2.1 edit ident=61000 edit src=192.0.2.7
hop 3 te from 10.1.3.1 edit ident=61000
`, verdicts: map[string]string{"10.1.2.1": "rewritten", "10.1.3.1": "rewritten"}},
	{name: "NAT64", target: "64:ff9b::10.2.2.2", targets: 1, modes: []string{"full"}, script: `
source fd09:9::10.9.9.1/64 gateway fd09:9::fe
target 64:ff9b::10.2.2.2
hop 1 te from fd01:1::1
hop 2 te from 64:ff9b::10.1.2.1 translate 10.9.9.1 10.2.2.2
hop 3 te from 64:ff9b::10.1.3.1 translate 10.9.9.1 10.2.2.2 edit tos=0x20
`, verdicts: map[string]string{"64:ff9b::a01:201": "translated", "64:ff9b::a01:301": "translated"}},
	{name: "CLAT", target: "10.2.2.2", targets: 1, modes: []string{"full"}, script: `
source 10.9.9.1/24 gateway 10.9.9.254
target 10.2.2.2
hop 1 te from 10.1.1.1
hop 2 te from 10.1.2.1 translate fd64::10.9.9.1 64:ff9b::10.2.2.2
hop 3 te from 10.1.3.1 translate fd64::10.9.9.1 64:ff9b::10.2.2.2
`, verdicts: map[string]string{"10.1.2.1": "translated", "10.1.3.1": "translated"}},
}

// TestChangedQuotes surveys paths whose quotes are not the probes as they left:
// each is its own probe's, by a verdict that says what happened, and nothing is
// stray.
func TestChangedQuotes(t *testing.T) {
	for _, c := range changedPaths {
		script, err := simnet.Parse(c.name, []byte(c.script))
		if err != nil {
			t.Fatal(err)
		}
		of := c.modes
		if of == nil {
			of = modes
		}
		for _, mode := range of {
			for name := range names {
				if c.methods != nil && !slices.Contains(c.methods, name) {
					continue
				}
				t.Run(c.name+"/"+mode+"/"+name, func(t *testing.T) {
					t.Parallel()
					c.survey(t, script, mode, name)
				})
			}
		}
	}
}

func (c *changed) survey(t *testing.T, script *simnet.Script, mode, name string) {
	lab.Skip(t)
	n, err := simnet.Open(script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	file := t.TempDir() + "/"
	loops := "3" // most come to another than their probe's
	if c.short && mode == "random" {
		loops = "1"
	}
	cmd, _, stderr := command(t, "--mode", mode, "-M", name, "--allow-reserved", "--rate", "2k", "-m", "11", "-w", "10s",
		"--loops", loops, "-o", "replies:"+file+"replies", "--metadata", file+"meta", c.target)
	if err := n.Host(internet.Prober).Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	hops := routersIn(c.script)
	found := map[point]bool{}
	verdicts := map[string]uint64{}
	for _, r := range columns(t, file+"replies") {
		p := point{dst: netip.MustParseAddr(r["target"]), ttl: atoi(r["ttl"])}
		want, verdict := r["target"], "exact"
		if p.ttl <= len(hops) {
			want = hops[p.ttl-1]
		}
		if v := c.verdicts[want]; v != "" {
			verdict = v
		}
		if r["responder"] != want || r["verdict"] != verdict || found[p] {
			t.Fatalf("%v: want %s, %s, once", r, want, verdict)
		}
		found[p] = true
		verdicts[verdict]++
	}
	var meta metadata
	read(t, file+"meta", &meta)
	if mode != "adaptive" && len(found) != c.targets*11 {
		t.Errorf("%d replies, want %d", len(found), c.targets*11)
	}
	seen := map[int]bool{}
	for p := range found {
		seen[p.ttl] = true
	}
	for ttl := 1; ttl <= len(hops)+1; ttl++ {
		if !seen[ttl] {
			t.Errorf("nothing of TTL %d", ttl)
		}
	}
	for v, n := range meta.Counts.Verdicts {
		if n != verdicts[v] {
			t.Errorf("%d %s are counted, %d reported", n, v, verdicts[v])
		}
	}
}

// routersIn gives the routers of a script, one for each TTL.
func routersIn(script string) (list []string) {
	for line := range strings.Lines(script) {
		if words := strings.Fields(line); len(words) > 4 && words[0] == "hop" {
			list = append(list, netip.MustParseAddr(words[4]).String())
		}
	}
	return list
}
