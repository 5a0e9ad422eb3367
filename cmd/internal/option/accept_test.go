package option

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hopquote/hopquote/frame"
)

var compareAddr = cmpopts.EquateComparable(netip.Addr{}, frame.Route{})

// defaults gives the Options of `traceroute 10.0.0.1`.
func defaults() *Options {
	return &Options{
		Program: "traceroute", Host: "10.0.0.1", Addr: netip.MustParseAddr("10.0.0.1"), Family: 4,
		PacketLen: -1, First: 1, Max: 30, Sim: 16, Queries: 3, Method: "default",
		Wait: Wait{5, 3, 10}, Format: "text", Protocol: 253,
	}
}

func to(o *Options, host, addr string) {
	o.Host, o.Addr = host, netip.MustParseAddr(addr)
	o.Family = familyOf(o.Addr)
}

// accepted is a command line and what it changes in the defaults.
type accepted struct {
	line string
	set  func(*Options)
}

func same(*Options) {}

var acceptedLines = []accepted{
	{"10.0.0.1", same},
	{"-- 10.0.0.1", same},
	{"10.0.0.1 --", same},
	{"-4 10.0.0.1", same},
	{"-6 -4 10.0.0.1", same},
	{"-46 ::1", func(o *Options) { to(o, "::1", "::1") }},
	{"-nF 10.0.0.1", func(o *Options) { o.Numeric, o.DontFragment = true, true }},
	{"10.0.0.1 -n", func(o *Options) { o.Numeric = true }},
	{"--dont-fragment 10.0.0.1", func(o *Options) { o.DontFragment = true }},
	{"--do 10.0.0.1", func(o *Options) { o.DontFragment = true }},
	{"--dont-frag 10.0.0.1", func(o *Options) { o.DontFragment = true }},
	{"--mtu -N 4 10.0.0.1", func(o *Options) { o.PathMTU, o.DontFragment, o.Sim = MTUTold, true, 1 }},
	{"--mtu -T 10.0.0.1", func(o *Options) { o.PathMTU, o.DontFragment, o.Sim, o.Method = MTUTold, true, 1, "tcp" }},
	{"-q1 10.0.0.1", func(o *Options) { o.Queries = 1 }},
	{"-q 10 10.0.0.1", func(o *Options) { o.Queries = 10 }},
	{"-nq 1 10.0.0.1", func(o *Options) { o.Numeric, o.Queries = true, 1 }},
	{"--queries=2 -q 4294967297 10.0.0.1", func(o *Options) { o.Queries = 1 }},
	{"-f 5 --max-hops=0x10 10.0.0.1", func(o *Options) { o.First, o.Max = 5, 16 }},
	{"-f 255 -m255 10.0.0.1", func(o *Options) { o.First, o.Max = 255, 255 }},
	{"-m 010 10.0.0.1", func(o *Options) { o.Max = 8 }},
	{"-m ~+5 10.0.0.1", func(o *Options) { o.Max = 5 }},
	{"-m -18446744073709551614 10.0.0.1", func(o *Options) { o.Max = 2 }},
	{"-N 0 10.0.0.1", func(o *Options) { o.Sim = 1 }},
	{"-N -1 10.0.0.1", func(o *Options) { o.Sim = math.MaxUint32 }},
	{"--sim-queries=7 10.0.0.1", func(o *Options) { o.Sim = 7 }},
	{"10.0.0.1 0x50", func(o *Options) { o.PacketLen = 80 }},
	{"10.0.0.1 0", func(o *Options) { o.PacketLen = 0 }},
	{"10.0.0.1 65000", func(o *Options) { o.PacketLen = 65000 }},
	{"10.0.0.1 4294967396", func(o *Options) { o.PacketLen = 100 }},
	{"10.0.0.1 9223372036854775808", same},
	{"10.0.0.1 -- -5", same},
	{"-- 10.0.0.1 -5", same},
	{"10.0.0.1 -- -9223372036854775809", func(o *Options) { o.PacketLen = 0 }},

	{"-p 80x 10.0.0.1", func(o *Options) { o.Port, o.PortGiven = 80, true }},
	{"-p http 10.0.0.1", func(o *Options) { o.Port, o.PortGiven = 80, true }},
	{"--port=tftp 10.0.0.1", func(o *Options) { o.Port, o.PortGiven = 69, true }},
	{"-p 0 10.0.0.1", same},
	{"-p 08 10.0.0.1", same},
	{"-p 4294967296 10.0.0.1", same},
	{"-p 65536 10.0.0.1", func(o *Options) { o.PortGiven = true }},
	{"-p -1 10.0.0.1", func(o *Options) { o.Port, o.PortGiven = 65535, true }},
	{"-p 5 -p 0 10.0.0.1", same},
	{"--sport=53 10.0.0.1", func(o *Options) {
		o.SourcePort, o.SourcePortGiven, o.Sim, o.Wait.Here, o.Wait.Near = 53, true, 1, 0, 0
	}},
	{"--sport=ssh -N 9 10.0.0.1", func(o *Options) {
		o.SourcePort, o.SourcePortGiven, o.Sim, o.Wait.Here, o.Wait.Near = 22, true, 1, 0, 0
	}},
	{"--sport=0 10.0.0.1", same},
	{"--sport=65536 10.0.0.1", func(o *Options) { o.SourcePortGiven, o.Sim, o.Wait.Here, o.Wait.Near = true, 1, 0, 0 }},

	{"-t 3 10.0.0.1", func(o *Options) { o.TOS = 3 }},
	{"--tos=256 10.0.0.1", func(o *Options) { o.TOS = 256 }},
	{"-t -1 10.0.0.1", func(o *Options) { o.TOS = -1 }},
	{"-l 5 10.0.0.1", func(o *Options) { o.FlowLabel, o.FlowLabelGiven = 5, true }},
	{"-l 0x1fffff 10.0.0.1", func(o *Options) { o.FlowLabel, o.FlowLabelGiven = 0xfffff, true }},
	{"--flowlabel=0 10.0.0.1", same},

	{"-w 1 10.0.0.1", func(o *Options) { o.Wait = Wait{1, 0, 0} }},
	{"-w5/3/10 10.0.0.1", same},
	{"-w 5,~3,~10 10.0.0.1", same},
	{"-w 5~3~10 10.0.0.1", same},
	{"-w 1x2 10.0.0.1", func(o *Options) { o.Wait = Wait{1, 2, 0} }},
	{"-w 1-2+3 10.0.0.1", func(o *Options) { o.Wait = Wait{1, 2, 3} }},
	{"--wait=.5,1e0.0x2 10.0.0.1", func(o *Options) { o.Wait = Wait{.5, 1, 2} }},
	{"-w 1,2,3 -w 4 10.0.0.1", func(o *Options) { o.Wait = Wait{4, 0, 0} }},
	{"-w 0 10.0.0.1", func(o *Options) { o.Wait = Wait{} }},
	{"-w nan,nan,-nan 10.0.0.1", func(o *Options) { o.Wait = Wait{Max: math.Inf(1)} }},
	{"-w 1e400 10.0.0.1", func(o *Options) { o.Wait = Wait{Max: math.Inf(1)} }},
	{"-z .5 10.0.0.1", func(o *Options) { o.SendWait = .5 }},
	{"-z 9.5 10.0.0.1", func(o *Options) { o.SendWait = 9.5 }},
	{"--sendwait=10 10.0.0.1", func(o *Options) { o.SendWait = .01 }},
	{"-z nan 10.0.0.1", same},

	{"-s 10.0.0.2 10.0.0.1", func(o *Options) { o.Source, o.SourceAddr = "10.0.0.2", netip.MustParseAddr("10.0.0.2") }},
	{"--source=::ffff:10.0.0.2 10.0.0.1", func(o *Options) {
		o.Source, o.SourceAddr = "::ffff:10.0.0.2", netip.MustParseAddr("10.0.0.2")
	}},
	{"-i -n 10.0.0.1", func(o *Options) { o.Interface = "-n" }},
	{"--interface=eth0 -i '' 10.0.0.1", same},
	{"-I 10.0.0.1", func(o *Options) { o.Method = "icmp" }},
	{"--icmp -O dgram 10.0.0.1", func(o *Options) { o.Method = "icmp" }},
	{"-IT 10.0.0.1", func(o *Options) { o.Method = "tcp" }},
	{"-TU 10.0.0.1", func(o *Options) { o.Method = "udp" }},
	{"--tcp --udp -M ICMP 10.0.0.1", func(o *Options) { o.Method = "icmp" }},
	{"-T --module=Default -O bogus,-x 10.0.0.1", same},
	{"-T -O '' 10.0.0.1", func(o *Options) { o.Method = "tcp" }},
	{"-T -O syn,ack, 10.0.0.1", func(o *Options) {
		o.Method, o.TCP = "tcp", TCPOptions{Flags: frame.FlagSYN | frame.FlagACK, FlagsGiven: true}
	}},
	{"-T --options=fin,flags=0x12x -O psh 10.0.0.1", func(o *Options) {
		o.Method, o.TCP = "tcp", TCPOptions{Flags: 0x1a, FlagsGiven: true}
	}},
	{"-T -O flags=256 10.0.0.1", func(o *Options) { o.Method, o.TCP = "tcp", TCPOptions{FlagsGiven: true} }},
	{"-T -O ecn,,sack,ti~win,sysctl,info,reuse,mss=900 10.0.0.1", func(o *Options) {
		o.Method, o.TCP = "tcp", TCPOptions{
			ECN: true, SACK: true, Timestamps: true, WindowScaling: true, Sysctl: true,
			Info: true, Reuse: true, MSS: 900, MSSGiven: true,
		}
	}},
	{"-T -O mss=900,mss=0 10.0.0.1", func(o *Options) { o.Method = "tcp" }},
	{"-T -O mss=65537 10.0.0.1", func(o *Options) { o.Method, o.TCP = "tcp", TCPOptions{MSS: 1, MSSGiven: true} }},

	{"0x0a020202", func(o *Options) { to(o, "0x0a020202", "10.2.2.2") }},
	{"1.2", func(o *Options) { to(o, "1.2", "1.0.0.2") }},
	{"::ffff:10.2.2.2", func(o *Options) { to(o, "::ffff:10.2.2.2", "10.2.2.2") }},
	{"-4 ::ffff:10.2.2.2", func(o *Options) { to(o, "::ffff:10.2.2.2", "10.2.2.2") }},
	{"fe80::1%lo", func(o *Options) { to(o, "fe80::1%lo", "fe80::1%lo") }},
}

