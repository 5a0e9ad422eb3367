package onpath

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hopquote/hopquote/frame"
	"github.com/hopquote/hopquote/rx/anomaly"
)

// brief tells what was seen on one line: changes as name@since, those that are
// new with "!".
func brief(s Seen) string {
	var parts []string
	for i := range s.Changes {
		c := &s.Changes[i]
		text := fmt.Sprintf("%s@%d", c.Label(), c.Since)
		if c.New {
			text = "!" + text
		}
		if !c.Before.IsAbsent() {
			text += "(" + c.Before.String() + ")"
		}
		parts = append(parts, text)
	}
	for _, name := range s.Restored {
		parts = append(parts, "~"+name)
	}
	if s.Flags != 0 {
		parts = append(parts, "["+s.Flags.String()+"]")
	}
	return strings.Join(parts, " ")
}

// TestChanges wants what each answer of a path tells beside those before it.
func TestChanges(t *testing.T) {
	routed := udp()
	var err error
	if routed.Route, err = frame.NewRoute(frame.LSRR, []netip.Addr{netip.MustParseAddr("10.1.2.1")}); err != nil {
		t.Fatal(err)
	}
	routed.Size = 80
	for _, tt := range []struct {
		name  string
		probe frame.Probe
		steps []step
		want  []string
	}{
		{"nothing", udp(), []step{{ttl: 1}, {ttl: 2, last: true}}, []string{"", ""}},
		{"first where it appears", udp(), []step{{ttl: 1}, {ttl: 2, edit: noTOS}, {ttl: 3, edit: noTOS}, {ttl: 4, edit: noTOS}},
			[]string{"", "!dscp@2", "dscp@2", "dscp@2"}},
		{"a hop without it between", udp(), []step{{ttl: 1, edit: noTOS}, {ttl: 2}, {ttl: 3, edit: noTOS}}, []string{"!dscp@1", "~dscp", "!dscp@3"}},
		{"a silent hop between", udp(), []step{{ttl: 1, edit: noTOS}, {ttl: 4, edit: noTOS}}, []string{"!dscp@1", "dscp@1"}},
		{"another value", tcp(), []step{{ttl: 1, edit: clamped}, {ttl: 2, edit: lower}, {ttl: 3, edit: lower}},
			[]string{"!tcp-mss@1 !checksum-stale@1", "!tcp-mss@2(1400) checksum-stale@1", "tcp-mss@2 checksum-stale@1"}},
		{"a short quote between", tcp(), []step{{ttl: 1, edit: clamped}, {ttl: 2, edit: cut(28)}, {ttl: 3, edit: clamped}},
			[]string{"!tcp-mss@1 !checksum-stale@1", "", "tcp-mss@1 checksum-stale@1"}},
		{"values of their own", udp(), []step{{ttl: 1, edit: port}, {ttl: 2, edit: put(20, 1, 2)}},
			[]string{"!src-port@1 !checksum-stale@1", "src-port@1 checksum-stale@1"}},
		{"a router's own", udp(), []step{{ttl: 1, edit: put(2, 60, 0)}, {ttl: 2, edit: put(2, 60, 0)}, {ttl: 3}},
			[]string{"!length-swapped@1", "!length-swapped@2", ""}},
		{"one of two ways", udp(), []step{{ttl: 1}, {ttl: 2}, {ttl: 2, from: "10.1.2.9", edit: noTOS}, {ttl: 3}, {ttl: 3, edit: noTOS}},
			[]string{"", "", "!dscp@2", "", "dscp@2"}},
		{"too short", udp(), []step{{ttl: 1, edit: cut(24)}, {ttl: 2, edit: cut(10)}, {ttl: 3, edit: cut(0)}}, []string{"[truncated]", "[truncated]", ""}},
		{"malformed", udp(), []step{{ttl: 1, edit: func(q []byte) []byte { q[0] = 0x42; return q }}}, []string{"[malformed]"}},
		{"tunnel", udp(), []step{{ttl: 1}, {ttl: 2, edit: gre}}, []string{"", "!encapsulation@2 [encapsulated]"}},
		{"fragment", udp(), []step{{ttl: 1, edit: put(6, 0, 5)}}, []string{"[fragment]"}},
		{"from the target", udp(), []step{{ttl: 1, from: "10.2.2.2"}}, []string{"[from-target]"}},
		{"source route followed", routed, []step{{ttl: 1}, {ttl: 2, edit: both(put(16, 10, 2, 2, 2), func(q []byte) []byte { q[22] = 8; return q })}},
			[]string{"", "!ip-checksum@2"}},
		{"more TTL than was sent", udp(), []step{{ttl: 3, edit: put(8, 60)}}, []string{"!ttl@3"}},
		{"what is left at an unreachable", udp(), []step{{ttl: 3, edit: put(8, 2), last: true}}, []string{"!ttl@3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p Path
			var got []string
			for _, s := range walk(t, &p, tt.probe, tt.steps) {
				got = append(got, brief(s))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What comes with TTL to spare is compared with the path and is no part of it.
func TestBeyond(t *testing.T) {
	var p Path
	walk(t, &p, udp(), []step{{ttl: 1}, {ttl: 2, edit: noTOS, last: true}})
	probe := packet(t, udp(), 7)
	quote := noTOS(packet(t, udp(), 6))
	got := p.Add(&Answer{TTL: 7, Beyond: true, From: target, Target: target, Probe: probe, Quote: quote})
	if brief(got) != "dscp@2" {
		t.Errorf("got %q", brief(got))
	}
	if f := p.Findings(); len(f) != 1 || f[0].Last != 2 || p.Quoting() != 2 {
		t.Errorf("%d hops quote; findings %v", p.Quoting(), f)
	}
}

// An unreachable that stands for an earlier silent hop has the TTL left that the
// hops behind would have taken.
func TestUnreachableElsewhere(t *testing.T) {
	for _, quoted := range []uint8{4, 3} {
		var p Path
		a := Answer{TTL: 2, From: netip.MustParseAddr("10.8.8.8"), Target: target, Probe: packet(t, udp(), 5)}
		a.Quote = packet(t, udp(), int(quoted))
		want := map[uint8]string{4: "", 3: "!ttl@2"}[quoted]
		if got := brief(p.Add(&a)); got != want {
			t.Errorf("quoted TTL %d: %q, want %q", quoted, got, want)
		}
	}
}

// A first fragment quoted as the whole datagram was put together by who quotes.
func TestReassembled(t *testing.T) {
	probe := packet(t, udp(), 2)
	probe[6] = 0x20 // more fragments
	quote := resum(append([]byte(nil), probe...))
	quote[6], quote[2], quote[3], quote[8] = 0, 0x07, 0xd0, 1
	var p Path
	got := p.Add(&Answer{TTL: 2, From: netip.MustParseAddr("10.1.2.1"), Target: target, Expired: true, Probe: probe, Quote: resum(quote)})
	if brief(got) != "!length@2 !fragment-bits@2" || len(p.Findings()) != 0 {
		t.Errorf("%q, findings %v", brief(got), p.Findings())
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for k := range Kind(Kinds) {
		name := k.String()
		if name == "" || seen[name] || strings.ContainsAny(name, "- ABC") {
			t.Errorf("kind %d is %q", k, name)
		}
		seen[name] = true
	}
	for _, k := range anomaly.List() {
		if k.Effect == anomaly.Rewrite && k.Flag&(own|follows|anomaly.Protocol|anomaly.ICMPType|anomaly.ICMPSequence) == 0 && kindOf(k.Flag) == Other {
			t.Errorf("%s has no kind", k.Name)
		}
	}
}

func FuzzPath(f *testing.F) {
	f.Add([]byte{0x45, 0, 0, 28}, []byte{0x45, 0, 0, 28}, uint8(1), true)
	f.Add([]byte{}, []byte{}, uint8(0), false)
	f.Fuzz(func(t *testing.T, probe, quote []byte, ttl uint8, expired bool) {
		var p Path
		for i := range 4 {
			a := Answer{TTL: int(ttl) + i, From: us, Target: target, Back: i, Expired: expired, Probe: probe, Quote: quote}
			if i%2 == 0 {
				a.From, a.Quote = target, quote[:len(quote)/2]
			}
			p.Add(&a)
		}
		for _, found := range p.Findings() {
			if found.At < 1 || found.Last < found.At || found.After >= found.At || found.What == "" {
				t.Errorf("%+v", found)
			}
		}
	})
}
