package bsd

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/scheduler/virtual"
)

func TestChangedResponder(t *testing.T) {
	script := virtual.Script{
		TTL:  map[int][]virtual.Step{1: {exceeded(r1), exceeded(r1b), exceeded(r1)}},
		Rest: []virtual.Step{arrival(1)},
	}
	play(t, script, "-n", "10.2.2.2").wants(t, ` 1  10.1.1.1  X ms
    10.1.1.2  X ms
    10.1.1.1  X ms
 2  10.2.2.2  X ms !  X ms !  X ms !
`, header("40"))
}

func TestSummary(t *testing.T) {
	script := path(arrival(64))
	script.TTL[1] = []virtual.Step{exceeded(r1), {}, exceeded(r1)}
	play(t, script, "-n", "-S", "10.2.2.2").wants(t, ` 1  10.1.1.1  X ms *  X ms (33% loss)
 2  10.2.2.2  X ms  X ms  X ms (0% loss)
`, header("40"))
}

func TestVerbose(t *testing.T) {
	script := path(arrival(64))
	script.TTL[1] = []virtual.Step{exceeded(r1), {Kind: frame.KindParamProblem, From: r2, After: ms}}
	got := play(t, script, "-n", "-v", "-q2", "10.2.2.2")
	got.wants(t, ` 1  10.1.1.1 48 bytes to 10.9.9.1  X ms
48 bytes from 10.1.2.1 to 10.9.9.1: icmp type 12 (Param Problem) code 0
 4: 45000028
 8: d4330000
12: 0111c684
16: 0a090901
20: 0a020202
24: d431829c
28: 001489ea
32: 00000000
36: 00000000
40: 00000000
 *
 2  10.2.2.2 48 bytes to 10.9.9.1  X ms  X ms
packets received: 4 = 4 exact
`, header("40"))
	// The parameter problem did not settle its probe, which waited its time.
	if d := got.sent[2].At - got.sent[1].At; d != 5*time.Second {
		t.Errorf("next probe after %v, want 5 s", d)
	}
}

// Messages that quote no probe of ours, and second answers, are shown too.
func TestVerboseStrays(t *testing.T) {
	script := path(arrival(64))
	net := &virtual.Net{}
	net.Respond = func(s virtual.Sent) []virtual.Reply {
		replies := script.Respond(s)
		if len(net.Sent) != 1 {
			return replies
		}
		quench := frame.ErrorMessage{From: r2, To: us, TTL: 60, Type: 4, Quote: []byte{1, 2, 3, 4, 5}}
		return append(replies, replies[0], virtual.Reply{After: ms / 2, Frame: quench.Append(nil)})
	}
	got := playOn(t, net, "-n", "-v", "-q1", "-m1", "10.2.2.2")
	want := ` 1 
13 bytes from 10.1.2.1 to 10.9.9.1: icmp type 4 (Source Quench) code 0
 4: 01020304
 8: 05

48 bytes from 10.1.1.1 to 10.9.9.1: icmp type 11 (Time Exceeded) code 0
`
	if !strings.HasPrefix(got.stdout, want) {
		t.Errorf("got %q\nwant it to begin with %q", got.stdout, want)
	}
	if !strings.HasSuffix(got.stdout, " 10.1.1.1 48 bytes to 10.9.9.1  X ms\npackets received: 3 = 1 stray + 1 exact + 1 duplicate\n") {
		t.Errorf("got %q", got.stdout)
	}
	quiet := playOn(t, &virtual.Net{Respond: net.Respond}, "-n", "-q1", "-m1", "10.2.2.2")
	if strings.Contains(quiet.stdout, "icmp type") || strings.Contains(quiet.stdout, "received") {
		t.Errorf("shown without -v: %q", quiet.stdout)
	}
}

func TestVeryVerbose(t *testing.T) {
	play(t, path(arrival(64)), "-n", "-v", "-v", "-q1", "10.2.2.2", "41").wants(t, ` 1 [ 41 bytes
	 4500 0029 d432 0000 0111 c684 0a09 0901
	 0a02 0202 d431 829b 0015 89e9 0000 0000
	 0000 0000 0000 0000 00
]
 10.1.1.1 49 bytes to 10.9.9.1  X ms
 2 [ 41 bytes
	 4500 0029 d433 0000 0211 c583 0a09 0901
	 0a02 0202 d431 829c 0015 89e8 0000 0000
	 0000 0000 0000 0000 00
]
 10.2.2.2 49 bytes to 10.9.9.1  X ms
packets received: 2 = 2 exact
`, header("41"))
}