// ownLines has what the reference program doesn't know, or can't be shown
// without names.
var ownLines = []accepted{
	{"four.test", func(o *Options) { to(o, "four.test", "192.0.2.1") }},
	{"six.test", func(o *Options) { to(o, "six.test", "2001:db8::1") }},
	{"dual.test", func(o *Options) { to(o, "dual.test", "192.0.2.3") }},
	{"-6 dual.test", func(o *Options) { to(o, "dual.test", "2001:db8::2") }},
	{"-s four.test 10.0.0.1", func(o *Options) { o.Source, o.SourceAddr = "four.test", netip.MustParseAddr("192.0.2.1") }},
	{"--mtu=probe 10.0.0.1", func(o *Options) { o.PathMTU, o.DontFragment = MTUProbe, true }},
	{"--mtu --mtu=probe -N 4 10.0.0.1", func(o *Options) { o.PathMTU, o.DontFragment, o.Sim = MTUProbe, true, 4 }},
	{"--format=json 10.0.0.1", func(o *Options) { o.Format = "json" }},
	{"-ne 10.0.0.1", func(o *Options) { o.Numeric, o.Extensions = true, true }},
	{"--ext --back 10.0.0.1", func(o *Options) { o.Extensions, o.Back = true, true }},
	{"--quotes 10.0.0.1", func(o *Options) { o.Quotes = true }},
	{"-A 10.0.0.1", func(o *Options) { o.ASSource = "whois" }},
	{"--as-path-lookups 10.0.0.1", func(o *Options) { o.ASSource = "whois" }},
	{"--as-source=cymru 10.0.0.1", func(o *Options) { o.ASSource = "cymru" }},
	{"--as-source=cymru -A 10.0.0.1", func(o *Options) { o.ASSource = "cymru" }},
	{"-A --as-source=mmdb:a=b:c 10.0.0.1", func(o *Options) { o.ASSource = "mmdb:a=b:c" }},
	{"--as-source=cymru --as-source=whois 10.0.0.1", func(o *Options) { o.ASSource = "whois" }},
	{"--pcap=a=b 10.0.0.1", func(o *Options) { o.PCAP = "a=b" }},
	{"-z inf 10.0.0.1", func(o *Options) { o.SendWait = math.Inf(1) }},
}

