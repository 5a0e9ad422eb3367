package simnet

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	s := must(t, `# comment
source 10.9.9.1/24 gateway 10.9.9.254   # another
source fd09:9::1/64 gateway fd09:9::fe
target 10.2.2.2 10.3.0.0/16
name 10.1.1.1 gw.example.net gw
mtu 0 1400
hop 3-5 te from 10.1.1.1 delay 1ms..2ms ttl 60, lost
run -n  -q1 10.2.2.2
| 1  10.1.1.1  X ms
|traceroute # no comment
`)
	want := &Script{
		Sources: []Source{
			{netip.MustParsePrefix("10.9.9.1/24"), netip.MustParseAddr("10.9.9.254")},
			{netip.MustParsePrefix("fd09:9::1/64"), netip.MustParseAddr("fd09:9::fe")},
		},
		Targets: []netip.Prefix{netip.MustParsePrefix("10.2.2.2/32"), netip.MustParsePrefix("10.3.0.0/16")},
		Names:   []Name{{netip.MustParseAddr("10.1.1.1"), []string{"gw.example.net", "gw"}}},
		MTU:     1400,
		Runs:    []Run{{Args: []string{"-n", "-q1", "10.2.2.2"}, Output: []string{" 1  10.1.1.1  X ms", "traceroute # no comment"}}},
	}
	exported := *s
	exported.rules, exported.mtus, exported.known, exported.seed = nil, nil, nil, 0
	if diff := cmp.Diff(want, &exported, cmp.AllowUnexported(Script{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := string(s.Hosts()); got != "127.0.0.1 localhost\n::1 localhost\n10.1.1.1 gw.example.net gw\n" {
		t.Errorf("hosts file %q", got)
	}
	r := s.rules[0]
	if r.low != 3 || r.top != 5 || len(r.choices) != 2 || r.choices[0][0].delay != [2]time.Duration{ms, 2 * ms} || r.choices[0][0].ttl != 60 {
		t.Errorf("hop line became %+v", r)
	}
}

// TestParseErrors checks each message: what, and what is allowed.
func TestParseErrors(t *testing.T) {
	const head = "source 10.9.9.1/24 gateway 10.9.9.254\ntarget 10.2.2.2\n"
	for _, c := range []struct{ script, want string }{
		{"", "x.sim: no source line"},
		{"source 10.9.9.1/24 gateway 10.9.9.254", "x.sim: no target line"},
		{head + "target fd00::1", "x.sim: target fd00::1/128: no source line of its family"},
		{head + "target 10.0.0.0/8", "x.sim: target 10.0.0.0/8 holds the source 10.9.9.1"},
		{"source 10.9.9.1 gateway 10.9.9.2", `x.sim:1: source: "10.9.9.1": must be an address with its prefix length, like 10.9.9.1/24`},
		{"source 10.9.9.1/24", "x.sim:1: source: the word gateway and its address are missing after 10.9.9.1/24"},
		{"source 10.9.9.1/24 gateway 10.9.8.1", "x.sim:1: source: gateway 10.9.8.1: must be another address of 10.9.9.0/24"},
		{"\n\nfoo", "x.sim:3: foo: a line must start with source, target, name, seed, default, mtu, hop, dest, run or |"},
		{"target", `x.sim:1: target: target "": must be an IPv4 or IPv6 address`},
		{"target ::ffff:10.1.1.1", `x.sim:1: target: target "::ffff:10.1.1.1": must be an IPv4 or IPv6 address`},
		{"name 10.1.1.1", "x.sim:1: name: a host name is missing after 10.1.1.1"},
		{"name 10.1.1.1 a;b", `x.sim:1: name: "a;b": a host name has up to 253 letters, digits, dots, hyphens and underscores`},
		{"hop", "x.sim:1: hop: TTL is missing: 3, 3-5 or 3-"},
		{"hop 0 silent", `x.sim:1: hop: TTL "0": must be a number from 1 to 255`},
		{"hop 5-3 silent", `x.sim:1: hop: TTL "3": must be a number from 5 to 255`},
		{"hop 1 nothing", `x.sim:1: hop: reply "nothing": must be one of lost, arrive, te,`},
		{"hop 1", `x.sim:1: hop: reply "": must be one of`},
		{"hop 1 te", "x.sim:1: hop: te: from and an address are missing"},
		{"hop 1 te from", "x.sim:1: hop: from is missing: an IPv4 or IPv6 address"},
		{"hop 1 te from 10.1.1.1,", `x.sim:1: hop: reply "": must be one of`},
		{"hop 1 te from 10.1.1.1, te from fd00::1", "x.sim:1: hop: from fd00::1: IPv4 and IPv6 need a line each"},
		{"hop 1 lost + te from 10.1.1.1", "x.sim:1: hop: lost: cannot be one of several replies"},
		{"hop 1 icmp 8 silent", `x.sim:1: hop: port "8": only after udp, tcp, udplite or dccp`},
		{"hop 1 udp 70000 silent", `x.sim:1: hop: port "70000": must be a number from 0 to 65535`},
		{"hop 1 proto 256 silent", `x.sim:1: hop: protocol "256": must be a number from 0 to 255`},
		{"hop 1 redirect 1 from fd00::1", "x.sim:1: hop: redirect: IPv4 only; IPv6 may have type T/C"},
		{"hop 1 unreach from 10.1.1.1", `x.sim:1: hop: code "from": must be a number from 0 to 255`},
		{"hop 1 type 3 from 10.1.1.1", `x.sim:1: hop: type "3": must be two numbers from 0 to 255 like 11/1`},
		{"hop 1 te from 10.1.1.1 delay 5", `x.sim:1: hop: delay "5": must be durations from 0s to 1h0m0s like 10ms or 10ms..20ms`},
		{"hop 1 te from 10.1.1.1 delay 2s..1s", `x.sim:1: hop: delay "2s..1s": the second must not be less than the first`},
		{"hop 1 te from 10.1.1.1 loss 30", `x.sim:1: hop: loss "30": must be 0% to 100%`},
		{"hop 1 te from 10.1.1.1 loss NaN%", `x.sim:1: hop: loss "NaN%": must be 0% to 100%`},
		{"hop 1 te from 10.1.1.1 rate 0/s", `x.sim:1: hop: rate "0/s": must be a number above 0 per second, like 10/s`},
		{"hop 1 te from 10.1.1.1 burst 3", `x.sim:1: hop: modifier "burst": must be one of from, delay,`},
		{"hop 1 te from 10.1.1.1 edit ttl", `x.sim:1: hop: edit "ttl": must be FIELD=VALUE`},
		{"hop 1 te from 10.1.1.1 edit foo=1", `x.sim:1: hop: edit field "foo": must be one of version, ihl,`},
		{"hop 1 te from 10.1.1.1 edit byte=1", `x.sim:1: hop: edit "byte=1": byte must have a number from 0 to 65535`},
		{"hop 1 te from 10.1.1.1 edit ttl=x", `x.sim:1: hop: edit ttl "x": must be a number from 0 to 4294967295`},
		{"hop 1 te from 10.1.1.1 edit sport=partial", `x.sim:1: hop: edit sport "partial": must be a number from 0 to 4294967295`},
		{"hop 1 te from 10.1.1.1 inside vxlan", `x.sim:1: hop: inside "vxlan": must be ip, gre, error or mpls`},
		{"hop 1 te from 10.1.1.1 inside ip 10.1.1.1", "x.sim:1: hop: inside is missing: an IPv4 or IPv6 address"},
		{"hop 1 te from 10.1.1.1 inside gre 10.1.1.1 fd00::1", "x.sim:1: hop: inside 10.1.1.1 fd00::1: must be two addresses of one family"},
		{"hop 1 te from 10.1.1.1 inside mpls 1", `x.sim:1: hop: mpls "1": must be entries LABEL/EXP/BOTTOM/TTL joined by commas`},
		{"hop 1 te from 10.1.1.1" + strings.Repeat(" inside mpls 1/0/1/1", 5), "x.sim:1: hop: inside: more than 4 layers"},
		{"hop 1 te from 10.1.1.1 translate 10.1.1.1 fd00::1", "x.sim:1: hop: translate 10.1.1.1 fd00::1: must be two addresses of one family"},
		{"hop 1 te from 10.1.1.1 mpls 1/2/3", `x.sim:1: hop: mpls "1/2/3": must be entries LABEL/EXP/BOTTOM/TTL joined by commas`},
		{"hop 1 te from 10.1.1.1 mpls 1/8/1/1", `x.sim:1: hop: mpls exp "8": must be a number from 0 to 7`},
		{"hop 1 te from 10.1.1.1 ext xx", `x.sim:1: hop: ext "xx": must be 1 to 4096 bytes in hexadecimal`},
		{"hop 1 te from 10.1.1.1 extsum maybe", `x.sim:1: hop: extsum "maybe": must be good, bad or zero`},
		{"dest arrive", "x.sim:1: dest: arrive: the probe is there already"},
		{"dest echo cycle", `x.sim:1: dest: modifier "cycle": must be one of`},
		{"default from 10.1.1.1", "x.sim:1: default: from 10.1.1.1: every line must say where its replies come from"},
		{"mtu 1 60", `x.sim:1: mtu: MTU "60": must be a number from 68 to 65535`},
		{"mtu 1 1400, 5", `x.sim:1: mtu: "," is not expected here`},
		{head + "mtu 1 1400", "x.sim: mtu 1 1400: no address in a hop 1 line; say silent, or from and an address"},
		{"| 1  10.1.1.1", "x.sim:1: |: output must follow a run line"},
		{"seed -1", `x.sim:1: seed: seed "-1": must be a number from 0 to`},
		{"a\x00b", "x.sim:1: not text"},
		{"# " + strings.Repeat("x", 5000), "x.sim:1: line of 5002 bytes: 4096 are allowed"},
		{strings.Repeat("\n", 1<<20+1), "x.sim: script of 1048577 bytes: 1048576 are allowed"},
		{head + strings.Repeat("hop 1 silent\n", 1001), "x.sim:1003: hop: more than 1000 lines of hop, dest and mtu"},
		{"hop 1 " + strings.Repeat("lost, ", 256) + "lost", "x.sim:1: hop: more than 256 choices"},
	} {
		_, err := Parse("x.sim", []byte(c.script))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%.60q: error %v, want %s", c.script, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: error of several lines: %q", c.script, err)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.sim")
	if _, err := Read(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Read of no file: %v", err)
	}
	if err := os.WriteFile(path, []byte("foo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.HasPrefix(err.Error(), path+":1: foo: ") {
		t.Errorf("Read of a mistake: %v", err)
	}
}

// TestDescription parses the example of script.md and looks for every word.
func TestDescription(t *testing.T) {
	text, err := os.ReadFile("script.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```\n")
	example, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("script.md has no example")
	}
	if _, err := Parse("script.md", []byte(example)); err != nil {
		t.Error(err)
	}
	for _, word := range strings.Split(modifierNames, ", ") {
		if !strings.Contains(string(text), "`"+word) {
			t.Errorf("script.md does not describe the modifier %s", word)
		}
	}
	for _, word := range kindNames {
		if !strings.Contains(string(text), "`"+word) {
			t.Errorf("script.md does not describe the reply %s", word)
		}
	}
}

func FuzzScript(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(scriptsDir, "*.sim"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	probes := [][]byte{build(f, udp4(1)), build(f, udp6(2)), build(f, icmp4(3)), build(f, tcp4(4, 2))}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f.sim", []byte(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("error of several lines: %q", err)
			}
			return
		}
		r := NewResponder(s, simMAC)
		for _, p := range probes {
			respond(r, p)
			respond(r, p)
		}
	})
}