func TestRefusals(t *testing.T) {
	mtu := virtual.Step{Kind: frame.KindTooBig, MTU: 1400, After: ms}
	for _, c := range []struct {
		step virtual.Step
		want string
	}{
		{unreachable(2), " !P"}, {mtu, " !F-1400"},
		{unreachable(0), " !N"}, {unreachable(1), " !H"}, {unreachable(5), " !S"}, {unreachable(6), " !U"},
		{unreachable(7), " !W"}, {unreachable(8), " !I"}, {unreachable(9), " !A"}, {unreachable(10), " !Z"},
		{unreachable(11), " !Q"}, {unreachable(12), " !T"}, {unreachable(13), " !X"}, {unreachable(14), " !V"},
		{unreachable(15), " !C"}, {unreachable(42), " !<42>"}, {arrival(2), ""}, {arrival(1), " !"},
		{virtual.Step{Kind: frame.KindUnreachable, Code: 2, TTL: 1, After: ms}, " !P"},
	} {
		play(t, path(c.step), "-n", "-q1", "10.2.2.2").wants(t,
			" 1  10.1.1.1  X ms\n 2  10.2.2.2  X ms"+c.want+"\n", header("40"))
	}
}

func TestStopRule(t *testing.T) {
	refused, lost := unreachable(1), virtual.Step{}
	for _, c := range []struct {
		steps []virtual.Step
		hops  int
	}{
		{[]virtual.Step{refused, lost, refused}, 1},
		{[]virtual.Step{refused, lost, lost}, 3},
		{[]virtual.Step{refused, refused, exceeded(r1)}, 1},
		{[]virtual.Step{exceeded(r1), arrival(64), exceeded(r1)}, 1},
		{[]virtual.Step{lost, unreachable(2), lost}, 1},
	} {
		script := virtual.Script{TTL: map[int][]virtual.Step{1: c.steps}, Rest: []virtual.Step{lost}}
		got := play(t, script, "-n", "-w1", "-m3", "10.2.2.2")
		if len(got.sent) != 3*c.hops {
			t.Errorf("%d probes, want %d:\n%s", len(got.sent), 3*c.hops, got.stdout)
		}
	}
}

func TestNames(t *testing.T) {
	want := "traceroute to dst.example.net (10.2.2.2) from 10.9.9.1, 3 hops max, 40 byte packets\n"
	play(t, path(arrival(64)), "-q1", "-m3", "-s", "10.9.9.1", "dst").wants(t,
		" 1  gw.example.net (10.1.1.1)  X ms\n 2  gw.example.net (10.2.2.2)  X ms\n", want)
	many := "traceroute: Warning: many has multiple addresses; using 10.2.2.2\n"
	play(t, path(arrival(64)), "-n", "-q1", "-f2", "-m3", "-s", "10.9.9.1", "many").wants(t, " 2  10.2.2.2  X ms\n", many+want)
}

func TestDiff(t *testing.T) {
	script := path(arrival(64))
	net := &virtual.Net{}
	net.Respond = func(s virtual.Sent) []virtual.Reply {
		if s.Probe.TTL == 1 {
			s.Frame[8], s.Frame[1] = 0, 0x20
		}
		return script.Respond(s)
	}
	playOn(t, net, "-n", "-D", "-q1", "10.2.2.2").wants(t, ` 1  10.1.1.1  X ms
vhtslengid  fragtlprcsumsource  target  src dst lengcsum
45000028d43200000111c6850a0909010a020202d431829b001489eb000000000000000000000000
__20____________00______________________________________________________________

 2  10.2.2.2  X ms
vhtslengid  fragtlprcsumsource  target  src dst lengcsum
45000028d43300000211c5840a0909010a020202d431829c001489ea000000000000000000000000
________________________________________________________________________________

`, header("40"))
}

// The names of the fields stand above their bytes, with options too.
func TestDiffColumns(t *testing.T) {
	for _, args := range []string{"-P tcp", "-P udp", "-P gre", "-P sctp", "-P udplite", "-g 10.2.2.3", "-P 253"} {
		got := play(t, path(arrival(64)), slices.Concat([]string{"-n", "-D", "-q1", "-m1"}, strings.Fields(args), []string{"10.2.2.2"})...)
		lines := strings.Split(got.stdout, "\n")
		if len(lines) < 4 || len(lines[1]) > len(lines[2]) || len(lines[2]) != 80 || !strings.HasPrefix(lines[1], "vhtslengid") {
			t.Errorf("%s: %q", args, got.stdout)
		}
		if strings.Contains(args, "-g") && !strings.Contains(lines[1], "target  options         src dst ") {
			t.Errorf("%s: %q", args, lines[1])
		}
	}
}

func TestASNumbers(t *testing.T) {
	s := path(arrival(64))
	net := &virtual.Net{Respond: s.Respond}
	got := playASN(t, net, func(a netip.Addr) string {
		if a == r1 {
			return "AS65000"
		}
		return "*"
	}, "-n", "-q1", "10.2.2.2")
	got.wants(t, " 1  [AS65000] 10.1.1.1  X ms\n 2  [*] 10.2.2.2  X ms\n", header("40"))
}

// A probe that can't leave is reported and waited for.
func TestUnsent(t *testing.T) {
	got := play(t, path(arrival(64)), "-n", "-F", "-q1", "-w1", "-m2", "dst", "1501")
	line := "traceroute: wrote dst.example.net 1501 chars, ret=-1\n"
	got.wants(t, " 1 "+line+" *\n 2 "+line+" *\n",
		"traceroute to dst.example.net (10.2.2.2), 2 hops max, 1501 byte packets\n"+
			strings.Repeat("traceroute: sendto: Message too long\n", 2))
}