func TestAccepted(t *testing.T) {
	for _, tt := range slices.Concat(ownLines, acceptedLines, methodLines) {
		want := defaults()
		tt.set(want)
		got, err := parse(words("traceroute", tt.line)...)
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		if diff := cmp.Diff(want, got, compareAddr); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.line, diff)
		}
	}
}

func TestProgramName(t *testing.T) {
	tests := []struct {
		program, host, method string
	}{
		{"traceroute", "10.0.0.1", "default"},
		{"hopquote trace", "10.0.0.1", "default"},
		{"", "10.0.0.1", "default"},
		{"traceroute6", "2001:db8::2", "default"},
		{"trace4", "192.0.2.3", "default"},
		{"/6", "2001:db8::2", "default"},
		{"6/", "192.0.2.3", "default"},
		{"/bin/tcptrace", "192.0.2.3", "tcp"},
		{"/tcp/trace", "192.0.2.3", "default"},
		{"xtcp", "192.0.2.3", "default"},
		{"tcp6", "2001:db8::2", "tcp"},
		{"tracert", "192.0.2.3", "icmp"},
		{"tracert6", "2001:db8::2", "icmp"},
		{"tracertoute", "192.0.2.3", "icmp"},
	}
	for _, tt := range tests {
		// A host with both families shows which one the name asks for.
		host := "dual.test"
		if tt.host == "10.0.0.1" {
			host = tt.host
		}
		o, err := parse(tt.program, host)
		if err != nil {
			t.Errorf("%q: %v", tt.program, err)
			continue
		}
		if o.Addr.String() != tt.host || o.Method != tt.method || o.Program != tt.program {
			t.Errorf("%q: got %v %s as %q, want %s %s", tt.program, o.Addr, o.Method, o.Program, tt.host, tt.method)
		}
	}
	if o, err := parse("tcp4", "-6", "-I", "dual.test"); err != nil || o.Method != "icmp" || o.Family != 6 {
		t.Errorf("options against the name: got %+v, %v", o, err)
	}
}

