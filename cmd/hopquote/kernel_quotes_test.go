package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/bench/lab"
)

// Four routers, of which r2 does what the tests are about.
//
//	h1 --1-- r1 --2-- r2 --3-- r3 --4-- r4 --5-- h2
var row = lab.Topology{
	Name: "row",
	Hosts: []lab.HostPlan{
		host("h1", toward(0, at{1, 20})),
		router("r1", toward(0, at{2, 20})),
		router("r2", toward(0, at{3, 20}), toward(1, at{2, 10})),
		router("r3", toward(0, at{4, 20}), toward(1, at{3, 10}), toward(2, at{3, 10})),
		router("r4", toward(0, at{4, 10})),
		host("h2", toward(0, at{5, 10})),
	},
	Links: []lab.LinkPlan{
		between(1, "h1", "r1"), between(2, "r1", "r2"), between(3, "r2", "r3"),
		between(4, "r3", "r4"), between(5, "r4", "h2"),
	},
}

// TestKernelQuotes lets Linux change packets between hops 2 and 3, and wants
// the change there, with every method that can show it, and no other.
func TestKernelQuotes(t *testing.T) {
	t.Parallel()
	const nat4 = "NAT after hop 2: checksum-restored 0xffff -> 0x0, " +
		"the same number, which is what updating it there and back leaves: the quote is restored (hops 3 to 4)"
	every := []string{"", "-U", "-I", "-T", "-UL", "-D", "-P 253", "-M tcpconn"}
	for _, tt := range []struct {
		name    string
		rules   string // of r2, with FAMILY for ip and ip6
		methods []string
		args    string
		dst     [2]string // "" for h2
		want    []string  // patterns: # for any word
	}{
		{name: "nothing", methods: every},
		{name: "long probes", methods: []string{"", "-I"}, args: "2000"},
		{name: "masquerade", methods: []string{"-I", "-T", "-T -O ack", "-T -O syn"}, want: []string{nat4},
			rules: "type nat hook postrouting priority srcnat\noifname \"to-r3\" masquerade"},
		{name: "masquerade, random ports", methods: []string{"-I", "-T"}, want: []string{nat4},
			rules: "type nat hook postrouting priority srcnat\noifname \"to-r3\" masquerade random"},
		// What a NAT restores of UDP is no different from what was sent.
		{name: "masquerade of UDP", methods: []string{"", "-U", "-UL"},
			rules: "type nat hook postrouting priority srcnat\noifname \"to-r3\" masquerade"},
		{name: "destination", methods: []string{""}, dst: [2]string{"10.0.9.9", "fd00:9::9"},
			rules: "type nat hook prerouting priority dstnat\nFAMILY daddr DST dnat to REAL",
			want:  []string{"NAT after hop 1: hops 2 to 5 answer by the target's address, from 2 to 5 hops away (hops 2 to 5)"}},
		{name: "destination", methods: []string{"-I", "-T"}, dst: [2]string{"10.0.9.9", "fd00:9::9"},
			rules: "type nat hook prerouting priority dstnat\nFAMILY daddr DST dnat to REAL",
			want:  []string{"NAT after hop 1: checksum-restored 0xffff -> 0x0, the same number, # (hops 2 to 4)"}},
		{name: "tos", methods: []string{"", "-U", "-UL", "-D", "-P 253"}, args: "-t 0xb8",
			rules: "type filter hook forward priority mangle\nFAMILY dscp set cs0",
			want:  []string{"TOS cleared between 2 and 3: dscp 46 -> 0 (hops 3 to 5)"}},
		{name: "tos", methods: []string{"-I", "-T", "-M tcpconn"}, args: "-t 0xb8",
			rules: "type filter hook forward priority mangle\nFAMILY dscp set cs1",
			want:  []string{"DSCP rewritten between 2 and 3: dscp 46 -> 8 (hops 3 to 4)"}},
		{name: "ttl", methods: []string{"", "-U", "-UL"}, rules: "type filter hook forward priority mangle\noifname \"to-r3\" TTL set 64",
			want: []string{"TTL rewritten between 2 and 3: ttl 3 -> # (hop 3)"}},
		{name: "ttl lowered", methods: []string{"", "-T", "-I"}, args: "-m7", rules: "type filter hook forward priority mangle\noifname \"to-r3\" TTL set 1",
			want: []string{"TTL lowered between 2 and 3: every probe of TTL 3 to 7 expires at one router (hops 3 to 7)"}},
		{name: "mss", methods: []string{"-T", "-M tcpconn"}, rules: "type filter hook forward priority mangle\ntcp flags syn tcp option maxseg size set 1400",
			want: []string{"MSS clamped between 2 and 3: tcp-mss # -> 1400 (hops 3 to 4)"}},
		{name: "mss and masquerade", methods: []string{"-T"},
			rules: "type filter hook forward priority mangle\ntcp flags syn tcp option maxseg size set 1400\n}\n" +
				"chain nat {\ntype nat hook postrouting priority srcnat\noifname \"to-r3\" masquerade",
			want: []string{"MSS clamped between 2 and 3: tcp-mss # -> 1400 (hops 3 to 4)"}},
	} {
		for i, family := range []string{"ip", "ip6"} {
			name := tt.name + strings.Join(tt.methods, " ") + " " + family
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := buildLab(t, row)
				if family == "ip6" && !n.HasIPv6() {
					t.Skip("the kernel has no IPv6")
				}
				real := []string{at{5, 20}.v4().String(), at{5, 20}.v6().String()}[i]
				dst := real
				if tt.dst[i] != "" {
					dst = tt.dst[i]
				}
				if tt.rules != "" {
					ttl := []string{"ip ttl", "ip6 hoplimit"}[i]
					rules := strings.NewReplacer("FAMILY", family, "TTL", ttl, "DST", dst, "REAL", real).Replace(tt.rules)
					runNFT(t, n.Host("r2"), "table "+family+" lab {\nchain change {\n"+rules+"\n}\n}")
				}
				for _, method := range tt.methods {
					args := "-n -q2 --quotes " + method + " " + tt.args + " " + dst
					if tt.args == "2000" {
						args = "-n -q2 --quotes " + method + " " + dst + " 2000"
					}
					r := finish(t, n.Host("h1"), (comparison{args: args}).command(ours()))
					if diff := cmp.Diff(tt.want, matching(tt.want, findingsOf(r.Stdout))); diff != "" || r.Code != 0 {
						t.Errorf("%s: exit %d, %s, path changes (-want +got):\n%s\n%s", args, r.Code, r.Stderr, diff, r.Stdout)
					}
				}
			})
		}
	}
}

// findingsOf gives the lines of the summary.
func findingsOf(text string) []string {
	var list []string
	_, summary, ok := strings.Cut(text, "\npath changes")
	if !ok {
		return []string{"no summary"}
	}
	for line := range strings.Lines(summary) {
		if finding, ok := strings.CutPrefix(line, "  "); ok {
			list = append(list, strings.TrimSuffix(finding, "\n"))
		}
	}
	return list
}

// matching shows a line as the pattern in its place if it fits that: # stands
// for anything.
func matching(patterns, lines []string) []string {
	for i := range min(len(patterns), len(lines)) {
		rest, fits := lines[i], true
		for k, part := range strings.Split(patterns[i], "#") {
			at := strings.Index(rest, part)
			if at < 0 || k == 0 && at > 0 {
				fits = false
				break
			}
			rest = rest[at+len(part):]
		}
		if fits && rest == "" {
			lines[i] = patterns[i]
		}
	}
	return lines
}