func TestPosixlyCorrect(t *testing.T) {
	tests := []struct {
		line, stderr string
	}{
		{"10.0.0.1 -n", "Cannot handle \"packetlen\" cmdline arg `-n' on position 2 (argc 2)\n"},
		{"-n -q 11 10.0.0.1 5 -Z", "Extra arg `-Z' (position 3, argc 6)\n"},
		{"-Z 10.0.0.1", "Bad option `-Z' (argc 1)\n"},
		{"-n 10.0.0.1 -5", ""},
	}
	for _, value := range []string{"", "1"} {
		env := func(name string) (string, bool) { return value, name == "POSIXLY_CORRECT" }
		for _, tt := range tests {
			_, err := parseEnv(env, words("traceroute", tt.line)...)
			if tt.stderr == "" {
				if err != nil {
					t.Errorf("%s: %v", tt.line, err)
				}
				continue
			}
			if exit := wantExit(t, err); exit.Code != 2 || exit.Stderr != tt.stderr {
				t.Errorf("%s: got %d %q, want 2 %q", tt.line, exit.Code, exit.Stderr, tt.stderr)
			}
		}
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		line string
		want int
	}{
		{"10.0.0.1", 60},
		{"::1", 80},
		{"10.0.0.1 -- -1", 60},
		{"10.0.0.1 27", 28},
		{"::1 20", 48},
		{"-I 10.0.0.1 29", 29},
		{"::1 65000", 65000},
		{"--mtu ::1", 65000},
		{"--mtu=probe 10.0.0.1 1500", 1500},
	}
	for _, tt := range tests {
		o, err := parse(words("traceroute", tt.line)...)
		if err != nil {
			t.Fatalf("%s: %v", tt.line, err)
		}
		if got := o.Size(); got != tt.want {
			t.Errorf("%s: got %d bytes, want %d", tt.line, got, tt.want)
		}
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		seconds float64
		want    time.Duration
	}{
		{0, 0},
		{.5, 500 * time.Millisecond},
		{5, 5 * time.Second},
		{-1, 0},
		{math.NaN(), 0},
		{math.Inf(1), math.MaxInt64},
		{1e300, math.MaxInt64},
		{9223372036.854775807, math.MaxInt64},
	}
	for _, tt := range tests {
		if got := Duration(tt.seconds); got != tt.want {
			t.Errorf("%v s: got %v, want %v", tt.seconds, got, tt.want)
		}
	}
}
